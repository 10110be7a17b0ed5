//! Files that were made to hurt: absurd sizes and counts, a great many packets or
//! streams, texts that point elsewhere. All dispatches come to the same end, none
//! crashes, hangs, or takes the machine's memory.
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "dates of files are times of day")]

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::{self, DISPATCHES, rushes, shared_media, tiny, tree};
use rustix::fs::inotify;
use wait4::Wait4;

/// A run that takes longer hangs, and is ended with code 124.
const LATE_S: &str = "120";

/// What no process may take for any of these files; the linked libraries alone take 50 MB.
const MOST_MEMORY: u64 = 700 << 20;

/// The commands that take sources, with what makes them quick.
const COMMANDS: [&[&str]; 2] = [
    &["convert", "--speed", "ultrafast"],
    &["frames", "--every", "0.5s"],
];

/// A folder of sources, and one for results.
struct Batch {
    root: tempfile::TempDir,
}

/// How a run ended.
struct End {
    code: Option<i32>,
    /// Of each source by its name: `ok`, or why it was refused or failed.
    sources: BTreeMap<String, String>,
    stderr: String,
    /// The most that one of its processes took, in bytes.
    memory: u64,
}

impl Batch {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("in")).unwrap();
        Self { root }
    }

    fn sources(&self) -> PathBuf {
        self.root.path().join("in")
    }

    fn out(&self) -> PathBuf {
        self.root.path().join("out")
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.sources().join(name), bytes).unwrap();
    }

    fn run(&self, command: &[&str], dispatch: &str, sources: &[PathBuf]) -> End {
        let _ = fs::remove_dir_all(self.out());
        let log = |name| self.root.path().join(name);
        let mut child = Command::new("timeout")
            .arg(LATE_S)
            .arg(rushes().get_program())
            .args(command)
            .args(sources)
            .args([
                "--include",
                "*",
                "--json",
                "-j",
                "1",
                "--dispatch",
                dispatch,
                "-o",
            ])
            .arg(self.out())
            .stdin(Stdio::null())
            .stdout(File::create(log("stdout")).unwrap())
            .stderr(File::create(log("stderr")).unwrap())
            .spawn()
            .unwrap();
        let ended = child.wait4().unwrap();
        let text = fs::read_to_string(log("stdout")).unwrap();
        let end = End {
            code: ended.status.code(),
            sources: text.lines().filter_map(verdict).collect(),
            stderr: String::from_utf8_lossy(&fs::read(log("stderr")).unwrap()).into_owned(),
            memory: ended.rusage.maxrss,
        };
        let what = format!("{command:?} {dispatch}: {}", end.stderr);
        assert!(matches!(end.code, Some(0..=2)), "{:?}: {what}", end.code);
        assert!(!end.stderr.contains("panicked"), "{what}");
        assert!(end.memory < MOST_MEMORY, "{} bytes: {what}", end.memory);
        for (name, end) in &end.sources {
            assert!(!end.contains("panicked"), "{name}: {end}");
            assert!(!end.contains("worker died"), "{name}: {end}");
        }
        end
    }

    /// Runs all commands over all sources: the ends must be the same whatever the dispatch.
    fn ends(&self, sources: &[PathBuf]) -> Vec<BTreeMap<String, String>> {
        let end = |command: &&[&str]| {
            let [first, others @ ..] = DISPATCHES.map(|d| self.run(command, d, sources).sources);
            for (other, dispatch) in others.iter().zip(&DISPATCHES[1..]) {
                assert_eq!(kinds(&first), kinds(other), "{command:?} {dispatch}");
            }
            first
        };
        COMMANDS.iter().map(end).collect()
    }
}

/// Which sources were done: the words of a failure are those of the program at work.
fn kinds(ends: &BTreeMap<String, String>) -> BTreeMap<&str, bool> {
    ends.iter()
        .map(|(name, end)| (name.as_str(), end == "ok"))
        .collect()
}

/// The source that an event tells the end of, and that end.
fn verdict(line: &str) -> Option<(String, String)> {
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    match event["event"].as_str()? {
        "source_refused" => {
            let source = text(&event["source"])?;
            let name = Path::new(&source)
                .file_name()?
                .to_string_lossy()
                .into_owned();
            Some((name, text(&event["reason"])?))
        }
        "job_finished" => {
            let failed = text(&event["verdict"]["failed"]["reason"]);
            Some((text(&event["name"])?, failed.unwrap_or("ok".into())))
        }
        _ => None,
    }
}

#[test]
fn broken_files_end_the_same_whatever_the_dispatch() {
    let Some(folder) = shared_media("broken") else {
        return;
    };
    let files: Vec<_> = tree(&folder)
        .iter()
        .filter(|name| !name.ends_with("MANIFEST.tsv"))
        .map(|name| folder.join(name))
        .collect();
    for ends in Batch::new().ends(&files) {
        assert_eq!(ends.len(), files.len(), "each has an end: {ends:#?}");
    }
}

/// The first `needle` in `bytes` from `from` on.
fn find(bytes: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let at = rest.windows(needle.len()).position(|part| part == needle);
    at.map(|at| at + from)
}

/// Overwrites what comes `skip` bytes after each `needle`.
fn patch(bytes: &mut [u8], needle: &[u8], skip: usize, value: &[u8]) {
    let mut from = 0;
    let mut times = 0;
    while let Some(at) = find(bytes, needle, from) {
        let start = at + needle.len() + skip;
        if let Some(place) = bytes.get_mut(start..start + value.len()) {
            place.copy_from_slice(value);
            times += 1;
        }
        from = at + needle.len();
    }
    assert!(times > 0, "there is no {needle:?} to patch");
}

/// `tiny` with this video codec in a file of this ending.
fn clip(folder: &Path, codec: &str, ending: &str) -> Vec<u8> {
    let path = folder.join(format!("{codec}.{ending}"));
    common::ffmpeg(args!["-i", tiny(), "-c:v", codec, "-c:a", "copy"], &path);
    fs::read(path).unwrap()
}

/// 30,000 in two bytes and in four.
const LARGE: [u8; 2] = 30_000_u16.to_be_bytes();
const LARGE_4: [u8; 4] = 30_000_u32.to_be_bytes();

/// Numbers as H.264 writes them.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn fixed(&mut self, value: u32, width: u32) {
        self.0
            .extend((0..width).rev().map(|bit| value >> bit & 1 == 1));
    }

    /// Exp-Golomb.
    fn number(&mut self, value: u32) {
        let width = (value + 1).ilog2() + 1;
        self.fixed(0, width - 1);
        self.fixed(value + 1, width);
    }

    fn bytes(mut self) -> Vec<u8> {
        self.0.push(true);
        self.0.resize(self.0.len().next_multiple_of(8), false);
        let byte = |bits: &[bool]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
        self.0.chunks(8).map(byte).collect()
    }
}

/// An H.264 stream whose sequence header tells of a picture of 30,000×30,000.
fn large_h264(folder: &Path) -> Vec<u8> {
    let path = folder.join("plain.h264");
    let how = args![
        "-i",
        tiny(),
        "-an",
        "-c",
        "copy",
        "-bsf:v",
        "h264_mp4toannexb"
    ];
    common::ffmpeg(how, &path);
    let plain = fs::read(path).unwrap();
    let start = find(&plain, &[0, 0, 0, 1, 0x67], 0).unwrap();
    let end = find(&plain, &[0, 0, 0, 1], start + 4).unwrap();
    let mut header = Bits::default();
    // Baseline, level 6.2.
    header.fixed(66 << 16 | 62, 24);
    // Its number, length of frame numbers, kind of order, reference frames.
    for value in [0, 0, 2, 1] {
        header.number(value);
    }
    header.fixed(0, 1);
    // Width and height in blocks of 16, less one.
    for value in [1874, 1874] {
        header.number(value);
    }
    // Whole frames, direct 8×8, no crop, no more.
    header.fixed(0b1100, 4);
    let mut stream = plain[..start].to_vec();
    stream.extend([0, 0, 0, 1, 0x67]);
    stream.extend(header.bytes());
    stream.extend(&plain[end..]);
    stream
}

#[test]
fn a_picture_that_claims_to_be_enormous_takes_no_memory_for_it() {
    let batch = Batch::new();
    let made = batch.root.path();
    // The container alone, in which the decoder may believe.
    let mut movie = fs::read(tiny()).unwrap();
    patch(&mut movie, b"avc1", 24, &[LARGE, LARGE].concat());
    batch.write("movie.mp4", movie);
    let mut raw = clip(made, "mpeg4", "avi");
    // Size of the stream's format header, then width and height.
    let le = |value: u32| value.to_le_bytes();
    let large = [le(30_000), le(30_000)].concat();
    patch(&mut raw, b"strf", 8, &large);
    batch.write("riff.avi", raw);
    // The pictures themselves.
    let mut png = clip(made, "png", "mkv");
    patch(&mut png, b"IHDR", 0, &[LARGE_4, LARGE_4].concat());
    batch.write("png.mkv", png);
    let mut jpeg = clip(made, "mjpeg", "avi");
    patch(
        &mut jpeg,
        &[0xff, 0xc0, 0, 17, 8],
        0,
        &[LARGE, LARGE].concat(),
    );
    batch.write("jpeg.avi", jpeg);
    batch.write("sequence.h264", large_h264(made));
    for ends in batch.ends(&[batch.sources()]) {
        assert_eq!(ends.len(), 5, "{ends:#?}");
        for name in ["png.mkv", "sequence.h264"] {
            assert_ne!(ends[name], "ok", "{ends:#?}");
        }
    }
}

#[test]
fn counts_and_lengths_that_are_absurd_take_no_memory_for_them() {
    let batch = Batch::new();
    let movie = fs::read(tiny()).unwrap();
    let most = [0xff; 4];
    let positive = [0x7f, 0xff, 0xff, 0xff];
    // Where the number is after the box's name: behind version and flags, or further on.
    for (name, at) in [
        ("stts", 4),
        ("stts", 8),
        ("stts", 12),
        ("stsz", 4),
        ("stsz", 8),
        ("stsc", 4),
        ("stsc", 12),
        ("stco", 4),
        ("stco", 8),
        ("stsd", 4),
        ("stss", 4),
        ("elst", 4),
        ("elst", 8),
        ("mdhd", 12),
        ("mdhd", 16),
        ("mvhd", 12),
        ("mvhd", 16),
        ("mdat", 0),
    ] {
        let values = [("most", most), ("positive", positive)];
        for (kind, value) in &values[..if common::long() { 2 } else { 1 }] {
            let mut hostile = movie.clone();
            patch(&mut hostile, name.as_bytes(), at, value);
            batch.write(&format!("{name}-{at}-{kind}.mp4"), hostile);
        }
        // And the size of the box itself.
        let mut hostile = movie.clone();
        let place = find(&hostile, name.as_bytes(), 0).unwrap();
        hostile[place - 4..place].copy_from_slice(&positive);
        batch.write(&format!("{name}-size.mp4"), hostile);
    }
    let count = fs::read_dir(batch.sources()).unwrap().count();
    for ends in batch.ends(&[batch.sources()]) {
        assert_eq!(ends.len(), count, "{ends:#?}");
    }
}

#[test]
fn a_length_of_centuries_gives_the_pictures_that_are_there() {
    let batch = Batch::new();
    let path = batch.root.path().join("honest.mkv");
    common::ffmpeg(args!["-i", tiny(), "-c", "copy"], &path);
    let mut bytes = fs::read(&path).unwrap();
    let honest = batch.root.path().join("pictures");
    common::succeed(args!["frames", &path, "-o", &honest, "--every", "10ms"]);
    let there = common::names(&honest.join("honest")).len();
    assert!((100..110).contains(&there), "{there}");
    // Matroska's Duration, a float of 8 bytes, in milliseconds.
    let centuries_ms = 6.3e12_f64.to_be_bytes();
    patch(&mut bytes, &[0x44, 0x89, 0x88], 0, &centuries_ms);
    batch.write("contradicted.mkv", bytes.clone());
    // Without lengths of the streams, nothing contradicts the claim.
    for at in 0..bytes.len().saturating_sub(8) {
        if bytes[at..].starts_with(b"DURATION") {
            bytes[at..at + 8].copy_from_slice(b"NOTATION");
        }
    }
    batch.write("long.mkv", bytes);
    for dispatch in DISPATCHES {
        let out = batch.root.path().join(dispatch);
        let how = [
            "--every",
            "10ms",
            "--dispatch",
            dispatch,
            "--memory-limit",
            "1GiB",
        ];
        let mut arguments = args!["frames", batch.sources(), "-o", &out].to_vec();
        arguments.extend(how.map(OsString::from));
        let output = common::run(arguments);
        let said = common::stderr(&output);
        assert!(said.contains("claims"), "{dispatch}: {said}");
        for name in ["long", "contradicted"] {
            let found = common::names(&out.join(name)).len();
            assert_eq!(found, there, "{dispatch} {name}");
        }
    }
}

#[test]
fn tags_that_are_no_text_are_taken_as_they_are() {
    let batch = Batch::new();
    for ending in ["mkv", "flv", "mp4"] {
        let path = batch.root.path().join("tagged").with_extension(ending);
        let tags = args!["-metadata", "RUSHNAME=x", "-metadata", "title=RUSHVALUE"];
        let mut how = args!["-i", tiny(), "-c", "copy"].to_vec();
        how.extend(tags);
        common::ffmpeg(how, &path);
        let mut bytes = fs::read(path).unwrap();
        patch(&mut bytes, b"RUSH", 0, &[0xff, 0xfe, 0xf0, 0x9f]);
        batch.write(&format!("tagged.{ending}"), bytes);
    }
    for ends in batch.ends(&[batch.sources()]) {
        assert!(ends.values().all(|end| end == "ok"), "{ends:#?}");
    }
}

#[test]
fn bytes_that_are_changed_anywhere_crash_nothing() {
    let batch = Batch::new();
    let made = batch.root.path();
    let seeds = [
        ("mp4", fs::read(tiny()).unwrap()),
        ("avi", clip(made, "mjpeg", "avi")),
        ("mkv", clip(made, "mpeg2video", "mkv")),
        ("ts", clip(made, "mpeg2video", "ts")),
        ("flv", clip(made, "flv", "flv")),
    ];
    // The same in each run, so that what is found can be found again.
    let mut random = fastrand::Rng::with_seed(20);
    let count = if common::long() { 200 } else { 30 };
    for number in 0..count {
        let (ending, seed) = &seeds[number % seeds.len()];
        let mut bytes = seed.clone();
        for _ in 0..random.usize(1..8) {
            // Headers are at one of the ends.
            let near = random.usize(0..2000);
            let at = if random.bool() {
                near
            } else {
                bytes.len() - 1 - near
            };
            let value = [0, 0x7f, 0x80, 0xff, random.u8(..)][random.usize(0..5)];
            let end = bytes.len().min(at + random.usize(1..9));
            bytes[at..end].fill(value);
        }
        batch.write(&format!("{number}.{ending}"), bytes);
    }
    for command in COMMANDS {
        for dispatch in ["threads", "workers"] {
            let mut command = command.to_vec();
            command.extend(["--job-timeout", "10", "--max-output", "50MiB"]);
            let end = batch.run(&command, dispatch, &[batch.sources()]);
            assert_eq!(end.sources.len(), count, "{:#?}", end.sources);
        }
    }
}

#[test]
fn a_great_many_tiny_packets_take_no_more_memory_than_a_few() {
    // A million of them, where there is time.
    let lengths = if common::long() { [6, 24] } else { [1, 4] };
    let peaks = lengths.map(|seconds| {
        let batch = Batch::new();
        // Every packet of sound is a single sample.
        let sound = format!("sine=sample_rate=44100:samples_per_frame=1:duration={seconds}");
        let video = format!("testsrc2=size=160x120:rate=25:duration={seconds}");
        let mut how = args!["-f", "lavfi", "-i", video, "-f", "lavfi", "-i", sound].to_vec();
        how.extend(args!["-c:v", "mpeg2video", "-c:a", "pcm_s16le"]);
        common::ffmpeg(how, &batch.sources().join("many.mkv"));
        let run = |dispatch| {
            COMMANDS.map(|command| {
                let end = batch.run(command, dispatch, &[batch.sources()]);
                assert_eq!(end.sources["many.mkv"], "ok", "{dispatch} {command:?}");
                end.memory
            })
        };
        DISPATCHES.map(run)
    });
    for ((few, many), dispatch) in peaks[0].iter().zip(&peaks[1]).zip(DISPATCHES) {
        for (few, many) in few.iter().zip(many) {
            assert!(
                *many < few + (48 << 20),
                "{dispatch}: {few} bytes for some, {many} for four times as many"
            );
        }
    }
}

#[test]
fn files_of_no_byte_and_of_a_hundred_streams_are_taken_or_refused_by_name() {
    let batch = Batch::new();
    batch.write("0.mp4", "");
    for length in [1, 7, 8, 64] {
        let start = &fs::read(tiny()).unwrap()[..length];
        batch.write(&format!("{length}.mp4"), start);
    }
    let mut how = args!["-i", tiny(), "-map", "0:v"].to_vec();
    for _ in 0..99 {
        how.extend(args!["-map", "0:a"]);
    }
    how.extend(args!["-c", "copy"]);
    common::ffmpeg(how, &batch.sources().join("hundred.mkv"));
    for ends in batch.ends(&[batch.sources()]) {
        assert_eq!(ends.len(), 6, "{ends:#?}");
        let done: Vec<_> = ends.iter().filter(|(_, end)| *end == "ok").collect();
        assert_eq!(done.len(), 1, "{ends:#?}");
        assert_eq!(done[0].0, "hundred.mkv");
    }
}

#[test]
fn texts_that_point_to_a_server_or_a_file_reach_neither() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let batch = Batch::new();
    let secret = batch.root.path().join("secret.ts");
    common::ffmpeg(args!["-i", tiny(), "-c:v", "mpeg2video"], &secret);
    let url = format!("http://{}/secret.ts", server.local_addr().unwrap());
    let places = [url, secret.display().to_string(), "../secret.ts".into()];
    for (number, place) in places.iter().enumerate() {
        for (name, text) in pointers(place) {
            let endings = [name, "mp4", "avi", "mkv", "ts"];
            for ending in &endings[..if common::long() { 5 } else { 2 }] {
                batch.write(&format!("{name}-{number}.{ending}"), &text);
            }
        }
    }
    batch.write("alias.mov", elsewhere(batch.root.path(), &secret));
    let count = fs::read_dir(batch.sources()).unwrap().count();
    for ends in batch.ends(&[batch.sources()]) {
        assert_eq!(ends.len(), count, "{ends:#?}");
        for (name, end) in ends {
            assert_ne!(end, "ok", "{name}");
        }
        assert_eq!(common::names(&batch.out()), Vec::<String>::new());
    }
    let caller = server.accept().map(|(_, caller)| caller);
    assert!(caller.is_err(), "{caller:?} asked for it");
    // The same texts lead whoever trusts them just there.
    for (name, number) in [("m3u8", 0), ("key", 0), ("ffconcat", 0), ("mpd", 0)] {
        let text = batch.sources().join(format!("{name}-{number}.{name}"));
        let mut trusting = trusting(&text).spawn().unwrap();
        let asked = common::wait_for(Duration::from_secs(30), || server.accept().is_ok());
        let _ = trusting.kill();
        trusting.wait().unwrap();
        assert!(asked, "{name} leads nowhere");
    }
    for name in ["m3u8", "ffconcat"] {
        let text = batch.sources().join(format!("{name}-1.{name}"));
        let read = trusting(&text).status().unwrap();
        assert!(read.success(), "{name} leads nowhere");
    }
}

/// A reader that follows all that a text says.
fn trusting(text: &Path) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args([
        "-v",
        "quiet",
        "-nostdin",
        "-protocol_whitelist",
        "file,crypto,http,tcp",
    ]);
    match text.extension().and_then(OsStr::to_str) {
        Some("ffconcat") => command.args(["-safe", "0"]),
        Some("mpd") => &mut command,
        _ => command.args(["-allowed_extensions", "ALL", "-f", "hls"]),
    };
    command.arg("-i").arg(text).args(["-f", "null", "-"]);
    command
}

/// Texts of several formats that name `place` as what is to be played.
fn pointers(place: &str) -> [(&'static str, String); 5] {
    let hls = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n\
         #EXTINF:2.0,\n{place}\n#EXT-X-ENDLIST\n"
    );
    let key = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-KEY:METHOD=AES-128,URI=\"{place}\"\n\
         #EXTINF:2.0,\n{place}\n#EXT-X-ENDLIST\n"
    );
    let concat = format!("ffconcat version 1.0\nfile '{place}'\n");
    let dash = format!(
        "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" \
         mediaPresentationDuration=\"PT2S\" profiles=\"urn:mpeg:dash:profile:isoff-on-demand:2011\"><Period>\
         <AdaptationSet mimeType=\"video/mp2t\"><Representation id=\"1\" bandwidth=\"1000\">\
         <BaseURL>{place}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    );
    let sdp = format!(
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns={place}\nc=IN IP4 127.0.0.1\nt=0 0\n\
         m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
    );
    [
        ("m3u8", hls),
        ("key", key),
        ("ffconcat", concat),
        ("mpd", dash),
        ("sdp", sdp),
    ]
}

/// A movie whose data is said to be in the file at `path`: an alias, as QuickTime wrote them.
fn elsewhere(folder: &Path, path: &Path) -> Vec<u8> {
    let clip = folder.join("clip.mov");
    common::ffmpeg(args!["-i", tiny(), "-an", "-c", "copy"], &clip);
    let mut movie = fs::read(clip).unwrap();
    let name = path.to_str().unwrap();
    // Volume, file and folders are empty; then records: 2 is the absolute name.
    let mut alias = vec![0; 150];
    alias[14..16].copy_from_slice(&[0, 1]);
    let length = u16::try_from(name.len()).unwrap();
    alias.extend([[0, 2], length.to_be_bytes()].concat());
    alias.extend(name.bytes());
    alias.resize(alias.len().next_multiple_of(2), 0);
    alias.extend([0xff, 0xff, 0, 0]);
    let at = find(&movie, b"url ", find(&movie, b"dref", 0).unwrap()).unwrap();
    movie[at..at + 8].copy_from_slice(b"alis\0\0\0\0");
    movie.splice(at + 8..at + 8, alias.iter().copied());
    // The box, and all that it is in, are longer now. The data itself comes before them.
    for kind in [
        b"alis", b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov",
    ] {
        let place = find(&movie, kind, find(&movie, b"moov", 0).unwrap()).unwrap();
        let size: [u8; 4] = movie[place - 4..place].try_into().unwrap();
        let size = u32::from_be_bytes(size) + u32::try_from(alias.len()).unwrap();
        movie[place - 4..place].copy_from_slice(&size.to_be_bytes());
    }
    movie
}

/// Tells of a file whether it was opened since.
struct Opened(OwnedFd);

impl Opened {
    fn of(path: &Path) -> Self {
        let queue = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
        inotify::add_watch(&queue, path, inotify::WatchFlags::OPEN).unwrap();
        Self(queue)
    }

    fn was(&self) -> bool {
        rustix::io::read(&self.0, &mut [0; 4096]).is_ok()
    }
}

/// Matroska's element `id` with this in it.
fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    let size = (1 << 28 | u32::try_from(body.len()).unwrap()).to_be_bytes();
    [id, &size, body].concat()
}

/// The video at `path`, which says that `next` goes before and after it, and whose
/// chapters are to be played in their order, of which one is in another file.
fn linked(path: &Path, next: &str) -> Vec<u8> {
    let how = args![
        "-i",
        tiny(),
        "-c",
        "copy",
        "-live",
        "1",
        "-write_crc32",
        "0"
    ];
    common::ffmpeg(how, path);
    let mut bytes = fs::read(path).unwrap();
    let (uid, other) = ([7; 16], [8; 16]);
    let links = [
        element(&[0x73, 0xa4], &uid),
        element(&[0x3c, 0xb9, 0x23], &other),
        element(&[0x3c, 0x83, 0xab], next.as_bytes()),
        element(&[0x3e, 0xb9, 0x23], &other),
        element(&[0x3e, 0x83, 0xbb], next.as_bytes()),
    ];
    let times = [
        element(&[0x91], &[0]),
        element(&[0x92], &[0x3b, 0x9a, 0xca, 0]),
    ]
    .concat();
    let names = [element(&[0x73, 0xc4], &[1]), element(&[0x6e, 0x67], &other)].concat();
    let chapter = element(&[0xb6], &[names, times].concat());
    let edition = [element(&[0x45, 0xdd], &[1]), chapter].concat();
    let chapters = element(&[0x10, 0x43, 0xa7, 0x70], &element(&[0x45, 0xb9], &edition));
    // Of where things are, nothing is left: an empty element of that length.
    let places = find(&bytes, &[0x11, 0x4d, 0x9b, 0x74], 0).unwrap();
    let past = places + 5 + usize::from(bytes[places + 4] & 0x7f);
    bytes[places + 1] = bytes[places + 4] + 3;
    bytes[places] = 0xec;
    // The segment's length is not told; that of what it says of itself is, in so many bytes.
    let info = find(&bytes, &[0x15, 0x49, 0xa9, 0x66], past).unwrap() + 4;
    let width = bytes[info].leading_zeros() as usize + 1;
    let size = bytes[info..info + width]
        .iter()
        .fold(0, |size, byte| size << 8 | usize::from(*byte));
    let size = size & !(1 << (7 * width));
    let end = info + width + size;
    let whole = [&bytes[info + width..end], &links.concat()].concat();
    bytes.splice(
        info - 4..end,
        [element(&[0x15, 0x49, 0xa9, 0x66], &whole), chapters].concat(),
    );
    bytes
}

#[test]
fn files_that_a_container_links_to_are_never_opened() {
    let batch = Batch::new();
    let place = |name: &str| batch.root.path().join(name);
    let (data, next) = (place("data.mov"), place("in/next.mkv"));
    common::ffmpeg(args!["-i", tiny(), "-c", "copy"], &data);
    batch.write("alias.mov", elsewhere(batch.root.path(), &data));
    batch.write("linked.mkv", linked(&place("plain.mkv"), "next.mkv"));
    common::ffmpeg(args!["-i", tiny(), "-c", "copy"], &next);
    let sources = ["alias.mov", "linked.mkv"].map(|name| batch.sources().join(name));
    let opened = [Opened::of(&data), Opened::of(&next)];
    for ends in batch.ends(&sources) {
        assert_ne!(ends["alias.mov"], "ok");
        assert_eq!(ends["linked.mkv"], "ok");
    }
    for dispatch in DISPATCHES {
        batch.run(COMMANDS[0], dispatch, &sources);
        let result = common::decoded(&batch.out().join("linked.mp4"));
        assert_eq!(result.frames.len(), 25, "{dispatch}");
    }
    assert!(opened.iter().all(|opened| !opened.was()));
    // Whoever follows aliases opens just that file; links of Matroska are followed by no libav.
    let following = [
        "-v",
        "quiet",
        "-enable_drefs",
        "1",
        "-use_absolute_path",
        "1",
        "-i",
    ];
    let alias = Command::new("ffmpeg")
        .args(following)
        .arg(&sources[0])
        .args(["-f", "null", "-"])
        .status();
    assert!(alias.is_ok() && opened[0].was());
    fs::read(&next).unwrap();
    assert!(opened[1].was());
}

#[test]
fn a_clock_that_was_set_back_or_ahead_harms_no_run_and_no_resumption() {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};
    let day = Duration::from_secs(86_400);
    let times = [
        ("future", SystemTime::now() + day * 365 * 30),
        ("epoch", UNIX_EPOCH),
        ("before", UNIX_EPOCH - day * 365),
    ];
    for dispatch in DISPATCHES {
        let batch = Batch::new();
        for (name, time) in times {
            let path = batch.sources().join(format!("{name}.mp4"));
            fs::copy(tiny(), &path).unwrap();
            File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_modified(time)
                .unwrap();
        }
        let how: Vec<OsString> = args!["convert", batch.sources(), "-o", batch.out()].to_vec();
        let how = |json: &str| {
            let mut how = how.clone();
            how.extend(args!["--dispatch", dispatch, "--speed", "ultrafast", json]);
            how
        };
        common::succeed(how("--json"));
        assert_eq!(common::names(&batch.out()).len(), 3, "{dispatch}");
        // What was made is known again.
        let again = common::events(&common::succeed(how("--json")));
        assert!(
            !again.iter().any(|event| event["event"] == "job_started"),
            "{again:?}"
        );
    }
}

/// Matroska stores colour tags as any number, and FFmpeg passes on what it does not know.
#[test]
fn colours_of_numbers_that_mean_nothing_are_as_good_as_none() {
    let batch = Batch::new();
    let path = batch.sources().join("colours.mkv");
    let source = "testsrc2=size=160x120:duration=0.4";
    let tags = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709";
    common::ffmpeg(
        args!["-f", "lavfi", "-i", source, "-vf", tags, "-c:v", "ffv1"],
        &path,
    );
    let mut bytes = fs::read(&path).unwrap();
    // MatrixCoefficients, Range, TransferCharacteristics, Primaries: each of one byte.
    for (id, value) in [(0xB1, 177), (0xB9, 99), (0xBA, 201), (0xBB, 200)] {
        patch(&mut bytes, &[0x55, id, 0x81], 0, &[value]);
    }
    fs::write(&path, bytes).unwrap();
    for dispatch in ["threads", "workers"] {
        let out = batch.out().join(dispatch);
        let how = args!["convert", &path, "-o", &out, "--dispatch", dispatch, "-q"];
        common::succeed(how);
        let tags = "stream=color_space,color_transfer,color_primaries";
        let tags = common::ffprobe(
            &["-show_entries", tags, "-of", "csv=p=0"],
            &out.join("colours.mp4"),
        );
        assert_eq!(tags, "unknown,unknown,unknown", "{dispatch}");
        let how = args!["frames", &path, "-o", &out, "--dispatch", dispatch, "-q"];
        common::succeed(how);
    }
}
