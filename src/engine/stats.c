/*
 * Statistics: plain numbers that begin at zero and add up.
 */

#include "stats.h"


typedef struct {
    size_t         offset;
    vm_hist_list_e list;
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


void
vm_stats_init(vm_stats_t *s, uint32_t max_model_len)
{
    size_t  i;

    memset(s, 0, sizeof(vm_stats_t));

    for (i = 0; i < vm_nelts(vm_stats_hists); i++) {
        vm_hist_init((vm_hist_t *) (void *) ((char *) s
                                             + vm_stats_hists[i].offset),
                     vm_stats_hists[i].list,
                     vm_stats_hists[i].list == VM_HIST_TOKENS ? max_model_len
                                                              : 0);
    }
}


static void
vm_stats_add_lora(vm_stats_t *to, const vm_lora_set_t *set)
{
    uint32_t        i;
    vm_lora_set_t  *old;

    for (i = 0; i < to->nlora_sets; i++) {
        old = &to->lora_sets[i];

        if (old->n == set->n
            && memcmp(old->ids, set->ids, set->n * sizeof(uint32_t)) == 0)
        {
            old->at = vm_max(old->at, set->at);
            return;
        }
    }

    if (to->nlora_sets == VM_LORA_SETS) {

        /* the one that was seen longest ago gives way */

        old = &to->lora_sets[0];

        for (i = 1; i < to->nlora_sets; i++) {
            if (to->lora_sets[i].at < old->at) {
                old = &to->lora_sets[i];
            }
        }

        *old = *set;
        return;
    }

    to->lora_sets[to->nlora_sets++] = *set;
}


void
vm_stats_see_loras(vm_stats_t *s, const uint32_t *ids, uint32_t n,
    vm_time_t now)
{
    vm_lora_set_t  set;

    set.n = vm_min(n, VM_LORA_MAX);
    set.at = now;

    if (set.n) {
        memcpy(set.ids, ids, set.n * sizeof(uint32_t));
    }

    vm_stats_add_lora(s, &set);
}


void
vm_stats_add(vm_stats_t *to, const vm_stats_t *from)
{
    size_t           i;
    uint32_t         k;
    uint64_t        *dst;
    const uint64_t  *src;

    /* everything up to the first histogram is a number */

    dst = (uint64_t *) to;
    src = (const uint64_t *) from;

    for (i = 0; i < offsetof(vm_stats_t, request_prompt_tokens)
                    / sizeof(uint64_t); i++)
    {
        dst[i] += src[i];
    }

    to->block_size = from->block_size;

    for (i = 0; i < vm_nelts(vm_stats_hists); i++) {
        vm_hist_add((vm_hist_t *) (void *) ((char *) to
                                            + vm_stats_hists[i].offset),
                    (const vm_hist_t *) (const void *)
                    ((const char *) from + vm_stats_hists[i].offset));
    }

    for (k = 0; k < from->nlora_sets; k++) {
        vm_stats_add_lora(to, &from->lora_sets[k]);
    }
}
