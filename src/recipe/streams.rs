//! Which of a source's streams arrive in a result, and how.

use super::encoder::scaled;
use super::resolve::nothing_of;
use super::sound::{Fitted, Samples, fit};
use super::{
    Audio, AudioFits, AudioWay, Container, Copying, Dropped, DroppedBy, Medium, Product, Track,
    Transcode, Video, Way, alpha, hdr, video,
};
use crate::error::{Error, Result};
use crate::job::{Held, MediaInfo, Property, StreamInfo, StreamKind};

/// Whether a demuxer tells when each picture is shown; others (AVI, raw
/// streams) tell an order at most, which is too little to copy by.
pub fn tells_times(format: &str) -> bool {
    ["mov", "matroska", "flv", "mpegts"]
        .iter()
        .any(|known| format.split(',').any(|name| name == *known))
}

/// All moving pictures, those first that a player would show.
pub(super) fn videos(
    video: &Video,
    recipe: &Transcode,
    media: &MediaInfo,
    product: &mut Product,
) -> Result<()> {
    let copies = matches!(video.copy, Copying::Always);
    let main = media.main_video().map(|stream| stream.index);
    let (mut taken, mut lost): (Vec<_>, Vec<_>) = media
        .streams
        .iter()
        .filter(|stream| stream.is_video())
        .partition(|stream| stream.decodable || copies && recipe.container.holds(&stream.codec));
    taken.sort_by_key(|stream| Some(stream.index) != main);
    // Where a file holds streams without a picture in them (size unknown), the shown one alone is
    // sure.
    let (sound, empty): (Vec<_>, Vec<_>) = taken
        .into_iter()
        // What is to be copied is described before its first picture.
        .partition(|stream| Some(stream.index) == main && !copies || has_size(stream));
    lost.extend(empty);
    if sound.is_empty() {
        let error = nothing_of("video stream", media);
        return Err(if media.audio().next().is_some() {
            error.cure("--preset audio takes the sound alone")
        } else {
            error
        });
    }
    for stream in sound {
        let track = video::track(video, recipe, media, stream)?;
        let notes = [
            alpha::lost_by_track(video, recipe.container, stream, &track),
            hdr::note_of_track(video, stream, &track),
        ];
        product.notes.extend(notes.into_iter().flatten());
        product.tracks.push(track);
    }
    for stream in lost {
        lose(product, stream);
    }
    Ok(())
}

/// Whether the linked FFmpeg has a name for a stream's codec.
fn is_known(stream: &StreamInfo) -> bool {
    stream.codec != "none"
}

fn has_size(stream: &StreamInfo) -> bool {
    matches!(stream.kind, StreamKind::Video { width, height, .. } if width > 0 && height > 0)
}

fn has_samples(stream: &StreamInfo) -> bool {
    let StreamKind::Audio {
        sample_rate,
        channels,
        ..
    } = stream.kind
    else {
        return false;
    };
    sample_rate > 0 && channels > 0
}

/// All tracks of sound.
pub(super) fn sounds(
    audio: &Audio,
    container: Container,
    media: &MediaInfo,
    product: &mut Product,
) -> Result<()> {
    for stream in media.streams.iter().filter(|stream| stream.is_audio()) {
        if stream.decodable && !has_samples(stream) {
            lose(product, stream);
            continue;
        }
        let held = container.holds(&stream.codec);
        let copied = match &audio.copy {
            Copying::Never => false,
            Copying::Always if held => true,
            Copying::Always if stream.decodable => return Err(not_held(stream, container)),
            // It can be neither copied nor decoded.
            Copying::Always => false,
            Copying::Fitting(fits) => held && tells_times(&media.format) && fits.take(stream),
        };
        if copied {
            product.tracks.push(copy_of(stream, Medium::Audio));
        } else if let Some((track, notes)) = encoded_sound(audio, stream) {
            product.tracks.push(track);
            product.notes.extend(notes);
        } else {
            lose(product, stream);
        }
    }
    Ok(())
}

impl AudioFits {
    fn take(&self, stream: &StreamInfo) -> bool {
        // Mono may have as many as stereo: encoding it again would gain little.
        let channels = match stream.kind {
            StreamKind::Audio { channels, .. } => channels.max(2),
            _ => 2,
        };
        let most = self.bitrate.map_or(u64::MAX, |bits| scaled(bits, channels));
        self.codecs.contains(&stream.codec) && stream.bit_rate.is_none_or(|bits| bits <= most)
    }
}

/// The track of a stream, and what the user should know of it.
fn encoded_sound(audio: &Audio, stream: &StreamInfo) -> Option<(Track, Vec<String>)> {
    let StreamKind::Audio {
        sample_rate,
        channels,
        ref layout,
        bits,
    } = stream.kind
    else {
        return None;
    };
    if !stream.decodable || sample_rate == 0 || channels == 0 {
        return None;
    }
    let samples = Samples {
        rate: sample_rate,
        channels,
        layout,
        bits,
    };
    let Fitted {
        format,
        channels,
        lost,
    } = fit(&audio.encoder, &samples);
    let index = stream.index;
    let way = AudioWay {
        source_codec: stream.codec.clone(),
        // `async=1` fills gaps with silence, so that sound stays in sync.
        filter: format!("aresample=async=1,aformat={format}"),
        encoder: audio.encoder_spec(channels),
    };
    let mut track = Track::of(stream, Way::Audio(way));
    track.held = vec![Held::new(Property::Channels, channels.to_string())];
    let notes = lost.iter().map(|what| format!("stream {index}: {what}"));
    Some((track, notes.collect()))
}

/// Subtitles, covers, attached files; data of other kinds does not arrive.
pub(super) fn others(recipe: &Transcode, media: &MediaInfo, product: &mut Product) {
    let container = recipe.container;
    // Attached pictures come last: the `ffmpeg` program puts them there.
    let mut covers = Vec::new();
    for stream in &media.streams {
        match &stream.kind {
            StreamKind::Video { .. } if recipe.video.is_none() => {
                drop_stream(
                    product,
                    stream,
                    DroppedBy::Recipe,
                    "this recipe takes no pictures",
                );
            }
            StreamKind::Audio { .. } if recipe.audio.is_none() => {
                drop_stream(
                    product,
                    stream,
                    DroppedBy::Recipe,
                    "this recipe takes no sound",
                );
            }
            StreamKind::Video { .. } | StreamKind::Audio { .. } => {}
            StreamKind::Subtitle { text } => match subtitle(stream, *text, recipe) {
                Some(way) => product.tracks.push(Track::of(stream, way)),
                None => refuse(product, stream, container),
            },
            StreamKind::Cover => match cover(stream, container) {
                Some(way) => covers.push(Track::of(stream, way)),
                None => refuse(product, stream, container),
            },
            StreamKind::Attachment if container.takes_attachments() => {
                product.tracks.push(copy_of(stream, Medium::Attached));
            }
            StreamKind::Attachment => refuse(product, stream, container),
            StreamKind::Other if stream.details.is_dispensable => {}
            StreamKind::Other => {
                let reason = "rushes copies no streams of data";
                drop_stream(product, stream, DroppedBy::Container, reason);
            }
        }
    }
    product.tracks.append(&mut covers);
}

fn subtitle(stream: &StreamInfo, text: bool, recipe: &Transcode) -> Option<Way> {
    recipe.video.as_ref()?;
    if recipe.container.holds(&stream.codec) {
        return Some(Way::Copy(Medium::Subtitle));
    }
    let encoder = recipe.container.text_encoder()?;
    (text && stream.decodable).then(|| Way::Subtitle {
        encoder: encoder.into(),
    })
}

fn cover(stream: &StreamInfo, container: Container) -> Option<Way> {
    let (ending, mime) = match stream.codec.as_str() {
        "mjpeg" => ("jpg", "image/jpeg"),
        "png" => ("png", "image/png"),
        _ => return None,
    };
    match container {
        Container::Mp4 | Container::M4a => Some(Way::Copy(Medium::Attached)),
        Container::Mkv => Some(Way::Attach {
            name: cover_name(&stream.details.file_name, ending),
            mime: mime.into(),
        }),
        Container::Mov | Container::Webm => None,
    }
}

/// Matroska tells covers apart by their names: `cover.jpg`, `small_cover.png`, `cover_land.jpg`.
fn cover_name(own: &str, ending: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let is_usable = own.ends_with(&format!(".{ending}")) && own.chars().all(is_plain);
    match is_usable {
        true => own.to_owned(),
        false => format!("cover.{ending}"),
    }
}

fn copy_of(stream: &StreamInfo, medium: Medium) -> Track {
    Track::of(stream, Way::Copy(medium))
}

/// That a stream was to be copied, and cannot be.
pub(super) fn not_held(stream: &StreamInfo, container: Container) -> Error {
    let error = Error::failed(format!(
        "stream {} ({}) cannot be copied into {container}",
        stream.index, stream.codec
    ));
    if container == Container::Mkv {
        error.cure("name encoders with --vcodec and --acodec")
    } else {
        error.cure("--format mkv may hold it; or name encoders with --vcodec and --acodec")
    }
}

/// What the container has no place for.
fn refuse(product: &mut Product, stream: &StreamInfo, container: Container) {
    let unknown = stream.codec == "none" && !matches!(stream.kind, StreamKind::Attachment);
    let reason = if unknown {
        "the linked FFmpeg does not know its codec".to_owned()
    } else if container == Container::Mkv {
        format!("{container} has no place for it")
    } else {
        format!("{container} has no place for it; --format mkv has")
    };
    drop_stream(product, stream, DroppedBy::Container, &reason);
}

/// Pictures or sound that should arrive, and cannot.
fn lose(product: &mut Product, stream: &StreamInfo) {
    let (reason, by) = if stream.decodable {
        (
            match stream.is_video() {
                true => "nothing in it shows its size",
                false => "nothing in it shows its sample rate",
            },
            DroppedBy::Source,
        )
    } else {
        // The source is whole: another FFmpeg may read it.
        let reason = match is_known(stream) {
            true => "this FFmpeg has no decoder for it",
            false => "this FFmpeg does not know its codec",
        };
        (reason, DroppedBy::Container)
    };
    drop_stream(product, stream, by, reason);
}

fn drop_stream(product: &mut Product, stream: &StreamInfo, by: DroppedBy, reason: &str) {
    let kind = match stream.kind {
        StreamKind::Video { .. } => "video",
        StreamKind::Audio { .. } => "sound",
        StreamKind::Subtitle { .. } => "subtitles",
        StreamKind::Cover => "cover",
        StreamKind::Attachment => "attachment",
        StreamKind::Other => "data",
    };
    product.dropped.push(Dropped {
        stream: stream.index,
        what: match (stream.codec.as_str(), stream.details.tag.as_str()) {
            ("none", "") => kind.to_owned(),
            ("none", name) | (name, _) => format!("{kind} ({name})"),
        },
        reason: reason.into(),
        by,
    });
}
