/*
 * Workers: each has a place in the zone, which its sequences carry.  What one
 * that died has left is released by whoever is alive: a worker that begins, or
 * the one before it in the table, which looks at every heartbeat.  The
 * heartbeat measures the lag of the event loop, too.
 */

#include "limits.h"
#include "store.h"
#include <sys/wait.h>


#define NGX_HTTP_VLLM_MOCK_BEAT  100        /* ms */

/* All of a worker's zones have one. */

typedef struct {
    ngx_event_t                      timer;
    vm_time_t                        due;
    ngx_http_vllm_mock_main_conf_t  *main;
} ngx_http_vllm_mock_beat_t;


ngx_uint_t
ngx_http_vllm_mock_dead(ngx_pid_t pid)
{
    siginfo_t  info;

    info.si_pid = 0;

    if (waitid(P_PID, (id_t) pid, &info, WEXITED|WNOHANG|WNOWAIT) == 0) {
        return info.si_pid == pid;
    }

    return kill(pid, 0) == -1 && ngx_errno == ESRCH;
}


/* ---- what they leave ---- */

static void
ngx_http_vllm_mock_owner_release(ngx_http_vllm_mock_zone_t *first,
    ngx_uint_t i, ngx_pid_t pid)
{
    ngx_uint_t                   k;
    ngx_http_vllm_mock_zone_t   *z;
    ngx_http_vllm_mock_owner_t  *o;

    o = &first->root->owners[i];

    /* another may do the same, and the place have a new owner by then */

    for (k = 0; k < first->replicas; k++) {
        z = ngx_http_vllm_mock_fleet_zone(first, k);
        ngx_http_vllm_mock_lock(z);

        if (o->pid == pid) {
            ngx_http_vllm_mock_engines_release(z, i);
            ngx_http_vllm_mock_store_orphans(z, i);
            ngx_http_vllm_mock_limits_orphans(z, i);
            ngx_http_vllm_mock_seen_orphans(z, i);
            ngx_http_vllm_mock_zone_sweep(z);
            z->shared->streams[i] = 0;
        }

        ngx_http_vllm_mock_unlock(z);
    }

    ngx_http_vllm_mock_lock(first);

    if (o->pid == pid) {
        first->root->cpu += o->cpu;
        ngx_memzero(o, sizeof(ngx_http_vllm_mock_owner_t));
    }

    ngx_http_vllm_mock_unlock(first);
}


static ngx_uint_t
ngx_http_vllm_mock_owner_died(ngx_http_vllm_mock_zone_t *first, ngx_uint_t i)
{
    ngx_pid_t  pid;

    pid = first->root->owners[i].pid;

    if (pid == 0 || pid == ngx_pid || !ngx_http_vllm_mock_dead(pid)) {
        return 0;
    }

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "zone \"%V\": what worker %P left is released",
                  &first->name, pid);

    ngx_http_vllm_mock_owner_release(first, i, pid);

    return 1;
}


/* ---- a place ---- */

ngx_int_t
ngx_http_vllm_mock_own(ngx_http_vllm_mock_zone_t *z)
{
    ngx_uint_t                   i;
    ngx_http_vllm_mock_zone_t   *first;
    ngx_http_vllm_mock_owner_t  *o;

    if (z->owner != NGX_HTTP_VLLM_MOCK_NONE) {
        return NGX_OK;
    }

    first = z->first;
    o = first->root->owners;

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_OWNERS; i++) {

        /* one of this number lived before */

        if (o[i].pid == ngx_pid) {
            ngx_http_vllm_mock_owner_release(first, i, ngx_pid);
        }

        (void) ngx_http_vllm_mock_owner_died(first, i);
    }

    ngx_http_vllm_mock_lock(first);

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_OWNERS; i++) {
        if (o[i].pid == 0) {
            o[i].pid = ngx_pid;
            break;
        }
    }

    ngx_http_vllm_mock_unlock(first);

    if (i == NGX_HTTP_VLLM_MOCK_OWNERS) {
        return NGX_DECLINED;
    }

    z->owner = i;

    for (i = 0; i < first->replicas; i++) {
        ngx_http_vllm_mock_fleet_zone(first, i)->owner = z->owner;
    }

    return NGX_OK;
}


void
ngx_http_vllm_mock_owners_leave(ngx_http_vllm_mock_zone_t *z)
{
    if (z->shared == NULL || z->owner == NGX_HTTP_VLLM_MOCK_NONE) {
        return;
    }

    ngx_http_vllm_mock_process_look(z);
    ngx_http_vllm_mock_owner_release(z, z->owner, ngx_pid);
    z->owner = NGX_HTTP_VLLM_MOCK_NONE;
}


/* ---- the heartbeat ---- */

/* Those behind it in the table, up to one that is alive. */

static void
ngx_http_vllm_mock_owners_look(ngx_http_vllm_mock_zone_t *z)
{
    ngx_uint_t  i, k;
    ngx_pid_t   pid;

    for (i = 1; i < NGX_HTTP_VLLM_MOCK_OWNERS; i++) {
        k = (z->owner + i) % NGX_HTTP_VLLM_MOCK_OWNERS;
        pid = z->root->owners[k].pid;

        if (pid && !ngx_http_vllm_mock_owner_died(z, k)) {
            return;
        }
    }
}


static void
ngx_http_vllm_mock_beat_next(ngx_http_vllm_mock_beat_t *beat)
{
    /* nginx adds to a time that may be some milliseconds old */

    ngx_time_update();
    beat->due = ngx_http_vllm_mock_now()
                + (vm_time_t) NGX_HTTP_VLLM_MOCK_BEAT * VM_MSEC;
    ngx_add_timer(&beat->timer, NGX_HTTP_VLLM_MOCK_BEAT);
}


static void
ngx_http_vllm_mock_beat(ngx_event_t *ev)
{
    vm_time_t                   late;
    ngx_uint_t                  fds, i;
    ngx_shm_zone_t            **zones;
    ngx_http_vllm_mock_zone_t  *z;
    ngx_http_vllm_mock_beat_t  *beat;

    beat = ev->data;
    late = ngx_http_vllm_mock_now() - beat->due;
    late = vm_max(late, 0);
    fds = ngx_http_vllm_mock_process_fds();
    zones = beat->main->zones.elts;

    for (i = 0; i < beat->main->zones.nelts; i++) {
        z = zones[i]->data;

        if (z->shared == NULL) {
            continue;
        }

        if (z->owner != NGX_HTTP_VLLM_MOCK_NONE) {
            ngx_http_vllm_mock_owners_look(z);
        }

        ngx_http_vllm_mock_lock(z);

        vm_hist_observe(&z->root->lag, (double) late / VM_NSEC, 1);

        if (z->owner != NGX_HTTP_VLLM_MOCK_NONE) {
            z->root->owners[z->owner].fds = fds;
        }

        ngx_http_vllm_mock_unlock(z);
    }

    ngx_http_vllm_mock_beat_next(beat);
}


ngx_int_t
ngx_http_vllm_mock_owners_init(ngx_cycle_t *cycle,
    ngx_http_vllm_mock_main_conf_t *main)
{
    ngx_uint_t                  i, k;
    ngx_shm_zone_t            **zones;
    ngx_http_vllm_mock_zone_t  *z, *one;
    ngx_http_vllm_mock_beat_t  *beat;

    if (main->zones.nelts == 0) {
        return NGX_OK;
    }

    zones = main->zones.elts;

    for (i = 0; i < main->zones.nelts; i++) {
        z = zones[i]->data;

        if (z->shared == NULL) {
            continue;
        }

        for (k = 0; k < z->replicas; k++) {
            one = ngx_http_vllm_mock_fleet_zone(z, k);
            one->owner = NGX_HTTP_VLLM_MOCK_NONE;
            one->streams = 0;

            if (ngx_http_vllm_mock_ticker_init(one, cycle) != NGX_OK) {
                return NGX_ERROR;
            }
        }

        if (ngx_http_vllm_mock_own(z) != NGX_OK) {
            ngx_log_error(NGX_LOG_CRIT, cycle->log, 0,
                          "zone \"%V\": more than %d workers, old and new: "
                          "this one answers 503 until one ends", &z->name,
                          NGX_HTTP_VLLM_MOCK_OWNERS);
        }
    }

    beat = ngx_pcalloc(cycle->pool, sizeof(ngx_http_vllm_mock_beat_t));
    if (beat == NULL) {
        return NGX_ERROR;
    }

    beat->main = main;
    beat->timer.handler = ngx_http_vllm_mock_beat;
    beat->timer.data = beat;
    beat->timer.log = cycle->log;
    beat->timer.cancelable = 1;
    ngx_http_vllm_mock_beat_next(beat);

    return NGX_OK;
}
