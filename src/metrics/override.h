/*
 * Overrides of metrics: POST /set_metrics, METRICS_OVERRIDES and
 * vllm_mock_metric.  The table lives in the zone: fixed size, no pointers.
 */

#ifndef VM_OVERRIDE_H
#define VM_OVERRIDE_H


#include <jansson.h>
#include "../base/buf.h"
#include "../base/hist.h"


#define VM_OVERRIDES       64
#define VM_OVERRIDE_HISTS  16
#define VM_OVERRIDE_LORAS  8

typedef enum {
    VM_FUNC_CONSTANT,
    VM_FUNC_OSCILLATE,              /* a: lo, b: hi, period */
    VM_FUNC_RAMP,                   /* a: from, b: to, period */
    VM_FUNC_RAMPRESET,
    VM_FUNC_SQUAREWAVE,
    VM_FUNC_RATE                    /* a: per second; b: where it began */
} vm_func_e;

typedef struct {
    uint16_t   metric;              /* which one: override.c's table */
    uint8_t    func;                /* vm_func_e */
    uint8_t    divided;             /* by the replicas: {"total": ...} */
    double     a;
    double     b;
    double     period;              /* seconds */
    double     since;               /* Unix seconds when it was set */
} vm_override_t;

/* A histogram: what each bucket counts, all bounds of the list and +Inf. */

typedef struct {
    uint32_t   family;
    uint64_t   counts[VM_HIST_MAX + 1];
    double     sum;
} vm_override_hist_t;

/* A series of vllm:lora_requests_info. */

typedef struct {
    char       running[128];        /* "a,b" */
    char       waiting[128];
    uint32_t   max;                 /* 0: --max-loras */
    double     seconds;             /* its value, Unix */
} vm_override_lora_t;

typedef struct {
    uint32_t            n;
    uint32_t            nhists;
    uint32_t            nloras;
    vm_override_t       list[VM_OVERRIDES];
    vm_override_hist_t  hists[VM_OVERRIDE_HISTS];
    vm_override_lora_t  loras[VM_OVERRIDE_LORAS];
    char                model_name[128];        /* "": not overridden */
} vm_overrides_t;


/*
 * Merges a JSON object into `o`: all of it, or nothing and a message in `err`
 * that names the key and what is allowed.  `now` is Unix seconds.
 */
int vm_overrides_merge(vm_overrides_t *o, const json_t *object, double now,
    char *err, size_t errlen);

/* The same for one pair as a directive writes it: name, number or function. */
int vm_overrides_set(vm_overrides_t *o, const char *name, const char *value,
    double now, char *err, size_t errlen);

/*
 * What a metric is overridden to at a time: 1 and the value, or 0.  Replicas
 * of 0 count as 1.
 */
int vm_override_value(const vm_overrides_t *o, uint32_t metric,
    uint32_t replicas, double now, double *value);

/* The metric of a name, with or without "vllm:", or a short one; VM_NEVER. */
uint32_t vm_override_metric(const char *name, size_t len);

/* Its values go beyond 1: a fraction that is meant in percent. */
int vm_override_percent(const vm_overrides_t *o, uint32_t metric);

/* NULL: the histogram counts what was observed. */
const vm_override_hist_t *vm_override_hist(const vm_overrides_t *o,
    uint32_t family);

/* All of them as an object that vm_overrides_merge() takes. */
void vm_overrides_json(const vm_overrides_t *o, vm_buf_t *out);

/* What GET /load answers: 1 and the value if `server_load` is overridden. */
int vm_override_server_load(const vm_overrides_t *o, uint32_t replicas,
    double now, double *value);


#endif /* VM_OVERRIDE_H */
