/*
 * Inside of the engine's block of memory: sequences, blocks, plans, events.
 * Everything is an index into an array of the block; arrays are found by
 * their offsets.  For the files of this room and for tools which look inside.
 */

#ifndef VM_STATE_H
#define VM_STATE_H


#include "engine.h"


#define VM_NONE         UINT32_MAX      /* no index */
#define VM_CHUNK        16              /* blocks in a piece of a table */
#define VM_STORE_MAX    (1u << 21)      /* blocks of all tables together */
#define VM_EVENTS_MORE  65536           /* events beyond one a sequence */


typedef enum {
    VM_SEQ_FREE,
    VM_SEQ_NEW,                         /* in no queue yet */
    VM_SEQ_WAITING,
    VM_SEQ_REMOTE,                      /* holds blocks, KV on its way */
    VM_SEQ_PREEMPTED,
    VM_SEQ_RUNNING,
    VM_SEQ_ENDED                        /* its last event is not collected */
} vm_seq_state_e;

typedef enum {
    VM_ABORT_NONE,
    VM_ABORT_CANCEL,                    /* the client went */
    VM_ABORT_STRING,                    /* over for the client: stop string */
    VM_ABORT_QUIET,                     /* an event, not counted */
    VM_ABORT_COUNTED
} vm_abort_e;

/* A piece of a sequence's block table and of its hashes. */
typedef struct {
    uint64_t  hashes[VM_CHUNK];
    uint32_t  blocks[VM_CHUNK];
    uint32_t  prev;
    uint32_t  next;
} vm_chunk_t;

typedef struct {
    uint64_t   cookie;
    uint64_t   order;                   /* of submission */
    uint64_t   admitted;                /* of admission: place in running */
    int64_t    priority;
    vm_time_t  arrival;
    vm_time_t  queued;
    vm_time_t  scheduled;
    vm_time_t  first_token;
    vm_time_t  last_token;
    vm_time_t  due;                     /* token clock; KV's arrival */
    vm_time_t  pace;                    /* capacity model: between tokens */

    uint32_t   gen;
    uint32_t   owner;
    uint32_t   prompt;
    uint32_t   max_tokens;
    uint32_t   eos_at;
    uint32_t   string_at;
    uint32_t   lora;
    uint32_t   group;                   /* of n > 1; VM_NONE */

    uint32_t   output;                  /* tokens known */
    uint32_t   placeholders;            /* planned, not known yet */
    uint32_t   computed;
    uint32_t   cached;                  /* at the first admission */
    uint32_t   external;                /* came from elsewhere */
    uint32_t   preemptions;

    uint32_t   nhashes;
    uint32_t   nblocks;                 /* held */
    uint32_t   nfull;                   /* of these, registered */
    uint32_t   head;                    /* chunks */
    uint32_t   tail;                    /* chunk of the last block held */

    uint32_t   prev;                    /* in waiting, running, remote */
    uint32_t   next;
    uint32_t   place;                   /* in a heap; VM_NONE */
    uint32_t   planned;                 /* in the plan being made; VM_NONE */
    uint32_t   owner_prev;
    uint32_t   owner_next;
    uint32_t   abort_next;
    uint32_t   events;                  /* not collected */
    uint32_t   last_event;

    uint8_t    state;
    uint8_t    eos_finish;
    uint8_t    abort;                   /* vm_abort_e, when the step ends */
    uint8_t    lost;                    /* tokens in flight to be dropped */
    unsigned   deferred:1;
    unsigned   aborting:1;              /* in the list of aborts */
    unsigned   over:1;                  /* its finish event was made */
    unsigned   collected:1;             /* ... and collected */
    unsigned   no_lookup:1;
    unsigned   remote:1;
    unsigned   pooling:1;
    unsigned   lora_listed:1;
    unsigned   ready:1;                 /* `place` is in the ready ones */
    unsigned   arrived:1;               /* the KV from elsewhere is here */
} vm_seq_t;

typedef struct {
    uint64_t   hash;                    /* 0: not registered */
    uint32_t   ref;
    uint32_t   prev;                    /* free queue */
    uint32_t   next;
    uint32_t   chain;                   /* next hash of the same bucket */
    uint32_t   younger;                 /* ring of blocks with one hash; the */
    uint32_t   older;                   /* oldest is the one in the bucket */
} vm_block_t;

typedef struct {
    uint32_t   seq;
    uint32_t   gen;
    uint32_t   tokens;                  /* now */
    uint32_t   before;                  /* computed earlier */
    unsigned   samples:1;               /* gets a token */
    unsigned   decode:1;
    unsigned   fresh:1;                 /* admitted for the first time */
    unsigned   resumed:1;
} vm_planned_t;

typedef struct {
    uint32_t   n;
    uint32_t   offset;                  /* of its first vm_planned_t */
    uint64_t   step;
    vm_time_t  duration;
} vm_plan_t;

typedef struct {
    uint32_t   prev;                    /* of the same owner */
    uint32_t   next;
    uint32_t   more;                    /* of the same sequence */
    uint32_t   seq;
    uint32_t   first;
    uint32_t   count;
    vm_time_t  due;
    uint32_t   finish;
} vm_node_t;

typedef struct {
    uint32_t   seqs;
    uint32_t   live;
    uint32_t   head;                    /* events */
    uint32_t   tail;
} vm_owner_t;

typedef struct {
    uint32_t   left;                    /* children alive */
    uint32_t   n;
    uint32_t   longest;
    uint32_t   spoilt;                  /* a child was cancelled */
} vm_group_t;

typedef struct {
    uint32_t   head;
    uint32_t   tail;
    uint32_t   n;
} vm_list_t;

typedef struct {
    uint32_t   id;
    uint32_t   n;
} vm_lora_use_t;


struct vm_engine_s {
    vm_engine_conf_t  conf;
    vm_stats_t        stats;

    /* arrays, as offsets */

    size_t            seqs_at;
    size_t            blocks_at;
    size_t            buckets_at;
    size_t            chunks_at;
    size_t            planned_at;
    size_t            preempted_at;
    size_t            prefills_at;
    size_t            nodes_at;
    size_t            owners_at;
    size_t            groups_at;
    size_t            heap_at;          /* waiting ones by priority */
    size_t            clock_at;         /* running ones by due time */
    size_t            ready_at;         /* clocks: no token is coming */

    /* cache: blocks */

    uint32_t          free_blocks;
    uint32_t          bucket_bits;
    uint32_t          max_blocks;       /* of one sequence */
    uint32_t          nchunks;
    uint32_t          free_chunk;
    uint32_t          chunks_left;

    /* free slots, linked by `next` (nodes: `more`, groups: `left`) */

    uint32_t          free_seq;
    uint32_t          slots_left;
    uint32_t          free_node;
    uint32_t          nodes_left;
    uint32_t          silent;           /* sequences without an event */
    uint32_t          free_group;

    /* queues */

    vm_list_t         waiting;          /* FCFS */
    vm_list_t         remote;
    vm_list_t         running;
    uint32_t          nheap;
    uint32_t          nclock;
    uint32_t          nready;
    uint32_t          deferred;
    uint64_t          waiting_tokens;
    uint32_t          live;
    uint32_t          aborts;           /* when the step ends: a list */
    uint32_t          aborts_tail;

    uint64_t          orders;
    uint64_t          admissions;
    uint64_t          submitted;
    uint64_t          ended;

    /* the plan made last */

    uint32_t          npreempted;
    uint32_t          nactive;
    vm_lora_use_t     active[VM_LORA_MAX];
    uint32_t          nheld;
    vm_lora_use_t     held[VM_LORA_MAX];    /* clocks: of running ones */
    uint32_t          mark;             /* FCFS: all up to here were passed */
    uint32_t          nmark;            /* over for want of a slot, those */
    uint32_t          marked[VM_LORA_MAX];  /* being taken by these */
    uint32_t          nlora;
    vm_lora_use_t     lora[VM_LORA_MAX];    /* of live ones, as they came */

    /* prefix statistics until the next update */

    uint64_t          queries;
    uint64_t          hits;
    uint64_t          again_queries;
    uint64_t          again_hits;

    /* tokens of the update that runs */

    uint64_t          step_tokens;
    unsigned          step_outputs:1;
    unsigned          clocks:1;         /* each sequence has its own */
    unsigned          stepping:1;       /* plans[current] is in flight */
    unsigned          planned:1;        /* the other one comes next */
    unsigned          stirred:1;        /* somebody left */
    unsigned          resetting:1;      /* when it comes to rest */

    /* time */

    vm_pause_e        pause;
    uint32_t          work;         /* that one advance may do */
    unsigned          behind:1;     /* an advance was cut: `now` is then */
    vm_time_t         now;
    vm_time_t         plan_at;
    vm_time_t         step_end;
    uint32_t          current;
    uint64_t          steps;
    vm_plan_t         plans[2];
};


#define vm_at(e, where, type)                                                \
    ((type *) ((uintptr_t) (e) + (where)))

#define vm_seq(e, i)     (vm_at(e, (e)->seqs_at, vm_seq_t) + (i))
#define vm_block(e, i)   (vm_at(e, (e)->blocks_at, vm_block_t) + (i))
#define vm_bucket(e, i)  (vm_at(e, (e)->buckets_at, uint32_t) + (i))
#define vm_chunk(e, i)   (vm_at(e, (e)->chunks_at, vm_chunk_t) + (i))
#define vm_node(e, i)    (vm_at(e, (e)->nodes_at, vm_node_t) + (i))
#define vm_owner(e, i)   (vm_at(e, (e)->owners_at, vm_owner_t) + (i))
#define vm_group(e, i)   (vm_at(e, (e)->groups_at, vm_group_t) + (i))
#define vm_ready(e)      vm_at(e, (e)->ready_at, uint32_t)
#define vm_prefills(e)   vm_at(e, (e)->prefills_at, vm_prefill_t)
#define vm_preempted(e)  vm_at(e, (e)->preempted_at, uint32_t)
#define vm_planned(e, p)                                                     \
    (vm_at(e, (e)->planned_at, vm_planned_t) + (p)->offset)

#define vm_seq_index(e, s)  ((uint32_t) ((s) - vm_seq(e, 0)))
#define vm_seq_tokens(s)    ((s)->prompt + (s)->output)


#endif /* VM_STATE_H */
