/*
 * Blocks of memory in a list, given out from the front of the newest.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "pool.h"


#define VM_POOL_ALIGN  16

typedef struct vm_pool_block_s    vm_pool_block_t;
typedef struct vm_pool_cleanup_s  vm_pool_cleanup_t;

struct vm_pool_block_s {
    vm_pool_block_t    *next;
    size_t              size;
};

struct vm_pool_cleanup_s {
    vm_pool_cleanup_t  *next;
    void              (*free_it)(void *);
    void               *data;
};

struct vm_pool_s {
    char               *pos;
    char               *end;
    size_t              size;
    vm_pool_block_t    *blocks;
    vm_pool_cleanup_t  *cleanups;
};


vm_pool_t *
vm_pool_create(size_t size)
{
    char       *mem;
    vm_pool_t  *p;

    mem = malloc(sizeof(vm_pool_t) + VM_POOL_ALIGN + size);
    if (mem == NULL) {
        return NULL;
    }

    p = (vm_pool_t *) mem;
    memset(p, 0, sizeof(vm_pool_t));

    p->size = size;
    p->pos = mem + sizeof(vm_pool_t);
    p->pos += -(uintptr_t) p->pos & (VM_POOL_ALIGN - 1);
    p->end = mem + sizeof(vm_pool_t) + VM_POOL_ALIGN + size;

    return p;
}


void
vm_pool_destroy(vm_pool_t *p)
{
    vm_pool_block_t    *b, *next;
    vm_pool_cleanup_t  *c;

    for (c = p->cleanups; c; c = c->next) {
        c->free_it(c->data);
    }

    for (b = p->blocks; b; b = next) {
        next = b->next;
        free(b);
    }

    free(p);
}


void *
vm_pool_alloc(vm_pool_t *p, size_t size)
{
    void             *data;
    size_t            room;
    vm_pool_block_t  *b;

    size = (size + VM_POOL_ALIGN - 1) & ~(size_t) (VM_POOL_ALIGN - 1);

    if (size > (size_t) (p->end - p->pos)) {
        room = vm_max(size, p->size);

        b = malloc(VM_POOL_ALIGN + room);
        if (b == NULL) {
            return NULL;
        }

        b->size = room;
        b->next = p->blocks;
        p->blocks = b;

        if (size > p->size / 2) {
            return (char *) b + VM_POOL_ALIGN;
        }

        p->pos = (char *) b + VM_POOL_ALIGN;
        p->end = p->pos + room;
    }

    data = p->pos;
    p->pos += size;

    return data;
}


void *
vm_pool_calloc(vm_pool_t *p, size_t n, size_t size)
{
    void  *data;

    if (size && n > SIZE_MAX / size) {
        return NULL;
    }

    data = vm_pool_alloc(p, n * size);

    if (data) {
        memset(data, 0, n * size);
    }

    return data;
}


char *
vm_pool_strdup(vm_pool_t *p, const char *s, size_t len)
{
    char  *copy;

    copy = vm_pool_alloc(p, len + 1);

    if (copy) {
        if (len) {
            memcpy(copy, s, len);       /* of nothing there may be no address */
        }

        copy[len] = '\0';
    }

    return copy;
}


char *
vm_pool_printf(vm_pool_t *p, const char *fmt, ...)
{
    int      n;
    char    *text;
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);

    text = n < 0 ? NULL : vm_pool_alloc(p, (size_t) n + 1);

    if (text) {
        va_start(args, fmt);
        vsnprintf(text, (size_t) n + 1, fmt, args);
        va_end(args);
    }

    return text;
}


int
vm_pool_cleanup(vm_pool_t *p, void (*free_it)(void *), void *data)
{
    vm_pool_cleanup_t  *c;

    c = vm_pool_alloc(p, sizeof(vm_pool_cleanup_t));
    if (c == NULL) {
        return VM_ERROR;
    }

    c->free_it = free_it;
    c->data = data;
    c->next = p->cleanups;
    p->cleanups = c;

    return VM_OK;
}
