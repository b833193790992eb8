#!/bin/bash
# Runs the cluster control plane that setup.sh built, on loopback, until SIGINT or SIGTERM; no nodes, so pods stay pending.
#   serve.sh DIR [PORT]     API at https://127.0.0.1:PORT (16443), DIR/run/ca.crt, DIR/run/kubeconfig (cluster admin)
# RBAC, admission (also Pod Security), service accounts and their tokens (kubectl create token NAME) are real.
set -euo pipefail
bin=$(cd "$1/bin" && pwd); port=${2:-16443}
rm -rf "$1/run"; mkdir -p "$1/run"; cd "$1/run"
openssl genrsa -out sa.key 2048 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout ca.key -out ca.crt -subj /CN=test-ca 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout api.key -out api.csr -subj /CN=kube-apiserver 2>/dev/null
printf 'subjectAltName=DNS:kubernetes.default.svc,DNS:kubernetes,DNS:localhost,IP:127.0.0.1,IP:10.96.0.1\n' >san
openssl x509 -req -in api.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile san -out api.crt 2>/dev/null
token=$(openssl rand -hex 16); echo "$token,admin,1,system:masters" >tokens.csv
cat >kubeconfig <<Y
{"apiVersion":"v1","kind":"Config","current-context":"t","contexts":[{"name":"t","context":{"cluster":"t","user":"t"}}],
 "clusters":[{"name":"t","cluster":{"server":"https://127.0.0.1:$port","certificate-authority":"$PWD/ca.crt"}}],"users":[{"name":"t","user":{"token":"$token"}}]}
Y
stop() { kill $pids 2>/dev/null; for _ in $(seq 20); do kill -0 $pids 2>/dev/null || break; sleep 0.1; done; kill -9 $pids 2>/dev/null; wait; }
trap stop EXIT; trap 'exit 0' INT TERM; pids=
etcd --data-dir etcd --listen-client-urls "http://127.0.0.1:$((port+1))" --advertise-client-urls "http://127.0.0.1:$((port+1))" \
     --listen-peer-urls "http://127.0.0.1:$((port+2))" >etcd.log 2>&1 & pids="$pids $!"
"$bin/kube-apiserver" --etcd-servers="http://127.0.0.1:$((port+1))" --secure-port="$port" --bind-address=127.0.0.1 --cert-dir=certs \
     --tls-cert-file=api.crt --tls-private-key-file=api.key --service-account-key-file=sa.key --service-account-signing-key-file=sa.key \
     --service-account-issuer=https://kubernetes.default.svc --authorization-mode=RBAC --token-auth-file=tokens.csv \
     --service-cluster-ip-range=10.96.0.0/16 >api.log 2>&1 & pids="$pids $!"
ready() { curl -sf --cacert ca.crt "https://127.0.0.1:$port/readyz" -H "Authorization: Bearer $token" >/dev/null; }
for _ in $(seq 120); do ready && break; sleep 0.5; done
ready || { echo "the API server did not start: $(tail -n1 api.log)" >&2; exit 1; }
controllers=$(printf '%s-controller,' deployment replicaset statefulset serviceaccount serviceaccount-token namespace garbage-collector \
              root-ca-certificate-publisher horizontal-pod-autoscaler endpointslice disruption clusterrole-aggregation)
"$bin/kube-controller-manager" --kubeconfig=kubeconfig --service-account-private-key-file=sa.key --root-ca-file=ca.crt --bind-address=127.0.0.1 \
     --secure-port="$((port+3))" --cert-dir=certs --controllers="${controllers%,}" \
     --horizontal-pod-autoscaler-sync-period=2s --leader-elect=false >kcm.log 2>&1 & pids="$pids $!"
managed() { "$bin/kubectl" --kubeconfig kubeconfig get serviceaccount default >/dev/null 2>&1; }   # made by the controller manager
for _ in $(seq 120); do managed && break; sleep 0.5; done
managed || { echo "the controller manager did not start: $(tail -n1 kcm.log)" >&2; exit 1; }
echo "ready: kubectl --kubeconfig $PWD/kubeconfig"
wait -n
