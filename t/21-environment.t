# The environment, read when nginx reads its configuration.

use Test::Nginx::Socket;

plan 'no_plan';

my @names = qw(
    MODEL_NAME POD_NAME HOSTNAME DEFAULT_REPLICAS METRICS_OVERRIDES API_KEY
    SIMULATION MOCK_CAPACITY_AWARE_LATENCY MOCK_SERVER_CAPACITY
    MOCK_BASE_LATENCY_SECONDS MOCK_TTFT_BASE_SECONDS
    MOCK_PREFILL_SECONDS_PER_1K_TOKENS MOCK_DECODE_SECONDS_PER_TOKEN
    MOCK_OVERLOAD_PENALTY_SECONDS MOCK_LATENCY_JITTER_SECONDS
    MOCK_REQUEST_DURATION_SECONDS VLLM_API_KEY VLLM_SERVER_DEV_MODE
    VLLM_ALLOW_RUNTIME_LORA_UPDATING
);

# the tables beside the tests, wherever the server runs

use Cwd ();
$ENV{TEST_NGINX_PROFILES} ||= Cwd::getcwd() . "/profiles";

add_block_preprocessor(sub {
    my $block = shift;

    delete @ENV{@names};

    for my $line (split /\n/, $block->environment || '') {
        my ($name, $value) = split /=/, $line, 2;
        $ENV{$name} = $value;
    }

    $block->set_value('http_config', 'vllm_mock_zone m 48m;');
    $block->set_value('config', ($block->serve || '')
                      . "\nlocation / { vllm_mock m; }");
    $block->set_value('more_headers', 'Content-Type: application/json')
        if !defined $block->more_headers;
});

no_long_string();
no_root_location();
log_level('info');
run_tests();

__DATA__

=== TEST 1: nothing
--- request
GET /v1/models
--- response_body_like: "id":"llama2-7b"



=== TEST 2: the model's name
--- environment
MODEL_NAME=mistral
--- request
GET /v1/models
--- response_body_like: "id":"mistral"



=== TEST 3: the directive wins
--- environment
MODEL_NAME=mistral
--- serve
vllm_mock_model m;
--- request
GET /v1/models
--- response_body_like: \[\{"id":"m"



=== TEST 4: replicas
--- environment
DEFAULT_REPLICAS=5
--- serve
vllm_mock_metrics scaled;
--- request
GET /metrics
--- response_body_like: avg_prompt_throughput_toks_per_s\{model_name="llama2-7b"\} 20\.0



=== TEST 5: the directive wins
--- environment
DEFAULT_REPLICAS=5
--- serve
vllm_mock_metrics scaled;
vllm_mock_replicas 4;
--- request
GET /metrics
--- response_body_like: avg_prompt_throughput_toks_per_s\{model_name="llama2-7b"\} 25\.0



=== TEST 6: replicas that are no number
--- environment
DEFAULT_REPLICAS=many
--- must_die
--- error_log
environment variable DEFAULT_REPLICAS: invalid value "many": a number from 0



=== TEST 7: overrides
--- environment
METRICS_OVERRIDES={"running": 7, "waiting": "squarewave:3:3:10"}
--- request
GET /metrics
--- response_body_like: (?s)num_requests_running\{\S+\} 7\.0.*num_requests_waiting\{\S+\} 3\.0



=== TEST 8: overrides that are no JSON
--- environment
METRICS_OVERRIDES=running=7
--- must_die
--- error_log
environment variable METRICS_OVERRIDES is no JSON object: "running=7"



=== TEST 9: overrides of what is not
--- environment
METRICS_OVERRIDES={"speed": 7}
--- must_die
--- error_log
environment variable METRICS_OVERRIDES: unknown metric "speed"



=== TEST 10: the pod's name
--- environment
POD_NAME=pod-3
--- serve
vllm_mock_output text=message tokens=40;
vllm_mock_latency none;
--- request
POST /v1/completions
{"model": "llama2-7b", "prompt": "a", "max_tokens": 40}
--- response_body_like: on pod pod-3



=== TEST 11: the host's
--- environment
HOSTNAME=host-3
--- serve
vllm_mock_output text=message tokens=40;
vllm_mock_latency none;
--- request
POST /v1/completions
{"model": "llama2-7b", "prompt": "a", "max_tokens": 40}
--- response_body_like: on pod host-3



=== TEST 12: dev mode
--- environment
VLLM_SERVER_DEV_MODE=1
--- request
GET /is_sleeping
--- response_body: {"is_sleeping":false}



=== TEST 13: adapters at run time need both
--- environment
VLLM_ALLOW_RUNTIME_LORA_UPDATING=True
--- serve
vllm_mock_args --enable-lora;
vllm_mock_lora_paths any;
--- request
POST /v1/load_lora_adapter
{"lora_name": "l", "lora_path": "/x"}
--- response_body_like: ^Success



=== TEST 14: the capacity model: 50 ms and 101 tokens, no jitter
--- environment
MOCK_CAPACITY_AWARE_LATENCY=true
MOCK_SERVER_CAPACITY=4
MOCK_BASE_LATENCY_SECONDS=0.05
MOCK_TTFT_BASE_SECONDS=0.05
MOCK_PREFILL_SECONDS_PER_1K_TOKENS=0
MOCK_DECODE_SECONDS_PER_TOKEN=0.001
MOCK_OVERLOAD_PENALTY_SECONDS=1
MOCK_LATENCY_JITTER_SECONDS=0
--- request eval
["POST /v1/completions\n" . '{"model": "llama2-7b", "prompt": "a", "max_tokens": 101}',
 "GET /metrics"]
--- response_body_filters eval
sub { my @l = grep { /e2e_request_latency_seconds_sum|inter_token_latency_seconds_count/ }
              split /\n/, $_[0];
      "@l" }
--- response_body_like eval
['', 'inter_token_latency_seconds_count\{\S+\} 100\.0 .*e2e_request_latency_seconds_sum\{\S+\} 0\.1[56]']



=== TEST 15: a duration for the whole
--- environment
MOCK_REQUEST_DURATION_SECONDS=0.3
--- request eval
["POST /v1/completions\n" . '{"model": "llama2-7b", "prompt": "a", "max_tokens": 10}',
 "GET /metrics"]
--- response_body_like eval
['"completion_tokens":10', 'e2e_request_latency_seconds_sum\{\S+\} 0\.(?:29|3[0-4])']



=== TEST 16: a capacity that is none
--- environment
MOCK_CAPACITY_AWARE_LATENCY=1
MOCK_SERVER_CAPACITY=0
--- must_die
--- error_log
environment variable MOCK_SERVER_CAPACITY: invalid value "0" of capacity



=== TEST 17: a time that is none
--- environment
MOCK_CAPACITY_AWARE_LATENCY=yes
MOCK_BASE_LATENCY_SECONDS=soon
--- must_die
--- error_log
environment variable MOCK_BASE_LATENCY_SECONDS: invalid value "soon" of base



=== TEST 18: a duration that is none
--- environment
MOCK_REQUEST_DURATION_SECONDS=-1
--- must_die
--- error_log
MOCK_REQUEST_DURATION_SECONDS: invalid value "-1" of duration



=== TEST 19: a device that is not known
--- environment
SIMULATION=abacus
--- serve
vllm_mock_profiles $TEST_NGINX_PROFILES;
--- must_die
--- error_log
environment variable SIMULATION: 



=== TEST 20: no simulation
--- environment
SIMULATION=disabled
--- request
GET /health
--- response_body



=== TEST 21: a device
--- environment
SIMULATION=a100
--- serve
vllm_mock_profiles $TEST_NGINX_PROFILES;
--- request
POST /v1/completions
{"model": "llama2-7b", "prompt": "a", "max_tokens": 2}
--- response_body_like: "completion_tokens":2,



=== TEST 60: a word that is no flag of vLLM
--- environment
VLLM_SERVER_DEV_MODE=maybe
--- must_die
--- error_log
environment variable VLLM_SERVER_DEV_MODE: invalid value "maybe": a number, true or false



=== TEST 61: a word that is not one of the application's
--- environment
MOCK_CAPACITY_AWARE_LATENCY=maybe
--- request
GET /health
--- error_log
environment variable MOCK_CAPACITY_AWARE_LATENCY: "maybe" is taken as off: true, yes, on or 1 turn it on



=== TEST 62: a device's blocks hold less than the model takes
--- environment
SIMULATION=h100
--- serve
vllm_mock_profiles $TEST_NGINX_PROFILES;
vllm_mock_args meta-llama/Llama-3.1-8B-Instruct --num-gpu-blocks-override 1000;
--- request
GET /v1/models
--- response_body_like: "max_model_len":15984,
--- error_log
max_model_len is 15984, as the KV cache has 1000 blocks of 16 tokens; the model takes 131072



=== TEST 63: a device's blocks hold what the model takes
--- environment
SIMULATION=h100
--- serve
vllm_mock_profiles $TEST_NGINX_PROFILES;
vllm_mock_args meta-llama/Llama-3.1-8B-Instruct;
--- request eval
["GET /v1/models", "GET /metrics"]
--- response_body_like eval
['"max_model_len":131072,', 'vllm:cache_config_info\{[^}]*num_gpu_blocks="2\d{4}"']



=== TEST 90: which profile was chosen
--- environment
SIMULATION=h100
--- serve
vllm_mock_profiles $TEST_NGINX_PROFILES;
vllm_mock_args meta-llama/Llama-3.1-8B-Instruct -tp 2;
--- request
GET /admin/config
--- response_body_like: "latency":\{"model":"profile","device":"h100","profile":"llama-3\.1-8b","tensor_parallel":2,
--- error_log
SIMULATION=h100 for model "meta-llama/Llama-3.1-8B-Instruct": profile h100/llama-3.1-8b-tp2.json, measured with llama-3.1-8b, tensor parallel size 2
