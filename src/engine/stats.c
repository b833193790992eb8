/*
 * The counters of an engine: to begin, and to add up.
 */

#include "stats.h"


typedef struct {
    size_t  offset;
    int     list;
} vm_stats_hist_t;

#define vm_stats_hist(name, list)  { offsetof(vm_stats_t, name), list }

static const vm_stats_hist_t  vm_stats_hists[] = {
    vm_stats_hist(request_prompt_tokens, VM_HIST_TOKENS),
    vm_stats_hist(request_generation_tokens, VM_HIST_TOKENS),
    vm_stats_hist(iteration_tokens, VM_HIST_ITERATION),
    vm_stats_hist(request_max_num_generation_tokens, VM_HIST_TOKENS),
    vm_stats_hist(request_params_n, VM_HIST_N),
    vm_stats_hist(request_params_max_tokens, VM_HIST_TOKENS),
    vm_stats_hist(time_to_first_token, VM_HIST_TTFT),
    vm_stats_hist(inter_token_latency, VM_HIST_ITL),
    vm_stats_hist(request_time_per_output_token, VM_HIST_ITL),
    vm_stats_hist(e2e_request_latency, VM_HIST_REQUEST),
    vm_stats_hist(request_queue_time, VM_HIST_REQUEST),
    vm_stats_hist(request_inference_time, VM_HIST_REQUEST),
    vm_stats_hist(request_prefill_time, VM_HIST_REQUEST),
    vm_stats_hist(request_decode_time, VM_HIST_REQUEST),
    vm_stats_hist(request_num_preemptions, VM_HIST_PREEMPTIONS),
    vm_stats_hist(request_prefill_kv_computed_tokens, VM_HIST_TOKENS)
};

#define vm_stats_counter(name)  offsetof(vm_stats_t, name)

static const size_t  vm_stats_numbers[] = {
    vm_stats_counter(running),
    vm_stats_counter(waiting),
    vm_stats_counter(deferred),
    vm_stats_counter(used_blocks),
    vm_stats_counter(num_gpu_blocks),
    vm_stats_counter(prefix_queries),
    vm_stats_counter(prefix_hits),
    vm_stats_counter(external_queries),
    vm_stats_counter(external_hits),
    vm_stats_counter(preemptions),
    vm_stats_counter(prompt_tokens),
    vm_stats_counter(prompt_computed),
    vm_stats_counter(prompt_cached),
    vm_stats_counter(prompt_external),
    vm_stats_counter(generation_tokens),
    vm_stats_counter(submitted),
    vm_stats_counter(ended),
    vm_stats_counter(rejected),
    vm_stats_counter(rejected_tokens),
    vm_stats_counter(steps)
};


static void vm_stats_add_set(vm_stats_t *to, const vm_lora_set_t *set);


void
vm_stats_init(vm_stats_t *s, uint32_t max_model_len)
{
    size_t      i;
    vm_hist_t  *h;

    memset(s, 0, sizeof(vm_stats_t));

    for (i = 0; i < vm_nelts(vm_stats_hists); i++) {
        h = (vm_hist_t *) (void *) ((char *) s + vm_stats_hists[i].offset);
        vm_hist_init(h, vm_stats_hists[i].list,
                     vm_stats_hists[i].list == VM_HIST_TOKENS
                     ? max_model_len : 0);
    }
}


void
vm_stats_see_loras(vm_stats_t *s, const uint32_t *ids, uint32_t n,
    vm_time_t now)
{
    vm_lora_set_t  set;

    memset(&set, 0, sizeof(vm_lora_set_t));
    set.n = vm_min(n, VM_LORA_MAX);
    set.at = now;
    memcpy(set.ids, ids, set.n * sizeof(ids[0]));

    vm_stats_add_set(s, &set);
}


void
vm_stats_add(vm_stats_t *to, const vm_stats_t *from)
{
    size_t            i;
    uint64_t         *a;
    vm_hist_t        *h;
    const uint64_t   *b;
    const vm_hist_t  *g;

    for (i = 0; i < vm_nelts(vm_stats_numbers); i++) {
        a = (uint64_t *) (void *) ((char *) to + vm_stats_numbers[i]);
        b = (const uint64_t *) (const void *)
                ((const char *) from + vm_stats_numbers[i]);
        *a += *b;
    }

    for (i = 0; i < VM_FINISH_KINDS; i++) {
        to->finished[i] += from->finished[i];
    }

    to->block_size = from->block_size;

    for (i = 0; i < vm_nelts(vm_stats_hists); i++) {
        h = (vm_hist_t *) (void *) ((char *) to + vm_stats_hists[i].offset);
        g = (const vm_hist_t *) (const void *)
                ((const char *) from + vm_stats_hists[i].offset);
        vm_hist_add(h, g);
    }

    for (i = 0; i < from->nlora_sets; i++) {
        vm_stats_add_set(to, &from->lora_sets[i]);
    }
}


/* The same set is one series: the newer stamp stays. */

static void
vm_stats_add_set(vm_stats_t *to, const vm_lora_set_t *set)
{
    uint32_t        i, oldest;
    vm_lora_set_t  *have;

    oldest = 0;

    for (i = 0; i < to->nlora_sets; i++) {
        have = &to->lora_sets[i];

        if (have->n == set->n
            && memcmp(have->ids, set->ids, set->n * sizeof(set->ids[0])) == 0)
        {
            have->at = vm_max(have->at, set->at);
            return;
        }

        if (have->at < to->lora_sets[oldest].at) {
            oldest = i;
        }
    }

    if (to->nlora_sets < VM_LORA_SETS) {
        to->lora_sets[to->nlora_sets++] = *set;

    } else if (to->lora_sets[oldest].at < set->at) {
        to->lora_sets[oldest] = *set;
    }
}
