//! What is linked: version and encoders.

use std::ffi::{CStr, CString};

use ffmpeg_next::ffi;

/// The linked FFmpeg's version, e.g. `5.1.9-0+deb12u1`.
pub fn linked_version() -> String {
    // SAFETY: a static string.
    unsafe { CStr::from_ptr(ffi::av_version_info()) }
        .to_string_lossy()
        .into_owned()
}

/// Whether an encoder of this name is linked.
pub fn has_encoder(name: &str) -> bool {
    let Ok(name) = CString::new(name) else {
        return false;
    };
    // SAFETY: looks up a static description.
    unsafe { !ffi::avcodec_find_encoder_by_name(name.as_ptr()).is_null() }
}

/// A dictionary's value as text; bytes that are no UTF-8 are replaced.
///
/// # Safety
/// `dictionary` is null or a valid dictionary of libav.
pub(super) unsafe fn dictionary_value(
    dictionary: *const ffi::AVDictionary,
    key: &CStr,
) -> Option<String> {
    // SAFETY: the caller vouches for the dictionary; the entry lives as long as it.
    unsafe {
        let entry = ffi::av_dict_get(dictionary, key.as_ptr(), std::ptr::null(), 0);
        (!entry.is_null()).then(|| {
            CStr::from_ptr((*entry).value)
                .to_string_lossy()
                .into_owned()
        })
    }
}
