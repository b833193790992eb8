/*
 * How long a step takes, or one sequence's next token, by the latency model.
 */

#ifndef VM_STEPTIME_H
#define VM_STEPTIME_H


#include "state.h"


/* Whether each sequence has its own clock, instead of steps for all. */
int vm_step_clocks(const vm_engine_conf_t *conf);

/* A step shared by all that are planned. */
vm_time_t vm_step_duration(vm_engine_t *e, const vm_plan_t *p);

/* From the planning of this sequence's next token to the token. */
vm_time_t vm_step_token(vm_engine_t *e, vm_seq_t *s, const vm_planned_t *p);

/* KV of so many tokens from elsewhere. */
vm_time_t vm_step_transfer(vm_engine_t *e, uint32_t tokens);


#endif /* VM_STEPTIME_H */
