# SPDX-License-Identifier: GPL-2.0-or-later
# kubectl: any
# A backup holds what was acknowledged before it; a store made from it goes on above its versions.
backup() { "$CORACLE" backup "$1" --run-dir "$WORK/run" --data-dir "$WORK/data"; }
restore() { "$CORACLE" restore "$1" --data-dir "$2" --run-dir "$WORK/run" --node-name node-1 --node-ip 172.30.0.1; }
version_of() { kn get configmap "$1" -o 'jsonpath={.metadata.resourceVersion}'; }

kn create configmap kept --from-literal=a=1
head -c 700000 /dev/urandom | base64 -w 0 > "$WORK/large"
kn create configmap large --from-file="$WORK/large"
contains answer "$(cd "$WORK" && backup state.backup)" "wrote $WORK/state.backup, "
equal mode "$(stat -c %a "$WORK/state.backup")" 600
[ ! -e "$WORK/state.backup.part" ] || fail "the partial file is left"
large=$(kn get configmap large -o 'jsonpath={.data.large}' | md5sum)
kn create configmap later --from-literal=a=2
later=$(version_of later)

refuses 'no such file or directory' backup /none/state.backup
refuses 'there is a store already: move' restore "$WORK/state.backup" "$WORK/data"
cp "$WORK/state.backup" "$WORK/cut.backup"
truncate -s -1 "$WORK/cut.backup"
refuses damaged restore "$WORK/cut.backup" "$WORK/elsewhere"
cp "$WORK/state.backup" "$WORK/rotten.backup"
printf 'xyz' | dd bs=1 seek=20000 conv=notrunc status=none of="$WORK/rotten.backup"
refuses damaged restore "$WORK/rotten.backup" "$WORK/elsewhere"

stop_server
mv "$WORK/data/store" "$WORK/store.before"
contains answer "$(restore "$WORK/state.backup" "$WORK/data")" 'restored into'
start_server
equal kept "$(kn get configmap kept -o 'jsonpath={.data.a}')" 1
equal large "$(kn get configmap large -o 'jsonpath={.data.large}' | md5sum)" "$large"
refuses 'not found' kn get configmap later
kn create configmap afterwards
[ "$(version_of afterwards)" -gt "$later" ] || fail "versions went back: $(version_of afterwards) after $later"
k wait --for=condition=Ready node/node-1 --timeout=20s

# Back to where the other cases were.
stop_server
rm -rf "$WORK/data/store"
mv "$WORK/store.before" "$WORK/data/store"
start_server
kn get configmap later
