//! What a container stores about a whole stream besides its parameters: mastering
//! display, light levels, projection, and the like.

use ffmpeg_next::ffi;

use super::compat;
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
/// Both streams are valid, and the header of the result is not written.
pub(super) unsafe fn copy(
    from: *const ffi::AVStream,
    to: *mut ffi::AVStream,
    kin: Kin,
) -> Result<()> {
    // SAFETY: the caller vouches.
    unsafe {
        // What an encoder says of its own frames goes before what the source says of all.
        let own: Vec<_> = compat::stream_side_data(to)
            .into_iter()
            .map(|(kind, _)| kind)
            .collect();
        for data in compat::stream_side_data(from) {
            let is_there = kin != Kin::Copied && own.contains(&data.0);
            if goes_on(data.0, kin) && !is_there {
                compat::add_side_data(to, data)?;
            }
        }
    }
    Ok(())
}

/// Whether it says how bright HDR is meant.
fn describes_brightness(kind: ffi::AVPacketSideDataType) -> bool {
    use ffi::AVPacketSideDataType as Kind;
    matches!(
        kind,
        Kind::AV_PKT_DATA_MASTERING_DISPLAY_METADATA
            | Kind::AV_PKT_DATA_CONTENT_LIGHT_LEVEL
            | Kind::AV_PKT_DATA_DYNAMIC_HDR10_PLUS
    )
}

fn goes_on(kind: ffi::AVPacketSideDataType, kin: Kin) -> bool {
    use ffi::AVPacketSideDataType as Kind;
    let copied = kin == Kin::Copied;
    match kind {
        kind if describes_brightness(kind) => kin != Kin::ToneMapped,
        // Buffer sizes are those of the source's encoder; what is encoded is
        // cropped and upright already, and no Dolby Vision any more.
        kind if compat::is_cropping(kind) => copied,
        Kind::AV_PKT_DATA_CPB_PROPERTIES
        | Kind::AV_PKT_DATA_DISPLAYMATRIX
        | Kind::AV_PKT_DATA_DOVI_CONF => copied,
        _ => true,
    }
}
