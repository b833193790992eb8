/*
 * Overrides: names, values that are functions of time, and merging.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "families.h"
#include "../base/utf8.h"


#define VM_OVERRIDE_QUOTE  64       /* bytes of a key that a message repeats */


/* The seed's names, which are not those of the families. */

typedef struct {
    const char  *name;
    const char  *family;            /* NULL: `metric` */
    uint32_t     metric;
} vm_override_short_t;


typedef struct {
    const char  *name;
    vm_func_e    func;
    unsigned     period:1;          /* lo:hi:period, else one number */
} vm_override_func_t;


static int vm_override_parse(vm_overrides_t *o, const char *name, size_t len,
    const json_t *json, const char *text, double now, char *err,
    size_t errlen);
static int vm_override_function(vm_override_t *v, const char *text);
static int vm_override_number(const char *text, size_t len, double *value);
static int vm_override_period(const char *text, size_t len, double *seconds);
static int vm_override_model_name(vm_overrides_t *o, const char *name,
    size_t len, const char *text, size_t textlen, char *err, size_t errlen);
static int vm_override_put(vm_overrides_t *o, const vm_override_t *v,
    char *err, size_t errlen);
static void vm_override_remove(vm_overrides_t *o, uint32_t metric);
static const vm_override_t *vm_override_find(const vm_overrides_t *o,
    uint32_t metric);
static int vm_override_positive(uint32_t metric);
static double vm_override_at(const vm_override_t *v, uint32_t replicas,
    double now);
static uint32_t vm_override_series(const vm_family_t *f, const char *text,
    size_t len);
static int vm_override_unknown(const char *name, size_t len, char *err,
    size_t errlen);
static int vm_override_quote(const char *s, size_t len);


static const vm_override_short_t  vm_override_shorts[] = {
    { "total", NULL, VM_METRIC_TOTAL },
    { "success_total", "request_success_total", 0 },
    { "avg_prompt_throughput", "avg_prompt_throughput_toks_per_s", 0 },
    { "avg_generation_throughput", "avg_generation_throughput_toks_per_s", 0 },
    { "running", "num_requests_running", 0 },
    { "cpu_running", NULL, VM_METRIC_CPU_RUNNING },
    { "waiting", "num_requests_waiting", 0 },
    { "swapped", "num_requests_swapped", 0 },
    { "server_load", NULL, VM_METRIC_SERVER_LOAD }
};


static const vm_override_func_t  vm_override_funcs[] = {
    { "total", VM_FUNC_TOTAL, 0 },
    { "rate", VM_FUNC_RATE, 0 },
    { "oscillate", VM_FUNC_OSCILLATE, 1 },
    { "ramp", VM_FUNC_RAMP, 1 },
    { "rampreset", VM_FUNC_RAMPRESET, 1 },
    { "squarewave", VM_FUNC_SQUAREWAVE, 1 }
};


static const char  vm_override_allowed[] =
    "a number, null, {\"total\": N}, \"oscillate:lo:hi:period\", "
    "\"ramp:from:to:period\", \"rampreset:from:to:period\", "
    "\"squarewave:lo:hi:period\" or \"rate:per_second\"";


int
vm_overrides_merge(vm_overrides_t *o, const json_t *object, double now,
    char *err, size_t errlen)
{
    void            *iter;
    json_t          *value;
    const char      *key;
    vm_overrides_t   new;

    if (!json_is_object(object)) {
        snprintf(err, errlen, "a JSON object of metrics is expected");
        return VM_ERROR;
    }

    new = *o;

    /* jansson's iterators want no const, and change nothing */

    for (iter = json_object_iter((json_t *) object);
         iter;
         iter = json_object_iter_next((json_t *) object, iter))
    {
        key = json_object_iter_key(iter);
        value = json_object_iter_value(iter);

        if (vm_override_parse(&new, key, strlen(key), value, NULL, now, err,
                              errlen)
            != VM_OK)
        {
            return VM_ERROR;
        }
    }

    *o = new;

    return VM_OK;
}


int
vm_overrides_set(vm_overrides_t *o, const char *name, const char *value,
    double now, char *err, size_t errlen)
{
    vm_overrides_t  new;

    new = *o;

    if (vm_override_parse(&new, name, strlen(name), NULL, value, now, err,
                          errlen)
        != VM_OK)
    {
        return VM_ERROR;
    }

    *o = new;

    return VM_OK;
}


int
vm_override_value(const vm_overrides_t *o, uint32_t metric, uint32_t replicas,
    double now, double *value)
{
    const vm_override_t  *v;

    v = vm_override_find(o, metric);

    if (v == NULL) {
        return 0;
    }

    *value = vm_override_at(v, replicas, now);

    return 1;
}


int
vm_override_server_load(const vm_overrides_t *o, uint32_t replicas,
    double now, double *value)
{
    return vm_override_value(o, VM_METRIC_SERVER_LOAD, replicas, now, value);
}


uint32_t
vm_override_metric(const char *name, size_t len)
{
    size_t                      i, n;
    uint32_t                    f, series;
    const char                 *brace;
    const vm_family_t          *family;
    const vm_override_short_t  *s;

    if (len > 5 && memcmp(name, "vllm:", 5) == 0) {
        name += 5;
        len -= 5;

    } else {

        for (i = 0; i < vm_nelts(vm_override_shorts); i++) {
            s = &vm_override_shorts[i];

            if (strlen(s->name) != len || memcmp(s->name, name, len) != 0) {
                continue;
            }

            if (s->family == NULL) {
                return s->metric;
            }

            f = vm_family_find(s->family, strlen(s->family));

            return vm_family_metric(f, 0);
        }
    }

    /* a series is named by its label, else it is the first */

    series = 0;
    brace = memchr(name, '{', len);
    n = brace ? (size_t) (brace - name) : len;

    f = vm_family_find(name, n);

    if (f != VM_NEVER) {
        family = &vm_families[f];

        if (family->type == VM_FAMILY_HISTOGRAM
            || family->type == VM_FAMILY_INFO)
        {
            return VM_NEVER;
        }

        if (brace) {
            series = vm_override_series(family, brace, len - n);
        }

        return series == VM_NEVER ? VM_NEVER : vm_family_metric(f, series);
    }

    /* _count and _sum of a histogram */

    if (len > 6 && memcmp(name + len - 6, "_count", 6) == 0) {
        f = vm_family_find(name, len - 6);

    } else if (len > 4 && memcmp(name + len - 4, "_sum", 4) == 0) {
        f = vm_family_find(name, len - 4);
        series = 1;
    }

    if (f == VM_NEVER || vm_families[f].type != VM_FAMILY_HISTOGRAM) {
        return VM_NEVER;
    }

    return vm_family_metric(f, series);
}


/* Of `{label="value"}`. */

static uint32_t
vm_override_series(const vm_family_t *f, const char *text, size_t len)
{
    int       n;
    char      expected[96];
    uint32_t  i;

    for (i = 0; i < vm_family_series(f) && f->label; i++) {
        n = snprintf(expected, sizeof(expected), "{%s=\"%s\"}", f->label,
                     f->values[i]);

        if ((size_t) n == len && memcmp(expected, text, len) == 0) {
            return i;
        }
    }

    return VM_NEVER;
}


/* A pair, its value as JSON or as text. */

static int
vm_override_parse(vm_overrides_t *o, const char *name, size_t len,
    const json_t *json, const char *text, double now, char *err,
    size_t errlen)
{
    int             bad;
    uint32_t        metric;
    const json_t   *total;
    vm_override_t   v;

    if (json && json_is_string(json)) {
        text = json_string_value(json);

        if (strlen(text) != json_string_length(json)) {
            text = "";                  /* a NUL is in no good value */
        }
    }

    if ((len == 10 && memcmp(name, "model_name", 10) == 0)
        || (len == 15 && memcmp(name, "vllm:model_name", 15) == 0))
    {
        if (json && json_is_null(json)) {
            o->model_name[0] = '\0';
            return VM_OK;
        }

        return vm_override_model_name(o, name, len, text,
                                      text ? strlen(text) : 0, err, errlen);
    }

    metric = vm_override_metric(name, len);

    if (metric == VM_NEVER) {
        return vm_override_unknown(name, len, err, errlen);
    }

    if ((json && json_is_null(json))
        || (json == NULL && strcmp(text, "null") == 0))
    {
        vm_override_remove(o, metric);
        return VM_OK;
    }

    memset(&v, 0, sizeof(vm_override_t));

    v.metric = (uint16_t) metric;
    v.since = now;
    bad = 0;

    if (json && json_is_number(json)) {
        v.func = VM_FUNC_CONSTANT;
        v.a = json_number_value(json);

    } else if (json && json_is_object(json)) {
        total = json_object_get(json, "total");
        bad = json_object_size(json) != 1 || !json_is_number(total);
        v.func = VM_FUNC_TOTAL;
        v.a = json_number_value(total);

    } else if (text == NULL) {
        bad = 1;

    } else if (json == NULL && vm_override_number(text, strlen(text), &v.a)
                               == VM_OK)
    {
        v.func = VM_FUNC_CONSTANT;

    } else {
        bad = vm_override_function(&v, text) != VM_OK;
    }

    /* the numerator of a division cannot be one itself */

    if (metric == VM_METRIC_TOTAL && v.func == VM_FUNC_TOTAL) {
        bad = 1;
    }

    if (bad) {
        snprintf(err, errlen, "bad value of \"%.*s\": %s is expected",
                 vm_override_quote(name, len), name, vm_override_allowed);
        return VM_ERROR;
    }

    if ((v.a < 0 || v.b < 0)
        && (v.func == VM_FUNC_RATE || vm_override_positive(metric)))
    {
        snprintf(err, errlen, "bad value of \"%.*s\": it cannot be negative",
                 vm_override_quote(name, len), name);
        return VM_ERROR;
    }

    return vm_override_put(o, &v, err, errlen);
}


static int
vm_override_function(vm_override_t *v, const char *text)
{
    size_t                     i, n;
    const char                *p, *colon;
    const vm_override_func_t  *f;

    colon = strchr(text, ':');
    if (colon == NULL) {
        return VM_ERROR;
    }

    n = (size_t) (colon - text);
    p = colon + 1;

    for (i = 0; i < vm_nelts(vm_override_funcs); i++) {
        f = &vm_override_funcs[i];

        if (strlen(f->name) != n || memcmp(f->name, text, n) != 0) {
            continue;
        }

        v->func = (uint16_t) f->func;

        if (!f->period) {
            return vm_override_number(p, strlen(p), &v->a);
        }

        colon = strchr(p, ':');

        if (colon == NULL
            || vm_override_number(p, (size_t) (colon - p), &v->a) != VM_OK)
        {
            return VM_ERROR;
        }

        p = colon + 1;
        colon = strchr(p, ':');

        if (colon == NULL
            || vm_override_number(p, (size_t) (colon - p), &v->b) != VM_OK)
        {
            return VM_ERROR;
        }

        return vm_override_period(colon + 1, strlen(colon + 1), &v->period);
    }

    return VM_ERROR;
}


/* A decimal number, all of the text and nothing that only C knows. */

static int
vm_override_number(const char *text, size_t len, double *value)
{
    char  *end, copy[64];

    if (len == 0 || len >= sizeof(copy)) {
        return VM_ERROR;
    }

    memcpy(copy, text, len);
    copy[len] = '\0';

    if (strspn(copy, "0123456789+-.eE") != len) {
        return VM_ERROR;
    }

    *value = strtod(copy, &end);

    return *end == '\0' && isfinite(*value) ? VM_OK : VM_ERROR;
}


/* Seconds, or with a unit. */

static int
vm_override_period(const char *text, size_t len, double *seconds)
{
    size_t  i, n;

    static const struct {
        const char  *name;
        double       seconds;
    } units[] = {
        { "ms", 0.001 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "", 1 }
    };

    for (i = 0; i < vm_nelts(units); i++) {
        n = strlen(units[i].name);

        if (len > n && memcmp(text + len - n, units[i].name, n) == 0
            && vm_override_number(text, len - n, seconds) == VM_OK)
        {
            *seconds *= units[i].seconds;
            return *seconds > 0 ? VM_OK : VM_ERROR;
        }
    }

    return VM_ERROR;
}


static int
vm_override_model_name(vm_overrides_t *o, const char *name, size_t len,
    const char *text, size_t textlen, char *err, size_t errlen)
{
    size_t  i;

    for (i = 0; i < textlen; i++) {
        if ((unsigned char) text[i] < ' ') {
            textlen = 0;
        }
    }

    if (textlen == 0 || vm_utf8_valid(text, textlen) != textlen
        || textlen >= sizeof(o->model_name)) {
        snprintf(err, errlen, "bad value of \"%.*s\": null or a string of 1 "
                 "to %zu bytes of UTF-8 is expected", vm_override_quote(name, len),
                 name, sizeof(o->model_name) - 1);
        return VM_ERROR;
    }

    memcpy(o->model_name, text, textlen);
    o->model_name[textlen] = '\0';

    return VM_OK;
}


static int
vm_override_put(vm_overrides_t *o, const vm_override_t *v, char *err,
    size_t errlen)
{
    double                base;
    vm_override_t        *to;
    const vm_override_t  *old;

    base = 0;
    old = vm_override_find(o, v->metric);

    if (old) {
        to = &o->list[old - o->list];
        base = vm_max(vm_override_at(old, 1, v->since), 0);

    } else if (o->n < VM_OVERRIDES) {
        to = &o->list[o->n++];

    } else {
        snprintf(err, errlen, "too many overrides: %d at most", VM_OVERRIDES);
        return VM_ERROR;
    }

    *to = *v;

    if (v->func == VM_FUNC_RATE) {
        to->b = base;                   /* goes on from where it is */
    }

    return VM_OK;
}


static void
vm_override_remove(vm_overrides_t *o, uint32_t metric)
{
    size_t                i;
    const vm_override_t  *v;

    v = vm_override_find(o, metric);

    if (v) {
        i = (size_t) (v - o->list);
        o->n--;
        memmove(&o->list[i], &o->list[i + 1],
                (o->n - i) * sizeof(vm_override_t));
    }
}


static const vm_override_t *
vm_override_find(const vm_overrides_t *o, uint32_t metric)
{
    uint32_t  i;

    for (i = 0; i < o->n; i++) {
        if (o->list[i].metric == metric) {
            return &o->list[i];
        }
    }

    return NULL;
}


/* Counters, counts, and what is divided or answered as a count. */

static int
vm_override_positive(uint32_t metric)
{
    if (metric >= VM_METRIC_TOTAL) {
        return 1;
    }

    return vm_families[metric / 8].type != VM_FAMILY_GAUGE;
}


static double
vm_override_at(const vm_override_t *v, uint32_t replicas, double now)
{
    double  t;

    t = vm_max(now - v->since, 0);

    switch ((vm_func_e) v->func) {

    case VM_FUNC_TOTAL:
        return v->a / (double) vm_max(replicas, 1u);

    case VM_FUNC_OSCILLATE:
        return v->a + (v->b - v->a)
                      * (1 - cos(2 * M_PI * fmod(t, v->period) / v->period))
                      / 2;

    case VM_FUNC_RAMP:
        return v->a + (v->b - v->a) * vm_min(t / v->period, 1);

    case VM_FUNC_RAMPRESET:
        return v->a + (v->b - v->a) * fmod(t, v->period) / v->period;

    case VM_FUNC_SQUAREWAVE:
        return fmod(t, v->period) < v->period / 2 ? v->a : v->b;

    case VM_FUNC_RATE:
        return v->b + v->a * t;

    default:
        return v->a;
    }
}


static int
vm_override_unknown(const char *name, size_t len, char *err, size_t errlen)
{
    int          quote;
    size_t       n;
    uint32_t     f;
    const char  *p;

    quote = vm_override_quote(name, len);
    p = name;
    n = len;

    if (n > 5 && memcmp(p, "vllm:", 5) == 0) {
        p += 5;
        n -= 5;
    }

    f = vm_family_find(p, n);

    if (f != VM_NEVER && vm_families[f].type == VM_FAMILY_HISTOGRAM) {
        snprintf(err, errlen, "\"%.*s\" is a histogram: override \"%.*s_count\""
                 " or \"%.*s_sum\"", quote, name, quote, name, quote, name);
        return VM_ERROR;
    }

    if (f != VM_NEVER && vm_families[f].type == VM_FAMILY_INFO) {
        snprintf(err, errlen, "\"%.*s\" cannot be overridden: it is "
                 "information, not a number", quote, name);
        return VM_ERROR;
    }

    snprintf(err, errlen, "unknown metric \"%.*s\": a metric of vLLM's is "
             "expected, with or without \"vllm:\", or total, model_name, "
             "success_total, avg_prompt_throughput, "
             "avg_generation_throughput, running, cpu_running, waiting, "
             "swapped, server_load", quote, name);

    return VM_ERROR;
}


/* How much of a key to repeat: not too much, and whole characters. */

static int
vm_override_quote(const char *s, size_t len)
{
    if (len > VM_OVERRIDE_QUOTE) {
        len = VM_OVERRIDE_QUOTE;

        while (len && ((unsigned char) s[len] & 0xc0) == 0x80) {
            len--;
        }
    }

    return (int) len;
}
