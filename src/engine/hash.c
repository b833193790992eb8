/*
 * Hashes of full blocks.  Inside of one server they only have to differ where
 * the contents differ, so that they are plain 64-bit ones.
 */

#include "engine.h"
#include "../base/rand.h"


uint64_t
vm_block_hash(uint64_t parent, const uint32_t *tokens, uint32_t n,
    uint64_t extra)
{
    uint64_t  h;

    h = vm_rand_bytes(tokens, (size_t) n * sizeof(uint32_t),
                      vm_rand_mix(parent) ^ extra);

    return h ? h : 1;                   /* 0 is no hash */
}


uint64_t
vm_block_extra(const char *lora, size_t lora_len, const char *salt,
    size_t salt_len)
{
    uint64_t  h;

    h = 0;

    if (lora_len) {
        h = vm_rand_bytes(lora, lora_len, 1);
    }

    if (salt_len) {
        h = vm_rand_bytes(salt, salt_len, vm_rand_mix(h) ^ 2);
    }

    return h;
}
