#!/bin/bash
# Installs what is missing from Debian's packages: deps.sh build|test
# Quiet when there is nothing to do.
set -euo pipefail

packages=(nginx nginx-dev libjansson-dev libutf8proc-dev zlib1g-dev gcc make
          libc6-dev curl)

if [ "${1:-build}" = test ]; then
    packages+=(libcmocka-dev clang libclang-rt-14-dev cppcheck
               libtest-base-perl liblist-moreutils-perl perl python3
               python3-venv python3-yaml nodejs npm jq prometheus kubectl haproxy
               golang-go openjdk-17-jdk-headless maven)
fi

missing=()

for package in "${packages[@]}"; do
    case $package in
    python3|python3-venv|nodejs|npm|jq|gcc|make|curl|perl|kubectl|clang)
        # any of that name will do, it need not be Debian's
        command -v "${package%-venv}" > /dev/null && continue
        [ "$package" = nodejs ] && command -v node > /dev/null && continue
        ;;
    golang-go) command -v go > /dev/null && continue ;;
    openjdk-17-jdk-headless) command -v javac > /dev/null && continue ;;
    maven) command -v mvn > /dev/null && continue ;;
    esac

    dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null \
        | grep -qx installed || missing+=("$package")
done

# kubectl is no package of Debian 12: its tests say when they lack it

kept=()

for package in ${missing[@]+"${missing[@]}"}; do
    [ "$package" = kubectl ] || kept+=("$package")
done

[ ${#kept[@]} -eq 0 ] && exit 0

sudo=
[ "$(id -u)" = 0 ] || sudo=sudo

echo "installing: ${kept[*]}"

# packages that start a service must not: nginx would take port 80

export DEBIAN_FRONTEND=noninteractive
policy=

if [ ! -e /usr/sbin/policy-rc.d ]; then
    policy=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" > /dev/null
    $sudo chmod +x "$policy"
    trap '$sudo rm -f "$policy"' EXIT
fi

log=$(mktemp)
if ! { $sudo apt-get update -qq && $sudo apt-get install -y -qq \
       --no-install-recommends "${kept[@]}"; } > "$log" 2>&1; then
    tail -n 20 "$log" >&2
    exit 1
fi
rm -f "$log"
