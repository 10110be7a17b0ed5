//! What is said of a file's streams before it begins.

use std::ffi::CString;
use std::ptr;

use ffmpeg::{Rational, ffi};
use ffmpeg_next as ffmpeg;

use super::{Muxer, Origin};
use crate::error::Result;
use crate::media::encode::Encoded;
use crate::media::error::{check, non_null};
use crate::media::side_data::{self, Kin};
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
        let mp3 = (*parameters).codec_id == ffi::AVCodecID::AV_CODEC_ID_MP3
            && matches!((*parameters).block_align, 1 | 576 | 1152);
        if mp3 || (*parameters).codec_id == ffi::AVCodecID::AV_CODEC_ID_AC3 {
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
    /// Where libav refuses the parameters or the header cannot be written.
    pub fn encoded(
        &mut self,
        index: usize,
        encoded: &Encoded,
        tag: Option<&str>,
        origin: Option<Origin>,
    ) -> Result<()> {
        // SAFETY: `index` is one of the streams made in `create`; libav copies what it is given.
        unsafe {
            let stream = self.stream(index);
            let parameters = encoded.parameters.as_ptr();
            let code = ffi::avcodec_parameters_copy((*stream).codecpar, parameters);
            check(code, "describe a stream")?;
            (*stream).avg_frame_rate = encoded.frame_rate.into();
            (*stream).sample_aspect_ratio = encoded.sample_aspect.into();
        }
        self.set_codec_tag(index, tag);
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
        // SAFETY: as in `encoded`.
        unsafe {
            let stream = self.stream(index);
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
        let time_base = origin.time_base();
        // SAFETY: as in `encoded`; `origin` names a stream of its open input.
        unsafe {
            let stream = self.stream(index);
            let from = origin.raw();
            let parameters = (*stream).codecpar;
            let code = ffi::avcodec_parameters_copy(parameters, (*from).codecpar);
            check(code, "describe a stream")?;
            (*parameters).codec_tag = self.tag_for((*from).codecpar);
            let vp9 = (*parameters).codec_id == ffi::AVCodecID::AV_CODEC_ID_VP9;
            self.streams[index].keeps_dts = vp9;
            let sound = (*parameters).codec_type == ffi::AVMediaType::AVMEDIA_TYPE_AUDIO;
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
        self.set_codec_tag(index, tag);
        self.descend(index, origin, Kin::Copied)?;
        self.ready(index, time_base)
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
        let picture = origin.picture();
        // SAFETY: as in `copied`; the picture is copied into memory of libav's,
        // with the padding that it asks for, and freed with the stream.
        unsafe {
            let parameters = (*self.stream(index)).codecpar;
            (*parameters).codec_type = ffi::AVMediaType::AVMEDIA_TYPE_ATTACHMENT;
            (*parameters).codec_id = (*(*origin.raw()).codecpar).codec_id;
            let padded = picture.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
            let data = non_null(ffi::av_mallocz(padded), "a picture")?.cast::<u8>();
            ptr::copy_nonoverlapping(picture.as_ptr(), data, picture.len());
            (*parameters).extradata = data;
            (*parameters).extradata_size = picture.len() as i32;
        }
        self.set_stream_tag(index, "filename", name);
        self.set_stream_tag(index, "mimetype", mime);
        self.ready(index, Rational::new(1, 1000))
    }

    /// Names the codec of stream `index` by these four letters, where there are any.
    fn set_codec_tag(&mut self, index: usize, tag: Option<&str>) {
        if let Some(Ok(letters)) = tag.map(|tag| <[u8; 4]>::try_from(tag.as_bytes())) {
            // SAFETY: `index` is one of the streams made in `create`.
            unsafe {
                (*(*self.stream(index)).codecpar).codec_tag = u32::from_le_bytes(letters);
            }
        }
    }

    /// Stream `index` becomes what `track` plans: its tags besides its origin's, and whether HDR
    /// becomes SDR in it.
    pub(in crate::media) fn follow(&mut self, index: usize, track: &Track) {
        if let Some(stream) = self.streams.get_mut(index) {
            stream.tags = track.tags.clone();
            stream.becomes_sdr = track.becomes_sdr();
        }
    }

    fn set_stream_tag(&mut self, index: usize, key: &str, value: &str) {
        let (Ok(key), Ok(value)) = (CString::new(key), CString::new(value)) else {
            return;
        };
        // SAFETY: libav copies both strings.
        unsafe {
            let stream = self.stream(index);
            ffi::av_dict_set(&mut (*stream).metadata, key.as_ptr(), value.as_ptr(), 0);
        }
    }

    /// # Safety
    /// `index` is below the number of streams made in `create`.
    unsafe fn stream(&mut self, index: usize) -> *mut ffi::AVStream {
        // SAFETY: the caller vouches for the index.
        unsafe { *(*self.context.as_mut_ptr()).streams.add(index) }
    }

    /// The source's letters for a codec, where the muxer knows them for it or knows none.
    ///
    /// # Safety
    /// `parameters` are valid.
    unsafe fn tag_for(&self, parameters: *const ffi::AVCodecParameters) -> u32 {
        // SAFETY: the caller vouches; the tables of a muxer are static.
        unsafe {
            let (id, tag) = ((*parameters).codec_id, (*parameters).codec_tag);
            let table = (*(*self.context.as_ptr()).oformat).codec_tag;
            let mut own = 0;
            let keep = table.is_null()
                || ffi::av_codec_get_id(table, tag) == id
                || ffi::av_codec_get_tag2(table, id, &mut own) == 0;
            if keep { tag } else { 0 }
        }
    }

    /// Tags, disposition and side data of the source's stream.
    fn descend(&mut self, index: usize, origin: &Origin, kin: Kin) -> Result<()> {
        // SAFETY: both streams are valid; libav copies what it is given.
        unsafe {
            let (stream, from) = (self.stream(index), origin.raw());
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
            side_data::copy(from, stream, kin)
        }
    }

    /// Stream `index` is described; once all are, the file begins.
    fn ready(&mut self, index: usize, packets_in: Rational) -> Result<()> {
        // SAFETY: `index` is one of the streams made in `create`.
        unsafe { (*self.stream(index)).time_base = packets_in.into() };
        for (name, value) in std::mem::take(&mut self.streams[index].tags) {
            self.set_stream_tag(index, &name, &value);
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
