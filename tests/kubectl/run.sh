#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# End to end with real kubectl, real TLS, real containers, real nftables. Everything runs inside namespaces of its own
# (network, mount, pid, uts), so a run leaves nothing behind and does not meet a cluster that this machine may already run.
#   tests/kubectl/run.sh BUILD [CASE...]
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
if [ -z "${CORACLE_INSIDE:-}" ]; then
  [ "$(id -u)" = 0 ] || { echo "kubectl tests: skipped: need root"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }
  export CORACLE_INSIDE=1
  exec unshare -m -u -n -p -f --kill-child --mount-proc "$0" "$@"
fi
build=$(cd "$top/$1" && pwd); shift
mount --make-rprivate /
umount -l /sys/fs/cgroup/unified 2>/dev/null || true  # Debian's crun refuses the hybrid layout
mount -t tmpfs tmpfs /run
hostname coracle-test
ip link set lo up
ip link add name lan0 type bridge && ip addr add 172.30.0.1/24 dev lan0 && ip link set lan0 up  # no default route

export WORK=$top/build/kubectl-test TOP=$top BUILD_DIR=$build
rm -rf "$WORK"; mkdir -p "$WORK"
export KUBECONFIG=$WORK/kubeconfig CORACLE=$build/coracle HOME=$WORK
mapfile -t KUBECTLS < <("$top/tools/kubectl.sh")
export KUBECTLS_LIST="${KUBECTLS[*]}"
for version in 27 28 29 30 31 32 33; do
  printf '%s\n' "${KUBECTLS[@]}" | grep -q "kubectl\.1\.$version$" || echo "missing: kubectl 1.$version (not tested)"
done
export KUBECTL=${KUBECTLS[-1]}
export CGROUP_PARENT=coracle-test-$$

. "$top/tests/kubectl/lib.sh"
trap 'status=$?; stop_server 2>/dev/null || true; remove_cgroups; exit $status' EXIT
"$top/tools/demo_image.sh" "$WORK/demo.tar"
start_server
"$CORACLE" image load "$WORK/demo.tar" --data-dir "$WORK/data" --run-dir "$WORK/run" > "$WORK/image.log"

cases=("$@")
[ ${#cases[@]} -gt 0 ] || mapfile -t cases < <(cd "$top/tests/kubectl" && ls -d */ | tr -d /)
passed=0 failed=0
for name in "${cases[@]}"; do
  log=$WORK/$name.log
  begin=$(date +%s%N)
  if ( set -euo pipefail; export CASE=$name NS=t-$name; cd "$top/tests/kubectl/$name"; k create namespace "$NS" > /dev/null; . ./case.sh ) > "$log" 2>&1; then
    passed=$((passed + 1)); result=ok
  else
    failed=$((failed + 1)); result=FAILED
  fi
  printf '%-60s %s (%d ms)\n' "$name" "$result" $((($(date +%s%N) - begin) / 1000000))
  [ $result = ok ] || { tail -n 25 "$log" | sed 's/^/    /'; }
  k delete namespace "t-$name" --wait=false > /dev/null 2>&1 || true
done
if ! server_alive; then echo "the server died:"; tail -n 30 "$WORK/server.log"; failed=$((failed + 1)); fi
echo "kubectl: $passed passed, $failed failed"
[ $failed = 0 ]
