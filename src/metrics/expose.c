/*
 * Prometheus' text format as Python's prometheus_client writes it.
 */

#include <math.h>
#include "families.h"
#include "../base/utf8.h"


static void vm_expose_text(vm_buf_t *out, vm_str_t s, int quotes);
static size_t vm_expose_base(const char *name);


void
vm_metrics_float(vm_buf_t *out, double v)
{
    char    *p, *dot, text[32];
    size_t   len, start, whole;

    if (isnan(v)) {
        vm_buf_lit(out, "NaN");
        return;
    }

    if (isinf(v)) {
        vm_buf_str(out, v > 0 ? "+Inf" : "-Inf");
        return;
    }

    if (v >= 0 && v < 1e6 && v == (double) (uint32_t) v && !signbit(v)) {
        vm_buf_uint(out, (uint32_t) v);
        vm_buf_lit(out, ".0");
        return;
    }

    start = out->len;
    vm_buf_double(out, v);

    if (out->failed || v < 1e6) {
        return;
    }

    len = out->len - start;
    p = out->data + start;

    dot = memchr(p, '.', len);
    if (dot == NULL || dot - p <= 6 || len > sizeof(text)) {
        return;
    }

    /* "1234567.5": the point behind the first digit, and Go's exponent */

    whole = (size_t) (dot - p);
    memcpy(text, p, len);

    out->len = start + 1;
    vm_buf_char(out, '.');
    vm_buf_add(out, text + 1, whole - 1);
    vm_buf_add(out, text + whole + 1, len - whole - 1);

    while (!out->failed && (out->data[out->len - 1] == '0'
                            || out->data[out->len - 1] == '.'))
    {
        out->len--;
    }

    vm_buf_lit(out, "e+0");
    vm_buf_uint(out, whole - 1);
}


void
vm_expose_family(vm_buf_t *out, const char *name, const char *suffix,
    const char *help, const char *type)
{
    vm_str_t  s;

    vm_buf_lit(out, "# HELP ");
    vm_buf_str(out, name);
    vm_buf_str(out, suffix);
    vm_buf_char(out, ' ');

    s.data = help;
    s.len = strlen(help);
    vm_expose_text(out, s, 0);

    vm_buf_lit(out, "\n# TYPE ");
    vm_buf_str(out, name);
    vm_buf_str(out, suffix);
    vm_buf_char(out, ' ');
    vm_buf_str(out, type);
    vm_buf_char(out, '\n');
}


void
vm_expose_created(vm_buf_t *out, const char *name, const char *help)
{
    char    text[128];
    size_t  len;

    len = vm_min(vm_expose_base(name), sizeof(text) - 1);
    memcpy(text, name, len);
    text[len] = '\0';

    vm_expose_family(out, text, "_created", help, "gauge");
}


void
vm_expose_name(vm_buf_t *out, const char *name, const char *suffix,
    const vm_label_t *labels)
{
    const char  *sep;

    vm_buf_str(out, name);
    vm_buf_str(out, suffix);

    if (labels && labels->name) {
        sep = "{";

        for ( /* void */ ; labels->name; labels++) {
            vm_buf_str(out, sep);
            vm_buf_str(out, labels->name);
            vm_buf_lit(out, "=\"");
            vm_expose_text(out, labels->value, 1);
            vm_buf_char(out, '"');
            sep = ",";
        }

        vm_buf_char(out, '}');
    }

    vm_buf_char(out, ' ');
}


void
vm_expose_sample(vm_buf_t *out, const char *name, const char *suffix,
    const vm_label_t *labels, double value)
{
    vm_expose_name(out, name, suffix, labels);
    vm_metrics_float(out, value);
    vm_buf_char(out, '\n');
}


void
vm_expose_created_sample(vm_buf_t *out, const char *name,
    const vm_label_t *labels, double value)
{
    vm_buf_add(out, name, vm_expose_base(name));
    vm_expose_sample(out, "", "_created", labels, value);
}


void
vm_expose_histogram(vm_buf_t *out, const char *name, const vm_label_t *labels,
    const vm_hist_t *h)
{
    double    bounds[VM_HIST_MAX];
    uint32_t  i;

    for (i = 0; i < h->n; i++) {
        bounds[i] = vm_hist_bound(h, i);
    }

    vm_expose_buckets(out, name, labels, bounds, h->counts, h->n,
                      (double) vm_hist_count(h), h->sum);
}


void
vm_expose_buckets(vm_buf_t *out, const char *name, const vm_label_t *labels,
    const double *bounds, const uint64_t *counts, uint32_t n, double count,
    double sum)
{
    double             value;
    size_t             k;
    uint32_t           i;
    uint64_t           total;
    vm_buf_t           bound;
    vm_label_t         list[8], *le;
    const vm_label_t  *l;

    /* `le` goes where the alphabet wants it */

    l = labels;
    le = NULL;

    for (k = 0; l && l->name && k < vm_nelts(list) - 2; k++) {

        if (le == NULL && strcmp(l->name, "le") > 0) {
            le = &list[k];
            continue;
        }

        list[k] = *l++;
    }

    if (le == NULL) {
        le = &list[k++];
    }

    list[k].name = NULL;
    le->name = "le";

    total = 0;
    vm_buf_init(&bound);

    for (i = 0; i < n; i++) {
        total += counts[i];
        value = vm_min((double) total, count);

        vm_buf_reset(&bound);
        vm_metrics_float(&bound, bounds[i]);
        le->value.data = bound.data;
        le->value.len = bound.len;

        vm_expose_sample(out, name, "_bucket", list, value);
    }

    out->failed |= bound.failed;
    vm_buf_free(&bound);

    le->value.data = "+Inf";
    le->value.len = 4;

    vm_expose_sample(out, name, "_bucket", list, count);
    vm_expose_sample(out, name, "_count", labels, count);
    vm_expose_sample(out, name, "_sum", labels, sum);
}


/* Label values escape quotes, HELP does not. */

static void
vm_expose_text(vm_buf_t *out, vm_str_t s, int quotes)
{
    size_t    i, start;
    vm_buf_t  b;

    if (s.len == 0) {
        return;
    }

    if (vm_utf8_valid(s.data, s.len) != s.len) {
        vm_buf_init(&b);
        vm_utf8_repair(s.data, s.len, &b);
        out->failed |= b.failed;
        s.data = b.data;
        s.len = b.len;
        vm_expose_text(out, s, quotes);
        vm_buf_free(&b);
        return;
    }

    for (start = 0, i = 0; i < s.len; i++) {

        if (s.data[i] != '\\' && s.data[i] != '\n'
            && (s.data[i] != '"' || !quotes))
        {
            continue;
        }

        vm_buf_add(out, s.data + start, i - start);
        vm_buf_char(out, '\\');
        vm_buf_char(out, s.data[i] == '\n' ? 'n' : s.data[i]);
        start = i + 1;
    }

    vm_buf_add(out, s.data + start, s.len - start);
}


/*
 * The length of a name without the suffix that makes it a counter.  The one
 * histogram that ends so keeps it.
 */

static size_t
vm_expose_base(const char *name)
{
    size_t  len;

    len = strlen(name);

    if (len > 6 && memcmp(name + len - 6, "_total", 6) == 0
        && strcmp(name, "vllm:iteration_tokens_total") != 0)
    {
        return len - 6;
    }

    return len;
}
