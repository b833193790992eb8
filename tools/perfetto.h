/*
 * A run as a trace that Perfetto and chrome://tracing open.
 */

#ifndef VM_PERFETTO_H
#define VM_PERFETTO_H


#include "simulate.h"


void vm_perfetto_begin(FILE *f, const vm_workload_t *w);

/* A step: what was planned, when it runs. */
void vm_perfetto_step(FILE *f, uint64_t number, vm_time_t begin,
    vm_time_t end, uint32_t prefills, uint32_t decodes, uint32_t tokens);

/* The engine's gauges from now on. */
void vm_perfetto_gauges(FILE *f, vm_time_t now, uint32_t running,
    uint32_t waiting, double usage);

/* A request was preempted from here to there. */
void vm_perfetto_preempted(FILE *f, uint32_t request, vm_time_t from,
    vm_time_t to);

/* The other spans of each request. */
void vm_perfetto_requests(FILE *f, const vm_workload_t *w);

void vm_perfetto_end(FILE *f);


#endif /* VM_PERFETTO_H */
