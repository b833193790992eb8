/*
 * Profiles: their files, and the time of a step by their tables.  The order of
 * operations is part of the rule: recorded runs agree to the last digit.
 */

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include "profile.h"


#define VM_PROFILE_SCHEMA  "vllm-sim-profile/1"


typedef struct {
    char    *text;
    size_t   size;
} vm_profile_err_t;


static int
vm_profile_fail(vm_profile_err_t *e, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    vsnprintf(e->text, e->size, fmt, args);
    va_end(args);

    return VM_ERROR;
}


/* ---- reading ---- */

static int
vm_profile_number(const json_t *o, const char *key, double *out,
    vm_profile_err_t *e)
{
    const json_t  *v;

    v = json_object_get(o, key);

    if (!json_is_number(v) || !isfinite(json_number_value(v))
        || json_number_value(v) < 0)
    {
        return vm_profile_fail(e, "profile: \"%s\" is no number from 0", key);
    }

    *out = json_number_value(v);

    return VM_OK;
}


static int
vm_profile_uint(const json_t *o, const char *key, uint32_t *out,
    vm_profile_err_t *e)
{
    double  d;

    if (vm_profile_number(o, key, &d, e) != VM_OK) {
        return VM_ERROR;
    }

    if (d != floor(d) || d > UINT32_MAX) {
        return vm_profile_fail(e, "profile: \"%s\" is no whole number", key);
    }

    *out = (uint32_t) d;

    return VM_OK;
}


static int
vm_profile_axis(const json_t *list, const char *name, double *out,
    uint32_t *n, vm_profile_err_t *e)
{
    size_t   i;
    json_t  *v;

    if (json_array_size(list) == 0
        || json_array_size(list) > VM_PROFILE_KNOTS)
    {
        return vm_profile_fail(e, "profile: \"%s\" has %zu knots, 1 to %d are "
                               "allowed", name, json_array_size(list),
                               VM_PROFILE_KNOTS);
    }

    json_array_foreach(list, i, v) {

        if (!json_is_number(v)
            || (i && json_number_value(v) <= out[i - 1]))
        {
            return vm_profile_fail(e, "profile: the knots of \"%s\" do not "
                                   "rise", name);
        }

        out[i] = json_number_value(v);
    }

    *n = (uint32_t) json_array_size(list);

    return VM_OK;
}


static int
vm_profile_values(const json_t *list, const char *name, double *out,
    size_t n, vm_profile_err_t *e)
{
    size_t   i;
    json_t  *v;

    if (json_array_size(list) != n) {
        return vm_profile_fail(e, "profile: \"%s\" has %zu values for %zu "
                               "knots", name, json_array_size(list), n);
    }

    json_array_foreach(list, i, v) {

        if (!json_is_number(v) || !isfinite(json_number_value(v))) {
            return vm_profile_fail(e, "profile: a value of \"%s\" is no "
                                   "number", name);
        }

        out[i] = json_number_value(v);
    }

    return VM_OK;
}


static int
vm_profile_line(const json_t *root, const char *name, const char *axis,
    vm_line_t *l, vm_profile_err_t *e)
{
    const json_t  *o;

    o = json_object_get(root, name);

    if (!json_is_object(o)) {
        return vm_profile_fail(e, "profile: no table \"%s\"", name);
    }

    if (vm_profile_axis(json_object_get(o, axis), name, l->x, &l->n, e)
        != VM_OK)
    {
        return VM_ERROR;
    }

    return vm_profile_values(json_object_get(o, "us"), name, l->us, l->n, e);
}


static int
vm_profile_plane(const json_t *root, const char *name, const char *axis,
    vm_plane_t *p, vm_profile_err_t *e)
{
    uint32_t       i;
    const json_t  *o, *rows;

    o = json_object_get(root, name);
    rows = json_object_get(o, "us");

    if (!json_is_object(o)) {
        return vm_profile_fail(e, "profile: no table \"%s\"", name);
    }

    if (vm_profile_axis(json_object_get(o, axis), name, p->a, &p->n, e)
        != VM_OK
        || vm_profile_axis(json_object_get(o, "kv"), name, p->kv, &p->m, e)
           != VM_OK)
    {
        return VM_ERROR;
    }

    if (p->n * p->m > VM_PROFILE_CELLS || p->n < 2 || p->m < 2
        || json_array_size(rows) != p->n)
    {
        return vm_profile_fail(e, "profile: \"%s\" has %zu rows for %u knots "
                               "(2 by 2 to %d cells)", name,
                               json_array_size(rows), p->n,
                               VM_PROFILE_CELLS);
    }

    for (i = 0; i < p->n; i++) {
        if (vm_profile_values(json_array_get(rows, i), name,
                              p->us + i * p->m, p->m, e)
            != VM_OK)
        {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


static int
vm_profile_rules(const json_t *root, vm_profile_t *p, vm_profile_err_t *e)
{
    const char    *combine;
    const json_t  *rules;

    rules = json_object_get(root, "rules");

    if (vm_profile_uint(rules, "token_round_up", &p->token_round_up, e)
        != VM_OK
        || vm_profile_uint(rules, "kv_round_up", &p->kv_round_up, e) != VM_OK
        || vm_profile_number(rules, "decode_batch_overhead",
                             &p->decode_batch_overhead, e)
           != VM_OK
        || vm_profile_number(rules, "prefill_batch_overhead",
                             &p->prefill_batch_overhead, e)
           != VM_OK)
    {
        return VM_ERROR;
    }

    if (p->token_round_up == 0 || p->kv_round_up == 0) {
        return vm_profile_fail(e, "profile: a round_up is 0");
    }

    combine = json_string_value(json_object_get(rules, "prefill_combine"));

    if (combine && strcmp(combine, "work") == 0) {
        p->by_work = 1;

    } else if (combine && strcmp(combine, "root") != 0) {
        return vm_profile_fail(e, "profile: unknown prefill_combine \"%s\"",
                               combine);
    }

    p->nccl_launch_us = json_number_value(json_object_get(rules,
                                                          "nccl_launch_us"));

    return VM_OK;
}


static int
vm_profile_read(const json_t *root, vm_profile_t *p, vm_profile_err_t *e)
{
    const char    *schema;
    const json_t  *memory, *model, *steps;

    schema = json_string_value(json_object_get(root, "schema"));

    if (schema == NULL || strcmp(schema, VM_PROFILE_SCHEMA) != 0) {
        return vm_profile_fail(e, "profile: schema \"%s\", expected \"%s\"",
                               schema ? schema : "", VM_PROFILE_SCHEMA);
    }

    model = json_object_get(root, "model_config");
    memory = json_object_get(root, "memory");
    steps = json_object_get(root, "per_step_us");

    snprintf(p->device, sizeof(p->device), "%s",
             json_string_value(json_object_get(root, "device"))
             ? json_string_value(json_object_get(root, "device")) : "");
    snprintf(p->model, sizeof(p->model), "%s",
             json_string_value(json_object_get(root, "model"))
             ? json_string_value(json_object_get(root, "model")) : "");

    if (vm_profile_uint(root, "tp", &p->tp, e) != VM_OK
        || vm_profile_uint(model, "layers", &p->layers, e) != VM_OK
        || vm_profile_uint(memory, "num_blocks", &p->num_blocks, e) != VM_OK
        || vm_profile_uint(memory, "block_size", &p->block_size, e) != VM_OK
        || vm_profile_number(json_object_get(root, "device_config"),
                             "memory_gb", &p->memory_gb, e)
           != VM_OK
        || vm_profile_rules(root, p, e) != VM_OK
        || vm_profile_line(root, "linear_us", "n", &p->linear, e) != VM_OK
        || vm_profile_line(root, "kv_cache_save_us", "n", &p->kv_cache_save,
                           e)
           != VM_OK
        || vm_profile_plane(root, "prefill_us", "chunk", &p->prefill, e)
           != VM_OK
        || vm_profile_plane(root, "decode_us", "batch", &p->decode, e)
           != VM_OK)
    {
        return VM_ERROR;
    }

    p->max_positions = (uint32_t) json_integer_value(
                           json_object_get(model, "max_positions"));

    if (p->tp > 1
        && vm_profile_line(root, "all_reduce_us", "n", &p->all_reduce, e)
           != VM_OK)
    {
        return VM_ERROR;
    }

    if (json_is_object(steps)) {
        p->per_step = 1;

        if (vm_profile_line(steps, "by_tokens", "n", &p->by_tokens, e)
            != VM_OK
            || vm_profile_line(steps, "by_sequences", "n", &p->by_sequences,
                               e)
               != VM_OK)
        {
            return VM_ERROR;
        }
    }

    if (json_is_object(json_object_get(root, "cpu_overhead_us_per_step"))) {
        p->has_overhead = 1;

        return vm_profile_line(root, "cpu_overhead_us_per_step", "batch",
                               &p->overhead, e);
    }

    return VM_OK;
}


int
vm_profile_parse(vm_profile_t *p, const char *text, size_t len, char *err,
    size_t errlen)
{
    int               rc;
    json_t           *root;
    json_error_t      je;
    vm_profile_err_t  e;

    memset(p, 0, sizeof(vm_profile_t));

    e.text = err;
    e.size = errlen;
    root = json_loadb(text, len, 0, &je);

    if (!json_is_object(root)) {
        json_decref(root);
        return vm_profile_fail(&e, "profile: no JSON object: %s (line %d)",
                               je.text, je.line);
    }

    rc = vm_profile_read(root, p, &e);
    json_decref(root);

    return rc;
}


/* ---- the time of a step ---- */

static double
vm_profile_line_at(const vm_line_t *l, double x)
{
    uint32_t  i;

    if (x <= l->x[0]) {
        return l->us[0];
    }

    if (x > l->x[l->n - 1]) {
        return l->us[l->n - 1] * x / l->x[l->n - 1];
    }

    for (i = 1; l->x[i] < x; i++) { /* void */ }

    return l->us[i - 1] + (x - l->x[i - 1]) * (l->us[i] - l->us[i - 1])
                          / (l->x[i] - l->x[i - 1]);
}


/* The cell of an axis, and the weight of its upper knot. */

static uint32_t
vm_profile_cell(const double *a, uint32_t n, double x, double *weight)
{
    uint32_t  i;

    if (x <= a[0]) {
        *weight = 0;
        return 0;
    }

    for (i = 0; i + 2 < n && a[i + 1] < x; i++) { /* void */ }

    *weight = (x - a[i]) / (a[i + 1] - a[i]);

    return i;
}


static double
vm_profile_plane_at(const vm_plane_t *p, double a, double kv)
{
    double         high, low, u, v;
    uint32_t       i, j;
    const double  *row;

    i = vm_profile_cell(p->a, p->n, a, &u);
    j = vm_profile_cell(p->kv, p->m, kv, &v);

    row = p->us + i * p->m;
    low = row[j] + v * (row[j + 1] - row[j]);
    row += p->m;
    high = row[j] + v * (row[j + 1] - row[j]);

    return low + u * (high - low);
}


static double
vm_profile_decode(const vm_profile_t *p, double batch, double kv)
{
    double             scale;
    const vm_plane_t  *d;

    d = &p->decode;
    scale = 1.0;

    if (batch > d->a[d->n - 1]) {
        scale = scale * batch / d->a[d->n - 1];
        batch = d->a[d->n - 1];
    }

    if (kv > d->kv[d->m - 1]) {
        scale = scale * kv / d->kv[d->m - 1];
        kv = d->kv[d->m - 1];
    }

    return vm_profile_plane_at(d, batch, kv) * scale;
}


static uint64_t
vm_profile_up(uint64_t x, uint32_t g)
{
    return (x + g - 1) / g * g;
}


vm_time_t
vm_profile_step(const vm_profile_t *p, const vm_prefill_t *prefills,
    uint32_t nprefills, uint32_t ndecodes, uint64_t kv, int cpu_overhead)
{
    double    chunk, squares, us, work;
    uint32_t  i;
    uint64_t  n, n8, sum;

    n = ndecodes;

    for (i = 0; i < nprefills; i++) {
        n += prefills[i].now;
    }

    n8 = vm_profile_up(n, p->token_round_up);
    us = vm_profile_line_at(&p->linear, (double) n8)
         + vm_profile_line_at(&p->kv_cache_save, (double) n);

    if (ndecodes) {
        sum = vm_profile_up(kv / ndecodes, p->kv_round_up);
        us += vm_profile_decode(p, ndecodes, (double) sum)
              * (1 + (ndecodes > 1 ? p->decode_batch_overhead : 0));
    }

    if (nprefills) {
        squares = 0;
        work = 0;
        sum = 0;

        for (i = 0; i < nprefills; i++) {
            squares += (double) prefills[i].now * prefills[i].now;
            sum += vm_profile_up(prefills[i].before, p->kv_round_up);
            work += (double) prefills[i].now
                    * (double) vm_profile_up(prefills[i].before,
                                             p->kv_round_up);
        }

        chunk = (double) llrint(sqrt(squares));
        us += vm_profile_plane_at(&p->prefill, chunk,
                                  p->by_work ? work / chunk : (double) sum)
              * (1 + (nprefills > 1 ? p->prefill_batch_overhead : 0));
    }

    if (p->tp > 1) {
        us += 2 * (vm_profile_line_at(&p->all_reduce, (double) n8)
                   + p->nccl_launch_us);
    }

    us *= p->layers;

    if (p->per_step) {
        us += vm_profile_line_at(&p->by_tokens, (double) n);
        us += vm_profile_line_at(&p->by_sequences,
                                 (double) (nprefills + ndecodes));
    }

    if (cpu_overhead && p->has_overhead) {
        us += vm_profile_line_at(&p->overhead,
                                 (double) (nprefills + ndecodes));
    }

    return (vm_time_t) llrint(us * 1000);
}
