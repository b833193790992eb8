/*
 * Rate limits and users.
 */

#ifndef NGX_HTTP_VLLM_MOCK_LIMITS_H
#define NGX_HTTP_VLLM_MOCK_LIMITS_H


#include <math.h>
#include "stream.h"


typedef struct ngx_http_vllm_mock_limits_s   ngx_http_vllm_mock_limits_t;
typedef struct ngx_http_vllm_mock_counted_s  ngx_http_vllm_mock_counted_t;


/* limits_conf.c: rpm, tpm, concurrency.  NGX_DECLINED: it is none of them. */
ngx_int_t ngx_http_vllm_mock_limit_set(ngx_http_vllm_mock_limit_t *limit,
    const char *key, const char *value);

/* "rpm=20 concurrency=5"; nothing of what is not limited. */
void ngx_http_vllm_mock_limit_text(const ngx_http_vllm_mock_limit_t *limit,
    vm_buf_t *out);

/*
 * That of a place, or what /admin/config set instead; 0: there is none.  It
 * keeps what the place counts by.
 */
ngx_uint_t ngx_http_vllm_mock_limit_now(ngx_http_vllm_mock_ctx_t *ctx,
    ngx_http_vllm_mock_limit_t *limit);

/* A worker is gone: what it had running is over. */
void ngx_http_vllm_mock_limits_orphans(ngx_http_vllm_mock_zone_t *z,
    ngx_uint_t owner);


#endif /* NGX_HTTP_VLLM_MOCK_LIMITS_H */
