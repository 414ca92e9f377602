# SPDX-License-Identifier: GPL-2.0-or-later
start_writers
for _ in 1 2 3; do
  old=$(leader)
  kill_daemon "$old"
  more_acknowledged 30 10
  start_server "$old"
  eventually 20 is_ready "$old"
done
stop_writers 5000
