/*
 * vllm_mock_rate_limit, and the same numbers at runtime.
 */

#include "limits.h"
#include "resolve.h"


static const struct {
    const char  *name;
    size_t       offset;
}  ngx_http_vllm_mock_limit_keys[] = {
    { "rpm", offsetof(ngx_http_vllm_mock_limit_t, rpm) },
    { "tpm", offsetof(ngx_http_vllm_mock_limit_t, tpm) },
    { "concurrency", offsetof(ngx_http_vllm_mock_limit_t, concurrency) }
};


ngx_int_t
ngx_http_vllm_mock_limit_set(ngx_http_vllm_mock_limit_t *limit,
    const char *key, const char *value)
{
    uint64_t    n;
    ngx_uint_t  i;

    for (i = 0; i < vm_nelts(ngx_http_vllm_mock_limit_keys); i++) {

        if (strcmp(key, ngx_http_vllm_mock_limit_keys[i].name) == 0
            && vm_settings_number(value, &n) == VM_OK && n > 0
            && n <= 1000000000)
        {
            *(int64_t *) ((char *) limit
                          + ngx_http_vllm_mock_limit_keys[i].offset)
                = (int64_t) n;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


void
ngx_http_vllm_mock_limit_text(const ngx_http_vllm_mock_limit_t *limit,
    vm_buf_t *out)
{
    int64_t     n;
    ngx_uint_t  i;

    for (i = 0; limit && i < vm_nelts(ngx_http_vllm_mock_limit_keys); i++) {
        n = *(int64_t *) ((char *) limit
                          + ngx_http_vllm_mock_limit_keys[i].offset);

        if (n) {
            vm_buf_printf(out, "%s%s=%lld", out->len ? " " : "",
                          ngx_http_vllm_mock_limit_keys[i].name,
                          (long long) n);
        }
    }
}


char *
ngx_http_vllm_mock_apply_limit(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    char                         key[16];
    ngx_str_t                    by;
    ngx_uint_t                   i;
    const char                  *value;
    ngx_http_vllm_mock_limit_t  *limit;

    limit = ngx_pcalloc(cf->pool, sizeof(ngx_http_vllm_mock_limit_t));
    if (limit == NULL) {
        return NGX_CONF_ERROR;
    }

    ((ngx_http_vllm_mock_loc_conf_t *) data)->limit_conf = limit;
    limit->place = ngx_crc32_short(d->file, ngx_strlen(d->file))
                   + (uint32_t) d->line;
    ngx_str_set(&by, "$http_authorization");

    for (i = 0; i < d->nargs; i++) {
        value = ngx_http_vllm_mock_split(&d->args[i], key, sizeof(key));

        if (value && strcmp(key, "by") == 0 && *value) {
            by.data = (u_char *) value;
            by.len = strlen(value);
            continue;
        }

        if (value == NULL
            || ngx_http_vllm_mock_limit_set(limit, key, value) != NGX_OK)
        {
            ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                         "invalid parameter \"%V\" of vllm_mock_rate_limit: "
                         "rpm=N, tpm=N, concurrency=N (1 to 1000000000) or "
                         "by=$variable%Z", &d->args[i]);
            return NGX_CONF_ERROR;
        }
    }

    limit->by = ngx_http_vllm_mock_compile(cf, &by);

    if (limit->by == NULL) {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "invalid variable \"%V\" of vllm_mock_rate_limit%Z",
                     &by);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
