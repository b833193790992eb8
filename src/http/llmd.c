/*
 * What users of llm-d's simulator find there and no vLLM has; with
 * vllm_mock_endpoints all only.
 */

#include "stream.h"


static ngx_uint_t
ngx_http_vllm_mock_llmd_text(const ngx_http_vllm_mock_ctx_t *ctx)
{
    return ctx->route
           && (ctx->route->handler == ngx_http_vllm_mock_chat
               || ctx->route->handler == ngx_http_vllm_mock_completions);
}


/* X-Return-Error: 429 is answered at once.  NGX_DECLINED: go on. */

ngx_int_t
ngx_http_vllm_mock_llmd_error(ngx_http_vllm_mock_ctx_t *ctx)
{
    ngx_int_t   status;
    ngx_str_t  *value;

    if (!ctx->settings->all_endpoints
        || (!ngx_http_vllm_mock_llmd_text(ctx)
            && ctx->route->handler != ngx_http_vllm_mock_tokens_in))
    {
        return NGX_DECLINED;
    }

    value = ngx_http_vllm_mock_get(ctx->request, "X-Return-Error");

    if (value == NULL) {
        return NGX_DECLINED;
    }

    status = ngx_atoi(value->data, value->len);

    if (status < 400 || status > 599) {
        vm_error_set(&ctx->call.error, 400, "BadRequestError", NULL,
                     "X-Return-Error must be a status from 400 to 599.");

    } else {
        vm_error_set(&ctx->call.error, (int) status,
                     ngx_http_vllm_mock_phrase((ngx_uint_t) status), NULL,
                     "The error that X-Return-Error asked for.");
    }

    return ngx_http_vllm_mock_error(ctx);
}


/* Which pod answered, where the environment names it. */

ngx_int_t
ngx_http_vllm_mock_llmd_headers(ngx_http_vllm_mock_ctx_t *ctx)
{
    u_char            port[8], *end;
    ngx_str_t        *name, *pod;
    struct sockaddr  *local;

    pod = &ctx->conf->pod;
    name = &ctx->conf->pod_namespace;

    if (pod->len == 0 || ctx->route == NULL
        || ctx->route->body == NGX_HTTP_VLLM_MOCK_BODY_NONE)
    {
        return NGX_OK;
    }

    local = ctx->request->connection->local_sockaddr;
    end = ngx_sprintf(port, "%d", (int) ngx_inet_get_port(local));

    if (ngx_http_vllm_mock_header_add(ctx->request, "x-inference-pod",
                                      (char *) pod->data, pod->len)
        != NGX_OK
        || ngx_http_vllm_mock_header_add(ctx->request, "x-inference-port",
                                         (char *) port, (size_t) (end - port))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return name->len ? ngx_http_vllm_mock_header_add(ctx->request,
                                                     "x-inference-namespace",
                                                     (char *) name->data,
                                                     name->len)
                     : NGX_OK;
}


/*
 * The part of a prompt, 0 to 1, that an engine would find in its cache.  Its
 * last token is always computed, so that the block of that is no hit.
 */

static double
ngx_http_vllm_mock_llmd_hits(ngx_http_vllm_mock_stream_t *s, uint32_t prompt,
    const vm_engine_seq_t *seq)
{
    uint32_t                       block, found, max, n, r;
    ngx_http_vllm_mock_engines_t  *e;

    e = &s->zone->shared->engines[s->zone->shared->current];
    block = vm_engine_conf(e->ranks[0])->block_size;
    n = s->generation->prompts[prompt].n;
    max = n ? vm_min((n - 1) / block, seq->nhashes) : 0;

    for (found = 0, r = 0; r < e->nranks; r++) {
        found = vm_max(found, vm_engine_cached(e->ranks[r], seq->hashes,
                                               max));
    }

    return n ? (double) (found * block) / n : 0;
}


ngx_int_t
ngx_http_vllm_mock_llmd_threshold(ngx_http_vllm_mock_stream_t *s,
    const json_t *body, const vm_engine_seq_t *seqs)
{
    double                     threshold;
    uint32_t                   i;
    ngx_str_t                 *forced;
    ngx_uint_t                 below;
    const json_t              *value;
    vm_generation_t           *g;
    ngx_http_vllm_mock_ctx_t  *ctx;

    g = s->generation;
    ctx = s->ctx;

    if (!ctx->settings->all_endpoints || !ngx_http_vllm_mock_llmd_text(ctx)) {
        return NGX_DECLINED;
    }

    forced = ngx_http_vllm_mock_get(ctx->request,
                                    "X-Cache-Threshold-Finish-Reason");

    if (forced && forced->len == 4
        && ngx_strncasecmp(forced->data, (u_char *) "true", 4) == 0)
    {
        return NGX_OK;
    }

    value = json_object_get(body, "cache_hit_threshold");

    if (value == NULL || json_is_null(value)) {
        return NGX_DECLINED;
    }

    threshold = json_number_value(value);

    if (!json_is_number(value) || threshold < 0 || threshold > 1) {
        vm_error_param(&ctx->call.error, ctx->pool, "cache_hit_threshold",
                       "cache_hit_threshold must be in [0, 1].");
        return NGX_ERROR;
    }

    ngx_http_vllm_mock_lock(s->zone);

    for (below = 0, i = 0; i < g->nprompts; i++) {
        below |= ngx_http_vllm_mock_llmd_hits(s, i, &seqs[i * g->n])
                 < threshold;
    }

    ngx_http_vllm_mock_unlock(s->zone);

    return below ? NGX_OK : NGX_DECLINED;
}
