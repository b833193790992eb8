/*
 * A trace in virtual time.
 */

#ifndef VM_SIMULATE_H
#define VM_SIMULATE_H


#include <stdio.h>
#include "workload.h"


typedef struct {
    vm_engine_conf_t   conf;
    vm_workload_t     *workload;
    FILE              *perfetto;        /* NULL: none */
    int                progress;        /* on standard error */

    /* results */

    vm_engine_t       *engine;
    vm_time_t          end;             /* of the last step */
    uint32_t           peak_blocks;
    uint32_t           unfinished;
} vm_simulation_t;


/* VM_OK; VM_ERROR and a message. */
int vm_simulate(vm_simulation_t *s, char *err, size_t errlen);


#endif /* VM_SIMULATE_H */
