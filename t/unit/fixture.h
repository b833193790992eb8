/*
 * A call without a server, for tests of protocols: settings, a body, a
 * generation, what is written.  To be included behind cmocka.h.
 */

#ifndef VM_TEST_FIXTURE_H
#define VM_TEST_FIXTURE_H


#include "../../src/api/generation.h"


typedef struct {
    vm_settings_t      settings;
    const char        *names[1];
    vm_output_t        output;

    vm_pool_t         *pool;
    vm_call_t          call;
    json_t            *body;
    vm_generation_t   *g;
    vm_buf_t           out;
} fixture_t;


static int
no_adapter(void *data, const char *name, size_t len, vm_adapter_t *out)
{
    (void) data;
    (void) name;
    (void) len;
    (void) out;

    return 0;
}


static int
setup(void **state)
{
    fixture_t  *f;

    f = calloc(1, sizeof(fixture_t));
    vm_settings_defaults(&f->settings);
    f->names[0] = "m";
    f->settings.names.list = f->names;
    f->settings.names.n = 1;
    f->settings.max_model_len = 512;
    f->settings.tokenizer = vm_tokenizer_builtin();
    f->settings.vocab = vm_tokenizer_vocab(f->settings.tokenizer);
    f->output.pod = "pod";
    vm_buf_init(&f->out);
    *state = f;

    return f->settings.tokenizer == NULL;
}


static void
drop(fixture_t *f)
{
    if (f->g) {
        vm_generation_free(f->g);
        f->g = NULL;
    }

    json_decref(f->body);
    f->body = NULL;

    if (f->pool) {
        vm_pool_destroy(f->pool);
        f->pool = NULL;
    }
}


static int
teardown(void **state)
{
    fixture_t  *f = *state;

    drop(f);
    vm_buf_free(&f->out);
    vm_tokenizer_free((vm_tokenizer_t *) (uintptr_t) f->settings.tokenizer);
    free(f);

    return 0;
}


/* A body of its own and a fresh call; what was before is dropped. */

static void
begin(fixture_t *f, const char *text)
{
    vm_json_t  j;

    drop(f);

    f->pool = vm_pool_create(4096);
    assert_int_equal(vm_json_load(&j, text, strlen(text)), VM_JSON_OK);
    f->body = j.value;

    memset(&f->call, 0, sizeof(vm_call_t));
    f->call.pool = f->pool;
    f->call.settings = &f->settings;
    f->call.output = &f->output;
    f->call.max_num_seqs = 64;
    f->call.random = 42;
    f->call.chance = 42;
    f->call.now = 1795494129.5;
    f->call.adapter = no_adapter;
}


#endif /* VM_TEST_FIXTURE_H */
