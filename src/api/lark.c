/*
 * Lark's grammars, as llguidance reads them: "start: ...", terminals in
 * capitals, strings, patterns, ranges, %json, a few of Lark's common
 * terminals.
 */

#include <ctype.h>
#include "grammar.h"


static vm_grammar_node_t *vm_lark_choice(vm_grammar_t *g);


/* Terminals that "%import common.NAME" brings. */

static const struct {
    const char  *name;
    const char  *pattern;
}  vm_lark_common[] = {
    { "CNAME", "[_a-zA-Z][_a-zA-Z0-9]*" }, { "DECIMAL", "[0-9]+\\.[0-9]+" },
    { "DIGIT", "[0-9]" }, { "ESCAPED_STRING", "\"[a-z ]*\"" },
    { "FLOAT", "[0-9]+\\.[0-9]+" }, { "HEXDIGIT", "[0-9a-fA-F]" },
    { "INT", "[0-9]+" }, { "LCASE_LETTER", "[a-z]" },
    { "LETTER", "[a-zA-Z]" }, { "NEWLINE", "\\n" },
    { "NUMBER", "[0-9]+(\\.[0-9]+)?" },
    { "SIGNED_FLOAT", "[-+]?[0-9]+\\.[0-9]+" },
    { "SIGNED_INT", "[-+]?[0-9]+" },
    { "SIGNED_NUMBER", "[-+]?[0-9]+(\\.[0-9]+)?" },
    { "UCASE_LETTER", "[A-Z]" }, { "WORD", "[a-zA-Z]+" }, { "WS", " " },
    { "WS_INLINE", " " }
};


/* ---- errors ---- */

/*
 * "Grammar error: at LINE(COLUMN): ..." with the line below it.  The place is
 * where the rule's body begins, as there.
 */

static const char *
vm_lark_say(vm_grammar_t *g, const char *at, const char *message)
{
    size_t       line;
    const char  *end, *p, *start;

    start = g->text;

    for (line = 1, p = g->text; p < at; p++) {
        if (*p == '\n') {
            line++;
            start = p + 1;
        }
    }

    end = start + strcspn(start, "\n");

    /* the body of the rule on this line */

    p = memchr(start, ':', (size_t) (end - start));

    if (p && p < at) {
        for (p++; *p == ' ' || *p == '\t'; p++) { /* void */ }
        at = p;
    }

    return vm_pool_printf(g->pool, "Grammar error: at %zu(%zu): %s\n%4zu | "
                          "%.*s\n%*s^\n", line, (size_t) (at - start) + 1,
                          message, line, (int) (end - start), start,
                          (int) (at - start) + 7, "");
}


static void *
vm_lark_fail(vm_grammar_t *g, const char *at, const char *message)
{
    if (g->error == NULL) {
        g->error = vm_lark_say(g, at, message);
    }

    return NULL;
}


const char *
vm_lark_unknown(vm_grammar_t *g, const vm_grammar_node_t *node)
{
    return vm_lark_say(g, node->text,
                       vm_pool_printf(g->pool, "unknown name: \"%.*s\"",
                                      (int) node->len, node->text));
}


/* ---- blanks, names, where a rule begins ---- */

static void
vm_lark_blank(vm_grammar_t *g, int lines)
{
    while (g->p < g->end) {

        if (*g->p == '#' || (g->p[0] == '/' && g->p[1] == '/')) {
            g->p += strcspn(g->p, "\n");

        } else if (*g->p == ' ' || *g->p == '\t' || *g->p == '\r'
                   || (lines && *g->p == '\n'))
        {
            g->p++;

        } else {
            return;
        }
    }
}


static vm_str_t
vm_lark_name(vm_grammar_t *g)
{
    vm_str_t  name;

    name.data = g->p;

    while (g->p < g->end
           && (isalnum((unsigned char) *g->p) || *g->p == '_'
               || *g->p == '-' || (*g->p & 0x80)))
    {
        /* "->" is no part of a name */

        if (g->p[0] == '-' && g->p[1] == '>') {
            break;
        }

        g->p++;
    }

    name.len = (size_t) (g->p - name.data);

    return name;
}


/* Is there "name:", "?name[...]:", "NAME.2:" or a "%" line? */

static int
vm_lark_begins(vm_grammar_t *g)
{
    int          is;
    const char  *back;

    back = g->p;

    if (*g->p == '%') {
        return strncmp(g->p, "%json", 5) != 0;
    }

    g->p += *g->p == '?' || *g->p == '!';

    if (vm_lark_name(g).len == 0) {
        g->p = back;
        return 0;
    }

    if (*g->p == '[') {
        g->p += strcspn(g->p, "]\n");
        g->p += *g->p == ']';
    }

    if (*g->p == '.' && isdigit((unsigned char) g->p[1])) {
        g->p++;
        (void) vm_grammar_number(g);
    }

    vm_lark_blank(g, 0);
    is = *g->p == ':';
    g->p = back;

    return is;
}


/* ---- what rules are made of ---- */

static int
vm_lark_hex(const char *p, unsigned n)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        if (!isxdigit((unsigned char) p[i])) {
            return 0;
        }
    }

    return 1;
}


/* "text", as a JSON string has it, with \xHH besides; *i: an "i" follows. */

static char *
vm_lark_text(vm_grammar_t *g, size_t *len)
{
    char        *text;
    json_t      *v;
    vm_buf_t     b;
    const char  *start;

    start = g->p++;
    vm_buf_init(&b);
    vm_buf_char(&b, '"');

    while (g->p < g->end && *g->p != '"' && *g->p != '\n') {

        if (*g->p != '\\') {
            vm_buf_char(&b, *g->p++);
            continue;
        }

        g->p++;

        if (*g->p == 'x' && vm_lark_hex(g->p + 1, 2)) {
            vm_buf_printf(&b, "\\u00%.2s", g->p + 1);
            g->p += 3;

        } else if (*g->p) {
            vm_buf_str(&b, strchr("\"\\/bfnrtu", *g->p) ? "\\" : "\\\\");
            vm_buf_char(&b, *g->p++);
        }
    }

    if (*g->p != '"') {
        vm_buf_free(&b);
        return vm_lark_fail(g, start, "unterminated string");
    }

    g->p++;
    vm_buf_char(&b, '"');
    v = json_loadb(b.data ? b.data : "", b.len, JSON_DECODE_ANY
                                                | JSON_ALLOW_NUL, NULL);
    vm_buf_free(&b);

    if (!json_is_string(v)) {
        json_decref(v);
        return vm_lark_fail(g, start, "invalid string");
    }

    *len = json_string_length(v);
    text = vm_pool_strdup(g->pool, json_string_value(v), *len);
    json_decref(v);

    return text;
}


static vm_grammar_node_t *
vm_lark_string(vm_grammar_t *g)
{
    char               *text;
    size_t              len, n;
    vm_buf_t            b, why;
    const char         *start;
    vm_grammar_node_t  *node;

    start = g->p;
    text = vm_lark_text(g, &len);
    if (text == NULL) {
        return NULL;
    }

    if (g->p[0] == '.' && g->p[1] == '.' && g->p[2] == '"') {
        g->p += 2;
        vm_buf_init(&b);
        vm_buf_init(&why);
        vm_buf_printf(&b, "[%.*s-", (int) len, text);
        text = vm_lark_text(g, &n);

        if (text == NULL) {
            vm_buf_free(&b);
            return NULL;
        }

        vm_buf_printf(&b, "%.*s]", (int) n, text);
        node = vm_grammar_pattern(g, b.data ? b.data : "", b.len, &why);
        vm_buf_free(&b);
        vm_buf_free(&why);

        return node ? node : vm_lark_fail(g, start, "invalid range");
    }

    g->p += *g->p == 'i' && !isalnum((unsigned char) g->p[1]);
    node = vm_grammar_node(g, VM_GRAMMAR_TEXT);

    if (node) {
        node->text = text;
        node->len = len;
    }

    return node;
}


static vm_grammar_node_t *
vm_lark_pattern(vm_grammar_t *g)
{
    vm_buf_t            b, why;
    const char         *p, *start;
    vm_grammar_node_t  *node;

    start = g->p++;

    for (p = g->p; *p && *p != '/' && *p != '\n'; p++) {
        p += *p == '\\' && p[1] && p[1] != '\n';
    }

    if (*p != '/') {
        return vm_lark_fail(g, start, "unterminated pattern");
    }

    vm_buf_init(&b);
    vm_buf_init(&why);
    node = vm_grammar_pattern(g, g->p, (size_t) (p - g->p), &why);

    if (node == NULL && g->error == NULL) {
        vm_buf_lit(&b, "invalid regex \"");
        vm_buf_add(&b, g->p, (size_t) (p - g->p));
        vm_buf_lit(&b, "\" (in regex): ");
        vm_buf_add(&b, why.data ? why.data : "", why.len);
        vm_buf_char(&b, '\0');
        vm_lark_fail(g, start, b.data ? b.data : "");
    }

    vm_buf_free(&b);
    vm_buf_free(&why);

    for (g->p = p + 1; *g->p && strchr("imslux", *g->p); g->p++) {
        /* flags */
    }

    return node;
}


/* %json {...} */

static vm_grammar_node_t *
vm_lark_json(vm_grammar_t *g)
{
    json_t             *schema;
    json_error_t        error;
    vm_grammar_node_t  *node;

    g->p += sizeof("%json") - 1;
    vm_lark_blank(g, 1);

    schema = json_loadb(g->p, (size_t) (g->end - g->p),
                        JSON_DISABLE_EOF_CHECK, &error);

    if (schema == NULL
        || vm_pool_cleanup(g->pool, (void (*)(void *)) json_delete, schema)
           != VM_OK)
    {
        json_decref(schema);
        return vm_lark_fail(g, g->p, "invalid JSON schema");
    }

    g->p += error.position;
    node = vm_grammar_node(g, VM_GRAMMAR_SCHEMA);

    if (node) {
        node->schema = schema;
    }

    return node;
}


static vm_grammar_node_t *
vm_lark_group(vm_grammar_t *g, char close)
{
    vm_grammar_node_t  *node;
    const char         *open;

    open = g->p++;

    if (++g->nest > VM_GRAMMAR_NEST) {
        return vm_lark_fail(g, open, "groups are nested too deeply");
    }

    node = vm_lark_choice(g);
    g->nest--;

    if (node == NULL) {
        return NULL;
    }

    vm_lark_blank(g, 1);

    if (*g->p != close) {
        return vm_lark_fail(g, open, "unclosed group");
    }

    g->p++;

    return close == ']' ? vm_grammar_repeat(g, node, 0, 1) : node;
}


static vm_grammar_node_t *
vm_lark_atom(vm_grammar_t *g)
{
    vm_str_t            name;
    vm_grammar_node_t  *node;

    switch (*g->p) {

    case '"':
        return vm_lark_string(g);

    case '/':
        return vm_lark_pattern(g);

    case '(':
        return vm_lark_group(g, ')');

    case '[':
        return vm_lark_group(g, ']');

    case '%':
        return vm_lark_json(g);

    default:
        break;
    }

    name = vm_lark_name(g);

    if (name.len == 0) {
        return vm_lark_fail(g, g->p, "unexpected character");
    }

    node = vm_grammar_node(g, VM_GRAMMAR_RULE);

    if (node) {
        node->text = name.data;
        node->len = name.len;
    }

    return node;
}


/* "*", "+", "?", "~2", "~2..3", "{2,3}" */

static vm_grammar_node_t *
vm_lark_repeated(vm_grammar_t *g, vm_grammar_node_t *node)
{
    char      sign;
    uint32_t  max, min;

    sign = *g->p;

    if (sign == '\0' || strchr("*+?~{", sign) == NULL) {
        return node;
    }

    g->p++;

    if (sign == '*' || sign == '+' || sign == '?') {
        return vm_grammar_repeat(g, node, sign == '+',
                                 sign == '?' ? 1 : VM_GRAMMAR_OPEN);
    }

    vm_lark_blank(g, 0);

    if (!isdigit((unsigned char) *g->p)) {
        return vm_lark_fail(g, g->p, "a number is expected");
    }

    min = vm_grammar_number(g);
    max = min;
    vm_lark_blank(g, 0);

    if (*g->p == ',' || (g->p[0] == '.' && g->p[1] == '.')) {
        g->p += *g->p == ',' ? 1 : 2;
        vm_lark_blank(g, 0);
        max = isdigit((unsigned char) *g->p) ? vm_grammar_number(g)
                                             : VM_GRAMMAR_OPEN;
        vm_lark_blank(g, 0);
    }

    if (sign == '{') {

        if (*g->p != '}') {
            return vm_lark_fail(g, g->p, "\"}\" is expected");
        }

        g->p++;
    }

    return vm_grammar_repeat(g, node, min, max);
}


/* To "|", a bracket, the next rule; an alias is passed over. */

static vm_grammar_node_t *
vm_lark_sequence(vm_grammar_t *g)
{
    vm_grammar_node_t  *all, **last, *node;

    all = vm_grammar_node(g, VM_GRAMMAR_SEQUENCE);
    if (all == NULL) {
        return NULL;
    }

    for (last = &all->child; /* void */ ; /* void */ ) {
        vm_lark_blank(g, 1);

        if (g->p[0] == '-' && g->p[1] == '>') {
            g->p += 2;
            vm_lark_blank(g, 0);
            (void) vm_lark_name(g);
            vm_lark_blank(g, 1);
        }

        if (g->p == g->end || strchr("|)]", *g->p) || vm_lark_begins(g)) {
            return all;
        }

        node = vm_lark_atom(g);

        if (node) {
            node = vm_lark_repeated(g, node);
        }

        if (node == NULL) {
            return NULL;
        }

        vm_grammar_append(all, &last, node);
    }
}


static vm_grammar_node_t *
vm_lark_choice(vm_grammar_t *g)
{
    vm_grammar_node_t  *all, **last, *node;

    all = vm_grammar_node(g, VM_GRAMMAR_CHOICE);
    if (all == NULL) {
        return NULL;
    }

    for (last = &all->child; /* void */ ; g->p++) {
        node = vm_lark_sequence(g);
        if (node == NULL) {
            return NULL;
        }

        vm_grammar_append(all, &last, node);

        if (*g->p != '|') {
            return all;
        }
    }
}


/* %import common.INT -> NUMBER; other lines with "%" are passed over. */

static int
vm_lark_import(vm_grammar_t *g)
{
    size_t              i;
    vm_buf_t            why;
    vm_str_t            as, name;
    const char         *line;
    vm_grammar_node_t  *node;

    static const char  import[] = "%import common.";

    line = g->p;

    if (strncmp(line, import, sizeof(import) - 1) != 0) {
        g->p += strcspn(g->p, "\n");
        return VM_OK;
    }

    g->p += sizeof(import) - 1;
    name = vm_lark_name(g);
    as = name;
    vm_lark_blank(g, 0);

    if (g->p[0] == '-' && g->p[1] == '>') {
        g->p += 2;
        vm_lark_blank(g, 0);
        as = vm_lark_name(g);
    }

    for (i = 0; i < vm_nelts(vm_lark_common); i++) {

        if (strlen(vm_lark_common[i].name) == name.len
            && memcmp(vm_lark_common[i].name, name.data, name.len) == 0)
        {
            vm_buf_init(&why);
            node = vm_grammar_pattern(g, vm_lark_common[i].pattern,
                                      strlen(vm_lark_common[i].pattern),
                                      &why);
            vm_buf_free(&why);

            return node ? vm_grammar_define(g, as.data, as.len, node)
                        : VM_ERROR;
        }
    }

    vm_lark_fail(g, line, vm_pool_printf(g->pool, "unknown common terminal: "
                                         "%.*s", (int) name.len, name.data));

    return VM_ERROR;
}


int
vm_lark_parse(vm_grammar_t *g)
{
    vm_str_t            name;
    vm_grammar_node_t  *body;

    for (vm_lark_blank(g, 1); g->p < g->end; vm_lark_blank(g, 1)) {

        if (*g->p == '%') {

            if (vm_lark_import(g) != VM_OK) {
                return VM_ERROR;
            }

            continue;
        }

        if (!vm_lark_begins(g)) {
            vm_lark_fail(g, g->p, "a rule is expected");
            return VM_ERROR;
        }

        g->p += *g->p == '?' || *g->p == '!';
        name = vm_lark_name(g);
        g->p += strcspn(g->p, ":") + 1;
        body = vm_lark_choice(g);

        if (body == NULL
            || vm_grammar_define(g, name.data, name.len, body) != VM_OK)
        {
            return VM_ERROR;
        }

        if (g->p < g->end && (*g->p == ')' || *g->p == ']')) {
            vm_lark_fail(g, g->p, "unexpected character");
            return VM_ERROR;
        }
    }

    return VM_OK;
}
