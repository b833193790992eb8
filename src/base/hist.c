/*
 * Histograms and vLLM's lists of bounds (release 0.32.0: /metrics of a fresh
 * server).
 */

#include "hist.h"


typedef struct {
    uint32_t       n;
    const double  *bounds;
} vm_hist_bounds_t;


static const double  vm_hist_ttft[] = {
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0,
    2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0
};

static const double  vm_hist_itl[] = {
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5,
    5.0, 7.5, 10.0, 20.0, 40.0, 80.0
};

static const double  vm_hist_request[] = {
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0,
    50.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0
};

static const double  vm_hist_tokens[] = {
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5,
    2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 2e7, 5e7
};

static const double  vm_hist_iteration[] = {
    1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384
};

static const double  vm_hist_n[] = { 1, 2, 5, 10, 20 };

static const double  vm_hist_preemptions[] = { 1, 2, 3, 4, 5, 10, 20 };

static const double  vm_hist_http_highr[] = {
    0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0,
    3.5, 4.0, 4.5, 5.0, 7.5, 10.0, 30.0, 60.0
};

static const double  vm_hist_http[] = { 0.1, 0.5, 1.0 };

static const double  vm_hist_lateness[] = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
    0.25, 0.5, 1.0
};

#define vm_hist_entry(a)  { vm_nelts(a), a }

static const vm_hist_bounds_t  vm_hist_lists[VM_HIST_LISTS] = {
    [VM_HIST_TTFT] = vm_hist_entry(vm_hist_ttft),
    [VM_HIST_ITL] = vm_hist_entry(vm_hist_itl),
    [VM_HIST_REQUEST] = vm_hist_entry(vm_hist_request),
    [VM_HIST_TOKENS] = vm_hist_entry(vm_hist_tokens),
    [VM_HIST_ITERATION] = vm_hist_entry(vm_hist_iteration),
    [VM_HIST_N] = vm_hist_entry(vm_hist_n),
    [VM_HIST_PREEMPTIONS] = vm_hist_entry(vm_hist_preemptions),
    [VM_HIST_HTTP_HIGHR] = vm_hist_entry(vm_hist_http_highr),
    [VM_HIST_HTTP] = vm_hist_entry(vm_hist_http),
    [VM_HIST_LATENESS] = vm_hist_entry(vm_hist_lateness)
};


void
vm_hist_init(vm_hist_t *h, vm_hist_list_e list, uint64_t limit)
{
    memset(h, 0, sizeof(vm_hist_t));

    h->list = list;
    h->n = vm_hist_lists[list].n;

    if (limit) {
        while (h->n && vm_hist_lists[list].bounds[h->n - 1] > (double) limit) {
            h->n--;
        }
    }
}


void
vm_hist_observe(vm_hist_t *h, double value, uint64_t times)
{
    uint32_t       lo, hi, mid;
    const double  *bounds;

    bounds = vm_hist_lists[h->list].bounds;
    lo = 0;
    hi = h->n;

    while (lo < hi) {
        mid = (lo + hi) / 2;

        if (value <= bounds[mid]) {
            hi = mid;

        } else {
            lo = mid + 1;
        }
    }

    h->counts[lo] += times;
    h->sum += value * (double) times;
}


uint64_t
vm_hist_count(const vm_hist_t *h)
{
    uint32_t  i;
    uint64_t  n;

    for (n = 0, i = 0; i <= h->n; i++) {
        n += h->counts[i];
    }

    return n;
}


double
vm_hist_bound(const vm_hist_t *h, uint32_t i)
{
    return vm_hist_lists[h->list].bounds[i];
}


void
vm_hist_add(vm_hist_t *to, const vm_hist_t *from)
{
    uint32_t  i;

    /* a list that was cut elsewhere (another max_model_len) overflows here */

    for (i = 0; i <= from->n; i++) {
        to->counts[(i == from->n || i > to->n) ? to->n : i] += from->counts[i];
    }

    to->sum += from->sum;
}
