/*
 * The pool of a request: pieces do not overlap and are aligned, cleanups run
 * when it goes, the last one first.
 */

#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../../src/base/pool.h"


static void
test_pieces(void **state)
{
    char       *p[2000];
    size_t      i, k, size;
    vm_pool_t  *pool;

    (void) state;

    pool = vm_pool_create(256);
    assert_non_null(pool);

    for (i = 0; i < vm_nelts(p); i++) {
        size = 1 + i * 7 % 300;         /* some do not fit into a block */
        p[i] = vm_pool_alloc(pool, size);
        assert_non_null(p[i]);
        assert_int_equal((uintptr_t) p[i] % sizeof(void *), 0);
        memset(p[i], (int) (i & 0x7f), size);
    }

    for (i = 0; i < vm_nelts(p); i++) {
        size = 1 + i * 7 % 300;

        for (k = 0; k < size; k++) {
            assert_int_equal(p[i][k], (int) (i & 0x7f));
        }
    }

    vm_pool_destroy(pool);
}


static void
test_large_piece(void **state)
{
    char       *p;
    vm_pool_t  *pool;

    (void) state;

    pool = vm_pool_create(64);
    p = vm_pool_alloc(pool, 1 << 20);
    assert_non_null(p);
    memset(p, 1, 1 << 20);
    assert_non_null(vm_pool_alloc(pool, 8));
    vm_pool_destroy(pool);
}


static void
test_text(void **state)
{
    char       *a, *b;
    vm_pool_t  *pool;

    (void) state;

    pool = vm_pool_create(128);
    a = vm_pool_strdup(pool, "abcdef", 3);
    b = vm_pool_printf(pool, "%s-%d", a, 42);
    assert_string_equal(a, "abc");
    assert_string_equal(b, "abc-42");
    b = vm_pool_printf(pool, "%500s|", "x");
    assert_int_equal(strlen(b), 501);
    assert_string_equal(vm_pool_strdup(pool, "", 0), "");
    vm_pool_destroy(pool);
}


static void
test_zeroed(void **state)
{
    char       *p;
    size_t      i;
    vm_pool_t  *pool;

    (void) state;

    pool = vm_pool_create(64);
    memset(vm_pool_alloc(pool, 48), 0xff, 48);
    p = vm_pool_calloc(pool, 10, 100);

    for (i = 0; i < 1000; i++) {
        assert_int_equal(p[i], 0);
    }

    assert_null(vm_pool_calloc(pool, SIZE_MAX / 2, 4));
    vm_pool_destroy(pool);
}


static char    order[8];
static size_t  norder;


static void
note(void *data)
{
    order[norder++] = *(char *) data;
}


static void
test_cleanups(void **state)
{
    static char  a = 'a', b = 'b', c = 'c';
    vm_pool_t   *pool;

    (void) state;

    pool = vm_pool_create(64);
    assert_int_equal(vm_pool_cleanup(pool, note, &a), VM_OK);
    assert_int_equal(vm_pool_cleanup(pool, note, &b), VM_OK);
    assert_int_equal(vm_pool_cleanup(pool, note, &c), VM_OK);
    assert_int_equal(norder, 0);
    vm_pool_destroy(pool);
    assert_int_equal(norder, 3);
    assert_memory_equal(order, "cba", 3);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_large_piece),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_zeroed),
        cmocka_unit_test(test_cleanups)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
