#!/bin/bash
# Serves nginx.conf.example in the foreground, from build/: run.sh
# SERVER_PORT (8000), ARGS (vLLM's arguments, quoted as for a shell), CONF (a
# configuration of one's own instead), what docker/entrypoint.sh adds to a
# configuration, and what the module reads from the environment.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
port=${SERVER_PORT:-8000}
conf=${CONF:-$here/nginx.conf.example}

# shellcheck source=docker/settings.sh
. "$here/docker/settings.sh"

# the words of ARGS, without running anything that stands in it

args=()

if [ -n "${ARGS:-}" ]; then
    if ! words=$(xargs -r -n 1 printf '%s\n' <<< "$ARGS" 2> /dev/null); then
        echo "ARGS=$ARGS: a quote is not closed" >&2
        exit 1
    fi

    mapfile -t args <<< "$words"
fi

for ((i = 0; i < ${#args[@]}; i++)); do
    case ${args[i]} in
    --help|-h) exec cat "$here/docker/help.txt" ;;
    --port) port=${args[i + 1]:-} ;;
    --port=*) port=${args[i]#*=} ;;
    esac
done

if [ -n "${CONF:-}" ] && [ ${#args[@]} -gt 0 ]; then
    echo "CONF=$CONF says what is served: ARGS goes with nginx.conf.example" \
         "alone" >&2
    exit 1
fi

if ! [[ $port =~ ^[0-9]{1,5}$ ]] || ((10#$port < 1 || 10#$port > 65535)); then
    echo "SERVER_PORT=$port: a port from 1 to 65535 is expected" >&2
    exit 1
fi

dir=$(mktemp -d)
mkdir -p "$dir/logs" "$dir/modules"
ln -s "$here/build/ngx_http_vllm_mock_module.so" "$dir/modules/"
ln -s "$here/profiles" "$dir/profiles"

more() {
    local argument

    if [ ${#args[@]} -gt 0 ]; then
        printf vllm_mock_args
        for argument in "${args[@]}"; do
            quoted "$argument"
            # shellcheck disable=SC2154
            printf ' %s' "$quoted"
        done
        echo ";"
    fi

    settings
}

sed -e "s/^\( *listen  *\)8000/\1$port/" "$conf" > "$dir/nginx.conf"

if [ -z "${CONF:-}" ]; then
    more > "$dir/more.conf"
    sed -i "s|^\( *\)location / {|\1include more.conf;\n\n&|" "$dir/nginx.conf"
fi

nginx=${NGINX:-nginx}
unset NGINX                             # nginx takes it for sockets to inherit
user=
[ "$(id -u)" = 0 ] && user="user root;"
globals="daemon off; pid $dir/nginx.pid; $user"

temp=
for kind in client_body proxy fastcgi uwsgi scgi; do
    temp="$temp ${kind}_temp_path $dir/$kind;"
done

sed -i "s|^http {|http {$temp|" "$dir/nginx.conf"

if ! "$nginx" -t -q -p "$dir" -e stderr -c "$dir/nginx.conf" -g "$globals"
then
    rm -rf "$dir"
    exit 1
fi

"$nginx" -p "$dir" -e stderr -c "$dir/nginx.conf" -g "$globals" &
pid=$!

stop() {
    kill -"$1" "$pid" 2> /dev/null || true
}

# a terminal that was closed waits for no stream

trap 'stop QUIT' INT TERM
trap 'stop TERM' HUP
trap 'rm -rf "$dir"' EXIT

# nginx writes its pid when it has the port, which another's answer is not

until [ -s "$dir/nginx.pid" ] \
    && curl -s -o /dev/null "http://127.0.0.1:$port/health"
do
    if ! kill -0 "$pid" 2> /dev/null; then
        echo "nginx could not start; if port $port is in use, take another:" \
             "SERVER_PORT=8001 make run" >&2
        exit 1
    fi

    sleep 0.05
done

model=${MODEL_NAME:-llama2-7b}

cat <<EOF
vllm-mock serves at http://127.0.0.1:$port (Ctrl-C stops it)

  curl http://127.0.0.1:$port/v1/models
  curl http://127.0.0.1:$port/v1/chat/completions -H "Content-Type: application/json" -d '{"model": "$model", "messages": [{"role": "user", "content": "Say this is a test!"}]}'
  curl -s http://127.0.0.1:$port/metrics | grep vllm:request_success
EOF

# a signal ends the first wait; the second one is for nginx's own end

wait "$pid" || true
wait "$pid" 2> /dev/null || true
