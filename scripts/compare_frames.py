#!/usr/bin/env python3
"""What a Python program would take frames with; for scripts/compare-frames.

    compare_frames.py version PEER                  prints it; exits 1 where PEER is missing
    compare_frames.py PEER VIDEO TIMES [FOLDER]     takes the frames shown at TIMES

PEER is decord, av or opencv; TIMES is a file of ascending seconds, one a line.
The frames become arrays of 8-bit RGB (OpenCV: BGR) in memory, as each library
gives them. Prints how many there are and how long it took without the import.
With FOLDER, they are written there as 000001.ppm and so on.
"""

import sys
import time
from bisect import bisect_right
from pathlib import Path

# How many frames OpenCV passes by before it seeks: it does not tell where key frames are.
PASSED_BY = 100


def positions(starts, times):
    """For each time, which of the ascending starts is the last one not after it."""
    return [max(bisect_right(starts, at) - 1, 0) for at in times]


def load_decord():
    import decord

    return decord


def take_decord(decord, video, times):
    reader = decord.VideoReader(video)
    starts = reader.get_frame_timestamp(range(len(reader)))[:, 0]
    # It keeps its place between frames of one GOP, and decodes on.
    return list(reader.get_batch(positions(starts, times)).asnumpy())


def load_av():
    import av

    return av


def take_av(av, video, times):
    with av.open(video) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        # The times of frames, and which need no other, without decoding.
        packets = [p for p in container.demux(stream) if p.pts is not None and not p.is_discard]
        starts = sorted(p.pts for p in packets)
        keys = sorted(p.pts for p in packets if p.is_keyframe)
        # Times count from the file's beginning; half a tick makes up for rounding.
        begin = (container.start_time or 0) / av.time_base
        ticks = [(at + begin) / float(stream.time_base) + 0.5 for at in times]
        wanted = [starts[i] for i in positions(starts, ticks)]
        by_key = {}
        for pts, key in zip(wanted, positions(keys, wanted)):
            by_key.setdefault(keys[key], []).append(pts)
        frames = []
        for key, of_key in by_key.items():
            frames += decode_from(container, stream, key, of_key)
        return frames


def decode_from(container, stream, key, wanted):
    """The frames of ascending pts, decoded from the key frame before them."""
    frames = []
    container.seek(key, stream=stream)
    for frame in container.decode(stream):
        array = None
        while frame.pts == wanted[len(frames)]:
            array = frame.to_ndarray(format="rgb24") if array is None else array
            frames.append(array)
            if len(frames) == len(wanted):
                return frames
    return frames


def load_opencv():
    import cv2

    return cv2


def take_opencv(cv2, video, times):
    capture = cv2.VideoCapture(video)
    rate = capture.get(cv2.CAP_PROP_FPS)
    # It has no times of frames without decoding them: their rate is all there is.
    wanted = [int(at * rate + 1e-6) for at in times]
    frames = []
    at = 0  # the next frame's number
    for number in wanted:
        if frames and number == at - 1:
            frames.append(frames[-1])
            continue
        if number - at > PASSED_BY:
            capture.set(cv2.CAP_PROP_POS_FRAMES, number)
            at = number
        while at < number and capture.grab():
            at += 1
        there, frame = capture.read()
        if not there:
            break
        at += 1
        frames.append(frame)
    return frames


PEERS = {
    "decord": (load_decord, take_decord),
    "av": (load_av, take_av),
    "opencv": (load_opencv, take_opencv),
}


def write(frames, folder, is_bgr):
    for number, frame in enumerate(frames, 1):
        height, width, _ = frame.shape
        rgb = frame[:, :, ::-1] if is_bgr else frame
        header = f"P6 {width} {height} 255\n".encode()
        Path(folder, f"{number:06}.ppm").write_bytes(header + rgb.tobytes())


def main(arguments):
    if arguments[0] == "version":
        try:
            module = PEERS[arguments[1]][0]()
        except ImportError:
            return 1
        print(arguments[1], module.__version__)
        return 0
    peer, video, file, *folder = arguments
    load, take = PEERS[peer]
    times = [float(line) for line in Path(file).read_text().split()]
    module = load()
    began = time.perf_counter()
    frames = take(module, video, times)
    took = time.perf_counter() - began
    print(len(frames), f"{took:.3f}")
    if folder:
        write(frames, folder[0], peer == "opencv")
    return 0


sys.exit(main(sys.argv[1:]))
