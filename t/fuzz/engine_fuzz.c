/*
 * Random operations on an engine: whatever comes, no block, slot or event is
 * lost, and in the end everything is free.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I. t/fuzz/engine_fuzz.c \
 *       src/engine/[a-z]*.c src/base/[a-z]*.c -ljansson -lm -o engine_fuzz
 *   ./engine_fuzz -max_len=512 -max_total_time=300
 */

#include <stdlib.h>
#include "../../src/engine/kv.h"
#include "../../src/engine/scheduler.h"


#define HANDLES  64

typedef struct {
    const uint8_t  *data;
    size_t          left;
} input_t;


static uint32_t
take(input_t *in, uint32_t n)
{
    uint32_t  v;

    if (in->left == 0) {
        return 0;
    }

    v = *in->data++;
    in->left--;

    return v % n;
}


static void
configure(input_t *in, vm_engine_conf_t *c)
{
    char  err[100];

    static const char *const  models[] = {
        "none", "constant", "per_token", "capacity", "none"
    };

    vm_engine_defaults(c);
    c->max_num_seqs = 1 + take(in, 6);
    c->block_size = 1 + take(in, 8);
    c->max_model_len = 8 + take(in, 120);
    c->num_gpu_blocks = c->max_model_len / c->block_size + 2 + take(in, 40);
    c->max_num_batched_tokens = c->max_num_seqs + take(in, 64);
    c->max_loras = take(in, 3);
    c->policy = take(in, 2) ? VM_POLICY_PRIORITY : VM_POLICY_FCFS;
    c->prefix_caching = take(in, 3) != 0;
    c->reserve_full_isl = take(in, 2);
    c->async_scheduling = take(in, 2);
    c->long_prefill_token_threshold = take(in, 20);
    c->max_waiting = take(in, 3) ? 0 : 3;
    c->max_live = 4 + take(in, 20);
    c->max_tables = 16 + take(in, 250) * 4;
    c->owners = 2;

    vm_latency_model(&c->latency, models[take(in, 5)], err, sizeof(err));
    c->latency.ttft = take(in, 50);
    c->latency.itl = take(in, 10);
    c->latency.overhead = take(in, 10);
    c->latency.kv_transfer_per_token = take(in, 3);

    if (vm_engine_check(c)) {
        abort();
    }
}


static void
submit(input_t *in, vm_engine_t *e, vm_handle_t *handles, uint32_t *n,
    vm_time_t now)
{
    uint32_t              i, k;
    uint64_t              hashes[3][16];
    vm_handle_t           h[3];
    vm_engine_seq_t       seqs[3];
    vm_engine_request_t   r;

    memset(&r, 0, sizeof(r));
    memset(seqs, 0, sizeof(seqs));

    r.owner = take(in, 2);
    r.prompt_tokens = take(in, 130);
    r.max_tokens = take(in, 30);
    r.priority = take(in, 3);
    r.lora = take(in, 4);
    r.arrival = now - take(in, 3);
    r.no_prefix_lookup = take(in, 4) == 1;
    r.remote_prefill = take(in, 4) == 1;
    r.n = 1 + take(in, 3);
    r.seqs = seqs;

    for (i = 0; i < r.n; i++) {
        seqs[i].eos_at = take(in, 2) ? VM_NEVER : take(in, 30);
        seqs[i].string_at = take(in, 2) ? VM_NEVER : take(in, 30);
        seqs[i].nhashes = take(in, 17);
        seqs[i].hashes = hashes[i];

        for (k = 0; k < 16; k++) {
            hashes[i][k] = 1 + k + 100 * take(in, 3);
        }
    }

    if (vm_engine_submit(e, &r, h, now) == VM_OK) {
        for (i = 0; i < r.n; i++) {
            handles[(*n)++ % HANDLES] = h[i];
        }
    }
}


static void
check(vm_engine_t *e)
{
    uint32_t  i, n;

    for (i = vm_block(e, 0)->next, n = 0; i; i = vm_block(e, i)->next) {
        if (vm_block(e, i)->ref) {
            abort();
        }

        n++;
    }

    if (n != e->free_blocks || e->running.n > e->conf.max_num_seqs
        || e->nodes_left < e->silent)
    {
        abort();
    }
}


static void
finish(vm_engine_t *e, vm_time_t now)
{
    uint32_t    i;
    vm_event_t  v[7];

    vm_engine_pause(e, VM_PAUSE_NONE, now);

    if (vm_engine_advance(e, now + 1000 * VM_NSEC) != VM_TIME_NONE
        || vm_engine_live(e))
    {
        abort();
    }

    for (i = 0; i < 2; i++) {
        while (vm_engine_collect(e, i, v, 7)) { /* void */ }
    }

    check(e);

    if (e->free_blocks != e->conf.num_gpu_blocks - 1
        || e->slots_left != e->conf.max_live || e->chunks_left != e->nchunks
        || e->silent != e->conf.max_live || e->nlora || e->deferred
        || e->waiting_tokens || e->stats.running || e->stats.waiting
        || e->stats.submitted != e->stats.ended
        || vm_engine_reset_prefix_cache(e, 0, now + 1000 * VM_NSEC) != 1)
    {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void              *mem;
    input_t            in;
    uint32_t           n, prompt, output;
    vm_time_t          now;
    vm_event_t         v[5];
    vm_handle_t        handles[HANDLES], h;
    vm_engine_t       *e;
    vm_engine_conf_t   conf;

    in.data = data;
    in.left = size;
    configure(&in, &conf);

    mem = NULL;

    if (posix_memalign(&mem, 64, vm_engine_footprint(&conf)) != 0) {
        return 0;
    }

    e = vm_engine_init(mem, &conf);
    memset(handles, 0, sizeof(handles));
    now = 1000;
    n = 0;

    while (in.left) {
        now += take(&in, 40);
        h = handles[take(&in, HANDLES)];

        switch (take(&in, 16)) {

        case 0:
            vm_engine_cancel(e, h, now);
            break;

        case 1:
            vm_engine_abort(e, h, (int) take(&in, 2), now);
            break;

        case 2:
            if (take(&in, 8) == 0) {
                vm_engine_abort_all(e, (int) take(&in, 2), now);
            }

            break;

        case 3:
            if (take(&in, 8) == 0) {
                vm_engine_release(e, take(&in, 2), now);
            }

            break;

        case 4:
            vm_engine_pause(e, (vm_pause_e) take(&in, 3), now);
            break;

        case 5:
            vm_engine_reset_prefix_cache(e, (int) take(&in, 2), now);
            break;

        case 6:
            vm_engine_progress(e, h, &prompt, &output);
            break;

        case 7:
        case 8:
            vm_engine_collect(e, take(&in, 2), v, 5);
            break;

        case 9:
        case 10:
        case 11:
            vm_engine_advance(e, now);
            break;

        default:
            submit(&in, e, handles, &n, now);
            break;
        }

        check(e);
    }

    finish(e, now);
    free(mem);

    return 0;
}
