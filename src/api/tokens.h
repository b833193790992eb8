/*
 * /tokenize, /detokenize, /tokenizer_info.
 */

#ifndef VM_TOKENS_H
#define VM_TOKENS_H


#include "call.h"


/* Each appends its answer, or fails with call->error. */
int vm_tokens_encode(vm_call_t *call, const json_t *body, vm_buf_t *out);
int vm_tokens_decode(vm_call_t *call, const json_t *body, vm_buf_t *out);
void vm_tokens_info(vm_call_t *call, vm_buf_t *out);


#endif /* VM_TOKENS_H */
