#!/bin/bash
# Runs t/*.t under prove: t/prove.sh [FILES].  With upstream's Test::Nginx
# where it is installed, with the runner of t/lib otherwise.  The last line is
# "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.."

nginx=$(command -v nginx || echo /usr/sbin/nginx)
export TEST_NGINX_BINARY=${VM_NGINX:-$nginx}
export TEST_NGINX_LOAD_MODULES=${VM_MODULE:-$PWD/build/ngx_http_vllm_mock_module.so}

lib=
perl -MTest::Nginx::Socket -e 1 2> /dev/null || lib="-I t/lib"

[ $# -gt 0 ] || set -- t/*.t

# shellcheck disable=SC2086
out=$(prove $lib -v "$@" 2>&1)
rc=$?
p=$(grep -Ec '^ok [0-9]+' <<< "$out")
f=$(grep -Ec '^not ok [0-9]+' <<< "$out")
[ $rc = 0 ] || [ "$f" -gt 0 ] || f=1
grep -v '^ok' <<< "$out" | tail -n 60
echo "$p passed, $f failed"
[ "$f" = 0 ]
