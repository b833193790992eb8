/*
 * The engine's memory and the pieces that its files share: sequences, queues,
 * block tables.  Everything is found by an offset from the engine itself.
 */

#ifndef VM_CORE_H
#define VM_CORE_H


#include "engine.h"
#include "kv.h"


#define VM_NIL          UINT32_MAX
#define VM_CHUNK        16              /* hashes of a chunk */


typedef enum {
    VM_SEQ_FREE,
    VM_SEQ_WAITING,                     /* also after a preemption */
    VM_SEQ_RUNNING,
    VM_SEQ_OVER                         /* its end was not collected yet */
} vm_seq_state_e;

typedef struct {
    uint32_t   state;
    uint32_t   generation;              /* of the handle */
    uint64_t   cookie;
    uint32_t   owner;
    uint32_t   prompt;
    uint32_t   max_tokens;
    uint32_t   eos_at;
    uint32_t   eos_finish;
    uint32_t   string_at;
    int64_t    priority;
    uint64_t   order;                   /* of arrival */
    uint32_t   lora;
    uint32_t   group;                   /* its parent request */

    uint32_t   output;                  /* tokens that are known */
    uint32_t   computed;
    uint32_t   placeholders;            /* planned, not known yet */
    uint32_t   in_flight;               /* tokens of plans under way */
    uint32_t   stale;                   /* ... planned before a preemption */

    uint32_t   table;                   /* its row of blocks; VM_NIL */
    uint32_t   blocks;                  /* held */
    uint32_t   registered;              /* blocks with a hash, from the left */
    uint32_t   nhashes;
    uint32_t   hashes;                  /* first chunk; VM_NIL */

    uint32_t   cached;                  /* hit at the first admission */
    uint32_t   external;                /* came from another engine */
    uint32_t   preemptions;

    uint32_t   admitted:1;              /* it was, once */
    uint32_t   deferred:1;
    uint32_t   no_lookup:1;
    uint32_t   remote:1;                /* its prompt's KV comes from afar */
    uint32_t   cancelled:1;             /* the client is gone */
    uint32_t   doomed:1;                /* ends when the step does */
    uint32_t   counted:1;               /* ... as request_success{abort} */
    uint32_t   stopped:1;               /* by a string: the rest is lost */
    uint32_t   told:1;                  /* is in its owner's queue of news */
    uint32_t   planned:1;               /* in the plan that is being made */

    uint32_t   prev;                    /* waiting queue */
    uint32_t   next;
    uint32_t   news;                    /* next in the owner's queue */
    uint32_t   live_prev;               /* the owner's sequences */
    uint32_t   live_next;
    uint32_t   heap;                    /* place in the heap of clocks */

    /* what was not collected yet */

    uint32_t   first;                   /* position of the first new token */
    uint32_t   finish;
    vm_time_t  due;

    vm_time_t  arrival;
    vm_time_t  queued;
    vm_time_t  scheduled;
    vm_time_t  first_token;
    vm_time_t  last_token;
    vm_time_t  clock;                   /* its next token, with clocks */
} vm_seq_t;

typedef struct {
    uint32_t   next;
    uint32_t   pad;
    uint64_t   hashes[VM_CHUNK];
} vm_chunk_t;

/* A request: n sequences that are counted as one in two histograms. */

typedef struct {
    uint32_t   n;
    uint32_t   live;
    uint32_t   longest;
    uint32_t   lost;                    /* one was cancelled */
    uint32_t   next;                    /* of the free ones */
} vm_group_t;

typedef struct {
    uint32_t   head;                    /* with news, in order */
    uint32_t   tail;
    uint32_t   live;                    /* first of all its sequences */
    uint32_t   nlive;
} vm_owner_t;

/* A step that was planned. */

typedef struct {
    uint32_t   seq;
    uint32_t   now;                     /* tokens computed in it */
    uint32_t   before;                  /* computed earlier */
    uint32_t   generation;
    uint32_t   samples;                 /* it yields a token */
} vm_planned_t;

typedef struct {
    uint32_t   n;
    uint32_t   valid;
    vm_time_t  duration;
    uint64_t   number;
} vm_plan_t;

typedef struct {
    uint32_t   id;
    uint32_t   n;
} vm_lora_live_t;

struct vm_engine_s {
    vm_engine_conf_t   conf;
    vm_stats_t         stats;

    size_t             size;
    size_t             seqs_at;
    size_t             chunks_at;
    size_t             groups_at;
    size_t             owners_at;
    size_t             tables_at;
    size_t             free_tables_at;
    size_t             running_at;
    size_t             heap_at;
    size_t             plans_at;        /* three rows */
    size_t             kv_at;
    size_t             loras_at;
    size_t             prefills_at;

    uint32_t           row;             /* blocks of a table's row */
    uint32_t           nchunks;
    uint32_t           free_chunk;
    uint32_t           nfree_chunks;
    uint32_t           free_seq;
    uint32_t           free_group;
    uint32_t           nfree_tables;
    uint32_t           nrunning;
    uint32_t           nheap;
    uint32_t           waiting_head;
    uint32_t           waiting_tail;
    uint32_t           nwaiting;
    uint32_t           ndeferred;
    uint32_t           nlive;
    uint32_t           nloras;
    uint64_t           waiting_tokens;
    uint64_t           arrivals;
    uint64_t           draws;           /* of random numbers */

    /* the step driver */

    vm_plan_t          plan;            /* under way */
    vm_plan_t          ahead;           /* planned already (async) */
    vm_time_t          end;             /* of the step under way */
    vm_time_t          ready;           /* idle: since when there is work */
    uint32_t           busy;
    uint32_t           npreempted;      /* by the last schedule() */
    uint32_t           naborts;         /* sequences doomed */
    uint64_t           steps;

    /* prefix cache statistics since somebody cleared them */

    uint64_t           queries;
    uint64_t           hits;
    uint64_t           preempted_queries;
    uint64_t           preempted_hits;

    vm_pause_e         pause;
    vm_time_t          paused_at;

    /* what a replay looks at; NULL under nginx */

    const struct vm_watch_s  *watch;
};


#define vm_core_at(e, field, type)                                            \
    ((type *) (void *) ((char *) (uintptr_t) (e) + (e)->field))

#define vm_seqs(e)      vm_core_at(e, seqs_at, vm_seq_t)
#define vm_chunks(e)    vm_core_at(e, chunks_at, vm_chunk_t)
#define vm_groups(e)    vm_core_at(e, groups_at, vm_group_t)
#define vm_owners(e)    vm_core_at(e, owners_at, vm_owner_t)
#define vm_running(e)   vm_core_at(e, running_at, uint32_t)
#define vm_heap(e)      vm_core_at(e, heap_at, uint32_t)
#define vm_kv(e)        vm_core_at(e, kv_at, vm_kv_t)
#define vm_loras(e)     vm_core_at(e, loras_at, vm_lora_live_t)
#define vm_free_tables(e)  vm_core_at(e, free_tables_at, uint32_t)
#define vm_table(e, s)                                                        \
    (vm_core_at(e, tables_at, uint32_t) + (size_t) (s)->table * (e)->row)
#define vm_seq_id(e, s)    ((uint32_t) ((s) - vm_seqs(e)))
#define vm_seq_tokens(s)   ((s)->prompt + (s)->output)


/* Looks over the scheduler's shoulder: a replay's plan and times. */

typedef struct vm_watch_s {
    void  *data;
    void (*planned)(void *data, vm_engine_t *e, const vm_planned_t *plan,
                    uint32_t n, vm_time_t now);
    void (*preempted)(void *data, vm_engine_t *e, vm_seq_t *s);
    void (*token)(void *data, vm_engine_t *e, vm_seq_t *s, uint64_t step);
    void (*finished)(void *data, vm_engine_t *e, vm_seq_t *s,
                     vm_finish_e reason, uint64_t step);
} vm_watch_t;


/* ---- sequence.c: sequences, queues, blocks ---- */

vm_seq_t *vm_seq_find(const vm_engine_t *e, vm_handle_t h);
vm_seq_t *vm_seq_create(vm_engine_t *e, const vm_engine_request_t *r,
    const vm_engine_seq_t *q, vm_time_t now);
void vm_seq_free(vm_engine_t *e, vm_seq_t *s);
void vm_seq_drop(vm_engine_t *e, vm_seq_t *s);      /* never was queued */

void vm_waiting_push(vm_engine_t *e, vm_seq_t *s);          /* its place */
void vm_waiting_front(vm_engine_t *e, vm_seq_t *s);         /* preempted */
void vm_waiting_remove(vm_engine_t *e, vm_seq_t *s);
void vm_running_remove(vm_engine_t *e, vm_seq_t *s);

/* How many tokens of its prefix are in the cache now. */
uint32_t vm_seq_lookup(const vm_engine_t *e, const vm_seq_t *s);

/* Blocks for computed + hit + now tokens; VM_DECLINED if there are none. */
int vm_seq_allocate(vm_engine_t *e, vm_seq_t *s, uint32_t now, uint32_t hit,
    int admission);
void vm_seq_register(vm_engine_t *e, vm_seq_t *s, uint32_t tokens);
void vm_seq_release(vm_engine_t *e, vm_seq_t *s);
void vm_seq_preempt(vm_engine_t *e, vm_seq_t *s);

/* Bookkeeping of an admission at `now`; `hit` tokens were found. */
void vm_seq_admit(vm_engine_t *e, vm_seq_t *s, uint32_t hit, vm_time_t now);

/*
 * One more token at `now`; ends the sequence if it is its last, leaves it in
 * `running` all the same.  1 if it ended.
 */
int vm_seq_token(vm_engine_t *e, vm_seq_t *s, vm_time_t now);

/* It is over: statistics, blocks, news. */
void vm_seq_finish(vm_engine_t *e, vm_seq_t *s, vm_finish_e reason,
    vm_time_t now);

void vm_seq_tell(vm_engine_t *e, vm_seq_t *s);

/* Ends what was cancelled or aborted. */
void vm_seq_end_doomed(vm_engine_t *e, vm_seq_t *s, vm_time_t now);

/* Gauges, as of a step that ended. */
void vm_core_gauges(vm_engine_t *e, vm_time_t now);

/* Tokens of a step with outputs. */
void vm_core_iteration(vm_engine_t *e, uint64_t tokens);


/* ---- scheduler.c: steps ---- */

vm_time_t vm_scheduler_advance(vm_engine_t *e, vm_time_t now);
uint32_t vm_scheduler_schedule(vm_engine_t *e, vm_planned_t *plan,
    vm_time_t now);
void vm_scheduler_update(vm_engine_t *e, const vm_planned_t *plan, uint32_t n,
    uint64_t number, vm_time_t now);
vm_planned_t *vm_scheduler_row(vm_engine_t *e, uint32_t i);


/* ---- clock.c: a clock for each sequence ---- */

vm_time_t vm_clock_advance(vm_engine_t *e, vm_time_t now);
void vm_clock_remove(vm_engine_t *e, vm_seq_t *s);
void vm_clock_shift(vm_engine_t *e, vm_time_t by);


/* ---- latency.c ---- */

/* Until the first token of a sequence that is admitted now, and the next. */
vm_time_t vm_latency_first(vm_engine_t *e, const vm_seq_t *s, uint32_t hit);
vm_time_t vm_latency_next(vm_engine_t *e, const vm_seq_t *s);


#endif /* VM_CORE_H */
