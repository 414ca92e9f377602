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
enter_world "test-${WORK_NAME:-kubectl}"

for version in 27 28 29 30 31 32 33; do
  printf '%s\n' "${KUBECTLS[@]}" | grep -q "kubectl\.1\.$version$" || echo "missing: kubectl 1.$version (not tested)"
done
"$TOP/tools/demo_image.sh" "$WORK/demo.tar"
start_server
"$CORACLE" image load "$WORK/demo.tar" --data-dir "$WORK/data" --run-dir "$WORK/run" > "$WORK/image.log"

cases=("$@")
[ ${#cases[@]} -gt 0 ] || mapfile -t cases < <(cd "$TOP/tests/kubectl" && ls -d */ | tr -d /)
minor=$("$KUBECTL" version --client 2>/dev/null | sed -n 's/.*v1\.\([0-9]*\)\..*/\1/p' | head -n 1)
passed=0 failed=0 skipped=0
for name in "${cases[@]}"; do
  # Debian's kubectl lacks much of what newer ones can do; a case says `# kubectl: any` if it needs none of it.
  if [ "${minor:-0}" -lt 27 ] && ! grep -q '^# kubectl: any' "$TOP/tests/kubectl/$name/case.sh"; then
    printf '%-60s skipped: needs kubectl 1.27\n' "$name"
    skipped=$((skipped + 1))
    continue
  fi
  log=$WORK/$name.log
  begin=$(date +%s%N)
  # Not as the condition of an `if`: bash would then ignore `set -e` in all of the case.
  set +e
  ( set -euo pipefail; NS=t-$(echo "$name" | cut -c1-50); NS=${NS%-}; export CASE=$name NS
    cd "$TOP/tests/kubectl/$name"; k create namespace "$NS" > /dev/null; . ./case.sh
    k delete namespace "$NS" --wait=false > /dev/null ) > "$log" 2>&1
  status=$?
  set -e
  if [ $status = 0 ]; then
    passed=$((passed + 1)); result=ok
  else
    failed=$((failed + 1)); result=FAILED
  fi
  printf '%-60s %s (%d ms)\n' "$name" "$result" $((($(date +%s%N) - begin) / 1000000))
  if [ $result = FAILED ]; then
    NS=t-$(echo "$name" | cut -c1-50)
    { tail -n 25 "$log"; k -n "${NS%-}" get pods -o wide; k -n "${NS%-}" get events; } 2>&1 | sed 's/^/    /' | tail -n 60
    k delete namespace "${NS%-}" --wait=false > /dev/null 2>&1 || true  # the others are to be judged by themselves
  fi
done
if ! server_alive; then echo "the server died:"; tail -n 30 "$WORK/server.log"; failed=$((failed + 1)); fi
echo "kubectl: $passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
