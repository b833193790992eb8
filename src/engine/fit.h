/*
 * max_model_len and the KV cache: what follows where nothing was said, and
 * whether both go together.
 */

#ifndef VM_FIT_H
#define VM_FIT_H


#include "engine.h"


typedef struct {
    uint32_t  known;            /* tokens the model was made for; 0: unknown */
    uint8_t   length;           /* max_model_len was given; 0 is "auto" */
    uint8_t   blocks;           /* num_gpu_blocks was */
    uint8_t   block_size;
    uint8_t   seqs;             /* max_num_seqs was */
    uint8_t   tokens;           /* max_num_batched_tokens was */
} vm_fit_t;

/* Notes an option that was given, by any of its names; others are nothing. */
void vm_fit_given(vm_fit_t *f, const char *option);

/*
 * Completes a configuration, by the device too if its latency is a profile.
 * VM_ERROR: a message with the numbers and what would help.  VM_OK: `text` may
 * tell that less is served than the model takes; else it is "".
 */
int vm_fit(vm_engine_conf_t *c, const vm_fit_t *f, char *text, size_t size);


#endif /* VM_FIT_H */
