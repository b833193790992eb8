/*
 * Anthropic's messages: a request becomes a chat's, a chat's parts become
 * content blocks.
 */

#include <stdio.h>
#include <stdlib.h>
#include "anthropic.h"
#include "chat.h"
#include "params.h"
#include "parts.h"
#include "../base/rand.h"


#define VM_BILLING  "x-anthropic-billing-header"


typedef struct {
    const json_t  *model;
    vm_any_t       messages;
    vm_int_t       max_tokens;
    vm_any_t       system;
    vm_any_t       thinking;
    vm_any_t       tool_choice;
    vm_any_t       tools;
    vm_any_t       output_config;
    uint8_t        stream;
} vm_anthropic_t;

#define vm_anthropic_row(name, type, flags)                                   \
    { #name, &type, flags, offsetof(vm_anthropic_t, name), 0, NULL }


/* ---- the request's tables ---- */

static const char *const  vm_anthropic_block_kinds[] = {
    "text", "image", "tool_use", "tool_result", "tool_reference", "thinking",
    "redacted_thinking", "tool_addition", "tool_removal", NULL
};

static const vm_type_t  vm_anthropic_kind_type = {
    .kind = VM_T_LITERAL, .values = vm_anthropic_block_kinds
};

static const vm_type_t  vm_anthropic_dicts_type = {
    .kind = VM_T_LIST, .item = &vm_dict_type
};

static const vm_type_t *const  vm_anthropic_result_branches[] = {
    &vm_str_type, &vm_anthropic_dicts_type, NULL
};

static const vm_type_t  vm_anthropic_result_type = {
    .kind = VM_T_UNION, .branches = vm_anthropic_result_branches
};

static const vm_field_t  vm_anthropic_block_fields[] = {
    vm_field_seen("type", vm_anthropic_kind_type,
                  VM_F_REQUIRED|VM_F_NOTNULL),
    vm_field_seen("text", vm_str_type, 0),
    vm_field_seen("source", vm_dict_type, 0),
    vm_field_seen("id", vm_str_type, 0),
    vm_field_seen("tool_use_id", vm_str_type, 0),
    vm_field_seen("name", vm_str_type, 0),
    vm_field_seen("input", vm_dict_type, 0),
    vm_field_seen("content", vm_anthropic_result_type, 0),
    vm_field_seen("is_error", vm_bool_type, 0),
    vm_field_seen("tool_name", vm_str_type, 0),
    vm_field_seen("thinking", vm_str_type, 0),
    vm_field_seen("signature", vm_str_type, 0),
    vm_field_seen("data", vm_str_type, 0),
    vm_field_end
};

static const vm_type_t  vm_anthropic_block_type = {
    .kind = VM_T_MODEL, .fields = vm_anthropic_block_fields
};

static const vm_type_t  vm_anthropic_blocks_type = {
    .kind = VM_T_LIST, .item = &vm_anthropic_block_type
};

static const vm_type_t *const  vm_anthropic_content_branches[] = {
    &vm_str_type, &vm_anthropic_blocks_type, NULL
};

static const vm_type_t  vm_anthropic_content_type = {
    .kind = VM_T_UNION, .branches = vm_anthropic_content_branches
};

static const char *const  vm_anthropic_roles[] = {
    "user", "assistant", "system", NULL
};

static const vm_type_t  vm_anthropic_role_type = {
    .kind = VM_T_LITERAL, .values = vm_anthropic_roles
};

static const vm_field_t  vm_anthropic_message_fields[] = {
    vm_field_seen("role", vm_anthropic_role_type,
                  VM_F_REQUIRED|VM_F_NOTNULL),
    vm_field_seen("content", vm_anthropic_content_type,
                  VM_F_REQUIRED|VM_F_NOTNULL),
    vm_field_end
};

static const vm_type_t  vm_anthropic_message_type = {
    .kind = VM_T_MODEL, .fields = vm_anthropic_message_fields
};

static const vm_type_t  vm_anthropic_messages_type = {
    .kind = VM_T_LIST, .item = &vm_anthropic_message_type
};

static const vm_field_t  vm_anthropic_tool_fields[] = {
    vm_field_seen("name", vm_str_type, VM_F_REQUIRED|VM_F_NOTNULL),
    vm_field_seen("description", vm_str_type, 0),
    vm_field_seen("input_schema", vm_dict_type,
                  VM_F_REQUIRED|VM_F_NOTNULL),
    vm_field_seen("strict", vm_bool_type, 0),
    vm_field_seen("defer_loading", vm_bool_type, 0),
    vm_field_end
};

static const vm_type_t  vm_anthropic_tool_type = {
    .kind = VM_T_MODEL, .fields = vm_anthropic_tool_fields
};

static const vm_type_t  vm_anthropic_tools_type = {
    .kind = VM_T_LIST, .item = &vm_anthropic_tool_type
};

static const char *const  vm_anthropic_choices[] = {
    "auto", "any", "tool", "none", NULL
};

static const vm_type_t  vm_anthropic_choice_kind = {
    .kind = VM_T_LITERAL, .values = vm_anthropic_choices
};

static const vm_field_t  vm_anthropic_choice_fields[] = {
    vm_field_seen("type", vm_anthropic_choice_kind,
                  VM_F_REQUIRED|VM_F_NOTNULL),
    vm_field_seen("name", vm_str_type, 0),
    vm_field_seen("disable_parallel_tool_use", vm_bool_type, 0),
    vm_field_end
};

static const char *
vm_anthropic_no_name(const json_t *v, vm_pool_t *pool)
{
    (void) pool;

    return strcmp(json_string_value(json_object_get(v, "type")), "tool") == 0
           && json_string_length(json_object_get(v, "name")) == 0
           ? "tool_choice.name is required when type is 'tool'" : NULL;
}


static const vm_type_t  vm_anthropic_choice_type = {
    .kind = VM_T_MODEL, .fields = vm_anthropic_choice_fields,
    .refuse = vm_anthropic_no_name
};

static const char *const  vm_anthropic_efforts[] = {
    "low", "medium", "high", "xhigh", "max", NULL
};

static const vm_type_t  vm_anthropic_effort_type = {
    .kind = VM_T_LITERAL, .values = vm_anthropic_efforts
};

static const char *const  vm_anthropic_formats[] = { "json_schema", NULL };

static const vm_type_t  vm_anthropic_format_kind = {
    .kind = VM_T_LITERAL, .values = vm_anthropic_formats
};

static const vm_field_t  vm_anthropic_format_fields[] = {
    vm_field_seen("schema", vm_dict_type, 0),
    vm_field_seen("type", vm_anthropic_format_kind, VM_F_NOTNULL),
    vm_field_end
};

static const vm_type_t  vm_anthropic_format_type = {
    .kind = VM_T_MODEL, .fields = vm_anthropic_format_fields
};

static const vm_field_t  vm_anthropic_output_fields[] = {
    vm_field_seen("effort", vm_anthropic_effort_type, 0),
    vm_field_seen("format", vm_anthropic_format_type, 0),
    vm_field_end
};

static const vm_type_t  vm_anthropic_output_type = {
    .kind = VM_T_MODEL, .fields = vm_anthropic_output_fields
};

static const char *
vm_anthropic_no_model(const json_t *v, vm_pool_t *pool)
{
    (void) pool;

    return json_string_length(v) ? NULL : "Model is required";
}


static const vm_type_t  vm_anthropic_model_type = {
    .kind = VM_T_STR, .refuse = vm_anthropic_no_model
};


static const char *
vm_anthropic_no_tokens(const json_t *v, vm_pool_t *pool)
{
    vm_int_t  n;

    (void) pool;

    return vm_field_int(v, &n) && n.v > 0 ? NULL
                                          : "max_tokens must be positive";
}


static const vm_type_t  vm_anthropic_tokens_type = {
    .kind = VM_T_INT, .refuse = vm_anthropic_no_tokens
};

static const vm_type_t  vm_anthropic_stops_type = {
    .kind = VM_T_LIST, .item = &vm_str_type, .max_items = 4
};

/* thinking, by its type */

static const vm_type_t  vm_anthropic_budget_type = {
    .kind = VM_T_INT, .has_ge = 1, .ge = 1024
};

static const char *const  vm_anthropic_display_words[] = {
    "summarized", "omitted", "updates", NULL
};

static const vm_type_t  vm_anthropic_display_type = {
    .kind = VM_T_LITERAL, .values = vm_anthropic_display_words
};

static const vm_field_t  vm_anthropic_enabled_fields[] = {
    vm_field_seen("budget_tokens", vm_anthropic_budget_type,
                  VM_F_REQUIRED|VM_F_NOTNULL),
    vm_field_seen("display", vm_anthropic_display_type, 0),
    vm_field_end
};

static const vm_field_t  vm_anthropic_adaptive_fields[] = {
    vm_field_seen("display", vm_anthropic_display_type, 0),
    vm_field_end
};

static const vm_field_t  vm_anthropic_disabled_fields[] = { vm_field_end };

static const vm_type_t  vm_anthropic_thoughts[] = {
    { .kind = VM_T_MODEL, .name = "enabled",
      .fields = vm_anthropic_enabled_fields },
    { .kind = VM_T_MODEL, .name = "disabled",
      .fields = vm_anthropic_disabled_fields },
    { .kind = VM_T_MODEL, .name = "adaptive",
      .fields = vm_anthropic_adaptive_fields }
};

static const vm_type_t *const  vm_anthropic_thought_branches[] = {
    &vm_anthropic_thoughts[0], &vm_anthropic_thoughts[1],
    &vm_anthropic_thoughts[2], NULL
};

static const vm_type_t  vm_anthropic_thinking_type = {
    .kind = VM_T_TAGGED, .branches = vm_anthropic_thought_branches
};

static const vm_type_t  vm_anthropic_salt_type = {
    .kind = VM_T_STR, .min_items = 1, .max_items = 1024
};

#define VM_ANTHROPIC_COMMON                                                   \
    vm_anthropic_row(output_config, vm_anthropic_output_type, 0),             \
    vm_anthropic_row(thinking, vm_anthropic_thinking_type, 0),                \
    vm_anthropic_row(system, vm_anthropic_content_type, 0),                   \
    vm_anthropic_row(tool_choice, vm_anthropic_choice_type, 0),               \
    vm_anthropic_row(tools, vm_anthropic_tools_type, 0),                      \
    vm_field_seen("chat_template_kwargs", vm_dict_type, 0)

static const vm_field_t  vm_anthropic_fields[] = {
    vm_anthropic_row(model, vm_anthropic_model_type,
                     VM_F_REQUIRED|VM_F_NOTNULL),
    vm_anthropic_row(messages, vm_anthropic_messages_type,
                     VM_F_REQUIRED|VM_F_NOTNULL),
    vm_anthropic_row(max_tokens, vm_anthropic_tokens_type,
                     VM_F_REQUIRED|VM_F_NOTNULL),
    vm_field_seen("metadata", vm_dict_type, 0),
    VM_ANTHROPIC_COMMON,
    vm_field_seen("stop_sequences", vm_anthropic_stops_type, 0),
    vm_anthropic_row(stream, vm_bool_type, 0),
    vm_field_seen("temperature", vm_float_type, 0),
    vm_field_seen("top_k", vm_int_type, 0),
    vm_field_seen("top_p", vm_float_type, 0),
    vm_field_seen("cache_salt", vm_anthropic_salt_type, 0),
    vm_field_seen("kv_transfer_params", vm_dict_type, 0),
    vm_field_seen("ec_transfer_params", vm_dict_type, 0),
    vm_field_seen("vllm_xargs", vm_xargs_type, 0),
    vm_field_end
};

static const vm_field_t  vm_anthropic_count_fields[] = {
    vm_anthropic_row(model, vm_anthropic_model_type,
                     VM_F_REQUIRED|VM_F_NOTNULL),
    vm_anthropic_row(messages, vm_anthropic_messages_type,
                     VM_F_REQUIRED|VM_F_NOTNULL),
    VM_ANTHROPIC_COMMON,
    vm_field_end
};

static const vm_type_t  vm_anthropic_type = {
    .kind = VM_T_MODEL, .fields = vm_anthropic_fields
};

static const vm_type_t  vm_anthropic_count_type = {
    .kind = VM_T_MODEL, .fields = vm_anthropic_count_fields
};


/* ---- what tables cannot say ---- */

static void
vm_anthropic_wrong(vm_violations_t *x, const char *place, const char *message,
    const json_t *input)
{
    vm_buf_t  ctx, text;

    vm_buf_init(&ctx);
    vm_buf_init(&text);
    vm_buf_printf(&text, "Value error, %s", message);
    vm_buf_char(&text, '\0');
    vm_buf_printf(&ctx, "'error': ValueError('%s')", message);
    vm_buf_char(&ctx, '\0');

    if (!ctx.failed && !text.failed) {
        vm_violations_add(x, "value_error", place, text.data, input,
                          ctx.data);
    }

    vm_buf_free(&ctx);
    vm_buf_free(&text);
}


/* A budget leaves room for an answer, unless another server gives that. */

static void
vm_anthropic_thinking(vm_violations_t *x, const vm_anthropic_t *a,
    const json_t *body)
{
    vm_int_t       n;
    const json_t  *thinking, *transfer;

    thinking = a->thinking.json;
    transfer = json_object_get(body, "kv_transfer_params");

    if (thinking
        && strcmp(json_string_value(json_object_get(thinking, "type")),
                  "enabled") == 0
        && !vm_value_true(json_object_get(transfer, "do_remote_decode"))
        && vm_field_int(json_object_get(thinking, "budget_tokens"), &n)
        && n.v >= a->max_tokens.v)
    {
        vm_anthropic_wrong(x, "body", "thinking.budget_tokens must be less "
                                      "than max_tokens", body);
    }
}


static int
vm_anthropic_load(vm_generation_t *g, const json_t *body, int count,
    vm_anthropic_t *a)
{
    int              rc;
    vm_violations_t  x;

    memset(a, 0, sizeof(vm_anthropic_t));

    if (vm_model_load(count ? &vm_anthropic_count_type : &vm_anthropic_type,
                      body, "body", a, &g->call->error, g->pool) != VM_OK)
    {
        return VM_ERROR;
    }

    vm_violations_init(&x, &g->call->error, g->pool);

    if (!count) {
        vm_anthropic_thinking(&x, a, body);
    }

    rc = x.count ? vm_violations_report(&x) : VM_OK;
    vm_violations_free(&x);

    return rc;
}


/* ---- into a chat's body ---- */

static const json_t *
vm_anthropic_text_of(const json_t *block)
{
    const json_t  *text;

    text = json_object_get(block, "text");

    return strcmp(json_string_value(json_object_get(block, "type")), "text")
           == 0 && json_string_length(text) ? text : NULL;
}


/* A system's texts in one, without what Claude Code says of its bill. */

static void
vm_anthropic_system(const json_t *content, vm_buf_t *out)
{
    size_t         i;
    json_t        *block;
    const json_t  *text;

    if (json_is_string(content)) {
        vm_buf_add(out, json_string_value(content),
                   json_string_length(content));
        return;
    }

    json_array_foreach(content, i, block) {
        text = vm_anthropic_text_of(block);

        if (text && strncmp(json_string_value(text), VM_BILLING,
                            sizeof(VM_BILLING) - 1) != 0)
        {
            vm_buf_add(out, json_string_value(text),
                       json_string_length(text));
        }
    }
}


static void
vm_anthropic_add_system(json_t *messages, const json_t *content)
{
    vm_buf_t  b;

    vm_buf_init(&b);
    vm_anthropic_system(content, &b);

    if (b.len) {
        json_array_append_new(messages,
            json_pack("{ssso}", "role", "system", "content",
                      json_stringn_nocheck(b.data, b.len)));
    }

    vm_buf_free(&b);
}


static void
vm_anthropic_result(json_t *messages, const json_t *block)
{
    size_t         i;
    json_t        *item, *message;
    vm_buf_t       b;
    const json_t  *content, *id, *text;

    content = json_object_get(block, "content");
    id = json_object_get(block, "tool_use_id");

    vm_buf_init(&b);

    if (json_is_string(content)) {
        vm_buf_add(&b, json_string_value(content),
                   json_string_length(content));
    }

    json_array_foreach(content, i, item) {
        text = json_object_get(item, "text");

        if (json_is_string(text)) {
            vm_buf_str(&b, b.len ? "\n" : "");
            vm_buf_add(&b, json_string_value(text), json_string_length(text));
        }
    }

    message = json_object();
    json_object_set_new(message, "role", json_string("tool"));
    json_object_set_new(message, "tool_call_id",
                        json_is_string(id) ? json_incref((json_t *) id)
                                           : json_string(""));
    json_object_set_new(message, "content",
                        json_stringn_nocheck(b.data ? b.data : "", b.len));
    json_array_append_new(messages, message);

    vm_buf_free(&b);
}


/* A result that the assistant brings is a text like others. */

static void
vm_anthropic_told(json_t *parts, const json_t *block)
{
    vm_buf_t       b;
    const json_t  *content;

    content = json_object_get(block, "content");
    vm_buf_init(&b);
    vm_buf_lit(&b, "Tool result: ");

    if (vm_value_true(content)) {
        vm_value_str(&b, content);
    }

    json_array_append_new(parts, json_pack("{ssso}", "type", "text", "text",
                                           json_stringn_nocheck(b.data,
                                                                b.len)));
    vm_buf_free(&b);
}


static void
vm_anthropic_use(json_t *calls, const json_t *block)
{
    char    *arguments;
    json_t  *call, *f, *id, *name, *none;

    none = json_object();
    f = json_object_get(block, "input");
    arguments = json_dumps(f ? f : none, JSON_ENSURE_ASCII);
    json_decref(none);

    id = json_object_get(block, "id");
    name = json_object_get(block, "name");

    f = json_object();
    json_object_set_new(f, "name", json_is_string(name) ? json_incref(name)
                                                        : json_string(""));
    json_object_set_new(f, "arguments",
                        json_string_nocheck(arguments ? arguments : "{}"));
    free(arguments);

    call = json_object();
    json_object_set_new(call, "id", json_is_string(id) ? json_incref(id)
                                                       : json_string("call"));
    json_object_set_new(call, "type", json_string("function"));
    json_object_set_new(call, "function", f);
    json_array_append_new(calls, call);
}


static void
vm_anthropic_image(json_t *parts, const json_t *block)
{
    char          *url;
    size_t         len;
    json_t        *part;
    const char    *data, *media;
    const json_t  *source;

    source = json_object_get(block, "source");
    data = json_string_value(json_object_get(source, "data"));
    media = json_string_value(json_object_get(source, "media_type"));
    part = json_object();

    if (json_object_get(source, "url")) {
        json_object_set(part, "url", json_object_get(source, "url"));

    } else if (data) {
        media = media ? media : "image/jpeg";
        len = strlen(media) + strlen(data) + sizeof("data:;base64,");
        url = malloc(len);

        if (url) {
            snprintf(url, len, "data:%s;base64,%s", media, data);
            json_object_set_new(part, "url", json_string_nocheck(url));
            free(url);
        }
    }

    json_array_append_new(parts, json_pack("{ssso}", "type", "image_url",
                                           "image_url", part));
}


static void
vm_anthropic_message(json_t *messages, const json_t *m)
{
    size_t         i, n;
    json_t        *block, *calls, *out, *parts;
    vm_buf_t       thought;
    const char    *kind, *role;
    const json_t  *content, *text;

    role = json_string_value(json_object_get(m, "role"));
    content = json_object_get(m, "content");

    if (strcmp(role, "system") == 0) {
        vm_anthropic_add_system(messages, content);
        return;
    }

    out = json_object();
    json_object_set(out, "role", json_object_get(m, "role"));

    if (json_is_string(content)) {
        json_object_set(out, "content", (json_t *) content);
        json_array_append_new(messages, out);
        return;
    }

    calls = json_array();
    parts = json_array();
    vm_buf_init(&thought);

    json_array_foreach(content, i, block) {
        kind = json_string_value(json_object_get(block, "type"));
        text = vm_anthropic_text_of(block);

        if (text) {
            json_array_append_new(parts, json_pack("{sssO}", "type", "text",
                                                   "text", text));

        } else if (strcmp(kind, "image") == 0) {

            if (vm_value_true(json_object_get(block, "source"))) {
                vm_anthropic_image(parts, block);
            }

        } else if (strcmp(kind, "thinking") == 0) {
            text = json_object_get(block, "thinking");
            vm_buf_add(&thought, json_is_string(text)
                                 ? json_string_value(text) : "",
                       json_string_length(text));

        } else if (strcmp(kind, "tool_use") == 0) {
            vm_anthropic_use(calls, block);

        } else if (strcmp(kind, "tool_result") == 0) {

            if (strcmp(role, "user") == 0) {
                vm_anthropic_result(messages, block);

            } else {
                vm_anthropic_told(parts, block);
            }
        }
    }

    n = json_array_size(parts);

    if (thought.len) {
        json_object_set_new(out, "reasoning",
                            json_stringn_nocheck(thought.data, thought.len));
    }

    if (json_array_size(calls)) {
        json_object_set(out, "tool_calls", calls);
    }

    if (n == 1 && json_object_get(json_array_get(parts, 0), "text")) {
        json_object_set(out, "content",
                        json_object_get(json_array_get(parts, 0), "text"));

    } else if (n) {
        json_object_set(out, "content", parts);
    }

    /* a user's message that was nothing but results is gone */

    if (n || strcmp(role, "user") != 0) {
        json_array_append(messages, out);
    }

    json_decref(out);
    json_decref(calls);
    json_decref(parts);
    vm_buf_free(&thought);
}


static json_t *
vm_anthropic_tools(const json_t *tools)
{
    size_t    i;
    json_t   *f, *list, *schema, *tool;
    unsigned  k;

    static const char *const  kept[] = {
        "name", "description", "strict", "defer_loading"
    };

    list = json_array();

    json_array_foreach(tools, i, tool) {
        f = json_object();

        for (k = 0; k < 2; k++) {
            if (json_object_get(tool, kept[k])) {
                json_object_set(f, kept[k], json_object_get(tool, kept[k]));
            }
        }

        schema = json_copy(json_object_get(tool, "input_schema"));

        if (json_object_get(schema, "type") == NULL) {
            json_object_set_new(schema, "type", json_string("object"));
        }

        json_object_set_new(f, "parameters", schema);

        for (k = 2; k < vm_nelts(kept); k++) {
            if (json_object_get(tool, kept[k])) {
                json_object_set(f, kept[k], json_object_get(tool, kept[k]));
            }
        }

        json_array_append_new(list, json_pack("{ssso}", "type", "function",
                                              "function", f));
    }

    return list;
}


/* Tools are put into a chat that was checked: no rule of a chat is for them. */

static void
vm_anthropic_choose(vm_generation_t *g, const vm_anthropic_t *a)
{
    json_t        *chat;
    uint8_t        alone;
    const char    *kind;
    const json_t  *choice;

    chat = g->body;
    choice = a->tool_choice.json;

    if (choice) {
        kind = json_string_value(json_object_get(choice, "type"));

        if (vm_field_bool(vm_value_get(choice, "disable_parallel_tool_use"),
                          &alone))
        {
            g->params.parallel_tool_calls = !alone;
        }

        if (strcmp(kind, "tool") == 0) {
            json_object_set_new(chat, "tool_choice",
                json_pack("{sss{sO}}", "type", "function", "function", "name",
                          json_object_get(choice, "name")));

        } else {
            json_object_set_new(chat, "tool_choice",
                                json_string(strcmp(kind, "any") == 0
                                            ? "required" : kind));
        }
    }

    if (a->tools.json) {
        json_object_set_new(chat, "tools", vm_anthropic_tools(a->tools.json));

        if (choice == NULL) {
            json_object_set_new(chat, "tool_choice", json_string("auto"));
        }
    }

    g->params.tools.json = json_object_get(chat, "tools");
    g->params.tool_choice.json = json_object_get(chat, "tool_choice");
}


/* Whether to think; with `asked` the template has a switch for it. */

static void
vm_anthropic_think(const vm_anthropic_t *a, json_t *chat, int asked)
{
    json_t      *kwargs;
    const char  *kind;

    kind = json_string_value(json_object_get(a->thinking.json, "type"));

    if (kind == NULL) {
        return;
    }

    if (asked) {
        kwargs = json_object_get(chat, "chat_template_kwargs");
        kwargs = json_is_object(kwargs) ? json_copy(kwargs) : json_object();

        json_object_set_new(kwargs, "enable_thinking",
                            json_boolean(strcmp(kind, "disabled") != 0));
        json_object_set_new(chat, "chat_template_kwargs", kwargs);

    } else if (strcmp(kind, "disabled") == 0) {

        /* vLLM finds that the template cannot turn thinking off */

        json_object_set_new(chat, "reasoning_effort", json_string("low"));
    }

    if (strcmp(kind, "enabled") == 0) {
        json_object_set(chat, "thinking_token_budget",
                        json_object_get(a->thinking.json, "budget_tokens"));
    }
}


static json_t *
vm_anthropic_chat(const vm_anthropic_t *a, const json_t *body, int count,
    int asked)
{
    size_t         i;
    json_t        *chat, *m, *messages, *v;
    unsigned       k;

    static const struct {
        const char  *from;
        const char  *to;
    }  same[] = {
        { "model", "model" },
        { "chat_template_kwargs", "chat_template_kwargs" },

        /* of a count no more */

        { "max_tokens", "max_tokens" },
        { "max_tokens", "max_completion_tokens" },
        { "stop_sequences", "stop" },
        { "temperature", "temperature" },
        { "top_p", "top_p" },
        { "top_k", "top_k" },
        { "watermarking", "watermarking" },
        { "cache_salt", "cache_salt" },
        { "kv_transfer_params", "kv_transfer_params" },
        { "ec_transfer_params", "ec_transfer_params" },
        { "vllm_xargs", "vllm_xargs" }
    };

    chat = json_object();

    for (k = 0; k < (count ? 2 : vm_nelts(same)); k++) {
        v = json_object_get(body, same[k].from);

        if (v && !json_is_null(v)) {
            json_object_set(chat, same[k].to, v);
        }
    }

    messages = json_array();
    vm_anthropic_add_system(messages, a->system.json);

    json_array_foreach(a->messages.json, i, m) {
        vm_anthropic_message(messages, m);
    }

    json_object_set_new(chat, "messages", messages);

    v = json_object_get(json_object_get(a->output_config.json, "format"),
                        "schema");

    if (json_is_object(v)) {
        json_object_set_new(chat, "response_format",
            json_pack("{sss{sssO}}", "type", "json_schema", "json_schema",
                      "name", "json_schema", "schema", v));
    }

    v = json_object_get(a->output_config.json, "effort");

    if (json_is_string(v)) {
        json_object_set(chat, "reasoning_effort", v);
    }

    vm_anthropic_think(a, chat, asked);

    if (a->stream) {
        json_object_set_new(chat, "stream", json_true());
        json_object_set_new(chat, "stream_options",
                            json_pack("{sbsb}", "include_usage", 1,
                                      "continuous_usage_stats", 1));
    }

    return chat;
}


/* A chat would say it otherwise; here its validators do not run. */

static int
vm_anthropic_known(vm_generation_t *g, const vm_anthropic_t *a)
{
    size_t         i;
    json_t        *tool;
    const char    *name;
    const json_t  *choice;

    choice = a->tool_choice.json;

    if (choice == NULL || g->settings->tool_call_parser == NULL
        || strcmp(json_string_value(json_object_get(choice, "type")), "tool"))
    {
        return VM_OK;               /* or a chat says that there is no parser */
    }

    name = json_string_value(json_object_get(choice, "name"));

    json_array_foreach(a->tools.json, i, tool) {
        if (strcmp(json_string_value(json_object_get(tool, "name")), name)
            == 0)
        {
            return VM_OK;
        }
    }

    return vm_error_printf(&g->call->error, g->pool, 400, "BadRequestError",
                           NULL, "The tool with name '%s' is not found in the "
                           "tools list.", name);
}


static int
vm_anthropic_convert(vm_generation_t *g, const json_t *body, int count)
{
    int             rc;
    vm_anthropic_t  a;

    if (vm_anthropic_load(g, body, count, &a) != VM_OK) {
        return VM_ERROR;
    }

    g->body = vm_anthropic_chat(&a, body, count,
                                g->call->output->thinks_asked);

    rc = vm_chat_load(g, g->body, "ChatCompletionRequest");

    if (rc == VM_OK) {
        vm_anthropic_choose(g, &a);
        rc = vm_anthropic_known(g, &a);
    }

    if (rc == VM_OK) {
        rc = vm_chat_ready(g);
    }

    g->call->error.anthropic = 1;
    g->late.anthropic = 1;

    return rc;
}


static int
vm_anthropic_parse(vm_generation_t *g, const json_t *body)
{
    return vm_anthropic_convert(g, body, 0);
}


int
vm_anthropic_count(vm_call_t *call, const json_t *body, vm_buf_t *out)
{
    int               rc;
    vm_generation_t  *g;

    g = vm_generation_create(call, &vm_anthropic);
    if (g == NULL) {
        return vm_error_memory(&call->error);
    }

    rc = vm_anthropic_convert(g, body, 1);

    if (rc == VM_OK) {
        vm_buf_printf(out, "{\"input_tokens\":%u,\"context_management\":"
                      "{\"original_input_tokens\":%u}}", g->prompts[0].n,
                      g->prompts[0].n);
    }

    vm_generation_free(g);

    return rc;
}


/* ---- pieces of the answer ---- */

static void
vm_anthropic_usage(const vm_generation_t *g, uint64_t output, int cached,
    vm_buf_t *out)
{
    uint64_t  hits, input;

    hits = cached ? vm_generation_cached_tokens(g) : 0;
    input = vm_generation_prompt_tokens(g) - hits;

    vm_buf_lit(out, "\"usage\":{\"input_tokens\":");
    vm_buf_uint(out, input);
    vm_buf_lit(out, ",\"output_tokens\":");
    vm_buf_uint(out, output);

    if (cached) {
        vm_buf_lit(out, ",\"cache_creation_input_tokens\":0,"
                        "\"cache_read_input_tokens\":");
        vm_buf_uint(out, hits);
    }

    vm_buf_char(out, '}');
}


/* stop_reason, and the sequence that was met */

static const char *
vm_anthropic_stop(const vm_choice_t *c, vm_str_t *sequence)
{
    sequence->data = NULL;
    sequence->len = 0;

    if (strcmp(c->finish, "length") == 0) {
        return "max_tokens";
    }

    if (strcmp(c->finish, "stop") != 0) {
        return NULL;
    }

    if (vm_parts_calls(c)) {
        return "tool_use";
    }

    if (c->stop == VM_STOP_STRING && c->made > c->stop_at) {
        *sequence = c->stop_string;
        return "stop_sequence";
    }

    return "end_turn";
}


static void
vm_anthropic_signature(const vm_generation_t *g, vm_buf_t *out)
{
    uint64_t  high, low;

    high = vm_rand_at(g->call->random, 11);
    low = vm_rand_at(g->call->random, 12);

    vm_buf_printf(out, "\"signature\":\"%016llx%016llx\"",
                  (unsigned long long) high, (unsigned long long) low);
}


/* ---- frames ---- */

#define vm_anthropic_event(out, name)                                         \
    vm_buf_lit(out, "event: " name "\ndata: {\"type\":\"" name "\"")


static void
vm_anthropic_begin(vm_generation_t *g, vm_buf_t *out)
{
    vm_anthropic_event(out, "message_start");
    vm_buf_lit(out, ",\"message\":{\"id\":");
    vm_buf_json(out, g->id, strlen(g->id));
    vm_buf_lit(out, ",\"type\":\"message\",\"role\":\"assistant\","
                    "\"content\":[],\"model\":");
    vm_buf_json(out, g->model.data, g->model.len);
    vm_buf_lit(out, ",\"stop_reason\":null,\"stop_sequence\":null,");
    vm_anthropic_usage(g, 0, 0, out);
    vm_buf_lit(out, "}}\n\n");
}


static void
vm_anthropic_index(const vm_choice_t *c, vm_buf_t *out)
{
    vm_buf_lit(out, ",\"index\":");
    vm_buf_uint(out, c->blocks);
    vm_buf_lit(out, "}\n\n");
}


static void
vm_anthropic_close(vm_generation_t *g, vm_choice_t *c, vm_buf_t *out)
{
    if (c->block == 0) {
        return;
    }

    if (c->block == 1 + VM_PART_REASONING) {
        vm_anthropic_event(out, "content_block_delta");
        vm_buf_lit(out, ",\"delta\":{\"type\":\"signature_delta\",");
        vm_anthropic_signature(g, out);
        vm_buf_char(out, '}');
        vm_anthropic_index(c, out);
    }

    vm_anthropic_event(out, "content_block_stop");
    vm_anthropic_index(c, out);

    c->block = 0;
    c->blocks++;
}


static void
vm_anthropic_open(vm_generation_t *g, vm_choice_t *c, const vm_span_t *p,
    vm_buf_t *out)
{
    const vm_tool_call_t  *call;

    vm_anthropic_close(g, c, out);
    vm_anthropic_event(out, "content_block_start");
    vm_buf_lit(out, ",\"content_block\":");

    switch (p->kind) {

    case VM_PART_REASONING:
        vm_buf_lit(out, "{\"type\":\"thinking\",\"thinking\":\"\"}");
        break;

    case VM_PART_CONTENT:
        vm_buf_lit(out, "{\"type\":\"text\",\"text\":\"\"}");
        break;

    default:
        call = &c->calls[p->call];
        vm_buf_lit(out, "{\"type\":\"tool_use\",\"id\":");
        vm_buf_json(out, call->id, strlen(call->id));
        vm_buf_lit(out, ",\"name\":");
        vm_buf_json(out, call->name, strlen(call->name));
        vm_buf_lit(out, ",\"input\":{}}");
    }

    vm_anthropic_index(c, out);
    c->block = 1 + p->kind;
}


static void
vm_anthropic_chunk(vm_generation_t *g, vm_choice_t *c, vm_str_t text,
    vm_buf_t *out)
{
    size_t     end, from;
    unsigned   k;
    vm_span_t  p;

    static const struct {
        vm_part_e    kind;
        vm_part_e    block;
        const char  *delta;
    }  deltas[] = {
        { VM_PART_REASONING, VM_PART_REASONING,
          "{\"type\":\"thinking_delta\",\"thinking\":" },
        { VM_PART_CONTENT, VM_PART_CONTENT,
          "{\"type\":\"text_delta\",\"text\":" },
        { VM_PART_ARGUMENTS, VM_PART_NAME,
          "{\"type\":\"input_json_delta\",\"partial_json\":" }
    };

    from = c->shown;
    end = from + text.len;

    for ( /* void */ ; from < end; from = p.to) {
        p = vm_parts_at(c, from, end);

        if (p.kind == VM_PART_NAME && p.whole) {
            vm_anthropic_open(g, c, &p, out);
            continue;
        }

        for (k = 0; k < vm_nelts(deltas); k++) {

            if (deltas[k].kind != p.kind) {
                continue;
            }

            if (c->block != 1 + (unsigned) deltas[k].block) {
                vm_anthropic_open(g, c, &p, out);
            }

            vm_anthropic_event(out, "content_block_delta");
            vm_buf_lit(out, ",\"delta\":");
            vm_buf_str(out, deltas[k].delta);
            vm_buf_json(out, c->text.data + from, p.to - from);
            vm_buf_char(out, '}');
            vm_anthropic_index(c, out);
        }
    }
}


static void
vm_anthropic_end_stream(vm_generation_t *g, vm_buf_t *out)
{
    vm_str_t      sequence;
    const char   *reason;
    vm_choice_t  *c;

    c = g->choices;
    vm_anthropic_close(g, c, out);
    reason = vm_anthropic_stop(c, &sequence);

    vm_anthropic_event(out, "message_delta");
    vm_buf_lit(out, ",\"delta\":{\"stop_reason\":");

    if (reason) {
        vm_buf_json(out, reason, strlen(reason));

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, ",\"stop_sequence\":");

    if (sequence.data) {
        vm_buf_json(out, sequence.data, sequence.len);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, "},");
    vm_anthropic_usage(g, c->made, g->settings->prompt_tokens_details, out);
    vm_buf_lit(out, "}\n\n");
    vm_anthropic_event(out, "message_stop");
    vm_buf_lit(out, "}\n\n");
}


/* ---- the whole answer ---- */

static void
vm_anthropic_blocks(vm_generation_t *g, vm_choice_t *c, vm_buf_t *out)
{
    size_t                 first, len, thought;
    uint32_t               calls, i;
    const vm_tool_call_t  *call;

    len = vm_min(c->text.len, c->text_end);
    thought = vm_min(vm_parts_thought(c), len);
    calls = vm_parts_calls(c);
    first = out->len;

    if (thought && g->params.include_reasoning) {
        vm_buf_lit(out, "{\"type\":\"thinking\",\"thinking\":");
        vm_buf_json(out, c->text.data, thought);
        vm_buf_char(out, ',');
        vm_anthropic_signature(g, out);
        vm_buf_char(out, '}');
    }

    if (calls) {
        len = thought + (c->parts[0].kind == VM_PART_CONTENT ? c->parts[0].to
                                                             : 0);
    }

    if (len > thought) {
        vm_buf_str(out, out->len > first ? "," : "");
        vm_buf_lit(out, "{\"type\":\"text\",\"text\":");
        vm_buf_json(out, c->text.data + thought, len - thought);
        vm_buf_char(out, '}');
    }

    for (i = 0; i < calls; i++) {
        call = &c->calls[i];
        vm_buf_str(out, out->len > first ? "," : "");
        vm_buf_lit(out, "{\"type\":\"tool_use\",\"id\":");
        vm_buf_json(out, call->id, strlen(call->id));
        vm_buf_lit(out, ",\"name\":");
        vm_buf_json(out, call->name, strlen(call->name));
        vm_buf_lit(out, ",\"input\":");
        vm_buf_str(out, call->arguments);
        vm_buf_char(out, '}');
    }

    if (out->len == first) {
        vm_buf_lit(out, "{\"type\":\"text\",\"text\":\"\"}");
    }
}


static void
vm_anthropic_end(vm_generation_t *g, vm_buf_t *out)
{
    vm_str_t      sequence;
    const char   *reason;
    vm_choice_t  *c;

    if (g->stream) {
        vm_anthropic_end_stream(g, out);
        return;
    }

    c = g->choices;
    reason = vm_anthropic_stop(c, &sequence);

    vm_buf_lit(out, "{\"id\":");
    vm_buf_json(out, g->id, strlen(g->id));
    vm_buf_lit(out, ",\"type\":\"message\",\"role\":\"assistant\","
                    "\"content\":[");
    vm_anthropic_blocks(g, c, out);
    vm_buf_lit(out, "],\"model\":");
    vm_buf_json(out, g->model.data, g->model.len);

    if (reason) {
        vm_buf_lit(out, ",\"stop_reason\":");
        vm_buf_json(out, reason, strlen(reason));
    }

    if (sequence.data) {
        vm_buf_lit(out, ",\"stop_sequence\":");
        vm_buf_json(out, sequence.data, sequence.len);
    }

    vm_buf_char(out, ',');
    vm_anthropic_usage(g, c->made, g->settings->prompt_tokens_details, out);
    vm_buf_char(out, '}');
}


const vm_protocol_t  vm_anthropic = {
    "messages", 1, vm_anthropic_parse, vm_anthropic_begin, vm_anthropic_chunk,
    vm_anthropic_end
};
