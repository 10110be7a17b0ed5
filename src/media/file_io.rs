//! An open file as what libav reads from and writes to. libav opens none
//! itself: neither by name, nor by any protocol.
//!
//! ffmpeg-next's own `StreamIo` does not serve: its input takes no demuxer and no limit of
//! pixels, each byte is copied once more, its reads cannot ask for a cancellation unless that
//! input is used, and no muxer can be given a second one for the file that it writes.

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::io::{self, Seek, SeekFrom, Write};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ffmpeg_next::ffi;

use super::error::{check, non_null};
use super::files::{self, Access};
use super::opened::{self, Opened};
use crate::dispatch::Cancel;
use crate::error::{Error, Result};

/// Bytes that are read or written at once: fewer calls where a file is far away.
const READ: usize = 64 << 10;
const WRITE: usize = 256 << 10;

/// A file in the hands of libav. It must outlive the context that uses it.
pub(super) struct FileIo {
    context: *mut ffi::AVIOContext,
    shared: Arc<Shared>,
    path: PathBuf,
}

// SAFETY: the context and its buffer are memory that belongs to no thread. Behind a shared
// reference, nothing of the context is read or written; what is shared is behind a lock.
unsafe impl Send for FileIo {}
// SAFETY: as above.
unsafe impl Sync for FileIo {}

/// What libav's calls and this program use of a file.
struct Shared {
    opened: Mutex<Opened>,
    cancel: Cancel,
    // Whether libav was refused a read or a write since the work was cancelled.
    refused: AtomicBool,
}

impl Shared {
    fn opened(&self) -> MutexGuard<'_, Opened> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether libav is to go on.
    fn goes_on(&self) -> bool {
        let is_cancelled = self.cancel.is_set();
        if is_cancelled {
            self.refused.store(true, Ordering::Relaxed);
        }
        !is_cancelled
    }
}

impl FileIo {
    /// Opens `path`; `what` says what for. Reads and writes fail once `cancel` is set.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub(super) fn open(path: &Path, access: Access, cancel: &Cancel, what: &str) -> Result<Self> {
        let file = opened::open(path, access).map_err(|error| {
            let libavs = check(code(&error), what).err();
            libavs.unwrap_or_else(|| Error::failed(format!("failed to {what}")).because(error))
        })?;
        let shared = Arc::new(Shared {
            opened: Mutex::new(Opened::new(file)),
            cancel: cancel.clone(),
            refused: AtomicBool::new(false),
        });
        Ok(Self {
            context: context(Arc::clone(&shared), access)?,
            shared,
            path: path.to_owned(),
        })
    }

    /// What libav wants.
    pub(super) fn as_ptr(&self) -> *mut ffi::AVIOContext {
        self.context
    }

    /// The file; libav waits as long as this is kept.
    pub(super) fn opened(&self) -> MutexGuard<'_, Opened> {
        self.shared.opened()
    }

    /// Whether the work was cancelled for which it was opened.
    pub(super) fn is_cancelled(&self) -> bool {
        self.shared.cancel.is_set()
    }

    /// Whether the system could read the file so far.
    ///
    /// # Errors
    /// Where it could not, or the work was cancelled: libav takes such an error for the file's
    /// end, or for damage.
    pub(super) fn check(&self) -> Result<()> {
        if self.shared.refused.load(Ordering::Relaxed) {
            return Err(Error::interrupted());
        }
        let opened = self.opened();
        let failure = opened.failure();
        failure.map_or(Ok(()), |error| Err(Error::unreadable(&self.path, error)))
    }

    /// Writes what is in the buffer.
    ///
    /// # Errors
    /// Where this or an earlier write failed.
    pub(super) fn flush(&mut self) -> Result<()> {
        // SAFETY: the context lives as long as this value, and nobody else uses it meanwhile.
        let error = unsafe {
            ffi::avio_flush(self.context);
            (*self.context).error
        };
        check(error, "close the file").map(drop)
    }
}

impl Drop for FileIo {
    fn drop(&mut self) {
        // SAFETY: `context` made it, and it is freed nowhere else.
        unsafe { free(self.context) };
    }
}

/// A context of libav's that reads or writes `shared`, for [`free`].
fn context(shared: Arc<Shared>, access: Access) -> Result<*mut ffi::AVIOContext> {
    let is_written = access == Access::Write;
    let size = if is_written { WRITE } else { READ };
    // SAFETY: the buffer is libav's own, as it must be; the context has a share in the file,
    // which `free` gives back. Both sizes are numbers of C.
    unsafe {
        let buffer = non_null(ffi::av_malloc(size), "a buffer")?;
        let file = Arc::into_raw(shared);
        // FFmpeg 7 and newer promise not to change what is to be written,
        // which makes another type of the same function.
        #[allow(clippy::useless_transmute, clippy::missing_transmute_annotations)]
        let write = std::mem::transmute(write as Transfer);
        let context = ffi::avio_alloc_context(
            buffer.cast(),
            size as c_int,
            c_int::from(is_written),
            file.cast_mut().cast(),
            if is_written { None } else { Some(read) },
            if is_written { Some(write) } else { None },
            Some(seek),
        );
        if context.is_null() {
            ffi::av_free(buffer);
            drop(Arc::from_raw(file));
        }
        non_null(context, "a file")
    }
}

/// # Safety
/// [`context`] made it, and nobody uses it any more.
unsafe fn free(mut context: *mut ffi::AVIOContext) {
    // SAFETY: the caller vouches; libav may have exchanged the buffer for another of its
    // own, and knows the present one; the share in the file was given to the context.
    unsafe {
        let file = (*context).opaque.cast_const().cast::<Shared>();
        ffi::av_freep((&raw mut (*context).buffer).cast());
        ffi::avio_context_free(&mut context);
        drop(Arc::from_raw(file));
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
    // SAFETY: libav passes a string that ends in NUL.
    let url = unsafe { CStr::from_ptr(url) }.to_bytes();
    let path = Path::new(OsStr::from_bytes(url.strip_prefix(b"file:").unwrap_or(url)));
    if flags & ffi::AVIO_FLAG_READ_WRITE != ffi::AVIO_FLAG_READ {
        return -libc::EACCES;
    }
    let file = match files::open(path, Access::Read) {
        Ok(file) => file,
        Err(error) => return code(&error),
    };
    let shared = Arc::new(Shared {
        opened: Mutex::new(Opened::new(file)),
        // What is read is written at once, which fails once the work is cancelled.
        cancel: Cancel::new(),
        refused: AtomicBool::new(false),
    });
    match context(shared, Access::Read) {
        Ok(context) => {
            // SAFETY: libav passes a place for the result.
            unsafe { *opened = context };
            0
        }
        Err(_) => -libc::ENOMEM,
    }
}

unsafe extern "C" fn close_for_muxer(
    _: *mut ffi::AVFormatContext,
    context: *mut ffi::AVIOContext,
) -> c_int {
    if !context.is_null() {
        // SAFETY: libav closes what `open_for_muxer` opened, once.
        unsafe { free(context) };
    }
    0
}

/// Whether libav would read the name as that of several files, and open them itself.
pub(super) fn is_pattern(url: &CStr) -> bool {
    // SAFETY: zeroes are null pointers and no length; libav looks at the name alone, which
    // lives until it has.
    unsafe {
        let mut data = std::mem::zeroed::<ffi::AVProbeData>();
        data.filename = url.as_ptr();
        !ffi::av_probe_input_format(&raw const data, 0).is_null()
    }
}

type Transfer = unsafe extern "C" fn(*mut c_void, *mut u8, c_int) -> c_int;

/// # Safety
/// `file` is that of a context that [`context`] made and that is not freed meanwhile.
unsafe fn shared<'a>(file: *mut c_void) -> &'a Shared {
    // SAFETY: the caller vouches: the context has a share in it.
    unsafe { &*file.cast_const().cast::<Shared>() }
}

// A panic in one of these ends the process: none unwinds through libav.

unsafe extern "C" fn read(file: *mut c_void, buffer: *mut u8, size: c_int) -> c_int {
    // SAFETY: libav calls for the context that has the file.
    let file = unsafe { shared(file) };
    let length = usize::try_from(size).unwrap_or(0);
    if buffer.is_null() || length == 0 {
        return -libc::EINVAL;
    }
    if !file.goes_on() {
        return ffi::AVERROR_EXIT;
    }
    // SAFETY: libav's buffer has this size, and is nobody else's during the call; what it
    // holds may never have been written to.
    let buffer =
        unsafe { std::slice::from_raw_parts_mut(buffer.cast::<MaybeUninit<u8>>(), length) };
    match file.opened().read(buffer) {
        Ok(0) => ffi::AVERROR_EOF,
        // No more than the buffer holds, whose size was such a number.
        Ok(count) => count as c_int,
        Err(error) => code(&error),
    }
}

unsafe extern "C" fn write(file: *mut c_void, buffer: *mut u8, size: c_int) -> c_int {
    // SAFETY: as in `read`.
    let file = unsafe { shared(file) };
    let length = usize::try_from(size).unwrap_or(0);
    if buffer.is_null() || length == 0 {
        return 0;
    }
    if !file.goes_on() {
        return ffi::AVERROR_EXIT;
    }
    // SAFETY: libav wrote as many bytes; they are not changed during the call.
    let bytes = unsafe { std::slice::from_raw_parts(buffer, length) };
    let written = file.opened().write_all(bytes);
    written.map_or_else(|error| code(&error), |()| size)
}

unsafe extern "C" fn seek(file: *mut c_void, offset: i64, whence: c_int) -> i64 {
    // SAFETY: as in `read`.
    let file = unsafe { shared(file) };
    let mut file = file.opened();
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
