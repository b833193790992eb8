/*
 * Histograms and random numbers: what metrics and texts rest on.
 */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../../src/base/hist.h"
#include "../../src/base/rand.h"


static void
test_bounds(void **state)
{
    int        list;
    uint32_t   i;
    vm_hist_t  h;

    (void) state;

    for (list = 0; list < VM_HIST_LISTS; list++) {
        vm_hist_init(&h, (vm_hist_list_e) list, 4096);
        assert_true(h.n > 0 && h.n <= VM_HIST_MAX);

        for (i = 1; i < h.n; i++) {
            assert_true(vm_hist_bound(&h, i) > vm_hist_bound(&h, i - 1));
        }
    }

    /* vLLM's 1-2-5 series ends at the limit of the model */

    vm_hist_init(&h, VM_HIST_TOKENS, 2048);
    assert_float_equal(vm_hist_bound(&h, 0), 1, 0);
    assert_float_equal(vm_hist_bound(&h, h.n - 1), 2000, 0);
    vm_hist_init(&h, VM_HIST_TOKENS, 1);
    assert_int_equal(h.n, 1);
}


static void
test_observing(void **state)
{
    vm_hist_t  h, k;

    (void) state;

    vm_hist_init(&h, VM_HIST_N, 0);         /* 1 2 5 10 20 */
    vm_hist_observe(&h, 0, 1);
    vm_hist_observe(&h, 1, 1);              /* a bound belongs to its bucket */
    vm_hist_observe(&h, 1.5, 2);
    vm_hist_observe(&h, 20, 1);
    vm_hist_observe(&h, 21, 3);

    assert_int_equal(h.counts[0], 2);
    assert_int_equal(h.counts[1], 2);
    assert_int_equal(h.counts[2], 0);
    assert_int_equal(h.counts[4], 1);
    assert_int_equal(h.counts[h.n], 3);
    assert_int_equal(vm_hist_count(&h), 8);
    assert_float_equal(h.sum, 0 + 1 + 3 + 20 + 63, 1e-9);

    vm_hist_init(&k, VM_HIST_N, 0);
    vm_hist_observe(&k, 4, 5);
    vm_hist_add(&h, &k);
    assert_int_equal(vm_hist_count(&h), 13);
    assert_int_equal(h.counts[2], 5);
    assert_float_equal(h.sum, 107, 1e-9);
}


static void
test_random(void **state)
{
    int       seen[16];
    double    mean, u, var;
    uint64_t  i, n;

    (void) state;

    assert_true(vm_rand_at(1, 2) == vm_rand_at(1, 2));
    assert_true(vm_rand_at(1, 2) != vm_rand_at(2, 1));
    assert_true(vm_rand_bytes("ab", 2, 0) != vm_rand_bytes("ba", 2, 0));
    assert_true(vm_rand_bytes("ab", 2, 0) != vm_rand_bytes("ab", 2, 1));
    assert_true(vm_rand_bytes("", 0, 0) != vm_rand_bytes("\0", 1, 0));
    assert_true(vm_rand_unit(0) == 0.0);
    assert_true(vm_rand_unit(UINT64_MAX) < 1.0);

    memset(seen, 0, sizeof(seen));
    n = 160000;

    for (i = 0; i < n; i++) {
        u = vm_rand_unit(vm_rand_at(7, i));
        assert_true(u >= 0 && u < 1);
        seen[(int) (u * 16)]++;
    }

    for (i = 0; i < vm_nelts(seen); i++) {
        assert_in_range(seen[i], 9500, 10500);
    }

    for (mean = 0, var = 0, i = 0; i < n; i++) {
        u = vm_rand_normal(7, i);
        mean += u / (double) n;
        var += u * u / (double) n;
    }

    assert_float_equal(mean, 0, 0.01);
    assert_float_equal(var, 1, 0.02);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_observing),
        cmocka_unit_test(test_random)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
