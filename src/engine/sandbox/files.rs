//! The files within reach, by Landlock.

use std::path::Path;

use super::Sandbox;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};

/// Where libraries lie, and what they look for as they run: tables of
/// characters, the number of cores, chance. All of it is the system's, none
/// the user's.
const SYSTEM: [&str; 15] = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/gnu/store",
    "/nix/store",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/alternatives",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/dev/urandom",
    "/dev/random",
];

/// The newest version whose rights are all asked for; an older system
/// gives what it has.
const NEWEST: ABI = ABI::V6;

/// The first one that keeps files from being emptied. With less, nothing is
/// claimed to be out of reach.
const LEAST: ABI = ABI::V3;

/// Leaves this thread, and all that it starts, the files of `sandbox`; whether the system did so.
pub(super) fn keep_to(sandbox: &Sandbox) -> bool {
    matches!(restrict(sandbox), Ok(true))
}

fn restrict(sandbox: &Sandbox) -> Result<bool, RulesetError> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(LEAST))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .no_new_privs(true);
    let read = AccessFs::from_read(NEWEST) & !AccessFs::Execute;
    for path in SYSTEM {
        rules = allow(rules, Path::new(path), read)?;
    }
    for path in &sandbox.read {
        rules = allow(rules, path, read)?;
    }
    for path in &sandbox.start {
        rules = allow(rules, path, read | AccessFs::Execute)?;
    }
    let write = AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::RemoveFile;
    let null = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate;
    rules = allow(rules, Path::new("/dev/null"), null)?;
    for path in &sandbox.write {
        rules = allow_itself(rules, path, write)?;
    }
    let status = rules.restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

/// A file that is not there is reported by the code that then opens it.
fn allow(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(file) = PathFd::new(path) else {
        return Ok(rules);
    };
    // What is a right on folders alone is refused for a file.
    let access = match path.is_dir() {
        true => access,
        false => access & AccessFs::from_file(NEWEST),
    };
    rules.add_rule(PathBeneath::new(file, access))
}

/// As [`allow`]; a link, which leads to another file than the result, is not followed.
fn allow_itself(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(file) = openat(CWD, path, flags, Mode::empty()) else {
        return Ok(rules);
    };
    let kind = fstat(&file).map(|data| FileType::from_raw_mode(data.st_mode));
    let access = match kind {
        Ok(FileType::Directory) => access,
        Ok(FileType::RegularFile) => access & AccessFs::from_file(NEWEST),
        _ => return Ok(rules),
    };
    rules.add_rule(PathBeneath::new(file, access))
}
