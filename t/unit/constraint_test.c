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
#include "../../src/api/schema.h"


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


/*
 * Whether vLLM takes a constraint, and what it says if not: recorded from
 * vLLM 0.32.0.  What is taken gives a text, of a schema a JSON value.
 */

#define RECORDED  "t/golden/constraints.json"


static void
recorded(const json_t *c, uint64_t key, vm_pool_t *pool)
{
    int          fixed, rc;
    json_t      *v;
    vm_buf_t     b;
    vm_error_t   e;
    const char  *refused;

    vm_buf_init(&b);
    memset(&e, 0, sizeof(e));

    refused = json_string_value(json_object_get(c, "refused"));
    rc = vm_constraint_text(c, NULL, 4096, key, &b, &fixed, &e, pool);

    if ((rc == VM_OK) != (refused == NULL)
        || (refused && strcmp(refused, e.message) != 0))
    {
        fail_msg("%s\nis \"%s\"", json_dumps(c, 0),
                 rc == VM_OK ? "taken" : e.message);
    }

    if (rc == VM_OK && fixed && json_object_get(c, "json")) {
        v = json_loadb(b.data, b.len, JSON_DECODE_ANY, NULL);
        assert_non_null(v);
        json_decref(v);
    }

    vm_buf_free(&b);
}


static void
test_recorded(void **state)
{
    size_t      i;
    json_t     *c, *list;
    uint64_t    key;
    vm_pool_t  *pool;

    (void) state;

    list = json_load_file(RECORDED, JSON_ALLOW_NUL, NULL);
    assert_true(json_array_size(list) > 300);

    json_array_foreach(list, i, c) {
        pool = vm_pool_create(4096);

        for (key = 0; key < 5; key++) {
            recorded(c, key, pool);
        }

        vm_pool_destroy(pool);
    }

    json_decref(list);
}


/* Values fit schemas that are more than the sum of their keywords. */

static void
test_fits(void **state)
{
    size_t       i;
    json_t      *s, *v;
    uint64_t     key;
    vm_pool_t   *pool;

    static const char *const  schemas[] = {
        "{\"type\": \"integer\", \"multipleOf\": 7, \"minimum\": 10,"
        " \"maximum\": 30}",
        "{\"type\": \"number\", \"exclusiveMinimum\": 1,"
        " \"exclusiveMaximum\": 1.001}",
        "{\"allOf\": [{\"minimum\": 3}, {\"maximum\": 5},"
        " {\"type\": \"integer\"}]}",
        "{\"type\": [\"string\", \"integer\"],"
        " \"not\": {\"type\": \"string\"}}",
        "{\"oneOf\": [{\"type\": \"integer\", \"minimum\": 0,"
        " \"maximum\": 9}, {\"type\": \"integer\", \"minimum\": 5,"
        " \"maximum\": 15}]}",
        "{\"type\": \"object\", \"properties\": {\"a\": {\"enum\": [1, 2]},"
        " \"b\": {\"type\": \"null\"}}, \"required\": [\"a\"],"
        " \"if\": {\"properties\": {\"a\": {\"const\": 1}}},"
        " \"then\": {\"required\": [\"b\", \"c\"]}}",
        "{\"type\": \"object\", \"minProperties\": 3,"
        " \"maxProperties\": 4, \"additionalProperties\":"
        " {\"type\": \"boolean\"}}",
        "{\"type\": \"object\", \"properties\": {\"a\": {}, \"b\": {},"
        " \"c\": {}}, \"maxProperties\": 1}",
        "{\"type\": \"object\", \"properties\": {\"a\": {}},"
        " \"required\": [\"a\"], \"dependentRequired\":"
        " {\"a\": [\"b\"], \"b\": [\"c\"]}}",
        "{\"type\": \"object\", \"properties\": {\"a\": {}},"
        " \"dependentSchemas\": {\"a\": {\"required\": [\"z\"],"
        " \"properties\": {\"z\": {\"const\": 5}}}}}",
        "{\"$ref\": \"#/$defs/a~1b\", \"$defs\": {\"a/b\":"
        " {\"type\": \"integer\"}}, \"minimum\": 1000}"
    };

    (void) state;

    pool = vm_pool_create(4096);

    for (i = 0; i < vm_nelts(schemas); i++) {
        s = json_loads(schemas[i], 0, NULL);
        assert_non_null(s);

        for (key = 0; key < KEYS; key++) {
            v = made(schemas[i], key, pool);

            if (!vm_schema_valid(s, s, v)) {
                fail_msg("%s does not fit %s",
                         json_dumps(v, JSON_ENCODE_ANY), schemas[i]);
            }

            json_decref(v);
        }

        json_decref(s);
    }

    vm_pool_destroy(pool);
}


/* The judge of that judges: values that do not fit. */

static void
test_judge(void **state)
{
    size_t   i;
    json_t  *s, *v;

    static const char *const  pairs[][2] = {
        { "{\"type\": \"integer\"}", "1.5" },
        { "{\"type\": [\"null\", \"string\"]}", "1" },
        { "{\"enum\": [1, 2]}", "3" }, { "{\"const\": \"a\"}", "\"b\"" },
        { "{\"minimum\": 3}", "2" }, { "{\"exclusiveMaximum\": 3}", "3" },
        { "{\"multipleOf\": 5}", "7" }, { "{\"minLength\": 2}", "\"\u00e4\"" },
        { "{\"maxLength\": 2}", "\"abc\"" },
        { "{\"minItems\": 1}", "[]" }, { "{\"maxItems\": 1}", "[1, 2]" },
        { "{\"uniqueItems\": true}", "[1, 1]" },
        { "{\"items\": {\"type\": \"null\"}}", "[null, 1]" },
        { "{\"prefixItems\": [{\"type\": \"null\"}]}", "[1]" },
        { "{\"prefixItems\": [{}], \"items\": false}", "[1, 2]" },
        { "{\"items\": [{}], \"additionalItems\": false}", "[1, 2]" },
        { "{\"contains\": {\"const\": 1}}", "[2]" },
        { "{\"contains\": {\"const\": 1}, \"maxContains\": 1}", "[1, 1]" },
        { "{\"required\": [\"a\"]}", "{}" },
        { "{\"properties\": {\"a\": {\"type\": \"null\"}}}", "{\"a\": 1}" },
        { "{\"additionalProperties\": false}", "{\"a\": 1}" },
        { "{\"propertyNames\": {\"maxLength\": 1}}", "{\"ab\": 1}" },
        { "{\"minProperties\": 1}", "{}" },
        { "{\"maxProperties\": 0}", "{\"a\": 1}" },
        { "{\"dependentRequired\": {\"a\": [\"b\"]}}", "{\"a\": 1}" },
        { "{\"dependencies\": {\"a\": {\"required\": [\"b\"]}}}",
          "{\"a\": 1}" },
        { "{\"not\": {\"type\": \"null\"}}", "null" },
        { "{\"allOf\": [{}, {\"type\": \"null\"}]}", "1" },
        { "{\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"null\"}]}", "1" },
        { "{\"oneOf\": [{}, {\"type\": \"null\"}]}", "null" },
        { "{\"if\": {\"type\": \"null\"}, \"then\": false}", "null" },
        { "{\"if\": {\"type\": \"null\"}, \"else\": false}", "1" },
        { "{\"$ref\": \"#/$defs/a\", \"$defs\": {\"a\": {\"const\": 1}}}",
          "2" }
    };

    (void) state;

    for (i = 0; i < vm_nelts(pairs); i++) {
        s = json_loads(pairs[i][0], 0, NULL);
        v = json_loads(pairs[i][1], JSON_DECODE_ANY, NULL);
        assert_non_null(s);
        assert_non_null(v);

        if (vm_schema_valid(s, s, v)) {
            fail_msg("%s fits %s", pairs[i][1], pairs[i][0]);
        }

        json_decref(s);
        json_decref(v);
    }
}


/* Constraints that would take for ever, or for gigabytes, do not. */

static void
test_bounds(void **state)
{
    json_t       *v;
    size_t        i;
    vm_buf_t      b;
    vm_pool_t    *pool;
    vm_error_t    e;

    static const char *const  schemas[] = {
        "{\"type\": \"string\", \"minLength\": -1}",
        "{\"type\": \"string\", \"minLength\": 2000000000}",
        "{\"type\": \"array\", \"minItems\": 2000000000, \"items\":"
        " {\"type\": \"array\", \"minItems\": 2000000000}}",
        "{\"type\": \"array\", \"minItems\": 100000, \"items\":"
        " {\"type\": \"string\", \"pattern\": \"((a{999}){999}){999}\"}}",
        "{\"$ref\": \"#\"}",
        "{\"type\": \"object\", \"properties\": {\"a\": {\"$ref\": \"#\"},"
        " \"b\": {\"$ref\": \"#\"}}, \"required\": [\"a\", \"b\"]}"
    };
    static const char *const  regexes[] = {
        "(a?){4000000000}", "((((a+)+)+)+)+b", "((a{9999}){9999}){9999}"
    };
    static const char *const  grammars[] = {
        "root ::= root root", "root ::= ((((a)+)+)+)+\na ::= \"x\" a?",
        "start: a a a a\na: b b b b\nb: c c c c\nc: (\"x\" | \"y\")*"
    };

    (void) state;

    pool = vm_pool_create(4096);
    vm_buf_init(&b);

    for (i = 0; i < vm_nelts(schemas); i++) {
        v = made(schemas[i], i, pool);
        json_decref(v);
    }

    /* choices of itself, to any depth: hours, if they were all looked at */

    vm_buf_add(&b, "{\"anyOf\": [", 11);

    for (i = 0; i < 100; i++) {
        vm_buf_str(&b, i ? ", {\"$ref\": \"#\"}" : "{\"$ref\": \"#\"}");
    }

    vm_buf_str(&b, "], \"allOf\": [{}, {}]}");
    vm_buf_char(&b, '\0');
    json_decref(made(b.data, 1, pool));

    for (i = 0; i < vm_nelts(regexes); i++) {
        vm_buf_reset(&b);
        assert_int_equal(vm_constraint_regex(regexes[i], strlen(regexes[i]),
                                             i, &b, &e, pool), VM_OK);
        assert_true(b.len < 100000);
    }

    for (i = 0; i < vm_nelts(grammars); i++) {
        vm_buf_reset(&b);
        memset(&e, 0, sizeof(e));
        (void) vm_constraint_grammar(grammars[i], i, &b, &e, pool);
        assert_true(b.len < 1000000);
    }

    vm_buf_free(&b);
    vm_pool_destroy(pool);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_regex),
        cmocka_unit_test(test_broken_regex),
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_fits),
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_bounds)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
