/*
 * Items of a response's input: the union of their classes, parts of contents,
 * and what vLLM adds to an item before it looks.
 */

#include "items.h"


#define vm_items_class(rows, class)                                           \
    { .kind = VM_T_MODEL, .fields = rows, .name = class, .typed_dict = 1 }

#define vm_items_branches(name, ...)                                          \
    static const vm_type_t *const  vm_items_##name##_branches[] = {           \
        __VA_ARGS__, NULL                                                     \
    }

#define vm_items_union(name)                                                  \
    { .kind = VM_T_UNION, .branches = vm_items_##name##_branches }

#define vm_items_list(of)  { .kind = VM_T_LIST, .item = &vm_items_##of }


/* ---- words ---- */

vm_words_type(vm_items_is_text, "input_text");
vm_words_type(vm_items_is_image, "input_image");
vm_words_type(vm_items_is_file, "input_file");
vm_words_type(vm_items_is_output, "output_text");
vm_words_type(vm_items_is_refusal, "refusal");
vm_words_type(vm_items_is_summary, "summary_text");
vm_words_type(vm_items_is_thought, "reasoning_text");
vm_words_type(vm_items_is_message, "message");
vm_words_type(vm_items_role, "user", "assistant", "system", "developer");
vm_words_type(vm_items_role_of_input, "user", "system", "developer");
vm_words_type(vm_items_detail, "low", "high", "auto", "original");
vm_words_type(vm_items_phase, "commentary", "final_answer");
vm_words_type(vm_items_status, "in_progress", "completed", "incomplete");


/* ---- parts of contents, results and thoughts ---- */

static const vm_field_t  vm_items_text_rows[] = {
    vm_field_seen("text", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_items_is_text, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_items_image_rows[] = {
    vm_field_seen("detail", vm_items_detail, VM_F_NEEDED),
    vm_field_seen("type", vm_items_is_image, VM_F_NEEDED),
    vm_field_seen("file_id", vm_str_type, 0),
    vm_field_seen("image_url", vm_str_type, 0),
    vm_field_end
};

/* within a result its detail may be left out */

static const vm_field_t  vm_items_shown_rows[] = {
    vm_field_seen("type", vm_items_is_image, VM_F_NEEDED),
    vm_field_seen("detail", vm_items_detail, 0),
    vm_field_seen("file_id", vm_str_type, 0),
    vm_field_seen("image_url", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_items_file_rows[] = {
    vm_field_seen("type", vm_items_is_file, VM_F_NEEDED),
    vm_field_seen("file_data", vm_str_type, 0),
    vm_field_seen("file_id", vm_str_type, 0),
    vm_field_seen("file_url", vm_str_type, 0),
    vm_field_seen("filename", vm_str_type, 0),
    vm_field_end
};

static const vm_field_t  vm_items_output_rows[] = {
    vm_field_seen("annotations", vm_list_type, VM_F_NEEDED),
    vm_field_seen("text", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_items_is_output, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_items_refusal_rows[] = {
    vm_field_seen("refusal", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_items_is_refusal, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_items_summary_rows[] = {
    vm_field_seen("text", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_items_is_summary, VM_F_NEEDED),
    vm_field_end
};

static const vm_field_t  vm_items_thought_rows[] = {
    vm_field_seen("text", vm_str_type, VM_F_NEEDED),
    vm_field_seen("type", vm_items_is_thought, VM_F_NEEDED),
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

vm_items_branches(part, &vm_items_text, &vm_items_image, &vm_items_file);
static const vm_type_t  vm_items_part = vm_items_union(part);
static const vm_type_t  vm_items_parts = vm_items_list(part);

vm_items_branches(content, &vm_str_type, &vm_items_parts);
static const vm_type_t  vm_items_content = vm_items_union(content);

vm_items_branches(result_part, &vm_items_said, &vm_items_shown,
                  &vm_items_given);
static const vm_type_t  vm_items_result_part = vm_items_union(result_part);
static const vm_type_t  vm_items_result_parts = vm_items_list(result_part);

vm_items_branches(result, &vm_str_type, &vm_items_result_parts);
const vm_type_t  vm_items_result = vm_items_union(result);

vm_items_branches(output_part, &vm_items_output, &vm_items_refusal);
static const vm_type_t  vm_items_output_part = vm_items_union(output_part);
const vm_type_t  vm_items_output_parts = vm_items_list(output_part);

const vm_type_t  vm_items_summaries = vm_items_list(summary);
const vm_type_t  vm_items_thoughts = vm_items_list(thought);


/* ---- items ---- */

static const vm_field_t  vm_items_easy_rows[] = {
    vm_field_seen("content", vm_items_content, VM_F_NEEDED),
    vm_field_seen("role", vm_items_role, VM_F_NEEDED),
    vm_field_seen("phase", vm_items_phase, 0),
    vm_field_seen("type", vm_items_is_message, VM_F_NOTNULL),
    vm_field_end
};

static const vm_field_t  vm_items_input_rows[] = {
    vm_field_seen("content", vm_items_parts, VM_F_NEEDED),
    vm_field_seen("role", vm_items_role_of_input, VM_F_NEEDED),
    vm_field_seen("status", vm_items_status, VM_F_NOTNULL),
    vm_field_seen("type", vm_items_is_message, VM_F_NOTNULL),
    vm_field_end
};

static const vm_type_t  vm_items_easy = vm_items_class(
    vm_items_easy_rows, "EasyInputMessageParam");
static const vm_type_t  vm_items_input = vm_items_class(
    vm_items_input_rows, "Message");

#define k(i)  &vm_items_kinds[i]

vm_items_branches(item, &vm_items_easy, &vm_items_input,
    k(0), k(1), k(2), k(3), k(4), k(5), k(6), k(7), k(8), k(9), k(10), k(11),
    k(12), k(13), k(14), k(15), k(16), k(17), k(18), k(19), k(20), k(21),
    k(22), k(23), k(24), k(25), k(26), k(27), k(28), k(29), k(30), k(31),
    k(32), k(33), k(34), k(35), k(36), k(37), k(38), k(39), k(40), k(41),
    k(42), k(43), k(44), k(45), k(46), k(47), k(48), k(49), k(50), k(51),
    k(52), k(53), k(54), k(55), k(56), k(57), k(58));

#undef k

static const vm_type_t  vm_items_item = vm_items_union(item);
const vm_type_t  vm_items_type = vm_items_list(item);


/* ---- before they are looked at ---- */

static int
vm_items_is(const json_t *item, const char *key, const char *value)
{
    const char  *s;

    s = json_string_value(json_object_get(item, key));

    return s && strcmp(s, value) == 0;
}


static void
vm_items_default(json_t *o, const char *key, json_t *value)
{
    if (json_object_get(o, key)) {
        json_decref(value);

    } else {
        json_object_set_new(o, key, value);
    }
}


/* Parts with what they lack; *answer says that all are those of an answer. */

static json_t *
vm_items_parts_filled(const json_t *list, int *answer)
{
    size_t   i;
    json_t  *filled, *part;

    *answer = 1;
    filled = json_array();

    json_array_foreach((json_t *) list, i, part) {
        part = json_is_object(part) ? json_copy(part) : json_incref(part);

        if (vm_items_is(part, "type", "output_text")) {
            *answer &= json_is_string(json_object_get(part, "text"));
            vm_items_default(part, "annotations", json_array());

        } else if (vm_items_is(part, "type", "refusal")) {
            *answer &= json_is_string(json_object_get(part, "refusal"));

        } else {
            *answer = 0;

            if (vm_items_is(part, "type", "input_image")) {
                vm_items_default(part, "detail", json_string("auto"));
            }
        }

        json_array_append_new(filled, part);
    }

    return filled;
}


/*
 * An item with what it lacks.  An answer is one only if it is right so far,
 * else it stays as it is.
 */

static json_t *
vm_items_filled(const json_t *item)
{
    int            answer, said;
    json_t        *content, *filled;
    const json_t  *list;

    list = json_object_get(item, "content");
    said = vm_items_is(item, "type", "message")
           && vm_items_is(item, "role", "assistant");

    if (vm_items_is(item, "type", "reasoning")) {
        filled = json_copy((json_t *) item);
        vm_items_default(filled, "id", json_string("rs"));
        return filled;
    }

    if (!json_is_array(list)) {
        return json_incref((json_t *) (uintptr_t) item);
    }

    content = vm_items_parts_filled(list, &answer);

    if (said != answer) {
        json_decref(content);
        return json_incref((json_t *) (uintptr_t) item);
    }

    filled = json_copy((json_t *) item);
    json_object_set_new(filled, "content", content);

    if (said) {
        vm_items_default(filled, "id", json_string("msg"));
        vm_items_default(filled, "status", json_string("completed"));
    }

    return filled;
}


json_t *
vm_items_complete(const json_t *body)
{
    size_t         i;
    json_t        *all, *item, *list;
    const json_t  *input;

    input = json_object_get(body, "input");

    if (!json_is_array(input)) {
        return json_incref((json_t *) (uintptr_t) body);
    }

    all = json_copy((json_t *) body);
    list = json_array();

    json_array_foreach((json_t *) input, i, item) {
        json_array_append_new(list, vm_items_filled(item));
    }

    json_object_set_new(all, "input", list);

    return all;
}


/* The others are made by OpenAI's servers, and vLLM has no use for them. */

int
vm_items_known(const char *kind)
{
    size_t                    i;
    static const char *const  known[] = {
        "", "message", "function_call", "function_call_output",
        "custom_tool_call", "custom_tool_call_output", "reasoning"
    };

    for (i = 0; i < vm_nelts(known); i++) {
        if (strcmp(kind, known[i]) == 0) {
            return 1;
        }
    }

    return 0;
}
