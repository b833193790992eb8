# POST /v1/chat/completions and /v1/completions: answers, streams, errors.

use Test::Nginx::Socket;

plan 'no_plan';

$ENV{POD_NAME} = 'pod-7';

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

=== TEST 1: an answer, whole
--- serve
vllm_mock_output tokens=4;
--- request
POST /v1/chat/completions
{"model": "m", "messages": [{"role": "user", "content": "hi"}]}
--- response_headers
Content-Type: application/json
Server: uvicorn
!Transfer-Encoding
--- response_body_like chop
^\{"id":"chatcmpl-[0-9a-f]{16}","object":"chat\.completion","created":\d{10},"model":"m","choices":\[\{"index":0,"message":\{"role":"assistant","content":"[^"]+",.*"finish_reason":"stop".*"usage":\{"prompt_tokens":14,"total_tokens":18,"completion_tokens":4,.*\}$
--- no_error_log
[error]



=== TEST 2: max_tokens is the length
--- request
POST /v1/chat/completions
{"model": "m", "max_tokens": 7, "messages": [{"role": "user", "content": "hi"}]}
--- response_body_like chop
"finish_reason":"length".*"completion_tokens":7,
--- no_error_log
[error]



=== TEST 3: the older and the newer name of it
--- request
POST /v1/chat/completions
{"model": "m", "max_completion_tokens": 3, "messages": [{"role": "user", "content": "hi"}]}
--- response_body_like chop
"completion_tokens":3,
--- no_error_log
[error]



=== TEST 4: a stream: role, a token each, finish, end
--- serve
vllm_mock_output tokens=3;
--- request
POST /v1/chat/completions
{"model": "m", "stream": true, "messages": [{"role": "user", "content": "hi"}]}
--- response_headers
Content-Type: text/event-stream; charset=utf-8
Transfer-Encoding: chunked
!Content-Length
--- response_body_like chop
^data: \{"id":"(chatcmpl-[0-9a-f]{16})","object":"chat\.completion\.chunk",[^\n]*"delta":\{"role":"assistant","content":""\}[^\n]*"finish_reason":null[^\n]*\n\n(?:data: \{"id":"\1",[^\n]*"delta":\{"content":"[^"]+"\}[^\n]*\n\n){2}data: \{"id":"\1",[^\n]*"finish_reason":"stop"[^\n]*\n\ndata: \[DONE\]\n\n$
--- no_error_log
[error]



=== TEST 5: a stream with usage at its end
--- request
POST /v1/chat/completions
{"model": "m", "stream": true, "max_tokens": 2, "stream_options": {"include_usage": true}, "messages": [{"role": "user", "content": "hi"}]}
--- response_body_like chop
"finish_reason":"length"[^\n]*\n\ndata: [^\n]*"choices":\[\],"usage":\{"prompt_tokens":14,"total_tokens":16,"completion_tokens":2\}[^\n]*\n\ndata: \[DONE\]\n\n$
--- no_error_log
[error]



=== TEST 6: usage in every chunk
--- request
POST /v1/chat/completions
{"model": "m", "stream": true, "max_tokens": 2, "stream_options": {"include_usage": true, "continuous_usage_stats": true}, "messages": [{"role": "user", "content": "hi"}]}
--- response_body_like chop
"completion_tokens":0,.*"completion_tokens":1,.*"completion_tokens":2,
--- no_error_log
[error]



=== TEST 7: HTTP/1.0: chunked all the same, and the connection ends
--- serve
vllm_mock_output tokens=2;
gzip on;
gzip_types text/event-stream;
--- request
POST /v1/chat/completions HTTP/1.0
{"model": "m", "stream": true, "messages": [{"role": "user", "content": "hi"}]}
--- more_headers
Content-Type: application/json
Accept-Encoding: gzip
Connection: keep-alive
--- response_headers
Transfer-Encoding: chunked
Connection: close
!Content-Encoding
--- response_body_like chop
^data: \{.*data: \[DONE\]\n\n$



=== TEST 8: parts of content
--- request
POST /v1/chat/completions
{"model": "m", "max_tokens": 1, "messages": [{"role": "system", "content": "a"}, {"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]}]}
--- response_body_like chop
"completion_tokens":1,



=== TEST 9: echoed text
--- serve
vllm_mock_output text=echo tokens=5;
--- request
POST /v1/completions
{"model": "m", "prompt": "one two three four five six seven"}
--- response_body_like chop
"text":"one two three



=== TEST 10: the message names the model and the pod
--- serve
vllm_mock_output text=message tokens=40;
--- request
POST /v1/chat/completions
{"model": "m", "messages": [{"role": "user", "content": "hi"}]}
--- response_body_like chop
simulated message from m on pod pod-7



=== TEST 11: several choices
--- request
POST /v1/chat/completions
{"model": "m", "n": 3, "max_tokens": 2, "messages": [{"role": "user", "content": "hi"}]}
--- response_body_like chop
"index":0,.*"index":1,.*"index":2,.*"completion_tokens":6,



=== TEST 12: logprobs
--- request
POST /v1/chat/completions
{"model": "m", "max_tokens": 1, "logprobs": true, "top_logprobs": 2, "messages": [{"role": "user", "content": "hi"}]}
--- response_body_like chop
"logprobs":\{"content":\[\{"token":"[^"]+","logprob":-\d



=== TEST 13: the same seed, the same text
--- request eval
["POST /v1/completions\n" . '{"model": "m", "prompt": "x", "max_tokens": 4, "seed": 5}',
 "POST /v1/completions\n" . '{"model": "m", "prompt": "x", "max_tokens": 4, "seed": 5}']
--- response_body_filters eval
my $first;
sub { my $text = $_[0] =~ /"text":"([^"]*)"/ ? $1 : 'none';
      $first = $text if !defined $first;
      $text eq $first ? "same\n" : "$text, not $first\n" }
--- response_body eval
["same\n", "same\n"]
--- error_code eval
[200, 200]



=== TEST 14: completions
--- request
POST /v1/completions
{"model": "m", "prompt": ["a", "b"], "max_tokens": 2}
--- response_body_like chop
^\{"id":"cmpl-[0-9a-f]{16}","object":"text_completion",.*"index":0,"text":.*"index":1,"text":.*"finish_reason":"length".*"completion_tokens":4,



=== TEST 15: token ids as a prompt, echoed
--- request
POST /v1/completions
{"model": "m", "prompt": [1, 21716, 338, 1499], "max_tokens": 1, "echo": true}
--- response_body_like chop
"text":"<s>hello world.*"prompt_tokens":4,



=== TEST 16: lists of token ids
--- request
POST /v1/completions
{"model": "m", "prompt": [[1, 2], [3, 4, 5]], "max_tokens": 1}
--- response_body_like chop
"prompt_tokens":5,"total_tokens":7,"completion_tokens":2



=== TEST 17: completions, a stream
--- request
POST /v1/completions
{"model": "m", "prompt": "a", "max_tokens": 2, "stream": true}
--- response_body_like chop
^(?:data: \{"id":"cmpl-[^\n]*"text":"[^"]+"[^\n]*\n\n){2}data: \[DONE\]\n\n$



=== TEST 18: 10 to 500 tokens
--- serve
vllm_mock_output tokens=uniform:10:500;
--- request
POST /v1/completions
{"model": "m", "prompt": "a"}
--- response_body_like chop
"completion_tokens":(?:\d\d|[1-4]\d\d|500),



=== TEST 19: never more than the model takes
--- serve
vllm_mock_engine max_model_len=32;
vllm_mock_output tokens=400;
--- request
POST /v1/chat/completions
{"model": "m", "messages": [{"role": "user", "content": "hi"}]}
--- response_body_like chop
"finish_reason":"length".*"total_tokens":32,



=== TEST 20: too long
--- serve
vllm_mock_engine max_model_len=32;
--- request
POST /v1/completions
{"model": "m", "prompt": "a", "max_tokens": 400}
--- error_code: 400
--- response_headers
Content-Type: application/json
--- response_body_like chop
^\{"error":\{"message":"max_tokens=400 cannot be greater than max_model_len=32



=== TEST 21: no such model
--- request
POST /v1/chat/completions
{"model": "other", "messages": [{"role": "user", "content": "hi"}]}
--- error_code: 404
--- response_body_like chop
"message":"The model `other` does not exist\.[^"]*","type":"NotFoundError","param":"model","code":404



=== TEST 22: any model, where any is accepted
--- serve
vllm_mock_unknown_models accept;
--- request
POST /v1/chat/completions
{"model": "other", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]}
--- response_body_like chop
"model":"other"



=== TEST 23: bad bodies
--- request eval
["POST /v1/chat/completions\n{",
 "POST /v1/chat/completions\n[]",
 "POST /v1/chat/completions\n{}",
 "POST /v1/chat/completions\n" . '{"model": "m", "messages": "x"}',
 "POST /v1/chat/completions\n" . '{"model": "m", "messages": [], "temperature": 3}',
 "POST /v1/chat/completions\n" . '{"model": "m", "messages": [{"role": "user", "content": "a"}], "n": "two"}',
 "POST /v1/completions\n" . '{"model": "m", "prompt": "a", "max_tokens": 1.5}',
 "POST /v1/completions\n" . '{"model": "m", "prompt": "a", "max_tokens": 1e400}',
 "POST /v1/completions\n" . '{"model": "m", "prompt": "a", "max_tokens": 1, "max_tokens": 2, "top_p": 7}',
 "POST /v1/completions\n" . '{"model": "m", "prompt": "' . "\xff" . '"}',
 "POST /v1/completions\n" . '[' x 100000,
 "POST /v1/completions"]
--- error_code eval
[400, 400, 400, 400, 400, 400, 400, 400, 400, 400, 400, 400]
--- response_body_like eval
[map { qr/^\{"(?:error":\{"message"|detail"):/ } 1 .. 12]
--- no_error_log
[error]



=== TEST 24: no JSON by its type
--- more_headers
Content-Type: text/plain
--- request
POST /v1/chat/completions
{"model": "m", "messages": [{"role": "user", "content": "hi"}]}
--- error_code: 400
--- response_body_like chop
Unsupported Media Type



=== TEST 25: unknown headers and fields are accepted
--- more_headers
Content-Type: application/json; charset=utf-8
routing-strategy: random
X-Whatever: 1
--- request
POST /v1/chat/completions
{"model": "m", "unheard_of": [1], "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]}
--- response_body_like chop
"completion_tokens":1,



=== TEST 26: the queue is full
--- serve
vllm_mock_engine max_num_seqs=1 max_waiting=1;
vllm_mock_latency constant ttft=1s itl=1s;
--- request
POST /v1/completions
{"model": "m", "prompt": ["a", "b", "c", "d"], "max_tokens": 1}
--- error_code: 503
--- response_body_like chop
"message":"The engine is currently busy



=== TEST 27: a request id of the client's becomes part of the answer's
--- more_headers
Content-Type: application/json
X-Request-Id: abc-1
--- request
POST /v1/completions
{"model": "m", "prompt": "a", "max_tokens": 1}
--- response_body_like chop
"id":"cmpl-abc-1"



=== TEST 28: a NUL in the prompt
--- request
POST /v1/completions
{"model": "m", "prompt": "a\u0000b", "max_tokens": 1}
--- response_body_like chop
"completion_tokens":1,



=== TEST 29: stop strings
--- serve
vllm_mock_output text=echo tokens=50;
--- request
POST /v1/chat/completions
{"model": "m", "stop": [" four"], "messages": [{"role": "user", "content": "one two three four five six"}]}
--- response_body_like chop
"finish_reason":"stop","stop_reason":" four"



=== TEST 30: how often "auto" calls
--- serve
vllm_mock_args --enable-auto-tool-choice --tool-call-parser hermes;
vllm_mock_output calls=100%;
--- request eval
my $tools = '"max_tokens": 200, "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {"city": {"enum": ["Oslo"]}}, "required": ["city"]}}}]';
my $user = '{"role": "user", "content": "a"}';
my $result = '{"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "c", "content": "5"}';
["POST /v1/chat/completions\n" . "{\"model\": \"m\", \"messages\": [$user], $tools}",
 "POST /v1/chat/completions\n" . "{\"model\": \"m\", \"messages\": [$user], $tools, \"tool_choice\": \"none\"}",
 "POST /v1/chat/completions\n" . "{\"model\": \"m\", \"messages\": [$user, $result], $tools}"]
--- response_body_like eval
['"name":"look","arguments":"\{\\\\"city\\\\": \\\\"Oslo\\\\"\}".*"finish_reason":"tool_calls"',
 '"tool_calls":\[\]|"finish_reason":"(?:length|stop)"', '"finish_reason":"(?:length|stop)"']



=== TEST 31: tokens of a chunk
--- serve: vllm_mock_output chunk=4;
--- request eval
['POST /v1/completions' . "\n" . '{"model": "m", "prompt": "a", "max_tokens": 9, "stream": true}',
 'POST /v1/completions' . "\n" . '{"model": "m", "prompt": "a", "max_tokens": 9, "stream": true, "stream_interval": 1}']
--- response_body_like eval
['^(?:data: \{[^\n]*\n\n){3}data: \[DONE\]', '^(?:data: \{[^\n]*\n\n){9}data: \[DONE\]']



=== TEST 32: a prefill for another server
--- serve: vllm_mock_args --kv-transfer-config '{"kv_connector":"NixlConnector","engine_id":"e-1"}';
--- request eval
['POST /v1/chat/completions' . "\n" . '{"model": "m", "messages": [{"role": "user", "content": "a"}], "max_tokens": 1, "kv_transfer_params": {"do_remote_decode": true}}',
 'POST /v1/completions' . "\n" . '{"model": "m", "prompt": "a", "max_tokens": 1, "kv_transfer_params": {"do_remote_prefill": true}}']
--- response_body_like eval
['"kv_transfer_params":\{"do_remote_prefill":true,"do_remote_decode":false,"remote_block_ids":\[\[\d+\]\],"remote_engine_id":"e-1","remote_request_id":"chatcmpl-[0-9a-f]+","remote_host":"[^"]+","remote_port":5600,"tp_size":1,"remote_num_tokens":\d+\}',
 '"kv_transfer_params":null']



=== TEST 33: the same as TensorRT-LLM says it, and media, where all is taken
--- serve: vllm_mock_endpoints all;
--- request eval
['POST /v1/completions' . "\n" . '{"model": "m", "prompt": "a", "max_tokens": 1, "disaggregated_params": {"request_type": "context_only"}}',
 'POST /v1/chat/completions' . "\n" . '{"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}], "max_tokens": 1}']
--- response_body_like eval
['"disaggregated_params":\{"request_type":"context_only","first_gen_tokens":\[\d+\],"ctx_request_id":\d+,"encoded_opaque_state":"[0-9a-f]{16}".*"prompt_token_ids":\[\d+\]\}$',
 '"prompt_tokens":58\d']



=== TEST 34: media where they are not
--- request
POST /v1/chat/completions
{"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]}
--- error_code: 400
--- response_body_like: m is not a multimodal model



=== TEST 35: a picture or a voice instead of a text
--- serve: vllm_mock_endpoints all;
--- request eval
my $rest = '"model": "m", "messages": [{"role": "user", "content": "a"}], "max_tokens": 4';
[map { "POST /v1/chat/completions\n{$_, $rest}" } '"modalities": ["image"], "size": "16x16"',
 '"modalities": ["text", "image"], "size": "16x16"', '"modalities": ["text", "audio"]', '"modalities": ["text"]',
 '"modalities": ["image"], "size": "0x5"', '"modalities": ["image"], "stream": true']
--- error_code eval
[200, 200, 200, 200, 400, 200]
--- response_body_like eval
['"content":\[\{"type":"image_url","image_url":\{"url":"data:image/png;base64,iVBOR[^"]+"\}\}\],"refusal"',
 '"content":\[\{"type":"text","text":"[^"]+"\},\{"type":"image_url"',
 '"content":null,.*"audio":\{"id":"audio-[0-9a-f]{16}","data":"UklGR[^"]+","expires_at":\d+,"transcript":"[^"]+"\}',
 '"content":"[^"]+","refusal":null,"annotations":null,"audio":null', 'width and height must be', 'data: \[DONE\]']



=== TEST 36: not on a server of text
--- request
POST /v1/chat/completions
{"model": "m", "messages": [{"role": "user", "content": "a"}], "max_tokens": 4, "modalities": ["image"]}
--- response_body_like: "content":"[^"]+","refusal":null



=== TEST 37: a length that max_tokens only caps
--- serve
vllm_mock_output tokens=20 cap=on;
--- request eval
my $chat = '"model": "m", "messages": [{"role": "user", "content": "a"}]';
[map { "POST /v1/chat/completions\n{$chat, $_}" } '"max_tokens": 100', '"max_completion_tokens": 20',
 '"max_tokens": 19', '"max_tokens": 100, "min_tokens": 40', '"max_tokens": 100, "ignore_eos": true', '"n": 1']
--- response_body_like eval
['"finish_reason":"stop".*"completion_tokens":20,', '"finish_reason":"stop".*"completion_tokens":20,',
 '"finish_reason":"length".*"completion_tokens":19,', '"finish_reason":"stop".*"completion_tokens":41,',
 '"finish_reason":"length".*"completion_tokens":100,', '"finish_reason":"stop".*"completion_tokens":20,']



=== TEST 38: and one that it is, as with the model of the recordings
--- serve
vllm_mock_output tokens=20 cap=off;
--- request
POST /v1/chat/completions
{"model": "m", "messages": [{"role": "user", "content": "a"}], "max_tokens": 100}
--- response_body_like: "finish_reason":"length".*"completion_tokens":100,



=== TEST 39: messages, whose max_tokens must be there
--- serve
vllm_mock_output tokens=20 cap=on;
--- request
POST /v1/messages
{"model": "m", "messages": [{"role": "user", "content": "a"}], "max_tokens": 1000}
--- response_body_like: "stop_reason":"end_turn","usage":\{"input_tokens":\d+,"output_tokens":20



=== TEST 40: a model that thinks when it is asked to
--- serve
vllm_mock_args --reasoning-parser qwen3;
vllm_mock_output tokens=30 thinks=asked cap=on;
--- request eval
my $chat = '"model": "m", "messages": [{"role": "user", "content": "a"}]';
[(map { "POST /v1/chat/completions\n{$chat$_}" } '', ', "reasoning_effort": "low"', ', "reasoning_effort": "none"',
  ', "chat_template_kwargs": {"enable_thinking": true}', ', "chat_template_kwargs": {"thinking": true}',
  ', "thinking_token_budget": 5'),
 (map { "POST /v1/messages\n{$chat, \"max_tokens\": 3000, \"thinking\": {$_}}" } '"type": "enabled", "budget_tokens": 1024',
  '"type": "disabled"')]
--- response_body_like eval
my $thought = '"reasoning":"[^"]+"';
my $none = '"reasoning":null';
[$none, $thought, $none, $thought, $thought, '"reasoning_tokens":5\}', '"type":"thinking","thinking":"[^"]+"',
 '"content":\[\{"type":"text"']



=== TEST 90: an echo of what the user said last, not of the template
--- serve: vllm_mock_output text=echo tokens=20;
--- request eval
my $said = '[{"role": "user", "content": "first"}, {"role": "assistant", "content": "no"}, {"role": "user", "content": [{"type": "text", "text": "Say banana"}]}]';
['POST /v1/chat/completions' . "\n" . qq({"model": "m", "messages": $said}),
 'POST /v1/messages' . "\n" . qq({"model": "m", "max_tokens": 20, "messages": $said}),
 'POST /v1/responses' . "\n" . '{"model": "m", "input": "Say banana"}',
 'POST /v1/completions' . "\n" . '{"model": "m", "prompt": "Say banana", "max_tokens": 20}']
--- response_body_like eval
['"content":"Say banana ', '"text":"Say banana ', '"text":"Say banana ', '"text":"Say banana ']



=== TEST 91: some object, and one that fits the schema of the prompt
--- serve: vllm_mock_output tokens=200;
--- request eval
my $schema = '{\"properties\": {\"city\": {\"enum\": [\"Rome\"]}, \"n\": {\"type\": \"integer\", \"minimum\": 3, \"maximum\": 3}}, \"required\": [\"city\", \"n\"]}';
my $chat = "POST /v1/chat/completions\n" . '{"model": "m", "messages": [{"role": "user", "content": "%s"}], %s "max_tokens": 200}';
[sprintf($chat, 'hello', '"response_format": {"type": "json_object"},'),
 sprintf($chat, "Answer by $schema", '"response_format": {"type": "json_object"},'),
 sprintf($chat, "Answer by $schema", '')]
--- response_body_like eval
['"content":"\{\\\\".+\}"', '"content":"\{\\\\"city\\\\": ?\\\\"Rome\\\\", ?\\\\"n\\\\": ?3', '"content":"[^{]']



=== TEST 92: without a format, if told
--- serve: vllm_mock_output tokens=200 schema=prompt;
--- request eval
my $schema = '{\"properties\": {\"city\": {\"enum\": [\"Rome\"]}}, \"required\": [\"city\"]}';
my $chat = "POST /v1/chat/completions\n" . '{"model": "m", "messages": [{"role": "user", "content": "%s"}], "max_tokens": 200}';
[sprintf($chat, "Answer by $schema"), sprintf($chat, 'hello')]
--- response_body_like eval
['"content":"\{\\\\"city\\\\": ?\\\\"Rome\\\\"', '"content":"[^{]']
