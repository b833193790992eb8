/*
 * Step-time tables of one GPU, model and tensor-parallel degree, as the files
 * under profiles/ hold them (schema vllm-sim-profile/1).  Fixed size, no
 * pointers: it is copied into the engine's memory.
 *
 * This room does no I/O: the caller reads the file and hands over its text.
 */

#ifndef VM_PROFILE_H
#define VM_PROFILE_H


#include "../base/types.h"


#define VM_PROFILE_KNOTS  160           /* of an axis */
#define VM_PROFILE_CELLS  768           /* of a plane */

typedef struct {
    uint32_t  n;
    double    x[VM_PROFILE_KNOTS];
    double    us[VM_PROFILE_KNOTS];
} vm_line_t;

typedef struct {
    uint32_t  n;                        /* chunk or batch */
    uint32_t  m;                        /* kv */
    double    a[VM_PROFILE_KNOTS];
    double    kv[VM_PROFILE_KNOTS];
    double    us[VM_PROFILE_CELLS];     /* [a][kv] */
} vm_plane_t;

typedef struct {
    char        device[32];
    char        model[64];
    uint32_t    tp;
    uint32_t    layers;
    uint32_t    num_blocks;
    uint32_t    block_size;
    double      memory_gb;
    uint32_t    max_positions;

    uint32_t    token_round_up;
    uint32_t    kv_round_up;
    uint32_t    by_work;                /* prefill_combine */
    uint32_t    per_step;               /* the two tables are there */
    uint32_t    has_overhead;           /* cpu_overhead_us_per_step */
    uint32_t    pad;
    double      decode_batch_overhead;
    double      prefill_batch_overhead;
    double      nccl_launch_us;

    vm_line_t   linear;
    vm_line_t   kv_cache_save;
    vm_line_t   all_reduce;
    vm_line_t   by_tokens;
    vm_line_t   by_sequences;
    vm_line_t   overhead;
    vm_plane_t  prefill;
    vm_plane_t  decode;
} vm_profile_t;


/* VM_OK, or VM_ERROR and what is wrong with the text. */
int vm_profile_parse(vm_profile_t *p, const char *text, size_t len,
    char *err, size_t errlen);


/* One prefill of a step: tokens computed earlier (or cached), and now. */

typedef struct {
    uint32_t  before;
    uint32_t  now;
} vm_prefill_t;

/*
 * Nanoseconds of a step with these prefills and so many decodes, the lengths
 * of which add up to `kv`.
 */
vm_time_t vm_profile_step(const vm_profile_t *p, const vm_prefill_t *prefills,
    uint32_t nprefills, uint32_t ndecodes, uint64_t kv, int cpu_overhead);


#endif /* VM_PROFILE_H */
