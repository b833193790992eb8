/*
 * The kinds of items that a response's input may have, by the classes of
 * OpenAI's library (those of requests, then those of answers), as far as it
 * matters which of them an item fits: what is required, and what many have.
 */

#include "items.h"


static const vm_type_t  vm_kinds_iterable = { .kind = VM_T_ITERABLE };


/* ---- words ---- */

vm_words_type(vm_kinds_assistant, "assistant");
vm_words_type(vm_kinds_status, "in_progress", "completed", "incomplete");
vm_words_type(vm_kinds_is_message, "message");
vm_words_type(vm_kinds_search, "in_progress", "searching", "completed",
              "incomplete", "failed");
vm_words_type(vm_kinds_is_file_search_call, "file_search_call");
vm_words_type(vm_kinds_is_computer_call, "computer_call");
vm_words_type(vm_kinds_is_computer_call_output, "computer_call_output");
vm_words_type(vm_kinds_is_web_search_call, "web_search_call");
vm_words_type(vm_kinds_is_function_call, "function_call");
vm_words_type(vm_kinds_is_function_call_output, "function_call_output");
vm_words_type(vm_kinds_is_tool_search_call, "tool_search_call");
vm_words_type(vm_kinds_is_tool_search_output, "tool_search_output");
vm_words_type(vm_kinds_developer, "developer");
vm_words_type(vm_kinds_is_additional_tools, "additional_tools");
vm_words_type(vm_kinds_is_configuration_update, "configuration_update");
vm_words_type(vm_kinds_is_reasoning, "reasoning");
vm_words_type(vm_kinds_is_compaction, "compaction");
vm_words_type(vm_kinds_drawing, "in_progress", "completed", "generating",
              "failed");
vm_words_type(vm_kinds_is_image_generation_call, "image_generation_call");
vm_words_type(vm_kinds_interpreting, "in_progress", "completed", "incomplete",
              "interpreting", "failed");
vm_words_type(vm_kinds_is_code_interpreter_call, "code_interpreter_call");
vm_words_type(vm_kinds_is_local_shell_call, "local_shell_call");
vm_words_type(vm_kinds_is_local_shell_call_output, "local_shell_call_output");
vm_words_type(vm_kinds_is_shell_call, "shell_call");
vm_words_type(vm_kinds_is_shell_call_output, "shell_call_output");
vm_words_type(vm_kinds_patching, "in_progress", "completed");
vm_words_type(vm_kinds_is_apply_patch_call, "apply_patch_call");
vm_words_type(vm_kinds_patched, "completed", "failed");
vm_words_type(vm_kinds_is_apply_patch_call_output, "apply_patch_call_output");
vm_words_type(vm_kinds_is_mcp_list_tools, "mcp_list_tools");
vm_words_type(vm_kinds_is_mcp_approval_request, "mcp_approval_request");
vm_words_type(vm_kinds_is_mcp_approval_response, "mcp_approval_response");
vm_words_type(vm_kinds_is_mcp_call, "mcp_call");
vm_words_type(vm_kinds_calling, "in_progress", "completed", "incomplete",
              "calling", "failed");
vm_words_type(vm_kinds_is_custom_tool_call_output, "custom_tool_call_output");
vm_words_type(vm_kinds_is_custom_tool_call, "custom_tool_call");
vm_words_type(vm_kinds_is_compaction_trigger, "compaction_trigger");
vm_words_type(vm_kinds_is_item_reference, "item_reference");
vm_words_type(vm_kinds_is_program, "program");
vm_words_type(vm_kinds_ran, "completed", "incomplete");
vm_words_type(vm_kinds_is_program_output, "program_output");
vm_words_type(vm_kinds_searched, "in_progress", "searching", "completed",
              "failed", "incomplete");
vm_words_type(vm_kinds_shown, "completed", "incomplete", "failed",
              "in_progress");
vm_words_type(vm_kinds_execution, "server", "client");
vm_words_type(vm_kinds_any_role, "unknown", "user", "assistant", "system",
              "critic", "discriminator", "developer", "tool");


/* ---- classes ---- */

static const vm_field_t  vm_kinds_output_message[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("content", vm_kinds_iterable, VM_F_NEEDED),
    vm_field_seen("role", vm_kinds_assistant, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_status, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_message, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_file_search_tool_call[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("queries", vm_list_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_search, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_file_search_call, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_computer_tool_call[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("pending_safety_checks", vm_kinds_iterable, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_status, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_computer_call, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_computer_call_output[] = {
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("output", vm_dict_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_computer_call_output, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, 0),
    vm_field_seen("status", vm_kinds_status, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_function_web_search[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("action", vm_any_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_search, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_web_search_call, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_function_tool_call[] = {
    vm_field_seen("arguments", vm_str_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("name", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_function_call, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, VM_F_NOTNULL),
    vm_field_seen("status", vm_kinds_status, VM_F_NOTNULL),
    vm_field_end
};

static const vm_field_t  vm_kinds_function_call_output[] = {
    vm_field_seen("output", vm_items_result, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_function_call_output, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, 0),
    vm_field_seen("call_id", vm_str_type, 0),
    vm_field_seen("name", vm_str_type, 0),
    vm_field_seen("status", vm_kinds_status, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_tool_search_call[] = {
    vm_field_seen("arguments", vm_any_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_tool_search_call, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, 0),
    vm_field_seen("call_id", vm_str_type, 0),
    vm_field_seen("status", vm_kinds_status, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_tool_search_output_item[] = {
    vm_field_seen("tools", vm_kinds_iterable, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_tool_search_output, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, 0),
    vm_field_seen("call_id", vm_str_type, 0),
    vm_field_seen("status", vm_kinds_status, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_additional_tools[] = {
    vm_field_seen("role", vm_kinds_developer, VM_F_NEEDED),
    vm_field_seen("tools", vm_kinds_iterable, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_additional_tools, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_configuration_update_item[] = {
    vm_field_seen("type", vm_kinds_is_configuration_update, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_reasoning_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("summary", vm_kinds_iterable, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_reasoning, VM_F_NEEDED),
    vm_field_seen("content", vm_kinds_iterable, VM_F_NOTNULL),
    vm_field_seen("status", vm_kinds_status, VM_F_NOTNULL),
    vm_field_end
};

static const vm_field_t  vm_kinds_compaction_item[] = {
    vm_field_seen("encrypted_content", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_compaction, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_image_generation_call[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("result", vm_str_type, VM_F_REQUIRED),
    vm_field_seen("status", vm_kinds_drawing, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_image_generation_call, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_code_interpreter_tool_call[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("code", vm_str_type, VM_F_REQUIRED),
    vm_field_seen("container_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("outputs", vm_kinds_iterable, VM_F_REQUIRED),
    vm_field_seen("status", vm_kinds_interpreting, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_code_interpreter_call, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_local_shell_call[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("action", vm_dict_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_status, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_local_shell_call, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_local_shell_call_output[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("output", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_local_shell_call_output, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_status, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_shell_call[] = {
    vm_field_seen("action", vm_dict_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_shell_call, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, 0),
    vm_field_seen("status", vm_kinds_status, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_shell_call_output[] = {
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("output", vm_kinds_iterable, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_shell_call_output, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, 0),
    vm_field_seen("status", vm_kinds_status, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_apply_patch_call[] = {
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("operation", vm_any_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_patching, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_apply_patch_call, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_apply_patch_call_output[] = {
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_patched, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_apply_patch_call_output, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, 0),
    vm_field_seen("output", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_mcp_list_tools[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("server_label", vm_str_type, VM_F_NEEDED),
    vm_field_seen("tools", vm_kinds_iterable, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_mcp_list_tools, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_mcp_approval_request[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("arguments", vm_str_type, VM_F_NEEDED),
    vm_field_seen("name", vm_str_type, VM_F_NEEDED),
    vm_field_seen("server_label", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_mcp_approval_request, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_mcp_approval_response[] = {
    vm_field_seen("approval_request_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("approve", vm_bool_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_mcp_approval_response, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_mcp_call[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("arguments", vm_str_type, VM_F_NEEDED),
    vm_field_seen("name", vm_str_type, VM_F_NEEDED),
    vm_field_seen("server_label", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_mcp_call, VM_F_NEEDED),
    vm_field_seen("output", vm_str_type, 0),
    vm_field_seen("status", vm_kinds_calling, VM_F_NOTNULL),
    vm_field_end
};

static const vm_field_t  vm_kinds_custom_tool_call_output[] = {
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("output", vm_items_result, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_custom_tool_call_output, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, VM_F_NOTNULL),
    vm_field_end
};

static const vm_field_t  vm_kinds_custom_tool_call[] = {
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("input", vm_str_type, VM_F_NEEDED),
    vm_field_seen("name", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_custom_tool_call, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, VM_F_NOTNULL),
    vm_field_end
};

static const vm_field_t  vm_kinds_compaction_trigger[] = {
    vm_field_seen("type", vm_kinds_is_compaction_trigger, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_item_reference[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_item_reference, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_program[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("code", vm_str_type, VM_F_NEEDED),
    vm_field_seen("fingerprint", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_program, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_program_output[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("result", vm_str_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_ran, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_program_output, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_output_message_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("content", vm_items_output_parts, VM_F_NEEDED),
    vm_field_seen("role", vm_kinds_assistant, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_status, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_message, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_file_search_tool_call_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("queries", vm_list_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_search, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_file_search_call, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_function_tool_call_item[] = {
    vm_field_seen("arguments", vm_str_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("name", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_function_call, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, 0),
    vm_field_seen("status", vm_kinds_status, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_function_tool_call_output_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("output", vm_items_result, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_status, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_function_call_output, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, 0),
    vm_field_seen("name", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_function_web_search_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("action", vm_any_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_searched, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_web_search_call, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_computer_tool_call_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("pending_safety_checks", vm_list_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_status, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_computer_call, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_computer_tool_call_output_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("output", vm_dict_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_shown, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_computer_call_output, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_reasoning_item_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("summary", vm_items_summaries, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_reasoning, VM_F_NEEDED),
    vm_field_seen("content", vm_items_thoughts, 0),
    vm_field_seen("status", vm_kinds_status, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_program_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("code", vm_str_type, VM_F_NEEDED),
    vm_field_seen("fingerprint", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_program, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_program_output_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("result", vm_str_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_ran, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_program_output, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_tool_search_call_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("arguments", vm_any_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, 0),
    vm_field_seen("execution", vm_kinds_execution, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_status, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_tool_search_call, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_tool_search_output_item_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, 0),
    vm_field_seen("execution", vm_kinds_execution, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_status, VM_F_NEEDED),
    vm_field_seen("tools", vm_list_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_tool_search_output, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_additional_tools_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("role", vm_kinds_any_role, VM_F_NEEDED),
    vm_field_seen("tools", vm_list_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_additional_tools, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_compaction_item_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("encrypted_content", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_compaction, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_image_generation_call_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_drawing, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_image_generation_call, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_code_interpreter_tool_call_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("container_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_interpreting, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_code_interpreter_call, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_local_shell_call_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("action", vm_dict_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_status, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_local_shell_call, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_local_shell_call_output_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("output", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_local_shell_call_output, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_status, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_function_shell_tool_call[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("action", vm_dict_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_status, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_shell_call, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_function_shell_tool_call_output[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("output", vm_list_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_status, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_shell_call_output, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_apply_patch_tool_call[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("operation", vm_any_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_patching, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_apply_patch_call, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_apply_patch_tool_call_output[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_patched, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_apply_patch_call_output, VM_F_NEEDED),
    vm_field_seen("output", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_mcp_call_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("arguments", vm_str_type, VM_F_NEEDED),
    vm_field_seen("name", vm_str_type, VM_F_NEEDED),
    vm_field_seen("server_label", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_mcp_call, VM_F_NEEDED),
    vm_field_seen("output", vm_str_type, 0),
    vm_field_seen("status", vm_kinds_calling, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_mcp_list_tools_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("server_label", vm_str_type, VM_F_NEEDED),
    vm_field_seen("tools", vm_list_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_mcp_list_tools, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_mcp_approval_request_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("arguments", vm_str_type, VM_F_NEEDED),
    vm_field_seen("name", vm_str_type, VM_F_NEEDED),
    vm_field_seen("server_label", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_mcp_approval_request, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_mcp_approval_response_item[] = {
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("approval_request_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("approve", vm_bool_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_mcp_approval_response, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_kinds_custom_tool_call_item[] = {
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("input", vm_str_type, VM_F_NEEDED),
    vm_field_seen("name", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_custom_tool_call, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_kinds_custom_tool_call_output_item[] = {
    vm_field_seen("call_id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("output", vm_items_result, VM_F_NEEDED),
    vm_field_seen("type", vm_kinds_is_custom_tool_call_output, VM_F_NEEDED),
    vm_field_seen("id", vm_str_type, VM_F_NEEDED),
    vm_field_seen("status", vm_kinds_status, VM_F_NEEDED),
    vm_field_end
};


const vm_type_t  vm_items_kinds[VM_ITEMS_KINDS] = {
    { .kind = VM_T_MODEL, .fields = vm_kinds_output_message,
      .name = "ResponseOutputMessageParam", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_file_search_tool_call,
      .name = "ResponseFileSearchToolCallParam", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_computer_tool_call,
      .name = "ResponseComputerToolCallParam", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_computer_call_output,
      .name = "ComputerCallOutput", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_function_web_search,
      .name = "ResponseFunctionWebSearchParam", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_function_tool_call,
      .name = "ResponseFunctionToolCallParam", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_function_call_output,
      .name = "FunctionCallOutput", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_tool_search_call,
      .name = "ToolSearchCall", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_tool_search_output_item,
      .name = "ResponseToolSearchOutputItemParamParam", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_additional_tools,
      .name = "AdditionalTools", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_configuration_update_item,
      .name = "ResponseConfigurationUpdateItemParamParam", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_reasoning_item,
      .name = "ResponseReasoningItemParam", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_compaction_item,
      .name = "ResponseCompactionItemParamParam", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_image_generation_call,
      .name = "ImageGenerationCall", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_code_interpreter_tool_call,
      .name = "ResponseCodeInterpreterToolCallParam", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_local_shell_call,
      .name = "LocalShellCall", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_local_shell_call_output,
      .name = "LocalShellCallOutput", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_shell_call,
      .name = "ShellCall", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_shell_call_output,
      .name = "ShellCallOutput", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_apply_patch_call,
      .name = "ApplyPatchCall", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_apply_patch_call_output,
      .name = "ApplyPatchCallOutput", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_mcp_list_tools,
      .name = "McpListTools", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_mcp_approval_request,
      .name = "McpApprovalRequest", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_mcp_approval_response,
      .name = "McpApprovalResponse", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_mcp_call,
      .name = "McpCall", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_custom_tool_call_output,
      .name = "ResponseCustomToolCallOutputParam", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_custom_tool_call,
      .name = "ResponseCustomToolCallParam", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_compaction_trigger,
      .name = "CompactionTrigger", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_item_reference,
      .name = "ItemReference", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_program,
      .name = "Program", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_program_output,
      .name = "ProgramOutput", .typed_dict = 1 },
    { .kind = VM_T_MODEL, .fields = vm_kinds_output_message_item,
      .name = "ResponseOutputMessage" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_file_search_tool_call_item,
      .name = "ResponseFileSearchToolCall" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_function_tool_call_item,
      .name = "ResponseFunctionToolCall" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_function_tool_call_output_item,
      .name = "ResponseFunctionToolCallOutputItem" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_function_web_search_item,
      .name = "ResponseFunctionWebSearch" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_computer_tool_call_item,
      .name = "ResponseComputerToolCall" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_computer_tool_call_output_item,
      .name = "ResponseComputerToolCallOutputItem" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_reasoning_item_item,
      .name = "ResponseReasoningItem" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_program_item,
      .name = "Program" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_program_output_item,
      .name = "ProgramOutput" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_tool_search_call_item,
      .name = "ResponseToolSearchCall" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_tool_search_output_item_item,
      .name = "ResponseToolSearchOutputItem" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_additional_tools_item,
      .name = "AdditionalTools" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_compaction_item_item,
      .name = "ResponseCompactionItem" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_image_generation_call_item,
      .name = "ImageGenerationCall" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_code_interpreter_tool_call_item,
      .name = "ResponseCodeInterpreterToolCall" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_local_shell_call_item,
      .name = "LocalShellCall" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_local_shell_call_output_item,
      .name = "LocalShellCallOutput" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_function_shell_tool_call,
      .name = "ResponseFunctionShellToolCall" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_function_shell_tool_call_output,
      .name = "ResponseFunctionShellToolCallOutput" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_apply_patch_tool_call,
      .name = "ResponseApplyPatchToolCall" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_apply_patch_tool_call_output,
      .name = "ResponseApplyPatchToolCallOutput" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_mcp_call_item,
      .name = "McpCall" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_mcp_list_tools_item,
      .name = "McpListTools" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_mcp_approval_request_item,
      .name = "McpApprovalRequest" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_mcp_approval_response_item,
      .name = "McpApprovalResponse" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_custom_tool_call_item,
      .name = "ResponseCustomToolCall" },
    { .kind = VM_T_MODEL, .fields = vm_kinds_custom_tool_call_output_item,
      .name = "ResponseCustomToolCallOutputItem" }
};
