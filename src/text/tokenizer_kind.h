/*
 * What a kind of tokenizer provides: the private side of tokenizer.h, for the
 * files that implement one.
 */

#ifndef VM_TOKENIZER_KIND_H
#define VM_TOKENIZER_KIND_H


#include "tokenizer.h"


typedef struct {
    /* `inside`: other text goes before, nothing is put there */
    int       (*encode)(const vm_tokenizer_t *t, const char *text, size_t len,
                        size_t max, int inside, vm_ids_t *out);
    vm_str_t  (*bytes)(const vm_tokenizer_t *t, uint32_t id);
    vm_str_t  (*piece)(const vm_tokenizer_t *t, uint32_t id);
    int       (*special)(const vm_tokenizer_t *t, uint32_t id);
    void      (*free)(vm_tokenizer_t *t);
} vm_tokenizer_kind_t;


/* A kind begins its own struct with this. */
struct vm_tokenizer_s {
    const vm_tokenizer_kind_t  *kind;
    uint32_t                    vocab;
    uint32_t                    bos;
    uint32_t                    eos;
    uint32_t                    longest;    /* in characters */
    uint32_t                    strip;      /* spaces a text's decoder takes
                                               off its beginning */
    unsigned                    bos_alone:1;    /* also of an empty text */
    unsigned                    byte_level:1;   /* spelled byte by byte, and
                                                   merges begin with bytes */
    unsigned                    byte_tokens:1;  /* pieces <0x00> to <0xFF> */
    const uint8_t              *joins;      /* by byte: whether merges take it
                                               together with a space behind
                                               it; NULL: none */
    uint32_t                    first;      /* the longest run with text */
    uint32_t                    run;
    vm_vocab_words_t            words;
};


/*
 * The last thing that a constructor calls: measures the longest token and
 * finds the words for writers.  VM_OK, VM_ERROR (no memory).
 */
int vm_tokenizer_finish(vm_tokenizer_t *t);


#endif /* VM_TOKENIZER_KIND_H */
