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

static const char *const  vm_hosted_words_0[] = {
    "function", NULL
};

static const char *const  vm_hosted_words_1[] = {
    "file_search", NULL
};

static const char *const  vm_hosted_words_2[] = {
    "computer", NULL
};

static const char *const  vm_hosted_words_3[] = {
    "windows", "mac", "linux", "ubuntu", "browser", NULL
};

static const char *const  vm_hosted_words_4[] = {
    "computer_use_preview", NULL
};

static const char *const  vm_hosted_words_5[] = {
    "web_search", "web_search_2025_08_26", NULL
};

static const char *const  vm_hosted_words_6[] = {
    "low", "medium", "high", NULL
};

static const char *const  vm_hosted_words_7[] = {
    "mcp", NULL
};

static const char *const  vm_hosted_words_8[] = {
    "connector_dropbox", "connector_gmail", "connector_googlecalendar",
    "connector_googledrive", "connector_microsoftteams",
    "connector_outlookcalendar", "connector_outlookemail",
    "connector_sharepoint", NULL
};

static const char *const  vm_hosted_words_9[] = {
    "code_interpreter", NULL
};

static const char *const  vm_hosted_words_10[] = {
    "programmatic_tool_calling", NULL
};

static const char *const  vm_hosted_words_11[] = {
    "image_generation", NULL
};

static const char *const  vm_hosted_words_12[] = {
    "generate", "edit", "auto", NULL
};

static const char *const  vm_hosted_words_13[] = {
    "transparent", "opaque", "auto", NULL
};

static const char *const  vm_hosted_words_14[] = {
    "high", "low", NULL
};

static const char *const  vm_hosted_words_15[] = {
    "auto", "low", NULL
};

static const char *const  vm_hosted_words_16[] = {
    "png", "webp", "jpeg", "gif", "svg", NULL
};

static const char *const  vm_hosted_words_17[] = {
    "low", "medium", "high", "xhigh", "max", "auto", NULL
};

static const char *const  vm_hosted_words_18[] = {
    "local_shell", NULL
};

static const char *const  vm_hosted_words_19[] = {
    "shell", NULL
};

static const char *const  vm_hosted_words_20[] = {
    "custom", NULL
};

static const char *const  vm_hosted_words_21[] = {
    "namespace", NULL
};

static const char *const  vm_hosted_words_22[] = {
    "tool_search", NULL
};

static const char *const  vm_hosted_words_23[] = {
    "server", "client", NULL
};

static const char *const  vm_hosted_words_24[] = {
    "web_search_preview", "web_search_preview_2025_03_11", NULL
};

static const char *const  vm_hosted_words_25[] = {
    "apply_patch", NULL
};

static const vm_type_t  vm_hosted_type_0 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_0
};

static const vm_type_t  vm_hosted_type_1 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_1
};

static const vm_type_t  vm_hosted_type_2 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_2
};

static const vm_type_t  vm_hosted_type_3 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_3
};

static const vm_type_t  vm_hosted_type_4 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_4
};

static const vm_type_t  vm_hosted_type_5 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_5
};

static const vm_type_t  vm_hosted_type_6 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_6
};

static const vm_type_t  vm_hosted_type_7 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_7
};

static const vm_type_t  vm_hosted_type_8 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_8
};

static const vm_type_t  vm_hosted_type_9 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_9
};

static const vm_type_t  vm_hosted_type_10 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_10
};

static const vm_type_t  vm_hosted_type_11 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_11
};

static const vm_type_t  vm_hosted_type_12 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_12
};

static const vm_type_t  vm_hosted_type_13 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_13
};

static const vm_type_t  vm_hosted_type_14 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_14
};

static const vm_type_t  vm_hosted_type_15 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_15
};

static const vm_type_t  vm_hosted_type_16 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_16
};

static const vm_type_t  vm_hosted_type_17 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_17
};

static const vm_type_t  vm_hosted_type_18 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_18
};

static const vm_type_t  vm_hosted_type_19 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_19
};

static const vm_type_t  vm_hosted_type_20 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_20
};

static const vm_type_t  vm_hosted_type_21 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_21
};

static const vm_type_t  vm_hosted_type_22 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_22
};

static const vm_type_t  vm_hosted_type_23 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_23
};

static const vm_type_t  vm_hosted_type_24 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_24
};

static const vm_type_t  vm_hosted_type_25 = {
    .kind = VM_T_LITERAL, .values = vm_hosted_words_25
};


/* ---- classes ---- */

static const vm_field_t  vm_hosted_function[] = {
    vm_hosted_row("name", vm_str_type, VM_HOSTED_NEED),
    vm_hosted_row("parameters", vm_dict_type, 0),
    vm_hosted_row("strict", vm_bool_type, 0),
    vm_hosted_row("type", vm_hosted_type_0, VM_HOSTED_NEED),
    vm_hosted_row("allowed_callers", vm_list_type, 0),
    vm_hosted_row("async", vm_bool_type, 0),
    vm_hosted_row("defer_loading", vm_bool_type, 0),
    vm_hosted_row("description", vm_str_type, 0),
    vm_hosted_row("output_schema", vm_dict_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_file_search[] = {
    vm_hosted_row("type", vm_hosted_type_1, VM_HOSTED_NEED),
    vm_hosted_row("vector_store_ids", vm_str_list_type, VM_HOSTED_NEED),
    vm_hosted_row("filters", vm_any_type, 0),
    vm_hosted_row("max_num_results", vm_int_type, 0),
    vm_hosted_row("ranking_options", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_computer[] = {
    vm_hosted_row("type", vm_hosted_type_2, VM_HOSTED_NEED),
    vm_field_end
};

static const vm_field_t  vm_hosted_computer_use_preview[] = {
    vm_hosted_row("display_height", vm_int_type, VM_HOSTED_NEED),
    vm_hosted_row("display_width", vm_int_type, VM_HOSTED_NEED),
    vm_hosted_row("environment", vm_hosted_type_3, VM_HOSTED_NEED),
    vm_hosted_row("type", vm_hosted_type_4, VM_HOSTED_NEED),
    vm_field_end
};

static const vm_field_t  vm_hosted_web_search[] = {
    vm_hosted_row("type", vm_hosted_type_5, VM_HOSTED_NEED),
    vm_hosted_row("external_web_access", vm_bool_type, 0),
    vm_hosted_row("filters", vm_any_type, 0),
    vm_hosted_row("search_context_size", vm_hosted_type_6, 0),
    vm_hosted_row("user_location", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_mcp[] = {
    vm_hosted_row("server_label", vm_str_type, VM_HOSTED_NEED),
    vm_hosted_row("type", vm_hosted_type_7, VM_HOSTED_NEED),
    vm_hosted_row("allowed_callers", vm_list_type, 0),
    vm_hosted_row("allowed_tools", vm_any_type, 0),
    vm_hosted_row("authorization", vm_str_type, 0),
    vm_hosted_row("connector_id", vm_hosted_type_8, 0),
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
    vm_hosted_row("type", vm_hosted_type_9, VM_HOSTED_NEED),
    vm_hosted_row("allowed_callers", vm_list_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_programmatic_calling[] = {
    vm_hosted_row("type", vm_hosted_type_10, VM_HOSTED_NEED),
    vm_field_end
};

static const vm_field_t  vm_hosted_image_generation[] = {
    vm_hosted_row("type", vm_hosted_type_11, VM_HOSTED_NEED),
    vm_hosted_row("action", vm_hosted_type_12, 0),
    vm_hosted_row("background", vm_hosted_type_13, 0),
    vm_hosted_row("complexity", vm_hosted_type_6, 0),
    vm_hosted_row("frame_count", vm_int_type, 0),
    vm_hosted_row("frame_duration_ms", vm_int_type, 0),
    vm_hosted_row("input_fidelity", vm_hosted_type_14, 0),
    vm_hosted_row("input_image_mask", vm_any_type, 0),
    vm_hosted_row("model", vm_any_type, 0),
    vm_hosted_row("moderation", vm_hosted_type_15, 0),
    vm_hosted_row("output_compression", vm_int_type, 0),
    vm_hosted_row("output_format", vm_hosted_type_16, 0),
    vm_hosted_row("partial_images", vm_int_type, 0),
    vm_hosted_row("quality", vm_hosted_type_17, 0),
    vm_hosted_row("size", vm_any_type, 0),
    vm_hosted_row("svg", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_local_shell[] = {
    vm_hosted_row("type", vm_hosted_type_18, VM_HOSTED_NEED),
    vm_field_end
};

static const vm_field_t  vm_hosted_function_shell[] = {
    vm_hosted_row("type", vm_hosted_type_19, VM_HOSTED_NEED),
    vm_hosted_row("allowed_callers", vm_list_type, 0),
    vm_hosted_row("environment", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_custom[] = {
    vm_hosted_row("name", vm_str_type, VM_HOSTED_NEED),
    vm_hosted_row("type", vm_hosted_type_20, VM_HOSTED_NEED),
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
    vm_hosted_row("type", vm_hosted_type_21, VM_HOSTED_NEED),
    vm_field_end
};

static const vm_field_t  vm_hosted_tool_search[] = {
    vm_hosted_row("type", vm_hosted_type_22, VM_HOSTED_NEED),
    vm_hosted_row("description", vm_str_type, 0),
    vm_hosted_row("execution", vm_hosted_type_23, 0),
    vm_hosted_row("parameters", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_web_search_preview[] = {
    vm_hosted_row("type", vm_hosted_type_24, VM_HOSTED_NEED),
    vm_hosted_row("search_content_types", vm_list_type, 0),
    vm_hosted_row("search_context_size", vm_hosted_type_6, 0),
    vm_hosted_row("user_location", vm_any_type, 0),
    vm_field_end
};

static const vm_field_t  vm_hosted_apply_patch[] = {
    vm_hosted_row("type", vm_hosted_type_25, VM_HOSTED_NEED),
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
