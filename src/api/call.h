/*
 * What a request brings along besides its body, and what an api file may ask
 * of the server behind it.
 */

#ifndef VM_CALL_H
#define VM_CALL_H


#include "error.h"
#include "settings.h"


typedef struct {
    uint32_t     number;            /* of an adapter, from 1; 0: base model */
    vm_str_t     name;
    vm_str_t     path;
} vm_adapter_t;

typedef enum {
    VM_LENGTH_MAX,                  /* as many as may be */
    VM_LENGTH_FIXED,                /* a */
    VM_LENGTH_UNIFORM,              /* a .. b */
    VM_LENGTH_NORMAL,               /* mean a, sigma b */
    VM_LENGTH_LOGNORMAL             /* of the logarithm: mu a, sigma b */
} vm_length_e;

typedef enum {
    VM_TEXT_WORDS,
    VM_TEXT_MESSAGE,                /* names model and pod, then words */
    VM_TEXT_ECHO,                   /* what the user said, then words */
    VM_TEXT_FILE                    /* a line of a file, then words */
} vm_text_e;

/* vllm_mock_output */

typedef struct {
    vm_text_e          text;
    vm_length_e        length;
    double             a;
    double             b;
    uint8_t            cap;         /* max_tokens limits, but is no length */
    uint8_t            thinks_asked;    /* reasoning comes when asked for */
    uint8_t            schema_prompt;   /* a schema in a prompt's text counts */
    double             calls;       /* how often "auto" calls, of 1 */
    uint32_t           chunk_a;     /* tokens of a stream's chunk; 0: as the */
    uint32_t           chunk_b;     /* request or --stream-interval says */
    const char        *pod;
    vm_str_t          *lines;
    size_t             nlines;
} vm_output_t;


typedef struct {
    vm_pool_t             *pool;
    const vm_settings_t   *settings;
    const vm_output_t     *output;
    vm_error_t             error;

    uint32_t               max_num_seqs;    /* the engine's; 0: any */

    uint64_t               random;      /* 64 bits, of this request alone */
    uint64_t               chance;      /* what follows from the seed */
    double                 now;         /* Unix seconds */

    const struct vm_form_s  *form;      /* of a body that is one; or NULL */

    /* headers; NULL: not sent */
    const char            *request_id;
    const char            *dp_rank;
    const char            *priority;

    /* an adapter by name: 1 and *out, or 0 */
    int                  (*adapter)(void *data, const char *name, size_t len,
                                    vm_adapter_t *out);

    /* a kept answer by its id: its messages and itself are appended, 1; 0 */
    int                  (*recall)(void *data, const char *id, size_t len,
                                   vm_buf_t *messages, vm_buf_t *object);
    void                  *data;
} vm_call_t;


#endif /* VM_CALL_H */
