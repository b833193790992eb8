/*
 * Tokenizers from files: which are taken and why others are not, and what
 * small ones make of texts.  Real vocabularies are t/tokenizer's.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "../../src/base/buf.h"
#include "../../src/text/writer.h"


#define LLAMA(normalizer, pre, added)                                         \
    "{\"normalizer\":" normalizer ",\"pre_tokenizer\":" pre ",\"decoder\":"    \
    "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"ByteFallback\"},"        \
    "{\"type\":\"Fuse\"},{\"type\":\"Strip\",\"content\":\" \",\"start\":1,"   \
    "\"stop\":0}]},\"added_tokens\":[" added "{\"id\":1,\"content\":\"</s>\"," \
    "\"special\":true}],\"model\":{\"type\":\"BPE\",\"unk_token\":\"?\","      \
    "\"fuse_unk\":true,\"byte_fallback\":true,\"vocab\":{\"?\":0,\"</s>\":1,"  \
    "\"\xe2\x96\x81\":2,\"t\":3,\"h\":4,\"e\":5,\"\xe2\x96\x81t\":6,"          \
    "\"he\":7,\"\xe2\x96\x81the\":8,\"<0x41>\":9,\"tt\":10,\"tttt\":11},"      \
    "\"merges\":[\"\xe2\x96\x81 t\",\"h e\",[\"\xe2\x96\x81t\",\"he\"],"       \
    "\"t t\",\"tt tt\"]}}"

#define PREPEND                                                               \
    "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\","           \
    "\"prepend\":\"\xe2\x96\x81\"},{\"type\":\"Replace\",\"pattern\":"         \
    "{\"String\":\" \"},\"content\":\"\xe2\x96\x81\"}]}"

#define BYTES(more)                                                           \
    "{\"pre_tokenizer\":{\"type\":\"ByteLevel\"},\"decoder\":"                 \
    "{\"type\":\"ByteLevel\"},\"added_tokens\":[{\"id\":5,\"content\":"        \
    "\"<e>\",\"special\":true}]," more "\"model\":{\"vocab\":{\"\xc4\xa0\":0," \
    "\"a\":1,\"b\":2,\"\xc4\xa0""a\":3,\"ab\":4},\"merges\":"                  \
    "[[\"\xc4\xa0\",\"a\"],[\"a\",\"b\"]]}}"


static vm_tokenizer_t *
load(const char *name, const char *text, const char *config, char *err)
{
    vm_str_t  c, file;

    file.data = text;
    file.len = strlen(text);
    c.data = config;
    c.len = config ? strlen(config) : 0;
    err[0] = '\0';

    return vm_tokenizer_load(name, file, config ? &c : NULL, err, 300);
}


static void
assert_ids(const vm_tokenizer_t *t, const char *text, size_t n,
    const uint32_t *expected)
{
    vm_ids_t  ids;

    vm_ids_init(&ids);
    assert_int_equal(vm_tokenizer_encode(t, text, strlen(text), 0, &ids),
                     VM_OK);
    assert_int_equal(ids.n, n);

    if (n) {
        assert_memory_equal(ids.ids, expected, n * sizeof(uint32_t));
    }

    vm_ids_free(&ids);
}


static void
test_refused(void **state)
{
    char    err[300];
    size_t  i;

    static const struct {
        const char  *text;
        const char  *config;
        const char  *reason;
    } bad[] = {
        { "", NULL, "the file is empty" },
        { " \n", NULL, "the file is empty" },
        { "{\"model\":", NULL, "no JSON: line 1: " },
        { "{}", NULL, "\"model\" is missing" },
        { "{\"model\":{}}", NULL, "\"decoder\" is missing" },
        { LLAMA("{\"type\":\"NFKC\"}", "null", ""), NULL,
          "the normalizer \"NFKC\" is not known" },
        { LLAMA("{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"a\"}}",
                "null", ""), NULL, "known for a string only" },
        { LLAMA("null", "{\"type\":\"Whitespace\"}", ""), NULL,
          "the pre_tokenizer \"Whitespace\" is not known" },
        { LLAMA("null", "{\"type\":\"Split\",\"behavior\":\"Isolated\","
                "\"pattern\":{\"Regex\":\"a+\"}}", ""), NULL,
          "the pre_tokenizer \"Split\" has an unknown pattern: a+" },
        { LLAMA("null", "{\"type\":\"ByteLevel\"}", ""), NULL,
          "the decoder \"ByteFallback\" does not go with" },
        { LLAMA("null", "null", "{\"id\":3,\"content\":\"<x>\"},"), NULL,
          "the added token \"<x>\" has the id 3 of another one" },
        { LLAMA("null", "null", "{\"content\":\"<x>\"},"), NULL,
          "an added token has no content, or no id" },
        { LLAMA("null", "null", ""), "{\"eos_token\":\"<eos>\"}",
          "the eos_token \"<eos>\" of its tokenizer_config.json is not in" },
        { LLAMA("null", "null", ""), "[]", "is no JSON object" },
        { BYTES("\"post_processor\":{\"type\":\"BertProcessing\"},"), NULL,
          "the post_processor \"BertProcessing\" is not known" },
        { BYTES("\"post_processor\":{\"type\":\"TemplateProcessing\","
                "\"single\":[{\"Sequence\":{}},{\"SpecialToken\":{\"id\":"
                "\"<e>\"}}],\"special_tokens\":{\"<e>\":{\"ids\":[5]}}},"),
          NULL, "one behind it" },
        { "{\"decoder\":{\"type\":\"Fuse\"},\"model\":{\"type\":"
          "\"WordPiece\"}}", NULL, "the model \"WordPiece\" is not known" },
        { "{\"decoder\":{\"type\":\"Fuse\"},\"model\":{\"merges\":[]}}", NULL,
          "the model has no vocabulary" },
        { "{\"decoder\":{\"type\":\"Fuse\"},\"model\":{\"merges\":[],"
          "\"vocab\":{\"a\":99999999}}}", NULL, "has no id from 0 to" },
        { "{\"decoder\":{\"type\":\"Fuse\"},\"model\":{\"merges\":[],"
          "\"vocab\":{\"a\":1,\"b\":1}}}", NULL, "has the id 1 twice" },
        { "{\"decoder\":{\"type\":\"Fuse\"},\"model\":{\"merges\":[\"a b\"],"
          "\"vocab\":{\"a\":1}}}", NULL, "merge 0: \"a b\" and \"b\"" },
        { "{\"decoder\":{\"type\":\"Fuse\"},\"model\":{\"merges\":[7],"
          "\"vocab\":{\"a\":1}}}", NULL, "merge 0 is no pair" },
        { "{\"decoder\":{\"type\":\"Fuse\"},\"model\":{\"merges\":[],"
          "\"vocab\":{\"a\":1}}}", NULL, "no special token that could end" },
        { "IQ== 0\nIg=", NULL, "line 2: not a token in base64 and its rank" },
        { "IQ== 0\nI*== 1", NULL, "line 2: not a token in base64" },
        { "IQ== x", NULL, "line 1: not a token in base64" },
        { "IQ== 0\nIQ== 1", NULL, "line 2: the rank or the token is there" },
        { "IQ== 99999999", NULL, "line 1: a rank beyond" },
        { "IQ== 0\n", NULL, "no rank for the byte 0x00" }
    };

    (void) state;

    for (i = 0; i < vm_nelts(bad); i++) {
        assert_null(load("x", bad[i].text, bad[i].config, err));

        if (strstr(err, bad[i].reason) == NULL) {
            print_error("is \"%s\"\nnot \"%s\"\n", err, bad[i].reason);
            fail();
        }
    }
}


static void
test_bytes(void **state)
{
    char             err[300];
    vm_tokenizer_t  *t;

    (void) state;

    t = load("x", BYTES(""), NULL, err);
    assert_non_null(t);
    assert_int_equal(vm_tokenizer_vocab(t), 6);
    assert_int_equal(vm_tokenizer_eos(t), 5);
    assert_int_equal(vm_tokenizer_bos(t), VM_NEVER);
    assert_int_equal(vm_tokenizer_longest(t), 3);

    assert_ids(t, "", 0, NULL);
    assert_ids(t, " ab", 2, (uint32_t[]) { 3, 2 });
    assert_ids(t, "ab <e> ab", 5, (uint32_t[]) { 4, 0, 5, 3, 2 });
    assert_ids(t, "<e", 0, NULL);       /* letters that it has not */

    vm_tokenizer_free(t);
}


static void
test_characters(void **state)
{
    char             err[300];
    vm_tokenizer_t  *t;

    (void) state;

    t = load("x", LLAMA(PREPEND, "null", ""), "{\"eos_token\":\"?\"}", err);
    assert_non_null(t);
    assert_int_equal(vm_tokenizer_eos(t), 0);

    assert_ids(t, "the", 1, (uint32_t[]) { 8 });
    assert_ids(t, "the the", 2, (uint32_t[]) { 8, 8 });
    assert_ids(t, " the", 2, (uint32_t[]) { 2, 8 });
    assert_ids(t, "A", 2, (uint32_t[]) { 2, 9 });
    assert_ids(t, "xyz", 2, (uint32_t[]) { 2, 0 });
    assert_ids(t, "\xff", 2, (uint32_t[]) { 2, 0 });

    assert_int_equal(vm_tokenizer_first(t, 8).len, 3);
    assert_int_equal(vm_tokenizer_bytes(t, 8).len, 4);
    assert_memory_equal(vm_tokenizer_bytes(t, 9).data, "A", 1);

    vm_tokenizer_free(t);
}


/* A merge that is there twice must not cost the square of the length. */

static void
test_long(void **state)
{
    char             err[300], *text;
    clock_t          start;
    vm_ids_t         ids;
    vm_tokenizer_t  *t;

    (void) state;

    t = load("x", LLAMA("null", "null", ""), NULL, err);
    assert_non_null(t);

    text = malloc(1000000);
    assert_non_null(text);
    memset(text, 't', 1000000);
    vm_ids_init(&ids);

    start = clock();
    assert_int_equal(vm_tokenizer_encode(t, text, 1000000, 0, &ids), VM_OK);
    assert_true(clock() - start < 10 * CLOCKS_PER_SEC);

    assert_int_equal(ids.n, 250000);
    assert_int_equal(ids.ids[0], 11);
    assert_int_equal(ids.ids[249999], 11);

    ids.n = 0;
    assert_int_equal(vm_tokenizer_encode(t, text, 1000000, 7, &ids), VM_OK);
    assert_int_equal(ids.n, 7);

    free(text);
    vm_ids_free(&ids);
    vm_tokenizer_free(t);
}


static void
test_ranks(void **state)
{
    int              i;
    char             err[300];
    vm_buf_t         b;
    vm_tokenizer_t  *t;

    static const char  digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789+/";

    (void) state;

    vm_buf_init(&b);

    for (i = 0; i < 256; i++) {
        vm_buf_printf(&b, "%c%c== %d\r\n", digits[i >> 2],
                      digits[i << 4 & 0x30], i);
    }

    vm_buf_lit(&b, "YWI= 256\nYWJj 257");
    vm_buf_char(&b, '\0');

    assert_null(load("my.tiktoken", b.data, NULL, err));
    assert_non_null(strstr(err, "258 ranks are of no known encoding"));

    t = load("/some/where/cl100k_base.tiktoken", b.data, NULL, err);
    assert_non_null(t);
    assert_int_equal(vm_tokenizer_vocab(t), 100277);
    assert_int_equal(vm_tokenizer_eos(t), 100257);

    assert_ids(t, "abc ab<|endoftext|>\xff", 7,
               (uint32_t[]) { 257, ' ', 256, 100257, 0xef, 0xbf, 0xbd });

    vm_tokenizer_free(t);
    vm_buf_free(&b);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_ranks)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
