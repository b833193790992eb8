/*
 * KV blocks: allocation from the front of a free queue, freeing in vLLM's
 * order, and the map from hashes to full blocks.
 */

#include "kv.h"
#include "../base/rand.h"


static vm_chunk_t *vm_kv_find(vm_engine_t *e, const vm_seq_t *s, uint32_t i);
static void vm_kv_unlink(vm_engine_t *e, uint32_t id);
static void vm_kv_link(vm_engine_t *e, uint32_t id, uint32_t after);
static uint32_t vm_kv_get(const vm_engine_t *e, uint64_t hash);
static void vm_kv_put(vm_engine_t *e, uint32_t id, uint64_t hash);
static void vm_kv_evict(vm_engine_t *e, uint32_t id);


/* The null block, which nobody gets, is the ends of the free queue too. */

void
vm_kv_init(vm_engine_t *e)
{
    uint32_t     i, n;
    vm_block_t  *b;

    n = e->conf.num_gpu_blocks;

    for (i = 0; i < n; i++) {
        b = vm_block(e, i);
        b->hash = 0;
        b->ref = 0;
        b->chain = VM_NONE;
        b->prev = i ? i - 1 : n - 1;
        b->next = i + 1 < n ? i + 1 : 0;
    }

    e->free_blocks = n - 1;

    for (i = 0; i < 1u << e->bucket_bits; i++) {
        *vm_bucket(e, i) = VM_NONE;
    }

    for (i = 0; i < e->nchunks; i++) {
        vm_chunk(e, i)->next = i + 1 < e->nchunks ? i + 1 : VM_NONE;
    }

    e->free_chunk = 0;
    e->chunks_left = e->nchunks;
}


int
vm_kv_reserve(vm_engine_t *e, vm_seq_t *s, uint32_t blocks,
    const uint64_t *hashes, uint32_t nhashes)
{
    uint32_t     i, n, k, at, last;
    vm_chunk_t  *c;

    n = vm_max((blocks + VM_CHUNK - 1) / VM_CHUNK, 1);

    if (n > e->chunks_left) {
        return VM_DECLINED;
    }

    s->nblocks = 0;
    s->nfull = 0;
    s->nhashes = e->conf.prefix_caching ? vm_min(nhashes, blocks) : 0;
    s->head = e->free_chunk;
    s->tail = s->head;

    last = VM_NONE;
    at = s->head;

    for (i = 0; i < n; i++) {
        c = vm_chunk(e, at);

        if (i * VM_CHUNK < s->nhashes) {
            k = vm_min(s->nhashes - i * VM_CHUNK, VM_CHUNK);
            memcpy(c->hashes, hashes + i * VM_CHUNK, k * sizeof(uint64_t));
        }

        c->prev = last;
        last = at;
        at = c->next;
    }

    vm_chunk(e, last)->next = VM_NONE;
    e->free_chunk = at;
    e->chunks_left -= n;

    return VM_OK;
}


void
vm_kv_unreserve(vm_engine_t *e, vm_seq_t *s)
{
    uint32_t     at, n;
    vm_chunk_t  *c;

    if (s->head == VM_NONE) {
        return;
    }

    n = 0;
    at = s->head;

    for ( ;; ) {
        n++;
        c = vm_chunk(e, at);

        if (c->next == VM_NONE) {
            break;
        }

        at = c->next;
    }

    c->next = e->free_chunk;
    e->free_chunk = s->head;
    e->chunks_left += n;
    s->head = VM_NONE;
}


uint32_t
vm_engine_cached(const vm_engine_t *e, const uint64_t *hashes, uint32_t n)
{
    uint32_t  i;

    for (i = 0; e->conf.prefix_caching && i < n; i++) {
        if (vm_kv_get(e, hashes[i]) == VM_NONE) {
            break;
        }
    }

    return i;
}


uint32_t
vm_kv_lookup(vm_engine_t *e, vm_seq_t *s)
{
    uint32_t     i, id, max;
    vm_chunk_t  *c;

    if (!e->conf.prefix_caching || s->no_lookup) {
        return 0;
    }

    /* the last token is always computed, its block is never a hit */

    max = (vm_seq_tokens(s) - 1) / e->conf.block_size;
    max = vm_min(max, s->nhashes);
    c = vm_chunk(e, s->head);

    for (i = 0; i < max; i++) {

        if (i && i % VM_CHUNK == 0) {
            c = vm_chunk(e, c->next);
        }

        id = vm_kv_get(e, c->hashes[i % VM_CHUNK]);

        if (id == VM_NONE) {
            break;
        }

        c->blocks[i % VM_CHUNK] = id;
    }

    return i;
}


int
vm_kv_allocate(vm_engine_t *e, vm_seq_t *s, uint32_t hits, uint32_t tokens,
    uint32_t known, uint32_t whole, uint32_t keep)
{
    uint32_t     i, id, need, have, idle, at;
    vm_block_t  *b;
    vm_chunk_t  *c;

    have = s->nblocks + hits;
    idle = 0;
    at = s->head;

    for (i = 0; i < hits; i++) {

        if (i && i % VM_CHUNK == 0) {
            at = vm_chunk(e, at)->next;
        }

        id = vm_chunk(e, at)->blocks[i % VM_CHUNK];
        idle += vm_block(e, id)->ref == 0;
    }

    if (whole) {
        need = (uint32_t) (((uint64_t) whole + e->conf.block_size - 1)
                           / e->conf.block_size);
        need = need > have ? need - have : 0;

        if ((uint64_t) need + idle + keep > e->free_blocks) {
            return VM_DECLINED;
        }
    }

    need = (uint32_t) (((uint64_t) tokens + e->conf.block_size - 1)
                       / e->conf.block_size);
    need = need > have ? need - have : 0;

    if ((uint64_t) need + idle + keep > e->free_blocks) {
        return VM_DECLINED;
    }

    c = vm_chunk(e, s->head);

    for (i = 0; i < hits; i++) {

        if (i && i % VM_CHUNK == 0) {
            s->tail = c->next;
            c = vm_chunk(e, c->next);
        }

        id = c->blocks[i % VM_CHUNK];
        b = vm_block(e, id);

        if (b->ref++ == 0) {
            vm_kv_unlink(e, id);
        }
    }

    s->nblocks += hits;
    s->nfull += hits;
    c = vm_chunk(e, s->tail);

    for (i = 0; i < need; i++) {
        id = vm_block(e, 0)->next;
        b = vm_block(e, id);

        if (b->hash) {
            vm_kv_evict(e, id);
        }

        vm_kv_unlink(e, id);
        b->ref = 1;

        if (s->nblocks && s->nblocks % VM_CHUNK == 0) {
            s->tail = c->next;
            c = vm_chunk(e, c->next);
        }

        c->blocks[s->nblocks++ % VM_CHUNK] = id;
    }

    vm_kv_register(e, s, known);

    return VM_OK;
}


void
vm_kv_register(vm_engine_t *e, vm_seq_t *s, uint32_t tokens)
{
    uint32_t     n;
    vm_chunk_t  *c;

    n = vm_min(tokens / e->conf.block_size, s->nhashes);

    if (n <= s->nfull) {
        return;
    }

    c = vm_kv_find(e, s, s->nfull);

    for ( ;; ) {
        vm_kv_put(e, c->blocks[s->nfull % VM_CHUNK],
                  c->hashes[s->nfull % VM_CHUNK]);

        if (++s->nfull == n) {
            return;
        }

        if (s->nfull % VM_CHUNK == 0) {
            c = vm_chunk(e, c->next);
        }
    }
}


/*
 * From the tail.  What can be hit again goes to the back of the queue, so that
 * a prefix outlives what follows it; the rest to the front, in this order.
 */

void
vm_kv_free(vm_engine_t *e, vm_seq_t *s)
{
    uint32_t     i, id, front;
    vm_block_t  *b;
    vm_chunk_t  *c;

    front = 0;
    c = vm_chunk(e, s->tail);

    for (i = s->nblocks; i > 0; i--) {

        id = c->blocks[(i - 1) % VM_CHUNK];
        b = vm_block(e, id);

        if (--b->ref == 0) {

            if (b->hash) {
                vm_kv_link(e, id, vm_block(e, 0)->prev);

            } else {
                vm_kv_link(e, id, front);
                front = id;
            }
        }

        if ((i - 1) % VM_CHUNK == 0 && i > 1) {
            c = vm_chunk(e, c->prev);
        }
    }

    s->nblocks = 0;
    s->nfull = 0;
    s->tail = s->head;
}


void
vm_kv_reset(vm_engine_t *e)
{
    uint32_t  i;

    for (i = 0; i < 1u << e->bucket_bits; i++) {
        *vm_bucket(e, i) = VM_NONE;
    }

    for (i = 0; i < e->conf.num_gpu_blocks; i++) {
        vm_block(e, i)->hash = 0;
        vm_block(e, i)->chain = VM_NONE;
    }
}


uint32_t
vm_kv_block(vm_engine_t *e, const vm_seq_t *s, uint32_t i)
{
    return vm_kv_find(e, s, i)->blocks[i % VM_CHUNK];
}


uint32_t
vm_kv_used(const vm_engine_t *e)
{
    return e->conf.num_gpu_blocks - 1 - e->free_blocks;
}


/* The piece with block `i`, from the tail: what is asked for is near it. */

static vm_chunk_t *
vm_kv_find(vm_engine_t *e, const vm_seq_t *s, uint32_t i)
{
    uint32_t     n;
    vm_chunk_t  *c;

    c = vm_chunk(e, s->tail);
    n = s->nblocks ? (s->nblocks - 1) / VM_CHUNK : 0;

    while (n > i / VM_CHUNK) {
        c = vm_chunk(e, c->prev);
        n--;
    }

    return c;
}


static void
vm_kv_unlink(vm_engine_t *e, uint32_t id)
{
    vm_block_t  *b;

    b = vm_block(e, id);
    vm_block(e, b->prev)->next = b->next;
    vm_block(e, b->next)->prev = b->prev;
    e->free_blocks--;
}


static void
vm_kv_link(vm_engine_t *e, uint32_t id, uint32_t after)
{
    vm_block_t  *b, *a;

    a = vm_block(e, after);
    b = vm_block(e, id);

    b->prev = after;
    b->next = a->next;
    vm_block(e, a->next)->prev = id;
    a->next = id;
    e->free_blocks++;
}


#define vm_kv_bucket(e, hash)                                                \
    vm_bucket(e, vm_rand_mix(hash) >> (64 - (e)->bucket_bits))


static uint32_t
vm_kv_get(const vm_engine_t *e, uint64_t hash)
{
    uint32_t  id;

    for (id = *vm_kv_bucket(e, hash); id != VM_NONE;
         id = vm_block(e, id)->chain)
    {
        if (vm_block(e, id)->hash == hash) {
            return id;
        }
    }

    return VM_NONE;
}


/* Of several with one hash the oldest is found. */

static void
vm_kv_put(vm_engine_t *e, uint32_t id, uint64_t hash)
{
    uint32_t    *bucket, old;
    vm_block_t  *b, *o;

    b = vm_block(e, id);
    b->hash = hash;
    old = vm_kv_get(e, hash);

    if (old == VM_NONE) {
        bucket = vm_kv_bucket(e, hash);
        b->chain = *bucket;
        b->older = id;
        b->younger = id;
        *bucket = id;
        return;
    }

    o = vm_block(e, old);
    b->older = o->older;
    b->younger = old;
    vm_block(e, o->older)->younger = id;
    o->older = id;
}


static void
vm_kv_evict(vm_engine_t *e, uint32_t id)
{
    uint32_t    *at;
    vm_block_t  *b;

    b = vm_block(e, id);

    for (at = vm_kv_bucket(e, b->hash); vm_block(e, *at)->hash != b->hash;
         at = &vm_block(e, *at)->chain)
    {
        /* void */
    }

    if (*at == id) {

        if (b->younger == id) {
            *at = b->chain;

        } else {
            vm_block(e, b->younger)->chain = b->chain;
            *at = b->younger;
        }
    }

    vm_block(e, b->older)->younger = b->younger;
    vm_block(e, b->younger)->older = b->older;
    b->hash = 0;
    b->chain = VM_NONE;
}
