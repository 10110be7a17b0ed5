//! Packets into a file. Headers are written once all streams are known;
//! until then packets wait.

use std::collections::VecDeque;
use std::ffi::{CStr, CString};
use std::path::Path;
use std::ptr;

use ffmpeg::codec::packet::{Mut, Ref};
use ffmpeg::{Packet, Rational, ffi, format};
use ffmpeg_next as ffmpeg;

use super::error::{check, failed, non_null};
use super::file_io::{self, FileIo};
use super::files::Access;
use super::input::file_url;
use super::subtitle::Subtitles;
use super::{Encoder, Input, side_data};
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::recipe::tags::STALE;

/// A file being written.
pub struct Muxer {
    context: format::context::Output,
    // Used for as long as `context` lives; dropped after it.
    file: FileIo,
    options: Vec<(String, String)>,
    streams: Vec<OutputStream>,
    waiting: VecDeque<(usize, Packet)>,
    started: bool,
    bytes: u64,
    // Ticks by which decoding times must at least grow.
    least_step: i64,
    cancel: Cancel,
}

/// A stream of the source, from which one of the result descends.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    input: &'a Input,
    stream: usize,
}

impl<'a> Origin<'a> {
    /// Stream `stream` of `input`.
    ///
    /// # Errors
    /// Where there is none: a source can change after it was probed.
    pub fn of(input: &'a Input, stream: usize) -> Result<Self> {
        if stream < input.context().nb_streams() as usize {
            Ok(Self { input, stream })
        } else {
            Err(Error::failed(format!(
                "there is no stream {stream} any more"
            )))
        }
    }

    fn raw(&self) -> *const ffi::AVStream {
        // SAFETY: `of` held the number against the context's.
        unsafe { *(*self.input.context().as_ptr()).streams.add(self.stream) }
    }

    /// The attached picture; empty where there is none.
    pub(super) fn picture(&self) -> &'a [u8] {
        // SAFETY: a stream's attached picture lives as long as the input.
        unsafe {
            let packet = &(*self.raw()).attached_pic;
            if packet.data.is_null() {
                &[]
            } else {
                std::slice::from_raw_parts(packet.data, packet.size.max(0) as usize)
            }
        }
    }
}

/// How a stream descends from its origin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kin {
    Copied,
    Encoded,
}

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

struct OutputStream {
    // Time base of the packets given; `None` until the stream's encoder is open.
    packets_in: Option<Rational>,
    last_dts: Option<i64>,
    // Whether decoding times may stand still: copied VP9 has frames that are not shown.
    keeps_dts: bool,
    // State of libav's exact conversion to samples, for copied sound.
    samples: Option<i64>,
}

/// A named stretch of a film, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// Start in milliseconds.
    pub start_ms: i64,
    /// End in milliseconds.
    pub end_ms: i64,
    /// What players show.
    pub title: String,
}

impl Muxer {
    /// Creates `path` for the muxer `name` with `streams` streams.
    ///
    /// # Errors
    /// Where the muxer is missing or the file cannot be created.
    pub fn create(
        path: &Path,
        name: &str,
        options: &[(String, String)],
        streams: usize,
        cancel: &Cancel,
    ) -> Result<Self> {
        super::init();
        let url = file_url(path)?;
        let format_name = CString::new(name)
            .map_err(|error| Error::usage("a muxer's name holds a zero byte").because(error))?;
        let file = FileIo::open(path, Access::Write, "create the output file")?;
        // SAFETY: allocated here, owned by the wrapper from then on; the file
        // is taken away from it in `drop`, before the wrapper would close it.
        let context = unsafe {
            let mut raw = ptr::null_mut();
            let code = ffi::avformat_alloc_output_context2(
                &mut raw,
                ptr::null(),
                format_name.as_ptr(),
                url.as_ptr(),
            );
            check(code, &format!("set up the muxer '{name}'"))?;
            let context = format::context::Output::wrap(raw);
            file_io::open_again(raw);
            for _ in 0..streams {
                non_null(ffi::avformat_new_stream(raw, ptr::null()), "a stream")?;
            }
            // From here on, nothing fails before the value that takes care of it is made.
            (*raw).pb = file.as_ptr();
            context
        };
        // SAFETY: the context has a format for as long as it lives.
        let flags = unsafe { (*(*context.as_ptr()).oformat).flags };
        let least_step = i64::from(flags & ffi::AVFMT_TS_NONSTRICT == 0);
        Ok(Self {
            context,
            file,
            options: options.to_vec(),
            streams: (0..streams)
                .map(|_| OutputStream {
                    packets_in: None,
                    last_dts: None,
                    keeps_dts: false,
                    samples: None,
                })
                .collect(),
            waiting: VecDeque::new(),
            started: false,
            bytes: 0,
            least_step,
            cancel: cancel.clone(),
        })
    }

    /// Whether encoders must keep their headers out of the packets.
    pub fn wants_global_header(&self) -> bool {
        // SAFETY: the context has a format for as long as it lives.
        unsafe { (*(*self.context.as_ptr()).oformat).flags & ffi::AVFMT_GLOBALHEADER != 0 }
    }

    fn forget_tag(&mut self, name: &str) {
        let Ok(name) = CString::new(name) else { return };
        // SAFETY: the context is open; no value takes the entry out.
        unsafe {
            let tags = &mut (*self.context.as_mut_ptr()).metadata;
            ffi::av_dict_set(tags, name.as_ptr(), ptr::null(), 0);
        }
    }

    /// Copies the source's tags, its date among them, and chapters.
    ///
    /// # Errors
    /// Where memory is out.
    pub fn copy_metadata(&mut self, input: &Input) -> Result<()> {
        // SAFETY: both contexts are open; libav copies the entries.
        unsafe {
            let (to, from) = (self.context.as_mut_ptr(), input.context().as_ptr());
            check(
                ffi::av_dict_copy(
                    &mut (*to).metadata,
                    (*from).metadata,
                    ffi::AV_DICT_DONT_OVERWRITE,
                ),
                "copy tags",
            )?;
        }
        for name in STALE {
            self.forget_tag(name);
        }
        self.copy_chapters(input)
    }

    fn copy_chapters(&mut self, input: &Input) -> Result<()> {
        for chapter in input.context().chapters() {
            let to_ms = |time| {
                super::filter::rescale(time, chapter.time_base(), Rational::new(1, 1000))
                    - input.start_us() / 1000
            };
            // SAFETY: a chapter's dictionary is read as bytes, which need not be UTF-8.
            let title =
                unsafe { super::version::dictionary_value((*chapter.as_ptr()).metadata, c"title") };
            let (start_ms, end_ms) = (to_ms(chapter.start()).max(0), to_ms(chapter.end()));
            if end_ms > start_ms {
                self.add_chapter(&Chapter {
                    start_ms,
                    end_ms,
                    title: title.unwrap_or_default(),
                })?;
            }
        }
        Ok(())
    }

    /// Adds a chapter; before the first packet, or, in mp4, before the end.
    ///
    /// # Errors
    /// Where libav refuses it.
    pub fn add_chapter(&mut self, chapter: &Chapter) -> Result<()> {
        let id = i64::from(self.context.nb_chapters());
        let title = chapter.title.replace('\0', "");
        self.context
            .add_chapter(
                id,
                Rational::new(1, 1000),
                chapter.start_ms,
                chapter.end_ms,
                title,
            )
            .map(drop)
            .map_err(|error| failed("add a chapter", error))
    }

    /// Sets a tag of the whole file; before the first packet.
    pub fn set_tag(&mut self, key: &str, value: &str) {
        let (Ok(key), Ok(value)) = (CString::new(key), CString::new(value)) else {
            return;
        };
        // SAFETY: libav copies both strings.
        unsafe {
            ffi::av_dict_set(
                &mut (*self.context.as_mut_ptr()).metadata,
                key.as_ptr(),
                value.as_ptr(),
                0,
            )
        };
    }

    /// Gives stream `index` its encoder.
    ///
    /// # Errors
    /// Where libav refuses the parameters or the header cannot be written.
    pub fn encoded(
        &mut self,
        index: usize,
        encoder: &Encoder,
        tag: Option<&str>,
        origin: Option<Origin>,
    ) -> Result<()> {
        // SAFETY: `index` is one of the streams made in `create`; libav copies what it is given.
        unsafe {
            let stream = self.stream(index);
            let context = encoder.context().as_ptr();
            let code = ffi::avcodec_parameters_from_context((*stream).codecpar, context);
            check(code, "describe a stream")?;
            (*stream).avg_frame_rate = encoder.frame_rate().into();
            (*stream).sample_aspect_ratio = (*context).sample_aspect_ratio;
        }
        self.set_codec_tag(index, tag);
        if let Some(origin) = origin {
            self.descend(index, &origin, Kin::Encoded)?;
        }
        self.ready(index, encoder.time_base())
    }

    /// Gives stream `index` its encoder of subtitles.
    ///
    /// # Errors
    /// As [`Muxer::encoded`].
    pub(super) fn subtitled(
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
    pub(super) fn copied(
        &mut self,
        index: usize,
        tag: Option<&str>,
        origin: &Origin,
    ) -> Result<()> {
        let time_base = origin.input.time_base(origin.stream);
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
    pub(super) fn attached(
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
        self.set_stream_tag(index, c"filename", name);
        self.set_stream_tag(index, c"mimetype", mime);
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

    fn set_stream_tag(&mut self, index: usize, key: &CStr, value: &str) {
        let Ok(value) = CString::new(value) else {
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
                ffi::av_dict_set(&mut (*stream).metadata, c"encoder".as_ptr(), ptr::null(), 0);
            }
            (*stream).disposition = (*from).disposition;
            side_data::copy(from, stream, kin == Kin::Copied)
        }
    }

    /// Stream `index` is described; once all are, the file begins.
    fn ready(&mut self, index: usize, packets_in: Rational) -> Result<()> {
        // SAFETY: `index` is one of the streams made in `create`.
        unsafe { (*self.stream(index)).time_base = packets_in.into() };
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

    /// Of several streams of a kind one is the default; where the source names
    /// none, the first.
    fn name_defaults(&mut self) {
        // SAFETY: the streams made in `create` are valid until the context is closed.
        let facts = |index| unsafe {
            let stream = *(*self.context.as_ptr()).streams.add(index);
            ((*(*stream).codecpar).codec_type, (*stream).disposition)
        };
        let mut streams: Vec<_> = (0..self.streams.len()).map(facts).collect();
        for index in 0..streams.len() {
            let (kind, disposition) = streams[index];
            let alike = || streams.iter().filter(|(other, _)| *other == kind);
            let named = alike().any(|(_, own)| own & ffi::AV_DISPOSITION_DEFAULT != 0);
            let cover = disposition & ffi::AV_DISPOSITION_ATTACHED_PIC != 0;
            if alike().count() > 1 && !named && !cover {
                streams[index].1 |= ffi::AV_DISPOSITION_DEFAULT;
                // SAFETY: as above.
                unsafe { (*self.stream(index)).disposition = streams[index].1 };
            }
        }
    }

    fn start(&mut self) -> Result<()> {
        self.name_defaults();
        let mut options = ffmpeg::Dictionary::new();
        for (key, value) in &self.options {
            options.set(key, value);
        }
        self.context
            .write_header_with(options)
            .map(drop)
            .map_err(|error| failed("write the file's header", error))?;
        self.started = true;
        while let Some((index, packet)) = self.waiting.pop_front() {
            self.write_now(index, packet)?;
        }
        Ok(())
    }

    /// Writes a packet of stream `index`, its timestamps in the encoder's time base.
    ///
    /// # Errors
    /// Where the file cannot be written, or the work was cancelled.
    pub fn write(&mut self, index: usize, packet: Packet) -> Result<()> {
        self.bytes += packet.size() as u64;
        if self.started {
            self.write_now(index, packet)
        } else {
            self.waiting.push_back((index, packet));
            Ok(())
        }
    }

    fn write_now(&mut self, index: usize, mut packet: Packet) -> Result<()> {
        super::pulse::beat();
        if self.cancel.is_set() {
            return Err(Error::interrupted());
        }
        let Some(packets_in) = self.streams[index].packets_in else {
            return Err(Error::failed(format!(
                "stream {index} has packets and no encoder"
            )));
        };
        // SAFETY: the header is written, so the stream's time base is final; the packet is ours.
        let code = unsafe {
            let stream = *(*self.context.as_ptr()).streams.add(index);
            (*packet.as_mut_ptr()).stream_index = index as i32;
            match &mut self.streams[index].samples {
                Some(state) => in_whole_samples(&mut packet, packets_in, stream, state),
                None => ffi::av_packet_rescale_ts(
                    packet.as_mut_ptr(),
                    packets_in.into(),
                    (*stream).time_base,
                ),
            }
            self.keep_order(index, &mut packet);
            ffi::av_interleaved_write_frame(self.context.as_mut_ptr(), packet.as_mut_ptr())
        };
        check(code, "write to the file").map(drop)
    }

    /// Decoding times must grow, and none is after its presentation; what is
    /// not so is moved as the `ffmpeg` program does (`write_packet` of 5.1).
    fn keep_order(&mut self, index: usize, packet: &mut Packet) {
        let last = self.streams[index].last_dts;
        if let (Some(dts), Some(pts)) = (packet.dts(), packet.pts())
            && dts > pts
        {
            // The middle one of the two and the next after the last.
            let next = last.map_or(dts.min(pts), |last| last.saturating_add(1));
            let middle = dts.min(pts).max(next.min(dts.max(pts)));
            packet.set_pts(Some(middle));
            packet.set_dts(Some(middle));
        }
        if let (Some(dts), Some(last)) = (packet.dts(), last)
            && !self.streams[index].keeps_dts
        {
            let earliest = last.saturating_add(self.least_step);
            if dts < earliest {
                let pts = packet.pts();
                if pts.is_some_and(|pts| pts >= dts) {
                    packet.set_pts(pts.map(|pts| pts.max(earliest)));
                }
                packet.set_dts(Some(earliest));
            }
        }
        self.streams[index].last_dts = packet.dts().or(last);
    }

    /// Bytes of all packets so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether a stream's encoder never came up.
    pub fn stream_is_missing(&self, index: usize) -> bool {
        self.streams[index].packets_in.is_none()
    }

    /// Writes the rest and closes the file.
    ///
    /// # Errors
    /// Where a stream never came up, or the file cannot be written: a full disk shows here at the latest.
    pub fn finish(mut self) -> Result<()> {
        if !self.started {
            return Err(Error::failed("no frame could be decoded"));
        }
        self.context
            .write_trailer()
            .map_err(|error| failed("write the file's end", error))?;
        self.file.flush()
    }
}

impl Drop for Muxer {
    fn drop(&mut self) {
        // SAFETY: the context is open. The wrapper would close the file as one
        // that libav opened, which it is not; null it leaves alone.
        unsafe { (*self.context.as_mut_ptr()).pb = ptr::null_mut() };
    }
}

/// A copied sound packet's times in the stream's time base, free of the rounding
/// to the source's ticks (in milliseconds, often).
///
/// # Safety
/// `stream` is a valid stream of sound whose header is written.
unsafe fn in_whole_samples(
    packet: &mut Packet,
    from: Rational,
    stream: *const ffi::AVStream,
    state: &mut i64,
) {
    // SAFETY: the caller vouches for the stream; the rest is computation on our own packet.
    unsafe {
        let (parameters, to) = ((*stream).codecpar, (*stream).time_base);
        let mut samples = ffi::av_get_audio_frame_duration2(parameters, packet.size() as i32);
        if samples <= 0 {
            samples = (*parameters).frame_size;
        }
        if let Some(dts) = packet.dts() {
            let sample = Rational::new(1, (*parameters).sample_rate.max(1));
            let exact =
                ffi::av_rescale_delta(from.into(), dts, sample.into(), samples.max(0), state, to);
            packet.set_dts(Some(exact));
            packet.set_pts(Some(exact));
        }
        packet.set_duration(super::filter::rescale(packet.duration(), from, to.into()));
    }
}

/// Bytes of a packet's payload.
pub(super) fn payload(packet: &Packet) -> &[u8] {
    // SAFETY: a packet's data, where not null, holds `size` bytes for as long as the packet lives.
    unsafe {
        let raw = &*packet.as_ptr();
        if raw.data.is_null() {
            &[]
        } else {
            std::slice::from_raw_parts(raw.data, raw.size.max(0) as usize)
        }
    }
}
