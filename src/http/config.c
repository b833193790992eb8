/*
 * GET and POST /admin/config: the settings as they are now, and what of them
 * may change while all runs.
 */

#include "resolve.h"
#include "fault.h"
#include "limits.h"
#include "../engine/options.h"


#define NGX_HTTP_VLLM_MOCK_WORDS  32        /* of a setting */


const vm_output_t *
ngx_http_vllm_mock_output(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_output_t                  *o;
    ngx_http_vllm_mock_shared_t  *sh;

    sh = ctx->zone->shared;

    if (!sh->runtime.output_set) {
        return ctx->conf->output_conf;
    }

    o = vm_pool_alloc(ctx->pool, sizeof(vm_output_t));

    if (o == NULL) {
        return ctx->conf->output_conf;
    }

    ngx_http_vllm_mock_lock(ctx->zone);
    *o = sh->runtime.output;
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


/* "faults":[...],"rate_limit":"...","replicas":N */

static void
ngx_http_vllm_mock_config_more(ngx_http_vllm_mock_ctx_t *ctx, vm_buf_t *out)
{
    int                          up;
    vm_buf_t                     text;
    ngx_uint_t                   i, n;
    ngx_http_vllm_mock_fault_t  *f;
    ngx_http_vllm_mock_limit_t   limit;

    f = ngx_http_vllm_mock_faults_now(ctx, &n);
    vm_buf_lit(out, ",\"faults\":[");

    for (i = 0; i < n; i++) {
        vm_buf_str(out, i ? "," : "");
        vm_buf_json(out, f[i].text, strlen(f[i].text));
    }

    vm_buf_lit(out, "],\"rate_limit\":");
    vm_buf_init(&text);

    if (ngx_http_vllm_mock_limit_now(ctx, &limit)) {
        ngx_http_vllm_mock_limit_text(&limit, &text);
        vm_buf_json(out, text.data, text.len);

    } else {
        vm_buf_lit(out, "null");
    }

    vm_buf_free(&text);
    vm_buf_printf(out, ",\"replicas\":%lu",
                  (unsigned long) ngx_http_vllm_mock_count_value(ctx, &up));
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
    ngx_http_vllm_mock_config_more(ctx, &b);
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
    ngx_http_vllm_mock_runtime_t  runtime;  /* as it is to be */
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


/* The words of a text, as a directive's: some may be quoted as a whole. */

ngx_uint_t
ngx_http_vllm_mock_words(char *text, ngx_str_t *words, ngx_uint_t max)
{
    char        *end, quote;
    ngx_uint_t   n;

    for (n = 0; n < max; n++) {
        text += strspn(text, " ");

        if (*text == '\0') {
            break;
        }

        quote = *text == '"' || *text == '\'' ? *text++ : ' ';
        end = strchr(text, quote);

        words[n].data = (u_char *) text;
        words[n].len = end ? (size_t) (end - text) : strlen(text);
        text += words[n].len + (end != NULL);

        if (end) {
            *end = '\0';
        }
    }

    return n;
}


static int
ngx_http_vllm_mock_change_latency(vm_latency_t *l, char *text, char *err)
{
    char        *equals, *word;
    ngx_str_t    words[NGX_HTTP_VLLM_MOCK_WORDS];
    ngx_uint_t   i, n;

    ngx_memzero(l, sizeof(vm_latency_t));
    n = ngx_http_vllm_mock_words(text, words, NGX_HTTP_VLLM_MOCK_WORDS);

    if (n == 0
        || vm_latency_model(l, (char *) words[0].data, err,
                            NGX_HTTP_VLLM_MOCK_ERR)
           != VM_OK)
    {
        return VM_ERROR;
    }

    if (l->model == VM_LATENCY_PROFILE) {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "a profile is read by the configuration only%Z");
        return VM_ERROR;
    }

    for (i = 1; i < n; i++) {
        word = (char *) words[i].data;
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
    char        *equals, *word;
    ngx_str_t    words[NGX_HTTP_VLLM_MOCK_WORDS];
    ngx_uint_t   i, n;

    n = ngx_http_vllm_mock_words(text, words, NGX_HTTP_VLLM_MOCK_WORDS);

    for (i = 0; i < n; i++) {
        word = (char *) words[i].data;
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


/* All of it, or nothing.  VM_DECLINED: another was first, begin anew. */

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

    ngx_http_vllm_mock_lock(z);

    rc = sh->runtime.version == q->runtime.version ? VM_OK : VM_DECLINED;

    if (rc == VM_OK && (q->latency || q->time_scale.set)) {
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

    if (rc == VM_OK) {
        sh->runtime = q->runtime;
        sh->runtime.version++;

        if (q->output) {
            sh->runtime.output = o;
            sh->runtime.output_set = 1;
        }
    }

    ngx_http_vllm_mock_unlock(z);

    return rc;
}


/* A list of the directive's words; null: those of the configuration. */

static int
ngx_http_vllm_mock_change_faults(ngx_http_vllm_mock_ctx_t *ctx,
    const json_t *list, ngx_http_vllm_mock_runtime_t *runtime, char *err)
{
    char                        *copy;
    size_t                       i, len;
    ngx_str_t                    words[NGX_HTTP_VLLM_MOCK_FAULT_WORDS];
    ngx_uint_t                   n;
    const char                  *text;
    ngx_http_vllm_mock_fault_t   f;

    runtime->faults_set = !json_is_null(list);
    runtime->nfaults = json_array_size(list);

    if ((runtime->faults_set && !json_is_array(list))
        || runtime->nfaults > NGX_HTTP_VLLM_MOCK_FAULTS)
    {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "faults: null or a list of up to %d texts, worded as "
                     "vllm_mock_fault%Z", NGX_HTTP_VLLM_MOCK_FAULTS);
        return VM_ERROR;
    }

    for (i = 0; i < runtime->nfaults; i++) {
        text = json_string_value(json_array_get(list, i));
        len = text ? strlen(text) : NGX_HTTP_VLLM_MOCK_FAULT_TEXT;

        if (len >= NGX_HTTP_VLLM_MOCK_FAULT_TEXT) {
            ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                         "a fault is a text of up to %d bytes%Z",
                         NGX_HTTP_VLLM_MOCK_FAULT_TEXT - 1);
            return VM_ERROR;
        }

        ngx_memcpy(runtime->faults[i], text, len + 1);
        copy = vm_pool_strdup(ctx->pool, text, len);

        if (copy == NULL) {
            return VM_ERROR;
        }

        n = ngx_http_vllm_mock_words(copy, words,
                                     NGX_HTTP_VLLM_MOCK_FAULT_WORDS);

        if (ngx_http_vllm_mock_fault_parse(NULL, ctx->npool, words, n, &f,
                                           err)
            != NGX_CONF_OK)
        {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


/* "rpm=20 concurrency=5", "off"; null: that of the configuration. */

static int
ngx_http_vllm_mock_change_limit(ngx_http_vllm_mock_ctx_t *ctx,
    const json_t *json, ngx_http_vllm_mock_runtime_t *runtime, char *err)
{
    char        *copy, key[16];
    ngx_str_t    words[4];
    ngx_uint_t   i, n;
    const char  *text, *value;

    runtime->limit_set = !json_is_null(json);
    ngx_memzero(&runtime->limit, sizeof(ngx_http_vllm_mock_limit_t));
    text = json_string_value(json);

    if (json_is_null(json) || (text && strcmp(text, "off") == 0)) {
        return VM_OK;
    }

    copy = text ? vm_pool_strdup(ctx->pool, text, strlen(text)) : NULL;
    n = copy ? ngx_http_vllm_mock_words(copy, words, vm_nelts(words)) : 0;

    for (i = 0; i < n; i++) {
        value = ngx_http_vllm_mock_split(&words[i], key, sizeof(key));

        if (value == NULL
            || ngx_http_vllm_mock_limit_set(&runtime->limit, key, value)
               != NGX_OK)
        {
            break;
        }
    }

    if (n == 0 || i < n) {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "rate_limit: null, \"off\", or rpm=N, tpm=N, "
                     "concurrency=N (1 to 1000000000)%Z");
        return VM_ERROR;
    }

    return VM_OK;
}


static int
ngx_http_vllm_mock_change_replicas(ngx_http_vllm_mock_ctx_t *ctx,
    const json_t *json, ngx_http_vllm_mock_runtime_t *runtime, char *err)
{
    runtime->replicas_set = !json_is_null(json);
    runtime->replicas = (ngx_uint_t) json_integer_value(json);

    if (ctx->conf->server->replicas_uri.len) {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "replicas: their number is read from %V%Z",
                     &ctx->conf->server->replicas_uri);
        return VM_ERROR;
    }

    if (runtime->replicas_set
        && (!json_is_integer(json) || json_integer_value(json) < 0
            || json_integer_value(json) > 1000000))
    {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "replicas: null or a number from 0 to 1000000%Z");
        return VM_ERROR;
    }

    return VM_OK;
}


static const struct {
    const char  *name;
    int        (*change)(ngx_http_vllm_mock_ctx_t *ctx, const json_t *json,
                         ngx_http_vllm_mock_runtime_t *runtime, char *err);
}  ngx_http_vllm_mock_changes[] = {
    { "latency", NULL },                /* by the table of fields */
    { "output", NULL },
    { "time_scale", NULL },
    { "faults", ngx_http_vllm_mock_change_faults },
    { "rate_limit", ngx_http_vllm_mock_change_limit },
    { "replicas", ngx_http_vllm_mock_change_replicas }
};


/* One key of the body. */

static int
ngx_http_vllm_mock_change_key(ngx_http_vllm_mock_ctx_t *ctx, const char *key,
    const json_t *value, ngx_http_vllm_mock_runtime_t *runtime, char *err)
{
    ngx_uint_t  i;

    for (i = 0; i < vm_nelts(ngx_http_vllm_mock_changes); i++) {

        if (strcmp(ngx_http_vllm_mock_changes[i].name, key) != 0) {
            continue;
        }

        return ngx_http_vllm_mock_changes[i].change
               ? ngx_http_vllm_mock_changes[i].change(ctx, value, runtime, err)
               : VM_OK;
    }

    ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                 "%s cannot be changed: latency, output, time_scale, faults, "
                 "rate_limit or replicas%Z", key);

    return VM_ERROR;
}


/* The whole body, as of what is set now. */

static int
ngx_http_vllm_mock_change_body(ngx_http_vllm_mock_ctx_t *ctx,
    ngx_http_vllm_mock_change_t *q, char *err)
{
    void  *it;

    ngx_http_vllm_mock_lock(ctx->zone);
    q->runtime = ctx->zone->shared->runtime;
    ngx_http_vllm_mock_unlock(ctx->zone);

    *err = '\0';

    for (it = json_object_iter(ctx->body); it;
         it = json_object_iter_next(ctx->body, it))
    {
        if (ngx_http_vllm_mock_change_key(ctx, json_object_iter_key(it),
                                          json_object_iter_value(it),
                                          &q->runtime, err)
            != VM_OK)
        {
            return VM_ERROR;
        }
    }

    return ngx_http_vllm_mock_change(ctx, q, err);
}


ngx_int_t
ngx_http_vllm_mock_admin_config(ngx_http_vllm_mock_ctx_t *ctx)
{
    int                           rc;
    char                          err[NGX_HTTP_VLLM_MOCK_ERR];
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

    do {
        rc = ngx_http_vllm_mock_change_body(ctx, &q, err);
    } while (rc == VM_DECLINED);

    if (rc != VM_OK) {
        vm_error_printf(&ctx->call.error, ctx->pool, 400, "BadRequestError",
                        NULL, "%s", *err ? err : "an empty setting");
        return ngx_http_vllm_mock_error(ctx);
    }

    return ngx_http_vllm_mock_config_answer(ctx);
}
