/*
 * What follows from a step: tokens, stops, ends, and what is counted then.
 */

#include "scheduler.h"
#include "events.h"
#include "kv.h"
#include "queue.h"


#define vm_seconds(t)  ((double) (t) / 1e9)


static void vm_update_finish(vm_engine_t *e, vm_seq_t *s, vm_finish_e finish,
    vm_time_t now);
static void vm_update_child(vm_engine_t *e, vm_seq_t *s, int counted);
static void vm_update_lora(vm_engine_t *e, vm_time_t now);
static double vm_update_between(vm_time_t from, vm_time_t to);


vm_seq_t *
vm_seq_take(vm_engine_t *e)
{
    uint32_t   gen;
    vm_seq_t  *s;

    if (e->free_seq == VM_NONE) {
        return NULL;
    }

    s = vm_seq(e, e->free_seq);
    e->free_seq = s->next;
    e->slots_left--;

    gen = s->gen + 1;
    memset(s, 0, sizeof(vm_seq_t));

    s->state = VM_SEQ_NEW;
    s->gen = gen ? gen : 1;
    s->order = e->orders++;
    s->scheduled = VM_TIME_NONE;
    s->first_token = VM_TIME_NONE;
    s->last_token = VM_TIME_NONE;
    s->group = VM_NONE;
    s->head = VM_NONE;
    s->place = VM_NONE;
    s->planned = VM_NONE;

    return s;
}


void
vm_seq_release(vm_engine_t *e, vm_seq_t *s)
{
    vm_owner_t  *o;

    o = vm_owner(e, s->owner);

    if (s->owner_prev == VM_NONE) {
        o->seqs = s->owner_next;

    } else {
        vm_seq(e, s->owner_prev)->owner_next = s->owner_next;
    }

    if (s->owner_next != VM_NONE) {
        vm_seq(e, s->owner_next)->owner_prev = s->owner_prev;
    }

    s->state = VM_SEQ_FREE;
    s->next = e->free_seq;
    e->free_seq = vm_seq_index(e, s);
    e->slots_left++;
}


vm_handle_t
vm_seq_handle(const vm_engine_t *e, const vm_seq_t *s)
{
    return (vm_handle_t) s->gen << 32
           | (vm_handle_t) (s - vm_at(e, e->seqs_at, vm_seq_t));
}


vm_seq_t *
vm_seq_find(const vm_engine_t *e, vm_handle_t h)
{
    uint32_t   i;
    vm_seq_t  *s;

    i = (uint32_t) h;

    if (i >= e->conf.max_live) {
        return NULL;
    }

    s = vm_seq(e, i);

    return s->gen == h >> 32 && s->state != VM_SEQ_FREE ? s : NULL;
}


void
vm_sched_update(vm_engine_t *e, vm_plan_t *p, vm_time_t now)
{
    uint32_t       i;
    vm_seq_t      *s;
    vm_planned_t  *planned;

    vm_sched_update_begin(e);
    planned = vm_planned(e, p);

    for (i = 0; i < p->n; i++, planned++) {
        s = vm_seq(e, planned->seq);

        if (!planned->samples || s->gen != planned->gen
            || s->state == VM_SEQ_FREE || s->state == VM_SEQ_ENDED)
        {
            continue;
        }

        if (s->lost) {
            s->lost--;
            continue;
        }

        if (s->placeholders) {
            s->placeholders--;
        }

        if (e->conf.async_scheduling && s->state == VM_SEQ_RUNNING) {
            vm_kv_register(e, s, s->computed - s->placeholders);
        }

        vm_sched_token(e, s, now);
    }

    if (p->n) {
        e->stats.steps++;
    }

    vm_sched_update_end(e, now);
}


void
vm_sched_update_begin(vm_engine_t *e)
{
    e->step_tokens = 0;
    e->step_outputs = 0;
}


void
vm_sched_token(vm_engine_t *e, vm_seq_t *s, vm_time_t now)
{
    uint32_t     at, count;
    vm_stats_t  *st;
    vm_finish_e  finish;

    st = &e->stats;
    at = s->output;
    count = !s->pooling;

    s->output += count;
    e->step_outputs = 1;
    e->step_tokens += count;
    st->generation_tokens += count;

    if (at == 0) {
        s->first_token = now;
        e->step_tokens += s->prompt - s->cached;

        st->prompt_tokens += s->prompt;
        st->prompt_computed += s->prompt - s->cached;
        st->prompt_cached += s->cached - s->external;
        st->prompt_external += s->external;

        vm_hist_observe(&st->time_to_first_token,
                        vm_update_between(s->arrival, now), 1);

    } else {
        vm_hist_observe(&st->inter_token_latency,
                        vm_update_between(s->last_token, now), 1);
    }

    s->last_token = now;
    finish = VM_FINISH_NONE;

    if (s->pooling) {
        finish = VM_FINISH_STOP;

    } else if (at == s->eos_at) {
        finish = s->eos_finish ? s->eos_finish : VM_FINISH_STOP;

    } else if (s->output >= s->max_tokens
               || vm_seq_tokens(s) >= e->conf.max_model_len)
    {
        finish = VM_FINISH_LENGTH;
    }

    if (at != s->string_at) {
        vm_events_emit(e, s, at, count, now, finish);

        if (finish) {
            vm_update_finish(e, s, finish, now);
            vm_seq_leave(e, s);
        }

        return;
    }

    /* for the client it is over, the engine hears of it a step later */

    vm_events_emit(e, s, at, 1, now, VM_FINISH_STOP);
    vm_update_finish(e, s, VM_FINISH_STOP, now);

    if (finish) {
        vm_seq_leave(e, s);

    } else if (e->clocks) {
        s->abort = VM_ABORT_STRING;     /* when its next token is due */

    } else {
        vm_sched_abort_later(e, s, VM_ABORT_STRING);
    }
}


void
vm_sched_update_end(vm_engine_t *e, vm_time_t now)
{
    vm_stats_t  *st;

    st = &e->stats;

    if (e->step_outputs) {
        vm_hist_observe(&st->iteration_tokens, (double) e->step_tokens, 1);
    }

    st->running = e->running.n;
    st->waiting = vm_sched_waiting(e);
    st->deferred = e->deferred;
    st->used_blocks = vm_kv_used(e);
    st->submitted = e->submitted;
    st->ended = e->ended;

    st->prefix_queries += e->queries;
    st->prefix_hits += e->hits;
    e->queries = 0;
    e->hits = 0;
    e->again_queries = 0;
    e->again_hits = 0;

    if (e->conf.max_loras) {
        vm_update_lora(e, now);
    }
}


void
vm_sched_abort_later(vm_engine_t *e, vm_seq_t *s, vm_abort_e how)
{
    uint32_t  *at;

    /* one that is over for its client stays so; a cancel tops an abort */

    if (s->abort == VM_ABORT_NONE || how == VM_ABORT_CANCEL) {
        s->abort = how;
    }

    if (s->aborting) {
        return;
    }

    s->aborting = 1;
    s->abort_next = VM_NONE;

    at = e->aborts_tail == VM_NONE ? &e->aborts
                                   : &vm_seq(e, e->aborts_tail)->abort_next;
    *at = vm_seq_index(e, s);
    e->aborts_tail = *at;
}


void
vm_sched_aborts(vm_engine_t *e, vm_time_t now)
{
    uint32_t   i;
    vm_seq_t  *s;

    i = e->aborts;
    e->aborts = VM_NONE;
    e->aborts_tail = VM_NONE;

    while (i != VM_NONE) {
        s = vm_seq(e, i);
        i = s->abort_next;
        s->aborting = 0;
        vm_sched_abort(e, s, now);
    }
}


void
vm_sched_abort(vm_engine_t *e, vm_seq_t *s, vm_time_t now)
{
    if (s->state == VM_SEQ_ENDED) {

        /* its results came before the abort */

        if (s->abort == VM_ABORT_CANCEL) {
            vm_events_drop(e, s);
            vm_seq_release(e, s);
        }

        return;
    }

    switch ((vm_abort_e) s->abort) {

    case VM_ABORT_CANCEL:
        vm_events_drop(e, s);
        s->collected = 1;

        if (!s->over) {
            vm_update_child(e, s, 0);
        }

        break;

    case VM_ABORT_QUIET:
        vm_events_emit(e, s, s->output, 0, now, VM_FINISH_ABORT);
        vm_update_child(e, s, 0);
        break;

    case VM_ABORT_COUNTED:
        vm_events_emit(e, s, s->output, 0, now, VM_FINISH_ABORT);
        vm_update_finish(e, s, VM_FINISH_ABORT, now);
        break;

    default:
        break;
    }

    vm_seq_leave(e, s);
}


/* The client hears that it is over. */

static void
vm_update_finish(vm_engine_t *e, vm_seq_t *s, vm_finish_e finish,
    vm_time_t now)
{
    double       decode;
    vm_stats_t  *st;

    st = &e->stats;
    s->over = 1;
    st->finished[finish]++;

    vm_hist_observe(&st->request_prompt_tokens, s->prompt, 1);
    vm_hist_observe(&st->request_generation_tokens, s->output, 1);

    if (!s->pooling) {
        vm_hist_observe(&st->request_params_max_tokens, s->max_tokens, 1);
    }

    vm_hist_observe(&st->request_num_preemptions, s->preemptions, 1);
    vm_hist_observe(&st->request_prefill_kv_computed_tokens,
                    s->prompt - s->cached, 1);

    decode = vm_update_between(s->first_token, s->last_token);

    vm_hist_observe(&st->e2e_request_latency,
                    vm_update_between(s->arrival, now), 1);
    vm_hist_observe(&st->request_queue_time,
                    vm_update_between(s->queued, s->scheduled), 1);
    vm_hist_observe(&st->request_prefill_time,
                    vm_update_between(s->scheduled, s->first_token), 1);
    vm_hist_observe(&st->request_decode_time, decode, 1);
    vm_hist_observe(&st->request_inference_time,
                    vm_update_between(s->scheduled, s->last_token), 1);
    vm_hist_observe(&st->request_time_per_output_token,
                    s->output > 1 ? decode / (s->output - 1) : 0, 1);

    vm_update_child(e, s, 1);
}


/* One of a request's n sequences is over. */

static void
vm_update_child(vm_engine_t *e, vm_seq_t *s, int counted)
{
    uint32_t     n, longest;
    vm_group_t  *g;

    n = 1;
    longest = s->output;

    if (s->group != VM_NONE) {
        g = vm_group(e, s->group);
        g->longest = vm_max(g->longest, longest);
        g->spoilt |= !counted;

        if (--g->left) {
            return;
        }

        n = g->n;
        longest = g->longest;
        counted = !g->spoilt;

        g->left = e->free_group;
        e->free_group = s->group;
    }

    if (counted) {
        vm_hist_observe(&e->stats.request_params_n, n, 1);
        vm_hist_observe(&e->stats.request_max_num_generation_tokens, longest,
                        1);
    }
}


void
vm_seq_leave(vm_engine_t *e, vm_seq_t *s)
{
    uint32_t  i;

    vm_sched_leave(e, s);
    s->state = VM_SEQ_ENDED;

    e->ended++;
    e->live--;
    vm_owner(e, s->owner)->live--;

    if (s->lora_listed) {
        for (i = 0; e->lora[i].id != s->lora; i++) { /* void */ }

        if (--e->lora[i].n == 0) {
            e->nlora--;
            memmove(&e->lora[i], &e->lora[i + 1],
                    (e->nlora - i) * sizeof(vm_lora_use_t));
        }
    }

    if (s->collected) {
        vm_seq_release(e, s);
    }
}


/* The adapters that live sequences use, in the order in which they came. */

static void
vm_update_lora(vm_engine_t *e, vm_time_t now)
{
    uint32_t  i, ids[VM_LORA_MAX];

    for (i = 0; i < e->nlora; i++) {
        ids[i] = e->lora[i].id;
    }

    vm_stats_see_loras(&e->stats, ids, e->nlora, now);
}


static double
vm_update_between(vm_time_t from, vm_time_t to)
{
    if (from == VM_TIME_NONE || to == VM_TIME_NONE || to < from) {
        return 0;
    }

    return vm_seconds(to - from);
}
