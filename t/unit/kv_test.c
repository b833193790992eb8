/*
 * The KV cache: order of allocation and freeing, hits, duplicates, eviction.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../../src/engine/kv.h"


static vm_engine_t *
kv_new(void)
{
    void              *mem;
    vm_engine_conf_t   conf;

    vm_engine_defaults(&conf);
    conf.block_size = 4;
    conf.num_gpu_blocks = 9;
    conf.max_model_len = 32;
    conf.max_live = 8;
    mem = NULL;
    assert_int_equal(posix_memalign(&mem, 64, vm_engine_footprint(&conf)), 0);

    return vm_engine_init(mem, &conf);
}


static vm_seq_t *
kv_seq(vm_engine_t *e, uint32_t i, uint32_t prompt, const uint64_t *hashes,
    uint32_t n)
{
    vm_seq_t  *s;

    s = vm_seq(e, i);
    memset(s, 0, sizeof(vm_seq_t));
    s->prompt = prompt;
    assert_int_equal(vm_kv_reserve(e, s, 8, hashes, n), VM_OK);

    return s;
}


static void
kv_holds(vm_engine_t *e, const vm_seq_t *s, const uint32_t *blocks, uint32_t n)
{
    uint32_t  i;

    assert_int_equal(s->nblocks, n);

    for (i = 0; i < n; i++) {
        assert_int_equal(vm_kv_block(e, s, i), blocks[i]);
    }
}


static void
test_order(void **state)
{
    vm_seq_t     *a, *b;
    vm_engine_t  *e;

    static const uint64_t  hashes[] = { 11, 12 };
    static const uint32_t  first[] = { 1, 2, 3 }, then[] = { 3, 4, 5, 6, 7,
                                                             8, 2, 1 };

    (void) state;
    e = kv_new();

    a = kv_seq(e, 0, 10, hashes, 2);
    assert_int_equal(vm_kv_allocate(e, a, 0, 10, 10, 10, 0), VM_OK);
    kv_holds(e, a, first, 3);
    assert_int_equal(vm_kv_used(e), 3);
    assert_int_equal(a->nfull, 2);

    /* what has no hash is reused first, a prefix outlives what follows it */

    vm_kv_free(e, a);
    b = kv_seq(e, 1, 31, NULL, 0);
    assert_int_equal(vm_kv_lookup(e, b), 0);
    assert_int_equal(vm_kv_allocate(e, b, 0, 32, 32, 0, 1), VM_DECLINED);
    assert_int_equal(vm_kv_used(e), 0);
    assert_int_equal(vm_kv_allocate(e, b, 0, 32, 32, 0, 0), VM_OK);
    kv_holds(e, b, then, 8);

    /* all evicted */

    assert_int_equal(vm_kv_lookup(e, a), 0);
    vm_kv_free(e, b);
    vm_kv_unreserve(e, a);
    vm_kv_unreserve(e, b);
    assert_int_equal(e->chunks_left, e->nchunks);
    free(e);
}


static void
test_hits(void **state)
{
    vm_seq_t     *a, *b, *c;
    vm_engine_t  *e;

    static const uint64_t  hashes[] = { 11, 12, 13 };
    static const uint32_t  own[] = { 1, 2, 4 };

    (void) state;
    e = kv_new();

    a = kv_seq(e, 0, 12, hashes, 3);
    assert_int_equal(vm_kv_allocate(e, a, 0, 12, 12, 0, 0), VM_OK);

    /* never the block of the last token: it is computed, a duplicate */

    b = kv_seq(e, 1, 12, hashes, 3);
    assert_int_equal(vm_kv_lookup(e, b), 2);
    assert_int_equal(vm_kv_allocate(e, b, 2, 12, 12, 12, 0), VM_OK);
    kv_holds(e, b, own, 3);
    assert_int_equal(vm_kv_used(e), 4);

    /* the older one is hit while it lives, the other one afterwards */

    c = kv_seq(e, 2, 13, hashes, 3);
    assert_int_equal(vm_kv_lookup(e, c), 3);
    assert_int_equal(vm_chunk(e, c->head)->blocks[2], 3);

    vm_kv_free(e, a);
    assert_int_equal(vm_kv_used(e), 3);
    assert_int_equal(vm_kv_lookup(e, c), 3);

    /* hits which nobody holds take free blocks: 1 + 1 of 5 */

    assert_int_equal(e->free_blocks, 5);
    assert_int_equal(vm_kv_allocate(e, c, 3, 13, 13, 13, 4), VM_DECLINED);
    assert_int_equal(vm_kv_allocate(e, c, 3, 13, 13, 13, 3), VM_OK);
    assert_int_equal(vm_kv_used(e), 5);
    vm_kv_free(e, b);
    vm_kv_free(e, c);
    assert_int_equal(vm_kv_used(e), 0);

    vm_kv_reset(e);
    assert_int_equal(vm_kv_lookup(e, c), 0);

    c->no_lookup = 1;
    assert_int_equal(vm_kv_lookup(e, c), 0);
    free(e);
}


static void
test_duplicates(void **state)
{
    uint32_t      i;
    vm_seq_t     *s[4], *x, *y;
    vm_engine_t  *e;

    static const uint64_t  same[] = { 77 };
    static const uint32_t  gone[] = { 0, 3, 1 }, found[] = { 2, 2, 3 };

    (void) state;
    e = kv_new();

    for (i = 0; i < 4; i++) {
        s[i] = kv_seq(e, i, 4, same, 1);
        assert_int_equal(vm_kv_allocate(e, s[i], 0, 4, 4, 0, 0), VM_OK);
    }

    x = kv_seq(e, 4, 5, same, 1);
    assert_int_equal(vm_kv_lookup(e, x), 1);
    assert_int_equal(vm_chunk(e, x->head)->blocks[0], 1);

    /* whoever takes all free blocks evicts one: the oldest, a younger one */

    for (i = 0; i < 3; i++) {
        vm_kv_free(e, s[gone[i]]);
        y = kv_seq(e, 5, 31, NULL, 0);
        assert_int_equal(vm_kv_allocate(e, y, 0, 4 * (5 + i), 0, 0, 0), VM_OK);
        assert_int_equal(e->free_blocks, 0);
        assert_int_equal(vm_kv_lookup(e, x), 1);
        assert_int_equal(vm_chunk(e, x->head)->blocks[0], found[i]);
        vm_kv_free(e, y);
        vm_kv_unreserve(e, y);
    }

    vm_kv_free(e, s[2]);
    free(e);
}


static void
test_hash(void **state)
{
    uint64_t  a, b;

    static const uint32_t  x[] = { 1, 2, 3 }, y[] = { 1, 2, 4 };

    (void) state;
    a = vm_block_hash(0, x, 3, 0);
    assert_true(a == vm_block_hash(0, x, 3, 0));
    assert_true(a != vm_block_hash(0, y, 3, 0));
    assert_true(a != vm_block_hash(0, x, 2, 0));
    assert_true(a != vm_block_hash(1, x, 3, 0));
    assert_true(a != vm_block_hash(0, x, 3, 1));

    assert_true(vm_block_extra(NULL, 0, NULL, 0) == 0);
    a = vm_block_extra("a", 1, NULL, 0);
    b = vm_block_extra(NULL, 0, "a", 1);
    assert_true(a != 0 && b != 0 && a != b);
    assert_true(vm_block_extra("a", 1, "b", 1) != a);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_hits),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_hash)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
