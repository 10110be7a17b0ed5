//! What is said of a file's streams before it begins.

use std::ffi::CString;
use std::ptr;

use ffmpeg::{Rational, ffi};
use ffmpeg_next as ffmpeg;

use super::{Muxer, Origin};
use crate::error::{Error, Result};
use crate::media::encode::Encoded;
use crate::media::error::{check, non_null};
use crate::media::number::{c, number, set_number};
use crate::media::side_data::{self, Kin};
use crate::media::stream::{Stream, StreamType};
use crate::media::subtitle::Subtitles;
use crate::media::version::dictionary;
use crate::recipe::Track;
use crate::recipe::tags::is_statistic;

/// Block sizes that demuxers make up, and muxers take for real.
///
/// # Safety
/// `parameters` are valid.
unsafe fn without_false_alignment(parameters: *mut ffi::AVCodecParameters) {
    // SAFETY: the caller vouches.
    unsafe {
        let codec = number!((*parameters).codec_id);
        let mp3 = codec == ffi::AVCodecID::AV_CODEC_ID_MP3 as i32
            && matches!((*parameters).block_align, 1 | 576 | 1152);
        if mp3 || codec == ffi::AVCodecID::AV_CODEC_ID_AC3 as i32 {
            (*parameters).block_align = 0;
        }
    }
}

/// Takes the tags out whose names are such.
///
/// # Safety
/// `tags` is a dictionary of libav's.
unsafe fn forget(tags: &mut *mut ffi::AVDictionary, is_such: impl Fn(&str) -> bool) {
    // SAFETY: the caller vouches; without a value, libav takes the entry out.
    unsafe {
        for (name, _) in dictionary(*tags)
            .into_iter()
            .filter(|(name, _)| is_such(name))
        {
            if let Ok(name) = CString::new(name) {
                ffi::av_dict_set(tags, name.as_ptr(), ptr::null(), 0);
            }
        }
    }
}

impl Muxer {
    /// Tells what the packets of stream `index` will be of.
    ///
    /// # Errors
    /// Where there is no such stream, or it is described already; where libav refuses the
    /// parameters or the header cannot be written.
    pub fn encoded(
        &mut self,
        index: usize,
        encoded: &Encoded,
        tag: Option<&str>,
        origin: Option<Origin>,
    ) -> Result<()> {
        let stream = self.undescribed(index)?;
        // SAFETY: the stream is there and its header is not written; libav copies what it is
        // given.
        unsafe {
            let parameters = encoded.parameters.as_ptr();
            let code = ffi::avcodec_parameters_copy((*stream).codecpar, parameters);
            check(code, "describe a stream")?;
            (*stream).avg_frame_rate = encoded.frame_rate.into();
            (*stream).sample_aspect_ratio = encoded.sample_aspect.into();
        }
        self.set_codec_tag(index, tag)?;
        if let Some(origin) = origin {
            self.descend(index, &origin, Kin::Encoded)?;
        }
        self.ready(index, encoded.time_base)
    }

    /// Gives stream `index` its encoder of subtitles.
    ///
    /// # Errors
    /// As [`Muxer::encoded`].
    pub(in crate::media) fn subtitled(
        &mut self,
        index: usize,
        subtitles: &Subtitles,
        origin: &Origin,
    ) -> Result<()> {
        let stream = self.undescribed(index)?;
        // SAFETY: as in `encoded`.
        unsafe {
            let code = ffi::avcodec_parameters_from_context(
                (*stream).codecpar,
                subtitles.encoder().as_ptr(),
            );
            check(code, "describe a stream")?;
        }
        self.descend(index, origin, Kin::Encoded)?;
        self.ready(index, subtitles.time_base())
    }

    /// Stream `index` takes the packets of its origin as they are.
    ///
    /// # Errors
    /// As [`Muxer::encoded`].
    pub(in crate::media) fn copied(
        &mut self,
        index: usize,
        tag: Option<&str>,
        origin: &Origin,
    ) -> Result<()> {
        let (stream, source) = (self.undescribed(index)?, origin.stream());
        let tag_of_source = self.tag_for(source);
        // SAFETY: as in `encoded`; the source's stream is valid while it is borrowed.
        unsafe {
            let from = source.raw();
            let parameters = (*stream).codecpar;
            let code = ffi::avcodec_parameters_copy(parameters, source.parameters());
            check(code, "describe a stream")?;
            (*parameters).codec_tag = tag_of_source;
            let vp9 = source.codec() == ffi::AVCodecID::AV_CODEC_ID_VP9 as i32;
            self.streams[index].keeps_dts = vp9;
            let sound = source.stream_type() == StreamType::Audio;
            self.streams[index].samples = sound.then_some(ffi::AV_NOPTS_VALUE);
            (*stream).avg_frame_rate = (*from).avg_frame_rate;
            (*stream).r_frame_rate = (*from).r_frame_rate;
            (*stream).sample_aspect_ratio = (*from).sample_aspect_ratio;
            if (*from).sample_aspect_ratio.num == 0 {
                (*stream).sample_aspect_ratio = (*parameters).sample_aspect_ratio;
            }
            (*parameters).sample_aspect_ratio = (*stream).sample_aspect_ratio;
            without_false_alignment(parameters);
            let length = (*from).duration;
            if length > 0 {
                (*stream).duration = length;
            }
        }
        self.set_codec_tag(index, tag)?;
        self.descend(index, origin, Kin::Copied)?;
        self.ready(index, source.time_base())
    }

    /// Stream `index` is the picture attached to its origin, as a file called `name`.
    ///
    /// # Errors
    /// As [`Muxer::encoded`].
    pub(in crate::media) fn attached(
        &mut self,
        index: usize,
        origin: &Origin,
        (name, mime): (&str, &str),
    ) -> Result<()> {
        let (stream, source) = (self.undescribed(index)?, origin.stream());
        let picture = source.attached_picture();
        let size = i32::try_from(picture.len())
            .map_err(|error| Error::failed("a picture is too large").because(error))?;
        // SAFETY: as in `copied`; the picture is copied into memory of libav's, with the
        // padding that it asks for, and freed with the stream; a stream that is not described
        // has no such memory yet.
        unsafe {
            let parameters = (*stream).codecpar;
            let attachment = ffi::AVMediaType::AVMEDIA_TYPE_ATTACHMENT as i32;
            set_number!((*parameters).codec_type, attachment);
            set_number!((*parameters).codec_id, source.codec());
            let padded = picture.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
            let data = non_null(ffi::av_mallocz(padded), "a picture")?.cast::<u8>();
            ptr::copy_nonoverlapping(picture.as_ptr(), data, picture.len());
            ffi::av_freep((&raw mut (*parameters).extradata).cast());
            (*parameters).extradata = data;
            (*parameters).extradata_size = size;
        }
        self.set_stream_tag(index, "filename", name)?;
        self.set_stream_tag(index, "mimetype", mime)?;
        self.ready(index, Rational::new(1, 1000))
    }

    /// Names the codec of stream `index` by these four letters, where there are any.
    fn set_codec_tag(&mut self, index: usize, tag: Option<&str>) -> Result<()> {
        if let Some(Ok(letters)) = tag.map(|tag| <[u8; 4]>::try_from(tag.as_bytes())) {
            let stream = self.undescribed(index)?;
            // SAFETY: the stream is there, and has parameters as long as it lives.
            unsafe { (*(*stream).codecpar).codec_tag = u32::from_le_bytes(letters) };
        }
        Ok(())
    }

    /// Stream `index` becomes what `track` plans: its tags besides its origin's, and whether HDR
    /// becomes SDR in it.
    pub(in crate::media) fn follow(&mut self, index: usize, track: &Track) {
        if let Some(stream) = self.streams.get_mut(index) {
            stream.tags = track.tags.clone();
            stream.becomes_sdr = track.becomes_sdr();
        }
    }

    fn set_stream_tag(&mut self, index: usize, key: &str, value: &str) -> Result<()> {
        let (Ok(key), Ok(value)) = (CString::new(key), CString::new(value)) else {
            return Ok(());
        };
        let stream = self.undescribed(index)?;
        // SAFETY: the stream is there; libav copies both strings.
        unsafe {
            ffi::av_dict_set(&mut (*stream).metadata, key.as_ptr(), value.as_ptr(), 0);
        }
        Ok(())
    }

    /// Stream `index`, about which nothing is final yet: muxers rely on parameters that stay.
    fn undescribed(&mut self, index: usize) -> Result<*mut ffi::AVStream> {
        let is_described = match self.streams.get(index) {
            Some(stream) => stream.packets_in.is_some(),
            None => return Err(Error::failed(format!("the result has no stream {index}"))),
        };
        if is_described || self.has_tried_to_start {
            let problem = format!("stream {index} of the result is described already");
            return Err(Error::failed(problem));
        }
        self.raw_stream(index)
    }

    /// Stream `index` as libav has it.
    pub(super) fn raw_stream(&mut self, index: usize) -> Result<*mut ffi::AVStream> {
        // SAFETY: the context is open, and has as many streams as it counts.
        let stream = unsafe {
            let context = self.context.as_mut_ptr();
            (index < (*context).nb_streams as usize).then(|| *(*context).streams.add(index))
        };
        stream.ok_or_else(|| Error::failed(format!("the result has no stream {index}")))
    }

    /// The source's letters for a codec, where the muxer knows them for it or knows none.
    fn tag_for(&self, source: Stream) -> u32 {
        let codec = source.codec();
        // SAFETY: the source's parameters live while it is borrowed; the tables of a muxer are
        // static.
        unsafe {
            let tag = (*source.parameters()).codec_tag;
            let table = (*(*self.context.as_ptr()).oformat).codec_tag;
            let mut own = 0;
            let keep = table.is_null()
                || c::av_codec_get_id(table, tag) == codec
                || c::av_codec_get_tag2(table, codec, &mut own) == 0;
            if keep { tag } else { 0 }
        }
    }

    /// Tags, disposition and side data of the source's stream.
    fn descend(&mut self, index: usize, origin: &Origin, kin: Kin) -> Result<()> {
        let (stream, source) = (self.undescribed(index)?, origin.stream());
        // SAFETY: both streams are valid; libav copies what it is given.
        unsafe {
            let from = source.raw();
            let code = ffi::av_dict_copy(&mut (*stream).metadata, (*from).metadata, 0);
            check(code, "copy a stream's tags")?;
            if kin == Kin::Encoded {
                forget(&mut (*stream).metadata, |name| {
                    name.eq_ignore_ascii_case("encoder") || is_statistic(name)
                });
            }
            (*stream).disposition = (*from).disposition;
            let kin = match kin {
                Kin::Encoded if self.streams[index].becomes_sdr => Kin::ToneMapped,
                kin => kin,
            };
            side_data::copy(source, stream, kin)
        }
    }

    /// Stream `index` is described; once all are, the file begins.
    fn ready(&mut self, index: usize, packets_in: Rational) -> Result<()> {
        let stream = self.undescribed(index)?;
        // SAFETY: the stream is there, and its header is not written.
        unsafe { (*stream).time_base = packets_in.into() };
        for (name, value) in std::mem::take(&mut self.streams[index].tags) {
            self.set_stream_tag(index, &name, &value)?;
        }
        self.streams[index].packets_in = Some(packets_in);
        if self
            .streams
            .iter()
            .all(|stream| stream.packets_in.is_some())
        {
            self.start()
        } else {
            Ok(())
        }
    }
}
