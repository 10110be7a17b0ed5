//! Tries all system calls of the list in the sandbox of a worker, and looks at what they reached.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rushes::engine::sandbox::strength;
use rushes::engine::workers::keep_within;
use rushes::job::Limits;

use crate::attempts::{ATTEMPTS, Scene};

/// The table, and where it begins and ends.
const PLACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/worker.md");
const BEGIN: &str = "| what is tried | answer |\n|---|---|\n";

/// Added to a call's number, it is the same call of another kind of programs.
const X32: libc::c_long = 0x4000_0000;

/// Whether nothing outside is reached, and the table in the documentation is what is answered;
/// with `write`, it becomes that.
pub fn test(write: bool) -> io::Result<bool> {
    if let Some(missing) = strength().missing() {
        return Err(io::Error::other(missing));
    }
    let place = tempfile::tempdir()?;
    let place = place.path();
    for name in ["secret", "source"] {
        fs::write(place.join(name), name)?;
        fs::set_permissions(place.join(name), fs::Permissions::from_mode(0o600))?;
    }
    let mut victim = Command::new("sleep").arg("600").spawn()?;
    let before = (files(place)?, state(&victim)?);
    let output = Command::new(std::env::current_exe()?)
        .arg("attempt")
        .arg(place)
        .arg(victim.id().to_string())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    let after = (files(place)?, state(&victim)?);
    let lives = victim.try_wait()?.is_none();
    victim.kill()?;
    victim.wait()?;
    let output = output?;
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        println!("{table}\nWRONG: the worker ended with {}", output.status);
        return Ok(false);
    }
    let mut right = true;
    for line in table.lines().filter(|line| line.ends_with("| done |")) {
        right = false;
        println!("WRONG: {line}");
    }
    if before != after || !lives {
        right = false;
        println!("WRONG: {before:?} became {after:?}, the other process lives: {lives}");
    }
    println!("{} calls tried in the sandbox of a worker", ATTEMPTS.len());
    Ok(holds_in_docs(&table, write)? && right)
}

fn holds_in_docs(table: &str, write: bool) -> io::Result<bool> {
    let text = fs::read_to_string(PLACE)?;
    let (before, rest) = text
        .split_once(BEGIN)
        .ok_or_else(|| io::Error::other("docs/worker.md has no table of calls"))?;
    let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
    let wanted = format!("{before}{BEGIN}{table}\n{after}");
    if wanted == text {
        return Ok(true);
    }
    if write {
        fs::write(PLACE, wanted)?;
        return Ok(true);
    }
    println!(
        "WRONG: docs/worker.md says otherwise; --write changes it. What is answered:\n{table}"
    );
    Ok(false)
}

/// Names, modes, owners, sizes and dates.
fn files(place: &Path) -> io::Result<Vec<String>> {
    let mut all = vec![];
    for entry in fs::read_dir(place)? {
        let (name, data) = (
            entry.as_ref().map_err(copy)?.file_name(),
            entry?.metadata()?,
        );
        let times = (
            data.mtime(),
            data.mtime_nsec(),
            data.ctime(),
            data.ctime_nsec(),
        );
        let owner = (data.uid(), data.gid(), data.mode());
        all.push(format!("{name:?} {owner:?} {} {times:?}", data.len()));
    }
    all.sort();
    Ok(all)
}

fn copy(error: &io::Error) -> io::Error {
    error.kind().into()
}

/// What others could change of a process: its limits, its priority and its cores.
fn state(child: &Child) -> io::Result<String> {
    let of = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", child.id()));
    let stat = of("stat")?;
    let (_, stat) = stat.rsplit_once(')').unwrap_or_default();
    let priority: Vec<&str> = stat.split_whitespace().skip(15).take(2).collect();
    let status = of("status")?;
    let cores = status
        .lines()
        .find(|line| line.starts_with("Cpus_allowed:"));
    Ok(format!("{} {priority:?} {cores:?}", of("limits")?))
}

/// Tries all calls, as code in a worker would, and prints the table.
pub fn attempt(place: &Path, victim: &str) -> io::Result<bool> {
    let source = fs::File::open(place.join("source"))?;
    let victim = victim.parse().map_err(io::Error::other)?;
    let scene = Scene::of(place, source.as_raw_fd(), victim).ok_or(io::ErrorKind::InvalidInput)?;
    let strength = keep_within(Limits::default());
    if strength.missing().is_some() {
        return Ok(false);
    }
    let mut group = "";
    let mut table = String::new();
    for attempt in ATTEMPTS {
        let (number, arguments) = (attempt.call)(&scene);
        let is_x32 = attempt.what.contains("x32");
        let answer = answer(number | if is_x32 { X32 } else { 0 }, arguments);
        if attempt.group != group {
            group = attempt.group;
            table.push_str(&format!("| **{group}** | |\n"));
        }
        table.push_str(&format!("| {} | {answer} |\n", attempt.what));
    }
    print!("{table}");
    Ok(true)
}

#[allow(unsafe_code, reason = "an attack makes system calls as it likes")]
fn answer(number: libc::c_long, [a, b, c, d, e, f]: [u64; 6]) -> String {
    // SAFETY: no argument points to memory that anything else of this process uses; a call that
    // the sandbox should not have let through may do anything, and fails the test.
    let answer = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if answer >= 0 {
        return "done".into();
    }
    match io::Error::last_os_error().raw_os_error() {
        Some(libc::EPERM) => "refused".into(),
        Some(libc::EACCES) => "refused (Landlock)".into(),
        Some(libc::ENOSYS) => "no such call".into(),
        Some(libc::EBADF) => "not open for that".into(),
        Some(libc::EINVAL) => "not open for that".into(),
        other => format!("error {other:?}"),
    }
}
