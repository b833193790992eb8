/*
 * The engine's contract: submitting, time, events, ends, pauses.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../../src/engine/engine.h"


static vm_engine_t *
engine_new(const vm_engine_conf_t *conf)
{
    void  *mem;

    assert_null(vm_engine_check(conf));
    mem = NULL;
    assert_int_equal(posix_memalign(&mem, 64, vm_engine_footprint(conf)), 0);
    memset(mem, 0xa5, vm_engine_footprint(conf));

    return vm_engine_init(mem, conf);
}


static vm_handle_t
engine_add(vm_engine_t *e, uint32_t owner, uint32_t prompt, uint32_t output,
    vm_time_t now)
{
    vm_handle_t          h;
    vm_engine_seq_t      q;
    vm_engine_request_t  r;

    memset(&q, 0, sizeof(q));
    memset(&r, 0, sizeof(r));
    q.cookie = prompt;
    q.eos_at = VM_NEVER;
    q.string_at = VM_NEVER;
    r.owner = owner;
    r.prompt_tokens = prompt;
    r.max_tokens = output;
    r.arrival = now;
    r.n = 1;
    r.seqs = &q;
    assert_int_equal(vm_engine_submit(e, &r, &h, now), VM_OK);

    return h;
}


static void
test_none(void **state)
{
    size_t             n, i;
    vm_engine_t       *e;
    vm_event_t         v[16];
    vm_handle_t        h;
    vm_engine_conf_t   conf;
    const vm_stats_t  *s;

    (void) state;
    vm_engine_defaults(&conf);
    e = engine_new(&conf);

    h = engine_add(e, 0, 10, 3, 5);
    assert_int_equal(vm_engine_live(e), 1);
    assert_true(vm_engine_advance(e, 5) == VM_TIME_NONE);
    assert_int_equal(vm_engine_live(e), 0);

    n = vm_engine_collect(e, 0, v, 16);
    assert_int_equal(n, 3);

    for (i = 0; i < 3; i++) {
        assert_true(v[i].handle == h);
        assert_int_equal(v[i].cookie, 10);
        assert_int_equal(v[i].first, i);
        assert_int_equal(v[i].count, 1);
        assert_int_equal(v[i].due, 5);
        assert_int_equal(v[i].finish,
                         i == 2 ? VM_FINISH_LENGTH : VM_FINISH_NONE);
    }

    assert_int_equal(vm_engine_collect(e, 0, v, 16), 0);

    s = vm_engine_stats(e);
    assert_int_equal(s->running, 0);
    assert_int_equal(s->used_blocks, 0);
    assert_int_equal(s->generation_tokens, 3);
    assert_int_equal(s->prompt_tokens, 10);
    assert_int_equal(s->finished[VM_FINISH_LENGTH], 1);
    assert_int_equal(vm_hist_count(&s->iteration_tokens), 3);
    assert_int_equal(s->iteration_tokens.sum, 13);
    free(e);
}


static void
test_constant(void **state)
{
    vm_engine_t       *e;
    vm_event_t         v[16];
    vm_engine_conf_t   conf;

    (void) state;
    vm_engine_defaults(&conf);
    conf.latency.model = VM_LATENCY_CONSTANT;
    conf.latency.ttft = 20;
    conf.latency.itl = 5;
    e = engine_new(&conf);

    engine_add(e, 0, 10, 3, 100);
    assert_int_equal(vm_engine_advance(e, 100), 120);
    engine_add(e, 0, 11, 1, 103);
    assert_int_equal(vm_engine_advance(e, 103), 120);
    assert_int_equal(vm_engine_collect(e, 0, v, 16), 0);
    assert_int_equal(vm_engine_advance(e, 1000), VM_TIME_NONE);
    assert_int_equal(vm_engine_collect(e, 0, v, 16), 4);
    assert_int_equal(v[0].due, 120);
    assert_int_equal(v[1].due, 123);
    assert_int_equal(v[1].cookie, 11);
    assert_int_equal(v[2].due, 125);
    assert_int_equal(v[3].due, 130);
    assert_int_equal(v[3].finish, VM_FINISH_LENGTH);
    free(e);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_constant)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
