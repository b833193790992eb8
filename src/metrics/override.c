/*
 * Overrides: names, and merging.
 */

#include <stdio.h>
#include "override_parts.h"
#include "../base/utf8.h"


#define VM_OVERRIDE_QUOTE  64       /* bytes of a key that a message repeats */


/*
 * Names of AIBrix's mocked application and of llm-d's simulator, which are not
 * those of the families.
 */

typedef struct {
    const char  *name;
    const char  *family;            /* NULL: `metric` */
    uint32_t     metric;
    int          observed;          /* a list is of observations */
} vm_override_short_t;


static int vm_override_parse(vm_overrides_t *o, const char *name, size_t len,
    const json_t *json, const char *text, double now, char *err,
    size_t errlen);
static int vm_override_value_set(vm_overrides_t *o, uint32_t metric,
    const json_t *json, const char *text, double now, const char *name,
    size_t len, char *err, size_t errlen);
static int vm_override_labels(vm_overrides_t *o, uint32_t family,
    const json_t *json, double now, const char *name, size_t len, char *err,
    size_t errlen);
static const vm_override_short_t *vm_override_short(const char *name,
    size_t len);
static uint32_t vm_override_family(const char *name, size_t len,
    int *observed);
static int vm_override_bad(const char *name, size_t len, const char *why,
    char *err, size_t errlen);
static int vm_override_model_name(vm_overrides_t *o, const char *name,
    size_t len, const char *text, size_t textlen, char *err, size_t errlen);
static int vm_override_put(vm_overrides_t *o, const vm_override_t *v,
    char *err, size_t errlen);
static void vm_override_remove(vm_overrides_t *o, uint32_t metric);
static const vm_override_t *vm_override_find(const vm_overrides_t *o,
    uint32_t metric);
static int vm_override_positive(uint32_t metric);
static uint32_t vm_override_series(const vm_family_t *f, const char *text,
    size_t len);
static int vm_override_unknown(const char *name, size_t len, char *err,
    size_t errlen);
static int vm_override_quote(const char *s, size_t len);


static const vm_override_short_t  vm_override_shorts[] = {
    { "total", NULL, VM_METRIC_TOTAL, 0 },
    { "success_total", "request_success_total", 0, 0 },
    { "avg_prompt_throughput", "avg_prompt_throughput_toks_per_s", 0, 0 },
    { "avg_generation_throughput", "avg_generation_throughput_toks_per_s",
      0, 0 },
    { "running", "num_requests_running", 0, 0 },
    { "cpu_running", NULL, VM_METRIC_CPU_RUNNING, 0 },
    { "waiting", "num_requests_waiting", 0, 0 },
    { "swapped", "num_requests_swapped", 0, 0 },
    { "server_load", NULL, VM_METRIC_SERVER_LOAD, 0 },

    { "running-requests", "num_requests_running", 0, 0 },
    { "waiting-requests", "num_requests_waiting", 0, 0 },
    { "kv-cache-usage", "kv_cache_usage_perc", 0, 0 },
    { "request-success-total", "request_success_total", 0, 0 },
    { "total-prompt-tokens", "prompt_tokens_total", 0, 0 },
    { "total-generation-tokens", "generation_tokens_total", 0, 0 },
    { "prefix-cache-hits", "prefix_cache_hits_total", 0, 0 },
    { "prefix-cache-queries", "prefix_cache_queries_total", 0, 0 },
    { "loras", "lora_requests_info", 0, 0 },
    { "ttft-buckets-values", "time_to_first_token_seconds", 0, 0 },
    { "tpot-buckets-values", "inter_token_latency_seconds", 0, 0 },
    { "request-tpot-buckets-values", "request_time_per_output_token_seconds",
      0, 0 },
    { "e2erl-buckets-values", "e2e_request_latency_seconds", 0, 0 },
    { "queue-time-buckets-values", "request_queue_time_seconds", 0, 0 },
    { "inf-time-buckets-values", "request_inference_time_seconds", 0, 0 },
    { "prefill-time-buckets-values", "request_prefill_time_seconds", 0, 0 },
    { "decode-time-buckets-values", "request_decode_time_seconds", 0, 0 },
    { "request-prompt-tokens", "request_prompt_tokens", 0, 1 },
    { "request-generation-tokens", "request_generation_tokens", 0, 1 },
    { "request-params-max-tokens", "request_params_max_tokens", 0, 1 },
    { "request-max-generation-tokens", "request_max_num_generation_tokens",
      0, 1 }
};


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
    size_t                      n;
    uint32_t                    f, series;
    const char                 *brace;
    const vm_family_t          *family;
    const vm_override_short_t  *s;

    s = vm_override_short(name, len);

    if (s && s->family == NULL) {
        return s->metric;
    }

    if (s) {
        name = s->family;
        len = strlen(name);

    } else if (len > 5 && memcmp(name, "vllm:", 5) == 0) {
        name += 5;
        len -= 5;
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


static const vm_override_short_t *
vm_override_short(const char *name, size_t len)
{
    size_t  i;

    for (i = 0; i < vm_nelts(vm_override_shorts); i++) {
        if (strlen(vm_override_shorts[i].name) == len
            && memcmp(vm_override_shorts[i].name, name, len) == 0)
        {
            return &vm_override_shorts[i];
        }
    }

    return NULL;
}


/* A family by its whole name; VM_NEVER. */

static uint32_t
vm_override_family(const char *name, size_t len, int *observed)
{
    const vm_override_short_t  *s;

    s = vm_override_short(name, len);
    *observed = s && s->observed;

    if (s) {
        return s->family ? vm_family_find(s->family, strlen(s->family))
                         : VM_NEVER;
    }

    return len > 5 && memcmp(name, "vllm:", 5) == 0
           ? vm_family_find(name + 5, len - 5) : vm_family_find(name, len);
}


/* A pair, its value as JSON or as text. */

static int
vm_override_parse(vm_overrides_t *o, const char *name, size_t len,
    const json_t *json, const char *text, double now, char *err,
    size_t errlen)
{
    int                 observed, rc;
    char                why[256];
    uint32_t            family, metric;
    const vm_family_t  *f;

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

    family = vm_override_family(name, len, &observed);
    f = family == VM_NEVER ? NULL : &vm_families[family];

    if (json && f && (f->type == VM_FAMILY_HISTOGRAM
                      || (f->flags & VM_FAMILY_LORA)))
    {
        rc = f->type == VM_FAMILY_HISTOGRAM
             ? vm_override_hist_set(o, family, json, observed, why,
                                    sizeof(why))
             : vm_override_loras_set(o, json, now, why, sizeof(why));

        return rc == VM_OK ? rc : vm_override_bad(name, len, why, err, errlen);
    }

    if (json_is_object(json) && f && f->label
        && json_object_get(json, "total") == NULL)
    {
        return vm_override_labels(o, family, json, now, name, len, err,
                                  errlen);
    }

    metric = vm_override_metric(name, len);

    return metric == VM_NEVER
           ? vm_override_unknown(name, len, err, errlen)
           : vm_override_value_set(o, metric, json, text, now, name, len, err,
                                   errlen);
}


/* {"stop": 20, "length": 3}: a series for each value of the label. */

static int
vm_override_labels(vm_overrides_t *o, uint32_t family, const json_t *json,
    double now, const char *name, size_t len, char *err, size_t errlen)
{
    char                why[128];
    void               *it;
    uint32_t            i;
    const char         *key, *text;
    const json_t       *value;
    const vm_family_t  *f;

    f = &vm_families[family];

    for (it = json_object_iter((json_t *) json); it;
         it = json_object_iter_next((json_t *) json, it))
    {
        key = json_object_iter_key(it);
        value = json_object_iter_value(it);
        text = json_string_value(value);

        for (i = 0; i < vm_family_series(f); i++) {
            if (strcmp(f->values[i], key) == 0) {
                break;
            }
        }

        if (i == vm_family_series(f)) {
            snprintf(why, sizeof(why), "it has no %s=\"%.*s\"", f->label,
                     vm_override_quote(key, strlen(key)), key);
            return vm_override_bad(name, len, why, err, errlen);
        }

        if (vm_override_value_set(o, vm_family_metric(family, i), value, text,
                                  now, name, len, err, errlen)
            != VM_OK)
        {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


/* A number or a function: of JSON, or as a directive writes it. */

static int
vm_override_scalar(vm_override_t *v, const json_t *json, const char *text)
{
    const json_t  *total;

    if (json_is_number(json)) {
        v->func = VM_FUNC_CONSTANT;
        v->a = json_number_value(json);
        return VM_OK;
    }

    if (json_is_object(json) && !v->divided) {
        total = json_object_get(json, "total");
        v->divided = 1;

        return json_object_size(json) == 1 && total
               ? vm_override_scalar(v, total, json_string_value(total))
               : VM_ERROR;
    }

    if (text == NULL) {
        return VM_ERROR;
    }

    if (strncmp(text, "total:", 6) == 0 && !v->divided) {
        v->divided = 1;
        text += 6;
        json = NULL;
    }

    if (json == NULL && vm_override_number(text, strlen(text), &v->a) == VM_OK)
    {
        v->func = VM_FUNC_CONSTANT;
        return VM_OK;
    }

    return vm_override_function(v, text);
}


static int
vm_override_value_set(vm_overrides_t *o, uint32_t metric, const json_t *json,
    const char *text, double now, const char *name, size_t len, char *err,
    size_t errlen)
{
    char           why[256];
    vm_override_t  v;

    if (json_is_null(json)
        || (json == NULL && strcmp(text, "null") == 0))
    {
        vm_override_remove(o, metric);
        return VM_OK;
    }

    memset(&v, 0, sizeof(vm_override_t));

    v.metric = (uint16_t) metric;
    v.since = now;

    /* the numerator of a division cannot be one itself */

    if (vm_override_scalar(&v, json, text) != VM_OK
        || (metric == VM_METRIC_TOTAL && v.divided))
    {
        snprintf(why, sizeof(why), "a number, null, {\"total\": N}, %s is "
                 "expected", vm_override_functions);
        return vm_override_bad(name, len, why, err, errlen);
    }

    if ((v.a < 0 || v.b < 0)
        && (v.func == VM_FUNC_RATE || vm_override_positive(metric)))
    {
        return vm_override_bad(name, len, "it cannot be negative", err,
                               errlen);
    }

    return vm_override_put(o, &v, err, errlen);
}


static int
vm_override_bad(const char *name, size_t len, const char *why, char *err,
    size_t errlen)
{
    snprintf(err, errlen, "bad value of \"%.*s\": %s",
             vm_override_quote(name, len), name, why);

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

    if (textlen == 0 || textlen >= sizeof(o->model_name)
        || !vm_utf8_text(text, textlen))
    {
        snprintf(err, errlen, "bad value of \"%.*s\": null or a string of 1 "
                 "to %zu bytes of UTF-8 is expected",
                 vm_override_quote(name, len), name, sizeof(o->model_name) - 1);
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
                 " or \"%.*s_sum\", or its buckets by /set_metrics", quote,
                 name, quote, name, quote, name);
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


/* ---- telling ---- */

static void
vm_override_name(uint32_t metric, vm_buf_t *out)
{
    size_t              i;
    uint32_t            series;
    const vm_family_t  *f;

    for (i = 0; metric >= VM_METRIC_TOTAL && i < vm_nelts(vm_override_shorts);
         i++)
    {
        if (vm_override_shorts[i].metric == metric) {
            vm_buf_str(out, vm_override_shorts[i].name);
            return;
        }
    }

    f = &vm_families[metric / 8];
    series = metric % 8;
    vm_buf_str(out, f->name);

    if (f->type == VM_FAMILY_HISTOGRAM) {
        vm_buf_str(out, series ? "_sum" : "_count");

    } else if (f->label) {
        vm_buf_printf(out, "{%s=\"%s\"}", f->label, f->values[series]);
    }
}


void
vm_overrides_json(const vm_overrides_t *o, vm_buf_t *out)
{
    uint32_t     i;
    vm_buf_t     name;
    const char  *comma;

    comma = "";
    vm_buf_init(&name);
    vm_buf_char(out, '{');

    if (o->model_name[0]) {
        vm_buf_lit(out, "\"model_name\":");
        vm_buf_json(out, o->model_name, strlen(o->model_name));
        comma = ",";
    }

    for (i = 0; i < o->n; i++) {
        vm_buf_reset(&name);
        vm_override_name(o->list[i].metric, &name);
        vm_buf_str(out, comma);
        vm_buf_json(out, name.data, name.len);
        vm_buf_char(out, ':');
        vm_override_json(&o->list[i], out);
        comma = ",";
    }

    for (i = 0; i < o->nhists; i++) {
        vm_buf_printf(out, "%s\"%s\":", comma,
                      vm_families[o->hists[i].family].name);
        vm_override_hist_json(&o->hists[i], out);
        comma = ",";
    }

    if (o->nloras) {
        vm_buf_printf(out, "%s\"vllm:lora_requests_info\":", comma);
        vm_override_loras_json(o, out);
    }

    vm_buf_char(out, '}');
    out->failed |= name.failed;
    vm_buf_free(&name);
}


int
vm_override_percent(const vm_overrides_t *o, uint32_t metric)
{
    const vm_override_t  *v;

    v = vm_override_find(o, metric);

    return v && (v->a > 1 || v->b > 1);
}
