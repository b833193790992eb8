/*
 * A vocabulary: tokens in a list by id, and a hash table by their text.
 */

#include <stdlib.h>
#include "vocab.h"


#define VM_VOCAB_MIN  1024


static vm_str_t vm_vocab_key(const vm_vocab_t *v, uint32_t id);
static void vm_vocab_grow(vm_vocab_t *v, uint32_t id);
static void vm_vocab_rehash(vm_vocab_t *v);
static uint32_t vm_vocab_slot(const vm_vocab_t *v, const char *s, size_t len);


void
vm_vocab_free(vm_vocab_t *v)
{
    vm_buf_free(&v->text);
    free(v->tokens);
    free(v->slots);
    memset(v, 0, sizeof(vm_vocab_t));
}


void
vm_vocab_set(vm_vocab_t *v, uint32_t id, vm_str_t bytes, vm_str_t piece,
    uint32_t flags)
{
    vm_vocab_token_t  *t;

    if (id >= v->size) {
        vm_vocab_grow(v, id);
    }

    if (v->failed) {
        return;
    }

    t = &v->tokens[id];
    v->n = vm_max(v->n, id + 1);

    t->piece = (uint32_t) v->text.len;
    t->piece_len = (uint32_t) piece.len;
    vm_buf_add(&v->text, piece.data, piece.len);

    t->bytes = t->piece;
    t->bytes_len = (uint32_t) bytes.len;
    t->flags = flags;

    if (bytes.len > piece.len
        || (bytes.len && memcmp(bytes.data, piece.data, bytes.len) != 0))
    {
        t->bytes = (uint32_t) v->text.len;
        vm_buf_add(&v->text, bytes.data, bytes.len);
    }

    v->failed |= v->text.failed || v->text.len > UINT32_MAX / 2;
}


void
vm_vocab_index(vm_vocab_t *v, uint32_t id)
{
    uint32_t  slot;
    vm_str_t  s;

    if (v->slots == NULL || v->used > v->mask / 2) {
        vm_vocab_rehash(v);
    }

    if (v->failed) {
        return;
    }

    s = vm_vocab_key(v, id);
    slot = vm_vocab_slot(v, s.data, s.len);

    if (v->slots[slot] == 0) {
        v->slots[slot] = id + 1;
        v->used++;
        v->longest = vm_max(v->longest, (uint32_t) s.len);
    }
}


uint32_t
vm_vocab_find(const vm_vocab_t *v, const char *s, size_t len)
{
    if (len > v->longest || v->slots == NULL) {
        return VM_NEVER;
    }

    return v->slots[vm_vocab_slot(v, s, len)] - 1;
}


vm_str_t
vm_vocab_bytes(const vm_vocab_t *v, uint32_t id)
{
    vm_str_t  s;

    s.data = v->text.data ? v->text.data + v->tokens[id].bytes : "";
    s.len = v->tokens[id].bytes_len;

    return s;
}


vm_str_t
vm_vocab_piece(const vm_vocab_t *v, uint32_t id)
{
    vm_str_t  s;

    s.data = v->text.data ? v->text.data + v->tokens[id].piece : "";
    s.len = v->tokens[id].piece_len;

    return s;
}


static vm_str_t
vm_vocab_key(const vm_vocab_t *v, uint32_t id)
{
    return v->by_piece ? vm_vocab_piece(v, id) : vm_vocab_bytes(v, id);
}


static void
vm_vocab_grow(vm_vocab_t *v, uint32_t id)
{
    uint32_t           size;
    vm_vocab_token_t  *tokens;

    size = vm_max(vm_max(v->size * 2, VM_VOCAB_MIN), id + 1);
    tokens = realloc(v->tokens, size * sizeof(vm_vocab_token_t));

    if (tokens == NULL) {
        v->failed = 1;
        return;
    }

    memset(tokens + v->size, 0, (size - v->size) * sizeof(vm_vocab_token_t));
    v->tokens = tokens;
    v->size = size;
}


static void
vm_vocab_rehash(vm_vocab_t *v)
{
    uint32_t   i, n, *old;
    vm_str_t   s;
    uint32_t  *slots;

    n = v->slots ? (v->mask + 1) * 2 : VM_VOCAB_MIN;
    slots = calloc(n, sizeof(uint32_t));

    if (slots == NULL) {
        v->failed = 1;
        return;
    }

    old = v->slots;
    v->slots = slots;
    i = old ? v->mask + 1 : 0;
    v->mask = n - 1;

    while (i--) {
        if (old[i]) {
            s = vm_vocab_key(v, old[i] - 1);
            slots[vm_vocab_slot(v, s.data, s.len)] = old[i];
        }
    }

    free(old);
}


/* Where the token of this text is, or a free place for it. */

static uint32_t
vm_vocab_slot(const vm_vocab_t *v, const char *s, size_t len)
{
    size_t    i;
    uint32_t  slot;
    uint64_t  h;
    vm_str_t  key;

    h = 0xcbf29ce484222325ULL ^ len;

    for (i = 0; i < len; i++) {
        h = (h ^ (unsigned char) s[i]) * 0x100000001b3ULL;
    }

    slot = (uint32_t) (h ^ h >> 29) & v->mask;

    while (v->slots[slot]) {
        key = vm_vocab_key(v, v->slots[slot] - 1);

        if (key.len == len && memcmp(key.data, s, len) == 0) {
            break;
        }

        slot = (slot + 1) & v->mask;
    }

    return slot;
}
