/*
 * A text of a small grammar: EBNF as in GBNF ("root ::= ...") or Lark
 * ("start: ..."), rules of literals, classes, patterns, groups, names.
 */

#include <ctype.h>
#include "constraint.h"
#include "../base/rand.h"


#define VM_GRAM_RULES  32               /* in one another */
#define VM_GRAM_NEST   250              /* groups in one another */
#define VM_GRAM_STEPS  100000           /* of writing */
#define VM_GRAM_BYTES  262144           /* of a text, about */
#define VM_GRAM_NAME   256              /* bytes of a rule's name, less one */


typedef struct {
    const char  *text;
    uint64_t     key;
    uint64_t     draws;
    unsigned     depth;
    unsigned     nest;
    unsigned     steps;
    json_t      *rules;
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


/* The rules by name: where in the text their bodies begin. */

static void
vm_gram_index(vm_gram_t *g, const char *text)
{
    char         name[VM_GRAM_NAME];
    size_t       n;
    const char  *body, *p;

    for (p = text; *p; p += strcspn(p, "\n")) {
        p += strspn(p, " \t\r\n?");
        n = vm_gram_name(p);
        body = n && n < sizeof(name) ? vm_gram_rule(p, n) : NULL;

        if (body == NULL) {
            continue;
        }

        memcpy(name, p, n);
        name[n] = '\0';

        if (json_object_get(g->rules, name) == NULL) {
            json_object_set_new(g->rules, name,
                                json_integer((json_int_t) (body - text)));
        }
    }
}


static const char *
vm_gram_find(vm_gram_t *g, const char *name, size_t len)
{
    char           copy[VM_GRAM_NAME];
    const json_t  *at;

    if (len >= sizeof(copy)) {
        return NULL;
    }

    memcpy(copy, name, len);
    copy[len] = '\0';
    at = json_object_get(g->rules, copy);

    return at ? g->text + json_integer_value(at) : NULL;
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

    if (g->out) {
        g->steps = g->out->len < VM_GRAM_BYTES && g->steps ? g->steps - 1 : 0;
    }

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
        if (++g->nest > VM_GRAM_NEST) {
            return vm_gram_fail(g, "groups are nested too deeply");
        }

        g->p++;
        rc = vm_gram_alternatives(g);
        g->nest--;
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

    if (++g->depth > VM_GRAM_RULES) {
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

        for (i = 0; i < n && out && g->steps; i++) {
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
    g.steps = VM_GRAM_STEPS;
    g.rules = json_object();

    vm_gram_index(&g, grammar);

    g.p = vm_gram_find(&g, "root", 4);

    if (g.p == NULL) {
        g.p = vm_gram_find(&g, "start", 5);
    }

    if (g.p == NULL) {
        vm_gram_fail(&g, "no rule \"root\" or \"start\"");

    } else {
        (void) vm_gram_alternatives(&g);
    }

    json_decref(g.rules);

    if (g.error) {
        return vm_error_printf(e, pool, 400, "BadRequestError", NULL,
                               "Grammar error: %s", g.error);
    }

    return VM_OK;
}
