//! What is said of a file as a whole: tags and chapters.

use std::ffi::CString;
use std::ptr;

use ffmpeg::{Rational, ffi};
use ffmpeg_next as ffmpeg;

use super::Muxer;
use crate::error::Result;
use crate::media::Input;
use crate::media::error::{check, failed};
use crate::media::filter::rescale;
use crate::recipe::tags::stale;

/// A named stretch of a film, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// Start in milliseconds.
    pub start_ms: i64,
    /// End in milliseconds.
    pub end_ms: i64,
    /// What players show.
    pub title: String,
}

impl Muxer {
    fn forget_tag(&mut self, name: &str) {
        let Ok(name) = CString::new(name) else { return };
        // SAFETY: the context is open; no value takes the entry out.
        unsafe {
            let tags = &mut (*self.context.as_mut_ptr()).metadata;
            ffi::av_dict_set(tags, name.as_ptr(), ptr::null(), 0);
        }
    }

    /// Copies the source's tags, its date among them, and chapters. Where `tags_stream` is a
    /// stream, that has the tags.
    ///
    /// # Errors
    /// Where memory is out.
    pub fn copy_metadata(&mut self, input: &Input, tags_stream: Option<usize>) -> Result<()> {
        let stream = tags_stream.and_then(|stream| input.stream(stream));
        // SAFETY: both contexts are open, and the stream lives as long; libav copies the entries.
        unsafe {
            let to = self.context.as_mut_ptr();
            let tags = match &stream {
                Some(stream) => (*stream.raw()).metadata,
                None => (*input.raw()).metadata,
            };
            let flags = ffi::AV_DICT_DONT_OVERWRITE;
            check(
                ffi::av_dict_copy(&mut (*to).metadata, tags, flags),
                "copy tags",
            )?;
        }
        for name in stale(tags_stream) {
            self.forget_tag(name);
        }
        self.copy_chapters(input)
    }

    fn copy_chapters(&mut self, input: &Input) -> Result<()> {
        for chapter in input.chapters() {
            let to_ms = |time| {
                let ms = rescale(time, chapter.time_base(), Rational::new(1, 1000));
                ms.saturating_sub(input.start_us() / 1000)
            };
            let (start_ms, end_ms) = (to_ms(chapter.start()).max(0), to_ms(chapter.end()));
            if end_ms > start_ms {
                self.add_chapter(&Chapter {
                    start_ms,
                    end_ms,
                    title: String::new(),
                })?;
                // SAFETY: the chapter belongs to the open input.
                unsafe { self.copy_chapter_tags((*chapter.as_ptr()).metadata)? };
            }
        }
        Ok(())
    }

    /// Gives the last chapter these tags instead of its own.
    ///
    /// # Safety
    /// `tags` is a dictionary of libav's.
    unsafe fn copy_chapter_tags(&mut self, tags: *const ffi::AVDictionary) -> Result<()> {
        let Some(last) = (self.context.nb_chapters() as usize).checked_sub(1) else {
            return Ok(());
        };
        // SAFETY: the context holds as many chapters as it counts; the caller vouches for the
        // tags; libav copies the entries.
        unsafe {
            let last = *(*self.context.as_mut_ptr()).chapters.add(last);
            ffi::av_dict_free(&mut (*last).metadata);
            check(
                ffi::av_dict_copy(&mut (*last).metadata, tags, 0),
                "copy a chapter's tags",
            )
            .map(drop)
        }
    }

    /// Adds a chapter; before the first packet, or, in mp4, before the end.
    ///
    /// # Errors
    /// Where libav refuses it.
    pub fn add_chapter(&mut self, chapter: &Chapter) -> Result<()> {
        let id = i64::from(self.context.nb_chapters());
        let title = chapter.title.replace('\0', "");
        self.context
            .add_chapter(
                id,
                Rational::new(1, 1000),
                chapter.start_ms,
                chapter.end_ms,
                title,
            )
            .map(drop)
            .map_err(|error| failed("add a chapter", error))
    }

    /// Sets a tag of the whole file; before the first packet.
    pub fn set_tag(&mut self, key: &str, value: &str) {
        let (Ok(key), Ok(value)) = (CString::new(key), CString::new(value)) else {
            return;
        };
        // SAFETY: libav copies both strings.
        unsafe {
            ffi::av_dict_set(
                &mut (*self.context.as_mut_ptr()).metadata,
                key.as_ptr(),
                value.as_ptr(),
                0,
            )
        };
    }
}
