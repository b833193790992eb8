/*
 * The KV cache: blocks, their queue of free ones, the prefix cache.  All in
 * one block of memory, by index; block 0 is never used.
 */

#ifndef VM_KV_H
#define VM_KV_H


#include "../base/types.h"


typedef struct {
    uint64_t  hash;
    uint32_t  ref;
    uint32_t  prev;                 /* of the free queue */
    uint32_t  next;
    uint32_t  chain;                /* next block in its bucket */
    uint32_t  hashed;               /* it is in the prefix cache */
    uint32_t  pad;
} vm_block_t;

typedef struct {
    uint32_t  nblocks;
    uint32_t  nfree;
    uint32_t  mask;                 /* of the buckets */
    uint32_t  caching;
    /* vm_block_t[nblocks + 1] follow, the last is the queue's end; then the
       buckets */
} vm_kv_t;


size_t vm_kv_footprint(uint32_t nblocks);
void vm_kv_init(vm_kv_t *kv, uint32_t nblocks, int caching);

/* The block that holds a hash; 0: none does. */
uint32_t vm_kv_find(const vm_kv_t *kv, uint64_t hash);

/* Is a block held by nobody? */
int vm_kv_free(const vm_kv_t *kv, uint32_t block);

/* Takes the block longest unused (it must be there); forgets its hash. */
uint32_t vm_kv_take(vm_kv_t *kv);

/* One more holder of a block that was found. */
void vm_kv_touch(vm_kv_t *kv, uint32_t block);

/* Registers a block's hash, if it has none yet. */
void vm_kv_register(vm_kv_t *kv, uint32_t block, uint64_t hash);

/* Gives blocks back, as vLLM does: last one first. */
void vm_kv_release(vm_kv_t *kv, const uint32_t *blocks, uint32_t n);

/* Forgets all hashes; 0 if a block is in use. */
int vm_kv_reset(vm_kv_t *kv);

uint32_t vm_kv_used(const vm_kv_t *kv);


#endif /* VM_KV_H */
