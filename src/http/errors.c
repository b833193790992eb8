/*
 * Errors that nginx finds itself (a malformed request line, a body that is too
 * large, a method it does not know), in vLLM's words.
 */

#include "http.h"


static ngx_int_t ngx_http_vllm_mock_errors_header(ngx_http_request_t *r);
static ngx_int_t ngx_http_vllm_mock_errors_body(ngx_http_request_t *r,
    ngx_chain_t *in);

static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


typedef struct {
    ngx_uint_t   status;
    const char  *type;
    const char  *message;
}  ngx_http_vllm_mock_phrase_t;


static const ngx_http_vllm_mock_phrase_t  ngx_http_vllm_mock_phrases[] = {
    { 401, "Unauthorized", "Unauthorized" },
    { 403, "Forbidden", "Forbidden" },
    { 404, "Not Found", "Not Found" },
    { 408, "Request Timeout", "Request Timeout" },
    { 411, "Length Required", "Length Required" },
    { 413, "Request Entity Too Large", "Request Entity Too Large" },
    { 414, "Request-URI Too Long", "Request-URI Too Long" },
    { 429, "Too Many Requests", "Too Many Requests" },
    { 501, "Not Implemented", "Not Implemented" },
    { 502, "Bad Gateway", "Bad Gateway" },
    { 503, "Service Unavailable", "Service Unavailable" },
    { 504, "Gateway Timeout", "Gateway Timeout" }
};


const char *
ngx_http_vllm_mock_phrase(ngx_uint_t status)
{
    ngx_uint_t  i;

    for (i = 0; i < vm_nelts(ngx_http_vllm_mock_phrases); i++) {
        if (ngx_http_vllm_mock_phrases[i].status == status) {
            return ngx_http_vllm_mock_phrases[i].type;
        }
    }

    return status < 500 ? "Bad Request" : "Internal Server Error";
}


ngx_int_t
ngx_http_vllm_mock_errors_init(ngx_conf_t *cf)
{
    (void) cf;

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_vllm_mock_errors_header;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_vllm_mock_errors_body;

    return NGX_OK;
}


/*
 * The location whose settings count: this one; the server's first for what
 * nginx refuses before it has found one.  NULL: it is another's.
 */

static ngx_http_vllm_mock_loc_conf_t *
ngx_http_vllm_mock_errors_conf(ngx_http_request_t *r)
{
    ngx_http_core_srv_conf_t       *cscf;
    ngx_http_vllm_mock_loc_conf_t  *conf;
    ngx_http_vllm_mock_srv_conf_t  *server;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_vllm_mock_module);

    if (conf->shm_zone) {
        return conf;
    }

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    if (r->loc_conf != cscf->ctx->loc_conf) {
        return NULL;
    }

    server = ngx_http_get_module_srv_conf(r, ngx_http_vllm_mock_module);

    return server->location;
}


static void
ngx_http_vllm_mock_errors_text(ngx_uint_t status, vm_buf_t *b)
{
    ngx_uint_t   i;
    vm_error_t   e;

    ngx_memzero(&e, sizeof(vm_error_t));

    if (status == NGX_HTTP_NOT_ALLOWED) {
        vm_error_detail(&e, 405, "Method Not Allowed");

    } else {
        vm_error_memory(&e);
        e.status = (int) status;

        for (i = 0; i < vm_nelts(ngx_http_vllm_mock_phrases); i++) {
            if (ngx_http_vllm_mock_phrases[i].status == status) {
                e.type = ngx_http_vllm_mock_phrases[i].type;
                e.message = ngx_http_vllm_mock_phrases[i].message;
            }
        }
    }

    vm_error_render(b, &e, 0);
}


static ngx_int_t
ngx_http_vllm_mock_errors_header(ngx_http_request_t *r)
{
    vm_buf_t                        b;
    ngx_str_t                       body, type;
    ngx_uint_t                      status;
    ngx_http_vllm_mock_ctx_t       *ctx;
    ngx_http_vllm_mock_loc_conf_t  *conf;

    status = r->headers_out.status;

    if (r != r->main || r->err_status == 0 || status < NGX_HTTP_BAD_REQUEST) {
        return ngx_http_next_header_filter(r);
    }

    conf = ngx_http_vllm_mock_errors_conf(r);

    if (conf == NULL) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_vllm_mock_module);

    if (ctx == NULL) {
        ctx = ngx_http_vllm_mock_create_ctx(r, conf);
        if (ctx == NULL) {
            return NGX_ERROR;
        }
    }

    vm_buf_init(&b);

    if (status == NGX_HTTP_BAD_REQUEST
        || r->err_status == NGX_HTTP_REQUEST_HEADER_TOO_LARGE)
    {
        vm_buf_lit(&b, "Invalid HTTP request received.");
        ngx_str_set(&type, NGX_HTTP_VLLM_MOCK_TEXT);

    } else {
        ngx_http_vllm_mock_errors_text(status, &b);
        ngx_str_set(&type, NGX_HTTP_VLLM_MOCK_JSON);
    }

    body.len = b.len;
    body.data = ngx_pnalloc(r->pool, b.len + 1);

    if (body.data == NULL || b.failed) {
        vm_buf_free(&b);
        return NGX_ERROR;
    }

    ngx_memcpy(body.data, b.data, b.len);
    vm_buf_free(&b);

    ctx->replacement = body;
    r->headers_out.content_type = type;
    r->headers_out.content_type_len = type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.content_length_n = (off_t) body.len;

    if (r->headers_out.content_length) {
        r->headers_out.content_length->hash = 0;
        r->headers_out.content_length = NULL;
    }

    ngx_http_clear_accept_ranges(r);

    if (ngx_http_vllm_mock_header_add(r, "Server", "uvicorn", 7) != NGX_OK
        || (status == NGX_HTTP_NOT_ALLOWED
            && ngx_http_vllm_mock_errors_allow(ctx) != NGX_OK))
    {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_vllm_mock_errors_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t                 *b;
    ngx_chain_t                out;
    ngx_http_vllm_mock_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_vllm_mock_module);

    if (ctx == NULL || ctx->replacement.data == NULL || in == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    if (ctx->replaced) {
        return NGX_OK;
    }

    ctx->replaced = 1;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = ctx->replacement.data;
    b->last = b->pos + ctx->replacement.len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_next_body_filter(r, &out);
}
