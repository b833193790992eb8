/*
 * Latency models: what their parameters may be, and the times that follow.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../../src/engine/engine.h"


static void
test_values(void **state)
{
    char          err[256];
    size_t        i;
    vm_time_t     t;
    vm_latency_t  l;

    static const struct {
        const char  *text;
        vm_time_t    ns;            /* -1: refused */
    } times[] = {
        { "2.5ms", 2500000 }, { "300us", 300000 }, { "1s", 1000000000 },
        { "1m", 60000000000 }, { "0.02", 20000000 }, { "0", 0 },
        { "5ns", 5 }, { "", -1 }, { "-1ms", -1 }, { "1x", -1 }, { "ms", -1 },
        { "1 s", -1 }, { "nan", -1 }, { "1e9h", -1 }
    };

    static const struct {
        const char  *model;
        const char  *key;
        const char  *value;
        int          ok;
    } sets[] = {
        { "constant", "ttft", "20ms", 1 }, { "constant", "itl", "2.5ms", 1 },
        { "constant", "jitter", "10%", 1 },
        { "constant", "jitter", "normal:5ms", 1 },
        { "constant", "jitter", "lognormal:0.2", 1 },
        { "constant", "jitter", "uniform:1ms", 1 },
        { "constant", "jitter", "none", 1 },
        { "constant", "jitter", "5ms", 0 },
        { "constant", "jitter", "101%", 0 },
        { "constant", "jitter", "lognormal:-1", 0 },
        { "constant", "load_factor", "1.5", 1 },
        { "constant", "load_factor", "0.5", 0 },
        { "constant", "overhead", "1ms", 0 },
        { "constant", "ttft", "soon", 0 },
        { "per_token", "overhead", "1ms", 1 },
        { "per_token", "per_token", "50us", 1 },
        { "per_token", "kv_transfer_per_token", "0.5us", 1 },
        { "capacity", "capacity", "4", 1 },
        { "capacity", "capacity", "0", 0 },
        { "capacity", "jitter", "0.01", 1 },
        { "profile", "cpu_overhead", "on", 1 },
        { "profile", "cpu_overhead", "yes", 0 },
        { "none", "ttft", "1ms", 0 }
    };

    (void) state;

    for (i = 0; i < vm_nelts(times); i++) {
        t = -1;

        if (vm_latency_time(times[i].text, &t) != VM_OK) {
            t = -1;
        }

        assert_int_equal(t, times[i].ns);
    }

    for (i = 0; i < vm_nelts(sets); i++) {
        memset(&l, 0, sizeof(l));
        assert_int_equal(vm_latency_model(&l, sets[i].model, err,
                                          sizeof(err)), VM_OK);
        err[0] = '\0';
        assert_int_equal(vm_latency_set(&l, sets[i].key, sets[i].value, err,
                                        sizeof(err)),
                         sets[i].ok ? VM_OK : VM_ERROR);

        if (!sets[i].ok) {
            assert_non_null(strstr(err, sets[i].key));
        }
    }

    assert_int_equal(vm_latency_model(&l, "fast", err, sizeof(err)),
                     VM_ERROR);
    assert_non_null(strstr(err, "fast"));
    assert_non_null(strstr(err, "per_token"));
}


/* Times of one request: its first token, its last. */

static void
times_of(vm_engine_conf_t *conf, uint32_t prompt, uint32_t output,
    uint32_t others, vm_time_t *first, vm_time_t *last)
{
    void                 *mem;
    size_t                n;
    uint32_t              i;
    vm_handle_t           h;
    vm_event_t            v[64];
    vm_engine_t          *e;
    vm_engine_seq_t       q;
    vm_engine_request_t   r;

    assert_null(vm_engine_check(conf));
    mem = NULL;
    assert_int_equal(posix_memalign(&mem, 64, vm_engine_footprint(conf)), 0);
    e = vm_engine_init(mem, conf);

    for (i = 0; i <= others; i++) {
        memset(&q, 0, sizeof(q));
        memset(&r, 0, sizeof(r));
        q.cookie = i;
        q.eos_at = VM_NEVER;
        q.string_at = VM_NEVER;
        r.prompt_tokens = prompt;
        r.max_tokens = output;
        r.n = 1;
        r.seqs = &q;
        assert_int_equal(vm_engine_submit(e, &r, &h, 0), VM_OK);
    }

    vm_engine_advance(e, 1000 * VM_NSEC);
    *first = -1;

    do {
        n = vm_engine_collect(e, 0, v, 64);

        for (i = 0; i < n; i++) {
            if (v[i].cookie == others) {
                *first = *first < 0 ? v[i].due : *first;
                *last = v[i].due;
            }
        }
    } while (n == 64);

    free(e);
}


static void
model(vm_engine_conf_t *c, const char *name, const char *const *pairs)
{
    char  err[256];

    vm_engine_defaults(c);
    assert_int_equal(vm_latency_model(&c->latency, name, err, sizeof(err)),
                     VM_OK);

    for ( /* void */ ; pairs && *pairs; pairs += 2) {
        assert_int_equal(vm_latency_set(&c->latency, pairs[0], pairs[1], err,
                                        sizeof(err)), VM_OK);
    }
}


static void
test_times(void **state)
{
    vm_time_t         a, b;
    vm_engine_conf_t  c;

    static const char *const  constant[] = {
        "ttft", "20ms", "itl", "2ms", "load_factor", "2", NULL
    };
    static const char *const  per_token[] = {
        "overhead", "5ms", "per_token", "10us", "itl", "1ms", NULL
    };
    static const char *const  capacity[] = { "jitter", "0", NULL };
    static const char *const  fixed[] = { "duration", "0.5", NULL };

    (void) state;

    model(&c, "constant", constant);
    c.max_num_seqs = 4;
    times_of(&c, 10, 3, 0, &a, &b);
    assert_int_equal(a, 25 * VM_MSEC);          /* load 1/4: x 1.25 */
    assert_int_equal(b, 30 * VM_MSEC);

    times_of(&c, 10, 3, 1, &a, &b);
    assert_int_equal(a, 30 * VM_MSEC);          /* 2/4: x 1.5 */

    /* the fifth waits for a place */

    times_of(&c, 10, 3, 4, &a, &b);
    assert_true(a > 60 * VM_MSEC);

    model(&c, "per_token", per_token);
    times_of(&c, 100, 3, 0, &a, &b);
    assert_int_equal(a, 6 * VM_MSEC);
    assert_int_equal(b, 8 * VM_MSEC);

    c.time_scale = 0.5;
    times_of(&c, 100, 3, 0, &a, &b);
    assert_int_equal(a, 3 * VM_MSEC);
    assert_int_equal(b, 4 * VM_MSEC);

    /* 50 + 20 x 1 + 2 x 10 = 90 ms; first at 30 + 20 */

    model(&c, "capacity", capacity);
    times_of(&c, 1000, 10, 0, &a, &b);
    assert_int_equal(a, 50 * VM_MSEC);
    assert_in_range(b, 90 * VM_MSEC - 10, 90 * VM_MSEC);

    /* one above capacity: 80 ms more, 50/90 of them before the first token */

    times_of(&c, 1000, 10, 1, &a, &b);
    assert_in_range(a, 94444444, 94444445);
    assert_in_range(b, 170 * VM_MSEC - 10, 170 * VM_MSEC);

    model(&c, "capacity", fixed);
    times_of(&c, 1000, 10, 3, &a, &b);
    assert_int_equal(a, 30 * VM_MSEC);
    assert_in_range(b, 500 * VM_MSEC - 10, 500 * VM_MSEC);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_times)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
