//! Permissions, owner and date of a result: those of its source.

use std::fs::{self, File, FileTimes, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

const GROUP: u32 = 0o070;
const OTHERS: u32 = 0o007;

/// Takes the permissions from the result `part` that its source does not give. A folder of
/// frames cannot be entered by users who cannot read the source.
///
/// Returns a warning if the file system stores no permissions.
pub(super) fn restrict(source: &Path, part: &File) -> io::Result<Option<String>> {
    let (source, own) = (fs::metadata(source)?, part.metadata()?);
    let allowed = allowed(&source, &own);
    let classes = [GROUP, OTHERS].into_iter();
    let denied: u32 = match own.is_dir() {
        true => classes.filter(|class| allowed & class & 0o044 == 0).sum(),
        false => 0o066 & !allowed,
    };
    set_mode(part, &own, own.mode() & !denied)
}

/// The source's permissions for the users that the result's permissions are about: if the
/// result has another group, its members have the rights of others.
fn allowed(source: &Metadata, own: &Metadata) -> u32 {
    let mode = source.mode() & 0o777;
    match source.gid() == own.gid() {
        true => mode,
        false => mode & !GROUP | (mode & OTHERS) << 3,
    }
}

/// Gives a file its source's date, so that files sort by when they were recorded.
pub(super) fn keep_times(source: &Path, part: &File) -> io::Result<()> {
    let times = FileTimes::new().set_modified(fs::metadata(source)?.modified()?);
    part.set_times(times)
}

/// Gives a file that is about to replace its source the source's owner, group and permissions.
///
/// Returns a warning for each that the system refuses.
pub(super) fn take_over(source: &Path, part: &File) -> io::Result<Vec<String>> {
    let theirs = fs::metadata(source)?;
    let refused = give(part, &theirs)?;
    // Last, because a change of owner clears special permissions.
    let own = part.metadata()?;
    let unset = set_mode(part, &own, allowed(&theirs, &own))?;
    Ok(refused.into_iter().chain(unset).collect())
}

/// Gives a file the owner and group of `theirs`, or the group alone.
fn give(part: &File, theirs: &Metadata) -> io::Result<Option<String>> {
    let own = part.metadata()?;
    let (uid, gid) = (theirs.uid(), theirs.gid());
    if (uid, gid) == (own.uid(), own.gid()) {
        return Ok(None);
    }
    match fchown(part, Some(uid), Some(gid)) {
        Err(error) if is_refusal(&error) => {}
        changed => return changed.map(|()| None),
    }
    // Users may give their files to the groups that they are in.
    let group = fchown(part, None, Some(gid));
    if own.uid() == uid && group.is_ok() {
        return Ok(None);
    }
    Ok(Some(format!(
        "the result cannot get the source's owner (user {uid}, group {gid}): run rushes as that \
         user, or as root"
    )))
}

fn set_mode(part: &File, own: &Metadata, mode: u32) -> io::Result<Option<String>> {
    let mode = mode & 0o777;
    if own.mode() & 0o777 == mode {
        return Ok(None);
    }
    match part.set_permissions(Permissions::from_mode(mode)) {
        Err(error) if is_refusal(&error) => Ok(Some(format!(
            "the result's permissions are {:03o} instead of {mode:03o}: its file system stores no \
             others",
            own.mode() & 0o777
        ))),
        set => set.map(|()| None),
    }
}

/// Whether the file system stores no owners and permissions (FAT, some network shares), or a
/// user may not set them.
fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied | ErrorKind::Unsupported
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::chown;

    use super::*;

    fn file(folder: &Path, name: &str, mode: u32) -> std::path::PathBuf {
        let path = folder.join(name);
        fs::write(&path, name).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    fn open(path: &Path) -> File {
        File::open(path).unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn nobody_reads_a_result_who_may_not_read_its_source() {
        let root = tempfile::tempdir().unwrap();
        for (source, part, result) in [
            (0o600, 0o644, 0o600),
            (0o640, 0o644, 0o640),
            (0o644, 0o600, 0o600),
            (0o777, 0o644, 0o644),
            (0o444, 0o644, 0o644),
            (0o660, 0o664, 0o660),
        ] {
            let [source, part] = [("a", source), ("b", part)].map(|(n, m)| file(root.path(), n, m));
            assert_eq!(restrict(&source, &open(&part)).unwrap(), None);
            assert_eq!(mode(&part), result, "{part:?}");
        }
    }

    #[test]
    fn nobody_enters_a_folder_of_pictures_who_may_not_read_their_source() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("pictures");
        fs::create_dir(&folder).unwrap();
        for (source, result) in [(0o644, 0o755), (0o640, 0o750), (0o600, 0o700)] {
            fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
            let source = file(root.path(), "a", source);
            assert_eq!(restrict(&source, &open(&folder)).unwrap(), None);
            assert_eq!(mode(&folder), result);
        }
    }

    #[test]
    fn what_takes_a_sources_place_has_its_permissions() {
        let root = tempfile::tempdir().unwrap();
        for wanted in [0o600, 0o640, 0o444, 0o755] {
            let [source, part] =
                [("a", wanted), ("b", 0o644)].map(|(n, m)| file(root.path(), n, m));
            assert!(take_over(&source, &open(&part)).unwrap().is_empty());
            assert_eq!(mode(&part), wanted);
            fs::remove_file(source).unwrap();
            fs::remove_file(part).unwrap();
        }
    }

    #[test]
    fn a_group_that_may_not_read_the_source_may_not_read_the_result() {
        let root = tempfile::tempdir().unwrap();
        let source = file(root.path(), "source", 0o640);
        let part = file(root.path(), "part", 0o664);
        if fs::metadata(&source).unwrap().uid() != 0 {
            // Only root can give a file to any group.
            assert!(chown(&source, Some(0), None).is_err());
            return;
        }
        chown(&source, Some(1234), Some(5678)).unwrap();
        assert_eq!(restrict(&source, &open(&part)).unwrap(), None);
        assert_eq!(mode(&part), 0o600);
        // Once it has the source's group, that group may read it again.
        assert!(take_over(&source, &open(&part)).unwrap().is_empty());
        let own = fs::metadata(&part).unwrap();
        assert_eq!((own.uid(), own.gid()), (1234, 5678));
        assert_eq!(mode(&part), 0o640);
    }

    #[test]
    fn a_refusal_is_reported_and_fails_nothing() {
        for kind in [ErrorKind::PermissionDenied, ErrorKind::Unsupported] {
            assert!(is_refusal(&kind.into()));
        }
        assert!(!is_refusal(&ErrorKind::NotFound.into()));
        // Nobody can change permissions there.
        let part = open(Path::new("/proc/self/stat"));
        let own = part.metadata().unwrap();
        let report = set_mode(&part, &own, 0o400).unwrap().unwrap();
        assert!(report.contains("instead of 400"), "{report}");
    }
}
