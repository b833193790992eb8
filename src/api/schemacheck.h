/*
 * What the two checks of JSON schemas share: schemanative.c, schemacheck.c.
 */

#ifndef VM_SCHEMACHECK_H
#define VM_SCHEMACHECK_H


#include <math.h>
#include "schema.h"


#define VM_CHECK_DEPTH   64
#define VM_CHECK_VISITS  4096

#define vm_check_each(list, n, name)                                          \
    for ((n) = 0; (n) < vm_nelts(list) && ((name) = (list)[n], 1); (n)++)


typedef struct {
    const json_t  *root;
    vm_pool_t     *pool;
    unsigned       depth;
    unsigned       visits;              /* that are left */
    const char    *why;
    const char    *late;                /* what is found when all is read */
} vm_check_t;

/* Where "x" and an exclusive "x" are given, the narrower counts. */

typedef struct {
    double       at;
    int          open;
    const char  *name;
} vm_end_t;

vm_end_t vm_check_end(const json_t *schema, int lower);

/* NAN: it is no number, or not there. */
double vm_check_number(const json_t *schema, const char *name);

/* Whether a pattern can be read; if not, w->why says it if it is to `say`. */
int vm_check_pattern(vm_check_t *w, const char *s, size_t len, int around,
    int say);

/*
 * schemanative.c: whether `is` says so of an object anywhere within a schema,
 * as vLLM's own checks look: in members and in lists of them.
 */
int vm_check_anywhere(const json_t *schema, int (*is)(const json_t *));

/* schemanative.c: whether xgrammar takes a schema; w->visits is used up. */
int vm_schema_native(vm_check_t *w, const json_t *schema);


#endif /* VM_SCHEMACHECK_H */
