//! The end of a process with the one that started it, free of everything else:
//! the program and its small child `rushes-child` both compile this file.

/// Asks the system to kill this process when its parent dies, which has the id
/// `parent`; `None` where it is dead already.
pub fn end_with(parent: u32) -> Option<()> {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let now = rustix::process::getppid()?.as_raw_nonzero().get();
    (now.unsigned_abs() == parent).then_some(())
}
