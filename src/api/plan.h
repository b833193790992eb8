/*
 * What a generation will say, decided when it is submitted: the tokens of each
 * choice and what ends them.
 */

#ifndef VM_PLAN_H
#define VM_PLAN_H


#include "generation.h"


/* Makes the choices of a parsed generation. */
int vm_plan(vm_generation_t *g);


#endif /* VM_PLAN_H */
