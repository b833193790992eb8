/*
 * Loaders of tokenizer files: the private side of vm_tokenizer_load().
 */

#ifndef VM_LOAD_H
#define VM_LOAD_H


#include "bytepair.h"


typedef struct {
    vm_bytepair_t  *b;
    char           *err;
    size_t          size;
} vm_load_t;


/* Says why a file is not taken; VM_ERROR. */
int vm_load_fail(vm_load_t *l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Fill in l->b but for what vm_bytepair_finish() does. */
int vm_load_hf(vm_load_t *l, vm_str_t file, const vm_str_t *config);
int vm_load_ranks(vm_load_t *l, const char *name, vm_str_t file);


#endif /* VM_LOAD_H */
