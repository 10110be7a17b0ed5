"""compare_dispatches.py ROUNDS RUSHES FOLDER [FLAG]...: converts FOLDER once a
dispatch and round, in random order, and prints medians and ratios to threads."""

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

DISPATCHES = ("threads", "workers", "processes")


def convert(rushes, folder, dispatch, flags):
    """Seconds of wall and CPU that one run takes, all its processes included."""
    out = tempfile.mkdtemp(prefix="rushes-compare-")
    command = [rushes, "convert", folder, "-o", out, "--dispatch", dispatch, "-q", "--copy", "never", "--split", "never"]
    before, began = os.times(), time.monotonic()
    subprocess.run(command + flags, stdin=subprocess.DEVNULL, check=True)
    wall, after = time.monotonic() - began, os.times()
    shutil.rmtree(out)
    user = after.children_user - before.children_user
    return wall, user + after.children_system - before.children_system


def ratio(runs, against, what):
    """Median and range of the ratios within rounds."""
    ratios = [one[what] / other[what] for one, other in zip(runs, against)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def main():
    rounds, rushes, folder, *flags = sys.argv[1:]
    runs = {dispatch: [] for dispatch in DISPATCHES}
    for _ in range(int(rounds)):
        for dispatch in random.sample(DISPATCHES, len(DISPATCHES)):
            runs[dispatch].append(convert(rushes, folder, dispatch, flags))
    print(f"{'':10}{'wall, s':>9}{'CPU, s':>9}  {'wall : threads':18}{'CPU : threads'}")
    for dispatch, measured in runs.items():
        wall, cpu = (statistics.median(run[what] for run in measured) for what in (0, 1))
        against = runs["threads"]
        print(
            f"{dispatch:10}{wall:9.2f}{cpu:9.2f}  "
            f"{ratio(measured, against, 0):18}{ratio(measured, against, 1)}"
        )


main()
