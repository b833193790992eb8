/*
 * A generation on a connection, as stream.c and ticker.c see it.
 */

#ifndef NGX_HTTP_VLLM_MOCK_STREAM_H
#define NGX_HTTP_VLLM_MOCK_STREAM_H


#include "http.h"


/* What an event's cookie points to: a choice of a stream. */

typedef struct {
    ngx_http_vllm_mock_stream_t  *stream;
    uint32_t                      choice;
    vm_engine_t                  *engine;
    vm_handle_t                   handle;
} ngx_http_vllm_mock_slot_t;

typedef struct ngx_http_vllm_mock_beams_s  ngx_http_vllm_mock_beams_t;

struct ngx_http_vllm_mock_stream_s {
    ngx_queue_t                 queue;      /* of all of the worker */
    ngx_queue_t                 touch;      /* of those with news */
    ngx_http_vllm_mock_ctx_t   *ctx;
    ngx_http_request_t         *request;    /* NULL: in the background */
    ngx_http_vllm_mock_zone_t  *zone;
    vm_generation_t            *generation;
    ngx_http_vllm_mock_slot_t  *slots;      /* one for each choice */
    uint32_t                    nhandles;
    ngx_uint_t                  epoch;
    ngx_http_vllm_mock_beams_t *beams;      /* NULL: no beam search */
    uint64_t                    record;     /* of a kept answer; 0: none yet */
    uint64_t                    seen;       /* of /admin/requests; 0: none */

    vm_buf_t                    pending;    /* not handed to nginx yet */
    vm_buf_t                    sending;    /* nginx reads from it */
    ngx_buf_t                   buf;
    vm_time_t                   due;        /* of what goes out next: the
                                               oldest token of a stream, the
                                               last of an answer; 0: none */
    vm_time_t                   lateness;   /* the greatest */
    ngx_event_t                 stall;      /* fault.c: when it is over */

    unsigned                    started:1;  /* its handler has returned */
    unsigned                    touched:1;
    unsigned                    done:1;     /* no more will come */
    unsigned                    uncounted:1;        /* not in zone->streams */
    unsigned                    ended:1;    /* the last byte is with nginx */
    unsigned                    closed:1;   /* finalized */
    unsigned                    lost:1;     /* its engine is gone */
    unsigned                    struck:1;   /* by its fault */
    unsigned                    stalled:1;
};

void ngx_http_vllm_mock_stream_flush(ngx_http_vllm_mock_zone_t *z);

/*
 * Before a body is looked at: NGX_DECLINED, go on; else it was answered, as
 * this worker has no place in the zone or a rate limit is reached.
 */
ngx_int_t ngx_http_vllm_mock_admit(ngx_http_vllm_mock_ctx_t *ctx);

/*
 * A body into the engine.  NGX_OK, NGX_DECLINED with ctx->call.error, or
 * NGX_ERROR; what was made goes with ctx->npool.
 */
ngx_int_t ngx_http_vllm_mock_enter(ngx_http_vllm_mock_ctx_t *ctx,
    const vm_protocol_t *protocol, const json_t *body,
    ngx_http_vllm_mock_stream_t **stream);

/* Sends what is pending, after a stall. */
void ngx_http_vllm_mock_stream_go_on(ngx_http_vllm_mock_stream_t *s);

/*
 * beams.c: a beam search is a round of requests of one token each for every
 * token.  Events of its streams go there; the first round begins with _start,
 * under the lock, as ngx_http_vllm_mock_submit().
 */

#define ngx_http_vllm_mock_beams_are(s)                                       \
    ((s)->generation->params.use_beam_search && !(s)->generation->pooling)

ngx_int_t ngx_http_vllm_mock_beams_create(ngx_http_vllm_mock_stream_t *s,
    vm_engine_seq_t *seqs);
int ngx_http_vllm_mock_beams_start(ngx_http_vllm_mock_stream_t *s,
    uint32_t prompt, vm_engine_t *e, vm_handle_t *handles);
void ngx_http_vllm_mock_beams_event(ngx_http_vllm_mock_stream_t *s,
    uint32_t choice, const vm_event_t *ev);

/* fault.c: what becomes of a stream with the tokens that it has now */

typedef enum {
    NGX_HTTP_VLLM_MOCK_SOUND,
    NGX_HTTP_VLLM_MOCK_CUT,                 /* once what it has is sent */
    NGX_HTTP_VLLM_MOCK_STALLED
} ngx_http_vllm_mock_struck_e;

ngx_http_vllm_mock_struck_e ngx_http_vllm_mock_fault_tokens(
    ngx_http_vllm_mock_stream_t *s);

/*
 * llmd.c.  NGX_OK: the prompt's part in the cache is below the threshold that
 * the body asks for; NGX_ERROR, that is no threshold: ctx->call.error.
 */
ngx_int_t ngx_http_vllm_mock_llmd_threshold(ngx_http_vllm_mock_stream_t *s,
    const json_t *body, const vm_engine_seq_t *seqs);

/* background.c */

void ngx_http_vllm_mock_keep_answer(ngx_http_vllm_mock_stream_t *s);
void ngx_http_vllm_mock_background_flush(ngx_http_vllm_mock_stream_t *s);
void ngx_http_vllm_mock_background_end(ngx_http_vllm_mock_stream_t *s);


#endif /* NGX_HTTP_VLLM_MOCK_STREAM_H */
