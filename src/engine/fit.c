/*
 * A model's length and the blocks of the KV cache.
 */

#include <inttypes.h>
#include <stdio.h>
#include "fit.h"
#include "options.h"


static const struct {
    const char  *option;
    size_t       offset;
}  vm_fit_options[] = {
    { "max_model_len", offsetof(vm_fit_t, length) },
    { "num_gpu_blocks", offsetof(vm_fit_t, blocks) },
    { "num_gpu_blocks_override", offsetof(vm_fit_t, blocks) },
    { "block_size", offsetof(vm_fit_t, block_size) },
    { "max_num_seqs", offsetof(vm_fit_t, seqs) },
    { "max_num_batched_tokens", offsetof(vm_fit_t, tokens) }
};


void
vm_fit_given(vm_fit_t *f, const char *option)
{
    char    key[VM_OPTION_NAME];
    size_t  i;

    vm_option_key(option, key);

    for (i = 0; i < vm_nelts(vm_fit_options); i++) {
        if (strcmp(vm_fit_options[i].option, key) == 0) {
            *((uint8_t *) f + vm_fit_options[i].offset) = 1;
        }
    }
}


/*
 * What vLLM derives from the GPU it finds, where nothing was said: blocks of
 * the memory that is left; a larger batch where there is much, but not on an
 * A100.
 */

static void
vm_fit_device(vm_engine_conf_t *c, const vm_fit_t *f)
{
    int                  huge;
    double               gib;
    const vm_profile_t  *p;

    p = &c->latency.profile;

    if (!f->blocks && p->num_blocks) {
        c->num_gpu_blocks = (uint32_t) ((uint64_t) p->num_blocks
                                        * p->block_size / c->block_size);
    }

    /* vLLM's steps: 160 GiB and more, 70 GiB and more, others */

    gib = p->memory_gb * 1e9 / (1024.0 * 1024 * 1024);
    huge = gib >= 160;

    if (!huge && (gib < 70 || strcmp(p->device, "a100") == 0)) {
        return;
    }

    if (!f->seqs) {
        c->max_num_seqs = 1024;
    }

    if (!f->tokens) {
        c->max_num_batched_tokens = huge ? 16384 : 8192;
    }
}


/* Block 0 is never given out. */

static uint64_t
vm_fit_room(const vm_engine_conf_t *c)
{
    return (uint64_t) (c->num_gpu_blocks - 1) * c->block_size;
}


static int
vm_fit_blocks(vm_engine_conf_t *c, const vm_fit_t *f, int may_shrink,
    char *text, size_t size)
{
    uint64_t  need, room;

    room = vm_fit_room(c);

    if (c->max_model_len <= room) {
        return VM_OK;
    }

    need = ((uint64_t) c->max_model_len + c->block_size - 1) / c->block_size
           + 1;

    if (!f->blocks && c->latency.model != VM_LATENCY_PROFILE) {
        c->num_gpu_blocks = (uint32_t) need;
        return VM_OK;
    }

    if (may_shrink && room >= 2) {
        snprintf(text, size, "max_model_len is %" PRIu64 ", as the KV cache "
                 "has %" PRIu32 " blocks of %" PRIu32 " tokens; the model "
                 "takes %" PRIu32, room, c->num_gpu_blocks, c->block_size,
                 c->max_model_len);
        c->max_model_len = (uint32_t) room;
        return VM_OK;
    }

    snprintf(text, size, "To serve at least one request with the model's max "
             "seq len (%" PRIu32 "), %" PRIu64 " KV blocks of %" PRIu32
             " tokens are needed, but there are %" PRIu32 " (room for %"
             PRIu64 " tokens, one block is reserved): set max_model_len to at "
             "most %" PRIu64 " or to auto, or num_gpu_blocks "
             "(--num-gpu-blocks-override) to at least %" PRIu64,
             c->max_model_len, need, c->block_size, c->num_gpu_blocks, room,
             room, need);

    return VM_ERROR;
}


int
vm_fit(vm_engine_conf_t *c, const vm_fit_t *f, char *text, size_t size)
{
    int  automatic;

    *text = '\0';

    if (c->latency.model == VM_LATENCY_PROFILE) {
        vm_fit_device(c, f);
    }

    automatic = !f->length || c->max_model_len == 0;

    if (automatic && f->known) {
        c->max_model_len = f->known;

    } else if (c->max_model_len == 0) {
        c->max_model_len = VM_ENGINE_LENGTH;
    }

    if (vm_fit_blocks(c, f, automatic, text, size) != VM_OK) {
        return VM_ERROR;
    }

    if (c->chunked_prefill || c->max_num_batched_tokens >= c->max_model_len) {
        return VM_OK;
    }

    if (!f->tokens) {
        c->max_num_batched_tokens = c->max_model_len;
        return VM_OK;
    }

    snprintf(text, size, "max_num_batched_tokens (%" PRIu32 ") must not be "
             "less than max_model_len (%" PRIu32 ") when chunked prefill is "
             "off: a prompt is computed in one step", c->max_num_batched_tokens,
             c->max_model_len);

    return VM_ERROR;
}
