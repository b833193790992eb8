/*
 * The growable buffer: appends, numbers and strings as Python writes them.
 */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../../src/base/buf.h"


static void
same(vm_buf_t *b, const char *text)
{
    vm_buf_char(b, '\0');
    assert_false(b->failed);
    assert_string_equal(b->data, text);
    vm_buf_reset(b);
}


static void
test_appends(void **state)
{
    char      text[] = "0123456789";
    size_t    i;
    vm_buf_t  b;

    (void) state;

    vm_buf_init(&b);
    assert_int_equal(b.len, 0);

    vm_buf_add(&b, "", 0);
    vm_buf_str(&b, "ab");
    vm_buf_lit(&b, "cd");
    vm_buf_char(&b, 'e');
    vm_buf_add(&b, text + 3, 2);
    vm_buf_printf(&b, "<%s|%d>", "x", -7);
    same(&b, "abcde34<x|-7>");

    for (i = 0; i < 10000; i++) {
        vm_buf_add(&b, text, sizeof(text) - 1);
    }

    assert_int_equal(b.len, 100000);
    assert_true(b.size >= b.len && b.size < 4 * b.len);
    assert_memory_equal(b.data + 99990, text, 10);

    vm_buf_reset(&b);
    assert_int_equal(b.len, 0);
    assert_int_equal(vm_buf_reserve(&b, 1 << 20), VM_OK);
    assert_true(b.size >= 1 << 20);

    vm_buf_free(&b);
}


static void
test_long_printf(void **state)
{
    char      text[5000];
    vm_buf_t  b;

    (void) state;

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';

    vm_buf_init(&b);
    vm_buf_lit(&b, "a");
    vm_buf_printf(&b, "%s%s", text, text);
    assert_int_equal(b.len, 1 + 2 * (sizeof(text) - 1));
    assert_int_equal(b.data[b.len - 1], 'x');
    vm_buf_free(&b);
}


static void
test_integers(void **state)
{
    vm_buf_t  b;

    (void) state;

    vm_buf_init(&b);
    vm_buf_uint(&b, 0);
    vm_buf_char(&b, ' ');
    vm_buf_uint(&b, UINT64_MAX);
    vm_buf_char(&b, ' ');
    vm_buf_int(&b, INT64_MIN);
    vm_buf_char(&b, ' ');
    vm_buf_int(&b, -1);
    same(&b, "0 18446744073709551615 -9223372036854775808 -1");
    vm_buf_free(&b);
}


/* repr() of Python 3.12 */

static void
test_doubles(void **state)
{
    size_t    i;
    vm_buf_t  b;

    static const struct {
        double       d;
        const char  *text;
    }  cases[] = {
        { 0, "0.0" }, { -0.0, "-0.0" }, { 1, "1.0" }, { 100, "100.0" },
        { 0.1, "0.1" }, { -2.5, "-2.5" }, { 1e-4, "0.0001" },
        { 1e-5, "1e-05" }, { 1.5e-7, "1.5e-07" }, { 1e15, "1000000000000000.0" },
        { 1e16, "1e+16" }, { 123456789012345680.0, "1.2345678901234568e+17" },
        { 1.0 / 3, "0.3333333333333333" }, { 1e300, "1e+300" },
        { 1795494129.25, "1795494129.25" },
        { 2.0 / 3, "0.6666666666666666" }, { 0.1 + 0.2, "0.30000000000000004" },
        { 5e-324, "5e-324" }, { 1e-323, "1e-323" }, { 1.5e-320, "1.5e-320" },
        { 2.2250738585072014e-308, "2.2250738585072014e-308" }
    };

    (void) state;

    vm_buf_init(&b);

    for (i = 0; i < vm_nelts(cases); i++) {
        vm_buf_double(&b, cases[i].d);
        same(&b, cases[i].text);
    }

    vm_buf_free(&b);
}


static void
test_json(void **state)
{
    vm_buf_t  b;

    (void) state;

    vm_buf_init(&b);
    vm_buf_json(&b, "", 0);
    same(&b, "\"\"");
    vm_buf_json(&b, "a\"b\\c/d", 7);
    same(&b, "\"a\\\"b\\\\c/d\"");
    vm_buf_json(&b, "\n\r\t\b\f\x01\x1f\x7f", 8);
    same(&b, "\"\\n\\r\\t\\b\\f\\u0001\\u001f\x7f\"");
    vm_buf_json(&b, "a\0b", 3);
    same(&b, "\"a\\u0000b\"");
    vm_buf_json(&b, "\xed\xa0\x80 \xed\xbf\xbf \xff\xe2\x82", 10);
    same(&b, "\"\\ud800 \\udfff \xef\xbf\xbd\xef\xbf\xbd\"");
    vm_buf_json(&b, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9);
    same(&b, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
    vm_buf_free(&b);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_appends),
        cmocka_unit_test(test_long_printf),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_json)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
