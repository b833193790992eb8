/*
 * vllm_mock_output: which texts, and how long.
 */

#include "resolve.h"
#include "../base/percent.h"


#define NGX_HTTP_VLLM_MOCK_OUTPUT_KEYS                                        \
    "text=, tokens=, cap=, calls=, thinks=, schema= or chunk="


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


/* Tokens of a chunk: a number, or drawn for each. */

static char *
ngx_http_vllm_mock_chunk(const char *text, vm_output_t *o)
{
    int   n;
    char  tail;

    n = sscanf(text, "uniform:%u:%u%c", &o->chunk_a, &o->chunk_b, &tail);

    if (n != 2) {

        if (sscanf(text, "%u%c", &o->chunk_a, &tail) != 1) {
            return NGX_CONF_ERROR;
        }

        o->chunk_b = o->chunk_a;
    }

    return o->chunk_a >= 1 && o->chunk_b >= o->chunk_a && o->chunk_b <= 10000
           ? NGX_CONF_OK : NGX_CONF_ERROR;
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


/* What is one of two words. */

static const struct {
    const char  *key;
    size_t       offset;
    const char  *no;
    const char  *yes;
}  ngx_http_vllm_mock_choices[] = {
    { "cap", offsetof(vm_output_t, cap), "off", "on" },
    { "thinks", offsetof(vm_output_t, thinks_asked), "always", "asked" },
    { "schema", offsetof(vm_output_t, schema_prompt), "format", "prompt" }
};


static char *
ngx_http_vllm_mock_choose(vm_output_t *o, ngx_uint_t k, const char *value,
    char *err)
{
    ngx_uint_t   yes;
    const char  *no, *other;

    no = ngx_http_vllm_mock_choices[k].no;
    other = ngx_http_vllm_mock_choices[k].yes;
    yes = strcmp(value, other) == 0;

    if (!yes && strcmp(value, no) != 0) {
        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "invalid value \"%s\" of %s: %s or %s%Z", value,
                     ngx_http_vllm_mock_choices[k].key, no, other);
        return NGX_CONF_ERROR;
    }

    *((uint8_t *) o + ngx_http_vllm_mock_choices[k].offset) = yes & 1;

    return NGX_CONF_OK;
}


/* One key=value of the directive, files aside. */

char *
ngx_http_vllm_mock_output_set(vm_output_t *o, const char *key,
    const char *value, char *err)
{
    ngx_uint_t                k;
    static const char *const  texts[] = {
        [VM_TEXT_WORDS] = "words", [VM_TEXT_MESSAGE] = "message",
        [VM_TEXT_ECHO] = "echo"
    };

    if (strcmp(key, "text") == 0) {

        for (k = 0; k < vm_nelts(texts); k++) {
            if (strcmp(value, texts[k]) == 0) {
                o->text = (vm_text_e) k;
                return NGX_CONF_OK;
            }
        }

        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "invalid value \"%s\" of text: message, words, echo "
                     "or file:PATH%Z", value);
        return NGX_CONF_ERROR;
    }

    if (strcmp(key, "tokens") == 0) {

        if (ngx_http_vllm_mock_length(value, o) == NGX_CONF_OK) {
            return NGX_CONF_OK;
        }

        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "invalid value \"%s\" of tokens: max, N, "
                     "uniform:A:B (A up to B), normal:MEAN:SIGMA or "
                     "lognormal:MU:SIGMA%Z", value);
        return NGX_CONF_ERROR;
    }

    for (k = 0; k < vm_nelts(ngx_http_vllm_mock_choices); k++) {
        if (strcmp(key, ngx_http_vllm_mock_choices[k].key) == 0) {
            return ngx_http_vllm_mock_choose(o, k, value, err);
        }
    }

    if (strcmp(key, "calls") == 0) {

        if (vm_percent(value, &o->calls) == VM_OK) {
            return NGX_CONF_OK;
        }

        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "invalid value \"%s\" of calls: %s%Z", value,
                     VM_PERCENT_RULE);
        return NGX_CONF_ERROR;
    }

    if (strcmp(key, "chunk") == 0) {

        if (ngx_http_vllm_mock_chunk(value, o) == NGX_CONF_OK) {
            return NGX_CONF_OK;
        }

        ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                     "invalid value \"%s\" of chunk: N or uniform:A:B (A up "
                     "to B), 1 to 10000 tokens%Z", value);
        return NGX_CONF_ERROR;
    }

    ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                 "invalid parameter \"%s=%s\" of vllm_mock_output: "
                 NGX_HTTP_VLLM_MOCK_OUTPUT_KEYS "%Z", key, value);

    return NGX_CONF_ERROR;
}


char *
ngx_http_vllm_mock_apply_output(ngx_conf_t *cf,
    ngx_http_vllm_mock_directive_t *d, void *data, char *err)
{
    char          key[16];
    ngx_uint_t    i;
    const char   *value;
    vm_output_t  *o;

    o = ((ngx_http_vllm_mock_loc_conf_t *) data)->output_conf;

    for (i = 0; i < d->nargs; i++) {
        value = ngx_http_vllm_mock_split(&d->args[i], key, sizeof(key));

        if (value == NULL) {
            ngx_snprintf((u_char *) err, NGX_HTTP_VLLM_MOCK_ERR,
                         "invalid parameter \"%V\" of vllm_mock_output: "
                         NGX_HTTP_VLLM_MOCK_OUTPUT_KEYS "%Z", &d->args[i]);
            return NGX_CONF_ERROR;
        }

        if (strcmp(key, "text") == 0 && strncmp(value, "file:", 5) == 0) {
            o->text = VM_TEXT_FILE;

            if (ngx_http_vllm_mock_lines(cf, value + 5, o, err)
                != NGX_CONF_OK)
            {
                return NGX_CONF_ERROR;
            }

        } else if (ngx_http_vllm_mock_output_set(o, key, value, err)
                   != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}
