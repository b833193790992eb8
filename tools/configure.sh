#!/bin/bash
# Configures the module's build: configure.sh DIR [NGINX_SRC]
# Debian's nginx with its own flags, or a source tree with --with-compat.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
dir=$1
src=${2:-/usr/share/nginx/src}

if [ ! -e "$src/auto/configure" ] && [ ! -e "$src/configure" ]; then
    echo "no nginx sources in $src: install nginx-dev (make deps)," \
         "or give NGINX_SRC=DIR" >&2
    exit 1
fi

rm -rf "$dir"
mkdir -p "$dir"
cp -r "$src"/. "$dir"
cd "$dir"
rm -rf objs

configure=./configure
[ -e configure ] || configure=auto/configure

if [ -e conf_flags ]; then
    # shellcheck disable=SC1091
    . ./conf_flags
    flags=("${NGX_CONF_FLAGS[@]}")
else
    flags=(--with-compat --with-threads --with-http_ssl_module
           --with-http_v2_module --with-http_realip_module
           --with-http_auth_request_module --prefix="$PWD/install")
fi

"$configure" "${flags[@]}" --with-cc-opt="-g -O2 -fPIC ${VM_CC_OPT:-}" \
    ${VM_LD_OPT:+--with-ld-opt="$VM_LD_OPT"} \
    ${CC:+--with-cc="$CC"} \
    --add-dynamic-module="$here" > configure.log 2>&1 || {
    tail -n 20 configure.log >&2
    exit 1
}

# a source tree's own nginx, for tests against it

if [ ! -e conf_flags ]; then
    make -s -j"$(nproc)" -f objs/Makefile binary > build.log 2>&1 || {
        tail -n 20 build.log >&2
        exit 1
    }
fi

touch configured
