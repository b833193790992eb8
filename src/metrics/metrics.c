/*
 * The text of /metrics: what vLLM's process would say about itself, vLLM's
 * families from the table, http_*, and the mock's own.
 */

#include "families.h"


#define VM_METRICS_TOTAL  100.0     /* the seed's sum over all replicas */


/* One family's value or histogram for one engine, or for all of them. */
typedef struct {
    const vm_scrape_t  *scrape;
    const vm_family_t  *family;
    uint32_t            index;      /* of the family */
    const vm_stats_t   *stats;
    uint32_t            n;          /* engines in these stats */
    vm_label_t          labels[4];
    vm_label_t         *extra;      /* the label that differs in a family */
    char                engine[12];
} vm_metrics_point_t;


static void vm_metrics_python(vm_buf_t *out);
static void vm_metrics_process(vm_buf_t *out, const vm_scrape_t *s);
static void vm_metrics_family(vm_buf_t *out, const vm_scrape_t *s,
    uint32_t index, const vm_stats_t *sum);
static int vm_metrics_shown(const vm_scrape_t *s, uint32_t index);
static void vm_metrics_engine(vm_buf_t *out, vm_metrics_point_t *p,
    int created);
static void vm_metrics_labels(vm_metrics_point_t *p, int engine, uint32_t r);
static double vm_metrics_value(const vm_metrics_point_t *p, uint32_t i);
static void vm_metrics_histogram(vm_buf_t *out, const vm_metrics_point_t *p);
static int vm_metrics_given(const vm_metrics_point_t *p, const vm_hist_t *h,
    vm_hist_t *given);
static int vm_metrics_override(const vm_scrape_t *s, uint32_t index,
    uint32_t i, double *value);
static int vm_metrics_lookup(const vm_scrape_t *s, uint32_t metric,
    double *value);
static void vm_metrics_self(vm_buf_t *out, const vm_scrape_t *s);
static void vm_metrics_single(vm_buf_t *out, const char *name,
    const char *help, const char *type, double value);


int
vm_metrics_render(vm_buf_t *out, const vm_scrape_t *s)
{
    uint32_t           i;
    vm_stats_t         added;
    const vm_stats_t  *sum;

    sum = s->ranks;

    if (s->nranks > 1) {
        added = s->ranks[0];

        for (i = 1; i < s->nranks; i++) {
            vm_stats_add(&added, &s->ranks[i]);
        }

        sum = &added;
    }

    vm_metrics_python(out);
    vm_metrics_process(out, s);

    if (s->nranks) {
        for (i = 0; i < vm_nfamilies; i++) {
            vm_metrics_family(out, s, i, sum);
        }
    }

    if (s->http) {
        vm_http_stats_render(out, s);
    }

    if (s->parser) {
        vm_parser_stats_render(out, s);
    }

    if (s->sleep) {
        vm_sleep_stats_render(out, s);
    }

    if (s->self) {
        vm_metrics_self(out, s);
    }

    return out->failed ? VM_ERROR : VM_OK;
}


/* There is no Python: what a vLLM that has just started says of its own. */

static void
vm_metrics_python(vm_buf_t *out)
{
    uint32_t    g, i;
    vm_label_t  labels[2] = {
        { "generation", { NULL, 0 } },
        { NULL, { NULL, 0 } }
    };

    static const vm_label_t  info[] = {
        { "implementation", vm_str("CPython") },
        { "major", vm_str("3") },
        { "minor", vm_str("11") },
        { "patchlevel", vm_str("7") },
        { "version", vm_str("3.11.7") },
        { NULL, { NULL, 0 } }
    };

    static const struct {
        const char  *name;
        const char  *help;
        double       values[3];
    } gc[] = {
        { "python_gc_objects_collected_total",
          "Objects collected during gc", { 15203, 1933, 1431 } },
        { "python_gc_objects_uncollectable_total",
          "Uncollectable objects found during GC", { 0, 0, 0 } },
        { "python_gc_collections_total",
          "Number of times this generation was collected", { 1692, 154, 10 } }
    };

    for (i = 0; i < vm_nelts(gc); i++) {
        vm_expose_family(out, gc[i].name, "", gc[i].help, "counter");

        for (g = 0; g < 3; g++) {
            labels[0].value.data = &"012"[g];
            labels[0].value.len = 1;
            vm_expose_sample(out, gc[i].name, "", labels, gc[i].values[g]);
        }
    }

    vm_expose_family(out, "python_info", "", "Python platform information",
                     "gauge");
    vm_expose_sample(out, "python_info", "", info, 1);
}


static void
vm_metrics_process(vm_buf_t *out, const vm_scrape_t *s)
{
    if (s->virtual_bytes) {
        vm_metrics_single(out, "process_virtual_memory_bytes",
                          "Virtual memory size in bytes.", "gauge",
                          (double) s->virtual_bytes);
    }

    if (s->resident_bytes) {
        vm_metrics_single(out, "process_resident_memory_bytes",
                          "Resident memory size in bytes.", "gauge",
                          (double) s->resident_bytes);
    }

    if (s->start_time != 0) {
        vm_metrics_single(out, "process_start_time_seconds",
                          "Start time of the process since unix epoch in "
                          "seconds.", "gauge", s->start_time);

        /* a process this young may not have used any */

        vm_metrics_single(out, "process_cpu_seconds_total",
                          "Total user and system CPU time spent in seconds.",
                          "counter", s->cpu_seconds);
    }

    if (s->open_fds) {
        vm_metrics_single(out, "process_open_fds",
                          "Number of open file descriptors.", "gauge",
                          (double) s->open_fds);
    }

    if (s->max_fds) {
        vm_metrics_single(out, "process_max_fds",
                          "Maximum number of open file descriptors.", "gauge",
                          (double) s->max_fds);
    }
}


static void
vm_metrics_family(vm_buf_t *out, const vm_scrape_t *s, uint32_t index,
    const vm_stats_t *sum)
{
    int                  created;
    uint32_t             r;
    vm_metrics_point_t   p;
    const vm_family_t   *f;

    static const char *const  types[] = {
        [VM_FAMILY_GAUGE] = "gauge",
        [VM_FAMILY_COUNTER] = "counter",
        [VM_FAMILY_HISTOGRAM] = "histogram",
        [VM_FAMILY_INFO] = "gauge"
    };

    if (!vm_metrics_shown(s, index)) {
        return;
    }

    f = &vm_families[index];

    vm_expose_family(out, f->name, "", f->help, types[f->type]);

    if (f->type == VM_FAMILY_INFO) {
        f->print(out, s, f);
        return;
    }

    memset(&p, 0, sizeof(vm_metrics_point_t));

    p.scrape = s;
    p.family = f;
    p.index = index;

    for (created = 0; created < (f->type == VM_FAMILY_GAUGE ? 1 : 2);
         created++)
    {
        if (created) {
            vm_expose_created(out, f->name, f->help);
        }

        /* all engines together have one series where no label tells them */

        if (s->scaled || f->scope == VM_SCOPE_MODEL) {
            p.stats = sum;
            p.n = s->nranks;
            vm_metrics_labels(&p, 0, 0);
            vm_metrics_engine(out, &p, created);
            continue;
        }

        for (r = 0; r < s->nranks; r++) {
            p.stats = &s->ranks[r];
            p.n = 1;
            vm_metrics_labels(&p, 1, r);
            vm_metrics_engine(out, &p, created);
        }
    }
}


static int
vm_metrics_shown(const vm_scrape_t *s, uint32_t index)
{
    double              value;
    uint32_t            i;
    const vm_family_t  *f;

    f = &vm_families[index];

    if (s->no_stats) {
        return 0;
    }

    if (f->flags & VM_FAMILY_LORA) {
        return s->max_loras > 0 || (s->overrides && s->overrides->nloras);
    }

    if (!(f->flags & VM_FAMILY_LEGACY) || s->legacy) {
        return 1;
    }

    if (f->flags & VM_FAMILY_SCALED
        && (s->scaled || vm_metrics_lookup(s, VM_METRIC_TOTAL, &value)))
    {
        return 1;
    }

    /* who overrides a metric wants to see it: series, or _count and _sum */

    for (i = 0; i < 2; i++) {
        if (vm_metrics_lookup(s, vm_family_metric(index, i), &value)) {
            return 1;
        }
    }

    if (s->overrides && vm_override_hist(s->overrides, index)) {
        return 1;
    }

    return f->alias
           && vm_override_metric(f->alias, strlen(f->alias)) >= VM_METRIC_TOTAL
           && vm_metrics_override(s, index, 0, &value);
}


static void
vm_metrics_labels(vm_metrics_point_t *p, int engine, uint32_t r)
{
    size_t               k;
    uint32_t             n;
    const vm_scrape_t   *s;
    const char          *name;

    k = 0;
    s = p->scrape;
    name = p->family->label;
    p->extra = NULL;

    if (engine) {
        n = sizeof(p->engine);

        do {
            p->engine[--n] = (char) ('0' + r % 10);
            r /= 10;
        } while (r);

        p->labels[k].name = "engine";
        p->labels[k].value.data = p->engine + n;
        p->labels[k++].value.len = sizeof(p->engine) - n;
    }

    if (name && strcmp(name, "model_name") < 0) {
        p->extra = &p->labels[k++];
    }

    p->labels[k].name = "model_name";
    p->labels[k].value = s->model_name;

    if (s->overrides && s->overrides->model_name[0]) {
        p->labels[k].value.data = s->overrides->model_name;
        p->labels[k].value.len = strnlen(s->overrides->model_name,
                                         sizeof(s->overrides->model_name));
    }

    k++;

    if (name && p->extra == NULL) {
        p->extra = &p->labels[k++];
    }

    if (p->extra) {
        p->extra->name = name;
    }

    p->labels[k].name = NULL;
}


static void
vm_metrics_engine(vm_buf_t *out, vm_metrics_point_t *p, int created)
{
    uint32_t            i, n;
    const vm_family_t  *f;

    f = p->family;
    n = vm_family_series(f);

    for (i = 0; i < n; i++) {

        if (p->extra) {
            p->extra->value.data = f->values[i];
            p->extra->value.len = strlen(f->values[i]);
        }

        if (created) {
            vm_expose_created_sample(out, f->name, p->labels,
                                     p->scrape->created);

        } else if (f->type == VM_FAMILY_HISTOGRAM) {
            vm_metrics_histogram(out, p);

        } else {
            vm_expose_sample(out, f->name, "", p->labels,
                             vm_metrics_value(p, i));
        }
    }
}


static double
vm_metrics_value(const vm_metrics_point_t *p, uint32_t i)
{
    int                 total;
    double              value;
    uint64_t            n;
    const vm_family_t  *f;
    const vm_scrape_t  *s;

    f = p->family;
    s = p->scrape;

    if (vm_metrics_override(s, p->index, i, &value)) {
        return value;
    }

    if (f->flags & VM_FAMILY_SCALED && i == 0) {
        total = vm_metrics_lookup(s, VM_METRIC_TOTAL, &value);

        if (total || s->scaled) {
            return (total ? value : VM_METRICS_TOTAL)
                   / (double) vm_max(s->replicas, 1u);
        }
    }

    if (f->value) {
        return f->value(s, p->stats, p->n, i);
    }

    if (f->fields[i] == VM_FIELD_ZERO) {
        return 0;
    }

    memcpy(&n, (const char *) p->stats + f->fields[i], sizeof(uint64_t));

    return (double) n;
}


static void
vm_metrics_histogram(vm_buf_t *out, const vm_metrics_point_t *p)
{
    double            bounds[VM_HIST_MAX], count, sum;
    uint32_t          i;
    vm_hist_t         given;
    const vm_hist_t  *h;

    h = (const vm_hist_t *) (const void *)
                          ((const char *) p->stats + p->family->fields[0]);

    if (vm_metrics_given(p, h, &given)) {
        h = &given;
    }

    if (!vm_metrics_override(p->scrape, p->index, 0, &count)) {
        count = (double) vm_hist_count(h);
    }

    if (!vm_metrics_override(p->scrape, p->index, 1, &sum)) {
        sum = h->sum;
    }

    for (i = 0; i < h->n; i++) {
        bounds[i] = vm_hist_bound(h, i);
    }

    vm_expose_buckets(out, p->family->name, p->labels, bounds, h->counts,
                      h->n, count, sum);
}


/* A histogram that is overridden, itself or by the name it has now. */

static int
vm_metrics_given(const vm_metrics_point_t *p, const vm_hist_t *h,
    vm_hist_t *given)
{
    uint32_t                   i;
    const char                *alias;
    const vm_override_hist_t  *o;

    if (p->scrape->overrides == NULL) {
        return 0;
    }

    o = vm_override_hist(p->scrape->overrides, p->index);
    alias = p->family->alias;

    if (o == NULL && alias) {
        o = vm_override_hist(p->scrape->overrides,
                             vm_family_find(alias, strlen(alias)));
    }

    if (o == NULL) {
        return 0;
    }

    *given = *h;
    given->sum = o->sum;
    given->counts[h->n] = 0;

    /* bounds beyond the model's length are not shown: theirs is +Inf */

    for (i = 0; i <= VM_HIST_MAX; i++) {
        if (i < h->n) {
            given->counts[i] = o->counts[i];

        } else {
            given->counts[h->n] += o->counts[i];
        }
    }

    return 1;
}


/* Of a series itself, or else of the metric whose old name it is. */

static int
vm_metrics_override(const vm_scrape_t *s, uint32_t index, uint32_t i,
    double *value)
{
    uint32_t     metric;
    const char  *alias;

    if (s->overrides == NULL || s->overrides->n == 0) {
        return 0;
    }

    if (vm_metrics_lookup(s, vm_family_metric(index, i), value)) {
        return 1;
    }

    alias = vm_families[index].percent;

    if (alias) {
        metric = vm_override_metric(alias, strlen(alias));

        if (!vm_metrics_lookup(s, metric, value)) {
            return 0;
        }

        *value /= vm_override_percent(s->overrides, metric) ? 100 : 1;

        return 1;
    }

    alias = vm_families[index].alias;
    if (alias == NULL) {
        return 0;
    }

    metric = vm_family_find(alias, strlen(alias));

    metric = (metric != VM_NEVER) ? vm_family_metric(metric, i)
                                  : vm_override_metric(alias, strlen(alias));

    return vm_metrics_lookup(s, metric, value);
}


static int
vm_metrics_lookup(const vm_scrape_t *s, uint32_t metric, double *value)
{
    return s->overrides
           && vm_override_value(s->overrides, metric, s->replicas, s->now,
                                value);
}


static void
vm_metrics_self(vm_buf_t *out, const vm_scrape_t *s)
{
    static const char  lateness[] = "vllm_mock:token_lateness_seconds";
    static const char  lag[] = "vllm_mock:event_loop_lag_seconds";

    vm_metrics_single(out, "vllm_mock:replicas",
                      "Replicas that scaled values are divided by.", "gauge",
                      (double) s->replicas);

    if (s->replica_source_up >= 0) {
        vm_metrics_single(out, "vllm_mock:replica_source_up",
                          "Whether the source of the replica count answers.",
                          "gauge", s->replica_source_up != 0);
    }

    vm_expose_family(out, lateness, "", "How much later than due a token was "
                     "handed to the connection.", "histogram");
    vm_expose_histogram(out, lateness, NULL, &s->self->token_lateness);

    vm_expose_family(out, lag, "", "How much later than asked for a worker's "
                     "timer ran.", "histogram");
    vm_expose_histogram(out, lag, NULL, &s->self->event_loop_lag);

    vm_metrics_single(out, "vllm_mock:streams",
                      "Connections with a generation that is not finished.",
                      "gauge", (double) s->self->streams);

    vm_metrics_single(out, "vllm_mock:saturated",
                      "Whether the machine cannot keep the times that it "
                      "simulates.", "gauge", s->self->saturated);
}


static void
vm_metrics_single(vm_buf_t *out, const char *name, const char *help,
    const char *type, double value)
{
    vm_expose_family(out, name, "", help, type);
    vm_expose_sample(out, name, "", NULL, value);
}
