/*
 * What vLLM's renderer would hand to an engine elsewhere: the prompt's tokens,
 * and sampling parameters, of which those at their defaults are left out.
 */

#include <stdlib.h>
#include "params.h"
#include "parts.h"
#include "pieces.h"
#include "render.h"
#include "responses.h"


#define VM_RENDER_TOKENS    16      /* max_tokens that goes without saying */
#define VM_RENDER_COOLEST   0.01    /* of temperatures above 0 */
#define VM_RENDER_BIAS      100.0


typedef struct {
    const vm_generation_t  *g;
    const json_t           *chat;       /* the body that was parsed last */
    uint32_t                prompt;
    vm_buf_t               *out;
    const char             *comma;
} vm_render_t;


static void
vm_render_key(vm_render_t *r, const char *name)
{
    vm_buf_printf(r->out, "%s\"%s\":", r->comma, name);
    r->comma = ",";
}


static void
vm_render_float(vm_render_t *r, const char *name, double v)
{
    vm_render_key(r, name);
    vm_buf_double(r->out, v);
}


static void
vm_render_int(vm_render_t *r, const char *name, const vm_int_t *n,
    json_int_t def)
{
    if (n->v != def || n->big) {
        vm_render_key(r, name);
        vm_int_print(r->out, n);
    }
}


/* Of a number that may be absent. */

static void
vm_render_set(vm_render_t *r, const char *name, const vm_int_t *n)
{
    if (n->set) {
        vm_render_key(r, name);
        vm_int_print(r->out, n);
    }
}


static void
vm_render_bool(vm_render_t *r, const char *name, int v, int def)
{
    if (!v != !def) {
        vm_render_key(r, name);
        vm_buf_str(r->out, v ? "true" : "false");
    }
}


/* Strings, each once if `unique`. */

static void
vm_render_strings(vm_render_t *r, const char *name, const json_t *v,
    int unique)
{
    size_t       i, k;
    json_t      *item;
    const char  *comma;

    vm_render_key(r, name);
    vm_buf_char(r->out, '[');

    if (json_is_string(v)) {
        vm_buf_json(r->out, json_string_value(v), json_string_length(v));
    }

    comma = "";

    json_array_foreach(v, i, item) {

        for (k = 0; unique && k < i; k++) {
            if (json_equal(json_array_get(v, k), item)) {
                break;
            }
        }

        if (unique && k < i) {
            continue;
        }

        vm_buf_str(r->out, comma);
        vm_buf_json(r->out, json_string_value(item),
                    json_string_length(item));
        comma = ",";
    }

    vm_buf_char(r->out, ']');
}


static void
vm_render_ids(vm_render_t *r, const char *name, const json_t *v, int unique)
{
    size_t       i, k;
    json_t      *item;
    vm_int_t     n, other;
    const char  *comma;

    vm_render_key(r, name);
    vm_buf_char(r->out, '[');
    comma = "";

    json_array_foreach(v, i, item) {
        vm_field_int(item, &n);

        for (k = 0; unique && k < i; k++) {
            vm_field_int(json_array_get(v, k), &other);

            if (!n.big && !other.big && n.v == other.v) {
                break;
            }
        }

        if (unique && k < i) {
            continue;
        }

        vm_buf_str(r->out, comma);
        vm_int_print(r->out, &n);
        comma = ",";
    }

    vm_buf_char(r->out, ']');
}


/* Held back while a stop string may come: the longest but for a character. */

static void
vm_render_held(vm_render_t *r)
{
    size_t         i, longest;
    json_t        *item;
    const json_t  *stop;

    stop = r->g->params.stop.json;
    longest = json_is_string(stop)
              ? vm_value_chars(json_string_value(stop),
                               json_string_length(stop))
              : 0;

    json_array_foreach(stop, i, item) {
        longest = vm_max(longest, vm_value_chars(json_string_value(item),
                                                 json_string_length(item)));
    }

    if (longest > 1 && !r->g->params.include_stop_str_in_output) {
        vm_render_key(r, "output_text_buffer_length");
        vm_buf_uint(r->out, longest - 1);
    }
}


static void
vm_render_structured(vm_render_t *r)
{
    size_t         i;
    const json_t  *o, *v;

    static const char *const  names[] = {
        "json", "regex", "choice", "grammar", "json_object",
        "disable_any_whitespace", "disable_additional_properties",
        "whitespace_pattern", "structural_tag"
    };

    o = r->g->constraint;

    if (o == NULL) {
        return;
    }

    vm_render_key(r, "structured_outputs");

    for (i = 0; i < vm_nelts(names); i++) {
        v = vm_value_get(o, names[i]);
        vm_buf_printf(r->out, "%s\"%s\":", i ? "," : "{", names[i]);

        if (v == NULL && strncmp(names[i], "disable", 7) == 0) {
            vm_buf_lit(r->out, "false");

        } else {
            vm_piece_json(v, r->out);
        }
    }

    vm_buf_lit(r->out, ",\"_backend\":null,\"_backend_was_auto\":false}");
}


static void
vm_render_bias(vm_render_t *r)
{
    double       v;
    json_t      *item, *bias;
    const char  *comma, *key;

    bias = r->g->params.logit_bias.json;

    if (bias == NULL) {
        return;
    }

    vm_render_key(r, "logit_bias");
    vm_buf_char(r->out, '{');
    comma = "";

    json_object_foreach(bias, key, item) {
        if (!vm_field_float(item, &v)) {
            continue;
        }

        vm_buf_printf(r->out, "%s\"%lld\":", comma, strtoll(key, NULL, 10));
        vm_buf_double(r->out, vm_min(vm_max(v, -VM_RENDER_BIAS),
                                     VM_RENDER_BIAS));
        comma = ",";
    }

    vm_buf_char(r->out, '}');
}


/* vllm_xargs, and what is passed along to connectors. */

static void
vm_render_extra(vm_render_t *r)
{
    size_t              i;
    json_t             *all;
    const vm_params_t  *p;

    p = &r->g->params;
    all = p->vllm_xargs.json ? json_copy(p->vllm_xargs.json) : json_object();

    const struct {
        const char  *name;
        json_t      *v;
    }  more[] = {
        { "kv_transfer_params", p->kv_transfer_params.json },
        { "ec_transfer_params", p->ec_transfer_params.json }
    };

    for (i = 0; i < vm_nelts(more); i++) {
        if (json_object_size(more[i].v)) {
            json_object_set(all, more[i].name, more[i].v);
        }
    }

    if (json_object_size(all) || r->g->protocol == &vm_responses) {
        vm_render_key(r, "extra_args");
        vm_piece_json(all, r->out);
    }

    json_decref(all);
}


static void
vm_render_repetition(vm_render_t *r)
{
    size_t         i;
    vm_int_t       n;
    const json_t  *o;

    static const char *const  names[] = {
        "max_pattern_size", "min_pattern_size", "min_count"
    };

    o = r->g->params.repetition_detection.json;

    if (o == NULL) {
        return;
    }

    vm_render_key(r, "repetition_detection");

    for (i = 0; i < vm_nelts(names); i++) {
        vm_buf_printf(r->out, "%s\"%s\":", i ? "," : "{", names[i]);

        if (vm_field_int(json_object_get(o, names[i]), &n)) {
            vm_int_print(r->out, &n);

        } else {
            vm_buf_char(r->out, '0');
        }
    }

    vm_buf_char(r->out, '}');
}


/* How many log-probabilities of tokens, and of the prompt's (an echo's too) */

static void
vm_render_logprobs(const vm_generation_t *g, vm_int_t *own, vm_int_t *prompt)
{
    vm_int_t            asked;
    const vm_params_t  *p;

    p = &g->params;
    asked = p->top_logprobs;
    asked.set = 1;

    if (g->protocol == &vm_completion) {
        asked = p->num_logprobs;
    }

    *own = asked;

    if ((g->protocol != &vm_completion && !p->logprobs)
        || json_array_size(p->logprob_token_ids.json))
    {
        own->set = 0;
    }

    *prompt = p->prompt_logprobs;

    if (!prompt->set && p->echo) {
        *prompt = asked;
    }
}


/* Parsers want to see what marks thoughts and calls. */

static int
vm_render_marks(const vm_generation_t *g)
{
    return (g->protocol->parts && g->settings->reasoning_parser)
           || vm_parts_calling(g);
}


/* The order is that of vLLM's class. */

static void
vm_render_params(vm_render_t *r)
{
    double                  temperature;
    uint8_t                 yes;
    vm_int_t                most, own, prompt;
    const vm_params_t      *p;
    const vm_generation_t  *g;

    g = r->g;
    p = &g->params;
    r->comma = "";

    vm_render_logprobs(g, &own, &prompt);

    temperature = p->temperature.v;

    if (temperature > 0) {
        temperature = vm_max(temperature, VM_RENDER_COOLEST);
    }

    memset(&most, 0, sizeof(vm_int_t));
    most.v = g->max_tokens[r->prompt];

    vm_buf_char(r->out, '{');

    vm_render_int(r, "n", &p->n, 1);
    vm_render_float(r, "presence_penalty", p->presence_penalty.v);
    vm_render_float(r, "frequency_penalty", p->frequency_penalty.v);
    vm_render_float(r, "repetition_penalty", p->repetition_penalty.v);
    vm_render_float(r, "temperature", temperature);

    if (vm_field_bool(vm_value_get(r->chat, "watermarking"), &yes)) {
        vm_render_bool(r, "watermarking", yes, !yes);
    }

    if (temperature > 0) {
        vm_render_float(r, "top_p", p->top_p.v);
        vm_render_int(r, "top_k", &p->top_k, 0);
        vm_render_float(r, "min_p", p->min_p.v);
    }

    if (p->seed.set) {
        vm_render_int(r, "seed", &p->seed, -1);
    }

    vm_render_strings(r, "stop", p->stop.json, 0);
    vm_render_ids(r, "stop_token_ids", p->stop_token_ids.json, 1);
    vm_render_bool(r, "ignore_eos", p->ignore_eos, 0);
    vm_render_int(r, "max_tokens", &most, VM_RENDER_TOKENS);
    vm_render_int(r, "min_tokens", &p->min_tokens, 0);
    vm_render_set(r, "logprobs", &own);
    vm_render_set(r, "prompt_logprobs", &prompt);

    if (json_array_size(p->logprob_token_ids.json)) {
        vm_render_ids(r, "logprob_token_ids", p->logprob_token_ids.json, 0);
    }

    vm_render_bool(r, "skip_special_tokens",
                   p->skip_special_tokens && !vm_render_marks(g), 1);
    vm_render_bool(r, "spaces_between_special_tokens",
                   p->spaces_between_special_tokens, 1);
    vm_render_bool(r, "include_stop_str_in_output",
                   p->include_stop_str_in_output, 0);
    vm_render_key(r, "output_kind");
    vm_buf_char(r->out, p->stream ? '1' : '2');
    vm_render_set(r, "stream_interval", &p->stream_interval);
    vm_render_bool(r, "skip_clone", 1, 0);
    vm_render_held(r);
    vm_render_structured(r);
    vm_render_bias(r);

    if (p->allowed_token_ids.json) {
        vm_render_ids(r, "allowed_token_ids", p->allowed_token_ids.json, 0);
    }

    vm_render_extra(r);
    vm_render_strings(r, "bad_words", p->bad_words.json, 1);
    vm_render_key(r, "skip_reading_prefix_cache");
    vm_buf_str(r->out, prompt.set ? "true" : "false");

    if (p->thinking_token_budget.json
        && json_integer_value(p->thinking_token_budget.json) != -1)
    {
        vm_render_key(r, "thinking_token_budget");
        vm_piece_json(p->thinking_token_budget.json, r->out);
    }

    vm_render_repetition(r);
    vm_render_int(r, "routed_experts_prompt_start",
                  &p->routed_experts_prompt_start, 0);

    vm_buf_char(r->out, '}');
}


/* Characters that begin in text[from .. to - 1] */

static size_t
vm_render_begins(const char *text, size_t from, size_t to)
{
    size_t  n;

    for (n = 0; from < to; from++) {
        n += ((unsigned char) text[from] & 0xc0) != 0x80;
    }

    return n;
}


/*
 * [[from,to],...] of a text's tokens, in characters.  A token that is a part
 * of a character has all of it.
 */

static void
vm_render_offsets(vm_render_t *r)
{
    size_t                 at, chars, end, len;
    uint32_t               i;
    vm_str_t               piece;
    const char            *text;
    const vm_prompt_t     *p;
    const vm_tokenizer_t  *t;

    p = &r->g->prompts[r->prompt];
    t = r->g->settings->tokenizer;
    text = p->text.data;
    len = p->text.len;

    if (!r->g->params.return_token_offsets || p->given || text == NULL) {
        vm_buf_lit(r->out, "null");
        return;
    }

    /* where the first of them begins: behind those that were cut off */

    at = 0;

    if (p->cut) {
        for (end = 0, i = 0; i < p->n; i++) {
            end += vm_tokenizer_bytes(t, p->ids[i]).len;

            if (vm_tokenizer_special(t, p->ids[i])
                && p->ids[i] != vm_tokenizer_bos(t))
            {
                end += vm_tokenizer_piece(t, p->ids[i]).len;
            }
        }

        at = len - vm_min(end, len);
    }

    chars = vm_render_begins(text, 0, at);

    vm_buf_char(r->out, '[');

    for (i = 0; i < p->n; i++) {
        piece = vm_tokenizer_special(t, p->ids[i])
                ? vm_tokenizer_piece(t, p->ids[i])
                : (at ? vm_tokenizer_bytes(t, p->ids[i])
                      : vm_tokenizer_first(t, p->ids[i]));
        vm_buf_str(r->out, i ? ",[" : "[");

        if (piece.len == 0
            || (vm_tokenizer_special(t, p->ids[i])
                && (piece.len > len - at
                    || memcmp(text + at, piece.data, piece.len) != 0)))
        {
            vm_buf_lit(r->out, "0,0]");         /* of no text: special */
            continue;
        }

        end = vm_min(at + piece.len, len);

        vm_buf_uint(r->out, chars - (at < end
                                     && vm_render_begins(text, at, at + 1)
                                        == 0));
        chars += vm_render_begins(text, at, end);
        vm_buf_char(r->out, ',');
        vm_buf_uint(r->out, chars);
        vm_buf_char(r->out, ']');
        at = end;
    }

    vm_buf_char(r->out, ']');
}


/* What the engine's reasoning parser is made with. */

static void
vm_render_kwargs(vm_render_t *r)
{
    json_t             *all;
    const char         *effort;
    const vm_params_t  *p;

    p = &r->g->params;

    if (r->g->settings->reasoning_parser == NULL || !r->g->protocol->parts) {
        vm_buf_lit(r->out, "null");
        return;
    }

    /* vLLM's own default is always there */

    all = json_pack("{ss}", "cohere_format", "cmd4");
    json_object_update(all, p->chat_template_kwargs.json);

    json_object_set_new(all, "add_generation_prompt",
                        json_boolean(p->add_generation_prompt));
    json_object_set_new(all, "continue_final_message",
                        json_boolean(p->continue_final_message));

    if (p->documents.json) {
        json_object_set(all, "documents", p->documents.json);
    }

    effort = json_string_value(p->reasoning_effort);

    if (effort) {
        json_object_set_new(all, "reasoning_effort", json_string(effort));

        if (json_object_get(p->chat_template_kwargs.json, "enable_thinking")
            == NULL)
        {
            json_object_set_new(all, "enable_thinking",
                                json_boolean(strcmp(effort, "none") != 0));
        }
    }

    vm_buf_lit(r->out, "{\"chat_template_kwargs\":");
    vm_piece_json(all, r->out);
    vm_buf_char(r->out, '}');

    json_decref(all);
}


static void
vm_render_ended(vm_render_t *r)
{
    const vm_generation_t  *g;

    g = r->g;

    if (!g->protocol->parts || g->protocol == &vm_responses) {
        vm_buf_lit(r->out, "null");

    } else if (!g->params.include_reasoning) {
        vm_buf_lit(r->out, "true");

    } else if (g->settings->reasoning_parser) {
        vm_buf_str(r->out, vm_parts_thinks(g) ? "false" : "true");

    } else {
        vm_buf_lit(r->out, "null");
    }
}


static void
vm_render_stream(vm_render_t *r)
{
    size_t         i;
    uint8_t        yes;
    const json_t  *o, *v;

    static const char *const  names[] = {
        "include_usage", "continuous_usage_stats"
    };

    o = r->g->params.stream_options.json;

    vm_buf_printf(r->out, ",\"stream\":%s,\"stream_options\":",
                  r->g->params.stream ? "true" : "false");

    if (o == NULL || !r->g->params.stream) {
        vm_buf_lit(r->out, "null");
        return;
    }

    for (i = 0; i < vm_nelts(names); i++) {
        v = json_object_get(o, names[i]);
        vm_buf_printf(r->out, "%s\"%s\":", i ? "," : "{", names[i]);

        if (json_is_null(v)) {
            vm_buf_lit(r->out, "null");

        } else {
            vm_buf_str(r->out, vm_field_bool(v, &yes) && yes ? "true"
                                                             : "false");
        }
    }

    vm_buf_char(r->out, '}');
}


static void
vm_render_request(vm_render_t *r)
{
    vm_buf_t                b;
    const vm_params_t      *p;
    const vm_generation_t  *g;

    g = r->g;
    p = &g->params;

    vm_buf_init(&b);
    vm_buf_str(&b, g->id);

    if (g->protocol == &vm_completion && g->nprompts > 1) {
        vm_buf_printf(&b, "-%u", r->prompt);
    }

    vm_buf_lit(r->out, "{\"request_id\":");
    vm_buf_json(r->out, b.data ? b.data : "", b.len);
    vm_buf_free(&b);

    vm_buf_lit(r->out, ",\"token_ids\":");
    vm_piece_prompt_ids(&g->prompts[r->prompt], r->out);
    vm_buf_lit(r->out, ",\"token_offsets\":");
    vm_render_offsets(r);
    vm_buf_lit(r->out, ",\"features\":");
    vm_render_features(r->g, r->prompt, r->out);
    vm_buf_lit(r->out, ",\"content_parts\":null,\"sampling_params\":");
    vm_render_params(r);
    vm_buf_lit(r->out, ",\"model\":");
    vm_piece_json(p->model, r->out);
    vm_buf_lit(r->out, ",\"reasoning_ended\":");
    vm_render_ended(r);
    vm_buf_lit(r->out, ",\"reasoning_parser_kwargs\":");
    vm_render_kwargs(r);
    vm_buf_lit(r->out, ",\"return_token_ids\":null,"
                       "\"output_mode\":\"tokens\"");
    vm_render_stream(r);
    vm_buf_lit(r->out, ",\"cache_salt\":");
    vm_piece_json(p->cache_salt, r->out);
    vm_buf_lit(r->out, ",\"priority\":");
    vm_int_print(r->out, &p->priority);

    if (g->protocol == &vm_responses) {
        vm_buf_lit(r->out, ",\"kv_transfer_params\":");
        vm_piece_json(p->kv_transfer_params.json, r->out);
        vm_buf_lit(r->out, ",\"ec_transfer_params\":");
        vm_piece_json(p->ec_transfer_params.json, r->out);
        vm_buf_char(r->out, '}');

    } else {
        vm_buf_lit(r->out, ",\"kv_transfer_params\":null,"
                           "\"ec_transfer_params\":null}");
    }
}


static int
vm_render_prompts(vm_generation_t *g, const json_t *body, vm_buf_t *out)
{
    uint32_t     i;
    vm_render_t  r;

    for (i = 0; i < g->nprompts; i++) {
        if (g->prompts[i].n == 0) {
            return vm_error_bad(&g->call->error, "No token_ids rendered");
        }
    }

    r.g = g;
    r.chat = g->body ? g->body : body;
    r.out = out;

    if (g->protocol == &vm_completion) {
        vm_buf_char(out, '[');
    }

    for (i = 0; i < g->nprompts; i++) {
        r.prompt = i;
        vm_buf_str(out, i ? "," : "");
        vm_render_request(&r);
    }

    if (g->protocol == &vm_completion) {
        vm_buf_char(out, ']');
    }

    return VM_OK;
}


int
vm_render(vm_call_t *call, const vm_protocol_t *protocol, const json_t *body,
    vm_buf_t *out)
{
    int               rc;
    vm_generation_t  *g;

    g = vm_generation_create(call, protocol);
    if (g == NULL) {
        return vm_error_memory(&call->error);
    }

    g->rendered = 1;
    rc = protocol->parse(g, body);

    if (rc == VM_OK) {
        rc = vm_render_prompts(g, body, out);
    }

    call->error.anthropic = 0;
    vm_generation_free(g);

    return rc;
}
