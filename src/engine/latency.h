/*
 * Latency models: how long things take.  A configuration is a plain struct
 * without pointers, it lies inside the engine's block of memory.
 */

#ifndef VM_LATENCY_H
#define VM_LATENCY_H


#include "profile.h"
#include "../base/buf.h"


typedef enum {
    VM_LATENCY_NONE,                /* everything is due at once */
    VM_LATENCY_CONSTANT,
    VM_LATENCY_PER_TOKEN,
    VM_LATENCY_CAPACITY,            /* the seed's model */
    VM_LATENCY_PROFILE,
    VM_LATENCY_MODELS
} vm_latency_e;

typedef enum {
    VM_JITTER_NONE,
    VM_JITTER_PERCENT,              /* uniform, +- value of the time */
    VM_JITTER_NORMAL,               /* value: sigma in ns, cut at 0 */
    VM_JITTER_LOGNORMAL,            /* value: sigma of the logarithm */
    VM_JITTER_UNIFORM               /* value: 0 to so many ns on top */
} vm_jitter_e;

typedef struct {
    vm_jitter_e  kind;
    double       value;
} vm_jitter_t;

typedef struct {
    vm_latency_e  model;
    vm_jitter_t   jitter;

    /*
     * constant, per_token: times grow by 1 + (load_factor - 1) * load, load
     * being running sequences / max_num_seqs.
     */
    vm_time_t     ttft;             /* constant */
    vm_time_t     itl;              /* constant, per_token */
    double        load_factor;      /* 1: no effect */

    /* per_token */
    vm_time_t     overhead;
    double        per_token;        /* ns of an uncached prompt token */

    /* a remote prefill's cost, all models; 0: as if it were free */
    double        kv_transfer_per_token;

    /* capacity; ttft is used too */
    uint32_t      capacity;
    vm_time_t     base;
    vm_time_t     prefill_per_1k;
    vm_time_t     decode_per_token;
    vm_time_t     penalty;
    vm_time_t     duration;

    /* profile */
    unsigned      cpu_overhead:1;
    vm_profile_t  profile;          /* fixed size, no pointers */
} vm_latency_t;


/*
 * "constant ttft=20ms itl=2.5ms", one call per "key=value" after the model.
 * 0 or a message in `err`, which names the value and what is allowed.
 */
int vm_latency_model(vm_latency_t *l, const char *name, char *err,
    size_t errlen);
int vm_latency_set(vm_latency_t *l, const char *key, const char *value,
    char *err, size_t errlen);

/* Whether a parameter is a time of a second and more without a unit. */
int vm_latency_bare(const char *key, const char *value);

/* {"model":"constant","ttft":0.02,...}, times in seconds. */
void vm_latency_json(const vm_latency_t *l, vm_buf_t *out);

/* "2.5ms", "300us", "1s", "1m", a bare number is seconds; nginx's units. */
int vm_latency_time(const char *text, vm_time_t *out);


#endif /* VM_LATENCY_H */
