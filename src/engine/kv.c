/*
 * Blocks in vLLM's order: the free queue is least recently used first; a block
 * that is given back with a hash goes to its end, one without to its front.
 */

#include "kv.h"


static vm_block_t *
vm_kv_blocks(const vm_kv_t *kv)
{
    return (vm_block_t *) ((uintptr_t) kv + sizeof(vm_kv_t));
}


static uint32_t *
vm_kv_buckets(const vm_kv_t *kv)
{
    return (uint32_t *) (vm_kv_blocks(kv) + kv->nblocks + 1);
}


static uint32_t
vm_kv_size(uint32_t nblocks)
{
    uint32_t  n;

    for (n = 16; n < nblocks; n *= 2) { /* void */ }

    return n;
}


size_t
vm_kv_footprint(uint32_t nblocks)
{
    return sizeof(vm_kv_t) + (nblocks + 1) * sizeof(vm_block_t)
           + vm_kv_size(nblocks) * sizeof(uint32_t);
}


static void
vm_kv_insert(vm_kv_t *kv, uint32_t after, uint32_t block)
{
    vm_block_t  *b;

    b = vm_kv_blocks(kv);

    b[block].prev = after;
    b[block].next = b[after].next;
    b[b[after].next].prev = block;
    b[after].next = block;
    kv->nfree++;
}


static void
vm_kv_unlink(vm_kv_t *kv, uint32_t block)
{
    vm_block_t  *b;

    b = vm_kv_blocks(kv);

    b[b[block].prev].next = b[block].next;
    b[b[block].next].prev = b[block].prev;
    kv->nfree--;
}


void
vm_kv_init(vm_kv_t *kv, uint32_t nblocks, int caching)
{
    uint32_t     end, i;
    vm_block_t  *b;

    memset(kv, 0, vm_kv_footprint(nblocks));

    kv->nblocks = nblocks;
    kv->mask = vm_kv_size(nblocks) - 1;
    kv->caching = caching != 0;

    b = vm_kv_blocks(kv);
    end = nblocks;
    b[end].prev = end;
    b[end].next = end;

    for (i = 1; i < nblocks; i++) {
        vm_kv_insert(kv, b[end].prev, i);
    }
}


uint32_t
vm_kv_find(const vm_kv_t *kv, uint64_t hash)
{
    uint32_t           i;
    const vm_block_t  *b;

    b = vm_kv_blocks(kv);

    for (i = vm_kv_buckets(kv)[hash & kv->mask]; i; i = b[i].chain) {
        if (b[i].hash == hash) {
            return i;
        }
    }

    return 0;
}


int
vm_kv_free(const vm_kv_t *kv, uint32_t block)
{
    return vm_kv_blocks(kv)[block].ref == 0;
}


static void
vm_kv_forget(vm_kv_t *kv, uint32_t block)
{
    uint32_t    *link;
    vm_block_t  *b;

    b = vm_kv_blocks(kv);

    if (!b[block].hashed) {
        return;
    }

    link = &vm_kv_buckets(kv)[b[block].hash & kv->mask];

    while (*link != block) {
        link = &b[*link].chain;
    }

    *link = b[block].chain;
    b[block].hashed = 0;
}


uint32_t
vm_kv_take(vm_kv_t *kv)
{
    uint32_t     block;
    vm_block_t  *b;

    b = vm_kv_blocks(kv);
    block = b[kv->nblocks].next;

    vm_kv_unlink(kv, block);
    vm_kv_forget(kv, block);
    b[block].ref = 1;

    return block;
}


void
vm_kv_touch(vm_kv_t *kv, uint32_t block)
{
    vm_block_t  *b;

    b = vm_kv_blocks(kv);

    if (b[block].ref++ == 0) {
        vm_kv_unlink(kv, block);
    }
}


void
vm_kv_register(vm_kv_t *kv, uint32_t block, uint64_t hash)
{
    uint32_t    *link;
    vm_block_t  *b;

    b = vm_kv_blocks(kv);

    if (!kv->caching || b[block].hashed) {
        return;
    }

    /* behind those of the same hash: the first one is the one that is found */

    link = &vm_kv_buckets(kv)[hash & kv->mask];

    while (*link) {
        link = &b[*link].chain;
    }

    *link = block;
    b[block].chain = 0;
    b[block].hash = hash;
    b[block].hashed = 1;
}


void
vm_kv_release(vm_kv_t *kv, const uint32_t *blocks, uint32_t n)
{
    uint32_t     front, i;
    vm_block_t  *b;

    b = vm_kv_blocks(kv);

    /* those without a hash keep their order, the tail at the very front */

    front = kv->nblocks;

    for (i = n; i-- > 0; /* void */ ) {

        if (--b[blocks[i]].ref) {
            continue;
        }

        if (b[blocks[i]].hashed) {
            vm_kv_insert(kv, b[kv->nblocks].prev, blocks[i]);

        } else {
            vm_kv_insert(kv, front, blocks[i]);
            front = blocks[i];
        }
    }
}


int
vm_kv_reset(vm_kv_t *kv)
{
    uint32_t  i;

    if (vm_kv_used(kv)) {
        return 0;
    }

    for (i = 1; i < kv->nblocks; i++) {
        vm_kv_forget(kv, i);
    }

    return 1;
}


uint32_t
vm_kv_used(const vm_kv_t *kv)
{
    return kv->nblocks - 1 - kv->nfree;
}
