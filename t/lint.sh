#!/bin/bash
# What the compiler of the build does not see: clang's warnings on every C
# file, cppcheck's findings.
set -uo pipefail
cd "$(dirname "$0")/.."

bad=0
pure="src/base src/text src/engine src/metrics src/api tools t/unit"
objs=build/nginx-debian/objs

for file in $(find $pure -name '*.c'); do
    clang -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only \
        "$file" || bad=1
done

# nginx's own flags hold its include paths
includes=$(sed -n '/^ALL_INCS/,/[^\\]$/p' $objs/Makefile 2> /dev/null \
    | tr -d '\\' | sed 's/^ALL_INCS = //' | tr -s ' \n\t' ' ')
root=$(sed -n 's/^cd \(.*\) &&.*/\1/p' $objs/Makefile | head -n 1)

if [ -n "$includes" ]; then
    for file in ngx_http_vllm_mock_module.c src/http/*.c; do
        # nginx's headers have unused parameters of their own
        (cd "$objs/.." && clang -std=gnu11 -D_GNU_SOURCE -Wall -Wextra \
            -Wno-unused-parameter -Werror -fsyntax-only $includes \
            "$OLDPWD/$file") || bad=1
    done
fi

cppcheck --quiet --error-exitcode=1 --enable=warning,portability \
    --inline-suppr --suppress=missingIncludeSystem -j 2 \
    -D_GNU_SOURCE $pure || bad=1

exit $bad
