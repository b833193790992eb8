/*
 * GET /metrics, POST /set_metrics, GET /load: what the zone knows, taken under
 * one lock and printed outside of it.
 */

#include "http.h"


typedef struct {
    ngx_uint_t           nranks;
    vm_stats_t           ranks[NGX_HTTP_VLLM_MOCK_RANKS];
    vm_http_stats_t      http;
    vm_self_stats_t      self;
    vm_sleep_stats_t     sleep;
    vm_parser_stats_t    parser;
    vm_overrides_t       overrides;
    ngx_uint_t           asleep;
    ngx_uint_t           sleep_level;
    double               created;
    double               prompt_rate;
    double               generation_rate;
    vm_lora_name_t       loras[NGX_HTTP_VLLM_MOCK_ADAPTERS];
    ngx_http_vllm_mock_lora_name_t  names[NGX_HTTP_VLLM_MOCK_ADAPTERS];
} ngx_http_vllm_mock_snapshot_t;


/*
 * Tokens a second over the last seconds: a sample of the counters is kept for
 * each second in which somebody looked.
 */

static void
ngx_http_vllm_mock_rates(ngx_http_vllm_mock_shared_t *sh,
    ngx_http_vllm_mock_snapshot_t *s)
{
    time_t      now, then;
    uint64_t    generation, prompt;
    ngx_uint_t  i, k, oldest;

    now = ngx_time();
    prompt = 0;
    generation = 0;

    for (i = 0; i < s->nranks; i++) {
        prompt += s->ranks[i].prompt_tokens;
        generation += s->ranks[i].generation_tokens;
    }

    k = (ngx_uint_t) now % vm_nelts(sh->samples);

    if (sh->samples[k].second != now) {
        sh->samples[k].second = now;
        sh->samples[k].prompt = prompt;
        sh->samples[k].generation = generation;
    }

    oldest = k;

    for (i = 0; i < vm_nelts(sh->samples); i++) {
        then = sh->samples[i].second;

        if (then && now - then <= NGX_HTTP_VLLM_MOCK_RATE_SECONDS
            && then < sh->samples[oldest].second)
        {
            oldest = i;
        }
    }

    then = sh->samples[oldest].second;

    if (then < now) {
        s->prompt_rate = (double) (prompt - sh->samples[oldest].prompt)
                         / (double) (now - then);
        s->generation_rate = (double) (generation
                                       - sh->samples[oldest].generation)
                             / (double) (now - then);
    }
}


static void
ngx_http_vllm_mock_snapshot_loras(ngx_http_vllm_mock_shared_t *sh,
    ngx_http_vllm_mock_snapshot_t *s)
{
    ngx_uint_t  i;

    ngx_memcpy(s->names, sh->lora_names, sizeof(s->names));

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_ADAPTERS; i++) {
        s->loras[i].number = s->names[i].number;
        s->loras[i].name.data = (char *) s->names[i].name;
        s->loras[i].name.len = ngx_strlen(s->names[i].name);
    }
}


static void
ngx_http_vllm_mock_snapshot(ngx_http_vllm_mock_zone_t *z,
    ngx_http_vllm_mock_snapshot_t *s)
{
    vm_time_t                      now;
    ngx_uint_t                     i, r;
    const vm_stats_t              *from;
    ngx_http_vllm_mock_shared_t   *sh;
    ngx_http_vllm_mock_engines_t  *e;

    sh = z->shared;
    s->prompt_rate = 0;
    s->generation_rate = 0;

    ngx_http_vllm_mock_lock(z);

    now = ngx_http_vllm_mock_now();
    s->nranks = sh->engines[sh->current].nranks;

    for (r = 0; r < s->nranks; r++) {
        s->ranks[r] = sh->retired[r];
    }

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_ENGINES; i++) {
        e = &sh->engines[i];

        for (r = 0; e->used && r < e->nranks; r++) {
            (void) vm_engine_advance_some(e->ranks[r], now,
                                          NGX_HTTP_VLLM_MOCK_WORK);
            from = vm_engine_stats(e->ranks[r]);
            vm_stats_add(&s->ranks[r < s->nranks ? r : 0], from);
        }
    }

    for (r = 0; r < s->nranks; r++) {
        from = vm_engine_stats(sh->engines[sh->current].ranks[r]);
        s->ranks[r].num_gpu_blocks = from->num_gpu_blocks;
    }

    ngx_http_vllm_mock_rates(sh, s);
    ngx_http_vllm_mock_snapshot_loras(sh, s);

    ngx_http_vllm_mock_lateness_tell(z, now);

    s->http = sh->http;
    s->self = sh->self;
    s->self.saturated = ngx_http_vllm_mock_saturated(z) != 0;
    s->self.event_loop_lag = z->root->lag;
    s->self.streams = 0;

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_OWNERS; i++) {
        s->self.streams += i == z->owner ? z->streams : sh->streams[i];
    }

    s->sleep = sh->sleep;
    s->parser = sh->parser;
    s->overrides = sh->overrides;
    s->asleep = sh->asleep;
    s->sleep_level = sh->sleep_level;
    s->created = sh->created;

    ngx_http_vllm_mock_unlock(z);
}


static void
ngx_http_vllm_mock_scrape(ngx_http_vllm_mock_ctx_t *ctx,
    ngx_http_vllm_mock_snapshot_t *s, vm_scrape_t *q)
{
    const vm_settings_t            *settings;
    const vm_engine_conf_t         *conf;
    ngx_http_vllm_mock_srv_conf_t  *server;

    ngx_memzero(q, sizeof(vm_scrape_t));
    q->no_stats = ctx->settings->disable_log_stats != 0;

    server = ctx->conf->server;
    settings = ctx->settings;
    conf = server->engine_conf;

    q->model_name.data = settings->names.list[0];
    q->model_name.len = strlen(settings->names.list[0]);
    q->now = ngx_http_vllm_mock_unix();
    q->created = s->created;
    q->nranks = (uint32_t) s->nranks;
    q->ranks = s->ranks;

    q->cache.enable_prefix_caching.data = conf->prefix_caching ? "True"
                                                               : "False";
    q->cache.enable_prefix_caching.len = conf->prefix_caching ? 4 : 5;
    q->cache.gpu_memory_utilization.data = settings->gpu_memory_utilization;
    q->cache.gpu_memory_utilization.len
                                 = strlen(settings->gpu_memory_utilization);
    q->cache.block_size = conf->block_size;
    q->cache.num_gpu_blocks = conf->num_gpu_blocks;
    q->cache.max_model_len = conf->max_model_len;
    q->cache.num_gpu_blocks_override = server->fit.blocks
                                       ? conf->num_gpu_blocks : 0;
    q->cache.user_block_size = server->fit.block_size;

    q->sleep_level = (uint32_t) s->sleep_level;
    q->asleep = s->asleep != 0;
    q->sleep = &s->sleep;
    q->parser = settings->tool_call_parser ? &s->parser : NULL;

    q->max_loras = conf->max_loras;
    q->lora_names = s->loras;
    q->nlora_names = NGX_HTTP_VLLM_MOCK_ADAPTERS;
    q->mono_to_unix = q->now - (double) ngx_http_vllm_mock_now() / VM_NSEC;

    q->http = &s->http;
    q->handlers = ngx_http_vllm_mock_route_names();
    q->methods = ngx_http_vllm_mock_method_names();
    q->self = &s->self;

    ngx_http_vllm_mock_process(ctx->zone, q);

    q->scaled = server->scaled;
    q->legacy = server->legacy;
    q->replicas = (uint32_t) ngx_http_vllm_mock_count_value(ctx,
                                                      &q->replica_source_up);
    q->prompt_rate = s->prompt_rate;
    q->generation_rate = s->generation_rate;
    q->overrides = &s->overrides;
}


ngx_int_t
ngx_http_vllm_mock_metrics(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_buf_t                               b;
    ngx_int_t                              rc;
    ngx_uint_t                             mounted;
    const char                            *type;
    vm_scrape_t                            q;
    ngx_http_request_t                    *r;
    static ngx_http_vllm_mock_snapshot_t   s;

    r = ctx->request;

    rc = ngx_http_vllm_mock_count(ctx, ngx_http_vllm_mock_metrics);

    if (rc != NGX_OK) {
        return rc;
    }

    /* another path or method is answered by an older writer of the format */

    mounted = r->method != NGX_HTTP_GET
              || ctx->path.data[ctx->path.len - 1] == '/';
    type = mounted ? "text/plain; version=0.0.4; charset=utf-8"
                   : "text/plain; version=1.0.0; charset=utf-8";

    ngx_http_vllm_mock_snapshot(ctx->zone, &s);
    ngx_http_vllm_mock_scrape(ctx, &s, &q);

    vm_buf_init(&b);

    if (vm_metrics_render(&b, &q) != VM_OK) {
        vm_buf_free(&b);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (mounted) {
        ngx_buf_t    *buf;
        ngx_chain_t   out;

        rc = ngx_http_vllm_mock_head(ctx, NGX_HTTP_OK, type, -1);
        buf = ngx_create_temp_buf(r->pool, b.len);

        if (rc == NGX_OK && buf && !r->header_only) {
            buf->last = ngx_cpymem(buf->pos, b.data, b.len);
            buf->last_buf = 1;
            buf->last_in_chain = 1;
            out.buf = buf;
            out.next = NULL;
            rc = ngx_http_output_filter(r, &out);
        }

    } else {
        rc = ngx_http_vllm_mock_send(ctx, NGX_HTTP_OK, type, b.data, b.len);
    }

    vm_buf_free(&b);

    return rc;
}


/* Merged outside of the lock; anew, if others were set meanwhile. */

static int
ngx_http_vllm_mock_merge(ngx_http_vllm_mock_ctx_t *ctx, char *err,
    size_t errlen)
{
    ngx_uint_t                     same;
    vm_overrides_t                *o;
    static vm_overrides_t          before, after;

    o = &ctx->zone->shared->overrides;

    do {
        ngx_http_vllm_mock_lock(ctx->zone);
        before = *o;
        ngx_http_vllm_mock_unlock(ctx->zone);

        after = before;

        if (vm_overrides_merge(&after, ctx->body, ngx_http_vllm_mock_unix(),
                               err, errlen)
            != VM_OK)
        {
            return VM_ERROR;
        }

        ngx_http_vllm_mock_lock(ctx->zone);
        same = ngx_memcmp(&before, o, sizeof(vm_overrides_t)) == 0;

        if (same) {
            *o = after;
        }

        ngx_http_vllm_mock_unlock(ctx->zone);

    } while (!same);

    return VM_OK;
}


ngx_int_t
ngx_http_vllm_mock_set_metrics(ngx_http_vllm_mock_ctx_t *ctx)
{
    int              rc;
    char             err[512];
    vm_buf_t         b;
    vm_overrides_t  *o, copy;

    o = &ctx->zone->shared->overrides;

    if (ctx->request->method == NGX_HTTP_GET) {
        ngx_http_vllm_mock_lock(ctx->zone);
        copy = *o;
        ngx_http_vllm_mock_unlock(ctx->zone);

        vm_buf_init(&b);
        vm_overrides_json(&copy, &b);

        return ngx_http_vllm_mock_json(ctx, &b);
    }

    if (ctx->request->method == NGX_HTTP_DELETE) {
        ngx_http_vllm_mock_lock(ctx->zone);
        *o = *ctx->zone->server->overrides;
        ngx_http_vllm_mock_unlock(ctx->zone);

        return ngx_http_vllm_mock_literal(ctx, "{\"status\":\"success\","
                                          "\"message\":\"Overrides reset\"}");
    }

    if (!json_is_object(ctx->body)) {
        vm_error_set(&ctx->call.error, 400, "BadRequestError", NULL,
                     "the body must be a JSON object of metrics");
        return ngx_http_vllm_mock_error(ctx);
    }

    rc = ngx_http_vllm_mock_merge(ctx, err, sizeof(err));

    if (rc != VM_OK) {
        vm_error_printf(&ctx->call.error, ctx->pool, 400, "BadRequestError",
                        NULL, "%s", err);
        return ngx_http_vllm_mock_error(ctx);
    }

    return ngx_http_vllm_mock_literal(ctx, "{\"status\":\"success\","
                                      "\"message\":\"Overrides updated\"}");
}


ngx_int_t
ngx_http_vllm_mock_load(ngx_http_vllm_mock_ctx_t *ctx)
{
    int             is, up;
    double          v;
    vm_buf_t        b;
    ngx_int_t       rc;
    vm_overrides_t  o;

    rc = ngx_http_vllm_mock_count(ctx, ngx_http_vllm_mock_load);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_vllm_mock_lock(ctx->zone);
    o = ctx->zone->shared->overrides;
    ngx_http_vllm_mock_unlock(ctx->zone);

    is = vm_override_server_load(&o,
                                 (uint32_t) ngx_http_vllm_mock_count_value(
                                                                 ctx, &up),
                                 ngx_http_vllm_mock_unix(), &v);

    vm_buf_init(&b);
    vm_buf_lit(&b, "{\"server_load\":");

    if (!is) {
        vm_buf_uint(&b, (uint64_t) ctx->zone->shared->load);

    } else if (v == (double) (int64_t) v) {
        vm_buf_int(&b, (int64_t) v);

    } else {
        vm_buf_double(&b, v);
    }

    vm_buf_char(&b, '}');

    return ngx_http_vllm_mock_json(ctx, &b);
}
