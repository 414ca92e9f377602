#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# End to end with real kubectl, real TLS, real containers, real nftables. Usage: run.sh BUILD [CASE...]
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
BUILD_DIR=$(cd "$TOP" && cd "$1" && pwd)
. "$TOP/tests/kubectl/world.sh"
. "$TOP/tests/kubectl/lib.sh"
if [ -z "${CORACLE_INSIDE:-}" ]; then enter_world "$0" "$@"; fi
shift
export TOP BUILD_DIR
enter_world "${WORK_NAME:-kubectl-test}"

for version in 27 28 29 30 31 32 33; do
  printf '%s\n' "${KUBECTLS[@]}" | grep -q "kubectl\.1\.$version$" || echo "missing: kubectl 1.$version (not tested)"
done
"$TOP/tools/demo_image.sh" "$WORK/demo.tar"
start_server
"$CORACLE" image load "$WORK/demo.tar" --data-dir "$WORK/data" --run-dir "$WORK/run" > "$WORK/image.log"

cases=("$@")
[ ${#cases[@]} -gt 0 ] || mapfile -t cases < <(cd "$TOP/tests/kubectl" && ls -d */ | tr -d /)
passed=0 failed=0
for name in "${cases[@]}"; do
  log=$WORK/$name.log
  begin=$(date +%s%N)
  if ( set -euo pipefail; NS=t-$(echo "$name" | cut -c1-50); NS=${NS%-}; export CASE=$name NS
       cd "$TOP/tests/kubectl/$name"; k create namespace "$NS" > /dev/null; . ./case.sh
       k delete namespace "$NS" --wait=false > /dev/null ) > "$log" 2>&1; then
    passed=$((passed + 1)); result=ok
  else
    failed=$((failed + 1)); result=FAILED
  fi
  printf '%-60s %s (%d ms)\n' "$name" "$result" $((($(date +%s%N) - begin) / 1000000))
  if [ $result = FAILED ]; then
    NS=t-$(echo "$name" | cut -c1-50)
    { tail -n 25 "$log"; k -n "${NS%-}" get pods -o wide; k -n "${NS%-}" get events; } 2>&1 | sed 's/^/    /' | tail -n 60
  fi
done
if ! server_alive; then echo "the server died:"; tail -n 30 "$WORK/server.log"; failed=$((failed + 1)); fi
echo "kubectl: $passed passed, $failed failed"
[ $failed = 0 ]
