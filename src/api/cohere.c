/*
 * Cohere's POST /v2/embed.
 */

#include <stdlib.h>
#include "message.h"
#include "pooling.h"


static const char *const  vm_cohere_kinds[] = {
    "float", "binary", "ubinary", "base64", NULL
};

static const vm_type_t  vm_cohere_kind_type = {
    .kind = VM_T_LITERAL, .values = vm_cohere_kinds
};

static const vm_type_t  vm_cohere_kinds_type = {
    .kind = VM_T_LIST, .item = &vm_cohere_kind_type
};

static const char *const  vm_cohere_cuts[] = { "NONE", "START", "END", NULL };

static const vm_type_t  vm_cohere_cut_type = {
    .kind = VM_T_LITERAL, .values = vm_cohere_cuts
};

static const char *const  vm_cohere_part_kinds[] = {
    "text", "image_url", NULL
};

static const vm_type_t  vm_cohere_part_kind_type = {
    .kind = VM_T_LITERAL, .values = vm_cohere_part_kinds
};

static const vm_type_t  vm_cohere_url_type = {
    .kind = VM_T_DICT, .item = &vm_str_type
};

static const vm_field_t  vm_cohere_part_fields[] = {
    vm_field_seen("type", vm_cohere_part_kind_type,
                  VM_F_REQUIRED|VM_F_NOTNULL),
    vm_field_seen("text", vm_str_type, 0),
    vm_field_seen("image_url", vm_cohere_url_type, 0),
    vm_field_end
};

static const vm_type_t  vm_cohere_part_type = {
    .kind = VM_T_MODEL, .fields = vm_cohere_part_fields
};

static const vm_type_t  vm_cohere_parts_type = {
    .kind = VM_T_LIST, .item = &vm_cohere_part_type
};

static const vm_field_t  vm_cohere_input_fields[] = {
    vm_field_seen("content", vm_cohere_parts_type,
                  VM_F_REQUIRED|VM_F_NOTNULL),
    vm_field_end
};

static const vm_type_t  vm_cohere_input_type = {
    .kind = VM_T_MODEL, .fields = vm_cohere_input_fields
};

static const vm_type_t  vm_cohere_inputs_type = {
    .kind = VM_T_LIST, .item = &vm_cohere_input_type
};

static const vm_field_t  vm_cohere_fields[] = {
    vm_param(model, vm_str_type, 0, 0),
    vm_pooled_row(input_type, vm_str_type, 0),
    vm_pooled_row(texts, vm_str_list_type, 0),
    vm_pooled_row(images, vm_str_list_type, 0),
    vm_pooled_row(inputs, vm_cohere_inputs_type, 0),
    vm_pooled_row(output_dimension, vm_int_type, 0),
    vm_pooled_row(embedding_types, vm_cohere_kinds_type, 0),
    vm_pooled_row(truncate, vm_cohere_cut_type, VM_F_NOTNULL),
    vm_pooled_row(max_tokens, vm_int_type, 0),
    vm_param(priority, vm_int64_type, VM_F_NOTNULL, 0),
    vm_field_end
};

static const vm_type_t  vm_cohere_class = {
    .kind = VM_T_MODEL, .fields = vm_cohere_fields
};


/* ---- from a request to a generation ---- */

static void
vm_cohere_value(vm_violations_t *x, const char *place, const char *wrong,
    const json_t *input)
{
    vm_violations_add(x, "value_error", place,
                      vm_pool_printf(x->pool, "Value error, %s", wrong),
                      input,
                      vm_pool_printf(x->pool, "'error': ValueError(%s%s%s)",
                                     strchr(wrong, '\'') ? "\"" : "'", wrong,
                                     strchr(wrong, '\'') ? "\"" : "'"));
}


/* What validators of classes say, after their fields were right. */

static void
vm_cohere_contents(vm_violations_t *x, const json_t *inputs)
{
    size_t       i, k;
    json_t      *input, *part;
    const char  *type, *url, *wrong;

    json_array_foreach(inputs, i, input) {
        json_array_foreach(json_object_get(input, "content"), k, part) {
            type = json_string_value(json_object_get(part, "type"));
            url = json_string_value(json_object_get(
                      json_object_get(part, "image_url"), "url"));
            wrong = NULL;

            if (strcmp(type, "text") == 0) {

                if (vm_value_get(part, "text") == NULL) {
                    wrong = "CohereEmbedContent with type='text' requires "
                            "text";
                }

            } else if (url == NULL || *url == '\0') {
                wrong = "CohereEmbedContent with type='image_url' requires "
                        "image_url.url";
            }

            if (wrong) {
                vm_cohere_value(x, vm_pool_printf(x->pool, "body.inputs.%zu."
                                                  "content.%zu", i, k),
                                wrong, part);
            }
        }
    }
}


static int
vm_cohere_load(vm_generation_t *g, const json_t *body, vm_pooled_t *q)
{
    int              given, rc;
    vm_violations_t  x;
    const json_t    *all[3];

    memset(q, 0, sizeof(vm_pooled_t));
    vm_violations_init(&x, &g->call->error, g->pool);

    rc = vm_model_check(&vm_cohere_class, body, "body", q, &x);

    if (rc == VM_OK) {
        vm_cohere_contents(&x, q->inputs.json);
    }

    all[0] = q->texts.json;
    all[1] = q->images.json;
    all[2] = q->inputs.json;
    given = (all[0] != NULL) + (all[1] != NULL) + (all[2] != NULL);

    if (x.count == 0
        && (given != 1 || json_array_size(all[0] ? all[0]
                                          : all[1] ? all[1] : all[2]) == 0))
    {
        vm_cohere_value(&x, "body", "Exactly one of texts, images, or inputs "
                        "must be provided, and it must be non-empty", body);
    }

    rc = x.count ? vm_violations_report(&x) : VM_OK;
    vm_violations_free(&x);

    g->params = q->params;

    return rc;
}


/* "END" and "START" cut to max_tokens, or to what the model takes. */

static void
vm_cohere_truncation(vm_generation_t *g, const vm_pooled_t *q)
{
    const char  *how;

    how = q->truncate ? json_string_value(q->truncate) : "END";

    if (strcmp(how, "NONE") == 0) {
        return;
    }

    g->params.truncate_prompt_tokens.set = 1;
    g->params.truncate_prompt_tokens.v = q->max_tokens.set ? q->max_tokens.v
                                                           : -1;
    g->params.truncation_side = json_string(strcmp(how, "START") == 0
                                            ? "left" : "right");
}


/* A mixed input is a user's message: images a model of text refuses. */

static json_t *
vm_cohere_messages(const json_t *content)
{
    json_t  *message;

    message = json_pack("{s:s,s:O}", "role", "user", "content", content);

    return message ? json_pack("[o]", message) : NULL;
}


static json_t *
vm_cohere_image(const json_t *url)
{
    return json_pack("[{s:s,s:{s:O}}]", "type", "image_url", "image_url",
                     "url", url);
}


static int
vm_cohere_prompts(vm_generation_t *g, const vm_pooled_t *q)
{
    int            rc;
    size_t         i;
    json_t        *content, *item, *messages;
    vm_prompt_t   *p;
    const json_t  *list;

    list = q->texts.json ? q->texts.json
                         : q->images.json ? q->images.json : q->inputs.json;
    p = vm_pooled_prompts(g, json_array_size(list));

    if (p == NULL) {
        return VM_ERROR;
    }

    g->params.add_special_tokens = q->texts.json != NULL;

    json_array_foreach(list, i, item) {

        if (q->texts.json) {
            rc = vm_pooled_prompt(g, &p[i], item);

        } else {
            content = q->images.json
                      ? vm_cohere_image(item)
                      : json_incref(json_object_get(item, "content"));
            messages = vm_cohere_messages(content);
            rc = vm_pooled_chat(g, &p[i], messages);
            json_decref(messages);
            json_decref(content);
        }

        if (rc != VM_OK) {
            return rc;
        }
    }

    return VM_OK;
}


/* With truncate=NONE a length is looked at, not changed. */

static int
vm_cohere_lengths(vm_generation_t *g, const vm_pooled_t *q)
{
    uint32_t  i;

    if (!q->max_tokens.set || g->params.truncate_prompt_tokens.set) {
        return VM_OK;
    }

    for (i = 0; i < g->nprompts; i++) {

        if (g->prompts[i].n > q->max_tokens.v) {
            return vm_error_printf(&g->call->error, g->pool, 400,
                                   "BadRequestError", NULL,
                                   "Input of %u tokens exceeds max_tokens=%s "
                                   "with truncate=NONE. Set truncate to END or "
                                   "START to allow truncation.",
                                   g->prompts[i].n,
                                   vm_int_text(g->pool, &q->max_tokens));
        }
    }

    return VM_OK;
}


static int
vm_cohere_types(vm_generation_t *g, const vm_pooled_t *q)
{
    size_t    i;
    json_t   *kind;
    uint32_t  dims;

    dims = ((vm_pooled_t *) g->own)->dims;

    json_array_foreach(q->embedding_types.json, i, kind) {

        if (strstr(json_string_value(kind), "binary") && dims % 8) {
            return vm_error_printf(&g->call->error, g->pool, 400,
                                   "BadRequestError", NULL,
                                   "Embedding dimension must be a multiple of "
                                   "8 for binary embedding types, but got "
                                   "%u.", dims);
        }
    }

    return VM_OK;
}


static int
vm_cohere_fill(vm_generation_t *g, const json_t *body)
{
    vm_pooled_t  q;

    if (vm_cohere_load(g, body, &q) != VM_OK
        || vm_pooled_begin(g, &q, "embd-") != VM_OK)
    {
        return VM_ERROR;
    }

    if (q.input_type) {
        return vm_error_printf(&g->call->error, g->pool, 400,
                               "BadRequestError", NULL,
                               "Unsupported input_type '%s'. This model does "
                               "not define any input_type task instructions.",
                               json_string_value(q.input_type));
    }

    vm_cohere_truncation(g, &q);

    return vm_cohere_prompts(g, &q) == VM_OK
           && vm_pooled_done(g, &q) == VM_OK
           && vm_cohere_lengths(g, &q) == VM_OK
           ? vm_cohere_types(g, &q) : VM_ERROR;
}


static int
vm_cohere_parse(vm_generation_t *g, const json_t *body)
{
    int  rc;

    rc = vm_cohere_fill(g, body);

    /* the one value that is no part of the body */

    json_decref((json_t *) (uintptr_t) g->params.truncation_side);
    g->params.truncation_side = NULL;

    return rc;
}


/* ---- the answer ---- */

/* Eight dimensions a byte: the sign of each, the first in the highest bit. */

static void
vm_cohere_bits(const float *v, uint32_t dims, int offset, vm_buf_t *out)
{
    int       byte;
    uint32_t  i, k;

    vm_buf_char(out, '[');

    for (i = 0; i + 8 <= dims; i += 8) {
        for (byte = 0, k = 0; k < 8; k++) {
            byte = byte << 1 | (v[i + k] >= 0);
        }

        vm_buf_printf(out, "%s%d", i ? "," : "", byte - offset);
    }

    vm_buf_char(out, ']');
}


static void
vm_cohere_kind(vm_generation_t *g, const char *kind, float *v, uint32_t dims,
    vm_buf_t *out)
{
    uint32_t  i;

    vm_buf_printf(out, "\"%s\":[", kind);

    for (i = 0; i < g->nprompts; i++) {
        vm_vector_make(g->prompts[i].ids, g->prompts[i].n, dims, 1, v);
        vm_buf_str(out, i ? "," : "");

        if (strcmp(kind, "binary") == 0) {
            vm_cohere_bits(v, dims, 128, out);

        } else if (strcmp(kind, "ubinary") == 0) {
            vm_cohere_bits(v, dims, 0, out);

        } else if (strcmp(kind, "base64") == 0) {
            vm_vector_base64(v, dims, VM_DTYPE_FLOAT32, 0, out);

        } else {
            vm_vector_json(v, dims, out);
        }
    }

    vm_buf_char(out, ']');
}


/* A kind that was asked for; without a list it is "float". */

static int
vm_cohere_wanted(const vm_pooled_t *q, const char *kind)
{
    size_t   i;
    json_t  *item;

    if (json_array_size(q->embedding_types.json) == 0) {
        return strcmp(kind, "float") == 0;
    }

    json_array_foreach(q->embedding_types.json, i, item) {
        if (strcmp(json_string_value(item), kind) == 0) {
            return 1;
        }
    }

    return 0;
}


static int
vm_cohere_pictures(const vm_pooled_t *q)
{
    size_t       i, k;
    json_t      *input, *part;
    const char  *type;

    json_array_foreach(q->inputs.json, i, input) {
        json_array_foreach(json_object_get(input, "content"), k, part) {
            type = json_string_value(json_object_get(part, "type"));

            if (type && strcmp(type, "image_url") == 0) {
                return 1;
            }
        }
    }

    return q->images.json != NULL;
}


static void
vm_cohere_end(vm_generation_t *g, vm_buf_t *out)
{
    int                  first, pictures;
    char                *text;
    float               *v;
    vm_pooled_t         *q;
    const char *const   *kind;
    unsigned long long   tokens;

    q = g->own;
    v = vm_pool_alloc(g->pool, q->dims * sizeof(float));

    if (v == NULL) {
        out->failed = 1;
        return;
    }

    vm_buf_lit(out, "{\"id\":");
    vm_buf_json(out, g->id, strlen(g->id));
    vm_buf_lit(out, ",\"embeddings\":{");

    for (first = 1, kind = vm_cohere_kinds; *kind; kind++) {

        if (vm_cohere_wanted(q, *kind)) {
            vm_buf_str(out, first ? "" : ",");
            vm_cohere_kind(g, *kind, v, q->dims, out);
            first = 0;
        }
    }

    vm_buf_char(out, '}');

    if (q->texts.json) {
        text = json_dumps(q->texts.json, JSON_COMPACT);
        vm_buf_printf(out, ",\"texts\":%s", text ? text : "[]");
        free(text);
    }

    tokens = (unsigned long long) vm_generation_prompt_tokens(g);
    pictures = vm_cohere_pictures(q);

    vm_buf_printf(out, ",\"meta\":{\"api_version\":{\"version\":\"2\"},"
                  "\"billed_units\":{\"input_tokens\":%llu,"
                  "\"image_tokens\":%llu}},"
                  "\"response_type\":\"embeddings_by_type\"}",
                  pictures ? 0 : tokens, pictures ? tokens : 0);
}


const vm_protocol_t  vm_cohere = {
    .name = "cohere",
    .parse = vm_cohere_parse,
    .begin = vm_pooled_nothing,
    .end = vm_cohere_end
};
