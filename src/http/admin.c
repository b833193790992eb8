/*
 * The server's own endpoints: health, versions, sleep and pause, resets,
 * aborts.
 */

#include "stream.h"


#define NGX_HTTP_VLLM_MOCK_REST  5          /* ms between looks */

#define ngx_http_vllm_mock_each_rank(sh, e, i, r)                             \
    for (i = 0; i < NGX_HTTP_VLLM_MOCK_ENGINES; i++)                          \
        for (e = &(sh)->engines[i], r = 0; e->used && r < e->nranks; r++)


/* ---- answers that are always the same ---- */

ngx_int_t
ngx_http_vllm_mock_health(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_empty(ctx, NGX_HTTP_OK);
}


ngx_int_t
ngx_http_vllm_mock_nothing(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_empty(ctx, NGX_HTTP_OK);
}


ngx_int_t
ngx_http_vllm_mock_ready(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_literal(ctx, "{\"status\":\"ready\"}");
}


ngx_int_t
ngx_http_vllm_mock_version(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_literal(ctx,
                                      "{\"version\":\"" VM_VERSION "\"}");
}


ngx_int_t
ngx_http_vllm_mock_kv_sources(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_literal(ctx, "{}");
}


ngx_int_t
ngx_http_vllm_mock_is_scaling(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_literal(ctx,
                                      "{\"is_scaling_elastic_ep\":false}");
}


ngx_int_t
ngx_http_vllm_mock_world_size(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_buf_t  b;

    vm_buf_init(&b);
    vm_buf_printf(&b, "{\"world_size\":%u}",
                  vm_max(ctx->settings->tensor_parallel, 1)
                  * ctx->settings->data_parallel);

    return ngx_http_vllm_mock_json(ctx, &b);
}


ngx_int_t
ngx_http_vllm_mock_docs(ngx_http_vllm_mock_ctx_t *ctx)
{
    static const char  page[] =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>vLLM API"
        "</title></head>\n<body><h1>vLLM API</h1><p>The description of this "
        "server's endpoints: <a href=\"/openapi.json\">/openapi.json</a>"
        "</p></body>\n</html>\n";

    return ngx_http_vllm_mock_send(ctx, NGX_HTTP_OK,
                                   "text/html; charset=utf-8", page,
                                   sizeof(page) - 1);
}


ngx_int_t
ngx_http_vllm_mock_openapi(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_buf_t  b;

    vm_buf_init(&b);
    vm_buf_lit(&b, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"FastAPI\","
                   "\"version\":\"0.1.0\"},\"paths\":{");
    ngx_http_vllm_mock_route_paths(ctx, &b);
    vm_buf_lit(&b, "}}");

    return ngx_http_vllm_mock_json(ctx, &b);
}


/* ---- queries, checked as vLLM does ---- */

static const char *const  ngx_http_vllm_mock_modes[] = {
    "abort", "wait", "keep", NULL
};

static const char *const  ngx_http_vllm_mock_formats[] = {
    "text", "json", NULL
};

static const vm_type_t  ngx_http_vllm_mock_mode_type = {
    .kind = VM_T_LITERAL, .values = ngx_http_vllm_mock_modes
};

static const vm_type_t  ngx_http_vllm_mock_format_type = {
    .kind = VM_T_LITERAL, .values = ngx_http_vllm_mock_formats
};

static const vm_type_t  ngx_http_vllm_mock_level_type = {
    .kind = VM_T_INT, .has_ge = 1, .ge = 0, .has_le = 1, .le = 2
};

typedef struct {
    vm_int_t       level;
    const json_t  *mode;
    const json_t  *config_format;
    uint8_t        clear_cache;
    uint8_t        reset_running_requests;
    uint8_t        reset_external;
} ngx_http_vllm_mock_query_t;

#define ngx_http_vllm_mock_query_row(name, type, def)                         \
    { #name, &type, VM_F_NOTNULL,                                             \
      offsetof(ngx_http_vllm_mock_query_t, name), def, NULL }

static const vm_field_t  ngx_http_vllm_mock_query_fields[] = {
    ngx_http_vllm_mock_query_row(level, ngx_http_vllm_mock_level_type, 1),
    ngx_http_vllm_mock_query_row(mode, ngx_http_vllm_mock_mode_type, 0),
    ngx_http_vllm_mock_query_row(clear_cache, vm_bool_type, 1),
    ngx_http_vllm_mock_query_row(reset_running_requests, vm_bool_type, 0),
    ngx_http_vllm_mock_query_row(reset_external, vm_bool_type, 0),
    ngx_http_vllm_mock_query_row(config_format,
                                 ngx_http_vllm_mock_format_type, 0),
    vm_field_end
};

static const vm_type_t  ngx_http_vllm_mock_query_model = {
    .kind = VM_T_MODEL, .fields = ngx_http_vllm_mock_query_fields
};


static ngx_int_t
ngx_http_vllm_mock_query_load(ngx_http_vllm_mock_ctx_t *ctx,
    ngx_http_vllm_mock_query_t *q)
{
    ngx_memzero(q, sizeof(ngx_http_vllm_mock_query_t));

    ctx->body = ngx_http_vllm_mock_query_json(ctx);

    if (vm_model_load(&ngx_http_vllm_mock_query_model, ctx->body, "query", q,
                      &ctx->call.error, ctx->pool)
        != VM_OK)
    {
        return NGX_DECLINED;
    }

    if (!q->level.set) {
        q->level.v = 1;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_vllm_mock_server_info(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_buf_t                     b;
    const vm_engine_conf_t      *c;
    ngx_http_vllm_mock_query_t   q;

    if (ngx_http_vllm_mock_query_load(ctx, &q) != NGX_OK) {
        return ngx_http_vllm_mock_error(ctx);
    }

    c = ctx->conf->server->engine_conf;

    vm_buf_init(&b);
    vm_buf_printf(&b, "{\"vllm_config\":{\"model\":\"%s\","
                  "\"max_model_len\":%u,\"max_num_seqs\":%u,"
                  "\"max_num_batched_tokens\":%u,\"block_size\":%u,"
                  "\"num_gpu_blocks\":%u},\"vllm_env\":{"
                  "\"VLLM_SERVER_DEV_MODE\":%s},\"system_env\":{"
                  "\"vllm_version\":\"" VM_VERSION "\"}}",
                  ctx->settings->names.list[0], c->max_model_len,
                  c->max_num_seqs, c->max_num_batched_tokens, c->block_size,
                  c->num_gpu_blocks,
                  ctx->settings->dev_mode ? "true" : "false");

    return ngx_http_vllm_mock_json(ctx, &b);
}


/* ---- what is answered when the engines have come to rest ---- */

typedef struct {
    ngx_http_vllm_mock_ctx_t         *ctx;
    ngx_http_vllm_mock_endpoint_pt    answer;
    ngx_event_t                       timer;
} ngx_http_vllm_mock_rest_t;


static ngx_uint_t
ngx_http_vllm_mock_at_rest(ngx_http_vllm_mock_zone_t *z)
{
    ngx_uint_t                     i, r, rest;
    ngx_http_vllm_mock_engines_t  *e;

    ngx_http_vllm_mock_tick(z);
    ngx_http_vllm_mock_lock(z);
    rest = 1;

    ngx_http_vllm_mock_each_rank(z->shared, e, i, r) {
        rest &= vm_engine_at_rest(e->ranks[r]) != 0;
    }

    ngx_http_vllm_mock_unlock(z);

    return rest;
}


static void
ngx_http_vllm_mock_rest_look(ngx_event_t *ev)
{
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_http_vllm_mock_rest_t  *w;

    w = ev->data;
    r = w->ctx->request;
    c = r->connection;

    if (!ngx_http_vllm_mock_at_rest(w->ctx->zone)) {
        ngx_add_timer(ev, NGX_HTTP_VLLM_MOCK_REST);
        return;
    }

    ngx_http_finalize_request(r, w->answer(w->ctx));
    ngx_http_run_posted_requests(c);
}


static void
ngx_http_vllm_mock_rest_end(void *data)
{
    ngx_http_vllm_mock_rest_t  *w;

    w = data;

    if (w->timer.timer_set) {
        ngx_del_timer(&w->timer);
    }
}


/* vLLM answers when no step runs any more, with mode "wait" no request. */

static ngx_int_t
ngx_http_vllm_mock_at_rest_answer(ngx_http_vllm_mock_ctx_t *ctx,
    ngx_http_vllm_mock_endpoint_pt answer)
{
    ngx_http_request_t         *r;
    ngx_pool_cleanup_t         *cln;
    ngx_http_vllm_mock_rest_t  *w;

    if (ngx_http_vllm_mock_at_rest(ctx->zone)) {
        return answer(ctx);
    }

    r = ctx->request;
    w = ngx_pcalloc(r->pool, sizeof(ngx_http_vllm_mock_rest_t));
    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (w == NULL || cln == NULL || ngx_http_vllm_mock_watch(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    w->ctx = ctx;
    w->answer = answer;
    w->timer.handler = ngx_http_vllm_mock_rest_look;
    w->timer.data = w;
    w->timer.log = r->connection->log;
    cln->handler = ngx_http_vllm_mock_rest_end;
    cln->data = w;

    r->main->count++;
    ngx_add_timer(&w->timer, NGX_HTTP_VLLM_MOCK_REST);

    return NGX_DONE;
}


/* ---- sleep, pause, resets ---- */

/* Under the lock. */

static void
ngx_http_vllm_mock_hold(ngx_http_vllm_mock_shared_t *sh, const json_t *mode,
    ngx_uint_t clear)
{
    vm_pause_e                     pause;
    vm_time_t                      now;
    ngx_uint_t                     i, r;
    const char                    *word;
    ngx_http_vllm_mock_engines_t  *e;

    word = mode ? json_string_value(mode) : "abort";
    pause = strcmp(word, "wait") == 0 ? VM_PAUSE_WAIT : VM_PAUSE_KEEP;
    now = ngx_http_vllm_mock_now();

    ngx_http_vllm_mock_each_rank(sh, e, i, r) {

        if (strcmp(word, "abort") == 0) {
            vm_engine_abort_all(e->ranks[r], 1, now);
        }

        vm_engine_pause(e->ranks[r], pause, now);

        if (clear) {
            vm_engine_reset_at_rest(e->ranks[r], now);
        }
    }

    sh->paused = 1;
}


void
ngx_http_vllm_mock_let_go(ngx_http_vllm_mock_shared_t *sh)
{
    vm_time_t                      now;
    ngx_uint_t                     i, r;
    ngx_http_vllm_mock_engines_t  *e;

    now = ngx_http_vllm_mock_now();

    ngx_http_vllm_mock_each_rank(sh, e, i, r) {
        vm_engine_pause(e->ranks[r], VM_PAUSE_NONE, now);
    }

    sh->paused = 0;
    sh->asleep = 0;
    sh->sleep_level = 0;
    sh->sleep_parts = 0;
}


static ngx_uint_t
ngx_http_vllm_mock_reset(ngx_http_vllm_mock_shared_t *sh,
    ngx_uint_t running)
{
    vm_time_t                      now;
    ngx_uint_t                     i, ok, r;
    ngx_http_vllm_mock_engines_t  *e;

    ok = 1;
    now = ngx_http_vllm_mock_now();

    ngx_http_vllm_mock_each_rank(sh, e, i, r) {
        ok &= vm_engine_reset_prefix_cache(e->ranks[r], (int) running, now);
    }

    return ok;
}


static ngx_int_t
ngx_http_vllm_mock_asleep(ngx_http_vllm_mock_ctx_t *ctx)
{
    double                        took;
    vm_buf_t                      b;
    ngx_uint_t                    level;
    ngx_http_vllm_mock_shared_t  *sh;

    sh = ctx->zone->shared;
    took = (double) (ngx_http_vllm_mock_now() - ctx->started) / VM_NSEC;

    ngx_http_vllm_mock_lock(ctx->zone);
    level = sh->sleep_level;
    vm_sleep_stats_observe(&sh->sleep, VM_OPERATION_SLEEP, took,
                           ngx_http_vllm_mock_unix() - took);
    ngx_http_vllm_mock_unlock(ctx->zone);

    vm_buf_init(&b);
    vm_buf_printf(&b, "{\"status\":\"sleeping\",\"level\":%u}",
                  (unsigned) level);

    return ngx_http_vllm_mock_json(ctx, &b);
}


ngx_int_t
ngx_http_vllm_mock_sleep(ngx_http_vllm_mock_ctx_t *ctx)
{
    ngx_http_vllm_mock_query_t    q;
    ngx_http_vllm_mock_shared_t  *sh;

    if (ngx_http_vllm_mock_query_load(ctx, &q) != NGX_OK) {
        return ngx_http_vllm_mock_error(ctx);
    }

    sh = ctx->zone->shared;

    ngx_http_vllm_mock_lock(ctx->zone);
    ngx_http_vllm_mock_hold(sh, q.mode, q.level.v > 0);
    sh->asleep = 1;
    sh->sleep_level = (ngx_uint_t) q.level.v;

    if (sh->sleep_parts == 0 && sh->sleep_level) {
        sh->sleep_parts = NGX_HTTP_VLLM_MOCK_WEIGHTS
                          |NGX_HTTP_VLLM_MOCK_KV_CACHE;
    }

    ngx_http_vllm_mock_unlock(ctx->zone);

    return ngx_http_vllm_mock_at_rest_answer(ctx, ngx_http_vllm_mock_asleep);
}


static ngx_int_t
ngx_http_vllm_mock_paused(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_literal(ctx, "{\"status\":\"paused\"}");
}


ngx_int_t
ngx_http_vllm_mock_pause(ngx_http_vllm_mock_ctx_t *ctx)
{
    ngx_http_vllm_mock_query_t  q;

    if (ngx_http_vllm_mock_query_load(ctx, &q) != NGX_OK) {
        return ngx_http_vllm_mock_error(ctx);
    }

    ngx_http_vllm_mock_lock(ctx->zone);
    ngx_http_vllm_mock_hold(ctx->zone->shared, q.mode, q.clear_cache);
    ngx_http_vllm_mock_unlock(ctx->zone);

    return ngx_http_vllm_mock_at_rest_answer(ctx, ngx_http_vllm_mock_paused);
}


ngx_int_t
ngx_http_vllm_mock_resume(ngx_http_vllm_mock_ctx_t *ctx)
{
    ngx_http_vllm_mock_lock(ctx->zone);
    ngx_http_vllm_mock_let_go(ctx->zone->shared);
    ngx_http_vllm_mock_unlock(ctx->zone);

    ngx_http_vllm_mock_tick(ctx->zone);

    return ngx_http_vllm_mock_literal(ctx, "{\"status\":\"resumed\"}");
}


ngx_int_t
ngx_http_vllm_mock_is_paused(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_literal(ctx, ctx->zone->shared->paused
                                           ? "{\"is_paused\":true}"
                                           : "{\"is_paused\":false}");
}


ngx_int_t
ngx_http_vllm_mock_reset_prefix(ngx_http_vllm_mock_ctx_t *ctx)
{
    ngx_uint_t                  ok;
    ngx_http_vllm_mock_query_t  q;

    if (ngx_http_vllm_mock_query_load(ctx, &q) != NGX_OK) {
        return ngx_http_vllm_mock_error(ctx);
    }

    ngx_http_vllm_mock_lock(ctx->zone);
    ok = ngx_http_vllm_mock_reset(ctx->zone->shared,
                                  q.reset_running_requests);
    ngx_http_vllm_mock_unlock(ctx->zone);

    return ngx_http_vllm_mock_literal(ctx, ok ? "{\"success\":true}"
                                              : "{\"success\":false}");
}


/* ---- aborts ---- */

/* The body as JSON; NGX_DECLINED: it is none. */

static ngx_int_t
ngx_http_vllm_mock_raw_json(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_json_t  j;

    if (ngx_http_vllm_mock_json_load(ctx, &j) != VM_JSON_OK) {
        return NGX_DECLINED;
    }

    ctx->body = j.value;

    return NGX_OK;
}


/*
 * Requests of other workers are known by their cookies only: an id is looked
 * for among this worker's; without ids all of them end, wherever they are.
 */

static ngx_uint_t
ngx_http_vllm_mock_abort_all(ngx_http_vllm_mock_zone_t *z)
{
    vm_time_t                      now;
    ngx_uint_t                     i, n, r;
    ngx_http_vllm_mock_engines_t  *e;

    n = 0;

    ngx_http_vllm_mock_lock(z);
    now = ngx_http_vllm_mock_now();

    ngx_http_vllm_mock_each_rank(z->shared, e, i, r) {
        n += vm_engine_live(e->ranks[r]);
        vm_engine_abort_all(e->ranks[r], 0, now);
    }

    ngx_http_vllm_mock_unlock(z);

    return n;
}


/* Those of this worker however many choices they have, then the others'. */

static void
ngx_http_vllm_mock_abort_ids(ngx_http_vllm_mock_zone_t *z, const json_t *ids)
{
    size_t                        i;
    json_t                       *id, *set;
    uint32_t                      k;
    ngx_queue_t                  *q;
    ngx_http_vllm_mock_stream_t  *s;

    set = json_object();

    json_array_foreach(ids, i, id) {
        if (json_is_string(id)) {
            json_object_set_new_nocheck(set, json_string_value(id),
                                        json_true());
        }
    }

    ngx_http_vllm_mock_lock(z);

    for (q = ngx_queue_head(&z->all); q != ngx_queue_sentinel(&z->all);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_http_vllm_mock_stream_t, queue);

        /* of one that is over its engine may be gone */

        if (s->generation->live == 0 || s->lost
            || s->epoch != z->shared->epoch
            || json_object_get(set, s->generation->id) == NULL)
        {
            continue;
        }

        for (k = 0; k < s->nhandles; k++) {
            if (s->generation->choices[k].finish == NULL) {
                vm_engine_abort(s->slots[k].engine, s->slots[k].handle, 0,
                                ngx_http_vllm_mock_now());
            }
        }
    }

    ngx_http_vllm_mock_seen_abort(z, set);
    ngx_http_vllm_mock_unlock(z);
    json_decref(set);
}


ngx_int_t
ngx_http_vllm_mock_abort(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_buf_t       b;
    ngx_uint_t     n;
    const json_t  *ids;

    if (ngx_http_vllm_mock_raw_json(ctx) != NGX_OK) {
        vm_error_set(&ctx->call.error, 400, "Bad Request", NULL,
                     "Invalid JSON format");
        return ngx_http_vllm_mock_error(ctx);
    }

    if (!json_is_object(ctx->body)) {
        vm_error_set(&ctx->call.error, 400, "Bad Request", NULL,
                     "Request body must be a JSON object");
        return ngx_http_vllm_mock_error(ctx);
    }

    ids = json_object_get(ctx->body, "request_ids");
    n = json_array_size(ids);

    if (n) {
        ngx_http_vllm_mock_abort_ids(ctx->zone, ids);

    } else {
        n = ngx_http_vllm_mock_abort_all(ctx->zone);
    }

    ngx_http_vllm_mock_tick(ctx->zone);

    vm_buf_init(&b);
    vm_buf_printf(&b, "{\"status\":\"aborted\",\"aborted\":%lu}",
                  (unsigned long) n);

    return ngx_http_vllm_mock_json(ctx, &b);
}


/* ---- what --enable-scale-out opens, and elastic experts ---- */

ngx_int_t
ngx_http_vllm_mock_scale_out(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_error_set(&ctx->call.error, 403, "PermissionDeniedError", NULL,
                 "Scale-out endpoints are disabled. Restart vllm serve with "
                 "--enable-scale-out to enable them.");

    return ngx_http_vllm_mock_error(ctx);
}


ngx_int_t
ngx_http_vllm_mock_abort_scaled(ngx_http_vllm_mock_ctx_t *ctx)
{
    const json_t  *ids;

    if (!ctx->settings->scale_out) {
        return ngx_http_vllm_mock_scale_out(ctx);
    }

    if (ngx_http_vllm_mock_raw_json(ctx) != NGX_OK) {
        vm_error_set(&ctx->call.error, 400, "Bad Request", NULL,
                     "Invalid JSON format");
        return ngx_http_vllm_mock_error(ctx);
    }

    ids = json_object_get(ctx->body, "request_ids");

    if (ids == NULL) {
        vm_error_set(&ctx->call.error, 400, "Bad Request", NULL,
                     "Missing 'request_ids' in request body");
        return ngx_http_vllm_mock_error(ctx);
    }

    ngx_http_vllm_mock_abort_ids(ctx->zone, ids);
    ngx_http_vllm_mock_tick(ctx->zone);

    return ngx_http_vllm_mock_empty(ctx, NGX_HTTP_OK);
}


ngx_int_t
ngx_http_vllm_mock_scale_ep(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_buf_t       b;
    const char    *message;
    const json_t  *n;

    message = NULL;
    n = NULL;

    if (ngx_http_vllm_mock_raw_json(ctx) != NGX_OK) {
        message = "Invalid JSON format";

    } else {
        n = vm_value_get(ctx->body, "new_data_parallel_size");

        if (n == NULL) {
            message = "new_data_parallel_size is required";

        } else if (!json_is_integer(n) || json_integer_value(n) <= 0) {
            message = "new_data_parallel_size must be a positive integer";
        }
    }

    if (message) {
        vm_error_set(&ctx->call.error, 400, "Bad Request", NULL, message);
        return ngx_http_vllm_mock_error(ctx);
    }

    vm_buf_init(&b);
    vm_buf_printf(&b, "{\"message\":\"Scaled to %lld data parallel engines"
                  "\"}", json_integer_value(n));

    return ngx_http_vllm_mock_json(ctx, &b);
}


/* ---- the mock's own ---- */

ngx_int_t
ngx_http_vllm_mock_admin_state(ngx_http_vllm_mock_ctx_t *ctx)
{
    int                            up;
    vm_buf_t                       b;
    ngx_int_t                      rc;
    ngx_uint_t                     i, r;
    const vm_stats_t              *s;
    ngx_http_vllm_mock_shared_t   *sh;
    ngx_http_vllm_mock_engines_t  *e;

    rc = ngx_http_vllm_mock_count(ctx, ngx_http_vllm_mock_admin_state);

    if (rc != NGX_OK) {
        return rc;
    }

    sh = ctx->zone->shared;
    vm_buf_init(&b);
    vm_buf_lit(&b, "{\"engines\":[");

    ngx_http_vllm_mock_lock(ctx->zone);

    ngx_http_vllm_mock_each_rank(sh, e, i, r) {
        (void) vm_engine_advance_some(e->ranks[r], ngx_http_vllm_mock_now(),
                                      NGX_HTTP_VLLM_MOCK_WORK);
        s = vm_engine_stats(e->ranks[r]);
        vm_buf_printf(&b, "%s{\"current\":%s,\"rank\":%lu,\"live\":%u,"
                      "\"running\":%llu,\"waiting\":%llu,"
                      "\"used_blocks\":%llu,\"num_gpu_blocks\":%llu,"
                      "\"steps\":%llu}",
                      b.data[b.len - 1] == '[' ? "" : ",",
                      i == sh->current ? "true" : "false",
                      (unsigned long) r, vm_engine_live(e->ranks[r]),
                      (unsigned long long) s->running,
                      (unsigned long long) s->waiting,
                      (unsigned long long) s->used_blocks,
                      (unsigned long long) s->num_gpu_blocks,
                      (unsigned long long) s->steps);
    }

    vm_buf_printf(&b, "],\"paused\":%s,\"asleep\":%s,\"adapters\":%lu,"
                  "\"overrides\":%u,\"replicas\":%lu}",
                  sh->paused ? "true" : "false",
                  sh->asleep ? "true" : "false",
                  (unsigned long) sh->nadapters, sh->overrides.n,
                  (unsigned long) ngx_http_vllm_mock_count_value(ctx, &up));

    ngx_http_vllm_mock_unlock(ctx->zone);

    return ngx_http_vllm_mock_json(ctx, &b);
}
