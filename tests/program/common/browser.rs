//! What a real browser makes of files: it is given a page that plays them, over
//! HTTP with ranges as from any web server, and posts what it saw.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use tiny_http::{Header, Method, Request, Response, Server, StatusCode};

/// The names of browsers; scripts/lib.sh looks for the same.
const BROWSERS: [&str; 6] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/// No window, no sandbox (tests may run as root), and no word to any other server.
const FLAGS: [&str; 14] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
];

/// How long one file may take before the browser is given up; the page's own limit is shorter.
const LATE: Duration = Duration::from_secs(90);

/// A request that waits for its reader must not hold up another.
const SERVERS: usize = 4;

/// What the browser saw of one file.
#[derive(Debug, Clone, Deserialize)]
pub struct Seen {
    /// It knew how to play it, and had its beginning.
    pub can_play: bool,
    pub duration_s: f64,
    /// As shown: turned upright, pixels made square.
    pub width: u32,
    pub height: u32,
    /// Pictures that came to the screen while it played.
    pub frames_shown: u32,
    /// The time of the last of them.
    pub last_frame_s: f64,
    /// It played to its end.
    pub ended: bool,
    /// Where it stood after a jump back into the middle.
    pub sought_s: f64,
    /// Bytes of sound that were decoded.
    pub audio_bytes: u64,
    pub error: Option<String>,
}

/// The browser's program; says where there is none that the test is skipped.
pub fn find() -> Option<PathBuf> {
    let found = BROWSERS.iter().find_map(|name| which::which(name).ok());
    if found.is_none() {
        assert!(
            !crate::common::installed_for_tests("browser"),
            "there is none"
        );
        eprintln!("skipped: there is no Chromium and no Chrome; scripts/test installs one");
    }
    found
}

/// Plays all `files` in one start of `browser`, one after the other.
pub fn look(browser: &Path, files: &[PathBuf]) -> Vec<Seen> {
    let site = Site::open(files.to_vec());
    let running = Running::start(browser, &site.address);
    let seen = files.iter().map(|file| {
        let seen = site.seen.recv_timeout(LATE);
        seen.unwrap_or_else(|_| {
            panic!(
                "no word from the browser about '{}':\n{}",
                file.display(),
                running.said()
            )
        })
    });
    seen.collect()
}

/// What the browser made of a page: how it is laid out, and all that it said of it.
pub struct Shown {
    /// The document after all scripts ran.
    pub dom: String,
    /// Messages of the console, errors among them.
    pub console: Vec<String>,
}

/// Opens the HTML file `page`, with other files beside it within its reach.
pub fn show(browser: &Path, page: &Path) -> Shown {
    let profile = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut own = std::ffi::OsString::from("--user-data-dir=");
    own.push(profile.path());
    let output = Command::new(browser)
        .args(FLAGS)
        .args(["--allow-file-access-from-files", "--enable-logging=stderr"])
        .args(["--timeout=60000", "--dump-dom"])
        .arg(own)
        .arg(page)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let of_page = |line: &&str| line.contains("CONSOLE");
    Shown {
        dom: String::from_utf8_lossy(&output.stdout).into_owned(),
        console: said.lines().filter(of_page).map(str::to_owned).collect(),
    }
}

/// The page and the files, served until this is dropped.
struct Site {
    address: String,
    server: Arc<Server>,
    threads: Vec<JoinHandle<()>>,
    seen: mpsc::Receiver<Seen>,
}

impl Site {
    fn open(files: Vec<PathBuf>) -> Self {
        let server = Arc::new(Server::http("127.0.0.1:0").unwrap());
        let address = format!("http://{}/", server.server_addr());
        let (sender, seen) = mpsc::channel();
        let files = Arc::new(files);
        let serve = |_| {
            let (server, files, sender) = (server.clone(), files.clone(), sender.clone());
            thread::spawn(move || {
                // A browser that hangs up is no fault of the file's.
                while let Ok(request) = server.recv() {
                    let _ = answer(request, &files, &sender);
                }
            })
        };
        let threads = (0..SERVERS).map(serve).collect();
        Self {
            address,
            server,
            threads,
            seen,
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for _ in &self.threads {
            self.server.unblock();
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn answer(mut request: Request, files: &[PathBuf], seen: &Sender<Seen>) -> io::Result<()> {
    let url = request.url().to_owned();
    if let Some(number) = url.strip_prefix("/file/") {
        let file = number
            .parse()
            .ok()
            .and_then(|number: usize| files.get(number));
        return match file {
            Some(path) => send(request, path),
            None => request.respond(Response::empty(404)),
        };
    }
    match (request.method(), url.as_str()) {
        (Method::Get, "/") => {
            let page = Response::from_string(include_str!("look.html"));
            request.respond(page.with_header(header("Content-Type", "text/html; charset=utf-8")))
        }
        (Method::Get, "/count") => request.respond(Response::from_string(files.len().to_string())),
        (Method::Post, "/seen") => {
            let mut text = String::new();
            request.as_reader().read_to_string(&mut text)?;
            let _ = seen.send(serde_json::from_str(&text)?);
            request.respond(Response::empty(204))
        }
        _ => request.respond(Response::empty(404)),
    }
}

/// Sends the part of a file that was asked for, or all of it.
fn send(request: Request, path: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let wanted = request
        .headers()
        .iter()
        .find(|header| header.field.equiv("Range"))
        .and_then(|header| range(header.value.as_str(), length));
    let (first, last) = wanted.unwrap_or((0, length.saturating_sub(1)));
    file.seek(SeekFrom::Start(first))?;
    let size = usize::try_from(last + 1 - first).unwrap();
    let mut headers = vec![
        header("Content-Type", content_type(path)),
        header("Accept-Ranges", "bytes"),
    ];
    if wanted.is_some() {
        headers.push(header(
            "Content-Range",
            &format!("bytes {first}-{last}/{length}"),
        ));
    }
    let status = StatusCode(if wanted.is_some() { 206 } else { 200 });
    request.respond(Response::new(
        status,
        headers,
        file.take(last + 1 - first),
        Some(size),
        None,
    ))
}

/// `bytes=5-` of 10 bytes → 5 to 9; one range alone, as players ask for.
fn range(text: &str, length: u64) -> Option<(u64, u64)> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let first = first.parse().ok()?;
    let last = last.parse().unwrap_or(u64::MAX).min(length.checked_sub(1)?);
    (first <= last).then_some((first, last))
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("mp4" | "m4v") => "video/mp4",
        Some("webm") => "video/webm",
        Some("mkv") => "video/x-matroska",
        Some("mov") => "video/quicktime",
        Some("m4a") => "audio/mp4",
        Some("opus" | "ogg") => "audio/ogg",
        Some("mp3") => "audio/mpeg",
        _ => "application/octet-stream",
    }
}

fn header(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value).unwrap()
}

/// The browser with all its processes, and its profile; gone when this is dropped.
struct Running {
    child: Child,
    profile: tempfile::TempDir,
}

impl Running {
    fn start(browser: &Path, address: &str) -> Self {
        let profile = tempfile::Builder::new()
            .prefix("browser-")
            .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
            .unwrap();
        let mut own = std::ffi::OsString::from("--user-data-dir=");
        own.push(profile.path().join("profile"));
        let said = File::create(profile.path().join("said")).unwrap();
        let child = Command::new(browser)
            .args(FLAGS)
            .arg(own)
            .arg(address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            .process_group(0)
            .spawn()
            .unwrap();
        Self { child, profile }
    }

    /// The last lines that the browser said.
    fn said(&self) -> String {
        let bytes = fs::read(self.profile.path().join("said")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let group = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.child.wait();
    }
}
