/*
 * GET and POST /admin/config: the settings as they are now, and what of them
 * may change while all runs.
 */

#include "resolve.h"
#include "../engine/options.h"


const vm_output_t *
ngx_http_vllm_mock_output(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_output_t                  *o;
    ngx_http_vllm_mock_shared_t  *sh;

    sh = ctx->zone->shared;

    if (!sh->output_set) {
        return ctx->conf->output_conf;
    }

    o = vm_pool_alloc(ctx->pool, sizeof(vm_output_t));

    if (o == NULL) {
        return ctx->conf->output_conf;
    }

    ngx_http_vllm_mock_lock(ctx->zone);
    *o = sh->output;
    ngx_http_vllm_mock_unlock(ctx->zone);

    /* what only a process knows */

    o->pod = ctx->conf->output_conf->pod;
    o->lines = ctx->conf->output_conf->lines;
    o->nlines = ctx->conf->output_conf->nlines;

    return o;
}


/* ---- telling ---- */

static void
ngx_http_vllm_mock_config_output(const vm_output_t *o, vm_buf_t *out)
{
    static const char *const  lengths[] = {
        [VM_LENGTH_MAX] = "max", [VM_LENGTH_FIXED] = "fixed",
        [VM_LENGTH_UNIFORM] = "uniform", [VM_LENGTH_NORMAL] = "normal",
        [VM_LENGTH_LOGNORMAL] = "lognormal"
    };
    static const char *const  texts[] = {
        [VM_TEXT_WORDS] = "words", [VM_TEXT_MESSAGE] = "message",
        [VM_TEXT_ECHO] = "echo", [VM_TEXT_FILE] = "file"
    };

    vm_buf_printf(out, "{\"text\":\"%s\",\"tokens\":\"%s", texts[o->text],
                  lengths[o->length]);

    if (o->length != VM_LENGTH_MAX) {
        vm_buf_char(out, ':');
        vm_buf_double(out, o->a);
    }

    if (o->length > VM_LENGTH_FIXED) {
        vm_buf_char(out, ':');
        vm_buf_double(out, o->b);
    }

    vm_buf_printf(out, "\",\"cap\":%s}", o->cap ? "true" : "false");
}


static ngx_int_t
ngx_http_vllm_mock_config_answer(ngx_http_vllm_mock_ctx_t *ctx)
{
    size_t                          i;
    vm_buf_t                        b;
    vm_strings_t                    names;
    vm_engine_conf_t                e;
    ngx_http_vllm_mock_shared_t    *sh;
    ngx_http_vllm_mock_srv_conf_t  *server;

    sh = ctx->zone->shared;
    server = ctx->conf->server;
    names = ctx->settings->names;

    ngx_http_vllm_mock_lock(ctx->zone);
    e = *vm_engine_conf(sh->engines[sh->current].ranks[0]);
    ngx_http_vllm_mock_unlock(ctx->zone);

    vm_buf_init(&b);
    vm_buf_lit(&b, "{\"models\":[");

    for (i = 0; i < names.n; i++) {
        vm_buf_str(&b, i ? "," : "");
        vm_buf_json(&b, names.list[i], strlen(names.list[i]));
    }

    vm_buf_lit(&b, "],\"engine\":");
    vm_options_json(&e, &b);
    vm_buf_printf(&b, ",\"data_parallel\":%u,\"latency\":",
                  ctx->settings->data_parallel);
    vm_latency_json(&e.latency, &b);
    vm_buf_lit(&b, ",\"time_scale\":");
    vm_buf_double(&b, e.time_scale);
    vm_buf_lit(&b, ",\"output\":");
    ngx_http_vllm_mock_config_output(ngx_http_vllm_mock_output(ctx), &b);
    vm_buf_printf(&b, ",\"seed\":%llu,\"metrics\":\"%s\",\"legacy\":%s,"
                  "\"unknown_models\":\"%s\",\"lora_paths\":\"%s\","
                  "\"endpoints\":\"%s\",\"fleet\":%lu,\"replica\":%lu,"
                  "\"saturation\":",
                  (unsigned long long) ctx->settings->seed,
                  server->scaled ? "scaled" : "live",
                  server->legacy ? "true" : "false",
                  ctx->settings->accept_any ? "accept" : "reject",
                  ctx->conf->lora_paths == NGX_HTTP_VLLM_MOCK_ANY ? "any"
                                                                  : "check",
                  ctx->settings->all_endpoints ? "all" : "vllm",
                  (unsigned long) ctx->zone->replicas,
                  (unsigned long) ctx->zone->replica);
    vm_buf_double(&b, (double) server->saturation / VM_NSEC);
    vm_buf_lit(&b, ",\"tokenizer\":");
    vm_buf_json(&b, (char *) server->tokenizer.data, server->tokenizer.len);
    vm_buf_lit(&b, ",\"version\":\"0.32.0\"}");

    return ngx_http_vllm_mock_json(ctx, &b);
}


/* ---- changing ---- */

typedef struct {
    const json_t  *latency;
    const json_t  *output;
    vm_float_t     time_scale;
} ngx_http_vllm_mock_change_t;

static const vm_field_t  ngx_http_vllm_mock_change_fields[] = {
    { "latency", &vm_str_type, VM_F_NOTNULL,
      offsetof(ngx_http_vllm_mock_change_t, latency), 0, NULL },
    { "output", &vm_str_type, VM_F_NOTNULL,
      offsetof(ngx_http_vllm_mock_change_t, output), 0, NULL },
    { "time_scale", &vm_float_type, VM_F_NOTNULL,
      offsetof(ngx_http_vllm_mock_change_t, time_scale), 0, NULL },
    vm_field_end
};

static const vm_type_t  ngx_http_vllm_mock_change_type = {
    .kind = VM_T_MODEL, .fields = ngx_http_vllm_mock_change_fields
};


/* The words of a text, as a directive's: one after the other. */

static char *
ngx_http_vllm_mock_word_next(char **p)
{
    char  *word;

    *p += strspn(*p, " ");

    if (**p == '\0') {
        return NULL;
    }

    word = *p;
    *p += strcspn(*p, " ");

    if (**p) {
        *(*p)++ = '\0';
    }

    return word;
}


static int
ngx_http_vllm_mock_change_latency(vm_latency_t *l, char *text, char *err)
{
    char  *equals, *word;

    ngx_memzero(l, sizeof(vm_latency_t));
    word = ngx_http_vllm_mock_word_next(&text);

    if (word == NULL
        || vm_latency_model(l, word, err, NGX_HTTP_VLLM_MOCK_ERR) != VM_OK)
    {
        return VM_ERROR;
    }

    if (l->model == VM_LATENCY_PROFILE) {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "a profile is read by the configuration only%Z");
        return VM_ERROR;
    }

    for (word = ngx_http_vllm_mock_word_next(&text); word;
         word = ngx_http_vllm_mock_word_next(&text))
    {
        equals = strchr(word, '=');

        if (equals == NULL) {
            ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                         "invalid parameter \"%s\" of latency: key=value is "
                         "expected%Z", word);
            return VM_ERROR;
        }

        *equals = '\0';

        if (vm_latency_set(l, word, equals + 1, err, NGX_HTTP_VLLM_MOCK_ERR)
            != VM_OK)
        {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


static int
ngx_http_vllm_mock_change_output(vm_output_t *o, char *text, char *err)
{
    char  *equals, *word;

    for (word = ngx_http_vllm_mock_word_next(&text); word;
         word = ngx_http_vllm_mock_word_next(&text))
    {
        equals = strchr(word, '=');

        if (equals) {
            *equals = '\0';
        }

        if (ngx_http_vllm_mock_output_set(o, word, equals ? equals + 1 : "",
                                          err)
            != NGX_CONF_OK)
        {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


/* All of it, or nothing. */

static int
ngx_http_vllm_mock_change(ngx_http_vllm_mock_ctx_t *ctx,
    const ngx_http_vllm_mock_change_t *q, char *err)
{
    int                           rc;
    char                         *latency, *output;
    vm_output_t                   o;
    vm_engine_conf_t              conf;
    ngx_http_vllm_mock_zone_t    *z;
    ngx_http_vllm_mock_shared_t  *sh;

    z = ctx->zone;
    sh = z->shared;
    *err = '\0';

    latency = q->latency ? vm_pool_strdup(ctx->pool,
                                          json_string_value(q->latency),
                                          json_string_length(q->latency))
                         : NULL;
    output = q->output ? vm_pool_strdup(ctx->pool,
                                        json_string_value(q->output),
                                        json_string_length(q->output))
                       : NULL;
    o = *ngx_http_vllm_mock_output(ctx);

    ngx_http_vllm_mock_lock(z);
    conf = *vm_engine_conf(sh->engines[sh->current].ranks[0]);
    ngx_http_vllm_mock_unlock(z);

    if ((q->latency
         && (latency == NULL
             || ngx_http_vllm_mock_change_latency(&conf.latency, latency, err)
                != VM_OK))
        || (q->output
            && (output == NULL
                || ngx_http_vllm_mock_change_output(&o, output, err)
                   != VM_OK)))
    {
        return VM_ERROR;
    }

    if (q->time_scale.set) {

        if (!(q->time_scale.v > 0 && q->time_scale.v <= 1000)) {
            ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                         "time_scale must be above 0, up to 1000%Z");
            return VM_ERROR;
        }

        conf.time_scale = q->time_scale.v;
    }

    rc = VM_OK;

    ngx_http_vllm_mock_lock(z);

    if (q->latency || q->time_scale.set) {
        ngx_http_vllm_mock_zone_sweep(z);

        if (ngx_http_vllm_mock_engines_create(z, &conf,
                                       ctx->request->connection->log)
            != NGX_OK)
        {
            ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                         "the zone has no room for other engines while the "
                         "old ones run%Z");
            rc = VM_ERROR;
        }
    }

    if (rc == VM_OK && q->output) {
        sh->output = o;
        sh->output_set = 1;
    }

    ngx_http_vllm_mock_unlock(z);

    return rc;
}


ngx_int_t
ngx_http_vllm_mock_admin_config(ngx_http_vllm_mock_ctx_t *ctx)
{
    char                          err[NGX_HTTP_VLLM_MOCK_ERR];
    void                         *it;
    ngx_http_vllm_mock_change_t   q;

    if (ctx->route->body == NGX_HTTP_VLLM_MOCK_BODY_NONE) {
        return ngx_http_vllm_mock_config_answer(ctx);
    }

    ngx_memzero(&q, sizeof(ngx_http_vllm_mock_change_t));

    if (vm_model_load(&ngx_http_vllm_mock_change_type, ctx->body, "body", &q,
                      &ctx->call.error, ctx->pool)
        != VM_OK)
    {
        return ngx_http_vllm_mock_error(ctx);
    }

    for (it = json_object_iter(ctx->body); it;
         it = json_object_iter_next(ctx->body, it))
    {
        const char  *key;

        key = json_object_iter_key(it);

        if (strcmp(key, "latency") != 0 && strcmp(key, "output") != 0
            && strcmp(key, "time_scale") != 0)
        {
            vm_error_printf(&ctx->call.error, ctx->pool, 400,
                            "BadRequestError", NULL, "%s cannot be changed: "
                            "latency, output or time_scale", key);
            return ngx_http_vllm_mock_error(ctx);
        }
    }

    if (ngx_http_vllm_mock_change(ctx, &q, err) != VM_OK) {
        vm_error_printf(&ctx->call.error, ctx->pool, 400, "BadRequestError",
                        NULL, "%s", *err ? err : "an empty setting");
        return ngx_http_vllm_mock_error(ctx);
    }

    return ngx_http_vllm_mock_config_answer(ctx);
}
