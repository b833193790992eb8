/*
 * JSON in Python's dialect: what json.loads() accepts and how it complains.
 * jansson reads what is plain JSON, by far the most; only what it refuses is
 * read again here, for the error's place or for what Python takes besides
 * (NaN, big numbers, lone surrogates, UTF-16).
 */

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "value.h"


/* Python 3.11 recurses at most 1000 deep, its server's own frames included. */

#define VM_JSON_DEPTH   930
#define VM_JSON_DIGITS  4300

/* Memory for values that a text may take, or twice its length if more. */

#define VM_JSON_COST    ((size_t) 64 * 1024 * 1024)

typedef struct {
    const char  *start;
    const char  *p;
    const char  *end;
    unsigned     depth;
    vm_json_e    result;
    const char  *error;
    const char  *at;
} vm_parser_t;


static json_t *vm_json_value(vm_parser_t *s);


static json_t *
vm_json_fail(vm_parser_t *s, const char *at, const char *error)
{
    if (s->result == VM_JSON_OK) {
        s->result = VM_JSON_INVALID;
        s->error = error;
        s->at = at;
    }

    return NULL;
}


static json_t *
vm_json_hopeless(vm_parser_t *s)
{
    s->result = VM_JSON_UNDECODABLE;
    return NULL;
}


static void
vm_json_blank(vm_parser_t *s)
{
    while (s->p < s->end
           && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n'
               || *s->p == '\r'))
    {
        s->p++;
    }
}


static int
vm_json_hex4(vm_parser_t *s, const char *p, uint32_t *code)
{
    int       i;
    char      c;

    if (s->end - p < 4) {
        return 0;
    }

    for (*code = 0, i = 0; i < 4; i++) {
        c = p[i];
        *code <<= 4;

        if (c >= '0' && c <= '9') {
            *code |= (uint32_t) (c - '0');

        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            *code |= (uint32_t) ((c | 0x20) - 'a' + 10);

        } else {
            return 0;
        }
    }

    return 1;
}


static void
vm_json_put(vm_buf_t *b, uint32_t c)
{
    if (c < 0x80) {
        vm_buf_char(b, (char) c);
        return;
    }

    if (c < 0x800) {
        vm_buf_char(b, (char) (0xc0 | c >> 6));

    } else {
        if (c < 0x10000) {
            vm_buf_char(b, (char) (0xe0 | c >> 12));

        } else {
            vm_buf_char(b, (char) (0xf0 | c >> 18));
            vm_buf_char(b, (char) (0x80 | (c >> 12 & 0x3f)));
        }

        vm_buf_char(b, (char) (0x80 | (c >> 6 & 0x3f)));
    }

    vm_buf_char(b, (char) (0x80 | (c & 0x3f)));
}


/* The text of a string whose opening quote is at s->p. */

static int
vm_json_text(vm_parser_t *s, vm_buf_t *b)
{
    char                c;
    uint32_t            code, low;
    const char         *open, *escape, *found;
    static const char   escapes[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";

    open = s->p++;

    for ( ;; ) {
        if (s->p == s->end) {
            vm_json_fail(s, open, "Unterminated string starting at");
            return VM_ERROR;
        }

        c = *s->p;

        if (c == '"') {
            s->p++;
            return VM_OK;
        }

        if ((unsigned char) c < 0x20) {
            vm_json_fail(s, s->p, "Invalid control character at");
            return VM_ERROR;
        }

        if (c != '\\') {
            vm_buf_char(b, c);
            s->p++;
            continue;
        }

        escape = s->p++;

        if (s->p == s->end) {
            vm_json_fail(s, open, "Unterminated string starting at");
            return VM_ERROR;
        }

        c = *s->p++;

        if (c != 'u') {
            found = c ? strchr(escapes, c) : NULL;

            if (found == NULL) {
                vm_json_fail(s, escape, "Invalid \\escape");
                return VM_ERROR;
            }

            vm_buf_char(b, values[found - escapes]);
            continue;
        }

        if (!vm_json_hex4(s, s->p, &code)) {
            vm_json_fail(s, s->p - 1, "Invalid \\uXXXX escape");
            return VM_ERROR;
        }

        s->p += 4;

        if ((code & 0xfc00) == 0xd800 && s->end - s->p >= 6
            && s->p[0] == '\\' && s->p[1] == 'u'
            && vm_json_hex4(s, s->p + 2, &low) && (low & 0xfc00) == 0xdc00)
        {
            code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
            s->p += 6;
        }

        vm_json_put(b, code);
    }
}


static json_t *
vm_json_string(vm_parser_t *s)
{
    json_t    *v;
    vm_buf_t   b;

    vm_buf_init(&b);

    v = NULL;

    if (vm_json_text(s, &b) == VM_OK && !b.failed) {
        v = json_stringn_nocheck(b.len ? b.data : "", b.len);
    }

    vm_buf_free(&b);

    return v;
}


static const char *
vm_json_skip_digits(vm_parser_t *s, const char *p)
{
    while (p < s->end && *p >= '0' && *p <= '9') {
        p++;
    }

    return p;
}


static json_t *
vm_json_number(vm_parser_t *s)
{
    int          integer;
    char        *text;
    json_t      *v;
    size_t       len;
    long long    n;
    const char  *p, *q, *start;

    start = s->p;
    p = start + (*start == '-');

    if (p == s->end || *p < '0' || *p > '9') {
        return vm_json_fail(s, start, "Expecting value");
    }

    p = *p == '0' ? p + 1 : vm_json_skip_digits(s, p);
    integer = 1;

    if (s->end - p > 1 && *p == '.' && p[1] >= '0' && p[1] <= '9') {
        p = vm_json_skip_digits(s, p + 1);
        integer = 0;
    }

    if (s->end - p > 1 && (*p == 'e' || *p == 'E')) {
        q = p + 1;
        q += *q == '+' || *q == '-';

        if (q < s->end && *q >= '0' && *q <= '9') {
            p = vm_json_skip_digits(s, q);
            integer = 0;
        }
    }

    len = (size_t) (p - start);
    s->p = p;

    if (integer && len - (*start == '-') > VM_JSON_DIGITS) {
        return vm_json_hopeless(s);
    }

    text = strndup(start, len);
    if (text == NULL) {
        return vm_json_hopeless(s);
    }

    if (integer) {
        errno = 0;
        n = strtoll(text, NULL, 10);
        v = errno == ERANGE ? vm_value_from_digits(text, len)
                            : json_integer(n);

    } else {
        v = vm_value_from_float(strtod(text, NULL));
    }

    free(text);

    return v;
}


static json_t *
vm_json_array(vm_parser_t *s)
{
    json_t  *list, *v;

    list = json_array();
    s->p++;
    vm_json_blank(s);

    if (s->p < s->end && *s->p == ']') {
        s->p++;
        return list;
    }

    for ( ;; ) {
        v = vm_json_value(s);

        if (v == NULL || json_array_append_new(list, v) != 0) {
            break;
        }

        vm_json_blank(s);

        if (s->p < s->end && *s->p == ']') {
            s->p++;
            return list;
        }

        if (s->p == s->end || *s->p != ',') {
            vm_json_fail(s, s->p, "Expecting ',' delimiter");
            break;
        }

        s->p++;
        vm_json_blank(s);
    }

    json_decref(list);

    return NULL;
}


static json_t *
vm_json_object(vm_parser_t *s)
{
    json_t    *object, *v;
    vm_buf_t   key;

    object = json_object();
    vm_buf_init(&key);
    s->p++;
    vm_json_blank(s);

    if (s->p < s->end && *s->p == '}') {
        s->p++;
        return object;
    }

    for ( ;; ) {
        if (s->p == s->end || *s->p != '"') {
            vm_json_fail(s, s->p,
                         "Expecting property name enclosed in double quotes");
            break;
        }

        vm_buf_reset(&key);

        if (vm_json_text(s, &key) != VM_OK) {
            break;
        }

        vm_json_blank(s);

        if (s->p == s->end || *s->p != ':') {
            vm_json_fail(s, s->p, "Expecting ':' delimiter");
            break;
        }

        s->p++;
        vm_json_blank(s);
        v = vm_json_value(s);

        if (v == NULL
            || json_object_setn_new_nocheck(object, key.len ? key.data : "",
                                            key.len, v) != 0)
        {
            break;
        }

        vm_json_blank(s);

        if (s->p < s->end && *s->p == '}') {
            s->p++;
            vm_buf_free(&key);
            return object;
        }

        if (s->p == s->end || *s->p != ',') {
            vm_json_fail(s, s->p, "Expecting ',' delimiter");
            break;
        }

        s->p++;
        vm_json_blank(s);
    }

    vm_buf_free(&key);
    json_decref(object);

    return NULL;
}


static int
vm_json_word(vm_parser_t *s, const char *word)
{
    size_t  len;

    len = strlen(word);

    if ((size_t) (s->end - s->p) < len || memcmp(s->p, word, len) != 0) {
        return 0;
    }

    s->p += len;

    return 1;
}


static json_t *
vm_json_value(vm_parser_t *s)
{
    json_t  *v;

    if (s->p == s->end) {
        return vm_json_fail(s, s->p, "Expecting value");
    }

    if (*s->p == '[' || *s->p == '{') {

        if (++s->depth > VM_JSON_DEPTH) {
            return vm_json_hopeless(s);
        }

        v = *s->p == '[' ? vm_json_array(s) : vm_json_object(s);
        s->depth--;

        return v;
    }

    if (*s->p == '"') {
        return vm_json_string(s);
    }

    if (vm_json_word(s, "null")) {
        return json_null();
    }

    if (vm_json_word(s, "true")) {
        return json_true();
    }

    if (vm_json_word(s, "false")) {
        return json_false();
    }

    if (vm_json_word(s, "NaN")) {
        return vm_value_from_float(NAN);
    }

    if (vm_json_word(s, "Infinity")) {
        return vm_value_from_float(INFINITY);
    }

    if (vm_json_word(s, "-Infinity")) {
        return vm_value_from_float(-INFINITY);
    }

    return vm_json_number(s);
}


static int
vm_json_utf8(const char *text, size_t len)
{
    size_t               i, k, n;
    uint32_t             c;
    const unsigned char *p;

    p = (const unsigned char *) text;

    for (i = 0; i < len; i += n) {

        if (p[i] < 0x80) {
            n = 1;
            continue;
        }

        n = p[i] >= 0xf0 ? 4 : (p[i] >= 0xe0 ? 3 : 2);

        if (p[i] < 0xc2 || p[i] > 0xf4 || n > len - i) {
            return 0;
        }

        for (c = p[i] & (0x7fu >> n), k = 1; k < n; k++) {
            if ((p[i + k] & 0xc0) != 0x80) {
                return 0;
            }

            c = c << 6 | (p[i + k] & 0x3f);
        }

        if ((n == 3 && (c < 0x800 || (c & 0xf800) == 0xd800))
            || (n == 4 && (c < 0x10000 || c > 0x10ffff)))
        {
            return 0;
        }
    }

    return 1;
}


/*
 * json.detect_encoding(): by a byte order mark, else by where zeros are.
 * Answers the bytes of a unit (1, 2, 4), and 1 in *big for big endian.
 */

static unsigned
vm_json_encoding(const unsigned char *p, size_t len, int *big, size_t *skip)
{
    *skip = 0;
    *big = 0;

    if (len >= 4 && memcmp(p, "\xff\xfe\0\0", 4) == 0) {
        *skip = 4;
        return 4;
    }

    if (len >= 4 && memcmp(p, "\0\0\xfe\xff", 4) == 0) {
        *skip = 4;
        *big = 1;
        return 4;
    }

    if (len >= 2 && (memcmp(p, "\xff\xfe", 2) == 0
                     || memcmp(p, "\xfe\xff", 2) == 0))
    {
        *skip = 2;
        *big = p[0] == 0xfe;
        return 2;
    }

    if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        *skip = 3;
        return 1;
    }

    if (len >= 4) {
        if (p[0] == 0) {
            *big = 1;
            return p[1] ? 2 : 4;
        }

        if (p[1] == 0) {
            return (p[2] || p[3]) ? 2 : 4;
        }

    } else if (len == 2 && (p[0] == 0 || p[1] == 0)) {
        *big = p[0] == 0;
        return 2;
    }

    return 1;
}


static uint32_t
vm_json_unit(const unsigned char *p, unsigned unit, int big)
{
    unsigned  i;
    uint32_t  c;

    for (c = 0, i = 0; i < unit; i++) {
        c = c << 8 | p[big ? i : unit - 1 - i];
    }

    return c;
}


static int
vm_json_decode(vm_buf_t *out, const unsigned char *p, size_t len,
    unsigned unit, int big)
{
    size_t    i;
    uint32_t  c, low;

    if (len % unit) {
        return VM_ERROR;
    }

    for (i = 0; i < len; i += unit) {
        c = vm_json_unit(p + i, unit, big);

        if ((c & 0xfffffc00) == 0xd800 && unit == 2) {

            if (len - i < 4) {
                return VM_ERROR;
            }

            low = vm_json_unit(p + i + 2, unit, big);

            if ((low & 0xfc00) != 0xdc00) {
                return VM_ERROR;
            }

            c = 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
            i += unit;

        } else if (c > 0x10ffff || (c & 0xfffff800) == 0xd800) {
            return VM_ERROR;
        }

        vm_json_put(out, c);
    }

    return out->failed ? VM_ERROR : VM_OK;
}


static vm_json_e
vm_json_python(vm_json_t *j, const char *text, size_t len)
{
    vm_parser_t  s;

    memset(&s, 0, sizeof(vm_parser_t));

    s.start = text;
    s.p = text;
    s.end = text + len;

    vm_json_blank(&s);
    j->value = vm_json_value(&s);

    if (j->value) {
        vm_json_blank(&s);

        if (s.p < s.end) {
            json_decref(j->value);
            j->value = NULL;
            vm_json_fail(&s, s.p, "Extra data");
        }

    } else if (s.result == VM_JSON_OK) {
        s.result = VM_JSON_UNDECODABLE;         /* no memory */
    }

    if (s.result == VM_JSON_INVALID) {
        j->error = s.error;
        j->pos = vm_value_chars(text, (size_t) (s.at - text));
    }

    return s.result;
}


/*
 * Brackets that are open at once, at most, were the text plain JSON; in *cost
 * about the memory that its values will take.
 */

static unsigned
vm_json_survey(const char *text, size_t len, size_t *cost)
{
    int              quoted;
    size_t           i, n;
    unsigned         depth, most;

    static const unsigned short  costs[256] = {
        ['{'] = 280, ['['] = 140, [':'] = 80, [','] = 44
    };

    quoted = 0;
    depth = 0;
    most = 0;
    n = 0;

    for (i = 0; i < len; i++) {

        if (quoted) {
            if (text[i] == '\\') {
                i++;

            } else if (text[i] == '"') {
                quoted = 0;
            }

            continue;
        }

        n += costs[(unsigned char) text[i]];

        if (text[i] == '"') {
            quoted = 1;

        } else if (text[i] == '[' || text[i] == '{') {
            most = vm_max(most, ++depth);

        } else if ((text[i] == ']' || text[i] == '}') && depth) {
            depth--;
        }
    }

    *cost = n;

    return most;
}


vm_json_e
vm_json_load(vm_json_t *j, const char *text, size_t len)
{
    int        big;
    size_t     cost, skip;
    unsigned   depth, unit;
    vm_buf_t   b;
    vm_json_e  rc;

    memset(j, 0, sizeof(vm_json_t));

    cost = 0;
    depth = len > 2 * VM_JSON_DEPTH ? vm_json_survey(text, len, &cost) : 0;

    if (cost > vm_max(VM_JSON_COST, 2 * len)) {
        return VM_JSON_LARGE;
    }

    if (depth <= VM_JSON_DEPTH) {
        j->value = json_loadb(text, len, JSON_DECODE_ANY|JSON_ALLOW_NUL, NULL);

        if (j->value) {
            return VM_JSON_OK;
        }
    }

    unit = vm_json_encoding((const unsigned char *) text, len, &big, &skip);
    text += skip;
    len -= skip;

    if (unit == 1) {
        return vm_json_utf8(text, len) ? vm_json_python(j, text, len)
                                       : VM_JSON_UNDECODABLE;
    }

    vm_buf_init(&b);

    rc = VM_JSON_UNDECODABLE;

    if (vm_json_decode(&b, (const unsigned char *) text, len, unit, big)
        == VM_OK)
    {
        rc = vm_json_python(j, b.len ? b.data : "", b.len);
    }

    vm_buf_free(&b);

    return rc;
}
