/*
 * POST /inference/v1/generate: tokens in, tokens out.
 */

#ifndef VM_TOKENSIN_H
#define VM_TOKENSIN_H


#include "generation.h"


extern const vm_protocol_t  vm_tokensin;


#endif /* VM_TOKENSIN_H */
