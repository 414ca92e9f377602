# SPDX-License-Identifier: GPL-2.0-or-later
"""One connection to each server, with the administrator's certificate of $KUBECONFIG."""
import base64
import http.client
import json
import os
import re
import ssl
import tempfile
import time


class Unknown(Exception):
    """The request may have been carried out."""


class Refused(Exception):
    """The request was not carried out."""


def context():
    text = open(os.environ["KUBECONFIG"], encoding="utf-8").read()
    folder = tempfile.mkdtemp()
    paths = {}
    for name in ("certificate-authority", "client-certificate", "client-key"):
        paths[name] = os.path.join(folder, name)
        with open(paths[name], "wb") as out:
            out.write(base64.b64decode(re.search(name + r"-data:\s*(\S+)", text).group(1)))
    made = ssl.create_default_context(cafile=paths["certificate-authority"])
    made.load_cert_chain(paths["client-certificate"], paths["client-key"])
    return made


class Server:
    def __init__(self, address, tls, timeout=3.0):
        self.address, self.tls, self.timeout = address, tls, timeout
        self.connection = None
        self.failed = 0.0  # when, at last

    def ask(self, method, path, body=None):
        """Returns (status, object). Unknown or Refused where there is no answer."""
        try:
            return self.try_to_ask(method, path, body)
        except (Refused, Unknown):
            self.failed = time.monotonic()
            raise

    def try_to_ask(self, method, path, body):
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(self.address, 6443, timeout=self.timeout, context=self.tls)
            try:
                self.connection.connect()
            except OSError as error:
                self.close()
                raise Refused(f"{self.address}: {error}") from error
        try:
            self.connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            answer = self.connection.getresponse()
            data = json.loads(answer.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise Unknown(f"{self.address}: {error!r}") from error
        if answer.status in (429, 503):
            raise Refused(f"{self.address}: {answer.status} {data.get('message')}")
        if answer.status == 504:
            raise Unknown(f"{self.address}: 504 {data.get('message')}")
        return answer.status, data

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None
