# SPDX-License-Identifier: GPL-2.0-or-later
away=$(other_than "$(leader)" | tail -n 1)
stop_daemon "$away"
start_writers
# More than the log keeps: 12 MiB in 96 objects.
head -c 131072 /dev/urandom | base64 -w 0 > "$WORK/bulk"
busy=$(leader)
for i in $(seq 1 96); do
  ks "$busy" -n "$NS" create configmap "bulk-$i" --from-file="$WORK/bulk" > /dev/null
done
start_server "$away"
eventually 30 is_ready "$away"
grep -q "snapshot installed" "$WORK/h$away/log" || echo "caught up from the log alone"
more_acknowledged 30 10
stop_writers 5000
