/*
 * JSON schemas as constraints: which ones vLLM takes, values that fit them.
 */

#ifndef VM_SCHEMA_H
#define VM_SCHEMA_H


#include "error.h"


/* What a "$ref" names within its root: "#", "#/$defs/a~1b"; NULL: nothing. */
const json_t *vm_schema_ref(const json_t *root, const char *ref);

/* Unicode characters of a text, as lengths are counted. */
size_t vm_schema_length(const char *s, size_t len);

/*
 * Types as bits, in the order in which values grow: null first, objects last.
 */
enum {
    VM_SCHEMA_NULL = 1,
    VM_SCHEMA_BOOLEAN = 2,
    VM_SCHEMA_INTEGER = 4,
    VM_SCHEMA_NUMBER = 8,
    VM_SCHEMA_STRING = 16,
    VM_SCHEMA_ARRAY = 32,
    VM_SCHEMA_OBJECT = 64,
    VM_SCHEMA_ANY = 127
};

/* The bit of a type's name; "number" has that of integers, too; 0: none. */
unsigned vm_schema_type(const char *name);

/* The types that a schema's "type" allows; VM_SCHEMA_ANY without one. */
unsigned vm_schema_types(const json_t *schema);

/* That of a value: 1.0 is an integer. */
unsigned vm_schema_type_of(const json_t *v);


/* ---- schemacheck.c ---- */

/*
 * vLLM tries xgrammar, then guidance; what both refuse is an error, in the
 * words of the latter.
 */
int vm_schema_check(const json_t *schema, vm_error_t *e, vm_pool_t *pool);


/* ---- schemavalid.c ---- */

/*
 * Whether a value fits.  Patterns are not looked at: who writes a text for a
 * pattern knows that it matches.  What would take too long fits.
 */
int vm_schema_valid(const json_t *root, const json_t *schema,
    const json_t *v);


#endif /* VM_SCHEMA_H */
