/*
 * The steps of a chat's request, for protocols that make chats of theirs.
 */

#ifndef VM_CHAT_H
#define VM_CHAT_H


#include "field.h"
#include "generation.h"


/* The requests of chats and completions, where they are parts of others. */
extern const vm_type_t  vm_chat_type, vm_completion_type;

/*
 * Rules, fields and the model; then the checks of what the server allows and
 * the prompt; vm_chat_ready() does those and all that is left.  `root` is as
 * of vm_model_load().
 */
int vm_chat_load(vm_generation_t *g, const json_t *body, const char *root);
int vm_chat_prompt(vm_generation_t *g);
int vm_chat_ready(vm_generation_t *g);

/* The role of the answer, and what an echo puts before it. */
int vm_chat_role(vm_generation_t *g);

/* How many log-probabilities are wanted. */
void vm_chat_logprobs(vm_generation_t *g);

/* A choice of a whole answer, its message: what is new since its last chunk. */
void vm_chat_message(vm_generation_t *g, vm_choice_t *c, vm_buf_t *out);
void vm_chat_choice(vm_generation_t *g, vm_choice_t *c, vm_buf_t *out);


#endif /* VM_CHAT_H */
