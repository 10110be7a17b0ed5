"""Measures one dispatch under two names, and counts how often they seem to differ.

usage: false_alarms.py RUSHES FOLDER RUNS, with FOLDER/clip.mp4
"""

import collections
import json
import pathlib
import subprocess
import sys

# Both names have their turn in every round, and the usual rule ends a run.
FLAGS = ["--dispatch", "threads,processes", "--all-on", "threads", "--work", "transcode,cpu"]
FLAGS += ["--workers", "1-2", "--cpu", "60ms", "--speed", "ultrafast", "--budget", "10m"]
FLAGS += ["--no-film", "-q"]


def main(program, folder, runs):
    folder = pathlib.Path(folder)
    verdicts = collections.Counter()
    for run in range(int(runs)):
        out = folder / f"run-{run}"
        command = [program, "bench", str(folder / "clip.mp4"), "-o", str(out), *FLAGS]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        results = json.loads((out / "results.json").read_text())
        found = [c["verdict"] for c in results["comparisons"]]
        verdicts.update(found)
        rounds = results["design"]["rounds"]
        print(f"run {run + 1}, {rounds} rounds: {', '.join(found)}", flush=True)
    alarms = verdicts["a_faster"] + verdicts["b_faster"]
    print(f"{alarms} false alarms in {sum(verdicts.values())} comparisons of A against A")


main(*sys.argv[1:])
