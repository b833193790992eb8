/*
 * POST /v1/chat/completions/batch.
 */

#ifndef VM_BATCH_H
#define VM_BATCH_H


#include "generation.h"


extern const vm_protocol_t  vm_batch;


#endif /* VM_BATCH_H */
