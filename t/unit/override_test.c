/*
 * Overrides: names, functions of time, and that a bad request changes nothing.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../../src/metrics/override.h"


#define NOW  1000.0


static int
merge(vm_overrides_t *o, const char *json, double now, char *err, size_t size)
{
    int      rc;
    json_t  *j;

    j = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(j);

    err[0] = '\0';
    rc = vm_overrides_merge(o, j, now, err, size);
    json_decref(j);

    return rc;
}


static void
accept(vm_overrides_t *o, const char *json, double now)
{
    char  err[512];

    if (merge(o, json, now, err, sizeof(err)) != VM_OK) {
        fail_msg("%s: %s", json, err);
    }
}


/* Refused, nothing is changed, and the message has these words. */

static void
refuse(vm_overrides_t *o, const char *json, const char *words)
{
    char            err[512];
    vm_overrides_t  before;

    before = *o;

    if (merge(o, json, NOW, err, sizeof(err)) == VM_OK) {
        fail_msg("%s: accepted", json);
    }

    assert_memory_equal(&before, o, sizeof(before));

    if (strstr(err, words) == NULL) {
        fail_msg("%s: \"%s\" has no \"%s\"", json, err, words);
    }
}


static double
value(const vm_overrides_t *o, const char *name, uint32_t replicas, double now)
{
    double    v;
    uint32_t  metric;

    metric = vm_override_metric(name, strlen(name));
    assert_int_not_equal(metric, VM_NEVER);

    if (!vm_override_value(o, metric, replicas, now, &v)) {
        fail_msg("%s is not overridden", name);
    }

    return v;
}


static void
close_to(double a, double b)
{
    if (!(a - b < 1e-9 && b - a < 1e-9)) {
        fail_msg("%.17g is not %.17g", a, b);
    }
}


static void
test_names(void **state)
{
    size_t  i;

    static const char *const  same[][2] = {
        { "success_total", "vllm:request_success_total" },
        { "success_total",
          "vllm:request_success_total{finished_reason=\"stop\"}" },
        { "avg_prompt_throughput", "vllm:avg_prompt_throughput_toks_per_s" },
        { "avg_generation_throughput",
          "avg_generation_throughput_toks_per_s" },
        { "prompt_tokens_total", "vllm:prompt_tokens_total" },
        { "generation_tokens_total", "vllm:generation_tokens_total" },
        { "running", "vllm:num_requests_running" },
        { "waiting", "num_requests_waiting" },
        { "swapped", "vllm:num_requests_swapped" },
        { "gpu_cache_usage_perc", "vllm:gpu_cache_usage_perc" },
        { "kv_cache_usage_perc", "vllm:kv_cache_usage_perc" },
        { "cpu_cache_usage_perc", "vllm:cpu_cache_usage_perc" },
        { "num_requests_waiting_by_reason{reason=\"capacity\"}",
          "vllm:num_requests_waiting_by_reason" },
        { "e2e_request_latency_seconds_sum",
          "vllm:e2e_request_latency_seconds_sum" }
    };

    static const char *const  none[] = {
        "", "vllm:", "vllm:total", "vllm:running", "nope", "Running",
        "time_to_first_token_seconds", "time_to_first_token_seconds_bucket",
        "cache_config_info", "lora_requests_info", "prompt_tokens",
        "prompt_tokens_created", "request_success_total{}",
        "request_success_total{finished_reason=\"nope\"}",
        "num_requests_running{engine=\"0\"}", "num_requests_running_count",
        "python_info"
    };

    (void) state;

    for (i = 0; i < vm_nelts(same); i++) {
        assert_int_not_equal(vm_override_metric(same[i][0],
                                                strlen(same[i][0])),
                             VM_NEVER);
        assert_int_equal(vm_override_metric(same[i][0], strlen(same[i][0])),
                         vm_override_metric(same[i][1], strlen(same[i][1])));
    }

    for (i = 0; i < vm_nelts(none); i++) {
        assert_int_equal(vm_override_metric(none[i], strlen(none[i])),
                         VM_NEVER);
    }

    assert_int_not_equal(vm_override_metric("total", 5), VM_NEVER);
    assert_int_not_equal(vm_override_metric("server_load", 11), VM_NEVER);
    assert_int_not_equal(vm_override_metric("cpu_running", 11), VM_NEVER);
    assert_int_not_equal(
        vm_override_metric("e2e_request_latency_seconds_sum", 31),
        vm_override_metric("e2e_request_latency_seconds_count", 33));
}


static void
test_merge(void **state)
{
    double          v;
    vm_overrides_t  o;

    (void) state;
    memset(&o, 0, sizeof(o));

    accept(&o, "{\"running\": 3, \"waiting\": 4.5}", NOW);
    accept(&o, "{\"vllm:num_requests_waiting\": 5, \"swapped\": -1}", NOW);
    assert_int_equal(o.n, 3);
    close_to(value(&o, "running", 1, NOW), 3);
    close_to(value(&o, "waiting", 1, NOW), 5);
    close_to(value(&o, "swapped", 1, NOW), -1);

    accept(&o, "{\"running\": null, \"total\": null}", NOW);
    assert_int_equal(o.n, 2);
    assert_false(vm_override_value(&o, vm_override_metric("running", 7), 1,
                                   NOW, &v));
    close_to(value(&o, "waiting", 1, NOW), 5);
    close_to(value(&o, "swapped", 1, NOW), -1);

    accept(&o, "{}", NOW);
    assert_int_equal(o.n, 2);

    accept(&o, "{\"model_name\": \"m\"}", NOW);
    assert_string_equal(o.model_name, "m");
    accept(&o, "{\"model_name\": null}", NOW);
    assert_string_equal(o.model_name, "");

    assert_false(vm_override_server_load(&o, 1, NOW, &v));
    accept(&o, "{\"server_load\": 7}", NOW);
    assert_true(vm_override_server_load(&o, 1, NOW, &v));
    close_to(v, 7);
}


static void
test_refused(void **state)
{
    size_t          i;
    vm_overrides_t  o;

    static const struct {
        const char  *json;
        const char  *words;
    } bad[] = {
        { "[]", "object" },
        { "3", "object" },
        { "{\"nope\": 1}", "unknown metric \"nope\"" },
        { "{\"vllm:nope\": 1}", "\"vllm:nope\"" },
        { "{\"running\": true}", "\"running\"" },
        { "{\"running\": \"75\"}", "oscillate:lo:hi:period" },
        { "{\"running\": \"\"}", "\"running\"" },
        { "{\"running\": \"ramp:1:2:3\\u0000\"}", "\"running\"" },
        { "{\"running\": []}", "\"running\"" },
        { "{\"running\": {}}", "\"running\"" },
        { "{\"running\": {\"total\": \"1\"}}", "\"running\"" },
        { "{\"running\": {\"total\": 1, \"x\": 2}}", "\"running\"" },
        { "{\"running\": \"oscillate:1:2\"}", "\"running\"" },
        { "{\"running\": \"oscillate:1:2:0\"}", "\"running\"" },
        { "{\"running\": \"oscillate:1:2:-5\"}", "\"running\"" },
        { "{\"running\": \"oscillate:1:2:3:4\"}", "\"running\"" },
        { "{\"running\": \"oscillate::2:3\"}", "\"running\"" },
        { "{\"running\": \"oscillate:nan:2:3\"}", "\"running\"" },
        { "{\"running\": \"ramp:inf:2:3\"}", "\"running\"" },
        { "{\"running\": \"ramp:0x10:2:3\"}", "\"running\"" },
        { "{\"running\": \"ramp:1e999:2:3\"}", "\"running\"" },
        { "{\"running\": \"ramp: 1:2:3\"}", "\"running\"" },
        { "{\"running\": \"sine:1:2:3\"}", "\"running\"" },
        { "{\"running\": \"rate:\"}", "\"running\"" },
        { "{\"running\": \"rate:-1\"}", "negative" },
        { "{\"prompt_tokens_total\": -1}", "negative" },
        { "{\"prompt_tokens_total\": \"ramp:5:-5:1\"}", "negative" },
        { "{\"total\": -1}", "negative" },
        { "{\"total\": {\"total\": 100}}", "\"total\"" },
        { "{\"time_to_first_token_seconds\": 1}", "_count" },
        { "{\"vllm:cache_config_info\": 1}", "cannot be overridden" },
        { "{\"time_to_first_token_seconds\": [-1]}", "whole numbers" },
        { "{\"time_to_first_token_seconds\": [1.5]}", "whole numbers" },
        { "{\"inter_token_latency_seconds\": [0,0,0,0,0,0,0,0,0,0,0,0,0,0,"
          "0,0,0,0,0,0,0]}", "up to 20 counts" },
        { "{\"inter_token_latency_seconds\": {\"buckets\": {\"0.33\": 1}}}",
          "le=\"0.33\"" },
        { "{\"inter_token_latency_seconds\": {\"buckets\": {\"0.1\": 5, "
          "\"+Inf\": 4}}}", "cannot fall" },
        { "{\"inter_token_latency_seconds\": {\"observations\": [-1]}}",
          "at least 0" },
        { "{\"inter_token_latency_seconds\": {\"observations\": [1], "
          "\"buckets\": [1]}}", "is expected" },
        { "{\"loras\": [{\"running\": 5}]}", "\"loras\"" },
        { "{\"loras\": {\"running\": \"a\", \"x\": 1}}", "\"loras\"" },
        { "{\"loras\": [{}, {}, {}, {}, {}, {}, {}, {}, {}]}", "8 series" },
        { "{\"request_success_total\": {\"stop\": 1, \"nope\": 2}}",
          "finished_reason=\"nope\"" },
        { "{\"model_name\": 5}", "\"model_name\"" },
        { "{\"model_name\": \"\"}", "\"model_name\"" },
        { "{\"model_name\": \"a\\nb\"}", "\"model_name\"" },
        { "{\"model_name\": \"a\\u0000b\"}", "\"model_name\"" },
        /* all or nothing */
        { "{\"swapped\": 9, \"running\": null, \"nope\": 1}", "\"nope\"" },
        { "{\"nope\": 1, \"swapped\": 9, \"model_name\": \"x\"}", "\"nope\"" }
    };

    (void) state;
    memset(&o, 0, sizeof(o));

    accept(&o, "{\"running\": 3, \"model_name\": \"m\"}", NOW);

    for (i = 0; i < vm_nelts(bad); i++) {
        refuse(&o, bad[i].json, bad[i].words);
    }
}


/* A long key is cut at a character, and small buffers are enough. */

static void
test_messages(void **state)
{
    char            json[600], err[512], small[16];
    json_t         *text;
    size_t          i, n;
    vm_overrides_t  o;

    (void) state;
    memset(&o, 0, sizeof(o));

    for (n = 60; n < 68; n++) {
        memset(json, 'x', sizeof(json));
        json[0] = '{';
        json[1] = '"';

        for (i = 2 + n; i < 500; i += 3) {
            memcpy(json + i, "\xe6\x97\xa5", 3);
        }

        memcpy(json + i, "\": 1}", 6);

        assert_int_equal(merge(&o, json, NOW, err, sizeof(err)), VM_ERROR);
        text = json_string(err);        /* NULL if it is not UTF-8 */
        assert_non_null(text);
        json_decref(text);
        assert_true(strlen(err) < 400);
        assert_int_equal(merge(&o, json, NOW, small, sizeof(small)), VM_ERROR);
        assert_true(strlen(small) < sizeof(small));
    }
}


static void
test_functions(void **state)
{
    size_t          i;
    vm_overrides_t  o;

    static const struct {
        const char  *json;
        double       seconds;
        double       value;
    } cases[] = {
        { "{\"running\": {\"total\": 200}}", 0, 40 },
        { "{\"running\": \"total:200\"}", 0, 40 },
        { "{\"running\": {\"total\": \"ramp:0:50:10\"}}", 5, 5 },
        { "{\"running\": \"total:ramp:0:50:10\"}", 20, 10 },
        { "{\"running\": \"oscillate:2:6:8\"}", 0, 2 },
        { "{\"running\": \"oscillate:2:6:8\"}", 2, 4 },
        { "{\"running\": \"oscillate:2:6:8\"}", 4, 6 },
        { "{\"running\": \"oscillate:2:6:8s\"}", 804, 6 },
        { "{\"running\": \"ramp:10:0:1m\"}", 0, 10 },
        { "{\"running\": \"ramp:10:0:1m\"}", 30, 5 },
        { "{\"running\": \"ramp:10:0:1m\"}", 61, 0 },
        { "{\"running\": \"ramp:10:0:1m\"}", -5, 10 },
        { "{\"running\": \"rampreset:0:10:500ms\"}", 0.25, 5 },
        { "{\"running\": \"rampreset:0:10:500ms\"}", 0.5, 0 },
        { "{\"running\": \"rampreset:0:10:0.5\"}", 1.125, 2.5 },
        { "{\"running\": \"squarewave:1:9:1h\"}", 0, 1 },
        { "{\"running\": \"squarewave:1:9:1h\"}", 1800, 9 },
        { "{\"running\": \"squarewave:1:9:1h\"}", 3600, 1 },
        { "{\"running\": \"squarewave:-1.5:+9:2e1\"}", 3, -1.5 },
        { "{\"running\": \"rate:2.5\"}", 4, 10 },
        { "{\"running\": \"rate:2.5\"}", -4, 0 }
    };

    (void) state;

    for (i = 0; i < vm_nelts(cases); i++) {
        memset(&o, 0, sizeof(o));
        accept(&o, cases[i].json, NOW);
        close_to(value(&o, "running", 5, NOW + cases[i].seconds),
                 cases[i].value);
    }

    /* no replicas count as one */

    accept(&o, "{\"running\": {\"total\": 200}}", NOW);
    close_to(value(&o, "running", 0, NOW), 200);
}


/* A counter that grows does not fall when its rate is changed. */

static void
test_rate(void **state)
{
    vm_overrides_t  o;

    (void) state;
    memset(&o, 0, sizeof(o));

    accept(&o, "{\"prompt_tokens_total\": 50}", NOW);
    accept(&o, "{\"prompt_tokens_total\": \"rate:10\"}", NOW + 1);
    close_to(value(&o, "prompt_tokens_total", 1, NOW + 1), 50);
    close_to(value(&o, "prompt_tokens_total", 1, NOW + 2), 60);
    accept(&o, "{\"prompt_tokens_total\": \"rate:1\"}", NOW + 3);
    close_to(value(&o, "prompt_tokens_total", 1, NOW + 3), 70);
    close_to(value(&o, "prompt_tokens_total", 1, NOW + 13), 80);
}


static void
test_full(void **state)
{
    char            err[200], json[100];
    size_t          i, k;
    vm_overrides_t  o;

    static const char *const  names[] = {
        "request_prompt_tokens", "request_generation_tokens",
        "iteration_tokens_total", "request_max_num_generation_tokens",
        "request_params_n", "request_params_max_tokens",
        "time_to_first_token_seconds", "inter_token_latency_seconds",
        "request_time_per_output_token_seconds",
        "e2e_request_latency_seconds", "request_queue_time_seconds",
        "request_inference_time_seconds", "request_prefill_time_seconds",
        "request_decode_time_seconds", "request_num_preemptions",
        "request_prefill_kv_computed_tokens", "time_per_output_token_seconds"
    };

    static const char *const  more[] = {
        "num_requests_running", "num_requests_waiting", "kv_cache_usage_perc",
        "prefix_cache_queries_total", "prefix_cache_hits_total",
        "external_prefix_cache_queries_total",
        "external_prefix_cache_hits_total", "mm_cache_queries_total",
        "mm_cache_hits_total", "num_preemptions_total", "prompt_tokens_total",
        "prompt_tokens_cached_total", "generation_tokens_total",
        "request_success_total", "gpu_cache_usage_perc",
        "cpu_cache_usage_perc", "num_requests_swapped",
        "gpu_prefix_cache_queries_total", "gpu_prefix_cache_hits_total",
        "gpu_prefix_cache_hit_rate", "cpu_prefix_cache_hit_rate",
        "avg_prompt_throughput_toks_per_s",
        "avg_generation_throughput_toks_per_s", "total", "server_load",
        "cpu_running", "estimated_flops_per_gpu_total",
        "estimated_read_bytes_per_gpu_total",
        "estimated_write_bytes_per_gpu_total",
        "admission_rejections_total"
    };

    (void) state;
    memset(&o, 0, sizeof(o));

    for (i = 0; i < vm_nelts(names); i++) {
        for (k = 0; k < 2; k++) {
            snprintf(json, sizeof(json), "{\"%s%s\": 1}", names[i],
                     k ? "_sum" : "_count");
            accept(&o, json, NOW);
        }
    }

    for (i = 0; i < vm_nelts(more); i++) {
        snprintf(json, sizeof(json), "{\"%s\": 1}", more[i]);
        accept(&o, json, NOW);
    }

    assert_int_equal(o.n, VM_OVERRIDES);

    assert_int_equal(merge(&o, "{\"engine_sleep_state\": 1}", NOW, err,
                           sizeof(err)), VM_ERROR);
    assert_non_null(strstr(err, "64"));
    accept(&o, "{\"running\": 2}", NOW);
    accept(&o, "{\"engine_sleep_state\": null}", NOW);
}


/* As a directive writes it. */

static void
test_set(void **state)
{
    char            err[512];
    vm_overrides_t  o;

    (void) state;
    memset(&o, 0, sizeof(o));

    assert_int_equal(vm_overrides_set(&o, "running", "12.5", NOW, err,
                                      sizeof(err)), VM_OK);
    close_to(value(&o, "running", 1, NOW), 12.5);

    assert_int_equal(vm_overrides_set(&o, "running", "ramp:0:10:10", NOW, err,
                                      sizeof(err)), VM_OK);
    close_to(value(&o, "running", 1, NOW + 5), 5);

    assert_int_equal(vm_overrides_set(&o, "model_name", "m-1", NOW, err,
                                      sizeof(err)), VM_OK);
    assert_string_equal(o.model_name, "m-1");

    assert_int_equal(vm_overrides_set(&o, "running", "many", NOW, err,
                                      sizeof(err)), VM_ERROR);
    assert_non_null(strstr(err, "\"running\""));

    assert_int_equal(vm_overrides_set(&o, "nope", "1", NOW, err, sizeof(err)),
                     VM_ERROR);
    assert_non_null(strstr(err, "\"nope\""));

    assert_int_equal(o.n, 1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_set)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
