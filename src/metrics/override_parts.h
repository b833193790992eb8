/*
 * What the files of overrides share: functions of time, histograms and
 * adapters, and who names them.  Private to this room.
 */

#ifndef VM_OVERRIDE_PARTS_H
#define VM_OVERRIDE_PARTS_H


#include "families.h"


/* ---- override_function.c ---- */

extern const char  vm_override_functions[];         /* for messages */

/* VM_ERROR: it is none.  Sets func, a, b and period. */
int vm_override_function(vm_override_t *v, const char *text);

/* A decimal number, all of the text and nothing that only C knows. */
int vm_override_number(const char *text, size_t len, double *value);

double vm_override_at(const vm_override_t *v, uint32_t replicas, double now);

/* As it may be set again. */
void vm_override_json(const vm_override_t *v, vm_buf_t *out);


/* ---- override_series.c ---- */

/*
 * A histogram's buckets; `observed`: a list is of observations, not of
 * buckets.  Errors are worded without the name.
 */
int vm_override_hist_set(vm_overrides_t *o, uint32_t family,
    const json_t *json, int observed, char *err, size_t errlen);
void vm_override_hist_json(const vm_override_hist_t *h, vm_buf_t *out);

/* The series of lora_requests_info. */
int vm_override_loras_set(vm_overrides_t *o, const json_t *json, double now,
    char *err, size_t errlen);
void vm_override_loras_json(const vm_overrides_t *o, vm_buf_t *out);


#endif /* VM_OVERRIDE_PARTS_H */
