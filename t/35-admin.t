# What administrators see and change: /admin/config, /admin/requests, the page.

use Test::Nginx::Socket;

plan 'no_plan';

$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();

our $ask = "POST /v1/completions\n" . '{"model": "m", "prompt": "a"}';

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value('http_config', "vllm_mock_zone m 96m;\n");
    $block->set_value('config', "vllm_mock_model m;\n"
                      . "vllm_mock_latency none;\nvllm_mock_endpoints all;\n"
                      . "vllm_mock_output tokens=3;\n"
                      . ($block->serve || '')
                      . "\nlocation / { vllm_mock m; }");
    $block->set_value('more_headers', 'Content-Type: application/json')
        if !defined $block->more_headers;
});

no_long_string();
no_root_location();
workers(2);
run_tests();

__DATA__

=== TEST 1: the settings
--- serve
vllm_mock_engine max_num_seqs=17 policy=priority;
vllm_mock_latency constant ttft=2.5ms itl=1ms jitter=normal:1ms;
--- request
GET /admin/config
--- response_body_like eval
'"models":\["m"\].*"max_num_seqs":17,.*"policy":"priority".*"latency":\{"model":"constant","ttft":0\.0025,"itl":0\.001,.*"jitter":\{"kind":"normal","value":0\.001\}.*"output":\{"text":"words","tokens":"fixed:3\.0","cap":false\}'



=== TEST 2: what may change changes for all
--- request eval
[$main::ask, 'POST /admin/config' . "\n" . '{"output": "tokens=uniform:7:7 text=echo"}',
 map { $main::ask } 1 .. 6]
--- response_body_like eval
['"completion_tokens":3,', '"output":\{"text":"echo","tokens":"uniform:7\.0:7\.0","cap":false\}',
 map { '"completion_tokens":7,' } 1 .. 6]



=== TEST 3: another latency, counters stay
--- request eval
[$main::ask,
 'POST /admin/config' . "\n" . '{"latency": "constant ttft=30ms itl=10ms", "time_scale": 0.5}',
 $main::ask, "GET /metrics", "GET /admin/requests?limit=1"]
--- response_body_like eval
['', '"latency":\{"model":"constant","ttft":0\.03,"itl":0\.01,.*"time_scale":0\.5', '',
 '(?m)^vllm:generation_tokens_total\{\S+ 6\.0$',
 '^\{"requests":\[\{[^{}]*"ttft_s":0\.01[5-9]\d+,"e2e_s":0\.0[2-9]\d+\}\]\}$']



=== TEST 4: what may not, and nothing of it
--- request eval
[(map { "POST /admin/config\n$_" } '{"latency": "slow"}', '{"latency": "constant ttft"}',
 '{"latency": "profile a100"}', '{"output": "tokens=0"}', '{"time_scale": 0}', '{"time_scale": "x"}',
 '{"models": []}', '{"output": "tokens=9", "latency": "capacity capacity=0"}', '[]', '{'), $main::ask]
--- error_code eval
[(map { 400 } 1 .. 10), 200]
--- response_body_like eval
['unknown latency model', 'key=value is expected', 'by the configuration only', 'invalid value',
 'above 0, up to 1000', 'float_parsing', 'models cannot be changed', 'invalid value', 'model_attributes_type',
 'json_invalid', '"completion_tokens":3,']



=== TEST 5: requests, the newest first
--- request eval
["GET /admin/requests", $main::ask,
 "POST /v1/chat/completions\n" . '{"model": "m", "messages": [{"role": "user", "content": "a"}], "stream": true, "max_tokens": 2, "request_id": "mine"}',
 "POST /v1/completions\n{}", "GET /admin/requests", "GET /admin/requests?limit=1", "GET /admin/requests?limit=513"]
--- error_code eval
[200, 200, 200, 400, 200, 200, 400]
--- response_body_like eval
['^\{"requests":\[\]\}$', '', '', '',
 '^\{"requests":\[\{"id":"chatcmpl-mine","endpoint":"/v1/chat/completions","model":"m","state":"finished","started":[0-9.]+,"prompt_tokens":[0-9]+,"cached_tokens":0,"completion_tokens":2,"finish_reason":"length","queue_s":0\.\d+,"ttft_s":0\.\d+,"e2e_s":0\.\d+\},\{"id":"cmpl-[^{}]*"completion_tokens":3,"finish_reason":"stop"[^{}]*\}\]\}$',
 '^\{"requests":\[\{[^{}]*\}\]\}$', 'limit must be in']



=== TEST 6: the page
--- request
GET /
--- response_headers
Content-Type: text/html; charset=utf-8
--- response_body_like chop
(?s)^(?!.*https?://)<!doctype html>.*width=device-width.*prefers-color-scheme: dark.*<form id="settings".*name="faults".*<form id="override".*</html>\n$



=== TEST 7: nothing of it, if it is off
--- serve: vllm_mock_admin off;
--- request eval
["GET /admin/config", "GET /admin/requests", "GET /", 'POST /admin/config' . "\n{}"]
--- error_code eval
[404, 404, 404, 404]



=== TEST 8: other methods
--- request eval
["DELETE /admin/config", "POST /admin/requests\n{}"]
--- error_code eval
[405, 405]



=== TEST 90: faults that come and go
--- serve: vllm_mock_fault error status=502 when=$arg_bad;
--- request eval
["GET /admin/config",
 "POST /admin/config\n" . '{"faults": ["error status=503 \"message=no luck\" when=$http_x_fault", "delay time=1ms rate=50%"]}',
 "GET /version", "GET /version", "GET /version?bad=1", "GET /health", "GET /admin/config",
 "POST /admin/config\n" . '{"faults": []}', "GET /version?bad=1",
 "POST /admin/config\n" . '{"faults": null}', "GET /version?bad=1"]
--- more_headers eval
my $json = 'Content-Type: application/json';
[$json, $json, "X-Fault: 1", "X-Fault: 0", "", "X-Fault: 1", "", $json, "", $json, ""]
--- error_code eval
[200, 200, 503, 200, 200, 200, 200, 200, 200, 200, 502]
--- response_body_like eval
['"faults":\["error status=502 when=\$arg_bad"\]',
 '"faults":\["error status=503 \\\\"message=no luck\\\\" when=\$http_x_fault","delay time=1ms rate=50%"\]',
 '"message":"no luck"', '0\.32', '0\.32', '^$', '"no luck|no luck', '"faults":\[\]', '0\.32',
 '"faults":\["error status=502', 'told to have']



=== TEST 91: wrong ones change nothing
--- request eval
[map { "POST /admin/config\n$_" }
 '{"faults": ["explode"]}', '{"faults": "error"}', '{"faults": [7]}', '{"faults": ["error status=200"]}',
 '{"faults": ["error"], "replicas": -1}', '{"faults": ["error when=a$b"]}',
 '{"faults": ["error","error","error","error","error","error","error","error","error"]}',
 '{"rate_limit": "rpm=0"}', '{"rate_limit": ""}', '{"rate_limit": 5}', '{"replicas": 1.5}', '{"nope": 1}', '{}']
--- error_code eval
[(400) x 12, 200]
--- response_body_like eval
['invalid kind', 'list of up to 8 texts', 'a fault is a text', 'invalid parameter', 'from 0 to 1000000',
 'invalid parameter', 'list of up to 8', 'rate_limit: null', 'rate_limit: null', 'rate_limit: null', 'from 0 to',
 'nope cannot be changed', '"faults":\[\],"rate_limit":null,"replicas":1,']



=== TEST 92: limits that come and go, with OpenAI's headers
--- request eval
[$main::ask, "POST /admin/config\n" . '{"rate_limit": "rpm=2 concurrency=5"}', $main::ask, $main::ask, $main::ask,
 "POST /admin/config\n" . '{"rate_limit": "off"}', $main::ask, "POST /admin/config\n" . '{"rate_limit": null}', $main::ask]
--- error_code eval
[200, 200, 200, 200, 429, 200, 200, 200, 200]
--- response_headers eval
["!x-ratelimit-limit-requests", "", "x-ratelimit-limit-requests: 2", "x-ratelimit-remaining-requests: 0", "retry-after: 30",
 "", "!x-ratelimit-limit-requests", "", "!x-ratelimit-limit-requests"]
--- response_body_like eval
['', '"rate_limit":"rpm=2 concurrency=5"', '', '', 'Rate limit reached', '"rate_limit":null', '', '', '']



=== TEST 93: the replica count outside of a cluster
--- serve: vllm_mock_metrics scaled;
--- request eval
["POST /admin/config\n" . '{"replicas": 5}', "GET /metrics", "POST /admin/config\n" . '{"replicas": null}', "GET /metrics"]
--- response_body_like eval
['"replicas":5,', '(?s)avg_prompt_throughput_toks_per_s\{\S+\} 20\.0\n.*vllm_mock:replicas 5\.0\n', '"replicas":1,',
 '(?s)avg_prompt_throughput_toks_per_s\{\S+\} 100\.0\n']



=== TEST 94: not if it is read from somewhere
--- serve: vllm_mock_replicas from=/count; location /count { return 200 '{"spec": {"replicas": 3}}'; }
--- request eval
["POST /admin/config\n" . '{"replicas": 5}']
--- error_code eval
[400]
--- response_body_like eval
['read from /count']
