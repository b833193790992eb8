/*
 * vllm_mock_fault, and the same words at runtime.
 */

#include "resolve.h"
#include "fault.h"
#include "../base/percent.h"


/* parameters that a kind takes */

#define TAKES_STATUS   0x01
#define TAKES_MESSAGE  0x02
#define TAKES_TIME     0x04
#define TAKES_AFTER    0x08
#define NEEDS_TIME     0x10

static const struct {
    const char  *name;
    ngx_uint_t   takes;
}  ngx_http_vllm_mock_faults[] = {
    [NGX_HTTP_VLLM_MOCK_FAULT_ERROR] = { "error",
                                         TAKES_STATUS|TAKES_MESSAGE },
    [NGX_HTTP_VLLM_MOCK_FAULT_DROP] = { "drop", 0 },
    [NGX_HTTP_VLLM_MOCK_FAULT_DELAY] = { "delay", TAKES_TIME|NEEDS_TIME },
    [NGX_HTTP_VLLM_MOCK_FAULT_DISCONNECT] = { "disconnect",
                                              TAKES_AFTER },
    [NGX_HTTP_VLLM_MOCK_FAULT_STALL] = { "stall", TAKES_AFTER|TAKES_TIME }
};


static char *
ngx_http_vllm_mock_fault_bad(char *err, const ngx_str_t *arg)
{
    ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                 "invalid parameter \"%V\" of vllm_mock_fault: rate=%s, "
                 "when=$variable, endpoint=PATH or PREFIX*; error: status=400 "
                 "to 599, message=; delay, stall: time=; disconnect, stall: "
                 "after=TOKENS%Z", arg,
                 VM_PERCENT_RULE);

    return NGX_CONF_ERROR;
}


/* At runtime nothing is compiled: one variable, by its name. */

static char *
ngx_http_vllm_mock_fault_when(ngx_conf_t *cf, ngx_http_vllm_mock_fault_t *f,
    ngx_str_t *text)
{
    size_t  i;

    if (cf) {

        /* a text without a variable would strike always, or never */

        if (ngx_http_script_variables_count(text) == 0) {
            return NGX_CONF_ERROR;
        }

        f->when = ngx_http_vllm_mock_compile(cf, text);

        return f->when ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    for (i = 1; i < text->len; i++) {
        if (!isalnum(text->data[i]) && text->data[i] != '_') {
            return NGX_CONF_ERROR;
        }
    }

    if (text->len < 2 || text->data[0] != '$') {
        return NGX_CONF_ERROR;
    }

    f->variable.data = text->data + 1;
    f->variable.len = text->len - 1;

    return NGX_CONF_OK;
}


static char *
ngx_http_vllm_mock_fault_set(ngx_conf_t *cf, ngx_http_vllm_mock_fault_t *f,
    const char *key, const char *value)
{
    uint64_t    n;
    ngx_str_t   text;
    ngx_uint_t  takes;

    takes = ngx_http_vllm_mock_faults[f->kind].takes;

    if (strcmp(key, "rate") == 0) {
        return vm_percent(value, &f->rate) == VM_OK ? NGX_CONF_OK
                                                     : NGX_CONF_ERROR;
    }

    text.data = (u_char *) value;
    text.len = strlen(value);

    if (strcmp(key, "when") == 0) {
        return ngx_http_vllm_mock_fault_when(cf, f, &text);
    }

    if (strcmp(key, "endpoint") == 0) {
        f->endpoint = text;
        return *value == '/' || strcmp(value, "*") == 0 ? NGX_CONF_OK
                                                        : NGX_CONF_ERROR;
    }

    if (strcmp(key, "message") == 0 && takes & TAKES_MESSAGE) {
        f->message = value;
        return NGX_CONF_OK;
    }

    if (strcmp(key, "time") == 0 && takes & TAKES_TIME) {
        return vm_latency_time(value, &f->time) == VM_OK ? NGX_CONF_OK
                                                         : NGX_CONF_ERROR;
    }

    if (vm_settings_number(value, &n) != VM_OK || n > 1000000000) {
        return NGX_CONF_ERROR;
    }

    if (strcmp(key, "after") == 0 && takes & TAKES_AFTER) {
        f->after = (uint32_t) n;
        return NGX_CONF_OK;
    }

    if (strcmp(key, "status") == 0 && takes & TAKES_STATUS) {
        f->status = (ngx_uint_t) n;
        return n >= 400 && n <= 599 ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    return NGX_CONF_ERROR;
}


/* All words with blanks between them, in quotes where they have some. */

static const char *
ngx_http_vllm_mock_fault_text(ngx_pool_t *pool, const ngx_str_t *words,
    ngx_uint_t n)
{
    size_t      len;
    u_char     *p, *text;
    ngx_uint_t  i;
    const char  *quote;

    for (len = 1, i = 0; i < n; i++) {
        len += words[i].len + 3;
    }

    text = ngx_pnalloc(pool, len);

    for (p = text, i = 0; text && i < n; i++) {
        quote = ngx_strlchr(words[i].data, words[i].data + words[i].len, ' ')
                ? "\"" : "";
        p = ngx_sprintf(p, "%s%s%V%s", i ? " " : "", quote, &words[i], quote);
    }

    if (text) {
        *p = '\0';
    }

    return (char *) text;
}


char *
ngx_http_vllm_mock_fault_parse(ngx_conf_t *cf, ngx_pool_t *pool,
    ngx_str_t *words, ngx_uint_t n, ngx_http_vllm_mock_fault_t *f, char *err)
{
    char         key[16];
    ngx_uint_t   i;
    const char  *kind, *value;

    kind = n ? ngx_http_vllm_mock_text(&words[0]) : "";
    kind = strcmp(kind, "cut") == 0 ? "disconnect" : kind;  /* its old name */

    for (i = 0; i < vm_nelts(ngx_http_vllm_mock_faults); i++) {
        if (strcmp(ngx_http_vllm_mock_faults[i].name, kind) == 0) {
            break;
        }
    }

    if (i == vm_nelts(ngx_http_vllm_mock_faults)) {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "invalid kind \"%s\" of vllm_mock_fault: error, drop, "
                     "delay, disconnect or stall%Z", kind);
        return NGX_CONF_ERROR;
    }

    ngx_memzero(f, sizeof(ngx_http_vllm_mock_fault_t));
    f->kind = (ngx_http_vllm_mock_fault_e) i;
    f->rate = 1;
    f->status = NGX_HTTP_INTERNAL_SERVER_ERROR;
    f->message = "A fault that the server was told to have.";
    f->time = VM_TIME_NONE;
    f->after = 1;
    f->text = ngx_http_vllm_mock_fault_text(pool, words, n);

    if (f->text == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < n; i++) {
        value = ngx_http_vllm_mock_split(&words[i], key, sizeof(key));

        if (value == NULL
            || ngx_http_vllm_mock_fault_set(cf, f, key, value)
               != NGX_CONF_OK)
        {
            return ngx_http_vllm_mock_fault_bad(err, &words[i]);
        }
    }

    if (ngx_http_vllm_mock_faults[f->kind].takes & NEEDS_TIME
        && f->time == VM_TIME_NONE)
    {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "vllm_mock_fault %s needs time=TIME%Z", kind);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_vllm_mock_apply_fault(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    ngx_http_vllm_mock_fault_t     *f;
    ngx_http_vllm_mock_loc_conf_t  *conf;

    conf = data;

    if (conf->faults_conf == NULL) {
        conf->faults_conf = ngx_array_create(cf->pool, 2,
                                        sizeof(ngx_http_vllm_mock_fault_t));
        if (conf->faults_conf == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    f = ngx_array_push(conf->faults_conf);

    return f ? ngx_http_vllm_mock_fault_parse(cf, cf->pool, d->args, d->nargs,
                                              f, err)
             : NGX_CONF_ERROR;
}
