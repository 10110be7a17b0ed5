"""compare.py RUSHES FOLDER ROUNDS [WORK]...: converts the clips below FOLDER by rushes
and by what one would use instead: once each for memory, size and likeness, and then, as
the limit is, once each a round, in random order, for time. Prints medians and ratios: to
the limit, and of each to rushes within a round. `growth` is measured of rushes alone
(growth.py)."""

import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from growth import growth
from measuring import memory_of, timed

CORES = os.cpu_count() or 1

# What is done to each clip: the flags of rushes, and those of ffmpeg for the same.
MEDIUM = (["--copy", "never"], "-c:v libx264 -preset medium -crf 23 -c:a aac -b:a 128k -movflags +faststart")
ULTRAFAST = (
    ["--copy", "never", "--speed", "ultrafast"],
    "-c:v libx264 -preset ultrafast -crf 23 -c:a aac -b:a 128k -movflags +faststart",
)
REMUX = (["--preset", "remux"], "-map 0 -c copy -movflags +faststart")
WORKS = {
    "equal": ("6 times the same clip of 5 s, 720p", MEDIUM),
    "mixed": ("6 different clips of 5 s, 720p", MEDIUM),
    "tail": ("6 clips of 5 s and a long one, last by name, 720p", MEDIUM),
    "alone": ("the long one alone, 720p", MEDIUM),
    "tiny": ("80 clips of 1.8 s, 176x144, ultrafast", ULTRAFAST),
    "tiny-sound": ("80 clips of 1.8 s, 176x144, with sound, ultrafast", ULTRAFAST),
    "remux": ("1,000 clips, remux", REMUX),
}


def peers(rushes, kind, clips, out):
    """Commands by name; each reads `clips` and writes below `out`."""
    flags, codecs = kind
    copies = "copy" in codecs.split("-c ")[-1]
    one = f"ffmpeg -nostdin -v error -y %s -i {{}} {codecs} %s {out}/{{/}}.mp4"
    listed = f"find {clips} -type f | sort"
    found = {"rushes": [rushes, "convert", str(clips), "-o", str(out), "-q", *flags]}
    found["rushes, threads"] = found["rushes"] + ["--dispatch", "threads"]
    loop = f"for file in $({listed}); do ffmpeg -nostdin -v error -y -i $file {codecs} {out}/$(basename $file).mp4; done"
    found["ffmpeg, one by one"] = ["bash", "-c", loop]
    if shutil.which("parallel"):
        for name, threads in (("one thread", "-threads 1"), ("auto", "")):
            if copies and not threads:
                continue
            run = one % (threads, threads)
            found[f"parallel -j{CORES}, {name}"] = ["bash", "-c", f"{listed} | parallel -j{CORES} '{run}'"]
    if shutil.which("HandBrakeCLI") and not copies:
        speed = re.search(r"-preset (\w+)", codecs)[1]
        brake = (
            f"for file in $({listed}); do HandBrakeCLI -i $file -o {out}/$(basename $file).mp4 -e x264 -q 23"
            f" --encoder-preset {speed} -E av_aac -B 128 -O --vfr --crop 0:0:0:0 --non-anamorphic"
            " >/dev/null 2>&1 </dev/null; done"
        )
        found["HandBrakeCLI"] = ["bash", "-c", brake]
    if shutil.which("av1an") and not copies:
        speed = re.search(r"-preset (\w+)", codecs)[1]
        chunked = (
            f"for file in $({listed}); do av1an -q -y -i $file -o {out}/$(basename $file).mkv -e x264"
            f" -v '--crf 23 --preset {speed} --threads 1' -a '-c:a aac -b:a 128k' -w {CORES}; done"
        )
        found["av1an"] = ["bash", "-c", chunked]
    wanted = os.environ.get("BY", "")
    return {name: run for name, run in found.items() if name == "rushes" or re.search(wanted, name)}


def limit_of(kind, clips):
    """CPU seconds of the work at one codec thread, divided by the cores."""
    out = tempfile.mkdtemp(prefix="rushes-compare-")
    run = f"ffmpeg -nostdin -v error -y -threads 1 -i $file {kind[1]} -threads 1 {out}/$(basename $file).mp4"
    cpu = timed(["bash", "-c", f"for file in $(find {clips} -type f); do {run}; done"]).cpu
    shutil.rmtree(out)
    return cpu / CORES


def size(out):
    films = [path for path in Path(out).rglob("*") if path.suffix in (".mp4", ".mkv")]
    return len(films), sum(path.stat().st_size for path in films)


def likeness(out, clips):
    """Mean SSIM of at most three results to their sources."""
    scores = []
    for clip in sorted(clips.iterdir(), reverse=True)[:3]:
        made = [path for path in Path(out).rglob("*") if path.name.startswith(clip.stem + ".")]
        films = [path for path in made if path.suffix in (".mp4", ".mkv")]
        if not films:
            continue
        said = subprocess.run(
            ["ffmpeg", "-nostdin", "-i", str(films[0]), "-i", str(clip), "-lavfi", "[0:v][1:v]ssim", "-f", "null", "-"],
            capture_output=True, text=True, check=False,
        ).stderr
        found = re.search(r"SSIM.*All:([\d.]+)", said)
        scores += [float(found[1])] if found else []
    return statistics.mean(scores) if scores else None


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def compare(rushes, folder, rounds, work):
    title, kind = WORKS[work]
    clips = Path(folder, work)
    names = list(peers(rushes, kind, clips, ""))

    def once(name, look):
        with tempfile.TemporaryDirectory(prefix="rushes-compare-") as out:
            return look(peers(rushes, kind, clips, out)[name], out)

    def made(command, out):
        memory = memory_of(command)
        return memory, *size(out), None if kind is REMUX else likeness(out, clips)

    results = {name: once(name, made) for name in names}
    runs, limits = {name: [] for name in names}, []
    for _ in range(rounds):
        for name in random.sample([None, *names], len(names) + 1):
            if name is None:
                limits.append(limit_of(kind, clips))
            else:
                runs[name].append(once(name, lambda command, _: timed(command)))
    print(f"\n== {title}; limit {statistics.median(limits):.2f} s on {CORES} cores")
    print(
        f"{'':26}{'wall, s':>8}{'CPU, s':>8}{'idle':>6}{'taken':>6}{'MiB':>6}"
        f"  {'wall : limit':20}{'wall : rushes':20}{'MB':>8}  SSIM"
    )
    for name, measured in runs.items():
        wall, cpu, idle, taken = (statistics.median(values) for values in zip(*measured))
        to_limit = [run.wall / limit for run, limit in zip(measured, limits)]
        to_rushes = [run.wall / own.wall for run, own in zip(measured, runs["rushes"])]
        memory, _, written, ssim = results[name]
        print(
            f"{name:26}{wall:8.2f}{cpu:8.2f}{idle:6.2f}{taken:6.2f}{memory / 2**20:6.0f}"
            f"  {spread(to_limit):20}{spread(to_rushes):20}"
            f"{written / 1e6:8.2f}  {'' if ssim is None else f'{ssim:.4f}'}"
        )
    counts = {name: result[1] for name, result in results.items()}
    if len(set(counts.values())) > 1:
        print(f"not all made as many films: {counts}")


def main():
    rushes, folder, rounds, *works = sys.argv[1:]
    for work in works or [*WORKS, "growth"]:
        if work == "growth":
            growth(rushes, Path(folder))
        elif work in WORKS:
            compare(rushes, folder, int(rounds), work)
        else:
            sys.exit(f"'{work}' is none of: {' '.join(WORKS)} growth")


main()
