/*
 * Byte pair encoding: pairs of tokens that become one, the lowest rank first.
 */

#ifndef VM_MERGE_H
#define VM_MERGE_H


#include "tokenizer.h"


typedef struct {
    uint64_t          key;              /* left and right */
    uint32_t          rank;             /* VM_NEVER: a free entry */
    uint32_t          id;               /* what they become */
} vm_merge_t;

typedef struct {
    vm_merge_t       *table;
    size_t            mask;
    size_t            used;
    unsigned          failed:1;         /* no memory */
} vm_merges_t;


void vm_merges_free(vm_merges_t *m);

/* The last word about a pair holds. */
void vm_merges_add(vm_merges_t *m, uint32_t left, uint32_t right,
    uint32_t rank, uint32_t id);

/*
 * Merges the tokens of a list from `start` on until no pair is left.  Takes
 * n log n of n tokens.  VM_OK, VM_ERROR (no memory).
 */
int vm_merges_apply(const vm_merges_t *m, vm_ids_t *l, size_t start);


#endif /* VM_MERGE_H */
