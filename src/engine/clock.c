/*
 * Latency models that speak of a request, not of a step: each sequence has a
 * clock of its own, and the scheduler decides only who runs and with which
 * blocks.  Clocks stand in a heap, so the cost is that of the tokens made.
 */

#include "core.h"


/* ---- the heap ---- */

static int
vm_heap_before(const vm_engine_t *e, uint32_t a, uint32_t b)
{
    const vm_seq_t  *x, *y;

    x = &vm_seqs(e)[a];
    y = &vm_seqs(e)[b];

    return x->clock < y->clock
           || (x->clock == y->clock && x->order < y->order);
}


static void
vm_heap_put(vm_engine_t *e, uint32_t i, uint32_t id)
{
    vm_heap(e)[i] = id;
    vm_seqs(e)[id].heap = i;
}


static void
vm_heap_up(vm_engine_t *e, uint32_t i)
{
    uint32_t   id, up, *heap;

    heap = vm_heap(e);
    id = heap[i];

    while (i) {
        up = (i - 1) / 2;

        if (!vm_heap_before(e, id, heap[up])) {
            break;
        }

        vm_heap_put(e, i, heap[up]);
        i = up;
    }

    vm_heap_put(e, i, id);
}


static void
vm_heap_down(vm_engine_t *e, uint32_t i)
{
    uint32_t   id, k, *heap;

    heap = vm_heap(e);
    id = heap[i];

    for ( ;; ) {
        k = 2 * i + 1;

        if (k >= e->nheap) {
            break;
        }

        if (k + 1 < e->nheap && vm_heap_before(e, heap[k + 1], heap[k])) {
            k++;
        }

        if (!vm_heap_before(e, heap[k], id)) {
            break;
        }

        vm_heap_put(e, i, heap[k]);
        i = k;
    }

    vm_heap_put(e, i, id);
}


static void
vm_heap_push(vm_engine_t *e, vm_seq_t *s)
{
    vm_heap(e)[e->nheap] = vm_seq_id(e, s);
    vm_heap_up(e, e->nheap++);
}


void
vm_clock_remove(vm_engine_t *e, vm_seq_t *s)
{
    uint32_t  i, last;

    i = s->heap;

    if (i == VM_NIL) {
        return;
    }

    s->heap = VM_NIL;
    last = vm_heap(e)[--e->nheap];

    if (i < e->nheap) {
        vm_heap_put(e, i, last);
        vm_heap_up(e, i);
        vm_heap_down(e, vm_seqs(e)[last].heap);
    }
}


/* All clocks stood still for so long. */

void
vm_clock_shift(vm_engine_t *e, vm_time_t by)
{
    uint32_t  i;

    for (i = 0; i < e->nheap; i++) {
        vm_seqs(e)[vm_heap(e)[i]].clock += by;
    }
}


/* ---- admission ---- */

static int
vm_clock_lora_fits(const vm_engine_t *e, const vm_seq_t *s)
{
    uint32_t         active[VM_LORA_MAX], i, k, n;
    const vm_seq_t  *r;

    if (s->lora == 0 || e->conf.max_loras == 0) {
        return 1;
    }

    for (n = 0, i = 0; i < e->nrunning; i++) {
        r = &vm_seqs(e)[vm_running(e)[i]];

        if (r->lora == s->lora) {
            return 1;
        }

        for (k = 0; k < n && active[k] != r->lora; k++) { /* void */ }

        if (r->lora && k == n && n < VM_LORA_MAX) {
            active[n++] = r->lora;
        }
    }

    return n < e->conf.max_loras;
}


static void
vm_clock_admit(vm_engine_t *e, vm_time_t now)
{
    uint32_t   at, hit, next;
    vm_seq_t  *s;

    if (e->pause != VM_PAUSE_NONE) {
        return;
    }

    for (at = e->waiting_head;
         at != VM_NIL && e->nrunning < e->conf.max_num_seqs;
         at = next)
    {
        s = &vm_seqs(e)[at];
        next = s->next;

        if (!vm_clock_lora_fits(e, s)) {

            if (!s->deferred) {
                s->deferred = 1;
                e->ndeferred++;
            }

            continue;
        }

        hit = vm_seq_lookup(e, s);

        if (vm_seq_allocate(e, s, vm_seq_tokens(s) - hit, hit, 1) != VM_OK) {
            break;
        }

        vm_seq_admit(e, s, hit, now);
        s->computed = vm_seq_tokens(s);
        s->clock = now + vm_latency_first(e, s, hit);
        vm_heap_push(e, s);
    }
}


/* ---- tokens ---- */

/* The tail gives way, or the least important; 0 if it was `s` itself. */

static int
vm_clock_make_room(vm_engine_t *e, vm_seq_t *s)
{
    uint32_t   i;
    vm_seq_t  *r, *victim;

    victim = &vm_seqs(e)[vm_running(e)[e->nrunning - 1]];

    for (i = 0; e->conf.policy == VM_POLICY_PRIORITY && i < e->nrunning;
         i++)
    {
        r = &vm_seqs(e)[vm_running(e)[i]];

        if (r->priority > victim->priority
            || (r->priority == victim->priority && r->order > victim->order))
        {
            victim = r;
        }
    }

    vm_running_remove(e, victim);
    vm_clock_remove(e, victim);
    vm_seq_preempt(e, victim);

    return victim != s;
}


/* A block for its next token, and when it is due. */

static void
vm_clock_go_on(vm_engine_t *e, vm_seq_t *s, vm_time_t now)
{
    s->computed = vm_seq_tokens(s) - 1;

    while (vm_seq_allocate(e, s, 1, 0, 0) != VM_OK) {
        if (!vm_clock_make_room(e, s)) {
            return;
        }
    }

    s->computed = vm_seq_tokens(s);
    s->clock = now + vm_latency_next(e, s);
    vm_heap_push(e, s);
}


static void
vm_clock_token(vm_engine_t *e, vm_seq_t *s, vm_time_t now)
{
    if (e->watch && e->watch->token) {
        e->watch->token(e->watch->data, e, s, e->steps);
    }

    if (vm_seq_token(e, s, now)) {
        vm_running_remove(e, s);
        return;
    }

    if (s->doomed) {
        vm_seq_end_doomed(e, s, now);
        return;
    }

    vm_clock_go_on(e, s, now);
}


/* Everything that happens at one time; admissions come last. */

static void
vm_clock_step(vm_engine_t *e, vm_time_t now)
{
    int        outputs;
    uint64_t   tokens;
    vm_seq_t  *s;

    outputs = 0;
    tokens = 0;

    while (e->nheap) {
        s = &vm_seqs(e)[vm_heap(e)[0]];

        if (s->clock > now) {
            break;
        }

        tokens += 1 + (s->output == 0 ? s->prompt - s->cached - s->external
                                      : 0);
        outputs = 1;

        vm_clock_remove(e, s);
        vm_clock_token(e, s, now);
    }

    if (outputs) {
        e->steps++;
        e->stats.steps++;
        vm_core_iteration(e, tokens);
    }

    vm_clock_admit(e, now);
    vm_core_gauges(e, now);
}


vm_time_t
vm_clock_advance(vm_engine_t *e, vm_time_t now)
{
    vm_time_t  next;

    for ( ;; ) {
        next = e->ready;

        if (e->nheap && e->pause != VM_PAUSE_KEEP) {
            next = vm_min(next, vm_seqs(e)[vm_heap(e)[0]].clock);
        }

        if (next > now) {
            return next;
        }

        if (e->ready <= next) {
            e->ready = VM_TIME_NONE;
        }

        if (e->pause == VM_PAUSE_KEEP) {
            continue;
        }

        vm_clock_step(e, next);
    }
}
