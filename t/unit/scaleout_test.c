/*
 * What is between servers: a request that was rendered is one that generates,
 * its tokens derendered are the text that a server would have said; batches;
 * and what none of them takes.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../../src/api/batch.h"
#include "../../src/api/derender.h"
#include "../../src/api/detok.h"
#include "../../src/api/render.h"
#include "../../src/api/tokensin.h"
#include "fixture.h"


static int
setup_scaled(void **state)
{
    int  rc;

    rc = setup(state);
    ((fixture_t *) *state)->settings.scale_out = 1;

    return rc;
}


static void
begin_empty(fixture_t *f, const char *text)
{
    begin(f, text);
    vm_buf_reset(&f->out);
}


/* What was appended, as JSON. */

static json_t *
answer(fixture_t *f)
{
    json_t        *o;
    json_error_t   e;

    assert_false(f->out.failed);
    o = json_loadb(f->out.data, f->out.len, JSON_ALLOW_NUL, &e);

    if (o == NULL) {
        fail_msg("%s: %.*s", e.text, (int) f->out.len, f->out.data);
    }

    return o;
}


static json_t *
rendered(fixture_t *f, const vm_protocol_t *protocol, const char *text)
{
    begin_empty(f, text);

    if (vm_render(&f->call, protocol, f->body, &f->out) != VM_OK) {
        fail_msg("%s: %s", text, f->call.error.message);
    }

    return answer(f);
}


static json_t *
derendered(fixture_t *f, int chat, json_t *body)
{
    char  *text;

    text = json_dumps(body, 0);
    begin_empty(f, text);

    if ((chat ? vm_derender_chat : vm_derender_text)(&f->call, f->body,
                                                     &f->out)
        != VM_OK)
    {
        fail_msg("%s: %s", text, f->call.error.message);
    }

    free(text);

    return answer(f);
}


/* All tokens of a generation, one at a time. */

static json_t *
generated(fixture_t *f, const vm_protocol_t *protocol, const char *text)
{
    uint32_t      i, k, n;
    const char   *finish;
    vm_choice_t  *c;

    begin_empty(f, text);
    f->g = vm_generation_create(&f->call, protocol);

    if (vm_generation_parse(f->g, f->body) != VM_OK || f->g->late.status) {
        fail_msg("%s: %s", text, f->call.error.status
                                 ? f->call.error.message
                                 : f->g->late.message);
    }

    for (i = 0; i < f->g->nchoices; i++) {
        c = &f->g->choices[i];
        n = c->stop ? c->stop_at + 1 : f->g->max_tokens[c->prompt];
        finish = c->stop ? "stop" : "length";

        for (k = 1; k <= n; k++) {
            vm_generation_tokens(f->g, c, 1, k == n ? finish : NULL,
                                 &f->out);
        }
    }

    return f->g->stream ? NULL : answer(f);
}


/* ---- from server to server ---- */

static void
test_round(void **state)
{
    char           *text;
    json_t         *back, *body, *made, *request;
    const char     *said;
    fixture_t      *f = *state;

    request = rendered(f, &vm_chat,
                       "{\"messages\": [{\"role\": \"user\", \"content\": "
                       "\"Tell me about rivers.\"}], \"max_tokens\": 40, "
                       "\"seed\": 3, \"request_id\": \"r\"}");
    assert_string_equal(json_string_value(json_object_get(request,
                                                          "request_id")),
                        "chatcmpl-r");

    /* as tokens, and as the text that another server makes of them */

    json_object_set_new(request, "output_mode", json_string("text"));
    text = json_dumps(request, 0);
    made = generated(f, &vm_tokensin, text);
    free(text);

    said = json_string_value(json_object_get(json_array_get(
               json_object_get(made, "choices"), 0), "text"));
    text = strdup(said);
    assert_true(strlen(text) > 40);

    json_object_set_new(made, "output_mode", json_string("tokens"));
    body = json_pack("{sO}", "generate_response", made);
    back = derendered(f, 1, body);
    said = json_string_value(json_object_get(json_object_get(json_array_get(
               json_object_get(back, "choices"), 0), "message"), "content"));
    assert_string_equal(said, text);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(back,
                         "usage"), "completion_tokens")), 40);

    free(text);
    json_decref(back);
    json_decref(body);
    json_decref(made);
    json_decref(request);
}


/* Ids of a text, among them those that are parts of characters. */

static json_t *
ids_of(fixture_t *f, const char *text)
{
    size_t     i;
    json_t    *list;
    vm_ids_t   l;

    vm_ids_init(&l);
    vm_tokenizer_encode(f->settings.tokenizer, text, strlen(text), 0, &l);
    list = json_array();

    for (i = 0; i < l.n; i++) {
        json_array_append_new(list, json_integer(l.ids[i]));
    }

    vm_ids_free(&l);

    return list;
}


static void
test_derender_pieces(void **state)
{
    json_t      *back, *body, *chunk, *ids, *part, *st;
    size_t       i, k, size;
    vm_buf_t     said;
    unsigned     chat;
    fixture_t   *f = *state;

    static const char  text[] = "One \xc3\xa9\xe2\x82\xac two "
                                "\xf0\x9f\x98\x80\xf0\x9f\x98\x80, three.";

    ids = ids_of(f, text);

    for (chat = 0; chat < 2; chat++) {
        for (size = 1; size <= 5; size++) {

            vm_buf_init(&said);
            st = json_null();

            for (i = 0; i < json_array_size(ids); i += size) {
                part = json_array();

                for (k = i; k < vm_min(i + size, json_array_size(ids)); k++) {
                    json_array_append(part, json_array_get(ids, k));
                }

                chunk = json_pack("{sss[{siso}]}", "request_id", "x",
                                  "choices", "index", 0, "token_ids", part);
                body = json_pack("{sbsoso}", "stream", 1, "generate_chunk",
                                 chunk, "stream_state", st);
                back = derendered(f, (int) chat, body);

                part = json_array_get(json_object_get(json_object_get(back,
                           "chunk"), "choices"), 0);
                part = chat ? json_object_get(json_object_get(part, "delta"),
                                              "content")
                            : json_object_get(part, "text");

                if (json_is_string(part)) {
                    vm_buf_add(&said, json_string_value(part),
                               json_string_length(part));
                }

                st = json_incref(json_object_get(back, "stream_state"));
                assert_true(json_array_size(json_object_get(st,
                                                "prev_tokens")) < 16);
                json_decref(back);
                json_decref(body);
            }

            json_decref(st);
            assert_int_equal(said.len, strlen(text));
            assert_memory_equal(said.data, text, said.len);
            vm_buf_free(&said);
        }
    }

    json_decref(ids);
}


/* A byte of a character is no text; the last one is all of it. */

static void
test_one_token(void **state)
{
    json_t     *context, *id, *ids;
    size_t      i;
    vm_buf_t    b, all;
    fixture_t  *f = *state;

    static const char  text[] = "a\xf0\x9f\x98\x80";

    ids = ids_of(f, text);
    context = json_array();
    vm_buf_init(&all);
    vm_buf_init(&b);

    json_array_foreach(ids, i, id) {
        vm_buf_reset(&b);
        assert_true(vm_detok_one(f->settings.tokenizer, id, context, &b));
        vm_buf_add(&all, b.data, b.len);
        json_array_append(context, id);
    }

    assert_int_equal(all.len, strlen(text));
    assert_memory_equal(all.data, text, all.len);

    id = json_integer(f->settings.vocab);
    assert_false(vm_detok_one(f->settings.tokenizer, id, context, &b));
    json_decref(id);

    vm_buf_free(&all);
    vm_buf_free(&b);
    json_decref(context);
    json_decref(ids);
}


/* ---- render ---- */

/* Offsets follow each other, and the tokens there say what stands there. */

static void
test_offsets(void **state)
{
    json_t                 *list, *o, *one, *pair;
    size_t                  at, chars, from, i, last, n, to;
    unsigned                k;
    fixture_t              *f = *state;
    vm_str_t                piece;
    const vm_tokenizer_t   *t = f->settings.tokenizer;

    static const char  text[] = "Caf\xc3\xa9 \xe2\x82\xac and a "
                                "\xf0\x9f\x98\x80 more";
    static const char *const  more[] = {
        "", ",\"truncate_prompt_tokens\": 5",
        ",\"truncate_prompt_tokens\": 5,\"truncation_side\": \"right\""
    };

    chars = vm_value_chars(text, strlen(text));

    for (k = 0; k < vm_nelts(more); k++) {
        char  body[256];

        snprintf(body, sizeof(body), "{\"prompt\": \"%s\", \"max_tokens\": 3,"
                 "\"return_token_offsets\": true%s}", text, more[k]);
        o = rendered(f, &vm_completion, body);
        one = json_array_get(o, 0);
        list = json_object_get(one, "token_offsets");
        n = json_array_size(list);
        assert_int_equal(n, json_array_size(json_object_get(one,
                                                            "token_ids")));
        assert_true(k ? n == 5 : n > 5);

        for (last = 0, i = 0; i < n; i++) {
            pair = json_array_get(list, i);
            from = (size_t) json_integer_value(json_array_get(pair, 0));
            to = (size_t) json_integer_value(json_array_get(pair, 1));
            assert_true(from < to && to <= chars);
            assert_true(from == last || (i == 0 && k == 1)
                        || from == last - 1);

            at = vm_value_prefix(text, strlen(text), from);
            piece = vm_tokenizer_bytes(t, (uint32_t) json_integer_value(
                        json_array_get(json_object_get(one, "token_ids"),
                                       i)));

            if (piece.len > 1) {
                assert_memory_equal(text + at, piece.data, piece.len);
            }

            last = to;
        }

        if (k < 2) {
            assert_int_equal(last, chars);
        }

        json_decref(o);
    }
}


static const struct {
    const char  *more;
    const char  *name;              /* of the parameter */
    const char  *value;             /* NULL: it is left out */
}  params[] = {
    { "", "max_tokens", "9" },
    { "", "top_k", NULL },
    { "", "n", NULL },
    { "", "temperature", "1.0" },
    { ",\"max_completion_tokens\": 16", "max_tokens", NULL },
    { ",\"temperature\": 0,\"top_p\": 0.5", "top_p", NULL },
    { ",\"temperature\": 0.001", "temperature", "0.01" },
    { ",\"seed\": -1", "seed", NULL },
    { ",\"seed\": 7", "seed", "7" },
    { ",\"stop\": [\"ab\", \"abcd\"]", "output_text_buffer_length", "3" },
    { ",\"stop\": \"x\"", "output_text_buffer_length", NULL },
    { ",\"stop\": \"x\"", "stop", "[\"x\"]" },
    { ",\"stop\": \"ab\",\"include_stop_str_in_output\": true",
      "output_text_buffer_length", NULL },
    { ",\"stop_token_ids\": [5, \"5\", 6]", "stop_token_ids", "[5,6]" },
    { ",\"logit_bias\": {\"5\": 900}", "logit_bias", "{\"5\":100.0}" },
    { ",\"logprobs\": true,\"top_logprobs\": 2", "logprobs", "2" },
    { ",\"top_logprobs\": 0", "logprobs", NULL },
    { ",\"watermarking\": false", "watermarking", "false" },
    { "", "watermarking", NULL },
    { ",\"vllm_xargs\": {\"a\": 1}", "extra_args", "{\"a\":1}" },
    { "", "extra_args", NULL },
    { ",\"prompt_logprobs\": 1", "skip_reading_prefix_cache", "true" },
    { ",\"stream\": true", "output_kind", "1" }
};


static void
test_params(void **state)
{
    char        *text, body[512];
    size_t       i;
    json_t      *o, *v;
    fixture_t   *f = *state;

    for (i = 0; i < vm_nelts(params); i++) {
        snprintf(body, sizeof(body), "{\"messages\": [{\"role\": \"user\","
                 "\"content\": \"a\"}], \"max_tokens\": 9%s}",
                 params[i].more);
        o = rendered(f, &vm_chat, body);
        v = json_object_get(json_object_get(o, "sampling_params"),
                            params[i].name);
        text = v ? json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT
                                 | JSON_REAL_PRECISION(15)) : NULL;

        if ((text == NULL) != (params[i].value == NULL)
            || (text && strcmp(text, params[i].value) != 0))
        {
            fail_msg("%s: %s is %s", params[i].more, params[i].name,
                     text ? text : "left out");
        }

        free(text);
        json_decref(o);
    }
}


/* ---- batches ---- */

#define BATCH(more)                                                           \
    "{\"messages\": [[{\"role\": \"user\", \"content\": \"a\"}],"             \
    "[{\"role\": \"assistant\", \"content\": \"so: \"}]]" more "}"

static json_t *
choice_of(json_t *o, size_t i)
{
    return json_array_get(json_object_get(o, "choices"), i);
}


static void
test_batch(void **state)
{
    char        *last, *text;
    size_t       i, n;
    json_t      *o, *part;
    fixture_t   *f = *state;

    /* streamed inside: what is seen is the end of the same text */

    o = generated(f, &vm_batch, BATCH(",\"max_tokens\": 7,\"seed\": 1,"
                                      "\"return_token_ids\": true"));
    part = generated(f, &vm_batch, BATCH(",\"max_tokens\": 7,\"seed\": 1,"
                                         "\"return_token_ids\": true,"
                                         "\"stream\": true"));

    for (i = 0; i < 2; i++) {
        text = (char *) (uintptr_t) json_string_value(json_object_get(
                   json_object_get(choice_of(o, i), "message"), "content"));
        last = (char *) (uintptr_t) json_string_value(json_object_get(
                   json_object_get(choice_of(part, i), "message"),
                   "content"));
        n = strlen(text) - strlen(last);
        assert_true(n > 0);
        assert_string_equal(text + n, last);
        assert_int_equal(json_array_size(json_object_get(choice_of(o, i),
                                                         "token_ids")), 7);
        assert_int_equal(json_array_size(json_object_get(choice_of(part, i),
                                                         "token_ids")), 1);
    }

    assert_int_equal(json_integer_value(json_object_get(json_object_get(part,
                         "usage"), "completion_tokens")), 2);
    json_decref(o);
    json_decref(part);

    /* each conversation has a role and an echo of its own */

    o = generated(f, &vm_batch, BATCH(",\"max_tokens\": 2,\"echo\": true,"
                                      "\"add_generation_prompt\": false"));
    part = json_object_get(choice_of(o, 0), "message");
    assert_string_equal(json_string_value(json_object_get(part, "role")),
                        "user");
    part = json_object_get(choice_of(o, 1), "message");
    assert_string_equal(json_string_value(json_object_get(part, "role")),
                        "assistant");
    assert_memory_equal(json_string_value(json_object_get(part, "content")),
                        "so: ", 4);
    json_decref(o);
}


/* ---- what is refused ---- */

typedef enum { BATCHED, TOKENS, LATE, DERENDER_CHAT, DERENDER_TEXT } to_e;

#define IDS "\"token_ids\": [5, 6], \"sampling_params\": "
#define WITH(more) "{" IDS "{\"max_tokens\": 2}" more "}"
#define DONE(more)                                                            \
    "{\"generate_response\": {\"request_id\": \"x\", \"choices\": "           \
    "[{\"index\": 0, \"token_ids\": [70]" more "}]}}"

static const struct {
    to_e         to;
    const char  *body;
    int          status;
    const char  *message;           /* what is in it */
}  refused[] = {
    { BATCHED, BATCH(",\"n\": 2"), 400, "do not support `n > 1`" },
    { BATCHED, BATCH(",\"min_tokens\": \"x\""), 400,
      "1 validation error for ChatCompletionRequest\nmin_tokens\n  Input "
      "should be a valid integer, unable to parse string as an integer "
      "[type=int_parsing, input_value='x', input_type=str]\n    For further "
      "information visit https://errors.pydantic.dev/2.14/v/int_parsing" },
    { BATCHED, BATCH(",\"continue_final_message\": true"), 400,
      "Cannot set both" },
    { BATCHED, "{\"messages\": [[]]}", 400, "body.messages.0" },
    { BATCHED, BATCH(",\"model\": \"x\""), 404, "does not exist" },

    { TOKENS, "{" IDS "{\"temperature\": \"x\"}}", 400,
      "'msg': 'Input should be an instance of SamplingParams'" },
    { TOKENS, "{" IDS "{\"logit_bias\": {\"x\": 1}}}", 400,
      "body.sampling_params.logit_bias.x" },
    { TOKENS, "{" IDS "{\"temperature\": 3}, \"stream\": \"maybe\"}", 400,
      "temperature must be in [0, 2], got 3.0." },
    { TOKENS, "{" IDS "{\"min_tokens\": 17}}", 400,
      "min_tokens must be less than or equal to max_tokens=16, got 17." },
    { TOKENS, "{" IDS "{\"n\": 65}}", 400, "max_num_seqs (64), got 65." },
    { TOKENS, "{" IDS "{\"stop\": [\"a\"], \"detokenize\": false}}", 400,
      "stop strings are only supported" },
    { TOKENS, "{" IDS "{\"detokenize\": false}, \"output_mode\": \"text\"}",
      400, "output_mode='text' requires" },
    { TOKENS, WITH(",\"reasoning_parser_kwargs\": {\"a\": 1}"), 400,
      "'extra_forbidden', 'loc': 'body.reasoning_parser_kwargs.a'" },
    { TOKENS, WITH(",\"token_offsets\": [[1], 2]"), 400,
      "Tuple should have at least 2 items after validation, not 1" },
    { TOKENS, WITH(",\"features\": {\"mm_hashes\": {\"image\": [\"a\"]},"
                   "\"mm_placeholders\": {}}"), 400,
      "must use the same modalities" },
    { TOKENS, WITH(",\"features\": {\"mm_hashes\": {\"image\": [\"a\"]},"
                   "\"mm_placeholders\": {\"image\": [{\"offset\": 0,"
                   "\"length\": 0}]}}"), 400,
      "Input should be greater than 0" },
    { TOKENS, WITH(",\"content_parts\": [{\"type\": \"image_url\"}]"), 400,
      "m is not a multimodal model" },
    { TOKENS, "{" IDS "{\"seed\": 99999999999999999999}}", 400,
      "can't serialize ints" },
    { LATE, "{" IDS "{\"stop_token_ids\": [99999]}}", 400,
      "out-of-vocab" },
    { LATE, "{" IDS "{\"logprobs\": 1, \"logprob_token_ids\": [1, 2]}}", 400,
      "logprobs must equal len(logprob_token_ids)" },
    { LATE, "{" IDS "{\"trace_decode_token_ids\": [1]}}", 400,
      "trace replay is not enabled" },

    { DERENDER_CHAT, "{}", 400,
      "body.DerenderChatRequest.generate_response" },
    { DERENDER_CHAT, "{\"stream\": true}", 400, "Input should be False" },
    { DERENDER_CHAT, "{\"generate_response\": {\"choices\": [{\"index\": 2,"
                     "\"token_ids\": []}]}}", 400,
      "choice 2 has empty or null token_ids" },
    { DERENDER_CHAT, DONE(",\"logprobs\": {\"content\": [{}]}"), 400,
      "content.0.token_id" },
    { DERENDER_CHAT, "{\"generate_response\": {\"choices\": []},"
                     "\"chat_request\": {\"messages\": [],"
                     "\"stream_options\": {\"include_usage\": true}}}", 400,
      "Stream options can only be defined" },
    { DERENDER_CHAT, "{\"model\": \"x\", \"generate_response\": "
                     "{\"choices\": []}}", 404, "does not exist" },
    { DERENDER_CHAT, "{\"stream\": true, \"generate_chunk\": {\"choices\":"
                     "[]}, \"stream_state\": {\"output_token_ids\": [1]}}",
      400, "(got sum=0, len(output_token_ids)=1)" },
    { DERENDER_CHAT, "{\"stream\": true, \"generate_chunk\": {\"choices\":"
                     "[{\"index\": 0}, {\"index\": 1}]}}", 400,
      "at most one choice per chunk (got 2)" },
    { DERENDER_TEXT, "{\"generate_responses\": []}", 400,
      "must not be empty" },
    { DERENDER_TEXT, "{\"generate_responses\": [{\"choices\": []}],"
                     "\"prompt_tokens\": [1, 2]}", 400,
      "'loc': 'body', 'msg': 'Value error, prompt_tokens length (2)" }
};


static void
test_refused(void **state)
{
    int                rc;
    size_t             i;
    fixture_t         *f = *state;
    const vm_error_t  *e;

    for (i = 0; i < vm_nelts(refused); i++) {
        begin_empty(f, refused[i].body);
        e = &f->call.error;

        switch (refused[i].to) {

        case DERENDER_CHAT:
            rc = vm_derender_chat(&f->call, f->body, &f->out);
            break;

        case DERENDER_TEXT:
            rc = vm_derender_text(&f->call, f->body, &f->out);
            break;

        default:
            f->g = vm_generation_create(&f->call, refused[i].to == BATCHED
                                                  ? &vm_batch : &vm_tokensin);
            rc = vm_generation_parse(f->g, f->body);

            if (refused[i].to == LATE) {
                assert_int_equal(rc, VM_OK);
                e = &f->g->late;
                rc = VM_ERROR;
            }

            break;
        }

        if (rc == VM_OK || e->status != refused[i].status
            || strstr(e->message, refused[i].message) == NULL)
        {
            fail_msg("%s: %d %s", refused[i].body, e->status,
                     e->message ? e->message : "");
        }
    }
}


/* ---- with parsers ---- */

static void
test_parsers(void **state)
{
    size_t       i;
    json_t      *back, *body, *calls, *ids, *m, *part, *st;
    vm_buf_t     content, thought;
    fixture_t   *f = *state;

    static const char  text[] = "so</think>Well. <tool_call>\n{\"name\": "
                                "\"f\", \"arguments\": {\"a\": [1]}}\n"
                                "</tool_call>";
    static const char  chat[] = "{\"messages\": [{\"role\": \"user\","
                                "\"content\": \"x\"}], \"tools\": [{\"type\":"
                                "\"function\", \"function\": {\"name\": "
                                "\"f\"}}], \"tool_choice\": \"auto\"}";

    f->settings.reasoning_parser = "qwen3";
    f->settings.tool_call_parser = "hermes";
    ids = ids_of(f, text);

    body = json_pack("{s{s[{sisO}]}so}", "generate_response", "choices",
                     "index", 0, "token_ids", ids, "chat_request",
                     json_loads(chat, 0, NULL));
    back = derendered(f, 1, body);
    m = json_object_get(choice_of(back, 0), "message");
    assert_string_equal(json_string_value(json_object_get(m, "reasoning")),
                        "so");
    assert_string_equal(json_string_value(json_object_get(m, "content")),
                        "Well. ");
    calls = json_object_get(m, "tool_calls");
    assert_int_equal(json_array_size(calls), 1);
    assert_string_equal(json_string_value(json_object_get(json_object_get(
                            json_array_get(calls, 0), "function"),
                            "arguments")), "{\"a\": [1]}");
    json_decref(back);
    json_decref(body);

    /* token by token no mark is seen, nor half of one */

    vm_buf_init(&content);
    vm_buf_init(&thought);
    st = json_null();
    calls = NULL;

    for (i = 0; i < json_array_size(ids); i++) {
        body = json_pack("{sbs{s[{sis[O]}]}sos[i]so}", "stream", 1,
                         "generate_chunk", "choices", "index", 0, "token_ids",
                         json_array_get(ids, i), "chat_request",
                         json_loads(chat, 0, NULL), "prompt_token_ids", 5,
                         "stream_state", st);
        back = derendered(f, 1, body);
        m = json_object_get(choice_of(json_object_get(back, "chunk"), 0),
                            "delta");

        part = json_object_get(m, "content");
        vm_buf_add(&content, json_is_string(part) ? json_string_value(part)
                                                  : "",
                   json_string_length(part));
        part = json_object_get(m, "reasoning");
        vm_buf_add(&thought, json_is_string(part) ? json_string_value(part)
                                                  : "",
                   json_string_length(part));

        if (json_object_get(m, "tool_calls")) {
            assert_null(calls);
            calls = json_incref(json_object_get(m, "tool_calls"));
        }

        st = json_incref(json_object_get(back, "stream_state"));
        json_decref(back);
        json_decref(body);
    }

    assert_int_equal(content.len, 6);
    assert_memory_equal(content.data, "Well. ", 6);
    assert_int_equal(thought.len, 2);
    assert_memory_equal(thought.data, "so", 2);
    assert_non_null(calls);
    assert_true(json_is_true(json_object_get(st, "tools_streamed")));

    vm_buf_free(&content);
    vm_buf_free(&thought);
    json_decref(calls);
    json_decref(st);
    json_decref(ids);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_round, setup_scaled, teardown),
        cmocka_unit_test_setup_teardown(test_derender_pieces, setup_scaled,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_one_token, setup_scaled, teardown),
        cmocka_unit_test_setup_teardown(test_offsets, setup_scaled, teardown),
        cmocka_unit_test_setup_teardown(test_params, setup_scaled, teardown),
        cmocka_unit_test_setup_teardown(test_batch, setup_scaled, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup_scaled, teardown),
        cmocka_unit_test_setup_teardown(test_parsers, setup_scaled, teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
