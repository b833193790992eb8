/*
 * Reports of a run.
 */

#include <math.h>
#include <stdlib.h>
#include "report.h"
#include "../src/metrics/metrics.h"


#define VM_REPORT_TIME  32

typedef struct {
    const char  *name;
    double      *values;
    uint32_t     n;
} vm_report_series_t;


/* Seconds with nine decimals, exactly; nothing for what did not happen. */

static const char *
vm_report_time(char *buf, vm_time_t from, vm_time_t to)
{
    if (from == VM_TIME_NONE || to == VM_TIME_NONE) {
        buf[0] = '\0';

    } else {
        snprintf(buf, VM_REPORT_TIME, "%lld.%09lld",
                 (long long) ((to - from) / VM_NSEC),
                 (long long) ((to - from) % VM_NSEC));
    }

    return buf;
}


static int
vm_report_tpot(const vm_wreq_t *q, double *out)
{
    if (q->made < 2 || q->finish == VM_FINISH_NONE) {
        return 0;
    }

    *out = (double) (q->last_token - q->first_token) / (q->made - 1) / 1e9;

    return 1;
}


void
vm_report_rows(FILE *f, vm_report_e format, const vm_workload_t *w)
{
    char              a[VM_REPORT_TIME], b[VM_REPORT_TIME], c[VM_REPORT_TIME];
    char              d[VM_REPORT_TIME], t[VM_REPORT_TIME];
    double            tpot;
    uint32_t          i;
    const vm_wreq_t  *q;

    if (format == VM_REPORT_CSV) {
        fputs("arrival_s,queue_s,ttft_s,tpot_s,e2e_s,cached_tokens,"
              "preemptions\n", f);
    }

    for (i = 0; i < w->n; i++) {
        q = &w->requests[i];
        t[0] = '\0';

        if (vm_report_tpot(q, &tpot)) {
            snprintf(t, sizeof(t), "%.9f", tpot);
        }

        vm_report_time(a, 0, q->arrival);
        vm_report_time(b, q->arrival, q->scheduled);
        vm_report_time(c, q->arrival, q->first_token);
        vm_report_time(d, q->arrival, q->last_token);

        if (format == VM_REPORT_CSV) {
            fprintf(f, "%s,%s,%s,%s,%s,%u,%u\n", a, b, c, t, d, q->cached,
                    q->preemptions);
            continue;
        }

        fprintf(f, "%s{\"arrival_s\":%s,\"queue_s\":%s,\"ttft_s\":%s,"
                "\"tpot_s\":%s,\"e2e_s\":%s,\"cached_tokens\":%u,"
                "\"preemptions\":%u}", i ? ",\n" : "[", a, *b ? b : "null",
                *c ? c : "null", *t ? t : "null", *d ? d : "null", q->cached,
                q->preemptions);
    }

    if (format == VM_REPORT_JSON) {
        fputs("]\n", f);
    }
}


static int
vm_report_compare(const void *a, const void *b)
{
    double  x, y;

    x = *(const double *) a;
    y = *(const double *) b;

    return x < y ? -1 : x > y;
}


/* Between the two nearest ranks. */

static double
vm_report_percentile(const vm_report_series_t *s, double p)
{
    double    at;
    uint32_t  i;

    if (s->n == 0) {
        return 0;
    }

    at = p / 100 * (s->n - 1);
    i = (uint32_t) at;

    if (i + 1 >= s->n) {
        return s->values[s->n - 1];
    }

    return s->values[i] + (at - i) * (s->values[i + 1] - s->values[i]);
}


static void
vm_report_series(FILE *f, vm_report_e format, vm_report_series_t *s)
{
    double    sum;
    uint32_t  i;

    qsort(s->values, s->n, sizeof(double), vm_report_compare);
    sum = 0;

    for (i = 0; i < s->n; i++) {
        sum += s->values[i];
    }

    fprintf(f, format == VM_REPORT_CSV
               ? "%s,%.9f,%.9f,%.9f,%.9f\n"
               : "\"%s\":{\"mean\":%.9f,\"p50\":%.9f,\"p90\":%.9f,"
                 "\"p99\":%.9f},\n ",
            s->name, s->n ? sum / s->n : 0, vm_report_percentile(s, 50),
            vm_report_percentile(s, 90), vm_report_percentile(s, 99));
}


int
vm_report_summary(FILE *f, vm_report_e format, const vm_simulation_t *s)
{
    double               seconds, numbers[10], tpot;
    uint32_t             i, k;
    const vm_wreq_t     *q;
    const vm_stats_t    *st;
    vm_report_series_t   series[4];

    static const char *const  names[] = { "queue_s", "ttft_s", "tpot_s",
                                          "e2e_s" };
    static const char *const  labels[] = {
        "requests", "unfinished", "duration_s", "requests_per_s",
        "prompt_tokens_per_s", "output_tokens_per_s", "peak_kv_usage",
        "preemptions", "cached_tokens", "steps"
    };

    memset(series, 0, sizeof(series));

    for (k = 0; k < 4; k++) {
        series[k].name = names[k];
        series[k].values = malloc((s->workload->n + 1) * sizeof(double));

        if (series[k].values == NULL) {
            while (k--) {
                free(series[k].values);
            }

            return VM_ERROR;
        }
    }

    memset(numbers, 0, sizeof(numbers));

    for (i = 0; i < s->workload->n; i++) {
        q = &s->workload->requests[i];
        numbers[8] += q->cached;

        if (q->scheduled == VM_TIME_NONE || q->first_token == VM_TIME_NONE) {
            continue;
        }

        series[0].values[series[0].n++]
            = (double) (q->scheduled - q->arrival) / 1e9;
        series[1].values[series[1].n++]
            = (double) (q->first_token - q->arrival) / 1e9;

        if (vm_report_tpot(q, &tpot)) {
            series[2].values[series[2].n++] = tpot;
        }

        series[3].values[series[3].n++]
            = (double) (q->last_token - q->arrival) / 1e9;
    }

    st = vm_engine_stats(s->engine);
    seconds = (double) s->end / 1e9;

    numbers[0] = s->workload->n;
    numbers[1] = s->unfinished;
    numbers[2] = seconds;

    if (seconds > 0) {
        numbers[3] = series[3].n / seconds;
        numbers[4] = (double) st->prompt_tokens / seconds;
        numbers[5] = (double) st->generation_tokens / seconds;
    }

    numbers[6] = (double) s->peak_blocks / (s->conf.num_gpu_blocks - 1);
    numbers[7] = (double) st->preemptions;
    numbers[9] = (double) st->steps;

    fputs(format == VM_REPORT_CSV ? "metric,mean,p50,p90,p99\n" : "{", f);

    for (k = 0; k < 4; k++) {
        vm_report_series(f, format, &series[k]);
        free(series[k].values);
    }

    for (k = 0; k < vm_nelts(labels); k++) {
        fprintf(f, format == VM_REPORT_CSV ? "%s,%.*f\n" : "\"%s\":%.*f%s",
                labels[k], numbers[k] == floor(numbers[k]) ? 0 : 6, numbers[k],
                k + 1 < vm_nelts(labels) ? "," : "}\n");
    }

    return VM_OK;
}


int
vm_report_metrics(FILE *f, const vm_simulation_t *s, const char *model)
{
    int                      rc;
    uint32_t                 i;
    vm_buf_t                 b;
    vm_scrape_t              scrape;
    vm_lora_name_t          *names;
    const vm_engine_conf_t  *c;

    static const vm_str_t  yes = vm_str("True"), no = vm_str("False"),
                           memory = vm_str("0.92");

    c = &s->conf;
    names = calloc(s->workload->nloras + 1, sizeof(vm_lora_name_t));

    if (names == NULL) {
        return VM_ERROR;
    }

    for (i = 0; i < s->workload->nloras; i++) {
        names[i + 1].number = i + 1;
        names[i + 1].name.data = s->workload->loras[i];
        names[i + 1].name.len = strlen(s->workload->loras[i]);
    }

    memset(&scrape, 0, sizeof(scrape));
    scrape.model_name.data = model;
    scrape.model_name.len = strlen(model);
    scrape.now = (double) s->end / 1e9;
    scrape.nranks = 1;
    scrape.ranks = vm_engine_stats(s->engine);
    scrape.cache.enable_prefix_caching = c->prefix_caching ? yes : no;
    scrape.cache.gpu_memory_utilization = memory;
    scrape.cache.block_size = c->block_size;
    scrape.cache.num_gpu_blocks = c->num_gpu_blocks;
    scrape.cache.max_model_len = c->max_model_len;
    scrape.max_loras = c->max_loras;
    scrape.lora_names = names;
    scrape.nlora_names = s->workload->nloras + 1;
    scrape.replica_source_up = -1;

    vm_buf_init(&b);
    rc = vm_metrics_render(&b, &scrape);

    if (rc == VM_OK) {
        fwrite(b.data, 1, b.len, f);
    }

    vm_buf_free(&b);
    free(names);

    return rc;
}
