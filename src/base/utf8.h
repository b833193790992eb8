/*
 * UTF-8: what is valid, and its repair.
 */

#ifndef VM_UTF8_H
#define VM_UTF8_H


#include "buf.h"


#define VM_UTF8_REPLACEMENT  "\xef\xbf\xbd"


/*
 * The bytes of the character that a text begins with; if it is no whole one,
 * the bytes that could have been the beginning of one, at least one.
 */
size_t vm_utf8_part(const char *s, size_t len, int *whole);

/* How many bytes from the start are valid UTF-8. */
size_t vm_utf8_valid(const char *s, size_t len);

/*
 * Appends a text with U+FFFD for each maximal part of a character that is no
 * whole one, as Python and Rust decode with replacement.
 */
void vm_utf8_repair(const char *s, size_t len, vm_buf_t *out);


#endif /* VM_UTF8_H */
