# What the runner in t/lib (or upstream's module) must do before the other
# files mean anything.  Only nginx itself is needed.

use Test::Nginx::Socket;

repeat_each(2);

plan tests => repeat_each() * 72;

$ENV{TEST_NGINX_RUNNER} = 'from the environment';

env_to_nginx('RUNNER_TEST=value');
no_long_string();
log_level('info');
run_tests();

__DATA__

=== TEST 1: a body
--- config
    location /t {
        return 200 "hello\nworld\n";
    }
--- request
GET /t
--- response_body
hello
world



=== TEST 2: status, and no line end
--- config
    location /t {
        return 404 "gone";
    }
--- request
    GET /t
--- response_body chop
gone
--- error_code: 404



=== TEST 3: status by pattern
--- config
    location /t {
        return 503;
    }
--- request
GET /t
--- error_code_like: ^50[34]$
--- response_body_like: 503 Service Temporarily Unavailable



=== TEST 4: not like
--- config
    location /t {
        return 200 "hello\n";
    }
--- request
GET /t
--- response_body_unlike: hell[^o]



=== TEST 5: headers
--- config
    location /t {
        add_header X-One 1;
        add_header X-Two "a b";
        return 200 "ok\n";
    }
--- request
GET /t
--- response_headers
X-One: 1
x-two: a b
!X-Three
Content-Type: text/plain
--- response_body
ok



=== TEST 6: headers by pattern
--- config
    location /t {
        return 200 "ok\n";
    }
--- request
GET /t
--- response_headers_like
Server: nginx.*
Content-Length: \d+



=== TEST 7: method, body, headers
--- config
    location /t {
        return 200 "$request_method $content_length $http_x_a|$http_host\n";
    }
--- request
POST /t
some body
--- more_headers
X-A: 1 2
Host: example.com
--- response_body
POST 9 1 2|example.com



=== TEST 8: defaults of a request
--- config
    location / {
        return 200 "$request $http_host $http_connection\n";
    }
--- request
GET
--- response_body
GET / HTTP/1.1 localhost close



=== TEST 9: HTTP/1.0
--- config
    location /t {
        return 200 "$server_protocol\n";
    }
--- request
GET /t HTTP/1.0
--- response_body
HTTP/1.0



=== TEST 10: several requests, each on its connection
--- config
    location /a {
        return 200 "$connection_requests a\n";
    }
    location /b {
        return 201 "$connection_requests b\n";
    }
--- request eval
["GET /a", "GET /b", "POST /a\nbody"]
--- more_headers eval
["X-A: 1", "X-A: 2", "X-A: 3"]
--- response_body eval
["1 a\n", "1 b\n", "1 a\n"]
--- error_code eval
[200, 201, 200]



=== TEST 11: pipelined
--- config
    location /t {
        return 200 "$connection_requests $arg_n\n";
    }
--- pipelined_requests eval
["GET /t?n=x", "GET /t?n=y"]
--- response_body eval
["1 x\n", "2 y\n"]



=== TEST 12: raw, in pieces
--- config
    location /t {
        return 200 "$http_x_a\n";
    }
--- raw_request eval
["GET /t HTTP/1.1\r\nHost: a\r\n", "X-A: piece\r\nConnection: close\r\n\r\n"]
--- raw_request_middle_delay: 0.02
--- response_body
piece



=== TEST 13: not HTTP at all
--- config
    location /t {
        return 200;
    }
--- raw_request eval
"this is not a request\r\n\r\n"
--- error_code: 400
--- response_body_like: 400 Bad Request



=== TEST 14: the error log
--- config
    location /t {
        root /nonexistent;
    }
--- request
GET /t
--- error_code: 404
--- error_log
"/nonexistent/t" failed
No such file
--- no_error_log
[alert]



=== TEST 15: the error log by patterns, and only what is new
--- config
    location /t {
        return 200 "ok\n";
    }
--- request
GET /t
--- no_error_log eval
[qr/nonexistent/, "[error]"]



=== TEST 16: a configuration that is wrong
--- config
    no_such_directive 1;
--- must_die
--- error_log
unknown directive "no_such_directive"
--- no_error_log
[alert]



=== TEST 17: the exit code of it
--- config
    listen nonsense:nonsense;
--- must_die: 1



=== TEST 18: main and http configuration, the environment
--- main_config
    env RUNNER_MAIN=1;
--- http_config
    map $arg_a $mapped {
        default "$TEST_NGINX_RUNNER";
    }
--- config
    location /t {
        return 200 "$mapped\n";
    }
--- request
GET /t
--- response_body
from the environment



=== TEST 19: the port
--- http_config
    server {
        listen $TEST_NGINX_SERVER_PORT;
        server_name other;
        return 200 "other\n";
    }
--- config
    location /t {
        add_header X-Port $server_port;
        return 200 "$server_port\n";
    }
--- request eval
["GET /t", "GET /t"]
--- more_headers eval
["X-A: b", "Host: other"]
--- response_body eval
["$ENV{TEST_NGINX_SERVER_PORT}\n", "other\n"]



=== TEST 20: files
--- user_files
>>> a.txt
first
>>> d/b.txt
second
--- config
--- request eval
["GET /a.txt", "GET /d/b.txt"]
--- response_body eval
["first\n", "second\n"]



=== TEST 21: no config, the server before goes on
--- request
GET /a.txt
--- response_body
first



=== TEST 22: chunked, both ways
--- config
    location /t {
        ssi on;
        ssi_types *;
        default_type text/plain;
        proxy_http_version 1.1;
        proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/ssi;
    }
    location /ssi {
        return 200 '<!--# echo var="request_method" -->!';
    }
--- more_headers
Transfer-Encoding: chunked
--- request eval
"POST /t
4\r
hell\r
0\r
\r
"
--- response_headers
Transfer-Encoding: chunked
!Content-Length
--- response_body chop
POST!



=== TEST 23: HEAD
--- config
    location /t {
        return 200 "hello\n";
    }
--- request
HEAD /t
--- response_headers
Content-Length: 6
--- response_body



=== TEST 24: a connection that stays open
--- config
    location /t {
        return 200 "hello\n";
    }
--- request
GET /t
--- more_headers
Connection: keep-alive
--- timeout: 1
--- abort
--- response_headers
Connection: keep-alive
--- response_body
hello



=== TEST 25: a response that does not come
--- config
    location /t {
        limit_rate 1;
        limit_rate_after 1;
        root html;
        try_files /big =404;
    }
--- user_files eval
[["big" => "x" x 100000]]
--- request
GET /t
--- timeout: 0.3
--- abort
--- ignore_response
--- no_error_log
[error]



=== TEST 26: never run
--- SKIP
--- config
    nonsense;
--- request
GET /t



=== TEST 27: other versions of nginx
--- skip_nginx: 1: > 0.0.1
--- config
    nonsense;
--- request
GET /t
