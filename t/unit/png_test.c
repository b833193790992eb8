/*
 * PNG files: every chunk's CRC, and as many pixels as the header says.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <zlib.h>
#include <cmocka.h>
#include "../../src/api/png.h"


typedef struct {
    uint32_t        w;
    uint32_t        h;
    uint32_t        n;              /* frames */
    unsigned        control;        /* of frames */
    uint32_t        sequence;
    unsigned        ended;
    unsigned char  *pixels;         /* of the first picture, filtered */
    uLongf          size;
} png_t;


static uint32_t
be(const char *p)
{
    const unsigned char  *u;

    u = (const unsigned char *) p;

    return (uint32_t) u[0] << 24 | (uint32_t) u[1] << 16
           | (uint32_t) u[2] << 8 | u[3];
}


static void
inflated(png_t *p, const char *data, uint32_t n, uint32_t w, uint32_t h,
    int keep)
{
    uLongf          size;
    unsigned char  *out;

    size = (uLongf) h * (w + 1);
    out = malloc(size + 1);
    p->size = size + 1;

    assert_int_equal(uncompress(out, &p->size, (const Bytef *) data, n),
                     Z_OK);
    assert_int_equal(p->size, size);

    if (keep) {
        p->pixels = out;

    } else {
        free(out);
    }
}


static void
chunk(png_t *p, const char *type, const char *data, uint32_t n)
{
    static uint32_t  side[2];

    if (memcmp(type, "IHDR", 4) == 0) {
        assert_int_equal(n, 13);
        p->w = be(data);
        p->h = be(data + 4);

    } else if (memcmp(type, "PLTE", 4) == 0) {
        assert_int_equal(n, 768);

    } else if (memcmp(type, "acTL", 4) == 0) {
        p->n = be(data);

    } else if (memcmp(type, "fcTL", 4) == 0) {
        assert_int_equal(n, 26);
        assert_int_equal(be(data), p->sequence++);
        side[0] = be(data + 4);
        side[1] = be(data + 8);
        assert_true(be(data + 12) + side[0] <= p->w);
        assert_true(be(data + 16) + side[1] <= p->h);
        p->control++;

    } else if (memcmp(type, "fdAT", 4) == 0) {
        assert_int_equal(be(data), p->sequence++);
        inflated(p, data + 4, n - 4, side[0], side[1], 0);

    } else if (memcmp(type, "IDAT", 4) == 0) {
        inflated(p, data, n, p->w, p->h, 1);

    } else {
        assert_memory_equal(type, "IEND", 4);
        p->ended = 1;
    }
}


static void
walk(png_t *p, const vm_buf_t *b)
{
    size_t    at;
    uint32_t  n;

    memset(p, 0, sizeof(png_t));
    assert_false(b->failed);
    assert_memory_equal(b->data, "\x89PNG\r\n\x1a\n", 8);

    for (at = 8; at < b->len; at += n + 12) {
        assert_false(p->ended);
        n = be(b->data + at);
        assert_true(n + 12 <= b->len - at);
        assert_int_equal(be(b->data + at + 8 + n),
                         crc32(0, (const Bytef *) b->data + at + 4, n + 4));
        chunk(p, b->data + at + 4, b->data + at + 8, n);
    }

    assert_true(p->ended);
    assert_non_null(p->pixels);
}


static const uint32_t  sizes[][2] = {
    { 1, 1 }, { 1, 300 }, { 300, 1 }, { 64, 64 }, { 1000, 777 }, { 2048, 2048 }
};


static void
test_pictures(void **state)
{
    png_t     p;
    size_t    i;
    vm_buf_t  b, other, same;
    uint32_t  h, w;

    (void) state;

    for (i = 0; i < vm_nelts(sizes); i++) {
        vm_buf_init(&b);
        vm_buf_init(&other);
        vm_buf_init(&same);
        vm_png_picture(&b, sizes[i][0], sizes[i][1], 7);
        vm_png_picture(&other, sizes[i][0], sizes[i][1], 8);
        vm_png_picture(&same, sizes[i][0], sizes[i][1], 7);

        walk(&p, &b);
        assert_int_equal(p.w, sizes[i][0]);
        assert_int_equal(p.h, sizes[i][1]);
        assert_int_equal(p.n, 0);
        free(p.pixels);

        assert_int_equal(vm_png_size(b.data, b.len, &w, &h), 1);
        assert_int_equal(w, sizes[i][0]);
        assert_int_equal(h, sizes[i][1]);
        assert_int_equal(vm_png_size(b.data, 23, &w, &h), 0);
        assert_int_equal(vm_png_size(b.data + 1, b.len - 1, &w, &h), 0);

        assert_int_equal(same.len, b.len);
        assert_memory_equal(same.data, b.data, b.len);
        assert_true(other.len != b.len
                    || memcmp(other.data, b.data, b.len) != 0);

        vm_buf_free(&b);
        vm_buf_free(&other);
        vm_buf_free(&same);
    }
}


static void
test_films(void **state)
{
    png_t     p;
    size_t    i;
    vm_buf_t  b;
    uint32_t  n;

    (void) state;

    for (i = 0; i < vm_nelts(sizes); i++) {

        for (n = 1; n < 100; n += 33) {
            vm_buf_init(&b);
            vm_png_film(&b, sizes[i][0], sizes[i][1], 7, n, 24);

            walk(&p, &b);
            assert_int_equal(p.n, n);
            assert_int_equal(p.control, n);
            assert_int_equal(p.sequence, 2 * n - 1);

            free(p.pixels);
            vm_buf_free(&b);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_films)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
