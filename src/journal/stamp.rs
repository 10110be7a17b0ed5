//! What shows that a file, or a recipe, is still the same.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::recipe::{CodecThreads, Recipe};

/// To be raised where the same recipe makes something else than before.
const RESULTS: u32 = 1;

/// What changes where a file, or a folder of pictures, does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Its size in bytes; of a folder, that of all that is in it.
    pub size: u64,
    /// Its modification time in nanoseconds since 1970, where the system tells;
    /// of a folder, the latest in it.
    pub modified_ns: Option<i64>,
}

impl Stamp {
    /// The stamp of what is at `path` now.
    ///
    /// # Errors
    /// Where it cannot be looked at.
    pub fn of(path: &Path) -> io::Result<Self> {
        let data = fs::metadata(path)?;
        let mut stamp = Self::from(&data);
        if data.is_dir() {
            // How large a folder itself is, is the file system's business.
            stamp.size = 0;
            for entry in fs::read_dir(path)? {
                let inside = Self::from(&entry?.metadata()?);
                stamp.size += inside.size;
                stamp.modified_ns = stamp.modified_ns.max(inside.modified_ns);
            }
        }
        Ok(stamp)
    }
}

impl From<&Metadata> for Stamp {
    fn from(data: &Metadata) -> Self {
        Self {
            size: data.len(),
            modified_ns: data.modified().ok().and_then(nanoseconds),
        }
    }
}

fn nanoseconds(time: SystemTime) -> Option<i64> {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).ok(),
        Err(before) => i64::try_from(before.duration().as_nanos())
            .ok()
            .map(|before| -before),
    }
}

/// What changes where a recipe, or what is made of it, does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// That of `recipe`. Not what only says how fast it is done, or what it is called.
    pub fn of(recipe: &Recipe) -> Self {
        let mut recipe = recipe.clone();
        match &mut recipe {
            Recipe::Transcode(transcode) => {
                transcode.codec_threads = CodecThreads::default();
                transcode.name.clear();
            }
            Recipe::Frames(frames) => frames.codec_threads = CodecThreads::default(),
        }
        // Plain data always has a serialised form.
        let text = serde_json::to_string(&(RESULTS, &recipe)).unwrap_or_default();
        Self(xxh3_64(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Frames, Transcode, Video};

    #[test]
    fn a_file_that_is_written_or_touched_has_another_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"x").unwrap();
        let before = Stamp::of(&path).unwrap();
        assert_eq!(Stamp::of(&path).unwrap(), before);
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(UNIX_EPOCH).unwrap();
        let touched = Stamp::of(&path).unwrap();
        assert_ne!(touched, before);
        assert_eq!(touched.modified_ns, Some(0));
        fs::write(&path, b"xy").unwrap();
        assert_ne!(Stamp::of(&path).unwrap().size, before.size);
    }

    #[test]
    fn a_folder_of_pictures_changes_with_any_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let picture = folder.path().join("000001.jpg");
        fs::write(&picture, b"x").unwrap();
        let before = Stamp::of(folder.path()).unwrap();
        assert_eq!(before.size, 1);
        fs::write(&picture, b"xy").unwrap();
        assert_ne!(Stamp::of(folder.path()).unwrap(), before);
    }

    #[test]
    fn a_time_before_1970_is_one_like_others() {
        let time = UNIX_EPOCH - std::time::Duration::from_nanos(3);
        assert_eq!(nanoseconds(time), Some(-3));
    }

    #[test]
    fn a_recipe_is_the_same_whatever_its_name_and_its_threads() {
        let plain = Transcode::default();
        let other = Transcode {
            name: "mine".into(),
            codec_threads: CodecThreads(4),
            ..plain.clone()
        };
        let of = |transcode| Fingerprint::of(&Recipe::Transcode(transcode));
        assert_eq!(of(plain.clone()), of(other));
        let smaller = Transcode {
            video: Some(Video {
                speed: Some("slow".into()),
                ..Video::default()
            }),
            ..plain.clone()
        };
        assert_ne!(of(plain.clone()), of(smaller));
        assert_ne!(
            of(plain),
            Fingerprint::of(&Recipe::Frames(Frames::default()))
        );
    }
}
