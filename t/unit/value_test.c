/*
 * JSON as Python's json.loads() reads it, values as str() and repr() write
 * them.
 */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../../src/api/value.h"


static json_t *
load(const char *text)
{
    vm_json_t  j;

    assert_int_equal(vm_json_load(&j, text, strlen(text)), VM_JSON_OK);
    assert_non_null(j.value);

    return j.value;
}


static void
invalid(const char *text, const char *error, size_t pos)
{
    vm_json_t  j;

    assert_int_equal(vm_json_load(&j, text, strlen(text)), VM_JSON_INVALID);
    assert_string_equal(j.error, error);
    assert_int_equal(j.pos, pos);
}


static void
undecodable(const char *text, size_t len)
{
    vm_json_t  j;

    assert_int_equal(vm_json_load(&j, text, len), VM_JSON_UNDECODABLE);
}


static void
prints(const char *text, const char *str, const char *repr)
{
    json_t    *v;
    vm_buf_t   b;

    v = load(text);
    vm_buf_init(&b);
    vm_value_str(&b, v);
    vm_buf_char(&b, '\0');
    assert_string_equal(b.data, str);
    vm_buf_reset(&b);
    vm_value_repr(&b, v);
    vm_buf_char(&b, '\0');
    assert_string_equal(b.data, repr);
    vm_buf_free(&b);
    json_decref(v);
}


static void
test_types(void **state)
{
    size_t   i;
    json_t  *v;

    static const struct {
        const char  *text;
        vm_py_e      type;
        const char  *name;
    }  cases[] = {
        { "null", VM_PY_NONE, "NoneType" }, { "true", VM_PY_BOOL, "bool" },
        { "-3", VM_PY_INT, "int" }, { "3.5", VM_PY_FLOAT, "float" },
        { "9223372036854775807", VM_PY_INT, "int" },
        { "9223372036854775808", VM_PY_BIGINT, "int" },
        { "-99999999999999999999999", VM_PY_BIGINT, "int" },
        { "1e400", VM_PY_FLOAT, "float" }, { "NaN", VM_PY_FLOAT, "float" },
        { "-Infinity", VM_PY_FLOAT, "float" }, { "\"a\"", VM_PY_STR, "str" },
        { "[]", VM_PY_LIST, "list" }, { "{}", VM_PY_DICT, "dict" }
    };

    (void) state;

    for (i = 0; i < vm_nelts(cases); i++) {
        v = load(cases[i].text);
        assert_int_equal(vm_value_type(v), cases[i].type);
        assert_string_equal(vm_value_class(v), cases[i].name);
        json_decref(v);
    }

    assert_int_equal(vm_value_type(NULL), VM_PY_NONE);

    v = load("-99999999999999999999999");
    assert_string_equal(vm_value_digits(v), "-99999999999999999999999");
    assert_true(vm_value_float(v) == -1e23);
    json_decref(v);

    v = load("1e400");
    assert_true(isinf(vm_value_float(v)));
    json_decref(v);
}


static void
test_white_space_and_duplicates(void **state)
{
    json_t  *v;

    (void) state;

    v = load(" \t\r\n{ \"a\" : 1 , \"a\" : 2 } \n");
    assert_int_equal(json_object_size(v), 1);
    assert_int_equal(json_integer_value(json_object_get(v, "a")), 2);
    assert_ptr_equal(vm_value_get(v, "a"), json_object_get(v, "a"));
    assert_null(vm_value_get(v, "b"));
    json_decref(v);

    v = load("{\"a\": null}");
    assert_null(vm_value_get(v, "a"));
    json_decref(v);
}


/* The words and places of Python 3.12's json module */

static void
test_errors(void **state)
{
    (void) state;

    invalid("{", "Expecting property name enclosed in double quotes", 1);
    invalid("{\"a\"", "Expecting ':' delimiter", 4);
    invalid("{\"a\":", "Expecting value", 5);
    invalid("{\"a\": 1", "Expecting ',' delimiter", 7);
    invalid("[1 2]", "Expecting ',' delimiter", 3);
    invalid("[1,]", "Expecting value", 3);
    invalid("{} x", "Extra data", 3);
    invalid("nul", "Expecting value", 0);
    invalid("\"abc", "Unterminated string starting at", 0);
    invalid("\"\\x\"", "Invalid \\escape", 1);
    invalid("\"a\nb\"", "Invalid control character at", 2);
    invalid("-", "Expecting value", 0);
    invalid("01", "Extra data", 1);

    /* places are characters, not bytes */

    invalid("\"\xc3\xa9\xc3\xa9\" x", "Extra data", 5);
}


static void
test_undecodable(void **state)
{
    char       *deep;
    vm_json_t   j;

    (void) state;

    undecodable("\"\xff\"", 3);
    undecodable("\"\xc3\"", 3);
    undecodable("\"\xed\xa0\x80\"", 5);         /* a surrogate in UTF-8 */

    deep = malloc(200001);
    assert_non_null(deep);
    memset(deep, '[', 100000);
    memset(deep + 100000, ']', 100000);
    deep[200000] = '\0';
    assert_int_not_equal(vm_json_load(&j, deep, 200000), VM_JSON_OK);
    assert_int_not_equal(vm_json_load(&j, deep, 100000), VM_JSON_OK);
    free(deep);
}


static void
test_nul_and_surrogates(void **state)
{
    json_t  *v;

    (void) state;

    v = load("\"a\\u0000b\"");
    assert_int_equal(json_string_length(v), 3);
    assert_memory_equal(json_string_value(v), "a\0b", 3);
    json_decref(v);

    v = load("\"\\ud83d\\ude00\"");
    assert_string_equal(json_string_value(v), "\xf0\x9f\x98\x80");
    assert_int_equal(vm_value_chars(json_string_value(v), 4), 1);
    assert_false(vm_value_surrogates(json_string_value(v), 4));
    json_decref(v);

    v = load("\"\\ud83d\"");
    assert_int_equal(vm_value_type(v), VM_PY_STR);
    assert_true(vm_value_surrogates(json_string_value(v),
                                    json_string_length(v)));
    json_decref(v);
}


static void
test_printing(void **state)
{
    (void) state;

    prints("null", "None", "None");
    prints("true", "True", "True");
    prints("-12", "-12", "-12");
    prints("99999999999999999999", "99999999999999999999",
           "99999999999999999999");
    prints("1.0", "1.0", "1.0");
    prints("1e16", "1e+16", "1e+16");
    prints("NaN", "nan", "nan");
    prints("-Infinity", "-inf", "-inf");
    prints("\"a\"", "a", "'a'");
    prints("\"it's\"", "it's", "\"it's\"");
    prints("\"a'b\\\"c\"", "a'b\"c", "'a\\'b\"c'");
    prints("\"a\\nb\"", "a\nb", "'a\\nb'");
    prints("\"\\u0001\\u007f\"", "\x01\x7f", "'\\x01\\x7f'");
    prints("[1, \"a\", [], {}]", "[1, 'a', [], {}]", "[1, 'a', [], {}]");
    prints("{\"a\": [true, null], \"b\": 1.5}",
           "{'a': [True, None], 'b': 1.5}", "{'a': [True, None], 'b': 1.5}");
    prints("\"\xc3\xa9\"", "\xc3\xa9", "'\xc3\xa9'");
}


static void
test_prefix(void **state)
{
    const char  *s = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";

    (void) state;

    assert_int_equal(vm_value_chars(s, strlen(s)), 5);
    assert_int_equal(vm_value_prefix(s, strlen(s), 0), 0);
    assert_int_equal(vm_value_prefix(s, strlen(s), 2), 3);
    assert_int_equal(vm_value_prefix(s, strlen(s), 4), 10);
    assert_int_equal(vm_value_prefix(s, strlen(s), 50), strlen(s));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_white_space_and_duplicates),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_undecodable),
        cmocka_unit_test(test_nul_and_surrogates),
        cmocka_unit_test(test_printing),
        cmocka_unit_test(test_prefix)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
