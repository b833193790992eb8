/*
 * Chat messages: pydantic's view of them, and the chat template.
 */

#include <stdlib.h>
#include "content.h"
#include "params.h"


/* ---- the union of message types, in vLLM's order ---- */

#define vm_check_row(key, type, flags)                                        \
    { key, type, VM_F_CHECK|(flags), 0, 0, NULL }

static const vm_type_t  vm_parts_type = { .kind = VM_T_ITERABLE };

static const vm_type_t *const  vm_content_branches[] = {
    &vm_str_type, &vm_parts_type, NULL
};

static const vm_type_t  vm_content_type = {
    .kind = VM_T_UNION, .branches = vm_content_branches
};

static const char *const  vm_roles[][2] = {
    { "developer", NULL }, { "system", NULL }, { "user", NULL },
    { "assistant", NULL }, { "tool", NULL }, { "function", NULL }
};

static const vm_type_t  vm_role_types[] = {
    { .kind = VM_T_LITERAL, .values = vm_roles[0] },
    { .kind = VM_T_LITERAL, .values = vm_roles[1] },
    { .kind = VM_T_LITERAL, .values = vm_roles[2] },
    { .kind = VM_T_LITERAL, .values = vm_roles[3] },
    { .kind = VM_T_LITERAL, .values = vm_roles[4] },
    { .kind = VM_T_LITERAL, .values = vm_roles[5] }
};

static const vm_field_t  vm_developer_fields[] = {
    vm_check_row("content", &vm_content_type, VM_F_NEEDED),
    vm_check_row("role", &vm_role_types[0], VM_F_NEEDED),
    vm_check_row("name", &vm_str_type, VM_F_NOTNULL),
    vm_field_end
};

static const vm_field_t  vm_system_fields[] = {
    vm_check_row("content", &vm_content_type, VM_F_NEEDED),
    vm_check_row("role", &vm_role_types[1], VM_F_NEEDED),
    vm_check_row("name", &vm_str_type, VM_F_NOTNULL),
    vm_field_end
};

static const vm_field_t  vm_user_fields[] = {
    vm_check_row("content", &vm_content_type, VM_F_NEEDED),
    vm_check_row("role", &vm_role_types[2], VM_F_NEEDED),
    vm_check_row("name", &vm_str_type, VM_F_NOTNULL),
    vm_field_end
};

static const vm_field_t  vm_audio_fields[] = {
    vm_check_row("id", &vm_str_type, VM_F_NEEDED),
    vm_field_end
};

static const vm_type_t  vm_audio_type = {
    .kind = VM_T_MODEL, .fields = vm_audio_fields, .typed_dict = 1
};

static const vm_field_t  vm_call_fields[] = {
    vm_check_row("arguments", &vm_str_type, VM_F_NEEDED),
    vm_check_row("name", &vm_str_type, VM_F_NEEDED),
    vm_field_end
};

static const vm_type_t  vm_call_type = {
    .kind = VM_T_MODEL, .fields = vm_call_fields, .typed_dict = 1
};

/* ---- tool calls of assistants ---- */

static const char *const  vm_call_kinds[][2] = {
    { "function", NULL }, { "custom", NULL }
};

static const vm_type_t  vm_call_kind_types[] = {
    { .kind = VM_T_LITERAL, .values = vm_call_kinds[0] },
    { .kind = VM_T_LITERAL, .values = vm_call_kinds[1] }
};

static const vm_field_t  vm_function_call_fields[] = {
    vm_check_row("id", &vm_str_type, VM_F_NEEDED),
    vm_check_row("function", &vm_call_type, VM_F_NEEDED),
    vm_check_row("type", &vm_call_kind_types[0], VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_custom_inner_fields[] = {
    vm_check_row("input", &vm_str_type, VM_F_NEEDED),
    vm_check_row("name", &vm_str_type, VM_F_NEEDED),
    vm_field_end
};

static const vm_type_t  vm_custom_inner_type = {
    .kind = VM_T_MODEL, .fields = vm_custom_inner_fields, .typed_dict = 1
};

static const vm_field_t  vm_custom_call_fields[] = {
    vm_check_row("id", &vm_str_type, VM_F_NEEDED),
    vm_check_row("custom", &vm_custom_inner_type, VM_F_NEEDED),
    vm_check_row("type", &vm_call_kind_types[1], VM_F_NEEDED),
    vm_field_end
};

static const vm_type_t  vm_call_types[] = {
    { .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_function_call_fields,
      .name = "ChatCompletionMessageFunctionToolCallParam" },
    { .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_custom_call_fields,
      .name = "ChatCompletionMessageCustomToolCallParam" }
};

static const vm_type_t *const  vm_call_branches[] = {
    &vm_call_types[0], &vm_call_types[1], NULL
};

static const vm_type_t  vm_tool_call_type = {
    .kind = VM_T_UNION, .branches = vm_call_branches
};

static const vm_type_t  vm_tool_calls_type = {
    .kind = VM_T_LIST, .item = &vm_tool_call_type
};


/* ---- messages ---- */

static const vm_field_t  vm_assistant_fields[] = {
    vm_check_row("role", &vm_role_types[3], VM_F_NEEDED),
    vm_check_row("audio", &vm_audio_type, 0),
    vm_check_row("content", &vm_content_type, 0),
    vm_check_row("function_call", &vm_call_type, 0),
    vm_check_row("name", &vm_str_type, VM_F_NOTNULL),
    vm_check_row("refusal", &vm_str_type, 0),
    vm_check_row("tool_calls", &vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_tool_message_fields[] = {
    vm_check_row("content", &vm_content_type, VM_F_NEEDED),
    vm_check_row("role", &vm_role_types[4], VM_F_NEEDED),
    vm_check_row("tool_call_id", &vm_str_type, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_function_message_fields[] = {
    vm_check_row("content", &vm_str_type, VM_F_REQUIRED),
    vm_check_row("name", &vm_str_type, VM_F_NEEDED),
    vm_check_row("role", &vm_role_types[5], VM_F_NEEDED),
    vm_field_end
};

static const vm_type_t  vm_custom_calls_type = {
    .kind = VM_T_LIST, .item = &vm_call_types[0]
};

static const vm_field_t  vm_custom_fields[] = {
    vm_check_row("role", &vm_str_type, VM_F_NEEDED),
    vm_check_row("content", &vm_content_custom_type, VM_F_NOTNULL),
    vm_check_row("name", &vm_str_type, VM_F_NOTNULL),
    vm_check_row("tool_call_id", &vm_str_type, 0),
    vm_check_row("tool_calls", &vm_custom_calls_type, 0),
    vm_check_row("reasoning", &vm_str_type, 0),
    vm_check_row("tools", &vm_tools_type, 0),
    vm_check_row("task", &vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_harmony_content_fields[] = {
    vm_field_end
};

static const vm_type_t  vm_harmony_item_type = {
    .kind = VM_T_MODEL, .fields = vm_harmony_content_fields
};

static const vm_type_t  vm_harmony_content_type = {
    .kind = VM_T_LIST, .item = &vm_harmony_item_type
};

static const vm_field_t  vm_harmony_fields[] = {
    vm_check_row("author", &vm_dict_type, VM_F_NEEDED),
    vm_check_row("content", &vm_harmony_content_type, VM_F_NOTNULL),
    vm_field_end
};

static const vm_type_t  vm_message_types[] = {
    { .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_developer_fields,
      .name = "ChatCompletionDeveloperMessageParam" },
    { .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_system_fields,
      .name = "ChatCompletionSystemMessageParam" },
    { .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_user_fields,
      .name = "ChatCompletionUserMessageParam" },
    { .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_assistant_fields,
      .name = "ChatCompletionAssistantMessageParam" },
    { .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_tool_message_fields,
      .name = "ChatCompletionToolMessageParam" },
    { .kind = VM_T_MODEL, .typed_dict = 1,
      .fields = vm_function_message_fields,
      .name = "ChatCompletionFunctionMessageParam" },
    { .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_custom_fields,
      .name = "CustomChatCompletionMessageParam" },
    { .kind = VM_T_MODEL, .fields = vm_harmony_fields, .name = "Message" }
};

typedef enum {
    VM_M_DEVELOPER, VM_M_SYSTEM, VM_M_USER, VM_M_ASSISTANT, VM_M_TOOL,
    VM_M_FUNCTION, VM_M_CUSTOM, VM_M_HARMONY
} vm_message_e;

static const vm_type_t *const  vm_message_branches[] = {
    &vm_message_types[0], &vm_message_types[1], &vm_message_types[2],
    &vm_message_types[3], &vm_message_types[4], &vm_message_types[5],
    &vm_message_types[6], &vm_message_types[7], NULL
};

const vm_type_t  vm_message_type = {
    .kind = VM_T_UNION, .branches = vm_message_branches
};

const vm_type_t  vm_messages_type = {
    .kind = VM_T_LIST, .item = &vm_message_type
};


static int
vm_message_iterable(const json_t *v, vm_error_t *e, vm_pool_t *pool)
{
    switch (vm_value_type(v)) {

    case VM_PY_STR:
    case VM_PY_LIST:
    case VM_PY_DICT:
        return VM_OK;

    default:
        return vm_error_printf(e, pool, 400, "BadRequestError", NULL,
                               "'%s' object is not iterable",
                               vm_value_class(v));
    }
}


/* list(v) of a value that is no list: characters, or keys. */

static json_t *
vm_message_list(const json_t *v)
{
    size_t       i, len, n;
    json_t      *item, *list;
    const char  *key, *s;

    list = json_array();

    if (vm_value_type(v) == VM_PY_STR) {
        s = json_string_value(v);
        len = json_string_length(v);

        for (i = 0; i < len; i += n) {
            n = vm_value_prefix(s + i, len - i, 1);
            json_array_append_new(list, json_stringn_nocheck(s + i, n));
        }

        return list;
    }

    json_object_foreach((json_t *) v, key, item) {
        json_array_append_new(list, json_string_nocheck(key));
    }

    return list;
}


int
vm_messages_normalize(const json_t *messages, vm_error_t *e, vm_pool_t *pool)
{
    size_t   i;
    json_t  *calls, *m, *old;

    if (messages == NULL) {
        return VM_OK;                   /* the walker says that it misses */
    }

    if (vm_message_iterable(messages, e, pool) != VM_OK) {
        return VM_ERROR;
    }

    json_array_foreach(messages, i, m) {

        if (!json_is_object(m)) {
            continue;
        }

        calls = vm_value_get(m, "tool_calls");

        if (calls && !json_is_array(calls)) {

            if (vm_message_iterable(calls, e, pool) != VM_OK) {
                return VM_ERROR;
            }

            json_object_set_new(m, "tool_calls", vm_message_list(calls));
        }

        old = vm_value_get(m, "reasoning_content");

        if (old && vm_value_get(m, "reasoning") == NULL) {
            json_object_set(m, "reasoning", old);
        }

        json_object_del(m, "reasoning_content");
    }

    return VM_OK;
}


/*
 * A list is checked item by item while it is read, and pydantic forgets where
 * it stood: places begin at its items, the first wrong one answers alone.
 */

static int
vm_messages_call(json_t *calls, const char *root, vm_error_t *e,
    vm_pool_t *pool)
{
    int      rc;
    size_t   i;
    json_t  *call, *seen;

    rc = VM_OK;
    seen = json_array();

    json_array_foreach(calls, i, call) {
        json_array_append(seen, call);
        rc = vm_model_load(&vm_tool_calls_type, seen, root, NULL, e, pool);

        if (rc != VM_OK) {
            break;
        }
    }

    json_decref(seen);

    return rc;
}


int
vm_messages_calls(const json_t *messages, const char *root, vm_error_t *e,
    vm_pool_t *pool)
{
    size_t   i;
    json_t  *m;

    json_array_foreach(messages, i, m) {
        if (json_object_get(m, "tool_calls")
            && vm_type_branch(&vm_message_type, m, e, pool) == VM_M_ASSISTANT
            && vm_messages_call(json_object_get(m, "tool_calls"), root, e,
                                pool) != VM_OK)
        {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


void
vm_message_text(const json_t *message, vm_buf_t *out)
{
    size_t   i;
    json_t  *content, *part, *text;

    content = json_object_get(message, "content");

    if (json_is_string(content)) {
        vm_buf_add(out, json_string_value(content),
                   json_string_length(content));
        return;
    }

    json_array_foreach(content, i, part) {
        text = json_object_get(part, "text");

        if (json_is_string(text)) {
            vm_buf_add(out, json_string_value(text),
                       json_string_length(text));
        }
    }
}


const json_t *
vm_messages_last(const json_t *messages)
{
    size_t         i;
    const char    *role;
    const json_t  *message;

    for (i = json_array_size(messages); i > 0; i--) {
        message = json_array_get(messages, i - 1);
        role = json_string_value(json_object_get(message, "role"));

        if (role && strcmp(role, "user") == 0) {
            return message;
        }
    }

    return NULL;
}


static void
vm_message_json(vm_buf_t *out, const json_t *v)
{
    char  *text;

    text = json_dumps(v, JSON_COMPACT|JSON_ENCODE_ANY);

    if (text) {
        vm_buf_str(out, text);
        free(text);
    }
}


/*
 * A list is left to the template by the classes of OpenAI's roles, while
 * vLLM's own has looked at it before: the union takes the one or the other.
 */

static vm_content_e
vm_message_whose(const json_t *m, vm_error_t *e, vm_pool_t *pool)
{
    switch (vm_type_branch(&vm_message_type, m, e, pool)) {

    case VM_M_DEVELOPER:
    case VM_M_SYSTEM:
    case VM_M_TOOL:
        return VM_CONTENT_TEXT;

    case VM_M_USER:
        return VM_CONTENT_USER;

    case VM_M_ASSISTANT:
        return VM_CONTENT_ASSISTANT;

    default:
        return VM_CONTENT_FREE;
    }
}


/* "<|role|>\ncontent\n" a message, tools before them, the role at the end. */

int
vm_messages_render(const json_t *messages, const vm_template_t *t,
    vm_buf_t *out, vm_error_t *e, vm_pool_t *pool)
{
    size_t       i, n;
    json_t      *content, *m, *role, *calls;

    n = json_array_size(messages);

    if (n == 0) {
        return vm_error_bad(e, "Cannot apply chat template to an empty "
                               "conversation. Provide at least one message.");
    }

    if (t->go_on && t->generate) {
        return vm_error_bad(e, "continue_final_message and "
                               "add_generation_prompt are not compatible. "
                               "Use continue_final_message when you want the "
                               "model to continue the final message, and "
                               "add_generation_prompt when you want to add a "
                               "header that will prompt it to start a new "
                               "assistant message instead.");
    }

    if (t->tools) {
        vm_buf_lit(out, "<|tools|>\n");
        vm_message_json(out, t->tools);
        vm_buf_char(out, '\n');
    }

    json_array_foreach(messages, i, m) {
        role = json_object_get(m, "role");
        content = json_object_get(m, "content");

        vm_buf_lit(out, "<|");
        vm_buf_add(out, json_string_value(role), json_string_length(role));
        vm_buf_lit(out, "|>\n");

        if (json_is_string(content)) {
            vm_buf_add(out, json_string_value(content),
                       json_string_length(content));

        } else if (json_is_array(content)
                   && vm_content_render(content, vm_message_whose(m, e, pool),
                                        t, out, e, pool) != VM_OK)
        {
            return VM_ERROR;
        }

        calls = vm_value_get(m, "tool_calls");

        if (json_array_size(calls)) {
            vm_message_json(out, calls);
        }

        if (i + 1 < n || !t->go_on) {
            vm_buf_char(out, '\n');
        }
    }

    if (t->generate) {
        vm_buf_lit(out, "<|assistant|>\n");
    }

    return out->failed ? vm_error_memory(e) : VM_OK;
}
