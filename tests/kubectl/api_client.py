# SPDX-License-Identifier: GPL-2.0-or-later
"""Speaks to the API server byte by byte, so that a case can send what no client library would."""
import base64
import json
import os
import re
import socket
import ssl
import sys
import time

HOST, PORT = "127.0.0.1", 6443


def credentials(kubeconfig, folder):
    """Writes the certificates of a kubeconfig to files; returns {name: path}."""
    text = open(kubeconfig, encoding="utf-8").read()
    paths = {}
    for name in ("certificate-authority", "client-certificate", "client-key"):
        data = re.search(name + r"-data:\s*(\S+)", text).group(1)
        paths[name] = os.path.join(folder, name + ".pem")
        with open(paths[name], "wb") as out:
            out.write(base64.b64decode(data))
    return paths


def tls_context(paths, with_certificate=True):
    context = ssl.create_default_context(cafile=paths["certificate-authority"])
    context.set_alpn_protocols(["http/1.1"])
    if with_certificate:
        context.load_cert_chain(paths["client-certificate"], paths["client-key"])
    return context


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return {}

    @property
    def reason(self):
        return self.json().get("reason", "")

    @property
    def message(self):
        return self.json().get("message", self.body.decode("utf-8", "replace"))

    @property
    def causes(self):
        return [cause.get("reason", "") for cause in self.json().get("details", {}).get("causes", [])]


class Connection:
    """One TLS connection; answers are read strictly by their framing."""

    def __init__(self, context, source="127.0.0.1", timeout=15):
        raw = socket.create_connection((HOST, PORT), timeout, (source, 0))
        self.socket = context.wrap_socket(raw, server_hostname=HOST)
        self.data = b""

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        got = self.socket.recv(65536)
        if not got:
            raise EOFError("closed by the server")
        self.data += got

    def _line(self):
        while b"\r\n" not in self.data:
            self._more()
        line, self.data = self.data.split(b"\r\n", 1)
        return line

    def _take(self, count):
        while len(self.data) < count:
            self._more()
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def head(self):
        status = int(self._line().split(b" ")[1])
        headers = []
        while line := self._line():
            name, value = line.decode("latin-1").split(": ", 1)
            headers.append((name.lower(), value))
        return status, headers

    def answer(self, method="GET"):
        status, headers = self.head()
        while status == 100:
            status, headers = self.head()
        known = dict(headers)
        body = b""
        if method == "HEAD":
            pass
        elif "content-length" in known:
            body = self._take(int(known["content-length"]))
        elif known.get("transfer-encoding") == "chunked":
            while size := int(self._line(), 16):
                body += self._take(size)
                self._take(2)
            self._take(2)
        return Answer(status, headers, body)

    def watch_event(self):
        """The first event of a watch."""
        status, headers = self.head()
        if status != 200:
            return {"status": status}
        text = b""
        while b"\n" not in text:
            size = int(self._line(), 16)
            if size == 0:
                break
            text += self._take(size)
            self._take(2)
        return json.loads(text.split(b"\n")[0] or b"{}")

    def is_closed(self, within=3):
        self.socket.settimeout(within)
        try:
            return self.socket.recv(1) == b""
        except (ssl.SSLError, ConnectionError):
            return True
        except TimeoutError:
            return False

    def close(self):
        self.socket.close()


class Api:
    """Requests one after another over a connection that is opened again when the server closed it."""

    def __init__(self, context):
        self.context, self.connection = context, None

    def raw(self, data, method="GET"):
        connection = Connection(self.context)
        try:
            connection.send(data)
            return connection.answer(method)
        finally:
            connection.close()

    def request(self, method, path, body=b"", headers=()):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        if isinstance(body, str):
            body = body.encode()
        lines = [f"{method} {path} HTTP/1.1", "host: test"] + [f"{name}: {value}" for name, value in headers]
        names = {name.lower() for name, _ in headers}
        if body and "content-type" not in names:
            lines.append("content-type: application/json")
        if body or method in ("POST", "PUT", "PATCH"):
            lines.append(f"content-length: {len(body)}")
        data = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        for attempt in (0, 1):
            try:
                if self.connection is None:
                    self.connection = Connection(self.context)
                self.connection.send(data)
                answer = self.connection.answer(method)
                break
            except (EOFError, ConnectionError, ssl.SSLError):
                self.connection = None
                if attempt:
                    raise
        if ("connection", "close") in answer.headers:
            self.connection.close()
            self.connection = None
        return answer


class Checks:
    """Collects what differs; the case fails at the end, with all of it."""

    def __init__(self):
        self.count, self.wrong = 0, []

    def that(self, what, fine, told=""):
        self.count += 1
        if not fine:
            self.wrong.append(f"{what}: {told}")

    def answer(self, what, answer, status, reason="", part="", causes=()):
        told = f"got {answer.status} {answer.reason or '-'} {answer.causes} {answer.message[:300]!r}"
        fine = answer.status == status and answer.reason == reason and part in answer.message
        fine = fine and all(answer.causes.count(cause) >= list(causes).count(cause) for cause in causes)
        if answer.status >= 400:
            fine = fine and ("x-content-type-options", "nosniff") in answer.headers
        self.that(what, fine, f"{told}, expected {status} {reason} {part!r} {list(causes) or ''}")

    def finish(self):
        for line in self.wrong:
            print("WRONG", line)
        print(f"{self.count} checks, {len(self.wrong)} wrong")
        sys.exit(1 if self.wrong else 0)


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


def until(seconds, condition):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False
