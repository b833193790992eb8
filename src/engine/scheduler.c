/*
 * The scheduler's plan: running sequences first, in order of admission, then
 * waiting ones from the head, within the budget of tokens, places, blocks and
 * LoRA slots.
 */

#include "scheduler.h"
#include "kv.h"
#include "queue.h"
#include "steptime.h"


typedef enum {
    VM_TRY_ADMITTED,
    VM_TRY_PASSED,                      /* others may go ahead of it */
    VM_TRY_MOVED,                       /* waits for its KV now */
    VM_TRY_STOP
} vm_try_e;


static void vm_sched_running(vm_engine_t *e, vm_plan_t *p, uint32_t *budget,
    uint32_t threshold);
static void vm_sched_ready(vm_engine_t *e, vm_plan_t *p);
static uint32_t vm_sched_need(vm_engine_t *e, const vm_seq_t *s,
    uint32_t budget, uint32_t threshold);
static int vm_sched_room(vm_engine_t *e, vm_plan_t *p, vm_seq_t *s,
    uint32_t n, uint32_t *budget);
static vm_seq_t *vm_sched_victim(vm_engine_t *e);
static void vm_sched_admit(vm_engine_t *e, vm_plan_t *p, vm_time_t now,
    uint32_t budget, uint32_t threshold);
static uint32_t vm_sched_first(vm_engine_t *e);
static void vm_sched_mark(vm_engine_t *e, const vm_seq_t *s);
static vm_try_e vm_sched_try(vm_engine_t *e, vm_plan_t *p, vm_seq_t *s,
    vm_time_t now, uint32_t *budget, uint32_t threshold);
static vm_try_e vm_sched_fetch(vm_engine_t *e, vm_seq_t *s, vm_time_t now,
    uint32_t keep);
static void vm_sched_count(vm_engine_t *e, const vm_seq_t *s, uint32_t hit);
static void vm_sched_unqueue(vm_engine_t *e, vm_seq_t *s);
static void vm_sched_defer(vm_engine_t *e, vm_seq_t *s);
static void vm_sched_undefer(vm_engine_t *e, vm_seq_t *s);
static void vm_sched_add(vm_engine_t *e, vm_plan_t *p, vm_seq_t *s,
    uint32_t n);
static void vm_sched_compact(vm_engine_t *e, vm_plan_t *p);
static void vm_sched_seal(vm_engine_t *e, vm_plan_t *p);
static int vm_sched_lora_fits(vm_engine_t *e, uint32_t lora);
static void vm_sched_lora_take(vm_engine_t *e, uint32_t lora);
static void vm_sched_lora_hold(vm_engine_t *e, uint32_t lora, int by);


void
vm_sched_enqueue(vm_engine_t *e, vm_seq_t *s)
{
    s->state = VM_SEQ_WAITING;
    e->waiting_tokens += s->prompt;

    if (e->conf.policy == VM_POLICY_PRIORITY) {
        vm_heap_push(e, s);

    } else {
        vm_list_append(e, &e->waiting, s);
    }
}


uint32_t
vm_sched_waiting(const vm_engine_t *e)
{
    return e->waiting.n + e->nheap + e->remote.n;
}


void
vm_sched_plan(vm_engine_t *e, vm_plan_t *p, vm_time_t now)
{
    uint32_t  budget, others, threshold;

    p->n = 0;
    p->duration = 0;
    e->npreempted = 0;
    e->nactive = 0;

    budget = e->conf.max_num_batched_tokens;
    threshold = e->conf.long_prefill_token_threshold;
    others = e->running.n + vm_sched_waiting(e);

    if (others <= 1) {
        threshold = 0;
    }

    if (e->pause == VM_PAUSE_KEEP) {
        budget = 0;
    }

    if (e->clocks) {

        /* nobody shares a step, so there is nothing to split */

        budget = budget ? UINT32_MAX : 0;
        threshold = 0;

        if (budget) {
            vm_sched_ready(e, p);
        }

    } else {
        vm_sched_running(e, p, &budget, threshold);
    }

    if (e->npreempted == 0 && e->pause == VM_PAUSE_NONE) {
        vm_sched_admit(e, p, now, budget, threshold);
    }

    vm_sched_seal(e, p);
}


static void
vm_sched_running(vm_engine_t *e, vm_plan_t *p, uint32_t *budget,
    uint32_t threshold)
{
    uint32_t   at, i, n;
    vm_seq_t  *s;

    for (at = e->running.head; at != VM_NONE && *budget > 0; at = s->next) {
        s = vm_seq(e, at);

        n = vm_sched_need(e, s, *budget, threshold);

        if (n == 0) {
            continue;
        }

        if (vm_sched_room(e, p, s, n, budget) != VM_OK) {
            break;
        }

        vm_sched_add(e, p, s, n);
        *budget -= n;
    }

    vm_sched_compact(e, p);

    for (i = 0; i < p->n; i++) {
        vm_sched_lora_take(e, vm_seq(e, vm_planned(e, p)[i].seq)->lora);
    }
}


/* Clocks: those which got their token just now, or were held by a pause. */

static void
vm_sched_ready(vm_engine_t *e, vm_plan_t *p)
{
    uint32_t   i, k, n, back, *ready;
    vm_seq_t  *s;

    ready = vm_ready(e);
    back = 0;

    for (i = 0; i < e->nready; i++) {

        if (ready[i] == VM_NONE) {
            continue;
        }

        s = vm_seq(e, ready[i]);
        n = vm_sched_need(e, s, UINT32_MAX, 0);

        if (vm_sched_room(e, p, s, n, &back) != VM_OK) {
            break;
        }

        vm_sched_add(e, p, s, n);
        s->ready = 0;
        s->place = VM_NONE;
        ready[i] = VM_NONE;
    }

    for (i = 0, k = 0; i < e->nready; i++) {
        if (ready[i] != VM_NONE) {
            vm_seq(e, ready[i])->place = k;
            ready[k++] = ready[i];
        }
    }

    e->nready = k;
    vm_sched_compact(e, p);

    /* all that run are in the batch, whether planned in this instant or not */

    e->nactive = e->nheld;
    memcpy(e->active, e->held, e->nheld * sizeof(vm_lora_use_t));
}


static uint32_t
vm_sched_need(vm_engine_t *e, const vm_seq_t *s, uint32_t budget,
    uint32_t threshold)
{
    uint32_t  n, known;

    known = vm_seq_tokens(s) + s->placeholders;

    /* its last token is planned already, and `length` can be foreseen */

    if (s->placeholders
        && (uint64_t) s->computed + 2 - s->placeholders
           >= (uint64_t) s->prompt + s->max_tokens)
    {
        return 0;
    }

    n = known - s->computed;

    if (threshold && n > threshold) {
        n = threshold;
    }

    n = vm_min(n, budget);

    if (s->computed + !s->pooling >= e->conf.max_model_len) {
        return 0;
    }

    return vm_min(n, e->conf.max_model_len - !s->pooling - s->computed);
}


/* Blocks for n more tokens of a running one, at others' cost if need be. */

static int
vm_sched_room(vm_engine_t *e, vm_plan_t *p, vm_seq_t *s, uint32_t n,
    uint32_t *budget)
{
    uint32_t       tokens;
    vm_seq_t      *victim;
    vm_planned_t  *planned;

    tokens = s->computed + n;

    while (vm_kv_allocate(e, s, 0, tokens, vm_min(tokens, vm_seq_tokens(s)),
                          0, 0)
           != VM_OK)
    {
        victim = vm_sched_victim(e);

        if (victim->planned != VM_NONE) {
            planned = &vm_planned(e, p)[victim->planned];
            *budget += planned->tokens;
            planned->tokens = 0;
            victim->planned = VM_NONE;
        }

        vm_preempted(e)[e->npreempted++] = vm_seq_index(e, victim);
        vm_sched_preempt(e, victim);

        if (victim == s) {
            return VM_DECLINED;
        }
    }

    return VM_OK;
}


static vm_seq_t *
vm_sched_victim(vm_engine_t *e)
{
    uint32_t   i;
    vm_seq_t  *s, *worst;

    if (e->conf.policy == VM_POLICY_FCFS) {
        return vm_seq(e, e->running.tail);
    }

    worst = vm_seq(e, e->running.head);

    for (i = worst->next; i != VM_NONE; i = s->next) {
        s = vm_seq(e, i);

        if (vm_heap_before(worst, s)) {
            worst = s;
        }
    }

    return worst;
}


void
vm_sched_preempt(vm_engine_t *e, vm_seq_t *s)
{
    vm_sched_unqueue(e, s);
    vm_kv_free(e, s);

    s->state = VM_SEQ_PREEMPTED;
    s->computed = 0;
    s->placeholders = 0;
    s->preemptions++;

    e->stats.preemptions++;
    e->waiting_tokens += s->prompt;

    if (e->conf.policy == VM_POLICY_PRIORITY) {
        vm_heap_push(e, s);

    } else {
        vm_list_prepend(e, &e->waiting, s);
        e->mark = VM_NONE;
    }
}


int
vm_sched_reset(vm_engine_t *e, int running)
{
    while (running && e->running.n) {
        vm_sched_preempt(e, vm_seq(e, e->running.tail));
    }

    if (vm_kv_used(e)) {
        return 0;
    }

    vm_kv_reset(e);

    return 1;
}


static void
vm_sched_admit(vm_engine_t *e, vm_plan_t *p, vm_time_t now, uint32_t budget,
    uint32_t threshold)
{
    uint32_t   i, next, passed;
    vm_seq_t  *s;
    vm_try_e   rc;

    for (i = e->remote.head; i != VM_NONE; i = next) {
        s = vm_seq(e, i);
        next = s->next;

        if (budget == 0 || e->running.n >= e->conf.max_num_seqs) {
            return;
        }

        if (s->due > now) {
            continue;
        }

        s->arrived = 1;

        if (vm_sched_try(e, p, s, now, &budget, threshold) == VM_TRY_STOP) {
            return;
        }
    }

    passed = VM_NONE;
    i = vm_sched_first(e);

    while (budget && e->running.n < e->conf.max_num_seqs) {

        if (e->conf.policy == VM_POLICY_PRIORITY) {
            i = e->nheap ? vm_at(e, e->heap_at, uint32_t)[0] : VM_NONE;
        }

        if (i == VM_NONE) {
            break;
        }

        s = vm_seq(e, i);
        i = s->next;
        rc = vm_sched_try(e, p, s, now, &budget, threshold);

        if (rc == VM_TRY_STOP) {
            break;
        }

        if (rc != VM_TRY_PASSED) {
            continue;
        }

        if (e->conf.policy == VM_POLICY_PRIORITY) {
            vm_heap_remove(e, s);
            s->next = passed;
            passed = vm_seq_index(e, s);

        } else {
            vm_sched_mark(e, s);
        }
    }

    while (passed != VM_NONE) {
        s = vm_seq(e, passed);
        passed = s->next;
        vm_heap_push(e, s);
    }
}


/*
 * The first one that is worth a look.  As long as the same adapters hold all
 * slots, those who were passed over for want of one would be again: however
 * many of them wait, they cost a step nothing.
 */

static uint32_t
vm_sched_first(vm_engine_t *e)
{
    uint32_t  i;

    if (e->mark == VM_NONE) {
        return e->waiting.head;
    }

    if (e->nactive == e->nmark) {

        for (i = 0; i < e->nmark && vm_sched_lora_fits(e, e->marked[i]); i++) {
            /* void */
        }

        if (i == e->nmark) {
            return vm_seq(e, e->mark)->next;
        }
    }

    e->mark = VM_NONE;

    return e->waiting.head;
}


static void
vm_sched_mark(vm_engine_t *e, const vm_seq_t *s)
{
    uint32_t  i;

    e->mark = vm_seq_index(e, s);
    e->nmark = e->nactive;

    for (i = 0; i < e->nactive; i++) {
        e->marked[i] = e->active[i].id;
    }
}


static vm_try_e
vm_sched_try(vm_engine_t *e, vm_plan_t *p, vm_seq_t *s, vm_time_t now,
    uint32_t *budget, uint32_t threshold)
{
    int            fresh;
    uint32_t       hits, hit, n, tokens, keep, whole;
    vm_try_e       rc;
    vm_planned_t  *planned;

    if (s->lora && e->conf.max_loras && !vm_sched_lora_fits(e, s->lora)) {
        vm_sched_defer(e, s);
        return VM_TRY_PASSED;
    }

    keep = e->running.n
           ? (uint32_t) (e->conf.watermark * e->conf.num_gpu_blocks) : 0;

    if (s->remote && s->preemptions == 0 && s->state == VM_SEQ_WAITING) {
        rc = vm_sched_fetch(e, s, now, keep);

        if (rc != VM_TRY_ADMITTED) {
            return rc;
        }
    }

    if (s->arrived) {
        hits = 0;
        hit = vm_min(s->prompt, vm_seq_tokens(s) - 1);

    } else {
        hits = vm_kv_lookup(e, s);
        hit = hits * e->conf.block_size;
    }

    n = vm_seq_tokens(s) - hit;

    if (threshold && n > threshold) {
        n = threshold;
    }

    if (!e->conf.chunked_prefill && n > *budget) {
        return VM_TRY_STOP;
    }

    n = vm_min(n, *budget);
    tokens = hit + n;
    whole = e->conf.reserve_full_isl
            ? vm_min(vm_seq_tokens(s), e->conf.max_model_len) : 0;

    if (vm_kv_allocate(e, s, hits, tokens, tokens, whole,
                       s->arrived ? 0 : keep)
        != VM_OK)
    {
        return VM_TRY_STOP;
    }

    vm_sched_unqueue(e, s);

    if (!s->arrived) {
        vm_sched_count(e, s, hit);
    }

    fresh = s->state != VM_SEQ_PREEMPTED;

    if (s->scheduled == VM_TIME_NONE) {
        s->scheduled = now;
    }

    if (fresh && !s->arrived) {
        s->cached = hit;
    }

    s->arrived = 0;
    s->state = VM_SEQ_RUNNING;
    s->admitted = ++e->admissions;
    s->computed = hit;
    vm_list_append(e, &e->running, s);
    vm_sched_lora_take(e, s->lora);
    vm_sched_lora_hold(e, s->lora, 1);

    vm_sched_add(e, p, s, n);
    planned = &vm_planned(e, p)[s->planned];
    planned->fresh = fresh;
    planned->resumed = !fresh;

    *budget -= n;

    return VM_TRY_ADMITTED;
}


/*
 * The blocks for a prompt whose KV comes from elsewhere, and the time until it
 * is here.
 */

static vm_try_e
vm_sched_fetch(vm_engine_t *e, vm_seq_t *s, vm_time_t now, uint32_t keep)
{
    uint32_t  hits, hit;

    hits = vm_kv_lookup(e, s);
    hit = hits * e->conf.block_size;

    if (vm_kv_allocate(e, s, hits, s->prompt, s->prompt, 0, keep) != VM_OK) {
        return VM_TRY_STOP;
    }

    vm_sched_count(e, s, hit);

    s->external = s->prompt - hit;
    s->cached = s->prompt;
    s->due = now + vm_step_transfer(e, s->external);
    e->stats.external_queries += s->external;
    e->stats.external_hits += s->external;

    if (s->due <= now) {
        s->arrived = 1;
        return VM_TRY_ADMITTED;
    }

    vm_sched_unqueue(e, s);
    e->waiting_tokens += s->prompt;
    s->state = VM_SEQ_REMOTE;
    vm_list_append(e, &e->remote, s);
    vm_sched_defer(e, s);

    return VM_TRY_MOVED;
}


vm_time_t
vm_sched_arrival(vm_engine_t *e, vm_time_t now)
{
    uint32_t   i;
    vm_time_t  at;

    at = VM_TIME_NONE;

    for (i = e->remote.head; i != VM_NONE; i = vm_seq(e, i)->next) {
        if (vm_seq(e, i)->due > now) {
            at = vm_min(at, vm_seq(e, i)->due);
        }
    }

    return at;
}


static void
vm_sched_count(vm_engine_t *e, const vm_seq_t *s, uint32_t hit)
{
    if (!e->conf.prefix_caching || s->no_lookup) {
        return;
    }

    if (s->preemptions) {
        e->again_queries += vm_seq_tokens(s);
        e->again_hits += hit;

    } else {
        e->queries += vm_seq_tokens(s);
        e->hits += hit;
    }
}


/* Out of whatever queue it stands in. */

static void
vm_sched_unqueue(vm_engine_t *e, vm_seq_t *s)
{
    switch (s->state) {

    case VM_SEQ_WAITING:
    case VM_SEQ_PREEMPTED:
        if (e->conf.policy == VM_POLICY_PRIORITY) {
            vm_heap_remove(e, s);

        } else {

            if (e->mark == vm_seq_index(e, s)) {
                e->mark = s->prev;
            }

            vm_list_remove(e, &e->waiting, s);
        }

        e->waiting_tokens -= s->prompt;
        break;

    case VM_SEQ_REMOTE:
        vm_list_remove(e, &e->remote, s);
        e->waiting_tokens -= s->prompt;
        break;

    case VM_SEQ_RUNNING:
        vm_list_remove(e, &e->running, s);
        vm_sched_lora_hold(e, s->lora, -1);

        if (s->ready) {
            vm_ready(e)[s->place] = VM_NONE;
            s->place = VM_NONE;
            s->ready = 0;

        } else if (e->clocks && s->place != VM_NONE) {
            vm_clock_remove(e, s);
        }

        break;

    default:
        break;
    }

    vm_sched_undefer(e, s);
}


void
vm_sched_leave(vm_engine_t *e, vm_seq_t *s)
{
    vm_sched_unqueue(e, s);
    vm_kv_free(e, s);
    vm_kv_unreserve(e, s);
}


static void
vm_sched_defer(vm_engine_t *e, vm_seq_t *s)
{
    if (!s->deferred) {
        s->deferred = 1;
        e->deferred++;
    }
}


static void
vm_sched_undefer(vm_engine_t *e, vm_seq_t *s)
{
    if (s->deferred) {
        s->deferred = 0;
        e->deferred--;
    }
}


static void
vm_sched_add(vm_engine_t *e, vm_plan_t *p, vm_seq_t *s, uint32_t n)
{
    vm_planned_t  *planned;

    s->planned = p->n++;
    planned = &vm_planned(e, p)[s->planned];

    memset(planned, 0, sizeof(vm_planned_t));
    planned->seq = vm_seq_index(e, s);
    planned->gen = s->gen;
    planned->tokens = n;
}


/* Without those whose work was undone. */

static void
vm_sched_compact(vm_engine_t *e, vm_plan_t *p)
{
    uint32_t       i, k;
    vm_planned_t  *planned;

    if (e->npreempted == 0) {
        return;
    }

    planned = vm_planned(e, p);

    for (i = 0, k = 0; i < p->n; i++) {
        if (planned[i].tokens) {
            planned[k++] = planned[i];
        }
    }

    p->n = k;
}


/* What is planned counts as computed from here on. */

static void
vm_sched_seal(vm_engine_t *e, vm_plan_t *p)
{
    uint32_t       i, known;
    vm_seq_t      *s;
    vm_planned_t  *planned;

    planned = vm_planned(e, p);

    for (i = 0; i < p->n; i++, planned++) {
        s = vm_seq(e, planned->seq);
        s->planned = VM_NONE;

        known = vm_seq_tokens(s) + s->placeholders;
        planned->before = s->computed;
        s->computed += planned->tokens;

        planned->samples = s->computed == known;
        planned->decode = planned->samples && planned->tokens == 1
                          && s->output + s->placeholders > 0;

        if (planned->samples && e->conf.async_scheduling && !e->clocks) {
            s->placeholders++;
        }
    }
}


static int
vm_sched_lora_fits(vm_engine_t *e, uint32_t lora)
{
    uint32_t  i;

    if (e->nactive < e->conf.max_loras) {
        return 1;
    }

    for (i = 0; i < e->nactive; i++) {
        if (e->active[i].id == lora) {
            return 1;
        }
    }

    return 0;
}


static void
vm_sched_lora_take(vm_engine_t *e, uint32_t lora)
{
    uint32_t  i;

    if (lora == 0 || e->conf.max_loras == 0) {
        return;
    }

    for (i = 0; i < e->nactive; i++) {
        if (e->active[i].id == lora) {
            return;
        }
    }

    if (e->nactive < VM_LORA_MAX) {
        e->active[e->nactive++].id = lora;
    }
}


/* With token clocks: one more or less that runs with this adapter. */

static void
vm_sched_lora_hold(vm_engine_t *e, uint32_t lora, int by)
{
    uint32_t  i;

    if (!e->clocks || lora == 0 || e->conf.max_loras == 0) {
        return;
    }

    for (i = 0; i < e->nheld && e->held[i].id != lora; i++) { /* void */ }

    if (i == e->nheld) {
        e->held[e->nheld].id = lora;
        e->held[e->nheld++].n = 0;
    }

    if (by > 0) {
        e->held[i].n++;

    } else if (--e->held[i].n == 0) {
        e->held[i] = e->held[--e->nheld];
    }
}
