/*
 * From directives, vLLM's arguments and the environment to settings.
 */

#ifndef NGX_HTTP_VLLM_MOCK_RESOLVE_H
#define NGX_HTTP_VLLM_MOCK_RESOLVE_H


#include "http.h"


#define NGX_HTTP_VLLM_MOCK_ERR  512         /* bytes of a message */


/* ---- apply.c: each directive alone ---- */

/* Memory of the pure rooms that lives as long as the configuration. */
vm_pool_t *ngx_http_vllm_mock_conf_pool(ngx_conf_t *cf);

/* nginx's strings end with a NUL where the configuration was read. */
const char *ngx_http_vllm_mock_text(const ngx_str_t *s);

/* "$variable" or a text with variables in it; NULL: it was logged. */
ngx_http_complex_value_t *ngx_http_vllm_mock_compile(ngx_conf_t *cf,
    ngx_str_t *text);

/* "key=value": the key is copied, the value returned; NULL: there is no "=". */
const char *ngx_http_vllm_mock_split(const ngx_str_t *arg, char *key,
    size_t size);

/* NGX_CONF_ERROR, with a message; _at() tells where the directive stood. */
char *ngx_http_vllm_mock_bad(ngx_conf_t *cf, const char *message);
char *ngx_http_vllm_mock_bad_at(ngx_conf_t *cf,
    const ngx_http_vllm_mock_directive_t *d, const char *message);

/* The text of a file of up to 64 MB, with a NUL behind it; NULL: in err. */
char *ngx_http_vllm_mock_read_file(ngx_conf_t *cf, ngx_str_t *name,
    size_t *len, char *err);

char *ngx_http_vllm_mock_profile(ngx_conf_t *cf, ngx_str_t *name,
    vm_engine_conf_t *e, char *err);

/* NGX_CONF_OK, or NGX_CONF_ERROR with the reason in err. */

char *ngx_http_vllm_mock_apply_model(ngx_http_vllm_mock_directive_t *d,
    vm_settings_t *s, vm_engine_conf_t *e, ngx_pool_t *pool, char *err);
char *ngx_http_vllm_mock_apply_lora(ngx_http_vllm_mock_directive_t *d,
    vm_settings_t *s, ngx_pool_t *pool, char *err);
char *ngx_http_vllm_mock_apply_args(ngx_http_vllm_mock_directive_t *d,
    vm_settings_t *s, vm_engine_conf_t *e, vm_pool_t *pool,
    ngx_http_vllm_mock_srv_conf_t *conf, char *err);
char *ngx_http_vllm_mock_apply_engine(ngx_http_vllm_mock_directive_t *d,
    vm_settings_t *s, vm_engine_conf_t *e,
    ngx_http_vllm_mock_srv_conf_t *conf, char *err);
char *ngx_http_vllm_mock_apply_latency(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, vm_engine_conf_t *e, char *err);
char *ngx_http_vllm_mock_apply_mode(ngx_http_vllm_mock_directive_t *d,
    ngx_http_vllm_mock_srv_conf_t *conf, char *err);
char *ngx_http_vllm_mock_apply_replicas(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, ngx_http_vllm_mock_srv_conf_t *conf,
    char *err);

/* fleet.c */

char *ngx_http_vllm_mock_apply_fleet(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, ngx_http_vllm_mock_srv_conf_t *conf,
    char *err);

/* limits.c */

char *ngx_http_vllm_mock_apply_limit(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, ngx_http_vllm_mock_limit_t *limit,
    char *err);

/* fault.c */

ngx_array_t *ngx_http_vllm_mock_faults_create(ngx_pool_t *pool);
char *ngx_http_vllm_mock_apply_fault(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, ngx_array_t *faults, char *err);

/* output.c */

char *ngx_http_vllm_mock_output_set(vm_output_t *o, const char *key,
    const char *value, char *err);
char *ngx_http_vllm_mock_apply_output(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, vm_output_t *o, char *err);


/* ---- environ.c ---- */

/* NULL: not set, or empty. */
const char *ngx_http_vllm_mock_env(const char *name);

/* A copy, for environments change. */
const char *ngx_http_vllm_mock_env_copy(const char *name, vm_pool_t *pool);

char *ngx_http_vllm_mock_env_latency(ngx_conf_t *cf, vm_engine_conf_t *e);

/* How a connector is reached for the prompts' blocks. */
char *ngx_http_vllm_mock_env_connector(ngx_conf_t *cf, vm_settings_t *s,
    vm_pool_t *pool);

char *ngx_http_vllm_mock_env_overrides(ngx_conf_t *cf, vm_overrides_t *o);


/* ---- one directive, where it stands ---- */

typedef char *(*ngx_http_vllm_mock_check_pt)(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d);

char *ngx_http_vllm_mock_check_model(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d);
char *ngx_http_vllm_mock_check_lora(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d);
char *ngx_http_vllm_mock_check_args(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d);
char *ngx_http_vllm_mock_check_engine(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d);
char *ngx_http_vllm_mock_check_latency(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d);
char *ngx_http_vllm_mock_check_metric(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d);
char *ngx_http_vllm_mock_check_mode(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d);
char *ngx_http_vllm_mock_check_replicas(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d);
char *ngx_http_vllm_mock_check_fleet(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d);
char *ngx_http_vllm_mock_check_limit(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d);
char *ngx_http_vllm_mock_check_fault(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d);
char *ngx_http_vllm_mock_check_output(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d);


/* vocabulary.c: the tokenizer of that name or path, into settings. */
char *ngx_http_vllm_mock_tokenizer(ngx_conf_t *cf, ngx_str_t *name,
    vm_settings_t *s);


#endif /* NGX_HTTP_VLLM_MOCK_RESOLVE_H */
