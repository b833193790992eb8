/*
 * What the generating requests share: types of their fields, rules of single
 * fields, rules between fields.
 */

#include "params.h"


#define VM_SALT_MAX  128


/* ---- types ---- */

static const vm_type_t  vm_stop_list_type = {
    .kind = VM_T_LIST, .item = &vm_str_type, .max_items = 4
};

static const vm_type_t *const  vm_stop_branches[] = {
    &vm_str_type, &vm_stop_list_type, NULL
};

const vm_type_t  vm_stop_type = {
    .kind = VM_T_UNION, .branches = vm_stop_branches
};


static const vm_field_t  vm_stream_options_fields[] = {
    { "include_usage", &vm_bool_type, VM_F_CHECK, 0, 0, NULL },
    { "continuous_usage_stats", &vm_bool_type, VM_F_CHECK, 0, 0, NULL },
    vm_field_end
};

const vm_type_t  vm_stream_options_type = {
    .kind = VM_T_MODEL, .fields = vm_stream_options_fields
};


static const vm_field_t  vm_json_schema_fields[] = {
    { "name", &vm_str_type, VM_F_CHECK|VM_F_REQUIRED|VM_F_NOTNULL, 0, 0,
      NULL },
    { "description", &vm_str_type, VM_F_CHECK, 0, 0, NULL },
    { "schema", &vm_dict_type, VM_F_CHECK, 0, 0, NULL },
    { "strict", &vm_bool_type, VM_F_CHECK, 0, 0, NULL },
    vm_field_end
};

static const vm_type_t  vm_json_schema_type = {
    .kind = VM_T_MODEL, .fields = vm_json_schema_fields
};

static const char *const  vm_format_names[] = {
    "text", "json_object", "json_schema", NULL
};

static const vm_type_t  vm_format_name_type = {
    .kind = VM_T_LITERAL, .values = vm_format_names
};

static const char *const  vm_tag_names[] = { "structural_tag", NULL };

static const vm_type_t  vm_tag_name_type = {
    .kind = VM_T_LITERAL, .values = vm_tag_names
};

static const vm_field_t  vm_format_fields[] = {
    { "type", &vm_format_name_type, VM_F_CHECK|VM_F_REQUIRED|VM_F_NOTNULL, 0,
      0, NULL },
    { "json_schema", &vm_json_schema_type, VM_F_CHECK, 0, 0, NULL },
    vm_field_end
};

static const vm_field_t  vm_tag_fields[] = {
    { "type", &vm_tag_name_type, VM_F_CHECK|VM_F_REQUIRED|VM_F_NOTNULL, 0, 0,
      NULL },
    { "format", &vm_any_type, VM_F_CHECK|VM_F_REQUIRED, 0, 0, NULL },
    vm_field_end
};

static const vm_field_t  vm_old_tag_fields[] = {
    { "type", &vm_tag_name_type, VM_F_CHECK|VM_F_REQUIRED|VM_F_NOTNULL, 0, 0,
      NULL },
    { "structures", &vm_list_type, VM_F_CHECK|VM_F_REQUIRED|VM_F_NOTNULL, 0,
      0, NULL },
    { "triggers", &vm_str_list_type, VM_F_CHECK|VM_F_REQUIRED|VM_F_NOTNULL, 0,
      0, NULL },
    vm_field_end
};

static const vm_type_t  vm_format_models[] = {
    { .kind = VM_T_MODEL, .fields = vm_format_fields },
    { .kind = VM_T_MODEL, .fields = vm_tag_fields },
    { .kind = VM_T_MODEL, .fields = vm_old_tag_fields }
};

static const vm_type_t *const  vm_format_branches[] = {
    &vm_format_models[0], &vm_format_models[1], &vm_format_models[2], NULL
};

const vm_type_t  vm_response_format_type = {
    .kind = VM_T_UNION, .branches = vm_format_branches
};


static const vm_type_t *const  vm_json_branches[] = {
    &vm_str_type, &vm_dict_type, NULL
};

static const vm_type_t  vm_json_type = {
    .kind = VM_T_UNION, .branches = vm_json_branches
};

static const vm_field_t  vm_structured_fields[] = {
    { "json", &vm_json_type, VM_F_CHECK, 0, 0, NULL },
    { "regex", &vm_str_type, VM_F_CHECK, 0, 0, NULL },
    { "choice", &vm_str_list_type, VM_F_CHECK, 0, 0, NULL },
    { "grammar", &vm_str_type, VM_F_CHECK, 0, 0, NULL },
    { "json_object", &vm_bool_type, VM_F_CHECK, 0, 0, NULL },
    { "disable_any_whitespace", &vm_bool_type, VM_F_CHECK|VM_F_NOTNULL, 0, 0,
      NULL },
    { "disable_additional_properties", &vm_bool_type,
      VM_F_CHECK|VM_F_NOTNULL, 0, 0, NULL },
    { "whitespace_pattern", &vm_str_type, VM_F_CHECK, 0, 0, NULL },
    { "structural_tag", &vm_any_type, VM_F_CHECK, 0, 0, NULL },
    vm_field_end
};

const vm_type_t  vm_structured_type = {
    .kind = VM_T_MODEL, .fields = vm_structured_fields,
    .dataclass = "StructuredOutputsParams"
};


const vm_type_t  vm_truncate_type = {
    .kind = VM_T_INT, .has_ge = 1, .ge = -1, .has_le = 1, .le = INT64_MAX
};

const vm_type_t  vm_interval_type = {
    .kind = VM_T_INT, .has_ge = 1, .ge = 1
};

static const char *const  vm_sides[] = { "left", "right", NULL };

const vm_type_t  vm_side_type = { .kind = VM_T_LITERAL, .values = vm_sides };

static const char *const  vm_efforts[] = {
    "none", "minimal", "low", "medium", "high", "xhigh", "max", NULL
};

const vm_type_t  vm_effort_type = {
    .kind = VM_T_LITERAL, .values = vm_efforts
};

static const char *const  vm_payloads[] = { "tensors", "none", NULL };

const vm_type_t  vm_mm_payload_type = {
    .kind = VM_T_LITERAL, .values = vm_payloads
};

const vm_type_t  vm_bias_type = {
    .kind = VM_T_DICT, .item = &vm_float_type
};

const vm_type_t  vm_kwargs_type = {
    .kind = VM_T_DICT, .item = &vm_dict_type
};


static const vm_type_t *const  vm_xarg_scalars[] = {
    &vm_str_type, &vm_int_type, &vm_float_type, NULL
};

static const vm_type_t  vm_xarg_scalar_type = {
    .kind = VM_T_UNION, .branches = vm_xarg_scalars
};

static const vm_type_t  vm_xarg_list_type = {
    .kind = VM_T_LIST, .item = &vm_xarg_scalar_type
};

static const vm_type_t *const  vm_xarg_branches[] = {
    &vm_str_type, &vm_int_type, &vm_float_type, &vm_xarg_list_type, NULL
};

static const vm_type_t  vm_xarg_type = {
    .kind = VM_T_UNION, .branches = vm_xarg_branches
};

const vm_type_t  vm_xargs_type = {
    .kind = VM_T_DICT, .item = &vm_xarg_type
};


static const vm_field_t  vm_repetition_fields[] = {
    { "max_pattern_size", &vm_int_type, VM_F_CHECK|VM_F_NOTNULL, 0, 0, NULL },
    { "min_pattern_size", &vm_int_type, VM_F_CHECK|VM_F_NOTNULL, 0, 0, NULL },
    { "min_count", &vm_int_type, VM_F_CHECK|VM_F_NOTNULL, 0, 0, NULL },
    vm_field_end
};

const vm_type_t  vm_repetition_type = {
    .kind = VM_T_MODEL, .fields = vm_repetition_fields,
    .dataclass = "RepetitionDetectionParams"
};


static const vm_type_t  vm_document_type = {
    .kind = VM_T_DICT, .item = &vm_str_type
};

const vm_type_t  vm_documents_type = {
    .kind = VM_T_LIST, .item = &vm_document_type
};


static const char *const  vm_function_names[] = { "function", NULL };

static const vm_type_t  vm_function_name_type = {
    .kind = VM_T_LITERAL, .values = vm_function_names
};

static const vm_field_t  vm_function_fields[] = {
    { "name", &vm_str_type, VM_F_CHECK|VM_F_REQUIRED|VM_F_NOTNULL, 0, 0,
      NULL },
    { "description", &vm_str_type, VM_F_CHECK, 0, 0, NULL },
    { "parameters", &vm_dict_type, VM_F_CHECK, 0, 0, NULL },
    { "strict", &vm_bool_type, VM_F_CHECK, 0, 0, NULL },
    vm_field_end
};

static const vm_type_t  vm_function_type = {
    .kind = VM_T_MODEL, .fields = vm_function_fields
};

static const vm_field_t  vm_tool_fields[] = {
    { "type", &vm_function_name_type, VM_F_CHECK|VM_F_NOTNULL, 0, 0, NULL },
    { "function", &vm_function_type, VM_F_CHECK|VM_F_REQUIRED|VM_F_NOTNULL, 0,
      0, NULL },
    vm_field_end
};

static const vm_type_t  vm_tool_type = {
    .kind = VM_T_MODEL, .fields = vm_tool_fields
};

const vm_type_t  vm_tools_type = {
    .kind = VM_T_LIST, .item = &vm_tool_type
};


static const vm_field_t  vm_named_function_fields[] = {
    { "name", &vm_str_type, VM_F_CHECK|VM_F_REQUIRED|VM_F_NOTNULL, 0, 0,
      NULL },
    vm_field_end
};

static const vm_type_t  vm_named_function_type = {
    .kind = VM_T_MODEL, .fields = vm_named_function_fields
};

static const vm_field_t  vm_named_tool_fields[] = {
    { "function", &vm_named_function_type,
      VM_F_CHECK|VM_F_REQUIRED|VM_F_NOTNULL, 0, 0, NULL },
    { "type", &vm_function_name_type, VM_F_CHECK|VM_F_NOTNULL, 0, 0, NULL },
    vm_field_end
};

static const char *const  vm_choice_names[][2] = {
    { "none", NULL }, { "auto", NULL }, { "required", NULL }
};

static const vm_type_t  vm_tool_choices[] = {
    { .kind = VM_T_LITERAL, .values = vm_choice_names[0] },
    { .kind = VM_T_LITERAL, .values = vm_choice_names[1] },
    { .kind = VM_T_LITERAL, .values = vm_choice_names[2] },
    { .kind = VM_T_MODEL, .fields = vm_named_tool_fields }
};

static const vm_type_t *const  vm_tool_choice_branches[] = {
    &vm_tool_choices[0], &vm_tool_choices[1], &vm_tool_choices[2],
    &vm_tool_choices[3], NULL
};

const vm_type_t  vm_tool_choice_type = {
    .kind = VM_T_UNION, .branches = vm_tool_choice_branches
};


/* ---- rules of one field ---- */

const char *
vm_refuse_negative(const json_t *v, vm_pool_t *pool)
{
    size_t     i;
    json_t    *item;
    vm_int_t   id;

    (void) pool;

    json_array_foreach(v, i, item) {
        if (vm_field_int(item, &id) && id.v < 0) {
            return "token_ids must not contain negative values";
        }
    }

    return NULL;
}


int
vm_rule_budget(const json_t *v, vm_error_t *e, vm_pool_t *pool)
{
    vm_py_e  t;

    t = vm_value_type(v);

    if ((t != VM_PY_INT && t != VM_PY_BIGINT) || vm_value_float(v) < -1) {
        return vm_error_value(e, pool, "thinking_token_budget", v,
                              "`thinking_token_budget` must be a non-negative "
                              "integer or -1 for unlimited.");
    }

    return VM_OK;
}


/*
 * A structural tag is a format, or pairs of a beginning and an end, each with
 * a schema, and what triggers them.
 */

static int
vm_structured_tag(const json_t *tag)
{
    size_t         i;
    json_t        *item;
    const json_t  *format, *list;

    format = json_object_get(tag, "format");

    if (format) {
        return json_is_string(json_object_get(format, "type"));
    }

    list = json_object_get(tag, "structures");

    if (json_array_size(list) == 0
        || json_array_size(json_object_get(tag, "triggers")) == 0)
    {
        return 0;
    }

    json_array_foreach(list, i, item) {
        if (!json_is_string(json_object_get(item, "begin"))
            || !json_is_string(json_object_get(item, "end"))
            || json_object_get(item, "schema") == NULL)
        {
            return 0;
        }
    }

    return 1;
}


static void
vm_structured_print(vm_buf_t *b, const json_t *v)
{
    size_t                    i;
    const json_t             *item;
    static const char *const  names[] = {
        "json", "regex", "choice", "grammar", "json_object",
        "disable_any_whitespace", "disable_additional_properties",
        "whitespace_pattern", "structural_tag"
    };

    for (i = 0; i < vm_nelts(names); i++) {
        item = json_object_get(v, names[i]);
        vm_buf_printf(b, "%s'%s': ", i ? ", " : "{", names[i]);

        if (item == NULL && strncmp(names[i], "disable", 7) == 0) {
            vm_buf_lit(b, "False");

        } else {
            vm_value_repr(b, item);
        }
    }

    vm_buf_lit(b, ", '_backend': None, '_backend_was_auto': False}");
}


static int
vm_structured_kind(const json_t *v, vm_error_t *e, vm_pool_t *pool)
{
    int            rc;
    json_t        *tag;
    const char    *text;
    const json_t  *o;

    o = vm_value_get(v, "structural_tag");

    if (o == NULL) {
        return VM_OK;
    }

    text = json_string_value(o);
    tag = text ? json_loads(text, 0, NULL) : NULL;
    rc = vm_structured_tag(tag) ? VM_OK
         : vm_error_param(e, pool, "structured_outputs",
                          "Invalid structured_outputs structural_tag "
                          "specification.");
    json_decref(tag);

    return rc;
}


int
vm_rule_structured(const json_t *v, vm_error_t *e, vm_pool_t *pool)
{
    size_t                    i, n;
    vm_buf_t                  b;
    static const char *const  kinds[] = {
        "json", "regex", "choice", "grammar", "json_object", "structural_tag"
    };

    for (n = 0, i = 0; i < vm_nelts(kinds); i++) {
        n += vm_value_get(v, kinds[i]) != NULL;
    }

    if (n == 1) {
        return vm_structured_kind(v, e, pool);
    }

    vm_buf_init(&b);
    vm_structured_print(&b, v);
    vm_buf_char(&b, '\0');

    vm_error_printf(e, pool, 400, "BadRequestError", NULL,
                    n ? "You can only use one kind of structured outputs "
                        "constraint but multiple are specified: %s"
                      : "You must use one kind of structured outputs "
                        "constraint but none are specified: %s",
                    b.failed ? "" : b.data);

    vm_buf_free(&b);

    return VM_ERROR;
}


static json_int_t
vm_rule_int(const json_t *o, const char *key)
{
    vm_int_t  n;
    json_t   *v;

    v = vm_value_get(o, key);

    return v && vm_field_int(v, &n) ? n.v : 0;
}


int
vm_rule_repetition(const json_t *v, vm_error_t *e, vm_pool_t *pool)
{
    json_int_t  least, most;

    (void) pool;

    most = vm_rule_int(v, "max_pattern_size");
    least = vm_rule_int(v, "min_pattern_size");

    if (most < 0 || least < 0 || least > most) {
        return vm_error_bad(e, "max_pattern_size, min_pattern_size must be "
                               ">=0, with min_pattern_size <= "
                               "max_pattern_size. Set both to 0 to disable "
                               "repetitive pattern detection.");
    }

    if (most > 0 && vm_rule_int(v, "min_count") < 2) {
        return vm_error_bad(e, "min_count must be >= 2 to detect repetitive "
                               "patterns in engine output. If you do not wish "
                               "to detect repetitive patterns, set "
                               "max_pattern_size to 0.");
    }

    return VM_OK;
}


/* ---- rules between fields ---- */

int
vm_rules_check(const vm_rule_pt *rules, const json_t *body, vm_error_t *e,
    vm_pool_t *pool)
{
    for ( /* void */ ; *rules; rules++) {
        if ((*rules)(body, e, pool) != VM_OK) {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


int
vm_rule_no_get(const json_t *v, vm_error_t *e, vm_pool_t *pool)
{
    return vm_error_python(e, pool, 500,
                           vm_pool_printf(pool, "'%s' object has no attribute "
                                          "'get'", vm_value_class(v)));
}


int
vm_rule_true(const json_t *body, const char *key)
{
    return vm_value_true(json_object_get(body, key));
}


int
vm_rule_stream_options(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    if (vm_rule_true(body, "stream_options")
        && !vm_rule_true(body, "stream"))
    {
        return vm_error_param(e, pool, "stream_options",
                              "Stream options can only be defined when "
                              "`stream=True`.");
    }

    return VM_OK;
}


int
vm_rule_response_format(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    const char    *type;
    const json_t  *format;

    format = vm_value_get(body, "response_format");
    type = json_string_value(json_object_get(format, "type"));

    if (type == NULL) {
        return VM_OK;
    }

    if (strcmp(type, "json_schema") == 0
        && vm_value_get(format, "json_schema") == NULL)
    {
        return vm_error_param(e, pool, "response_format",
                              "When response_format type is 'json_schema', "
                              "the 'json_schema' field must be provided.");
    }

    if (strcmp(type, "structural_tag") == 0 && !vm_structured_tag(format)) {
        return vm_error_param(e, pool, "response_format",
                              "Invalid response_format structural_tag "
                              "specification.");
    }

    return VM_OK;
}


int
vm_rule_cache_salt(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    size_t         i, len;
    const char    *s;
    const json_t  *v;

    v = vm_value_get(body, "cache_salt");

    if (v == NULL) {
        return VM_OK;
    }

    if (vm_value_type(v) != VM_PY_STR || json_string_length(v) == 0) {
        return vm_error_param(e, pool, "cache_salt",
                              "Parameter 'cache_salt' must be a non-empty "
                              "string if provided.");
    }

    s = json_string_value(v);
    len = json_string_length(v);

    for (i = 0; i < len; i++) {
        if (s[i] == '@' || s[i] == '/' || s[i] == '\\' || s[i] == '\0') {
            break;
        }
    }

    if (i < len || vm_value_chars(s, len) > VM_SALT_MAX) {
        return vm_error_param(e, pool, "cache_salt",
                              "Parameter 'cache_salt' must be at most 128 "
                              "characters and must not contain '@', '/', "
                              "'\\\\', or NUL.");
    }

    return VM_OK;
}


int
vm_rule_logprobs(const json_t *body, const char *name, vm_error_t *e,
    vm_pool_t *pool)
{
    const json_t  *v;

    v = vm_value_get(body, name);

    switch (vm_value_type(v)) {

    case VM_PY_STR:
    case VM_PY_LIST:
    case VM_PY_DICT:
        return vm_error_value(e, pool, name, v,
                              vm_pool_printf(pool, "`%s` must be an integer.",
                                             name));

    default:
        return VM_OK;
    }
}


int
vm_rule_logprobs_range(const json_t *body, const char *name, vm_error_t *e,
    vm_pool_t *pool)
{
    double         d;
    const json_t  *v;

    v = vm_value_get(body, name);

    if (v == NULL) {
        return VM_OK;
    }

    d = vm_value_float(v);

    if (strcmp(name, "prompt_logprobs") == 0 && vm_rule_true(body, "stream")
        && (d > 0 || d == -1))
    {
        return vm_error_param(e, pool, name,
                              "`prompt_logprobs` are not available when "
                              "`stream=True`.");
    }

    if (d < 0 && d != -1) {
        return vm_error_value(e, pool, name, v,
                              vm_pool_printf(pool, "`%s` must be a positive "
                                             "value or -1.", name));
    }

    return VM_OK;
}
