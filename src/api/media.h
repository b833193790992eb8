/*
 * What requests for sound, pictures and films have in common: a prompt, and
 * answers whose tokens are only a measure of the work.
 */

#ifndef VM_MEDIA_H
#define VM_MEDIA_H


#include "params.h"


#define VM_MEDIA_PROMPT  4096       /* characters */


/*
 * Model, id and prompt; `name` is the field that the prompt came in.  VM_ERROR
 * with call->error.
 */
int vm_media_begin(vm_generation_t *g, const json_t *model, const char *name,
    const json_t *prompt, const char *prefix);

/* `n` answers of `tokens` each, or as many as the model's length leaves. */
int vm_media_plan(vm_generation_t *g, uint32_t n, uint32_t tokens);

/* A number that is not within its bounds. */
int vm_media_range(vm_generation_t *g, const char *name, double v, double min,
    double max);

/* "usage":{"input_tokens":..,"output_tokens":..,"total_tokens":..} unclosed */
void vm_media_usage(const vm_generation_t *g, vm_buf_t *out);

/* For a protocol without frames. */
void vm_media_nothing(vm_generation_t *g, vm_buf_t *out);


#endif /* VM_MEDIA_H */
