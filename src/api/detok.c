/*
 * Incremental detokenization as vLLM does it: a token's text is what the text
 * of the last tokens grows by, once it ends in a whole character.
 */

#include <string.h>
#include "detok.h"
#include "generation.h"


#define VM_DETOK_SEED     7         /* tokens of a prompt that are kept */
#define VM_DETOK_BEFORE   5         /* ... of them before the text begins */
#define VM_DETOK_CONTEXT  4         /* ids that may help to spell one */


void
vm_detok_init(vm_detok_t *d, const vm_tokenizer_t *t, int skip)
{
    memset(d, 0, sizeof(vm_detok_t));

    d->tokenizer = t;
    d->prev = json_array();
    d->skip = (unsigned) skip;
}


void
vm_detok_free(vm_detok_t *d)
{
    json_decref(d->prev);
}


/* A token as it is spelled; 0: it is one that is left out. */

static int
vm_detok_spell(const vm_tokenizer_t *t, const json_t *id, int skip,
    vm_str_t *out)
{
    vm_int_t  n;

    out->data = "";
    out->len = 0;

    if (!vm_field_int(id, &n) || n.v < 0
        || n.v >= (json_int_t) vm_tokenizer_vocab(t))
    {
        return 1;                       /* unknown: nothing, but there */
    }

    if (skip && vm_tokenizer_special(t, (uint32_t) n.v)) {
        return 0;
    }

    *out = vm_tokenizer_piece(t, (uint32_t) n.v);

    return 1;
}


/* Python's list[from:to] of a list with n elements */

static json_int_t
vm_detok_place(json_int_t i, json_int_t n)
{
    if (i < 0) {
        return vm_max(i + n, 0);
    }

    return vm_min(i, n);
}


/* `first`: what a decoder takes off the beginning of a text is not there. */

static void
vm_detok_text(const vm_tokenizer_t *t, const json_t *tokens, json_int_t from,
    json_int_t to, int first, vm_buf_t *out)
{
    json_t       *item;
    vm_buf_t      bytes;
    vm_str_t      piece;
    json_int_t    n;
    vm_choice_t   c;

    n = (json_int_t) json_array_size(tokens);
    from = vm_detok_place(from, n);
    to = vm_detok_place(to, n);

    memset(&c, 0, sizeof(vm_choice_t));
    vm_buf_init(&bytes);

    for ( /* void */ ; from < to; from++) {
        item = json_array_get(tokens, (size_t) from);
        piece.data = json_string_value(item);
        piece.len = json_string_length(item);

        vm_tokenizer_read(t, piece, first, &bytes);
        first = 0;
    }

    vm_run_decode(&c, bytes.data, bytes.len);
    vm_buf_free(&bytes);

    vm_run_decode_end(&c);
    vm_buf_add(out, c.text.data ? c.text.data : "", c.text.len);
    vm_buf_free(&c.text);
}


static int
vm_detok_unfinished(const vm_buf_t *b)
{
    return b->len >= 3 && memcmp(b->data + b->len - 3, "\xef\xbf\xbd", 3) == 0;
}


void
vm_detok_seed(vm_detok_t *d, const json_t *ids)
{
    size_t    i, n;
    vm_str_t  piece;

    n = json_array_size(ids);

    for (i = n > VM_DETOK_SEED ? n - VM_DETOK_SEED : 0; i < n; i++) {
        if (vm_detok_spell(d->tokenizer, json_array_get(ids, i),
                           (int) d->skip, &piece))
        {
            json_array_append_new(d->prev, json_stringn_nocheck(piece.data,
                                                                piece.len));
        }
    }

    d->read = (json_int_t) json_array_size(d->prev);
    d->prefix = vm_max(d->read - VM_DETOK_BEFORE, 0);
}


static void
vm_detok_id(vm_detok_t *d, const json_t *id, vm_buf_t *out)
{
    size_t       at, chars, i, total;
    json_t      *left;
    vm_buf_t     after, before;
    vm_str_t     piece;
    json_int_t   prefix, read;

    if (vm_detok_spell(d->tokenizer, id, (int) d->skip, &piece)) {
        json_array_append_new(d->prev, json_stringn_nocheck(piece.data,
                                                            piece.len));
    }

    total = json_array_size(d->prev);

    vm_buf_init(&after);
    vm_buf_init(&before);
    vm_detok_text(d->tokenizer, d->prev, d->prefix, d->read, 1, &before);
    vm_detok_text(d->tokenizer, d->prev, d->prefix, (json_int_t) total, 1,
                  &after);

    prefix = d->prefix;
    read = d->read;
    chars = vm_value_chars(before.data ? before.data : "", before.len);

    if (vm_value_chars(after.data ? after.data : "", after.len) > chars
        && !vm_detok_unfinished(&after))
    {
        at = vm_value_prefix(after.data, after.len, chars);
        vm_buf_add(out, after.data + at, after.len - at);
        prefix = read;
        read = (json_int_t) total;
    }

    vm_buf_free(&after);
    vm_buf_free(&before);

    /* no one looks at what is before the prefix again */

    left = json_array();

    for (i = (size_t) vm_detok_place(prefix, (json_int_t) total); i < total;
         i++)
    {
        json_array_append(left, json_array_get(d->prev, i));
    }

    json_decref(d->prev);
    d->prev = left;
    d->read = read - prefix;
    d->prefix = 0;
}


void
vm_detok_ids(vm_detok_t *d, const json_t *ids, vm_buf_t *out)
{
    size_t   i;
    json_t  *id;

    json_array_foreach(ids, i, id) {
        vm_detok_id(d, id, out);
    }
}


/* ---- one token ---- */

/* The text of context[from ..] and, if it is not NULL, of an id. */

static void
vm_detok_whole(const vm_tokenizer_t *t, const json_t *context, size_t from,
    size_t to, const json_t *id, vm_buf_t *out)
{
    json_t    *tokens;
    vm_str_t   piece;

    tokens = json_array();

    for ( /* void */ ; from < to; from++) {
        (void) vm_detok_spell(t, json_array_get(context, from), 0, &piece);
        json_array_append_new(tokens, json_stringn_nocheck(piece.data,
                                                           piece.len));
    }

    if (id) {
        (void) vm_detok_spell(t, id, 0, &piece);
        json_array_append_new(tokens, json_stringn_nocheck(piece.data,
                                                           piece.len));
    }

    vm_detok_text(t, tokens, 0, (json_int_t) json_array_size(tokens), 0, out);
    json_decref(tokens);
}


/* What a token adds to those before it; nothing while it is not whole. */

static void
vm_detok_spelled(const vm_tokenizer_t *t, const json_t *id,
    const json_t *context, vm_buf_t *out)
{
    size_t    clean, from, k, n;
    vm_buf_t  b, full;

    n = json_array_size(context);

    vm_buf_init(&b);
    vm_buf_init(&full);

    for (k = 1; k <= vm_min(n, VM_DETOK_CONTEXT); k++) {
        from = n - k;
        vm_buf_reset(&full);
        vm_detok_whole(t, context, from, n, id, &full);

        if (vm_detok_unfinished(&full)) {
            continue;
        }

        for (clean = n; clean > from; clean--) {
            vm_buf_reset(&b);
            vm_detok_whole(t, context, clean - 1, clean, NULL, &b);

            if (!vm_detok_unfinished(&b)) {
                break;
            }
        }

        vm_buf_reset(&b);
        vm_detok_whole(t, context, from, clean, NULL, &b);

        for (k = 0; k < vm_min(b.len, full.len) && b.data[k] == full.data[k];
             k++)
        {
            /* void */
        }

        vm_buf_add(out, full.data ? full.data + k : "", full.len - k);
        break;
    }

    vm_buf_free(&b);
    vm_buf_free(&full);
}


int
vm_detok_one(const vm_tokenizer_t *t, const json_t *id, const json_t *context,
    vm_buf_t *out)
{
    size_t    before;
    vm_int_t  n;

    if (!vm_field_int(id, &n) || n.v < 0
        || n.v >= (json_int_t) vm_tokenizer_vocab(t))
    {
        return 0;
    }

    before = out->len;
    vm_detok_whole(t, NULL, 0, 0, id, out);

    if (vm_detok_unfinished(out)) {
        out->len = before;
        vm_detok_spelled(t, id, context, out);
    }

    return 1;
}
