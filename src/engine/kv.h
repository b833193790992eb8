/*
 * The KV cache: blocks, their free queue in vLLM's order, and the map of the
 * hashes of full blocks.  Block 0 is the null block.
 */

#ifndef VM_KV_H
#define VM_KV_H


#include "state.h"


void vm_kv_init(vm_engine_t *e);

/*
 * Room for the table and the hashes of a sequence that never holds more than
 * `blocks`.  VM_DECLINED if the store is full.
 */
int vm_kv_reserve(vm_engine_t *e, vm_seq_t *s, uint32_t blocks,
    const uint64_t *hashes, uint32_t nhashes);
void vm_kv_unreserve(vm_engine_t *e, vm_seq_t *s);

/* Blocks found from the left, written into the table but not taken yet. */
uint32_t vm_kv_lookup(vm_engine_t *e, vm_seq_t *s);

/*
 * Takes `hits` blocks found by vm_kv_lookup() and new ones, so that the
 * sequence has room for `tokens`; fills and registers blocks up to `known`
 * tokens.  `whole` tokens must fit as well (0: no such check) and `keep`
 * blocks stay free.  VM_DECLINED changes nothing.
 */
int vm_kv_allocate(vm_engine_t *e, vm_seq_t *s, uint32_t hits,
    uint32_t tokens, uint32_t known, uint32_t whole, uint32_t keep);

/* Registers the blocks which are full with so many tokens. */
void vm_kv_register(vm_engine_t *e, vm_seq_t *s, uint32_t tokens);

void vm_kv_free(vm_engine_t *e, vm_seq_t *s);

/* Forgets all hashes. */
void vm_kv_reset(vm_engine_t *e);

uint32_t vm_kv_block(vm_engine_t *e, const vm_seq_t *s, uint32_t i);
uint32_t vm_kv_used(const vm_engine_t *e);


#endif /* VM_KV_H */
