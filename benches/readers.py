#!/usr/bin/env python3
"""Time and memory of each reader of something that others fill, at n, 2n and 4n.

    benches/readers.py target/release/dosimeter [NAME…]

Prints a line a measurement: name, n, seconds of CPU, megabytes at most, exit code. Twice the input may take twice the time;
memory stays below 300 MB, or the input is refused with the bound that it exceeds (exit code 2).
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import zipfile


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def lines(n, line):
    return "".join(line(i) + "\n" for i in range(n))


def root(name, text):
    """A scan of a root that holds one file."""
    def make(folder, n):
        write(f"{folder}/root/{name}", text(n))
        return ["scan", "--built-in", "--root", f"{folder}/root", "--format", "json"]
    return make


def sparse(name):
    def make(folder, n):
        write(f"{folder}/root/{name}", "pip install a\n")
        os.truncate(f"{folder}/root/{name}", n << 40)
        return ["scan", "--built-in", "--root", f"{folder}/root", "--format", "json"]
    return make


def imports(name, text):
    def make(folder, n):
        write(f"{folder}/in/{name}", text(n))
        return ["iocs", "import", f"{folder}/in/{name}", "-o", f"{folder}/out.bundle"]
    return make


def named(name, text):
    """The same list, named with `--iocs`."""
    def make(folder, n):
        write(f"{folder}/in/{name}", text(n))
        os.makedirs(f"{folder}/root")
        return ["scan", "--built-in", "--iocs", f"{folder}/in/{name}", "--root", f"{folder}/root", "--format", "json"]
    return make


def zipped(folder, n):
    with zipfile.ZipFile(f"{folder}/in.zip", "w", zipfile.ZIP_DEFLATED) as z:
        for i in range(n):
            z.writestr(f"{i}.json", osv(i, ["1.0.0"]))
    return ["iocs", "import", f"{folder}/in.zip", "-o", f"{folder}/out.bundle"]


def report(folder, n):
    """The report of a root with so many findings and credentials, as a plan."""
    program = sys.argv[1]
    for i in range(n):
        site = f"{folder}/root/srv/{i}/lib/python3.11/site-packages/litellm-1.82.8.dist-info"
        write(f"{site}/METADATA", "Metadata-Version: 2.1\nName: litellm\nVersion: 1.82.8\n")
        write(f"{folder}/root/srv/{i}/.env", "AWS_SECRET_ACCESS_KEY=x\n")
    subprocess.run([program, "scan", "--built-in", "--root", f"{folder}/root", "-o", f"{folder}/r.json"], stdout=subprocess.DEVNULL)
    print(f"  a report of {os.path.getsize(f'{folder}/r.json') / 1e6:.0f} MB")
    return ["rotate", f"{folder}/r.json"]


def osv(i, versions):
    return json.dumps({"id": f"MAL-{i}", "schema_version": "1.7.5", "modified": "2026-03-24T00:00:00Z", "affected": [
        {"package": {"ecosystem": "npm", "name": f"evil{i}"}, "versions": versions}]})


def misp(n):
    return json.dumps({"Event": {"info": "x", "Attribute": [
        {"type": "domain", "value": f"evil{i}.example", "to_ids": True} for i in range(n)]}})


def stix(n):
    return json.dumps({"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "indicator", "id": f"indicator--{i}", "pattern_type": "stix", "pattern": f"[domain-name:value = 'evil{i}.example']"}
        for i in range(n)]})


def hashes(n):
    random.seed(1)
    return lines(n, lambda i: f"{random.getrandbits(256):064x}")


HOSTS = lambda n: lines(n, lambda i: f"evil{i}.example")
ROWS = lambda n: "ecosystem,name,version\n" + lines(n, lambda i: f"pypi,pkg{i},1.0")
KUBE = lambda n: lines(n // 400, lambda j: "export KUBECONFIG=" + ":".join(f"/k{j}_{i}" for i in range(400)))

READERS = {
    "passwd": (200_000, root("etc/passwd", lambda n: lines(n, lambda i: f"u{i}:x:{i}:1::/n{i}:/bin/sh"))),
    "group": (50_000, root("etc/group", lambda n: "g:x:7:" + ",".join(f"u{i}" for i in range(n)) + "\n")),
    "sparse history (TB)": (3, sparse("home/a/.bash_history")),
    "history": (500_000, root("home/a/.bash_history", lambda n: lines(n, lambda i: f"ls /tmp/{i}"))),
    "long line (MB)": (100, root("home/a/.zsh_history", lambda n: "x" * (n << 20))),
    "moved places": (40_000, root("home/a/.bashrc", KUBE)),
    "import hosts": (50_000, imports("l.txt", HOSTS)),
    "import hashes": (50_000, imports("l.txt", hashes)),
    "import rows": (150_000, imports("l.csv", ROWS)),
    "import rows, too many": (1_000_000, imports("l.csv", ROWS)),
    "import MISP": (50_000, imports("l.json", misp)),
    "import STIX": (50_000, imports("l.json", stix)),
    "import versions of one package": (200_000, imports("l.json", lambda n: osv(1, [f"1.0.{i}" for i in range(n)]))),
    "import zip of records": (50_000, zipped),
    "--iocs hosts": (50_000, named("l.txt", HOSTS)),
    "--iocs rows": (150_000, named("l.csv", ROWS)),
    "rotate a report": (5_000, report),
}


def measure(command):
    # A child of this process would begin with its memory.
    timed = ["/usr/bin/time", "-f", "%U %S %M", *command]
    process = subprocess.run(timed, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    user, system, memory = process.stderr.splitlines()[-1].split()
    return float(user) + float(system), int(memory) / 1024, process.returncode


def main():
    program, wanted = sys.argv[1], sys.argv[2:]
    for name, (n, make) in READERS.items():
        if wanted and name not in wanted:
            continue
        for factor in (1, 2, 4):
            with tempfile.TemporaryDirectory() as folder:
                seconds, memory, code = measure([program, *make(folder, n * factor)])
            print(f"{name:32} {n * factor:>9} {seconds:7.2f} s {memory:6.0f} MB   exit {code}", flush=True)


if __name__ == "__main__":
    main()
