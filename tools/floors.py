#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The house's laws that a compiler does not see: includes never go up a floor nor sideways between reactors, each C
library has one room, OS headers stay in port/linux, no banned word, no unregistered TODO, SPDX line, line length."""
import os
import re
import subprocess
import sys

FLOOR = {"base": 0, "port": 1, "json": 2, "raft": 2, "http": 2, "pki": 2, "api": 3, "store": 4, "client": 4, "streams": 4, "peer": 5, "apiserver": 5,
         "controllers": 6, "scheduler": 6, "proxy": 6, "node": 6, "daemon": 7}
# Reactors see the API only through floor 3; floors 4 and 5 are the server's own.
REACTORS = {"controllers", "scheduler", "proxy", "node"}
# Pure libraries know only base; these may also name a port interface (time, randomness, streams).
MAY_USE_PORT = {"http", "pki", "api", "store", "client", "streams", "peer", "apiserver", "controllers", "scheduler", "proxy", "node", "daemon"}

LIBRARY_ROOMS = {
    r"cjson/|yaml\.h": {"src/json"},
    r"sqlite3\.h": {"src/store", "port/sim"},
    r"uv\.h|libmnl/|libnftnl/|linux/": {"port/linux"},
    r"mbedtls/|psa/": {"src/http", "src/pki"},
    r"nghttp2/": {"src/http"},
    r"zlib\.h": {"src/http", "src/node"},
}
OS_HEADERS = re.compile(r"sys/|unistd\.h|fcntl\.h|sched\.h|signal\.h|pthread\.h|netinet/|arpa/|net/if|dirent\.h|poll\.h|thread$|mutex$|atomic$|condition_variable$|filesystem$")

# word -> (where it is banned, what to use instead)
BANNED = {
    r"\bdynamic_cast\b": "a virtual function or an enum",
    r"\bstd::function\b": "an interface or a function pointer",
    r"\bstd::regex\b": "a hand-written scanner",
    r"\bstd::(cout|cerr|clog|ostringstream|stringstream|ifstream|ofstream)\b": "std::string and base/log.h",
    r"\bstd::thread\b": "a Lane of port/disk.h",
    r"\bco_(await|return|yield)\b": "a step(Input, Effects&) state machine",
    r"\.at\(\s*[\"']": "find or operator[]",
    r"\bstd::sto(i|l|ll|ul|ull|f|d)\b": "base/bytes.h parse_unsigned",
    r"\busing namespace (?!std::string_view_literals)": "names",
    r"\b(usleep|nanosleep|sleep_for)\b|\bsleep\(": "port/clock.h",
    r"\b(time\(nullptr\)|gettimeofday|clock_gettime|system_clock|steady_clock)\b": "port/clock.h",
    r"\bthrow\b|\btry\s*\{|\bcatch\s*\(": "Result",
    r"\bFIXME\b|\bXXX\b|\bHACK\b": "a fix",
    r"\bTODO\b": "nothing: finish it or leave it out",
}
BANNED_EVERYWHERE_BUT = {"port/linux": {r"\bstd::thread\b", r"\b(time\(nullptr\)|gettimeofday|clock_gettime|system_clock|steady_clock)\b",
                                        r"\b(usleep|nanosleep|sleep_for)\b|\bsleep\("}}
FORBIDDEN_SUFFIX = re.compile(r"^\s*(?:class|struct)\s+(\w*(?:Manager|Helper|Utils?|Handler|Impl))\b")
FORBIDDEN_FILE = re.compile(r"/(util|utils|common|misc|helpers?)(\.|/|$)")
COLUMNS = 120


def room_of(path):
    parts = path.split("/")
    if parts[0] == "src":
        return parts[1]
    if parts[0] == "port":
        return "port" if len(parts) == 2 else "port/" + parts[1]
    return None


def folder_of(path):
    parts = path.split("/")
    return "/".join(parts[:2])


def check_include(path, room, target, complain):
    first = target.split("/")[0]
    if first not in FLOOR or "/" not in target:
        return
    if first == "port" and target.startswith(("port/linux", "port/sim")):
        if room not in ("daemon", "port/linux", "port/sim"):
            complain(f"names {target}: only daemon and tests may")
        return
    if room.startswith("port/"):
        if first not in ("base", "port"):
            complain(f"port includes {target}, above it")
        return
    if first == room:
        return
    if first == "port":
        if room not in MAY_USE_PORT:
            complain(f"{room} includes {target}: it knows only base")
        return
    mine, theirs = FLOOR[room], FLOOR[first]
    if theirs > mine:
        complain(f"{room} (floor {mine}) includes {target} (floor {theirs}): up a floor")
    elif theirs == mine:
        complain(f"{room} includes {target}: sideways on floor {mine}")
    elif room in REACTORS and first in ("store", "apiserver", "http") and (room, first) != ("node", "http"):  # its probes
        complain(f"reactor {room} includes {target}: use api/client.h")


def check_file(path, errors):
    room = room_of(path)
    text = open(path, encoding="utf-8").read()
    lines = text.split("\n")

    def complain(message, number=0):
        errors.append(f"{path}:{number + 1}: {message}")

    if not re.search(r"SPDX-License-Identifier: GPL-2.0-or-later", "\n".join(lines[:3])):
        complain("no SPDX line")
    if FORBIDDEN_FILE.search(path):
        complain("file or folder name says nothing; find the noun")
    shim = path.startswith("port/linux/shim/")
    for number, line in enumerate(lines):
        include = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
        if include and room:
            target = include.group(2)
            if include.group(1) == '"':
                check_include(path, room, target, lambda m: complain(m, number))
            for pattern, rooms in LIBRARY_ROOMS.items():
                if re.match(pattern, target) and folder_of(path) not in rooms:
                    complain(f"{target} has one room: {', '.join(sorted(rooms))}", number)
            if OS_HEADERS.match(target) and folder_of(path) != "port/linux" and room not in ("daemon",) and not shim:
                complain(f"OS header {target} outside port/linux", number)
        if len(line) > COLUMNS and "http" not in line and path.startswith(("src/", "port/")):  # tests hold data
            complain(f"line of {len(line)} columns", number)
        code = re.sub(r'"(\\.|[^"\\])*"', '""', line).split("//")[0]
        comment = line[len(line.split("//")[0]):]
        for pattern, instead in BANNED.items():
            if pattern in BANNED_EVERYWHERE_BUT.get(folder_of(path), ()):
                continue
            where = code + (comment if "TODO" in pattern or "FIXME" in pattern else "")
            if room and re.search(pattern, where):
                complain(f"banned: {re.search(pattern, where).group(0)}; use {instead}", number)
        suffix = FORBIDDEN_SUFFIX.match(code)
        if suffix and room:
            complain(f"{suffix.group(1)}: no noun fits, so the split is wrong", number)


def check_function_sizes(path, errors, longest=70):
    """Counts the lines of function bodies by clang-format's layout: a body opens at the end of a line of column 0 (or 2
    inside a class) and closes with a brace in the same column."""
    start, indent = None, None
    for number, line in enumerate(open(path, encoding="utf-8").read().split("\n")):
        if start is None:
            opened = re.match(r"^( {0,4})\S.*\)[^;=]*\{$|^( {0,4})\S.*\{$", line)
            if opened and "(" in line and not re.match(r"^\s*(namespace|class|struct|enum|extern|if|for|while|switch|do|else|constexpr .*\[\])", line) and "= {" not in line:
                start, indent = number, len(line) - len(line.lstrip())
        elif re.match(r"^ {%d}\}" % indent, line):
            if number - start - 1 > longest:
                errors.append(f"{path}:{start + 1}: function of {number - start - 1} lines (most: {longest})")
            start = None


def main():
    os.chdir(subprocess.check_output(["git", "rev-parse", "--show-toplevel"], text=True).strip())
    files = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard", "src", "port", "tests", "tools", "CMakeLists.txt", "Makefile", ".ci"],
                                    text=True).split()
    errors = []
    for path in files:
        if not os.path.exists(path):
            continue
        if path.endswith((".cc", ".h")):
            check_file(path, errors)
            if path.startswith(("src/", "port/")):
                check_function_sizes(path, errors)
        elif path.endswith((".py", ".sh", "Makefile", "CMakeLists.txt")):
            if "SPDX-License-Identifier" not in open(path, encoding="utf-8").read(400):
                errors.append(f"{path}:1: no SPDX line")
    wanted = {"Makefile", "CMakeLists.txt", "README.md", "src", "port", "board-configs", "rootfs-overlay", "tests", "tools"}
    top = {p.split("/")[0] for p in subprocess.check_output(["git", "ls-files"], text=True).split()}
    for extra in sorted(t for t in top - wanted if not t.startswith(".")):
        errors.append(f"{extra}: not part of the agreed top level")
    for room in sorted(FLOOR):
        readme = f"src/{room}/README.md"
        if room == "port" or not os.path.isdir(f"src/{room}") or not any(f.endswith(".cc") for f in os.listdir(f"src/{room}")):
            continue
        if not os.path.exists(readme):
            errors.append(f"{readme}: missing")
        elif len(open(readme, encoding="utf-8").read().split("\n")) > 41:
            errors.append(f"{readme}: more than 40 lines")
    for error in errors:
        print(error)
    print(f"floors: {len(files)} files, {len(errors)} problems")
    return 1 if errors else 0


sys.exit(main())
