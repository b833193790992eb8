/*
 * vLLM's command line: every argument that `vllm serve` of release 0.32.0
 * takes, and what it sets here.
 */

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "settings.h"
#include "../base/near.h"


typedef enum {
    VM_ARITY_NONE,                  /* --x */
    VM_ARITY_SWITCH,                /* --x, --no-x */
    VM_ARITY_ONE,
    VM_ARITY_MAYBE,
    VM_ARITY_MANY                   /* one or more */
} vm_arity_e;

typedef enum {
    VM_SET_IGNORED,
    VM_SET_ENGINE,
    VM_SET_FLAG,
    VM_SET_UINT,
    VM_SET_COUNT,
    VM_SET_GPUS,
    VM_SET_ENGINES,
    VM_SET_PORT,
    VM_SET_JSON,                    /* an object */
    VM_SET_LOGPROBS,                /* -1: no limit */
    VM_SET_STR,
    VM_SET_STRINGS,
    VM_SET_JSONLIST,
    VM_SET_RUNNER,
    VM_SET_CONVERT,
    VM_SET_OVERRIDES,
    VM_SET_SEED
} vm_set_e;

typedef struct {
    const char  *name;
    const char  *brief;             /* -name */
    vm_arity_e   arity;
    vm_set_e     kind;
    size_t       offset;
} vm_arg_t;

#define vm_setting(field)  offsetof(vm_settings_t, field)


static const vm_arg_t  vm_args[] = {
    { "additional-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "aggregate-engine-logging", NULL, VM_ARITY_NONE, VM_SET_IGNORED, 0 },
    { "all2all-backend", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "allow-credentials", NULL,
      VM_ARITY_SWITCH, VM_SET_FLAG, vm_setting(allow_credentials) },
    { "allow-deprecated-quantization", NULL,
      VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "allowed-headers", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "allowed-local-media-path", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "allowed-media-domains", NULL, VM_ARITY_MANY, VM_SET_IGNORED, 0 },
    { "allowed-methods", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "allowed-origins", NULL,
      VM_ARITY_ONE, VM_SET_JSONLIST, vm_setting(allowed_origins) },
    { "anthropic-disabled-thinking-effort", NULL,
      VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "api-key", NULL, VM_ARITY_MANY, VM_SET_STRINGS, vm_setting(api_keys) },
    { "api-server-count", "asc", VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "async-scheduling", NULL, VM_ARITY_SWITCH, VM_SET_ENGINE, 0 },
    { "attention-backend", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "attention-config", "ac", VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "aux-output-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "block-size", NULL, VM_ARITY_ONE, VM_SET_ENGINE, 0 },
    { "chat-template", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "chat-template-content-format", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "code-revision", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "cohere-format", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "cohere-is-reasoning-model", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "collect-detailed-traces", NULL, VM_ARITY_MANY, VM_SET_IGNORED, 0 },
    { "compilation-config", "cc", VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "config-format", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "convert", NULL, VM_ARITY_ONE, VM_SET_CONVERT, 0 },
    { "cp-kv-cache-interleave-size", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "cpu-distributed-timeout-seconds", NULL,
      VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "cpu-offload-gb", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "cpu-offload-params", NULL, VM_ARITY_MANY, VM_SET_IGNORED, 0 },
    { "cudagraph-capture-sizes", NULL, VM_ARITY_MANY, VM_SET_IGNORED, 0 },
    { "cudagraph-metrics", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "custom-histogram-buckets", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "data-parallel-address", "dpa", VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "data-parallel-backend", "dpb", VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "data-parallel-external-lb", "dpe", VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "data-parallel-hybrid-lb", "dph", VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "data-parallel-multi-port-external-lb", "dpm",
      VM_ARITY_NONE, VM_SET_IGNORED, 0 },
    { "data-parallel-rank", "dpn", VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "data-parallel-rpc-port", "dpp", VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "data-parallel-size", "dp",
      VM_ARITY_ONE, VM_SET_ENGINES, vm_setting(data_parallel) },
    { "data-parallel-size-local", "dpl", VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "data-parallel-start-rank", "dpr", VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "data-parallel-supervisor-port", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "dbo-decode-token-threshold", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "dbo-prefill-token-threshold", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "dcp-comm-backend", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "dcp-kv-cache-interleave-size", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "dcp-q-replicate", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "decode-context-parallel-size", "dcp", VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "default-chat-template-kwargs", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "default-mm-loras", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "device-ids", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "device-memory-utilization", NULL,
      VM_ARITY_ONE, VM_SET_STR, vm_setting(gpu_memory_utilization) },
    { "diffusion-config", "dc", VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "disable-access-log-for-endpoints", NULL,
      VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "disable-cascade-attn", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "disable-chunked-mm-input", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "disable-custom-all-reduce", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "disable-fastapi-docs", NULL,
      VM_ARITY_SWITCH, VM_SET_FLAG, vm_setting(disable_docs) },
    { "disable-hybrid-kv-cache-manager", NULL,
      VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "disable-log-stats", NULL,
      VM_ARITY_NONE, VM_SET_FLAG, vm_setting(disable_log_stats) },
    { "disable-nccl-for-dp-synchronization", NULL,
      VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "disable-sliding-window", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "disable-uvicorn-access-log", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "distributed-executor-backend", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "distributed-timeout-seconds", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "download-dir", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "dp-supervisor-probe-failure-threshold", NULL,
      VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "dp-supervisor-probe-interval-s", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "dp-supervisor-probe-timeout-s", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "dp-sync-interval", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "dtype", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "ec-manager-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "ec-transfer-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "elastic-ep-max-dp-size", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "enable-auto-tool-choice", NULL,
      VM_ARITY_SWITCH, VM_SET_FLAG, vm_setting(auto_tool_choice) },
    { "enable-batch-sharded-sampling", NULL,
      VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-chunked-prefill", NULL, VM_ARITY_SWITCH, VM_SET_ENGINE, 0 },
    { "enable-cumem-allocator", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-dbo", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-elastic-ep", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-ep-weight-filter", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-eplb", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-expert-parallel", "ep", VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-fault-tolerance", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-flash-late-interaction", NULL,
      VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-flashinfer-autotune", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-force-include-usage", NULL,
      VM_ARITY_SWITCH, VM_SET_FLAG, vm_setting(force_usage) },
    { "enable-hc-sp", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-layerwise-nvtx-tracing", NULL,
      VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-log-deltas", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-log-outputs", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-log-requests", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-logging-iteration-details", NULL,
      VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-lora", NULL,
      VM_ARITY_SWITCH, VM_SET_FLAG, vm_setting(enable_lora) },
    { "enable-mamba-cache-stochastic-rounding", NULL,
      VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-mamba-shared-prefix-checkpoint", NULL,
      VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-mfu-metrics", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-mixed-moe-lora-format", NULL,
      VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-mm-embeds", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-moe-shared-loras", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-nccl-comm-suspend", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-offline-docs", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-per-request-metrics", NULL,
      VM_ARITY_SWITCH, VM_SET_FLAG, vm_setting(per_request_metrics) },
    { "enable-prefix-caching", NULL, VM_ARITY_SWITCH, VM_SET_ENGINE, 0 },
    { "enable-prompt-embeds", NULL,
      VM_ARITY_SWITCH, VM_SET_FLAG, vm_setting(prompt_embeds) },
    { "enable-prompt-tokens-details", NULL,
      VM_ARITY_SWITCH, VM_SET_FLAG, vm_setting(prompt_tokens_details) },
    { "enable-request-id-headers", NULL,
      VM_ARITY_SWITCH, VM_SET_FLAG, vm_setting(request_id_headers) },
    { "enable-return-routed-experts", NULL,
      VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-scale-out", NULL,
      VM_ARITY_SWITCH, VM_SET_FLAG, vm_setting(scale_out) },
    { "enable-server-load-tracking", NULL,
      VM_ARITY_SWITCH, VM_SET_FLAG, vm_setting(load_tracking) },
    { "enable-shm-tensor-arena", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-sleep-mode", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-ssl-refresh", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-tokenizer-info-endpoint", NULL,
      VM_ARITY_SWITCH, VM_SET_FLAG, vm_setting(tokenizer_info) },
    { "enable-tower-connector-lora", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enable-trace-replay", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "enforce-eager", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "engram-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "eplb-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "exclude-tools-when-tool-choice-none", NULL,
      VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "expert-placement-strategy", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "fail-on-environ-validation", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "fault-tolerance-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "fingerprint-mode", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "fingerprint-value", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "fully-sharded-loras", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "gdn-prefill-backend", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "generation-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "gpu-memory-utilization", NULL,
      VM_ARITY_ONE, VM_SET_STR, vm_setting(gpu_memory_utilization) },
    { "grpc", NULL, VM_ARITY_NONE, VM_SET_IGNORED, 0 },
    { "grpc-port", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "h11-max-header-count", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "h11-max-incomplete-event-size", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "headless", NULL, VM_ARITY_NONE, VM_SET_IGNORED, 0 },
    { "hf-config-path", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "hf-overrides", NULL, VM_ARITY_ONE, VM_SET_OVERRIDES, 0 },
    { "hf-token", NULL, VM_ARITY_MAYBE, VM_SET_IGNORED, 0 },
    { "host", NULL, VM_ARITY_ONE, VM_SET_STR, vm_setting(host) },
    { "ignore-patterns", NULL, VM_ARITY_MANY, VM_SET_IGNORED, 0 },
    { "interleave-mm-strings", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "io-processor-plugin", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "ir-op-priority", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "jit-monitor-mode", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "jit-monitor-verbose", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "kda-decode-backend", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "kda-prefill-backend", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "kernel-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "kv-cache-dtype", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "kv-cache-dtype-skip-layers", NULL, VM_ARITY_MANY, VM_SET_IGNORED, 0 },
    { "kv-cache-memory-bytes", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "kv-cache-metrics", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "kv-cache-metrics-sample", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "kv-events-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "kv-offloading-backend", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "kv-offloading-size", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "kv-sharing-fast-prefill", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "kv-transfer-config", NULL, VM_ARITY_ONE, VM_SET_JSON,
      vm_setting(kv_transfer_config) },
    { "language-model-only", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "limit-mm-per-prompt", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "linear-backend", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "load-format", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "log-config-file", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "log-error-stack", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "log-level", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "logging-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "logits-processors", NULL, VM_ARITY_MANY, VM_SET_IGNORED, 0 },
    { "logprobs-mode", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "long-prefill-token-threshold", NULL, VM_ARITY_ONE, VM_SET_ENGINE, 0 },
    { "long-prefill-token-threshold-adaptive", NULL,
      VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "lora-dtype", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "lora-modules", NULL,
      VM_ARITY_MANY, VM_SET_STRINGS, vm_setting(lora_modules) },
    { "lora-target-modules", NULL, VM_ARITY_MANY, VM_SET_IGNORED, 0 },
    { "mamba-backend", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mamba-block-size", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mamba-cache-dtype", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mamba-cache-mode", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mamba-cache-philox-rounds", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mamba-ssm-cache-dtype", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mamba-ssu-algorithm", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "master-addr", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "master-port", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "max-cpu-loras", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "max-cudagraph-capture-size", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "max-log-len", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "max-logprobs", NULL,
      VM_ARITY_ONE, VM_SET_LOGPROBS, vm_setting(max_logprobs) },
    { "max-lora-cls-labels", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "max-lora-rank", NULL,
      VM_ARITY_ONE, VM_SET_UINT, vm_setting(max_lora_rank) },
    { "max-loras", NULL, VM_ARITY_ONE, VM_SET_COUNT, vm_setting(max_loras) },
    { "max-model-len", NULL, VM_ARITY_ONE, VM_SET_ENGINE, 0 },
    { "max-num-active-seqs", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "max-num-batched-tokens", NULL, VM_ARITY_ONE, VM_SET_ENGINE, 0 },
    { "max-num-queued-reqs", NULL, VM_ARITY_ONE, VM_SET_ENGINE, 0 },
    { "max-num-queued-tokens", NULL, VM_ARITY_ONE, VM_SET_ENGINE, 0 },
    { "max-num-scheduled-tokens", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "max-num-seqs", NULL, VM_ARITY_ONE, VM_SET_ENGINE, 0 },
    { "max-parallel-loading-workers", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "media-io-kwargs", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "middleware", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mm-device-do-normalize", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "mm-encoder-attn-backend", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mm-encoder-attn-dtype", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mm-encoder-fp8-scale-path", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mm-encoder-fp8-scale-save-margin", NULL,
      VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mm-encoder-fp8-scale-save-path", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mm-encoder-only", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "mm-encoder-tp-mode", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mm-hasher-algorithm", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mm-ipc-gpu-memory-gb", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mm-processor-cache-gb", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mm-processor-cache-type", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mm-processor-device", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mm-processor-kwargs", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mm-shm-cache-max-object-size-mb", NULL,
      VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "mm-tensor-ipc", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "model", NULL, VM_ARITY_ONE, VM_SET_STR, vm_setting(root) },
    { "model-class-overrides", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "model-impl", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "model-loader-extra-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "moe-backend", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "nnodes", "n", VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "node-rank", "r", VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "num-gpu-blocks-override", NULL, VM_ARITY_ONE, VM_SET_ENGINE, 0 },
    { "numa-bind", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "numa-bind-cpus", NULL, VM_ARITY_MANY, VM_SET_IGNORED, 0 },
    { "numa-bind-nodes", NULL, VM_ARITY_MANY, VM_SET_IGNORED, 0 },
    { "offload-backend", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "offload-group-size", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "offload-num-in-group", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "offload-params", NULL, VM_ARITY_MANY, VM_SET_IGNORED, 0 },
    { "offload-prefetch-step", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "optimization-level", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "otlp-traces-endpoint", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "override-generation-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "per-request-spec-decode-metrics", NULL,
      VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "performance-mode", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "pipeline-parallel-size", "pp", VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "pooler-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "port", NULL, VM_ARITY_ONE, VM_SET_PORT, vm_setting(port) },
    { "prefill-context-parallel-size", "pcp", VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "prefill-schedule-interval", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "prefix-cache-retention-interval", NULL,
      VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "prefix-caching-hash-algo", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "prefix-match-unit", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "profiler-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "pt-load-map-location", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "quantization", "q", VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "quantization-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "ray-workers-use-nsight", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "reasoning-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "reasoning-parser", NULL,
      VM_ARITY_ONE, VM_SET_STR, vm_setting(reasoning_parser) },
    { "reasoning-parser-plugin", NULL, VM_ARITY_ONE, VM_SET_STR,
      vm_setting(reasoning_parser_plugin) },
    { "renderer-num-workers", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "replayssm-buffer-len", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "response-role", NULL,
      VM_ARITY_ONE, VM_SET_STR, vm_setting(response_role) },
    { "return-sampling-mask", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "return-tokens-as-token-ids", NULL,
      VM_ARITY_SWITCH, VM_SET_FLAG, vm_setting(tokens_as_ids) },
    { "revision", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "root-path", NULL, VM_ARITY_ONE, VM_SET_STR, vm_setting(root_path) },
    { "runner", NULL, VM_ARITY_ONE, VM_SET_RUNNER, 0 },
    { "safetensors-load-strategy", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "safetensors-prefetch-block-size", NULL,
      VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "safetensors-prefetch-num-threads", NULL,
      VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "scheduler-cls", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "scheduler-reserve-full-isl", NULL, VM_ARITY_SWITCH, VM_SET_ENGINE, 0 },
    { "scheduling-policy", NULL, VM_ARITY_ONE, VM_SET_ENGINE, 0 },
    { "seed", NULL, VM_ARITY_ONE, VM_SET_SEED, 0 },
    { "served-model-name", NULL,
      VM_ARITY_MANY, VM_SET_STRINGS, vm_setting(names) },
    { "show-hidden-metrics-for-version", NULL,
      VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "shutdown-timeout", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "skip-mm-profiling", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "skip-tokenizer-init", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "sleep-mode-offload-cudagraph", NULL,
      VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "sleep-preserve-parameter-names", NULL,
      VM_ARITY_MANY, VM_SET_IGNORED, 0 },
    { "sparse-indexer-topk-backend", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "spec-method", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "spec-model", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "spec-tokens", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "specialize-active-lora", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "speculative-config", "sc", VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "sse-keep-alive-interval", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "ssl-ca-certs", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "ssl-cert-reqs", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "ssl-certfile", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "ssl-ciphers", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "ssl-keyfile", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "stream-interval", NULL,
      VM_ARITY_ONE, VM_SET_COUNT, vm_setting(stream_interval) },
    { "structured-outputs-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "swa-bounded-replay", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "tensor-parallel-size", "tp",
      VM_ARITY_ONE, VM_SET_GPUS, vm_setting(tensor_parallel) },
    { "tokenizer", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "tokenizer-mode", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "tokenizer-revision", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "tokens-only", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "tool-call-parser", NULL,
      VM_ARITY_ONE, VM_SET_STR, vm_setting(tool_call_parser) },
    { "tool-parser-plugin", NULL, VM_ARITY_ONE, VM_SET_STR,
      vm_setting(tool_parser_plugin) },
    { "tool-server", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "tool-strict-level", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "trust-remote-code", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "trust-request-chat-template", NULL,
      VM_ARITY_SWITCH, VM_SET_FLAG, vm_setting(trust_chat_template) },
    { "trust-request-mm-kwargs", NULL,
      VM_ARITY_SWITCH, VM_SET_FLAG, vm_setting(trust_mm_kwargs) },
    { "ubatch-size", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "uds", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "use-fp64-gumbel", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "use-replayssm", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "use-tqdm-on-load", NULL, VM_ARITY_SWITCH, VM_SET_IGNORED, 0 },
    { "uvicorn-log-level", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "video-pruning-method", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "video-pruning-rate", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "watermark", NULL, VM_ARITY_ONE, VM_SET_ENGINE, 0 },
    { "watermark-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "weight-transfer-config", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "worker-cls", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 },
    { "worker-extension-cls", NULL, VM_ARITY_ONE, VM_SET_IGNORED, 0 }
};


/* What a number may be; what else is told of a value that does not fit. */

static const struct {
    uint32_t     min;
    uint32_t     max;
    const char  *told;
}  vm_values[] = {
    [VM_SET_UINT] = { 0, UINT32_MAX, "a number" },
    [VM_SET_COUNT] = { 1, UINT32_MAX, "a number from 1" },
    [VM_SET_GPUS] = { 1, 1024, "1 to 1024" },
    [VM_SET_ENGINES] = { 1, VM_ENGINES, "1 to 16" },
    [VM_SET_PORT] = { 1, 65535, "1 to 65535" },
    [VM_SET_JSON] = { 0, 0, "a JSON object" },
    [VM_SET_LOGPROBS] = { 0, UINT32_MAX, "a number, or -1" },
    [VM_SET_JSONLIST] = { 0, 0, "a JSON list of texts" },
    [VM_SET_RUNNER] = { 0, 0, "auto, generate or pooling" },
    [VM_SET_CONVERT] = { 0, 0, "auto, none, embed or classify" },
    [VM_SET_OVERRIDES] = { 0, 0, "a JSON object" },
    [VM_SET_SEED] = { 0, 0, "a number" }
};


/* The variables of vLLM's server, by its names. */

static const struct {
    const char  *name;
    size_t       offset;
}  vm_envs[] = {
    { "VLLM_SERVER_DEV_MODE", vm_setting(dev_mode) },
    { "VLLM_ALLOW_RUNTIME_LORA_UPDATING", vm_setting(runtime_lora) },
    { "VLLM_ENABLE_RESPONSES_API_STORE", vm_setting(responses_store) },
    { "VLLM_API_KEY", vm_setting(api_keys) }
};


void
vm_settings_defaults(vm_settings_t *s)
{
    memset(s, 0, sizeof(vm_settings_t));

    s->num_labels = 2;
    s->hidden_size = 128;
    s->side_port = 5600;
    s->max_logprobs = 20;
    s->stream_interval = 1;
    s->max_loras = 1;
    s->max_lora_rank = 16;
    s->response_role = "assistant";
    s->gpu_memory_utilization = "0.92";
    s->tensor_parallel = 0;
    s->data_parallel = 1;
    s->root_path = "";
}


const char *const *
vm_settings_env_names(void)
{
    size_t              i;
    static const char  *names[vm_nelts(vm_envs) + 1];

    for (i = 0; i < vm_nelts(vm_envs); i++) {
        names[i] = vm_envs[i].name;
    }

    return names;
}


static int
vm_strings_add(vm_strings_t *l, const char *s, vm_pool_t *pool)
{
    const char  **list;

    list = vm_pool_alloc(pool, (l->n + 1) * sizeof(char *));
    if (list == NULL) {
        return VM_ERROR;
    }

    if (l->n) {
        memcpy(list, l->list, l->n * sizeof(char *));
    }

    list[l->n++] = s;
    l->list = list;

    return VM_OK;
}


/* Python's int(), or a word for it. */

static int
vm_env_flag(const char *value, uint8_t *flag)
{
    long   n;
    char  *end;

    n = strtol(value, &end, 10);

    if (end != value && *end == '\0') {
        *flag = n != 0;
        return VM_OK;
    }

    *flag = strcasecmp(value, "true") == 0;

    return *flag || *value == '\0' || strcasecmp(value, "false") == 0
           ? VM_OK : VM_ERROR;
}


int
vm_settings_env(vm_settings_t *s, const char *name, const char *value,
    vm_pool_t *pool)
{
    char    *copy;
    size_t   i;

    for (i = 0; i < vm_nelts(vm_envs); i++) {

        if (strcmp(name, vm_envs[i].name) != 0) {
            continue;
        }

        if (vm_envs[i].offset != vm_setting(api_keys)) {
            return vm_env_flag(value, (uint8_t *) s + vm_envs[i].offset);
        }

        if (*value == '\0') {
            return VM_OK;
        }

        copy = vm_pool_strdup(pool, value, strlen(value));

        return copy ? vm_strings_add(&s->api_keys, copy, pool) : VM_ERROR;
    }

    return VM_DECLINED;
}


int
vm_settings_number(const char *text, uint64_t *out)
{
    char                     *end;
    double                    d;
    const char               *unit;
    static const char         units[] = "kmgtKMGT";
    static const double       sizes[] = {
        1e3, 1e6, 1e9, 1e12, 1024.0, 1048576.0, 1073741824.0, 1099511627776.0
    };

    if (*text < '0' || *text > '9') {
        return VM_ERROR;
    }

    d = strtod(text, &end);

    if (*end && end[1] == '\0') {
        unit = strchr(units, *end);

        if (unit == NULL) {
            return VM_ERROR;
        }

        /* a decimal number takes decimal multipliers only, as in vLLM */

        if (*unit < 'a' && memchr(text, '.', (size_t) (end - text))) {
            return VM_ERROR;
        }

        d *= sizes[unit - units];

    } else if (*end) {
        return VM_ERROR;
    }

    if (d >= 0x1p63 || d != (double) (uint64_t) d) {
        return VM_ERROR;
    }

    *out = (uint64_t) d;

    return VM_OK;
}


static const vm_arg_t *
vm_arg_find(const char *name, size_t len)
{
    size_t  i, lo, hi;
    int     c;

    for (lo = 0, hi = vm_nelts(vm_args); lo < hi; /* void */ ) {
        i = (lo + hi) / 2;
        c = strncmp(name, vm_args[i].name, len);

        if (c == 0 && vm_args[i].name[len] == '\0') {
            return &vm_args[i];
        }

        if (c > 0) {
            lo = i + 1;

        } else {
            hi = i;
        }
    }

    return NULL;
}


static const vm_arg_t *
vm_arg_brief(const char *name, size_t len)
{
    size_t  i;

    for (i = 0; i < vm_nelts(vm_args); i++) {

        if (vm_args[i].brief && strlen(vm_args[i].brief) == len
            && memcmp(vm_args[i].brief, name, len) == 0)
        {
            return &vm_args[i];
        }
    }

    return NULL;
}


static int
vm_arg_json_list(vm_strings_t *l, const char *text, vm_pool_t *pool)
{
    int      rc;
    size_t   i;
    char    *copy;
    json_t  *item, *list;

    list = json_loads(text, 0, NULL);

    if (!json_is_array(list)) {
        json_decref(list);
        return VM_ERROR;
    }

    rc = VM_OK;
    l->n = 0;

    json_array_foreach(list, i, item) {
        copy = json_is_string(item)
               ? vm_pool_strdup(pool, json_string_value(item),
                                json_string_length(item))
               : NULL;

        if (copy == NULL || vm_strings_add(l, copy, pool) != VM_OK) {
            rc = VM_ERROR;
            break;
        }
    }

    json_decref(list);

    return rc;
}


static int
vm_arg_overrides(vm_settings_t *s, const char *text)
{
    json_t      *labels, *o;

    o = json_loads(text, 0, NULL);

    if (!json_is_object(o)) {
        json_decref(o);
        return VM_ERROR;
    }

    labels = json_object_get(o, "num_labels");

    if (json_is_integer(labels) && json_integer_value(labels) > 0) {
        s->num_labels = (uint32_t) json_integer_value(labels);
    }

    json_decref(o);

    return VM_OK;
}


static int
vm_arg_object(const char *text)
{
    int      yes;
    json_t  *o;

    o = json_loads(text, 0, NULL);
    yes = json_is_object(o);
    json_decref(o);

    return yes;
}


/* One value of an argument; VM_ERROR if it does not fit. */

static int
vm_arg_value(vm_settings_t *s, const vm_arg_t *a, const char *value,
    vm_pool_t *pool)
{
    void      *field;
    uint64_t   n;

    field = (char *) s + a->offset;

    switch (a->kind) {

    case VM_SET_LOGPROBS:
        if (strcmp(value, "-1") == 0) {
            *(uint32_t *) field = VM_NEVER;
            return VM_OK;
        }

        /* fall through */

    case VM_SET_UINT:
    case VM_SET_COUNT:
    case VM_SET_GPUS:
    case VM_SET_ENGINES:
    case VM_SET_PORT:
        if (vm_settings_number(value, &n) != VM_OK
            || n < vm_values[a->kind].min || n > vm_values[a->kind].max)
        {
            return VM_ERROR;
        }

        *(uint32_t *) field = (uint32_t) n;
        return VM_OK;

    case VM_SET_SEED:
        s->seeded = 1;
        return vm_settings_number(value, &s->seed);

    case VM_SET_JSON:
        if (!vm_arg_object(value)) {
            return VM_ERROR;
        }

        /* fall through */

    case VM_SET_STR:
        *(const char **) field = value;
        return VM_OK;

    case VM_SET_STRINGS:
        return *value ? vm_strings_add(field, value, pool) : VM_OK;

    case VM_SET_JSONLIST:
        return vm_arg_json_list(field, value, pool);

    case VM_SET_RUNNER:
        if (strcmp(value, "pooling") == 0) {
            s->runner = vm_max(s->runner, VM_RUNNER_EMBED);
            return VM_OK;
        }

        return (strcmp(value, "auto") == 0 || strcmp(value, "generate") == 0)
               ? VM_OK : VM_ERROR;

    case VM_SET_CONVERT:
        if (strcmp(value, "classify") == 0) {
            s->runner = VM_RUNNER_CLASSIFY;
            return VM_OK;
        }

        if (strcmp(value, "embed") == 0) {
            s->runner = VM_RUNNER_EMBED;
            return VM_OK;
        }

        return (strcmp(value, "auto") == 0 || strcmp(value, "none") == 0)
               ? VM_OK : VM_ERROR;

    case VM_SET_OVERRIDES:
        return vm_arg_overrides(s, value);

    default:
        return VM_OK;
    }
}


static vm_arg_e
vm_arg_bare(vm_settings_t *s, const vm_arg_t *a, int no, const char **value)
{
    if (a->kind == VM_SET_ENGINE) {
        *value = no ? "off" : "on";
        return VM_ARG_ENGINE;
    }

    if (a->kind == VM_SET_FLAG) {
        *((uint8_t *) s + a->offset) = !no;
        return VM_ARG_SET;
    }

    return VM_ARG_IGNORED;
}


/* The positional one: vllm serve MODEL. */

static vm_arg_e
vm_arg_model(vm_settings_t *s, const char *arg, char *err, size_t errlen)
{
    if (s->tag) {
        snprintf(err, errlen, "unrecognized argument \"%s\": the model is "
                 "\"%s\" (more names: --served-model-name)", arg, s->tag);
        return VM_ARG_FAILED;
    }

    s->root = arg;
    s->tag = arg;

    return VM_ARG_SET;
}


/* *value, given with "=", or the words that follow, of which it is the last. */

static int
vm_arg_values(vm_settings_t *s, const vm_arg_t *a, const char *const *argv,
    size_t n, size_t *i, vm_pool_t *pool, const char **value, char *err,
    size_t errlen)
{
    size_t       start;
    const char  *given;

    given = *value;

    if (a->kind == VM_SET_STRINGS && given == NULL) {

        /* given again, a list begins anew, as argparse does it */

        ((vm_strings_t *) (void *) ((char *) s + a->offset))->n = 0;
    }

    start = *i;

    for ( ;; ) {

        if (given == NULL) {

            if (*i == n || (argv[*i][0] == '-' && argv[*i][1] != '\0'
                            && (argv[*i][1] < '0' || argv[*i][1] > '9')))
            {
                break;
            }

            *value = argv[(*i)++];
        }

        if (vm_arg_value(s, a, *value, pool) != VM_OK) {
            snprintf(err, errlen, "invalid value \"%s\" of argument --%s%s%s",
                     *value, a->name, vm_values[a->kind].told ? ": " : "",
                     vm_values[a->kind].told ? vm_values[a->kind].told : "");
            return VM_ERROR;
        }

        if (given || a->arity != VM_ARITY_MANY) {
            break;
        }
    }

    if (given == NULL && *i == start && a->arity != VM_ARITY_MAYBE) {
        snprintf(err, errlen, "argument --%s expects %s", a->name,
                 a->arity == VM_ARITY_MANY ? "at least one value"
                                           : "a value");
        return VM_ERROR;
    }

    return VM_OK;
}


vm_arg_e
vm_settings_arg(vm_settings_t *s, const char *const *argv, size_t n,
    size_t *i, vm_pool_t *pool, const char **name, const char **value,
    char *err, size_t errlen)
{
    int              no;
    char            *key;
    size_t           k, len;
    const char      *arg, *equals, *given, *unknown;
    const vm_arg_t  *a;

    arg = argv[(*i)++];

    if (arg[0] != '-') {
        return vm_arg_model(s, arg, err, errlen);
    }

    given = NULL;
    equals = strchr(arg, '=');
    len = equals ? (size_t) (equals - arg) : strlen(arg);

    if (equals) {
        given = equals + 1;
    }

    no = 0;
    a = NULL;
    key = NULL;

    if (arg[1] == '-') {

        /* vLLM takes "_" for "-" in names */

        key = vm_pool_strdup(pool, arg + 2, len - 2);
        if (key == NULL) {
            snprintf(err, errlen, "no memory");
            return VM_ARG_FAILED;
        }

        len -= 2;

        for (k = 0; k < len; k++) {
            key[k] = key[k] == '_' ? '-' : key[k];
        }

        a = vm_arg_find(key, len);

        if (a == NULL && strncmp(key, "no-", 3) == 0) {
            a = vm_arg_find(key + 3, len - 3);
            no = a && a->arity == VM_ARITY_SWITCH;
            a = no ? a : NULL;
        }

    } else {
        a = vm_arg_brief(arg + 1, len - 1);
    }

    if (a == NULL) {
        unknown = key ? key : arg + 1;
        snprintf(err, errlen, "unrecognized argument \"--%s\"", unknown);
        vm_near_add(err, errlen, unknown, "--", &vm_args[0].name,
                    vm_nelts(vm_args), sizeof(vm_arg_t));
        return VM_ARG_FAILED;
    }

    *name = a->name;
    *value = given;

    if (a->arity == VM_ARITY_NONE || a->arity == VM_ARITY_SWITCH) {

        if (given) {
            snprintf(err, errlen, "argument --%s takes no value, but \"%s\" "
                     "was given", a->name, given);
            return VM_ARG_FAILED;
        }

        return vm_arg_bare(s, a, no, value);
    }

    if (vm_arg_values(s, a, argv, n, i, pool, value, err, errlen) != VM_OK) {
        return VM_ARG_FAILED;
    }

    if (a->kind == VM_SET_ENGINE) {
        return VM_ARG_ENGINE;
    }

    return a->kind == VM_SET_IGNORED ? VM_ARG_IGNORED : VM_ARG_SET;
}
