# SPDX-License-Identifier: GPL-2.0-or-later
"""check.py FILE WORST_GAP_MS SERVER...: what writer.py wrote down against what each server has."""
import os
import sys
import time

from api import Refused, Server, Unknown, context


def listing(address, tls):
    until = time.monotonic() + 30
    while True:
        try:
            status, answer = Server(address, tls, 10).ask("GET", f"/api/v1/namespaces/{os.environ['NS']}/configmaps")
            if status == 200:
                return {each["metadata"]["name"]: each for each in answer["items"]}
            why = f"{status} {answer.get('message')}"
        except (Refused, Unknown) as error:
            why = str(error)
        if time.monotonic() > until:
            sys.exit(f"no list from {address}: {why}")
        time.sleep(0.2)


def main():
    path, worst_allowed, servers = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    lines = [line.split() for line in open(path, encoding="utf-8")]
    acked = {line[1]: line[2] for line in lines if line[0] == "ack"}
    times = [int(line[3]) for line in lines if line[0] == "ack"]
    refused = [line[1] for line in lines if line[0] == "refused"]
    maybe = [line[1] for line in lines if line[0] == "maybe"]
    counter = max([int(line[1]) for line in lines if line[0] == "counter"], default=0)
    gap = max((b - a for a, b in zip(times, times[1:])), default=0)
    tls, faults, first = context(), [], None
    for address in servers:
        there = listing(address, tls)
        for name, version in acked.items():
            found = there.get(name)
            if found is None:
                faults.append(f"{address}: {name} was acknowledged and is lost")
            elif found["metadata"]["resourceVersion"] != version or found["data"]["value"] != name:
                faults.append(f"{address}: {name} is not what was acknowledged")
        faults += [f"{address}: {name} was refused and is there" for name in refused if name in there]
        if int(there.get("counter", {"data": {"value": "0"}})["data"]["value"]) < counter:
            faults.append(f"{address}: counter lost updates")
        known = {name: each["metadata"]["resourceVersion"] for name, each in there.items()}
        if first is None:
            first = known
        elif known != first:
            faults.append(f"{address}: differs from {servers[0]}")
    if gap > worst_allowed:
        faults.append(f"no write was acknowledged for {gap} ms")
    print(f"{len(acked)} acknowledged, {len(refused)} refused, {len(maybe)} unknown, worst gap {gap} ms, {len(faults)} faults")
    for fault in faults[:10]:
        print(fault)
    return 1 if faults else 0


sys.exit(main())
