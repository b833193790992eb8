# API keys: where they come from, which paths they guard.

use Test::Nginx::Socket;

plan 'no_plan';

$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();

add_block_preprocessor(sub {
    my $block = shift;

    # nginx reads it when it starts

    delete @ENV{qw( API_KEY VLLM_API_KEY VLLM_SERVER_DEV_MODE )};

    for my $line (split /\n/, $block->environment || '') {
        my ($name, $value) = split /=/, $line, 2;
        $ENV{$name} = $value;
    }

    $block->set_value('http_config', 'vllm_mock_zone m 48m;'
                      . ($block->http || ''));
    $block->set_value('config', "vllm_mock_model m;\n"
                      . ($block->serve || '')
                      . "\nlocation / { vllm_mock m; }")
        if !defined $block->config;
});

no_long_string();
no_root_location();
log_level('info');
run_tests();

__DATA__

=== TEST 1: open
--- request
GET /v1/models
--- response_body_like: "object":"list"



=== TEST 2: a key, right and wrong
--- serve
vllm_mock_api_key right;
--- request eval
[map { "GET /v1/models" } 1 .. 8]
--- more_headers eval
["Authorization: Bearer right", "X: 1", "Authorization: Bearer wrong",
 "Authorization: right", "Authorization: Basic right",
 "Authorization: Bearer righ", "Authorization: Bearer rightt",
 "authorization: bearer right"]
--- error_code eval
[200, 401, 401, 401, 401, 401, 401, 200]
--- response_headers eval
["Content-Type: application/json", map { "Content-Type: application/json" }
 1 .. 7]
--- response_body_like eval
['"object"', (map { '^\{"error":"Unauthorized"\}$' } 1 .. 6), '"object"']



=== TEST 3: what is guarded, and what is not
--- serve
vllm_mock_api_key k;
--- request eval
["GET /v1/models", "POST /v1/chat/completions\n{}", "GET /v1/nowhere",
 "GET /v1", "GET /health", "GET /metrics", "GET /version",
 "POST /tokenize\n{}", "GET /nowhere", "OPTIONS /v1/models"]
--- error_code eval
[401, 401, 401, 401, 200, 200, 200, 400, 404, 405]



=== TEST 4: several keys, and those of a location
--- http
vllm_mock_api_key outer;
--- config
vllm_mock_model m;
location / { vllm_mock m; }
location /v1/models { vllm_mock m; vllm_mock_api_key a b; vllm_mock_api_key c; }
--- request eval
[map { "GET /v1/models" } 1 .. 4]
--- more_headers eval
["Authorization: Bearer a", "Authorization: Bearer b",
 "Authorization: Bearer c", "Authorization: Bearer outer"]
--- error_code eval
[200, 200, 200, 401]



=== TEST 5: a file of keys
--- user_files
>>> keys
# ours
one

two  
--- serve
vllm_mock_api_key_file $TEST_NGINX_HTML_DIR/keys;
--- request eval
[map { "GET /v1/models" } 1 .. 4]
--- more_headers eval
["Authorization: Bearer one", "Authorization: Bearer two",
 "Authorization: Bearer # ours", "Authorization: Bearer "]
--- error_code eval
[200, 200, 401, 401]



=== TEST 6: no such file
--- serve
vllm_mock_api_key_file /nonexistent/keys;
--- must_die
--- error_log
cannot open "/nonexistent/keys"



=== TEST 7: vLLM's argument
--- serve
vllm_mock_args --api-key x y;
--- request eval
[map { "GET /v1/models" } 1 .. 3]
--- more_headers eval
["Authorization: Bearer x", "Authorization: Bearer y",
 "Authorization: Bearer z"]
--- error_code eval
[200, 200, 401]



=== TEST 8: the directive wins over it
--- serve
vllm_mock_args --api-key x;
vllm_mock_api_key y;
--- request eval
[map { "GET /v1/models" } 1 .. 2]
--- more_headers eval
["Authorization: Bearer x", "Authorization: Bearer y"]
--- error_code eval
[401, 200]



=== TEST 9: the environment
--- environment
API_KEY=e
--- request eval
[map { "GET /v1/models" } 1 .. 2]
--- more_headers eval
["Authorization: Bearer e", "Authorization: Bearer x"]
--- error_code eval
[200, 401]



=== TEST 10: vLLM's own name in the environment
--- environment
VLLM_API_KEY=v
--- request eval
[map { "GET /v1/models" } 1 .. 2]
--- more_headers eval
["Authorization: Bearer v", "Authorization: Bearer x"]
--- error_code eval
[200, 401]



=== TEST 11: an empty one is none
--- environment
API_KEY=
--- request
GET /v1/models
--- response_body_like: "object":"list"



=== TEST 12: several headers
--- serve
vllm_mock_api_key k;
--- more_headers
Authorization: Bearer k
Authorization: Bearer x
--- request
GET /v1/models
--- error_code: 400



=== TEST 13: CORS comes before the endpoint
--- serve
vllm_mock_args --allowed-origins '["*"]';
--- more_headers
Origin: http://example.com
Access-Control-Request-Method: POST
--- request
OPTIONS /v1/chat/completions
--- response_headers
Access-Control-Allow-Origin: *
Access-Control-Max-Age: 600
--- response_body: OK



=== TEST 14: CORS of some origins only
--- serve
vllm_mock_args --allowed-origins '["http://a.com"]';
--- request eval
["GET /health", "GET /health"]
--- more_headers eval
["Origin: http://a.com", "Origin: http://b.com"]
--- response_headers eval
["Access-Control-Allow-Origin: http://a.com", "!Access-Control-Allow-Origin"]



=== TEST 90: what is the mock's own needs the key, if there is one
--- serve: vllm_mock_api_key sesame; vllm_mock_endpoints all;
--- more_headers
Content-Type: application/json
--- request eval
["POST /set_metrics\n" . '{"running": 7}', "GET /admin/config",
 "POST /admin/config\n{}", "GET /admin/state", "GET /admin/requests",
 "POST /CreateUser\n" . '{"name": "ann"}', "POST /ReadUser\n" . '{"name": "ann"}',
 "POST /sleep", "POST /pause", "GET /is_sleeping", "GET /is_paused",
 "GET /", "GET /health", "GET /metrics"]
--- error_code eval
[(401) x 11, 200, 200, 200]
--- response_body_like eval
[('^\{"error":"Unauthorized"\}$') x 11, '<!doctype html>', '^$',
 '(?s)num_requests_running\{\S+\} 0\.0\n']



=== TEST 91: and takes it
--- serve: vllm_mock_api_key sesame; vllm_mock_endpoints all;
--- more_headers
Content-Type: application/json
Authorization: Bearer sesame
--- request eval
["POST /set_metrics\n" . '{"running": 7}', "GET /admin/config",
 "GET /admin/state", "POST /sleep", "GET /is_sleeping", "POST /wake_up",
 "GET /metrics"]
--- error_code eval
[200, 200, 200, 200, 200, 200, 200]
--- response_body_like eval
['success', 'models', 'asleep', 'sleeping', 'true', 'awake',
 '(?s)num_requests_running\{\S+\} 7\.0\n']



=== TEST 92: a part of the key, the key and more, another one of its length
--- serve: vllm_mock_api_key sesame sesam2 x;
--- request eval
["GET /v1/models", "GET /v1/models", "GET /v1/models", "GET /v1/models",
 "GET /v1/models"]
--- more_headers eval
["Authorization: Bearer sesam", "Authorization: Bearer sesamesesame",
 "Authorization: Bearer sesama", "Authorization: Bearer xx",
 "Authorization: Bearer x"]
--- error_code eval
[401, 401, 401, 401, 200]



=== TEST 93: open beside a key
--- serve: vllm_mock_api_key sesame; vllm_mock_admin open;
--- more_headers
Content-Type: application/json
--- request eval
["POST /set_metrics\n" . '{"running": 7}', "GET /admin/state",
 "GET /v1/models"]
--- error_code eval
[200, 200, 401]



=== TEST 94: development endpoints that vLLM itself opens are as open as there
--- environment
VLLM_SERVER_DEV_MODE=1
--- serve: vllm_mock_api_key sesame;
--- request eval
["GET /is_sleeping", "POST /pause", "POST /resume", "GET /admin/state"]
--- error_code eval
[200, 200, 200, 401]



=== TEST 95: no form of another site
--- serve: vllm_mock_endpoints all;
--- request eval
["POST /sleep", "POST /sleep\na=b", "POST /sleep", "POST /sleep",
 "POST /wake_up", "POST /abort_requests\n{}", "POST /abort_requests\n{}",
 "GET /admin/state"]
--- more_headers eval
["", "Content-Type: application/x-www-form-urlencoded",
 "Origin: http://elsewhere.example", "Sec-Fetch-Site: cross-site",
 "Sec-Fetch-Site: same-origin", "Content-Type: text/plain",
 "Content-Type: application/json", "Sec-Fetch-Site: cross-site"]
--- error_code eval
[200, 403, 403, 403, 200, 403, 200, 200]
--- response_body_like eval
['sleeping', ('needs Content-Type: application/json') x 3, 'awake',
 'needs Content-Type: application/json', 'aborted', 'engines']



=== TEST 96: the hosts by which it is reached
--- serve: vllm_mock_admin_hosts localhost mock.example;
--- request eval
["GET /admin/state", "GET /admin/state", "GET /admin/state", "GET /health"]
--- more_headers eval
["Host: localhost", "Host: Mock.example:8000", "Host: rebound.example",
 "Host: rebound.example"]
--- error_code eval
[200, 200, 403, 200]
--- response_body_like eval
['engines', 'engines', 'not among vllm_mock_admin_hosts', '^$']
