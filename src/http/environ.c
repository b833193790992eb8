/*
 * The environment: what of it is not vLLM's own.
 */

#include "resolve.h"
#include "../metrics/override.h"


/* Without any setting: an idle server that is quick, but takes its time. */

#define NGX_HTTP_VLLM_MOCK_TTFT      (10 * VM_MSEC)
#define NGX_HTTP_VLLM_MOCK_ITL       (2 * VM_MSEC)


const char *
ngx_http_vllm_mock_env(const char *name)
{
    const char  *value;

    value = getenv(name);

    return value && *value ? value : NULL;
}


/* A copy, for environments change. */

const char *
ngx_http_vllm_mock_env_copy(const char *name, vm_pool_t *pool)
{
    const char  *value;

    value = ngx_http_vllm_mock_env(name);

    return value ? vm_pool_strdup(pool, value, strlen(value)) : NULL;
}


/* As the seed's application: whatever is not one of these words is off. */

static int
ngx_http_vllm_mock_env_true(const char *name, ngx_conf_t *cf)
{
    ngx_uint_t                i;
    const char               *value;
    static const char *const  words[] = {
        "false", "no", "off", "0", "true", "yes", "on", "1"
    };

    value = ngx_http_vllm_mock_env(name);

    if (value == NULL) {
        return 0;
    }

    for (i = 0; i < vm_nelts(words); i++) {
        if (strcasecmp(value, words[i]) == 0) {
            return i >= vm_nelts(words) / 2;
        }
    }

    if (!ngx_quiet_mode) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "environment variable %s: \"%s\" is taken as off: true, "
                      "yes, on or 1 turn it on", name, value);
    }

    return 0;
}


/* The seed's capacity model; defaults are those of its application. */

static const struct {
    const char  *variable;
    const char  *key;
    const char  *value;
}  ngx_http_vllm_mock_capacity[] = {
    { "MOCK_SERVER_CAPACITY", "capacity", "1" },
    { "MOCK_BASE_LATENCY_SECONDS", "base", "0.05" },
    { "MOCK_TTFT_BASE_SECONDS", "ttft", "0.03" },
    { "MOCK_PREFILL_SECONDS_PER_1K_TOKENS", "prefill_per_1k", "0.02" },
    { "MOCK_DECODE_SECONDS_PER_TOKEN", "decode_per_token", "0.002" },
    { "MOCK_OVERLOAD_PENALTY_SECONDS", "penalty", "0.08" },
    { "MOCK_LATENCY_JITTER_SECONDS", "jitter", "0.01" }
};


char *
ngx_http_vllm_mock_env_latency(ngx_conf_t *cf, vm_engine_conf_t *e)
{
    int          rc;
    char         err[NGX_HTTP_VLLM_MOCK_ERR];
    ngx_uint_t   i;
    const char  *value;

    ngx_memzero(&e->latency, sizeof(vm_latency_t));

    if (ngx_http_vllm_mock_env_true("MOCK_CAPACITY_AWARE_LATENCY", cf)) {
        rc = vm_latency_model(&e->latency, "capacity", err, sizeof(err));

        for (i = 0; i < vm_nelts(ngx_http_vllm_mock_capacity)
                    && rc == VM_OK; i++)
        {
            value = ngx_http_vllm_mock_env(
                        ngx_http_vllm_mock_capacity[i].variable);

            if (value == NULL) {
                value = ngx_http_vllm_mock_capacity[i].value;
            }

            rc = vm_latency_set(&e->latency,
                                ngx_http_vllm_mock_capacity[i].key, value,
                                err, sizeof(err));

            if (rc != VM_OK) {
                ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                              "environment variable %s: %s",
                              ngx_http_vllm_mock_capacity[i].variable, err);
                return NGX_CONF_ERROR;
            }
        }

        return NGX_CONF_OK;
    }

    value = ngx_http_vllm_mock_env("MOCK_REQUEST_DURATION_SECONDS");

    if (value) {
        vm_latency_model(&e->latency, "capacity", err, sizeof(err));

        if (vm_latency_set(&e->latency, "duration", value, err, sizeof(err))
            != VM_OK)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "environment variable "
                          "MOCK_REQUEST_DURATION_SECONDS: %s", err);
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    vm_latency_model(&e->latency, "constant", err, sizeof(err));
    e->latency.ttft = NGX_HTTP_VLLM_MOCK_TTFT;
    e->latency.itl = NGX_HTTP_VLLM_MOCK_ITL;

    return NGX_CONF_OK;
}


char *
ngx_http_vllm_mock_env_overrides(ngx_conf_t *cf, vm_overrides_t *o)
{
    int          rc;
    char         err[NGX_HTTP_VLLM_MOCK_ERR];
    json_t      *object;
    const char  *value;

    value = ngx_http_vllm_mock_env("METRICS_OVERRIDES");

    if (value == NULL) {
        return NGX_CONF_OK;
    }

    object = json_loads(value, 0, NULL);

    if (!json_is_object(object)) {
        json_decref(object);
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "environment variable METRICS_OVERRIDES is no JSON "
                      "object: \"%s\"", value);
        return NGX_CONF_ERROR;
    }

    rc = vm_overrides_merge(o, object, (double) ngx_time(), err, sizeof(err));
    json_decref(object);

    if (rc != VM_OK) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "environment variable METRICS_OVERRIDES: %s", err);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_vllm_mock_env_connector(ngx_conf_t *cf, vm_settings_t *s,
    vm_pool_t *pool)
{
    json_t      *o;
    uint64_t     n;
    const char  *id, *value;

    s->side_host = ngx_http_vllm_mock_env_copy("VLLM_NIXL_SIDE_CHANNEL_HOST",
                                               pool);

    if (s->side_host == NULL) {
        s->side_host = ngx_http_vllm_mock_env_copy("POD_IP", pool);
    }

    value = ngx_http_vllm_mock_env("VLLM_NIXL_SIDE_CHANNEL_PORT");

    if (value) {

        if (vm_settings_number(value, &n) != VM_OK || n == 0 || n > 65535) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "environment variable VLLM_NIXL_SIDE_CHANNEL_PORT: "
                          "invalid value \"%s\": 1 to 65535", value);
            return NGX_CONF_ERROR;
        }

        s->side_port = (uint32_t) n;
    }

    o = s->kv_transfer_config ? json_loads(s->kv_transfer_config, 0, NULL)
                              : NULL;
    id = json_string_value(json_object_get(o, "engine_id"));

    if (id) {
        (void) ngx_cpystrn((u_char *) s->engine_id, (u_char *) id,
                           sizeof(s->engine_id));

    } else {
        (void) ngx_snprintf((u_char *) s->engine_id, sizeof(s->engine_id),
                            "%08xD-%04xD-4%03xD-%04xD-%08xD%04xD%Z",
                            (uint32_t) ngx_random(),
                            (uint32_t) ngx_random() & 0xffff,
                            (uint32_t) ngx_random() & 0xfff,
                            0x8000 | ((uint32_t) ngx_random() & 0x3fff),
                            (uint32_t) ngx_random(),
                            (uint32_t) ngx_random() & 0xffff);
    }

    json_decref(o);

    return NGX_CONF_OK;
}
