/*
 * Word lists, ended by NULL.  All entries are lower case letters, and none
 * stands in a list twice.
 */

#ifndef VM_WORDS_H
#define VM_WORDS_H


#include <stddef.h>


extern const char *const  vm_words[];
extern const char *const  vm_fragments[];


#endif /* VM_WORDS_H */
