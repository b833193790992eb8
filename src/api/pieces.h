/*
 * Pieces of answers that several protocols print alike.
 */

#ifndef VM_PIECES_H
#define VM_PIECES_H


#include "generation.h"


/* "system_fingerprint":"vllm-0.32.0-..." */
void vm_piece_fingerprint(const vm_generation_t *g, vm_buf_t *out);

/* "id":..,"object":..,"created":..,"model":.. behind an opening brace */
void vm_piece_head(const vm_generation_t *g, const char *object,
    vm_buf_t *out);

/* Any JSON, as it was sent; NULL: null */
void vm_piece_json(const json_t *v, vm_buf_t *out);

/* null, "text" or number */
void vm_piece_stop_reason(const vm_choice_t *c, vm_buf_t *out);
void vm_piece_finish_reason(const vm_choice_t *c, vm_buf_t *out);

/* [1,2,3] of a choice's tokens from .. to - 1; of a prompt */
void vm_piece_ids(const vm_generation_t *g, const vm_choice_t *c,
    uint32_t from, uint32_t to, vm_buf_t *out);
void vm_piece_prompt_ids(const vm_prompt_t *p, vm_buf_t *out);

/* The usage object of a whole answer; `created_cache` as chat has it. */
void vm_piece_thoughts(const vm_generation_t *g, vm_buf_t *out);
void vm_piece_usage(const vm_generation_t *g, int created_cache,
    vm_buf_t *out);

/* The same of a stream's last event: without members that are null. */
void vm_piece_stream_usage(const vm_generation_t *g, int created_cache,
    vm_buf_t *out);

/* {"prompt_tokens":..,"total_tokens":..,"completion_tokens":..} unclosed */
void vm_piece_counts(uint64_t prompt, uint64_t output, vm_buf_t *out);

/* {"time_to_first_token_ms":..} or null; `whole` with its null member */
void vm_piece_metrics(const vm_generation_t *g, int whole, vm_buf_t *out);

/* Log-probabilities of a choice's tokens from .. to - 1 */
void vm_piece_logprobs_chat(const vm_generation_t *g, const vm_choice_t *c,
    uint32_t from, uint32_t to, vm_buf_t *out);
void vm_piece_logprobs_ids(const vm_generation_t *g, const vm_choice_t *c,
    uint32_t from, uint32_t to, int text, vm_buf_t *out);
void vm_piece_logprobs_text(const vm_generation_t *g, const vm_choice_t *c,
    uint32_t from, uint32_t to, int echo, vm_buf_t *out);
void vm_piece_prompt_logprobs(const vm_generation_t *g, const vm_prompt_t *p,
    vm_buf_t *out);


#endif /* VM_PIECES_H */
