/*
 * Tokens that are looked for in the text before it is cut and merged: special
 * ones, and words added to a vocabulary.
 */

#ifndef VM_ADDED_H
#define VM_ADDED_H


#include "../base/types.h"


#define VM_ADDED_SINGLE  0x01           /* not within a word */
#define VM_ADDED_LSTRIP  0x02           /* takes white space along */
#define VM_ADDED_RSTRIP  0x04

typedef struct {
    uint32_t          child;            /* 0: none */
    uint32_t          sibling;
    uint32_t          id;               /* VM_NEVER: no token ends here */
    uint8_t           byte;
    uint8_t           flags;
} vm_added_node_t;

/* A trie; all zero: empty. */
typedef struct {
    vm_added_node_t  *nodes;
    uint32_t          n;
    uint32_t          size;
    uint8_t           first[256];
    unsigned          failed:1;         /* no memory */
} vm_added_t;

typedef struct {
    size_t            start;
    size_t            end;
    uint32_t          id;
} vm_added_match_t;


void vm_added_free(vm_added_t *a);
void vm_added_set(vm_added_t *a, vm_str_t text, uint32_t id, unsigned flags);

/*
 * The first token in valid UTF-8 from `from` on, the longest of those that
 * begin where it does.  0: there is none.
 */
int vm_added_next(const vm_added_t *a, const char *s, size_t len, size_t from,
    vm_added_match_t *m);


#endif /* VM_ADDED_H */
