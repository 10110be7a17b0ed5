#!/usr/bin/env python3
"""Pairs of runs in one place: see scripts/pairs, which calls this."""

import argparse
import collections
import json
import os
import random
import shutil
import subprocess
import sys
import time

# Long enough for the second run to start while the first one works.
FRAMES = {"short": 500, "long": 750}
FILM_S = (60, 75)
# The second run makes smaller results, so that a result shows whose it is.
WIDTHS = (160, 80)
RELATIONS = ("equal", "above", "below", "linked above", "linked equal")
COMMANDS = ("convert", "replace", "frames", "slideshow")
GAPS_MS = (0, 2, 5, 10, 20, 30, 50, 100, 200, 300)


def make(arguments, target):
    command = ["ffmpeg", "-v", "error", "-y", *arguments.split(), target]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def make_sources(folder):
    os.makedirs(folder)
    for name, count in FRAMES.items():
        seconds = count / 25
        video = f"-f lavfi -i testsrc2=size=160x120:rate=25:duration={seconds}"
        sound = f"-f lavfi -i sine=duration={seconds}"
        make(f"{video} {sound} -c:v mpeg4 -c:a aac", f"{folder}/{name}.mov")
    for number, size in enumerate(("640x360", "360x640")):
        make(f"-f lavfi -i testsrc2=size={size} -frames:v 1", f"{folder}/{number}.png")


def place(sources, root):
    """Folders with sources, folders for results, and links to both."""
    for folder in ("in", "in/sub"):
        os.makedirs(f"{root}/{folder}")
        for name in FRAMES:
            shutil.copy(f"{sources}/{name}.mov", f"{root}/{folder}")
    for number in range(2):
        shutil.copy(f"{sources}/{number}.png", root)
    os.makedirs(f"{root}/out/sub")
    os.symlink("out", f"{root}/out-link")
    os.symlink("in/sub", f"{root}/sub-link")


# The sources and the output folders of both runs.
SOURCES = {
    "equal": ("in", "in"),
    "above": ("in", "in/sub"),
    "below": ("in/sub", "in"),
    "linked above": ("in", "in/sub"),
    "linked equal": ("in", "in"),
}
OUTPUTS = {
    "equal": ("out", "out"),
    "above": ("out", "out/sub"),
    "below": ("out/sub", "out"),
    "linked above": ("out", "out-link/sub"),
    "linked equal": ("out", "out-link"),
}
IN_PLACE = {
    "equal": ("in", "in"),
    "above": ("in", "in/sub"),
    "below": ("in/sub", "in"),
    "linked above": ("in", "sub-link"),
    "linked equal": ("in/sub", "sub-link"),
}


def arguments(command, relation, run, root):
    """The command line of one run, and the folder or file of its results."""
    size = ["--size", f"{WIDTHS[run]}x{WIDTHS[run] * 3 // 4}"]
    encode = ["--speed", "ultrafast", "--copy", "never", *size]
    source = f"{root}/{SOURCES[relation][run]}"
    output = f"{root}/{OUTPUTS[relation][run]}"
    if command == "convert":
        return ["convert", source, "-o", output, "-j1", "-q", *encode], output
    if command == "replace":
        folder = f"{root}/{IN_PLACE[relation][run]}"
        return ["convert", "--replace", folder, "-j1", "-q", *encode], folder
    if command == "frames":
        return ["frames", source, "-o", output, "-j1", "-q", "--count", "6", *size], output
    film = f"{output}/film.mp4"
    slides = ["--size", "640x360", "--fps", "30", "--seconds", str(FILM_S[run]), "-q"]
    return ["slideshow", f"{root}/{run}.png", "-o", film, *slides], film


def probe(path):
    """Width and number of frames of a video or picture; an error in words where it is broken."""
    command = ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0", "-of", "json"]
    command += ["-show_entries", "stream=nb_read_frames,width", path]
    ran = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if ran.returncode or ran.stderr.strip():
        return None, ran.stderr.strip()[:200] or "it cannot be opened"
    stream = json.loads(ran.stdout)["streams"][0]
    return (stream["width"], int(stream["nb_read_frames"])), ""


def files(folder):
    for where, _, names in os.walk(folder):
        for name in names:
            yield os.path.join(where, name)


def is_made(path):
    return path.endswith((".mp4", ".jpg"))


def faults_of_file(command, path):
    if ".rushes-" in path or "(before rushes)" in path:
        return [f"left over: {path}"]
    if not is_made(path):
        return []
    found, error = probe(path)
    if found is None:
        return [f"broken: {path}: {error}"]
    width, frames = found
    if command == "slideshow":
        is_right = width == 640 and frames in [30 * seconds for seconds in FILM_S]
    elif command == "frames":
        is_right = width in WIDTHS
    else:
        stem = os.path.basename(path).split(".")[0]
        is_right = width in WIDTHS and frames == FRAMES.get(stem)
    return [] if is_right else [f"not what was asked for: {path}: {found}"]


def faults_of_run(command, relation, run, output):
    """What a run that reports all as done did not leave."""
    if command == "slideshow":
        return [] if os.path.exists(output) else [f"run {run}: no film"]
    below = SOURCES if command != "replace" else IN_PLACE
    videos = 2 if "sub" in below[relation][run] else 4
    expected = videos * (6 if command == "frames" else 1)
    made = [path for path in files(output) if is_made(path)]
    if len(made) < expected:
        return [f"run {run}: {len(made)} results of {expected}"]
    return []


def faults_of_sources(root, codes):
    """Every source is where it was, or in the trash with its result in its place."""
    faults = []
    for folder in ("in", "in/sub"):
        for name in FRAMES:
            stem = f"{root}/{folder}/{name}"
            if not (os.path.exists(f"{stem}.mov") or os.path.exists(f"{stem}.mp4")):
                faults.append(f"gone: {stem}: {codes}")
    return faults


def try_pair(rushes, root, command, relation, gap_ms):
    env = dict(os.environ, XDG_DATA_HOME=f"{root}/data", NO_COLOR="1")
    runs = [arguments(command, relation, run, root) for run in range(2)]
    started = []
    for flags, _ in runs:
        process = subprocess.Popen(
            [rushes, *flags], env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        started.append(process)
        if len(started) == 1:
            time.sleep(gap_ms / 1000)
    errors = [process.communicate(timeout=120)[1] for process in started]
    codes = tuple(process.returncode for process in started)
    faults = faults_of_sources(root, codes)
    for path in files(root):
        if not path.startswith(f"{root}/data/"):
            faults += faults_of_file(command, path)
    for run, (code, error) in enumerate(zip(codes, errors)):
        if code == 0:
            faults += faults_of_run(command, relation, run, runs[run][1])
        elif code != 2 or "another rushes works in" not in error or "process " not in error:
            faults.append(f"run {run} ended with {code}: {error[:300]}")
    # Films in two folders do not meet.
    meet = command != "slideshow" or "equal" in relation
    if meet and sorted(codes) == [2, 2]:
        faults.append("each run refused to work because of the other one")
    return codes, faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rushes")
    parser.add_argument("folder")
    parser.add_argument("count", nargs="?", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    make_sources(f"{chosen.folder}/sources")
    kinds = [(c, r, g) for c in COMMANDS for r in RELATIONS for g in GAPS_MS]
    random.Random(chosen.seed).shuffle(kinds)
    counts, wrong = collections.Counter(), 0
    for number in range(chosen.count):
        command, relation, gap_ms = kinds[number % len(kinds)]
        root = f"{chosen.folder}/pair"
        os.makedirs(root)
        place(f"{chosen.folder}/sources", root)
        codes, faults = try_pair(chosen.rushes, root, command, relation, gap_ms)
        shutil.rmtree(root)
        counts[(command, relation, codes)] += 1
        if faults:
            wrong += 1
            print(f"WRONG {command}, {relation}, {gap_ms} ms: {codes}", flush=True)
            for fault in faults:
                print(f"    {fault}", flush=True)
    print(f"{'command':<10} {'folders':<13} exit codes  pairs")
    for (command, relation, codes), count in sorted(counts.items()):
        print(f"{command:<10} {relation:<13} {codes[0]} {codes[1]}         {count:>5}")
    print(f"{chosen.count} pairs, {wrong} with a wrong result")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
