//! An open file as what libav reads from and writes to. libav opens none
//! itself: neither by name, nor by any protocol.

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;

use ffmpeg_next::ffi;

use super::error::{check, non_null};
use super::files::{self, Access};
use super::opened::{self, Opened};
use super::structure::Fault;
use crate::error::{Error, Result};

/// Bytes that are read or written at once: fewer calls where a file is far away.
const READ: usize = 64 << 10;
const WRITE: usize = 256 << 10;

/// A file in the hands of libav. It must outlive the context that uses it.
pub(super) struct FileIo {
    context: *mut ffi::AVIOContext,
    path: PathBuf,
}

impl FileIo {
    /// Opens `path`; `what` says what for.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub(super) fn open(path: &Path, access: Access, what: &str) -> Result<Self> {
        match opened::open(path, access) {
            Ok(file) => Self::of(file, path, access),
            Err(error) => Err(check(code(&error), what)
                .map(drop)
                .err()
                .unwrap_or_else(|| {
                    crate::Error::failed(format!("failed to {what}")).because(error)
                })),
        }
    }

    fn of(file: File, path: &Path, access: Access) -> Result<Self> {
        let is_written = access == Access::Write;
        let size = if is_written { WRITE } else { READ };
        // SAFETY: the buffer is libav's own, as it must be; the file is boxed
        // and freed in `drop`, after the context that holds its address.
        unsafe {
            let buffer = non_null(ffi::av_malloc(size), "a buffer")?.cast::<u8>();
            let file = Box::into_raw(Box::new(Opened::new(file))).cast::<c_void>();
            // FFmpeg 7 and newer promise not to change what is to be written,
            // which makes another type of the same function.
            #[allow(clippy::useless_transmute, clippy::missing_transmute_annotations)]
            let write = std::mem::transmute(write as Transfer);
            let context = ffi::avio_alloc_context(
                buffer,
                size as c_int,
                c_int::from(is_written),
                file,
                if is_written { None } else { Some(read) },
                if is_written { Some(write) } else { None },
                Some(seek),
            );
            if context.is_null() {
                ffi::av_free(buffer.cast());
                drop(Box::from_raw(file.cast::<Opened>()));
            }
            Ok(Self {
                context: non_null(context, "a file")?,
                path: path.to_owned(),
            })
        }
    }

    /// What libav wants.
    pub(super) fn as_ptr(&self) -> *mut ffi::AVIOContext {
        self.context
    }

    fn opened(&self) -> &Opened {
        // SAFETY: made in `of`, and freed in `drop`; libav uses it only while it is called.
        unsafe { &*(*self.context).opaque.cast::<Opened>() }
    }

    /// Whether the system could read the file so far.
    ///
    /// # Errors
    /// Where it could not: libav takes such an error for the file's end, or for damage.
    pub(super) fn check(&self) -> Result<()> {
        let failure = self.opened().failure();
        failure.map_or(Ok(()), |error| Err(Error::unreadable(&self.path, error)))
    }

    /// Places that were read so far where the file's structure is broken.
    pub(super) fn faults(&self) -> &[Fault] {
        self.opened().faults()
    }

    /// What is missing at the end of a file that was read to its end.
    pub(super) fn ending(&self) -> (u64, Option<Fault>) {
        self.opened().ending()
    }

    /// Writes what is in the buffer.
    ///
    /// # Errors
    /// Where this or an earlier write failed.
    pub(super) fn flush(&mut self) -> Result<()> {
        // SAFETY: the context lives as long as this value.
        let error = unsafe {
            ffi::avio_flush(self.context);
            (*self.context).error
        };
        check(error, "close the file").map(drop)
    }
}

impl Drop for FileIo {
    fn drop(&mut self) {
        // SAFETY: both were made in `of`; libav may have exchanged the buffer
        // for another of its own, and knows the present one.
        unsafe {
            let file = (*self.context).opaque.cast::<Opened>();
            ffi::av_freep(ptr::from_mut(&mut (*self.context).buffer).cast());
            ffi::avio_context_free(&mut self.context);
            drop(Box::from_raw(file));
        }
    }
}

/// Has `context`, which writes a file, open that for reading, too, by the same
/// way: some muxers move its end to its front.
///
/// # Safety
/// `context` is valid.
pub(super) unsafe fn open_again(context: *mut ffi::AVFormatContext) {
    // SAFETY: the caller vouches.
    unsafe {
        (*context).io_open = Some(open_for_muxer);
        (*context).io_close2 = Some(close_for_muxer);
    }
}

unsafe extern "C" fn open_for_muxer(
    _: *mut ffi::AVFormatContext,
    opened: *mut *mut ffi::AVIOContext,
    url: *const c_char,
    flags: c_int,
    _: *mut *mut ffi::AVDictionary,
) -> c_int {
    // SAFETY: libav hands over a string that ends in NUL, and a place for the result.
    unsafe {
        let url = CStr::from_ptr(url).to_bytes();
        let path = Path::new(OsStr::from_bytes(url.strip_prefix(b"file:").unwrap_or(url)));
        if flags & ffi::AVIO_FLAG_READ_WRITE != ffi::AVIO_FLAG_READ {
            return -libc::EACCES;
        }
        match files::open(path, Access::Read).map(|file| FileIo::of(file, path, Access::Read)) {
            Ok(Ok(io)) => {
                let mut io = std::mem::ManuallyDrop::new(io);
                drop(std::mem::take(&mut io.path));
                *opened = io.context;
                0
            }
            Ok(Err(_)) => -libc::ENOMEM,
            Err(error) => code(&error),
        }
    }
}

unsafe extern "C" fn close_for_muxer(
    _: *mut ffi::AVFormatContext,
    context: *mut ffi::AVIOContext,
) -> c_int {
    if !context.is_null() {
        // What `open_for_muxer` gave away.
        drop(FileIo {
            context,
            path: PathBuf::new(),
        });
    }
    0
}

/// Whether libav would read the name as that of several files, and open them itself.
pub(super) fn is_pattern(url: &CStr) -> bool {
    // SAFETY: libav looks at the name alone, which lives until it has.
    unsafe {
        let mut data = std::mem::zeroed::<ffi::AVProbeData>();
        data.filename = url.as_ptr();
        !ffi::av_probe_input_format(&raw const data, 0).is_null()
    }
}

type Transfer = unsafe extern "C" fn(*mut c_void, *mut u8, c_int) -> c_int;

unsafe extern "C" fn read(file: *mut c_void, buffer: *mut u8, size: c_int) -> c_int {
    let size = usize::try_from(size).unwrap_or(0);
    // SAFETY: `file` is the boxed one of the context that calls, whose buffer has this size.
    let (file, buffer) = unsafe {
        (
            &mut *file.cast::<Opened>(),
            std::slice::from_raw_parts_mut(buffer, size),
        )
    };
    match file.read(buffer) {
        Ok(0) => ffi::AVERROR_EOF,
        // No more than the buffer holds, whose size was such a number.
        Ok(count) => count as c_int,
        Err(error) => code(&error),
    }
}

unsafe extern "C" fn write(file: *mut c_void, buffer: *mut u8, size: c_int) -> c_int {
    let length = usize::try_from(size).unwrap_or(0);
    // SAFETY: as in `read`; nothing is changed.
    let (file, buffer) = unsafe {
        (
            &mut *file.cast::<Opened>(),
            std::slice::from_raw_parts(buffer, length),
        )
    };
    file.write_all(buffer)
        .map_or_else(|error| code(&error), |()| size)
}

unsafe extern "C" fn seek(file: *mut c_void, offset: i64, whence: c_int) -> i64 {
    // SAFETY: as in `read`.
    let file = unsafe { &mut *file.cast::<Opened>() };
    let to = match whence & !ffi::AVSEEK_FORCE {
        libc::SEEK_SET => u64::try_from(offset).map(SeekFrom::Start).ok(),
        libc::SEEK_CUR => Some(SeekFrom::Current(offset)),
        libc::SEEK_END => Some(SeekFrom::End(offset)),
        ffi::AVSEEK_SIZE => {
            return answer(file.length());
        }
        _ => None,
    };
    match to {
        Some(to) => answer(file.seek(to)),
        None => -i64::from(libc::EINVAL),
    }
}

fn answer(result: io::Result<u64>) -> i64 {
    match result {
        Ok(number) => i64::try_from(number).unwrap_or(i64::MAX),
        Err(error) => i64::from(code(&error)),
    }
}

/// An error as libav's number for it.
fn code(error: &io::Error) -> c_int {
    -error
        .raw_os_error()
        .filter(|code| *code > 0)
        .unwrap_or(libc::EIO)
}
