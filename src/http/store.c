/*
 * Records and the pieces of their texts.
 */

#include "store.h"


#define NGX_HTTP_VLLM_MOCK_LAST  UINT32_MAX         /* of a chain */


void
ngx_http_vllm_mock_store_reset(ngx_http_vllm_mock_zone_t *z)
{
    uint32_t                     i;
    ngx_http_vllm_mock_store_t  *st;

    st = z->shared->store;

    if (st == NULL) {
        return;
    }

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_RECORDS; i++) {
        st->records[i].state = NGX_HTTP_VLLM_MOCK_KEPT_FREE;
    }

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_PIECES; i++) {
        st->next[i] = i + 1 < NGX_HTTP_VLLM_MOCK_PIECES
                      ? i + 1 : NGX_HTTP_VLLM_MOCK_LAST;
    }

    st->free = 0;
}


static ngx_http_vllm_mock_store_t *
ngx_http_vllm_mock_store(ngx_http_vllm_mock_zone_t *z)
{
    if (z->shared->store == NULL) {
        z->shared->store = ngx_http_vllm_mock_zone_alloc(z,
                                         sizeof(ngx_http_vllm_mock_store_t),
                                         "kept answers");
        if (z->shared->store) {
            ngx_http_vllm_mock_store_reset(z);
        }
    }

    return z->shared->store;
}


ngx_http_vllm_mock_record_t *
ngx_http_vllm_mock_store_find(ngx_http_vllm_mock_zone_t *z, const char *id,
    size_t len)
{
    ngx_uint_t                    i;
    ngx_http_vllm_mock_record_t  *r;

    if (z->shared->store == NULL) {
        return NULL;
    }

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_RECORDS; i++) {
        r = &z->shared->store->records[i];

        if (r->state && r->len == len && ngx_memcmp(r->id, id, len) == 0) {
            return r;
        }
    }

    return NULL;
}


ngx_http_vllm_mock_record_t *
ngx_http_vllm_mock_store_number(ngx_http_vllm_mock_zone_t *z,
    uint64_t number)
{
    ngx_http_vllm_mock_record_t  *r;

    if (z->shared->store == NULL) {
        return NULL;
    }

    r = &z->shared->store->records[number % NGX_HTTP_VLLM_MOCK_RECORDS];

    return r->state && r->number == number ? r : NULL;
}


static void
ngx_http_vllm_mock_store_clear(ngx_http_vllm_mock_store_t *st,
    ngx_http_vllm_mock_text_t *t)
{
    if (t->len) {
        st->next[t->last] = st->free;
        st->free = t->first;
    }

    t->len = 0;
}


void
ngx_http_vllm_mock_store_drop(ngx_http_vllm_mock_store_t *st,
    ngx_http_vllm_mock_record_t *r)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_TEXTS; i++) {
        ngx_http_vllm_mock_store_clear(st, &r->texts[i]);
    }

    r->state = NGX_HTTP_VLLM_MOCK_KEPT_FREE;
}


/* The one that was made first, but not `but`. */

static ngx_http_vllm_mock_record_t *
ngx_http_vllm_mock_store_oldest(ngx_http_vllm_mock_store_t *st,
    const ngx_http_vllm_mock_record_t *but)
{
    ngx_uint_t                    i;
    ngx_http_vllm_mock_record_t  *oldest, *r;

    oldest = NULL;

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_RECORDS; i++) {
        r = &st->records[i];

        if (r != but && r->state
            && (oldest == NULL || r->number < oldest->number))
        {
            oldest = r;
        }
    }

    return oldest;
}


ngx_http_vllm_mock_record_t *
ngx_http_vllm_mock_store_put(ngx_http_vllm_mock_zone_t *z, const char *id,
    size_t len)
{
    ngx_uint_t                    i;
    ngx_http_vllm_mock_store_t   *st;
    ngx_http_vllm_mock_record_t  *r;

    st = ngx_http_vllm_mock_store(z);

    if (st == NULL || len > sizeof(r->id)) {
        return NULL;
    }

    r = ngx_http_vllm_mock_store_find(z, id, len);

    for (i = 0; r == NULL && i < NGX_HTTP_VLLM_MOCK_RECORDS; i++) {
        if (st->records[i].state == NGX_HTTP_VLLM_MOCK_KEPT_FREE) {
            r = &st->records[i];
        }
    }

    if (r == NULL) {
        r = ngx_http_vllm_mock_store_oldest(st, NULL);
    }

    if (r->state) {
        ngx_http_vllm_mock_store_drop(st, r);
    }

    ngx_memzero(r, sizeof(ngx_http_vllm_mock_record_t));
    ngx_memcpy(r->id, id, len);
    r->len = len;
    r->number = ++st->numbers * NGX_HTTP_VLLM_MOCK_RECORDS
                + (uint64_t) (r - st->records);
    r->state = NGX_HTTP_VLLM_MOCK_KEPT_OVER;

    return r;
}


/* Takes a piece, of the oldest record if there is no other. */

static uint32_t
ngx_http_vllm_mock_store_piece(ngx_http_vllm_mock_store_t *st,
    const ngx_http_vllm_mock_record_t *r)
{
    uint32_t                      i;
    ngx_http_vllm_mock_record_t  *oldest;

    while (st->free == NGX_HTTP_VLLM_MOCK_LAST) {
        oldest = ngx_http_vllm_mock_store_oldest(st, r);

        if (oldest == NULL) {
            return NGX_HTTP_VLLM_MOCK_LAST;
        }

        ngx_http_vllm_mock_store_drop(st, oldest);
    }

    i = st->free;
    st->free = st->next[i];
    st->next[i] = NGX_HTTP_VLLM_MOCK_LAST;

    return i;
}


ngx_int_t
ngx_http_vllm_mock_store_append(ngx_http_vllm_mock_zone_t *z,
    ngx_http_vllm_mock_record_t *r, ngx_http_vllm_mock_text_e which,
    const char *data, size_t len)
{
    size_t                       at, n;
    uint32_t                     i;
    ngx_http_vllm_mock_text_t   *t;
    ngx_http_vllm_mock_store_t  *st;

    st = z->shared->store;
    t = &r->texts[which];

    for ( /* void */ ; len; data += n, len -= n) {
        at = t->len % NGX_HTTP_VLLM_MOCK_PIECE;

        if (at == 0) {
            i = ngx_http_vllm_mock_store_piece(st, r);

            if (i == NGX_HTTP_VLLM_MOCK_LAST) {
                ngx_http_vllm_mock_store_drop(st, r);
                return NGX_DECLINED;
            }

            if (t->len) {
                st->next[t->last] = i;

            } else {
                t->first = i;
            }

            t->last = i;
        }

        n = vm_min(len, NGX_HTTP_VLLM_MOCK_PIECE - at);
        ngx_memcpy(st->pieces[t->last] + at, data, n);
        t->len += n;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_vllm_mock_store_set(ngx_http_vllm_mock_zone_t *z,
    ngx_http_vllm_mock_record_t *r, ngx_http_vllm_mock_text_e which,
    const char *data, size_t len)
{
    ngx_http_vllm_mock_store_clear(z->shared->store, &r->texts[which]);

    return ngx_http_vllm_mock_store_append(z, r, which, data, len);
}


void
ngx_http_vllm_mock_store_read(ngx_http_vllm_mock_zone_t *z,
    const ngx_http_vllm_mock_record_t *r, ngx_http_vllm_mock_text_e which,
    size_t from, vm_buf_t *out)
{
    size_t                            at, n;
    uint32_t                          i;
    ngx_http_vllm_mock_store_t       *st;
    const ngx_http_vllm_mock_text_t  *t;

    st = z->shared->store;
    t = &r->texts[which];
    i = t->first;

    for (at = 0; at < t->len; at += n) {
        n = vm_min(t->len - at, NGX_HTTP_VLLM_MOCK_PIECE);

        if (at + n > from) {
            from = vm_max(from, at);
            vm_buf_add(out, st->pieces[i] + (from - at), at + n - from);
            from = at + n;
        }

        i = st->next[i];
    }
}


void
ngx_http_vllm_mock_store_object(ngx_http_vllm_mock_zone_t *z,
    const ngx_http_vllm_mock_record_t *r, vm_buf_t *out)
{
    vm_buf_t            b;
    const char         *now;
    static const char   then[] = "\"queued\"";

    if (r->state != NGX_HTTP_VLLM_MOCK_KEPT_CANCELLED
        && r->state != NGX_HTTP_VLLM_MOCK_KEPT_FAILED)
    {
        ngx_http_vllm_mock_store_read(z, r, NGX_HTTP_VLLM_MOCK_OBJECT, 0,
                                      out);
        return;
    }

    now = r->state == NGX_HTTP_VLLM_MOCK_KEPT_FAILED ? "\"failed\""
                                                     : "\"cancelled\"";
    vm_buf_init(&b);
    ngx_http_vllm_mock_store_read(z, r, NGX_HTTP_VLLM_MOCK_OBJECT, 0, &b);

    if (!b.failed) {
        vm_buf_add(out, b.data, r->status_at);
        vm_buf_str(out, now);
        vm_buf_add(out, b.data + r->status_at + sizeof(then) - 1,
                   b.len - r->status_at - (sizeof(then) - 1));
    }

    out->failed |= b.failed;
    vm_buf_free(&b);
}


void
ngx_http_vllm_mock_store_orphans(ngx_http_vllm_mock_zone_t *z,
    ngx_uint_t owner)
{
    ngx_uint_t                    i;
    ngx_http_vllm_mock_record_t  *r;

    for (i = 0; z->shared->store && i < NGX_HTTP_VLLM_MOCK_RECORDS; i++) {
        r = &z->shared->store->records[i];

        if (r->state == NGX_HTTP_VLLM_MOCK_KEPT_QUEUED && r->owner == owner) {
            r->state = NGX_HTTP_VLLM_MOCK_KEPT_FAILED;
        }
    }
}
