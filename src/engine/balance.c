/*
 * Which of several engines gets the next request.
 */

#include "state.h"


static double vm_balance_score(const vm_engine_t *e);


/* Ties go to the first one from a start that moves on with each request. */

uint32_t
vm_engine_balance(vm_engine_t *const *ranks, uint32_t n, uint32_t *turn)
{
    double    score, best;
    uint32_t  i, at, chosen;

    best = 0;
    chosen = 0;

    for (i = 0; i < n; i++) {
        at = (*turn + i) % n;
        score = vm_balance_score(ranks[at]);

        if (i == 0 || score < best) {
            best = score;
            chosen = at;
        }
    }

    *turn = n ? (*turn + 1) % n : 0;

    return chosen;
}


/*
 * Requests: those sent there, or what the engine said last if that is more.
 * Waiting ones weigh up to four times as much where the cache is full.
 */

static double
vm_balance_score(const vm_engine_t *e)
{
    double             usage, requests;
    const vm_stats_t  *s;

    s = &e->stats;
    usage = (double) s->used_blocks / (double) (s->num_gpu_blocks - 1);
    requests = (double) vm_max((uint64_t) e->live, s->waiting + s->running);

    return requests + (double) s->waiting * 6.0 * vm_max(0.0, usage - 0.5);
}
