#!/bin/bash
# All tests: t/run.sh [NGINX_SRC], in the order in which a failure explains
# the most.  With NGINX_SRC, an nginx source tree, the module is built against
# it and runs in its nginx; without, in the system's.
#
# Each suite prints a line (its time behind it) and, if something failed, what
# it said; the last line of all is "N passed, N failed".  ONLY=REGEX in the
# environment leaves out the suites whose name it does not match.
set -uo pipefail
cd "$(dirname "$0")/.."

src=${1:-}
only=${ONLY:-.}
passed=0
failed=0

# all that tests make lives below one directory: so what is left can be told

log=$(mktemp)
TMPDIR=$(mktemp -d)
export TMPDIR

# processes that still have a file open below it

left_over() {
    find /proc/[0-9]*/fd -lname "$TMPDIR/*" 2> /dev/null \
        | cut -d / -f 3 | sort -u | grep -vx "$$"
}

finish() {
    local pids
    pids=$(left_over)
    # shellcheck disable=SC2086
    [ -z "$pids" ] || kill -9 $pids 2> /dev/null
    rm -rf "$TMPDIR" "$log"
}

trap finish EXIT
trap 'exit 130' INT TERM

# count NAME PASSED FAILED SECONDS
count() {
    passed=$((passed + $2))
    failed=$((failed + $3))
    printf '%-32s %5d passed, %d failed  (%d s)\n' "$1" "$2" "$3" "$4"
}

# suite NAME KIND COMMAND...: how KIND counts is said below
suite() {
    local name=$1 kind=$2 rc=0 p=0 f=0 line start=$SECONDS
    shift 2
    [[ $name =~ $only ]] || return 0

    timeout -k 10 "${LIMIT:-600}" "$@" > "$log" 2>&1 || rc=$?

    case $kind in
    whole)                  # a check that passes or fails as a whole
        p=1
        ;;
    counted)                # its last such line is "N passed, N failed"
        line=$(grep -Eo '^[0-9]+ passed, [0-9]+ failed$' "$log" \
            | tail -n 1)
        p=${line%% *}
        f=${line#*, }
        f=${f%% *}
        ;;
    equal)                  # "N of N equal": a comparing program
        line=$(grep -Eo '^[0-9]+ of [0-9]+ equal' "$log" | tail -n 1)
        p=${line%% *}
        f=${line#* of }
        f=$((${f%% *} - p))
        ;;
    cmocka)                 # one or more programs
        p=$(grep -c '^\[ *OK *\]' "$log")
        f=$(grep -Ec '^\[ *FAILED *\] [A-Za-z_0-9]+$' "$log")
        ;;
    esac

    p=${p:-0}
    f=${f:-0}

    if [ "$rc" != 0 ] && [ "$f" = 0 ]; then
        f=1
        [ "$kind" != whole ] || p=0
        [ "$rc" != 124 ] || echo "TIMED OUT" >> "$log"
    elif grep -q ': skipped: ' "$log"; then
        sed -n 's/^.*: skipped: /(/; t p; b; :p s/$/)/p' "$log"
    elif [ $((p + f)) = 0 ]; then
        f=1
        echo "NOTHING WAS TESTED" >> "$log"
    fi

    count "$name" "$p" "$f" $((SECONDS - start))

    if [ "$f" != 0 ]; then
        grep -v '^ok\|^\[ *\(OK\|RUN\) *\]' "$log" | tail -n 60
    fi
}

programs() {
    local program rc=0
    for program in "$1"/*_test; do
        "$program" || { echo "$program failed"; rc=1; }
    done
    return $rc
}
export -f programs

end() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
}


# ---- build ----

make=(make -s --no-print-directory -j2 ${src:+NGINX_SRC="$src"})
ngx=build/nginx-debian
VM_NGINX=$(command -v nginx || echo /usr/sbin/nginx)

if [ -n "$src" ]; then
    src=$(realpath "$src")
    ngx=build/nginx-src-$(basename "$src")
    VM_NGINX=$PWD/$ngx/objs/nginx
fi

export VM_NGINX VM_MODULE=$PWD/$ngx/objs/ngx_http_vllm_mock_module.so
only_now=$only
only=.
suite "build (gcc)" whole "${make[@]}" all
only=$only_now
[ "$failed" = 0 ] || end

suite "clang, cppcheck" whole t/lint.sh "$src"
suite "borders" whole t/borders.sh
suite "documents" counted python3 t/docs.py
suite "help" counted python3 t/help.py


# ---- the pure rooms ----

suite "unit, build" whole make -s -j2 unit
suite "unit" cmocka bash -c 'programs build/unit'

suite "unit, build with sanitizers" whole make -s -j2 unit BUILD=build/asan \
    CFLAGS="-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all"
suite "unit, sanitized" cmocka bash -c 'programs build/asan/unit'

replay=build/vllm-mock-replay
suite "golden scheduler" equal python3 t/golden/scheduler/compare.py $replay \
    t/golden/scheduler t/golden/scheduler/async
suite "golden virtual" equal python3 t/golden/virtual/compare.py \
    --profiles profiles $replay t/golden/virtual

# the comparing programs: they must see what differs

for what in http metrics scheduler virtual; do
    files=()
    [ $what != virtual ] || files=(t/golden/virtual)
    [ $what != scheduler ] || files=(t/golden/scheduler)
    suite "golden $what, self-test" whole \
        python3 t/golden/$what/compare.py --self-test ${files[@]+"${files[@]}"}
done


# ---- the module ----

suite "t/*.t" counted t/prove.sh
suite "make run, the image's start" counted python3 t/start.py
suite "golden http" counted python3 t/golden/replay.py compare
suite "documents, curl" counted python3 t/docs_curl.py
suite "golden metrics" counted python3 t/golden/replay.py metrics
suite "golden table" counted python3 t/golden/table.py compare

shopt -s nullglob
for file in t/load/*_test.py t/kube/*_test.py; do
    case $file in
    */kube_test.py) continue ;;     # wants a real Kubernetes: make kube-test
    esac
    suite "${file#t/}" counted python3 "$file"
done

suite "tokenizers" counted python3 t/tokenizer/tokenizer_test.py
suite "tokenizers, server" counted python3 t/tokenizer/server_test.py

suite "sdk, Python" counted t/e2e/run.sh
suite "sdk, npm" counted python3 t/e2e/npm_test.py
# the first time it compiles the clients
LIMIT=1200 suite "sdk, Go" counted python3 t/e2e/go_test.py
suite "sdk, Java" counted python3 t/e2e/java_test.py


# ---- the module under ASan and UBSan, in an nginx without ----

sanitized() {
    local options=detect_leaks=0:abort_on_error=1:log_path=$TMPDIR/asan rc=0
    VM_NGINX=$TMPDIR/nginx-asan
    VM_MODULE=$PWD/build/asan/ngx_http_vllm_mock_module.so

    cat > "$VM_NGINX" << SCRIPT
#!/bin/bash
export LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc \
    -print-file-name=libubsan.so)"
export ASAN_OPTIONS=$options
export UBSAN_OPTIONS=print_stacktrace=1:log_path=$TMPDIR/asan
exec $REAL_NGINX "\$@"
SCRIPT
    chmod +x "$VM_NGINX"
    VM_SLOW=10 "$@" || rc=$?
    cat "$TMPDIR"/asan.* 2> /dev/null && rc=1
    return $rc
}
export -f sanitized
export REAL_NGINX=$VM_NGINX

suite "module, build with sanitizers" whole env \
    VM_CC_OPT="-fsanitize=address,undefined -fno-sanitize-recover=undefined" \
    VM_LD_OPT="-fsanitize=address,undefined" \
    "${make[@]}" NGX=build/asan/nginx${src:+-$(basename "$src")} \
    MODULE=build/asan/ngx_http_vllm_mock_module.so \
    build/asan/ngx_http_vllm_mock_module.so
suite "golden http, sanitized" counted bash -c \
    'sanitized python3 t/golden/replay.py compare'
suite "golden metrics, sanitized" counted bash -c \
    'sanitized python3 t/golden/replay.py metrics'
suite "t/*.t, sanitized" counted bash -c 'sanitized t/prove.sh'
suite "tokenizers, server, sanitized" counted bash -c \
    'sanitized python3 t/tokenizer/server_test.py'

for file in t/load/*_test.py; do
    suite "${file#t/}, sanitized" counted bash -c "sanitized python3 $file"
done


nothing_left() {
    local i
    for i in $(seq 100); do
        [ -n "$(left_over)" ] || return 0
        sleep 0.1
    done
    left_over | xargs -I% sh -c 'tr "\0" " " < /proc/%/cmdline; echo'
    return 1
}
export -f nothing_left left_over

suite "nothing left running" whole bash -c nothing_left

end
