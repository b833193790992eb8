# Every endpoint that generates nothing, and which settings open it.

use Test::Nginx::Socket;

plan 'no_plan';

$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value('http_config', 'vllm_mock_zone m 48m;');
    $block->set_value('config', "vllm_mock_model m;\n"
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

=== TEST 1: models
--- serve
vllm_mock_model n alias=o root=/models/n max_model_len=4096;
vllm_mock_lora l path=/p;
--- request
GET /v1/models
--- response_headers
Content-Type: application/json
Server: uvicorn
Vary: Origin
--- response_body_like chop
^\{"object":"list","data":\[\{"id":"m","object":"model","created":\d{10},"owned_by":"vllm","root":"/models/n","parent":null,"max_model_len":4096,"permission":\[\{"id":"modelperm-[0-9a-f]{16}".*\{"id":"n",.*\{"id":"o",.*\{"id":"l","object":"model","created":\d{10},"owned_by":"vllm","root":"/p","parent":"m"



=== TEST 2: one model
--- request eval
["GET /v1/models/m", "POST /v1/models", "GET /v1/models/"]
--- error_code eval
[404, 405, 307]
--- response_headers eval
["Content-Type: application/json", "Allow: GET",
 "Location: http://localhost/v1/models"]



=== TEST 3: the server itself
--- request eval
["GET /health", "GET /ping", "POST /ping", "GET /version", "GET /load"]
--- response_body eval
["", "", "", '{"version":"0.32.0"}', '{"server_load":0}']
--- error_code eval
[200, 200, 200, 200, 200]



=== TEST 4: the seed's own, only if asked for
--- request eval
["GET /ready", "GET /health/ready"]
--- response_body eval
['{"detail":"Not Found"}', '{"detail":"Not Found"}']
--- error_code eval
[404, 404]



=== TEST 5: the seed's own
--- serve
vllm_mock_endpoints all;
--- request eval
["GET /ready", "GET /health/ready"]
--- response_body eval
['{"status":"ready"}', '{"status":"ready"}']
--- error_code eval
[200, 200]



=== TEST 6: unknown paths, wrong methods
--- request eval
["GET /nowhere", "GET /v1", "GET /HEALTH", "POST /health",
 "GET /v1/chat/completions", "DELETE /v1/models", "GET /%68ealth"]
--- error_code eval
[404, 404, 404, 405, 405, 405, 200]
--- response_body eval
['{"detail":"Not Found"}', '{"detail":"Not Found"}',
 '{"detail":"Not Found"}', '{"detail":"Method Not Allowed"}',
 '{"detail":"Method Not Allowed"}', '{"detail":"Method Not Allowed"}', ""]



=== TEST 7: HEAD, where there is one
--- request
HEAD /docs
--- response_headers_like
Content-Type: text/html; charset=utf-8
Content-Length: \d+
--- response_body



=== TEST 8: HEAD, where there is none
--- request
HEAD /health
--- error_code: 405
--- response_headers
Allow: GET
--- response_body



=== TEST 9: the description
--- request
GET /openapi.json
--- response_body_like chop
^\{"openapi":"3.*"/v1/chat/completions"



=== TEST 10: no description
--- serve
vllm_mock_args --disable-fastapi-docs;
--- request eval
["GET /openapi.json", "GET /docs", "GET /redoc"]
--- error_code eval
[404, 404, 404]



=== TEST 11: tokens, there and back
--- request eval
["POST /tokenize\n" . '{"model": "m", "prompt": "hello world"}',
 "POST /detokenize\n" . '{"model": "m", "tokens": [21716, 338, 1499]}',
 "POST /tokenize\n" . '{"model": "m", "prompt": "a", "return_token_strs": true}',
 "POST /tokenize\n" . '{"model": "m", "messages": [{"role": "user", "content": "a"}]}',
 "POST /detokenize\n" . '{"model": "m", "tokens": [-1]}',
 "POST /tokenize\n" . '{"model": "m"}']
--- error_code eval
[200, 200, 200, 200, 400, 400]
--- response_body_like eval
['^\{"count":3,"max_model_len":\d+,"tokens":\[21716,338,1499\],"token_strs":null\}$',
 '^\{"prompt":"hello world"\}$',
 '"token_strs":\["',
 '"count":\d+',
 '"error"', '"error"']



=== TEST 12: the tokenizer
--- serve
vllm_mock_args --enable-tokenizer-info-endpoint;
--- request
GET /tokenizer_info
--- response_body_like chop
^\{.*"tokenizer_class":



=== TEST 13: the tokenizer is not for everybody
--- request
GET /tokenizer_info
--- error_code: 404



=== TEST 14: adapters come and go
--- serve
vllm_mock_endpoints all;
vllm_mock_lora_paths any;
vllm_mock_engine max_loras=2;
--- request eval
["POST /v1/load_lora_adapter\n" . '{"lora_name": "l", "lora_path": "/x"}',
 "POST /v1/load_lora_adapter\n" . '{"lora_name": "l", "lora_path": "/x"}',
 "POST /v1/completions\n" . '{"model": "l", "prompt": "a", "max_tokens": 1}',
 "GET /v1/models",
 "POST /v1/unload_lora_adapter\n" . '{"lora_name": "l"}',
 "POST /v1/unload_lora_adapter\n" . '{"lora_name": "l"}',
 "POST /v1/load_lora_adapter\n" . '{"lora_name": "", "lora_path": ""}']
--- error_code eval
[200, 400, 200, 200, 200, 404, 400]
--- response_body_like eval
["^Success: LoRA adapter 'l' added successfully\\.\$",
 "The lora adapter 'l' has already been loaded\\.",
 '"model":"l"', '"id":"l".*"parent":"m"',
 "^Success: LoRA adapter 'l' removed successfully\\.\$",
 "The lora adapter 'l' cannot be found\\.", '"error"']



=== TEST 15: an adapter must be there
--- serve
vllm_mock_endpoints all;
vllm_mock_engine max_loras=2;
--- request
POST /v1/load_lora_adapter
{"lora_name": "l", "lora_path": "/nonexistent"}
--- error_code: 404
--- response_body_like chop
No adapter found



=== TEST 16: an adapter that is there
--- serve
vllm_mock_endpoints all;
vllm_mock_engine max_loras=2;
--- user_files
>>> adapter/adapter_config.json
{"r": 8}
--- request eval
"POST /v1/load_lora_adapter\n"
. '{"lora_name": "l", "lora_path": "' . $ENV{TEST_NGINX_HTML_DIR} . '/adapter"}'
--- response_body_like chop
^Success



=== TEST 17: no adapters unless vLLM would take them
--- request
POST /v1/load_lora_adapter
{"lora_name": "l", "lora_path": "/x"}
--- error_code: 404
--- response_body: {"detail":"Not Found"}



=== TEST 18: SageMaker's names
--- serve
vllm_mock_endpoints all;
vllm_mock_lora_paths any;
vllm_mock_engine max_loras=2;
--- request eval
["POST /adapters\n" . '{"name": "l", "src": "/x"}',
 "DELETE /adapters/l",
 "POST /invocations\n" . '{"model": "m", "prompt": "a", "max_tokens": 1}',
 "POST /invocations\n" . '{"model": "m", "messages": [{"role": "user", "content": "a"}], "max_tokens": 1}']
--- error_code eval
[200, 200, 200, 200]
--- response_body_like eval
["^Adapter l registered", "^Adapter l unregistered", '"text_completion"', '"chat\.completion"']



=== TEST 19: embeddings of a server that generates, if asked for
--- serve
vllm_mock_endpoints all;
--- request eval
["POST /v1/embeddings\n" . '{"model": "m", "input": "a"}',
 "POST /v1/embeddings\n" . '{"model": "m", "input": ["a", "b"], "dimensions": 2}',
 "POST /v1/embeddings\n" . '{"model": "m", "input": "a", "encoding_format": "base64", "dimensions": 3}',
 "POST /v1/embeddings\n" . '{"model": "m"}']
--- error_code eval
[200, 200, 200, 400]
--- response_body_filters eval
sub { my $t = shift;
      my ($v) = $t =~ /"embedding":\[([^\]]*)\]/;
      my @v = split /,/, defined $v ? $v : '';
      my $s = 0;
      $s += $_ * $_ for @v;
      (@v ? @v . ' of length ' . sprintf('%.3f', sqrt $s) . ' ' : '') . $t }
--- response_body_like eval
['^1536 of length 1\.000 \{"id":"embd-', '^2 of length 1\.000 .*"index":0,.*"index":1,',
 '"embedding":"[A-Za-z0-9+/]{16}"', '"error"']



=== TEST 20: embeddings of a server that embeds
--- serve
vllm_mock_args --runner pooling --convert embed;
--- request eval
["POST /v1/embeddings\n" . '{"model": "m", "input": "a"}',
 "POST /v1/chat/completions\n" . '{"model": "m", "messages": []}']
--- error_code eval
[200, 404]
--- response_body_like eval
['"embedding":\[-?[0-9]', '"error"|"detail"']



=== TEST 21: no embeddings
--- request
POST /v1/embeddings
{"model": "m", "input": "a"}
--- error_code: 404



=== TEST 22: sleep
--- serve
vllm_mock_endpoints all;
--- request eval
["GET /is_sleeping", "POST /sleep?level=2", "GET /is_sleeping",
 "POST /wake_up?tags=weights", "POST /wake_up", "GET /is_sleeping",
 "POST /sleep?level=7", "POST /sleep?mode=loud"]
--- error_code eval
[200, 200, 200, 200, 200, 200, 400, 400]
--- response_body_like eval
['^\{"is_sleeping":false\}$', '^\{"status":"sleeping","level":2\}$',
 '^\{"is_sleeping":true\}$', '^\{"status":"sleeping","tags":\["weights"\]\}$',
 '^\{"status":"awake","tags":null\}$', '^\{"is_sleeping":false\}$',
 '"error"', '"error"']



=== TEST 23: pause, resets, aborts
--- serve
vllm_mock_endpoints all;
--- request eval
["POST /pause", "GET /is_paused", "POST /resume", "GET /is_paused",
 "POST /reset_prefix_cache", "POST /reset_mm_cache",
 "POST /reset_encoder_cache", "POST /abort_requests\n{}",
 "POST /abort_requests\n[]", "POST /pause?clear_cache=maybe"]
--- error_code eval
[200, 200, 200, 200, 200, 200, 200, 200, 400, 400]
--- response_body_like eval
['^\{"status":"paused"\}$', '^\{"is_paused":true\}$',
 '^\{"status":"resumed"\}$', '^\{"is_paused":false\}$',
 '^\{"success":true\}$', '^$', '^$',
 '^\{"status":"aborted","aborted":0\}$', '"error"', '"error"']



=== TEST 24: dev mode's own
--- serve
vllm_mock_endpoints all;
vllm_mock_args --tensor-parallel-size 2;
--- request eval
["GET /server_info", "GET /server_info?config_format=json",
 "GET /server_info?config_format=xml", "GET /get_world_size",
 "GET /kv_event_sources"]
--- error_code eval
[200, 200, 400, 200, 200]
--- response_body_like eval
['"vllm_config":', '"max_num_seqs":', '"error"', '^\{"world_size":2\}$',
 '^\{\}$']



=== TEST 25: not without it
--- request eval
["GET /server_info", "POST /sleep", "POST /pause", "GET /is_paused",
 "POST /abort_requests\n{}", "POST /reset_prefix_cache"]
--- error_code eval
[404, 404, 404, 404, 404, 404]



=== TEST 26: scale-out and elastic experts
--- request eval
["POST /inference/v1/generate\n{}", "POST /inference/v1/abort_requests\n{}",
 "POST /scale_elastic_ep\n" . '{"new_data_parallel_size": 2}',
 "POST /scale_elastic_ep\nx", "POST /is_scaling_elastic_ep"]
--- error_code eval
[403, 403, 200, 400, 200]



=== TEST 27: the mock's state
--- serve
vllm_mock_replicas 3;
vllm_mock_engine num_gpu_blocks=600 max_model_len=512 data_parallel=2;
--- request
GET /admin/state
--- response_body: {"engines":[{"current":true,"rank":0,"live":0,"running":0,"waiting":0,"used_blocks":0,"num_gpu_blocks":600,"steps":0},{"current":true,"rank":1,"live":0,"running":0,"waiting":0,"used_blocks":0,"num_gpu_blocks":600,"steps":0}],"paused":false,"asleep":false,"adapters":0,"overrides":0,"replicas":3}



=== TEST 28: no admin
--- serve
vllm_mock_admin off;
--- request eval
["GET /admin/state", "POST /set_metrics\n{}"]
--- error_code eval
[404, 404]



=== TEST 29: Anthropic's messages
--- serve
vllm_mock_latency none;
--- request eval
["POST /v1/messages\n" . '{"model": "m", "max_tokens": 3, "messages": [{"role": "user", "content": "hi"}]}',
 "POST /v1/messages\n" . '{"model": "m", "max_tokens": 3, "stream": true, "messages": [{"role": "user", "content": "hi"}]}',
 "POST /v1/messages/count_tokens\n" . '{"model": "m", "messages": [{"role": "user", "content": "hi"}]}']
--- error_code eval
[200, 200, 200]
--- response_body_like eval
['"type":"message".*"stop_reason":"max_tokens"',
 '^event: message_start\n.*event: message_stop\n', '"input_tokens":\d+']



=== TEST 30: OpenAI's responses
--- serve
vllm_mock_latency none;
--- request eval
["POST /v1/responses\n" . '{"model": "m", "max_output_tokens": 3, "input": "hi"}',
 "POST /v1/responses\n" . '{"model": "m", "max_output_tokens": 3, "input": "hi", "stream": true}',
 "GET /v1/responses/resp_1", "POST /v1/responses/resp_1/cancel"]
--- error_code eval
[200, 200, 404, 404]
--- response_body_like eval
['"object":"response"', '^event: response\.created\n.*response\.(?:completed|incomplete)\n',
 '"error"', '"error"']



=== TEST 31: pooling
--- serve
vllm_mock_args --runner pooling --convert embed;
--- request eval
["POST /v2/embed\n" . '{"model": "m", "texts": ["a"]}',
 "POST /score\n" . '{"model": "m", "text_1": "a", "text_2": ["b", "c"]}',
 "POST /v1/score\n" . '{"model": "m", "text_1": "a", "text_2": "b"}',
 "POST /rerank\n" . '{"model": "m", "query": "a", "documents": ["b", "c"]}',
 "POST /v1/rerank\n" . '{"model": "m", "query": "a", "documents": ["b"]}',
 "POST /v2/rerank\n" . '{"model": "m", "query": "a", "documents": ["b"]}',
 "POST /pooling\n" . '{"model": "m", "input": "a"}']
--- error_code eval
[200, 200, 200, 200, 200, 200, 200]
--- response_body_like eval
['"embeddings":', '"score":.*"score":', '"score":', '"relevance_score":',
 '"relevance_score":', '"relevance_score":', '"data":']



=== TEST 32: classes
--- serve
vllm_mock_args --runner pooling --convert classify;
--- request
POST /classify
{"model": "m", "input": "a"}
--- response_body_like chop
"label":"[^"]+","probs":\[



=== TEST 33: no pooling
--- request eval
["POST /score\n{}", "POST /rerank\n{}", "POST /pooling\n{}",
 "POST /classify\n{}", "POST /v2/embed\n{}"]
--- error_code eval
[404, 404, 404, 404, 404]



=== TEST 34: generative scoring
--- request eval
['POST /generative_scoring' . "\n" . '{"query": "blue? ", "items": ["sky", "grass"], "label_token_ids": [500, 600]}',
 'POST /generative_scoring' . "\n" . '{"query": [5, 6], "items": [[7]], "label_token_ids": [500], "item_first": true}',
 'POST /generative_scoring' . "\n" . '{"query": "a", "items": [], "label_token_ids": [1]}',
 'POST /generative_scoring' . "\n" . '{"query": "a", "items": ["b"], "label_token_ids": [99999]}',
 'POST /generative_scoring' . "\n" . '{"query": [99999], "items": [[1]], "label_token_ids": [1]}']
--- more_headers
Content-Type: application/json
--- error_code eval
[200, 200, 400, 400, 400]
--- response_body_like eval
['"object":"list".*"index":0,"object":"score","score":0\.\d+\},\{"index":1.*"completion_tokens":2,', '"score":1\.0\}',
 'items must contain', 'label_token_id 99999 is out of vocabulary range', 'Token id 99999 is out of vocabulary']



=== TEST 35: the class that a body of /invocations fits
--- serve: vllm_mock_args --runner pooling --convert embed;
--- request eval
[map { "POST /invocations\n$_" } '{"input": "a"}', '{"query": "a", "documents": ["b"]}',
 '{"text_1": "a", "text_2": "b"}', '{"data": 1}', '{"foo": 1}']
--- more_headers
Content-Type: application/json
--- error_code eval
[200, 200, 200, 400, 400]
--- response_body_like eval
['"object":"embedding"', '"relevance_score"', '"object":"score"', 'No IOProcessor plugin',
 'Cannot find suitable handler']



=== TEST 36: items of a response's input that fit no class
--- serve
vllm_mock_latency none;
--- request eval
[map { "POST /v1/responses\n" . '{"model": "m", "max_output_tokens": 3, "input": [' . $_ . ']}' }
 '{"role": "developer", "content": [{"type": "input_text", "text": "a"}]}',
 '{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]}',
 '{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},'
 . '{"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "a"}]}',
 '{"role": "critic", "content": "a"}', '{"role": "user"}', '{"role": "user", "content": [{"type": "text", "text": "a"}]}',
 '{"role": "assistant", "content": [{"type": "output_text", "text": "a"}]}',
 '{"type": "function_call_output", "call_id": "c", "output": 5}', '5', '{"type": "item_reference", "id": "x"}']
--- error_code eval
[200, 200, 200, 400, 400, 400, 400, 400, 400, 400]
--- response_body_like eval
[('"object":"response"') x 3,
 "'loc': 'body.input.0.EasyInputMessageParam.role'", "'loc': 'body.input.0.EasyInputMessageParam.content'",
 "ResponseInputTextParam.type'", "'loc': 'body.input.0.Message.content.0.ResponseInputFileParam.type'",
 "'loc': 'body.input.0.ResponseOutputMessageParam.role'", "'type': 'dict_type'", 'Unsupported input item type: item_reference']



=== TEST 37: an engine wakes when all of its memory is back
--- serve
vllm_mock_endpoints all;
--- request eval
["POST /sleep", "POST /wake_up?tags=x%FF", "POST /wake_up?tags=scheduling", "POST /wake_up?tags=kv_cache&tags=y",
 "GET /is_sleeping", "GET /is_paused", "GET /metrics", "POST /sleep", "POST /wake_up?tags=weights", "GET /is_sleeping",
 "GET /metrics", "POST /sleep?level=0", "POST /wake_up?tags=x", "POST /wake_up?tags=weights", "GET /is_sleeping"]
--- response_body_like eval
['"level":1', '^\{"status":"sleeping","tags":\["x\xef\xbf\xbd"\]\}$', '^\{"status":"sleeping","tags":\["scheduling"\]\}$',
 '^\{"status":"sleeping","tags":\["kv_cache","y"\]\}$', 'true', 'true', 'sleep_state="weights_offloaded"\} 1.0',
 '"level":1', '^\{"status":"awake","tags":\["weights"\]\}$', 'false', 'sleep_state="awake"\} 1.0',
 '"level":0', '^\{"status":"sleeping","tags":\["x"\]\}$', '^\{"status":"awake","tags":\["weights"\]\}$', 'false']
