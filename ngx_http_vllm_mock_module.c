/*
 * The module: its directives and hooks.  What they do is in src/.
 */

#include "src/http/http.h"
#include "src/http/resolve.h"


static ngx_int_t ngx_http_vllm_mock_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_vllm_mock_init_process(ngx_cycle_t *cycle);
static void ngx_http_vllm_mock_exit_process(ngx_cycle_t *cycle);


static ngx_conf_enum_t  ngx_http_vllm_mock_unknown_models[] = {
    { ngx_string("reject"), NGX_HTTP_VLLM_MOCK_REJECT },
    { ngx_string("accept"), NGX_HTTP_VLLM_MOCK_ACCEPT },
    { ngx_null_string, 0 }
};

static ngx_conf_enum_t  ngx_http_vllm_mock_lora_path_rules[] = {
    { ngx_string("check"), NGX_HTTP_VLLM_MOCK_CHECK },
    { ngx_string("any"), NGX_HTTP_VLLM_MOCK_ANY },
    { ngx_null_string, 0 }
};

static ngx_conf_enum_t  ngx_http_vllm_mock_error_sets[] = {
    { ngx_string("vllm"), 0 },
    { ngx_string("aibrix"), 1 },
    { ngx_null_string, 0 }
};

static ngx_conf_enum_t  ngx_http_vllm_mock_admin_rules[] = {
    { ngx_string("on"), NGX_HTTP_VLLM_MOCK_ADMIN_ON },
    { ngx_string("key"), NGX_HTTP_VLLM_MOCK_ADMIN_KEY },
    { ngx_string("open"), NGX_HTTP_VLLM_MOCK_ADMIN_OPEN },
    { ngx_string("off"), NGX_HTTP_VLLM_MOCK_ADMIN_OFF },
    { ngx_null_string, 0 }
};

static ngx_conf_enum_t  ngx_http_vllm_mock_endpoint_sets[] = {
    { ngx_string("vllm"), 0 },
    { ngx_string("all"), 1 },
    { ngx_null_string, 0 }
};


#define NGX_HTTP_VLLM_MOCK_SERVER  (NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF)
#define NGX_HTTP_VLLM_MOCK_ALL                                                \
    (NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF)

/* A directive that is kept, and tried where it stands; some stand once. */

#define ngx_http_vllm_mock_kept(name, args, handler, field, apply)            \
    { ngx_string(name),                                                       \
      NGX_HTTP_VLLM_MOCK_SERVER|args,                                         \
      ngx_http_vllm_mock_##handler,                                           \
      NGX_HTTP_SRV_CONF_OFFSET,                                               \
      offsetof(ngx_http_vllm_mock_srv_conf_t, field),                         \
      ngx_http_vllm_mock_apply_##apply }

#define ngx_http_vllm_mock_kept_here(name, field, apply)                      \
    { ngx_string(name),                                                       \
      NGX_HTTP_VLLM_MOCK_ALL|NGX_CONF_1MORE,                                  \
      ngx_http_vllm_mock_keep,                                                \
      NGX_HTTP_LOC_CONF_OFFSET,                                               \
      offsetof(ngx_http_vllm_mock_loc_conf_t, field),                         \
      ngx_http_vllm_mock_apply_##apply }


static ngx_command_t  ngx_http_vllm_mock_commands[] = {

    { ngx_string("vllm_mock_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_http_vllm_mock_zone_directive,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("vllm_mock"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_vllm_mock_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    ngx_http_vllm_mock_kept("vllm_mock_model", NGX_CONF_1MORE,
                            keep, models, model),
    ngx_http_vllm_mock_kept("vllm_mock_lora", NGX_CONF_1MORE,
                            keep, loras, lora),
    ngx_http_vllm_mock_kept("vllm_mock_args", NGX_CONF_1MORE,
                            keep, args, args),
    ngx_http_vllm_mock_kept("vllm_mock_engine", NGX_CONF_1MORE,
                            keep, engine, engine),
    ngx_http_vllm_mock_kept("vllm_mock_latency", NGX_CONF_1MORE,
                            keep, latency, latency),
    ngx_http_vllm_mock_kept("vllm_mock_metrics", NGX_CONF_TAKE12,
                            keep, metrics_mode, mode),
    ngx_http_vllm_mock_kept("vllm_mock_metric", NGX_CONF_TAKE2,
                            keep, metrics, metric),
    ngx_http_vllm_mock_kept("vllm_mock_replicas", NGX_CONF_TAKE1234,
                            keep, replicas, replicas),
    ngx_http_vllm_mock_kept("vllm_mock_fleet", NGX_CONF_TAKE12,
                            keep, fleet, fleet),
    ngx_http_vllm_mock_kept("vllm_mock_time_scale", NGX_CONF_TAKE1,
                            once, time_scales, time_scale),
    ngx_http_vllm_mock_kept("vllm_mock_seed", NGX_CONF_TAKE1,
                            once, seeds, seed),
    ngx_http_vllm_mock_kept("vllm_mock_tokenizer", NGX_CONF_TAKE1,
                            once, tokenizers, tokenizer),
    ngx_http_vllm_mock_kept("vllm_mock_version", NGX_CONF_TAKE1,
                            once, versions, version),
    ngx_http_vllm_mock_kept("vllm_mock_saturation", NGX_CONF_TAKE1,
                            once, saturations, saturation),

    { ngx_string("vllm_mock_profiles"),
      NGX_HTTP_VLLM_MOCK_SERVER|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_vllm_mock_srv_conf_t, profiles),
      NULL },

    ngx_http_vllm_mock_kept_here("vllm_mock_output", output, output),
    ngx_http_vllm_mock_kept_here("vllm_mock_rate_limit", limits, limit),
    ngx_http_vllm_mock_kept_here("vllm_mock_fault", faults, fault),

    { ngx_string("vllm_mock_unknown_models"),
      NGX_HTTP_VLLM_MOCK_ALL|NGX_CONF_TAKE1,
      ngx_http_vllm_mock_word,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_vllm_mock_loc_conf_t, unknown_models),
      ngx_http_vllm_mock_unknown_models },

    { ngx_string("vllm_mock_lora_paths"),
      NGX_HTTP_VLLM_MOCK_ALL|NGX_CONF_TAKE1,
      ngx_http_vllm_mock_word,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_vllm_mock_loc_conf_t, lora_paths),
      ngx_http_vllm_mock_lora_path_rules },

    { ngx_string("vllm_mock_endpoints"),
      NGX_HTTP_VLLM_MOCK_ALL|NGX_CONF_TAKE1,
      ngx_http_vllm_mock_word,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_vllm_mock_loc_conf_t, all_endpoints),
      ngx_http_vllm_mock_endpoint_sets },

    { ngx_string("vllm_mock_errors"),
      NGX_HTTP_VLLM_MOCK_ALL|NGX_CONF_TAKE1,
      ngx_http_vllm_mock_word,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_vllm_mock_loc_conf_t, aibrix_errors),
      ngx_http_vllm_mock_error_sets },

    { ngx_string("vllm_mock_admin"),
      NGX_HTTP_VLLM_MOCK_ALL|NGX_CONF_TAKE1,
      ngx_http_vllm_mock_word,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_vllm_mock_loc_conf_t, admin),
      ngx_http_vllm_mock_admin_rules },

    { ngx_string("vllm_mock_admin_hosts"),
      NGX_HTTP_VLLM_MOCK_ALL|NGX_CONF_1MORE,
      ngx_http_vllm_mock_hosts,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_vllm_mock_loc_conf_t, admin_hosts),
      NULL },

    { ngx_string("vllm_mock_api_key"),
      NGX_HTTP_VLLM_MOCK_ALL|NGX_CONF_1MORE,
      ngx_http_vllm_mock_keys,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("vllm_mock_api_key_file"),
      NGX_HTTP_VLLM_MOCK_ALL|NGX_CONF_TAKE1,
      ngx_http_vllm_mock_keys,
      NGX_HTTP_LOC_CONF_OFFSET,
      1,
      NULL },

    ngx_null_command
};


static ngx_http_module_t  ngx_http_vllm_mock_module_ctx = {
    ngx_http_vllm_mock_add_variables,      /* preconfiguration */
    ngx_http_vllm_mock_postconfiguration,  /* postconfiguration */

    ngx_http_vllm_mock_create_main_conf,   /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_http_vllm_mock_create_srv_conf,    /* create server configuration */
    ngx_http_vllm_mock_merge_srv_conf,     /* merge server configuration */

    ngx_http_vllm_mock_create_loc_conf,    /* create location configuration */
    ngx_http_vllm_mock_merge_loc_conf      /* merge location configuration */
};


ngx_module_t  ngx_http_vllm_mock_module = {
    NGX_MODULE_V1,
    &ngx_http_vllm_mock_module_ctx,        /* module context */
    ngx_http_vllm_mock_commands,           /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_vllm_mock_init_process,       /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_vllm_mock_exit_process,       /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_vllm_mock_postconfiguration(ngx_conf_t *cf)
{
    ngx_http_handler_pt              *h;
    ngx_http_core_main_conf_t        *cmcf;
    ngx_http_vllm_mock_main_conf_t   *main;

    main = ngx_http_conf_get_module_main_conf(cf, ngx_http_vllm_mock_module);

    if (main->zones.nelts == 0) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_vllm_mock_log_handler;

    if (ngx_http_vllm_mock_count_init(cf) != NGX_OK
        || ngx_http_vllm_mock_big_body_init(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_vllm_mock_errors_init(cf);
}


static ngx_http_vllm_mock_main_conf_t *
ngx_http_vllm_mock_cycle_conf(ngx_cycle_t *cycle)
{
    ngx_http_conf_ctx_t  *ctx;

    ctx = (ngx_http_conf_ctx_t *) cycle->conf_ctx[ngx_http_module.index];

    return ctx ? ctx->main_conf[ngx_http_vllm_mock_module.ctx_index] : NULL;
}


static ngx_int_t
ngx_http_vllm_mock_init_process(ngx_cycle_t *cycle)
{
    ngx_http_vllm_mock_main_conf_t  *main;

    main = ngx_http_vllm_mock_cycle_conf(cycle);

    if (main == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    if (ngx_http_vllm_mock_fleet_ports(cycle, main) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_vllm_mock_owners_init(cycle, main);
}


static void
ngx_http_vllm_mock_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                       i;
    ngx_shm_zone_t                 **zones;
    ngx_http_vllm_mock_main_conf_t  *main;

    main = ngx_http_vllm_mock_cycle_conf(cycle);

    if (main == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return;
    }

    zones = main->zones.elts;

    for (i = 0; i < main->zones.nelts; i++) {
        ngx_http_vllm_mock_owners_leave(zones[i]->data);
    }
}
