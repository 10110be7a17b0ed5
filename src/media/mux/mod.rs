//! Packets into a file. Headers are written once all streams are known;
//! until then packets wait.

mod origin;
mod streams;
mod tags;

use std::collections::VecDeque;
use std::ffi::CString;
use std::path::Path;
use std::ptr;

use ffmpeg::codec::packet::{Mut, Ref};
use ffmpeg::{Packet, Rational, ffi, format};
use ffmpeg_next as ffmpeg;

use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::media::error::{check, failed, non_null};
use crate::media::file_io::{self, FileIo};
use crate::media::files::Access;
use crate::media::input::file_url;
use crate::media::options::options;
use crate::media::stream::bytes;

pub use origin::Origin;
pub use tags::Chapter;

/// Bytes of packets that wait for streams that are not known yet: enough for hours
/// of sound, and far from what a machine holds.
const MOST_WAITING: u64 = 256 << 20;

/// A file being written.
pub struct Muxer {
    context: format::context::Output,
    // What `context` writes to until `drop` takes it away from there.
    file: FileIo,
    options: Vec<(String, String)>,
    streams: Vec<OutputStream>,
    waiting: VecDeque<(usize, Packet)>,
    // Packets of the streams that the others follow, and how far these have come
    // in microseconds; `None` where no stream waits for another.
    leading: VecDeque<(usize, Packet)>,
    led_to_us: Option<i64>,
    // A header is written once, whether or not that succeeds.
    has_tried_to_start: bool,
    started: bool,
    bytes: u64,
    most_waiting: u64,
    // Ticks by which decoding times must at least grow.
    least_step: i64,
    cancel: Cancel,
}

struct OutputStream {
    // Time base of the packets given; `None` until the stream's encoder is open.
    packets_in: Option<Rational>,
    last_dts: Option<i64>,
    // Whether decoding times may stand still: copied VP9 has frames that are not shown.
    keeps_dts: bool,
    // State of libav's exact conversion to samples, for copied sound.
    samples: Option<i64>,
    // Tags besides the origin's, until the stream is described.
    tags: Vec<(String, String)>,
    // Whether HDR becomes SDR in it.
    becomes_sdr: bool,
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
        let file = FileIo::open(path, Access::Write, cancel, "create the output file")?;
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
                    tags: vec![],
                    becomes_sdr: false,
                })
                .collect(),
            waiting: VecDeque::new(),
            leading: VecDeque::new(),
            led_to_us: None,
            has_tried_to_start: false,
            started: false,
            bytes: 0,
            most_waiting: MOST_WAITING,
            least_step,
            cancel: cancel.clone(),
        })
    }

    /// Whether encoders must keep their headers out of the packets.
    pub fn wants_global_header(&self) -> bool {
        // SAFETY: the context has a format for as long as it lives.
        unsafe { (*(*self.context.as_ptr()).oformat).flags & ffi::AVFMT_GLOBALHEADER != 0 }
    }

    fn start(&mut self) -> Result<()> {
        self.has_tried_to_start = true;
        let options = options(self.options.iter().map(|(key, value)| (key, value)))?;
        self.context
            .write_header_with(options)
            .map(drop)
            .map_err(|error| failed("write the file's header", error))?;
        self.started = true;
        self.let_go()
    }

    /// From now on, packets wait for those before them that [`Muxer::write_leading`] gets.
    pub(super) fn hold(&mut self) {
        self.led_to_us = Some(i64::MIN);
    }

    /// No packet waits for others any more.
    ///
    /// # Errors
    /// As [`Muxer::write`].
    pub(super) fn release_all(&mut self) -> Result<()> {
        self.led_to_us = None;
        if self.started { self.let_go() } else { Ok(()) }
    }

    /// Writes a packet of stream `index`, and of all others what comes before it.
    ///
    /// # Errors
    /// As [`Muxer::write`].
    pub(super) fn write_leading(&mut self, index: usize, packet: Packet) -> Result<()> {
        self.bytes += packet.size() as u64;
        self.leading.push_back((index, packet));
        if self.started { self.let_go() } else { Ok(()) }
    }

    /// Writes what has no reason to wait.
    fn let_go(&mut self) -> Result<()> {
        while let Some((index, packet)) = self.leading.pop_front() {
            self.led_to_us = Some(self.time_us(index, &packet));
            self.let_follow()?;
            self.write_now(index, packet)?;
        }
        self.let_follow()
    }

    fn let_follow(&mut self) -> Result<()> {
        while let Some((index, packet)) = self.waiting.pop_front() {
            if self
                .led_to_us
                .is_some_and(|led_to_us| self.time_us(index, &packet) > led_to_us)
            {
                self.waiting.push_front((index, packet));
                break;
            }
            self.write_now(index, packet)?;
        }
        Ok(())
    }

    /// When a packet is decoded; what tells no time waits for nothing.
    fn time_us(&self, index: usize, packet: &Packet) -> i64 {
        const MICROS: Rational = Rational(1, 1_000_000);
        let time = packet.dts().or(packet.pts());
        let base = self.streams.get(index).and_then(|stream| stream.packets_in);
        let (Some(time), Some(base)) = (time, base) else {
            return i64::MIN;
        };
        super::filter::rescale(time, base, MICROS)
    }

    /// Writes a packet of stream `index`, its timestamps in the encoder's time base.
    ///
    /// # Errors
    /// Where the file cannot be written, or the work was cancelled.
    pub fn write(&mut self, index: usize, packet: Packet) -> Result<()> {
        self.bytes += packet.size() as u64;
        self.waiting.push_back((index, packet));
        if self.started {
            return self.let_go();
        }
        // Where packets follow others, those are made within bounds of their own.
        match self.led_to_us {
            None if self.bytes > self.most_waiting => Err(self.waits_too_long()),
            _ => Ok(()),
        }
    }

    fn waits_too_long(&self) -> Error {
        let missing: Vec<String> = (0..self.streams.len())
            .filter(|index| self.stream_is_missing(*index))
            .map(|index| index.to_string())
            .collect();
        Error::failed(format!(
            "nothing of the result's stream {} could be decoded so far, and {} MiB of its other \
             streams wait for that",
            missing.join(" and "),
            self.bytes >> 20
        ))
        .cure("--preset remux copies all streams as they are")
    }

    fn write_now(&mut self, index: usize, mut packet: Packet) -> Result<()> {
        super::pulse::beat();
        if self.cancel.is_set() {
            return Err(Error::interrupted());
        }
        let base = self.streams.get(index).and_then(|stream| stream.packets_in);
        let Some(packets_in) = base else {
            return Err(Error::failed(format!(
                "stream {index} has packets and no encoder"
            )));
        };
        let stream = self.raw_stream(index)?;
        // SAFETY: the header is written, so the stream's time base is final; the packet is ours.
        let code = unsafe {
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
    /// Where a stream never came up, or the file cannot be written: a full disk shows here at the
    /// latest.
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
    // SAFETY: a packet's data holds as many bytes as it says, for as long as the packet lives.
    unsafe {
        let raw = packet.as_ptr();
        bytes((*raw).data, (*raw).size)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::media::encode::{Encoded, Setup};
    use crate::media::{Encoder, Graph};
    use crate::recipe::EncoderSpec;

    #[test]
    fn what_waits_for_a_stream_that_gives_nothing_is_bounded_and_the_stream_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mkv");
        let mut muxer = Muxer::create(&path, "matroska", &[], 2, &Cancel::new()).unwrap();
        muxer.most_waiting = 10_000;
        muxer.streams[1].packets_in = Some(Rational::new(1, 1000));
        let mut write = || muxer.write(1, Packet::copy(&[0; 1000]));
        for _ in 0..10 {
            write().unwrap();
        }
        let error = write().unwrap_err().to_string();
        assert!(error.contains("stream 0 "), "{error}");
    }

    /// What the packets of an encoder of sound are of.
    fn pcm() -> Encoded {
        let spec = EncoderSpec {
            name: "pcm_s16le".into(),
            options: Default::default(),
            qscale: None,
            width: None,
        };
        let source = "anullsrc=r=8000:cl=mono,aformat=s16";
        let graph = Graph::generator(source, false).unwrap();
        let encoder = Encoder::audio(&spec, &graph, Setup::default()).unwrap();
        encoder.encoded().unwrap()
    }

    #[test]
    fn a_stream_that_is_not_there_and_one_that_is_described_already_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mkv");
        let mut muxer = Muxer::create(&path, "matroska", &[], 2, &Cancel::new()).unwrap();
        let encoded = pcm();
        for index in [2, 1000, usize::MAX] {
            assert!(muxer.encoded(index, &encoded, None, None).is_err());
        }
        muxer.encoded(1, &encoded, None, None).unwrap();
        assert!(muxer.encoded(1, &encoded, Some("abcd"), None).is_err());
        muxer.encoded(0, &encoded, None, None).unwrap();
        for index in [0, 1] {
            assert!(muxer.encoded(index, &encoded, None, None).is_err());
        }
        muxer.write(0, Packet::copy(&[0; 16])).unwrap();
        assert!(muxer.write(2, Packet::copy(&[0; 16])).is_err());
        muxer.finish().unwrap();
    }

    #[test]
    fn nothing_is_written_any_more_once_the_work_is_cancelled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mkv");
        let cancel = Cancel::new();
        let mut muxer = Muxer::create(&path, "matroska", &[], 1, &cancel).unwrap();
        muxer.encoded(0, &pcm(), None, None).unwrap();
        cancel.set();
        let error = muxer.finish().unwrap_err();
        assert_eq!(error.kind(), Kind::Interrupted);
    }
}
