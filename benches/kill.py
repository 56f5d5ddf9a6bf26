#!/usr/bin/env python3
"""Kills a sweep that keeps what layers hold at random moments, and looks at what the next run makes of it.

    benches/kill.py DOSIMETER STORE [--rounds 20] [--seed 1]

STORE is a blob store, as `benches/registry.py` makes one. Each round starts with an empty `--layer-cache`, kills the sweep with
signal 9 after a part of its usual time, counts the entries that are there, and runs it again. What has to hold: the report is that of an
undisturbed run but for `run` and the bytes that were read; as many layers as had an entry are known without reading; all others are read once.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dosimeter")
    parser.add_argument("store")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    moments = random.Random(args.seed)

    def command(cache):
        return [args.dosimeter, "images", "--blob-store", args.store, "--layer-cache", cache, "-v", "--format", "json"]

    def run(cache):
        """The report but for what depends on the run, layers read, layers known, seconds."""
        start = time.monotonic()
        done = subprocess.run(command(cache), capture_output=True)
        seconds = time.monotonic() - start
        report = json.loads(done.stdout)
        report.pop("run")
        report["coverage"].pop("bytes_read")
        words = done.stderr.decode(errors="replace")
        count = lambda pattern: sum(int(n) for n in re.findall(pattern, words))
        assert "damaged" not in words, words
        return report, count(r"(\d+) layers read"), count(r"(\d+) known from the layer cache"), seconds

    def entries(cache):
        return sum(name.endswith(".layer") for name in os.listdir(cache))

    with tempfile.TemporaryDirectory() as top:
        def folder(name):
            path = os.path.join(top, name)
            os.mkdir(path, 0o700)
            return path

        expected, layers, _, first = run(folder("whole"))
        again, *_, second = run(folder("again"))
        assert again == expected
        seconds = min(first, second)
        print(f"undisturbed: {layers} layers read in {seconds:.1f} s")
        wrong = 0
        for nth in range(args.rounds):
            cache = folder(str(nth))
            moment = moments.uniform(0, seconds)
            sweep = subprocess.Popen(command(cache), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                sweep.wait(moment)
            except subprocess.TimeoutExpired:
                sweep.kill()
                sweep.wait()
            before = entries(cache)
            report, read, known, _ = run(cache)
            right = report == expected and known == before and read == layers - before
            wrong += not right
            print(f"killed after {moment:5.2f} s: {before} entries, then {read} layers read, {known} known, "
                  f"{'the same report' if report == expected else 'ANOTHER REPORT'}{'' if right else ': WRONG'}")
    sys.exit(f"{wrong} of {args.rounds} rounds went wrong" if wrong else 0)


if __name__ == "__main__":
    main()
