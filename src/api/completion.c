/*
 * POST /v1/completions: the request's table and rules, the answer's JSON and
 * frames.
 */

#include <stdio.h>
#include "chat.h"
#include "params.h"
#include "pieces.h"
#include "transfer.h"


#define VM_PROMPTS_MAX    1024
#define VM_DEFAULT_TOKENS 16


/* ---- the request's table ---- */

static const vm_type_t  vm_id_lists_type = {
    .kind = VM_T_LIST, .item = &vm_id_list_type
};

static const vm_type_t *const  vm_prompt_branches[] = {
    &vm_id_list_type, &vm_id_lists_type, &vm_str_type, &vm_str_list_type, NULL
};

typedef enum {
    VM_PROMPT_IDS,
    VM_PROMPT_ID_LISTS,
    VM_PROMPT_TEXT,
    VM_PROMPT_TEXTS
} vm_prompt_e;

static const vm_type_t  vm_prompt_type = {
    .kind = VM_T_UNION, .branches = vm_prompt_branches
};

static const vm_type_t  vm_bytes_type = { .kind = VM_T_STR, .bytes = 1 };

static const vm_type_t  vm_bytes_list_type = {
    .kind = VM_T_LIST, .item = &vm_bytes_type
};

static const vm_type_t *const  vm_embeds_branches[] = {
    &vm_bytes_type, &vm_bytes_list_type, NULL
};

static const vm_type_t  vm_embeds_type = {
    .kind = VM_T_UNION, .branches = vm_embeds_branches
};

static const vm_field_t  vm_completion_fields[] = {
    vm_param(model, vm_str_type, 0, 0),
    vm_param(prompt, vm_prompt_type, 0, 0),
    vm_param(echo, vm_bool_type, 0, 0),
    vm_param(frequency_penalty, vm_float_type, 0, 0),
    vm_param(logit_bias, vm_bias_type, 0, 0),
    { "logprobs", &vm_int_type, 0, offsetof(vm_params_t, num_logprobs), 0,
      NULL },
    vm_param(max_tokens, vm_int_type, 0, VM_DEFAULT_TOKENS),
    vm_param(n, vm_int_type, VM_F_NOTNULL, 1),
    vm_param(presence_penalty, vm_float_type, 0, 0),
    vm_param(seed, vm_int64_type, 0, 0),
    vm_param(stop, vm_stop_type, 0, 0),
    vm_param(stream, vm_bool_type, 0, 0),
    vm_param(stream_options, vm_stream_options_type, 0, 0),
    vm_param(suffix, vm_str_type, 0, 0),
    VM_PARAMS_SAMPLING,
    vm_param(user, vm_str_type, 0, 0),
    VM_PARAMS_VLLM,
    vm_param(allowed_token_ids, vm_int_list_type, 0, 0),
    vm_param(prompt_logprobs, vm_int_type, 0, 0),
    vm_param(logprob_token_ids, vm_int_list_type, 0, 0),
    vm_param(bad_words, vm_str_list_type, VM_F_NOTNULL, 0),
    vm_param(prompt_embeds, vm_embeds_type, 0, 0),
    vm_param(add_special_tokens, vm_bool_type, VM_F_NOTNULL, 1),
    vm_param(response_format, vm_response_format_type, 0, 0),
    vm_param_rule(structured_outputs, vm_structured_type, 0, 0,
                  vm_rule_structured),
    vm_param(priority, vm_int64_type, VM_F_NOTNULL, 0),
    vm_param(request_id, vm_str_type, VM_F_NOTNULL, 0),
    vm_param(session_id, vm_str_type, 0, 0),
    vm_param(return_tokens_as_token_ids, vm_bool_type, 0, 0),
    vm_param(return_token_ids, vm_bool_type, 0, 0),
    vm_param(routed_experts_prompt_start, vm_uint_type, VM_F_NOTNULL, 0),
    vm_param(return_token_offsets, vm_bool_type, 0, 0),
    vm_param(mm_payload, vm_mm_payload_type, VM_F_NOTNULL, 0),
    vm_param(return_mm_kwargs, vm_bool_type, 0, 0),
    VM_PARAMS_TRANSFER,
    vm_param_rule(thinking_token_budget, vm_any_type, 0, 0, vm_rule_budget),
    vm_param(stream_interval, vm_interval_type, 0, 0),
    vm_field_end
};

/* ---- rules on the raw body ---- */

static int
vm_completion_rule_count(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    size_t         i, n;
    json_t        *item;
    const json_t  *prompt;

    prompt = json_object_get(body, "prompt");
    n = json_array_size(prompt);

    if (n <= VM_PROMPTS_MAX) {
        return VM_OK;
    }

    json_array_foreach(prompt, i, item) {
        if (!json_is_integer(item) && !json_is_boolean(item)) {
            return vm_error_param(e, pool, "prompt",
                                  vm_pool_printf(pool, "prompt list length "
                                      "%zu exceeds the maximum allowed count "
                                      "of %d. To increase this limit, set the "
                                      "VLLM_MAX_COMPLETION_PROMPTS "
                                      "environment variable.", n,
                                      VM_PROMPTS_MAX));
        }
    }

    return VM_OK;
}


static int
vm_completion_rule_prompt(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    const json_t  *embeds, *prompt;

    prompt = vm_value_get(body, "prompt");
    embeds = vm_value_get(body, "prompt_embeds");

    if ((prompt == NULL || (vm_value_type(prompt) == VM_PY_STR
                            && json_string_length(prompt) == 0))
        && (embeds == NULL || (json_is_array(embeds)
                               && json_array_size(embeds) == 0)))
    {
        return vm_error_param(e, pool, "prompt",
                              "Either prompt or prompt_embeds must be "
                              "provided and non-empty.");
    }

    return VM_OK;
}


static int
vm_completion_rule_logprobs(const json_t *body, vm_error_t *e,
    vm_pool_t *pool)
{
    int            ids;
    const json_t  *max;

    ids = vm_rule_true(body, "logprob_token_ids");

    if (ids && vm_rule_true(body, "use_beam_search")) {
        return vm_error_param(e, pool, "logprob_token_ids",
                              "`logprob_token_ids` is not supported with beam "
                              "search.");
    }

    if (vm_rule_true(body, "use_beam_search") && vm_rule_true(body, "echo")
        && vm_value_get(body, "logprobs"))
    {
        return vm_error_param(e, pool, "echo",
                              "`echo` with `logprobs` is not supported with "
                              "beam search because beam search does not "
                              "compute prompt logprobs.");
    }

    max = vm_value_get(body, "max_tokens");

    if (ids && vm_rule_true(body, "echo") && max
        && (json_is_number(max) || json_is_false(max))
        && vm_value_float(max) == 0)
    {
        return vm_error_param(e, pool, "logprob_token_ids",
                              "`logprob_token_ids` is not supported when "
                              "`echo=True` and `max_tokens=0` because no "
                              "output tokens are generated.");
    }

    if (ids && vm_value_get(body, "logprobs") == NULL) {
        return vm_error_param(e, pool, "logprob_token_ids",
                              "when using `logprob_token_ids`, `logprobs` "
                              "must be set.");
    }

    if (vm_rule_logprobs(body, "prompt_logprobs", e, pool) != VM_OK
        || vm_rule_logprobs(body, "logprobs", e, pool) != VM_OK
        || vm_rule_logprobs_range(body, "prompt_logprobs", e, pool) != VM_OK)
    {
        return VM_ERROR;
    }

    return vm_rule_logprobs_range(body, "logprobs", e, pool);
}


static int
vm_completion_rule_structured(const json_t *body, vm_error_t *e,
    vm_pool_t *pool)
{
    const json_t  *o;

    o = vm_value_get(body, "structured_outputs");

    if (o == NULL) {
        return VM_OK;
    }

    if (!json_is_object(o)) {
        return vm_rule_no_get(o, e, pool);
    }

    if ((vm_value_get(o, "json") != NULL) + (vm_value_get(o, "regex") != NULL)
        + (vm_value_get(o, "choice") != NULL) > 1)
    {
        return vm_error_param(e, pool, "structured_outputs",
                              "You can only use one kind of constraints for "
                              "structured outputs ('json', 'regex' or "
                              "'choice').");
    }

    return VM_OK;
}


static const vm_rule_pt  vm_completion_rules[] = {
    vm_completion_rule_count,
    vm_completion_rule_prompt,
    vm_rule_stream_options,
    vm_completion_rule_logprobs,
    vm_completion_rule_structured,
    vm_rule_response_format,
    vm_rule_cache_salt,
    NULL
};


static int
vm_completion_before(const json_t *v, vm_error_t *e, vm_pool_t *pool)
{
    return vm_rules_check(vm_completion_rules, v, e, pool);
}


const vm_type_t  vm_completion_type = {
    .kind = VM_T_MODEL, .fields = vm_completion_fields,
    .before = vm_completion_before
};


/* ---- the request ---- */

/* No model here has it; what else may be wrong comes first. */

static int
vm_completion_suffix(vm_generation_t *g)
{
    const char         *message;
    const vm_params_t  *p;

    p = &g->params;

    if (p->suffix == NULL) {
        return VM_OK;
    }

    if (p->echo) {
        message = "Echo is unsupported with suffix.";

    } else if (p->prompt_embeds.json) {
        message = "suffix is not supported with prompt_embeds";

    } else if (p->truncate_prompt_tokens.set) {
        message = "suffix is not supported with truncate_prompt_tokens";

    } else if (p->prompt.branch == VM_PROMPT_TEXT
               || p->prompt.branch == VM_PROMPT_TEXTS)
    {
        message = "suffix is only supported for models with FIM completion "
                  "rendering";

    } else {
        message = "suffix requires text prompt input for FIM completion "
                  "rendering";
    }

    return vm_error_set(&g->call->error, 400, "BadRequestError", "suffix",
                        message);
}


static int
vm_completion_step_five(vm_generation_t *g)
{
    if (vm_generation_beam(g) != VM_OK || vm_completion_suffix(g) != VM_OK) {
        return VM_ERROR;
    }

    if (vm_value_true(g->params.prompt_embeds.json)) {
        return vm_error_param(&g->call->error, g->pool, "prompt_embeds",
                              "You must set `--enable-prompt-embeds` to input "
                              "`prompt_embeds`.");
    }

    if (g->params.use_beam_search && g->params.stream) {
        return vm_error_bad(&g->call->error, "Streaming is not currently "
                            "supported with beam search");
    }

    return VM_OK;
}


static int
vm_completion_prompt(vm_generation_t *g, vm_prompt_t *p, const json_t *v)
{
    if (json_is_array(v)) {
        return vm_generation_prompt_ids(g, p, v);
    }

    return vm_generation_prompt_text(g, p, json_string_value(v),
                                     json_string_length(v),
                                     g->params.add_special_tokens);
}


/* The text of ids, for an echo. */

static int
vm_completion_echo(vm_generation_t *g, vm_prompt_t *p)
{
    char      *copy;
    vm_buf_t   b;

    if (p->text.data) {
        return VM_OK;
    }

    vm_buf_init(&b);

    vm_tokenizer_decode(g->settings->tokenizer, p->ids, p->n, &b);

    copy = vm_pool_strdup(g->pool, b.data ? b.data : "", b.len);
    p->text.data = copy;
    p->text.len = b.len;
    vm_buf_free(&b);

    return copy ? VM_OK : vm_error_memory(&g->call->error);
}


static int
vm_completion_prompts(vm_generation_t *g)
{
    size_t         i, n;
    const json_t  *one, *v;

    v = g->params.prompt.json;
    n = 1;

    if (g->params.prompt.branch == VM_PROMPT_ID_LISTS
        || g->params.prompt.branch == VM_PROMPT_TEXTS)
    {
        n = json_array_size(v);
    }

    if (n == 0 || (json_is_array(v) && json_array_size(v) == 0)) {
        return vm_error_bad(&g->call->error,
                            "You must pass at least one prompt");
    }

    g->prompts = vm_pool_calloc(g->pool, n, sizeof(vm_prompt_t));
    if (g->prompts == NULL) {
        return vm_error_memory(&g->call->error);
    }

    g->nprompts = (uint32_t) n;

    for (i = 0; i < n; i++) {

        one = g->params.prompt.branch == VM_PROMPT_IDS
              || g->params.prompt.branch == VM_PROMPT_TEXT
              ? v : json_array_get(v, i);

        if (vm_completion_prompt(g, &g->prompts[i], one) != VM_OK) {
            return VM_ERROR;
        }

        g->prompts[i].said = json_is_string(one) ? one : NULL;

        if (g->params.echo
            && vm_completion_echo(g, &g->prompts[i]) != VM_OK)
        {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


static int
vm_completion_parse(vm_generation_t *g, const json_t *body)
{
    vm_error_t   *e;
    vm_params_t  *p;

    e = &g->call->error;
    p = &g->params;

    if (vm_model_load(&vm_completion_type, body, "body", p, e, g->pool)
        != VM_OK)
    {
        return VM_ERROR;
    }

    g->echo_only = p->echo && p->max_tokens.set && p->max_tokens.v == 0;

    if (vm_generation_model(g, p->model) != VM_OK
        || vm_completion_step_five(g) != VM_OK
        || vm_generation_limits(g) != VM_OK
        || vm_completion_prompts(g) != VM_OK
        || vm_generation_sampling(g) != VM_OK)
    {
        return VM_ERROR;
    }

    vm_generation_stream(g);

    if (p->num_logprobs.set) {
        g->nlogprobs = (int) (p->num_logprobs.v < 0 ? g->settings->vocab
                                                    : p->num_logprobs.v);
    }

    if (p->prompt_logprobs.set) {
        g->nprompt_logprobs = (int) p->prompt_logprobs.v;

    } else if (p->echo && g->nlogprobs >= 0) {
        g->nprompt_logprobs = g->nlogprobs;
    }

    g->no_prefix_lookup = g->nprompt_logprobs >= 0;
    g->id = vm_generation_id(g, "cmpl-", p->request_id);

    return g->id ? VM_OK : vm_error_memory(e);
}


/* ---- frames and answers ---- */

/* With return_token_ids the prompt is not in the text. */

static int
vm_completion_echoes(const vm_generation_t *g)
{
    return g->params.echo && !g->token_ids;
}


/* The prompt (if it is echoed and nothing was sent yet) and the text. */

static void
vm_completion_text(vm_generation_t *g, vm_choice_t *c, int first,
    vm_str_t text, vm_buf_t *out)
{
    char               *all;
    const vm_prompt_t  *p;

    p = &g->prompts[c->prompt];

    if (g->echo_only) {
        text.len = 0;
    }

    if (!first || !vm_completion_echoes(g)) {
        vm_buf_json(out, text.data, text.len);
        return;
    }

    all = vm_pool_alloc(g->pool, p->text.len + text.len + 1);

    if (all == NULL) {
        out->failed = 1;
        return;
    }

    memcpy(all, p->text.data, p->text.len);
    memcpy(all + p->text.len, text.data, text.len);
    vm_buf_json(out, all, p->text.len + text.len);
}


static void
vm_completion_logprobs(vm_generation_t *g, vm_choice_t *c, uint32_t from,
    vm_buf_t *out)
{
    if (g->nlogprobs < 0) {
        vm_buf_lit(out, "null");
        return;
    }

    vm_piece_logprobs_text(g, c, from, g->echo_only ? from : c->made,
                           g->params.echo, out);
}


static void
vm_completion_begin(vm_generation_t *g, vm_buf_t *out)
{
    (void) g;
    (void) out;
}


static void
vm_completion_chunk(vm_generation_t *g, vm_choice_t *c, vm_str_t text,
    vm_buf_t *out)
{
    int  first;

    first = c->sent == 0;

    vm_buf_lit(out, "data: ");
    vm_piece_head(g, "text_completion", out);
    vm_buf_lit(out, ",\"choices\":[{\"index\":");
    vm_buf_uint(out, (uint64_t) (c - g->choices));
    vm_buf_lit(out, ",\"text\":");
    vm_completion_text(g, c, first, text, out);
    vm_buf_lit(out, ",\"logprobs\":");

    if (c->made > c->sent) {
        vm_completion_logprobs(g, c, c->sent, out);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, ",\"finish_reason\":");
    vm_piece_finish_reason(c, out);
    vm_buf_lit(out, ",\"stop_reason\":");
    vm_piece_stop_reason(c, out);
    vm_buf_lit(out, ",\"prompt_token_ids\":");

    if (first && (g->token_ids || g->params.echo)) {
        vm_piece_prompt_ids(&g->prompts[c->prompt], out);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, ",\"token_ids\":");

    if (g->token_ids) {
        vm_piece_ids(g, c, c->sent, c->made, out);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, "}]");

    if (g->continuous_usage) {
        vm_buf_lit(out, ",\"usage\":");
        vm_piece_counts(g->prompts[c->prompt].n, c->made, out);
        vm_buf_char(out, '}');
    }

    if (c->finish && !g->include_usage) {
        vm_buf_char(out, ',');
        vm_piece_fingerprint(g, out);
    }

    vm_buf_lit(out, "}\n\n");
}


static void
vm_completion_end_stream(vm_generation_t *g, vm_buf_t *out)
{
    if (g->include_usage) {
        vm_buf_lit(out, "data: ");
        vm_piece_head(g, "text_completion", out);
        vm_buf_lit(out, ",\"choices\":[],\"usage\":");
        vm_piece_stream_usage(g, 0, out);
        vm_buf_char(out, ',');
        vm_piece_fingerprint(g, out);

        if (g->settings->per_request_metrics && g->nchoices == 1) {
            vm_buf_lit(out, ",\"metrics\":");
            vm_piece_metrics(g, 0, out);
        }

        vm_buf_lit(out, "}\n\n");
    }

    vm_buf_lit(out, "data: [DONE]\n\n");
}


static void
vm_completion_choice(vm_generation_t *g, vm_choice_t *c, vm_buf_t *out)
{
    vm_str_t            text;
    const vm_prompt_t  *p;

    p = &g->prompts[c->prompt];
    text.data = c->text.data ? c->text.data : "";
    text.len = vm_min(c->text.len, c->text_end);

    vm_buf_lit(out, "{\"index\":");
    vm_buf_uint(out, (uint64_t) (c - g->choices));
    vm_buf_lit(out, ",\"text\":");
    vm_completion_text(g, c, 1, text, out);
    vm_buf_lit(out, ",\"logprobs\":");
    vm_completion_logprobs(g, c, 0, out);
    vm_buf_lit(out, ",\"finish_reason\":");
    vm_piece_finish_reason(c, out);
    vm_buf_lit(out, ",\"stop_reason\":");
    vm_piece_stop_reason(c, out);
    vm_buf_lit(out, ",\"token_ids\":");

    if (g->token_ids) {
        vm_piece_ids(g, c, 0, g->echo_only ? 0 : c->made, out);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, ",\"prompt_logprobs\":");
    vm_piece_prompt_logprobs(g, p, out);
    vm_buf_lit(out, ",\"prompt_token_ids\":");

    if (g->token_ids) {
        vm_piece_prompt_ids(p, out);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, ",\"routed_experts\":null");
    vm_transfer_choice(g, c, out);
    vm_buf_char(out, '}');
}


static void
vm_completion_end(vm_generation_t *g, vm_buf_t *out)
{
    uint32_t  i;

    if (g->stream) {
        vm_completion_end_stream(g, out);
        return;
    }

    vm_piece_head(g, "text_completion", out);
    vm_buf_lit(out, ",\"choices\":[");

    for (i = 0; i < g->nchoices; i++) {
        if (i) {
            vm_buf_char(out, ',');
        }

        vm_completion_choice(g, &g->choices[i], out);
    }

    vm_buf_lit(out, "],\"service_tier\":null,");
    vm_piece_fingerprint(g, out);
    vm_buf_lit(out, ",\"usage\":");
    vm_piece_usage(g, 0, out);
    vm_buf_lit(out, ",\"kv_transfer_params\":");
    vm_transfer_params(g, out);
    vm_buf_lit(out, ",\"ec_transfer_params\":null,\"metrics\":");
    vm_piece_metrics(g, 1, out);

    if (g->context_only) {
        vm_buf_lit(out, ",\"prompt_token_ids\":");
        vm_piece_prompt_ids(g->prompts, out);
    }

    vm_buf_char(out, '}');
}


const vm_protocol_t  vm_completion = {
    "completion", 0, vm_completion_parse, vm_completion_begin,
    vm_completion_chunk, vm_completion_end
};
