/*
 * Generative scoring.  A label's logit is drawn from the prompt and the label,
 * so a query with its item has the same score whenever it is asked.
 */

#include <math.h>
#include "labels.h"
#include "params.h"
#include "../base/rand.h"


#define VM_LABELS_ITEMS  2048


typedef struct {
    vm_params_t  params;            /* the first: rows are vm_param() */
    vm_any_t     query;
    vm_any_t     items;
    vm_any_t     label_token_ids;
    uint8_t      apply_softmax;
    uint8_t      item_first;
} vm_labels_t;

#define vm_labels_row(name, type, flags, def)                                 \
    { #name, &type, flags, offsetof(vm_labels_t, name), def, NULL }

static const vm_type_t *const  vm_labels_query_branches[] = {
    &vm_str_type, &vm_int_list_type, NULL
};

static const vm_type_t  vm_labels_query_type = {
    .kind = VM_T_UNION, .branches = vm_labels_query_branches
};

static const vm_type_t  vm_labels_lists_type = {
    .kind = VM_T_LIST, .item = &vm_int_list_type
};

static const vm_type_t *const  vm_labels_items_branches[] = {
    &vm_str_list_type, &vm_labels_lists_type, NULL
};

static const vm_type_t  vm_labels_items_type = {
    .kind = VM_T_UNION, .branches = vm_labels_items_branches
};

static const vm_field_t  vm_labels_fields[] = {
    vm_param(model, vm_str_type, 0, 0),
    vm_labels_row(query, vm_labels_query_type, VM_F_REQUIRED|VM_F_NOTNULL, 0),
    vm_labels_row(items, vm_labels_items_type, VM_F_REQUIRED|VM_F_NOTNULL, 0),
    vm_labels_row(label_token_ids, vm_int_list_type,
                  VM_F_REQUIRED|VM_F_NOTNULL, 0),
    vm_labels_row(apply_softmax, vm_bool_type, VM_F_NOTNULL, 1),
    vm_labels_row(item_first, vm_bool_type, VM_F_NOTNULL, 0),
    vm_param(add_special_tokens, vm_bool_type, VM_F_NOTNULL, 1),
    vm_param(cache_salt, vm_str_type, 0, 0),
    vm_param(priority, vm_int64_type, VM_F_NOTNULL, 0),
    vm_param(request_id, vm_str_type, VM_F_NOTNULL, 0),
    vm_field_end
};

static const vm_type_t  vm_labels_type = {
    .kind = VM_T_MODEL, .fields = vm_labels_fields
};


/* ---- the request ---- */

static int
vm_labels_check(vm_generation_t *g, const vm_labels_t *q)
{
    size_t       i;
    json_t      *item;
    vm_int_t     id;
    vm_error_t  *e;

    e = &g->call->error;

    json_array_foreach(q->label_token_ids.json, i, item) {
        vm_field_int(item, &id);

        if (id.v < 0 || id.v >= (json_int_t) g->settings->vocab) {
            return vm_error_printf(e, g->pool, 400, "BadRequestError", NULL,
                                   "label_token_id %s is out of vocabulary "
                                   "range [0, %u). Please provide valid token "
                                   "IDs.", vm_int_text(g->pool, &id),
                                   g->settings->vocab);
        }
    }

    if (json_array_size(q->label_token_ids.json) == 0) {
        return vm_error_bad(e, "label_token_ids must contain at least one "
                               "token ID.");
    }

    if (json_array_size(q->items.json) == 0) {
        return vm_error_bad(e, "items must contain at least one item.");
    }

    if (json_array_size(q->items.json) > VM_LABELS_ITEMS) {
        return vm_error_printf(e, g->pool, 400, "BadRequestError", NULL,
                               "items has more than %d items.",
                               VM_LABELS_ITEMS);
    }

    return VM_OK;
}


/* A text's tokens or the ids themselves, behind those of `l`. */

static int
vm_labels_add(const vm_generation_t *g, const json_t *v, int special,
    vm_ids_t *l)
{
    size_t                 i;
    json_t                *item;
    vm_int_t               id;
    const vm_tokenizer_t  *t;

    t = g->settings->tokenizer;

    if (json_is_string(v)) {

        if (special && vm_tokenizer_bos(t) != VM_NEVER) {
            vm_ids_add(l, vm_tokenizer_bos(t));
        }

        return vm_tokenizer_encode(t, json_string_value(v),
                                   json_string_length(v), 0, l);
    }

    json_array_foreach(v, i, item) {
        vm_field_int(item, &id);
        vm_ids_add(l, (uint32_t) id.v);
    }

    return VM_OK;
}


/* Query and item, or the other way round, cut to leave room for a token. */

static int
vm_labels_prompt(vm_generation_t *g, const vm_labels_t *q, const json_t *item,
    vm_prompt_t *p)
{
    int        rc, special;
    uint32_t   i, *ids;
    vm_ids_t   l;

    special = g->params.add_special_tokens;
    vm_ids_init(&l);

    if (q->item_first) {
        rc = vm_labels_add(g, item, 0, &l) == VM_OK
             ? vm_labels_add(g, q->query.json, special, &l) : VM_ERROR;

    } else {
        rc = vm_labels_add(g, q->query.json, special, &l) == VM_OK
             ? vm_labels_add(g, item, 0, &l) : VM_ERROR;
    }

    p->n = (uint32_t) vm_min(l.n, g->settings->max_model_len - 1);
    ids = rc == VM_OK && !l.failed
          ? vm_pool_alloc(g->pool, (p->n + 1) * sizeof(uint32_t)) : NULL;

    if (ids && p->n) {
        memcpy(ids, l.ids, p->n * sizeof(uint32_t));
    }

    vm_ids_free(&l);
    p->ids = ids;

    if (ids == NULL) {
        return vm_error_memory(&g->call->error);
    }

    for (i = 0; i < p->n; i++) {
        if (ids[i] >= g->settings->vocab) {
            return vm_error_printf(&g->call->error, g->pool, 400,
                                   "BadRequestError", NULL, "Token id %d is "
                                   "out of vocabulary", (int) ids[i]);
        }
    }

    return p->n ? VM_OK : vm_error_bad(&g->call->error, "The decoder prompt "
                                       "cannot be empty");
}


static int
vm_labels_parse(vm_generation_t *g, const json_t *body)
{
    size_t        i;
    json_t       *item;
    vm_labels_t  *q;

    q = vm_pool_calloc(g->pool, 1, sizeof(vm_labels_t));
    if (q == NULL) {
        return vm_error_memory(&g->call->error);
    }

    if (vm_rule_cache_salt(body, &g->call->error, g->pool) != VM_OK
        || vm_model_load(&vm_labels_type, body, "body", q, &g->call->error,
                         g->pool)
           != VM_OK
        || vm_generation_model(g, q->params.model) != VM_OK
        || vm_labels_check(g, q) != VM_OK)
    {
        return VM_ERROR;
    }

    g->own = q;
    g->params = q->params;
    g->params.max_tokens.set = 1;
    g->params.max_tokens.v = 1;
    g->created = (int64_t) g->call->now;
    g->priority = g->params.priority.v;
    g->dp_rank = VM_NEVER;
    g->n = 1;
    g->nprompts = (uint32_t) json_array_size(q->items.json);
    g->id = vm_generation_id(g, "generative-scoring-", g->params.request_id);
    g->prompts = vm_pool_calloc(g->pool, g->nprompts, sizeof(vm_prompt_t));
    g->max_tokens = vm_pool_calloc(g->pool, g->nprompts, sizeof(uint32_t));

    if (g->id == NULL || g->prompts == NULL || g->max_tokens == NULL) {
        return vm_error_memory(&g->call->error);
    }

    json_array_foreach(q->items.json, i, item) {
        g->max_tokens[i] = 1;

        if (vm_labels_prompt(g, q, item, &g->prompts[i]) != VM_OK) {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


/* ---- the answer ---- */

/*
 * The first label's probability: among the labels, or among all tokens, whose
 * weights are exp() of normal numbers: sqrt(e) each on the average.
 */

static double
vm_labels_score(const vm_generation_t *g, const vm_prompt_t *p)
{
    double              first, sum, w;
    size_t              i;
    json_t             *item;
    uint64_t            key;
    vm_int_t            id;
    const vm_labels_t  *q;

    q = g->own;
    key = vm_rand_bytes(p->ids, p->n * sizeof(uint32_t), g->settings->seed);
    first = 0;
    sum = 0;

    json_array_foreach(q->label_token_ids.json, i, item) {
        vm_field_int(item, &id);
        w = exp(vm_rand_normal(key, (uint64_t) id.v));
        first = i ? first : w;
        sum += w;
    }

    return q->apply_softmax ? first / sum
                            : first / (g->settings->vocab * exp(0.5));
}


static void
vm_labels_end(vm_generation_t *g, vm_buf_t *out)
{
    uint32_t            i;
    unsigned long long  input, output;

    vm_buf_lit(out, "{\"id\":");
    vm_buf_json(out, g->id, strlen(g->id));
    vm_buf_lit(out, ",\"object\":\"list\",\"created\":");
    vm_buf_int(out, g->created);
    vm_buf_lit(out, ",\"model\":");
    vm_buf_json(out, g->model.data, g->model.len);
    vm_buf_lit(out, ",\"data\":[");

    for (i = 0; i < g->nprompts; i++) {
        vm_buf_printf(out, "%s{\"index\":%u,\"object\":\"score\",\"score\":",
                      i ? "," : "", i);
        vm_buf_double(out, vm_labels_score(g, &g->prompts[i]));
        vm_buf_char(out, '}');
    }

    input = (unsigned long long) vm_generation_prompt_tokens(g);
    output = (unsigned long long) vm_generation_output_tokens(g);

    vm_buf_printf(out, "],\"usage\":{\"prompt_tokens\":%llu,"
                  "\"total_tokens\":%llu,\"completion_tokens\":%llu,"
                  "\"prompt_tokens_details\":null,"
                  "\"completion_tokens_details\":null}}", input,
                  input + output, output);
}


static void
vm_labels_nothing(vm_generation_t *g, vm_buf_t *out)
{
    (void) g;
    (void) out;
}


const vm_protocol_t  vm_labels = {
    .name = "generative_scoring",
    .parse = vm_labels_parse,
    .begin = vm_labels_nothing,
    .end = vm_labels_end
};
