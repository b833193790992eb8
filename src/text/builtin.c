/*
 * The built-in tokenizer: a vocabulary of Llama 2's size and order of kinds
 * (special tokens, bytes, text), made of word lists and syllables, and matched
 * greedily by a trie.
 *
 * No piece but those of spaces alone has a space behind its first byte, and a
 * run of spaces gives its last one to what follows if that has such a piece.  So a token boundary
 * before a space is one in whatever follows, and text can be continued by words
 * without changing the ids that it has, wherever it was cut.
 */

#include <stdio.h>
#include <stdlib.h>
#include "../base/buf.h"
#include "tokenizer_kind.h"
#include "words.h"


#define VM_BUILTIN_VOCAB     32000
#define VM_BUILTIN_UNK       0
#define VM_BUILTIN_BOS       1
#define VM_BUILTIN_EOS       2
#define VM_BUILTIN_SPECIAL   3
#define VM_BUILTIN_TEXT      (VM_BUILTIN_SPECIAL + 256)

#define VM_BUILTIN_SPACES    64     /* the longest run that is one token */
#define VM_BUILTIN_PIECE     (VM_BUILTIN_SPACES + 1)

/* edges of the trie: a hash table of this many bits */
#define VM_BUILTIN_BITS      17
#define VM_BUILTIN_EDGES     (1u << VM_BUILTIN_BITS)


typedef struct {
    uint32_t         bytes;         /* offsets in `text` */
    uint32_t         piece;
    uint16_t         bytes_len;
    uint16_t         piece_len;
} vm_builtin_entry_t;


typedef struct {
    uint32_t         key;           /* parent node and byte */
    uint32_t         node;          /* 0: a free entry, for the root has none */
} vm_builtin_edge_t;


typedef struct {
    vm_tokenizer_t      common;

    vm_buf_t            text;
    vm_builtin_entry_t  entries[VM_BUILTIN_VOCAB];

    uint32_t            nnodes;
    uint32_t            ids[VM_BUILTIN_EDGES];      /* by node; 0: none */
    vm_builtin_edge_t   edges[VM_BUILTIN_EDGES];
} vm_builtin_t;


static uint32_t vm_builtin_walk(const vm_builtin_t *b, uint32_t node,
    unsigned char c);
static void vm_builtin_entry(vm_builtin_t *b, uint32_t id, const char *bytes,
    size_t len, const char *piece, size_t piece_len);
static void vm_builtin_add(vm_builtin_t *b, const char *s, size_t len);
static void vm_builtin_fill(vm_builtin_t *b);
static void vm_builtin_word(vm_builtin_t *b, const char *word);
static void vm_builtin_syllables(vm_builtin_t *b);
static int vm_builtin_encode(const vm_tokenizer_t *t, const char *text,
    size_t len, size_t max, int inside, vm_ids_t *out);
static uint32_t vm_builtin_match(const vm_builtin_t *b, const char *text,
    size_t len, size_t *match);
static void vm_builtin_spaces(const vm_builtin_t *b, size_t n, size_t max,
    vm_ids_t *out);
static vm_str_t vm_builtin_bytes(const vm_tokenizer_t *t, uint32_t id);
static vm_str_t vm_builtin_piece(const vm_tokenizer_t *t, uint32_t id);
static int vm_builtin_special(const vm_tokenizer_t *t, uint32_t id);
static void vm_builtin_free(vm_tokenizer_t *t);


static const vm_tokenizer_kind_t  vm_builtin_kind = {
    vm_builtin_encode,
    vm_builtin_bytes,
    vm_builtin_piece,
    vm_builtin_special,
    vm_builtin_free
};


static const uint8_t  vm_builtin_runs[] = {
    64, 32, 24, 20, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1
};


static const char *const  vm_builtin_marks[] = {
    "\n", "\n\n", "\n\n\n", "\r\n", "\t", "\t\t", "\t\t\t", "\t\t\t\t",
    "...", "..", "--", "---", "----", "==", "===", "!=", "<=", ">=", "+=",
    "-=", "*=", "/=", "->", "=>", "<-", "&&", "||", "<<", ">>", "++", "**",
    "***", "//", "///", "/*", "*/", "://", "::", ":=", "()", "();", "{}",
    "[]", "{{", "}}", "[[", "]]", "((", "))", "})", "({", "\"\"", "''", "\\n",
    "\\\"", "\":", "\",", "\"}", "{\"", "[\"", "\"]", "\"\"\"", "```", "``",
    "</", "/>", "\">", "=\"", "<!--", "-->", "##", "###", "####", "__", "_(",
    "._", "$(", "${", "%s", "%d", "?!", "!!", "!!!", "??", "???", ".,", "),",
    ").", ");", "],", "];", "};", "},", "',", "';", "'s", "'t", "'re", "'ve",
    "'ll", "'d", "'m", "n't", " (", " \"", " '", " -", " --", " =", " ==",
    " {", " }", " [", " <", " >", " +", " *", " /", " //", " &", " &&", " |",
    " ||", " #", " $", " @", " %", " !", " !=", " :", " :=", " =>", " ->",
    " <=", " >=", " +=", " `", " ~", " \\", " _", " ...", " ?", " .", " ,",
    " ;", " )", " ]", " ()", " []", " {}", " {\"", " [\"",
    "----------------------------------------------------------------",
    "================================================================",
    "********************************",
    "################################",
    "--------------------------------", "================================",
    "----------------", "================", "________________",
    "--------", "========", "________",
    "\xe2\x80\x98", "\xe2\x80\x99", "\xe2\x80\x9c", "\xe2\x80\x9d",
    "\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x80\xa6", "\xe2\x80\xa2",
    "\xe2\x82\xac", "\xe2\x86\x92", "\xe2\x80\x99s", "\xe2\x80\x99t",
    " \xe2\x80\x93", " \xe2\x80\x94", " \xe2\x80\x9c", "\xef\xbb\xbf",
    "\xe3\x80\x81", "\xe3\x80\x82", "\xef\xbc\x8c", "\xe7\x9a\x84"
};


static const char *const  vm_builtin_onsets[] = {
    "b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t",
    "v", "w", "z", "bl", "br", "ch", "cl", "cr", "dr", "fl", "fr", "gl", "gr",
    "ph", "pl", "pr", "qu", "sc", "sh", "sk", "sl", "sm", "sn", "sp", "st",
    "sw", "th", "tr", "tw", "wh", "kn", "wr", "y"
};


static const char *const  vm_builtin_vowels[] = {
    "a", "e", "i", "o", "u", "y", "ai", "ea", "ee", "ie", "oo", "ou"
};


static const char *const  vm_builtin_codas[] = {
    "", "n", "r", "s", "t", "l", "d", "m", "b", "g", "p", "ck", "ll", "nd",
    "ng", "nt", "rd", "rm", "rt", "ss", "st", "ft", "th", "x"
};


vm_tokenizer_t *
vm_tokenizer_builtin(void)
{
    vm_builtin_t  *b;

    b = calloc(1, sizeof(vm_builtin_t));
    if (b == NULL) {
        return NULL;
    }

    b->common.kind = &vm_builtin_kind;
    b->common.bos = VM_NEVER;       /* as of the models that were recorded */
    b->common.eos = VM_BUILTIN_EOS;
    b->nnodes = 1;

    vm_builtin_fill(b);

    if (b->text.failed || b->common.vocab != VM_BUILTIN_VOCAB
        || vm_tokenizer_finish(&b->common) != VM_OK)
    {
        vm_tokenizer_free(&b->common);
        return NULL;
    }

    return &b->common;
}


static void
vm_builtin_fill(vm_builtin_t *b)
{
    char      text[VM_BUILTIN_PIECE];
    size_t    i, n;
    uint32_t  c;

    vm_builtin_entry(b, VM_BUILTIN_UNK, "", 0, "<unk>", 5);
    vm_builtin_entry(b, VM_BUILTIN_BOS, "", 0, "<s>", 3);
    vm_builtin_entry(b, VM_BUILTIN_EOS, "", 0, "</s>", 4);

    for (c = 0; c < 256; c++) {
        snprintf(text, sizeof(text), "<0x%02X>%c", c, (char) c);
        vm_builtin_entry(b, VM_BUILTIN_SPECIAL + c, text + 6, 1, text, 6);
    }

    b->common.vocab = VM_BUILTIN_TEXT;

    for (c = ' '; c < 0x7f; c++) {
        text[0] = (char) c;
        vm_builtin_add(b, text, 1);
    }

    for (i = 0; i < vm_nelts(vm_builtin_runs); i++) {
        n = vm_builtin_runs[i];
        memset(text, ' ', n);
        vm_builtin_add(b, text, n);
    }

    for (i = 0; i < vm_nelts(vm_builtin_marks); i++) {
        vm_builtin_add(b, vm_builtin_marks[i], strlen(vm_builtin_marks[i]));
    }

    /* letters of two bytes: Latin with accents, Greek, Cyrillic */

    for (c = 0xa0; c < 0x460; c++) {
        if (c == 0x180) {
            c = 0x386;
        }

        text[0] = (char) (0xc0 | c >> 6);
        text[1] = (char) (0x80 | (c & 0x3f));
        vm_builtin_add(b, text, 2);
    }

    for (c = 'a'; c <= 'z'; c++) {
        text[0] = ' ';
        text[1] = (char) c;
        vm_builtin_add(b, text, 2);
        text[1] = (char) (c - 'a' + 'A');
        vm_builtin_add(b, text, 2);
    }

    for (i = 0; vm_words[i]; i++) {
        vm_builtin_word(b, vm_words[i]);
    }

    for (i = 0; vm_fragments[i]; i++) {
        vm_builtin_add(b, vm_fragments[i], strlen(vm_fragments[i]));
    }

    vm_builtin_syllables(b);
}


/* " word", "word", " Word", "Word" */

static void
vm_builtin_word(vm_builtin_t *b, const char *word)
{
    char    text[VM_BUILTIN_PIECE];
    size_t  len;

    len = strlen(word);

    text[0] = ' ';
    memcpy(text + 1, word, len);

    vm_builtin_add(b, text, len + 1);
    vm_builtin_add(b, text + 1, len);

    text[1] -= 'a' - 'A';

    vm_builtin_add(b, text, len + 1);
    vm_builtin_add(b, text + 1, len);
}


/* All that is left of the vocabulary, plain endings first. */

static void
vm_builtin_syllables(vm_builtin_t *b)
{
    int     n;
    char    text[VM_BUILTIN_PIECE];
    size_t  c, o, v;

    for (c = 0; c < vm_nelts(vm_builtin_codas); c++) {
        for (o = 0; o < vm_nelts(vm_builtin_onsets); o++) {
            for (v = 0; v < vm_nelts(vm_builtin_vowels); v++) {

                n = snprintf(text, sizeof(text), " %s%s%s",
                             vm_builtin_onsets[o], vm_builtin_vowels[v],
                             vm_builtin_codas[c]);

                vm_builtin_add(b, text, (size_t) n);
                vm_builtin_add(b, text + 1, (size_t) n - 1);
            }
        }
    }
}


/* The next piece of text, unless it is there or the vocabulary is full. */

static void
vm_builtin_add(vm_builtin_t *b, const char *s, size_t len)
{
    char                piece[3 * VM_BUILTIN_PIECE];
    size_t              i, n;
    uint32_t            key, node, next, slot;

    if (b->common.vocab == VM_BUILTIN_VOCAB) {
        return;
    }

    node = 0;

    for (i = 0; i < len; i++) {
        next = vm_builtin_walk(b, node, (unsigned char) s[i]);

        if (next == 0) {

            if (b->nnodes > VM_BUILTIN_EDGES / 4 * 3) {
                return;
            }

            next = b->nnodes++;
            key = node << 8 | (unsigned char) s[i];
            slot = key * 0x9e3779b1u >> (32 - VM_BUILTIN_BITS);

            while (b->edges[slot].node) {
                slot = (slot + 1) % VM_BUILTIN_EDGES;
            }

            b->edges[slot].key = key;
            b->edges[slot].node = next;
        }

        node = next;
    }

    if (b->ids[node]) {
        return;
    }

    for (i = 0, n = 0; i < len; i++) {
        if (s[i] == ' ') {
            memcpy(piece + n, "\xe2\x96\x81", 3);
            n += 3;

        } else {
            piece[n++] = s[i];
        }
    }

    b->ids[node] = b->common.vocab;
    vm_builtin_entry(b, b->common.vocab++, s, len, piece, n);
}


static void
vm_builtin_entry(vm_builtin_t *b, uint32_t id, const char *bytes, size_t len,
    const char *piece, size_t piece_len)
{
    vm_builtin_entry_t  *e;

    e = &b->entries[id];

    e->bytes = (uint32_t) b->text.len;
    e->bytes_len = (uint16_t) len;
    vm_buf_add(&b->text, bytes, len);

    e->piece = (uint32_t) b->text.len;
    e->piece_len = (uint16_t) piece_len;
    vm_buf_add(&b->text, piece, piece_len);
}


/* The child of a node, 0 if there is none. */

static uint32_t
vm_builtin_walk(const vm_builtin_t *b, uint32_t node, unsigned char c)
{
    uint32_t                  key, slot;
    const vm_builtin_edge_t  *e;

    key = node << 8 | c;
    slot = key * 0x9e3779b1u >> (32 - VM_BUILTIN_BITS);

    for ( ;; ) {
        e = &b->edges[slot];

        if (e->node == 0 || e->key == key) {
            return e->node;
        }

        slot = (slot + 1) % VM_BUILTIN_EDGES;
    }
}


static int
vm_builtin_encode(const vm_tokenizer_t *t, const char *text, size_t len,
    size_t max, int inside, vm_ids_t *out)
{
    size_t               i, match, run;
    uint32_t             id;
    const vm_builtin_t  *b;

    (void) inside;

    b = (const vm_builtin_t *) t;
    max = max ? out->n + max : SIZE_MAX;
    i = 0;

    while (i < len && out->n < max && !out->failed) {

        if (text[i] == ' ') {
            for (run = 1; i + run < len && text[i + run] == ' '; run++) {
                /* void */
            }

            if (i + run < len) {
                (void) vm_builtin_match(b, text + i + run - 1,
                                        len - i - run + 1, &match);

                if (match > 1) {
                    run--;
                }
            }

            if (run) {
                vm_builtin_spaces(b, run, max, out);
                i += run;
                continue;
            }
        }

        id = vm_builtin_match(b, text + i, len - i, &match);

        if (id == 0) {
            id = VM_BUILTIN_SPECIAL + (unsigned char) text[i];
        }

        vm_ids_add(out, id);
        i += match;
    }

    return out->failed ? VM_ERROR : VM_OK;
}


/* The longest piece that a text begins with; 0 and one byte if none. */

static uint32_t
vm_builtin_match(const vm_builtin_t *b, const char *text, size_t len,
    size_t *match)
{
    size_t    i;
    uint32_t  id, node;

    id = 0;
    node = 0;
    *match = 1;

    for (i = 0; i < len; i++) {
        node = vm_builtin_walk(b, node, (unsigned char) text[i]);

        if (node == 0) {
            break;
        }

        if (b->ids[node]) {
            id = b->ids[node];
            *match = i + 1;
        }
    }

    return id;
}


static void
vm_builtin_spaces(const vm_builtin_t *b, size_t n, size_t max, vm_ids_t *out)
{
    size_t    i, k;
    uint32_t  node;

    i = 0;

    while (n && out->n < max && !out->failed) {

        while (vm_builtin_runs[i] > n) {
            i++;
        }

        node = 0;

        for (k = 0; k < vm_builtin_runs[i]; k++) {
            node = vm_builtin_walk(b, node, ' ');
        }

        vm_ids_add(out, b->ids[node]);
        n -= vm_builtin_runs[i];
    }
}


static vm_str_t
vm_builtin_bytes(const vm_tokenizer_t *t, uint32_t id)
{
    vm_str_t             s;
    const vm_builtin_t  *b;

    b = (const vm_builtin_t *) t;

    s.data = b->text.data + b->entries[id].bytes;
    s.len = b->entries[id].bytes_len;

    return s;
}


static vm_str_t
vm_builtin_piece(const vm_tokenizer_t *t, uint32_t id)
{
    vm_str_t             s;
    const vm_builtin_t  *b;

    b = (const vm_builtin_t *) t;

    s.data = b->text.data + b->entries[id].piece;
    s.len = b->entries[id].piece_len;

    return s;
}


static int
vm_builtin_special(const vm_tokenizer_t *t, uint32_t id)
{
    (void) t;

    return id < VM_BUILTIN_SPECIAL;
}


static void
vm_builtin_free(vm_tokenizer_t *t)
{
    vm_builtin_t  *b;

    b = (vm_builtin_t *) t;

    vm_buf_free(&b->text);
    free(b);
}
