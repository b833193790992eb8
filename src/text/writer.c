/*
 * The words of a model that has nothing to say.  Positions after the lead are
 * cut into spans of a fixed length, and each span has one full stop in its
 * second half and perhaps a comma in its first: so a token's part follows from
 * its span and the one before, however long the text is.
 */

#include "../base/rand.h"
#include "writer.h"


#define VM_WRITER_SPAN    16        /* positions; a power of two */
#define VM_WRITER_STREAM  0x77726974ULL


static uint32_t vm_writer_stop(const vm_writer_t *w, uint32_t span);
static int vm_writer_sentence(const vm_writer_t *w, uint32_t rel);
static int vm_writer_after_stop(const vm_writer_t *w);


uint32_t
vm_writer_token(const vm_writer_t *w, uint32_t pos)
{
    double                   unit;
    uint32_t                 at, comma, i, rel, span;
    uint64_t                 r;
    const vm_vocab_word_t   *word;
    const vm_vocab_words_t  *words;

    if (pos < w->nlead) {
        return w->lead[pos];
    }

    words = vm_tokenizer_words(w->tokenizer);

    rel = pos - w->nlead;
    span = rel / VM_WRITER_SPAN;
    at = rel % VM_WRITER_SPAN;

    if (at == vm_writer_stop(w, span) && words->stop != VM_NEVER) {
        return words->stop;
    }

    /* half of the spans have a comma, at 2 to 5 */

    comma = 2 + (uint32_t) (vm_rand_at(w->key ^ VM_WRITER_STREAM,
                                       2 * (uint64_t) span + 1) >> 61);

    if (at == comma && comma < 6 && words->comma != VM_NEVER) {
        return words->comma;
    }

    /* the frequent words more often */

    r = vm_rand_at(w->key, rel);
    unit = vm_rand_unit(r);
    i = (uint32_t) (unit * unit * words->n);

    word = &words->list[vm_min(i, words->n - 1)];

    if (pos == 0 && word->initial != VM_NEVER) {
        return word->initial;
    }

    if (vm_writer_sentence(w, rel) && word->capital != VM_NEVER) {
        return word->capital;
    }

    return word->within;
}


int
vm_writer_lead(vm_writer_t *w, const char *text, size_t len, vm_ids_t *ids)
{
    int       rc;
    size_t    n;
    uint32_t  id;
    vm_buf_t  b;
    vm_ids_t  both;
    vm_str_t  word;

    vm_buf_init(&b);
    vm_ids_init(&both);

    rc = vm_tokenizer_encode(w->tokenizer, text, len, 0, ids);
    n = ids->n;

    /* with a word behind it, the same ids and that one? */

    id = vm_tokenizer_words(w->tokenizer)->list[0].within;
    word = vm_tokenizer_bytes(w->tokenizer, id);

    vm_buf_add(&b, text, len);
    vm_buf_add(&b, word.data, word.len);

    if (rc == VM_OK && !b.failed) {
        rc = vm_tokenizer_encode(w->tokenizer, b.data, b.len, 0, &both);
    }

    if (rc == VM_OK
        && (both.n != n + 1 || both.ids[n] != id
            || (n && memcmp(both.ids, ids->ids, n * sizeof(uint32_t)) != 0)))
    {
        ids->n = 0;

        for (n = 0; n < both.n; n++) {
            vm_ids_add(ids, both.ids[n]);
        }
    }

    if (b.failed || ids->failed) {
        rc = VM_ERROR;
    }

    w->lead = ids->ids;
    w->nlead = (uint32_t) ids->n;

    vm_buf_free(&b);
    vm_ids_free(&both);

    return rc;
}


/* Where the full stop of a span is: in its second half. */

static uint32_t
vm_writer_stop(const vm_writer_t *w, uint32_t span)
{
    uint64_t  r;

    r = vm_rand_at(w->key ^ VM_WRITER_STREAM, 2 * (uint64_t) span);

    return VM_WRITER_SPAN / 2 + (uint32_t) (r >> 61);
}


/* Whether a sentence begins here. */

static int
vm_writer_sentence(const vm_writer_t *w, uint32_t rel)
{
    uint32_t  before;

    if (rel == 0) {
        return vm_writer_after_stop(w);
    }

    before = rel - 1;

    return before % VM_WRITER_SPAN
           == vm_writer_stop(w, before / VM_WRITER_SPAN);
}


static int
vm_writer_after_stop(const vm_writer_t *w)
{
    char      c;
    vm_str_t  bytes;

    if (w->nlead == 0) {
        return 1;
    }

    bytes = vm_tokenizer_bytes(w->tokenizer, w->lead[w->nlead - 1]);

    if (bytes.len == 0) {
        return 1;
    }

    c = bytes.data[bytes.len - 1];

    return c == '.' || c == '!' || c == '?' || c == '\n';
}
