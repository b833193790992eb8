/*
 * Names of devices and models to profiles.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "../../src/engine/catalog.h"


static char    text[1 << 16];
static size_t  len;


static int
setup(void **state)
{
    FILE  *f;

    (void) state;
    f = fopen("profiles/index.json", "r");

    if (f == NULL) {
        return -1;
    }

    len = fread(text, 1, sizeof(text), f);
    fclose(f);

    return 0;
}


static void
test_found(void **state)
{
    char    path[VM_CATALOG_PATH], err[2048];
    size_t  i;
    FILE   *f;
    char    name[VM_CATALOG_PATH + 16];

    static const struct {
        const char  *device;
        const char  *model;
        uint32_t     tp;
        const char  *path;
    } cases[] = {
        { "a100", "llama-2-7b", 0, "a100/llama-2-7b-tp1.json" },
        { "A100", "llama2-7b", 0, "a100/llama-2-7b-tp1.json" },
        { "H100", "meta-llama/Llama-3.1-8B-Instruct", 0,
          "h100/llama-3.1-8b-tp1.json" },
        { "h100", "meta-llama/Meta-Llama-3-8B", 2,
          "h100/llama-3.1-8b-tp2.json" },
        { "a100", "llama-3-8b", 0, "a100/llama-3-8b-tp1.json" },
        { "h200", "mixtral-8x7b-v0.1", 0, "h200/mixtral-8x7b-tp2.json" },
        { "b200", "acme/Qwen3-32B", 4, "b200/qwen3-32b-tp4.json" },
        { "l40s", "llama-3.1-70b", 0, "l40s/llama-3.1-70b-tp4.json" },
        { "rtx-pro-6000", "gpt-oss-20b", 0, NULL },
        { "a40", "llama-2-70b", 0, "a40/llama-2-70b-tp4.json" }
    };

    (void) state;

    for (i = 0; i < vm_nelts(cases); i++) {

        if (cases[i].path == NULL) {
            assert_int_equal(vm_catalog_find(text, len, cases[i].device,
                                             cases[i].model, cases[i].tp,
                                             path, err, sizeof(err)),
                             VM_ERROR);
            continue;
        }

        assert_int_equal(vm_catalog_find(text, len, cases[i].device,
                                         cases[i].model, cases[i].tp, path,
                                         err, sizeof(err)),
                         VM_OK);
        assert_string_equal(path, cases[i].path);
        snprintf(name, sizeof(name), "profiles/%s", path);
        f = fopen(name, "r");
        assert_non_null(f);
        fclose(f);
    }
}


static void
test_missing(void **state)
{
    char  path[VM_CATALOG_PATH], err[4096];

    (void) state;

    assert_int_equal(vm_catalog_find(text, len, "a40", "llama-2-70b", 1, path,
                                     err, sizeof(err)), VM_ERROR);
    assert_non_null(strstr(err, "\"llama-2-70b\""));
    assert_non_null(strstr(err, "\"a40\""));
    assert_non_null(strstr(err, "does not fit"));
    assert_non_null(strstr(err, "models of this device: llama-2-7b"));
    assert_non_null(strstr(err, "a40 tp 4 8"));

    assert_int_equal(vm_catalog_find(text, len, "h100", "gpt-9", 0, path, err,
                                     sizeof(err)), VM_ERROR);
    assert_non_null(strstr(err, "llama-3.1-8b"));
    assert_non_null(strstr(err, "not known"));

    assert_int_equal(vm_catalog_find(text, len, "tpu", "qwen3-8b", 0, path,
                                     err, sizeof(err)), VM_ERROR);
    assert_non_null(strstr(err, "devices are a40, a100"));
    assert_non_null(strstr(err, "devices of this model: "));

    /* a short buffer is no matter */

    assert_int_equal(vm_catalog_find(text, len, "tpu", "qwen3-8b", 0, path,
                                     err, 16), VM_ERROR);
    assert_int_equal(strlen(err), 15);

    assert_int_equal(vm_catalog_find("[]", 2, "a", "b", 0, path, err,
                                     sizeof(err)), VM_ERROR);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_missing)
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
