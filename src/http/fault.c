/*
 * vllm_mock_fault: what goes wrong on purpose, how often, and when.
 */

#include "resolve.h"
#include "stream.h"
#include "../base/percent.h"
#include "../base/rand.h"


typedef enum {
    NGX_HTTP_VLLM_MOCK_FAULT_ERROR,
    NGX_HTTP_VLLM_MOCK_FAULT_DROP,
    NGX_HTTP_VLLM_MOCK_FAULT_DELAY,
    NGX_HTTP_VLLM_MOCK_FAULT_CUT,
    NGX_HTTP_VLLM_MOCK_FAULT_STALL
} ngx_http_vllm_mock_fault_e;

/* parameters that a kind takes */

#define TAKES_STATUS   0x01
#define TAKES_MESSAGE  0x02
#define TAKES_TIME     0x04
#define TAKES_AFTER    0x08
#define NEEDS_TIME     0x10

struct ngx_http_vllm_mock_fault_s {
    ngx_http_vllm_mock_fault_e  kind;
    double                      rate;       /* of 1 */
    ngx_http_complex_value_t   *when;       /* NULL: always */
    ngx_uint_t                  status;
    const char                 *message;
    vm_time_t                   time;       /* VM_TIME_NONE: for ever */
    uint32_t                    after;      /* tokens */
};

static const struct {
    const char  *name;
    ngx_uint_t   takes;
}  ngx_http_vllm_mock_faults[] = {
    [NGX_HTTP_VLLM_MOCK_FAULT_ERROR] = { "error",
                                         TAKES_STATUS|TAKES_MESSAGE },
    [NGX_HTTP_VLLM_MOCK_FAULT_DROP] = { "drop", 0 },
    [NGX_HTTP_VLLM_MOCK_FAULT_DELAY] = { "delay", TAKES_TIME|NEEDS_TIME },
    [NGX_HTTP_VLLM_MOCK_FAULT_CUT] = { "cut", TAKES_AFTER },
    [NGX_HTTP_VLLM_MOCK_FAULT_STALL] = { "stall", TAKES_AFTER|TAKES_TIME }
};


/* ---- the directive ---- */

static char *
ngx_http_vllm_mock_fault_bad(char *err, const ngx_str_t *arg)
{
    ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                 "invalid parameter \"%V\" of vllm_mock_fault: rate=%s, "
                 "when=$variable; error: status=400 to 599, message=; "
                 "delay, stall: time=; cut, stall: after=TOKENS%Z", arg,
                 VM_PERCENT_RULE);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_vllm_mock_fault_set(ngx_conf_t *cf, ngx_http_vllm_mock_fault_t *f,
    const char *key, const char *value)
{
    uint64_t    n;
    ngx_str_t   text;
    ngx_uint_t  takes;

    takes = ngx_http_vllm_mock_faults[f->kind].takes;

    if (strcmp(key, "rate") == 0) {
        return vm_percent(value, &f->rate) == VM_OK ? NGX_CONF_OK
                                                     : NGX_CONF_ERROR;
    }

    if (strcmp(key, "when") == 0) {
        text.data = (u_char *) value;
        text.len = strlen(value);

        /* a text without a variable would strike always, or never */

        if (ngx_http_script_variables_count(&text) == 0) {
            return NGX_CONF_ERROR;
        }

        f->when = ngx_http_vllm_mock_compile(cf, &text);
        return f->when ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    if (strcmp(key, "message") == 0 && takes & TAKES_MESSAGE) {
        f->message = value;
        return NGX_CONF_OK;
    }

    if (strcmp(key, "time") == 0 && takes & TAKES_TIME) {
        return vm_latency_time(value, &f->time) == VM_OK ? NGX_CONF_OK
                                                         : NGX_CONF_ERROR;
    }

    if (vm_settings_number(value, &n) != VM_OK || n > 1000000000) {
        return NGX_CONF_ERROR;
    }

    if (strcmp(key, "after") == 0 && takes & TAKES_AFTER) {
        f->after = (uint32_t) n;
        return NGX_CONF_OK;
    }

    if (strcmp(key, "status") == 0 && takes & TAKES_STATUS) {
        f->status = (ngx_uint_t) n;
        return n >= 400 && n <= 599 ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    return NGX_CONF_ERROR;
}


char *
ngx_http_vllm_mock_apply_fault(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    char                            key[16];
    ngx_uint_t                      i;
    const char                     *kind, *value;
    ngx_http_vllm_mock_fault_t     *f;
    ngx_http_vllm_mock_loc_conf_t  *conf;

    conf = data;

    if (conf->faults_conf == NULL) {
        conf->faults_conf = ngx_array_create(cf->pool, 2,
                                        sizeof(ngx_http_vllm_mock_fault_t));
        if (conf->faults_conf == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    kind = ngx_http_vllm_mock_text(&d->args[0]);

    for (i = 0; i < vm_nelts(ngx_http_vllm_mock_faults); i++) {
        if (strcmp(ngx_http_vllm_mock_faults[i].name, kind) == 0) {
            break;
        }
    }

    if (i == vm_nelts(ngx_http_vllm_mock_faults)) {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "invalid kind \"%s\" of vllm_mock_fault: error, drop, "
                     "delay, cut or stall%Z", kind);
        return NGX_CONF_ERROR;
    }

    f = ngx_array_push(conf->faults_conf);
    if (f == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(f, sizeof(ngx_http_vllm_mock_fault_t));
    f->kind = (ngx_http_vllm_mock_fault_e) i;
    f->rate = 1;
    f->status = NGX_HTTP_INTERNAL_SERVER_ERROR;
    f->message = "A fault that the server was told to have.";
    f->time = VM_TIME_NONE;
    f->after = 1;

    for (i = 1; i < d->nargs; i++) {
        value = ngx_http_vllm_mock_split(&d->args[i], key, sizeof(key));

        if (value == NULL
            || ngx_http_vllm_mock_fault_set(cf, f, key, value)
               != NGX_CONF_OK)
        {
            return ngx_http_vllm_mock_fault_bad(err, &d->args[i]);
        }
    }

    if (ngx_http_vllm_mock_faults[f->kind].takes & NEEDS_TIME
        && f->time == VM_TIME_NONE)
    {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "vllm_mock_fault %s needs time=TIME%Z", kind);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


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

    ngx_add_timer(&h->timer, (ngx_msec_t) (time / VM_MSEC));

    return NGX_DONE;
}


static ngx_uint_t
ngx_http_vllm_mock_fault_strikes(ngx_http_vllm_mock_ctx_t *ctx,
    const ngx_http_vllm_mock_fault_t *f, ngx_uint_t i)
{
    ngx_str_t  value;

    if (f->when
        && (ngx_http_complex_value(ctx->request, f->when, &value) != NGX_OK
            || value.len == 0 || (value.len == 1 && value.data[0] == '0')))
    {
        return 0;
    }

    return vm_rand_unit(vm_rand_at(ctx->call.chance, i + 1)) < f->rate;
}


ngx_int_t
ngx_http_vllm_mock_fault(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_time_t                    wait;
    ngx_uint_t                   i;
    ngx_http_vllm_mock_fault_t  *f;

    if (ctx->conf->faults_conf == NULL) {
        return NGX_DECLINED;
    }

    wait = 0;
    f = ctx->conf->faults_conf->elts;

    for (i = 0; i < ctx->conf->faults_conf->nelts; i++, f++) {

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

        default: /* for when tokens come */
            ctx->fault = f;
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

    if (f->kind == NGX_HTTP_VLLM_MOCK_FAULT_CUT) {
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
