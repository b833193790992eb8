/*
 * A JSON value that a JSON schema accepts: see schemamake.h.
 */

#include <stdlib.h>
#include "constraint.h"
#include "schemamake.h"
#include "../base/rand.h"


#define VM_SCHEMA_THRIFT  12            /* tries before it is sparing */
#define VM_SCHEMA_AGAIN   16            /* draws of a value with a "not" */
#define VM_SCHEMA_STEPS   20000         /* work on all of them */


static const char *const  vm_schema_words[] = {
    "alpha", "bravo", "delta", "echo", "golf", "hotel", "india", "lima",
    "mike", "oscar", "papa", "tango", "victor", "yankee", "zulu"
};


uint64_t
vm_schema_draw(vm_schema_t *s, uint64_t n)
{
    return n ? vm_rand_at(s->key, s->draws++) % n : 0;
}


void
vm_schema_work(vm_schema_t *s, size_t steps)
{
    s->steps -= (unsigned) vm_min(steps, s->steps);
}


const char *
vm_schema_word(vm_schema_t *s)
{
    return vm_schema_words[vm_schema_draw(s, vm_nelts(vm_schema_words))];
}


int
vm_schema_sparing(const vm_schema_t *s)
{
    return s->thrift || s->depth > VM_SCHEMA_DEEP;
}


/* The type that keywords speak of where none is said. */

static const struct {
    const char  *keyword;
    unsigned     type;
}  vm_schema_implied[] = {
    { "properties", VM_SCHEMA_OBJECT }, { "required", VM_SCHEMA_OBJECT },
    { "additionalProperties", VM_SCHEMA_OBJECT },
    { "patternProperties", VM_SCHEMA_OBJECT },
    { "propertyNames", VM_SCHEMA_OBJECT },
    { "minProperties", VM_SCHEMA_OBJECT },
    { "items", VM_SCHEMA_ARRAY }, { "prefixItems", VM_SCHEMA_ARRAY },
    { "minItems", VM_SCHEMA_ARRAY }, { "contains", VM_SCHEMA_ARRAY },
    { "uniqueItems", VM_SCHEMA_ARRAY },
    { "pattern", VM_SCHEMA_STRING }, { "minLength", VM_SCHEMA_STRING },
    { "maxLength", VM_SCHEMA_STRING }, { "format", VM_SCHEMA_STRING },
    { "minimum", VM_SCHEMA_NUMBER }, { "maximum", VM_SCHEMA_NUMBER },
    { "exclusiveMinimum", VM_SCHEMA_NUMBER },
    { "exclusiveMaximum", VM_SCHEMA_NUMBER },
    { "multipleOf", VM_SCHEMA_NUMBER }
};


static unsigned
vm_schema_draw_type(vm_schema_t *s, const vm_all_t *all)
{
    size_t         i, n;
    unsigned       bit, types;
    const json_t  *no;

    types = VM_SCHEMA_ANY;

    for (i = 0; i < all->n; i++) {
        types &= vm_schema_types(all->list[i]);
        no = json_object_get(all->list[i], "not");

        if (json_object_size(no) == 1 && json_object_get(no, "type")) {
            types &= ~vm_schema_types(no);
        }
    }

    if (types == VM_SCHEMA_ANY) {

        for (i = 0; i < vm_nelts(vm_schema_implied); i++) {
            if (vm_all_first(all, vm_schema_implied[i].keyword, JSON_NULL)) {
                return vm_schema_implied[i].type;
            }
        }

        return VM_SCHEMA_STRING;
    }

    if (types & VM_SCHEMA_NUMBER) {
        types &= ~VM_SCHEMA_INTEGER;
    }

    for (n = 0, bit = 1; bit < VM_SCHEMA_ANY; bit <<= 1) {
        n += (types & bit) != 0;
    }

    if (n == 0) {
        return 0;
    }

    n = vm_schema_sparing(s) ? 0 : vm_schema_draw(s, n);

    for (bit = 1; !(types & bit) || n--; bit <<= 1) { /* void */ }

    return bit;
}


/* Values that a schema lists: one that the others take, too. */

static json_t *
vm_schema_listed(vm_schema_t *s, const vm_all_t *all, const json_t *list)
{
    size_t   i, n, start;
    json_t  *v;

    n = json_array_size(list);
    start = vm_schema_draw(s, n);

    for (i = 0; i < n && s->steps; i++) {
        v = json_array_get(list, (start + i) % n);
        vm_schema_work(s, n / 64);

        if (vm_all_valid(s, all, v)) {
            return json_deep_copy(v);
        }
    }

    return NULL;
}


static json_t *
vm_schema_make(vm_schema_t *s, vm_all_t *all)
{
    const json_t  *v;

    v = vm_all_first(all, "const", JSON_NULL);

    if (v) {
        return vm_all_valid(s, all, v) ? json_deep_copy(v) : NULL;
    }

    v = vm_all_first(all, "enum", JSON_ARRAY);

    if (v) {
        return vm_schema_listed(s, all, v);
    }

    switch (vm_schema_draw_type(s, all)) {

    case VM_SCHEMA_NULL:
        return json_null();

    case VM_SCHEMA_BOOLEAN:
        return json_boolean(vm_schema_draw(s, 2));

    case VM_SCHEMA_INTEGER:
        return vm_schema_number(s, all, 1);

    case VM_SCHEMA_NUMBER:
        return vm_schema_number(s, all, 0);

    case VM_SCHEMA_STRING:
        return vm_schema_string(s, all);

    case VM_SCHEMA_ARRAY:
        return vm_schema_array(s, all);

    case VM_SCHEMA_OBJECT:
        return vm_schema_object(s, all);

    default: /* 0: types that exclude one another */
        return NULL;
    }
}


json_t *
vm_schema_value(vm_schema_t *s, const vm_all_t *given)
{
    json_t    *v;
    vm_all_t   all;
    unsigned   i;

    if (s->depth == VM_SCHEMA_DEPTH) {
        return s->endless ? json_null() : NULL;
    }

    s->depth++;
    v = NULL;

    /* what must not be is drawn again where it is, not from the top */

    for (i = 0; i < VM_SCHEMA_AGAIN && v == NULL && s->steps; i++) {
        s->steps--;
        all = *given;

        if (vm_schema_expand(s, &all, 0) != VM_OK) {
            break;
        }

        v = vm_schema_make(s, &all);

        if (v == NULL || !vm_all_first(&all, "not", JSON_OBJECT)) {
            break;
        }

        if (!vm_all_valid(s, &all, v)) {
            json_decref(v);
            v = NULL;
        }
    }

    s->depth--;

    return v;
}


/* A value that fits; one that does not in every way, if none was found. */

static json_t *
vm_schema_find(vm_schema_t *s, const json_t *schema)
{
    json_t    *other, *v;
    vm_all_t   all;
    unsigned   i;

    other = NULL;
    s->steps = VM_SCHEMA_STEPS;

    for (i = 0; i < VM_SCHEMA_TRIES && s->steps && !(other && s->endless);
         i++)
    {
        all.n = 0;
        s->thrift = i >= VM_SCHEMA_THRIFT;
        s->endless = i == VM_SCHEMA_TRIES - 1 && other == NULL;
        s->bytes = VM_SCHEMA_BYTES;

        if (vm_all_add(&all, schema) != VM_OK) {
            break;
        }

        v = vm_schema_value(s, &all);

        if (v && (s->steps == 0 || vm_schema_valid(s->root, schema, v))) {
            json_decref(other);
            return v;
        }

        if (other == NULL) {
            other = v;

        } else {
            json_decref(v);
        }
    }

    return other ? other : json_null();
}


static int
vm_constraint_plain(const json_t *schema, uint64_t key, vm_buf_t *out,
    vm_error_t *e, vm_pool_t *pool)
{
    char         *text;
    json_t       *v;
    vm_schema_t   s;

    if (vm_schema_check(schema, e, pool) != VM_OK) {
        return VM_ERROR;
    }

    memset(&s, 0, sizeof(vm_schema_t));

    s.root = schema;
    s.key = key;

    v = vm_schema_find(&s, schema);
    text = v ? json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) : NULL;
    json_decref(v);

    if (text == NULL) {
        return vm_error_memory(e);
    }

    vm_buf_str(out, text);
    free(text);

    return VM_OK;
}


int
vm_constraint_schema(const json_t *schema, uint64_t key, vm_buf_t *out,
    vm_error_t *e, vm_pool_t *pool)
{
    int      rc;
    json_t  *plain;

    plain = vm_value_plain(schema);

    if (plain == NULL) {
        return vm_error_bad(e, "Invalid JSON grammar specification.");
    }

    rc = vm_constraint_plain(plain, key, out, e, pool);
    json_decref(plain);

    return rc;
}
