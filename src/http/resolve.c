/*
 * Directives, vLLM's arguments and the environment, put together: the
 * environment first, then vllm_mock_args, then the directives, which win.
 */

#include "resolve.h"
#include "../api/parsers.h"


#define NGX_HTTP_VLLM_MOCK_MODEL     "llama2-7b"


/* ---- a server ---- */

static char *
ngx_http_vllm_mock_names(vm_settings_t *s, vm_pool_t *pool)
{
    const char  **list;

    if (s->names.n) {
        return NGX_CONF_OK;
    }

    list = vm_pool_alloc(pool, sizeof(char *));
    if (list == NULL) {
        return NGX_CONF_ERROR;
    }

    list[0] = ngx_http_vllm_mock_env_copy("MODEL_NAME", pool);

    if (list[0] == NULL) {
        list[0] = s->root ? s->root : NGX_HTTP_VLLM_MOCK_MODEL;
    }

    s->names.list = list;
    s->names.n = 1;

    return NGX_CONF_OK;
}


static char *
ngx_http_vllm_mock_engine_done(ngx_conf_t *cf,
    ngx_http_vllm_mock_srv_conf_t *conf)
{
    const char        *err;
    vm_settings_t     *s;
    vm_engine_conf_t  *e;

    s = conf->settings;
    e = conf->engine_conf;

    s->block_size = e->block_size;
    e->max_loras = s->enable_lora ? s->max_loras : 0;
    e->seed = s->seed;
    e->owners = NGX_HTTP_VLLM_MOCK_OWNERS;
    s->max_model_len = e->max_model_len;

    err = vm_engine_check(e);

    if (err) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "vllm_mock: %s", err);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* All directives of one name. */

static char *
ngx_http_vllm_mock_each(ngx_conf_t *cf, ngx_array_t *list, void *conf,
    ngx_http_vllm_mock_apply_pt apply)
{
    char                             err[NGX_HTTP_VLLM_MOCK_ERR];
    ngx_uint_t                       i;
    ngx_http_vllm_mock_directive_t  *d;

    for (i = 0; list && i < list->nelts; i++) {
        d = (ngx_http_vllm_mock_directive_t *) list->elts + i;
        err[0] = '\0';

        if (apply(cf, d, conf, err) != NGX_CONF_OK) {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    return NGX_CONF_OK;
}


/* Those of a server in the order in which they win over one another. */

static const struct {
    size_t                        list;
    ngx_http_vllm_mock_apply_pt   apply;
}  ngx_http_vllm_mock_directives[] = {

#define directive(list, name)                                                 \
    { offsetof(ngx_http_vllm_mock_srv_conf_t, list),                          \
      ngx_http_vllm_mock_apply_##name }

    directive(models, model),
    directive(loras, lora),
    directive(engine, engine),
    directive(latency, latency),
    directive(metrics_mode, mode),
    directive(replicas, replicas),
    directive(fleet, fleet),
    directive(metrics, metric),
    directive(time_scales, time_scale),
    directive(seeds, seed),
    directive(saturations, saturation),
    directive(versions, version),
    directive(tokenizers, tokenizer)

#undef directive
};


/* What the environment says, which all else wins over. */

static char *
ngx_http_vllm_mock_environment(ngx_conf_t *cf,
    ngx_http_vllm_mock_srv_conf_t *conf)
{
    char               *end;
    const char         *value;
    const char *const  *names;

    for (names = vm_settings_env_names(); *names; names++) {
        value = ngx_http_vllm_mock_env(*names);

        if (value
            && vm_settings_env(conf->settings, *names, value, conf->pool)
               == VM_ERROR)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "environment variable %s: invalid value \"%s\": a "
                          "number, true or false", *names, value);
            return NGX_CONF_ERROR;
        }
    }

    value = ngx_http_vllm_mock_env("API_KEY");

    if (value
        && vm_settings_env(conf->settings, "VLLM_API_KEY", value, conf->pool)
           == VM_ERROR)
    {
        return NGX_CONF_ERROR;
    }

    value = ngx_http_vllm_mock_env("DEFAULT_REPLICAS");

    if (value) {
        conf->replicas_fixed = strtoul(value, &end, 10);

        if (*end || *value == '-') {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "environment variable DEFAULT_REPLICAS: invalid "
                          "value \"%s\": a number from 0", value);
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_vllm_mock_env_latency(cf, conf->engine_conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_vllm_mock_env_overrides(cf, conf->overrides);
}


static char *
ngx_http_vllm_mock_resolve_server(ngx_conf_t *cf,
    ngx_http_vllm_mock_srv_conf_t *conf)
{
    char            err[NGX_HTTP_VLLM_MOCK_ERR];
    ngx_uint_t      i;
    vm_settings_t  *s;

    if (conf->settings) {
        return NGX_CONF_OK;
    }

    if (ngx_http_vllm_mock_server_init(cf, conf) != NGX_OK
        || ngx_http_vllm_mock_environment(cf, conf) != NGX_CONF_OK
        || ngx_http_vllm_mock_each(cf, conf->args, conf,
                                   ngx_http_vllm_mock_apply_args)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    s = conf->settings;

    if (vm_parsers_check(s, err, sizeof(err)) != VM_OK) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "vllm_mock_args: %s", err);
        return NGX_CONF_ERROR;
    }

    if (*err && !ngx_quiet_mode) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0, "vllm_mock_args: %s", err);
    }

    if (conf->ignored.len && !ngx_quiet_mode) {
        ngx_log_error(NGX_LOG_NOTICE, cf->log, 0,
                      "vllm_mock_args: without a meaning here:%V",
                      &conf->ignored);
    }

    if (conf->models) {
        s->names.n = 0;
    }

    for (i = 0; i < vm_nelts(ngx_http_vllm_mock_directives); i++) {

        if (ngx_http_vllm_mock_each(cf,
                *(ngx_array_t **) ((char *) conf
                                   + ngx_http_vllm_mock_directives[i].list),
                conf, ngx_http_vllm_mock_directives[i].apply)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (conf->tokenizer.len == 0) {
        ngx_str_set(&conf->tokenizer, "builtin");

        if (ngx_http_vllm_mock_vocabulary(cf, &conf->tokenizer, s, err)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_vllm_mock_env_connector(cf, s, conf->pool) != NGX_CONF_OK
        || ngx_http_vllm_mock_names(s, conf->pool) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (s->root == NULL) {
        s->root = s->names.list[0];
    }

    if (ngx_http_vllm_mock_derive(cf, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_vllm_mock_engine_done(cf, conf);
}


/* ---- a location ---- */

/* Keys are compared by their digests, in the same time whatever they are. */

static char *
ngx_http_vllm_mock_location_digests(ngx_conf_t *cf,
    ngx_http_vllm_mock_loc_conf_t *conf)
{
    size_t         i;
    vm_strings_t  *keys;

    keys = &conf->settings->api_keys;

    if (conf->admin == NGX_HTTP_VLLM_MOCK_ADMIN_KEY && keys->n == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"vllm_mock_admin key\" needs a key: "
                      "vllm_mock_api_key, --api-key or VLLM_API_KEY");
        return NGX_CONF_ERROR;
    }

    conf->digests = ngx_palloc(cf->pool, (keys->n + 1)
                                         * sizeof(*conf->digests));
    if (conf->digests == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < keys->n; i++) {
        ngx_http_vllm_mock_digest(keys->list[i], strlen(keys->list[i]),
                                  conf->digests[i]);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_vllm_mock_location_keys(ngx_conf_t *cf,
    ngx_http_vllm_mock_loc_conf_t *conf)
{
    ngx_str_t    *key;
    ngx_uint_t    i;
    const char  **list;

    if (conf->keys == NULL) {
        return ngx_http_vllm_mock_location_digests(cf, conf);
    }

    list = ngx_palloc(cf->pool, (conf->keys->nelts + 1) * sizeof(char *));
    if (list == NULL) {
        return NGX_CONF_ERROR;
    }

    conf->settings->api_keys.n = 0;
    conf->settings->api_keys.list = list;
    key = conf->keys->elts;

    for (i = 0; i < conf->keys->nelts; i++) {
        if (key[i].len) {
            list[conf->settings->api_keys.n++] = (char *) key[i].data;
        }
    }

    return ngx_http_vllm_mock_location_digests(cf, conf);
}


/* The pod's name: of the environment, else the host's. */

static const char *
ngx_http_vllm_mock_pod(ngx_conf_t *cf)
{
    char        *copy;
    size_t       len;
    const char  *pod;

    pod = ngx_http_vllm_mock_env("POD_NAME");

    if (pod == NULL) {
        pod = ngx_http_vllm_mock_env("HOSTNAME");
    }

    len = pod ? strlen(pod) : cf->cycle->hostname.len;
    pod = pod ? pod : (const char *) cf->cycle->hostname.data;
    copy = ngx_pnalloc(cf->pool, len + 1);

    if (copy) {
        ngx_memcpy(copy, pod, len);
        copy[len] = '\0';
    }

    return copy;
}


static void
ngx_http_vllm_mock_env_str(const char *name, vm_pool_t *pool,
    ngx_str_t *value)
{
    value->data = (u_char *) ngx_http_vllm_mock_env_copy(name, pool);
    value->len = value->data ? ngx_strlen(value->data) : 0;
}


char *
ngx_http_vllm_mock_resolve_location(ngx_conf_t *cf,
    ngx_http_vllm_mock_loc_conf_t *conf,
    ngx_http_vllm_mock_srv_conf_t *server)
{
    ngx_http_vllm_mock_zone_t  *zone;

    if (ngx_http_vllm_mock_resolve_server(cf, server) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    zone = conf->shm_zone->data;

    if (zone->server && zone->server != server
        && (zone->replicas != server->fleet_size
            || ngx_memcmp(zone->server->engine_conf, server->engine_conf,
                          sizeof(vm_engine_conf_t)) != 0))
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "zone \"%V\" is used by two servers with different "
                      "engine, latency or fleet settings: give each a zone "
                      "of its own", &zone->name);
        return NGX_CONF_ERROR;
    }

    if (zone->server == NULL
        && ngx_http_vllm_mock_fleet_init(cf, zone, server) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    conf->server = server;
    conf->settings = ngx_palloc(cf->pool, sizeof(vm_settings_t));
    conf->output_conf = ngx_pcalloc(cf->pool, sizeof(vm_output_t));

    if (conf->settings == NULL || conf->output_conf == NULL) {
        return NGX_CONF_ERROR;
    }

    *conf->settings = *server->settings;
    conf->settings->accept_any = conf->unknown_models
                                 == NGX_HTTP_VLLM_MOCK_ACCEPT;
    conf->settings->all_endpoints = conf->all_endpoints != 0;

    if (conf->all_endpoints
        && ngx_http_vllm_mock_env("VLLM_ENABLE_RESPONSES_API_STORE") == NULL)
    {
        conf->settings->responses_store = 1;
    }

    ngx_http_vllm_mock_env_str("POD_NAME", server->pool, &conf->pod);
    ngx_http_vllm_mock_env_str("POD_NAMESPACE", server->pool,
                               &conf->pod_namespace);
    conf->output_conf->pod = ngx_http_vllm_mock_pod(cf);

    if (conf->output_conf->pod == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_vllm_mock_each(cf, conf->output, conf,
                                ngx_http_vllm_mock_apply_output)
           != NGX_CONF_OK
        || ngx_http_vllm_mock_each(cf, conf->limits, conf,
                                   ngx_http_vllm_mock_apply_limit)
           != NGX_CONF_OK
        || ngx_http_vllm_mock_each(cf, conf->faults, conf,
                                   ngx_http_vllm_mock_apply_fault)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_vllm_mock_location_keys(cf, conf);
}
