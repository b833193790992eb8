# That the runner in t/lib finds what is wrong: each block below has one
# expectation that does not hold, and must give exactly one failure.

use strict;
use warnings;
use File::Temp;
use Test::More;

if (! -e 't/lib/Test/Nginx/Socket.pm') {
    plan skip_all => 'run from the root of the repository';
}

my $hello = <<'EOF';
--- config
    location /t {
        add_header X-One 1;
        return 200 "hello\n";
    }
EOF

my @cases = (
    [ 'body', "$hello--- request\nGET /t\n--- response_body\nhullo\n" ],
    [ 'body, line end', "$hello--- request\nGET /t\n"
                        . "--- response_body chop\nhello\n" ],
    [ 'pattern', "$hello--- request\nGET /t\n--- response_body_like: ^ello\n" ],
    [ 'no pattern', "$hello--- request\nGET /t\n"
                    . "--- response_body_unlike: ll\n" ],
    [ 'status', "$hello--- request\nGET /t\n--- error_code: 201\n" ],
    [ 'status by default', "$hello--- request\nGET /nothing\n" ],
    [ 'status pattern', "$hello--- request\nGET /t\n"
                        . "--- error_code_like: ^[345]\n" ],
    [ 'header', "$hello--- request\nGET /t\n"
                . "--- response_headers\nX-One: 2\n" ],
    [ 'header that is missing', "$hello--- request\nGET /t\n"
                                . "--- response_headers\nX-Two: 2\n" ],
    [ 'header that is there', "$hello--- request\nGET /t\n"
                              . "--- response_headers\n!X-One\n" ],
    [ 'header in another case', "$hello--- request\nGET /t\n"
                                . "--- response_headers\n!x-one\n" ],
    [ 'header pattern', "$hello--- request\nGET /t\n"
                        . "--- response_headers_like\nX-One: 1.+\n" ],
    [ 'error log', "$hello--- request\nGET /t\n--- error_log\nno such line\n" ],
    [ 'no error log', "$hello--- request\nGET /nothing\n--- error_code: 404\n"
                      . "--- no_error_log\nNo such file\n" ],
    [ 'second request', "$hello--- request eval\n['GET /t', 'GET /t']\n"
                        . "--- response_body eval\n"
                        . "[\"hello\\n\", \"hallo\\n\"]\n"
                        . "--- error_code eval\n[200, 200]\n" ],
    [ 'second pipelined', "$hello--- pipelined_requests eval\n"
                          . "['GET /t', 'GET /x']\n"
                          . "--- error_code eval\n[200, 200]\n" ],
    [ 'must die', "$hello--- must_die\n" ],
    [ 'exit code', "--- config\n    nonsense;\n--- must_die: 3\n" ],
    [ 'cannot start', "--- config\n    nonsense;\n--- request\nGET /t\n" ],
    [ 'timeout', "--- config\n    location /t {\n"
                 . "        limit_rate 1;\n        limit_rate_after 1;\n"
                 . "        root html;\n        try_files /big =404;\n    }\n"
                 . "--- user_files eval\n[['big' => 'x' x 100000]]\n"
                 . "--- request\nGET /t\n--- timeout: 200ms\n"
                 . "--- ignore_response\n" ],
);

plan tests => 2 * @cases;

my $dir = File::Temp::tempdir(CLEANUP => 1);

for my $case (@cases) {
    my ($name, $block) = @$case;

    open my $out, '>', "$dir/case.t" or die $!;
    print $out "use Test::Nginx::Socket 'no_plan';\nrun_tests();\n"
               . "__DATA__\n\n=== TEST 1: $name\n$block";
    close $out;

    local $ENV{TEST_NGINX_SERVROOT} = "$dir/servroot";
    local $ENV{TEST_NGINX_SERVER_PORT};
    delete $ENV{TEST_NGINX_SERVER_PORT};

    my $tap = `$^X -It/lib $dir/case.t 2>$dir/stderr`;
    my @failed = $tap =~ /^not ok/mg;

    is(scalar @failed, 1, "$name - one failure") or diag($tap);
    isnt($?, 0, "$name - exit status");
}
