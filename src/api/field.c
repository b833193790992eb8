/*
 * The walker of request tables: types as pydantic's lax mode takes them, and
 * its violations in the one format that vLLM prints.
 */

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "field.h"


#define VM_VIOLATIONS_SHOWN  10
#define VM_VIOLATIONS_MOST   10000   /* about, that are counted */
#define VM_VIOLATION_CUT     1000        /* characters of a line */
#define VM_VIOLATION_INPUT   200         /* characters of a string */
#define VM_VIOLATION_REPR    50          /* of an input, in pydantic's words */
#define VM_TRUNCATED         "...[truncated]"


typedef struct vm_place_s  vm_place_t;

struct vm_place_s {
    const vm_place_t  *up;
    const char        *name;            /* NULL: an index */
    size_t             index;
};


static int vm_type_check(const vm_type_t *t, const json_t *v,
    const vm_place_t *at, void *out, vm_violations_t *x);


const vm_type_t  vm_any_type = { .kind = VM_T_ANY };
const vm_type_t  vm_str_type = { .kind = VM_T_STR };
const vm_type_t  vm_int_type = { .kind = VM_T_INT };
const vm_type_t  vm_float_type = { .kind = VM_T_FLOAT };
const vm_type_t  vm_bool_type = { .kind = VM_T_BOOL };
const vm_type_t  vm_dict_type = { .kind = VM_T_DICT };
const vm_type_t  vm_list_type = { .kind = VM_T_LIST };

const vm_type_t  vm_int_list_type = {
    .kind = VM_T_LIST, .item = &vm_int_type
};

const vm_type_t  vm_str_list_type = {
    .kind = VM_T_LIST, .item = &vm_str_type
};

const vm_type_t  vm_int64_type = {
    .kind = VM_T_INT, .has_ge = 1, .ge = INT64_MIN, .has_le = 1,
    .le = INT64_MAX
};

const vm_type_t  vm_uint_type = { .kind = VM_T_INT, .has_ge = 1, .ge = 0 };

const vm_type_t  vm_id_list_type = {
    .kind = VM_T_LIST, .item = &vm_uint_type
};


void
vm_violations_init(vm_violations_t *x, vm_error_t *e, vm_pool_t *pool)
{
    memset(x, 0, sizeof(vm_violations_t));

    vm_buf_init(&x->text);
    x->error = e;
    x->pool = pool;
}


void
vm_violations_free(vm_violations_t *x)
{
    vm_buf_free(&x->text);
}


/*
 * vLLM leaves out of a place what it takes for pydantic's own: kinds of
 * schemas and whatever has brackets, be it the name of a field.
 */

static int
vm_place_hidden(const char *name)
{
    size_t                    i;
    static const char *const  kinds[] = {
        "function-wrap", "function-after", "function-before",
        "function-plain", "json-or-python", "lax-or-strict", "chain",
        "default", "nullable", "tagged-union", "union", "call", "arguments",
        "is-instance", "is-subclass", "callable", "str", "int", "float",
        "bool", "bytes", "bytearray", "list", "tuple", "dict", "set",
        "frozenset", "complex", "none", "nonetype"
    };

    if (strpbrk(name, "[]{}()")) {
        return 1;
    }

    for (i = 0; i < vm_nelts(kinds); i++) {
        if (strcasecmp(name, kinds[i]) == 0) {
            return 1;
        }
    }

    return 0;
}


static void
vm_place_print(vm_buf_t *b, const vm_place_t *at, int whole)
{
    if (!whole && at->up && at->name && vm_place_hidden(at->name)) {
        vm_place_print(b, at->up, whole);
        return;
    }

    if (at->up) {
        vm_place_print(b, at->up, whole);
        vm_buf_char(b, '.');
    }

    if (at->name) {
        vm_buf_str(b, at->name);

    } else {
        vm_buf_uint(b, at->index);
    }
}


/* 'input': its str(), shortened; containers by their size alone. */

static void
vm_violation_input(vm_buf_t *out, const json_t *v)
{
    size_t      n;
    vm_buf_t    b;
    const char *s;

    vm_buf_init(&b);

    switch (vm_value_type(v)) {

    case VM_PY_DICT:
        vm_buf_printf(&b, "<dict of %zu items>", json_object_size(v));
        break;

    case VM_PY_LIST:
        vm_buf_printf(&b, "<list of %zu items>", json_array_size(v));
        break;

    case VM_PY_STR:
        s = json_string_value(v);
        n = json_string_length(v);
        vm_buf_add(&b, s, vm_value_prefix(s, n, VM_VIOLATION_INPUT));

        if (b.len < n) {
            vm_buf_lit(&b, VM_TRUNCATED);
        }

        break;

    default:
        vm_value_str(&b, v);
    }

    vm_value_repr_str(out, b.len ? b.data : "", b.len);
    vm_buf_free(&b);
}


/* As str() of pydantic's exception has it: more of the input, no context. */

static void
vm_violation_titled(vm_violations_t *x, const char *type, const char *place,
    const char *message, const json_t *input)
{
    size_t       chars, from, half, n;
    vm_buf_t     b;
    const char  *s;

    s = strchr(place, '.');
    vm_buf_printf(&x->text, "\n%s\n  %s [type=%s, input_value=",
                  s ? s + 1 : place, message, type);

    vm_buf_init(&b);
    vm_value_repr(&b, input);
    s = b.data ? b.data : "";
    chars = vm_value_chars(s, b.len);

    if (chars > VM_VIOLATION_REPR) {
        half = VM_VIOLATION_REPR / 2;
        n = vm_value_prefix(s, b.len, half);
        from = vm_value_prefix(s, b.len, chars - half + 1);
        vm_buf_add(&x->text, s, n);
        vm_buf_lit(&x->text, "...");
        vm_buf_add(&x->text, s + from, b.len - from);

    } else {
        vm_buf_add(&x->text, s, b.len);
    }

    vm_buf_free(&b);

    vm_buf_printf(&x->text, ", input_type=%s]\n    For further information "
                  "visit https://errors.pydantic.dev/2.14/v/%s",
                  vm_value_class(input), type);
}


void
vm_violations_add(vm_violations_t *x, const char *type, const char *place,
    const char *message, const json_t *input, const char *ctx)
{
    size_t     cut;
    vm_buf_t   line;

    if (x->quiet) {
        x->count++;
        return;
    }

    if (x->count == 0) {
        snprintf(x->first, sizeof(x->first), "%s", place);
    }

    if (x->title) {

        vm_violation_titled(x, type, place, message, input);

    } else if (x->count < VM_VIOLATIONS_SHOWN) {
        vm_buf_init(&line);

        vm_buf_printf(&line, "{'type': '%s', 'loc': ", type);
        vm_value_repr_str(&line, place, strlen(place));
        vm_buf_lit(&line, ", 'msg': ");
        vm_value_repr_str(&line, message, strlen(message));
        vm_buf_lit(&line, ", 'input': ");
        vm_violation_input(&line, input);

        if (ctx) {
            vm_buf_printf(&line, ", 'ctx': {%s}", ctx);
        }

        vm_buf_char(&line, '}');

        vm_buf_lit(&x->text, "\n  ");
        cut = vm_value_prefix(line.data, line.len, VM_VIOLATION_CUT);
        vm_buf_add(&x->text, line.data, cut);

        if (cut < line.len) {
            vm_buf_lit(&x->text, VM_TRUNCATED);
        }

        vm_buf_free(&line);
    }

    x->count++;
}


/*
 * A list need not be looked at further: nothing is worded, or nobody counts
 * so many.
 */

static int
vm_violations_enough(const vm_violations_t *x)
{
    return x->quiet || x->count >= VM_VIOLATIONS_MOST;
}


static int
vm_violation(vm_violations_t *x, const vm_place_t *at, const char *type,
    const char *message, const json_t *input, const char *ctx)
{
    vm_buf_t  b;

    if (x->quiet || (x->count >= VM_VIOLATIONS_SHOWN && x->title == NULL)) {
        x->count++;
        return VM_ERROR;
    }

    vm_buf_init(&b);
    vm_place_print(&b, at, x->title != NULL);
    vm_buf_char(&b, '\0');

    if (!b.failed) {
        vm_violations_add(x, type, b.data, message, input, ctx);
    }

    vm_buf_free(&b);

    return VM_ERROR;
}


int
vm_violations_report(vm_violations_t *x)
{
    char        *param;
    vm_buf_t    *b, all;

    if (x->error->status) {
        return VM_ERROR;                /* a rule answered at once */
    }

    b = &all;
    vm_buf_init(b);
    vm_buf_printf(b, "%zu validation error%s%s%s", x->count,
                  x->count == 1 ? "" : "s", x->title ? " for " : ":",
                  x->title ? x->title : "");
    vm_buf_add(b, x->text.data, x->text.len);

    if (x->count > VM_VIOLATIONS_SHOWN && x->title == NULL) {
        vm_buf_printf(b, "\n  ...and %zu more errors",
                      x->count - VM_VIOLATIONS_SHOWN);
    }

    vm_buf_char(b, '\0');

    param = vm_pool_strdup(x->pool, x->first, strlen(x->first));

    if (param == NULL || b->failed) {
        vm_error_memory(x->error);

    } else if (x->title) {
        vm_error_bad(x->error, vm_pool_strdup(x->pool, b->data, b->len));

    } else {
        vm_error_set(x->error, 400, "Bad Request", param,
                     vm_pool_strdup(x->pool, b->data, b->len));
    }

    x->error->violations = 1;
    vm_buf_free(b);

    return VM_ERROR;
}


/* A string of digits as int() takes it: blanks around, "_" between, ".0". */

static int
vm_field_int_text(const char *s, size_t len, vm_int_t *out)
{
    char    digits[64];
    size_t  i, n;

    while (len && isspace((unsigned char) *s)) {
        s++;
        len--;
    }

    while (len && isspace((unsigned char) s[len - 1])) {
        len--;
    }

    n = 0;
    i = 0;

    if (len && (*s == '-' || *s == '+')) {
        if (*s == '-') {
            digits[n++] = '-';
        }

        i = 1;
    }

    if (i == len || !isdigit((unsigned char) s[i])) {
        return 0;
    }

    for ( /* void */ ; i < len && (isdigit((unsigned char) s[i])
                                   || (s[i] == '_' && i + 1 < len
                                       && isdigit((unsigned char) s[i + 1])));
         i++)
    {
        if (s[i] != '_' && n < sizeof(digits) - 1) {
            digits[n++] = s[i];
        }
    }

    if (i < len && s[i] == '.') {
        while (++i < len && s[i] == '0') { /* void */ }
    }

    if (i != len) {
        return 0;
    }

    digits[n] = '\0';
    errno = 0;
    out->v = strtoll(digits, NULL, 10);
    out->big = errno == ERANGE;

    return 1;
}


int
vm_field_int(const json_t *v, vm_int_t *out)
{
    double       d;
    const char  *s;

    out->json = v;
    out->set = 1;
    out->big = 0;

    switch (vm_value_type(v)) {

    case VM_PY_INT:
        out->v = json_integer_value(v);
        return 1;

    case VM_PY_BOOL:
        out->v = json_is_true(v);
        return 1;

    case VM_PY_BIGINT:
        s = vm_value_digits(v);
        out->v = s[0] == '-' ? INT64_MIN : INT64_MAX;
        out->big = 1;
        return 1;

    case VM_PY_FLOAT:
        d = vm_value_float(v);

        if (!isfinite(d) || d != floor(d)) {
            return 0;
        }

        out->big = fabs(d) >= 0x1p63;
        out->v = out->big ? (d < 0 ? INT64_MIN : INT64_MAX) : (json_int_t) d;
        return 1;

    case VM_PY_STR:
        return vm_field_int_text(json_string_value(v), json_string_length(v),
                                 out);

    default:
        return 0;
    }
}


int
vm_field_float(const json_t *v, double *out)
{
    char        *end;
    size_t       len;
    const char  *s;

    switch (vm_value_type(v)) {

    case VM_PY_INT:
    case VM_PY_BIGINT:
    case VM_PY_FLOAT:
    case VM_PY_BOOL:
        *out = vm_value_float(v);
        return 1;

    case VM_PY_STR:
        s = json_string_value(v);
        len = json_string_length(v);

        while (len && isspace((unsigned char) s[len - 1])) {
            len--;
        }

        /* strtod() takes more than Python does: hexadecimal, "nan(...)" */

        if (len == 0 || memchr(s, 'x', len) || memchr(s, 'X', len)
            || memchr(s, '(', len))
        {
            return 0;
        }

        *out = strtod(s, &end);

        return end == s + len;

    default:
        return 0;
    }
}


int
vm_field_bool(const json_t *v, uint8_t *out)
{
    double                    d;
    size_t                    i;
    const char               *s;
    static const char *const  words[] = {
        "0", "f", "n", "no", "off", "false", "1", "t", "y", "on", "yes",
        "true"
    };

    switch (vm_value_type(v)) {

    case VM_PY_BOOL:
    case VM_PY_INT:
    case VM_PY_FLOAT:
        d = vm_value_float(v);
        *out = d == 1;
        return d == 0 || d == 1;

    case VM_PY_STR:
        s = json_string_value(v);

        for (i = 0; i < vm_nelts(words); i++) {
            if (strcasecmp(s, words[i]) == 0) {
                *out = i >= vm_nelts(words) / 2;
                return 1;
            }
        }

        /* fall through */

    default:
        return 0;
    }
}


void
vm_int_print(vm_buf_t *b, const vm_int_t *n)
{
    if (!n->big) {
        vm_buf_int(b, n->v);

    } else if (vm_value_type(n->json) == VM_PY_FLOAT) {
        vm_buf_printf(b, "%.0f", vm_value_float(n->json));

    } else {
        vm_value_str(b, n->json);
    }
}


const char *
vm_int_text(vm_pool_t *pool, const vm_int_t *n)
{
    char      *text;
    vm_buf_t   b;

    vm_buf_init(&b);
    vm_int_print(&b, n);

    text = b.failed ? NULL : vm_pool_strdup(pool, b.data, b.len);
    vm_buf_free(&b);

    return text ? text : "";
}


static int
vm_check_int(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    vm_int_t *out, vm_violations_t *x)
{
    char      ctx[64], msg[96];
    vm_int_t  n;

    if (!vm_field_int(v, &n)) {

        switch (vm_value_type(v)) {

        case VM_PY_STR:
            return vm_violation(x, at, "int_parsing",
                                "Input should be a valid integer, unable to "
                                "parse string as an integer", v, NULL);

        case VM_PY_FLOAT:
            if (!isfinite(vm_value_float(v))) {
                return vm_violation(x, at, "finite_number",
                                    "Input should be a finite number", v,
                                    NULL);
            }

            return vm_violation(x, at, "int_from_float",
                                "Input should be a valid integer, got a "
                                "number with a fractional part", v, NULL);

        default:
            return vm_violation(x, at, "int_type",
                                "Input should be a valid integer", v, NULL);
        }
    }

    if (t->has_gt && (n.v <= t->gt || (n.big && n.v == INT64_MIN))) {
        snprintf(msg, sizeof(msg), "Input should be greater than %lld",
                 t->gt);
        snprintf(ctx, sizeof(ctx), "'gt': %lld", t->gt);

        return vm_violation(x, at, "greater_than", msg, v, ctx);
    }

    if (t->has_ge && (n.v < t->ge || (n.big && n.v == INT64_MIN))) {
        snprintf(msg, sizeof(msg),
                 "Input should be greater than or equal to %lld", t->ge);
        snprintf(ctx, sizeof(ctx), "'ge': %lld", t->ge);

        return vm_violation(x, at, "greater_than_equal", msg, v, ctx);
    }

    if (t->has_le && (n.v > t->le || (n.big && n.v == INT64_MAX))) {
        snprintf(msg, sizeof(msg),
                 "Input should be less than or equal to %lld", t->le);
        snprintf(ctx, sizeof(ctx), "'le': %lld", t->le);

        return vm_violation(x, at, "less_than_equal", msg, v, ctx);
    }

    if (out) {
        *out = n;
    }

    return VM_OK;
}


static int
vm_check_float(const json_t *v, const vm_place_t *at, vm_float_t *out,
    vm_violations_t *x)
{
    double  d;

    if (!vm_field_float(v, &d)) {

        if (vm_value_type(v) == VM_PY_STR) {
            return vm_violation(x, at, "float_parsing",
                                "Input should be a valid number, unable to "
                                "parse string as a number", v, NULL);
        }

        return vm_violation(x, at, "float_type",
                            "Input should be a valid number", v, NULL);
    }

    if (out) {
        out->v = d;
        out->set = 1;
    }

    return VM_OK;
}


static int
vm_check_bool(const json_t *v, const vm_place_t *at, uint8_t *out,
    vm_violations_t *x)
{
    uint8_t  yes;

    if (!vm_field_bool(v, &yes)) {

        switch (vm_value_type(v)) {

        case VM_PY_STR:
        case VM_PY_INT:
            return vm_violation(x, at, "bool_parsing",
                                "Input should be a valid boolean, unable to "
                                "interpret input", v, NULL);

        default:
            return vm_violation(x, at, "bool_type",
                                "Input should be a valid boolean", v, NULL);
        }
    }

    if (out) {
        *out = yes;
    }

    return VM_OK;
}


/* 'a', 'b' or 'c' */

static void
vm_literal_print(vm_buf_t *b, const char *const *values)
{
    size_t  i;

    for (i = 0; values[i]; i++) {

        if (i) {
            vm_buf_str(b, values[i + 1] ? ", " : " or ");
        }

        vm_buf_printf(b, "'%s'", values[i]);
    }
}


static int
vm_check_literal(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    vm_violations_t *x)
{
    size_t    i;
    vm_buf_t  ctx, list, msg;

    if (vm_value_type(v) == VM_PY_STR) {
        for (i = 0; t->values[i]; i++) {
            if (strcmp(json_string_value(v), t->values[i]) == 0) {
                return VM_OK;
            }
        }
    }

    if (x->quiet) {
        x->count++;
        return VM_ERROR;
    }

    vm_buf_init(&list);
    vm_buf_init(&msg);
    vm_buf_init(&ctx);

    vm_literal_print(&list, t->values);
    vm_buf_lit(&msg, "Input should be ");
    vm_buf_add(&msg, list.data, list.len);
    vm_buf_char(&msg, '\0');
    vm_buf_lit(&ctx, "'expected': ");
    vm_value_repr_str(&ctx, list.data, list.len);
    vm_buf_char(&ctx, '\0');

    if (!msg.failed && !ctx.failed && !list.failed) {
        vm_violation(x, at, "literal_error", msg.data, v, ctx.data);
    }

    vm_buf_free(&list);
    vm_buf_free(&msg);
    vm_buf_free(&ctx);

    return VM_ERROR;
}


static int
vm_check_size(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    vm_violations_t *x)
{
    char         ctx[128], msg[128];
    size_t       limit, n;
    const char  *what;

    n = json_array_size(v);
    what = t->tuple ? "Tuple" : "List";

    if (t->min_items && n < t->min_items) {
        limit = t->min_items;

    } else if (t->max_items && n > t->max_items) {
        limit = t->max_items;

    } else {
        return VM_OK;
    }

    snprintf(msg, sizeof(msg),
             "%s should have at %s %zu item%s after validation, not %zu", what,
             n < limit ? "least" : "most", limit, limit == 1 ? "" : "s", n);
    snprintf(ctx, sizeof(ctx),
             "'field_type': '%s', '%s_length': %zu, 'actual_length': %zu",
             what, n < limit ? "min" : "max", limit, n);

    return vm_violation(x, at, n < limit ? "too_short" : "too_long", msg, v,
                        ctx);
}


static int
vm_check_length(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    vm_violations_t *x)
{
    char    ctx[40], msg[80];
    int     few;
    size_t  limit, n;

    n = vm_value_chars(json_string_value(v), json_string_length(v));
    few = t->min_items && n < t->min_items;

    if (!few && (t->max_items == 0 || n <= t->max_items)) {
        return VM_OK;
    }

    limit = few ? t->min_items : t->max_items;
    snprintf(msg, sizeof(msg), "String should have at %s %zu character%s",
             few ? "least" : "most", limit, limit == 1 ? "" : "s");
    snprintf(ctx, sizeof(ctx), "'%s_length': %zu", few ? "min" : "max",
             limit);

    return vm_violation(x, at, few ? "string_too_short" : "string_too_long",
                        msg, v, ctx);
}


static int
vm_check_list(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    vm_violations_t *x)
{
    int          rc;
    size_t       i;
    json_t      *item;
    vm_place_t   here;

    if (vm_value_type(v) != VM_PY_LIST) {
        return t->tuple ? vm_violation(x, at, "tuple_type",
                                       "Input should be a valid tuple", v,
                                       NULL)
                        : vm_violation(x, at, "list_type",
                                       "Input should be a valid list", v,
                                       NULL);
    }

    rc = VM_OK;

    if (t->item) {
        here.up = at;
        here.name = NULL;

        json_array_foreach(v, i, item) {
            here.index = i;

            if (vm_type_check(t->item, item, &here, NULL, x) != VM_OK) {
                rc = VM_ERROR;

                if (vm_violations_enough(x)) {
                    break;
                }
            }
        }
    }

    return rc == VM_OK ? vm_check_size(t, v, at, x) : rc;
}


static int
vm_check_sequence(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    vm_violations_t *x)
{
    switch (vm_value_type(v)) {

    case VM_PY_LIST:
        return vm_check_list(t, v, at, x);

    case VM_PY_STR:
        return vm_violation(x, at, "sequence_str", "'str' instances are not "
                            "allowed as a Sequence value", v,
                            "'type_name': 'str'");

    default:
        return vm_violation(x, at, "is_instance_of", "Input should be an "
                            "instance of Sequence", v, "'class': 'Sequence'");
    }
}


static int
vm_check_dict(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    vm_violations_t *x)
{
    int          rc;
    json_t      *item, *key;
    vm_place_t   here;

    if (vm_value_type(v) != VM_PY_DICT) {
        return vm_violation(x, at, "dict_type",
                            "Input should be a valid dictionary", v, NULL);
    }

    rc = VM_OK;

    if (t->item) {
        here.up = at;
        here.name = NULL;

        json_object_foreach((json_t *) v, here.name, item) {

            if (t->int_keys) {
                key = json_string_nocheck(here.name);

                if (vm_check_int(&vm_int_type, key, &here, NULL, x) != VM_OK)
                {
                    rc = VM_ERROR;
                }

                json_decref(key);
            }

            if (vm_type_check(t->item, item, &here, NULL, x) != VM_OK) {
                rc = VM_ERROR;

                if (vm_violations_enough(x)) {
                    break;
                }
            }
        }
    }

    return rc;
}


static void
vm_field_default(const vm_field_t *f, void *out)
{
    void  *p;

    if (out == NULL || (f->flags & VM_F_CHECK)) {
        return;
    }

    p = (char *) out + f->offset;

    switch (f->type->kind) {

    case VM_T_INT:
        ((vm_int_t *) p)->v = f->def;
        break;

    case VM_T_FLOAT:
        ((vm_float_t *) p)->v = (double) f->def;
        break;

    case VM_T_BOOL:
        *(uint8_t *) p = (uint8_t) f->def;
        break;

    default:
        break;
    }
}


/*
 * A bit for a key.  A body has a handful of the sixty fields that it could
 * have: most of those that it lacks are told by the bits of its keys.
 */

static uint64_t
vm_key_bit(const char *name)
{
    unsigned  n;

    n = (unsigned char) name[0];

    if (n && name[1]) {
        n += 5u * (unsigned char) name[1] + 11u * (unsigned char) name[2];
    }

    return (uint64_t) 1 << (n & 63);
}


static uint64_t
vm_key_bits(const json_t *v)
{
    void      *it;
    uint64_t   bits;

    bits = 0;

    for (it = json_object_iter((json_t *) (uintptr_t) v); it;
         it = json_object_iter_next((json_t *) (uintptr_t) v, it))
    {
        bits |= vm_key_bit(json_object_iter_key(it));
    }

    return bits;
}


/* Fields that a strict model does not have. */

static int
vm_check_others(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    vm_violations_t *x)
{
    int                rc;
    json_t            *item;
    vm_place_t         here;
    const vm_field_t  *f;

    rc = VM_OK;
    here.up = at;
    here.name = NULL;

    json_object_foreach((json_t *) (uintptr_t) v, here.name, item) {

        for (f = t->fields; f->name && strcmp(f->name, here.name); f++) {
            /* void */
        }

        if (f->name == NULL) {
            rc = vm_violation(x, &here, "extra_forbidden",
                              "Extra inputs are not permitted", item, NULL);
        }
    }

    return rc;
}


static int
vm_check_fields(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    void *out, vm_violations_t *x)
{
    int                rc;
    void              *p;
    json_t            *item;
    uint64_t           keys;
    vm_place_t         here;
    const vm_field_t  *f;

    rc = VM_OK;
    here.up = at;
    keys = vm_key_bits(v);
    x->counted = 1;

    for (f = t->fields; f->name; f++) {
        here.name = f->name;
        item = (keys & vm_key_bit(f->name)) ? json_object_get(v, f->name)
                                            : NULL;

        vm_field_default(f, out);

        if (item == NULL) {

            if (f->flags & VM_F_REQUIRED) {
                rc = vm_violation(x, &here, "missing", "Field required", v,
                                  NULL);
            }

            continue;
        }

        x->fields++;

        if (json_is_null(item) && !(f->flags & VM_F_NOTNULL)) {
            continue;
        }

        p = (out && !(f->flags & VM_F_CHECK)) ? (char *) out + f->offset
                                               : NULL;

        if (vm_type_check(f->type, item, &here, p, x) != VM_OK) {
            rc = VM_ERROR;

            if (x->error->status) {
                return rc;
            }

        } else if (f->rule && f->rule(item, x->error, x->pool) != VM_OK) {
            return VM_ERROR;
        }
    }

    if (t->forbid && vm_check_others(t, v, at, x) != VM_OK) {
        return VM_ERROR;
    }

    return rc;
}


static int
vm_check_dataclass(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    vm_violations_t *x)
{
    char  ctx[80], msg[120];

    snprintf(msg, sizeof(msg),
             "Input should be a dictionary or an instance of %s",
             t->dataclass);
    snprintf(ctx, sizeof(ctx), "'class_name': '%s'", t->dataclass);

    return vm_violation(x, at, "dataclass_type", msg, v, ctx);
}


static int
vm_check_model(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    void *out, vm_violations_t *x)
{
    if (vm_value_type(v) == VM_PY_DICT) {

        if (t->before && t->before(v, x->error, x->pool) != VM_OK) {
            return VM_ERROR;
        }

        return vm_check_fields(t, v, at, out, x);
    }

    if (t->typed_dict) {
        return vm_violation(x, at, "dict_type",
                            "Input should be a valid dictionary", v, NULL);
    }

    if (t->dataclass) {
        return vm_check_dataclass(t, v, at, x);
    }

    return vm_violation(x, at, "model_attributes_type",
                        "Input should be a valid dictionary or object to "
                        "extract fields from", v, NULL);
}


/* Does a value fit without being converted?  Then its branch is preferred. */

static int
vm_type_exact(const vm_type_t *t, const json_t *v)
{
    size_t    i;
    json_t   *item;
    vm_py_e   py;

    py = vm_value_type(v);

    switch (t->kind) {

    case VM_T_STR:
        return py == VM_PY_STR;

    case VM_T_INT:
        return py == VM_PY_INT || py == VM_PY_BIGINT;

    case VM_T_FLOAT:
        return py == VM_PY_FLOAT;

    case VM_T_BOOL:
        return py == VM_PY_BOOL;

    case VM_T_LITERAL:
        return py == VM_PY_STR;         /* it is one of the values */

    case VM_T_LIST:
        if (py != VM_PY_LIST) {
            return 0;
        }

        json_array_foreach(v, i, item) {
            if (t->item && !vm_type_exact(t->item, item)) {
                return 0;
            }
        }

        return 1;

    default:
        return 0;
    }
}


static int
vm_check_truth(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    vm_violations_t *x)
{
    char  ctx[32], msg[32];

    if (t->ge ? json_is_true(v) : json_is_false(v)) {
        return VM_OK;
    }

    snprintf(msg, sizeof(msg), "Input should be %s", t->ge ? "True"
                                                           : "False");
    snprintf(ctx, sizeof(ctx), "'expected': '%s'", t->ge ? "True" : "False");

    return vm_violation(x, at, "literal_error", msg, v, ctx);
}


static int
vm_check_instance(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    vm_violations_t *x)
{
    char  ctx[80], msg[80];

    snprintf(msg, sizeof(msg), "Input should be an instance of %s",
             t->values[0]);
    snprintf(ctx, sizeof(ctx), "'class': '%s'", t->values[0]);

    return vm_violation(x, at, "is_instance_of", msg, v, ctx);
}


static int
vm_check_refused(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    vm_violations_t *x)
{
    int          rc;
    vm_buf_t     ctx, msg;
    const char  *why;

    why = t->refuse ? t->refuse(v, x->pool) : NULL;

    if (why == NULL) {
        return VM_OK;
    }

    vm_buf_init(&msg);
    vm_buf_printf(&msg, "Value error, %s", why);
    vm_buf_char(&msg, '\0');

    vm_buf_init(&ctx);
    vm_buf_lit(&ctx, "'error': ValueError(");
    vm_value_repr_str(&ctx, why, strlen(why));
    vm_buf_lit(&ctx, ")");
    vm_buf_char(&ctx, '\0');

    rc = vm_violation(x, at, "value_error", msg.failed ? "" : msg.data, v,
                      ctx.failed ? "" : ctx.data);

    vm_buf_free(&msg);
    vm_buf_free(&ctx);

    return rc;
}


/* What each branch of a union complains about. */

static void
vm_union_complain(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    vm_violations_t *x)
{
    int               i;
    vm_place_t        here;
    const vm_type_t  *b;

    for (i = 0; t->branches[i]; i++) {
        b = t->branches[i];
        here.up = at;
        here.name = b->name;

        vm_type_check(b, v, b->name ? &here : at, NULL, x);
    }
}


/*
 * The branch that pydantic takes, or -1: of those that fit the one in which
 * most fields are found, or that which converts nothing, or the first.
 */

static int
vm_union_branch(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    vm_violations_t *x)
{
    int       best, exact, i;
    size_t    before, count, most;
    unsigned  best_counted, counted;

    count = x->count;
    counted = x->counted;
    before = x->fields;
    best = -1;
    most = 0;
    exact = 0;
    best_counted = 0;

    for (i = 0; t->branches[i]; i++) {
        x->fields = 0;
        x->counted = 0;

        if (vm_type_check(t->branches[i], v, at, NULL, x) != VM_OK
            || x->count != count)
        {
            x->count = count;
            continue;
        }

        if (best == -1
            || (x->counted && best_counted && x->fields != most
                ? x->fields > most
                : vm_type_exact(t->branches[i], v) > exact))
        {
            best = i;
            most = x->fields;
            best_counted = x->counted;
            exact = vm_type_exact(t->branches[i], v);
        }

        if (exact && !best_counted) {
            break;
        }
    }

    x->fields = before + most;
    x->counted = counted || best_counted;

    return best;
}


static int
vm_check_union(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    vm_any_t *out, vm_violations_t *x)
{
    int  found;

    /* nothing is worded before it is known that no branch fits */

    x->quiet++;
    found = vm_union_branch(t, v, at, x);
    x->quiet--;

    if (found == -1) {

        if (x->quiet) {
            x->count++;

        } else {
            vm_union_complain(t, v, at, x);
        }

        return VM_ERROR;
    }

    if (out) {
        out->branch = found;
    }

    return VM_OK;
}


/* A union whose branch is told by "type". */

static int
vm_check_tagged(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    vm_violations_t *x)
{
    int            i;
    vm_buf_t       ctx, list, msg;
    vm_place_t     here;
    const char    *tag;
    const json_t  *type;

    if (vm_value_type(v) != VM_PY_DICT) {
        return vm_violation(x, at, "model_attributes_type",
                            "Input should be a valid dictionary or object to "
                            "extract fields from", v, NULL);
    }

    type = json_object_get(v, "type");

    if (type == NULL) {
        return vm_violation(x, at, "union_tag_not_found",
                            "Unable to extract tag using discriminator "
                            "'type'", v, "'discriminator': \"'type'\"");
    }

    tag = vm_value_type(type) == VM_PY_STR ? json_string_value(type) : NULL;

    for (i = 0; tag && t->branches[i]; i++) {
        if (strcmp(t->branches[i]->name, tag) == 0) {
            here.up = at;
            here.name = tag;

            return vm_type_check(t->branches[i], v, &here, NULL, x);
        }
    }

    vm_buf_init(&ctx);
    vm_buf_init(&list);
    vm_buf_init(&msg);

    for (i = 0; t->branches[i]; i++) {
        vm_buf_printf(&list, "%s'%s'", i ? ", " : "", t->branches[i]->name);
    }

    vm_buf_lit(&msg, "Input tag '");
    vm_value_str(&msg, type);
    vm_buf_lit(&msg, "' found using 'type' does not match any of the expected "
                     "tags: ");
    vm_buf_add(&msg, list.data, list.len);
    vm_buf_char(&msg, '\0');

    vm_buf_lit(&ctx, "'discriminator': \"'type'\", 'tag': '");
    vm_value_str(&ctx, type);
    vm_buf_lit(&ctx, "', 'expected_tags': ");
    vm_value_repr_str(&ctx, list.data, list.len);
    vm_buf_char(&ctx, '\0');

    vm_violation(x, at, "union_tag_invalid", msg.failed ? "" : msg.data, v,
                 ctx.failed ? "" : ctx.data);

    vm_buf_free(&ctx);
    vm_buf_free(&list);
    vm_buf_free(&msg);

    return VM_ERROR;
}


int
vm_type_branch(const vm_type_t *t, const json_t *v, vm_error_t *e,
    vm_pool_t *pool)
{
    int              found;
    vm_place_t       at;
    vm_violations_t  x;

    memset(&at, 0, sizeof(at));
    vm_violations_init(&x, e, pool);
    x.quiet = 1;
    found = vm_union_branch(t, v, &at, &x);
    vm_violations_free(&x);

    return found;
}


static int
vm_type_check(const vm_type_t *t, const json_t *v, const vm_place_t *at,
    void *out, vm_violations_t *x)
{
    int      rc;
    vm_py_e  py;

    py = vm_value_type(v);

    if (t->nullable && py == VM_PY_NONE) {
        return VM_OK;
    }

    switch (t->kind) {

    case VM_T_INT:
        return vm_check_int(t, v, at, out, x) == VM_OK
               ? vm_check_refused(t, v, at, x) : VM_ERROR;

    case VM_T_FLOAT:
        return vm_check_float(v, at, out, x);

    case VM_T_BOOL:
        return vm_check_bool(v, at, out, x);

    case VM_T_STR:
        rc = py == VM_PY_STR ? VM_OK
             : t->bytes ? vm_violation(x, at, "bytes_type",
                                       "Input should be a valid bytes", v,
                                       NULL)
                        : vm_violation(x, at, "string_type",
                                       "Input should be a valid string", v,
                                       NULL);
        break;

    case VM_T_LITERAL:
        rc = vm_check_literal(t, v, at, x);
        break;

    case VM_T_TRUTH:
        rc = vm_check_truth(t, v, at, x);
        break;

    case VM_T_LIST:
        rc = vm_check_list(t, v, at, x);
        break;

    case VM_T_SEQUENCE:
        rc = vm_check_sequence(t, v, at, x);
        break;

    case VM_T_ITERABLE:
        rc = (py == VM_PY_LIST || py == VM_PY_DICT || py == VM_PY_STR)
             ? VM_OK : vm_violation(x, at, "iterable_type",
                                    "Input should be iterable", v, NULL);
        break;

    case VM_T_DICT:
        rc = vm_check_dict(t, v, at, x);
        break;

    case VM_T_MODEL:
        rc = vm_check_model(t, v, at, NULL, x);
        break;

    case VM_T_UNION:
        rc = vm_check_union(t, v, at, out, x);
        break;

    case VM_T_TAGGED:
        rc = vm_check_tagged(t, v, at, x);
        break;

    case VM_T_INSTANCE:
        rc = vm_check_instance(t, v, at, x);
        break;

    default: /* VM_T_ANY */
        rc = VM_OK;
        break;
    }

    if (rc == VM_OK && t->kind == VM_T_STR) {
        rc = vm_check_length(t, v, at, x);
    }

    if (rc == VM_OK) {
        rc = vm_check_refused(t, v, at, x);
    }

    if (rc == VM_OK && out) {

        /* the first member of vm_any_t, and the whole of a string's field */

        *(const json_t **) out = v;
    }

    return rc;
}


int
vm_model_check(const vm_type_t *model, const json_t *v, const char *root,
    void *out, vm_violations_t *x)
{
    vm_place_t  at;

    at.up = NULL;
    at.name = root;
    at.index = 0;

    if (v == NULL || json_is_null(v)) {
        return vm_violation(x, &at, "missing", "Field required", NULL, NULL);
    }

    if (model->kind != VM_T_MODEL) {
        return vm_type_check(model, v, &at, out, x);
    }

    return vm_check_model(model, v, &at, out, x) == VM_OK
           ? vm_check_refused(model, v, &at, x) : VM_ERROR;
}


int
vm_model_load(const vm_type_t *model, const json_t *v, const char *root,
    void *out, vm_error_t *e, vm_pool_t *pool)
{
    int              rc;
    vm_violations_t  x;

    vm_violations_init(&x, e, pool);
    x.title = isupper((unsigned char) root[0]) ? root : NULL;
    rc = vm_model_check(model, v, root, out, &x);

    if (rc != VM_OK || e->status) {
        rc = vm_violations_report(&x);
    }

    vm_violations_free(&x);

    return rc;
}


int
vm_item_load(const vm_type_t *t, const json_t *v, const char *title,
    size_t index, vm_error_t *e, vm_pool_t *pool)
{
    int              rc;
    vm_place_t       at, here;
    vm_violations_t  x;

    memset(&at, 0, sizeof(at));
    at.name = title;
    here.up = &at;
    here.name = NULL;
    here.index = index;

    vm_violations_init(&x, e, pool);
    x.title = title;
    rc = vm_type_check(t, v, &here, NULL, &x);

    if (rc != VM_OK) {
        rc = vm_violations_report(&x);
    }

    vm_violations_free(&x);

    return rc;
}
