//! Flags that say how video and sound are encoded.

use clap::Args;

use super::values;
use crate::error::{Error, Result};
use crate::job::Ratio;
use crate::media;
use crate::recipe::{Audio, CodecThreads, Rate, Size, Transcode, Video};

/// How video and sound are encoded.
#[derive(Debug, Args)]
pub struct Encoding {
    /// Video encoder, by libav's name.
    #[arg(long, value_name = "NAME", default_value = "libx264")]
    pub vcodec: String,

    /// Constant quality on the encoder's scale; lower is better [default: 23].
    #[arg(long, value_name = "Q", value_parser = crf, conflicts_with = "bitrate")]
    pub crf: Option<f32>,

    /// Average video bit rate, such as 2M, instead of constant quality.
    #[arg(long, value_name = "RATE", value_parser = values::bit_rate)]
    pub bitrate: Option<u64>,

    /// The encoder's own speed preset [default: medium (bench: veryfast) for libx264 and libx265, else the encoder's].
    #[arg(long, value_name = "PRESET")]
    pub speed: Option<String>,

    /// Audio encoder, by libav's name.
    #[arg(long, value_name = "NAME", default_value = "aac")]
    pub acodec: String,

    /// Audio bit rate of each track.
    #[arg(long, value_name = "RATE", default_value = "128k", value_parser = values::bit_rate)]
    pub abitrate: u64,

    /// Box that pictures must fit, such as 1280x720; aspect kept, never enlarged.
    #[arg(long, value_name = "WxH", value_parser = values::size)]
    pub size: Option<Size>,

    /// Constant frame rate [default: the source's timing].
    #[arg(long, value_name = "RATE", value_parser = values::frame_rate)]
    pub fps: Option<Ratio>,
}

impl Encoding {
    /// The flags as a recipe; `speed` is that of libx264 and libx265 where none is given.
    ///
    /// # Errors
    /// Where the encoders are not linked.
    pub fn recipe(&self, codec_threads: usize, speed: &str) -> Result<Transcode> {
        for (flag, name) in [("--vcodec", &self.vcodec), ("--acodec", &self.acodec)] {
            if !media::has_encoder(name) {
                let copy = if name == "copy" {
                    "; a copied stream cannot be scaled or given a rate"
                } else {
                    ""
                };
                return Err(Error::usage(format!(
                    "{flag} {name}: the linked FFmpeg has no such encoder{copy}"
                ))
                .cure("`rushes doctor` lists the encoders that are there"));
            }
        }
        let video = self.video(speed);
        try_out(&video)?;
        Ok(Transcode {
            video,
            audio: Audio {
                encoder: self.acodec.clone(),
                bitrate: self.abitrate,
            },
            codec_threads: CodecThreads(codec_threads),
        })
    }

    fn video(&self, speed: &str) -> Video {
        let names_speeds = matches!(self.vcodec.as_str(), "libx264" | "libx265");
        Video {
            encoder: self.vcodec.clone(),
            rate: match (self.bitrate, self.crf) {
                (Some(bits), _) => Rate::Bitrate(bits),
                (None, crf) => Rate::Quality(crf.unwrap_or(23.0)),
            },
            speed: self
                .speed
                .clone()
                .or_else(|| names_speeds.then(|| speed.to_owned())),
            fit: self.size,
            fps: self.fps,
        }
    }
}

/// What an encoder refuses, it refuses for every job: it is told once, before any starts.
fn try_out(video: &Video) -> Result<()> {
    let Err(error) = media::try_video_encoder(&video.encoder_spec()) else {
        return Ok(());
    };
    let name = &video.encoder;
    let without_speed = Video {
        speed: None,
        ..video.clone()
    };
    match &video.speed {
        Some(speed) if media::try_video_encoder(&without_speed.encoder_spec()).is_ok() => {
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

fn crf(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(crf) if (0.0..=63.0).contains(&crf) => Ok(crf),
        _ => Err(format!("'{text}' is not between 0 and 63")),
    }
}
