//! From a recipe to an encoder with its options.

use super::{Audio, EncoderSpec, Rate, Video};

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
            options,
            qscale: None,
        }
    }
}

/// Encoders that take no notice of libav's thread count have an option of their own for it.
fn own_threads(encoder: &str, threads: usize) -> Option<(&'static str, String)> {
    match encoder {
        "libx265" => Some((
            "x265-params",
            format!("pools={threads}:frame-threads={threads}:log-level=error"),
        )),
        "libsvtav1" => Some(("svtav1-params", format!("lp={threads}"))),
        _ => None,
    }
}

impl Audio {
    /// The encoder and its options.
    pub fn encoder_spec(&self) -> EncoderSpec {
        let rate = self.bitrate.map(|bits| ("b".to_owned(), bits.to_string()));
        EncoderSpec {
            name: self.encoder.clone(),
            options: rate
                .into_iter()
                .chain(self.options.iter().cloned())
                .collect(),
            qscale: None,
        }
    }
}
