/*
 * Regular expressions as constraints use them, in the syntax of the Rust crate
 * `regex`: read into a tree, from which texts are written that match.
 */

#ifndef VM_REGEX_H
#define VM_REGEX_H


#include "../base/buf.h"
#include "../base/pool.h"


#define VM_REGEX_BYTES  65536       /* of a text, about */


typedef struct vm_regex_s  vm_regex_t;

/*
 * NULL: it is broken, and `why` has the words of the crate, with the pattern
 * and carets below its wrong part.  Look-around is refused, too, unless it is
 * allowed: then it stands for nothing.
 */
vm_regex_t *vm_regex_parse(const char *s, size_t len, int around,
    vm_pool_t *pool, vm_buf_t *why);

/*
 * Appends a text that matches from end to end; which one follows from the key.
 * Where there is no maximum, something is repeated up to `more` times beyond
 * its minimum.  The text ends early beyond VM_REGEX_BYTES.
 */
void vm_regex_write(const vm_regex_t *re, uint64_t key, unsigned more,
    vm_buf_t *out);


#endif /* VM_REGEX_H */
