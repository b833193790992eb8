/*
 * The simulated inference engine: vLLM 0.32.0's scheduler and KV cache, moved
 * step by step by a latency model.  It does no I/O, takes no lock and reads no
 * clock: `now` is an argument, and due times follow from the submitted
 * generations alone, never from who calls or how late.
 *
 * One engine is one block of memory without pointers out of it (indices only),
 * so that it may lie in a shared zone and be used by processes which map it at
 * one address.  The caller keeps calls apart (the zone's mutex).
 */

#ifndef VM_ENGINE_H
#define VM_ENGINE_H


#include "latency.h"
#include "stats.h"


typedef struct vm_engine_s  vm_engine_t;

typedef enum {
    VM_POLICY_FCFS,
    VM_POLICY_PRIORITY
} vm_policy_e;

typedef struct {
    uint32_t      max_num_seqs;
    uint32_t      max_num_batched_tokens;
    uint32_t      block_size;
    uint32_t      num_gpu_blocks;           /* with the null block 0 */
    uint32_t      max_model_len;
    uint32_t      max_loras;                /* 0: no LoRA */
    uint32_t      long_prefill_token_threshold;
    vm_policy_e   policy;
    double        watermark;
    unsigned      prefix_caching:1;
    unsigned      chunked_prefill:1;
    unsigned      reserve_full_isl:1;
    unsigned      async_scheduling:1;

    uint32_t      max_waiting;              /* sequences; 0: no limit */
    uint32_t      max_waiting_tokens;       /* prompt tokens; 0: no limit */
    uint32_t      max_live;                 /* sequences alive: sizes memory */
    uint32_t      owners;                   /* workers, at most */
    uint32_t      max_tables;               /* blocks of all live sequences,
                                               shared or not; 0: enough, but
                                               2,097,152 at most */

    double        time_scale;               /* 1: real time, 0.1: 10x faster */
    uint64_t      seed;
    vm_latency_t  latency;
} vm_engine_conf_t;


/* max_model_len where neither a setting nor a known model says it */

#define VM_ENGINE_LENGTH  4096

/* vLLM's defaults where a GPU's size does not matter. */
void vm_engine_defaults(vm_engine_conf_t *conf);

/* NULL if the configuration holds together, else what is wrong with it. */
const char *vm_engine_check(const vm_engine_conf_t *conf);

size_t vm_engine_footprint(const vm_engine_conf_t *conf);

/* `mem` is zeroed or not, aligned to 16, vm_engine_footprint() long. */
vm_engine_t *vm_engine_init(void *mem, const vm_engine_conf_t *conf);
const vm_engine_conf_t *vm_engine_conf(const vm_engine_t *e);


/*
 * One sequence of a generation.  What the model will say is known beforehand,
 * so the caller gives the hashes of all full blocks of prompt + output, chained
 * by vm_block_hash(); nhashes may be smaller than that (then later blocks are
 * never found again), 0 where prefix caching is off.
 */
typedef struct {
    uint64_t         cookie;        /* the caller's, comes back in events */
    uint32_t         eos_at;        /* output token (from 0) that is EOS or a
                                       stop token; VM_NEVER */
    vm_finish_e      eos_finish;    /* what eos_at stands for: 0 is STOP, or
                                       REPETITION */
    uint32_t         string_at;     /* output token that completes a stop
                                       string: the front end aborts the rest a
                                       step later, reason "stop"; VM_NEVER */
    uint32_t         nhashes;
    const uint64_t  *hashes;        /* read during the call only */
} vm_engine_seq_t;

typedef struct {
    uint32_t         owner;         /* who collects: 0 .. owners - 1 */
    uint32_t         prompt_tokens;
    uint32_t         max_tokens;    /* effective: >= 1 */
    int64_t          priority;
    uint32_t         lora;          /* adapter's number; 0: base model */
    vm_time_t        arrival;       /* at the API server, <= now */
    unsigned         no_prefix_lookup:1;    /* prompt_logprobs */
    unsigned         remote_prefill:1;      /* P/D: KV comes from elsewhere */
    unsigned         remote_decode:1;       /* P/D: others decode.  Changes
                                               nothing here: as in vLLM, the
                                               caller asks for one token */
    unsigned         pooling:1;     /* over when its prompt was computed, with
                                       an event without tokens; max_tokens is
                                       1, as for a scheduler it is */

    uint32_t         n;             /* sequences, children of one request */
    vm_engine_seq_t *seqs;
} vm_engine_request_t;

/* A sequence's handle: an index and a generation, never used again. */
typedef uint64_t  vm_handle_t;


/*
 * VM_OK and a handle for each sequence; VM_DECLINED when max_waiting or the
 * memory (max_live, max_tables) is reached, nothing is queued then; VM_ERROR
 * for a request that can't be (no tokens, a prompt of max_model_len or more;
 * one that is pooled may fill it).
 * Advances to just before `now` first: what is planned at that very instant is
 * planned with it, provided that vm_engine_advance() was not there already.
 */
int vm_engine_submit(vm_engine_t *e, const vm_engine_request_t *r,
    vm_handle_t *handles, vm_time_t now);

/*
 * Performs every step that is due by `now`.  Answers when the next one ends,
 * VM_TIME_NONE when nothing will happen before the next submit (idle, paused).
 */
vm_time_t vm_engine_advance(vm_engine_t *e, vm_time_t now);

/*
 * The same, but once steps with so many sequences are done, the rest is left
 * to the next call: a time that is past is answered.  What is submitted
 * meanwhile comes when the engine has come to.
 */
vm_time_t vm_engine_advance_some(vm_engine_t *e, vm_time_t now,
    uint32_t work);


typedef struct {
    uint64_t     cookie;
    vm_handle_t  handle;
    uint32_t     first;             /* position of the first new token */
    uint32_t     count;             /* new tokens; 0 with an abort, and of
                                       what is pooled */
    uint32_t     cached_tokens;     /* hit at the first admission */
    vm_finish_e  finish;            /* the sequence is over with this event */
    vm_time_t    due;               /* of the last of these tokens */
    vm_time_t    queued;            /* stamps; VM_TIME_NONE if not reached */
    vm_time_t    scheduled;
    vm_time_t    first_token;
    uint32_t     preemptions;
} vm_event_t;

/*
 * Tokens of an owner's sequences that fell due since it asked last, one event
 * per sequence and step, in order of time.  At most `max`; call again while it
 * answers `max`.  A sequence whose `finish` was collected is forgotten.
 */
size_t vm_engine_collect(vm_engine_t *e, uint32_t owner, vm_event_t *events,
    size_t max);

/*
 * The client went away: the sequence ends when the step that runs ends (vLLM
 * does not count it among the finished ones), and no event comes for it.
 */
void vm_engine_cancel(vm_engine_t *e, vm_handle_t h, vm_time_t now);

/*
 * An administrator ends it: an event with VM_FINISH_ABORT comes.  `counted`:
 * request_success{abort} (pause, sleep) or not (/abort_requests).
 */
void vm_engine_abort(vm_engine_t *e, vm_handle_t h, int counted,
    vm_time_t now);
void vm_engine_abort_all(vm_engine_t *e, int counted, vm_time_t now);

/* All of an owner that died: as vm_engine_cancel(). */
void vm_engine_release(vm_engine_t *e, uint32_t owner, vm_time_t now);


typedef enum {
    VM_PAUSE_NONE,                  /* resume */
    VM_PAUSE_WAIT,                  /* no admissions, running ones go on */
    VM_PAUSE_KEEP                   /* nothing is scheduled */
} vm_pause_e;

void vm_engine_pause(vm_engine_t *e, vm_pause_e mode, vm_time_t now);

/*
 * Nothing is under way, nor will be before the next submit: all is over, or a
 * pause has taken effect.  The other: the cache is emptied as soon as it is
 * so; who still holds blocks then computes all anew.
 */
int vm_engine_at_rest(const vm_engine_t *e);
void vm_engine_reset_at_rest(vm_engine_t *e, vm_time_t now);

/* 1 if no block was in use and the cache is empty now, else 0. */
int vm_engine_reset_prefix_cache(vm_engine_t *e, int reset_running,
    vm_time_t now);


/* How many of the first hashes' blocks are in the cache; changes nothing. */
uint32_t vm_engine_cached(const vm_engine_t *e, const uint64_t *hashes,
    uint32_t n);

/* Sequences that are not over yet. */
uint32_t vm_engine_live(const vm_engine_t *e);
uint32_t vm_engine_live_of(const vm_engine_t *e, uint32_t owner);

/* Prompt and output tokens of a live sequence; VM_ERROR for an old handle. */
int vm_engine_progress(const vm_engine_t *e, vm_handle_t h, uint32_t *prompt,
    uint32_t *output);

const vm_stats_t *vm_engine_stats(const vm_engine_t *e);


/* The hash of one full block: its parent's (0 for the first), its tokens. */
uint64_t vm_block_hash(uint64_t parent, const uint32_t *tokens, uint32_t n,
    uint64_t extra);

/*
 * A key for `extra`: the adapter's name in every block, and the cache salt in
 * the first one.  0 if there is neither.
 */
uint64_t vm_block_extra(const char *lora, size_t lora_len, const char *salt,
    size_t salt_len);


/*
 * Data parallel: which of n ranks gets the next request, by vLLM's balancer;
 * `turn` is the caller's counter (starts at 0), kept beside the engines.
 */
uint32_t vm_engine_balance(vm_engine_t *const *ranks, uint32_t n,
    uint32_t *turn);


#endif /* VM_ENGINE_H */
