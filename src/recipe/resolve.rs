//! From a recipe and a probed source to a [`Pipeline`].

use super::sound::format_for;
use super::{
    Audio, AudioTrack, EncoderSpec, Frames, PictureFormat, Pipeline, Rate, Recipe, Sink, Size,
    Transcode, Video, VideoTrack,
};
use crate::error::{Error, Result};
use crate::job::{MediaInfo, Ratio, StreamInfo, StreamKind};

/// Resolves `recipe` for the streams of `media`.
///
/// # Errors
/// Says what the source lacks.
pub fn resolve(recipe: &Recipe, media: &MediaInfo) -> Result<Pipeline> {
    match recipe {
        Recipe::Transcode(transcode) => resolve_transcode(transcode, media),
        Recipe::Frames(frames) => resolve_frames(frames, media),
    }
}

fn resolve_transcode(recipe: &Transcode, media: &MediaInfo) -> Result<Pipeline> {
    let picture = picture_of(media)?;
    Ok(Pipeline {
        input_format: media.format.clone(),
        video: VideoTrack {
            stream: picture.stream,
            orient: picture.orient.clone(),
            filter: transcode_filter(&recipe.video, &picture),
            encoder: recipe.video.encoder_spec(),
            time_base: fine_time_base(recipe.video.fps.unwrap_or(picture.frame_rate)),
        },
        audio: media
            .audio()
            .filter_map(|stream| audio_track(&recipe.audio, stream))
            .collect(),
        sink: Sink::File {
            muxer: "mp4".into(),
            options: vec![("movflags".into(), "+faststart".into())],
        },
        codec_threads: recipe.codec_threads.0.max(1),
    })
}

fn resolve_frames(recipe: &Frames, media: &MediaInfo) -> Result<Pipeline> {
    let picture = picture_of(media)?;
    let (encoder, pixel_format, qscale) = match recipe.format {
        PictureFormat::Jpeg => ("mjpeg", "yuvj420p", Some(recipe.quality)),
        PictureFormat::Png => ("png", "rgb24", None),
    };
    // Rounding up makes picture n the last frame with pts ≤ n·every: the one a player shows then.
    let mut filters = vec![format!(
        "fps=fps={}/{}:round=up:start_time=0",
        recipe.every.den, recipe.every.num
    )];
    let own = picture.size();
    filters.push(scale_to(
        recipe.fit.map_or(own, |fit| picture.fitted(fit, 1)),
        &picture,
    ));
    filters.push(format!("format={pixel_format}"));
    Ok(Pipeline {
        input_format: media.format.clone(),
        video: VideoTrack {
            stream: picture.stream,
            orient: picture.orient.clone(),
            filter: filters.join(","),
            encoder: EncoderSpec {
                name: encoder.into(),
                options: vec![],
                qscale,
            },
            time_base: recipe.every,
        },
        audio: vec![],
        sink: Sink::Pictures {
            extension: recipe.format.extension().into(),
        },
        codec_threads: recipe.codec_threads.0.max(1),
    })
}

/// The video stream of a source, as displayed.
struct Picture {
    stream: usize,
    width: u32,
    height: u32,
    frame_rate: Ratio,
    orient: String,
}

fn picture_of(media: &MediaInfo) -> Result<Picture> {
    let Some(stream) = media.main_video() else {
        let holds: Vec<_> = media
            .streams
            .iter()
            .map(|stream| stream.codec.as_str())
            .collect();
        let holds = if holds.is_empty() {
            "no stream at all".into()
        } else {
            holds.join(", ")
        };
        return Err(Error::failed(format!(
            "has no video stream that can be decoded (it holds {holds})"
        )));
    };
    let StreamKind::Video {
        width,
        height,
        frame_rate,
        ref orient,
    } = stream.kind
    else {
        return Err(Error::failed("has no video stream"));
    };
    let turned = orient.contains("transpose");
    let (width, height) = if turned {
        (height, width)
    } else {
        (width, height)
    };
    Ok(Picture {
        stream: stream.index,
        width,
        height,
        frame_rate,
        orient: orient.clone(),
    })
}

impl Picture {
    fn size(&self) -> Size {
        Size {
            width: self.width,
            height: self.height,
        }
    }

    /// The largest size inside `fit` with this aspect, not above this size, in multiples of `step`.
    fn fitted(&self, fit: Size, step: u32) -> Size {
        let (width, height) = (f64::from(self.width.max(1)), f64::from(self.height.max(1)));
        let factor = (f64::from(fit.width) / width)
            .min(f64::from(fit.height) / height)
            .min(1.0);
        let round =
            |length: f64| (((length * factor / f64::from(step)).round() as u32) * step).max(step);
        Size {
            width: round(width),
            height: round(height),
        }
    }
}

fn transcode_filter(video: &Video, picture: &Picture) -> String {
    let own = picture.size();
    // 4:2:0 pictures have even sizes.
    let size = picture.fitted(video.fit.unwrap_or(own), 2);
    let mut filters = Vec::new();
    filters.extend(
        video
            .fps
            .map(|fps| format!("fps=fps={}/{}", fps.num, fps.den)),
    );
    filters.push(scale_to(size, picture));
    filters.push("format=yuv420p".into());
    filters.join(",")
}

/// The one place where size and pixel format change: without it, libav would
/// insert a conversion of its own, before or after turning the picture upright
/// as it sees fit. Where nothing changes, the filter passes frames on.
fn scale_to(size: Size, picture: &Picture) -> String {
    if size.width == picture.width && size.height == picture.height {
        "scale=flags=bicubic".into()
    } else {
        format!("scale={}:{}:flags=bicubic", size.width, size.height)
    }
}

impl Video {
    /// The encoder and its options.
    pub fn encoder_spec(&self) -> EncoderSpec {
        let mut options = Vec::new();
        if let Some(speed) = &self.speed {
            options.push(("preset".to_owned(), speed.clone()));
        }
        options.push(match self.rate {
            Rate::Quality(crf) => ("crf".to_owned(), crf.to_string()),
            Rate::Bitrate(bits) => ("b".to_owned(), bits.to_string()),
        });
        EncoderSpec {
            name: self.encoder.clone(),
            options,
            qscale: None,
        }
    }
}

fn audio_track(audio: &Audio, stream: &StreamInfo) -> Option<AudioTrack> {
    let StreamKind::Audio {
        sample_rate,
        channels,
        ref layout,
    } = stream.kind
    else {
        return None;
    };
    let format = format_for(&audio.encoder, sample_rate, channels, layout);
    Some(AudioTrack {
        stream: stream.index,
        // `async=1` fills gaps with silence, so that sound stays in sync.
        filter: format!("aresample=async=1,aformat={format}"),
        encoder: EncoderSpec {
            name: audio.encoder.clone(),
            options: vec![("b".to_owned(), audio.bitrate.to_string())],
            qscale: None,
        },
    })
}

/// The smallest multiple of the frame rate's numerator that is at least 90,000
/// ticks a second: constant frame rates are exact in it, and any other
/// timestamp is within 6 µs.
fn fine_time_base(frame_rate: Ratio) -> Ratio {
    const TICKS: i32 = 90_000;
    if !frame_rate.is_positive() || frame_rate.num > 1_000_000 {
        return Ratio::new(1, TICKS);
    }
    let factor = (TICKS + frame_rate.num - 1) / frame_rate.num;
    Ratio::new(1, frame_rate.num * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(kind: StreamKind) -> MediaInfo {
        MediaInfo {
            format: "matroska,webm".into(),
            duration_s: Some(2.0),
            streams: vec![StreamInfo {
                index: 0,
                kind,
                codec: "h264".into(),
                decodable: true,
                is_default: true,
                duration_s: None,
            }],
        }
    }

    fn video(width: u32, height: u32, orient: &str) -> MediaInfo {
        media(StreamKind::Video {
            width,
            height,
            frame_rate: Ratio::new(25, 1),
            orient: orient.into(),
        })
    }

    fn transcode(fit: Option<Size>) -> Recipe {
        Recipe::Transcode(Transcode {
            video: Video {
                fit,
                ..Video::default()
            },
            ..Transcode::default()
        })
    }

    const BOX_720P: Size = Size {
        width: 1280,
        height: 720,
    };

    #[test]
    fn a_picture_that_fits_is_not_scaled() {
        let pipeline = resolve(&transcode(Some(BOX_720P)), &video(640, 480, "")).unwrap();
        assert_eq!(pipeline.video.filter, "scale=flags=bicubic,format=yuv420p");
    }

    #[test]
    fn a_picture_is_scaled_into_the_box_with_its_aspect() {
        let pipeline = resolve(&transcode(Some(BOX_720P)), &video(1440, 1080, "")).unwrap();
        assert_eq!(
            pipeline.video.filter,
            "scale=960:720:flags=bicubic,format=yuv420p"
        );
    }

    #[test]
    fn odd_sizes_become_even_for_420() {
        let pipeline = resolve(&transcode(None), &video(321, 241, "")).unwrap();
        assert_eq!(
            pipeline.video.filter,
            "scale=322:242:flags=bicubic,format=yuv420p"
        );
    }

    #[test]
    fn a_turned_picture_is_fitted_as_it_is_displayed() {
        let pipeline = resolve(
            &transcode(Some(BOX_720P)),
            &video(1920, 1080, "transpose=clock"),
        )
        .unwrap();
        assert_eq!(
            pipeline.video.filter,
            "scale=406:720:flags=bicubic,format=yuv420p"
        );
    }

    #[test]
    fn the_time_base_holds_constant_rates_exactly() {
        for (rate, ticks) in [
            ((25, 1), 90_000),
            ((24_000, 1001), 96_000),
            ((30_000, 1001), 90_000),
        ] {
            let base = fine_time_base(Ratio::new(rate.0, rate.1));
            assert_eq!(base, Ratio::new(1, ticks));
            assert_eq!(i64::from(ticks) * i64::from(rate.1) % i64::from(rate.0), 0);
        }
        assert_eq!(fine_time_base(Ratio::new(0, 1)), Ratio::new(1, 90_000));
    }

    #[test]
    fn a_source_without_video_is_refused_with_what_it_holds() {
        let sound = media(StreamKind::Audio {
            sample_rate: 44_100,
            channels: 2,
            layout: "stereo".into(),
        });
        let error = resolve(&transcode(None), &sound).unwrap_err();
        assert!(error.to_string().contains("no video stream"), "{error}");
    }
}
