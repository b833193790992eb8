/*
 * /v1/embeddings, /pooling, /classify, and what all that is pooled has in
 * common.  Classes follow from the prompt's tokens.
 */

#include <math.h>
#include "message.h"
#include "pooling.h"
#include "../base/rand.h"


#define VM_POOLED_INPUTS  2048      /* prompts of a request */
#define VM_POOLED_WIDTH   1536      /* as OpenAI's and the seed's */
#define VM_POOLED_WIDEST  8192


/* ---- requests ---- */

const vm_type_t  vm_pooled_truncate_type = {
    .kind = VM_T_INT, .has_ge = 1, .ge = -1
};

static const char *const  vm_pooled_paddings[] = {
    "max_length", "do_not_pad", NULL
};

const vm_type_t  vm_pooled_padding_type = {
    .kind = VM_T_LITERAL, .values = vm_pooled_paddings
};

/* A boolean that may be left out: three values. */

static const vm_type_t *const  vm_bool_any_branches[] = {
    &vm_bool_type, NULL
};

const vm_type_t  vm_bool_any_type = {
    .kind = VM_T_UNION, .branches = vm_bool_any_branches
};

static const vm_type_t  vm_pooled_id_lists_type = {
    .kind = VM_T_LIST, .item = &vm_int_list_type
};

static const vm_type_t *const  vm_pooled_input_branches[] = {
    &vm_int_list_type, &vm_pooled_id_lists_type, &vm_str_type,
    &vm_str_list_type, NULL
};

static const vm_type_t  vm_pooled_input_type = {
    .kind = VM_T_UNION, .branches = vm_pooled_input_branches
};

static const vm_type_t  vm_pooled_talk_type = {
    .kind = VM_T_LIST, .item = &vm_message_type, .min_items = 1
};

static const vm_type_t  vm_pooled_talks_type = {
    .kind = VM_T_SEQUENCE, .item = &vm_pooled_talk_type, .min_items = 1
};

static const vm_type_t  vm_pooled_media_type = {
    .kind = VM_T_DICT, .item = &vm_dict_type
};

static const char *const  vm_pooled_formats[] = {
    "float", "base64", "bytes", "bytes_only", NULL
};

static const vm_type_t  vm_pooled_format_type = {
    .kind = VM_T_LITERAL, .values = vm_pooled_formats
};

/* in the order of vm_dtype_e */

static const char *const  vm_pooled_dtypes[] = {
    "float32", "float16", "bfloat16", "fp8_e4m3", "fp8_e5m2", NULL
};

static const vm_type_t  vm_pooled_dtype_type = {
    .kind = VM_T_LITERAL, .values = vm_pooled_dtypes
};

static const char *const  vm_pooled_ends[] = {
    "native", "big", "little", NULL
};

static const vm_type_t  vm_pooled_end_type = {
    .kind = VM_T_LITERAL, .values = vm_pooled_ends
};

static const char *const  vm_pooled_tasks[] = {
    "embed", "classify", "token_embed", "token_classify", "plugin",
    "embed&token_classify", NULL
};

static const vm_type_t  vm_pooled_task_type = {
    .kind = VM_T_LITERAL, .values = vm_pooled_tasks
};

#define VM_POOLED_ENCODING                                                    \
    vm_pooled_row(encoding_format, vm_pooled_format_type, VM_F_NOTNULL),      \
    vm_pooled_row(embed_dtype, vm_pooled_dtype_type, VM_F_NOTNULL),           \
    vm_pooled_row(endianness, vm_pooled_end_type, VM_F_NOTNULL)

#define VM_POOLED_EMBED                                                       \
    VM_POOLED_ENCODING,                                                       \
    vm_pooled_row(dimensions, vm_int_type, 0),                                \
    VM_POOLED_ACTIVATION

#define VM_POOLED_INPUT                                                       \
    vm_pooled_need("input", vm_pooled_input_type, input)

#define VM_POOLED_SPECIAL(yes)                                                \
    vm_param(add_special_tokens, vm_bool_type, VM_F_NOTNULL, yes)

#define VM_POOLED_TEMPLATE                                                    \
    vm_param(add_generation_prompt, vm_bool_type, VM_F_NOTNULL, 0),           \
    vm_param(continue_final_message, vm_bool_type, VM_F_NOTNULL, 0),          \
    vm_param(chat_template, vm_str_type, 0, 0),                               \
    vm_param(chat_template_kwargs, vm_dict_type, 0, 0),                       \
    vm_param(media_io_kwargs, vm_pooled_media_type, 0, 0)

#define VM_POOLED_MESSAGES(type)                                              \
    vm_param(messages, type, VM_F_REQUIRED|VM_F_NOTNULL, 0)

#define VM_POOLED_TASK  vm_pooled_row(task, vm_pooled_task_type, 0)

#define vm_pooled_class(name, ...)                                            \
                                                                              \
static const vm_field_t  name##_fields[] = { __VA_ARGS__, vm_field_end };     \
                                                                              \
static const vm_type_t  name = {                                              \
    .kind = VM_T_MODEL, .fields = name##_fields                               \
}

/* Fields stand in pydantic's order: those of the last base class first. */

vm_pooled_class(vm_embed_input_class,
    VM_POOLED_SPECIAL(1), VM_POOLED_PADDING,
    VM_POOLED_EMBED, VM_POOLED_INPUT, VM_POOLED_WHO, VM_POOLED_HOW);
vm_pooled_class(vm_embed_chat_class,
    VM_POOLED_SPECIAL(0), VM_POOLED_PADDING,
    VM_POOLED_EMBED, VM_POOLED_TEMPLATE, VM_POOLED_MESSAGES(vm_messages_type),
    VM_POOLED_WHO, VM_POOLED_HOW);
vm_pooled_class(vm_embed_batch_class,
    VM_POOLED_SPECIAL(0), VM_POOLED_PADDING,
    VM_POOLED_EMBED, VM_POOLED_TEMPLATE, VM_POOLED_WHO, VM_POOLED_HOW,
    VM_POOLED_MESSAGES(vm_pooled_talks_type));
vm_pooled_class(vm_embed_chat_input_class,
    VM_POOLED_SPECIAL(0), VM_POOLED_PADDING,
    VM_POOLED_EMBED, VM_POOLED_TEMPLATE, VM_POOLED_MESSAGES(vm_messages_type),
    VM_POOLED_WHO, VM_POOLED_HOW,
    vm_pooled_need("input", vm_messages_type, input));
vm_pooled_class(vm_embed_batch_input_class,
    VM_POOLED_SPECIAL(0), VM_POOLED_PADDING,
    VM_POOLED_EMBED, VM_POOLED_TEMPLATE, VM_POOLED_WHO, VM_POOLED_HOW,
    VM_POOLED_MESSAGES(vm_pooled_talks_type),
    vm_pooled_need("input", vm_pooled_talks_type, input));

static const vm_type_t *const  vm_embed_classes[] = {
    &vm_embed_input_class, &vm_embed_chat_class, &vm_embed_batch_class,
    &vm_embed_chat_input_class, &vm_embed_batch_input_class, NULL
};

vm_pooled_class(vm_pooling_input_class,
    VM_POOLED_SPECIAL(1),
    VM_POOLED_EMBED, VM_POOLED_INPUT, VM_POOLED_BASIC, VM_POOLED_TASK);
vm_pooled_class(vm_pooling_chat_class,
    VM_POOLED_SPECIAL(0),
    VM_POOLED_EMBED, VM_POOLED_TEMPLATE, VM_POOLED_MESSAGES(vm_messages_type),
    VM_POOLED_BASIC, VM_POOLED_TASK);
vm_pooled_class(vm_pooling_plugin_class,
    VM_POOLED_ENCODING, VM_POOLED_BASIC,
    { "data", &vm_any_type, VM_F_REQUIRED, offsetof(vm_pooled_t, data), 0,
      NULL },
    vm_pooled_row(task, vm_pooled_task_type, VM_F_NOTNULL));

static const vm_type_t *const  vm_pooling_classes[] = {
    &vm_pooling_input_class, &vm_pooling_chat_class, &vm_pooling_plugin_class,
    NULL
};

vm_pooled_class(vm_classify_input_class,
    VM_POOLED_SPECIAL(1),
    VM_POOLED_ACTIVATION, VM_POOLED_INPUT, VM_POOLED_BASIC);
vm_pooled_class(vm_classify_chat_class,
    VM_POOLED_SPECIAL(0),
    VM_POOLED_ACTIVATION, VM_POOLED_TEMPLATE,
    VM_POOLED_MESSAGES(vm_messages_type), VM_POOLED_BASIC);

static const vm_type_t *const  vm_classify_classes[] = {
    &vm_classify_input_class, &vm_classify_chat_class, NULL
};


/* ---- rules on the raw body ---- */

static int
vm_pooled_removed(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    const char  *task;

    if (json_object_get(body, "normalize")) {
        return vm_error_param(e, pool, "normalize",
                              "Parameter `normalize` was removed; use "
                              "`use_activation` instead.");
    }

    task = json_string_value(json_object_get(body, "task"));

    if (task && strcmp(task, "score") == 0) {
        return vm_error_param(e, pool, "task",
                              "`score` task was removed; use `classify` "
                              "instead.");
    }

    if (task && strcmp(task, "encode") == 0) {
        return vm_error_param(e, pool, "task",
                              "`encode` task was removed; use `token_embed` "
                              "or `token_classify` instead.");
    }

    return VM_OK;
}


/* A conversation: messages with a role each. */

static int
vm_pooled_is_talk(const json_t *v)
{
    size_t   i;
    json_t  *item;

    if (json_array_size(v) == 0) {
        return 0;
    }

    json_array_foreach(v, i, item) {
        if (!json_is_string(json_object_get(item, "role"))) {
            return 0;
        }
    }

    return 1;
}


static int
vm_pooled_are_talks(const json_t *v)
{
    size_t   i;
    json_t  *item;

    if (json_array_size(v) == 0) {
        return 0;
    }

    json_array_foreach(v, i, item) {
        if (!vm_pooled_is_talk(item)) {
            return 0;
        }
    }

    return 1;
}


static int
vm_pooled_true(const json_t *body, const char *name)
{
    const json_t  *v;

    v = json_object_get(body, name);

    return v && !json_is_false(v) && !json_is_null(v)
           && !(json_is_integer(v) && json_integer_value(v) == 0)
           && !(json_is_string(v) && json_string_length(v) == 0);
}


/*
 * Classes that have messages refuse two wishes that exclude each other,
 * whatever class the body fits in the end.
 */

static int
vm_pooled_wishes(const vm_type_t *const *classes, const json_t *body,
    vm_error_t *e)
{
    const vm_field_t  *f;

    for ( /* void */ ; *classes; classes++) {
        for (f = (*classes)->fields; f->name; f++) {

            if (strcmp(f->name, "continue_final_message") == 0
                && vm_pooled_true(body, "continue_final_message")
                && vm_pooled_true(body, "add_generation_prompt"))
            {
                return vm_error_bad(e, "Cannot set both "
                                       "`continue_final_message` and "
                                       "`add_generation_prompt` to True.");
            }
        }
    }

    return VM_OK;
}


int
vm_pooled_load(vm_generation_t *g, const vm_type_t *const *classes,
    const json_t *body, vm_pooled_t *q)
{
    int                rc;
    size_t             before;
    json_t            *own;
    vm_error_t        *e;
    const json_t      *b, *input;
    vm_violations_t    x;

    e = &g->call->error;

    if (vm_pooled_removed(body, e, g->pool) != VM_OK
        || vm_rule_cache_salt(body, e, g->pool) != VM_OK
        || vm_pooled_wishes(classes, body, e) != VM_OK)
    {
        return VM_ERROR;
    }

    vm_violations_init(&x, e, g->pool);
    input = json_object_get(body, "messages") ? NULL
                                              : json_object_get(body, "input");
    own = NULL;
    rc = VM_ERROR;

    for ( /* void */ ; *classes && rc == VM_ERROR && !e->status; classes++) {
        b = body;

        /* a conversation may stand in "input" */

        if ((*classes == &vm_embed_chat_input_class
             && vm_pooled_is_talk(input))
            || (*classes == &vm_embed_batch_input_class
                && vm_pooled_are_talks(input)))
        {
            json_decref(own);
            own = json_copy((json_t *) (uintptr_t) body);
            json_object_set(own, "messages", (json_t *) (uintptr_t) input);
            b = own;
        }

        memset(q, 0, sizeof(vm_pooled_t));
        before = x.count;

        (void) vm_model_check(*classes, b, "body", q, &x);

        rc = x.count == before && !e->status ? VM_OK : VM_ERROR;
    }

    if (rc != VM_OK && !e->status) {
        vm_violations_report(&x);
    }

    vm_violations_free(&x);

    /* what it points to lies in the body too */

    json_decref(own);
    g->params = q->params;

    return rc;
}


/* ---- from a request to a generation ---- */

int
vm_pooled_begin(vm_generation_t *g, const vm_pooled_t *q, const char *prefix)
{
    (void) q;

    g->pooling = 1;
    g->created = (int64_t) g->call->now;
    g->priority = g->params.priority.v;
    g->id = vm_generation_id(g, prefix, g->params.request_id);

    if (g->id == NULL) {
        return vm_error_memory(&g->call->error);
    }

    if (vm_generation_media(g) != VM_OK
        || vm_generation_model(g, g->params.model) != VM_OK)
    {
        return VM_ERROR;
    }

    if (g->params.truncate_prompt_tokens.v
        > (json_int_t) g->settings->max_model_len)
    {
        return vm_error_bad(&g->call->error, "truncate_prompt_tokens value is "
                            "greater than max_model_len. Please request a "
                            "smaller truncation size.");
    }

    if (vm_generation_trusted(g->settings, g->params.chat_template,
                              g->params.chat_template_kwargs.json,
                              &g->call->error) != VM_OK)
    {
        return VM_ERROR;
    }

    return VM_OK;
}


vm_prompt_t *
vm_pooled_prompts(vm_generation_t *g, size_t n)
{
    vm_prompt_t  *list;

    if (g->nprompts + n > VM_POOLED_INPUTS) {
        vm_error_printf(&g->call->error, g->pool, 400, "BadRequestError",
                        "input", "input list length %zu exceeds the maximum "
                        "allowed count of %d. (parameter=input)",
                        g->nprompts + n, VM_POOLED_INPUTS);
        return NULL;
    }

    list = vm_pool_calloc(g->pool, g->nprompts + n, sizeof(vm_prompt_t));

    if (list == NULL) {
        vm_error_memory(&g->call->error);
        return NULL;
    }

    if (g->nprompts) {
        memcpy(list, g->prompts, g->nprompts * sizeof(vm_prompt_t));
    }

    g->prompts = list;
    list += g->nprompts;
    g->nprompts += (uint32_t) n;

    return list;
}


int
vm_pooled_prompt(vm_generation_t *g, vm_prompt_t *p, const json_t *v)
{
    int  rc;

    rc = json_is_array(v)
         ? vm_generation_prompt_ids(g, p, v)
         : vm_generation_prompt_text(g, p, json_string_value(v),
                                     json_string_length(v),
                                     g->params.add_special_tokens);

    if (rc == VM_OK && g->late.status) {
        g->call->error = g->late;
        return VM_ERROR;
    }

    return rc;
}


int
vm_pooled_chat(vm_generation_t *g, vm_prompt_t *p, const json_t *messages)
{
    int            rc;
    char          *text;
    vm_buf_t       b;
    vm_template_t  t;

    memset(&t, 0, sizeof(vm_template_t));
    t.model = g->settings->names.list[0];
    t.media = g->settings->all_endpoints != 0;
    t.generate = g->params.add_generation_prompt != 0;
    t.go_on = g->params.continue_final_message != 0;

    vm_buf_init(&b);
    rc = vm_messages_render(messages, &t, &b, &g->call->error, g->pool);

    if (rc == VM_OK) {
        text = vm_pool_strdup(g->pool, b.data ? b.data : "", b.len);
        rc = text ? vm_generation_prompt_text(g, p, text, b.len,
                                              g->params.add_special_tokens)
                  : vm_error_memory(&g->call->error);
    }

    vm_buf_free(&b);

    return rc;
}


/* One input or many: a text, ids, or a list of either. */

static int
vm_pooled_single(const json_t *input)
{
    return json_is_string(input)
           || (json_array_size(input)
               && !json_is_string(json_array_get(input, 0))
               && !json_is_array(json_array_get(input, 0)));
}


static int
vm_pooled_inputs(vm_generation_t *g, const vm_pooled_t *q)
{
    int            one, talk;
    size_t         i, n;
    vm_prompt_t   *p;
    const json_t  *item, *v;

    v = g->params.messages.json;
    talk = v != NULL;

    if (talk) {
        one = !json_is_array(json_array_get(v, 0));

    } else {
        v = q->input.json;
        one = vm_pooled_single(v);
    }

    n = one ? 1 : json_array_size(v);

    if (n == 0) {
        return vm_error_bad(&g->call->error,
                            "You must pass at least one prompt");
    }

    p = vm_pooled_prompts(g, n);

    if (p == NULL) {
        return VM_ERROR;
    }

    for (i = 0; i < n; i++) {
        item = one ? v : json_array_get(v, i);

        if ((talk ? vm_pooled_chat(g, &p[i], item)
                  : vm_pooled_prompt(g, &p[i], item))
            != VM_OK)
        {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


uint32_t
vm_pooled_dims(const vm_generation_t *g)
{
    return g->settings->runner == VM_RUNNER_GENERATE
           ? VM_POOLED_WIDTH : g->settings->hidden_size;
}


/* Fewer dimensions than the model has: a generating server's have any. */

static int
vm_pooled_dimensions(vm_generation_t *g, const vm_int_t *n, uint32_t *dims)
{
    *dims = vm_pooled_dims(g);

    if (!n->set) {
        return VM_OK;
    }

    if (g->settings->runner != VM_RUNNER_GENERATE) {
        return vm_error_printf(&g->call->error, g->pool, 400,
                               "BadRequestError", NULL,
                               "Model '%s' does not support Matryoshka "
                               "embeddings; dimensions must be unset "
                               "(received dimensions=%s).",
                               g->settings->names.list[0],
                               vm_int_text(g->pool, n));
    }

    if (n->v < 1 || n->v > VM_POOLED_WIDEST) {
        return vm_error_text(&g->call->error, g->pool, "dimensions",
                             vm_int_text(g->pool, n),
                             "dimensions must be in [1, 8192].");
    }

    *dims = (uint32_t) n->v;

    return VM_OK;
}


int
vm_pooled_done(vm_generation_t *g, vm_pooled_t *q)
{
    uint32_t     i;
    vm_pooled_t  *own;

    if (vm_pooled_dimensions(g, q->dimensions.set ? &q->dimensions
                                                  : &q->output_dimension,
                             &q->dims)
        != VM_OK)
    {
        return VM_ERROR;
    }

    own = vm_pool_alloc(g->pool, sizeof(vm_pooled_t));
    g->max_tokens = vm_pool_calloc(g->pool, g->nprompts, sizeof(uint32_t));

    if (own == NULL || g->max_tokens == NULL) {
        return vm_error_memory(&g->call->error);
    }

    for (i = 0; i < g->nprompts; i++) {
        g->max_tokens[i] = 1;
    }

    *own = *q;
    g->own = own;
    g->n = 1;
    g->dp_rank = VM_NEVER;

    return VM_OK;
}


/* ---- answers ---- */

int
vm_pooled_activation(const vm_pooled_t *q)
{
    uint8_t  on;

    on = 1;

    if (q->use_activation.json) {
        (void) vm_field_bool(q->use_activation.json, &on);
    }

    return on;
}


void
vm_pooled_head(vm_generation_t *g, int list, vm_buf_t *out)
{
    vm_buf_lit(out, "{\"id\":");
    vm_buf_json(out, g->id, strlen(g->id));

    if (list) {
        vm_buf_lit(out, ",\"object\":\"list\",\"created\":");
        vm_buf_int(out, g->created);
    }

    vm_buf_lit(out, ",\"model\":");
    vm_buf_json(out, g->model.data, g->model.len);
}


void
vm_pooled_usage(const vm_generation_t *g, vm_buf_t *out)
{
    unsigned long long  n;

    n = (unsigned long long) vm_generation_prompt_tokens(g);

    vm_buf_printf(out, "\"usage\":{\"prompt_tokens\":%llu,"
                  "\"total_tokens\":%llu,\"completion_tokens\":0,"
                  "\"prompt_tokens_details\":null,"
                  "\"completion_tokens_details\":null}", n, n);
}


void
vm_pooled_nothing(vm_generation_t *g, vm_buf_t *out)
{
    (void) g;
    (void) out;
}


/*
 * Probabilities of a prompt's classes (what they are made of, without
 * activation); the answer is the best one's number.
 */

static uint32_t
vm_pooled_classes(const vm_generation_t *g, const vm_pooled_t *q,
    const vm_prompt_t *p, float *probs, uint32_t *n)
{
    float     sum;
    uint32_t  best, i;
    uint64_t  key;

    *n = vm_min(g->settings->num_labels, VM_POOLING_LABELS);
    key = vm_rand_bytes(p->ids, p->n * sizeof(uint32_t), g->settings->seed);

    for (best = 0, i = 0; i < *n; i++) {
        probs[i] = (float) vm_rand_normal(key, i);
        best = probs[i] > probs[best] ? i : best;
    }

    if (!vm_pooled_activation(q)) {
        return best;
    }

    for (sum = 0, i = 0; i < *n; i++) {
        probs[i] = expf(probs[i]);
        sum += probs[i];
    }

    for (i = 0; i < *n; i++) {
        probs[i] /= sum;
    }

    return best;
}


/* A prompt's numbers, in memory of the pool. */

static float *
vm_pooled_numbers(vm_generation_t *g, const vm_pooled_t *q,
    const vm_prompt_t *p, uint32_t *n)
{
    float  *v;

    *n = q->dims;

    v = vm_pool_alloc(g->pool, vm_max(q->dims, VM_POOLING_LABELS)
                               * sizeof(float));
    if (v == NULL) {
        return NULL;
    }

    if (g->settings->runner == VM_RUNNER_CLASSIFY) {
        (void) vm_pooled_classes(g, q, p, v, n);

    } else {
        vm_vector_make(p->ids, p->n, q->dims, vm_pooled_activation(q), v);
    }

    return v;
}


/* Numbers as bytes; what they are stands in a header of the answer. */

static void
vm_pooled_bytes(vm_generation_t *g, const vm_pooled_t *q, vm_dtype_e dtype,
    int big, int described, vm_buf_t *out)
{
    float               *v;
    size_t               at;
    uint32_t             i, n;
    vm_buf_t             b;
    unsigned long long   tokens;

    vm_buf_init(&b);
    vm_buf_lit(&b, "{\"id\": ");
    vm_buf_json(&b, g->id, strlen(g->id));
    vm_buf_printf(&b, ", \"created\": %lld, \"model\": ",
                  (long long) g->created);
    vm_buf_json(&b, g->model.data, g->model.len);
    vm_buf_lit(&b, ", \"data\": [");

    for (at = 0, i = 0; i < g->nprompts; i++) {
        v = vm_pooled_numbers(g, q, &g->prompts[i], &n);

        if (v == NULL) {
            out->failed = 1;
            break;
        }

        vm_vector_bytes(v, n, dtype, big, out);

        vm_buf_printf(&b, "%s{\"index\": %u, \"embed_dtype\": \"%s\", "
                      "\"endianness\": \"%s\", \"start\": %zu, \"end\": %zu, "
                      "\"shape\": [%u]}", i ? ", " : "", i,
                      vm_pooled_dtypes[dtype],
                      q->endianness ? json_string_value(q->endianness)
                                    : "native",
                      at, out->len, n);
        at = out->len;
    }

    tokens = (unsigned long long) vm_generation_prompt_tokens(g);
    vm_buf_printf(&b, "], \"usage\": {\"prompt_tokens\": %llu, "
                  "\"total_tokens\": %llu}}", tokens, tokens);

    g->type = "application/octet-stream";

    if (described) {
        g->metadata = vm_pool_strdup(g->pool, b.data ? b.data : "", b.len);
        out->failed |= b.failed || g->metadata == NULL;
    }

    vm_buf_free(&b);
}


/* "object" names what a prompt became, "key" holds its numbers. */

static void
vm_pooled_answer(vm_generation_t *g, const char *object, const char *key,
    vm_buf_t *out)
{
    int           big;
    float        *v;
    uint32_t      i, n;
    vm_dtype_e    dtype;
    const char   *format, *name;
    vm_pooled_t  *q;

    q = g->own;
    format = q->encoding_format ? json_string_value(q->encoding_format)
                                : "float";
    big = q->endianness && strcmp(json_string_value(q->endianness), "big")
                           == 0;
    name = q->embed_dtype ? json_string_value(q->embed_dtype) : "float32";

    for (dtype = 0; strcmp(vm_pooled_dtypes[dtype], name) != 0; dtype++) {
        /* void */
    }

    if (strncmp(format, "bytes", 5) == 0) {
        vm_pooled_bytes(g, q, dtype, big, format[5] == '\0', out);
        return;
    }

    vm_pooled_head(g, 1, out);
    vm_buf_lit(out, ",\"data\":[");

    for (i = 0; i < g->nprompts; i++) {
        v = vm_pooled_numbers(g, q, &g->prompts[i], &n);

        if (v == NULL) {
            out->failed = 1;
            return;
        }

        vm_buf_printf(out, "%s{\"index\":%u,\"object\":\"%s\",\"%s\":",
                      i ? "," : "", i, object, key);

        if (format[0] == 'b') {
            vm_vector_base64(v, n, dtype, big, out);

        } else {
            vm_vector_json(v, n, out);
        }

        vm_buf_char(out, '}');
    }

    vm_buf_lit(out, "],");
    vm_pooled_usage(g, out);
    vm_buf_char(out, '}');
}


/* ---- /v1/embeddings ---- */

static int
vm_embeddings_parse(vm_generation_t *g, const json_t *body)
{
    vm_pooled_t  q;

    return vm_pooled_load(g, vm_embed_classes, body, &q) == VM_OK
           && vm_pooled_begin(g, &q, "embd-") == VM_OK
           && vm_pooled_inputs(g, &q) == VM_OK
           ? vm_pooled_done(g, &q) : VM_ERROR;
}


static void
vm_embeddings_end(vm_generation_t *g, vm_buf_t *out)
{
    vm_pooled_answer(g, "embedding", "embedding", out);
}


const vm_protocol_t  vm_embeddings = {
    .name = "embeddings",
    .parse = vm_embeddings_parse,
    .begin = vm_pooled_nothing,
    .end = vm_embeddings_end
};


/* ---- /pooling ---- */

static int
vm_pooling_task(vm_generation_t *g, const vm_pooled_t *q)
{
    int          classify;
    const char  *own, *task;

    if (q->dimensions.set) {
        return vm_error_param(&g->call->error, g->pool, "dimensions",
                              "dimensions is currently not supported");
    }

    own = g->settings->runner == VM_RUNNER_CLASSIFY ? "classify" : "embed";
    task = q->task ? json_string_value(q->task) : own;

    if ((q->input.json == NULL && g->params.messages.json == NULL)
        || strcmp(task, "plugin") == 0)
    {
        return vm_error_param(&g->call->error, g->pool, "task",
                              "No IOProcessor plugin installed. Please refer "
                              "to the documentation and to the "
                              "'prithvi_geospatial_mae_io_processor' offline "
                              "inference example for more details.");
    }

    classify = own[0] == 'c';

    if (strcmp(task, own) != 0
        && strcmp(task, classify ? "token_classify" : "token_embed") != 0)
    {
        return vm_error_param(&g->call->error, g->pool, "task",
                              vm_pool_printf(g->pool, "Unsupported task: '%s' "
                                  "Supported tasks: %s", task, classify
                                  ? "['token_classify', 'classify']"
                                  : "['token_embed', 'embed']"));
    }

    if (strcmp(task, own) != 0) {
        return vm_error_param(&g->call->error, g->pool, "task",
                              vm_pool_printf(g->pool, "Try switching the "
                                  "model's pooling_task via "
                                  "--pooler-config.task %s.", task));
    }

    return VM_OK;
}


static int
vm_pooling_parse(vm_generation_t *g, const json_t *body)
{
    vm_pooled_t  q;

    return vm_pooled_load(g, vm_pooling_classes, body, &q) == VM_OK
           && vm_pooling_task(g, &q) == VM_OK
           && vm_pooled_begin(g, &q, "pooling-") == VM_OK
           && vm_pooled_inputs(g, &q) == VM_OK
           ? vm_pooled_done(g, &q) : VM_ERROR;
}


static void
vm_pooling_end(vm_generation_t *g, vm_buf_t *out)
{
    vm_pooled_answer(g, "pooling", "data", out);
}


const vm_protocol_t  vm_pooling = {
    .name = "pooling",
    .parse = vm_pooling_parse,
    .begin = vm_pooled_nothing,
    .end = vm_pooling_end
};


/* ---- /classify ---- */

static int
vm_classify_parse(vm_generation_t *g, const json_t *body)
{
    vm_pooled_t  q;

    return vm_pooled_load(g, vm_classify_classes, body, &q) == VM_OK
           && vm_pooled_begin(g, &q, "classify-") == VM_OK
           && vm_pooled_inputs(g, &q) == VM_OK
           ? vm_pooled_done(g, &q) : VM_ERROR;
}


static void
vm_classify_end(vm_generation_t *g, vm_buf_t *out)
{
    float        probs[VM_POOLING_LABELS];
    uint32_t     best, i, labels;

    vm_pooled_head(g, 1, out);
    vm_buf_lit(out, ",\"data\":[");

    for (i = 0; i < g->nprompts; i++) {
        best = vm_pooled_classes(g, g->own, &g->prompts[i], probs, &labels);

        vm_buf_printf(out, "%s{\"index\":%u,\"label\":\"LABEL_%u\","
                      "\"probs\":", i ? "," : "", i, best);
        vm_vector_json(probs, labels, out);
        vm_buf_printf(out, ",\"num_classes\":%u}", labels);
    }

    vm_buf_lit(out, "],");
    vm_pooled_usage(g, out);
    vm_buf_char(out, '}');
}


const vm_protocol_t  vm_classify = {
    .name = "classify",
    .parse = vm_classify_parse,
    .begin = vm_pooled_nothing,
    .end = vm_classify_end
};
