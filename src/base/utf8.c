/*
 * What is UTF-8, and what is put in the place of what is not.
 */

#include "utf8.h"


size_t
vm_utf8_part(const char *s, size_t len, int *whole)
{
    size_t                n, need;
    unsigned char         high, low;
    const unsigned char  *p;

    p = (const unsigned char *) s;
    *whole = 0;
    low = 0x80;
    high = 0xbf;

    if (p[0] < 0x80) {
        *whole = 1;
        return 1;
    }

    if (p[0] < 0xc2 || p[0] > 0xf4) {
        return 1;
    }

    switch (p[0]) {                     /* overlong, surrogates, too large */

    case 0xe0:
        low = 0xa0;
        break;

    case 0xed:
        high = 0x9f;
        break;

    case 0xf0:
        low = 0x90;
        break;

    case 0xf4:
        high = 0x8f;
        break;

    default:
        break;
    }

    need = (size_t) vm_char_len(p[0]);

    for (n = 1; n < need; n++) {
        if (n == len || p[n] < low || p[n] > high) {
            return n;
        }

        low = 0x80;
        high = 0xbf;
    }

    *whole = 1;

    return need;
}


size_t
vm_utf8_valid(const char *s, size_t len)
{
    int     whole;
    size_t  i, n;

    i = 0;

    while (i < len) {
        if ((unsigned char) s[i] < 0x80) {
            i++;
            continue;
        }

        n = vm_utf8_part(s + i, len - i, &whole);

        if (!whole) {
            break;
        }

        i += n;
    }

    return i;
}


int
vm_utf8_text(const char *s, size_t len)
{
    return memchr(s, '\0', len) == NULL && vm_utf8_valid(s, len) == len;
}


unsigned
vm_utf8_surrogate(const char *s, size_t len)
{
    const unsigned char  *p;

    p = (const unsigned char *) s;

    if (len < 3 || p[0] != 0xed || p[1] < 0xa0 || p[1] > 0xbf
        || (p[2] & 0xc0) != 0x80)
    {
        return 0;
    }

    return 0xd000u | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
}


void
vm_utf8_repair(const char *s, size_t len, vm_buf_t *out)
{
    int     whole;
    size_t  i, n;

    for (i = 0; i < len; /* void */ ) {
        n = vm_utf8_valid(s + i, len - i);
        vm_buf_add(out, s + i, n);
        i += n;

        if (i < len) {
            vm_buf_lit(out, VM_UTF8_REPLACEMENT);
            i += vm_utf8_part(s + i, len - i, &whole);
        }
    }
}
