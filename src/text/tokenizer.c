/*
 * The front of all tokenizers: lists of ids, calls through the table of the
 * kind, and what is derived from any vocabulary in the same way.
 */

#include <stdlib.h>
#include "tokenizer_kind.h"
#include "words.h"


#define VM_IDS_MIN    64
#define VM_WORD_MAX   32            /* bytes of a word and its space */


static uint32_t vm_tokenizer_single(const vm_tokenizer_t *t, const char *text,
    size_t len, vm_ids_t *scratch);
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
    return t->kind->encode(t, text, len, max, out);
}


vm_str_t
vm_tokenizer_bytes(const vm_tokenizer_t *t, uint32_t id)
{
    static const vm_str_t  none = vm_str("");

    return id < t->vocab ? t->kind->bytes(t, id) : none;
}


vm_str_t
vm_tokenizer_piece(const vm_tokenizer_t *t, uint32_t id)
{
    static const vm_str_t  none = vm_str("");

    return id < t->vocab ? t->kind->piece(t, id) : none;
}


int
vm_tokenizer_special(const vm_tokenizer_t *t, uint32_t id)
{
    return id < t->vocab ? t->kind->special(t, id) : 0;
}


const vm_vocab_words_t *
vm_tokenizer_words(const vm_tokenizer_t *t)
{
    return &t->words;
}


int
vm_tokenizer_finish(vm_tokenizer_t *t)
{
    char               text[VM_WORD_MAX];
    size_t             i, len;
    uint32_t           chars, id;
    vm_str_t           bytes;
    vm_ids_t           scratch;
    vm_vocab_word_t   *w;
    vm_vocab_words_t  *words;

    t->longest = 1;

    for (id = 0; id < t->vocab; id++) {
        bytes = t->kind->bytes(t, id);
        chars = 0;

        for (i = 0; i < bytes.len; i++) {
            chars += ((unsigned char) bytes.data[i] & 0xc0) != 0x80;
        }

        t->longest = vm_max(t->longest, chars);
    }

    words = &t->words;

    for (i = 0; vm_words[i]; i++) { /* void */ }

    words->n = 0;
    words->list = malloc((i + 1) * sizeof(vm_vocab_word_t));
    if (words->list == NULL) {
        return VM_ERROR;
    }

    vm_ids_init(&scratch);

    words->comma = vm_tokenizer_single(t, ",", 1, &scratch);
    words->stop = vm_tokenizer_single(t, ".", 1, &scratch);

    for (i = 0; vm_words[i]; i++) {
        len = strlen(vm_words[i]);

        if (len + 1 > sizeof(text)) {
            continue;
        }

        text[0] = ' ';
        memcpy(text + 1, vm_words[i], len);

        w = &words->list[words->n];

        w->within = vm_tokenizer_single(t, text, len + 1, &scratch);
        if (w->within == VM_NEVER) {
            continue;
        }

        text[1] -= 'a' - 'A';

        w->capital = vm_tokenizer_single(t, text, len + 1, &scratch);
        w->initial = vm_tokenizer_single(t, text + 1, len, &scratch);

        words->n++;
    }

    if (words->n == 0) {
        w = &words->list[words->n++];
        w->within = vm_tokenizer_plain(t);
        w->capital = VM_NEVER;
        w->initial = VM_NEVER;
    }

    id = scratch.failed;
    vm_ids_free(&scratch);

    return id ? VM_ERROR : VM_OK;
}


/* The id that a text is, if it is one token. */

static uint32_t
vm_tokenizer_single(const vm_tokenizer_t *t, const char *text, size_t len,
    vm_ids_t *scratch)
{
    scratch->n = 0;

    if (t->kind->encode(t, text, len, 2, scratch) != VM_OK
        || scratch->n != 1)
    {
        return VM_NEVER;
    }

    return scratch->ids[0];
}


/* Any token that has text: a vocabulary without one English word. */

static uint32_t
vm_tokenizer_plain(const vm_tokenizer_t *t)
{
    uint32_t  id;
    vm_str_t  bytes;

    for (id = 0; id < t->vocab; id++) {
        bytes = t->kind->bytes(t, id);

        if (bytes.len && !t->kind->special(t, id)
            && (unsigned char) bytes.data[0] > ' '
            && (unsigned char) bytes.data[0] < 0x7f)
        {
            return id;
        }
    }

    return 0;
}
