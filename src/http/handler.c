/*
 * The content handler: from a request line to an endpoint with its body.
 */

#include "store.h"

#include "../base/rand.h"
#include "../base/utf8.h"


#define NGX_HTTP_VLLM_MOCK_POOL  4096


static void
ngx_http_vllm_mock_cleanup(void *data)
{
    ngx_http_vllm_mock_ctx_t  *ctx;

    ctx = data;

    if (ctx->loaded) {
        (void) ngx_atomic_fetch_add(&ctx->zone->shared->load, -1);
    }

    json_decref(ctx->body);
    json_decref(ctx->json.value);
    vm_pool_destroy(ctx->pool);
}


/* The path as it came: %XX decoded, nothing merged or resolved. */

ngx_int_t
ngx_http_vllm_mock_path(ngx_http_vllm_mock_ctx_t *ctx)
{
    size_t               len;
    u_char              *dst, *end, *p, *src;
    const char          *root;
    ngx_http_request_t  *r;

    r = ctx->request;
    src = r->unparsed_uri.data;
    end = src + r->unparsed_uri.len;

    /* "GET http://host/path": the path alone */

    if (r->unparsed_uri.len && *src != '/') {
        src = r->uri.data;
        end = src + r->uri.len;
    }

    p = ngx_strlchr(src, end, '?');

    if (p) {
        end = p;
    }

    ctx->path.data = ngx_pnalloc(r->pool, (size_t) (end - src) + 1);
    if (ctx->path.data == NULL) {
        return NGX_ERROR;
    }

    dst = ctx->path.data;
    ngx_unescape_uri(&dst, &src, (size_t) (end - src), 0);
    ctx->path.len = (size_t) (dst - ctx->path.data);

    root = ctx->settings->root_path;
    len = root ? ngx_strlen(root) : 0;

    if (len && ctx->path.len > len && ctx->path.data[len] == '/'
        && ngx_memcmp(ctx->path.data, root, len) == 0)
    {
        ctx->path.data += len;
        ctx->path.len -= len;
    }

    return NGX_OK;
}


static int
ngx_http_vllm_mock_find_adapter(void *data, const char *name, size_t len,
    vm_adapter_t *out)
{
    char                          *copy;
    ngx_http_vllm_mock_ctx_t      *ctx;
    ngx_http_vllm_mock_zone_t     *z;
    ngx_http_vllm_mock_adapter_t  *a, found;

    ctx = data;
    z = ctx->zone;

    ngx_http_vllm_mock_lock(z);
    a = ngx_http_vllm_mock_adapter_find(z->shared, name, len);

    if (a) {
        found = *a;
    }

    ngx_http_vllm_mock_unlock(z);

    if (a == NULL) {
        return 0;
    }

    copy = vm_pool_strdup(ctx->pool, name, len);
    if (copy == NULL) {
        return 0;
    }

    out->number = found.number;
    out->name.data = copy;
    out->name.len = len;

    return 1;
}


static int
ngx_http_vllm_mock_recall(void *data, const char *id, size_t len,
    vm_buf_t *messages, vm_buf_t *object)
{
    ngx_http_vllm_mock_ctx_t     *ctx;
    ngx_http_vllm_mock_zone_t    *z;
    ngx_http_vllm_mock_record_t  *r;

    ctx = data;
    z = ctx->zone;

    ngx_http_vllm_mock_lock(z);
    r = ngx_http_vllm_mock_store_find(z, id, len);

    if (r && !r->video) {
        ngx_http_vllm_mock_store_read(z, r, NGX_HTTP_VLLM_MOCK_MESSAGES, 0,
                                      messages);
        ngx_http_vllm_mock_store_read(z, r, NGX_HTTP_VLLM_MOCK_OBJECT, 0,
                                      object);
    }

    ngx_http_vllm_mock_unlock(z);

    return r && !r->video;
}


static const char *
ngx_http_vllm_mock_copy(ngx_http_vllm_mock_ctx_t *ctx, const char *name)
{
    char       *text;
    vm_buf_t    b;
    ngx_str_t  *value;
    ngx_uint_t  i;

    value = ngx_http_vllm_mock_header(ctx->request, name, ngx_strlen(name));
    if (value == NULL) {
        return NULL;
    }

    vm_buf_init(&b);

    for (i = 0; i < value->len; i++) {

        if (value->data[i] < 0x80) {
            vm_buf_char(&b, (char) value->data[i]);

        } else {
            vm_buf_char(&b, (char) (0xc0 | value->data[i] >> 6));
            vm_buf_char(&b, (char) (0x80 | (value->data[i] & 0x3f)));
        }
    }

    text = vm_pool_strdup(ctx->pool, b.len ? b.data : "", b.len);
    vm_buf_free(&b);

    return text;
}


ngx_http_vllm_mock_ctx_t *
ngx_http_vllm_mock_create_ctx(ngx_http_request_t *r,
    ngx_http_vllm_mock_loc_conf_t *conf)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_vllm_mock_ctx_t  *ctx;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_vllm_mock_ctx_t));
    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (ctx == NULL || cln == NULL) {
        return NULL;
    }

    ctx->pool = vm_pool_create(NGX_HTTP_VLLM_MOCK_POOL);
    if (ctx->pool == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_vllm_mock_cleanup;
    cln->data = ctx;

    ctx->request = r;
    ctx->npool = r->pool;
    ctx->conf = conf;
    ctx->zone = ngx_http_vllm_mock_fleet_choose(r, conf);

    if (ctx->zone == NULL) {
        return NULL;
    }

    ctx->settings = ctx->conf->settings;
    ctx->started = ngx_http_vllm_mock_now();

    ctx->call.pool = ctx->pool;
    ctx->call.settings = ctx->settings;
    ctx->call.output = ngx_http_vllm_mock_output(ctx);
    ctx->call.max_num_seqs = ctx->conf->server->engine_conf->max_num_seqs;
    ctx->call.now = ngx_http_vllm_mock_unix();
    ctx->call.chance = ngx_http_vllm_mock_chance(ctx->zone,
                                             ctx->settings->seed,
                                             r->method == NGX_HTTP_POST);
    ctx->call.random = ctx->settings->seeded && r->method == NGX_HTTP_POST
                       ? vm_rand_mix(ctx->call.chance)
                       : ngx_http_vllm_mock_random(ctx->zone);
    ctx->call.adapter = ngx_http_vllm_mock_find_adapter;
    ctx->call.recall = ngx_http_vllm_mock_recall;
    ctx->call.data = ctx;

    ngx_http_set_ctx(r, ctx, ngx_http_vllm_mock_module);

    return ctx;
}


/* ---- the query ---- */

/* A value of the query, decoded; NGX_DECLINED if it is not there. */

ngx_int_t
ngx_http_vllm_mock_query(ngx_http_vllm_mock_ctx_t *ctx, const char *name,
    ngx_str_t *value)
{
    u_char              *dst, *src;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), value) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    src = value->data;
    dst = ngx_pnalloc(r->pool, value->len + 1);
    if (dst == NULL) {
        return NGX_DECLINED;
    }

    value->data = dst;
    ngx_unescape_uri(&dst, &src, value->len, 0);
    value->len = (size_t) (dst - value->data);
    *dst = '\0';

    return NGX_OK;
}


/* The query as an object of strings, for the walker. */

json_t *
ngx_http_vllm_mock_query_json(ngx_http_vllm_mock_ctx_t *ctx)
{
    json_t     *o;
    u_char     *end, *equals, *last, *p;
    vm_buf_t    b;
    ngx_str_t   name, value;
    char        key[64];

    vm_buf_init(&b);
    o = json_object();
    p = ctx->request->args.data;
    last = p + ctx->request->args.len;

    while (p < last) {
        end = ngx_strlchr(p, last, '&');
        end = end ? end : last;
        equals = ngx_strlchr(p, end, '=');

        if (equals && (size_t) (equals - p) < sizeof(key)) {
            name.data = p;
            name.len = (size_t) (equals - p);
            ngx_memcpy(key, name.data, name.len);
            key[name.len] = '\0';

            if (ngx_http_vllm_mock_query(ctx, key, &value) == NGX_OK) {
                /* bytes that are no UTF-8 are U+FFFD, as in Python's */

                vm_buf_reset(&b);
                vm_utf8_repair((char *) value.data, value.len, &b);
                json_object_set_new(o, key,
                                    json_stringn(b.data ? b.data : "",
                                                 b.len));
            }
        }

        p = end + 1;
    }

    vm_buf_free(&b);

    return o;
}


/* ---- the body ---- */

/* All of it, wherever nginx kept it. */

static ngx_int_t
ngx_http_vllm_mock_collect(ngx_http_vllm_mock_ctx_t *ctx)
{
    size_t               len, n;
    u_char              *p;
    ssize_t              got;
    ngx_buf_t           *b;
    ngx_chain_t         *cl;
    ngx_http_request_t  *r;

    r = ctx->request;

    ctx->raw.data = "";
    ctx->raw.len = 0;

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        return NGX_OK;
    }

    cl = r->request_body->bufs;

    if (cl->next == NULL && ngx_buf_in_memory(cl->buf)) {
        ctx->raw.data = (char *) cl->buf->pos;
        ctx->raw.len = (size_t) (cl->buf->last - cl->buf->pos);
        return NGX_OK;
    }

    for (len = 0; cl; cl = cl->next) {
        len += (size_t) ngx_buf_size(cl->buf);
    }

    p = vm_pool_alloc(ctx->pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ctx->raw.data = (char *) p;
    ctx->raw.len = len;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        b = cl->buf;
        n = (size_t) ngx_buf_size(b);

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, n);
            continue;
        }

        if (!b->in_file) {
            continue;                   /* it only marks the end */
        }

        got = ngx_read_file(b->file, p, n, b->file_pos);

        if (got == NGX_ERROR || (size_t) got != n) {
            return NGX_ERROR;
        }

        p += n;
    }

    return NGX_OK;
}


void
ngx_http_vllm_mock_no_json(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_error_set(&ctx->call.error, 400, "Bad Request", NULL,
                 "1 validation error:\n  Unsupported Media Type: Only "
                 "'application/json' is allowed");
}


/*
 * What stands before ";" of Content-Type: 2 if it is application/json, 1 if
 * its subtype is json or ends in +json, else 0.
 */

ngx_uint_t
ngx_http_vllm_mock_json_type(ngx_http_request_t *r)
{
    size_t       len;
    u_char      *p;
    ngx_str_t   *type;

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    type = &r->headers_in.content_type->value;
    p = ngx_strlchr(type->data, type->data + type->len, ';');
    len = p ? (size_t) (p - type->data) : type->len;

    while (len && type->data[len - 1] == ' ') {
        len--;
    }

    if (len == sizeof("application/json") - 1
        && ngx_strncasecmp(type->data, (u_char *) "application/json", len)
           == 0)
    {
        return 2;
    }

    p = ngx_strlchr(type->data, type->data + len, '/');

    if (p == NULL) {
        return 0;
    }

    len -= (size_t) (p + 1 - type->data);
    p++;

    if (len >= 5
        && ngx_strncasecmp(p + len - 5, (u_char *) "+json", 5) == 0)
    {
        return 1;
    }

    return len == 4 && ngx_strncasecmp(p, (u_char *) "json", 4) == 0;
}


static ngx_int_t
ngx_http_vllm_mock_invalid_json(ngx_http_vllm_mock_ctx_t *ctx,
    const vm_json_t *j)
{
    char             ctx_text[128], place[40];
    json_t          *empty;
    vm_buf_t         b;
    vm_violations_t  x;

    ngx_sprintf((u_char *) place, "body.%uz%Z", j->pos);

    vm_buf_init(&b);
    vm_value_repr_str(&b, j->error, strlen(j->error));
    ngx_sprintf((u_char *) ctx_text, "'error': %*s%Z", b.len, b.data);
    vm_buf_free(&b);

    empty = json_object();
    vm_violations_init(&x, &ctx->call.error, ctx->pool);
    vm_violations_add(&x, "json_invalid", place, "JSON decode error", empty,
                      ctx_text);
    vm_violations_report(&x);
    vm_violations_free(&x);
    json_decref(empty);

    return NGX_DECLINED;
}


/* NGX_DECLINED: call.error says why not. */

ngx_int_t
ngx_http_vllm_mock_decode(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_json_t   j;
    vm_error_t *e;
    ngx_uint_t  type;

    e = &ctx->call.error;
    type = ngx_http_vllm_mock_json_type(ctx->request);

    if (type && ctx->raw.len) {

        switch (ngx_http_vllm_mock_json_load(ctx, &j)) {

        case VM_JSON_LARGE:
            vm_error_set(e, 413, "Request Entity Too Large", NULL,
                         "The body has more values than are read.");
            return NGX_DECLINED;

        case VM_JSON_UNDECODABLE:
            vm_error_detail(e, 400, "There was an error parsing the body");
            return NGX_DECLINED;

        case VM_JSON_INVALID:
            return ngx_http_vllm_mock_invalid_json(ctx, &j);

        default:
            ctx->body = j.value;
        }
    }

    if (type != 2) {
        ngx_http_vllm_mock_no_json(ctx);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_vllm_mock_run(ngx_http_vllm_mock_ctx_t *ctx)
{
    if (ctx->route->body == NGX_HTTP_VLLM_MOCK_BODY_SCALED
        && !ctx->settings->scale_out)
    {
        return ngx_http_vllm_mock_scale_out(ctx);
    }

    if ((ctx->route->body == NGX_HTTP_VLLM_MOCK_BODY_JSON
         || ctx->route->body == NGX_HTTP_VLLM_MOCK_BODY_SCALED)
        && ngx_http_vllm_mock_decode(ctx) != NGX_OK)
    {
        return ngx_http_vllm_mock_error(ctx);
    }

    return ctx->route->handler(ctx);
}


void
ngx_http_vllm_mock_body_go(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_http_vllm_mock_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_vllm_mock_module);

    rc = ngx_http_vllm_mock_fault(ctx);
    rc = rc == NGX_DECLINED ? ngx_http_vllm_mock_run(ctx) : rc;

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }
}


static void
ngx_http_vllm_mock_body_read(ngx_http_request_t *r)
{
    ngx_http_vllm_mock_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_vllm_mock_module);

    if (ngx_http_vllm_mock_collect(ctx) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    if (ngx_http_vllm_mock_big_body(ctx) == NGX_DECLINED) {
        ngx_http_vllm_mock_body_go(r);
    }
}


ngx_int_t
ngx_http_vllm_mock_handler(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_http_vllm_mock_ctx_t  *ctx;

    ctx = ngx_http_vllm_mock_create_ctx(r,
              ngx_http_get_module_loc_conf(r, ngx_http_vllm_mock_module));
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_vllm_mock_path(ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_vllm_mock_access(ctx);

    if (rc == NGX_DECLINED) {
        ctx->observed = 1;
        rc = ngx_http_vllm_mock_route(ctx);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_vllm_mock_admin_access(ctx);
    }

    if (rc != NGX_DECLINED) {

        /* answered without its body: it must not pass for the next request */

        r->expect_tested = 1;

        if (ngx_http_discard_request_body(r) != NGX_OK) {
            r->keepalive = 0;
        }

        return rc;
    }

    ctx->call.request_id = ngx_http_vllm_mock_copy(ctx, "X-Request-Id");

    if (ctx->route->body == NGX_HTTP_VLLM_MOCK_BODY_NONE) {
        rc = ngx_http_discard_request_body(r);

        if (rc != NGX_OK) {
            return rc;
        }

        rc = ngx_http_vllm_mock_fault(ctx);

        return rc == NGX_DECLINED ? ngx_http_vllm_mock_run(ctx) : rc;
    }

    ctx->call.dp_rank = ngx_http_vllm_mock_copy(ctx, "X-data-parallel-rank");
    ctx->call.priority = ngx_http_vllm_mock_copy(ctx, "X-Vllm-Priority");
    ctx->load_format = ngx_http_vllm_mock_copy(ctx,
                                               "endpoint-load-metrics-format");

    rc = ngx_http_read_client_request_body(r, ngx_http_vllm_mock_body_read);

    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}


/* http_*: what prometheus_fastapi_instrumentator counts of a request */

ngx_int_t
ngx_http_vllm_mock_log_handler(ngx_http_request_t *r)
{
    double                     seconds;
    off_t                      received, sent;
    ngx_uint_t                 status;
    ngx_table_elt_t           *length;
    ngx_http_vllm_mock_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_vllm_mock_module);

    if (ctx == NULL || !ctx->observed
        || !ngx_http_vllm_mock_instrumented(ctx))
    {
        return NGX_OK;
    }

    seconds = (double) (ngx_http_vllm_mock_now() - ctx->started) / VM_NSEC;
    sent = r->headers_out.content_length_n;
    status = r->headers_out.status;

    /* whoever leaves before the answer: the endpoint is cancelled, says null */

    if (status == NGX_HTTP_CLIENT_CLOSED_REQUEST) {
        status = NGX_HTTP_OK;
        sent = 4;
    }

    /* as the header says: nginx's own number is used up with the body */

    length = r->headers_in.content_length;
    received = length ? ngx_atoof(length->value.data, length->value.len) : 0;

    ngx_http_vllm_mock_lock(ctx->zone);

    vm_http_stats_observe(&ctx->zone->shared->http,
                          (uint32_t) ngx_http_vllm_mock_route_index(
                                                                 ctx->route),
                          (uint32_t) ngx_http_vllm_mock_method_index(
                                                                  r->method),
                          (uint32_t) status,
                          received > 0 ? (uint64_t) received : 0,
                          sent > 0 ? (uint64_t) sent : 0,
                          seconds, ngx_http_vllm_mock_unix());

    ngx_http_vllm_mock_unlock(ctx->zone);

    return NGX_OK;
}
