/*
 * The /render endpoints: a request of any protocol as tokens and sampling
 * parameters, ready for /inference/v1/generate.
 */

#ifndef VM_RENDER_H
#define VM_RENDER_H


#include "generation.h"


/* Appends the answer, or fails with call->error. */
int vm_render(vm_call_t *call, const vm_protocol_t *protocol,
    const json_t *body, vm_buf_t *out);

/* render_features.c: of one of its prompts; null: there are none. */
void vm_render_features(const vm_generation_t *g, uint32_t prompt,
    vm_buf_t *out);


#endif /* VM_RENDER_H */
