/*
 * What the files of the nginx glue share: configuration, the zone, a request's
 * context.
 */

#ifndef NGX_HTTP_VLLM_MOCK_H
#define NGX_HTTP_VLLM_MOCK_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "../api/generation.h"
#include "../engine/fit.h"
#include "../metrics/metrics.h"


#define NGX_HTTP_VLLM_MOCK_OWNERS    1024   /* workers, old and new ones */
#define NGX_HTTP_VLLM_MOCK_NONE      ((ngx_uint_t) -1)
#define NGX_HTTP_VLLM_MOCK_ENGINES   8      /* generations of a reload */
#define NGX_HTTP_VLLM_MOCK_RANKS     VM_ENGINES
#define NGX_HTTP_VLLM_MOCK_FLEET     1024
#define NGX_HTTP_VLLM_MOCK_DIGEST    20     /* bytes of SHA-1 */
#define NGX_HTTP_VLLM_MOCK_ADAPTERS  256
#define NGX_HTTP_VLLM_MOCK_RATE_SECONDS  5
#define NGX_HTTP_VLLM_MOCK_LATE_SECONDS  10     /* of vllm_mock:saturated */


/* ---- configuration ---- */

typedef struct {
    ngx_str_t                 name;
    size_t                    size;
    ngx_shm_zone_t           *shm_zone;
} ngx_http_vllm_mock_zone_conf_t;

typedef struct {
    ngx_array_t               zones;        /* of ngx_shm_zone_t * */
    ngx_uint_t                nports;       /* that nginx listens on, each */
    in_port_t                *ports;        /* once, in their order */
    ngx_array_t              *tokenizers;   /* those that were loaded */
} ngx_http_vllm_mock_main_conf_t;

typedef struct {
    ngx_str_t                 name;
    ngx_str_t                 path;
} ngx_http_vllm_mock_lora_t;

/* The token of $vllm_mock_kube_token, as it was read last. */

typedef struct {
    ngx_str_t                 path;
    struct timespec           mtime;
    ino_t                     inode;
    off_t                     size;
    size_t                    len;          /* of text; 0: there is none */
    ngx_uint_t                missing;      /* was logged */
    u_char                    text[16384];
} ngx_http_vllm_mock_token_t;

/* A directive whose values are worked out when all are known. */

typedef struct {
    ngx_conf_t               *cf;
    ngx_str_t                *args;         /* without the directive's name */
    ngx_uint_t                nargs;
    u_char                   *file;
    ngx_uint_t                line;
    ngx_uint_t                warned;
} ngx_http_vllm_mock_directive_t;

/*
 * Directives as they were written, per level; a level below inherits what it
 * does not set itself.
 */

typedef struct {
    ngx_array_t              *models;       /* directives */
    ngx_array_t              *loras;
    ngx_array_t              *args;
    ngx_array_t              *engine;
    ngx_array_t              *latency;
    ngx_array_t              *metrics;      /* vllm_mock_metric */
    ngx_array_t              *metrics_mode; /* vllm_mock_metrics */
    ngx_array_t              *replicas;
    ngx_array_t              *fleet;
    ngx_array_t              *time_scales;
    ngx_array_t              *seeds;
    ngx_array_t              *tokenizers;
    ngx_array_t              *versions;
    ngx_array_t              *saturations;
    ngx_str_t                 profiles;     /* directory */

    struct ngx_http_vllm_mock_loc_conf_s  *location;    /* the first here
                                                           that serves */

    /* worked out once, for the servers that serve */

    vm_pool_t                *pool;
    vm_settings_t            *settings;
    vm_engine_conf_t         *engine_conf;
    vm_time_t                 saturation;   /* p99 of lateness above it */
    ngx_str_t                 tokenizer;    /* its name */
    unsigned                  scaled:1;
    unsigned                  legacy:1;
    vm_fit_t                  fit;          /* what is not derived */
    ngx_str_t                 ignored;      /* arguments without a meaning */
    ngx_uint_t                fleet_size;
    ngx_http_complex_value_t *fleet_by;     /* NULL: the port's place */
    ngx_uint_t                replicas_fixed;       /* or the fallback */
    ngx_str_t                 replicas_uri;         /* of the source */
    ngx_msec_t                replicas_ttl;
    ngx_http_vllm_mock_token_t  *token;             /* if there is a source */
    vm_overrides_t           *overrides;            /* of the start */
} ngx_http_vllm_mock_srv_conf_t;

/* vllm_mock_rate_limit; 0: none */

typedef struct {
    int64_t                   rpm;
    int64_t                   tpm;
    int64_t                   concurrency;
    uint32_t                  place;        /* where it stands, as a hash */
    ngx_http_complex_value_t *by;
} ngx_http_vllm_mock_limit_t;

typedef struct ngx_http_vllm_mock_fault_s  ngx_http_vllm_mock_fault_t;

typedef struct ngx_http_vllm_mock_loc_conf_s {
    ngx_shm_zone_t           *shm_zone;     /* NULL: does not serve here */
    ngx_http_vllm_mock_srv_conf_t  *server;
    ngx_uint_t                unknown_models;       /* accept */
    ngx_uint_t                lora_paths;           /* check */
    ngx_uint_t                all_endpoints;
    ngx_uint_t                aibrix_errors;        /* vllm_mock_errors */
    ngx_str_t                 pod;          /* of the environment, ... */
    ngx_str_t                 pod_namespace;        /* ... for headers */
    ngx_uint_t                admin;        /* who may: below */
    ngx_array_t              *admin_hosts;  /* of ngx_str_t; NULL: any */
    ngx_array_t              *keys;         /* of ngx_str_t; NULL: inherit */
    ngx_array_t              *output;       /* a directive */
    vm_output_t              *output_conf;
    ngx_array_t              *limits;       /* directives */
    ngx_http_vllm_mock_limit_t  *limit_conf;        /* NULL: none */
    ngx_array_t              *faults;       /* directives */
    ngx_array_t              *faults_conf;  /* of faults; NULL: none */
    vm_settings_t            *settings;     /* server's, with this level's */
    u_char                  (*digests)[NGX_HTTP_VLLM_MOCK_DIGEST];
                                            /* of settings->api_keys */
} ngx_http_vllm_mock_loc_conf_t;

/* vllm_mock_admin: who may change and see what is the mock's own */

#define NGX_HTTP_VLLM_MOCK_ADMIN_OFF   0
#define NGX_HTTP_VLLM_MOCK_ADMIN_ON    1    /* the key, if there is one */
#define NGX_HTTP_VLLM_MOCK_ADMIN_KEY   2
#define NGX_HTTP_VLLM_MOCK_ADMIN_OPEN  3

#define NGX_HTTP_VLLM_MOCK_REJECT  0
#define NGX_HTTP_VLLM_MOCK_ACCEPT  1
#define NGX_HTTP_VLLM_MOCK_CHECK   0
#define NGX_HTTP_VLLM_MOCK_ANY     1


extern ngx_module_t  ngx_http_vllm_mock_module;


/* conf.c */

void *ngx_http_vllm_mock_create_main_conf(ngx_conf_t *cf);
void *ngx_http_vllm_mock_create_srv_conf(ngx_conf_t *cf);
char *ngx_http_vllm_mock_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child);
void *ngx_http_vllm_mock_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_vllm_mock_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
char *ngx_http_vllm_mock_zone_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_vllm_mock_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_vllm_mock_keep(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_vllm_mock_once(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_vllm_mock_keys(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_vllm_mock_word(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_vllm_mock_hosts(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* resolve.c: directives, arguments and environment put together */

char *ngx_http_vllm_mock_resolve_location(ngx_conf_t *cf,
    ngx_http_vllm_mock_loc_conf_t *conf,
    ngx_http_vllm_mock_srv_conf_t *server);


/* ---- the zone ---- */

typedef struct {
    ngx_uint_t                loaded;
    uint32_t                  number;       /* never used again */
    u_char                    name[128];
    u_char                    path[512];
} ngx_http_vllm_mock_adapter_t;

/* By number, modulo their count: the metrics know who was unloaded, too. */

typedef struct {
    uint32_t                  number;
    u_char                    name[128];
} ngx_http_vllm_mock_lora_name_t;

/* Engines of one generation of settings: a rank each. */

typedef struct {
    ngx_uint_t                used;
    ngx_uint_t                nranks;
    vm_engine_t              *ranks[NGX_HTTP_VLLM_MOCK_RANKS];
} ngx_http_vllm_mock_engines_t;

/* A worker's place in the zone: whose its sequences are. */

typedef struct {
    ngx_pid_t                 pid;          /* 0: free */
    ngx_uint_t                fds;          /* open ones, as it told last */
    double                    cpu;          /* seconds, as it was seen last */
} ngx_http_vllm_mock_owner_t;

/* Writes of tokens within a second. */

typedef struct {
    int64_t                   second;       /* of the monotonic clock */
    uint64_t                  writes;
    uint64_t                  late;         /* beyond the bound */
} ngx_http_vllm_mock_late_t;

/* What /admin/config changed, besides the engine's settings. */

#define NGX_HTTP_VLLM_MOCK_FAULTS      8
#define NGX_HTTP_VLLM_MOCK_FAULT_TEXT  256

typedef struct {
    ngx_uint_t                version;      /* goes up with each change */
    ngx_uint_t                output_set;
    ngx_uint_t                faults_set;
    ngx_uint_t                limit_set;
    ngx_uint_t                replicas_set;
    vm_output_t               output;
    ngx_uint_t                nfaults;
    char    faults[NGX_HTTP_VLLM_MOCK_FAULTS][NGX_HTTP_VLLM_MOCK_FAULT_TEXT];
    ngx_http_vllm_mock_limit_t  limit;      /* `by` is the configuration's */
    ngx_uint_t                replicas;
} ngx_http_vllm_mock_runtime_t;

struct ngx_http_vllm_mock_store_s;                  /* store.h */
struct ngx_http_vllm_mock_limits_s;                 /* limits.c */
struct ngx_http_vllm_mock_seen_s;                   /* requests.c */

typedef struct {
    ngx_uint_t                dirty;        /* the state is half-written */
    ngx_uint_t                epoch;        /* + 1 whenever it was lost */
    double                    created;      /* Unix seconds */

    ngx_uint_t                current;      /* index into engines */
    ngx_http_vllm_mock_engines_t  engines[NGX_HTTP_VLLM_MOCK_ENGINES];
    vm_stats_t                retired[NGX_HTTP_VLLM_MOCK_RANKS];
    uint32_t                  turn;         /* of the balancer */

    uint32_t                  streams[NGX_HTTP_VLLM_MOCK_OWNERS];

    ngx_uint_t                nadapters;
    ngx_uint_t                static_adapters;      /* were put in */
    uint32_t                  next_adapter;
    ngx_http_vllm_mock_adapter_t  adapters[NGX_HTTP_VLLM_MOCK_ADAPTERS];
    ngx_http_vllm_mock_lora_name_t  lora_names[NGX_HTTP_VLLM_MOCK_ADAPTERS];

    ngx_uint_t                asleep;
    ngx_uint_t                sleep_level;
    ngx_uint_t                sleep_parts;  /* memory that is given away */
    ngx_uint_t                paused;
    vm_sleep_stats_t          sleep;
    vm_parser_stats_t         parser;       /* counted without the lock */

    struct ngx_http_vllm_mock_store_s  *store;      /* NULL: nothing is kept */
    struct ngx_http_vllm_mock_limits_s *limits;     /* NULL: none were used */

    ngx_atomic_t              load;         /* requests in flight */
    ngx_atomic_t              counter;      /* of requests, for ids */
    ngx_atomic_t              posts;        /* of those with a body, for text */
    vm_http_stats_t           http;
    vm_self_stats_t           self;
    ngx_http_vllm_mock_late_t late[NGX_HTTP_VLLM_MOCK_LATE_SECONDS];
    ngx_uint_t                start_overrides;      /* were put in */

    /* the replica count's source: replicas.c */
    struct {
        ngx_uint_t            value;
        ngx_uint_t            known;        /* it was read once */
        ngx_uint_t            state;        /* never, up, down */
        vm_time_t             tried;        /* when the last try ended */
        vm_time_t             since;        /* a try is running, or 0 */
    }                         replicas;

    vm_overrides_t            overrides;

    ngx_http_vllm_mock_runtime_t  runtime;

    struct ngx_http_vllm_mock_seen_s  *seen;        /* requests.c */

    /* samples of the token counters, for rates */
    struct {
        time_t                second;
        uint64_t              prompt;
        uint64_t              generation;
    }                         samples[NGX_HTTP_VLLM_MOCK_RATE_SECONDS + 1];
} ngx_http_vllm_mock_shared_t;

/* What the zone's memory begins with: its workers, a fleet's replicas. */

typedef struct {
    ngx_uint_t                allocating;   /* the slab is half-written */
    ngx_uint_t                broken;       /* ... and will stay so */
    double                    created;      /* Unix seconds */
    double                    cpu;          /* of workers that are gone */
    vm_hist_t                 lag;          /* of all workers' event loops */
    ngx_http_vllm_mock_owner_t  owners[NGX_HTTP_VLLM_MOCK_OWNERS];
    ngx_http_vllm_mock_shared_t  *replicas[NGX_HTTP_VLLM_MOCK_FLEET];
} ngx_http_vllm_mock_root_t;

typedef struct ngx_http_vllm_mock_stream_s  ngx_http_vllm_mock_stream_t;
typedef struct ngx_http_vllm_mock_zone_s    ngx_http_vllm_mock_zone_t;

/* Of a zone, in each process; of each replica if there is a fleet. */

struct ngx_http_vllm_mock_zone_s {
    ngx_str_t                 name;
    ngx_uint_t                replica;      /* from 0 */
    ngx_uint_t                replicas;     /* of the fleet */
    ngx_http_vllm_mock_zone_t *first;
    ngx_http_vllm_mock_zone_t *others;      /* of the first: all but itself */
    ngx_slab_pool_t          *shpool;
    ngx_http_vllm_mock_root_t      *root;
    ngx_http_vllm_mock_shared_t    *shared;
    ngx_http_vllm_mock_srv_conf_t  *server; /* whose settings it has */

    /* the worker's */

    ngx_uint_t                owner;        /* NONE: there is no place */
    ngx_uint_t                streams;      /* generations not over yet */
    ngx_event_t               timer;
    ngx_uint_t                epoch;
    ngx_queue_t               all;          /* streams */
    ngx_queue_t               touched;      /* streams with news */
    ngx_queue_t               followers;    /* of what runs in background */
    ngx_pool_t               *faults_pool;  /* those of /admin/config */
    ngx_http_vllm_mock_fault_t  *faults;
    ngx_uint_t                nfaults;
    ngx_uint_t                faults_version;
    vm_event_t               *events;       /* while they are handed on */
    size_t                    nevents;
    size_t                    at;
    vm_hist_t                 lateness;     /* not told to the zone yet */
    uint64_t                  writes;       /* likewise */
    uint64_t                  late;
    unsigned                  fresh_epoch:1;
    unsigned                  again:1;      /* there is more to do now */
};

ngx_int_t ngx_http_vllm_mock_init_zone(ngx_shm_zone_t *shm_zone, void *data);
void ngx_http_vllm_mock_lock(ngx_http_vllm_mock_zone_t *z);
void ngx_http_vllm_mock_unlock(ngx_http_vllm_mock_zone_t *z);

/*
 * Under the lock: zeroed memory of the zone for `what`.  NULL, and a line in
 * the log: the zone is full.
 */
void *ngx_http_vllm_mock_zone_alloc(ngx_http_vllm_mock_zone_t *z, size_t size,
    const char *what);

/*
 * Under the lock: engines of other settings; those that run end with the old
 * ones.  NGX_ERROR, and a line in the log: there is no room for them.
 */
ngx_int_t ngx_http_vllm_mock_engines_create(ngx_http_vllm_mock_zone_t *z,
    const vm_engine_conf_t *conf, ngx_log_t *log);

/* Frees engines of old settings whose last sequence is over. */
void ngx_http_vllm_mock_zone_sweep(ngx_http_vllm_mock_zone_t *z);

/* Under the lock: is it one of the zone's, or was it freed since? */
ngx_uint_t ngx_http_vllm_mock_engine_there(
    const ngx_http_vllm_mock_shared_t *sh, const vm_engine_t *engine);

/* Under the lock: ends what an owner has in all engines. */
void ngx_http_vllm_mock_engines_release(ngx_http_vllm_mock_zone_t *z,
    ngx_uint_t owner);

/* An adapter by name, under the lock; NULL if it is not loaded. */
ngx_http_vllm_mock_adapter_t *ngx_http_vllm_mock_adapter_find(
    ngx_http_vllm_mock_shared_t *sh, const char *name, size_t len);
ngx_http_vllm_mock_adapter_t *ngx_http_vllm_mock_adapter_add(
    ngx_http_vllm_mock_shared_t *sh, const char *name, size_t len,
    const char *path, size_t path_len);


/* owners.c: workers that come, go and die */

ngx_int_t ngx_http_vllm_mock_owners_init(ngx_cycle_t *cycle,
    ngx_http_vllm_mock_main_conf_t *main);
void ngx_http_vllm_mock_owners_leave(ngx_http_vllm_mock_zone_t *z);

/* A place for this process, if it has none yet; NGX_DECLINED: all are taken. */
ngx_int_t ngx_http_vllm_mock_own(ngx_http_vllm_mock_zone_t *z);

/* A child that ended, whether it was waited for or not. */
ngx_uint_t ngx_http_vllm_mock_dead(ngx_pid_t pid);

/* process.c: process_* of all workers together */

ngx_uint_t ngx_http_vllm_mock_process_fds(void);
void ngx_http_vllm_mock_process_look(ngx_http_vllm_mock_zone_t *z);
void ngx_http_vllm_mock_process(ngx_http_vllm_mock_zone_t *z, vm_scrape_t *s);

vm_time_t ngx_http_vllm_mock_now(void);     /* CLOCK_MONOTONIC */
double ngx_http_vllm_mock_unix(void);

/* 64 bits that no other request of the zone has */
uint64_t ngx_http_vllm_mock_random(ngx_http_vllm_mock_zone_t *z);
uint64_t ngx_http_vllm_mock_chance(ngx_http_vllm_mock_zone_t *z, uint64_t seed,
    ngx_uint_t post);


/* ---- a request ---- */

typedef struct ngx_http_vllm_mock_route_s  ngx_http_vllm_mock_route_t;

typedef struct {
    ngx_http_request_t       *request;      /* NULL: in the background */
    ngx_pool_t               *npool;        /* the request's, or its own */
    ngx_http_vllm_mock_loc_conf_t     *conf;
    ngx_http_vllm_mock_zone_t         *zone;
    const ngx_http_vllm_mock_route_t  *route;
    vm_settings_t            *settings;
    vm_pool_t                *pool;
    vm_call_t                 call;
    json_t                   *body;
    vm_str_t                  raw;          /* the body as it came */
    vm_json_t                 json;         /* what a thread made of it */
    vm_json_e                 json_result;
    ngx_str_t                 path;         /* decoded, without root path */
    const char               *load_format;  /* endpoint-load-metrics-format */
    ngx_http_vllm_mock_stream_t       *stream;      /* NULL: none yet */
    ngx_http_vllm_mock_fault_t        *fault;       /* waits for tokens */
    void                     *count;        /* replicas.c: it has asked */
    struct ngx_http_vllm_mock_counted_s  *counted;  /* limits.c */
    vm_time_t                 started;
    unsigned                  observed:1;   /* goes into http_* */
    unsigned                  loaded:1;     /* counts in /load */
    unsigned                  outermost:1;  /* answered by the key check */
    unsigned                  json_read:1;  /* by a thread */
    ngx_str_t                 replacement;  /* of nginx's own error page */
    unsigned                  replaced:1;
} ngx_http_vllm_mock_ctx_t;


/* route.c */

typedef enum {
    NGX_HTTP_VLLM_MOCK_GET = 1,
    NGX_HTTP_VLLM_MOCK_POST = 2,
    NGX_HTTP_VLLM_MOCK_DELETE = 4,
    NGX_HTTP_VLLM_MOCK_HEAD = 8
} ngx_http_vllm_mock_method_e;

typedef enum {
    NGX_HTTP_VLLM_MOCK_BODY_NONE,
    NGX_HTTP_VLLM_MOCK_BODY_JSON,           /* checked and decoded */
    NGX_HTTP_VLLM_MOCK_BODY_SCALED,         /* likewise, with scale-out */
    NGX_HTTP_VLLM_MOCK_BODY_RAW             /* the endpoint reads it itself */
} ngx_http_vllm_mock_body_e;

typedef ngx_int_t (*ngx_http_vllm_mock_endpoint_pt)(
    ngx_http_vllm_mock_ctx_t *ctx);

struct ngx_http_vllm_mock_route_s {
    const char               *path;         /* a last "*" takes the rest */
    ngx_uint_t                methods;
    const char               *allow;        /* what Allow says */
    ngx_http_vllm_mock_body_e  body;
    ngx_http_vllm_mock_endpoint_pt  handler;
    ngx_uint_t                when;         /* which settings it needs */
};

/* NGX_DECLINED: ctx->route is to answer.  Else it was answered. */
ngx_int_t ngx_http_vllm_mock_route(ngx_http_vllm_mock_ctx_t *ctx);
void ngx_http_vllm_mock_route_paths(ngx_http_vllm_mock_ctx_t *ctx,
    vm_buf_t *b);                           /* for /openapi.json */
ngx_uint_t ngx_http_vllm_mock_method_index(ngx_uint_t method);
ngx_uint_t ngx_http_vllm_mock_instrumented(
    const ngx_http_vllm_mock_ctx_t *ctx);
ngx_str_t ngx_http_vllm_mock_route_part(ngx_http_vllm_mock_ctx_t *ctx);
ngx_uint_t ngx_http_vllm_mock_route_index(
    const ngx_http_vllm_mock_route_t *route);

/* It tells how the server is, or sets it: not of the API. */
ngx_uint_t ngx_http_vllm_mock_route_watches(
    const ngx_http_vllm_mock_ctx_t *ctx);

/* It is the mock's own, or open here though vLLM's settings do not open it. */
ngx_uint_t ngx_http_vllm_mock_route_own(const ngx_http_vllm_mock_ctx_t *ctx);
const vm_str_t *ngx_http_vllm_mock_route_names(void);
const vm_str_t *ngx_http_vllm_mock_method_names(void);


/* handler.c */

ngx_int_t ngx_http_vllm_mock_handler(ngx_http_request_t *r);
ngx_http_vllm_mock_ctx_t *ngx_http_vllm_mock_create_ctx(ngx_http_request_t *r,
    ngx_http_vllm_mock_loc_conf_t *conf);
ngx_int_t ngx_http_vllm_mock_path(ngx_http_vllm_mock_ctx_t *ctx);

/* The endpoint, with the body that was read. */
ngx_int_t ngx_http_vllm_mock_run(ngx_http_vllm_mock_ctx_t *ctx);

ngx_int_t ngx_http_vllm_mock_log_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_vllm_mock_query(ngx_http_vllm_mock_ctx_t *ctx,
    const char *name, ngx_str_t *value);
json_t *ngx_http_vllm_mock_query_json(ngx_http_vllm_mock_ctx_t *ctx);
ngx_uint_t ngx_http_vllm_mock_json_type(ngx_http_request_t *r);
void ngx_http_vllm_mock_no_json(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_decode(ngx_http_vllm_mock_ctx_t *ctx);

void ngx_http_vllm_mock_body_go(ngx_http_request_t *r);

/* bigbody.c */

#define NGX_HTTP_VLLM_MOCK_BIG_BODY  65536  /* bytes: a thread reads it */

ngx_int_t ngx_http_vllm_mock_big_body_init(ngx_conf_t *cf);

/* NGX_OK: body_go() follows when it was read; NGX_DECLINED: it is small. */
ngx_int_t ngx_http_vllm_mock_big_body(ngx_http_vllm_mock_ctx_t *ctx);
vm_json_e ngx_http_vllm_mock_json_load(ngx_http_vllm_mock_ctx_t *ctx,
    vm_json_t *j);

/* access.c */

ngx_int_t ngx_http_vllm_mock_access(ngx_http_vllm_mock_ctx_t *ctx);

/* Once the route is known: who may use what no vLLM has. */
ngx_int_t ngx_http_vllm_mock_admin_access(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_request_id(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_cors(ngx_http_vllm_mock_ctx_t *ctx);
ngx_str_t *ngx_http_vllm_mock_header(ngx_http_request_t *r,
    const char *name, size_t len);

/* The same by a literal. */
#define ngx_http_vllm_mock_get(r, name)                                       \
    ngx_http_vllm_mock_header(r, name, sizeof(name) - 1)

/* What keys are compared by. */
void ngx_http_vllm_mock_digest(const void *key, size_t len,
    u_char digest[NGX_HTTP_VLLM_MOCK_DIGEST]);

/* reply.c */

/* From now on it is noticed when the client leaves. */
ngx_int_t ngx_http_vllm_mock_watch(ngx_http_request_t *r);

ngx_int_t ngx_http_vllm_mock_header_add(ngx_http_request_t *r,
    const char *name, const char *value, size_t len);
ngx_int_t ngx_http_vllm_mock_head(ngx_http_vllm_mock_ctx_t *ctx,
    ngx_uint_t status, const char *type, off_t length);
ngx_int_t ngx_http_vllm_mock_send(ngx_http_vllm_mock_ctx_t *ctx,
    ngx_uint_t status, const char *type, const char *data, size_t len);
ngx_int_t ngx_http_vllm_mock_send_chunked(ngx_http_vllm_mock_ctx_t *ctx,
    const char *type, const char *data, size_t len);
ngx_int_t ngx_http_vllm_mock_json(ngx_http_vllm_mock_ctx_t *ctx,
    vm_buf_t *b);                           /* 200, frees it */
ngx_int_t ngx_http_vllm_mock_literal(ngx_http_vllm_mock_ctx_t *ctx,
    const char *json);
ngx_int_t ngx_http_vllm_mock_empty(ngx_http_vllm_mock_ctx_t *ctx,
    ngx_uint_t status);
ngx_int_t ngx_http_vllm_mock_error(ngx_http_vllm_mock_ctx_t *ctx);

/* ctx->call.error: the zone has no room. */
void ngx_http_vllm_mock_full(ngx_http_vllm_mock_ctx_t *ctx);

#define NGX_HTTP_VLLM_MOCK_JSON  "application/json"
#define NGX_HTTP_VLLM_MOCK_SSE   "text/event-stream; charset=utf-8"
#define NGX_HTTP_VLLM_MOCK_TEXT  "text/plain; charset=utf-8"

/* errors.c */

/* The reason of a status, as vLLM names it in "type". */
const char *ngx_http_vllm_mock_phrase(ngx_uint_t status);

ngx_int_t ngx_http_vllm_mock_errors_init(ngx_conf_t *cf);

/* route.c: the headers of a 405 for a request that nginx refused itself */
ngx_int_t ngx_http_vllm_mock_errors_allow(ngx_http_vllm_mock_ctx_t *ctx);

/* stream.c */

ngx_int_t ngx_http_vllm_mock_generate(ngx_http_vllm_mock_ctx_t *ctx,
    const vm_protocol_t *protocol, const json_t *body);
void ngx_http_vllm_mock_stream_event(ngx_http_vllm_mock_zone_t *z,
    const vm_event_t *ev);
void ngx_http_vllm_mock_stream_lost(ngx_http_vllm_mock_zone_t *z);

/* ticker.c */

/* Sequences of steps that an engine does at once: some milliseconds. */
#define NGX_HTTP_VLLM_MOCK_WORK  4096

void ngx_http_vllm_mock_tick(ngx_http_vllm_mock_zone_t *z);
ngx_int_t ngx_http_vllm_mock_ticker_init(ngx_http_vllm_mock_zone_t *z,
    ngx_cycle_t *cycle);

/* fleet.c */

ngx_int_t ngx_http_vllm_mock_fleet_init(ngx_conf_t *cf,
    ngx_http_vllm_mock_zone_t *z, ngx_http_vllm_mock_srv_conf_t *server);
ngx_int_t ngx_http_vllm_mock_fleet_ports(ngx_cycle_t *cycle,
    ngx_http_vllm_mock_main_conf_t *main);
ngx_http_vllm_mock_zone_t *ngx_http_vllm_mock_fleet_zone(
    ngx_http_vllm_mock_zone_t *z, ngx_uint_t i);
ngx_http_vllm_mock_zone_t *ngx_http_vllm_mock_fleet_choose(
    ngx_http_request_t *r, ngx_http_vllm_mock_loc_conf_t *conf);

/* limits.c: NGX_DECLINED, go on; else it was refused */

ngx_int_t ngx_http_vllm_mock_limited(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_limited_move(ngx_http_vllm_mock_ctx_t *from,
    ngx_http_vllm_mock_ctx_t *to);

/* fault.c: NGX_DECLINED, go on; NGX_DONE, it goes on later */

ngx_int_t ngx_http_vllm_mock_fault(ngx_http_vllm_mock_ctx_t *ctx);

/* llmd.c */

ngx_int_t ngx_http_vllm_mock_llmd_error(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_llmd_headers(ngx_http_vllm_mock_ctx_t *ctx);

/* config.c: what is said in this place, as it is now */

const vm_output_t *ngx_http_vllm_mock_output(ngx_http_vllm_mock_ctx_t *ctx);

/* requests.c */

void ngx_http_vllm_mock_seen_begin(ngx_http_vllm_mock_stream_t *s);
void ngx_http_vllm_mock_seen_end(ngx_http_vllm_mock_stream_t *s);

/* Under the lock: a worker is gone, its requests are over. */
void ngx_http_vllm_mock_seen_orphans(ngx_http_vllm_mock_zone_t *z,
    ngx_uint_t owner);

/* Under the lock: ends those whose ids are keys of an object, of any worker. */
void ngx_http_vllm_mock_seen_abort(ngx_http_vllm_mock_zone_t *z,
    const json_t *ids);

/* lateness.c */

void ngx_http_vllm_mock_lateness(ngx_http_vllm_mock_zone_t *z,
    vm_time_t late);
void ngx_http_vllm_mock_lateness_tell(ngx_http_vllm_mock_zone_t *z,
    vm_time_t now);
ngx_uint_t ngx_http_vllm_mock_saturated(ngx_http_vllm_mock_zone_t *z);

/*
 * replicas.c.  Before the count is used: NGX_OK, it is as good as it gets;
 * NGX_DONE, it is being asked for and "then" will answer the request.
 */
ngx_int_t ngx_http_vllm_mock_count(ngx_http_vllm_mock_ctx_t *ctx,
    ngx_http_vllm_mock_endpoint_pt then);
ngx_int_t ngx_http_vllm_mock_count_init(ngx_conf_t *cf);
ngx_uint_t ngx_http_vllm_mock_count_value(ngx_http_vllm_mock_ctx_t *ctx,
    int *up);                               /* -1: there is no source */
ngx_int_t ngx_http_vllm_mock_token_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);

/* variables.c */

ngx_int_t ngx_http_vllm_mock_add_variables(ngx_conf_t *cf);

/* endpoints */

ngx_int_t ngx_http_vllm_mock_chat(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_batch(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_transcriptions(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_translations(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_speech(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_voices(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_images(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_image_edits(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_video(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_video_job(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_video_kept(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_completions(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_messages(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_responses(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_stored(ngx_http_vllm_mock_ctx_t *ctx,
    const vm_protocol_t *protocol);
ngx_int_t ngx_http_vllm_mock_response(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_count_tokens(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_labels(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_invocations(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_models(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_lora_load(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_lora_unload(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_adapters(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_tokenize(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_detokenize(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_tokenizer_info(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_embeddings(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_pooling(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_classify(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_score(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_rerank(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_cohere(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_health(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_ready(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_version(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_load(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_metrics(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_set_metrics(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_docs(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_openapi(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_server_info(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_world_size(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_kv_sources(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_sleep(ngx_http_vllm_mock_ctx_t *ctx);
/* Under the lock. */
void ngx_http_vllm_mock_let_go(ngx_http_vllm_mock_shared_t *sh);

/* What /wake_up's tags name. */
#define NGX_HTTP_VLLM_MOCK_WEIGHTS     1
#define NGX_HTTP_VLLM_MOCK_KV_CACHE    2
#define NGX_HTTP_VLLM_MOCK_SCHEDULING  4
#define NGX_HTTP_VLLM_MOCK_ALL_PARTS   7

ngx_int_t ngx_http_vllm_mock_wake(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_is_sleeping(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_pause(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_resume(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_is_paused(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_reset_prefix(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_nothing(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_abort(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_abort_scaled(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_scale_out(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_tokens_in(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_render_chat(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_render_text(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_render_messages(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_render_responses(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_derender_chat(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_derender_text(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_scale_ep(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_is_scaling(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_user(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_admin_config(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_admin_requests(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_dashboard(ngx_http_vllm_mock_ctx_t *ctx);
ngx_int_t ngx_http_vllm_mock_admin_state(ngx_http_vllm_mock_ctx_t *ctx);


#endif /* NGX_HTTP_VLLM_MOCK_H */
