/*
 * The engine's contract: submitting, time, events, ends, pauses.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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


static vm_engine_conf_t
engine_conf(void)
{
    vm_engine_conf_t  conf;

    vm_engine_defaults(&conf);
    conf.max_live = 64;
    conf.owners = 2;
    conf.latency.model = VM_LATENCY_CONSTANT;
    conf.latency.ttft = 20;
    conf.latency.itl = 5;

    return conf;
}


/* Everything that is there for an owner; the last event is v[n - 1]. */

static size_t
engine_all(vm_engine_t *e, uint32_t owner, vm_event_t *v)
{
    return vm_engine_collect(e, owner, v, 256);
}


static void
test_children(void **state)
{
    uint32_t              i, last[3];
    size_t                n;
    vm_handle_t           h[3];
    vm_event_t            v[256];
    vm_engine_t          *e;
    vm_engine_seq_t       q[3];
    vm_engine_conf_t      conf;
    const vm_stats_t     *s;
    vm_engine_request_t   r;

    (void) state;
    conf = engine_conf();
    e = engine_new(&conf);
    s = vm_engine_stats(e);

    memset(q, 0, sizeof(q));
    memset(&r, 0, sizeof(r));

    for (i = 0; i < 3; i++) {
        q[i].cookie = i;
        q[i].eos_at = i == 1 ? 1 : VM_NEVER;
        q[i].eos_finish = i == 1 ? VM_FINISH_REPETITION : 0;
        q[i].string_at = i == 2 ? 2 : VM_NEVER;
    }

    r.prompt_tokens = 10;
    r.max_tokens = 5;
    r.n = 3;
    r.seqs = q;
    assert_int_equal(vm_engine_submit(e, &r, h, 0), VM_OK);
    assert_int_equal(vm_engine_live(e), 3);
    assert_int_equal(vm_engine_live_of(e, 0), 3);

    vm_engine_advance(e, 30);
    assert_int_equal(vm_hist_count(&s->request_params_n), 0);
    assert_int_equal(vm_engine_live(e), 2);

    /* over for its client at 30, for the engine when its next is due */

    n = engine_all(e, 0, v);
    assert_int_equal(n, 8);
    assert_int_equal(v[7].finish, VM_FINISH_STOP);
    assert_int_equal(v[7].cookie, 2);
    vm_engine_advance(e, 35);
    assert_int_equal(vm_engine_live(e), 1);
    assert_int_equal(s->generation_tokens, 9);

    vm_engine_advance(e, 1000);
    n = engine_all(e, 0, v);
    assert_int_equal(n, 2);
    memset(last, 0, sizeof(last));

    assert_int_equal(s->finished[VM_FINISH_LENGTH], 1);
    assert_int_equal(s->finished[VM_FINISH_REPETITION], 1);
    assert_int_equal(s->finished[VM_FINISH_STOP], 1);
    assert_int_equal(vm_hist_count(&s->request_params_n), 1);
    assert_true(s->request_params_n.sum == 3);
    assert_true(s->request_max_num_generation_tokens.sum == 5);
    assert_int_equal(vm_hist_count(&s->e2e_request_latency), 3);
    assert_int_equal(vm_engine_progress(e, h[0], last, last + 1), VM_ERROR);
    free(e);
}


static void
test_ends(void **state)
{
    size_t              n;
    uint32_t            prompt, output;
    vm_handle_t         a, b, c;
    vm_event_t          v[256];
    vm_engine_t        *e;
    vm_engine_conf_t    conf;
    const vm_stats_t   *s;

    (void) state;
    conf = engine_conf();
    e = engine_new(&conf);
    s = vm_engine_stats(e);

    a = engine_add(e, 0, 10, 100, 0);
    b = engine_add(e, 1, 11, 100, 0);
    c = engine_add(e, 0, 12, 100, 0);
    vm_engine_advance(e, 42);
    assert_int_equal(vm_engine_progress(e, a, &prompt, &output), VM_OK);
    assert_int_equal(prompt, 10);
    assert_int_equal(output, 5);

    /* a client that goes hears nothing more, not even of what was due */

    vm_engine_cancel(e, a, 43);
    n = engine_all(e, 0, v);
    assert_int_equal(n, 5);
    assert_int_equal(v[0].cookie, 12);
    assert_int_equal(vm_engine_progress(e, a, &prompt, &output), VM_ERROR);
    vm_engine_cancel(e, a, 44);
    assert_int_equal(vm_engine_live(e), 2);
    assert_int_equal(s->finished[VM_FINISH_ABORT], 0);

    /* an administrator's abort is heard; counted or not */

    vm_engine_abort(e, c, 0, 45);
    n = engine_all(e, 0, v);
    assert_int_equal(v[n - 1].finish, VM_FINISH_ABORT);
    assert_int_equal(v[n - 1].count, 0);
    assert_int_equal(s->finished[VM_FINISH_ABORT], 0);
    assert_int_equal(vm_hist_count(&s->e2e_request_latency), 0);

    vm_engine_abort_all(e, 1, 46);
    n = engine_all(e, 1, v);
    assert_true(v[n - 1].handle == b);
    assert_int_equal(v[n - 1].finish, VM_FINISH_ABORT);
    assert_int_equal(s->finished[VM_FINISH_ABORT], 1);
    assert_int_equal(vm_hist_count(&s->request_params_n), 1);

    /* an owner that died */

    engine_add(e, 1, 11, 100, 50);
    engine_add(e, 1, 11, 1, 50);
    c = engine_add(e, 0, 12, 100, 50);
    vm_engine_advance(e, 90);
    vm_engine_release(e, 1, 91);
    assert_int_equal(vm_engine_live(e), 1);
    assert_int_equal(vm_engine_live_of(e, 1), 0);
    assert_int_equal(engine_all(e, 1, v), 0);
    vm_engine_advance(e, 91);
    assert_int_equal(s->running, 1);

    vm_engine_cancel(e, c, 92);
    vm_engine_advance(e, 92);
    assert_int_equal(s->running, 0);
    assert_int_equal(s->used_blocks, 0);
    assert_int_equal(s->submitted, s->ended);
    free(e);
}


/* With steps, an abort takes effect when the step ends: that token is lost. */

static void
test_step_abort(void **state)
{
    FILE               *f;
    char                err[200];
    size_t              n;
    vm_time_t           end;
    vm_handle_t         h;
    vm_event_t          v[256];
    vm_engine_t        *e;
    vm_engine_conf_t    conf;

    static char  text[1 << 16];

    (void) state;
    conf = engine_conf();
    f = fopen("profiles/a100/llama-2-7b-tp1.json", "r");
    assert_non_null(f);
    n = fread(text, 1, sizeof(text), f);
    fclose(f);
    vm_latency_model(&conf.latency, "profile", err, sizeof(err));
    assert_int_equal(vm_profile_parse(&conf.latency.profile, text, n, err,
                                      sizeof(err)), VM_OK);
    e = engine_new(&conf);

    h = engine_add(e, 0, 10, 100, 0);
    end = vm_engine_advance(e, 0);
    assert_true(end > VM_MSEC && end < VM_NSEC);
    end = vm_engine_advance(e, end);
    vm_engine_abort(e, h, 1, end - 1000);
    assert_int_equal(vm_engine_live(e), 1);
    assert_int_equal(engine_all(e, 0, v), 1);
    assert_true(vm_engine_advance(e, end - 1) == end);
    assert_true(vm_engine_advance(e, end) == VM_TIME_NONE);
    assert_int_equal(engine_all(e, 0, v), 1);
    assert_int_equal(v[0].finish, VM_FINISH_ABORT);
    assert_int_equal(v[0].due, end);
    assert_int_equal(vm_engine_stats(e)->generation_tokens, 1);
    assert_int_equal(vm_engine_stats(e)->running, 0);
    free(e);
}


static void
test_pause(void **state)
{
    size_t              n;
    vm_event_t          v[256];
    vm_engine_t        *e;
    vm_engine_conf_t    conf;
    const vm_stats_t   *s;

    (void) state;
    conf = engine_conf();
    e = engine_new(&conf);
    s = vm_engine_stats(e);

    /* no admissions; who arrives is in no gauge until somebody looks */

    vm_engine_pause(e, VM_PAUSE_WAIT, 0);
    engine_add(e, 0, 10, 2, 5);
    assert_true(vm_engine_advance(e, 100) == VM_TIME_NONE);
    assert_int_equal(s->waiting, 0);
    assert_int_equal(vm_engine_live(e), 1);
    vm_engine_pause(e, VM_PAUSE_NONE, 200);
    assert_int_equal(vm_engine_advance(e, 200), 220);
    assert_int_equal(s->running, 1);

    /* nothing is planned, what is under way comes */

    vm_engine_pause(e, VM_PAUSE_KEEP, 210);
    assert_true(vm_engine_advance(e, 1000) == VM_TIME_NONE);
    assert_int_equal(engine_all(e, 0, v), 1);
    assert_int_equal(v[0].due, 220);
    assert_int_equal(vm_engine_reset_prefix_cache(e, 0, 1001), 0);
    vm_engine_pause(e, VM_PAUSE_NONE, 2000);
    assert_int_equal(vm_engine_advance(e, 2000), 2005);
    vm_engine_advance(e, 3000);
    n = engine_all(e, 0, v);
    assert_int_equal(n, 1);
    assert_int_equal(v[0].finish, VM_FINISH_LENGTH);
    assert_int_equal(vm_engine_reset_prefix_cache(e, 0, 3000), 1);
    free(e);
}


static void
test_rest(void **state)
{
    vm_event_t          v[256];
    vm_engine_t        *e;
    vm_engine_conf_t    conf;
    const vm_stats_t   *s;

    (void) state;
    conf = engine_conf();
    e = engine_new(&conf);
    s = vm_engine_stats(e);

    assert_true(vm_engine_at_rest(e));
    engine_add(e, 0, 10, 3, 0);
    vm_engine_advance(e, 0);
    assert_false(vm_engine_at_rest(e));

    /* what is under way comes, then the blocks go; the gauges stay */

    vm_engine_pause(e, VM_PAUSE_KEEP, 1);
    vm_engine_reset_at_rest(e, 1);
    assert_false(vm_engine_at_rest(e));
    assert_int_equal(s->preemptions, 0);
    assert_true(vm_engine_advance(e, 1000) == VM_TIME_NONE);
    assert_true(vm_engine_at_rest(e));
    assert_int_equal(s->preemptions, 1);
    assert_int_equal(s->running, 1);
    assert_true(engine_all(e, 0, v) > 0);

    /* one that waits for the last request is not there yet */

    vm_engine_pause(e, VM_PAUSE_NONE, 2000);
    vm_engine_advance(e, 2000);
    vm_engine_pause(e, VM_PAUSE_WAIT, 2001);
    assert_false(vm_engine_at_rest(e));
    vm_engine_advance(e, 9000);
    assert_true(vm_engine_at_rest(e));
    (void) engine_all(e, 0, v);
    assert_int_equal(v[0].preemptions, 1);
    free(e);
}


static void
test_cache(void **state)
{
    uint32_t              i, k;
    uint64_t              hashes[8];
    vm_handle_t           h;
    vm_event_t            v[256];
    vm_engine_t          *e;
    vm_engine_seq_t       q;
    vm_engine_conf_t      conf;
    const vm_stats_t     *s;
    vm_engine_request_t   r;

    static const uint32_t  cached[] = { 0, 48, 0, 0, 48 };

    (void) state;
    conf = engine_conf();
    e = engine_new(&conf);
    s = vm_engine_stats(e);

    for (i = 0; i < 8; i++) {
        hashes[i] = vm_block_hash(i ? hashes[i - 1] : 0, &i, 1, 0);
    }

    for (i = 0; i < 5; i++) {
        memset(&q, 0, sizeof(q));
        memset(&r, 0, sizeof(r));
        q.eos_at = VM_NEVER;
        q.string_at = VM_NEVER;
        q.hashes = hashes;
        q.nhashes = 4;
        r.prompt_tokens = 64;               /* the last block is computed */
        r.max_tokens = 2;
        r.no_prefix_lookup = i == 2;
        r.arrival = i * 100;
        r.n = 1;
        r.seqs = &q;

        if (i == 3) {
            assert_int_equal(vm_engine_reset_prefix_cache(e, 0, 300), 1);
        }

        assert_int_equal(vm_engine_submit(e, &r, &h, i * 100), VM_OK);
        vm_engine_advance(e, i * 100 + 99);
        k = (uint32_t) engine_all(e, 0, v);
        assert_int_equal(k, 2);
        assert_int_equal(v[1].cached_tokens, cached[i]);
    }

    assert_int_equal(s->prefix_queries, 4 * 64);
    assert_int_equal(s->prefix_hits, 96);
    assert_int_equal(s->prompt_tokens, 5 * 64);
    assert_int_equal(s->prompt_cached, 96);
    assert_int_equal(s->prompt_computed, 5 * 64 - 96);
    free(e);
}


static void
test_limits(void **state)
{
    uint32_t              i;
    vm_handle_t           h;
    vm_event_t            v[256];
    vm_engine_t          *e;
    vm_engine_seq_t       q;
    vm_engine_conf_t      conf;
    vm_engine_request_t   r;

    (void) state;
    conf = engine_conf();
    conf.max_num_seqs = 1;
    conf.max_waiting = 2;
    conf.max_live = 4;
    e = engine_new(&conf);

    memset(&q, 0, sizeof(q));
    memset(&r, 0, sizeof(r));
    q.eos_at = VM_NEVER;
    q.string_at = VM_NEVER;
    r.prompt_tokens = 10;
    r.max_tokens = 100;
    r.n = 1;
    r.seqs = &q;

    for (i = 0; i < 4; i++) {
        assert_int_equal(vm_engine_submit(e, &r, &h, i),
                         i < 3 ? VM_OK : VM_DECLINED);
    }

    assert_int_equal(vm_engine_stats(e)->rejected, 1);

    /* an event that is not collected keeps its slot */

    vm_engine_abort_all(e, 0, 10);
    assert_int_equal(vm_engine_live(e), 0);
    assert_int_equal(vm_engine_submit(e, &r, &h, 20), VM_OK);
    vm_engine_advance(e, 20);
    assert_int_equal(vm_engine_submit(e, &r, &h, 21), VM_DECLINED);
    assert_int_equal(engine_all(e, 0, v), 3);
    assert_int_equal(vm_engine_submit(e, &r, &h, 22), VM_OK);

    r.prompt_tokens = conf.max_model_len;
    assert_int_equal(vm_engine_submit(e, &r, &h, 23), VM_ERROR);
    r.prompt_tokens = 0;
    assert_int_equal(vm_engine_submit(e, &r, &h, 23), VM_ERROR);
    free(e);
}


/* Who does not collect loses the steps between, no token and no end. */

static void
test_late_owner(void **state)
{
    size_t              n, i;
    uint64_t            tokens;
    vm_event_t          v[256];
    vm_engine_t        *e;
    vm_engine_conf_t    conf;

    (void) state;
    conf = engine_conf();
    conf.max_live = 2;
    e = engine_new(&conf);

    engine_add(e, 0, 10, 3000, 0);
    engine_add(e, 0, 11, 3000, 0);
    vm_engine_advance(e, 1000000);
    tokens = 0;

    do {
        n = engine_all(e, 0, v);

        for (i = 0; i < n; i++) {
            tokens += v[i].count;
        }
    } while (n == 256);

    assert_int_equal(tokens, 6000);
    assert_int_equal(v[n - 1].finish, VM_FINISH_LENGTH);
    assert_int_equal(v[n - 1].due, 20 + 2999 * 5);
    free(e);
}


static void
test_lora(void **state)
{
    uint32_t              i;
    vm_handle_t           h[3];
    vm_engine_t          *e;
    vm_engine_seq_t       q;
    vm_engine_conf_t      conf;
    const vm_stats_t     *s;
    vm_engine_request_t   r;

    (void) state;
    conf = engine_conf();
    conf.max_loras = 1;
    e = engine_new(&conf);
    s = vm_engine_stats(e);

    memset(&q, 0, sizeof(q));
    memset(&r, 0, sizeof(r));
    q.eos_at = VM_NEVER;
    q.string_at = VM_NEVER;
    r.prompt_tokens = 10;
    r.max_tokens = 3;
    r.n = 1;
    r.seqs = &q;

    for (i = 0; i < 3; i++) {
        r.lora = i < 2 ? 7 + i : 0;
        assert_int_equal(vm_engine_submit(e, &r, &h[i], 0), VM_OK);
    }

    /* the second adapter waits, the base model goes past it */

    vm_engine_advance(e, 0);
    assert_int_equal(s->running, 2);
    assert_int_equal(s->waiting, 1);
    assert_int_equal(s->deferred, 1);
    assert_int_equal(s->nlora_sets, 1);
    assert_int_equal(s->lora_sets[0].n, 2);
    assert_int_equal(s->lora_sets[0].ids[0], 7);

    vm_engine_advance(e, 30);
    assert_int_equal(s->running, 1);
    assert_int_equal(s->deferred, 0);
    assert_int_equal(s->nlora_sets, 2);
    vm_engine_advance(e, 100);
    assert_int_equal(s->nlora_sets, 3);
    assert_int_equal(s->lora_sets[2].n, 0);
    free(e);
}


static void
test_remote(void **state)
{
    vm_handle_t           h;
    vm_event_t            v[256];
    vm_engine_t          *e;
    vm_engine_seq_t       q;
    vm_engine_conf_t      conf;
    const vm_stats_t     *s;
    vm_engine_request_t   r;

    (void) state;
    conf = engine_conf();
    conf.latency.model = VM_LATENCY_PER_TOKEN;
    conf.latency.overhead = 3;
    conf.latency.per_token = 10;
    conf.latency.kv_transfer_per_token = 2;
    e = engine_new(&conf);
    s = vm_engine_stats(e);

    memset(&q, 0, sizeof(q));
    memset(&r, 0, sizeof(r));
    q.eos_at = VM_NEVER;
    q.string_at = VM_NEVER;
    r.prompt_tokens = 100;
    r.max_tokens = 2;
    r.remote_prefill = 1;
    r.n = 1;
    r.seqs = &q;
    assert_int_equal(vm_engine_submit(e, &r, &h, 0), VM_OK);

    /* 100 x 2 for the transfer, then its last token is computed */

    assert_int_equal(vm_engine_advance(e, 0), 200);
    assert_int_equal(s->waiting, 1);
    assert_int_equal(s->deferred, 1);
    assert_int_equal(s->used_blocks, 7);
    assert_int_equal(vm_engine_advance(e, 200), 213);
    vm_engine_advance(e, 1000);
    assert_int_equal(engine_all(e, 0, v), 2);
    assert_int_equal(v[0].due, 213);
    assert_int_equal(s->external_queries, 100);
    assert_int_equal(s->external_hits, 100);
    assert_int_equal(s->prompt_external, 100);
    assert_int_equal(s->prompt_computed, 0);
    free(e);
}


static void
test_balance(void **state)
{
    uint32_t           i, turn;
    vm_engine_t       *e[3];
    vm_engine_conf_t   conf;

    (void) state;
    conf = engine_conf();
    turn = 0;

    for (i = 0; i < 3; i++) {
        e[i] = engine_new(&conf);
    }

    /* equal ones in turn */

    for (i = 0; i < 6; i++) {
        assert_int_equal(vm_engine_balance(e, 3, &turn), i % 3);
    }

    engine_add(e[0], 0, 10, 10, 0);
    engine_add(e[1], 0, 10, 10, 0);
    assert_int_equal(vm_engine_balance(e, 3, &turn), 2);
    assert_int_equal(vm_engine_balance(e, 3, &turn), 2);

    for (i = 0; i < 3; i++) {
        free(e[i]);
    }
}


/* What is pooled ends with its prompt, in chunks too, and may fill it. */

static void
test_pooling(void **state)
{
    vm_event_t           v[4];
    vm_handle_t          h;
    vm_engine_t         *e;
    vm_engine_seq_t      q;
    vm_engine_conf_t     conf;
    const vm_stats_t    *s;
    vm_engine_request_t  r;

    (void) state;
    vm_engine_defaults(&conf);
    conf.max_model_len = 256;
    conf.max_num_seqs = 8;
    conf.max_num_batched_tokens = 100;
    conf.latency.model = VM_LATENCY_CONSTANT;
    conf.latency.ttft = 10;
    conf.latency.itl = 10;
    e = engine_new(&conf);

    memset(&q, 0, sizeof(q));
    memset(&r, 0, sizeof(r));
    q.eos_at = VM_NEVER;
    q.string_at = VM_NEVER;
    r.prompt_tokens = 256;
    r.max_tokens = 1;
    r.n = 1;
    r.seqs = &q;
    assert_int_equal(vm_engine_submit(e, &r, &h, 0), VM_ERROR);
    r.pooling = 1;
    assert_int_equal(vm_engine_submit(e, &r, &h, 0), VM_OK);

    assert_true(vm_engine_advance(e, 1000) == VM_TIME_NONE);
    assert_int_equal(vm_engine_collect(e, 0, v, 4), 1);
    assert_int_equal(v[0].count, 0);
    assert_int_equal(v[0].finish, VM_FINISH_STOP);
    assert_int_equal(vm_engine_live(e), 0);

    s = vm_engine_stats(e);
    assert_int_equal(s->used_blocks, 0);
    assert_int_equal(s->prompt_tokens, 256);
    assert_int_equal(s->generation_tokens, 0);
    assert_int_equal(s->finished[VM_FINISH_STOP], 1);
    assert_int_equal(vm_hist_count(&s->request_generation_tokens), 1);
    assert_int_equal(vm_hist_count(&s->request_params_max_tokens), 0);
    assert_int_equal(vm_hist_count(&s->time_to_first_token), 1);
    free(e);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_constant),
        cmocka_unit_test(test_children),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_step_abort),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_rest),
        cmocka_unit_test(test_cache),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_late_owner),
        cmocka_unit_test(test_lora),
        cmocka_unit_test(test_remote),
        cmocka_unit_test(test_pooling),
        cmocka_unit_test(test_balance)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
