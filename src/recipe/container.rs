//! The files that results are put into, and what each can hold.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::Sink;

/// A container format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// MPEG-4: plays nearly everywhere.
    #[default]
    Mp4,
    /// QuickTime: what editing programs like.
    Mov,
    /// Matroska: holds nearly everything.
    Mkv,
    /// WebM: VP8, VP9 and AV1 with Vorbis or Opus.
    Webm,
    /// MPEG-4 with sound alone.
    M4a,
}

impl Container {
    /// The file ending, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Container::Mp4 => "mp4",
            Container::Mov => "mov",
            Container::Mkv => "mkv",
            Container::Webm => "webm",
            Container::M4a => "m4a",
        }
    }

    /// libav's name of the muxer.
    pub fn muxer(self) -> &'static str {
        match self {
            Container::Mp4 => "mp4",
            Container::Mov => "mov",
            Container::Mkv => "matroska",
            Container::Webm => "webm",
            Container::M4a => "ipod",
        }
    }

    /// The muxer with its options, for a source that has tags of free names or not.
    pub(crate) fn sink(self, has_free_tags: bool) -> Sink {
        let options = match self {
            // The index goes to the front, so that a browser can start at once.
            Container::Mp4 | Container::Mov | Container::M4a => {
                let tags = if has_free_tags {
                    "+use_metadata_tags"
                } else {
                    ""
                };
                vec![("movflags".into(), format!("+faststart{tags}"))]
            }
            Container::Mkv | Container::Webm => vec![],
        };
        Sink::File {
            muxer: self.muxer().into(),
            options,
        }
    }

    /// The encoder for subtitles of text that the container cannot hold as they are.
    pub(super) fn text_encoder(self) -> Option<&'static str> {
        match self {
            Container::Mp4 | Container::Mov => Some("mov_text"),
            Container::Mkv => Some("srt"),
            Container::Webm => Some("webvtt"),
            Container::M4a => None,
        }
    }

    /// Whether files such as fonts can be attached.
    pub(super) fn takes_attachments(self) -> bool {
        self == Container::Mkv
    }

    /// The name by which players know a codec where the muxer's own choice is another.
    pub(super) fn tag(self, codec: &str) -> Option<String> {
        match self {
            // Apple's players refuse `hev1`, the muxer's choice.
            Container::Mp4 | Container::Mov if codec == "hevc" => Some("hvc1".into()),
            _ => None,
        }
    }
}

impl std::fmt::Display for Container {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.extension())
    }
}
