/*
 * POST /v1/responses: OpenAI's newer protocol, as vLLM speaks it over its
 * chat.  Answers are not stored.
 */

#ifndef VM_RESPONSES_H
#define VM_RESPONSES_H


#include "generation.h"


extern const vm_protocol_t  vm_responses;

/* What is asked of a stored answer: 404, there is none. */
int vm_responses_unknown(vm_call_t *call, const char *id, size_t len);


#endif /* VM_RESPONSES_H */
