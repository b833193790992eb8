/*
 * Tokenizers.  One interface, several kinds behind it: the built-in one, and
 * those read from files.  A tokenizer is made once by the master, is read-only
 * afterwards and shared by fork.
 */

#ifndef VM_TOKENIZER_H
#define VM_TOKENIZER_H


#include "../base/buf.h"


typedef struct vm_tokenizer_s  vm_tokenizer_t;

/* A growable list of token ids. */
typedef struct {
    uint32_t  *ids;
    size_t     n;
    size_t     size;
    unsigned   failed:1;            /* no memory */
} vm_ids_t;

void vm_ids_init(vm_ids_t *l);
void vm_ids_free(vm_ids_t *l);
void vm_ids_add(vm_ids_t *l, uint32_t id);


/*
 * The built-in tokenizer: 32000 ids as Llama 2 has (0 <unk>, 1 <s>, 2 </s>,
 * 3..258 the bytes, then pieces of text), greedy longest match.  Any bytes
 * round-trip.  NULL: no memory.
 */
vm_tokenizer_t *vm_tokenizer_builtin(void);

/*
 * Of a file's content: Hugging Face's tokenizer.json, or tiktoken's ranks,
 * whose name (a path or not) tells which they are.  `config` is the
 * content of the tokenizer_config.json beside it, NULL: there is none.  NULL:
 * `err` says why.
 */
vm_tokenizer_t *vm_tokenizer_load(const char *name, vm_str_t file,
    const vm_str_t *config, char *err, size_t size);

void vm_tokenizer_free(vm_tokenizer_t *t);

uint32_t vm_tokenizer_vocab(const vm_tokenizer_t *t);
uint32_t vm_tokenizer_bos(const vm_tokenizer_t *t);     /* VM_NEVER: none */
uint32_t vm_tokenizer_eos(const vm_tokenizer_t *t);

/* Characters of the longest token, as vLLM's length check wants it. */
uint32_t vm_tokenizer_longest(const vm_tokenizer_t *t);

/*
 * Appends the ids of a text.  At most `max` of them (0: no limit): stops
 * there.  VM_OK or VM_ERROR (no memory).
 */
int vm_tokenizer_encode(const vm_tokenizer_t *t, const char *text, size_t len,
    size_t max, vm_ids_t *out);

/* The same behind the token that begins a prompt, if there is one. */
int vm_tokenizer_encode_prompt(const vm_tokenizer_t *t, const char *text,
    size_t len, size_t max, vm_ids_t *out);

/*
 * Appends the text of ids, as vLLM decodes a whole list: special tokens as
 * they are spelled, U+FFFD for what is no character.
 */
void vm_tokenizer_decode(const vm_tokenizer_t *t, const uint32_t *ids,
    size_t n, vm_buf_t *out);

/*
 * The bytes that a token stands for in running text (not necessarily whole
 * characters); empty for special tokens and ids beyond the vocabulary.
 */
vm_str_t vm_tokenizer_bytes(const vm_tokenizer_t *t, uint32_t id);

/* The same for a token that begins a text. */
vm_str_t vm_tokenizer_first(const vm_tokenizer_t *t, uint32_t id);

/* The longest run of ids that have text and are no byte tokens; n >= 1. */
void vm_tokenizer_range(const vm_tokenizer_t *t, uint32_t *first,
    uint32_t *n);

/* As the vocabulary spells it: "</s>", "<0x0A>", "\xe2\x96\x81the". */
vm_str_t vm_tokenizer_piece(const vm_tokenizer_t *t, uint32_t id);

/*
 * Appends what a spelling stands for, be it of a token or not; `first`: at the
 * beginning of a text.
 */
void vm_tokenizer_read(const vm_tokenizer_t *t, vm_str_t piece, int first,
    vm_buf_t *out);

int vm_tokenizer_special(const vm_tokenizer_t *t, uint32_t id);


/*
 * Words that are one token each, the frequent ones first, for writers: "word"
 * in running text, "Word" after a full stop and at the start of a text.  There
 * is at least one, whatever the vocabulary; VM_NEVER where it has no such
 * token.
 */
typedef struct {
    uint32_t         within;        /* " word" */
    uint32_t         capital;       /* " Word" */
    uint32_t         initial;       /* "Word" */
} vm_vocab_word_t;

typedef struct {
    uint32_t         n;
    vm_vocab_word_t *list;
    uint32_t         comma;
    uint32_t         stop;
} vm_vocab_words_t;

const vm_vocab_words_t *vm_tokenizer_words(const vm_tokenizer_t *t);


#endif /* VM_TOKENIZER_H */
