/*
 * Python's view of JSON values, and how it prints them.
 */

#include <math.h>
#include <stdlib.h>
#include "value.h"
#include "../base/utf8.h"


/* 0xff never occurs in UTF-8: the first byte of a stand-in string */

#define VM_MARK        '\xff'
#define VM_MARK_FLOAT  'F'
#define VM_MARK_INT    'I'


static const char *
vm_value_mark(const json_t *v, char kind)
{
    const char  *s;

    s = json_string_value(v);

    return s && s[0] == VM_MARK && s[1] == kind ? s + 2 : NULL;
}


vm_py_e
vm_value_type(const json_t *v)
{
    if (v == NULL) {
        return VM_PY_NONE;
    }

    switch (json_typeof(v)) {

    case JSON_OBJECT:
        return VM_PY_DICT;

    case JSON_ARRAY:
        return VM_PY_LIST;

    case JSON_INTEGER:
        return VM_PY_INT;

    case JSON_REAL:
        return VM_PY_FLOAT;

    case JSON_TRUE:
    case JSON_FALSE:
        return VM_PY_BOOL;

    case JSON_NULL:
        return VM_PY_NONE;

    default: /* JSON_STRING */
        break;
    }

    if (vm_value_mark(v, VM_MARK_FLOAT)) {
        return VM_PY_FLOAT;
    }

    return vm_value_mark(v, VM_MARK_INT) ? VM_PY_BIGINT : VM_PY_STR;
}


const char *
vm_value_class(const json_t *v)
{
    static const char *const  names[] = {
        [VM_PY_NONE] = "NoneType", [VM_PY_BOOL] = "bool",
        [VM_PY_INT] = "int", [VM_PY_BIGINT] = "int",
        [VM_PY_FLOAT] = "float", [VM_PY_STR] = "str", [VM_PY_LIST] = "list",
        [VM_PY_DICT] = "dict"
    };

    return names[vm_value_type(v)];
}


double
vm_value_float(const json_t *v)
{
    const char  *s;

    s = vm_value_mark(v, VM_MARK_FLOAT);

    if (s == NULL) {
        s = vm_value_mark(v, VM_MARK_INT);
    }

    if (s) {
        return strtod(s, NULL);
    }

    return json_is_boolean(v) ? json_is_true(v) : json_number_value(v);
}


static json_t *
vm_value_marked(char kind, const char *s, size_t len)
{
    json_t    *v;
    vm_buf_t   b;

    vm_buf_init(&b);
    vm_buf_char(&b, VM_MARK);
    vm_buf_char(&b, kind);
    vm_buf_add(&b, s, len);

    v = b.failed ? NULL : json_stringn_nocheck(b.data, b.len);
    vm_buf_free(&b);

    return v;
}


json_t *
vm_value_from_float(double d)
{
    const char  *s;

    if (isfinite(d)) {
        return json_real(d);
    }

    s = isnan(d) ? "nan" : (d < 0 ? "-inf" : "inf");

    return vm_value_marked(VM_MARK_FLOAT, s, strlen(s));
}


json_t *
vm_value_from_digits(const char *digits, size_t len)
{
    return vm_value_marked(VM_MARK_INT, digits, len);
}


const char *
vm_value_digits(const json_t *v)
{
    return vm_value_mark(v, VM_MARK_INT);
}


json_t *
vm_value_get(const json_t *object, const char *key)
{
    json_t  *v;

    v = json_object_get(object, key);

    return json_is_null(v) ? NULL : v;
}


/* One character of UTF-8 (or of a surrogate's 3 bytes); its length. */

static size_t
vm_value_char(const char *s, size_t len, uint32_t *code)
{
    size_t          i, n;
    unsigned char   c;

    c = (unsigned char) s[0];

    if (c < 0xc0) {
        *code = c;
        return 1;
    }

    n = c >= 0xf0 ? 4 : (c >= 0xe0 ? 3 : 2);

    if (n > len) {
        *code = c;
        return 1;
    }

    *code = c & (0x7f >> n);

    for (i = 1; i < n; i++) {
        *code = *code << 6 | ((unsigned char) s[i] & 0x3f);
    }

    return n;
}


/* Characters that repr() escapes although they are no ASCII. */

static int
vm_value_unprintable(uint32_t c)
{
    size_t                   i;
    static const uint32_t    ranges[][2] = {
        { 0x7f, 0xa0 }, { 0xad, 0xad }, { 0x600, 0x605 }, { 0x61c, 0x61c },
        { 0x6dd, 0x6dd }, { 0x70f, 0x70f }, { 0x1680, 0x1680 },
        { 0x180e, 0x180e }, { 0x2000, 0x200f }, { 0x2028, 0x202f },
        { 0x205f, 0x206f }, { 0x3000, 0x3000 }, { 0xd800, 0xf8ff },
        { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xffff, 0xffff },
        { 0xe0000, 0x10ffff }
    };

    for (i = 0; i < vm_nelts(ranges); i++) {
        if (c >= ranges[i][0] && c <= ranges[i][1]) {
            return 1;
        }
    }

    return 0;
}


void
vm_value_repr_str(vm_buf_t *b, const char *s, size_t len)
{
    char      quote;
    size_t    i, n;
    uint32_t  c;

    quote = '\'';

    if (len && memchr(s, '\'', len) && !memchr(s, '"', len)) {
        quote = '"';
    }

    vm_buf_char(b, quote);

    for (i = 0; i < len; i += n) {
        n = vm_value_char(s + i, len - i, &c);

        if (c == (uint32_t) quote || c == '\\') {
            vm_buf_char(b, '\\');
            vm_buf_char(b, (char) c);

        } else if (c == '\n') {
            vm_buf_lit(b, "\\n");

        } else if (c == '\r') {
            vm_buf_lit(b, "\\r");

        } else if (c == '\t') {
            vm_buf_lit(b, "\\t");

        } else if (c >= 0x20 && !vm_value_unprintable(c)) {
            vm_buf_add(b, s + i, n);

        } else if (c < 0x100) {
            vm_buf_printf(b, "\\x%02x", c);

        } else {
            vm_buf_printf(b, c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
        }
    }

    vm_buf_char(b, quote);
}


void
vm_value_repr(vm_buf_t *b, const json_t *v)
{
    size_t       i;
    json_t      *item;
    const char  *key, *sep;

    switch (vm_value_type(v)) {

    case VM_PY_STR:
        vm_value_repr_str(b, json_string_value(v), json_string_length(v));
        break;

    case VM_PY_LIST:
        vm_buf_char(b, '[');

        json_array_foreach(v, i, item) {
            vm_buf_str(b, i ? ", " : "");
            vm_value_repr(b, item);
        }

        vm_buf_char(b, ']');
        break;

    case VM_PY_DICT:
        vm_buf_char(b, '{');
        sep = "";

        json_object_foreach((json_t *) v, key, item) {
            vm_buf_str(b, sep);
            vm_value_repr_str(b, key, strlen(key));
            vm_buf_lit(b, ": ");
            vm_value_repr(b, item);
            sep = ", ";
        }

        vm_buf_char(b, '}');
        break;

    default:
        vm_value_str(b, v);
    }
}


void
vm_value_str(vm_buf_t *b, const json_t *v)
{
    switch (vm_value_type(v)) {

    case VM_PY_NONE:
        vm_buf_lit(b, "None");
        break;

    case VM_PY_BOOL:
        vm_buf_str(b, json_is_true(v) ? "True" : "False");
        break;

    case VM_PY_INT:
        vm_buf_int(b, json_integer_value(v));
        break;

    case VM_PY_BIGINT:
        vm_buf_str(b, vm_value_digits(v));
        break;

    case VM_PY_FLOAT:
        vm_buf_double(b, vm_value_float(v));
        break;

    case VM_PY_STR:
        vm_buf_add(b, json_string_value(v), json_string_length(v));
        break;

    default:
        vm_value_repr(b, v);
    }
}


size_t
vm_value_chars(const char *s, size_t len)
{
    size_t  i, n;

    for (n = 0, i = 0; i < len; i++) {
        n += ((unsigned char) s[i] & 0xc0) != 0x80;
    }

    return n;
}


size_t
vm_value_prefix(const char *s, size_t len, size_t n)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        if (((unsigned char) s[i] & 0xc0) != 0x80 && n-- == 0) {
            break;
        }
    }

    return i;
}


int
vm_value_surrogates(const char *s, size_t len)
{
    const char  *p, *end;

    end = s + len;

    for (p = s; (p = memchr(p, 0xed, (size_t) (end - p))) != NULL; p++) {
        if (vm_utf8_surrogate(p, (size_t) (end - p))) {
            return 1;
        }
    }

    return 0;
}


int
vm_value_big(const json_t *v)
{
    int          rc;
    size_t       i;
    json_t      *item;
    const char  *key;

    rc = 0;

    switch (vm_value_type(v)) {

    case VM_PY_BIGINT:
        key = vm_value_digits(v);
        return key[0] == '-' || strlen(key) > 20
               || (strlen(key) == 20 && strcmp(key, "18446744073709551615")
                                        > 0);

    case VM_PY_LIST:
        json_array_foreach(v, i, item) {
            rc |= vm_value_big(item);
        }

        return rc;

    case VM_PY_DICT:
        json_object_foreach((json_t *) v, key, item) {
            rc |= vm_value_big(item);
        }

        return rc;

    default:
        return 0;
    }
}


json_t *
vm_value_plain(const json_t *v)
{
    size_t       i;
    json_t      *item, *one, *out;
    const char  *key;

    switch (vm_value_type(v)) {

    case VM_PY_BIGINT:
    case VM_PY_FLOAT:
        return json_real(vm_value_float(v));

    case VM_PY_STR:
        return vm_value_surrogates(json_string_value(v), json_string_length(v))
               ? NULL : json_incref((json_t *) v);

    case VM_PY_LIST:
        out = json_array();

        json_array_foreach(v, i, item) {
            one = vm_value_plain(item);

            if (one == NULL || json_array_append_new(out, one) != 0) {
                json_decref(out);
                return NULL;
            }
        }

        return out;

    case VM_PY_DICT:
        out = json_object();

        json_object_foreach((json_t *) v, key, item) {
            one = vm_value_surrogates(key, strlen(key))
                  ? NULL : vm_value_plain(item);

            if (one == NULL
                || json_object_set_new_nocheck(out, key, one) != 0)
            {
                json_decref(out);
                return NULL;
            }
        }

        return out;

    default:
        return json_incref((json_t *) v);
    }
}


int
vm_value_true(const json_t *v)
{
    switch (vm_value_type(v)) {

    case VM_PY_NONE:
        return 0;

    case VM_PY_STR:
        return json_string_length(v) != 0;

    case VM_PY_LIST:
        return json_array_size(v) != 0;

    case VM_PY_DICT:
        return json_object_size(v) != 0;

    default:
        return vm_value_float(v) != 0;
    }
}
