/*
 * Vectors: what a pooling model makes of a prompt, and the forms in which
 * they are sent.
 */

#ifndef VM_VECTOR_H
#define VM_VECTOR_H


#include "../base/buf.h"
#include "../base/types.h"


typedef enum {
    VM_DTYPE_FLOAT32,
    VM_DTYPE_FLOAT16,
    VM_DTYPE_BFLOAT16,
    VM_DTYPE_E4M3,                  /* fp8_e4m3 without infinities */
    VM_DTYPE_E5M2,                  /* fp8_e5m2 */
    VM_DTYPES
} vm_dtype_e;

size_t vm_dtype_size(vm_dtype_e dtype);

/*
 * A prompt's vector of `dims` numbers: the sum of its tokens' vectors, so that
 * prompts which share tokens are similar; of length 1 if `unit`.
 */
void vm_vector_make(const uint32_t *ids, size_t n, uint32_t dims, int unit,
    float *out);

/* "[0.1,0.2]" */
void vm_vector_json(const float *v, uint32_t dims, vm_buf_t *out);

/* Its bytes; `big`: most significant first. */
void vm_vector_bytes(const float *v, uint32_t dims, vm_dtype_e dtype, int big,
    vm_buf_t *out);

/* The same in base64, with quotes. */
void vm_vector_base64(const float *v, uint32_t dims, vm_dtype_e dtype,
    int big, vm_buf_t *out);


#endif /* VM_VECTOR_H */
