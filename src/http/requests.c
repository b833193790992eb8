/*
 * GET /admin/requests: generations that run and those that ran last, of all
 * workers; a generation by its id, whoever answers it.
 */

#include "stream.h"


#define NGX_HTTP_VLLM_MOCK_SEEN     512
#define NGX_HTTP_VLLM_MOCK_HANDLES  8           /* of a request's choices */

typedef struct {
    uint64_t      number;                       /* 0: free */
    ngx_uint_t    runs;
    ngx_uint_t    owner;
    ngx_uint_t    epoch;
    ngx_uint_t    route;
    double        started;                      /* Unix seconds */
    uint64_t      prompt;
    uint64_t      output;
    uint64_t      cached;
    double        queue;                        /* seconds; -1: not known */
    double        ttft;
    double        e2e;
    char          id[64];
    char          model[64];
    char          finish[16];
    uint32_t      nhandles;
    vm_engine_t  *engines[NGX_HTTP_VLLM_MOCK_HANDLES];
    vm_handle_t   handles[NGX_HTTP_VLLM_MOCK_HANDLES];
} ngx_http_vllm_mock_seen_one_t;

struct ngx_http_vllm_mock_seen_s {
    uint64_t                       numbers;
    ngx_uint_t                     at;          /* where the last one stands */
    ngx_http_vllm_mock_seen_one_t  list[NGX_HTTP_VLLM_MOCK_SEEN];
};


/* ---- noting ---- */

/* The next place, but not of one that runs while there is another. */

static ngx_http_vllm_mock_seen_one_t *
ngx_http_vllm_mock_seen_place(struct ngx_http_vllm_mock_seen_s *seen)
{
    ngx_uint_t  i, next;

    next = seen->at;

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_SEEN; i++) {
        next = (next + 1) % NGX_HTTP_VLLM_MOCK_SEEN;

        if (!seen->list[next].runs) {
            break;
        }
    }

    seen->at = next;

    return &seen->list[next];
}


static void
ngx_http_vllm_mock_seen_text(char *dst, size_t size, const char *src,
    size_t len)
{
    len = vm_min(len, size - 1);
    ngx_memcpy(dst, src, len);
    dst[len] = '\0';
}


/* Under the lock, once it is in the engine. */

void
ngx_http_vllm_mock_seen_begin(ngx_http_vllm_mock_stream_t *s)
{
    uint32_t                        i;
    const vm_generation_t          *g;
    ngx_http_vllm_mock_shared_t    *sh;
    ngx_http_vllm_mock_seen_one_t  *one;

    g = s->generation;
    sh = s->zone->shared;

    if (sh->seen == NULL) {
        sh->seen = ngx_http_vllm_mock_zone_alloc(s->zone,
                                    sizeof(struct ngx_http_vllm_mock_seen_s),
                                    "the list of requests");
        if (sh->seen == NULL) {
            return;
        }
    }

    one = ngx_http_vllm_mock_seen_place(sh->seen);

    one->number = ++sh->seen->numbers;
    one->runs = 1;
    one->owner = s->zone->owner;
    one->epoch = s->epoch;
    one->route = ngx_http_vllm_mock_route_index(s->ctx->route);
    one->started = s->ctx->call.now;
    one->prompt = vm_generation_prompt_tokens(g);
    one->output = 0;
    one->cached = 0;
    one->queue = -1;
    one->ttft = -1;
    one->e2e = -1;
    one->finish[0] = '\0';
    ngx_http_vllm_mock_seen_text(one->id, sizeof(one->id), g->id,
                                 ngx_strlen(g->id));
    ngx_http_vllm_mock_seen_text(one->model, sizeof(one->model),
                                 g->model.data, g->model.len);

    one->nhandles = vm_min(s->nhandles, NGX_HTTP_VLLM_MOCK_HANDLES);

    for (i = 0; i < one->nhandles; i++) {
        one->engines[i] = s->slots[i].engine;
        one->handles[i] = s->slots[i].handle;
    }

    s->seen = (uint64_t) (one - sh->seen->list) << 48 | one->number;
}


void
ngx_http_vllm_mock_seen_orphans(ngx_http_vllm_mock_zone_t *z,
    ngx_uint_t owner)
{
    ngx_uint_t                      i;
    ngx_http_vllm_mock_seen_one_t  *one;

    for (i = 0; z->shared->seen && i < NGX_HTTP_VLLM_MOCK_SEEN; i++) {
        one = &z->shared->seen->list[i];

        if (one->runs && one->owner == owner) {
            one->runs = 0;
        }
    }
}


/*
 * Without the lock: nobody else writes a place while its number stands there,
 * and whoever reads it at that moment may see a line half new.
 */

void
ngx_http_vllm_mock_seen_end(ngx_http_vllm_mock_stream_t *s)
{
    double                          started;
    const char                     *finish;
    const vm_choice_t              *c;
    const vm_generation_t          *g;
    ngx_http_vllm_mock_seen_one_t  *one;

    if (s->seen == 0) {
        return;
    }

    g = s->generation;
    c = g->choices;
    one = &s->zone->shared->seen->list[s->seen >> 48];

    if (one->number != (s->seen & 0xffffffffffff)) {
        return;
    }

    started = (double) s->ctx->started / VM_NSEC;
    finish = c->finish ? c->finish : "abort";

    one->output = vm_generation_output_tokens(g);
    one->cached = vm_generation_cached_tokens(g);
    one->e2e = (double) ngx_http_vllm_mock_now() / VM_NSEC - started;

    if (c->finish && c->scheduled > 0) {
        one->queue = c->scheduled - c->queued;
        one->ttft = c->first_token - started;
    }

    ngx_http_vllm_mock_seen_text(one->finish, sizeof(one->finish), finish,
                                 ngx_strlen(finish));
    one->runs = 0;
}


/* ---- asking ---- */

/* One that runs, and whose engine is the one that it went into. */

static ngx_uint_t
ngx_http_vllm_mock_seen_runs(const ngx_http_vllm_mock_shared_t *sh,
    const ngx_http_vllm_mock_seen_one_t *one)
{
    return one->number && one->runs && one->epoch == sh->epoch;
}


void
ngx_http_vllm_mock_seen_abort(ngx_http_vllm_mock_zone_t *z,
    const json_t *ids)
{
    uint32_t                        k;
    ngx_uint_t                      i;
    ngx_http_vllm_mock_shared_t    *sh;
    ngx_http_vllm_mock_seen_one_t  *one;

    sh = z->shared;

    for (i = 0; sh->seen && i < NGX_HTTP_VLLM_MOCK_SEEN; i++) {
        one = &sh->seen->list[i];

        if (!ngx_http_vllm_mock_seen_runs(sh, one)
            || json_object_get(ids, one->id) == NULL)
        {
            continue;
        }

        for (k = 0; k < one->nhandles; k++) {
            if (ngx_http_vllm_mock_engine_there(sh, one->engines[k])) {
                vm_engine_abort(one->engines[k], one->handles[k], 0,
                                ngx_http_vllm_mock_now());
            }
        }
    }
}


static void
ngx_http_vllm_mock_seen_number(const char *name, double v, vm_buf_t *out)
{
    vm_buf_printf(out, ",\"%s\":", name);

    if (v < 0) {
        vm_buf_lit(out, "null");

    } else {
        vm_buf_printf(out, "%.6f", v);
    }
}


/* Tokens by now. */

static uint64_t
ngx_http_vllm_mock_seen_output(const ngx_http_vllm_mock_shared_t *sh,
    const ngx_http_vllm_mock_seen_one_t *one)
{
    uint32_t  k, output, prompt;
    uint64_t  n;

    for (n = 0, k = 0; k < one->nhandles; k++) {

        if (ngx_http_vllm_mock_engine_there(sh, one->engines[k])
            && vm_engine_progress(one->engines[k], one->handles[k], &prompt,
                                  &output)
               == VM_OK)
        {
            n += output;
        }
    }

    return n;
}


static void
ngx_http_vllm_mock_seen_json(const ngx_http_vllm_mock_seen_one_t *one,
    ngx_uint_t runs, uint64_t output, vm_buf_t *out)
{
    const vm_str_t  *path;

    path = &ngx_http_vllm_mock_route_names()[one->route];

    vm_buf_lit(out, "{\"id\":");
    vm_buf_json(out, one->id, strlen(one->id));
    vm_buf_lit(out, ",\"endpoint\":");
    vm_buf_json(out, path->data, path->len);
    vm_buf_lit(out, ",\"model\":");
    vm_buf_json(out, one->model, strlen(one->model));
    vm_buf_printf(out, ",\"state\":\"%s\",\"started\":%.6f,"
                  "\"prompt_tokens\":%llu,\"cached_tokens\":%llu,"
                  "\"completion_tokens\":%llu,\"finish_reason\":",
                  runs ? "running" : "finished", one->started,
                  (unsigned long long) one->prompt,
                  (unsigned long long) one->cached,
                  (unsigned long long) output);

    if (runs) {
        vm_buf_lit(out, "null");

    } else {
        vm_buf_json(out, one->finish[0] ? one->finish : "abort",
                    strlen(one->finish[0] ? one->finish : "abort"));
    }

    ngx_http_vllm_mock_seen_number("queue_s", one->queue, out);
    ngx_http_vllm_mock_seen_number("ttft_s", one->ttft, out);
    ngx_http_vllm_mock_seen_number("e2e_s", one->e2e, out);
    vm_buf_char(out, '}');
}


/* Rows as they are now, and what is asked of the zone for them. */

typedef struct {
    ngx_uint_t                      n;
    ngx_uint_t                      runs[NGX_HTTP_VLLM_MOCK_SEEN];
    uint64_t                        output[NGX_HTTP_VLLM_MOCK_SEEN];
    ngx_http_vllm_mock_seen_one_t   rows[NGX_HTTP_VLLM_MOCK_SEEN];
} ngx_http_vllm_mock_seen_copy_t;


/* Under the lock: the newest first. */

static void
ngx_http_vllm_mock_seen_copy(const ngx_http_vllm_mock_shared_t *sh,
    ngx_uint_t limit, ngx_http_vllm_mock_seen_copy_t *c)
{
    ngx_uint_t                            i;
    const ngx_http_vllm_mock_seen_one_t  *one;

    c->n = 0;

    for (i = 0; sh->seen && i < NGX_HTTP_VLLM_MOCK_SEEN && c->n < limit; i++)
    {
        one = &sh->seen->list[(sh->seen->at + NGX_HTTP_VLLM_MOCK_SEEN - i)
                              % NGX_HTTP_VLLM_MOCK_SEEN];

        if (one->number == 0) {
            continue;
        }

        c->rows[c->n] = *one;
        c->runs[c->n] = ngx_http_vllm_mock_seen_runs(sh, one);
        c->output[c->n] = c->runs[c->n]
                          ? ngx_http_vllm_mock_seen_output(sh, one)
                          : one->output;
        c->n++;
    }
}


ngx_int_t
ngx_http_vllm_mock_admin_requests(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_buf_t                                b;
    ngx_str_t                               value;
    ngx_int_t                               limit;
    ngx_uint_t                              i;
    static ngx_http_vllm_mock_seen_copy_t   c;

    limit = 100;

    if (ngx_http_vllm_mock_query(ctx, "limit", &value) == NGX_OK) {
        limit = ngx_atoi(value.data, value.len);

        if (limit == NGX_ERROR || limit > NGX_HTTP_VLLM_MOCK_SEEN) {
            vm_error_printf(&ctx->call.error, ctx->pool, 400,
                            "BadRequestError", "limit",
                            "limit must be in [0, %d]. (parameter=limit)",
                            NGX_HTTP_VLLM_MOCK_SEEN);
            return ngx_http_vllm_mock_error(ctx);
        }
    }

    ngx_http_vllm_mock_lock(ctx->zone);
    ngx_http_vllm_mock_seen_copy(ctx->zone->shared, (ngx_uint_t) limit, &c);
    ngx_http_vllm_mock_unlock(ctx->zone);

    vm_buf_init(&b);
    vm_buf_lit(&b, "{\"requests\":[");

    for (i = 0; i < c.n; i++) {
        vm_buf_str(&b, i ? "," : "");
        ngx_http_vllm_mock_seen_json(&c.rows[i], c.runs[i], c.output[i], &b);
    }

    vm_buf_lit(&b, "]}");

    return ngx_http_vllm_mock_json(ctx, &b);
}
