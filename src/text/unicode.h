/*
 * Characters: classes of the general category, canonical composition,
 * code points.
 */

#ifndef VM_UNICODE_H
#define VM_UNICODE_H


#include "../base/utf8.h"


#define VM_CHAR_UPPER    0x01       /* Lu, Lt */
#define VM_CHAR_LOWER    0x02       /* Ll */
#define VM_CHAR_CASELESS 0x04       /* Lm, Lo */
#define VM_CHAR_MARK     0x08       /* M */
#define VM_CHAR_NUMBER   0x10       /* N */
#define VM_CHAR_SPACE    0x20       /* White_Space */
#define VM_CHAR_BREAK    0x40       /* \r and \n: also spaces */
#define VM_CHAR_SIGN     0x80       /* P, S */

#define VM_CHAR_LETTER   (VM_CHAR_UPPER|VM_CHAR_LOWER|VM_CHAR_CASELESS)


extern const uint8_t  vm_char_ascii[128];

/* The class of a character that is not ASCII, of valid UTF-8. */
unsigned vm_char_class(const char *s);

/* The class of the character at `i`, its bytes; 0 of both at the end. */
static inline unsigned
vm_char_at(const char *s, size_t len, size_t i, size_t *n)
{
    if (i >= len) {
        *n = 0;
        return 0;
    }

    *n = (size_t) vm_char_len(s[i]);

    return *n == 1 ? vm_char_ascii[(unsigned char) s[i]]
                   : vm_char_class(s + i);
}


/* Whether a regular expression's \\w takes the character of valid UTF-8. */
int vm_char_word(const char *s);

/* The code point that valid UTF-8 begins with. */
uint32_t vm_utf8_code(const char *s);

/* Appends valid UTF-8 in normalization form C. */
void vm_utf8_compose(const char *s, size_t len, vm_buf_t *out);


#endif /* VM_UNICODE_H */
