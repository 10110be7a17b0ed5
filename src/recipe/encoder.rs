//! From a recipe to an encoder with its options.

use std::ops::Range;

use super::pixels::usual_quantiser;
use super::{Audio, EncoderSpec, Rate, Video};
use crate::job::Light;

impl Video {
    /// The encoder and its options for `threads` codec threads.
    pub fn encoder_spec(&self, threads: usize) -> EncoderSpec {
        let mut options = Vec::new();
        if let Some(speed) = &self.speed {
            options.push(("preset".to_owned(), speed.clone()));
        }
        options.extend(self.rate.map(|rate| match rate {
            Rate::Quality(crf) => ("crf".to_owned(), crf.to_string()),
            Rate::Bitrate(bits) => ("b".to_owned(), bits.to_string()),
        }));
        options.extend(self.options.iter().cloned());
        if let Some((key, value)) = own_threads(&self.encoder, threads)
            && !self.options.iter().any(|(given, _)| given == key)
        {
            options.push((key.to_owned(), value));
        }
        EncoderSpec {
            name: self.encoder.clone(),
            qscale: self.quantiser(),
            options,
            width: None,
        }
    }

    /// The constant quantiser where nothing tells what to aim at, and the encoder's own choice is
    /// none.
    fn quantiser(&self) -> Option<u8> {
        let is_told = |(key, _): &(String, String)| ["b", "q", "qscale"].contains(&key.as_str());
        if self.rate.is_some() || self.options.iter().any(is_told) {
            return None;
        }
        usual_quantiser(&self.encoder)
    }
}

/// Encoders that take no notice of libav's thread count have an option of their own for it.
fn own_threads(encoder: &str, threads: usize) -> Option<(&'static str, String)> {
    match encoder {
        "libx265" => Some((
            X265,
            format!("pools={threads}:frame-threads={threads}:log-level=error"),
        )),
        "libsvtav1" => Some((SVT_AV1, format!("lp={threads}"))),
        _ => None,
    }
}

impl EncoderSpec {
    /// Whether rate control looks at the film as a whole, by the options that tell of that.
    pub fn spans_all(&self) -> bool {
        const OPTIONS: [&str; 4] = ["b", "maxrate", "bufsize", "pass"];
        // As encoders' own lists of options have them.
        const OWN: [&str; 4] = ["bitrate=", "vbv-", "pass=", "tbr="];
        self.options.iter().any(|(key, value)| {
            let is_list = key.ends_with("-params") || key.ends_with("-opts");
            OPTIONS.contains(&key.as_str()) || is_list && OWN.iter().any(|own| value.contains(own))
        })
    }

    /// Whether encoders of this kind disturb each other in one process: SVT-AV1 keeps tables for
    /// the encoder that began last, and another one then reads and writes beyond its own memory
    /// (its merge requests 2603 and 2605).
    pub fn shares_state(&self) -> bool {
        self.name == "libsvtav1"
    }

    /// Whether the encoder can be told in which frames there is little to be found.
    fn heeds_calm(&self) -> bool {
        // These search less than that everywhere.
        let is_fast = |(key, value): &(String, String)| {
            key == "preset" && matches!(value.as_str(), "ultrafast" | "superfast")
        };
        self.name == "libx264" && !self.options.iter().any(is_fast)
    }

    /// Tells the encoder in which frames, counted from its first, nothing moves: there is
    /// little to be searched for in them. All others are encoded as ever.
    pub fn tell_calm(&mut self, runs: &[Range<u64>]) {
        if !self.heeds_calm() || runs.is_empty() {
            return;
        }
        let zone = |run: &Range<u64>| format!("{},{},{CALM}", run.start, run.end - 1);
        let zones: Vec<String> = runs.iter().map(zone).collect();
        let told = format!("zones={}", zones.join("/"));
        self.add_own(X264, "zones=", told);
    }

    /// Has the encoder write how bright the film is meant, where it can.
    pub(super) fn tell_light(&mut self, light: Light) {
        let Some((own, told)) = light_options(&self.name, light) else {
            return;
        };
        self.add_own(own, "master", told);
    }

    /// Whether the encoder can write how bright the film is meant.
    pub(super) fn tells_light(&self) -> bool {
        light_options(&self.name, Light::default()).is_some()
    }

    /// Adds to the encoder's list of `own` options, unless something is given there already
    /// that holds `given`.
    fn add_own(&mut self, own: &str, given: &str, told: String) {
        match self.options.iter_mut().find(|(key, _)| key == own) {
            Some((_, list)) if list.contains(given) => {}
            Some((_, list)) => *list = format!("{list}:{told}"),
            None => self.options.push((own.into(), told)),
        }
    }

    /// The options with what makes the encoder of this machine repeat itself.
    pub fn options_here(&self) -> Vec<(String, String)> {
        let mut options = self.options.clone();
        if self.name == "libx264" && has_avx512() && !is_safe_for_avx512(self.width) {
            keep_from_avx512(&mut options);
        }
        options
    }
}

/// x265's own options, as libav takes them.
const X265: &str = "x265-params";

/// An encoder's option that tells how bright a film is meant, and what it says.
fn light_options(encoder: &str, light: Light) -> Option<(&'static str, String)> {
    let (own, display, levels, units) = match encoder {
        "libx265" => (X265, "master-display", "max-cll", [1.0, 1.0]),
        "libsvtav1" => (
            SVT_AV1,
            "mastering-display",
            "content-light",
            [50_000.0, 10_000.0],
        ),
        _ => return None,
    };
    let number = |place: usize| f64::from(light.display[place]) / units[place / 8];
    let pair = |place: usize| format!("({},{})", number(place), number(place + 1));
    let [green, blue, red, white, luminance] = [0, 2, 4, 6, 8].map(pair);
    let mut told = format!("{display}=G{green}B{blue}R{red}WP{white}L{luminance}");
    if light.most > 0 {
        told.push_str(&format!(":{levels}={},{}", light.most, light.mean));
    }
    Some((own, told))
}

/// SVT-AV1's own options, as libav takes them.
const SVT_AV1: &str = "svtav1-params";

/// x264's own options, as libav takes them.
const X264: &str = "x264-params";

/// What x264 does for a frame in which nothing has moved. It still measures what is missing
/// as it does elsewhere (from `subme=2` on), and mends it.
const CALM: &str = "subme=2,me=dia,ref=1,trellis=0";

/// Whether x264's AVX-512 code (core 164) repeats itself on pictures of that
/// width. It works on 64 samples at once of pictures of half the size, which are 8
/// samples wide a macroblock; what is beyond their edge decides, too, where that
/// is no multiple, and is what memory held before. Of 25 sizes from 120×90 to
/// 3840×2160, those for which this holds gave the same bytes whatever memory was filled with.
fn is_safe_for_avx512(width: Option<u32>) -> bool {
    width.is_some_and(|width| width.div_ceil(16) % 8 == 0)
}

/// AVX2 is as good, and up to 8 % slower (1280×720, `medium`).
fn keep_from_avx512(options: &mut Vec<(String, String)>) {
    const AVX2: &str = "asm=avx2";
    match options.iter_mut().find(|(key, _)| key == X264) {
        Some((_, given)) if given.contains("asm=") => {}
        Some((_, given)) => *given = format!("{AVX2}:{given}"),
        None => options.push((X264.into(), AVX2.into())),
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    std::is_x86_feature_detected!("avx512f")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx512() -> bool {
    false
}

/// Scales a bit rate that is given for stereo to `channels`.
pub(super) fn scaled(stereo: u64, channels: u32) -> u64 {
    (stereo / 2).saturating_mul(u64::from(channels))
}

/// The highest bit rate of an encoder that refuses higher ones, in bits per second.
fn most_bits(encoder: &str) -> u64 {
    match encoder {
        // ATSC A/52, table 5.18.
        "ac3" | "ac3_fixed" => 640_000,
        // ISO/IEC 11172-3, 2.4.2.3.
        "libmp3lame" => 320_000,
        "mp2" | "mp2fixed" | "libtwolame" => 384_000,
        _ => u64::MAX,
    }
}

impl Audio {
    /// The encoder and its options for audio of `channels` channels.
    pub fn encoder_spec(&self, channels: u32) -> EncoderSpec {
        let bits = self.bitrate.map(|bits| scaled(bits, channels));
        let bits = bits.map(|bits| bits.min(most_bits(&self.encoder)));
        let rate = bits.map(|bits| ("b".to_owned(), bits.to_string()));
        EncoderSpec {
            name: self.encoder.clone(),
            options: rate
                .into_iter()
                .chain(self.options.iter().cloned())
                .collect(),
            qscale: None,
            width: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_widths_whose_halves_are_whole_vectors_take_the_widest() {
        for (width, is_safe) in [
            (1280, true),
            (1270, true),
            (1920, true),
            (640, true),
            (896, true),
        ]
        .into_iter()
        .chain([
            (854, false),
            (320, false),
            (960, false),
            (1216, false),
            (176, false),
        ]) {
            assert_eq!(is_safe_for_avx512(Some(width)), is_safe, "{width}");
        }
        assert!(!is_safe_for_avx512(None));
    }

    #[test]
    fn x264_alone_is_told_where_nothing_moves_and_the_users_own_zones_stay() {
        let told = |name: &str, given: &[(&str, &str)], runs: &[Range<u64>]| {
            let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            let mut spec = EncoderSpec {
                name: name.into(),
                options: given.iter().map(own).collect(),
                qscale: None,
                width: None,
            };
            spec.tell_calm(runs);
            spec.options
        };
        let runs = [1..75, 91..165];
        let zones = format!("zones=1,74,{CALM}/91,164,{CALM}");
        let x264 = |value: &str| vec![(X264.to_owned(), value.to_owned())];
        assert_eq!(told("libx264", &[], &runs), x264(&zones));
        let more = told("libx264", &[(X264, "asm=avx2")], &runs);
        assert_eq!(more, x264(&format!("asm=avx2:{zones}")));
        let own = "zones=0,9,q=20";
        assert_eq!(told("libx264", &[(X264, own)], &runs), x264(own));
        assert!(told("libx264", &[], &[]).is_empty());
        let fast = [("preset", "ultrafast")];
        assert_eq!(told("libx264", &fast, &runs).len(), 1);
        assert!(told("libvpx-vp9", &[], &runs).is_empty());
    }

    #[test]
    fn a_rate_for_the_whole_film_is_known_by_its_options() {
        let spec = |key: &str, value: &str| EncoderSpec {
            name: "libx264".into(),
            options: vec![(key.into(), value.into())],
            qscale: None,
            width: None,
        };
        assert!(spec("b", "2000000").spans_all());
        assert!(spec("x264-params", "vbv-maxrate=2000:vbv-bufsize=4000").spans_all());
        assert!(!spec("crf", "23").spans_all());
        assert!(!spec("x264-params", "keyint=50").spans_all());
    }

    #[test]
    fn the_users_own_options_of_x264_stay() {
        let kept = |given: &[(&str, &str)]| {
            let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            let mut options: Vec<_> = given.iter().map(pair).collect();
            keep_from_avx512(&mut options);
            options
                .into_iter()
                .map(|(key, value)| format!("{key} {value}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(kept(&[("crf", "23")]), ["crf 23", "x264-params asm=avx2"]);
        assert_eq!(
            kept(&[(X264, "aq-mode=2")]),
            ["x264-params asm=avx2:aq-mode=2"]
        );
        assert_eq!(kept(&[(X264, "asm=auto")]), ["x264-params asm=auto"]);
    }
}
