# SPDX-License-Identifier: GPL-2.0-or-later
# A bit falls over in the log of a server that is down: acknowledged writes, not a torn end. It comes back by itself, as
# a new member with the state of the others, and says so.
rotten=$(other_than "$(leader)" | tail -n 1)
start_writers
more_acknowledged 60 20
kill_daemon "$rotten"
python3 - "$WORK/h$rotten/data/store/log" << 'EOF'
import os, struct, sys
folder = sys.argv[1]
files = {name: open(os.path.join(folder, name), "rb").read() for name in os.listdir(folder)}
newest = max(files, key=lambda name: struct.unpack_from("<Q", files[name], 24)[0])
data = bytearray(files[newest])
records, at = [], 512
while at + 48 <= len(data) and struct.unpack_from("<I", data, at + 8)[0] == 0x00C0DA1E:
    length, batch = struct.unpack_from("<IQ", data, at + 12)
    if records and batch < records[-1][1]:
        break
    records.append((at, batch))
    at += 48 + (length + 7) // 8 * 8
chosen = [at for at, batch in records if batch < records[-1][1] - 4][-1]
data[chosen + 40] ^= 0x10
open(os.path.join(folder, newest), "r+b").write(data)
EOF
start_server "$rotten"
eventually 40 is_ready "$rotten"
grep -q "the store is damaged; asking the other servers" "$WORK/h$rotten/log"
told() { ks 1 get events -A --field-selector reason=StoreReplaced --no-headers | grep -q "h$rotten"; }
eventually 20 told
[ ! -e "$WORK/h$rotten/data/store.damaged" ]
[ "$(on 1 member list | grep -c voter)" = 3 ] || { on 1 member list; fail "it has no vote again"; }
more_acknowledged 30 10
stop_writers 5000
