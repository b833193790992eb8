/*
 * POST /generative_scoring: how likely tokens are to come next.
 */

#ifndef VM_LABELS_H
#define VM_LABELS_H


#include "generation.h"


extern const vm_protocol_t  vm_labels;


#endif /* VM_LABELS_H */
