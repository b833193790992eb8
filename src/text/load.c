/*
 * Tokenizers from files: which kind a file is.
 */

#include <stdarg.h>
#include <stdio.h>
#include "load.h"


int
vm_load_fail(vm_load_t *l, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(l->err, l->size, fmt, args);
    va_end(args);

    return VM_ERROR;
}


vm_tokenizer_t *
vm_tokenizer_load(const char *name, vm_str_t file, const vm_str_t *config,
    char *err, size_t size)
{
    int          rc;
    size_t       i;
    vm_load_t    l;
    const char  *base;

    l.err = err;
    l.size = size;
    l.b = vm_bytepair_create();

    if (l.b == NULL) {
        (void) vm_load_fail(&l, "no memory");
        return NULL;
    }

    for (i = 0; i < file.len && strchr(" \t\r\n", file.data[i]); i++) {
        /* void */
    }

    if (i == file.len) {
        rc = vm_load_fail(&l, "the file is empty");

    } else if (file.data[i] == '{') {
        rc = vm_load_hf(&l, file, config);

    } else {
        base = strrchr(name, '/');
        rc = vm_load_ranks(&l, base ? base + 1 : name, file);
    }

    if (rc == VM_OK) {
        rc = vm_bytepair_finish(l.b);

        if (rc != VM_OK) {
            (void) vm_load_fail(&l, "no memory");
        }
    }

    if (rc != VM_OK) {
        vm_tokenizer_free(&l.b->common);
        return NULL;
    }

    return &l.b->common;
}
