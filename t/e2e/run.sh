#!/bin/bash
# The real SDKs against the module: t/e2e/run.sh [sdk] [schemas] [frameworks] [agent] [recipes]
# Their versions are pinned in requirements.txt, installed below build/.
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=build/venv
if ! cmp -s t/e2e/requirements.txt $venv/installed.txt; then
    python3 -m venv $venv
    $venv/bin/pip install -q -r t/e2e/requirements.txt
    cp t/e2e/requirements.txt $venv/installed.txt
fi

exec $venv/bin/python t/e2e/run.py "$@"
