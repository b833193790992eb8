/*
 * Usage, reasons, token ids, fingerprints: what chat and completions share.
 */

#include <stdlib.h>
#include "parts.h"
#include "pieces.h"
#include "../base/rand.h"


void
vm_piece_fingerprint(const vm_generation_t *g, vm_buf_t *out)
{
    uint64_t                h;
    const vm_settings_t    *s;

    s = g->settings;
    h = vm_rand_bytes(s->names.list[0], strlen(s->names.list[0]),
                      s->max_model_len);

    vm_buf_lit(out, "\"system_fingerprint\":\"vllm-" VM_VERSION);

    if (s->tensor_parallel > 1) {
        vm_buf_printf(out, "-tp%u", s->tensor_parallel);
    }

    vm_buf_printf(out, "-%08x\"", (unsigned) h);
}


void
vm_piece_head(const vm_generation_t *g, const char *object, vm_buf_t *out)
{
    vm_buf_lit(out, "{\"id\":");
    vm_buf_json(out, g->id, strlen(g->id));
    vm_buf_lit(out, ",\"object\":\"");
    vm_buf_str(out, object);
    vm_buf_lit(out, "\",\"created\":");
    vm_buf_int(out, g->created);
    vm_buf_lit(out, ",\"model\":");
    vm_buf_json(out, g->model.data, g->model.len);
}


void
vm_piece_json(const json_t *v, vm_buf_t *out)
{
    char  *text;

    text = v ? json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    vm_buf_str(out, text ? text : "null");
    free(text);
}


void
vm_piece_finish_reason(const vm_choice_t *c, vm_buf_t *out)
{
    if (c->finish == NULL) {
        vm_buf_lit(out, "null");
        return;
    }

    vm_buf_char(out, '"');
    vm_buf_str(out, c->finish);
    vm_buf_char(out, '"');
}


void
vm_piece_stop_reason(const vm_choice_t *c, vm_buf_t *out)
{
    if (c->finish && c->made > c->stop_at) {

        switch (c->stop) {

        case VM_STOP_STRING:
            vm_buf_json(out, c->stop_string.data, c->stop_string.len);
            return;

        case VM_STOP_TOKEN:
            vm_buf_uint(out, c->stop_token);
            return;

        case VM_STOP_REPETITION:
            vm_buf_lit(out, "\"repetition_detected\"");
            return;

        default:
            break;
        }
    }

    vm_buf_lit(out, "null");
}


void
vm_piece_ids(const vm_generation_t *g, const vm_choice_t *c, uint32_t from,
    uint32_t to, vm_buf_t *out)
{
    uint32_t  i;

    vm_buf_char(out, '[');

    for (i = from; i < to; i++) {
        if (i > from) {
            vm_buf_char(out, ',');
        }

        vm_buf_uint(out, vm_generation_token(g, c, i));
    }

    vm_buf_char(out, ']');
}


void
vm_piece_prompt_ids(const vm_prompt_t *p, vm_buf_t *out)
{
    uint32_t  i;

    vm_buf_char(out, '[');

    for (i = 0; i < p->n; i++) {
        if (i) {
            vm_buf_char(out, ',');
        }

        vm_buf_uint(out, p->ids[i]);
    }

    vm_buf_char(out, ']');
}


void
vm_piece_counts(uint64_t prompt, uint64_t output, vm_buf_t *out)
{
    vm_buf_lit(out, "{\"prompt_tokens\":");
    vm_buf_uint(out, prompt);
    vm_buf_lit(out, ",\"total_tokens\":");
    vm_buf_uint(out, prompt + output);
    vm_buf_lit(out, ",\"completion_tokens\":");
    vm_buf_uint(out, output);
}


void
vm_piece_thoughts(const vm_generation_t *g, vm_buf_t *out)
{
    vm_buf_lit(out, "{\"reasoning_tokens\":");
    vm_buf_uint(out, vm_parts_thought_tokens(g));
    vm_buf_char(out, '}');
}


/* Beams do not tell what was cached. */

static int
vm_piece_details(const vm_generation_t *g)
{
    return g->settings->prompt_tokens_details && !g->params.use_beam_search;
}


void
vm_piece_stream_usage(const vm_generation_t *g, int created_cache,
    vm_buf_t *out)
{
    vm_piece_counts(vm_generation_prompt_tokens(g),
                    vm_generation_output_tokens(g), out);

    if (vm_piece_details(g)) {
        vm_buf_lit(out, ",\"prompt_tokens_details\":{\"cached_tokens\":");
        vm_buf_uint(out, vm_generation_cached_tokens(g));
        vm_buf_str(out, created_cache ? ",\"created_cache_tokens\":0}" : "}");
    }

    if (g->protocol->parts && g->settings->reasoning_parser) {
        vm_buf_lit(out, ",\"completion_tokens_details\":");
        vm_piece_thoughts(g, out);
    }

    vm_buf_char(out, '}');
}


void
vm_piece_usage(const vm_generation_t *g, int created_cache, vm_buf_t *out)
{
    vm_piece_counts(vm_generation_prompt_tokens(g),
                    vm_generation_output_tokens(g), out);
    vm_buf_lit(out, ",\"prompt_tokens_details\":");

    if (vm_piece_details(g)) {
        vm_buf_lit(out, "{\"cached_tokens\":");
        vm_buf_uint(out, vm_generation_cached_tokens(g));
        vm_buf_lit(out, ",\"created_cache_tokens\":");
        vm_buf_str(out, created_cache ? "0" : "null");
        vm_buf_lit(out, ",\"multimodal_tokens\":null}");

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, ",\"completion_tokens_details\":");

    if (g->protocol->parts && g->settings->reasoning_parser) {
        vm_piece_thoughts(g, out);
        vm_buf_char(out, '}');

    } else {
        vm_buf_lit(out, "null}");
    }
}


void
vm_piece_metrics(const vm_generation_t *g, int whole, vm_buf_t *out)
{
    double              run, total;
    const vm_choice_t  *c;

    c = g->choices;

    if (!g->settings->per_request_metrics || g->nchoices != 1
        || c->made == 0)
    {
        vm_buf_lit(out, "null");
        return;
    }

    run = c->last_token - c->first_token;
    total = c->last_token - c->scheduled;

    vm_buf_lit(out, "{\"time_to_first_token_ms\":");
    vm_buf_double(out, (c->first_token - c->scheduled) * 1e3);
    vm_buf_lit(out, ",\"generation_time_ms\":");
    vm_buf_double(out, run * 1e3);
    vm_buf_lit(out, ",\"queue_time_ms\":");
    vm_buf_double(out, (c->scheduled - c->queued) * 1e3);

    if (c->made > 1) {
        vm_buf_lit(out, ",\"mean_itl_ms\":");
        vm_buf_double(out, run * 1e3 / (c->made - 1));

    } else if (whole) {
        vm_buf_lit(out, ",\"mean_itl_ms\":null");
    }

    vm_buf_lit(out, ",\"tokens_per_second\":");

    if (total > 0) {
        vm_buf_double(out, c->made / total);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_str(out, whole ? ",\"speculative_decoding\":null}" : "}");
}
