/*
 * Running a trace: submit at each arrival, advance from step to step.
 */

#include <stdlib.h>
#include "simulate.h"
#include "perfetto.h"
#include "../src/engine/kv.h"
#include "../src/engine/scheduler.h"


#define VM_SIMULATE_EVENTS  4096


typedef struct {
    vm_simulation_t  *s;
    vm_engine_t      *e;
    uint32_t         *order;            /* of arrival */
    uint64_t         *hashes;
    vm_time_t        *preempted;        /* since when; perfetto only */
    uint64_t          step;             /* that was drawn last */
    uint32_t          ended;
    uint32_t          shown;            /* per mille */
    vm_event_t        events[VM_SIMULATE_EVENTS];
} vm_simulate_t;


static const vm_workload_t  *vm_simulate_sorted;


static int
vm_simulate_before(const void *a, const void *b)
{
    uint32_t          i, k;
    const vm_wreq_t  *q;

    q = vm_simulate_sorted->requests;
    i = *(const uint32_t *) a;
    k = *(const uint32_t *) b;

    if (q[i].arrival != q[k].arrival) {
        return q[i].arrival < q[k].arrival ? -1 : 1;
    }

    return i < k ? -1 : 1;
}


/*
 * A block's content is known by who it belongs to and where it stands: the
 * group as long as the prefix lasts, the request afterwards.
 */

static uint32_t
vm_simulate_hash(vm_simulate_t *r, uint32_t index)
{
    uint32_t              i, n, size, words[3];
    uint64_t              h, extra;
    const vm_wreq_t      *q;
    const vm_workload_t  *w;

    w = r->s->workload;
    q = &w->requests[index];
    size = r->e->conf.block_size;

    if (!r->e->conf.prefix_caching) {
        return 0;
    }

    extra = q->lora ? vm_block_extra(w->loras[q->lora - 1],
                                     strlen(w->loras[q->lora - 1]), NULL, 0)
                    : 0;
    n = vm_min(q->prompt + q->output, r->e->conf.max_model_len) / size;
    h = 0;

    for (i = 0; i < n; i++) {

        if (q->ids && (i + 1) * size <= q->prompt) {
            h = vm_block_hash(h, w->ids + q->ids_at + (uint64_t) i * size,
                              size, extra);

        } else {
            words[0] = (i + 1) * size <= q->shared;
            words[1] = words[0] ? q->group : index;
            words[2] = i;
            h = vm_block_hash(h, words, 3, extra);
        }

        r->hashes[i] = h;
    }

    return n;
}


static int
vm_simulate_submit(vm_simulate_t *r, uint32_t index, char *err, size_t errlen)
{
    vm_wreq_t            *q;
    vm_handle_t           h;
    vm_engine_seq_t       seq;
    vm_engine_request_t   rq;

    q = &r->s->workload->requests[index];
    memset(&seq, 0, sizeof(seq));
    memset(&rq, 0, sizeof(rq));

    seq.cookie = index;
    seq.eos_at = VM_NEVER;
    seq.string_at = VM_NEVER;
    seq.hashes = r->hashes;
    seq.nhashes = vm_simulate_hash(r, index);

    rq.prompt_tokens = q->prompt;
    rq.max_tokens = q->output;
    rq.priority = q->priority;
    rq.lora = q->lora;
    rq.arrival = q->arrival;
    rq.n = 1;
    rq.seqs = &seq;

    if (q->prompt >= r->e->conf.max_model_len) {
        snprintf(err, errlen, "%u: a prompt of %u tokens does not go into"
                 " max_model_len %u", q->line, q->prompt,
                 r->e->conf.max_model_len);
        return VM_ERROR;
    }

    switch (vm_engine_submit(r->e, &rq, &h, q->arrival)) {

    case VM_OK:
        return VM_OK;

    case VM_DECLINED:
        if (r->e->conf.max_waiting || r->e->conf.max_waiting_tokens) {
            q->finish = VM_FINISH_ERROR;        /* the queue is full */
            r->ended++;
            return VM_OK;
        }

        /* fall through */

    default:
        snprintf(err, errlen, "%u: the engine has no room for it",
                 q->line);
        return VM_ERROR;
    }
}


static void
vm_simulate_collect(vm_simulate_t *r)
{
    size_t       i, n;
    vm_wreq_t   *q;
    vm_event_t  *v;

    do {
        n = vm_engine_collect(r->e, 0, r->events, VM_SIMULATE_EVENTS);

        for (i = 0; i < n; i++) {
            v = &r->events[i];

            if (v->finish == VM_FINISH_NONE) {
                continue;
            }

            q = &r->s->workload->requests[v->cookie];
            q->scheduled = v->scheduled;
            q->first_token = v->first_token;
            q->last_token = v->due;
            q->made = v->first + v->count;
            q->cached = v->cached_tokens;
            q->preemptions = v->preemptions;
            q->finish = v->finish;

            r->s->end = vm_max(r->s->end, v->due);
            r->ended++;
        }

    } while (n == VM_SIMULATE_EVENTS);
}


/* The plans that were made and the step that began since the last time. */

static void
vm_simulate_draw(vm_simulate_t *r)
{
    FILE                *f;
    uint32_t             i, k, prefills, decodes, tokens, index;
    vm_engine_t         *e;
    const vm_plan_t     *p;
    const vm_planned_t  *planned;

    e = r->e;
    f = r->s->perfetto;

    for (i = 0; i < e->npreempted; i++) {
        index = (uint32_t) vm_seq(e, vm_preempted(e)[i])->cookie;

        if (r->preempted[index] == VM_TIME_NONE) {
            r->preempted[index] = e->now;
        }
    }

    for (k = 0; k < 2; k++) {
        p = &e->plans[k];
        planned = vm_planned(e, p);

        for (i = 0; i < p->n; i++) {

            if (!planned[i].resumed) {
                continue;
            }

            index = (uint32_t) vm_seq(e, planned[i].seq)->cookie;

            if (vm_seq(e, planned[i].seq)->gen == planned[i].gen
                && vm_seq(e, planned[i].seq)->state == VM_SEQ_RUNNING
                && r->preempted[index] != VM_TIME_NONE)
            {
                vm_perfetto_preempted(f, index, r->preempted[index], e->now);
                r->preempted[index] = VM_TIME_NONE;
            }
        }
    }

    if (e->stepping && e->plans[e->current].step != r->step) {
        p = &e->plans[e->current];
        planned = vm_planned(e, p);
        r->step = p->step;
        prefills = 0;
        decodes = 0;
        tokens = 0;

        for (i = 0; i < p->n; i++) {
            prefills += !planned[i].decode;
            decodes += planned[i].decode;
            tokens += planned[i].tokens;
        }

        vm_perfetto_step(f, p->step, e->step_end - p->duration, e->step_end,
                         prefills, decodes, tokens);
    }

    vm_perfetto_gauges(f, e->now, e->running.n, vm_sched_waiting(e),
                       (double) vm_kv_used(e)
                       / (e->conf.num_gpu_blocks - 1));
}


static vm_time_t
vm_simulate_advance(vm_simulate_t *r, vm_time_t to)
{
    uint32_t          mille;
    vm_time_t         next;
    vm_simulation_t  *s;

    s = r->s;
    next = vm_engine_advance(r->e, to);
    s->peak_blocks = vm_max(s->peak_blocks, vm_kv_used(r->e));
    vm_simulate_collect(r);

    if (s->perfetto) {
        vm_simulate_draw(r);
    }

    if (s->progress) {
        mille = (uint32_t) ((uint64_t) r->ended * 1000 / s->workload->n);

        if (mille != r->shown) {
            r->shown = mille;
            fprintf(stderr, "\r%u of %u requests, %.1f s ", r->ended,
                    s->workload->n, (double) r->e->now / 1e9);
        }
    }

    return next;
}


static int
vm_simulate_trace(vm_simulate_t *r, char *err, size_t errlen)
{
    uint32_t          i;
    vm_time_t         next;
    const vm_wreq_t  *q;

    next = VM_TIME_NONE;

    for (i = 0; i < r->s->workload->n; i++) {
        q = &r->s->workload->requests[r->order[i]];

        while (next < q->arrival) {
            next = vm_simulate_advance(r, next);
        }

        if (vm_simulate_submit(r, r->order[i], err, errlen) != VM_OK) {
            return VM_ERROR;
        }

        next = vm_min(next, q->arrival);
    }

    while (next != VM_TIME_NONE) {
        next = vm_simulate_advance(r, next);
    }

    return VM_OK;
}


int
vm_simulate(vm_simulation_t *s, char *err, size_t errlen)
{
    int                   rc;
    void                 *mem;
    uint32_t              i, most;
    uint64_t              blocks, all;
    vm_simulate_t        *r;
    const vm_workload_t  *w;

    w = s->workload;
    r = calloc(1, sizeof(vm_simulate_t));
    mem = NULL;
    rc = VM_ERROR;
    most = 1;
    all = 0;

    for (i = 0; i < w->n; i++) {
        blocks = vm_min((uint64_t) w->requests[i].prompt
                        + w->requests[i].output + 4,
                        (uint64_t) s->conf.max_model_len + 4)
                 / s->conf.block_size + 1;
        most = (uint32_t) vm_max(most, blocks);
        all += (blocks + VM_CHUNK) / VM_CHUNK * VM_CHUNK;
    }

    /* room for all at a time: nobody is turned away for want of it */

    s->conf.owners = 1;
    s->conf.max_live = w->n;
    s->conf.max_tables = (uint32_t) vm_min(all, UINT32_MAX);

    if (r) {
        r->s = s;
        r->order = malloc(w->n * sizeof(uint32_t));
        r->hashes = malloc((most + 1) * sizeof(uint64_t));
        r->preempted = malloc(w->n * sizeof(vm_time_t));
    }

    if (r == NULL || r->order == NULL || r->hashes == NULL
        || r->preempted == NULL
        || posix_memalign(&mem, 64, vm_engine_footprint(&s->conf)) != 0)
    {
        snprintf(err, errlen, " out of memory");
        goto done;
    }

    s->engine = vm_engine_init(mem, &s->conf);
    r->e = s->engine;

    for (i = 0; i < w->n; i++) {
        r->order[i] = i;
        r->preempted[i] = VM_TIME_NONE;
    }

    vm_simulate_sorted = w;
    qsort(r->order, w->n, sizeof(uint32_t), vm_simulate_before);

    if (s->perfetto) {
        vm_perfetto_begin(s->perfetto, w);
    }

    rc = vm_simulate_trace(r, err, errlen);
    s->unfinished = w->n - r->ended;

    if (s->perfetto) {
        vm_perfetto_requests(s->perfetto, w);
        vm_perfetto_end(s->perfetto);
    }

    if (s->progress) {
        fputs("\r\033[K", stderr);
    }

done:

    if (r) {
        free(r->order);
        free(r->hashes);
        free(r->preempted);
        free(r);
    }

    return rc;
}
