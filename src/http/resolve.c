/*
 * Directives, vLLM's arguments and the environment, put together: the
 * environment first, then vllm_mock_args, then the directives, which win.
 */

#include "resolve.h"
#include "../engine/catalog.h"
#include "../metrics/override.h"


#define NGX_HTTP_VLLM_MOCK_MODEL     "llama2-7b"


/* SIMULATION=DEVICE: the profile of that device for the model served. */

static char *
ngx_http_vllm_mock_simulation(ngx_conf_t *cf,
    ngx_http_vllm_mock_srv_conf_t *conf, const char *device, char *err)
{
    char               path[VM_CATALOG_PATH], *text;
    size_t             len;
    u_char            *p;
    ngx_str_t          name;
    vm_settings_t     *s;
    vm_engine_conf_t  *e;

    s = conf->settings;
    e = conf->engine_conf;

    name.len = conf->profiles.len + VM_CATALOG_PATH + 1;
    name.data = ngx_pcalloc(cf->pool, name.len + 1);

    if (name.data == NULL) {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR, "no memory%Z");
        return NGX_CONF_ERROR;
    }

    p = ngx_sprintf(name.data, "%V/index.json", &conf->profiles);
    *p = '\0';
    name.len = p - name.data;

    text = ngx_http_vllm_mock_read_file(cf, &name, &len, err);

    if (text == NULL
        || vm_catalog_find(text, len, device, s->names.list[0],
                           s->tensor_parallel > 1 ? s->tensor_parallel : 0,
                           path, err, NGX_HTTP_VLLM_MOCK_ERR)
           != VM_OK)
    {
        return NGX_CONF_ERROR;
    }

    p = ngx_sprintf(name.data, "%V/%s", &conf->profiles, path);
    *p = '\0';
    name.len = p - name.data;

    ngx_memzero(&e->latency, sizeof(vm_latency_t));
    vm_latency_model(&e->latency, "profile", err, NGX_HTTP_VLLM_MOCK_ERR);

    return ngx_http_vllm_mock_profile(cf, &name, e, err);
}


/*
 * What vLLM derives from the GPU it finds, where nothing was said: blocks of
 * the memory that is left; a larger batch where there is much, but not on an
 * A100.
 */

static void
ngx_http_vllm_mock_gpu(ngx_http_vllm_mock_srv_conf_t *conf)
{
    double             gib;
    ngx_uint_t         huge;
    vm_profile_t      *p;
    vm_engine_conf_t  *e;

    e = conf->engine_conf;

    if (e->latency.model != VM_LATENCY_PROFILE) {
        return;
    }

    p = &e->latency.profile;

    if (!conf->user_blocks && p->num_blocks) {
        e->num_gpu_blocks = (uint32_t) ((uint64_t) p->num_blocks
                                        * p->block_size / e->block_size);
    }

    /* vLLM's steps: 160 GiB and more, 70 GiB and more, others */

    gib = p->memory_gb * 1e9 / (1024.0 * 1024 * 1024);
    huge = gib >= 160;

    if (!huge && (gib < 70 || strcmp(p->device, "a100") == 0)) {
        return;
    }

    if (!conf->user_seqs) {
        e->max_num_seqs = 1024;
    }

    if (!conf->user_tokens) {
        e->max_num_batched_tokens = huge ? 16384 : 8192;
    }
}


/* ---- a server ---- */

#define ngx_http_vllm_mock_each(list, d, i)                                   \
    for (i = 0, d = (list) ? (list)->elts : NULL;                             \
         (list) && i < (list)->nelts; i++, d++)


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


static char *
ngx_http_vllm_mock_scalars(ngx_conf_t *cf,
    ngx_http_vllm_mock_srv_conf_t *conf)
{
    char   *end;
    double  scale;

    if (conf->time_scale.len) {
        scale = strtod(ngx_http_vllm_mock_text(&conf->time_scale), &end);

        if (*end || !(scale > 0 && scale <= 1000)) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "invalid value \"%V\" of vllm_mock_time_scale: "
                          "above 0, up to 1000", &conf->time_scale);
            return NGX_CONF_ERROR;
        }

        conf->engine_conf->time_scale = scale;
    }

    if (conf->seed.len) {
        conf->settings->seed = strtoull(ngx_http_vllm_mock_text(&conf->seed),
                                        &end, 10);

        if (*end || conf->seed.data[0] == '-') {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "invalid value \"%V\" of vllm_mock_seed: 0 to "
                          "18446744073709551615", &conf->seed);
            return NGX_CONF_ERROR;
        }

        conf->settings->seeded = 1;
    }

    if (vm_latency_time(ngx_http_vllm_mock_text(&conf->lateness),
                        &conf->saturation)
        != VM_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "invalid value \"%V\" of vllm_mock_saturation: a time "
                      "from 0 to 24h such as 20ms, 2.5ms or 300us",
                      &conf->lateness);
        return NGX_CONF_ERROR;
    }

    if (ngx_strcmp(conf->version.data, "0.32") != 0
        && ngx_strcmp(conf->version.data, "0.32.0") != 0)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "invalid value \"%V\" of vllm_mock_version: 0.32",
                      &conf->version);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_vllm_mock_resolve_server(ngx_conf_t *cf,
    ngx_http_vllm_mock_srv_conf_t *conf)
{
    char                             err[NGX_HTTP_VLLM_MOCK_ERR], *end;
    const char                      *device;
    vm_pool_t                       *pool;
    ngx_uint_t                       i;
    const char                      *value;
    vm_settings_t                   *s;
    vm_engine_conf_t                *e;
    const char *const               *names;
    ngx_http_vllm_mock_directive_t  *d;

    if (conf->settings) {
        return NGX_CONF_OK;
    }

    pool = ngx_http_vllm_mock_conf_pool(cf);
    s = ngx_pcalloc(cf->pool, sizeof(vm_settings_t));
    e = ngx_pcalloc(cf->pool, sizeof(vm_engine_conf_t));
    conf->overrides = ngx_pcalloc(cf->pool, sizeof(vm_overrides_t));

    if (pool == NULL || s == NULL || e == NULL || conf->overrides == NULL) {
        return NGX_CONF_ERROR;
    }

    conf->settings = s;
    conf->engine_conf = e;

    vm_settings_defaults(s);
    vm_engine_defaults(e);

    for (names = vm_settings_env_names(); *names; names++) {
        value = ngx_http_vllm_mock_env(*names);

        if (value && vm_settings_env(s, *names, value, pool) == VM_ERROR) {
            return NGX_CONF_ERROR;
        }
    }

    value = ngx_http_vllm_mock_env("API_KEY");

    if (value && vm_settings_env(s, "VLLM_API_KEY", value, pool) == VM_ERROR)
    {
        return NGX_CONF_ERROR;
    }

    conf->replicas_fixed = 1;
    conf->fleet_size = 1;
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

    if (ngx_http_vllm_mock_env_latency(cf, e) != NGX_CONF_OK
        || ngx_http_vllm_mock_env_overrides(cf, conf->overrides)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_str_null(&conf->ignored);
    conf->ignored.data = vm_pool_alloc(pool, NGX_HTTP_VLLM_MOCK_ERR);

    ngx_http_vllm_mock_each(conf->args, d, i) {
        if (ngx_http_vllm_mock_apply_args(d, s, e, pool, conf, err)
            != NGX_CONF_OK)
        {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    if (s->auto_tool_choice && s->tool_call_parser == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "vllm_mock_args: --enable-auto-tool-choice requires "
                      "--tool-call-parser");
        return NGX_CONF_ERROR;
    }

    if (!s->auto_tool_choice) {
        s->tool_call_parser = NULL;         /* vLLM has none then either */
    }

    if (conf->ignored.len && !ngx_quiet_mode) {
        ngx_log_error(NGX_LOG_NOTICE, cf->log, 0,
                      "vllm_mock_args: without a meaning here:%V",
                      &conf->ignored);
    }

    if (conf->models) {
        s->names.n = 0;
    }

    ngx_http_vllm_mock_each(conf->models, d, i) {
        if (ngx_http_vllm_mock_apply_model(d, s, e, cf->pool, err)
            != NGX_CONF_OK)
        {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    ngx_http_vllm_mock_each(conf->loras, d, i) {
        if (ngx_http_vllm_mock_apply_lora(d, s, cf->pool, err)
            != NGX_CONF_OK)
        {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    ngx_http_vllm_mock_each(conf->engine, d, i) {
        if (ngx_http_vllm_mock_apply_engine(d, s, e, conf, err)
            != NGX_CONF_OK)
        {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    ngx_http_vllm_mock_each(conf->latency, d, i) {
        if (ngx_http_vllm_mock_apply_latency(cf, d, e, err) != NGX_CONF_OK) {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    ngx_http_vllm_mock_each(conf->metrics_mode, d, i) {
        if (ngx_http_vllm_mock_apply_mode(d, conf, err) != NGX_CONF_OK) {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    ngx_http_vllm_mock_each(conf->replicas, d, i) {
        if (ngx_http_vllm_mock_apply_replicas(cf, d, conf, err)
            != NGX_CONF_OK)
        {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    ngx_http_vllm_mock_each(conf->fleet, d, i) {
        if (ngx_http_vllm_mock_apply_fleet(cf, d, conf, err) != NGX_CONF_OK) {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    ngx_http_vllm_mock_each(conf->metrics, d, i) {
        if (vm_overrides_set(conf->overrides,
                             ngx_http_vllm_mock_text(&d->args[0]),
                             ngx_http_vllm_mock_text(&d->args[1]),
                             (double) ngx_time(), err, sizeof(err))
            != VM_OK)
        {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    if (ngx_http_vllm_mock_env_connector(cf, s, pool) != NGX_CONF_OK
        || ngx_http_vllm_mock_names(s, pool) != NGX_CONF_OK
        || ngx_http_vllm_mock_scalars(cf, conf) != NGX_CONF_OK
        || ngx_http_vllm_mock_tokenizer(cf, &conf->tokenizer, s)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (s->root == NULL) {
        s->root = s->names.list[0];
    }

    device = ngx_http_vllm_mock_env("SIMULATION");

    if (device && strcasecmp(device, "disabled") != 0
        && conf->latency == NULL
        && ngx_http_vllm_mock_simulation(cf, conf, device, err) != NGX_CONF_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "environment variable SIMULATION: %s", err);
        return NGX_CONF_ERROR;
    }

    ngx_http_vllm_mock_gpu(conf);

    return ngx_http_vllm_mock_engine_done(cf, conf);
}


/* ---- a location ---- */

/* One key a line; blank lines and lines after "#" are left out. */

static char *
ngx_http_vllm_mock_key_file(ngx_conf_t *cf, ngx_str_t *name, ngx_array_t *keys)
{
    char        err[NGX_HTTP_VLLM_MOCK_ERR], *end, *line, *text;
    size_t      len, n;
    ngx_str_t  *key;

    text = ngx_http_vllm_mock_read_file(cf, name, &len, err);

    if (text == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%s", err);
        return NGX_CONF_ERROR;
    }

    for (line = text; *line; line = *end ? end + 1 : end) {
        end = line + strcspn(line, "\n");
        n = (size_t) (end - line);

        while (n && (line[n - 1] == '\r' || line[n - 1] == ' ')) {
            n--;
        }

        if (n == 0 || *line == '#') {
            continue;
        }

        key = ngx_array_push(keys);
        if (key == NULL) {
            return NGX_CONF_ERROR;
        }

        key->data = ngx_pnalloc(cf->pool, n + 1);
        if (key->data == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memcpy(key->data, line, n);
        key->data[n] = '\0';
        key->len = n;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_vllm_mock_location_keys(ngx_conf_t *cf,
    ngx_http_vllm_mock_loc_conf_t *conf)
{
    ngx_str_t    *file, *key;
    ngx_uint_t    i;
    ngx_array_t  *all;
    const char  **list;

    if (conf->keys == NULL && conf->key_files == NULL) {
        return NGX_CONF_OK;
    }

    all = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
    if (all == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; conf->keys && i < conf->keys->nelts; i++) {
        key = ngx_array_push(all);
        if (key == NULL) {
            return NGX_CONF_ERROR;
        }

        *key = ((ngx_str_t *) conf->keys->elts)[i];
    }

    for (i = 0; conf->key_files && i < conf->key_files->nelts; i++) {
        file = (ngx_str_t *) conf->key_files->elts + i;

        if (ngx_http_vllm_mock_key_file(cf, file, all) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    list = ngx_palloc(cf->pool, (all->nelts + 1) * sizeof(char *));
    if (list == NULL) {
        return NGX_CONF_ERROR;
    }

    conf->settings->api_keys.n = 0;
    conf->settings->api_keys.list = list;
    key = all->elts;

    for (i = 0; i < all->nelts; i++) {
        if (key[i].len) {
            list[conf->settings->api_keys.n++] = (char *) key[i].data;
        }
    }

    return NGX_CONF_OK;
}


/* The pod's name: of the environment, else the host's. */

static const char *
ngx_http_vllm_mock_pod(ngx_conf_t *cf)
{
    size_t       len;
    u_char      *copy;
    const char  *pod;

    pod = ngx_http_vllm_mock_env("POD_NAME");

    if (pod == NULL) {
        pod = ngx_http_vllm_mock_env("HOSTNAME");
    }

    if (pod == NULL) {
        pod = (const char *) cf->cycle->hostname.data;
    }

    len = strlen(pod);
    copy = ngx_pnalloc(cf->pool, len + 1);

    return copy ? memcpy(copy, pod, len + 1) : NULL;
}


char *
ngx_http_vllm_mock_resolve_location(ngx_conf_t *cf,
    ngx_http_vllm_mock_loc_conf_t *conf,
    ngx_http_vllm_mock_srv_conf_t *server)
{
    char                             err[NGX_HTTP_VLLM_MOCK_ERR];
    ngx_uint_t                       i;
    ngx_http_vllm_mock_zone_t       *zone;
    ngx_http_vllm_mock_directive_t  *d;

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

    conf->output_conf->pod = ngx_http_vllm_mock_pod(cf);

    if (conf->output_conf->pod == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_vllm_mock_each(conf->output, d, i) {
        if (ngx_http_vllm_mock_apply_output(cf, d, conf->output_conf, err)
            != NGX_CONF_OK)
        {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    ngx_http_vllm_mock_each(conf->limits, d, i) {
        conf->limit_conf = ngx_palloc(cf->pool,
                                      sizeof(ngx_http_vllm_mock_limit_t));

        if (conf->limit_conf == NULL
            || ngx_http_vllm_mock_apply_limit(cf, d, conf->limit_conf, err)
               != NGX_CONF_OK)
        {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    if (conf->faults) {
        conf->faults_conf = ngx_http_vllm_mock_faults_create(cf->pool);

        if (conf->faults_conf == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    ngx_http_vllm_mock_each(conf->faults, d, i) {
        if (ngx_http_vllm_mock_apply_fault(cf, d, conf->faults_conf, err)
            != NGX_CONF_OK)
        {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    return ngx_http_vllm_mock_location_keys(cf, conf);
}
