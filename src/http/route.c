/*
 * Endpoints: one table, by path and method.  Which of them exist depends on
 * vLLM's settings, as in vLLM.
 */

#include "http.h"


/* What an endpoint needs to be there.  0: nothing. */

#define NEEDS_GENERATE   0x0001         /* the model generates */
#define NEEDS_DEV        0x0002         /* VLLM_SERVER_DEV_MODE */
#define NEEDS_LORA       0x0004         /* VLLM_ALLOW_RUNTIME_LORA_UPDATING */
#define NEEDS_INFO       0x0008         /* --enable-tokenizer-info-endpoint */
#define NEEDS_DOCS       0x0010         /* no --disable-fastapi-docs */
#define NEEDS_EMBED      0x0020         /* the model embeds */
#define NEEDS_EXTRA      0x0040         /* vllm_mock_endpoints all */
#define NEEDS_ADMIN      0x0080         /* vllm_mock_admin is not off */
#define NEEDS_POOLING    0x0100         /* the model embeds or classifies */
#define NEEDS_CLASSES    0x0200         /* the model classifies */

#define NEEDS_USERS      (NEEDS_EXTRA|NEEDS_ADMIN)

#define ANY_METHOD       0xffff
#define GET              NGX_HTTP_VLLM_MOCK_GET
#define POST             NGX_HTTP_VLLM_MOCK_POST
#define DELETE           NGX_HTTP_VLLM_MOCK_DELETE
#define HEAD             NGX_HTTP_VLLM_MOCK_HEAD
#define NONE             NGX_HTTP_VLLM_MOCK_BODY_NONE
#define JSON             NGX_HTTP_VLLM_MOCK_BODY_JSON
#define SCALED           NGX_HTTP_VLLM_MOCK_BODY_SCALED
#define RAW              NGX_HTTP_VLLM_MOCK_BODY_RAW

#define to(name)         ngx_http_vllm_mock_##name


static const ngx_http_vllm_mock_route_t  ngx_http_vllm_mock_routes[] = {

    { "/v1/chat/completions", POST, "POST", JSON, to(chat), NEEDS_GENERATE },
    { "/v1/chat/completions/batch", POST, "POST", JSON, to(batch),
      NEEDS_GENERATE },
    { "/v1/completions", POST, "POST", JSON, to(completions),
      NEEDS_GENERATE },
    { "/v1/responses", POST, "POST", JSON, to(responses), NEEDS_GENERATE },
    { "/v1/responses/{response_id}", GET, "GET", NONE, to(response),
      NEEDS_GENERATE },
    { "/v1/responses/render", POST, "POST", SCALED, to(render_responses),
      NEEDS_GENERATE },
    { "/v1/responses/{response_id}/cancel", POST, "POST", NONE, to(response),
      NEEDS_GENERATE },
    { "/v1/messages", POST, "POST", JSON, to(messages), NEEDS_GENERATE },
    { "/v1/messages/count_tokens", POST, "POST", JSON, to(count_tokens),
      NEEDS_GENERATE },
    { "/generative_scoring", POST, "POST", JSON, to(labels), NEEDS_GENERATE },
    { "/invocations", POST, "POST", RAW, to(invocations), 0 },

    { "/v1/models", GET, "GET", NONE, to(models), 0 },
    { "/v1/load_lora_adapter", POST, "POST", JSON, to(lora_load),
      NEEDS_LORA },
    { "/v1/unload_lora_adapter", POST, "POST", JSON, to(lora_unload),
      NEEDS_LORA },
    { "/adapters", POST, "POST", JSON, to(adapters), NEEDS_LORA },
    { "/adapters/{adapter_name}", DELETE, "DELETE", NONE, to(adapters),
      NEEDS_LORA },

    { "/tokenize", POST, "POST", JSON, to(tokenize), 0 },
    { "/detokenize", POST, "POST", JSON, to(detokenize), 0 },
    { "/tokenizer_info", GET, "GET", NONE, to(tokenizer_info), NEEDS_INFO },

    { "/v1/embeddings", POST, "POST", JSON, to(embeddings), NEEDS_EMBED },
    { "/v2/embed", POST, "POST", JSON, to(cohere), NEEDS_EMBED },
    { "/score", POST, "POST", JSON, to(score), NEEDS_EMBED },
    { "/v1/score", POST, "POST", JSON, to(score), NEEDS_EMBED },
    { "/rerank", POST, "POST", JSON, to(rerank), NEEDS_EMBED },
    { "/v1/rerank", POST, "POST", JSON, to(rerank), NEEDS_EMBED },
    { "/v2/rerank", POST, "POST", JSON, to(rerank), NEEDS_EMBED },
    { "/pooling", POST, "POST", JSON, to(pooling), NEEDS_POOLING },
    { "/classify", POST, "POST", JSON, to(classify), NEEDS_CLASSES },

    /* other models' */

    { "/v1/audio/transcriptions", POST, "POST", RAW, to(transcriptions),
      NEEDS_EXTRA },
    { "/v1/audio/translations", POST, "POST", RAW, to(translations),
      NEEDS_EXTRA },
    { "/v1/audio/speech", POST, "POST", JSON, to(speech), NEEDS_EXTRA },
    { "/v1/audio/voices", GET, "GET", NONE, to(voices), NEEDS_EXTRA },
    { "/v1/images/generations", POST, "POST", JSON, to(images), NEEDS_EXTRA },
    { "/v1/images/edits", POST, "POST", RAW, to(image_edits), NEEDS_EXTRA },
    { "/v1/video/generations", POST, "POST", JSON, to(video), NEEDS_EXTRA },
    { "/v1/videos", POST, "POST", RAW, to(video_job), NEEDS_EXTRA },
    { "/v1/videos/{video_id}", GET|DELETE, "GET", NONE, to(video_kept),
      NEEDS_EXTRA },
    { "/v1/videos/{video_id}/content", GET, "GET", NONE, to(video_kept),
      NEEDS_EXTRA },

    { "/health", GET, "GET", NONE, to(health), 0 },
    { "/ping", GET|POST, "GET", NONE, to(health), 0 },
    { "/version", GET, "GET", NONE, to(version), 0 },
    { "/load", GET, "GET", NONE, to(load), 0 },
    { "/metrics", ANY_METHOD, "GET", NONE, to(metrics), 0 },
    { "/metrics/", ANY_METHOD, "GET", NONE, to(metrics), 0 },
    { "/docs", GET|HEAD, "GET, HEAD", NONE, to(docs), NEEDS_DOCS },
    { "/redoc", GET|HEAD, "GET, HEAD", NONE, to(docs), NEEDS_DOCS },
    { "/openapi.json", GET|HEAD, "GET, HEAD", NONE, to(openapi), NEEDS_DOCS },

    { "/server_info", GET, "GET", NONE, to(server_info), NEEDS_DEV },
    { "/get_world_size", GET, "GET", NONE, to(world_size), NEEDS_DEV },
    { "/kv_event_sources", GET, "GET", NONE, to(kv_sources), NEEDS_DEV },
    { "/sleep", POST, "POST", NONE, to(sleep), NEEDS_DEV },
    { "/wake_up", POST, "POST", NONE, to(wake), NEEDS_DEV },
    { "/is_sleeping", GET, "GET", NONE, to(is_sleeping), NEEDS_DEV },
    { "/pause", POST, "POST", NONE, to(pause), NEEDS_DEV },
    { "/resume", POST, "POST", NONE, to(resume), NEEDS_DEV },
    { "/is_paused", GET, "GET", NONE, to(is_paused), NEEDS_DEV },
    { "/reset_prefix_cache", POST, "POST", NONE, to(reset_prefix),
      NEEDS_DEV },
    { "/reset_mm_cache", POST, "POST", NONE, to(nothing), NEEDS_DEV },
    { "/reset_encoder_cache", POST, "POST", NONE, to(nothing), NEEDS_DEV },
    { "/abort_requests", POST, "POST", RAW, to(abort), NEEDS_DEV },

    { "/inference/v1/abort_requests", POST, "POST", RAW, to(abort_scaled),
      NEEDS_GENERATE },
    { "/inference/v1/generate", POST, "POST", SCALED, to(tokens_in),
      NEEDS_GENERATE },
    { "/v1/chat/completions/render", POST, "POST", SCALED, to(render_chat),
      NEEDS_GENERATE },
    { "/v1/completions/render", POST, "POST", SCALED, to(render_text),
      NEEDS_GENERATE },
    { "/v1/messages/render", POST, "POST", SCALED, to(render_messages),
      NEEDS_GENERATE },
    { "/v1/chat/completions/derender", POST, "POST", SCALED,
      to(derender_chat), NEEDS_GENERATE },
    { "/v1/completions/derender", POST, "POST", SCALED, to(derender_text),
      NEEDS_GENERATE },
    { "/scale_elastic_ep", POST, "POST", RAW, to(scale_ep), NEEDS_GENERATE },
    { "/is_scaling_elastic_ep", POST, "POST", NONE, to(is_scaling),
      NEEDS_GENERATE },

    /* the mock's and the seed's own */

    { "/set_metrics", POST, "POST", JSON, to(set_metrics), NEEDS_ADMIN },
    { "/set_metrics", GET|DELETE, "GET", NONE, to(set_metrics), NEEDS_ADMIN },
    { "/fake_metrics", POST, "POST", JSON, to(set_metrics), NEEDS_ADMIN },
    { "/CreateUser", POST, "POST", JSON, to(user), NEEDS_USERS },
    { "/ReadUser", POST, "POST", JSON, to(user), NEEDS_USERS },
    { "/UpdateUser", POST, "POST", JSON, to(user), NEEDS_USERS },
    { "/DeleteUser", POST, "POST", JSON, to(user), NEEDS_USERS },
    { "/admin/config", GET, "GET", NONE, to(admin_config), NEEDS_ADMIN },
    { "/admin/config", POST, "POST", JSON, to(admin_config), NEEDS_ADMIN },
    { "/admin/requests", GET, "GET", NONE, to(admin_requests), NEEDS_ADMIN },
    { "/", GET, "GET", NONE, to(dashboard), NEEDS_USERS },
    { "/admin/state", GET, "GET", NONE, to(admin_state), NEEDS_ADMIN },
    { "/ready", GET, "GET", NONE, to(ready), NEEDS_EXTRA },
    { "/health/ready", GET, "GET", NONE, to(ready), NEEDS_EXTRA }
};


/* Methods as http_requests_total names them, and their bits. */

static const struct {
    ngx_uint_t  method;
    ngx_uint_t  bit;
    vm_str_t    name;
}  ngx_http_vllm_mock_methods[] = {
    { NGX_HTTP_GET, GET, vm_str("GET") },
    { NGX_HTTP_POST, POST, vm_str("POST") },
    { NGX_HTTP_HEAD, HEAD, vm_str("HEAD") },
    { NGX_HTTP_DELETE, DELETE, vm_str("DELETE") },
    { NGX_HTTP_PUT, 0x10, vm_str("PUT") },
    { NGX_HTTP_PATCH, 0x20, vm_str("PATCH") },
    { NGX_HTTP_OPTIONS, 0x40, vm_str("OPTIONS") },
    { 0, 0x80, vm_str("OTHER") }
};


static ngx_uint_t
ngx_http_vllm_mock_there(const ngx_http_vllm_mock_route_t *route,
    const ngx_http_vllm_mock_ctx_t *ctx)
{
    ngx_uint_t            missing;
    const vm_settings_t  *s;

    s = ctx->settings;
    missing = 0;

    if (s->runner != VM_RUNNER_GENERATE) {
        missing |= NEEDS_GENERATE;
    }

    if (s->runner != VM_RUNNER_EMBED && !s->all_endpoints) {
        missing |= NEEDS_EMBED;
    }

    if (s->runner == VM_RUNNER_GENERATE && !s->all_endpoints) {
        missing |= NEEDS_POOLING;
    }

    if (s->runner != VM_RUNNER_CLASSIFY && !s->all_endpoints) {
        missing |= NEEDS_CLASSES;
    }

    if (!s->dev_mode && !s->all_endpoints) {
        missing |= NEEDS_DEV;
    }

    if (!s->runtime_lora && !s->all_endpoints) {
        missing |= NEEDS_LORA;
    }

    if (!s->tokenizer_info) {
        missing |= NEEDS_INFO;
    }

    if (s->disable_docs) {
        missing |= NEEDS_DOCS;
    }

    if (!s->all_endpoints) {
        missing |= NEEDS_EXTRA;
    }

    if (ctx->conf->admin == NGX_HTTP_VLLM_MOCK_ADMIN_OFF) {
        missing |= NEEDS_ADMIN;
    }

    return (route->when & missing) == 0;
}


/* {name} stands for one part of a path: anything without a slash. */

static ngx_uint_t
ngx_http_vllm_mock_matches(const char *pattern, const u_char *path,
    size_t len)
{
    const u_char  *last, *part;

    last = path + len;

    for ( /* void */ ; *pattern; pattern++) {

        if (*pattern != '{') {

            if (path == last || *path++ != (u_char) *pattern) {
                return 0;
            }

            continue;
        }

        for (part = path; path < last && *path != '/'; path++) { /* void */ }

        if (path == part) {
            return 0;
        }

        pattern = strchr(pattern, '}');
    }

    return path == last;
}


static ngx_uint_t
ngx_http_vllm_mock_takes(const ngx_http_vllm_mock_route_t *route,
    const ngx_http_vllm_mock_ctx_t *ctx)
{
    ngx_uint_t  i;

    if (route->methods == ANY_METHOD) {
        return 1;
    }

    for (i = 0; i < vm_nelts(ngx_http_vllm_mock_methods); i++) {
        if (ctx->request->method == ngx_http_vllm_mock_methods[i].method) {
            return (route->methods & ngx_http_vllm_mock_methods[i].bit) != 0;
        }
    }

    return 0;
}


/*
 * The route of a path: one that takes the method, else the first that there
 * is; NULL if there is none.
 */

static const ngx_http_vllm_mock_route_t *
ngx_http_vllm_mock_lookup(const ngx_http_vllm_mock_ctx_t *ctx,
    const u_char *path, size_t len)
{
    ngx_uint_t                         i;
    const ngx_http_vllm_mock_route_t  *first, *route;

    first = NULL;

    for (i = 0; i < vm_nelts(ngx_http_vllm_mock_routes); i++) {
        route = &ngx_http_vllm_mock_routes[i];

        if (!ngx_http_vllm_mock_matches(route->path, path, len)
            || !ngx_http_vllm_mock_there(route, ctx))
        {
            continue;
        }

        if (ngx_http_vllm_mock_takes(route, ctx)) {
            return route;
        }

        first = first ? first : route;
    }

    return first;
}


static ngx_int_t
ngx_http_vllm_mock_redirect(ngx_http_vllm_mock_ctx_t *ctx)
{
    size_t               len;
    u_char              *p, *start;
    ngx_str_t           *host;
    const char          *root;
    ngx_http_request_t  *r;

    r = ctx->request;
    host = ngx_http_vllm_mock_get(r, "Host");

    /* who came by the root path goes back to it */

    root = ctx->settings->root_path;
    len = root ? ngx_strlen(root) : 0;

    if (r->unparsed_uri.len <= len || r->unparsed_uri.data[len] != '/'
        || ngx_strncmp(r->unparsed_uri.data, root, len) != 0)
    {
        len = 0;
    }

    start = ngx_pnalloc(r->pool, sizeof("https://") + (host ? host->len : 0)
                                 + len + ctx->path.len + r->args.len + 2);
    if (start == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(start, "http%s://", r->connection->ssl ? "s" : "");
    p = host ? ngx_cpymem(p, host->data, host->len) : p;
    p = len ? ngx_cpymem(p, root, len) : p;
    p = ngx_cpymem(p, ctx->path.data, ctx->path.len - 1);

    if (r->args.len) {
        p = ngx_sprintf(p, "?%V", &r->args);
    }

    if (ngx_http_vllm_mock_header_add(r, "Location", (char *) start,
                                      (size_t) (p - start))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_vllm_mock_empty(ctx, NGX_HTTP_TEMPORARY_REDIRECT);
}


ngx_int_t
ngx_http_vllm_mock_errors_allow(ngx_http_vllm_mock_ctx_t *ctx)
{
    if (ngx_http_vllm_mock_path(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->route = ngx_http_vllm_mock_lookup(ctx, ctx->path.data,
                                           ctx->path.len);

    if (ctx->route
        && ngx_http_vllm_mock_header_add(ctx->request, "Allow",
                                         ctx->route->allow,
                                         ngx_strlen(ctx->route->allow))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_vllm_mock_cors(ctx);
}


static ngx_int_t
ngx_http_vllm_mock_wrong_method(ngx_http_vllm_mock_ctx_t *ctx)
{
    if (ngx_http_vllm_mock_header_add(ctx->request, "Allow",
                                      ctx->route->allow,
                                      ngx_strlen(ctx->route->allow))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* http_* counts it under no handler, as the instrumentator does */

    ctx->route = NULL;
    vm_error_detail(&ctx->call.error, 405, "Method Not Allowed");

    return ngx_http_vllm_mock_error(ctx);
}


/* What stands for {name} in the path. */

ngx_str_t
ngx_http_vllm_mock_route_part(ngx_http_vllm_mock_ctx_t *ctx)
{
    ngx_str_t    part;
    const char  *name;

    name = ngx_strchr(ctx->route->path, '{');
    part.data = ctx->path.data + (name - ctx->route->path);
    part.len = ctx->path.len - (ngx_strlen(ctx->route->path)
                                - (ngx_strchr(name, '}') + 1 - name));

    return part;
}


ngx_int_t
ngx_http_vllm_mock_route(ngx_http_vllm_mock_ctx_t *ctx)
{
    ctx->route = ngx_http_vllm_mock_lookup(ctx, ctx->path.data,
                                           ctx->path.len);

    if (ctx->route) {
        return ngx_http_vllm_mock_takes(ctx->route, ctx)
               ? NGX_DECLINED : ngx_http_vllm_mock_wrong_method(ctx);
    }

    if (ctx->path.len > 1 && ctx->path.data[ctx->path.len - 1] == '/'
        && ngx_http_vllm_mock_lookup(ctx, ctx->path.data, ctx->path.len - 1))
    {
        return ngx_http_vllm_mock_redirect(ctx);
    }

    vm_error_detail(&ctx->call.error, 404, "Not Found");

    return ngx_http_vllm_mock_error(ctx);
}


/* Index 0 is "none": a path that is not known. */

ngx_uint_t
ngx_http_vllm_mock_route_index(const ngx_http_vllm_mock_route_t *route)
{
    return route ? (ngx_uint_t) (route - ngx_http_vllm_mock_routes) + 1 : 0;
}


ngx_uint_t
ngx_http_vllm_mock_route_watches(const ngx_http_vllm_mock_ctx_t *ctx)
{
    ngx_http_vllm_mock_endpoint_pt  h;

    h = ctx->route->handler;

    return (ctx->route->when & NEEDS_ADMIN)
           || h == ngx_http_vllm_mock_health
           || h == ngx_http_vllm_mock_ready
           || h == ngx_http_vllm_mock_metrics;
}


/* The page is nothing without what it asks for. */

ngx_uint_t
ngx_http_vllm_mock_route_own(const ngx_http_vllm_mock_ctx_t *ctx)
{
    const ngx_http_vllm_mock_route_t  *r;

    r = ctx->route;

    return ((r->when & NEEDS_ADMIN)
            && r->handler != ngx_http_vllm_mock_dashboard)
           || ((r->when & NEEDS_DEV) && !ctx->settings->dev_mode);
}


const vm_str_t *
ngx_http_vllm_mock_route_names(void)
{
    ngx_uint_t       i;
    static vm_str_t  names[vm_nelts(ngx_http_vllm_mock_routes) + 1];

    if (names[0].data == NULL) {
        names[0].data = "none";
        names[0].len = 4;

        for (i = 0; i < vm_nelts(ngx_http_vllm_mock_routes); i++) {
            names[i + 1].data = ngx_http_vllm_mock_routes[i].path;
            names[i + 1].len = ngx_strlen(names[i + 1].data);
        }
    }

    return names;
}


const vm_str_t *
ngx_http_vllm_mock_method_names(void)
{
    ngx_uint_t       i;
    static vm_str_t  names[vm_nelts(ngx_http_vllm_mock_methods)];

    for (i = 0; i < vm_nelts(ngx_http_vllm_mock_methods); i++) {
        names[i] = ngx_http_vllm_mock_methods[i].name;
    }

    return names;
}


ngx_uint_t
ngx_http_vllm_mock_method_index(ngx_uint_t method)
{
    ngx_uint_t  i;

    for (i = 0; i < vm_nelts(ngx_http_vllm_mock_methods) - 1; i++) {
        if (ngx_http_vllm_mock_methods[i].method == method) {
            break;
        }
    }

    return i;
}


/*
 * http_* leaves these out: prometheus_fastapi_instrumentator's exclusions are
 * patterns that it searches for in the handler's path, or in that of the
 * request where there is none, so "/load" is also in /v1/load_lora_adapter.
 */

ngx_uint_t
ngx_http_vllm_mock_instrumented(const ngx_http_vllm_mock_ctx_t *ctx)
{
    size_t                    len;
    ngx_uint_t                i;
    const char               *path;
    static const char *const  excluded[] = {
        "/metrics", "/health", "/load", "/ping", "/version", "/server_info"
    };

    path = ctx->route ? ctx->route->path : (const char *) ctx->path.data;
    len = ctx->route ? ngx_strlen(path) : ctx->path.len;

    for (i = 0; i < vm_nelts(excluded); i++) {
        if (memmem(path, len, excluded[i], ngx_strlen(excluded[i]))) {
            return 0;
        }
    }

    return 1;
}


/* "/path":{"post":{...}} of every endpoint that is there */

void
ngx_http_vllm_mock_route_paths(ngx_http_vllm_mock_ctx_t *ctx, vm_buf_t *b)
{
    ngx_uint_t                         i, n;
    const ngx_http_vllm_mock_route_t  *route;

    for (n = 0, i = 0; i < vm_nelts(ngx_http_vllm_mock_routes); i++) {
        route = &ngx_http_vllm_mock_routes[i];

        if (!ngx_http_vllm_mock_there(route, ctx)
            || (route->body == SCALED && !ctx->settings->scale_out))
        {
            continue;
        }

        vm_buf_printf(b, "%s\"%s\":{\"%s\":{\"responses\":{\"200\":"
                      "{\"description\":\"Successful Response\"}}}}",
                      n++ ? "," : "", route->path,
                      route->methods & POST ? "post"
                      : (route->methods & DELETE ? "delete" : "get"));
    }
}
