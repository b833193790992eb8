/*
 * Memory that lives as long as one request: pieces are never freed alone.
 * Not zeroed unless it says so.
 */

#ifndef VM_POOL_H
#define VM_POOL_H


#include "types.h"


typedef struct vm_pool_s  vm_pool_t;

vm_pool_t *vm_pool_create(size_t size);         /* of its first block */
void vm_pool_destroy(vm_pool_t *p);

void *vm_pool_alloc(vm_pool_t *p, size_t size);
void *vm_pool_calloc(vm_pool_t *p, size_t n, size_t size);
char *vm_pool_strdup(vm_pool_t *p, const char *s, size_t len);  /* with NUL */
char *vm_pool_printf(vm_pool_t *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Calls `free_it(data)` when the pool goes. */
int vm_pool_cleanup(vm_pool_t *p, void (*free_it)(void *), void *data);


#endif /* VM_POOL_H */
