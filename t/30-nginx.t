# The module among nginx's own: connections, bodies, filters, limits, access.

use Test::Nginx::Socket;

plan 'no_plan';

$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();

our $ask = '{"model": "m", "prompt": "a", "max_tokens": 2}';
our $stream = '{"model": "m", "prompt": "a", "max_tokens": 2, "stream": true}';

add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value('http_config', "vllm_mock_zone m 48m;\n"
                      . ($block->http || ''));
    $block->set_value('config', "vllm_mock_model m;\nvllm_mock_latency none;\n"
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

=== TEST 1: several requests on a connection
--- pipelined_requests eval
["GET /version", "POST /v1/completions\n$main::ask", "GET /nowhere",
 "POST /v1/completions\n$main::stream", "POST /v1/completions\n{",
 "GET /version"]
--- error_code eval
[200, 200, 404, 200, 400, 200]
--- response_body_like eval
['^\{"version":"0\.32\.0"\}$', '"completion_tokens":2', 'Not Found',
 '\[DONE\]', '"error"', '^\{"version":"0\.32\.0"\}$']
--- no_error_log
[error]



=== TEST 2: requests that are refused before their body is read
--- pipelined_requests eval
["POST /nowhere\n" . 'x' x 3000, "POST /health\n" . 'x' x 3000,
 "GET /version\nx", "GET /version"]
--- error_code eval
[404, 405, 200, 200]
--- response_body_like eval
['Not Found', 'Method Not Allowed', 'version', 'version']
--- no_error_log
[error]



=== TEST 3: a chunked body
--- more_headers
Content-Type: application/json
Transfer-Encoding: chunked
--- request eval
my $body = '{"model": "m", "prompt": "a", "max_tokens": 2}';
"POST /v1/completions\n"
. CORE::join('', map { sprintf "%x\r\n%s\r\n", length $_, $_ } $body =~ /.{1,7}/gs)
. "0\r\n\r\n"
--- response_body_like: "completion_tokens":2
--- no_error_log
[error]



=== TEST 4: a body in a file
--- serve
client_body_in_file_only clean;
--- request eval
"POST /v1/completions\n$main::ask"
--- response_body_like: "completion_tokens":2
--- no_error_log
[error]



=== TEST 5: a body that is larger than the buffer
--- serve
client_body_buffer_size 1k;
--- request eval
"POST /tokenize\n" . '{"model": "m", "prompt": "' . 'word ' x 20000 . '"}'
--- response_body_like: ^\{"count":\d{5},
--- error_log
a client request body is buffered to a temporary file



=== TEST 6: one that comes in pieces
--- raw_request eval
["POST /v1/completions HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
 . "Content-Type: application/json\r\nContent-Length: "
 . length($main::ask) . "\r\n\r\n", $main::ask =~ /.{1,9}/gs]
--- raw_request_middle_delay: 0.01
--- response_body_like: "completion_tokens":2



=== TEST 7: too large, in vLLM's shape
--- place
client_max_body_size 1k;
--- request eval
"POST /v1/completions\n" . 'x' x 2000
--- error_code: 413
--- response_headers
Content-Type: application/json
Server: uvicorn
--- response_body: {"error":{"message":"Request Entity Too Large","type":"Request Entity Too Large","param":null,"code":413}}
--- error_log
client intended to send too large body



=== TEST 8: too large, found on the way
--- place
client_max_body_size 1k;
--- more_headers
Content-Type: application/json
Transfer-Encoding: chunked
--- request eval
"POST /v1/completions\n800\r\n" . 'x' x 2048 . "\r\n0\r\n\r\n"
--- error_code: 413
--- response_body_like: ^\{"error":\{"message":"Request Entity Too Large"



=== TEST 9: what is no HTTP
--- raw_request eval
"nonsense\r\n\r\n"
--- error_code: 400
--- response_headers
Content-Type: text/plain; charset=utf-8
--- response_body: Invalid HTTP request received.



=== TEST 10: gzip of an answer
--- serve
gzip on;
gzip_types application/json text/event-stream text/plain;
gzip_min_length 1;
--- more_headers
Content-Type: application/json
Accept-Encoding: gzip
--- request eval
["POST /v1/completions\n$main::ask", "POST /v1/completions\n$main::stream",
 "GET /metrics"]
--- response_headers eval
["Content-Encoding: gzip", "Content-Encoding: gzip",
 "Content-Encoding: gzip"]
--- response_body_filters eval
use IO::Uncompress::Gunzip;
sub { my ($in, $out) = (shift, '');
      IO::Uncompress::Gunzip::gunzip(\$in, \$out);
      $out }
--- response_body_like eval
['"completion_tokens":2', '^data: \{.*data: \[DONE\]\n\n$', 'vllm:num_requests']
--- error_code eval
[200, 200, 200]



=== TEST 11: no gzip unless asked for
--- serve
gzip on;
gzip_types application/json;
gzip_min_length 1;
--- request eval
"POST /v1/completions\n$main::ask"
--- response_headers
!Content-Encoding
--- response_body_like: "completion_tokens":2



=== TEST 12: nginx's passwords
--- user_files
>>> passwords
ann:{PLAIN}secret
--- place
auth_basic "mock"; auth_basic_user_file $TEST_NGINX_HTML_DIR/passwords;
--- request eval
["GET /v1/models", "GET /v1/models", "POST /v1/completions\n$main::ask"]
--- more_headers eval
["Authorization: Basic YW5uOnNlY3JldA==", "X: 1",
 "Authorization: Basic YW5uOndyb25n"]
--- error_code eval
[200, 401, 401]
--- response_headers eval
["!WWW-Authenticate", 'WWW-Authenticate: Basic realm="mock"',
 'WWW-Authenticate: Basic realm="mock"']
--- response_body_like eval
['"object":"list"', '^\{"error":\{"message":"Unauthorized"',
 '^\{"error":\{"message":"Unauthorized"']



=== TEST 13: allow and deny
--- place
deny all;
--- request
GET /v1/models
--- error_code: 403
--- response_body_like: ^\{"error":\{"message":"Forbidden"



=== TEST 14: nginx's rate
--- http
limit_req_zone $server_name zone=r:1m rate=1r/m;
--- place
limit_req zone=r burst=1 nodelay; limit_req_status 429;
--- request eval
["GET /version", "GET /version", "GET /version"]
--- error_code eval
[200, 200, 429]
--- response_body_like eval
["version", "version", '^\{"error":\{"message":"Too Many Requests"']



=== TEST 15: nginx's number of connections
--- http
limit_conn_zone $server_name zone=c:1m;
--- serve
vllm_mock_latency constant ttft=1s itl=0;
--- place
limit_conn c 1;
--- init
# one that stays
$main::other = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
    PeerPort => $ENV{TEST_NGINX_SERVER_PORT}) or die;
print {$main::other} "POST /v1/completions HTTP/1.1\r\nHost: a\r\n"
    . "Content-Type: application/json\r\nContent-Length: "
    . length($main::stream) . "\r\n\r\n$main::stream";
# its headers are there: it is being served
$main::other->sysread(my $answer, 12);
--- request
GET /version
--- error_code: 503
--- response_body_like: ^\{"error":\{"message":"Service Unavailable"



=== TEST 16: through a proxy
--- http
server {
    listen unix:$TEST_NGINX_HTML_DIR/proxy.sock;
    location / { proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT;
                 proxy_http_version 1.1; proxy_buffering off;
                 proxy_pass_header Server; }
}
--- serve
location /via/ {
    proxy_pass http://unix:$TEST_NGINX_HTML_DIR/proxy.sock:/;
    proxy_http_version 1.1;
    proxy_pass_header Server;
}
--- request eval
["GET /via/v1/models", "POST /via/v1/completions\n$main::ask",
 "POST /via/v1/completions\n$main::stream", "GET /via/nowhere",
 "POST /via/v1/completions\n{"]
--- error_code eval
[200, 200, 200, 404, 400]
--- response_headers eval
[map { "Server: uvicorn" } 1 .. 5]
--- response_body_like eval
['"object":"list"', '"completion_tokens":2', 'data: \[DONE\]\n\n$',
 'Not Found', '"error"']
--- no_error_log
[error]



=== TEST 17: below a path
--- serve
location /llm/ { rewrite ^/llm(/.*)$ $1 last; }
--- request eval
["GET /v1/models", "GET /llm/v1/models"]
--- error_code eval
[200, 404]



=== TEST 18: a root path, as behind a proxy that keeps it
--- serve
vllm_mock_args --root-path /llm;
--- request eval
["GET /llm/v1/models", "GET /v1/models"]
--- error_code eval
[200, 200]



=== TEST 19: a header of the operator's own
--- place
add_header X-Here 1 always;
--- request eval
["GET /version", "GET /nowhere"]
--- response_headers eval
["X-Here: 1", "X-Here: 1"]
--- error_code eval
[200, 404]



=== TEST 20: a subrequest asks first
--- serve
location = /auth { internal; return 204; }
--- place
auth_request /auth;
--- request eval
"POST /v1/completions\n$main::ask"
--- response_body_like: "completion_tokens":2



=== TEST 21: the limit of the lines
--- raw_request eval
"GET /" . 'x' x 40000 . " HTTP/1.1\r\nHost: a\r\n\r\n"
--- error_code: 414
--- response_body_like: .



=== TEST 22: an error page of the operator's
--- place
error_page 404 = @else;
--- serve
location @else { return 200 "else\n"; }
--- request
GET /nowhere
--- error_code: 404



=== TEST 23: tokens one by one do not wait for nginx's buffers
--- serve
vllm_mock_latency constant ttft=1ms itl=20ms;
postpone_output 1460;
--- request eval
"POST /v1/completions\n" . '{"model": "m", "prompt": "a", "max_tokens": 5, "stream": true}'
--- response_body_like: ^(?:data: \{[^\n]*\n\n){5}data: \[DONE\]\n\n$
--- no_error_log
[error]



=== TEST 24: a slow rate of nginx's loses nothing
--- place
limit_rate 40k; limit_rate_after 1;
--- timeout: 10
--- request eval
"POST /v1/completions\n" . '{"model": "m", "prompt": "a", "max_tokens": 200, "stream": true}'
--- response_body_filters eval
sub { my $n = () = $_[0] =~ /^data: \{/mg;
      $n . ($_[0] =~ /data: \[DONE\]\n\n$/ ? " and the end" : '') }
--- response_body: 200 and the end
--- no_error_log
[error]



=== TEST 25: the client goes, its slot is free
--- serve
vllm_mock_latency constant ttft=1ms itl=1s;
--- init
my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
    PeerPort => $ENV{TEST_NGINX_SERVER_PORT}) or die;
print $s "POST /v1/completions HTTP/1.1\r\nHost: a\r\n"
    . "Content-Type: application/json\r\nContent-Length: "
    . length($main::stream) . "\r\n\r\n$main::stream";
$s->sysread(my $answer, 12);
close $s;
--- request eval
["GET /admin/state", "GET /admin/state"]
--- response_body_like eval
['"engines"', '"live":0,"running":0,"waiting":0,']
--- error_code eval
[200, 200]



=== TEST 90: errors of other locations are nginx's own
--- serve
location /other/ { root html; }
location /denied/ { deny all; }
--- request eval
["GET /nothing", "GET /other/nothing", "GET /denied/x"]
--- error_code eval
[404, 404, 403]
--- response_body_like eval
['^\{"detail":"Not Found"\}$', '<title>404 Not Found</title>', '<title>403 Forbidden</title>']



=== TEST 91: bytes of a query that are no UTF-8
--- serve
vllm_mock_endpoints all;
--- request
POST /pause?mode=%ff%fe
--- error_code: 400
--- response_body_like: query\.mode.*\x{ef}\x{bf}\x{bd}
