/*
 * An engine's memory, and what comes into it.
 */

#include "engine.h"
#include "drive.h"
#include "events.h"
#include "kv.h"
#include "queue.h"
#include "scheduler.h"
#include "steptime.h"


/* Steps that are planned past the last token: two ahead, and one to spare. */
#define VM_ENGINE_AHEAD  3


static size_t vm_engine_layout(vm_engine_t *e);
static void vm_engine_sizes(vm_engine_t *e, const vm_engine_conf_t *conf);
static int vm_engine_accept(vm_engine_t *e, const vm_engine_request_t *r);
static vm_seq_t *vm_engine_sequence(vm_engine_t *e,
    const vm_engine_request_t *r, const vm_engine_seq_t *q);
static void vm_engine_lora(vm_engine_t *e, vm_seq_t *s);
static void vm_engine_undo(vm_engine_t *e, const vm_handle_t *handles,
    uint32_t n);


void
vm_engine_defaults(vm_engine_conf_t *conf)
{
    memset(conf, 0, sizeof(vm_engine_conf_t));

    conf->max_num_seqs = 256;
    conf->max_num_batched_tokens = 2048;
    conf->block_size = 16;
    conf->num_gpu_blocks = 8192;
    conf->max_model_len = VM_ENGINE_LENGTH;
    conf->prefix_caching = 1;
    conf->chunked_prefill = 1;
    conf->reserve_full_isl = 1;
    conf->max_live = 4096;
    conf->owners = 1;
    conf->time_scale = 1;
    conf->latency.load_factor = 1;
}


const char *
vm_engine_check(const vm_engine_conf_t *conf)
{
    if (conf->max_num_seqs == 0 || conf->max_num_batched_tokens == 0
        || conf->block_size == 0 || conf->max_model_len < 2
        || conf->max_live == 0 || conf->owners == 0)
    {
        return "max_num_seqs, max_num_batched_tokens, block_size, max_live "
               "and owners must be at least 1, max_model_len 2";
    }

    if (conf->max_model_len > 1u << 30 || conf->max_live > 1u << 24
        || conf->num_gpu_blocks > 1u << 28 || conf->owners > 1u << 16
        || conf->max_num_seqs > 1u << 24)
    {
        return "max_model_len, num_gpu_blocks, max_num_seqs or max_live is "
               "too large";
    }

    if (conf->num_gpu_blocks < 2) {
        return "num_gpu_blocks must be at least 2: block 0 is reserved";
    }

    if ((uint64_t) (conf->num_gpu_blocks - 1) * conf->block_size
        < conf->max_model_len)
    {
        return "To serve at least one request with the model's max seq len, "
               "(num_gpu_blocks - 1) * block_size must not be less than "
               "max_model_len";
    }

    if (conf->max_num_batched_tokens < conf->max_num_seqs) {
        return "max_num_batched_tokens must not be less than max_num_seqs";
    }

    if (!conf->chunked_prefill
        && conf->max_num_batched_tokens < conf->max_model_len)
    {
        return "max_num_batched_tokens must not be less than max_model_len "
               "when chunked prefill is off";
    }

    if (conf->max_loras > VM_LORA_MAX) {
        return "max_loras must be at most 64";
    }

    if (!(conf->watermark >= 0 && conf->watermark < 1)) {
        return "watermark must be at least 0 and less than 1";
    }

    if (!(conf->time_scale >= 0 && conf->time_scale <= 1e6)) {
        return "time_scale must be between 0 and 1000000";
    }

    if (conf->latency.model >= VM_LATENCY_MODELS) {
        return "unknown latency model";
    }

    return NULL;
}


size_t
vm_engine_footprint(const vm_engine_conf_t *conf)
{
    vm_engine_t  e;

    vm_engine_sizes(&e, conf);

    return vm_engine_layout(&e);
}


/* What does not lie in the configuration but follows from it. */

static void
vm_engine_sizes(vm_engine_t *e, const vm_engine_conf_t *conf)
{
    uint64_t  pieces, most;

    memset(e, 0, sizeof(vm_engine_t));
    e->conf = *conf;

    e->max_blocks = (uint32_t) (((uint64_t) conf->max_model_len
                                 + VM_ENGINE_AHEAD + conf->block_size - 1)
                                / conf->block_size);

    pieces = (e->max_blocks + VM_CHUNK - 1) / VM_CHUNK;
    most = conf->max_tables ? conf->max_tables : VM_STORE_MAX;
    most = vm_max((most + VM_CHUNK - 1) / VM_CHUNK, pieces);
    e->nchunks = (uint32_t) vm_min(pieces * conf->max_live, most);

    e->bucket_bits = 4;

    while (1u << e->bucket_bits < conf->num_gpu_blocks) {
        e->bucket_bits++;
    }
}


static size_t
vm_engine_layout(vm_engine_t *e)
{
    size_t                   i, at;
    const vm_engine_conf_t  *c;

    c = &e->conf;

    const struct {
        size_t  *where;
        size_t   size;
        size_t   n;
    } arrays[] = {
        { &e->seqs_at, sizeof(vm_seq_t), c->max_live },
        { &e->blocks_at, sizeof(vm_block_t), c->num_gpu_blocks },
        { &e->buckets_at, sizeof(uint32_t), (size_t) 1 << e->bucket_bits },
        { &e->chunks_at, sizeof(vm_chunk_t), e->nchunks },
        { &e->planned_at, sizeof(vm_planned_t), (size_t) c->max_num_seqs * 2 },
        { &e->preempted_at, sizeof(uint32_t), c->max_num_seqs },
        { &e->prefills_at, sizeof(vm_prefill_t), c->max_num_seqs },
        { &e->nodes_at, sizeof(vm_node_t), vm_events_room(c) },
        { &e->owners_at, sizeof(vm_owner_t), c->owners },
        { &e->groups_at, sizeof(vm_group_t), c->max_live },
        { &e->heap_at, sizeof(uint32_t), c->max_live },
        { &e->clock_at, sizeof(uint32_t), c->max_num_seqs },
        { &e->ready_at, sizeof(uint32_t), c->max_num_seqs }
    };

    at = (sizeof(vm_engine_t) + 63) & ~(size_t) 63;

    for (i = 0; i < vm_nelts(arrays); i++) {
        *arrays[i].where = at;
        at = (at + arrays[i].size * arrays[i].n + 63) & ~(size_t) 63;
    }

    return at;
}


vm_engine_t *
vm_engine_init(void *mem, const vm_engine_conf_t *conf)
{
    uint32_t      i;
    vm_engine_t  *e;

    e = mem;
    vm_engine_sizes(e, conf);
    vm_engine_layout(e);

    vm_stats_init(&e->stats, conf->max_model_len);
    e->stats.num_gpu_blocks = conf->num_gpu_blocks;
    e->stats.block_size = conf->block_size;

    vm_kv_init(e);
    vm_events_init(e);

    for (i = 0; i < conf->max_live; i++) {
        vm_seq(e, i)->gen = 0;
        vm_seq(e, i)->state = VM_SEQ_FREE;
        vm_seq(e, i)->next = i + 1 < conf->max_live ? i + 1 : VM_NONE;
        vm_group(e, i)->left = vm_seq(e, i)->next;
    }

    e->free_seq = 0;
    e->free_group = 0;
    e->slots_left = conf->max_live;

    vm_list_init(&e->waiting);
    vm_list_init(&e->running);
    vm_list_init(&e->remote);
    e->aborts = VM_NONE;
    e->aborts_tail = VM_NONE;
    e->mark = VM_NONE;

    e->clocks = vm_step_clocks(conf);
    e->now = INT64_MIN;
    e->plan_at = VM_TIME_NONE;
    e->step_end = VM_TIME_NONE;
    e->work = VM_NEVER;
    e->plans[1].offset = conf->max_num_seqs;

    return e;
}


const vm_engine_conf_t *
vm_engine_conf(const vm_engine_t *e)
{
    return &e->conf;
}


int
vm_engine_submit(vm_engine_t *e, const vm_engine_request_t *r,
    vm_handle_t *handles, vm_time_t now)
{
    int          rc;
    uint32_t     i, group;
    vm_seq_t    *s;
    vm_group_t  *g;

    /* what is planned at this very instant is planned with it */

    vm_drive_before(e, now);

    rc = vm_engine_accept(e, r);

    if (rc != VM_OK) {
        return rc;
    }

    group = VM_NONE;

    for (i = 0; i < r->n; i++) {
        s = vm_engine_sequence(e, r, &r->seqs[i]);

        if (s == NULL) {
            vm_engine_undo(e, handles, i);
            return VM_DECLINED;
        }

        handles[i] = vm_seq_handle(e, s);
    }

    if (r->n > 1) {
        group = e->free_group;
        g = vm_group(e, group);
        e->free_group = g->left;
        g->left = r->n;
        g->n = r->n;
        g->longest = 0;
        g->spoilt = 0;
    }

    for (i = 0; i < r->n; i++) {
        s = vm_seq_find(e, handles[i]);
        s->group = group;
        vm_sched_enqueue(e, s);
    }

    vm_drive_wake(e);

    return VM_OK;
}


static int
vm_engine_accept(vm_engine_t *e, const vm_engine_request_t *r)
{
    const vm_engine_conf_t  *c;

    c = &e->conf;

    if (r->n == 0 || r->owner >= c->owners || r->prompt_tokens == 0
        || r->prompt_tokens >= c->max_model_len + r->pooling
        || r->max_tokens == 0)
    {
        return VM_ERROR;
    }

    if (c->max_waiting
        && (uint64_t) vm_sched_waiting(e) + r->n > c->max_waiting)
    {
        e->stats.rejected++;
        return VM_DECLINED;
    }

    if (c->max_waiting_tokens
        && e->waiting_tokens + (uint64_t) r->prompt_tokens * r->n
           > c->max_waiting_tokens)
    {
        e->stats.rejected_tokens++;
        return VM_DECLINED;
    }

    return r->n > e->slots_left ? VM_DECLINED : VM_OK;
}


static vm_seq_t *
vm_engine_sequence(vm_engine_t *e, const vm_engine_request_t *r,
    const vm_engine_seq_t *q)
{
    uint64_t     tokens, blocks;
    vm_seq_t    *s;
    vm_owner_t  *o;

    s = vm_seq_take(e);

    if (s == NULL) {
        return NULL;
    }

    s->cookie = q->cookie;
    s->owner = r->owner;
    s->prompt = r->prompt_tokens;
    s->max_tokens = r->max_tokens;
    s->eos_at = q->eos_at;
    s->eos_finish = (uint8_t) q->eos_finish;
    s->string_at = q->string_at;
    s->priority = r->priority;
    s->lora = r->lora;
    s->arrival = e->behind ? vm_min(r->arrival, e->now) : r->arrival;
    s->queued = e->now;
    s->no_lookup = r->no_prefix_lookup;
    s->remote = r->remote_prefill;
    s->pooling = r->pooling;

    o = vm_owner(e, s->owner);
    s->owner_prev = VM_NONE;
    s->owner_next = o->seqs;

    if (o->seqs != VM_NONE) {
        vm_seq(e, o->seqs)->owner_prev = vm_seq_index(e, s);
    }

    o->seqs = vm_seq_index(e, s);

    /* it never computes more than this */

    tokens = s->max_tokens;
    tokens = vm_min(tokens, (uint64_t) s->eos_at + 1);
    tokens = vm_min(tokens, (uint64_t) s->string_at + 1);
    tokens += (uint64_t) s->prompt + VM_ENGINE_AHEAD;
    blocks = (tokens + e->conf.block_size - 1) / e->conf.block_size;
    blocks = vm_min(blocks, e->max_blocks);

    if (vm_kv_reserve(e, s, (uint32_t) blocks, q->hashes, q->nhashes)
        != VM_OK)
    {
        vm_seq_release(e, s);
        return NULL;
    }

    e->live++;
    e->submitted++;
    o->live++;
    vm_engine_lora(e, s);

    return s;
}


/* The adapter is in use from here on. */

static void
vm_engine_lora(vm_engine_t *e, vm_seq_t *s)
{
    uint32_t  i;

    if (s->lora == 0) {
        return;
    }

    for (i = 0; i < e->nlora && e->lora[i].id != s->lora; i++) { /* void */ }

    if (i == e->nlora) {

        if (i == VM_LORA_MAX) {
            return;
        }

        e->nlora++;
        e->lora[i].id = s->lora;
        e->lora[i].n = 0;
    }

    e->lora[i].n++;
    s->lora_listed = 1;
}


/* Those of a request that found room, when one did not. */

static void
vm_engine_undo(vm_engine_t *e, const vm_handle_t *handles, uint32_t n)
{
    uint32_t   i;
    vm_seq_t  *s;

    for (i = 0; i < n; i++) {
        s = vm_seq_find(e, handles[i]);
        s->collected = 1;
        vm_seq_leave(e, s);
        e->submitted--;
        e->ended--;
    }
}
