/*
 * The tokenizers of the configuration: each file is read once, by the master,
 * for all servers that name it, and goes with the configuration's pool.
 */

#include "resolve.h"


#define NGX_HTTP_VLLM_MOCK_CONFIG  "tokenizer_config.json"


typedef struct {
    ngx_str_t                 path;
    const vm_tokenizer_t     *tokenizer;
    vm_str_t                  config;       /* "{}": there is none */
} ngx_http_vllm_mock_vocabulary_t;


static char *ngx_http_vllm_mock_vocabulary_load(ngx_conf_t *cf,
    ngx_str_t *name, ngx_http_vllm_mock_vocabulary_t *v, char *err);
static char *ngx_http_vllm_mock_vocabulary_config(ngx_conf_t *cf,
    ngx_http_vllm_mock_vocabulary_t *v, char *err);
static void ngx_http_vllm_mock_vocabulary_free(void *data);


char *
ngx_http_vllm_mock_vocabulary(ngx_conf_t *cf, ngx_str_t *name,
    vm_settings_t *s, char *err)
{
    ngx_str_t                          path;
    ngx_uint_t                         i;
    ngx_http_vllm_mock_main_conf_t    *main;
    ngx_http_vllm_mock_vocabulary_t   *v, **list;

    main = ngx_http_conf_get_module_main_conf(cf, ngx_http_vllm_mock_module);
    path = *name;

    if (ngx_strcmp(name->data, "builtin") != 0
        && ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (main->tokenizers == NULL) {
        main->tokenizers = ngx_array_create(cf->pool, 2,
                               sizeof(ngx_http_vllm_mock_vocabulary_t *));
        if (main->tokenizers == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    list = main->tokenizers->elts;
    v = NULL;

    for (i = 0; i < main->tokenizers->nelts; i++) {
        if (list[i]->path.len == path.len
            && ngx_strncmp(list[i]->path.data, path.data, path.len) == 0)
        {
            v = list[i];
        }
    }

    if (v == NULL) {
        v = ngx_pcalloc(cf->pool, sizeof(ngx_http_vllm_mock_vocabulary_t));
        list = ngx_array_push(main->tokenizers);

        if (v == NULL || list == NULL) {
            return NGX_CONF_ERROR;
        }

        *list = v;
        v->path = path;

        if (ngx_http_vllm_mock_vocabulary_load(cf, name, v, err)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    s->tokenizer = v->tokenizer;
    s->vocab = vm_tokenizer_vocab(v->tokenizer);
    s->tokenizer_config = v->config.data ? &v->config : NULL;

    return NGX_CONF_OK;
}


static char *
ngx_http_vllm_mock_vocabulary_load(ngx_conf_t *cf, ngx_str_t *name,
    ngx_http_vllm_mock_vocabulary_t *v, char *err)
{
    char                 why[NGX_HTTP_VLLM_MOCK_ERR], *text;
    size_t               len;
    vm_str_t             file;
    vm_tokenizer_t      *t;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_strcmp(name->data, "builtin") == 0) {
        t = vm_tokenizer_builtin();
        ngx_memcpy(why, "no memory", sizeof("no memory"));

    } else {
        t = NULL;
        text = ngx_http_vllm_mock_read_file(cf, &v->path, &len, why);

        if (text
            && ngx_http_vllm_mock_vocabulary_config(cf, v, why)
               == NGX_CONF_OK)
        {
            file.data = text;
            file.len = len;

            t = vm_tokenizer_load((char *) v->path.data, file, &v->config,
                                  why, sizeof(why));
            (void) ngx_pfree(cf->pool, text);
        }
    }

    if (t == NULL) {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "vllm_mock_tokenizer \"%V\": %s%Z", name, why);
        return NGX_CONF_ERROR;
    }

    v->tokenizer = t;
    cln->handler = ngx_http_vllm_mock_vocabulary_free;
    cln->data = t;

    return NGX_CONF_OK;
}


/* What stands beside a tokenizer.json, if it does. */

static char *
ngx_http_vllm_mock_vocabulary_config(ngx_conf_t *cf,
    ngx_http_vllm_mock_vocabulary_t *v, char *err)
{
    char             *text;
    size_t            len;
    u_char           *p;
    ngx_str_t         name;
    ngx_file_info_t   fi;

    v->config.data = "{}";
    v->config.len = 2;

    if (v->path.len < 5
        || ngx_strcmp(v->path.data + v->path.len - 5, ".json") != 0)
    {
        return NGX_CONF_OK;
    }

    name.data = ngx_pnalloc(cf->pool, v->path.len
                                      + sizeof(NGX_HTTP_VLLM_MOCK_CONFIG));
    if (name.data == NULL) {
        ngx_memcpy(err, "no memory", sizeof("no memory"));
        return NGX_CONF_ERROR;
    }

    p = ngx_cpymem(name.data, v->path.data, v->path.len);

    while (p > name.data && p[-1] != '/') {
        p--;
    }

    p = ngx_cpymem(p, NGX_HTTP_VLLM_MOCK_CONFIG,
                   sizeof(NGX_HTTP_VLLM_MOCK_CONFIG));
    name.len = p - name.data - 1;

    if (ngx_file_info(name.data, &fi) == NGX_FILE_ERROR
        && ngx_errno == NGX_ENOENT)
    {
        return NGX_CONF_OK;
    }

    text = ngx_http_vllm_mock_read_file(cf, &name, &len, err);

    if (text == NULL) {
        return NGX_CONF_ERROR;
    }

    v->config.data = text;
    v->config.len = len;

    return NGX_CONF_OK;
}


static void
ngx_http_vllm_mock_vocabulary_free(void *data)
{
    vm_tokenizer_free(data);
}
