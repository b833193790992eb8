/*
 * The built-in tokenizer: its vocabulary, round trips, and its speed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>
#include "../../src/base/buf.h"
#include "../../src/base/rand.h"
#include "../../src/text/tokenizer.h"


static int
setup(void **state)
{
    *state = vm_tokenizer_builtin();

    return *state == NULL;
}


static int
teardown(void **state)
{
    vm_tokenizer_free(*state);

    return 0;
}


static void
round_trip(const vm_tokenizer_t *t, const char *text, size_t len)
{
    size_t    i;
    vm_buf_t  b;
    vm_ids_t  ids;
    vm_str_t  s;

    vm_buf_init(&b);
    vm_ids_init(&ids);

    assert_int_equal(vm_tokenizer_encode(t, text, len, 0, &ids), VM_OK);

    for (i = 0; i < ids.n; i++) {
        assert_true(ids.ids[i] >= 3 && ids.ids[i] < vm_tokenizer_vocab(t));
        s = vm_tokenizer_bytes(t, ids.ids[i]);
        assert_true(s.len > 0);
        vm_buf_add(&b, s.data, s.len);
    }

    assert_int_equal(b.len, len);

    if (len) {
        assert_memory_equal(b.data, text, len);
    }

    vm_buf_free(&b);
    vm_ids_free(&ids);
}


static void
test_vocabulary(void **state)
{
    char             text[8];
    uint32_t         id;
    vm_str_t         s;
    vm_tokenizer_t  *t;

    t = *state;

    assert_int_equal(vm_tokenizer_vocab(t), 32000);
    assert_int_equal(vm_tokenizer_bos(t), VM_NEVER);
    assert_int_equal(vm_tokenizer_eos(t), 2);
    assert_int_equal(vm_tokenizer_longest(t), 64);

    for (id = 0; id < 3; id++) {
        assert_true(vm_tokenizer_special(t, id));
        assert_int_equal(vm_tokenizer_bytes(t, id).len, 0);
    }

    assert_false(vm_tokenizer_special(t, 3));
    assert_false(vm_tokenizer_special(t, 32000));

    s = vm_tokenizer_piece(t, 2);
    assert_int_equal(s.len, 4);
    assert_memory_equal(s.data, "</s>", 4);

    s = vm_tokenizer_piece(t, 13);
    assert_int_equal(s.len, 6);
    assert_memory_equal(s.data, "<0x0A>", 6);

    for (id = 0; id < 256; id++) {
        s = vm_tokenizer_bytes(t, id + 3);
        assert_int_equal(s.len, 1);
        text[0] = (char) id;
        assert_memory_equal(s.data, text, 1);
    }

    assert_int_equal(vm_tokenizer_bytes(t, 32000).len, 0);
    assert_int_equal(vm_tokenizer_bytes(t, UINT32_MAX).len, 0);
    assert_int_equal(vm_tokenizer_piece(t, 32000).len, 0);
}


/* Every piece of text is there once, and is encoded to itself. */

static void
test_pieces(void **state)
{
    size_t           i;
    uint32_t         id;
    vm_ids_t         ids;
    vm_str_t         s;
    vm_tokenizer_t  *t;

    t = *state;
    vm_ids_init(&ids);

    for (id = 259; id < 32000; id++) {
        s = vm_tokenizer_bytes(t, id);
        assert_true(s.len > 0);
        ids.n = 0;
        assert_int_equal(vm_tokenizer_encode(t, s.data, s.len, 0, &ids),
                         VM_OK);
        assert_int_equal(ids.n, 1);
        assert_int_equal(ids.ids[0], id);

        /* the rule that makes text continuable */

        for (i = 1; i < s.len; i++) {
            assert_true(s.data[i] != ' ' || s.data[0] == ' ');
            assert_true(s.data[i] != ' ' || s.data[s.len - 1] == ' ');
        }
    }

    s = vm_tokenizer_piece(t, 259);
    assert_memory_equal(s.data, "\xe2\x96\x81", 3);

    vm_ids_free(&ids);
}


static void
test_round_trip(void **state)
{
    char             text[512];
    size_t           i, len;
    uint64_t         n;
    vm_tokenizer_t  *t;

    static const char *const  texts[] = {
        "", " ", "  ", "Hello there", "The quick brown fox, isn't it?  Yes.",
        "\xc3\xa9t\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80",
        "\r\n\t  x\n\n\n\n    y   ", "{\"a\": [1, 2.5e-3, null]}",
        "\xff\xfe\x80", "a b  c   d    e"
    };

    t = *state;

    for (i = 0; i < vm_nelts(texts); i++) {
        round_trip(t, texts[i], strlen(texts[i]));
    }

    round_trip(t, "a\0b", 3);

    /* any bytes; and few kinds of them, so that runs are frequent */

    for (n = 0; n < 2000; n++) {
        len = vm_rand_at(n, 0) % sizeof(text);

        for (i = 0; i < len; i++) {
            text[i] = n % 2 ? (char) vm_rand_at(n, i + 1)
                            : " \n\te-.\xc3\xa9"[vm_rand_at(n, i + 1) % 8];
        }

        round_trip(t, text, len);
    }
}


static void
test_max(void **state)
{
    vm_ids_t         ids;
    vm_tokenizer_t  *t;

    t = *state;
    vm_ids_init(&ids);

    assert_int_equal(vm_tokenizer_encode(t, "one two three four", 18, 2,
                                         &ids), VM_OK);
    assert_int_equal(ids.n, 2);

    /* appends: the limit is that of the call */

    assert_int_equal(vm_tokenizer_encode(t, "one two three four", 18, 3,
                                         &ids), VM_OK);
    assert_int_equal(ids.n, 5);
    assert_int_equal(ids.ids[0], ids.ids[2]);

    ids.n = 0;
    assert_int_equal(vm_tokenizer_encode(t, "one two three four", 18, 0,
                                         &ids), VM_OK);
    assert_int_equal(ids.n, 4);

    vm_ids_free(&ids);
}


/* Text that goes on does not change the ids before a space. */

static void
test_continued(void **state)
{
    char             text[80];
    size_t           a, b, i, n;
    vm_ids_t         head, whole;
    vm_tokenizer_t  *t;

    t = *state;
    vm_ids_init(&head);
    vm_ids_init(&whole);

    for (n = 0; n < 2000; n++) {
        a = vm_rand_at(n, 0) % 70;

        for (i = 0; i < a; i++) {
            text[i] = "  ae.\n(\xc3"[vm_rand_at(n, i + 1) % 8];
        }

        memcpy(text + a, " word", 5);
        b = a + 5;

        head.n = 0;
        whole.n = 0;
        (void) vm_tokenizer_encode(t, text, a, 0, &head);
        (void) vm_tokenizer_encode(t, text, b, 0, &whole);

        assert_int_equal(whole.n, head.n + 1);

        if (head.n) {
            assert_memory_equal(whole.ids, head.ids,
                                head.n * sizeof(uint32_t));
        }
    }

    vm_ids_free(&head);
    vm_ids_free(&whole);
}


static double
cpu_seconds(const vm_tokenizer_t *t, const char *text, size_t len)
{
    clock_t   start;
    vm_ids_t  ids;

    vm_ids_init(&ids);

    start = clock();
    assert_int_equal(vm_tokenizer_encode(t, text, len, 0, &ids), VM_OK);
    start = clock() - start;

    vm_ids_free(&ids);

    return (double) start / CLOCKS_PER_SEC;
}


/*
 * A megabyte takes about 10 ms; the bounds leave room for sanitizers and are
 * there to find what is quadratic.
 */

static void
test_speed(void **state)
{
    size_t           i, len;
    vm_buf_t         b;
    vm_tokenizer_t  *t;

    static const char  text[] =
        "It was late in the evening when the train arrived, and nobody "
        "waited at the station. ";

    t = *state;
    vm_buf_init(&b);

    while (b.len < 1000000) {
        vm_buf_lit(&b, text);
    }

    len = b.len;

    assert_true(cpu_seconds(t, b.data, len) < 0.5);

    memset(b.data, ' ', len);
    assert_true(cpu_seconds(t, b.data, len) < 0.5);

    memset(b.data, '-', len);
    assert_true(cpu_seconds(t, b.data, len) < 0.5);

    memset(b.data, 0xe2, len);
    assert_true(cpu_seconds(t, b.data, len) < 0.5);

    for (i = 0; i < len; i++) {
        b.data[i] = (char) vm_rand_at(7, i);
    }

    assert_true(cpu_seconds(t, b.data, len) < 0.5);

    vm_buf_free(&b);
}


static void
test_words(void **state)
{
    uint32_t                 i;
    vm_str_t                 s;
    vm_tokenizer_t          *t;
    const vm_vocab_words_t  *w;

    t = *state;
    w = vm_tokenizer_words(t);

    assert_true(w->n > 1000);
    assert_memory_equal(vm_tokenizer_bytes(t, w->comma).data, ",", 1);
    assert_memory_equal(vm_tokenizer_bytes(t, w->stop).data, ".", 1);

    for (i = 0; i < w->n; i++) {
        s = vm_tokenizer_bytes(t, w->list[i].within);
        assert_true(s.len >= 2 && s.data[0] == ' ' && s.data[1] >= 'a');

        s = vm_tokenizer_bytes(t, w->list[i].capital);
        assert_true(s.len >= 2 && s.data[0] == ' ' && s.data[1] <= 'Z');

        s = vm_tokenizer_bytes(t, w->list[i].initial);
        assert_true(s.len >= 1 && s.data[0] >= 'A' && s.data[0] <= 'Z');
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_vocabulary),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_max),
        cmocka_unit_test(test_continued),
        cmocka_unit_test(test_speed),
        cmocka_unit_test(test_words)
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
