#!/bin/bash
# The borders of docs/architecture.md: the pure rooms know nothing of nginx,
# each room includes only what lies below it.
set -uo pipefail
cd "$(dirname "$0")/.."

# room: the rooms it may include
declare -A below=(
    [base]="base"
    [text]="base text"
    [engine]="base engine"
    [metrics]="base engine metrics"
    [api]="base text engine metrics api"
)
bad=0

for room in "${!below[@]}"; do
    for file in src/"$room"/*.[ch]; do
        if grep -Hn 'ngx_\|<nginx' "$file"; then
            echo "$file: knows nginx"
            bad=1
        fi

        while read -r include; do
            path=$(dirname "$file")/$include
            [ -e "$path" ] || { echo "$file: no $include"; bad=1; continue; }
            of=$(basename "$(dirname "$(realpath "$path")")")

            if [[ " ${below[$room]} " != *" $of "* ]]; then
                echo "$file: $room must not include $of ($include)"
                bad=1
            fi
        done < <(sed -n 's/^# *include "\(.*\)"/\1/p' "$file")

        # compiles without nginx's headers on the path
        cc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only \
            -x c "$file" || bad=1
    done
done

exit $bad
