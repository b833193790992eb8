package Test::Nginx::Socket;

# Runs test files of Test::Nginx::Socket's format where that module is not at
# hand: the functions and sections that this project uses, with its counts of
# tests per block, so that the files run unchanged under upstream's module.
#
#     prove -It/lib t/*.t
#
# Environment: TEST_NGINX_BINARY (nginx), TEST_NGINX_LOAD_MODULES (paths,
# separated by spaces), TEST_NGINX_SERVROOT (a temporary directory),
# TEST_NGINX_SERVER_PORT (a free one), TEST_NGINX_TIMEOUT (3 seconds),
# TEST_NGINX_VERBOSE, TEST_NGINX_NO_CLEAN.

use Test::Base -Base;

# Spiffy, behind "-Base", makes methods of subroutines without a prototype:
# so all of them have one here.

use Cwd ();
use File::Path ();
use File::Temp ();
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Socket qw( IPPROTO_TCP TCP_NODELAY );
use Time::HiRes ();

our $VERSION = '0.1';

our @EXPORT = qw(
    run_tests run_test repeat_each plan bail_out
    workers worker_connections master_on master_off master_process_enabled
    log_level no_shuffle no_long_string no_root_location config_preamble
    env_to_nginx timeout html_dir server_root server_name server_addr
    server_port server_port_for_client is_str
    add_block_preprocessor add_cleanup_handler add_response_body_check
    check_accum_error_log
);

our $RepeatEach = 1;
our $ServerPort;
our $ServerPortForClient;

my $Binary = $ENV{TEST_NGINX_BINARY} || 'nginx';
my $Verbose = $ENV{TEST_NGINX_VERBOSE};
my $Timeout = $ENV{TEST_NGINX_TIMEOUT} || 3;
my $StartTimeout = 20;
my $StopTimeout = 20;
my $LogTimeout = 2;

my $Workers = 1;
my $WorkerConnections = 64;
my $MasterProcess = 'off';
my $LogLevel = 'debug';
my $ServerName = 'localhost';
my $ConfigPreamble = '';
my $RootLocation = 1;
my $AccumErrorLog = 0;

my @EnvToNginx;
my @Preprocessors;
my @Cleanups;
my @BodyChecks;

my $Root;                       # of the server, absolute
my $TempRoot;                   # to be removed
my $Pid;                        # of nginx, our child
my $RunningConfig;
my %LogPosition;                # how far log files have been read
my $Version;

setup_port();
setup_root();


# ---- settings, by their upstream names ----

sub repeat_each (@) {
    $RepeatEach = shift if @_;
    return $RepeatEach;
}

sub workers (@) {
    $Workers = shift if @_;
    return $Workers;
}

sub worker_connections (@) {
    $WorkerConnections = shift if @_;
    return $WorkerConnections;
}

sub master_on () {
    $MasterProcess = 'on';
}

sub master_off () {
    $MasterProcess = 'off';
}

sub master_process_enabled (@) {
    $MasterProcess = $_[0] ? 'on' : 'off' if @_;
    return $MasterProcess eq 'on';
}

sub log_level (@) {
    $LogLevel = shift if @_;
    return $LogLevel;
}

sub timeout (@) {
    $Timeout = shift if @_;
    return $Timeout;
}

sub server_name (@) {
    $ServerName = shift if @_;
    return $ServerName;
}

sub config_preamble ($) {
    $ConfigPreamble = shift;
}

sub no_root_location () {
    $RootLocation = 0;
}

sub check_accum_error_log () {
    $AccumErrorLog = 1;
}

sub env_to_nginx (@) {
    push @EnvToNginx, @_;
}

sub add_block_preprocessor ($) {
    push @Preprocessors, shift;
}

sub add_cleanup_handler ($) {
    push @Cleanups, shift;
}

sub add_response_body_check ($) {
    push @BodyChecks, shift;
}

# Blocks run in their order here, and texts are compared by Test::More.
sub no_shuffle () { }
sub no_long_string () { }

sub is_str (@) {
    my ($got, $expected, $name) = @_;
    is($got, $expected, $name);
}

sub html_dir () { "$Root/html" }
sub server_root () { $Root }
sub server_addr () { '127.0.0.1' }
sub server_port () { $ServerPort }
sub server_port_for_client () { $ServerPortForClient }

sub bail_out (@) {
    stop_nginx('bail out');
    Test::More->builder->BAIL_OUT(join '', @_);
}


# ---- where the server lives ----

# Below the range that connections get theirs from: a connect to a port of
# that range where nobody listens can meet itself.

sub setup_port () {
    $ServerPort = $ENV{TEST_NGINX_SERVER_PORT} || $ENV{TEST_NGINX_PORT};

    for (1 .. 200) {
        last if defined $ServerPort;
        my $port = 20000 + int rand 12000;
        my $s = IO::Socket::INET->new(LocalAddr => '0.0.0.0',
                                      LocalPort => $port, Proto => 'tcp',
                                      Listen => 1, ReuseAddr => 1);
        $ServerPort = $port if $s;
    }

    die "no free port\n" if !defined $ServerPort;

    $ServerPortForClient = $ENV{TEST_NGINX_CLIENT_PORT} || $ServerPort;
    $ENV{TEST_NGINX_SERVER_PORT} = $ServerPort;
}

sub setup_root () {
    if (defined $ENV{TEST_NGINX_SERVROOT}) {
        $Root = $ENV{TEST_NGINX_SERVROOT};
        $Root = Cwd::getcwd() . "/$Root" if $Root !~ m{^/};

    } else {
        $TempRoot = File::Temp::tempdir('test-nginx-XXXXXXXX', TMPDIR => 1);
        $Root = "$TempRoot/servroot";
    }
}

sub clean_root () {
    File::Path::remove_tree($Root) if -d $Root;
    File::Path::make_path("$Root/conf", "$Root/html", "$Root/logs",
                          "$Root/temp");
    %LogPosition = ();
}

sub write_file ($$) {
    my ($path, $text) = @_;

    open my $out, '>', $path or bail_out("cannot write $path: $!");
    binmode $out;
    print $out $text;
    close $out or bail_out("cannot write $path: $!");
}

sub read_file ($) {
    my ($path) = @_;

    open my $in, '<', $path or return '';
    binmode $in;
    local $/;
    my $text = <$in>;
    return defined $text ? $text : '';
}

# `>>> name` and a file's content, or a list of [name => content].

sub write_user_files ($) {
    my ($block) = @_;

    my $files = $block->user_files;
    return if !defined $files;

    my @list;

    if (ref $files eq 'ARRAY') {
        for my $file (@$files) {
            push @list, ref $file ? [@$file] : [$file, ''];
        }

    } else {
        my (undef, @parts) = split /^>>>[ \t]*([^\n]*)\n/m, $files;

        while (@parts) {
            my ($name, $text) = splice @parts, 0, 2;
            $name =~ s/\s.*//;              # a time may follow
            push @list, [$name, defined $text ? $text : ''];
        }
    }

    for my $file (@list) {
        my $path = $file->[0] =~ m{^/} ? $file->[0] : "$Root/html/$file->[0]";
        (my $dir = $path) =~ s{/[^/]*$}{};
        File::Path::make_path($dir);
        write_file($path, $file->[1]);
    }
}


# ---- the configuration ----

sub expand_env ($$) {
    my ($text, $name) = @_;

    return '' if !defined $text;

    $text =~ s{\$(TEST_NGINX_[_A-Z0-9]+)}{
        defined $ENV{$1} ? $ENV{$1}
                         : bail_out("$name - no environment $1 defined")
    }eg;

    return $text;
}

sub build_config ($) {
    my ($block) = @_;

    my $name = $block->name;
    my $main = expand_env($block->main_config, $name);
    my $http = expand_env($block->http_config, $name);
    my $config = expand_env($block->config, $name);
    my $post = expand_env($block->post_main_config, $name);
    my $level = $block->log_level || $LogLevel;
    my $server_name = $block->server_name || $ServerName;
    chomp($level, $server_name);

    my $modules = join '', map { "load_module $_;\n" }
                  split ' ', $ENV{TEST_NGINX_LOAD_MODULES} || '';

    # "name=value" and "name" are the directive's own forms

    my $env = join '', map { "env '$_';\n" } @EnvToNginx, 'ASAN_OPTIONS',
              'UBSAN_OPTIONS', 'LSAN_OPTIONS';

    # a distribution's nginx has paths of its own, where not everybody writes

    my $temp = '';

    for my $kind (qw( client_body proxy fastcgi uwsgi scgi )) {
        next if $http =~ /\b${kind}_temp_path\b/;
        next if $kind ne 'client_body' && $kind ne 'proxy'
                && build_options() =~ /--without-http_${kind}_module/;
        $temp .= "    ${kind}_temp_path $Root/temp/$kind;\n";
    }

    my $root_location = '';

    if ($RootLocation && $config !~ m{\blocation\s+/\s*\{}) {
        $root_location = <<"EOF";
        location / {
            root $Root/html;
            index index.html index.htm;
        }
EOF
    }

    my $user = $> == 0 ? "user root;\n" : '';

    return <<"EOF";
worker_processes $Workers;
daemon off;
master_process $MasterProcess;
error_log $Root/logs/error.log $level;
pid $Root/logs/nginx.pid;
$user$env$modules
$main

http {
    access_log $Root/logs/access.log;
    default_type text/plain;
    keepalive_timeout 68;
$temp
$http

    server {
        listen $ServerPort;
        server_name '$server_name';
        client_max_body_size 30M;

$ConfigPreamble
$config

$root_location
    }
}

$post

events {
    accept_mutex off;
    worker_connections $WorkerConnections;
}
EOF
}

my $Options;

sub build_options () {
    if (!defined $Options) {
        $Options = `$Binary -V 2>&1`;
        $Options = '' if !defined $Options;
    }

    return $Options;
}

sub nginx_version () {
    if (!defined $Version) {
        if (build_options() !~ m{version: \S+?/(\d+)\.(\d+)\.(\d+)}) {
            bail_out("cannot tell the version of $Binary");
        }

        $Version = sprintf '%d.%03d%03d', $1, $2, $3;
    }

    return $Version;
}


# ---- the process ----

sub spawn_nginx () {
    my $pid = fork();
    bail_out("cannot fork: $!") if !defined $pid;

    if ($pid == 0) {
        setpgrp 0, 0;
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$Root/logs/stdout";
        open STDERR, '>', "$Root/logs/stderr";
        exec $Binary, '-p', "$Root/", '-c', "$Root/conf/nginx.conf",
             '-e', "$Root/logs/error.log" or POSIX::_exit(127);
    }

    return $pid;
}

# Undef if the server answers to connections, else its exit status.

sub wait_nginx ($) {
    my ($name) = @_;

    my $end = Time::HiRes::time() + $StartTimeout;

    while (Time::HiRes::time() < $end) {

        if (waitpid($Pid, POSIX::WNOHANG()) == $Pid) {
            undef $Pid;
            return $?;
        }

        # whoever listens on the port must be ours: its pid file tells

        if (read_file("$Root/logs/nginx.pid") =~ /^$Pid$/m
            && IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $ServerPort,
                                     Proto => 'tcp', Timeout => 1))
        {
            return undef;
        }

        select undef, undef, undef, 0.003;
    }

    stop_nginx($name);
    return -1;
}

sub start_nginx ($$) {
    my ($block, $config) = @_;

    stop_nginx($block->name);
    clean_root();
    write_user_files($block);
    write_file("$Root/conf/nginx.conf", $config);
    diag("# $Root/conf/nginx.conf:\n$config") if $Verbose;

    $Pid = spawn_nginx();
    return wait_nginx($block->name);
}

sub stop_nginx ($) {
    my ($name) = @_;

    return if !defined $Pid;

    # a reload's or upgrade's children are in the group, whoever their parent

    my ($pid, $tb) = ($Pid, Test::More->builder);
    undef $Pid;

    my $end = Time::HiRes::time() + $StopTimeout;
    my $gone = 0;

    kill 'TERM', $pid;

    while (!$gone && Time::HiRes::time() < $end) {
        $gone = waitpid($pid, POSIX::WNOHANG()) != 0;
        select undef, undef, undef, 0.003 if !$gone;
    }

    my $status = $?;

    if (!$gone) {
        kill 'KILL', -$pid;
        waitpid $pid, 0;
        $tb->ok(0, "$name - nginx does not stop, killed");

    } elsif ($status & 127) {
        $tb->ok(0, "$name - nginx died of signal " . ($status & 127));
    }

    kill 'KILL', -$pid;

    # what sanitizers say at the end belongs to the block that ends

    my $stderr = read_file("$Root/logs/stderr");

    if ($stderr =~ /Sanitizer|runtime error:/) {
        $tb->ok(0, "$name - sanitizer report");
        $tb->diag($stderr);
    }
}

END {
    my $status = $?;

    if (defined $Pid) {
        stop_nginx('end');
    }

    $_->() for @Cleanups;

    if (defined $TempRoot) {
        if ($status == 0 && Test::More->builder->is_passing
            && !$ENV{TEST_NGINX_NO_CLEAN})
        {
            File::Path::remove_tree($TempRoot);

        } else {
            Test::More->builder->diag("server root kept: $Root") if -d $Root;
        }
    }

    $? = $status;
}

for my $signal (qw( INT TERM HUP )) {
    $SIG{$signal} = sub { exit 1 };
}


# ---- requests ----

sub parse_more_headers ($) {
    my ($text) = @_;

    my $out = '';
    my $chunked = 0;

    for my $line (split /\n+/, defined $text ? $text : '') {
        next if $line =~ /^\s*#/;

        my ($name, $value) = split /:\s*/, $line, 2;
        $value = '' if !defined $value;

        $chunked = 1
            if lc $name eq 'transfer-encoding' && $value eq 'chunked';
        $out .= "$name: $value\r\n";
    }

    return ($out, $chunked);
}

# A request's text with its headers.  A body ends before trailing white space
# unless Content-Length is given or it is chunked.

sub build_request ($$$$) {
    my ($name, $text, $headers, $connection) = @_;

    my ($more, $chunked) = parse_more_headers($headers);

    $text =~ s/^(?:\s*#[^\n]*\n|\s+)+//;

    my ($line, $body) = $text =~ /^([^\n]*)\n?(.*)$/s;

    if ($line !~ m{^(\S+)(?: +(\S+)(?: +(\S+))?)?\s*$}) {
        bail_out("$name - request line is not valid: $line");
    }

    my ($method, $url, $version) = ($1, $2, $3);
    $url = '/' if !defined $url;
    $version = 'HTTP/1.1' if !defined $version;

    my $out = "$method $url $version\r\n";
    $out .= "Host: $ServerName\r\n" if $more !~ /^Host:/mi;
    $out .= "Connection: $connection\r\n" if $more !~ /^Connection/mi;
    $out .= $more;

    if (!$chunked && $body ne '' && $more !~ /^Content-Length:/mi) {
        $body =~ s/^\s+|\s+$//g;
        $out .= 'Content-Length: ' . length($body) . "\r\n";
    }

    return ("$out\r\n", $body);
}

# A list of what one connection sends each: { packets, expected responses }.

sub get_requests ($) {
    my ($block) = @_;

    my $name = $block->name;
    my $raw = $block->raw_request;

    if (defined $raw) {
        my @packets = map { ref $_ ? $_ : { value => $_ } }
                      ref $raw eq 'ARRAY' ? @$raw : $raw;
        return ({ packets => \@packets, count => 1 });
    }

    my $headers = $block->more_headers;
    my $pipelined = $block->pipelined_requests;

    if (defined $pipelined) {
        bail_out("$name - pipelined_requests must be a list")
            if ref $pipelined ne 'ARRAY';

        my $text = '';

        for my $i (0 .. $#$pipelined) {
            my $h = ref $headers eq 'ARRAY' ? $headers->[$i] : $headers;
            $text .= join '', build_request($name, $pipelined->[$i], $h,
                              $i == $#$pipelined ? 'close' : 'keep-alive');
        }

        return ({ packets => [{ value => $text }],
                  count => scalar @$pipelined, pipelined => 1 });
    }

    my $request = $block->request;
    bail_out("$name - no request") if !defined $request;

    my @list;
    my $i = 0;

    for my $one (ref $request eq 'ARRAY' ? @$request : $request) {
        my $h = ref $headers eq 'ARRAY' ? $headers->[$i] : $headers;
        $i++;

        # packets of one request: the headers go out with the first

        my @parts = ref $one eq 'ARRAY' ? @$one : $one;
        @parts = map { ref $_ ? { %$_ } : { value => $_ } } @parts;

        if (@parts == 1) {
            $parts[0]{value} = join '',
                build_request($name, $parts[0]{value}, $h, 'close');

        } else {
            my ($head, $body) =
                build_request($name, join('', map { $_->{value} } @parts), $h,
                              'close');
            my ($first, @rest) = @parts;
            my $left = length $body;

            for my $part (reverse @rest) {
                my $n = length $part->{value};
                $n = $left if $n > $left;
                $part->{value} = substr $body, $left - $n, $n;
                $left -= $n;
            }

            $first->{value} = $head . substr $body, 0, $left;
        }

        push @list, { packets => \@parts, count => 1 };
    }

    return @list;
}

sub parse_time ($) {
    my ($text) = @_;

    return undef if !defined $text;
    return $1 / 1000 if $text =~ /^\s*([\d.]+)\s*ms\s*$/;
    return $1 if $text =~ /^\s*([\d.]+)\s*s?\s*$/;
    bail_out("bad time: $text");
}

# Sends packets, reads until the server closes, or says that it will not and
# has sent all responses.

sub exchange ($$) {
    my ($block, $request) = @_;

    my $name = $block->name;
    my $wait = parse_time($block->timeout);
    $wait = $Timeout if !defined $wait;

    my $sock = IO::Socket::INET->new(
        PeerAddr => $block->server_addr_for_client || '127.0.0.1',
        PeerPort => $ServerPortForClient, Proto => 'tcp', Timeout => $wait);

    if (!$sock) {
        fail("$name - cannot connect: $@");
        return '';
    }

    setsockopt $sock, IPPROTO_TCP, TCP_NODELAY, 1;
    $sock->blocking(0);

    local $SIG{PIPE} = 'IGNORE';

    my @packets = map { { %$_ } } @{ $request->{packets} };
    my $middle = parse_time($block->raw_request_middle_delay);
    my $head = $packets[0]{value} =~ /^\s*HEAD\s/;
    my ($sent, $offset, $resp, $delayed) = (0, 0, '', 0);
    my $select = IO::Select->new($sock);

    while (1) {

        if (@packets && !$delayed) {
            my $delay = $packets[0]{delay_before};
            $delay = $middle if !defined $delay && $sent;
            select undef, undef, undef, $delay if $delay;
            $delayed = 1;
        }

        my ($read, $write) = IO::Select->select($select,
                                 @packets ? $select : undef, undef, $wait);

        if (!defined $read && !defined $write) {
            next if $!{EINTR};
            fail("$name - client socket timed out")
                if !defined $block->abort;
            last;
        }

        if ($write && @$write) {
            my $n = syswrite $sock, $packets[0]{value},
                             length($packets[0]{value}) - $offset, $offset;

            if (defined $n) {
                $offset += $n;

            } elsif (!$!{EAGAIN} && !$!{EINTR}) {
                @packets = ();          # the server has heard enough
            }

            if (@packets && $offset == length $packets[0]{value}) {
                my $delay = (shift @packets)->{delay_after};
                select undef, undef, undef, $delay if $delay;
                ($offset, $delayed) = (0, 0);
                $sent++;

                if (!@packets && defined $block->shutdown) {
                    shutdown $sock, $block->shutdown eq '' ? 1
                                                           : $block->shutdown;
                }
            }
        }

        if ($read && @$read) {
            my $n = sysread $sock, $resp, 65536, length $resp;

            if (!defined $n) {
                next if $!{EAGAIN} || $!{EINTR};
                last;                   # a reset ends it as well
            }

            last if $n == 0;
            last if !@packets
                    && complete($resp, $request->{count}, $head);
        }
    }

    close $sock;
    diag("# $name: $resp") if $Verbose;

    return ($resp, $head);
}

sub split_head ($) {
    my ($raw) = @_;

    my $end = index $raw, "\r\n\r\n";
    return if $end < 0;

    my @lines = split /\r\n/, substr $raw, 0, $end + 2;
    my $line = shift @lines;
    my ($code) = $line =~ m{^HTTP/\d\.\d (\d{3})(?: |$)};
    my @headers;

    for my $h (@lines) {
        push @headers, [$1, $2] if $h =~ /^([^:]+):\s*(.*?)\s*$/;
    }

    return { code => $code, headers => \@headers, size => $end + 4,
             raw => substr $raw, 0, $end + 2 };
}

sub header ($$) {
    my ($res, $name) = @_;

    my @values = map { $_->[1] }
                 grep { lc $_->[0] eq lc $name } @{ $res->{headers} };

    return @values ? join ', ', @values : undef;
}

# The length of a chunked body from `at`, and its content; undef if it is not
# whole yet, and a message if it never will be.

sub unchunk ($$) {
    my ($raw, $at) = @_;

    my $content = '';

    while (1) {
        my $end = index $raw, "\r\n", $at;
        return (undef) if $end < 0;

        my $line = substr $raw, $at, $end - $at;
        return (undef, undef, "bad chunk size: $line")
            if $line !~ /^[ \t]*([0-9a-fA-F]+)[ \t]*(?:;.*)?$/;

        my $n = hex $1;
        $at = $end + 2;

        if ($n == 0) {
            my $last = index $raw, "\r\n", $at;
            return (undef) if $last < 0;

            while ($last != $at) {          # trailers
                $at = $last + 2;
                $last = index $raw, "\r\n", $at;
                return (undef) if $last < 0;
            }

            return ($at + 2, $content);
        }

        return (undef) if length $raw < $at + $n + 2;
        return (undef, undef, 'no line end after a chunk')
            if substr($raw, $at + $n, 2) ne "\r\n";

        $content .= substr $raw, $at, $n;
        $at += $n + 2;
    }
}

sub bodyless ($$) {
    my ($res, $head) = @_;

    my $code = $res->{code};
    return $head || (defined $code && $code =~ /^(?:101|204|304)$/);
}

# Whether `count` responses are there, on a connection that stays open.

sub complete ($$$) {
    my ($raw, $count, $head) = @_;

    while ($count--) {
        my $res = split_head($raw);
        return 0 if !$res;

        my $connection = header($res, 'Connection');
        return 0 if !defined $connection || $connection !~ /keep-alive/i;

        my $encoding = header($res, 'Transfer-Encoding');
        my $length = header($res, 'Content-Length');
        my $end = $res->{size};

        if (!bodyless($res, $head)) {
            if (defined $encoding && $encoding eq 'chunked') {
                ($end) = unchunk($raw, $end);
                return 0 if !defined $end;

            } elsif (defined $length && $length =~ /^\d+$/) {
                $end += $length;

            } else {
                return 0;
            }
        }

        return 0 if length $raw < $end;
        $raw = substr $raw, $end;
    }

    return 1;
}

# A response, and what follows it.

sub parse_response ($$$) {
    my ($name, $raw, $head) = @_;

    my $res = split_head($raw);
    return ({ headers => [], raw => '', content => $raw }, '') if !$res;

    my $body = substr $raw, $res->{size};
    my $encoding = header($res, 'Transfer-Encoding');
    my $length = header($res, 'Content-Length');
    my $left = '';

    if (bodyless($res, $head)) {
        ($res->{content}, $left) = ('', $body);

    } elsif (defined $encoding && $encoding eq 'chunked') {
        my ($end, $content, $err) = unchunk($body, 0);

        if (defined $end) {
            $left = substr $body, $end;

        } else {
            fail("$name - invalid chunked body: " . ($err || 'not complete'));
            $content = $body;
        }

        $res->{content} = $content;

    } elsif (defined $length && $length =~ /^\d+$/
             && length $body > $length)
    {
        $res->{content} = substr $body, 0, $length;
        $left = substr $body, $length;

    } else {
        diag("$name - body of $length bytes expected, " . length($body)
             . ' came')
            if defined $length && length $body < $length;
        $res->{content} = $body;
    }

    return ($res, $left);
}


# ---- checks: the numbers of tests are upstream's ----

sub indexed ($$$$) {
    my ($name, $value, $i, $many) = @_;

    return $value->[$i] if ref $value eq 'ARRAY';
    bail_out("$name - several requests need lists of expected results")
        if $many;
    return $value;
}

sub expand_port ($) {
    my ($text) = @_;

    return $text if !defined $text || ref $text;

    $text =~ s/\$ServerPortForClient\b/$ServerPortForClient/g;
    $text =~ s/\$ServerPort\b/$ServerPort/g;

    return $text;
}

# One test a request, always.

sub check_error_code ($$$$) {
    my ($block, $res, $i, $many) = @_;

    my $name = $block->name;
    my $code = defined $res->{code} ? $res->{code} : '';

    if (defined $block->error_code_like) {
        my $like = indexed($name, $block->error_code_like, $i, $many);
        like($code, qr/$like/sm, "$name - status code ok");

    } else {
        my $expected = $block->error_code;
        $expected = defined $expected ? indexed($name, $expected, $i, $many)
                                      : 200;
        is($code, $expected, "$name - status code ok");
    }
}

# One test a line.

sub parse_header_lines ($) {
    my ($text) = @_;

    my @list;

    for my $line (split /\n/, $text) {
        $line =~ s/^\s+|\s+$//g;
        next if $line eq '';

        if ($line =~ s/^!\s*//) {
            push @list, [$line];

        } else {
            my ($name, $value) = split /\s*:\s*/, $line, 2;
            push @list, [$name, defined $value ? $value : ''];
        }
    }

    # a header that is named twice is one test with its last value

    my %last = map { $list[$_][0] => $_ } 0 .. $#list;
    return map { $list[$_] } sort { $a <=> $b } values %last;
}

sub check_headers ($$$$) {
    my ($block, $res, $i, $many) = @_;

    my $name = $block->name;

    for my $kind (qw( raw_response_headers_like
                      raw_response_headers_unlike ))
    {
        my $pattern = $block->$kind;
        next if !defined $pattern;

        $pattern = indexed($name, $pattern, $i, $many);

        if ($kind =~ /unlike/) {
            unlike($res->{raw}, qr/$pattern/s, "$name - $kind");

        } else {
            like($res->{raw}, qr/$pattern/s, "$name - $kind");
        }
    }

    if (defined $block->response_headers) {
        my $text = indexed($name, $block->response_headers, $i, $many);

        for my $h (parse_header_lines($text)) {
            my ($key, $value) = @$h;

            if (!defined $value) {
                unlike($res->{raw}, qr/^\s*\Q$key\E\s*:/mi,
                       "$name - header $key not present");
                next;
            }

            my $actual = header($res, $key);
            is(defined $actual ? $actual : '', expand_port($value),
               "$name - header $key ok");
        }

    } elsif (defined $block->response_headers_like) {
        my $text = indexed($name, $block->response_headers_like, $i, $many);

        for my $h (parse_header_lines($text)) {
            my ($key, $value) = @$h;
            my $actual = header($res, $key);
            like(defined $actual ? $actual : '', qr/^$value$/,
                 "$name - header $key like ok");
        }
    }
}

# One test a request, if a section asks for it.

sub check_body ($$$$$) {
    my ($block, $res, $i, $many, $repeat) = @_;

    my $name = $block->name;
    my $content = $res->{content};

    my $filters = $block->response_body_filters;

    if (defined $filters) {
        $filters = [split ' ', $filters] if !ref $filters;
        $filters = [$filters] if ref $filters ne 'ARRAY';
        $filters = $filters->[$i] if ref $filters->[0] eq 'ARRAY';
        $content = filter_body($name, $_, $content) for @$filters;
    }

    if (defined $block->response_body) {
        my $expected = indexed($name, $block->response_body, $i, $many);

        if (ref $expected) {
            like($content, $expected, "$name - response_body like");

        } else {
            is($content, expand_port($expected),
               "$name - response_body - response is expected "
               . "(repeated req $repeat, req $i)");
        }

    } elsif (defined $block->response_body_like) {
        my $pattern = indexed($name, $block->response_body_like, $i, $many);
        $pattern = expand_port($pattern);
        like($content, qr/$pattern/s,
             "$name - response_body_like - response is expected");

    } elsif (defined $block->response_body_unlike) {
        my $pattern = indexed($name, $block->response_body_unlike, $i, $many);
        $pattern = expand_port($pattern);
        unlike($content, qr/$pattern/s,
               "$name - response_body_unlike - response is expected");
    }

    $_->($block, $content, $i, $repeat, 0) for @BodyChecks;
}

sub filter_body ($$$) {
    my ($name, $filter, $content) = @_;

    return $filter->($content) if ref $filter eq 'CODE';
    return uc $content if $filter eq 'uc';
    return lc $content if $filter eq 'lc';
    return length $content if $filter eq 'length';

    if ($filter eq 'md5_hex') {
        require Digest::MD5;
        return Digest::MD5::md5_hex($content);
    }

    if ($filter eq 'sha1_hex') {
        require Digest::SHA;
        return Digest::SHA::sha1_hex($content);
    }

    bail_out("$name - unknown filter $filter");
}

# Lines that were written since the last look.

sub log_lines ($) {
    my ($file) = @_;

    my $text = read_file("$Root/logs/$file");
    my $from = $AccumErrorLog ? 0 : $LogPosition{$file} || 0;

    return $text =~ /^/m ? split /(?<=\n)/, substr $text, $from : ();
}

sub log_seen ($) {
    my ($file) = @_;

    $LogPosition{$file} = -s "$Root/logs/$file" || 0;
}

sub patterns ($) {
    my ($value) = @_;

    return grep { defined } @$value if ref $value eq 'ARRAY';
    return $value if ref $value;

    chomp $value;
    return split /\n+/, $value;
}

sub in_lines ($@) {
    my ($pattern, @lines) = @_;

    for my $line (@lines) {
        return $line if ref $pattern ? $line =~ $pattern
                                     : index($line, $pattern) >= 0;
    }

    return undef;
}

# One test a pattern.  A line may be written a moment after the response was
# read: it is waited for.

sub check_log ($$$) {
    my ($block, $file, $repeat) = @_;

    my $name = $block->name;
    my $section = $file eq 'error.log' ? 'error_log' : 'access_log';
    my $none = "no_$section";
    my @wanted = defined $block->$section ? patterns($block->$section) : ();

    my $end = Time::HiRes::time() + $LogTimeout;
    my @lines;

    while (1) {
        @lines = log_lines($file);
        my @missing = grep { !defined in_lines($_, @lines) } @wanted;
        last if !@missing || Time::HiRes::time() > $end;
        select undef, undef, undef, 0.01;
    }

    for my $pattern (@wanted) {
        ok(defined in_lines($pattern, @lines), "$name - pattern \"$pattern\" "
           . "matches a line in $file (req $repeat)")
            or diag(map { "# $_" } grep { !/\[debug\]/ } @lines);
    }

    for my $pattern (defined $block->$none ? patterns($block->$none) : ()) {
        my $line = in_lines($pattern, @lines);
        ok(!defined $line, "$name - pattern \"$pattern\" does not match a "
           . "line in $file (req $repeat)") or diag("# $line");
    }

    if ($section eq 'error_log') {
        my $all = join "\n", @wanted,
                  defined $block->$none ? patterns($block->$none) : ();

        for my $level (qw( alert crit emerg )) {
            next if $all =~ /\[$level/;
            next if defined $block->must_die && $level eq 'emerg';
            diag("WARNING: $name - $_") for grep { /\[$level\]/ } @lines;
        }
    }

    log_seen($file);
}

sub check_logs ($$) {
    my ($block, $repeat) = @_;

    check_log($block, 'error.log', $repeat);

    if (!defined $block->ignore_response
        && (defined $block->access_log || defined $block->no_access_log))
    {
        check_log($block, 'access.log', $repeat);
    }
}


# ---- blocks ----

sub run_tests () {
    run_test($_) for Test::Base::blocks();

    stop_nginx('end');
}

# "skip_nginx: 3: < 1.25.1", "skip_eval: 3: code": the number of tests.

sub skipped ($) {
    my ($block) = @_;

    my $spec = $block->skip_nginx;

    if (defined $spec) {
        if ($spec !~ /^\s*(\d+)\s*:\s*([<>]=?)\s*(\d+)\.(\d+)\.(\d+)/) {
            bail_out($block->name . " - bad skip_nginx: $spec");
        }

        my ($n, $op) = ($1, $2);
        my $have = nginx_version();
        my $that = sprintf '%d.%03d%03d', $3, $4, $5;

        return ($n, 'nginx version')
            if $op eq '<' && $have < $that || $op eq '<=' && $have <= $that
               || $op eq '>' && $have > $that || $op eq '>=' && $have >= $that;
    }

    $spec = $block->skip_eval;

    if (defined $spec && $spec =~ /^\s*(\d+)\s*:\s*(.*)/s) {
        my ($n, $code) = ($1, $2);
        my $skip = eval $code;
        bail_out($block->name . " - skip_eval: $@") if $@;
        return ($n, 'skip_eval') if $skip;
    }

    return;
}

sub run_test ($) {
    my ($block) = @_;

    return if defined $block->SKIP;

    $_->($block) for @Preprocessors;

    my $name = $block->name;
    my ($skip, $reason) = skipped($block);

    if (defined $skip) {
        SKIP: {
            skip("$name - $reason", $skip * $RepeatEach);
        }
        return;
    }

    if (defined $block->must_die) {
        must_die($block);
        return;
    }

    if (defined $block->config) {
        my $config = build_config($block);
        my $status = start_nginx($block, $config);

        if (defined $status) {
            fail("$name - cannot start nginx, status $status");
            diag(grep { !/\[debug\]/ } log_lines('error.log'));
            diag(read_file("$Root/logs/stderr"));
            return;
        }

    } elsif (!defined $Pid) {
        bail_out("$name - no config, and no server is running");
    }

    if (defined $block->init) {
        eval $block->init;
        bail_out("$name - init: $@") if $@;
    }

    run_requests($block, $_) for 0 .. $RepeatEach - 1;
}

# One test, and those of the logs.

sub must_die ($) {
    my ($block) = @_;

    my $name = $block->name;
    my $code = $block->must_die;
    my $config = build_config($block);

    for my $repeat (0 .. $RepeatEach - 1) {
        my $status = start_nginx($block, $config);

        if (!defined $status) {
            fail("$name - nginx must die but it does not");

        } elsif ($status == -1 || $status & 127 || $status >> 8 == 127) {
            fail("$name - nginx cannot be run, hangs or died of a signal");

        } elsif ($code =~ /^\d+$/) {
            is($status >> 8, $code, "$name - die with the expected exit code");

        } else {
            isnt($status, 0, "$name - die as expected");
        }

        check_log($block, 'error.log', $repeat);
        stop_nginx($name);
    }
}

sub run_requests ($$) {
    my ($block, $repeat) = @_;

    my $name = $block->name;
    my @requests = get_requests($block);
    my $many = @requests > 1 || $requests[0]{pipelined};
    my $i = 0;

    for my $request (@requests) {
        my ($raw, $head) = exchange($block, $request);

        for my $n (1 .. $request->{count}) {

            if (!defined $block->ignore_response) {
                my ($res, $left) = parse_response($name, $raw, $head);
                $raw = $left;

                diag("WARNING: $name - bytes after the response: $left")
                    if $n == $request->{count} && $left ne '';

                check_error_code($block, $res, $i, $many);
                check_headers($block, $res, $i, $many);
                check_body($block, $res, $i, $many, $repeat);
            }

            if (defined $block->wait) {
                select undef, undef, undef, parse_time($block->wait);
            }

            check_logs($block, $repeat);
            $i++;
        }
    }
}

1;
