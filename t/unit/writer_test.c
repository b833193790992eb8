/*
 * The writer: every text is encoded to the very ids that it is made of.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../../src/base/buf.h"
#include "../../src/base/rand.h"
#include "../../src/text/writer.h"


#define TOKENS  600


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


/* The text of the first `n` tokens, and that it gives these ids. */

static void
write_text(const vm_writer_t *w, uint32_t n, vm_buf_t *text)
{
    uint32_t  i, id;
    vm_ids_t  ids;
    vm_str_t  s;

    vm_buf_reset(text);
    vm_ids_init(&ids);

    for (i = 0; i < n; i++) {
        id = vm_writer_token(w, i);
        assert_false(vm_tokenizer_special(w->tokenizer, id));
        s = vm_tokenizer_bytes(w->tokenizer, id);
        assert_true(s.len > 0);
        vm_buf_add(text, s.data, s.len);
    }

    assert_int_equal(vm_tokenizer_encode(w->tokenizer, text->data, text->len,
                                         0, &ids), VM_OK);
    assert_int_equal(ids.n, n);

    for (i = 0; i < n; i++) {
        assert_int_equal(ids.ids[i], vm_writer_token(w, i));
    }

    vm_ids_free(&ids);
}


static void
test_words(void **state)
{
    size_t       i;
    vm_buf_t     text;
    uint64_t     key;
    vm_writer_t  w = { .tokenizer = *state };

    vm_buf_init(&text);

    for (key = 0; key < 100; key++) {
        w.key = vm_rand_mix(key);
        write_text(&w, TOKENS, &text);

        assert_true(text.data[0] >= 'A' && text.data[0] <= 'Z');
        assert_non_null(memchr(text.data, '.', text.len));
        assert_non_null(memchr(text.data, ',', text.len));

        /* a capital after a full stop and nowhere else */

        for (i = 1; i + 2 < text.len; i++) {
            if (text.data[i] == '.') {
                assert_int_equal(text.data[i + 1], ' ');
                assert_true(text.data[i + 2] >= 'A'
                            && text.data[i + 2] <= 'Z');
            }

            if (text.data[i] >= 'A' && text.data[i] <= 'Z') {
                assert_int_equal(text.data[i - 1], ' ');
                assert_int_equal(text.data[i - 2], '.');
            }

            if (text.data[i] == ',') {
                assert_int_equal(text.data[i + 1], ' ');
            }
        }
    }

    vm_buf_free(&text);
}


static void
test_pure(void **state)
{
    uint32_t     a, b, i, same;
    vm_writer_t  v = { .tokenizer = *state, .key = 1 };
    vm_writer_t  w = { .tokenizer = *state, .key = 2 };

    same = 0;

    for (i = 0; i < TOKENS; i++) {
        a = vm_writer_token(&v, TOKENS - 1 - i);
        b = vm_writer_token(&v, TOKENS - 1 - i);
        assert_int_equal(a, b);
        same += a == vm_writer_token(&w, TOKENS - 1 - i);
    }

    assert_true(same < TOKENS / 4);

    (void) vm_writer_token(&v, UINT32_MAX);
}


static void
test_lead(void **state)
{
    size_t       i, k, len;
    char         random[40];
    vm_buf_t     text;
    vm_ids_t     lead;
    uint64_t     key;
    vm_writer_t  w = { .tokenizer = *state };

    static const char *const  leads[] = {
        "This is simulated message from llama2-7b in pod-1!", "Hello", "a ",
        "x   ", "  ", "\n", "ends with comma,", "stop.", "( ", "say \"",
        "\xe6\x97\xa5\xe6\x9c\xac", "\xc3", "\t\t", "..", "1 2 3 "
    };

    vm_buf_init(&text);
    vm_ids_init(&lead);

    for (i = 0; i < vm_nelts(leads); i++) {
        for (key = 0; key < 20; key++) {
            lead.n = 0;
            (void) vm_tokenizer_encode(*state, leads[i], strlen(leads[i]), 0,
                                       &lead);
            w.key = vm_rand_mix(key);
            w.lead = lead.ids;
            w.nlead = (uint32_t) lead.n;

            write_text(&w, 100, &text);
            assert_memory_equal(text.data, leads[i], strlen(leads[i]));
        }
    }

    /* any lead, whole or cut */

    for (key = 0; key < 2000; key++) {
        len = 1 + vm_rand_at(key, 0) % (sizeof(random) - 1);

        for (k = 0; k < len; k++) {
            random[k] = "  aeT.,\n-(\xe2\x80\x99"[vm_rand_at(key, k + 1) % 13];
        }

        lead.n = 0;
        (void) vm_tokenizer_encode(*state, random, len,
                                   vm_rand_at(key, 99) % 20, &lead);
        w.key = key;
        w.lead = lead.ids;
        w.nlead = (uint32_t) lead.n;

        write_text(&w, w.nlead + 10, &text);
    }

    vm_buf_free(&text);
    vm_ids_free(&lead);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_pure),
        cmocka_unit_test(test_lead)
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
