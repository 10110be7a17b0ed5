"""Reads the properties of media files with ffprobe and mkvmerge; for scripts/lost-properties.

Nothing here asks rushes: a property is what these programs show.
"""

import functools
import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from fractions import Fraction

# The number of packets to decode: the first frames carry the properties that containers lack.
FRAMES = 10

PROBE = ["ffprobe", "-v", "error", "-of", "json", "-max_streams", "1000"]

# Side data about how a stream is coded, and not about its content.
ABOUT_CODING = {
    "CPB properties",
    "H.26[45] User Data Unregistered SEI message",
    "Film grain parameters",
    "AV1 film grain parameters",
    "QP table properties",
    "QP table data",
    "Motion vectors",
    "Skip Samples",
    # Every MPEG-1 and MPEG-2 frame has one from the decoder, mostly without an offset.
    "AVPanScan",
    "NVENC statistics",
}

# Side data of frames that is a timecode.
TIMECODES = ("SMPTE 12-1 timecode", "GOP timecode")

# Tags about the packets, the writer or the container of a stream, and tags that are compared as
# other properties.
ABOUT_STREAM = {
    "encoder",
    "encoder_options",
    "vendor_id",
    "creation_time",
    "alpha_mode",
    "duration",
    "bps",
    "number_of_frames",
    "number_of_bytes",
    "language",
    "title",
    "name",
    "handler_name",
    "timecode",
    "rotate",
    # Side data has these, too.
    "stereo_mode",
    # MXF numbers the source file by it.
    "file_package_umid",
}

# Tags about a file and not about its content: brand, writer, size and packets.
ABOUT_FILE = {
    "major_brand",
    "minor_version",
    "compatible_brands",
    "encoder",
    "software",
    "duration",
    # Flash
    "audiodelay",
    "audiosize",
    "canseektoend",
    "datasize",
    "filesize",
    "hasaudio",
    "hascuepoints",
    "haskeyframes",
    "hasmetadata",
    "hasvideo",
    "lastkeyframelocation",
    "lastkeyframetimestamp",
    "lasttimestamp",
    "metadatacreator",
    "metadatadate",
    "totaldatarate",
    "totalduration",
    "videosize",
    # Windows Media
    "deviceconformancetemplate",
    "iscommercial",
    "isvbr",
    "wmfsdkneeded",
    "wmfsdkversion",
}

# Handler names that programs write into every track are no titles.
USUAL_HANDLERS = re.compile(r"handle|core media|sound media|video media|iso media file", re.I)

# mkvmerge's names of flags, and ffprobe's.
FLAGS = {
    "default_track": "default",
    "forced_track": "forced",
    "flag_commentary": "comment",
    "flag_hearing_impaired": "hearing_impaired",
    "flag_visual_impaired": "visual_impaired",
    "flag_original": "original",
    "flag_text_descriptions": "descriptions",
}
COLOURS = {
    "color_primaries": "primaries",
    "color_transfer_characteristics": "transfer",
    "color_matrix_coefficients": "matrix",
}


@dataclass
class Stream:
    """A stream with its properties: values by their names."""

    index: int
    kind: str
    properties: dict
    raw: dict = field(repr=False, default_factory=dict)
    frame: dict = field(repr=False, default_factory=dict)

    def rotation(self):
        """The number of quarter turns to show it upright; `None` for other angles."""
        angle = self.properties.get("rotation", (0,))[0]
        return angle // 90 % 4 if angle % 90 == 0 else None


@dataclass
class Media:
    """A file as one program shows it."""

    streams: list
    properties: dict
    form: str = "matroska"

    def of_kind(self, kind):
        """Its streams of a kind, in their order."""
        return [stream for stream in self.streams if stream.kind == kind]


def run_json(*command):
    """The JSON that a program prints; `None` if it fails."""
    done = subprocess.run(command, capture_output=True, timeout=300, check=False)
    try:
        return json.loads(done.stdout.decode(errors="replace"))
    except ValueError:
        return None


@functools.lru_cache(maxsize=1024)
def by_ffprobe(path, with_frames=True):
    """A file as ffprobe shows it; `None` where it cannot be read."""
    wanted = [f"-show_{part}" for part in ("streams", "format", "chapters", "programs")]
    shown = run_json(*PROBE, *wanted, f"file:{path}")
    if not shown or not shown.get("streams"):
        return None
    frames = first_frames(path) if with_frames else []
    streams = [ffprobe_stream(stream, frames) for stream in shown["streams"]]
    return Media(streams, file_properties(shown), shown["format"]["format_name"])


def first_frames(path):
    """The first frames of all video streams."""
    some = ["-select_streams", "V", "-read_intervals", f"%+#{FRAMES}", "-show_frames"]
    return (run_json(*PROBE, *some, f"file:{path}") or {}).get("frames", [])


def ffprobe_stream(raw, frames):
    """A stream as ffprobe shows it, with what its first frames add."""
    own = [frame for frame in frames if frame.get("stream_index") == raw["index"]]
    kind = kind_of(raw)
    found = dict(text_properties(raw)) | dict(mark_properties(raw))
    if kind == "video":
        found |= video_properties(raw) | frame_properties(own)
    if kind == "audio":
        found |= audio_properties(raw)
    if kind in ("attachment", "cover"):
        return Stream(raw["index"], kind, named_file(lower_tags(raw)), raw)
    # The container goes before the frames, as in players.
    found |= side_properties(raw.get("side_data_list", []))
    return Stream(raw["index"], kind, found, raw, own[0] if own else {})


def named_file(tags):
    """The properties of an attached file."""
    keys = {"filename": "file name", "mimetype": "media type", "title": "title"}
    keys["comment"] = "tag comment"
    return {new: tags[old] for old, new in keys.items() if tags.get(old)}


def kind_of(raw):
    """The kind of a stream; attached pictures are covers."""
    kind = raw.get("codec_type", "data")
    is_cover = kind == "video" and raw.get("disposition", {}).get("attached_pic")
    return "cover" if is_cover else kind


def lower_tags(raw):
    """Tags by their names in lower case: containers change the case."""
    return {name.lower(): value for name, value in raw.get("tags", {}).items()}


def text_properties(raw):
    """Title, language, timecode and further tags of a stream."""
    tags = lower_tags(raw)
    title = tags.get("title") or tags.get("name")
    handler = tags.get("handler_name", "")
    if not title and handler.strip() and not USUAL_HANDLERS.search(handler):
        title = handler
    if title:
        yield "title", title
    if tags.get("language", "und") != "und":
        yield "language", tags["language"]
    if tags.get("timecode"):
        yield "timecode", tags["timecode"]
    for name, value in tags.items():
        base = name.split("-")[0]
        if base not in ABOUT_STREAM and not base.startswith("_statistics_"):
            yield f"tag {name}", value


def mark_properties(raw):
    """Dispositions that describe a stream to people."""
    storage = {"attached_pic", "timed_thumbnails", "dependent", "still_image", "metadata"}
    for name, value in raw.get("disposition", {}).items():
        if value and name not in storage:
            yield f"mark {name}", "1"


def video_properties(raw):
    """Colours and shape of a video stream."""
    names = {"color_primaries": "primaries", "color_transfer": "transfer", "color_space": "matrix"}
    found = {new: raw[old] for old, new in names.items() if raw.get(old, "unknown") != "unknown"}
    if raw.get("color_range") == "pc":
        found["range"] = "pc"
    alpha = transparency(raw)
    if alpha:
        found["alpha"] = alpha
    aspect = shown_aspect(raw)
    if aspect:
        found["aspect"] = aspect
    return found


def transparency(raw):
    """Whether the pixel format has transparency; a GIF may have it and still be opaque."""
    is_tagged = lower_tags(raw).get("alpha_mode") == "1"
    if is_tagged or re.match(r"yuva|rgba|bgra|argb|abgr|gbrap|ya\d", raw.get("pix_fmt", "")):
        return "maybe" if raw.get("codec_name") == "gif" else "there"
    return None


def shown_aspect(raw):
    """Width and height of a frame in square pixels, before rotation."""
    width, height = raw.get("width", 0), raw.get("height", 0)
    sample = raw.get("sample_aspect_ratio", "1:1").split(":")
    if not width or not height:
        return None
    ratio = Fraction(int(sample[0]), int(sample[1])) if "0" not in sample else Fraction(1)
    return (float(width * ratio), height)


def audio_properties(raw):
    """Channels of an audio stream."""
    found = {}
    if raw.get("channels"):
        found["channels"] = raw["channels"]
    bits = int(raw.get("bits_per_raw_sample") or raw.get("bits_per_sample") or 0)
    if bits:
        found["bits"] = bits
    layout = raw.get("channel_layout", "unknown")
    if layout != "unknown" and "channels" not in layout:
        found["layout"] = layout
    return found


def side_properties(entries):
    """Side data by its name, with its numbers made comparable."""
    found = {}
    for entry in entries:
        name = entry.get("side_data_type", "")
        if name in ABOUT_CODING or not name:
            continue
        if name == "Display Matrix":
            turn = rotation_of(entry)
            if turn:
                found["rotation"] = turn
            continue
        if name == "Audio Service Type" and not entry.get("service_type"):
            # The main service is what every stream is.
            continue
        values = {key: comparable(value) for key, value in entry.items() if key != "side_data_type"}
        found[name] = tuple(sorted(values.items()))
    return found


def rotation_of(entry):
    """The angle and the signs of the matrix, which show mirroring; `None` for upright frames."""
    rows = re.findall(r"\d+:((?:\s+-?\d+){3})", entry.get("displaymatrix", ""))
    numbers = [int(number) for row in rows[:2] for number in row.split()[:2]]
    signs = tuple((number > 0) - (number < 0) for number in numbers)
    is_plain = signs in ((1, 0, 0, 1), ())
    return None if is_plain else (round(float(entry.get("rotation", 0))), signs)


def comparable(value):
    """Fractions and numbers as rounded numbers; others as text."""
    try:
        return round(float(Fraction(str(value))), 4)
    except (ValueError, ZeroDivisionError):
        return str(value)


def frame_properties(frames):
    """Side data of the first frames of a stream."""
    found = {}
    for frame in frames:
        for name, value in side_properties(frame.get("side_data_list", [])).items():
            is_valued = name.startswith(("Mastering", "Content light"))
            found.setdefault(name, value if is_valued else "there")
    # Players take the rotation of the container. A timecode that starts at 0 only counts frames.
    for name in ("rotation", *TIMECODES):
        found.pop(name, None)
    first = timecode_of(frames[0]) if frames else None
    if first and not re.fullmatch(r"[0:;.]+", first):
        found["frames' timecode"] = first
    return found


def timecode_of(frame):
    """The timecode that a frame carries, if any."""
    for entry in frame.get("side_data_list", []):
        if entry.get("side_data_type") in TIMECODES:
            listed = entry.get("timecodes") or [{"value": entry.get("timecode")}]
            return listed[0].get("value")
    return None


def file_properties(shown):
    """Tags and chapters of a whole file."""
    form = shown["format"]
    tags = lower_tags(form)
    found = {f"tag {name}": value for name, value in tags.items() if not is_about_file(name)}
    for program in shown.get("programs", []):
        for name, value in lower_tags(program).items():
            # FFmpeg and Libav write these by default.
            if value not in ("Service01", "FFmpeg", "Libav"):
                found[f"program {name}"] = value
    start = float(form.get("start_time", 0))
    lasting = [c for c in shown["chapters"] if float(c["end_time"]) > float(c["start_time"])]
    found |= {"chapters": len(lasting)} if lasting else {}
    for number, chapter in enumerate(lasting, 1):
        times = [float(chapter[key]) - start for key in ("start_time", "end_time")]
        found[f"chapter {number} times"] = tuple(times)
        if lower_tags(chapter).get("title"):
            found[f"chapter {number} title"] = lower_tags(chapter)["title"]
    return found


def is_about_file(name):
    """Whether a tag describes the file and not what is in it."""
    return name in ABOUT_FILE or name.startswith("encoder-")


@functools.lru_cache(maxsize=1024)
def by_mkvmerge(path):
    """A Matroska file as mkvmerge shows it; `None` where that is missing, or of another kind."""
    if not shutil.which("mkvmerge"):
        return None
    shown = run_json("mkvmerge", "-J", path) or {}
    if shown.get("container", {}).get("type") != "Matroska":
        return None
    streams = [mkvmerge_stream(track) for track in shown.get("tracks", [])]
    form = shown["container"]["properties"]
    found = {"tag title": form["title"]} if form.get("title") else {}
    chapters = sum(edition["num_entries"] for edition in shown.get("chapters", []))
    found |= {"chapters": chapters} if chapters else {}
    streams += [mkvmerge_file(attached) for attached in shown.get("attachments", [])]
    return Media(streams, found)


def mkvmerge_file(attached):
    """An attached file as mkvmerge shows it; it has no number among the tracks."""
    keys = {"file_name": "filename", "content_type": "mimetype", "description": "title"}
    tags = {new: attached.get(old) for old, new in keys.items()}
    kind = "cover" if tags["mimetype"] in ("image/jpeg", "image/png") else "attachment"
    return Stream(1000 + attached["id"], kind, named_file(tags), attached)


def mkvmerge_stream(track):
    """A track as mkvmerge shows it, by ffprobe's names."""
    raw = track["properties"]
    found = {f"mark {name}": "1" for flag, name in FLAGS.items() if raw.get(flag)}
    found |= {new: raw[old] for old, new in COLOURS.items() if raw.get(old, 2) != 2}
    if raw.get("track_name"):
        found["title"] = raw["track_name"]
    if raw.get("language", "und") != "und":
        found["language"] = raw["language"]
    if raw.get("audio_channels"):
        found["channels"] = raw["audio_channels"]
    if "x" in raw.get("display_dimensions", ""):
        found["aspect"] = tuple(float(side) for side in raw["display_dimensions"].split("x"))
    if raw.get("stereo_mode"):
        found["Stereo 3D"] = raw["stereo_mode"]
    kind = {"subtitles": "subtitle"}.get(track["type"], track["type"])
    return Stream(track["id"], kind, found, raw)
