# SPDX-License-Identifier: GPL-2.0-or-later
last=${AGENTS##* }
# join VERB TOKEN: as a stranger on the last agent's host; a device that is admitted would not come back
join() {
  host "$last" timeout 10 "$CORACLE" "$1" --join "$(address 1)" --token "$2" --node-name stranger --data-dir "$WORK/stranger" \
    --run-dir /run/stranger --pid-file /run/stranger.pid --shim "$BUILD_DIR/coracle-shim" --cgroup-parent stranger
}
token() { host 1 "$CORACLE" token "$@" --data-dir "$WORK/h1/data" --kubeconfig "$WORK/h1/kubeconfig"; }
rm -rf "$WORK/stranger"

refuses "not a join token" join agent nonsense
refuses "does not know the token" join agent aaaaaa.0123456789abcdef
good=$(token create --ttl 1h)
id=$(echo "$good" | cut -d. -f3)
refuses "does not know the token" join agent "${good%?????}zzzzz"
refuses "another pin" join agent "C1.aaaaaaaaaaaaaaaaaaaaaaaaaa.${good#C1.*.}"
refuses "admits agents only" join server "$good"
contains "list" "$(token list)" "$id"
token revoke "$id" > /dev/null
refuses "does not know the token" join agent "$good"
lacks "list" "$(token list)" "$id"
refuses "no such token" token revoke "$id"
short=$(token create --ttl 1s)
sleep 1.2
refuses "said 401" join agent "$short"  # expired, or already cleaned up
refuses "has not joined a cluster yet" host "$last" "$CORACLE" agent --data-dir "$WORK/stranger" --run-dir /run/stranger --pid-file /run/stranger.pid

# Nothing of all that reached a log.
for n in $SERVERS; do
  lacks "log of h$n" "$(cat "$WORK/h$n/log")" "${good##*.}"
done
refuses "NotFound" ks 1 get node stranger
