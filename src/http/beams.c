/*
 * Beam search: vLLM's server does it itself, with an engine that knows nothing
 * of beams.  For every token it sends a request of one token for each beam (at
 * first there is one), waits for all and goes on from the best.
 */

#include "stream.h"


typedef struct {
    uint32_t          round;            /* tokens that each beam has */
    uint32_t          left;             /* requests of this round under way */
} ngx_http_vllm_mock_search_t;

struct ngx_http_vllm_mock_beams_s {
    vm_engine_seq_t              *seqs;     /* of each choice */
    ngx_http_vllm_mock_search_t  *searches; /* of each prompt */
};


static int ngx_http_vllm_mock_beams_ask(ngx_http_vllm_mock_stream_t *s,
    uint32_t choice, vm_engine_t *e, vm_handle_t *handle, vm_time_t now);
static void ngx_http_vllm_mock_beams_round(ngx_http_vllm_mock_stream_t *s,
    uint32_t prompt);
static void ngx_http_vllm_mock_beams_give(ngx_http_vllm_mock_stream_t *s,
    uint32_t choice, int aborted);
static void ngx_http_vllm_mock_beams_abort(ngx_http_vllm_mock_stream_t *s,
    uint32_t prompt);


ngx_int_t
ngx_http_vllm_mock_beams_create(ngx_http_vllm_mock_stream_t *s,
    vm_engine_seq_t *seqs)
{
    vm_generation_t             *g;
    ngx_http_vllm_mock_beams_t  *b;

    g = s->generation;

    b = vm_pool_calloc(s->ctx->pool, 1, sizeof(ngx_http_vllm_mock_beams_t));

    if (b == NULL) {
        return NGX_ERROR;
    }

    b->seqs = seqs;
    b->searches = vm_pool_calloc(s->ctx->pool, g->nprompts,
                                 sizeof(ngx_http_vllm_mock_search_t));
    s->beams = b;

    return b->searches ? NGX_OK : NGX_ERROR;
}


/* All beams are one still: whoever asks for one of them finds that. */

int
ngx_http_vllm_mock_beams_start(ngx_http_vllm_mock_stream_t *s,
    uint32_t prompt, vm_engine_t *e, vm_handle_t *handles)
{
    int       rc;
    uint32_t  i, n;

    n = s->generation->n;
    rc = ngx_http_vllm_mock_beams_ask(s, prompt * n, e, handles,
                                      ngx_http_vllm_mock_now());

    for (i = 1; rc == VM_OK && i < n; i++) {
        handles[i] = handles[0];
    }

    s->beams->searches[prompt].left = 1;

    return rc;
}


static int
ngx_http_vllm_mock_beams_ask(ngx_http_vllm_mock_stream_t *s, uint32_t choice,
    vm_engine_t *e, vm_handle_t *handle, vm_time_t now)
{
    uint32_t              block, prompt;
    vm_engine_seq_t       seq;
    vm_generation_t      *g;
    vm_engine_request_t   q;

    g = s->generation;
    prompt = g->choices[choice].prompt;
    block = s->ctx->conf->server->engine_conf->block_size;

    ngx_memzero(&q, sizeof(vm_engine_request_t));
    q.owner = (uint32_t) s->zone->owner;
    q.prompt_tokens = g->prompts[prompt].n + s->beams->searches[prompt].round;
    q.max_tokens = 1;
    q.lora = g->adapter.number;
    q.arrival = now;
    q.n = 1;
    q.seqs = &seq;

    /* which of the tokens ends it is a matter of the search */

    seq = s->beams->seqs[choice];
    seq.eos_at = VM_NEVER;
    seq.string_at = VM_NEVER;
    seq.nhashes = vm_min(seq.nhashes, (q.prompt_tokens + 1) / block);

    return vm_engine_submit(e, &q, handle, now);
}


void
ngx_http_vllm_mock_beams_event(ngx_http_vllm_mock_stream_t *s,
    uint32_t choice, const vm_event_t *ev)
{
    uint32_t                      i, n, prompt;
    vm_generation_t              *g;
    ngx_http_vllm_mock_search_t  *b;

    g = s->generation;
    n = g->n;
    prompt = g->choices[choice].prompt;
    b = &s->beams->searches[prompt];

    if (ev->finish == VM_FINISH_ABORT) {
        ngx_http_vllm_mock_beams_abort(s, prompt);
        return;
    }

    for (i = choice; i < (b->round ? choice + 1 : choice + n); i++) {
        ngx_http_vllm_mock_beams_give(s, i, 0);
    }

    if (--b->left == 0) {
        b->round++;
        ngx_http_vllm_mock_beams_round(s, prompt);
    }
}


static void
ngx_http_vllm_mock_beams_give(ngx_http_vllm_mock_stream_t *s, uint32_t choice,
    int aborted)
{
    uint32_t          n;
    vm_choice_t      *c;
    const char       *reason;
    vm_generation_t  *g;

    g = s->generation;
    c = &g->choices[choice];
    n = s->beams->searches[c->prompt].round + 1;
    reason = NULL;

    if (aborted) {
        reason = "abort";

    } else if (c->stop && n == c->stop_at + 1) {
        reason = "stop";

    } else if (n == g->max_tokens[c->prompt]) {
        reason = "length";
    }

    vm_generation_tokens(g, c, !aborted, reason, &s->pending);
}


static void
ngx_http_vllm_mock_beams_round(ngx_http_vllm_mock_stream_t *s,
    uint32_t prompt)
{
    int                         rc;
    uint32_t                    i, n;
    vm_time_t                   now;
    vm_generation_t            *g;
    ngx_http_vllm_mock_slot_t  *slot;

    g = s->generation;
    n = g->n;
    rc = VM_OK;

    ngx_http_vllm_mock_lock(s->zone);
    now = ngx_http_vllm_mock_now();

    for (i = prompt * n; i < (prompt + 1) * n; i++) {
        slot = &s->slots[i];

        if (g->choices[i].finish || s->epoch != s->zone->shared->epoch) {
            continue;
        }

        rc = ngx_http_vllm_mock_beams_ask(s, i, slot->engine, &slot->handle,
                                          now);
        if (rc != VM_OK) {
            break;
        }

        s->beams->searches[prompt].left++;
    }

    ngx_http_vllm_mock_unlock(s->zone);
    s->zone->again = 1;

    /* the engine has no room: what is under way is the last of it */

    if (rc != VM_OK) {
        ngx_http_vllm_mock_beams_abort(s, prompt);
    }
}


/* The search is over with all of its beams; no event may come after it. */

static void
ngx_http_vllm_mock_beams_abort(ngx_http_vllm_mock_stream_t *s,
    uint32_t prompt)
{
    uint32_t                    i, n;
    vm_time_t                   now;
    ngx_http_vllm_mock_slot_t  *slot;

    n = s->generation->n;

    ngx_http_vllm_mock_lock(s->zone);
    now = ngx_http_vllm_mock_now();

    for (i = prompt * n; i < (prompt + 1) * n; i++) {
        slot = &s->slots[i];

        if (s->epoch == s->zone->shared->epoch) {
            vm_engine_cancel(slot->engine, slot->handle, now);
        }
    }

    ngx_http_vllm_mock_unlock(s->zone);

    for (i = prompt * n; i < (prompt + 1) * n; i++) {
        ngx_http_vllm_mock_beams_give(s, i, 1);
    }
}
