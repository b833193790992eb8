/*
 * How a value for a JSON schema is made; shared by the files that make it.
 *
 * A value is made for a list of schemas that it must fit together: what a
 * "$ref" names, the members of an "allOf", the branch that was drawn of an
 * "anyOf" join the list, so that each keyword is asked of all of them.  What
 * is left ("not", "oneOf" of which two fit) is found by looking at the value
 * and drawing another one.
 */

#ifndef VM_SCHEMAMAKE_H
#define VM_SCHEMAMAKE_H


#include <math.h>
#include "schema.h"


#define VM_SCHEMA_ALL     48            /* schemas of one value */
#define VM_SCHEMA_DEPTH   32
#define VM_SCHEMA_DEEP    8             /* from here on it should end */
#define VM_SCHEMA_TRIES   32            /* values that are drawn */
#define VM_SCHEMA_BYTES   262144        /* of strings */
#define VM_SCHEMA_NAMES   256           /* that are made up for one object */
#define VM_SCHEMA_ITEMS   20000         /* of one array */


typedef struct {
    const json_t  *list[VM_SCHEMA_ALL];
    unsigned       n;
} vm_all_t;

typedef struct {
    const json_t  *root;
    uint64_t       key;
    uint64_t       draws;
    unsigned       depth;
    unsigned       looks;               /* work done to look for an end */
    unsigned       steps;               /* values that may still be made */
    size_t         bytes;               /* of strings, likewise */
    unsigned       thrift;              /* as little as will do */
    unsigned       endless;             /* it never ends: cut it somewhere */
} vm_schema_t;


/* 0 to n - 1; 0 of none. */
uint64_t vm_schema_draw(vm_schema_t *s, uint64_t n);
const char *vm_schema_word(vm_schema_t *s);

/* Takes steps for work that is not a value. */
void vm_schema_work(vm_schema_t *s, size_t steps);

/* Whether to make as little as will do. */
int vm_schema_sparing(const vm_schema_t *s);


/* ---- schemaall.c: the schemas of a value ---- */

/* VM_ERROR: nothing fits "false", or there are too many. */
int vm_all_add(vm_all_t *all, const json_t *schema);

/* The first of a keyword that has this type; JSON_NULL: of any. */
const json_t *vm_all_first(const vm_all_t *all, const char *keyword,
    json_type type);

/* The greatest of lower bounds, the least of upper ones; NAN: none. */
double vm_all_bound(const vm_all_t *all, const char *keyword, int lower);

/* The same of lengths and counts, within 0 and `most`. */
size_t vm_all_count(const vm_all_t *all, const char *keyword, int lower,
    size_t most);

int vm_all_valid(const vm_schema_t *s, const vm_all_t *all, const json_t *v);

/* What the schemas from that place on bring with them joins the list. */
int vm_schema_expand(vm_schema_t *s, vm_all_t *all, unsigned from);


/* ---- values; NULL: there is none, or no time to find it ---- */

json_t *vm_schema_value(vm_schema_t *s, const vm_all_t *given);

json_t *vm_schema_string(vm_schema_t *s, const vm_all_t *all);
json_t *vm_schema_number(vm_schema_t *s, const vm_all_t *all, int whole);
json_t *vm_schema_array(vm_schema_t *s, const vm_all_t *all);
json_t *vm_schema_object(vm_schema_t *s, vm_all_t *all);

/* A text for a pattern, its length from min to max if that can be. */
void vm_schema_pattern(vm_schema_t *s, const json_t *pattern, size_t min,
    size_t max, vm_buf_t *b);


#endif /* VM_SCHEMAMAKE_H */
