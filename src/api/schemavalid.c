/*
 * Whether a JSON value fits a JSON schema: the keywords of draft 2020-12, and
 * of draft 7 where they have other names.
 */

#include <math.h>
#include <stdlib.h>
#include "schema.h"


#define VM_VALID_DEPTH  64
#define VM_VALID_STEPS  20000


typedef struct {
    const json_t  *root;
    unsigned       depth;
    unsigned       steps;           /* that are left */
} vm_valid_t;

typedef int (*vm_valid_pt)(vm_valid_t *w, const json_t *schema,
    const json_t *keyword, const json_t *v);


static int vm_valid(vm_valid_t *w, const json_t *schema, const json_t *v);


/* ---- what schemas share ---- */

static const struct {
    const char  *name;
    unsigned     bits;
}  vm_schema_names[] = {
    { "null", VM_SCHEMA_NULL }, { "boolean", VM_SCHEMA_BOOLEAN },
    { "integer", VM_SCHEMA_INTEGER },
    { "number", VM_SCHEMA_INTEGER | VM_SCHEMA_NUMBER },
    { "string", VM_SCHEMA_STRING }, { "array", VM_SCHEMA_ARRAY },
    { "object", VM_SCHEMA_OBJECT }
};


unsigned
vm_schema_type(const char *name)
{
    size_t  i;

    for (i = 0; name && i < vm_nelts(vm_schema_names); i++) {
        if (strcmp(name, vm_schema_names[i].name) == 0) {
            return vm_schema_names[i].bits;
        }
    }

    return 0;
}


unsigned
vm_schema_types(const json_t *schema)
{
    size_t         i;
    json_t        *one;
    unsigned       bits;
    const json_t  *type;

    type = json_object_get(schema, "type");

    if (type == NULL) {
        return VM_SCHEMA_ANY;
    }

    bits = vm_schema_type(json_string_value(type));

    json_array_foreach((json_t *) type, i, one) {
        bits |= vm_schema_type(json_string_value(one));
    }

    return bits;
}


unsigned
vm_schema_type_of(const json_t *v)
{
    double  d;

    switch (json_typeof(v)) {

    case JSON_NULL:
        return VM_SCHEMA_NULL;

    case JSON_TRUE:
    case JSON_FALSE:
        return VM_SCHEMA_BOOLEAN;

    case JSON_INTEGER:
        return VM_SCHEMA_INTEGER;

    case JSON_REAL:
        d = json_real_value(v);
        return d == floor(d) ? VM_SCHEMA_INTEGER : VM_SCHEMA_NUMBER;

    case JSON_STRING:
        return VM_SCHEMA_STRING;

    case JSON_ARRAY:
        return VM_SCHEMA_ARRAY;

    default: /* JSON_OBJECT */
        return VM_SCHEMA_OBJECT;
    }
}


size_t
vm_schema_length(const char *s, size_t len)
{
    size_t  i, n;

    for (n = 0, i = 0; i < len; i++) {
        n += (s[i] & 0xc0) != 0x80;
    }

    return n;
}


/* "%20" and "~1" of one step of a pointer. */

static void
vm_schema_step(char *s)
{
    char  *to, hex[3];

    hex[2] = '\0';

    for (to = s; *s; s++) {

        if (*s == '%' && s[1] && s[2]) {
            hex[0] = s[1];
            hex[1] = s[2];
            *to++ = (char) strtoul(hex, NULL, 16);
            s += 2;

        } else if (*s == '~' && (s[1] == '0' || s[1] == '1')) {
            *to++ = *++s == '0' ? '~' : '/';

        } else {
            *to++ = *s;
        }
    }

    *to = '\0';
}


const json_t *
vm_schema_ref(const json_t *root, const char *ref)
{
    char           name[128];
    size_t         n;
    const json_t  *v;

    if (ref == NULL || (ref[0] != '#' && ref[0] != '\0')) {
        return NULL;
    }

    v = root;

    for (ref += ref[0] == '#'; *ref == '/' && v; ref += n) {
        ref++;
        n = strcspn(ref, "/");

        if (n >= sizeof(name)) {
            return NULL;
        }

        memcpy(name, ref, n);
        name[n] = '\0';
        vm_schema_step(name);

        v = json_is_array(v) ? json_array_get(v, strtoul(name, NULL, 10))
                             : json_object_get(v, name);
    }

    return *ref == '\0' ? v : NULL;
}


/* ---- keywords ---- */

static int
vm_valid_ref(vm_valid_t *w, const json_t *schema, const json_t *keyword,
    const json_t *v)
{
    const json_t  *to;

    (void) schema;

    to = vm_schema_ref(w->root, json_string_value(keyword));

    return to == NULL || vm_valid(w, to, v);
}


static int
vm_valid_enum(vm_valid_t *w, const json_t *schema, const json_t *keyword,
    const json_t *v)
{
    size_t   i;
    json_t  *one;

    (void) schema;

    w->steps -= vm_min(w->steps, (unsigned) (json_array_size(keyword) / 16));

    json_array_foreach((json_t *) keyword, i, one) {
        if (json_equal(one, v)) {
            return 1;
        }
    }

    return !json_is_array(keyword);
}


static int
vm_valid_const(vm_valid_t *w, const json_t *schema, const json_t *keyword,
    const json_t *v)
{
    (void) w;
    (void) schema;

    return json_equal(keyword, v);
}


/* How many of a list of schemas a value fits. */

static size_t
vm_valid_count(vm_valid_t *w, const json_t *list, const json_t *v)
{
    size_t   i, n;
    json_t  *one;

    n = 0;

    json_array_foreach((json_t *) list, i, one) {
        n += vm_valid(w, one, v) != 0;
    }

    return n;
}


static int
vm_valid_all(vm_valid_t *w, const json_t *schema, const json_t *keyword,
    const json_t *v)
{
    (void) schema;

    return vm_valid_count(w, keyword, v) == json_array_size(keyword);
}


static int
vm_valid_any(vm_valid_t *w, const json_t *schema, const json_t *keyword,
    const json_t *v)
{
    (void) schema;

    return json_array_size(keyword) == 0 || vm_valid_count(w, keyword, v) > 0;
}


static int
vm_valid_one(vm_valid_t *w, const json_t *schema, const json_t *keyword,
    const json_t *v)
{
    (void) schema;

    return json_array_size(keyword) == 0
           || vm_valid_count(w, keyword, v) == 1;
}


/* A pattern that is not looked at is taken as one that does not match. */

static int
vm_valid_not(vm_valid_t *w, const json_t *schema, const json_t *keyword,
    const json_t *v)
{
    (void) schema;

    return json_object_get(keyword, "pattern") != NULL
           || !vm_valid(w, keyword, v);
}


static int
vm_valid_if(vm_valid_t *w, const json_t *schema, const json_t *keyword,
    const json_t *v)
{
    const json_t  *then;

    then = json_object_get(schema, vm_valid(w, keyword, v) ? "then" : "else");

    return then == NULL || vm_valid(w, then, v);
}


typedef enum {
    VM_BOUND_LEAST,
    VM_BOUND_MOST,
    VM_BOUND_ABOVE,
    VM_BOUND_BELOW,
    VM_BOUND_MULTIPLE
} vm_bound_e;


static int
vm_valid_bound(vm_bound_e kind, const json_t *keyword, double n)
{
    double  bound, times;

    if (!json_is_number(keyword)) {
        return 1;
    }

    bound = json_number_value(keyword);

    switch (kind) {

    case VM_BOUND_LEAST:
        return n >= bound;

    case VM_BOUND_MOST:
        return n <= bound;

    case VM_BOUND_ABOVE:
        return n > bound;

    case VM_BOUND_BELOW:
        return n < bound;

    default: /* VM_BOUND_MULTIPLE */
        times = n / bound;
        return bound == 0 || times == floor(times);
    }
}


static int
vm_valid_tuple(vm_valid_t *w, const json_t *schema, const json_t *keyword,
    const json_t *v)
{
    size_t   i;
    json_t  *one;

    (void) schema;

    json_array_foreach((json_t *) keyword, i, one) {
        if (i < json_array_size(v) && !vm_valid(w, one, json_array_get(v, i)))
        {
            return 0;
        }
    }

    return 1;
}


/* All items from a place on. */

static int
vm_valid_from(vm_valid_t *w, const json_t *schema, const json_t *v, size_t i)
{
    for ( /* void */ ; i < json_array_size(v); i++) {
        if (!vm_valid(w, schema, json_array_get(v, i))) {
            return 0;
        }
    }

    return 1;
}


/* A list of schemas is draft 7's tuple. */

static int
vm_valid_items(vm_valid_t *w, const json_t *schema, const json_t *keyword,
    const json_t *v)
{
    return json_is_array(keyword)
           ? vm_valid_tuple(w, schema, keyword, v)
           : vm_valid_from(w, keyword, v,
                 json_array_size(json_object_get(schema, "prefixItems")));
}


static int
vm_valid_rest(vm_valid_t *w, const json_t *schema, const json_t *keyword,
    const json_t *v)
{
    const json_t  *items;

    items = json_object_get(schema, "items");

    return !json_is_array(items)
           || vm_valid_from(w, keyword, v, json_array_size(items));
}


static int
vm_valid_unique(vm_valid_t *w, const json_t *schema, const json_t *keyword,
    const json_t *v)
{
    size_t  i, k;

    (void) schema;

    for (i = 1; json_is_true(keyword) && i < json_array_size(v); i++) {

        for (k = 0; k < i && w->steps; k++, w->steps--) {
            if (json_equal(json_array_get(v, i), json_array_get(v, k))) {
                return 0;
            }
        }
    }

    return 1;
}


static int
vm_valid_contains(vm_valid_t *w, const json_t *schema, const json_t *keyword,
    const json_t *v)
{
    size_t         i, n;
    json_t        *one;
    const json_t  *max, *min;

    n = 0;

    json_array_foreach((json_t *) v, i, one) {
        n += vm_valid(w, keyword, one) != 0;
    }

    min = json_object_get(schema, "minContains");
    max = json_object_get(schema, "maxContains");

    return (min ? vm_valid_bound(VM_BOUND_LEAST, min, (double) n) : n > 0)
           && vm_valid_bound(VM_BOUND_MOST, max, (double) n);
}


static int
vm_valid_properties(vm_valid_t *w, const json_t *schema,
    const json_t *keyword, const json_t *v)
{
    json_t      *member, *one;
    const char  *key;

    (void) schema;

    json_object_foreach((json_t *) keyword, key, one) {
        member = json_object_get(v, key);

        if (member && !vm_valid(w, one, member)) {
            return 0;
        }
    }

    return 1;
}


static int
vm_valid_additional(vm_valid_t *w, const json_t *schema,
    const json_t *keyword, const json_t *v)
{
    json_t        *member;
    const char    *key;
    const json_t  *known;

    if (json_object_size(json_object_get(schema, "patternProperties"))) {
        return 1;                       /* patterns are not looked at */
    }

    known = json_object_get(schema, "properties");

    json_object_foreach((json_t *) v, key, member) {
        if (json_object_get(known, key) == NULL
            && !vm_valid(w, keyword, member))
        {
            return 0;
        }
    }

    return 1;
}


/* Seen alone: what other keywords evaluate is left to them. */

static int
vm_valid_unevaluated(vm_valid_t *w, const json_t *schema,
    const json_t *keyword, const json_t *v)
{
    size_t                    i;
    static const char *const  others[] = {
        "$ref", "allOf", "anyOf", "oneOf", "if", "dependentSchemas"
    };

    for (i = 0; i < vm_nelts(others); i++) {
        if (json_object_get(schema, others[i])) {
            return 1;
        }
    }

    return vm_valid_additional(w, schema, keyword, v);
}


static int
vm_valid_names(vm_valid_t *w, const json_t *schema, const json_t *keyword,
    const json_t *v)
{
    int          ok;
    json_t      *member, *name;
    const char  *key;

    (void) schema;

    json_object_foreach((json_t *) v, key, member) {
        name = json_string(key);
        ok = name == NULL || vm_valid(w, keyword, name);
        json_decref(name);

        if (!ok) {
            return 0;
        }
    }

    return 1;
}


static int
vm_valid_required(vm_valid_t *w, const json_t *schema, const json_t *keyword,
    const json_t *v)
{
    size_t       i;
    json_t      *one;
    const char  *key;

    (void) w;
    (void) schema;

    json_array_foreach((json_t *) keyword, i, one) {
        key = json_string_value(one);

        if (key && json_object_get(v, key) == NULL) {
            return 0;
        }
    }

    return 1;
}


/* dependentRequired, dependentSchemas, and draft 7's name for both. */

static int
vm_valid_dependent(vm_valid_t *w, const json_t *schema, const json_t *keyword,
    const json_t *v)
{
    json_t      *one;
    const char  *key;

    json_object_foreach((json_t *) keyword, key, one) {

        if (json_object_get(v, key)
            && !(json_is_array(one) ? vm_valid_required(w, schema, one, v)
                                    : vm_valid(w, one, v)))
        {
            return 0;
        }
    }

    return 1;
}


static const struct {
    const char   *name;
    unsigned      types;            /* of values that it says anything of */
    vm_valid_pt   valid;
}  vm_valid_keywords[] = {
    { "$ref", VM_SCHEMA_ANY, vm_valid_ref },
    { "const", VM_SCHEMA_ANY, vm_valid_const },
    { "enum", VM_SCHEMA_ANY, vm_valid_enum },
    { "allOf", VM_SCHEMA_ANY, vm_valid_all },
    { "anyOf", VM_SCHEMA_ANY, vm_valid_any },
    { "oneOf", VM_SCHEMA_ANY, vm_valid_one },
    { "not", VM_SCHEMA_ANY, vm_valid_not },
    { "if", VM_SCHEMA_ANY, vm_valid_if },
    { "prefixItems", VM_SCHEMA_ARRAY, vm_valid_tuple },
    { "items", VM_SCHEMA_ARRAY, vm_valid_items },
    { "additionalItems", VM_SCHEMA_ARRAY, vm_valid_rest },
    { "uniqueItems", VM_SCHEMA_ARRAY, vm_valid_unique },
    { "contains", VM_SCHEMA_ARRAY, vm_valid_contains },
    { "properties", VM_SCHEMA_OBJECT, vm_valid_properties },
    { "additionalProperties", VM_SCHEMA_OBJECT, vm_valid_additional },
    { "unevaluatedProperties", VM_SCHEMA_OBJECT, vm_valid_unevaluated },
    { "propertyNames", VM_SCHEMA_OBJECT, vm_valid_names },
    { "required", VM_SCHEMA_OBJECT, vm_valid_required },
    { "dependentRequired", VM_SCHEMA_OBJECT, vm_valid_dependent },
    { "dependentSchemas", VM_SCHEMA_OBJECT, vm_valid_dependent },
    { "dependencies", VM_SCHEMA_OBJECT, vm_valid_dependent }
};

static const struct {
    const char  *name;
    unsigned     types;
    vm_bound_e   kind;
}  vm_valid_bounds[] = {
    { "minimum", VM_SCHEMA_INTEGER | VM_SCHEMA_NUMBER, VM_BOUND_LEAST },
    { "maximum", VM_SCHEMA_INTEGER | VM_SCHEMA_NUMBER, VM_BOUND_MOST },
    { "exclusiveMinimum", VM_SCHEMA_INTEGER | VM_SCHEMA_NUMBER,
      VM_BOUND_ABOVE },
    { "exclusiveMaximum", VM_SCHEMA_INTEGER | VM_SCHEMA_NUMBER,
      VM_BOUND_BELOW },
    { "multipleOf", VM_SCHEMA_INTEGER | VM_SCHEMA_NUMBER, VM_BOUND_MULTIPLE },
    { "minLength", VM_SCHEMA_STRING, VM_BOUND_LEAST },
    { "maxLength", VM_SCHEMA_STRING, VM_BOUND_MOST },
    { "minItems", VM_SCHEMA_ARRAY, VM_BOUND_LEAST },
    { "maxItems", VM_SCHEMA_ARRAY, VM_BOUND_MOST },
    { "minProperties", VM_SCHEMA_OBJECT, VM_BOUND_LEAST },
    { "maxProperties", VM_SCHEMA_OBJECT, VM_BOUND_MOST }
};


/* What is bounded of a value: itself, its length, how many are in it. */

static double
vm_valid_size(const json_t *v, unsigned type)
{
    switch (type) {

    case VM_SCHEMA_STRING:
        return (double) vm_schema_length(json_string_value(v),
                                         json_string_length(v));

    case VM_SCHEMA_ARRAY:
        return (double) json_array_size(v);

    case VM_SCHEMA_OBJECT:
        return (double) json_object_size(v);

    default:
        return json_number_value(v);
    }
}


static int
vm_valid_keyword(vm_valid_t *w, const json_t *schema, const json_t *v)
{
    size_t         i;
    double         size;
    unsigned       type;
    const json_t  *keyword;

    type = vm_schema_type_of(v);

    if (!(vm_schema_types(schema) & type)) {
        return 0;
    }

    size = vm_valid_size(v, type);

    for (i = 0; i < vm_nelts(vm_valid_bounds); i++) {

        if (vm_valid_bounds[i].types & type
            && !vm_valid_bound(vm_valid_bounds[i].kind,
                               json_object_get(schema,
                                               vm_valid_bounds[i].name),
                               size))
        {
            return 0;
        }
    }

    for (i = 0; i < vm_nelts(vm_valid_keywords); i++) {

        if (!(vm_valid_keywords[i].types & type)) {
            continue;
        }

        keyword = json_object_get(schema, vm_valid_keywords[i].name);

        if (keyword && !vm_valid_keywords[i].valid(w, schema, keyword, v)) {
            return 0;
        }
    }

    return 1;
}


static int
vm_valid(vm_valid_t *w, const json_t *schema, const json_t *v)
{
    int  ok;

    if (json_is_false(schema)) {
        return 0;
    }

    if (json_object_size(schema) == 0 || w->depth == VM_VALID_DEPTH
        || w->steps == 0)
    {
        return 1;
    }

    w->steps--;
    w->depth++;
    ok = vm_valid_keyword(w, schema, v);
    w->depth--;

    return ok;
}


int
vm_schema_valid(const json_t *root, const json_t *schema, const json_t *v)
{
    vm_valid_t  w;

    w.root = root;
    w.depth = 0;
    w.steps = VM_VALID_STEPS;

    return vm_valid(&w, schema, v);
}
