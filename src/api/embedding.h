/*
 * Embeddings: POST /v1/embeddings, and what the other endpoints of a pooling
 * model need of it.
 */

#ifndef VM_EMBEDDING_H
#define VM_EMBEDDING_H


#include "generation.h"


/* Appends the answer.  Fails with call->error. */
int vm_embedding_answer(vm_call_t *call, const json_t *body, vm_buf_t *out);


/* ---- for pooling.c ---- */

void vm_embed_begin(vm_generation_t *g, vm_call_t *call);

/* Dimensions of the model's vectors. */
uint32_t vm_embed_size(const vm_call_t *call);

/* The prompts of body[name], or of its messages. */
int vm_embed_prompts(vm_generation_t *g, const json_t *body, const char *name,
    vm_prompt_t **list, size_t *n);

/* The vector of a prompt: of length 1. */
void vm_embed_vector(const uint32_t *ids, size_t n, uint32_t dims,
    float *out);

void vm_embed_print(const float *v, uint32_t dims, int base64, vm_buf_t *out);
void vm_embed_base64(const unsigned char *p, size_t n, vm_buf_t *out);

/* "usage":{...} */
void vm_embed_usage(uint64_t tokens, vm_buf_t *out);


#endif /* VM_EMBEDDING_H */
