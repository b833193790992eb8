/*
 * What owners collect: a queue of events for each, in order of time.
 */

#ifndef VM_EVENTS_H
#define VM_EVENTS_H


#include "state.h"


void vm_events_init(vm_engine_t *e);

/* Nodes of the store. */
uint32_t vm_events_room(const vm_engine_conf_t *conf);

/*
 * `count` tokens from `first`, due now.  When nobody collects and the memory
 * is used up, a sequence's last event grows instead.
 */
void vm_events_emit(vm_engine_t *e, vm_seq_t *s, uint32_t first,
    uint32_t count, vm_time_t due, vm_finish_e finish);

/* Nobody wants them any more. */
void vm_events_drop(vm_engine_t *e, vm_seq_t *s);


#endif /* VM_EVENTS_H */
