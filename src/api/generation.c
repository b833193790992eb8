/*
 * From a checked body to a planned generation: model, prompts, limits,
 * sampling parameters, in the order in which vLLM looks at them.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "generation.h"
#include "params.h"
#include "transfer.h"
#include "plan.h"
#include "../base/rand.h"


#define VM_N_MAX  16384


typedef int (*vm_check_pt)(vm_generation_t *g);


vm_generation_t *
vm_generation_create(vm_call_t *call, const vm_protocol_t *protocol)
{
    vm_generation_t  *g;

    g = vm_pool_calloc(call->pool, 1, sizeof(vm_generation_t));

    if (g) {
        g->protocol = protocol;
        g->call = call;
        g->settings = call->settings;
        g->pool = call->pool;
        g->created = (int64_t) call->now;
        g->dp_rank = VM_NEVER;
        g->nlogprobs = -1;
        g->nprompt_logprobs = -1;
        g->role = "assistant";
        g->interval = call->settings->stream_interval;
    }

    return g;
}


void
vm_generation_free(vm_generation_t *g)
{
    uint32_t  i;

    for (i = 0; i < g->nchoices; i++) {
        vm_buf_free(&g->choices[i].text);
    }

    json_decref(g->constraint);
    json_decref(g->prompted);
    json_decref(g->body);
}


int
vm_generation_parse(vm_generation_t *g, const json_t *body)
{
    if (g->protocol->parse(g, body) != VM_OK) {
        return VM_ERROR;
    }

    return vm_plan(g);
}


const char *
vm_generation_id(vm_generation_t *g, const char *prefix, const json_t *own)
{
    if (g->call->request_id) {
        return vm_pool_printf(g->pool, "%s%s", prefix, g->call->request_id);
    }

    if (own) {
        return vm_pool_printf(g->pool, "%s%s", prefix,
                              json_string_value(own));
    }

    return vm_pool_printf(g->pool, "%s%016llx", prefix,
                          (unsigned long long) g->call->random);
}


int
vm_generation_model(vm_generation_t *g, const json_t *model)
{
    int                    whole;       /* no NUL in it */
    size_t                 i;
    vm_buf_t               b;
    const char            *name;
    const vm_settings_t   *s;

    s = g->settings;

    name = model && json_string_length(model) ? json_string_value(model)
                                              : s->names.list[0];

    g->model.data = s->names.list[0];
    g->model.len = strlen(g->model.data);

    whole = model == NULL || strlen(name) >= json_string_length(model);

    for (i = 0; i < s->names.n; i++) {
        if (whole && strcmp(name, s->names.list[i]) == 0) {
            return VM_OK;
        }
    }

    if (whole && g->call->adapter
        && g->call->adapter(g->call->data, name, strlen(name), &g->adapter))
    {
        g->model = g->adapter.name;
        return VM_OK;
    }

    if (s->accept_any) {
        g->model.data = name;
        g->model.len = strlen(name);
        return VM_OK;
    }

    vm_buf_init(&b);

    for (i = 0; i < s->names.n; i++) {
        vm_buf_printf(&b, "%s%s", i ? ", " : "", s->names.list[i]);
    }

    vm_buf_char(&b, '\0');

    vm_error_printf(&g->call->error, g->pool, 404, "NotFoundError",
                    s->runner == VM_RUNNER_GENERATE ? "model" : NULL,
                    s->runner == VM_RUNNER_GENERATE
                    ? "The model `%s` does not exist. Valid aliases: %s."
                    : "The model `%s` does not exist.",
                    name, b.failed ? "" : b.data);
    vm_buf_free(&b);

    return VM_ERROR;
}


static int
vm_int_above(const vm_int_t *n, uint32_t limit)
{
    return n->set && n->v > (json_int_t) limit;
}


/* max_tokens and truncation against the model's length */

int
vm_generation_limits(vm_generation_t *g)
{
    uint32_t         max;
    const char      *name, *text;
    vm_error_t      *e;
    const vm_int_t  *n;

    e = &g->call->error;
    max = g->settings->max_model_len;

    n = &g->params.max_tokens;
    name = "max_tokens";

    if (g->params.max_completion_tokens.set) {
        n = &g->params.max_completion_tokens;
        name = "max_completion_tokens";
    }

    if (vm_int_above(n, max)) {
        text = vm_int_text(g->pool, n);

        return vm_error_text(e, g->pool, name, text,
                             vm_pool_printf(g->pool, "%s=%s cannot be greater "
                                            "than max_model_len=%u. Please "
                                            "request fewer output tokens.",
                                            name, text, max));
    }

    n = &g->params.truncate_prompt_tokens;

    if (vm_int_above(n, max)) {
        text = vm_int_text(g->pool, n);

        return vm_error_text(e, g->pool, "truncate_prompt_tokens", text,
                             vm_pool_printf(g->pool, "truncate_prompt_tokens="
                                            "%s cannot be greater than "
                                            "max_model_len = %u. Please "
                                            "request a smaller truncation "
                                            "size.", text, max));
    }

    return VM_OK;
}


/* How many tokens truncation keeps; VM_NEVER: all. */

static uint32_t
vm_truncate_to(const vm_generation_t *g)
{
    const vm_params_t  *p;

    p = &g->params;

    if (!p->truncate_prompt_tokens.set) {
        return VM_NEVER;
    }

    if (p->truncate_prompt_tokens.v >= 0) {
        return (uint32_t) p->truncate_prompt_tokens.v;
    }

    return g->settings->max_model_len
           - (p->max_tokens.v != 0 || p->max_completion_tokens.v != 0);
}


static int
vm_prompt_done(vm_generation_t *g, vm_prompt_t *p, const uint32_t *ids,
    size_t n)
{
    char         *value;
    uint32_t      keep, max;

    max = g->settings->max_model_len;
    keep = vm_truncate_to(g);

    if (n > keep) {

        if (g->params.truncation_side == NULL
            || strcmp(json_string_value(g->params.truncation_side), "left")
               == 0)
        {
            ids += n - keep;
            p->cut = 1;
        }

        n = keep;
    }

    if (n > max) {
        value = vm_pool_printf(g->pool, "%zu", n);

        return vm_error_text(&g->call->error, g->pool, "input_tokens", value,
                             vm_pool_printf(g->pool, "This model's maximum "
                                 "context length is %u tokens. However, your "
                                 "prompt contains %s%zu input tokens, which "
                                 "exceeds this limit even without any output "
                                 "tokens. Please reduce the length of the "
                                 "input prompt.", max,
                                 n == max + 1 ? "at least " : "", n));
    }

    p->ids = ids;
    p->n = (uint32_t) n;

    if (n == 0 && g->late.status == 0) {
        vm_error_bad(&g->late, "The decoder prompt cannot be empty");
    }

    return VM_OK;
}


int
vm_generation_prompt_text(vm_generation_t *g, vm_prompt_t *p,
    const char *text, size_t len, int special)
{
    char                  *value;
    size_t                 chars, limit, most;
    uint32_t               max, *ids;
    vm_ids_t               l;
    const vm_tokenizer_t  *t;

    t = g->settings->tokenizer;
    max = g->settings->max_model_len;

    p->text.data = text;
    p->text.len = len;

    chars = vm_value_chars(text, len);
    most = (size_t) max * vm_tokenizer_longest(t);

    if (chars > most && !g->params.truncate_prompt_tokens.set) {
        value = vm_pool_printf(g->pool, "%zu", chars);

        return vm_error_text(&g->call->error, g->pool, "input_text", value,
                             vm_pool_printf(g->pool, "This model's maximum "
                                 "context length is %u tokens. However, your "
                                 "prompt contains %zu characters (more than "
                                 "%zu characters, which is the upper bound "
                                 "for %u input tokens). Please reduce the "
                                 "length of the input prompt.", max, chars,
                                 most, max));
    }

    if (vm_value_surrogates(text, len)) {
        return vm_error_bad(&g->call->error, "TextEncodeInput must be "
                            "Union[TextInputSequence, Tuple[InputSequence, "
                            "InputSequence]]");
    }

    limit = g->params.truncate_prompt_tokens.set ? 0 : (size_t) max + 1;

    vm_ids_init(&l);

    ids = NULL;

    if ((special ? vm_tokenizer_encode_prompt(t, text, len, limit, &l)
                 : vm_tokenizer_encode(t, text, len, limit, &l))
        == VM_OK && !l.failed)
    {
        ids = vm_pool_alloc(g->pool, (l.n + 1) * sizeof(uint32_t));
    }

    if (ids == NULL) {
        vm_ids_free(&l);
        return vm_error_memory(&g->call->error);
    }

    if (l.n) {
        memcpy(ids, l.ids, l.n * sizeof(uint32_t));
    }

    chars = l.n;
    vm_ids_free(&l);

    if (limit && chars > limit) {
        chars = limit;
    }

    return vm_prompt_done(g, p, ids, chars);
}


int
vm_generation_take_ids(vm_generation_t *g, vm_prompt_t *p, const json_t *list)
{
    size_t     i, n;
    json_t    *item;
    uint32_t  *ids;
    vm_int_t   id;

    n = json_array_size(list);

    ids = vm_pool_alloc(g->pool, (n + 1) * sizeof(uint32_t));
    if (ids == NULL) {
        return vm_error_memory(&g->call->error);
    }

    json_array_foreach(list, i, item) {
        vm_field_int(item, &id);
        ids[i] = (uint32_t) id.v;

        if ((id.v < 0 || id.v >= (json_int_t) g->settings->vocab)
            && g->late.status == 0)
        {
            vm_error_printf(&g->late, g->pool, 400, "BadRequestError", NULL,
                            "Token id %s is out of vocabulary",
                            vm_int_text(g->pool, &id));
        }
    }

    p->ids = ids;
    p->n = (uint32_t) n;
    p->given = 1;

    return VM_OK;
}


int
vm_generation_prompt_ids(vm_generation_t *g, vm_prompt_t *p,
    const json_t *list)
{
    if (vm_generation_take_ids(g, p, list) != VM_OK) {
        return VM_ERROR;
    }

    return vm_prompt_done(g, p, p->ids, p->n);
}


/* ---- sampling parameters: 1.6, step 6 ---- */

static int
vm_float_error(vm_generation_t *g, const char *name, int param,
    const char *rule, double v)
{
    char      *message, *value;
    vm_buf_t   b;

    vm_buf_init(&b);
    vm_buf_double(&b, v);
    value = b.failed ? NULL : vm_pool_strdup(g->pool, b.data, b.len);
    vm_buf_free(&b);

    if (value == NULL) {
        return vm_error_memory(&g->call->error);
    }

    message = vm_pool_printf(g->pool, "%s %s, got %s.", name, rule, value);

    if (message == NULL) {
        return vm_error_memory(&g->call->error);
    }

    return param ? vm_error_text(&g->call->error, g->pool, name, value,
                                 message)
                 : vm_error_bad(&g->call->error, message);
}


static int
vm_check_bias(vm_generation_t *g)
{
    int          rc;
    json_t      *bad, *item, *name;
    vm_buf_t     b;
    vm_int_t     id;
    const char  *key;

    bad = json_array();

    json_object_foreach(g->params.logit_bias.json, key, item) {
        name = json_string_nocheck(key);

        if (!vm_field_int(name, &id) || strchr(key, '.')) {
            json_array_append(bad, name);
        }

        json_decref(name);
    }

    rc = VM_OK;

    if (json_array_size(bad)) {
        vm_buf_init(&b);
        vm_value_repr(&b, bad);
        vm_buf_char(&b, '\0');
        rc = vm_error_value(&g->call->error, g->pool, "logit_bias", bad,
                            vm_pool_printf(g->pool, "logit_bias contains "
                                "key(s) that cannot be converted to integer "
                                "token IDs: %s", b.data));
        vm_buf_free(&b);
    }

    json_decref(bad);

    return rc;
}


/* response_format and structured_outputs say the same: one constraint */

static int
vm_check_structured(vm_generation_t *g)
{
    char          *text;
    json_t        *all;
    const char    *type;
    const json_t  *format;

    format = g->params.response_format.json;
    type = json_string_value(json_object_get(format, "type"));

    if (type == NULL || strcmp(type, "text") == 0) {
        g->constraint = json_incref(g->params.structured_outputs.json);
        return VM_OK;
    }

    all = g->params.structured_outputs.json
          ? json_copy(g->params.structured_outputs.json) : json_object();
    g->constraint = all;

    if (strcmp(type, "json_object") == 0) {
        json_object_set_new(all, "json_object", json_true());

    } else if (strcmp(type, "json_schema") == 0) {
        format = json_object_get(format, "json_schema");
        json_object_set(all, "json", json_object_get(format, "schema"));

    } else {
        text = json_dumps(format, JSON_ENSURE_ASCII);
        json_object_set_new(all, "structural_tag",
                            json_string_nocheck(text ? text : "{}"));
        free(text);
    }

    return vm_rule_structured(all, &g->call->error, g->pool);
}


static int
vm_check_n(vm_generation_t *g)
{
    const vm_int_t  *n;

    n = &g->params.n;

    if (n->v < 1) {
        return vm_error_printf(&g->call->error, g->pool, 400,
                               "BadRequestError", NULL,
                               "n must be at least 1, got %s.",
                               vm_int_text(g->pool, n));
    }

    if (n->v > VM_N_MAX) {
        return vm_error_printf(&g->call->error, g->pool, 400,
                               "BadRequestError", NULL,
                               "n must be at most %d, got %s. To increase "
                               "this limit, set the VLLM_MAX_N_SEQUENCES "
                               "environment variable.", VM_N_MAX,
                               vm_int_text(g->pool, n));
    }

    return VM_OK;
}


static int
vm_check_xargs(vm_generation_t *g)
{
    if (vm_value_big(g->params.vllm_xargs.json)
        || vm_value_big(g->params.kv_transfer_params.json)
        || vm_value_big(g->params.ec_transfer_params.json))
    {
        return vm_error_param(&g->call->error, g->pool, "extra_args",
                              "extra_args integers must be between -2**63 "
                              "and 2**64 - 1.");
    }

    return VM_OK;
}


static int
vm_check_penalties(vm_generation_t *g)
{
    double              v;
    const vm_params_t  *p;

    p = &g->params;

    v = p->presence_penalty.v;

    if (!(v >= -2 && v <= 2)) {
        return vm_float_error(g, "presence_penalty", 0, "must be in [-2, 2]",
                              v);
    }

    v = p->frequency_penalty.v;

    if (!(v >= -2 && v <= 2)) {
        return vm_float_error(g, "frequency_penalty", 0, "must be in [-2, 2]",
                              v);
    }

    v = p->repetition_penalty.v;

    if (!isfinite(v)) {
        return vm_float_error(g, "repetition_penalty", 0,
                              "must be a finite number", v);
    }

    if (v <= 0) {
        return vm_float_error(g, "repetition_penalty", 0,
                              "must be greater than zero", v);
    }

    return VM_OK;
}


static int
vm_check_temperature(vm_generation_t *g)
{
    double  v;

    v = g->params.temperature.v;

    if (!isfinite(v)) {
        return vm_float_error(g, "temperature", 1, "must be a finite number",
                              v);
    }

    if (v < 0) {
        return vm_float_error(g, "temperature", 1, "must be non-negative", v);
    }

    if (v > 2) {
        return vm_float_error(g, "temperature", 1, "must be in [0, 2]", v);
    }

    return VM_OK;
}


static int
vm_check_top(vm_generation_t *g)
{
    double  v;

    v = g->params.top_p.v;

    if (!(v > 0 && v <= 1)) {
        return vm_float_error(g, "top_p", 1, "must be in (0, 1]", v);
    }

    if (g->params.top_k.v < -1) {
        return vm_error_printf(&g->call->error, g->pool, 400,
                               "BadRequestError", NULL,
                               "top_k must be 0 (disable), or at least 1, got "
                               "%s.", vm_int_text(g->pool, &g->params.top_k));
    }

    v = g->params.min_p.v;

    if (!(v >= 0 && v <= 1)) {
        return vm_float_error(g, "min_p", 0, "must be in [0, 1]", v);
    }

    return VM_OK;
}


/* How many tokens there may be at most, and at least. */

static int
vm_check_most(vm_generation_t *g, int64_t most)
{
    char            *value;
    const vm_int_t  *min;

    min = &g->params.min_tokens;

    if (most < 1) {
        value = vm_pool_printf(g->pool, "%lld", (long long) most);

        return vm_error_text(&g->call->error, g->pool, "max_tokens", value,
                             vm_pool_printf(g->pool, "max_tokens must be at "
                                            "least 1, got %s.", value));
    }

    if (min->v < 0) {
        return vm_error_printf(&g->call->error, g->pool, 400,
                               "BadRequestError", NULL,
                               "min_tokens must be greater than or equal to "
                               "0, got %s.", vm_int_text(g->pool, min));
    }

    if (min->v > most) {
        return vm_error_printf(&g->call->error, g->pool, 400,
                               "BadRequestError", NULL,
                               "min_tokens must be less than or equal to "
                               "max_tokens=%lld, got %s.", (long long) most,
                               vm_int_text(g->pool, min));
    }

    return VM_OK;
}


/*
 * max_tokens clamped to what the prompt leaves; all prompts in their order.
 * Without prompts the parameters are looked at as they are.
 */

static int
vm_check_max_tokens(vm_generation_t *g)
{
    int64_t          rest;
    uint32_t         i;
    const vm_int_t  *n;

    n = g->params.max_completion_tokens.set ? &g->params.max_completion_tokens
                                            : &g->params.max_tokens;

    if (g->nprompts == 0) {
        return vm_check_most(g, n->set ? n->v : INT64_MAX);
    }

    g->max_tokens = vm_pool_alloc(g->pool,
                                  (g->nprompts + 1) * sizeof(uint32_t));
    if (g->max_tokens == NULL) {
        return vm_error_memory(&g->call->error);
    }

    for (i = 0; i < g->nprompts; i++) {
        rest = (int64_t) g->settings->max_model_len - g->prompts[i].n;

        if (g->echo_only) {
            rest = vm_min(rest, 1);

        } else if (n->set || n->v) {
            rest = vm_min(rest, n->v);
        }

        if (vm_check_most(g, rest) != VM_OK) {
            return VM_ERROR;
        }

        g->max_tokens[i] = (uint32_t) rest;
    }

    return VM_OK;
}


/* What most protocols refuse before they come to it. */

static int
vm_check_counts(vm_generation_t *g)
{
    size_t           i;
    const char      *value;
    const vm_int_t  *n;

    const struct {
        const vm_int_t  *n;
        const char      *name;
    }  counts[] = {
        { &g->params.num_logprobs, "logprobs" },
        { &g->params.prompt_logprobs, "prompt_logprobs" }
    };

    n = &g->params.stream_interval;

    if (n->set && n->v < 1) {
        value = vm_int_text(g->pool, n);

        return vm_error_text(&g->call->error, g->pool, "stream_interval",
                             value,
                             vm_pool_printf(g->pool, "stream_interval must be "
                                            "at least 1, got %s.", value));
    }

    for (i = 0; i < vm_nelts(counts); i++) {
        n = counts[i].n;

        if (n->set && n->v < -1) {
            value = vm_int_text(g->pool, n);

            return vm_error_text(&g->call->error, g->pool, counts[i].name,
                                 value,
                                 vm_pool_printf(g->pool, "%s must be non-"
                                                "negative or -1, got %s.",
                                                counts[i].name, value));
        }
    }

    return VM_OK;
}


static int
vm_check_stop(vm_generation_t *g)
{
    int                  empty;
    size_t               i;
    json_t              *item;
    vm_buf_t             b;
    const vm_params_t   *p;

    p = &g->params;
    empty = json_is_string(p->stop.json)
            && json_string_length(p->stop.json) == 0;

    json_array_foreach(p->stop.json, i, item) {
        empty |= json_string_length(item) == 0;
    }

    if (empty) {
        return vm_error_bad(&g->call->error,
                            "stop cannot contain an empty string.");
    }

    json_array_foreach(p->bad_words.json, i, item) {
        empty |= json_string_length(item) == 0;
    }

    if (!empty) {
        return VM_OK;
    }

    vm_buf_init(&b);
    vm_value_repr(&b, p->bad_words.json);
    vm_buf_char(&b, '\0');
    vm_error_printf(&g->call->error, g->pool, 400, "BadRequestError", NULL,
                    "bad_words cannot contain an empty string. Got "
                    "bad_words=%s", b.failed ? "" : b.data);
    vm_buf_free(&b);

    return VM_ERROR;
}


static int
vm_check_greedy(vm_generation_t *g)
{
    g->greedy = g->params.temperature.v < VM_GREEDY;

    if (g->greedy && g->params.n.v > 1 && !g->params.use_beam_search) {
        return vm_error_printf(&g->call->error, g->pool, 400,
                               "BadRequestError", NULL,
                               "n must be 1 when using greedy sampling, got "
                               "%lld.", g->params.n.v);
    }

    return VM_OK;
}


/* ---- the engine's front end: step 7, found late ---- */

static int
vm_late_many(vm_generation_t *g, const char *what, const char *param,
    const char *max, json_int_t v)
{
    char  *value;

    if (v == -1) {
        v = g->settings->vocab;
    }

    if (v <= (json_int_t) g->settings->max_logprobs
        || g->settings->max_logprobs == VM_NEVER)
    {
        return VM_OK;
    }

    value = vm_pool_printf(g->pool, "%lld", v);

    return vm_error_text(&g->late, g->pool, param, value,
                         vm_pool_printf(g->pool, "Requested %s of %s, which "
                                        "is greater than max allowed: %s",
                                        what, value, max));
}


static int
vm_late_logprobs(vm_generation_t *g)
{
    char                max[16];
    vm_int_t            n;
    const vm_params_t  *p;

    p = &g->params;
    snprintf(max, sizeof(max), "%u", g->settings->max_logprobs);

    n = p->num_logprobs;

    if (p->logprobs && p->logprob_token_ids.json == NULL) {
        n = p->top_logprobs;
        n.set = 1;
    }

    if (n.set && vm_late_many(g, "sample logprobs", "logprobs", max, n.v)
                 != VM_OK)
    {
        return VM_ERROR;
    }

    if (json_array_size(p->logprob_token_ids.json) > 128) {
        return vm_error_printf(&g->late, g->pool, 400, "BadRequestError",
                               "logprob_token_ids", "Requested "
                               "logprob_token_ids of length %zu, which is "
                               "greater than max allowed: 128 (parameter="
                               "logprob_token_ids, value=%zu)",
                               json_array_size(p->logprob_token_ids.json),
                               json_array_size(p->logprob_token_ids.json));
    }

    n = p->prompt_logprobs;

    return n.set ? vm_late_many(g, "prompt logprobs", "prompt_logprobs", max,
                                n.v)
                 : VM_OK;
}


static int
vm_late_vocab(vm_generation_t *g, const char *name, const json_t *ids)
{
    int          rc;
    size_t       i;
    json_t      *bad, *item;
    vm_buf_t     b;
    vm_int_t     id;

    bad = json_array();

    json_array_foreach(ids, i, item) {
        vm_field_int(item, &id);

        if (id.v < 0 || id.v >= (json_int_t) g->settings->vocab) {
            json_array_append_new(bad, id.big ? json_incref(item)
                                              : json_integer(id.v));
        }
    }

    rc = VM_OK;

    if (json_array_size(bad)) {
        vm_buf_init(&b);
        vm_value_repr(&b, bad);
        vm_buf_char(&b, '\0');
        rc = vm_error_value(&g->late, g->pool, name, bad,
                            vm_pool_printf(g->pool, "token_id(s) %s in %s "
                                "contain out-of-vocab token ids. Vocabulary "
                                "size: %u", b.data, name,
                                g->settings->vocab));
        vm_buf_free(&b);
    }

    json_decref(bad);

    return rc;
}


static int
vm_late_ids(vm_generation_t *g)
{
    int                  rc;
    size_t               i;
    json_t              *ids, *item;
    vm_int_t             id;
    const char          *key;
    const vm_params_t   *p;

    p = &g->params;

    if (vm_late_vocab(g, "stop_token_ids", p->stop_token_ids.json) != VM_OK) {
        return VM_ERROR;
    }

    ids = json_array();

    json_object_foreach(p->logit_bias.json, key, item) {
        json_array_append_new(ids, json_integer(strtoll(key, NULL, 10)));
    }

    rc = vm_late_vocab(g, "logit_bias", ids);
    json_decref(ids);

    if (rc != VM_OK
        || vm_late_vocab(g, "logprob_token_ids", p->logprob_token_ids.json)
           != VM_OK)
    {
        return VM_ERROR;
    }

    if (p->allowed_token_ids.json == NULL) {
        return VM_OK;
    }

    if (json_array_size(p->allowed_token_ids.json) == 0) {
        return vm_error_value(&g->late, g->pool, "allowed_token_ids",
                              p->allowed_token_ids.json,
                              "allowed_token_ids is not None and empty!");
    }

    json_array_foreach(p->allowed_token_ids.json, i, item) {
        vm_field_int(item, &id);

        if (id.v < 0 || id.v >= (json_int_t) g->settings->vocab) {
            return vm_error_value(&g->late, g->pool, "allowed_token_ids",
                                  p->allowed_token_ids.json,
                                  "allowed_token_ids contains out-of-vocab "
                                  "token id!");
        }
    }

    return VM_OK;
}


static int
vm_late_budget(vm_generation_t *g)
{
    const json_t  *budget;

    budget = g->params.thinking_token_budget.json;

    if (budget && vm_value_float(budget) >= 0
        && g->settings->reasoning_parser == NULL)
    {
        return vm_error_bad(&g->late, "thinking_token_budget is set but "
                            "reasoning_config is not configured. Please set "
                            "--reasoning-parser and/or --reasoning-config to "
                            "use thinking_token_budget.");
    }

    return VM_OK;
}


static int
vm_late_rank(vm_generation_t *g)
{
    char        *end;
    long long    rank;
    const char  *s;

    s = g->call->dp_rank;

    if (s == NULL) {
        return VM_OK;
    }

    rank = strtoll(s, &end, 10);

    if (end == s || *end) {
        return VM_OK;                   /* no integer: ignored */
    }

    if (rank < 0 || rank >= (long long) g->settings->data_parallel) {
        return vm_error_printf(&g->late, g->pool, 400, "BadRequestError",
                               NULL, "data_parallel_rank %lld is out of range "
                               "[0, %u).", rank, g->settings->data_parallel);
    }

    g->dp_rank = (uint32_t) rank;

    return VM_OK;
}


static const vm_check_pt  vm_checks[] = {
    vm_check_bias,
    vm_check_structured,
    vm_check_n,
    vm_check_xargs,
    vm_check_penalties,
    vm_check_temperature,
    vm_check_top,
    vm_check_max_tokens,
    vm_check_counts,
    vm_check_stop,
    vm_check_greedy
};

static const vm_check_pt  vm_late_checks[] = {
    vm_late_logprobs,
    vm_late_ids,
    vm_late_budget,
    vm_late_rank
};


int
vm_generation_params(vm_generation_t *g)
{
    size_t  i;

    for (i = 0; i < vm_nelts(vm_checks); i++) {
        if (vm_checks[i](g) != VM_OK) {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


void
vm_generation_late(vm_generation_t *g)
{
    size_t      i;
    vm_error_t  prompt;

    /* what a prompt complained about comes after these */

    prompt = g->late;
    g->late.status = 0;

    for (i = 0; i < vm_nelts(vm_late_checks); i++) {
        if (vm_late_checks[i](g) != VM_OK) {
            break;
        }
    }

    if (g->late.status == 0) {
        g->late = prompt;
    }
}


int
vm_generation_trusted(const vm_settings_t *s, const json_t *template,
    const json_t *kwargs, vm_error_t *e)
{
    if (s->trust_chat_template
        || (template == NULL
            && vm_value_get(kwargs, "chat_template") == NULL))
    {
        return VM_OK;
    }

    return vm_error_bad(e, "Chat template is passed with request, but "
                           "--trust-request-chat-template is not set. Refused "
                           "request with untrusted chat template.");
}


int
vm_generation_media(vm_generation_t *g)
{
    const char  *name;

    if (g->settings->trust_mm_kwargs) {
        return VM_OK;
    }

    if (json_object_size(g->params.mm_processor_kwargs.json)) {
        name = "mm_processor_kwargs";

    } else if (json_object_size(g->params.media_io_kwargs.json)) {
        name = "media_io_kwargs";

    } else {
        return VM_OK;
    }

    return vm_error_param(&g->call->error, g->pool, name,
                          vm_pool_printf(g->pool, "Per-request %s are disabled "
                              "by default because they can change multimodal "
                              "%s resource usage. Start the server with "
                              "--trust-request-mm-kwargs only when clients "
                              "are trusted.", name,
                              name[1] == 'm' ? "preprocessing"
                                             : "media loading"));
}


int
vm_generation_beam(vm_generation_t *g)
{
    if (g->rendered && g->params.use_beam_search) {
        return vm_error_bad(&g->call->error, "Beam search is not supported "
                            "by the render endpoint");
    }

    return VM_OK;
}


int
vm_generation_sampling(vm_generation_t *g)
{
    char       *end;
    long long   priority;

    if (vm_generation_params(g) != VM_OK) {
        return VM_ERROR;
    }

    vm_generation_late(g);

    g->n = (uint32_t) g->params.n.v;
    g->priority = g->params.priority.v;

    if (g->call->priority) {
        priority = strtoll(g->call->priority, &end, 10);

        if (end != g->call->priority && *end == '\0') {
            g->priority = priority;
        }
    }

    if (g->params.stream_interval.set) {
        g->interval = (uint32_t) vm_min(g->params.stream_interval.v,
                                        UINT32_MAX);
    }

    return VM_OK;
}


void
vm_generation_stream(vm_generation_t *g)
{
    uint8_t              yes;
    const json_t        *o;
    const vm_params_t   *p;

    p = &g->params;
    o = p->stream_options.json;

    g->stream = p->stream;

    if (vm_field_bool(vm_value_get(o, "include_usage"), &yes)) {
        g->include_usage = yes;
    }

    if (vm_field_bool(vm_value_get(o, "continuous_usage_stats"), &yes)) {
        g->continuous_usage = yes && g->include_usage;
    }

    if (g->settings->force_usage) {
        g->include_usage = 1;
        g->continuous_usage = 1;
    }

    g->tokens_as_ids = p->return_tokens_as_token_ids
                       || g->settings->tokens_as_ids;
    g->token_ids = p->return_token_ids;

    vm_transfer_parse(g);
}


uint64_t
vm_generation_prompt_tokens(const vm_generation_t *g)
{
    uint32_t  i;
    uint64_t  n;

    for (n = 0, i = 0; i < g->nprompts; i++) {
        n += g->prompts[i].n;
    }

    return n;
}


uint64_t
vm_generation_output_tokens(const vm_generation_t *g)
{
    uint32_t  i;
    uint64_t  n;

    for (n = 0, i = 0; i < g->nchoices; i++) {
        n += g->choices[i].made;
    }

    return n;
}


uint64_t
vm_generation_cached_tokens(const vm_generation_t *g)
{
    uint32_t  i;
    uint64_t  n;

    for (n = 0, i = 0; i < g->nchoices; i += g->n) {
        n += g->choices[i].cached_tokens;
    }

    return n;
}
