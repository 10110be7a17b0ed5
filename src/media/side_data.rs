//! What a container tells of a whole stream besides its parameters: mastering
//! display, light levels, projection, and the like.

use ffmpeg_next::ffi;

use super::error::non_null;
use crate::error::Result;

/// Copies a source stream's side data to a stream of the result. What describes
/// packets, and not pictures, is for a copied stream alone.
///
/// # Errors
/// Where memory is out.
///
/// # Safety
/// Both streams are valid.
#[cfg(not(ffmpeg_8_0))]
pub(super) unsafe fn copy(
    from: *const ffi::AVStream,
    to: *mut ffi::AVStream,
    copied: bool,
) -> Result<()> {
    // SAFETY: the caller vouches; libav allocates as much as is copied.
    unsafe {
        for index in 0..(*from).nb_side_data.max(0) as usize {
            let data = &*(*from).side_data.add(index);
            if !goes_on(data.type_, copied) {
                continue;
            }
            let room = ffi::av_stream_new_side_data(to, data.type_, data.size as _);
            let room = non_null(room, "side data")?;
            std::ptr::copy_nonoverlapping(data.data, room, data.size);
        }
    }
    Ok(())
}

/// As above: from FFmpeg 8 on, side data belongs to the parameters, and a copy
/// of these has it already.
#[cfg(ffmpeg_8_0)]
pub(super) unsafe fn copy(
    from: *const ffi::AVStream,
    to: *mut ffi::AVStream,
    copied: bool,
) -> Result<()> {
    if copied {
        return Ok(());
    }
    // SAFETY: the caller vouches; libav allocates as much as is copied.
    unsafe {
        let (from, to) = ((*from).codecpar, (*to).codecpar);
        for index in 0..(*from).nb_coded_side_data.max(0) as usize {
            let data = &*(*from).coded_side_data.add(index);
            if !goes_on(data.type_, copied) {
                continue;
            }
            let room = ffi::av_packet_side_data_new(
                &mut (*to).coded_side_data,
                &mut (*to).nb_coded_side_data,
                data.type_,
                data.size,
                0,
            );
            let room = non_null(room, "side data")?;
            std::ptr::copy_nonoverlapping(data.data, (*room).data, data.size);
        }
    }
    Ok(())
}

fn goes_on(kind: ffi::AVPacketSideDataType, copied: bool) -> bool {
    use ffi::AVPacketSideDataType as Kind;
    match kind {
        // Buffer sizes are those of the source's encoder; what is encoded is
        // upright already, and no Dolby Vision any more.
        Kind::AV_PKT_DATA_CPB_PROPERTIES
        | Kind::AV_PKT_DATA_DISPLAYMATRIX
        | Kind::AV_PKT_DATA_DOVI_CONF => copied,
        _ => true,
    }
}
