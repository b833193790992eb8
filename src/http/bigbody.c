/*
 * Large bodies: a thread of nginx's makes JSON of them, while the worker
 * serves others.
 */

#include "http.h"


#if (NGX_THREADS)

typedef struct {
    vm_str_t             text;
    vm_json_t           *json;
    vm_json_e           *result;
} ngx_http_vllm_mock_reading_t;


/* On a thread: it sees nothing but the text and its own result. */

static void
ngx_http_vllm_mock_reading(void *data, ngx_log_t *log)
{
    ngx_http_vllm_mock_reading_t  *t;

    (void) log;

    t = data;
    *t->result = vm_json_load(t->json, t->text.data, t->text.len);
}


static void
ngx_http_vllm_mock_reading_done(ngx_event_t *ev)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ev->data;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    r->main->blocked--;
    r->aio = 0;

    /* whoever ended the request meanwhile has put in a handler of his own */

    r->write_event_handler(r);
    ngx_http_run_posted_requests(c);
}


static void
ngx_http_vllm_mock_reading_over(ngx_http_request_t *r)
{
    if (!r->aio) {
        r->write_event_handler = ngx_http_request_empty_handler;
        ngx_http_vllm_mock_body_go(r);
    }
}


ngx_int_t
ngx_http_vllm_mock_big_body(ngx_http_vllm_mock_ctx_t *ctx)
{
    static ngx_str_t               name = ngx_string("default");
    ngx_thread_pool_t             *pool;
    ngx_thread_task_t             *task;
    ngx_http_request_t            *r;
    ngx_http_vllm_mock_reading_t  *t;

    r = ctx->request;

    if (ctx->raw.len < NGX_HTTP_VLLM_MOCK_BIG_BODY
        || !ngx_http_vllm_mock_json_type(r))
    {
        return NGX_DECLINED;
    }

    pool = ngx_thread_pool_get((ngx_cycle_t *) ngx_cycle, &name);
    task = ngx_thread_task_alloc(r->pool,
                                 sizeof(ngx_http_vllm_mock_reading_t));

    if (pool == NULL || task == NULL) {
        return NGX_DECLINED;
    }

    t = task->ctx;
    t->text = ctx->raw;
    t->json = &ctx->json;
    t->result = &ctx->json_result;

    task->handler = ngx_http_vllm_mock_reading;
    task->event.data = r;
    task->event.handler = ngx_http_vllm_mock_reading_done;

    if (ngx_thread_task_post(pool, task) != NGX_OK) {
        return NGX_DECLINED;
    }

    ctx->json_read = 1;
    r->main->blocked++;
    r->aio = 1;
    r->write_event_handler = ngx_http_vllm_mock_reading_over;

    return NGX_OK;
}


ngx_int_t
ngx_http_vllm_mock_big_body_init(ngx_conf_t *cf)
{
    return ngx_thread_pool_add(cf, NULL) ? NGX_OK : NGX_ERROR;
}

#else

ngx_int_t
ngx_http_vllm_mock_big_body(ngx_http_vllm_mock_ctx_t *ctx)
{
    (void) ctx;

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_vllm_mock_big_body_init(ngx_conf_t *cf)
{
    (void) cf;

    return NGX_OK;
}

#endif


/* The body as JSON, whoever reads it. */

vm_json_e
ngx_http_vllm_mock_json_load(ngx_http_vllm_mock_ctx_t *ctx, vm_json_t *j)
{
    if (!ctx->json_read) {
        return vm_json_load(j, ctx->raw.data, ctx->raw.len);
    }

    *j = ctx->json;
    ctx->json.value = NULL;

    return ctx->json_result;
}
