/*
 * Tools of a response: the classes that OpenAI's library has for them.
 */

#include "hosted.h"


#define VM_HOSTED_NEED  (VM_F_REQUIRED|VM_F_NOTNULL)

#define vm_hosted_row(name, type, flags)                                      \
    { name, &type, (flags) | VM_F_CHECK, 0, 0, NULL }

#define vm_hosted_model(rows, class)                                          \
    { .kind = VM_T_MODEL, .fields = rows, .name = class }


/* ---- words ---- */

#define vm_hosted_words(name, ...)                                            \
    static const char *const  vm_hosted_##name##_words[] = {                  \
        __VA_ARGS__, NULL                                                     \
    };                                                                        \
    static const vm_type_t  vm_hosted_##name = {                              \
        .kind = VM_T_LITERAL, .values = vm_hosted_##name##_words              \
    }

vm_hosted_words(is_function, "function");
vm_hosted_words(is_file_search, "file_search");
vm_hosted_words(is_computer, "computer");
vm_hosted_words(environment, "windows", "mac", "linux", "ubuntu", "browser");
vm_hosted_words(is_computer_use, "computer_use_preview");
vm_hosted_words(is_web_search, "web_search", "web_search_2025_08_26");
vm_hosted_words(amount, "low", "medium", "high");
vm_hosted_words(is_mcp, "mcp");
vm_hosted_words(connector, "connector_dropbox", "connector_gmail",
                "connector_googlecalendar", "connector_googledrive",
                "connector_microsoftteams", "connector_outlookcalendar",
                "connector_outlookemail", "connector_sharepoint");
vm_hosted_words(is_code_interpreter, "code_interpreter");
vm_hosted_words(is_programmatic, "programmatic_tool_calling");
vm_hosted_words(is_image_generation, "image_generation");
vm_hosted_words(action, "generate", "edit", "auto");
vm_hosted_words(background, "transparent", "opaque", "auto");
vm_hosted_words(fidelity, "high", "low");
vm_hosted_words(moderation, "auto", "low");
vm_hosted_words(format, "png", "webp", "jpeg", "gif", "svg");
vm_hosted_words(quality, "low", "medium", "high", "xhigh", "max", "auto");
vm_hosted_words(is_local_shell, "local_shell");
vm_hosted_words(is_shell, "shell");
vm_hosted_words(is_custom, "custom");
vm_hosted_words(is_namespace, "namespace");
vm_hosted_words(is_tool_search, "tool_search");
vm_hosted_words(execution, "server", "client");
vm_hosted_words(is_web_preview, "web_search_preview",
                "web_search_preview_2025_03_11");
vm_hosted_words(is_apply_patch, "apply_patch");


/* ---- classes ---- */

static const vm_field_t  vm_hosted_function[] = {
    vm_hosted_row("name", vm_str_type, VM_HOSTED_NEED),
    vm_hosted_row("parameters", vm_dict_type, 0),
    vm_hosted_row("strict", vm_bool_type, 0),
    vm_hosted_row("type", vm_hosted_is_function, VM_HOSTED_NEED),
    vm_hosted_row("allowed_callers", vm_list_type, 0),
    vm_hosted_row("async", vm_bool_type, 0),
    vm_hosted_row("defer_loading", vm_bool_type, 0),
    vm_hosted_row("description", vm_str_type, 0),
    vm_hosted_row("output_schema", vm_dict_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_file_search[] = {
    vm_hosted_row("type", vm_hosted_is_file_search, VM_HOSTED_NEED),
    vm_hosted_row("vector_store_ids", vm_str_list_type, VM_HOSTED_NEED),
    vm_hosted_row("filters", vm_any_type, 0),
    vm_hosted_row("max_num_results", vm_int_type, 0),
    vm_hosted_row("ranking_options", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_computer[] = {
    vm_hosted_row("type", vm_hosted_is_computer, VM_HOSTED_NEED),
    vm_field_end
};

static const vm_field_t  vm_hosted_computer_use_preview[] = {
    vm_hosted_row("display_height", vm_int_type, VM_HOSTED_NEED),
    vm_hosted_row("display_width", vm_int_type, VM_HOSTED_NEED),
    vm_hosted_row("environment", vm_hosted_environment, VM_HOSTED_NEED),
    vm_hosted_row("type", vm_hosted_is_computer_use, VM_HOSTED_NEED),
    vm_field_end
};

static const vm_field_t  vm_hosted_web_search[] = {
    vm_hosted_row("type", vm_hosted_is_web_search, VM_HOSTED_NEED),
    vm_hosted_row("external_web_access", vm_bool_type, 0),
    vm_hosted_row("filters", vm_any_type, 0),
    vm_hosted_row("search_context_size", vm_hosted_amount, 0),
    vm_hosted_row("user_location", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_mcp[] = {
    vm_hosted_row("server_label", vm_str_type, VM_HOSTED_NEED),
    vm_hosted_row("type", vm_hosted_is_mcp, VM_HOSTED_NEED),
    vm_hosted_row("allowed_callers", vm_list_type, 0),
    vm_hosted_row("allowed_tools", vm_any_type, 0),
    vm_hosted_row("authorization", vm_str_type, 0),
    vm_hosted_row("connector_id", vm_hosted_connector, 0),
    vm_hosted_row("defer_loading", vm_bool_type, 0),
    vm_hosted_row("headers", vm_dict_type, 0),
    vm_hosted_row("require_approval", vm_any_type, 0),
    vm_hosted_row("server_description", vm_str_type, 0),
    vm_hosted_row("server_url", vm_str_type, 0),
    vm_hosted_row("tunnel_id", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_code_interpreter[] = {
    vm_hosted_row("container", vm_any_type, VM_HOSTED_NEED),
    vm_hosted_row("type", vm_hosted_is_code_interpreter, VM_HOSTED_NEED),
    vm_hosted_row("allowed_callers", vm_list_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_programmatic_calling[] = {
    vm_hosted_row("type", vm_hosted_is_programmatic, VM_HOSTED_NEED),
    vm_field_end
};

static const vm_field_t  vm_hosted_image_generation[] = {
    vm_hosted_row("type", vm_hosted_is_image_generation, VM_HOSTED_NEED),
    vm_hosted_row("action", vm_hosted_action, 0),
    vm_hosted_row("background", vm_hosted_background, 0),
    vm_hosted_row("complexity", vm_hosted_amount, 0),
    vm_hosted_row("frame_count", vm_int_type, 0),
    vm_hosted_row("frame_duration_ms", vm_int_type, 0),
    vm_hosted_row("input_fidelity", vm_hosted_fidelity, 0),
    vm_hosted_row("input_image_mask", vm_any_type, 0),
    vm_hosted_row("model", vm_any_type, 0),
    vm_hosted_row("moderation", vm_hosted_moderation, 0),
    vm_hosted_row("output_compression", vm_int_type, 0),
    vm_hosted_row("output_format", vm_hosted_format, 0),
    vm_hosted_row("partial_images", vm_int_type, 0),
    vm_hosted_row("quality", vm_hosted_quality, 0),
    vm_hosted_row("size", vm_any_type, 0),
    vm_hosted_row("svg", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_local_shell[] = {
    vm_hosted_row("type", vm_hosted_is_local_shell, VM_HOSTED_NEED),
    vm_field_end
};

static const vm_field_t  vm_hosted_function_shell[] = {
    vm_hosted_row("type", vm_hosted_is_shell, VM_HOSTED_NEED),
    vm_hosted_row("allowed_callers", vm_list_type, 0),
    vm_hosted_row("environment", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_custom[] = {
    vm_hosted_row("name", vm_str_type, VM_HOSTED_NEED),
    vm_hosted_row("type", vm_hosted_is_custom, VM_HOSTED_NEED),
    vm_hosted_row("allowed_callers", vm_list_type, 0),
    vm_hosted_row("async", vm_bool_type, 0),
    vm_hosted_row("defer_loading", vm_bool_type, 0),
    vm_hosted_row("description", vm_str_type, 0),
    vm_hosted_row("format", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_namespace[] = {
    vm_hosted_row("description", vm_str_type, VM_HOSTED_NEED),
    vm_hosted_row("name", vm_str_type, VM_HOSTED_NEED),
    vm_hosted_row("tools", vm_list_type, VM_HOSTED_NEED),
    vm_hosted_row("type", vm_hosted_is_namespace, VM_HOSTED_NEED),
    vm_field_end
};

static const vm_field_t  vm_hosted_tool_search[] = {
    vm_hosted_row("type", vm_hosted_is_tool_search, VM_HOSTED_NEED),
    vm_hosted_row("description", vm_str_type, 0),
    vm_hosted_row("execution", vm_hosted_execution, 0),
    vm_hosted_row("parameters", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_web_search_preview[] = {
    vm_hosted_row("type", vm_hosted_is_web_preview, VM_HOSTED_NEED),
    vm_hosted_row("search_content_types", vm_list_type, 0),
    vm_hosted_row("search_context_size", vm_hosted_amount, 0),
    vm_hosted_row("user_location", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_apply_patch[] = {
    vm_hosted_row("type", vm_hosted_is_apply_patch, VM_HOSTED_NEED),
    vm_hosted_row("allowed_callers", vm_list_type, 0),
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
