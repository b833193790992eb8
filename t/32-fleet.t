# A fleet of replicas behind one server.

use Test::Nginx::Socket;

plan 'no_plan';

$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();
$ENV{VLLM_ALLOW_RUNTIME_LORA_UPDATING} = 1;

sub ask {
    my $tokens = shift;
    return 'POST /v1/completions' . "\n"
        . '{"model": "m", "prompt": "a", "max_tokens": ' . $tokens . '}';
}

$main::ask = \&ask;

add_block_preprocessor(sub {
    my $block = shift;

    return if defined $block->http_config;

    $block->set_value('http_config', "vllm_mock_zone m 200m;\n"
                      . "vllm_mock_engine max_num_seqs=16 num_gpu_blocks=512"
                      . " max_model_len=512;\nvllm_mock_latency none;\n"
                      . "vllm_mock_model m;\n" . ($block->http || ''));
    $block->set_value('more_headers', 'Content-Type: application/json')
        if !defined $block->more_headers;
});

no_long_string();
no_root_location();
run_tests();

__DATA__

=== TEST 1: each has counters of its own
--- config
vllm_mock_fleet 3 by=$arg_pod;
location / { vllm_mock m; add_header x-replica $vllm_mock_replica; }
--- request eval
["POST /v1/completions?pod=0\n" . '{"model": "m", "prompt": "a", "max_tokens": 5}',
 "POST /v1/completions?pod=1\n" . '{"model": "m", "prompt": "a", "max_tokens": 7}',
 "POST /v1/completions?pod=4\n" . '{"model": "m", "prompt": "a", "max_tokens": 2}',
 "GET /metrics?pod=0", "GET /metrics?pod=1", "GET /metrics?pod=2"]
--- response_headers eval
["x-replica: 0", "x-replica: 1", "x-replica: 1", "x-replica: 0",
 "x-replica: 1", "x-replica: 2"]
--- response_body_like eval
['"completion_tokens":5', '"completion_tokens":7', '"completion_tokens":2',
 '(?m)^vllm:generation_tokens_total\{\S+ 5\.0$',
 '(?m)^vllm:generation_tokens_total\{\S+ 9\.0$',
 '(?m)^vllm:generation_tokens_total\{\S+ 0\.0$']
--- no_error_log
[error]



=== TEST 2: overrides and adapters too
--- config
vllm_mock_fleet 2 by=$arg_pod;
vllm_mock_lora_paths any;
vllm_mock_args --enable-lora;
location / { vllm_mock m; }
--- request eval
["POST /set_metrics?pod=1\n" . '{"running": 7}',
 "POST /v1/load_lora_adapter?pod=0\n" . '{"lora_name": "l", "lora_path": "/l"}',
 "GET /metrics?pod=0", "GET /metrics?pod=1", "GET /v1/models?pod=0",
 "GET /v1/models?pod=1"]
--- response_body_like eval
['', 'added', '(?m)^vllm:num_requests_running\{\S+ 0\.0$',
 '(?m)^vllm:num_requests_running\{\S+ 7\.0$', '"id":"l"', '^(?!.*"id":"l")']



=== TEST 3: by the port's place, if nothing is said
--- http
server { listen 127.0.0.1:1; vllm_mock_fleet 8; location / { vllm_mock m; } }
--- config
vllm_mock_fleet 8;
location / { vllm_mock m; add_header x-replica $vllm_mock_replica; }
--- request eval
["GET /version", "GET /version"]
--- response_headers eval
["x-replica: 1", "x-replica: 1"]



=== TEST 4: an engine of each runs by itself
--- http
vllm_mock_latency constant ttft=1ms itl=1ms;
--- config
vllm_mock_fleet 2 by=$arg_pod;
location / { vllm_mock m; }
--- request eval
[map { "POST /v1/completions?pod=$_\n" . '{"model": "m", "prompt": "a", "max_tokens": 20, "stream": true}' } 0 .. 3]
--- response_body_like eval
[map { '\[DONE\]' } 0 .. 3]



=== TEST 5: a fleet that is no fleet
--- config
vllm_mock_fleet 0;
location / { vllm_mock m; }
--- must_die
--- error_log
invalid value "0" of vllm_mock_fleet: 1 to 1024 replicas



=== TEST 6: a parameter that is none
--- config
vllm_mock_fleet 2 with=$arg_pod;
location / { vllm_mock m; }
--- must_die
--- error_log
invalid parameter "with=$arg_pod" of vllm_mock_fleet: by=$variable



=== TEST 7: a variable that is none
--- config
vllm_mock_fleet 2 by=$nowhere;
location / { vllm_mock m; }
--- must_die
--- error_log
unknown "nowhere" variable



=== TEST 8: a zone that is too small for it
--- http_config
vllm_mock_zone m 32m;
--- config
vllm_mock_fleet 64;
location / { vllm_mock m; }
--- must_die
--- error_log
zone "m" is too small
