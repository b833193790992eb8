/*
 * How long a step takes.
 */

#ifndef VM_STEPTIME_H
#define VM_STEPTIME_H


#include "core.h"


/* Nanoseconds of a plan that was just made, on the engine's clock. */
vm_time_t vm_steptime(vm_engine_t *e, const vm_planned_t *plan, uint32_t n);


#endif /* VM_STEPTIME_H */
