"""How time and memory of rushes grow with jobs, with length, and with workers."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from measuring import memory_of, timed

CORES = os.cpu_count() or 1
FAST = ["--copy", "never", "--speed", "ultrafast"]


def growth(rushes, clips):
    """Prints a table each; `clips` holds those of `scripts/compare`."""
    with tempfile.TemporaryDirectory(prefix="rushes-growth-") as folder:
        place = Path(folder)
        by_jobs(rushes, place, clips / "tiny-sound")
        by_length(rushes, place)
        by_workers(rushes, place, clips / "mixed")


def by_jobs(rushes, place, clips):
    sources = sorted(clips.iterdir())
    counts = (10, 100, 1000, 10000)
    for number in range(max(counts)):
        for count in counts:
            if number < count:
                # Links: the same bytes, under as many names as wanted.
                to = place / f"jobs-{count}" / f"{number // 1000}" / f"{number}.mp4"
                to.parent.mkdir(parents=True, exist_ok=True)
                os.link(sources[number % len(sources)], to)
    for title, flags, most in (
        ("plans (--dry-run)", ["--dry-run"], 10000),
        ("copies (remux)", ["--preset", "remux"], 10000),
        ("1.8 s encoded, ultrafast", FAST, 10000),
        ("the same, threads", [*FAST, "--dispatch", "threads"], 1000),
        ("the same, processes", [*FAST, "--dispatch", "processes"], 1000),
    ):
        heading(title, "jobs", "ms a job")
        for count in counts:
            if count <= most:
                row(rushes, place, place / f"jobs-{count}", flags, count, 1000 / count)


def by_length(rushes, place):
    heading("a film, ultrafast, in parts", "minutes", "s a minute")
    for minutes in (1, 10, 60):
        film = place / f"film-{minutes}" / "film.mp4"
        film.parent.mkdir()
        make_film(film, minutes)
        row(rushes, place, film.parent, FAST, minutes, 1 / minutes)
    heading("the same as a whole (--split never)", "minutes", "s a minute")
    for minutes in (1, 10, 60):
        row(rushes, place, place / f"film-{minutes}", [*FAST, "--split", "never"], minutes, 1 / minutes)


def by_workers(rushes, place, clips):
    many = place / "clips"
    many.mkdir()
    for turn in range(2):
        for clip in clips.iterdir():
            os.link(clip, many / f"{turn}-{clip.name}")
    count = len(list(many.iterdir()))
    heading(f"{count} clips of 5 s, 720p, medium, on {CORES} cores", "workers", "s a clip")
    for workers in sorted({1, CORES, CORES + 1, 2 * CORES, 4 * CORES}):
        flags = ["--copy", "never", "--jobs", str(workers)]
        row(rushes, place, many, flags, workers, 1 / count)


def make_film(film, minutes):
    """A film of movement, some seconds of it over and over: a key frame every 2 s."""
    piece = film.with_name("piece.mkv")
    source = "testsrc2=size=320x180:rate=25:duration=20"
    run = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", source, "-f", "lavfi", "-i", "sine=duration=20"]
    subprocess.run([*run, "-g", "50", "-preset", "veryfast", "-c:a", "aac", str(piece)], check=True)
    again = ["ffmpeg", "-nostdin", "-v", "error", "-stream_loop", "-1", "-i", str(piece), "-t", str(60 * minutes)]
    subprocess.run([*again, "-c", "copy", str(film)], check=True)
    piece.unlink()


def heading(title, what, each):
    print(f"\n== {title}\n{what:>8}{'wall, s':>10}{'CPU, s':>10}{each:>12}{'MiB':>8}", flush=True)


def row(rushes, place, source, flags, what, share):
    out = place / "out"
    command = [rushes, "convert", str(source), "-o", str(out), "-q", *flags]
    wall, cpu, *_ = timed(command)
    shutil.rmtree(out, ignore_errors=True)
    memory = memory_of(command)
    shutil.rmtree(out, ignore_errors=True)
    print(f"{what:8}{wall:10.2f}{cpu:10.2f}{wall * share:12.2f}{memory / 2**20:8.0f}", flush=True)
