/*
 * Hashes of simulated tokens.
 */

#include "tokens.h"
#include "../src/engine/engine.h"


uint32_t
vm_tokens_hash(uint64_t *hashes, uint32_t n, uint32_t block_size,
    uint64_t first, uint64_t every,
    uint64_t (*token)(const void *data, uint32_t at), const void *data)
{
    uint32_t  i, k, words[2];
    uint64_t  id, h;

    h = 0;

    for (i = 0; i < n / block_size; i++) {

        h = vm_block_hash(h, NULL, 0, i ? every : first);

        for (k = 0; k < block_size; k++) {
            id = token(data, i * block_size + k);
            words[0] = (uint32_t) id;
            words[1] = (uint32_t) (id >> 32);
            h = vm_block_hash(h, words, 2, 0);
        }

        hashes[i] = h;
    }

    return i;
}
