#!/bin/bash
# Where the installed nginx looks for modules.
set -eu

path=$("${NGINX:-nginx}" -V 2>&1 | tr ' ' '\n' | sed -n 's/^--modules-path=//p')
echo "${path:-/usr/lib/nginx/modules}"
