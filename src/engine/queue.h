/*
 * Queues of sequences: lists by order of coming, and two heaps, one of waiting
 * sequences by priority, one of running sequences by the time of their next
 * token.
 */

#ifndef VM_QUEUE_H
#define VM_QUEUE_H


#include "state.h"


void vm_list_init(vm_list_t *l);
void vm_list_append(vm_engine_t *e, vm_list_t *l, vm_seq_t *s);
void vm_list_prepend(vm_engine_t *e, vm_list_t *l, vm_seq_t *s);
void vm_list_remove(vm_engine_t *e, vm_list_t *l, vm_seq_t *s);

/* By priority, arrival, order of submission. */
void vm_heap_push(vm_engine_t *e, vm_seq_t *s);
void vm_heap_remove(vm_engine_t *e, vm_seq_t *s);
int vm_heap_before(const vm_seq_t *a, const vm_seq_t *b);

/* By due time, order of admission. */
void vm_clock_push(vm_engine_t *e, vm_seq_t *s);
void vm_clock_remove(vm_engine_t *e, vm_seq_t *s);


#endif /* VM_QUEUE_H */
