/*
 * GET /: a page that shows what the server does, from its own endpoints, and
 * changes its settings: page.html, which the build makes a literal of.
 */

#include "http.h"
#include <vllm_mock_page.h>              /* made by the build */


ngx_int_t
ngx_http_vllm_mock_dashboard(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_send(ctx, NGX_HTTP_OK,
                                   "text/html; charset=utf-8",
                                   ngx_http_vllm_mock_page,
                                   sizeof(ngx_http_vllm_mock_page) - 1);
}
