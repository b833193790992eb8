/*
 * Tokenizers from files: whatever a file says, it is refused with a reason or
 * can encode, decode and write any text.  The input is a file, and behind a
 * line "---" a text; without such a line, a text for tokenizers of all kinds.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I. \
 *       t/fuzz/tokenizer_fuzz.c src/text/[a-z]*.c src/base/[a-z]*.c \
 *       -ljansson -lutf8proc -lm -o tokenizer_fuzz
 *   ./tokenizer_fuzz -max_len=4096 -max_total_time=300 CORPUS
 */

#include <stdio.h>
#include <stdlib.h>
#include "../../src/text/unicode.h"
#include "../../src/text/writer.h"


#define LINE  "\n---\n"
#define KINDS 5


static vm_tokenizer_t  *kinds[KINDS];


static void
add_json(vm_buf_t *b, const char *normalizer, const char *pre,
    const char *decoder, int bytes)
{
    int       i;
    uint32_t  code;

    vm_buf_printf(b, "{\"normalizer\":%s,\"pre_tokenizer\":%s,\"decoder\":%s,"
                  "\"added_tokens\":[{\"id\":600,\"content\":\"</s>\","
                  "\"special\":true},{\"id\":601,\"content\":\" b\","
                  "\"normalized\":true,\"lstrip\":true,\"rstrip\":true,"
                  "\"single_word\":true}],\"model\":{\"byte_fallback\":true,"
                  "\"vocab\":{", normalizer, pre, decoder);

    for (i = 0; i < 256; i++) {
        if (bytes) {
            code = (uint32_t) i;
            code = code <= 0x20 ? code + 0x100
                   : (code >= 0x7f && code <= 0xa0 ? code + 0xa2
                      : (code == 0xad ? 0x143 : code));
            vm_buf_printf(b, "\"\\u%04x\":%d,", code, i);

        } else {
            vm_buf_printf(b, "\"<0x%02X>\":%d,", i, i);
        }
    }

    vm_buf_printf(b, "\"%saa\":300,\"aaa\":301,\"%se\":302%s},\"merges\":["
                  "%s]}}", bytes ? "" : "a\":303,\"e\":304,\"\\u2581\":305,\"",
                  bytes ? "\\u0120" : "\\u2581",
                  bytes ? "" : ",\"e\\u2581\":306",
                  bytes ? "[\"a\",\"a\"],[\"aa\",\"a\"],[\"\\u0120\",\"e\"]"
                        : "\"a a\",\"aa a\",\"\\u2581 e\",\"e \\u2581\"");
}


static vm_tokenizer_t *
load(const char *name, const char *data, size_t len)
{
    char             err[300];
    vm_str_t         file;
    vm_tokenizer_t  *t;

    file.data = data;
    file.len = len;
    err[0] = '\0';

    t = vm_tokenizer_load(name, file, NULL, err, sizeof(err));

    if (t == NULL && err[0] == '\0') {
        abort();                        /* no reason */
    }

    return t;
}


static void
make_kinds(void)
{
    size_t    i;
    vm_buf_t  b;

    static const char *const  parts[KINDS][4] = {
        { "null", "{\"type\":\"ByteLevel\"}", "{\"type\":\"ByteLevel\"}", "b" },
        { "{\"type\":\"NFC\"}", "{\"type\":\"Sequence\",\"pretokenizers\":["
          "{\"type\":\"Split\",\"pattern\":{\"Regex\":"
          "\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?"
          "\\\\p{L}+|\\\\p{N}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|"
          "\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"},"
          "\"behavior\":\"Isolated\"},{\"type\":\"ByteLevel\","
          "\"use_regex\":false}]}", "{\"type\":\"ByteLevel\"}", "b" },
        { "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\","
          "\"prepend\":\"\\u2581\"},{\"type\":\"Replace\",\"pattern\":"
          "{\"String\":\" \"},\"content\":\"\\u2581\"}]}", "null",
          "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"ByteFallback\"},"
          "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]}",
          "" },
        { "null", "{\"type\":\"Metaspace\",\"replacement\":\"\\u2581\","
          "\"prepend_scheme\":\"first\"}", "{\"type\":\"Metaspace\","
          "\"replacement\":\"\\u2581\"}", "" },
        { "{\"type\":\"NFC\"}", "{\"type\":\"ByteLevel\","
          "\"add_prefix_space\":true}", "{\"type\":\"ByteLevel\"}", "b" }
    };

    for (i = 0; i < KINDS; i++) {
        vm_buf_init(&b);
        add_json(&b, parts[i][0], parts[i][1], parts[i][2],
                 parts[i][3][0] == 'b');
        kinds[i] = load("tokenizer.json", b.data, b.len);

        if (kinds[i] == NULL) {
            abort();
        }

        vm_buf_free(&b);
    }
}


static void
use(const vm_tokenizer_t *t, const char *text, size_t len)
{
    size_t       i, n;
    uint32_t     first, id, run;
    vm_buf_t     b;
    vm_ids_t     ids, some;
    vm_str_t     piece;
    vm_writer_t  w;

    vm_ids_init(&ids);
    vm_ids_init(&some);
    vm_buf_init(&b);

    if (vm_tokenizer_encode_prompt(t, text, len, 0, &ids) != VM_OK) {
        abort();
    }

    for (i = 0; i < ids.n; i++) {
        if (ids.ids[i] >= vm_tokenizer_vocab(t)) {
            abort();
        }
    }

    /* a limit takes a part of it, no other ids */

    n = ids.n / 2 + 1;

    if (vm_tokenizer_encode_prompt(t, text, len, n, &some) != VM_OK
        || some.n != vm_min(n, ids.n)
        || (some.n && memcmp(some.ids, ids.ids, some.n * 4) != 0))
    {
        abort();
    }

    vm_tokenizer_decode(t, ids.ids, ids.n, &b);

    if (b.len && vm_utf8_valid(b.data, b.len) != b.len) {
        abort();
    }

    vm_tokenizer_range(t, &first, &run);

    if (run == 0 || first + run > vm_tokenizer_vocab(t)
        || vm_tokenizer_eos(t) >= vm_tokenizer_vocab(t))
    {
        abort();
    }

    piece.data = text;
    piece.len = len;
    vm_tokenizer_read(t, piece, 1, &b);

    memset(&w, 0, sizeof(w));
    w.tokenizer = t;
    ids.n = 0;

    if (vm_writer_lead(&w, text, len, &ids) != VM_OK) {
        abort();
    }

    for (i = 0; i < 30; i++) {
        id = vm_writer_token(&w, (uint32_t) i);

        if (id >= vm_tokenizer_vocab(t)) {
            abort();
        }
    }

    vm_ids_free(&ids);
    vm_ids_free(&some);
    vm_buf_free(&b);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t           i, len;
    const char      *line, *text;
    vm_tokenizer_t  *t;

    if (kinds[0] == NULL) {
        make_kinds();
    }

    text = (const char *) data;
    line = size ? memmem(text, size, LINE, sizeof(LINE) - 1) : NULL;

    if (line == NULL) {
        for (i = 0; i < KINDS; i++) {
            use(kinds[i], text, size);
        }

        return 0;
    }

    len = (size_t) (line - text);
    t = load("cl100k_base.tiktoken", text, len);

    if (t) {
        len += sizeof(LINE) - 1;
        use(t, text + len, size - len);
        vm_tokenizer_free(t);
    }

    return 0;
}
