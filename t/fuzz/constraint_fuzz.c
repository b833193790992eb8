/*
 * Any bytes as a constraint: what is taken gives a text, a JSON schema a JSON
 * value; what is refused says why; nothing takes long.
 *
 *   clang -g -O1 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined \
 *       t/fuzz/constraint_fuzz.c src/api/schema*.c src/api/regex.c \
 *       src/api/grammar.c src/api/gbnf.c src/api/lark.c src/api/error.c \
 *       src/api/value.c src/api/pyjson.c src/base/[a-z]*.c -ljansson -lm \
 *       -o constraint_fuzz
 *   ./constraint_fuzz -dict=t/fuzz/constraint.dict -timeout=5 -max_len=4096 \
 *       -max_total_time=300
 */

#include <stdlib.h>
#include "../../src/api/constraint.h"


#define KEYS  3


static void
check(int rc, const vm_error_t *e, const vm_buf_t *out, int json)
{
    json_t  *v;

    if (rc != VM_OK) {

        if (e->status != 400 || e->message == NULL || *e->message == '\0') {
            abort();
        }

        return;
    }

    if (json) {
        v = json_loadb(out->data, out->len, JSON_DECODE_ANY | JSON_ALLOW_NUL,
                       NULL);

        if (v == NULL) {
            abort();
        }

        json_decref(v);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int          rc;
    char        *text;
    json_t      *schema;
    vm_buf_t     out;
    uint64_t     key;
    vm_pool_t   *pool;
    vm_error_t   e;

    if (size == 0) {
        return 0;
    }

    pool = vm_pool_create(512);
    text = vm_pool_strdup(pool, (const char *) data + 1, size - 1);
    schema = data[0] % 4 < 2 ? json_loadb(text, size - 1, JSON_ALLOW_NUL, NULL)
                             : NULL;
    vm_buf_init(&out);

    for (key = 0; key < KEYS; key++) {
        memset(&e, 0, sizeof(vm_error_t));
        vm_buf_reset(&out);

        switch (data[0] % 4) {

        case 2:
            rc = vm_constraint_regex(text, size - 1, key, &out, &e, pool);
            check(rc, &e, &out, 0);
            break;

        case 3:
            rc = vm_constraint_grammar(text, key, &out, &e, pool);
            check(rc, &e, &out, 0);
            break;

        default:
            if (schema) {
                rc = vm_constraint_schema(schema, key, &out, &e, pool);
                check(rc, &e, &out, 1);
            }

            break;
        }
    }

    vm_buf_free(&out);
    json_decref(schema);
    vm_pool_destroy(pool);

    return 0;
}
