/*
 * Step-time tables of one GPU, model and tensor-parallel degree, as the files
 * under profiles/ hold them (schema vllm-sim-profile/1).  Fixed size, no
 * pointers: it is copied into the engine's memory.
 *
 * This room does no I/O: the caller reads the file and hands over its text.
 */

#ifndef VM_PROFILE_H
#define VM_PROFILE_H


#include "../base/types.h"


typedef struct vm_profile_s  vm_profile_t;

struct vm_profile_s {
    uint32_t  reserved;
};


#endif /* VM_PROFILE_H */
