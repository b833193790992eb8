/*
 * Sequences: their memory, the queues they stand in, the blocks they hold, and
 * what is counted when something happens to them.
 */

#include "core.h"
#include "../base/rand.h"


/* ---- handles ---- */

vm_seq_t *
vm_seq_find(const vm_engine_t *e, vm_handle_t h)
{
    uint32_t   id;
    vm_seq_t  *s;

    id = (uint32_t) h;

    if (id >= e->conf.max_live) {
        return NULL;
    }

    s = &vm_seqs(e)[id];

    return (s->state != VM_SEQ_FREE && s->generation == (uint32_t) (h >> 32))
           ? s : NULL;
}


/* ---- hashes, in chunks ---- */

static int
vm_hashes_store(vm_engine_t *e, vm_seq_t *s, const uint64_t *hashes,
    uint32_t n)
{
    uint32_t     c, i, *link, need;
    vm_chunk_t  *chunks;

    s->hashes = VM_NIL;
    s->nhashes = 0;

    need = (n + VM_CHUNK - 1) / VM_CHUNK;

    if (need > e->nfree_chunks) {
        return VM_DECLINED;
    }

    chunks = vm_chunks(e);
    link = &s->hashes;

    for (i = 0; i < need; i++) {
        c = e->free_chunk;
        e->free_chunk = chunks[c].next;
        *link = c;
        link = &chunks[c].next;
        memcpy(chunks[c].hashes, hashes + i * VM_CHUNK,
               vm_min(n - i * VM_CHUNK, VM_CHUNK) * sizeof(uint64_t));
    }

    *link = VM_NIL;
    e->nfree_chunks -= need;
    s->nhashes = n;

    return VM_OK;
}


static void
vm_hashes_free(vm_engine_t *e, vm_seq_t *s)
{
    uint32_t     c, next;
    vm_chunk_t  *chunks;

    chunks = vm_chunks(e);

    for (c = s->hashes; c != VM_NIL; c = next) {
        next = chunks[c].next;
        chunks[c].next = e->free_chunk;
        e->free_chunk = c;
        e->nfree_chunks++;
    }

    s->hashes = VM_NIL;
    s->nhashes = 0;
}


/* ---- adapters with a live sequence, in the order they came ---- */

static void
vm_lora_more(vm_engine_t *e, uint32_t id)
{
    uint32_t         i;
    vm_lora_live_t  *l;

    if (id == 0) {
        return;
    }

    l = vm_loras(e);

    for (i = 0; i < e->nloras; i++) {
        if (l[i].id == id) {
            l[i].n++;
            return;
        }
    }

    if (e->nloras < VM_LORA_MAX) {
        l[e->nloras].id = id;
        l[e->nloras++].n = 1;
    }
}


static void
vm_lora_less(vm_engine_t *e, uint32_t id)
{
    uint32_t         i;
    vm_lora_live_t  *l;

    l = vm_loras(e);

    for (i = 0; i < e->nloras; i++) {

        if (l[i].id == id && --l[i].n == 0) {
            memmove(&l[i], &l[i + 1],
                    (--e->nloras - i) * sizeof(vm_lora_live_t));
            return;
        }
    }
}


/* ---- life ---- */

vm_seq_t *
vm_seq_create(vm_engine_t *e, const vm_engine_request_t *r,
    const vm_engine_seq_t *q, vm_time_t now)
{
    uint32_t     generation, id, nhashes;
    vm_seq_t    *s;
    vm_owner_t  *o;

    if (e->free_seq == VM_NIL) {
        return NULL;
    }

    id = e->free_seq;
    s = &vm_seqs(e)[id];
    nhashes = e->conf.prefix_caching ? q->nhashes : 0;

    /* the last tokens of a sequence never fill a block that is found */

    if (vm_hashes_store(e, s, q->hashes, nhashes) != VM_OK) {
        return NULL;
    }

    e->free_seq = s->next;
    generation = s->generation;
    nhashes = s->hashes;

    memset(s, 0, sizeof(vm_seq_t));

    s->hashes = nhashes;
    s->nhashes = e->conf.prefix_caching ? q->nhashes : 0;
    s->state = VM_SEQ_WAITING;
    s->generation = generation;
    s->cookie = q->cookie;
    s->owner = r->owner;
    s->prompt = r->prompt_tokens;
    s->max_tokens = r->remote_decode ? 1 : r->max_tokens;
    s->eos_at = q->eos_at;
    s->eos_finish = q->eos_finish ? q->eos_finish : VM_FINISH_STOP;
    s->string_at = q->string_at;
    s->priority = r->priority;
    s->order = e->arrivals++;
    s->lora = r->lora;
    s->no_lookup = r->no_prefix_lookup;
    s->remote = r->remote_prefill;
    s->table = VM_NIL;
    s->heap = VM_NIL;
    s->news = VM_NIL;
    s->arrival = r->arrival;
    s->queued = now;
    s->scheduled = VM_TIME_NONE;
    s->first_token = VM_TIME_NONE;
    s->last_token = VM_TIME_NONE;

    o = &vm_owners(e)[r->owner];
    s->live_prev = VM_NIL;
    s->live_next = o->live;

    if (o->live != VM_NIL) {
        vm_seqs(e)[o->live].live_prev = id;
    }

    o->live = id;
    o->nlive++;
    e->nlive++;
    e->stats.submitted++;
    vm_lora_more(e, s->lora);

    return s;
}


/* Out of its owner's list: it is over and was collected, or cancelled. */

void
vm_seq_free(vm_engine_t *e, vm_seq_t *s)
{
    vm_seq_t    *seqs;
    vm_owner_t  *o;

    seqs = vm_seqs(e);
    o = &vm_owners(e)[s->owner];

    if (s->live_prev != VM_NIL) {
        seqs[s->live_prev].live_next = s->live_next;

    } else {
        o->live = s->live_next;
    }

    if (s->live_next != VM_NIL) {
        seqs[s->live_next].live_prev = s->live_prev;
    }

    o->nlive--;

    vm_hashes_free(e, s);

    s->state = VM_SEQ_FREE;
    s->generation++;
    s->next = e->free_seq;
    e->free_seq = vm_seq_id(e, s);
}


void
vm_seq_drop(vm_engine_t *e, vm_seq_t *s)
{
    vm_lora_less(e, s->lora);
    e->nlive--;
    e->stats.submitted--;
    vm_seq_free(e, s);
}


/* ---- queues ---- */

static void
vm_waiting_link(vm_engine_t *e, vm_seq_t *s, uint32_t before)
{
    uint32_t   id;
    vm_seq_t  *seqs;

    seqs = vm_seqs(e);
    id = vm_seq_id(e, s);

    s->next = before;
    s->prev = before == VM_NIL ? e->waiting_tail : seqs[before].prev;

    if (s->prev != VM_NIL) {
        seqs[s->prev].next = id;

    } else {
        e->waiting_head = id;
    }

    if (before != VM_NIL) {
        seqs[before].prev = id;

    } else {
        e->waiting_tail = id;
    }

    s->state = VM_SEQ_WAITING;
    e->nwaiting++;
    e->waiting_tokens += s->prompt;
}


static int
vm_waiting_before(const vm_seq_t *a, const vm_seq_t *b)
{
    return a->priority < b->priority
           || (a->priority == b->priority && a->order < b->order);
}


void
vm_waiting_push(vm_engine_t *e, vm_seq_t *s)
{
    uint32_t   at, before;
    vm_seq_t  *seqs;

    before = VM_NIL;

    if (e->conf.policy == VM_POLICY_PRIORITY) {
        seqs = vm_seqs(e);

        for (at = e->waiting_tail; at != VM_NIL; at = seqs[at].prev) {

            if (!vm_waiting_before(s, &seqs[at])) {
                break;
            }

            before = at;
        }
    }

    vm_waiting_link(e, s, before);
}


void
vm_waiting_front(vm_engine_t *e, vm_seq_t *s)
{
    if (e->conf.policy == VM_POLICY_PRIORITY) {
        vm_waiting_push(e, s);
        return;
    }

    vm_waiting_link(e, s, e->waiting_head);
}


void
vm_waiting_remove(vm_engine_t *e, vm_seq_t *s)
{
    vm_seq_t  *seqs;

    seqs = vm_seqs(e);

    if (s->prev != VM_NIL) {
        seqs[s->prev].next = s->next;

    } else {
        e->waiting_head = s->next;
    }

    if (s->next != VM_NIL) {
        seqs[s->next].prev = s->prev;

    } else {
        e->waiting_tail = s->prev;
    }

    if (s->deferred) {
        s->deferred = 0;
        e->ndeferred--;
    }

    e->nwaiting--;
    e->waiting_tokens -= s->prompt;
}


void
vm_running_remove(vm_engine_t *e, vm_seq_t *s)
{
    uint32_t   i, id, *running;

    running = vm_running(e);
    id = vm_seq_id(e, s);

    for (i = 0; i < e->nrunning; i++) {

        if (running[i] == id) {
            memmove(&running[i], &running[i + 1],
                    (--e->nrunning - i) * sizeof(uint32_t));
            return;
        }
    }
}


/* ---- blocks ---- */

uint32_t
vm_seq_lookup(const vm_engine_t *e, const vm_seq_t *s)
{
    uint32_t           c, i, most;
    const vm_chunk_t  *chunks;

    if (!e->conf.prefix_caching || s->no_lookup) {
        return 0;
    }

    chunks = vm_chunks(e);
    most = (vm_seq_tokens(s) - 1) / e->conf.block_size;
    most = vm_min(most, s->nhashes);

    for (i = 0, c = s->hashes; i < most; i++) {

        if (i && i % VM_CHUNK == 0) {
            c = chunks[c].next;
        }

        if (vm_kv_find(vm_kv(e), chunks[c].hashes[i % VM_CHUNK]) == 0) {
            break;
        }
    }

    return i * e->conf.block_size;
}


static uint64_t
vm_seq_hash(const vm_engine_t *e, const vm_seq_t *s, uint32_t i)
{
    uint32_t  c, k;

    for (c = s->hashes, k = i / VM_CHUNK; k; k--) {
        c = vm_chunks(e)[c].next;
    }

    return vm_chunks(e)[c].hashes[i % VM_CHUNK];
}


/* Full blocks of so many tokens get their hash. */

void
vm_seq_register(vm_engine_t *e, vm_seq_t *s, uint32_t tokens)
{
    uint32_t           c, i, k, full, *table;
    const vm_chunk_t  *chunks;

    full = vm_min(tokens / e->conf.block_size, s->nhashes);
    full = vm_min(full, s->blocks);

    if (full <= s->registered) {
        return;
    }

    table = vm_table(e, s);
    chunks = vm_chunks(e);
    i = s->registered;

    for (c = s->hashes, k = i / VM_CHUNK; k; k--) {
        c = chunks[c].next;
    }

    for ( /* void */ ; i < full; i++) {

        if (i != s->registered && i % VM_CHUNK == 0) {
            c = chunks[c].next;
        }

        vm_kv_register(vm_kv(e), table[i], chunks[c].hashes[i % VM_CHUNK]);
    }

    s->registered = full;
}


static uint32_t
vm_blocks_of(const vm_engine_t *e, uint32_t tokens)
{
    return (tokens + e->conf.block_size - 1) / e->conf.block_size;
}


int
vm_seq_allocate(vm_engine_t *e, vm_seq_t *s, uint32_t now, uint32_t hit,
    int admission)
{
    uint32_t   free, held, hits, i, idle, need, *table, reserve;
    vm_kv_t   *kv;

    kv = vm_kv(e);
    hits = hit / e->conf.block_size;
    held = s->blocks + hits;
    free = kv->nfree;
    reserve = 0;
    idle = 0;

    /* blocks that were found but that nobody holds are free ones, too */

    for (i = 0; i < hits; i++) {
        idle += vm_kv_free(kv, vm_kv_find(kv, vm_seq_hash(e, s, i))) != 0;
    }

    if (admission) {

        if (e->nrunning) {
            reserve = (uint32_t) (e->conf.watermark
                                  * e->conf.num_gpu_blocks);
        }

        if (e->conf.reserve_full_isl) {
            need = vm_blocks_of(e, vm_seq_tokens(s));
            need = need > held ? need - held : 0;

            if (need + idle + reserve > free) {
                return VM_DECLINED;
            }
        }
    }

    need = vm_blocks_of(e, vm_min(s->computed + hit + now,
                                  e->conf.max_model_len));
    need = need > held ? need - held : 0;

    if (need + idle + reserve > free) {
        return VM_DECLINED;
    }

    if (s->table == VM_NIL) {

        if (e->nfree_tables == 0) {
            return VM_DECLINED;
        }

        s->table = vm_free_tables(e)[--e->nfree_tables];
    }

    table = vm_table(e, s);

    for (i = 0; i < hits; i++) {
        table[s->blocks] = vm_kv_find(kv, vm_seq_hash(e, s, i));
        vm_kv_touch(kv, table[s->blocks++]);
    }

    s->registered = vm_max(s->registered, hits);

    for (i = 0; i < need; i++) {
        table[s->blocks++] = vm_kv_take(kv);
    }

    vm_seq_register(e, s, vm_min(s->computed + hit + now, vm_seq_tokens(s)));

    return VM_OK;
}


void
vm_seq_release(vm_engine_t *e, vm_seq_t *s)
{
    if (s->table == VM_NIL) {
        return;
    }

    vm_kv_release(vm_kv(e), vm_table(e, s), s->blocks);
    vm_free_tables(e)[e->nfree_tables++] = s->table;

    s->table = VM_NIL;
    s->blocks = 0;
    s->registered = 0;
}


void
vm_seq_preempt(vm_engine_t *e, vm_seq_t *s)
{
    if (e->watch && e->watch->preempted) {
        e->watch->preempted(e->watch->data, e, s);
    }

    vm_seq_release(e, s);

    s->computed = 0;
    s->placeholders = 0;
    s->stale = s->in_flight;
    s->preemptions++;
    e->stats.preemptions++;
    e->npreempted++;

    vm_waiting_front(e, s);
}


void
vm_seq_admit(vm_engine_t *e, vm_seq_t *s, uint32_t hit, vm_time_t now)
{
    vm_waiting_remove(e, s);

    vm_running(e)[e->nrunning++] = vm_seq_id(e, s);
    s->state = VM_SEQ_RUNNING;
    s->computed = hit;

    if (!s->admitted) {
        s->scheduled = now;

        if (s->remote) {
            s->external = s->prompt - hit;
            e->stats.external_queries += s->prompt - hit;
            e->stats.external_hits += s->external;
        }
    }

    if (e->conf.prefix_caching && !s->no_lookup) {

        if (s->preemptions == 0) {
            e->stats.prefix_queries += vm_seq_tokens(s);
            e->stats.prefix_hits += hit;
            e->queries += vm_seq_tokens(s);
            e->hits += hit;

        } else {
            e->preempted_queries += vm_seq_tokens(s);
            e->preempted_hits += hit;
        }
    }

    if (!s->admitted) {
        s->cached = hit;
        s->admitted = 1;
    }
}


/* ---- tokens ---- */

void
vm_seq_tell(vm_engine_t *e, vm_seq_t *s)
{
    uint32_t     id;
    vm_owner_t  *o;

    if (s->told || s->cancelled) {
        return;
    }

    o = &vm_owners(e)[s->owner];
    id = vm_seq_id(e, s);

    s->told = 1;
    s->news = VM_NIL;

    if (o->tail != VM_NIL) {
        vm_seqs(e)[o->tail].news = id;

    } else {
        o->head = id;
    }

    o->tail = id;
}


static double
vm_seconds(vm_time_t from, vm_time_t to)
{
    return (double) (to - from) / VM_NSEC;
}


int
vm_seq_token(vm_engine_t *e, vm_seq_t *s, vm_time_t now)
{
    uint32_t     pos;
    vm_finish_e  reason;
    vm_stats_t  *st;

    if (s->stopped) {
        return 0;                       /* a token that nobody reads */
    }

    st = &e->stats;
    pos = s->output++;

    if (pos == 0) {
        s->first_token = now;
        vm_hist_observe(&st->time_to_first_token,
                        vm_seconds(s->arrival, now), 1);
        st->prompt_tokens += s->prompt;
        st->prompt_cached += s->cached;
        st->prompt_external += s->external;
        st->prompt_computed += s->prompt - s->cached - s->external;

    } else {
        vm_hist_observe(&st->inter_token_latency,
                        vm_seconds(s->last_token, now), 1);
    }

    st->generation_tokens++;
    s->last_token = now;
    s->due = now;

    vm_seq_tell(e, s);

    reason = VM_FINISH_NONE;

    if (pos == s->eos_at) {
        reason = (vm_finish_e) s->eos_finish;

    } else if (vm_seq_tokens(s) >= e->conf.max_model_len
               || s->output >= s->max_tokens)
    {
        reason = VM_FINISH_LENGTH;
    }

    if (pos == s->string_at) {

        if (reason == VM_FINISH_NONE) {

            /* the front end knows now, the engine a step later */

            s->stopped = 1;
            s->finish = VM_FINISH_STOP;
            s->doomed = 1;
            e->naborts++;
            return 0;
        }

        reason = VM_FINISH_STOP;
    }

    if (reason == VM_FINISH_NONE) {
        return 0;
    }

    vm_seq_finish(e, s, reason, now);

    return 1;
}


static void
vm_seq_observe(vm_engine_t *e, vm_seq_t *s, vm_finish_e reason,
    vm_time_t now)
{
    double       decode;
    vm_stats_t  *st;

    st = &e->stats;

    st->finished[reason]++;
    vm_hist_observe(&st->request_prompt_tokens, s->prompt, 1);
    vm_hist_observe(&st->request_generation_tokens, s->output, 1);
    vm_hist_observe(&st->request_params_max_tokens, s->max_tokens, 1);
    vm_hist_observe(&st->request_num_preemptions, s->preemptions, 1);
    vm_hist_observe(&st->request_prefill_kv_computed_tokens,
                    s->prompt - s->cached - s->external, 1);
    vm_hist_observe(&st->e2e_request_latency, vm_seconds(s->arrival, now), 1);

    decode = 0;

    if (s->first_token != VM_TIME_NONE) {
        decode = vm_seconds(s->first_token, s->last_token);
        vm_hist_observe(&st->request_queue_time,
                        vm_seconds(s->queued, s->scheduled), 1);
        vm_hist_observe(&st->request_prefill_time,
                        vm_seconds(s->scheduled, s->first_token), 1);
        vm_hist_observe(&st->request_decode_time, decode, 1);
        vm_hist_observe(&st->request_inference_time,
                        vm_seconds(s->scheduled, s->last_token), 1);

    } else {
        vm_hist_observe(&st->request_queue_time, 0, 1);
        vm_hist_observe(&st->request_prefill_time, 0, 1);
        vm_hist_observe(&st->request_decode_time, 0, 1);
        vm_hist_observe(&st->request_inference_time, 0, 1);
    }

    vm_hist_observe(&st->request_time_per_output_token,
                    s->output > 1 ? decode / (s->output - 1) : 0, 1);
}


static void
vm_group_less(vm_engine_t *e, vm_seq_t *s, int lost)
{
    vm_group_t  *g;

    g = &vm_groups(e)[s->group];
    g->longest = vm_max(g->longest, s->output);
    g->lost |= (uint32_t) lost;

    if (--g->live) {
        return;
    }

    if (!g->lost) {
        vm_hist_observe(&e->stats.request_params_n, g->n, 1);
        vm_hist_observe(&e->stats.request_max_num_generation_tokens,
                        g->longest, 1);
    }

    g->next = e->free_group;
    e->free_group = s->group;
}


/* Out of every queue; what its owner has not heard yet stays. */

static void
vm_seq_over(vm_engine_t *e, vm_seq_t *s)
{
    if (s->state == VM_SEQ_WAITING) {
        vm_waiting_remove(e, s);
    }

    vm_clock_remove(e, s);
    vm_seq_release(e, s);
    vm_lora_less(e, s->lora);

    s->state = VM_SEQ_OVER;
    e->nlive--;
    e->stats.ended++;

    if (s->doomed) {
        s->doomed = 0;
        e->naborts--;
    }

    if (s->cancelled && !s->told) {
        vm_seq_free(e, s);
    }
}


void
vm_seq_finish(vm_engine_t *e, vm_seq_t *s, vm_finish_e reason,
    vm_time_t now)
{
    int  counted;

    counted = reason != VM_FINISH_ABORT || s->counted;

    if (counted) {
        vm_seq_observe(e, s, reason, now);
    }

    if (e->watch && e->watch->finished) {
        e->watch->finished(e->watch->data, e, s, reason, e->steps);
    }

    s->finish = reason;
    s->due = now;

    vm_seq_tell(e, s);
    vm_group_less(e, s, !counted);
    vm_seq_over(e, s);
}


/*
 * Takes effect between steps.  Running ones leave their place in the list as
 * well.
 */

void
vm_seq_end_doomed(vm_engine_t *e, vm_seq_t *s, vm_time_t now)
{
    if (s->state == VM_SEQ_RUNNING) {
        vm_running_remove(e, s);
    }

    if (s->stopped) {

        /* its client has had its end when the string was complete */

        vm_seq_observe(e, s, VM_FINISH_STOP, s->last_token);
        vm_group_less(e, s, 0);
        vm_seq_over(e, s);
        return;
    }

    if (s->cancelled) {

        if (e->watch && e->watch->finished) {
            e->watch->finished(e->watch->data, e, s, VM_FINISH_ABORT,
                               e->steps);
        }

        vm_group_less(e, s, 1);
        vm_seq_over(e, s);
        return;
    }

    vm_seq_finish(e, s, VM_FINISH_ABORT, now);
}


/* ---- what a step's statistics say ---- */

void
vm_core_gauges(vm_engine_t *e, vm_time_t now)
{
    uint32_t         i, ids[VM_LORA_MAX];
    vm_lora_live_t  *l;

    e->stats.running = e->nrunning;
    e->stats.waiting = e->nwaiting;
    e->stats.deferred = e->ndeferred;
    e->stats.used_blocks = vm_kv_used(vm_kv(e));

    if (e->conf.max_loras) {
        l = vm_loras(e);

        for (i = 0; i < e->nloras; i++) {
            ids[i] = l[i].id;
        }

        vm_stats_see_loras(&e->stats, ids, e->nloras, now);
    }
}


void
vm_core_iteration(vm_engine_t *e, uint64_t tokens)
{
    vm_hist_observe(&e->stats.iteration_tokens, (double) tokens, 1);
}
