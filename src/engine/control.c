/*
 * What is done to an engine besides giving it work: ends, pauses, questions.
 */

#include "drive.h"
#include "events.h"
#include "kv.h"
#include "scheduler.h"


static int vm_control_end(vm_engine_t *e, vm_seq_t *s, vm_abort_e how);
static void vm_control_all(vm_engine_t *e, uint32_t owner, vm_abort_e how);
static void vm_control_lose(vm_engine_t *e, const vm_plan_t *p);


void
vm_engine_cancel(vm_engine_t *e, vm_handle_t h, vm_time_t now)
{
    vm_seq_t  *s;

    vm_drive_before(e, now);
    s = vm_seq_find(e, h);

    if (s && vm_control_end(e, s, VM_ABORT_CANCEL)) {
        vm_drive_settle(e);
    }
}


void
vm_engine_abort(vm_engine_t *e, vm_handle_t h, int counted, vm_time_t now)
{
    vm_seq_t  *s;

    vm_drive_before(e, now);
    s = vm_seq_find(e, h);

    if (s && vm_control_end(e, s, counted ? VM_ABORT_COUNTED
                                          : VM_ABORT_QUIET))
    {
        vm_drive_settle(e);
    }
}


void
vm_engine_abort_all(vm_engine_t *e, int counted, vm_time_t now)
{
    uint32_t  i;

    vm_drive_before(e, now);

    for (i = 0; i < e->conf.owners; i++) {
        vm_control_all(e, i, counted ? VM_ABORT_COUNTED : VM_ABORT_QUIET);
    }
}


void
vm_engine_release(vm_engine_t *e, uint32_t owner, vm_time_t now)
{
    vm_drive_before(e, now);
    vm_control_all(e, owner, VM_ABORT_CANCEL);
}


static void
vm_control_all(vm_engine_t *e, uint32_t owner, vm_abort_e how)
{
    int        stirred;
    uint32_t   i, next;
    vm_seq_t  *s;

    stirred = 0;

    for (i = vm_owner(e, owner)->seqs; i != VM_NONE; i = next) {
        s = vm_seq(e, i);
        next = s->owner_next;
        stirred |= vm_control_end(e, s, how);
    }

    if (stirred) {
        vm_drive_settle(e);
    }
}


/* 1 if the scheduler has to look. */

static int
vm_control_end(vm_engine_t *e, vm_seq_t *s, vm_abort_e how)
{
    if (s->state == VM_SEQ_ENDED) {

        if (how == VM_ABORT_CANCEL) {
            vm_events_drop(e, s);
            vm_seq_release(e, s);
        }

        return 0;
    }

    if (how == VM_ABORT_CANCEL) {

        /* nothing that came before is of interest any more */

        vm_events_drop(e, s);
    }

    vm_sched_abort_later(e, s, how);

    return 1;
}


void
vm_engine_pause(vm_engine_t *e, vm_pause_e mode, vm_time_t now)
{
    vm_drive_before(e, now);
    e->pause = mode;
    vm_drive_wake(e);
}


int
vm_engine_reset_prefix_cache(vm_engine_t *e, int reset_running, vm_time_t now)
{
    vm_drive_before(e, now);

    if (reset_running) {

        if (e->stepping) {
            vm_control_lose(e, &e->plans[e->current]);
        }

        if (e->planned) {
            vm_control_lose(e, &e->plans[e->current ^ 1]);
        }

        vm_drive_wake(e);
    }

    return vm_sched_reset(e, reset_running);
}


int
vm_engine_at_rest(const vm_engine_t *e)
{
    if (e->clocks ? e->nclock : e->stepping) {
        return 0;
    }

    if (e->pause == VM_PAUSE_KEEP) {
        return 1;
    }

    return e->pause == VM_PAUSE_WAIT ? e->running.n == 0 : e->live == 0;
}


void
vm_engine_reset_at_rest(vm_engine_t *e, vm_time_t now)
{
    vm_drive_before(e, now);
    e->resetting = 1;
    vm_drive_wake(e);
}


/* Tokens that are being computed are lost with their blocks. */

static void
vm_control_lose(vm_engine_t *e, const vm_plan_t *p)
{
    uint32_t             i;
    vm_seq_t            *s;
    const vm_planned_t  *planned;

    planned = vm_planned(e, p);

    for (i = 0; i < p->n; i++) {
        s = vm_seq(e, planned[i].seq);

        if (planned[i].samples && s->gen == planned[i].gen
            && s->state == VM_SEQ_RUNNING)
        {
            s->lost++;
        }
    }
}


uint32_t
vm_engine_live(const vm_engine_t *e)
{
    return e->live;
}


uint32_t
vm_engine_live_of(const vm_engine_t *e, uint32_t owner)
{
    return vm_owner(e, owner)->live;
}


int
vm_engine_progress(const vm_engine_t *e, vm_handle_t h, uint32_t *prompt,
    uint32_t *output)
{
    const vm_seq_t  *s;

    s = vm_seq_find(e, h);

    if (s == NULL || s->state == VM_SEQ_ENDED) {
        return VM_ERROR;
    }

    *prompt = s->prompt;
    *output = s->output;

    return VM_OK;
}


const vm_stats_t *
vm_engine_stats(const vm_engine_t *e)
{
    return &e->stats;
}
