//! Sample formats, sample rates and channel layouts of audio encoders, as libav lists them.

use std::collections::HashMap;
use std::ffi::CString;
use std::sync::{LazyLock, Mutex, PoisonError};

use ffmpeg_next::ffi;

use super::filter::layout_name;
use super::number::{self, c, number, set_number};
use super::version::encoder;
use super::{compat, log};

/// What an audio encoder takes. Where it lists nothing of a kind, any will do, or a
/// trial tells: [`encoder_takes_layout`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SoundOffer {
    /// Sample formats, the preferred first.
    pub formats: Vec<SampleFormat>,
    /// Samples a second.
    pub rates: Vec<u32>,
    /// Channel layouts, as masks of speakers.
    pub layouts: Vec<u64>,
    /// Whether decoding gives back every sample.
    pub lossless: bool,
    /// Bits that the codec stores of a sample; 0 where that depends on the format.
    pub coded_bits: u32,
}

/// How samples lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleFormat {
    /// libav's name, e.g. `fltp`.
    pub name: &'static str,
    /// Bits of a sample.
    pub bits: u32,
    /// Whether samples are floating-point numbers.
    pub is_float: bool,
}

/// What the encoder of that name takes; nothing where it is not linked.
///
/// ```
/// let aac = rushes::media::sound_offer("aac");
/// assert_eq!(aac.formats[0].name, "fltp");
/// assert!(aac.rates.contains(&44_100) && !aac.lossless);
/// ```
pub fn sound_offer(encoder_name: &str) -> SoundOffer {
    let Some(codec) = encoder(encoder_name) else {
        return SoundOffer::default();
    };
    // SAFETY: the description is static.
    let codec_id = unsafe { number!(codec.id) };
    // Of codecs that can be either, the encoders are lossless unless asked otherwise.
    let lossless = number::codec_properties(codec_id) & ffi::AV_CODEC_PROP_LOSSLESS != 0;
    let coded_bits = c::av_get_exact_bits_per_sample(codec_id);
    SoundOffer {
        formats: compat::encoder_sample_formats(codec)
            .into_iter()
            .filter_map(sample_format)
            .collect(),
        rates: compat::encoder_sample_rates(codec)
            .into_iter()
            .filter_map(|rate| u32::try_from(rate).ok())
            .collect(),
        layouts: compat::encoder_layouts(codec)
            .iter()
            .filter_map(mask)
            .collect(),
        lossless,
        coded_bits: coded_bits.max(0) as u32,
    }
}

fn sample_format(format: i32) -> Option<SampleFormat> {
    let name = number::sample_format_name(format)?;
    Some(SampleFormat {
        name,
        bits: c::av_get_bytes_per_sample(format).max(0) as u32 * 8,
        is_float: name.starts_with("flt") || name.starts_with("dbl"),
    })
}

/// The speakers of a layout in libav's own order.
fn mask(layout: &ffi::AVChannelLayout) -> Option<u64> {
    let native = ffi::AVChannelOrder::AV_CHANNEL_ORDER_NATIVE as i32;
    // SAFETY: the field is valid for reads; of layouts in the native order, the union holds the
    // mask.
    unsafe {
        if number!(layout.order) != native {
            return None;
        }
        Some(layout.u.mask)
    }
}

/// The speakers of a layout by libav's name, e.g. `5.1(side)`, as a mask; `None` where the
/// name tells no speakers, such as `4 channels`.
pub fn layout_mask(name: &str) -> Option<u64> {
    let name = CString::new(name).ok()?;
    // SAFETY: the layout is plain data that libav fills, and clears again.
    unsafe {
        let mut layout = std::mem::zeroed();
        if ffi::av_channel_layout_from_string(&mut layout, name.as_ptr()) < 0 {
            return None;
        }
        let mask = mask(&layout);
        ffi::av_channel_layout_uninit(&mut layout);
        mask
    }
}

/// libav's default layout for a number of channels; `None` if it has none.
pub fn usual_layout(channels: u32) -> Option<u64> {
    // SAFETY: the layout is plain data that libav fills; native ones own no memory.
    unsafe {
        let mut layout = std::mem::zeroed();
        ffi::av_channel_layout_default(&mut layout, i32::try_from(channels).ok()?);
        mask(&layout)
    }
}

/// What libav calls a layout, in a form that filters take; a number where it has no name.
pub fn layout_of(mask: u64) -> String {
    // SAFETY: the layout is plain data that libav fills; native ones own no memory.
    let name = unsafe {
        let mut layout = std::mem::zeroed();
        match ffi::av_channel_layout_from_mask(&mut layout, mask) {
            0 => layout_name(&layout),
            _ => String::new(),
        }
    };
    if name.is_empty() || name.contains(' ') {
        format!("{mask:#x}")
    } else {
        name
    }
}

/// Whether an encoder opens for a layout; tried once a process.
pub fn encoder_takes_layout(encoder_name: &str, format: &str, rate: u32, layout: u64) -> bool {
    type Question = (String, String, u32, u64);
    static KNOWN: LazyLock<Mutex<HashMap<Question, bool>>> = LazyLock::new(Mutex::default);
    let question = (encoder_name.to_owned(), format.to_owned(), rate, layout);
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(answer) = known().get(&question) {
        return *answer;
    }
    let (answer, _) = log::capture(|| opens(encoder_name, format, rate, layout));
    known().insert(question, answer);
    answer
}

fn opens(encoder_name: &str, format: &str, rate: u32, layout: u64) -> bool {
    let (Some(codec), Ok(format), Ok(rate)) = (
        encoder(encoder_name),
        CString::new(format),
        i32::try_from(rate),
    ) else {
        return false;
    };
    // SAFETY: the context is made, described, opened and freed here; its layout is
    // a native one.
    unsafe {
        let mut context = ffi::avcodec_alloc_context3(codec);
        if context.is_null() {
            return false;
        }
        set_number!((*context).sample_fmt, c::av_get_sample_fmt(format.as_ptr()));
        (*context).sample_rate = rate;
        (*context).time_base = ffi::AVRational {
            num: 1,
            den: rate.max(1),
        };
        let opens = ffi::av_channel_layout_from_mask(&mut (*context).ch_layout, layout) == 0
            && ffi::avcodec_open2(context, codec, std::ptr::null_mut()) == 0;
        ffi::avcodec_free_context(&mut context);
        opens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoder_tells_what_it_takes() {
        let names = |encoder: &str| -> Vec<&str> {
            let formats = sound_offer(encoder).formats.into_iter();
            formats.map(|format| format.name).collect()
        };
        assert_eq!(names("mp2"), ["s16"]);
        assert!(names("alac").contains(&"s32p"));
        assert!(sound_offer("flac").lossless && sound_offer("pcm_s24le").lossless);
        assert_eq!(sound_offer("pcm_s24le").coded_bits, 24);
        assert!(sound_offer("ac3").layouts.contains(&0x3f));
        assert_eq!(sound_offer("of no name"), SoundOffer::default());
    }

    #[test]
    fn layouts_have_names_and_masks() {
        for name in ["mono", "stereo", "quad", "5.1", "5.1(side)", "7.1(wide)"] {
            let mask = layout_mask(name).unwrap();
            assert_eq!(layout_of(mask), name);
        }
        assert_eq!(layout_mask("4 channels"), None);
        assert_eq!(usual_layout(6), layout_mask("5.1"));
        assert_eq!(usual_layout(17), None);
        assert_eq!(layout_of(1 << 11), "0x800", "a speaker above the head");
    }

    #[test]
    fn a_trial_tells_where_there_is_no_list() {
        let takes = |layout: &str| {
            encoder_takes_layout("aac", "fltp", 48_000, layout_mask(layout).unwrap())
        };
        assert!(takes("stereo") && takes("quad"));
        assert!(!encoder_takes_layout("aac", "fltp", 48_000, 1 << 11));
    }
}
