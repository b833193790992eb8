/*
 * Characters.  Categories and compositions are utf8proc's; what takes more
 * than linear time there (sorting long runs of combining marks) is done here.
 */

#include <stdlib.h>
#include <utf8proc.h>
#include "unicode.h"


#define B  (VM_CHAR_SPACE|VM_CHAR_BREAK)
#define S  VM_CHAR_SPACE
#define N  VM_CHAR_NUMBER
#define U  VM_CHAR_UPPER
#define L  VM_CHAR_LOWER
#define P  VM_CHAR_SIGN


const uint8_t  vm_char_ascii[128] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, S, B, S, S, B, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    S, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P,
    N, N, N, N, N, N, N, N, N, N, P, P, P, P, P, P,
    P, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,
    U, U, U, U, U, U, U, U, U, U, U, P, P, P, P, P,
    P, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
    L, L, L, L, L, L, L, L, L, L, L, P, P, P, P, 0
};

static const uint8_t  vm_char_categories[] = {
    [UTF8PROC_CATEGORY_LU] = U,
    [UTF8PROC_CATEGORY_LT] = U,
    [UTF8PROC_CATEGORY_LL] = L,
    [UTF8PROC_CATEGORY_LM] = VM_CHAR_CASELESS,
    [UTF8PROC_CATEGORY_LO] = VM_CHAR_CASELESS,
    [UTF8PROC_CATEGORY_MN] = VM_CHAR_MARK,
    [UTF8PROC_CATEGORY_MC] = VM_CHAR_MARK,
    [UTF8PROC_CATEGORY_ME] = VM_CHAR_MARK,
    [UTF8PROC_CATEGORY_ND] = N,
    [UTF8PROC_CATEGORY_NL] = N,
    [UTF8PROC_CATEGORY_NO] = N,
    [UTF8PROC_CATEGORY_PC] = P,
    [UTF8PROC_CATEGORY_PD] = P,
    [UTF8PROC_CATEGORY_PS] = P,
    [UTF8PROC_CATEGORY_PE] = P,
    [UTF8PROC_CATEGORY_PI] = P,
    [UTF8PROC_CATEGORY_PF] = P,
    [UTF8PROC_CATEGORY_PO] = P,
    [UTF8PROC_CATEGORY_SM] = P,
    [UTF8PROC_CATEGORY_SC] = P,
    [UTF8PROC_CATEGORY_SK] = P,
    [UTF8PROC_CATEGORY_SO] = P,
    [UTF8PROC_CATEGORY_ZS] = S,
    [UTF8PROC_CATEGORY_ZL] = S,
    [UTF8PROC_CATEGORY_ZP] = S,
    [UTF8PROC_CATEGORY_CO] = 0
};

#undef B
#undef S
#undef N
#undef U
#undef L
#undef P


static int vm_utf8_decompose(const char *s, size_t len, int32_t *out,
    size_t *n);
static int vm_utf8_order(int32_t *run, size_t n);


unsigned
vm_char_class(const char *s)
{
    uint32_t  code;

    code = vm_utf8_code(s);

    if (code == 0x85) {                 /* a control, but white space */
        return VM_CHAR_SPACE;
    }

    return vm_char_categories[utf8proc_category((utf8proc_int32_t) code)];
}


int
vm_char_word(const char *s)
{
    uint32_t  code;

    code = vm_utf8_code(s);

    switch (utf8proc_category((utf8proc_int32_t) code)) {

    case UTF8PROC_CATEGORY_NO:
        return 0;

    case UTF8PROC_CATEGORY_PC:
        return 1;

    case UTF8PROC_CATEGORY_CF:
        return code == 0x200c || code == 0x200d;

    case UTF8PROC_CATEGORY_SO:          /* letters in circles and squares */
        return (code >= 0x24b6 && code <= 0x24e9)
               || (code >= 0x1f130 && code <= 0x1f149)
               || (code >= 0x1f150 && code <= 0x1f169)
               || (code >= 0x1f170 && code <= 0x1f189);

    default:
        return (vm_char_categories[utf8proc_category((utf8proc_int32_t) code)]
                & (VM_CHAR_LETTER|VM_CHAR_MARK|VM_CHAR_NUMBER)) != 0;
    }
}


uint32_t
vm_utf8_code(const char *s)
{
    const unsigned char  *p;

    p = (const unsigned char *) s;

    switch (vm_char_len(*p)) {

    case 1:
        return *p;

    case 2:
        return (uint32_t) (p[0] & 0x1f) << 6 | (p[1] & 0x3f);

    case 3:
        return (uint32_t) (p[0] & 0x0f) << 12 | (uint32_t) (p[1] & 0x3f) << 6
               | (p[2] & 0x3f);

    default:
        return (uint32_t) (p[0] & 0x07) << 18 | (uint32_t) (p[1] & 0x3f) << 12
               | (uint32_t) (p[2] & 0x3f) << 6 | (p[3] & 0x3f);
    }
}


void
vm_utf8_compose(const char *s, size_t len, vm_buf_t *out)
{
    char      bytes[4];
    size_t    i, n;
    int32_t  *codes;
    ssize_t   rc;

    /* nothing below U+0300 changes or is changed without a mark above */

    for (i = 0; i < len && (unsigned char) s[i] < 0xcc; i++) { /* void */ }

    if (i == len) {
        vm_buf_add(out, s, len);
        return;
    }

    /* no character has more than four in its canonical decomposition */

    codes = malloc(len * 4 * sizeof(int32_t));
    if (codes == NULL) {
        out->failed = 1;
        return;
    }

    if (vm_utf8_decompose(s, len, codes, &n) != VM_OK) {
        out->failed = 1;
        free(codes);
        return;
    }

    rc = utf8proc_normalize_utf32(codes, (utf8proc_ssize_t) n,
                                  UTF8PROC_STABLE|UTF8PROC_COMPOSE);

    for (i = 0; rc > 0 && i < (size_t) rc; i++) {
        vm_buf_add(out, bytes,
                   (size_t) utf8proc_encode_char(codes[i],
                                                 (utf8proc_uint8_t *) bytes));
    }

    free(codes);
}


/* The canonical decomposition, its marks in order. */

static int
vm_utf8_decompose(const char *s, size_t len, int32_t *out, size_t *n)
{
    int      boundary;
    size_t   i, k, start;
    ssize_t  more;

    *n = 0;
    start = 0;
    boundary = 0;

    for (i = 0; i < len; i += (size_t) vm_char_len(s[i])) {

        more = utf8proc_decompose_char((utf8proc_int32_t) vm_utf8_code(s + i),
                                       out + *n, 4,
                                       UTF8PROC_STABLE|UTF8PROC_COMPOSE,
                                       &boundary);

        for (k = 0; more > 0 && k < (size_t) more; k++, (*n)++) {

            if (utf8proc_get_property(out[*n])->combining_class) {
                continue;
            }

            if (vm_utf8_order(out + start, *n - start) != VM_OK) {
                return VM_ERROR;
            }

            start = *n + 1;
        }
    }

    return vm_utf8_order(out + start, *n - start);
}


/* Sorts a run of marks by their class, equal ones as they stood: counts. */

static int
vm_utf8_order(int32_t *run, size_t n)
{
    size_t    at[257], i;
    int32_t  *copy;

    if (n < 2) {
        return VM_OK;
    }

    copy = malloc(n * sizeof(int32_t));
    if (copy == NULL) {
        return VM_ERROR;
    }

    memcpy(copy, run, n * sizeof(int32_t));
    memset(at, 0, sizeof(at));

    for (i = 0; i < n; i++) {
        at[(utf8proc_get_property(copy[i])->combining_class & 0xff) + 1]++;
    }

    for (i = 1; i < vm_nelts(at); i++) {
        at[i] += at[i - 1];
    }

    for (i = 0; i < n; i++) {
        run[at[utf8proc_get_property(copy[i])->combining_class & 0xff]++]
            = copy[i];
    }

    free(copy);

    return VM_OK;
}
