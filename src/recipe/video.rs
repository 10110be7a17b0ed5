//! What becomes of a video stream: copied or encoded, and through which filters.

use super::hdr::HighRange;
use super::pixels::fine_time_base;
use super::shape::Shape;
use super::{
    Colours, Copying, Deinterlace, Rate, Size, Track, Transcode, Video, VideoFits, VideoWay, Way,
};
use crate::error::{Error, Result};
use crate::job::{Fields, Light, MediaInfo, Ratio, StreamInfo, StreamKind};

/// A video stream as displayed.
pub(super) struct Picture {
    pub(super) shape: Shape,
    frame_rate: Ratio,
    pub(super) orient: String,
    pixel_format: String,
    depth: u32,
    fields: Fields,
    light: Option<Light>,
    pub(super) range: Option<HighRange>,
    codec: String,
}

/// Codecs that mark each picture as whole or as two fields.
const MARK_PICTURES: [&str; 7] = [
    "dvvideo",
    "h264",
    "mjpeg",
    "mpeg2video",
    "mpeg4",
    "vc1",
    "wmv3",
];

/// Bits a second that are not too many for any picture.
const SMALL_RATE: f64 = 1e6;

/// The distance of two pictures where nobody tells it: that of 25 a second.
const USUAL_FRAME_S: f64 = 0.04;

impl Picture {
    /// # Errors
    /// Where the stream carries no moving pictures.
    pub(super) fn of(stream: &StreamInfo) -> Result<Self> {
        let StreamKind::Video {
            width,
            height,
            frame_rate,
            sample_aspect,
            ref orient,
            ref pixel_format,
            depth,
            fields,
            light,
            ..
        } = stream.kind
        else {
            return Err(Error::failed(format!(
                "stream {} has no moving pictures",
                stream.index
            )));
        };
        let stored = Shape {
            size: Size { width, height },
            aspect: sample_aspect.or_square(),
        };
        Ok(Self {
            shape: if stream.is_turned() {
                stored.turned()
            } else {
                stored
            },
            frame_rate,
            orient: orient.clone(),
            pixel_format: pixel_format.clone(),
            depth,
            fields,
            light,
            range: HighRange::of(stream),
            codec: stream.codec.clone(),
        })
    }

    /// Whether pictures are known to be two fields, one line of the one and one of the other.
    fn is_combed(&self) -> bool {
        // A picture of HEVC is one field.
        self.fields == Fields::Interlaced && self.codec != "hevc"
    }

    /// Whether they may be, and only their decoder can tell.
    fn may_be_combed(&self) -> bool {
        self.fields == Fields::Unknown && MARK_PICTURES.contains(&self.codec.as_str())
    }

    /// A time base in which the source's times are exact, or nearly so, for pictures by `encoder`.
    pub(super) fn time_base(&self, encoder: &str) -> Ratio {
        fine_time_base(encoder, self.frame_rate)
    }

    /// The pixel format in which it is encoded.
    fn encoded_format(&self, video: &Video) -> String {
        video.pixel_format(&self.pixel_format, self.depth)
    }

    fn is_rgb(&self) -> bool {
        crate::media::is_rgb(&self.pixel_format)
    }

    /// Distance between two pictures in seconds.
    pub(super) fn frame_s(&self) -> f64 {
        if self.frame_rate.is_positive() {
            1.0 / self.frame_rate.as_f64()
        } else {
            USUAL_FRAME_S
        }
    }
}

/// The way of one stream: as it is where that is wanted and possible, encoded otherwise.
///
/// # Errors
/// Where it is to be copied and the container cannot hold it.
pub(super) fn track(
    video: &Video,
    recipe: &Transcode,
    media: &MediaInfo,
    stream: &StreamInfo,
) -> Result<Track> {
    let picture = Picture::of(stream)?;
    let held = recipe.container.holds(&stream.codec);
    let copied = match &video.copy {
        Copying::Never => false,
        Copying::Always if media.format == stream.codec && needs_times(&stream.codec) => {
            return Err(Error::failed(format!(
                "is a raw {} stream that tells no times, and cannot be copied",
                stream.codec
            ))
            .cure(ENCODE_INSTEAD));
        }
        Copying::Always if !can_be_ordered(media, stream) => {
            return Err(Error::failed(format!(
                "stores no reliable presentation times, and the frames of stream {} ({}) are \
                 reordered: a copy would show them out of order",
                stream.index, stream.codec
            ))
            .cure(ENCODE_INSTEAD));
        }
        Copying::Always if held => true,
        Copying::Always => {
            return Err(super::streams::not_held(stream, recipe.container));
        }
        Copying::Fitting(fits) => {
            let bits = media.bit_rate_of(stream);
            held && !stream.is_edited
                && super::streams::tells_times(&media.format)
                && fits.take(stream, &picture, video, bits)
        }
    };
    let codec = if copied {
        stream.codec.clone()
    } else {
        crate::media::codec_of_encoder(&video.encoder)
    };
    let way = match copied {
        true => Way::Copy(super::Medium::Video),
        false => Way::Video(encoded(video, &picture, recipe.codec_threads.0)),
    };
    Ok(Track {
        tag: recipe.container.tag(&codec),
        ..Track::of(stream, way)
    })
}

/// The fix for a stream that cannot be copied because its presentation times are unknown.
pub const ENCODE_INSTEAD: &str = "name an encoder with --vcodec, or use a preset that encodes";

/// Whether a stream's presentation times are stored, or follow from its decoding order: libav
/// derives them for codecs that reorder by one frame at most.
fn can_be_ordered(media: &MediaInfo, stream: &StreamInfo) -> bool {
    super::streams::tells_times(&media.format)
        || !(stream.details.reorders && needs_times(&stream.codec))
}

/// Codecs whose order of decoding is not that of showing, and whose packets tell neither.
fn needs_times(codec: &str) -> bool {
    matches!(codec, "h264" | "hevc" | "vvc")
}

fn encoded(video: &Video, picture: &Picture, threads: usize) -> VideoWay {
    let own_s = picture.frame_s();
    let mut encoder = video.encoder_spec(threads.max(1));
    encoder.width = Some(picture.shape.for_video(video.fit).0.width);
    let format = picture.encoded_format(video);
    let mapped = video.hdr.mapped(picture.range.as_ref(), &format);
    if let Some(light) = picture.light
        && crate::media::pixel_depth(&format) > 8
        && mapped.is_none()
    {
        encoder.tell_light(light);
    }
    VideoWay {
        decoder: None,
        orient: picture.orient.clone(),
        choose: super::Choose::All,
        filter: filter(video, picture, &format, mapped),
        encoder,
        time_base: fine_time_base(&video.encoder, video.fps.unwrap_or(picture.frame_rate)),
        frame_s: video.fps.map_or(own_s, |fps| own_s.max(1.0 / fps.as_f64())),
        rate: video.fps,
        colours: match mapped {
            Some(_) => Colours::ToneMapped,
            None if picture.is_rgb() == crate::media::is_rgb(&format) => Colours::Kept,
            None => Colours::Converted,
        },
    }
}

impl VideoFits {
    /// Whether `stream`, at so many `bits` a second, is already what `video` asks for.
    fn take(
        &self,
        stream: &StreamInfo,
        picture: &Picture,
        video: &Video,
        bits: Option<u64>,
    ) -> bool {
        let fits_box = video.fit.is_none_or(|fit| picture.shape.is_within(fit));
        let fits_rate = video
            .fps
            .is_none_or(|fps| same_rate(fps, picture.frame_rate));
        self.codecs.contains(&stream.codec)
            && is_shown_well(video, picture)
            && !video.hdr.forbids_copies(picture.range.as_ref())
            && self.pixels.contains(&picture.pixel_format)
            && fits_box
            && fits_rate
            && bits.is_some_and(|bits| bits as f64 <= self.most_bits(picture, video))
    }

    /// Bits a second that are not too many.
    fn most_bits(&self, picture: &Picture, video: &Video) -> f64 {
        let pixels = picture.shape.size.pixels();
        match (video.rate, self.bits_per_pixel) {
            // Rate control misses its aim by a few percent.
            (Some(Rate::Bitrate(bits)), _) => bits as f64 * 1.05,
            (_, Some(bits)) => (bits * pixels / picture.frame_s()).max(SMALL_RATE),
            (_, None) => f64::INFINITY,
        }
    }
}

/// Whether two frame rates are the same but for how they are written (29.97 and 30000/1001).
fn same_rate(a: Ratio, b: Ratio) -> bool {
    (a.as_f64() - b.as_f64()).abs() < 1e-3 * a.as_f64()
}

/// The filters that give frames of the pixel format `format`, tone-mapped if `mapped`.
fn filter(video: &Video, picture: &Picture, format: &str, mapped: Option<&HighRange>) -> String {
    let mut filters = Vec::new();
    filters.extend(deinterlacer(video.deinterlace, picture).map(str::to_owned));
    filters.extend(
        video
            .fps
            .map(|fps| format!("fps=fps={}/{}", fps.num, fps.den)),
    );
    if let Some(range) = mapped {
        // At the result's size, so that no pixel is mapped in vain.
        filters.push(picture.shape.scaled_for_video(video.fit, ""));
        filters.push(range.filters(format, true));
        filters.push(format!("format={format}"));
        return filters.join(",");
    }
    let is_converted = picture.is_rgb() && !crate::media::is_rgb(format);
    let (matrix, tags) = if is_converted { FROM_RGB } else { ("", "") };
    filters.push(picture.shape.scaled_for_video(video.fit, matrix));
    filters.push(format!("format={format}{tags}"));
    filters.join(",")
}

/// Whether pictures that stay as they are show no combs, or were asked to stay.
fn is_shown_well(video: &Video, picture: &Picture) -> bool {
    match video.deinterlace {
        Deinterlace::Off => true,
        Deinterlace::On => false,
        // Where only a decoder could tell, the stream is taken for whole.
        which @ Deinterlace::Auto => deinterlacer(which, picture).is_none() || !picture.is_combed(),
    }
}

/// The filter that makes pictures whole, where there may be some of two fields.
///
/// Of a film taken apart into fields, `bwdif` gave luma back with 48.4 dB,
/// `yadif` with 44.8 dB, in the same time. Pictures that are not marked pass
/// untouched, at no measurable cost.
fn deinterlacer(which: Deinterlace, picture: &Picture) -> Option<&'static str> {
    match which {
        Deinterlace::Off => None,
        _ if is_too_small(picture) => None,
        Deinterlace::On => Some(OF_ALL),
        // What is turned is turned before this filter, and then its fields are no lines any more.
        Deinterlace::Auto if is_turned(picture) => None,
        Deinterlace::Auto => (picture.is_combed() || picture.may_be_combed()).then_some(OF_MARKED),
    }
}

/// Whether a picture is smaller than the deinterlacer takes: of each of its planes, three
/// columns and four lines.
fn is_too_small(picture: &Picture) -> bool {
    let (across, down) = crate::media::chroma_shifts(&picture.pixel_format);
    let Size { width, height } = picture.shape.size;
    width.div_ceil(1 << across) < 3 || height.div_ceil(1 << down) < 4
}

/// Whether a picture is turned or mirrored, and not only cropped, to be shown.
fn is_turned(picture: &Picture) -> bool {
    let mut filters = picture.orient.split(',').filter(|one| !one.is_empty());
    filters.any(|filter| !filter.starts_with("crop="))
}

/// The same for pictures that are taken one by one: no other is known, before or
/// after. Of a film taken apart into fields it gave luma back with 39.5 dB (38.9 dB
/// where edges cost something, as libav would have it), `bwdif` with 46.2 dB, and
/// one field alone, enlarged, with 35.2 dB.
pub(super) fn single_deinterlacer(which: Deinterlace, picture: &Picture) -> Option<&'static str> {
    let filter = deinterlacer(which, picture)?;
    Some(match filter {
        OF_ALL => "estdif=mode=frame:deint=all:ecost=0",
        _ => "estdif=mode=frame:deint=interlaced:ecost=0",
    })
}

/// The deinterlacer of all pictures, and that of those which are marked.
const OF_ALL: &str = "bwdif=mode=send_frame:deint=all";
const OF_MARKED: &str = "bwdif=mode=send_frame:deint=interlaced";

impl VideoWay {
    /// Whether a picture is made of more than one frame, or depends on others.
    pub fn mixes_frames(&self) -> bool {
        let deinterlaces = [OF_ALL, OF_MARKED]
            .iter()
            .any(|one| self.filter.starts_with(one));
        deinterlaces || self.choose != super::Choose::All
    }
}

/// How red, green and blue become luma and chroma, as an option of the scaling
/// and as a filter that says so. Where nobody said, players would guess by the
/// size of the picture, and libav does not guess as they do.
const FROM_RGB: (&str, &str) = (
    ":out_color_matrix=bt709:out_range=tv",
    ",setparams=colorspace=bt709:range=tv",
);
