/*
 * Generations whose answer is kept, and those that run without a connection;
 * connections that follow one.
 */

#include "store.h"
#include "stream.h"
#include "../api/responses.h"
#include "../api/video.h"


/* How often one looks at what another worker's generation has said. */

#define NGX_HTTP_VLLM_MOCK_FOLLOW  10

typedef struct {
    ngx_queue_t                 queue;      /* of the zone's, here */
    ngx_http_request_t         *request;
    ngx_http_vllm_mock_zone_t  *zone;
    uint64_t                    number;     /* of the record */
    size_t                      offset;     /* into its frames */
    ngx_uint_t                  skip;       /* frames not wanted */
    ngx_event_t                 timer;
} ngx_http_vllm_mock_follower_t;


static void ngx_http_vllm_mock_follow(ngx_http_vllm_mock_follower_t *f);


/* ---- keeping ---- */

/* What is kept of an answer; made before the lock is taken. */

typedef struct {
    vm_buf_t                    object;
    vm_buf_t                    messages;
    size_t                      status_at;  /* in the object */
    ngx_uint_t                  video;
} ngx_http_vllm_mock_texts_t;


static void
ngx_http_vllm_mock_texts(ngx_http_vllm_mock_stream_t *s, vm_response_e state,
    ngx_http_vllm_mock_texts_t *t)
{
    ngx_memzero(t, sizeof(ngx_http_vllm_mock_texts_t));
    vm_buf_init(&t->object);
    vm_buf_init(&t->messages);
    t->video = s->generation->protocol == &vm_video_job;

    if (s->lost) {
        return;
    }

    if (t->video) {
        vm_video_keep(s->generation, state == VM_RESPONSE_OVER, &t->status_at,
                      &t->object, &t->messages);

    } else {
        vm_responses_said(s->generation, &t->messages);
        vm_responses_object(s->generation, state, &t->status_at, &t->object);
    }
}


static void
ngx_http_vllm_mock_texts_free(ngx_http_vllm_mock_texts_t *t)
{
    vm_buf_free(&t->object);
    vm_buf_free(&t->messages);
}


static ngx_int_t
ngx_http_vllm_mock_texts_keep(ngx_http_vllm_mock_zone_t *z,
    ngx_http_vllm_mock_record_t *r, const ngx_http_vllm_mock_texts_t *t)
{
    r->video = t->video;
    r->status_at = t->status_at;

    return t->messages.failed || t->object.failed
           || ngx_http_vllm_mock_store_set(z, r, NGX_HTTP_VLLM_MOCK_MESSAGES,
                                           t->messages.data, t->messages.len)
              != NGX_OK
           ? NGX_DECLINED
           : ngx_http_vllm_mock_store_set(z, r, NGX_HTTP_VLLM_MOCK_OBJECT,
                                          t->object.data, t->object.len);
}


void
ngx_http_vllm_mock_keep_answer(ngx_http_vllm_mock_stream_t *s)
{
    const char                   *id;
    ngx_http_vllm_mock_zone_t    *z;
    ngx_http_vllm_mock_texts_t    t;
    ngx_http_vllm_mock_record_t  *r;

    z = s->zone;
    id = s->generation->id;

    ngx_http_vllm_mock_texts(s, VM_RESPONSE_OVER, &t);
    ngx_http_vllm_mock_lock(z);

    r = s->record ? ngx_http_vllm_mock_store_number(z, s->record)
                  : ngx_http_vllm_mock_store_put(z, id, ngx_strlen(id));

    if (r && r->state != NGX_HTTP_VLLM_MOCK_KEPT_CANCELLED) {

        if (s->lost) {
            r->state = NGX_HTTP_VLLM_MOCK_KEPT_FAILED;

        } else if (ngx_http_vllm_mock_texts_keep(z, r, &t) == NGX_OK) {
            r->state = NGX_HTTP_VLLM_MOCK_KEPT_OVER;
        }
    }

    ngx_http_vllm_mock_unlock(z);
    ngx_http_vllm_mock_texts_free(&t);
}


/* ---- a generation without a connection ---- */

static void
ngx_http_vllm_mock_background_free(void *data)
{
    ngx_http_vllm_mock_ctx_t  *ctx;

    ctx = data;
    json_decref(ctx->body);
    vm_pool_destroy(ctx->pool);
}


static const char *
ngx_http_vllm_mock_again(vm_pool_t *pool, const char *s)
{
    return s ? vm_pool_strdup(pool, s, strlen(s)) : NULL;
}


/*
 * The same request, in memory of its own: nothing that it keeps may lie in the
 * pools of the connection, which is gone before it.  The configuration and
 * what it holds live as long as the worker.
 */

static ngx_http_vllm_mock_ctx_t *
ngx_http_vllm_mock_detach(ngx_http_vllm_mock_ctx_t *from)
{
    vm_output_t               *output;
    ngx_pool_t                *npool;
    ngx_pool_cleanup_t        *cln;
    ngx_http_vllm_mock_ctx_t  *ctx;

    npool = ngx_create_pool(4096, ngx_cycle->log);
    if (npool == NULL) {
        return NULL;
    }

    ctx = ngx_pcalloc(npool, sizeof(ngx_http_vllm_mock_ctx_t));
    cln = ngx_pool_cleanup_add(npool, 0);

    if (ctx == NULL || cln == NULL) {
        ngx_destroy_pool(npool);
        return NULL;
    }

    ctx->pool = vm_pool_create(4096);
    if (ctx->pool == NULL) {
        ngx_destroy_pool(npool);
        return NULL;
    }

    cln->handler = ngx_http_vllm_mock_background_free;
    cln->data = ctx;

    output = vm_pool_alloc(ctx->pool, sizeof(vm_output_t));
    if (output == NULL) {
        ngx_destroy_pool(npool);
        return NULL;
    }

    *output = *from->call.output;

    ctx->npool = npool;
    ctx->route = from->route;
    ctx->conf = from->conf;
    ctx->zone = from->zone;
    ctx->settings = from->settings;
    ctx->started = from->started;
    ctx->body = json_deep_copy(from->body);

    ctx->call = from->call;
    ctx->call.pool = ctx->pool;
    ctx->call.data = ctx;
    ctx->call.output = output;
    ctx->call.request_id = ngx_http_vllm_mock_again(ctx->pool,
                                                   from->call.request_id);
    ctx->call.dp_rank = ngx_http_vllm_mock_again(ctx->pool,
                                                from->call.dp_rank);
    ctx->call.priority = ngx_http_vllm_mock_again(ctx->pool,
                                                 from->call.priority);

    return ctx;
}


static ngx_int_t
ngx_http_vllm_mock_queued(ngx_http_vllm_mock_stream_t *s, vm_buf_t *object)
{
    const char                   *id;
    ngx_int_t                     rc;
    ngx_http_vllm_mock_zone_t    *z;
    ngx_http_vllm_mock_texts_t    t;
    ngx_http_vllm_mock_record_t  *r;

    z = s->zone;
    id = s->generation->id;

    ngx_http_vllm_mock_texts(s, VM_RESPONSE_QUEUED, &t);
    ngx_http_vllm_mock_lock(z);

    r = ngx_http_vllm_mock_store_put(z, id, ngx_strlen(id));
    rc = r ? ngx_http_vllm_mock_texts_keep(z, r, &t) : NGX_DECLINED;

    if (rc == NGX_OK) {
        r->state = NGX_HTTP_VLLM_MOCK_KEPT_QUEUED;
        r->streamed = s->generation->stream;
        r->owner = z->owner;
        r->epoch = s->epoch;
        r->engine = s->slots[0].engine;
        r->handle = s->slots[0].handle;
        s->record = r->number;
    }

    ngx_http_vllm_mock_unlock(z);

    *object = t.object;                 /* the caller frees it */
    vm_buf_free(&t.messages);

    return rc;
}


/*
 * NGX_OK: it runs; *number is its record's, `object` what there is to say of
 * it.  NGX_DECLINED: it was refused, and *sent says how that went.
 */

static ngx_int_t
ngx_http_vllm_mock_background(ngx_http_vllm_mock_ctx_t *from,
    const vm_protocol_t *protocol, uint64_t *number, vm_buf_t *object,
    ngx_int_t *sent)
{
    ngx_int_t                     rc;
    ngx_http_vllm_mock_ctx_t     *ctx;
    ngx_http_vllm_mock_stream_t  *s;

    *sent = NGX_HTTP_INTERNAL_SERVER_ERROR;

    ctx = ngx_http_vllm_mock_detach(from);
    if (ctx == NULL) {
        return NGX_DECLINED;
    }

    rc = ngx_http_vllm_mock_enter(ctx, protocol, ctx->body, &s);
    ctx->call.form = NULL;              /* it is the connection's */

    if (rc == NGX_OK) {
        rc = ngx_http_vllm_mock_queued(s, object);

        if (rc == NGX_DECLINED) {
            ngx_http_vllm_mock_full(ctx);
        }
    }

    if (rc == NGX_OK) {
        rc = ngx_http_vllm_mock_limited_move(from, ctx);
    }

    if (rc != NGX_OK) {
        if (rc == NGX_DECLINED) {
            from->call.error = ctx->call.error;
            *sent = ngx_http_vllm_mock_error(from);
        }

        ngx_destroy_pool(ctx->npool);

        return NGX_DECLINED;
    }

    *number = s->record;
    s->started = 1;

    return NGX_OK;
}


void
ngx_http_vllm_mock_background_end(ngx_http_vllm_mock_stream_t *s)
{
    s->closed = 1;
    ngx_destroy_pool(s->ctx->npool);
}


void
ngx_http_vllm_mock_background_flush(ngx_http_vllm_mock_stream_t *s)
{
    uint64_t                        number;
    ngx_queue_t                    *next, *q;
    ngx_connection_t               *c;
    ngx_http_vllm_mock_zone_t      *z;
    ngx_http_vllm_mock_record_t    *r;
    ngx_http_vllm_mock_follower_t  *f;

    z = s->zone;
    number = s->record;

    if (s->generation->stream && s->pending.len) {
        ngx_http_vllm_mock_lock(z);
        r = ngx_http_vllm_mock_store_number(z, number);

        if (r) {
            (void) ngx_http_vllm_mock_store_append(z, r,
                                          NGX_HTTP_VLLM_MOCK_FRAMES,
                                          s->pending.data, s->pending.len);
        }

        ngx_http_vllm_mock_unlock(z);
        vm_buf_reset(&s->pending);
    }

    if (s->done) {
        ngx_http_vllm_mock_keep_answer(s);
        ngx_http_vllm_mock_background_end(s);
    }

    for (q = ngx_queue_head(&z->followers);
         q != ngx_queue_sentinel(&z->followers);
         q = next)
    {
        next = ngx_queue_next(q);
        f = ngx_queue_data(q, ngx_http_vllm_mock_follower_t, queue);

        if (f->number == number) {
            c = f->request->connection;
            ngx_http_vllm_mock_follow(f);
            ngx_http_run_posted_requests(c);
        }
    }
}


/* ---- connections that follow one ---- */

static void
ngx_http_vllm_mock_follower_cleanup(void *data)
{
    ngx_http_vllm_mock_follower_t  *f;

    f = data;
    ngx_queue_remove(&f->queue);

    if (f->timer.timer_set) {
        ngx_del_timer(&f->timer);
    }
}


static void
ngx_http_vllm_mock_follower_timer(ngx_event_t *ev)
{
    ngx_connection_t               *c;
    ngx_http_vllm_mock_follower_t  *f;

    f = ev->data;
    c = f->request->connection;

    ngx_http_vllm_mock_follow(f);
    ngx_http_run_posted_requests(c);
}


static void
ngx_http_vllm_mock_follower_writer(ngx_http_request_t *r)
{
    if (ngx_http_output_filter(r, NULL) == NGX_ERROR
        || ngx_handle_write_event(r->connection->write, 0) != NGX_OK)
    {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}


static void
ngx_http_vllm_mock_follow(ngx_http_vllm_mock_follower_t *f)
{
    char                         *end;
    size_t                        at, len;
    vm_buf_t                      b;
    ngx_buf_t                    *buf;
    ngx_int_t                     rc;
    ngx_uint_t                    over;
    ngx_chain_t                   out;
    ngx_http_vllm_mock_record_t  *r;

    vm_buf_init(&b);
    ngx_http_vllm_mock_lock(f->zone);

    r = ngx_http_vllm_mock_store_number(f->zone, f->number);
    over = r == NULL || r->state != NGX_HTTP_VLLM_MOCK_KEPT_QUEUED;

    if (r) {
        ngx_http_vllm_mock_store_read(f->zone, r, NGX_HTTP_VLLM_MOCK_FRAMES,
                                      f->offset, &b);
    }

    ngx_http_vllm_mock_unlock(f->zone);

    f->offset += b.len;

    for (at = 0; f->skip && at < b.len; f->skip--) {
        end = memmem(b.data + at, b.len - at, "\n\n", 2);
        at = end ? (size_t) (end + 2 - b.data) : b.len;
    }

    len = b.len - at;
    rc = NGX_OK;

    if (len || over) {
        buf = ngx_create_temp_buf(f->request->pool, len + 1);

        if (buf && !b.failed) {
            buf->last = len ? ngx_cpymem(buf->pos, b.data + at, len)
                            : buf->pos;
            buf->temporary = len != 0;
            buf->flush = 1;
            buf->last_buf = over;
            buf->last_in_chain = over;
            out.buf = buf;
            out.next = NULL;
            rc = ngx_http_output_filter(f->request, &out);

        } else {
            rc = NGX_ERROR;
        }
    }

    vm_buf_free(&b);

    if (rc == NGX_ERROR || over) {
        ngx_http_finalize_request(f->request, rc == NGX_ERROR ? rc : NGX_OK);
        return;
    }

    if (rc == NGX_AGAIN) {
        f->request->write_event_handler = ngx_http_vllm_mock_follower_writer;
    }

    if (!f->timer.timer_set) {
        ngx_add_timer(&f->timer, NGX_HTTP_VLLM_MOCK_FOLLOW);
    }
}


/* `skip` frames are left out. */

static ngx_int_t
ngx_http_vllm_mock_follow_start(ngx_http_vllm_mock_ctx_t *ctx,
    uint64_t number, ngx_uint_t skip)
{
    ngx_int_t                       rc;
    ngx_http_request_t             *r;
    ngx_pool_cleanup_t             *cln;
    ngx_http_vllm_mock_follower_t  *f;

    r = ctx->request;

    f = ngx_pcalloc(r->pool, sizeof(ngx_http_vllm_mock_follower_t));
    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (f == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    f->request = r;
    f->zone = ctx->zone;
    f->number = number;
    f->skip = skip;
    f->timer.handler = ngx_http_vllm_mock_follower_timer;
    f->timer.data = f;
    f->timer.log = r->connection->log;

    ngx_queue_insert_tail(&ctx->zone->followers, &f->queue);
    cln->handler = ngx_http_vllm_mock_follower_cleanup;
    cln->data = f;

    rc = ngx_http_vllm_mock_head(ctx, NGX_HTTP_OK, NGX_HTTP_VLLM_MOCK_SSE,
                                 -1);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    if (ngx_http_vllm_mock_watch(r) != NGX_OK) {
        return NGX_ERROR;
    }

    /* one that had a body holds the request already */

    if (ctx->route->body == NGX_HTTP_VLLM_MOCK_BODY_NONE) {
        r->main->count++;
    }

    ngx_http_vllm_mock_follow(f);

    return NGX_DONE;
}


/* ---- endpoints ---- */

/* POST /v1/responses that is to run in the background, POST /v1/videos */

ngx_int_t
ngx_http_vllm_mock_stored(ngx_http_vllm_mock_ctx_t *ctx,
    const vm_protocol_t *protocol)
{
    vm_buf_t                      object;
    uint64_t                      number;
    ngx_int_t                     rc;
    ngx_uint_t                    streamed;
    ngx_http_vllm_mock_zone_t    *z;
    ngx_http_vllm_mock_record_t  *r;

    rc = ngx_http_vllm_mock_admit(ctx);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    z = ctx->zone;
    number = 0;
    vm_buf_init(&object);

    if (ngx_http_vllm_mock_background(ctx, protocol, &number, &object, &rc)
        != NGX_OK)
    {
        vm_buf_free(&object);
        return rc;
    }

    ngx_http_vllm_mock_lock(z);
    r = ngx_http_vllm_mock_store_number(z, number);
    streamed = r && r->streamed;
    ngx_http_vllm_mock_unlock(z);

    if (streamed) {
        vm_buf_free(&object);
        rc = ngx_http_vllm_mock_follow_start(ctx, number, 0);

    } else {
        rc = ngx_http_vllm_mock_json(ctx, &object);
    }

    /* the first look at the engine: from now on the timer looks */

    ngx_http_vllm_mock_tick(z);

    return rc;
}


typedef struct {
    vm_int_t  starting_after;
    uint8_t   stream;
} ngx_http_vllm_mock_retrieve_t;

static const vm_field_t  ngx_http_vllm_mock_retrieve_fields[] = {
    { "starting_after", &vm_int_type, VM_F_NOTNULL,
      offsetof(ngx_http_vllm_mock_retrieve_t, starting_after), -1, NULL },
    { "stream", &vm_bool_type, VM_F_NOTNULL,
      offsetof(ngx_http_vllm_mock_retrieve_t, stream), 0, NULL },
    vm_field_end
};

static const vm_type_t  ngx_http_vllm_mock_retrieve_type = {
    .kind = VM_T_MODEL, .fields = ngx_http_vllm_mock_retrieve_fields
};


ngx_int_t
ngx_http_vllm_mock_cancel_record(ngx_http_vllm_mock_zone_t *z,
    ngx_http_vllm_mock_record_t *r)
{
    if (r->state != NGX_HTTP_VLLM_MOCK_KEPT_QUEUED) {
        return NGX_DECLINED;
    }

    r->state = NGX_HTTP_VLLM_MOCK_KEPT_CANCELLED;

    if (r->epoch == z->shared->epoch
        && ngx_http_vllm_mock_engine_there(z->shared, r->engine))
    {
        vm_engine_abort(r->engine, r->handle, 0, ngx_http_vllm_mock_now());
    }

    return NGX_OK;
}


/* GET /v1/responses/ID and POST /v1/responses/ID/cancel */

ngx_int_t
ngx_http_vllm_mock_response(ngx_http_vllm_mock_ctx_t *ctx)
{
    size_t                          len;
    vm_buf_t                        object;
    uint64_t                        number;
    ngx_int_t                       rc;
    ngx_str_t                       part;
    ngx_uint_t                      cancel, streamed;
    const char                     *id;
    ngx_http_vllm_mock_zone_t      *z;
    ngx_http_vllm_mock_record_t    *r;
    ngx_http_vllm_mock_retrieve_t   q;

    z = ctx->zone;
    part = ngx_http_vllm_mock_route_part(ctx);
    id = (const char *) part.data;
    len = part.len;
    cancel = ctx->request->method == NGX_HTTP_POST;

    ctx->body = ngx_http_vllm_mock_query_json(ctx);

    if (!cancel && vm_model_load(&ngx_http_vllm_mock_retrieve_type, ctx->body,
                                 "query", &q, &ctx->call.error, ctx->pool)
                   != VM_OK)
    {
        return ngx_http_vllm_mock_error(ctx);
    }

    rc = NGX_OK;
    number = 0;
    streamed = 0;
    vm_buf_init(&object);

    ngx_http_vllm_mock_lock(z);

    r = ngx_http_vllm_mock_store_find(z, id, len);

    if (r && !r->video) {
        rc = cancel ? ngx_http_vllm_mock_cancel_record(z, r) : NGX_OK;
        number = r->number;
        streamed = r->streamed;
        ngx_http_vllm_mock_store_object(z, r, &object);
    }

    ngx_http_vllm_mock_unlock(z);

    if (number == 0) {
        vm_buf_free(&object);
        (void) vm_responses_unknown(&ctx->call, id, len);
        return ngx_http_vllm_mock_error(ctx);
    }

    if (rc != NGX_OK) {
        vm_buf_free(&object);
        vm_error_set(&ctx->call.error, 400, "invalid_request_error",
                     "response_id", "Cannot cancel a synchronous response.");
        return ngx_http_vllm_mock_error(ctx);
    }

    if (cancel || !q.stream) {
        return ngx_http_vllm_mock_json(ctx, &object);
    }

    vm_buf_free(&object);

    if (!streamed) {
        vm_error_text(&ctx->call.error, ctx->pool, "response_id",
                      vm_pool_strdup(ctx->pool, id, len),
                      vm_pool_printf(ctx->pool, "Unknown response_id: %.*s",
                                     (int) len, id));
        return ngx_http_vllm_mock_error(ctx);
    }

    return ngx_http_vllm_mock_follow_start(ctx, number,
               q.starting_after.v < 0 ? 0
               : (ngx_uint_t) q.starting_after.v + 1);
}
