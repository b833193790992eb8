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

/* NGX_CONF_ERROR, with a message that tells where the directive stood. */
char *ngx_http_vllm_mock_bad_at(ngx_conf_t *cf,
    const ngx_http_vllm_mock_directive_t *d, const char *message);

/* The text of a file of up to 64 MB, with a NUL behind it; NULL: in err. */
char *ngx_http_vllm_mock_read_file(ngx_conf_t *cf, ngx_str_t *name,
    size_t *len, char *err);

char *ngx_http_vllm_mock_profile(ngx_conf_t *cf, ngx_str_t *name,
    vm_engine_conf_t *e, char *err);

/*
 * What a directive means: its words into the configuration of a server or a
 * location, of which memory, settings, the engine's configuration, overrides
 * and the output are there.  NGX_CONF_OK, or NGX_CONF_ERROR with the reason in
 * err (NGX_HTTP_VLLM_MOCK_ERR bytes).
 */

typedef char *(*ngx_http_vllm_mock_apply_pt)(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *conf, char *err);

#define ngx_http_vllm_mock_apply(name)                                        \
    char *ngx_http_vllm_mock_apply_##name(ngx_conf_t *cf,                     \
        ngx_http_vllm_mock_directive_t *d, void *conf, char *err)

/* a server's */
ngx_http_vllm_mock_apply(args);
ngx_http_vllm_mock_apply(model);
ngx_http_vllm_mock_apply(lora);
ngx_http_vllm_mock_apply(engine);
ngx_http_vllm_mock_apply(latency);
ngx_http_vllm_mock_apply(mode);             /* vllm_mock_metrics */
ngx_http_vllm_mock_apply(metric);
ngx_http_vllm_mock_apply(replicas);
ngx_http_vllm_mock_apply(fleet);            /* fleet.c */
ngx_http_vllm_mock_apply(time_scale);
ngx_http_vllm_mock_apply(seed);
ngx_http_vllm_mock_apply(tokenizer);        /* vocabulary.c */
ngx_http_vllm_mock_apply(version);
ngx_http_vllm_mock_apply(saturation);

/* a location's */
ngx_http_vllm_mock_apply(output);           /* output.c */
ngx_http_vllm_mock_apply(limit);            /* limits.c */
ngx_http_vllm_mock_apply(fault);            /* fault.c */

/* Memory, and what a server has before anything is applied to it. */
ngx_int_t ngx_http_vllm_mock_server_init(ngx_conf_t *cf,
    ngx_http_vllm_mock_srv_conf_t *conf);

/* Applies one to a configuration of its own, of the kind of cmd->conf. */
char *ngx_http_vllm_mock_try(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, ngx_uint_t kind,
    ngx_http_vllm_mock_apply_pt apply);

/*
 * config.c: the words of a text, which is cut into them; how many.  A word may
 * stand in quotes.
 */
ngx_uint_t ngx_http_vllm_mock_words(char *text, ngx_str_t *words,
    ngx_uint_t max);

/* output.c: one key=value that may change while all runs. */
char *ngx_http_vllm_mock_output_set(vm_output_t *o, const char *key,
    const char *value, char *err);

/* vocabulary.c: the tokenizer of that name or path, into settings. */
char *ngx_http_vllm_mock_vocabulary(ngx_conf_t *cf, ngx_str_t *name,
    vm_settings_t *s, char *err);


/* derive.c: of the device and the model, what was not said. */
char *ngx_http_vllm_mock_derive(ngx_conf_t *cf,
    ngx_http_vllm_mock_srv_conf_t *conf);


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


#endif /* NGX_HTTP_VLLM_MOCK_RESOLVE_H */
