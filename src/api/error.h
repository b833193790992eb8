/*
 * A refusal as a value: what an api file fills and http/ writes out.
 */

#ifndef VM_ERROR_H
#define VM_ERROR_H


#include "value.h"
#include "../base/pool.h"


typedef struct {
    int          status;            /* 0: no error */
    const char  *type;
    const char  *param;             /* NULL: null */
    const char  *message;           /* NUL-terminated, UTF-8 */
    unsigned     violations:1;      /* the body does not fit its class */
    unsigned     detail:1;          /* {"detail": message} instead */
    unsigned     anthropic:1;       /* in the shape of Anthropic's errors */
    unsigned     outside:1;         /* answered outside of all layers: without
                                       the headers that they add */
} vm_error_t;


/* All answer VM_ERROR, so that a check can return them. */

int vm_error_set(vm_error_t *e, int status, const char *type,
    const char *param, const char *message);
int vm_error_printf(vm_error_t *e, vm_pool_t *pool, int status,
    const char *type, const char *param, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
int vm_error_detail(vm_error_t *e, int status, const char *message);
int vm_error_memory(vm_error_t *e);

/* An exception of Python that no layer expects: 500, or what it is given. */
int vm_error_python(vm_error_t *e, vm_pool_t *pool, int status,
    const char *message);

/*
 * 400 BadRequestError.  _param appends " (parameter=P)" as vLLM does, _value
 * also the value: a JSON value, or text that is printed as it stands.
 */
int vm_error_bad(vm_error_t *e, const char *message);
int vm_error_param(vm_error_t *e, vm_pool_t *pool, const char *param,
    const char *message);
int vm_error_value(vm_error_t *e, vm_pool_t *pool, const char *param,
    const json_t *value, const char *message);
int vm_error_text(vm_error_t *e, vm_pool_t *pool, const char *param,
    const char *value, const char *message);

/*
 * {"error":{...}}; `spaced` with Python's spaces after ',' and ':', as in the
 * frame of a stream.
 */
void vm_error_render(vm_buf_t *b, const vm_error_t *e, int spaced);


#endif /* VM_ERROR_H */
