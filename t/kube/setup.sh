#!/bin/bash
# Builds a real Kubernetes API server, controller manager and kubectl (1.36.3) from Go modules under DIR/bin;
# etcd comes from Debian (etcd-server).     setup.sh DIR     about 15 minutes on 2 cores, 4 GB of disk
set -euo pipefail
dir=$(mkdir -p "$1" && cd "$1" && pwd)
version=1.36.3
export GONOSUMDB='k8s.io/*'
command -v etcd >/dev/null || { apt-get update -qq; apt-get install -y -qq etcd-server >/dev/null; }
cd "$dir"
[ -f go.mod ] || printf 'module kubetools\n' >go.mod
source=$(go mod download -json "k8s.io/kubernetes@v$version" | python3 -c 'import json,sys; print(json.load(sys.stdin)["Dir"])')
{   # the staging modules, by the release they were published as
    echo "module kubetools"
    grep -E '^(go|godebug) ' "$source/go.mod"
    echo "require k8s.io/kubernetes v$version"
    echo "replace ("
    sed -n '/^replace (/,/^)/p' "$source/go.mod" | awk -v v="v0.${version#1.}" '/staging/ {print "  " $1 " => " $1 " " v}'
    echo ")"
} >go.mod
cat >tools.go <<'GO'
//go:build tools

package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
GO
go mod tidy -e >tidy.log 2>&1
for c in kubectl kube-apiserver kube-controller-manager; do
    go build -mod=mod -trimpath -ldflags '-s -w' -o bin/ "k8s.io/kubernetes/cmd/$c"
done
ls bin
