"""How often two runs of `rushes bench` on one machine agree.

usage: repeat_runs.py FOLDER, with the results of runs in FOLDER/run-*/results.json

A cell's ratio is its time ∕ that of the reference cell of its load: threads at
the fewest workers, round by round. Two runs agree in a cell where the 95 %
intervals of its ratio overlap. The same is counted for the comparisons that
the runs themselves report, threads against the other dispatches.
"""

import collections
import itertools
import json
import math
import pathlib
import statistics
import sys


def rounds(results):
    """Wall times of each cell by round."""
    times = collections.defaultdict(dict)
    for sample in results["samples"]:
        key = sample["work"], sample["dispatch"], sample["workers"]
        times[key][sample["round"]] = sample["wall_s"]
    return times


def interval(values):
    """The exact 95 % interval of a median: two order statistics (Thompson, 1936)."""
    values = sorted(values)
    count = len(values)
    best = None
    for rank in range(count // 2):
        outside = 2 * sum(math.comb(count, k) for k in range(rank + 1)) / 2**count
        if outside <= 0.05:
            best = values[rank], values[count - 1 - rank]
    return best


def ratios(results):
    """Of each cell but the reference ones: the median ratio and its interval."""
    times = rounds(results)
    found = {}
    for (work, dispatch, workers), own in times.items():
        counts = [key[2] for key in times if key[:2] == (work, "threads")]
        reference = work, "threads", min(counts, default=0)
        if reference not in times or reference == (work, dispatch, workers):
            continue
        base = times[reference]
        values = [own[r] / base[r] for r in own if r in base]
        bounds = interval(values)
        if bounds is None:
            sys.exit(f"{len(values)} rounds are too few for a 95 % interval: use at least 6")
        found[work, dispatch, workers] = statistics.median(values), bounds
    return found


def reported(results):
    """Ratio and interval of each comparison that a run reports."""
    return {
        (c["work"], c["b"], c["workers"]): (c["ratio"], tuple(c["ci95"]))
        for c in results["comparisons"]
    }


def tell(name, runs):
    """Prints each cell of all `runs`, and the share of pairs that overlap."""
    agree = total = 0
    print(name)
    for cell in sorted(set.intersection(*map(set, runs))):
        found = [run[cell] for run in runs]
        pairs = list(itertools.combinations(found, 2))
        overlap = sum(a[1][0] <= b[1][1] and b[1][0] <= a[1][1] for a, b in pairs)
        agree, total = agree + overlap, total + len(pairs)
        medians = " ".join(f"{ratio:.3f}" for ratio, _ in found)
        widths = [(high - low) / 2 / ratio for ratio, (low, high) in found]
        work, dispatch, workers = cell
        print(
            f"  {work:9} {dispatch:9} {workers}: {medians}  "
            f"(within {100 * statistics.median(widths):.1f} %; {overlap} of {len(pairs)} overlap)"
        )
    if total:
        print(f"  {100 * agree / total:.1f} % of {total} pairs of intervals overlap")
    else:
        print("  nothing in common")


def main(folder):
    files = sorted(pathlib.Path(folder).glob("run-*/results.json"))
    if len(files) < 2:
        sys.exit(f"{folder}: fewer than 2 runs")
    runs = [json.loads(file.read_text()) for file in files]
    print(f"{len(runs)} runs")
    tell("to the reference cell:", [ratios(run) for run in runs])
    tell("threads to the others, as reported:", [reported(run) for run in runs])


main(*sys.argv[1:])
