/*
 * tiktoken's files: a line for each token, its bytes in base64 and its rank,
 * which is its id.  Which expression cuts the text and which special tokens
 * there are is not in the file: its name or the number of its ranks tell.
 */

#include <stdio.h>
#include <stdlib.h>
#include "load.h"


#define VM_RANKS_LONGEST  1024          /* bytes of a token */


typedef struct {
    const char  *text;
    uint32_t     id;
} vm_ranks_special_t;

typedef struct {
    const char          *name;          /* somewhere in the file's name */
    uint32_t             ranks;         /* 0: the name alone tells */
    const char          *split;
    vm_ranks_special_t   special[5];
} vm_ranks_kind_t;


/* The first one that fits: longer names go before what they contain. */

static const vm_ranks_kind_t  vm_ranks_kinds[] = {

    { "cl100k", 100256, "cl100k",
      { { "<|endoftext|>", 100257 }, { "<|fim_prefix|>", 100258 },
        { "<|fim_middle|>", 100259 }, { "<|fim_suffix|>", 100260 },
        { "<|endofprompt|>", 100276 } } },

    { "o200k", 199998, "o200k",
      { { "<|endoftext|>", 199999 }, { "<|endofprompt|>", 200018 } } },

    { "p50k_edit", 0, "gpt2",
      { { "<|endoftext|>", 50256 }, { "<|fim_prefix|>", 50281 },
        { "<|fim_middle|>", 50282 }, { "<|fim_suffix|>", 50283 } } },

    { "p50k", 50280, "gpt2", { { "<|endoftext|>", 50256 } } },
    { "r50k", 50256, "gpt2", { { "<|endoftext|>", 50256 } } },
    { "gpt2", 50256, "gpt2", { { "<|endoftext|>", 50256 } } }
};


static const vm_ranks_kind_t *vm_ranks_kind(const char *name, uint32_t n);
static int vm_ranks_line(vm_load_t *l, const char *line, size_t len,
    unsigned number);
static size_t vm_ranks_base64(const char *s, size_t len, char *out);
static int vm_ranks_digit(char c);
static void vm_ranks_merges(vm_bytepair_t *b);


int
vm_load_ranks(vm_load_t *l, const char *name, vm_str_t file)
{
    size_t                  i, n;
    uint32_t                id;
    unsigned                number;
    vm_str_t                s;
    const char             *end, *p;
    vm_bytepair_t          *b;
    const vm_ranks_kind_t  *kind;

    b = l->b;
    b->common.byte_level = 1;
    b->ignore_merges = 1;

    number = 0;

    for (p = file.data; p < file.data + file.len; p = end + 1) {
        end = memchr(p, '\n', (size_t) (file.data + file.len - p));

        if (end == NULL) {
            end = file.data + file.len;
        }

        number++;
        n = (size_t) (end - p);
        n -= n && p[n - 1] == '\r';

        if (n && vm_ranks_line(l, p, n, number) != VM_OK) {
            return VM_ERROR;
        }
    }

    for (i = 0; i < 256; i++) {
        if (b->symbols[i] == VM_NEVER) {
            return vm_load_fail(l, "no rank for the byte 0x%02zx", i);
        }
    }

    kind = vm_ranks_kind(name, b->vocab.used);

    if (kind == NULL) {
        return vm_load_fail(l, "%u ranks are of no known encoding: name the "
                            "file after one, as \"cl100k_base.tiktoken\" or "
                            "\"o200k_base.tiktoken\"", b->vocab.used);
    }

    b->splits[b->nsplits++] = vm_split_named(kind->split);

    for (i = 0; i < vm_nelts(kind->special) && kind->special[i].text; i++) {
        s.data = kind->special[i].text;
        s.len = strlen(s.data);
        id = kind->special[i].id;

        if (id < b->vocab.n && vm_vocab_piece(&b->vocab, id).len) {
            return vm_load_fail(l, "rank %u is a special token of this "
                                "encoding", id);
        }

        vm_vocab_set(&b->vocab, id, s, s, VM_VOCAB_SPECIAL);
        vm_added_set(&b->added, s, id, 0);
    }

    b->common.eos = kind->special[0].id;
    vm_ranks_merges(b);

    return VM_OK;
}


static const vm_ranks_kind_t *
vm_ranks_kind(const char *name, uint32_t n)
{
    size_t  i;

    for (i = 0; i < vm_nelts(vm_ranks_kinds); i++) {
        if (strstr(name, vm_ranks_kinds[i].name)) {
            return &vm_ranks_kinds[i];
        }
    }

    for (i = 0; i < vm_nelts(vm_ranks_kinds); i++) {
        if (vm_ranks_kinds[i].ranks == n) {
            return &vm_ranks_kinds[i];
        }
    }

    return NULL;
}


static int
vm_ranks_line(vm_load_t *l, const char *line, size_t len, unsigned number)
{
    char            bytes[VM_RANKS_LONGEST];
    size_t          i, n;
    uint32_t        rank;
    vm_buf_t        piece;
    vm_str_t        s, spelled;
    const char     *space;
    vm_bytepair_t  *b;

    b = l->b;
    space = memchr(line, ' ', len);
    n = space ? (size_t) (space - line) : 0;

    if (n == 0 || n > sizeof(bytes)) {
        return vm_load_fail(l, "line %u: not a token in base64 and its rank",
                            number);
    }

    s.data = bytes;
    s.len = vm_ranks_base64(line, n, bytes);

    rank = 0;

    for (i = n + 1; i < len; i++) {
        if (line[i] < '0' || line[i] > '9') {
            break;
        }

        if (rank < VM_VOCAB_MAX) {
            rank = rank * 10 + (uint32_t) (line[i] - '0');
        }
    }

    if (s.len == 0 || i < len || len == n + 1) {
        return vm_load_fail(l, "line %u: not a token in base64 and its rank",
                            number);
    }

    if (rank >= VM_VOCAB_MAX) {
        return vm_load_fail(l, "line %u: a rank beyond %u", number,
                            VM_VOCAB_MAX - 1);
    }

    if ((rank < b->vocab.n && vm_vocab_piece(&b->vocab, rank).len)
        || vm_vocab_find(&b->vocab, s.data, s.len) != VM_NEVER)
    {
        return vm_load_fail(l, "line %u: the rank or the token is there "
                            "already", number);
    }

    vm_buf_init(&piece);
    vm_byte_spell(s, &piece);

    spelled.data = piece.data ? piece.data : "";
    spelled.len = piece.len;

    vm_vocab_set(&b->vocab, rank, s, spelled, 0);
    b->vocab.failed |= piece.failed;
    vm_buf_free(&piece);

    if (!b->vocab.failed) {
        vm_vocab_index(&b->vocab, rank);
    }

    if (s.len == 1) {
        b->symbols[(unsigned char) bytes[0]] = rank;
    }

    return b->vocab.failed ? vm_load_fail(l, "no memory") : VM_OK;
}


/* How many bytes: 0 if it is no base64. */

static size_t
vm_ranks_base64(const char *s, size_t len, char *out)
{
    int       digit;
    size_t    i, n;
    uint32_t  bits;

    if (len % 4) {
        return 0;
    }

    while (len && s[len - 1] == '=' && len % 4 != 2) {
        len--;
    }

    bits = 0;
    n = 0;

    for (i = 0; i < len; i++) {
        digit = vm_ranks_digit(s[i]);

        if (digit < 0) {
            return 0;
        }

        bits = bits << 6 | (uint32_t) digit;

        if (i % 4) {
            out[n++] = (char) (bits >> (6 - 2 * (i % 4)));
        }
    }

    return n;
}


static int
vm_ranks_digit(char c)
{
    const char  *p;

    static const char  digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789+/";

    p = memchr(digits, c, sizeof(digits) - 1);

    return p ? (int) (p - digits) : -1;
}


/* Two tokens become the one that has the bytes of both. */

static void
vm_ranks_merges(vm_bytepair_t *b)
{
    size_t    i;
    uint32_t  id, left, right;
    vm_str_t  s;

    for (id = 0; id < b->vocab.n; id++) {

        if (b->vocab.tokens[id].flags & VM_VOCAB_SPECIAL) {
            continue;
        }

        s = vm_vocab_bytes(&b->vocab, id);

        for (i = 1; i < s.len; i++) {
            left = vm_vocab_find(&b->vocab, s.data, i);

            if (left == VM_NEVER) {
                continue;
            }

            right = vm_vocab_find(&b->vocab, s.data + i, s.len - i);

            if (right != VM_NEVER) {
                vm_merges_add(&b->merges, left, right, id, id);
            }
        }
    }
}
