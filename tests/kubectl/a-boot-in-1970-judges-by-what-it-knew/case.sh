# SPDX-License-Identifier: GPL-2.0-or-later
# A board without a battery for its clock: certificates and tokens are judged by the time that has certainly passed.
g++ -shared -fPIC -o "$WORK/1970.so" -x c++ - <<'SOURCE'
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const int answer = static_cast<int>(syscall(SYS_clock_gettime, clock == CLOCK_REALTIME ? CLOCK_BOOTTIME : clock, now));
  if (clock == CLOCK_REALTIME) now->tv_sec %= 86400;
  return answer;
}
SOURCE
as_bearer() { curl -sk -o /dev/null -w '%{http_code}' -H "authorization: Bearer $1" https://127.0.0.1:6443/apis; }

before=$(kn create token default)
equal "a token of now" "$(as_bearer "$before")" 200
stop_server
LD_PRELOAD=$WORK/1970.so start_server
kn create configmap made-in-1970 > /dev/null
contains "the clock is wrong indeed" "$(kn get configmap made-in-1970 -o jsonpath='{.metadata.creationTimestamp}')" 1970-01-0
token=$(kn create token default)
equal "a token of 1970" "$(as_bearer "$token")" 200
kn wait --for=condition=Ready node/node-1 --timeout=20s > /dev/null

# What the file says counts for more than the day of the build, unless nobody can believe it.
stop_server
date -u -d '+2 days' +%Y-%m-%dT%H:%M:%SZ > "$WORK/data/time"
LD_PRELOAD=$WORK/1970.so start_server
equal "a token that has ended" "$(as_bearer "$token")" 401
stop_server
echo 2099-01-01T00:00:00Z > "$WORK/data/time"
LD_PRELOAD=$WORK/1970.so start_server
kn get configmap made-in-1970 > /dev/null
stop_server
rm "$WORK/data/time"
start_server
equal "a token of now, with the clock right" "$(as_bearer "$(kn create token default)")" 200
