/*
 * Pictures and voices in the answers of a chat: `modalities`, as OpenAI and
 * vLLM-Omni have it.  With vllm_mock_endpoints all, in whole answers.
 */

#ifndef VM_MODALITIES_H
#define VM_MODALITIES_H


#include "generation.h"


/* What a chat asks for.  VM_ERROR: a size that cannot be. */
int vm_modalities_parse(vm_generation_t *g);

/* Whether a message's content is for vm_modalities_content(). */
int vm_modalities_any(const vm_generation_t *g);

/* "content" and "audio" of a message that says `text`. */
void vm_modalities_content(vm_generation_t *g, const vm_choice_t *c,
    vm_str_t text, vm_buf_t *out);
void vm_modalities_audio(vm_generation_t *g, const vm_choice_t *c,
    vm_str_t text, vm_buf_t *out);


#endif /* VM_MODALITIES_H */
