//! An opened source: demuxer, packets, and the one clock that all its streams share.

use std::ffi::{CStr, CString, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::{Arc, OnceLock};

use ffmpeg::util::interrupt;
use ffmpeg::{Packet, Rational, ffi};
use ffmpeg_next as ffmpeg;

use super::clock::PacketFacts;
use super::compat::{self, TimestampRules};
use super::error::{check, failed, non_null};
use super::file_io::{FileIo, is_pattern};
use super::files::Access;
use super::filter::rescale;
use super::jumps::{Arrival, Expected, Jumps};
use super::number::{number, set_number};
use super::options::options;
use super::stream::{Stream, StreamType};
use super::structure::{Damage, Holes};
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::job::Limits;

const MICROS: Rational = Rational(1, ffi::AV_TIME_BASE);

/// Demuxers that open further files named inside the source: used where that is trusted.
const PLAYLISTS: [&str; 6] = ["applehttp", "concat", "concatf", "dash", "hls", "imf"];

/// Demuxers that open addresses, or read a name as a pattern: never used.
const REFUSED_FORMATS: [&str; 8] = [
    "image2",
    "image2pipe",
    "lavfi",
    "rtp",
    "rtsp",
    "sap",
    "sdp",
    "vapoursynth",
];

/// How much of a file is read, in bytes and in microseconds, to find out what its streams are if
/// the usual 5 MB and 5 s do not show that: names and values of libav's options.
pub const LONG_LOOK: [(&str, &str); 2] =
    [("probesize", "200000000"), ("analyzeduration", "120000000")];

/// An opened source.
pub struct Input {
    // Keeps a share in the file for as long as anything keeps the context.
    context: ffmpeg::format::context::Input,
    // Whether it was looked at for longer than usual.
    starts_late: bool,
    // Where the file begins, in microseconds of its own clock.
    start_us: i64,
    jumps: Jumps,
    holes: Holes,
    file: Arc<FileIo>,
}

impl Input {
    /// Opens `path` and reads its headers; no other file is opened. Where those do not show what
    /// its streams are, as of a recording that begins far before a key frame, [`LONG_LOOK`] is
    /// taken at it.
    ///
    /// `format` names the one demuxer to use, such as an earlier probe found.
    /// Blocking reads end when `cancel` is set.
    ///
    /// # Errors
    /// Where the file cannot be read, is no media, or is of a refused format.
    pub fn open(path: &Path, format: Option<&str>, cancel: &Cancel) -> Result<Self> {
        let input = Self::look(path, format, &[], cancel)?;
        let is_unclear = input.streams().any(Stream::is_unknown);
        match is_unclear {
            true => Self::look(path, format, &LONG_LOOK, cancel),
            false => Ok(input),
        }
    }

    fn look(
        path: &Path,
        format: Option<&str>,
        long: &[(&str, &str)],
        cancel: &Cancel,
    ) -> Result<Self> {
        super::init();
        let limits = super::bounds::get();
        let url = file_url(path)?;
        if format.is_none() && is_pattern(&url) {
            check(ffi::AVERROR_INVALIDDATA, "open it as media")?;
        }
        let file = FileIo::open(path, Access::Read, cancel, "open it as media")?;
        let file = Arc::new(file);
        let playlist = format.is_some_and(is_playlist);
        let allowed = match format {
            // What it names is of other formats.
            Some(name) if !(limits.trust && playlist) => name.to_owned(),
            _ => allowed_formats(limits.trust).to_owned(),
        };
        // One more than is allowed: some demuxers leave out what is too many, and go on.
        let most = limits.streams.saturating_add(1).min(i32::MAX as u32);
        let usual = [
            ("protocol_whitelist", "file"),
            ("format_whitelist", &allowed),
            ("scan_all_pmts", "1"),
            ("max_streams", &most.to_string()),
        ];
        // Of scripts that name files anywhere.
        let trusted = limits.trust.then_some(("safe", "0"));
        let options = options(usual.into_iter().chain(trusted).chain(long.iter().copied()))?;
        let shared = Arc::clone(&file);
        let interrupt = interrupt::new(Box::new(move || shared.is_cancelled()));
        // SAFETY: the context is allocated here and handed to libav, which frees it itself
        // when opening fails; what libav calls to ask for a cancellation has a share in the
        // file, and is freed after the context is, by whoever frees that; the dictionary goes
        // in and comes out, and is freed by its owner.
        let context = unsafe {
            let mut raw = non_null(ffi::avformat_alloc_context(), "a demuxer")?;
            (*raw).interrupt_callback = interrupt.interrupt;
            (*raw).pb = file.as_ptr();
            let mut dictionary = options.disown();
            let demuxer = format.map_or(ptr::null(), demuxer_named);
            let code = ffi::avformat_open_input(&mut raw, url.as_ptr(), demuxer, &mut dictionary);
            drop(ffmpeg::Dictionary::own(dictionary));
            if code < 0 {
                file.check()?;
            }
            if code < 0 && super::log::has_said("exceeds max_streams") {
                return Err(limits.too_many_streams());
            }
            check(code, "open it as media")?;
            ffmpeg::format::context::Input::wrap_with_interrupt(raw, interrupt.guard)
        };
        let mut input = Self {
            context,
            starts_late: !long.is_empty(),
            start_us: 0,
            jumps: Jumps::new(false, None),
            holes: Holes::default(),
            file,
        };
        input.check_streams()?;
        input.find_streams(limits.pixels)?;
        input.check(&limits)?;
        // SAFETY: the context is open.
        let start_us = believable(unsafe { (*input.raw()).start_time }, MICROS);
        input.start_us = start_us.unwrap_or(0);
        input.jumps = Jumps::new(input.may_jump(), start_us);
        Ok(input)
    }

    /// Looks into the streams; no picture of more than so many pixels is decoded for that.
    fn find_streams(&mut self, pixels: u64) -> Result<()> {
        let pixels = pixels.to_string();
        let each = (0..self.stream_count()).map(|_| options([("max_pixels", &pixels)]));
        let all = each.collect::<Result<Vec<_>>>()?.into_iter();
        // SAFETY: given back below.
        let mut options: Vec<_> = all.map(|options| unsafe { options.disown() }).collect();
        // SAFETY: the context is open and owned by `self`; there is an entry a
        // stream, and libav looks at no more.
        let code = unsafe {
            ffi::avformat_find_stream_info(self.context.as_mut_ptr(), options.as_mut_ptr())
        };
        for options in options {
            // SAFETY: libav left what it did not take; its owner frees it.
            drop(unsafe { ffmpeg::Dictionary::own(options) });
        }
        self.file.check()?;
        check(code, "find its streams").map(drop)
    }

    /// Holds what was found against the limits.
    fn check(&self, limits: &Limits) -> Result<()> {
        self.check_streams()?;
        for (width, height) in self.streams().map(Stream::size) {
            limits.check_pixels(u64::from(width), u64::from(height))?;
        }
        Ok(())
    }

    /// Whether there are more streams than allowed; some formats find them while they are read.
    fn check_streams(&self) -> Result<()> {
        super::bounds::get().check_streams(self.stream_count() as u64)
    }

    /// Makes up the times that the container lacks, from the order of decoding.
    pub fn generate_pts(&mut self) {
        // SAFETY: the context is open; reading looks at the flag.
        unsafe { (*self.context.as_mut_ptr()).flags |= ffi::AVFMT_FLAG_GENPTS };
    }

    /// The wrapped context. Functions of its own read numbers of files as enumerations, and
    /// bytes of files as text: the module `stream` has those that do not.
    pub(super) fn context(&self) -> &ffmpeg::format::context::Input {
        &self.context
    }

    /// The context as libav has it.
    pub(super) fn raw(&self) -> *const ffi::AVFormatContext {
        // SAFETY: nothing but the address is taken.
        unsafe { self.context.as_ptr() }
    }

    #[cfg(test)]
    pub(super) fn file(&self) -> &Arc<FileIo> {
        &self.file
    }

    /// The demuxer's name.
    pub fn format_name(&self) -> String {
        // SAFETY: an open context has a format with a static name.
        unsafe { CStr::from_ptr((*(*self.raw()).iformat).name) }
            .to_string_lossy()
            .into_owned()
    }

    /// Length in seconds, where the container tells.
    pub fn duration_s(&self) -> Option<f64> {
        let duration = self.context.duration();
        (duration > 0 && !is_endless(duration) && !self.has_endless_stream())
            .then(|| duration as f64 / f64::from(ffi::AV_TIME_BASE))
    }

    /// Whether its streams show what they are only beyond what is usually read of a file.
    pub(super) fn starts_late(&self) -> bool {
        self.starts_late
    }

    /// Whether the length is but a guess by the size.
    pub(super) fn duration_is_guessed(&self) -> bool {
        // SAFETY: the context is open.
        let method = unsafe { number!((*self.raw()).duration_estimation_method) };
        method == ffi::AVDurationEstimationMethod::AVFMT_DURATION_FROM_BITRATE as i32
    }

    /// MPEG-4 writes a length that it does not know as all ones (ISO/IEC 14496-12, 8.2.2).
    fn has_endless_stream(&self) -> bool {
        let all_ones = i64::from(u32::MAX);
        self.streams()
            .any(|stream| (all_ones - 1..=all_ones + 1).contains(&stream.duration()))
    }

    /// Leaves all streams out of the reading but those in `wanted`.
    pub fn select(&mut self, wanted: &[usize]) {
        for stream in self.streams() {
            let discard = if wanted.contains(&stream.index()) {
                ffi::AVDiscard::AVDISCARD_DEFAULT
            } else {
                ffi::AVDiscard::AVDISCARD_ALL
            };
            // SAFETY: the stream is the context's, which is this value's alone.
            unsafe { set_number!((*stream.raw().cast_mut()).discard, discard as i32) };
        }
        self.begin_with(wanted);
    }

    /// Whether the timestamps of packets are the file's own, and not libav's
    /// guesses: a raw stream stores none. Up to FFmpeg 6.0, the program takes
    /// the guesses, too.
    pub(super) fn has_own_timestamps(&self) -> bool {
        // SAFETY: an open context has a format.
        let flags = unsafe { (*(*self.raw()).iformat).flags };
        flags & ffi::AVFMT_NOTIMESTAMPS == 0 || compat::timestamp_rules() == TimestampRules::Packets
    }

    /// Whether a format's clock may jump, as that of MPEG streams.
    pub(super) fn may_jump(&self) -> bool {
        // SAFETY: an open context has a format.
        jumps(unsafe { &*(*self.raw()).iformat })
    }

    /// Where the clock of a format may jump, the file begins with the first of
    /// the wanted streams, as in the `ffmpeg` program.
    fn begin_with(&mut self, wanted: &[usize]) {
        let wrapping = wanted
            .iter()
            .filter_map(|stream| self.stream(*stream))
            .filter(|stream| stream.wrap_bits() < 64);
        let starts = wrapping.filter_map(|stream| {
            let start = believable(stream.start_time(), stream.time_base())?;
            Some(rescale(start, stream.time_base(), MICROS))
        });
        if let (true, Some(start)) = (self.may_jump(), starts.min()) {
            self.start_us = self.start_us.max(start);
            self.jumps.begin_at(self.start_us);
        }
    }

    /// Where the file begins, in microseconds of its own clock.
    pub(super) fn start_us(&self) -> i64 {
        self.start_us
    }

    /// Goes to the last key frame at or before `time_us`, in microseconds from
    /// the file's beginning; whether that could be done: else it stays where it is.
    pub(super) fn seek_before(&mut self, time_us: i64) -> bool {
        self.jumps.forget();
        let time = time_us.saturating_add(self.start_us);
        // SAFETY: the context is open; a failure leaves the position as it is.
        let code = unsafe {
            ffi::avformat_seek_file(self.context.as_mut_ptr(), -1, i64::MIN, time, time, 0)
        };
        code >= 0
    }

    /// Goes to a place from which `stream` can be decoded and that is not after
    /// `time`, in the stream's ticks from the file's beginning; whether that could be done.
    pub(super) fn seek_in(&mut self, stream: usize, time: i64) -> bool {
        let time = self.by_own_clock(stream, time);
        self.jumps.forget();
        // SAFETY: the context is open; a failure leaves the position as it is.
        let code = unsafe {
            let stream = i32::try_from(stream).unwrap_or(i32::MAX);
            ffi::avformat_seek_file(self.context.as_mut_ptr(), stream, i64::MIN, time, time, 0)
        };
        code >= 0
    }

    /// Where decoding begins for the frame at `time`, by the container's index:
    /// equal for times between two key frames; both in the stream's ticks.
    pub(super) fn key_before(&self, stream: usize, time: i64) -> Option<i64> {
        let time = self.by_own_clock(stream, time);
        let stream = self.stream(stream)?;
        // SAFETY: the stream lives as long as the opened input, and libav only reads it; the
        // entry is read at once, by a number that libav gave.
        unsafe {
            let raw = stream.raw().cast_mut();
            let number = ffi::av_index_search_timestamp(raw, time, ffi::AVSEEK_FLAG_BACKWARD);
            let entry = ffi::avformat_index_get_entry(raw, number);
            entry.as_ref().map(|entry| entry.timestamp)
        }
    }

    /// A time from the file's beginning by the file's own clock, both in the stream's ticks.
    fn by_own_clock(&self, stream: usize, time: i64) -> i64 {
        let start = rescale(self.start_us, MICROS, self.time_base(stream));
        time.saturating_add(start)
    }

    /// The next packet of a selected stream, its timestamps such that the file
    /// begins at 0 and its clock never jumps; `None` at the end.
    ///
    /// # Errors
    /// Where the file cannot be read on, or reading was cancelled.
    pub fn read(&mut self) -> Result<Option<Packet>> {
        super::pulse::beat();
        let mut packet = Packet::empty();
        let read = packet.read(&mut self.context);
        self.file.check()?;
        match read {
            Ok(()) => {
                self.check_streams()?;
                let time_base = self.time_base(packet.stream());
                let stream_type = self.stream(packet.stream()).map(Stream::stream_type);
                forget_sentinels(&mut packet, time_base, stream_type);
                if let Some(arrival) = self.arrival(packet.stream()) {
                    self.jumps.mend(&mut packet, &arrival);
                }
                let opened = self.file.opened();
                self.holes.note(&packet, time_base, opened.faults());
                drop(opened);
                Ok(Some(packet))
            }
            Err(ffmpeg::Error::Eof) => Ok(None),
            Err(error) => Err(failed("read on", error)),
        }
    }

    /// The damage to the structure of a file that was read to its end, from its beginning on.
    pub(super) fn damage(&self) -> Box<Damage> {
        let opened = self.file.opened();
        let (missing, torn) = opened.ending();
        let faults: Vec<_> = opened.faults().iter().copied().chain(torn).collect();
        Box::new(self.holes.damage(&faults, missing))
    }

    /// What was made of a packet tells better than itself when the next is due.
    pub(super) fn expect(&mut self, stream: usize, expected: Expected) {
        self.jumps.expect(stream, expected);
    }

    /// Whether its clock has jumped so far.
    pub(super) fn has_jumped(&self) -> bool {
        self.jumps.has_jumped()
    }

    fn arrival(&self, stream: usize) -> Option<Arrival> {
        let found = self.stream(stream)?;
        Some(Arrival {
            facts: PacketFacts::of(found),
            time_base: found.time_base(),
            wrap_bits: found.wrap_bits(),
            is_timed: matches!(found.stream_type(), StreamType::Video | StreamType::Audio),
        })
    }
}

/// 32 bits of ones, as milliseconds: FFmpeg writes them for a subtitle whose end it does not
/// know.
const ENDLESS_US: i64 = u32::MAX as i64 * 1000;

/// When such a subtitle may begin: the film that Matroska's header then describes ends with it.
const LONGEST_FILM_US: i64 = 24 * 3600 * 1_000_000;

/// Whether a length in microseconds stands for none.
pub(super) fn is_endless(duration_us: i64) -> bool {
    (ENDLESS_US..ENDLESS_US + LONGEST_FILM_US).contains(&duration_us)
}

/// No clock is so far from its beginning: not one that counts from 1900, as NTP's does.
const MOST_US: i64 = 150 * 366 * 24 * 3600 * 1_000_000;

/// A packet of sound is not so long. That of an Ogg without its last granule lasts a day.
const MOST_SOUND_US: i64 = 12 * 3600 * 1_000_000;

/// A time, where it can be one: libav has a number for none, and damaged files hold
/// others that no clock shows.
pub(super) fn believable(time: i64, time_base: Rational) -> Option<i64> {
    (rescale(time, time_base, MICROS).saturating_abs() < MOST_US).then_some(time)
}

/// Times and lengths that cannot be are as good as none: what follows goes by those
/// of the other packets, by the frame rate, or by the number of samples.
fn forget_sentinels(packet: &mut Packet, time_base: Rational, stream: Option<StreamType>) {
    let is_time = |time: &i64| believable(*time, time_base).is_some();
    packet.set_pts(packet.pts().filter(is_time));
    packet.set_dts(packet.dts().filter(is_time));
    let length_us = rescale(packet.duration(), time_base, MICROS);
    let is_known = match stream {
        Some(StreamType::Audio) => length_us <= MOST_SOUND_US,
        Some(StreamType::Subtitle) => !is_endless(length_us),
        // A clock that jumps makes the picture before that as long.
        _ => true,
    };
    if !is_known {
        packet.set_duration(0);
    }
}

/// `file:` in front of the name as bytes: no name can be an option, another
/// protocol or a pattern, and none need be UTF-8.
pub(super) fn file_url(path: &Path) -> Result<CString> {
    let mut url = b"file:".to_vec();
    url.extend_from_slice(path.as_os_str().as_bytes());
    CString::new(url).map_err(|error| Error::usage("a file name holds a zero byte").because(error))
}

/// The demuxer of that full name; null, so that libav looks for itself, where there is none.
fn demuxer_named(name: &str) -> *const ffi::AVInputFormat {
    let first = name.split(',').next().unwrap_or_default();
    let Ok(first) = CString::new(first) else {
        return ptr::null();
    };
    // SAFETY: looks up a static description.
    unsafe { ffi::av_find_input_format(first.as_ptr()) }
}

/// Whether the clock of sources of this format may jump, as that of MPEG streams.
pub fn clock_may_jump(format: &str) -> bool {
    // SAFETY: null or a static description.
    let demuxer = unsafe { demuxer_named(format).as_ref() };
    demuxer.is_some_and(jumps)
}

fn jumps(demuxer: &ffi::AVInputFormat) -> bool {
    demuxer.flags & ffi::AVFMT_TS_DISCONT != 0
}

/// Whether sources of this format name other files.
pub fn is_playlist(format: &str) -> bool {
    format.split(',').any(|part| PLAYLISTS.contains(&part))
}

/// All demuxers of the linked libav but the refused ones, as libav's list.
fn allowed_formats(trust: bool) -> &'static str {
    static LISTS: [OnceLock<String>; 2] = [OnceLock::new(), OnceLock::new()];
    LISTS[usize::from(trust)].get_or_init(|| list_formats(trust))
}

fn list_formats(trust: bool) -> String {
    let mut names = Vec::new();
    let mut state: *mut c_void = ptr::null_mut();
    // SAFETY: the iteration hands out static descriptions until null.
    unsafe {
        loop {
            let format = ffi::av_demuxer_iterate(&mut state);
            if format.is_null() {
                break;
            }
            let name = CStr::from_ptr((*format).name).to_string_lossy();
            let refused = |part| REFUSED_FORMATS.contains(&part);
            if !name.split(',').any(refused) && (trust || !is_playlist(&name)) {
                names.push(name.into_owned());
            }
        }
    }
    names.join(",")
}
