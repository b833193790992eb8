# Every directive: good values serve, bad ones are refused with a message that
# names the value and what is allowed.

use Test::Nginx::Socket;

plan 'no_plan';

add_block_preprocessor(sub {
    my $block = shift;

    my $http = defined $block->http ? $block->http : 'vllm_mock_zone m 96m;';
    my $location = defined $block->place ? $block->place : 'vllm_mock m;';

    $block->set_value('http_config', $http);
    $block->set_value('config', ($block->serve || '')
                      . "\nlocation / { $location }");
});

no_long_string();
no_root_location();
log_level('info');
run_tests();

__DATA__

=== TEST 1: every directive at once
--- serve
vllm_mock_model m root=/r alias=n max_model_len=2k;
vllm_mock_model o;
vllm_mock_lora l path=/p base=m;
vllm_mock_lora_paths any;
vllm_mock_unknown_models accept;
vllm_mock_endpoints all;
vllm_mock_admin on;
vllm_mock_api_key k;
vllm_mock_args --max-model-len 4096 --enable-lora --dtype float16;
vllm_mock_engine max_num_seqs=64 max_num_batched_tokens=2K block_size=32
                 num_gpu_blocks=1000 max_waiting=100 max_loras=4
                 prefix_caching=off chunked_prefill=on watermark=0.01
                 policy=priority long_prefill_token_threshold=512
                 async_scheduling=on data_parallel=2 max_live=512
                 max_waiting_tokens=100000 reserve_full_isl=on;
vllm_mock_latency constant ttft=2.5ms itl=300us jitter=10% load_factor=1.5;
vllm_mock_time_scale 0.1;
vllm_mock_output text=words tokens=normal:40:5;
vllm_mock_tokenizer builtin;
vllm_mock_seed 18446744073709551615;
vllm_mock_metrics scaled legacy=off;
vllm_mock_metric running 3;
vllm_mock_replicas 3;
vllm_mock_profiles /nonexistent;
vllm_mock_version 0.32.0;
--- request
POST /v1/completions
{"model": "m", "prompt": "a", "max_tokens": 2}
--- more_headers
Content-Type: application/json
Authorization: Bearer k
--- response_body_like: "completion_tokens":2,
--- no_error_log
[error]
[emerg]



=== TEST 2: latency none
--- serve
vllm_mock_latency none;
--- request
POST /v1/completions
{"model": "llama2-7b", "prompt": "a", "max_tokens": 2}
--- more_headers
Content-Type: application/json
Authorization: Bearer k
--- response_body_like: "completion_tokens":2,
--- no_error_log
[error]
[emerg]



=== TEST 3: latency constant
--- serve
vllm_mock_latency constant ttft=1ms itl=1ms jitter=normal:1ms kv_transfer_per_token=1us;
--- request
POST /v1/completions
{"model": "llama2-7b", "prompt": "a", "max_tokens": 2}
--- more_headers
Content-Type: application/json
Authorization: Bearer k
--- response_body_like: "completion_tokens":2,
--- no_error_log
[error]
[emerg]



=== TEST 4: latency per_token
--- serve
vllm_mock_latency per_token overhead=1ms per_token=1us itl=1ms jitter=lognormal:0.2 load_factor=2;
--- request
POST /v1/completions
{"model": "llama2-7b", "prompt": "a", "max_tokens": 2}
--- more_headers
Content-Type: application/json
Authorization: Bearer k
--- response_body_like: "completion_tokens":2,
--- no_error_log
[error]
[emerg]



=== TEST 5: latency capacity
--- serve
vllm_mock_latency capacity capacity=2 base=1ms ttft=1ms prefill_per_1k=1ms decode_per_token=0.1ms penalty=1ms jitter=1ms duration=2ms;
--- request
POST /v1/completions
{"model": "llama2-7b", "prompt": "a", "max_tokens": 2}
--- more_headers
Content-Type: application/json
Authorization: Bearer k
--- response_body_like: "completion_tokens":2,
--- no_error_log
[error]
[emerg]



=== TEST 6: time that stands still
--- serve
vllm_mock_latency constant ttft=20s itl=20s;
vllm_mock_time_scale 0.00001;
--- request
POST /v1/completions
{"model": "llama2-7b", "prompt": "a", "max_tokens": 2}
--- more_headers
Content-Type: application/json
Authorization: Bearer k
--- response_body_like: "completion_tokens":2,
--- no_error_log
[error]
[emerg]



=== TEST 7: a fixed number of tokens
--- serve
vllm_mock_output tokens=3;
--- request
POST /v1/completions
{"model": "llama2-7b", "prompt": "a", "max_tokens": 2}
--- more_headers
Content-Type: application/json
Authorization: Bearer k
--- response_body_like: "completion_tokens":2,
--- no_error_log
[error]
[emerg]



=== TEST 8: lognormal lengths
--- serve
vllm_mock_output tokens=lognormal:2:0.3;
--- request
POST /v1/completions
{"model": "llama2-7b", "prompt": "a", "max_tokens": 2}
--- more_headers
Content-Type: application/json
Authorization: Bearer k
--- response_body_like: "completion_tokens":2,
--- no_error_log
[error]
[emerg]



=== TEST 9: units
--- serve
vllm_mock_engine max_model_len=2k max_num_batched_tokens=1.5k;
--- request
POST /v1/completions
{"model": "llama2-7b", "prompt": "a", "max_tokens": 2}
--- more_headers
Content-Type: application/json
Authorization: Bearer k
--- response_body_like: "completion_tokens":2,
--- no_error_log
[error]
[emerg]



=== TEST 10: a zone without size
--- http
vllm_mock_zone m;
--- must_die
--- error_log
invalid number of arguments in "vllm_mock_zone" directive



=== TEST 11: a zone of no size
--- http
vllm_mock_zone m big;
--- must_die
--- error_log
invalid size "big" of zone "m"



=== TEST 12: a zone of less than nothing
--- http
vllm_mock_zone m -1m;
--- must_die
--- error_log
invalid size "-1m" of zone "m"



=== TEST 13: a zone of a few bytes
--- http
vllm_mock_zone m 8k;
--- must_die
--- error_log
invalid size "8k" of zone "m": a number with an optional k or m, at least



=== TEST 14: two zones of one name
--- http
vllm_mock_zone m 48m; vllm_mock_zone m 48m;
--- must_die
--- error_log
duplicate zone "m"



=== TEST 15: a zone that is too small
--- http
vllm_mock_zone m 64k;
--- must_die
--- error_log
zone "m" is too small:



=== TEST 16: a zone too small for the engine
--- http
vllm_mock_zone m 2m;
--- must_die
--- error_log
bytes are needed for these settings



=== TEST 17: a zone that nobody uses
--- http
vllm_mock_zone m 48m; vllm_mock_zone n 48m;
--- must_die
--- error_log
zone "n" is not used by any "vllm_mock"



=== TEST 18: no such zone
--- place
vllm_mock x;
--- must_die
--- error_log
unknown zone "x": declare it before with "vllm_mock_zone x size;"



=== TEST 19: served twice
--- place
vllm_mock m; vllm_mock m;
--- must_die
--- error_log
"vllm_mock" directive is duplicate



=== TEST 20: not in a server
--- serve
vllm_mock m;
--- must_die
--- error_log
"vllm_mock" directive is not allowed here



=== TEST 21: no zone in a server
--- serve
vllm_mock_zone z 48m;
--- must_die
--- error_log
"vllm_mock_zone" directive is not allowed here



=== TEST 22: no engine in a location
--- place
vllm_mock m; vllm_mock_engine max_num_seqs=1;
--- must_die
--- error_log
"vllm_mock_engine" directive is not allowed here



=== TEST 23: model: an unknown parameter
--- serve
vllm_mock_model m size=7b;
--- must_die
--- error_log
invalid parameter "size=7b" of vllm_mock_model: root=PATH, alias=NAME or max_model_len=N



=== TEST 24: model: a word too many
--- serve
vllm_mock_model m n;
--- must_die
--- error_log
invalid parameter "n" of vllm_mock_model



=== TEST 25: model: no length
--- serve
vllm_mock_model m max_model_len=0;
--- must_die
--- error_log
invalid value "0" of max_model_len: 1 to 10000000 tokens



=== TEST 26: model: a length that is no number
--- serve
vllm_mock_model m max_model_len=2x;
--- must_die
--- error_log
invalid value "2x" of max_model_len



=== TEST 27: lora: an unknown parameter
--- serve
vllm_mock_lora l rank=8;
--- must_die
--- error_log
invalid parameter "rank=8" of vllm_mock_lora: path=PATH or base=MODEL



=== TEST 28: lora_paths: another word
--- serve
vllm_mock_lora_paths maybe;
--- must_die
--- error_log
invalid value "maybe" of vllm_mock_lora_paths: check or any



=== TEST 29: lora_paths: twice
--- serve
vllm_mock_lora_paths any; vllm_mock_lora_paths any;
--- must_die
--- error_log
"vllm_mock_lora_paths" directive is duplicate



=== TEST 30: unknown_models: another word
--- serve
vllm_mock_unknown_models maybe;
--- must_die
--- error_log
invalid value "maybe" of vllm_mock_unknown_models: reject or accept



=== TEST 31: endpoints: another word
--- serve
vllm_mock_endpoints some;
--- must_die
--- error_log
invalid value "some" of vllm_mock_endpoints: vllm or all



=== TEST 32: admin: another word
--- serve
vllm_mock_admin maybe;
--- must_die
--- error_log
invalid value "maybe" of vllm_mock_admin: on or key or open or off



=== TEST 32b: admin: a key that is not there
--- serve
vllm_mock_admin key;
--- must_die
--- error_log
"vllm_mock_admin key" needs a key: vllm_mock_api_key, --api-key or VLLM_API_KEY



=== TEST 33: api_key: none
--- serve
vllm_mock_api_key;
--- must_die
--- error_log
invalid number of arguments in "vllm_mock_api_key" directive



=== TEST 34: api_key_file: none such
--- serve
vllm_mock_api_key_file /nonexistent;
--- must_die
--- error_log
cannot open "/nonexistent"



=== TEST 35: args: unknown
--- serve
vllm_mock_args --enable-lorra;
--- must_die
--- error_log
unrecognized argument "--enable-lorra"; did you mean --enable-lora



=== TEST 36: args: nothing like it
--- serve
vllm_mock_args --xyzzy-plugh-plover;
--- must_die
--- error_log
unrecognized argument "--xyzzy-plugh-plover"



=== TEST 37: args: a value is missing
--- serve
vllm_mock_args --max-model-len;
--- must_die
--- error_log
argument --max-model-len expects



=== TEST 38: args: a value too many
--- serve
vllm_mock_args --enable-lora=7;
--- must_die
--- error_log
argument --enable-lora takes no value, but "7"



=== TEST 39: args: a bad number
--- serve
vllm_mock_args --max-model-len x;
--- must_die
--- error_log
invalid value "x" of max_model_len: 1 to 10000000



=== TEST 40: args: another policy
--- serve
vllm_mock_args --scheduling-policy lifo;
--- must_die
--- error_log
invalid value "lifo" of scheduling_policy: fcfs or priority



=== TEST 41: args: no list
--- serve
vllm_mock_args --allowed-origins x;
--- must_die
--- error_log
invalid value "x" of argument --allowed-origins



=== TEST 42: engine: max_num_seqs=0
--- serve
vllm_mock_engine max_num_seqs=0;
--- must_die
--- error_log
invalid value "0" of max_num_seqs: 1 to 65536



=== TEST 43: engine: max_num_seqs=70000
--- serve
vllm_mock_engine max_num_seqs=70000;
--- must_die
--- error_log
invalid value "70000" of max_num_seqs: 1 to 65536



=== TEST 44: engine: max_num_seqs=x
--- serve
vllm_mock_engine max_num_seqs=x;
--- must_die
--- error_log
invalid value "x" of max_num_seqs: 1 to 65536



=== TEST 45: engine: max_num_batched_tokens=0
--- serve
vllm_mock_engine max_num_batched_tokens=0;
--- must_die
--- error_log
invalid value "0" of max_num_batched_tokens: 1 to 16777216



=== TEST 46: engine: block_size=512
--- serve
vllm_mock_engine block_size=512;
--- must_die
--- error_log
invalid value "512" of block_size: 1 to 256



=== TEST 47: engine: num_gpu_blocks=1
--- serve
vllm_mock_engine num_gpu_blocks=1;
--- must_die
--- error_log
invalid value "1" of num_gpu_blocks: 2 to 16777216



=== TEST 48: engine: max_model_len=0
--- serve
vllm_mock_engine max_model_len=0;
--- must_die
--- error_log
invalid value "0" of max_model_len: 1 to 10000000



=== TEST 49: engine: max_waiting=-1
--- serve
vllm_mock_engine max_waiting=-1;
--- must_die
--- error_log
invalid value "-1" of max_waiting: 0 to 16777216



=== TEST 50: engine: max_waiting_tokens=x
--- serve
vllm_mock_engine max_waiting_tokens=x;
--- must_die
--- error_log
invalid value "x" of max_waiting_tokens: 0 to 4294967295



=== TEST 51: engine: max_live=0
--- serve
vllm_mock_engine max_live=0;
--- must_die
--- error_log
invalid value "0" of max_live: 1 to 1048576



=== TEST 52: engine: max_loras=65
--- serve
vllm_mock_engine max_loras=65;
--- must_die
--- error_log
invalid value "65" of max_loras: 0 to 64



=== TEST 53: engine: watermark=1
--- serve
vllm_mock_engine watermark=1;
--- must_die
--- error_log
invalid value "1" of watermark: 0 to less than 1



=== TEST 54: engine: watermark=x
--- serve
vllm_mock_engine watermark=x;
--- must_die
--- error_log
invalid value "x" of watermark: 0 to less than 1



=== TEST 55: engine: policy=lifo
--- serve
vllm_mock_engine policy=lifo;
--- must_die
--- error_log
invalid value "lifo" of policy: fcfs or priority



=== TEST 56: engine: prefix_caching=maybe
--- serve
vllm_mock_engine prefix_caching=maybe;
--- must_die
--- error_log
invalid value "maybe" of prefix_caching: on or off



=== TEST 57: engine: chunked_prefill=2
--- serve
vllm_mock_engine chunked_prefill=2;
--- must_die
--- error_log
invalid value "2" of chunked_prefill: on or off



=== TEST 58: engine: reserve_full_isl=x
--- serve
vllm_mock_engine reserve_full_isl=x;
--- must_die
--- error_log
invalid value "x" of reserve_full_isl: on or off



=== TEST 59: engine: async_scheduling=x
--- serve
vllm_mock_engine async_scheduling=x;
--- must_die
--- error_log
invalid value "x" of async_scheduling: on or off



=== TEST 60: engine: long_prefill_token_threshold=1.5
--- serve
vllm_mock_engine long_prefill_token_threshold=1.5;
--- must_die
--- error_log
invalid value "1.5" of long_prefill_token_threshold: 0 to 16777216



=== TEST 61: engine: data_parallel=0
--- serve
vllm_mock_engine data_parallel=0;
--- must_die
--- error_log
invalid value "0" of data_parallel: 1 to 16 engines



=== TEST 62: engine: data_parallel=17
--- serve
vllm_mock_engine data_parallel=17;
--- must_die
--- error_log
invalid value "17" of data_parallel: 1 to 16 engines



=== TEST 63: engine: no value
--- serve
vllm_mock_engine max_num_seqs;
--- must_die
--- error_log
invalid parameter "max_num_seqs" of vllm_mock_engine: key=value is expected



=== TEST 64: engine: unknown
--- serve
vllm_mock_engine speed=3;
--- must_die
--- error_log
unknown parameter "speed" of the engine



=== TEST 65: engine: less tokens than sequences
--- serve
vllm_mock_engine max_num_seqs=100 max_num_batched_tokens=50;
--- must_die
--- error_log
max_num_batched_tokens must not be less than max_num_seqs



=== TEST 66: engine: less blocks than a request needs
--- serve
vllm_mock_engine num_gpu_blocks=10 max_model_len=4096;
--- must_die
--- error_log
num_gpu_blocks



=== TEST 67: latency: another model
--- serve
vllm_mock_latency quick;
--- must_die
--- error_log
unknown latency model "quick": none, constant, per_token, capacity or profile



=== TEST 68: latency: constant ttft=soon
--- serve
vllm_mock_latency constant ttft=soon;
--- must_die
--- error_log
invalid value "soon" of ttft: a time from 0 to 24h such as 20ms, 2.5ms, 300us or 1s



=== TEST 69: latency: constant itl=-1ms
--- serve
vllm_mock_latency constant itl=-1ms;
--- must_die
--- error_log
invalid value "-1ms" of itl: a time from 0 to 24h



=== TEST 70: latency: constant ttft=25h
--- serve
vllm_mock_latency constant ttft=25h;
--- must_die
--- error_log
invalid value "25h" of ttft: a time from 0 to 24h



=== TEST 71: latency: constant load_factor=0.5
--- serve
vllm_mock_latency constant load_factor=0.5;
--- must_die
--- error_log
invalid value "0.5" of load_factor: 1 to 1000



=== TEST 72: latency: constant jitter=101%
--- serve
vllm_mock_latency constant jitter=101%;
--- must_die
--- error_log
invalid value "101%" of jitter: none, 0% to 100%, normal:TIME, lognormal:SIGMA (0 to 10) or uniform:TIME



=== TEST 73: latency: constant jitter=normal:x
--- serve
vllm_mock_latency constant jitter=normal:x;
--- must_die
--- error_log
invalid value "normal:x" of jitter: none, 0% to 100%



=== TEST 74: latency: constant jitter=5ms
--- serve
vllm_mock_latency constant jitter=5ms;
--- must_die
--- error_log
invalid value "5ms" of jitter: none, 0% to 100%



=== TEST 75: latency: per_token overhead=x
--- serve
vllm_mock_latency per_token overhead=x;
--- must_die
--- error_log
invalid value "x" of overhead: a time



=== TEST 76: latency: per_token per_token=1y
--- serve
vllm_mock_latency per_token per_token=1y;
--- must_die
--- error_log
invalid value "1y" of per_token: a time



=== TEST 77: latency: per_token kv_transfer_per_token=x
--- serve
vllm_mock_latency per_token kv_transfer_per_token=x;
--- must_die
--- error_log
invalid value "x" of kv_transfer_per_token: a time



=== TEST 78: latency: capacity capacity=0
--- serve
vllm_mock_latency capacity capacity=0;
--- must_die
--- error_log
invalid value "0" of capacity: 1 to 1000000 requests



=== TEST 79: latency: capacity base=x
--- serve
vllm_mock_latency capacity base=x;
--- must_die
--- error_log
invalid value "x" of base: a time



=== TEST 80: latency: capacity prefill_per_1k=x
--- serve
vllm_mock_latency capacity prefill_per_1k=x;
--- must_die
--- error_log
invalid value "x" of prefill_per_1k: a time



=== TEST 81: latency: capacity decode_per_token=x
--- serve
vllm_mock_latency capacity decode_per_token=x;
--- must_die
--- error_log
invalid value "x" of decode_per_token: a time



=== TEST 82: latency: capacity penalty=x
--- serve
vllm_mock_latency capacity penalty=x;
--- must_die
--- error_log
invalid value "x" of penalty: a time



=== TEST 83: latency: capacity duration=x
--- serve
vllm_mock_latency capacity duration=x;
--- must_die
--- error_log
invalid value "x" of duration: a time



=== TEST 84: latency: a parameter of another model
--- serve
vllm_mock_latency none ttft=1s;
--- must_die
--- error_log
latency model "none" has no parameter "ttft"



=== TEST 85: latency: no value
--- serve
vllm_mock_latency constant ttft;
--- must_die
--- error_log
invalid parameter "ttft" of vllm_mock_latency: key=value is expected



=== TEST 86: latency: no profile
--- serve
vllm_mock_latency profile;
--- must_die
--- error_log
vllm_mock_latency profile needs a file



=== TEST 87: latency: no such profile
--- serve
vllm_mock_latency profile /nonexistent.json;
--- must_die
--- error_log
cannot open "/nonexistent.json"



=== TEST 88: latency: not a profile
--- serve
vllm_mock_latency profile /etc/hostname;
--- must_die
--- error_log
profile: no JSON object



=== TEST 89: time_scale: 0
--- serve
vllm_mock_time_scale 0;
--- must_die
--- error_log
invalid value "0" of vllm_mock_time_scale: above 0, up to 1000



=== TEST 90: time_scale: -1
--- serve
vllm_mock_time_scale -1;
--- must_die
--- error_log
invalid value "-1" of vllm_mock_time_scale: above 0, up to 1000



=== TEST 91: time_scale: 1001
--- serve
vllm_mock_time_scale 1001;
--- must_die
--- error_log
invalid value "1001" of vllm_mock_time_scale: above 0, up to 1000



=== TEST 92: time_scale: x
--- serve
vllm_mock_time_scale x;
--- must_die
--- error_log
invalid value "x" of vllm_mock_time_scale: above 0, up to 1000



=== TEST 93: seed: -1
--- serve
vllm_mock_seed -1;
--- must_die
--- error_log
invalid value "-1" of vllm_mock_seed: 0 to 18446744073709551615



=== TEST 94: seed: x
--- serve
vllm_mock_seed x;
--- must_die
--- error_log
invalid value "x" of vllm_mock_seed: 0 to 18446744073709551615



=== TEST 95: seed: 1.5
--- serve
vllm_mock_seed 1.5;
--- must_die
--- error_log
invalid value "1.5" of vllm_mock_seed: 0 to 18446744073709551615



=== TEST 96: tokenizer: no such
--- serve
vllm_mock_tokenizer /nonexistent.json;
--- must_die
--- error_log
vllm_mock_tokenizer "/nonexistent.json": cannot open "/nonexistent.json": No such file or directory



=== TEST 97: version: another
--- serve
vllm_mock_version 0.9;
--- must_die
--- error_log
invalid value "0.9" of vllm_mock_version: 0.32



=== TEST 98: output: another text
--- serve
vllm_mock_output text=poem;
--- must_die
--- error_log
invalid value "poem" of text: message, words, echo or file:PATH



=== TEST 99: output: tokens=0
--- serve
vllm_mock_output tokens=0;
--- must_die
--- error_log
invalid value "0" of tokens: max, N, uniform:A:B (A up to B), normal:MEAN:SIGMA or lognormal:MU:SIGMA



=== TEST 100: output: tokens=x
--- serve
vllm_mock_output tokens=x;
--- must_die
--- error_log
invalid value "x" of tokens: max, N, uniform:A:B (A up to B), normal:MEAN:SIGMA or lognormal:MU:SIGMA



=== TEST 101: output: tokens=uniform:5:1
--- serve
vllm_mock_output tokens=uniform:5:1;
--- must_die
--- error_log
invalid value "uniform:5:1" of tokens: max, N, uniform:A:B (A up to B), normal:MEAN:SIGMA or lognormal:MU:SIGMA



=== TEST 102: output: tokens=uniform:1
--- serve
vllm_mock_output tokens=uniform:1;
--- must_die
--- error_log
invalid value "uniform:1" of tokens: max, N, uniform:A:B (A up to B), normal:MEAN:SIGMA or lognormal:MU:SIGMA



=== TEST 103: output: tokens=normal:10:-1
--- serve
vllm_mock_output tokens=normal:10:-1;
--- must_die
--- error_log
invalid value "normal:10:-1" of tokens: max, N, uniform:A:B (A up to B), normal:MEAN:SIGMA or lognormal:MU:SIGMA



=== TEST 104: output: tokens=gauss:1:2
--- serve
vllm_mock_output tokens=gauss:1:2;
--- must_die
--- error_log
invalid value "gauss:1:2" of tokens: max, N, uniform:A:B (A up to B), normal:MEAN:SIGMA or lognormal:MU:SIGMA



=== TEST 105: output: tokens=uniform:1:2:3
--- serve
vllm_mock_output tokens=uniform:1:2:3;
--- must_die
--- error_log
invalid value "uniform:1:2:3" of tokens: max, N, uniform:A:B (A up to B), normal:MEAN:SIGMA or lognormal:MU:SIGMA



=== TEST 106: output: unknown
--- serve
vllm_mock_output size=3;
--- must_die
--- error_log
invalid parameter "size=3" of vllm_mock_output: text=, tokens=, cap=, calls=, thinks=, schema= or chunk=



=== TEST 107: output: no such file
--- serve
vllm_mock_output text=file:/nonexistent;
--- must_die
--- error_log
cannot open "/nonexistent"



=== TEST 108: metrics: another word
--- serve
vllm_mock_metrics loud;
--- must_die
--- error_log
invalid value "loud" of vllm_mock_metrics: scaled or live



=== TEST 109: metrics: another parameter
--- serve
vllm_mock_metrics live legacy=maybe;
--- must_die
--- error_log
invalid parameter "legacy=maybe" of vllm_mock_metrics: legacy=on or legacy=off



=== TEST 110: metric: no such
--- serve
vllm_mock_metric speed 3;
--- must_die
--- error_log
unknown metric "speed"



=== TEST 111: metric: no number
--- serve
vllm_mock_metric running fast;
--- must_die
--- error_log
running



=== TEST 112: metric: a function that lacks something
--- serve
vllm_mock_metric running ramp:1:2;
--- must_die
--- error_log
running



=== TEST 113: metric: a period of nothing
--- serve
vllm_mock_metric running ramp:1:2:0;
--- must_die
--- error_log
running



=== TEST 114: replicas: x
--- serve
vllm_mock_replicas x;
--- must_die
--- error_log
invalid value "x" of vllm_mock_replicas: a number from 0 to 1000000



=== TEST 115: replicas: -1
--- serve
vllm_mock_replicas -1;
--- must_die
--- error_log
invalid value "-1" of vllm_mock_replicas: a number from 0 to 1000000



=== TEST 116: replicas: 1000001
--- serve
vllm_mock_replicas 1000001;
--- must_die
--- error_log
invalid value "1000001" of vllm_mock_replicas: a number from 0 to 1000000



=== TEST 117: replicas: a time to live of nothing
--- serve
vllm_mock_replicas 3 ttl=1s;
--- must_die
--- error_log
vllm_mock_replicas



=== TEST 118: two servers on one zone with different engines
--- http
vllm_mock_zone m 96m;
server { listen 127.0.0.1:1; vllm_mock_engine max_num_seqs=7; location / { vllm_mock m; } }
--- must_die
--- error_log
zone "m" is used by two servers with different engine, latency or fleet settings



=== TEST 119: calls without a parser
--- serve
vllm_mock_args --enable-auto-tool-choice;
--- must_die
--- error_log
--enable-auto-tool-choice requires --tool-call-parser



=== TEST 120: calls with a parser that vLLM has not
--- serve
vllm_mock_args --enable-auto-tool-choice --tool-call-parser hermez;
--- must_die
--- error_log
invalid tool call parser: hermez; did you mean hermes



=== TEST 121: thoughts with a parser that vLLM has not
--- serve
vllm_mock_args --reasoning-parser qwen4;
--- must_die
--- error_log
invalid reasoning parser: qwen4; did you mean qwen3



=== TEST 122: parsers of a plugin
--- serve
vllm_mock_args --reasoning-parser mine --reasoning-parser-plugin p.py
               --enable-auto-tool-choice --tool-call-parser mine --tool-parser-plugin p.py;
--- request
GET /health
--- error_code: 200
--- no_error_log
[emerg]



=== TEST 123: a value that is worked out at the end, told where it stands
--- serve


vllm_mock_saturation soon;
--- must_die
--- error_log eval
qr/invalid value "soon" of vllm_mock_saturation: a time from 0 to 24h such as 20ms, 2.5ms or 300us in \S+nginx.conf:\d+/



=== TEST 124: a key file that is not there
--- serve
vllm_mock_api_key_file nowhere;
--- must_die
--- error_log eval
qr/vllm_mock_api_key_file: cannot open "\S+nowhere": No such file or directory in \S+nginx.conf:\d+/



=== TEST 125: one level has one time scale
--- serve
vllm_mock_time_scale 1;
vllm_mock_time_scale 2;
--- must_die
--- error_log
"vllm_mock_time_scale" directive is duplicate



=== TEST 126: an engine's setting that is nearly one
--- serve
vllm_mock_engine max_num_seq=4;
--- must_die
--- error_log
unknown parameter "max_num_seq" of the engine; did you mean max_num_seqs



=== TEST 127: a model's parameters are told
--- serve
vllm_mock_latency constant tfft=1ms;
--- must_die
--- error_log
latency model "constant" has no parameter "tfft": ttft, itl, load_factor, jitter, kv_transfer_per_token



=== TEST 128: a share of calls that may be 0.5% or 50%
--- serve
vllm_mock_output calls=0.5;
--- must_die
--- error_log
invalid value "0.5" of calls: 0% to 100%, with the sign below 1% and at 1



=== TEST 129: output: cap
--- serve
vllm_mock_output cap=yes;
--- must_die
--- error_log
invalid value "yes" of cap: off or on



=== TEST 130: output: thinks
--- serve
vllm_mock_output thinks=never;
--- must_die
--- error_log
invalid value "never" of thinks: always or asked



=== TEST 131: a known model's length
--- http: vllm_mock_zone m 64m;
--- serve
vllm_mock_args meta-llama/Llama-3.1-8B-Instruct;
--- request
GET /v1/models
--- response_body_like: "max_model_len":131072,



=== TEST 132: a length that needs more blocks than the default
--- http: vllm_mock_zone m 64m;
--- serve
vllm_mock_args my/model --max-model-len 131072;
--- request
POST /v1/completions
{"model": "my/model", "prompt": "a", "max_tokens": 2}
--- more_headers
Content-Type: application/json
--- response_body_like: "completion_tokens":2,



=== TEST 133: a length for which there are too few blocks
--- serve
vllm_mock_args my/model --max-model-len 131072 --num-gpu-blocks-override 8192;
--- must_die
--- error_log
To serve at least one request with the model's max seq len (131072), 8193 KV blocks of 16 tokens are needed, but there are 8192 (room for 131056 tokens, one block is reserved): set max_model_len to at most 131056 or to auto, or num_gpu_blocks (--num-gpu-blocks-override) to at least 8193



=== TEST 134: as many tokens as there are blocks for
--- serve
vllm_mock_args meta-llama/Llama-3.1-8B --max-model-len auto --num-gpu-blocks-override 101;
--- request
GET /v1/models
--- response_body_like: "max_model_len":1600,
--- error_log
max_model_len is 1600, as the KV cache has 101 blocks of 16 tokens; the model takes 131072



=== TEST 135: the same by vLLM's number, and by a directive
--- serve
vllm_mock_args --max-model-len -1;
vllm_mock_model my/llama root=/models/Llama-3-8B-Instruct max_model_len=auto;
--- request
GET /v1/models
--- response_body_like: "max_model_len":8192,



=== TEST 136: prompts in one step
--- serve
vllm_mock_engine chunked_prefill=off max_num_batched_tokens=1k;
--- must_die
--- error_log
max_num_batched_tokens (1000) must not be less than max_model_len (4096) when chunked prefill is off



=== TEST 137: a block's tokens
--- serve
vllm_mock_engine block_size=17;
--- must_die
--- error_log
invalid value "17" of block_size: 1 to 256, a power of two



=== TEST 138: no GPU at all
--- serve
vllm_mock_args -tp 0;
--- must_die
--- error_log
invalid value "0" of argument --tensor-parallel-size: 1 to 1024



=== TEST 139: no engine at all
--- serve
vllm_mock_args --data-parallel-size 0;
--- must_die
--- error_log
invalid value "0" of argument --data-parallel-size: 1 to 16



=== TEST 140: no port
--- serve
vllm_mock_args --port 99999;
--- must_die
--- error_log
invalid value "99999" of argument --port: 1 to 65535



=== TEST 141: a connector that is no JSON
--- serve
vllm_mock_args --kv-transfer-config '{bad';
--- must_die
--- error_log
invalid value "{bad" of argument --kv-transfer-config: a JSON object



=== TEST 142: two models
--- serve
vllm_mock_args a/one b/two;
--- must_die
--- error_log
unrecognized argument "b/two": the model is "a/one" (more names: --served-model-name)



=== TEST 143: an adapter as vLLM's argument has it
--- serve
vllm_mock_lora a=/x;
--- must_die
--- error_log
invalid name "a=/x" of vllm_mock_lora: write "vllm_mock_lora a path=/x;"



=== TEST 144: a parser that does nothing, and is none
--- serve
vllm_mock_args --tool-call-parser llama3_jso;
--- request
GET /health
--- error_log
--tool-call-parser has no effect without --enable-auto-tool-choice; invalid tool call parser: llama3_jso; did you mean llama3_json



=== TEST 145: seconds where milliseconds may be meant
--- serve
vllm_mock_latency constant ttft=50 itl=0.5;
--- request
GET /health
--- error_log
"ttft=50" is 50 seconds: a unit makes it plain, as 50ms or 50s



=== TEST 146: no warning where the unit is there, or it is no time
--- serve
vllm_mock_latency capacity ttft=50ms capacity=20 base=2s penalty=0;
--- request
GET /health
--- no_error_log
seconds: a unit makes it plain
