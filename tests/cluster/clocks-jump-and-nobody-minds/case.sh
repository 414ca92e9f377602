# SPDX-License-Identifier: GPL-2.0-or-later
# A cluster of its own whose clocks are shifted while it runs: no election, no node is taken for lost, no write is lost.
g++ -shared -fPIC -o "$WORK/shifted.so" -x c++ - << 'SOURCE'
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static const char* shift = "0";  // seconds, as text in the file $CLOCK_SHIFT
__attribute__((constructor)) static void look() {
  const char* path = getenv("CLOCK_SHIFT");
  const int file = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void* page = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0);
  if (page != MAP_FAILED) shift = static_cast<const char*>(page);
  close(file);
}
extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const int answer = static_cast<int>(syscall(SYS_clock_gettime, clock, now));
  if (clock == CLOCK_REALTIME) now->tv_sec += atol(shift);
  return answer;
}
SOURCE
SERVERS="6 7 8"
jump() { printf '%-12s' "$2" | dd of="$WORK/h$1/shift" conv=notrunc status=none; }  # jump N SECONDS
shifted() { CLOCK_SHIFT=$WORK/h$2/shift LD_PRELOAD=$WORK/shifted.so "$@"; }
# shellcheck disable=SC2086
own_hosts $SERVERS 9
for n in $SERVERS 9; do jump "$n" 0; done
shifted start_server 6
export KUBECONFIG=$WORK/h6/kubeconfig
eventually 10 is_ready 6
for n in 7 8; do shifted start_server "$n" --join "$(address 6)" --token "$(token_on 6 create --role server)"; done
shifted start_agent 9 --join "$(address 6)" --token "$(token_on 6 create --role agent)"
for n in $SERVERS; do eventually 20 is_ready "$n"; done
eventually 20 nodes_ready 6 4
ks 6 create namespace "$NS" > /dev/null

seen=$WORK/$CASE.nodes
"$KUBECTL" --server "https://$(address 7):6443" get nodes --watch --no-headers > "$seen" &
watch=$!
term() { on "$1" status | sed -n 's/^term: //p'; }
renewed_at() { ks 7 -n kube-node-lease get lease "h$1" -o 'jsonpath={.spec.renewTime}'; }
renewed_since() { [ "$(renewed_at "$1")" != "$2" ]; }
made_in() {  # the month, as server N sees it
  ks "$1" -n "$NS" create configmap "$2" -o 'jsonpath={.metadata.creationTimestamp}' | cut -d- -f1,2
}
start_writers
first=$(leader) term=$(term 6)
behind=$(other_than "$first" | head -n 1)
declare -A before
jump "$first" $((30 * 86400))
jump "$behind" $((-3 * 365 * 86400))
jump 9 86400
for n in $SERVERS 9; do before[$n]=$(renewed_at "$n"); done
equal "the leader's month" "$(made_in "$first" ahead)" "$(date -u -d "+30 days" +%Y-%m)"
equal "the follower's month" "$(made_in "$behind" back)" "$(date -u -d "-1095 days" +%Y-%m)"
more_acknowledged 200 10
for n in $SERVERS 9; do eventually 15 renewed_since "$n" "${before[$n]}"; done
equal "term" "$(term "$first")" "$term"
equal "leader" "$(leader)" "$first"

# The other way round, and back; then whose clock is behind takes over.
jump "$first" $((-86400))
jump "$behind" 86400
more_acknowledged 100 10
jump 9 0
jump "$first" 0
jump "$behind" $((-86400))
more_acknowledged 100 10
equal "term" "$(term "$first")" "$term"
on "$first" leader transfer "h$behind" > /dev/null
more_acknowledged 50 10
equal "leader" "$(leader)" "$behind"
nodes_ready "$behind" 4
kill "$watch"
lacks "nodes" "$(cat "$seen")" NotReady
stop_writers 3000
