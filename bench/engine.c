/*
 * Steps a second, and nanoseconds a running sequence and step, in virtual
 * time.  Explains itself: see what it prints.
 *
 *   cc -O2 -std=gnu11 -ffp-contract=off bench/engine.c build/libvm.a \
 *       -ljansson -lm -o build/bench-engine && build/bench-engine
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "../src/engine/engine.h"


#define STEPS  400


static double
seconds(void)
{
    struct timespec  t;

    clock_gettime(CLOCK_MONOTONIC, &t);

    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}


static int
profile(vm_engine_conf_t *c)
{
    char    err[200];
    FILE   *f;
    size_t  n;

    static char  text[1 << 16];

    f = fopen("profiles/h100/llama-3.1-8b-tp1.json", "r");

    if (f == NULL) {
        fprintf(stderr, "run it from the repository's root\n");
        return 1;
    }

    n = fread(text, 1, sizeof(text), f);
    fclose(f);
    vm_latency_model(&c->latency, "profile", err, sizeof(err));

    return vm_profile_parse(&c->latency.profile, text, n, err, sizeof(err));
}


static void
measure(const char *name, const vm_engine_conf_t *conf, uint32_t running,
    uint32_t waiting)
{
    void                  *mem;
    double                 took;
    uint32_t               i;
    uint64_t               tokens;
    vm_time_t              next;
    vm_handle_t            h;
    vm_engine_t           *e;
    vm_engine_seq_t        q;
    vm_engine_request_t    r;

    static vm_event_t  events[4096];

    mem = NULL;

    if (posix_memalign(&mem, 64, vm_engine_footprint(conf)) != 0) {
        exit(1);
    }

    e = vm_engine_init(mem, conf);

    for (i = 0; i < running + waiting; i++) {
        memset(&q, 0, sizeof(q));
        memset(&r, 0, sizeof(r));
        q.eos_at = VM_NEVER;
        q.string_at = VM_NEVER;
        r.prompt_tokens = 64;
        r.max_tokens = STEPS;
        r.n = 1;
        r.seqs = &q;

        if (vm_engine_submit(e, &r, &h, 0) != VM_OK) {
            exit(1);
        }
    }

    took = seconds();
    next = 0;
    tokens = 0;

    while (next != VM_TIME_NONE) {
        next = vm_engine_advance(e, next);

        while (vm_engine_collect(e, 0, events, 4096) == 4096) { /* void */ }
    }

    took = seconds() - took;
    tokens = vm_engine_stats(e)->generation_tokens;

    printf("%-10s %7u %7u %8llu %12.0f %10.1f %8.1f\n", name, running, waiting,
           (unsigned long long) vm_engine_stats(e)->steps,
           (double) vm_engine_stats(e)->steps / took,
           took * 1e9 / (double) tokens,
           (double) vm_engine_footprint(conf) / 1048576);
    free(mem);
}


int
main(void)
{
    size_t            i;
    vm_engine_conf_t  c;

    static const uint32_t  sizes[] = { 1, 16, 128, 1024 };

    vm_engine_defaults(&c);
    c.max_num_seqs = 1024;
    c.max_num_batched_tokens = 8192;
    c.num_gpu_blocks = 60000;
    c.max_live = 16384;

    printf("%d tokens a request; `ns` is the time of one running sequence in "
           "one step,\nwith collecting its event\n\n"
           "%-10s %7s %7s %8s %12s %10s %8s\n", STEPS, "model", "running",
           "waiting", "steps", "steps/s", "ns", "MiB");

    for (i = 0; i < vm_nelts(sizes); i++) {
        c.latency.model = VM_LATENCY_NONE;
        measure("none", &c, sizes[i], 0);
    }

    c.latency.model = VM_LATENCY_CONSTANT;
    c.latency.ttft = 20 * VM_MSEC;
    c.latency.itl = 5 * VM_MSEC;

    for (i = 0; i < vm_nelts(sizes); i++) {
        measure("constant", &c, sizes[i], 0);
    }

    if (profile(&c)) {
        return 1;
    }

    for (i = 0; i < vm_nelts(sizes); i++) {
        measure("profile", &c, sizes[i], 0);
    }

    c.async_scheduling = 1;
    measure("async", &c, 1024, 0);

    /* those who wait cost nothing in a step */

    measure("async", &c, 1024, 10000);

    return 0;
}
