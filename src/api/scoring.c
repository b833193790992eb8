/*
 * /score and /rerank: how close texts are.  A score is the cosine of two
 * vectors, so texts that share more words have higher ones.
 */

#include <stdlib.h>
#include "pooling.h"


/* ---- requests ---- */

static const char *const  vm_score_image_kinds[] = { "image_url", NULL };
static const char *const  vm_score_embeds_kinds[] = { "image_embeds", NULL };
static const char *const  vm_score_text_kinds[] = { "text", NULL };
static const char *const  vm_score_video_kinds[] = { "video_url", NULL };

static const vm_type_t  vm_score_kind_types[] = {
    { .kind = VM_T_LITERAL, .values = vm_score_image_kinds },
    { .kind = VM_T_LITERAL, .values = vm_score_embeds_kinds },
    { .kind = VM_T_LITERAL, .values = vm_score_text_kinds },
    { .kind = VM_T_LITERAL, .values = vm_score_video_kinds }
};

#define vm_score_seen(name, type)                                             \
    { name, &type, VM_F_REQUIRED|VM_F_NOTNULL|VM_F_CHECK, 0, 0, NULL }

static const vm_field_t  vm_score_image_fields[] = {
    vm_score_seen("image_url", vm_dict_type),
    vm_score_seen("type", vm_score_kind_types[0]),
    vm_field_end
};

static const vm_field_t  vm_score_embeds_fields[] = {
    vm_score_seen("type", vm_score_kind_types[1]),
    vm_field_end
};

static const vm_field_t  vm_score_text_fields[] = {
    vm_score_seen("text", vm_str_type),
    vm_score_seen("type", vm_score_kind_types[2]),
    vm_field_end
};

static const vm_field_t  vm_score_video_fields[] = {
    vm_score_seen("video_url", vm_dict_type),
    vm_score_seen("type", vm_score_kind_types[3]),
    vm_field_end
};

static const vm_type_t  vm_score_part_types[] = {
    { .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_score_image_fields,
      .name = "ChatCompletionContentPartImageParam" },
    { .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_score_embeds_fields,
      .name = "ChatCompletionContentPartImageEmbedsParam" },
    { .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_score_text_fields,
      .name = "ChatCompletionContentPartTextParam" },
    { .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_score_video_fields,
      .name = "ChatCompletionContentPartVideoParam" }
};

static const vm_type_t *const  vm_score_part_branches[] = {
    &vm_score_part_types[0], &vm_score_part_types[1],
    &vm_score_part_types[2], &vm_score_part_types[3], NULL
};

static const vm_type_t  vm_score_part_type = {
    .kind = VM_T_UNION, .branches = vm_score_part_branches
};

static const vm_type_t  vm_score_parts_type = {
    .kind = VM_T_LIST, .item = &vm_score_part_type
};

static const vm_field_t  vm_score_media_fields[] = {
    vm_score_seen("content", vm_score_parts_type),
    vm_field_end
};

static const vm_type_t  vm_score_media_type = {
    .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_score_media_fields,
    .name = "ScoreMultiModalParam"
};

static const vm_type_t *const  vm_score_item_branches[] = {
    &vm_str_type, &vm_score_media_type, NULL
};

static const vm_type_t  vm_score_item_type = {
    .kind = VM_T_UNION, .branches = vm_score_item_branches
};

static const vm_type_t  vm_score_list_type = {
    .kind = VM_T_LIST, .item = &vm_score_item_type
};

static const vm_type_t *const  vm_score_side_branches[] = {
    &vm_str_type, &vm_score_media_type, &vm_score_list_type, NULL
};

static const vm_type_t  vm_score_side_type = {
    .kind = VM_T_UNION, .branches = vm_score_side_branches
};

static const vm_type_t  vm_score_top_type = {
    .kind = VM_T_INT, .has_ge = 1, .ge = 0
};

#define VM_SCORE_COMMON                                                       \
    VM_POOLED_ACTIVATION,                                                     \
    VM_POOLED_BASIC,                                                          \
    vm_pooled_row(max_tokens_per_query, vm_int_type, VM_F_NOTNULL),           \
    vm_pooled_row(max_tokens_per_doc, vm_int_type, VM_F_NOTNULL),             \
    { "instruction", &vm_str_type, VM_F_CHECK, 0, 0, NULL },                  \
    vm_param(chat_template_kwargs, vm_dict_type, 0, 0)

#define vm_score_class(name, one, two)                                        \
                                                                              \
static const vm_field_t  name##_fields[] = {                                  \
    VM_SCORE_COMMON,                                                          \
    vm_pooled_need(one, vm_score_side_type, left),                            \
    vm_pooled_need(two, vm_score_side_type, right),                           \
    vm_field_end                                                              \
};                                                                            \
                                                                              \
static const vm_type_t  name = {                                              \
    .kind = VM_T_MODEL, .fields = name##_fields                               \
}

vm_score_class(vm_score_documents_class, "queries", "documents");
vm_score_class(vm_score_items_class, "queries", "items");
vm_score_class(vm_score_data_class, "data_1", "data_2");
vm_score_class(vm_score_text_class, "text_1", "text_2");

static const vm_type_t *const  vm_score_classes[] = {
    &vm_score_documents_class, &vm_score_items_class, &vm_score_data_class,
    &vm_score_text_class, NULL
};

static const vm_field_t  vm_rerank_fields[] = {
    VM_SCORE_COMMON,
    vm_pooled_need("query", vm_score_item_type, left),
    vm_pooled_need("documents", vm_score_side_type, right),
    vm_pooled_row(top_n, vm_score_top_type, VM_F_NOTNULL),
    vm_field_end
};

static const vm_type_t  vm_rerank_class = {
    .kind = VM_T_MODEL, .fields = vm_rerank_fields
};

static const vm_type_t *const  vm_rerank_classes[] = {
    &vm_rerank_class, NULL
};


/* ---- from a request to a generation ---- */

static size_t
vm_score_count(const json_t *side)
{
    return json_is_array(side) ? json_array_size(side) : 1;
}


static const json_t *
vm_score_item(const json_t *side, size_t i)
{
    return json_is_array(side) ? json_array_get(side, i) : side;
}


/* 0: no limit. */

static int
vm_score_limit(vm_generation_t *g, const char *name, const vm_int_t *n)
{
    if (n->v < 0) {
        return vm_error_printf(&g->call->error, g->pool, 400,
                               "BadRequestError", NULL,
                               "%s must be a non-negative integer", name);
    }

    if (n->v >= (json_int_t) g->settings->max_model_len) {
        return vm_error_printf(&g->call->error, g->pool, 400,
                               "BadRequestError", NULL,
                               "%s (%s) must be less than max_model_len "
                               "(%u).", name, vm_int_text(g->pool, n),
                               g->settings->max_model_len);
    }

    return VM_OK;
}


/* The prompts of a side; a text is cut to `limit` tokens. */

static int
vm_score_prompts(vm_generation_t *g, const json_t *side, json_int_t limit)
{
    size_t        i, n;
    uint32_t      own;
    vm_prompt_t  *p;

    n = vm_score_count(side);
    p = vm_pooled_prompts(g, n);

    if (p == NULL) {
        return VM_ERROR;
    }

    for (i = 0; i < n; i++, p++) {

        if (vm_pooled_prompt(g, p, vm_score_item(side, i)) != VM_OK) {
            return VM_ERROR;
        }

        own = vm_tokenizer_bos(g->settings->tokenizer) != VM_NEVER;

        if (limit && p->n > limit + own) {
            p->n = (uint32_t) limit + own;
        }
    }

    return VM_OK;
}


static int
vm_score_only_text(vm_generation_t *g, const json_t *side)
{
    size_t  i, n;

    n = vm_score_count(side);

    for (i = 0; i < n; i++) {
        if (!json_is_string(vm_score_item(side, i))) {
            return vm_error_bad(&g->call->error, "MultiModalParam is not "
                                "supported for LlamaForCausalLM");
        }
    }

    return VM_OK;
}


static int
vm_score_sides(vm_generation_t *g, vm_pooled_t *q)
{
    size_t         m, n;
    vm_error_t    *e;
    const json_t  *left, *right;

    e = &g->call->error;
    left = q->left.json;
    right = q->right.json;
    m = vm_score_count(left);
    n = vm_score_count(right);

    if (vm_score_only_text(g, left) != VM_OK
        || vm_score_only_text(g, right) != VM_OK)
    {
        return VM_ERROR;
    }

    if (m > 1 && m != n) {
        return vm_error_bad(e, "Input lengths must be either 1:1, 1:N or N:N");
    }

    if (m == 0) {
        return vm_error_bad(e, "At least one text element must be given");
    }

    if (n == 0) {
        return vm_error_bad(e, "At least one text_pair element must be given");
    }

    if (vm_score_limit(g, "max_tokens_per_query", &q->max_tokens_per_query)
        != VM_OK
        || vm_score_limit(g, "max_tokens_per_doc", &q->max_tokens_per_doc)
           != VM_OK)
    {
        return VM_ERROR;
    }

    q->queries = (uint32_t) m;
    g->params.add_special_tokens = 1;

    return vm_score_prompts(g, left, q->max_tokens_per_query.v) == VM_OK
           && vm_score_prompts(g, right, q->max_tokens_per_doc.v) == VM_OK
           ? vm_pooled_done(g, q) : VM_ERROR;
}


static int
vm_score_load(vm_generation_t *g, const vm_type_t *const *classes,
    const json_t *body)
{
    vm_pooled_t  q;

    return vm_pooled_load(g, classes, body, &q) == VM_OK
           && vm_pooled_begin(g, &q, "score-") == VM_OK
           ? vm_score_sides(g, &q) : VM_ERROR;
}


static int
vm_score_parse(vm_generation_t *g, const json_t *body)
{
    return vm_score_load(g, vm_score_classes, body);
}


static int
vm_rerank_parse(vm_generation_t *g, const json_t *body)
{
    return vm_score_load(g, vm_rerank_classes, body);
}


/* ---- answers ---- */

typedef struct {
    uint32_t  index;
    double    score;
} vm_scored_t;


/* Queries against documents: 1:1, 1:N or N:N.  NULL: no memory. */

static vm_scored_t *
vm_score_all(vm_generation_t *g, uint32_t *n)
{
    float         *a, *b;
    double         sum;
    uint32_t       i, k;
    vm_prompt_t   *document, *query;
    vm_scored_t   *scores;
    vm_pooled_t   *q;

    q = g->own;
    *n = g->nprompts - q->queries;

    a = vm_pool_alloc(g->pool, q->dims * sizeof(float));
    b = vm_pool_alloc(g->pool, q->dims * sizeof(float));
    scores = vm_pool_calloc(g->pool, *n, sizeof(vm_scored_t));

    if (a == NULL || b == NULL || scores == NULL) {
        return NULL;
    }

    for (i = 0; i < *n; i++) {
        query = &g->prompts[q->queries == 1 ? 0 : i];
        document = &g->prompts[q->queries + i];

        if (i == 0 || q->queries > 1) {
            vm_vector_make(query->ids, query->n, q->dims, 1, a);
        }

        vm_vector_make(document->ids, document->n, q->dims, 1, b);

        for (sum = 0, k = 0; k < q->dims; k++) {
            sum += (double) a[k] * b[k];
        }

        scores[i].index = i;
        scores[i].score = vm_max(-1, vm_min(sum, 1));
    }

    return scores;
}


static void
vm_score_end(vm_generation_t *g, vm_buf_t *out)
{
    uint32_t      i, n;
    vm_scored_t  *scores;

    scores = vm_score_all(g, &n);

    if (scores == NULL) {
        out->failed = 1;
        return;
    }

    vm_pooled_head(g, 1, out);
    vm_buf_lit(out, ",\"data\":[");

    for (i = 0; i < n; i++) {
        vm_buf_printf(out, "%s{\"index\":%u,\"object\":\"score\",\"score\":",
                      i ? "," : "", i);
        vm_buf_double(out, scores[i].score);
        vm_buf_char(out, '}');
    }

    vm_buf_lit(out, "],");
    vm_pooled_usage(g, out);
    vm_buf_char(out, '}');
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


static void
vm_rerank_end(vm_generation_t *g, vm_buf_t *out)
{
    uint32_t             i, n;
    vm_scored_t         *scores;
    vm_pooled_t         *q;
    const json_t        *document;
    unsigned long long   tokens;

    q = g->own;
    scores = vm_score_all(g, &n);

    if (scores == NULL) {
        out->failed = 1;
        return;
    }

    qsort(scores, n, sizeof(vm_scored_t), vm_scored_cmp);

    if (q->top_n.v > 0) {
        n = (uint32_t) vm_min(q->top_n.v, (json_int_t) n);
    }

    tokens = (unsigned long long) vm_generation_prompt_tokens(g);
    vm_pooled_head(g, 0, out);
    vm_buf_printf(out, ",\"usage\":{\"prompt_tokens\":%llu,"
                  "\"total_tokens\":%llu},\"results\":[", tokens, tokens);

    for (i = 0; i < n; i++) {
        document = vm_score_item(q->right.json, scores[i].index);

        vm_buf_printf(out, "%s{\"index\":%u,\"document\":{\"text\":",
                      i ? "," : "", scores[i].index);
        vm_buf_json(out, json_string_value(document),
                    json_string_length(document));
        vm_buf_lit(out, ",\"multi_modal\":null},\"relevance_score\":");
        vm_buf_double(out, scores[i].score);
        vm_buf_char(out, '}');
    }

    vm_buf_lit(out, "]}");
}


const vm_protocol_t  vm_score = {
    .name = "score",
    .parse = vm_score_parse,
    .begin = vm_pooled_nothing,
    .end = vm_score_end
};

const vm_protocol_t  vm_rerank = {
    .name = "rerank",
    .parse = vm_rerank_parse,
    .begin = vm_pooled_nothing,
    .end = vm_rerank_end
};
