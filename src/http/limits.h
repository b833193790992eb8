/*
 * Rate limits and users.
 */

#ifndef NGX_HTTP_VLLM_MOCK_LIMITS_H
#define NGX_HTTP_VLLM_MOCK_LIMITS_H


#include <math.h>
#include "stream.h"


typedef struct ngx_http_vllm_mock_limits_s   ngx_http_vllm_mock_limits_t;
typedef struct ngx_http_vllm_mock_counted_s  ngx_http_vllm_mock_counted_t;


/* A worker is gone: what it had running is over. */
void ngx_http_vllm_mock_limits_orphans(ngx_http_vllm_mock_zone_t *z,
    ngx_uint_t owner);


#endif /* NGX_HTTP_VLLM_MOCK_LIMITS_H */
