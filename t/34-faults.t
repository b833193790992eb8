# Faults on purpose.

use Test::Nginx::Socket;

plan 'no_plan';

$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();

our $ask = "POST /v1/completions\n"
    . '{"model": "m", "prompt": "a", "max_tokens": 8}';
our $stream = "POST /v1/completions\n"
    . '{"model": "m", "prompt": "a", "max_tokens": 8, "stream": true}';

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value('http_config', "vllm_mock_zone m 48m;\n"
                      . ($block->http || ''));
    $block->set_value('config', "vllm_mock_model m;\n"
                      . "vllm_mock_latency constant ttft=2ms itl=2ms;\n"
                      . ($block->serve || '')
                      . "\nlocation / { vllm_mock m; "
                      . ($block->place || '') . ' }');
    $block->set_value('more_headers', 'Content-Type: application/json')
        if !defined $block->more_headers;
});

no_long_string();
no_root_location();
log_level('info');
run_tests();

__DATA__

=== TEST 1: an error
--- place: vllm_mock_fault error;
--- request eval
[$main::ask, "GET /version"]
--- error_code eval
[500, 500]
--- response_body_like eval
[map { '^\{"error":\{"message":"A fault that the server was told to have\.","type":"Internal Server Error","param":null,"code":500\}\}$' } 1 .. 2]
--- no_error_log
[error]



=== TEST 2: another one, where a variable says so
--- http
map $http_x_fault $limited { default 0; limit 1; }
--- place
vllm_mock_fault error status=429 "message=slow down" when=$limited;
vllm_mock_fault error status=503 when=$http_x_broken;
--- request eval
[$main::ask, $main::ask, $main::ask, $main::ask]
--- more_headers eval
my $json = 'Content-Type: application/json';
[$json, "X-Fault: limit\n$json", "X-Broken: yes\n$json", "X-Broken: 0\n$json"]
--- error_code eval
[200, 429, 503, 200]
--- response_body_like eval
['completion_tokens', '"message":"slow down","type":"Too Many Requests","param":null,"code":429',
 '"type":"Service Unavailable"', 'completion_tokens']



=== TEST 3: never, and always
--- place
vllm_mock_fault error rate=0%;
vllm_mock_fault error status=502 rate=100;
--- request eval
[map { $main::ask } 1 .. 5]
--- error_code eval
[map { 502 } 1 .. 5]



=== TEST 4: a connection that is closed without an answer
--- place: vllm_mock_fault drop when=$arg_drop;
--- request
GET /version?drop=1
--- ignore_response
--- no_error_log
[error]



=== TEST 5: a delay, before the endpoint looks
--- place: vllm_mock_fault delay time=300ms when=$arg_late endpoint=*;
--- http
log_format took '$request_uri took $request_time';
--- serve
access_log logs/access.log took;
--- request eval
["GET /version?late=1", "GET /metrics?late=1",
 "POST /v1/completions?late=1\n" . '{"model": "m", "prompt": "a", "max_tokens": 2}',
 "POST /v1/completions?late=1\n" . '{"model": "m", "prompt": "a", "max_tokens": 2, "stream": true}']
--- response_body_like eval
['0\.32', 'vllm:', 'completion_tokens', '\[DONE\]']
--- access_log eval
# two clocks, each cut to milliseconds
qr/\?late=1 took 0\.(?:299|[3-9])/
--- no_error_log
[error]



=== TEST 6: a stream that breaks off
--- place: vllm_mock_fault cut after=3;
--- request eval
$main::stream
--- ignore_response
--- no_error_log
[error]



=== TEST 7: a stream that stalls, then goes on
--- place: vllm_mock_fault stall after=3 time=200ms;
--- request eval
[$main::stream, $main::ask]
--- response_body_like eval
['(?s)(?:data: \{.*?){8}.*\[DONE\]', '"completion_tokens":8']



=== TEST 8: the place where none is
--- serve
vllm_mock_fault error;
location /v1/models { vllm_mock m; vllm_mock_fault error rate=0; }
--- request eval
["GET /v1/models", "GET /version"]
--- error_code eval
[200, 500]



=== TEST 9: a kind that is none
--- place: vllm_mock_fault explode;
--- must_die
--- error_log
invalid kind "explode" of vllm_mock_fault: error, drop, delay, disconnect or stall



=== TEST 10: a parameter of another kind
--- place: vllm_mock_fault drop status=500;
--- must_die
--- error_log
invalid parameter "status=500" of vllm_mock_fault



=== TEST 11: a rate that is none
--- place: vllm_mock_fault error rate=101%;
--- must_die
--- error_log
invalid parameter "rate=101%" of vllm_mock_fault



=== TEST 12: a delay without a time
--- place: vllm_mock_fault delay;
--- must_die
--- error_log
vllm_mock_fault delay needs time=TIME



=== TEST 90: a share that may be 0.3% or 30%
--- place
vllm_mock_fault error rate=0.3;
--- must_die
--- error_log
invalid parameter "rate=0.3" of vllm_mock_fault: rate=0% to 100%, with the sign below 1% and at 1 (0.3 could be 0.3% or 30%)



=== TEST 91: a text that is no variable
--- place
vllm_mock_fault error when=http_x_broken;
--- must_die
--- error_log
invalid parameter "when=http_x_broken" of vllm_mock_fault



=== TEST 92: a small share with its sign, at a variable within a text
--- place
vllm_mock_fault error rate=0.0% when=a$http_x_broken;
--- request eval: $main::ask
--- error_code: 200



=== TEST 93: whoever looks how the server is, and sets it, is left alone
--- serve: vllm_mock_endpoints all;
--- place: vllm_mock_fault error status=503;
--- request eval
[$main::ask, "GET /v1/models", "GET /version", "GET /health", "GET /ping", "GET /ready", "GET /health/ready",
 "GET /metrics", "GET /admin/config", "GET /admin/state", "POST /set_metrics\n{}", "GET /"]
--- error_code eval
[503, 503, 503, (200) x 9]



=== TEST 94: unless they are named
--- place
vllm_mock_fault error status=503 endpoint=/health;
vllm_mock_fault error status=500 endpoint=/v1/*;
vllm_mock_fault drop endpoint=* when=$arg_drop;
--- request eval
["GET /health", "GET /ping", "GET /metrics", "GET /v1/models", "GET /version",
 $main::ask]
--- error_code eval
[503, 200, 200, 500, 200, 500]



=== TEST 95: what is no endpoint
--- place
vllm_mock_fault error endpoint=health;
--- must_die
--- error_log
invalid parameter "endpoint=health" of vllm_mock_fault
