/*
 * Items of a response's input: those classes of OpenAI's library that make
 * messages here.  Of the others, which vLLM has and then refuses, only the
 * kind is looked at.
 */

#include "items.h"


#define VM_ITEMS_NEED  (VM_F_REQUIRED|VM_F_NOTNULL)

#define vm_items_row(name, type, flags)                                       \
    { name, &type, (flags) | VM_F_CHECK, 0, 0, NULL }

#define vm_items_class(rows, class)                                           \
    { .kind = VM_T_MODEL, .fields = rows, .name = class, .typed_dict = 1 }

#define vm_items_words(name, ...)                                             \
    static const char *const  vm_items_##name##_words[] = {                   \
        __VA_ARGS__, NULL                                                     \
    };                                                                        \
    static const vm_type_t  vm_items_##name = {                               \
        .kind = VM_T_LITERAL, .values = vm_items_##name##_words               \
    }

#define vm_items_union(name, ...)                                             \
    static const vm_type_t *const  vm_items_##name##_branches[] = {           \
        __VA_ARGS__, NULL                                                     \
    };                                                                        \
    static const vm_type_t  vm_items_##name = {                               \
        .kind = VM_T_UNION, .branches = vm_items_##name##_branches            \
    }

#define vm_items_list(name, of)                                               \
    static const vm_type_t  vm_items_##name = {                               \
        .kind = VM_T_LIST, .item = &vm_items_##of                             \
    }


/* ---- words ---- */

vm_items_words(is_text, "input_text");
vm_items_words(is_image, "input_image");
vm_items_words(is_file, "input_file");
vm_items_words(is_output, "output_text");
vm_items_words(is_refusal, "refusal");
vm_items_words(is_summary, "summary_text");
vm_items_words(is_thought, "reasoning_text");
vm_items_words(is_message, "message");
vm_items_words(is_call, "function_call");
vm_items_words(is_result, "function_call_output");
vm_items_words(is_reasoning, "reasoning");
vm_items_words(is_custom, "custom_tool_call");
vm_items_words(is_custom_result, "custom_tool_call_output");
vm_items_words(role, "user", "assistant", "system", "developer");
vm_items_words(role_of_input, "user", "system", "developer");
vm_items_words(assistant, "assistant");
vm_items_words(detail, "low", "high", "auto", "original");
vm_items_words(phase, "commentary", "final_answer");
vm_items_words(status, "in_progress", "completed", "incomplete");


/* ---- parts ---- */

static const vm_field_t  vm_items_text_rows[] = {
    vm_items_row("text", vm_str_type, VM_ITEMS_NEED),
    vm_items_row("type", vm_items_is_text, VM_ITEMS_NEED),
    vm_field_end
};

static const vm_field_t  vm_items_image_rows[] = {
    vm_items_row("detail", vm_items_detail, VM_ITEMS_NEED),
    vm_items_row("type", vm_items_is_image, VM_ITEMS_NEED),
    vm_items_row("file_id", vm_str_type, 0),
    vm_items_row("image_url", vm_str_type, 0),
    vm_field_end
};

/* within a result its detail may be left out */

static const vm_field_t  vm_items_shown_rows[] = {
    vm_items_row("type", vm_items_is_image, VM_ITEMS_NEED),
    vm_items_row("detail", vm_items_detail, 0),
    vm_items_row("file_id", vm_str_type, 0),
    vm_items_row("image_url", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_items_file_rows[] = {
    vm_items_row("type", vm_items_is_file, VM_ITEMS_NEED),
    vm_items_row("file_data", vm_str_type, 0),
    vm_items_row("file_id", vm_str_type, 0),
    vm_items_row("file_url", vm_str_type, 0),
    vm_items_row("filename", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_items_output_rows[] = {
    vm_items_row("text", vm_str_type, VM_ITEMS_NEED),
    vm_items_row("type", vm_items_is_output, VM_ITEMS_NEED),
    vm_field_end
};

static const vm_field_t  vm_items_refusal_rows[] = {
    vm_items_row("refusal", vm_str_type, VM_ITEMS_NEED),
    vm_items_row("type", vm_items_is_refusal, VM_ITEMS_NEED),
    vm_field_end
};

static const vm_field_t  vm_items_summary_rows[] = {
    vm_items_row("text", vm_str_type, VM_ITEMS_NEED),
    vm_items_row("type", vm_items_is_summary, VM_ITEMS_NEED),
    vm_field_end
};

static const vm_field_t  vm_items_thought_rows[] = {
    vm_items_row("text", vm_str_type, VM_ITEMS_NEED),
    vm_items_row("type", vm_items_is_thought, VM_ITEMS_NEED),
    vm_field_end
};

static const vm_type_t  vm_items_text = vm_items_class(
    vm_items_text_rows, "ResponseInputTextParam");
static const vm_type_t  vm_items_image = vm_items_class(
    vm_items_image_rows, "ResponseInputImageParam");
static const vm_type_t  vm_items_file = vm_items_class(
    vm_items_file_rows, "ResponseInputFileParam");
static const vm_type_t  vm_items_said = vm_items_class(
    vm_items_text_rows, "ResponseInputTextContentParam");
static const vm_type_t  vm_items_shown = vm_items_class(
    vm_items_shown_rows, "ResponseInputImageContentParam");
static const vm_type_t  vm_items_given = vm_items_class(
    vm_items_file_rows, "ResponseInputFileContentParam");
static const vm_type_t  vm_items_output = vm_items_class(
    vm_items_output_rows, "ResponseOutputTextParam");
static const vm_type_t  vm_items_refusal = vm_items_class(
    vm_items_refusal_rows, "ResponseOutputRefusalParam");
static const vm_type_t  vm_items_summary = vm_items_class(
    vm_items_summary_rows, "Summary");
static const vm_type_t  vm_items_thought = vm_items_class(
    vm_items_thought_rows, "Content");

vm_items_union(part, &vm_items_text, &vm_items_image, &vm_items_file);
vm_items_list(parts, part);
vm_items_union(content, &vm_str_type, &vm_items_parts);
vm_items_union(result_part, &vm_items_said, &vm_items_shown, &vm_items_given);
vm_items_list(result_parts, result_part);
vm_items_union(result, &vm_str_type, &vm_items_result_parts);
vm_items_union(output_part, &vm_items_output, &vm_items_refusal);
vm_items_list(output_parts, output_part);
vm_items_list(summaries, summary);
vm_items_list(thoughts, thought);


/* ---- items ---- */

static const vm_field_t  vm_items_easy_rows[] = {
    vm_items_row("content", vm_items_content, VM_ITEMS_NEED),
    vm_items_row("role", vm_items_role, VM_ITEMS_NEED),
    vm_items_row("phase", vm_items_phase, 0),
    vm_items_row("type", vm_items_is_message, VM_F_NOTNULL),
    vm_field_end
};

static const vm_field_t  vm_items_input_rows[] = {
    vm_items_row("content", vm_items_parts, VM_ITEMS_NEED),
    vm_items_row("role", vm_items_role_of_input, VM_ITEMS_NEED),
    vm_items_row("status", vm_items_status, VM_F_NOTNULL),
    vm_items_row("type", vm_items_is_message, VM_F_NOTNULL),
    vm_field_end
};

/* vLLM itself gives it an id, a status and annotations, if it has none */

static const vm_field_t  vm_items_answer_rows[] = {
    vm_items_row("id", vm_str_type, VM_F_NOTNULL),
    vm_items_row("content", vm_items_output_parts, VM_ITEMS_NEED),
    vm_items_row("role", vm_items_assistant, VM_ITEMS_NEED),
    vm_items_row("status", vm_items_status, VM_F_NOTNULL),
    vm_items_row("type", vm_items_is_message, VM_ITEMS_NEED),
    vm_items_row("phase", vm_items_phase, 0),
    vm_field_end
};

static const vm_field_t  vm_items_call_rows[] = {
    vm_items_row("arguments", vm_str_type, VM_ITEMS_NEED),
    vm_items_row("call_id", vm_str_type, VM_ITEMS_NEED),
    vm_items_row("name", vm_str_type, VM_ITEMS_NEED),
    vm_items_row("type", vm_items_is_call, VM_ITEMS_NEED),
    vm_items_row("id", vm_str_type, 0),
    vm_items_row("status", vm_items_status, 0),
    vm_field_end
};

static const vm_field_t  vm_items_result_rows[] = {
    vm_items_row("output", vm_items_result, VM_ITEMS_NEED),
    vm_items_row("type", vm_items_is_result, VM_ITEMS_NEED),
    vm_items_row("id", vm_str_type, 0),
    vm_items_row("call_id", vm_str_type, 0),
    vm_items_row("status", vm_items_status, 0),
    vm_field_end
};

static const vm_field_t  vm_items_reasoning_rows[] = {
    vm_items_row("id", vm_str_type, VM_F_NOTNULL),
    vm_items_row("summary", vm_items_summaries, VM_ITEMS_NEED),
    vm_items_row("type", vm_items_is_reasoning, VM_ITEMS_NEED),
    vm_items_row("content", vm_items_thoughts, 0),
    vm_items_row("encrypted_content", vm_str_type, 0),
    vm_items_row("status", vm_items_status, 0),
    vm_field_end
};

static const vm_field_t  vm_items_custom_result_rows[] = {
    vm_items_row("call_id", vm_str_type, VM_ITEMS_NEED),
    vm_items_row("output", vm_items_result, VM_ITEMS_NEED),
    vm_items_row("type", vm_items_is_custom_result, VM_ITEMS_NEED),
    vm_items_row("id", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_items_custom_rows[] = {
    vm_items_row("call_id", vm_str_type, VM_ITEMS_NEED),
    vm_items_row("input", vm_str_type, VM_ITEMS_NEED),
    vm_items_row("name", vm_str_type, VM_ITEMS_NEED),
    vm_items_row("type", vm_items_is_custom, VM_ITEMS_NEED),
    vm_items_row("id", vm_str_type, 0),
    vm_field_end
};

const char *const  vm_items_foreign[] = {
    "file_search_call", "computer_call", "computer_call_output",
    "web_search_call", "tool_search_call", "tool_search_output",
    "additional_tools", "configuration_update", "compaction",
    "image_generation_call", "code_interpreter_call", "local_shell_call",
    "local_shell_call_output", "shell_call", "shell_call_output",
    "apply_patch_call", "apply_patch_call_output", "mcp_list_tools",
    "mcp_approval_request", "mcp_approval_response", "mcp_call",
    "compaction_trigger", "item_reference", "program", "program_output", NULL
};

static const vm_type_t  vm_items_is_foreign = {
    .kind = VM_T_LITERAL, .values = vm_items_foreign
};

static const vm_field_t  vm_items_foreign_rows[] = {
    vm_items_row("type", vm_items_is_foreign, VM_ITEMS_NEED),
    vm_field_end
};

static const vm_type_t  vm_items_classes[] = {
    vm_items_class(vm_items_easy_rows, "EasyInputMessageParam"),
    vm_items_class(vm_items_input_rows, "Message"),
    vm_items_class(vm_items_answer_rows, "ResponseOutputMessageParam"),
    vm_items_class(vm_items_call_rows, "ResponseFunctionToolCallParam"),
    vm_items_class(vm_items_result_rows, "FunctionCallOutput"),
    vm_items_class(vm_items_reasoning_rows, "ResponseReasoningItemParam"),
    vm_items_class(vm_items_custom_result_rows,
                   "ResponseCustomToolCallOutputParam"),
    vm_items_class(vm_items_custom_rows, "ResponseCustomToolCallParam"),
    vm_items_class(vm_items_foreign_rows, "ItemReference")
};

vm_items_union(item, &vm_items_classes[0], &vm_items_classes[1],
               &vm_items_classes[2], &vm_items_classes[3],
               &vm_items_classes[4], &vm_items_classes[5],
               &vm_items_classes[6], &vm_items_classes[7],
               &vm_items_classes[8]);

const vm_type_t  vm_items_type = {
    .kind = VM_T_LIST, .item = &vm_items_item
};
