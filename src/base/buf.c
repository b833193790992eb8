/*
 * The growable buffer, and how numbers and strings are written into it.
 */

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "utf8.h"


#define VM_BUF_MIN  256


void
vm_buf_init(vm_buf_t *b)
{
    memset(b, 0, sizeof(vm_buf_t));
}


void
vm_buf_free(vm_buf_t *b)
{
    free(b->data);
    vm_buf_init(b);
}


void
vm_buf_reset(vm_buf_t *b)
{
    b->len = 0;
    b->failed = 0;
}


int
vm_buf_reserve(vm_buf_t *b, size_t more)
{
    char    *data;
    size_t   size;

    if (more <= b->size - b->len) {
        return VM_OK;
    }

    size = vm_max(b->size * 2, VM_BUF_MIN);

    if (size < b->len + more) {
        size = b->len + more;
    }

    data = realloc(b->data, size);
    if (data == NULL) {
        b->failed = 1;
        return VM_ERROR;
    }

    b->data = data;
    b->size = size;

    return VM_OK;
}


void
vm_buf_add(vm_buf_t *b, const void *data, size_t len)
{
    if (len == 0 || vm_buf_reserve(b, len) != VM_OK) {
        return;
    }

    memcpy(b->data + b->len, data, len);
    b->len += len;
}


void
vm_buf_str(vm_buf_t *b, const char *s)
{
    vm_buf_add(b, s, strlen(s));
}


void
vm_buf_char(vm_buf_t *b, char c)
{
    vm_buf_add(b, &c, 1);
}


void
vm_buf_uint(vm_buf_t *b, uint64_t n)
{
    char  *p, text[20];

    p = text + sizeof(text);

    do {
        *--p = (char) ('0' + n % 10);
        n /= 10;
    } while (n);

    vm_buf_add(b, p, (size_t) (text + sizeof(text) - p));
}


void
vm_buf_int(vm_buf_t *b, int64_t n)
{
    if (n < 0) {
        vm_buf_char(b, '-');
        vm_buf_uint(b, 0 - (uint64_t) n);
        return;
    }

    vm_buf_uint(b, (uint64_t) n);
}


void
vm_buf_printf(vm_buf_t *b, const char *fmt, ...)
{
    int      n;
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);

    if (n < 0 || vm_buf_reserve(b, (size_t) n + 1) != VM_OK) {
        b->failed = 1;
        return;
    }

    va_start(args, fmt);
    vsnprintf(b->data + b->len, (size_t) n + 1, fmt, args);
    va_end(args);

    b->len += (size_t) n;
}


void
vm_buf_double(vm_buf_t *b, double d)
{
    int    exp, i, n, prec;
    char  *p, digits[32], text[40];

    if (isnan(d)) {
        vm_buf_lit(b, "nan");
        return;
    }

    if (signbit(d)) {
        vm_buf_char(b, '-');
        d = -d;
    }

    if (isinf(d)) {
        vm_buf_lit(b, "inf");
        return;
    }

    /*
     * The shortest digits that read back as the same number; 15 of them do so
     * whatever they are, but for what is too small to have so many.
     */

    for (prec = d != 0 && d < DBL_MIN ? 0 : 14; /* void */ ; prec++) {
        snprintf(text, sizeof(text), "%.*e", prec, d);

        if (prec == 16 || strtod(text, NULL) == d) {
            break;
        }
    }

    p = strchr(text, 'e');
    exp = atoi(p + 1);

    digits[0] = text[0];
    n = (int) (p - text);

    for (i = 2; i < n; i++) {
        digits[i - 1] = text[i];
    }

    n -= n > 1;                         /* the point */

    while (n > 1 && digits[n - 1] == '0') {
        n--;
    }

    if (exp < -4 || exp >= 16) {
        vm_buf_char(b, digits[0]);

        if (n > 1) {
            vm_buf_char(b, '.');
            vm_buf_add(b, digits + 1, (size_t) n - 1);
        }

        vm_buf_printf(b, "e%c%02d", exp < 0 ? '-' : '+', abs(exp));
        return;
    }

    if (exp < 0) {
        vm_buf_lit(b, "0.");

        for (i = -1; i > exp; i--) {
            vm_buf_char(b, '0');
        }

        vm_buf_add(b, digits, (size_t) n);
        return;
    }

    for (i = 0; i <= exp || i < n; i++) {

        if (i == exp + 1) {
            vm_buf_char(b, '.');
        }

        vm_buf_char(b, i < n ? digits[i] : '0');
    }

    if (n <= exp + 1) {
        vm_buf_lit(b, ".0");
    }
}


/* Appends what cannot stand in a JSON string as it is; answers its bytes. */

static size_t
vm_buf_escape(vm_buf_t *b, const char *s, size_t len)
{
    int                   whole;
    size_t                n;
    unsigned              surrogate;
    unsigned char         c;
    static const char    *const  escapes[] = {
        ['"'] = "\\\"", ['\\'] = "\\\\", ['\n'] = "\\n", ['\r'] = "\\r",
        ['\t'] = "\\t", ['\b'] = "\\b", ['\f'] = "\\f"
    };

    c = (unsigned char) s[0];

    if (c < 0x80) {

        if (escapes[c]) {
            vm_buf_str(b, escapes[c]);

        } else {
            vm_buf_printf(b, "\\u%04x", c);
        }

        return 1;
    }

    surrogate = vm_utf8_surrogate(s, len);

    if (surrogate) {
        vm_buf_printf(b, "\\u%04x", surrogate);
        return 3;
    }

    n = vm_utf8_part(s, len, &whole);

    if (whole) {
        vm_buf_add(b, s, n);

    } else {
        vm_buf_lit(b, VM_UTF8_REPLACEMENT);
    }

    return n;
}


void
vm_buf_json(vm_buf_t *b, const char *s, size_t len)
{
    size_t         i, start;
    unsigned char  c;

    vm_buf_char(b, '"');

    for (start = 0, i = 0; i < len; /* void */ ) {
        c = (unsigned char) s[i];

        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
            i++;
            continue;
        }

        vm_buf_add(b, s + start, i - start);
        i += vm_buf_escape(b, s + i, len - i);
        start = i;
    }

    vm_buf_add(b, s + start, len - start);
    vm_buf_char(b, '"');
}


void
vm_buf_base64(vm_buf_t *b, const void *data, size_t len)
{
    char                 *out;
    size_t                i;
    uint32_t              v;
    const unsigned char  *p;
    static const char     digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm"
                                     "nopqrstuvwxyz0123456789+/";

    p = data;

    if (vm_buf_reserve(b, (len / 3 + 1) * 4) != VM_OK) {
        return;
    }

    out = b->data + b->len;

    for (i = 0; i < len; i += 3) {
        v = (uint32_t) p[i] << 16;
        v |= i + 1 < len ? (uint32_t) p[i + 1] << 8 : 0;
        v |= i + 2 < len ? p[i + 2] : 0;

        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = i + 1 < len ? digits[v >> 6 & 63] : '=';
        *out++ = i + 2 < len ? digits[v & 63] : '=';
    }

    b->len = (size_t) (out - b->data);
}
