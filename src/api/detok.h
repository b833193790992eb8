/*
 * Tokens to text, a few at a time: what is between two calls lies with the
 * client, as the last tokens and two places in them.
 */

#ifndef VM_DETOK_H
#define VM_DETOK_H


#include "field.h"
#include "../text/tokenizer.h"


typedef struct {
    const vm_tokenizer_t  *tokenizer;
    json_t                *prev;        /* tokens as they are spelled */
    json_int_t             prefix;      /* where the text before begins */
    json_int_t             read;        /* ... and ends */
    unsigned               skip:1;      /* special tokens */
} vm_detok_t;


void vm_detok_init(vm_detok_t *d, const vm_tokenizer_t *t, int skip);
void vm_detok_free(vm_detok_t *d);

/* Goes on behind a prompt's last tokens. */
void vm_detok_seed(vm_detok_t *d, const json_t *ids);

/* Appends the text of a list of ids. */
void vm_detok_ids(vm_detok_t *d, const json_t *ids, vm_buf_t *out);

/*
 * The text of one token for a log-probability, with `context`, the ids before
 * it, where it alone is no text.  0: it is not in the vocabulary.
 */
int vm_detok_one(const vm_tokenizer_t *t, const json_t *id,
    const json_t *context, vm_buf_t *out);


#endif /* VM_DETOK_H */
