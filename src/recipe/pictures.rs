//! From a wish for pictures to the way of one video stream.

use super::alpha;
use super::choose::{Choose, Times};
use super::frames::{Frames, Grid, Pick, PictureFormat};
use super::pipeline::{Colours, EncoderSpec, Gathered, Product, Sheet, Sink, Track, VideoWay, Way};
use super::resolve::nothing_of;
use super::video::{Picture, single_deinterlacer};
use crate::draw::sheet::{self, SheetPlan};
use crate::error::Result;
use crate::job::{MediaInfo, StreamInfo};

/// Resolves `recipe` for the video that a player would show.
///
/// # Errors
/// Says what the source lacks.
pub(super) fn pictures(recipe: &Frames, media: &MediaInfo) -> Result<Product> {
    let stream = media
        .main_video()
        .ok_or_else(|| nothing_of("video stream", media))?;
    let length_s = media.end_s(&[stream.index]);
    let choose = choose(&recipe.pick, length_s);
    let mut notes = Vec::new();
    let (format, gathered) = match &recipe.pick {
        // Cells are drawn on: nothing must be lost before that.
        Pick::Sheet(grid) => (
            PictureFormat::Png,
            Gathered::Sheet(sheet_of(recipe, *grid, media)),
        ),
        Pick::Best => (recipe.format, Gathered::Picture),
        _ => (recipe.format, Gathered::Folder),
    };
    notes.extend(recipe.hdr.note(stream, format.pixels(false)));
    if format == PictureFormat::Jpeg {
        notes.extend(alpha::lost_to_format(stream, "JPEG"));
    }
    Ok(Product {
        tracks: vec![Track::new(
            stream.index,
            Way::Video(way(recipe, format, choose, stream)?),
        )],
        sink: Sink::Pictures {
            extension: format.extension().into(),
            gathered,
        },
        dropped: vec![],
        notes,
        kept: None,
    })
}

fn way(
    recipe: &Frames,
    format: PictureFormat,
    choose: Choose,
    stream: &StreamInfo,
) -> Result<VideoWay> {
    let picture = Picture::of(stream)?;
    let fit = match recipe.pick {
        Pick::Sheet(grid) => Some(sheet::cell_box(&plan_of(recipe, grid))?),
        _ => recipe.fit,
    };
    let (time_base, frame_s) = match &choose {
        Choose::Times(times) => (times.unit, times.unit.as_f64()),
        _ => (picture.time_base(format.encoder_name()), picture.frame_s()),
    };
    // Cells are drawn on a sheet, which is opaque.
    let is_cell = matches!(recipe.pick, Pick::Sheet(_));
    let alpha = !is_cell && format != PictureFormat::Jpeg && alpha::is_to_be_had(stream);
    let whole = single_deinterlacer(recipe.deinterlace, &picture);
    let whole = whole.map_or_else(String::new, |filter| format!("{filter},"));
    let pixels = format.pixels(alpha);
    let (scale, colours) = match recipe.hdr.mapped(picture.range.as_ref(), pixels) {
        Some(range) => {
            // At the picture's size, so that no pixel is mapped in vain.
            let scale = picture.shape.scaled_for_pictures(fit, "");
            let planes = if alpha { "gbrap" } else { "gbrp" };
            let is_even = picture.shape.for_pictures(fit).is_even();
            let mapped = range.filters(planes, is_even);
            let filter = format!("{scale},{mapped},scale=flags=bicubic{}", format.matrix());
            (filter, Colours::ToneMapped)
        }
        None => {
            let filter = picture.shape.scaled_for_pictures(fit, format.matrix());
            (filter, Colours::Converted)
        }
    };
    Ok(VideoWay {
        decoder: alpha::decoder(stream).filter(|_| alpha).map(str::to_owned),
        orient: picture.orient.clone(),
        choose,
        filter: format!("{whole}{scale},format={pixels}"),
        encoder: format.encoder(recipe.quality),
        time_base,
        frame_s,
        rate: None,
        colours,
    })
}

/// The frames to take of a video of that length.
fn choose(pick: &Pick, length_s: Option<f64>) -> Choose {
    match pick {
        Pick::Every(unit) => Choose::Times(Times::multiples(*unit)),
        Pick::Nth(1) | Pick::KeyFrames => Choose::All,
        Pick::Nth(number) => Choose::Filter(format!("select=not(mod(n\\,{number}))")),
        Pick::At(times) => Choose::Times(Times::at_ms(times.clone())),
        Pick::Count(number) => spread(*number, length_s),
        Pick::Sheet(grid) => spread(grid.cells(), length_s),
        Pick::Scenes(least) => Choose::Filter(format!("select=eq(n\\,0)+gt(scene\\,{least})")),
        Pick::Best => Choose::Best,
    }
}

/// This many frames, at times where the length is known.
fn spread(number: u32, length_s: Option<f64>) -> Choose {
    match length_s.filter(|length_s| *length_s > 0.0) {
        Some(length_s) => Choose::Times(Times::spread(number, length_s)),
        None => Choose::Spread(number),
    }
}

fn plan_of(recipe: &Frames, grid: Grid) -> SheetPlan {
    SheetPlan {
        columns: grid.columns,
        rows: grid.rows,
        fit: recipe.fit,
    }
}

fn sheet_of(recipe: &Frames, grid: Grid, media: &MediaInfo) -> Sheet {
    Sheet {
        plan: plan_of(recipe, grid),
        details: sheet::details(media),
        filter: format!(
            "scale=flags=bicubic{},format={}",
            recipe.format.matrix(),
            recipe.format.pixels(false)
        ),
        encoder: recipe.format.encoder(recipe.quality),
    }
}

impl PictureFormat {
    /// The scaler's option for the matrix that viewers assume. JPEG has no place for
    /// one: it is that of BT.601 (JFIF, ITU-T T.871). The others are given RGB.
    fn matrix(self) -> &'static str {
        match self {
            Self::Jpeg => ":out_color_matrix=bt601",
            Self::Png | Self::WebP => "",
        }
    }

    fn pixels(self, alpha: bool) -> &'static str {
        match self {
            Self::Jpeg => "yuvj420p",
            Self::Png if alpha => "rgba",
            Self::Png => "rgb24",
            Self::WebP => "bgra",
        }
    }

    /// libav's name of the encoder.
    pub fn encoder_name(self) -> &'static str {
        match self {
            Self::Jpeg => "mjpeg",
            Self::Png => "png",
            Self::WebP => "libwebp",
        }
    }

    fn encoder(self, quality: u8) -> EncoderSpec {
        let options = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            let owned = pairs.map(|(key, value)| ((*key).into(), (*value).into()));
            owned.collect::<Vec<_>>()
        };
        let (options, qscale) = match self {
            Self::Jpeg => (vec![], Some(quantiser(quality))),
            // A third of the time of libav's own choice, and smaller (docs/performance.md).
            Self::Png => (options(&[("compression_level", "1"), ("pred", "up")]), None),
            Self::WebP => (options(&[("quality", &quality.to_string())]), None),
        };
        EncoderSpec {
            name: self.encoder_name().into(),
            options,
            qscale,
            width: None,
        }
    }
}

/// The quantiser scale of libav's encoder, from 2 to 31, that comes nearest to
/// `quality` on the scale of the Independent JPEG Group.
///
/// Theirs multiplies its table of mean 57.6 by S/100, where S is 200 − 2·quality
/// from 50 on and 5000/quality below; libav multiplies its own, of mean 30, by q/8.
fn quantiser(quality: u8) -> u8 {
    let quality = f64::from(quality.clamp(1, 100));
    let scale = if quality < 50.0 {
        5000.0 / quality
    } else {
        200.0 - 2.0 * quality
    };
    (57.6 * scale / 100.0 * 8.0 / 30.0).round().clamp(2.0, 31.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Ratio;

    #[test]
    fn quality_falls_as_the_quantiser_grows() {
        let scales: Vec<u8> = [100, 95, 90, 75, 50, 25, 1].map(quantiser).into();
        assert_eq!(scales, [2, 2, 3, 8, 15, 31, 31]);
    }

    #[test]
    fn times_have_the_time_base_of_their_unit() {
        let unit = Ratio::new(5, 2);
        let chosen = choose(&Pick::Every(unit), None);
        assert_eq!(chosen, Choose::Times(Times::multiples(unit)));
    }
}
