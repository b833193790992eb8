/*
 * The replica count of the cluster: read by a subrequest to an internal
 * location which proxies to the Kubernetes API, kept in the zone; and the
 * service account's token for that location.
 */

#include "http.h"


#define NGX_HTTP_VLLM_MOCK_COUNT_WAIT   400             /* a scrape, ms */
#define NGX_HTTP_VLLM_MOCK_COUNT_LOST   (5 * VM_NSEC)   /* its worker died */
#define NGX_HTTP_VLLM_MOCK_COUNT_MAX    1000000
#define NGX_HTTP_VLLM_MOCK_COUNT_BODY   (1024 * 1024)

#define NGX_HTTP_VLLM_MOCK_COUNT_NEVER  0
#define NGX_HTTP_VLLM_MOCK_COUNT_UP     1
#define NGX_HTTP_VLLM_MOCK_COUNT_DOWN   2


/* A request that waits for the count. */

typedef struct {
    ngx_http_vllm_mock_ctx_t        *ctx;
    ngx_http_vllm_mock_endpoint_pt   then;
    ngx_http_request_t              *subrequest;
    vm_buf_t                         body;         /* its answer */
    ngx_event_t                      timer;
    ngx_uint_t                       log_level;
    unsigned                         quiet:1;
    unsigned                         asked:1;      /* not told the zone yet */
    unsigned                         waiting:1;    /* not answered yet */
    unsigned                         told:1;       /* the subrequest is over */
    unsigned                         large:1;      /* more than fits */
} ngx_http_vllm_mock_count_t;


static ngx_int_t ngx_http_vllm_mock_count_done(ngx_http_request_t *r,
    void *data, ngx_int_t rc);

static ngx_http_output_body_filter_pt  ngx_http_next_body_filter;


/*
 * nginx tells every failure of an upstream; while the source is known to be
 * down that is one line too many at each scrape.
 */

static void
ngx_http_vllm_mock_count_quiet(ngx_http_vllm_mock_count_t *w, ngx_uint_t on)
{
    ngx_log_t  *log;

    log = w->ctx->request->connection->log;

    if (on && !w->quiet && !(log->log_level & NGX_LOG_DEBUG_ALL)) {
        w->log_level = log->log_level;
        log->log_level = NGX_LOG_EMERG;
        w->quiet = 1;

    } else if (!on && w->quiet) {
        log->log_level = w->log_level;
        w->quiet = 0;
    }
}


/* How a refresh ended; why is NULL if it was well. */

static void
ngx_http_vllm_mock_count_end(ngx_http_vllm_mock_count_t *w, ngx_uint_t n,
    const char *why)
{
    ngx_uint_t                      before, count, state;
    ngx_log_t                      *log;
    ngx_http_vllm_mock_zone_t      *z;
    ngx_http_vllm_mock_shared_t    *sh;
    ngx_http_vllm_mock_srv_conf_t  *server;

    if (!w->asked) {
        return;
    }

    w->asked = 0;
    ngx_http_vllm_mock_count_quiet(w, 0);

    z = w->ctx->zone;
    sh = z->shared;
    server = w->ctx->conf->server;
    state = why ? NGX_HTTP_VLLM_MOCK_COUNT_DOWN : NGX_HTTP_VLLM_MOCK_COUNT_UP;

    ngx_http_vllm_mock_lock(z);

    before = sh->replicas.state;
    sh->replicas.state = state;
    sh->replicas.tried = ngx_http_vllm_mock_now();
    sh->replicas.since = 0;

    if (why == NULL) {
        sh->replicas.value = n;
        sh->replicas.known = 1;
    }

    count = sh->replicas.known ? sh->replicas.value : server->replicas_fixed;

    ngx_http_vllm_mock_unlock(z);

    if (before == state) {
        return;
    }

    log = w->ctx->request->connection->log;

    if (why) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "vllm_mock: no replica count from \"%V\": %s; %ui is "
                      "served until there is one", &server->replicas_uri, why,
                      count);

    } else {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "vllm_mock: the replica count comes from \"%V\": %ui",
                      &server->replicas_uri, count);
    }
}


/*
 * spec.replicas.  A Scale object leaves out a zero, others what is one by
 * default.
 */

static const char *
ngx_http_vllm_mock_count_parse(const char *text, size_t len, ngx_uint_t *n)
{
    json_t       *o, *replicas, *spec;
    ngx_uint_t    i;
    const char   *kind, *why;

    static const struct {
        const char  *kind;
        ngx_uint_t   replicas;
    }  defaults[] = {
        { "Deployment", 1 },
        { "StatefulSet", 1 },
        { "ReplicaSet", 1 },
        { "Scale", 0 }
    };

    o = json_loadb(text, len, 0, NULL);
    spec = json_object_get(o, "spec");
    replicas = json_object_get(spec, "replicas");
    kind = json_string_value(json_object_get(o, "kind"));
    why = NULL;

    if (o == NULL) {
        why = "the answer is no JSON";

    } else if (!json_is_object(spec)) {
        why = "the answer has no \"spec\"";

    } else if (json_is_null(replicas)) {
        *n = 1;

    } else if (replicas == NULL) {
        why = "the answer has no \"spec.replicas\"";

        for (i = 0; kind && i < vm_nelts(defaults); i++) {
            if (strcmp(kind, defaults[i].kind) == 0) {
                *n = defaults[i].replicas;
                why = NULL;
            }
        }

    } else if (!json_is_integer(replicas)
               || json_integer_value(replicas) < 0
               || json_integer_value(replicas) > NGX_HTTP_VLLM_MOCK_COUNT_MAX)
    {
        why = "\"spec.replicas\" is no count";

    } else {
        *n = (ngx_uint_t) json_integer_value(replicas);
    }

    json_decref(o);

    return why;
}


/*
 * The body of the subrequest is kept here and goes nowhere.  (nginx's own way
 * of keeping it breaks the client's connection if it is larger than expected.)
 */

static ngx_int_t
ngx_http_vllm_mock_count_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t                   *b;
    ngx_http_vllm_mock_count_t  *w;

    if (r == r->main || r->post_subrequest == NULL
        || r->post_subrequest->handler != ngx_http_vllm_mock_count_done)
    {
        return ngx_http_next_body_filter(r, in);
    }

    w = r->post_subrequest->data;

    for ( /* void */ ; in; in = in->next) {
        b = in->buf;

        if (ngx_buf_in_memory(b)) {

            if (w->body.len + (size_t) (b->last - b->pos)
                > NGX_HTTP_VLLM_MOCK_COUNT_BODY)
            {
                w->large = 1;
            }

            if (!w->large) {
                vm_buf_add(&w->body, (char *) b->pos,
                           (size_t) (b->last - b->pos));
            }

            b->pos = b->last;
        }

        b->file_pos = b->file_last;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_vllm_mock_count_init(ngx_conf_t *cf)
{
    (void) cf;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_vllm_mock_count_body;

    return NGX_OK;
}


/* The subrequest is over, well or not: the request may go on. */

static ngx_int_t
ngx_http_vllm_mock_count_done(ngx_http_request_t *r, void *data,
    ngx_int_t rc)
{
    char                         text[64];
    ngx_uint_t                   n;
    const char                  *why;
    ngx_http_vllm_mock_count_t  *w;

    w = data;

    if (w->told) {
        return NGX_OK;
    }

    w->told = 1;
    n = 0;

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        r->headers_out.status = (ngx_uint_t) rc;
    }

    if (rc < NGX_OK) {
        why = "the subrequest failed";

    } else if (r->headers_out.status != NGX_HTTP_OK) {
        ngx_sprintf((u_char *) text, "status %ui%Z", r->headers_out.status);
        why = text;

    } else if (w->large) {
        why = "the answer is larger than 1 MiB";

    } else {
        why = ngx_http_vllm_mock_count_parse(w->body.data, w->body.len, &n);
    }

    ngx_http_vllm_mock_count_end(w, n, why);

    if (w->waiting) {
        (void) ngx_http_post_request(w->ctx->request, NULL);
    }

    /* whatever it was, it must not end the request itself */

    return NGX_OK;
}


static void
ngx_http_vllm_mock_count_answer(ngx_http_vllm_mock_count_t *w)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = w->ctx->request;
    w->waiting = 0;

    if (w->timer.timer_set) {
        ngx_del_timer(&w->timer);
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    rc = w->then(w->ctx);

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }
}


/* It was posted by the end of the subrequest, or the socket can be written. */

static void
ngx_http_vllm_mock_count_resume(ngx_http_request_t *r)
{
    ngx_http_vllm_mock_ctx_t    *ctx;
    ngx_http_vllm_mock_count_t  *w;

    ctx = ngx_http_get_module_ctx(r, ngx_http_vllm_mock_module);
    w = ctx->count;

    if (w->waiting && w->told) {
        ngx_http_vllm_mock_count_answer(w);
    }
}


/*
 * No answer in time: the last value is served.  The subrequest's upstream is
 * given up as nginx does it when a client is gone, so that the next request of
 * this connection need not wait for it.
 */

static void
ngx_http_vllm_mock_count_late(ngx_event_t *ev)
{
    ngx_connection_t            *c;
    ngx_http_request_t          *r, *sr;
    ngx_http_cleanup_pt          give_up;
    ngx_http_vllm_mock_count_t  *w;

    w = ev->data;
    r = w->ctx->request;
    c = r->connection;
    sr = w->subrequest;

    ngx_http_set_log_request(c->log, r);

    if (!w->told) {
        ngx_http_vllm_mock_count_end(w, 0, "no answer within 400 ms");

        if (sr->upstream && sr->upstream->cleanup
            && *sr->upstream->cleanup)
        {
            w->told = 1;
            give_up = *sr->upstream->cleanup;
            give_up(sr);
        }
    }

    ngx_http_vllm_mock_count_answer(w);
    ngx_http_run_posted_requests(c);
}


static void
ngx_http_vllm_mock_count_cleanup(void *data)
{
    ngx_http_vllm_mock_count_t  *w;

    w = data;

    if (w->timer.timer_set) {
        ngx_del_timer(&w->timer);
    }

    /* the client's connection ended: that says nothing of the source */

    if (w->asked) {
        w->asked = 0;
        ngx_http_vllm_mock_count_quiet(w, 0);

        ngx_http_vllm_mock_lock(w->ctx->zone);
        w->ctx->zone->shared->replicas.since = 0;
        ngx_http_vllm_mock_unlock(w->ctx->zone);
    }

    vm_buf_free(&w->body);
}


/* Is it this request's turn to ask? */

static ngx_uint_t
ngx_http_vllm_mock_count_turn(ngx_http_vllm_mock_ctx_t *ctx,
    ngx_uint_t *state)
{
    vm_time_t                     now, ttl;
    ngx_uint_t                    turn;
    ngx_http_vllm_mock_shared_t  *sh;

    sh = ctx->zone->shared;
    ttl = (vm_time_t) ctx->conf->server->replicas_ttl * VM_MSEC;

    ngx_http_vllm_mock_lock(ctx->zone);

    now = ngx_http_vllm_mock_now();

    turn = (sh->replicas.since == 0
            || now - sh->replicas.since > NGX_HTTP_VLLM_MOCK_COUNT_LOST)
           && (sh->replicas.state == NGX_HTTP_VLLM_MOCK_COUNT_NEVER
               || now - sh->replicas.tried >= ttl);

    if (turn) {
        sh->replicas.since = now;
    }

    *state = sh->replicas.state;

    ngx_http_vllm_mock_unlock(ctx->zone);

    return turn;
}


static ngx_int_t
ngx_http_vllm_mock_count_ask(ngx_http_vllm_mock_count_t *w)
{
    ngx_str_t                    args, uri;
    ngx_uint_t                   flags;
    ngx_http_request_t          *r;
    ngx_http_cleanup_t          *cln;
    ngx_http_post_subrequest_t  *ps;

    r = w->ctx->request;

    ps = ngx_palloc(r->pool, sizeof(ngx_http_post_subrequest_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (ps == NULL || cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_vllm_mock_count_cleanup;
    cln->data = w;

    vm_buf_init(&w->body);

    ps->handler = ngx_http_vllm_mock_count_done;
    ps->data = w;

    uri = w->ctx->conf->server->replicas_uri;
    ngx_str_null(&args);
    flags = NGX_HTTP_LOG_UNSAFE;

    if (ngx_http_parse_unsafe_uri(r, &uri, &args, &flags) != NGX_OK) {
        return NGX_ERROR;
    }

    /* in the background: it never holds back what the request itself sends */

    return ngx_http_subrequest(r, &uri, &args, &w->subrequest, ps,
                               NGX_HTTP_SUBREQUEST_IN_MEMORY
                               |NGX_HTTP_SUBREQUEST_BACKGROUND);
}


ngx_int_t
ngx_http_vllm_mock_count(ngx_http_vllm_mock_ctx_t *ctx,
    ngx_http_vllm_mock_endpoint_pt then)
{
    ngx_uint_t                   state;
    ngx_http_request_t          *r;
    ngx_http_vllm_mock_count_t  *w;

    r = ctx->request;

    if (ctx->conf->server->replicas_uri.len == 0 || ctx->count
        || r != r->main || !ngx_http_vllm_mock_count_turn(ctx, &state))
    {
        return NGX_OK;
    }

    w = ngx_pcalloc(r->pool, sizeof(ngx_http_vllm_mock_count_t));

    if (w == NULL) {
        ngx_http_vllm_mock_lock(ctx->zone);
        ctx->zone->shared->replicas.since = 0;
        ngx_http_vllm_mock_unlock(ctx->zone);

        return NGX_ERROR;
    }

    ctx->count = w;
    w->ctx = ctx;
    w->then = then;
    w->asked = 1;

    if (ngx_http_vllm_mock_count_ask(w) != NGX_OK) {
        ngx_http_vllm_mock_count_end(w, 0, "it cannot be asked");
        return NGX_OK;
    }

    ngx_http_vllm_mock_count_quiet(w,
                                   state == NGX_HTTP_VLLM_MOCK_COUNT_DOWN);

    w->waiting = 1;
    w->timer.handler = ngx_http_vllm_mock_count_late;
    w->timer.data = w;
    w->timer.log = r->connection->log;
    ngx_add_timer(&w->timer, NGX_HTTP_VLLM_MOCK_COUNT_WAIT);

    r->main->count++;
    r->write_event_handler = ngx_http_vllm_mock_count_resume;

    return NGX_DONE;
}


ngx_uint_t
ngx_http_vllm_mock_count_value(ngx_http_vllm_mock_ctx_t *ctx, int *up)
{
    ngx_http_vllm_mock_shared_t    *sh;
    ngx_http_vllm_mock_srv_conf_t  *server;

    sh = ctx->zone->shared;
    server = ctx->conf->server;

    if (server->replicas_uri.len == 0) {
        *up = -1;
        return sh->runtime.replicas_set ? sh->runtime.replicas
                                       : server->replicas_fixed;
    }

    *up = sh->replicas.state == NGX_HTTP_VLLM_MOCK_COUNT_UP;

    return sh->replicas.known ? sh->replicas.value : server->replicas_fixed;
}


/* ---- $vllm_mock_kube_token ---- */

/* A token is words of a header: what cannot stand in one is no token. */

static size_t
ngx_http_vllm_mock_token_length(const u_char *text, size_t len)
{
    size_t  i;

    while (len && text[len - 1] <= ' ') {
        len--;
    }

    for (i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~') {
            return 0;
        }
    }

    return len;
}


/* Read again when the file is another one, or was written. */

static void
ngx_http_vllm_mock_token_read(ngx_http_vllm_mock_token_t *t, ngx_log_t *log)
{
    ssize_t      n;
    ngx_fd_t     fd;
    struct stat  st;

    if (stat((char *) t->path.data, &st) != 0) {

        if (!t->missing) {
            ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                          "vllm_mock: no service account token in \"%V\"",
                          &t->path);
        }

        t->missing = 1;
        t->len = 0;
        t->mtime.tv_sec = 0;
        return;
    }

    if (t->mtime.tv_sec == st.st_mtim.tv_sec
        && t->mtime.tv_nsec == st.st_mtim.tv_nsec
        && t->inode == st.st_ino && t->size == st.st_size)
    {
        return;
    }

    fd = ngx_open_file(t->path.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    n = fd == NGX_INVALID_FILE ? -1 : read(fd, t->text, sizeof(t->text));

    t->len = n > 0 && n < (ssize_t) sizeof(t->text)
             ? ngx_http_vllm_mock_token_length(t->text, (size_t) n) : 0;

    if (t->len == 0 && !t->missing) {
        ngx_log_error(NGX_LOG_WARN, log, n < 0 ? ngx_errno : 0,
                      "vllm_mock: no service account token can be read from "
                      "\"%V\"", &t->path);
    }

    if (fd != NGX_INVALID_FILE) {
        ngx_close_file(fd);
    }

    t->missing = t->len == 0;
    t->mtime = st.st_mtim;
    t->inode = st.st_ino;
    t->size = st.st_size;

    if (n < 0) {
        t->mtime.tv_sec = 0;            /* it may be readable next time */
    }
}


ngx_int_t
ngx_http_vllm_mock_token_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_vllm_mock_token_t     *t;
    ngx_http_vllm_mock_srv_conf_t  *server;

    (void) data;

    server = ngx_http_get_module_srv_conf(r, ngx_http_vllm_mock_module);
    t = server->token;

    v->not_found = 1;

    if (t == NULL) {
        return NGX_OK;
    }

    ngx_http_vllm_mock_token_read(t, r->connection->log);

    v->data = ngx_pnalloc(r->pool, t->len + 1);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(v->data, t->text, t->len);
    v->len = (unsigned) t->len;
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;

    return NGX_OK;
}
