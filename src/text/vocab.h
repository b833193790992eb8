/*
 * A vocabulary that was read from a file: the text and the spelling of each
 * id, and ids by what merges make.
 */

#ifndef VM_VOCAB_H
#define VM_VOCAB_H


#include "../base/buf.h"


#define VM_VOCAB_MAX      (1u << 20)    /* ids */

#define VM_VOCAB_SPECIAL  0x01
#define VM_VOCAB_WHOLE    0x02          /* merges make it of its own text */

typedef struct {
    uint32_t               bytes;       /* offsets in `text` */
    uint32_t               piece;
    uint32_t               bytes_len;
    uint32_t               piece_len;
    uint32_t               flags;
} vm_vocab_token_t;

typedef struct {
    vm_buf_t               text;
    vm_vocab_token_t      *tokens;
    uint32_t               n;           /* the largest id + 1 */
    uint32_t               size;
    uint32_t              *slots;       /* id + 1, 0: free */
    uint32_t               used;
    uint32_t               mask;
    uint32_t               longest;     /* bytes, of those found by text */
    unsigned               by_piece:1;  /* found by spelling, not bytes */
    unsigned               failed:1;    /* no memory */
} vm_vocab_t;


void vm_vocab_free(vm_vocab_t *v);

/* Sets what an id (below VM_VOCAB_MAX) is. */
void vm_vocab_set(vm_vocab_t *v, uint32_t id, vm_str_t bytes, vm_str_t piece,
    uint32_t flags);

/* Makes it found by its text; the first id of equal ones stays. */
void vm_vocab_index(vm_vocab_t *v, uint32_t id);

/* VM_NEVER: none. */
uint32_t vm_vocab_find(const vm_vocab_t *v, const char *s, size_t len);

vm_str_t vm_vocab_bytes(const vm_vocab_t *v, uint32_t id);
vm_str_t vm_vocab_piece(const vm_vocab_t *v, uint32_t id);


#endif /* VM_VOCAB_H */
