# GET /metrics: replica-scaled and live, overrides.

use Test::Nginx::Socket;

plan 'no_plan';

# what a scrape says of the lines that a test asks for

sub lines {
    my $wanted = shift;
    return sub {
        return join "\n", (grep { /$wanted/ && !/^#/ } split /\n/, $_[0]), '';
    };
}

$main::lines = \&lines;
$main::ask = '{"model": "m", "prompt": "a", "max_tokens": 4}';

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value('http_config', 'vllm_mock_zone m 48m;');
    $block->set_value('config', "vllm_mock_model m;\n"
                      . "vllm_mock_latency none;\n"
                      . ($block->serve || '')
                      . "\nlocation / { vllm_mock m; }");
    $block->set_value('more_headers', 'Content-Type: application/json')
        if !defined $block->more_headers;
});

no_long_string();
no_root_location();
log_level('info');
run_tests();

__DATA__

=== TEST 1: one replica
--- serve
vllm_mock_metrics scaled;
--- request
GET /metrics
--- response_headers
Content-Type: text/plain; version=1.0.0; charset=utf-8
--- response_body_like chop
# TYPE vllm:request_success_total counter
(?:.*\n)?vllm:request_success_total\{finished_reason="stop",model_name="m"\} 100\.0
(?:.*\n)?# TYPE vllm:avg_prompt_throughput_toks_per_s gauge
vllm:avg_prompt_throughput_toks_per_s\{model_name="m"\} 100\.0
(?:.*\n)?# TYPE vllm:avg_generation_throughput_toks_per_s gauge
vllm:avg_generation_throughput_toks_per_s\{model_name="m"\} 100\.0
--- no_error_log
[error]



=== TEST 2: five replicas, none
--- serve
vllm_mock_metrics scaled;
vllm_mock_replicas 5;
--- request
GET /metrics
--- response_body_filters eval
$main::lines->('^vllm:(?:request_success_total|avg_)')
--- response_body_like chop
vllm:request_success_total\{finished_reason="stop",model_name="m"\} 20\.0
(?:.*\n)*vllm:avg_prompt_throughput_toks_per_s\{model_name="m"\} 20\.0
vllm:avg_generation_throughput_toks_per_s\{model_name="m"\} 20\.0



=== TEST 3: none counts as one; no engine label
--- serve
vllm_mock_metrics scaled;
vllm_mock_replicas 0;
--- request
GET /metrics
--- response_body_unlike: engine="0"
--- no_error_log
[error]



=== TEST 4: a total
--- serve
vllm_mock_metrics scaled;
vllm_mock_replicas 8;
--- request eval
["POST /set_metrics\n" . '{"total": 200}', "GET /metrics"]
--- response_body_filters eval
$main::lines->('^vllm:avg|"status"')
--- response_body eval
['{"status":"success","message":"Overrides updated"}' . "\n",
 'vllm:avg_prompt_throughput_toks_per_s{model_name="m"} 25.0
vllm:avg_generation_throughput_toks_per_s{model_name="m"} 25.0
']



=== TEST 5: live: all from traffic
--- request eval
["POST /v1/completions\n" . '{"model": "m", "prompt": "hello world", "max_tokens": 5}',
 "POST /v1/completions\n" . '{"model": "m", "prompt": "hello world", "max_tokens": 3}',
 "GET /metrics"]
--- response_body_filters eval
$main::lines->('^vllm:(?:prompt_tokens_total|generation_tokens_total|request_success_total\S*(?:stop|length)|e2e_request_latency_seconds_count|num_requests_(?:running|waiting)\{|time_to_first_token_seconds_count|request_generation_tokens_sum)')
--- response_body eval
["", "",
'vllm:num_requests_running{engine="0",model_name="m"} 0.0
vllm:num_requests_waiting{engine="0",model_name="m"} 0.0
vllm:prompt_tokens_total{engine="0",model_name="m"} 6.0
vllm:generation_tokens_total{engine="0",model_name="m"} 8.0
vllm:request_success_total{engine="0",finished_reason="stop",model_name="m"} 0.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="m"} 2.0
vllm:request_generation_tokens_sum{engine="0",model_name="m"} 8.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="m"} 2.0
vllm:e2e_request_latency_seconds_count{engine="0",model_name="m"} 2.0
']



=== TEST 6: live has no older names unless asked for
--- request
GET /metrics
--- response_body_unlike: vllm:gpu_cache_usage_perc|vllm:avg_prompt_throughput



=== TEST 7: live, with older names
--- serve
vllm_mock_metrics live legacy=on;
--- request
GET /metrics
--- response_body_like: (?s)vllm:gpu_cache_usage_perc\{



=== TEST 8: scaled, without older names
--- serve
vllm_mock_metrics scaled legacy=off;
--- request
GET /metrics
--- response_body_unlike: vllm:gpu_cache_usage_perc



=== TEST 9: our own names stand last
--- request
GET /metrics
--- response_body_like chop
(?s)vllm:.*vllm_mock:\w+(?!.*\nvllm:)



=== TEST 10: overrides, all or nothing, and back
--- request eval
["POST /set_metrics\n" . '{"running": 12, "vllm:num_requests_waiting": 3}',
 "GET /metrics",
 "POST /set_metrics\n" . '{"running": 99, "no_such_metric": 1}',
 "GET /metrics",
 "POST /set_metrics\n" . '{"running": null}',
 "GET /metrics"]
--- error_code eval
[200, 200, 400, 200, 200, 200]
--- response_body_filters eval
$main::lines->('^vllm:num_requests_(?:running|waiting)\{|unknown metric|success')
--- response_body_like eval
['success', '_running\{.*\} 12\.0\n.*_waiting\{.*\} 3\.0\n',
 'unknown metric \\\\"no_such_metric\\\\": ',
 '_running\{.*\} 12\.0\n.*_waiting\{.*\} 3\.0\n', 'success',
 '_running\{.*\} 0\.0\n.*_waiting\{.*\} 3\.0\n']



=== TEST 11: the seed's short names
--- serve
vllm_mock_metrics scaled;
--- request eval
["POST /set_metrics\n" . '{"gpu_cache_usage_perc": 75.0, "cpu_cache_usage_perc": 0.5, "swapped": 4, "cpu_running": 2, "success_total": 7, "avg_prompt_throughput": 8, "avg_generation_throughput": 9, "prompt_tokens_total": 10, "generation_tokens_total": 11, "model_name": "other", "kv_cache_usage_perc": 0.25, "server_load": 6}',
 "GET /metrics", "GET /load"]
--- response_body_filters eval
$main::lines->('^vllm:(?:gpu_cache_usage_perc|cpu_cache|num_requests_swapped|avg|prompt_tokens_total)|success"|load')
--- response_body_like eval
['success',
 'vllm:avg_prompt_throughput_toks_per_s\{model_name="other"\} 8\.0', '^\{"server_load":6\}']



=== TEST 12: functions of time
--- request eval
["POST /set_metrics\n" . '{"running": "oscillate:1:2:10", "waiting": "ramp:0:10:3600", "kv_cache_usage_perc": "squarewave:0.25:0.5:100000"}',
 "GET /metrics"]
--- response_body_filters eval
$main::lines->('^vllm:(?:num_requests_(?:running|waiting)\{|kv_cache_usage)')
--- response_body_like eval
['', 'running\{\S+\} (?:1\.|2\.0\n)[^\n]*\n.*waiting\{\S+\} (?:0\.0|\d\.\d+e-).*kv_cache_usage_perc\{\S+\} 0\.(?:25|5)\n']



=== TEST 13: bad overrides
--- request eval
[map { "POST /set_metrics\n$_" } '[]', '{"running": "x"}',
 '{"running": "oscillate:1:2"}', '{"running": "oscillate:1:2:0"}',
 '{"running": [1]}', '{"total": true}', '{"": 1}', '{"running": "ramp:a:b:c"}',
 '{']
--- error_code eval
[400, 400, 400, 400, 400, 400, 400, 400, 400]
--- response_body_like eval
[map { '^\{"error":\{"message":"' } 1 .. 9]



=== TEST 14: overrides from the start
--- serve
vllm_mock_metric running 5;
vllm_mock_metric waiting ramp:7:7:10;
--- request
GET /metrics
--- response_body_like chop
(?s)num_requests_running\{engine="0",model_name="m"\} 5\.0\n.*num_requests_waiting\{engine="0",model_name="m"\} 7\.0\n



=== TEST 15: another path, another method
--- request eval
["GET /metrics/", "POST /metrics"]
--- response_headers eval
["Content-Type: text/plain; version=0.0.4; charset=utf-8",
 "Content-Type: text/plain; version=0.0.4; charset=utf-8"]
--- response_body_like eval
["vllm:num_requests_running", "vllm:num_requests_running"]



=== TEST 16: several engines
--- serve
vllm_mock_engine data_parallel=2 num_gpu_blocks=600 max_model_len=512;
--- request
GET /metrics
--- response_body_like chop
(?s)num_requests_running\{engine="0",model_name="m"\} 0\.0\n[^\n]*num_requests_running\{engine="1",model_name="m"\} 0\.0



=== TEST 17: a machine that is too slow, by the bound given
--- serve
vllm_mock_latency constant ttft=5ms itl=5ms;
vllm_mock_saturation 0;
--- request eval
["GET /version", "POST /v1/completions\n$main::ask", "GET /version",
 "GET /metrics"]
--- response_headers eval
["!x-vllm-mock-saturated", "x-vllm-mock-saturated: 1", "x-vllm-mock-saturated: 1",
 "x-vllm-mock-saturated: 1"]
--- response_body_like eval
["0.32", "completion_tokens", "0.32", '(?m)^vllm_mock:saturated 1\.0$']



=== TEST 18: and one that is not
--- serve
vllm_mock_latency constant ttft=5ms itl=5ms;
vllm_mock_saturation 1h;
--- request eval
["POST /v1/completions\n$main::ask", "GET /metrics"]
--- response_headers eval
["!x-vllm-mock-saturated", "!x-vllm-mock-saturated"]
--- response_body_like eval
["completion_tokens", '(?ms)^vllm_mock:token_lateness_seconds_count 1\.0$.*^vllm_mock:saturated 0\.0$']



=== TEST 19: without stats
--- serve: vllm_mock_args --disable-log-stats;
--- request
GET /metrics
--- response_body_like: ^(?!.*\nvllm:).*python_info



=== TEST 20: what is overridden is listed, and taken back at once
--- serve
vllm_mock_metric swapped 3;
--- request eval
["GET /set_metrics",
 "POST /set_metrics\n" . '{"running": 7, "waiting": "ramp:0:50:1m", "model_name": "other"}',
 "GET /set_metrics", "DELETE /set_metrics", "GET /set_metrics", "GET /metrics"]
--- error_code eval
[200, 200, 200, 200, 200, 200]
--- response_body_like eval
['^\{"vllm:num_requests_swapped":3\.0\}$', 'Overrides updated',
 '^\{"model_name":"other","vllm:num_requests_swapped":3\.0,"vllm:num_requests_running":7\.0,"vllm:num_requests_waiting":"ramp:0\.0:50\.0:60\.0"\}$',
 '^\{"status":"success","message":"Overrides reset"\}$',
 '^\{"vllm:num_requests_swapped":3\.0\}$',
 '(?s)num_requests_running\{engine="0",model_name="m"\} 0\.0\n']



=== TEST 21: the total as a function, and divided functions
--- serve
vllm_mock_metrics scaled;
vllm_mock_replicas 4;
--- request eval
["POST /set_metrics\n" . '{"total": "ramp:200:200:1", "waiting": {"total": "ramp:40:40:1s"}}', "GET /metrics"]
--- response_body_like eval
['success', '(?s)num_requests_waiting\{model_name="m"\} 10\.0\n.*avg_prompt_throughput_toks_per_s\{model_name="m"\} 50\.0\n']



=== TEST 22: percent and fraction of the cache
--- request eval
["POST /set_metrics\n" . '{"gpu_cache_usage_perc": 75.0}', "GET /metrics",
 "POST /set_metrics\n" . '{"kv_cache_usage_perc": 0.5}', "GET /metrics"]
--- response_body_like eval
['success',
 '(?s)kv_cache_usage_perc\{\S+\} 0\.75\n.*gpu_cache_usage_perc\{\S+\} 75\.0\n', 'success',
 '(?s)kv_cache_usage_perc\{\S+\} 0\.5\n.*gpu_cache_usage_perc\{\S+\} 75\.0\n']



=== TEST 23: buckets and adapters, by the names of llm-d's simulator too
--- request eval
["POST /fake_metrics\n" . '{"running-requests": 10, "waiting-requests": "ramp:5:5:1s", "kv-cache-usage": 0.4, "ttft-buckets-values": [1, 2, 3], "request-prompt-tokens": [10, 20, 30], "request-success-total": {"stop": 20, "length": 0}, "prefix-cache-hits": 750, "loras": [{"running": "lora4,lora2", "waiting": "lora3", "timestamp": 1257894567}]}',
 "GET /metrics",
 "POST /set_metrics\n" . '{"loras": [], "ttft-buckets-values": []}', "GET /metrics"]
--- response_body_like eval
['success',
 '(?s)num_requests_running\{\S+\} 10\.0\n.*num_requests_waiting\{\S+\} 5\.0\n.*kv_cache_usage_perc\{\S+\} 0\.4\n.*prefix_cache_hits_total\{\S+\} 750\.0\n.*request_success_total\{engine="0",finished_reason="stop",model_name="m"\} 20\.0\n.*request_prompt_tokens_count\{\S+\} 3\.0\n.*request_prompt_tokens_sum\{\S+\} 60\.0\n.*time_to_first_token_seconds_bucket\{engine="0",le="0\.005",model_name="m"\} 3\.0\n.*lora_requests_info\{max_lora="1",running_lora_adapters="lora4,lora2",waiting_lora_adapters="lora3"\} 1\.257894567e\+09\n',
 'success', '^(?s)(?!.*lora_requests_info).*time_to_first_token_seconds_bucket\{engine="0",le="0\.005",model_name="m"\} 0\.0\n']
