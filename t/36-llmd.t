# What users of llm-d's simulator and of AIBrix's mocked application expect.

use Test::Nginx::Socket;

plan 'no_plan';

our $ask = "POST /v1/completions\n"
    . '{"model": "m", "prompt": "a", "max_tokens": 3}';
our $long = join ' ', ('one two three four') x 20;

add_block_preprocessor(sub {
    my $block = shift;

    # nginx reads it when it starts

    delete @ENV{qw( POD_NAME POD_NAMESPACE )};

    for my $line (split /\n/, $block->environment || '') {
        my ($name, $value) = split /=/, $line, 2;
        $ENV{$name} = $value;
    }

    $block->set_value('http_config', "vllm_mock_zone m 48m;\n");
    $block->set_value('config', "vllm_mock_model m;\nvllm_mock_latency none;\n"
                      . (defined $block->strict ? '' : "vllm_mock_endpoints all;\n")
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

=== TEST 1: X-Return-Error
--- request eval
[$main::ask, $main::ask, $main::ask, $main::ask,
 "POST /v1/chat/completions\n" . '{"model": "m", "messages": []}',
 "POST /v1/embeddings\n" . '{"model": "m", "input": "a"}', "GET /metrics"]
--- more_headers eval
my $json = 'Content-Type: application/json';
["X-Return-Error: 429\n$json", "X-Return-Error: often\n$json", "X-Return-Error: 200\n$json", $json,
 "X-Return-Error: 500\n$json", "X-Return-Error: 500\n$json", "X-Return-Error: 500"]
--- error_code eval
[429, 400, 400, 200, 500, 200, 200]
--- response_body_like eval
['"type":"Too Many Requests","param":null,"code":429', 'must be a status', 'must be a status', 'completion_tokens',
 '"code":500', 'embedding', 'vllm:']



=== TEST 2: not where the server is as strict as vLLM
--- strict
--- environment
POD_NAME=pod-7
--- request eval
[$main::ask, "POST /v1/completions\n" . '{"model": "m", "prompt": "a", "max_tokens": 3, "cache_hit_threshold": 5}']
--- more_headers eval
my $json = 'Content-Type: application/json';
["X-Return-Error: 429\n$json", "X-Cache-Threshold-Finish-Reason: true\n$json"]
--- error_code eval
[200, 200]
--- response_headers eval
["!x-inference-pod", "!x-inference-pod"]
--- response_body_like eval
['completion_tokens', '"finish_reason":"length"']



=== TEST 3: which pod answered
--- environment
POD_NAME=pod-7
POD_NAMESPACE=team-a
--- request eval
[$main::ask, "POST /v1/completions\n" . '{"model": "m", "prompt": "a", "max_tokens": 3, "stream": true}', "GET /health"]
--- response_headers eval
my $all = "x-inference-pod: pod-7\nx-inference-namespace: team-a\nx-inference-port: $ENV{TEST_NGINX_SERVER_PORT}";
[$all, $all, "!x-inference-pod"]



=== TEST 4: without a namespace, without a pod
--- environment
POD_NAME=pod-7
--- request eval
[$main::ask]
--- response_headers eval
["x-inference-pod: pod-7\n!x-inference-namespace"]



=== TEST 5: nothing is known
--- request eval
[$main::ask]
--- response_headers eval
["!x-inference-pod\n!x-inference-port"]



=== TEST 6: a prompt of which too little is in the cache is not answered
--- request eval
my $body = '{"model": "m", "prompt": "' . $main::long . '", "max_tokens": 3, "cache_hit_threshold": %s%s}';
my $chat = '{"model": "m", "messages": [{"role": "user", "content": "' . $main::long . '"}], "max_tokens": 3%s}';
[(map { "POST /v1/completions\n" . sprintf($body, @$_) } [0.5, ''], [0, ''], [0.5, ''], [1, ''], [1, ', "stream": true'], [2, ''], ['"x"', '']),
 "POST /v1/chat/completions\n" . sprintf($chat, ', "cache_hit_threshold": 0.8'),
 "POST /v1/chat/completions\n" . sprintf($chat, ', "cache_hit_threshold": null'),
 "POST /v1/chat/completions\n" . sprintf($chat, ', "cache_hit_threshold": 0.8'), "GET /metrics"]
--- error_code eval
[200, 200, 200, 200, 200, 400, 400, 200, 200, 200, 200]
--- response_body_like eval
['"text":"",.*"finish_reason":"cache_threshold".*"completion_tokens":0', '"finish_reason":"length".*"completion_tokens":3',
 '"finish_reason":"length"', '"finish_reason":"cache_threshold"', '(?s)"finish_reason":"cache_threshold".*\[DONE\]',
 'cache_hit_threshold must be in \[0, 1\]', 'cache_hit_threshold must be in', '"finish_reason":"cache_threshold"',
 '"finish_reason":"length"', '"finish_reason":"length"',
 '(?s)request_success_total\{engine="0",finished_reason="length",model_name="m"\} 4\.0\n.*vllm_mock:streams 0\.0']



=== TEST 7: whatever is in the cache, if a header says so
--- request eval
[$main::ask, "POST /v1/chat/completions\n" . '{"model": "m", "messages": [{"role": "user", "content": "a"}]}']
--- more_headers
X-Cache-Threshold-Finish-Reason: true
Content-Type: application/json
--- response_body_like eval
['"finish_reason":"cache_threshold"', '"content":"".*"finish_reason":"cache_threshold"']



=== TEST 8: images in a rendered chat
--- serve: vllm_mock_args --enable-scale-out;
--- request eval
my $image = '{"type": "image_url", "image_url": {"url": "http://host/%s.png"}}';
my $chat = "POST /v1/chat/completions/render\n" . '{"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "what is this"}, %s]}]}';
my ($a, $b) = map { sprintf $image, $_ } 'a', 'b';
[sprintf($chat, $a), sprintf($chat, "$a, $b"), sprintf($chat, '{"type": "text", "text": "?"}'),
 sprintf($chat, '{"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}, ' . $b)]
--- response_body_like eval
my $hash = '"[0-9a-f]{64}"';
my $place = '\{"offset":\d+,"length":576\}';
["\"features\":\\{\"mm_hashes\":\\{\"image\":\\[$hash\\]\\},\"mm_placeholders\":\\{\"image\":\\[$place\\]\\},\"kwargs_data\":null\\}",
 "\"image\":\\[$hash,$hash\\]\\},\"mm_placeholders\":\\{\"image\":\\[$place,$place\\]\\}", '"features":null',
 "\"mm_hashes\":\\{\"image\":\\[$hash\\],\"audio\":\\[$hash\\]\\},\"mm_placeholders\":\\{\"image\":\\[$place\\],\"audio\":\\[\\{\"offset\":\\d+,\"length\":188\\}\\]"]



=== TEST 9: AIBrix's adapters that are not there
--- serve
vllm_mock_lora_paths any;
vllm_mock_engine max_loras=1;
--- request eval
[map { "POST /v1/load_lora_adapter\n" . qq({"lora_name": "l", "lora_path": "$_"}) } '/models/Nonexistent', '/invalid/path', '/models/good']
--- error_code eval
[404, 404, 200]
--- response_body_like eval
['No adapter found for /models/Nonexistent.*"type":"NotFoundError"', 'No adapter found for /invalid/path', 'Success']



=== TEST 10: AIBrix's answer to a wrong key
--- serve: vllm_mock_api_key sesame; vllm_mock_errors aibrix;
--- request eval
["GET /v1/models", "GET /admin/state"]
--- error_code eval
[401, 401]
--- response_body_like eval
[('^\{"error":\{"message":"[^"]+","type":"authentication_error","param":null,"code":"invalid_api_key"\}\}$') x 2]



=== TEST 11: others are not there
--- serve: vllm_mock_errors openai;
--- must_die
--- error_log
invalid value "openai" of vllm_mock_errors: vllm or aibrix
