#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of coracle_bench in, medians out: report.json and report.md. Usage: bench_report.py LINES FOLDER --idle PERCENT
--runs N --scale PERCENT --peer TEXT"""
import argparse
import json
import os
import statistics

# name -> (measured as, field of it, what is shown, target). A target is a limit for this machine class; peers are
# other programs of the same run.
ROWS = [
    ("write.create.c1", "write.create.c1", "value", "pod creates/s, 1 client", "p50 <= 0.32 ms"),
    ("write.create.c16", "write.create.c16", "value", "pod creates/s, 16 clients", "-"),
    ("write.create.c64", "write.create.c64", "value", "pod creates/s, 64 clients", ">= 9000/s, p99 <= 15 ms"),
    ("write.cpu", "write.create.c64", "cpu_us_per_op", "server CPU us per pod create", "<= 130 us"),
    ("write.configmap.c1", "write.configmap.c1", "value", "1 KiB ConfigMap creates/s, 1 client", "-"),
    ("write.configmap.c16", "write.configmap.c16", "value", "1 KiB ConfigMap creates/s, 16 clients", "-"),
    ("write.configmap.c64", "write.configmap.c64", "value", "1 KiB ConfigMap creates/s, 64 clients", "-"),
    ("flash.write", "flash.write", "device_bytes_per_op", "bytes to the device per isolated 512 B ConfigMap", "<= 8192 B"),
    ("flash.write.flushes", "flash.write", "flushes_per_op", "flushes of the device for one", "1"),
    ("flash.idle", "flash.idle", "value", "MB a day to the device, idle and empty", "<= 2 MB"),
    ("flash.load", "write.configmap.c64", "device_bytes_per_op", "bytes to the device per 1 KiB ConfigMap, 64 clients", "<= 2560 B"),
    ("read.get", "read.get.c64", "value", "gets/s of a 6.7 KB pod, 64 clients", ">= 22000/s, p99 <= 5 ms"),
    ("read.get.c1", "read.get.c1", "value", "same, 1 client", "-"),
    ("read.get.c16", "read.get.c16", "value", "same, 16 clients", "-"),
    ("list.10k", "list.10k", "p50_ms", "ms for a LIST of 10,000 1 KiB ConfigMaps", "<= 180 ms"),
    ("list.10k.first", "list.10k", "first_byte_ms", "ms to its first byte", "<= 2 ms"),
    ("list.mem", "list.mem", "rss_growth_kib", "KiB that the server grows by 4 such LISTs at once", "<= 2048 KiB"),
    ("watch.fan1k", "watch.fan1k", "value", "events/s to 1,000 watchers of one object, 10 HTTP/2 connections",
     ">= 119000/s, p99 <= 20 ms"),
    ("pod.start", "pod.start", "p50_ms", "ms from create to Running, 20 pods in turn", "p50 <= 15 ms (50 for now), p99 <= 50 ms"),
    ("node.boot", "node.boot", "value", "ms from exec to started, warm", "<= 120 ms"),
    ("node.rss", "node.rss", "value", "MiB, idle and empty", "<= 12 MiB"),
    ("node.idle", "node.idle", "value", "% of a core, idle", "<= 0.1 %"),
    ("node.rss.pod", "node.rss.pod", "value", "MiB of PSS that a pod costs beside its workload", "<= 0.2 MiB"),
    ("node.size", "node.size", "value", "MiB, stripped", "<= 3 MiB"),
    ("sched.1k", "sched.1k", "value", "pods/s bound through the store, Deployment of 1,000, 1,000 nodes", ">= 5220/s"),
    *((f"sched.{work}.n{nodes}", f"sched.{work}.n{nodes}", "value", f"pods/s scheduled in process, {what}, {nodes} nodes", target)
      for work, what, target in (("plain", "plain", ">= 20000/s"), ("owned", "of ReplicaSets", "-"), ("spread", "spread over zones", "-"),
                                 ("anti-affinity", "apart from each other", ">= 2000/s"), ("preemption", "displacing three each", "-"))
      for nodes in (100, 1000, 5000)),
    ("etcd.put.c1", "etcd.put.c1", "value", "peer: etcd alone, 1 KiB puts/s through its JSON gateway, 1 client", "-"),
    ("etcd.put.c16", "etcd.put.c16", "value", "peer: same, 16 clients", "-"),
    ("etcd.put.c64", "etcd.put.c64", "value", "peer: same, 64 clients", "-"),
    *((f"growth.create.{size}", f"growth.create.{size}", "value", f"128 B ConfigMap creates/s, 1 client, beside {size} others", "-")
      for size in ("1k", "10k", "100k")),
    *((f"write.ha.c{clients}", f"write.ha.c{clients}", "value",
       f"3 servers: 1 KiB ConfigMap creates/s through the leader, {clients} client{'s' * (clients > 1)}", target)
      for clients, target in ((1, ">= 1.5x etcd.ha"), (16, "-"), (64, ">= 1x etcd.ha"))),
    *((f"etcd.ha.put.c{clients}", f"etcd.ha.put.c{clients}", "value",
       f"peer: 3 members of etcd, 1 KiB puts/s through the leader, {clients} client{'s' * (clients > 1)}", "-") for clients in (1, 16, 64)),
    ("ha.failover", "ha.failover", "value", "3 servers: ms without an acknowledged write when the leader is killed", "<= 300 ms"),
    ("ha.failover.worst", "ha.failover", "worst", "the longest of them", "<= 300 ms"),
    ("node.rss.ha", "node.rss.ha", "worst", "3 servers: MiB, idle and empty, the largest of all", "<= 12 MiB"),
    ("node.idle.ha", "node.idle.ha", "worst", "3 servers: % of a core, idle, the busiest of all", "<= 0.1 %"),
    ("flash.idle.ha", "flash.idle.ha", "worst", "3 servers: KB an hour that an idle one writes, in whole folios, the worst of all", "-"),
    ("flash.idle.ha.device", "flash.idle.ha.device", "value", "3 servers: KB an hour to the device that they share, all idle", "<= 250 KB (2 MB a day each)"),
]


def medians(lines):
    """name -> field -> median over the runs; "worst" is the largest value."""
    runs = {}
    for line in lines:
        runs.setdefault(line["name"], []).append(line)
    for of in runs.values():
        worst = max((line["value"] for line in of if "value" in line), default=None)
        if worst is not None:
            of[-1] = {**of[-1], "worst": worst}
    return {name: {field: statistics.median(r[field] for r in of if field in r)
                   for field in sorted({f for r in of for f in r}) if isinstance(of[-1].get(field), (int, float))}
            for name, of in runs.items()}


def ratios(measured, ours, theirs):
    """The rates of ours beside those of theirs, client count by client count."""
    found = [(clients, measured.get(f"{ours}.c{clients}", {}).get("value"), measured.get(f"{theirs}.c{clients}", {}).get("value"))
             for clients in (1, 16, 64)]
    return ", ".join(f"{mine / peers:.2f}x with {clients} client{'s' * (clients > 1)}" for clients, mine, peers in found if mine and peers)


def growth(measured):
    """What a create costs beside the most objects that were there, beside what it costs where there are 1,000."""
    first, most = measured.get("growth.create.1k"), None
    for size in ("10k", "100k"):
        most = measured.get(f"growth.create.{size}") and (size, measured[f"growth.create.{size}"]) or most
    if not first or not most:
        return ""
    told = [f"{what} {most[1][field] / first[field]:.2f}x" for what, field in (("p50", "p50_ms"), ("CPU", "cpu_us_per_op"))
            if first.get(field) and most[1].get(field)]
    return f"A create beside {most[0]} objects instead of 1k (target <= 1.15x): " + ", ".join(told) + "." if told else ""


def text_of(number):
    return f"{number:,.0f}" if number >= 1000 else f"{number:.4g}"


def cpu_of(measured):
    """A value below the tick of the clock is no value."""
    return text_of(measured["cpu_us_per_op"]) if measured.get("cpu_us_per_op") else "-"


def main():
    parser = argparse.ArgumentParser()
    for name in ("lines", "folder"):
        parser.add_argument(name)
    for name in ("--idle", "--runs", "--scale", "--peer"):
        parser.add_argument(name, default="")
    options = parser.parse_args()
    lines = [json.loads(line) for line in open(options.lines, encoding="utf-8") if line.strip()]
    measured = medians(lines)
    failures = sorted({f"{line['name']}: {line['failed']} failed: {line.get('failure', '')}" for line in lines if line.get("failed")})

    rows = []
    for name, source, field, what, target in ROWS:
        found = measured.get(source)
        if found is None or field not in found:
            continue
        rows.append({"name": name, "value": found[field], "what": what, "target": target,
                     **{k: found[k] for k in ("p50_ms", "p99_ms", "cpu_us_per_op", "device_bytes_per_op", "flushes_per_op") if k in found}})
    report = {"idle_percent_before": int(options.idle or 0), "runs": int(options.runs), "scale_percent": int(options.scale),
              "peer": options.peer, "failures": failures, "rows": rows, "lines": lines}
    with open(os.path.join(options.folder, "report.json"), "w", encoding="utf-8") as out:
        json.dump(report, out, indent=1)

    text = ["# Benchmark report", "",
            f"Median of {options.runs} runs at {options.scale} % of the operations; the machine was {options.idle} % idle before.",
            "Client and server share this machine and its block device. "
            + (f"Peer in the same run: {options.peer}." if options.peer else "No peer on this machine."), ""]
    if int(options.idle or 0) < 85:
        text += ["**Forced on a busy machine: these figures prove nothing.**", ""]
    text += ["| name | what | target | measured | p50 ms | p99 ms | CPU us/op |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        latency = [text_of(row[k]) if row.get(k) else "-" for k in ("p50_ms", "p99_ms")]
        text.append(f"| {row['name']} | {row['what']} | {row['target']} | {text_of(row['value'])} | {latency[0]} | {latency[1]} | {cpu_of(row)} |")
    for sentence, ours, theirs in (
            ("1 KiB creates through the whole API beside puts into etcd alone", "write.configmap", "etcd.put"),
            ("The same with three servers beside three members of etcd (CPU of the leaders)", "write.ha", "etcd.ha.put")):
        if ratios(measured, ours, theirs):
            text += ["", f"{sentence}: {ratios(measured, ours, theirs)}."]
    if growth(measured):
        text += ["", growth(measured)]
    if failures:
        text += ["", "Failures:"] + [f"- {failure}" for failure in failures]
    with open(os.path.join(options.folder, "report.md"), "w", encoding="utf-8") as out:
        out.write("\n".join(text) + "\n")


main()
