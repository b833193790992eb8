/*
 * vLLM 0.32.0's families in their order, then the names of older releases;
 * and how their values follow from what the engines have counted.
 */

#include "families.h"


/* where a value stands; 64 KB are enough for that struct */

#define vm_field(f)  offsetof(vm_stats_t, f)
#define vm_zero      VM_FIELD_ZERO


static double vm_family_waiting(const vm_scrape_t *s, const vm_stats_t *stats,
    uint32_t n, uint32_t i);
static double vm_family_sleep(const vm_scrape_t *s, const vm_stats_t *stats,
    uint32_t n, uint32_t i);
static double vm_family_kv_usage(const vm_scrape_t *s, const vm_stats_t *stats,
    uint32_t n, uint32_t i);
static double vm_family_cached(const vm_scrape_t *s, const vm_stats_t *stats,
    uint32_t n, uint32_t i);
static double vm_family_hit_rate(const vm_scrape_t *s, const vm_stats_t *stats,
    uint32_t n, uint32_t i);
static double vm_family_prompt_rate(const vm_scrape_t *s,
    const vm_stats_t *stats, uint32_t n, uint32_t i);
static double vm_family_generation_rate(const vm_scrape_t *s,
    const vm_stats_t *stats, uint32_t n, uint32_t i);
static void vm_family_lora(vm_buf_t *out, const vm_scrape_t *s,
    const vm_family_t *f);
static void vm_family_lora_overrides(vm_buf_t *out, const vm_scrape_t *s,
    const vm_family_t *f);
static int vm_family_lora_same(const vm_lora_set_t *a, const vm_lora_set_t *b);
static void vm_family_lora_sample(vm_buf_t *out, const vm_scrape_t *s,
    const vm_family_t *f, const vm_lora_set_t *set, double seconds);
static void vm_family_cache(vm_buf_t *out, const vm_scrape_t *s,
    const vm_family_t *f);
static vm_str_t vm_family_number(char *buf, size_t size, uint64_t n);


const vm_family_t  vm_families[] = {

    {
        .name = "vllm:estimated_flops_per_gpu_total",
        .help = "Estimated number of floating point operations per GPU (for "
                "Model Flops Utilization calculations).",
        .type = VM_FAMILY_COUNTER,
        .fields = { vm_zero }
    },

    {
        .name = "vllm:estimated_read_bytes_per_gpu_total",
        .help = "Estimated number of bytes read from memory per GPU (for "
                "Model Flops Utilization calculations).",
        .type = VM_FAMILY_COUNTER,
        .fields = { vm_zero }
    },

    {
        .name = "vllm:estimated_write_bytes_per_gpu_total",
        .help = "Estimated number of bytes written to memory per GPU (for "
                "Model Flops Utilization calculations).",
        .type = VM_FAMILY_COUNTER,
        .fields = { vm_zero }
    },

    {
        .name = "vllm:num_requests_running",
        .help = "Number of requests in model execution batches.",
        .type = VM_FAMILY_GAUGE,
        .fields = { vm_field(running) }
    },

    {
        .name = "vllm:num_requests_waiting",
        .help = "Number of requests waiting to be processed.",
        .type = VM_FAMILY_GAUGE,
        .fields = { vm_field(waiting) }
    },

    {
        .name = "vllm:num_requests_waiting_by_reason",
        .help = "Number of waiting requests by reason. Reason labels: "
                "'capacity' = waiting for scheduling capacity; 'deferred' = "
                "deferred by transient constraints (LoRA budget, KV "
                "transfer, blocked status). Sum of all reasons equals "
                "vllm:num_requests_waiting.",
        .type = VM_FAMILY_GAUGE,
        .label = "reason",
        .values = { "capacity", "deferred" },
        .value = vm_family_waiting
    },

    {
        .name = "vllm:engine_sleep_state",
        .help = "Engine sleep state; awake = 0 means engine is sleeping; "
                "awake = 1 means engine is awake; weights_offloaded = 1 "
                "means sleep level 1; discard_all = 1 means sleep level 2.",
        .type = VM_FAMILY_GAUGE,
        .label = "sleep_state",
        .values = { "awake", "weights_offloaded", "discard_all" },
        .value = vm_family_sleep
    },

    {
        .name = "vllm:kv_cache_usage_perc",
        .help = "KV-cache usage. 1 means 100 percent usage.",
        .type = VM_FAMILY_GAUGE,
        .value = vm_family_kv_usage,
        .percent = "gpu_cache_usage_perc"
    },

    {
        .name = "vllm:prefix_cache_queries_total",
        .help = "Prefix cache queries, in terms of number of queried tokens.",
        .type = VM_FAMILY_COUNTER,
        .fields = { vm_field(prefix_queries) }
    },

    {
        .name = "vllm:prefix_cache_hits_total",
        .help = "Prefix cache hits, in terms of number of cached tokens.",
        .type = VM_FAMILY_COUNTER,
        .fields = { vm_field(prefix_hits) }
    },

    {
        .name = "vllm:external_prefix_cache_queries_total",
        .help = "External prefix cache queries from KV connector "
                "cross-instance cache sharing, in terms of number of queried "
                "tokens.",
        .type = VM_FAMILY_COUNTER,
        .fields = { vm_field(external_queries) }
    },

    {
        .name = "vllm:external_prefix_cache_hits_total",
        .help = "External prefix cache hits from KV connector cross-instance "
                "cache sharing, in terms of number of cached tokens.",
        .type = VM_FAMILY_COUNTER,
        .fields = { vm_field(external_hits) }
    },

    {
        .name = "vllm:mm_cache_queries_total",
        .help = "Multi-modal cache queries, in terms of number of queried "
                "items.",
        .type = VM_FAMILY_COUNTER,
        .fields = { vm_zero }
    },

    {
        .name = "vllm:mm_cache_hits_total",
        .help = "Multi-modal cache hits, in terms of number of cached items.",
        .type = VM_FAMILY_COUNTER,
        .fields = { vm_zero }
    },

    {
        .name = "vllm:num_preemptions_total",
        .help = "Cumulative number of preemption from the engine.",
        .type = VM_FAMILY_COUNTER,
        .fields = { vm_field(preemptions) }
    },

    {
        .name = "vllm:prompt_tokens_total",
        .help = "Number of prefill tokens processed.",
        .type = VM_FAMILY_COUNTER,
        .fields = { vm_field(prompt_tokens) }
    },

    {
        .name = "vllm:prompt_tokens_by_source_total",
        .help = "Number of prompt tokens by source.",
        .type = VM_FAMILY_COUNTER,
        .label = "source",
        .values = { "local_compute", "local_cache_hit", "external_kv_transfer"
                    },
        .fields = { vm_field(prompt_computed), vm_field(prompt_cached),
                    vm_field(prompt_external) }
    },

    {
        .name = "vllm:prompt_tokens_cached_total",
        .help = "Number of cached prompt tokens (local + external).",
        .type = VM_FAMILY_COUNTER,
        .value = vm_family_cached
    },

    {
        .name = "vllm:prompt_tokens_cached_by_source_total",
        .help = "Prefix-cache hit tokens by the cache tier that supplied "
                "them: device (local HBM), host (offloaded to DRAM), disk, "
                "p2p (transferred from another vLLM instance) or "
                "external_unspecified. Counted at admission; sums to "
                "vllm:prefix_cache_hits + vllm:external_prefix_cache_hits.",
        .type = VM_FAMILY_COUNTER,
        .label = "source",
        .values = { "device", "host", "p2p", "disk", "external_unspecified" },
        .fields = { vm_field(prompt_cached), vm_zero, vm_zero, vm_zero,
                    vm_field(prompt_external) }
    },

    {
        .name = "vllm:generation_tokens_total",
        .help = "Number of generation tokens processed.",
        .type = VM_FAMILY_COUNTER,
        .fields = { vm_field(generation_tokens) }
    },

    {
        .name = "vllm:request_success_total",
        .help = "Count of successfully processed requests.",
        .type = VM_FAMILY_COUNTER,
        .flags = VM_FAMILY_SCALED,
        .label = "finished_reason",
        .values = { "stop", "length", "abort", "error", "repetition" },
        .fields = { vm_field(finished[VM_FINISH_STOP]),
                    vm_field(finished[VM_FINISH_LENGTH]),
                    vm_field(finished[VM_FINISH_ABORT]),
                    vm_field(finished[VM_FINISH_ERROR]),
                    vm_field(finished[VM_FINISH_REPETITION]) }
    },

    {
        .name = "vllm:admission_rejections_total",
        .help = "Number of admission attempts rejected by a queue limit, by "
                "reason.",
        .type = VM_FAMILY_COUNTER,
        .scope = VM_SCOPE_MODEL,
        .label = "reason",
        .values = { "max_num_queued_reqs", "max_num_queued_tokens" },
        .fields = { vm_field(rejected), vm_field(rejected_tokens) }
    },

    {
        .name = "vllm:request_prompt_tokens",
        .help = "Number of prefill tokens processed.",
        .type = VM_FAMILY_HISTOGRAM,
        .fields = { vm_field(request_prompt_tokens) }
    },

    {
        .name = "vllm:request_generation_tokens",
        .help = "Number of generation tokens processed.",
        .type = VM_FAMILY_HISTOGRAM,
        .fields = { vm_field(request_generation_tokens) }
    },

    {
        .name = "vllm:iteration_tokens_total",
        .help = "Histogram of number of tokens per engine_step.",
        .type = VM_FAMILY_HISTOGRAM,
        .fields = { vm_field(iteration_tokens) }
    },

    {
        .name = "vllm:request_max_num_generation_tokens",
        .help = "Histogram of maximum number of requested generation tokens.",
        .type = VM_FAMILY_HISTOGRAM,
        .fields = { vm_field(request_max_num_generation_tokens) }
    },

    {
        .name = "vllm:request_params_n",
        .help = "Histogram of the n request parameter.",
        .type = VM_FAMILY_HISTOGRAM,
        .fields = { vm_field(request_params_n) }
    },

    {
        .name = "vllm:request_params_max_tokens",
        .help = "Histogram of the max_tokens request parameter.",
        .type = VM_FAMILY_HISTOGRAM,
        .fields = { vm_field(request_params_max_tokens) }
    },

    {
        .name = "vllm:time_to_first_token_seconds",
        .help = "Histogram of time to first token in seconds.",
        .type = VM_FAMILY_HISTOGRAM,
        .fields = { vm_field(time_to_first_token) }
    },

    {
        .name = "vllm:inter_token_latency_seconds",
        .help = "Histogram of inter-token latency in seconds.",
        .type = VM_FAMILY_HISTOGRAM,
        .fields = { vm_field(inter_token_latency) }
    },

    {
        .name = "vllm:request_time_per_output_token_seconds",
        .help = "Histogram of time_per_output_token_seconds per request.",
        .type = VM_FAMILY_HISTOGRAM,
        .fields = { vm_field(request_time_per_output_token) }
    },

    {
        .name = "vllm:e2e_request_latency_seconds",
        .help = "Histogram of e2e request latency in seconds.",
        .type = VM_FAMILY_HISTOGRAM,
        .fields = { vm_field(e2e_request_latency) }
    },

    {
        .name = "vllm:request_queue_time_seconds",
        .help = "Histogram of time spent in WAITING phase for request.",
        .type = VM_FAMILY_HISTOGRAM,
        .fields = { vm_field(request_queue_time) }
    },

    {
        .name = "vllm:request_inference_time_seconds",
        .help = "Histogram of time spent in RUNNING phase for request.",
        .type = VM_FAMILY_HISTOGRAM,
        .fields = { vm_field(request_inference_time) }
    },

    {
        .name = "vllm:request_prefill_time_seconds",
        .help = "Histogram of time spent in PREFILL phase for request.",
        .type = VM_FAMILY_HISTOGRAM,
        .fields = { vm_field(request_prefill_time) }
    },

    {
        .name = "vllm:request_decode_time_seconds",
        .help = "Histogram of time spent in DECODE phase for request.",
        .type = VM_FAMILY_HISTOGRAM,
        .fields = { vm_field(request_decode_time) }
    },

    {
        .name = "vllm:request_num_preemptions",
        .help = "Histogram of the number of times a request was preempted.",
        .type = VM_FAMILY_HISTOGRAM,
        .fields = { vm_field(request_num_preemptions) }
    },

    {
        .name = "vllm:request_prefill_kv_computed_tokens",
        .help = "Histogram of new KV tokens computed during prefill "
                "(excluding cached tokens).",
        .type = VM_FAMILY_HISTOGRAM,
        .fields = { vm_field(request_prefill_kv_computed_tokens) }
    },

    {
        .name = "vllm:lora_requests_info",
        .help = "Running stats on lora requests.",
        .type = VM_FAMILY_INFO,
        .flags = VM_FAMILY_LORA,
        .print = vm_family_lora
    },

    {
        .name = "vllm:cache_config_info",
        .help = "Information of the LLMEngine CacheConfig",
        .type = VM_FAMILY_INFO,
        .print = vm_family_cache
    },

    {
        .name = "vllm:gpu_cache_usage_perc",
        .help = "GPU KV-cache usage. 1 means 100 percent usage.",
        .type = VM_FAMILY_GAUGE,
        .flags = VM_FAMILY_LEGACY,
        .value = vm_family_kv_usage,
        .alias = "kv_cache_usage_perc"
    },

    {
        .name = "vllm:cpu_cache_usage_perc",
        .help = "CPU KV-cache usage. 1 means 100 percent usage.",
        .type = VM_FAMILY_GAUGE,
        .scope = VM_SCOPE_MODEL,
        .flags = VM_FAMILY_LEGACY,
        .fields = { vm_zero },
        .alias = "cpu_running"
    },

    {
        .name = "vllm:num_requests_swapped",
        .help = "Number of requests swapped to CPU.",
        .type = VM_FAMILY_GAUGE,
        .scope = VM_SCOPE_MODEL,
        .flags = VM_FAMILY_LEGACY,
        .fields = { vm_zero }
    },

    {
        .name = "vllm:gpu_prefix_cache_queries_total",
        .help = "GPU prefix cache queries, in terms of number of queried "
                "tokens.",
        .type = VM_FAMILY_COUNTER,
        .flags = VM_FAMILY_LEGACY,
        .fields = { vm_field(prefix_queries) },
        .alias = "prefix_cache_queries_total"
    },

    {
        .name = "vllm:gpu_prefix_cache_hits_total",
        .help = "GPU prefix cache hits, in terms of number of cached tokens.",
        .type = VM_FAMILY_COUNTER,
        .flags = VM_FAMILY_LEGACY,
        .fields = { vm_field(prefix_hits) },
        .alias = "prefix_cache_hits_total"
    },

    {
        .name = "vllm:gpu_prefix_cache_hit_rate",
        .help = "GPU prefix cache block hit rate.",
        .type = VM_FAMILY_GAUGE,
        .scope = VM_SCOPE_MODEL,
        .flags = VM_FAMILY_LEGACY,
        .value = vm_family_hit_rate
    },

    {
        .name = "vllm:cpu_prefix_cache_hit_rate",
        .help = "CPU prefix cache block hit rate.",
        .type = VM_FAMILY_GAUGE,
        .scope = VM_SCOPE_MODEL,
        .flags = VM_FAMILY_LEGACY,
        .fields = { vm_zero }
    },

    {
        .name = "vllm:time_per_output_token_seconds",
        .help = "Histogram of time per output token in seconds.",
        .type = VM_FAMILY_HISTOGRAM,
        .flags = VM_FAMILY_LEGACY,
        .fields = { vm_field(inter_token_latency) },
        .alias = "inter_token_latency_seconds"
    },

    {
        .name = "vllm:avg_prompt_throughput_toks_per_s",
        .help = "Average prefill throughput in tokens/s.",
        .type = VM_FAMILY_GAUGE,
        .scope = VM_SCOPE_MODEL,
        .flags = VM_FAMILY_LEGACY | VM_FAMILY_SCALED,
        .value = vm_family_prompt_rate
    },

    {
        .name = "vllm:avg_generation_throughput_toks_per_s",
        .help = "Average generation throughput in tokens/s.",
        .type = VM_FAMILY_GAUGE,
        .scope = VM_SCOPE_MODEL,
        .flags = VM_FAMILY_LEGACY | VM_FAMILY_SCALED,
        .value = vm_family_generation_rate
    }
};

const uint32_t  vm_nfamilies = vm_nelts(vm_families);


/*
 * The labels of vllm:cache_config_info: constants of the release, or NULL where
 * vm_family_cache() knows the value.
 */

static const vm_label_t  vm_family_cache_labels[] = {
    { "_block_size_resolved", vm_str("True") },
    { "block_size", { NULL, 0 } },
    { "cache_dtype", vm_str("auto") },
    { "cache_hit_alignment_tokens", vm_str("None") },
    { "effective_attention_block_size", { NULL, 0 } },
    { "enable_mamba_shared_prefix_checkpoint", vm_str("False") },
    { "enable_prefix_caching", { NULL, 0 } },
    { "engine", { NULL, 0 } },
    { "gpu_memory_utilization", { NULL, 0 } },
    { "hash_block_size", vm_str("None") },
    { "is_attention_free", vm_str("False") },
    { "kv_cache_dtype_skip_layers", vm_str("[]") },
    { "kv_cache_layout", vm_str("None") },
    { "kv_cache_max_concurrency", { NULL, 0 } },
    { "kv_cache_memory_bytes", vm_str("1073741824") },
    { "kv_cache_size_tokens", { NULL, 0 } },
    { "kv_offloading_backend", vm_str("native") },
    { "kv_offloading_size", vm_str("None") },
    { "kv_sharing_fast_prefill", vm_str("False") },
    { "mamba_block_size", vm_str("None") },
    { "mamba_cache_dtype", vm_str("auto") },
    { "mamba_cache_mode", vm_str("none") },
    { "mamba_page_size_padded", vm_str("None") },
    { "mamba_ssm_cache_dtype", vm_str("auto") },
    { "num_cpu_blocks", vm_str("None") },
    { "num_gpu_blocks", { NULL, 0 } },
    { "num_gpu_blocks_override", { NULL, 0 } },
    { "prefix_cache_retention_interval", vm_str("0") },
    { "prefix_caching_hash_algo", vm_str("sha256") },
    { "prefix_match_unit", vm_str("None") },
    { "replayssm_buffer_len", vm_str("16") },
    { "skip_page_size_padded", vm_str("None") },
    { "sliding_window", vm_str("None") },
    { "swa_bounded_replay", vm_str("True") },
    { "use_kda_recoverssm", vm_str("False") },
    { "use_replayssm", vm_str("False") },
    { "user_specified_block_size", { NULL, 0 } },
    { NULL, { NULL, 0 } }
};


uint32_t
vm_family_series(const vm_family_t *f)
{
    uint32_t  n;

    if (f->label == NULL) {
        return 1;
    }

    for (n = 0; n < VM_FAMILY_SERIES && f->values[n]; n++) { /* void */ }

    return n;
}


uint32_t
vm_family_find(const char *name, size_t len)
{
    uint32_t     i;
    const char  *p;

    for (i = 0; i < vm_nfamilies; i++) {
        p = vm_families[i].name + sizeof("vllm:") - 1;

        if (strlen(p) == len && memcmp(p, name, len) == 0) {
            return i;
        }
    }

    return VM_NEVER;
}


static double
vm_family_waiting(const vm_scrape_t *s, const vm_stats_t *stats, uint32_t n,
    uint32_t i)
{
    (void) s;
    (void) n;

    return (double) (i ? stats->deferred : stats->waiting - stats->deferred);
}


/* Level 0 pauses only: vLLM then shows no state at all. */

static double
vm_family_sleep(const vm_scrape_t *s, const vm_stats_t *stats, uint32_t n,
    uint32_t i)
{
    (void) stats;
    (void) n;

    if (!s->asleep) {
        return i == 0;
    }

    return i != 0 && i == s->sleep_level;
}


/* Block 0 of each engine is the null block, which nobody gets. */

static double
vm_family_kv_usage(const vm_scrape_t *s, const vm_stats_t *stats, uint32_t n,
    uint32_t i)
{
    (void) s;
    (void) i;

    if (stats->num_gpu_blocks <= n) {
        return 0;
    }

    return (double) stats->used_blocks / (double) (stats->num_gpu_blocks - n);
}


static double
vm_family_cached(const vm_scrape_t *s, const vm_stats_t *stats, uint32_t n,
    uint32_t i)
{
    (void) s;
    (void) n;
    (void) i;

    return (double) (stats->prompt_cached + stats->prompt_external);
}


static double
vm_family_hit_rate(const vm_scrape_t *s, const vm_stats_t *stats, uint32_t n,
    uint32_t i)
{
    (void) s;
    (void) n;
    (void) i;

    if (stats->prefix_queries == 0) {
        return 0;
    }

    return (double) stats->prefix_hits / (double) stats->prefix_queries;
}


static double
vm_family_prompt_rate(const vm_scrape_t *s, const vm_stats_t *stats,
    uint32_t n, uint32_t i)
{
    (void) stats;
    (void) n;
    (void) i;

    return s->prompt_rate;
}


static double
vm_family_generation_rate(const vm_scrape_t *s, const vm_stats_t *stats,
    uint32_t n, uint32_t i)
{
    (void) stats;
    (void) n;
    (void) i;

    return s->generation_rate;
}


/*
 * A series for each combination of adapters that was seen, its value the time
 * when that was.  Engines share the series, as they do in vLLM's process.
 */

static void
vm_family_lora(vm_buf_t *out, const vm_scrape_t *s, const vm_family_t *f)
{
    double                seconds;
    uint32_t              i, k, p, r;
    const vm_lora_set_t  *set, *other;

    if (s->overrides && s->overrides->nloras) {
        vm_family_lora_overrides(out, s, f);
        return;
    }

    for (r = 0; r < s->nranks; r++) {
        for (i = 0; i < s->ranks[r].nlora_sets; i++) {
            set = &s->ranks[r].lora_sets[i];

            /* printed by the first engine that has it, with the last time */

            seconds = (double) set->at;

            for (p = 0; p < s->nranks; p++) {
                for (k = 0; k < s->ranks[p].nlora_sets; k++) {
                    other = &s->ranks[p].lora_sets[k];

                    if (p == r || !vm_family_lora_same(set, other)) {
                        continue;
                    }

                    if (p < r) {
                        goto next;
                    }

                    seconds = vm_max(seconds, (double) other->at);
                }
            }

            vm_family_lora_sample(out, s, f, set,
                                  seconds / (double) VM_NSEC
                                  + s->mono_to_unix);
        next:
            continue;
        }
    }
}


static void
vm_family_lora_overrides(vm_buf_t *out, const vm_scrape_t *s,
    const vm_family_t *f)
{
    char                       max[24];
    uint32_t                   i;
    const vm_override_lora_t  *l;
    vm_label_t                 labels[4] = {
        { "max_lora", { NULL, 0 } },
        { "running_lora_adapters", { NULL, 0 } },
        { "waiting_lora_adapters", { NULL, 0 } },
        { NULL, { NULL, 0 } }
    };

    for (i = 0; i < s->overrides->nloras; i++) {
        l = &s->overrides->loras[i];

        labels[0].value = vm_family_number(max, sizeof(max),
                              l->max ? l->max : vm_max(s->max_loras, 1u));
        labels[1].value.data = l->running;
        labels[1].value.len = strlen(l->running);
        labels[2].value.data = l->waiting;
        labels[2].value.len = strlen(l->waiting);

        vm_expose_sample(out, f->name, "", labels, l->seconds);
    }
}


static int
vm_family_lora_same(const vm_lora_set_t *a, const vm_lora_set_t *b)
{
    return a->n == b->n
           && memcmp(a->ids, b->ids,
                     vm_min(a->n, VM_LORA_MAX) * sizeof(uint32_t)) == 0;
}


/* 0.32.0 has an adapter in both labels, whatever its requests do. */

static void
vm_family_lora_sample(vm_buf_t *out, const vm_scrape_t *s,
    const vm_family_t *f, const vm_lora_set_t *set, double seconds)
{
    char            max[24];
    vm_buf_t        names;
    uint32_t        i, id, n;
    vm_label_t      labels[4] = {
        { "max_lora", { NULL, 0 } },
        { "running_lora_adapters", { NULL, 0 } },
        { "waiting_lora_adapters", { NULL, 0 } },
        { NULL, { NULL, 0 } }
    };

    const vm_lora_name_t  *name;

    vm_buf_init(&names);
    n = vm_min(set->n, VM_LORA_MAX);

    for (i = 0; i < n; i++) {
        id = set->ids[i];

        name = s->nlora_names ? &s->lora_names[id % s->nlora_names] : NULL;

        if (name == NULL || name->number != id) {

            /* without a name it would look like another set */

            vm_buf_free(&names);
            return;
        }

        if (names.len) {
            vm_buf_char(&names, ',');
        }

        vm_buf_add(&names, name->name.data, name->name.len);
    }

    labels[0].value = vm_family_number(max, sizeof(max), s->max_loras);
    labels[1].value.data = names.data;
    labels[1].value.len = names.len;
    labels[2].value = labels[1].value;

    vm_expose_sample(out, f->name, "", labels, seconds);

    out->failed |= names.failed;
    vm_buf_free(&names);
}


static void
vm_family_cache(vm_buf_t *out, const vm_scrape_t *s, const vm_family_t *f)
{
    char        block[24], blocks[24], engine[24], override[24], tokens[24];
    vm_buf_t    concurrency;
    uint32_t    i, k, n, r;
    uint64_t    size;
    vm_label_t  labels[vm_nelts(vm_family_cache_labels)];

    static const vm_str_t  none = vm_str("None");
    static const vm_str_t  no = vm_str("False");
    static const vm_str_t  yes = vm_str("True");

    size = (uint64_t) s->cache.num_gpu_blocks * s->cache.block_size;

    vm_buf_init(&concurrency);
    vm_buf_double(&concurrency, (double) size
                                / (double) vm_max(s->cache.max_model_len, 1));

    const vm_label_t  known[] = {
        { "block_size", vm_family_number(block, sizeof(block),
                                         s->cache.block_size) },
        { "effective_attention_block_size",
          vm_family_number(block, sizeof(block), s->cache.block_size) },
        { "enable_prefix_caching", s->cache.enable_prefix_caching },
        { "gpu_memory_utilization", s->cache.gpu_memory_utilization },
        { "kv_cache_max_concurrency", { concurrency.data, concurrency.len } },
        { "kv_cache_size_tokens", vm_family_number(tokens, sizeof(tokens),
                                                   size) },
        { "num_gpu_blocks", vm_family_number(blocks, sizeof(blocks),
                                             s->cache.num_gpu_blocks) },
        { "num_gpu_blocks_override",
          s->cache.num_gpu_blocks_override
          ? vm_family_number(override, sizeof(override),
                             s->cache.num_gpu_blocks_override) : none },
        { "user_specified_block_size", s->cache.user_block_size ? yes : no }
    };

    for (r = 0; r < (s->scaled ? 1 : s->nranks); r++) {

        for (i = 0, k = 0; vm_family_cache_labels[i].name; i++) {
            labels[k] = vm_family_cache_labels[i];

            if (strcmp(labels[k].name, "engine") == 0) {

                if (s->scaled) {
                    continue;
                }

                labels[k].value = vm_family_number(engine, sizeof(engine), r);
            }

            for (n = 0; n < vm_nelts(known); n++) {
                if (strcmp(labels[k].name, known[n].name) == 0) {
                    labels[k].value = known[n].value;
                }
            }

            k++;
        }

        labels[k].name = NULL;

        vm_expose_sample(out, f->name, "", labels, 1);
    }

    out->failed |= concurrency.failed;
    vm_buf_free(&concurrency);
}


static vm_str_t
vm_family_number(char *buf, size_t size, uint64_t n)
{
    char      *p;
    vm_str_t   s;

    p = buf + size;

    do {
        *--p = (char) ('0' + n % 10);
        n /= 10;
    } while (n && p > buf);

    s.data = p;
    s.len = (size_t) (buf + size - p);

    return s;
}
