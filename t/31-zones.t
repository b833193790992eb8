# Zones, locations and levels; what the access log knows.

use Test::Nginx::Socket;

plan 'no_plan';

our $ask = '{"model": "m", "prompt": "hello world", "max_tokens": 5}';

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value('more_headers', 'Content-Type: application/json')
        if !defined $block->more_headers;
});

no_long_string();
no_root_location();
log_level('info');
workers(2);
master_on();
run_tests();

__DATA__

=== TEST 1: two zones do not see each other
--- http_config
vllm_mock_zone one 48m;
vllm_mock_zone two 48m;
vllm_mock_latency none;
vllm_mock_endpoints all;
vllm_mock_lora_paths any;
vllm_mock_engine max_loras=1;
--- config
location / { vllm_mock one; }
location /other/ { proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/;
                   proxy_set_header Host other; }
vllm_mock_model m;
}
server {
listen $TEST_NGINX_SERVER_PORT;
server_name other;
vllm_mock_model m;
location / { vllm_mock two; }
--- request eval
["POST /v1/completions\n$main::ask",
 "POST /set_metrics\n" . '{"running": 7}',
 "POST /v1/load_lora_adapter\n" . '{"lora_name": "l", "lora_path": "/x"}',
 "POST /sleep",
 "GET /metrics", "GET /other/metrics", "GET /v1/models",
 "GET /other/v1/models", "GET /is_sleeping", "GET /other/is_sleeping"]
--- error_code eval
[200, 200, 200, 200, 200, 200, 200, 200, 200, 200]
--- response_body_like eval
['completion_tokens":5', 'success', 'Success', 'sleeping',
 '(?s)num_requests_running\{\S+\} 7\.0\n.*generation_tokens_total\{\S+\} 5\.0\n',
 '(?s)num_requests_running\{\S+\} 0\.0\n.*generation_tokens_total\{\S+\} 0\.0\n',
 '"id":"l"', '^(?!.*"id":"l")', 'true', 'false']
--- no_error_log
[error]



=== TEST 2: two servers share a zone
--- http_config
vllm_mock_zone one 48m;
vllm_mock_latency none;
vllm_mock_model m;
--- config
location / { vllm_mock one; }
location /other/ { proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/;
                   proxy_set_header Host other; }
}
server {
listen $TEST_NGINX_SERVER_PORT;
server_name other;
location / { vllm_mock one; }
--- request eval
["POST /v1/completions\n$main::ask", "POST /other/v1/completions\n$main::ask",
 "GET /metrics", "GET /other/metrics"]
--- error_code eval
[200, 200, 200, 200]
--- response_body_like eval
['completion_tokens":5', 'completion_tokens":5',
 'generation_tokens_total\{\S+\} 10\.0\n',
 'generation_tokens_total\{\S+\} 10\.0\n']



=== TEST 3: levels: a server's own replaces those above, a location's too
--- http_config
vllm_mock_zone one 48m;
vllm_mock_model outer;
vllm_mock_latency none;
vllm_mock_unknown_models accept;
vllm_mock_output text=echo;
--- config
vllm_mock_model m;
vllm_mock_model n;
location / { vllm_mock one; }
location /v1/completions { vllm_mock one; vllm_mock_unknown_models reject;
                           vllm_mock_output tokens=3; }
--- request eval
["GET /v1/models",
 "POST /v1/chat/completions\n" . '{"model": "x", "max_tokens": 1, "messages": [{"role": "user", "content": "a"}]}',
 "POST /v1/completions\n" . '{"model": "x", "prompt": "a"}',
 "POST /v1/completions\n" . '{"model": "n", "prompt": "a"}']
--- error_code eval
[200, 200, 404, 200]
--- response_body_like eval
['^(?!.*outer).*"id":"m".*"id":"n"', '"model":"x"', 'does not exist',
 '"completion_tokens":3']



=== TEST 4: the access log
--- http_config
vllm_mock_zone one 48m;
log_format mock '[$vllm_mock_model|$vllm_mock_request_id|$vllm_mock_prompt_tokens|$vllm_mock_cached_tokens|$vllm_mock_completion_tokens|$vllm_mock_queue_time|$vllm_mock_ttft|$vllm_mock_tpot|$vllm_mock_finish_reason|$vllm_mock_lateness]';
--- config
vllm_mock_model m;
vllm_mock_latency constant ttft=20ms itl=10ms;
vllm_mock_replicas 3;
access_log logs/access.log mock;
location / { vllm_mock one; }
--- request eval
"POST /v1/completions\n$main::ask"
--- response_body_like: completion_tokens":5
--- access_log eval
qr/^\[m\|cmpl-[0-9a-f]{16}\|3\|0\|5\|0\.00\d+\|0\.0[234]\d+\|0\.01\d+\|length\|0\.\d{6}\]$/



=== TEST 5: nothing generated, nothing known
--- http_config
vllm_mock_zone one 48m;
log_format mock '[$vllm_mock_model|$vllm_mock_completion_tokens|$vllm_mock_ttft]';
--- config
access_log logs/access.log mock;
location / { vllm_mock one; }
location /plain { return 200 "plain\n"; }
--- request eval
["GET /version", "GET /plain"]
--- response_body_like eval
["version", "plain"]
--- error_code eval
[200, 200]
--- access_log
[-|-|-]



=== TEST 6: a variable as a key of nginx's limits
--- http_config
vllm_mock_zone one 48m;
map $vllm_mock_finish_reason $short { default 0; length 1; }
log_format mock 'short=$short';
--- config
vllm_mock_model m;
vllm_mock_latency none;
access_log logs/access.log mock;
location / { vllm_mock one; }
--- request eval
"POST /v1/completions\n$main::ask"
--- response_body_like: completion_tokens":5
--- access_log
short=1



=== TEST 7: no zone, no module
--- config
location / { return 200 "ok\n"; }
--- request
GET /
--- response_headers_like
Server: nginx.*
--- response_body
ok



=== TEST 8: a server without the module keeps nginx's pages
--- http_config
vllm_mock_zone one 48m;
--- config
location / { vllm_mock one; }
}
server {
listen $TEST_NGINX_SERVER_PORT;
server_name other;
location / { return 404; }
--- request eval
["GET /nowhere", "GET /nowhere"]
--- more_headers eval
["X: 1", "Host: other"]
--- error_code eval
[404, 404]
--- response_body_like eval
['^\{"detail":"Not Found"\}$', '<center><h1>404 Not Found</h1></center>']



=== TEST 9: locations beside the mock's keep what is theirs
--- http_config
vllm_mock_zone one 48m;
--- config
location / { vllm_mock one; }
location /static/ { root /nonexistent; }
--- request eval
["GET /health", "GET /static/x"]
--- error_code eval
[200, 404]
