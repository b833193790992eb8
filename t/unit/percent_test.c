/*
 * Shares in percent.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "../../src/base/percent.h"


static void
good(void **state)
{
    double  d;

    (void) state;

    assert_int_equal(vm_percent("30%", &d), VM_OK);
    assert_float_equal(d, 0.3, 1e-12);
    assert_int_equal(vm_percent("30", &d), VM_OK);
    assert_float_equal(d, 0.3, 1e-12);
    assert_int_equal(vm_percent("0.3%", &d), VM_OK);
    assert_float_equal(d, 0.003, 1e-12);
    assert_int_equal(vm_percent("1%", &d), VM_OK);
    assert_float_equal(d, 0.01, 1e-12);
    assert_int_equal(vm_percent("0", &d), VM_OK);
    assert_float_equal(d, 0, 0);
    assert_int_equal(vm_percent("100", &d), VM_OK);
    assert_float_equal(d, 1, 0);
}


/* A share, or percent?  It is asked for. */

static void
either_way(void **state)
{
    double  d;

    (void) state;

    assert_int_equal(vm_percent("0.3", &d), VM_ERROR);
    assert_int_equal(vm_percent("1", &d), VM_ERROR);
    assert_int_equal(vm_percent("1e-3", &d), VM_ERROR);
}


static void
bad(void **state)
{
    size_t       i;
    double       d;
    const char  *texts[] = {
        "", "%", "x", "-1", "101", "100.1%", "nan", "inf", "30%%", "30 %"
    };

    (void) state;

    for (i = 0; i < vm_nelts(texts); i++) {
        assert_int_equal(vm_percent(texts[i], &d), VM_ERROR);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(either_way),
        cmocka_unit_test(bad)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
