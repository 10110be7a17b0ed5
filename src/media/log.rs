//! What libav says, kept for the job that it says it about.
//!
//! libav's log is one callback for the whole process. A job runs on one
//! thread, so lines are kept in a store of the thread that they are said on;
//! lines from a codec's own threads have no store and are dropped.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use ffmpeg_next::ffi;

/// Lines kept a job: the last ones.
const KEPT: usize = 20;

// How C passes a `va_list` on: by reference where the type is an array.
#[cfg(all(target_arch = "x86_64", not(windows)))]
type VaList = *mut ffi::__va_list_tag;
#[cfg(not(all(target_arch = "x86_64", not(windows))))]
type VaList = ffi::va_list;

thread_local! {
    static LINES: RefCell<VecDeque<String>> = const { RefCell::new(VecDeque::new()) };
}

/// Whether each line is told on stderr, too, as it is said.
static ALOUD: AtomicBool = AtomicBool::new(false);

/// Tells each line on stderr, too, as it is said: so that it is known should this process die.
pub fn aloud() {
    ALOUD.store(true, Ordering::Relaxed);
}

/// Runs `job` and returns with its result what libav said meanwhile on this thread.
///
/// While a job waits for its helpers, its thread may help another job: what was
/// said about the one is not mixed with what is said about the other.
pub fn capture<T>(job: impl FnOnce() -> T) -> (T, Vec<String>) {
    super::init();
    let outer = LINES.take();
    let result = job();
    (result, LINES.replace(outer).into())
}

/// Adds lines that were said about this thread's job on another thread.
pub fn add(said: Vec<String>) {
    LINES.with_borrow_mut(|lines| said.into_iter().for_each(|line| keep(lines, line)));
}

/// Whether libav has said such words during the present [`capture`].
pub(super) fn has_said(words: &str) -> bool {
    LINES.with_borrow(|lines| lines.iter().any(|line| line.contains(words)))
}

pub(super) fn install() {
    // SAFETY: set once, before any other use of libav by this process; the
    // callback is a plain function that may be called from any thread.
    unsafe { ffi::av_log_set_callback(Some(on_log)) };
}

unsafe extern "C" fn on_log(
    context: *mut c_void,
    level: c_int,
    format: *const c_char,
    arguments: VaList,
) {
    if level > ffi::AV_LOG_WARNING {
        return;
    }
    let mut line = [0 as c_char; 1024];
    let mut prefix: c_int = 1;
    // SAFETY: libav hands over `context`, `format` and `arguments` for this very
    // call; the buffer's length is passed on, and the result ends in NUL.
    let text = unsafe {
        ffi::av_log_format_line2(
            context,
            level,
            format,
            arguments,
            line.as_mut_ptr(),
            line.len() as c_int,
            &mut prefix,
        );
        CStr::from_ptr(line.as_ptr())
    };
    let text = without_addresses(text.to_string_lossy().trim());
    if ALOUD.load(Ordering::Relaxed) {
        // Where nobody listens, nobody wants to know.
        let _ = writeln!(std::io::stderr(), "{text}");
    }
    // The thread may be ending (no store any more) or in the middle of reading it.
    let _ = LINES.try_with(|lines| {
        if let Ok(mut lines) = lines.try_borrow_mut() {
            keep(&mut lines, text);
        }
    });
}

fn keep(lines: &mut VecDeque<String>, text: String) {
    if text.is_empty() || lines.back() == Some(&text) {
        return;
    }
    if lines.len() == KEPT {
        lines.pop_front();
    }
    lines.push_back(text);
}

/// `[h264 @ 0x55d0c0de] no frame!` → `[h264] no frame!`: addresses help nobody and differ each
/// time.
fn without_addresses(line: &str) -> String {
    match (line.find(" @ 0x"), line.find(']')) {
        (Some(at), Some(end)) if at < end => format!("{}{}", &line[..at], &line[end..]),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_component_and_loses_its_address() {
        assert_eq!(
            without_addresses("[h264 @ 0x55d0c0de] no frame!"),
            "[h264] no frame!"
        );
        assert_eq!(without_addresses("plain"), "plain");
    }

    #[test]
    fn the_store_keeps_the_last_lines_and_no_repetition() {
        let mut lines = VecDeque::new();
        for number in 0..100 {
            keep(&mut lines, format!("line {}", number / 2));
        }
        assert_eq!(lines.len(), KEPT);
        assert_eq!(lines.back().unwrap(), "line 49");
        assert_eq!(lines.front().unwrap(), "line 30");
    }
}
