/*
 * A JSON value that a JSON schema accepts, and a text of a small grammar in
 * EBNF.
 */

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include "constraint.h"
#include "../base/rand.h"


#define VM_SCHEMA_DEPTH  32
#define VM_SCHEMA_DEEP   8              /* from here on it should end */
#define VM_SCHEMA_LOOKS  10000


typedef struct {
    const json_t  *root;
    uint64_t       key;
    uint64_t       draws;
    unsigned       depth;
    unsigned       looks;               /* work done to look for an end */
    vm_buf_t      *out;
    vm_error_t    *e;
    vm_pool_t     *pool;
} vm_schema_t;


static int vm_schema_value(vm_schema_t *s, const json_t *schema);

static const char *const  vm_schema_words[] = {
    "alpha", "bravo", "delta", "echo", "golf", "hotel", "india", "lima",
    "mike", "oscar", "papa", "tango", "victor", "yankee", "zulu"
};


static uint64_t
vm_schema_draw(vm_schema_t *s, uint64_t n)
{
    return n ? vm_rand_at(s->key, s->draws++) % n : 0;
}


static int
vm_schema_json(vm_schema_t *s, const json_t *v)
{
    char  *text;

    text = json_dumps(v, JSON_ENCODE_ANY);

    if (text) {
        vm_buf_str(s->out, text);
        free(text);
    }

    return text ? VM_OK : vm_error_memory(s->e);
}


/* "#/a/b" from the root */

static const json_t *
vm_schema_ref(vm_schema_t *s, const char *ref)
{
    char           name[128];
    size_t         n;
    const json_t  *v;

    if (ref[0] != '#') {
        return NULL;
    }

    v = s->root;

    for (ref++; *ref == '/' && v; ref += n) {
        ref++;
        n = strcspn(ref, "/");

        if (n >= sizeof(name)) {
            return NULL;
        }

        memcpy(name, ref, n);
        name[n] = '\0';
        v = json_is_array(v) ? json_array_get(v, strtoul(name, NULL, 10))
                             : json_object_get(v, name);
    }

    return v;
}


static double
vm_schema_number_of(const json_t *schema, const char *key, double other)
{
    const json_t  *v;

    v = json_object_get(schema, key);

    return json_is_number(v) ? json_number_value(v) : other;
}


static int
vm_schema_string(vm_schema_t *s, const json_t *schema)
{
    int            rc;
    size_t         i, len, max, min;
    vm_buf_t       b;
    uint64_t       high, low;
    const char    *format;
    const json_t  *pattern;

    pattern = json_object_get(schema, "pattern");
    format = json_string_value(json_object_get(schema, "format"));
    min = (size_t) vm_schema_number_of(schema, "minLength", 0);
    max = (size_t) vm_schema_number_of(schema, "maxLength", 4096);

    vm_buf_init(&b);
    rc = VM_OK;

    if (json_is_string(pattern)) {
        rc = vm_constraint_regex(json_string_value(pattern),
                                 json_string_length(pattern),
                                 vm_rand_at(s->key, s->draws++), &b, s->e,
                                 s->pool);

    } else if (format && strcmp(format, "date-time") == 0) {
        vm_buf_printf(&b, "2026-%02u-%02uT12:00:00Z",
                      1 + (unsigned) vm_schema_draw(s, 12),
                      1 + (unsigned) vm_schema_draw(s, 28));

    } else if (format && strcmp(format, "date") == 0) {
        vm_buf_printf(&b, "2026-%02u-%02u",
                      1 + (unsigned) vm_schema_draw(s, 12),
                      1 + (unsigned) vm_schema_draw(s, 28));

    } else if (format && strcmp(format, "time") == 0) {
        vm_buf_printf(&b, "%02u:%02u:00Z", (unsigned) vm_schema_draw(s, 24),
                      (unsigned) vm_schema_draw(s, 60));

    } else if (format && strcmp(format, "email") == 0) {
        vm_buf_printf(&b, "%s@example.com",
                      vm_schema_words[vm_schema_draw(s,
                                          vm_nelts(vm_schema_words))]);

    } else if (format && (strcmp(format, "uri") == 0
                          || strcmp(format, "url") == 0))
    {
        vm_buf_printf(&b, "https://example.com/%s",
                      vm_schema_words[vm_schema_draw(s,
                                          vm_nelts(vm_schema_words))]);

    } else if (format && strcmp(format, "uuid") == 0) {
        high = vm_rand_at(s->key, s->draws++) & 0xffffffff;
        low = vm_rand_at(s->key, s->draws++) & 0xffffffffffff;

        vm_buf_printf(&b, "%08llx-1234-4abc-8def-%012llx",
                      (unsigned long long) high, (unsigned long long) low);

    } else if (format && strcmp(format, "ipv4") == 0) {
        vm_buf_printf(&b, "192.0.2.%u", (unsigned) vm_schema_draw(s, 256));

    } else {
        vm_buf_str(&b, vm_schema_words[vm_schema_draw(s,
                                           vm_nelts(vm_schema_words))]);

        for (len = b.len, i = len; i < min; i++) {
            vm_buf_char(&b, (char) ('a' + vm_schema_draw(s, 26)));
        }

        b.len = vm_min(b.len, max);
    }

    if (rc == VM_OK) {
        vm_buf_json(s->out, b.data ? b.data : "", b.len);
    }

    vm_buf_free(&b);

    return rc;
}


/*
 * A bound of a number: where it excludes itself, an integer's is the next
 * one, and a number stays a little away from it.
 */

static double
vm_schema_bound(const json_t *schema, const char *with, const char *without,
    int whole, int up, int *open)
{
    double  v;

    v = vm_schema_number_of(schema, without, NAN);

    if (isnan(v)) {
        return vm_schema_number_of(schema, with, NAN);
    }

    if (whole) {
        return up ? floor(v) + 1 : ceil(v) - 1;
    }

    *open = 1;

    return v;
}


static int
vm_schema_number(vm_schema_t *s, const json_t *schema, int whole)
{
    int     open;
    double  high, low, of, v;

    open = 0;
    low = vm_schema_bound(schema, "minimum", "exclusiveMinimum", whole, 1,
                          &open);
    high = vm_schema_bound(schema, "maximum", "exclusiveMaximum", whole, 0,
                           &open);
    of = vm_schema_number_of(schema, "multipleOf", whole ? 1 : 0);

    if (isnan(low) && isnan(high)) {
        low = 0;
    }

    if (isnan(high)) {
        high = low + 100 * vm_max(of, 1);
    }

    if (isnan(low)) {
        low = high - 100 * vm_max(of, 1);
    }

    if (of > 0) {
        v = ceil(low / of);
        v += open && v * of == low;
        v = (v + (double) vm_schema_draw(s, (uint64_t) vm_max(floor(high / of)
                                                              - v + 1 - open,
                                                              1)))
            * of;

    } else {
        v = low + (high - low) * (double) (open + vm_schema_draw(s, 1000))
                  / (1000 + open);
    }

    if (v == floor(v) && fabs(v) < 1e15 && (whole || of >= 1)) {
        vm_buf_int(s->out, (int64_t) v);

    } else {
        vm_buf_double(s->out, v);
    }

    return VM_OK;
}


static int
vm_schema_array(vm_schema_t *s, const json_t *schema)
{
    size_t         i, max, min, n, prefix;
    const json_t  *items, *list;

    items = json_object_get(schema, "items");
    list = json_object_get(schema, "prefixItems");
    prefix = json_array_size(list);
    min = (size_t) vm_schema_number_of(schema, "minItems", 0);
    max = (size_t) vm_schema_number_of(schema, "maxItems",
                                       (double) vm_max(min, 2));
    min = vm_max(min, prefix);
    max = vm_max(max, min);
    n = min + vm_schema_draw(s, max - min + 1);

    if (s->depth > VM_SCHEMA_DEEP) {
        n = min;

    } else if (n == 0 && max) {
        n = 1;
    }

    vm_buf_char(s->out, '[');

    for (i = 0; i < n; i++) {

        if (i) {
            vm_buf_lit(s->out, ", ");
        }

        if (vm_schema_value(s, i < prefix ? json_array_get(list, i) : items)
            != VM_OK)
        {
            return VM_ERROR;
        }
    }

    vm_buf_char(s->out, ']');

    return VM_OK;
}


static int
vm_schema_required(const json_t *schema, const char *key)
{
    size_t   i;
    json_t  *name;

    json_array_foreach(json_object_get(schema, "required"), i, name) {
        if (json_is_string(name) && strcmp(json_string_value(name), key) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static int
vm_schema_member(vm_schema_t *s, const char *key, const json_t *schema,
    size_t n)
{
    vm_buf_str(s->out, n ? ", " : "");
    vm_buf_json(s->out, key, strlen(key));
    vm_buf_lit(s->out, ": ");

    return vm_schema_value(s, schema);
}


static int
vm_schema_object(vm_schema_t *s, const json_t *schema)
{
    size_t         i, n;
    json_t        *name, *v;
    const char    *key;
    const json_t  *known, *others;

    known = json_object_get(schema, "properties");
    others = json_object_get(schema, "additionalProperties");
    n = 0;

    vm_buf_char(s->out, '{');

    json_object_foreach((json_t *) known, key, v) {

        /* what is optional is left out where it might never end */

        if (!vm_schema_required(schema, key) && s->depth > 4) {
            continue;
        }

        if (vm_schema_member(s, key, v, n++) != VM_OK) {
            return VM_ERROR;
        }
    }

    json_array_foreach(json_object_get(schema, "required"), i, name) {
        key = json_string_value(name);

        if (key && json_object_get(known, key) == NULL
            && vm_schema_member(s, key, others, n++) != VM_OK)
        {
            return VM_ERROR;
        }
    }

    /* a map from names to values has one, lest it be for ever empty */

    if (n == 0 && json_is_object(others) && s->depth <= VM_SCHEMA_DEEP) {
        key = vm_schema_words[vm_schema_draw(s, vm_nelts(vm_schema_words))];

        if (vm_schema_member(s, key, others, n) != VM_OK) {
            return VM_ERROR;
        }
    }

    vm_buf_char(s->out, '}');

    return VM_OK;
}


static int
vm_schema_typed(vm_schema_t *s, const json_t *schema, const char *type)
{
    if (strcmp(type, "object") == 0) {
        return vm_schema_object(s, schema);
    }

    if (strcmp(type, "array") == 0) {
        return vm_schema_array(s, schema);
    }

    if (strcmp(type, "string") == 0) {
        return vm_schema_string(s, schema);
    }

    if (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0) {
        return vm_schema_number(s, schema, type[0] == 'i');
    }

    if (strcmp(type, "boolean") == 0) {
        vm_buf_str(s->out, vm_schema_draw(s, 2) ? "true" : "false");
        return VM_OK;
    }

    if (strcmp(type, "null") == 0) {
        vm_buf_lit(s->out, "null");
        return VM_OK;
    }

    return vm_error_printf(s->e, s->pool, 400, "BadRequestError", NULL,
                           "Grammar error: Invalid type: %s", type);
}


/* The members of all schemas of an allOf, put together. */

static int
vm_schema_all(vm_schema_t *s, const json_t *schema, const json_t *all)
{
    int            rc;
    size_t         i;
    json_t        *merged, *one, *part, *v;
    const char    *key;
    const json_t  *from;

    merged = json_deep_copy(schema);
    json_object_del(merged, "allOf");

    json_array_foreach(all, i, one) {
        from = json_object_get(one, "$ref")
               ? vm_schema_ref(s, json_string_value(json_object_get(one,
                                                                   "$ref")))
               : one;

        json_object_foreach((json_t *) from, key, v) {
            part = json_object_get(merged, key);

            if (json_is_object(part) && json_is_object(v)) {
                json_object_update_missing(part, v);

            } else if (json_is_array(part) && json_is_array(v)) {
                json_array_extend(part, v);

            } else {
                json_object_set(merged, key, v);
            }
        }
    }

    rc = vm_schema_value(s, merged);
    json_decref(merged);

    return rc;
}


static const char *
vm_schema_implied(const json_t *schema)
{
    size_t                   i;
    static const char *const implied[][2] = {
        { "properties", "object" }, { "required", "object" },
        { "items", "array" }, { "prefixItems", "array" },
        { "pattern", "string" }, { "minLength", "string" },
        { "maxLength", "string" }, { "format", "string" },
        { "minimum", "number" }, { "maximum", "number" },
        { "multipleOf", "number" }
    };

    for (i = 0; i < vm_nelts(implied); i++) {
        if (json_object_get(schema, implied[i][0])) {
            return implied[i][1];
        }
    }

    return "string";
}


/* Can a value of this schema end within so many levels? */

static int
vm_schema_ends(vm_schema_t *s, const json_t *schema, unsigned levels)
{
    size_t         i;
    json_t        *one;
    const char    *key;
    const json_t  *list;

    if (json_object_size(schema) == 0 || ++s->looks > VM_SCHEMA_LOOKS) {
        return 1;
    }

    if (levels-- == 0) {
        return 0;
    }

    key = json_string_value(json_object_get(schema, "$ref"));

    if (key) {
        return vm_schema_ends(s, vm_schema_ref(s, key), levels);
    }

    if (json_object_get(schema, "const") || json_object_get(schema, "enum")) {
        return 1;
    }

    list = json_object_get(schema, "anyOf");
    list = json_array_size(list) ? list : json_object_get(schema, "oneOf");

    json_array_foreach(list, i, one) {
        if (vm_schema_ends(s, one, levels)) {
            return 1;
        }
    }

    if (json_array_size(list)) {
        return 0;
    }

    json_array_foreach(json_object_get(schema, "allOf"), i, one) {
        if (!vm_schema_ends(s, one, levels)) {
            return 0;
        }
    }

    json_object_foreach(json_object_get(schema, "properties"), key, one) {
        if (vm_schema_required(schema, key)
            && !vm_schema_ends(s, one, levels))
        {
            return 0;
        }
    }

    json_array_foreach(json_object_get(schema, "prefixItems"), i, one) {
        if (!vm_schema_ends(s, one, levels)) {
            return 0;
        }
    }

    return vm_schema_number_of(schema, "minItems", 0) <= 0
           || vm_schema_ends(s, json_object_get(schema, "items"), levels);
}


/* One of the alternatives; far down the one that ends the soonest. */

static const json_t *
vm_schema_pick(vm_schema_t *s, const json_t *list)
{
    size_t    i;
    json_t   *one;
    unsigned  levels;

    if (s->depth <= VM_SCHEMA_DEEP) {
        return json_array_get(list, vm_schema_draw(s, json_array_size(list)));
    }

    for (levels = 1; levels < VM_SCHEMA_DEPTH; levels++) {
        json_array_foreach(list, i, one) {
            if (vm_schema_ends(s, one, levels)) {
                return one;
            }
        }
    }

    return json_array_get(list, 0);
}


static int
vm_schema_choose(vm_schema_t *s, const json_t *schema)
{
    const char    *type;
    const json_t  *list, *v;

    v = json_object_get(schema, "$ref");

    if (json_is_string(v)) {
        v = vm_schema_ref(s, json_string_value(v));
        return v ? vm_schema_value(s, v)
                 : vm_error_printf(s->e, s->pool, 400, "BadRequestError",
                                   NULL, "Grammar error: failed to resolve "
                                   "a $ref");
    }

    v = json_object_get(schema, "const");

    if (v) {
        return vm_schema_json(s, v);
    }

    list = json_object_get(schema, "enum");

    if (json_array_size(list)) {
        return vm_schema_json(s, json_array_get(list, vm_schema_draw(s,
                                                json_array_size(list))));
    }

    list = json_object_get(schema, "anyOf");

    if (json_array_size(list) == 0) {
        list = json_object_get(schema, "oneOf");
    }

    if (json_array_size(list)) {
        return vm_schema_value(s, vm_schema_pick(s, list));
    }

    list = json_object_get(schema, "allOf");

    if (json_array_size(list)) {
        return vm_schema_all(s, schema, list);
    }

    v = json_object_get(schema, "type");

    if (json_is_array(v)) {
        v = json_array_get(v, s->depth > VM_SCHEMA_DEEP
                           ? json_array_size(v) - 1
                           : vm_schema_draw(s, json_array_size(v)));
    }

    type = json_string_value(v);

    return vm_schema_typed(s, schema, type ? type
                                           : vm_schema_implied(schema));
}


static int
vm_schema_value(vm_schema_t *s, const json_t *schema)
{
    int  rc;

    if (!json_is_object(schema) || json_object_size(schema) == 0) {

        /* anything will do */

        vm_buf_json(s->out, vm_schema_words[0], strlen(vm_schema_words[0]));
        return VM_OK;
    }

    if (++s->depth > VM_SCHEMA_DEPTH) {
        return vm_error_printf(s->e, s->pool, 400, "BadRequestError", NULL,
                               "Grammar error: the schema never ends");
    }

    rc = vm_schema_choose(s, schema);
    s->depth--;

    return rc;
}


int
vm_constraint_schema(const json_t *schema, uint64_t key, vm_buf_t *out,
    vm_error_t *e, vm_pool_t *pool)
{
    vm_schema_t  s;

    memset(&s, 0, sizeof(vm_schema_t));

    s.root = schema;
    s.key = key;
    s.out = out;
    s.e = e;
    s.pool = pool;

    return vm_schema_value(&s, schema);
}


/* ---- grammars: rules of literals, classes, groups, names ---- */

typedef struct {
    const char  *text;
    uint64_t     key;
    uint64_t     draws;
    unsigned     depth;
    vm_buf_t    *out;               /* NULL: only look */
    const char  *p;
    const char  *error;
} vm_gram_t;


static int vm_gram_alternatives(vm_gram_t *g);


static int
vm_gram_fail(vm_gram_t *g, const char *error)
{
    if (g->error == NULL) {
        g->error = error;
    }

    return VM_ERROR;
}


static void
vm_gram_blank(vm_gram_t *g)
{
    for ( ;; ) {

        if (*g->p == '#') {
            g->p += strcspn(g->p, "\n");

        } else if (*g->p == ' ' || *g->p == '\t' || *g->p == '\n'
                   || *g->p == '\r')
        {
            g->p++;

        } else {
            return;
        }
    }
}


static size_t
vm_gram_name(const char *p)
{
    size_t  n;

    for (n = 0; isalnum((unsigned char) p[n]) || p[n] == '_' || p[n] == '-';
         n++) { /* void */ }

    return n;
}


/* Is there a "name ::=" or "name:"?  Its body, or NULL. */

static const char *
vm_gram_rule(const char *p, size_t n)
{
    p += n;

    while (*p == ' ' || *p == '\t') {
        p++;
    }

    if (strncmp(p, "::=", 3) == 0) {
        return p + 3;
    }

    return *p == ':' ? p + 1 : NULL;
}


static const char *
vm_gram_find(vm_gram_t *g, const char *name, size_t len)
{
    size_t       n;
    const char  *body, *p;

    for (p = g->text; *p; /* void */ ) {
        p += strspn(p, " \t\r\n?");
        n = vm_gram_name(p);
        body = n ? vm_gram_rule(p, n) : NULL;

        if (body && n == len && memcmp(p, name, n) == 0) {
            return body;
        }

        p += strcspn(p, "\n");
    }

    return NULL;
}


static int
vm_gram_literal(vm_gram_t *g, char quote)
{
    char  c;

    for (g->p++; *g->p != quote; g->p++) {

        if (*g->p == '\0') {
            return vm_gram_fail(g, "unterminated literal");
        }

        c = *g->p;

        if (c == '\\' && g->p[1]) {
            c = *++g->p;
            c = c == 'n' ? '\n' : (c == 't' ? '\t' : c);
        }

        if (g->out) {
            vm_buf_char(g->out, c);
        }
    }

    g->p++;

    return VM_OK;
}


static int
vm_gram_pattern(vm_gram_t *g, const char *from, size_t len)
{
    vm_buf_t    none;
    vm_error_t  e;
    vm_pool_t  *pool;
    int         rc;

    pool = vm_pool_create(256);
    vm_buf_init(&none);
    memset(&e, 0, sizeof(vm_error_t));

    rc = pool ? vm_constraint_regex(from, len, vm_rand_at(g->key, g->draws++),
                                    g->out ? g->out : &none, &e, pool)
              : VM_ERROR;
    vm_buf_free(&none);

    if (pool) {
        vm_pool_destroy(pool);
    }

    return rc == VM_OK ? VM_OK : vm_gram_fail(g, "invalid pattern");
}


static int
vm_gram_atom(vm_gram_t *g)
{
    int          rc;
    size_t       n;
    const char  *back, *body, *start;

    vm_gram_blank(g);
    start = g->p;

    switch (*g->p) {

    case '"':
    case '\'':
        return vm_gram_literal(g, *g->p);

    case '[':
        for (n = 1; g->p[n] && (g->p[n] != ']' || n == 1); n++) {
            n += g->p[n] == '\\' && g->p[n + 1];
        }

        if (g->p[n] == '\0') {
            return vm_gram_fail(g, "unterminated class");
        }

        g->p += n + 1;
        return vm_gram_pattern(g, start, n + 1);

    case '/':
        for (n = 1; g->p[n] && g->p[n] != '/'; n++) {
            n += g->p[n] == '\\' && g->p[n + 1];
        }

        if (g->p[n] == '\0') {
            return vm_gram_fail(g, "unterminated pattern");
        }

        g->p += n + 1;
        return vm_gram_pattern(g, start + 1, n - 1);

    case '(':
        g->p++;
        rc = vm_gram_alternatives(g);
        vm_gram_blank(g);

        if (rc == VM_OK && *g->p++ != ')') {
            return vm_gram_fail(g, "unclosed group");
        }

        return rc;

    default:
        break;
    }

    n = vm_gram_name(g->p);

    if (n == 0) {
        return vm_gram_fail(g, "a literal, a class or a name is expected");
    }

    g->p += n;
    body = vm_gram_find(g, start, n);

    if (body == NULL) {
        return vm_gram_fail(g, "unknown rule");
    }

    if (g->out == NULL) {
        return VM_OK;
    }

    if (++g->depth > VM_SCHEMA_DEPTH) {
        return vm_gram_fail(g, "the grammar never ends");
    }

    back = g->p;
    g->p = body;
    rc = vm_gram_alternatives(g);
    g->p = back;
    g->depth--;

    return rc;
}


/* Does the sequence go on here, or is it the next rule's name? */

static int
vm_gram_more(vm_gram_t *g)
{
    size_t  n;

    vm_gram_blank(g);

    if (*g->p == '\0' || *g->p == '|' || *g->p == ')') {
        return 0;
    }

    n = vm_gram_name(g->p);

    return n == 0 || vm_gram_rule(g->p, n) == NULL;
}


static int
vm_gram_sequence(vm_gram_t *g)
{
    unsigned     i, n;
    vm_buf_t    *out;
    const char  *atom, *behind;

    while (vm_gram_more(g)) {
        atom = g->p;
        out = g->out;
        g->out = NULL;

        if (vm_gram_atom(g) != VM_OK) {
            return VM_ERROR;
        }

        g->out = out;
        n = 1;

        switch (*g->p) {

        case '*':
            n = (unsigned) (vm_rand_at(g->key, g->draws++) % 3);
            g->p++;
            break;

        case '+':
            n = 1 + (unsigned) (vm_rand_at(g->key, g->draws++) % 3);
            g->p++;
            break;

        case '?':
            n = (unsigned) (vm_rand_at(g->key, g->draws++) % 2);
            g->p++;
            break;

        default:
            break;
        }

        if (g->depth > 8 && *(g->p - 1) != ')' && n > 1) {
            n = 1;
        }

        behind = g->p;

        for (i = 0; i < n && out; i++) {
            g->p = atom;

            if (vm_gram_atom(g) != VM_OK) {
                return VM_ERROR;
            }
        }

        g->p = behind;
    }

    return VM_OK;
}


static int
vm_gram_alternatives(vm_gram_t *g)
{
    unsigned     i, n;
    uint64_t     pick;
    vm_buf_t    *out;
    const char  *start;

    start = g->p;
    out = g->out;
    g->out = NULL;
    n = 0;

    for ( ;; ) {

        if (vm_gram_sequence(g) != VM_OK) {
            return VM_ERROR;
        }

        n++;

        if (*g->p != '|') {
            break;
        }

        g->p++;
    }

    g->out = out;

    if (out == NULL) {
        return VM_OK;
    }

    pick = g->depth > 8 ? 0 : vm_rand_at(g->key, g->draws++) % n;
    g->p = start;

    for (i = 0; i < n; i++) {
        g->out = i == pick ? out : NULL;

        if (vm_gram_sequence(g) != VM_OK) {
            return VM_ERROR;
        }

        if (i + 1 < n) {
            g->p++;
        }
    }

    g->out = out;

    return VM_OK;
}


int
vm_constraint_grammar(const char *grammar, uint64_t key, vm_buf_t *out,
    vm_error_t *e, vm_pool_t *pool)
{
    vm_gram_t  g;

    memset(&g, 0, sizeof(vm_gram_t));

    g.text = grammar;
    g.key = key;
    g.out = out;
    g.p = vm_gram_find(&g, "root", 4);

    if (g.p == NULL) {
        g.p = vm_gram_find(&g, "start", 5);
    }

    if (g.p == NULL) {
        vm_gram_fail(&g, "no rule \"root\" or \"start\"");

    } else {
        (void) vm_gram_alternatives(&g);
    }

    if (g.error) {
        return vm_error_printf(e, pool, 400, "BadRequestError", NULL,
                               "Grammar error: %s", g.error);
    }

    return VM_OK;
}
