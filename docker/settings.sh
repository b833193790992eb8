# shellcheck shell=sh
# What the environment adds to a shipped configuration; for the image's entry
# point and tools/run.sh.

# An argument as nginx's configuration takes it; the dot keeps newlines.
quoted() {
    quoted=$(printf '%s.' "$1" | sed -e 's/\\/\\\\/g' -e "s/'/\\\\'/g")
    quoted="'${quoted%.}'"
}

# VLLM_MOCK_OUTPUT, ...: the words of the directive of that name.  It stands
# behind the configuration's own, and so wins.
settings() {
    set -f

    for setting in output latency time_scale admin errors; do
        variable=VLLM_MOCK_$(printf '%s' "$setting" | tr '[:lower:]' '[:upper:]')
        eval "words=\${$variable:-}"
        [ -n "$words" ] || continue

        line="vllm_mock_$setting"
        for word in $words; do
            quoted "$word"
            line="$line $quoted"
        done
        printf '%s;\n' "$line"
    done

    set +f
}
