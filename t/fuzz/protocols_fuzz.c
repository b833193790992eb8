/*
 * Bodies of any bytes through every protocol: parsed, planned, run to the end
 * in pieces of any size, rendered, freed.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I. \
 *       t/fuzz/protocols_fuzz.c src/api/[a-z]*.c src/text/[a-z]*.c \
 *       src/engine/[a-z]*.c src/metrics/[a-z]*.c src/base/[a-z]*.c \
 *       -ljansson -lutf8proc -lz -lm -o protocols_fuzz
 *   python3 t/fuzz/corpus.py DIR
 *   ./protocols_fuzz -max_len=4096 -max_total_time=300 DIR
 *
 * The first byte is the protocol, the second the server's settings, the third
 * how tokens come; the body follows.
 */

#include <stdlib.h>
#include "../../src/api/anthropic.h"
#include "../../src/api/batch.h"
#include "../../src/api/derender.h"
#include "../../src/api/image.h"
#include "../../src/api/labels.h"
#include "../../src/api/pooling.h"
#include "../../src/api/render.h"
#include "../../src/api/responses.h"
#include "../../src/api/speech.h"
#include "../../src/api/tokens.h"
#include "../../src/api/tokensin.h"
#include "../../src/api/video.h"


#define MOST  64                    /* tokens of a choice */

static const vm_protocol_t *const  protocols[] = {
    &vm_chat, &vm_completion, &vm_responses, &vm_anthropic, &vm_embeddings,
    &vm_pooling, &vm_classify, &vm_score, &vm_rerank, &vm_cohere,
    &vm_batch, &vm_tokensin, &vm_labels, &vm_speech, &vm_image, &vm_video
};

#define render(name, protocol)                                                \
                                                                              \
static int                                                                    \
render_##name(vm_call_t *call, const json_t *body, vm_buf_t *out)             \
{                                                                             \
    return vm_render(call, &protocol, body, out);                             \
}

render(chat, vm_chat)
render(completion, vm_completion)
render(messages, vm_anthropic)
render(responses, vm_responses)

static int (*const  answers[])(vm_call_t *call, const json_t *body,
    vm_buf_t *out) = {
    vm_tokens_encode, vm_tokens_decode, vm_anthropic_count, render_chat,
    render_completion, render_messages, render_responses, vm_derender_chat,
    vm_derender_text
};


static int
adapter(void *data, const char *name, size_t len, vm_adapter_t *out)
{
    (void) data;

    if (len != 1 || *name != 'l') {
        return 0;
    }

    out->number = 1;
    out->name.data = "l";
    out->name.len = 1;

    return 1;
}


static int
recall(void *data, const char *id, size_t len, vm_buf_t *messages,
    vm_buf_t *object)
{
    (void) data;
    (void) id;
    vm_buf_lit(messages, "[{\"role\":\"user\",\"content\":\"a\"}]");
    vm_buf_lit(object, "{\"output\":[]}");

    return len == 1;
}


static void
settings(vm_settings_t *s, vm_output_t *o, unsigned how)
{
    static const char      *names[] = { "m" };
    static vm_tokenizer_t  *t;

    if (t == NULL) {
        t = vm_tokenizer_builtin();
    }

    vm_settings_defaults(s);
    s->names.list = names;
    s->names.n = 1;
    s->root = "m";
    s->max_model_len = 512;
    s->tokenizer = t;
    s->vocab = vm_tokenizer_vocab(t);
    s->tool_call_parser = how & 1 ? "hermes" : NULL;
    s->auto_tool_choice = how & 1;
    s->reasoning_parser = how & 2 ? "qwen3" : NULL;
    s->all_endpoints = (how & 4) != 0;
    s->responses_store = (how & 8) != 0;
    s->scale_out = 1;
    s->runner = how & 16 ? VM_RUNNER_EMBED
                         : how & 32 ? VM_RUNNER_CLASSIFY
                                    : VM_RUNNER_GENERATE;

    memset(o, 0, sizeof(vm_output_t));
    o->pod = "pod";
    o->calls = how & 64 ? 1 : 0;
    o->length = how & 128 ? VM_LENGTH_UNIFORM : VM_LENGTH_MAX;
    o->a = 1;
    o->b = 30;
}


/* Tokens in pieces, the choices by turns, until all are over. */

static void
run(vm_generation_t *g, unsigned step, vm_buf_t *out)
{
    uint32_t     count, i, last;
    const char  *finish;
    vm_choice_t *c;

    while (g->live && !out->failed) {

        for (i = 0; i < g->nchoices; i++) {
            c = &g->choices[i];

            if (c->finish) {
                continue;
            }

            last = c->stop ? c->stop_at + 1 : g->max_tokens[c->prompt];
            last = g->pooling ? 0 : vm_min(last, MOST);
            count = vm_min(1 + (step + i) % 5, last - c->made);
            finish = c->made + count == last ? (c->stop ? "stop" : "length")
                                             : NULL;
            vm_generation_tokens(g, c, count, finish, out);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vm_buf_t          b;
    unsigned          which;
    vm_call_t         call;
    vm_json_t         j;
    vm_output_t       o;
    vm_settings_t     s;
    vm_generation_t  *g;

    if (size < 3
        || vm_json_load(&j, (const char *) data + 3, size - 3) != VM_JSON_OK)
    {
        return 0;
    }

    settings(&s, &o, data[1]);
    vm_buf_init(&b);
    memset(&call, 0, sizeof(vm_call_t));
    call.pool = vm_pool_create(4096);
    call.settings = &s;
    call.output = &o;
    call.random = 42;
    call.chance = 42;
    call.now = 1795494129.5;
    call.adapter = adapter;
    call.recall = recall;
    call.max_num_seqs = 256;

    which = data[0] % (vm_nelts(protocols) + vm_nelts(answers));

    if (which >= vm_nelts(protocols)) {
        (void) answers[which - vm_nelts(protocols)](&call, j.value, &b);

    } else {
        g = vm_generation_create(&call, protocols[which]);

        if (vm_generation_parse(g, j.value) == VM_OK && !g->late.status) {
            run(g, data[2], &b);
        }

        vm_generation_free(g);
    }

    vm_buf_free(&b);
    json_decref(j.value);
    vm_pool_destroy(call.pool);

    return 0;
}
