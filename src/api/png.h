/*
 * PNG files, and animated ones: pictures that follow from a key.
 */

#ifndef VM_PNG_H
#define VM_PNG_H


#include "../base/buf.h"


/* A picture; w and h are at least 1. */
void vm_png_picture(vm_buf_t *out, uint32_t w, uint32_t h, uint64_t key);

/* The same with something that moves: `frames`, `fps` of them a second. */
void vm_png_film(vm_buf_t *out, uint32_t w, uint32_t h, uint64_t key,
    uint32_t frames, uint32_t fps);

/* The size of a PNG by its header: 1 if it is one. */
int vm_png_size(const char *data, size_t len, uint32_t *w, uint32_t *h);


#endif /* VM_PNG_H */
