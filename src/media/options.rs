//! Options by name, as libav takes them.

use std::ffi::CString;
use std::ptr;

use ffmpeg_next as ffmpeg;
use ffmpeg_next::ffi;

use super::error::check;
use crate::error::{Error, Result};

/// A dictionary of `pairs`. `ffmpeg::Dictionary::set` panics if there is no memory.
///
/// # Errors
/// If there is no memory, or a text holds a zero byte.
pub(super) fn options<'a, K, V>(
    pairs: impl IntoIterator<Item = (K, V)>,
) -> Result<ffmpeg::Dictionary<'a>>
where
    K: AsRef<str>,
    V: AsRef<str>,
{
    let mut dictionary = ptr::null_mut();
    let set = pairs.into_iter().try_for_each(|(key, value)| {
        let text = |text: &str| {
            CString::new(text).map_err(|error| Error::failed("cannot set an option").because(error))
        };
        let (key, value) = (text(key.as_ref())?, text(value.as_ref())?);
        // SAFETY: both texts end with a zero and are copied; the dictionary is null or libav's.
        let code = unsafe { ffi::av_dict_set(&mut dictionary, key.as_ptr(), value.as_ptr(), 0) };
        check(code, "set an option").map(drop)
    });
    // SAFETY: nothing else owns it; it is freed by this owner, also after an error.
    let dictionary = unsafe { ffmpeg::Dictionary::own(dictionary) };
    set.map(|()| dictionary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_their_values_and_a_zero_byte_is_an_error() {
        let dictionary = options([("crf", "23"), ("preset", "fast")]).unwrap();
        assert_eq!(dictionary.get("crf"), Some("23"));
        assert_eq!(dictionary.get("preset"), Some("fast"));
        assert!(options([("crf", "2\0")]).is_err());
    }
}
