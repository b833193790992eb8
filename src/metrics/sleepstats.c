/*
 * /sleep and /wake_up, as vLLM 0.32.0 counts them: two families that are not
 * there before the first of either.
 */

#include "families.h"


static const double  vm_sleep_bounds[VM_OPERATION_BUCKETS - 1] = {
    0.01, 0.1, 1, 10, 30, 60, 120, 300, 600
};

static const vm_str_t  vm_sleep_operations[VM_OPERATIONS] = {
    [VM_OPERATION_SLEEP] = vm_str("sleep"),
    [VM_OPERATION_WAKE] = vm_str("wake")
};


void
vm_sleep_stats_observe(vm_sleep_stats_t *s, vm_operation_e operation,
    double seconds, double unix_now)
{
    uint32_t  b;

    for (b = 0; b < VM_OPERATION_BUCKETS - 1; b++) {
        if (seconds <= vm_sleep_bounds[b]) {
            break;
        }
    }

    s->operations[operation].counts[b]++;
    s->operations[operation].sum += seconds;

    if (s->operations[operation].created == 0) {
        s->operations[operation].created = unix_now;
    }
}


void
vm_sleep_stats_render(vm_buf_t *out, const vm_scrape_t *s)
{
    uint32_t    b, i, part;
    uint64_t    count;
    vm_label_t  labels[2] = {
        { "operation", { NULL, 0 } },
        { NULL, { NULL, 0 } }
    };

    static const char  duration[] =
        "vllm:sleep_mode_operation_duration_seconds";
    static const char  duration_help[] =
        "Duration of one sleep-mode operation.";
    static const char  flight[] = "vllm:sleep_mode_operations_in_flight";
    static const char  flight_help[] =
        "Sleep-mode operations currently awaited.";

    for (i = 0; i < VM_OPERATIONS; i++) {
        if (s->sleep->operations[i].created != 0) {
            break;
        }
    }

    if (i == VM_OPERATIONS) {
        return;
    }

    for (part = 0; part < 3; part++) {

        switch (part) {
        case 0:
            vm_expose_family(out, duration, "", duration_help, "histogram");
            break;

        case 1:
            vm_expose_created(out, duration, duration_help);
            break;

        default:
            vm_expose_family(out, flight, "", flight_help, "gauge");
        }

        for (i = 0; i < VM_OPERATIONS; i++) {

            if (s->sleep->operations[i].created == 0) {
                continue;
            }

            labels[0].value = vm_sleep_operations[i];

            switch (part) {
            case 0:
                for (b = 0, count = 0; b < VM_OPERATION_BUCKETS; b++) {
                    count += s->sleep->operations[i].counts[b];
                }

                vm_expose_buckets(out, duration, labels, vm_sleep_bounds,
                                  s->sleep->operations[i].counts,
                                  VM_OPERATION_BUCKETS - 1, (double) count,
                                  s->sleep->operations[i].sum);
                break;

            case 1:
                vm_expose_created_sample(out, duration, labels,
                                         s->sleep->operations[i].created);
                break;

            default:
                /* they take no time here: nobody waits for one */
                vm_expose_sample(out, flight, "", labels, 0);
            }
        }
    }
}
