/*
 * Arrays and objects for JSON schemas.
 */

#include "schemamake.h"


/* ---- arrays ---- */

/* What the schemas say of the item of that place; VM_ERROR: none there. */

static int
vm_schema_item(const vm_all_t *all, size_t place, vm_all_t *item)
{
    unsigned       i;
    const json_t  *items, *prefix, *schema, *v;

    item->n = 0;

    for (i = 0; i < all->n; i++) {
        schema = all->list[i];
        items = json_object_get(schema, "items");
        prefix = json_object_get(schema, "prefixItems");
        v = items;

        if (json_is_array(items)) {
            prefix = items;
            v = json_object_get(schema, "additionalItems");
        }

        if (place < json_array_size(prefix)) {
            v = json_array_get(prefix, place);

        } else if (v == NULL && prefix) {
            v = json_object_get(schema, "unevaluatedItems");
        }

        if (vm_all_add(item, v) != VM_OK) {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


static int
vm_schema_seen(const json_t *array, const json_t *v)
{
    size_t   i;
    json_t  *one;

    json_array_foreach((json_t *) array, i, one) {
        if (json_equal(one, v)) {
            return 1;
        }
    }

    return 0;
}


/* How many items: little more than the least number, but not none. */

static size_t
vm_schema_items(vm_schema_t *s, const vm_all_t *all, size_t least)
{
    size_t         max, min;
    unsigned       i;
    const json_t  *v;

    min = vm_max(vm_all_count(all, "minItems", 1, VM_SCHEMA_ITEMS), least);
    max = vm_all_count(all, "maxItems", 0, VM_SCHEMA_ITEMS);

    for (i = 0; i < all->n; i++) {
        v = json_object_get(all->list[i], "prefixItems");
        least = vm_max(least, json_array_size(v));
        v = json_object_get(all->list[i], "items");
        least = vm_max(least, json_array_size(v));
    }

    if (min > max || vm_schema_sparing(s)) {
        return min;
    }

    min = vm_min(vm_max(min, vm_max(least, 1)), max);
    max = vm_min(max, vm_max(min + 2, least));

    return min + vm_schema_draw(s, max - min + 1);
}


json_t *
vm_schema_array(vm_schema_t *s, const vm_all_t *all)
{
    size_t         contains, i, least, n;
    json_t        *array, *v;
    unsigned       tries;
    vm_all_t       item;
    const json_t  *sought, *unique;

    sought = vm_all_first(all, "contains", JSON_OBJECT);
    contains = 0;

    if (sought) {
        contains = vm_all_first(all, "minContains", JSON_NULL)
                   ? vm_all_count(all, "minContains", 1, VM_SCHEMA_ITEMS) : 1;
    }

    unique = vm_all_first(all, "uniqueItems", JSON_TRUE);
    least = vm_all_count(all, "minItems", 1, VM_SCHEMA_ITEMS);
    n = vm_schema_items(s, all, contains);

    if (n > vm_all_count(all, "maxItems", 0, VM_SCHEMA_ITEMS)) {
        return NULL;
    }

    array = json_array();

    for (i = 0; array && i < n; i++) {
        v = NULL;

        for (tries = 0; tries < VM_SCHEMA_TRIES && v == NULL; tries++) {

            if (vm_schema_item(all, i, &item) != VM_OK
                || (i < contains && vm_all_add(&item, sought) != VM_OK))
            {
                break;
            }

            v = vm_schema_value(s, &item);

            if (v == NULL) {
                break;
            }

            if (unique && vm_schema_seen(array, v)) {
                json_decref(v);
                v = NULL;
            }
        }

        if (v == NULL) {

            /* when the time is over, an array is as long as it is */

            if (i < vm_max(least, contains) && s->steps) {
                json_decref(array);
                return NULL;
            }

            break;
        }

        json_array_append_new(array, v);
    }

    return array;
}


/* ---- objects ---- */

/* Members by name, each with what is known of it: these bits. */

#define VM_MEMBER_TAKEN     1
#define VM_MEMBER_REQUIRED  2


static json_int_t
vm_member(const json_t *members, const char *name)
{
    return json_integer_value(json_object_get(members, name));
}


static void
vm_member_set(json_t *members, const char *name, json_int_t bits)
{
    json_object_set_new(members, name,
                        json_integer(bits | vm_member(members, name)));
}


static void
vm_members_require(json_t *members, const json_t *names)
{
    size_t   i;
    json_t  *name;

    json_array_foreach((json_t *) names, i, name) {
        if (json_is_string(name)) {
            vm_member_set(members, json_string_value(name),
                          VM_MEMBER_TAKEN | VM_MEMBER_REQUIRED);
        }
    }
}


static size_t
vm_members_taken(const json_t *members)
{
    size_t       n;
    json_t      *bits;
    const char  *name;

    n = 0;

    json_object_foreach((json_t *) members, name, bits) {
        n += json_integer_value(bits) & VM_MEMBER_TAKEN;
    }

    return n;
}


/*
 * Takes or drops optional members until there are `n`; the last ones are
 * dropped first.
 */

static void
vm_members_level(json_t *members, size_t n)
{
    size_t       left, taken;
    json_t      *bits;
    const char  *name;

    taken = vm_members_taken(members);
    left = taken > n ? n : json_object_size(members);

    json_object_foreach(members, name, bits) {
        left -= (json_integer_value(bits) & VM_MEMBER_REQUIRED) && taken > n
                && left;
    }

    json_object_foreach(members, name, bits) {

        if (json_integer_value(bits) & VM_MEMBER_REQUIRED) {
            continue;
        }

        if (taken > n) {

            if (left) {
                left--;

            } else {
                json_integer_set(bits, 0);
            }

        } else if (taken < n && json_integer_value(bits) == 0) {
            json_integer_set(bits, VM_MEMBER_TAKEN);
            taken++;
        }
    }
}


/*
 * May a name match a pattern?  Told by the letters that it begins with, if it
 * is anchored there.
 */

static int
vm_schema_matches(const char *pattern, const char *name)
{
    size_t  n;

    if (pattern[0] != '^') {
        return 1;
    }

    n = strcspn(pattern + 1, "\\^$.|?*+()[]{}");
    n -= n && pattern[1 + n] && strchr("?*{", pattern[1 + n]) != NULL;

    return strncmp(pattern + 1, name, n) == 0;
}


/* What the schemas say of a member; VM_ERROR: it must not be there. */

static int
vm_schema_member(const vm_all_t *all, const char *name, vm_all_t *member)
{
    json_t        *one;
    unsigned       i, known;
    const char    *pattern;
    const json_t  *schema, *v;

    member->n = 0;

    for (i = 0; i < all->n; i++) {
        schema = all->list[i];
        v = json_object_get(json_object_get(schema, "properties"), name);
        known = v != NULL;

        json_object_foreach(json_object_get(schema, "patternProperties"),
                            pattern, one)
        {
            if (vm_schema_matches(pattern, name)) {
                known = 1;

                if (vm_all_add(member, one) != VM_OK) {
                    return VM_ERROR;
                }
            }
        }

        v = known ? v : json_object_get(schema, "additionalProperties");

        if (vm_all_add(member, v) != VM_OK) {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


/* What members that are there ask of others, until there is no more to ask. */

static int
vm_schema_depend(vm_schema_t *s, vm_all_t *all, json_t *members)
{
    size_t         before;
    json_t        *asked;
    unsigned       from, i, k;
    const char    *name;
    const json_t  *keyword;

    static const char *const  keywords[] = {
        "dependentRequired", "dependentSchemas", "dependencies"
    };

    do {
        before = vm_members_taken(members);
        from = all->n;

        for (i = 0; i < from; i++) {

            for (k = 0; k < vm_nelts(keywords); k++) {
                keyword = json_object_get(all->list[i], keywords[k]);

                json_object_foreach((json_t *) keyword, name, asked) {

                    if (!(vm_member(members, name) & VM_MEMBER_TAKEN)) {
                        continue;
                    }

                    vm_members_require(members, asked);

                    if (!json_is_array(asked)
                        && vm_all_add(all, asked) != VM_OK)
                    {
                        return VM_ERROR;
                    }
                }
            }
        }

        if (vm_schema_expand(s, all, from) != VM_OK) {
            return VM_ERROR;
        }

        for (i = from; i < all->n; i++) {
            vm_members_require(members, json_object_get(all->list[i],
                                                        "required"));
        }

    } while (s->steps
             && (vm_members_taken(members) != before || all->n != from));

    return VM_OK;
}


/* Which of the members that are named will be there. */

static int
vm_schema_members(vm_schema_t *s, vm_all_t *all, json_t *members)
{
    size_t       max, min, n;
    json_t      *v;
    unsigned     i;
    const char  *name;

    for (i = 0; i < all->n; i++) {
        json_object_foreach(json_object_get(all->list[i], "properties"),
                            name, v)
        {
            /* what is optional is left out where it might never end */

            vm_member_set(members, name,
                          !s->thrift && s->depth <= 4 && !json_is_false(v)
                          ? VM_MEMBER_TAKEN : 0);
        }
    }

    for (i = 0; i < all->n; i++) {
        vm_members_require(members, json_object_get(all->list[i],
                                                    "required"));
    }

    vm_schema_work(s, json_object_size(members) / 16);

    if (vm_schema_depend(s, all, members) != VM_OK) {
        return VM_ERROR;
    }

    min = vm_all_count(all, "minProperties", 1, VM_SCHEMA_NAMES);
    max = vm_all_count(all, "maxProperties", 0, SIZE_MAX / 2);
    n = vm_members_taken(members);

    if (n < min || n > max) {
        vm_members_level(members, n < min ? min : max);
    }

    return vm_members_taken(members) > max ? VM_ERROR : VM_OK;
}


/* A name that no schema names, and what its value must fit. */

static json_t *
vm_schema_other(vm_schema_t *s, const vm_all_t *all, vm_all_t *member)
{
    size_t         i, pick;
    json_t        *v;
    void          *at;
    vm_buf_t       b;
    vm_all_t       names;
    const json_t  *patterns;

    member->n = 0;
    patterns = vm_all_first(all, "patternProperties", JSON_OBJECT);

    if (json_object_size(patterns)) {
        at = json_object_iter((json_t *) patterns);

        for (pick = vm_schema_draw(s, json_object_size(patterns)); pick;
             pick--)
        {
            at = json_object_iter_next((json_t *) patterns, at);
        }

        if (vm_all_add(member, json_object_iter_value(at)) != VM_OK) {
            return NULL;
        }

        vm_buf_init(&b);
        v = json_string(json_object_iter_key(at));
        vm_schema_pattern(s, v, 0, VM_SCHEMA_BYTES, &b);
        json_decref(v);
        v = json_stringn(b.data ? b.data : "", b.len);
        vm_buf_free(&b);

        return v;
    }

    names.n = 0;

    for (i = 0; i < all->n; i++) {

        if (vm_all_add(&names, json_object_get(all->list[i], "propertyNames"))
               != VM_OK
            || vm_all_add(member, json_object_get(all->list[i],
                                                  "additionalProperties"))
               != VM_OK
            || vm_all_add(member, json_object_get(all->list[i],
                                                  "unevaluatedProperties"))
               != VM_OK)
        {
            return NULL;
        }
    }

    if (names.n == 0) {
        return json_string(vm_schema_word(s));
    }

    v = vm_schema_value(s, &names);

    if (!json_is_string(v)) {
        json_decref(v);
        return NULL;
    }

    return v;
}


/* Does it ask for members whose names are free? */

static int
vm_schema_open(const vm_all_t *all)
{
    unsigned                  i;
    static const char *const  keywords[] = {
        "additionalProperties", "patternProperties", "propertyNames"
    };

    for (i = 0; i < vm_nelts(keywords); i++) {
        if (vm_all_first(all, keywords[i], JSON_OBJECT)) {
            return 1;
        }
    }

    return 0;
}


static void
vm_schema_others(vm_schema_t *s, const vm_all_t *all, json_t *object,
    size_t n)
{
    json_t    *name, *v;
    unsigned   tries;
    vm_all_t   member;

    for (tries = 0; tries < VM_SCHEMA_TRIES + 2 * n
                    && json_object_size(object) < n; tries++)
    {
        name = vm_schema_other(s, all, &member);

        if (name && json_object_get(object, json_string_value(name)) == NULL)
        {
            v = vm_schema_value(s, &member);

            if (v) {
                json_object_set_new(object, json_string_value(name), v);
            }
        }

        json_decref(name);
    }
}


/* The members that are named; VM_ERROR: one that is required has no value. */

static int
vm_schema_named(vm_schema_t *s, const vm_all_t *all, const json_t *members,
    json_t *object)
{
    json_t      *bits, *v;
    vm_all_t     member;
    const char  *name;

    json_object_foreach((json_t *) members, name, bits) {

        if (!(json_integer_value(bits) & VM_MEMBER_TAKEN)) {
            continue;
        }

        v = vm_schema_member(all, name, &member) == VM_OK
            ? vm_schema_value(s, &member) : NULL;

        if (v) {
            json_object_set_new(object, name, v);

        } else if (s->steps == 0) {
            return VM_OK;               /* as much as there was time for */

        } else if (json_integer_value(bits) & VM_MEMBER_REQUIRED) {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


json_t *
vm_schema_object(vm_schema_t *s, vm_all_t *all)
{
    size_t   least;
    json_t  *members, *object;

    members = json_object();
    object = json_object();

    if (vm_schema_members(s, all, members) != VM_OK
        || vm_schema_named(s, all, members, object) != VM_OK)
    {
        json_decref(members);
        json_decref(object);
        return NULL;
    }

    json_decref(members);

    /* a map from names to values has one, lest it be for ever empty */

    least = vm_all_count(all, "minProperties", 1, VM_SCHEMA_NAMES);

    if (least == 0 && !vm_schema_sparing(s) && vm_schema_open(all)
        && json_object_size(object) == 0
        && vm_all_count(all, "maxProperties", 0, VM_SCHEMA_NAMES) > 0)
    {
        least = 1;
    }

    vm_schema_others(s, all, object, least);

    return object;
}
