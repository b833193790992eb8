/*
 * The parts of an answer: a thought, content, tool calls.  The model says one
 * text; a server with parsers cuts it up.  What a choice will say is known
 * when it is planned, so where its parts begin is too.
 */

#ifndef VM_PARTS_H
#define VM_PARTS_H


#include "generation.h"


/* Does the request's protocol cut the text at all?  (A parser is set.) */
int vm_parts_wanted(const vm_generation_t *g);

/* Are calls looked for in what the model says? */
int vm_parts_calling(const vm_generation_t *g);

/*
 * Does the tool parser look at what the model says?  vLLM's looks at messages
 * without tools too, whose tool_choice is None; a chat's is "none" then.
 */
int vm_parts_parsed(const vm_generation_t *g);

/* Did tool_choice leave the model no other way than a call? */
int vm_parts_demanded(const vm_generation_t *g);

/* Does the model think before it answers? */
int vm_parts_thinks(const vm_generation_t *g);

/* The tool that tool_choice demands of a choice with this key; NULL: none. */
const json_t *vm_parts_tool(const vm_generation_t *g, uint64_t key);

/*
 * A call of that tool as the model says it, in Hermes' form.  VM_ERROR with
 * g->late: its parameters are no JSON schema.
 */
int vm_parts_say(vm_generation_t *g, const json_t *tool, uint64_t key,
    vm_buf_t *out);

/* Finds the calls in what a choice will say after its thought. */
int vm_parts_find(vm_generation_t *g, vm_choice_t *c, const char *text,
    size_t len, uint64_t key);

/* The part at byte `from` of the choice's text, cut at `end`. */
vm_span_t vm_parts_at(const vm_choice_t *c, size_t from, size_t end);

/* Where content begins in the text that there is by now. */
size_t vm_parts_thought(const vm_choice_t *c);

/* Calls that were said to their end. */
uint32_t vm_parts_calls(const vm_choice_t *c);

/* Tokens of thoughts, of all choices. */
uint64_t vm_parts_thought_tokens(const vm_generation_t *g);


#endif /* VM_PARTS_H */
