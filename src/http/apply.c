/*
 * What each directive means alone: its words into settings, and the check of
 * it where it stands.
 */

#include "resolve.h"
#include "../engine/options.h"
#include "../metrics/override.h"


#define NGX_HTTP_VLLM_MOCK_SATURATION  (10 * VM_MSEC)


static void
ngx_http_vllm_mock_pool_free(void *data)
{
    vm_pool_destroy(data);
}


/* Memory of the pure rooms that lives as long as the configuration. */

vm_pool_t *
ngx_http_vllm_mock_conf_pool(ngx_conf_t *cf)
{
    vm_pool_t           *pool;
    ngx_pool_cleanup_t  *cln;

    pool = vm_pool_create(4096);
    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (pool == NULL || cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_vllm_mock_pool_free;
    cln->data = pool;

    return pool;
}


/* nginx's strings end with a NUL where the configuration was read. */

const char *
ngx_http_vllm_mock_text(const ngx_str_t *s)
{
    return (const char *) s->data;
}


/* A wrong directive, found later: it tells where it stood. */

char *
ngx_http_vllm_mock_bad_at(ngx_conf_t *cf,
    const ngx_http_vllm_mock_directive_t *d, const char *message)
{
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%s in %s:%ui", message,
                  d->file, d->line);

    return NGX_CONF_ERROR;
}


/* What is taken, but may mean something else, is told once. */

static void
ngx_http_vllm_mock_warn_at(ngx_conf_t *cf, ngx_http_vllm_mock_directive_t *d,
    const char *message)
{
    if (!d->warned && !ngx_quiet_mode) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0, "%s in %s:%ui", message,
                      d->file, d->line);
    }

    d->warned = 1;
}


ngx_http_complex_value_t *
ngx_http_vllm_mock_compile(ngx_conf_t *cf, ngx_str_t *text)
{
    ngx_http_complex_value_t          *value;
    ngx_http_compile_complex_value_t   ccv;

    value = ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (value == NULL) {
        return NULL;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));
    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = value;

    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? value : NULL;
}


/* "key=value": the key's length, and the value; NULL if there is no "=". */

const char *
ngx_http_vllm_mock_split(const ngx_str_t *arg, char *key, size_t size)
{
    size_t       len;
    const char  *equals;

    equals = strchr(ngx_http_vllm_mock_text(arg), '=');

    if (equals == NULL) {
        return NULL;
    }

    len = (size_t) (equals - ngx_http_vllm_mock_text(arg));

    if (len >= size) {
        len = size - 1;
    }

    ngx_memcpy(key, arg->data, len);
    key[len] = '\0';

    return equals + 1;
}


/* The text of a file, for a profile. */

char *
ngx_http_vllm_mock_read_file(ngx_conf_t *cf, ngx_str_t *name, size_t *len,
    char *err)
{
    char             *text;
    ssize_t           n;
    ngx_file_t        file;
    ngx_file_info_t   fi;

    ngx_memzero(&file, sizeof(ngx_file_t));
    file.name = *name;
    file.log = cf->log;
    file.fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (file.fd == NGX_INVALID_FILE) {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "cannot open \"%V\": %s%Z", name, strerror(ngx_errno));
        return NULL;
    }

    text = NULL;

    if (ngx_fd_info(file.fd, &fi) != NGX_FILE_ERROR
        && ngx_file_size(&fi) < 64 * 1024 * 1024)
    {
        *len = (size_t) ngx_file_size(&fi);
        text = ngx_palloc(cf->pool, *len + 1);

        if (text) {
            n = ngx_read_file(&file, (u_char *) text, *len, 0);

            if (n == NGX_ERROR || (size_t) n != *len) {
                text = NULL;

            } else {
                text[n] = '\0';
            }
        }
    }

    if (text == NULL) {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "cannot read \"%V\"%Z", name);
    }

    ngx_close_file(file.fd);

    return text;
}


/* ---- each directive ---- */

char *
ngx_http_vllm_mock_apply_model(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    char                            key[32];
    size_t                          n;
    ngx_uint_t                      i;
    const char                    **names, *value;
    vm_settings_t                  *s;
    ngx_http_vllm_mock_srv_conf_t  *conf;

    conf = data;
    s = conf->settings;

    names = ngx_palloc(cf->pool, (s->names.n + d->nargs) * sizeof(char *));
    if (names == NULL) {
        return NGX_CONF_ERROR;
    }

    if (s->names.n) {
        ngx_memcpy(names, s->names.list, s->names.n * sizeof(char *));
    }

    n = s->names.n;
    names[n++] = ngx_http_vllm_mock_text(&d->args[0]);

    for (i = 1; i < d->nargs; i++) {
        value = ngx_http_vllm_mock_split(&d->args[i], key, sizeof(key));

        if (value && strcmp(key, "root") == 0) {
            s->root = value;

        } else if (value && strcmp(key, "alias") == 0) {
            names[n++] = value;

        } else if (value && strcmp(key, "max_model_len") == 0) {

            if (vm_option_set(conf->engine_conf, key, value, err,
                              NGX_HTTP_VLLM_MOCK_ERR)
                != VM_OK)
            {
                return NGX_CONF_ERROR;
            }

            vm_fit_given(&conf->fit, key);

        } else {
            ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                         "invalid parameter \"%V\" of vllm_mock_model: "
                         "root=PATH, alias=NAME or max_model_len=N%Z",
                         &d->args[i]);
            return NGX_CONF_ERROR;
        }
    }

    s->names.list = names;
    s->names.n = n;

    return NGX_CONF_OK;
}


char *
ngx_http_vllm_mock_apply_lora(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    char            key[16];
    u_char         *text;
    ngx_uint_t      i;
    const char    **list, *path, *value;
    vm_settings_t  *s;

    s = ((ngx_http_vllm_mock_srv_conf_t *) data)->settings;
    path = ngx_http_vllm_mock_text(&d->args[0]);
    value = strchr(path, '=');

    if (value) {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "invalid name \"%V\" of vllm_mock_lora: write "
                     "\"vllm_mock_lora %*s path=%s;\"%Z", &d->args[0],
                     (size_t) (value - path), path, value + 1);
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < d->nargs; i++) {
        value = ngx_http_vllm_mock_split(&d->args[i], key, sizeof(key));

        if (value && strcmp(key, "path") == 0) {
            path = value;

        } else if (value == NULL || strcmp(key, "base") != 0) {
            ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                         "invalid parameter \"%V\" of vllm_mock_lora: "
                         "path=PATH or base=MODEL%Z", &d->args[i]);
            return NGX_CONF_ERROR;
        }
    }

    text = ngx_pnalloc(cf->pool, d->args[0].len + strlen(path) + 2);
    list = ngx_palloc(cf->pool, (s->lora_modules.n + 1) * sizeof(char *));

    if (text == NULL || list == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_sprintf(text, "%V=%s%Z", &d->args[0], path);

    if (s->lora_modules.n) {
        ngx_memcpy(list, s->lora_modules.list,
                   s->lora_modules.n * sizeof(char *));
    }

    list[s->lora_modules.n++] = (char *) text;
    s->lora_modules.list = list;
    s->enable_lora = 1;

    return NGX_CONF_OK;
}


/* Known arguments without a meaning here are told once, all together. */

static void
ngx_http_vllm_mock_ignored(ngx_http_vllm_mock_srv_conf_t *conf,
    const char *name)
{
    u_char  *last;

    last = conf->ignored.data + NGX_HTTP_VLLM_MOCK_ERR;
    conf->ignored.len = (size_t)
        (ngx_snprintf(conf->ignored.data + conf->ignored.len,
                      (size_t) (last - conf->ignored.data)
                      - conf->ignored.len, " --%s", name)
         - conf->ignored.data);
}


char *
ngx_http_vllm_mock_apply_args(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    size_t                           i;
    ngx_uint_t                       k;
    const char                      *name, *value, **argv;
    ngx_http_vllm_mock_srv_conf_t   *conf;

    (void) cf;

    conf = data;

    argv = vm_pool_alloc(conf->pool, (d->nargs + 1) * sizeof(char *));
    if (argv == NULL) {
        return NGX_CONF_ERROR;
    }

    for (k = 0; k < d->nargs; k++) {
        argv[k] = ngx_http_vllm_mock_text(&d->args[k]);
    }

    for (i = 0; i < d->nargs; /* void */ ) {

        switch (vm_settings_arg(conf->settings, argv, d->nargs, &i,
                                conf->pool, &name, &value, err,
                                NGX_HTTP_VLLM_MOCK_ERR))
        {
        case VM_ARG_FAILED:
            return NGX_CONF_ERROR;

        case VM_ARG_ENGINE:
            if (vm_option_set(conf->engine_conf, name, value, err,
                              NGX_HTTP_VLLM_MOCK_ERR)
                != VM_OK)
            {
                return NGX_CONF_ERROR;
            }

            vm_fit_given(&conf->fit, name);
            break;

        case VM_ARG_IGNORED:
            ngx_http_vllm_mock_ignored(conf, name);
            break;

        default:
            break;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_vllm_mock_apply_engine(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    char                            key[48];
    uint64_t                        n;
    ngx_uint_t                      i;
    const char                     *value;
    vm_settings_t                  *s;
    ngx_http_vllm_mock_srv_conf_t  *conf;

    (void) cf;

    conf = data;
    s = conf->settings;

    for (i = 0; i < d->nargs; i++) {
        value = ngx_http_vllm_mock_split(&d->args[i], key, sizeof(key));

        if (value == NULL) {
            ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                         "invalid parameter \"%V\" of vllm_mock_engine: "
                         "key=value is expected%Z", &d->args[i]);
            return NGX_CONF_ERROR;
        }

        if (strcmp(key, "data_parallel") == 0) {

            if (vm_settings_number(value, &n) != VM_OK || n == 0
                || n > NGX_HTTP_VLLM_MOCK_RANKS)
            {
                ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                             "invalid value \"%s\" of data_parallel: 1 to %d "
                             "engines%Z", value, NGX_HTTP_VLLM_MOCK_RANKS);
                return NGX_CONF_ERROR;
            }

            s->data_parallel = (uint32_t) n;
            continue;
        }

        if (vm_option_set(conf->engine_conf, key, value, err,
                          NGX_HTTP_VLLM_MOCK_ERR)
            != VM_OK)
        {
            return NGX_CONF_ERROR;
        }

        if (strcmp(key, "max_loras") == 0) {
            s->max_loras = conf->engine_conf->max_loras;
            s->enable_lora = s->max_loras > 0;
        }

        vm_fit_given(&conf->fit, key);
    }

    return NGX_CONF_OK;
}


char *
ngx_http_vllm_mock_profile(ngx_conf_t *cf, ngx_str_t *name,
    vm_engine_conf_t *e, char *err)
{
    char    *text;
    size_t   len;

    text = ngx_http_vllm_mock_read_file(cf, name, &len, err);

    return text && vm_profile_parse(&e->latency.profile, text, len, err,
                                    NGX_HTTP_VLLM_MOCK_ERR)
                   == VM_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_vllm_mock_apply_latency(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    char               key[48];
    ngx_str_t          name;
    ngx_uint_t         i;
    const char        *value;
    vm_engine_conf_t  *e;

    e = ((ngx_http_vllm_mock_srv_conf_t *) data)->engine_conf;

    ngx_memzero(&e->latency, sizeof(vm_latency_t));

    if (vm_latency_model(&e->latency, ngx_http_vllm_mock_text(&d->args[0]),
                         err, NGX_HTTP_VLLM_MOCK_ERR)
        != VM_OK)
    {
        return NGX_CONF_ERROR;
    }

    i = 1;

    if (e->latency.model == VM_LATENCY_PROFILE) {

        if (d->nargs < 2) {
            ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                         "vllm_mock_latency profile needs a file%Z");
            return NGX_CONF_ERROR;
        }

        name = d->args[1];

        if (ngx_conf_full_name(cf->cycle, &name, 0) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        if (ngx_http_vllm_mock_profile(cf, &name, e, err) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }

        i = 2;
    }

    for ( /* void */ ; i < d->nargs; i++) {
        value = ngx_http_vllm_mock_split(&d->args[i], key, sizeof(key));

        if (value == NULL) {
            ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                         "invalid parameter \"%V\" of vllm_mock_latency: "
                         "key=value is expected%Z", &d->args[i]);
            return NGX_CONF_ERROR;
        }

        if (vm_latency_set(&e->latency, key, value, err,
                           NGX_HTTP_VLLM_MOCK_ERR)
            != VM_OK)
        {
            return NGX_CONF_ERROR;
        }

        if (vm_latency_bare(key, value)) {
            ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                         "\"%V\" is %s seconds: a unit makes it plain, as "
                         "%sms or %ss%Z", &d->args[i], value, value, value);
            ngx_http_vllm_mock_warn_at(cf, d, err);
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_vllm_mock_apply_mode(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    ngx_uint_t                      i, scaled;
    const char                     *value;
    ngx_http_vllm_mock_srv_conf_t  *conf;

    (void) cf;

    conf = data;
    value = ngx_http_vllm_mock_text(&d->args[0]);
    scaled = strcmp(value, "scaled") == 0;

    if (!scaled && strcmp(value, "live") != 0) {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "invalid value \"%s\" of vllm_mock_metrics: scaled or "
                     "live%Z", value);
        return NGX_CONF_ERROR;
    }

    conf->scaled = scaled;
    conf->legacy = scaled;

    for (i = 1; i < d->nargs; i++) {
        value = ngx_http_vllm_mock_text(&d->args[i]);

        if (strcmp(value, "legacy=on") == 0) {
            conf->legacy = 1;

        } else if (strcmp(value, "legacy=off") == 0) {
            conf->legacy = 0;

        } else {
            ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                         "invalid parameter \"%s\" of vllm_mock_metrics: "
                         "legacy=on or legacy=off%Z", value);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* vllm_mock_replicas N | from=uri [ttl=time] [fallback=N] [token=path] */

char *
ngx_http_vllm_mock_apply_replicas(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    char                            key[16];
    uint64_t                        n;
    ngx_int_t                       ttl;
    ngx_str_t                       text, token;
    ngx_uint_t                      i;
    const char                     *value;
    ngx_http_vllm_mock_srv_conf_t  *conf;

    conf = data;

    ngx_str_null(&conf->replicas_uri);
    ngx_str_set(&token, "/var/run/secrets/kubernetes.io/serviceaccount/token");
    conf->replicas_ttl = 1000;

    for (i = 0; i < d->nargs; i++) {
        value = ngx_http_vllm_mock_split(&d->args[i], key, sizeof(key));

        if (value == NULL && d->nargs == 1) {
            value = ngx_http_vllm_mock_text(&d->args[i]);
            ngx_memcpy(key, "fallback", sizeof("fallback"));
        }

        if (value && strcmp(key, "from") == 0 && *value == '/') {
            conf->replicas_uri.data = (u_char *) value;
            conf->replicas_uri.len = strlen(value);
            continue;
        }

        if (value && strcmp(key, "ttl") == 0) {
            text.data = (u_char *) value;
            text.len = strlen(value);
            ttl = ngx_parse_time(&text, 0);

            if (ttl != NGX_ERROR) {
                conf->replicas_ttl = (ngx_msec_t) ttl;
                continue;
            }
        }

        if (value && strcmp(key, "token") == 0 && *value) {
            token.data = (u_char *) value;
            token.len = strlen(value);
            continue;
        }

        if (value && strcmp(key, "fallback") == 0
            && vm_settings_number(value, &n) == VM_OK && n <= 1000000)
        {
            conf->replicas_fixed = (ngx_uint_t) n;
            continue;
        }

        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "invalid value \"%V\" of vllm_mock_replicas: a number "
                     "from 0 to 1000000, or from=/URI with ttl=TIME, "
                     "fallback=NUMBER and token=FILE%Z", &d->args[i]);
        return NGX_CONF_ERROR;
    }

    if (conf->replicas_uri.len == 0) {

        if (d->nargs == 1
            && ngx_strchr(d->args[0].data, '=') == NULL)
        {
            return NGX_CONF_OK;
        }

        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "vllm_mock_replicas needs from=/URI beside \"%V\"%Z",
                     &d->args[0]);
        return NGX_CONF_ERROR;
    }

    conf->token = ngx_pcalloc(cf->pool, sizeof(ngx_http_vllm_mock_token_t));

    if (conf->token == NULL
        || ngx_conf_full_name(cf->cycle, &token, 1) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    conf->token->path = token;

    return NGX_CONF_OK;
}


char *
ngx_http_vllm_mock_apply_metric(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    ngx_http_vllm_mock_srv_conf_t  *conf;

    (void) cf;

    conf = data;

    return vm_overrides_set(conf->overrides,
                            ngx_http_vllm_mock_text(&d->args[0]),
                            ngx_http_vllm_mock_text(&d->args[1]),
                            (double) ngx_time(), err, NGX_HTTP_VLLM_MOCK_ERR)
           == VM_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* Of the directives with one value. */

static char *
ngx_http_vllm_mock_bad_value(ngx_http_vllm_mock_directive_t *d,
    const char *name, const char *allowed, char *err)
{
    ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                 "invalid value \"%V\" of vllm_mock_%s: %s%Z", &d->args[0],
                 name, allowed);

    return NGX_CONF_ERROR;
}


char *
ngx_http_vllm_mock_apply_time_scale(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    char    *end;
    double   scale;

    (void) cf;

    scale = strtod(ngx_http_vllm_mock_text(&d->args[0]), &end);

    if (*end || !(scale > 0 && scale <= 1000)) {
        return ngx_http_vllm_mock_bad_value(d, "time_scale",
                                            "above 0, up to 1000", err);
    }

    ((ngx_http_vllm_mock_srv_conf_t *) data)->engine_conf->time_scale = scale;

    return NGX_CONF_OK;
}


char *
ngx_http_vllm_mock_apply_seed(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    char           *end;
    const char     *value;
    vm_settings_t  *s;

    (void) cf;

    s = ((ngx_http_vllm_mock_srv_conf_t *) data)->settings;
    value = ngx_http_vllm_mock_text(&d->args[0]);
    s->seed = strtoull(value, &end, 10);

    if (*end || *value == '-' || *value == '\0') {
        return ngx_http_vllm_mock_bad_value(d, "seed",
                                            "0 to 18446744073709551615",
                                            err);
    }

    s->seeded = 1;

    return NGX_CONF_OK;
}


char *
ngx_http_vllm_mock_apply_tokenizer(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    ngx_http_vllm_mock_srv_conf_t  *conf;

    conf = data;
    conf->tokenizer = d->args[0];

    return ngx_http_vllm_mock_vocabulary(cf, &conf->tokenizer,
                                         conf->settings, err);
}


char *
ngx_http_vllm_mock_apply_version(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    const char  *value;

    (void) cf;
    (void) data;

    value = ngx_http_vllm_mock_text(&d->args[0]);

    return strcmp(value, "0.32") == 0 || strcmp(value, "0.32.0") == 0
           ? NGX_CONF_OK
           : ngx_http_vllm_mock_bad_value(d, "version", "0.32", err);
}


char *
ngx_http_vllm_mock_apply_saturation(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    ngx_http_vllm_mock_srv_conf_t  *conf;

    (void) cf;

    conf = data;

    return vm_latency_time(ngx_http_vllm_mock_text(&d->args[0]),
                           &conf->saturation)
           == VM_OK
           ? NGX_CONF_OK
           : ngx_http_vllm_mock_bad_value(d, "saturation", "a time from 0 to "
                                          "24h such as 20ms, 2.5ms or 300us",
                                          err);
}


/* ---- where they stand ---- */

ngx_int_t
ngx_http_vllm_mock_server_init(ngx_conf_t *cf,
    ngx_http_vllm_mock_srv_conf_t *conf)
{
    conf->pool = ngx_http_vllm_mock_conf_pool(cf);
    conf->settings = ngx_pcalloc(cf->pool, sizeof(vm_settings_t));
    conf->engine_conf = ngx_pcalloc(cf->pool, sizeof(vm_engine_conf_t));
    conf->overrides = ngx_pcalloc(cf->pool, sizeof(vm_overrides_t));
    conf->ignored.data = ngx_palloc(cf->pool, NGX_HTTP_VLLM_MOCK_ERR);

    if (conf->pool == NULL || conf->settings == NULL
        || conf->engine_conf == NULL || conf->overrides == NULL
        || conf->ignored.data == NULL)
    {
        return NGX_ERROR;
    }

    vm_settings_defaults(conf->settings);
    vm_engine_defaults(conf->engine_conf);

    conf->ignored.len = 0;
    conf->replicas_fixed = 1;
    conf->fleet_size = 1;
    conf->saturation = NGX_HTTP_VLLM_MOCK_SATURATION;

    return NGX_OK;
}


char *
ngx_http_vllm_mock_try(ngx_conf_t *cf, ngx_http_vllm_mock_directive_t *d,
    ngx_uint_t kind, ngx_http_vllm_mock_apply_pt apply)
{
    char                            err[NGX_HTTP_VLLM_MOCK_ERR];
    void                           *conf;
    vm_output_t                     output;
    ngx_http_vllm_mock_loc_conf_t   location;
    ngx_http_vllm_mock_srv_conf_t   server;

    if (kind == NGX_HTTP_LOC_CONF_OFFSET) {
        ngx_memzero(&output, sizeof(vm_output_t));
        ngx_memzero(&location, sizeof(ngx_http_vllm_mock_loc_conf_t));

        location.output_conf = &output;
        conf = &location;

    } else {
        ngx_memzero(&server, sizeof(ngx_http_vllm_mock_srv_conf_t));

        if (ngx_http_vllm_mock_server_init(cf, &server) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        conf = &server;
    }

    err[0] = '\0';

    return apply(cf, d, conf, err) == NGX_CONF_OK
           ? NGX_CONF_OK : ngx_http_vllm_mock_bad_at(cf, d, err);
}
