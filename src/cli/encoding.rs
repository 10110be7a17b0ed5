//! Flags that say how video and sound are encoded, laid over a recipe.

use clap::Args;

use super::encoders;
use crate::error::{Error, Result};
use crate::job::Ratio;
use crate::recipe::{Audio, Copying, Deinterlace, Hdr, Rate, Size, Transcode, Video, knows_crf};
use crate::values;

/// How video and sound are encoded, where not as the recipe says.
#[derive(Debug, Default, Args)]
pub struct Encoding {
    /// Video encoder by libav's name, or `copy`, or `none` [default: libx264].
    #[arg(
        help_heading = "How pictures and sound are encoded",
        long,
        value_name = "NAME"
    )]
    pub vcodec: Option<String>,

    /// Constant quality on the encoder's scale; lower is better [default: 23, where it has such a
    /// scale].
    #[arg(help_heading = "How pictures and sound are encoded", long, value_name = "Q", value_parser = crf, conflicts_with = "bitrate")]
    pub crf: Option<f32>,

    /// Average video bit rate, such as 2M, instead of constant quality.
    #[arg(help_heading = "How pictures and sound are encoded", long, value_name = "RATE", value_parser = values::bit_rate)]
    pub bitrate: Option<u64>,

    /// The encoder's own speed preset [default: medium (bench: veryfast) for libx264 and libx265,
    /// else the encoder's].
    #[arg(
        help_heading = "How pictures and sound are encoded",
        long,
        value_name = "PRESET"
    )]
    pub speed: Option<String>,

    /// Audio encoder by libav's name, or `copy`, or `none` [default: aac].
    #[arg(
        help_heading = "How pictures and sound are encoded",
        long,
        value_name = "NAME"
    )]
    pub acodec: Option<String>,

    /// Audio bit rate of each stereo track; more or fewer channels get more or less of it
    /// [default: 128k].
    #[arg(help_heading = "How pictures and sound are encoded", long, value_name = "RATE", value_parser = values::bit_rate)]
    pub abitrate: Option<u64>,

    /// Box that pictures must fit, such as 1280x720, or 720x1280 where they are upright; aspect
    /// kept, never enlarged.
    #[arg(help_heading = "How pictures and sound are encoded", long, value_name = "WxH", value_parser = values::size)]
    pub size: Option<Size>,

    /// Constant frame rate [default: the source's timing].
    #[arg(help_heading = "How pictures and sound are encoded", long, value_name = "RATE", value_parser = values::frame_rate)]
    pub fps: Option<Ratio>,

    /// Whether pictures of two fields, as of television, become whole [default: auto].
    #[arg(
        help_heading = "How pictures and sound are encoded",
        long,
        value_name = "WHICH",
        value_enum
    )]
    pub deinterlace: Option<Deinterlace>,

    /// What becomes of high dynamic range (HLG, PQ): tone-map it where the result has fewer than
    /// 10 bits, keep it, or tone-map it always [default: auto].
    #[arg(
        help_heading = "How pictures and sound are encoded",
        long,
        value_name = "WHICH",
        value_enum
    )]
    pub hdr: Option<Hdr>,
}

impl Encoding {
    /// Their ids, for a flag that none of them goes with.
    pub const FLAGS: [&str; 10] = [
        "vcodec",
        "crf",
        "bitrate",
        "speed",
        "acodec",
        "abitrate",
        "size",
        "fps",
        "deinterlace",
        "hdr",
    ];

    /// Lays the flags over `recipe`; `speed` is that of libx264 and libx265 where none is given.
    ///
    /// # Errors
    /// Where flags contradict each other or the recipe, and where the encoders
    /// are not linked or refuse their options.
    pub fn apply(&self, recipe: &mut Transcode, speed: &str) -> Result<()> {
        self.apply_video(recipe, speed)?;
        self.apply_audio(recipe)?;
        if recipe.video.is_none() && recipe.audio.is_none() {
            return Err(Error::usage(
                "--vcodec none --acodec none: nothing would be left of the source",
            )
            .cure("leave one of them out"));
        }
        encoders::check(recipe)
    }

    fn apply_video(&self, recipe: &mut Transcode, speed: &str) -> Result<()> {
        let given = self.video_flags();
        match self.vcodec.as_deref() {
            Some(name @ ("copy" | "none")) => {
                if let Some((flag, does)) = given.first() {
                    return Err(contradiction("--vcodec", name, "video", flag, does));
                }
                recipe.video = (name == "copy").then(|| Video {
                    copy: Copying::Always,
                    ..recipe.video.take().unwrap_or_default()
                });
                return Ok(());
            }
            Some(name) => {
                let before = recipe.video.take().unwrap_or_default();
                recipe.video = Some(with_encoder(before, name, speed));
            }
            None => {}
        }
        let Some(video) = &mut recipe.video else {
            return match given.first() {
                Some((flag, _)) => Err(Error::usage(format!(
                    "{flag}: the preset '{}' takes no pictures",
                    recipe.name
                ))
                .cure("name an encoder with --vcodec, or leave the flag out")),
                None => Ok(()),
            };
        };
        if matches!(video.copy, Copying::Always)
            && let Some((flag, does)) = given.first()
        {
            return Err(contradiction("--preset", &recipe.name, "video", flag, does));
        }
        self.lay_over(video);
        Ok(())
    }

    fn lay_over(&self, video: &mut Video) {
        let encodes = self.vcodec.is_some()
            || self.crf.is_some()
            || self.bitrate.is_some()
            || self.speed.is_some();
        if encodes {
            video.copy = Copying::Never;
        }
        video.rate = match (self.bitrate, self.crf) {
            (Some(bits), _) => Some(Rate::Bitrate(bits)),
            (None, Some(crf)) => Some(Rate::Quality(crf)),
            (None, None) => video.rate,
        };
        video.speed = self.speed.clone().or(video.speed.take());
        video.fit = self.size.or(video.fit);
        video.fps = self.fps.or(video.fps);
        video.deinterlace = self.deinterlace.unwrap_or(video.deinterlace);
        video.hdr.choice = self.hdr.unwrap_or(video.hdr.choice);
    }

    /// The flags given that only make sense where pictures are encoded, and what each does.
    fn video_flags(&self) -> Vec<(&'static str, &'static str)> {
        let flags = [
            (self.size.is_some(), "--size", "scales it"),
            (self.fps.is_some(), "--fps", "changes its times"),
            (self.bitrate.is_some(), "--bitrate", "gives it a bit rate"),
            (self.crf.is_some(), "--crf", "gives it a quality"),
            (self.speed.is_some(), "--speed", "tells how to encode it"),
            (
                self.deinterlace == Some(Deinterlace::On),
                "--deinterlace on",
                "makes its pictures anew",
            ),
            (
                self.hdr == Some(Hdr::Tonemap),
                "--hdr tonemap",
                "changes its colours",
            ),
        ];
        flags
            .into_iter()
            .filter(|(given, ..)| *given)
            .map(|(_, flag, does)| (flag, does))
            .collect()
    }

    fn apply_audio(&self, recipe: &mut Transcode) -> Result<()> {
        match (self.acodec.as_deref(), self.abitrate) {
            (Some(name @ ("copy" | "none")), Some(_)) => {
                return Err(contradiction(
                    "--acodec",
                    name,
                    "sound",
                    "--abitrate",
                    "gives it a bit rate",
                ));
            }
            (Some("none"), None) => recipe.audio = None,
            (Some("copy"), None) => {
                recipe.audio = Some(Audio {
                    copy: Copying::Always,
                    ..recipe.audio.take().unwrap_or_default()
                });
            }
            (Some(name), bitrate) => {
                recipe.audio = Some(Audio {
                    encoder: name.to_owned(),
                    bitrate: bitrate.or(Audio::default().bitrate),
                    ..Audio::default()
                });
            }
            (None, Some(bitrate)) => {
                let name = &recipe.name;
                let Some(audio) = &mut recipe.audio else {
                    return Err(Error::usage(format!(
                        "--abitrate: the preset '{name}' takes no sound"
                    ))
                    .cure("name an encoder with --acodec, or leave the flag out"));
                };
                if matches!(audio.copy, Copying::Always) {
                    return Err(contradiction(
                        "--preset",
                        name,
                        "sound",
                        "--abitrate",
                        "gives it a bit rate",
                    ));
                }
                audio.bitrate = Some(bitrate);
                audio.copy = Copying::Never;
            }
            (None, None) => {}
        }
        Ok(())
    }
}

/// The same with another encoder, and of what was said of the one before all
/// that this one knows, too.
fn with_encoder(before: Video, name: &str, speed: &str) -> Video {
    if before.encoder == name {
        return before;
    }
    let usual = Video::default();
    // A quality is meant for encoders that know the scale.
    let knows = |rate: &Rate| matches!(rate, Rate::Bitrate(_)) || knows_crf(name);
    Video {
        encoder: name.to_owned(),
        speed: names_speeds(name).then(|| speed.to_owned()),
        fit: before.fit,
        fps: before.fps,
        deinterlace: before.deinterlace,
        hdr: before.hdr,
        rate: before.rate.or(usual.rate).filter(knows),
        ..usual
    }
}

/// Encoders whose presets have the names of x264.
fn names_speeds(encoder: &str) -> bool {
    matches!(encoder, "libx264" | "libx265")
}

fn contradiction(by: &str, name: &str, what: &str, flag: &str, does: &str) -> Error {
    let way = if name == "none" {
        format!("leaves the {what} out")
    } else {
        format!("takes the {what} as it is")
    };
    Error::usage(format!(
        "{by} {name} {way}, and {flag} {does}: both cannot be"
    ))
    .cure(format!("leave out {flag}, or {by} {name}"))
}

pub(super) fn crf(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(crf) if (0.0..=63.0).contains(&crf) => Ok(crf),
        _ => Err(format!("'{text}' is not between 0 and 63")),
    }
}
