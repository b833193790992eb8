/*
 * Vectors of prompts, and their encodings.
 */

#include <math.h>
#include "vector.h"
#include "../base/rand.h"


static const struct {
    uint8_t  size;
    uint8_t  exponent;              /* bits of it */
    uint8_t  mantissa;
} vm_dtypes[VM_DTYPES] = {
    [VM_DTYPE_FLOAT32] = { 4, 8, 23 },
    [VM_DTYPE_FLOAT16] = { 2, 5, 10 },
    [VM_DTYPE_BFLOAT16] = { 2, 8, 7 },
    [VM_DTYPE_E4M3] = { 1, 4, 3 },
    [VM_DTYPE_E5M2] = { 1, 5, 2 }
};


size_t
vm_dtype_size(vm_dtype_e dtype)
{
    return vm_dtypes[dtype].size;
}


/* A token's numbers are made on the fly, one for each dimension. */

void
vm_vector_make(const uint32_t *ids, size_t n, uint32_t dims, int unit,
    float *out)
{
    double    norm;
    size_t    i;
    uint32_t  k;

    for (k = 0; k < dims; k++) {
        out[k] = 0;
    }

    for (i = 0; i < n; i++) {
        for (k = 0; k < dims; k++) {
            out[k] += (float) (vm_rand_unit(vm_rand_at(ids[i], k)) - 0.5);
        }
    }

    if (!unit) {
        return;
    }

    for (norm = 0, k = 0; k < dims; k++) {
        norm += (double) out[k] * out[k];
    }

    norm = norm > 0 ? 1 / sqrt(norm) : 0;

    for (k = 0; k < dims; k++) {
        out[k] = (float) (out[k] * norm);
    }
}


void
vm_vector_json(const float *v, uint32_t dims, vm_buf_t *out)
{
    uint32_t  k;

    vm_buf_char(out, '[');

    for (k = 0; k < dims; k++) {
        vm_buf_str(out, k ? "," : "");
        vm_buf_double(out, v[k]);
    }

    vm_buf_char(out, ']');
}


/*
 * A number with fewer bits, the nearest one, of two the even one.  What is too
 * large becomes infinity; fp8_e4m3 has none, but a largest number, 448.
 */

static uint32_t
vm_vector_number(float f, vm_dtype_e dtype)
{
    int       bias, exponent;
    double    m;
    uint32_t  bits, largest, mantissa, sign;

    if (dtype == VM_DTYPE_FLOAT32) {
        memcpy(&bits, &f, sizeof(bits));
        return bits;
    }

    mantissa = vm_dtypes[dtype].mantissa;
    bias = (1 << (vm_dtypes[dtype].exponent - 1)) - 1;
    sign = (uint32_t) (signbit(f) != 0)
           << (vm_dtypes[dtype].exponent + mantissa);
    largest = ((1u << vm_dtypes[dtype].exponent) - 1) << mantissa;

    if (f == 0) {
        return sign;
    }

    /* f is m * 2^exponent, m from 1 to 2; below the smallest exponent m is
     * smaller and counts without the implied bit */

    m = 2 * frexp(fabs((double) f), &exponent);
    exponent--;

    if (exponent < 1 - bias) {
        m = ldexp(m, exponent - (1 - bias));
        exponent = 1 - bias;
    }

    bits = (uint32_t) nearbyint(ldexp(m, (int) mantissa))
           + ((uint32_t) (exponent + bias - 1) << mantissa);

    if (dtype == VM_DTYPE_E4M3) {
        largest |= (1u << mantissa) - 2;
    }

    return sign | vm_min(bits, largest);
}


void
vm_vector_bytes(const float *v, uint32_t dims, vm_dtype_e dtype, int big,
    vm_buf_t *out)
{
    char      bytes[4];
    size_t    i, size;
    uint32_t  bits, k;

    size = vm_dtypes[dtype].size;

    for (k = 0; k < dims; k++) {
        bits = vm_vector_number(v[k], dtype);

        for (i = 0; i < size; i++) {
            bytes[big ? size - 1 - i : i] = (char) (bits >> 8 * i);
        }

        vm_buf_add(out, bytes, size);
    }
}


void
vm_vector_base64(const float *v, uint32_t dims, vm_dtype_e dtype, int big,
    vm_buf_t *out)
{
    vm_buf_t  b;

    vm_buf_init(&b);
    vm_vector_bytes(v, dims, dtype, big, &b);

    vm_buf_char(out, '"');
    vm_buf_base64(out, b.data, b.len);
    vm_buf_char(out, '"');

    out->failed |= b.failed;
    vm_buf_free(&b);
}
