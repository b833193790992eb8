/*
 * Any bytes as a form: parts lie within the body, and what is made of them is
 * sound.
 *
 *   clang -g -O1 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined \
 *       t/fuzz/form_fuzz.c src/api/form.c src/api/wav.c src/api/error.c \
 *       src/api/value.c src/api/pyjson.c src/base/[a-z]*.c -ljansson -lm \
 *       -o form_fuzz
 *   ./form_fuzz -max_len=4096 -max_total_time=300
 */

#include <stdlib.h>
#include "../../src/api/form.h"
#include "../../src/api/wav.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char        *type;
    size_t       i, n;
    double       seconds;
    json_t      *o;
    vm_form_t    form;
    vm_pool_t   *pool;
    vm_error_t   e;
    const char  *body;

    /* the first line is the Content-Type */

    for (n = 0; n < size && data[n] != '\n'; n++) { /* void */ }

    pool = vm_pool_create(512);
    type = vm_pool_strdup(pool, (const char *) data, n);
    body = (const char *) data + (n < size ? n + 1 : n);
    size -= n < size ? n + 1 : n;

    memset(&e, 0, sizeof(vm_error_t));

    if (vm_form_parse(&form, type, body, size, &e, pool) != VM_OK) {
        if (e.status != 400 || e.message == NULL) {
            abort();
        }

        vm_pool_destroy(pool);
        return 0;
    }

    for (i = 0; i < form.n; i++) {
        if (form.parts[i].data.data < body
            || form.parts[i].data.len > size
            || form.parts[i].data.data + form.parts[i].data.len > body + size)
        {
            abort();
        }

        (void) vm_wav_seconds(form.parts[i].data.data,
                              form.parts[i].data.len, &seconds);
    }

    o = vm_form_json(&form);
    (void) vm_form_file(&form, "file");
    json_decref(o);
    vm_pool_destroy(pool);

    return 0;
}
