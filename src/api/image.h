/*
 * /v1/images/generations and /v1/images/edits.
 */

#ifndef VM_IMAGE_H
#define VM_IMAGE_H


#include "generation.h"


#define VM_IMAGES        10             /* of a request */
#define VM_IMAGE_SIDE    2048           /* pixels */
#define VM_IMAGE_PIXELS  (16 * 1024 * 1024)     /* of all of them */
#define VM_IMAGE_TILE    32             /* a token is so many pixels square */


extern const vm_protocol_t  vm_image, vm_image_edit;


/*
 * "WIDTHxHEIGHT" or "auto", which leaves *w and *h as they are.  VM_ERROR with
 * call->error.
 */
int vm_image_size(vm_generation_t *g, const json_t *size, uint32_t *w,
    uint32_t *h);

/* Tokens of a picture. */
uint32_t vm_image_tokens(uint32_t w, uint32_t h);

/* A key of what was asked for, in words and in bytes. */
uint64_t vm_image_key(const vm_generation_t *g, const json_t *prompt,
    const vm_int_t *seed);


#endif /* VM_IMAGE_H */
