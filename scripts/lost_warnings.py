"""Reads the warnings in report.json as claims about properties; for scripts/lost-properties.

A claim names the properties that it covers, so that a lost property can be looked up in the
claims, and a claim can be held against what ffprobe shows.
"""

import re
from dataclasses import dataclass

COLOUR = ("primaries", "transfer", "matrix", "range")
LIGHT = ("Mastering display metadata", "Content light level metadata")
DYNAMIC = ("HDR Dynamic Metadata SMPTE2094-40 (HDR10+)",)
DOLBY = ("DOVI configuration record", "Dolby Vision RPU Data", "Dolby Vision Metadata")
SHAPE = ("rotation",)

# The words for a property of a stream in warnings, and the names of that property here.
WORDS = [
    (r"the title '(?P<value>.*)'", ("title",)),
    (r"the language '(?P<value>.*)'", ("language",)),
    (r"the mark '(?P<mark>.*)'", ()),
    (r"the timecode (?P<value>\S+)", ("timecode",)),
    (r"the colour primaries '(?P<value>.*)'", ("primaries",)),
    (r"the colour transfer '(?P<value>.*)'", ("transfer",)),
    (r"the colour matrix '(?P<value>.*)'", ("matrix",)),
    (r"the full range of values", ("range",)),
    (r"the rotation", SHAPE),
    (r"the aspect (?P<value>\S+)", ("aspect",)),
    (r"the number of channels, (?P<value>\d+),", ("channels", "layout")),
    (r"the projection of 360° video", ("Spherical Mapping",)),
    (r"the layout of 3D video", ("Stereo 3D",)),
    (r"Dolby Vision", DOLBY),
    (r"HDR's mastering display", LIGHT[:1]),
    (r"HDR's light level", LIGHT[1:]),
]

# Warnings about a stream that have words of their own.
OF_STREAMS = [
    (r"HDR \(\w+\) becomes SDR .*", COLOUR + LIGHT + DYNAMIC, "tone-mapped"),
    (r"HDR \(\w+\) (?:stays HDR|is not tone-mapped).*", (), "stays"),
    (r"\d+ channels .* are mixed down to .*", ("channels", "layout"), "gone"),
    (r"samples of \d+ bits become samples of .*", ("bits",), "gone"),
    (r"what is transparent becomes opaque.*", ("alpha",), "gone"),
    (r"Dolby Vision profile 5 .*", DOLBY + COLOUR, "unchecked"),
    (r"no sound could be decoded", ("stream",), "empty"),
]

# What warnings say about frames and packets; no property is claimed by them.
ABOUT_FRAMES = [
    r"stream \d+: \d+ damaged packets or pictures",
    r"stream \d+: the result (?:begins|ends) .*",
    r"stream \d+: the sound ends .* earlier than in the source",
    r"stream \d+: the copied pictures do not all decode",
    r"stream \d+: .* is shown .*",
    r"the source claims .* and holds .*",
    r"the source ends early: .*",
    r"the source's clock jumps; .*",
]


@dataclass
class Claim:
    """That properties of a stream, or of the whole file (`stream` is `None`), are not in a result.

    `how` is how it can be checked: "gone" by the properties, "tags" by each of them, "dropped" by
    the number of streams. ffprobe cannot check "unchecked" ones.
    """

    stream: object
    names: tuple
    how: str
    text: str

    def covers(self, stream, name):
        """Whether it says that this property is lost."""
        return stream == self.stream and name in self.names


def claims_of(source):
    """The claims of a source's report, and the warnings that are not understood."""
    dropped = [dropped_claim(entry) for result in source["results"] for entry in result["dropped"]]
    lost = [text for result in source["results"] for text in result["lost"]]
    claims, unknown = dropped, []
    for text in dict.fromkeys(source["warnings"] + lost):
        found = claim_of(text)
        if found:
            claims.append(found)
        elif not any(re.fullmatch(pattern, text) for pattern in ABOUT_FRAMES):
            unknown.append(text)
    return claims, unknown


def dropped_claim(entry):
    """The claim that a whole stream is not in the result."""
    text = f"stream {entry['stream']}: {entry['what']} left out: {entry['reason']}"
    return Claim(entry["stream"], ("stream",), "dropped", text)


def claim_of(text):
    """The claim that a warning makes; `None` for one that is not understood."""
    of_stream = re.fullmatch(r"stream (\d+): (.*)", text, re.S)
    if of_stream:
        return stream_claim(int(of_stream[1]), of_stream[2], text)
    tags = re.fullmatch(r"tags that did not arrive: (.*)", text, re.S)
    if tags:
        names = tuple(f"tag {name}" for name in tags[1].split(", "))
        return Claim(None, names, "tags", text)
    kinds = "chapters|subtitles|covers and attached files"
    counted = re.fullmatch(rf"\d+ of (\d+) ({kinds}) have .*", text)
    if counted:
        return counted_claim(int(counted[1]), counted[2], text)
    return None


def counted_claim(number, what, text):
    """The claim that fewer chapters or streams of a kind have arrived."""
    if what == "chapters":
        parts = ("times", "title")
        each = [f"chapter {at} {part}" for at in range(1, number + 1) for part in parts]
        return Claim(None, ("chapters", *each), "gone", text)
    kinds = {"subtitles": ("subtitle",)}.get(what, ("cover", "attachment"))
    return Claim(None, tuple(f"streams {kind}" for kind in kinds), "gone", text)


def stream_claim(stream, words, text):
    """The claim that a warning about a stream makes, if it is understood."""
    if re.search(r" left out: ", words):
        return Claim(stream, ("stream",), "dropped", text)
    for pattern, names in WORDS:
        found = re.fullmatch(pattern + r" (?:is lost: .*|did not arrive|became '.*')", words, re.S)
        if found:
            mark = found.groupdict().get("mark")
            return Claim(stream, (f"mark {mark}",) if mark else names, "gone", text)
    for pattern, names, how in OF_STREAMS:
        if re.fullmatch(pattern, words, re.S):
            return Claim(stream, names, how, text)
    return None
