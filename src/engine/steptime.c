/*
 * Durations.  Random parts depend on the engine's seed and on what they are
 * for (the step's number; the sequence's number and its token), not on time.
 */

#include <math.h>
#include "steptime.h"
#include "../base/rand.h"


typedef double (*vm_step_token_pt)(vm_engine_t *e, vm_seq_t *s,
    const vm_planned_t *p);


static double vm_step_constant(vm_engine_t *e, vm_seq_t *s,
    const vm_planned_t *p);
static double vm_step_per_token(vm_engine_t *e, vm_seq_t *s,
    const vm_planned_t *p);
static double vm_step_capacity(vm_engine_t *e, vm_seq_t *s,
    const vm_planned_t *p);
static double vm_step_fixed(vm_engine_t *e, vm_seq_t *s, uint32_t output);
static double vm_step_spread(vm_seq_t *s, double first, double total,
    uint32_t output);
static double vm_step_load(const vm_engine_t *e);
static double vm_step_jitter(const vm_jitter_t *j, double ns, uint64_t key,
    uint64_t n);
static vm_time_t vm_step_scaled(const vm_engine_t *e, double ns);


static const vm_step_token_pt  vm_step_tokens[VM_LATENCY_MODELS] = {
    [VM_LATENCY_CONSTANT] = vm_step_constant,
    [VM_LATENCY_PER_TOKEN] = vm_step_per_token,
    [VM_LATENCY_CAPACITY] = vm_step_capacity
};


int
vm_step_clocks(const vm_engine_conf_t *conf)
{
    return vm_step_tokens[conf->latency.model] != NULL;
}


/*
 * A decode is a sequence with output whose last token alone is computed; all
 * others are prefills, a resumed one too.
 */

vm_time_t
vm_step_duration(vm_engine_t *e, const vm_plan_t *p)
{
    uint32_t             i, nprefills, ndecodes;
    uint64_t             kv;
    vm_time_t            ns;
    vm_prefill_t        *prefills;
    const vm_planned_t  *planned;
    const vm_latency_t  *l;

    l = &e->conf.latency;

    if (l->model != VM_LATENCY_PROFILE) {
        return 0;
    }

    prefills = vm_prefills(e);
    planned = vm_planned(e, p);
    nprefills = 0;
    ndecodes = 0;
    kv = 0;

    for (i = 0; i < p->n; i++) {

        if (planned[i].decode) {
            ndecodes++;
            kv += (uint64_t) planned[i].before + 1;

        } else {
            prefills[nprefills].before = planned[i].before;
            prefills[nprefills++].now = planned[i].tokens;
        }
    }

    ns = vm_profile_step(&l->profile, prefills, nprefills, ndecodes, kv,
                         l->cpu_overhead);

    /* tables that were carried on may fall below zero */

    ns = vm_max(ns, 0);

    return e->conf.time_scale == 1 ? ns : vm_step_scaled(e, (double) ns);
}


vm_time_t
vm_step_token(vm_engine_t *e, vm_seq_t *s, const vm_planned_t *p)
{
    return vm_step_scaled(e, vm_step_tokens[e->conf.latency.model](e, s, p));
}


vm_time_t
vm_step_transfer(vm_engine_t *e, uint32_t tokens)
{
    const vm_latency_t  *l;

    l = &e->conf.latency;

    /*
     * Where steps take no time nothing may: a sequence that waits for blocks
     * would be planned and preempted for ever while they wait for their KV.
     */

    if (l->model == VM_LATENCY_NONE) {
        return 0;
    }

    return vm_step_scaled(e, l->kv_transfer_per_token * tokens);
}


static double
vm_step_constant(vm_engine_t *e, vm_seq_t *s, const vm_planned_t *p)
{
    double               ns;
    const vm_latency_t  *l;

    l = &e->conf.latency;
    ns = (double) (p->decode ? l->itl : l->ttft) * vm_step_load(e);

    return vm_step_jitter(&l->jitter, ns, e->conf.seed ^ s->order, s->output);
}


static double
vm_step_per_token(vm_engine_t *e, vm_seq_t *s, const vm_planned_t *p)
{
    double               ns;
    const vm_latency_t  *l;

    l = &e->conf.latency;
    ns = p->decode ? (double) l->itl
                   : (double) l->overhead + l->per_token * p->tokens;
    ns *= vm_step_load(e);

    return vm_step_jitter(&l->jitter, ns, e->conf.seed ^ s->order, s->output);
}


/*
 * The total of a request is known when it is admitted; the part after the
 * first token is spread evenly.
 */

static double
vm_step_capacity(vm_engine_t *e, vm_seq_t *s, const vm_planned_t *p)
{
    double               total, first, penalty, prefill;
    uint32_t             output;
    const vm_latency_t  *l;

    if (p->decode) {
        return (double) s->pace;
    }

    l = &e->conf.latency;
    output = vm_min(s->max_tokens, e->conf.max_model_len - s->prompt);
    output = s->eos_at < output ? s->eos_at + 1 : output;
    output = s->string_at < output ? s->string_at + 1 : output;

    prefill = (double) l->prefill_per_1k * s->prompt / 1000.0;
    total = (double) l->base + prefill
            + (double) l->decode_per_token * output;

    if (l->duration || (total + (double) (l->ttft + l->penalty)) == 0) {
        return vm_step_fixed(e, s, output);
    }

    first = vm_min((double) l->ttft + prefill, total);
    penalty = e->live > l->capacity
              ? (double) l->penalty * (e->live - l->capacity) : 0;

    first += total > 0 ? penalty * first / total : 0;
    total = vm_step_jitter(&l->jitter, total + penalty,
                           e->conf.seed ^ s->order, 0);
    first = vm_min(first, total);

    return vm_step_spread(s, first, total, output);
}


/* A fixed total, whatever the request. */

static double
vm_step_fixed(vm_engine_t *e, vm_seq_t *s, uint32_t output)
{
    double               total, first;
    const vm_latency_t  *l;

    l = &e->conf.latency;
    total = vm_step_jitter(&l->jitter, (double) (l->duration ? l->duration
                                                 : 200 * VM_MSEC),
                           e->conf.seed ^ s->order, 0);
    first = vm_min((double) l->ttft, total);

    return vm_step_spread(s, first, total, output);
}


/* The first token's time; the others are spread evenly over the rest. */

static double
vm_step_spread(vm_seq_t *s, double first, double total, uint32_t output)
{
    if (s->output) {
        return first;                   /* preempted: it begins anew */
    }

    if (output < 2) {
        return total;
    }

    s->pace = (vm_time_t) ((total - first) / (output - 1));

    return first;
}


static double
vm_step_load(const vm_engine_t *e)
{
    return 1.0 + (e->conf.latency.load_factor - 1.0) * e->running.n
                 / e->conf.max_num_seqs;
}


static double
vm_step_jitter(const vm_jitter_t *j, double ns, uint64_t key, uint64_t n)
{
    switch (j->kind) {

    case VM_JITTER_PERCENT:
        ns *= 1.0 + j->value * (2.0 * vm_rand_unit(vm_rand_at(key, n)) - 1.0);
        break;

    case VM_JITTER_NORMAL:
        ns += j->value * vm_rand_normal(key, n);
        break;

    case VM_JITTER_LOGNORMAL:
        ns *= exp(j->value * vm_rand_normal(key, n));
        break;

    case VM_JITTER_UNIFORM:
        ns += j->value * vm_rand_unit(vm_rand_at(key, n));
        break;

    default:
        break;
    }

    return ns > 0 ? ns : 0;
}


static vm_time_t
vm_step_scaled(const vm_engine_t *e, double ns)
{
    return (vm_time_t) llrint(ns * e->conf.time_scale);
}
