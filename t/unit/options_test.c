/*
 * The engine's settings by vLLM's names.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../src/engine/options.h"


static void
test_set(void **state)
{
    char              err[256];
    vm_engine_conf_t  c;

    (void) state;
    vm_engine_defaults(&c);

#define set(name, value)  vm_option_set(&c, name, value, err, sizeof(err))

    assert_int_equal(set("max-num-seqs", "7"), VM_OK);
    assert_int_equal(c.max_num_seqs, 7);
    assert_int_equal(set("max_num_batched_tokens", "2k"), VM_OK);
    assert_int_equal(c.max_num_batched_tokens, 2000);
    assert_int_equal(set("max-num-batched-tokens", "4K"), VM_OK);
    assert_int_equal(c.max_num_batched_tokens, 4096);
    assert_int_equal(set("max-model-len", "1.5M"), VM_OK);
    assert_int_equal(c.max_model_len, 1572864);       /* 1.5 x 2^20 */
    assert_int_equal(set("num-gpu-blocks-override", "99"), VM_OK);
    assert_int_equal(c.num_gpu_blocks, 99);
    assert_int_equal(set("max-num-queued-reqs", "3"), VM_OK);
    assert_int_equal(c.max_waiting, 3);
    assert_int_equal(set("max_num_queued_tokens", "4"), VM_OK);
    assert_int_equal(c.max_waiting_tokens, 4);
    assert_int_equal(set("watermark", "0.01"), VM_OK);
    assert_int_equal(set("scheduling-policy", "priority"), VM_OK);
    assert_int_equal(c.policy, VM_POLICY_PRIORITY);
    assert_int_equal(set("enable-prefix-caching", "off"), VM_OK);
    assert_int_equal(c.prefix_caching, 0);
    assert_int_equal(set("chunked_prefill", "false"), VM_OK);
    assert_int_equal(c.chunked_prefill, 0);
    assert_int_equal(set("async-scheduling", "1"), VM_OK);
    assert_int_equal(c.async_scheduling, 1);
    assert_int_equal(set("scheduler-reserve-full-isl", "0"), VM_OK);
    assert_int_equal(c.reserve_full_isl, 0);

    assert_int_equal(set("max-num-cats", "7"), VM_DECLINED);

    assert_int_equal(set("max-num-seqs", "0"), VM_ERROR);
    assert_non_null(strstr(err, "\"0\""));
    assert_non_null(strstr(err, "1 to "));
    assert_int_equal(set("max-num-seqs", "seven"), VM_ERROR);
    assert_int_equal(set("max-num-seqs", "1.5"), VM_ERROR);
    assert_int_equal(set("max-num-seqs", ""), VM_ERROR);
    assert_int_equal(set("max-num-seqs", "-1"), VM_ERROR);
    assert_int_equal(set("watermark", "1"), VM_ERROR);
    assert_int_equal(set("policy", "lifo"), VM_ERROR);
    assert_non_null(strstr(err, "lifo"));
    assert_int_equal(set("async_scheduling", "maybe"), VM_ERROR);
    assert_int_equal(c.max_num_seqs, 7);
}


static void
test_check(void **state)
{
    vm_engine_conf_t  c;

    (void) state;
    vm_engine_defaults(&c);
    assert_null(vm_engine_check(&c));

    c.num_gpu_blocks = c.max_model_len / c.block_size;
    assert_non_null(vm_engine_check(&c));
    c.num_gpu_blocks++;
    assert_null(vm_engine_check(&c));

    c.max_num_batched_tokens = c.max_num_seqs - 1;
    assert_non_null(vm_engine_check(&c));
    c.max_num_batched_tokens = c.max_model_len - 1;
    assert_null(vm_engine_check(&c));
    c.chunked_prefill = 0;
    assert_non_null(vm_engine_check(&c));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_check)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
