/*
 * Endpoints between nginx and the api files: generation, models, adapters,
 * tokens, embeddings.
 */

#include "http.h"
#include "../api/anthropic.h"
#include "../api/batch.h"
#include "../api/derender.h"
#include "../api/labels.h"
#include "../api/models.h"
#include "../api/pooling.h"
#include "../api/render.h"
#include "../api/responses.h"
#include "../api/tokens.h"
#include "../api/tokensin.h"
#include "../base/utf8.h"


ngx_int_t
ngx_http_vllm_mock_chat(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_generate(ctx, &vm_chat, ctx->body);
}


ngx_int_t
ngx_http_vllm_mock_batch(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_generate(ctx, &vm_batch, ctx->body);
}


ngx_int_t
ngx_http_vllm_mock_tokens_in(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_generate(ctx, &vm_tokensin, ctx->body);
}


ngx_int_t
ngx_http_vllm_mock_completions(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_generate(ctx, &vm_completion, ctx->body);
}


ngx_int_t
ngx_http_vllm_mock_responses(ngx_http_vllm_mock_ctx_t *ctx)
{
    if (ctx->settings->responses_store && vm_responses_background(ctx->body))
    {
        return ngx_http_vllm_mock_stored(ctx, &vm_responses);
    }

    return ngx_http_vllm_mock_generate(ctx, &vm_responses, ctx->body);
}


ngx_int_t
ngx_http_vllm_mock_messages(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_generate(ctx, &vm_anthropic, ctx->body);
}


ngx_int_t
ngx_http_vllm_mock_count_tokens(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_buf_t  b;

    vm_buf_init(&b);

    if (vm_anthropic_count(&ctx->call, ctx->body, &b) != VM_OK) {
        vm_buf_free(&b);
        return ngx_http_vllm_mock_error(ctx);
    }

    return ngx_http_vllm_mock_json(ctx, &b);
}


/* The classes as Python names them. */

#define NGX_HTTP_VLLM_MOCK_POOLING  "vllm.entrypoints.pooling."
#define NGX_HTTP_VLLM_MOCK_UNION(classes)                                     \
    "'typing.Annotated[" classes ", BeforeValidator(func=<function "          \
    "reject_removed_pooling_parameters>, "                                    \
    "json_schema_input_type=PydanticUndefined)]'"

#define NGX_HTTP_VLLM_MOCK_EMBED(name)                                        \
    NGX_HTTP_VLLM_MOCK_POOLING "embed.protocol.Embedding" name "Request"
#define NGX_HTTP_VLLM_MOCK_SCORE(name)                                        \
    NGX_HTTP_VLLM_MOCK_POOLING "scoring.protocol.Score" name "Request"
#define NGX_HTTP_VLLM_MOCK_POOL(name)                                         \
    NGX_HTTP_VLLM_MOCK_POOLING "pooling.protocol." name "Request"
#define NGX_HTTP_VLLM_MOCK_CLASS(name)                                        \
    NGX_HTTP_VLLM_MOCK_POOLING "classify.protocol.Classification" name        \
    "Request"

#define NGX_HTTP_VLLM_MOCK_POOL_NAMES                                         \
    NGX_HTTP_VLLM_MOCK_UNION(                                                 \
        NGX_HTTP_VLLM_MOCK_POOL("PoolingCompletion") " | "                    \
        NGX_HTTP_VLLM_MOCK_POOL("PoolingChat") " | "                          \
        NGX_HTTP_VLLM_MOCK_POOL("IOProcessor"))

#define NGX_HTTP_VLLM_MOCK_EMBED_NAMES                                        \
    NGX_HTTP_VLLM_MOCK_UNION(                                                 \
        NGX_HTTP_VLLM_MOCK_EMBED("Completion") " | "                          \
        NGX_HTTP_VLLM_MOCK_EMBED("Chat") " | "                                \
        NGX_HTTP_VLLM_MOCK_EMBED("BatchChat") " | "                           \
        NGX_HTTP_VLLM_MOCK_EMBED("ChatInput") " | "                           \
        NGX_HTTP_VLLM_MOCK_EMBED("BatchChatInput"))                           \
    ", 'RerankRequest', '"                                                    \
    NGX_HTTP_VLLM_MOCK_SCORE("QueriesDocuments") " | "                        \
    NGX_HTTP_VLLM_MOCK_SCORE("QueriesItems") " | "                            \
    NGX_HTTP_VLLM_MOCK_SCORE("Data") " | "                                    \
    NGX_HTTP_VLLM_MOCK_SCORE("Text") "', "                                    \
    NGX_HTTP_VLLM_MOCK_POOL_NAMES

#define NGX_HTTP_VLLM_MOCK_CLASSIFY_NAMES                                     \
    NGX_HTTP_VLLM_MOCK_UNION(                                                 \
        NGX_HTTP_VLLM_MOCK_CLASS("Completion") " | "                          \
        NGX_HTTP_VLLM_MOCK_CLASS("Chat"))                                     \
    ", " NGX_HTTP_VLLM_MOCK_POOL_NAMES


/*
 * SageMaker's: the first of the server's request classes that the body fits.
 * Its model is not looked at.
 */

static const vm_protocol_t *const  ngx_http_vllm_mock_generates[] = {
    &vm_chat, &vm_completion, NULL
};

static const vm_protocol_t *const  ngx_http_vllm_mock_embeds[] = {
    &vm_embeddings, &vm_rerank, &vm_score, &vm_pooling, NULL
};

static const vm_protocol_t *const  ngx_http_vllm_mock_classifies[] = {
    &vm_classify, &vm_pooling, NULL
};


static ngx_int_t
ngx_http_vllm_mock_fits(ngx_http_vllm_mock_ctx_t *ctx,
    const vm_protocol_t *protocol)
{
    ngx_int_t         rc;
    vm_generation_t  *g;

    g = vm_generation_create(&ctx->call, protocol);
    if (g == NULL) {
        return NGX_ERROR;
    }

    rc = vm_generation_parse(g, ctx->body) == VM_OK
         || !ctx->call.error.violations ? NGX_OK : NGX_DECLINED;

    vm_generation_free(g);
    ngx_memzero(&ctx->call.error, sizeof(vm_error_t));

    return rc;
}


ngx_int_t
ngx_http_vllm_mock_invocations(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_json_t                    j;
    ngx_int_t                    rc;
    vm_error_t                  *e;
    const vm_protocol_t *const  *p;

    e = &ctx->call.error;

    if (ngx_http_vllm_mock_json_type(ctx->request) != 2) {
        ngx_http_vllm_mock_no_json(ctx);
        return ngx_http_vllm_mock_error(ctx);
    }

    switch (ngx_http_vllm_mock_json_load(ctx, &j)) {

    case VM_JSON_OK:
        ctx->body = j.value;
        break;

    case VM_JSON_INVALID:
        vm_error_printf(e, ctx->pool, 400, "Bad Request", NULL,
                        "JSON decode error: %s: line 1 column %zu (char %zu)",
                        j.error, j.pos + 1, j.pos);
        return ngx_http_vllm_mock_error(ctx);

    default:
        vm_error_detail(e, 400, "There was an error parsing the body");
        return ngx_http_vllm_mock_error(ctx);
    }

    json_object_del(ctx->body, "model");

    p = ctx->settings->runner == VM_RUNNER_EMBED
        ? ngx_http_vllm_mock_embeds
        : ctx->settings->runner == VM_RUNNER_CLASSIFY
          ? ngx_http_vllm_mock_classifies : ngx_http_vllm_mock_generates;

    for ( /* void */ ; *p; p++) {
        rc = ngx_http_vllm_mock_fits(ctx, *p);

        if (rc != NGX_DECLINED) {
            return rc == NGX_OK
                   ? ngx_http_vllm_mock_generate(ctx, *p, ctx->body)
                   : NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    vm_error_printf(e, ctx->pool, 400, "BadRequestError", NULL,
                    "Cannot find suitable handler for request. Expected one "
                    "of: [%s]",
                    ctx->settings->runner == VM_RUNNER_EMBED
                    ? NGX_HTTP_VLLM_MOCK_EMBED_NAMES
                    : ctx->settings->runner == VM_RUNNER_CLASSIFY
                      ? NGX_HTTP_VLLM_MOCK_CLASSIFY_NAMES
                      : "'ChatCompletionRequest', 'CompletionRequest'");

    return ngx_http_vllm_mock_error(ctx);
}


/* ---- models and adapters ---- */

ngx_int_t
ngx_http_vllm_mock_models(ngx_http_vllm_mock_ctx_t *ctx)
{
    size_t                         n;
    vm_buf_t                       b;
    ngx_uint_t                     i;
    vm_adapter_t                  *list;
    ngx_http_vllm_mock_adapter_t  *a;
    ngx_http_vllm_mock_shared_t   *sh;

    sh = ctx->zone->shared;
    n = 0;

    list = vm_pool_calloc(ctx->pool, NGX_HTTP_VLLM_MOCK_ADAPTERS,
                          sizeof(vm_adapter_t));
    a = vm_pool_alloc(ctx->pool, sizeof(sh->adapters));

    if (list == NULL || a == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_vllm_mock_lock(ctx->zone);
    ngx_memcpy(a, sh->adapters, sh->nadapters * sizeof(*a));
    i = sh->nadapters;
    ngx_http_vllm_mock_unlock(ctx->zone);

    for ( /* void */ ; i; i--, a++) {

        if (a->loaded) {
            list[n].number = a->number;
            list[n].name.data = (char *) a->name;
            list[n].name.len = ngx_strlen(a->name);
            list[n].path.data = (char *) a->path;
            list[n++].path.len = ngx_strlen(a->path);
        }
    }

    vm_buf_init(&b);
    vm_models_render(&ctx->call, list, n, &b);

    return ngx_http_vllm_mock_json(ctx, &b);
}


/* The text of PATH/adapter_config.json; NULL: there is none. */

static char *
ngx_http_vllm_mock_adapter_config(ngx_http_vllm_mock_ctx_t *ctx,
    const char *path, size_t *len)
{
    char     *name, *text;
    FILE     *f;
    size_t    size;

    name = vm_pool_printf(ctx->pool, "%s/adapter_config.json", path);
    f = name ? fopen(name, "r") : NULL;

    if (f == NULL) {
        return NULL;
    }

    size = 64 * 1024;
    text = vm_pool_alloc(ctx->pool, size);
    *len = text ? fread(text, 1, size, f) : 0;
    fclose(f);

    return text;
}


static ngx_int_t
ngx_http_vllm_mock_lora_check(ngx_http_vllm_mock_ctx_t *ctx,
    const char *name, const char *path)
{
    char         *text;
    size_t        i, len;
    vm_strings_t  names;

    names = ctx->settings->names;

    for (i = 0; i < names.n; i++) {
        if (strcmp(names.list[i], name) == 0) {
            return vm_lora_base_name(&ctx->call, name);
        }
    }

    if (ctx->conf->lora_paths == NGX_HTTP_VLLM_MOCK_ANY) {

        /* by which AIBrix's mocked application and its tests know a bad one */

        return strcasestr(path, "nonexistent") || strcasestr(path, "/invalid/")
               ? vm_lora_no_path(&ctx->call, name, path) : NGX_OK;
    }

    if (!ctx->settings->enable_lora) {
        return vm_lora_engine(&ctx->call, "LoRA is not enabled. Use "
                                          "--enable-lora to enable LoRA.");
    }

    text = ngx_http_vllm_mock_adapter_config(ctx, path, &len);

    if (text == NULL) {
        return vm_lora_no_path(&ctx->call, name, path);
    }

    return vm_lora_config(&ctx->call, text, len);
}


static ngx_int_t
ngx_http_vllm_mock_lora_put(ngx_http_vllm_mock_ctx_t *ctx,
    const vm_lora_request_t *q, const char *done)
{
    size_t                         len, path_len;
    ngx_uint_t                     full, loaded;
    const char                    *name, *path, *text;
    ngx_http_vllm_mock_shared_t   *sh;

    sh = ctx->zone->shared;
    name = json_string_value(q->lora_name);
    path = json_string_value(q->lora_path);
    len = json_string_length(q->lora_name);
    path_len = json_string_length(q->lora_path);

    if (!vm_utf8_text(name, len) || !vm_utf8_text(path, path_len)) {
        vm_error_set(&ctx->call.error, 400, "BadRequestError", NULL,
                     "the name and the path of an adapter must be UTF-8 "
                     "without NUL");
        return ngx_http_vllm_mock_error(ctx);
    }

    ngx_http_vllm_mock_lock(ctx->zone);
    loaded = ngx_http_vllm_mock_adapter_find(sh, name, len) != NULL;
    ngx_http_vllm_mock_unlock(ctx->zone);

    if (loaded && !q->load_inplace) {
        vm_lora_loaded(&ctx->call, name);
        return ngx_http_vllm_mock_error(ctx);
    }

    if (ngx_http_vllm_mock_lora_check(ctx, name, path) != NGX_OK) {
        return ngx_http_vllm_mock_error(ctx);
    }

    ngx_http_vllm_mock_lock(ctx->zone);
    full = ngx_http_vllm_mock_adapter_add(sh, name, len, path, path_len)
           == NULL;
    ngx_http_vllm_mock_unlock(ctx->zone);

    if (full) {
        vm_lora_engine(&ctx->call, "more than 256 adapters, or a name over "
                                   "127 or a path over 511 bytes");
        return ngx_http_vllm_mock_error(ctx);
    }

    text = vm_pool_printf(ctx->pool, done, name);

    return ngx_http_vllm_mock_send(ctx, NGX_HTTP_OK, NULL, text,
                                   strlen(text));
}


static ngx_int_t
ngx_http_vllm_mock_lora_drop(ngx_http_vllm_mock_ctx_t *ctx, const char *name,
    size_t len, const char *done)
{
    ngx_uint_t                     found;
    const char                    *text;
    ngx_http_vllm_mock_adapter_t  *a, *last;
    ngx_http_vllm_mock_shared_t   *sh;

    sh = ctx->zone->shared;

    ngx_http_vllm_mock_lock(ctx->zone);

    a = ngx_http_vllm_mock_adapter_find(sh, name, len);
    found = a != NULL;

    if (a) {
        last = &sh->adapters[--sh->nadapters];
        ngx_memmove(a, a + 1, (size_t) ((u_char *) last - (u_char *) a));
        last->loaded = 0;
    }

    ngx_http_vllm_mock_unlock(ctx->zone);

    if (!found) {
        vm_lora_unknown(&ctx->call, name);
        return ngx_http_vllm_mock_error(ctx);
    }

    text = vm_pool_printf(ctx->pool, done, name);

    return ngx_http_vllm_mock_send(ctx, NGX_HTTP_OK, NULL, text,
                                   strlen(text));
}


ngx_int_t
ngx_http_vllm_mock_lora_load(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_lora_request_t  q;

    if (vm_lora_load_parse(&ctx->call, ctx->body, &q) != VM_OK) {
        return ngx_http_vllm_mock_error(ctx);
    }

    return ngx_http_vllm_mock_lora_put(ctx, &q, "Success: LoRA adapter '%s' "
                                                "added successfully.");
}


ngx_int_t
ngx_http_vllm_mock_lora_unload(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_lora_request_t  q;

    if (vm_lora_unload_parse(&ctx->call, ctx->body, &q) != VM_OK) {
        return ngx_http_vllm_mock_error(ctx);
    }

    return ngx_http_vllm_mock_lora_drop(ctx, json_string_value(q.lora_name),
                                        json_string_length(q.lora_name),
                                        "Success: LoRA adapter '%s' removed "
                                        "successfully.");
}


ngx_int_t
ngx_http_vllm_mock_adapters(ngx_http_vllm_mock_ctx_t *ctx)
{
    char               *name;
    ngx_str_t           part;
    vm_lora_request_t   q;

    if (ctx->request->method == NGX_HTTP_DELETE) {
        part = ngx_http_vllm_mock_route_part(ctx);
        name = vm_pool_strdup(ctx->pool, (char *) part.data, part.len);
        if (name == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_vllm_mock_lora_drop(ctx, name, part.len,
                                            "Adapter %s unregistered");
    }

    if (vm_lora_sagemaker_parse(&ctx->call, ctx->body, &q) != VM_OK) {
        return ngx_http_vllm_mock_error(ctx);
    }

    return ngx_http_vllm_mock_lora_put(ctx, &q, "Adapter %s registered");
}


/* ---- tokens, embeddings ---- */

ngx_int_t
ngx_http_vllm_mock_tokenize(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_buf_t  b;

    vm_buf_init(&b);

    if (vm_tokens_encode(&ctx->call, ctx->body, &b) != VM_OK) {
        vm_buf_free(&b);
        return ngx_http_vllm_mock_error(ctx);
    }

    return ngx_http_vllm_mock_json(ctx, &b);
}


ngx_int_t
ngx_http_vllm_mock_detokenize(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_buf_t  b;

    vm_buf_init(&b);

    if (vm_tokens_decode(&ctx->call, ctx->body, &b) != VM_OK) {
        vm_buf_free(&b);
        return ngx_http_vllm_mock_error(ctx);
    }

    return ngx_http_vllm_mock_json(ctx, &b);
}


ngx_int_t
ngx_http_vllm_mock_tokenizer_info(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_buf_t  b;

    vm_buf_init(&b);
    vm_tokens_info(&ctx->call, &b);

    return ngx_http_vllm_mock_json(ctx, &b);
}


#define ngx_http_vllm_mock_pool(name, protocol)                               \
                                                                              \
ngx_int_t                                                                     \
ngx_http_vllm_mock_##name(ngx_http_vllm_mock_ctx_t *ctx)                      \
{                                                                             \
    return ngx_http_vllm_mock_generate(ctx, &protocol, ctx->body);            \
}

ngx_http_vllm_mock_pool(embeddings, vm_embeddings)
ngx_http_vllm_mock_pool(pooling, vm_pooling)
ngx_http_vllm_mock_pool(classify, vm_classify)
ngx_http_vllm_mock_pool(score, vm_score)
ngx_http_vllm_mock_pool(rerank, vm_rerank)
ngx_http_vllm_mock_pool(cohere, vm_cohere)
ngx_http_vllm_mock_pool(labels, vm_labels)


/* ---- render and derender ---- */

static ngx_int_t
ngx_http_vllm_mock_answered(ngx_http_vllm_mock_ctx_t *ctx, int rc,
    vm_buf_t *b)
{
    if (rc != VM_OK) {
        vm_buf_free(b);
        return ngx_http_vllm_mock_error(ctx);
    }

    return ngx_http_vllm_mock_json(ctx, b);
}


#define ngx_http_vllm_mock_render(name, protocol)                             \
                                                                              \
ngx_int_t                                                                     \
ngx_http_vllm_mock_render_##name(ngx_http_vllm_mock_ctx_t *ctx)               \
{                                                                             \
    vm_buf_t  b;                                                              \
                                                                              \
    vm_buf_init(&b);                                                          \
                                                                              \
    return ngx_http_vllm_mock_answered(ctx,                                   \
               vm_render(&ctx->call, &protocol, ctx->body, &b), &b);          \
}

ngx_http_vllm_mock_render(chat, vm_chat)
ngx_http_vllm_mock_render(text, vm_completion)
ngx_http_vllm_mock_render(messages, vm_anthropic)
ngx_http_vllm_mock_render(responses, vm_responses)


#define ngx_http_vllm_mock_derender(name)                                     \
                                                                              \
ngx_int_t                                                                     \
ngx_http_vllm_mock_derender_##name(ngx_http_vllm_mock_ctx_t *ctx)             \
{                                                                             \
    vm_buf_t  b;                                                              \
                                                                              \
    vm_buf_init(&b);                                                          \
                                                                              \
    return ngx_http_vllm_mock_answered(ctx,                                   \
               vm_derender_##name(&ctx->call, ctx->body, &b), &b);            \
}

ngx_http_vllm_mock_derender(chat)
ngx_http_vllm_mock_derender(text)
