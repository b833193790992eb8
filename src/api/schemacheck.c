/*
 * Which JSON schemas vLLM 0.32.0 takes.  Its structured outputs try xgrammar
 * first (what it is known not to support is left out before), then guidance
 * (llguidance).  A schema is refused if both refuse it, in the words of the
 * latter; with "patternProperties" a third one, outlines, is asked instead,
 * which takes it.
 */

#include <stdlib.h>
#include "regex.h"
#include "schemacheck.h"


#define VM_CHECK_LEVELS    8            /* of schemas whose types are joined */
#define VM_CHECK_BRANCHES  64           /* of a "oneOf" that are compared */


typedef enum {
    VM_CHECK_TAKEN,
    VM_CHECK_EMPTY,                 /* no value fits: `why` says it */
    VM_CHECK_REFUSED                /* broken: likewise */
} vm_check_e;


static vm_check_e vm_check(vm_check_t *w, const json_t *schema);


double
vm_check_number(const json_t *schema, const char *name)
{
    const json_t  *v;

    v = json_object_get(schema, name);

    return json_is_number(v) ? json_number_value(v) : NAN;
}


vm_end_t
vm_check_end(const json_t *schema, int lower)
{
    double    open;
    vm_end_t  end;

    end.name = lower ? "minimum" : "maximum";
    end.at = vm_check_number(schema, end.name);
    end.open = 0;

    open = vm_check_number(schema, lower ? "exclusiveMinimum"
                                         : "exclusiveMaximum");

    if (!isnan(open)
        && (isnan(end.at) || (lower ? open >= end.at : open <= end.at)))
    {
        end.at = open;
        end.open = 1;
        end.name = lower ? "exclusiveMinimum" : "exclusiveMaximum";
    }

    return end;
}


int
vm_check_pattern(vm_check_t *w, const char *s, size_t len, int around,
    int say)
{
    vm_buf_t     why;
    vm_pool_t   *pool;
    vm_regex_t  *re;

    pool = vm_pool_create(1024);
    if (pool == NULL) {
        return VM_OK;
    }

    vm_buf_init(&why);
    re = vm_regex_parse(s, len, around, pool, &why);
    w->visits -= vm_min(w->visits, (unsigned) (len / 256));

    if (re == NULL && say) {
        w->why = vm_pool_strdup(w->pool, why.data ? why.data : "", why.len);
    }

    vm_buf_free(&why);
    vm_pool_destroy(pool);

    return re ? VM_OK : VM_ERROR;
}


static int
vm_check_natural(const json_t *v)
{
    return (json_is_integer(v) && json_integer_value(v) >= 0)
           || (json_is_real(v) && json_real_value(v) >= 0
               && json_real_value(v) == floor(json_real_value(v)));
}


/* The names that are required, as members: there may be many. */

static json_t *
vm_check_required(const json_t *schema)
{
    size_t   i;
    json_t  *names, *one;

    names = json_object();

    json_array_foreach(json_object_get(schema, "required"), i, one) {
        if (json_is_string(one)) {
            json_object_set_new(names, json_string_value(one), json_true());
        }
    }

    return names;
}


static int
vm_check_patterns(const json_t *schema)
{
    return json_object_get(schema, "patternProperties") != NULL;
}


static vm_check_e
vm_check_say(vm_check_t *w, vm_check_e what, const char *why)
{
    w->why = why;

    return what;
}


/* The first error of those that are found when the schema has been read. */

static void
vm_check_late(vm_check_t *w, const char *why)
{
    if (w->late == NULL) {
        w->late = why;
    }
}


/* "Expected TYPE for 'KEYWORD', got VALUE" */

static vm_check_e
vm_check_expected(vm_check_t *w, const char *type, const char *keyword,
    const char *what, const json_t *v)
{
    char  *text;

    text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
    w->why = vm_pool_printf(w->pool, "Expected %s for '%s'%s, got %s", type,
                            keyword, what, text ? text : "");
    free(text);

    return VM_CHECK_REFUSED;
}


static vm_check_e
vm_check_unimplemented(vm_check_t *w, const json_t *schema)
{
    size_t       i, n;
    vm_buf_t     b;
    const char  *found[32], *name;

    /* in their order, in which they are told */

    static const char *const  names[] = {
        "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "contains",
        "dependencies", "dependentRequired", "dependentSchemas", "else",
        "if", "maxContains", "minContains", "not", "propertyNames", "then",
        "unevaluatedItems", "unevaluatedProperties", "uniqueItems"
    };

    n = 0;

    vm_check_each(names, i, name) {
        if (json_object_get(schema, name)) {
            found[n++] = name;
        }
    }

    if (n == 0) {
        return VM_CHECK_TAKEN;
    }

    vm_buf_init(&b);
    vm_buf_lit(&b, "Unimplemented keys: [");

    for (i = 0; i < n; i++) {
        vm_buf_printf(&b, "%s\"%s\"", i ? ", " : "", found[i]);
    }

    vm_buf_char(&b, ']');
    w->why = vm_pool_strdup(w->pool, b.data ? b.data : "", b.len);
    vm_buf_free(&b);

    return VM_CHECK_REFUSED;
}


static vm_check_e
vm_check_types(vm_check_t *w, const json_t *type)
{
    size_t         i;
    json_t        *one;
    const char    *name;

    if (type == NULL) {
        return VM_CHECK_TAKEN;
    }

    if (!json_is_string(type) && !json_is_array(type)) {
        return vm_check_say(w, VM_CHECK_REFUSED,
                            "type must be a string or array of strings");
    }

    for (i = 0; i < vm_max(json_array_size(type), json_is_string(type)); i++)
    {
        one = json_is_string(type) ? (json_t *) type
                                   : json_array_get(type, i);
        name = vm_value_type(one) == VM_PY_STR ? json_string_value(one) : NULL;

        if (name == NULL) {
            return vm_check_say(w, VM_CHECK_REFUSED, "type must be a string");
        }

        if (vm_schema_type(name) == 0) {
            w->why = vm_pool_printf(w->pool, "Invalid type: %s", name);
            return VM_CHECK_REFUSED;
        }
    }

    return json_array_size(type) || json_is_string(type)
           ? VM_CHECK_TAKEN
           : vm_check_say(w, VM_CHECK_EMPTY, "anyOf is empty");
}


/* 5 is "5", 5.5 is "5.5", as Rust writes them. */

static const char *
vm_check_text(vm_check_t *w, double d)
{
    char       *text;
    vm_buf_t    b;

    vm_buf_init(&b);

    if (d == floor(d) && fabs(d) < 1e15) {
        vm_buf_int(&b, (int64_t) d);

    } else {
        vm_buf_double(&b, d);
    }

    text = vm_pool_strdup(w->pool, b.data ? b.data : "", b.len);
    vm_buf_free(&b);

    return text ? text : "";
}


static vm_check_e
vm_check_range(vm_check_t *w, const json_t *schema, int whole)
{
    double    first, last, of;
    vm_end_t  high, low;

    low = vm_check_end(schema, 1);
    high = vm_check_end(schema, 0);

    if (low.at > high.at
        || (low.at == high.at && (low.open || high.open)))
    {
        w->why = vm_pool_printf(w->pool, "%s (%s) is %s %s (%s)", low.name,
                                vm_check_text(w, low.at),
                                low.at > high.at ? "greater than" : "equal to",
                                high.name, vm_check_text(w, high.at));
        return VM_CHECK_EMPTY;
    }

    if (!whole) {
        return VM_CHECK_TAKEN;
    }

    first = ceil(low.at);
    last = floor(high.at);
    first += low.open && first == low.at;
    last -= high.open && last == high.at;

    of = fabs(vm_check_number(schema, "multipleOf"));

    if (of > 0) {
        first = ceil(first / of) * of;
        last = floor(last / of) * of;

        if (first > last) {
            w->why = vm_pool_printf(w->pool, "range [%s, %s] does not contain "
                                    "a multiple of %s",
                                    vm_check_text(w, first),
                                    vm_check_text(w, last),
                                    vm_check_text(w, of));
            return VM_CHECK_EMPTY;
        }
    }

    if (first > last) {
        vm_check_late(w, vm_pool_printf(w->pool, "Failed to generate regex "
                                        "for integer range: min=Some(%s), "
                                        "max=Some(%s)",
                                        vm_check_text(w, first),
                                        vm_check_text(w, last)));
    }

    return VM_CHECK_TAKEN;
}


static vm_check_e
vm_check_numeric(vm_check_t *w, const json_t *schema, int whole)
{
    size_t         i;
    const char    *name;
    const json_t  *v;

    static const char *const  bounds[] = {
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
        "multipleOf"
    };

    vm_check_each(bounds, i, name) {
        v = json_object_get(schema, name);

        /* draft 4's exclusive bounds are booleans */

        if (v && !json_is_number(v)
            && !(json_is_boolean(v) && name[0] == 'e'))
        {
            return vm_check_expected(w, "f64", name, "", v);
        }
    }

    if (vm_check_number(schema, "multipleOf") == 0) {
        return vm_check_say(w, VM_CHECK_REFUSED, "invalid multiple of");
    }

    return vm_check_range(w, schema, whole);
}


/* Counts: natural numbers, the least not above the greatest. */

static vm_check_e
vm_check_counts(vm_check_t *w, const json_t *schema, const char *least,
    const char *most)
{
    const json_t  *max, *min;

    min = json_object_get(schema, least);
    max = json_object_get(schema, most);

    if (min && !vm_check_natural(min)) {
        return vm_check_expected(w, "positive integer", least, "", min);
    }

    if (max && !vm_check_natural(max)) {
        return vm_check_expected(w, "positive integer", most, "", max);
    }

    if (min && max && json_number_value(min) > json_number_value(max)) {
        w->why = least[3] == 'P'
                 ? "minProperties > maxProperties"
                 : vm_pool_printf(w->pool, "%s (%s) is greater than %s (%s)",
                                  least,
                                  vm_check_text(w, json_number_value(min)),
                                  most,
                                  vm_check_text(w, json_number_value(max)));
        return VM_CHECK_EMPTY;
    }

    return VM_CHECK_TAKEN;
}


static vm_check_e
vm_check_string(vm_check_t *w, const json_t *schema)
{
    size_t         i;
    const char    *name, *value;
    vm_check_e     rc;
    const json_t  *format, *pattern;

    static const char *const  known[] = {
        "date-time", "time", "date", "duration", "email", "hostname", "ipv4",
        "ipv6", "uuid", "uri", "unknown"
    };

    rc = vm_check_counts(w, schema, "minLength", "maxLength");

    if (rc != VM_CHECK_TAKEN) {
        return rc;
    }

    pattern = json_object_get(schema, "pattern");
    format = json_object_get(schema, "format");

    if (pattern && !json_is_string(pattern)) {
        return vm_check_expected(w, "string", "pattern", "", pattern);
    }

    if (format && !json_is_string(format)) {
        return vm_check_expected(w, "string", "format", "", format);
    }

    if (pattern
        && vm_check_pattern(w, json_string_value(pattern),
                            json_string_length(pattern), 0, 1)
           != VM_OK)
    {
        return VM_CHECK_REFUSED;
    }

    value = json_string_value(format);

    if (value == NULL) {
        return VM_CHECK_TAKEN;
    }

    vm_check_each(known, i, name) {
        if (strcmp(value, name) == 0) {
            return VM_CHECK_TAKEN;
        }
    }

    w->why = vm_pool_printf(w->pool, "Unknown format: %s", value);

    return VM_CHECK_REFUSED;
}


static vm_check_e
vm_check_array(vm_check_t *w, const json_t *schema)
{
    size_t         i, n;
    double         min;
    vm_check_e     counts, rc;
    const char    *why;
    const json_t  *items, *one, *prefix;

    counts = vm_check_counts(w, schema, "minItems", "maxItems");
    why = w->why;

    if (counts == VM_CHECK_REFUSED) {
        return counts;
    }

    items = json_object_get(schema, "items");
    prefix = json_object_get(schema, "prefixItems");

    if (json_is_array(items)) {
        prefix = items;
        items = json_object_get(schema, "additionalItems");
    }

    if (prefix && !json_is_array(prefix)) {
        return vm_check_say(w, VM_CHECK_REFUSED,
                            "prefixItems must be an array");
    }

    min = vm_check_number(schema, "minItems");
    n = json_array_size(prefix);

    for (i = 0; i <= n; i++) {
        one = i < n ? json_array_get(prefix, i) : items;

        if (one == NULL) {
            continue;
        }

        rc = vm_check(w, one);

        if (rc == VM_CHECK_REFUSED) {
            return rc;
        }

        if (rc == VM_CHECK_EMPTY && min > (double) i
            && counts == VM_CHECK_TAKEN)
        {
            return vm_check_say(w, VM_CHECK_EMPTY,
                                "required item is unsatisfiable");
        }
    }

    w->why = why;

    return counts;
}


/* Shapes of an object's keywords. */

static vm_check_e
vm_check_shapes(vm_check_t *w, const json_t *schema)
{
    size_t         i;
    json_t        *one;
    const json_t  *known, *patterns, *required;

    known = json_object_get(schema, "properties");
    patterns = json_object_get(schema, "patternProperties");
    required = json_object_get(schema, "required");

    if (known && !json_is_object(known)) {
        return vm_check_say(w, VM_CHECK_REFUSED,
                            "properties must be an object");
    }

    if (patterns && !json_is_object(patterns)) {
        return vm_check_expected(w, "object", "patternProperties", "",
                                 patterns);
    }

    if (required && !json_is_array(required)) {
        return vm_check_expected(w, "array", "required", "", required);
    }

    json_array_foreach((json_t *) required, i, one) {
        if (!json_is_string(one)) {
            return vm_check_expected(w, "string", "required", " item", one);
        }
    }

    return VM_CHECK_TAKEN;
}


static vm_check_e
vm_check_missing(vm_check_t *w, const char *name)
{
    w->why = vm_pool_printf(w->pool, "required property '%s' is "
                            "unsatisfiable", name);

    return VM_CHECK_EMPTY;
}


/*
 * The members: what is required must have a value, what is not need not.
 * *closed says that there can be no others.
 */

static vm_check_e
vm_check_members(vm_check_t *w, const json_t *schema, const json_t *required,
    int *closed)
{
    json_t        *one;
    vm_check_e     rc;
    const char    *key;
    const json_t  *known, *others;

    known = json_object_get(schema, "properties");
    others = json_object_get(schema, "additionalProperties");

    json_object_foreach((json_t *) known, key, one) {
        rc = vm_check(w, one);

        if (rc == VM_CHECK_REFUSED) {
            return rc;
        }

        if (rc == VM_CHECK_EMPTY && json_object_get(required, key)) {
            return vm_check_missing(w, key);
        }
    }

    rc = others ? vm_check(w, others) : VM_CHECK_TAKEN;
    *closed = rc == VM_CHECK_EMPTY;

    if (rc == VM_CHECK_REFUSED) {
        return rc;
    }

    json_object_foreach((json_t *) required, key, one) {
        if (*closed && json_object_get(known, key) == NULL) {
            return vm_check_missing(w, key);
        }
    }

    return VM_CHECK_TAKEN;
}


/* How many members there may be, of those that there can be. */

static vm_check_e
vm_check_room(vm_check_t *w, const json_t *schema, size_t required,
    int closed)
{
    double  max, min;
    size_t  known;

    min = vm_check_number(schema, "minProperties");
    max = vm_check_number(schema, "maxProperties");
    known = json_object_size(json_object_get(schema, "properties"));

    if ((double) required > max) {
        return vm_check_say(w, VM_CHECK_EMPTY, "required > maxProperties");
    }

    if (known > required
        && (min > (double) required
            || (!isnan(max) && !(closed && max >= (double) known))))
    {
        vm_check_late(w, "min/maxProperties only supported when all keys "
                      "listed in \"properties\" are required");

    } else if (closed && min > (double) known) {
        w->why = vm_pool_printf(w->pool, "minProperties (%s) is greater than "
                                "number of properties (%zu)",
                                vm_check_text(w, min), known);
        return VM_CHECK_EMPTY;
    }

    return VM_CHECK_TAKEN;
}


static vm_check_e
vm_check_object(vm_check_t *w, const json_t *schema)
{
    int          closed;
    json_t      *required;
    vm_check_e   rc;

    rc = vm_check_shapes(w, schema);

    if (rc == VM_CHECK_TAKEN) {
        rc = vm_check_counts(w, schema, "minProperties", "maxProperties");
    }

    if (rc != VM_CHECK_TAKEN) {
        return rc;
    }

    required = vm_check_required(schema);
    rc = vm_check_members(w, schema, required, &closed);

    if (rc == VM_CHECK_TAKEN) {
        rc = vm_check_room(w, schema, json_object_size(required), closed);
    }

    json_decref(required);

    return rc;
}


/* One type of several that fits is enough. */

static vm_check_e
vm_check_typed(vm_check_t *w, const json_t *schema, unsigned types)
{
    size_t      i;
    unsigned    bit;
    vm_check_e  all, rc;

    static const unsigned  kinds[] = {
        VM_SCHEMA_NULL, VM_SCHEMA_BOOLEAN, VM_SCHEMA_INTEGER,
        VM_SCHEMA_STRING, VM_SCHEMA_ARRAY, VM_SCHEMA_OBJECT
    };

    all = VM_CHECK_EMPTY;

    for (i = 0; i < vm_nelts(kinds); i++) {
        bit = kinds[i];

        if (!(types & bit)) {
            continue;
        }

        switch (bit) {

        case VM_SCHEMA_INTEGER:
            rc = vm_check_numeric(w, schema, !(types & VM_SCHEMA_NUMBER));
            break;

        case VM_SCHEMA_STRING:
            rc = vm_check_string(w, schema);
            break;

        case VM_SCHEMA_ARRAY:
            rc = vm_check_array(w, schema);
            break;

        case VM_SCHEMA_OBJECT:
            rc = vm_check_object(w, schema);
            break;

        default:
            rc = VM_CHECK_TAKEN;
            break;
        }

        if (rc == VM_CHECK_REFUSED) {
            return rc;
        }

        if (rc == VM_CHECK_TAKEN) {
            all = VM_CHECK_TAKEN;
        }
    }

    return all;
}


/* ---- schemas of schemas ---- */

static vm_check_e
vm_check_list(vm_check_t *w, const json_t *list, const char *name)
{
    int          all;
    size_t       fits, i;
    json_t      *one;
    vm_check_e   rc;
    const char  *why;

    if (!json_is_array(list)) {
        w->why = vm_pool_printf(w->pool, "%s must be an array", name);
        return VM_CHECK_REFUSED;
    }

    all = strcmp(name, "allOf") == 0;
    fits = 0;
    why = vm_pool_printf(w->pool, "%s is empty", name);

    json_array_foreach((json_t *) list, i, one) {
        rc = vm_check(w, one);

        if (rc == VM_CHECK_REFUSED) {
            return rc;
        }

        fits += rc == VM_CHECK_TAKEN;
        why = rc == VM_CHECK_EMPTY ? w->why : why;
    }

    if (all ? fits == json_array_size(list) : fits > 0) {
        return VM_CHECK_TAKEN;
    }

    return vm_check_say(w, VM_CHECK_EMPTY, why);
}


/* The types of the values that a schema takes, as far as it says them. */

static unsigned
vm_check_mask(vm_check_t *w, const json_t *schema, unsigned levels)
{
    size_t         i, k;
    json_t        *one;
    unsigned       any, types;
    const json_t  *v;

    static const char *const  choices[] = { "anyOf", "oneOf" };

    if (!json_is_object(schema) || levels == 0 || w->visits == 0) {
        return VM_SCHEMA_ANY;
    }

    w->visits--;

    types = vm_schema_types(schema);
    v = json_object_get(schema, "const");

    if (v) {
        types &= vm_schema_type_of(v);
    }

    v = json_object_get(schema, "enum");
    any = v ? 0 : VM_SCHEMA_ANY;

    json_array_foreach((json_t *) v, i, one) {
        any |= vm_schema_type_of(one);
    }

    types &= any;

    for (k = 0; k < vm_nelts(choices); k++) {
        v = json_object_get(schema, choices[k]);
        any = json_array_size(v) ? 0 : VM_SCHEMA_ANY;

        json_array_foreach((json_t *) v, i, one) {
            any |= vm_check_mask(w, one, levels - 1);
        }

        types &= any;
    }

    json_array_foreach(json_object_get(schema, "allOf"), i, one) {
        types &= vm_check_mask(w, one, levels - 1);
    }

    v = json_object_get(schema, "$ref");

    return v ? types & vm_check_mask(w, vm_schema_ref(w->root,
                                                      json_string_value(v)),
                                     levels - 1)
             : types;
}


/* Members that are there in both, and cannot be equal. */

static int
vm_check_differ(vm_check_t *w, const json_t *a, const json_t *b)
{
    json_t        *one;
    const char    *key;
    const json_t  *other, *v;

    json_object_foreach(json_object_get(a, "properties"), key, one) {
        other = json_object_get(json_object_get(b, "properties"), key);
        v = json_object_get(one, "const");

        if (other == NULL) {
            continue;
        }

        if (!(vm_check_mask(w, one, VM_CHECK_LEVELS)
              & vm_check_mask(w, other, VM_CHECK_LEVELS))
            || (v && json_object_get(other, "const")
                && !json_equal(v, json_object_get(other, "const"))))
        {
            return 1;
        }
    }

    return 0;
}


/* Are the branches of a "oneOf" such that no value fits two, at a glance? */

static int
vm_check_disjoint(vm_check_t *w, const json_t *list)
{
    size_t         i, k;
    unsigned       both;
    const json_t  *a, *b;

    for (i = 1; i < json_array_size(list) && i < VM_CHECK_BRANCHES; i++) {
        a = json_array_get(list, i);

        for (k = 0; k < i; k++) {
            b = json_array_get(list, k);
            both = vm_check_mask(w, a, VM_CHECK_LEVELS)
                   & vm_check_mask(w, b, VM_CHECK_LEVELS);

            if (both && !vm_check_differ(w, a, b)
                && !(json_object_get(a, "const")
                     && json_object_get(b, "const")
                     && !json_equal(json_object_get(a, "const"),
                                    json_object_get(b, "const"))))
            {
                return 0;
            }
        }
    }

    return 1;
}


static vm_check_e
vm_check_ref(vm_check_t *w, const json_t *ref)
{
    char          *text;
    const char    *name;
    const json_t  *to;

    name = json_string_value(ref);

    if (name == NULL) {
        text = json_dumps(ref, JSON_ENCODE_ANY | JSON_COMPACT);
        w->why = vm_pool_printf(w->pool, "$ref must be a string, got %s",
                                text ? text : "");
        free(text);
        return VM_CHECK_REFUSED;
    }

    if (name[0] && name[0] != '#') {
        w->why = vm_pool_printf(w->pool, "Resource '%s%s' is not present in a "
                                "registry and retrieving it failed: Default "
                                "retriever does not fetch resources",
                                strstr(name, "://") ? ""
                                : name[0] == '/' ? "json-schema://"
                                                 : "json-schema:///", name);
        return VM_CHECK_REFUSED;
    }

    to = vm_schema_ref(w->root, name);

    if (to == NULL) {
        w->why = vm_pool_printf(w->pool, "Pointer '%s' does not exist",
                                name + (name[0] == '#'));
        return VM_CHECK_REFUSED;
    }

    return vm_check(w, to);
}


static vm_check_e
vm_check_schema(vm_check_t *w, const json_t *schema)
{
    size_t         i;
    const char    *name;
    vm_check_e     rc;
    const json_t  *v;

    static const char *const  lists[] = { "allOf", "anyOf", "oneOf" };

    rc = vm_check_unimplemented(w, schema);

    if (rc == VM_CHECK_TAKEN) {
        rc = vm_check_types(w, json_object_get(schema, "type"));
    }

    if (rc != VM_CHECK_TAKEN) {
        return rc;
    }

    v = json_object_get(schema, "$ref");

    if (v) {
        rc = vm_check_ref(w, v);

        if (rc != VM_CHECK_TAKEN) {
            return rc;
        }
    }

    v = json_object_get(schema, "enum");

    if (v && json_array_size(v) == 0) {
        return json_is_array(v)
               ? vm_check_say(w, VM_CHECK_EMPTY, "anyOf is empty")
               : vm_check_say(w, VM_CHECK_REFUSED, "enum must be an array");
    }

    if (v || json_object_get(schema, "const")) {
        return vm_check_mask(w, schema, VM_CHECK_LEVELS)
               ? VM_CHECK_TAKEN
               : vm_check_say(w, VM_CHECK_EMPTY, "incompatible types");
    }

    vm_check_each(lists, i, name) {
        v = json_object_get(schema, name);

        if (v == NULL) {
            continue;
        }

        rc = vm_check_list(w, v, name);

        if (rc != VM_CHECK_TAKEN) {
            return rc;
        }
    }

    if (vm_check_mask(w, schema, VM_CHECK_LEVELS) == 0) {
        return vm_check_say(w, VM_CHECK_EMPTY, "incompatible types");
    }

    if (!vm_check_disjoint(w, json_object_get(schema, "oneOf"))) {
        return vm_check_say(w, VM_CHECK_REFUSED, "oneOf constraints are not "
                            "supported. Enable 'coerce_one_of' option to "
                            "approximate oneOf with anyOf");
    }

    return vm_check_typed(w, schema, vm_schema_types(schema));
}


static vm_check_e
vm_check(vm_check_t *w, const json_t *schema)
{
    vm_check_e  rc;

    if (json_is_false(schema)) {
        return vm_check_say(w, VM_CHECK_EMPTY, "schema is false");
    }

    if (!json_is_object(schema)) {
        return json_is_true(schema)
               ? VM_CHECK_TAKEN
               : vm_check_say(w, VM_CHECK_REFUSED,
                              "schema must be an object or boolean");
    }

    if (w->depth == VM_CHECK_DEPTH || w->visits == 0) {
        return VM_CHECK_TAKEN;
    }

    w->visits--;
    w->depth++;
    rc = vm_check_schema(w, schema);
    w->depth--;

    return rc;
}


/* Outlines has no members of any kind. */

static int
vm_check_unbound(const json_t *schema)
{
    json_t      *v;
    const char  *key;

    json_object_foreach(json_object_get(schema, "properties"), key, v) {
        if (json_is_true(v)) {
            return 1;
        }
    }

    return 0;
}


int
vm_schema_check(const json_t *schema, vm_error_t *e, vm_pool_t *pool)
{
    vm_check_t  w;
    vm_check_e  rc;

    if (!json_is_object(schema)) {
        return vm_error_bad(e, "Invalid grammar specification: Expecting "
                            "object schema to apply options");
    }

    memset(&w, 0, sizeof(vm_check_t));

    w.root = schema;
    w.pool = pool;
    w.visits = VM_CHECK_VISITS;

    if (vm_schema_native(&w, schema)) {
        return VM_OK;
    }

    if (vm_check_anywhere(schema, vm_check_patterns)) {
        return !vm_check_anywhere(schema, vm_check_unbound)
               ? VM_OK
               : vm_error_bad(e, "Failed to transform json schema into a "
                              "regex: Unsupported JSON Schema structure true "
                              "\nMake sure it is valid to the JSON Schema "
                              "specification and check if it's supported by "
                              "Outlines.\nIf it should be supported, please "
                              "open an issue.");
    }

    w.visits = VM_CHECK_VISITS;
    rc = vm_check(&w, schema);

    if (rc == VM_CHECK_TAKEN && w.late) {
        rc = vm_check_say(&w, VM_CHECK_REFUSED, w.late);
    }

    if (rc == VM_CHECK_TAKEN) {
        return VM_OK;
    }

    if (w.why == NULL) {
        return vm_error_memory(e);
    }

    return vm_error_printf(e, pool, 400, "BadRequestError", NULL,
                           "Grammar error: %s%s",
                           rc == VM_CHECK_EMPTY ? "Unsatisfiable schema: "
                                                : "", w.why);
}
