/*
 * POST /v1/responses: OpenAI's newer protocol, as vLLM speaks it over its
 * chat.
 */

#ifndef VM_RESPONSES_H
#define VM_RESPONSES_H


#include "generation.h"


extern const vm_protocol_t  vm_responses;

/* Whether a body wants to be run in the background. */
int vm_responses_background(const json_t *body);

/* What is asked of a kept answer: 404, there is none. */
int vm_responses_unknown(vm_call_t *call, const char *id, size_t len);

typedef enum {
    VM_RESPONSE_QUEUED,
    VM_RESPONSE_RUNS,
    VM_RESPONSE_OVER                /* with what was said */
} vm_response_e;

/* The object; *status_at: where its status stands in it. */
void vm_responses_object(vm_generation_t *g, vm_response_e state,
    size_t *status_at, vm_buf_t *out);

/* The messages of the chat that it was, as JSON. */
void vm_responses_said(const vm_generation_t *g, vm_buf_t *out);


#endif /* VM_RESPONSES_H */
