#!/usr/bin/env python3
"""Holds properties of sources and results against rushes' warnings; for scripts/lost-properties.

usage: lost_properties.py FOLDER PRESET... -- DISPATCH...

FOLDER/PRESET/DISPATCH holds the results of `rushes convert` with their report.json. Exits with 1
where a property is lost without a warning, or a warning is wrong, and with 2 where nothing was
compared.

Lost on purpose, and therefore without a warning, are only:

- the rotation of a re-encoded stream: its frames are upright, which the aspect then shows;
- the number of bits of a sample in audio that is re-encoded by a lossy codec, which has none;
- the transparency of a GIF, which may be opaque;
- the range and, between RGB and YUV, the matrix of a re-encoded stream, with its pixel format;
- colours that only a container claims: a re-encoded stream has those of the source's frames;
- the name of a layout for the same speakers, one that is the usual one for that number of channels, and
  a layout that has more speakers;
- streams of data that hold timecodes, titles of chapters or hints for streaming servers;
- a file name of a cover that has no meaning to players: covers are `cover.jpg` or `cover.png`;
- what `media_properties.py` lists as describing packets, boxes and writers instead of content.
"""

import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from lost_warnings import COLOUR, claims_of
from media_properties import by_ffprobe, by_mkvmerge, lower_tags

# Aspects may differ by this share, and by the rounding to whole and even pixels.
ASPECT_SHARE = 0.01
# Containers round the times of chapters, and count from the file's or the first stream's start.
CHAPTER_S = 0.05
HDR = ("smpte2084", "arib-std-b67")

# ISO 639-2 has two codes for these languages.
TWO_CODES = (
    "alb-sqi arm-hye baq-eus bur-mya chi-zho cze-ces dut-nld fre-fra geo-kat ger-deu gre-ell "
    "ice-isl mac-mkd mao-mri may-msa per-fas rum-ron slo-slk tib-bod wel-cym"
)
ONE_CODE = dict(pair.split("-") for pair in TWO_CODES.split())

# What players assume for a number of channels.
USUAL_LAYOUTS = dict(enumerate("mono stereo 2.1 4.0 5.0 5.1 6.1 7.1".split(), 1))

# Names of covers to which Matroska's specification gives a meaning.
COVER_NAMES = re.compile(r"(small_)?cover(_land)?\.(jpe?g|png)")


@dataclass
class Cell:
    """The findings about one preset with one dispatch."""

    files: int = 0
    without: int = 0
    compared: int = 0
    silent: list = field(default_factory=list)
    false: list = field(default_factory=list)
    unclear: list = field(default_factory=list)


@dataclass
class Pair:
    """A source with its result, as one program shows them."""

    source: object
    result: object
    copied: list
    # Each stream of the source with its stream of the result.
    streams: list = field(default_factory=list)
    # The planned and the real number of streams, by kind, where they differ.
    miscounted: dict = field(default_factory=dict)


# --- which stream became which -----------------------------------------------


def is_dispensable(stream, source):
    """Whether a stream of data holds only what is among tags and chapters, too, or hints."""
    tag = stream.raw.get("codec_tag_string", "")
    is_titles = stream.raw.get("codec_name") == "bin_data" and "chapters" in source.properties
    return tag in ("tmcd", "rtp ") or is_titles


def paired(source, result, claims, copied):
    """Pairs the streams of each kind in their order; the video that is shown goes first."""
    pair = Pair(source, result, copied)
    for kind in sorted({stream.kind for stream in source.streams}):
        here = without(claims, "dropped", source.of_kind(kind))
        here = [stream for stream in here if not is_dispensable(stream, source)]
        there = [each for each in result.of_kind(kind) if not is_dispensable(each, result)]
        if len(here) > len(there):
            here = without(claims, "empty", here)
        if len(here) != len(there):
            pair.miscounted[kind] = (len(here), len(there))
            continue
        if kind == "video":
            here = best_order(here, there)
        pair.streams += zip(here, there)
    return pair


def without(claims, how, streams):
    """The streams about which there is no such claim."""
    gone = {claim.stream for claim in claims if claim.how == how}
    return [stream for stream in streams if stream.index not in gone]


def best_order(here, there):
    """The source's order, or with one stream moved to the front, whichever fits best."""
    orders = [here[at : at + 1] + here[:at] + here[at + 1 :] for at in range(len(here))]
    return max(orders or [here], key=lambda order: sum(map(likeness, order, there)))


def likeness(here, there):
    """How many of the numbers that distinguish streams are the same."""
    keys = ("width", "height", "nb_frames", "codec_name", "avg_frame_rate", "pixel_dimensions")
    return sum(here.raw.get(key) == there.raw.get(key) for key in keys)


# --- whether two values are the same -----------------------------------------


def is_same(name, value, other, here=None, there=None, is_encoded=False):
    """Whether a result's value means the same as the source's."""
    if other is None:
        # Players take the usual layout where there is none.
        usual = USUAL_LAYOUTS.get(there.properties.get("channels")) if there else None
        return name == "layout" and speakers(value) == usual
    if name == "language":
        return ONE_CODE.get(value, value) == ONE_CODE.get(other, other)
    if name == "aspect":
        shown = (upright(value, here), upright(other, there)) if is_encoded else (value, other)
        return is_near(*shown)
    if name == "rotation":
        # Players would turn upright frames a second time.
        return not is_encoded and value == other
    if name in ("channels", "bits"):
        return other >= value
    if name == "layout":
        return speakers(value) == speakers(other) or more_channels(here, there)
    if name.startswith("chapter ") and name.endswith("times"):
        return all(abs(a - b) <= CHAPTER_S for a, b in zip(value, other))
    if name.startswith("tag location") and position(value):
        return is_same_place(position(value), position(other))
    if name.startswith("tag "):
        return plain(value) == plain(other)
    return value == other or str(value).lower() == str(other).lower()


def upright(aspect, stream):
    """An aspect as players show it, after rotation."""
    turns = stream.rotation() if stream else 0
    return aspect[::-1] if turns in (1, 3) else aspect


def is_near(a, b):
    """Whether two aspects are the same but for rounding to whole and even pixels."""
    rounding = 2 / max(1, min(*a, *b))
    ratio = (a[0] / a[1]) / (b[0] / b[1])
    return abs(ratio - 1) <= ASPECT_SHARE + rounding


def speakers(layout):
    """A layout without the difference of names between side and back speakers."""
    return {"downmix": "stereo"}.get(layout, layout.replace("(side)", "").replace("(back)", ""))


def more_channels(here, there):
    """Whether the result's layout has more speakers than the source's."""
    return there.properties.get("channels", 0) > here.properties.get("channels", 0)


def plain(text):
    """A tag's text as all containers store it: dates have no `T`, `Z` or fractions of 0."""
    date = re.fullmatch(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.0+)?Z?", text.strip())
    return f"{date[1]} {date[2]}" if date else text.strip()


def position(text):
    """Latitude, longitude and altitude of ISO 6709; empty for other texts."""
    numbers = re.fullmatch(r"((?:[+-]\d+(?:\.\d+)?){2,3})/?", text.strip())
    return [float(number) for number in re.findall(r"[+-][\d.]+", numbers[1])] if numbers else []


def is_same_place(a, b):
    """Whether two positions are the same in 16 bits after the point, as mp4 stores them."""
    return len(a) == len(b) and all(abs(x - y) < 1e-3 for x, y in zip(a, b))


# --- what is lost ------------------------------------------------------------


def losses(pair):
    """All properties of the source as `(stream, name, value, found, state)`."""
    for here, there in pair.streams:
        is_encoded = here.index not in pair.copied
        for name, value in here.properties.items():
            found = stream_value(name, there, pair.result)
            is_kept = is_same(name, value, found, here, there, is_encoded)
            is_wanted = is_on_purpose(name, found, here, there, is_encoded)
            yield here.index, name, value, found, state(is_kept, is_wanted)
    for name, value in pair.source.properties.items():
        found = file_value(name, pair)
        yield None, name, value, found, state(is_same(name, value, found), False)
    yield from counts(pair)


def state(is_kept, is_on_purpose):
    """What became of a property, in a word."""
    return "kept" if is_kept else "changed" if is_on_purpose else "lost"


def counts(pair):
    """The number of streams of each kind, as properties of the whole file."""
    for kind in sorted({stream.kind for stream in pair.source.streams}):
        want, has = pair.miscounted.get(kind, (0, 0))
        yield None, f"streams {kind}", want, has, state(has >= want, False)


def is_on_purpose(name, found, here, there, is_encoded):
    """Whether the recipe changes a property; the head of this file has the list."""
    if is_renamed_cover(name, here, there):
        return True
    if not is_encoded:
        return False
    if name == "alpha" and here.properties[name] == "maybe":
        return True
    if name == "range" or name in ("rotation", "bits") and found is None:
        return True
    if name == "matrix" and is_rgb(here) != is_rgb(there):
        return True
    return name in COLOUR and found is not None and found == frame_colour(name, here)


def frame_colour(name, stream):
    """A colour property as the frames of a source say."""
    keys = {"primaries": "color_primaries", "transfer": "color_transfer", "matrix": "color_space"}
    return stream.frame.get(keys.get(name, ""))


def is_rgb(stream):
    """Whether pixels are red, green and blue."""
    return stream.raw.get("pix_fmt", "").startswith(("rgb", "bgr", "gbr", "argb", "abgr", "pal8"))


def stream_value(name, there, result):
    """A property of a stream of the result; its timecode replaces that of its frames."""
    found = there.properties.get(name)
    if name == "frames' timecode" and not found:
        return there.properties.get("timecode") or result.properties.get("tag timecode")
    return found


def file_value(name, pair):
    """A property of the whole result; the timecode may be that of a stream."""
    found = pair.result.properties.get(name)
    if name != "tag timecode" or found:
        return found
    timecodes = (stream.properties.get("timecode") for stream in pair.result.streams)
    return next(filter(None, timecodes), None)


def is_renamed_cover(name, here, there):
    """Whether it is a cover's file name without a meaning, or in a container without such names."""
    if here.kind != "cover" or name not in ("file name", "media type"):
        return False
    return not there.properties or not COVER_NAMES.fullmatch(here.properties.get("file name", ""))


# --- which warnings are wrong ------------------------------------------------


def contradiction(claim, pair, states):
    """What ffprobe shows against a claim, in words; `None` where it agrees."""
    check = {
        "gone": still_there,
        "tags": tags_still_there,
        "dropped": not_dropped,
        "tone-mapped": still_hdr,
        "stays": no_hdr,
    }.get(claim.how)
    return check(claim, pair, states) if check else None


def still_there(claim, pair, states):
    """That all properties of a claim are in the result, or none is in the source."""
    known = [states[claim.stream, name] for name in claim.names if (claim.stream, name) in states]
    if not known:
        return "the source does not have it"
    return "the result has the same" if set(known) == {"kept"} else None


def tags_still_there(claim, pair, states):
    """Which of the tags of a claim are in the result, or not in the source."""
    kept = [name for name in claim.names if states.get((None, name)) == "kept"]
    new = [name for name in claim.names if (None, name) not in states]
    parts = [f"the result has {', '.join(kept)}"] if kept else []
    parts += [f"the source has no {', '.join(new)}"] if new else []
    return " and ".join(parts) or None


def not_dropped(claim, pair, states):
    """That the result has as many streams of the kind as the source."""
    streams = [stream for stream in pair.source.streams if stream.index == claim.stream]
    if not streams:
        return "the source has no such stream"
    kind = streams[0].kind
    has_all = len(pair.result.of_kind(kind)) >= len(pair.source.of_kind(kind))
    return f"the result has all {kind} streams" if has_all and kind != "data" else None


def both(claim, pair):
    """The source's stream of a claim and that of the result."""
    return next(((a, b) for a, b in pair.streams if a.index == claim.stream), (None, None))


def still_hdr(claim, pair, states):
    """That HDR did not become SDR."""
    here, there = both(claim, pair)
    if not here or here.properties.get("transfer") not in HDR:
        return "the source is not HDR"
    return "the result is HDR" if there.properties.get("transfer") in HDR else None


def no_hdr(claim, pair, states):
    """That HDR did not stay."""
    there = both(claim, pair)[1]
    is_hdr = there and there.properties.get("transfer") in HDR
    return None if is_hdr else "the result is not HDR"


# --- files -------------------------------------------------------------------


def compare(source, cell):
    """Holds a source of the report against its result."""
    result = source["results"][0]
    claims, unknown = claims_of(source)
    name = Path(source["source"]).name
    cell.unclear += [f"{name}: not understood: {text}" for text in unknown]
    here = by_ffprobe(source["source"])
    there = here and by_ffprobe(result["target"], has_described_frames(here))
    if not here or not there:
        cell.unclear.append(f"{name}: ffprobe cannot read the source or its result")
        return
    pair = paired(here, there, claims, result["copied"])
    cell.files += 1
    states = compare_pair(name, pair, claims, cell, "")
    for claim in claims:
        against = contradiction(claim, pair, states)
        if against:
            cell.false.append(f"{name}: '{claim.text}', but {against}")
    if "matroska" in here.form and "matroska" in there.form:
        compare_by_mkvmerge(name, source["source"], result, claims, cell)


def has_described_frames(media):
    """Whether a source has side data, so that the frames of its result may have it, too."""
    names = {name for stream in media.streams for name in stream.properties}
    return any(name[0].isupper() or name.startswith("frames") for name in names)


def compare_pair(name, pair, claims, cell, reader):
    """Looks for lost properties without a claim; returns what became of each."""
    states = {}
    for stream, prop, value, found, state_of in losses(pair):
        cell.compared += 1
        states[stream, prop] = state_of
        if state_of == "lost" and not any(claim.covers(stream, prop) for claim in claims):
            place = "" if stream is None else f"stream {stream}: "
            has = "nothing" if found is None else repr(found)
            cell.silent.append(f"{name}: {reader}{place}{prop} {value!r} became {has}")
    return states


def compare_by_mkvmerge(name, source, result, claims, cell):
    """A second look by another program: Matroska's tracks have the numbers of ffprobe's streams."""
    here, there = by_mkvmerge(source), by_mkvmerge(result["target"])
    if not here or not there:
        return
    pair = paired(here, there, claims, result["copied"])
    compare_pair(name, pair, claims, cell, "mkvmerge: ")


def cell_of(folder):
    """Compares all results in a folder."""
    cell = Cell()
    report = json.loads((folder / "report.json").read_text())
    for source in report["sources"]:
        if source["status"] in ("done", "salvaged") and source["results"]:
            compare(source, cell)
        else:
            cell.without += 1
    return cell


def main(arguments):
    """Compares all presets with all dispatches; returns the exit code."""
    folder, *words = arguments
    split = words.index("--")
    presets, dispatches = words[:split], words[split + 1 :]
    cells = {}
    for preset in presets:
        for dispatch in dispatches:
            cell = cells[preset, dispatch] = cell_of(Path(folder, preset, dispatch))
            for title, lines in findings(cell):
                for line in lines:
                    print(f"{preset}, {dispatch}: {title}: {line}", flush=True)
    return answer(cells)


def answer(cells):
    """Prints the table; returns the exit code."""
    columns = "{:<8} {:<10} {:>6} {:>10} {:>11} {:>15} {:>14} {:>8}"
    heads = "preset dispatch files no-result properties lost-in-silence false-warnings unclear"
    print(columns.format(*heads.split()))
    for (preset, dispatch), cell in cells.items():
        found = [len(lines) for _, lines in findings(cell)]
        print(columns.format(preset, dispatch, cell.files, cell.without, cell.compared, *found))
    if not cells or any(cell.files == 0 or cell.compared == 0 for cell in cells.values()):
        print("nothing was compared in at least one of these")
        return 2
    return int(any(lines for cell in cells.values() for _, lines in findings(cell)))


def findings(cell):
    """The lists of findings with their titles."""
    return [
        ("lost in silence", cell.silent),
        ("false warning", cell.false),
        ("unclear", cell.unclear),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
