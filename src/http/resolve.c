/*
 * Directives, vLLM's arguments and the environment, put together: the
 * environment first, then vllm_mock_args, then the directives, which win.
 */

#include "resolve.h"
#include "../engine/catalog.h"
#include "../engine/options.h"
#include "../metrics/override.h"


#define NGX_HTTP_VLLM_MOCK_ERR       512
#define NGX_HTTP_VLLM_MOCK_MODEL     "llama2-7b"

/* Without any setting: an idle server that is quick, but takes its time. */

#define NGX_HTTP_VLLM_MOCK_TTFT      (10 * VM_MSEC)
#define NGX_HTTP_VLLM_MOCK_ITL       (2 * VM_MSEC)


static void
ngx_http_vllm_mock_pool_free(void *data)
{
    vm_pool_destroy(data);
}


/* Memory of the pure rooms that lives as long as the configuration. */

static vm_pool_t *
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

static const char *
ngx_http_vllm_mock_text(const ngx_str_t *s)
{
    return (const char *) s->data;
}


static char *
ngx_http_vllm_mock_bad(ngx_conf_t *cf, const char *message)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s", message);

    return NGX_CONF_ERROR;
}


/* The same, found later: the directive tells where it stood. */

static char *
ngx_http_vllm_mock_bad_at(ngx_conf_t *cf,
    const ngx_http_vllm_mock_directive_t *d, const char *message)
{
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%s in %s:%ui", message,
                  d->file, d->line);

    return NGX_CONF_ERROR;
}


/* "key=value": the key's length, and the value; NULL if there is no "=". */

static const char *
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


/* ---- each directive alone ---- */

static char *
ngx_http_vllm_mock_apply_model(ngx_http_vllm_mock_directive_t *d,
    vm_settings_t *s, vm_engine_conf_t *e, ngx_pool_t *pool, char *err)
{
    char         key[32];
    size_t       n;
    uint64_t     number;
    ngx_uint_t   i;
    const char **names, *value;

    names = ngx_palloc(pool, (s->names.n + d->nargs) * sizeof(char *));
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

            if (vm_settings_number(value, &number) != VM_OK || number == 0
                || number > 10000000)
            {
                ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                             "invalid value \"%s\" of max_model_len: 1 to "
                             "10000000 tokens%Z", value);
                return NGX_CONF_ERROR;
            }

            e->max_model_len = (uint32_t) number;

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


static char *
ngx_http_vllm_mock_apply_lora(ngx_http_vllm_mock_directive_t *d,
    vm_settings_t *s, ngx_pool_t *pool, char *err)
{
    char         key[16];
    u_char      *text;
    ngx_uint_t   i;
    const char **list, *path, *value;

    path = ngx_http_vllm_mock_text(&d->args[0]);

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

    text = ngx_pnalloc(pool, d->args[0].len + strlen(path) + 2);
    list = ngx_palloc(pool, (s->lora_modules.n + 1) * sizeof(char *));

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

    if (conf && conf->ignored.data) {
        last = conf->ignored.data + NGX_HTTP_VLLM_MOCK_ERR;
        conf->ignored.len = (size_t)
            (ngx_snprintf(conf->ignored.data + conf->ignored.len,
                          (size_t) (last - conf->ignored.data)
                          - conf->ignored.len, " --%s", name)
             - conf->ignored.data);
    }
}


static char *
ngx_http_vllm_mock_apply_args(ngx_http_vllm_mock_directive_t *d,
    vm_settings_t *s, vm_engine_conf_t *e, vm_pool_t *pool,
    ngx_http_vllm_mock_srv_conf_t *conf, char *err)
{
    size_t        i;
    ngx_uint_t    k;
    const char   *name, *value, **argv;

    argv = vm_pool_alloc(pool, (d->nargs + 1) * sizeof(char *));
    if (argv == NULL) {
        return NGX_CONF_ERROR;
    }

    for (k = 0; k < d->nargs; k++) {
        argv[k] = ngx_http_vllm_mock_text(&d->args[k]);
    }

    for (i = 0; i < d->nargs; /* void */ ) {

        switch (vm_settings_arg(s, argv, d->nargs, &i, pool, &name, &value,
                                err, NGX_HTTP_VLLM_MOCK_ERR))
        {
        case VM_ARG_FAILED:
            return NGX_CONF_ERROR;

        case VM_ARG_ENGINE:
            if (vm_option_set(e, name, value, err, NGX_HTTP_VLLM_MOCK_ERR)
                != VM_OK)
            {
                return NGX_CONF_ERROR;
            }

            if (conf && strcmp(name, "block-size") == 0) {
                conf->user_block_size = 1;
            }

            if (conf && strcmp(name, "num-gpu-blocks-override") == 0) {
                conf->user_blocks = 1;
            }

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


static char *
ngx_http_vllm_mock_apply_engine(ngx_http_vllm_mock_directive_t *d,
    vm_settings_t *s, vm_engine_conf_t *e,
    ngx_http_vllm_mock_srv_conf_t *conf, char *err)
{
    char         key[48];
    uint64_t     n;
    ngx_uint_t   i;
    const char  *value;

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

        switch (vm_option_set(e, key, value, err, NGX_HTTP_VLLM_MOCK_ERR)) {

        case VM_OK:
            break;

        case VM_DECLINED:
            ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                         "unknown parameter \"%s\" of vllm_mock_engine%Z",
                         key);

            /* fall through */

        default:
            return NGX_CONF_ERROR;
        }

        if (strcmp(key, "max_loras") == 0) {
            s->max_loras = e->max_loras;
            s->enable_lora = e->max_loras > 0;
        }

        if (conf && strcmp(key, "block_size") == 0) {
            conf->user_block_size = 1;
        }

        if (conf && strcmp(key, "num_gpu_blocks") == 0) {
            conf->user_blocks = 1;
        }

        if (conf && strcmp(key, "max_num_seqs") == 0) {
            conf->user_seqs = 1;
        }

        if (conf && strcmp(key, "max_num_batched_tokens") == 0) {
            conf->user_tokens = 1;
        }
    }

    return NGX_CONF_OK;
}


/* The text of a file, for a profile. */

static char *
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


static char *
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


/* SIMULATION=DEVICE: the profile of that device for the model served. */

static char *
ngx_http_vllm_mock_simulation(ngx_conf_t *cf,
    ngx_http_vllm_mock_srv_conf_t *conf, const char *device, char *err)
{
    char               path[VM_CATALOG_PATH], *text;
    size_t             len;
    u_char            *p;
    ngx_str_t          name;
    vm_settings_t     *s;
    vm_engine_conf_t  *e;

    s = conf->settings;
    e = conf->engine_conf;

    name.len = conf->profiles.len + VM_CATALOG_PATH + 1;
    name.data = ngx_pcalloc(cf->pool, name.len + 1);

    if (name.data == NULL) {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR, "no memory%Z");
        return NGX_CONF_ERROR;
    }

    p = ngx_sprintf(name.data, "%V/index.json", &conf->profiles);
    *p = '\0';
    name.len = p - name.data;

    text = ngx_http_vllm_mock_read_file(cf, &name, &len, err);

    if (text == NULL
        || vm_catalog_find(text, len, device, s->names.list[0],
                           s->tensor_parallel > 1 ? s->tensor_parallel : 0,
                           path, err, NGX_HTTP_VLLM_MOCK_ERR)
           != VM_OK)
    {
        return NGX_CONF_ERROR;
    }

    p = ngx_sprintf(name.data, "%V/%s", &conf->profiles, path);
    *p = '\0';
    name.len = p - name.data;

    ngx_memzero(&e->latency, sizeof(vm_latency_t));
    vm_latency_model(&e->latency, "profile", err, NGX_HTTP_VLLM_MOCK_ERR);

    return ngx_http_vllm_mock_profile(cf, &name, e, err);
}


/*
 * What vLLM derives from the GPU it finds, where nothing was said: blocks of
 * the memory that is left; a larger batch where there is much, but not on an
 * A100.
 */

static void
ngx_http_vllm_mock_gpu(ngx_http_vllm_mock_srv_conf_t *conf)
{
    double             gib;
    ngx_uint_t         huge;
    vm_profile_t      *p;
    vm_engine_conf_t  *e;

    e = conf->engine_conf;

    if (e->latency.model != VM_LATENCY_PROFILE) {
        return;
    }

    p = &e->latency.profile;

    if (!conf->user_blocks && p->num_blocks) {
        e->num_gpu_blocks = (uint32_t) ((uint64_t) p->num_blocks
                                        * p->block_size / e->block_size);
    }

    gib = p->memory_gb * 1e9 / (1024.0 * 1024 * 1024);
    huge = gib >= 160;

    if (!huge && (gib < 70 || strcmp(p->device, "a100") == 0)) {
        return;
    }

    if (!conf->user_seqs) {
        e->max_num_seqs = 1024;
    }

    if (!conf->user_tokens) {
        e->max_num_batched_tokens = huge ? 16384 : 8192;
    }
}


static char *
ngx_http_vllm_mock_apply_latency(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, vm_engine_conf_t *e, char *err)
{
    char         key[48];
    ngx_str_t    name;
    ngx_uint_t   i;
    const char  *value;

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
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_vllm_mock_length(const char *text, vm_output_t *o)
{
    int     n;
    char    kind[16], tail;
    double  a, b;

    b = 0;

    if (strcmp(text, "max") == 0) {
        o->length = VM_LENGTH_MAX;
        return NGX_CONF_OK;
    }

    if (sscanf(text, "%lf%c", &a, &tail) == 1 && a >= 1 && a <= 1e7) {
        o->length = VM_LENGTH_FIXED;
        o->a = a;
        return NGX_CONF_OK;
    }

    n = sscanf(text, "%15[a-z]:%lf:%lf%c", kind, &a, &b, &tail);

    if (n != 3) {
        return NGX_CONF_ERROR;
    }

    o->a = a;
    o->b = b;

    if (strcmp(kind, "uniform") == 0 && a >= 1 && b >= a && b <= 1e7) {
        o->length = VM_LENGTH_UNIFORM;
        return NGX_CONF_OK;
    }

    if (strcmp(kind, "normal") == 0 && b >= 0) {
        o->length = VM_LENGTH_NORMAL;
        return NGX_CONF_OK;
    }

    if (strcmp(kind, "lognormal") == 0 && b >= 0) {
        o->length = VM_LENGTH_LOGNORMAL;
        return NGX_CONF_OK;
    }

    return NGX_CONF_ERROR;
}


/* The lines of a file, for text=file:PATH. */

static char *
ngx_http_vllm_mock_lines(ngx_conf_t *cf, const char *path, vm_output_t *o,
    char *err)
{
    char        *end, *line, *text;
    size_t       len, n;
    ngx_str_t    name;

    name.data = (u_char *) path;
    name.len = strlen(path);

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    text = ngx_http_vllm_mock_read_file(cf, &name, &len, err);
    if (text == NULL) {
        return NGX_CONF_ERROR;
    }

    for (n = 1, line = text; (line = strchr(line, '\n')) != NULL; line++) {
        n++;
    }

    o->lines = ngx_palloc(cf->pool, n * sizeof(vm_str_t));
    if (o->lines == NULL) {
        return NGX_CONF_ERROR;
    }

    o->nlines = 0;

    for (line = text; *line; line = *end ? end + 1 : end) {
        end = line + strcspn(line, "\n");

        if (end > line) {
            o->lines[o->nlines].data = line;
            o->lines[o->nlines++].len = (size_t) (end - line);
        }
    }

    if (o->nlines == 0) {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "no line of text in \"%V\"%Z", &name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_vllm_mock_apply_output(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, vm_output_t *o, char *err)
{
    char                     key[16];
    ngx_uint_t               i, k;
    const char              *value;
    static const char *const  texts[] = {
        [VM_TEXT_WORDS] = "words", [VM_TEXT_MESSAGE] = "message",
        [VM_TEXT_ECHO] = "echo"
    };

    for (i = 0; i < d->nargs; i++) {
        value = ngx_http_vllm_mock_split(&d->args[i], key, sizeof(key));

        if (value && strcmp(key, "text") == 0) {

            if (strncmp(value, "file:", 5) == 0) {
                o->text = VM_TEXT_FILE;

                if (ngx_http_vllm_mock_lines(cf, value + 5, o, err)
                    != NGX_CONF_OK)
                {
                    return NGX_CONF_ERROR;
                }

                continue;
            }

            for (k = 0; k < vm_nelts(texts); k++) {
                if (strcmp(value, texts[k]) == 0) {
                    o->text = (vm_text_e) k;
                    break;
                }
            }

            if (k < vm_nelts(texts)) {
                continue;
            }

            ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                         "invalid value \"%s\" of text: message, words, echo "
                         "or file:PATH%Z", value);
            return NGX_CONF_ERROR;
        }

        if (value && strcmp(key, "tokens") == 0) {

            if (ngx_http_vllm_mock_length(value, o) == NGX_CONF_OK) {
                continue;
            }

            ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                         "invalid value \"%s\" of tokens: max, N, "
                         "uniform:A:B, normal:MEAN:SIGMA or "
                         "lognormal:MU:SIGMA%Z", value);
            return NGX_CONF_ERROR;
        }

        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "invalid parameter \"%V\" of vllm_mock_output: text= or "
                     "tokens=%Z", &d->args[i]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_vllm_mock_apply_mode(ngx_http_vllm_mock_directive_t *d,
    ngx_http_vllm_mock_srv_conf_t *conf, char *err)
{
    ngx_uint_t   i, scaled;
    const char  *value;

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

static char *
ngx_http_vllm_mock_apply_replicas(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, ngx_http_vllm_mock_srv_conf_t *conf,
    char *err)
{
    char         key[16];
    uint64_t     n;
    ngx_str_t    text, token;
    ngx_int_t    ttl;
    ngx_uint_t   i;
    const char  *value;

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


/* ---- where they stand ---- */

typedef struct {
    char                            err[NGX_HTTP_VLLM_MOCK_ERR];
    vm_pool_t                      *pool;
    vm_settings_t                   settings;
    vm_engine_conf_t                engine;
    ngx_http_vllm_mock_srv_conf_t   server;
} ngx_http_vllm_mock_scratch_t;


static ngx_http_vllm_mock_scratch_t *
ngx_http_vllm_mock_scratch(ngx_conf_t *cf)
{
    ngx_http_vllm_mock_scratch_t  *s;

    s = ngx_pcalloc(cf->temp_pool, sizeof(ngx_http_vllm_mock_scratch_t));

    if (s) {
        s->pool = ngx_http_vllm_mock_conf_pool(cf);
        vm_settings_defaults(&s->settings);
        vm_engine_defaults(&s->engine);
    }

    return (s && s->pool) ? s : NULL;
}


#define ngx_http_vllm_mock_check(name, call)                                  \
    char *                                                                    \
    ngx_http_vllm_mock_check_##name(ngx_conf_t *cf,                           \
        ngx_http_vllm_mock_directive_t *d)                                    \
    {                                                                         \
        ngx_http_vllm_mock_scratch_t  *s;                                     \
                                                                              \
        s = ngx_http_vllm_mock_scratch(cf);                                   \
                                                                              \
        if (s == NULL) {                                                      \
            return NGX_CONF_ERROR;                                            \
        }                                                                     \
                                                                              \
        return (call) == NGX_CONF_OK ? NGX_CONF_OK                            \
                                     : ngx_http_vllm_mock_bad(cf, s->err);    \
    }

ngx_http_vllm_mock_check(model,
    ngx_http_vllm_mock_apply_model(d, &s->settings, &s->engine, cf->pool,
                                   s->err))

ngx_http_vllm_mock_check(lora,
    ngx_http_vllm_mock_apply_lora(d, &s->settings, cf->pool, s->err))

ngx_http_vllm_mock_check(args,
    ngx_http_vllm_mock_apply_args(d, &s->settings, &s->engine, s->pool, NULL,
                                  s->err))

ngx_http_vllm_mock_check(engine,
    ngx_http_vllm_mock_apply_engine(d, &s->settings, &s->engine, NULL,
                                    s->err))

ngx_http_vllm_mock_check(latency,
    ngx_http_vllm_mock_apply_latency(cf, d, &s->engine, s->err))

ngx_http_vllm_mock_check(mode,
    ngx_http_vllm_mock_apply_mode(d, &s->server, s->err))

ngx_http_vllm_mock_check(replicas,
    ngx_http_vllm_mock_apply_replicas(cf, d, &s->server, s->err))


char *
ngx_http_vllm_mock_check_metric(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d)
{
    char             err[NGX_HTTP_VLLM_MOCK_ERR];
    vm_overrides_t  *o;

    o = ngx_pcalloc(cf->temp_pool, sizeof(vm_overrides_t));

    if (o == NULL) {
        return NGX_CONF_ERROR;
    }

    if (vm_overrides_set(o, ngx_http_vllm_mock_text(&d->args[0]),
                         ngx_http_vllm_mock_text(&d->args[1]), 0, err,
                         sizeof(err))
        != VM_OK)
    {
        return ngx_http_vllm_mock_bad(cf, err);
    }

    return NGX_CONF_OK;
}


char *
ngx_http_vllm_mock_check_output(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d)
{
    char         err[NGX_HTTP_VLLM_MOCK_ERR];
    vm_output_t  o;

    ngx_memzero(&o, sizeof(vm_output_t));

    return ngx_http_vllm_mock_apply_output(cf, d, &o, err) == NGX_CONF_OK
           ? NGX_CONF_OK : ngx_http_vllm_mock_bad(cf, err);
}


/* ---- the environment ---- */

static const char *
ngx_http_vllm_mock_env(const char *name)
{
    const char  *value;

    value = getenv(name);

    return value && *value ? value : NULL;
}


/* A copy, for environments change. */

static const char *
ngx_http_vllm_mock_env_copy(const char *name, vm_pool_t *pool)
{
    const char  *value;

    value = ngx_http_vllm_mock_env(name);

    return value ? vm_pool_strdup(pool, value, strlen(value)) : NULL;
}


static int
ngx_http_vllm_mock_env_true(const char *name)
{
    const char  *value;

    value = ngx_http_vllm_mock_env(name);

    return value && (strcasecmp(value, "true") == 0
                     || strcasecmp(value, "yes") == 0
                     || strcasecmp(value, "on") == 0
                     || strcmp(value, "1") == 0);
}


/* The seed's capacity model; defaults are those of its application. */

static const struct {
    const char  *variable;
    const char  *key;
    const char  *value;
}  ngx_http_vllm_mock_capacity[] = {
    { "MOCK_SERVER_CAPACITY", "capacity", "1" },
    { "MOCK_BASE_LATENCY_SECONDS", "base", "0.05" },
    { "MOCK_TTFT_BASE_SECONDS", "ttft", "0.03" },
    { "MOCK_PREFILL_SECONDS_PER_1K_TOKENS", "prefill_per_1k", "0.02" },
    { "MOCK_DECODE_SECONDS_PER_TOKEN", "decode_per_token", "0.002" },
    { "MOCK_OVERLOAD_PENALTY_SECONDS", "penalty", "0.08" },
    { "MOCK_LATENCY_JITTER_SECONDS", "jitter", "0.01" }
};


static char *
ngx_http_vllm_mock_env_latency(ngx_conf_t *cf, vm_engine_conf_t *e)
{
    int          rc;
    char         err[NGX_HTTP_VLLM_MOCK_ERR];
    ngx_uint_t   i;
    const char  *value;

    ngx_memzero(&e->latency, sizeof(vm_latency_t));

    if (ngx_http_vllm_mock_env_true("MOCK_CAPACITY_AWARE_LATENCY")) {
        rc = vm_latency_model(&e->latency, "capacity", err, sizeof(err));

        for (i = 0; i < vm_nelts(ngx_http_vllm_mock_capacity)
                    && rc == VM_OK; i++)
        {
            value = ngx_http_vllm_mock_env(
                        ngx_http_vllm_mock_capacity[i].variable);

            if (value == NULL) {
                value = ngx_http_vllm_mock_capacity[i].value;
            }

            rc = vm_latency_set(&e->latency,
                                ngx_http_vllm_mock_capacity[i].key, value,
                                err, sizeof(err));

            if (rc != VM_OK) {
                ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                              "environment variable %s: %s",
                              ngx_http_vllm_mock_capacity[i].variable, err);
                return NGX_CONF_ERROR;
            }
        }

        return NGX_CONF_OK;
    }

    value = ngx_http_vllm_mock_env("MOCK_REQUEST_DURATION_SECONDS");

    if (value) {
        vm_latency_model(&e->latency, "capacity", err, sizeof(err));

        if (vm_latency_set(&e->latency, "duration", value, err, sizeof(err))
            != VM_OK)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "environment variable "
                          "MOCK_REQUEST_DURATION_SECONDS: %s", err);
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    vm_latency_model(&e->latency, "constant", err, sizeof(err));
    e->latency.ttft = NGX_HTTP_VLLM_MOCK_TTFT;
    e->latency.itl = NGX_HTTP_VLLM_MOCK_ITL;

    return NGX_CONF_OK;
}


static char *
ngx_http_vllm_mock_env_overrides(ngx_conf_t *cf, vm_overrides_t *o)
{
    int          rc;
    char         err[NGX_HTTP_VLLM_MOCK_ERR];
    json_t      *object;
    const char  *value;

    value = ngx_http_vllm_mock_env("METRICS_OVERRIDES");

    if (value == NULL) {
        return NGX_CONF_OK;
    }

    object = json_loads(value, 0, NULL);

    if (!json_is_object(object)) {
        json_decref(object);
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "environment variable METRICS_OVERRIDES is no JSON "
                      "object: \"%s\"", value);
        return NGX_CONF_ERROR;
    }

    rc = vm_overrides_merge(o, object, (double) ngx_time(), err, sizeof(err));
    json_decref(object);

    if (rc != VM_OK) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "environment variable METRICS_OVERRIDES: %s", err);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* ---- a server ---- */

#define ngx_http_vllm_mock_each(list, d, i)                                   \
    for (i = 0, d = (list) ? (list)->elts : NULL;                             \
         (list) && i < (list)->nelts; i++, d++)


static char *
ngx_http_vllm_mock_names(vm_settings_t *s, vm_pool_t *pool)
{
    const char  **list;

    if (s->names.n) {
        return NGX_CONF_OK;
    }

    list = vm_pool_alloc(pool, sizeof(char *));
    if (list == NULL) {
        return NGX_CONF_ERROR;
    }

    list[0] = ngx_http_vllm_mock_env_copy("MODEL_NAME", pool);

    if (list[0] == NULL) {
        list[0] = s->root ? s->root : NGX_HTTP_VLLM_MOCK_MODEL;
    }

    s->names.list = list;
    s->names.n = 1;

    return NGX_CONF_OK;
}


/* 160 GiB and more, 70 GiB and more, others: vLLM's defaults of the API server
 * depend on the GPU; without a profile it is as on the smaller ones. */

static char *
ngx_http_vllm_mock_engine_done(ngx_conf_t *cf,
    ngx_http_vllm_mock_srv_conf_t *conf)
{
    const char        *err;
    vm_settings_t     *s;
    vm_engine_conf_t  *e;

    s = conf->settings;
    e = conf->engine_conf;

    e->max_loras = s->enable_lora ? s->max_loras : 0;
    e->seed = s->seed;
    e->owners = NGX_HTTP_VLLM_MOCK_OWNERS;
    s->max_model_len = e->max_model_len;

    err = vm_engine_check(e);

    if (err) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "vllm_mock: %s", err);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_vllm_mock_scalars(ngx_conf_t *cf,
    ngx_http_vllm_mock_srv_conf_t *conf)
{
    char   *end;
    double  scale;

    if (conf->time_scale.len) {
        scale = strtod(ngx_http_vllm_mock_text(&conf->time_scale), &end);

        if (*end || !(scale > 0 && scale <= 1000)) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "invalid value \"%V\" of vllm_mock_time_scale: "
                          "above 0, up to 1000", &conf->time_scale);
            return NGX_CONF_ERROR;
        }

        conf->engine_conf->time_scale = scale;
    }

    if (conf->seed.len) {
        conf->settings->seed = strtoull(ngx_http_vllm_mock_text(&conf->seed),
                                        &end, 10);

        if (*end || conf->seed.data[0] == '-') {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "invalid value \"%V\" of vllm_mock_seed: 0 to "
                          "18446744073709551615", &conf->seed);
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_strcmp(conf->version.data, "0.32") != 0
        && ngx_strcmp(conf->version.data, "0.32.0") != 0)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "invalid value \"%V\" of vllm_mock_version: 0.32",
                      &conf->version);
        return NGX_CONF_ERROR;
    }

    if (ngx_strcmp(conf->tokenizer.data, "builtin") != 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "invalid value \"%V\" of vllm_mock_tokenizer: builtin",
                      &conf->tokenizer);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static void
ngx_http_vllm_mock_tokenizer_free(void *data)
{
    vm_tokenizer_free(data);
}


static char *
ngx_http_vllm_mock_tokenizer(ngx_conf_t *cf, vm_settings_t *s)
{
    vm_tokenizer_t      *t;
    ngx_pool_cleanup_t  *cln;

    t = vm_tokenizer_builtin();
    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (t == NULL || cln == NULL) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_vllm_mock_tokenizer_free;
    cln->data = t;

    s->tokenizer = t;
    s->vocab = vm_tokenizer_vocab(t);

    return NGX_CONF_OK;
}


static char *
ngx_http_vllm_mock_resolve_server(ngx_conf_t *cf,
    ngx_http_vllm_mock_srv_conf_t *conf)
{
    char                             err[NGX_HTTP_VLLM_MOCK_ERR], *end;
    const char                      *device;
    vm_pool_t                       *pool;
    ngx_uint_t                       i;
    const char                      *value;
    vm_settings_t                   *s;
    vm_engine_conf_t                *e;
    const char *const               *names;
    ngx_http_vllm_mock_directive_t  *d;

    if (conf->settings) {
        return NGX_CONF_OK;
    }

    pool = ngx_http_vllm_mock_conf_pool(cf);
    s = ngx_pcalloc(cf->pool, sizeof(vm_settings_t));
    e = ngx_pcalloc(cf->pool, sizeof(vm_engine_conf_t));
    conf->overrides = ngx_pcalloc(cf->pool, sizeof(vm_overrides_t));

    if (pool == NULL || s == NULL || e == NULL || conf->overrides == NULL) {
        return NGX_CONF_ERROR;
    }

    conf->settings = s;
    conf->engine_conf = e;

    vm_settings_defaults(s);
    vm_engine_defaults(e);

    for (names = vm_settings_env_names(); *names; names++) {
        value = ngx_http_vllm_mock_env(*names);

        if (value && vm_settings_env(s, *names, value, pool) == VM_ERROR) {
            return NGX_CONF_ERROR;
        }
    }

    value = ngx_http_vllm_mock_env("API_KEY");

    if (value && vm_settings_env(s, "VLLM_API_KEY", value, pool) == VM_ERROR)
    {
        return NGX_CONF_ERROR;
    }

    conf->replicas_fixed = 1;
    value = ngx_http_vllm_mock_env("DEFAULT_REPLICAS");

    if (value) {
        conf->replicas_fixed = strtoul(value, &end, 10);

        if (*end || *value == '-') {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "environment variable DEFAULT_REPLICAS: invalid "
                          "value \"%s\": a number from 0", value);
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_vllm_mock_env_latency(cf, e) != NGX_CONF_OK
        || ngx_http_vllm_mock_env_overrides(cf, conf->overrides)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_str_null(&conf->ignored);
    conf->ignored.data = vm_pool_alloc(pool, NGX_HTTP_VLLM_MOCK_ERR);

    ngx_http_vllm_mock_each(conf->args, d, i) {
        if (ngx_http_vllm_mock_apply_args(d, s, e, pool, conf, err)
            != NGX_CONF_OK)
        {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    if (conf->ignored.len && !ngx_quiet_mode) {
        ngx_log_error(NGX_LOG_NOTICE, cf->log, 0,
                      "vllm_mock_args: without a meaning here:%V",
                      &conf->ignored);
    }

    if (conf->models) {
        s->names.n = 0;
    }

    ngx_http_vllm_mock_each(conf->models, d, i) {
        if (ngx_http_vllm_mock_apply_model(d, s, e, cf->pool, err)
            != NGX_CONF_OK)
        {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    ngx_http_vllm_mock_each(conf->loras, d, i) {
        if (ngx_http_vllm_mock_apply_lora(d, s, cf->pool, err)
            != NGX_CONF_OK)
        {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    ngx_http_vllm_mock_each(conf->engine, d, i) {
        if (ngx_http_vllm_mock_apply_engine(d, s, e, conf, err)
            != NGX_CONF_OK)
        {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    ngx_http_vllm_mock_each(conf->latency, d, i) {
        if (ngx_http_vllm_mock_apply_latency(cf, d, e, err) != NGX_CONF_OK) {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    ngx_http_vllm_mock_each(conf->metrics_mode, d, i) {
        if (ngx_http_vllm_mock_apply_mode(d, conf, err) != NGX_CONF_OK) {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    ngx_http_vllm_mock_each(conf->replicas, d, i) {
        if (ngx_http_vllm_mock_apply_replicas(cf, d, conf, err)
            != NGX_CONF_OK)
        {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    ngx_http_vllm_mock_each(conf->metrics, d, i) {
        if (vm_overrides_set(conf->overrides,
                             ngx_http_vllm_mock_text(&d->args[0]),
                             ngx_http_vllm_mock_text(&d->args[1]),
                             (double) ngx_time(), err, sizeof(err))
            != VM_OK)
        {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    if (ngx_http_vllm_mock_names(s, pool) != NGX_CONF_OK
        || ngx_http_vllm_mock_scalars(cf, conf) != NGX_CONF_OK
        || ngx_http_vllm_mock_tokenizer(cf, s) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (s->root == NULL) {
        s->root = s->names.list[0];
    }

    device = ngx_http_vllm_mock_env("SIMULATION");

    if (device && strcasecmp(device, "disabled") != 0
        && conf->latency == NULL
        && ngx_http_vllm_mock_simulation(cf, conf, device, err) != NGX_CONF_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "environment variable SIMULATION: %s", err);
        return NGX_CONF_ERROR;
    }

    ngx_http_vllm_mock_gpu(conf);

    return ngx_http_vllm_mock_engine_done(cf, conf);
}


/* ---- a location ---- */

/* One key a line; blank lines and lines after "#" are left out. */

static char *
ngx_http_vllm_mock_key_file(ngx_conf_t *cf, ngx_str_t *name, ngx_array_t *keys)
{
    char        err[NGX_HTTP_VLLM_MOCK_ERR], *end, *line, *text;
    size_t      len, n;
    ngx_str_t  *key;

    text = ngx_http_vllm_mock_read_file(cf, name, &len, err);

    if (text == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%s", err);
        return NGX_CONF_ERROR;
    }

    for (line = text; *line; line = *end ? end + 1 : end) {
        end = line + strcspn(line, "\n");
        n = (size_t) (end - line);

        while (n && (line[n - 1] == '\r' || line[n - 1] == ' ')) {
            n--;
        }

        if (n == 0 || *line == '#') {
            continue;
        }

        key = ngx_array_push(keys);
        if (key == NULL) {
            return NGX_CONF_ERROR;
        }

        key->data = ngx_pnalloc(cf->pool, n + 1);
        if (key->data == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memcpy(key->data, line, n);
        key->data[n] = '\0';
        key->len = n;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_vllm_mock_location_keys(ngx_conf_t *cf,
    ngx_http_vllm_mock_loc_conf_t *conf)
{
    ngx_str_t    *file, *key;
    ngx_uint_t    i;
    ngx_array_t  *all;
    const char  **list;

    if (conf->keys == NULL && conf->key_files == NULL) {
        return NGX_CONF_OK;
    }

    all = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
    if (all == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; conf->keys && i < conf->keys->nelts; i++) {
        key = ngx_array_push(all);
        if (key == NULL) {
            return NGX_CONF_ERROR;
        }

        *key = ((ngx_str_t *) conf->keys->elts)[i];
    }

    for (i = 0; conf->key_files && i < conf->key_files->nelts; i++) {
        file = (ngx_str_t *) conf->key_files->elts + i;

        if (ngx_http_vllm_mock_key_file(cf, file, all) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    list = ngx_palloc(cf->pool, (all->nelts + 1) * sizeof(char *));
    if (list == NULL) {
        return NGX_CONF_ERROR;
    }

    conf->settings->api_keys.n = 0;
    conf->settings->api_keys.list = list;
    key = all->elts;

    for (i = 0; i < all->nelts; i++) {
        if (key[i].len) {
            list[conf->settings->api_keys.n++] = (char *) key[i].data;
        }
    }

    return NGX_CONF_OK;
}


/* The pod's name: of the environment, else the host's. */

static const char *
ngx_http_vllm_mock_pod(ngx_conf_t *cf)
{
    size_t       len;
    u_char      *copy;
    const char  *pod;

    pod = ngx_http_vllm_mock_env("POD_NAME");

    if (pod == NULL) {
        pod = ngx_http_vllm_mock_env("HOSTNAME");
    }

    if (pod == NULL) {
        pod = (const char *) cf->cycle->hostname.data;
    }

    len = strlen(pod);
    copy = ngx_pnalloc(cf->pool, len + 1);

    return copy ? memcpy(copy, pod, len + 1) : NULL;
}


char *
ngx_http_vllm_mock_resolve_location(ngx_conf_t *cf,
    ngx_http_vllm_mock_loc_conf_t *conf,
    ngx_http_vllm_mock_srv_conf_t *server)
{
    char                             err[NGX_HTTP_VLLM_MOCK_ERR];
    ngx_uint_t                       i;
    ngx_http_vllm_mock_zone_t       *zone;
    ngx_http_vllm_mock_directive_t  *d;

    if (ngx_http_vllm_mock_resolve_server(cf, server) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    zone = conf->shm_zone->data;

    if (zone->server && zone->server != server
        && ngx_memcmp(zone->server->engine_conf, server->engine_conf,
                      sizeof(vm_engine_conf_t)) != 0)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "zone \"%V\" is used by two servers with different "
                      "engine or latency settings: give each a zone of its "
                      "own", &zone->name);
        return NGX_CONF_ERROR;
    }

    if (zone->server == NULL) {
        zone->server = server;
    }

    conf->server = server;
    conf->settings = ngx_palloc(cf->pool, sizeof(vm_settings_t));
    conf->output_conf = ngx_pcalloc(cf->pool, sizeof(vm_output_t));

    if (conf->settings == NULL || conf->output_conf == NULL) {
        return NGX_CONF_ERROR;
    }

    *conf->settings = *server->settings;
    conf->settings->accept_any = conf->unknown_models
                                 == NGX_HTTP_VLLM_MOCK_ACCEPT;
    conf->settings->all_endpoints = conf->all_endpoints != 0;

    conf->output_conf->pod = ngx_http_vllm_mock_pod(cf);

    if (conf->output_conf->pod == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_vllm_mock_each(conf->output, d, i) {
        if (ngx_http_vllm_mock_apply_output(cf, d, conf->output_conf, err)
            != NGX_CONF_OK)
        {
            return ngx_http_vllm_mock_bad_at(cf, d, err);
        }
    }

    return ngx_http_vllm_mock_location_keys(cf, conf);
}
