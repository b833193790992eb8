/*
 * Models and adapters: the list, and the requests that load and unload.
 */

#include <stdio.h>
#include "models.h"
#include "../base/rand.h"


static void
vm_models_card(const vm_call_t *call, vm_str_t id, vm_str_t root,
    const char *parent, uint32_t index, vm_buf_t *out)
{
    int64_t  now;

    now = (int64_t) call->now;

    vm_buf_lit(out, "{\"id\":");
    vm_buf_json(out, id.data, id.len);
    vm_buf_lit(out, ",\"object\":\"model\",\"created\":");
    vm_buf_int(out, now);
    vm_buf_lit(out, ",\"owned_by\":\"vllm\",\"root\":");
    vm_buf_json(out, root.data, root.len);
    vm_buf_lit(out, ",\"parent\":");

    if (parent) {
        vm_buf_json(out, parent, strlen(parent));
        vm_buf_lit(out, ",\"max_model_len\":null");

    } else {
        vm_buf_lit(out, "null,\"max_model_len\":");
        vm_buf_uint(out, call->settings->max_model_len);
    }

    vm_buf_printf(out, ",\"permission\":[{\"id\":\"modelperm-%016llx\","
                  "\"object\":\"model_permission\",\"created\":%lld,"
                  "\"allow_create_engine\":false,\"allow_sampling\":true,"
                  "\"allow_logprobs\":true,\"allow_search_indices\":false,"
                  "\"allow_view\":true,\"allow_fine_tuning\":false,"
                  "\"organization\":\"*\",\"group\":null,"
                  "\"is_blocking\":false}]}",
                  (unsigned long long) vm_rand_at(call->random, index),
                  (long long) now);
}


void
vm_models_render(const vm_call_t *call, const vm_adapter_t *adapters,
    size_t n, vm_buf_t *out)
{
    size_t                i;
    uint32_t              index;
    vm_str_t              id, root;
    const vm_settings_t  *s;

    s = call->settings;
    index = 0;

    root.data = s->root;
    root.len = strlen(s->root);

    vm_buf_lit(out, "{\"object\":\"list\",\"data\":[");

    for (i = 0; i < s->names.n; i++) {
        if (index) {
            vm_buf_char(out, ',');
        }

        id.data = s->names.list[i];
        id.len = strlen(id.data);
        vm_models_card(call, id, root, NULL, index++, out);
    }

    for (i = 0; i < n; i++) {
        vm_buf_char(out, ',');
        vm_models_card(call, adapters[i].name, adapters[i].path,
                       s->names.list[0], index++, out);
    }

    vm_buf_lit(out, "]}");
}


/* ---- adapters ---- */

#define vm_lora_row(name, type, flags)                                        \
    { #name, &type, flags, offsetof(vm_lora_request_t, name), 0, NULL }

static const vm_field_t  vm_lora_load_fields[] = {
    vm_lora_row(lora_name, vm_str_type, VM_F_REQUIRED|VM_F_NOTNULL),
    vm_lora_row(lora_path, vm_str_type, VM_F_REQUIRED|VM_F_NOTNULL),
    vm_lora_row(load_inplace, vm_bool_type, VM_F_NOTNULL),
    { "is_3d_lora_weight", &vm_bool_type, VM_F_CHECK|VM_F_NOTNULL, 0, 0,
      NULL },
    vm_field_end
};

static const vm_type_t  vm_lora_load_type = {
    .kind = VM_T_MODEL, .fields = vm_lora_load_fields
};

static const vm_field_t  vm_lora_unload_fields[] = {
    vm_lora_row(lora_name, vm_str_type, VM_F_REQUIRED|VM_F_NOTNULL),
    { "lora_int_id", &vm_int_type, VM_F_CHECK, 0, 0, NULL },
    vm_field_end
};

static const vm_type_t  vm_lora_unload_type = {
    .kind = VM_T_MODEL, .fields = vm_lora_unload_fields
};


static int
vm_lora_input(vm_call_t *call, const char *message)
{
    return vm_error_set(&call->error, 400, "InvalidUserInput", NULL, message);
}


int
vm_lora_load_parse(vm_call_t *call, const json_t *body,
    vm_lora_request_t *out)
{
    memset(out, 0, sizeof(vm_lora_request_t));

    if (vm_model_load(&vm_lora_load_type, body, "body", out, &call->error,
                      call->pool)
        != VM_OK)
    {
        return VM_ERROR;
    }

    if (json_string_length(out->lora_name) == 0
        || json_string_length(out->lora_path) == 0)
    {
        return vm_lora_input(call, "Both 'lora_name' and 'lora_path' must be "
                                   "provided.");
    }

    return VM_OK;
}


int
vm_lora_unload_parse(vm_call_t *call, const json_t *body,
    vm_lora_request_t *out)
{
    memset(out, 0, sizeof(vm_lora_request_t));

    if (vm_model_load(&vm_lora_unload_type, body, "body", out, &call->error,
                      call->pool)
        != VM_OK)
    {
        return VM_ERROR;
    }

    if (json_string_length(out->lora_name) == 0) {
        return vm_lora_input(call, "'lora_name' needs to be provided to "
                                   "unload a LoRA adapter.");
    }

    return VM_OK;
}


int
vm_lora_sagemaker_parse(vm_call_t *call, const json_t *body,
    vm_lora_request_t *out)
{
    char                     *text;
    size_t                    i, n;
    json_t                   *v;
    vm_buf_t                  b;
    static const char *const  keys[] = { "name", "src" };

    memset(out, 0, sizeof(vm_lora_request_t));
    vm_buf_init(&b);
    n = 0;

    for (i = 0; i < vm_nelts(keys); i++) {
        v = json_object_get(body, keys[i]);

        if (v && vm_value_type(v) == VM_PY_STR) {
            continue;
        }

        vm_buf_printf(&b, "%s{\"type\":\"%s\",\"loc\":[\"%s\"],\"msg\":"
                      "\"%s\",\"input\":", n++ ? "," : "[",
                      v ? "string_type" : "missing", keys[i],
                      v ? "Input should be a valid string"
                        : "Field required");
        text = json_dumps(v ? v : body, JSON_COMPACT|JSON_ENCODE_ANY);
        vm_buf_str(&b, text ? text : "null");
        free(text);
        vm_buf_char(&b, '}');
    }

    if (n) {
        vm_buf_lit(&b, "]");
        vm_error_set(&call->error, 400, "Bad Request", NULL,
                     vm_pool_strdup(call->pool, b.data, b.len));
        vm_buf_free(&b);
        return VM_ERROR;
    }

    vm_buf_free(&b);

    out->lora_name = json_object_get(body, "name");
    out->lora_path = json_object_get(body, "src");

    if (json_string_length(out->lora_name) == 0
        || json_string_length(out->lora_path) == 0)
    {
        return vm_lora_input(call, "Both 'lora_name' and 'lora_path' must be "
                                   "provided.");
    }

    return VM_OK;
}


int
vm_lora_base_name(vm_call_t *call, const char *name)
{
    return vm_error_printf(&call->error, call->pool, 400, "InvalidUserInput",
                           NULL, "The lora adapter '%s' conflicts with a "
                           "served base model.", name);
}


int
vm_lora_loaded(vm_call_t *call, const char *name)
{
    return vm_error_printf(&call->error, call->pool, 400, "InvalidUserInput",
                           NULL, "The lora adapter '%s' has already been "
                           "loaded. If you want to load the adapter in place, "
                           "set 'load_inplace' to True.", name);
}


int
vm_lora_unknown(vm_call_t *call, const char *name)
{
    return vm_error_printf(&call->error, call->pool, 404, "NotFoundError",
                           NULL, "The lora adapter '%s' cannot be found.",
                           name);
}


int
vm_lora_no_path(vm_call_t *call, const char *name, const char *path)
{
    return vm_error_printf(&call->error, call->pool, 404, "NotFoundError",
                           NULL, "Loading lora %s failed: No adapter found "
                           "for %s", name, path);
}


int
vm_lora_engine(vm_call_t *call, const char *reason)
{
    return vm_error_printf(&call->error, call->pool, 500,
                           "InternalServerError", NULL,
                           "Call to add_lora method failed: Worker failed "
                           "with error '%s', please check the stack trace "
                           "above for the root cause", reason);
}


int
vm_lora_config(vm_call_t *call, const char *text, size_t len)
{
    int          rc;
    size_t       column, i, line;
    vm_json_t    j;
    json_int_t   rank;

    switch (vm_json_load(&j, text, len)) {

    case VM_JSON_INVALID:
        line = 1;
        column = j.pos + 1;

        for (i = 0; i < j.pos && i < len; i++) {
            if (text[i] == '\n') {
                line++;
                column = j.pos - i;
            }
        }

        return vm_lora_engine(call, vm_pool_printf(call->pool, "%s: line %zu "
                                                   "column %zu (char %zu)",
                                                   j.error, line, column,
                                                   j.pos));

    case VM_JSON_UNDECODABLE:
    case VM_JSON_LARGE:
        return vm_lora_engine(call, "adapter_config.json cannot be decoded");

    default:
        break;
    }

    rc = VM_OK;
    rank = json_integer_value(json_object_get(j.value, "r"));

    if (rank > (json_int_t) call->settings->max_lora_rank) {
        rc = vm_lora_engine(call, vm_pool_printf(call->pool, "LoRA rank %lld "
                                                 "is greater than "
                                                 "max_lora_rank %u.", rank,
                                                 call->settings
                                                     ->max_lora_rank));
    }

    json_decref(j.value);

    return rc;
}
