//! What was measured on this machine decides how jobs run, unless told otherwise.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use crate::common::{fresh_folder, rushes, stderr, stdout, tiny};
use rushes::bench::profile::{Choice, Profile, VERSION};
use rushes::bench::results::Dispatch;
use rushes::measure::machine::machine;

struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let root = fresh_folder(name);
        fs::create_dir_all(root.join("config/rushes")).unwrap();
        Self(root)
    }

    fn file(&self) -> PathBuf {
        self.0.join("config/rushes/profile.json")
    }

    fn with(self, profile: &Profile) -> Self {
        fs::write(self.file(), serde_json::to_vec(profile).unwrap()).unwrap();
        self
    }

    fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Output {
        rushes()
            .env("XDG_CONFIG_HOME", self.0.join("config"))
            .current_dir(&self.0)
            .args(arguments)
            .output()
            .unwrap()
    }

    /// Converts a clip with these flags besides, and gives what was said.
    fn convert(&self, flags: &[&str]) -> String {
        let clip = tiny();
        let usual = [
            "convert",
            clip.to_str().unwrap(),
            "--json",
            "--exists",
            "overwrite",
        ];
        let output = self.run(usual.into_iter().chain(flags.iter().copied()));
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        format!("{}{}", stdout(&output), stderr(&output))
    }
}

fn profile() -> Profile {
    let here = machine();
    Profile {
        version: VERSION,
        measured: "2025-01-02T03:04:05+00:00".into(),
        cpu: here.cpu,
        cores: here.cores,
        codec_threads: 1,
        convert: Some(Choice {
            dispatch: Dispatch::Threads,
            workers: 3,
        }),
        frames: None,
    }
}

#[test]
fn convert_takes_dispatch_and_jobs_from_the_profile_and_says_so() {
    let home = Home::new("profile-used").with(&profile());
    let said = home.convert(&[]);
    assert!(
        said.contains("jobs run on threads, 3 at once, as measured here on 2025-01-02"),
        "{said}"
    );
    assert!(said.contains("\"engine\":\"threads\""), "{said}");
}

#[test]
fn flags_win_over_the_profile() {
    let home = Home::new("profile-flags").with(&profile());
    let said = home.convert(&["--dispatch", "processes"]);
    assert!(!said.contains("as measured"), "{said}");
    assert!(!said.contains("\"engine\":\"threads\""), "{said}");
    let said = home.convert(&["--jobs", "1"]);
    assert!(said.contains("jobs run on threads, 1 at once"), "{said}");
    let said = home.convert(&["--codec-threads", "2"]);
    assert!(
        !said.contains("as measured"),
        "measured with other threads: {said}"
    );
}

#[test]
fn a_profile_that_is_damaged_or_of_another_machine_is_ignored_with_a_warning() {
    let other = Profile {
        cpu: "another one".into(),
        ..profile()
    };
    let strange = Profile {
        convert: Some(Choice {
            dispatch: Dispatch::Threads,
            workers: 0,
        }),
        ..profile()
    };
    let texts = [
        "no JSON".to_owned(),
        "{}".to_owned(),
        String::new(),
        "[".repeat(200_000),
        serde_json::to_string(&other).unwrap(),
        serde_json::to_string(&strange).unwrap(),
    ];
    let home = Home::new("profile-damaged");
    for text in texts {
        fs::write(home.file(), &text).unwrap();
        let said = home.convert(&[]);
        assert!(
            said.contains("profile.json' is ignored: "),
            "{text:.60}: {said}"
        );
        assert!(!said.contains("as measured here"), "{said}");
    }
}

#[test]
fn a_measurement_too_short_to_choose_by_saves_nothing_and_says_what_it_takes() {
    let home = Home::new("profile-short");
    let clip = tiny();
    let flags = "--work io --io 5ms --workers 1 --rounds 1 --no-film -q --save-profile -o out";
    let output = home.run(
        ["bench", clip.to_str().unwrap()]
            .into_iter()
            .chain(flags.split(' ')),
    );
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("--work transcode,frames"),
        "{}",
        stderr(&output)
    );
    assert!(!home.file().exists());
}

#[test]
fn a_saved_profile_is_what_the_next_run_takes() {
    let home = Home::new("profile-saved");
    let clip = tiny();
    let flags = "--work transcode --dispatch workers --workers 1 --rounds 6 --speed ultrafast --no-film -q \
                 --save-profile -o out";
    let flags = flags.split_whitespace();
    let output = home.run(["bench", clip.to_str().unwrap()].into_iter().chain(flags));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("profile.json"));
    let said = home.convert(&[]);
    assert!(said.contains("jobs run on workers, 1 at once"), "{said}");
}
