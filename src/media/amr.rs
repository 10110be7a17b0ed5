//! AMR packets that hold several frames, taken apart for decoders that decode only the first.

use ffmpeg::{Packet, Rational, codec, ffi};
use ffmpeg_next as ffmpeg;

use super::compat;
use super::filter::rescale;
use super::number::number;

/// Bits of speech per frame by its type (3GPP TS 26.101, table 1a; the frame is stored with one
/// byte before them, as RFC 4867, section 5.3 describes). Types without a number hold none.
const NARROW_BITS: [usize; 9] = [95, 103, 118, 134, 148, 159, 204, 244, 39];

/// The same for AMR-WB (3GPP TS 26.201, table 2).
const WIDE_BITS: [usize; 10] = [132, 177, 253, 285, 317, 365, 397, 461, 477, 40];

/// A frame lasts 20 ms.
const FRAME: Rational = Rational(1, 50);

/// How packets of one AMR stream are taken apart.
pub(super) struct Splitter {
    bits: &'static [usize],
    // Each packet holds one frame of every channel in turn.
    channels: usize,
    time_base: Rational,
}

impl Splitter {
    /// For a stream with these parameters, where its decoder needs it.
    pub(super) fn of(parameters: &codec::Parameters, time_base: Rational) -> Option<Self> {
        const NARROW: i32 = ffi::AVCodecID::AV_CODEC_ID_AMR_NB as i32;
        const WIDE: i32 = ffi::AVCodecID::AV_CODEC_ID_AMR_WB as i32;
        if !compat::decodes_first_amr_frame_only() {
            return None;
        }
        // SAFETY: the parameters are valid.
        let (codec, channels) = unsafe {
            let raw = parameters.as_ptr();
            (number!((*raw).codec_id), (*raw).ch_layout.nb_channels)
        };
        let bits: &[usize] = match codec {
            NARROW => &NARROW_BITS,
            WIDE => &WIDE_BITS,
            _ => return None,
        };
        Some(Self {
            bits,
            channels: usize::try_from(channels).map_or(1, |n| n.max(1)),
            time_base,
        })
    }

    /// The frames of `packet`, each with its own time.
    pub(super) fn split(&self, packet: Packet) -> Vec<Packet> {
        let data = packet.data().unwrap_or_default();
        if self.first_of(data) == data.len() {
            return vec![packet];
        }
        let mut frames = vec![];
        let mut rest = data;
        while !rest.is_empty() {
            let (frame, after) = rest.split_at(self.first_of(rest));
            frames.push(self.frame(&packet, frames.len(), frame));
            rest = after;
        }
        frames
    }

    /// The size of the first frame of all channels; not more than there is.
    fn first_of(&self, data: &[u8]) -> usize {
        let mut end = 0;
        for _ in 0..self.channels {
            let Some(head) = data.get(end) else {
                return data.len();
            };
            let kind = usize::from(head >> 3 & 0xf);
            let bits = self.bits.get(kind).copied().unwrap_or(0);
            end += 1 + bits.div_ceil(8);
        }
        end.min(data.len())
    }

    fn frame(&self, packet: &Packet, number: usize, data: &[u8]) -> Packet {
        let after = |frames: usize| rescale(frames as i64, FRAME, self.time_base);
        let begin = after(number);
        let time = |time: Option<i64>| time.map(|time| time.saturating_add(begin));
        let mut frame = Packet::copy(data);
        frame.set_stream(packet.stream());
        frame.set_pts(time(packet.pts()));
        frame.set_dts(time(packet.dts()));
        frame.set_duration(after(number + 1) - begin);
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Rational = Rational(1, 8000);

    fn narrow(channels: usize) -> Splitter {
        Splitter {
            bits: &NARROW_BITS,
            channels,
            time_base: TICK,
        }
    }

    /// Of each frame: its size, its time and its length.
    fn split(splitter: &Splitter, data: &[u8]) -> Vec<(usize, Option<i64>, i64)> {
        let mut packet = Packet::copy(data);
        packet.set_pts(Some(1000));
        packet.set_dts(Some(1000));
        let frames = splitter.split(packet).into_iter();
        let facts = frames.map(|frame| (frame.size(), frame.pts(), frame.duration()));
        facts.collect()
    }

    #[test]
    fn each_frame_of_a_packet_gets_its_time() {
        // 12.2 kb/s, 4.75 kb/s, silence, none.
        let mut data = vec![7 << 3; 32];
        data.extend([0; 13]);
        data.extend([8 << 3; 6]);
        data.push(15 << 3);
        let expected = [
            (32, Some(1000), 160),
            (13, Some(1160), 160),
            (6, Some(1320), 160),
            (1, Some(1480), 160),
        ];
        assert_eq!(split(&narrow(1), &data), expected);
    }

    #[test]
    fn a_packet_of_one_frame_stays_as_it_is() {
        let packet = split(&narrow(1), &[7 << 3; 32]);
        assert_eq!(packet, [(32, Some(1000), 0)]);
    }

    #[test]
    fn what_is_broken_off_is_left_to_the_decoder() {
        let sizes = |data: &[u8]| {
            let frames = split(&narrow(1), data).into_iter();
            frames.map(|(size, ..)| size).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[7 << 3; 50]), [32, 18]);
        assert_eq!(sizes(&[7 << 3; 5]), [5]);
    }

    #[test]
    fn channels_stay_together() {
        let data = [7 << 3; 128];
        let expected = [(64, Some(1000), 160), (64, Some(1160), 160)];
        assert_eq!(split(&narrow(2), &data), expected);
    }
}
