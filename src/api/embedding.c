/*
 * Embeddings: vectors of length 1 that follow from their input alone.  Inputs
 * that share tokens have similar ones: a vector is the sum of those of its
 * tokens.
 */

#include <math.h>
#include "embedding.h"
#include "message.h"
#include "params.h"
#include "../base/rand.h"


#define VM_EMBED_DEFAULT   1536         /* as OpenAI's and the seed's */
#define VM_EMBED_MAX       8192
#define VM_EMBED_INPUTS    2048


typedef struct {
    vm_any_t       input;
    vm_any_t       messages;
    vm_any_t       normalize;
    vm_int_t       dimensions;
    const json_t  *model;
    const json_t  *encoding_format;
    const json_t  *request_id;
} vm_embed_t;

#define vm_embed_row(name, type, flags)                                       \
    { #name, &type, flags, offsetof(vm_embed_t, name), 0, NULL }

static const vm_type_t  vm_embed_id_lists_type = {
    .kind = VM_T_LIST, .item = &vm_id_list_type
};

static const vm_type_t *const  vm_embed_branches[] = {
    &vm_id_list_type, &vm_embed_id_lists_type, &vm_str_type,
    &vm_str_list_type, NULL
};

static const vm_type_t  vm_embed_input_type = {
    .kind = VM_T_UNION, .branches = vm_embed_branches
};

static const char *const  vm_embed_formats[] = {
    "float", "base64", "bytes", "bytes_only", NULL
};

static const vm_type_t  vm_embed_format_type = {
    .kind = VM_T_LITERAL, .values = vm_embed_formats
};

#define VM_EMBED_FIELDS                                                       \
    vm_embed_row(encoding_format, vm_embed_format_type, VM_F_NOTNULL),        \
    vm_embed_row(dimensions, vm_int_type, 0),                                 \
    vm_embed_row(request_id, vm_str_type, VM_F_NOTNULL),                      \
    vm_embed_row(normalize, vm_any_type, 0),                                  \
    { "truncate_prompt_tokens", &vm_truncate_type, VM_F_CHECK, 0, 0, NULL },  \
    vm_field_end

static const vm_field_t  vm_embed_fields[] = {
    vm_embed_row(model, vm_str_type, 0),
    { "user", &vm_str_type, VM_F_CHECK, 0, 0, NULL },
    vm_embed_row(input, vm_embed_input_type, VM_F_REQUIRED|VM_F_NOTNULL),
    VM_EMBED_FIELDS
};

/* the same with a conversation instead */

static const vm_field_t  vm_embed_chat_fields[] = {
    vm_embed_row(model, vm_str_type, 0),
    { "user", &vm_str_type, VM_F_CHECK, 0, 0, NULL },
    vm_embed_row(messages, vm_messages_type, VM_F_REQUIRED|VM_F_NOTNULL),
    VM_EMBED_FIELDS
};

static const vm_type_t  vm_embed_type = {
    .kind = VM_T_MODEL, .fields = vm_embed_fields
};

static const vm_type_t  vm_embed_chat_type = {
    .kind = VM_T_MODEL, .fields = vm_embed_chat_fields
};


/* A token's numbers are made on the fly, one for each dimension. */

void
vm_embed_vector(const uint32_t *ids, size_t n, uint32_t dims, float *out)
{
    double    norm;
    size_t    i;
    uint32_t  k;

    for (k = 0; k < dims; k++) {
        out[k] = 0;
    }

    for (i = 0; i < n; i++) {
        for (k = 0; k < dims; k++) {
            out[k] += (float) (vm_rand_unit(vm_rand_at(ids[i], k)) - 0.5);
        }
    }

    for (norm = 0, k = 0; k < dims; k++) {
        norm += (double) out[k] * out[k];
    }

    norm = norm > 0 ? 1 / sqrt(norm) : 0;

    for (k = 0; k < dims; k++) {
        out[k] = (float) (out[k] * norm);
    }
}


void
vm_embed_base64(const unsigned char *p, size_t n, vm_buf_t *out)
{
    size_t             i;
    uint32_t           v;
    char               four[4];
    static const char  digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
                                  "opqrstuvwxyz0123456789+/";

    for (i = 0; i < n; i += 3) {
        v = (uint32_t) p[i] << 16;
        v |= i + 1 < n ? (uint32_t) p[i + 1] << 8 : 0;
        v |= i + 2 < n ? p[i + 2] : 0;

        four[0] = digits[v >> 18];
        four[1] = digits[v >> 12 & 63];
        four[2] = i + 1 < n ? digits[v >> 6 & 63] : '=';
        four[3] = i + 2 < n ? digits[v & 63] : '=';
        vm_buf_add(out, four, 4);
    }
}


void
vm_embed_print(const float *v, uint32_t dims, int base64, vm_buf_t *out)
{
    uint32_t  k;

    if (base64) {
        vm_buf_char(out, '"');
        vm_embed_base64((const unsigned char *) v, dims * sizeof(float), out);
        vm_buf_char(out, '"');
        return;
    }

    vm_buf_char(out, '[');

    for (k = 0; k < dims; k++) {
        vm_buf_str(out, k ? "," : "");
        vm_buf_double(out, v[k]);
    }

    vm_buf_char(out, ']');
}


/* ---- inputs ---- */

/* How many tokens truncation keeps, before anything is encoded. */

static int
vm_embed_truncation(vm_generation_t *g, const json_t *body)
{
    vm_int_t  n;

    memset(&n, 0, sizeof(vm_int_t));

    if (!vm_field_int(vm_value_get(body, "truncate_prompt_tokens"), &n)) {
        return VM_OK;
    }

    if (n.v > (json_int_t) g->settings->max_model_len) {
        return vm_error_bad(&g->call->error, "truncate_prompt_tokens value is "
                            "greater than max_model_len. Please request a "
                            "smaller truncation size.");
    }

    g->params.truncate_prompt_tokens = n;
    g->params.truncate_prompt_tokens.set = 1;

    return VM_OK;
}


static int
vm_embed_prompt(vm_generation_t *g, vm_prompt_t *p, const json_t *v)
{
    int  rc;

    rc = json_is_array(v)
         ? vm_generation_prompt_ids(g, p, v)
         : vm_generation_prompt_text(g, p, json_string_value(v),
                                     json_string_length(v), 1);

    if (rc == VM_OK && g->late.status) {
        g->call->error = g->late;
        return VM_ERROR;
    }

    return rc;
}


static int
vm_embed_chat(vm_generation_t *g, vm_prompt_t *p, const json_t *messages)
{
    int            rc;
    char          *text;
    vm_buf_t       b;
    vm_template_t  t;

    memset(&t, 0, sizeof(vm_template_t));
    t.model = g->settings->names.list[0];

    vm_buf_init(&b);
    rc = vm_messages_render(messages, &t, &b, &g->call->error, g->pool);

    if (rc == VM_OK) {
        text = vm_pool_strdup(g->pool, b.data ? b.data : "", b.len);
        rc = text ? vm_generation_prompt_text(g, p, text, b.len, 0)
                  : vm_error_memory(&g->call->error);
    }

    vm_buf_free(&b);

    return rc;
}


/* One input or many: a text, ids, or a list of either. */

static int
vm_embed_single(const json_t *input)
{
    return json_is_string(input)
           || (json_array_size(input)
               && !json_is_string(json_array_get(input, 0))
               && !json_is_array(json_array_get(input, 0)));
}


int
vm_embed_prompts(vm_generation_t *g, const json_t *body, const char *name,
    vm_prompt_t **list, size_t *n)
{
    int            one;
    size_t         i;
    const json_t  *input, *messages;

    messages = vm_value_get(body, "messages");
    input = vm_value_get(body, name);
    one = messages || vm_embed_single(input);
    *n = one ? 1 : json_array_size(input);

    if (*n == 0) {
        return vm_error_bad(&g->call->error,
                            "You must pass at least one prompt");
    }

    if (*n > VM_EMBED_INPUTS) {
        return vm_error_printf(&g->call->error, g->pool, 400,
                               "BadRequestError", "input",
                               "input list length %zu exceeds the maximum "
                               "allowed count of %d. (parameter=input)", *n,
                               VM_EMBED_INPUTS);
    }

    *list = vm_pool_calloc(g->pool, *n, sizeof(vm_prompt_t));
    if (*list == NULL) {
        return vm_error_memory(&g->call->error);
    }

    if (vm_embed_truncation(g, body) != VM_OK) {
        return VM_ERROR;
    }

    if (messages) {
        return vm_embed_chat(g, *list, messages);
    }

    for (i = 0; i < *n; i++) {
        if (vm_embed_prompt(g, &(*list)[i],
                            one ? input : json_array_get(input, i)) != VM_OK)
        {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


void
vm_embed_usage(uint64_t tokens, vm_buf_t *out)
{
    vm_buf_printf(out, "\"usage\":{\"prompt_tokens\":%llu,"
                  "\"total_tokens\":%llu,\"completion_tokens\":0,"
                  "\"prompt_tokens_details\":null,"
                  "\"completion_tokens_details\":null}",
                  (unsigned long long) tokens, (unsigned long long) tokens);
}


void
vm_embed_begin(vm_generation_t *g, vm_call_t *call)
{
    memset(g, 0, sizeof(vm_generation_t));

    g->call = call;
    g->settings = call->settings;
    g->pool = call->pool;
}


uint32_t
vm_embed_size(const vm_call_t *call)
{
    return call->settings->runner == VM_RUNNER_GENERATE
           ? VM_EMBED_DEFAULT : call->settings->hidden_size;
}


static int
vm_embed_dimensions(vm_call_t *call, const vm_embed_t *e, uint32_t *dims)
{
    *dims = vm_embed_size(call);

    if (!e->dimensions.set) {
        return VM_OK;
    }

    if (call->settings->runner != VM_RUNNER_GENERATE) {
        return vm_error_printf(&call->error, call->pool, 400,
                               "BadRequestError", NULL,
                               "Model '%s' does not support Matryoshka "
                               "embeddings; dimensions must be unset "
                               "(received dimensions=%s).",
                               call->settings->names.list[0],
                               vm_int_text(call->pool, &e->dimensions));
    }

    if (e->dimensions.v < 1 || e->dimensions.v > VM_EMBED_MAX) {
        return vm_error_text(&call->error, call->pool, "dimensions",
                             vm_int_text(call->pool, &e->dimensions),
                             "dimensions must be in [1, 8192].");
    }

    *dims = (uint32_t) e->dimensions.v;

    return VM_OK;
}


int
vm_embedding_answer(vm_call_t *call, const json_t *body, vm_buf_t *out)
{
    int               base64;
    float            *v;
    size_t            i, n;
    uint32_t          dims;
    uint64_t          tokens;
    vm_embed_t        e;
    const char       *format, *id;
    vm_prompt_t      *prompts;
    vm_generation_t   g;

    memset(&e, 0, sizeof(vm_embed_t));
    vm_embed_begin(&g, call);

    if (vm_value_get(body, "normalize")) {
        return vm_error_param(&call->error, call->pool, "normalize",
                              "Parameter `normalize` was removed; use "
                              "`use_activation` instead.");
    }

    if (vm_model_load(vm_value_get(body, "messages") ? &vm_embed_chat_type
                                                     : &vm_embed_type,
                      body, "body", &e, &call->error, call->pool)
        != VM_OK
        || vm_generation_model(&g, e.model) != VM_OK
        || vm_embed_dimensions(call, &e, &dims) != VM_OK
        || vm_embed_prompts(&g, body, "input", &prompts, &n) != VM_OK)
    {
        return VM_ERROR;
    }

    v = vm_pool_alloc(call->pool, dims * sizeof(float));
    id = vm_generation_id(&g, "embd-", e.request_id);

    if (v == NULL || id == NULL) {
        return vm_error_memory(&call->error);
    }

    format = json_string_value(e.encoding_format);
    base64 = format && strcmp(format, "base64") == 0;
    tokens = 0;

    vm_buf_lit(out, "{\"id\":");
    vm_buf_json(out, id, strlen(id));
    vm_buf_printf(out, ",\"object\":\"list\",\"created\":%lld,\"model\":",
                  (long long) call->now);
    vm_buf_json(out, g.model.data, g.model.len);
    vm_buf_lit(out, ",\"data\":[");

    for (i = 0; i < n; i++) {
        vm_embed_vector(prompts[i].ids, prompts[i].n, dims, v);
        tokens += prompts[i].n;

        vm_buf_printf(out, "%s{\"index\":%zu,\"object\":\"embedding\","
                      "\"embedding\":", i ? "," : "", i);
        vm_embed_print(v, dims, base64, out);
        vm_buf_char(out, '}');
    }

    vm_buf_lit(out, "],");
    vm_embed_usage(tokens, out);
    vm_buf_char(out, '}');

    return VM_OK;
}
