/*
 * Rate limits: requests and tokens a minute, and requests at a time,
 * for each value of a variable; and the users whose own limits win, made by
 * /CreateUser and its kin as AIBrix's metadata service makes them.
 */

#include "limits.h"
#include "resolve.h"


#define NGX_HTTP_VLLM_MOCK_USERS     1000
#define NGX_HTTP_VLLM_MOCK_BUCKETS   256
#define NGX_HTTP_VLLM_MOCK_KEY       64         /* bytes that count of a key */

typedef struct {
    size_t     len;
    u_char     data[NGX_HTTP_VLLM_MOCK_KEY];
} ngx_http_vllm_mock_key_t;

typedef struct {
    ngx_http_vllm_mock_key_t  name;             /* len 0: free */
    int64_t                   rpm;              /* 0: no limit */
    int64_t                   tpm;
} ngx_http_vllm_mock_user_t;

/* What is left of a minute's worth; it fills by the second. */

typedef struct {
    ngx_http_vllm_mock_key_t  key;
    uint32_t                  place;            /* of the limit */
    vm_time_t                 at;               /* filled then; 0: free */
    double                    requests;
    double                    tokens;
    uint32_t                  runs;             /* of all owners */
    uint16_t                  running[NGX_HTTP_VLLM_MOCK_OWNERS];
} ngx_http_vllm_mock_bucket_t;

struct ngx_http_vllm_mock_limits_s {
    ngx_http_vllm_mock_user_t    users[NGX_HTTP_VLLM_MOCK_USERS];
    ngx_http_vllm_mock_bucket_t  buckets[NGX_HTTP_VLLM_MOCK_BUCKETS];
};

/* A request that a bucket counts. */

struct ngx_http_vllm_mock_counted_s {
    ngx_http_vllm_mock_ctx_t     *ctx;
    ngx_http_vllm_mock_key_t      key;
    ngx_http_vllm_mock_limit_t    limit;        /* with the user's own */
    double                        requests;     /* left */
    double                        tokens;
    unsigned                      running:1;
};


/* ---- in the zone, under its lock ---- */

static ngx_http_vllm_mock_limits_t *
ngx_http_vllm_mock_limits(ngx_http_vllm_mock_zone_t *z)
{
    if (z->shared->limits == NULL) {
        z->shared->limits = ngx_http_vllm_mock_zone_alloc(z,
                                        sizeof(ngx_http_vllm_mock_limits_t),
                                        "rate limits and users");
    }

    return z->shared->limits;
}


/* A long key is told by its hash. */

static void
ngx_http_vllm_mock_key_set(ngx_http_vllm_mock_key_t *key, const u_char *data,
    size_t len)
{
    if (len <= NGX_HTTP_VLLM_MOCK_KEY) {
        key->len = len;
        ngx_memcpy(key->data, data, len);
        return;
    }

    key->len = (size_t) (ngx_sprintf(key->data, "#%uz:%08xD", len,
                                     ngx_crc32_long((u_char *) data, len))
                         - key->data);
}


static ngx_uint_t
ngx_http_vllm_mock_key_same(const ngx_http_vllm_mock_key_t *a,
    const ngx_http_vllm_mock_key_t *b)
{
    return a->len == b->len && ngx_memcmp(a->data, b->data, a->len) == 0;
}


static ngx_http_vllm_mock_user_t *
ngx_http_vllm_mock_user_find(ngx_http_vllm_mock_limits_t *l,
    const ngx_http_vllm_mock_key_t *name)
{
    ngx_uint_t  i;

    for (i = 0; l && i < NGX_HTTP_VLLM_MOCK_USERS; i++) {
        if (ngx_http_vllm_mock_key_same(&l->users[i].name, name)) {
            return &l->users[i];
        }
    }

    return NULL;
}


/*
 * A key's bucket, filled to now; a new one is full, in place of the one that
 * was used longest ago: of those in which nothing runs, if there are some.
 */

static ngx_http_vllm_mock_bucket_t *
ngx_http_vllm_mock_bucket(ngx_http_vllm_mock_limits_t *l,
    const ngx_http_vllm_mock_counted_t *c, vm_time_t now)
{
    double                        minutes;
    ngx_uint_t                    i;
    ngx_http_vllm_mock_bucket_t  *b, *oldest;

    oldest = &l->buckets[0];
    b = oldest;

    for (i = 0; i < NGX_HTTP_VLLM_MOCK_BUCKETS; i++) {
        b = &l->buckets[i];

        if (b->at && b->place == c->limit.place
            && ngx_http_vllm_mock_key_same(&b->key, &c->key))
        {
            break;
        }

        if ((b->runs != 0) != (oldest->runs != 0)
            ? b->runs == 0 : b->at < oldest->at)
        {
            oldest = b;
        }
    }

    if (i == NGX_HTTP_VLLM_MOCK_BUCKETS) {
        b = oldest;
        ngx_memzero(b, sizeof(ngx_http_vllm_mock_bucket_t));
        b->key = c->key;
        b->place = c->limit.place;
        b->requests = (double) c->limit.rpm;
        b->tokens = (double) c->limit.tpm;
        b->at = now;
    }

    minutes = (double) (now - b->at) / 60 / VM_NSEC;
    b->requests = vm_min(b->requests + minutes * (double) c->limit.rpm,
                         (double) c->limit.rpm);
    b->tokens = vm_min(b->tokens + minutes * (double) c->limit.tpm,
                       (double) c->limit.tpm);
    b->at = now;

    return b;
}


void
ngx_http_vllm_mock_limits_orphans(ngx_http_vllm_mock_zone_t *z,
    ngx_uint_t owner)
{
    ngx_uint_t                    i;
    ngx_http_vllm_mock_bucket_t  *b;

    for (i = 0; z->shared->limits && i < NGX_HTTP_VLLM_MOCK_BUCKETS; i++) {
        b = &z->shared->limits->buckets[i];
        b->runs -= b->running[owner];
        b->running[owner] = 0;
    }
}


/* ---- a request ---- */

/* At the end: its tokens count, its place is free. */

static void
ngx_http_vllm_mock_counted_end(void *data)
{
    ngx_http_vllm_mock_zone_t     *z;
    const vm_generation_t         *g;
    ngx_http_vllm_mock_bucket_t   *b;
    ngx_http_vllm_mock_counted_t  *c;

    c = data;
    z = c->ctx->zone;

    if (!c->running) {
        return;
    }

    g = c->ctx->stream ? c->ctx->stream->generation : NULL;

    ngx_http_vllm_mock_lock(z);

    b = ngx_http_vllm_mock_bucket(z->shared->limits, c,
                                  ngx_http_vllm_mock_now());

    if (b->running[z->owner]) {
        b->running[z->owner]--;
        b->runs--;
    }

    if (g) {
        b->tokens -= (double) (vm_generation_prompt_tokens(g)
                               + vm_generation_output_tokens(g));
    }

    ngx_http_vllm_mock_unlock(z);
}


/* What runs on without its connection is counted until it is over. */

ngx_int_t
ngx_http_vllm_mock_limited_move(ngx_http_vllm_mock_ctx_t *from,
    ngx_http_vllm_mock_ctx_t *to)
{
    ngx_pool_cleanup_t            *cln;
    ngx_http_vllm_mock_counted_t  *c;

    if (from->counted == NULL) {
        return NGX_OK;
    }

    cln = ngx_pool_cleanup_add(to->npool,
                               sizeof(ngx_http_vllm_mock_counted_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    c = cln->data;
    *c = *from->counted;
    c->ctx = to;
    cln->handler = ngx_http_vllm_mock_counted_end;
    from->counted->running = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_vllm_mock_refuse(ngx_http_vllm_mock_ctx_t *ctx, const char *what,
    int64_t limit, double wait)
{
    char                 text[32];
    size_t               len;
    ngx_http_request_t  *r;

    r = ctx->request;
    len = (size_t) snprintf(text, sizeof(text), "%.0f", ceil(wait));

    if (ngx_http_vllm_mock_header_add(r, "retry-after", text, len)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    vm_error_printf(&ctx->call.error, ctx->pool, 429, "Too Many Requests",
                    NULL, "Rate limit reached: %lld %s. Please try again in "
                    "%.0fs.", (long long) limit, what, ceil(wait));

    return ngx_http_vllm_mock_error(ctx);
}


static ngx_int_t
ngx_http_vllm_mock_limit_header(ngx_http_vllm_mock_ctx_t *ctx,
    const char *name, double value)
{
    char    text[32];
    size_t  len;

    len = (size_t) snprintf(text, sizeof(text), "%.0f",
                            value < 0 ? 0 : floor(value));

    return ngx_http_vllm_mock_header_add(ctx->request, name, text, len);
}


/* OpenAI's headers, for the limits that there are. */

static ngx_int_t
ngx_http_vllm_mock_limit_headers(ngx_http_vllm_mock_ctx_t *ctx,
    const ngx_http_vllm_mock_counted_t *c)
{
    const ngx_http_vllm_mock_limit_t  *l;

    l = &c->limit;

    if (l->rpm
        && (ngx_http_vllm_mock_limit_header(ctx, "x-ratelimit-limit-requests",
                                            (double) l->rpm)
            != NGX_OK
            || ngx_http_vllm_mock_limit_header(ctx,
                   "x-ratelimit-remaining-requests", c->requests)
               != NGX_OK))
    {
        return NGX_ERROR;
    }

    if (l->tpm
        && (ngx_http_vllm_mock_limit_header(ctx, "x-ratelimit-limit-tokens",
                                            (double) l->tpm)
            != NGX_OK
            || ngx_http_vllm_mock_limit_header(ctx,
                   "x-ratelimit-remaining-tokens", c->tokens)
               != NGX_OK))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_vllm_mock_limit_now(ngx_http_vllm_mock_ctx_t *ctx,
    ngx_http_vllm_mock_limit_t *limit)
{
    ngx_http_vllm_mock_limit_t    *conf;
    ngx_http_vllm_mock_runtime_t  *runtime;

    conf = ctx->conf->limit_conf;
    runtime = &ctx->zone->shared->runtime;

    if (conf) {
        *limit = *conf;

    } else {
        ngx_memzero(limit, sizeof(ngx_http_vllm_mock_limit_t));
    }

    if (runtime->limit_set) {
        limit->rpm = runtime->limit.rpm;
        limit->tpm = runtime->limit.tpm;
        limit->concurrency = runtime->limit.concurrency;
    }

    return limit->rpm || limit->tpm || limit->concurrency;
}


/* Whose request it is: by Authorization, unless the configuration says. */

static ngx_int_t
ngx_http_vllm_mock_limit_key(ngx_http_vllm_mock_ctx_t *ctx,
    ngx_http_vllm_mock_counted_t *c)
{
    ngx_str_t         value;
    ngx_table_elt_t  *h;

    if (c->limit.by == NULL) {
        h = ctx->request->headers_in.authorization;
        ngx_str_set(&value, "");
        value = h ? h->value : value;

    } else if (ngx_http_complex_value(ctx->request, c->limit.by, &value)
               != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_vllm_mock_key_set(&c->key, value.data, value.len);

    return NGX_OK;
}


/* Which limit a request has reached, and for how many seconds. */

typedef struct {
    const char  *what;                          /* NULL: none */
    int64_t      limit;
    double       wait;
} ngx_http_vllm_mock_reached_t;


/* Under the lock: takes a place, unless a limit is reached. */

static void
ngx_http_vllm_mock_limits_take(ngx_http_vllm_mock_zone_t *z,
    ngx_http_vllm_mock_counted_t *c, ngx_http_vllm_mock_reached_t *reached)
{
    ngx_http_vllm_mock_user_t    *u;
    ngx_http_vllm_mock_limit_t   *l;
    ngx_http_vllm_mock_bucket_t  *b;

    l = &c->limit;
    reached->what = NULL;

    u = c->key.len ? ngx_http_vllm_mock_user_find(z->shared->limits, &c->key)
                   : NULL;

    if (u) {
        l->rpm = u->rpm ? u->rpm : l->rpm;
        l->tpm = u->tpm ? u->tpm : l->tpm;
    }

    b = ngx_http_vllm_mock_bucket(z->shared->limits, c,
                                  ngx_http_vllm_mock_now());

    if (l->rpm && b->requests < 1) {
        reached->what = "requests per minute";
        reached->limit = l->rpm;
        reached->wait = (1 - b->requests) * 60 / (double) l->rpm;

    } else if (l->tpm && b->tokens <= 0) {
        reached->what = "tokens per minute";
        reached->limit = l->tpm;
        reached->wait = (1 - b->tokens) * 60 / (double) l->tpm;

    } else if (l->concurrency && (int64_t) b->runs >= l->concurrency) {
        reached->what = "concurrent requests";
        reached->limit = l->concurrency;
        reached->wait = 1;

    } else {
        b->requests--;
        b->running[z->owner]++;
        b->runs++;
        c->running = 1;
    }

    c->requests = b->requests;
    c->tokens = b->tokens;
}


/*
 * NGX_DECLINED: go on; its tokens are taken when it is over, so that a bucket
 * may be overdrawn by those that run.
 */

ngx_int_t
ngx_http_vllm_mock_limited(ngx_http_vllm_mock_ctx_t *ctx)
{
    ngx_uint_t                     full;
    ngx_pool_cleanup_t            *cln;
    ngx_http_vllm_mock_zone_t     *z;
    ngx_http_vllm_mock_limit_t     limit;
    ngx_http_vllm_mock_counted_t  *c;
    ngx_http_vllm_mock_reached_t   reached;

    z = ctx->zone;

    /* a user may have limits where the place has none */

    if (!ngx_http_vllm_mock_limit_now(ctx, &limit)
        && ctx->conf->limit_conf == NULL)
    {
        return NGX_DECLINED;
    }

    c = ngx_pcalloc(ctx->request->pool, sizeof(ngx_http_vllm_mock_counted_t));
    cln = ngx_pool_cleanup_add(ctx->request->pool, 0);

    if (c == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    c->ctx = ctx;
    c->limit = limit;

    if (ngx_http_vllm_mock_limit_key(ctx, c) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_vllm_mock_counted_end;
    cln->data = c;
    ctx->counted = c;

    ngx_http_vllm_mock_lock(z);

    full = ngx_http_vllm_mock_limits(z) == NULL;

    if (!full) {
        ngx_http_vllm_mock_limits_take(z, c, &reached);
    }

    ngx_http_vllm_mock_unlock(z);

    if (full) {
        ngx_http_vllm_mock_full(ctx);
        return ngx_http_vllm_mock_error(ctx);
    }

    if (ngx_http_vllm_mock_limit_headers(ctx, c) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return reached.what ? ngx_http_vllm_mock_refuse(ctx, reached.what,
                                                    reached.limit,
                                                    reached.wait)
                        : NGX_DECLINED;
}


/* ---- users ---- */

typedef struct {
    const json_t  *name;
    vm_int_t       rpm;
    vm_int_t       tpm;
} ngx_http_vllm_mock_user_body_t;

static const vm_type_t  ngx_http_vllm_mock_rate_type = {
    .kind = VM_T_INT, .has_ge = 1, .ge = 0
};

static const vm_field_t  ngx_http_vllm_mock_user_fields[] = {
    { "name", &vm_str_type, VM_F_REQUIRED|VM_F_NOTNULL,
      offsetof(ngx_http_vllm_mock_user_body_t, name), 0, NULL },
    { "rpm", &ngx_http_vllm_mock_rate_type, 0,
      offsetof(ngx_http_vllm_mock_user_body_t, rpm), 0, NULL },
    { "tpm", &ngx_http_vllm_mock_rate_type, 0,
      offsetof(ngx_http_vllm_mock_user_body_t, tpm), 0, NULL },
    vm_field_end
};

static const vm_type_t  ngx_http_vllm_mock_user_type = {
    .kind = VM_T_MODEL, .fields = ngx_http_vllm_mock_user_fields
};

/* POST /CreateUser, /ReadUser, /UpdateUser, /DeleteUser */

ngx_int_t
ngx_http_vllm_mock_user(ngx_http_vllm_mock_ctx_t *ctx)
{
    char                             what;
    const char                      *name, *text;
    ngx_uint_t                       full, there;
    ngx_http_vllm_mock_key_t         key, none;
    ngx_http_vllm_mock_user_t       *u, user;
    ngx_http_vllm_mock_zone_t       *z;
    ngx_http_vllm_mock_user_body_t   q;

    z = ctx->zone;
    what = (char) ctx->path.data[1];
    ngx_memzero(&q, sizeof(ngx_http_vllm_mock_user_body_t));

    if (vm_model_load(&ngx_http_vllm_mock_user_type, ctx->body, "body", &q,
                      &ctx->call.error, ctx->pool)
        != VM_OK)
    {
        return ngx_http_vllm_mock_error(ctx);
    }

    name = json_string_value(q.name);

    if (*name == '\0' || json_string_length(q.name) > NGX_HTTP_VLLM_MOCK_KEY)
    {
        vm_error_bad(&ctx->call.error, "a user's name has 1 to 64 bytes");
        return ngx_http_vllm_mock_error(ctx);
    }

    ngx_memzero(&user, sizeof(ngx_http_vllm_mock_user_t));
    none.len = 0;
    ngx_http_vllm_mock_key_set(&key, (const u_char *) name,
                               json_string_length(q.name));

    ngx_http_vllm_mock_lock(z);

    full = ngx_http_vllm_mock_limits(z) == NULL;
    u = full ? NULL
             : ngx_http_vllm_mock_user_find(z->shared->limits, &key);
    there = u != NULL;

    if (!there && !full && what == 'C') {
        u = ngx_http_vllm_mock_user_find(z->shared->limits, &none);

        if (u) {
            u->name = key;
        }
    }

    if (u && (what == 'U' || (what == 'C' && !there))) {
        u->rpm = q.rpm.v;
        u->tpm = q.tpm.v;
    }

    if (u) {
        user = *u;

        if (what == 'D') {
            u->name.len = 0;
        }
    }

    ngx_http_vllm_mock_unlock(z);

    if (full) {
        ngx_http_vllm_mock_full(ctx);
        return ngx_http_vllm_mock_error(ctx);
    }

    if (u == NULL) {
        vm_error_printf(&ctx->call.error, ctx->pool, what == 'C' ? 503 : 404,
                        what == 'C' ? "Service Unavailable" : "Not Found",
                        NULL, what == 'C' ? "%s is one user too many: there "
                                            "are 1000"
                                          : "User: %s does not exist", name);
        return ngx_http_vllm_mock_error(ctx);
    }

    text = there && what == 'C'
           ? vm_pool_printf(ctx->pool, "User: %s exists", name)
           : vm_pool_printf(ctx->pool,
                            "%sUser: {Name:%s Rpm:%lld Tpm:%lld}",
                            what == 'C' ? "Created " : what == 'U'
                            ? "Updated " : what == 'D' ? "Deleted " : "",
                            name, (long long) user.rpm,
                            (long long) user.tpm);

    return text ? ngx_http_vllm_mock_send(ctx, NGX_HTTP_OK,
                                          NGX_HTTP_VLLM_MOCK_TEXT, text,
                                          strlen(text))
                : NGX_HTTP_INTERNAL_SERVER_ERROR;
}
