/*
 * max_model_len and the KV cache: what follows where nothing was said, and
 * whether both go together.
 */

#ifndef VM_FIT_H
#define VM_FIT_H


#include "engine.h"


typedef struct {
    uint32_t  known;            /* tokens the model was made for; 0: unknown */
    unsigned  length:1;         /* max_model_len was given; 0 is "auto" */
    unsigned  blocks:1;         /* num_gpu_blocks was */
    unsigned  seqs:1;           /* max_num_seqs was */
    unsigned  tokens:1;         /* max_num_batched_tokens was */
} vm_fit_t;

/*
 * Completes a configuration, by the device too if its latency is a profile.  VM_ERROR: a message with the numbers and what
 * would help.  VM_OK: `text` may tell that less is served than the model
 * takes; else it is "".
 */
int vm_fit(vm_engine_conf_t *c, const vm_fit_t *f, char *text, size_t size);


#endif /* VM_FIT_H */
