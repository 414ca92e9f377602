# SPDX-License-Identifier: GPL-2.0-or-later
start_writers
slow_one=$(other_than "$(leader)" | tail -n 1)
slow "$slow_one" 256kbit
lose "$slow_one" 10
more_acknowledged 200 20
mend "$slow_one"
settle
stop_writers 5000
