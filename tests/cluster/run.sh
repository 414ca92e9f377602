#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A real cluster on test hosts in namespaces: three servers and two agents, real daemons, real faults, while writers
# write and every acknowledged write is read back. Usage: run.sh BUILD [CASE...]
# A case is tests/cluster/<what-happens>/case.sh; it runs with `set -e` and leaves the cluster whole.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
BUILD_DIR=$(cd "$TOP" && cd "$1" && pwd)
. "$TOP/tests/kubectl/world.sh"
. "$TOP/tests/kubectl/lib.sh"
. "$TOP/tests/cluster/hosts.sh"
. "$TOP/tests/cluster/lib.sh"
if [ -z "${CORACLE_INSIDE:-}" ]; then enter_world "$0" "$@"; fi
shift
export TOP BUILD_DIR
enter_world "test-${WORK_NAME:-cluster}"
ip link del lan0
export SERVERS=${SERVERS:-1 2 3} AGENTS=${AGENTS-4 5}
stop_server() { for n in $SERVERS $AGENTS; do crash "$n"; done; }  # at the end, called by the world
"$TOP/tools/demo_image.sh" "$WORK/demo.tar"

make_switch
begin=$(date +%s%N)
bring_up
printf '%-60s (%d ms)\n' "$(echo "$SERVERS" | wc -w) servers and $(echo "$AGENTS" | wc -w) agents are up" \
  $((($(date +%s%N) - begin) / 1000000))

cases=("$@")
[ ${#cases[@]} -gt 0 ] || mapfile -t cases < <(cd "$TOP/tests/cluster" && ls -d */ | tr -d /)
passed=0 failed=0
for name in "${cases[@]}"; do
  log=$WORK/$name.log
  begin=$(date +%s%N)
  set +e  # not as the condition of an `if`: bash would then ignore `set -e` in all of the case
  ( set -euo pipefail; NS=t-$(echo "$name" | cut -c1-50); NS=${NS%-}; export CASE=$name NS
    settle; ks 1 create namespace "$NS" > /dev/null; . "$TOP/tests/cluster/$name/case.sh" ) > "$log" 2>&1
  status=$?
  set -e
  if [ $status = 0 ]; then passed=$((passed + 1)); result=ok; else failed=$((failed + 1)); result=FAILED; fi
  printf '%-60s %s (%d ms)%s\n' "$name" $result $((($(date +%s%N) - begin) / 1000000)) "$(sed -n 's/^\([0-9]* acknowledged.*\)/ \1/p' "$log" | tail -n 1)"
  if [ $result = FAILED ]; then
    { tail -n 25 "$log"; for n in $SERVERS; do echo "-- h$n"; tail -n 12 "$WORK/h$n/log"; done; } | sed 's/^/    /'
    for n in $SERVERS $AGENTS; do mend "$n"; resume_daemon "$n" 2> /dev/null || true; done
  fi
done
for n in $SERVERS $AGENTS; do
  if ! daemon_alive "$n"; then echo "the daemon of h$n died:"; tail -n 30 "$WORK/h$n/log"; failed=$((failed + 1)); fi
done
echo "cluster: $passed passed, $failed failed"
[ $failed = 0 ]
