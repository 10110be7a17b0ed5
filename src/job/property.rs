//! What describes a stream besides its codec and its frames: its inventory.

use serde::{Deserialize, Serialize};

use super::{Extra, StreamInfo, StreamKind};

/// A kind of description. One that is not listed here is neither planned nor verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    /// The name that players list it by.
    Title,
    /// Its language, as the container stores it: mostly three letters of ISO 639-2.
    Language,
    /// A mark such as `default`, `forced` or `comment`, by libav's name.
    Disposition,
    /// A tag of it alone besides these, by its name in lower case.
    Tag,
    /// The timecode of its first frame.
    Timecode,
    /// A description of its pictures; the value is empty.
    Extra(Extra),
    /// Colour primaries by libav's name.
    Primaries,
    /// The transfer characteristic by libav's name.
    Transfer,
    /// The colour matrix by libav's name.
    Matrix,
    /// That its pixels use the full range of values: `pc`.
    Range,
    /// The filters that turn its pictures upright.
    Rotation,
    /// Width by height as shown, before it is turned.
    Aspect,
    /// The number of its channels.
    Channels,
    /// Where its channels are heard, by libav's name, if not where as many usually are.
    Layout,
}

impl Property {
    /// Whether it is a part of the description of colours.
    pub fn is_colour(self) -> bool {
        matches!(
            self,
            Self::Primaries | Self::Transfer | Self::Matrix | Self::Range
        )
    }
}

/// One property of a stream with its value. A stream may have several of a kind, such as marks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its kind.
    pub property: Property,
    /// Its value, as [`Property`] describes it.
    pub value: String,
}

/// Aspects are compared to this share: sizes are rounded to whole or even pixels.
const ASPECT_SHARE: f64 = 0.01;

impl Held {
    /// A property with its value.
    pub fn new(property: Property, value: impl Into<String>) -> Self {
        Self {
            property,
            value: value.into(),
        }
    }

    /// Whether `self`, found in a result, is the same as `planned`.
    pub fn is(&self, planned: &Self) -> bool {
        self.property == planned.property
            && match self.property {
                Property::Aspect => is_near(&self.value, &planned.value),
                Property::Timecode => self.value.eq_ignore_ascii_case(&planned.value),
                _ => self.value == planned.value,
            }
    }
}

/// `640x360` and its like, compared as ratios.
fn is_near(a: &str, b: &str) -> bool {
    let parts = |text: &str| {
        let (width, height) = text.split_once('x')?;
        Some((width.parse::<f64>().ok()?, height.parse::<f64>().ok()?))
    };
    let (Some(a), Some(b)) = (parts(a), parts(b)) else {
        return a == b;
    };
    // Two pixels of the smaller picture's shorter side.
    let rounding = 2.0 / a.0.min(a.1).min(b.0).min(b.1).max(1.0);
    ((a.0 / a.1) / (b.0 / b.1)).ln().abs() <= ASPECT_SHARE + rounding
}

impl StreamInfo {
    /// All that describes the stream.
    ///
    /// ```
    /// use rushes::job::{Held, Property, StreamInfo, StreamKind};
    /// # let mut stream = StreamInfo {
    /// #     index: 0, kind: StreamKind::Other, codec: "ac3".into(), decodable: true,
    /// #     is_default: true, duration_s: None, bit_rate: None, is_edited: false,
    /// #     details: Default::default(),
    /// # };
    /// stream.details.language = "fra".into();
    /// assert_eq!(stream.inventory(), [Held::new(Property::Language, "fra")]);
    /// ```
    pub fn inventory(&self) -> Vec<Held> {
        let details = &self.details;
        let colour = &details.colour;
        let full_range = if colour.range == "pc" { "pc" } else { "" };
        let texts = [
            (Property::Title, details.title.as_str()),
            (Property::Language, &details.language),
            (Property::Timecode, &details.timecode),
            (Property::Primaries, &colour.primaries),
            (Property::Transfer, &colour.transfer),
            (Property::Matrix, &colour.matrix),
            (Property::Range, full_range),
        ];
        let texts = texts.into_iter().filter(|(_, value)| !value.is_empty());
        let texts = texts.map(|(property, value)| Held::new(property, value));
        let marks = details.marks.iter();
        let marks = marks.map(|mark| Held::new(Property::Disposition, mark));
        let tags = details.tags.iter();
        let tags = tags.map(|tag| Held::new(Property::Tag, tag));
        let extras = details.extras.iter();
        let extras = extras.map(|extra| Held::new(Property::Extra(*extra), ""));
        texts
            .chain(marks)
            .chain(tags)
            .chain(extras)
            .chain(self.shown())
            .collect()
    }

    /// How its pictures or its samples are presented.
    fn shown(&self) -> Vec<Held> {
        match &self.kind {
            StreamKind::Video {
                width,
                height,
                sample_aspect,
                orient,
                ..
            } if *width > 0 && *height > 0 => {
                let wide = f64::from(*width) * sample_aspect.or_square().as_f64();
                let aspect = Held::new(Property::Aspect, format!("{wide:.2}x{height}"));
                let rotation = Held::new(Property::Rotation, orient);
                let is_turned = !orient.is_empty();
                [Some(aspect), is_turned.then_some(rotation)]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            StreamKind::Audio {
                channels, layout, ..
            } if *channels > 0 => {
                let number = Held::new(Property::Channels, channels.to_string());
                // libav names an unknown one by its number of channels.
                let is_known = !layout.is_empty() && !layout.ends_with(" channels");
                let is_usual = usual_layout(*channels).is_none_or(|usual| usual == layout);
                let layout = Held::new(Property::Layout, layout);
                [Some(number), (is_known && !is_usual).then_some(layout)]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            _ => vec![],
        }
    }
}

/// The layout that libav assumes for this number of channels (`av_channel_layout_default`).
fn usual_layout(channels: u32) -> Option<&'static str> {
    const USUAL: [&str; 8] = ["mono", "stereo", "2.1", "4.0", "5.0", "5.1", "6.1", "7.1"];
    let place = usize::try_from(channels).ok()?.checked_sub(1)?;
    USUAL.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(property: Property, found: &str, planned: &str) -> bool {
        Held::new(property, found).is(&Held::new(property, planned))
    }

    #[test]
    fn aspects_are_the_same_but_for_rounding() {
        assert!(is(Property::Aspect, "640.00x360", "1920.00x1080"));
        assert!(is(Property::Aspect, "322.00x242", "321.00x241"));
        assert!(is(Property::Aspect, "2.00x2", "1.00x1"));
        assert!(!is(Property::Aspect, "720.00x576", "1024.00x576"));
        assert!(!is(Property::Aspect, "360.00x640", "640.00x360"));
    }

    #[test]
    fn a_value_that_is_no_aspect_equals_itself_alone() {
        assert!(is(Property::Aspect, "", ""));
        assert!(!is(Property::Aspect, "wide", "640.00x360"));
    }

    #[test]
    fn one_kind_is_not_another() {
        let title = Held::new(Property::Title, "fra");
        assert!(!title.is(&Held::new(Property::Language, "fra")));
    }

    #[test]
    fn only_an_unusual_layout_is_a_property() {
        let layouts = |channels, layout: &str| {
            let sound = StreamKind::Audio {
                sample_rate: 48_000,
                channels,
                layout: layout.into(),
                bits: 0,
            };
            let held = StreamInfo::of_kind(sound, "pcm_s16le").inventory();
            let layouts = held.iter().filter(|held| held.property == Property::Layout);
            layouts.map(|held| held.value.clone()).collect::<Vec<_>>()
        };
        assert_eq!(layouts(4, "quad"), ["quad"]);
        for (channels, layout) in [(1, "1 channels"), (2, "stereo"), (6, "5.1"), (1, "")] {
            assert_eq!(layouts(channels, layout), [""; 0], "{layout}");
        }
    }
}
