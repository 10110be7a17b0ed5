//! What went in and what came out: by these, two runs tell whether they did the same work.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::results::{Dispatch, Work};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::report::words;

/// One clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clip {
    /// Its file name, without folders.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its length, where its container tells.
    pub duration_s: Option<f64>,
    /// XXH3 over its bytes; of a file beyond 64 MiB over the first and the last 32 MiB.
    pub hash: String,
}

/// What one dispatch made of all clips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// What was done.
    pub work: Work,
    /// How it was run.
    pub dispatch: Dispatch,
    /// Codec threads a job.
    #[serde(default = "super::results::one")]
    pub codec_threads: usize,
    /// Size of all results together.
    pub bytes: u64,
    /// XXH3 over all decoded pictures and the length of the sound.
    pub hash: String,
    /// Mean structural similarity to the clips over all of them: 1 is the same.
    pub ssim: Option<f64>,
}

impl Output {
    /// Its size, and how good it is where that is known, in words.
    pub fn told(&self) -> String {
        let ssim = self.ssim.map(|ssim| format!(", SSIM {ssim:.4}"));
        format!("{}{}", words::bytes(self.bytes), ssim.unwrap_or_default())
    }
}

const END: u64 = 32 << 20;

impl Clip {
    /// The clip that `job` reads.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn of(job: &Job) -> Result<Self> {
        let source = job.source().unwrap_or(Path::new(""));
        let hash = hash_of(source).map_err(|error| {
            Error::failed(format!("cannot read '{}'", source.display())).because(error)
        })?;
        Ok(Self {
            name: job.name.clone(),
            bytes: job.source_bytes().unwrap_or(0),
            duration_s: job.duration_s().filter(|seconds| seconds.is_finite()),
            hash,
        })
    }
}

fn hash_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let mut hash = Xxh3::new();
    if bytes <= 2 * END {
        add(&mut hash, &mut file)?;
    } else {
        add(&mut hash, &mut (&mut file).take(END))?;
        file.seek(SeekFrom::Start(bytes - END))?;
        add(&mut hash, &mut file)?;
    }
    Ok(shown(&hash))
}

fn add(hash: &mut Xxh3, from: &mut impl Read) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            count => hash.update(&buffer[..count]),
        }
    }
}

/// A hash as it stands in files.
pub fn shown(hash: &Xxh3) -> String {
    format!("{:016x}", hash.digest())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_changes_a_hash_at_either_end_of_a_large_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        let file = File::create(&path).unwrap();
        // Sparse: it takes no room.
        file.set_len(3 * END).unwrap();
        let mut seen = vec![hash_of(&path).unwrap()];
        for at in [0, 3 * END - 1] {
            use std::os::unix::fs::FileExt;
            file.write_at(b"x", at).unwrap();
            seen.push(hash_of(&path).unwrap());
        }
        seen.dedup();
        assert_eq!(seen.len(), 3, "{seen:?}");
    }
}
