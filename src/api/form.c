/*
 * multipart/form-data.
 */

#include <stdlib.h>
#include <strings.h>
#include "form.h"


#define VM_FORM_BOUNDARY  256           /* bytes */
#define VM_FORM_HEADERS   16384         /* bytes of a part's */
#define VM_FORM_INVALID   "Invalid multipart data."


typedef struct {
    const char  *p;
    const char  *end;
    char         mark[VM_FORM_BOUNDARY + 5];    /* "\r\n--boundary" */
    size_t       nmark;
    vm_error_t  *error;
    vm_pool_t   *pool;
} vm_form_reader_t;


/* ---- options: `form-data; name="x"` ---- */

static int
vm_form_blank(char c)
{
    return c == ' ' || c == '\t';
}


/* A value behind "=", quoted or not; its end.  Escapes stay as they are. */

static const char *
vm_form_value(const char *p, const char *end, vm_str_t *value)
{
    int  quoted;

    quoted = p < end && *p == '"';
    p += quoted;
    value->data = p;

    while (p < end && (quoted ? *p != '"' : *p != ';')) {
        p += quoted && *p == '\\' && end - p > 1 ? 2 : 1;
    }

    value->len = (size_t) (p - value->data);

    if (quoted) {
        while (p < end && *p != ';') {
            p++;
        }

        return p;
    }

    while (value->len && vm_form_blank(value->data[value->len - 1])) {
        value->len--;
    }

    return p;
}


/* An option by its name; 0: there is none. */

static int
vm_form_option(const char *p, const char *end, const char *name,
    vm_str_t *value)
{
    size_t       len, n;
    const char  *start;

    len = strlen(name);

    while (p < end && *p != ';') {
        p++;
    }

    while (p < end) {
        p++;

        while (p < end && vm_form_blank(*p)) {
            p++;
        }

        start = p;

        while (p < end && *p != '=' && *p != ';') {
            p++;
        }

        n = (size_t) (p - start);

        if (p == end || *p == ';') {
            continue;                   /* a name without a value */
        }

        p = vm_form_value(p + 1, end, value);

        if (n == len && strncasecmp(start, name, len) == 0) {
            return 1;
        }
    }

    return 0;
}


static char *
vm_form_unescape(vm_pool_t *pool, const vm_str_t *s)
{
    char    *copy;
    size_t   i, n;

    copy = vm_pool_alloc(pool, s->len + 1);

    if (copy == NULL) {
        return NULL;
    }

    for (n = 0, i = 0; i < s->len; i++) {
        if (s->data[i] == '\\' && i + 1 < s->len) {
            i++;
        }

        copy[n++] = s->data[i];
    }

    copy[n] = '\0';

    return copy;
}


static int
vm_form_is(const char *type, vm_str_t *boundary)
{
    size_t             len;
    const char        *end;
    static const char  name[] = "multipart/form-data";

    if (type == NULL) {
        return 0;
    }

    while (vm_form_blank(*type)) {
        type++;
    }

    len = sizeof(name) - 1;

    if (strncasecmp(type, name, len) != 0
        || (type[len] != '\0' && type[len] != ';'
            && !vm_form_blank(type[len])))
    {
        return 0;
    }

    end = type + strlen(type);

    if (!vm_form_option(type, end, "boundary", boundary)) {
        boundary->len = 0;
    }

    return 1;
}


int
vm_form_type(const char *type)
{
    vm_str_t  boundary;

    return vm_form_is(type, &boundary) && boundary.len;
}


/* ---- parts ---- */

static int
vm_form_invalid(vm_form_reader_t *r)
{
    return vm_error_detail(r->error, 400, VM_FORM_INVALID);
}


static vm_form_part_t *
vm_form_push(vm_form_t *f, vm_form_reader_t *r)
{
    size_t           size;
    vm_form_part_t  *list;

    if (f->n == f->size) {
        size = f->size ? 2 * f->size : 16;
        list = vm_pool_calloc(r->pool, size, sizeof(vm_form_part_t));

        if (list == NULL) {
            vm_error_memory(r->error);
            return NULL;
        }

        if (f->n) {
            memcpy(list, f->parts, f->n * sizeof(vm_form_part_t));
        }

        f->parts = list;
        f->size = size;
    }

    return &f->parts[f->n];
}


/* A character that a header's name may have. */

static int
vm_form_token(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9')
           || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}


/*
 * The headers of a part, up to and with the empty line.  VM_DECLINED: the body
 * ends within them.
 */

static int
vm_form_headers(vm_form_reader_t *r, vm_str_t *disposition)
{
    size_t       n;
    const char  *end, *limit, *p;

    disposition->data = NULL;
    disposition->len = 0;
    limit = r->p + VM_FORM_HEADERS;

    for ( ;; ) {
        end = memmem(r->p, (size_t) (r->end - r->p), "\r\n", 2);

        if (end == NULL || end > limit) {
            return r->end - r->p > VM_FORM_HEADERS ? vm_form_invalid(r)
                                                   : VM_DECLINED;
        }

        p = r->p;
        r->p = end + 2;

        if (p == end) {
            return VM_OK;
        }

        for (n = 0; p + n < end && vm_form_token(p[n]); n++) { /* void */ }

        if (n == 0 || p + n == end || p[n] != ':') {
            return vm_form_invalid(r);
        }

        if (n == sizeof("Content-Disposition") - 1
            && strncasecmp(p, "Content-Disposition", n) == 0)
        {
            disposition->data = p + n + 1;
            disposition->len = (size_t) (end - disposition->data);
        }
    }
}


/* A part whose headers were read: what it is, and whether it may be. */

static int
vm_form_part(vm_form_t *f, vm_form_reader_t *r, const vm_str_t *disposition,
    const vm_str_t *data)
{
    vm_str_t         filename, name;
    const char      *end;
    vm_form_part_t  *part;

    end = disposition->data + disposition->len;

    if (disposition->len == 0
        || !vm_form_option(disposition->data, end, "name", &name))
    {
        return vm_error_detail(r->error, 400, "The Content-Disposition header "
                               "field \"name\" must be provided.");
    }

    part = vm_form_push(f, r);

    if (part == NULL) {
        return VM_ERROR;
    }

    part->name = vm_form_unescape(r->pool, &name);
    part->filename = NULL;
    part->data = *data;

    if (vm_form_option(disposition->data, end, "filename", &filename)
        || vm_form_option(disposition->data, end, "filename*", &filename))
    {
        part->filename = vm_form_unescape(r->pool, &filename);

        if (part->filename == NULL) {
            return vm_error_memory(r->error);
        }

        if (++f->nfiles > VM_FORM_FILES) {
            return vm_error_detail(r->error, 400, "Too many files. Maximum "
                                   "number of files is 1000.");
        }

    } else if (f->n - f->nfiles + 1 > VM_FORM_FIELDS) {
        return vm_error_detail(r->error, 400, "Too many fields. Maximum "
                               "number of fields is 1000.");

    } else if (data->len > VM_FORM_FIELD) {
        return vm_error_detail(r->error, 400, "Part exceeded maximum size of "
                               "1024KB.");
    }

    if (part->name == NULL) {
        return vm_error_memory(r->error);
    }

    f->n++;

    return VM_OK;
}


/*
 * The boundary that ends a part; one that goes on otherwise belongs to the
 * part.  NULL: there is none.
 */

static const char *
vm_form_end(const vm_form_reader_t *r)
{
    size_t       left;
    const char  *next, *p;

    /* an empty part may have no line of its own */

    for (p = r->p - 2; /* void */ ; p = next) {
        p = memmem(p, (size_t) (r->end - p), r->mark, r->nmark);

        if (p == NULL) {
            return NULL;
        }

        next = p + r->nmark;
        left = (size_t) (r->end - next);

        if (left < 2 || memcmp(next, "\r\n", 2) == 0
            || memcmp(next, "--", 2) == 0)
        {
            return p;
        }
    }
}


/* All parts; one that has no end is none. */

static int
vm_form_parts(vm_form_t *f, vm_form_reader_t *r)
{
    int          rc;
    vm_str_t     data, disposition;
    const char  *end;

    while (r->p < r->end) {

        if (r->end - r->p < 2) {
            return VM_OK;
        }

        if (r->p[0] == '-' && r->p[1] == '-') {
            return VM_OK;               /* what follows is no one's */
        }

        if (r->p[0] != '\r' || r->p[1] != '\n') {
            return vm_form_invalid(r);
        }

        r->p += 2;

        rc = vm_form_headers(r, &disposition);

        if (rc != VM_OK) {
            return rc == VM_DECLINED ? VM_OK : rc;
        }

        data.data = r->p;
        end = vm_form_end(r);

        if (end == NULL) {
            return VM_OK;
        }

        data.len = end < r->p ? 0 : (size_t) (end - r->p);

        if (vm_form_part(f, r, &disposition, &data) != VM_OK) {
            return VM_ERROR;
        }

        r->p = end + r->nmark;
    }

    return VM_OK;
}


int
vm_form_parse(vm_form_t *f, const char *type, const char *body, size_t len,
    vm_error_t *e, vm_pool_t *pool)
{
    vm_str_t          boundary;
    vm_form_reader_t  r;

    memset(f, 0, sizeof(vm_form_t));

    if (!vm_form_is(type, &boundary)) {
        return VM_OK;
    }

    if (boundary.len == 0) {
        return vm_error_detail(e, 400, "Missing boundary in multipart.");
    }

    r.p = body;
    r.end = body + len;
    r.error = e;
    r.pool = pool;

    if (boundary.len > VM_FORM_BOUNDARY) {
        return vm_form_invalid(&r);
    }

    memcpy(r.mark, "\r\n--", 4);
    memcpy(r.mark + 4, boundary.data, boundary.len);
    r.nmark = boundary.len + 4;

    while (r.p < r.end && (*r.p == '\r' || *r.p == '\n')) {
        r.p++;
    }

    len = (size_t) (r.end - r.p);

    if (len < r.nmark - 2) {
        return memcmp(r.p, r.mark + 2, len) == 0 ? VM_OK
                                                 : vm_form_invalid(&r);
    }

    if (memcmp(r.p, r.mark + 2, r.nmark - 2) != 0) {
        return vm_form_invalid(&r);
    }

    r.p += r.nmark - 2;

    return vm_form_parts(f, &r);
}


/* ---- what is made of it ---- */

/* Text; bytes that are no UTF-8 count as Latin 1, as in Starlette. */

static json_t *
vm_form_string(const char *s, size_t len)
{
    size_t    i;
    json_t   *v;
    vm_buf_t  b;

    v = json_stringn(s, len);

    if (v) {
        return v;
    }

    vm_buf_init(&b);

    for (i = 0; i < len; i++) {

        if ((unsigned char) s[i] < 0x80) {
            vm_buf_char(&b, s[i]);
            continue;
        }

        vm_buf_char(&b, (char) (0xc0 | (unsigned char) s[i] >> 6));
        vm_buf_char(&b, (char) (0x80 | ((unsigned char) s[i] & 0x3f)));
    }

    v = b.failed ? NULL : json_stringn(b.data, b.len);
    vm_buf_free(&b);

    return v;
}


json_t *
vm_form_json(const vm_form_t *f)
{
    size_t                 i, len;
    json_t                *list, *o, *v;
    const vm_form_part_t  *p;

    o = json_object();

    for (i = 0; o && i < f->n; i++) {
        p = &f->parts[i];
        len = strlen(p->name);

        v = p->filename ? json_object()
                        : vm_form_string(p->data.data, p->data.len);

        if (len > 2 && strcmp(p->name + len - 2, "[]") == 0) {
            list = json_object_get(o, p->name);

            if (list) {
                json_array_append_new(list, v);
                continue;
            }

            list = json_array();
            json_array_append_new(list, v);
            v = list;
        }

        /* names that are no UTF-8 are no one's */

        json_object_set_new(o, p->name, v);
    }

    return o;
}


const vm_form_part_t *
vm_form_file(const vm_form_t *f, const char *name)
{
    size_t  i;

    for (i = f ? f->n : 0; i; i--) {
        if (f->parts[i - 1].filename
            && strcmp(f->parts[i - 1].name, name) == 0)
        {
            return &f->parts[i - 1];
        }
    }

    return NULL;
}
