/*
 * The JSON schema that a prompt asks for in its text, as libraries write it
 * that do not trust a server with response_format.
 */

#ifndef VM_PROMPTED_H
#define VM_PROMPTED_H


#include "generation.h"


#define VM_PROMPTED_WORK  1048576       /* bytes of JSON read for a request */


/*
 * The schema that `said` (a text, or a conversation's messages) shows: the last
 * one of the last message of a user, system or developer that has one; NULL:
 * none.  *work is what may still be read.  The caller's reference.
 */
json_t *vm_prompted_schema(const json_t *said, size_t *work);

/*
 * The same for the choices of a prompt, into g->prompted.  It counts where an
 * object is asked for, or where nothing is and vllm_mock_output says so.  One
 * that cannot be a constraint is but a text.
 */
void vm_prompted_find(vm_generation_t *g, const vm_prompt_t *p, size_t *work);


#endif /* VM_PROMPTED_H */
