# SPDX-License-Identifier: GPL-2.0-or-later
start_writers
old=$(leader)
pause_daemon "$old"
more_acknowledged 30 15
sleep 3
resume_daemon "$old"
more_acknowledged 100 15
settle
stop_writers 8000
