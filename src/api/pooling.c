/*
 * Pooling models: vectors, classes, scores.  A score is the cosine of two
 * vectors; classes follow from the prompt's tokens.
 */

#include <math.h>
#include <stdlib.h>
#include "embedding.h"
#include "params.h"
#include "pooling.h"
#include "../base/rand.h"


#define VM_POOLING_LABELS  64


typedef struct {
    const json_t  *model;
    const json_t  *task;
    const json_t  *request_id;
    const json_t  *input_type;
    vm_any_t       embedding_types;
    vm_any_t       texts;
    vm_int_t       top_n;
    vm_any_t       given;           /* of the input, whatever its name */
    vm_any_t       other;
} vm_pooling_t;

#define vm_pooling_row(name, type, flags)                                     \
    { #name, &type, flags, offsetof(vm_pooling_t, name), 0, NULL }
#define vm_pooling_need(name, field)                                          \
    { name, &vm_any_type, VM_F_REQUIRED, offsetof(vm_pooling_t, field), 0,    \
      NULL }


static const char *const  vm_pooling_tasks[] = {
    "embed", "classify", "token_embed", "token_classify", "plugin",
    "embed&token_classify", NULL
};

static const vm_type_t  vm_pooling_task_type = {
    .kind = VM_T_LITERAL, .values = vm_pooling_tasks
};

static const char *const  vm_cohere_kinds[] = {
    "float", "binary", "ubinary", "base64", NULL
};

static const vm_type_t  vm_cohere_kind_type = {
    .kind = VM_T_LITERAL, .values = vm_cohere_kinds
};

static const vm_type_t  vm_cohere_kinds_type = {
    .kind = VM_T_LIST, .item = &vm_cohere_kind_type
};

static const vm_type_t  vm_pooling_top_type = {
    .kind = VM_T_INT, .has_ge = 1, .ge = 0
};

static const vm_field_t  vm_pooling_input_fields[] = {
    vm_pooling_row(model, vm_str_type, 0),
    vm_pooling_need("input", given),
    vm_pooling_row(task, vm_pooling_task_type, 0),
    vm_pooling_row(request_id, vm_str_type, VM_F_NOTNULL),
    vm_field_end
};

static const vm_field_t  vm_pooling_chat_fields[] = {
    vm_pooling_row(model, vm_str_type, 0),
    vm_pooling_need("messages", given),
    vm_pooling_row(task, vm_pooling_task_type, 0),
    vm_pooling_row(request_id, vm_str_type, VM_F_NOTNULL),
    vm_field_end
};

static const vm_field_t  vm_score_fields[] = {
    vm_pooling_row(model, vm_str_type, 0),
    vm_pooling_need("queries", given),
    vm_pooling_need("documents", other),
    vm_pooling_row(request_id, vm_str_type, VM_F_NOTNULL),
    vm_field_end
};

static const vm_field_t  vm_score_text_fields[] = {
    vm_pooling_row(model, vm_str_type, 0),
    vm_pooling_need("text_1", given),
    vm_pooling_need("text_2", other),
    vm_pooling_row(request_id, vm_str_type, VM_F_NOTNULL),
    vm_field_end
};

static const vm_field_t  vm_rerank_fields[] = {
    vm_pooling_row(model, vm_str_type, 0),
    vm_pooling_need("query", given),
    vm_pooling_need("documents", other),
    vm_pooling_row(top_n, vm_pooling_top_type, VM_F_NOTNULL),
    vm_pooling_row(request_id, vm_str_type, VM_F_NOTNULL),
    vm_field_end
};

static const vm_field_t  vm_cohere_fields[] = {
    vm_pooling_row(model, vm_str_type, 0),
    vm_pooling_row(input_type, vm_str_type, 0),
    vm_pooling_row(texts, vm_str_list_type, 0),
    vm_pooling_row(embedding_types, vm_cohere_kinds_type, 0),
    vm_field_end
};


/* ---- pieces ---- */

static int
vm_pooling_load(vm_generation_t *g, const vm_field_t *fields,
    const json_t *body, vm_pooling_t *q)
{
    vm_type_t  type;

    memset(&type, 0, sizeof(vm_type_t));
    memset(q, 0, sizeof(vm_pooling_t));
    type.kind = VM_T_MODEL;
    type.fields = fields;

    if (vm_model_load(&type, body, "body", q, &g->call->error, g->pool)
        != VM_OK)
    {
        return VM_ERROR;
    }

    return vm_generation_model(g, q->model);
}


static int
vm_pooling_head(vm_generation_t *g, const char *prefix,
    const vm_pooling_t *q, int list, vm_buf_t *out)
{
    const char  *id;

    id = vm_generation_id(g, prefix, q->request_id);

    if (id == NULL) {
        return vm_error_memory(&g->call->error);
    }

    vm_buf_lit(out, "{\"id\":");
    vm_buf_json(out, id, strlen(id));

    if (list) {
        vm_buf_printf(out, ",\"object\":\"list\",\"created\":%lld",
                      (long long) g->call->now);
    }

    vm_buf_lit(out, ",\"model\":");
    vm_buf_json(out, g->model.data, g->model.len);

    return VM_OK;
}


/* Probabilities of a prompt's classes; the answer is the best one's number. */

static uint32_t
vm_pooling_classes(const vm_generation_t *g, const vm_prompt_t *p,
    float *probs, uint32_t *n)
{
    float     sum;
    uint32_t  best, i;
    uint64_t  key;

    *n = vm_min(g->settings->num_labels, VM_POOLING_LABELS);
    key = vm_rand_bytes(p->ids, p->n * sizeof(uint32_t), g->settings->seed);

    for (sum = 0, best = 0, i = 0; i < *n; i++) {
        probs[i] = expf((float) vm_rand_normal(key, i));
        sum += probs[i];
        best = probs[i] > probs[best] ? i : best;
    }

    for (i = 0; i < *n; i++) {
        probs[i] /= sum;
    }

    return best;
}


/* ---- /pooling and /classify ---- */

static int
vm_pooling_inputs(vm_generation_t *g, const json_t *body, vm_pooling_t *q,
    vm_prompt_t **prompts, size_t *n)
{
    return vm_pooling_load(g, vm_value_get(body, "messages")
                              ? vm_pooling_chat_fields
                              : vm_pooling_input_fields, body, q)
           == VM_OK
           ? vm_embed_prompts(g, body, "input", prompts, n) : VM_ERROR;
}


int
vm_pooling_answer(vm_call_t *call, const json_t *body, vm_buf_t *out)
{
    float             probs[VM_POOLING_LABELS], *v;
    size_t            i, n;
    uint32_t          dims;
    uint64_t          tokens;
    const char       *own, *task;
    vm_prompt_t      *prompts;
    vm_pooling_t      q;
    vm_generation_t   g;

    vm_embed_begin(&g, call);

    if (vm_pooling_inputs(&g, body, &q, &prompts, &n) != VM_OK) {
        return VM_ERROR;
    }

    own = call->settings->runner == VM_RUNNER_CLASSIFY ? "classify" : "embed";
    task = q.task ? json_string_value(q.task) : own;

    if (strcmp(task, own) != 0) {
        return vm_error_param(&call->error, call->pool, "task",
                              vm_pool_printf(call->pool, "Try switching the "
                                  "model's pooling_task via "
                                  "--pooler-config.task %s.", task));
    }

    dims = vm_embed_size(call);
    v = vm_pool_alloc(call->pool, dims * sizeof(float));

    if (v == NULL || vm_pooling_head(&g, "pooling-", &q, 1, out) != VM_OK) {
        return vm_error_memory(&call->error);
    }

    vm_buf_lit(out, ",\"data\":[");

    for (tokens = 0, i = 0; i < n; i++) {
        tokens += prompts[i].n;
        vm_buf_printf(out, "%s{\"index\":%zu,\"object\":\"pooling\","
                      "\"data\":", i ? "," : "", i);

        if (call->settings->runner == VM_RUNNER_CLASSIFY) {
            (void) vm_pooling_classes(&g, &prompts[i], probs, &dims);
            vm_embed_print(probs, dims, 0, out);

        } else {
            vm_embed_vector(prompts[i].ids, prompts[i].n, dims, v);
            vm_embed_print(v, dims, 0, out);
        }

        vm_buf_char(out, '}');
    }

    vm_buf_lit(out, "],");
    vm_embed_usage(tokens, out);
    vm_buf_char(out, '}');

    return VM_OK;
}


int
vm_classify_answer(vm_call_t *call, const json_t *body, vm_buf_t *out)
{
    float             probs[VM_POOLING_LABELS];
    size_t            i, n;
    uint32_t          best, labels;
    uint64_t          tokens;
    vm_prompt_t      *prompts;
    vm_pooling_t      q;
    vm_generation_t   g;

    vm_embed_begin(&g, call);

    if (vm_pooling_inputs(&g, body, &q, &prompts, &n) != VM_OK
        || vm_pooling_head(&g, "classify-", &q, 1, out) != VM_OK)
    {
        return VM_ERROR;
    }

    vm_buf_lit(out, ",\"data\":[");

    for (tokens = 0, i = 0; i < n; i++) {
        tokens += prompts[i].n;
        best = vm_pooling_classes(&g, &prompts[i], probs, &labels);

        vm_buf_printf(out, "%s{\"index\":%zu,\"label\":\"LABEL_%u\","
                      "\"probs\":", i ? "," : "", i, best);
        vm_embed_print(probs, labels, 0, out);
        vm_buf_printf(out, ",\"num_classes\":%u}", labels);
    }

    vm_buf_lit(out, "],");
    vm_embed_usage(tokens, out);
    vm_buf_char(out, '}');

    return VM_OK;
}


/* ---- /score and /rerank ---- */

typedef struct {
    size_t  index;
    double  score;
} vm_scored_t;


/* Queries against documents: 1:1, 1:N or N:N. */

static int
vm_pooling_scores(vm_generation_t *g, const json_t *body, const char *left,
    const char *right, vm_scored_t **scores, size_t *n, uint64_t *tokens)
{
    float        *a, *b;
    size_t        i, m;
    double        sum;
    uint32_t      dims, k;
    vm_prompt_t  *documents, *queries;

    if (json_is_array(vm_value_get(body, left))
        && json_array_size(vm_value_get(body, left)) == 0)
    {
        return vm_error_bad(&g->call->error,
                            "At least one text element must be given");
    }

    if (json_is_array(vm_value_get(body, right))
        && json_array_size(vm_value_get(body, right)) == 0)
    {
        return vm_error_bad(&g->call->error,
                            "At least one text_pair element must be given");
    }

    if (vm_embed_prompts(g, body, left, &queries, &m) != VM_OK
        || vm_embed_prompts(g, body, right, &documents, n) != VM_OK)
    {
        return VM_ERROR;
    }

    if (m != 1 && m != *n) {
        return vm_error_bad(&g->call->error, "Input lengths must be either "
                                             "1:1, 1:N or N:N");
    }

    dims = vm_embed_size(g->call);
    a = vm_pool_alloc(g->pool, dims * sizeof(float));
    b = vm_pool_alloc(g->pool, dims * sizeof(float));
    *scores = vm_pool_calloc(g->pool, *n, sizeof(vm_scored_t));

    if (a == NULL || b == NULL || *scores == NULL) {
        return vm_error_memory(&g->call->error);
    }

    for (*tokens = 0, i = 0; i < m; i++) {
        *tokens += queries[i].n;
    }

    for (i = 0; i < *n; i++) {
        *tokens += documents[i].n;

        vm_embed_vector(queries[m == 1 ? 0 : i].ids,
                        queries[m == 1 ? 0 : i].n, dims, a);
        vm_embed_vector(documents[i].ids, documents[i].n, dims, b);

        for (sum = 0, k = 0; k < dims; k++) {
            sum += (double) a[k] * b[k];
        }

        (*scores)[i].index = i;
        (*scores)[i].score = sum;
    }

    return VM_OK;
}


int
vm_score_answer(vm_call_t *call, const json_t *body, vm_buf_t *out)
{
    int               texts;
    size_t            i, n;
    uint64_t          tokens;
    vm_scored_t      *scores;
    vm_pooling_t      q;
    vm_generation_t   g;

    vm_embed_begin(&g, call);
    texts = json_object_get(body, "text_1") != NULL;

    if (vm_pooling_load(&g, texts ? vm_score_text_fields : vm_score_fields,
                        body, &q) != VM_OK
        || vm_pooling_scores(&g, body, texts ? "text_1" : "queries",
                             texts ? "text_2" : "documents", &scores, &n,
                             &tokens) != VM_OK
        || vm_pooling_head(&g, "score-", &q, 1, out) != VM_OK)
    {
        return VM_ERROR;
    }

    vm_buf_lit(out, ",\"data\":[");

    for (i = 0; i < n; i++) {
        vm_buf_printf(out, "%s{\"index\":%zu,\"object\":\"score\","
                      "\"score\":", i ? "," : "", i);
        vm_buf_double(out, scores[i].score);
        vm_buf_char(out, '}');
    }

    vm_buf_lit(out, "],");
    vm_embed_usage(tokens, out);
    vm_buf_char(out, '}');

    return VM_OK;
}


static int
vm_scored_cmp(const void *one, const void *two)
{
    const vm_scored_t  *a, *b;

    a = one;
    b = two;

    if (a->score != b->score) {
        return a->score < b->score ? 1 : -1;
    }

    return a->index < b->index ? -1 : 1;
}


int
vm_rerank_answer(vm_call_t *call, const json_t *body, vm_buf_t *out)
{
    size_t            i, n;
    uint64_t          tokens;
    vm_scored_t      *scores;
    vm_pooling_t      q;
    const json_t     *document, *documents;
    vm_generation_t   g;

    vm_embed_begin(&g, call);

    if (vm_pooling_load(&g, vm_rerank_fields, body, &q) != VM_OK
        || vm_pooling_scores(&g, body, "query", "documents", &scores, &n,
                             &tokens) != VM_OK
        || vm_pooling_head(&g, "score-", &q, 0, out) != VM_OK)
    {
        return VM_ERROR;
    }

    qsort(scores, n, sizeof(vm_scored_t), vm_scored_cmp);

    vm_buf_printf(out, ",\"usage\":{\"prompt_tokens\":%llu,"
                  "\"total_tokens\":%llu},\"results\":[",
                  (unsigned long long) tokens, (unsigned long long) tokens);

    if (q.top_n.set && q.top_n.v > 0) {
        n = vm_min(n, (size_t) q.top_n.v);
    }

    documents = json_object_get(body, "documents");

    for (i = 0; i < n; i++) {
        document = json_is_array(documents)
                   ? json_array_get(documents, scores[i].index) : documents;

        vm_buf_printf(out, "%s{\"index\":%zu,\"document\":{\"text\":",
                      i ? "," : "", scores[i].index);
        vm_buf_json(out, json_string_value(document),
                    json_string_length(document));
        vm_buf_lit(out, ",\"multi_modal\":null},\"relevance_score\":");
        vm_buf_double(out, scores[i].score);
        vm_buf_char(out, '}');
    }

    vm_buf_lit(out, "]}");

    return VM_OK;
}


/* ---- /v2/embed ---- */

/* Eight dimensions a byte: the sign of each, the first in the highest bit. */

static void
vm_cohere_bits(const float *v, uint32_t dims, int offset, vm_buf_t *out)
{
    int       byte;
    uint32_t  i, k;

    vm_buf_char(out, '[');

    for (i = 0; i + 8 <= dims; i += 8) {
        for (byte = 0, k = 0; k < 8; k++) {
            byte = byte << 1 | (v[i + k] > 0);
        }

        vm_buf_printf(out, "%s%d", i ? "," : "", byte - offset);
    }

    vm_buf_char(out, ']');
}


static int
vm_cohere_check(vm_generation_t *g, const vm_pooling_t *q, const json_t *body)
{
    int              rc;
    const char      *wrong;
    vm_violations_t  x;

    wrong = "Exactly one of texts, images, or inputs must be provided, and it "
            "must be non-empty";

    if (json_array_size(q->texts.json) == 0) {
        vm_violations_init(&x, &g->call->error, g->pool);
        vm_violations_add(&x, "value_error", "body",
                          vm_pool_printf(g->pool, "Value error, %s", wrong),
                          body,
                          vm_pool_printf(g->pool, "'error': ValueError('%s')",
                                         wrong));
        rc = vm_violations_report(&x);
        vm_violations_free(&x);

        return rc;
    }

    if (q->input_type) {
        return vm_error_printf(&g->call->error, g->pool, 400,
                               "BadRequestError", NULL,
                               "Unsupported input_type '%s'. This model does "
                               "not define any input_type task instructions.",
                               json_string_value(q->input_type));
    }

    return VM_OK;
}


int
vm_cohere_answer(vm_call_t *call, const json_t *body, vm_buf_t *out)
{
    char             *text;
    float            *v;
    size_t            i, k, n;
    json_t           *kind, *kinds;
    uint32_t          dims;
    uint64_t          tokens;
    const char       *id, *name;
    vm_prompt_t      *prompts;
    vm_pooling_t      q;
    vm_generation_t   g;

    vm_embed_begin(&g, call);

    if (vm_pooling_load(&g, vm_cohere_fields, body, &q) != VM_OK
        || vm_cohere_check(&g, &q, body) != VM_OK
        || vm_embed_prompts(&g, body, "texts", &prompts, &n) != VM_OK)
    {
        return VM_ERROR;
    }

    dims = vm_embed_size(call);
    v = vm_pool_alloc(call->pool, dims * sizeof(float));
    id = vm_generation_id(&g, "embd-", NULL);

    if (v == NULL || id == NULL) {
        return vm_error_memory(&call->error);
    }

    kinds = q.embedding_types.json ? json_incref(q.embedding_types.json)
                                   : json_pack("[s]", "float");

    vm_buf_lit(out, "{\"id\":");
    vm_buf_json(out, id, strlen(id));
    vm_buf_lit(out, ",\"embeddings\":{");

    json_array_foreach(kinds, k, kind) {
        name = json_string_value(kind);
        vm_buf_printf(out, "%s\"%s\":[", k ? "," : "", name);

        for (i = 0; i < n; i++) {
            vm_embed_vector(prompts[i].ids, prompts[i].n, dims, v);
            vm_buf_str(out, i ? "," : "");

            if (strcmp(name, "binary") == 0) {
                vm_cohere_bits(v, dims, 128, out);

            } else if (strcmp(name, "ubinary") == 0) {
                vm_cohere_bits(v, dims, 0, out);

            } else {
                vm_embed_print(v, dims, strcmp(name, "base64") == 0, out);
            }
        }

        vm_buf_char(out, ']');
    }

    json_decref(kinds);

    for (tokens = 0, i = 0; i < n; i++) {
        tokens += prompts[i].n;
    }

    text = json_dumps(q.texts.json, JSON_COMPACT);
    vm_buf_printf(out, "},\"texts\":%s,\"meta\":{\"api_version\":"
                  "{\"version\":\"2\"},\"billed_units\":{\"input_tokens\":"
                  "%llu,\"image_tokens\":0}},"
                  "\"response_type\":\"embeddings_by_type\"}",
                  text ? text : "[]", (unsigned long long) tokens);
    free(text);

    return VM_OK;
}
