/*
 * What stands before the endpoints: keys, request ids, origins.
 */

#include "http.h"
#include <ngx_sha1.h>

#include "../base/rand.h"


#define NGX_HTTP_VLLM_MOCK_VARY                                               \
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, " \
    "Access-Control-Request-Private-Network"
#define NGX_HTTP_VLLM_MOCK_METHODS                                            \
    "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, QUERY"


ngx_str_t *
ngx_http_vllm_mock_header(ngx_http_request_t *r, const char *name,
    size_t len)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == len
            && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0)
        {
            return &h[i].value;
        }
    }
}


void
ngx_http_vllm_mock_digest(const void *key, size_t len,
    u_char digest[NGX_HTTP_VLLM_MOCK_DIGEST])
{
    ngx_sha1_t  sha1;

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, key, len);
    ngx_sha1_final(digest, &sha1);
}


/* Takes as long whatever the digests are, and so whatever the keys. */

static ngx_uint_t
ngx_http_vllm_mock_same(const u_char *a, const u_char *b)
{
    size_t             i;
    volatile u_char    diff;

    for (diff = 0, i = 0; i < NGX_HTTP_VLLM_MOCK_DIGEST; i++) {
        diff |= (u_char) (a[i] ^ b[i]);
    }

    return diff == 0;
}


static ngx_uint_t
ngx_http_vllm_mock_authorized(ngx_http_vllm_mock_ctx_t *ctx)
{
    size_t                i;
    u_char               *space, digest[NGX_HTTP_VLLM_MOCK_DIGEST];
    ngx_str_t            *value;
    ngx_uint_t            ok;

    value = ngx_http_vllm_mock_get(ctx->request, "Authorization");

    if (value == NULL) {
        return 0;
    }

    space = (u_char *) ngx_strlchr(value->data, value->data + value->len,
                                   ' ');
    if (space == NULL || space - value->data != 6
        || ngx_strncasecmp(value->data, (u_char *) "bearer", 6) != 0)
    {
        return 0;
    }

    ngx_http_vllm_mock_digest(space + 1,
                              (size_t) (value->data + value->len - space) - 1,
                              digest);

    for (ok = 0, i = 0; i < ctx->settings->api_keys.n; i++) {
        ok |= ngx_http_vllm_mock_same(digest, ctx->conf->digests[i]);
    }

    return ok;
}


static ngx_int_t
ngx_http_vllm_mock_unauthorized(ngx_http_vllm_mock_ctx_t *ctx)
{
    const char         *body;
    static const char   vllm[] = "{\"error\":\"Unauthorized\"}";
    static const char   aibrix[] =
        "{\"error\":{\"message\":\"Incorrect API key provided.\","
        "\"type\":\"authentication_error\",\"param\":null,"
        "\"code\":\"invalid_api_key\"}}";

    ctx->outermost = 1;
    body = ctx->conf->aibrix_errors ? aibrix : vllm;

    return ngx_http_vllm_mock_send(ctx, NGX_HTTP_UNAUTHORIZED,
                                   NGX_HTTP_VLLM_MOCK_JSON, body,
                                   ngx_strlen(body));
}


/* NGX_DECLINED: go on.  Else the request was answered. */

static ngx_int_t
ngx_http_vllm_mock_key(ngx_http_vllm_mock_ctx_t *ctx)
{
    ngx_uint_t                i;
    static const vm_str_t     guarded[] = {
        vm_str("/v1"), vm_str("/v2"), vm_str("/inference"), vm_str("/cohere")
    };

    if (ctx->settings->api_keys.n == 0
        || ctx->request->method == NGX_HTTP_OPTIONS)
    {
        return NGX_DECLINED;
    }

    for (i = 0; i < vm_nelts(guarded); i++) {

        if (ctx->path.len >= guarded[i].len
            && ngx_memcmp(ctx->path.data, guarded[i].data, guarded[i].len)
               == 0)
        {
            return ngx_http_vllm_mock_authorized(ctx)
                   ? NGX_DECLINED : ngx_http_vllm_mock_unauthorized(ctx);
        }
    }

    return NGX_DECLINED;
}


/* ---- what is the mock's own ---- */

/* The name that the client asked for, without its port. */

static ngx_uint_t
ngx_http_vllm_mock_known_host(ngx_http_vllm_mock_ctx_t *ctx)
{
    ngx_str_t   *host;
    ngx_uint_t   i;

    if (ctx->conf->admin_hosts == NULL) {
        return 1;
    }

    host = ctx->conf->admin_hosts->elts;

    for (i = 0; i < ctx->conf->admin_hosts->nelts; i++) {

        if (host[i].len == ctx->request->headers_in.server.len
            && ngx_strncasecmp(host[i].data,
                               ctx->request->headers_in.server.data,
                               host[i].len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


/*
 * A page of another site can make a browser post a form, or nothing, without
 * asking: it has no JSON type then, and the browser says where it comes from.
 */

static ngx_uint_t
ngx_http_vllm_mock_cross_site(ngx_http_request_t *r)
{
    ngx_str_t  *site;

    if (!(r->method & (NGX_HTTP_POST|NGX_HTTP_DELETE))
        || ngx_http_vllm_mock_json_type(r))
    {
        return 0;
    }

    site = ngx_http_vllm_mock_get(r, "Sec-Fetch-Site");

    if (site && site->len == sizeof("same-origin") - 1
        && ngx_memcmp(site->data, "same-origin", site->len) == 0)
    {
        return 0;
    }

    return site || r->headers_in.content_type
           || ngx_http_vllm_mock_get(r, "Origin");
}


ngx_int_t
ngx_http_vllm_mock_admin_access(ngx_http_vllm_mock_ctx_t *ctx)
{
    ngx_uint_t  key;

    if (!ngx_http_vllm_mock_route_own(ctx)) {
        return NGX_DECLINED;
    }

    if (!ngx_http_vllm_mock_known_host(ctx)) {
        vm_error_set(&ctx->call.error, 403, "Forbidden", NULL,
                     "This host is not among vllm_mock_admin_hosts.");
        return ngx_http_vllm_mock_error(ctx);
    }

    key = ctx->settings->api_keys.n
          && ctx->conf->admin != NGX_HTTP_VLLM_MOCK_ADMIN_OPEN;

    if (key) {
        return ngx_http_vllm_mock_authorized(ctx)
               ? NGX_DECLINED : ngx_http_vllm_mock_unauthorized(ctx);
    }

    if (ngx_http_vllm_mock_cross_site(ctx->request)) {
        vm_error_set(&ctx->call.error, 403, "Forbidden", NULL,
                     "What changes the server needs Content-Type: "
                     "application/json.");
        return ngx_http_vllm_mock_error(ctx);
    }

    return NGX_DECLINED;
}


/* ---- origins ---- */

static ngx_uint_t
ngx_http_vllm_mock_any_origin(const vm_settings_t *s)
{
    size_t  i;

    for (i = 0; i < s->allowed_origins.n; i++) {
        if (strcmp(s->allowed_origins.list[i], "*") == 0) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_vllm_mock_origin(const vm_settings_t *s, const ngx_str_t *origin)
{
    size_t  i;

    if (ngx_http_vllm_mock_any_origin(s)) {
        return 1;
    }

    for (i = 0; i < s->allowed_origins.n; i++) {

        if (strlen(s->allowed_origins.list[i]) == origin->len
            && ngx_memcmp(s->allowed_origins.list[i], origin->data,
                          origin->len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_vllm_mock_allow_origin(ngx_http_vllm_mock_ctx_t *ctx,
    const ngx_str_t *origin)
{
    ngx_uint_t            any;
    ngx_http_request_t   *r;
    const vm_settings_t  *s;

    r = ctx->request;
    s = ctx->settings;
    any = ngx_http_vllm_mock_any_origin(s);

    if (s->allow_credentials
        && ngx_http_vllm_mock_header_add(r,
                                         "Access-Control-Allow-Credentials",
                                         "true", 4)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!ngx_http_vllm_mock_origin(s, origin)) {
        return NGX_OK;
    }

    /* with a cookie or credentials "*" would not do: the origin itself */

    if (any && !s->allow_credentials) {
        return ngx_http_vllm_mock_header_add(r, "Access-Control-Allow-Origin",
                                             "*", 1);
    }

    return ngx_http_vllm_mock_header_add(r, "Access-Control-Allow-Origin",
                                         (char *) origin->data, origin->len);
}


ngx_int_t
ngx_http_vllm_mock_cors(ngx_http_vllm_mock_ctx_t *ctx)
{
    ngx_str_t  *origin;

    origin = ngx_http_vllm_mock_get(ctx->request, "Origin");

    if (origin && ngx_http_vllm_mock_allow_origin(ctx, origin) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_vllm_mock_header_add(ctx->request, "Vary", "Origin", 6);
}


static ngx_uint_t
ngx_http_vllm_mock_known_method(const ngx_str_t *method)
{
    size_t       len;
    const char  *p;

    for (p = NGX_HTTP_VLLM_MOCK_METHODS; *p; p += len + (p[len] ? 2 : 0)) {
        len = strcspn(p, ",");

        if (len == method->len && ngx_memcmp(p, method->data, len) == 0) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_vllm_mock_preflight(ngx_http_vllm_mock_ctx_t *ctx,
    const ngx_str_t *origin, const ngx_str_t *method)
{
    u_char               *p, text[128];
    ngx_str_t            *headers;
    ngx_http_request_t   *r;
    static const char     disallowed[] = "Disallowed CORS ";

    r = ctx->request;

    if (ngx_http_vllm_mock_header_add(r, "Vary", NGX_HTTP_VLLM_MOCK_VARY,
                                      sizeof(NGX_HTTP_VLLM_MOCK_VARY) - 1)
        != NGX_OK
        || ngx_http_vllm_mock_header_add(r, "Access-Control-Allow-Methods",
                                         NGX_HTTP_VLLM_MOCK_METHODS,
                                         sizeof(NGX_HTTP_VLLM_MOCK_METHODS)
                                         - 1)
           != NGX_OK
        || ngx_http_vllm_mock_header_add(r, "Access-Control-Max-Age", "600",
                                         3)
           != NGX_OK
        || ngx_http_vllm_mock_allow_origin(ctx, origin) != NGX_OK)
    {
        return NGX_ERROR;
    }

    headers = ngx_http_vllm_mock_get(r, "Access-Control-Request-Headers");

    if (headers
        && ngx_http_vllm_mock_header_add(r, "Access-Control-Allow-Headers",
                                         (char *) headers->data,
                                         headers->len)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = text;

    if (!ngx_http_vllm_mock_origin(ctx->settings, origin)) {
        p = ngx_cpymem(p, ", origin", sizeof(", origin") - 1);
    }

    if (!ngx_http_vllm_mock_known_method(method)) {
        p = ngx_cpymem(p, ", method", sizeof(", method") - 1);
    }

    if (ngx_http_vllm_mock_get(r, "Access-Control-Request-Private-Network")) {
        p = ngx_cpymem(p, ", private-network",
                       sizeof(", private-network") - 1);
    }

    ctx->outermost = 1;                 /* its Vary is there already */

    if (p == text) {
        return ngx_http_vllm_mock_send(ctx, NGX_HTTP_OK,
                                       NGX_HTTP_VLLM_MOCK_TEXT, "OK", 2);
    }

    /* the first ", " gives way to the words before it */

    ngx_memmove(text + sizeof(disallowed) - 1, text + 2,
                (size_t) (p - text) - 2);
    ngx_memcpy(text, disallowed, sizeof(disallowed) - 1);

    return ngx_http_vllm_mock_send(ctx, NGX_HTTP_BAD_REQUEST,
                                   NGX_HTTP_VLLM_MOCK_TEXT, (char *) text,
                                   (size_t) (p - text) - 2
                                   + sizeof(disallowed) - 1);
}


ngx_int_t
ngx_http_vllm_mock_request_id(ngx_http_vllm_mock_ctx_t *ctx)
{
    u_char      id[33];
    ngx_str_t  *value;

    value = ngx_http_vllm_mock_get(ctx->request, "X-Request-Id");

    if (value) {
        return ngx_http_vllm_mock_header_add(ctx->request, "X-Request-Id",
                                             (char *) value->data,
                                             value->len);
    }

    ngx_sprintf(id, "%016xL%016xL", (int64_t) ctx->call.random,
                (int64_t) vm_rand_mix(ctx->call.random));

    return ngx_http_vllm_mock_header_add(ctx->request, "X-Request-Id",
                                         (char *) id, 32);
}


ngx_int_t
ngx_http_vllm_mock_access(ngx_http_vllm_mock_ctx_t *ctx)
{
    ngx_int_t   rc;
    ngx_str_t  *method, *origin;

    rc = ngx_http_vllm_mock_key(ctx);

    if (rc != NGX_DECLINED || ctx->request->method != NGX_HTTP_OPTIONS) {
        return rc;
    }

    origin = ngx_http_vllm_mock_get(ctx->request, "Origin");
    method = ngx_http_vllm_mock_get(ctx->request,
                                    "Access-Control-Request-Method");

    return origin && method
           ? ngx_http_vllm_mock_preflight(ctx, origin, method)
           : NGX_DECLINED;
}
