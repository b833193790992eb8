/*
 * What goes wrong on purpose: which faults a request has, and how it gets them.
 */

#include "resolve.h"
#include "fault.h"
#include "../base/rand.h"


/* ---- a request ---- */

typedef struct {
    ngx_http_vllm_mock_ctx_t  *ctx;
    ngx_event_t                timer;
} ngx_http_vllm_mock_held_t;


static void
ngx_http_vllm_mock_held_end(void *data)
{
    ngx_http_vllm_mock_held_t  *h;

    h = data;

    if (h->timer.timer_set) {
        ngx_del_timer(&h->timer);
    }
}


static void
ngx_http_vllm_mock_held_over(ngx_event_t *ev)
{
    ngx_int_t                   rc;
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_http_vllm_mock_held_t  *h;

    h = ev->data;
    r = h->ctx->request;
    c = r->connection;

    rc = ngx_http_vllm_mock_run(h->ctx);

    /* NGX_DONE of an endpoint without a body is for nginx's content phase,
     * which is over: it is told here */

    if (rc != NGX_DONE
        || h->ctx->route->body == NGX_HTTP_VLLM_MOCK_BODY_NONE)
    {
        ngx_http_finalize_request(r, rc);
    }

    ngx_http_run_posted_requests(c);
}


/* The request waits; whoever leaves meanwhile is noticed. */

static ngx_int_t
ngx_http_vllm_mock_hold(ngx_http_vllm_mock_ctx_t *ctx, vm_time_t time)
{
    ngx_http_request_t         *r;
    ngx_pool_cleanup_t         *cln;
    ngx_http_vllm_mock_held_t  *h;

    r = ctx->request;
    h = ngx_pcalloc(r->pool, sizeof(ngx_http_vllm_mock_held_t));
    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (h == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    h->ctx = ctx;
    h->timer.handler = ngx_http_vllm_mock_held_over;
    h->timer.data = h;
    h->timer.log = r->connection->log;
    cln->handler = ngx_http_vllm_mock_held_end;
    cln->data = h;

    if (ngx_http_vllm_mock_watch(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* reading a body holds the request; nothing else does */

    if (ctx->route->body == NGX_HTTP_VLLM_MOCK_BODY_NONE) {
        r->main->count++;
    }

    /* never early: nginx adds to a time that may be some milliseconds old */

    ngx_time_update();
    ngx_add_timer(&h->timer, (ngx_msec_t) ((time + VM_MSEC - 1) / VM_MSEC));

    return NGX_DONE;
}


/* ---- which ---- */

/* Those of /admin/config, made of their texts when these have changed. */

static ngx_int_t
ngx_http_vllm_mock_faults_read(ngx_http_vllm_mock_zone_t *z)
{
    char                          err[NGX_HTTP_VLLM_MOCK_ERR], *text;
    ngx_str_t                     words[NGX_HTTP_VLLM_MOCK_FAULT_WORDS];
    ngx_uint_t                    i, n;
    ngx_pool_t                   *pool;
    ngx_http_vllm_mock_fault_t   *f;
    ngx_http_vllm_mock_runtime_t  *runtime;

    pool = ngx_create_pool(4096, ngx_cycle->log);
    runtime = pool ? ngx_palloc(pool, sizeof(ngx_http_vllm_mock_runtime_t))
                  : NULL;
    f = pool ? ngx_pcalloc(pool, NGX_HTTP_VLLM_MOCK_FAULTS
                                 * sizeof(ngx_http_vllm_mock_fault_t))
             : NULL;

    if (runtime == NULL || f == NULL) {
        if (pool) {
            ngx_destroy_pool(pool);
        }

        return NGX_ERROR;
    }

    ngx_http_vllm_mock_lock(z);
    *runtime = z->shared->runtime;
    ngx_http_vllm_mock_unlock(z);

    for (i = 0; i < runtime->nfaults; i++) {
        text = runtime->faults[i];
        n = ngx_http_vllm_mock_words(text, words,
                                     NGX_HTTP_VLLM_MOCK_FAULT_WORDS);

        /* it was good when it was set */

        (void) ngx_http_vllm_mock_fault_parse(NULL, pool, words, n, &f[i],
                                              err);
    }

    if (z->faults_pool) {
        ngx_destroy_pool(z->faults_pool);
    }

    z->faults_pool = pool;
    z->faults = f;
    z->nfaults = runtime->nfaults;
    z->faults_version = runtime->version;

    return NGX_OK;
}


ngx_http_vllm_mock_fault_t *
ngx_http_vllm_mock_faults_now(ngx_http_vllm_mock_ctx_t *ctx, ngx_uint_t *n)
{
    ngx_http_vllm_mock_zone_t    *z;
    ngx_http_vllm_mock_runtime_t  *runtime;

    z = ctx->zone;
    runtime = &z->shared->runtime;
    *n = 0;

    if (runtime->faults_set) {

        if (z->faults_version != runtime->version
            && ngx_http_vllm_mock_faults_read(z) != NGX_OK)
        {
            return NULL;
        }

        *n = z->nfaults;

        return z->faults;
    }

    if (ctx->conf->faults_conf == NULL) {
        return NULL;
    }

    *n = ctx->conf->faults_conf->nelts;

    return ctx->conf->faults_conf->elts;
}


/*
 * Without a word about endpoints: those of the API.  Whoever looks whether the
 * server is well, scrapes it or sets its faults is left alone.
 */

static ngx_uint_t
ngx_http_vllm_mock_fault_there(ngx_http_vllm_mock_ctx_t *ctx,
    const ngx_http_vllm_mock_fault_t *f)
{
    size_t  len;

    len = f->endpoint.len;

    if (len == 0) {
        return !ngx_http_vllm_mock_route_watches(ctx);
    }

    if (f->endpoint.data[len - 1] == '*') {
        len--;

    } else if (len != ctx->path.len) {
        return 0;
    }

    return ctx->path.len >= len
           && ngx_memcmp(ctx->path.data, f->endpoint.data, len) == 0;
}


static ngx_uint_t
ngx_http_vllm_mock_fault_asked(ngx_http_request_t *r,
    const ngx_http_vllm_mock_fault_t *f)
{
    ngx_str_t                   value;
    ngx_uint_t                  key;
    ngx_str_t                   name;
    ngx_http_variable_value_t  *v;

    if (f->when) {
        if (ngx_http_complex_value(r, f->when, &value) != NGX_OK) {
            return 0;
        }

    } else if (f->variable.len) {
        name.len = f->variable.len;
        name.data = ngx_pnalloc(r->pool, name.len);

        if (name.data == NULL) {
            return 0;
        }

        key = ngx_hash_strlow(name.data, f->variable.data, name.len);
        v = ngx_http_get_variable(r, &name, key);

        if (v == NULL || v->not_found) {
            return 0;
        }

        value.data = v->data;
        value.len = v->len;

    } else {
        return 1;
    }

    return value.len && !(value.len == 1 && value.data[0] == '0');
}


static ngx_uint_t
ngx_http_vllm_mock_fault_strikes(ngx_http_vllm_mock_ctx_t *ctx,
    const ngx_http_vllm_mock_fault_t *f, ngx_uint_t i)
{
    if (!ngx_http_vllm_mock_fault_there(ctx, f)
        || !ngx_http_vllm_mock_fault_asked(ctx->request, f))
    {
        return 0;
    }

    return vm_rand_unit(vm_rand_at(ctx->call.chance, i + 1)) < f->rate;
}


ngx_int_t
ngx_http_vllm_mock_fault(ngx_http_vllm_mock_ctx_t *ctx)
{
    ngx_int_t                    rc;
    vm_time_t                    wait;
    ngx_uint_t                   i, n;
    ngx_http_vllm_mock_fault_t  *f;

    rc = ngx_http_vllm_mock_llmd_error(ctx);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    wait = 0;
    f = ngx_http_vllm_mock_faults_now(ctx, &n);

    for (i = 0; i < n; i++, f++) {

        if (!ngx_http_vllm_mock_fault_strikes(ctx, f, i)) {
            continue;
        }

        switch (f->kind) {

        case NGX_HTTP_VLLM_MOCK_FAULT_ERROR:
            vm_error_set(&ctx->call.error, (int) f->status,
                         ngx_http_vllm_mock_phrase(f->status), NULL,
                         f->message);
            return ngx_http_vllm_mock_error(ctx);

        case NGX_HTTP_VLLM_MOCK_FAULT_DROP:
            return NGX_HTTP_CLOSE;

        case NGX_HTTP_VLLM_MOCK_FAULT_DELAY:
            wait += f->time;
            break;

        default: /* for when tokens come; those of runtime may be gone then */
            ctx->fault = ngx_palloc(ctx->request->pool,
                                    sizeof(ngx_http_vllm_mock_fault_t));
            if (ctx->fault == NULL) {
                return NGX_HTTP_INTERNAL_SERVER_ERROR;
            }

            *ctx->fault = *f;
            break;
        }
    }

    return wait ? ngx_http_vllm_mock_hold(ctx, wait) : NGX_DECLINED;
}


/* ---- tokens ---- */

static void
ngx_http_vllm_mock_stall_over(ngx_event_t *ev)
{
    ngx_connection_t             *c;
    ngx_http_vllm_mock_stream_t  *s;

    s = ev->data;
    c = s->request->connection;

    s->stalled = 0;
    ngx_http_vllm_mock_stream_go_on(s);
    ngx_http_run_posted_requests(c);
}


/* Tokens of a stream, of all its choices. */

ngx_http_vllm_mock_struck_e
ngx_http_vllm_mock_fault_tokens(ngx_http_vllm_mock_stream_t *s)
{
    ngx_http_vllm_mock_fault_t  *f;

    f = s->ctx->fault;

    if (s->stalled) {
        return NGX_HTTP_VLLM_MOCK_STALLED;
    }

    if (f == NULL || s->struck
        || vm_generation_output_tokens(s->generation) < f->after)
    {
        return NGX_HTTP_VLLM_MOCK_SOUND;
    }

    s->struck = 1;

    if (f->kind == NGX_HTTP_VLLM_MOCK_FAULT_DISCONNECT) {
        return NGX_HTTP_VLLM_MOCK_CUT;
    }

    s->stalled = 1;

    if (f->time != VM_TIME_NONE) {
        s->stall.handler = ngx_http_vllm_mock_stall_over;
        s->stall.data = s;
        s->stall.log = s->request->connection->log;
        ngx_add_timer(&s->stall, (ngx_msec_t) (f->time / VM_MSEC));
    }

    return NGX_HTTP_VLLM_MOCK_STALLED;
}
