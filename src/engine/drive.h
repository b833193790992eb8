/*
 * What moves an engine through time.
 */

#ifndef VM_DRIVE_H
#define VM_DRIVE_H


#include "state.h"


/* Up to just before `now`: what happens at `now` itself is still open. */
void vm_drive_before(vm_engine_t *e, vm_time_t now);

/* Somebody came or went: an engine that stands still plans anew. */
void vm_drive_wake(vm_engine_t *e);

/* Ends what is to end with the step, at once if none runs. */
void vm_drive_settle(vm_engine_t *e);


#endif /* VM_DRIVE_H */
