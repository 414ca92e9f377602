#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""clang-tidy over src/ and port/, in one of two ways.

tidy.py BUILD             every check but clang-analyzer. Many files are read as one, so that what costs most, the headers
                          of the library, is walked a few times instead of once a file: the tree takes less than a minute
tidy.py BUILD --analyze   clang-analyzer too, file by file, seconds each. A file is not looked at again until its text,
                          its own headers or the checks change
"""
import concurrent.futures
import hashlib
import os
import re
import subprocess
import sys

FOLDER = "build/tidy"
UNITS = 6
DECLARED = re.compile(r"^(?!\s)(?:template <[^\n]*>\n)?(?:(?:struct|class|union|enum(?: class)?|using)\s+(\w+)(?= [{:=;])|"
                      r"(?!using|namespace|return|#|//)[\w:<>,&*\s\[\]]*?[\s&*](\w+)(?=\(|\[|\{|;|\s*=))", re.M)


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


def run_tidy(*words):
    run = subprocess.run(["clang-tidy-14", "--quiet", *words], capture_output=True, text=True)
    findings = [line for line in run.stdout.split("\n") if ": error:" in line or ": warning:" in line]
    return "\n".join(findings) or (run.stderr if run.returncode else "")


def analyze(build, path):
    stamp = os.path.join(FOLDER, path.replace("/", "_"))
    key = key_of(path)
    if os.path.exists(stamp) and open(stamp).read() == key:
        return ""
    findings = run_tidy("-p", build, path)
    if not findings:
        with open(stamp, "w") as out:
            out.write(key)
    return findings


def types_of_headers(room):
    names = subprocess.check_output(["git", "ls-files", f"{room}/*.h"], text=True).split()
    return set(re.findall(r"\b[A-Z]\w+", "".join(open(name, encoding="utf-8").read() for name in names)))


def own_names(text):
    """What a file declares for itself alone."""
    blocks = re.findall(r"^namespace \{\n(.*?)^\}  // namespace$", text, re.M | re.S)
    return {name for block in blocks for pair in DECLARED.findall(block) for name in pair if name}


def write_unit(path, files):
    """One file that includes copies of many. A copy has a name of its own for what another file of its room, or a type of its headers, is called; a member is never meant. Headers come first, and lines keep their numbers."""
    headers, lines, known = {}, [], {}
    for i, source in enumerate(files):
        text = open(source, encoding="utf-8").read()
        headers.update(dict.fromkeys(re.findall(r"^#\s*include\s+[<\"].*[>\"]", text, re.M)))
        room = "/".join(source.split("/")[:2])
        names = own_names(text)
        taken = known.setdefault(room, types_of_headers(room))
        for name in sorted(names & taken):
            text = re.sub(r"(?<![.>:/\w\"])" + name + r"\b", name + (f"{i}" if name[0] == "k" else f"_{i}" if name[0].islower() else f"{i}"), text)
        taken |= names
        copy = os.path.join(FOLDER, source)
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        with open(copy, "w", encoding="utf-8") as out:
            out.write(text)
        lines.append(f'#include "{os.path.abspath(copy)}"')
        lines += [f"#undef {name}" for name in re.findall(r"^#\s*define\s+(\w+)", text, re.M)]
    with open(path, "w", encoding="utf-8") as out:
        out.write("\n".join(list(headers) + lines) + "\n")


def include_flags(build):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as commands:
        return sorted(set(re.findall(r"(?:-isystem |-I)(?:/usr)\S+", commands.read())))


def tidy(number, files, flags):
    path = os.path.join(FOLDER, f"unit{number}.cc")
    write_unit(path, files)
    findings = run_tidy("--checks=-clang-analyzer-*,-bugprone-suspicious-include,-misc-unused-using-decls", path, "--", "-std=c++20",
                        "-fno-exceptions", "-fno-rtti", "-D_FILE_OFFSET_BITS=64", "-D_GNU_SOURCE", '-DCORACLE_VERSION="-"',
                        "-Isrc", "-I.", *flags)
    return findings.replace(os.path.abspath(FOLDER) + "/", "")


def main():
    build = sys.argv[1]
    os.makedirs(FOLDER, exist_ok=True)
    files = [f for f in subprocess.check_output(["git", "ls-files", "src/*.cc", "port/*.cc"], text=True).split()
             if "/shim/" not in f]
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        if sys.argv[2:] == ["--analyze"]:
            results = list(pool.map(lambda f: analyze(build, f), files))
        else:
            flags = [word for flag in include_flags(build) for word in flag.split()]
            results = list(pool.map(lambda i: tidy(i, files[i::UNITS], flags), range(UNITS)))
    bad = [findings for findings in results if findings]
    print("\n".join(bad + [f"tidy: {len(files)} files in {len(results)} units, {len(bad)} with findings"]))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
