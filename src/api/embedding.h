/*
 * POST /v1/embeddings.
 */

#ifndef VM_EMBEDDING_H
#define VM_EMBEDDING_H


#include "call.h"


/* Appends the answer; *tokens: of all inputs.  Fails with call->error. */
int vm_embedding_answer(vm_call_t *call, const json_t *body, vm_buf_t *out,
    uint64_t *tokens);


#endif /* VM_EMBEDDING_H */
