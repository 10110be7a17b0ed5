//! The streams of an opened source, as libav describes them.

use std::ffi::CStr;
use std::marker::PhantomData;

use ffmpeg::{Chapter, Rational, codec, ffi};
use ffmpeg_next as ffmpeg;

use super::Input;
use super::compat::{self, SideData};
use super::error::check;
use super::number::{self, number};
use super::version::{dictionary, dictionary_value};
use crate::error::{Error, Result};

/// What a stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamType {
    Video,
    Audio,
    Subtitle,
    Attachment,
    Other,
}

impl StreamType {
    /// By libav's number.
    pub(super) fn of(number: i32) -> Self {
        use ffi::AVMediaType as Type;
        let types = [
            (Type::AVMEDIA_TYPE_VIDEO, Self::Video),
            (Type::AVMEDIA_TYPE_AUDIO, Self::Audio),
            (Type::AVMEDIA_TYPE_SUBTITLE, Self::Subtitle),
            (Type::AVMEDIA_TYPE_ATTACHMENT, Self::Attachment),
        ];
        let known = types.iter().find(|(known, _)| *known as i32 == number);
        known.map_or(Self::Other, |(_, this)| *this)
    }
}

/// A stream of an opened source. It borrows the source: libav changes nothing of the stream
/// while this value is used.
#[derive(Clone, Copy)]
pub(super) struct Stream<'a> {
    raw: *const ffi::AVStream,
    input: PhantomData<&'a Input>,
}

impl<'a> Stream<'a> {
    /// The stream as libav has it.
    pub(super) fn raw(self) -> *const ffi::AVStream {
        self.raw
    }

    /// Its parameters as libav has them.
    pub(super) fn parameters(self) -> *const ffi::AVCodecParameters {
        // SAFETY: the stream is valid while the source is borrowed.
        unsafe { (*self.raw).codecpar }
    }

    /// A copy of its parameters, which keeps nothing of the source.
    ///
    /// # Errors
    /// Where memory is out.
    pub(super) fn copy_of_parameters(self) -> Result<codec::Parameters> {
        let mut copy = codec::Parameters::new();
        // SAFETY: libav copies what a valid stream has into parameters that are there.
        unsafe {
            if copy.as_ptr().is_null() {
                return Err(Error::failed("out of memory for a stream's parameters"));
            }
            let code = ffi::avcodec_parameters_copy(copy.as_mut_ptr(), self.parameters());
            check(code, "copy a stream's parameters")?;
        }
        Ok(copy)
    }

    /// Its position in the file.
    pub(super) fn index(self) -> usize {
        // SAFETY: the stream is valid while the source is borrowed; libav counts from 0.
        usize::try_from(unsafe { (*self.raw).index }).unwrap_or(usize::MAX)
    }

    pub(super) fn stream_type(self) -> StreamType {
        // SAFETY: as above, and its parameters live as long.
        StreamType::of(unsafe { number!((*self.parameters()).codec_type) })
    }

    /// Its codec by libav's number.
    pub(super) fn codec(self) -> i32 {
        // SAFETY: as above.
        unsafe { number!((*self.parameters()).codec_id) }
    }

    /// Whether its codec has a property (`AV_CODEC_PROP_…`).
    pub(super) fn codec_has(self, property: i32) -> bool {
        number::codec_properties(self.codec()) & property != 0
    }

    /// Width and height of its frames; 0 where they are unknown.
    pub(super) fn size(self) -> (u32, u32) {
        // SAFETY: as above.
        let (width, height) = unsafe { ((*self.parameters()).width, (*self.parameters()).height) };
        (width.max(0) as u32, height.max(0) as u32)
    }

    /// Whether nothing was found yet that shows the size of its pictures or the rate of its
    /// samples, though there is a decoder for it.
    pub(super) fn is_unknown(self) -> bool {
        // SAFETY: as above.
        let rate = unsafe { (*self.parameters()).sample_rate };
        let is_unknown = match self.stream_type() {
            StreamType::Video => {
                let (width, height) = self.size();
                let is_cover = self.is_marked(ffi::AV_DISPOSITION_ATTACHED_PIC);
                (width == 0 || height == 0) && !is_cover
            }
            StreamType::Audio => rate <= 0,
            _ => false,
        };
        is_unknown && !number::c::avcodec_find_decoder(self.codec()).is_null()
    }

    /// Its ticks.
    pub(super) fn time_base(self) -> Rational {
        // SAFETY: as above.
        unsafe { (*self.raw).time_base }.into()
    }

    /// When it begins, in its ticks; libav's number for none where that is unknown.
    pub(super) fn start_time(self) -> i64 {
        // SAFETY: as above.
        unsafe { (*self.raw).start_time }
    }

    /// How long it is, in its ticks; not positive where that is unknown.
    pub(super) fn duration(self) -> i64 {
        // SAFETY: as above.
        unsafe { (*self.raw).duration }
    }

    /// Its average frame rate by the container; 0/1 where it has none.
    pub(super) fn average_rate(self) -> Rational {
        // SAFETY: as above.
        unsafe { (*self.raw).avg_frame_rate }.into()
    }

    /// The container's pixel shape; 0/1 where it has none.
    pub(super) fn sample_aspect(self) -> Rational {
        // SAFETY: as above.
        unsafe { (*self.raw).sample_aspect_ratio }.into()
    }

    /// Bits of its timestamps.
    pub(super) fn wrap_bits(self) -> u32 {
        // SAFETY: as above.
        u32::try_from(unsafe { (*self.raw).pts_wrap_bits }).unwrap_or(u32::MAX)
    }

    /// Its disposition: flags (`AV_DISPOSITION_…`).
    pub(super) fn disposition(self) -> i32 {
        // SAFETY: as above.
        unsafe { (*self.raw).disposition }
    }

    /// Whether it has all of these flags in its disposition.
    pub(super) fn is_marked(self, flags: i32) -> bool {
        self.disposition() & flags == flags
    }

    /// Its tags.
    pub(super) fn tags(self) -> Vec<(String, String)> {
        // SAFETY: as above, and its dictionary lives as long.
        unsafe { dictionary((*self.raw).metadata) }
    }

    /// The value of a tag.
    pub(super) fn tag(self, name: &CStr) -> Option<String> {
        // SAFETY: as in `tags`.
        unsafe { dictionary_value((*self.raw).metadata, name) }
    }

    /// Display matrix, mastering display, light levels, projection.
    pub(super) fn side_data(self) -> Vec<SideData<'a>> {
        // SAFETY: the stream keeps it while the source is borrowed, which is as long as `'a`.
        unsafe { compat::stream_side_data(self.raw) }
    }

    /// The picture attached to the file as this stream; empty where there is none.
    pub(super) fn attached_picture(self) -> &'a [u8] {
        // SAFETY: as in `side_data`; a packet's data holds as many bytes as it says.
        unsafe {
            let packet = &raw const (*self.raw).attached_pic;
            bytes((*packet).data, (*packet).size)
        }
    }
}

/// As many bytes at `data` as a size of libav's says; none where it is null.
///
/// # Safety
/// As many bytes are there, and nobody writes to them, as long as the result is used.
pub(super) unsafe fn bytes<'a>(data: *const u8, size: impl TryInto<usize>) -> &'a [u8] {
    let size = size.try_into().unwrap_or(0);
    if data.is_null() || size == 0 {
        return &[];
    }
    // SAFETY: the caller vouches.
    unsafe { std::slice::from_raw_parts(data, size) }
}

impl Input {
    /// How many streams were found so far.
    pub(super) fn stream_count(&self) -> usize {
        // SAFETY: the context is open.
        unsafe { (*self.raw()).nb_streams as usize }
    }

    /// The stream at a position, where there is one.
    pub(super) fn stream(&self, index: usize) -> Option<Stream<'_>> {
        // SAFETY: the context is open, and has as many streams as it counts.
        let raw =
            (index < self.stream_count()).then(|| unsafe { *(*self.raw()).streams.add(index) })?;
        Some(Stream {
            raw,
            input: PhantomData,
        })
    }

    /// All streams that were found so far.
    pub(super) fn streams(&self) -> impl Iterator<Item = Stream<'_>> {
        (0..self.stream_count()).filter_map(|index| self.stream(index))
    }

    /// The stream at a position.
    ///
    /// # Errors
    /// Where there is none: a source can change after it was probed.
    pub(super) fn existing_stream(&self, index: usize) -> Result<Stream<'_>> {
        self.stream(index)
            .ok_or_else(|| Error::failed(format!("there is no stream {index}")))
    }

    /// A stream's ticks.
    pub(super) fn time_base(&self, stream: usize) -> Rational {
        self.stream(stream)
            .map_or(Rational::new(1, 1), Stream::time_base)
    }

    /// A stream's average frame rate by the container; 0/1 where it has none.
    pub(super) fn average_rate(&self, stream: usize) -> Rational {
        self.stream(stream)
            .map_or(Rational::new(0, 1), Stream::average_rate)
    }

    /// Chapters of the file.
    pub(super) fn chapters(&self) -> impl Iterator<Item = Chapter<'_>> {
        self.context().chapters()
    }

    /// Tags of the file.
    pub(super) fn tags(&self) -> Vec<(String, String)> {
        // SAFETY: the context is open, and has the dictionary for as long as it is.
        unsafe { dictionary((*self.raw()).metadata) }
    }

    /// Bits a second of the file by its size and length; 0 where they are unknown.
    pub(super) fn bit_rate(&self) -> i64 {
        // SAFETY: the context is open.
        unsafe { (*self.raw()).bit_rate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_streams_that_libav_does_not_know_are_others() {
        let video = ffi::AVMediaType::AVMEDIA_TYPE_VIDEO as i32;
        assert_eq!(StreamType::of(video), StreamType::Video);
        for number in [-1, 99, i32::MIN, i32::MAX] {
            assert_eq!(StreamType::of(number), StreamType::Other);
        }
    }
}
