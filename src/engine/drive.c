/*
 * Time: when steps are planned, begin and end.
 */

#include "drive.h"
#include "queue.h"
#include "scheduler.h"
#include "steptime.h"


static int vm_drive_run(vm_engine_t *e, vm_time_t until, uint32_t work);
static int vm_drive_steps(vm_engine_t *e, vm_time_t until, uint32_t work);
static void vm_drive_plan(vm_engine_t *e, vm_time_t t);
static void vm_drive_rest(vm_engine_t *e);
static void vm_drive_idle(vm_engine_t *e, vm_time_t t);
static void vm_drive_begin(vm_engine_t *e, vm_time_t t);
static int vm_drive_clocks(vm_engine_t *e, vm_time_t until, uint32_t work);


vm_time_t
vm_engine_advance(vm_engine_t *e, vm_time_t now)
{
    return vm_engine_advance_some(e, now, VM_NEVER);
}


vm_time_t
vm_engine_advance_some(vm_engine_t *e, vm_time_t now, uint32_t work)
{
    vm_time_t  next;

    e->work = work;

    if (now >= e->now) {
        e->behind = vm_drive_run(e, now, work) != 0;

        if (e->behind) {
            return e->now;
        }

        e->now = now;
    }

    next = e->plan_at;

    if (e->clocks) {
        if (e->nclock) {
            next = vm_min(next,
                          vm_seq(e, vm_at(e, e->clock_at, uint32_t)[0])->due);
        }

    } else if (e->stepping) {
        next = vm_min(next, e->step_end);
    }

    return next;
}


void
vm_drive_before(vm_engine_t *e, vm_time_t now)
{
    if (now > e->now && !e->behind) {
        e->behind = vm_drive_run(e, now - 1, e->work) != 0;
        e->now = e->behind ? e->now : now;
    }
}


void
vm_drive_settle(vm_engine_t *e)
{
    if (e->clocks || !e->stepping) {
        vm_sched_aborts(e, e->now);
        e->stirred = 1;
    }

    vm_drive_wake(e);
}


void
vm_drive_wake(vm_engine_t *e)
{
    if (e->clocks || !e->stepping) {
        e->plan_at = vm_min(e->plan_at, e->now);
    }
}


/* Whether the work that it may do is used up, and more is due. */

static int
vm_drive_run(vm_engine_t *e, vm_time_t until, uint32_t work)
{
    return e->clocks ? vm_drive_clocks(e, until, work)
                     : vm_drive_steps(e, until, work);
}


/* Takes a step's cost off the work. */

static void
vm_drive_spend(uint32_t *work, uint32_t n)
{
    if (*work != VM_NEVER) {
        *work -= vm_min(*work, n + 1);
    }
}


/*
 * A step ends, its results are applied, the next one is planned; with
 * asynchronous scheduling that one begins at once, for it was planned when the
 * last began, and the one after it is planned.
 */

static int
vm_drive_steps(vm_engine_t *e, vm_time_t until, uint32_t work)
{
    vm_time_t  t;

    for ( ;; ) {

        if (e->plan_at <= until) {
            e->now = e->plan_at;
            vm_drive_plan(e, e->plan_at);
            continue;
        }

        if (!e->stepping || e->step_end > until) {
            return 0;
        }

        if (work == 0) {
            return 1;
        }

        vm_drive_spend(&work, e->plans[e->current].n);

        t = e->step_end;
        e->now = t;
        e->stepping = 0;

        vm_sched_aborts(e, t);
        vm_sched_update(e, &e->plans[e->current], t);

        if (e->planned) {
            e->planned = 0;
            e->current ^= 1;
            vm_drive_begin(e, t);
        }

        e->plan_at = t;
    }
}


static void
vm_drive_plan(vm_engine_t *e, vm_time_t t)
{
    vm_plan_t  *p;

    e->plan_at = VM_TIME_NONE;

    if (e->stepping) {

        if (e->live) {
            p = &e->plans[e->current ^ 1];
            vm_sched_plan(e, p, t);

            if (p->n) {
                p->duration = vm_step_duration(e, p);
                e->planned = 1;
            }
        }

        return;
    }

    if (e->live == 0) {
        vm_drive_idle(e, t);
        vm_drive_rest(e);
        return;
    }

    p = &e->plans[e->current];
    vm_sched_plan(e, p, t);

    if (p->n) {
        p->duration = vm_step_duration(e, p);
        vm_drive_begin(e, t);

        if (e->conf.async_scheduling) {
            e->plan_at = t;
        }

        return;
    }

    /* nothing to wait for: what was to end with a step ends now */

    vm_drive_idle(e, t);
    vm_drive_rest(e);

    if (e->npreempted || e->aborts != VM_NONE) {
        vm_sched_aborts(e, t);
        e->plan_at = t;
        return;
    }

    e->plan_at = vm_sched_arrival(e, t);
}


/* After the gauges, which vLLM does not set for it. */

static void
vm_drive_rest(vm_engine_t *e)
{
    if (e->resetting && vm_engine_at_rest(e)) {
        e->resetting = 0;
        (void) vm_sched_reset(e, 1);
    }
}


/*
 * Nothing to compute, but the gauges follow; a paused engine does not look,
 * unless somebody left.
 */

static void
vm_drive_idle(vm_engine_t *e, vm_time_t t)
{
    if (e->pause == VM_PAUSE_NONE || e->stirred) {
        e->stirred = 0;
        vm_sched_update_begin(e);
        vm_sched_update_end(e, t);
    }
}


static void
vm_drive_begin(vm_engine_t *e, vm_time_t t)
{
    e->stepping = 1;
    e->plans[e->current].step = ++e->steps;
    e->step_end = t + vm_max(e->plans[e->current].duration, 0);
}


/* Every sequence by its own clock: an instant is a step of those due. */

static int
vm_drive_clocks(vm_engine_t *e, vm_time_t until, uint32_t work)
{
    uint32_t       i, *clock, *ready;
    vm_seq_t      *s;
    vm_time_t      t;
    vm_plan_t     *p;
    vm_planned_t  *planned;

    clock = vm_at(e, e->clock_at, uint32_t);
    ready = vm_ready(e);
    p = &e->plans[0];

    for ( ;; ) {
        t = e->plan_at;

        if (e->nclock) {
            t = vm_min(t, vm_seq(e, clock[0])->due);
        }

        if (t > until || t == VM_TIME_NONE) {
            return 0;
        }

        if (work == 0) {
            return 1;
        }

        e->now = t;
        e->plan_at = VM_TIME_NONE;
        vm_sched_update_begin(e);

        while (e->nclock && vm_seq(e, clock[0])->due <= t) {
            s = vm_seq(e, clock[0]);
            vm_clock_remove(e, s);

            if (s->abort) {
                vm_sched_abort(e, s, t);
                continue;
            }

            s->place = e->nready;
            s->ready = 1;
            ready[e->nready++] = vm_seq_index(e, s);
            vm_sched_token(e, s, t);
        }

        vm_sched_plan(e, p, t);
        planned = vm_planned(e, p);

        for (i = 0; i < p->n; i++) {
            s = vm_seq(e, planned[i].seq);
            s->due = t + vm_step_token(e, s, &planned[i]);
            vm_clock_push(e, s);
        }

        vm_drive_spend(&work, p->n);
        e->stats.steps += p->n != 0;

        if (p->n || e->step_outputs) {
            vm_sched_update_end(e, t);

        } else {
            vm_drive_idle(e, t);
        }

        vm_drive_rest(e);
        e->plan_at = e->npreempted ? t : vm_sched_arrival(e, t);
    }
}
