/*
 * What the model says: output tokens as a pure function of a seed and a
 * position, so that no text is stored.  A writer may begin with given tokens
 * (a message, an echo of the prompt, the lines of a file), after which it goes
 * on with words for ever.
 */

#ifndef VM_WRITER_H
#define VM_WRITER_H


#include "tokenizer.h"


typedef struct {
    const vm_tokenizer_t  *tokenizer;
    uint64_t               key;         /* of the random words */
    const uint32_t        *lead;        /* given tokens, not owned */
    uint32_t               nlead;
} vm_writer_t;


/*
 * The id of output token `pos`.  After `lead` come common words, each one
 * token with its leading space (the first word of a text has none but for
 * that), capitals after full stops, now and then a comma or full stop token.
 * Text made of these tokens is encoded to the same ids again.
 */
uint32_t vm_writer_token(const vm_writer_t *w, uint32_t pos);

/*
 * Makes a text the lead, its ids kept in a list of the caller's.  Where merges
 * could take the end of the text together with the word behind it, that word
 * belongs to the lead, too.  VM_OK, VM_ERROR (no memory).
 */
int vm_writer_lead(vm_writer_t *w, const char *text, size_t len,
    vm_ids_t *ids);


#endif /* VM_WRITER_H */
