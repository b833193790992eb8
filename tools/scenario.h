/*
 * A scenario of the scheduler's recordings: its plan, step by step, without
 * time.
 */

#ifndef VM_SCENARIO_H
#define VM_SCENARIO_H


#include "../src/base/buf.h"


/* The plan as JSON in `out`; VM_ERROR and a message in `err`. */
int vm_scenario_plan(const char *text, size_t len, vm_buf_t *out, char *err,
    size_t errlen);


#endif /* VM_SCENARIO_H */
