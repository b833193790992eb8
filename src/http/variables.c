/*
 * nginx variables: what is known of a request, for access_log, map and the
 * limits.
 */

#include "stream.h"


typedef enum {
    NGX_HTTP_VLLM_MOCK_VAR_MODEL,
    NGX_HTTP_VLLM_MOCK_VAR_ID,
    NGX_HTTP_VLLM_MOCK_VAR_PROMPT,
    NGX_HTTP_VLLM_MOCK_VAR_CACHED,
    NGX_HTTP_VLLM_MOCK_VAR_COMPLETION,
    NGX_HTTP_VLLM_MOCK_VAR_QUEUE,
    NGX_HTTP_VLLM_MOCK_VAR_TTFT,
    NGX_HTTP_VLLM_MOCK_VAR_TPOT,
    NGX_HTTP_VLLM_MOCK_VAR_LATENESS,
    NGX_HTTP_VLLM_MOCK_VAR_FINISH
} ngx_http_vllm_mock_var_e;


static u_char *
ngx_http_vllm_mock_seconds(u_char *p, double v)
{
    return ngx_sprintf(p, "%.6f", v);
}


static ngx_int_t
ngx_http_vllm_mock_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                     *p;
    const char                 *text;
    vm_choice_t                *c;
    vm_generation_t            *g;
    ngx_http_vllm_mock_ctx_t   *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_vllm_mock_module);

    v->not_found = 1;

    if (ctx == NULL || ctx->stream == NULL) {
        return NGX_OK;
    }

    g = ctx->stream->generation;
    c = g->choices;
    text = NULL;

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN + 32);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->data = p;

    switch ((ngx_http_vllm_mock_var_e) data) {

    case NGX_HTTP_VLLM_MOCK_VAR_MODEL:
        text = g->model.data;
        v->len = (unsigned) g->model.len;
        break;

    case NGX_HTTP_VLLM_MOCK_VAR_ID:
        text = g->id;
        v->len = (unsigned) ngx_strlen(g->id);
        break;

    case NGX_HTTP_VLLM_MOCK_VAR_FINISH:
        if (c->finish == NULL) {
            return NGX_OK;
        }

        text = c->finish;
        v->len = (unsigned) ngx_strlen(c->finish);
        break;

    case NGX_HTTP_VLLM_MOCK_VAR_PROMPT:
        p = ngx_sprintf(p, "%uL", vm_generation_prompt_tokens(g));
        break;

    case NGX_HTTP_VLLM_MOCK_VAR_CACHED:
        p = ngx_sprintf(p, "%uL", vm_generation_cached_tokens(g));
        break;

    case NGX_HTTP_VLLM_MOCK_VAR_COMPLETION:
        p = ngx_sprintf(p, "%uL", vm_generation_output_tokens(g));
        break;

    default: /* times: there is a first token */

        if (c->made == 0) {
            return NGX_OK;
        }

        if (data == NGX_HTTP_VLLM_MOCK_VAR_QUEUE) {
            p = ngx_http_vllm_mock_seconds(p, c->scheduled - c->queued);

        } else if (data == NGX_HTTP_VLLM_MOCK_VAR_TTFT) {
            p = ngx_http_vllm_mock_seconds(p, c->first_token
                                              - (double) ctx->started
                                                / VM_NSEC);

        } else if (data == NGX_HTTP_VLLM_MOCK_VAR_LATENESS) {
            p = ngx_http_vllm_mock_seconds(p, (double) ctx->stream->lateness
                                              / VM_NSEC);

        } else {
            p = ngx_http_vllm_mock_seconds(p, c->made > 1
                                              ? (c->last_token
                                                 - c->first_token)
                                                / (c->made - 1)
                                              : 0);
        }
    }

    if (text) {
        v->data = (u_char *) text;

    } else {
        v->len = (unsigned) (p - v->data);
    }

    v->not_found = 0;
    v->valid = 1;
    v->no_cacheable = 1;

    return NGX_OK;
}


/* Which one of a fleet answers: known of every request that is served. */

static ngx_int_t
ngx_http_vllm_mock_replica_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_vllm_mock_ctx_t  *ctx;

    (void) data;

    ctx = ngx_http_get_module_ctx(r, ngx_http_vllm_mock_module);

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    v->len = (unsigned) (ngx_sprintf(v->data, "%ui", ctx->zone->replica)
                         - v->data);
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;

    return NGX_OK;
}


static const struct {
    ngx_str_t                 name;
    ngx_http_vllm_mock_var_e  what;
}  ngx_http_vllm_mock_variables[] = {
    { ngx_string("vllm_mock_model"), NGX_HTTP_VLLM_MOCK_VAR_MODEL },
    { ngx_string("vllm_mock_request_id"), NGX_HTTP_VLLM_MOCK_VAR_ID },
    { ngx_string("vllm_mock_prompt_tokens"), NGX_HTTP_VLLM_MOCK_VAR_PROMPT },
    { ngx_string("vllm_mock_cached_tokens"), NGX_HTTP_VLLM_MOCK_VAR_CACHED },
    { ngx_string("vllm_mock_completion_tokens"),
      NGX_HTTP_VLLM_MOCK_VAR_COMPLETION },
    { ngx_string("vllm_mock_queue_time"), NGX_HTTP_VLLM_MOCK_VAR_QUEUE },
    { ngx_string("vllm_mock_ttft"), NGX_HTTP_VLLM_MOCK_VAR_TTFT },
    { ngx_string("vllm_mock_tpot"), NGX_HTTP_VLLM_MOCK_VAR_TPOT },
    { ngx_string("vllm_mock_lateness"), NGX_HTTP_VLLM_MOCK_VAR_LATENESS },
    { ngx_string("vllm_mock_finish_reason"), NGX_HTTP_VLLM_MOCK_VAR_FINISH }
};


ngx_int_t
ngx_http_vllm_mock_add_variables(ngx_conf_t *cf)
{
    ngx_str_t             name;
    ngx_uint_t            i;
    ngx_http_variable_t  *var;

    ngx_str_set(&name, "vllm_mock_replica");

    var = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = ngx_http_vllm_mock_replica_variable;

    ngx_str_set(&name, "vllm_mock_kube_token");

    var = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = ngx_http_vllm_mock_token_variable;

    for (i = 0; i < vm_nelts(ngx_http_vllm_mock_variables); i++) {
        name = ngx_http_vllm_mock_variables[i].name;

        var = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = ngx_http_vllm_mock_variable;
        var->data = (uintptr_t) ngx_http_vllm_mock_variables[i].what;
    }

    return NGX_OK;
}
