#!/bin/bash
# What the compiler of the build does not see: clang's warnings, all of them
# errors, on the module with nginx's own flags and on the pure rooms, the
# tools and the unit tests with ours; cppcheck's findings; the shell's syntax.
set -uo pipefail
cd "$(dirname "$0")/.."

bad=0

make -s -j2 CC=clang BUILD=build/clang lib unit tools || bad=1
make -s -j2 CC=clang BUILD=build/clang ${1:+NGINX_SRC="$1"} \
    > /dev/null || bad=1

# nginx's headers are not looked into: its types are unknown, that is all

cppcheck --quiet --error-exitcode=1 --enable=warning,portability,performance \
    --inline-suppr --suppress=missingIncludeSystem -j 2 -D_GNU_SOURCE \
    -D'ngx_string(s)={sizeof(s)-1,(u_char*)s}' \
    ngx_http_vllm_mock_module.c src tools t/unit || bad=1

for script in t/*.sh t/*/*.sh tools/*.sh docker/*.sh .ci/run; do
    bash -n "$script" || bad=1
done

python3 - t tools bench << 'PY' || bad=1
import ast, pathlib, sys
for top in sys.argv[1:]:
    for path in pathlib.Path(top).rglob("*.py"):
        ast.parse(path.read_text(), str(path))
PY

exit $bad
