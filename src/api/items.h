/*
 * Items of a response's input, by their classes.
 */

#ifndef VM_ITEMS_H
#define VM_ITEMS_H


#include "field.h"


/* A list of messages, calls, results and thoughts. */
extern const vm_type_t  vm_items_type;

/* Kinds of items that only OpenAI's servers make; NULL ends them. */
extern const char *const  vm_items_foreign[];


#endif /* VM_ITEMS_H */
