/*
 * Which JSON schemas xgrammar takes, as vLLM 0.32.0 asks it: what it is known
 * not to support is left out, of the rest it makes a grammar or does not.
 */

#include "schemacheck.h"


static int vm_native(vm_check_t *w, const json_t *schema);


static const json_t *
vm_check_has(const json_t *schema, const char *const *names, size_t n)
{
    size_t         i;
    const json_t  *v;

    for (i = 0; i < n; i++) {
        v = json_object_get(schema, names[i]);

        if (v) {
            return v;
        }
    }

    return NULL;
}


static int
vm_check_is_schema(const json_t *v)
{
    return json_is_object(v) || json_is_boolean(v);
}


/* ---- what xgrammar is known not to support, anywhere in the schema ---- */

static int
vm_feature_lengths(const json_t *schema)
{
    static const char *const  forms[] = { "pattern", "format" };
    static const char *const  bounds[] = { "minLength", "maxLength" };

    return vm_check_has(schema, forms, vm_nelts(forms))
           && vm_check_has(schema, bounds, vm_nelts(bounds));
}


static int
vm_feature_format(const json_t *format)
{
    size_t                    i;
    const char               *name;
    static const char *const  known[] = {
        "email", "date", "time", "date-time", "duration", "ipv4", "ipv6",
        "hostname", "uuid", "uri", "uri-reference", "uri-template",
        "json-pointer", "relative-json-pointer"
    };

    vm_check_each(known, i, name) {
        if (json_is_string(format)
            && strcmp(json_string_value(format), name) == 0)
        {
            return 0;
        }
    }

    return format != NULL;
}


static int
vm_feature_names(const json_t *schema)
{
    const json_t  *names, *rest;

    names = json_object_get(schema, "propertyNames");
    rest = json_object_get(schema, "unevaluatedProperties");

    return names
           && (vm_feature_lengths(names)
               || json_object_get(schema, "patternProperties")
               || json_object_get(schema, "properties")
               || (rest && !json_is_true(rest)));
}


/* A type counts where the schema says it, as the check of vLLM's does. */

static int
vm_feature(const json_t *schema)
{
    unsigned       types;
    const json_t  *patterns;

    static const char *const  counts[] = {
        "uniqueItems", "contains", "minContains", "maxContains"
    };

    types = json_object_get(schema, "type") ? vm_schema_types(schema) : 0;
    patterns = json_object_get(schema, "patternProperties");

    return (types & VM_SCHEMA_INTEGER && json_object_get(schema, "multipleOf"))
           || (types & VM_SCHEMA_ARRAY
               && vm_check_has(schema, counts, vm_nelts(counts)))
           || (types & VM_SCHEMA_STRING
               && (vm_feature_format(json_object_get(schema, "format"))
                   || vm_feature_lengths(schema)))
           || (types & VM_SCHEMA_OBJECT && vm_feature_names(schema))
           || (types & VM_SCHEMA_OBJECT && json_is_object(patterns)
               && (json_object_get(schema, "properties")
                   || json_object_size(patterns) > 1))
           || json_array_size(json_object_get(schema, "allOf")) > 1;
}


int
vm_check_anywhere(const json_t *schema, int (*is)(const json_t *))
{
    size_t       i;
    json_t      *one, *v;
    const char  *key;

    if (!json_is_object(schema)) {
        return 0;
    }

    if (is(schema)) {
        return 1;
    }

    json_object_foreach((json_t *) schema, key, v) {

        if (vm_check_anywhere(v, is)) {
            return 1;
        }

        json_array_foreach(v, i, one) {
            if (vm_check_anywhere(one, is)) {
                return 1;
            }
        }
    }

    return 0;
}


/* ---- whether xgrammar makes a grammar of it ---- */

static int
vm_native_number(const json_t *schema, int whole)
{
    size_t         i;
    double         d;
    const char    *name;
    vm_end_t       high, low;
    const json_t  *v;

    static const char *const  bounds[] = {
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"
    };

    vm_check_each(bounds, i, name) {
        v = json_object_get(schema, name);
        d = json_number_value(v);

        if (v && (!json_is_number(v) || (whole && d != floor(d)))) {
            return 0;
        }
    }

    low = vm_check_end(schema, 1);
    high = vm_check_end(schema, 0);

    return whole ? !(low.at + low.open > high.at - high.open)
                 : !(low.at > high.at
                     || (low.at == high.at && (low.open || high.open)));
}


static int
vm_native_string(vm_check_t *w, const json_t *schema)
{
    const json_t  *max, *min, *pattern;

    min = json_object_get(schema, "minLength");
    max = json_object_get(schema, "maxLength");
    pattern = json_object_get(schema, "pattern");

    if ((min && !json_is_integer(min)) || (max && !json_is_integer(max))
        || (pattern && !json_is_string(pattern)))
    {
        return 0;
    }

    if (min && max && json_integer_value(max) >= 0
        && json_integer_value(min) > json_integer_value(max))
    {
        return 0;
    }

    return pattern == NULL
           || vm_check_pattern(w, json_string_value(pattern),
                               json_string_length(pattern), 1, 0) == VM_OK;
}


static int
vm_native_array(vm_check_t *w, const json_t *schema)
{
    size_t         i;
    json_t        *one;
    double         max, min;
    const json_t  *items, *prefix, *v;

    v = json_object_get(schema, "maxItems");
    items = json_object_get(schema, "items");
    prefix = json_object_get(schema, "prefixItems");

    if ((v && !(json_is_integer(v) && json_integer_value(v) >= 0))
        || (items && !vm_check_is_schema(items))
        || (prefix && !json_is_array(prefix)))
    {
        return 0;
    }

    v = json_object_get(schema, "minItems");

    if (v && !json_is_integer(v)) {
        return 0;
    }

    min = vm_check_number(schema, "minItems");
    max = vm_check_number(schema, "maxItems");

    if (min > max
        || (json_is_false(items) && min > (double) json_array_size(prefix)))
    {
        return 0;
    }

    json_array_foreach((json_t *) prefix, i, one) {
        if (!vm_check_is_schema(one) || !vm_native(w, one)) {
            return 0;
        }
    }

    return !json_is_object(items) || vm_native(w, items);
}


static int
vm_native_object(vm_check_t *w, const json_t *schema)
{
    size_t         i;
    json_t        *one;
    double         max, min;
    const char    *key;
    const json_t  *known, *names, *others, *patterns, *required;

    static const char *const  counts[] = { "minProperties", "maxProperties" };

    known = json_object_get(schema, "properties");
    names = json_object_get(schema, "propertyNames");
    others = json_object_get(schema, "additionalProperties");
    patterns = json_object_get(schema, "patternProperties");
    required = json_object_get(schema, "required");

    if ((known && !json_is_object(known))
        || (patterns && !json_is_object(patterns))
        || (required && !json_is_array(required))
        || (others && !vm_check_is_schema(others))
        || (names && (!json_is_object(names)
                      || !(vm_schema_types(names) & VM_SCHEMA_STRING))))
    {
        return 0;
    }

    json_array_foreach((json_t *) required, i, one) {
        if (!json_is_string(one)) {
            return 0;
        }
    }

    vm_check_each(counts, i, key) {
        one = json_object_get(schema, key);

        if (one && !(json_is_integer(one) && json_integer_value(one) >= 0)) {
            return 0;
        }
    }

    min = vm_check_number(schema, "minProperties");
    max = vm_check_number(schema, "maxProperties");

    if (min > max || (double) json_array_size(required) > max
        || (min > (double) json_object_size(known)
            && (others == NULL || json_is_false(others))
            && patterns == NULL && names == NULL))
    {
        return 0;
    }

    json_object_foreach((json_t *) known, key, one) {
        if (!vm_check_is_schema(one) || !vm_native(w, one)) {
            return 0;
        }
    }

    json_object_foreach((json_t *) patterns, key, one) {
        if (!vm_check_is_schema(one) || !vm_native(w, one)
            || vm_check_pattern(w, key, strlen(key), 1, 0) != VM_OK)
        {
            return 0;
        }
    }

    return (names == NULL || vm_native_string(w, names))
           && (!json_is_object(others) || vm_native(w, others));
}


static int
vm_native_typed(vm_check_t *w, const json_t *schema, unsigned types)
{
    return (!(types & VM_SCHEMA_INTEGER)
            || vm_native_number(schema, !(types & VM_SCHEMA_NUMBER)))
           && (!(types & VM_SCHEMA_STRING) || vm_native_string(w, schema))
           && (!(types & VM_SCHEMA_ARRAY) || vm_native_array(w, schema))
           && (!(types & VM_SCHEMA_OBJECT) || vm_native_object(w, schema));
}


/* A list of schemas; 1: there is none, or all are good. */

static int
vm_native_list(vm_check_t *w, const json_t *list)
{
    size_t   i;
    json_t  *one;

    if (!json_is_array(list)) {
        return 0;
    }

    json_array_foreach((json_t *) list, i, one) {
        if (!vm_check_is_schema(one) || !vm_native(w, one)) {
            return 0;
        }
    }

    return 1;
}


/* It resolves pointers as they stand: "~1" and "%20" name nothing. */

static int
vm_native_ref(vm_check_t *w, const json_t *ref)
{
    const char    *name;
    const json_t  *to;

    name = json_string_value(ref);

    if (name == NULL) {
        return 0;
    }

    if (strncmp(name, "#/", 2) != 0 || name[2] == '\0') {
        return 1;
    }

    to = strpbrk(name, "~%") ? NULL : vm_schema_ref(w->root, name);

    return to && vm_native(w, to);
}


static int
vm_native_types(const json_t *type, unsigned *types)
{
    size_t   i;
    json_t  *one;

    if (json_is_string(type)) {
        *types = vm_schema_type(json_string_value(type));
        return *types != 0;
    }

    if (!json_is_array(type)) {
        return 0;
    }

    *types = 0;

    json_array_foreach((json_t *) type, i, one) {

        if (vm_schema_type(json_string_value(one)) == 0) {
            return 0;
        }

        *types |= vm_schema_type(json_string_value(one));
    }

    return 1;
}


static int
vm_native_schema(vm_check_t *w, const json_t *schema)
{
    size_t         i;
    unsigned       types;
    const char    *name;
    const json_t  *v;

    static const char *const  lists[] = { "anyOf", "oneOf", "allOf" };

    v = json_object_get(schema, "$ref");

    if (v) {
        return vm_native_ref(w, v);
    }

    if (json_object_get(schema, "const")) {
        return 1;
    }

    v = json_object_get(schema, "enum");

    if (v) {
        return json_array_size(v) > 0;
    }

    vm_check_each(lists, i, name) {
        v = json_object_get(schema, name);

        if (v) {
            return vm_native_list(w, v);
        }
    }

    v = json_object_get(schema, "type");

    if (v) {
        return vm_native_types(v, &types)
               && vm_native_typed(w, schema, types);
    }

    return (!json_object_get(schema, "properties")
            || vm_native_object(w, schema))
           && (!json_object_get(schema, "items")
               || vm_native_array(w, schema));
}


/* Schemas that name themselves are looked at until the visits are used up. */

static int
vm_native(vm_check_t *w, const json_t *schema)
{
    int  ok;

    if (!json_is_object(schema)) {
        return !json_is_false(schema);
    }

    if (w->depth == VM_CHECK_DEPTH || w->visits == 0) {
        return 1;
    }

    w->visits--;
    w->depth++;
    ok = vm_native_schema(w, schema);
    w->depth--;

    return ok;
}


int
vm_schema_native(vm_check_t *w, const json_t *schema)
{
    return !vm_check_anywhere(schema, vm_feature) && vm_native(w, schema);
}
