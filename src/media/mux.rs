//! Packets into a file. Headers are written once all streams are known;
//! until then packets wait.

use std::collections::VecDeque;
use std::ffi::CString;
use std::path::Path;
use std::ptr;

use ffmpeg::codec::packet::{Mut, Ref};
use ffmpeg::{Packet, Rational, ffi, format};
use ffmpeg_next as ffmpeg;

use super::error::{check, failed, non_null};
use super::input::file_url;
use super::{Encoder, Input};
use crate::dispatch::Cancel;
use crate::error::{Error, Result};

/// A file being written.
pub struct Muxer {
    context: format::context::Output,
    options: Vec<(String, String)>,
    streams: Vec<OutputStream>,
    waiting: VecDeque<(usize, Packet)>,
    started: bool,
    bytes: u64,
    cancel: Cancel,
}

struct OutputStream {
    // Time base of the packets given; `None` until the stream's encoder is open.
    packets_in: Option<Rational>,
    last_dts: Option<i64>,
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
        // SAFETY: allocated here, owned by the wrapper from then on; the
        // wrapper closes the file, too, when it is dropped.
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
            check(
                ffi::avio_open(&mut (*raw).pb, url.as_ptr(), ffi::AVIO_FLAG_WRITE),
                "create the output file",
            )?;
            for _ in 0..streams {
                non_null(ffi::avformat_new_stream(raw, ptr::null()), "a stream")?;
            }
            context
        };
        Ok(Self {
            context,
            options: options.to_vec(),
            streams: (0..streams)
                .map(|_| OutputStream {
                    packets_in: None,
                    last_dts: None,
                })
                .collect(),
            waiting: VecDeque::new(),
            started: false,
            bytes: 0,
            cancel: cancel.clone(),
        })
    }

    /// Whether encoders must keep their headers out of the packets.
    pub fn wants_global_header(&self) -> bool {
        // SAFETY: the context has a format for as long as it lives.
        unsafe { (*(*self.context.as_ptr()).oformat).flags & ffi::AVFMT_GLOBALHEADER != 0 }
    }

    /// Copies the source's tags and chapters, as the `ffmpeg` program does.
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
            for stale in [
                c"creation_time",
                c"company_name",
                c"product_name",
                c"product_version",
            ] {
                ffi::av_dict_set(&mut (*to).metadata, stale.as_ptr(), ptr::null(), 0);
            }
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

    /// Adds a chapter; before the first packet.
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

    /// Gives stream `index` its encoder, and the tags of the source's stream.
    ///
    /// # Errors
    /// Where libav refuses the parameters or the header cannot be written.
    pub fn stream_ready(
        &mut self,
        index: usize,
        encoder: &Encoder,
        tags_of: Option<(&Input, usize)>,
    ) -> Result<()> {
        // SAFETY: `index` is one of the streams made in `create`; libav copies what it is given.
        unsafe {
            let stream = *(*self.context.as_ptr()).streams.add(index);
            let code = ffi::avcodec_parameters_from_context(
                (*stream).codecpar,
                encoder.context().as_ptr(),
            );
            check(code, "describe a stream")?;
            (*stream).time_base = encoder.time_base().into();
            (*stream).avg_frame_rate = encoder.frame_rate().into();
            (*stream).sample_aspect_ratio = (*encoder.context().as_ptr()).sample_aspect_ratio;
            if let Some((input, source)) = tags_of {
                let from = *(*input.context().as_ptr()).streams.add(source);
                check(
                    ffi::av_dict_copy(&mut (*stream).metadata, (*from).metadata, 0),
                    "copy a stream's tags",
                )?;
                ffi::av_dict_set(&mut (*stream).metadata, c"encoder".as_ptr(), ptr::null(), 0);
                (*stream).disposition = (*from).disposition;
            }
        }
        self.streams[index].packets_in = Some(encoder.time_base());
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

    fn start(&mut self) -> Result<()> {
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
            ffi::av_packet_rescale_ts(packet.as_mut_ptr(), packets_in.into(), (*stream).time_base);
            self.keep_order(index, &mut packet);
            ffi::av_interleaved_write_frame(self.context.as_mut_ptr(), packet.as_mut_ptr())
        };
        check(code, "write to the file").map(drop)
    }

    /// Decoding times must grow; one that does not is moved, as the `ffmpeg` program does.
    fn keep_order(&mut self, index: usize, packet: &mut Packet) {
        let Some(dts) = packet.dts() else { return };
        let earliest = self.streams[index]
            .last_dts
            .map_or(dts, |last| last.saturating_add(1));
        let dts = dts.max(earliest);
        if Some(dts) != packet.dts() {
            packet.set_dts(Some(dts));
            packet.set_pts(packet.pts().map(|pts| pts.max(dts)));
        }
        self.streams[index].last_dts = Some(dts);
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
        // SAFETY: flushes and closes; the pointer becomes null, which the wrapper's own close accepts.
        let code = unsafe { ffi::avio_closep(&mut (*self.context.as_mut_ptr()).pb) };
        check(code, "close the file").map(drop)
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
