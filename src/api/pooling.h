/*
 * What models answer that do not generate: /v1/embeddings, /pooling,
 * /classify, here; /score and /rerank in scoring.c; Cohere's /v2/embed in
 * cohere.c.  Each is a protocol like those that generate: its prompts go
 * through the engine, which is done with them when they are computed.
 */

#ifndef VM_POOLING_H
#define VM_POOLING_H


#include "params.h"
#include "vector.h"


extern const vm_protocol_t  vm_embeddings, vm_pooling, vm_classify, vm_score,
                            vm_rerank, vm_cohere;


/* ---- for the protocols ---- */

#define VM_POOLING_LABELS  64


/* A request of any of them; what it sends of vm_params_t stands there. */

typedef struct {
    vm_params_t    params;          /* the first: rows are vm_param() */

    vm_any_t       input;
    vm_any_t       data;            /* of a plugin */
    vm_any_t       left;            /* of scores */
    vm_any_t       right;
    vm_int_t       dimensions;
    vm_int_t       top_n;
    vm_int_t       max_tokens_per_query;
    vm_int_t       max_tokens_per_doc;
    const json_t  *task;
    const json_t  *encoding_format;
    const json_t  *embed_dtype;
    const json_t  *endianness;
    vm_any_t       use_activation;

    /* Cohere's */

    vm_any_t       texts;
    vm_any_t       images;
    vm_any_t       inputs;
    vm_any_t       embedding_types;
    vm_int_t       output_dimension;
    vm_int_t       max_tokens;
    const json_t  *input_type;
    const json_t  *truncate;

    uint32_t       dims;            /* of the vectors */
    uint32_t       queries;         /* of the prompts, the first ones */
} vm_pooled_t;

#define vm_pooled_row(name, type, flags)                                      \
    { #name, &type, flags, offsetof(vm_pooled_t, name), 0, NULL }
#define vm_pooled_need(name, type, field)                                     \
    { name, &type, VM_F_REQUIRED|VM_F_NOTNULL, offsetof(vm_pooled_t, field),  \
      0, NULL }

#define VM_POOLED_PADDING                                                     \
    { "padding", &vm_pooled_padding_type, VM_F_CHECK, 0, 0, NULL }

#define VM_POOLED_WHO                                                         \
    vm_param(model, vm_str_type, 0, 0),                                       \
    vm_param(user, vm_str_type, 0, 0),                                        \
    vm_param(truncate_prompt_tokens, vm_pooled_truncate_type, 0, 0)

#define VM_POOLED_HOW                                                         \
    vm_param(truncation_side, vm_side_type, 0, 0),                            \
    vm_param(request_id, vm_str_type, VM_F_NOTNULL, 0),                       \
    vm_param(priority, vm_int64_type, VM_F_NOTNULL, 0),                       \
    vm_param(mm_processor_kwargs, vm_dict_type, 0, 0),                        \
    vm_param(cache_salt, vm_str_type, 0, 0)

#define VM_POOLED_BASIC  VM_POOLED_WHO, VM_POOLED_PADDING, VM_POOLED_HOW

#define VM_POOLED_ACTIVATION                                                  \
    vm_pooled_row(use_activation, vm_bool_any_type, 0)

extern const vm_type_t  vm_pooled_truncate_type, vm_pooled_padding_type,
                        vm_bool_any_type;


/*
 * The first of the classes that a body fits, which fills q and g->params; the
 * violations of all of them if there is none.  NULL ends the list.
 */
int vm_pooled_load(vm_generation_t *g, const vm_type_t *const *classes,
    const json_t *body, vm_pooled_t *q);

/* Model, id and what else is looked at before the prompts. */
int vm_pooled_begin(vm_generation_t *g, const vm_pooled_t *q,
    const char *prefix);

/* Room for n prompts behind those there are. */
vm_prompt_t *vm_pooled_prompts(vm_generation_t *g, size_t n);

/* A prompt of a text or of ids. */
int vm_pooled_prompt(vm_generation_t *g, vm_prompt_t *p, const json_t *v);
int vm_pooled_chat(vm_generation_t *g, vm_prompt_t *p,
    const json_t *messages);

/* The rest of a generation, once its prompts are there. */
int vm_pooled_done(vm_generation_t *g, vm_pooled_t *q);

/* Whether outputs are normalized; true where nothing is said. */
int vm_pooled_activation(const vm_pooled_t *q);

/* The model's dimensions. */
uint32_t vm_pooled_dims(const vm_generation_t *g);

/* {"id":...,"object":"list","created":...,"model":... */
void vm_pooled_head(vm_generation_t *g, int list, vm_buf_t *out);

/* "usage":{...} */
void vm_pooled_usage(const vm_generation_t *g, vm_buf_t *out);

void vm_pooled_nothing(vm_generation_t *g, vm_buf_t *out);


#endif /* VM_POOLING_H */
