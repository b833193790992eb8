/*
 * Token ids of simulated requests: two are equal if kind, owner and position
 * are.
 */

#ifndef VM_TOKENS_H
#define VM_TOKENS_H


#include "../src/base/types.h"


#define VM_TOKEN_SHARED  0
#define VM_TOKEN_PROMPT  1
#define VM_TOKEN_OUTPUT  2
#define VM_TOKEN_EOS     0x7fffffffu


/*
 * Hashes of the full blocks of `n` tokens: the id of each is asked from
 * `token`.  `first` is part of the first block's hash, `every` of each.
 */
uint32_t vm_tokens_hash(uint64_t *hashes, uint32_t n, uint32_t block_size,
    uint64_t first, uint64_t every,
    uint64_t (*token)(const void *data, uint32_t at), const void *data);

#define vm_token(kind, owner, at)                                            \
    ((uint64_t) (kind) << 62 | (uint64_t) (owner) << 31 | (at))


#endif /* VM_TOKENS_H */
