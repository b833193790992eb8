/*
 * Statistics add up; sets of adapters are one series each.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "../../src/engine/stats.h"


static void
test_add(void **state)
{
    static vm_stats_t  a, b;

    (void) state;
    vm_stats_init(&a, 4096);
    vm_stats_init(&b, 4096);

    a.running = 1;
    b.running = 2;
    a.finished[VM_FINISH_STOP] = 3;
    b.finished[VM_FINISH_STOP] = 4;
    a.block_size = 16;
    b.block_size = 16;
    vm_hist_observe(&a.time_to_first_token, 0.5, 1);
    vm_hist_observe(&b.time_to_first_token, 0.25, 2);
    vm_hist_observe(&b.request_prefill_kv_computed_tokens, 100, 1);

    vm_stats_add(&a, &b);
    assert_int_equal(a.running, 3);
    assert_int_equal(a.finished[VM_FINISH_STOP], 7);
    assert_int_equal(a.block_size, 16);
    assert_int_equal(vm_hist_count(&a.time_to_first_token), 3);
    assert_true(a.time_to_first_token.sum == 1.0);
    assert_int_equal(vm_hist_count(&a.request_prefill_kv_computed_tokens), 1);
}


static void
test_loras(void **state)
{
    uint32_t           i, ids[2];
    static vm_stats_t  a, b;

    (void) state;
    vm_stats_init(&a, 4096);
    vm_stats_init(&b, 4096);

    ids[0] = 1;
    ids[1] = 2;
    vm_stats_see_loras(&a, ids, 2, 10);
    vm_stats_see_loras(&a, ids, 0, 20);
    vm_stats_see_loras(&a, ids, 2, 30);
    assert_int_equal(a.nlora_sets, 2);
    assert_int_equal(a.lora_sets[0].at, 30);

    ids[0] = 2;
    ids[1] = 1;
    vm_stats_see_loras(&b, ids, 2, 5);              /* the order counts */
    vm_stats_see_loras(&b, ids, 0, 25);
    vm_stats_add(&a, &b);
    assert_int_equal(a.nlora_sets, 3);
    assert_int_equal(a.lora_sets[1].at, 25);

    /* the oldest goes */

    for (i = 0; i < VM_LORA_SETS; i++) {
        ids[0] = 100 + i;
        vm_stats_see_loras(&a, ids, 1, 1000 + i);
    }

    assert_int_equal(a.nlora_sets, VM_LORA_SETS);

    for (i = 0; i < a.nlora_sets; i++) {
        assert_int_equal(a.lora_sets[i].n, 1);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_loras)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
