/*
 * What a run gave: a row a request, and a summary.
 */

#ifndef VM_REPORT_H
#define VM_REPORT_H


#include "simulate.h"


typedef enum {
    VM_REPORT_CSV,
    VM_REPORT_JSON
} vm_report_e;


void vm_report_rows(FILE *f, vm_report_e format, const vm_workload_t *w);

/* VM_ERROR: out of memory. */
int vm_report_summary(FILE *f, vm_report_e format, const vm_simulation_t *s);

/* The text of GET /metrics as it were at the end. */
int vm_report_metrics(FILE *f, const vm_simulation_t *s, const char *model);


#endif /* VM_REPORT_H */
