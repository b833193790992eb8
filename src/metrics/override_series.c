/*
 * Overrides that are no single number: a histogram's buckets, the series of
 * lora_requests_info.
 */

#include <stdio.h>
#include "override_parts.h"
#include "../base/utf8.h"


static int vm_override_buckets(vm_override_hist_t *to, const vm_hist_t *all,
    const json_t *list, char *err, size_t errlen);
static int vm_override_bounds(vm_override_hist_t *to, const vm_hist_t *all,
    const json_t *buckets, char *err, size_t errlen);
static int vm_override_observe(vm_override_hist_t *to, vm_hist_t *all,
    const json_t *list, char *err, size_t errlen);
static double vm_override_middle(const vm_override_hist_t *h,
    const vm_hist_t *all);
static int vm_override_count(const json_t *json, uint64_t *n);
static int vm_override_names(char *to, size_t size, const json_t *names);


/* ---- histograms ---- */

/* The family's bounds, those beyond the model's length too. */

static void
vm_override_all(uint32_t family, vm_hist_t *h)
{
    vm_stats_t  stats;

    vm_stats_init(&stats, UINT32_MAX);
    memcpy(h, (const char *) &stats + vm_families[family].fields[0],
           sizeof(vm_hist_t));
}


const vm_override_hist_t *
vm_override_hist(const vm_overrides_t *o, uint32_t family)
{
    uint32_t  i;

    for (i = 0; i < o->nhists; i++) {
        if (o->hists[i].family == family) {
            return &o->hists[i];
        }
    }

    return NULL;
}


int
vm_override_hist_set(vm_overrides_t *o, uint32_t family, const json_t *json,
    int observed, char *err, size_t errlen)
{
    int                        rc;
    size_t                     i;
    vm_hist_t                  all;
    const json_t              *buckets, *observations, *sum;
    vm_override_hist_t         new;
    const vm_override_hist_t  *old;

    old = vm_override_hist(o, family);

    if (json_is_null(json) || (json_is_array(json) && !json_array_size(json)))
    {
        if (old) {
            i = (size_t) (old - o->hists);
            o->nhists--;
            memmove(&o->hists[i], &o->hists[i + 1],
                    (o->nhists - i) * sizeof(vm_override_hist_t));
        }

        return VM_OK;
    }

    memset(&new, 0, sizeof(vm_override_hist_t));
    new.family = family;
    vm_override_all(family, &all);

    buckets = json_object_get(json, "buckets");
    observations = json_object_get(json, "observations");
    sum = json_object_get(json, "sum");

    if (json_is_array(json)) {
        buckets = observed ? NULL : json;
        observations = observed ? json : NULL;

    } else if ((buckets == NULL) == (observations == NULL)
               || json_object_size(json) != 1 + (sum != NULL)
               || (sum && !json_is_number(sum)))
    {
        snprintf(err, errlen, "a list of buckets' counts, {\"buckets\": list "
                 "or {le: count}, \"sum\": N} or {\"observations\": list} is "
                 "expected; numbers are for its _count and _sum");
        return VM_ERROR;
    }

    rc = observations ? vm_override_observe(&new, &all, observations, err,
                                            errlen)
         : json_is_object(buckets)
           ? vm_override_bounds(&new, &all, buckets, err, errlen)
           : vm_override_buckets(&new, &all, buckets, err, errlen);

    if (rc != VM_OK) {
        return rc;
    }

    if (sum) {
        new.sum = json_number_value(sum);

    } else if (observations == NULL) {
        new.sum = vm_override_middle(&new, &all);
    }

    if (old == NULL && o->nhists == VM_OVERRIDE_HISTS) {
        snprintf(err, errlen, "there are %d histograms already",
                 VM_OVERRIDE_HISTS);
        return VM_ERROR;
    }

    o->hists[old ? (uint32_t) (old - o->hists) : o->nhists++] = new;

    return VM_OK;
}


/* A count for each bucket, the last one +Inf's; those that lack are 0. */

static int
vm_override_buckets(vm_override_hist_t *to, const vm_hist_t *all,
    const json_t *list, char *err, size_t errlen)
{
    size_t   i;
    json_t  *count;

    if (!json_is_array(list) || json_array_size(list) > all->n + 1) {
        snprintf(err, errlen, "a list of up to %u counts is expected",
                 all->n + 1);
        return VM_ERROR;
    }

    json_array_foreach(list, i, count) {
        if (vm_override_count(count, &to->counts[i]) != VM_OK) {
            snprintf(err, errlen, "counts are whole numbers of at least 0");
            return VM_ERROR;
        }
    }

    return VM_OK;
}


/* As Prometheus' text: {"0.1": 3, "+Inf": 5}, each with those below. */

static int
vm_override_bounds(vm_override_hist_t *to, const vm_hist_t *all,
    const json_t *buckets, char *err, size_t errlen)
{
    void        *it;
    double       bound;
    uint32_t     i;
    uint64_t     below, counts[VM_HIST_MAX + 1];
    const char  *le;
    uint8_t      given[VM_HIST_MAX + 1];

    memset(given, 0, sizeof(given));

    for (it = json_object_iter((json_t *) buckets); it;
         it = json_object_iter_next((json_t *) buckets, it))
    {
        le = json_object_iter_key(it);
        i = all->n;

        if (strcmp(le, "+Inf") != 0) {
            bound = 0;

            if (vm_override_number(le, strlen(le), &bound) == VM_OK) {
                for (i = 0; i < all->n; i++) {
                    if (vm_hist_bound(all, i) == bound) {
                        break;
                    }
                }
            }

            if (i == all->n) {
                snprintf(err, errlen, "it has no bucket le=\"%.20s\"", le);
                return VM_ERROR;
            }
        }

        given[i] = 1;

        if (vm_override_count(json_object_iter_value(it), &counts[i])
            != VM_OK)
        {
            snprintf(err, errlen, "counts are whole numbers of at least 0");
            return VM_ERROR;
        }
    }

    for (below = 0, i = 0; i <= all->n; i++) {

        if (!given[i]) {
            continue;
        }

        if (counts[i] < below) {
            snprintf(err, errlen, "a bucket counts those below it too: the "
                     "counts cannot fall");
            return VM_ERROR;
        }

        to->counts[i] = counts[i] - below;
        below = counts[i];
    }

    return VM_OK;
}


static int
vm_override_observe(vm_override_hist_t *to, vm_hist_t *all,
    const json_t *list, char *err, size_t errlen)
{
    size_t   i;
    json_t  *value;

    if (!json_is_array(list)) {
        snprintf(err, errlen, "a list of observations is expected");
        return VM_ERROR;
    }

    json_array_foreach(list, i, value) {

        if (!json_is_number(value) || json_number_value(value) < 0) {
            snprintf(err, errlen, "observations are numbers of at least 0");
            return VM_ERROR;
        }

        vm_hist_observe(all, json_number_value(value), 1);
    }

    memcpy(to->counts, all->counts, sizeof(to->counts));
    to->sum = all->sum;

    return VM_OK;
}


/* Each in the middle of its bucket; beyond the last bound, at it. */

static double
vm_override_middle(const vm_override_hist_t *h, const vm_hist_t *all)
{
    double    high, low, sum;
    uint32_t  i;

    for (sum = 0, low = 0, i = 0; i <= all->n; i++) {
        high = i < all->n ? vm_hist_bound(all, i) : low;
        sum += (double) h->counts[i] * (low + high) / 2;
        low = high;
    }

    return sum;
}


static int
vm_override_count(const json_t *json, uint64_t *n)
{
    if (!json_is_integer(json) || json_integer_value(json) < 0) {
        return VM_ERROR;
    }

    *n = (uint64_t) json_integer_value(json);

    return VM_OK;
}


void
vm_override_hist_json(const vm_override_hist_t *h, vm_buf_t *out)
{
    uint32_t   i;
    vm_hist_t  all;

    vm_override_all(h->family, &all);
    vm_buf_lit(out, "{\"buckets\":[");

    for (i = 0; i <= all.n; i++) {
        vm_buf_str(out, i ? "," : "");
        vm_buf_uint(out, h->counts[i]);
    }

    vm_buf_lit(out, "],\"sum\":");
    vm_buf_double(out, h->sum);
    vm_buf_char(out, '}');
}


/* ---- adapters ---- */

int
vm_override_loras_set(vm_overrides_t *o, const json_t *json, double now,
    char *err, size_t errlen)
{
    size_t               i, known, n;
    const json_t        *max, *one, *seconds;
    vm_override_lora_t  *l, list[VM_OVERRIDE_LORAS];

    n = json_is_array(json) ? json_array_size(json) : 1;
    n = json_is_null(json) ? 0 : n;

    if (n > VM_OVERRIDE_LORAS) {
        snprintf(err, errlen, "%d series at most", VM_OVERRIDE_LORAS);
        return VM_ERROR;
    }

    memset(list, 0, sizeof(list));

    for (i = 0; i < n; i++) {
        l = &list[i];
        one = json_is_array(json) ? json_array_get(json, i) : json;
        max = json_object_get(one, "max_lora");
        seconds = json_object_get(one, "timestamp");
        known = (json_object_get(one, "running") != NULL)
                + (json_object_get(one, "waiting") != NULL)
                + (max != NULL) + (seconds != NULL);

        if (!json_is_object(one) || json_object_size(one) != known
            || vm_override_names(l->running, sizeof(l->running),
                                 json_object_get(one, "running"))
               != VM_OK
            || vm_override_names(l->waiting, sizeof(l->waiting),
                                 json_object_get(one, "waiting"))
               != VM_OK
            || (max && (!json_is_integer(max) || json_integer_value(max) < 1
                        || json_integer_value(max) > INT32_MAX))
            || (seconds && !json_is_number(seconds)))
        {
            snprintf(err, errlen, "{\"running\": \"a,b\" or [\"a\", \"b\"], "
                     "\"waiting\": likewise, \"max_lora\": N, \"timestamp\": "
                     "Unix seconds} or a list of these is expected, names of "
                     "%zu bytes in all", sizeof(l->running) - 1);
            return VM_ERROR;
        }

        l->max = max ? (uint32_t) json_integer_value(max) : 0;
        l->seconds = seconds ? json_number_value(seconds) : now;
    }

    memcpy(o->loras, list, sizeof(list));
    o->nloras = (uint32_t) n;

    return VM_OK;
}


/* "a,b" or ["a", "b"]; nothing is "". */

static int
vm_override_names(char *to, size_t size, const json_t *names)
{
    size_t         i, len, n;
    const json_t  *one;

    if (names == NULL) {
        return VM_OK;
    }

    n = json_is_array(names) ? json_array_size(names) : 1;

    for (len = 0, i = 0; i < n; i++) {
        one = json_is_array(names) ? json_array_get(names, i) : names;

        if (!json_is_string(one)
            || !vm_utf8_text(json_string_value(one), json_string_length(one))
            || len + json_string_length(one) + 2 > size)
        {
            return VM_ERROR;
        }

        if (i) {
            to[len++] = ',';
        }

        memcpy(to + len, json_string_value(one), json_string_length(one));
        len += json_string_length(one);
    }

    to[len] = '\0';

    return VM_OK;
}


void
vm_override_loras_json(const vm_overrides_t *o, vm_buf_t *out)
{
    uint32_t                   i;
    const vm_override_lora_t  *l;

    vm_buf_char(out, '[');

    for (i = 0; i < o->nloras; i++) {
        l = &o->loras[i];
        vm_buf_str(out, i ? ",{\"running\":" : "{\"running\":");
        vm_buf_json(out, l->running, strlen(l->running));
        vm_buf_lit(out, ",\"waiting\":");
        vm_buf_json(out, l->waiting, strlen(l->waiting));

        if (l->max) {
            vm_buf_printf(out, ",\"max_lora\":%u", l->max);
        }

        vm_buf_lit(out, ",\"timestamp\":");
        vm_buf_double(out, l->seconds);
        vm_buf_char(out, '}');
    }

    vm_buf_char(out, ']');
}
