/*
 * Films for words: an animated PNG.  A job's film is made when it is asked
 * for, from what is kept of the request.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "form.h"
#include "image.h"
#include "media.h"
#include "pieces.h"
#include "png.h"
#include "video.h"


#define VM_VIDEO_WIDTH    1280
#define VM_VIDEO_HEIGHT   720
#define VM_VIDEO_RATE     24            /* where none is asked for */


typedef struct {
    const json_t  *prompt;
    const json_t  *model;
    const json_t  *size;
    vm_int_t       seconds;
    vm_int_t       duration;
    vm_int_t       fps;
    vm_int_t       seed;

    uint32_t       w;
    uint32_t       h;
    uint64_t       key;
} vm_filmed_t;

/* What a film is made of, as text in the store. */

typedef struct {
    unsigned long long  key;
    unsigned            w;
    unsigned            h;
    unsigned            frames;
    unsigned            fps;
    unsigned            tokens;     /* that it takes */
} vm_film_t;

#define VM_FILM_FORMAT  "%llx %u %u %u %u %u"

#define vm_filmed_row(name, type, flags, def)                                 \
    { #name, &type, flags, offsetof(vm_filmed_t, name), def, NULL }
#define vm_filmed_check(name, type)                                           \
    { name, &type, VM_F_CHECK, 0, 0, NULL }


static const vm_type_t  vm_filmed_seconds_type = {
    .kind = VM_T_INT, .has_ge = 1, .ge = 1, .has_le = 1,
    .le = VM_VIDEO_SECONDS
};

static const vm_type_t  vm_filmed_fps_type = {
    .kind = VM_T_INT, .has_ge = 1, .ge = 1, .has_le = 1, .le = VM_VIDEO_FPS
};

#define VM_FILMED_FIELDS                                                      \
    vm_filmed_row(prompt, vm_str_type, VM_F_REQUIRED|VM_F_NOTNULL, 0),        \
    vm_filmed_row(model, vm_str_type, 0, 0),                                  \
    vm_filmed_row(size, vm_str_type, 0, 0),                                   \
    vm_filmed_row(fps, vm_filmed_fps_type, 0, VM_VIDEO_RATE),                 \
    vm_filmed_row(seed, vm_int64_type, 0, 0),                                 \
    vm_filmed_check("user", vm_str_type),                                     \
    vm_filmed_check("negative_prompt", vm_str_type)

static const vm_field_t  vm_filmed_fields[] = {
    VM_FILMED_FIELDS,
    vm_filmed_row(duration, vm_filmed_seconds_type, 0, 5),
    vm_field_end
};

static const vm_field_t  vm_filmed_job_fields[] = {
    VM_FILMED_FIELDS,
    vm_filmed_row(seconds, vm_filmed_seconds_type, 0, 4),
    vm_field_end
};

static const vm_type_t  vm_filmed_type = {
    .kind = VM_T_MODEL, .fields = vm_filmed_fields
};

static const vm_type_t  vm_filmed_job_type = {
    .kind = VM_T_MODEL, .fields = vm_filmed_job_fields
};


/* ---- requests ---- */

static uint32_t
vm_filmed_seconds(const vm_filmed_t *q)
{
    return (uint32_t) (q->seconds.v ? q->seconds.v : q->duration.v);
}


static int
vm_filmed_parse(vm_generation_t *g, const json_t *body, const vm_type_t *type,
    const char *prefix)
{
    vm_error_t   *e;
    vm_filmed_t  *q;

    e = &g->call->error;
    g->own = q = vm_pool_calloc(g->pool, 1, sizeof(vm_filmed_t));

    if (q == NULL) {
        return vm_error_memory(e);
    }

    q->w = VM_VIDEO_WIDTH;
    q->h = VM_VIDEO_HEIGHT;

    if (vm_model_load(type, body, "body", q, e, g->pool) != VM_OK
        || vm_media_begin(g, q->model, "prompt", q->prompt, prefix) != VM_OK
        || vm_image_size(g, q->size, &q->w, &q->h) != VM_OK)
    {
        return VM_ERROR;
    }

    q->key = vm_image_key(g, q->prompt, &q->seed);

    return vm_media_plan(g, 1, vm_image_tokens(q->w, q->h)
                               * vm_filmed_seconds(q));
}


static int
vm_video_parse(vm_generation_t *g, const json_t *body)
{
    return vm_filmed_parse(g, body, &vm_filmed_type, "video-");
}


static int
vm_video_job_parse(vm_generation_t *g, const json_t *body)
{
    return vm_filmed_parse(g, body, &vm_filmed_job_type, "video_");
}


/* ---- the film at once ---- */

static void
vm_video_end(vm_generation_t *g, vm_buf_t *out)
{
    vm_buf_t            b;
    const vm_filmed_t  *q;

    q = g->own;

    vm_buf_init(&b);
    vm_png_film(&b, q->w, q->h, q->key,
                vm_filmed_seconds(q) * (uint32_t) q->fps.v,
                (uint32_t) q->fps.v);

    vm_piece_head(g, "video.generation", out);
    vm_buf_lit(out, ",\"data\":[{\"url\":\"data:" VM_VIDEO_TYPE ";base64,");
    vm_buf_base64(out, b.data, b.len);
    vm_buf_printf(out, "\",\"duration\":%u,\"fps\":%u,\"size\":\"%ux%u\","
                  "\"revised_prompt\":null}],", vm_filmed_seconds(q),
                  (unsigned) q->fps.v, q->w, q->h);
    vm_media_usage(g, out);
    vm_buf_lit(out, "}}");

    out->failed |= b.failed;
    vm_buf_free(&b);
}


/* ---- jobs ---- */

void
vm_video_keep(vm_generation_t *g, unsigned over, size_t *status_at,
    vm_buf_t *object, vm_buf_t *film)
{
    int                 aborted;
    double              took;
    const char         *status;
    const vm_choice_t  *c;
    const vm_filmed_t  *q;

    q = g->own;
    c = g->choices;
    aborted = over && c->finish && strcmp(c->finish, "abort") == 0;
    status = aborted ? "failed" : (over ? "completed" : "queued");
    took = c->last_token > c->queued ? c->last_token - c->queued : 0;

    vm_buf_lit(object, "{\"id\":");
    vm_buf_json(object, g->id, strlen(g->id));
    vm_buf_lit(object, ",\"object\":\"video\",\"model\":");
    vm_buf_json(object, g->model.data, g->model.len);
    vm_buf_lit(object, ",\"status\":");
    *status_at = object->len;
    vm_buf_printf(object, "\"%s\",\"progress\":%u,\"created_at\":%lld,"
                  "\"completed_at\":", status, over && !aborted ? 100 : 0,
                  (long long) g->created);

    if (over && !aborted) {
        vm_buf_int(object, (int64_t) ceil(g->call->now + took));

    } else {
        vm_buf_lit(object, "null");
    }

    vm_buf_printf(object, ",\"expires_at\":null,\"size\":\"%ux%u\","
                  "\"seconds\":\"%u\",\"quality\":\"default\",\"prompt\":",
                  q->w, q->h, vm_filmed_seconds(q));
    vm_buf_json(object, json_string_value(q->prompt),
                json_string_length(q->prompt));
    vm_buf_printf(object, ",\"remixed_from_video_id\":null,\"error\":%s}",
                  aborted ? "{\"code\":\"aborted\",\"message\":"
                            "\"The job was aborted.\"}"
                          : "null");

    vm_buf_printf(film, VM_FILM_FORMAT, (unsigned long long) q->key, q->w,
                  q->h, vm_filmed_seconds(q) * (unsigned) q->fps.v,
                  (unsigned) q->fps.v, vm_min(g->lengths[0],
                                              g->max_tokens[0]));
}


static void
vm_video_job_end(vm_generation_t *g, vm_buf_t *out)
{
    /* whoever waits for it reads what is kept */

    (void) g;
    (void) out;
}


const vm_protocol_t  vm_video = {
    .name = "video",
    .parse = vm_video_parse,
    .begin = vm_media_nothing,
    .end = vm_video_end
};

const vm_protocol_t  vm_video_job = {
    .name = "video job",
    .parse = vm_video_job_parse,
    .begin = vm_media_nothing,
    .end = vm_video_job_end
};


/* ---- what is kept of them ---- */

static int
vm_video_film(const vm_buf_t *kept, vm_film_t *f)
{
    char  text[128];

    snprintf(text, sizeof(text), "%.*s", (int) vm_min(kept->len,
                                                      sizeof(text) - 1),
             kept->data ? kept->data : "");

    return sscanf(text, VM_FILM_FORMAT, &f->key, &f->w, &f->h, &f->frames,
                  &f->fps, &f->tokens) == 6 && f->tokens
           ? VM_OK : VM_ERROR;
}


void
vm_video_running(const vm_buf_t *object, const vm_buf_t *kept, uint32_t tokens,
    vm_buf_t *out)
{
    char       *text;
    json_t     *o;
    vm_film_t   f;

    o = json_loadb(object->data ? object->data : "", object->len,
                   JSON_ALLOW_NUL, NULL);

    if (tokens && vm_video_film(kept, &f) == VM_OK) {
        json_object_set_new(o, "status", json_string("in_progress"));
        json_object_set_new(o, "progress",
                            json_integer((json_int_t) vm_min(tokens, f.tokens)
                                         * 99 / f.tokens));
    }

    text = o ? json_dumps(o, JSON_COMPACT) : NULL;

    if (text) {
        vm_buf_str(out, text);

    } else {
        out->failed = 1;
    }

    free(text);
    json_decref(o);
}


int
vm_video_content(vm_call_t *call, const vm_buf_t *object,
    const vm_buf_t *kept, vm_buf_t *out)
{
    int          rc;
    json_t      *o;
    vm_film_t    f;
    const char  *status;

    o = json_loadb(object->data ? object->data : "", object->len,
                   JSON_ALLOW_NUL, NULL);
    status = json_string_value(json_object_get(o, "status"));
    rc = VM_ERROR;

    if (status == NULL || vm_video_film(kept, &f) != VM_OK) {
        vm_error_memory(&call->error);

    } else if (strcmp(status, "completed") != 0) {
        vm_error_printf(&call->error, call->pool, 404, "NotFoundError", NULL,
                        "The video has no content: its status is %s.",
                        status);

    } else {
        vm_png_film(out, f.w, f.h, f.key, f.frames, f.fps);
        rc = out->failed ? vm_error_memory(&call->error) : VM_OK;
    }

    json_decref(o);

    return rc;
}


int
vm_video_unknown(vm_call_t *call, const char *id, size_t len)
{
    return vm_error_printf(&call->error, call->pool, 404, "NotFoundError",
                           NULL, "Video %.*s not found", (int) len, id);
}
