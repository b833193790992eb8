/*
 * Tokenizers by byte pair encoding: what their loaders fill in.  Text is
 * repaired to valid UTF-8; added tokens are found; what lies between them is
 * normalized, cut into pieces, and each piece is merged from its bytes or
 * characters.
 */

#ifndef VM_BYTEPAIR_H
#define VM_BYTEPAIR_H


#include "added.h"
#include "merge.h"
#include "spell.h"
#include "split.h"
#include "tokenizer_kind.h"
#include "vocab.h"


#define VM_BYTEPAIR_STEPS   8
#define VM_BYTEPAIR_SPLITS  4
#define VM_BYTEPAIR_AFFIX   32          /* bytes of a replacement and its NUL */

typedef enum {
    VM_NORMAL_COMPOSE,                  /* form C */
    VM_NORMAL_REPLACE,                  /* `from` by `to` */
    VM_NORMAL_PREPEND,                  /* `to` */
    VM_NORMAL_PREFIX                    /* `to`, unless it begins so */
} vm_normal_e;

typedef struct {
    vm_normal_e          what;
    char                 from[VM_BYTEPAIR_AFFIX];
    char                 to[VM_BYTEPAIR_AFFIX];
    unsigned             first:1;       /* only at the start of the text */
} vm_normal_t;

typedef struct {
    vm_tokenizer_t       common;

    vm_vocab_t           vocab;
    vm_merges_t          merges;
    vm_added_t           added;         /* found before normalization */
    vm_added_t           added_normal;  /* and after */

    vm_normal_t          steps[VM_BYTEPAIR_STEPS];
    uint32_t             nsteps;
    vm_normal_t          part[VM_BYTEPAIR_STEPS];   /* of what lies between */
    uint32_t             npart;                     /* added tokens */

    const vm_split_t    *splits[VM_BYTEPAIR_SPLITS];
    uint32_t             nsplits;

    uint32_t             symbols[256];  /* of bytes; VM_NEVER: none */
    uint32_t             unk;           /* VM_NEVER: none */
    uint8_t              joins[256];

    unsigned             fallback:1;    /* unknown characters are bytes */
    unsigned             fuse_unk:1;
    unsigned             ignore_merges:1;   /* a piece that is a token is it */
} vm_bytepair_t;


vm_bytepair_t *vm_bytepair_create(void);

/* The last thing that a loader calls.  VM_OK, VM_ERROR (no memory). */
int vm_bytepair_finish(vm_bytepair_t *b);

/* Appends a text after these steps (`first`: it begins the whole text). */
void vm_normal_apply(const vm_normal_t *steps, uint32_t n, int first,
    int inside, const char *s, size_t len, vm_buf_t *out);


#endif /* VM_BYTEPAIR_H */
