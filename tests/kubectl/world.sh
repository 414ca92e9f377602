# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced first by scripts that need a server of their own: TOP and BUILD_DIR are set, the first call re-executes the
# script in fresh network, mount, pid and uts namespaces, so that a run leaves nothing behind and does not meet a cluster
# that this machine may already run. There is no default route in there.

enter_world() {  # enter_world SCRIPT ARGUMENTS...
  if [ -z "${CORACLE_INSIDE:-}" ]; then
    [ "$(id -u)" = 0 ] || { echo "skipped: need root"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }
    export CORACLE_INSIDE=$$  # of the outer process: names what the kernel shares, such as cgroups
    exec unshare -m -u -n -p -f --kill-child --mount-proc "$@"
  fi
  mount --make-rprivate /
  umount -l /sys/fs/cgroup/unified 2>/dev/null || true  # Debian's crun refuses the hybrid layout
  mount -t tmpfs tmpfs /run
  hostname coracle-test
  ip link set lo up
  ip link add name lan0 type bridge
  ip addr add 172.30.0.1/24 dev lan0
  ip link set lan0 up
  export WORK=$TOP/build/$1
  rm -rf "$WORK"; mkdir -p "$WORK"
  export KUBECONFIG=$WORK/kubeconfig CORACLE=$BUILD_DIR/coracle HOME=$WORK CGROUP_PARENT=coracle-test-$CORACLE_INSIDE
  mapfile -t KUBECTLS < <("$TOP/tools/kubectl.sh")
  export KUBECTLS_LIST="${KUBECTLS[*]}" KUBECTL=${KUBECTLS[-1]}
  trap 'status=$?; stop_server 2>/dev/null || true; remove_cgroups; exit $status' EXIT
}
