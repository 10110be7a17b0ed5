//! The machine and its FFmpeg, as results and `doctor` tell them.

use crate::bench::results::{Ffmpeg, Machine};
use crate::engine::ffmpeg;
use crate::media;

/// The machine this runs on; what cannot be found out stays empty.
pub fn machine() -> Machine {
    let system = rustix::system::uname();
    Machine {
        host: system.nodename().to_string_lossy().into_owned(),
        os: format!(
            "{} {}",
            system.sysname().to_string_lossy(),
            system.release().to_string_lossy()
        ),
        cpu: cpu_model().unwrap_or_else(|| system.machine().to_string_lossy().into_owned()),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_bytes: memory_bytes().unwrap_or(0),
        governor: governor(),
    }
}

/// The FFmpeg that is linked, and the program on the PATH.
pub fn ffmpeg() -> Ffmpeg {
    let linked = media::linked_version();
    let program = ffmpeg::version_line();
    let same_version = program
        .as_deref()
        .is_some_and(|line| ffmpeg::version_of(line) == linked);
    Ffmpeg {
        linked,
        program,
        same_version,
        configuration: media::configuration(),
        encoders: vec![],
    }
}

/// What sets the clock rate of the first core, where the system tells.
fn governor() -> Option<String> {
    let file = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
    let name = std::fs::read_to_string(file).ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(target_os = "linux")]
fn cpu_model() -> Option<String> {
    field("/proc/cpuinfo", "model name")
}

#[cfg(target_os = "linux")]
fn memory_bytes() -> Option<u64> {
    let kib: u64 = field("/proc/meminfo", "MemTotal")?
        .split_whitespace()
        .next()?
        .parse()
        .ok()?;
    kib.checked_mul(1024)
}

/// The value after `name:` in one of the kernel's tables.
#[cfg(target_os = "linux")]
fn field(table: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(table).ok()?;
    let mut values = text.lines().filter_map(|line| line.split_once(':'));
    values
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim().to_owned())
}

#[cfg(not(target_os = "linux"))]
fn cpu_model() -> Option<String> {
    sysctl("machdep.cpu.brand_string")
}

#[cfg(not(target_os = "linux"))]
fn memory_bytes() -> Option<u64> {
    sysctl("hw.memsize")?.parse().ok()
}

#[cfg(not(target_os = "linux"))]
fn sysctl(name: &str) -> Option<String> {
    let output = std::process::Command::new("sysctl")
        .args(["-n", name])
        .stdin(std::process::Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
