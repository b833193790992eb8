/*
 * Pictures for words.
 */

#include "form.h"
#include "image.h"
#include "media.h"
#include "png.h"
#include "../base/rand.h"


#define VM_IMAGE_DEFAULT  1024


typedef struct {
    const json_t  *prompt;
    const json_t  *model;
    const json_t  *size;
    const json_t  *response_format;
    vm_int_t       n;
    vm_int_t       seed;

    uint32_t       w;
    uint32_t       h;
    uint64_t       key;
} vm_drawn_t;

#define vm_drawn_row(name, type, flags, def)                                  \
    { #name, &type, flags, offsetof(vm_drawn_t, name), def, NULL }
#define vm_drawn_check(name, type)                                            \
    { name, &type, VM_F_CHECK, 0, 0, NULL }


static const vm_type_t  vm_drawn_n_type = {
    .kind = VM_T_INT, .has_ge = 1, .ge = 1, .has_le = 1, .le = VM_IMAGES
};

static const vm_type_t  vm_drawn_steps_type = {
    .kind = VM_T_INT, .has_ge = 1, .ge = 1, .has_le = 1, .le = 200
};

static const char *const  vm_drawn_formats[] = { "b64_json", "url", NULL };

static const vm_type_t  vm_drawn_format_type = {
    .kind = VM_T_LITERAL, .values = vm_drawn_formats
};

static const char *const  vm_drawn_files[] = { "png", NULL };

static const vm_type_t  vm_drawn_file_type = {
    .kind = VM_T_LITERAL, .values = vm_drawn_files
};

#define VM_DRAWN_FIELDS                                                       \
    vm_drawn_row(prompt, vm_str_type, VM_F_REQUIRED|VM_F_NOTNULL, 0),         \
    vm_drawn_row(model, vm_str_type, 0, 0),                                   \
    vm_drawn_row(n, vm_drawn_n_type, 0, 1),                                   \
    vm_drawn_row(size, vm_str_type, 0, 0),                                    \
    vm_drawn_row(response_format, vm_drawn_format_type, 0, 0),                \
    vm_drawn_check("user", vm_str_type),                                      \
    vm_drawn_check("negative_prompt", vm_str_type),                           \
    vm_drawn_check("num_inference_steps", vm_drawn_steps_type),               \
    vm_drawn_check("guidance_scale", vm_float_type),                          \
    vm_drawn_row(seed, vm_int64_type, 0, 0),                                  \
    vm_drawn_check("output_format", vm_drawn_file_type)

static const vm_field_t  vm_drawn_fields[] = {
    VM_DRAWN_FIELDS,
    vm_field_end
};

static const vm_field_t  vm_edited_fields[] = {
    { "image", &vm_any_type, VM_F_CHECK|VM_F_REQUIRED|VM_F_NOTNULL, 0, 0,
      NULL },
    VM_DRAWN_FIELDS,
    vm_field_end
};

static const vm_type_t  vm_drawn_type = {
    .kind = VM_T_MODEL, .fields = vm_drawn_fields
};

static const vm_type_t  vm_edited_type = {
    .kind = VM_T_MODEL, .fields = vm_edited_fields
};


/* ---- what films have in common with it ---- */

/* Digits, at most five of them; NULL: none. */

static const char *
vm_image_digits(const char *s, uint32_t *n)
{
    const char  *start;

    start = s;

    for (*n = 0; *s >= '0' && *s <= '9' && s - start < 5; s++) {
        *n = 10 * *n + (uint32_t) (*s - '0');
    }

    return s == start ? NULL : s;
}


int
vm_image_size(vm_generation_t *g, const json_t *size, uint32_t *w, uint32_t *h)
{
    uint32_t     height = 0, width = 0;
    const char  *p, *s;

    s = size ? json_string_value(size) : "auto";

    if (strcmp(s, "auto") == 0) {
        return VM_OK;
    }

    height = 0;
    p = vm_image_digits(s, &width);
    p = p && *p == 'x' ? vm_image_digits(p + 1, &height) : NULL;

    if (p == NULL || *p) {
        return vm_error_text(&g->call->error, g->pool, "size", s, "size must "
                             "be in format 'WIDTHxHEIGHT' (e.g., "
                             "'1024x1024').");
    }

    if (width < 1 || width > VM_IMAGE_SIDE || height < 1
        || height > VM_IMAGE_SIDE)
    {
        return vm_error_text(&g->call->error, g->pool, "size", s,
                             vm_pool_printf(g->pool, "width and height must "
                                            "be in [1, %d].", VM_IMAGE_SIDE));
    }

    *w = width;
    *h = height;

    return VM_OK;
}


uint32_t
vm_image_tokens(uint32_t w, uint32_t h)
{
    return ((w + VM_IMAGE_TILE - 1) / VM_IMAGE_TILE)
           * ((h + VM_IMAGE_TILE - 1) / VM_IMAGE_TILE);
}


uint64_t
vm_image_key(const vm_generation_t *g, const json_t *prompt,
    const vm_int_t *seed)
{
    size_t            i;
    uint64_t          key;
    const vm_form_t  *f;

    f = g->call->form;
    key = vm_rand_bytes(json_string_value(prompt), json_string_length(prompt),
                        seed->set ? (uint64_t) seed->v : 0);

    for (i = 0; f && i < f->n; i++) {
        if (f->parts[i].filename) {
            key = vm_rand_bytes(f->parts[i].data.data, f->parts[i].data.len,
                                key);
        }
    }

    return key;
}


/* ---- requests ---- */

static int
vm_drawn_plan(vm_generation_t *g, vm_drawn_t *q)
{
    if (vm_media_begin(g, q->model, "prompt", q->prompt, "img-") != VM_OK
        || vm_image_size(g, q->size, &q->w, &q->h) != VM_OK)
    {
        return VM_ERROR;
    }

    q->n.v = q->n.v ? q->n.v : 1;

    if ((uint64_t) q->n.v * q->w * q->h > VM_IMAGE_PIXELS) {
        return vm_error_value(&g->call->error, g->pool, "n", q->n.json,
                              vm_pool_printf(g->pool, "n images of %ux%u are "
                                             "more than %d pixels.", q->w,
                                             q->h, VM_IMAGE_PIXELS));
    }

    q->key = vm_image_key(g, q->prompt, &q->seed);

    return vm_media_plan(g, (uint32_t) q->n.v, vm_image_tokens(q->w, q->h));
}


static vm_drawn_t *
vm_drawn_load(vm_generation_t *g, const vm_type_t *type, const json_t *body)
{
    vm_drawn_t  *q;

    q = vm_pool_calloc(g->pool, 1, sizeof(vm_drawn_t));

    if (q == NULL) {
        vm_error_memory(&g->call->error);
        return NULL;
    }

    g->own = q;
    q->w = VM_IMAGE_DEFAULT;
    q->h = VM_IMAGE_DEFAULT;

    return vm_model_load(type, body, "body", q, &g->call->error, g->pool)
           == VM_OK ? q : NULL;
}


static int
vm_image_parse(vm_generation_t *g, const json_t *body)
{
    vm_drawn_t  *q;

    q = vm_drawn_load(g, &vm_drawn_type, body);

    return q ? vm_drawn_plan(g, q) : VM_ERROR;
}


/* Its picture's size is that of the one which is edited, if it has one. */

static int
vm_image_edit_parse(vm_generation_t *g, const json_t *form)
{
    uint32_t               h, w;
    vm_drawn_t            *q;
    const vm_form_part_t  *file;

    g->body = json_is_object(form) ? json_copy((json_t *) (uintptr_t) form)
                                   : json_object();
    file = vm_form_file(g->call->form, "image");

    if (file == NULL) {
        file = vm_form_file(g->call->form, "image[]");

        if (file) {
            json_object_set_new(g->body, "image", json_object());
        }
    }

    q = vm_drawn_load(g, &vm_edited_type, g->body);

    if (q == NULL) {
        return VM_ERROR;
    }

    if (file == NULL) {
        return vm_error_param(&g->call->error, g->pool, "image", "Expected "
                              "'image' to be a file, not 'str'.");
    }

    if (vm_png_size(file->data.data, file->data.len, &w, &h)
        && w >= 1 && w <= VM_IMAGE_SIDE && h >= 1 && h <= VM_IMAGE_SIDE)
    {
        q->w = w;
        q->h = h;
    }

    return vm_drawn_plan(g, q);
}


/* ---- answers ---- */

static void
vm_image_end(vm_generation_t *g, vm_buf_t *out)
{
    int                url;
    uint32_t           i;
    vm_buf_t           b;
    const vm_drawn_t  *q;

    q = g->own;
    url = q->response_format == NULL
          || json_string_value(q->response_format)[0] == 'u';

    vm_buf_lit(out, "{\"created\":");
    vm_buf_int(out, g->created);
    vm_buf_lit(out, ",\"data\":[");
    vm_buf_init(&b);

    for (i = 0; i < g->nchoices; i++) {
        vm_buf_reset(&b);
        vm_png_picture(&b, q->w, q->h, q->key + i);

        vm_buf_str(out, i ? ",{\"b64_json\":" : "{\"b64_json\":");
        vm_buf_str(out, url ? "null,\"url\":\"data:image/png;base64,"
                            : "\"");
        vm_buf_base64(out, b.data, b.len);
        vm_buf_str(out, url ? "\",\"revised_prompt\":null}"
                            : "\",\"url\":null,\"revised_prompt\":null}");
    }

    out->failed |= b.failed;
    vm_buf_free(&b);

    vm_buf_printf(out, "],\"output_format\":\"png\",\"size\":\"%ux%u\",",
                  q->w, q->h);
    vm_media_usage(g, out);
    vm_buf_printf(out, ",\"input_tokens_details\":{\"text_tokens\":%llu,"
                  "\"image_tokens\":0}}}",
                  (unsigned long long) vm_generation_prompt_tokens(g));
}


const vm_protocol_t  vm_image = {
    .name = "image",
    .parse = vm_image_parse,
    .begin = vm_media_nothing,
    .end = vm_image_end
};

const vm_protocol_t  vm_image_edit = {
    .name = "image edit",
    .parse = vm_image_edit_parse,
    .begin = vm_media_nothing,
    .end = vm_image_end
};
