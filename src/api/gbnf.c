/*
 * GBNF: "root ::= ..." with literals, classes, groups, repetitions.  What is
 * wrong is told as guidance tells it, to which vLLM gives what xgrammar
 * refuses.
 */

#include <ctype.h>
#include <stdio.h>
#include "grammar.h"


#define VM_GBNF_SEEN  20                /* characters shown beside an error */


static vm_grammar_node_t *vm_gbnf_choice(vm_grammar_t *g, int nested);


/* ---- errors ---- */

/* Characters before a place, and after it. */

static const char *
vm_gbnf_back(const vm_grammar_t *g, const char *p, unsigned n)
{
    while (p > g->text && n) {
        p--;
        n -= (*p & 0xc0) != 0x80;
    }

    return p;
}


static const char *
vm_gbnf_ahead(const vm_grammar_t *g, const char *p, unsigned n)
{
    while (p < g->end && n) {
        p++;

        while (p < g->end && (*p & 0xc0) == 0x80) {
            p++;
        }

        n--;
    }

    return p;
}


static void *
vm_gbnf_fail(vm_grammar_t *g, const char *at, const char *message)
{
    size_t       line;
    vm_buf_t     b;
    const char  *p;

    if (g->error) {
        return NULL;
    }

    for (line = 1, p = g->text; p < at; p++) {
        line += *p == '\n';
    }

    vm_buf_init(&b);
    vm_buf_printf(&b, "Invalid grammar specification: Failed to convert the "
                  "grammar from GBNF to Lark: %s at line %zu, ", message,
                  line);

    p = vm_gbnf_back(g, at, VM_GBNF_SEEN);
    vm_value_repr_str(&b, p, (size_t) (at - p));
    vm_buf_lit(&b, " ^ ");
    p = vm_gbnf_ahead(g, at, VM_GBNF_SEEN);
    vm_value_repr_str(&b, at, (size_t) (p - at));

    g->error = vm_pool_strdup(g->pool, b.data ? b.data : "", b.len);
    vm_buf_free(&b);

    return NULL;
}


/* ---- blanks and names ---- */

static void
vm_gbnf_blank(vm_grammar_t *g, int lines)
{
    while (g->p < g->end) {

        if (*g->p == '#') {
            g->p = memchr(g->p, '\n', (size_t) (g->end - g->p));
            g->p = g->p ? g->p : g->end;

        } else if (*g->p == ' ' || *g->p == '\t'
                   || (lines && (*g->p == '\n' || *g->p == '\r')))
        {
            g->p++;

        } else {
            return;
        }
    }
}


static int
vm_gbnf_word(char c)
{
    return isalnum((unsigned char) c) || c == '-' || c == '_' || (c & 0x80);
}


static vm_str_t
vm_gbnf_name(vm_grammar_t *g)
{
    vm_str_t  name;

    name.data = g->p;

    while (g->p < g->end && vm_gbnf_word(*g->p)) {
        g->p++;
    }

    name.len = (size_t) (g->p - name.data);

    return name;
}


/* ---- what rules are made of ---- */

/* Skips a character or an escape; 0: it is broken, or there is none. */

static int
vm_gbnf_char(vm_grammar_t *g)
{
    char         c, message[40];
    unsigned     digits, i;
    const char  *at;

    if (g->p == g->end) {
        vm_gbnf_fail(g, g->p, "Unexpected end of input");
        return 0;
    }

    if (*g->p++ != '\\') {
        return 1;
    }

    if (g->p == g->end) {
        vm_gbnf_fail(g, g->p - 1, "Incomplete escape sequence");
        return 0;
    }

    at = g->p;
    c = *g->p++;
    digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;

    for (i = 0; i < digits; i++, g->p++) {
        if (g->p == g->end || !isxdigit((unsigned char) *g->p)) {
            snprintf(message, sizeof(message), "Invalid \\%c escape sequence: "
                     "\\%c%.*s", c, c,
                     (int) vm_min(digits, (size_t) (g->end - at - 1)), at + 1);
            vm_gbnf_fail(g, at, message);
            return 0;
        }
    }

    if (digits == 0 && strchr("\"\\[]nrt-^", c) == NULL) {
        snprintf(message, sizeof(message), "Invalid escape sequence \\%c", c);
        vm_gbnf_fail(g, at, message);
        return 0;
    }

    return 1;
}


/*
 * A literal or a class ends at its quote or bracket.  A literal becomes a
 * pattern too: its escapes are the same, its other characters are themselves.
 */

static vm_grammar_node_t *
vm_gbnf_quoted(vm_grammar_t *g, char close)
{
    vm_buf_t            b, why;
    const char         *from, *start;
    vm_grammar_node_t  *node;

    vm_buf_init(&b);
    vm_buf_init(&why);

    start = g->p++;

    for ( ;; ) {
        from = g->p;

        if (!vm_gbnf_char(g)) {
            vm_buf_free(&b);
            return NULL;
        }

        if (*from == close) {
            break;
        }

        if (close == '"' && strchr(".*+?()[]{}|^$", *from) && *from) {
            vm_buf_char(&b, '\\');
        }

        vm_buf_add(&b, from, (size_t) (g->p - from));
    }

    node = close == '"'
           ? vm_grammar_pattern(g, b.data ? b.data : "", b.len, &why)
           : vm_grammar_pattern(g, start, (size_t) (g->p - start), &why);

    if (node == NULL) {
        vm_gbnf_fail(g, start, "Invalid character class");
    }

    vm_buf_free(&b);
    vm_buf_free(&why);

    return node;
}


static vm_grammar_node_t *
vm_gbnf_group(vm_grammar_t *g, int nested)
{
    vm_grammar_node_t  *node;

    if (++g->nest > VM_GRAMMAR_NEST) {
        return vm_gbnf_fail(g, g->p, "Groups are nested too deeply");
    }

    g->p++;
    vm_gbnf_blank(g, 1);
    node = vm_gbnf_choice(g, 1);
    g->nest--;

    if (node == NULL) {
        return NULL;
    }

    if (g->p == g->end || *g->p != ')') {
        return vm_gbnf_fail(g, g->p, "Expected ')'");
    }

    g->p++;
    vm_gbnf_blank(g, nested);

    return node;
}


/* {n}, {n,}, {n,m} */

static vm_grammar_node_t *
vm_gbnf_counts(vm_grammar_t *g, vm_grammar_node_t *node)
{
    uint32_t  max, min;

    g->p++;
    vm_gbnf_blank(g, 1);

    if (g->p == g->end || !isdigit((unsigned char) *g->p)) {
        return vm_gbnf_fail(g, g->p, "Expected integer");
    }

    min = vm_grammar_number(g);
    max = min;
    vm_gbnf_blank(g, 1);

    if (g->p < g->end && *g->p == ',') {
        g->p++;
        vm_gbnf_blank(g, 1);
        max = g->p < g->end && isdigit((unsigned char) *g->p)
              ? vm_grammar_number(g) : VM_GRAMMAR_OPEN;
        vm_gbnf_blank(g, 1);

        if (g->p == g->end || *g->p != '}') {
            return vm_gbnf_fail(g, g->p, "Expected '}'");
        }

    } else if (g->p == g->end || *g->p != '}') {
        return vm_gbnf_fail(g, g->p, "Expected ',' or '}'");
    }

    g->p++;

    return vm_grammar_repeat(g, node, min, max);
}


static vm_grammar_node_t *
vm_gbnf_repeated(vm_grammar_t *g, vm_grammar_node_t *node)
{
    if (g->p == g->end) {
        return node;
    }

    switch (*g->p) {

    case '*':
        g->p++;
        return vm_grammar_repeat(g, node, 0, VM_GRAMMAR_OPEN);

    case '+':
        g->p++;
        return vm_grammar_repeat(g, node, 1, VM_GRAMMAR_OPEN);

    case '?':
        g->p++;
        return vm_grammar_repeat(g, node, 0, 1);

    case '{':
        return vm_gbnf_counts(g, node);

    default:
        return node;
    }
}


/* NULL without an error: the sequence ends here. */

static vm_grammar_node_t *
vm_gbnf_atom(vm_grammar_t *g, int nested)
{
    vm_str_t            name;
    vm_buf_t            why;
    vm_grammar_node_t  *node;

    switch (*g->p) {

    case '"':
        return vm_gbnf_quoted(g, '"');

    case '[':
        return vm_gbnf_quoted(g, ']');

    case '(':
        return vm_gbnf_group(g, nested);

    case '.':
        vm_buf_init(&why);
        node = vm_grammar_pattern(g, g->p++, 1, &why);
        vm_buf_free(&why);
        return node;

    default:
        break;
    }

    if (!vm_gbnf_word(*g->p)) {
        return NULL;
    }

    name = vm_gbnf_name(g);
    node = vm_grammar_node(g, VM_GRAMMAR_RULE);

    if (node) {
        node->text = name.data;
        node->len = name.len;
    }

    return node;
}


static vm_grammar_node_t *
vm_gbnf_sequence(vm_grammar_t *g, int nested)
{
    vm_grammar_node_t  *all, **last, *node;

    all = vm_grammar_node(g, VM_GRAMMAR_SEQUENCE);
    if (all == NULL) {
        return NULL;
    }

    last = &all->child;

    while (g->p < g->end && *g->p != '|' && *g->p != ')'
           && (nested || (*g->p != '\n' && *g->p != '\r')))
    {
        node = vm_gbnf_atom(g, nested);

        if (node == NULL) {
            return g->error ? NULL : all;
        }

        vm_gbnf_blank(g, nested);
        node = vm_gbnf_repeated(g, node);

        if (node == NULL) {
            return NULL;
        }

        vm_gbnf_blank(g, nested);
        vm_grammar_append(all, &last, node);
    }

    return all;
}


static vm_grammar_node_t *
vm_gbnf_choice(vm_grammar_t *g, int nested)
{
    const char         *line;
    vm_grammar_node_t  *all, **last, *node;

    all = vm_grammar_node(g, VM_GRAMMAR_CHOICE);
    if (all == NULL) {
        return NULL;
    }

    for (last = &all->child; /* void */ ; /* void */ ) {
        node = vm_gbnf_sequence(g, nested);
        if (node == NULL) {
            return NULL;
        }

        vm_grammar_append(all, &last, node);

        /* a line that begins with "|" goes on with the rule */

        line = g->p;
        vm_gbnf_blank(g, 1);

        if (g->p == g->end || *g->p != '|') {
            g->p = nested ? g->p : line;
            return all;
        }

        g->p++;
        vm_gbnf_blank(g, 1);
    }
}


int
vm_gbnf_parse(vm_grammar_t *g)
{
    vm_str_t            name;
    vm_grammar_node_t  *body;

    for (vm_gbnf_blank(g, 1); g->p < g->end; vm_gbnf_blank(g, 1)) {
        name = vm_gbnf_name(g);

        if (name.len == 0) {
            vm_gbnf_fail(g, g->p, "Expected name");
            return VM_ERROR;
        }

        vm_gbnf_blank(g, 0);

        if (g->end - g->p < 3 || memcmp(g->p, "::=", 3) != 0) {
            vm_gbnf_fail(g, g->p, "Expected ::=");
            return VM_ERROR;
        }

        g->p += 3;
        vm_gbnf_blank(g, 1);
        body = vm_gbnf_choice(g, 0);

        if (body == NULL
            || vm_grammar_define(g, name.data, name.len, body) != VM_OK)
        {
            return VM_ERROR;
        }
    }

    return VM_OK;
}
