# SPDX-License-Identifier: GPL-2.0-or-later
"""writer.py FILE SERVER...: writes through all servers until SIGTERM, and writes down what was acknowledged:
  ack NAME VERSION MILLISECONDS    a ConfigMap was created
  maybe NAME                       nobody knows
A counter is read from one server and raised through another: a read must never show less than what was acknowledged
before it began. Ends with status 1 if that was broken."""
import os
import random
import signal
import sys
import time

from api import Refused, Server, Unknown, context

running = True


def stop(*_):
    global running
    running = False


def item(name, value, version=None):
    meta = {"name": name}
    if version:
        meta["resourceVersion"] = version
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"value": str(value)}}


class Writer:
    def __init__(self, path, servers):
        tls = context()
        self.out = open(path, "w", encoding="utf-8", buffering=1)
        self.servers = [Server(address, tls) for address in servers]
        self.maps = f"/api/v1/namespaces/{os.environ['NS']}/configmaps"
        self.start = time.monotonic()
        self.last_version = 0
        self.counter = 0
        self.broken = []

    def any(self):
        """Any server that has not failed just now, as a client that knows them all would."""
        now = time.monotonic()
        sound = [each for each in self.servers if each.failed + 2 < now]
        return random.choice(sound or self.servers)

    def note(self, line):
        self.out.write(line + "\n")

    def create(self, name):
        try:
            status, answer = self.any().ask("POST", self.maps, item(name, name))
        except Refused as why:
            self.note(f"refused {name} {why}")
            return
        except Unknown as why:
            self.note(f"maybe {name} {why}")
            return
        if status != 201:
            self.broken.append(f"create {name}: {status} {answer.get('message')}")
            return
        version = int(answer["metadata"]["resourceVersion"])
        if version <= self.last_version:
            self.broken.append(f"version {version} of {name} after {self.last_version}")
        self.last_version = version
        self.note(f"ack {name} {version} {(time.monotonic() - self.start) * 1000:.0f}")

    def count(self):
        """Compare and set: lost updates and stale reads both show."""
        try:
            least = self.counter
            status, now = self.any().ask("GET", self.maps + "/counter")
            if status == 404 and least == 0:
                self.any().ask("POST", self.maps, item("counter", 0))
                return
            if status != 200:
                self.broken.append(f"counter: {status} {now.get('message')}")
                return
            value = int(now["data"]["value"])
            if value < least:
                self.broken.append(f"stale read: {value} after {least} was acknowledged")
            status, _ = self.any().ask("PUT", self.maps + "/counter", item("counter", value + 1, now["metadata"]["resourceVersion"]))
            if status == 200:
                self.counter = value + 1
            elif status != 409:
                self.broken.append(f"counter: put {status}")
        except (Refused, Unknown) as why:
            self.note(f"# {why}")

    def run(self):
        number = 0
        while running and not self.broken:
            number += 1
            self.create(f"w-{number}")
            if number % 4 == 0:
                self.count()
            time.sleep(0.005)
        self.note(f"counter {self.counter}")
        for each in self.broken:
            print(each)
        return 1 if self.broken else 0


signal.signal(signal.SIGTERM, stop)
sys.exit(Writer(sys.argv[1], sys.argv[2:]).run())
