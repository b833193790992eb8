/*
 * Prefill and decode on different servers: what routers send along, and what
 * the server that prefills answers for the one that decodes.
 */

#ifndef VM_TRANSFER_H
#define VM_TRANSFER_H


#include "generation.h"


/* Which half of a request this is, by its body. */
void vm_transfer_parse(vm_generation_t *g);

/* vLLM's kv_transfer_params of an answer: null but for a prefill's. */
void vm_transfer_params(const vm_generation_t *g, vm_buf_t *out);

/* TensorRT-LLM's ,"disaggregated_params":{...} of a choice; mostly nothing. */
void vm_transfer_choice(const vm_generation_t *g, const vm_choice_t *c,
    vm_buf_t *out);


#endif /* VM_TRANSFER_H */
