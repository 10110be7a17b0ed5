//! What the libraries behind linked encoders tell of their own version.

use std::ffi::{CStr, CString, c_char, c_int};

use ffmpeg_next::ffi;

/// How a library tells its version, by the name of what it exports for that.
enum Tells {
    /// A function without arguments returns text.
    Text(&'static CStr),
    /// A variable points to text.
    Variable(&'static CStr),
    /// A function without arguments returns a number of one byte a part.
    Parts(&'static CStr),
}

/// Encoders by libav's names. libx264 exports nothing of the kind; it writes
/// its version into its streams.
const TELLING: [(&str, Tells); 11] = [
    ("libx265", Tells::Variable(c"x265_version_str")),
    ("libvpx", Tells::Text(c"vpx_codec_version_str")),
    ("libvpx-vp9", Tells::Text(c"vpx_codec_version_str")),
    ("libsvtav1", Tells::Text(c"svt_av1_get_version")),
    ("libaom-av1", Tells::Text(c"aom_codec_version_str")),
    ("libopus", Tells::Text(c"opus_get_version_string")),
    ("libmp3lame", Tells::Text(c"get_lame_version")),
    ("libvorbis", Tells::Text(c"vorbis_version_string")),
    ("libkvazaar", Tells::Text(c"kvz_version_string")),
    ("libwebp", Tells::Parts(c"WebPGetEncoderVersion")),
    ("libwebp_anim", Tells::Parts(c"WebPGetEncoderVersion")),
];

/// The version of a linked encoder, of libav's name, as its library tells it;
/// `None` where there is none of that name, or it does not tell.
///
/// A library is only found where it is linked as one of its own: what is
/// inside a libavcodec that was linked statically cannot be asked.
pub fn encoder_version(name: &str) -> Option<String> {
    if is_of_libav(name)? {
        return Some(format!("libavcodec {}", libavcodec()));
    }
    let (_, tells) = TELLING.iter().find(|(of, _)| *of == name)?;
    let text = match tells {
        Tells::Text(symbol) => called(symbol)?,
        Tells::Variable(symbol) => read(symbol)?,
        Tells::Parts(symbol) => parts(symbol)?,
    };
    Some(bare(&text).to_owned()).filter(|text| !text.is_empty())
}

/// `v1.13.1` and `libopus 1.4` without what is before the number.
fn bare(text: &str) -> &str {
    text.trim_start_matches(|c: char| !c.is_ascii_digit())
}

/// Whether libavcodec holds the encoder itself; `None` where there is no such encoder.
fn is_of_libav(name: &str) -> Option<bool> {
    let name = CString::new(name).ok()?;
    // SAFETY: looks up a static description; only reads it.
    unsafe {
        let codec = ffi::avcodec_find_encoder_by_name(name.as_ptr());
        codec.as_ref().map(|codec| codec.wrapper_name.is_null())
    }
}

/// Version of the linked libavcodec, e.g. `59.37.100`.
fn libavcodec() -> String {
    // SAFETY: returns a number.
    let version = unsafe { ffi::avcodec_version() };
    format!("{}.{}.{}", version >> 16, version >> 8 & 255, version & 255)
}

/// Where a name that any of the linked libraries exports lies.
fn exported(symbol: &CStr) -> Option<std::ptr::NonNull<libc::c_void>> {
    // SAFETY: looks a name up in what is loaded already.
    std::ptr::NonNull::new(unsafe { libc::dlsym(libc::RTLD_DEFAULT, symbol.as_ptr()) })
}

fn called(symbol: &CStr) -> Option<String> {
    let function = exported(symbol)?;
    // SAFETY: the libraries' headers declare each of these names as such a
    // function, which returns null or a static string.
    unsafe {
        type Function = unsafe extern "C" fn() -> *const c_char;
        let function = std::mem::transmute::<*mut libc::c_void, Function>(function.as_ptr());
        text(function())
    }
}

fn read(symbol: &CStr) -> Option<String> {
    let variable = exported(symbol)?.cast::<*const c_char>();
    // SAFETY: the library's header declares it as such a variable, which
    // holds a static string from when the library is loaded.
    unsafe { text(*variable.as_ptr()) }
}

/// # Safety
/// `from` is null or a static string.
unsafe fn text(from: *const c_char) -> Option<String> {
    // SAFETY: the caller vouches for it.
    (!from.is_null()).then(|| {
        unsafe { CStr::from_ptr(from) }
            .to_string_lossy()
            .into_owned()
    })
}

fn parts(symbol: &CStr) -> Option<String> {
    let function = exported(symbol)?;
    // SAFETY: the library's header declares it as such a function.
    let version = unsafe {
        type Function = unsafe extern "C" fn() -> c_int;
        std::mem::transmute::<*mut libc::c_void, Function>(function.as_ptr())()
    };
    let part = |shift: u32| version >> shift & 255;
    Some(format!("{}.{}.{}", part(16), part(8), part(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libavs_own_encoders_are_of_libavcodecs_version() {
        let told = encoder_version("aac").unwrap();
        assert!(told.starts_with("libavcodec "), "{told}");
        assert_eq!(told.split('.').count(), 3, "{told}");
    }

    #[test]
    fn what_a_library_tells_is_a_number_and_what_is_none_is_not_known() {
        for (name, _) in TELLING {
            if let Some(told) = encoder_version(name) {
                assert!(told.starts_with(|c: char| c.is_ascii_digit()), "{told}");
            }
        }
        assert_eq!(encoder_version("libx264"), None);
        assert_eq!(encoder_version("no such encoder"), None);
        assert_eq!(bare("v1.12.0"), "1.12.0");
        assert_eq!(bare("libopus 1.3.1-fixed"), "1.3.1-fixed");
    }
}
