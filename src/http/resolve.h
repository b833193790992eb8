/*
 * From directives, vLLM's arguments and the environment to settings.
 */

#ifndef NGX_HTTP_VLLM_MOCK_RESOLVE_H
#define NGX_HTTP_VLLM_MOCK_RESOLVE_H


#include "http.h"


/* Looks at one directive alone, where it stands. */

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
char *ngx_http_vllm_mock_check_output(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d);


#endif /* NGX_HTTP_VLLM_MOCK_RESOLVE_H */
