/*
 * A text of a grammar.
 */

#include <ctype.h>
#include <stdlib.h>
#include "constraint.h"
#include "grammar.h"
#include "../base/rand.h"


#define VM_GRAMMAR_DEPTH   200          /* rules in one another */
#define VM_GRAMMAR_DEEP    8            /* from here on it should end */
#define VM_GRAMMAR_STEPS   100000       /* of writing */
#define VM_GRAMMAR_BYTES   262144       /* of a text, about */
#define VM_GRAMMAR_MORE    2            /* times above an open minimum */
#define VM_GRAMMAR_SPREAD  255
#define VM_GRAMMAR_RULES   4096


/* ---- trees ---- */

vm_grammar_node_t *
vm_grammar_node(vm_grammar_t *g, vm_grammar_e kind)
{
    vm_grammar_node_t  *node;

    node = vm_pool_calloc(g->pool, 1, sizeof(vm_grammar_node_t));

    if (node) {
        node->kind = kind;
    }

    return node;
}


void
vm_grammar_append(vm_grammar_node_t *parent, vm_grammar_node_t ***last,
    vm_grammar_node_t *child)
{
    **last = child;
    *last = &child->next;
    parent->n++;
}


vm_grammar_node_t *
vm_grammar_pattern(vm_grammar_t *g, const char *s, size_t len, vm_buf_t *why)
{
    vm_grammar_node_t  *node;

    node = vm_grammar_node(g, VM_GRAMMAR_PATTERN);

    if (node) {
        node->pattern = vm_regex_parse(s, len, 0, g->pool, why);
    }

    return node && node->pattern ? node : NULL;
}


vm_grammar_node_t *
vm_grammar_repeat(vm_grammar_t *g, vm_grammar_node_t *node, uint32_t min,
    uint32_t max)
{
    vm_grammar_node_t  *all;

    all = vm_grammar_node(g, VM_GRAMMAR_REPEAT);

    if (all) {
        all->min = min;
        all->max = vm_max(max, min);
        all->child = node;
    }

    return all;
}


int
vm_grammar_define(vm_grammar_t *g, const char *name, size_t len,
    vm_grammar_node_t *body)
{
    char  *key;

    key = vm_pool_strdup(g->pool, name, len);

    if (key == NULL || g->nrules == VM_GRAMMAR_RULES) {
        return VM_ERROR;
    }

    g->rules[g->nrules].body = body;
    g->rules[g->nrules].levels = VM_NEVER;

    return json_object_set_new(g->names, key, json_integer(g->nrules++)) == 0
           ? VM_OK : VM_ERROR;
}


uint32_t
vm_grammar_number(vm_grammar_t *g)
{
    uint64_t  n;

    for (n = 0; g->p < g->end && isdigit((unsigned char) *g->p); g->p++) {
        n = vm_min(n * 10 + (uint64_t) (*g->p - '0'), VM_GRAMMAR_OPEN - 1);
    }

    return (uint32_t) n;
}


/* Numbers for names; the first name that no rule has. */

static const vm_grammar_node_t *
vm_grammar_resolve(vm_grammar_t *g, vm_grammar_node_t *node)
{
    char                      name[256];
    const json_t             *number;
    vm_grammar_node_t        *one;
    const vm_grammar_node_t  *missing;

    if (node->kind == VM_GRAMMAR_RULE) {

        if (node->len >= sizeof(name)) {
            return node;
        }

        memcpy(name, node->text, node->len);
        name[node->len] = '\0';
        number = json_object_get(g->names, name);
        node->rule = (uint32_t) json_integer_value(number);

        return number ? NULL : node;
    }

    for (one = node->child; one; one = one->next) {
        missing = vm_grammar_resolve(g, one);

        if (missing) {
            return missing;
        }
    }

    return NULL;
}


/* The least number of rules in one another that a node needs. */

static uint32_t
vm_grammar_levels(const vm_grammar_t *g, const vm_grammar_node_t *node)
{
    uint32_t                  all, levels;
    const vm_grammar_node_t  *one;

    switch (node->kind) {

    case VM_GRAMMAR_RULE:
        levels = g->rules[node->rule].levels;
        return levels == VM_NEVER ? VM_NEVER : levels + 1;

    case VM_GRAMMAR_REPEAT:
        return node->min ? vm_grammar_levels(g, node->child) : 0;

    case VM_GRAMMAR_SEQUENCE:
        for (all = 0, one = node->child; one; one = one->next) {
            levels = vm_grammar_levels(g, one);
            all = vm_max(all, levels);
        }

        return all;

    case VM_GRAMMAR_CHOICE:
        for (all = VM_NEVER, one = node->child; one; one = one->next) {
            levels = vm_grammar_levels(g, one);
            all = vm_min(all, levels);
        }

        return all;

    default:
        return 0;
    }
}


/* Until no rule is found to end sooner. */

static void
vm_grammar_measure(vm_grammar_t *g)
{
    int       more;
    uint32_t  i, levels, round;

    for (round = 0, more = 1; more && round < VM_GRAMMAR_DEPTH; round++) {

        for (more = 0, i = 0; i < g->nrules; i++) {
            levels = vm_grammar_levels(g, g->rules[i].body);

            if (levels < g->rules[i].levels) {
                g->rules[i].levels = levels;
                more = 1;
            }
        }
    }
}


/* ---- writing ---- */

typedef struct {
    const vm_grammar_t  *g;
    uint64_t             key;
    uint64_t             draws;
    unsigned             depth;
    unsigned             steps;         /* that are left */
    vm_buf_t            *out;
} vm_grammar_writer_t;


static void vm_grammar_write(vm_grammar_writer_t *w,
    const vm_grammar_node_t *node);


static uint64_t
vm_grammar_draw(vm_grammar_writer_t *w, uint64_t n)
{
    return vm_rand_at(w->key, w->draws++) % n;
}


/* Far down it is the branch that ends the soonest, else any that ends. */

static const vm_grammar_node_t *
vm_grammar_pick(vm_grammar_writer_t *w, const vm_grammar_node_t *choice)
{
    uint32_t                  best, ends, levels;
    uint64_t                  n;
    const vm_grammar_node_t  *found, *one;

    ends = 0;
    best = VM_NEVER;
    found = choice->child;

    for (one = choice->child; one; one = one->next) {
        levels = vm_grammar_levels(w->g, one);
        ends += levels != VM_NEVER;

        if (levels < best) {
            best = levels;
            found = one;
        }
    }

    if (ends < 2 || w->depth > VM_GRAMMAR_DEEP) {
        return found;
    }

    n = vm_grammar_draw(w, ends);

    for (one = choice->child; one; one = one->next) {
        if (vm_grammar_levels(w->g, one) != VM_NEVER && n-- == 0) {
            break;
        }
    }

    return one;
}


static void
vm_grammar_times(vm_grammar_writer_t *w, const vm_grammar_node_t *node)
{
    uint32_t  i, n, spread;

    n = node->min;

    if (w->depth <= VM_GRAMMAR_DEEP
        && vm_grammar_levels(w->g, node->child) != VM_NEVER)
    {
        spread = node->max == VM_GRAMMAR_OPEN
                 ? VM_GRAMMAR_MORE
                 : vm_min(node->max - node->min, VM_GRAMMAR_SPREAD);
        n += (uint32_t) vm_grammar_draw(w, (uint64_t) spread + 1);
    }

    for (i = 0; i < n && w->steps; i++) {
        vm_grammar_write(w, node->child);
    }
}


static void
vm_grammar_schema(vm_grammar_writer_t *w, const vm_grammar_node_t *node)
{
    vm_error_t  e;

    memset(&e, 0, sizeof(vm_error_t));

    (void) vm_constraint_schema(node->schema, vm_rand_at(w->key, w->draws++),
                                w->out, &e, w->g->pool);
}


static void
vm_grammar_write(vm_grammar_writer_t *w, const vm_grammar_node_t *node)
{
    const vm_grammar_node_t  *one;

    if (w->steps == 0 || w->out->len > VM_GRAMMAR_BYTES) {
        w->steps = 0;
        return;
    }

    w->steps--;

    switch (node->kind) {

    case VM_GRAMMAR_TEXT:
        vm_buf_add(w->out, node->text, node->len);
        break;

    case VM_GRAMMAR_PATTERN:
        vm_regex_write(node->pattern, vm_rand_at(w->key, w->draws++), 3,
                       w->out);
        break;

    case VM_GRAMMAR_SCHEMA:
        vm_grammar_schema(w, node);
        break;

    case VM_GRAMMAR_RULE:
        if (w->depth < VM_GRAMMAR_DEPTH) {
            w->depth++;
            vm_grammar_write(w, w->g->rules[node->rule].body);
            w->depth--;
        }

        break;

    case VM_GRAMMAR_SEQUENCE:
        for (one = node->child; one; one = one->next) {
            vm_grammar_write(w, one);
        }

        break;

    case VM_GRAMMAR_CHOICE:
        one = vm_grammar_pick(w, node);

        if (one) {
            vm_grammar_write(w, one);
        }

        break;

    default: /* VM_GRAMMAR_REPEAT */
        vm_grammar_times(w, node);
        break;
    }
}


/* ---- the constraint ---- */

/*
 * It is Lark where a line has a colon and none has the sign of GBNF, outside
 * of comments.
 */

static int
vm_grammar_is_lark(const char *s)
{
    int          colon;
    const char  *comment, *end, *sign;

    for (colon = 0; /* void */ ; s = end + 1) {
        end = s + strcspn(s, "\n");
        sign = strstr(s, "::=");

        for (comment = s; comment < end && *comment != '#'
                          && !(comment[0] == '/' && comment[1] == '/');
             comment++) { /* void */ }

        if (sign && sign < comment) {
            return 0;
        }

        colon |= memchr(s, ':', (size_t) (comment - s)) != NULL;

        if (*end == '\0') {
            return colon;
        }
    }
}


/* What is missing when all rules are read: a rule that is named, the first. */

static void
vm_grammar_check(vm_grammar_t *g, int lark)
{
    uint32_t                  i;
    const vm_grammar_node_t  *missing;

    for (i = 0; i < g->nrules && g->error == NULL; i++) {
        missing = vm_grammar_resolve(g, g->rules[i].body);

        if (missing == NULL) {
            continue;
        }

        g->error = lark
                   ? vm_lark_unknown(g, missing)
                   : vm_pool_printf(g->pool, "Invalid grammar specification: "
                                    "Failed to convert the grammar from GBNF "
                                    "to Lark: Rule '%.*s' not found",
                                    (int) missing->len, missing->text);
    }

    if (g->error == NULL
        && json_object_get(g->names, lark ? "start" : "root") == NULL)
    {
        g->error = lark ? "Grammar error: no start rule found"
                        : "Invalid grammar specification: Failed to convert "
                          "the grammar from GBNF to Lark: No 'root' rule "
                          "found";
    }
}


int
vm_constraint_grammar(const char *grammar, uint64_t key, vm_buf_t *out,
    vm_error_t *e, vm_pool_t *pool)
{
    int                  lark;
    uint32_t             first;
    vm_grammar_t         g;
    vm_grammar_writer_t  w;

    memset(&g, 0, sizeof(vm_grammar_t));

    g.text = grammar;
    g.p = grammar;
    g.end = grammar + strlen(grammar);
    g.pool = pool;
    g.names = json_object();
    g.rules = vm_pool_alloc(pool, VM_GRAMMAR_RULES
                                  * sizeof(vm_grammar_rule_t));

    if (g.names == NULL || g.rules == NULL) {
        json_decref(g.names);
        return vm_error_memory(e);
    }

    lark = vm_grammar_is_lark(grammar);

    if ((lark ? vm_lark_parse(&g) : vm_gbnf_parse(&g)) == VM_OK) {
        vm_grammar_check(&g, lark);

    } else if (g.error == NULL) {
        g.error = "Grammar error: the grammar is too large";
    }

    first = (uint32_t) json_integer_value(json_object_get(g.names, lark
                                                          ? "start" : "root"));
    json_decref(g.names);

    if (g.error) {
        return vm_error_bad(e, g.error);
    }

    vm_grammar_measure(&g);

    w.g = &g;
    w.key = key;
    w.draws = 0;
    w.depth = 0;
    w.steps = VM_GRAMMAR_STEPS;
    w.out = out;

    if (g.rules[first].levels != VM_NEVER) {
        vm_grammar_write(&w, g.rules[first].body);
    }

    return VM_OK;
}
