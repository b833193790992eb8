/*
 * POST /inference/v1/generate: the request's table (with vLLM's own sampling
 * parameters inside), the answer's JSON and frames.
 */

#include <stdio.h>
#include "params.h"
#include "pieces.h"
#include "transfer.h"
#include "tokensin.h"


#define VM_TOKENSIN_DEFAULT  16         /* max_tokens, before it is looked at */


typedef struct {
    vm_params_t    params;              /* of both tables */

    /* only here */
    vm_any_t       prompt_logprob_token_ids;
    vm_any_t       trace_decode_token_ids;
    vm_any_t       content_parts;
    vm_any_t       features;
    vm_any_t       token_ids;
    vm_any_t       sampling_params;
    vm_int_t       prompt_logprob_start;
    vm_int_t       budget;              /* of a thought */
    const json_t  *output_mode;
    uint8_t        detokenize;
    uint8_t        text;                /* output_mode is "text" */
} vm_tokensin_t;

#define vm_tokensin_row(name, type, flags, def)                               \
    { #name, &type, flags, offsetof(vm_tokensin_t, name), def, NULL }
#define vm_tokensin_check(name, type, flags)                                  \
    { name, &type, VM_F_CHECK|(flags), 0, 0, NULL }


/* ---- vLLM's sampling parameters ---- */

static const vm_type_t *const  vm_tokensin_stop_branches[] = {
    &vm_str_type, &vm_str_list_type, NULL
};

static const vm_type_t  vm_tokensin_stop_type = {
    .kind = VM_T_UNION, .branches = vm_tokensin_stop_branches
};

static const vm_type_t  vm_tokensin_bias_type = {
    .kind = VM_T_DICT, .item = &vm_float_type, .int_keys = 1
};

static const vm_type_t  vm_tokensin_rows_type = {
    .kind = VM_T_LIST, .item = &vm_int_list_type
};

static const vm_type_t  vm_tokensin_kind_type = {
    .kind = VM_T_INT, .has_ge = 1, .ge = 0, .has_le = 1, .le = 2
};

static const vm_field_t  vm_sampling_fields[] = {
    vm_param(n, vm_int_type, VM_F_NOTNULL, 1),
    vm_param(presence_penalty, vm_float_type, VM_F_NOTNULL, 0),
    vm_param(frequency_penalty, vm_float_type, VM_F_NOTNULL, 0),
    vm_param(repetition_penalty, vm_float_type, VM_F_NOTNULL, 1),
    vm_param(temperature, vm_float_type, VM_F_NOTNULL, 1),
    vm_param(watermarking, vm_bool_type, 0, 0),
    vm_param(top_p, vm_float_type, VM_F_NOTNULL, 1),
    vm_param(top_k, vm_int_type, VM_F_NOTNULL, 0),
    vm_param(min_p, vm_float_type, VM_F_NOTNULL, 0),
    vm_param(seed, vm_int_type, 0, 0),
    vm_param(stop, vm_tokensin_stop_type, 0, 0),
    vm_param(stop_token_ids, vm_int_list_type, 0, 0),
    vm_param(ignore_eos, vm_bool_type, VM_F_NOTNULL, 0),
    vm_param(max_tokens, vm_int_type, 0, 0),
    vm_param(min_tokens, vm_int_type, VM_F_NOTNULL, 0),
    { "logprobs", &vm_int_type, 0, offsetof(vm_params_t, num_logprobs), 0,
      NULL },
    vm_param(prompt_logprobs, vm_int_type, 0, 0),
    vm_tokensin_row(prompt_logprob_token_ids, vm_tokensin_rows_type, 0, 0),
    vm_tokensin_row(prompt_logprob_start, vm_int_type, 0, 0),
    vm_param(logprob_token_ids, vm_int_list_type, 0, 0),
    vm_tokensin_check("flat_logprobs", vm_bool_type, VM_F_NOTNULL),
    vm_tokensin_row(detokenize, vm_bool_type, VM_F_NOTNULL, 1),
    vm_param(skip_special_tokens, vm_bool_type, VM_F_NOTNULL, 1),
    vm_param(spaces_between_special_tokens, vm_bool_type, VM_F_NOTNULL, 1),
    vm_param(include_stop_str_in_output, vm_bool_type, VM_F_NOTNULL, 0),
    vm_tokensin_check("output_kind", vm_tokensin_kind_type, VM_F_NOTNULL),
    vm_param(stream_interval, vm_int_type, 0, 0),
    vm_tokensin_check("skip_clone", vm_bool_type, VM_F_NOTNULL),
    vm_tokensin_check("output_text_buffer_length", vm_int_type,
                      VM_F_NOTNULL),
    vm_param_rule(structured_outputs, vm_structured_type, 0, 0,
                  vm_rule_structured),
    vm_param(logit_bias, vm_tokensin_bias_type, 0, 0),
    vm_param(allowed_token_ids, vm_int_list_type, 0, 0),
    { "extra_args", &vm_dict_type, 0, offsetof(vm_params_t, vllm_xargs), 0,
      NULL },
    vm_param(bad_words, vm_str_list_type, 0, 0),
    vm_tokensin_check("skip_reading_prefix_cache", vm_bool_type, 0),
    { "thinking_token_budget", &vm_int_type, 0,
      offsetof(vm_tokensin_t, budget), 0, NULL },
    vm_param_rule(repetition_detection, vm_repetition_type, 0, 0,
                  vm_rule_repetition),
    vm_param(routed_experts_prompt_start, vm_int_type, VM_F_NOTNULL, 0),
    vm_tokensin_row(trace_decode_token_ids, vm_int_list_type, 0, 0),
    vm_field_end
};

static const vm_type_t  vm_sampling_type = {
    .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_sampling_fields
};

static const char *const  vm_sampling_class[] = { "SamplingParams", NULL };

static const vm_type_t  vm_sampling_instance_type = {
    .kind = VM_T_INSTANCE, .values = vm_sampling_class
};

static const vm_type_t *const  vm_sampling_branches[] = {
    &vm_sampling_instance_type, &vm_sampling_type, NULL
};

static const vm_type_t  vm_sampling_union_type = {
    .kind = VM_T_UNION, .branches = vm_sampling_branches
};


/* The parameters are made, and so checked, where their field is read. */

static int
vm_tokensin_rule_sampling(const json_t *v, vm_error_t *e, vm_pool_t *pool)
{
    int              rc;
    vm_call_t        call;
    vm_tokensin_t    t;
    vm_generation_t  g;

    memset(&t, 0, sizeof(vm_tokensin_t));
    memset(&call, 0, sizeof(vm_call_t));
    memset(&g, 0, sizeof(vm_generation_t));

    if (vm_model_load(&vm_sampling_type, v, "body", &t, e, pool) != VM_OK) {
        return VM_ERROR;
    }

    if (t.budget.set && t.budget.v < -1) {
        return vm_rule_budget(t.budget.json, e, pool);
    }

    if (json_object_get(v, "max_tokens") == NULL) {
        t.params.max_tokens.v = VM_TOKENSIN_DEFAULT;
        t.params.max_tokens.set = 1;
    }

    call.pool = pool;
    g.call = &call;
    g.pool = pool;
    g.params = t.params;

    rc = vm_generation_params(&g);
    json_decref(g.constraint);

    if (rc != VM_OK) {
        *e = call.error;
        return rc;
    }

    if (!t.detokenize && t.params.stop.json
        && !(json_is_array(t.params.stop.json)
             && json_array_size(t.params.stop.json) == 0))
    {
        return vm_error_bad(e, "stop strings are only supported when "
                               "detokenize is True. Set detokenize=True to "
                               "use stop.");
    }

    return VM_OK;
}


/* ---- the request's table ---- */

static const vm_type_t  vm_tokensin_ids_type = {
    .kind = VM_T_LIST, .item = &vm_int_type, .min_items = 1,
    .refuse = vm_refuse_negative
};

static const vm_type_t  vm_tokensin_offset_type = {
    .kind = VM_T_LIST, .item = &vm_int_type, .tuple = 1, .min_items = 2,
    .max_items = 2
};

static const vm_type_t  vm_tokensin_offsets_type = {
    .kind = VM_T_LIST, .item = &vm_tokensin_offset_type
};

static const vm_type_t  vm_tokensin_length_type = {
    .kind = VM_T_INT, .has_gt = 1, .gt = 0
};

static const vm_field_t  vm_tokensin_range_fields[] = {
    vm_tokensin_check("offset", vm_uint_type, VM_F_REQUIRED|VM_F_NOTNULL),
    vm_tokensin_check("length", vm_tokensin_length_type,
                      VM_F_REQUIRED|VM_F_NOTNULL),
    vm_field_end
};

static const vm_type_t  vm_tokensin_range_type = {
    .kind = VM_T_MODEL, .fields = vm_tokensin_range_fields
};

static const vm_type_t  vm_tokensin_ranges_type = {
    .kind = VM_T_LIST, .item = &vm_tokensin_range_type
};

static const vm_type_t  vm_tokensin_places_type = {
    .kind = VM_T_DICT, .item = &vm_tokensin_ranges_type
};

static const vm_type_t  vm_tokensin_hashes_type = {
    .kind = VM_T_DICT, .item = &vm_str_list_type
};

static const vm_type_t  vm_tokensin_items_type = {
    .kind = VM_T_DICT, .item = &vm_list_type
};

static const vm_field_t  vm_tokensin_features_fields[] = {
    vm_tokensin_check("mm_hashes", vm_tokensin_hashes_type,
                      VM_F_REQUIRED|VM_F_NOTNULL),
    vm_tokensin_check("mm_placeholders", vm_tokensin_places_type,
                      VM_F_REQUIRED|VM_F_NOTNULL),
    vm_tokensin_check("kwargs_data", vm_tokensin_items_type, 0),
    vm_tokensin_check("mm_metadata", vm_tokensin_items_type, 0),
    vm_field_end
};


static int
vm_tokensin_same_keys(const json_t *a, const json_t *b)
{
    json_t      *item;
    const char  *key;

    json_object_foreach((json_t *) (uintptr_t) a, key, item) {
        if (json_object_get(b, key) == NULL) {
            return 0;
        }
    }

    return json_object_size(a) == json_object_size(b);
}


static const char *
vm_tokensin_features(const json_t *v, vm_pool_t *pool)
{
    json_t        *item;
    const char    *key;
    const json_t  *hashes, *places;

    hashes = json_object_get(v, "mm_hashes");
    places = json_object_get(v, "mm_placeholders");

    if (!vm_tokensin_same_keys(hashes, places)) {
        return "mm_hashes and mm_placeholders must use the same modalities";
    }

    json_object_foreach((json_t *) (uintptr_t) hashes, key, item) {
        if (json_array_size(item)
            != json_array_size(json_object_get(places, key)))
        {
            return vm_pool_printf(pool, "%s mm_hashes and mm_placeholders "
                                  "must have the same length", key);
        }
    }

    return NULL;
}


static const vm_type_t  vm_tokensin_features_type = {
    .kind = VM_T_MODEL, .fields = vm_tokensin_features_fields,
    .refuse = vm_tokensin_features
};

static const vm_type_t  vm_tokensin_parts_type = {
    .kind = VM_T_LIST, .item = &vm_dict_type
};

static const vm_field_t  vm_tokensin_kwargs_fields[] = {
    vm_tokensin_check("chat_template_kwargs", vm_dict_type, VM_F_NOTNULL),
    vm_field_end
};

static const vm_type_t  vm_tokensin_kwargs_type = {
    .kind = VM_T_MODEL, .fields = vm_tokensin_kwargs_fields, .forbid = 1
};

static const char *const  vm_tokensin_modes[] = { "tokens", "text", NULL };

static const vm_type_t  vm_tokensin_mode_type = {
    .kind = VM_T_LITERAL, .values = vm_tokensin_modes
};

static const vm_field_t  vm_tokensin_fields[] = {
    vm_param(request_id, vm_str_type, VM_F_NOTNULL, 0),
    vm_tokensin_row(token_ids, vm_tokensin_ids_type,
                    VM_F_REQUIRED|VM_F_NOTNULL, 0),
    vm_tokensin_check("token_offsets", vm_tokensin_offsets_type, 0),
    vm_tokensin_row(features, vm_tokensin_features_type, 0, 0),
    vm_tokensin_row(content_parts, vm_tokensin_parts_type, 0, 0),
    { "sampling_params", &vm_sampling_union_type, VM_F_REQUIRED|VM_F_NOTNULL,
      offsetof(vm_tokensin_t, sampling_params), 0,
      vm_tokensin_rule_sampling },
    vm_param(model, vm_str_type, 0, 0),
    vm_tokensin_check("reasoning_ended", vm_bool_type, 0),
    vm_tokensin_check("reasoning_parser_kwargs", vm_tokensin_kwargs_type, 0),
    vm_param(return_token_ids, vm_bool_type, 0, 0),
    vm_tokensin_row(output_mode, vm_tokensin_mode_type, VM_F_NOTNULL, 0),
    vm_param(stream, vm_bool_type, 0, 0),
    vm_param(stream_options, vm_stream_options_type, 0, 0),
    vm_param(cache_salt, vm_str_type, 0, 0),
    vm_param(priority, vm_int64_type, VM_F_NOTNULL, 0),
    vm_param(kv_transfer_params, vm_dict_type, 0, 0),
    vm_param(ec_transfer_params, vm_dict_type, 0, 0),
    vm_field_end
};


static const char *
vm_tokensin_refuse(const json_t *v, vm_pool_t *pool)
{
    uint8_t        yes;
    const char    *mode;
    const json_t  *params;

    if (vm_rule_true(v, "content_parts") && vm_value_get(v, "features")) {
        return "content_parts and features are mutually exclusive";
    }

    mode = json_string_value(json_object_get(v, "output_mode"));
    params = json_object_get(v, "sampling_params");

    if (mode && strcmp(mode, "tokens") != 0
        && vm_field_bool(json_object_get(params, "detokenize"), &yes)
        && !yes)
    {
        return vm_pool_printf(pool, "output_mode='%s' requires "
                              "sampling_params.detokenize to be true", mode);
    }

    return NULL;
}


static const vm_type_t  vm_tokensin_type = {
    .kind = VM_T_MODEL, .fields = vm_tokensin_fields,
    .refuse = vm_tokensin_refuse
};

static const vm_rule_pt  vm_tokensin_rules[] = { vm_rule_cache_salt, NULL };


/* ---- the request ---- */

static int
vm_tokensin_big(const vm_params_t *p)
{
    return p->seed.big || vm_value_big(p->kv_transfer_params.json)
           || vm_value_big(p->ec_transfer_params.json);
}


static int
vm_tokensin_accept(vm_generation_t *g, const vm_tokensin_t *t)
{
    vm_error_t         *e;
    const vm_params_t  *p;

    e = &g->call->error;
    p = &g->params;

    if (g->call->max_num_seqs && p->n.v > g->call->max_num_seqs) {
        return vm_error_printf(e, g->pool, 400, "BadRequestError", NULL,
                               "sampling_params.n must be at most the "
                               "server's max_num_seqs (%u), got %lld.",
                               g->call->max_num_seqs, p->n.v);
    }

    if (p->stream && t->prompt_logprob_token_ids.json) {
        return vm_error_bad(e, "prompt_logprob_token_ids are not available "
                               "when stream=true.");
    }

    if (vm_tokensin_big(p)) {
        return vm_error_bad(e, "can't serialize ints < -2**63 or > 2**64 - "
                               "1");
    }

    return VM_OK;
}


/* The models here are not multimodal. */

static int
vm_tokensin_media(vm_generation_t *g, const vm_tokensin_t *t)
{
    size_t       i, k;
    json_t      *item, *range;
    vm_int_t     length;
    const char  *key, *kind;

    static const char *const  kinds[] = {
        "image_url", "audio_url", "video_url"
    };

    json_array_foreach(t->content_parts.json, i, item) {
        kind = json_string_value(json_object_get(item, "type"));

        for (k = 0; kind && k < vm_nelts(kinds); k++) {
            if (strcmp(kind, kinds[k]) == 0) {
                return vm_error_printf(&g->call->error, g->pool, 400,
                                       "BadRequestError", NULL,
                                       "%s is not a multimodal model",
                                       g->settings->names.list[0]);
            }
        }
    }

    json_object_foreach(json_object_get(t->features.json, "mm_placeholders"),
                        key, item)
    {
        range = json_array_get(item, 0);

        if (range && g->late.status == 0) {
            vm_field_int(json_object_get(range, "length"), &length);
            vm_error_printf(&g->late, g->pool, 400, "BadRequestError", NULL,
                            "The decoder prompt contains a(n) %s item with "
                            "%lld embedding tokens, which exceeds the "
                            "pre-allocated encoder cache size 0. Please "
                            "reduce the input size or increase the encoder "
                            "cache size by setting --limit-mm-per-prompt at "
                            "startup.", key, length.v);
        }
    }

    return VM_OK;
}


/* The prompt, and how much it leaves of the model's length. */

static int
vm_tokensin_prompt(vm_generation_t *g, const vm_tokensin_t *t)
{
    uint32_t         max, n;
    const vm_int_t  *most;

    max = g->settings->max_model_len;

    g->prompts = vm_pool_calloc(g->pool, 1, sizeof(vm_prompt_t));
    g->max_tokens = vm_pool_alloc(g->pool, sizeof(uint32_t));

    if (g->prompts == NULL || g->max_tokens == NULL) {
        return vm_error_memory(&g->call->error);
    }

    if (vm_tokensin_media(g, t) != VM_OK
        || vm_generation_take_ids(g, g->prompts, t->token_ids.json) != VM_OK)
    {
        return VM_ERROR;
    }

    g->nprompts = 1;
    n = g->prompts->n;

    if (n > max
        && json_object_get(t->sampling_params.json, "max_tokens") == NULL)
    {
        return vm_error_printf(&g->call->error, g->pool, 400,
                               "BadRequestError", NULL,
                               "Input length (%u) exceeds model's maximum "
                               "context length (%u).", n, max);
    }

    if (n >= max) {
        vm_error_printf(&g->late, g->pool, 400, "BadRequestError", NULL,
                        "The decoder prompt (length %u) %sis longer than the "
                        "maximum model length of %u. Make sure that "
                        "`max_model_len` is no smaller than the number of "
                        "text tokens%s.", n,
                        n == max ? "plus the number of requested output "
                                   "tokens (at least 1) " : "",
                        max, n == max ? " (prompt + requested output tokens)"
                                      : "");
        return VM_OK;
    }

    most = &g->params.max_tokens;
    g->max_tokens[0] = most->set ? (uint32_t) vm_min(most->v, max - n)
                                 : max - n;

    return VM_OK;
}


/* What the engine's front end refuses of what only this request can have. */

static int
vm_tokensin_late(vm_generation_t *g, const vm_tokensin_t *t)
{
    char                *value;
    size_t               n;
    const vm_params_t   *p;

    p = &g->params;
    n = json_array_size(p->logprob_token_ids.json);

    if (p->logprob_token_ids.json && p->num_logprobs.set
        && p->num_logprobs.v != (json_int_t) n)
    {
        value = vm_pool_printf(g->pool, "%zu", n);

        return vm_error_text(&g->late, g->pool, "logprob_token_ids", value,
                             vm_pool_printf(g->pool, "When both logprobs and "
                                 "logprob_token_ids are set, logprobs must "
                                 "equal len(logprob_token_ids). Got "
                                 "logprobs=%lld, len(logprob_token_ids)=%zu.",
                                 p->num_logprobs.v, n));
    }

    if (t->prompt_logprob_token_ids.json) {
        return vm_error_param(&g->late, g->pool, "prompt_logprob_token_ids",
                              "prompt_logprob_token_ids requires the V2 model "
                              "runner (VLLM_USE_V2_MODEL_RUNNER=1).");
    }

    if (t->prompt_logprob_start.set) {
        return vm_error_value(&g->late, g->pool, "prompt_logprob_start",
                              t->prompt_logprob_start.json,
                              "prompt_logprob_start requires "
                              "prompt_logprob_token_ids.");
    }

    if (t->trace_decode_token_ids.json) {

        if (json_array_size(t->trace_decode_token_ids.json) == 0) {
            return vm_error_set(&g->late, 500, "InternalServerError", NULL,
                                "");
        }

        return vm_error_bad(&g->late, "trace_decode_token_ids is set but "
                            "trace replay is not enabled. Start the engine "
                            "with --enable-trace-replay to use it.");
    }

    return VM_OK;
}


static void
vm_tokensin_output(vm_generation_t *g)
{
    uint8_t             yes;
    const json_t       *o;
    const vm_params_t  *p;

    p = &g->params;
    o = p->stream_options.json;

    vm_generation_stream(g);

    /* no argument of the server adds usage to what was not asked for */

    g->include_usage = vm_field_bool(vm_value_get(o, "include_usage"), &yes)
                       && yes;
    g->continuous_usage = g->include_usage
                          && vm_field_bool(vm_value_get(o,
                                               "continuous_usage_stats"),
                                           &yes)
                          && yes;

    if (p->num_logprobs.set) {
        g->nlogprobs = p->num_logprobs.v < 0 ? (int) g->settings->vocab
                                             : (int) p->num_logprobs.v;
    }

    if (p->prompt_logprobs.set && !g->stream) {
        g->nprompt_logprobs = p->prompt_logprobs.v < 0
                              ? (int) g->settings->vocab
                              : (int) p->prompt_logprobs.v;
    }
}


static int
vm_tokensin_parse(vm_generation_t *g, const json_t *body)
{
    uint8_t         yes;
    vm_error_t     *e;
    vm_tokensin_t  *t;
    const json_t   *skip;

    e = &g->call->error;

    t = vm_pool_calloc(g->pool, 1, sizeof(vm_tokensin_t));
    if (t == NULL) {
        return vm_error_memory(e);
    }

    if (json_is_object(body)
        && vm_rules_check(vm_tokensin_rules, body, e, g->pool) != VM_OK)
    {
        return VM_ERROR;
    }

    if (vm_model_load(&vm_tokensin_type, body, "body", t, e, g->pool)
        != VM_OK
        || vm_model_load(&vm_sampling_type, t->sampling_params.json, "body",
                         t, e, g->pool)
           != VM_OK)
    {
        return VM_ERROR;
    }

    if (t->params.seed.v == -1) {
        t->params.seed.set = 0;
    }

    t->text = t->output_mode
              && strcmp(json_string_value(t->output_mode), "text") == 0;

    if (t->budget.set && t->budget.v != -1) {
        t->params.thinking_token_budget.json = (json_t *) (uintptr_t)
                                              t->budget.json;
    }

    g->own = t;
    g->params = t->params;

    if (vm_generation_model(g, g->params.model) != VM_OK
        || vm_tokensin_accept(g, t) != VM_OK
        || vm_tokensin_prompt(g, t) != VM_OK)
    {
        return VM_ERROR;
    }

    /* they were looked at with their field */

    g->constraint = json_incref(g->params.structured_outputs.json);
    g->greedy = g->params.temperature.v < VM_GREEDY;

    vm_generation_late(g);
    (void) vm_tokensin_late(g, t);

    g->n = (uint32_t) g->params.n.v;
    g->priority = g->params.priority.v;

    if (g->params.stream_interval.set) {
        g->interval = (uint32_t) vm_min(g->params.stream_interval.v,
                                        UINT32_MAX);
    }

    vm_tokensin_output(g);

    skip = json_object_get(t->sampling_params.json,
                           "skip_reading_prefix_cache");
    g->no_prefix_lookup = vm_field_bool(skip, &yes)
                          ? yes : g->params.prompt_logprobs.set;

    g->id = vm_generation_id(g, "generate-tokens-", g->params.request_id);

    return g->id ? VM_OK : vm_error_memory(e);
}


/* ---- frames and answers ---- */

static void
vm_tokensin_mode(const vm_generation_t *g, vm_buf_t *out)
{
    const vm_tokensin_t  *t;

    t = g->own;
    vm_buf_str(out, t->text ? ",\"output_mode\":\"text\""
                            : ",\"output_mode\":\"tokens\"");
}


/* A choice: the tokens from c->sent on, and their text. */

static void
vm_tokensin_choice(vm_generation_t *g, vm_choice_t *c, vm_str_t text,
    vm_buf_t *out)
{
    const vm_tokensin_t  *t;

    t = g->own;

    vm_buf_lit(out, "{\"index\":");
    vm_buf_uint(out, (uint64_t) (c - g->choices));
    vm_buf_lit(out, ",\"finish_reason\":");
    vm_piece_finish_reason(c, out);
    vm_buf_lit(out, ",\"stop_reason\":");
    vm_piece_stop_reason(c, out);
    vm_buf_lit(out, ",\"token_ids\":");
    vm_piece_ids(g, c, c->sent, c->made, out);
    vm_buf_lit(out, ",\"routed_experts\":null,\"sampling_mask\":null,"
                    "\"weight_versions\":");

    if (c->finish) {
        vm_buf_lit(out, "[{\"version\":\"default\",\"start\":0,\"end\":");
        vm_buf_uint(out, c->made);
        vm_buf_lit(out, "}]");

    } else {
        vm_buf_lit(out, "null");
    }

    if (t->text) {
        vm_buf_lit(out, ",\"text\":");
        vm_buf_json(out, text.data, text.len);
    }

    vm_buf_lit(out, ",\"logprobs\":");

    if (g->nlogprobs >= 0) {
        vm_piece_logprobs_ids(g, c, c->sent, c->made, t->text, out);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_char(out, '}');
}


static void
vm_tokensin_begin(vm_generation_t *g, vm_buf_t *out)
{
    (void) g;
    (void) out;
}


static void
vm_tokensin_open(vm_generation_t *g, vm_buf_t *out)
{
    vm_buf_lit(out, "data: {\"request_id\":");
    vm_buf_json(out, g->id, strlen(g->id));
    vm_buf_lit(out, ",\"usage\":");
}


/* The prompt's tokens go with the first chunk of all. */

static int
vm_tokensin_first(const vm_generation_t *g)
{
    uint32_t  i;

    for (i = 0; i < g->nchoices; i++) {
        if (g->choices[i].sent) {
            return 0;
        }
    }

    return 1;
}


static void
vm_tokensin_chunk(vm_generation_t *g, vm_choice_t *c, vm_str_t text,
    vm_buf_t *out)
{
    vm_tokensin_open(g, out);

    if (g->continuous_usage) {
        vm_piece_counts(vm_generation_prompt_tokens(g), c->made, out);
        vm_buf_lit(out, ",\"prompt_tokens_details\":null,"
                        "\"completion_tokens_details\":null}");

    } else {
        vm_buf_lit(out, "null");
    }

    if (g->token_ids && vm_tokensin_first(g)) {
        vm_buf_lit(out, ",\"prompt_token_ids\":");
        vm_piece_prompt_ids(g->prompts, out);
    }

    vm_tokensin_mode(g, out);
    vm_buf_lit(out, ",\"choices\":[");
    vm_tokensin_choice(g, c, text, out);
    vm_buf_lit(out, "]}\n\n");
}


static void
vm_tokensin_end_stream(vm_generation_t *g, vm_buf_t *out)
{
    if (g->include_usage) {
        vm_tokensin_open(g, out);
        vm_piece_stream_usage(g, 0, out);
        vm_tokensin_mode(g, out);
        vm_buf_lit(out, ",\"choices\":[]}\n\n");
    }

    vm_buf_lit(out, "data: [DONE]\n\n");
}


static void
vm_tokensin_end(vm_generation_t *g, vm_buf_t *out)
{
    uint32_t      i;
    vm_str_t      text;
    vm_choice_t  *c;

    if (g->stream) {
        vm_tokensin_end_stream(g, out);
        return;
    }

    vm_buf_lit(out, "{\"request_id\":");
    vm_buf_json(out, g->id, strlen(g->id));
    vm_buf_lit(out, ",\"model\":");
    vm_buf_json(out, g->model.data, g->model.len);
    vm_buf_lit(out, ",\"created\":");
    vm_buf_int(out, g->created);
    vm_buf_lit(out, ",\"usage\":");
    vm_piece_usage(g, 0, out);
    vm_buf_lit(out, ",\"prompt_logprobs\":");
    vm_piece_prompt_logprobs(g, g->prompts, out);
    vm_buf_lit(out, ",\"prompt_token_id_logprobs\":null,"
                    "\"prompt_token_ids\":");

    if (g->token_ids) {
        vm_piece_prompt_ids(g->prompts, out);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, ",\"mm_placeholders\":null,\"metrics\":null,"
                    "\"kv_transfer_params\":");
    vm_transfer_params(g, out);
    vm_buf_lit(out, ",\"ec_transfer_params\":null");
    vm_tokensin_mode(g, out);
    vm_buf_lit(out, ",\"choices\":[");

    for (i = 0; i < g->nchoices; i++) {
        c = &g->choices[i];
        text.data = c->text.data ? c->text.data : "";
        text.len = vm_min(c->text.len, c->text_end);

        vm_buf_str(out, i ? "," : "");
        vm_tokensin_choice(g, c, text, out);
    }

    vm_buf_lit(out, "]}");
}


const vm_protocol_t  vm_tokensin = {
    "generate", 0, vm_tokensin_parse, vm_tokensin_begin, vm_tokensin_chunk,
    vm_tokensin_end
};
