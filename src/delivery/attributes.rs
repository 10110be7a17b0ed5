//! Who may read a result, whose it is, and its dates: as its source says.

use std::fs::{self, File, FileTimes, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

/// Permission to read and write, of owner, group and others.
const READ_WRITE: u32 = 0o666;

/// Permission to enter a folder and to list it; whose owner can always do both.
const OWNER: u32 = 0o700;

/// Takes the result at `part` from everybody who may not read or write its source; a folder
/// of pictures shows as much as they do.
pub(super) fn restrict(source: &Path, part: &Path) -> io::Result<()> {
    let (allowed, own) = (fs::metadata(source)?.mode(), fs::metadata(part)?);
    let mode = match own.is_dir() {
        true => own.mode() & (readers(allowed) | OWNER),
        // Who writes it must be able to.
        false => own.mode() & (allowed & READ_WRITE | 0o600),
    };
    set_mode(part, &own, mode)
}

/// Who may read, as permission to do anything.
fn readers(mode: u32) -> u32 {
    let classes = [0o400, 0o040, 0o004].into_iter();
    let readers = classes.filter(|class| mode & class != 0);
    readers.map(|class| class | class >> 1 | class >> 2).sum()
}

/// Gives a file its source's date: what was filmed when stays to be seen.
pub(super) fn keep_times(source: &Path, part: &Path) -> io::Result<()> {
    let times = FileTimes::new().set_modified(fs::metadata(source)?.modified()?);
    File::options().write(true).open(part)?.set_times(times)
}

/// Gives a file that is to take its source's place the source's owner, group and permissions.
/// Says in words what of that the system refuses.
pub(super) fn take_over(source: &Path, part: &Path) -> io::Result<Option<String>> {
    let (theirs, own) = (fs::metadata(source)?, fs::metadata(part)?);
    let refused = match (theirs.uid(), theirs.gid()) {
        owner if owner == (own.uid(), own.gid()) => None,
        (uid, gid) => match chown(part, Some(uid), Some(gid)) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Some(format!(
                "the source belonged to user {uid} and group {gid}; the result belongs to {} and {}",
                own.uid(),
                own.gid()
            )),
            changed => changed.map(|()| None)?,
        },
    };
    // Last: a new owner costs special permissions.
    set_mode(part, &fs::metadata(part)?, theirs.mode() & 0o777)?;
    Ok(refused)
}

fn set_mode(path: &Path, own: &Metadata, mode: u32) -> io::Result<()> {
    if own.mode() & 0o7777 == mode & 0o7777 {
        return Ok(());
    }
    match fs::set_permissions(path, Permissions::from_mode(mode & 0o7777)) {
        // File systems without permissions have nothing to keep.
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(()),
        set => set,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, name: &str, mode: u32) -> std::path::PathBuf {
        let path = folder.join(name);
        fs::write(&path, name).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
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
            restrict(&source, &part).unwrap();
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
            restrict(&source, &folder).unwrap();
            assert_eq!(mode(&folder), result);
        }
    }

    #[test]
    fn what_takes_a_sources_place_has_its_permissions() {
        let root = tempfile::tempdir().unwrap();
        for wanted in [0o600, 0o640, 0o444, 0o755] {
            let [source, part] =
                [("a", wanted), ("b", 0o644)].map(|(n, m)| file(root.path(), n, m));
            assert_eq!(take_over(&source, &part).unwrap(), None);
            assert_eq!(mode(&part), wanted);
            fs::remove_file(source).unwrap();
            fs::remove_file(part).unwrap();
        }
    }
}
