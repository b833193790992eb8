/*
 * The constraint of a request (structured_outputs, response_format): which
 * kind it is, what vLLM says of it before it looks closer, a text for it.
 */

#include <stdlib.h>
#include "constraint.h"
#include "field.h"
#include "schema.h"
#include "../base/rand.h"
#include "../base/utf8.h"


/* Kinds that must not be blank, in the order in which vLLM looks. */

static const char *const  vm_constraint_texts[] = {
    "grammar", "json", "structural_tag"
};


static int
vm_constraint_blank(const json_t *v)
{
    const char  *s;

    s = json_string_value(v);

    return s && strlen(s) == json_string_length(v)
           && s[strspn(s, " \t\n\r\f\v")] == '\0';
}


/* Members of an object of which nothing is known. */

static const struct {
    const char  *name;
    const char  *schema;
}  vm_constraint_members[] = {
    { "id", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":9999}" },
    { "name", "{\"type\":\"string\"}" },
    { "count", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":99}" },
    { "active", "{\"type\":\"boolean\"}" },
    { "tags", "{\"type\":\"array\",\"minItems\":1,\"maxItems\":3,"
              "\"items\":{\"type\":\"string\"}}" },
    { "status", "{\"enum\":[\"open\",\"done\",\"new\"]}" },
    { "title", "{\"type\":\"string\"}" },
    { "score", "{\"type\":\"number\",\"minimum\":0,\"maximum\":1,"
               "\"multipleOf\":0.01}" }
};


/* What Python's json says of a text; its position as line and column. */

static int
vm_constraint_unread(const vm_json_t *j, const char *text, vm_error_t *e,
    vm_pool_t *pool)
{
    size_t  column, i, line;

    line = 1;
    column = 1;

    for (i = 0; i < j->pos && *text; text++) {
        i += (*text & 0xc0) != 0x80;
        column = *text == '\n' ? 1 : column + ((*text & 0xc0) != 0x80);
        line += *text == '\n';
    }

    return vm_error_printf(e, pool, 400, "BadRequestError", NULL,
                           "Invalid grammar specification: %s: line %zu "
                           "column %zu (char %zu)", j->error, line, column,
                           j->pos);
}


/* ---- structural tags: the text stays free, but the tag must be one ---- */

static int
vm_constraint_unfit(vm_error_t *e, vm_pool_t *pool, const char *what)
{
    return vm_error_printf(e, pool, 400, "BadRequestError", NULL,
                           "Invalid grammar specification: %s", what);
}


/* Of the older form: each structure's begin has a trigger that begins it. */

static int
vm_constraint_structures(const json_t *tag, vm_error_t *e, vm_pool_t *pool)
{
    int            rc;
    size_t         i, k;
    json_t        *one, *trigger;
    vm_buf_t       b;
    const char    *begin, *s;
    const json_t  *triggers;

    triggers = json_object_get(tag, "triggers");

    if (json_array_size(json_object_get(tag, "structures")) == 0) {
        return vm_error_bad(e, "No structural tags found in the grammar "
                            "spec.");
    }

    json_array_foreach(json_object_get(tag, "structures"), i, one) {
        begin = json_string_value(json_object_get(one, "begin"));

        if (begin == NULL) {
            return vm_constraint_unfit(e, pool, "'begin'");
        }

        json_array_foreach(triggers, k, trigger) {
            s = json_string_value(trigger);

            if (s && strncmp(begin, s, strlen(s)) == 0) {
                break;
            }
        }

        if (k < json_array_size(triggers)) {
            continue;
        }

        vm_buf_init(&b);
        vm_value_repr(&b, triggers);
        vm_buf_char(&b, '\0');
        rc = vm_error_printf(e, pool, 400, "BadRequestError", NULL,
                             "Trigger %s not found in triggers %s", begin,
                             b.data ? b.data : "");
        vm_buf_free(&b);

        return rc;
    }

    return VM_OK;
}


static int
vm_constraint_tag(const json_t *v, vm_error_t *e, vm_pool_t *pool)
{
    int        rc;
    vm_json_t  j;

    switch (vm_json_load(&j, json_string_value(v), json_string_length(v))) {

    case VM_JSON_INVALID:
        return vm_constraint_unread(&j, json_string_value(v), e, pool);

    case VM_JSON_UNDECODABLE:
    case VM_JSON_LARGE:
        return VM_OK;

    default:
        break;
    }

    rc = VM_OK;

    if (!json_is_object(j.value)) {
        rc = json_is_array(j.value)
             ? vm_constraint_unfit(e, pool, "list indices must be integers or "
                                   "slices, not str")
             : json_is_string(j.value)
             ? vm_constraint_unfit(e, pool, "string indices must be integers, "
                                   "not 'str'")
             : vm_constraint_unfit(e, pool,
                   vm_pool_printf(pool, "'%s' object is not subscriptable",
                                  json_is_integer(j.value) ? "int"
                                  : json_is_real(j.value) ? "float"
                                  : json_is_null(j.value) ? "NoneType"
                                                          : "bool"));

    } else if (json_object_get(j.value, "structures") == NULL
               ? json_object_get(j.value, "format") == NULL
               : json_object_get(j.value, "triggers") == NULL)
    {
        rc = vm_constraint_unfit(e, pool, "'triggers'");

    } else if (json_object_get(j.value, "structures")) {
        rc = vm_constraint_structures(j.value, e, pool);
    }

    json_decref(j.value);

    return rc;
}


/* ---- all kinds ---- */

static int
vm_constraint_yes(const json_t *v)
{
    uint8_t  yes;

    return v && vm_field_bool(v, &yes) && yes;
}


/* The engine takes UTF-8 only: a text, those of a list, of an object. */

static int
vm_constraint_encodes(const json_t *v, vm_error_t *e, vm_pool_t *pool)
{
    int          rc;
    size_t       i, len;
    json_t      *item;
    const char  *key, *s;

    rc = VM_OK;

    json_array_foreach(v, i, item) {
        rc |= vm_constraint_encodes(item, e, pool);
    }

    json_object_foreach((json_t *) v, key, item) {
        rc |= json_is_string(item) ? vm_constraint_encodes(item, e, pool)
                                   : VM_OK;
    }

    s = json_string_value(v);
    len = json_string_length(v);

    if (s == NULL || !vm_value_surrogates(s, len)) {
        return rc;
    }

    i = vm_utf8_valid(s, len);

    return vm_error_printf(e, pool, 400, "BadRequestError", NULL,
                           "'utf-8' codec can't encode character '\\u%04x' in "
                           "position %zu: surrogates not allowed",
                           vm_utf8_surrogate(s + i, len - i),
                           vm_value_chars(s, i));
}


static int
vm_constraint_check(const json_t *o, vm_error_t *e, vm_pool_t *pool)
{
    size_t         i;
    const json_t  *v;

    v = vm_value_get(o, "choice");

    if (v && json_array_size(v) == 0) {
        return vm_error_bad(e, "Choice '[]' cannot be an empty list");
    }

    for (i = 0; i < vm_nelts(vm_constraint_texts); i++) {

        if (vm_constraint_blank(vm_value_get(o, vm_constraint_texts[i]))) {
            return vm_error_printf(e, pool, 400, "BadRequestError", NULL,
                                   "structured_outputs.%s cannot be an empty "
                                   "string", vm_constraint_texts[i]);
        }
    }

    if (vm_constraint_encodes(vm_value_get(o, "choice"), e, pool) != VM_OK
        || vm_constraint_encodes(o, e, pool) != VM_OK)
    {
        return VM_ERROR;
    }

    v = vm_value_get(o, "json_object");

    if (v && !vm_constraint_yes(v)) {
        return vm_error_bad(e, "structured_outputs.json_object must be True "
                            "if set; omit structured_outputs to disable "
                            "structured outputs");
    }

    v = vm_value_get(o, "regex");

    if (v && strlen(json_string_value(v)) != json_string_length(v)) {
        return vm_error_bad(e, "structured_outputs.regex must not contain a "
                            "NUL character ('\\x00')");
    }

    v = vm_value_get(o, "structural_tag");

    return v ? vm_constraint_tag(v, e, pool) : VM_OK;
}


static int
vm_constraint_json(const json_t *v, uint64_t key, vm_buf_t *out,
    vm_error_t *e, vm_pool_t *pool)
{
    int      rc;
    json_t  *schema;

    if (!json_is_string(v)) {
        return vm_constraint_schema(v, key, out, e, pool);
    }

    schema = json_loadb(json_string_value(v), json_string_length(v),
                        JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

    if (schema == NULL) {
        return vm_error_bad(e, "Invalid JSON grammar specification.");
    }

    rc = vm_constraint_schema(schema, key, out, e, pool);
    json_decref(schema);

    return rc;
}


int
vm_constraint_object(uint64_t key, size_t most, vm_buf_t *out, vm_error_t *e,
    vm_pool_t *pool)
{
    int        rc;
    size_t     at, i, n, size;
    json_t    *schema;
    vm_buf_t   b;

    n = 2 + vm_rand_at(key, 1) % 4;
    at = vm_rand_at(key, 2);
    rc = VM_OK;
    size = 3;                           /* with the space of a first token */

    vm_buf_init(&b);
    vm_buf_char(out, '{');

    for (i = 0; i < n && rc == VM_OK; i++, at++) {
        at %= vm_nelts(vm_constraint_members);

        vm_buf_reset(&b);
        vm_buf_printf(&b, "%s\"%s\": ", size > 3 ? ", " : "",
                      vm_constraint_members[at].name);

        schema = json_loads(vm_constraint_members[at].schema, 0, NULL);
        rc = vm_constraint_schema(schema, vm_rand_at(key, 3 + i), &b, e,
                                  pool);
        json_decref(schema);

        if (rc == VM_OK && size + b.len <= most) {
            vm_buf_add(out, b.data, b.len);
            size += b.len;
        }
    }

    vm_buf_char(out, '}');
    vm_buf_free(&b);

    return rc;
}


int
vm_constraint_any_object(const json_t *o)
{
    return vm_constraint_yes(vm_value_get(o, "json_object"));
}


int
vm_constraint_text(const json_t *o, const json_t *object, size_t most,
    uint64_t key, vm_buf_t *out, int *fixed, vm_error_t *e, vm_pool_t *pool)
{
    const json_t  *v;

    *fixed = 1;

    if (vm_constraint_check(o, e, pool) != VM_OK) {
        return VM_ERROR;
    }

    v = vm_value_get(o, "choice");

    if (v) {
        v = json_array_get(v, vm_rand_at(key, 1) % json_array_size(v));
        vm_buf_add(out, json_string_value(v), json_string_length(v));
        return VM_OK;
    }

    v = vm_value_get(o, "regex");

    if (v) {
        return vm_constraint_regex(json_string_value(v),
                                   json_string_length(v), key, out, e, pool);
    }

    v = vm_value_get(o, "grammar");

    if (v) {
        return vm_constraint_grammar(json_string_value(v), key, out, e, pool);
    }

    v = vm_value_get(o, "json");

    if (v) {
        return vm_constraint_json(v, key, out, e, pool);
    }

    if (!vm_constraint_any_object(o)) {
        *fixed = 0;                     /* a structural tag leaves all free */
        return VM_OK;
    }

    return object ? vm_constraint_schema(object, key, out, e, pool)
                  : vm_constraint_object(key, most, out, e, pool);
}
