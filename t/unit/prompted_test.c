/*
 * Schemas that prompts show: as libraries write them, and what is none.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../../src/api/prompted.h"
#include "fixture.h"


#define TOWN                                                                  \
    "{\"properties\": {\"town\": {\"type\": \"string\"}}, "                   \
    "\"required\": [\"town\"]"


static char *
shown(const char *text)
{
    char    *out;
    json_t  *said, *schema;
    size_t   work;

    work = VM_PROMPTED_WORK;
    said = json_string(text);
    schema = vm_prompted_schema(said, &work);
    out = schema ? json_dumps(schema, JSON_SORT_KEYS|JSON_COMPACT) : NULL;
    json_decref(schema);
    json_decref(said);

    return out;
}


static void
test_texts(void **state)
{
    char    *s;
    size_t   i;

    static const struct {
        const char  *text;
        const char  *schema;        /* NULL: none */
    }  cases[] = {

        /* as Instructor writes it, indented and among words */

        { "match the following json_schema:\n\n  {\n \"type\": \"object\",\n"
          " \"properties\": {\n  \"a\": {\"type\": \"integer\"}}\n}\n\nMake "
          "sure to return an instance of the JSON",
          "{\"properties\":{\"a\":{\"type\":\"integer\"}},"
          "\"type\":\"object\"}" },

        /* as LangChain does: an example first, no type */

        { "for the schema {\"properties\": {\"foo\": {\"type\": \"array\", "
          "\"items\": {\"type\": \"string\"}}}} the object {\"foo\": "
          "[\"bar\"]} is fine, {\"properties\": {\"foo\": [\"bar\"]}} is "
          "not.\n```\n" TOWN "}\n```",
          "{\"properties\":{\"town\":{\"type\":\"string\"}},"
          "\"required\":[\"town\"],\"type\":\"object\"}" },

        /* as DSPy does: places with notes, definitions in a note */

        { "Outputs will be a JSON object:\n{\n  \"a\": \"{a}\",\n  \"b\": "
          "\"{b}   # note: the value you produce must be a single int "
          "value\",\n  \"c\": \"{c} # note: the value you produce must exactly "
          "match (no extra characters) one of: x; y z\", \"d\": \"{d} # note: "
          "the value you produce must adhere to the JSON schema: "
          "{\\\"$ref\\\": \\\"#/$defs/n\\\", \\\"$defs\\\": {\\\"n\\\": "
          "{\\\"type\\\": \\\"null\\\"}}}\"}\nAnswer.",
          "{\"$defs\":{\"n\":{\"type\":\"null\"}},"
          "\"additionalProperties\":false,\"properties\":{\"a\":{\"type\":"
          "\"string\"},\"b\":{\"type\":\"integer\"},\"c\":{\"enum\":[\"x\","
          "\"y z\"]},\"d\":{\"$ref\":\"#/$defs/n\"}},\"required\":[\"a\","
          "\"b\",\"c\",\"d\"],\"type\":\"object\"}" },

        { "{\"$ref\": \"#/$defs/a\", \"$defs\": {\"a\": {}}}",
          "{\"$defs\":{\"a\":{}},\"$ref\":\"#/$defs/a\"}" },
        { "{\"type\": \"array\", \"items\": {\"type\": \"null\"}}",
          "{\"items\":{\"type\":\"null\"},\"type\":\"array\"}" },

        /* braces, data and what is broken */

        { "", NULL }, { "no braces", NULL }, { "{question} { } {{}}", NULL },
        { "{\"name\": \"Ann\", \"age\": 3}", NULL },
        { "{\"properties\": {\"a\": 1}}", NULL },
        { "{\"type\": \"object\", \"id\": 7}", NULL },
        { "{\"anyOf\": []}", NULL },
        { "{\"a\": \"{b}\"}", NULL },
        { TOWN, NULL },
        { "{\"type\": \"\xff\"}", NULL }
    };

    (void) state;

    for (i = 0; i < vm_nelts(cases); i++) {
        s = shown(cases[i].text);

        if (cases[i].schema == NULL) {

            if (s) {
                fail_msg("%s: a schema: %s", cases[i].text, s);
            }

        } else {
            assert_non_null(s);
            assert_string_equal(s, cases[i].schema);
        }

        free(s);
    }
}


/* The last message counts, whoever asks; what the model said does not. */

static void
test_messages(void **state)
{
    json_t  *messages, *schema;
    size_t   work;

    (void) state;

    work = VM_PROMPTED_WORK;
    messages = json_pack("[{ssss}{ssss}{sss[{ssss}{ssss}]}{ssss}]",
                         "role", "system", "content", TOWN "}",
                         "role", "user", "content", "Where?",
                         "role", "user", "content",
                         "type", "text", "text", "{\"type\": ",
                         "type", "text", "text", "\"object\"}",
                         "role", "assistant", "content",
                         "{\"properties\": {\"no\": {}}}");

    schema = vm_prompted_schema(messages, &work);
    assert_string_equal(json_string_value(json_object_get(schema, "type")),
                        "object");
    assert_null(json_object_get(schema, "properties"));
    json_decref(schema);

    json_array_remove(messages, 2);
    schema = vm_prompted_schema(messages, &work);
    assert_non_null(json_object_get(json_object_get(schema, "properties"),
                                    "town"));
    json_decref(schema);

    json_array_remove(messages, 0);
    assert_null(vm_prompted_schema(messages, &work));
    json_decref(messages);

    assert_null(vm_prompted_schema(NULL, &work));
}


/* However many braces there are, no more is read than was allowed. */

static void
test_work(void **state)
{
    char    *text;
    json_t  *said;
    size_t   i, work;

    (void) state;

    text = malloc(5 * 200000 + 1);

    for (i = 0; i < 200000; i++) {
        memcpy(text + 5 * i, "{\"a\":", 5);
    }

    said = json_stringn(text, 5 * 200000);
    work = 100000;
    assert_null(vm_prompted_schema(said, &work));
    assert_int_equal(work, 0);

    json_decref(said);
    free(text);
}


/* ---- what is said then ---- */

#define ASK                                                                   \
    "\"messages\": [{\"role\": \"user\", \"content\": \"Fit this: "           \
    "{\\\"properties\\\": {\\\"n\\\": {\\\"type\\\": \\\"integer\\\"}}, "     \
    "\\\"required\\\": [\\\"n\\\"]}\"}]"


/* The answer's JSON; NULL: it is none. */

static json_t *
answer(fixture_t *f, const char *body)
{
    json_t       *v;
    vm_buf_t      b;
    uint32_t      i;
    vm_str_t      piece;
    vm_choice_t  *c;

    begin(f, body);
    f->g = vm_generation_create(&f->call, &vm_chat);
    assert_non_null(f->g);
    if (vm_generation_parse(f->g, f->body) != VM_OK) {
        fail_msg("%s: %s", body, f->call.error.message);
    }

    c = &f->g->choices[0];
    vm_buf_init(&b);

    for (i = 0; i < vm_min(c->stop_at, f->g->max_tokens[0]); i++) {
        piece = vm_generation_bytes(f->g, c, i,
                                    vm_generation_token(f->g, c, i));
        vm_buf_add(&b, piece.data, piece.len);
    }

    v = json_loadb(b.data ? b.data : "", b.len, JSON_DECODE_ANY, NULL);
    vm_buf_free(&b);

    return v;
}


static void
test_asked(void **state)
{
    json_t     *v;
    fixture_t  *f;

    f = *state;

    v = answer(f, "{\"response_format\": {\"type\": \"json_object\"}, "
                  ASK "}");
    assert_true(json_is_integer(json_object_get(v, "n")));
    json_decref(v);

    assert_null(answer(f, "{\"max_tokens\": 50, " ASK "}"));

    f->output.schema_prompt = 1;
    v = answer(f, "{" ASK "}");
    assert_true(json_is_integer(json_object_get(v, "n")));
    json_decref(v);
}


/* Some object: never empty without need, not always the same, not cut. */

static void
test_object(void **state)
{
    char        body[200];
    json_t     *first, *v;
    unsigned    others, seed, tokens;
    fixture_t  *f;

    f = *state;
    first = NULL;
    others = 0;

    for (seed = 0; seed < 50; seed++) {

        for (tokens = 20; tokens <= 200; tokens += 60) {
            snprintf(body, sizeof(body), "{\"seed\": %u, \"max_tokens\": %u, "
                     "\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]"
                     ", \"response_format\": {\"type\": \"json_object\"}}",
                     seed, tokens);

            v = answer(f, body);
            assert_true(json_is_object(v));
            assert_true(tokens < 80 || json_object_size(v) > 0);

            if (first == NULL) {
                first = json_incref(v);
            }

            others += !json_equal(first, v);
            json_decref(v);
        }
    }

    assert_true(others > 50);
    json_decref(first);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_work),
        cmocka_unit_test_setup_teardown(test_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_object, setup, teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
