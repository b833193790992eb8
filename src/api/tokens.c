/*
 * Tokens without a generation.
 */

#include "message.h"
#include "params.h"
#include "tokens.h"


typedef struct {
    const json_t  *model;
    const json_t  *prompt;
    vm_any_t       messages;
    vm_any_t       tokens;
    vm_any_t       tools;
    uint8_t        add_special_tokens;
    uint8_t        return_token_strs;
    uint8_t        add_generation_prompt;
    uint8_t        continue_final_message;
    const json_t  *chat_template;
    vm_any_t       chat_template_kwargs;
} vm_tokens_t;

#define vm_tokens_row(name, type, flags, def)                                 \
    { #name, &type, flags, offsetof(vm_tokens_t, name), def, NULL }

static const vm_field_t  vm_tokens_text_fields[] = {
    vm_tokens_row(model, vm_str_type, 0, 0),
    vm_tokens_row(prompt, vm_str_type, VM_F_REQUIRED|VM_F_NOTNULL, 0),
    vm_tokens_row(add_special_tokens, vm_bool_type, VM_F_NOTNULL, 1),
    vm_tokens_row(return_token_strs, vm_bool_type, 0, 0),
    vm_field_end
};

static const vm_field_t  vm_tokens_chat_fields[] = {
    vm_tokens_row(model, vm_str_type, 0, 0),
    vm_tokens_row(messages, vm_messages_type, VM_F_REQUIRED|VM_F_NOTNULL, 0),
    vm_tokens_row(add_generation_prompt, vm_bool_type, VM_F_NOTNULL, 1),
    vm_tokens_row(return_token_strs, vm_bool_type, 0, 0),
    vm_tokens_row(continue_final_message, vm_bool_type, VM_F_NOTNULL, 0),
    vm_tokens_row(add_special_tokens, vm_bool_type, VM_F_NOTNULL, 0),
    vm_tokens_row(chat_template, vm_str_type, 0, 0),
    vm_tokens_row(chat_template_kwargs, vm_dict_type, 0, 0),
    { "media_io_kwargs", &vm_kwargs_type, VM_F_CHECK, 0, 0, NULL },
    { "mm_processor_kwargs", &vm_dict_type, VM_F_CHECK, 0, 0, NULL },
    vm_tokens_row(tools, vm_tools_type, 0, 0),
    vm_field_end
};

static const vm_type_t  vm_tokens_forms[] = {
    { .kind = VM_T_MODEL, .fields = vm_tokens_text_fields },
    { .kind = VM_T_MODEL, .fields = vm_tokens_chat_fields }
};

static const vm_type_t *const  vm_tokens_branches[] = {
    &vm_tokens_forms[0], &vm_tokens_forms[1], NULL
};

static const vm_type_t  vm_tokens_type = {
    .kind = VM_T_UNION, .branches = vm_tokens_branches
};


static const vm_type_t  vm_token_id_type = {
    .kind = VM_T_INT, .has_ge = 1, .ge = 0, .has_le = 1, .le = INT64_MAX
};

static const vm_type_t  vm_token_ids_type = {
    .kind = VM_T_LIST, .item = &vm_token_id_type
};

static const vm_field_t  vm_tokens_decode_fields[] = {
    vm_tokens_row(model, vm_str_type, 0, 0),
    vm_tokens_row(tokens, vm_token_ids_type, VM_F_REQUIRED|VM_F_NOTNULL, 0),
    vm_field_end
};

static const vm_type_t  vm_tokens_decode_type = {
    .kind = VM_T_MODEL, .fields = vm_tokens_decode_fields
};


static void vm_tokens_config(vm_call_t *call, vm_buf_t *out);
static void vm_tokens_value(json_t *v, vm_buf_t *out);


/* The model is looked up as for a generation. */

static int
vm_tokens_model(vm_call_t *call, const json_t *model)
{
    vm_generation_t  g;

    memset(&g, 0, sizeof(vm_generation_t));
    g.call = call;
    g.settings = call->settings;
    g.pool = call->pool;

    return vm_generation_model(&g, model);
}


static int
vm_tokens_chat_text(vm_call_t *call, const vm_tokens_t *t, vm_buf_t *text)
{
    vm_template_t  how;

    memset(&how, 0, sizeof(vm_template_t));
    how.generate = t->add_generation_prompt;
    how.go_on = t->continue_final_message;
    how.tools = t->tools.json;
    how.model = call->settings->names.list[0];

    return vm_messages_render(t->messages.json, &how, text, &call->error,
                              call->pool);
}


static void
vm_tokens_strs(const vm_tokenizer_t *k, const vm_ids_t *ids, vm_buf_t *out)
{
    size_t    i;
    vm_str_t  piece;

    vm_buf_char(out, '[');

    for (i = 0; i < ids->n; i++) {
        piece = vm_tokenizer_piece(k, ids->ids[i]);
        vm_buf_str(out, i ? "," : "");
        vm_buf_json(out, piece.data, piece.len);
    }

    vm_buf_char(out, ']');
}


int
vm_tokens_encode(vm_call_t *call, const json_t *body, vm_buf_t *out)
{
    int                    form, rc;
    size_t                 i;
    vm_buf_t               text;
    vm_ids_t               ids;
    vm_tokens_t            t;
    const vm_tokenizer_t  *k;

    int  (*encode)(const vm_tokenizer_t *k, const char *text, size_t len,
                   size_t max, vm_ids_t *out);

    memset(&t, 0, sizeof(vm_tokens_t));
    k = call->settings->tokenizer;

    if (json_is_object(body)) {

        if (vm_rule_true(body, "continue_final_message")
            && vm_rule_true(body, "add_generation_prompt"))
        {
            return vm_error_bad(&call->error, "Cannot set both "
                                "`continue_final_message` and "
                                "`add_generation_prompt` to True.");
        }
    }

    if (vm_model_load(&vm_tokens_type, body, "body", NULL, &call->error,
                      call->pool)
        != VM_OK)
    {
        return VM_ERROR;
    }

    form = vm_type_branch(&vm_tokens_type, body, &call->error, call->pool);

    if (vm_model_load(&vm_tokens_forms[form > 0], body, "body", &t,
                      &call->error, call->pool) != VM_OK)
    {
        return VM_ERROR;
    }

    if (vm_tokens_model(call, t.model) != VM_OK
        || vm_generation_trusted(call->settings, t.chat_template,
                                 t.chat_template_kwargs.json, &call->error)
           != VM_OK)
    {
        return VM_ERROR;
    }

    vm_buf_init(&text);
    rc = VM_OK;

    if (t.messages.json) {
        rc = vm_tokens_chat_text(call, &t, &text);

    } else {
        vm_buf_add(&text, json_string_value(t.prompt),
                   json_string_length(t.prompt));
    }

    vm_ids_init(&ids);

    if (rc == VM_OK) {
        encode = t.add_special_tokens ? vm_tokenizer_encode_prompt
                                      : vm_tokenizer_encode;

        if (encode(k, text.data ? text.data : "", text.len, 0, &ids) != VM_OK
            || text.failed)
        {
            rc = vm_error_memory(&call->error);
        }
    }

    vm_buf_free(&text);

    if (rc != VM_OK) {
        vm_ids_free(&ids);
        return rc;
    }

    vm_buf_printf(out, "{\"count\":%zu,\"max_model_len\":%u,\"tokens\":[",
                  ids.n, call->settings->max_model_len);

    for (i = 0; i < ids.n; i++) {
        vm_buf_str(out, i ? "," : "");
        vm_buf_uint(out, ids.ids[i]);
    }

    vm_buf_lit(out, "],\"token_strs\":");

    if (t.return_token_strs) {
        vm_tokens_strs(k, &ids, out);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_char(out, '}');
    vm_ids_free(&ids);

    return VM_OK;
}


int
vm_tokens_decode(vm_call_t *call, const json_t *body, vm_buf_t *out)
{
    size_t        i;
    json_t       *item;
    vm_buf_t      text;
    vm_ids_t      ids;
    vm_int_t      id;
    vm_tokens_t   t;

    memset(&t, 0, sizeof(vm_tokens_t));

    if (vm_model_load(&vm_tokens_decode_type, body, "body", &t, &call->error,
                      call->pool)
        != VM_OK
        || vm_tokens_model(call, t.model) != VM_OK)
    {
        return VM_ERROR;
    }

    vm_ids_init(&ids);
    vm_buf_init(&text);

    json_array_foreach(t.tokens.json, i, item) {
        vm_field_int(item, &id);

        if (id.v < (json_int_t) call->settings->vocab) {
            vm_ids_add(&ids, (uint32_t) id.v);
        }
    }

    vm_tokenizer_decode(call->settings->tokenizer, ids.ids, ids.n, &text);

    vm_buf_lit(out, "{\"prompt\":");
    vm_buf_json(out, text.data ? text.data : "", text.len);
    vm_buf_char(out, '}');

    i = ids.failed || text.failed;
    vm_ids_free(&ids);
    vm_buf_free(&text);

    return i ? vm_error_memory(&call->error) : VM_OK;
}


void
vm_tokens_info(vm_call_t *call, vm_buf_t *out)
{
    if (call->settings->tokenizer_config) {
        vm_tokens_config(call, out);
        return;
    }

    vm_buf_printf(out, "{\"tokenizer_class\":\"LlamaTokenizer\","
                  "\"eos_token\":\"</s>\",\"pad_token\":\"</s>\","
                  "\"model_max_length\":%u,"
                  "\"clean_up_tokenization_spaces\":false,"
                  "\"chat_template\":\"{%% for message in messages %%}"
                  "{{'<|' + message['role'] + '|>\\\\n' + "
                  "message['content'] + '\\\\n'}}{%% endfor %%}"
                  "{%% if add_generation_prompt %%}{{ '<|assistant|>\\\\n' }}"
                  "{%% endif %%}\",\"truncation_side\":\"left\","
                  "\"name_or_path\":", call->settings->max_model_len);
    vm_buf_json(out, call->settings->root, strlen(call->settings->root));
    vm_buf_lit(out, ",\"is_local\":true,\"local_files_only\":false,"
                    "\"added_tokens_decoder\":{\"0\":\"<unk>\",\"1\":\"<s>\","
                    "\"2\":\"</s>\"},\"backend\":\"builtin\"}");
}


/*
 * What transformers makes of a tokenizer_config.json: without the names of
 * files, added tokens by their text alone, the class by its newer name.
 */

static void
vm_tokens_config(vm_call_t *call, vm_buf_t *out)
{
    size_t           i, len;
    json_t          *value;
    vm_json_t        j;
    const char      *class, *key, *name;
    const vm_str_t  *config;

    static const char *const  ours[] = {
        "vocab_file", "merges_file", "tokenizer_class", "name_or_path",
        "is_local", "local_files_only", "backend"
    };

    config = call->settings->tokenizer_config;

    if (vm_json_load(&j, config->data, config->len) != VM_JSON_OK) {
        j.value = json_object();
    }

    class = json_string_value(json_object_get(j.value, "tokenizer_class"));

    if (class == NULL || strncmp(class, "PreTrainedTokenizer", 19) == 0) {
        class = "TokenizersBackend";
    }

    len = strlen(class);

    if (len > 4 && strcmp(class + len - 4, "Fast") == 0) {
        len -= 4;
    }

    vm_buf_lit(out, "{");

    json_object_foreach(j.value, key, value) {

        for (i = 0; i < vm_nelts(ours) && strcmp(ours[i], key) != 0; i++) {
            /* void */
        }

        if (i < vm_nelts(ours)) {
            continue;
        }

        name = strcmp(key, "additional_special_tokens") == 0
               ? "extra_special_tokens" : key;

        vm_buf_json(out, name, strlen(name));
        vm_buf_char(out, ':');
        vm_tokens_value(value, out);
        vm_buf_char(out, ',');
    }

    if (json_object_get(j.value, "truncation_side") == NULL) {
        vm_buf_lit(out, "\"truncation_side\":\"left\",");
    }

    vm_buf_lit(out, "\"name_or_path\":");
    vm_buf_json(out, call->settings->root, strlen(call->settings->root));
    vm_buf_printf(out, ",\"is_local\":true,\"local_files_only\":false,"
                  "\"backend\":\"tokenizers\","
                  "\"tokenizer_class\":\"Cached%.*s\"}", (int) len, class);

    json_decref(j.value);
}


static void
vm_tokens_value(json_t *v, vm_buf_t *out)
{
    char        *text;
    size_t       i;
    json_t      *item;
    const char  *comma, *key;

    comma = "";

    switch (vm_value_type(v)) {

    case VM_PY_DICT:

        if (json_object_get(v, "content")) {        /* a token */
            vm_tokens_value(json_object_get(v, "content"), out);
            return;
        }

        vm_buf_char(out, '{');

        json_object_foreach(v, key, item) {
            vm_buf_str(out, comma);
            vm_buf_json(out, key, strlen(key));
            vm_buf_char(out, ':');
            vm_tokens_value(item, out);
            comma = ",";
        }

        vm_buf_char(out, '}');
        return;

    case VM_PY_LIST:
        vm_buf_char(out, '[');

        json_array_foreach(v, i, item) {
            vm_buf_str(out, comma);
            vm_tokens_value(item, out);
            comma = ",";
        }

        vm_buf_char(out, ']');
        return;

    case VM_PY_BIGINT:
        vm_buf_str(out, vm_value_digits(v));
        return;

    case VM_PY_STR:
        vm_buf_json(out, json_string_value(v), json_string_length(v));
        return;

    default:
        text = json_dumps(v, JSON_ENCODE_ANY);
        vm_buf_str(out, text ? text : "null");
        free(text);
        return;
    }
}
