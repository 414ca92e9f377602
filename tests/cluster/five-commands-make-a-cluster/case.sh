# SPDX-License-Identifier: GPL-2.0-or-later
for n in $SERVERS; do
  for name in $SERVERS $AGENTS; do ks "$n" get node "h$name" > /dev/null; done
done
# Written through one server, read through the others at once: a read asks the quorum.
for writer in $SERVERS; do
  ks "$writer" -n "$NS" create configmap "by-$writer" --from-literal=value="$writer" > /dev/null
  for reader in $SERVERS; do
    equal "read on $reader of what $writer wrote" "$(ks "$reader" -n "$NS" get configmap "by-$writer" -o 'jsonpath={.data.value}')" "$writer"
  done
done
versions=$(for n in $SERVERS; do ks "$n" -n "$NS" get configmap by-1 -o 'jsonpath={.metadata.resourceVersion} '; done)
equal "versions are the same on every server" "$(tr ' ' '\n' <<< "$versions" | grep . | sort -u | wc -l)" 1
# Everybody keeps the others' changes: a watch on one server sees what another one wrote.
last=${SERVERS##* }
timeout 20 "$KUBECTL" --server "https://$(address "$last"):6443" -n "$NS" get configmaps -w --output-watch-events -o name > "$WORK/watched" &
watcher=$!
eventually 5 grep -q by-1 "$WORK/watched"
ks 1 -n "$NS" create configmap late > /dev/null
eventually 5 grep -q late "$WORK/watched"
kill $watcher
