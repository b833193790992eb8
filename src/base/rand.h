/*
 * Random numbers.  All of them are functions of a key, so that whoever asks
 * and in whatever order gets the same ones.
 */

#ifndef VM_RAND_H
#define VM_RAND_H


#include "types.h"


uint64_t vm_rand_mix(uint64_t x);                     /* splitmix64's step */
uint64_t vm_rand_at(uint64_t key, uint64_t n);        /* the n-th of a key */
double vm_rand_unit(uint64_t r);                      /* [0, 1) of 64 bits */
double vm_rand_normal(uint64_t key, uint64_t n);      /* mean 0, sigma 1 */
uint64_t vm_rand_bytes(const void *data, size_t len, uint64_t seed);


#endif /* VM_RAND_H */
