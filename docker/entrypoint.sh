#!/bin/sh
# Serves as vLLM's container does: the arguments are those of `vllm serve`.
# All but what belongs to nginx (host, port, TLS, the access log) is the
# module's to understand.  Without arguments the environment says what is
# served.  Everything that is written goes below one directory of /tmp.
set -eu

home=${VLLM_MOCK_HOME:-/usr/share/vllm-mock}
run=${VLLM_MOCK_RUN:-/tmp/vllm-mock}
etc=${VLLM_MOCK_ETC:-/etc/vllm-mock}
nginx=${VLLM_MOCK_NGINX:-nginx}
account=${VLLM_MOCK_ACCOUNT:-/var/run/secrets/kubernetes.io/serviceaccount}

# shellcheck source=docker/settings.sh
. "$home/settings.sh"

say() {
    printf 'vllm-mock: %s\n' "$*" >&2
}

fail() {
    say "$@"
    exit 1
}


# ---- is it well?  For HEALTHCHECK ----

healthcheck() {
    health_host='' health_port='' health_tls='' health_uds=''
    # shellcheck disable=SC1091
    . "$run/health"

    [ -z "$health_uds" ] || exec test -S "$health_uds"

    # bash, for /dev/tcp; a TLS port that answers is well
    # shellcheck disable=SC2016
    exec timeout 3 bash -c '
        exec 3<> "/dev/tcp/$0/$1" || exit 1
        [ "$2" = tls ] && exit 0
        printf "GET /health HTTP/1.0\r\n\r\n" >&3
        read -r _ status _ <&3
        [ "$status" = 200 ]' "$health_host" "$health_port" "$health_tls"
}


# ---- nginx's part of the arguments ----

host=
port=${SERVER_PORT:-8000}
uds=
keyfile=
certfile=
ca=
cert_reqs=
log_level=info
access_log=on
metrics=scaled
given=no

# option NAME VALUE
option() {
    case $1 in
    host) host=$2 ;;
    port) port=$2 ;;
    uds) uds=$2 ;;
    ssl-keyfile) keyfile=$2 ;;
    ssl-certfile) certfile=$2 ;;
    ssl-ca-certs) ca=$2 ;;
    ssl-cert-reqs) cert_reqs=$2 ;;
    uvicorn-log-level) log_level=$2 ;;
    esac
}

arguments() {
    args=
    name=

    for argument; do
        quoted "$argument"
        args="$args $quoted"

        if [ -n "$name" ]; then
            option "$name" "$argument"
            name=
            continue
        fi

        case $argument in
        --*=*)
            name=$(printf '%s' "${argument%%=*}" | tr _ -)
            option "${name#--}" "${argument#*=}"
            name=
            ;;
        --*)
            name=$(printf '%s' "$argument" | tr _ -)
            name=${name#--}

            case $name in
            host|port|uds|ssl-keyfile|ssl-certfile|ssl-ca-certs) ;;
            ssl-cert-reqs|uvicorn-log-level) ;;
            disable-uvicorn-access-log) access_log=off name= ;;
            *) name= ;;
            esac
            ;;
        esac
    done
}


# ---- what the files say ----

number() {
    case $2 in
    ''|*[!0-9]*|??????*)
        fail "$1 is \"$2\": a number from 1 to 65535 is expected" ;;
    esac
    if [ "$2" -lt 1 ] || [ "$2" -gt 65535 ]; then
        fail "$1 is \"$2\": a number from 1 to 65535 is expected"
    fi
}

listen() {
    address=$host

    case $host in
    *[!0-9A-Za-z.:_-]*) fail "--host is \"$host\": no host" ;;
    *:*) address="[$host]" ;;
    esac

    tls=
    [ -z "$certfile" ] || tls=ssl

    if [ -n "$uds" ]; then
        quoted "unix:$uds"
        echo "listen $quoted $tls;"

    else
        number "the port" "$port"
        echo "listen ${address:+$address:}$port $tls backlog=4096;"
    fi

    if [ -n "$certfile" ]; then
        quoted "$certfile"
        echo "ssl_certificate $quoted;"
        quoted "${keyfile:-$certfile}"
        echo "ssl_certificate_key $quoted;"
        echo "ssl_protocols TLSv1.2 TLSv1.3;"

        if [ -n "$ca" ]; then
            quoted "$ca"
            echo "ssl_client_certificate $quoted;"
        fi

        # Python's numbers: none, optional, required
        case $cert_reqs in
        1) echo "ssl_verify_client optional;" ;;
        2) echo "ssl_verify_client on;" ;;
        esac
    fi
}

# What AIBrix' mocked application does, and what a vLLM does.
behaviour() {
    metrics=${VLLM_MOCK_METRICS:-$1}

    case $metrics in
    scaled|live) ;;
    *) fail "VLLM_MOCK_METRICS is \"$metrics\": scaled or live" ;;
    esac

    # answers as long as real chats': docs/directives.md#vllm_mock_output
    output="tokens=lognormal:4.86:1 cap=on calls=50%"

    if [ "$given" = yes ]; then
        echo "vllm_mock_metrics $metrics;"
        quoted "${VLLM_MOCK_ENDPOINTS:-vllm}"
        echo "vllm_mock_endpoints $quoted;"
        echo "vllm_mock_args$args;"
        echo "vllm_mock_output $output;"
        return
    fi

    quoted "${VLLM_MOCK_ENDPOINTS:-all}"
    cat << END
vllm_mock_metrics         $metrics legacy=on;
vllm_mock_unknown_models  accept;
vllm_mock_lora_paths      any;
vllm_mock_endpoints       $quoted;
vllm_mock_engine          max_loras=4;
vllm_mock_args            --enable-auto-tool-choice --tool-call-parser hermes
                          --reasoning-parser qwen3 --enable-scale-out
                          --enable-tokenizer-info-endpoint;
vllm_mock_output          text=message $output thinks=asked schema=prompt;
vllm_mock_rate_limit      by=\$http_user;
END
}

true_value() {
    case $(printf '%s' "${1:-}" | tr '[:upper:]' '[:lower:]') in
    true|yes|on|1) return 0 ;;
    esac
    return 1
}

# Is there a cluster whose replica count can be read?
in_cluster() {
    [ -n "${KUBERNETES_SERVICE_HOST:-}" ] || return 1
    true_value "${STANDALONE_MODE:-}" && return 1

    if [ -z "${DEPLOYMENT_NAME:-}" ]; then
        say "DEPLOYMENT_NAME is not set: the replica count is not read"
        return 1
    fi

    if [ ! -r "$account/token" ] || [ ! -r "$account/ca.crt" ]; then
        say "no service account in $account: the replica count is not read"
        return 1
    fi
}

# cluster FILE: with the values of this pod
cluster() {
    api=$KUBERNETES_SERVICE_HOST
    case $api in
    *:*) api="[$api]" ;;
    esac
    api=$api:${KUBERNETES_SERVICE_PORT_HTTPS:-${KUBERNETES_SERVICE_PORT:-443}}

    namespace=${POD_NAMESPACE:-}
    if [ -z "$namespace" ] && [ -r "$account/namespace" ]; then
        namespace=$(cat "$account/namespace")
    fi

    for value in "$api" "${namespace:=default}" "$DEPLOYMENT_NAME"; do
        case $value in
        *[!]0-9A-Za-z.:_[-]*) fail "\"$value\" is no name in a cluster" ;;
        esac
    done

    sed -e "s|@api@|$api|" -e "s|@account@|$account|" \
        -e "s|@namespace@|$namespace|" -e "s|@kind@|deployments|" \
        -e "s|@name@|$DEPLOYMENT_NAME|" "$home/$1"
}

# Whoever logs nothing below warnings has no access log, as uvicorn.
access_log() {
    case $log_level in
    warning|error|critical) access_log=off ;;
    esac

    if [ "$access_log" = on ] && ! (: >> /dev/stdout) 2> /dev/null; then
        say "stdout cannot be opened: no access log"
        access_log=off
    fi

    if [ "$access_log" = on ]; then
        cat << 'END'
log_format  uvicorn 'INFO:     $remote_addr:$remote_port - "$request" $status';
access_log  /dev/stdout uvicorn;
END
    else
        echo "access_log off;"
    fi
}

# Its directories below $run, as an image with a read-only root needs it.
temp_paths() {
    for kind in client_body proxy fastcgi uwsgi scgi; do
        mkdir -p "$run/$kind"
        echo "${kind}_temp_path $run/$kind;"
    done
}

configure() {
    workers=${VLLM_MOCK_WORKERS:-2}
    number VLLM_MOCK_WORKERS "$workers"

    {
        echo "worker_processes $workers;"
        echo "pid $run/nginx.pid;"
        echo "daemon off;"
        [ "$(id -u)" != 0 ] || echo "user ${VLLM_MOCK_USER:-nobody nogroup};"
    } > "$run/main.conf"

    {
        access_log
        temp_paths
        echo "vllm_mock_zone mock ${VLLM_MOCK_ZONE:-96m};"
    } > "$run/http.conf"

    {
        listen
        [ ! -d "$home/profiles" ] || echo "vllm_mock_profiles $home/profiles;"
        if [ "$given" = yes ]; then behaviour live; else behaviour scaled; fi
        settings
        echo "include $etc/server.d/*.conf;"
    } > "$run/server.conf"

    if in_cluster; then
        cluster cluster-http.conf >> "$run/http.conf"
        cluster cluster-server.conf >> "$run/server.conf"
    fi

    case $host in
    ''|0.0.0.0|::) host=127.0.0.1 ;;
    esac

    cat > "$run/health" << END
health_host=$host
health_port=$port
health_tls=${tls:+tls}
health_uds='$uds'
END

    sed -e "s|modules/ngx|${VLLM_MOCK_MODULES:-modules}/ngx|" \
        "$home/nginx.conf" > "$run/nginx.conf"
    conf=$run/nginx.conf
}

# globals FILE: what a configuration of the user's own leaves to us
globals() {
    globals=
    grep -Eq '^[[:space:]]*daemon[[:space:]]' "$1" || globals="daemon off;"
    grep -Eq '^[[:space:]]*pid[[:space:]]' "$1" \
        || globals="$globals pid $run/nginx.pid;"

    # where Debian's nginx writes, if it is not told otherwise
    mkdir -p "$run/lib"
    echo "health_host=127.0.0.1 health_port=$port health_tls= health_uds=" \
        > "$run/health"
}


# ---- the start ----

# as `vllm serve ...`, or as the arguments alone

for argument; do
    case $argument in
    --help|-h) exec cat "$home/help.txt" ;;
    esac
done

case ${1:-} in
healthcheck)
    healthcheck ;;
serve)
    shift
    [ "${1:-}" != healthcheck ] || healthcheck ;;
--version|-v)
    echo "${VLLM_MOCK_VERSION:-0.32.0}"
    exit 0 ;;
bench|chat|complete|run-batch|collect-env)
    fail "\"$1\" is not simulated: only \"serve\" is" ;;
esac

# the image's entry point is `vllm serve`, and "serve MODEL" is given to it

[ "${1:-}" != serve ] || shift

mkdir -p "$run" || fail "$run cannot be written: mount a volume at /tmp"
[ -w "$run" ] || fail "$run cannot be written: mount a volume at /tmp"

# as many connections as the container may have (dash and bash know it)

# shellcheck disable=SC3045
ulimit -n "$(ulimit -H -n)" 2> /dev/null || true

globals=
conf=

for own in "$etc/nginx.conf" "${VLLM_MOCK_NGINX_CONF:-/etc/nginx/nginx.conf}"
do
    if [ -z "$conf" ] && [ -e "$own" ]; then
        conf=$own
    fi
done

if [ -n "$conf" ]; then
    say "serving as $conf says"
    [ $# -eq 0 ] || say "it wins over the arguments: $*"
    globals "$conf"

else
    if [ $# -gt 0 ]; then
        given=yes
        arguments "$@"
    fi

    configure
fi

"$nginx" -t -q -e stderr -c "$conf" ${globals:+-g "$globals"}

exec "$nginx" -e stderr -c "$conf" ${globals:+-g "$globals"}
