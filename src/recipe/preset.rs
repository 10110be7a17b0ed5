//! Recipes by name: the program's own, and a file of the user's that adds to them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

use super::{
    Audio, AudioFits, Container, Copying, Deinterlace, Hdr, Rate, Size, Transcode, Video, VideoFits,
};
use crate::document;
use crate::error::{Error, Result};
use crate::job::Ratio;
use crate::values;

/// The program's own presets.
const OWN: &str = include_str!("presets.toml");

/// How many presets may stand on each other by `base`.
const DEEPEST: usize = 16;

/// Hundreds of presets are far smaller.
const MOST_BYTES: u64 = 4 << 20;

/// All presets that are known, in the order of their files.
#[derive(Debug, Clone)]
pub struct Presets {
    tables: Table,
}

/// One preset as its file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What it is for, in a line.
    #[serde(default)]
    pub about: String,
    #[serde(default)]
    format: Container,
    video: Option<VideoPreset>,
    audio: Option<AudioPreset>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct VideoPreset {
    encoder: String,
    crf: Option<f32>,
    bitrate: Option<Written<BitRate>>,
    speed: Option<String>,
    size: Option<Written<Size>>,
    fps: Option<Written<Ratio>>,
    #[serde(default)]
    deinterlace: Deinterlace,
    #[serde(default)]
    hdr: Hdr,
    #[serde(default)]
    pixels: Vec<String>,
    #[serde(default)]
    options: BTreeMap<String, String>,
    fits: Option<VideoFitsPreset>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct VideoFitsPreset {
    codecs: Vec<String>,
    pixels: Vec<String>,
    bits_per_pixel: Option<f64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AudioPreset {
    encoder: String,
    bitrate: Option<Written<BitRate>>,
    #[serde(default)]
    options: BTreeMap<String, String>,
    fits: Option<AudioFitsPreset>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AudioFitsPreset {
    codecs: Vec<String>,
    bitrate: Option<Written<BitRate>>,
}

impl Presets {
    /// The program's own.
    ///
    /// # Errors
    /// Never, but for a defect.
    pub fn own() -> Result<Self> {
        let tables = OWN.parse().map_err(|error: toml::de::Error| {
            Error::failed("the built-in presets are wrong").because(error)
        })?;
        Ok(Self { tables })
    }

    /// Adds those of the file at `path`; one of the same name replaces.
    ///
    /// # Errors
    /// Where the file cannot be read or is wrong, with the line.
    pub fn add(&mut self, path: &Path) -> Result<()> {
        let shown = path.display();
        let text = document::read_text(path, MOST_BYTES).map_err(|error| {
            Error::usage(format!("cannot read the presets '{shown}'")).because(error)
        })?;
        let wrong = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::usage(format!("the presets '{shown}' are wrong"))
                .because(error)
                .cure("`rushes convert --preset help` names the fields")
        };
        let tables: Table = text
            .parse()
            .map_err(|error: toml::de::Error| wrong(Box::new(error)))?;
        let names: Vec<String> = tables.keys().cloned().collect();
        // A preset on another of the same name stands on the one that it replaces.
        let before = self.clone();
        for (name, table) in tables {
            let table = match &table {
                Value::Table(own) if base_of(own) == Some(&name) => {
                    let mut whole = before.whole(&name, 0)?;
                    lay_over(&mut whole, own);
                    Value::Table(whole)
                }
                _ => table,
            };
            self.tables.insert(name, table);
        }
        for name in names {
            self.get(&name).map_err(|error| wrong(Box::new(error)))?;
        }
        Ok(())
    }

    /// Names and descriptions.
    pub fn list(&self) -> Vec<(&str, String)> {
        let about = |name: &str| self.get(name).map(|preset| preset.about);
        let names = self.tables.keys().map(String::as_str);
        names
            .map(|name| (name, about(name).unwrap_or_default()))
            .collect()
    }

    /// The preset of that name.
    ///
    /// # Errors
    /// Where there is none, or its description is wrong.
    pub fn get(&self, name: &str) -> Result<Preset> {
        let table = self.whole(name, 0)?;
        Value::Table(table)
            .try_into()
            .map_err(|error| Error::usage(format!("the preset '{name}' is wrong")).because(error))
    }

    /// A preset's table laid over that of its base.
    fn whole(&self, name: &str, depth: usize) -> Result<Table> {
        let Some(Value::Table(own)) = self.tables.get(name) else {
            let names: Vec<&str> = self.tables.keys().map(String::as_str).collect();
            return Err(Error::usage(format!("there is no preset '{name}'"))
                .cure(format!("those that there are: {}", names.join(", "))));
        };
        let mut whole = match base_of(own) {
            Some(_) if depth == DEEPEST => {
                return Err(Error::usage(format!(
                    "the preset '{name}' stands on itself by its base"
                )));
            }
            Some(base) => self.whole(base, depth + 1)?,
            None => Table::new(),
        };
        lay_over(&mut whole, own);
        Ok(whole)
    }
}

fn base_of(table: &Table) -> Option<&String> {
    match table.get("base") {
        Some(Value::String(base)) => Some(base),
        _ => None,
    }
}

/// Values of `over` replace those of `under`; tables within are laid over each
/// other. Of quality and bit rate only one can be: the one above goes.
fn lay_over(under: &mut Table, over: &Table) {
    for (a, b) in [("crf", "bitrate"), ("bitrate", "crf")] {
        if over.contains_key(a) {
            under.remove(b);
        }
    }
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (_, _) if key == "base" => {}
            (Some(Value::Table(under)), Value::Table(over)) => lay_over(under, over),
            _ => {
                under.insert(key.clone(), value.clone());
            }
        }
    }
}

impl Preset {
    /// The preset as the recipe called `name`.
    pub fn recipe(self, name: &str) -> Transcode {
        Transcode {
            name: name.to_owned(),
            container: self.format,
            video: self.video.map(VideoPreset::rule),
            audio: self.audio.map(AudioPreset::rule),
            ..Transcode::default()
        }
    }
}

impl VideoPreset {
    fn rule(self) -> Video {
        let copy = match self.fits {
            _ if self.encoder == "copy" => Copying::Always,
            Some(fits) => Copying::Fitting(VideoFits {
                codecs: fits.codecs,
                pixels: fits.pixels,
                bits_per_pixel: fits.bits_per_pixel,
            }),
            None => Copying::Never,
        };
        Video {
            encoder: self.encoder,
            rate: match (self.bitrate, self.crf) {
                (Some(bits), _) => Some(Rate::Bitrate(bits.0.0)),
                (None, crf) => crf.map(Rate::Quality),
            },
            speed: self.speed,
            options: self.options.into_iter().collect(),
            fit: self.size.map(|size| size.0),
            fps: self.fps.map(|fps| fps.0),
            deinterlace: self.deinterlace,
            hdr: self.hdr.into(),
            pixels: self.pixels,
            copy,
        }
    }
}

impl AudioPreset {
    fn rule(self) -> Audio {
        let copy = match self.fits {
            _ if self.encoder == "copy" => Copying::Always,
            Some(fits) => Copying::Fitting(AudioFits {
                codecs: fits.codecs,
                bitrate: fits.bitrate.map(|bits| bits.0.0),
            }),
            None => Copying::Never,
        };
        Audio {
            encoder: self.encoder,
            bitrate: self.bitrate.map(|bits| bits.0.0),
            options: self.options.into_iter().collect(),
            copy,
        }
    }
}

/// A value written as on the command line, e.g. `"2M"` or `"1280x720"`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String", bound = "")]
struct Written<T: FromWriting>(T);

/// What can be read from such a text.
trait FromWriting: Sized {
    fn read(text: &str) -> Result<Self, String>;
}

#[derive(Debug, Clone, Copy)]
struct BitRate(u64);

impl FromWriting for BitRate {
    fn read(text: &str) -> Result<Self, String> {
        values::bit_rate(text).map(Self)
    }
}

impl FromWriting for Size {
    fn read(text: &str) -> Result<Self, String> {
        values::size(text)
    }
}

impl FromWriting for Ratio {
    fn read(text: &str) -> Result<Self, String> {
        values::frame_rate(text)
    }
}

impl<T: FromWriting> TryFrom<String> for Written<T> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        T::read(&text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Result<Presets> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, text).unwrap();
        let mut presets = Presets::own().unwrap();
        presets.add(&path).map(|()| presets)
    }

    #[test]
    fn every_preset_of_the_program_is_whole_and_described() {
        let presets = Presets::own().unwrap();
        for (name, about) in presets.list() {
            let recipe = presets.get(name).unwrap().recipe(name);
            assert!(!about.is_empty(), "{name}");
            assert!(recipe.video.is_some() || recipe.audio.is_some(), "{name}");
        }
    }

    #[test]
    fn a_preset_takes_what_it_leaves_out_from_its_base() {
        let recipe = Presets::own().unwrap().get("720p").unwrap().recipe("720p");
        let video = recipe.video.unwrap();
        assert_eq!(video.encoder, "libx264");
        assert_eq!(video.rate, Some(Rate::Bitrate(2_000_000)));
        assert_eq!(video.fps, Some(Ratio::new(30, 1)));
        assert_eq!(recipe.audio.unwrap().bitrate, Some(128_000));
    }

    #[test]
    fn a_file_of_the_users_adds_presets_and_changes_known_ones() {
        let presets = with(
            "[small]\nabout = \"for mail\"\nbase = \"480p\"\n[small.video]\ncrf = 30\n\
             [web]\nbase = \"web\"\n[web.video]\nspeed = \"slow\"\n",
        )
        .unwrap();
        let small = presets.get("small").unwrap().recipe("small");
        let video = small.video.unwrap();
        assert_eq!(video.rate, Some(Rate::Quality(30.0)));
        assert_eq!(video.fps, Some(Ratio::new(30, 1)));
        let web = presets.get("web").unwrap().recipe("web").video.unwrap();
        assert_eq!(web.speed.as_deref(), Some("slow"));
        assert_eq!(web.rate, Some(Rate::Quality(23.0)));
    }

    #[test]
    fn a_wrong_file_is_refused_with_file_and_field() {
        for (text, word) in [
            ("[a.video]\nencoder = \"libx264\"\nquality = 3\n", "quality"),
            ("[a.audio]\nencoder = \"aac\"\nbitrate = \"much\"\n", "much"),
            ("[a]\nbase = \"nothing\"\n", "nothing"),
            ("[a]\nbase = \"b\"\n[b]\nbase = \"a\"\n", "stands on itself"),
            ("[a\n", "TOML"),
        ] {
            let error = with(text).unwrap_err();
            assert!(error.chain().contains("mine.toml"), "{}", error.chain());
            assert!(error.report().contains(word), "{text}: {}", error.report());
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*") {
            let _ = with(&text);
        }
    }
}
