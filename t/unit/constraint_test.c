/*
 * Texts for a constraint satisfy it, whatever the key.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <regex.h>
#include "../../src/api/constraint.h"


#define KEYS  200


static void
test_regex(void **state)
{
    size_t       i;
    regex_t      re;
    uint64_t     key;
    vm_buf_t     b;
    vm_pool_t   *pool;
    vm_error_t   e;
    char         whole[200];

    /* such as POSIX understands in the same way */

    static const char *const  regexes[] = {
        "abc", "a*", "a+b?c", "[a-f0-9]{8}", "(foo|bar|baz)+", "[^a-z]{3,5}",
        "(a|b(c|d)){2}", "x{0,3}y", "(0|1[0-9]|2)", "", "[A-Z][a-z]+ [0-9]"
    };

    (void) state;

    pool = vm_pool_create(4096);
    vm_buf_init(&b);

    for (i = 0; i < vm_nelts(regexes); i++) {
        snprintf(whole, sizeof(whole), "^(%s)$", regexes[i]);
        assert_int_equal(regcomp(&re, whole, REG_EXTENDED|REG_NOSUB), 0);

        for (key = 0; key < KEYS; key++) {
            vm_buf_reset(&b);
            memset(&e, 0, sizeof(e));
            assert_int_equal(vm_constraint_regex(regexes[i],
                                                 strlen(regexes[i]), key, &b,
                                                 &e, pool), VM_OK);
            vm_buf_char(&b, '\0');

            if (regexec(&re, b.data, 0, NULL, 0) != 0) {
                fail_msg("\"%s\" does not match \"%s\"", b.data, regexes[i]);
            }
        }

        regfree(&re);
    }

    vm_buf_free(&b);
    vm_pool_destroy(pool);
}


static void
test_broken_regex(void **state)
{
    size_t       i;
    vm_buf_t     b;
    vm_pool_t   *pool;
    vm_error_t   e;

    static const char *const  regexes[] = { "(", "[a", "*a", "a)" };

    (void) state;

    pool = vm_pool_create(4096);
    vm_buf_init(&b);

    for (i = 0; i < vm_nelts(regexes); i++) {
        memset(&e, 0, sizeof(e));

        assert_int_not_equal(vm_constraint_regex(regexes[i],
                                                 strlen(regexes[i]), 1, &b,
                                                 &e, pool), VM_OK);
        assert_int_equal(e.status, 400);
        assert_non_null(e.message);
    }

    vm_buf_free(&b);
    vm_pool_destroy(pool);
}


/* A JSON text for a schema, parsed. */

static json_t *
made(const char *schema, uint64_t key, vm_pool_t *pool)
{
    json_t      *s, *v;
    vm_buf_t     b;
    vm_error_t   e;

    s = json_loads(schema, 0, NULL);
    assert_non_null(s);
    vm_buf_init(&b);
    memset(&e, 0, sizeof(e));

    if (vm_constraint_schema(s, key, &b, &e, pool) != VM_OK) {
        fail_msg("%s: %s", schema, e.message);
    }

    v = json_loadb(b.data, b.len, JSON_DECODE_ANY, NULL);

    if (v == NULL) {
        fail_msg("%s: no JSON: %.*s", schema, (int) b.len, b.data);
    }

    vm_buf_free(&b);
    json_decref(s);

    return v;
}


static void
test_schema(void **state)
{
    json_t      *v;
    size_t       n;
    uint64_t     key;
    vm_pool_t   *pool;
    const char  *s;

    (void) state;

    pool = vm_pool_create(4096);

    for (key = 0; key < KEYS; key++) {
        v = made("{\"type\": \"object\", \"properties\": {"
                 "\"name\": {\"type\": \"string\", \"minLength\": 2,"
                 " \"maxLength\": 5},"
                 "\"age\": {\"type\": \"integer\", \"minimum\": 3,"
                 " \"maximum\": 7},"
                 "\"kind\": {\"enum\": [\"a\", 1, null]},"
                 "\"tags\": {\"type\": \"array\", \"minItems\": 1,"
                 " \"maxItems\": 3, \"items\": {\"type\": \"boolean\"}}},"
                 "\"required\": [\"name\", \"age\", \"kind\", \"tags\"],"
                 "\"additionalProperties\": false}", key, pool);
        assert_int_equal(json_object_size(v), 4);
        s = json_string_value(json_object_get(v, "name"));
        assert_in_range(strlen(s), 2, 5);
        assert_in_range(json_integer_value(json_object_get(v, "age")), 3, 7);
        n = json_array_size(json_object_get(v, "tags"));
        assert_in_range(n, 1, 3);

        while (n--) {
            assert_true(json_is_boolean(json_array_get(
                                           json_object_get(v, "tags"), n)));
        }

        json_decref(v);

        v = made("{\"anyOf\": [{\"const\": \"x\"}, {\"type\": \"null\"},"
                 "{\"$ref\": \"#/$defs/p\"}], \"$defs\": {\"p\": {\"type\":"
                 "\"object\", \"properties\": {\"q\": {\"type\": \"number\"}},"
                 "\"required\": [\"q\"]}}}", key, pool);
        assert_true(json_is_null(v)
                    || (json_is_string(v)
                        && strcmp(json_string_value(v), "x") == 0)
                    || json_is_number(json_object_get(v, "q")));
        json_decref(v);

        /* what refers to itself ends, and bounds exclude themselves */

        v = made("{\"$ref\": \"#/$defs/s\", \"$defs\": {\"s\": {\"anyOf\": ["
                 "{\"type\": \"object\", \"properties\": {"
                 "\"l\": {\"$ref\": \"#/$defs/s\"},"
                 "\"r\": {\"type\": \"array\", \"items\":"
                 " {\"$ref\": \"#/$defs/s\"}}},"
                 "\"required\": [\"l\", \"r\"]},"
                 "{\"type\": \"number\", \"exclusiveMinimum\": 0,"
                 " \"exclusiveMaximum\": 0.5}]}}}", key, pool);
        assert_true(json_is_object(v) || (json_number_value(v) > 0
                                          && json_number_value(v) < 0.5));
        json_decref(v);

        v = made("{\"type\": \"object\", \"additionalProperties\":"
                 " {\"type\": \"boolean\"}}", key, pool);
        assert_int_equal(json_object_size(v), 1);
        json_decref(v);
    }

    vm_pool_destroy(pool);
}


/* The same key, the same text; others differ. */

static void
test_key(void **state)
{
    char         *first;
    size_t        other;
    json_t       *v;
    uint64_t      key;
    vm_pool_t    *pool;
    const char   *schema = "{\"type\": \"string\", \"minLength\": 8}";

    (void) state;

    pool = vm_pool_create(4096);
    v = made(schema, 5, pool);
    first = strdup(json_string_value(v));
    json_decref(v);
    v = made(schema, 5, pool);
    assert_string_equal(json_string_value(v), first);
    json_decref(v);

    for (other = 0, key = 6; key < 16; key++) {
        v = made(schema, key, pool);
        other += strcmp(json_string_value(v), first) != 0;
        json_decref(v);
    }

    assert_true(other >= 8);
    free(first);
    vm_pool_destroy(pool);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_regex),
        cmocka_unit_test(test_broken_regex),
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_key)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
