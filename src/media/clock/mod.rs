//! A timestamp for every decoded frame: the one that the `ffmpeg` program of
//! the linked version gives it, also where a container (AVI, raw streams) stores
//! few timestamps or none.
//!
//! The program changed its rules once between the supported versions, so there
//! are two clocks for each medium; [`compat::timestamp_rules`] chooses.

mod audio_by_frames;
mod audio_by_packets;
mod end;
mod packets;
mod video_by_frames;
mod video_by_packets;

use ffmpeg::{Frame, Packet, Rational};
use ffmpeg_next as ffmpeg;

use self::audio_by_frames::AudioByFrames;
use self::audio_by_packets::AudioByPackets;
use self::video_by_frames::VideoByFrames;
use self::video_by_packets::VideoByPackets;
use super::compat::{self, TimestampRules};
use super::jumps::Expected;

pub(super) use self::end::{End, LastFrame};
pub(super) use self::packets::{PacketClock, PacketFacts};

const MICROS: Rational = Rational(1, 1_000_000);

/// Gives the decoded frames of one stream their timestamps.
pub(super) trait Clock: Send {
    /// Forgets the frames so far: the next packet comes from elsewhere in the stream.
    fn restart(&mut self) {}

    /// Sees a packet before the decoder does, and may change its timestamps.
    fn packet_in(&mut self, packet: &mut Packet);

    /// Learns that the decoder gave all frames of a packet; `frame_rate` is the
    /// decoder's current one.
    fn packet_done(&mut self, _frame_rate: Rational) {}

    /// Learns that the decoder is about to be drained.
    fn drain(&mut self) {}

    /// Sets the frame's timestamp and returns its time base.
    fn stamp(&mut self, frame: &mut Frame, frame_rate: Rational) -> Rational;

    /// Where the last frame ends, as the filter graph of the stream expects it.
    fn end(&self) -> i64;

    /// When the next packet is due, where the decoder's progress decides that.
    fn expected(&self) -> Option<Expected>;
}

/// What the clock of a stream is set up with.
pub(super) struct StreamTimes {
    /// Ticks of the stream.
    pub time_base: Rational,
    /// Average frame rate by the container.
    pub frame_rate: Rational,
    /// Frames that the decoder holds back before the first.
    pub reorder_frames: i64,
    /// Whether the format stores no timestamps, so that those of its packets are guesses.
    pub unreliable: bool,
}

/// The clock for a video stream.
pub(super) fn for_video(times: &StreamTimes) -> Box<dyn Clock> {
    match compat::timestamp_rules() {
        TimestampRules::Packets => Box::new(VideoByPackets::new(times)),
        TimestampRules::Frames => Box::new(VideoByFrames::new(times)),
    }
}

/// The clock for an audio stream.
pub(super) fn for_audio(times: &StreamTimes) -> Box<dyn Clock> {
    match compat::timestamp_rules() {
        TimestampRules::Packets => Box::new(AudioByPackets::new(times.time_base)),
        TimestampRules::Frames => Box::new(AudioByFrames::new(times)),
    }
}

/// Time base of stamped audio frames: one sample.
pub(super) fn sample_time_base(frame: &Frame) -> Rational {
    // SAFETY: the frame is valid.
    Rational::new(1, unsafe { (*frame.as_ptr()).sample_rate }.max(1))
}

/// Number of samples in an audio frame.
fn samples(frame: &Frame) -> i32 {
    // SAFETY: the frame is valid.
    unsafe { (*frame.as_ptr()).nb_samples }
}

/// Length of a frame in whole microseconds; 0 where the rate is unknown.
fn frame_us(frame_rate: Rational) -> i64 {
    if is_known(frame_rate) {
        1_000_000 * i64::from(frame_rate.denominator()) / i64::from(frame_rate.numerator())
    } else {
        0
    }
}

fn is_known(frame_rate: Rational) -> bool {
    frame_rate.numerator() > 0 && frame_rate.denominator() > 0
}
