/*
 * Names that resemble one that is not known.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "../../src/base/near.h"


typedef struct {
    int          before;
    const char  *name;
} entry_t;

static const entry_t  entries[] = {
    { 1, "max_num_seqs" }, { 2, "max_model_len" }, { 3, "max_loras" },
    { 4, "ttft" }, { 5, "itl" }, { 6, "tftt" }, { 7, "tttf" }, { 8, "ttfx" }
};


static void
test_distance(void **state)
{
    (void) state;

    assert_int_equal(vm_near_distance("", ""), 0);
    assert_int_equal(vm_near_distance("abc", ""), 3);
    assert_int_equal(vm_near_distance("", "abc"), 3);
    assert_int_equal(vm_near_distance("kitten", "sitting"), 3);
    assert_int_equal(vm_near_distance("max-loras", "max-lora"), 1);
}


static const char *
near(char *message, size_t size, const char *name)
{
    snprintf(message, size, "no %s", name);
    vm_near_add(message, size, name, "--", &entries[0].name,
                vm_nelts(entries), sizeof(entry_t));

    return message;
}


static void
test_names(void **state)
{
    char  message[128];

    (void) state;

    assert_string_equal(near(message, sizeof(message), "max_num_seq"),
                        "no max_num_seq; did you mean --max_num_seqs");
    assert_string_equal(near(message, sizeof(message), "quantization"),
                        "no quantization");

    /* three at most; one that is right is alone */

    assert_string_equal(near(message, sizeof(message), "ttf"),
                        "no ttf; did you mean --ttft, --itl, --tftt");
    assert_string_equal(near(message, sizeof(message), "itl"),
                        "no itl; did you mean --itl");
}


/* A message that has no room for more stays a string. */

static void
test_cut(void **state)
{
    char    message[128];
    size_t  size;

    (void) state;

    for (size = 1; size < sizeof(message); size++) {
        memset(message, 'x', sizeof(message));
        near(message, size, "ttf");

        assert_true(strlen(message) < size);
        assert_int_equal(message[size], 'x');
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
