#!/bin/bash
# The borders of docs/architecture.md: the pure rooms know nothing of nginx
# and compile alone, each room includes only what lies below it, base names
# are unique.
set -uo pipefail
cd "$(dirname "$0")/.."

# room: the rooms it may include
declare -A below=(
    [src/base]="src/base"
    [src/text]="src/base src/text"
    [src/engine]="src/base src/engine"
    [src/metrics]="src/base src/engine src/metrics"
    [src/api]="src/base src/text src/api"
    [src/http]="src/base src/engine src/metrics src/api src/http"
    [tools]="src/base src/engine src/metrics tools"
)
bad=0

say() {
    echo "$*"
    bad=1
}

for room in "${!below[@]}"; do
    for file in "$room"/*.[ch]; do
        if [ "$room" != src/http ]; then
            if grep -Hn 'ngx_\|<nginx' "$file"; then
                say "$file: knows nginx"
            fi

            # without nginx's headers on the path
            ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror \
                -fsyntax-only -x c "$file" || bad=1
        fi

        while read -r include; do
            path=$(dirname "$file")/$include

            if [ ! -e "$path" ]; then
                say "$file: no $include"
                continue
            fi

            of=$(realpath --relative-to=. "$(dirname "$path")")

            if [[ " ${below[$room]} " != *" $of "* ]]; then
                say "$file: $room must not include $of ($include)"
            fi
        done < <(sed -n 's/^# *include "\(.*\)"/\1/p' "$file")
    done
done

# nginx's build would put two objects of one name in one place to look for

twice=$(find src -name '*.[ch]' -printf '%f\n' | sort | uniq -d)
[ -z "$twice" ] || say "base names of several files: $twice"

exit $bad
