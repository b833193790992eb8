/*
 * Latency models: their names and parameters.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "latency.h"


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


/* The seed application's. */

static void
vm_latency_capacity(vm_latency_t *l)
{
    l->capacity = 1;
    l->base = 50 * VM_MSEC;
    l->ttft = 30 * VM_MSEC;
    l->prefill_per_1k = 20 * VM_MSEC;
    l->decode_per_token = 2 * VM_MSEC;
    l->penalty = 80 * VM_MSEC;
    l->jitter.kind = VM_JITTER_UNIFORM;
    l->jitter.value = 10 * VM_MSEC;
}


int
vm_latency_model(vm_latency_t *l, const char *name, char *err, size_t errlen)
{
    int  i;

    for (i = 0; i < VM_LATENCY_MODELS; i++) {

        if (strcmp(name, vm_lat_models[i]) == 0) {
            l->model = (vm_latency_e) i;
            l->load_factor = 1;

            if (l->model == VM_LATENCY_CAPACITY) {
                vm_latency_capacity(l);
            }

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


int
vm_latency_bare(const char *key, const char *value)
{
    char    *end;
    size_t   i;
    double   d;

    for (i = 0; i < vm_nelts(vm_lats); i++) {

        if (strcmp(key, vm_lats[i].name) == 0
            && (vm_lats[i].kind == VM_LAT_TIME
                || vm_lats[i].kind == VM_LAT_TIME_REAL))
        {
            d = strtod(value, &end);
            return end != value && *end == '\0' && d >= 1;
        }
    }

    return 0;
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

    if (strncmp(text, "uniform:", 8) == 0) {
        j->kind = VM_JITTER_UNIFORM;
        return vm_latency_ns(text + 8, &j->value);
    }

    if (strcmp(text, "none") == 0) {
        j->kind = VM_JITTER_NONE;
        return VM_OK;
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
        j->value = d / 100;
        return d >= 0 && d <= 100 ? VM_OK : VM_ERROR;
    }

    /* the seed's: so much on top, evenly */

    if (model == VM_LATENCY_CAPACITY) {
        j->kind = VM_JITTER_UNIFORM;
        return vm_latency_ns(text, &j->value);
    }

    return VM_ERROR;
}


/* The parameters of a model, for whoever asks for another one. */

static void
vm_latency_unknown(vm_latency_e model, const char *key, char *err,
    size_t errlen)
{
    size_t      at, i;
    const char *separator;

    at = (size_t) snprintf(err, errlen, "latency model \"%s\" has no "
                           "parameter \"%s\"", vm_lat_models[model], key);
    separator = ": ";

    for (i = 0; i < vm_nelts(vm_lats) && at < errlen; i++) {

        if (vm_lats[i].models & (1u << model)) {
            at += (size_t) snprintf(err + at, errlen - at, "%s%s", separator,
                                    vm_lats[i].name);
            separator = ", ";
        }
    }
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
        vm_latency_unknown(l->model, key, err, errlen);
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
        allowed = "none, 0% to 100%, normal:TIME, lognormal:SIGMA (0 to 10) "
                  "or uniform:TIME";
        break;

    default: /* VM_LAT_FLAG */
        l->cpu_overhead = strcmp(value, "on") == 0;
        rc = (l->cpu_overhead || strcmp(value, "off") == 0) ? VM_OK
                                                            : VM_ERROR;
        allowed = "on or off";
        break;
    }

    if (p->offset == vm_lat_at(duration)) {

        /* a fixed time instead of the formula, exact unless jitter follows */

        l->jitter.kind = VM_JITTER_NONE;
    }

    if (rc != VM_OK) {
        snprintf(err, errlen, "invalid value \"%s\" of %s: %s", value, key,
                 allowed);
    }

    return rc;
}


static void
vm_latency_jitter_json(const vm_jitter_t *j, vm_buf_t *out)
{
    static const char *const  kinds[] = {
        [VM_JITTER_NONE] = "none", [VM_JITTER_PERCENT] = "percent",
        [VM_JITTER_NORMAL] = "normal", [VM_JITTER_LOGNORMAL] = "lognormal",
        [VM_JITTER_UNIFORM] = "uniform"
    };

    vm_buf_printf(out, "{\"kind\":\"%s\",\"value\":", kinds[j->kind]);
    vm_buf_double(out, j->kind == VM_JITTER_NORMAL
                       || j->kind == VM_JITTER_UNIFORM
                       ? j->value / VM_NSEC : j->value);
    vm_buf_char(out, '}');
}


void
vm_latency_json(const vm_latency_t *l, vm_buf_t *out)
{
    size_t           i;
    const char      *field;
    const vm_lat_t  *p;

    vm_buf_printf(out, "{\"model\":\"%s\"", vm_lat_models[l->model]);

    if (l->model == VM_LATENCY_PROFILE) {
        vm_buf_printf(out, ",\"device\":\"%s\",\"profile\":\"%s\","
                      "\"tensor_parallel\":%u", l->profile.device,
                      l->profile.model, l->profile.tp);
    }

    for (i = 0; i < vm_nelts(vm_lats); i++) {
        p = &vm_lats[i];
        field = (const char *) l + p->offset;

        if (!(p->models & (1u << l->model))) {
            continue;
        }

        vm_buf_printf(out, ",\"%s\":", p->name);

        switch (p->kind) {

        case VM_LAT_TIME:
            vm_buf_double(out, (double) *(const vm_time_t *)
                               (const void *) field / VM_NSEC);
            break;

        case VM_LAT_TIME_REAL:
            vm_buf_double(out, *(const double *) (const void *) field
                               / VM_NSEC);
            break;

        case VM_LAT_COUNT:
            vm_buf_uint(out, *(const uint32_t *) (const void *) field);
            break;

        case VM_LAT_FACTOR:
            vm_buf_double(out, *(const double *) (const void *) field);
            break;

        case VM_LAT_JITTER:
            vm_latency_jitter_json(&l->jitter, out);
            break;

        default: /* VM_LAT_FLAG */
            vm_buf_str(out, l->cpu_overhead ? "true" : "false");
            break;
        }
    }

    vm_buf_char(out, '}');
}
