/*
 * Items of a response's input, by their classes.
 */

#ifndef VM_ITEMS_H
#define VM_ITEMS_H


#include "field.h"


#define VM_ITEMS_KINDS  59              /* classes but those of messages */


/* A list of items, each of which fits one of all classes. */
extern const vm_type_t  vm_items_type;

/* itemkinds.c */
extern const vm_type_t  vm_items_kinds[VM_ITEMS_KINDS];

/* What the kinds share: results of calls, parts of answers, thoughts. */
extern const vm_type_t  vm_items_result, vm_items_output_parts,
                        vm_items_summaries, vm_items_thoughts;


/*
 * The body as vLLM looks at it: what was an answer once has an id, a status
 * and annotations, a thought an id.  A new reference.
 */
json_t *vm_items_complete(const json_t *body);

/* Whether the item is of a kind that makes a message. */
int vm_items_known(const char *kind);


#endif /* VM_ITEMS_H */
