/*
 * Chat and completions from a body to an answer, without a server: what a
 * stream says is what the whole answer says, however tokens come in; counts
 * agree with the text; what ends an answer ends it there.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../../src/base/rand.h"
#include "fixture.h"


static int
parse(fixture_t *f, const vm_protocol_t *protocol, const char *text)
{
    begin(f, text);

    f->g = vm_generation_create(&f->call, protocol);
    assert_non_null(f->g);

    return vm_generation_parse(f->g, f->body);
}


/* How many tokens a choice makes, and the reason of its end. */

static uint32_t
length(const vm_generation_t *g, const vm_choice_t *c, const char **finish)
{
    if (c->stop != VM_STOP_NONE) {
        *finish = "stop";
        return c->stop_at + 1;
    }

    *finish = "length";

    return g->max_tokens[c->prompt];
}


/* All tokens of all choices, some at a time, choices in turn. */

static const char *
run(fixture_t *f, const vm_protocol_t *protocol, const char *text,
    uint32_t most)
{
    uint32_t          i, left, n, now, rounds;
    const char       *finish;
    vm_choice_t      *c;
    vm_generation_t  *g;

    assert_int_equal(parse(f, protocol, text), VM_OK);
    g = f->g;
    vm_buf_reset(&f->out);

    for (rounds = 0; g->live; rounds++) {
        assert_true(rounds < 100000);

        for (i = 0; i < g->nchoices; i++) {
            c = &g->choices[i];

            if (c->finish) {
                continue;
            }

            n = length(g, c, &finish);
            left = n - c->made;
            now = most == 0
                  ? 1 + (uint32_t) (vm_rand_at(i, rounds) % 7) : most;
            now = vm_min(now, left);
            vm_generation_tokens(g, c, now, now == left ? finish : NULL,
                                 &f->out);
        }
    }

    vm_buf_char(&f->out, '\0');
    assert_false(f->out.failed);

    return f->out.data;
}


/* The text of choice 0 of a stream, all of its chunks; how many there are. */

static char *
streamed(const char *sse, int chat, size_t *chunks)
{
    json_t      *choice, *event, *delta;
    vm_buf_t     text;
    const char  *end, *p, *s;

    vm_buf_init(&text);
    *chunks = 0;

    for (p = sse; *p; p = end + 2) {
        end = strstr(p, "\n\n");
        assert_non_null(end);
        assert_memory_equal(p, "data: ", 6);

        if (strncmp(p + 6, "[DONE]", 6) == 0) {
            assert_int_equal(end[2], '\0');
            break;
        }

        event = json_loadb(p + 6, (size_t) (end - p) - 6, JSON_ALLOW_NUL,
                           NULL);
        assert_non_null(event);
        choice = json_array_get(json_object_get(event, "choices"), 0);

        if (choice && json_integer_value(json_object_get(choice, "index"))
                      == 0)
        {
            delta = chat ? json_object_get(choice, "delta") : choice;
            s = json_string_value(json_object_get(delta, chat ? "content"
                                                              : "text"));
            vm_buf_str(&text, s ? s : "");
            (*chunks)++;
        }

        json_decref(event);
    }

    vm_buf_char(&text, '\0');

    return text.data;
}


static char *
whole(const char *answer, int chat, json_t **usage)
{
    char    *text;
    json_t  *choice, *o;

    o = json_loads(answer, JSON_ALLOW_NUL, NULL);
    assert_non_null(o);
    choice = json_array_get(json_object_get(o, "choices"), 0);
    choice = chat ? json_object_get(choice, "message") : choice;
    text = strdup(json_string_value(json_object_get(choice, chat ? "content"
                                                                 : "text")));
    *usage = json_incref(json_object_get(o, "usage"));
    json_decref(o);

    return text;
}


static uint64_t
number(const json_t *o, const char *key)
{
    return (uint64_t) json_integer_value(json_object_get(o, key));
}


#define CHAT(more)                                                            \
    "{\"model\": \"m\", \"messages\": [{\"role\": \"user\", "                 \
    "\"content\": \"Tell me about rivers \xc3\xa9\xe2\x82\xac.\"}]" more "}"
#define TEXT(more)                                                            \
    "{\"model\": \"m\", \"prompt\": \"one two three four\"" more "}"


static const struct {
    const vm_protocol_t  *protocol;
    const char           *whole;
    const char           *stream;
    uint32_t              tokens;
}  pairs[] = {
    { &vm_chat, CHAT(",\"max_tokens\": 40"),
      CHAT(",\"max_tokens\": 40,\"stream\": true"), 40 },
    { &vm_chat, CHAT(",\"max_tokens\": 1"),
      CHAT(",\"max_tokens\": 1,\"stream\": true"), 1 },
    { &vm_completion, TEXT(",\"max_tokens\": 60"),
      TEXT(",\"max_tokens\": 60,\"stream\": true"), 60 },
    { &vm_completion, TEXT(",\"max_tokens\": 30,\"echo\": true"),
      TEXT(",\"max_tokens\": 30,\"echo\": true,\"stream\": true"), 30 }
};


/* Every way of the tokens makes the same text. */

static void
test_stream_is_the_whole(void **state)
{
    int          chat, text;
    char        *a, *b;
    size_t       chunks, i;
    json_t      *usage;
    uint32_t     most;
    fixture_t   *f = *state;

    for (text = VM_TEXT_WORDS; text <= VM_TEXT_ECHO; text++) {
        f->output.text = (vm_text_e) text;

        for (i = 0; i < vm_nelts(pairs); i++) {
            chat = pairs[i].protocol == &vm_chat;
            a = whole(run(f, pairs[i].protocol, pairs[i].whole, 1000), chat,
                      &usage);
            assert_int_equal(number(usage, "completion_tokens"),
                             pairs[i].tokens);
            assert_int_equal(number(usage, "total_tokens"),
                             number(usage, "prompt_tokens")
                             + pairs[i].tokens);

            for (most = 0; most < 4; most++) {
                b = streamed(run(f, pairs[i].protocol, pairs[i].stream, most),
                             chat, &chunks);
                assert_string_equal(a, b);
                assert_true(chunks >= pairs[i].tokens);
                free(b);
            }

            free(a);
            json_decref(usage);
        }
    }
}


/* What is said has as many tokens as usage tells. */

static void
test_counts_are_honest(void **state)
{
    char       *text;
    json_t     *usage;
    vm_ids_t    ids;
    uint32_t    n;
    char        body[200];
    fixture_t  *f = *state;

    for (n = 1; n < 120; n += 7) {
        snprintf(body, sizeof(body), "{\"model\": \"m\", \"prompt\": \"a\","
                 "\"max_tokens\": %u, \"seed\": %u, \"ignore_eos\": true}",
                 n, n);
        text = whole(run(f, &vm_completion, body, 0), 0, &usage);
        vm_ids_init(&ids);
        assert_int_equal(vm_tokenizer_encode(f->settings.tokenizer, text,
                                             strlen(text), 0, &ids), VM_OK);
        assert_int_equal(ids.n, n);
        assert_int_equal(number(usage, "completion_tokens"), n);
        vm_ids_free(&ids);
        json_decref(usage);
        free(text);
    }
}


static void
test_seed(void **state)
{
    char       *a, *b, *c;
    json_t     *usage;
    fixture_t  *f = *state;

    a = whole(run(f, &vm_completion, TEXT(",\"seed\": 1"), 1), 0, &usage);
    json_decref(usage);
    b = whole(run(f, &vm_completion, TEXT(",\"seed\": 1"), 1), 0, &usage);
    json_decref(usage);
    c = whole(run(f, &vm_completion, TEXT(",\"seed\": 2"), 1), 0, &usage);
    json_decref(usage);

    assert_string_equal(a, b);
    assert_string_not_equal(a, c);

    free(a);
    free(b);
    free(c);
}


static void
test_lengths(void **state)
{
    uint32_t    i, n;
    const char *finish;
    fixture_t  *f = *state;

    f->output.length = VM_LENGTH_FIXED;
    f->output.a = 12;
    assert_int_equal(parse(f, &vm_chat, CHAT("")), VM_OK);
    assert_int_equal(length(f->g, f->g->choices, &finish), 12);
    assert_string_equal(finish, "stop");

    /* what is asked for wins; the model's end is never passed */

    assert_int_equal(parse(f, &vm_chat, CHAT(",\"max_tokens\": 9")), VM_OK);
    assert_int_equal(length(f->g, f->g->choices, &finish), 9);
    assert_string_equal(finish, "length");

    f->output.a = 5000;
    assert_int_equal(parse(f, &vm_chat, CHAT("")), VM_OK);
    n = f->g->prompts[0].n;
    assert_int_equal(length(f->g, f->g->choices, &finish), 512 - n);
    assert_string_equal(finish, "length");

    f->output.length = VM_LENGTH_UNIFORM;
    f->output.a = 10;
    f->output.b = 20;

    for (i = 0; i < 50; i++) {
        assert_int_equal(parse(f, &vm_chat, CHAT("")), VM_OK);
        assert_in_range(length(f->g, f->g->choices, &finish), 10, 20);
    }
}


static void
test_stop_strings(void **state)
{
    char        body[300], *text, *cut;
    json_t     *usage;
    size_t      chunks;
    uint32_t    most;
    fixture_t  *f = *state;

    f->output.text = VM_TEXT_ECHO;
    f->output.length = VM_LENGTH_FIXED;
    f->output.a = 60;

    /* across tokens, and what only looks like the beginning of one */

    snprintf(body, sizeof(body), "{\"model\": \"m\", \"prompt\": "
             "\"alpha beta betagamma delta\", \"max_tokens\": 60, "
             "\"stop\": [\"zzz\", \"tagam\"]}");
    text = whole(run(f, &vm_completion, body, 1000), 0, &usage);
    assert_string_equal(text, "alpha beta be");
    assert_string_equal(f->g->choices[0].finish, "stop");
    json_decref(usage);

    body[strlen(body) - 1] = '\0';
    strcat(body, ",\"stream\": true}");

    for (most = 0; most < 3; most++) {
        cut = streamed(run(f, &vm_completion, body, most), 0, &chunks);
        assert_string_equal(cut, text);
        free(cut);
    }

    body[strlen(body) - 1] = '\0';
    strcat(body, ",\"include_stop_str_in_output\": true}");
    cut = streamed(run(f, &vm_completion, body, 1), 0, &chunks);
    assert_string_equal(cut, "alpha beta betagam");
    free(cut);
    free(text);
}


static void
test_choices(void **state)
{
    json_t     *choices, *o;
    size_t      i;
    fixture_t  *f = *state;

    o = json_loads(run(f, &vm_completion,
                       "{\"model\": \"m\", \"prompt\": [\"a\", \"b\"],"
                       "\"n\": 3, \"max_tokens\": 5}", 0), 0, NULL);
    choices = json_object_get(o, "choices");
    assert_int_equal(json_array_size(choices), 6);

    for (i = 0; i < 6; i++) {
        assert_int_equal(number(json_array_get(choices, i), "index"), i);
    }

    assert_int_equal(number(json_object_get(o, "usage"),
                            "completion_tokens"), 30);
    json_decref(o);
}


static void
test_refused(void **state)
{
    size_t      i;
    fixture_t  *f = *state;

    static const struct {
        const vm_protocol_t  *protocol;
        const char           *body;
        int                   status;
        const char           *param;
    }  cases[] = {
        { &vm_chat, "{}", 400, "body.messages" },
        { &vm_chat, "{\"model\": \"x\", \"messages\": [{\"role\": \"user\","
                    "\"content\": \"a\"}]}", 404, "model" },
        { &vm_chat, CHAT(",\"max_tokens\": 5000"), 400, "max_tokens" },
        { &vm_chat, CHAT(",\"temperature\": -1"), 400, "temperature" },
        { &vm_chat, CHAT(",\"top_p\": 0"), 400, "top_p" },
        { &vm_chat, CHAT(",\"n\": 0"), 400, NULL },
        { &vm_completion, "{\"model\": \"m\"}", 400, NULL },
        { &vm_completion, TEXT(",\"max_tokens\": \"x\""), 400,
          "body.max_tokens" },
        { &vm_completion, TEXT(",\"stream_options\": {\"include_usage\": true}"), 400,
          NULL }
    };

    for (i = 0; i < vm_nelts(cases); i++) {

        if (parse(f, cases[i].protocol, cases[i].body) == VM_OK
            || f->call.error.status != cases[i].status
            || f->call.error.message == NULL)
        {
            fail_msg("%s: %d %s", cases[i].body, f->call.error.status,
                     f->call.error.message ? f->call.error.message : "");
        }

        if (cases[i].param) {
            assert_string_equal(f->call.error.param, cases[i].param);
        }
    }
}


/* A stream that ends in an error says so and ends. */

static void
test_failed_stream(void **state)
{
    vm_error_t  e;
    fixture_t  *f = *state;

    assert_int_equal(parse(f, &vm_chat,
                           CHAT(",\"max_tokens\": 9,\"stream\": true")),
                     VM_OK);
    vm_buf_reset(&f->out);
    vm_generation_tokens(f->g, f->g->choices, 3, NULL, &f->out);
    memset(&e, 0, sizeof(e));
    vm_error_memory(&e);
    vm_generation_fail(f->g, &e, &f->out);
    vm_buf_char(&f->out, '\0');
    assert_non_null(strstr(f->out.data, "\"Internal server error\""));
    assert_string_equal(f->out.data + strlen(f->out.data) - 14,
                        "data: [DONE]\n\n");
}


/* Where one token is allowed none is left to end a thought. */

static void
test_thought_of_one_token(void **state)
{
    fixture_t    *f = *state;
    const char   *text;

    f->settings.reasoning_parser = "qwen3";
    f->output.length = VM_LENGTH_FIXED;
    f->output.a = 9;

    text = run(f, &vm_chat, CHAT(",\"max_tokens\": 9,"
                                 "\"allowed_token_ids\": [410]"), 1);
    assert_non_null(strstr(text, "\"content\":null"));
    assert_int_equal(f->g->choices[0].think_end, VM_NEVER);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_stream_is_the_whole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_counts_are_honest, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_seed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lengths, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop_strings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_choices, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failed_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(test_thought_of_one_token, setup,
                                        teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
