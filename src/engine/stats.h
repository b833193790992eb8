/*
 * What an engine has counted: the moments are vLLM's (section 7 of the
 * engine's reference).  One plain struct without pointers, so that a snapshot
 * is a copy, and several engines (ranks, generations of a reload) add up.
 */

#ifndef VM_STATS_H
#define VM_STATS_H


#include "../base/hist.h"


typedef enum {
    VM_FINISH_NONE = 0,
    VM_FINISH_STOP,
    VM_FINISH_LENGTH,
    VM_FINISH_ABORT,
    VM_FINISH_ERROR,
    VM_FINISH_REPETITION,
    VM_FINISH_KINDS
} vm_finish_e;

#define VM_LORA_MAX    64           /* adapters live at one time, for a label */
#define VM_LORA_SETS   32           /* combinations kept, oldest dropped */

typedef struct {
    uint32_t   n;
    uint32_t   ids[VM_LORA_MAX];    /* in the order of vLLM's label */
    vm_time_t  at;                  /* when it was seen last */
} vm_lora_set_t;


typedef struct {

    /* gauges, as of the last step */

    uint64_t       running;
    uint64_t       waiting;         /* all of them */
    uint64_t       deferred;        /* of these, passed over */
    uint64_t       used_blocks;
    uint64_t       num_gpu_blocks;  /* with the null block */
    uint64_t       block_size;

    /* counters */

    uint64_t       prefix_queries;
    uint64_t       prefix_hits;
    uint64_t       external_queries;
    uint64_t       external_hits;
    uint64_t       preemptions;
    uint64_t       prompt_tokens;
    uint64_t       prompt_computed; /* the three sources of prompt_tokens */
    uint64_t       prompt_cached;
    uint64_t       prompt_external;
    uint64_t       generation_tokens;
    uint64_t       finished[VM_FINISH_KINDS];
    uint64_t       submitted;       /* sequences */
    uint64_t       ended;           /* sequences, for whatever reason */
    uint64_t       rejected;        /* max_waiting */
    uint64_t       rejected_tokens; /* max_waiting_tokens */
    uint64_t       steps;

    /* histograms; times in seconds */

    vm_hist_t      request_prompt_tokens;
    vm_hist_t      request_generation_tokens;
    vm_hist_t      iteration_tokens;
    vm_hist_t      request_max_num_generation_tokens;
    vm_hist_t      request_params_n;
    vm_hist_t      request_params_max_tokens;
    vm_hist_t      time_to_first_token;
    vm_hist_t      inter_token_latency;
    vm_hist_t      request_time_per_output_token;
    vm_hist_t      e2e_request_latency;
    vm_hist_t      request_queue_time;
    vm_hist_t      request_inference_time;
    vm_hist_t      request_prefill_time;
    vm_hist_t      request_decode_time;
    vm_hist_t      request_num_preemptions;
    vm_hist_t      request_prefill_kv_computed_tokens;

    /* vllm:lora_requests_info */

    uint32_t       nlora_sets;
    vm_lora_set_t  lora_sets[VM_LORA_SETS];

} vm_stats_t;


void vm_stats_init(vm_stats_t *s, uint32_t max_model_len);

/* The adapters that have a live request, as of a step. */
void vm_stats_see_loras(vm_stats_t *s, const uint32_t *ids, uint32_t n,
    vm_time_t now);

/* Counters and histograms of `from` on top; gauges are added too. */
void vm_stats_add(vm_stats_t *to, const vm_stats_t *from);


#endif /* VM_STATS_H */
