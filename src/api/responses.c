/*
 * Responses: a request becomes a chat's, a chat's parts become output items.
 */

#include <stdio.h>
#include <stdlib.h>
#include "params.h"
#include "parts.h"
#include "pieces.h"
#include "transfer.h"
#include "responses.h"
#include "hosted.h"
#include "items.h"
#include "content.h"
#include "../base/rand.h"


typedef struct {
    vm_any_t       input;
    vm_int_t       max_output_tokens;
    vm_int_t       max_tool_calls;
    vm_int_t       top_logprobs;
    vm_any_t       include;
    vm_any_t       metadata;
    vm_any_t       reasoning;
    vm_any_t       structured_outputs;
    vm_any_t       text;
    vm_any_t       tool_choice;
    vm_any_t       tools;
    vm_float_t     presence_penalty;
    vm_float_t     frequency_penalty;
    const json_t  *instructions;
    const json_t  *previous_response_id;
    const json_t  *request_id;
    const json_t  *service_tier;
    const json_t  *truncation;
    const json_t  *user;
    uint8_t        background;
    uint8_t        store;
    uint8_t        stream;
    uint8_t        parallel_tool_calls;
    uint8_t        include_reasoning;
    uint8_t        enable_response_messages;

    /* the state of a stream */

    uint64_t       sequence;
    size_t         from;            /* of the open item's text */
    uint32_t       first;           /* ... and its first token */
    uint32_t       call;
} vm_responses_t;

#define vm_responses_row(name, type, flags, def)                              \
    { #name, &type, flags, offsetof(vm_responses_t, name), def, NULL }


/* ---- the request's tables ---- */

static const vm_type_t *const  vm_responses_input_branches[] = {
    &vm_str_type, &vm_items_type, NULL
};

static const vm_type_t  vm_responses_input_type = {
    .kind = VM_T_UNION, .branches = vm_responses_input_branches
};

static const char *const  vm_responses_includes[] = {
    "code_interpreter_call.outputs", "computer_call_output.output.image_url",
    "file_search_call.results", "message.input_image.image_url",
    "message.output_text.logprobs", "reasoning.encrypted_content", NULL
};

static const vm_type_t  vm_responses_include_item = {
    .kind = VM_T_LITERAL, .values = vm_responses_includes
};

static const vm_type_t  vm_responses_include_type = {
    .kind = VM_T_LIST, .item = &vm_responses_include_item
};

static const char *const  vm_responses_tiers[] = {
    "auto", "default", "flex", "scale", "priority", NULL
};

static const vm_type_t  vm_responses_tier_type = {
    .kind = VM_T_LITERAL, .values = vm_responses_tiers
};

static const char *const  vm_responses_truncations[] = {
    "auto", "disabled", NULL
};

static const vm_type_t  vm_responses_truncation_type = {
    .kind = VM_T_LITERAL, .values = vm_responses_truncations
};

/* reasoning */

static const char *const  vm_reason_contexts[] = {
    "auto", "current_turn", "all_turns", NULL
};

static const char *const  vm_reason_efforts[] = {
    "none", "minimal", "low", "medium", "high", "xhigh", "max", NULL
};

static const char *const  vm_reason_summaries[] = {
    "auto", "concise", "detailed", NULL
};

static const vm_type_t  vm_reason_context_type = {
    .kind = VM_T_LITERAL, .values = vm_reason_contexts
};

static const vm_type_t  vm_reason_effort_type = {
    .kind = VM_T_LITERAL, .values = vm_reason_efforts
};

static const vm_type_t  vm_reason_summary_type = {
    .kind = VM_T_LITERAL, .values = vm_reason_summaries
};

static const vm_field_t  vm_reason_fields[] = {
    vm_field_seen("context", vm_reason_context_type, 0),
    vm_field_seen("effort", vm_reason_effort_type, 0),
    vm_field_seen("generate_summary", vm_reason_summary_type, 0),
    vm_field_seen("mode", vm_str_type, 0),
    vm_field_seen("summary", vm_reason_summary_type, 0),
    vm_field_end
};

static const vm_type_t  vm_reason_type = {
    .kind = VM_T_MODEL, .fields = vm_reason_fields
};

/* text */

static const char *const  vm_text_kinds[][2] = {
    { "text", NULL }, { "json_schema", NULL }, { "json_object", NULL }
};

static const vm_type_t  vm_text_kind_types[] = {
    { .kind = VM_T_LITERAL, .values = vm_text_kinds[0] },
    { .kind = VM_T_LITERAL, .values = vm_text_kinds[1] },
    { .kind = VM_T_LITERAL, .values = vm_text_kinds[2] }
};

#define VM_RESPONSES_NEED  (VM_F_REQUIRED|VM_F_NOTNULL)

static const vm_field_t  vm_text_plain_fields[] = {
    vm_field_seen("type", vm_text_kind_types[0], VM_RESPONSES_NEED),
    vm_field_end
};

static const vm_field_t  vm_text_schema_fields[] = {
    vm_field_seen("name", vm_str_type, VM_RESPONSES_NEED),
    vm_field_seen("schema", vm_dict_type, VM_RESPONSES_NEED),
    vm_field_seen("type", vm_text_kind_types[1], VM_RESPONSES_NEED),
    vm_field_seen("description", vm_str_type, 0),
    vm_field_seen("strict", vm_bool_type, 0),
    vm_field_end
};

static const vm_field_t  vm_text_object_fields[] = {
    vm_field_seen("type", vm_text_kind_types[2], VM_RESPONSES_NEED),
    vm_field_end
};

static const vm_type_t  vm_text_formats[] = {
    { .kind = VM_T_MODEL, .fields = vm_text_plain_fields,
      .name = "ResponseFormatText" },
    { .kind = VM_T_MODEL, .fields = vm_text_schema_fields,
      .name = "ResponseFormatTextJSONSchemaConfig" },
    { .kind = VM_T_MODEL, .fields = vm_text_object_fields,
      .name = "ResponseFormatJSONObject" }
};

static const vm_type_t *const  vm_text_format_branches[] = {
    &vm_text_formats[0], &vm_text_formats[1], &vm_text_formats[2], NULL
};

static const vm_type_t  vm_text_format_type = {
    .kind = VM_T_UNION, .branches = vm_text_format_branches
};

static const char *const  vm_text_verbosities[] = {
    "low", "medium", "high", NULL
};

static const vm_type_t  vm_text_verbosity_type = {
    .kind = VM_T_LITERAL, .values = vm_text_verbosities
};

static const vm_field_t  vm_text_fields[] = {
    vm_field_seen("format", vm_text_format_type, 0),
    vm_field_seen("verbosity", vm_text_verbosity_type, 0),
    vm_field_end
};

static const vm_type_t  vm_text_type = {
    .kind = VM_T_MODEL, .fields = vm_text_fields
};

/* tool_choice */

static const char *const  vm_choice_words[] = {
    "none", "auto", "required", NULL
};

static const char *const  vm_choice_modes[] = { "auto", "required", NULL };

static const char *const  vm_choice_hosted[] = {
    "file_search", "web_search_preview", "computer", "computer_use_preview",
    "computer_use", "web_search_preview_2025_03_11", "image_generation",
    "code_interpreter", NULL
};

static const char *const  vm_choice_kinds[][2] = {
    { "allowed_tools", NULL }, { "function", NULL }, { "mcp", NULL },
    { "custom", NULL }, { "programmatic_tool_calling", NULL },
    { "apply_patch", NULL }, { "shell", NULL }
};

static const vm_type_t  vm_choice_mode_type = {
    .kind = VM_T_LITERAL, .values = vm_choice_modes
};

static const vm_type_t  vm_choice_hosted_type = {
    .kind = VM_T_LITERAL, .values = vm_choice_hosted
};

static const vm_type_t  vm_choice_kind_types[] = {
    { .kind = VM_T_LITERAL, .values = vm_choice_kinds[0] },
    { .kind = VM_T_LITERAL, .values = vm_choice_kinds[1] },
    { .kind = VM_T_LITERAL, .values = vm_choice_kinds[2] },
    { .kind = VM_T_LITERAL, .values = vm_choice_kinds[3] },
    { .kind = VM_T_LITERAL, .values = vm_choice_kinds[4] },
    { .kind = VM_T_LITERAL, .values = vm_choice_kinds[5] },
    { .kind = VM_T_LITERAL, .values = vm_choice_kinds[6] }
};

static const vm_type_t  vm_dict_list_type = {
    .kind = VM_T_LIST, .item = &vm_dict_type
};

static const vm_field_t  vm_choice_allowed_fields[] = {
    vm_field_seen("mode", vm_choice_mode_type, VM_RESPONSES_NEED),
    vm_field_seen("tools", vm_dict_list_type, VM_RESPONSES_NEED),
    vm_field_seen("type", vm_choice_kind_types[0], VM_RESPONSES_NEED),
    vm_field_end
};

static const vm_field_t  vm_choice_hosted_fields[] = {
    vm_field_seen("type", vm_choice_hosted_type, VM_RESPONSES_NEED),
    vm_field_end
};

static const vm_field_t  vm_choice_function_fields[] = {
    vm_field_seen("name", vm_str_type, VM_RESPONSES_NEED),
    vm_field_seen("type", vm_choice_kind_types[1], VM_RESPONSES_NEED),
    vm_field_end
};

static const vm_field_t  vm_choice_mcp_fields[] = {
    vm_field_seen("server_label", vm_str_type, VM_RESPONSES_NEED),
    vm_field_seen("type", vm_choice_kind_types[2], VM_RESPONSES_NEED),
    vm_field_seen("name", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_choice_custom_fields[] = {
    vm_field_seen("name", vm_str_type, VM_RESPONSES_NEED),
    vm_field_seen("type", vm_choice_kind_types[3], VM_RESPONSES_NEED),
    vm_field_end
};

#define vm_choice_typed(id, n)                                                \
    static const vm_field_t  vm_choice_##id##_fields[] = {                    \
        vm_field_seen("type", vm_choice_kind_types[n],                        \
                      VM_RESPONSES_NEED),                                     \
        vm_field_end                                                          \
    }

vm_choice_typed(program, 4);
vm_choice_typed(patch, 5);
vm_choice_typed(shell, 6);

static const vm_type_t  vm_choice_types[] = {
    { .kind = VM_T_LITERAL, .values = vm_choice_words },
    { .kind = VM_T_MODEL, .fields = vm_choice_allowed_fields,
      .name = "ToolChoiceAllowed" },
    { .kind = VM_T_MODEL, .fields = vm_choice_hosted_fields,
      .name = "ToolChoiceTypes" },
    { .kind = VM_T_MODEL, .fields = vm_choice_function_fields,
      .name = "ToolChoiceFunction" },
    { .kind = VM_T_MODEL, .fields = vm_choice_mcp_fields,
      .name = "ToolChoiceMcp" },
    { .kind = VM_T_MODEL, .fields = vm_choice_custom_fields,
      .name = "ToolChoiceCustom" },
    { .kind = VM_T_MODEL, .fields = vm_choice_program_fields,
      .name = "ToolChoiceSpecificProgrammaticToolCallingParam" },
    { .kind = VM_T_MODEL, .fields = vm_choice_patch_fields,
      .name = "ToolChoiceApplyPatch" },
    { .kind = VM_T_MODEL, .fields = vm_choice_shell_fields,
      .name = "ToolChoiceShell" }
};

static const vm_type_t *const  vm_choice_branches[] = {
    &vm_choice_types[0], &vm_choice_types[1], &vm_choice_types[2],
    &vm_choice_types[3], &vm_choice_types[4], &vm_choice_types[5],
    &vm_choice_types[6], &vm_choice_types[7], &vm_choice_types[8], NULL
};

static const vm_type_t  vm_responses_choice_type = {
    .kind = VM_T_UNION, .branches = vm_choice_branches
};

/* the rest */

static const vm_type_t  vm_responses_metadata_type = {
    .kind = VM_T_DICT, .item = &vm_str_type
};

static const vm_type_t  vm_responses_bias_type = {
    .kind = VM_T_DICT, .item = &vm_float_type
};

static const vm_type_t  vm_responses_salt_type = {
    .kind = VM_T_STR, .min_items = 1, .max_items = 1024
};

static const vm_field_t  vm_responses_fields[] = {
    vm_responses_row(background, vm_bool_type, 0, 0),
    vm_responses_row(include, vm_responses_include_type, 0, 0),
    vm_responses_row(input, vm_responses_input_type,
                     VM_F_REQUIRED|VM_F_NOTNULL, 0),
    vm_responses_row(instructions, vm_str_type, 0, 0),
    vm_responses_row(max_output_tokens, vm_int_type, 0, 0),
    vm_responses_row(max_tool_calls, vm_int_type, 0, 0),
    vm_responses_row(metadata, vm_responses_metadata_type, 0, 0),
    vm_field_seen("model", vm_str_type, 0),
    vm_field_seen("logit_bias", vm_responses_bias_type, 0),
    vm_responses_row(parallel_tool_calls, vm_bool_type, 0, 1),
    vm_responses_row(previous_response_id, vm_str_type, 0, 0),
    vm_responses_row(reasoning, vm_reason_type, 0, 0),
    vm_responses_row(include_reasoning, vm_bool_type, VM_F_NOTNULL, 1),
    vm_responses_row(service_tier, vm_responses_tier_type, VM_F_NOTNULL, 0),
    vm_responses_row(store, vm_bool_type, 0, 1),
    vm_responses_row(stream, vm_bool_type, 0, 0),
    vm_field_seen("temperature", vm_float_type, 0),
    vm_responses_row(text, vm_text_type, 0, 0),
    vm_responses_row(tool_choice, vm_responses_choice_type, VM_F_NOTNULL, 0),
    vm_responses_row(tools, vm_hosted_list_type, VM_F_NOTNULL, 0),
    vm_responses_row(top_logprobs, vm_int_type, 0, 0),
    vm_field_seen("top_p", vm_float_type, 0),
    vm_field_seen("top_k", vm_int_type, 0),
    vm_field_seen("min_p", vm_float_type, 0),
    vm_responses_row(truncation, vm_responses_truncation_type, 0, 0),
    vm_responses_row(user, vm_str_type, 0, 0),
    vm_field_seen("skip_special_tokens", vm_bool_type, VM_F_NOTNULL),
    vm_field_seen("include_stop_str_in_output", vm_bool_type,
                  VM_F_NOTNULL),
    vm_responses_row(presence_penalty, vm_float_type, 0, 0),
    vm_responses_row(frequency_penalty, vm_float_type, 0, 0),
    vm_field_seen("prompt_cache_key", vm_str_type, 0),
    vm_responses_row(request_id, vm_str_type, VM_F_NOTNULL, 0),
    vm_field_seen("session_id", vm_str_type, 0),
    vm_field_seen("media_io_kwargs", vm_kwargs_type, 0),
    vm_field_seen("mm_processor_kwargs", vm_dict_type, 0),
    vm_field_seen("priority", vm_int64_type, VM_F_NOTNULL),
    vm_field_seen("cache_salt", vm_responses_salt_type, 0),
    vm_responses_row(enable_response_messages, vm_bool_type, VM_F_NOTNULL, 0),
    vm_field_seen("previous_input_messages", vm_dict_list_type, 0),
    vm_responses_row(structured_outputs, vm_structured_type, 0, 0),
    vm_field_seen("repetition_penalty", vm_float_type, 0),
    vm_field_seen("seed", vm_int64_type, 0),
    vm_field_seen("stop", vm_stop_type, 0),
    vm_field_seen("stop_token_ids", vm_int_list_type, 0),
    vm_field_seen("ignore_eos", vm_bool_type, VM_F_NOTNULL),
    vm_field_seen("vllm_xargs", vm_xargs_type, 0),
    vm_field_seen("kv_transfer_params", vm_dict_type, 0),
    vm_field_seen("ec_transfer_params", vm_dict_type, 0),
    vm_field_seen("chat_template_kwargs", vm_dict_type, 0),
    vm_field_end
};


/* ---- rules on the raw body ---- */

static const char *
vm_responses_kind(const json_t *item)
{
    const char  *kind;

    kind = json_string_value(json_object_get(item, "type"));

    return kind ? kind : "";
}


/* The tool that a choice names: a tool's name, or what ends one. */

static int
vm_responses_named(const json_t *choice, const json_t *tools)
{
    size_t       i;
    json_t      *tool;
    const char  *name, *want;

    want = json_string_value(json_object_get(choice, "name"));

    json_array_foreach(tools, i, tool) {
        name = json_string_value(json_object_get(tool, "name"));

        if (want && name && strcmp(name, want) == 0) {
            return 1;
        }
    }

    return 0;
}


static int
vm_responses_rule_tools(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    int            named, some;
    const char    *word;
    const json_t  *choice, *tools;

    tools = vm_value_get(body, "tools");
    choice = json_object_get(body, "tool_choice");
    word = json_string_value(choice);

    named = strcmp(vm_responses_kind(choice), "function") == 0
            || strcmp(vm_responses_kind(choice), "custom") == 0;

    switch (vm_value_type(tools)) {

    case VM_PY_BOOL:
    case VM_PY_INT:
    case VM_PY_BIGINT:
    case VM_PY_FLOAT:
        return vm_error_printf(e, pool, 400, "BadRequestError", NULL,
                               "object of type '%s' has no len()",
                               vm_value_class(tools));

    default:
        some = vm_value_true(tools);
    }

    if (!some && word && strcmp(word, "required") == 0) {
        return vm_error_param(e, pool, "tool_choice", "Tool choice 'required' "
                              "must be specified with 'tools' parameter.");
    }

    if (named && (!some || !vm_responses_named(choice, tools))) {
        return vm_error_param(e, pool, "tool_choice", "Tool choice 'function' "
                              "not found in 'tools' parameter.");
    }

    return VM_OK;
}


static int
vm_responses_rule_format(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    size_t   i;
    json_t  *tool;

    json_array_foreach(json_object_get(body, "tools"), i, tool) {
        if (strcmp(vm_responses_kind(tool), "custom") == 0
            && strcmp(vm_responses_kind(json_object_get(tool, "format")),
                      "grammar") == 0)
        {
            return vm_error_param(e, pool, "tools", "Custom tools with a "
                                  "grammar format are not supported; only "
                                  "free-form text custom tools are "
                                  "accepted.");
        }
    }

    return VM_OK;
}


static int
vm_responses_rule_prompt(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    return vm_value_get(body, "prompt")
           ? vm_error_param(e, pool, "prompt",
                            "prompt template is not supported") : VM_OK;
}


static int
vm_responses_rule_background(const json_t *body, vm_error_t *e,
    vm_pool_t *pool)
{
    return vm_rule_true(body, "background") && json_object_get(body, "store")
           && !vm_rule_true(body, "store")
           ? vm_error_param(e, pool, "background", "background can only be "
                            "used when `store` is true") : VM_OK;
}


static const vm_rule_pt  vm_responses_rules[] = {
    vm_responses_rule_tools,
    vm_responses_rule_format,
    vm_responses_rule_prompt,
    vm_responses_rule_background,
    vm_rule_cache_salt,
    NULL
};


static int
vm_responses_before(const json_t *v, vm_error_t *e, vm_pool_t *pool)
{
    return vm_rules_check(vm_responses_rules, v, e, pool);
}


static const vm_type_t  vm_responses_type = {
    .kind = VM_T_MODEL, .fields = vm_responses_fields,
    .before = vm_responses_before
};


/* ---- what tables cannot say ---- */

static void
vm_responses_range(vm_violations_t *x, const char *name, const json_t *body)
{
    char           place[64];
    double         n;
    const json_t  *v;

    v = vm_value_get(body, name);

    if (v == NULL || !vm_field_float(v, &n) || (n >= -2 && n <= 2)) {
        return;
    }

    snprintf(place, sizeof(place), "body.%s", name);

    if (n > 2) {
        vm_violations_add(x, "less_than_equal", place, "Input should be less "
                          "than or equal to 2", v, "'le': 2.0");

    } else {
        vm_violations_add(x, "greater_than_equal", place, "Input should be "
                          "greater than or equal to -2", v, "'ge': -2.0");
    }
}


int
vm_responses_unknown(vm_call_t *call, const char *id, size_t len)
{
    return vm_error_printf(&call->error, call->pool, 404,
                           "invalid_request_error", "response_id",
                           "Response with id '%.*s' not found.", (int) len,
                           id);
}


static int
vm_responses_check(vm_generation_t *g, const vm_responses_t *q,
    const json_t *body)
{
    char          *message;
    const char    *n;
    vm_error_t    *e;

    e = &g->call->error;

    if (vm_value_get(q->text.json, "format") && q->structured_outputs.json) {
        return vm_error_param(e, g->pool, "structured_outputs", "Cannot "
                              "specify both structured_outputs and "
                              "text.format");
    }

    if (g->rendered && q->previous_response_id) {
        return vm_error_set(e, 400, "invalid_request_error",
                            "previous_response_id",
                            "previous_response_id is not supported by the "
                            "stateless render endpoint.");
    }

    if (q->background && !g->settings->responses_store && !g->rendered) {
        return vm_error_set(e, 400, "invalid_request_error", "background",
                            "This vLLM engine does not support `store=True` "
                            "and therefore does not support the background "
                            "mode. To enable these features, set the "
                            "environment variable "
                            "`VLLM_ENABLE_RESPONSES_API_STORE=1` when "
                            "launching the vLLM server.");
    }

    if (q->previous_response_id
        && json_array_size(vm_value_get(body, "previous_input_messages")))
    {
        return vm_error_set(e, 400, "invalid_request_error",
                            "previous_response_id",
                            "Only one of `previous_input_messages` and "
                            "`previous_response_id` can be set.");
    }

    g->kept = q->store && g->settings->responses_store;
    g->background = q->background != 0;

    if (q->max_output_tokens.set
        && q->max_output_tokens.v > (json_int_t) g->settings->max_model_len)
    {
        n = vm_int_text(g->pool, &q->max_output_tokens);
        message = vm_pool_printf(g->pool, "max_output_tokens=%s cannot be "
                                 "greater than max_model_len=%u. Please "
                                 "request fewer output tokens.", n,
                                 g->settings->max_model_len);

        return vm_error_text(e, g->pool, "max_output_tokens", n, message);
    }

    return VM_OK;
}


/* ---- into a chat's body ---- */

static json_t *
vm_responses_content(const json_t *content)
{
    size_t       i;
    json_t      *item, *parts, *v;
    const char  *kind;

    if (!json_is_array(content)) {
        return json_incref((json_t *) content);
    }

    parts = json_array();

    json_array_foreach(content, i, item) {
        kind = vm_responses_kind(item);
        v = json_object_get(item, "text");

        if (v && (strcmp(kind, "input_text") == 0
                  || strcmp(kind, "output_text") == 0
                  || strcmp(kind, "text") == 0))
        {
            json_array_append_new(parts, json_pack("{sssO}", "type", "text",
                                                   "text", v));

        } else if (strcmp(kind, "input_image") == 0) {
            json_array_append_new(parts,
                json_pack("{sss{sO?}}", "type", "image_url", "image_url",
                          "url", json_object_get(item, "image_url")));

        } else {
            json_array_append(parts, item);
        }
    }

    return parts;
}


/* The arguments of a tool that takes a text: there is one, which has it. */

static json_t *
vm_responses_custom(json_t *input)
{
    char    *text;
    json_t  *arguments, *o;

    o = json_pack("{sO?}", "input", input);
    text = json_dumps(o, 0);
    arguments = json_string_nocheck(text ? text : "{}");
    free(text);
    json_decref(o);

    return arguments;
}


/*
 * What OpenAI's servers do by themselves has been done elsewhere; files are
 * known to its classes, and not to a chat.
 */

static int
vm_responses_foreign(const json_t *item, vm_error_t *e, vm_pool_t *pool)
{
    size_t       i;
    json_t      *part;
    const char  *kind;

    kind = vm_responses_kind(item);

    if (!vm_items_known(kind)) {
        return vm_error_param(e, pool, "input",
                              vm_pool_printf(pool, "Unsupported input item "
                                             "type: %s", kind));
    }

    json_array_foreach(json_object_get(item, "content"), i, part) {
        if (strcmp(vm_responses_kind(part), "input_file") == 0) {
            return vm_content_unsupported(json_object_get(part, "type"), e,
                                          pool);
        }
    }

    return VM_OK;
}


static void
vm_responses_item(json_t *messages, const json_t *item)
{
    int          custom;
    char        *text;
    json_t      *call, *message, *v;
    const char  *kind;

    kind = vm_responses_kind(item);

    custom = strncmp(kind, "custom_tool_call", 16) == 0;

    if (strcmp(kind, "function_call") == 0
        || strcmp(kind, "custom_tool_call") == 0)
    {
        v = custom ? vm_responses_custom(json_object_get(item, "input"))
                   : json_incref(json_object_get(item, "arguments"));
        call = json_pack("{sO?sss{sO?so?}}", "id",
                         json_object_get(item, "call_id"), "type", "function",
                         "function", "name", json_object_get(item, "name"),
                         "arguments", v);
        json_array_append_new(messages,
            json_pack("{sss[o]}", "role", "assistant", "tool_calls", call));
        return;
    }

    if (strcmp(kind, "function_call_output") == 0
        || strcmp(kind, "custom_tool_call_output") == 0)
    {
        v = json_object_get(item, "output");
        text = json_is_string(v) ? NULL : json_dumps(v, JSON_ENCODE_ANY);

        json_array_append_new(messages,
            json_pack("{sssO?so}", "role", "tool", "tool_call_id",
                      json_object_get(item, "call_id"), "content",
                      text ? json_string_nocheck(text) : json_incref(v)));
        free(text);
        return;
    }

    if (strcmp(kind, "reasoning") == 0) {
        v = json_object_get(json_array_get(json_object_get(item, "content"),
                                           0), "text");
        json_array_append_new(messages,
            json_pack("{ssssso}", "role", "assistant", "content", "",
                      "reasoning", json_is_string(v) ? json_incref(v)
                                                     : json_string("")));
        return;
    }

    message = json_object();
    v = json_object_get(item, "role");

    if (v) {
        json_object_set(message, "role", v);
    }

    v = json_object_get(item, "content");

    if (v) {
        json_object_set_new(message, "content", vm_responses_content(v));
    }

    json_array_append_new(messages, message);
}


/*
 * What was said before: the messages that the kept answer was made of, but for
 * the system's, and the texts that it consists of.
 */

static int
vm_responses_earlier(vm_generation_t *g, const vm_responses_t *q,
    json_t *messages)
{
    int          found;
    size_t       i, k, len;
    json_t      *item, *list, *object, *part;
    vm_buf_t     b, o;
    const char  *id, *role;

    if (q->previous_response_id == NULL) {
        return VM_OK;
    }

    id = json_string_value(q->previous_response_id);
    len = json_string_length(q->previous_response_id);

    vm_buf_init(&b);
    vm_buf_init(&o);

    found = g->call->recall
            && g->call->recall(g->call->data, id, len, &b, &o);
    list = b.len ? json_loadb(b.data, b.len, JSON_ALLOW_NUL, NULL) : NULL;
    object = o.len ? json_loadb(o.data, o.len, JSON_ALLOW_NUL, NULL) : NULL;

    vm_buf_free(&b);
    vm_buf_free(&o);

    json_array_foreach(list, i, item) {
        role = json_string_value(json_object_get(item, "role"));

        if (role == NULL || strcmp(role, "system") != 0) {
            json_array_append(messages, item);
        }
    }

    json_array_foreach(json_object_get(object, "output"), i, item) {

        if (strcmp(vm_responses_kind(item), "message") != 0) {
            continue;
        }

        json_array_foreach(json_object_get(item, "content"), k, part) {
            json_array_append_new(messages,
                json_pack("{sssO?}", "role", "assistant", "content",
                          json_object_get(part, "text")));
        }
    }

    json_decref(list);
    json_decref(object);

    return found ? VM_OK : vm_responses_unknown(g->call, id, len);
}


static json_t *
vm_responses_messages(vm_generation_t *g, const vm_responses_t *q)
{
    size_t   i;
    json_t  *item, *messages;

    messages = json_array();

    if (q->instructions) {
        json_array_append_new(messages, json_pack("{sssO}", "role", "system",
                                                  "content",
                                                  q->instructions));
    }

    if (vm_responses_earlier(g, q, messages) != VM_OK) {
        json_decref(messages);
        return NULL;
    }

    if (json_is_string(q->input.json)) {
        json_array_append_new(messages, json_pack("{sssO}", "role", "user",
                                                  "content", q->input.json));
    }

    json_array_foreach(q->input.json, i, item) {

        if (vm_responses_foreign(item, &g->call->error, g->pool) != VM_OK) {
            json_decref(messages);
            return NULL;
        }

        vm_responses_item(messages, item);
    }

    return messages;
}


static void
vm_responses_tools(const vm_generation_t *g, const vm_responses_t *q,
    json_t *chat)
{
    size_t         i;
    json_t        *f, *list, *tool, *v;
    unsigned       k;
    const json_t  *choice;

    static const char *const  kept[] = {
        "name", "description", "parameters", "strict"
    };

    if (json_array_size(q->tools.json) == 0) {
        return;
    }

    list = json_array();

    json_array_foreach(q->tools.json, i, tool) {
        if (strcmp(vm_responses_kind(tool), "function") != 0) {
            continue;
        }

        f = json_object();

        for (k = 0; k < vm_nelts(kept); k++) {
            v = vm_value_get(tool, kept[k]);

            if (v) {
                json_object_set(f, kept[k], v);
            }
        }

        json_array_append_new(list, json_pack("{ssso}", "type", "function",
                                              "function", f));
    }

    if (json_array_size(list) == 0) {
        json_decref(list);
        return;
    }

    json_object_set_new(chat, "tools", list);
    choice = q->tool_choice.json;

    if (g->settings->tool_call_parser == NULL) {
        json_object_set_new(chat, "tool_choice", json_string("none"));

    } else if (strcmp(vm_responses_kind(choice), "function") == 0) {
        json_object_set_new(chat, "tool_choice",
            json_pack("{sss{sO?}}", "type", "function", "function", "name",
                      json_object_get(choice, "name")));

    } else if (json_is_object(choice)) {
        json_object_set_new(chat, "tool_choice", json_string("auto"));

    } else {
        json_object_set_new(chat, "tool_choice",
                            choice ? json_incref((json_t *) choice)
                                   : json_string("auto"));
    }
}


static void
vm_responses_format(const vm_responses_t *q, json_t *chat)
{
    json_t      *format, *schema;
    const char  *kind;

    format = vm_value_get(q->text.json, "format");
    kind = vm_responses_kind(format);

    if (strcmp(kind, "json_object") == 0) {
        json_object_set_new(chat, "response_format",
                            json_pack("{ss}", "type", "json_object"));

    } else if (strcmp(kind, "json_schema") == 0) {
        schema = json_object_get(format, "schema");

        if (schema) {
            json_object_set_new(chat, "response_format",
                json_pack("{sss{sssO}}", "type", "json_schema", "json_schema",
                          "name", "schema", "schema", schema));
        }
    }
}


static json_t *
vm_responses_chat(vm_generation_t *g, const vm_responses_t *q,
    const json_t *body)
{
    size_t       i;
    json_t      *chat, *item, *messages, *v;
    unsigned     k;

    static const struct {
        const char  *from;
        const char  *to;
    }  same[] = {
        { "model", "model" },
        { "max_output_tokens", "max_tokens" },
        { "temperature", "temperature" },
        { "top_p", "top_p" },
        { "top_k", "top_k" },
        { "min_p", "min_p" },
        { "seed", "seed" },
        { "stop", "stop" },
        { "stop_token_ids", "stop_token_ids" },
        { "ignore_eos", "ignore_eos" },
        { "logit_bias", "logit_bias" },
        { "presence_penalty", "presence_penalty" },
        { "frequency_penalty", "frequency_penalty" },
        { "repetition_penalty", "repetition_penalty" },
        { "skip_special_tokens", "skip_special_tokens" },
        { "include_stop_str_in_output", "include_stop_str_in_output" },
        { "include_reasoning", "include_reasoning" },
        { "parallel_tool_calls", "parallel_tool_calls" },
        { "structured_outputs", "structured_outputs" },
        { "chat_template_kwargs", "chat_template_kwargs" },
        { "kv_transfer_params", "kv_transfer_params" },
        { "ec_transfer_params", "ec_transfer_params" },
        { "vllm_xargs", "vllm_xargs" },
        { "cache_salt", "cache_salt" },
        { "priority", "priority" },
        { "watermarking", "watermarking" },
        { "stream", "stream" }
    };

    messages = vm_responses_messages(g, q);

    if (messages == NULL) {
        return NULL;
    }

    chat = json_object();

    for (k = 0; k < vm_nelts(same); k++) {
        v = vm_value_get(body, same[k].from);

        if (v) {
            json_object_set(chat, same[k].to, v);
        }
    }

    json_object_set_new(chat, "messages", messages);

    if (q->truncation
        && strcmp(json_string_value(q->truncation), "auto") == 0)
    {
        json_object_set_new(chat, "truncate_prompt_tokens", json_integer(-1));
    }

    v = vm_value_get(q->reasoning.json, "effort");

    if (v) {
        json_object_set(chat, "reasoning_effort", v);
    }

    json_array_foreach(q->include.json, i, item) {
        if (strcmp(json_string_value(item), "message.output_text.logprobs")
            == 0)
        {
            json_object_set_new(chat, "logprobs", json_true());
            json_object_set_new(chat, "top_logprobs",
                                json_integer(q->top_logprobs.v));
        }
    }

    if (q->enable_response_messages) {
        json_object_set_new(chat, "return_prompt_text", json_true());
    }

    vm_responses_format(q, chat);
    vm_responses_tools(g, q, chat);

    return chat;
}


static void
vm_responses_free(void *data)
{
    json_decref(data);
}


/*
 * A validator gives a request without tools a tool_choice before its fields
 * are looked at: it counts where an error tells the size of the body.
 */

static int
vm_responses_load(vm_generation_t *g, const json_t *body, vm_responses_t *q)
{
    json_t  *seen;

    seen = vm_items_complete(body);

    if (json_is_object(body) && json_object_get(body, "input") == NULL
        && json_object_get(body, "tools") == NULL)
    {
        json_decref(seen);
        seen = json_copy((json_t *) body);
        json_object_set_new(seen, "tool_choice", json_string("none"));
    }

    /* what is loaded points into it */

    if (vm_pool_cleanup(g->pool, vm_responses_free, seen) != VM_OK) {
        json_decref(seen);
        return vm_error_memory(&g->call->error);
    }

    return vm_model_load(&vm_responses_type, seen, "body", q, &g->call->error,
                         g->pool);
}


static int
vm_responses_parse(vm_generation_t *g, const json_t *body)
{
    int              rc;
    vm_error_t      *e;
    vm_responses_t  *q;
    vm_violations_t  x;

    e = &g->call->error;

    q = vm_pool_calloc(g->pool, 1, sizeof(vm_responses_t));
    if (q == NULL) {
        return vm_error_memory(e);
    }

    if (vm_responses_load(g, body, q) != VM_OK) {
        return VM_ERROR;
    }

    vm_violations_init(&x, e, g->pool);
    vm_responses_range(&x, "presence_penalty", body);
    vm_responses_range(&x, "frequency_penalty", body);
    rc = x.count ? vm_violations_report(&x) : VM_OK;
    vm_violations_free(&x);

    if (rc != VM_OK || vm_responses_check(g, q, body) != VM_OK) {
        return VM_ERROR;
    }

    g->own = q;
    g->body = vm_responses_chat(g, q, body);

    if (g->body == NULL) {
        return VM_ERROR;
    }

    if (vm_chat.parse(g, g->body) != VM_OK) {
        return VM_ERROR;
    }

    g->id = q->request_id ? json_string_value(q->request_id)
            : vm_pool_printf(g->pool, "resp_%016llx",
                             (unsigned long long) g->call->random);

    return g->id ? VM_OK : vm_error_memory(e);
}


/* ---- pieces of the answer ---- */

/* ,"name":value of a request's field, null if it has none */

static void
vm_responses_echo(const char *name, const json_t *v, vm_buf_t *out)
{
    vm_buf_printf(out, ",\"%s\":", name);
    vm_piece_json(v, out);
}


/* An object with all the fields of its class, in their order. */

static json_t *
vm_responses_fields_of(const json_t *v, const char *const *fields)
{
    json_t  *field, *full;

    if (v == NULL) {
        return NULL;
    }

    full = json_object();

    for ( /* void */ ; *fields; fields++) {
        field = json_object_get(v, *fields);
        json_object_set_new(full, *fields, field ? json_incref(field)
                                                 : json_null());
    }

    return full;
}


/* ... and all that it has besides */

static json_t *
vm_responses_full(const json_t *v, const char *const *fields)
{
    json_t  *full;

    full = vm_responses_fields_of(v, fields);
    json_object_update_missing(full, (json_t *) (uintptr_t) v);

    return full;
}


static json_t *
vm_responses_text(const json_t *text)
{
    json_t  *format, *full;

    static const char *const  of_text[] = { "format", "verbosity", NULL };
    static const char *const  of_schema[] = {
        "name", "schema", "type", "description", "strict", NULL
    };

    full = vm_responses_full(text, of_text);
    format = json_object_get(full, "format");

    if (strcmp(vm_responses_kind(format), "json_schema") == 0) {
        json_object_set_new(full, "format",
                            vm_responses_full(format, of_schema));
    }

    return full;
}


static json_t *
vm_responses_tool_list(const json_t *tools, vm_generation_t *g)
{
    size_t   i;
    json_t  *list, *tool;

    list = json_array();

    json_array_foreach(tools, i, tool) {
        json_array_append_new(list, vm_hosted_full(&vm_hosted_type, tool,
                                                   &g->call->error, g->pool));
    }

    return list;
}


/* The logprobs of tokens as a list; a delta's have no bytes. */

static void
vm_responses_logprobs(vm_generation_t *g, vm_choice_t *c, uint32_t from,
    uint32_t to, int bytes, vm_buf_t *out)
{
    size_t               i, k;
    json_t              *all, *list, *out_list, *row, *top, *tops;
    vm_buf_t             b;
    const char *const   *all_of;

    static const char *const  with_bytes[] = {
        "token", "bytes", "logprob", NULL
    };
    static const char *const  without[] = { "token", "logprob", NULL };

    vm_buf_init(&b);
    vm_piece_logprobs_chat(g, c, from, to, &b);
    all = b.data ? json_loadb(b.data, b.len, 0, NULL) : NULL;
    vm_buf_free(&b);

    list = json_object_get(all, "content");

    all_of = bytes ? with_bytes : without;
    out_list = json_array();

    json_array_foreach(list, i, row) {
        tops = json_array();

        json_array_foreach(json_object_get(row, "top_logprobs"), k, top) {
            json_array_append_new(tops, vm_responses_fields_of(top, all_of));
        }

        row = vm_responses_fields_of(row, all_of);
        json_object_set_new(row, "top_logprobs", tops);
        json_array_append_new(out_list, row);
    }

    vm_piece_json(out_list, out);
    json_decref(out_list);
    json_decref(all);
}


/* ---- items, whole or just opened ---- */

typedef struct {
    vm_part_e      kind;
    uint32_t       index;           /* of the item, from 0 */
    uint32_t       call;
    vm_str_t       text;
    uint32_t       first;           /* tokens that it was made of */
    uint32_t       last;
} vm_item_t;

static const char *const  vm_responses_prefix[] = {
    [VM_PART_REASONING] = "rs", [VM_PART_CONTENT] = "msg",
    [VM_PART_WRAP] = "", [VM_PART_NAME] = "fc", [VM_PART_ARGUMENTS] = "fc"
};


static void
vm_responses_word(const char *word, vm_buf_t *out)
{
    if (word) {
        vm_buf_json(out, word, strlen(word));

    } else {
        vm_buf_lit(out, "null");
    }
}


static void
vm_responses_id(const vm_generation_t *g, const vm_item_t *item, vm_buf_t *out)
{
    vm_buf_printf(out, "\"%s_%016llx\"", vm_responses_prefix[item->kind],
                  (unsigned long long) vm_rand_at(g->call->random,
                                                  32 + item->index));
}


static void
vm_responses_part(vm_generation_t *g, vm_choice_t *c, const vm_item_t *item,
    vm_buf_t *out)
{
    if (item->kind == VM_PART_REASONING) {
        vm_buf_lit(out, "{\"text\":");
        vm_buf_json(out, item->text.data, item->text.len);
        vm_buf_lit(out, ",\"type\":\"reasoning_text\"}");
        return;
    }

    vm_buf_lit(out, "{\"annotations\":[],\"text\":");
    vm_buf_json(out, item->text.data, item->text.len);
    vm_buf_lit(out, ",\"type\":\"output_text\",\"logprobs\":");

    if (g->nlogprobs >= 0) {
        vm_responses_logprobs(g, c, item->first, item->last, 1, out);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_char(out, '}');
}


static void
vm_responses_item_json(vm_generation_t *g, vm_choice_t *c,
    const vm_item_t *item, const char *status, vm_buf_t *out)
{
    int                    done;
    const vm_tool_call_t  *call;

    done = status == NULL || strcmp(status, "completed") == 0;
    vm_buf_char(out, '{');

    switch (item->kind) {

    case VM_PART_REASONING:
        vm_buf_lit(out, "\"id\":");
        vm_responses_id(g, item, out);
        vm_buf_lit(out, ",\"summary\":[],\"type\":\"reasoning\",\"content\":");

        if (done) {
            vm_buf_char(out, '[');
            vm_responses_part(g, c, item, out);
            vm_buf_char(out, ']');

        } else {
            vm_buf_lit(out, "null");
        }

        vm_buf_lit(out, ",\"encrypted_content\":null,\"status\":");
        vm_responses_word(status, out);
        break;

    case VM_PART_CONTENT:
        vm_buf_lit(out, "\"id\":");
        vm_responses_id(g, item, out);
        vm_buf_lit(out, ",\"content\":[");

        if (done) {
            vm_responses_part(g, c, item, out);
        }

        vm_buf_lit(out, "],\"role\":\"assistant\",\"status\":");
        vm_responses_word(status, out);
        vm_buf_lit(out, ",\"type\":\"message\",\"phase\":null");
        break;

    default:
        call = &c->calls[item->call];
        vm_buf_lit(out, "\"arguments\":");
        vm_buf_json(out, item->text.data, item->text.len);
        vm_buf_lit(out, ",\"call_id\":");
        vm_responses_word(call->id, out);
        vm_buf_lit(out, ",\"name\":");
        vm_responses_word(call->name, out);
        vm_buf_lit(out, ",\"type\":\"function_call\",\"id\":");
        vm_responses_id(g, item, out);
        vm_buf_lit(out, ",\"async\":null,\"caller\":null,"
                        "\"namespace\":null,\"status\":");
        vm_responses_word(status, out);
    }

    vm_buf_char(out, '}');
}


/* `dumped`: arguments as Python dumps them, as in an answer that is whole. */

static void
vm_responses_output(vm_generation_t *g, int dumped, vm_buf_t *out)
{
    size_t        first, len, thought;
    uint32_t      calls, i;
    vm_item_t     item;
    vm_choice_t  *c;

    c = g->choices;
    len = vm_min(c->text.len, c->text_end);
    thought = vm_min(vm_parts_thought(c), len);
    calls = vm_parts_calls(c);

    memset(&item, 0, sizeof(vm_item_t));
    vm_buf_char(out, '[');
    first = out->len;

    if (thought && g->params.include_reasoning) {
        item.kind = VM_PART_REASONING;
        item.text.data = c->text.data;
        item.text.len = thought;
        vm_responses_item_json(g, c, &item, dumped ? NULL : "completed", out);
        item.index++;
    }

    if (calls) {
        len = thought + (c->parts[0].kind == VM_PART_CONTENT ? c->parts[0].to
                                                             : 0);
    }

    if (len > thought) {
        vm_buf_str(out, out->len > first ? "," : "");
        item.kind = VM_PART_CONTENT;
        item.text.data = c->text.data + thought;
        item.text.len = len - thought;
        item.first = thought ? vm_min(c->think_end + 1, c->made) : 0;
        item.last = c->made;
        vm_responses_item_json(g, c, &item, "completed", out);
        item.index++;
    }

    for (i = 0; i < calls; i++) {
        vm_buf_str(out, out->len > first ? "," : "");
        item.kind = VM_PART_NAME;
        item.call = i;
        item.text.data = c->calls[i].arguments;
        item.text.len = strlen(item.text.data);
        vm_responses_item_json(g, c, &item, "completed", out);
        item.index++;
    }

    vm_buf_char(out, ']');
}


static void
vm_responses_usage(const vm_generation_t *g, vm_buf_t *out)
{
    uint64_t  input, output;

    input = vm_generation_prompt_tokens(g);
    output = vm_generation_output_tokens(g);

    vm_buf_lit(out, "{\"input_tokens\":");
    vm_buf_uint(out, input);
    vm_buf_lit(out, ",\"input_tokens_details\":{\"cached_tokens\":");
    vm_buf_uint(out, vm_generation_cached_tokens(g));
    vm_buf_lit(out, ",\"cache_write_tokens\":0,\"input_tokens_per_turn\":[],"
                    "\"cached_tokens_per_turn\":[]},\"output_tokens\":");
    vm_buf_uint(out, output);
    vm_buf_lit(out, ",\"output_tokens_details\":{\"reasoning_tokens\":");
    vm_buf_uint(out, vm_parts_thought_tokens(g));
    vm_buf_lit(out, ",\"tool_output_tokens\":0,\"output_tokens_per_turn\":[],"
                    "\"tool_output_tokens_per_turn\":[]},\"total_tokens\":");
    vm_buf_uint(out, input + output);
    vm_buf_char(out, '}');
}


static void
vm_responses_raw(vm_generation_t *g, vm_buf_t *out)
{
    const vm_choice_t  *c;

    c = g->choices;

    vm_buf_lit(out, ",\"input_messages\":[{\"message\":");
    vm_buf_json(out, g->prompt_text ? g->prompt_text : "",
                g->prompt_text ? strlen(g->prompt_text) : 0);
    vm_buf_lit(out, ",\"tokens\":");
    vm_piece_prompt_ids(g->prompts, out);
    vm_buf_lit(out, ",\"type\":\"raw_message_tokens\"}],"
                    "\"output_messages\":[{\"message\":");
    vm_buf_json(out, c->text.data ? c->text.data : "",
                vm_min(c->text.len, c->text_end));
    vm_buf_lit(out, ",\"tokens\":");
    vm_piece_ids(g, c, 0, c->made, out);
    vm_buf_lit(out, ",\"type\":\"raw_message_tokens\"}]");
}


int
vm_responses_background(const json_t *body)
{
    uint8_t        yes;
    const json_t  *v;

    v = vm_value_get(body, "background");

    return v && vm_field_bool(v, &yes) && yes;
}


void
vm_responses_said(const vm_generation_t *g, vm_buf_t *out)
{
    vm_piece_json(json_object_get(g->body, "messages"), out);
}


void
vm_responses_object(vm_generation_t *g, vm_response_e state,
    size_t *status_at, vm_buf_t *out)
{
    int                    cut, over;
    json_t                *choice, *reasoning, *text, *tools;
    const vm_responses_t  *q;

    static const char *const  of_reasoning[] = {
        "context", "effort", "generate_summary", "mode", "summary", NULL
    };

    q = g->own;
    over = state == VM_RESPONSE_OVER;
    cut = over && g->choices[0].finish
          && strcmp(g->choices[0].finish, "length") == 0;
    text = vm_responses_text(q->text.json);
    reasoning = vm_responses_full(q->reasoning.json, of_reasoning);
    tools = vm_responses_tool_list(q->tools.json, g);

    vm_buf_lit(out, "{\"id\":");
    vm_buf_json(out, g->id, strlen(g->id));
    vm_buf_lit(out, ",\"created_at\":");
    vm_buf_int(out, g->created);
    vm_buf_lit(out, ",\"incomplete_details\":");
    vm_buf_str(out, cut ? "{\"reason\":\"max_output_tokens\"}" : "null");
    vm_responses_echo("instructions", q->instructions, out);
    vm_responses_echo("metadata", q->metadata.json, out);
    vm_buf_lit(out, ",\"model\":");
    vm_buf_json(out, g->model.data, g->model.len);
    vm_buf_lit(out, ",\"object\":\"response\",\"output\":");

    if (over) {
        vm_responses_output(g, !g->stream, out);

    } else {
        vm_buf_lit(out, "[]");
    }

    vm_buf_lit(out, ",\"parallel_tool_calls\":");
    vm_buf_str(out, q->parallel_tool_calls ? "true" : "false");
    vm_buf_lit(out, ",\"temperature\":");
    vm_buf_double(out, g->params.temperature.v);

    if (json_array_size(tools) == 0) {
        vm_buf_lit(out, ",\"tool_choice\":\"none\"");

    } else if (q->tool_choice.json) {
        choice = vm_hosted_full(&vm_responses_choice_type,
                                q->tool_choice.json, &g->call->error, g->pool);
        vm_responses_echo("tool_choice", choice, out);
        json_decref(choice);

    } else {
        vm_buf_lit(out, ",\"tool_choice\":\"auto\"");
    }

    vm_responses_echo("tools", tools, out);
    vm_buf_lit(out, ",\"top_p\":");
    vm_buf_double(out, g->params.top_p.v);
    vm_buf_printf(out, ",\"background\":%s,\"max_output_tokens\":",
                  q->background ? "true" : "false");
    vm_buf_uint(out, g->max_tokens[0]);
    vm_responses_echo("max_tool_calls", q->max_tool_calls.json, out);
    vm_responses_echo("previous_response_id", q->previous_response_id, out);
    vm_buf_lit(out, ",\"prompt\":null");
    vm_responses_echo("reasoning", reasoning, out);
    vm_buf_lit(out, ",\"service_tier\":");
    vm_buf_str(out, q->service_tier ? "" : "\"auto\"");

    if (q->service_tier) {
        vm_piece_json(q->service_tier, out);
    }

    vm_buf_lit(out, ",\"status\":");
    *status_at = out->len;
    vm_buf_str(out, state == VM_RESPONSE_QUEUED ? "\"queued\""
                    : !over ? "\"in_progress\""
                            : cut ? "\"incomplete\"" : "\"completed\"");
    vm_responses_echo("text", text, out);
    vm_buf_lit(out, ",\"top_logprobs\":");

    if (g->nlogprobs >= 0) {
        vm_buf_int(out, g->nlogprobs);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_lit(out, ",\"truncation\":");
    vm_buf_str(out, q->truncation ? "" : "\"disabled\"");

    if (q->truncation) {
        vm_piece_json(q->truncation, out);
    }

    vm_buf_lit(out, ",\"usage\":");

    if (over) {
        vm_responses_usage(g, out);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_responses_echo("user", q->user, out);

    if (over && g->settings->per_request_metrics) {
        vm_buf_lit(out, ",\"metrics\":");
        vm_piece_metrics(g, 1, out);
    }

    vm_buf_lit(out, ",\"presence_penalty\":");
    vm_buf_double(out, q->presence_penalty.v);
    vm_buf_lit(out, ",\"frequency_penalty\":");
    vm_buf_double(out, q->frequency_penalty.v);
    vm_buf_lit(out, ",\"kv_transfer_params\":");
    vm_transfer_params(g, out);
    vm_buf_lit(out, ",\"ec_transfer_params\":null");

    if (over && q->enable_response_messages) {
        vm_responses_raw(g, out);

    } else {
        vm_buf_lit(out, ",\"input_messages\":null,\"output_messages\":null");
    }

    vm_buf_char(out, '}');

    json_decref(text);
    json_decref(reasoning);
    json_decref(tools);
}


/* ---- frames: their fields come in the order of the alphabet ---- */

static void
vm_responses_event(const char *name, vm_buf_t *out)
{
    vm_buf_printf(out, "event: %s\ndata: {", name);
}


/* The end of a frame; `text` stands within it if there is one. */

static void
vm_responses_sent(vm_generation_t *g, const char *name, const vm_str_t *text,
    vm_buf_t *out)
{
    vm_responses_t  *q;

    q = g->own;

    vm_buf_printf(out, ",\"sequence_number\":%llu",
                  (unsigned long long) q->sequence++);

    if (text) {
        vm_buf_lit(out, ",\"text\":");
        vm_buf_json(out, text->data, text->len);
    }

    vm_buf_printf(out, ",\"type\":\"%s\"", name);
}


#define vm_responses_over(out)  vm_buf_lit(out, "}\n\n")


static void
vm_responses_whole(vm_generation_t *g, const char *name, vm_response_e state,
    vm_buf_t *out)
{
    size_t  at;

    vm_responses_event(name, out);
    vm_buf_lit(out, "\"response\":");
    vm_responses_object(g, state, &at, out);
    vm_responses_sent(g, name, NULL, out);
    vm_responses_over(out);
}


/* output_item.added and .done */

static void
vm_responses_item_event(vm_generation_t *g, vm_choice_t *c, const char *name,
    const vm_item_t *item, const char *status, vm_buf_t *out)
{
    vm_responses_event(name, out);
    vm_buf_lit(out, "\"item\":");
    vm_responses_item_json(g, c, item, status, out);
    vm_buf_printf(out, ",\"output_index\":%u", item->index);
    vm_responses_sent(g, name, NULL, out);
    vm_responses_over(out);
}


/* content_part.added and .done; an added one has no logprobs yet */

static void
vm_responses_part_event(vm_generation_t *g, vm_choice_t *c, const char *name,
    const vm_item_t *item, int added, vm_buf_t *out)
{
    vm_responses_event(name, out);
    vm_buf_lit(out, "\"content_index\":0,\"item_id\":");
    vm_responses_id(g, item, out);
    vm_buf_printf(out, ",\"output_index\":%u,\"part\":", item->index);

    if (added && item->kind == VM_PART_CONTENT) {
        vm_buf_lit(out, "{\"annotations\":[],\"text\":\"\","
                        "\"type\":\"output_text\",\"logprobs\":[]}");

    } else {
        vm_responses_part(g, c, item, out);
    }

    vm_responses_sent(g, name, NULL, out);
    vm_responses_over(out);
}


static void
vm_responses_begin(vm_generation_t *g, vm_buf_t *out)
{
    vm_responses_whole(g, "response.created", VM_RESPONSE_RUNS, out);
    vm_responses_whole(g, "response.in_progress", VM_RESPONSE_RUNS, out);
}


static vm_item_t
vm_responses_opened(vm_generation_t *g, vm_choice_t *c, size_t end)
{
    size_t           start;
    vm_item_t        item;
    vm_responses_t  *q;

    q = g->own;
    start = q->from;

    item.kind = (vm_part_e) (c->block - 1);
    item.index = c->blocks;
    item.call = q->call;
    item.text.data = c->text.data ? c->text.data + start : "";
    item.text.len = end - start;
    item.first = q->first;
    item.last = c->made;

    return item;
}


static void
vm_responses_close(vm_generation_t *g, vm_choice_t *c, size_t end,
    vm_buf_t *out)
{
    vm_item_t  item;

    static const char *const  done[] = {
        [VM_PART_REASONING] = "response.reasoning_text.done",
        [VM_PART_CONTENT] = "response.output_text.done",
        [VM_PART_WRAP] = NULL,
        [VM_PART_NAME] = "response.function_call_arguments.done"
    };

    if (c->block == 0) {
        return;
    }

    item = vm_responses_opened(g, c, end);

    vm_responses_event(done[item.kind], out);

    if (item.kind == VM_PART_NAME) {
        vm_buf_lit(out, "\"arguments\":");
        vm_buf_json(out, item.text.data, item.text.len);
        vm_buf_lit(out, ",\"item_id\":");
        vm_responses_id(g, &item, out);
        vm_buf_printf(out, ",\"output_index\":%u", item.index);
        vm_responses_sent(g, done[item.kind], NULL, out);
        vm_buf_lit(out, ",\"name\":");
        vm_responses_word(c->calls[item.call].name, out);

    } else {
        vm_buf_lit(out, "\"content_index\":0,\"item_id\":");
        vm_responses_id(g, &item, out);
        vm_buf_str(out, item.kind == VM_PART_CONTENT ? ",\"logprobs\":[]"
                                                     : "");
        vm_buf_printf(out, ",\"output_index\":%u", item.index);
        vm_responses_sent(g, done[item.kind], &item.text, out);
    }

    vm_responses_over(out);

    if (item.kind != VM_PART_NAME) {
        vm_responses_part_event(g, c, "response.content_part.done", &item, 0,
                                out);
    }

    vm_responses_item_event(g, c, "response.output_item.done", &item,
                            "completed", out);

    c->block = 0;
    c->blocks++;
}


static void
vm_responses_open(vm_generation_t *g, vm_choice_t *c, const vm_span_t *p,
    vm_buf_t *out)
{
    vm_item_t        item;
    vm_responses_t  *q;

    q = g->own;

    c->block = 1 + p->kind;
    q->from = p->kind == VM_PART_NAME ? p->to : p->from;
    q->first = c->sent;
    q->call = p->call;

    item = vm_responses_opened(g, c, q->from);

    vm_responses_item_event(g, c, "response.output_item.added", &item,
                            "in_progress", out);

    if (p->kind != VM_PART_NAME) {
        vm_responses_part_event(g, c, "response.content_part.added", &item, 1,
                                out);
    }
}


static void
vm_responses_chunk(vm_generation_t *g, vm_choice_t *c, vm_str_t text,
    vm_buf_t *out)
{
    size_t     end, from;
    unsigned   want;
    vm_span_t  p;
    vm_item_t  item;

    static const char *const  delta[] = {
        [VM_PART_REASONING] = "response.reasoning_text.delta",
        [VM_PART_CONTENT] = "response.output_text.delta",
        [VM_PART_WRAP] = NULL,
        [VM_PART_NAME] = NULL,
        [VM_PART_ARGUMENTS] = "response.function_call_arguments.delta"
    };

    from = c->shown;
    end = from + text.len;

    for ( /* void */ ; from < end; from = p.to) {
        p = vm_parts_at(c, from, end);

        if (p.kind == VM_PART_WRAP
            || (p.kind == VM_PART_NAME && !p.whole)
            || (p.kind == VM_PART_REASONING && !g->params.include_reasoning))
        {
            if (p.kind == VM_PART_WRAP) {
                vm_responses_close(g, c, from, out);
            }

            continue;
        }

        want = 1 + (unsigned) (p.kind == VM_PART_ARGUMENTS ? VM_PART_NAME
                                                           : p.kind);

        if (c->block != want || p.kind == VM_PART_NAME) {
            vm_responses_close(g, c, from, out);
            vm_responses_open(g, c, &p, out);
        }

        if (delta[p.kind] == NULL) {
            continue;
        }

        item = vm_responses_opened(g, c, end);
        vm_responses_event(delta[p.kind], out);
        vm_buf_str(out, p.kind == VM_PART_ARGUMENTS ? ""
                                                    : "\"content_index\":0,");
        vm_buf_lit(out, "\"delta\":");
        vm_buf_json(out, c->text.data + from, p.to - from);
        vm_buf_lit(out, ",\"item_id\":");
        vm_responses_id(g, &item, out);

        if (p.kind == VM_PART_CONTENT) {
            vm_buf_lit(out, ",\"logprobs\":");

            if (g->nlogprobs >= 0) {
                vm_responses_logprobs(g, c, c->sent, c->made, 0, out);

            } else {
                vm_buf_lit(out, "[]");
            }
        }

        vm_buf_printf(out, ",\"output_index\":%u", item.index);
        vm_responses_sent(g, delta[p.kind], NULL, out);
        vm_responses_over(out);
    }
}


static void
vm_responses_end(vm_generation_t *g, vm_buf_t *out)
{
    size_t        at;
    vm_choice_t  *c;

    c = g->choices;

    if (!g->stream) {
        vm_responses_object(g, VM_RESPONSE_OVER, &at, out);
        return;
    }

    vm_responses_close(g, c, vm_min(c->text.len, c->text_end), out);
    vm_responses_whole(g, "response.completed", VM_RESPONSE_OVER, out);
}


const vm_protocol_t  vm_responses = {
    "responses", 1, vm_responses_parse, vm_responses_begin,
    vm_responses_chunk, vm_responses_end
};
