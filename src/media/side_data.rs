//! What a container stores about a whole stream besides its parameters: mastering
//! display, light levels, projection, and the like.

use ffmpeg_next::ffi;
use ffmpeg_next::ffi::AVPacketSideDataType as Kind;

use super::compat;
use super::stream::Stream;
use crate::error::Result;

/// How a stream of a result descends from that of its source.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kin {
    /// Its packets are the source's.
    Copied,
    /// Its frames are the source's.
    Encoded,
    /// Its frames are the source's, which were HDR, and are not any more.
    ToneMapped,
}

/// Copies a source stream's side data to a stream of the result. What describes
/// packets, and not frames, is for a copied stream alone.
///
/// # Errors
/// Where memory is out.
///
/// # Safety
/// `to` is valid, and the header of the result is not written.
pub(super) unsafe fn copy(from: Stream, to: *mut ffi::AVStream, kin: Kin) -> Result<()> {
    // What an encoder says of its own frames goes before what the source says of all.
    // SAFETY: the caller vouches; the result is gone before anything is added.
    let own: Vec<_> = unsafe { compat::stream_side_data(to) }
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    for data in from.side_data() {
        let is_there = kin != Kin::Copied && own.contains(&data.0);
        if goes_on(data.0, kin) && !is_there {
            // SAFETY: the caller vouches; the two streams share no memory.
            unsafe { compat::add_side_data(to, data)? };
        }
    }
    Ok(())
}

/// Whether it says how bright HDR is meant.
fn describes_brightness(kind: i32) -> bool {
    let kinds = [
        Kind::AV_PKT_DATA_MASTERING_DISPLAY_METADATA,
        Kind::AV_PKT_DATA_CONTENT_LIGHT_LEVEL,
        Kind::AV_PKT_DATA_DYNAMIC_HDR10_PLUS,
    ];
    kinds.map(|known| known as i32).contains(&kind)
}

/// Whether it describes packets: buffer sizes are those of the source's encoder; what is
/// encoded is cropped and upright already, and no Dolby Vision any more.
fn describes_packets(kind: i32) -> bool {
    let kinds = [
        Kind::AV_PKT_DATA_CPB_PROPERTIES,
        Kind::AV_PKT_DATA_DISPLAYMATRIX,
        Kind::AV_PKT_DATA_DOVI_CONF,
    ];
    compat::is_cropping(kind) || kinds.map(|known| known as i32).contains(&kind)
}

fn goes_on(kind: i32, kin: Kin) -> bool {
    if describes_brightness(kind) {
        kin != Kin::ToneMapped
    } else {
        kin == Kin::Copied || !describes_packets(kind)
    }
}
