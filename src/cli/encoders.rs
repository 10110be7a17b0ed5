//! Whether the encoders that are asked for are there, and take what they are given.

use crate::error::{Error, Result};
use crate::media;
use crate::recipe::{Copying, Transcode, Video};

/// What keeps a recipe from every source is told once, before any job starts.
pub(super) fn check(recipe: &Transcode) -> Result<()> {
    if let Some(video) = encoded(recipe.video.as_ref(), |video| &video.copy) {
        linked("--vcodec", &video.encoder)?;
        fits("--vcodec", &video.encoder, recipe)?;
        try_out(video, recipe.codec_threads.0)?;
    }
    if let Some(audio) = encoded(recipe.audio.as_ref(), |audio| &audio.copy) {
        linked("--acodec", &audio.encoder)?;
        fits("--acodec", &audio.encoder, recipe)?;
    }
    Ok(())
}

fn encoded<'a, T, F: 'a>(
    rule: Option<&'a T>,
    copy: impl Fn(&'a T) -> &'a Copying<F>,
) -> Option<&'a T> {
    rule.filter(|rule| !matches!(copy(rule), Copying::Always))
}

/// Encoders of libraries of their own, which an FFmpeg may have been built without.
const OF_LIBRARIES: [&str; 7] = [
    "libx264",
    "libx265",
    "libsvtav1",
    "libvpx-vp9",
    "libopus",
    "libmp3lame",
    "libwebp",
];

pub(super) fn linked(flag: &str, name: &str) -> Result<()> {
    match media::has_encoder(name) {
        true => Ok(()),
        false => Err(missing(flag, name, &media::linked_version())),
    }
}

fn missing(flag: &str, name: &str, version: &str) -> Error {
    if OF_LIBRARIES.contains(&name) {
        return Error::usage(format!(
            "{flag} {name}: the linked FFmpeg {version} was built without this encoder"
        ))
        .cure(
            "build rushes against an FFmpeg that has it (Debian, Ubuntu: apt install libavcodec-dev; \
             Fedora: dnf install ffmpeg-devel, from RPM Fusion; macOS: brew install ffmpeg), or \
             name another encoder; `rushes doctor` lists those that are there",
        );
    }
    Error::usage(format!(
        "{flag} {name}: the linked FFmpeg has no such encoder"
    ))
    .cure("`rushes doctor` lists the encoders that are there")
}

fn fits(flag: &str, encoder: &str, recipe: &Transcode) -> Result<()> {
    let container = recipe.container;
    let codec = media::codec_of_encoder(encoder);
    if media::muxer_holds(container.muxer(), &codec) {
        return Ok(());
    }
    Err(Error::usage(format!(
        "{flag} {encoder}: {container} cannot hold {codec}"
    ))
    .cure("choose another container with --format (mkv holds nearly everything), or another encoder"))
}

/// What an encoder refuses, it refuses for every job.
pub(super) fn try_out(video: &Video, threads: usize) -> Result<()> {
    let pixels = video.pixel_format("yuv420p", 8);
    let opens =
        |video: &Video| media::try_video_encoder(&video.encoder_spec(threads.max(1)), &pixels);
    let Err(error) = opens(video) else {
        return Ok(());
    };
    let name = &video.encoder;
    let without_speed = Video {
        speed: None,
        ..video.clone()
    };
    match &video.speed {
        Some(speed) if opens(&without_speed).is_ok() => {
            Err(Error::usage(format!(
                "--speed {speed}: the encoder '{name}' has no such preset"
            ))
            .because(error)
            .cure(format!(
                "give one of its own presets, which `ffmpeg -h encoder={name}` tells of, or leave --speed out"
            )))
        }
        _ => Err(Error::usage(format!(
            "--vcodec {name}: the encoder does not take these options"
        ))
        .because(error)
        .cure("`rushes doctor` lists the encoders that are there; libx264 takes all flags")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ffmpeg_without_an_encoder_that_others_have_is_named_with_the_way_to_one_that_has_it() {
        let said = missing("--vcodec", "libx264", "7.1.5").report();
        for part in ["libx264", "FFmpeg 7.1.5", "apt install", "brew install"] {
            assert!(said.contains(part), "{said}");
        }
        let said = missing("--vcodec", "x246", "7.1.5").report();
        assert!(
            said.contains("rushes doctor") && !said.contains("apt"),
            "{said}"
        );
    }
}
