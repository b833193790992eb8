/*
 * vLLM's command line and environment as settings.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../../src/api/parsers.h"


typedef struct {
    vm_pool_t      *pool;
    vm_settings_t   s;
    const char     *name;
    const char     *value;
    char            err[256];
    size_t          taken;
} fixture_t;


static vm_arg_e
arg(fixture_t *f, const char *a, const char *b, const char *c)
{
    size_t       i, n;
    vm_arg_e     rc;
    const char  *argv[] = { a, b, c };

    n = 1 + (b != NULL) + (c != NULL);
    i = 0;
    f->err[0] = '\0';
    f->name = f->value = NULL;
    rc = vm_settings_arg(&f->s, argv, n, &i, f->pool, &f->name, &f->value,
                         f->err, sizeof(f->err));
    f->taken = i;
    assert_int_equal(rc == VM_ARG_FAILED, f->err[0] != '\0');

    return rc;
}


static int
setup(void **state)
{
    fixture_t  *f;

    f = calloc(1, sizeof(fixture_t));
    f->pool = vm_pool_create(1024);
    vm_settings_defaults(&f->s);
    *state = f;

    return 0;
}


static int
teardown(void **state)
{
    fixture_t  *f = *state;

    vm_pool_destroy(f->pool);
    free(f);

    return 0;
}


static void
test_forms(void **state)
{
    fixture_t  *f = *state;

    assert_int_equal(arg(f, "--enable-lora", "--max-loras", NULL),
                     VM_ARG_SET);
    assert_int_equal(f->taken, 1);
    assert_int_equal(f->s.enable_lora, 1);
    assert_int_equal(arg(f, "--no-enable-lora", NULL, NULL), VM_ARG_SET);
    assert_int_equal(f->s.enable_lora, 0);

    assert_int_equal(arg(f, "--max-logprobs", "7", "x"), VM_ARG_SET);
    assert_int_equal(f->taken, 2);
    assert_int_equal(f->s.max_logprobs, 7);
    assert_int_equal(arg(f, "--max-logprobs=9", "x", NULL), VM_ARG_SET);
    assert_int_equal(f->taken, 1);
    assert_int_equal(f->s.max_logprobs, 9);
    assert_int_equal(arg(f, "--max_logprobs", "8", NULL), VM_ARG_SET);
    assert_int_equal(f->s.max_logprobs, 8);

    assert_int_equal(arg(f, "--api-key", "k1", "k2"), VM_ARG_SET);
    assert_int_equal(f->taken, 3);
    assert_int_equal(f->s.api_keys.n, 2);
    assert_string_equal(f->s.api_keys.list[1], "k2");

    assert_int_equal(arg(f, "some/model", "--max-loras", NULL), VM_ARG_SET);
    assert_int_equal(f->taken, 1);
    assert_string_equal(f->s.root, "some/model");

    assert_int_equal(arg(f, "-tp", "4", NULL), VM_ARG_SET);
    assert_int_equal(f->s.tensor_parallel, 4);
}


static void
test_of_the_engine(void **state)
{
    fixture_t  *f = *state;

    assert_int_equal(arg(f, "--max-model-len", "2k", NULL), VM_ARG_ENGINE);
    assert_string_equal(f->name, "max-model-len");
    assert_string_equal(f->value, "2k");
    assert_int_equal(f->taken, 2);
    assert_int_equal(arg(f, "--no-enable-prefix-caching", NULL, NULL),
                     VM_ARG_ENGINE);
    assert_int_equal(f->taken, 1);
}


static void
test_ignored(void **state)
{
    fixture_t  *f = *state;

    assert_int_equal(arg(f, "--dtype", "float16", NULL), VM_ARG_IGNORED);
    assert_int_equal(f->taken, 2);
    assert_int_equal(arg(f, "--enforce-eager", "--dtype", NULL),
                     VM_ARG_IGNORED);
    assert_int_equal(f->taken, 1);
}


static void
test_refused(void **state)
{
    size_t      i;
    fixture_t  *f = *state;

    static const struct {
        const char  *arg;
        const char  *value;
        const char  *said;
    }  cases[] = {
        { "--enable-lorra", NULL, "did you mean --enable-lora" },
        { "--max-model-length", "1", "--max-model-len" },
        { "--api-key", NULL, "--api-key expects" },
        { "--max-logprobs", NULL, "--max-logprobs expects" },
        { "--max-logprobs", "x", "\"x\"" },
        { "--enable-lora=1", NULL, "takes no value" },
        { "--runner", "walker", "\"walker\"" },
        { "--seed", "x", "\"x\"" },
        { "--allowed-origins", "{", "\"{\"" }
    };

    for (i = 0; i < vm_nelts(cases); i++) {
        assert_int_equal(arg(f, cases[i].arg, cases[i].value, NULL),
                         VM_ARG_FAILED);

        if (strstr(f->err, cases[i].said) == NULL) {
            fail_msg("%s: %s", cases[i].arg, f->err);
        }
    }
}


static void
test_environment(void **state)
{
    size_t              n;
    fixture_t          *f = *state;
    const char *const  *names;

    for (n = 0, names = vm_settings_env_names(); names[n]; n++) {
        assert_memory_equal(names[n], "VLLM_", 5);
    }

    assert_true(n >= 3);

    assert_int_equal(vm_settings_env(&f->s, "VLLM_SERVER_DEV_MODE", "1",
                                     f->pool), VM_OK);
    assert_int_equal(f->s.dev_mode, 1);
    assert_int_equal(vm_settings_env(&f->s, "VLLM_SERVER_DEV_MODE", "0",
                                     f->pool), VM_OK);
    assert_int_equal(f->s.dev_mode, 0);
    assert_int_equal(vm_settings_env(&f->s,
                                     "VLLM_ALLOW_RUNTIME_LORA_UPDATING",
                                     "True", f->pool), VM_OK);
    assert_int_equal(f->s.runtime_lora, 1);
    assert_int_equal(vm_settings_env(&f->s, "VLLM_API_KEY", "", f->pool),
                     VM_OK);
    assert_int_equal(f->s.api_keys.n, 0);
    assert_int_equal(vm_settings_env(&f->s, "VLLM_API_KEY", "k", f->pool),
                     VM_OK);
    assert_int_equal(f->s.api_keys.n, 1);
    assert_int_equal(vm_settings_env(&f->s, "PATH", "/", f->pool),
                     VM_DECLINED);
}


static void
test_numbers(void **state)
{
    size_t    i;
    uint64_t  n;

    static const struct {
        const char  *text;
        uint64_t     n;
    }  good[] = {
        { "0", 0 }, { "17", 17 }, { "2k", 2000 }, { "2K", 2048 },
        { "1.5k", 1500 }, { "25.6k", 25600 }, { "1m", 1000000 },
        { "1M", 1048576 }, { "2g", 2000000000 }, { "1G", 1073741824 }
    };

    static const char *const  bad[] = {
        "", "x", "-1", "1x", "1.5", "k", "2kk", " 1"
    };

    (void) state;

    for (i = 0; i < vm_nelts(good); i++) {
        assert_int_equal(vm_settings_number(good[i].text, &n), VM_OK);
        assert_int_equal(n, good[i].n);
    }

    for (i = 0; i < vm_nelts(bad); i++) {
        if (vm_settings_number(bad[i], &n) == VM_OK) {
            fail_msg("\"%s\" is a number: %lu", bad[i], (unsigned long) n);
        }
    }
}


/* Parsers that vLLM does not have are refused; a plugin's may have any name. */

static void
test_parsers(void **state)
{
    char           err[256];
    size_t         i;
    vm_settings_t  s;
    static const struct {
        const char  *calls;
        const char  *thoughts;
        const char  *plugin;
        int          automatic;
        const char  *message;
    }  cases[] = {
        { NULL, NULL, NULL, 0, NULL },
        { "hermes", "qwen3", NULL, 1, NULL },
        { "granite-20b-fc", "minimax_m2_append_think", NULL, 1, NULL },
        { NULL, NULL, NULL, 1,
          "--enable-auto-tool-choice requires --tool-call-parser" },
        { "hermez", NULL, NULL, 1,
          "invalid tool call parser: hermez; did you mean hermes" },
        { "hermez", NULL, NULL, 0, NULL },
        { "mine", "mine", "p.py", 1, NULL },
        { "hermes", "qwen4", NULL, 1,
          "invalid reasoning parser: qwen4; did you mean qwen3" }
    };

    (void) state;

    for (i = 0; i < vm_nelts(cases); i++) {
        vm_settings_defaults(&s);
        s.auto_tool_choice = cases[i].automatic != 0;
        s.tool_call_parser = cases[i].calls;
        s.tool_parser_plugin = cases[i].plugin;
        s.reasoning_parser = cases[i].thoughts;
        s.reasoning_parser_plugin = cases[i].plugin;

        if (cases[i].message) {
            assert_int_equal(vm_parsers_check(&s, err, sizeof(err)),
                             VM_ERROR);
            assert_string_equal(err, cases[i].message);

        } else {
            assert_int_equal(vm_parsers_check(&s, err, sizeof(err)), VM_OK);
            assert_ptr_equal(s.tool_call_parser,
                             cases[i].automatic ? cases[i].calls : NULL);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_forms, setup, teardown),
        cmocka_unit_test_setup_teardown(test_of_the_engine, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ignored, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_environment, setup, teardown),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_parsers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
