"""Makes a slideshow with moviepy, for scripts/compare-slides.

    compare_slides.py version
    compare_slides.py FOLDER TARGET SLIDES LENGTH FADE

The pictures FOLDER/1.jpg … are seen for LENGTH seconds each, of which the last FADE go over
into the next one.
"""

import sys

import moviepy
from moviepy import CompositeVideoClip, ImageClip, vfx


def film(folder, slides, length, fade):
    clips = []
    for number in range(slides):
        lead = fade if number else 0.0
        clip = ImageClip(f"{folder}/{number + 1}.jpg", duration=length + lead)
        if number:
            clip = clip.with_effects([vfx.CrossFadeIn(fade)])
        clips.append(clip.with_start(number * length - lead))
    return CompositeVideoClip(clips).with_duration(slides * length)


def main(arguments):
    if arguments == ["version"]:
        print(f"moviepy {moviepy.__version__}")
        return
    folder, target, slides, length, fade = arguments
    film(folder, int(slides), float(length), float(fade)).write_videofile(
        target,
        fps=30,
        codec="libx264",
        preset="medium",
        audio=False,
        logger=None,
        ffmpeg_params=["-crf", "20", "-pix_fmt", "yuv420p", "-movflags", "+faststart"],
    )


main(sys.argv[1:])
