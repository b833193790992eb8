/*
 * What models answer that do not generate, besides /v1/embeddings: /pooling,
 * /classify, /score, /rerank, and Cohere's /v2/embed.
 */

#ifndef VM_POOLING_H
#define VM_POOLING_H


#include "call.h"


/* Each appends its answer; VM_ERROR with call->error. */

int vm_pooling_answer(vm_call_t *call, const json_t *body, vm_buf_t *out);
int vm_classify_answer(vm_call_t *call, const json_t *body, vm_buf_t *out);
int vm_score_answer(vm_call_t *call, const json_t *body, vm_buf_t *out);
int vm_rerank_answer(vm_call_t *call, const json_t *body, vm_buf_t *out);
int vm_cohere_answer(vm_call_t *call, const json_t *body, vm_buf_t *out);


#endif /* VM_POOLING_H */
