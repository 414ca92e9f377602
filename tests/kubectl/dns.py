# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks a DNS server one question: dns.py SERVER NAME TYPE [tcp]. Prints the rcode and the answers, sorted
(aliases first), each followed by a space; "refused" if nobody listens."""
import socket
import struct
import sys

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "TXT": 16, "AAAA": 28, "SRV": 33}
RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"]


def name_at(message, at):
    labels, end = [], None
    while message[at]:
        if message[at] >= 0xC0:
            end = end or at + 2
            at = struct.unpack(">H", message[at:at + 2])[0] & 0x3FFF
            continue
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels), end or at + 1


def text_of(message, kind, at, size):
    if kind == 1:
        return socket.inet_ntoa(message[at:at + 4])
    if kind in (2, 5, 12):
        return name_at(message, at)[0]
    if kind == 16:
        return message[at + 1:at + 1 + message[at]].decode()
    if kind == 33:
        return "%d:%s" % (struct.unpack(">H", message[at + 4:at + 6])[0], name_at(message, at + 6)[0])
    return "type%d" % kind


def exchange(server, question, tcp):
    if not tcp:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.settimeout(5)
            link.connect((server, 53))
            link.send(question)
            return link.recv(65535)
    with socket.create_connection((server, 53), 5) as link:
        link.sendall(struct.pack(">H", len(question)) + question)
        received = b""
        while len(received) < 2 or len(received) < 2 + struct.unpack(">H", received[:2])[0]:
            received += link.recv(65535)
        return received[2:]


def main():
    server, name, kind = sys.argv[1:4]
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"
    question = struct.pack(">HHHHHH", 4711, 0x100, 1, 0, 0, 0) + labels + struct.pack(">HH", TYPES[kind], 1)
    try:
        message = exchange(server, question, "tcp" in sys.argv)
    except (ConnectionRefusedError, PermissionError):
        return print("refused")
    _, flags, _, answers, _, _ = struct.unpack(">HHHHHH", message[:12])
    at = name_at(message, 12)[1] + 4
    found = []
    for _ in range(answers):
        at = name_at(message, at)[1]
        got, _, _, size = struct.unpack(">HHIH", message[at:at + 10])
        found.append((got != 5, text_of(message, got, at + 10, size)))
        at += 10 + size
    print(RCODES[flags & 15], "".join(text + " " for _, text in sorted(found)))


main()
