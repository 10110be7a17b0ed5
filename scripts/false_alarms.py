"""Deals the rounds of one dispatch to two names, and counts how often they seem to differ.

usage: false_alarms.py RUSHES FOLDER RUNS ROUNDS, with FOLDER/clip.mp4
"""

import collections
import json
import pathlib
import random
import subprocess
import sys

# The columns of the original's data file that a load's times are put into.
LOADS = ["transcode", "cpu"]


def rushes(program, *arguments):
    subprocess.run([program, "bench", *arguments], check=True, stdout=subprocess.DEVNULL)


def results(folder):
    return json.loads((folder / "results.json").read_text())


def deal(samples, lots):
    """Rows of two names a load: each gets one of two neighbouring rounds."""
    times = {(s["work"], s["workers"], s["round"]): s["wall_s"] for s in samples}
    workers = sorted({key[1] for key in times})
    rows = []
    for first in range(1, max(key[2] for key in times), 2):
        for count in workers:
            row = [count]
            for load in LOADS:
                pair = [times[load, count, first], times[load, count, first + 1]]
                lots.shuffle(pair)
                row += pair
            rows.append(" ".join(str(value) for value in row))
    return "\n".join(rows) + "\n"


def main(program, folder, runs, rounds):
    folder = pathlib.Path(folder)
    lots = random.Random(1)
    verdicts = collections.Counter()
    flags = ["--work", ",".join(LOADS), "--dispatch", "threads", "--workers", "1-2", "--cpu", "60ms"]
    flags += ["--speed", "ultrafast", "--rounds", rounds, "--budget", "10m", "--no-film", "-q"]
    for run in range(int(runs)):
        measured, compared = folder / f"run-{run}", folder / f"dealt-{run}"
        rushes(program, str(folder / "clip.mp4"), "-o", str(measured), *flags)
        table = folder / f"{run}.dat"
        table.write_text(deal(results(measured)["samples"], lots))
        rushes(program, "--import", str(table), "-o", str(compared), "--no-film", "-q")
        found = [c["verdict"] for c in results(compared)["comparisons"]]
        verdicts.update(found)
        print(f"run {run + 1}: {', '.join(found)}", flush=True)
    alarms = verdicts["a_faster"] + verdicts["b_faster"]
    print(f"{alarms} false alarms in {sum(verdicts.values())} comparisons of A against A")


main(*sys.argv[1:])
