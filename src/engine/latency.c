/*
 * Latency models: their parameters, and the times that they give.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "core.h"
#include "steptime.h"
#include "../base/rand.h"


/* ---- parameters ---- */

typedef enum {
    VM_LAT_TIME,
    VM_LAT_TIME_REAL,               /* a time, kept as a fraction of ns */
    VM_LAT_COUNT,
    VM_LAT_FACTOR,
    VM_LAT_JITTER,
    VM_LAT_FLAG
} vm_lat_e;

typedef struct {
    const char  *name;
    unsigned     models;            /* bits of those that have it */
    vm_lat_e     kind;
    size_t       offset;
} vm_lat_t;

#define vm_lat_at(field)  offsetof(vm_latency_t, field)
#define CONSTANT          (1u << VM_LATENCY_CONSTANT)
#define PER_TOKEN         (1u << VM_LATENCY_PER_TOKEN)
#define CAPACITY          (1u << VM_LATENCY_CAPACITY)
#define PROFILE           (1u << VM_LATENCY_PROFILE)

static const vm_lat_t  vm_lats[] = {
    { "ttft", CONSTANT|CAPACITY, VM_LAT_TIME, vm_lat_at(ttft) },
    { "itl", CONSTANT|PER_TOKEN, VM_LAT_TIME, vm_lat_at(itl) },
    { "load_factor", CONSTANT|PER_TOKEN, VM_LAT_FACTOR,
      vm_lat_at(load_factor) },
    { "jitter", CONSTANT|PER_TOKEN|CAPACITY, VM_LAT_JITTER, 0 },
    { "overhead", PER_TOKEN, VM_LAT_TIME, vm_lat_at(overhead) },
    { "per_token", PER_TOKEN, VM_LAT_TIME_REAL, vm_lat_at(per_token) },
    { "kv_transfer_per_token", CONSTANT|PER_TOKEN|CAPACITY|PROFILE,
      VM_LAT_TIME_REAL, vm_lat_at(kv_transfer_per_token) },
    { "capacity", CAPACITY, VM_LAT_COUNT, vm_lat_at(capacity) },
    { "base", CAPACITY, VM_LAT_TIME, vm_lat_at(base) },
    { "prefill_per_1k", CAPACITY, VM_LAT_TIME, vm_lat_at(prefill_per_1k) },
    { "decode_per_token", CAPACITY, VM_LAT_TIME,
      vm_lat_at(decode_per_token) },
    { "penalty", CAPACITY, VM_LAT_TIME, vm_lat_at(penalty) },
    { "duration", CAPACITY, VM_LAT_TIME, vm_lat_at(duration) },
    { "cpu_overhead", PROFILE, VM_LAT_FLAG, 0 }
};

static const char *const  vm_lat_models[VM_LATENCY_MODELS] = {
    "none", "constant", "per_token", "capacity", "profile"
};


int
vm_latency_model(vm_latency_t *l, const char *name, char *err, size_t errlen)
{
    int  i;

    for (i = 0; i < VM_LATENCY_MODELS; i++) {

        if (strcmp(name, vm_lat_models[i]) == 0) {
            l->model = (vm_latency_e) i;
            l->load_factor = 1;
            l->capacity = 1;
            return VM_OK;
        }
    }

    snprintf(err, errlen, "unknown latency model \"%s\": none, constant, "
             "per_token, capacity or profile", name);

    return VM_ERROR;
}


static int
vm_latency_ns(const char *text, double *out)
{
    char                     *end;
    double                    d;
    size_t                    i;
    static const struct {
        const char  *name;
        double       ns;
    }  units[] = {
        { "", 1e9 }, { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 },
        { "m", 60e9 }, { "h", 3600e9 }
    };

    if ((*text < '0' || *text > '9') && *text != '.') {
        return VM_ERROR;
    }

    d = strtod(text, &end);

    for (i = 0; i < vm_nelts(units); i++) {

        if (end != text && strcmp(end, units[i].name) == 0) {
            *out = d * units[i].ns;
            return *out <= 86400e9 ? VM_OK : VM_ERROR;
        }
    }

    return VM_ERROR;
}


int
vm_latency_time(const char *text, vm_time_t *out)
{
    double  ns;

    if (vm_latency_ns(text, &ns) != VM_OK) {
        return VM_ERROR;
    }

    *out = (vm_time_t) llrint(ns);

    return VM_OK;
}


static int
vm_latency_jitter(vm_jitter_t *j, const char *text, vm_latency_e model)
{
    char    *end;
    double   d;

    if (strncmp(text, "normal:", 7) == 0) {
        j->kind = VM_JITTER_NORMAL;
        return vm_latency_ns(text + 7, &j->value);
    }

    if (strncmp(text, "lognormal:", 10) == 0) {
        d = strtod(text + 10, &end);
        j->kind = VM_JITTER_LOGNORMAL;
        j->value = d;
        return (end != text + 10 && *end == '\0' && d >= 0 && d <= 10)
               ? VM_OK : VM_ERROR;
    }

    d = strtod(text, &end);

    if (end != text && strcmp(end, "%") == 0) {
        j->kind = VM_JITTER_PERCENT;
        j->value = d;
        return d >= 0 && d <= 100 ? VM_OK : VM_ERROR;
    }

    /* the seed's: so much on top, evenly */

    if (model == VM_LATENCY_CAPACITY) {
        j->kind = VM_JITTER_UNIFORM;
        return vm_latency_ns(text, &j->value);
    }

    return VM_ERROR;
}


int
vm_latency_set(vm_latency_t *l, const char *key, const char *value,
    char *err, size_t errlen)
{
    int              rc;
    char            *end, *field;
    size_t           i;
    double           d;
    long             n;
    const char      *allowed;
    const vm_lat_t  *p;

    p = NULL;

    for (i = 0; i < vm_nelts(vm_lats); i++) {

        if (strcmp(key, vm_lats[i].name) == 0
            && (vm_lats[i].models & (1u << l->model)))
        {
            p = &vm_lats[i];
        }
    }

    if (p == NULL) {
        snprintf(err, errlen, "latency model \"%s\" has no parameter \"%s\"",
                 vm_lat_models[l->model], key);
        return VM_ERROR;
    }

    field = (char *) l + p->offset;
    rc = VM_OK;

    switch (p->kind) {

    case VM_LAT_TIME:
        rc = vm_latency_time(value, (vm_time_t *) (void *) field);
        allowed = "a time from 0 to 24h such as 20ms, 2.5ms, 300us or 1s";
        break;

    case VM_LAT_TIME_REAL:
        rc = vm_latency_ns(value, (double *) (void *) field);
        allowed = "a time from 0 to 24h such as 20ms, 2.5ms, 300us or 1s";
        break;

    case VM_LAT_COUNT:
        n = strtol(value, &end, 10);
        rc = (end != value && *end == '\0' && n >= 1 && n <= 1000000)
             ? VM_OK : VM_ERROR;
        *(uint32_t *) (void *) field = (uint32_t) n;
        allowed = "1 to 1000000 requests";
        break;

    case VM_LAT_FACTOR:
        d = strtod(value, &end);
        rc = (end != value && *end == '\0' && d >= 1 && d <= 1000)
             ? VM_OK : VM_ERROR;
        *(double *) (void *) field = d;
        allowed = "1 to 1000";
        break;

    case VM_LAT_JITTER:
        rc = vm_latency_jitter(&l->jitter, value, l->model);
        allowed = "0% to 100%, normal:TIME or lognormal:SIGMA";
        break;

    default: /* VM_LAT_FLAG */
        l->cpu_overhead = strcmp(value, "on") == 0;
        rc = (l->cpu_overhead || strcmp(value, "off") == 0) ? VM_OK
                                                            : VM_ERROR;
        allowed = "on or off";
        break;
    }

    if (rc != VM_OK) {
        snprintf(err, errlen, "invalid value \"%s\" of %s: %s", value, key,
                 allowed);
    }

    return rc;
}


/* ---- times of a sequence with a clock ---- */

static double
vm_latency_load(const vm_engine_t *e)
{
    return 1 + (e->conf.latency.load_factor - 1) * e->nrunning
               / e->conf.max_num_seqs;
}


/* On the engine's clock: scaled, with jitter, never below 0. */

static vm_time_t
vm_latency_scaled(vm_engine_t *e, const vm_seq_t *s, double ns)
{
    uint64_t             key;
    const vm_jitter_t   *j;

    j = &e->conf.latency.jitter;
    key = vm_rand_at(e->conf.seed, s->order);

    switch (j->kind) {

    case VM_JITTER_PERCENT:
        ns *= 1 + (2 * vm_rand_unit(vm_rand_at(key, s->output)) - 1)
                  * j->value / 100;
        break;

    case VM_JITTER_NORMAL:
        ns += j->value * vm_rand_normal(key, s->output);
        break;

    case VM_JITTER_LOGNORMAL:
        ns *= exp(j->value * vm_rand_normal(key, s->output)
                  - j->value * j->value / 2);
        break;

    case VM_JITTER_UNIFORM:
        if (s->output == 0) {
            ns += j->value * vm_rand_unit(vm_rand_at(key, 0));
        }

        break;

    default:
        break;
    }

    ns *= e->conf.time_scale;

    return ns > 0 ? (vm_time_t) llrint(ns) : 0;
}


/* How many tokens a sequence will make, as far as it is known. */

static uint32_t
vm_latency_length(const vm_seq_t *s)
{
    uint32_t  n;

    n = s->max_tokens;

    if (s->eos_at != VM_NEVER) {
        n = vm_min(n, s->eos_at + 1);
    }

    if (s->string_at != VM_NEVER) {
        n = vm_min(n, s->string_at + 1);
    }

    return vm_max(n, 1);
}


vm_time_t
vm_latency_first(vm_engine_t *e, const vm_seq_t *s, uint32_t hit)
{
    double               ns;
    uint32_t             over, prefill;
    const vm_latency_t  *l;

    l = &e->conf.latency;
    prefill = vm_seq_tokens(s) - hit;

    if (s->remote && s->output == 0) {
        ns = l->kv_transfer_per_token * prefill;
        return vm_latency_scaled(e, s, ns);
    }

    switch (l->model) {

    case VM_LATENCY_CONSTANT:
        ns = (double) l->ttft * vm_latency_load(e);
        break;

    case VM_LATENCY_PER_TOKEN:
        ns = ((double) l->overhead + l->per_token * prefill)
             * vm_latency_load(e);
        break;

    default: /* VM_LATENCY_CAPACITY */
        over = e->nlive > l->capacity ? e->nlive - l->capacity : 0;
        ns = (double) (l->base + l->ttft)
             + (double) l->prefill_per_1k * prefill / 1000
             + (double) l->penalty * over
             + (double) l->duration / vm_latency_length(s);
        break;
    }

    return vm_latency_scaled(e, s, ns);
}


vm_time_t
vm_latency_next(vm_engine_t *e, const vm_seq_t *s)
{
    double               ns;
    const vm_latency_t  *l;

    l = &e->conf.latency;

    if (l->model == VM_LATENCY_CAPACITY) {
        ns = (double) l->decode_per_token
             + (double) l->duration / vm_latency_length(s);

    } else {
        ns = (double) l->itl * vm_latency_load(e);
    }

    return vm_latency_scaled(e, s, ns);
}


/* ---- times of a step ---- */

vm_time_t
vm_steptime(vm_engine_t *e, const vm_planned_t *plan, uint32_t n)
{
    double               remote;
    uint32_t             i, ndecodes, nprefills, total;
    uint64_t             kv;
    vm_time_t            ns;
    vm_prefill_t        *prefills;
    const vm_seq_t      *s;
    const vm_latency_t  *l;

    l = &e->conf.latency;

    if (l->model != VM_LATENCY_PROFILE) {
        return 0;
    }

    prefills = vm_core_at(e, prefills_at, vm_prefill_t);
    ndecodes = 0;
    nprefills = 0;
    remote = 0;
    kv = 0;

    for (i = 0; i < n; i++) {
        s = &vm_seqs(e)[plan[i].seq];
        total = vm_seq_tokens(s) + (s->placeholders ? s->placeholders - 1
                                                    : 0);

        if (s->remote && s->output == 0 && plan[i].before < s->prompt) {

            /* what comes over the wire is no work for the GPU */

            remote = vm_max(remote, l->kv_transfer_per_token * plan[i].now);
            prefills[nprefills].before = plan[i].before + plan[i].now - 1;
            prefills[nprefills++].now = 1;

        } else if (total > s->prompt && plan[i].now == 1
                   && plan[i].before + 1 == total)
        {
            ndecodes++;
            kv += total;

        } else {
            prefills[nprefills].before = plan[i].before;
            prefills[nprefills++].now = plan[i].now;
        }
    }

    ns = vm_profile_step(&l->profile, prefills, nprefills, ndecodes, kv,
                         l->cpu_overhead);
    ns += (vm_time_t) llrint(remote);

    return e->conf.time_scale == 1
           ? ns : (vm_time_t) llrint((double) ns * e->conf.time_scale);
}
