/*
 * UTF-8: what is valid, and its repair.
 */

#ifndef VM_UTF8_H
#define VM_UTF8_H


#include "buf.h"


#define VM_UTF8_REPLACEMENT  "\xef\xbf\xbd"


/* The bytes of a character by its first one, in valid UTF-8. */
#define vm_char_len(c)                                                        \
    ((unsigned char) (c) < 0x80 ? 1                                           \
     : ((unsigned char) (c) < 0xe0 ? 2                                        \
        : ((unsigned char) (c) < 0xf0 ? 3 : 4)))

/*
 * The bytes of the character that a text begins with; if it is no whole one,
 * the bytes that could have been the beginning of one, at least one.
 */
size_t vm_utf8_part(const char *s, size_t len, int *whole);

/* How many bytes from the start are valid UTF-8. */
size_t vm_utf8_valid(const char *s, size_t len);

/* Is all of it valid UTF-8, without a NUL, so that it may be a C string? */
int vm_utf8_text(const char *s, size_t len);

/*
 * The code of the lone surrogate that a text begins with, as the three bytes
 * that Python keeps one in; 0: there is none.
 */
unsigned vm_utf8_surrogate(const char *s, size_t len);

/*
 * Appends a text with U+FFFD for each maximal part of a character that is no
 * whole one, as Python and Rust decode with replacement.
 */
void vm_utf8_repair(const char *s, size_t len, vm_buf_t *out);


#endif /* VM_UTF8_H */
