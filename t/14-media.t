# Sound, pictures and films: what they are asked for, and what is refused.

use Test::Nginx::Socket;

plan 'no_plan';

$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();

# a WAV of so many seconds, and a form of pairs: [name, file] is a file

sub wav {
    my $data = "\0" x (2 * 8000 * shift);
    return "RIFF" . pack("V", 36 + length $data) . "WAVEfmt "
           . pack("VvvVVvv", 16, 1, 1, 8000, 16000, 2, 16) . "data"
           . pack("V", length $data) . $data;
}

sub form {
    my $path = shift;
    my $body = '';
    while (my ($name, $value) = splice @_, 0, 2) {
        $body .= "--x\r\nContent-Disposition: form-data; name=\"$name\""
                 . (ref $value ? "; filename=\"f\"" : '') . "\r\n\r\n"
                 . (ref $value ? $value->[0] : $value) . "\r\n";
    }
    return "POST $path\n$body--x--\r\n";
}

our $T = '/v1/audio/transcriptions';

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value('http_config', 'vllm_mock_zone m 48m;');
    $block->set_value('config', "vllm_mock_model m;\n"
                      . (defined $block->serve
                         ? $block->serve : 'vllm_mock_endpoints all;')
                      . "\nlocation / { vllm_mock m; }");
    $block->set_value('more_headers',
                      'Content-Type: multipart/form-data; boundary=x')
        if !defined $block->more_headers;
});

no_long_string();
no_root_location();
log_level('info');
run_tests();

__DATA__

=== TEST 1: transcription, the same for the same file
--- request eval
[main::form($main::T, file => [main::wav(2)]),
 main::form($main::T, file => [main::wav(2)], model => 'm', language => 'yue',
            response_format => 'text')]
--- error_code eval
[200, 200]
--- response_body_like eval
[('^\{"text":"[A-Z]\w+(?: [\w,.]+)+","usage":\{"type":"duration","seconds":2\}\}$') x 2]



=== TEST 2: translation has no usage; what is no WAV is measured by its bytes
--- request eval
[main::form('/v1/audio/translations', file => ["x" x 16000]),
 main::form($main::T, file => ["x" x 40000])]
--- error_code eval
[200, 200]
--- response_body_like eval
['^\{"text":"\w+ \w+ \w+"\}$', '"seconds":3\}\}$']



=== TEST 3: verbose
--- request eval
main::form($main::T, file => [main::wav(31)], response_format => 'verbose_json', language => 'de')
--- response_body_like chop
^\{"duration":31\.0,"language":"de","text":"[^"]+","segments":\[\{"id":0,"avg_logprob":-0\.\d+,"compression_ratio":\d\.\d+,"end":[\d.]+,"no_speech_prob":null,"seek":0,"start":0\.0,"temperature":0\.0,"text":"[^"]+","tokens":\[[\d,]+\]\},\{"id":1.*"seek":30,"start":30\.0,.*\}\],"words":null\}$



=== TEST 4: stream
--- request eval
main::form($main::T, file => [main::wav(2)], stream => 'true', stream_include_usage => 'true', max_completion_tokens => 2)
--- response_headers
Content-Type: text/event-stream; charset=utf-8
--- response_body_like chop
^data: \{"id":"transcribe-[0-9a-f]{16}","object":"transcription\.chunk","created":\d+,"model":"m","choices":\[\{"delta":\{"content":"[A-Z]\w*"\}\}\]\}

data: \{"id":"transcribe-[0-9a-f]{16}","object":"transcription\.chunk","created":\d+,"model":"m","choices":\[\{"delta":\{"content":" \w+"\},"finish_reason":"length","stop_reason":null\}\]\}

data: \{"id":"transcribe-[0-9a-f]{16}","object":"transcription\.chunk","created":\d+,"model":"m","choices":\[\],"usage":\{"prompt_tokens":100,"total_tokens":102,"completion_tokens":2\}\}

data: \[DONE\]



=== TEST 5: a stream of two pieces, continuous usage
--- request eval
main::form('/v1/audio/translations', file => [main::wav(31)], stream => 1, stream_include_usage => 1, stream_continuous_usage_stats => 1)
--- response_body_like chop
^data: \{"id":"translate-[0-9a-f]{16}","object":"translation\.chunk",.*"choices":\[\{"delta":\{"content":"[A-Z]\w*"\}\}\],"usage":\{"prompt_tokens":1550,"total_tokens":15\d\d,"completion_tokens":\d+\}\}\n\n(?s:.*)"delta":\{"content":""\},"finish_reason":"stop","stop_reason":null\}\](?s:.*)\{"content":" [A-Z][\w ,.]+"\}(?s:.*)"finish_reason":"stop".*\n\ndata: .*"choices":\[\],"usage":\{"prompt_tokens":1550,.*\n\ndata: \[DONE\]



=== TEST 6: forms that are refused
--- request eval
[main::form($main::T, model => 'm'), main::form($main::T, file => 'text'),
 main::form($main::T, file => [main::wav(1)], model => 'other'),
 main::form($main::T, file => [main::wav(1)], response_format => 'srt'),
 main::form($main::T, file => [main::wav(1)], response_format => 'diarized_json'),
 main::form($main::T, file => [main::wav(1)], response_format => 'verbose_json', stream => 1),
 main::form($main::T, file => [main::wav(1)], stream => 1, use_beam_search => 1),
 main::form($main::T, file => [main::wav(1)], stream_include_usage => 1),
 main::form($main::T, file => [main::wav(1)], language => 'klingon'),
 main::form($main::T, file => [main::wav(601)]),
 main::form($main::T, file => [substr main::wav(1), 0, 30]),
 main::form($main::T, file => ['']),
 main::form('/v1/audio/translations', file => [main::wav(1)], response_format => 'diarized_json'),
 main::form($main::T, file => [main::wav(1)], 'timestamp_granularities[]' => 'word', 'timestamp_granularities[]' => 'bad'),
 main::form($main::T, file => [main::wav(1)], n => 'x', seed => '9223372036854775808'),
 "POST $main::T\nabc"]
--- error_code eval
[400, 422, 404, 400, 400, 400, 400, 400, 400, 400, 400, 400, 400, 400, 400, 400]
--- response_body_like eval
["'type': 'missing', 'loc': 'body.file', 'msg': 'Field required', 'input': '<dict of 14 items>'",
 "Expected 'file' to be a file-like object, not 'str'.",
 'The model `other` does not exist.',
 'Currently only support response_format: `text`, `json`, `verbose_json` or `diarized_json`',
 'Currently do not support diarized_json for m',
 "verbose_json format doesn't support streaming case",
 'Streaming is not currently supported with beam search',
 'Stream options can only be defined when `stream=True`. \(parameter=stream_include_usage\)',
 "Unsupported language: 'klingon'",
 'Audio exceeds maximum allowed duration of 600s',
 'Invalid or unsupported audio file.', 'Invalid or unsupported audio file.',
 '1 validation error:.*body.response_format',
 "'loc': 'body.1', 'msg': .*'word' or 'segment'",
 '2 validation errors:.*body.n.*body.seed',
 '^\{"detail":"Invalid multipart data."\}$']



=== TEST 7: no form at all
--- more_headers
Content-Type: application/json
--- request eval
"POST $main::T\n{}"
--- error_code: 400
--- response_body_like: body.file



=== TEST 8: not on a server of plain vLLM
--- serve
--- request eval
[main::form($main::T, file => [main::wav(1)]), main::form('/v1/audio/translations', file => [main::wav(1)])]
--- error_code eval
[404, 404]
--- response_body eval
['{"detail":"Not Found"}', '{"detail":"Not Found"}']



=== TEST 9: speech, its length follows from text and speed
--- more_headers
Content-Type: application/json
--- request eval
["POST /v1/audio/speech\n" . '{"input": "' . "a" x 30 . '"}',
 "POST /v1/audio/speech\n" . '{"input": "' . "a" x 30 . '", "speed": 2, "response_format": "pcm", "voice": {"id": "nova"}}']
--- response_headers eval
["Content-Type: audio/wav", "Content-Type: audio/pcm"]
--- response_body_filters eval
sub { my $b = shift; return length($b) . ' ' . CORE::join ' ', unpack 'a4Va8VvvVVvva4V', $b if $b =~ /^RIFF/; length $b }
--- response_body eval
['96044 RIFF 96036 WAVEfmt  16 1 1 24000 48000 2 16 data 96000', '48000']



=== TEST 10: speech as events
--- more_headers
Content-Type: application/json
--- request
POST /v1/audio/speech
{"input": "a", "stream_format": "sse"}
--- response_headers
Content-Type: text/event-stream; charset=utf-8
--- response_body_like chop
^data: \{"type":"speech.audio.delta","audio":"UklGR[A-Za-z0-9+/]+=*"\}

data: \{"type":"speech.audio.delta","audio":"[A-Za-z0-9+/]+=*"\}

data: \{"type":"speech.audio.done","usage":\{"input_tokens":1,"output_tokens":2,"total_tokens":3\}\}



=== TEST 11: speech that is refused
--- more_headers
Content-Type: application/json
--- request eval
[map { "POST /v1/audio/speech\n$_" }
 '{}', '{"input": " "}', '{"input": "' . 'a' x 4097 . '"}', '{"input": "a", "voice": "x"}', '{"input": "a", "voice": {}}',
 '{"input": "a", "speed": 0.2}', '{"input": "a", "response_format": "mp3"}', '{"input": "a", "model": "x"}', '[']
--- error_code eval
[400, 400, 400, 400, 400, 400, 400, 404, 400]
--- response_body_like eval
["'type': 'missing', 'loc': 'body.input'", 'input cannot be empty. \(parameter=input\)',
 'input must have at most 4096 characters, got 4097.', "Invalid voice 'x'. Must be one of: alloy,", "Invalid voice ''",
 'speed must be in \[0.25, 4.0\], got 0.2.', "Input should be 'wav' or 'pcm'", 'does not exist', 'JSON decode error']



=== TEST 12: voices
--- request
GET /v1/audio/voices
--- response_body_like: ^\{"voices":\["alloy",.*\],"uploaded_voices":\[\]\}$



=== TEST 13: pictures
--- more_headers
Content-Type: application/json
--- request eval
["POST /v1/images/generations\n" . '{"prompt": "a cat", "size": "65x32", "n": 2, "response_format": "b64_json"}',
 "POST /v1/images/generations\n" . '{"prompt": "a cat", "size": "65x32", "seed": 1}']
--- response_body_like eval
['^\{"created":\d+,"data":\[\{"b64_json":"iVBORw0KGgo[^"]+","url":null,"revised_prompt":null\},\{"b64_json":"iVBORw0KGgo[^"]+","url":null,"revised_prompt":null\}\],"output_format":"png","size":"65x32","usage":\{"input_tokens":2,"output_tokens":6,"total_tokens":8,"input_tokens_details":\{"text_tokens":2,"image_tokens":0\}\}\}$',
 '"data":\[\{"b64_json":null,"url":"data:image/png;base64,iVBORw0KGgo[^"]+","revised_prompt":null\}\],.*"output_tokens":3,']



=== TEST 14: pictures that are refused
--- more_headers
Content-Type: application/json
--- request eval
[map { "POST /v1/images/generations\n$_" }
 '{}', '{"prompt": ""}', '{"prompt": "a", "n": 0}', '{"prompt": "a", "n": 11}', '{"prompt": "a", "n": 5, "size": "2048x2048"}',
 '{"prompt": "a", "size": "12"}', '{"prompt": "a", "size": "2049x1"}', '{"prompt": "a", "size": "0x1"}',
 '{"prompt": "a", "response_format": "file"}', '{"prompt": "a", "output_format": "webp"}', '{"prompt": "a", "model": "x"}']
--- error_code eval
[400, 400, 400, 400, 400, 400, 400, 400, 400, 400, 404]
--- response_body_like eval
['body.prompt', 'prompt cannot be empty', 'greater than or equal to 1', 'less than or equal to 10',
 'n images of 2048x2048 are more than 16777216 pixels.', 'WIDTHxHEIGHT', 'must be in \[1, 2048\]', 'must be in \[1, 2048\]',
 "'b64_json' or 'url'", "should be 'png'", 'does not exist']



=== TEST 15: pictures of pictures have their size
--- request eval
[main::form('/v1/images/edits', image => ["\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\5\0\0\0\7"], prompt => 'a hat'),
 main::form('/v1/images/edits', 'image[]' => ['x'], 'image[]' => ['y'], prompt => 'a hat', size => '9x9', n => 2),
 main::form('/v1/images/edits', prompt => 'a hat'), main::form('/v1/images/edits', prompt => 'a hat', image => 'x'),
 "POST /v1/images/edits\nabc"]
--- error_code eval
[200, 200, 400, 400, 400]
--- response_body_like eval
['"size":"5x7"', '"size":"9x9",.*"output_tokens":2,', 'body.image', "Expected 'image' to be a file", 'Invalid multipart data.']



=== TEST 16: a film
--- more_headers
Content-Type: application/json
--- request
POST /v1/video/generations
{"prompt": "the sea", "duration": 2, "fps": 5, "size": "64x32"}
--- response_body_like chop
^\{"id":"video-[0-9a-f]{16}","object":"video\.generation","created":\d+,"model":"m","data":\[\{"url":"data:image/apng;base64,iVBORw0KGgo[^"]+","duration":2,"fps":5,"size":"64x32","revised_prompt":null\}\],"usage":\{"input_tokens":2,"output_tokens":4,"total_tokens":6\}\}$



=== TEST 17: a job, asked for and dropped
--- serve
vllm_mock_endpoints all;
vllm_mock_latency constant ttft=100s itl=100s;
--- more_headers
Content-Type: multipart/form-data; boundary=x
X-Request-Id: me
--- request eval
[main::form('/v1/videos', prompt => 'the sea', seconds => 8, size => '64x64', input_reference => ['x']),
 'GET /v1/videos/video_me', 'GET /v1/videos/video_me/content', 'GET /v1/responses/video_me',
 'DELETE /v1/videos/video_me', 'GET /v1/videos/video_me', 'DELETE /v1/videos/video_me']
--- error_code eval
[200, 200, 404, 404, 200, 404, 404]
--- response_body_like eval
[('^\{"id":"video_me","object":"video","model":"m","status":"queued","progress":0,"created_at":\d+,"completed_at":null,"expires_at":null,"size":"64x64","seconds":"8","quality":"default","prompt":"the sea","remixed_from_video_id":null,"error":null\}$') x 2,
 'The video has no content: its status is queued.', 'not found',
 '^\{"id":"video_me","object":"video.deleted","deleted":true\}$',
 ('^\{"error":\{"message":"Video video_me not found","type":"NotFoundError","param":null,"code":404\}\}$') x 2]



=== TEST 18: films that are refused
--- more_headers
Content-Type: application/json
--- request eval
["POST /v1/videos\n{}", map({ "POST /v1/video/generations\n$_" } '{}', '{"prompt": "a", "duration": 61}', '{"prompt": "a", "fps": 0}',
 '{"prompt": "a", "size": "9000x1"}', '{"prompt": "a", "model": "x"}'), "POST /v1/videos\n[", 'POST /v1/videos/x']
--- error_code eval
[400, 400, 400, 400, 400, 404, 400, 405]
--- response_body_like eval
['body.prompt', 'body.prompt', 'less than or equal to 60', 'greater than or equal to 1', 'must be in \[1, 2048\]',
 'does not exist', 'JSON decode error', 'Method Not Allowed']



=== TEST 19: plain vLLM has none of it
--- serve
--- more_headers
Content-Type: application/json
--- request eval
[map { "POST $_\n{}" } qw(/v1/audio/speech /v1/images/generations /v1/images/edits /v1/video/generations /v1/videos)]
--- error_code eval
[404, 404, 404, 404, 404]
