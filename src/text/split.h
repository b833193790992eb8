/*
 * Pre-tokenizers: text is cut into pieces before merges are looked for.  The
 * regular expressions that tokenizers carry are few, and each is a splitter
 * written by hand, found by its text.
 */

#ifndef VM_SPLIT_H
#define VM_SPLIT_H


#include "../base/types.h"


typedef struct vm_split_s  vm_split_t;

/* NULL: an expression that is not known. */
const vm_split_t *vm_split_pattern(const char *pattern);

/* By name: "gpt2", "cl100k", "o200k" (as tiktoken writes them), "spaces"
 * (before each U+2581), "digits", "digit" (each alone). */
const vm_split_t *vm_split_named(const char *name);

/* Where the piece ends that begins at `i` (below len), in valid UTF-8. */
size_t vm_split_next(const vm_split_t *r, const char *s, size_t len, size_t i);


#endif /* VM_SPLIT_H */
