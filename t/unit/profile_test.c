/*
 * Profiles: reading them, and the time of a step.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "../../src/engine/profile.h"


static vm_profile_t  p;

static const char  simple[] =
    "{\"schema\":\"vllm-sim-profile/1\",\"device\":\"d\",\"model\":\"m\","
    "\"tp\":%d,\"model_config\":{\"layers\":2,\"max_positions\":4096},"
    "\"device_config\":{\"memory_gb\":80},"
    "\"memory\":{\"num_blocks\":100,\"block_size\":16},"
    "\"rules\":{\"token_round_up\":8,\"kv_round_up\":64,"
    "\"decode_batch_overhead\":0.5,\"prefill_batch_overhead\":0.25,"
    "\"nccl_launch_us\":20},"
    "\"linear_us\":{\"n\":[8,16],\"us\":[10,20]},"
    "\"kv_cache_save_us\":{\"n\":[1],\"us\":[0]},"
    "\"all_reduce_us\":{\"n\":[8],\"us\":[5]},"
    "\"cpu_overhead_us_per_step\":{\"batch\":[1,2],\"us\":[100,300]},"
    "\"prefill_us\":{\"chunk\":[10,20],\"kv\":[0,64],"
    "\"us\":[[1,2],[3,5]]},"
    "\"decode_us\":{\"batch\":[1,2],\"kv\":[64,128],"
    "\"us\":[[1,2],[2,4]]}%s}";


static int
parse(int tp, const char *more)
{
    int   n;
    char  text[4096], err[200];

    n = snprintf(text, sizeof(text), simple, tp, more);

    return vm_profile_parse(&p, text, (size_t) n, err, sizeof(err));
}


static void
test_step(void **state)
{
    vm_prefill_t  q[2];

    (void) state;
    assert_int_equal(parse(1, ""), VM_OK);
    assert_int_equal(p.num_blocks, 100);

    /* one decode of length 50: linear 10, decode at (1, 64): 1 */

    assert_int_equal(vm_profile_step(&p, NULL, 0, 1, 50, 0), 2 * 11000);

    /* two of 65: K is 128; batch overhead */

    assert_int_equal(vm_profile_step(&p, NULL, 0, 2, 131, 0), 2 * 16000);

    /* beyond the last knots: scaled by both */

    assert_int_equal(vm_profile_step(&p, NULL, 0, 4, 4 * 256, 0), 2 * 34000);

    /* a prefill of 12: linear of 16, prefill at (12, 0) */

    q[0].before = 0;
    q[0].now = 12;
    assert_int_equal(vm_profile_step(&p, q, 1, 0, 0, 0), 2 * 21400);

    /* 3 and 4 tokens: chunk 5, kv 64 */

    q[0].now = 3;
    q[1].now = 4;
    q[1].before = 1;
    assert_int_equal(vm_profile_step(&p, q, 2, 0, 0, 0), 2 * 12500);

    /* linear beyond its last knot goes in proportion; CPU overhead */

    q[0].now = 20;
    assert_int_equal(vm_profile_step(&p, q, 1, 0, 0, 1),
                     2 * (30000 + 3000) + 100000);

    assert_int_equal(parse(2, ""), VM_OK);
    assert_int_equal(vm_profile_step(&p, NULL, 0, 1, 50, 0), 2 * 61000);
}


static void
test_bad(void **state)
{
    char  err[200];

    (void) state;
    assert_int_equal(parse(1, ",\"tp\":0.5"), VM_ERROR);
    assert_int_equal(parse(1, ",\"linear_us\":{\"n\":[2,1],\"us\":[1,2]}"),
                     VM_ERROR);
    assert_int_equal(parse(1, ",\"linear_us\":{\"n\":[1,2],\"us\":[1]}"),
                     VM_ERROR);
    assert_int_equal(parse(1, ",\"schema\":\"other/1\""), VM_ERROR);
    assert_int_equal(parse(1, ",\"decode_us\":1"), VM_ERROR);
    assert_int_equal(vm_profile_parse(&p, "[1", 2, err, sizeof(err)),
                     VM_ERROR);
    assert_non_null(strstr(err, "profile"));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_step),
        cmocka_unit_test(test_bad)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
