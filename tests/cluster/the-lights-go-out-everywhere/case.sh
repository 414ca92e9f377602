# SPDX-License-Identifier: GPL-2.0-or-later
start_writers
for n in $SERVERS $AGENTS; do crash "$n"; done
sleep 1
for n in $SERVERS $AGENTS; do boot "$n"; done
for n in $SERVERS; do start_server "$n"; done
for n in $AGENTS; do start_agent "$n"; done
settle
more_acknowledged 50 20
stop_writers 60000
# shellcheck disable=SC2086
eventually 60 nodes_ready 1 "$(echo $SERVERS $AGENTS | wc -w)"
