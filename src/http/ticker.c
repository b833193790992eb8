/*
 * The worker's clock: one timer for all its streams of a zone, set to the time
 * at which the engine has news.  No stream, no timer.
 */

#include "stream.h"


#define NGX_HTTP_VLLM_MOCK_BATCH  1024
#define NGX_HTTP_VLLM_MOCK_TURNS  4         /* batches until others come */

/*
 * Another worker may move things earlier than this one knows (a cancelled
 * sequence makes room, a pause ends): look at least so often.
 */
#define NGX_HTTP_VLLM_MOCK_LOOK   50


static void
ngx_http_vllm_mock_timer(ngx_event_t *ev)
{
    ngx_http_vllm_mock_tick(ev->data);
}


ngx_int_t
ngx_http_vllm_mock_ticker_init(ngx_http_vllm_mock_zone_t *z,
    ngx_cycle_t *cycle)
{
    ngx_memzero(&z->timer, sizeof(ngx_event_t));

    z->timer.handler = ngx_http_vllm_mock_timer;
    z->timer.data = z;
    z->timer.log = cycle->log;
    z->timer.cancelable = 0;

    ngx_queue_init(&z->all);
    ngx_queue_init(&z->touched);
    ngx_queue_init(&z->followers);

    z->events = ngx_palloc(cycle->pool,
                          NGX_HTTP_VLLM_MOCK_BATCH * sizeof(vm_event_t));
    z->nevents = 0;
    z->at = 0;
    z->epoch = z->shared->epoch;

    vm_hist_init(&z->lateness, VM_HIST_LATENESS, 0);

    return z->events ? NGX_OK : NGX_ERROR;
}


/*
 * Moves the engines on and takes events out, as many as fit.  When there is
 * news next; VM_TIME_NONE: never.
 */

static vm_time_t
ngx_http_vllm_mock_take(ngx_http_vllm_mock_zone_t *z)
{
    vm_time_t                      next, now, t;
    ngx_uint_t                     i, r;
    ngx_http_vllm_mock_engines_t  *e;

    z->at = 0;
    z->nevents = 0;
    z->again = 0;
    next = VM_TIME_NONE;

    ngx_http_vllm_mock_lock(z);

    now = ngx_http_vllm_mock_now();

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_ENGINES; i++) {
        e = &z->shared->engines[i];

        for (r = 0; e->used && r < e->nranks; r++) {
            t = vm_engine_advance_some(e->ranks[r], now,
                                       NGX_HTTP_VLLM_MOCK_WORK);
            next = vm_min(next, t);

            z->nevents += vm_engine_collect(e->ranks[r], (uint32_t) z->owner,
                                            z->events + z->nevents,
                                            NGX_HTTP_VLLM_MOCK_BATCH
                                            - z->nevents);
        }
    }

    if (z->nevents == NGX_HTTP_VLLM_MOCK_BATCH) {
        next = now;
    }

    ngx_http_vllm_mock_lateness_tell(z, now);
    z->shared->streams[z->owner] = (uint32_t) z->streams;

    if (z->epoch != z->shared->epoch) {
        z->epoch = z->shared->epoch;
        z->fresh_epoch = 1;
    }

    ngx_http_vllm_mock_unlock(z);

    return next;
}


static void
ngx_http_vllm_mock_schedule(ngx_http_vllm_mock_zone_t *z, vm_time_t next)
{
    vm_time_t   now;
    ngx_msec_t  delay;

    if (z->timer.timer_set) {
        ngx_del_timer(&z->timer);
    }

    if (z->timer.posted) {
        ngx_delete_posted_event(&z->timer);
    }

    if (z->streams == 0) {
        if (z->writes) {

            /* there is no next time to tell of them */

            ngx_http_vllm_mock_lock(z);
            ngx_http_vllm_mock_lateness_tell(z, ngx_http_vllm_mock_now());
            ngx_http_vllm_mock_unlock(z);
        }

        return;
    }

    now = ngx_http_vllm_mock_now();
    delay = NGX_HTTP_VLLM_MOCK_LOOK;

    if (next != VM_TIME_NONE
        && next - now < NGX_HTTP_VLLM_MOCK_LOOK * VM_MSEC)
    {
        delay = next > now ? (ngx_msec_t) ((next - now + VM_MSEC - 1)
                                           / VM_MSEC)
                           : 0;
    }

    /* nginx adds to a time that may be some milliseconds old */

    ngx_time_update();

    if (delay == 0) {

        /*
         * A timer that is due would come again before any connection.  One is
         * set all the same: a worker that is to end goes on while it has some.
         */

        ngx_post_event(&z->timer, &ngx_posted_next_events);
        delay = NGX_HTTP_VLLM_MOCK_LOOK;
    }

    ngx_add_timer(&z->timer, delay);
}


void
ngx_http_vllm_mock_tick(ngx_http_vllm_mock_zone_t *z)
{
    vm_time_t   next;
    ngx_uint_t  turns;

    if (z->owner == NGX_HTTP_VLLM_MOCK_NONE) {
        return;
    }

    turns = NGX_HTTP_VLLM_MOCK_TURNS;

    do {
        next = ngx_http_vllm_mock_take(z);

        while (z->at < z->nevents) {
            ngx_http_vllm_mock_stream_event(z, &z->events[z->at++]);
        }

        if (z->fresh_epoch) {
            z->fresh_epoch = 0;
            ngx_http_vllm_mock_stream_lost(z);
        }

        ngx_http_vllm_mock_stream_flush(z);

    } while ((z->nevents == NGX_HTTP_VLLM_MOCK_BATCH || z->again) && --turns);

    /* what is left is for the next turn of nginx's loop, after the others */

    next = turns ? next : 0;

    ngx_http_vllm_mock_schedule(z, next);
}
