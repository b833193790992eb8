/*
 * Answers: status, headers and a whole body.
 */

#include "http.h"


ngx_int_t
ngx_http_vllm_mock_watch(ngx_http_request_t *r)
{
    ngx_event_t  *rev;

    rev = r->connection->read;

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    /* it left with the request's last byte: no other event will tell */

    if (rev->pending_eof) {
        ngx_post_event(rev, &ngx_posted_events);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_vllm_mock_header_add(ngx_http_request_t *r, const char *name,
    const char *value, size_t len)
{
    u_char           *copy;
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    copy = ngx_pnalloc(r->pool, len + 1);

    if (h == NULL || copy == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(copy, value, len);
    copy[len] = '\0';

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value.data = copy;
    h->value.len = len;

    if (strcmp(name, "Server") == 0) {
        r->headers_out.server = h;
    }

    return NGX_OK;
}


/* Python's words where nginx has others, or none. */

static const struct {
    ngx_uint_t  status;
    ngx_str_t   line;
}  ngx_http_vllm_mock_phrases[] = {
    { 405, ngx_string("405 Method Not Allowed") },
    { 422, ngx_string("422 Unprocessable Entity") },
    { 503, ngx_string("503 Service Unavailable") }
};


/*
 * A body of unknown length is chunked for HTTP/1.0 as well, and ends its
 * connection there, as uvicorn's does: a proxy in front then passes on each
 * piece as it comes.  nginx's filter looks at the version alone.
 */

static ngx_int_t
ngx_http_vllm_mock_send_header(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    if (r->http_version != NGX_HTTP_VERSION_10
        || r->headers_out.content_length_n != -1)
    {
        return ngx_http_send_header(r);
    }

#if (NGX_HTTP_GZIP)
    (void) ngx_http_gzip_ok(r);         /* by the true version; it is kept */
#endif

    r->keepalive = 0;
    r->http_version = NGX_HTTP_VERSION_11;
    rc = ngx_http_send_header(r);
    r->http_version = NGX_HTTP_VERSION_10;

    return rc;
}


/* Everything before the body. */

ngx_int_t
ngx_http_vllm_mock_head(ngx_http_vllm_mock_ctx_t *ctx, ngx_uint_t status,
    const char *type, off_t length)
{
    ngx_uint_t           i;
    ngx_http_request_t  *r;

    r = ctx->request;

    r->headers_out.status = status;
    r->headers_out.content_length_n = length;

    for (i = 0; i < vm_nelts(ngx_http_vllm_mock_phrases); i++) {
        if (ngx_http_vllm_mock_phrases[i].status == status) {
            r->headers_out.status_line = ngx_http_vllm_mock_phrases[i].line;
        }
    }

    if (type) {
        r->headers_out.content_type.data = (u_char *) type;
        r->headers_out.content_type.len = ngx_strlen(type);
        r->headers_out.content_type_len = r->headers_out.content_type.len;

        /* what stands behind ";" is no part of the type that gzip asks for */

        if (strchr(type, ';')) {
            r->headers_out.content_type_len = (size_t) (strchr(type, ';')
                                                        - type);
        }
    }

    if (ngx_http_vllm_mock_header_add(r, "Server", "uvicorn", 7) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_vllm_mock_saturated(ctx->zone)
        && ngx_http_vllm_mock_header_add(r, "x-vllm-mock-saturated", "1", 1)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->settings->all_endpoints
        && ngx_http_vllm_mock_llmd_headers(ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!ctx->outermost && ngx_http_vllm_mock_cors(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->settings->request_id_headers && !ctx->call.error.outside
        && ngx_http_vllm_mock_request_id(ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_vllm_mock_send_header(r);
}


static ngx_int_t
ngx_http_vllm_mock_whole(ngx_http_vllm_mock_ctx_t *ctx, ngx_uint_t status,
    const char *type, const char *data, size_t len, off_t told)
{
    ngx_int_t            rc;
    ngx_buf_t           *b;
    ngx_chain_t          out;
    ngx_http_request_t  *r;

    r = ctx->request;

    rc = ngx_http_vllm_mock_head(ctx, status, type, told);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_create_temp_buf(r->pool, len ? len : 1);
    if (b == NULL) {
        return NGX_ERROR;
    }

    if (len) {
        b->last = ngx_cpymem(b->pos, data, len);

    } else {
        b->temporary = 0;
    }

    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


ngx_int_t
ngx_http_vllm_mock_send(ngx_http_vllm_mock_ctx_t *ctx, ngx_uint_t status,
    const char *type, const char *data, size_t len)
{
    return ngx_http_vllm_mock_whole(ctx, status, type, data, len,
                                    (off_t) len);
}


/* 200, and no length: what vLLM answers as a stream, though it is whole */

ngx_int_t
ngx_http_vllm_mock_send_chunked(ngx_http_vllm_mock_ctx_t *ctx,
    const char *type, const char *data, size_t len)
{
    return ngx_http_vllm_mock_whole(ctx, NGX_HTTP_OK, type, data, len, -1);
}


ngx_int_t
ngx_http_vllm_mock_json(ngx_http_vllm_mock_ctx_t *ctx, vm_buf_t *b)
{
    ngx_int_t  rc;

    if (b->failed) {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else {
        rc = ngx_http_vllm_mock_send(ctx, NGX_HTTP_OK,
                                     NGX_HTTP_VLLM_MOCK_JSON, b->data,
                                     b->len);
    }

    vm_buf_free(b);

    return rc;
}


ngx_int_t
ngx_http_vllm_mock_literal(ngx_http_vllm_mock_ctx_t *ctx, const char *json)
{
    return ngx_http_vllm_mock_send(ctx, NGX_HTTP_OK, NGX_HTTP_VLLM_MOCK_JSON,
                                   json, ngx_strlen(json));
}


ngx_int_t
ngx_http_vllm_mock_empty(ngx_http_vllm_mock_ctx_t *ctx, ngx_uint_t status)
{
    return ngx_http_vllm_mock_send(ctx, status, NULL, NULL, 0);
}


void
ngx_http_vllm_mock_full(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_error_printf(&ctx->call.error, ctx->pool, 500, "InternalServerError",
                    NULL, "The shared memory zone \"%.*s\" has no room for "
                    "this: enlarge vllm_mock_zone.",
                    (int) ctx->zone->name.len, ctx->zone->name.data);
}


ngx_int_t
ngx_http_vllm_mock_error(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_buf_t   b;
    ngx_int_t  rc;

    ctx->outermost |= ctx->call.error.outside;

    vm_buf_init(&b);
    vm_error_render(&b, &ctx->call.error, 0);

    rc = ngx_http_vllm_mock_send(ctx, (ngx_uint_t) ctx->call.error.status,
                                 NGX_HTTP_VLLM_MOCK_JSON, b.data, b.len);
    vm_buf_free(&b);

    return rc;
}
