/*
 * The text of GET /metrics: families as vLLM 0.32.0 names, orders and prints
 * them, from the engines' counters and the HTTP front end's, with overrides
 * on top.  Nothing here counts but vm_http_stats_observe().
 */

#ifndef VM_METRICS_H
#define VM_METRICS_H


#include "../base/buf.h"
#include "../engine/stats.h"
#include "override.h"


/* ---- what the HTTP front end counts (lives in the zone) ---- */

#define VM_HTTP_SERIES   160        /* of handler x method x status class */
#define VM_HTTP_BUCKETS  4          /* of a duration by handler, with +Inf */

typedef struct {
    uint16_t   handler;             /* index into the caller's names */
    uint8_t    method;              /* likewise */
    uint8_t    status;              /* 2: 2xx ... 5: 5xx */
    uint64_t   requests;
    double     created;             /* Unix seconds */
} vm_http_series_t;

typedef struct {
    uint16_t   handler;
    uint8_t    method;
    uint64_t   counts[VM_HTTP_BUCKETS];     /* not cumulative */
    double     sum;
    double     created;
} vm_http_duration_t;

typedef struct {
    uint64_t   count;
    double     sum;
    double     created;
} vm_http_summary_t;

#define VM_HTTP_HANDLERS  96
#define VM_HTTP_METHODS   12

typedef struct {
    uint32_t           nseries;
    vm_http_series_t   series[VM_HTTP_SERIES];
    vm_http_summary_t  request_size[VM_HTTP_HANDLERS];
    vm_http_summary_t  response_size[VM_HTTP_HANDLERS];
    uint32_t           ndurations;
    vm_http_duration_t durations[VM_HTTP_SERIES];   /* handler x method */
    vm_hist_t          highr;
} vm_http_stats_t;

/*
 * Series stand in the order in which they were seen first, as in vLLM; those
 * beyond the tables' sizes are not counted by handler.  `status` is the whole
 * code (404).
 */
void vm_http_stats_init(vm_http_stats_t *s);
void vm_http_stats_observe(vm_http_stats_t *s, uint32_t handler,
    uint32_t method, uint32_t status, uint64_t request_bytes,
    uint64_t response_bytes, double seconds, double unix_now);


/* ---- /sleep and /wake_up (zeroed at first; lives in the zone) ---- */

typedef enum {
    VM_OPERATION_SLEEP,
    VM_OPERATION_WAKE,
    VM_OPERATIONS
} vm_operation_e;

#define VM_OPERATION_BUCKETS  10    /* with +Inf */

typedef struct {
    struct {
        uint64_t  counts[VM_OPERATION_BUCKETS];
        double    sum;
        double    created;          /* 0: it never happened */
    } operations[VM_OPERATIONS];
} vm_sleep_stats_t;

void vm_sleep_stats_observe(vm_sleep_stats_t *s, vm_operation_e operation,
    double seconds, double unix_now);


/* ---- looks of the tool parser (zeroed at first; lives in the zone) ---- */

enum { VM_PARSER_STREAMED, VM_PARSER_WHOLE, VM_PARSER_MODES };
enum { VM_PARSER_CALL, VM_PARSER_NO_CALL, VM_PARSER_OUTCOMES };
enum { VM_PARSER_CHAT, VM_PARSER_RESPONSES, VM_PARSER_OTHER, VM_PARSER_KINDS };

typedef struct {
    unsigned long  n[VM_PARSER_MODES][VM_PARSER_OUTCOMES][VM_PARSER_KINDS];
} vm_parser_stats_t;


/* ---- the mock's own (vllm_mock:*), counted by the front end ---- */

typedef struct {
    vm_hist_t  token_lateness;      /* actual write minus due, seconds */
    vm_hist_t  event_loop_lag;
    uint64_t   streams;             /* connections with a live generation */
    unsigned   saturated:1;
} vm_self_stats_t;


/* ---- a scrape ---- */

/*
 * Cache settings that vllm:cache_config_info prints besides what the stats
 * hold; the other labels are constants of the release.
 */
typedef struct {
    vm_str_t  enable_prefix_caching;        /* "True", "False" */
    vm_str_t  gpu_memory_utilization;       /* "0.92" */
    uint32_t  block_size;
    uint32_t  num_gpu_blocks;
    uint32_t  max_model_len;
    uint32_t  num_gpu_blocks_override;      /* 0: None */
    unsigned  user_block_size:1;
} vm_cache_info_t;

typedef struct {
    uint32_t  number;               /* of an adapter; 0: none */
    vm_str_t  name;
} vm_lora_name_t;

typedef struct {
    vm_str_t                model_name;
    double                  now;            /* Unix seconds */
    double                  created;        /* when the zone was made */

    uint32_t                nranks;
    const vm_stats_t       *ranks;          /* one each */
    vm_cache_info_t         cache;

    uint32_t                sleep_level;    /* 0 awake, 1, 2 */
    unsigned                asleep:1;

    const vm_sleep_stats_t *sleep;          /* NULL: no such families */
    const vm_parser_stats_t *parser;        /* NULL: there is no tool parser */

    uint32_t                max_loras;      /* 0: LoRA is off */
    const vm_lora_name_t   *lora_names;     /* by number modulo their count */
    uint32_t                nlora_names;
    double                  mono_to_unix;   /* added to vm_time_t / 1e9 */

    const vm_http_stats_t  *http;           /* NULL: no http_* families */
    const vm_str_t         *handlers;       /* names by index */
    const vm_str_t         *methods;
    const vm_self_stats_t  *self;           /* NULL: no vllm_mock:* */

    /* of the process, for process_*; 0 leaves them out */
    uint64_t                virtual_bytes;
    uint64_t                resident_bytes;
    double                  start_time;
    double                  cpu_seconds;
    uint64_t                open_fds;
    uint64_t                max_fds;

    unsigned                scaled:1;       /* vllm_mock_metrics scaled */
    unsigned                legacy:1;
    unsigned                no_stats:1;     /* --disable-log-stats */
    uint32_t                replicas;       /* 0 counts as 1 */
    int                     replica_source_up;  /* -1: there is none */

    /* rates over the last seconds, for the legacy throughput gauges */
    double                  prompt_rate;
    double                  generation_rate;

    const vm_overrides_t   *overrides;      /* NULL: none */
} vm_scrape_t;

/* VM_OK, or VM_ERROR for no memory. */
int vm_metrics_render(vm_buf_t *out, const vm_scrape_t *s);

/* A float as prometheus_client prints it: "1.0", "1e+06", "1.7e+09". */
void vm_metrics_float(vm_buf_t *out, double v);


#endif /* VM_METRICS_H */
