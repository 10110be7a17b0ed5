"""Damages videos and compares what `rushes convert` delivers with the undamaged originals.

Called by scripts/damage, which describes its arguments.
"""

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path

VIDEO = ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=6"]
AUDIO = ["-f", "lavfi", "-i", "sine=frequency=440:duration=6"]
H264 = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "25", "-c:a", "aac"]

ORIGINALS = {
    "mkv": H264,
    "webm": ["-c:v", "libvpx", "-deadline", "realtime", "-g", "25", "-c:a", "libopus"],
    "avi": ["-c:v", "mpeg4", "-q:v", "5", "-c:a", "libmp3lame"],
    "mp4": H264 + ["-movflags", "+faststart"],
    "mov": ["-c:v", "mjpeg", "-q:v", "8", "-c:a", "pcm_s16le", "-movflags", "+faststart"],
    "ts": H264,
    "ogv": ["-c:v", "libtheora", "-q:v", "6", "-c:a", "libvorbis"],
    "flv": H264 + ["-bf", "0", "-ar", "44100"],
}

# An encoder pads the last packet of audio: that number of samples may differ.
PADDING = 2048


def zero(data, chance):
    size = chance.choice([512, 4096, 4096, 16384])
    at = chance.randrange(len(data) // 10, len(data) - size)
    return data[:at] + bytes(size) + data[at + size :]


def cut(data, chance):
    size = chance.randrange(200, 20000)
    at = chance.randrange(len(data) // 10, len(data) - size)
    return data[:at] + data[at + size :]


def truncate(data, chance):
    return data[: chance.randrange(len(data) // 5, len(data) - 200)]


def reorder(data, chance):
    size = chance.choice([1024, 4096, 16384])
    first = chance.randrange(len(data) // 10, len(data) // 2 - size)
    second = chance.randrange(len(data) // 2, len(data) - size)
    middle = data[first + size : second]
    swapped = data[second : second + size] + middle + data[first : first + size]
    return data[:first] + swapped + data[second + size :]


DAMAGES = [zero, cut, truncate, reorder]


def make_originals(folder):
    folder.mkdir()
    for container, codecs in ORIGINALS.items():
        path = folder / f"original-{container}.{container}"
        command = ["ffmpeg", "-nostdin", "-v", "error", *VIDEO, *AUDIO, *codecs, str(path)]
        subprocess.run(command, check=True)


def damage(originals, folder, count, seed):
    """Writes the damaged copies and returns their names."""
    chance = random.Random(seed)
    names = []
    for path in sorted(originals.iterdir()):
        data = path.read_bytes()
        for kind in DAMAGES:
            for number in range(count):
                name = f"{kind.__name__}-{number:03}{path.suffix}"
                place = folder / path.suffix[1:] / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(kind(data, chance))
                names.append(place)
    return names


def convert(rushes, sources, out, flags):
    """Converts a folder and returns what became of each source, from report.json."""
    command = [rushes, "convert", str(sources), "-o", str(out), "--format", "mkv", "-q", *flags]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode not in (0, 1):
        sys.exit(f"rushes ended with {ended.returncode}: {ended.stderr}")
    report = json.loads((out / "report.json").read_text())
    return {source["source"]: source for source in report["sources"]}


def counted(path):
    """Decodes a result: frames of video and samples of audio."""
    command = ["ffprobe", "-v", "quiet", "-of", "json", "-show_entries"]
    command += ["frame=media_type,nb_samples", str(path)]
    frames = json.loads(subprocess.run(command, capture_output=True).stdout).get("frames", [])
    video = sum(1 for frame in frames if frame.get("media_type") == "video")
    audio = sum(frame.get("nb_samples", 0) for frame in frames if frame.get("media_type") == "audio")
    return video, audio


def is_whole(found, expected):
    return found[0] == expected[0] and abs(found[1] - expected[1]) <= PADDING


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rushes")
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int, nargs="?", default=7)
    parser.add_argument("--dispatch", default="workers")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--remux", action="store_true")
    args = parser.parse_args()
    print(f"seed {args.seed}")
    flags = ["--dispatch", args.dispatch]
    encode = ["--copy", "never", "--speed", "ultrafast"]
    flags += ["--preset", "remux", "--verify", "decode"] if args.remux else encode
    originals, damaged = args.folder / "originals", args.folder / "damaged"
    make_originals(originals)
    places = damage(originals, damaged, args.count, args.seed)
    expected = {}
    for source, entry in convert(args.rushes, originals, args.folder / "whole", flags).items():
        if entry["status"] != "done":
            sys.exit(f"the undamaged {source} is {entry['status']}: {entry}")
        expected[Path(source).suffix] = counted(entry["results"][0]["target"])
    report = convert(args.rushes, damaged, args.folder / "out", flags)
    sys.exit(judge(report, places, expected))


def judge(report, places, expected):
    """Prints a table and each violation; 1 where there is one."""
    counts, violations = {}, []
    for place in places:
        entry = report[str(place)]
        row = counts.setdefault(place.suffix[1:], dict.fromkeys(COLUMNS, 0))
        if entry["status"] != "done":
            row[entry["status"]] = row.get(entry["status"], 0) + 1
            if entry["status"] == "salvaged":
                found = counted(entry["results"][0]["target"])
                row["salvaged whole"] += is_whole(found, expected[place.suffix])
            continue
        found = counted(entry["results"][0]["target"])
        if is_whole(found, expected[place.suffix]):
            row["done whole"] += 1
        else:
            row["VIOLATION"] += 1
            want = expected[place.suffix]
            violations.append(f"{place.parent.name}/{place.name}: {found} of {want}, warnings {entry['warnings']}")
    print("container".ljust(10), *(name.rjust(14) for name in COLUMNS))
    for container, row in counts.items():
        print(container.ljust(10), *(str(row[name]).rjust(14) for name in COLUMNS))
    print(f"{len(places)} damaged files, {len(violations)} violations", *violations, sep="\n")
    return 1 if violations else 0


COLUMNS = ["done whole", "salvaged", "salvaged whole", "failed", "refused", "VIOLATION"]

if __name__ == "__main__":
    main()
