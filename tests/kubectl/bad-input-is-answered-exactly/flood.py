# SPDX-License-Identifier: GPL-2.0-or-later
"""Floods: slow heads, garbage, thousands of malformed requests. Meanwhile others are served, and memory stays."""
import os
import random
import socket
import ssl
import sys
import threading
import time

sys.path.insert(0, "..")
from api_client import HOST, PORT, Api, Checks, Connection, credentials, resident_kib, tls_context, until  # noqa: E402

PID = int(sys.argv[1])
NS = os.environ["NS"]
PATHS = credentials(os.environ["KUBECONFIG"], os.environ["WORK"])
ADMIN = tls_context(PATHS)
STRANGER = tls_context(PATHS, with_certificate=False)
GROWTH_KIB = 8 * 1024
check = Checks()


class Bystander(threading.Thread):
    """Somebody else's requests, and new connections, while the flood lasts."""

    def __init__(self):
        super().__init__()
        self.going, self.took, self.problem, self.peak = True, [], "", 0

    def run(self):
        api = Api(ADMIN)
        while self.going:
            begin = time.monotonic()
            try:
                if len(self.took) % 5 == 0:
                    api.connection = None
                answer = api.request("GET", f"/api/v1/namespaces/{NS}/configmaps/there")
                if answer.status != 200:
                    self.problem = f"{answer.status} {answer.message}"
            except (OSError, EOFError) as problem:
                self.problem = repr(problem)
            self.took.append(time.monotonic() - begin)
            self.peak = max(self.peak, resident_kib(PID))
            time.sleep(0.01)

    def judge(self, what, before):
        self.going = False
        self.join()
        took = sorted(self.took)
        high = took[int(len(took) * 0.99) - 1]
        print(f"{what}: {len(took)} bystander requests, p50 {took[len(took) // 2] * 1e3:.1f} ms, p99 {high * 1e3:.1f} ms, "
              f"resident {before} KiB, at most {self.peak}, now {resident_kib(PID)}")
        check.that(what + ": others are served", not self.problem and len(took) > 10, self.problem)
        check.that(what + ": others are served soon", high <= 0.5, f"p99 {high:.3f} s")
        check.that(what + ": memory while it lasts", self.peak <= before + GROWTH_KIB, f"{before} -> {self.peak} KiB")


def is_cut_off(connection):
    connection.socket.settimeout(0.2)
    try:
        while connection.socket.recv(4096):
            pass  # the text that says why
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def slow_heads(context):
    """500 connections from 5 addresses that send a byte of their head now and then."""
    held, refused = [], 0
    for number in range(500):
        try:
            connection = Connection(context, f"127.0.1.{number % 5 + 1}", 5)
            connection.send(b"GET /api HTTP/1.1\r\nhost: x\r\na: ")
            held.append(connection)
        except (OSError, EOFError):
            refused += 1
    end = time.monotonic() + 11
    while time.monotonic() < end:
        for connection in held:
            try:
                connection.send(b"x")
            except OSError:
                pass
        time.sleep(1)
    closed = sum(is_cut_off(connection) for connection in held[-20:])
    print(f"slow heads: {len(held)} got in, {refused} refused at once")
    for connection in held:
        connection.close()
    check.that("slow heads are cut off", closed == len(held[-20:]), f"{closed} of {len(held[-20:])}")


def never_shake_hands():
    held = []
    for number in range(500):
        each = socket.socket()
        each.bind((f"127.0.2.{number % 5 + 1}", 0))
        each.connect((HOST, PORT))
        held.append(each)
    time.sleep(3)
    for each in held:
        each.close()


def garbage():
    """200 at a time: half of it instead of a handshake, half of it inside TLS."""
    def one(number):
        dice = random.Random(number)
        try:
            if number % 2:
                each = socket.create_connection((HOST, PORT), 5, (f"127.0.3.{number % 7 + 1}", 0))
                each.sendall(dice.randbytes(dice.randrange(1, 20000)))
                each.settimeout(5)
                each.recv(1000)
            else:
                each = Connection(STRANGER if number % 4 else ADMIN, f"127.0.3.{number % 7 + 1}", 5)
                each.send(dice.randbytes(dice.randrange(1, 200000)))
                each.answer()
            each.close()
        except (OSError, EOFError, ValueError, IndexError):
            pass
    threads = [threading.Thread(target=one, args=(number,)) for number in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def generated(count):
    """Sound requests with a few bytes changed, cut or doubled; every answer is one of the table's."""
    base = f"/api/v1/namespaces/{NS}/"
    sound = []
    pod = '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","labels":{"a":"b"}},"spec":{"containers":[{"name":"a","image":"b"}]}}'
    for method, path, kind, body in (
            ("GET", base + "configmaps?limit=5&labelSelector=a%20in%20(b,c)&fieldSelector=metadata.name%3Dx&resourceVersion=0", "", ""),
            ("GET", "/apis/apps/v1/deployments?continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MX0", "", ""),
            ("POST", base + "pods?dryRun=All&fieldValidation=Strict", "application/json", pod),
            ("POST", base + "pods?dryRun=All", "application/yaml", "metadata:\n  name: x\nspec: {containers: [{name: a, image: 'b'}]}\n"),
            ("POST", base + "configmaps?dryRun=All", "application/vnd.kubernetes.protobuf", "k8s\0\n\x0f\n\x02v1\x12\x09ConfigMap\x12\x08\n\x06\n\x01x\x12\x00\x1a\0"),
            ("PATCH", base + "configmaps/there?dryRun=All", "application/json-patch+json", '[{"op":"add","path":"/data/x~1y","value":"z"}]'),
            ("PATCH", base + "configmaps/there?dryRun=All", "application/strategic-merge-patch+json", '{"data":{"$patch":"replace","a":"b"}}'),
            ("PUT", base + "configmaps/there?dryRun=All", "application/json", '{"metadata":{"name":"there","resourceVersion":"1"},"data":{}}'),
            ("DELETE", base + "configmaps/there?dryRun=All", "application/json", '{"preconditions":{"uid":"x"},"propagationPolicy":"Orphan"}')):
        sound.append((method, path, kind, body.encode("latin-1")))
    allowed = {200, 201, 400, 401, 403, 404, 405, 406, 409, 410, 413, 414, 415, 417, 422, 429, 431, 501, 504, 505}
    answers = {}
    dice = random.Random(20261120)

    def change(data):
        data = bytearray(data)
        for _ in range(dice.choice((1, 1, 2, 5))):
            at = dice.randrange(len(data) + 1)
            kind = dice.randrange(5)
            if kind == 0 and at < len(data):
                data[at] = dice.randrange(256)
            elif kind == 1:
                data[at:at] = dice.choice((b"{", b"[", b'"', b"\0", b"%00", b"\r\n", b"99999999999999999999", b"-", b"\xff", b"&", b"&x", b"*x", b"null"))
            elif kind == 2:
                del data[at:at + dice.randrange(1, 9)]
            elif kind == 3:
                data[at:at] = data[at:at + dice.randrange(1, 40)] * dice.choice((1, 2, 50))
            elif at < len(data):
                data[at] ^= 1 << dice.randrange(8)
        return bytes(data)

    connection = None
    for number in range(count):
        method, path, kind, body = dice.choice(sound)
        spoil_body = body and dice.random() < 0.7
        if spoil_body:
            body = change(body)
        head = f"{method} {path} HTTP/1.1\r\nhost: x\r\n" + (f"content-type: {kind}\r\n" if kind else "")
        head = (head + f"content-length: {len(body)}\r\n\r\n").encode()
        if not spoil_body:
            head = change(head)
        try:
            if connection is None:
                connection = Connection(ADMIN, timeout=1)
            connection.send(head + body)
            answer = connection.answer(head.split(b" ", 1)[0].decode("latin-1"))
            answers[answer.status] = answers.get(answer.status, 0) + 1
            check.that(f"generated {number}", answer.status in allowed, f"{answer.status} {answer.message[:200]} to {head[:300]!r} {body[:300]!r}")
            if not spoil_body or ("connection", "close") in answer.headers:
                connection.close()
                connection = None
        except TimeoutError:  # it waits for the rest of what was announced
            connection.close()
            connection = None
            answers["waits"] = answers.get("waits", 0) + 1
        except (OSError, EOFError):
            connection = None
            answers["closed"] = answers.get("closed", 0) + 1
    print("generated:", dict(sorted(answers.items(), key=str)))


Api(ADMIN).request("POST", f"/api/v1/namespaces/{NS}/configmaps", {"metadata": {"name": "there"}})
before = resident_kib(PID)
for what, flood in (("slow heads", lambda: slow_heads(STRANGER)), ("no handshake", never_shake_hands), ("garbage", garbage),
                    ("generated", lambda: generated(int(os.environ.get("GENERATED", "4000"))))):
    bystander = Bystander()
    bystander.start()
    flood()
    bystander.judge(what, before)
until(5, lambda: resident_kib(PID) <= before + GROWTH_KIB)
check.that("memory afterwards", resident_kib(PID) <= before + GROWTH_KIB, f"{before} -> {resident_kib(PID)} KiB")
check.that("ready", Api(ADMIN).request("GET", "/readyz").body == b"ok")
check.finish()
