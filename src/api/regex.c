/*
 * A text that a regular expression matches.  The syntax is that of the Rust
 * regex crate as far as constraints use it: classes, groups, alternatives,
 * repetition, anchors; look-around and back references are refused as there.
 */

#include <ctype.h>
#include <stdlib.h>
#include "constraint.h"
#include "../base/rand.h"


#define VM_RE_MORE   3              /* repetitions beyond an open minimum */
#define VM_RE_DEPTH  64
#define VM_RE_MAX    65536          /* bytes of a text */


typedef struct {
    const char  *start;
    const char  *p;
    const char  *end;
    uint64_t     key;
    uint64_t     draws;
    vm_buf_t    *out;               /* NULL: only look */
    unsigned     depth;
    const char  *error;
} vm_re_t;


static int vm_re_alternatives(vm_re_t *r);


static int
vm_re_fail(vm_re_t *r, const char *error)
{
    if (r->error == NULL) {
        r->error = error;
    }

    return VM_ERROR;
}


static uint64_t
vm_re_draw(vm_re_t *r, uint64_t n)
{
    return vm_rand_at(r->key, r->draws++) % n;
}


static void
vm_re_put(vm_re_t *r, const char *s, size_t len)
{
    if (r->out && r->out->len < VM_RE_MAX) {
        vm_buf_add(r->out, s, len);
    }
}


/* Sets of ASCII characters as 128 flags. */

typedef struct {
    uint8_t  has[128];
} vm_re_set_t;


static void
vm_re_range(vm_re_set_t *set, int from, int to)
{
    for ( /* void */ ; from <= to && from < 128; from++) {
        set->has[from] = 1;
    }
}


/* \d \w \s and their opposites; 0 if it is none of them. */

static int
vm_re_escape_class(vm_re_set_t *set, char c)
{
    int          i;
    vm_re_set_t  one;

    memset(&one, 0, sizeof(vm_re_set_t));

    switch (c | 0x20) {

    case 'd':
        vm_re_range(&one, '0', '9');
        break;

    case 'w':
        vm_re_range(&one, '0', '9');
        vm_re_range(&one, 'A', 'Z');
        vm_re_range(&one, 'a', 'z');
        one.has['_'] = 1;
        break;

    case 's':
        one.has[' '] = 1;
        break;

    default:
        return 0;
    }

    for (i = 0x20; i < 0x7f; i++) {
        set->has[i] |= (c & 0x20) ? one.has[i] : !one.has[i];
    }

    return 1;
}


static int
vm_re_escaped(vm_re_t *r, char c)
{
    switch (c) {

    case 'n':
        return '\n';

    case 't':
        return '\t';

    case 'r':
        return '\r';

    default:
        if (isalnum((unsigned char) c)) {
            vm_re_fail(r, isdigit((unsigned char) c)
                          ? "backreferences are not supported"
                          : "unrecognized escape sequence");
        }

        return c;
    }
}


static int
vm_re_class(vm_re_t *r, vm_re_set_t *set)
{
    int          from, i, negated, to;
    vm_re_set_t  in;

    memset(&in, 0, sizeof(vm_re_set_t));
    r->p++;
    negated = r->p < r->end && *r->p == '^';
    r->p += negated;

    for (i = 0; /* void */ ; i++) {

        if (r->p == r->end) {
            return vm_re_fail(r, "unclosed character class");
        }

        if (*r->p == ']' && i) {
            r->p++;
            break;
        }

        from = (unsigned char) *r->p++;

        if (from == '\\' && r->p < r->end) {

            if (vm_re_escape_class(&in, *r->p)) {
                r->p++;
                continue;
            }

            from = vm_re_escaped(r, *r->p++);
        }

        to = from;

        if (r->end - r->p > 1 && *r->p == '-' && r->p[1] != ']') {
            r->p++;
            to = (unsigned char) *r->p++;

            if (to == '\\' && r->p < r->end) {
                to = vm_re_escaped(r, *r->p++);
            }

            if (to < from) {
                return vm_re_fail(r, "invalid character class range");
            }
        }

        vm_re_range(&in, from, to);
    }

    for (i = 0; i < 128; i++) {
        set->has[i] = negated ? (i >= 0x20 && i < 0x7f && !in.has[i])
                              : in.has[i];
    }

    return r->error ? VM_ERROR : VM_OK;
}


static int
vm_re_pick(vm_re_t *r, const vm_re_set_t *set)
{
    int       i, n;
    char      c;
    uint64_t  k;

    for (n = 0, i = 0; i < 128; i++) {
        n += set->has[i];
    }

    if (n == 0) {
        return vm_re_fail(r, "empty character class");
    }

    k = vm_re_draw(r, (uint64_t) n);

    for (i = 0; i < 128; i++) {

        if (set->has[i] && k-- == 0) {
            c = (char) i;
            vm_re_put(r, &c, 1);
            return VM_OK;
        }
    }

    return VM_OK;
}


static int
vm_re_group(vm_re_t *r)
{
    r->p++;

    if (r->end - r->p > 1 && *r->p == '?') {
        r->p++;

        if (*r->p == ':') {
            r->p++;

        } else if (*r->p == 'P' || *r->p == '<') {

            if (*r->p == '<' && r->end - r->p > 1
                && (r->p[1] == '=' || r->p[1] == '!'))
            {
                return vm_re_fail(r, "look-around, including look-ahead and "
                                     "look-behind, is not supported");
            }

            while (r->p < r->end && *r->p++ != '>') { /* void */ }

        } else {
            return vm_re_fail(r, *r->p == '=' || *r->p == '!'
                                 ? "look-around, including look-ahead and "
                                   "look-behind, is not supported"
                                 : "unrecognized flag");
        }
    }

    if (++r->depth > VM_RE_DEPTH) {
        return vm_re_fail(r, "nested too deeply");
    }

    if (vm_re_alternatives(r) != VM_OK) {
        return VM_ERROR;
    }

    r->depth--;

    if (r->p == r->end || *r->p != ')') {
        return vm_re_fail(r, "unclosed group");
    }

    r->p++;

    return VM_OK;
}


static int
vm_re_atom(vm_re_t *r)
{
    char         c;
    vm_re_set_t  set;

    memset(&set, 0, sizeof(vm_re_set_t));

    switch (*r->p) {

    case '(':
        return vm_re_group(r);

    case '[':
        if (vm_re_class(r, &set) != VM_OK) {
            return VM_ERROR;
        }

        return vm_re_pick(r, &set);

    case '.':
        r->p++;
        vm_re_range(&set, 'a', 'z');
        return vm_re_pick(r, &set);

    case '^':
    case '$':
        r->p++;
        return VM_OK;

    case '*':
    case '+':
    case '?':
        return vm_re_fail(r, "repetition operator missing expression");

    case '\\':
        if (r->end - r->p < 2) {
            return vm_re_fail(r, "incomplete escape sequence");
        }

        c = r->p[1];
        r->p += 2;

        if (vm_re_escape_class(&set, c)) {
            return vm_re_pick(r, &set);
        }

        if (c == 'b' || c == 'A' || c == 'z') {
            return VM_OK;
        }

        c = (char) vm_re_escaped(r, c);
        vm_re_put(r, &c, 1);
        return r->error ? VM_ERROR : VM_OK;

    default:
        vm_re_put(r, r->p++, 1);
        return VM_OK;
    }
}


/* {n}, {n,}, {n,m}; 0 if it is none. */

static int
vm_re_counts(vm_re_t *r, unsigned *min, unsigned *max)
{
    char        *end;
    const char  *p;

    p = r->p + 1;

    if (p >= r->end || !isdigit((unsigned char) *p)) {
        return 0;
    }

    *min = (unsigned) strtoul(p, &end, 10);
    *max = *min;

    if (*end == ',') {
        end++;
        *max = isdigit((unsigned char) *end)
               ? (unsigned) strtoul(end, &end, 10) : *min + VM_RE_MORE;
    }

    if (end >= r->end || *end != '}') {
        return 0;
    }

    r->p = end + 1;

    return 1;
}


static int
vm_re_repeat(vm_re_t *r)
{
    unsigned     i, max, min, n;
    uint64_t     draws;
    vm_buf_t    *out;
    const char  *atom, *behind;

    atom = r->p;
    draws = r->draws;
    out = r->out;
    r->out = NULL;

    if (vm_re_atom(r) != VM_OK) {
        return VM_ERROR;
    }

    behind = r->p;
    r->draws = draws;
    r->out = out;
    min = 1;
    max = 1;

    if (r->p < r->end) {

        switch (*r->p) {

        case '*':
            min = 0;
            max = VM_RE_MORE;
            r->p++;
            break;

        case '+':
            max = 1 + VM_RE_MORE;
            r->p++;
            break;

        case '?':
            min = 0;
            r->p++;
            break;

        case '{':
            (void) vm_re_counts(r, &min, &max);
            break;

        default:
            break;
        }

        if (r->p != behind && r->p < r->end
            && (*r->p == '?' || *r->p == '+'))
        {
            r->p++;                     /* lazy, possessive: all the same */
        }
    }

    if (max < min) {
        return vm_re_fail(r, "invalid repetition count range, the start must "
                             "be <= the end");
    }

    behind = r->p;
    n = min + (unsigned) vm_re_draw(r, max - min + 1);

    for (i = 0; i < n && r->out; i++) {
        r->p = atom;

        if (vm_re_atom(r) != VM_OK) {
            return VM_ERROR;
        }
    }

    r->p = behind;

    return VM_OK;
}


static int
vm_re_sequence(vm_re_t *r)
{
    while (r->p < r->end && *r->p != '|' && *r->p != ')') {
        if (vm_re_repeat(r) != VM_OK) {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


static int
vm_re_alternatives(vm_re_t *r)
{
    unsigned     i, n;
    uint64_t     draws, pick;
    vm_buf_t    *out;
    const char  *start;

    start = r->p;
    out = r->out;
    draws = r->draws;
    r->out = NULL;
    n = 0;

    for ( ;; ) {

        if (vm_re_sequence(r) != VM_OK) {
            return VM_ERROR;
        }

        n++;

        if (r->p == r->end || *r->p != '|') {
            break;
        }

        r->p++;
    }

    r->out = out;
    r->draws = draws;

    if (out == NULL) {
        return VM_OK;
    }

    pick = vm_re_draw(r, n);
    r->p = start;

    for (i = 0; i < n; i++) {
        r->out = i == pick ? out : NULL;

        if (vm_re_sequence(r) != VM_OK) {
            return VM_ERROR;
        }

        if (i + 1 < n) {
            r->p++;
        }
    }

    r->out = out;

    return VM_OK;
}


int
vm_constraint_regex(const char *regex, size_t len, uint64_t key,
    vm_buf_t *out, vm_error_t *e, vm_pool_t *pool)
{
    vm_re_t  r;

    memset(&r, 0, sizeof(vm_re_t));

    r.start = regex;
    r.p = regex;
    r.end = regex + len;
    r.key = key;
    r.out = out;

    if (vm_re_alternatives(&r) == VM_OK && r.p < r.end) {
        vm_re_fail(&r, "unopened group");
    }

    if (r.error == NULL) {
        return VM_OK;
    }

    return vm_error_printf(e, pool, 400, "BadRequestError", NULL,
                           "Grammar error: at 1(8): invalid regex \"%.*s\" "
                           "(in regex): regex parse error:\n    %.*s\n"
                           "error: %s", (int) len, regex, (int) len, regex,
                           r.error);
}
