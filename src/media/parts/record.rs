//! A part that is made, as bytes: for the same program on the same machine, minutes later.

use ffmpeg_next::Packet;
use ffmpeg_next::codec::packet::{Flags, Mut, Ref};
use ffmpeg_next::ffi::AVPacketSideDataType;
use serde::{Deserialize, Serialize};

use super::work::{Made, Part, Spool};
use crate::media::mux::payload;
use crate::media::number::{c, number};
use crate::media::stream::bytes;

/// What muxers read of what comes beside a packet's bytes: a record has the position in here.
const SIDE: [i32; 3] = [
    AVPacketSideDataType::AV_PKT_DATA_NEW_EXTRADATA as i32,
    AVPacketSideDataType::AV_PKT_DATA_QUALITY_STATS as i32,
    AVPacketSideDataType::AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL as i32,
];

#[derive(Serialize, Deserialize)]
struct Record<'a> {
    from: Option<i64>,
    until: Option<i64>,
    damaged: u64,
    #[serde(borrow)]
    tracks: Vec<Track<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Track<'a> {
    kind: Option<u64>,
    frames: u64,
    position_s: f64,
    length_s: f64,
    #[serde(borrow)]
    packets: Vec<Kept<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    pts: Option<i64>,
    dts: Option<i64>,
    duration: i64,
    flags: i32,
    data: &'a [u8],
    #[serde(borrow)]
    side: Vec<(u8, &'a [u8])>,
}

/// What came of a part, as bytes; none where something of it would be lost.
pub(super) fn of(made: &Made) -> Option<Vec<u8>> {
    let tracks = made.tracks.iter().map(|spool| {
        Some(Track {
            kind: spool.kind,
            frames: spool.frames,
            position_s: spool.position_s,
            length_s: spool.length_s,
            packets: spool.packets.iter().map(Kept::of).collect::<Option<_>>()?,
        })
    });
    let record = Record {
        from: made.from,
        until: made.until,
        damaged: made.damaged,
        tracks: tracks.collect::<Option<_>>()?,
    };
    postcard::to_stdvec(&record).ok()
}

/// What came of `part`; none where the bytes are not of it.
pub(super) fn read(bytes: &[u8], part: &Part) -> Option<Made> {
    let record: Record = postcard::from_bytes(bytes).ok()?;
    if (record.from, record.until) != (part.from, part.until) {
        return None;
    }
    let tracks = record.tracks.into_iter().map(|track| {
        Some(Spool {
            kind: track.kind,
            packets: track
                .packets
                .iter()
                .map(Kept::packet)
                .collect::<Option<_>>()?,
            frames: track.frames,
            position_s: track.position_s,
            length_s: track.length_s,
            ..Spool::default()
        })
    });
    Some(Made {
        number: part.number,
        from: part.from,
        until: part.until,
        tracks: tracks.collect::<Option<_>>()?,
        damaged: record.damaged,
        strayed: false,
    })
}

impl<'a> Kept<'a> {
    fn of(packet: &'a Packet) -> Option<Self> {
        // SAFETY: the packet is valid.
        let count = unsafe { (*packet.as_ptr()).side_data_elems }.max(0) as usize;
        let side = (0..count).map(|index| {
            // SAFETY: a packet has as many pieces of side data as it counts, each of its size,
            // for as long as it lives.
            let (kind, bytes) = unsafe {
                let data = (*packet.as_ptr()).side_data.add(index);
                (number!((*data).type_), bytes((*data).data, (*data).size))
            };
            let kind = SIDE.iter().position(|known| *known == kind)?;
            Some((u8::try_from(kind).ok()?, bytes))
        });
        Some(Self {
            pts: packet.pts(),
            dts: packet.dts(),
            duration: packet.duration(),
            flags: packet.flags().bits(),
            data: payload(packet),
            side: side.collect::<Option<_>>()?,
        })
    }

    fn packet(&self) -> Option<Packet> {
        i32::try_from(self.data.len()).ok()?;
        let mut packet = match self.data {
            [] => Packet::empty(),
            data => {
                let mut packet = Packet::new(data.len());
                packet.data_mut()?.copy_from_slice(data);
                packet
            }
        };
        packet.set_pts(self.pts);
        packet.set_dts(self.dts);
        packet.set_duration(self.duration);
        packet.set_flags(Flags::from_bits_truncate(self.flags));
        for (kind, bytes) in &self.side {
            let kind = *SIDE.get(usize::from(*kind))?;
            // SAFETY: the packet is valid; libav allocates as much as is copied.
            unsafe {
                let raw = packet.as_mut_ptr();
                let room = c::av_packet_new_side_data(raw, kind, bytes.len());
                if room.is_null() {
                    return None;
                }
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), room, bytes.len());
            }
        }
        Some(packet)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;

    #[test]
    fn what_comes_beside_a_packet_is_kept_or_the_packet_is_not() {
        let with = |kind| {
            let mut packet = Packet::copy(&[1, 2, 3]);
            // SAFETY: the packet is valid, and two bytes are there.
            unsafe {
                let room = c::av_packet_new_side_data(packet.as_mut_ptr(), kind, 2);
                room.copy_from_nonoverlapping([8, 9].as_ptr(), 2);
            }
            packet
        };
        for kind in SIDE {
            let packet = Kept::of(&with(kind)).unwrap().packet().unwrap();
            let again = Kept::of(&packet).unwrap();
            assert_eq!(SIDE[usize::from(again.side[0].0)], kind);
            assert_eq!((again.data, again.side[0].1), (&[1, 2, 3][..], &[8, 9][..]));
        }
        let other = with(AVPacketSideDataType::AV_PKT_DATA_A53_CC as i32);
        assert!(Kept::of(&other).is_none());
    }
}
