/*
 * POST /v1/messages and /v1/messages/count_tokens: Anthropic's protocol, as
 * vLLM speaks it over its chat.
 */

#ifndef VM_ANTHROPIC_H
#define VM_ANTHROPIC_H


#include "generation.h"


extern const vm_protocol_t  vm_anthropic;

/* The answer of count_tokens; VM_ERROR with call->error. */
int vm_anthropic_count(vm_call_t *call, const json_t *body, vm_buf_t *out);


#endif /* VM_ANTHROPIC_H */
