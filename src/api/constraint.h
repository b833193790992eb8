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

/*
 * A text for a request's structured outputs; *fixed says that there is one.
 * What is wrong is found by vLLM's engine front end: a late error.
 */
int vm_constraint_text(const json_t *o, uint64_t key, vm_buf_t *out,
    int *fixed, vm_error_t *e, vm_pool_t *pool);


#endif /* VM_CONSTRAINT_H */
