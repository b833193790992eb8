/*
 * vLLM's scheduler: one plan after the other, each taking the time that the
 * latency model gives its batch.  With asynchronous scheduling the next plan is
 * made when a step begins.
 */

#include "core.h"
#include "steptime.h"


vm_planned_t *
vm_scheduler_row(vm_engine_t *e, uint32_t i)
{
    return vm_core_at(e, plans_at, vm_planned_t)
           + (size_t) i * e->conf.max_num_seqs;
}


/* ---- schedule() ---- */

typedef struct {
    vm_planned_t  *plan;
    uint32_t       n;
    uint32_t       budget;
    uint32_t       threshold;
} vm_schedule_t;


/* Takes a preempted sequence out of the plan again. */

static int
vm_schedule_undo(vm_engine_t *e, vm_schedule_t *c, vm_seq_t *s)
{
    uint32_t  i, id;

    id = vm_seq_id(e, s);

    for (i = 0; i < c->n; i++) {

        if (c->plan[i].seq == id) {
            c->budget += c->plan[i].now;
            memmove(&c->plan[i], &c->plan[i + 1],
                    (--c->n - i) * sizeof(vm_planned_t));
            return 1;
        }
    }

    return 0;
}


/* Whom a preemption hits: the last one, or the least important. */

static uint32_t
vm_schedule_victim(vm_engine_t *e)
{
    uint32_t   i, *running, worst;
    vm_seq_t  *a, *b, *seqs;

    running = vm_running(e);

    if (e->conf.policy == VM_POLICY_FCFS) {
        return e->nrunning - 1;
    }

    seqs = vm_seqs(e);
    worst = 0;

    for (i = 1; i < e->nrunning; i++) {
        a = &seqs[running[i]];
        b = &seqs[running[worst]];

        if (a->priority > b->priority
            || (a->priority == b->priority && a->order > b->order))
        {
            worst = i;
        }
    }

    return worst;
}


static void
vm_schedule_add(vm_engine_t *e, vm_schedule_t *c, vm_seq_t *s, uint32_t now)
{
    vm_planned_t  *p;

    p = &c->plan[c->n++];
    p->seq = vm_seq_id(e, s);
    p->generation = s->generation;
    p->now = now;
    p->before = s->computed;
    p->samples = 0;
    c->budget -= now;
}


/* How many tokens a running sequence wants computed; 0: it is passed over. */

static uint32_t
vm_schedule_wants(const vm_engine_t *e, const vm_schedule_t *c,
    const vm_seq_t *s)
{
    uint32_t  n, room;

    if (s->placeholders
        && s->computed + 2 - s->placeholders >= s->prompt + s->max_tokens)
    {
        return 0;                       /* no step past its length */
    }

    n = vm_seq_tokens(s) + s->placeholders - s->computed;

    if (c->threshold && n > c->threshold) {
        n = c->threshold;
    }

    n = vm_min(n, c->budget);
    room = e->conf.max_model_len > s->computed + 1
           ? e->conf.max_model_len - s->computed - 1 : 0;

    return vm_min(n, room);
}


static void
vm_schedule_running(vm_engine_t *e, vm_schedule_t *c)
{
    uint32_t   at, i, n, *running;
    vm_seq_t  *s, *seqs, *victim;

    seqs = vm_seqs(e);
    running = vm_running(e);

    for (i = 0; i < e->nrunning && c->budget; i++) {
        s = &seqs[running[i]];
        n = vm_schedule_wants(e, c, s);

        if (n == 0) {
            continue;
        }

        while (vm_seq_allocate(e, s, n, 0, 0) != VM_OK) {
            at = vm_schedule_victim(e);
            victim = &seqs[running[at]];

            memmove(&running[at], &running[at + 1],
                    (--e->nrunning - at) * sizeof(uint32_t));

            if (vm_schedule_undo(e, c, victim)) {
                i--;
            }

            vm_seq_preempt(e, victim);

            if (victim == s) {
                return;
            }
        }

        vm_schedule_add(e, c, s, n);
    }
}


/* Adapters of what is planned so far. */

static uint32_t
vm_schedule_loras(const vm_engine_t *e, const vm_schedule_t *c,
    uint32_t *ids)
{
    uint32_t         i, k, n;
    const vm_seq_t  *s;

    for (n = 0, i = 0; i < c->n; i++) {
        s = &vm_seqs(e)[c->plan[i].seq];

        for (k = 0; k < n && ids[k] != s->lora; k++) { /* void */ }

        if (s->lora && k == n && n < VM_LORA_MAX) {
            ids[n++] = s->lora;
        }
    }

    return n;
}


static int
vm_schedule_known(const uint32_t *ids, uint32_t n, uint32_t id)
{
    uint32_t  i;

    for (i = 0; i < n; i++) {
        if (ids[i] == id) {
            return 1;
        }
    }

    return 0;
}


static void
vm_schedule_waiting(vm_engine_t *e, vm_schedule_t *c, vm_time_t now)
{
    uint32_t   active[VM_LORA_MAX], at, hit, n, nactive, next;
    vm_seq_t  *s;

    nactive = e->conf.max_loras ? vm_schedule_loras(e, c, active) : 0;

    for (at = e->waiting_head;
         at != VM_NIL && c->budget && e->nrunning < e->conf.max_num_seqs;
         at = next)
    {
        s = &vm_seqs(e)[at];
        next = s->next;

        if (s->lora && e->conf.max_loras && nactive >= e->conf.max_loras
            && !vm_schedule_known(active, nactive, s->lora))
        {
            if (!s->deferred) {
                s->deferred = 1;
                e->ndeferred++;
            }

            continue;
        }

        hit = vm_seq_lookup(e, s);

        if (s->remote && !s->admitted && hit < s->prompt) {

            /* its KV arrives as a whole; one token is computed here */

            n = s->prompt - hit;

        } else {
            n = vm_seq_tokens(s) - hit;

            if (c->threshold && n > c->threshold) {
                n = c->threshold;
            }

            if (!e->conf.chunked_prefill && n > c->budget) {
                break;
            }

            n = vm_min(n, c->budget);
        }

        if (vm_seq_allocate(e, s, n, hit, 1) != VM_OK) {
            break;
        }

        vm_seq_admit(e, s, hit, now);

        if (s->lora && !vm_schedule_known(active, nactive, s->lora)
            && nactive < VM_LORA_MAX)
        {
            active[nactive++] = s->lora;
        }

        n = vm_min(n, c->budget);
        vm_schedule_add(e, c, s, n);
    }
}


uint32_t
vm_scheduler_schedule(vm_engine_t *e, vm_planned_t *plan, vm_time_t now)
{
    uint32_t       i;
    vm_seq_t      *s;
    vm_schedule_t  c;

    e->npreempted = 0;

    c.plan = plan;
    c.n = 0;
    c.budget = e->pause == VM_PAUSE_KEEP ? 0 : e->conf.max_num_batched_tokens;
    c.threshold = e->nrunning + e->nwaiting > 1
                  ? e->conf.long_prefill_token_threshold : 0;

    vm_schedule_running(e, &c);

    if (e->npreempted == 0 && e->pause == VM_PAUSE_NONE) {
        vm_schedule_waiting(e, &c, now);
    }

    for (i = 0; i < c.n; i++) {
        s = &vm_seqs(e)[plan[i].seq];
        s->computed += plan[i].now;
        s->in_flight += plan[i].now;
        plan[i].samples = s->computed
                          >= vm_seq_tokens(s) + s->placeholders;

        if (plan[i].samples && e->conf.async_scheduling) {
            s->placeholders++;
        }
    }

    return c.n;
}


/* ---- update() ---- */

void
vm_scheduler_update(vm_engine_t *e, const vm_planned_t *plan, uint32_t n,
    uint64_t number, vm_time_t now)
{
    int        outputs, over, stale, was;
    uint32_t   i;
    uint64_t   tokens;
    vm_seq_t  *s;

    outputs = 0;
    over = 0;
    tokens = 0;
    e->steps = number;

    for (i = 0; i < n; i++) {
        s = &vm_seqs(e)[plan[i].seq];

        if (s->generation != plan[i].generation
            || (s->state != VM_SEQ_RUNNING && s->state != VM_SEQ_WAITING))
        {
            continue;                   /* it is over already */
        }

        s->in_flight -= plan[i].now;
        stale = s->stale > 0;

        if (stale) {
            s->stale -= plan[i].now;
        }

        if (!plan[i].samples) {
            continue;
        }

        was = s->state;
        outputs = 1;

        if (e->watch && e->watch->token) {
            e->watch->token(e->watch->data, e, s, number);
        }

        tokens += 1 + (s->output == 0 ? s->prompt - s->cached - s->external
                                      : 0);

        if (e->conf.async_scheduling && !stale) {
            s->placeholders--;
        }

        if (vm_seq_token(e, s, now)) {
            over |= was == VM_SEQ_RUNNING;
            continue;
        }

        if (e->conf.async_scheduling && was == VM_SEQ_RUNNING) {
            vm_seq_register(e, s, vm_min(s->computed - s->placeholders,
                                         vm_seq_tokens(s)));
        }
    }

    if (over) {
        uint32_t  *running, k;

        running = vm_running(e);

        for (k = 0, i = 0; i < e->nrunning; i++) {
            if (vm_seqs(e)[running[i]].state == VM_SEQ_RUNNING) {
                running[k++] = running[i];
            }
        }

        e->nrunning = k;
    }

    if (outputs) {
        vm_core_iteration(e, tokens);
    }

    e->stats.steps++;
    vm_core_gauges(e, now);
}


/* ---- steps in time ---- */

/* What is doomed ends between steps, before results are looked at. */

static void
vm_scheduler_aborts(vm_engine_t *e, vm_time_t now)
{
    uint32_t   i, next;
    vm_seq_t  *s;

    if (e->naborts == 0) {
        return;
    }

    for (i = e->nrunning; i-- > 0; /* void */ ) {
        s = &vm_seqs(e)[vm_running(e)[i]];

        if (s->doomed) {
            vm_seq_end_doomed(e, s, now);
        }
    }

    for (i = e->waiting_head; i != VM_NIL && e->naborts; i = next) {
        s = &vm_seqs(e)[i];
        next = s->next;

        if (s->doomed) {
            vm_seq_end_doomed(e, s, now);
        }
    }
}


/* Makes a plan; VM_DECLINED if there is nothing to run. */

static int
vm_scheduler_plan(vm_engine_t *e, vm_plan_t *p, uint32_t row, vm_time_t now)
{
    vm_planned_t  *rows;

    p->valid = 0;

    if (e->nlive == 0) {
        e->npreempted = 0;
        return VM_DECLINED;
    }

    rows = vm_scheduler_row(e, row);
    p->n = vm_scheduler_schedule(e, rows, now);

    if (p->n == 0) {
        return VM_DECLINED;
    }

    p->valid = 1;
    p->number = row;
    p->duration = vm_steptime(e, rows, p->n);

    if (e->watch && e->watch->planned) {
        e->watch->planned(e->watch->data, e, rows, p->n, now);
    }

    return VM_OK;
}


static uint32_t
vm_scheduler_other(const vm_engine_t *e)
{
    return e->busy && e->plan.number == 0 ? 1 : 0;
}


/* A step begins at `now`, if there is one to begin. */

static void
vm_scheduler_begin(vm_engine_t *e, vm_time_t now)
{
    e->busy = 0;

    if (e->ahead.valid) {
        e->plan = e->ahead;
        e->ahead.valid = 0;

    } else {
        do {
            if (vm_scheduler_plan(e, &e->plan, 0, now) == VM_OK) {
                break;
            }

            /* somebody preempted itself: an empty step takes no time */

            if (e->npreempted == 0) {
                e->ready = VM_TIME_NONE;
                vm_core_gauges(e, now);
                return;
            }

        } while (1);
    }

    e->busy = 1;
    e->end = now + e->plan.duration;

    if (e->conf.async_scheduling) {
        (void) vm_scheduler_plan(e, &e->ahead, vm_scheduler_other(e), now);
    }
}


vm_time_t
vm_scheduler_advance(vm_engine_t *e, vm_time_t now)
{
    vm_time_t  end;

    for ( ;; ) {

        if (e->busy) {

            if (e->end > now) {
                return e->end;
            }

            end = e->end;
            vm_scheduler_aborts(e, end);
            vm_scheduler_update(e, vm_scheduler_row(e,
                                                    (uint32_t) e->plan.number),
                                e->plan.n, e->steps + 1, end);
            vm_scheduler_begin(e, end);
            continue;
        }

        vm_scheduler_aborts(e, e->ready == VM_TIME_NONE ? now : e->ready);

        if (e->ready == VM_TIME_NONE || e->ready > now) {
            return VM_TIME_NONE;
        }

        vm_scheduler_begin(e, e->ready);

        if (!e->busy) {
            return VM_TIME_NONE;
        }
    }
}
