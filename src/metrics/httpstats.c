/*
 * Requests by handler, as prometheus-fastapi-instrumentator counts them for
 * vLLM: the http_* families.
 */

#include "families.h"


static const double  vm_http_bounds[VM_HTTP_BUCKETS - 1] = { 0.1, 0.5, 1.0 };


static void vm_http_durations_observe(vm_http_stats_t *s, uint32_t handler,
    uint32_t method, double seconds, double unix_now);
static void vm_http_summary_observe(vm_http_summary_t *y, uint64_t bytes,
    double unix_now);
static void vm_http_requests_render(vm_buf_t *out, const vm_scrape_t *s);
static void vm_http_summary_render(vm_buf_t *out, const vm_scrape_t *s,
    const vm_http_summary_t *list, const char *name, const char *help);
static void vm_http_highr_render(vm_buf_t *out, const vm_scrape_t *s);
static void vm_http_durations_render(vm_buf_t *out, const vm_scrape_t *s);


void
vm_http_stats_init(vm_http_stats_t *s)
{
    memset(s, 0, sizeof(vm_http_stats_t));
    vm_hist_init(&s->highr, VM_HIST_HTTP_HIGHR, 0);
}


void
vm_http_stats_observe(vm_http_stats_t *s, uint32_t handler, uint32_t method,
    uint32_t status, uint64_t request_bytes, uint64_t response_bytes,
    double seconds, double unix_now)
{
    uint32_t           i;
    vm_http_series_t  *r;

    vm_hist_observe(&s->highr, seconds, 1);

    if (handler >= VM_HTTP_HANDLERS || method >= VM_HTTP_METHODS) {
        return;
    }

    vm_http_summary_observe(&s->request_size[handler], request_bytes,
                            unix_now);
    vm_http_summary_observe(&s->response_size[handler], response_bytes,
                            unix_now);
    vm_http_durations_observe(s, handler, method, seconds, unix_now);

    status /= 100;

    for (i = 0; i < s->nseries; i++) {
        r = &s->series[i];

        if (r->handler == handler && r->method == method
            && r->status == status)
        {
            r->requests++;
            return;
        }
    }

    if (s->nseries == VM_HTTP_SERIES) {
        return;
    }

    r = &s->series[s->nseries++];

    r->handler = (uint16_t) handler;
    r->method = (uint8_t) method;
    r->status = (uint8_t) status;
    r->requests = 1;
    r->created = unix_now;
}


static void
vm_http_summary_observe(vm_http_summary_t *y, uint64_t bytes, double unix_now)
{
    if (y->count == 0) {
        y->created = unix_now;
    }

    y->count++;
    y->sum += (double) bytes;
}


static void
vm_http_durations_observe(vm_http_stats_t *s, uint32_t handler,
    uint32_t method, double seconds, double unix_now)
{
    uint32_t             b, i;
    vm_http_duration_t  *d;

    for (i = 0; i < s->ndurations; i++) {
        d = &s->durations[i];

        if (d->handler == handler && d->method == method) {
            goto found;
        }
    }

    if (s->ndurations == VM_HTTP_SERIES) {
        return;
    }

    d = &s->durations[s->ndurations++];

    memset(d, 0, sizeof(vm_http_duration_t));
    d->handler = (uint16_t) handler;
    d->method = (uint8_t) method;
    d->created = unix_now;

found:

    for (b = 0; b < VM_HTTP_BUCKETS - 1; b++) {
        if (seconds <= vm_http_bounds[b]) {
            break;
        }
    }

    d->counts[b]++;
    d->sum += seconds;
}


void
vm_http_stats_render(vm_buf_t *out, const vm_scrape_t *s)
{
    vm_http_requests_render(out, s);

    vm_http_summary_render(out, s, s->http->request_size,
        "http_request_size_bytes",
        "Content length of incoming requests by handler. Only value of header "
        "is respected. Otherwise ignored. No percentile calculated. ");

    vm_http_summary_render(out, s, s->http->response_size,
        "http_response_size_bytes",
        "Content length of outgoing responses by handler. Only value of "
        "header is respected. Otherwise ignored. No percentile calculated. ");

    vm_http_highr_render(out, s);
    vm_http_durations_render(out, s);
}


static void
vm_http_requests_render(vm_buf_t *out, const vm_scrape_t *s)
{
    char                     status[3] = "?xx";
    uint32_t                 created, i;
    vm_label_t               labels[4] = {
        { "handler", { NULL, 0 } },
        { "method", { NULL, 0 } },
        { "status", { status, 3 } },
        { NULL, { NULL, 0 } }
    };
    const vm_http_series_t  *r;

    static const char  name[] = "http_requests_total";
    static const char  help[] =
        "Total number of requests by method, status and handler.";

    vm_expose_family(out, name, "", help, "counter");

    for (created = 0; created < (s->http->nseries ? 2u : 1u); created++) {

        if (created) {
            vm_expose_created(out, name, help);
        }

        for (i = 0; i < s->http->nseries; i++) {
            r = &s->http->series[i];

            labels[0].value = s->handlers[r->handler];
            labels[1].value = s->methods[r->method];
            status[0] = (char) ('0' + r->status % 10);

            if (created) {
                vm_expose_created_sample(out, name, labels, r->created);

            } else {
                vm_expose_sample(out, name, "", labels, (double) r->requests);
            }
        }
    }
}


static void
vm_http_summary_render(vm_buf_t *out, const vm_scrape_t *s,
    const vm_http_summary_t *list, const char *name, const char *help)
{
    uint32_t    any, i;
    vm_label_t  labels[2] = {
        { "handler", { NULL, 0 } },
        { NULL, { NULL, 0 } }
    };

    vm_expose_family(out, name, "", help, "summary");

    any = 0;

    for (i = 0; i < VM_HTTP_HANDLERS; i++) {
        if (list[i].count == 0) {
            continue;
        }

        any = 1;
        labels[0].value = s->handlers[i];
        vm_expose_sample(out, name, "_count", labels, (double) list[i].count);
        vm_expose_sample(out, name, "_sum", labels, list[i].sum);
    }

    if (!any) {
        return;
    }

    vm_expose_created(out, name, help);

    for (i = 0; i < VM_HTTP_HANDLERS; i++) {
        if (list[i].count) {
            labels[0].value = s->handlers[i];
            vm_expose_created_sample(out, name, labels, list[i].created);
        }
    }
}


static void
vm_http_highr_render(vm_buf_t *out, const vm_scrape_t *s)
{
    static const char  name[] = "http_request_duration_highr_seconds";
    static const char  help[] =
        "Latency with many buckets but no API specific labels. Made for more "
        "accurate percentile calculations. ";

    vm_expose_family(out, name, "", help, "histogram");
    vm_expose_histogram(out, name, NULL, &s->http->highr);
    vm_expose_created(out, name, help);
    vm_expose_created_sample(out, name, NULL, s->created);
}


static void
vm_http_durations_render(vm_buf_t *out, const vm_scrape_t *s)
{
    uint32_t                   b, i;
    uint64_t                   count;
    vm_label_t                 labels[3] = {
        { "handler", { NULL, 0 } },
        { "method", { NULL, 0 } },
        { NULL, { NULL, 0 } }
    };
    const vm_http_duration_t  *d;

    static const char  name[] = "http_request_duration_seconds";
    static const char  help[] =
        "Latency with only few buckets by handler. Made to be only used if "
        "aggregation by handler is important. ";

    vm_expose_family(out, name, "", help, "histogram");

    for (i = 0; i < s->http->ndurations; i++) {
        d = &s->http->durations[i];

        labels[0].value = s->handlers[d->handler];
        labels[1].value = s->methods[d->method];

        for (b = 0, count = 0; b < VM_HTTP_BUCKETS; b++) {
            count += d->counts[b];
        }

        vm_expose_buckets(out, name, labels, vm_http_bounds, d->counts,
                          VM_HTTP_BUCKETS - 1, (double) count, d->sum);
    }

    if (s->http->ndurations == 0) {
        return;
    }

    vm_expose_created(out, name, help);

    for (i = 0; i < s->http->ndurations; i++) {
        d = &s->http->durations[i];

        labels[0].value = s->handlers[d->handler];
        labels[1].value = s->methods[d->method];
        vm_expose_created_sample(out, name, labels, d->created);
    }
}
