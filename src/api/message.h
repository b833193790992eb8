/*
 * Messages of a conversation: the union of types that a message may be, and
 * the template that makes a prompt of them.
 */

#ifndef VM_MESSAGE_H
#define VM_MESSAGE_H


#include "generation.h"


extern const vm_type_t  vm_message_type, vm_messages_type;

/* What Python does to the list before it is validated; rules of its own. */
int vm_messages_normalize(const json_t *messages, vm_error_t *e,
    vm_pool_t *pool);

/* Tool calls are looked at after all fields were right. */
int vm_messages_calls(const json_t *messages, const char *root, vm_error_t *e,
    vm_pool_t *pool);

typedef struct {
    unsigned  generate:1;           /* add_generation_prompt */
    unsigned  go_on:1;              /* continue_final_message */
    unsigned  media:1;              /* images and the like are taken */
    const json_t  *tools;           /* NULL: none */
    const char    *model;           /* for a message */
} vm_template_t;

/* The prompt's text; parts of messages are checked here. */
int vm_messages_render(const json_t *messages, const vm_template_t *t,
    vm_buf_t *out, vm_error_t *e, vm_pool_t *pool);

/* What the user said last; NULL: nothing. */
const json_t *vm_messages_last(const json_t *messages);

/* The text of a message's content, parts joined. */
void vm_message_text(const json_t *message, vm_buf_t *out);


#endif /* VM_MESSAGE_H */
