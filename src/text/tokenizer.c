/*
 * The front of all tokenizers: lists of ids, calls through the table of the
 * kind, and what is derived from any vocabulary in the same way.
 */

#include <stdlib.h>
#include "spell.h"
#include "tokenizer_kind.h"
#include "unicode.h"
#include "words.h"


#define VM_IDS_MIN    64
#define VM_WORD_MAX   32            /* bytes of a word, its space and a mark */
#define VM_WORD_AGAIN 8


static size_t vm_tokenizer_byte_run(const vm_tokenizer_t *t,
    const uint32_t *ids, size_t n, vm_buf_t *out);
static int vm_tokenizer_byte(const vm_tokenizer_t *t, uint32_t id);
static vm_str_t vm_tokenizer_strip(const vm_tokenizer_t *t, vm_str_t s);
static void vm_tokenizer_word(vm_tokenizer_t *t, const char *text,
    vm_ids_t *scratch);
static uint32_t vm_tokenizer_single(const vm_tokenizer_t *t, const char *text,
    size_t len, int inside, vm_ids_t *scratch);
static int vm_tokenizer_pair(const vm_tokenizer_t *t, const char *word,
    size_t len, uint32_t first, uint32_t second, char mark,
    vm_ids_t *scratch);
static uint32_t vm_tokenizer_plain(const vm_tokenizer_t *t);


void
vm_ids_init(vm_ids_t *l)
{
    memset(l, 0, sizeof(vm_ids_t));
}


void
vm_ids_free(vm_ids_t *l)
{
    free(l->ids);
    vm_ids_init(l);
}


void
vm_ids_add(vm_ids_t *l, uint32_t id)
{
    size_t     size;
    uint32_t  *ids;

    if (l->n == l->size) {
        size = vm_max(l->size * 2, VM_IDS_MIN);

        ids = realloc(l->ids, size * sizeof(uint32_t));
        if (ids == NULL) {
            l->failed = 1;
            return;
        }

        l->ids = ids;
        l->size = size;
    }

    l->ids[l->n++] = id;
}


void
vm_tokenizer_free(vm_tokenizer_t *t)
{
    if (t == NULL) {
        return;
    }

    free(t->words.list);
    t->kind->free(t);
}


uint32_t
vm_tokenizer_vocab(const vm_tokenizer_t *t)
{
    return t->vocab;
}


uint32_t
vm_tokenizer_bos(const vm_tokenizer_t *t)
{
    return t->bos;
}


uint32_t
vm_tokenizer_eos(const vm_tokenizer_t *t)
{
    return t->eos;
}


uint32_t
vm_tokenizer_longest(const vm_tokenizer_t *t)
{
    return t->longest;
}


int
vm_tokenizer_encode(const vm_tokenizer_t *t, const char *text, size_t len,
    size_t max, vm_ids_t *out)
{
    return t->kind->encode(t, text, len, max, 0, out);
}


int
vm_tokenizer_encode_prompt(const vm_tokenizer_t *t, const char *text,
    size_t len, size_t max, vm_ids_t *out)
{
    if (t->bos != VM_NEVER && (len || t->bos_alone)) {
        vm_ids_add(out, t->bos);

        if (max && --max == 0) {
            return out->failed ? VM_ERROR : VM_OK;
        }
    }

    return t->kind->encode(t, text, len, max, 0, out);
}


void
vm_tokenizer_decode(const vm_tokenizer_t *t, const uint32_t *ids, size_t n,
    vm_buf_t *out)
{
    size_t    end, i, k;
    vm_buf_t  text;
    vm_str_t  s;

    vm_buf_init(&text);
    end = 0;

    for (i = 0; i < n; i += k) {
        k = t->byte_tokens
            ? vm_tokenizer_byte_run(t, ids + i, n - i, &text) : 0;

        if (k == 0) {
            s = vm_tokenizer_special(t, ids[i])
                ? vm_tokenizer_piece(t, ids[i])
                : vm_tokenizer_bytes(t, ids[i]);

            vm_buf_add(&text, s.data, s.len);
            k = 1;
        }

        end = i ? end : text.len;       /* of the first one */
    }

    s.data = text.data;
    s.len = end;
    end -= vm_tokenizer_strip(t, s).len;

    if (text.len) {
        vm_utf8_repair(text.data + end, text.len - end, out);
    }

    out->failed |= text.failed;
    vm_buf_free(&text);
}


/*
 * Byte tokens together are a text, or each is U+FFFD.  How many there were.
 */

static size_t
vm_tokenizer_byte_run(const vm_tokenizer_t *t, const uint32_t *ids, size_t n,
    vm_buf_t *out)
{
    size_t    i, k;
    vm_buf_t  run;
    vm_str_t  s;

    vm_buf_init(&run);

    for (i = 0; i < n && vm_tokenizer_byte(t, ids[i]); i++) {
        s = vm_tokenizer_bytes(t, ids[i]);
        vm_buf_add(&run, s.data, s.len);
    }

    if (vm_utf8_valid(run.data, run.len) == run.len) {
        vm_buf_add(out, run.data, run.len);

    } else {
        for (k = 0; k < i; k++) {
            vm_buf_lit(out, "\xef\xbf\xbd");
        }
    }

    out->failed |= run.failed;
    vm_buf_free(&run);

    return i;
}


static int
vm_tokenizer_byte(const vm_tokenizer_t *t, uint32_t id)
{
    vm_str_t  s;

    s = vm_tokenizer_piece(t, id);

    return s.len == 6 && memcmp(s.data, "<0x", 3) == 0
           && vm_tokenizer_bytes(t, id).len == 1;
}


vm_str_t
vm_tokenizer_bytes(const vm_tokenizer_t *t, uint32_t id)
{
    static const vm_str_t  none = vm_str("");

    return id < t->vocab ? t->kind->bytes(t, id) : none;
}


vm_str_t
vm_tokenizer_first(const vm_tokenizer_t *t, uint32_t id)
{
    return vm_tokenizer_strip(t, vm_tokenizer_bytes(t, id));
}


static vm_str_t
vm_tokenizer_strip(const vm_tokenizer_t *t, vm_str_t s)
{
    uint32_t  i;

    for (i = 0; i < t->strip && s.len && s.data[0] == ' '; i++) {
        s.data++;
        s.len--;
    }

    return s;
}


vm_str_t
vm_tokenizer_piece(const vm_tokenizer_t *t, uint32_t id)
{
    static const vm_str_t  none = vm_str("");

    return id < t->vocab ? t->kind->piece(t, id) : none;
}


void
vm_tokenizer_read(const vm_tokenizer_t *t, vm_str_t piece, int first,
    vm_buf_t *out)
{
    vm_buf_t  text;
    vm_str_t  s;

    if (piece.len == 0) {
        return;
    }

    vm_buf_init(&text);

    if (vm_utf8_valid(piece.data, piece.len) < piece.len) {
        vm_buf_add(&text, piece.data, piece.len);

    } else if (t->byte_level) {
        (void) vm_byte_read(piece, &text);

    } else {
        vm_mark_read(piece, 1, &text);
    }

    if (text.len) {
        s.data = text.data;
        s.len = text.len;
        s = first ? vm_tokenizer_strip(t, s) : s;
        vm_buf_add(out, s.data, s.len);
    }

    out->failed |= text.failed;
    vm_buf_free(&text);
}


int
vm_tokenizer_special(const vm_tokenizer_t *t, uint32_t id)
{
    return id < t->vocab ? t->kind->special(t, id) : 0;
}


void
vm_tokenizer_range(const vm_tokenizer_t *t, uint32_t *first, uint32_t *n)
{
    *first = t->first;
    *n = t->run;
}


const vm_vocab_words_t *
vm_tokenizer_words(const vm_tokenizer_t *t)
{
    return &t->words;
}


int
vm_tokenizer_finish(vm_tokenizer_t *t)
{
    size_t             i;
    uint32_t           chars, id, start;
    vm_str_t           piece;
    vm_ids_t           scratch;
    vm_vocab_word_t   *w;
    vm_vocab_words_t  *words;

    t->longest = 1;
    t->first = 0;
    t->run = 1;
    start = 0;

    for (id = 0; id < t->vocab; id++) {
        piece = t->kind->piece(t, id);
        chars = 0;

        for (i = 0; i < piece.len; i++) {
            chars += ((unsigned char) piece.data[i] & 0xc0) != 0x80;
        }

        t->longest = vm_max(t->longest, chars);

        if (t->kind->bytes(t, id).len == 0 || t->kind->special(t, id)
            || vm_tokenizer_byte(t, id))
        {
            start = id + 1;

        } else if (id + 1 - start > t->run) {
            t->first = start;
            t->run = id + 1 - start;
        }
    }

    words = &t->words;

    for (i = 0; vm_words[i]; i++) { /* void */ }

    words->n = 0;
    words->list = malloc((i + 1) * sizeof(vm_vocab_word_t));
    if (words->list == NULL) {
        return VM_ERROR;
    }

    vm_ids_init(&scratch);

    words->comma = vm_tokenizer_single(t, ",", 1, 1, &scratch);
    words->stop = vm_tokenizer_single(t, ".", 1, 1, &scratch);

    for (i = 0; vm_words[i]; i++) {
        vm_tokenizer_word(t, vm_words[i], &scratch);
    }

    if (words->n == 0) {
        w = &words->list[words->n++];
        w->within = vm_tokenizer_plain(t);
        w->capital = VM_NEVER;
        w->initial = VM_NEVER;
        words->comma = VM_NEVER;
        words->stop = VM_NEVER;
    }

    id = scratch.failed;
    vm_ids_free(&scratch);

    return id ? VM_ERROR : VM_OK;
}


/* A word for writers, if it is one token in any text that they write. */

static void
vm_tokenizer_word(vm_tokenizer_t *t, const char *text, vm_ids_t *scratch)
{
    char               word[VM_WORD_MAX];
    size_t             len;
    vm_vocab_word_t   *w;
    vm_vocab_words_t  *words;

    words = &t->words;
    len = strlen(text);

    if (len + 2 > sizeof(word)
        || (t->joins && t->joins[(unsigned char) text[len - 1]]))
    {
        return;
    }

    word[0] = ' ';
    memcpy(word + 1, text, len);

    w = &words->list[words->n];
    w->within = vm_tokenizer_single(t, word, len + 1, 1, scratch);

    if (w->within == VM_NEVER
        || !vm_tokenizer_pair(t, word, len + 1, w->within, words->comma, ',',
                              scratch)
        || !vm_tokenizer_pair(t, word, len + 1, w->within, words->stop, '.',
                              scratch))
    {
        return;
    }

    word[1] -= 'a' - 'A';

    w->capital = vm_tokenizer_single(t, word, len + 1, 1, scratch);
    w->initial = vm_tokenizer_single(t, word + 1, len, 0, scratch);

    words->n++;
}


/* The id that a text is, if it is one token. */

static uint32_t
vm_tokenizer_single(const vm_tokenizer_t *t, const char *text, size_t len,
    int inside, vm_ids_t *scratch)
{
    scratch->n = 0;

    if (t->kind->encode(t, text, len, 2, inside, scratch) != VM_OK
        || scratch->n != 1
        || (len == 1 && t->joins && t->joins[(unsigned char) *text]))
    {
        return VM_NEVER;
    }

    return scratch->ids[0];
}


/* Whether a mark behind a word leaves it as it is. */

static int
vm_tokenizer_pair(const vm_tokenizer_t *t, const char *word, size_t len,
    uint32_t first, uint32_t second, char mark, vm_ids_t *scratch)
{
    char  text[VM_WORD_MAX];

    if (second == VM_NEVER) {
        return 1;
    }

    memcpy(text, word, len);
    text[len] = mark;
    scratch->n = 0;

    return t->kind->encode(t, text, len + 1, 3, 1, scratch) == VM_OK
           && scratch->n == 2 && scratch->ids[0] == first
           && scratch->ids[1] == second;
}


/*
 * A vocabulary without one English word: any token that is encoded to itself
 * when it is written again and again, else any that has text.
 */

static uint32_t
vm_tokenizer_plain(const vm_tokenizer_t *t)
{
    int       i, rc;
    uint32_t  any, id;
    vm_buf_t  text;
    vm_ids_t  ids;
    vm_str_t  s;

    vm_buf_init(&text);
    vm_ids_init(&ids);
    any = VM_NEVER;

    for (id = 0; id < t->vocab; id++) {
        s = t->kind->bytes(t, id);

        if (s.len == 0 || s.len > VM_WORD_MAX || t->kind->special(t, id)) {
            continue;
        }

        any = any == VM_NEVER ? id : any;

        vm_buf_reset(&text);
        ids.n = 0;

        for (i = 0; i < VM_WORD_AGAIN; i++) {
            s = i ? s : vm_tokenizer_first(t, id);
            vm_buf_add(&text, s.data, s.len);
            s = t->kind->bytes(t, id);
        }

        rc = text.len ? t->kind->encode(t, text.data, text.len, 0, 0, &ids)
                      : VM_ERROR;

        for (i = 0; rc == VM_OK && i < (int) ids.n && ids.ids[i] == id; i++) {
            /* void */
        }

        if (rc == VM_OK && i == VM_WORD_AGAIN && i == (int) ids.n) {
            any = id;
            break;
        }
    }

    vm_buf_free(&text);
    vm_ids_free(&ids);

    return any == VM_NEVER ? 0 : any;
}
