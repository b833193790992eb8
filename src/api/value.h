/*
 * JSON values as the Python server sees them: jansson's, and what jansson
 * cannot hold (NaN, Infinity, integers beyond 64 bits, lone surrogates), which
 * stands in strings that no valid UTF-8 can be.
 */

#ifndef VM_VALUE_H
#define VM_VALUE_H


#include <jansson.h>
#include "../base/buf.h"


typedef enum {
    VM_PY_NONE,
    VM_PY_BOOL,
    VM_PY_INT,
    VM_PY_BIGINT,
    VM_PY_FLOAT,
    VM_PY_STR,
    VM_PY_LIST,
    VM_PY_DICT
} vm_py_e;


vm_py_e vm_value_type(const json_t *v);         /* NULL counts as None */
const char *vm_value_class(const json_t *v);    /* type(v).__name__ */
double vm_value_float(const json_t *v);         /* INT, FLOAT, BOOL, BIGINT */

int vm_value_true(const json_t *v);             /* bool(v) */

/* NaN, Infinity and the like; an integer by its digits (with sign). */
json_t *vm_value_from_float(double d);
json_t *vm_value_from_digits(const char *digits, size_t len);
const char *vm_value_digits(const json_t *v);   /* of a BIGINT */

/* A member that is there and not null, else NULL. */
json_t *vm_value_get(const json_t *object, const char *key);

/* str(v) and repr(v) as Python writes them. */
void vm_value_str(vm_buf_t *b, const json_t *v);
void vm_value_repr(vm_buf_t *b, const json_t *v);
void vm_value_repr_str(vm_buf_t *b, const char *s, size_t len);

/* Characters (not bytes) of UTF-8 text; the bytes of the first n. */
size_t vm_value_chars(const char *s, size_t len);
size_t vm_value_prefix(const char *s, size_t len, size_t n);

/* Is there an integer inside that MessagePack cannot carry? */
int vm_value_big(const json_t *v);

/*
 * A copy that other languages read alike, with doubles for big integers; NULL:
 * it has what is no JSON (NaN, a lone surrogate).
 */
json_t *vm_value_plain(const json_t *v);

/* Does the text have a lone surrogate (as 3 bytes)? */
int vm_value_surrogates(const char *s, size_t len);


/* ---- reading: json.loads() of Python, with its errors ---- */

typedef enum {
    VM_JSON_OK,
    VM_JSON_INVALID,                /* `error` and `pos` say what and where */
    VM_JSON_UNDECODABLE,            /* bad UTF-8, too deep, too many digits */
    VM_JSON_LARGE                   /* more values than memory is given to */
} vm_json_e;

typedef struct {
    json_t      *value;             /* the caller's reference */
    const char  *error;             /* Python's text */
    size_t       pos;               /* characters from 0 */
} vm_json_t;

vm_json_e vm_json_load(vm_json_t *j, const char *text, size_t len);


#endif /* VM_VALUE_H */
