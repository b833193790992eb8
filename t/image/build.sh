#!/bin/bash
# Builds the image: build.sh WORK [BUILD ARGUMENT...], tag vllm-mock-test.
# With a Docker engine, else with buildah on a base that debootstrap makes.
# Prints "docker" or "buildah"; exit status 77 if there is neither.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p "$1"
work=$(cd "$1" && pwd)
shift

tag=${TAG:-vllm-mock-test}
build=()
for argument; do
    build+=(--build-arg "$argument")
done

if docker info > /dev/null 2>&1; then
    docker build -t "$tag" "${build[@]}" . > "$work/build.log" 2>&1 || {
        tail -n 40 "$work/build.log" >&2
        exit 1
    }
    echo docker
    exit 0
fi

if ! command -v buildah > /dev/null || ! command -v debootstrap > /dev/null
then
    if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
          apt-get install -y -qq --no-install-recommends buildah debootstrap
        } > "$work/apt.log" 2>&1 || true
    fi
fi

for need in buildah debootstrap; do
    command -v $need > /dev/null || {
        echo "no Docker engine answers, and $need is not here" >&2
        exit 77
    }
done

[ "$(id -u)" = 0 ] || {
    echo "no Docker engine answers, and buildah here needs root" >&2
    exit 77
}

b() {
    buildah --root "$work/storage" --runroot "$work/run" \
        --storage-driver vfs "$@"
}

base=docker.io/library/debian:bookworm-slim
root=$work/base

# as the official slim image: no documentation, no caches, no services

if ! b inspect --type image "$base" > /dev/null 2>&1; then
    {
        rm -rf "$root"
        debootstrap --variant=minbase bookworm "$root" \
            "${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
        printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
        chmod +x "$root/usr/sbin/policy-rc.d"
        {
            for path in doc man info locale lintian linda groff; do
                echo "path-exclude /usr/share/$path/*"
            done
            echo "path-include /usr/share/doc/*/copyright"
        } > "$root/etc/dpkg/dpkg.cfg.d/docker"
        rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* \
            "$root"/var/log/* "$root"/usr/share/{man,info,locale}/* \
            "${root:?}"/dev/*
        find "$root/usr/share/doc" -type f ! -name copyright -delete
        container=$(b from scratch)
        b add -q "$container" "$root" /
        b commit -q "$container" "$base"
        b rm "$container"
        rm -rf "$root"
    } > "$work/base.log" 2>&1 || {
        tail -n 20 "$work/base.log" >&2
        exit 1
    }
fi

b bud --isolation chroot --pull-never --layers --format docker \
    -t "$tag" "${build[@]}" . > "$work/build.log" 2>&1 || {
    tail -n 40 "$work/build.log" >&2
    exit 1
}

echo buildah
