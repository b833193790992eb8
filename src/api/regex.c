/*
 * Regular expressions: read into a tree, from which texts are written.
 *
 * What the grammar libraries of vLLM take although the crate would not is
 * taken here, too: escapes without a meaning, a repetition of a repetition, a
 * "]" that closes nothing.
 */

#include <ctype.h>
#include <stdlib.h>
#include "constraint.h"
#include "regex.h"
#include "../base/rand.h"


#define VM_RE_NEST     250          /* groups in groups, the crate's limit */
#define VM_RE_RANGES   64           /* of a class */
#define VM_RE_SPREAD   255          /* repetitions above a minimum */
#define VM_RE_STEPS    100000       /* work of writing a text */
#define VM_RE_OPEN     UINT32_MAX


typedef enum {
    VM_RE_NOTHING,                  /* anchors, flags, look-around */
    VM_RE_CHAR,
    VM_RE_CLASS,
    VM_RE_SEQUENCE,
    VM_RE_CHOICE,
    VM_RE_REPEAT
} vm_re_e;

typedef struct {
    uint32_t  from;                 /* code points */
    uint32_t  to;
} vm_re_range_t;

struct vm_regex_s {
    vm_re_e         kind;
    uint32_t        cp;
    uint32_t        min;
    uint32_t        max;            /* VM_RE_OPEN: none */
    uint32_t        n;              /* children, or ranges */
    vm_re_range_t  *ranges;
    vm_regex_t     *child;
    vm_regex_t     *next;           /* of the same parent */
};

typedef struct {
    vm_re_range_t  list[VM_RE_RANGES];
    unsigned       n;
} vm_re_set_t;

typedef struct {
    const char  *start;
    const char  *p;
    const char  *end;
    vm_pool_t   *pool;
    vm_buf_t    *why;
    unsigned     nest;
    int          around;
    int          failed;
} vm_re_t;


static vm_regex_t *vm_re_choice(vm_re_t *r);


/* ---- errors ---- */

/* Code points of a part of the pattern: its columns. */

static size_t
vm_re_columns(const char *from, const char *to)
{
    size_t  n;

    for (n = 0; from < to; from++) {
        n += (*from & 0xc0) != 0x80;
    }

    return n;
}


static void *
vm_re_fail(vm_re_t *r, const char *from, const char *to, const char *error)
{
    size_t  i, n;

    if (r->failed) {
        return NULL;
    }

    r->failed = 1;

    vm_buf_lit(r->why, "regex parse error:\n    ");
    vm_buf_add(r->why, r->start, (size_t) (r->end - r->start));
    vm_buf_lit(r->why, "\n    ");

    n = vm_re_columns(r->start, from);

    for (i = 0; i < n; i++) {
        vm_buf_char(r->why, ' ');
    }

    n = vm_max(vm_re_columns(from, to), 1);

    for (i = 0; i < n; i++) {
        vm_buf_char(r->why, '^');
    }

    vm_buf_lit(r->why, "\nerror: ");
    vm_buf_str(r->why, error);

    return NULL;
}


static vm_regex_t *
vm_re_node(vm_re_t *r, vm_re_e kind)
{
    vm_regex_t  *re;

    re = vm_pool_calloc(r->pool, 1, sizeof(vm_regex_t));

    if (re == NULL) {
        return vm_re_fail(r, r->p, r->p, "no memory");
    }

    re->kind = kind;

    return re;
}


/* ---- characters ---- */

static uint32_t
vm_re_next(vm_re_t *r)
{
    unsigned  more;
    uint32_t  cp;

    cp = (unsigned char) *r->p++;

    if (cp < 0xc0) {
        return cp;
    }

    more = cp >= 0xf0 ? 3 : cp >= 0xe0 ? 2 : 1;
    cp &= 0x3fu >> more;

    while (more-- && r->p < r->end) {
        cp = cp << 6 | ((unsigned char) *r->p++ & 0x3f);
    }

    return cp;
}


/* A range leaves out the surrogates, which are no characters. */

static void
vm_re_range(vm_re_set_t *set, uint32_t from, uint32_t to)
{
    if (from < 0xd800 && to > 0xd7ff) {
        vm_re_range(set, from, 0xd7ff);
        from = 0xd800;
    }

    if (from > 0xd7ff && from < 0xe000) {
        from = 0xe000;
    }

    if (from <= to && set->n < VM_RE_RANGES) {
        set->list[set->n].from = from;
        set->list[set->n++].to = to;
    }
}


static int
vm_re_has(const vm_re_set_t *set, uint32_t cp)
{
    unsigned  i;

    for (i = 0; i < set->n; i++) {
        if (cp >= set->list[i].from && cp <= set->list[i].to) {
            return 1;
        }
    }

    return 0;
}


/* What is not in a set, of the characters that one sees; else of letters. */

static void
vm_re_negate(const vm_re_set_t *set, vm_re_set_t *out)
{
    size_t                      i;
    uint32_t                    cp, from;
    static const vm_re_range_t  seen[] = {
        { 0x20, 0x7e }, { 0xc0, 0xd6 }, { 0x391, 0x3a1 }, { 0x410, 0x44f },
        { 0x4e00, 0x4eff }
    };

    for (i = 0; i < vm_nelts(seen) && out->n == 0; i++) {

        for (cp = seen[i].from; cp <= seen[i].to; cp++) {
            from = cp;

            while (cp <= seen[i].to && !vm_re_has(set, cp)) {
                cp++;
            }

            if (cp > from) {
                vm_re_range(out, from, cp - 1);
            }
        }
    }
}


static void
vm_re_join(vm_re_set_t *set, const vm_re_set_t *more)
{
    unsigned  i;

    for (i = 0; i < more->n; i++) {
        vm_re_range(set, more->list[i].from, more->list[i].to);
    }
}


/* Classes with a name: \d, [:alpha:], \p{L}. */

static const struct {
    const char     *name;
    vm_re_range_t   ranges[4];
}  vm_re_classes[] = {
    { "d", { { '0', '9' } } },
    { "w", { { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' } } },
    { "s", { { ' ', ' ' } } },
    { "alnum", { { '0', '9' }, { 'A', 'Z' }, { 'a', 'z' } } },
    { "alpha", { { 'A', 'Z' }, { 'a', 'z' } } },
    { "ascii", { { 0x20, 0x7e } } },
    { "blank", { { ' ', ' ' } } },
    { "cntrl", { { '\t', '\t' } } },
    { "digit", { { '0', '9' } } },
    { "graph", { { '!', '~' } } },
    { "lower", { { 'a', 'z' } } },
    { "print", { { ' ', '~' } } },
    { "punct", { { '!', '/' }, { ':', '@' }, { '[', '`' }, { '{', '~' } } },
    { "space", { { ' ', ' ' } } },
    { "upper", { { 'A', 'Z' } } },
    { "word", { { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' } } },
    { "xdigit", { { '0', '9' }, { 'A', 'F' }, { 'a', 'f' } } },
    { "Lu", { { 'A', 'Z' } } },
    { "Ll", { { 'a', 'z' } } },
    { "L", { { 'A', 'Z' }, { 'a', 'z' } } },
    { "N", { { '0', '9' } } },
    { "P", { { '!', '#' }, { '%', '*' }, { ',', '/' }, { ':', ';' } } },
    { "S", { { '$', '$' }, { '+', '+' }, { '<', '>' } } },
    { "Z", { { ' ', ' ' } } },
    { "Arabic", { { 0x627, 0x63a } } },
    { "Cyrillic", { { 0x410, 0x44f } } },
    { "Greek", { { 0x3b1, 0x3c1 } } },
    { "Han", { { 0x4e00, 0x4eff } } },
    { "Hebrew", { { 0x5d0, 0x5ea } } },
    { "Hiragana", { { 0x3041, 0x3096 } } },
    { "Katakana", { { 0x30a1, 0x30fa } } },
    { "Latin", { { 'A', 'Z' }, { 'a', 'z' } } }
};


static int
vm_re_named(vm_re_set_t *set, const char *name, size_t len, int negated)
{
    size_t       i, k;
    vm_re_set_t  in, out;

    in.n = 0;
    out.n = 0;

    for (i = 0; i < vm_nelts(vm_re_classes); i++) {

        if (strlen(vm_re_classes[i].name) != len
            || memcmp(vm_re_classes[i].name, name, len) != 0)
        {
            continue;
        }

        for (k = 0; k < vm_nelts(vm_re_classes[i].ranges)
                    && vm_re_classes[i].ranges[k].to; k++)
        {
            vm_re_range(&in, vm_re_classes[i].ranges[k].from,
                        vm_re_classes[i].ranges[k].to);
        }

        if (negated) {
            vm_re_negate(&in, &out);
            in = out;
        }

        vm_re_join(set, &in);

        return 1;
    }

    return 0;
}


/* \pL, \p{Lu}, \p{Script=Greek}; r->p is behind the "p". */

static int
vm_re_property(vm_re_t *r, vm_re_set_t *set, const char *start, int negated)
{
    size_t       len;
    const char  *name, *sign;

    name = r->p;

    if (r->p < r->end && *r->p == '{') {
        name++;
        r->p = memchr(name, '}', (size_t) (r->end - name));

        if (r->p == NULL) {
            r->p = r->end;
            vm_re_fail(r, r->end, r->end, "incomplete escape sequence, "
                       "reached end of pattern prematurely");
            return VM_ERROR;
        }

        len = (size_t) (r->p++ - name);

        if (len && *name == '^') {
            negated = !negated;
            name++;
            len--;
        }

        sign = memchr(name, '=', len);

        if (sign) {
            len -= (size_t) (sign + 1 - name);
            name = sign + 1;
        }

    } else {
        len = r->p < r->end;
        r->p += len;
    }

    /* a subcategory that is not in the table is told by its first letter */

    if (vm_re_named(set, name, len, negated)
        || (len == 2 && islower((unsigned char) name[1])
            && vm_re_named(set, name, 1, negated)))
    {
        return VM_OK;
    }

    vm_re_fail(r, start, r->p, "Unicode property not found");

    return VM_ERROR;
}


/* Digits of \xHH, \x{H...}, \uHHHH, \UHHHHHHHH. */

static uint32_t
vm_re_hex(vm_re_t *r, unsigned digits)
{
    char      c;
    int       braced;
    uint32_t  cp;

    cp = 0;
    braced = r->p < r->end && *r->p == '{';
    r->p += braced;

    for (digits = braced ? 8 : digits; digits && r->p < r->end; digits--) {
        c = *r->p;

        if (!isxdigit((unsigned char) c)) {
            break;
        }

        cp = cp << 4 | (uint32_t) (isdigit((unsigned char) c)
                                   ? c - '0' : (c | 0x20) - 'a' + 10);
        r->p++;
    }

    r->p += braced && r->p < r->end && *r->p == '}';

    return (cp < 0xd800 || (cp > 0xdfff && cp < 0x110000)) ? cp : 0xfffd;
}


/*
 * An escape; r->p is behind the backslash.  1: it is a class, added to the
 * set; 0: the character in *cp; VM_ERROR.
 */

static int
vm_re_escape(vm_re_t *r, vm_re_set_t *set, uint32_t *cp)
{
    char         c, lower;
    size_t       i;
    const char  *start;

    static const char  plain[][2] = {
        { 'n', '\n' }, { 't', '\t' }, { 'r', '\r' }, { 'f', '\f' },
        { 'v', '\v' }, { 'a', '\a' }, { '0', '\0' }
    };

    start = r->p - 1;

    if (r->p == r->end) {
        *cp = '\\';
        return 0;
    }

    c = *r->p;
    lower = (char) (c | 0x20);

    if (c == 'p' || c == 'P') {
        r->p++;
        return vm_re_property(r, set, start, c == 'P') == VM_OK ? 1 : VM_ERROR;
    }

    if ((lower == 'd' || lower == 'w' || lower == 's')
        && vm_re_named(set, &lower, 1, c != lower))
    {
        r->p++;
        return 1;
    }

    if (c >= '1' && c <= '9') {
        vm_re_fail(r, start, r->p + 1, "backreferences are not supported");
        return VM_ERROR;
    }

    *cp = vm_re_next(r);

    switch (c) {

    case 'x':
        *cp = vm_re_hex(r, 2);
        return 0;

    case 'u':
        *cp = vm_re_hex(r, 4);
        return 0;

    case 'U':
        *cp = vm_re_hex(r, 8);
        return 0;

    case 'c':
        *cp = r->p < r->end ? (unsigned char) *r->p++ & 0x1f : 'c';
        return 0;

    default:
        for (i = 0; i < vm_nelts(plain); i++) {
            if (plain[i][0] == c) {
                *cp = (unsigned char) plain[i][1];
            }
        }

        return 0;
    }
}


/* ---- classes ---- */

/* [:alpha:] in a class; 0 if it is none. */

static int
vm_re_posix(vm_re_t *r, vm_re_set_t *set)
{
    int          negated;
    const char  *name, *p;

    if (r->end - r->p < 4 || r->p[0] != '[' || r->p[1] != ':') {
        return 0;
    }

    p = r->p + 2;
    negated = *p == '^';
    name = p + negated;

    for (p = name; p < r->end && isalpha((unsigned char) *p); p++) {
        /* void */
    }

    if (r->end - p < 2 || p[0] != ':' || p[1] != ']'
        || !vm_re_named(set, name, (size_t) (p - name), negated))
    {
        return 0;
    }

    r->p = p + 2;

    return 1;
}


static vm_regex_t *
vm_re_class_node(vm_re_t *r, const vm_re_set_t *set)
{
    vm_regex_t  *re;

    re = vm_re_node(r, VM_RE_CLASS);

    if (re && set->n) {
        re->ranges = vm_pool_alloc(r->pool, set->n * sizeof(vm_re_range_t));

        if (re->ranges == NULL) {
            return vm_re_fail(r, r->p, r->p, "no memory");
        }

        memcpy(re->ranges, set->list, set->n * sizeof(vm_re_range_t));
        re->n = set->n;
    }

    return re;
}


static vm_regex_t *
vm_re_class(vm_re_t *r)
{
    int           first, negated, rc;
    uint32_t      from, to;
    const char   *open, *start;
    vm_re_set_t   in, out;

    start = r->p++;
    in.n = 0;
    out.n = 0;
    negated = r->p < r->end && *r->p == '^';
    r->p += negated;

    /* "[^]" is what is not nothing */

    if (negated && r->end - r->p == 1 && *r->p == ']') {
        r->p++;
        vm_re_negate(&in, &out);
        return vm_re_class_node(r, &out);
    }

    for (first = 1; /* void */ ; first = 0) {

        if (r->p == r->end) {
            open = start + 1 + negated;

            return vm_re_fail(r, start,
                              first || (r->p == open + 1 && *open == ']')
                              ? r->p : start + 1,
                              "unclosed character class");
        }

        if (*r->p == ']' && !first) {
            r->p++;
            break;
        }

        if (vm_re_posix(r, &in)) {
            continue;
        }

        open = r->p;
        from = vm_re_next(r);

        if (from == '\\') {
            rc = vm_re_escape(r, &in, &from);

            if (rc == VM_ERROR) {
                return NULL;
            }

            if (rc) {
                continue;
            }
        }

        to = from;

        if (r->end - r->p > 1 && *r->p == '-' && r->p[1] != ']') {
            r->p++;
            to = vm_re_next(r);

            if (to == '\\' && vm_re_escape(r, &in, &to) != 0) {
                return vm_re_fail(r, open, r->p, "invalid character class "
                                  "range, the start must be <= the end");
            }

            if (to < from) {
                return vm_re_fail(r, open, r->p, "invalid character class "
                                  "range, the start must be <= the end");
            }
        }

        vm_re_range(&in, from, to);
    }

    if (negated) {
        vm_re_negate(&in, &out);
        in = out;
    }

    return vm_re_class_node(r, &in);
}


/* ---- groups, repetitions, sequences, alternatives ---- */

/* What stands behind "(?": a name, flags, look-around. */

static int
vm_re_group_kind(vm_re_t *r, const char *open, int *nothing)
{
    const char  *close;

    static const char  flags[] = "imsUuxR-";

    if (r->p == r->end) {
        vm_re_fail(r, open, open + 1, "unclosed group");
        return VM_ERROR;
    }

    if (*r->p == '=' || *r->p == '!'
        || (*r->p == '<' && r->end - r->p > 1
            && (r->p[1] == '=' || r->p[1] == '!')))
    {
        r->p += 1 + (*r->p == '<');

        if (!r->around) {
            vm_re_fail(r, open, r->p, "look-around, including look-ahead and "
                       "look-behind, is not supported");
            return VM_ERROR;
        }

        *nothing = 1;
        return VM_OK;
    }

    if (*r->p == 'P' || *r->p == '<') {
        close = memchr(r->p, '>', (size_t) (r->end - r->p));

        if (close == NULL) {
            vm_re_fail(r, r->p, r->end, "unclosed capture group name");
            return VM_ERROR;
        }

        r->p = close + 1;
        return VM_OK;
    }

    while (r->p < r->end && *r->p != ':' && *r->p != ')') {

        if (strchr(flags, *r->p) == NULL) {
            vm_re_fail(r, r->p, r->p + 1, "unrecognized flag");
            return VM_ERROR;
        }

        r->p++;
    }

    if (r->p == r->end) {
        vm_re_fail(r, open, open + 1, "unclosed group");
        return VM_ERROR;
    }

    r->p += *r->p == ':';               /* "(?i)" ends at its bracket */

    return VM_OK;
}


static vm_regex_t *
vm_re_group(vm_re_t *r)
{
    int          nothing;
    vm_regex_t  *re;
    const char  *open;

    open = r->p++;
    nothing = 0;

    if (r->p < r->end && *r->p == '?') {
        r->p++;

        if (vm_re_group_kind(r, open, &nothing) != VM_OK) {
            return NULL;
        }
    }

    if (++r->nest > VM_RE_NEST) {
        return vm_re_fail(r, open, open + 1, "exceeded the maximum number of "
                          "nested parentheses/brackets (250)");
    }

    re = vm_re_choice(r);
    r->nest--;

    if (re == NULL) {
        return NULL;
    }

    if (r->p == r->end) {
        return vm_re_fail(r, open, open + 1, "unclosed group");
    }

    r->p++;

    return nothing ? vm_re_node(r, VM_RE_NOTHING) : re;
}


static vm_regex_t *
vm_re_char(vm_re_t *r, uint32_t cp)
{
    vm_regex_t  *re;

    re = vm_re_node(r, VM_RE_CHAR);

    if (re) {
        re->cp = cp;
    }

    return re;
}


static vm_regex_t *
vm_re_backslash(vm_re_t *r)
{
    int          rc;
    uint32_t     cp;
    vm_re_set_t  set;

    set.n = 0;
    r->p++;

    if (r->p < r->end && strchr("AzZ", *r->p)) {
        r->p++;
        return vm_re_node(r, VM_RE_NOTHING);
    }

    if (r->p < r->end && (*r->p == 'b' || *r->p == 'B')) {

        if (!r->failed) {
            r->failed = 1;
            vm_buf_printf(r->why, "lookarounds not supported yet; %s in regex "
                          "/%.*s/", *r->p == 'b' ? "WordUnicode"
                                                 : "WordUnicodeNegate",
                          (int) (r->end - r->start), r->start);
        }

        return NULL;
    }

    rc = vm_re_escape(r, &set, &cp);

    return rc == VM_ERROR ? NULL : rc ? vm_re_class_node(r, &set)
                                      : vm_re_char(r, cp);
}


static vm_regex_t *
vm_re_atom(vm_re_t *r)
{
    vm_re_set_t  set;

    switch (*r->p) {

    case '(':
        return vm_re_group(r);

    case '[':
        return vm_re_class(r);

    case '.':
        r->p++;
        set.n = 0;
        vm_re_range(&set, 'a', 'z');
        return vm_re_class_node(r, &set);

    case '^':
    case '$':
        r->p++;
        return vm_re_node(r, VM_RE_NOTHING);

    case '*':
    case '+':
    case '?':
    case '{':
        return vm_re_fail(r, r->p, r->p + 1, "repetition operator missing "
                          "expression");

    case '\\':
        return vm_re_backslash(r);

    default:
        return vm_re_char(r, vm_re_next(r));
    }
}


static uint32_t
vm_re_decimal(vm_re_t *r)
{
    uint64_t  n;

    for (n = 0; r->p < r->end && isdigit((unsigned char) *r->p); r->p++) {
        n = vm_min(n * 10 + (uint64_t) (*r->p - '0'), VM_RE_OPEN - 1);
    }

    return (uint32_t) n;
}


/* {n}, {n,}, {n,m} */

static int
vm_re_counts(vm_re_t *r, uint32_t *min, uint32_t *max)
{
    const char  *open;

    open = r->p++;

    if (r->p < r->end && !isdigit((unsigned char) *r->p)) {
        vm_re_fail(r, r->p, r->p + 1, "repetition quantifier expects a valid "
                   "decimal");
        return VM_ERROR;
    }

    *min = vm_re_decimal(r);
    *max = *min;

    if (r->p < r->end && *r->p == ',') {
        r->p++;
        *max = r->p < r->end && isdigit((unsigned char) *r->p)
               ? vm_re_decimal(r) : VM_RE_OPEN;
    }

    if (r->p == r->end || *r->p != '}') {
        vm_re_fail(r, open, r->p, "unclosed counted repetition");
        return VM_ERROR;
    }

    r->p++;

    if (*max < *min) {
        vm_re_fail(r, open, r->p, "invalid repetition count range, the start "
                   "must be <= the end");
        return VM_ERROR;
    }

    return VM_OK;
}


/* An atom and what repeats it, as often as that is repeated itself. */

static vm_regex_t *
vm_re_repeat(vm_re_t *r)
{
    uint32_t     max, min;
    unsigned     depth;
    vm_regex_t  *atom, *re;

    atom = vm_re_atom(r);

    for (depth = 0; atom && r->p < r->end; depth++) {

        if (*r->p == '{') {

            if (vm_re_counts(r, &min, &max) != VM_OK) {
                return NULL;
            }

        } else if (*r->p == '*' || *r->p == '+' || *r->p == '?') {
            min = *r->p == '+';
            max = *r->p == '?' ? 1 : VM_RE_OPEN;
            r->p++;

        } else {
            break;
        }

        /* lazy or possessive: all the same */

        r->p += r->p < r->end && (*r->p == '?' || *r->p == '+');

        if (depth >= VM_RE_NEST) {
            continue;
        }

        re = vm_re_node(r, VM_RE_REPEAT);
        if (re == NULL) {
            return NULL;
        }

        re->min = min;
        re->max = max;
        re->child = atom;
        atom = re;
    }

    return atom;
}


static vm_regex_t *
vm_re_sequence(vm_re_t *r)
{
    vm_regex_t  *one, **last, *re;

    re = vm_re_node(r, VM_RE_SEQUENCE);
    if (re == NULL) {
        return NULL;
    }

    last = &re->child;

    while (r->p < r->end && *r->p != '|' && *r->p != ')') {
        one = vm_re_repeat(r);
        if (one == NULL) {
            return NULL;
        }

        *last = one;
        last = &one->next;
    }

    return re;
}


static vm_regex_t *
vm_re_choice(vm_re_t *r)
{
    vm_regex_t  *one, **last, *re;

    re = vm_re_node(r, VM_RE_CHOICE);
    if (re == NULL) {
        return NULL;
    }

    for (last = &re->child; /* void */ ; last = &one->next) {
        one = vm_re_sequence(r);
        if (one == NULL) {
            return NULL;
        }

        *last = one;
        re->n++;

        if (r->p == r->end || *r->p != '|') {
            return re;
        }

        r->p++;
    }
}


vm_regex_t *
vm_regex_parse(const char *s, size_t len, int around, vm_pool_t *pool,
    vm_buf_t *why)
{
    vm_re_t      r;
    vm_regex_t  *re;

    memset(&r, 0, sizeof(vm_re_t));

    r.start = s;
    r.p = s;
    r.end = s + len;
    r.pool = pool;
    r.why = why;
    r.around = around;

    re = vm_re_choice(&r);

    if (re && r.p < r.end) {
        return vm_re_fail(&r, r.p, r.p + 1, "unopened group");
    }

    return re;
}


/* ---- writing ---- */

typedef struct {
    uint64_t   key;
    uint64_t   draws;
    unsigned   more;
    unsigned   steps;               /* that are left */
    size_t     stop;                /* bytes of out at which all ends */
    vm_buf_t  *out;
} vm_re_writer_t;


static uint64_t
vm_re_draw(vm_re_writer_t *w, uint64_t n)
{
    return vm_rand_at(w->key, w->draws++) % n;
}


static void
vm_re_put(vm_re_writer_t *w, uint32_t cp)
{
    if (cp < 0x80) {
        vm_buf_char(w->out, (char) cp);
        return;
    }

    if (cp >= 0x10000) {
        vm_buf_char(w->out, (char) (0xf0 | cp >> 18));
        vm_buf_char(w->out, (char) (0x80 | (cp >> 12 & 0x3f)));

    } else if (cp >= 0x800) {
        vm_buf_char(w->out, (char) (0xe0 | cp >> 12));
    }

    if (cp >= 0x800) {
        vm_buf_char(w->out, (char) (0x80 | (cp >> 6 & 0x3f)));

    } else {
        vm_buf_char(w->out, (char) (0xc0 | cp >> 6));
    }

    vm_buf_char(w->out, (char) (0x80 | (cp & 0x3f)));
}


static void
vm_re_pick(vm_re_writer_t *w, const vm_regex_t *re)
{
    uint32_t  i;
    uint64_t  k, n;

    for (n = 0, i = 0; i < re->n; i++) {
        n += re->ranges[i].to - re->ranges[i].from + 1;
    }

    if (n == 0) {
        return;
    }

    k = vm_re_draw(w, n);

    for (i = 0; k > re->ranges[i].to - re->ranges[i].from; i++) {
        k -= re->ranges[i].to - re->ranges[i].from + 1;
    }

    vm_re_put(w, re->ranges[i].from + (uint32_t) k);
}


static void
vm_re_write(vm_re_writer_t *w, const vm_regex_t *re)
{
    uint32_t           i, max, n;
    const vm_regex_t  *one;

    if (w->steps == 0 || w->out->len >= w->stop) {
        return;
    }

    w->steps--;

    switch (re->kind) {

    case VM_RE_CHAR:
        vm_re_put(w, re->cp);
        break;

    case VM_RE_CLASS:
        vm_re_pick(w, re);
        break;

    case VM_RE_SEQUENCE:
        for (one = re->child; one; one = one->next) {
            vm_re_write(w, one);
        }

        break;

    case VM_RE_CHOICE:
        n = re->n > 1 ? (uint32_t) vm_re_draw(w, re->n) : 0;

        for (one = re->child; n--; one = one->next) { /* void */ }

        vm_re_write(w, one);
        break;

    case VM_RE_REPEAT:
        max = re->max == VM_RE_OPEN ? w->more
                                    : vm_min(re->max - re->min, VM_RE_SPREAD);
        n = re->min + (max ? (uint32_t) vm_re_draw(w, (uint64_t) max + 1)
                           : 0);

        for (i = 0; i < n && w->steps && w->out->len < w->stop; i++) {
            vm_re_write(w, re->child);
        }

        break;

    default: /* VM_RE_NOTHING */
        break;
    }
}


void
vm_regex_write(const vm_regex_t *re, uint64_t key, unsigned more,
    vm_buf_t *out)
{
    vm_re_writer_t  w;

    w.key = key;
    w.draws = 0;
    w.more = more;
    w.steps = VM_RE_STEPS;
    w.stop = out->len + VM_REGEX_BYTES;
    w.out = out;

    vm_re_write(&w, re);
}


/* ---- as the constraint of a whole text ---- */

int
vm_constraint_regex(const char *regex, size_t len, uint64_t key,
    vm_buf_t *out, vm_error_t *e, vm_pool_t *pool)
{
    size_t       i;
    vm_buf_t     escaped, why;
    vm_regex_t  *re;

    vm_buf_init(&why);
    re = vm_regex_parse(regex, len, 0, pool, &why);

    if (re) {
        vm_regex_write(re, key, 3, out);
        vm_buf_free(&why);
        return VM_OK;
    }

    /* within the grammar that the library makes of it */

    vm_buf_init(&escaped);

    for (i = 0; i < len; i++) {
        if (regex[i] == '"' || regex[i] == '\\') {
            vm_buf_char(&escaped, '\\');
        }

        vm_buf_char(&escaped, regex[i]);
    }

    (void) vm_error_printf(e, pool, 400, "BadRequestError", NULL,
                           "Grammar error: at 1(8): invalid regex \"%.*s\" "
                           "(in regex): %.*s\n   1 | start: /%.*s/\n"
                           "              ^\n", (int) escaped.len,
                           escaped.data ? escaped.data : "", (int) why.len,
                           why.data ? why.data : "", (int) len, regex);
    vm_buf_free(&escaped);
    vm_buf_free(&why);

    return VM_ERROR;
}
