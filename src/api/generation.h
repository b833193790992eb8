/*
 * A generation: what every generating protocol becomes, and how its tokens
 * become text again.  An api file parses a body into it; the engine says when
 * tokens are due; the same api file renders them.
 */

#ifndef VM_GENERATION_H
#define VM_GENERATION_H


#include "call.h"
#include "field.h"
#include "../text/writer.h"


typedef struct vm_generation_s  vm_generation_t;
typedef struct vm_protocol_s    vm_protocol_t;
typedef struct vm_choice_s      vm_choice_t;


typedef struct {
    const uint32_t  *ids;
    uint32_t         n;
    vm_str_t         text;          /* of an echo */
    const json_t    *said;          /* a text, or a chat's messages; NULL */
    unsigned         given:1;       /* as tokens, not as text */
    unsigned         cut:1;         /* on its left */
} vm_prompt_t;


typedef enum {
    VM_STOP_NONE,
    VM_STOP_EOS,
    VM_STOP_TOKEN,                  /* stop_reason is its id */
    VM_STOP_STRING,                 /* stop_reason is the string */
    VM_STOP_REPETITION
} vm_stop_e;

/* What a piece of a choice's text is, for servers that have parsers. */

typedef enum {
    VM_PART_REASONING,
    VM_PART_CONTENT,
    VM_PART_WRAP,                   /* of a call: no one sees it */
    VM_PART_NAME,                   /* of a call, up to its arguments */
    VM_PART_ARGUMENTS
} vm_part_e;

typedef struct {
    vm_part_e         kind;
    unsigned          whole;        /* seen to its end */
    uint32_t          call;         /* which one, from 0 */
    size_t            from;         /* bytes after the thought */
    size_t            to;
} vm_span_t;

typedef struct {
    const char       *id;
    const char       *name;
    const char       *arguments;    /* as Python dumps them */
    size_t            end;          /* byte behind the arguments */
} vm_tool_call_t;


struct vm_choice_s {

    /* the plan: known before the first token is due */

    uint32_t          prompt;       /* which one */
    vm_writer_t       writer;
    vm_stop_e         stop;         /* what ends it before max_tokens */
    uint32_t          stop_at;      /* ... and with which token, from 0 */
    vm_str_t          stop_string;
    uint32_t          stop_token;
    size_t            text_end;     /* bytes of its text up to the cut */
    uint32_t          think_end;    /* the token that ends a thought; VM_NEVER:
                                       it does not end */
    unsigned          thinks;
    vm_span_t        *parts;        /* of a text with calls */
    uint32_t          nparts;
    vm_tool_call_t   *calls;
    uint32_t          ncalls;

    /* the state of the run */

    uint32_t          made;         /* tokens that came */
    uint32_t          sent;         /* tokens in chunks that went out */
    const char       *finish;       /* finish_reason, once it is over */
    vm_buf_t          text;         /* whole characters, decoded so far */
    char              half[4];      /* of a character that is not whole yet */
    uint8_t           nhalf;
    size_t            shown;        /* bytes of `text` that were sent */
    size_t            thought;      /* bytes of a thought that is over */
    unsigned          block;        /* the open one's kind, for protocols that
                                       have blocks; 0: none is open */
    uint32_t          blocks;       /* those that are closed */

    /* times of the engine, in seconds; for metrics in the answer */

    double            queued;
    double            scheduled;
    double            first_token;
    double            last_token;
    uint32_t          cached_tokens;
};


/* Sampling and output parameters that all protocols share. */

typedef struct {
    vm_int_t          max_tokens;
    vm_int_t          max_completion_tokens;
    vm_int_t          n;
    vm_int_t          seed;
    vm_int_t          min_tokens;
    vm_int_t          top_k;
    vm_int_t          top_logprobs;         /* chat */
    vm_int_t          num_logprobs;         /* completions: `logprobs` */
    vm_int_t          prompt_logprobs;
    vm_int_t          priority;
    vm_int_t          truncate_prompt_tokens;
    vm_int_t          stream_interval;
    vm_int_t          routed_experts_prompt_start;
    vm_float_t        frequency_penalty;
    vm_float_t        presence_penalty;
    vm_float_t        repetition_penalty;
    vm_float_t        temperature;
    vm_float_t        top_p;
    vm_float_t        min_p;
    vm_float_t        length_penalty;
    vm_any_t          messages;
    vm_any_t          prompt;
    vm_any_t          prompt_embeds;
    vm_any_t          logit_bias;
    vm_any_t          response_format;
    vm_any_t          structured_outputs;
    vm_any_t          stop;
    vm_any_t          stream_options;
    vm_any_t          tools;
    vm_any_t          tool_choice;
    vm_any_t          stop_token_ids;
    vm_any_t          allowed_token_ids;
    vm_any_t          logprob_token_ids;
    vm_any_t          bad_words;
    vm_any_t          documents;
    vm_any_t          chat_template_kwargs;
    vm_any_t          media_io_kwargs;
    vm_any_t          mm_processor_kwargs;
    vm_any_t          kv_transfer_params;
    vm_any_t          disaggregated_params;
    vm_any_t          modalities;
    vm_any_t          size;
    vm_any_t          ec_transfer_params;
    vm_any_t          vllm_xargs;
    vm_any_t          repetition_detection;
    vm_any_t          thinking_token_budget;
    const json_t     *model;
    const json_t     *user;
    const json_t     *suffix;
    const json_t     *request_id;
    const json_t     *session_id;
    const json_t     *cache_salt;
    const json_t     *chat_template;
    const json_t     *reasoning_effort;
    const json_t     *truncation_side;
    const json_t     *mm_payload;
    uint8_t           logprobs;             /* chat */
    uint8_t           stream;
    uint8_t           include_reasoning;
    uint8_t           parallel_tool_calls;
    uint8_t           use_beam_search;
    uint8_t           watermarking;
    uint8_t           include_stop_str_in_output;
    uint8_t           ignore_eos;
    uint8_t           skip_special_tokens;
    uint8_t           spaces_between_special_tokens;
    uint8_t           echo;
    uint8_t           add_generation_prompt;
    uint8_t           continue_final_message;
    uint8_t           add_special_tokens;
    uint8_t           return_tokens_as_token_ids;
    uint8_t           return_token_ids;
    uint8_t           return_token_offsets;
    uint8_t           return_prompt_text;
    uint8_t           return_mm_kwargs;
} vm_params_t;


struct vm_generation_s {
    const vm_protocol_t  *protocol;
    vm_call_t            *call;
    const vm_settings_t  *settings;
    vm_pool_t            *pool;
    vm_params_t           params;

    const char           *id;               /* with its prefix */
    vm_str_t              model;            /* as the answer names it */
    vm_adapter_t          adapter;
    int64_t               created;
    int64_t               priority;
    uint32_t              dp_rank;          /* VM_NEVER: any */

    vm_prompt_t          *prompts;
    uint32_t              nprompts;
    uint32_t             *max_tokens;       /* effective, for each prompt */
    const uint32_t       *lengths;          /* of the answers, where they follow
                                               from the request; or NULL */
    uint32_t              n;                /* choices of a prompt */
    vm_choice_t          *choices;          /* nprompts * n, prompt-major */
    uint32_t              nchoices;
    uint32_t              live;             /* choices not over yet */

    void                 *own;              /* the protocol's, in the pool */
    json_t               *body;             /* a chat's, if one was made of
                                               another protocol's */
    vm_error_t            late;             /* found by the engine's front
                                               end: a stream has its 200 by
                                               then; status 0: none */

    /* of the answer */

    const char           *type;             /* NULL: JSON; else it comes in
                                               chunks */
    const char           *metadata;         /* a header; NULL: none */
    uint32_t              width;            /* of a picture, in pixels */
    uint32_t              height;
    const char           *role;
    vm_str_t              echoed;           /* chat: text before the answer */
    const char           *prompt_text;
    int                   nlogprobs;        /* -1: none wanted */
    int                   nprompt_logprobs; /* -1: none wanted */
    uint32_t              interval;         /* tokens of a chunk */
    uint32_t              echo_only;        /* max_tokens 0 with echo */
    unsigned              stream:1;
    unsigned              deltas:1;         /* chunks are cut as for a stream,
                                               though the answer is whole */
    unsigned              rendered:1;       /* only its prompt is asked for */
    unsigned              begun:1;
    unsigned              include_usage:1;
    unsigned              continuous_usage:1;
    unsigned              tokens_as_ids:1;
    unsigned              token_ids:1;
    unsigned              no_prefix_lookup:1;
    unsigned              greedy:1;
    unsigned              remote_prefill:1;
    unsigned              remote_decode:1;
    unsigned              context_only:1;   /* of TensorRT-LLM */
    unsigned              picture:1;        /* in a chat's answer */
    unsigned              voice:1;
    unsigned              mute:1;           /* ... and no text */
    unsigned              pooling:1;        /* nothing is generated */
    unsigned              kept:1;           /* its answer is to be kept */
    unsigned              background:1;     /* ... and asked for later */

    /* what the model has to say, beyond words */

    json_t               *constraint;       /* of its text; NULL: none */
    json_t               *prompted;         /* a schema of the prompt whose
                                               choices are being planned */
    const uint32_t       *allowed;          /* tokens it may use; NULL: any */
    uint32_t              nallowed;

    /* looks of the tool parser: at deltas and at whole answers, with a call
       in it and without */

    uint32_t              parsed[2][2];
};


struct vm_protocol_s {
    const char  *name;
    unsigned     parts;             /* knows thoughts and tool calls */

    /* Fills a generation; VM_ERROR with call->error. */
    int        (*parse)(vm_generation_t *g, const json_t *body);

    /* The first output of any choice is there (streams). */
    void       (*begin)(vm_generation_t *g, vm_buf_t *out);

    /*
     * A chunk: the choice's tokens from c->sent to c->made; `text` is what is
     * new of it (streams).
     */
    void       (*chunk)(vm_generation_t *g, vm_choice_t *c, vm_str_t text,
                        vm_buf_t *out);

    /* All choices are over: the usage frame and the end, or the answer. */
    void       (*end)(vm_generation_t *g, vm_buf_t *out);
};

extern const vm_protocol_t  vm_chat, vm_completion;


/* ---- making one ---- */

vm_generation_t *vm_generation_create(vm_call_t *call,
    const vm_protocol_t *protocol);

/* Frees what does not lie in the pool. */
void vm_generation_free(vm_generation_t *g);

/* protocol->parse() of a body, then the plan.  VM_ERROR: in call->error. */
int vm_generation_parse(vm_generation_t *g, const json_t *body);


/* ---- running it ---- */

/* The id of a choice's token; VM_NEVER for none (never happens before end). */
uint32_t vm_generation_token(const vm_generation_t *g, const vm_choice_t *c,
    uint32_t pos);

/* The text of the token that stands there, as it is at that place. */
vm_str_t vm_generation_bytes(const vm_generation_t *g, const vm_choice_t *c,
    uint32_t pos, uint32_t id);

/*
 * `count` tokens of a choice came; `finish` is the reason if it is over.
 * Streams append frames to `out`; the others append their answer when the last
 * choice is over.
 */
void vm_generation_tokens(vm_generation_t *g, vm_choice_t *c, uint32_t count,
    const char *finish, vm_buf_t *out);

/* Bytes of a token into a choice's text; the end of them. */
void vm_run_decode(vm_choice_t *c, const char *s, size_t len);
void vm_run_decode_end(vm_choice_t *c);

/* A frame for an error that a stream finds late, and the end. */
void vm_generation_fail(vm_generation_t *g, const vm_error_t *e,
    vm_buf_t *out);


/* ---- pieces for the protocols ---- */

/* An id: prefix and the caller's, or 16 random hex digits. */
const char *vm_generation_id(vm_generation_t *g, const char *prefix,
    const json_t *own);

/* Model by name; 404 if there is none. */
int vm_generation_model(vm_generation_t *g, const json_t *model);

/* Steps 6 and 7 of the checks, around the protocol's own template. */
int vm_generation_limits(vm_generation_t *g);
int vm_generation_prompt_text(vm_generation_t *g, vm_prompt_t *p,
    const char *text, size_t len, int special);
int vm_generation_prompt_ids(vm_generation_t *g, vm_prompt_t *p,
    const json_t *ids);
int vm_generation_sampling(vm_generation_t *g);

/*
 * The pieces of these for who has another order: ids without a look at their
 * number, the checks of vLLM's SamplingParams, those of its engine.
 */
int vm_generation_take_ids(vm_generation_t *g, vm_prompt_t *p,
    const json_t *ids);
int vm_generation_params(vm_generation_t *g);

/* Beams are not for requests that are only rendered. */
int vm_generation_beam(vm_generation_t *g);

/* A request's own template, or one among its arguments. */
int vm_generation_trusted(const vm_settings_t *s, const json_t *template,
    const json_t *kwargs, vm_error_t *e);

/* A request's own arguments of processors and loaders of media. */
int vm_generation_media(vm_generation_t *g);

void vm_generation_late(vm_generation_t *g);

void vm_generation_stream(vm_generation_t *g);

uint64_t vm_generation_prompt_tokens(const vm_generation_t *g);
uint64_t vm_generation_output_tokens(const vm_generation_t *g);
uint64_t vm_generation_cached_tokens(const vm_generation_t *g);


#endif /* VM_GENERATION_H */
