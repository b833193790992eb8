/*
 * Answers that are kept: of /v1/responses with VLLM_ENABLE_RESPONSES_API_STORE,
 * and of /v1/videos.
 * One block of the zone, made when the first is kept, holds a fixed number of
 * records and of pieces of text; the oldest record makes room.  All calls are
 * made under the zone's lock.
 */

#ifndef NGX_HTTP_VLLM_MOCK_STORE_H
#define NGX_HTTP_VLLM_MOCK_STORE_H


#include "http.h"


#define NGX_HTTP_VLLM_MOCK_RECORDS   1024
#define NGX_HTTP_VLLM_MOCK_PIECE     1024       /* bytes */
#define NGX_HTTP_VLLM_MOCK_PIECES    4096       /* 4 MB of text */

typedef enum {
    NGX_HTTP_VLLM_MOCK_KEPT_FREE,
    NGX_HTTP_VLLM_MOCK_KEPT_QUEUED,             /* in the background */
    NGX_HTTP_VLLM_MOCK_KEPT_OVER,
    NGX_HTTP_VLLM_MOCK_KEPT_CANCELLED,
    NGX_HTTP_VLLM_MOCK_KEPT_FAILED
} ngx_http_vllm_mock_kept_e;

typedef enum {
    NGX_HTTP_VLLM_MOCK_OBJECT,                  /* JSON, as it is answered */
    NGX_HTTP_VLLM_MOCK_MESSAGES,                /* of the chat it was; what a
                                                   video is made of */
    NGX_HTTP_VLLM_MOCK_FRAMES,                  /* of a stream */
    NGX_HTTP_VLLM_MOCK_TEXTS
} ngx_http_vllm_mock_text_e;

typedef struct {
    uint32_t                   first;
    uint32_t                   last;
    size_t                     len;
} ngx_http_vllm_mock_text_t;

typedef struct {
    ngx_http_vllm_mock_kept_e  state;
    uint64_t                   number;          /* never used again; modulo
                                                   RECORDS its place */
    size_t                     len;
    u_char                     id[128];
    ngx_http_vllm_mock_text_t  texts[NGX_HTTP_VLLM_MOCK_TEXTS];
    size_t                     status_at;       /* in the object's text */
    ngx_uint_t                 streamed;
    ngx_uint_t                 video;            /* of /v1/videos */
    ngx_uint_t                 owner;           /* a queued one's worker */
    ngx_uint_t                 epoch;
    vm_engine_t               *engine;
    vm_handle_t                handle;
} ngx_http_vllm_mock_record_t;

typedef struct ngx_http_vllm_mock_store_s {
    uint64_t                     numbers;
    uint32_t                     free;          /* pieces */
    uint32_t                     next[NGX_HTTP_VLLM_MOCK_PIECES];
    ngx_http_vllm_mock_record_t  records[NGX_HTTP_VLLM_MOCK_RECORDS];
    u_char  pieces[NGX_HTTP_VLLM_MOCK_PIECES][NGX_HTTP_VLLM_MOCK_PIECE];
} ngx_http_vllm_mock_store_t;


/* NULL: there is none. */
ngx_http_vllm_mock_record_t *ngx_http_vllm_mock_store_find(
    ngx_http_vllm_mock_zone_t *z, const char *id, size_t len);
ngx_http_vllm_mock_record_t *ngx_http_vllm_mock_store_number(
    ngx_http_vllm_mock_zone_t *z, uint64_t number);

/* A new one, in place of another of that id; NULL: no room at all. */
ngx_http_vllm_mock_record_t *ngx_http_vllm_mock_store_put(
    ngx_http_vllm_mock_zone_t *z, const char *id, size_t len);

void ngx_http_vllm_mock_store_drop(ngx_http_vllm_mock_store_t *st,
    ngx_http_vllm_mock_record_t *r);

/* What has no room drops the record: NGX_DECLINED. */
ngx_int_t ngx_http_vllm_mock_store_append(ngx_http_vllm_mock_zone_t *z,
    ngx_http_vllm_mock_record_t *r, ngx_http_vllm_mock_text_e which,
    const char *data, size_t len);
ngx_int_t ngx_http_vllm_mock_store_set(ngx_http_vllm_mock_zone_t *z,
    ngx_http_vllm_mock_record_t *r, ngx_http_vllm_mock_text_e which,
    const char *data, size_t len);

/* Appends what stands from `from` on. */
void ngx_http_vllm_mock_store_read(ngx_http_vllm_mock_zone_t *z,
    const ngx_http_vllm_mock_record_t *r, ngx_http_vllm_mock_text_e which,
    size_t from, vm_buf_t *out);

/* The object, with the state it has by now. */
void ngx_http_vllm_mock_store_object(ngx_http_vllm_mock_zone_t *z,
    const ngx_http_vllm_mock_record_t *r, vm_buf_t *out);

/* A worker is gone: what it had queued has failed. */
void ngx_http_vllm_mock_store_orphans(ngx_http_vllm_mock_zone_t *z,
    ngx_uint_t owner);

/* It is over for whoever computes it; NGX_DECLINED: it was already. */
ngx_int_t ngx_http_vllm_mock_cancel_record(ngx_http_vllm_mock_zone_t *z,
    ngx_http_vllm_mock_record_t *r);

/* After a process died within the lock: all are dropped. */
void ngx_http_vllm_mock_store_reset(ngx_http_vllm_mock_zone_t *z);


#endif /* NGX_HTTP_VLLM_MOCK_STORE_H */
