/*
 * A generation on a connection: its way into the engine, its tokens on the way
 * out, its end.
 */

#include "http.h"
#include "stream.h"
#include "../api/responses.h"


#define NGX_HTTP_VLLM_MOCK_BUSY                                               \
    "The engine is currently busy and cannot accept new requests. Please try "\
    "again later or on a different instance."


#define NGX_HTTP_VLLM_MOCK_HASHED  262144   /* tokens that a request makes */


static void ngx_http_vllm_mock_writer(ngx_http_request_t *r);


/* ---- the end ---- */

static void
ngx_http_vllm_mock_cancel(ngx_http_vllm_mock_stream_t *s)
{
    uint32_t                    i;
    vm_time_t                   now;
    ngx_http_vllm_mock_zone_t  *z;

    z = s->zone;

    if (s->generation->live == 0 || s->lost || s->nhandles == 0) {
        return;
    }

    ngx_http_vllm_mock_lock(z);

    if (s->epoch == z->shared->epoch) {
        now = ngx_http_vllm_mock_now();

        for (i = 0; i < s->nhandles; i++) {
            if (s->generation->choices[i].finish == NULL) {
                vm_engine_cancel(s->slots[i].engine, s->slots[i].handle, now);
            }
        }
    }

    ngx_http_vllm_mock_unlock(z);
}


/* Without the lock, as there are no numbers that must agree. */

static void
ngx_http_vllm_mock_parsed(ngx_http_vllm_mock_stream_t *s)
{
    ngx_uint_t              kind, mode, outcome;
    vm_parser_stats_t      *p;
    const vm_generation_t  *g;

    g = s->generation;
    p = &s->zone->shared->parser;
    kind = g->protocol == &vm_responses ? VM_PARSER_RESPONSES
                                        : VM_PARSER_CHAT;

    for (mode = 0; mode < VM_PARSER_MODES; mode++) {
        for (outcome = 0; outcome < VM_PARSER_OUTCOMES; outcome++) {
            if (g->parsed[mode][outcome]) {
                (void) ngx_atomic_fetch_add(&p->n[mode][outcome][kind],
                                            g->parsed[mode][outcome]);
            }
        }
    }
}


/* The engine has no more for it: nobody has to look there for its sake. */

static void
ngx_http_vllm_mock_over(ngx_http_vllm_mock_stream_t *s)
{
    ngx_http_vllm_mock_zone_t  *z;

    z = s->zone;

    if (s->uncounted) {
        return;
    }

    s->uncounted = 1;
    z->streams--;
    ngx_http_vllm_mock_parsed(s);

    /* without the lock: one word that no other process writes */

    z->shared->streams[z->owner] = (uint32_t) z->streams;
}


static void
ngx_http_vllm_mock_stream_cleanup(void *data)
{
    size_t                        i;
    ngx_http_vllm_mock_zone_t    *z;
    ngx_http_vllm_mock_stream_t  *s;

    s = data;
    z = s->zone;

    ngx_http_vllm_mock_cancel(s);
    ngx_http_vllm_mock_seen_end(s);

    /* events that were taken out of the engine, but not handed on yet */

    for (i = z->at; i < z->nevents; i++) {

        if (z->events[i].cookie
            && ((ngx_http_vllm_mock_slot_t *) (uintptr_t)
                z->events[i].cookie)->stream == s)
        {
            z->events[i].cookie = 0;
        }
    }

    if (s->touched) {
        ngx_queue_remove(&s->touch);
    }

    if (s->stall.timer_set) {
        ngx_del_timer(&s->stall);
    }

    ngx_queue_remove(&s->queue);
    ngx_http_vllm_mock_over(s);

    vm_generation_free(s->generation);
    vm_buf_free(&s->pending);
    vm_buf_free(&s->sending);
}


/* ---- writing ---- */

static void
ngx_http_vllm_mock_finish(ngx_http_vllm_mock_stream_t *s, ngx_int_t rc)
{
    if (s->request == NULL) {
        ngx_http_vllm_mock_background_end(s);
        return;
    }

    s->closed = 1;
    ngx_http_finalize_request(s->request, rc);
}


/* Whether what was handed to nginx has left its buffer. */

static ngx_uint_t
ngx_http_vllm_mock_idle(const ngx_http_vllm_mock_stream_t *s)
{
    return s->buf.pos == s->buf.last;
}


/* Hands what is pending to nginx.  NGX_AGAIN: the client reads slowly. */

static ngx_int_t
ngx_http_vllm_mock_push(ngx_http_vllm_mock_stream_t *s)
{
    vm_buf_t     b;
    ngx_int_t    rc;
    ngx_chain_t  out;

    if (!ngx_http_vllm_mock_idle(s)) {
        rc = ngx_http_output_filter(s->request, NULL);

        if (rc == NGX_ERROR || !ngx_http_vllm_mock_idle(s)) {
            return rc == NGX_ERROR ? rc : NGX_AGAIN;
        }
    }

    if (s->pending.failed) {
        return NGX_ERROR;
    }

    if (s->pending.len == 0) {
        return NGX_OK;
    }

    b = s->sending;
    s->sending = s->pending;
    s->pending = b;
    vm_buf_reset(&s->pending);

    ngx_memzero(&s->buf, sizeof(ngx_buf_t));

    s->buf.start = (u_char *) s->sending.data;
    s->buf.pos = s->buf.start;
    s->buf.last = s->buf.start + s->sending.len;
    s->buf.end = s->buf.last;
    s->buf.memory = 1;
    s->buf.flush = 1;
    s->buf.last_buf = s->done && s->request == s->request->main;
    s->buf.last_in_chain = s->done;
    s->ended = s->done;

    out.buf = &s->buf;
    out.next = NULL;

    rc = ngx_http_output_filter(s->request, &out);

    if (rc == NGX_ERROR) {
        return rc;
    }

    return ngx_http_vllm_mock_idle(s) ? NGX_OK : NGX_AGAIN;
}


/* ORCA's endpoint-load-metrics, for who asks for it */

static ngx_int_t
ngx_http_vllm_mock_load_header(ngx_http_vllm_mock_ctx_t *ctx)
{
    char                           text[256];
    double                         usage;
    size_t                         len;
    vm_buf_t                       b;
    uint64_t                       blocks, used, waiting;
    ngx_uint_t                     json, r;
    const vm_stats_t              *st;
    ngx_http_vllm_mock_engines_t  *e;

    json = ngx_strcasecmp((u_char *) ctx->load_format, (u_char *) "json")
           == 0;

    if (!json && ngx_strcasecmp((u_char *) ctx->load_format,
                                (u_char *) "text") != 0)
    {
        return NGX_OK;
    }

    ngx_http_vllm_mock_lock(ctx->zone);

    e = &ctx->zone->shared->engines[ctx->zone->shared->current];

    for (blocks = 0, used = 0, waiting = 0, r = 0; r < e->nranks; r++) {
        st = vm_engine_stats(e->ranks[r]);
        waiting += st->waiting;
        used += st->used_blocks;
        blocks += st->num_gpu_blocks - 1;
    }

    ngx_http_vllm_mock_unlock(ctx->zone);

    usage = blocks ? (double) used / (double) blocks : 0;

    vm_buf_init(&b);
    vm_buf_double(&b, usage);

    len = (size_t) snprintf(text, sizeof(text), json
              ? "JSON {\"named_metrics\": {\"num_requests_waiting\": %llu.0, "
                "\"kv_cache_usage_perc\": %.*s}}"
              : "TEXT named_metrics.num_requests_waiting=%llu.0, "
                "named_metrics.kv_cache_usage_perc=%.*s",
              (unsigned long long) waiting, (int) b.len, b.data);
    vm_buf_free(&b);

    return ngx_http_vllm_mock_header_add(ctx->request,
                                         "endpoint-load-metrics", text, len);
}


/* What does not stream, at its end. */

static ngx_int_t
ngx_http_vllm_mock_answer(ngx_http_vllm_mock_stream_t *s)
{
    const char  *metadata, *type;

    type = s->generation->type;
    metadata = s->generation->metadata;

    if (metadata
        && ngx_http_vllm_mock_header_add(s->request, "metadata", metadata,
                                         ngx_strlen(metadata))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return type ? ngx_http_vllm_mock_send_chunked(s->ctx, type,
                                                  s->pending.data,
                                                  s->pending.len)
                : ngx_http_vllm_mock_send(s->ctx, NGX_HTTP_OK,
                                          NGX_HTTP_VLLM_MOCK_JSON,
                                          s->pending.data, s->pending.len);
}


static void
ngx_http_vllm_mock_flush(ngx_http_vllm_mock_stream_t *s)
{
    ngx_int_t                     rc;
    ngx_event_t                  *wev;
    ngx_http_request_t           *r;
    ngx_http_core_loc_conf_t     *clcf;
    ngx_http_vllm_mock_struck_e   struck;

    r = s->request;

    if (r == NULL) {
        ngx_http_vllm_mock_background_flush(s);
        return;
    }

    struck = s->ctx->fault ? ngx_http_vllm_mock_fault_tokens(s)
                           : NGX_HTTP_VLLM_MOCK_SOUND;

    if (struck == NGX_HTTP_VLLM_MOCK_STALLED) {
        return;
    }

    if (s->done && s->generation->kept && !s->ended) {
        ngx_http_vllm_mock_keep_answer(s);
    }

    if (!s->generation->stream) {

        if (struck == NGX_HTTP_VLLM_MOCK_CUT) {
            ngx_http_vllm_mock_finish(s, NGX_HTTP_CLOSE);
            return;
        }

        if (!s->done) {
            return;
        }

        if (s->pending.failed) {
            ngx_http_vllm_mock_finish(s, NGX_HTTP_INTERNAL_SERVER_ERROR);
            return;
        }

        if (s->ctx->load_format
            && ngx_http_vllm_mock_load_header(s->ctx) != NGX_OK)
        {
            ngx_http_vllm_mock_finish(s, NGX_HTTP_INTERNAL_SERVER_ERROR);
            return;
        }

        ngx_http_vllm_mock_finish(s, ngx_http_vllm_mock_answer(s));
        return;
    }

    rc = ngx_http_vllm_mock_push(s);

    if (rc == NGX_OK && s->pending.len) {
        rc = ngx_http_vllm_mock_push(s);
    }

    if (rc == NGX_ERROR || struck == NGX_HTTP_VLLM_MOCK_CUT) {
        ngx_http_vllm_mock_finish(s, NGX_ERROR);
        return;
    }

    if (s->ended) {

        /* nginx sends what is left of it */

        ngx_http_vllm_mock_finish(s, NGX_OK);
        return;
    }

    wev = r->connection->write;

    if (rc == NGX_AGAIN) {
        r->write_event_handler = ngx_http_vllm_mock_writer;
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        if (!wev->delayed) {
            ngx_add_timer(wev, clcf->send_timeout);
        }

        if (ngx_handle_write_event(wev, clcf->send_lowat) != NGX_OK) {
            ngx_http_vllm_mock_finish(s, NGX_ERROR);
        }

        return;
    }

    if (wev->timer_set && !wev->delayed) {
        ngx_del_timer(wev);
    }

    r->write_event_handler = ngx_http_request_empty_handler;
}


static void
ngx_http_vllm_mock_writer(ngx_http_request_t *r)
{
    ngx_http_vllm_mock_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_vllm_mock_module);

    if (r->connection->write->timedout) {
        r->connection->timedout = 1;
        ngx_http_vllm_mock_finish(ctx->stream, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    ngx_http_vllm_mock_flush(ctx->stream);
}


void
ngx_http_vllm_mock_stream_go_on(ngx_http_vllm_mock_stream_t *s)
{
    ngx_http_vllm_mock_flush(s);
}


/* ---- tokens that came ---- */

static const char *
ngx_http_vllm_mock_reason(const vm_choice_t *c, vm_finish_e finish)
{
    static const char *const  reasons[VM_FINISH_KINDS] = {
        NULL, "stop", "length", "abort", "error", "repetition"
    };

    if (finish == VM_FINISH_STOP && c->stop == VM_STOP_REPETITION) {
        return reasons[VM_FINISH_REPETITION];
    }

    return reasons[finish];
}


static void
ngx_http_vllm_mock_touch(ngx_http_vllm_mock_stream_t *s)
{
    if (!s->touched) {
        s->touched = 1;
        ngx_queue_insert_tail(&s->zone->touched, &s->touch);
    }
}


void
ngx_http_vllm_mock_stream_event(ngx_http_vllm_mock_zone_t *z,
    const vm_event_t *ev)
{
    vm_choice_t                  *c;
    ngx_http_vllm_mock_slot_t    *slot;
    ngx_http_vllm_mock_stream_t  *s;

    (void) z;

    slot = (ngx_http_vllm_mock_slot_t *) (uintptr_t) ev->cookie;

    if (slot == NULL) {
        return;
    }

    s = slot->stream;
    c = &s->generation->choices[slot->choice];

    if (s->closed || s->done) {
        return;
    }

    c->queued = (double) ev->queued / VM_NSEC;
    c->scheduled = (double) ev->scheduled / VM_NSEC;
    c->first_token = (double) ev->first_token / VM_NSEC;
    c->last_token = (double) ev->due / VM_NSEC;
    c->cached_tokens = ev->cached_tokens;

    if (s->beams) {
        ngx_http_vllm_mock_beams_event(s, slot->choice, ev);

    } else {
        vm_generation_tokens(s->generation, c, ev->count,
                             ngx_http_vllm_mock_reason(c, ev->finish),
                             &s->pending);
    }

    if (s->due == 0 || !s->generation->stream) {
        s->due = ev->due;
    }

    if (s->generation->live == 0) {
        s->done = 1;
        ngx_http_vllm_mock_over(s);
    }

    ngx_http_vllm_mock_touch(s);
}


/* After a batch: one write for each stream, however many tokens it got. */

void
ngx_http_vllm_mock_stream_flush(ngx_http_vllm_mock_zone_t *z)
{
    vm_time_t                     late;
    ngx_queue_t                  *q;
    ngx_connection_t             *c;
    ngx_http_vllm_mock_stream_t  *s;

    while (!ngx_queue_empty(&z->touched)) {
        q = ngx_queue_head(&z->touched);
        s = ngx_queue_data(q, ngx_http_vllm_mock_stream_t, touch);
        ngx_queue_remove(q);
        s->touched = 0;

        if (!s->started) {
            continue;                   /* its request is being handled */
        }

        if (s->due && (s->generation->stream || s->done)) {
            late = ngx_http_vllm_mock_now() - s->due;
            late = vm_max(late, 0);
            s->lateness = vm_max(s->lateness, late);
            s->due = 0;
            ngx_http_vllm_mock_lateness(z, late);
        }

        c = s->request ? s->request->connection : NULL;
        ngx_http_vllm_mock_flush(s);

        /* a request that ends with an error is only posted by then */

        if (c) {
            ngx_http_run_posted_requests(c);
        }
    }
}


/*
 * The engines began anew: what was under way is over, but for what was
 * submitted since.
 */

void
ngx_http_vllm_mock_stream_lost(ngx_http_vllm_mock_zone_t *z)
{
    vm_error_t                    e;
    ngx_queue_t                  *next, *q;
    ngx_http_vllm_mock_stream_t  *s;

    ngx_memzero(&e, sizeof(vm_error_t));
    vm_error_memory(&e);

    for (q = ngx_queue_head(&z->all); q != ngx_queue_sentinel(&z->all);
         q = next)
    {
        next = ngx_queue_next(q);
        s = ngx_queue_data(q, ngx_http_vllm_mock_stream_t, queue);

        if (s->lost || s->closed || s->done || s->epoch == z->epoch) {
            continue;
        }

        s->lost = 1;
        ngx_http_vllm_mock_over(s);

        if (s->generation->stream) {
            vm_generation_fail(s->generation, &e, &s->pending);
            s->done = 1;
            ngx_http_vllm_mock_touch(s);
            continue;
        }

        if (s->request == NULL) {
            s->done = 1;
            ngx_http_vllm_mock_touch(s);
            continue;
        }

        s->ctx->call.error = e;
        ngx_http_vllm_mock_finish(s, ngx_http_vllm_mock_error(s->ctx));
    }
}


/* ---- into the engine ---- */

/* The key of all blocks but the first, of which the salt is a part. */

static uint64_t
ngx_http_vllm_mock_later(const vm_generation_t *g)
{
    return vm_block_extra(g->adapter.number ? g->adapter.name.data : NULL,
                          g->adapter.name.len, NULL, 0);
}


/*
 * Hashes of the full blocks of a choice's prompt and output; `first` is another
 * choice of the prompt, or NULL.  Of what a request makes no more than that
 * many tokens are hashed: later blocks are never found again.
 */

static uint64_t *
ngx_http_vllm_mock_hashes(ngx_http_vllm_mock_stream_t *s, vm_choice_t *c,
    uint32_t block, const vm_engine_seq_t *first, uint32_t *n)
{
    uint32_t             i, k, length, output, ids[256];
    uint64_t             extra, *hashes, parent;
    vm_generation_t     *g;
    const json_t        *salt;
    const vm_prompt_t   *p;

    g = s->generation;
    p = &g->prompts[c->prompt];
    length = p->n;

    if (!g->pooling) {
        output = c->stop ? c->stop_at + 1 : g->max_tokens[c->prompt];
        length += vm_min(output, NGX_HTTP_VLLM_MOCK_HASHED / g->nchoices);
    }

    salt = g->params.cache_salt;

    *n = length / block;
    hashes = vm_pool_alloc(g->pool, (*n + 1) * sizeof(uint64_t));

    if (hashes == NULL || block > vm_nelts(ids)) {
        *n = 0;
        return hashes;
    }

    extra = vm_block_extra(g->adapter.number ? g->adapter.name.data : NULL,
                           g->adapter.name.len,
                           salt ? json_string_value(salt) : NULL,
                           salt ? json_string_length(salt) : 0);

    /* those of the prompt are the same as of its first choice */

    k = first ? vm_min(p->n / block, vm_min(first->nhashes, *n)) : 0;
    parent = 0;

    if (k) {
        ngx_memcpy(hashes, first->hashes, k * sizeof(uint64_t));
        parent = hashes[k - 1];
        extra = ngx_http_vllm_mock_later(g);
    }

    for (i = k; i < *n; i++) {

        for (k = 0; k < block; k++) {
            length = i * block + k;
            ids[k] = length < p->n
                     ? p->ids[length]
                     : vm_generation_token(g, c, length - p->n);
        }

        parent = vm_block_hash(parent, ids, block, extra);
        hashes[i] = parent;

        if (i == 0) {

            /* the salt is part of the first block alone */

            extra = ngx_http_vllm_mock_later(g);
        }
    }

    return hashes;
}


static ngx_int_t
ngx_http_vllm_mock_prepare(ngx_http_vllm_mock_stream_t *s,
    vm_engine_seq_t *seqs)
{
    uint32_t            block, i;
    vm_choice_t        *c;
    vm_generation_t    *g;
    vm_engine_conf_t   *conf;

    g = s->generation;
    conf = s->ctx->conf->server->engine_conf;
    block = conf->block_size;

    for (i = 0; i < g->nchoices; i++) {
        c = &g->choices[i];

        s->slots[i].stream = s;
        s->slots[i].choice = i;

        ngx_memzero(&seqs[i], sizeof(vm_engine_seq_t));
        seqs[i].cookie = (uint64_t) (uintptr_t) &s->slots[i];
        seqs[i].eos_at = VM_NEVER;
        seqs[i].string_at = VM_NEVER;

        switch (c->stop) {

        case VM_STOP_STRING:
            seqs[i].string_at = c->stop_at;
            break;

        case VM_STOP_REPETITION:
            seqs[i].eos_finish = VM_FINISH_REPETITION;

            /* fall through */

        case VM_STOP_EOS:
        case VM_STOP_TOKEN:
            seqs[i].eos_at = c->stop_at;
            break;

        default:
            break;
        }

        if (conf->prefix_caching) {
            seqs[i].hashes = ngx_http_vllm_mock_hashes(s, c, block,
                                                       i % g->n
                                                       ? &seqs[i - i % g->n]
                                                       : NULL,
                                                       &seqs[i].nhashes);
            if (seqs[i].hashes == NULL) {
                return NGX_ERROR;
            }
        }
    }

    return ngx_http_vllm_mock_beams_are(s)
           ? ngx_http_vllm_mock_beams_create(s, seqs) : NGX_OK;
}


static int
ngx_http_vllm_mock_submit_prompt(ngx_http_vllm_mock_stream_t *s, uint32_t i,
    vm_engine_t *engine, vm_engine_seq_t *seqs, vm_handle_t *handles)
{
    vm_generation_t      *g;
    vm_engine_request_t   q;

    g = s->generation;

    ngx_memzero(&q, sizeof(vm_engine_request_t));
    q.owner = (uint32_t) s->zone->owner;
    q.prompt_tokens = g->prompts[i].n;
    q.max_tokens = g->max_tokens[i];
    q.priority = g->priority;
    q.lora = g->adapter.number;
    q.arrival = s->ctx->started;
    q.no_prefix_lookup = g->no_prefix_lookup;
    q.remote_prefill = g->remote_prefill;
    q.remote_decode = g->remote_decode;
    q.pooling = g->pooling;
    q.n = g->n;
    q.seqs = seqs;

    return vm_engine_submit(engine, &q, handles, ngx_http_vllm_mock_now());
}


/* Under the lock.  All of its prompts get in, or none. */

static int
ngx_http_vllm_mock_submit(ngx_http_vllm_mock_stream_t *s,
    vm_engine_seq_t *seqs, vm_handle_t *handles)
{
    int                            rc;
    uint32_t                       i, k, rank;
    vm_generation_t               *g;
    ngx_http_vllm_mock_shared_t   *sh;
    ngx_http_vllm_mock_engines_t  *e;

    g = s->generation;
    sh = s->zone->shared;
    e = &sh->engines[sh->current];
    s->epoch = sh->epoch;

    for (i = 0; i < g->nprompts; i++) {
        rank = g->dp_rank;

        if (rank == VM_NEVER || rank >= e->nranks) {
            rank = e->nranks > 1
                   ? vm_engine_balance(e->ranks, (uint32_t) e->nranks,
                                       &sh->turn)
                   : 0;
        }

        rc = s->beams ? ngx_http_vllm_mock_beams_start(s, i, e->ranks[rank],
                                                       handles + i * g->n)
                      : ngx_http_vllm_mock_submit_prompt(s, i, e->ranks[rank],
                                                         seqs + i * g->n,
                                                         handles + i * g->n);
        if (rc != VM_OK) {
            for (k = 0; k < i * g->n; k++) {
                vm_engine_cancel(s->slots[k].engine, handles[k],
                                 ngx_http_vllm_mock_now());
            }

            return rc;
        }

        for (k = i * g->n; k < (i + 1) * g->n; k++) {
            s->slots[k].engine = e->ranks[rank];
            s->slots[k].handle = handles[k];
        }
    }

    s->nhandles = g->nchoices;
    ngx_http_vllm_mock_seen_begin(s);

    return VM_OK;
}


static ngx_http_vllm_mock_stream_t *
ngx_http_vllm_mock_stream_create(ngx_http_vllm_mock_ctx_t *ctx,
    vm_generation_t *g)
{
    ngx_pool_cleanup_t           *cln;
    ngx_http_vllm_mock_stream_t  *s;

    s = ngx_pcalloc(ctx->npool, sizeof(ngx_http_vllm_mock_stream_t));
    cln = ngx_pool_cleanup_add(ctx->npool, 0);

    if (s == NULL || cln == NULL) {
        return NULL;
    }

    s->slots = vm_pool_calloc(ctx->pool, g->nchoices + 1,
                              sizeof(ngx_http_vllm_mock_slot_t));
    if (s->slots == NULL) {
        return NULL;
    }

    s->ctx = ctx;
    s->request = ctx->request;
    s->zone = ctx->zone;
    s->generation = g;

    ngx_queue_insert_tail(&s->zone->all, &s->queue);
    s->zone->streams++;

    cln->handler = ngx_http_vllm_mock_stream_cleanup;
    cln->data = s;

    ctx->stream = s;

    return s;
}


/* A stream that fails only now has its 200 already. */

static ngx_int_t
ngx_http_vllm_mock_late(ngx_http_vllm_mock_ctx_t *ctx, vm_generation_t *g)
{
    vm_buf_t   b;
    ngx_int_t  rc;

    if (!g->stream) {
        ctx->call.error = g->late;
        return ngx_http_vllm_mock_error(ctx);
    }

    vm_buf_init(&b);
    vm_generation_fail(g, &g->late, &b);

    rc = ngx_http_vllm_mock_head(ctx, NGX_HTTP_OK, NGX_HTTP_VLLM_MOCK_SSE,
                                 -1);

    if (rc == NGX_OK) {
        ngx_buf_t    *buf;
        ngx_chain_t   out;

        buf = ngx_create_temp_buf(ctx->request->pool, b.len);

        if (buf) {
            buf->last = ngx_cpymem(buf->pos, b.data, b.len);
            buf->last_buf = 1;
            buf->last_in_chain = 1;
            out.buf = buf;
            out.next = NULL;
            rc = ngx_http_output_filter(ctx->request, &out);

        } else {
            rc = NGX_ERROR;
        }
    }

    vm_buf_free(&b);

    return rc;
}


static void
ngx_http_vllm_mock_busy(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_error_set(&ctx->call.error, 503, "Service Unavailable", NULL,
                 NGX_HTTP_VLLM_MOCK_BUSY);
}


static ngx_int_t
ngx_http_vllm_mock_turned_away(ngx_http_vllm_mock_stream_t *s)
{
    s->closed = 1;
    ngx_http_vllm_mock_busy(s->ctx);

    return NGX_DECLINED;
}


/* Over without the engine: too little of its prompt is in the cache. */

static void
ngx_http_vllm_mock_unsent(ngx_http_vllm_mock_stream_t *s)
{
    uint32_t          i;
    vm_generation_t  *g;

    g = s->generation;

    for (i = 0; i < g->nchoices; i++) {
        vm_generation_tokens(g, &g->choices[i], 0, "cache_threshold",
                             &s->pending);
    }

    s->done = 1;
    ngx_http_vllm_mock_over(s);
}


ngx_int_t
ngx_http_vllm_mock_enter(ngx_http_vllm_mock_ctx_t *ctx,
    const vm_protocol_t *protocol, const json_t *body,
    ngx_http_vllm_mock_stream_t **stream)
{
    int                           rc;
    vm_handle_t                  *handles;
    vm_generation_t              *g;
    vm_engine_seq_t              *seqs;
    ngx_http_vllm_mock_stream_t  *s;

    g = vm_generation_create(&ctx->call, protocol);
    if (g == NULL) {
        return NGX_ERROR;
    }

    if (vm_generation_parse(g, body) != VM_OK) {
        vm_generation_free(g);
        return NGX_DECLINED;
    }

    s = ngx_http_vllm_mock_stream_create(ctx, g);
    if (s == NULL) {
        vm_generation_free(g);
        return NGX_ERROR;
    }

    *stream = s;

    if (g->late.status) {
        s->closed = 1;
        g->live = 0;
        ctx->call.error = g->late;
        return NGX_DECLINED;
    }

    if (g->nchoices > ctx->conf->server->engine_conf->max_live) {
        return ngx_http_vllm_mock_turned_away(s);   /* before all that work */
    }

    seqs = vm_pool_alloc(ctx->pool, g->nchoices * sizeof(vm_engine_seq_t));
    handles = vm_pool_alloc(ctx->pool, g->nchoices * sizeof(vm_handle_t));

    if (seqs == NULL || handles == NULL
        || ngx_http_vllm_mock_prepare(s, seqs) != NGX_OK)
    {
        return NGX_ERROR;
    }

    switch (ngx_http_vllm_mock_llmd_threshold(s, body, seqs)) {

    case NGX_OK:
        ngx_http_vllm_mock_unsent(s);
        return NGX_OK;

    case NGX_ERROR:
        s->closed = 1;
        g->live = 0;
        return NGX_DECLINED;

    default:
        break;
    }

    ngx_http_vllm_mock_lock(ctx->zone);
    rc = ngx_http_vllm_mock_submit(s, seqs, handles);
    ngx_http_vllm_mock_unlock(ctx->zone);

    if (rc == VM_ERROR) {
        s->closed = 1;
        vm_error_memory(&ctx->call.error);      /* a fault of ours */
        return NGX_DECLINED;
    }

    return rc == VM_OK ? NGX_OK : ngx_http_vllm_mock_turned_away(s);
}


ngx_int_t
ngx_http_vllm_mock_admit(ngx_http_vllm_mock_ctx_t *ctx)
{
    if (ngx_http_vllm_mock_own(ctx->zone) != NGX_OK) {
        ngx_http_vllm_mock_busy(ctx);
        return ngx_http_vllm_mock_error(ctx);
    }

    return ngx_http_vllm_mock_limited(ctx);
}


ngx_int_t
ngx_http_vllm_mock_generate(ngx_http_vllm_mock_ctx_t *ctx,
    const vm_protocol_t *protocol, const json_t *body)
{
    ngx_int_t                     rc;
    vm_generation_t              *g;
    ngx_http_request_t           *r;
    ngx_http_vllm_mock_stream_t  *s;

    r = ctx->request;
    s = NULL;

    rc = ngx_http_vllm_mock_admit(ctx);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_vllm_mock_enter(ctx, protocol, body, &s);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_DECLINED) {
        return s && s->generation->late.status
               ? ngx_http_vllm_mock_late(ctx, s->generation)
               : ngx_http_vllm_mock_error(ctx);
    }

    g = s->generation;

    if (ctx->settings->load_tracking) {
        (void) ngx_atomic_fetch_add(&ctx->zone->shared->load, 1);
        ctx->loaded = 1;
    }

    if (g->stream) {
        rc = ngx_http_vllm_mock_head(ctx, NGX_HTTP_OK,
                                     NGX_HTTP_VLLM_MOCK_SSE, -1);

        if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
            s->closed = 1;
            return rc;
        }
    }

    /* what is due at once is taken along before the first wait */

    ngx_http_vllm_mock_tick(ctx->zone);

    s->started = 1;

    if (ngx_http_vllm_mock_watch(r) != NGX_OK) {
        s->closed = 1;
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* the head of a stream goes out before its first token, as uvicorn's */

    if (g->stream && s->pending.len == 0 && !s->done
        && ngx_http_send_special(r, NGX_HTTP_FLUSH) == NGX_ERROR)
    {
        s->closed = 1;
        return NGX_ERROR;
    }

    if (s->done || s->pending.len || g->stream) {
        ngx_http_vllm_mock_flush(s);
    }

    return NGX_DONE;
}
