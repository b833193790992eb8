/*
 * How much later than due tokens went out: whether this machine, and not what
 * is tested against it, was the bottleneck.
 */

#include "http.h"


static ngx_http_vllm_mock_late_t *
ngx_http_vllm_mock_late_slot(ngx_http_vllm_mock_zone_t *z, vm_time_t now)
{
    int64_t                     second;
    ngx_http_vllm_mock_late_t  *l;

    second = now / VM_NSEC;
    l = &z->shared->late[second % NGX_HTTP_VLLM_MOCK_LATE_SECONDS];

    if (l->second != second) {
        l->writes = 0;
        l->late = 0;
        l->second = second;
    }

    return l;
}


/* A write of tokens, `late` ns after they were due. */

void
ngx_http_vllm_mock_lateness(ngx_http_vllm_mock_zone_t *z, vm_time_t late)
{
    vm_hist_observe(&z->lateness, (double) late / VM_NSEC, 1);

    z->writes++;
    z->late += late > z->server->saturation;
}


/* Under the lock: what the worker saw itself goes into the zone. */

void
ngx_http_vllm_mock_lateness_tell(ngx_http_vllm_mock_zone_t *z, vm_time_t now)
{
    ngx_http_vllm_mock_late_t  *l;

    if (z->writes == 0) {
        return;
    }

    vm_hist_add(&z->shared->self.token_lateness, &z->lateness);
    vm_hist_init(&z->lateness, VM_HIST_LATENESS, 0);

    l = ngx_http_vllm_mock_late_slot(z, now);
    l->writes += z->writes;
    l->late += z->late;

    z->writes = 0;
    z->late = 0;
}


/*
 * p99 of the last seconds is above the bound when more than one write of a
 * hundred was.  Reads without the lock: a count that is one write behind does
 * no harm.
 */

ngx_uint_t
ngx_http_vllm_mock_saturated(ngx_http_vllm_mock_zone_t *z)
{
    int64_t                     second;
    uint64_t                    late, writes;
    ngx_uint_t                  i;
    ngx_http_vllm_mock_late_t  *l;

    late = z->late;
    writes = z->writes;
    second = ngx_http_vllm_mock_now() / VM_NSEC;

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_LATE_SECONDS; i++) {
        l = &z->shared->late[i];

        if (l->second > second - NGX_HTTP_VLLM_MOCK_LATE_SECONDS) {
            writes += l->writes;
            late += l->late;
        }
    }

    return late * 100 > writes;
}
