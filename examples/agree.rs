//! `agree A B`: decodes all files below two folders of results and prints
//! where they differ: file, and the first frame or what else.

use std::path::PathBuf;
use std::process::ExitCode;

use rushes::bench::equal::differences;
use rushes::dispatch::Cancel;
use rushes::engine::Workers;
use rushes::job::Limits;

fn main() -> ExitCode {
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [a, b] = folders.as_slice() else {
        eprintln!("usage: agree FOLDER FOLDER");
        return ExitCode::from(2);
    };
    let found = Workers::find(Limits::default())
        .and_then(|workers| differences(&workers, [a, b], &Cancel::new()));
    match found {
        Ok(found) => {
            for difference in &found {
                println!("{}: {}", difference.file.display(), difference.what);
            }
            println!("{} differ", found.len());
            ExitCode::from(u8::from(!found.is_empty()))
        }
        Err(error) => {
            eprintln!("agree: {}", error.report());
            ExitCode::from(1)
        }
    }
}
