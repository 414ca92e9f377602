#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `make run`: a one-node cluster on this machine with a demo on it. Running it twice is harmless.
set -euo pipefail
build=$1
top=$(cd "$(dirname "$0")/.." && pwd)
run=$top/build/run
coracle=$top/$build/coracle
mkdir -p "$run"
[ "$(id -u)" = 0 ] || { echo "run: containers, networks and nftables need root" >&2; exit 1; }

export KUBECONFIG=$run/admin.kubeconfig
kubectl=$("$top/tools/kubectl.sh" | tail -n 1)
pid_file=$run/coracle.pid

running() { [ -s "$pid_file" ] && [ "$(cat "/proc/$(cat "$pid_file")/comm" 2>/dev/null)" = coracle ]; }

if running; then
  echo "coracle server is already running (pid $(cat "$pid_file"))"
else
  setsid "$coracle" server --data-dir "$run/data" --run-dir "$run" --pid-file "$pid_file" \
    --bind-address 127.0.0.1 --port 6443 --write-kubeconfig "$KUBECONFIG" \
    --shim "$top/$build/coracle-shim" < /dev/null >> "$run/coracle.log" 2>&1 &
  echo "started coracle server: API on https://127.0.0.1:6443, log in build/run/coracle.log"
fi

for _ in $(seq 1 200); do
  [ -s "$KUBECONFIG" ] && "$kubectl" get --raw /readyz > /dev/null 2>&1 && break
  running || sleep 0.2
  sleep 0.05
done
"$kubectl" wait --for=condition=Ready node --all --timeout=30s
echo "node is Ready"

"$top/tools/demo_image.sh" "$run/demo.tar"
"$coracle" image load "$run/demo.tar" --data-dir "$run/data" --run-dir "$run"
"$kubectl" apply -f "$top/tools/demo.yaml"
"$kubectl" rollout status deployment/demo --timeout=60s

vip=$("$kubectl" get service demo -o 'jsonpath={.spec.clusterIP}')
page=
for _ in $(seq 1 50); do
  page=$(curl -sf --max-time 2 "http://$vip/" || true)
  [ -n "$page" ] && break
  sleep 0.1
done
[ -n "$page" ] || { echo "run: the Service at http://$vip/ did not answer" >&2; exit 1; }
echo
echo "http://$vip/ says: $page"
echo
"$coracle" status --data-dir "$run/data" --kubeconfig "$KUBECONFIG"
cat <<EOT

A Deployment of two Pods serves a page from a ConfigMap behind a Service VIP.

  export KUBECONFIG=$KUBECONFIG
  kubectl get pods -o wide       # any kubectl from 1.27 on
  kubectl logs deployment/demo
  curl http://$vip/

  make stop                      # stops the daemon and the Pods, leaves nothing behind
EOT
