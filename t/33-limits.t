# Rate limits, and users with limits of their own.

use Test::Nginx::Socket;

plan 'no_plan';

$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();

sub ask {
    my ($tokens, $stream) = @_;
    return "POST /v1/completions\n" . '{"model": "m", "prompt": "a", '
        . '"max_tokens": ' . $tokens . ($stream ? ', "stream": true' : '')
        . '}';
}

$main::ask = \&ask;

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value('http_config', "vllm_mock_zone m 48m;\n"
                      . ($block->http || ''));
    $block->set_value('config', "vllm_mock_model m;\nvllm_mock_latency none;\n"
                      . "vllm_mock_endpoints all;\n" . ($block->serve || '')
                      . "\nlocation / { vllm_mock m; "
                      . ($block->place || '') . ' }');
    $block->set_value('more_headers', 'Content-Type: application/json')
        if !defined $block->more_headers;
});

no_long_string();
no_root_location();
run_tests();

__DATA__

=== TEST 1: requests a minute
--- place: vllm_mock_rate_limit rpm=2;
--- request eval
[$main::ask->(1), $main::ask->(1, 1), $main::ask->(1), "GET /version"]
--- error_code eval
[200, 200, 429, 200]
--- response_headers eval
["x-ratelimit-limit-requests: 2\nx-ratelimit-remaining-requests: 1\n!x-ratelimit-limit-tokens",
 "x-ratelimit-remaining-requests: 0", "retry-after: 30\nx-ratelimit-remaining-requests: 0",
 "!x-ratelimit-limit-requests"]
--- response_body_like eval
['completion_tokens', '\[DONE\]',
 '^\{"error":\{"message":"Rate limit reached: 2 requests per minute\. Please try again in 30s\.","type":"Too Many Requests","param":null,"code":429\}\}$',
 '0\.32']



=== TEST 2: tokens a minute, taken when a request is over
--- place: vllm_mock_rate_limit tpm=20;
--- request eval
[$main::ask->(10), $main::ask->(10), $main::ask->(10)]
--- error_code eval
[200, 200, 429]
--- response_headers eval
["x-ratelimit-remaining-tokens: 20", "x-ratelimit-limit-tokens: 20",
 "x-ratelimit-remaining-tokens: 0"]
--- response_body_like eval
['', '', 'Rate limit reached: 20 tokens per minute']



=== TEST 3: each key has its own
--- serve: vllm_mock_rate_limit rpm=1 by=$http_x_team;
--- request eval
[$main::ask->(1), $main::ask->(1), $main::ask->(1), $main::ask->(1)]
--- more_headers eval
["X-Team: a\nContent-Type: application/json", "X-Team: b\nContent-Type: application/json",
 "X-Team: a\nContent-Type: application/json", "Content-Type: application/json"]
--- error_code eval
[200, 200, 429, 200]



=== TEST 4: a place below has other limits
--- serve
vllm_mock_rate_limit rpm=1;
location /v1/models { vllm_mock m; }
location /v1/chat { vllm_mock m; vllm_mock_rate_limit rpm=1000; }
--- request eval
[$main::ask->(1), "GET /v1/models", "GET /v1/models",
 "POST /v1/chat/completions\n" . '{"messages": [{"role": "user", "content": "a"}], "max_tokens": 1}']
--- error_code eval
[200, 200, 200, 200]
--- response_headers eval
["x-ratelimit-limit-requests: 1", "!x-ratelimit-limit-requests", "!x-ratelimit-limit-requests",
 "x-ratelimit-limit-requests: 1000"]



=== TEST 5: users
--- serve: vllm_mock_rate_limit by=$http_user;
--- more_headers eval
my $json = 'Content-Type: application/json';
[$json, "User: ann\n$json", "User: ann\n$json", "User: bob\n$json", $json, $json, "User: ann\n$json",
 $json, $json, $json, "User: ann\n$json", $json, $json]
--- request eval
['POST /CreateUser' . "\n" . '{"name": "ann", "rpm": 1, "tpm": 1000}',
 $main::ask->(1), $main::ask->(1), $main::ask->(1),
 'POST /CreateUser' . "\n" . '{"name": "ann", "rpm": 5}',
 'POST /UpdateUser' . "\n" . '{"name": "ann", "rpm": 60000, "tpm": 60000}',
 $main::ask->(1),
 'POST /ReadUser' . "\n" . '{"name": "ann"}',
 'POST /DeleteUser' . "\n" . '{"name": "ann"}',
 'POST /ReadUser' . "\n" . '{"name": "ann"}',
 $main::ask->(1),
 'POST /CreateUser' . "\n" . '{"rpm": 1}',
 'POST /UpdateUser' . "\n" . '{"name": "carl", "rpm": -1}']
--- error_code eval
[200, 200, 429, 200, 200, 200, 200, 200, 200, 404, 200, 400, 400]
--- response_body_like eval
['^Created User: \{Name:ann Rpm:1 Tpm:1000\}$', 'completion_tokens', 'Rate limit', 'completion_tokens',
 '^User: ann exists$', '^Updated User: \{Name:ann Rpm:60000 Tpm:60000\}$', 'completion_tokens',
 '^User: \{Name:ann Rpm:60000 Tpm:60000\}$', '^Deleted User: \{Name:ann Rpm:60000 Tpm:60000\}$',
 'User: ann does not exist', 'completion_tokens', "'missing', 'loc': 'body.name'", 'greater_than_equal']



=== TEST 6: wrong limits
--- serve: vllm_mock_rate_limit rpm=0;
--- must_die
--- error_log
invalid parameter "rpm=0" of vllm_mock_rate_limit



=== TEST 7: no variable
--- serve: vllm_mock_rate_limit rpm=1 by=$nowhere;
--- must_die
--- error_log
unknown "nowhere" variable
