/*
 * Bodies of multipart/form-data, as Starlette reads them: its limits and its
 * words.  Parts point into the body, nothing of it is copied but names.
 */

#ifndef VM_FORM_H
#define VM_FORM_H


#include "error.h"


#define VM_FORM_FIELDS  1000
#define VM_FORM_FILES   1000
#define VM_FORM_FIELD   (1024 * 1024)       /* bytes of a field */


typedef struct {
    const char  *name;              /* NUL-terminated */
    const char  *filename;          /* NULL: a field, no file */
    vm_str_t     data;
} vm_form_part_t;

typedef struct vm_form_s {
    size_t           n;
    size_t           size;
    size_t           nfiles;
    vm_form_part_t  *parts;
} vm_form_t;


/*
 * `type` is the Content-Type, NULL if there is none; one that is no form makes
 * an empty one, as in FastAPI.  VM_OK, or VM_ERROR with `e`.
 */
int vm_form_parse(vm_form_t *f, const char *type, const char *body, size_t len,
    vm_error_t *e, vm_pool_t *pool);

/* 1 if a Content-Type is that of a form with a boundary. */
int vm_form_type(const char *type);

/*
 * Its fields by name as strings, lists where a name ends in "[]"; files as
 * objects.  A new reference; NULL: no memory.
 */
json_t *vm_form_json(const vm_form_t *f);

/* The last file of a name; NULL: there is none. */
const vm_form_part_t *vm_form_file(const vm_form_t *f, const char *name);


#endif /* VM_FORM_H */
