/*
 * What follows where nothing was said: the step times of a device, the size
 * of its KV cache, the length of a known model.
 */

#include "resolve.h"
#include "../engine/catalog.h"
#include "../engine/known.h"


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

    if (ngx_http_vllm_mock_profile(cf, &name, e, err) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (!ngx_quiet_mode) {
        ngx_log_error(NGX_LOG_NOTICE, cf->log, 0,
                      "vllm_mock: SIMULATION=%s for model \"%s\": profile %s, "
                      "measured with %s, tensor parallel size %uD", device,
                      s->names.list[0], path, e->latency.profile.model,
                      e->latency.profile.tp);
    }

    return NGX_CONF_OK;
}


/* By the model's path; by the name it answers to, if the path says nothing. */

static uint32_t
ngx_http_vllm_mock_length(const vm_settings_t *s)
{
    uint32_t  tokens;

    tokens = vm_known_length(s->root);

    return tokens ? tokens : vm_known_length(s->names.list[0]);
}


char *
ngx_http_vllm_mock_derive(ngx_conf_t *cf, ngx_http_vllm_mock_srv_conf_t *conf)
{
    char         err[NGX_HTTP_VLLM_MOCK_ERR];
    const char  *device;

    device = ngx_http_vllm_mock_env("SIMULATION");

    if (device && strcasecmp(device, "disabled") != 0
        && conf->latency == NULL
        && ngx_http_vllm_mock_simulation(cf, conf, device, err) != NGX_CONF_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "environment variable SIMULATION: %s", err);
        return NGX_CONF_ERROR;
    }

    conf->fit.known = ngx_http_vllm_mock_length(conf->settings);

    if (vm_fit(conf->engine_conf, &conf->fit, err, sizeof(err)) != VM_OK) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "vllm_mock: %s", err);
        return NGX_CONF_ERROR;
    }

    if (*err && !ngx_quiet_mode) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0, "vllm_mock: %s", err);
    }

    return NGX_CONF_OK;
}
