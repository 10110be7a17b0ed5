//! What a container stores about a whole stream besides its parameters: mastering
//! display, light levels, projection, and the like.

use ffmpeg_next::ffi;

use super::compat;
use crate::error::Result;

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
    copied: bool,
) -> Result<()> {
    // SAFETY: the caller vouches.
    unsafe {
        let is_mapped = becomes_sdr(from, to);
        // What an encoder says of its own frames goes before what the source says of all.
        let own: Vec<_> = compat::stream_side_data(to)
            .into_iter()
            .map(|(kind, _)| kind)
            .collect();
        for data in compat::stream_side_data(from) {
            let is_there = !copied && own.contains(&data.0);
            let is_wrong = is_mapped && describes_brightness(data.0);
            if goes_on(data.0, copied) && !is_there && !is_wrong {
                compat::add_side_data(to, data)?;
            }
        }
    }
    Ok(())
}

/// Whether frames of HDR (PQ, HLG) have become BT.709.
///
/// # Safety
/// Both streams are valid.
unsafe fn becomes_sdr(from: *const ffi::AVStream, to: *const ffi::AVStream) -> bool {
    use ffi::AVColorTransferCharacteristic as Transfer;
    // SAFETY: the caller vouches; read as the number that it is, since a file may hold any.
    let transfer = |stream: *const ffi::AVStream| unsafe {
        (&raw const (*(*stream).codecpar).color_trc)
            .cast::<i32>()
            .read()
    };
    let hdr = [
        Transfer::AVCOL_TRC_SMPTE2084,
        Transfer::AVCOL_TRC_ARIB_STD_B67,
    ];
    let sdr = Transfer::AVCOL_TRC_BT709 as i32;
    transfer(to) == sdr && hdr.iter().any(|one| *one as i32 == transfer(from))
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

fn goes_on(kind: ffi::AVPacketSideDataType, copied: bool) -> bool {
    use ffi::AVPacketSideDataType as Kind;
    match kind {
        // Buffer sizes are those of the source's encoder; what is encoded is
        // cropped and upright already, and no Dolby Vision any more.
        kind if compat::is_cropping(kind) => copied,
        Kind::AV_PKT_DATA_CPB_PROPERTIES
        | Kind::AV_PKT_DATA_DISPLAYMATRIX
        | Kind::AV_PKT_DATA_DOVI_CONF => copied,
        _ => true,
    }
}
