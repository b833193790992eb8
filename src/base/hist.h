/*
 * Histograms of fixed bounds, and the lists of bounds that vLLM uses.  They
 * live in shared memory: no pointers.  Counts are per bucket, not cumulative;
 * the last one (index n) is +Inf.
 */

#ifndef VM_HIST_H
#define VM_HIST_H


#include "types.h"


#define VM_HIST_MAX  24             /* bounds of the longest list */


typedef enum {
    VM_HIST_TTFT,                   /* list A of vLLM's, 22 */
    VM_HIST_ITL,                    /* list B, 19 */
    VM_HIST_REQUEST,                /* list C, 21 */
    VM_HIST_TOKENS,                 /* list T: 1-2-5 up to max_model_len */
    VM_HIST_ITERATION,              /* powers of two to 16384 */
    VM_HIST_N,                      /* 1 2 5 10 20 */
    VM_HIST_PREEMPTIONS,            /* 1 2 3 4 5 10 20 */
    VM_HIST_HTTP_HIGHR,             /* http_request_duration_highr_seconds */
    VM_HIST_HTTP,                   /* http_request_duration_seconds */
    VM_HIST_LATENESS,               /* vllm_mock:token_lateness_seconds */
    VM_HIST_LISTS
} vm_hist_list_e;

typedef struct {
    uint32_t  list;                 /* vm_hist_list_e */
    uint32_t  n;                    /* bounds in use */
    uint64_t  counts[VM_HIST_MAX + 1];
    double    sum;
} vm_hist_t;


/* `limit` cuts VM_HIST_TOKENS (max_model_len); 0 where it does not matter. */
void vm_hist_init(vm_hist_t *h, vm_hist_list_e list, uint64_t limit);
void vm_hist_observe(vm_hist_t *h, double value, uint64_t times);
uint64_t vm_hist_count(const vm_hist_t *h);
double vm_hist_bound(const vm_hist_t *h, uint32_t i);

/* to += from, of the same list */
void vm_hist_add(vm_hist_t *to, const vm_hist_t *from);


#endif /* VM_HIST_H */
