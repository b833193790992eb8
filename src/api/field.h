/*
 * Requests are tables.  A type says what a JSON value may be, a model lists
 * the fields of an object; one walker checks a value, collects every violation
 * in the words of pydantic (as vLLM prints them), and fills a struct.
 */

#ifndef VM_FIELD_H
#define VM_FIELD_H


#include "error.h"


typedef struct vm_type_s        vm_type_t;
typedef struct vm_field_s       vm_field_t;
typedef struct vm_violations_s  vm_violations_t;

/* What a field is filled with (all zero: absent, and the row's default) */

typedef struct {
    json_int_t     v;               /* saturated if it is big */
    const json_t  *json;            /* as sent; NULL: absent or null */
    unsigned       set:1;
    unsigned       big:1;           /* beyond 64 bits */
} vm_int_t;

typedef struct {
    double         v;
    unsigned       set:1;
} vm_float_t;

typedef struct {
    json_t        *json;            /* NULL: absent or null */
    int            branch;          /* of a union */
} vm_any_t;


typedef enum {
    VM_T_ANY,                       /* vm_any_t; whatever it is */
    VM_T_STR,                       /* const json_t *: a string */
    VM_T_INT,                       /* vm_int_t */
    VM_T_FLOAT,                     /* vm_float_t */
    VM_T_BOOL,                      /* uint8_t */
    VM_T_LITERAL,                   /* const json_t *: a string */
    VM_T_TRUTH,                     /* const json_t *: `ge` as a boolean */
    VM_T_LIST,                      /* vm_any_t */
    VM_T_SEQUENCE,                  /* likewise; other words */
    VM_T_ITERABLE,                  /* likewise; items are not looked at */
    VM_T_DICT,                      /* vm_any_t */
    VM_T_MODEL,                     /* vm_any_t; an object with fields */
    VM_T_UNION,                     /* vm_any_t with the branch */
    VM_T_TAGGED,                    /* vm_any_t; `branches` are models, whose
                                       names "type" says */
    VM_T_INSTANCE                   /* of a class, the first of `values`: no
                                       JSON is; a branch that only complains */
} vm_type_e;

struct vm_type_s {
    vm_type_e                 kind;
    const char               *name;      /* of a class: part of the place */

    const vm_type_t          *item;      /* LIST's items, DICT's values */
    const vm_type_t   *const *branches;  /* UNION; NULL ends it */
    const vm_field_t         *fields;    /* MODEL; a row without name ends it */
    const char        *const *values;    /* LITERAL; NULL ends it */

    unsigned                  typed_dict:1;   /* MODEL: dict_type when none */
    unsigned                  forbid:1;       /* MODEL: no other fields */
    unsigned                  int_keys:1;     /* DICT */
    unsigned                  tuple:1;        /* LIST */
    unsigned                  bytes:1;        /* STR; other words */
    unsigned                  nullable:1;     /* where no field says so */
    unsigned                  has_gt:1;
    unsigned                  has_ge:1;
    unsigned                  has_le:1;
    json_int_t                gt;
    json_int_t                ge;
    json_int_t                le;
    const char               *dataclass;      /* MODEL: its name, if it is */
    size_t                    min_items;      /* LIST, STR; 0: none */
    size_t                    max_items;

    /* MODEL: looks at the raw object first, answers at once. */
    int                     (*before)(const json_t *v, vm_error_t *e,
                                      vm_pool_t *pool);

    /*
     * A validator that raises ValueError, for a value that is right so far:
     * what it says, or NULL.
     */
    const char             *(*refuse)(const json_t *v, vm_pool_t *pool);
};

struct vm_field_s {
    const char               *name;
    const vm_type_t          *type;
    unsigned                  flags;
    size_t                    offset;    /* into the struct; VM_F_CHECK: none */
    json_int_t                def;       /* of an int, float or bool */

    /*
     * A rule of the field alone that answers at once (pydantic: a validator
     * which raises no ValueError).  NULL for most.
     */
    int                     (*rule)(const json_t *v, vm_error_t *e,
                                    vm_pool_t *pool);
};

#define VM_F_REQUIRED  1
#define VM_F_NOTNULL   2            /* null does not fit */
#define VM_F_CHECK     4            /* is checked, goes nowhere */

#define VM_F_NEEDED    (VM_F_REQUIRED|VM_F_NOTNULL)

#define vm_field_end   { NULL, NULL, 0, 0, 0, NULL }

/* A row that is checked and goes nowhere. */

#define vm_field_seen(name, type, flags)                                      \
    { name, &type, (flags) | VM_F_CHECK, 0, 0, NULL }

/* A type of these words. */

#define vm_words_type(type, ...)                                              \
    static const char *const  type##_words[] = { __VA_ARGS__, NULL };         \
    static const vm_type_t  type = {                                          \
        .kind = VM_T_LITERAL, .values = type##_words                          \
    }


/* The plain types. */

extern const vm_type_t  vm_any_type, vm_str_type, vm_int_type, vm_float_type,
                        vm_bool_type, vm_dict_type, vm_list_type,
                        vm_int_list_type, vm_str_list_type, vm_int64_type,
                        vm_uint_type, vm_id_list_type;


/*
 * Checks `v` (NULL: the body was empty or null) against a model and fills
 * `out`.  VM_OK, or VM_ERROR with the whole message in `e`.  `root` is "body"
 * or "query"; a class, where vLLM makes one request of another: the message is
 * pydantic's own then.
 */
int vm_model_load(const vm_type_t *model, const json_t *v, const char *root,
    void *out, vm_error_t *e, vm_pool_t *pool);

/* An item of a list that is checked while it is read: pydantic's own words. */
int vm_item_load(const vm_type_t *t, const json_t *v, const char *title,
    size_t index, vm_error_t *e, vm_pool_t *pool);

/* The branch of a union that a value takes, -1: none. */
int vm_type_branch(const vm_type_t *t, const json_t *v, vm_error_t *e,
    vm_pool_t *pool);


/* The pieces, for places that report otherwise. */

struct vm_violations_s {
    size_t      count;
    vm_buf_t    text;               /* the first ten */
    char        first[256];         /* place of the first */
    size_t      fields;             /* that models had, for unions */
    unsigned    counted:1;          /* a model was there */
    size_t      quiet;              /* not 0: they are counted, not worded */
    const char *title;              /* of pydantic's own message; or NULL */
    vm_error_t *error;              /* of a rule that answers at once */
    vm_pool_t  *pool;
};

void vm_violations_init(vm_violations_t *x, vm_error_t *e, vm_pool_t *pool);
void vm_violations_free(vm_violations_t *x);
int vm_violations_report(vm_violations_t *x);   /* VM_ERROR, in ->error */

void vm_violations_add(vm_violations_t *x, const char *type,
    const char *place, const char *message, const json_t *input,
    const char *ctx);

int vm_model_check(const vm_type_t *model, const json_t *v, const char *root,
    void *out, vm_violations_t *x);

/* int(v) as pydantic's lax mode takes it: 1 if it does. */
int vm_field_int(const json_t *v, vm_int_t *out);
int vm_field_bool(const json_t *v, uint8_t *out);
int vm_field_float(const json_t *v, double *out);

/* A vm_int_t as Python prints it. */
void vm_int_print(vm_buf_t *b, const vm_int_t *n);
const char *vm_int_text(vm_pool_t *pool, const vm_int_t *n);


#endif /* VM_FIELD_H */
