#!/bin/bash
# The real SDKs against the module: t/e2e/run.sh
# Their versions are pinned in requirements.txt, installed below build/.
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=build/venv
if ! cmp -s t/e2e/requirements.txt $venv/installed.txt; then
    python3 -m venv $venv
    $venv/bin/pip install -q -r t/e2e/requirements.txt
    cp t/e2e/requirements.txt $venv/installed.txt
fi

node=build/node
mkdir -p $node
cp t/e2e/node/sdk.mjs $node/
if ! cmp -s t/e2e/node/package.json $node/package.json; then
    rm -rf $node/node_modules
    cp t/e2e/node/package.json $node/new.json
    (cd $node && mv new.json package.json \
        && npm install --silent --no-audit --no-fund > npm.log 2>&1) \
        || { cat $node/npm.log; rm -f $node/package.json; exit 1; }
fi

exec $venv/bin/python t/e2e/sdk.py
