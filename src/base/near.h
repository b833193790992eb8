/*
 * "Did you mean": names that resemble one that is not known.
 */

#ifndef VM_NEAR_H
#define VM_NEAR_H


#include "types.h"


/* Letters to add, drop or change (Levenshtein); 63 letters of b are seen. */
unsigned vm_near_distance(const char *a, const char *b);

/*
 * Adds "; did you mean A, B" to a message of size bytes: up to three of the n
 * names of a table, whose entries are stride bytes apart, each with a prefix.
 * Nothing is added where none is near.
 */
void vm_near_add(char *message, size_t size, const char *name,
    const char *prefix, const char *const *first, size_t n, size_t stride);


#endif /* VM_NEAR_H */
