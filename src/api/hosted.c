/*
 * Tools of a response: the classes that OpenAI's library has for them.
 */

#include "hosted.h"


#define vm_hosted_model(rows, class)                                          \
    { .kind = VM_T_MODEL, .fields = rows, .name = class }


/* ---- words ---- */

vm_words_type(vm_hosted_is_function, "function");
vm_words_type(vm_hosted_is_file_search, "file_search");
vm_words_type(vm_hosted_is_computer, "computer");
vm_words_type(vm_hosted_environment, "windows", "mac", "linux", "ubuntu",
              "browser");
vm_words_type(vm_hosted_is_computer_use, "computer_use_preview");
vm_words_type(vm_hosted_is_web_search, "web_search", "web_search_2025_08_26");
vm_words_type(vm_hosted_amount, "low", "medium", "high");
vm_words_type(vm_hosted_is_mcp, "mcp");
vm_words_type(vm_hosted_connector, "connector_dropbox", "connector_gmail",
              "connector_googlecalendar", "connector_googledrive",
              "connector_microsoftteams", "connector_outlookcalendar",
              "connector_outlookemail", "connector_sharepoint");
vm_words_type(vm_hosted_is_code_interpreter, "code_interpreter");
vm_words_type(vm_hosted_is_programmatic, "programmatic_tool_calling");
vm_words_type(vm_hosted_is_image_generation, "image_generation");
vm_words_type(vm_hosted_action, "generate", "edit", "auto");
vm_words_type(vm_hosted_background, "transparent", "opaque", "auto");
vm_words_type(vm_hosted_fidelity, "high", "low");
vm_words_type(vm_hosted_moderation, "auto", "low");
vm_words_type(vm_hosted_format, "png", "webp", "jpeg", "gif", "svg");
vm_words_type(vm_hosted_quality, "low", "medium", "high", "xhigh", "max",
              "auto");
vm_words_type(vm_hosted_is_local_shell, "local_shell");
vm_words_type(vm_hosted_is_shell, "shell");
vm_words_type(vm_hosted_is_custom, "custom");
vm_words_type(vm_hosted_is_namespace, "namespace");
vm_words_type(vm_hosted_is_tool_search, "tool_search");
vm_words_type(vm_hosted_execution, "server", "client");
vm_words_type(vm_hosted_is_web_preview, "web_search_preview",
              "web_search_preview_2025_03_11");
vm_words_type(vm_hosted_is_apply_patch, "apply_patch");


/* ---- classes ---- */

static const vm_field_t  vm_hosted_function[] = {
    vm_field_seen("name", vm_str_type, VM_F_NEEDED),
    vm_field_seen("parameters", vm_dict_type, 0),
    vm_field_seen("strict", vm_bool_type, 0),
    vm_field_seen("type", vm_hosted_is_function, VM_F_NEEDED),
    vm_field_seen("allowed_callers", vm_list_type, 0),
    vm_field_seen("async", vm_bool_type, 0),
    vm_field_seen("defer_loading", vm_bool_type, 0),
    vm_field_seen("description", vm_str_type, 0),
    vm_field_seen("output_schema", vm_dict_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_file_search[] = {
    vm_field_seen("type", vm_hosted_is_file_search, VM_F_NEEDED),
    vm_field_seen("vector_store_ids", vm_str_list_type, VM_F_NEEDED),
    vm_field_seen("filters", vm_any_type, 0),
    vm_field_seen("max_num_results", vm_int_type, 0),
    vm_field_seen("ranking_options", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_computer[] = {
    vm_field_seen("type", vm_hosted_is_computer, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_hosted_computer_use_preview[] = {
    vm_field_seen("display_height", vm_int_type, VM_F_NEEDED),
    vm_field_seen("display_width", vm_int_type, VM_F_NEEDED),
    vm_field_seen("environment", vm_hosted_environment, VM_F_NEEDED),
    vm_field_seen("type", vm_hosted_is_computer_use, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_hosted_web_search[] = {
    vm_field_seen("type", vm_hosted_is_web_search, VM_F_NEEDED),
    vm_field_seen("external_web_access", vm_bool_type, 0),
    vm_field_seen("filters", vm_any_type, 0),
    vm_field_seen("search_context_size", vm_hosted_amount, 0),
    vm_field_seen("user_location", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_mcp[] = {
    vm_field_seen("server_label", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_hosted_is_mcp, VM_F_NEEDED),
    vm_field_seen("allowed_callers", vm_list_type, 0),
    vm_field_seen("allowed_tools", vm_any_type, 0),
    vm_field_seen("authorization", vm_str_type, 0),
    vm_field_seen("connector_id", vm_hosted_connector, 0),
    vm_field_seen("defer_loading", vm_bool_type, 0),
    vm_field_seen("headers", vm_dict_type, 0),
    vm_field_seen("require_approval", vm_any_type, 0),
    vm_field_seen("server_description", vm_str_type, 0),
    vm_field_seen("server_url", vm_str_type, 0),
    vm_field_seen("tunnel_id", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_code_interpreter[] = {
    vm_field_seen("container", vm_any_type, VM_F_NEEDED),
    vm_field_seen("type", vm_hosted_is_code_interpreter, VM_F_NEEDED),
    vm_field_seen("allowed_callers", vm_list_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_programmatic_calling[] = {
    vm_field_seen("type", vm_hosted_is_programmatic, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_hosted_image_generation[] = {
    vm_field_seen("type", vm_hosted_is_image_generation, VM_F_NEEDED),
    vm_field_seen("action", vm_hosted_action, 0),
    vm_field_seen("background", vm_hosted_background, 0),
    vm_field_seen("complexity", vm_hosted_amount, 0),
    vm_field_seen("frame_count", vm_int_type, 0),
    vm_field_seen("frame_duration_ms", vm_int_type, 0),
    vm_field_seen("input_fidelity", vm_hosted_fidelity, 0),
    vm_field_seen("input_image_mask", vm_any_type, 0),
    vm_field_seen("model", vm_any_type, 0),
    vm_field_seen("moderation", vm_hosted_moderation, 0),
    vm_field_seen("output_compression", vm_int_type, 0),
    vm_field_seen("output_format", vm_hosted_format, 0),
    vm_field_seen("partial_images", vm_int_type, 0),
    vm_field_seen("quality", vm_hosted_quality, 0),
    vm_field_seen("size", vm_any_type, 0),
    vm_field_seen("svg", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_local_shell[] = {
    vm_field_seen("type", vm_hosted_is_local_shell, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_hosted_function_shell[] = {
    vm_field_seen("type", vm_hosted_is_shell, VM_F_NEEDED),
    vm_field_seen("allowed_callers", vm_list_type, 0),
    vm_field_seen("environment", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_custom[] = {
    vm_field_seen("name", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_hosted_is_custom, VM_F_NEEDED),
    vm_field_seen("allowed_callers", vm_list_type, 0),
    vm_field_seen("async", vm_bool_type, 0),
    vm_field_seen("defer_loading", vm_bool_type, 0),
    vm_field_seen("description", vm_str_type, 0),
    vm_field_seen("format", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_namespace[] = {
    vm_field_seen("description", vm_str_type, VM_F_NEEDED),
    vm_field_seen("name", vm_str_type, VM_F_NEEDED),
    vm_field_seen("tools", vm_list_type, VM_F_NEEDED),
    vm_field_seen("type", vm_hosted_is_namespace, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_hosted_tool_search[] = {
    vm_field_seen("type", vm_hosted_is_tool_search, VM_F_NEEDED),
    vm_field_seen("description", vm_str_type, 0),
    vm_field_seen("execution", vm_hosted_execution, 0),
    vm_field_seen("parameters", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_web_search_preview[] = {
    vm_field_seen("type", vm_hosted_is_web_preview, VM_F_NEEDED),
    vm_field_seen("search_content_types", vm_list_type, 0),
    vm_field_seen("search_context_size", vm_hosted_amount, 0),
    vm_field_seen("user_location", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_apply_patch[] = {
    vm_field_seen("type", vm_hosted_is_apply_patch, VM_F_NEEDED),
    vm_field_seen("allowed_callers", vm_list_type, 0),
    vm_field_end
};

static const vm_type_t  vm_hosted_types[] = {
    vm_hosted_model(vm_hosted_function, "FunctionTool"),
    vm_hosted_model(vm_hosted_file_search, "FileSearchTool"),
    vm_hosted_model(vm_hosted_computer, "ComputerTool"),
    vm_hosted_model(vm_hosted_computer_use_preview, "ComputerUsePreviewTool"),
    vm_hosted_model(vm_hosted_web_search, "WebSearchTool"),
    vm_hosted_model(vm_hosted_mcp, "Mcp"),
    vm_hosted_model(vm_hosted_code_interpreter, "CodeInterpreter"),
    vm_hosted_model(vm_hosted_programmatic_calling, "ProgrammaticToolCalling"),
    vm_hosted_model(vm_hosted_image_generation, "ImageGeneration"),
    vm_hosted_model(vm_hosted_local_shell, "LocalShell"),
    vm_hosted_model(vm_hosted_function_shell, "FunctionShellTool"),
    vm_hosted_model(vm_hosted_custom, "CustomTool"),
    vm_hosted_model(vm_hosted_namespace, "NamespaceTool"),
    vm_hosted_model(vm_hosted_tool_search, "ToolSearchTool"),
    vm_hosted_model(vm_hosted_web_search_preview, "WebSearchPreviewTool"),
    vm_hosted_model(vm_hosted_apply_patch, "ApplyPatchTool")
};

static const vm_type_t *const  vm_hosted_branches[] = {
    &vm_hosted_types[0], &vm_hosted_types[1], &vm_hosted_types[2],
    &vm_hosted_types[3], &vm_hosted_types[4], &vm_hosted_types[5],
    &vm_hosted_types[6], &vm_hosted_types[7], &vm_hosted_types[8],
    &vm_hosted_types[9], &vm_hosted_types[10], &vm_hosted_types[11],
    &vm_hosted_types[12], &vm_hosted_types[13], &vm_hosted_types[14],
    &vm_hosted_types[15], NULL
};

const vm_type_t  vm_hosted_type = {
    .kind = VM_T_UNION, .branches = vm_hosted_branches
};

const vm_type_t  vm_hosted_list_type = {
    .kind = VM_T_LIST, .item = &vm_hosted_type
};


json_t *
vm_hosted_full(const vm_type_t *t, const json_t *tool, vm_error_t *e,
    vm_pool_t *pool)
{
    int                branch;
    json_t            *full, *v;
    const vm_field_t  *f;

    branch = vm_type_branch(t, tool, e, pool);

    if (branch == -1 || t->branches[branch]->kind != VM_T_MODEL) {
        return json_incref((json_t *) (uintptr_t) tool);
    }

    full = json_object();

    for (f = t->branches[branch]->fields; f->name; f++) {
        v = json_object_get(tool, f->name);
        json_object_set_new(full, f->name, v ? json_incref(v) : json_null());
    }

    json_object_update_missing(full, (json_t *) (uintptr_t) tool);

    return full;
}
