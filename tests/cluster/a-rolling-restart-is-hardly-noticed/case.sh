# SPDX-License-Identifier: GPL-2.0-or-later
start_writers
for n in $SERVERS; do
  stop_daemon "$n"
  start_server "$n"
  eventually 20 is_ready "$n"
  more_acknowledged 30 10
done
stop_writers 4000
