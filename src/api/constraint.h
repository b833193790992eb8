/*
 * Texts that satisfy a constraint: a JSON schema, a regular expression, a
 * choice, a small grammar.  Which of all such texts follows from a key.
 */

#ifndef VM_CONSTRAINT_H
#define VM_CONSTRAINT_H


#include "error.h"


/*
 * Each appends a text to `out`; VM_ERROR with 400 in `e` for a constraint that
 * is broken (its words begin as the grammar library's do).
 */
int vm_constraint_regex(const char *regex, size_t len, uint64_t key,
    vm_buf_t *out, vm_error_t *e, vm_pool_t *pool);
int vm_constraint_grammar(const char *grammar, uint64_t key, vm_buf_t *out,
    vm_error_t *e, vm_pool_t *pool);
int vm_constraint_schema(const json_t *schema, uint64_t key, vm_buf_t *out,
    vm_error_t *e, vm_pool_t *pool);

/* An object of some members, in fewer than `most` bytes; "{}" at least. */
int vm_constraint_object(uint64_t key, size_t most, vm_buf_t *out,
    vm_error_t *e, vm_pool_t *pool);

/*
 * A text for a request's structured outputs; *fixed says that there is one.
 * What is wrong is found by vLLM's engine front end: a late error.  `object` is
 * a schema for where only an object is asked for, or NULL; `most` is how many
 * bytes such an object has.
 */
int vm_constraint_text(const json_t *o, const json_t *object, size_t most,
    uint64_t key, vm_buf_t *out, int *fixed, vm_error_t *e, vm_pool_t *pool);

/* Does it ask for an object, whichever? */
int vm_constraint_any_object(const json_t *o);


#endif /* VM_CONSTRAINT_H */
