# SPDX-License-Identifier: GPL-2.0-or-later
start_writers
old=$(leader)
# shellcheck disable=SC2046
cut_off "$old" $(other_than "$old")
more_acknowledged 30 10
# The old leader has no quorum: it neither takes writes nor promises that its reads are new.
refuses "" ks "$old" -n "$NS" create configmap in-the-minority
refuses "" ks "$old" -n "$NS" get configmaps
ks "$old" get --raw "/api/v1/namespaces/$NS/configmaps?resourceVersion=0&limit=1" > /dev/null
mend "$old"
settle
refuses "not found" ks "$old" -n "$NS" get configmap in-the-minority
# One way only: it is not heard, but hears.
old=$(leader)
for n in $(other_than "$old"); do deafen "$n" "$old"; done
more_acknowledged 30 15
for n in $SERVERS; do mend "$n"; done
settle
stop_writers 8000
