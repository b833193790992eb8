/*
 * Vectors of prompts and their encodings.
 */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../../src/api/vector.h"


static void
test_unit_length(void **state)
{
    float     a[64], b[64];
    double    sum;
    uint32_t  ids[] = { 5, 900, 7 }, k;

    (void) state;

    vm_vector_make(ids, 3, 64, 1, a);
    vm_vector_make(ids, 3, 64, 0, b);

    for (sum = 0, k = 0; k < 64; k++) {
        sum += (double) a[k] * a[k];
        assert_true((a[k] < 0) == (b[k] < 0));
    }

    assert_float_equal(sum, 1, 1e-5);

    vm_vector_make(ids, 0, 64, 1, a);
    assert_float_equal(a[0], 0, 0);
}


/* What torch makes of these, as float16, bfloat16, fp8_e4m3, fp8_e5m2. */

static const struct {
    float     value;
    uint32_t  bits[VM_DTYPES];
} vm_numbers[] = {
    { 0.0f, { 0x00000000, 0x0000, 0x0000, 0x00, 0x00 } },
    { 1.0f, { 0x3f800000, 0x3c00, 0x3f80, 0x38, 0x3c } },
    { -0.1f, { 0xbdcccccd, 0xae66, 0xbdcd, 0x9d, 0xae } },
    { 0.3f, { 0x3e99999a, 0x34cd, 0x3e9a, 0x2a, 0x35 } },
    { 1e-7f, { 0x33d6bf95, 0x0002, 0x33d7, 0x00, 0x00 } },
    { 0.003f, { 0x3b449ba6, 0x1a25, 0x3b45, 0x02, 0x1a } },
    { 500.0f, { 0x43fa0000, 0x5fd0, 0x43fa, 0x7e, 0x60 } },
    { 1e6f, { 0x49742400, 0x7c00, 0x4974, 0x7e, 0x7c } }
};


static void
test_numbers(void **state)
{
    int         big;
    size_t      i, k, size;
    uint32_t    bits;
    vm_buf_t    b;
    vm_dtype_e  dtype;

    (void) state;

    for (i = 0; i < vm_nelts(vm_numbers); i++) {
        for (dtype = 0; dtype < VM_DTYPES; dtype++) {
            for (big = 0; big < 2; big++) {
                size = vm_dtype_size(dtype);
                vm_buf_init(&b);
                vm_vector_bytes(&vm_numbers[i].value, 1, dtype, big, &b);
                assert_int_equal(b.len, size);

                for (bits = 0, k = 0; k < size; k++) {
                    bits = bits << 8
                           | (uint8_t) b.data[big ? k : size - 1 - k];
                }

                vm_buf_free(&b);
                assert_int_equal(bits, vm_numbers[i].bits[dtype]);
            }
        }
    }
}


static void
test_base64(void **state)
{
    size_t                    i;
    float                     v[] = { 1.0f, -2.0f };
    vm_buf_t                  b;
    static const char *const  want[] = { "\"\"", "\"AACAPw==\"",
                                         "\"AACAPwAAAMA=\"" };

    (void) state;

    for (i = 0; i < vm_nelts(want); i++) {
        vm_buf_init(&b);
        vm_vector_base64(v, (uint32_t) i, VM_DTYPE_FLOAT32, 0, &b);
        vm_buf_char(&b, '\0');
        assert_string_equal(b.data, want[i]);
        vm_buf_free(&b);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_unit_length),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_base64)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
