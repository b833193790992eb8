#!/bin/bash
# All tests, in the order in which a failure explains the most: t/run.sh
# Each part prints what it did; the last line is the sum of their counts.
set -uo pipefail
cd "$(dirname "$0")/.."

passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# count NAME PASSED FAILED
count() {
    passed=$((passed + $2))
    failed=$((failed + $3))
    printf '%-28s %5d passed, %d failed\n' "$1" "$2" "$3"
}

# one NAME COMMAND...: a check that passes or fails as a whole
one() {
    local name=$1
    shift
    if "$@" > "$log" 2>&1; then
        count "$name" 1 0
    else
        count "$name" 0 1
        tail -n 40 "$log"
    fi
}

# counted NAME COMMAND...: its last line is "N passed, N failed"
counted() {
    local name=$1 rc=0 line
    shift
    "$@" > "$log" 2>&1 || rc=$?
    line=$(grep -Eo '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)

    if [ -z "$line" ]; then
        count "$name" 0 1
        tail -n 40 "$log"
        return
    fi

    local p=${line%% *} f=${line#*, }
    f=${f%% *}
    [ "$rc" = 0 ] || [ "$f" -gt 0 ] || f=1
    count "$name" "$p" "$f"
    [ "$f" = 0 ] || grep -v '^ok' "$log" | tail -n 60
}

# cmocka NAME PROGRAM
cmocka() {
    local rc=0 p f
    "$2" > "$log" 2>&1 || rc=$?
    p=$(grep -c '^\[ *OK *\]' "$log")
    f=$(grep -Ec '^\[ *FAILED *\] [A-Za-z_]+$' "$log")
    [ "$rc" = 0 ] || [ "$f" -gt 0 ] || f=1
    count "$1" "$p" "$f"
    [ "$f" = 0 ] || tail -n 40 "$log"
}

# equal NAME COMMAND...: a comparing program whose last line is "N of N equal"
equal() {
    local name=$1 line p n
    shift
    "$@" > "$log" 2>&1
    line=$(grep -E '^[0-9]+ of [0-9]+ equal' "$log" | tail -n 1)

    if [ -z "$line" ]; then
        count "$name" 0 1
        tail -n 40 "$log"
        return
    fi

    p=${line%% *}
    n=${line#* of }
    n=${n%% *}
    count "$name" "$p" $((n - p))
    [ "$n" = "$p" ] || head -n 40 "$log"
}

end() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
}

one "build" make --no-print-directory all
[ "$failed" = 0 ] || end

one "lint" t/lint.sh
one "borders" t/borders.sh

make -s unit > "$log" 2>&1 || { cat "$log"; count "unit build" 0 1; }
for program in build/unit/*_test; do
    cmocka "unit/$(basename "$program")" "$program"
done

one "unit build, sanitizers" make -s unit BUILD=build/asan \
    CFLAGS="-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all"
for program in build/asan/unit/*_test; do
    one "sanitized/$(basename "$program")" "$program"
done

counted "t/*.t" t/prove.sh

replay=build/vllm-mock-replay
equal "golden scheduler" python3 t/golden/scheduler/compare.py $replay \
    t/golden/scheduler t/golden/scheduler/async
equal "golden virtual" python3 t/golden/virtual/compare.py \
    --profiles profiles $replay t/golden/virtual
counted "golden http" python3 t/golden/replay.py compare
counted "golden metrics" python3 t/golden/replay.py metrics
counted "sdk" t/e2e/run.sh

counted "replica count" python3 t/kube/replicas_test.py
counted "manifests" python3 t/kube/manifests_test.py

end
