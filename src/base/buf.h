/*
 * A growable byte buffer.  An append that finds no memory sets `failed` and
 * leaves the content as it was; whoever hands the bytes on looks once, at the
 * end.
 */

#ifndef VM_BUF_H
#define VM_BUF_H


#include <stdarg.h>
#include "types.h"


typedef struct {
    char     *data;
    size_t    len;
    size_t    size;
    unsigned  failed:1;
} vm_buf_t;


void vm_buf_init(vm_buf_t *b);
void vm_buf_free(vm_buf_t *b);
void vm_buf_reset(vm_buf_t *b);                 /* keeps the memory */
int vm_buf_reserve(vm_buf_t *b, size_t more);   /* VM_OK, VM_ERROR */

void vm_buf_add(vm_buf_t *b, const void *data, size_t len);
void vm_buf_str(vm_buf_t *b, const char *s);
void vm_buf_char(vm_buf_t *b, char c);
void vm_buf_uint(vm_buf_t *b, uint64_t n);
void vm_buf_int(vm_buf_t *b, int64_t n);
void vm_buf_printf(vm_buf_t *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A string literal, without counting its length. */
#define vm_buf_lit(b, s)  vm_buf_add(b, s, sizeof(s) - 1)

/* A double as Python's repr() writes it: "1.0", "0.1", "1e-05", "1e+16". */
void vm_buf_double(vm_buf_t *b, double d);

/*
 * Text as a JSON string, quoted and escaped as Python's
 * json.dumps(ensure_ascii=False) does.  What is no UTF-8 does not get through:
 * a lone surrogate is escaped, other bytes become U+FFFD.
 */
void vm_buf_json(vm_buf_t *b, const char *s, size_t len);

/* Bytes in base64, padded. */
void vm_buf_base64(vm_buf_t *b, const void *data, size_t len);


#endif /* VM_BUF_H */
