/*
 * The schemas that one value must fit: what they say together, and what they
 * bring with them.
 */

#include "schemamake.h"


#define VM_SCHEMA_LOOKS  10000


int
vm_all_add(vm_all_t *all, const json_t *schema)
{
    unsigned  i;

    if (json_is_false(schema)) {
        return VM_ERROR;
    }

    if (!json_is_object(schema)) {
        return VM_OK;                   /* true, or nothing: all will do */
    }

    for (i = 0; i < all->n; i++) {
        if (all->list[i] == schema) {
            return VM_OK;
        }
    }

    if (all->n == VM_SCHEMA_ALL) {
        return VM_ERROR;
    }

    all->list[all->n++] = schema;

    return VM_OK;
}


/* The first of a keyword that has this type; JSON_NULL: of any. */

const json_t *
vm_all_first(const vm_all_t *all, const char *keyword, json_type type)
{
    unsigned       i;
    const json_t  *v;

    for (i = 0; i < all->n; i++) {
        v = json_object_get(all->list[i], keyword);

        if (v && (type == JSON_NULL || json_typeof(v) == type)) {
            return v;
        }
    }

    return NULL;
}


/* The greatest of lower bounds, the least of upper ones; NAN: none. */

double
vm_all_bound(const vm_all_t *all, const char *keyword, int lower)
{
    double         bound, d;
    unsigned       i;
    const json_t  *v;

    bound = NAN;

    for (i = 0; i < all->n; i++) {
        v = json_object_get(all->list[i], keyword);

        if (!json_is_number(v)) {
            continue;
        }

        d = json_number_value(v);

        if (isnan(bound) || (lower ? d > bound : d < bound)) {
            bound = d;
        }
    }

    return bound;
}


/* The same of lengths and counts, within 0 and `most`. */

size_t
vm_all_count(const vm_all_t *all, const char *keyword, int lower, size_t most)
{
    double  d;

    d = vm_all_bound(all, keyword, lower);

    if (isnan(d)) {
        return lower ? 0 : most;
    }

    return d <= 0 ? 0 : d >= (double) most ? most : (size_t) d;
}


/* Can a value of this schema end within so many levels? */

static int
vm_schema_ends(vm_schema_t *s, const json_t *schema, unsigned levels)
{
    size_t         i;
    json_t        *one;
    const char    *key;
    const json_t  *list, *required;

    if (json_object_size(schema) == 0 || ++s->looks > VM_SCHEMA_LOOKS) {
        return 1;
    }

    if (levels-- == 0) {
        return 0;
    }

    key = json_string_value(json_object_get(schema, "$ref"));

    if (key && !vm_schema_ends(s, vm_schema_ref(s->root, key), levels)) {
        return 0;
    }

    if (json_object_get(schema, "const") || json_object_get(schema, "enum")) {
        return 1;
    }

    list = json_object_get(schema, "anyOf");
    list = json_array_size(list) ? list : json_object_get(schema, "oneOf");

    json_array_foreach((json_t *) list, i, one) {
        if (vm_schema_ends(s, one, levels)) {
            break;
        }
    }

    if (json_array_size(list) && i == json_array_size(list)) {
        return 0;
    }

    json_array_foreach(json_object_get(schema, "allOf"), i, one) {
        if (!vm_schema_ends(s, one, levels)) {
            return 0;
        }
    }

    required = json_object_get(schema, "required");
    list = json_object_get(schema, "properties");

    json_array_foreach((json_t *) required, i, one) {
        key = json_string_value(one);

        if (key && !vm_schema_ends(s, json_object_get(list, key), levels)) {
            return 0;
        }
    }

    one = json_object_get(schema, "minItems");

    return !json_is_number(one) || json_number_value(one) <= 0
           || vm_schema_ends(s, json_object_get(schema, "items"), levels);
}


/* One of the alternatives; far down the one that ends the soonest. */

static const json_t *
vm_schema_pick(vm_schema_t *s, const json_t *list)
{
    size_t    i;
    json_t   *one;
    unsigned  levels;

    if (!vm_schema_sparing(s)) {
        return json_array_get(list, vm_schema_draw(s, json_array_size(list)));
    }

    for (levels = 1; levels < VM_SCHEMA_DEPTH; levels++) {
        json_array_foreach((json_t *) list, i, one) {
            if (vm_schema_ends(s, one, levels)) {
                return one;
            }
        }
    }

    return json_array_get(list, 0);
}


/* Whether "if" is to hold is drawn; its branch joins either way. */

static int
vm_schema_condition(vm_schema_t *s, const json_t *schema, vm_all_t *all)
{
    const json_t  *condition;

    condition = json_object_get(schema, "if");

    if (condition == NULL) {
        return VM_OK;
    }

    if (vm_schema_draw(s, 2)) {
        return vm_all_add(all, json_object_get(schema, "else"));
    }

    return vm_all_add(all, condition) == VM_OK
           ? vm_all_add(all, json_object_get(schema, "then")) : VM_ERROR;
}


/* What the schemas of a list bring with them joins the list. */

int
vm_schema_expand(vm_schema_t *s, vm_all_t *all, unsigned from)
{
    size_t         i;
    json_t        *one;
    unsigned       k;
    const json_t  *list, *ref, *schema;

    static const char *const  choices[] = { "anyOf", "oneOf" };

    for ( /* void */ ; from < all->n; from++) {
        schema = all->list[from];
        ref = json_object_get(schema, "$ref");

        if (ref
            && vm_all_add(all, vm_schema_ref(s->root, json_string_value(ref)))
               != VM_OK)
        {
            return VM_ERROR;
        }

        json_array_foreach(json_object_get(schema, "allOf"), i, one) {
            if (vm_all_add(all, one) != VM_OK) {
                return VM_ERROR;
            }
        }

        for (k = 0; k < vm_nelts(choices); k++) {
            list = json_object_get(schema, choices[k]);

            if (json_array_size(list)
                && vm_all_add(all, vm_schema_pick(s, list)) != VM_OK)
            {
                return VM_ERROR;
            }
        }

        if (vm_schema_condition(s, schema, all) != VM_OK) {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


int
vm_all_valid(const vm_schema_t *s, const vm_all_t *all, const json_t *v)
{
    unsigned  i;

    for (i = 0; i < all->n; i++) {
        if (!vm_schema_valid(s->root, all->list[i], v)) {
            return 0;
        }
    }

    return 1;
}
