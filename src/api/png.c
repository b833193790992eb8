/*
 * PNG: indexed colours, rows filtered against the ones above, from which they
 * differ by the same number everywhere: zlib has next to nothing to do.
 */

#include <math.h>
#include <stdlib.h>
#include <zlib.h>
#include "png.h"
#include "../base/rand.h"


#define VM_PNG_COLOURS  256
#define VM_PNG_SPOT     64              /* side of what moves in a film */
#define VM_PNG_UP       2               /* the filter */


static const char  vm_png_signature[] = "\x89PNG\r\n\x1a\n";

/* What a picture is made of: two waves, across and down. */

typedef struct {
    uint32_t        w;
    uint32_t        h;
    unsigned char  *across;
    unsigned char  *down;
    unsigned char  *row;            /* with the filter before it */
    uint32_t        sequence;       /* of a film's chunks */
    z_stream        z;
} vm_png_t;


/* ---- chunks ---- */

static void
vm_png_be(vm_buf_t *out, uint32_t v)
{
    char  b[4];

    b[0] = (char) (v >> 24);
    b[1] = (char) (v >> 16);
    b[2] = (char) (v >> 8);
    b[3] = (char) v;

    vm_buf_add(out, b, 4);
}


/* The length comes when the end is known: where the chunk begins. */

static size_t
vm_png_open(vm_buf_t *out, const char *type)
{
    vm_png_be(out, 0);
    vm_buf_add(out, type, 4);

    return out->len - 8;
}


static void
vm_png_close(vm_buf_t *out, size_t at)
{
    uint32_t   n;
    vm_buf_t   length;
    uLong      crc;

    if (out->failed) {
        return;
    }

    n = (uint32_t) (out->len - at - 8);
    crc = crc32(0, (const Bytef *) out->data + at + 4, n + 4);

    vm_buf_init(&length);
    vm_png_be(&length, n);

    if (!length.failed) {
        memcpy(out->data + at, length.data, 4);
    }

    out->failed |= length.failed;
    vm_buf_free(&length);

    vm_png_be(out, (uint32_t) crc);
}


/* ---- rows ---- */

static void
vm_png_deflate(vm_png_t *p, vm_buf_t *out, size_t n, int flush)
{
    int     rc;
    size_t  room;

    p->z.next_in = p->row;
    p->z.avail_in = (uInt) n;

    do {
        if (vm_buf_reserve(out, 4096) != VM_OK) {
            return;
        }

        room = vm_min(out->size - out->len, UINT32_MAX);
        p->z.next_out = (Bytef *) out->data + out->len;
        p->z.avail_out = (uInt) room;

        rc = deflate(&p->z, flush);
        out->len += room - p->z.avail_out;

    } while (rc == Z_OK && p->z.avail_out == 0);
}


/* Pixels of a rectangle, as zlib's data. */

static void
vm_png_pixels(vm_png_t *p, vm_buf_t *out, uint32_t w, uint32_t h, int spot)
{
    uint32_t  x, y;

    if (deflateReset(&p->z) != Z_OK) {
        out->failed = 1;
        return;
    }

    p->row[0] = VM_PNG_UP;

    for (x = 0; x < w; x++) {
        p->row[x + 1] = spot ? VM_PNG_COLOURS - 1
                             : (unsigned char) (p->across[x] + p->down[0]);
    }

    for (y = 0; y < h && !out->failed; y++) {

        if (y) {
            memset(p->row + 1,
                   spot ? 0 : (unsigned char) (p->down[y] - p->down[y - 1]),
                   w);
        }

        vm_png_deflate(p, out, (size_t) w + 1, y + 1 == h ? Z_FINISH
                                                          : Z_NO_FLUSH);
    }
}


/* ---- pictures ---- */

static void
vm_png_free(vm_png_t *p)
{
    (void) deflateEnd(&p->z);
    free(p->across);
}


static int
vm_png_create(vm_png_t *p, uint32_t w, uint32_t h, uint64_t key)
{
    double    turns[2], shift[2];
    uint32_t  i;

    memset(p, 0, sizeof(vm_png_t));

    p->w = w;
    p->h = h;
    p->across = malloc(2 * (size_t) w + h + 1);

    if (p->across == NULL) {
        return VM_ERROR;
    }

    p->down = p->across + w;
    p->row = p->down + h;

    if (deflateInit(&p->z, 1) != Z_OK) {
        free(p->across);
        return VM_ERROR;
    }

    for (i = 0; i < 2; i++) {
        turns[i] = 2 * M_PI * (1 + 3 * vm_rand_unit(vm_rand_at(key, i)));
        shift[i] = 2 * M_PI * vm_rand_unit(vm_rand_at(key, 2 + i));
    }

    /* together below 255, which is the colour of the spot */

    for (i = 0; i < w; i++) {
        p->across[i] = (unsigned char) (63 + 63 * sin(shift[0]
                                                      + turns[0] * i / w));
    }

    for (i = 0; i < h; i++) {
        p->down[i] = (unsigned char) (63 + 63 * sin(shift[1]
                                                    + turns[1] * i / h));
    }

    return VM_OK;
}


/* From one colour to another; the last one is white. */

static void
vm_png_palette(vm_buf_t *out, uint64_t key)
{
    char      colour[3];
    size_t    at;
    uint32_t  i, k;
    uint64_t  from, to;

    from = vm_rand_at(key, 8);
    to = vm_rand_at(key, 9);

    at = vm_png_open(out, "PLTE");

    for (i = 0; i < VM_PNG_COLOURS; i++) {

        for (k = 0; k < 3; k++) {
            colour[k] = (char) (((from >> 8 * k & 255) * (255 - i)
                                 + (to >> 8 * k & 255) * i) / 255);

            if (i == VM_PNG_COLOURS - 1) {
                colour[k] = (char) 255;
            }
        }

        vm_buf_add(out, colour, 3);
    }

    vm_png_close(out, at);
}


static void
vm_png_head(const vm_png_t *p, vm_buf_t *out)
{
    size_t  at;

    vm_buf_add(out, vm_png_signature, 8);

    at = vm_png_open(out, "IHDR");
    vm_png_be(out, p->w);
    vm_png_be(out, p->h);
    vm_buf_add(out, "\x08\x03\0\0\0", 5);       /* 8 bits, indexed */
    vm_png_close(out, at);
}


static void
vm_png_end(vm_buf_t *out)
{
    vm_png_close(out, vm_png_open(out, "IEND"));
}


void
vm_png_picture(vm_buf_t *out, uint32_t w, uint32_t h, uint64_t key)
{
    size_t    at;
    vm_png_t  p;

    if (vm_png_create(&p, w, h, key) != VM_OK) {
        out->failed = 1;
        return;
    }

    vm_png_head(&p, out);
    vm_png_palette(out, key);
    at = vm_png_open(out, "IDAT");
    vm_png_pixels(&p, out, w, h, 0);
    vm_png_close(out, at);
    vm_png_end(out);
    vm_png_free(&p);
}


/* ---- films ---- */

static void
vm_png_frame(vm_png_t *p, vm_buf_t *out, uint32_t side, uint32_t x,
    uint32_t y, uint32_t fps)
{
    char    delay[6];
    size_t  at;

    at = vm_png_open(out, "fcTL");
    vm_png_be(out, p->sequence++);
    vm_png_be(out, side ? side : p->w);
    vm_png_be(out, side ? side : p->h);
    vm_png_be(out, x);
    vm_png_be(out, y);

    delay[0] = 0;                               /* a second's fps-th part */
    delay[1] = 1;
    delay[2] = (char) (fps >> 8);
    delay[3] = (char) fps;
    delay[4] = side ? 2 : 0;                    /* what was there comes back */
    delay[5] = 0;

    vm_buf_add(out, delay, sizeof(delay));
    vm_png_close(out, at);

    if (side == 0) {
        at = vm_png_open(out, "IDAT");
        vm_png_pixels(p, out, p->w, p->h, 0);

    } else {
        at = vm_png_open(out, "fdAT");
        vm_png_be(out, p->sequence++);
        vm_png_pixels(p, out, side, side, 1);
    }

    vm_png_close(out, at);
}


/* A white square crosses the picture, from its first corner to its last. */

void
vm_png_film(vm_buf_t *out, uint32_t w, uint32_t h, uint64_t key,
    uint32_t frames, uint32_t fps)
{
    size_t    at;
    uint32_t  i, side;
    vm_png_t  p;

    if (vm_png_create(&p, w, h, key) != VM_OK) {
        out->failed = 1;
        return;
    }

    side = vm_min(vm_min(w, h), VM_PNG_SPOT);

    vm_png_head(&p, out);
    at = vm_png_open(out, "acTL");
    vm_png_be(out, frames);
    vm_png_be(out, 0);                          /* for ever */
    vm_png_close(out, at);
    vm_png_palette(out, key);

    vm_png_frame(&p, out, 0, 0, 0, fps);

    for (i = 1; i < frames; i++) {
        vm_png_frame(&p, out, side,
                     (uint32_t) ((uint64_t) (w - side) * i / frames),
                     (uint32_t) ((uint64_t) (h - side) * i / frames), fps);
    }

    vm_png_end(out);
    vm_png_free(&p);
}


int
vm_png_size(const char *data, size_t len, uint32_t *w, uint32_t *h)
{
    const unsigned char  *p;

    if (len < 24 || memcmp(data, vm_png_signature, 8) != 0
        || memcmp(data + 12, "IHDR", 4) != 0)
    {
        return 0;
    }

    p = (const unsigned char *) data + 16;

    *w = (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8
         | p[3];
    *h = (uint32_t) p[4] << 24 | (uint32_t) p[5] << 16 | (uint32_t) p[6] << 8
         | p[7];

    return 1;
}
