/*
 * /wake_up and /is_sleeping: an engine that gave its memory away wakes when
 * it has all parts of it again.
 */

#include "http.h"
#include "../base/utf8.h"


static const struct {
    ngx_str_t   name;
    ngx_uint_t  part;
}  ngx_http_vllm_mock_parts[] = {
    { ngx_string("weights"), NGX_HTTP_VLLM_MOCK_WEIGHTS },
    { ngx_string("kv_cache"), NGX_HTTP_VLLM_MOCK_KV_CACHE },
    { ngx_string("scheduling"), NGX_HTTP_VLLM_MOCK_SCHEDULING }
};


/* A value of the query as Python decodes it. */

static void
ngx_http_vllm_mock_query_text(u_char *p, u_char *last, vm_buf_t *out)
{
    u_char    *c, *dst, *end;
    vm_buf_t   plain;

    vm_buf_init(&plain);
    vm_buf_add(&plain, p, (size_t) (last - p));

    if (plain.failed) {
        out->failed = 1;
        return;
    }

    c = (u_char *) plain.data;
    end = c + plain.len;

    for (dst = c; dst && dst < end; dst++) {
        *dst = *dst == '+' ? ' ' : *dst;
    }

    dst = c;
    ngx_unescape_uri(&dst, &c, plain.len, 0);

    vm_utf8_repair(plain.data, (size_t) ((char *) dst - plain.data), out);
    vm_buf_free(&plain);
}


/*
 * The query's tags as a list in JSON (null: there are none), and the parts
 * that they name.
 */

static ngx_uint_t
ngx_http_vllm_mock_tags(ngx_http_request_t *r, vm_buf_t *list)
{
    u_char      *end, *last, *p;
    vm_buf_t     tag;
    ngx_uint_t   i, n, parts;

    n = 0;
    parts = 0;
    vm_buf_init(&tag);

    last = r->args.data + r->args.len;

    for (p = r->args.data; p < last; p = end + 1) {
        end = ngx_strlchr(p, last, '&');
        end = end ? end : last;

        if (end - p <= 5 || ngx_strncmp(p, "tags=", 5) != 0) {
            continue;
        }

        vm_buf_reset(&tag);
        ngx_http_vllm_mock_query_text(p + 5, end, &tag);
        list->failed |= tag.failed;

        vm_buf_str(list, n++ ? "," : "[");
        vm_buf_json(list, tag.data, tag.len);

        for (i = 0; i < vm_nelts(ngx_http_vllm_mock_parts); i++) {
            if (tag.len == ngx_http_vllm_mock_parts[i].name.len
                && ngx_strncmp(tag.data,
                               ngx_http_vllm_mock_parts[i].name.data, tag.len)
                   == 0)
            {
                parts |= ngx_http_vllm_mock_parts[i].part;
            }
        }
    }

    vm_buf_free(&tag);
    vm_buf_str(list, n ? "]" : "null");

    return n ? parts : NGX_HTTP_VLLM_MOCK_ALL_PARTS;
}


ngx_int_t
ngx_http_vllm_mock_wake(ngx_http_vllm_mock_ctx_t *ctx)
{
    double                        began;
    vm_buf_t                      b, tags;
    ngx_uint_t                    asleep, parts;
    ngx_http_vllm_mock_shared_t  *sh;

    sh = ctx->zone->shared;
    began = ngx_http_vllm_mock_unix();

    vm_buf_init(&tags);
    parts = ngx_http_vllm_mock_tags(ctx->request, &tags);

    ngx_http_vllm_mock_lock(ctx->zone);

    sh->sleep_parts &= ~parts;

    if (parts && sh->sleep_parts == 0) {
        ngx_http_vllm_mock_let_go(sh);
    }

    asleep = sh->asleep;
    vm_sleep_stats_observe(&sh->sleep, VM_OPERATION_WAKE,
                           ngx_http_vllm_mock_unix() - began, began);
    ngx_http_vllm_mock_unlock(ctx->zone);

    ngx_http_vllm_mock_tick(ctx->zone);

    vm_buf_init(&b);
    vm_buf_str(&b, asleep ? "{\"status\":\"sleeping\",\"tags\":"
                          : "{\"status\":\"awake\",\"tags\":");
    vm_buf_add(&b, tags.data, tags.len);
    vm_buf_char(&b, '}');
    b.failed |= tags.failed;
    vm_buf_free(&tags);

    return ngx_http_vllm_mock_json(ctx, &b);
}


ngx_int_t
ngx_http_vllm_mock_is_sleeping(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_literal(ctx, ctx->zone->shared->asleep
                                           ? "{\"is_sleeping\":true}"
                                           : "{\"is_sleeping\":false}");
}
