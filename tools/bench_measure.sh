# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the parts of `make bench`: how a figure is taken. WORK, BUILD_DIR, RESULTS and SCALE are set; measure
# loads TARGET, the kubeconfig of a server whose process is TARGET_PID.

rss() { awk '/^VmRSS/ {print $2}' "/proc/$1/status"; }
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
pss() { awk '/^Pss:/ {print $2}' "/proc/$1/smaps_rollup"; }
written() { awk '/^write_bytes/ {print $2}' "/proc/$1/io"; }
DEVICE=$(stat -c %Hd:%Ld "$WORK")
sectors() { awk -v d="$DEVICE" '$1 ":" $2 == d {print $10}' /proc/diskstats; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
scaled() { echo $((($1 * SCALE + 99) / 100)); }
mebibytes() { awk -v k="$1" 'BEGIN {printf "%.2f", k / 1024}'; }  # mebibytes KIBIBYTES
core_percent() {  # core_percent TICKS SECONDS
  awk -v t="$1" -v hz="$(getconf CLK_TCK)" -v s="$2" 'BEGIN {printf "%.3f", 100 * t / hz / s}'
}

# measure NAME WORKLOAD CLIENTS OPERATIONS [FLAGS...]: one line of JSON into $RESULTS. A failure is part of the report.
measure() {
  local name=$1 workload=$2 clients=$3 operations=$4; shift 4
  "$BUILD_DIR/coracle_bench" --kubeconfig "$TARGET" --server-pid "$TARGET_PID" --device "$DEVICE" --name "$name" --workload "$workload" \
    --clients "$clients" --operations "$operations" "$@" >> "$RESULTS" || echo "bench: $name: see $RESULTS" >&2
}
note() { printf '{"name":"%s","value":%s,"unit":"%s"}\n' "$1" "$2" "$3" >> "$RESULTS"; }  # note NAME VALUE UNIT
