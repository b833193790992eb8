/*
 * Who is preempted, and who is not held up by it; who is passed over for want
 * of a LoRA slot.  The plans are those of vLLM 0.32.0.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../../src/engine/kv.h"
#include "../../src/engine/scheduler.h"


static vm_engine_t *
victim_new(const vm_engine_conf_t *conf)
{
    void  *mem;

    assert_null(vm_engine_check(conf));
    mem = NULL;
    assert_int_equal(posix_memalign(&mem, 64, vm_engine_footprint(conf)), 0);

    return vm_engine_init(mem, conf);
}


static void
victim_add(vm_engine_t *e, uint64_t cookie, uint32_t n, uint32_t prompt,
    uint32_t output, int64_t priority, uint32_t lora, vm_handle_t *handles)
{
    uint32_t             i;
    vm_handle_t          unused[8];
    vm_engine_seq_t      q[8];
    vm_engine_request_t  r;

    memset(q, 0, sizeof(q));
    memset(&r, 0, sizeof(r));

    for (i = 0; i < n; i++) {
        q[i].cookie = cookie + i;
        q[i].eos_at = VM_NEVER;
        q[i].string_at = VM_NEVER;
    }

    r.prompt_tokens = prompt;
    r.max_tokens = output;
    r.priority = priority;
    r.lora = lora;
    r.arrival = (vm_time_t) cookie;
    r.n = n;
    r.seqs = q;
    assert_int_equal(vm_engine_submit(e, &r, handles ? handles : unused, 100),
                     VM_OK);
}


/* Plans the next step, then applies the one before, if there is one. */

static vm_plan_t *
victim_step(vm_engine_t *e, vm_plan_t *before)
{
    vm_plan_t  *p;

    p = before == &e->plans[0] ? &e->plans[1] : &e->plans[0];
    vm_sched_plan(e, p, 0);

    if (before) {
        vm_sched_update(e, before, 0);
    }

    return p;
}


static void
victim_is(vm_engine_t *e, const vm_plan_t *p, const char *cookies)
{
    uint32_t  i;

    assert_int_equal(p->n, strlen(cookies));

    for (i = 0; i < p->n; i++) {
        assert_int_equal(vm_seq(e, vm_planned(e, p)[i].seq)->cookie,
                         cookies[i]);
    }
}


/*
 * The first one waits for its last result and has nothing planned when the
 * second takes its block: the third must get its token all the same.
 */

static void
test_unplanned_ahead(void **state)
{
    vm_plan_t         *p;
    vm_engine_t       *e;
    vm_engine_conf_t   conf;

    (void) state;
    vm_engine_defaults(&conf);
    conf.max_num_seqs = 8;
    conf.max_num_batched_tokens = 64;
    conf.num_gpu_blocks = 4;
    conf.max_model_len = 48;
    conf.policy = VM_POLICY_PRIORITY;
    conf.async_scheduling = 1;
    e = victim_new(&conf);

    victim_add(e, 'a', 1, 10, 4, 9, 0, NULL);
    p = victim_step(e, NULL);
    victim_is(e, p, "a");

    victim_add(e, 'b', 1, 14, 10, 1, 0, NULL);
    victim_add(e, 'c', 1, 5, 8, 1, 0, NULL);
    p = victim_step(e, p);
    victim_is(e, p, "abc");
    p = victim_step(e, p);
    victim_is(e, p, "abc");
    p = victim_step(e, p);
    victim_is(e, p, "abc");

    vm_sched_plan(e, &e->plans[0], 0);
    assert_int_equal(e->npreempted, 1);
    assert_int_equal(vm_seq(e, vm_preempted(e)[0])->cookie, 'a');
    victim_is(e, &e->plans[0], "bc");
    free(e);
}


/*
 * Children arrived together.  The last one is given up: if it were the first,
 * as in vLLM, each in turn could give itself up for ever.
 */

static void
test_children(void **state)
{
    vm_plan_t         *p;
    vm_engine_t       *e;
    vm_engine_conf_t   conf;

    (void) state;
    vm_engine_defaults(&conf);
    conf.max_num_seqs = 8;
    conf.max_num_batched_tokens = 64;
    conf.num_gpu_blocks = 142;
    conf.block_size = 1;
    conf.max_model_len = 141;
    conf.policy = VM_POLICY_PRIORITY;
    conf.reserve_full_isl = 0;
    conf.long_prefill_token_threshold = 1;
    e = victim_new(&conf);

    victim_add(e, 'a', 3, 90, 2, 1, 0, NULL);
    p = victim_step(e, NULL);
    victim_is(e, p, "abc");
    vm_sched_update(e, p, 0);

    while (e->npreempted == 0) {
        p = victim_step(e, NULL);
        vm_sched_update(e, p, 0);
    }

    assert_int_equal(vm_seq(e, vm_preempted(e)[0])->cookie, 'c');
    assert_true(vm_engine_advance(e, 1000) == VM_TIME_NONE);
    assert_int_equal(vm_engine_live(e), 0);
    free(e);
}


/*
 * A mark stands behind those who were passed over.  It must follow when they
 * leave, when slots change hands, and when somebody is put in front.
 */

static void
test_slots(void **state)
{
    vm_plan_t         *p;
    vm_handle_t        h[8];
    vm_engine_t       *e;
    vm_engine_conf_t   conf;

    (void) state;
    vm_engine_defaults(&conf);
    conf.max_num_seqs = 8;
    conf.max_num_batched_tokens = 64;
    conf.num_gpu_blocks = 65;
    conf.max_model_len = 512;
    conf.max_loras = 1;
    e = victim_new(&conf);

    victim_add(e, 'a', 1, 10, 4, 0, 1, NULL);
    victim_add(e, 'b', 1, 10, 4, 0, 2, &h[0]);
    victim_add(e, 'c', 1, 10, 4, 0, 2, &h[1]);
    victim_add(e, 'd', 1, 10, 9, 0, 0, NULL);
    p = victim_step(e, NULL);
    victim_is(e, p, "ad");
    vm_sched_update(e, p, 0);
    assert_int_equal(e->stats.deferred, 2);
    assert_int_equal(vm_seq(e, e->mark)->cookie, 'c');

    /* whom the mark stands on leaves, others come */

    victim_add(e, 'e', 1, 10, 2, 0, 1, NULL);
    victim_add(e, 'f', 1, 10, 4, 0, 3, &h[2]);
    vm_seq_find(e, h[1])->abort = VM_ABORT_QUIET;
    vm_sched_abort(e, vm_seq_find(e, h[1]), 0);
    assert_int_equal(vm_seq(e, e->mark)->cookie, 'b');

    p = victim_step(e, NULL);
    victim_is(e, p, "ade");
    vm_sched_update(e, p, 0);
    assert_int_equal(e->stats.deferred, 2);
    assert_int_equal(vm_seq(e, e->mark)->cookie, 'f');

    p = victim_step(e, NULL);
    victim_is(e, p, "ade");
    vm_sched_update(e, p, 0);
    p = victim_step(e, NULL);
    victim_is(e, p, "ad");
    vm_sched_update(e, p, 0);           /* the slot is free now */

    p = victim_step(e, NULL);
    victim_is(e, p, "db");
    vm_sched_update(e, p, 0);
    assert_int_equal(e->stats.deferred, 1);

    /* preempted ones stand in front of the mark */

    while (e->running.n) {
        vm_sched_preempt(e, vm_seq(e, e->running.tail));
    }

    p = victim_step(e, NULL);
    victim_is(e, p, "db");
    assert_int_equal(e->deferred, 1);
    free(e);
}


/* With token clocks the slots are counted, not looked for. */

static void
test_clocks(void **state)
{
    vm_handle_t        h[3];
    vm_engine_t       *e;
    vm_engine_conf_t   conf;

    (void) state;
    vm_engine_defaults(&conf);
    conf.max_loras = 2;
    conf.latency.model = VM_LATENCY_CONSTANT;
    conf.latency.ttft = 100;
    conf.latency.itl = 10;
    e = victim_new(&conf);

    victim_add(e, 'a', 1, 10, 4, 0, 1, &h[0]);
    victim_add(e, 'b', 2, 10, 4, 0, 2, &h[1]);
    victim_add(e, 'd', 1, 10, 4, 0, 3, NULL);
    vm_engine_advance(e, 100);

    assert_int_equal(e->running.n, 3);
    assert_int_equal(e->nheld, 2);
    assert_int_equal(e->deferred, 1);

    vm_engine_cancel(e, h[1], 120);
    vm_engine_advance(e, 120);
    assert_int_equal(e->deferred, 1);
    vm_engine_cancel(e, h[2], 130);
    vm_engine_advance(e, 130);
    assert_int_equal(e->deferred, 0);
    assert_int_equal(e->running.n, 2);
    assert_int_equal(e->nheld, 2);

    assert_true(vm_engine_advance(e, 10000) == VM_TIME_NONE);
    assert_int_equal(e->nheld, 0);
    assert_int_equal(vm_engine_live(e), 0);
    free(e);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_unplanned_ahead),
        cmocka_unit_test(test_children),
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_clocks)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
