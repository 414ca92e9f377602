#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""clang-tidy over src/ and port/, two at a time. A file whose text, own headers and checks did not change since it was
clean is not looked at again, so that a run after a small change takes seconds. Usage: tidy.py BUILD [FILE...]"""
import concurrent.futures
import hashlib
import os
import re
import subprocess
import sys

STAMPS = "build/tidy"


def headers_of(path, seen):
    """Our own headers that `path` includes, all the way down."""
    for target in re.findall(r'^\s*#\s*include\s+"([^"]+)"', open(path, encoding="utf-8").read(), re.M):
        for root in ("src", "."):
            header = os.path.normpath(os.path.join(root, target))
            if os.path.exists(header) and header not in seen:
                seen.add(header)
                headers_of(header, seen)
    return seen


def key_of(path):
    digest = hashlib.sha256(open(".clang-tidy", "rb").read())
    for name in [path] + sorted(headers_of(path, set())):
        digest.update(open(name, "rb").read())
    return digest.hexdigest()


def tidy(build, path):
    stamp = os.path.join(STAMPS, path.replace("/", "_"))
    key = key_of(path)
    if os.path.exists(stamp) and open(stamp).read() == key:
        return path, "", False
    run = subprocess.run(["clang-tidy-14", "-p", build, "--quiet", path], capture_output=True, text=True)
    findings = [line for line in run.stdout.split("\n") if ": error:" in line or ": warning:" in line]
    if run.returncode == 0:
        with open(stamp, "w") as out:
            out.write(key)
    return path, "\n".join(findings) or (run.stderr if run.returncode else ""), True


def main():
    build, files = sys.argv[1], sys.argv[2:]
    os.makedirs(STAMPS, exist_ok=True)
    if not files:
        files = [f for f in subprocess.check_output(["git", "ls-files", "src/*.cc", "port/*.cc"], text=True).split()
                 if "/shim/" not in f]
    bad, looked = 0, 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for path, findings, fresh in pool.map(lambda f: tidy(build, f), files):
            looked += fresh
            if findings:
                bad += 1
                print(findings)
    print(f"tidy: {len(files)} files, {looked} looked at, {bad} with findings")
    return 1 if bad else 0


sys.exit(main())
