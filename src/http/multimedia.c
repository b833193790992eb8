/*
 * Endpoints of sound and pictures: forms become JSON and files.
 */

#include "http.h"
#include "../api/form.h"
#include "../api/image.h"
#include "../api/speech.h"
#include "../api/transcription.h"


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
