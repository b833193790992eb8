/*
 * How long a sequence known models take, by their names.
 */

#ifndef VM_KNOWN_H
#define VM_KNOWN_H


#include "../base/types.h"


/*
 * Tokens of prompt and answer that the model of that name or path was made
 * for, as its config.json says; 0: it is not known.
 */
uint32_t vm_known_length(const char *model);


#endif /* VM_KNOWN_H */
