/*
 * vLLM's scheduler: what the next step computes, and what follows from its
 * results.
 */

#ifndef VM_SCHEDULER_H
#define VM_SCHEDULER_H


#include "state.h"


/* A slot with everything zero but its links, or NULL. */
vm_seq_t *vm_seq_take(vm_engine_t *e);
void vm_seq_release(vm_engine_t *e, vm_seq_t *s);
/* The live or uncollected sequence of a handle, or NULL. */
vm_seq_t *vm_seq_find(const vm_engine_t *e, vm_handle_t h);

/* The engine is done with it. */
void vm_seq_leave(vm_engine_t *e, vm_seq_t *s);
vm_handle_t vm_seq_handle(const vm_engine_t *e, const vm_seq_t *s);

/* Joins the waiting queue. */
void vm_sched_enqueue(vm_engine_t *e, vm_seq_t *s);

/* Plans a step; e->npreempted says how many were preempted for it. */
void vm_sched_plan(vm_engine_t *e, vm_plan_t *p, vm_time_t now);

/* Applies the results of a step that ended now. */
void vm_sched_update(vm_engine_t *e, vm_plan_t *p, vm_time_t now);

/* The parts of an update: tokens between a begin and an end. */
void vm_sched_update_begin(vm_engine_t *e);
void vm_sched_token(vm_engine_t *e, vm_seq_t *s, vm_time_t now);
void vm_sched_update_end(vm_engine_t *e, vm_time_t now);

/* Ends it at once, by s->abort. */
void vm_sched_abort(vm_engine_t *e, vm_seq_t *s, vm_time_t now);

/* Ends those which were to end with the step. */
void vm_sched_aborts(vm_engine_t *e, vm_time_t now);
void vm_sched_abort_later(vm_engine_t *e, vm_seq_t *s, vm_abort_e how);

void vm_sched_preempt(vm_engine_t *e, vm_seq_t *s);

/* Empties the cache; 0 if somebody holds blocks, `running` ones lose them. */
int vm_sched_reset(vm_engine_t *e, int running);

/* Out of its queue, without blocks. */
void vm_sched_leave(vm_engine_t *e, vm_seq_t *s);

uint32_t vm_sched_waiting(const vm_engine_t *e);

/* When KV from elsewhere arrives next, after now; VM_TIME_NONE. */
vm_time_t vm_sched_arrival(vm_engine_t *e, vm_time_t now);


#endif /* VM_SCHEDULER_H */
