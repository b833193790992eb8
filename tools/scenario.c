/*
 * Scenarios: arrivals, aborts, plan, update; one line a step.
 */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "scenario.h"
#include "tokens.h"
#include "../src/engine/kv.h"
#include "../src/engine/queue.h"
#include "../src/engine/scheduler.h"


typedef struct {
    const char   *id;
    uint32_t      place;
    uint32_t      arrive;
    uint32_t      abort;            /* VM_NEVER */
    uint32_t      tokens;
    uint32_t      group;
    uint32_t      shared;
    uint32_t      follows;          /* place; VM_NEVER */
    uint32_t      follows_output;
    uint32_t      max_tokens;
    uint32_t      eos_at;
    uint32_t      lora;
    int64_t       priority;
    const char   *adapter;
    const char   *salt;

    unsigned      arrived:1;
    unsigned      over:1;
    vm_handle_t   handle;
    uint32_t      held;             /* blocks before the plan */
    int64_t       cached;
    uint32_t      first_step;
    uint32_t      last_step;
    uint32_t      output;
    uint32_t      preemptions;
    const char   *reason;
} vm_scenario_request_t;

typedef struct {
    vm_engine_conf_t        conf;
    vm_engine_t            *engine;
    vm_scenario_request_t  *requests;
    vm_scenario_request_t **aborts;         /* in the order they come */
    uint32_t                n;
    uint32_t                naborts;
    uint32_t                step;
    uint32_t                planned[2];     /* steps of the two plans */
    int                     flying;         /* one of them is under way */
    vm_buf_t               *out;
    vm_buf_t                finished;
    char                   *err;
    size_t                  errlen;
} vm_scenario_t;

typedef struct {
    const vm_scenario_t          *scenario;
    const vm_scenario_request_t  *request;
} vm_scenario_tokens_t;


static int vm_scenario_read(vm_scenario_t *sc, json_t *root);
static int vm_scenario_config(vm_scenario_t *sc, json_t *config);
static int vm_scenario_requests(vm_scenario_t *sc, json_t *list);
static int vm_scenario_aborts(vm_scenario_t *sc);
static uint64_t vm_scenario_token(const void *data, uint32_t at);
static int vm_scenario_run(vm_scenario_t *sc);
static int vm_scenario_submit(vm_scenario_t *sc, vm_scenario_request_t *r);
static int vm_scenario_step(vm_scenario_t *sc, uint32_t *current);
static void vm_scenario_collect(vm_scenario_t *sc, uint32_t step);
static void vm_scenario_line(vm_scenario_t *sc, const vm_plan_t *p);
static void vm_scenario_after(vm_scenario_t *sc);
static void vm_scenario_summary(vm_scenario_t *sc);
static int vm_scenario_error(vm_scenario_t *sc, const char *text);


static const char  *vm_scenario_reasons[VM_FINISH_KINDS] = {
    NULL, "stop", "length", "abort", "error", "repetition"
};


int
vm_scenario_plan(const char *text, size_t len, vm_buf_t *out, char *err,
    size_t errlen)
{
    int            rc;
    json_t        *root;
    json_error_t   error;
    vm_scenario_t  sc;

    memset(&sc, 0, sizeof(sc));
    sc.out = out;
    sc.err = err;
    sc.errlen = errlen;
    vm_buf_init(&sc.finished);

    root = json_loadb(text, len, 0, &error);

    if (root == NULL) {
        snprintf(err, errlen, "line %d: %s", error.line, error.text);
        return VM_ERROR;
    }

    rc = vm_scenario_read(&sc, root);

    if (rc == VM_OK) {
        rc = vm_scenario_run(&sc);
    }

    free(sc.engine);
    free(sc.aborts);
    free(sc.requests);
    vm_buf_free(&sc.finished);
    json_decref(root);

    return rc;
}


static int
vm_scenario_error(vm_scenario_t *sc, const char *text)
{
    snprintf(sc->err, sc->errlen, "%s", text);

    return VM_ERROR;
}


static uint32_t
vm_scenario_uint(json_t *o, const char *key, uint32_t otherwise)
{
    json_t  *v;

    v = json_object_get(o, key);

    return json_is_integer(v) ? (uint32_t) json_integer_value(v) : otherwise;
}


static int
vm_scenario_flag(json_t *o, const char *key, int otherwise)
{
    json_t  *v;

    v = json_object_get(o, key);

    return json_is_boolean(v) ? json_is_true(v) : otherwise;
}


static int
vm_scenario_read(vm_scenario_t *sc, json_t *root)
{
    json_t  *config, *requests;

    config = json_object_get(root, "config");
    requests = json_object_get(root, "requests");

    if (!json_is_object(config) || !json_is_array(requests)) {
        return vm_scenario_error(sc, "a scenario is an object with \"config\""
                                     " and \"requests\"");
    }

    if (vm_scenario_config(sc, config) != VM_OK) {
        return VM_ERROR;
    }

    return vm_scenario_requests(sc, requests);
}


static int
vm_scenario_config(vm_scenario_t *sc, json_t *o)
{
    const char        *policy;
    vm_engine_conf_t  *c;

    c = &sc->conf;
    vm_engine_defaults(c);

    c->max_num_seqs = vm_scenario_uint(o, "max_num_seqs", 256);
    c->max_num_batched_tokens = vm_scenario_uint(o, "max_num_batched_tokens",
                                                 2048);
    c->num_gpu_blocks = vm_scenario_uint(o, "num_gpu_blocks", 1000);
    c->block_size = vm_scenario_uint(o, "block_size", 16);
    c->max_model_len = vm_scenario_uint(o, "max_model_len", 4096);
    c->prefix_caching = vm_scenario_flag(o, "enable_prefix_caching", 1);
    c->chunked_prefill = vm_scenario_flag(o, "enable_chunked_prefill", 1);
    c->long_prefill_token_threshold
        = vm_scenario_uint(o, "long_prefill_token_threshold", 0);
    c->max_loras = vm_scenario_uint(o, "max_loras", 0);
    c->watermark = json_number_value(json_object_get(o, "watermark"));
    c->reserve_full_isl = vm_scenario_flag(o, "scheduler_reserve_full_isl", 1);
    c->async_scheduling = vm_scenario_flag(o, "async_scheduling", 0);

    policy = json_string_value(json_object_get(o, "policy"));

    if (policy && strcmp(policy, "priority") == 0) {
        c->policy = VM_POLICY_PRIORITY;

    } else if (policy && strcmp(policy, "fcfs") != 0) {
        return vm_scenario_error(sc, "policy must be fcfs or priority");
    }

    /* a recording may well have too few blocks, so no vm_engine_check() */

    if (c->block_size == 0 || c->num_gpu_blocks < 2 || c->max_num_seqs == 0
        || c->max_model_len < 2 || c->max_loras > VM_LORA_MAX)
    {
        return vm_scenario_error(sc, "config is out of range");
    }

    return VM_OK;
}


static int
vm_scenario_requests(vm_scenario_t *sc, json_t *list)
{
    void                   *mem;
    json_t                 *o, *prompt, *follows;
    size_t                  i, k;
    const char             *id;
    vm_scenario_request_t  *r;

    sc->n = (uint32_t) json_array_size(list);
    sc->requests = calloc(sc->n + 1, sizeof(vm_scenario_request_t));
    sc->conf.max_live = sc->n + 1;

    mem = NULL;

    if (sc->requests == NULL
        || posix_memalign(&mem, 64, vm_engine_footprint(&sc->conf)) != 0)
    {
        return vm_scenario_error(sc, "out of memory");
    }

    sc->engine = vm_engine_init(mem, &sc->conf);

    for (i = 0; i < sc->n; i++) {
        o = json_array_get(list, i);
        r = &sc->requests[i];

        r->id = json_string_value(json_object_get(o, "id"));
        r->place = (uint32_t) i;
        r->arrive = vm_scenario_uint(o, "arrive_step", 1);
        r->abort = vm_scenario_uint(o, "abort_step", VM_NEVER);
        r->max_tokens = vm_scenario_uint(o, "max_tokens", 1);
        r->eos_at = vm_scenario_uint(o, "eos_at", VM_NEVER);
        r->priority = json_integer_value(json_object_get(o, "priority"));
        r->adapter = json_string_value(json_object_get(o, "lora"));
        r->salt = json_string_value(json_object_get(o, "cache_salt"));
        r->follows = VM_NEVER;

        prompt = json_object_get(o, "prompt");
        r->tokens = vm_scenario_uint(prompt, "tokens", 0);
        r->group = vm_scenario_uint(prompt, "group", 0);
        r->shared = vm_scenario_uint(prompt, "shared", 0);

        if (r->id == NULL || r->tokens == 0) {
            return vm_scenario_error(sc, "a request has an \"id\" and a "
                                         "\"prompt\" with \"tokens\"");
        }

        follows = json_object_get(prompt, "follows");
        id = json_string_value(json_array_get(follows, 0));

        for (k = 0; id && k < i; k++) {
            if (strcmp(sc->requests[k].id, id) == 0) {
                r->follows = (uint32_t) k;
                r->follows_output = (uint32_t)
                            json_integer_value(json_array_get(follows, 1));
            }
        }

        /* adapters by their names: the number is the first's that has it */

        for (k = 0; r->adapter && k <= i; k++) {
            if (sc->requests[k].adapter
                && strcmp(sc->requests[k].adapter, r->adapter) == 0)
            {
                r->lora = (uint32_t) k + 1;
                break;
            }
        }
    }

    return vm_scenario_aborts(sc);
}


static int
vm_scenario_sooner(const void *a, const void *b)
{
    const vm_scenario_request_t  *const *r = a, *const *s = b;

    if ((*r)->abort != (*s)->abort) {
        return (*r)->abort < (*s)->abort ? -1 : 1;
    }

    return (*r)->place < (*s)->place ? -1 : 1;
}


static int
vm_scenario_aborts(vm_scenario_t *sc)
{
    uint32_t  i;

    sc->aborts = calloc(sc->n + 1, sizeof(vm_scenario_request_t *));

    if (sc->aborts == NULL) {
        return vm_scenario_error(sc, "out of memory");
    }

    for (i = 0; i < sc->n; i++) {
        if (sc->requests[i].abort != VM_NEVER) {
            sc->aborts[sc->naborts++] = &sc->requests[i];
        }
    }

    qsort(sc->aborts, sc->naborts, sizeof(vm_scenario_request_t *),
          vm_scenario_sooner);

    return VM_OK;
}


static uint64_t
vm_scenario_token(const void *data, uint32_t at)
{
    const vm_scenario_tokens_t   *t;
    const vm_scenario_request_t  *r;
    vm_scenario_tokens_t          before;

    t = data;
    r = t->request;

    if (at >= r->tokens) {
        at -= r->tokens;

        return at == r->eos_at ? vm_token(3, 0, 0)
                               : vm_token(VM_TOKEN_OUTPUT, r->place, at);
    }

    if (r->follows != VM_NEVER) {
        before.scenario = t->scenario;
        before.request = &t->scenario->requests[r->follows];

        if (at < before.request->tokens) {
            return vm_scenario_token(&before, at);
        }

        if (at - before.request->tokens < r->follows_output) {

            /* as sampled, also where the other made an EOS */

            return vm_token(VM_TOKEN_OUTPUT, r->follows,
                            at - before.request->tokens);
        }
    }

    return at < r->shared ? vm_token(VM_TOKEN_SHARED, r->group, at)
                          : vm_token(VM_TOKEN_PROMPT, r->place, at);
}


static int
vm_scenario_run(vm_scenario_t *sc)
{
    uint32_t                i, left, next, gone, current;
    vm_scenario_request_t  *r;

    vm_buf_lit(sc->out, "{\"vllm\":\"0.32.0\",\"steps\":[");
    left = sc->n;
    gone = 0;
    current = 0;
    sc->step = VM_NEVER;                /* counted from 0 */

    for ( ;; ) {
        sc->step++;

        if (vm_engine_live(sc->engine) == 0 && !sc->flying) {

            if (left == 0) {
                break;
            }

            next = VM_NEVER;

            for (i = 0; i < sc->n; i++) {
                if (!sc->requests[i].arrived) {
                    next = vm_min(next, sc->requests[i].arrive);
                }
            }

            sc->step = vm_max(sc->step, next);
        }

        for (i = 0; i < sc->n; i++) {
            r = &sc->requests[i];

            if (!r->arrived && r->arrive <= sc->step) {

                if (vm_scenario_submit(sc, r) != VM_OK) {
                    return VM_ERROR;
                }

                left--;
            }
        }

        vm_buf_reset(&sc->finished);

        /* the next step takes the aborts of those that were jumped over */

        while (gone < sc->naborts && sc->aborts[gone]->abort <= sc->step) {
            r = sc->aborts[gone++];

            if (r->arrived && !r->over) {
                vm_engine_abort(sc->engine, r->handle, 0, 0);
            }
        }

        vm_scenario_collect(sc, sc->step);

        if (vm_scenario_step(sc, &current) == 0 && left == 0
            && gone == sc->naborts)
        {
            snprintf(sc->err, sc->errlen, "step %u: nothing can run",
                     sc->step);
            return VM_ERROR;
        }
    }

    vm_buf_lit(sc->out, "],");
    vm_scenario_summary(sc);
    vm_buf_lit(sc->out, "}\n");

    return sc->out->failed ? vm_scenario_error(sc, "out of memory") : VM_OK;
}


static int
vm_scenario_submit(vm_scenario_t *sc, vm_scenario_request_t *r)
{
    int                   rc;
    uint32_t              n;
    uint64_t             *hashes, first, every;
    vm_engine_seq_t       q;
    vm_engine_request_t   rq;
    vm_scenario_tokens_t  tokens;

    memset(&q, 0, sizeof(q));
    memset(&rq, 0, sizeof(rq));

    n = vm_min(r->tokens + r->max_tokens, sc->conf.max_model_len);
    hashes = malloc((n / sc->conf.block_size + 1) * sizeof(uint64_t));

    if (hashes == NULL) {
        return vm_scenario_error(sc, "out of memory");
    }

    every = vm_block_extra(r->adapter, r->adapter ? strlen(r->adapter) : 0,
                           NULL, 0);
    first = vm_block_extra(r->adapter, r->adapter ? strlen(r->adapter) : 0,
                           r->salt, r->salt ? strlen(r->salt) : 0);
    tokens.scenario = sc;
    tokens.request = r;

    q.cookie = r->place;
    q.eos_at = r->eos_at;
    q.string_at = VM_NEVER;
    q.hashes = hashes;
    q.nhashes = vm_tokens_hash(hashes, n, sc->conf.block_size, first, every,
                               vm_scenario_token, &tokens);

    rq.prompt_tokens = r->tokens;
    rq.max_tokens = r->max_tokens;
    rq.priority = r->priority;
    rq.lora = r->lora;
    rq.arrival = sc->step;
    rq.n = 1;
    rq.seqs = &q;

    rc = vm_engine_submit(sc->engine, &rq, &r->handle, 0);
    free(hashes);

    if (rc != VM_OK) {
        snprintf(sc->err, sc->errlen, "request \"%s\" does not fit into the "
                 "configuration", r->id);
        return VM_ERROR;
    }

    r->arrived = 1;
    r->cached = -1;

    return VM_OK;
}


/* Whether the step changed anything; if not, the next one cannot either. */

static int
vm_scenario_step(vm_scenario_t *sc, uint32_t *current)
{
    uint32_t                i, other, moved;
    vm_plan_t              *p, *ends;
    vm_engine_t            *e;
    vm_scenario_request_t  *r;

    e = sc->engine;

    for (i = 0; i < sc->n; i++) {
        r = &sc->requests[i];

        if (r->arrived && !r->over) {
            r->held = vm_seq_find(e, r->handle)->nblocks;
        }
    }

    p = &e->plans[*current];
    other = *current ^ 1;
    vm_sched_plan(e, p, 0);
    sc->planned[*current] = sc->step;
    vm_scenario_line(sc, p);
    moved = p->n || e->npreempted || sc->flying || sc->finished.len;

    if (!sc->conf.async_scheduling) {
        ends = p;

    } else {

        /* the one before; afterwards this one is under way */

        ends = sc->flying ? &e->plans[other] : NULL;
        sc->flying = p->n > 0;
        *current = p->n ? other : *current;
    }

    if (ends) {

        if (e->queries) {
            vm_buf_printf(sc->out, ",\"queries\":%llu,\"hits\":%llu",
                          (unsigned long long) e->queries,
                          (unsigned long long) e->hits);
        }

        if (e->again_queries) {
            vm_buf_printf(sc->out, ",\"preempted_queries\":%llu"
                          ",\"preempted_hits\":%llu",
                          (unsigned long long) e->again_queries,
                          (unsigned long long) e->again_hits);
        }

        vm_sched_update(e, ends, 0);
        vm_scenario_collect(sc, sc->planned[ends - e->plans]);
    }

    vm_scenario_after(sc);

    return moved;
}


static void
vm_scenario_collect(vm_scenario_t *sc, uint32_t step)
{
    vm_event_t              v;
    vm_scenario_request_t  *r;

    while (vm_engine_collect(sc->engine, 0, &v, 1)) {
        r = &sc->requests[v.cookie];

        if (v.count && v.first == 0) {
            r->cached = v.cached_tokens;
            r->first_step = step;
        }

        r->output += v.count;

        if (v.finish) {
            r->over = 1;
            r->last_step = step;
            r->reason = vm_scenario_reasons[v.finish];
            r->preemptions = v.preemptions;

            vm_buf_str(&sc->finished, sc->finished.len ? ",[" : "[");
            vm_buf_json(&sc->finished, r->id, strlen(r->id));
            vm_buf_printf(&sc->finished, ",\"%s\"]", r->reason);
        }
    }
}


static void
vm_scenario_name(vm_scenario_t *sc, uint32_t seq)
{
    const char  *id;

    id = sc->requests[vm_seq(sc->engine, seq)->cookie].id;
    vm_buf_json(sc->out, id, strlen(id));
}


/* What was planned. */

static void
vm_scenario_line(vm_scenario_t *sc, const vm_plan_t *p)
{
    uint32_t             i, k, n;
    const char          *key;
    vm_buf_t            *b;
    const vm_seq_t      *s;
    vm_engine_t         *e;
    const vm_planned_t  *planned;

    b = sc->out;
    e = sc->engine;
    planned = vm_planned(e, p);

    if (b->data[b->len - 1] != '[') {
        vm_buf_lit(b, ",");
    }

    vm_buf_printf(b, "\n{\"step\":%u,\"scheduled\":[", sc->step);

    for (i = 0; i < p->n; i++) {
        vm_buf_str(b, i ? ",[" : "[");
        vm_scenario_name(sc, planned[i].seq);
        vm_buf_printf(b, ",%u,%u]", planned[i].tokens, planned[i].before);
    }

    vm_buf_lit(b, "]");

    for (k = 0; k < 2; k++) {
        key = k ? ",\"resumed\":[" : ",\"new\":[";

        for (i = 0, n = 0; i < p->n; i++) {
            if (k ? planned[i].resumed : planned[i].fresh) {
                vm_buf_str(b, n++ ? "," : key);
                vm_scenario_name(sc, planned[i].seq);
            }
        }

        vm_buf_str(b, n ? "]" : "");
    }

    for (i = 0; i < e->npreempted; i++) {
        vm_buf_str(b, i ? "," : ",\"preempted\":[");
        vm_scenario_name(sc, vm_preempted(e)[i]);
    }

    vm_buf_str(b, e->npreempted ? "]" : "");
    vm_buf_lit(b, ",\"blocks\":{");

    for (i = 0, n = 0; i < p->n; i++) {
        s = vm_seq(e, planned[i].seq);
        k = planned[i].fresh || planned[i].resumed
            ? 0 : sc->requests[s->cookie].held;

        if (k == s->nblocks) {
            continue;
        }

        vm_buf_str(b, n++ ? "," : "");
        vm_scenario_name(sc, planned[i].seq);

        for (vm_buf_lit(b, ":["); k < s->nblocks; k++) {
            vm_buf_printf(b, "%u%s", vm_kv_block(e, s, k),
                          k + 1 < s->nblocks ? "," : "");
        }

        vm_buf_lit(b, "]");
    }

    vm_buf_printf(b, "},\"planned_blocks\":%u", vm_kv_used(e));
}


static int
vm_scenario_before(const void *a, const void *b)
{
    const vm_seq_t  *const *s = a, *const *t = b;

    return vm_heap_before(*s, *t) ? -1 : 1;
}


static void
vm_scenario_after(vm_scenario_t *sc)
{
    uint32_t      i, k, n;
    vm_buf_t     *b;
    vm_engine_t  *e;
    vm_seq_t    **waiting;

    b = sc->out;
    e = sc->engine;

    if (sc->finished.len) {
        vm_buf_lit(b, ",\"finished\":[");
        vm_buf_add(b, sc->finished.data, sc->finished.len);
        vm_buf_lit(b, "]");
    }

    vm_buf_lit(b, ",\"running\":[");

    for (i = e->running.head; i != VM_NONE; i = vm_seq(e, i)->next) {
        vm_buf_str(b, i == e->running.head ? "" : ",");
        vm_scenario_name(sc, i);
    }

    n = 0;
    waiting = calloc(sc->n + 1, sizeof(vm_seq_t *));

    if (waiting == NULL) {
        b->failed = 1;
        return;
    }

    for (i = e->waiting.head; i != VM_NONE; i = vm_seq(e, i)->next) {
        waiting[n++] = vm_seq(e, i);
    }

    for (i = 0; i < e->nheap; i++) {
        waiting[n++] = vm_seq(e, vm_at(e, e->heap_at, uint32_t)[i]);
    }

    if (e->nheap) {
        qsort(waiting, n, sizeof(vm_seq_t *), vm_scenario_before);
    }

    vm_buf_lit(b, "],\"waiting\":[");

    for (i = 0; i < n; i++) {
        vm_buf_str(b, i ? "," : "");
        vm_scenario_name(sc, vm_seq_index(e, waiting[i]));
    }

    vm_buf_lit(b, "]");

    for (i = 0, k = 0; i < n; i++) {
        if (waiting[i]->deferred) {
            vm_buf_str(b, k++ ? "," : ",\"deferred\":[");
            vm_scenario_name(sc, vm_seq_index(e, waiting[i]));
        }
    }

    vm_buf_str(b, k ? "]" : "");
    free(waiting);

    vm_buf_printf(b, ",\"used_blocks\":%u,\"usage\":%.12f}", vm_kv_used(e),
                  (double) vm_kv_used(e) / (sc->conf.num_gpu_blocks - 1));
}


static void
vm_scenario_summary(vm_scenario_t *sc)
{
    uint32_t                      i;
    vm_buf_t                     *b;
    const vm_scenario_request_t  *r;

    b = sc->out;
    vm_buf_lit(b, "\n\"requests\":{");

    for (i = 0; i < sc->n; i++) {
        r = &sc->requests[i];
        vm_buf_str(b, i ? ",\n" : "\n");
        vm_buf_json(b, r->id, strlen(r->id));
        vm_buf_lit(b, ":{\"cached_tokens\":");

        if (r->cached < 0) {
            vm_buf_lit(b, "null");

        } else {
            vm_buf_int(b, r->cached);
        }

        vm_buf_lit(b, ",\"first_token_step\":");

        if (r->cached < 0) {
            vm_buf_lit(b, "null");

        } else {
            vm_buf_uint(b, r->first_step);
        }

        vm_buf_printf(b, ",\"finish_step\":%u,\"finish_reason\":\"%s\""
                      ",\"output_tokens\":%u,\"preemptions\":%u}",
                      r->last_step, r->reason, r->output, r->preemptions);
    }

    vm_buf_lit(b, "}");
}
