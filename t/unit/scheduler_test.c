/*
 * Properties of the scheduler over random workloads: nothing leaks, no limit
 * is exceeded, order is kept, everything ends, and the result does not depend
 * on when anybody looks.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../../src/base/rand.h"
#include "../../src/engine/kv.h"
#include "../../src/engine/scheduler.h"


#define REQUESTS  160
#define CHILDREN  3
#define EVENTS    8192

typedef struct {
    uint64_t             r;
    uint64_t             n;
} dice_t;

typedef struct {
    vm_time_t            at;
    vm_time_t            cancel;        /* VM_TIME_NONE */
    vm_engine_request_t  request;
    vm_engine_seq_t      seqs[CHILDREN];
    uint64_t             hashes[CHILDREN][128];
    vm_handle_t          handles[CHILDREN];
} job_t;

typedef struct {
    uint32_t     tokens;
    uint32_t     cached;
    uint32_t     preemptions;
    uint32_t     finish;
    vm_time_t    scheduled;
    vm_time_t    first_token;
    vm_time_t    last;
} outcome_t;

static job_t      jobs[REQUESTS];
static outcome_t  outcomes[4][REQUESTS * CHILDREN];


static uint32_t
roll(dice_t *d, uint32_t n)
{
    return (uint32_t) (vm_rand_at(d->r, d->n++) % n);
}


static void
read_profile(vm_engine_conf_t *c, const char *name)
{
    char     err[200];
    FILE    *f;
    size_t   n;

    static char  text[1 << 16];

    f = fopen(name, "r");
    assert_non_null(f);
    n = fread(text, 1, sizeof(text), f);
    fclose(f);
    assert_int_equal(vm_profile_parse(&c->latency.profile, text, n, err,
                                      sizeof(err)), VM_OK);
}


static void
random_conf(dice_t *d, vm_engine_conf_t *c)
{
    char  err[200];

    static const char *const  models[] = {
        "none", "constant", "per_token", "capacity", "profile", "profile"
    };

    vm_engine_defaults(c);
    c->max_num_seqs = 1 + roll(d, 24);
    c->block_size = 1u << roll(d, 6);
    c->max_model_len = 200 + roll(d, 400);
    c->max_num_batched_tokens = 24 + roll(d, 400);
    c->num_gpu_blocks = c->max_model_len / c->block_size + 2
                        + roll(d, 2000 / c->block_size + 1);
    c->max_loras = roll(d, 3);
    c->policy = roll(d, 3) ? VM_POLICY_FCFS : VM_POLICY_PRIORITY;
    c->watermark = roll(d, 2) ? 0 : 0.05;
    c->prefix_caching = roll(d, 4) != 0;
    c->chunked_prefill = roll(d, 4) != 0;
    c->reserve_full_isl = roll(d, 3) != 0;
    c->async_scheduling = roll(d, 2);
    c->long_prefill_token_threshold = roll(d, 3) ? 0 : 16 + roll(d, 64);
    c->max_live = REQUESTS * CHILDREN;
    c->owners = 3;
    c->seed = roll(d, 1000);

    if (!c->chunked_prefill) {
        c->max_num_batched_tokens = vm_max(c->max_num_batched_tokens,
                                           c->max_model_len);
    }

    assert_int_equal(vm_latency_model(&c->latency, models[roll(d, 6)], err,
                                      sizeof(err)), VM_OK);
    c->latency.ttft = 3 * VM_MSEC;
    c->latency.itl = 700 * VM_USEC;
    c->latency.per_token = 12345;
    c->latency.load_factor = 1.5;
    c->latency.kv_transfer_per_token = roll(d, 2) ? 0 : 5000;

    if (c->latency.model != VM_LATENCY_CAPACITY && roll(d, 2)) {
        c->latency.jitter.kind = VM_JITTER_LOGNORMAL;
        c->latency.jitter.value = 0.3;
    }

    if (c->latency.model == VM_LATENCY_PROFILE) {
        read_profile(c, "profiles/h100/llama-3.1-8b-tp1.json");
    }

    assert_null(vm_engine_check(c));
}


static void
random_jobs(dice_t *d, const vm_engine_conf_t *c)
{
    uint32_t    i, k, b, words[3], shared;
    uint64_t    h;
    vm_time_t   at;
    job_t      *j;

    at = 0;

    for (i = 0; i < REQUESTS; i++) {
        j = &jobs[i];
        memset(j, 0, sizeof(job_t));

        at += roll(d, 4) ? roll(d, 6000) * 1000 : 0;
        j->at = at;
        j->cancel = roll(d, 6) ? VM_TIME_NONE
                               : at + roll(d, 100) * 1000 * 1000 + 1;

        j->request.owner = roll(d, 3);
        j->request.prompt_tokens = 1 + roll(d, c->max_model_len - 1);

        if (roll(d, 2)) {
            j->request.prompt_tokens = vm_min(j->request.prompt_tokens,
                                              1 + roll(d, 60));
        }

        j->request.max_tokens = 1 + roll(d, 60);
        j->request.priority = roll(d, 3);
        j->request.lora = c->max_loras ? roll(d, 4) : 0;
        j->request.arrival = at;
        j->request.no_prefix_lookup = roll(d, 9) == 0;
        j->request.remote_prefill = roll(d, 9) == 0;
        j->request.n = roll(d, 5) ? 1 : 1 + roll(d, CHILDREN);
        j->request.seqs = j->seqs;
        shared = roll(d, 200);

        for (k = 0; k < j->request.n; k++) {
            j->seqs[k].cookie = i * CHILDREN + k;
            j->seqs[k].eos_at = roll(d, 2) ? VM_NEVER : roll(d, 60);
            j->seqs[k].string_at = roll(d, 4) ? VM_NEVER : roll(d, 60);
            j->seqs[k].hashes = j->hashes[k];
            h = 0;

            for (b = 0; b < 128; b++) {
                words[0] = (b + 1) * c->block_size
                           <= vm_min(shared, j->request.prompt_tokens);
                words[1] = words[0] ? 0 : i * CHILDREN
                           + ((b + 1) * c->block_size
                              <= j->request.prompt_tokens ? 0 : k);
                words[2] = b;
                h = vm_block_hash(h, words, 3, j->request.lora);
                j->hashes[k][b] = h;
            }

            b = (j->request.prompt_tokens + j->request.max_tokens)
                / c->block_size;
            j->seqs[k].nhashes = vm_min(b, 128);
        }
    }
}


/* Every block is free, or held as often as it is counted. */

static void
check_blocks(vm_engine_t *e)
{
    uint32_t         i, k, n, *refs;
    const vm_seq_t  *s;

    refs = calloc(e->conf.num_gpu_blocks, sizeof(uint32_t));
    assert_non_null(refs);

    for (i = 0; i < e->conf.max_live; i++) {
        s = vm_seq(e, i);

        if (s->state == VM_SEQ_RUNNING || s->state == VM_SEQ_REMOTE) {
            for (k = 0; k < s->nblocks; k++) {
                refs[vm_kv_block(e, s, k)]++;
            }

            assert_true((uint64_t) s->nblocks * e->conf.block_size
                        >= s->computed);
        }
    }

    assert_int_equal(refs[0], 0);

    for (i = 1, n = 0; i < e->conf.num_gpu_blocks; i++) {
        assert_int_equal(refs[i], vm_block(e, i)->ref);
        n += refs[i] == 0;
    }

    assert_int_equal(n, e->free_blocks);

    for (i = vm_block(e, 0)->next, n = 0; i; i = vm_block(e, i)->next) {
        assert_int_equal(vm_block(e, i)->ref, 0);
        assert_int_equal(vm_block(e, vm_block(e, i)->next)->prev, i);
        n++;
    }

    assert_int_equal(n, e->free_blocks);
    free(refs);
}


static void
check_plan(vm_engine_t *e, const vm_plan_t *p)
{
    uint32_t             i, k, nloras, loras[64], tokens;
    const vm_seq_t      *s;
    const vm_planned_t  *planned;

    planned = vm_planned(e, p);
    tokens = 0;
    nloras = 0;

    for (i = 0; i < p->n; i++) {
        s = vm_seq(e, planned[i].seq);
        tokens += planned[i].tokens;
        assert_true(planned[i].tokens > 0);

        for (k = 0; k < nloras && loras[k] != s->lora; k++) { /* void */ }

        if (s->gen == planned[i].gen && s->lora && k == nloras) {
            loras[nloras++] = s->lora;
        }
    }

    assert_true(tokens <= e->conf.max_num_batched_tokens);
    assert_true(p->n <= e->conf.max_num_seqs);
    assert_true(e->conf.max_loras == 0 || nloras <= e->conf.max_loras);
}


static void
check(vm_engine_t *e)
{
    assert_true(e->running.n <= e->conf.max_num_seqs);
    check_blocks(e);

    if (e->stepping) {
        check_plan(e, &e->plans[e->current]);
    }

    if (e->planned) {
        check_plan(e, &e->plans[e->current ^ 1]);
    }
}


static void
collect(vm_engine_t *e, outcome_t *out)
{
    size_t      n, i, k;
    outcome_t  *o;

    static vm_event_t  v[EVENTS];

    for (k = 0; k < e->conf.owners; k++) {
        do {
            n = vm_engine_collect(e, (uint32_t) k, v, EVENTS);

            for (i = 0; i < n; i++) {
                o = &out[v[i].cookie];
                assert_int_equal(o->finish, 0);
                assert_int_equal(o->tokens, v[i].first);
                assert_true(v[i].due >= o->last);
                assert_true(i == 0 || v[i].due >= v[i - 1].due);
                o->tokens += v[i].count;
                o->last = v[i].due;
                o->finish = v[i].finish;
                o->cached = v[i].cached_tokens;
                o->scheduled = v[i].scheduled;
                o->first_token = v[i].first_token;
                o->preemptions = v[i].preemptions;
            }
        } while (n == EVENTS);
    }
}


/*
 * `eager`: looks at every step and often in between; else nobody does until
 * the end.
 */

static void
run(const vm_engine_conf_t *conf, vm_stats_t *stats, outcome_t *out,
    int eager)
{
    void        *mem;
    uint32_t     i, k, next_job, left;
    vm_time_t    next, at, first;
    vm_engine_t *e;

    mem = NULL;
    assert_int_equal(posix_memalign(&mem, 64, vm_engine_footprint(conf)), 0);
    memset(mem, 0x5a, vm_engine_footprint(conf));
    e = vm_engine_init(mem, conf);
    memset(out, 0, REQUESTS * CHILDREN * sizeof(outcome_t));

    next_job = 0;
    left = 1;
    next = VM_TIME_NONE;

    for ( ;; ) {

        /* what comes next: a job, or somebody who leaves */

        at = next_job < REQUESTS ? jobs[next_job].at : VM_TIME_NONE;
        left = VM_NONE;

        for (i = 0; i < next_job; i++) {
            if (jobs[i].cancel < at) {
                at = jobs[i].cancel;
                left = i;
            }
        }

        if (at == VM_TIME_NONE) {
            break;
        }

        while (eager && next < at) {
            first = next;
            next = vm_engine_advance(e, next);
            check(e);

            if (eager > 1) {
                collect(e, out);

                if (next != VM_TIME_NONE && next - first > 2) {
                    assert_true(vm_engine_advance(e, vm_min(at - 1, first
                                + (next - first) / 2)) == next);
                }
            }
        }

        if (left != VM_NONE) {
            for (k = 0; k < jobs[left].request.n; k++) {
                vm_engine_cancel(e, jobs[left].handles[k], at);
            }

            jobs[left].cancel = VM_TIME_NONE;

        } else {
            assert_int_equal(vm_engine_submit(e, &jobs[next_job].request,
                                              jobs[next_job].handles, at),
                             VM_OK);
            next_job++;
        }

        next = vm_min(next, at);
    }

    while (eager && next != VM_TIME_NONE) {
        next = vm_engine_advance(e, next);
        check(e);

        if (eager > 1) {
            collect(e, out);
        }
    }

    assert_true(vm_engine_advance(e, 1000000 * VM_NSEC) == VM_TIME_NONE);
    check(e);
    collect(e, out);

    assert_int_equal(vm_engine_live(e), 0);
    assert_int_equal(e->free_blocks, conf->num_gpu_blocks - 1);
    assert_int_equal(e->slots_left, conf->max_live);
    assert_int_equal(e->chunks_left, e->nchunks);
    assert_int_equal(e->silent, conf->max_live);
    assert_int_equal(e->waiting_tokens, 0);
    assert_int_equal(e->nlora, 0);
    assert_int_equal(e->deferred, 0);

    *stats = *vm_engine_stats(e);
    assert_int_equal(stats->running, 0);
    assert_int_equal(stats->waiting, 0);
    assert_int_equal(stats->used_blocks, 0);
    assert_int_equal(stats->submitted, stats->ended);
    assert_int_equal(stats->prompt_tokens, stats->prompt_computed
                     + stats->prompt_cached + stats->prompt_external);
    assert_int_equal(stats->finished[VM_FINISH_STOP]
                     + stats->finished[VM_FINISH_LENGTH],
                     vm_hist_count(&stats->e2e_request_latency));
    assert_int_equal(vm_hist_count(&stats->time_to_first_token)
                     + vm_hist_count(&stats->inter_token_latency),
                     stats->generation_tokens);
    free(e);
}


static void
check_order(const vm_engine_conf_t *c, const outcome_t *out)
{
    uint32_t    i;
    vm_time_t   last;

    if (c->policy != VM_POLICY_FCFS || c->max_loras) {
        return;
    }

    last = 0;

    for (i = 0; i < REQUESTS * CHILDREN; i++) {

        /* those whose KV comes from elsewhere step aside */

        if (out[i].finish && !jobs[i / CHILDREN].request.remote_prefill) {
            assert_true(out[i].scheduled >= last);
            last = out[i].scheduled;
        }
    }
}


static void
test_properties(void **state)
{
    uint32_t           seed, i, k;
    dice_t             d;
    job_t             *j;
    vm_stats_t         stats[3];
    vm_engine_conf_t   conf;

    static job_t  kept[REQUESTS];

    (void) state;

    for (seed = 1; seed <= 60; seed++) {
        d.r = seed;
        d.n = 0;
        random_conf(&d, &conf);
        random_jobs(&d, &conf);
        memcpy(kept, jobs, sizeof(jobs));

        for (k = 0; k < 3; k++) {
            memcpy(jobs, kept, sizeof(jobs));
            run(&conf, &stats[k], outcomes[k], (int) k);
        }

        memcpy(jobs, kept, sizeof(jobs));

        for (k = 1; k < 3; k++) {
            assert_memory_equal(&stats[0], &stats[k], sizeof(vm_stats_t));
        }

        for (i = 0; i < REQUESTS * CHILDREN; i++) {
            j = &jobs[i / CHILDREN];

            if (j->cancel != VM_TIME_NONE || i % CHILDREN >= j->request.n) {
                continue;
            }

            assert_memory_equal(&outcomes[0][i], &outcomes[1][i],
                                sizeof(outcome_t));
            assert_memory_equal(&outcomes[0][i], &outcomes[2][i],
                                sizeof(outcome_t));
            assert_int_not_equal(outcomes[0][i].finish, 0);

            /* it ends where it must */

            k = vm_min(j->request.max_tokens,
                       conf.max_model_len - j->request.prompt_tokens);
            k = j->seqs[i % CHILDREN].eos_at < k
                ? j->seqs[i % CHILDREN].eos_at + 1 : k;
            k = j->seqs[i % CHILDREN].string_at < k
                ? j->seqs[i % CHILDREN].string_at + 1 : k;
            assert_int_equal(outcomes[0][i].tokens, k);
        }

        check_order(&conf, outcomes[0]);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_properties)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
