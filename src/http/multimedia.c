/*
 * Endpoints of sound and pictures: forms become JSON and files.
 */

#include "store.h"
#include "../api/form.h"
#include "../api/image.h"
#include "../api/speech.h"
#include "../api/transcription.h"
#include "../api/video.h"


/* NGX_DECLINED: call.error says why not. */

static ngx_int_t
ngx_http_vllm_mock_form(ngx_http_vllm_mock_ctx_t *ctx)
{
    char             *type;
    vm_form_t        *form;
    ngx_table_elt_t  *h;

    h = ctx->request->headers_in.content_type;
    type = h ? vm_pool_strdup(ctx->pool, (char *) h->value.data,
                              h->value.len)
             : NULL;

    form = vm_pool_alloc(ctx->pool, sizeof(vm_form_t));

    if (form == NULL || (h && type == NULL)) {
        vm_error_memory(&ctx->call.error);
        return NGX_DECLINED;
    }

    if (vm_form_parse(form, type, ctx->raw.data, ctx->raw.len,
                      &ctx->call.error, ctx->pool)
        != VM_OK)
    {
        return NGX_DECLINED;
    }

    ctx->call.form = form;
    ctx->body = vm_form_json(form);

    return NGX_OK;
}


static ngx_int_t
ngx_http_vllm_mock_generate_form(ngx_http_vllm_mock_ctx_t *ctx,
    const vm_protocol_t *protocol)
{
    if (ngx_http_vllm_mock_form(ctx) != NGX_OK) {
        return ngx_http_vllm_mock_error(ctx);
    }

    return ngx_http_vllm_mock_generate(ctx, protocol, ctx->body);
}


ngx_int_t
ngx_http_vllm_mock_transcriptions(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_generate_form(ctx, &vm_transcription);
}


ngx_int_t
ngx_http_vllm_mock_translations(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_generate_form(ctx, &vm_translation);
}


ngx_int_t
ngx_http_vllm_mock_speech(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_generate(ctx, &vm_speech, ctx->body);
}


ngx_int_t
ngx_http_vllm_mock_voices(ngx_http_vllm_mock_ctx_t *ctx)
{
    vm_buf_t  b;

    vm_buf_init(&b);
    vm_speech_voices(&b);

    return ngx_http_vllm_mock_json(ctx, &b);
}


ngx_int_t
ngx_http_vllm_mock_images(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_generate(ctx, &vm_image, ctx->body);
}


ngx_int_t
ngx_http_vllm_mock_image_edits(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_generate_form(ctx, &vm_image_edit);
}


/* ---- videos ---- */

ngx_int_t
ngx_http_vllm_mock_video(ngx_http_vllm_mock_ctx_t *ctx)
{
    return ngx_http_vllm_mock_generate(ctx, &vm_video, ctx->body);
}


/* JSON, or a form: it may come with a picture. */

ngx_int_t
ngx_http_vllm_mock_video_job(ngx_http_vllm_mock_ctx_t *ctx)
{
    if (ngx_http_vllm_mock_json_type(ctx->request)) {

        if (ngx_http_vllm_mock_decode(ctx) != NGX_OK) {
            return ngx_http_vllm_mock_error(ctx);
        }

    } else if (ngx_http_vllm_mock_form(ctx) != NGX_OK) {
        return ngx_http_vllm_mock_error(ctx);
    }

    return ngx_http_vllm_mock_stored(ctx, &vm_video_job);
}


typedef struct {
    vm_buf_t    object;
    vm_buf_t    video;
    uint32_t    tokens;             /* that a job which runs has made */
    ngx_uint_t  runs;
} ngx_http_vllm_mock_job_t;


static void
ngx_http_vllm_mock_job_free(ngx_http_vllm_mock_job_t *j)
{
    vm_buf_free(&j->object);
    vm_buf_free(&j->video);
}


/* NGX_DECLINED: there is none of that id. */

static ngx_int_t
ngx_http_vllm_mock_job_read(ngx_http_vllm_mock_ctx_t *ctx, const char *id,
    size_t len, ngx_uint_t drop, ngx_http_vllm_mock_job_t *j)
{
    uint32_t                      prompt;
    ngx_http_vllm_mock_zone_t    *z;
    ngx_http_vllm_mock_record_t  *r;

    z = ctx->zone;

    ngx_memzero(j, sizeof(ngx_http_vllm_mock_job_t));
    vm_buf_init(&j->object);
    vm_buf_init(&j->video);

    ngx_http_vllm_mock_lock(z);

    r = ngx_http_vllm_mock_store_find(z, id, len);
    r = r && r->video ? r : NULL;

    if (r) {
        ngx_http_vllm_mock_store_object(z, r, &j->object);
        ngx_http_vllm_mock_store_read(z, r, NGX_HTTP_VLLM_MOCK_MESSAGES, 0,
                                      &j->video);
        j->runs = r->state == NGX_HTTP_VLLM_MOCK_KEPT_QUEUED;

        if (j->runs && r->epoch == z->shared->epoch
            && ngx_http_vllm_mock_engine_there(z->shared, r->engine)
            && vm_engine_progress(r->engine, r->handle, &prompt, &j->tokens)
               != VM_OK)
        {
            j->tokens = 0;
        }

        if (drop) {
            ngx_http_vllm_mock_cancel_record(z, r);
            ngx_http_vllm_mock_store_drop(z->shared->store, r);
        }
    }

    ngx_http_vllm_mock_unlock(z);

    return r ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_vllm_mock_job_content(ngx_http_vllm_mock_ctx_t *ctx,
    const ngx_http_vllm_mock_job_t *j)
{
    vm_buf_t   b;
    ngx_int_t  rc;

    vm_buf_init(&b);

    rc = vm_video_content(&ctx->call, &j->object, &j->video, &b) == VM_OK
         ? ngx_http_vllm_mock_send(ctx, NGX_HTTP_OK, VM_VIDEO_TYPE, b.data,
                                   b.len)
         : ngx_http_vllm_mock_error(ctx);
    vm_buf_free(&b);

    return rc;
}


/* GET /v1/videos/ID and /v1/videos/ID/content, DELETE /v1/videos/ID */

ngx_int_t
ngx_http_vllm_mock_video_kept(ngx_http_vllm_mock_ctx_t *ctx)
{
    size_t                     len;
    vm_buf_t                   b;
    ngx_int_t                  rc;
    ngx_str_t                  part;
    ngx_uint_t                 drop;
    const char                *id;
    ngx_http_vllm_mock_job_t   j;

    part = ngx_http_vllm_mock_route_part(ctx);
    id = (const char *) part.data;
    len = part.len;
    drop = ctx->request->method == NGX_HTTP_DELETE;

    if (ngx_http_vllm_mock_job_read(ctx, id, len, drop, &j) != NGX_OK) {
        vm_video_unknown(&ctx->call, id, len);
        return ngx_http_vllm_mock_error(ctx);
    }

    if (part.data + len < ctx->path.data + ctx->path.len) {     /* content */
        rc = ngx_http_vllm_mock_job_content(ctx, &j);
        ngx_http_vllm_mock_job_free(&j);

        return rc;
    }

    vm_buf_init(&b);

    if (drop) {
        vm_buf_lit(&b, "{\"id\":");
        vm_buf_json(&b, id, len);
        vm_buf_lit(&b, ",\"object\":\"video.deleted\",\"deleted\":true}");

    } else if (j.runs) {
        vm_video_running(&j.object, &j.video, j.tokens, &b);

    } else {
        vm_buf_add(&b, j.object.data, j.object.len);
    }

    ngx_http_vllm_mock_job_free(&j);

    return ngx_http_vllm_mock_json(ctx, &b);
}
