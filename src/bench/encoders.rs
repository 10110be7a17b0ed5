//! Which encoders made the results, and of what version: two runs with other
//! ones may differ in nothing else.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::equal;
use super::matrix::Options;
use super::results::{Dispatch, Work};
use crate::media;
use crate::recipe::Copying;

/// An encoder of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoder {
    /// libav's name of it, e.g. `libx264`.
    pub name: String,
    /// Version of the linked one, as its library tells or its streams do; `None` where neither
    /// does.
    pub linked: Option<String>,
    /// Version of that of the ffmpeg program, as its streams tell.
    #[serde(default)]
    pub program: Option<String>,
}

/// How much of a result is read: what encoders write of themselves stands in the first packet.
const BEGINNING: u64 = 1 << 20;

/// How many results are looked into: a clip may be without sound.
const MOST_FILES: usize = 16;

impl Encoder {
    /// The encoders that `options` ask for, with what the linked libraries tell of them.
    pub(super) fn all(options: &Options) -> Vec<Self> {
        let mut names: Vec<&str> = vec![];
        if options.works.contains(&Work::Transcode) {
            let video = options.transcode.video.as_ref();
            let video = video.filter(|video| video.copy != Copying::Always);
            let audio = options.transcode.audio.as_ref();
            let audio = audio.filter(|audio| audio.copy != Copying::Always);
            names.extend(video.map(|video| video.encoder.as_str()));
            names.extend(audio.map(|audio| audio.encoder.as_str()));
        }
        if options.works.contains(&Work::Frames) {
            names.push(options.frames.format.encoder_name());
        }
        let of = |name: &str| Self {
            name: name.to_owned(),
            linked: media::encoder_version(name),
            program: None,
        };
        names.into_iter().map(of).collect()
    }

    /// Its version in words.
    pub fn told(&self) -> String {
        match (&self.linked, &self.program) {
            (None, None) => "not known".to_owned(),
            (Some(linked), Some(program)) if linked != program => {
                format!("{linked}; of the ffmpeg program {program}")
            }
            (Some(known), _) | (None, Some(known)) => known.clone(),
        }
    }
}

/// Adds to `encoders` what the results of `dispatch` below `folder` tell of who made them.
pub(super) fn read(encoders: &mut [Encoder], folder: &Path, dispatch: Dispatch) {
    for file in equal::files(folder).into_iter().take(MOST_FILES) {
        let missing = |encoder: &Encoder| match dispatch {
            Dispatch::Processes => encoder.program.is_none(),
            Dispatch::Threads | Dispatch::Workers => encoder.linked.is_none(),
        };
        if !encoders.iter().any(missing) {
            return;
        }
        let Some(bytes) = beginning(&folder.join(file)) else {
            continue;
        };
        for encoder in encoders.iter_mut().filter(|encoder| missing(encoder)) {
            let told = signature(&encoder.name, &bytes);
            match dispatch {
                Dispatch::Processes => encoder.program = told,
                Dispatch::Threads | Dispatch::Workers => encoder.linked = told,
            }
        }
    }
}

fn beginning(file: &Path) -> Option<Vec<u8>> {
    let mut bytes = vec![];
    let file = File::open(file).ok()?;
    file.take(BEGINNING).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// What an encoder of libav's `name` writes of its version into its streams.
fn signature(name: &str, bytes: &[u8]) -> Option<String> {
    let between = |from: &str, to: &[char]| {
        let start = find(bytes, from.as_bytes())? + from.len();
        // Text of a stream is not trusted to end.
        let text = &bytes[start..bytes.len().min(start + 64)];
        let text = String::from_utf8_lossy(text);
        let end = text.find(|c: char| to.contains(&c) || !(' '..='~').contains(&c));
        Some(text[..end.unwrap_or(text.len())].trim().to_owned()).filter(|text| !text.is_empty())
    };
    match name {
        // x264 - core 164 r3095 baee400 - H.264/MPEG-4 AVC codec - …
        "libx264" => between("x264 - ", &['-']),
        // x265 (build 199) - 3.5+1-f0c1022b6:[Linux][GCC …
        "libx265" => between("x265 (build ", &[':'])?
            .split_once(" - ")
            .map(|(_, version)| version.to_owned()),
        "libmp3lame" => between("LAME", &[' ', 'U']),
        // libav's own sign with the library's version: Lavc59.37.100
        "aac" | "mjpeg" => {
            let text = between("Lavc", &[' '])?;
            let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
            Some(&text[..end.unwrap_or(text.len())])
                .filter(|version| !version.is_empty())
                .map(|version| format!("libavcodec {version}"))
        }
        _ => None,
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_encoders_write_of_themselves_is_read_among_other_bytes() {
        let read = |name: &str, text: &str| {
            let bytes = [&[0, 255, 7][..], text.as_bytes(), &[0, 128, 200]].concat();
            signature(name, &bytes)
        };
        let x264 = "x264 - core 164 r3095 baee400 - H.264/MPEG-4 AVC codec - Copyleft";
        assert_eq!(
            read("libx264", x264).unwrap(),
            "core 164 r3095 baee400",
            "{x264}"
        );
        let x265 = "x265 (build 199) - 3.5+1-f0c1022b6:[Linux][GCC 12.2.0][64 bit] 8bit";
        assert_eq!(read("libx265", x265).unwrap(), "3.5+1-f0c1022b6");
        assert_eq!(read("libmp3lame", "LAME3.100UUUU").unwrap(), "3.100");
        assert_eq!(
            read("aac", "Lavc59.37.100").unwrap(),
            "libavcodec 59.37.100"
        );
        assert_eq!(read("libvpx-vp9", x264), None);
        for torn in ["", "x264 - ", "x265 (build 199)", "Lavc"] {
            for name in ["libx264", "libx265", "aac", "libmp3lame"] {
                assert_eq!(read(name, torn), None, "{name}: {torn}");
            }
        }
    }

    #[test]
    fn two_versions_of_one_encoder_are_both_told() {
        let of = |linked: Option<&str>, program: Option<&str>| Encoder {
            name: "libx264".into(),
            linked: linked.map(str::to_owned),
            program: program.map(str::to_owned),
        };
        assert_eq!(of(None, None).told(), "not known");
        assert_eq!(of(Some("1"), None).told(), "1");
        assert_eq!(of(None, Some("2")).told(), "2");
        assert_eq!(of(Some("1"), Some("1")).told(), "1");
        assert_eq!(
            of(Some("1"), Some("2")).told(),
            "1; of the ffmpeg program 2"
        );
    }
}
