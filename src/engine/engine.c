/*
 * The engine's contract: its memory, and the calls that come from outside.
 */

#include "core.h"
#include "../base/rand.h"


#define VM_ALIGN(n)   (((n) + 63) & ~(size_t) 63)


void
vm_engine_defaults(vm_engine_conf_t *c)
{
    memset(c, 0, sizeof(vm_engine_conf_t));

    c->max_num_seqs = 256;
    c->max_num_batched_tokens = 2048;
    c->block_size = 16;
    c->num_gpu_blocks = 8192;
    c->max_model_len = 4096;
    c->policy = VM_POLICY_FCFS;
    c->prefix_caching = 1;
    c->chunked_prefill = 1;
    c->reserve_full_isl = 1;
    c->async_scheduling = 0;
    c->max_live = 16384;
    c->owners = 64;
    c->time_scale = 1;
    c->latency.model = VM_LATENCY_NONE;
    c->latency.load_factor = 1;
    c->latency.capacity = 1;
}


const char *
vm_engine_check(const vm_engine_conf_t *c)
{
    if (c->max_num_batched_tokens < c->max_num_seqs) {
        return "max_num_batched_tokens must not be smaller than max_num_seqs";
    }

    if (!c->chunked_prefill && c->max_num_batched_tokens < c->max_model_len) {
        return "without chunked prefill, max_num_batched_tokens must not be "
               "smaller than max_model_len";
    }

    if ((uint64_t) (c->num_gpu_blocks - 1) * c->block_size
        < c->max_model_len)
    {
        return "num_gpu_blocks is too small to serve one request of "
               "max_model_len tokens (block 0 is reserved)";
    }

    if (c->max_live < c->max_num_seqs) {
        return "max_live must not be smaller than max_num_seqs";
    }

    return NULL;
}


/* Offsets of all the arrays; answers where they end. */

static size_t
vm_engine_layout(vm_engine_t *e, const vm_engine_conf_t *c)
{
    size_t  at, blocks;

    blocks = (c->max_model_len + c->block_size - 1) / c->block_size;

    e->row = (uint32_t) blocks + 1;

    /*
     * Hashes: every running sequence may be as long as the model allows; those
     * that wait share room for 64 blocks each.
     */
    e->nchunks = (uint32_t) (c->max_num_seqs * ((blocks + VM_CHUNK - 1)
                                                / VM_CHUNK)
                             + (size_t) c->max_live
                               * vm_min((blocks + VM_CHUNK - 1) / VM_CHUNK,
                                        4));

    at = VM_ALIGN(sizeof(vm_engine_t));

    e->seqs_at = at;
    at += VM_ALIGN(c->max_live * sizeof(vm_seq_t));
    e->chunks_at = at;
    at += VM_ALIGN(e->nchunks * sizeof(vm_chunk_t));
    e->groups_at = at;
    at += VM_ALIGN(c->max_live * sizeof(vm_group_t));
    e->owners_at = at;
    at += VM_ALIGN(c->owners * sizeof(vm_owner_t));
    e->tables_at = at;
    at += VM_ALIGN(c->max_num_seqs * e->row * sizeof(uint32_t));
    e->free_tables_at = at;
    at += VM_ALIGN(c->max_num_seqs * sizeof(uint32_t));
    e->running_at = at;
    at += VM_ALIGN((c->max_num_seqs + 1) * sizeof(uint32_t));
    e->heap_at = at;
    at += VM_ALIGN((c->max_num_seqs + 1) * sizeof(uint32_t));
    e->plans_at = at;
    at += VM_ALIGN(2 * c->max_num_seqs * sizeof(vm_planned_t));
    e->prefills_at = at;
    at += VM_ALIGN(c->max_num_seqs * sizeof(vm_prefill_t));
    e->loras_at = at;
    at += VM_ALIGN(VM_LORA_MAX * sizeof(vm_lora_live_t));
    e->kv_at = at;
    at += VM_ALIGN(vm_kv_footprint(c->num_gpu_blocks));

    return at;
}


size_t
vm_engine_footprint(const vm_engine_conf_t *c)
{
    vm_engine_t  e;

    return vm_engine_layout(&e, c);
}


vm_engine_t *
vm_engine_init(void *mem, const vm_engine_conf_t *conf)
{
    uint32_t      i;
    vm_seq_t     *seqs;
    vm_owner_t   *owners;
    vm_engine_t  *e;

    e = mem;
    memset(e, 0, sizeof(vm_engine_t));

    e->conf = *conf;
    e->size = vm_engine_layout(e, conf);

    vm_stats_init(&e->stats, conf->max_model_len);
    e->stats.num_gpu_blocks = conf->num_gpu_blocks;
    e->stats.block_size = conf->block_size;

    seqs = vm_seqs(e);
    memset(seqs, 0, conf->max_live * sizeof(vm_seq_t));

    for (i = 0; i < conf->max_live; i++) {
        seqs[i].next = i + 1 < conf->max_live ? i + 1 : VM_NIL;
        seqs[i].hashes = VM_NIL;
        seqs[i].generation = 1;
        vm_groups(e)[i].next = i + 1 < conf->max_live ? i + 1 : VM_NIL;
    }

    for (i = 0; i < e->nchunks; i++) {
        vm_chunks(e)[i].next = i + 1 < e->nchunks ? i + 1 : VM_NIL;
    }

    e->nfree_chunks = e->nchunks;

    owners = vm_owners(e);

    for (i = 0; i < conf->owners; i++) {
        owners[i].head = VM_NIL;
        owners[i].tail = VM_NIL;
        owners[i].live = VM_NIL;
        owners[i].nlive = 0;
    }

    /* the first one that is taken is row 0 */

    for (i = 0; i < conf->max_num_seqs; i++) {
        vm_free_tables(e)[i] = conf->max_num_seqs - 1 - i;
    }

    e->nfree_tables = conf->max_num_seqs;
    e->waiting_head = VM_NIL;
    e->waiting_tail = VM_NIL;
    e->ready = VM_TIME_NONE;

    vm_kv_init(vm_kv(e), conf->num_gpu_blocks, (int) conf->prefix_caching);

    return e;
}


const vm_engine_conf_t *
vm_engine_conf(const vm_engine_t *e)
{
    return &e->conf;
}


/* Do sequences have clocks, or do steps? */

static int
vm_engine_clocks(const vm_engine_t *e)
{
    return e->conf.latency.model == VM_LATENCY_CONSTANT
           || e->conf.latency.model == VM_LATENCY_PER_TOKEN
           || e->conf.latency.model == VM_LATENCY_CAPACITY;
}


vm_time_t
vm_engine_advance(vm_engine_t *e, vm_time_t now)
{
    return vm_engine_clocks(e) ? vm_clock_advance(e, now)
                               : vm_scheduler_advance(e, now);
}


/* There may be something to do from `now` on. */

static void
vm_engine_wake(vm_engine_t *e, vm_time_t now)
{
    if (e->nlive && (!e->busy || vm_engine_clocks(e))) {
        e->ready = vm_min(e->ready, now);
    }
}


/* ---- submit ---- */

static int
vm_engine_refuses(vm_engine_t *e, const vm_engine_request_t *r)
{
    if (e->conf.max_waiting && e->nwaiting + r->n > e->conf.max_waiting) {
        e->stats.rejected++;
        return 1;
    }

    if (e->conf.max_waiting_tokens
        && e->waiting_tokens + (uint64_t) r->prompt_tokens * r->n
           > e->conf.max_waiting_tokens)
    {
        e->stats.rejected_tokens++;
        return 1;
    }

    return 0;
}


int
vm_engine_submit(vm_engine_t *e, const vm_engine_request_t *r,
    vm_handle_t *handles, vm_time_t now)
{
    uint32_t     group, i, k;
    vm_seq_t    *s;
    vm_group_t  *g;

    /*
     * Steps that end before; one that ends right now is looked at with this
     * arrival in the queue.
     */
    (void) vm_engine_advance(e, now - 1);

    if (vm_engine_refuses(e, r)) {
        return VM_DECLINED;
    }

    if (e->free_group == VM_NIL) {
        e->stats.rejected++;
        return VM_DECLINED;
    }

    group = e->free_group;
    g = &vm_groups(e)[group];

    for (i = 0; i < r->n; i++) {
        s = vm_seq_create(e, r, &r->seqs[i], now);

        if (s == NULL) {

            for (k = 0; k < i; k++) {
                s = vm_seq_find(e, handles[k]);
                vm_seq_drop(e, s);
            }

            e->stats.rejected++;
            return VM_DECLINED;
        }

        s->group = group;
        handles[i] = (uint64_t) s->generation << 32 | vm_seq_id(e, s);
    }

    e->free_group = g->next;
    g->n = r->n;
    g->live = r->n;
    g->longest = 0;
    g->lost = 0;

    for (i = 0; i < r->n; i++) {
        vm_waiting_push(e, vm_seq_find(e, handles[i]));
    }

    vm_engine_wake(e, now);

    return VM_OK;
}


/* ---- collect ---- */

static void
vm_engine_event(vm_engine_t *e, vm_seq_t *s, vm_event_t *ev)
{
    ev->cookie = s->cookie;
    ev->handle = (uint64_t) s->generation << 32 | vm_seq_id(e, s);
    ev->first = s->first;
    ev->count = s->output - s->first;
    ev->cached_tokens = s->cached;
    ev->finish = (vm_finish_e) s->finish;
    ev->due = s->due;
    ev->queued = s->queued;
    ev->scheduled = s->scheduled;
    ev->first_token = s->first_token;
    ev->preemptions = s->preemptions;
}


size_t
vm_engine_collect(vm_engine_t *e, uint32_t owner, vm_event_t *events,
    size_t max)
{
    size_t       n;
    vm_seq_t    *s;
    vm_owner_t  *o;

    o = &vm_owners(e)[owner];

    for (n = 0; n < max && o->head != VM_NIL; /* void */ ) {
        s = &vm_seqs(e)[o->head];
        o->head = s->news;

        if (o->head == VM_NIL) {
            o->tail = VM_NIL;
        }

        s->told = 0;
        s->news = VM_NIL;

        if (!s->cancelled) {
            vm_engine_event(e, s, &events[n++]);
            s->first = s->output;

            if (s->finish) {

                /* its end was told; the engine may still have it */

                s->cancelled = 1;
            }
        }

        if (s->state == VM_SEQ_OVER) {
            vm_seq_free(e, s);
        }
    }

    return n;
}


/* ---- ends from outside ---- */

/* Ends a sequence as soon as a step is over, or now if none is under way. */

static void
vm_engine_doom(vm_engine_t *e, vm_seq_t *s, vm_time_t now)
{
    if (s->state == VM_SEQ_OVER) {
        return;
    }

    if (!s->doomed) {
        s->doomed = 1;
        e->naborts++;
    }

    if (!e->busy) {
        vm_seq_end_doomed(e, s, now);
        vm_engine_wake(e, now);
    }
}


void
vm_engine_cancel(vm_engine_t *e, vm_handle_t h, vm_time_t now)
{
    vm_seq_t  *s;

    s = vm_seq_find(e, h);

    if (s == NULL || s->cancelled) {
        return;
    }

    (void) vm_engine_advance(e, now);

    s->cancelled = 1;

    if (s->state == VM_SEQ_OVER) {

        if (!s->told) {
            vm_seq_free(e, s);
        }

        return;
    }

    vm_engine_doom(e, s, now);
}


static void
vm_engine_end(vm_engine_t *e, vm_seq_t *s, int counted, vm_time_t now)
{
    if (s->cancelled || s->doomed || s->state == VM_SEQ_OVER) {
        return;
    }

    s->counted = counted != 0;
    vm_engine_doom(e, s, now);
}


void
vm_engine_abort(vm_engine_t *e, vm_handle_t h, int counted, vm_time_t now)
{
    vm_seq_t  *s;

    (void) vm_engine_advance(e, now);

    s = vm_seq_find(e, h);

    if (s) {
        vm_engine_end(e, s, counted, now);
    }
}


void
vm_engine_abort_all(vm_engine_t *e, int counted, vm_time_t now)
{
    uint32_t   i;
    vm_seq_t  *s;

    (void) vm_engine_advance(e, now);

    for (i = 0; i < e->conf.max_live && e->nlive; i++) {
        s = &vm_seqs(e)[i];

        if (s->state != VM_SEQ_FREE) {
            vm_engine_end(e, s, counted, now);
        }
    }
}


void
vm_engine_release(vm_engine_t *e, uint32_t owner, vm_time_t now)
{
    uint32_t     i, next;
    vm_event_t   ev[16];
    vm_seq_t    *s;

    (void) vm_engine_advance(e, now);

    for (i = vm_owners(e)[owner].live; i != VM_NIL; i = next) {
        s = &vm_seqs(e)[i];
        next = s->live_next;
        vm_engine_cancel(e, (uint64_t) s->generation << 32 | i, now);
    }

    /* what stands in its queue of news has nobody to be told */

    while (vm_engine_collect(e, owner, ev, vm_nelts(ev))) { /* void */ }
}


/* ---- the administrator ---- */

void
vm_engine_pause(vm_engine_t *e, vm_pause_e mode, vm_time_t now)
{
    (void) vm_engine_advance(e, now);

    if (e->pause == VM_PAUSE_KEEP && mode != VM_PAUSE_KEEP) {
        vm_clock_shift(e, now - e->paused_at);
    }

    if (e->pause != VM_PAUSE_KEEP) {
        e->paused_at = now;
    }

    e->pause = mode;

    if (mode == VM_PAUSE_NONE) {
        vm_engine_wake(e, now);
    }
}


int
vm_engine_reset_prefix_cache(vm_engine_t *e, int reset_running,
    vm_time_t now)
{
    vm_seq_t  *s;

    (void) vm_engine_advance(e, now);

    while (reset_running && e->nrunning && !e->busy) {
        s = &vm_seqs(e)[vm_running(e)[--e->nrunning]];
        vm_clock_remove(e, s);
        vm_seq_preempt(e, s);
    }

    vm_engine_wake(e, now);

    return vm_kv_reset(vm_kv(e));
}


uint32_t
vm_engine_live(const vm_engine_t *e)
{
    return e->nlive;
}


uint32_t
vm_engine_live_of(const vm_engine_t *e, uint32_t owner)
{
    return vm_owners(e)[owner].nlive;
}


int
vm_engine_progress(const vm_engine_t *e, vm_handle_t h, uint32_t *prompt,
    uint32_t *output)
{
    const vm_seq_t  *s;

    s = vm_seq_find(e, h);

    if (s == NULL) {
        return VM_ERROR;
    }

    *prompt = s->prompt;
    *output = s->output;

    return VM_OK;
}


const vm_stats_t *
vm_engine_stats(const vm_engine_t *e)
{
    return &e->stats;
}


/* ---- hashes of blocks ---- */

uint64_t
vm_block_hash(uint64_t parent, const uint32_t *tokens, uint32_t n,
    uint64_t extra)
{
    return vm_rand_bytes(tokens, n * sizeof(uint32_t),
                         vm_rand_mix(parent + 0x6a09e667f3bcc909ULL)
                         ^ extra);
}


uint64_t
vm_block_extra(const char *lora, size_t lora_len, const char *salt,
    size_t salt_len)
{
    uint64_t  h;

    h = 0;

    if (lora) {
        h = vm_rand_bytes(lora, lora_len, 1);
    }

    if (salt) {
        h ^= vm_rand_bytes(salt, salt_len, 2);
    }

    return h;
}


/* ---- data parallel ---- */

uint32_t
vm_engine_balance(vm_engine_t *const *ranks, uint32_t n, uint32_t *turn)
{
    double             best, score, usage;
    uint32_t           i, k, pick;
    const vm_stats_t  *st;

    pick = 0;
    best = 0;

    for (i = 0; i < n; i++) {
        k = (*turn + i) % n;
        st = &ranks[k]->stats;
        usage = (double) st->used_blocks / (ranks[k]->conf.num_gpu_blocks
                                            - 1);
        score = vm_max(ranks[k]->nlive, ranks[k]->nwaiting
                                        + ranks[k]->nrunning)
                + ranks[k]->nwaiting * 6.0 * vm_max(0, usage - 0.5);

        if (i == 0 || score < best) {
            best = score;
            pick = k;
        }
    }

    *turn = (*turn + 1) % n;

    return pick;
}
