/*
 * Faults: what they are, as the directive or /admin/config says it.
 */

#ifndef NGX_HTTP_VLLM_MOCK_FAULT_H
#define NGX_HTTP_VLLM_MOCK_FAULT_H


#include "stream.h"


typedef enum {
    NGX_HTTP_VLLM_MOCK_FAULT_ERROR,
    NGX_HTTP_VLLM_MOCK_FAULT_DROP,
    NGX_HTTP_VLLM_MOCK_FAULT_DELAY,
    NGX_HTTP_VLLM_MOCK_FAULT_DISCONNECT,
    NGX_HTTP_VLLM_MOCK_FAULT_STALL
} ngx_http_vllm_mock_fault_e;

#define NGX_HTTP_VLLM_MOCK_FAULT_WORDS  16

struct ngx_http_vllm_mock_fault_s {
    ngx_http_vllm_mock_fault_e  kind;
    double                      rate;       /* of 1 */
    ngx_http_complex_value_t   *when;       /* NULL: always */
    ngx_str_t                   variable;   /* instead, if set at runtime */
    ngx_str_t                   endpoint;   /* a path, "*" at its end for all
                                               that begin so; "": the API's */
    ngx_uint_t                  status;
    const char                 *message;
    vm_time_t                   time;       /* VM_TIME_NONE: for ever */
    uint32_t                    after;      /* tokens */
    const char                 *text;       /* as it was written */
};


/*
 * fault_conf.c: a fault of its words, which stay as long as it does; cf is
 * NULL at runtime.  NGX_CONF_OK, or NGX_CONF_ERROR with the reason in err.
 */
char *ngx_http_vllm_mock_fault_parse(ngx_conf_t *cf, ngx_pool_t *pool,
    ngx_str_t *words, ngx_uint_t n, ngx_http_vllm_mock_fault_t *f, char *err);

/*
 * fault.c: of a request, those of the configuration or the ones that
 * /admin/config set; *n of them.
 */
ngx_http_vllm_mock_fault_t *ngx_http_vllm_mock_faults_now(
    ngx_http_vllm_mock_ctx_t *ctx, ngx_uint_t *n);


#endif /* NGX_HTTP_VLLM_MOCK_FAULT_H */
