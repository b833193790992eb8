/*
 * The text of /metrics: against the recordings of a real server, and in the
 * modes that only a stand-in has.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <math.h>
#include <cmocka.h>
#include "../../src/metrics/metrics.h"


#define RANKS    3
#define CREATED  1795508885.5
#define NOW      1795508995.5


static vm_stats_t       ranks[RANKS];
static vm_http_stats_t  http;
static vm_self_stats_t  self;
static vm_overrides_t   overrides;

static const vm_lora_name_t  lora_names[] = {
    { 0, vm_str("") }, { 1, vm_str("fixed") }, { 2, vm_str("other") },
    { 3, vm_str("quo\"te\\\n") }
};

static vm_str_t        handlers[VM_HTTP_HANDLERS] = {
    vm_str("/v1/completions"), vm_str("none")
};

static const vm_str_t  methods[] = { vm_str("GET"), vm_str("POST") };


/* A server that was just started, as recorded. */

static void
fresh(vm_scrape_t *s)
{
    size_t  i;

    for (i = 0; i < RANKS; i++) {
        vm_stats_init(&ranks[i], 2048);
        ranks[i].num_gpu_blocks = 8192;
        ranks[i].block_size = 128;
    }

    vm_http_stats_init(&http);

    memset(&overrides, 0, sizeof(vm_overrides_t));
    memset(&self, 0, sizeof(vm_self_stats_t));
    vm_hist_init(&self.token_lateness, VM_HIST_LATENESS, 0);
    vm_hist_init(&self.event_loop_lag, VM_HIST_LATENESS, 0);

    *s = (vm_scrape_t) {
        .model_name = vm_str("llama2-7b"),
        .now = NOW,
        .created = CREATED,
        .nranks = 1,
        .ranks = ranks,
        .cache = {
            .enable_prefix_caching = vm_str("True"),
            .gpu_memory_utilization = vm_str("0.92"),
            .block_size = 128,
            .num_gpu_blocks = 8192,
            .max_model_len = 2048
        },
        .lora_names = lora_names,
        .nlora_names = vm_nelts(lora_names),
        .http = &http,
        .handlers = handlers,
        .methods = methods,
        .virtual_bytes = 4635746304,
        .resident_bytes = 980045824,
        .start_time = 1795508822.93,
        .cpu_seconds = 10.54,
        .open_fds = 35,
        .max_fds = 20000,
        .replicas = 1,
        .replica_source_up = -1
    };
}


static char *
render(const vm_scrape_t *s)
{
    vm_buf_t  b;

    vm_buf_init(&b);
    assert_int_equal(vm_metrics_render(&b, s), VM_OK);
    vm_buf_char(&b, '\0');
    assert_false(b.failed);

    return b.data;
}


static int
has_line(const char *text, const char *line)
{
    size_t       n;
    const char  *p;

    n = strlen(line);

    for (p = strstr(text, line); p; p = strstr(p + 1, line)) {
        if ((p == text || p[-1] == '\n') && p[n] == '\n') {
            return 1;
        }
    }

    return 0;
}


static void
assert_line(const char *text, const char *line)
{
    if (!has_line(text, line)) {
        fail_msg("no line %s", line);
    }
}


/* Values of times and of the process are not compared, the rest is. */

static int
same_line(const char *a, const char *b)
{
    const char  *x, *y;

    if (strcmp(a, b) == 0) {
        return 1;
    }

    x = strrchr(a, ' ');
    y = strrchr(b, ' ');

    return a[0] != '#' && x && y && x - a == y - b
           && memcmp(a, b, (size_t) (x - a)) == 0
           && (strstr(a, "_created") || strncmp(a, "process_", 8) == 0
               || strncmp(a, "python_", 7) == 0);
}


static void
compare(const vm_scrape_t *s, const char *path)
{
    char    *text, *line, *save;
    char     expected[8192];
    FILE    *f;

    text = render(s);
    line = strtok_r(text, "\n", &save);

    f = fopen(path, "r");
    assert_non_null(f);

    while (fgets(expected, sizeof(expected), f)) {
        expected[strcspn(expected, "\n")] = '\0';

        if (line == NULL || !same_line(expected, line)) {
            fail_msg("%s: %s, not %s", path, line ? line : "nothing",
                     expected);
        }

        line = strtok_r(NULL, "\n", &save);
    }

    assert_null(line);

    fclose(f);
    free(text);
}


static void
test_recordings(void **state)
{
    vm_scrape_t  s;

    (void) state;

    fresh(&s);
    compare(&s, "t/golden/metrics/fresh.txt");

    s.max_loras = 2;
    compare(&s, "t/golden/metrics/fresh-lora.txt");
}


static void
test_parser(void **state)
{
    char              *text;
    vm_scrape_t        s;
    vm_parser_stats_t  parser;

    (void) state;

    fresh(&s);
    text = render(&s);
    assert_null(strstr(text, "tool_call_parser"));
    free(text);

    memset(&parser, 0, sizeof(parser));
    parser.n[VM_PARSER_STREAMED][VM_PARSER_NO_CALL][VM_PARSER_CHAT] = 7;
    s.parser = &parser;
    text = render(&s);
    assert_line(text, "vllm:tool_call_parser_invocations_total{mode="
                      "\"streaming\",model_name=\"llama2-7b\",outcome="
                      "\"no_tool_call\",request_type=\"chat_completions\"} "
                      "7.0");
    assert_line(text, "vllm:tool_call_parser_invocations_total{mode="
                      "\"non_streaming\",model_name=\"llama2-7b\",outcome="
                      "\"tool_call\",request_type=\"other\"} 0.0");
    assert_line(text, "# TYPE vllm:tool_call_parser_invocations_created "
                      "gauge");
    free(text);
}


static void
test_floats(void **state)
{
    size_t    i;
    vm_buf_t  b;

    static const struct {
        double       value;
        const char  *text;
    } floats[] = {
        { 0, "0.0" }, { 3, "3.0" }, { 0.25, "0.25" }, { -2, "-2.0" },
        { 999999, "999999.0" }, { 1000000, "1e+06" }, { 12e6, "1.2e+07" },
        { 1234567, "1.234567e+06" }, { 1234567.5, "1.2345675e+06" },
        { 12345678901.0, "1.2345678901e+010" }, { 1e16, "1e+16" },
        { 1e-5, "1e-05" }, { 0.0001, "0.0001" }, { 0.1, "0.1" },
        { 1784853600.123, "1.784853600123e+09" }, { -1e6, "-1000000.0" },
        { 10.540000000000001, "10.540000000000001" }, { -0.0, "-0.0" },
        { 4635746304.0, "4.635746304e+09" }, { INFINITY, "+Inf" },
        { -INFINITY, "-Inf" }, { NAN, "NaN" }
    };

    (void) state;

    vm_buf_init(&b);

    for (i = 0; i < vm_nelts(floats); i++) {
        vm_buf_reset(&b);
        vm_buf_lit(&b, "x ");           /* what is there stays */
        vm_metrics_float(&b, floats[i].value);
        vm_buf_char(&b, '\0');
        assert_string_equal(b.data + 2, floats[i].text);
    }

    vm_buf_free(&b);
}


static void
test_values(void **state)
{
    char         *text;
    vm_scrape_t   s;

    (void) state;

    fresh(&s);

    ranks[0].running = 3;
    ranks[0].waiting = 7;
    ranks[0].deferred = 2;
    ranks[0].used_blocks = 4096;
    ranks[0].num_gpu_blocks = 8193;
    ranks[0].prompt_tokens = 100;
    ranks[0].prompt_computed = 30;
    ranks[0].prompt_cached = 60;
    ranks[0].prompt_external = 10;
    ranks[0].finished[VM_FINISH_STOP] = 4;
    ranks[0].finished[VM_FINISH_REPETITION] = 1;
    ranks[0].rejected_tokens = 9;

    vm_hist_observe(&ranks[0].time_to_first_token, 0.001, 1);
    vm_hist_observe(&ranks[0].time_to_first_token, 0.5, 2);
    vm_hist_observe(&ranks[0].time_to_first_token, 9000, 1);

    s.asleep = 1;
    s.sleep_level = 2;

    text = render(&s);

#define M  "model_name=\"llama2-7b\""
#define E  "engine=\"0\"," M

    assert_line(text, "vllm:num_requests_running{" E "} 3.0");
    assert_line(text, "vllm:num_requests_waiting{" E "} 7.0");
    assert_line(text, "vllm:num_requests_waiting_by_reason{" E
                      ",reason=\"capacity\"} 5.0");
    assert_line(text, "vllm:num_requests_waiting_by_reason{" E
                      ",reason=\"deferred\"} 2.0");
    assert_line(text, "vllm:kv_cache_usage_perc{" E "} 0.5");
    assert_line(text, "vllm:engine_sleep_state{" E
                      ",sleep_state=\"awake\"} 0.0");
    assert_line(text, "vllm:engine_sleep_state{" E
                      ",sleep_state=\"weights_offloaded\"} 0.0");
    assert_line(text, "vllm:engine_sleep_state{" E
                      ",sleep_state=\"discard_all\"} 1.0");
    assert_line(text, "vllm:prompt_tokens_by_source_total{" E
                      ",source=\"local_cache_hit\"} 60.0");
    assert_line(text, "vllm:prompt_tokens_cached_total{" E "} 70.0");
    assert_line(text, "vllm:prompt_tokens_cached_by_source_total{" E
                      ",source=\"device\"} 60.0");
    assert_line(text, "vllm:prompt_tokens_cached_by_source_total{" E
                      ",source=\"external_unspecified\"} 10.0");
    assert_line(text, "vllm:request_success_total{engine=\"0\","
                      "finished_reason=\"repetition\"," M "} 1.0");
    assert_line(text, "vllm:admission_rejections_total{" M
                      ",reason=\"max_num_queued_tokens\"} 9.0");
    assert_line(text, "vllm:prompt_tokens_created{" E "} 1.7955088855e+09");

#define B(le)  "vllm:time_to_first_token_seconds_bucket{engine=\"0\",le=\"" le \
               "\"," M "} "

    assert_line(text, B("0.001") "1.0");
    assert_line(text, B("0.25") "1.0");
    assert_line(text, B("0.5") "3.0");
    assert_line(text, B("2560.0") "3.0");
    assert_line(text, B("+Inf") "4.0");
    assert_line(text, "vllm:time_to_first_token_seconds_count{" E "} 4.0");
    assert_line(text, "vllm:time_to_first_token_seconds_sum{" E
                      "} 9001.001");

    free(text);

    /* level 0 pauses the engine: no state is shown */

    s.sleep_level = 0;
    text = render(&s);
    assert_line(text, "vllm:engine_sleep_state{" E
                      ",sleep_state=\"awake\"} 0.0");
    assert_line(text, "vllm:engine_sleep_state{" E
                      ",sleep_state=\"discard_all\"} 0.0");
    free(text);
}


static void
test_scaled(void **state)
{
    char         *text, line[400];
    size_t        i;
    vm_scrape_t   s;

    static const struct {
        uint32_t     replicas;
        const char  *value;
    } counts[] = {
        { 1, "100.0" }, { 5, "20.0" }, { 0, "100.0" },
        { 3, "33.333333333333336" }
    };

    (void) state;

    for (i = 0; i < vm_nelts(counts); i++) {
        fresh(&s);
        s.scaled = 1;
        s.legacy = 1;
        s.replicas = counts[i].replicas;
        ranks[0].finished[VM_FINISH_STOP] = 12345;
        ranks[0].finished[VM_FINISH_LENGTH] = 4;

        text = render(&s);

        snprintf(line, sizeof(line), "# HELP vllm:request_success_total Count "
                 "of successfully processed requests.\n"
                 "# TYPE vllm:request_success_total counter\n"
                 "vllm:request_success_total{finished_reason=\"stop\"," M
                 "} %s", counts[i].value);
        assert_line(text, line);

        snprintf(line, sizeof(line), "# HELP "
                 "vllm:avg_prompt_throughput_toks_per_s "
                 "Average prefill throughput in tokens/s.\n"
                 "# TYPE vllm:avg_prompt_throughput_toks_per_s gauge\n"
                 "vllm:avg_prompt_throughput_toks_per_s{" M "} %s",
                 counts[i].value);
        assert_line(text, line);

        snprintf(line, sizeof(line), "# HELP "
                 "vllm:avg_generation_throughput_toks_per_s "
                 "Average generation throughput in tokens/s.\n"
                 "# TYPE vllm:avg_generation_throughput_toks_per_s gauge\n"
                 "vllm:avg_generation_throughput_toks_per_s{" M "} %s",
                 counts[i].value);
        assert_line(text, line);

        /* the rest comes from traffic, and no label tells engines apart */

        assert_line(text, "vllm:request_success_total{finished_reason="
                          "\"length\"," M "} 4.0");
        assert_null(strstr(text, "engine="));

        free(text);
    }

    s.legacy = 0;
    text = render(&s);
    assert_non_null(strstr(text, "vllm:avg_prompt_throughput_toks_per_s"));
    assert_null(strstr(text, "vllm:gpu_cache_usage_perc"));
    free(text);
}


static void
test_legacy(void **state)
{
    char         *text;
    vm_scrape_t   s;

    (void) state;

    fresh(&s);
    s.legacy = 1;
    s.prompt_rate = 12.5;
    ranks[0].used_blocks = 8191;
    ranks[0].prefix_queries = 10;
    ranks[0].prefix_hits = 5;
    vm_hist_observe(&ranks[0].inter_token_latency, 0.02, 3);

    text = render(&s);

    assert_line(text, "vllm:gpu_cache_usage_perc{" E "} 1.0");
    assert_line(text, "vllm:cpu_cache_usage_perc{" M "} 0.0");
    assert_line(text, "vllm:num_requests_swapped{" M "} 0.0");
    assert_line(text, "vllm:gpu_prefix_cache_queries_total{" E "} 10.0");
    assert_line(text, "vllm:gpu_prefix_cache_hits_total{" E "} 5.0");
    assert_line(text, "vllm:gpu_prefix_cache_hit_rate{" M "} 0.5");
    assert_line(text, "vllm:time_per_output_token_seconds_count{" E "} 3.0");
    assert_line(text, "vllm:avg_prompt_throughput_toks_per_s{" M "} 12.5");
    assert_line(text, "vllm:avg_generation_throughput_toks_per_s{" M "} 0.0");

    free(text);
}


static void
test_ranks(void **state)
{
    char         *text;
    vm_scrape_t   s;

    (void) state;

    fresh(&s);
    s.nranks = RANKS;
    s.legacy = 1;
    ranks[0].running = 1;
    ranks[1].running = 2;
    ranks[2].running = 4;
    ranks[1].rejected = 1;
    ranks[2].rejected = 2;
    ranks[1].prefix_queries = 4;
    ranks[1].prefix_hits = 1;

    text = render(&s);

    assert_line(text, "vllm:num_requests_running{engine=\"0\"," M "} 1.0\n"
                      "vllm:num_requests_running{engine=\"1\"," M "} 2.0\n"
                      "vllm:num_requests_running{engine=\"2\"," M "} 4.0");
    assert_line(text, "vllm:admission_rejections_total{" M
                      ",reason=\"max_num_queued_reqs\"} 3.0");
    assert_line(text, "vllm:gpu_prefix_cache_hit_rate{" M "} 0.25");
    assert_non_null(strstr(text, ",engine=\"2\",gpu_memory_utilization="));

    free(text);

    /* the sum where there is no label */

    s.scaled = 1;
    text = render(&s);
    assert_line(text, "vllm:num_requests_running{" M "} 7.0");
    assert_null(strstr(text, "engine="));
    free(text);
}


static void
set_lora(vm_lora_set_t *set, uint32_t n, uint32_t a, uint32_t b, int64_t sec)
{
    set->n = n;
    set->ids[0] = a;
    set->ids[1] = b;
    set->at = sec * VM_NSEC + VM_NSEC / 2;
}


static void
test_lora(void **state)
{
    char         *text;
    vm_scrape_t   s;

    (void) state;

    fresh(&s);
    s.max_loras = 4;
    s.nranks = 2;
    s.mono_to_unix = 1784853600;

    ranks[0].nlora_sets = 3;
    set_lora(&ranks[0].lora_sets[0], 1, 1, 0, 1);
    set_lora(&ranks[0].lora_sets[1], 2, 2, 3, 2);
    set_lora(&ranks[0].lora_sets[2], 0, 0, 0, 3);
    ranks[1].nlora_sets = 2;
    set_lora(&ranks[1].lora_sets[0], 0, 0, 0, 9);
    set_lora(&ranks[1].lora_sets[1], 1, 2, 0, 8);

    text = render(&s);

#define L(a, v)  "vllm:lora_requests_info{max_lora=\"4\","                    \
                 "running_lora_adapters=\"" a "\","                           \
                 "waiting_lora_adapters=\"" a "\"} " v

    assert_line(text, "# HELP vllm:lora_requests_info Running stats on lora "
                      "requests.\n"
                      "# TYPE vllm:lora_requests_info gauge\n"
                      L("fixed", "1.7848536015e+09") "\n"
                      L("other,quo\\\"te\\\\\\n", "1.7848536025e+09") "\n"
                      L("", "1.7848536095e+09") "\n"
                      L("other", "1.7848536085e+09") "\n"
                      "# HELP vllm:cache_config_info Information of the "
                      "LLMEngine CacheConfig");
    free(text);
}


static void
test_http(void **state)
{
    char         *text;
    uint32_t      i;
    vm_scrape_t   s;

    (void) state;

    fresh(&s);

    vm_http_stats_observe(&http, 0, 1, 200, 100, 50, 0.05, NOW);
    vm_http_stats_observe(&http, 0, 1, 201, 100, 50, 0.75, NOW);
    vm_http_stats_observe(&http, 0, 1, 404, 0, 0, 7, NOW);
    vm_http_stats_observe(&http, 1, 0, 404, 0, 22, 0.5, NOW);
    vm_http_stats_observe(&http, 1, 1, 404, 0, 22, 0.1, NOW);

    text = render(&s);

    assert_line(text, "http_requests_total{handler=\"/v1/completions\","
                      "method=\"POST\",status=\"2xx\"} 2.0");
    assert_line(text, "http_requests_total{handler=\"/v1/completions\","
                      "method=\"POST\",status=\"4xx\"} 1.0");
    assert_line(text, "http_requests_total{handler=\"none\","
                      "method=\"GET\",status=\"4xx\"} 1.0");
    assert_line(text, "http_requests_created{handler=\"none\","
                      "method=\"GET\",status=\"4xx\"} 1.7955089955e+09");
    assert_line(text, "http_request_size_bytes_count{"
                      "handler=\"/v1/completions\"} 3.0\n"
                      "http_request_size_bytes_sum{"
                      "handler=\"/v1/completions\"} 200.0\n"
                      "http_request_size_bytes_count{handler=\"none\"} 2.0\n"
                      "http_request_size_bytes_sum{handler=\"none\"} 0.0");
    assert_line(text, "http_request_duration_highr_seconds_count 5.0");
    assert_line(text, "http_request_duration_highr_seconds_bucket"
                      "{le=\"0.05\"} 1.0");

#define D(h, m)  "handler=\"" h "\",method=\"" m "\""
#define DB(h, le, m)  "http_request_duration_seconds_bucket{handler=\"" h     \
                      "\",le=\"" le "\",method=\"" m "\"} "

    assert_line(text, DB("/v1/completions", "0.1", "POST") "1.0\n"
                      DB("/v1/completions", "0.5", "POST") "1.0\n"
                      DB("/v1/completions", "1.0", "POST") "2.0\n"
                      DB("/v1/completions", "+Inf", "POST") "3.0\n"
                      "http_request_duration_seconds_count{"
                      D("/v1/completions", "POST") "} 3.0\n"
                      "http_request_duration_seconds_sum{"
                      D("/v1/completions", "POST") "} 7.8");
    assert_line(text, DB("none", "0.5", "GET") "1.0");
    assert_line(text, DB("none", "0.1", "POST") "1.0");
    assert_line(text, "http_request_duration_seconds_created{"
                      D("none", "GET") "} 1.7955089955e+09");

    free(text);

    /* full tables and strange numbers count without harm */

    for (i = 0; i < 1000; i++) {
        vm_http_stats_observe(&http, i % 100, i % 14, 200 + i % 400, 1, 1,
                              0.1, NOW);
    }

    assert_int_equal(http.nseries, VM_HTTP_SERIES);
    assert_int_equal(http.ndurations, VM_HTTP_SERIES);
    assert_int_equal(vm_hist_count(&http.highr), 1005);
}


static void
test_self(void **state)
{
    char         *text;
    vm_scrape_t   s;

    (void) state;

    fresh(&s);
    s.self = &self;
    s.replicas = 5;
    self.streams = 17;
    self.saturated = 1;
    vm_hist_observe(&self.token_lateness, 0.0002, 2);

    text = render(&s);

    assert_line(text, "vllm_mock:replicas 5.0");
    assert_line(text, "vllm_mock:streams 17.0");
    assert_line(text, "vllm_mock:saturated 1.0");
    assert_line(text, "vllm_mock:token_lateness_seconds_bucket"
                      "{le=\"0.00025\"} 2.0");
    assert_line(text, "vllm_mock:event_loop_lag_seconds_count 0.0");
    assert_null(strstr(text, "vllm_mock:replica_source_up"));

    /* last of all */

    assert_null(strstr(strstr(text, "# HELP vllm_mock:"), "# HELP vllm:"));
    assert_null(strstr(strstr(text, "# HELP vllm_mock:"), "# HELP http_"));

    free(text);

    s.replica_source_up = 0;
    text = render(&s);
    assert_line(text, "vllm_mock:replica_source_up 0.0");
    free(text);
}


static void
test_sleep(void **state)
{
    char              *text;
    vm_scrape_t        s;
    vm_sleep_stats_t   sleep;

    (void) state;

    fresh(&s);
    memset(&sleep, 0, sizeof(sleep));
    s.sleep = &sleep;

    text = render(&s);
    assert_null(strstr(text, "sleep_mode"));
    free(text);

    vm_sleep_stats_observe(&sleep, VM_OPERATION_WAKE, 0.5, NOW);
    vm_sleep_stats_observe(&sleep, VM_OPERATION_WAKE, 1000, NOW + 1);

    text = render(&s);

#define S(le)  "vllm:sleep_mode_operation_duration_seconds_bucket{le=\"" le    \
               "\",operation=\"wake\"} "

    assert_line(text, S("0.1") "0.0\n" S("1.0") "1.0");
    assert_line(text, S("600.0") "1.0\n" S("+Inf") "2.0\n"
                "vllm:sleep_mode_operation_duration_seconds_count"
                "{operation=\"wake\"} 2.0\n"
                "vllm:sleep_mode_operation_duration_seconds_sum"
                "{operation=\"wake\"} 1000.5");
    assert_line(text, "vllm:sleep_mode_operation_duration_seconds_created"
                "{operation=\"wake\"} 1.7955089955e+09");
    assert_line(text, "vllm:sleep_mode_operations_in_flight"
                "{operation=\"wake\"} 0.0");
    assert_null(strstr(text, "operation=\"sleep\""));

    free(text);
}


static void
override(vm_scrape_t *s, const char *name, const char *value)
{
    char  err[512];

    if (vm_overrides_set(&overrides, name, value, NOW, err, sizeof(err))
        != VM_OK)
    {
        fail_msg("%s", err);
    }

    s->overrides = &overrides;
}


static void
test_overridden(void **state)
{
    char         *text;
    vm_scrape_t   s;

    (void) state;

    fresh(&s);
    s.replicas = 5;
    vm_hist_observe(&ranks[0].time_to_first_token, 0.002, 10);

    override(&s, "gpu_cache_usage_perc", "75.0");
    override(&s, "vllm:request_success_total{finished_reason=\"length\"}",
             "8");
    override(&s, "waiting", "10");
    override(&s, "time_to_first_token_seconds_count", "4");
    override(&s, "time_to_first_token_seconds_sum", "1.5");
    override(&s, "model_name", "other");

    text = render(&s);

#undef M
#define M  "model_name=\"other\""

    /* old names show when they are overridden, and only then */

    assert_line(text, "vllm:gpu_cache_usage_perc{" E "} 75.0");
    assert_line(text, "vllm:kv_cache_usage_perc{" E "} 0.75");
    assert_null(strstr(text, "vllm:num_requests_swapped"));
    assert_null(strstr(text, "vllm:avg_prompt_throughput"));
    assert_line(text, "vllm:num_requests_waiting{" E "} 10.0");
    assert_line(text, "vllm:request_success_total{engine=\"0\","
                      "finished_reason=\"length\"," M "} 8.0");
    assert_line(text, "vllm:request_success_total{engine=\"0\","
                      "finished_reason=\"stop\"," M "} 0.0");
    assert_line(text, B("0.001") "0.0");
    assert_line(text, B("0.005") "4.0");
    assert_line(text, B("+Inf") "4.0");
    assert_line(text, "vllm:time_to_first_token_seconds_count{" E "} 4.0");
    assert_line(text, "vllm:time_to_first_token_seconds_sum{" E "} 1.5");
    assert_null(strstr(text, "llama2-7b"));

    free(text);

    /* an old name follows its new one, unless it has its own */

    s.legacy = 1;
    override(&s, "kv_cache_usage_perc", "0.5");
    text = render(&s);
    assert_line(text, "vllm:gpu_cache_usage_perc{" E "} 75.0");
    free(text);

    override(&s, "gpu_cache_usage_perc", "null");
    override(&s, "cpu_running", "12");
    text = render(&s);
    assert_line(text, "vllm:gpu_cache_usage_perc{" E "} 0.5");
    assert_line(text, "vllm:kv_cache_usage_perc{" E "} 0.5");
    assert_line(text, "vllm:cpu_cache_usage_perc{" M "} 12.0");
    free(text);

    /* up to 1 the old name is a fraction, as its HELP says */

    override(&s, "kv_cache_usage_perc", "null");
    override(&s, "gpu_cache_usage_perc", "0.4");
    text = render(&s);
    assert_line(text, "vllm:kv_cache_usage_perc{" E "} 0.4");
    free(text);

    override(&s, "gpu_cache_usage_perc", "squarewave:0:50:20");
    s.now += 15;
    text = render(&s);
    assert_line(text, "vllm:kv_cache_usage_perc{" E "} 0.5");
    free(text);
}


static void
merge(vm_scrape_t *s, const char *json)
{
    char     err[512];
    json_t  *j;

    j = json_loads(json, 0, NULL);
    assert_non_null(j);

    if (vm_overrides_merge(&overrides, j, s->now, err, sizeof(err)) != VM_OK) {
        fail_msg("%s: %s", json, err);
    }

    json_decref(j);
    s->overrides = &overrides;
}


/* Buckets as they are given, whatever was observed. */

static void
test_buckets(void **state)
{
    char         *text;
    vm_scrape_t   s;

    (void) state;

    fresh(&s);
    vm_hist_observe(&ranks[0].time_to_first_token, 0.5, 1000);

    merge(&s, "{\"ttft-buckets-values\": [1, 2, 3],"
              " \"vllm:e2e_request_latency_seconds\": {\"buckets\":"
              " {\"0.5\": 2, \"+Inf\": 7}, \"sum\": 12.5},"
              " \"request_prompt_tokens\": {\"observations\": [3, 4, 700]},"
              " \"inter_token_latency_seconds\": [0, 4],"
              " \"request-success-total\": {\"stop\": 20, \"length\": 3}}");
    text = render(&s);

#undef M
#define M  "model_name=\"llama2-7b\""

    assert_line(text, B("0.001") "1.0");
    assert_line(text, B("0.005") "3.0");
    assert_line(text, B("0.01") "6.0");
    assert_line(text, B("+Inf") "6.0");
    assert_line(text, "vllm:time_to_first_token_seconds_count{" E "} 6.0");
    assert_line(text, "vllm:time_to_first_token_seconds_sum{" E "} "
                      "0.028999999999999998");
    assert_line(text, "vllm:e2e_request_latency_seconds_bucket{engine=\"0\","
                      "le=\"0.3\"," M "} 0.0");
    assert_line(text, "vllm:e2e_request_latency_seconds_bucket{engine=\"0\","
                      "le=\"0.5\"," M "} 2.0");
    assert_line(text, "vllm:e2e_request_latency_seconds_bucket{engine=\"0\","
                      "le=\"7680.0\"," M "} 2.0");
    assert_line(text, "vllm:e2e_request_latency_seconds_bucket{engine=\"0\","
                      "le=\"+Inf\"," M "} 7.0");
    assert_line(text, "vllm:e2e_request_latency_seconds_sum{" E "} 12.5");
    assert_line(text, "vllm:request_prompt_tokens_count{" E "} 3.0");
    assert_line(text, "vllm:request_prompt_tokens_sum{" E "} 707.0");
    assert_line(text, "vllm:request_success_total{engine=\"0\","
                      "finished_reason=\"length\"," M "} 3.0");
    free(text);

    /* an old name has those of its new one */

    s.legacy = 1;
    merge(&s, "{\"time_to_first_token_seconds\": null}");
    text = render(&s);
    assert_line(text, B("+Inf") "1000.0");
    assert_line(text, "vllm:time_per_output_token_seconds_count{" E "} 4.0");
    free(text);
}


static void
test_loras(void **state)
{
    char         *text;
    vm_buf_t      b;
    vm_scrape_t   s;

    (void) state;

    fresh(&s);
    merge(&s, "{\"loras\": [{\"running\": \"a,b\", \"waiting\": \"c\","
              " \"timestamp\": 1257894567}, {\"running\": [\"d\"],"
              " \"max_lora\": 4, \"timestamp\": 1257894569}]}");
    text = render(&s);
    assert_line(text, "vllm:lora_requests_info{max_lora=\"1\","
                      "running_lora_adapters=\"a,b\","
                      "waiting_lora_adapters=\"c\"} 1.257894567e+09");
    assert_line(text, "vllm:lora_requests_info{max_lora=\"4\","
                      "running_lora_adapters=\"d\","
                      "waiting_lora_adapters=\"\"} 1.257894569e+09");
    free(text);

    /* what is told can be set again */

    merge(&s, "{\"running\": 7, \"waiting\": {\"total\": \"ramp:0:50:60\"},"
              " \"num_requests_waiting_by_reason\": {\"capacity\": 2},"
              " \"total\": \"rampreset:1:9:5\", \"ttft-buckets-values\": [1]}");
    vm_buf_init(&b);
    vm_overrides_json(&overrides, &b);
    vm_buf_char(&b, '\0');
    assert_string_equal(b.data,
        "{\"vllm:num_requests_running\":7.0,"
        "\"vllm:num_requests_waiting\":{\"total\":\"ramp:0.0:50.0:60.0\"},"
        "\"vllm:num_requests_waiting_by_reason{reason=\\\"capacity\\\"}\":2.0,"
        "\"total\":\"rampreset:1.0:9.0:5.0\","
        "\"vllm:time_to_first_token_seconds\":{\"buckets\":[1,0,0,0,0,0,0,0,"
        "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],\"sum\":0.0005},"
        "\"vllm:lora_requests_info\":[{\"running\":\"a,b\",\"waiting\":\"c\","
        "\"timestamp\":1257894567.0},{\"running\":\"d\",\"waiting\":\"\","
        "\"max_lora\":4,\"timestamp\":1257894569.0}]}");
    merge(&s, b.data);
    vm_buf_free(&b);
}


static void
test_total(void **state)
{
    int           scaled;
    char         *text;
    vm_scrape_t   s;

    (void) state;

    for (scaled = 0; scaled < 2; scaled++) {
        fresh(&s);
        s.replicas = 5;
        s.scaled = scaled;
        override(&s, "total", "200");

        text = render(&s);
        assert_line(text, "vllm:avg_prompt_throughput_toks_per_s{"
                          "model_name=\"llama2-7b\"} 40.0");
        assert_non_null(strstr(text, "finished_reason=\"stop\",model_name="
                                     "\"llama2-7b\"} 40.0"));
        free(text);

        override(&s, "avg_prompt_throughput", "total:50");
        override(&s, "success_total", "7");
        text = render(&s);
        assert_line(text, "vllm:avg_prompt_throughput_toks_per_s{"
                          "model_name=\"llama2-7b\"} 10.0");
        assert_line(text, "vllm:avg_generation_throughput_toks_per_s{"
                          "model_name=\"llama2-7b\"} 40.0");
        assert_non_null(strstr(text, "finished_reason=\"stop\",model_name="
                                     "\"llama2-7b\"} 7.0"));
        free(text);
    }
}


/* docs/metrics.md tells of every family. */

static void
test_documented(void **state)
{
    char         *text, *p, *end;
    char          name[128], *docs;
    long          size;
    FILE         *f;
    size_t        len;
    vm_scrape_t   s;

    (void) state;

    f = fopen("docs/metrics.md", "r");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    size = ftell(f);
    rewind(f);
    docs = calloc(1, (size_t) size + 1);
    assert_non_null(docs);
    assert_int_equal(fread(docs, 1, (size_t) size, f), (size_t) size);
    fclose(f);

    fresh(&s);
    s.self = &self;
    s.legacy = 1;
    s.max_loras = 1;
    s.replica_source_up = 1;

    text = render(&s);

    for (p = strstr(text, "# TYPE "); p; p = strstr(end, "# TYPE ")) {
        p += 7;
        end = strchr(p, ' ');
        len = (size_t) (end - p);

        if (len > 8 && memcmp(end - 8, "_created", 8) == 0) {
            continue;
        }

        snprintf(name, sizeof(name), "`%.*s`", (int) len, p);

        if (strstr(docs, name) == NULL) {
            fail_msg("docs/metrics.md does not have %s", name);
        }
    }

    free(text);
    free(docs);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_recordings),
        cmocka_unit_test(test_parser),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_scaled),
        cmocka_unit_test(test_legacy),
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_lora),
        cmocka_unit_test(test_http),
        cmocka_unit_test(test_self),
        cmocka_unit_test(test_sleep),
        cmocka_unit_test(test_overridden),
        cmocka_unit_test(test_buckets),
        cmocka_unit_test(test_loras),
        cmocka_unit_test(test_total),
        cmocka_unit_test(test_documented)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
