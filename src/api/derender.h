/*
 * The /derender endpoints: what /inference/v1/generate answered, as the answer
 * of a chat or a completion.
 */

#ifndef VM_DERENDER_H
#define VM_DERENDER_H


#include "call.h"


/* Each appends its answer, or fails with call->error. */
int vm_derender_chat(vm_call_t *call, const json_t *body, vm_buf_t *out);
int vm_derender_text(vm_call_t *call, const json_t *body, vm_buf_t *out);


#endif /* VM_DERENDER_H */
