//! What the documents show must be so: flags exist, links lead somewhere, and
//! examples are of the format that they are said to be of.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;
use serde::de::DeserializeOwned;

const DOCUMENTS: [&str; 10] = [
    "README.md",
    "docs/events.md",
    "docs/ffmpeg-versions.md",
    "docs/frames.md",
    "docs/report.md",
    "docs/results.md",
    "docs/safety.md",
    "docs/slideshow.md",
    "docs/worker.md",
    "samples/README.md",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rushes() -> Command {
    Command::new(env!("CARGO_BIN_EXE_rushes"))
}

fn read(document: &str) -> String {
    std::fs::read_to_string(root().join(document)).unwrap()
}

/// The lines of all fenced blocks in `language`.
fn block_lines(text: &str, language: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut inside: Option<&str> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(language), None) => inside = Some(language),
            (Some(_), Some(_)) => inside = None,
            (None, Some(block)) if block == language => lines.push(line.to_owned()),
            _ => {}
        }
    }
    assert_eq!(inside, None, "a block is left open");
    lines
}

/// All `rushes …` command lines that documents show, without comments.
fn commands() -> Vec<Vec<String>> {
    let lines = DOCUMENTS
        .iter()
        .flat_map(|document| block_lines(&read(document), "sh"));
    lines
        .filter_map(|line| {
            let words = line.split('#').next()?.split_whitespace();
            let words: Vec<String> = words.map(str::to_owned).collect();
            (words.first()? == "rushes").then_some(words)
        })
        .collect()
}

/// Links to files, as a path from the project's folder.
fn linked_files(document: &str) -> Vec<PathBuf> {
    let folder = root().join(document);
    let folder = folder.parent().unwrap();
    read(document)
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://"))
        .map(|target| folder.join(target))
        .collect()
}

/// Parses as the program does, in a folder where nothing named exists: what is
/// refused is then a missing file, never a flag.
fn is_understood(words: &[String], folder: &Path) {
    let output = rushes()
        .args(&words[1..])
        .current_dir(folder)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let line = words.join(" ");
    assert!(
        output.status.success()
            || told.contains("there is no 'videos'")
            || told.contains("there is no 'photos'")
            || told.contains("cannot read the storyboard")
            || told.contains("cannot read the file of times")
            || told.contains("cannot read results from")
            || told.contains("cannot read 'videos/")
            || told.contains("rushes has put no results into 'converted'")
            || told.contains("no run to go on with"),
        "{line}: {told}"
    );
}

#[test]
fn every_command_line_that_is_shown_is_understood() {
    let folder = tempfile::tempdir().unwrap();
    let commands = commands();
    assert!(commands.len() > 10, "only {} were found", commands.len());
    for words in &commands {
        // These would do their work; their flags are checked below.
        let works = matches!(words[1].as_str(), "bench" | "samples");
        let named = |word: &String| word.starts_with("videos");
        if !works || words.iter().any(named) && words[1] == "bench" {
            is_understood(words, folder.path());
        }
    }
}

#[test]
fn every_flag_that_is_shown_is_in_the_help_of_its_command() {
    for words in commands() {
        let own = words
            .iter()
            .skip(1)
            .take_while(|word| ["bench", "compare"].contains(&word.as_str()));
        let command: Vec<&String> = [&words[1]].into_iter().chain(own.skip(1)).collect();
        let help = rushes().args(command).arg("--help").output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        for flag in words.iter().filter(|word| word.starts_with('-')) {
            let known = help
                .split(|c: char| c.is_whitespace() || ",[".contains(c))
                .any(|word| word == flag);
            assert!(known, "{flag} of {}", words.join(" "));
        }
    }
}

#[test]
fn links_lead_to_files() {
    for document in DOCUMENTS {
        for file in linked_files(document) {
            assert!(file.exists(), "{document}: {}", file.display());
        }
    }
}

/// A line as data of this type, written once more.
fn as_read<T: DeserializeOwned + Serialize>(line: &str) -> serde_json::Value {
    let read: T = serde_json::from_str(line).expect(line);
    serde_json::to_value(&read).unwrap()
}

#[test]
fn shown_events_are_events() {
    let lines = block_lines(&read("docs/events.md"), "json");
    assert!(lines.len() >= 5);
    for line in lines {
        let again = match line.contains(r#""event":"result"#) {
            true => as_read::<rushes::status::Event>(&line),
            false => as_read::<rushes::dispatch::Event>(&line),
        };
        let shown: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(again, shown, "a field is missing or unknown: {line}");
    }
}

#[test]
fn the_shown_report_is_a_report() {
    let text = block_lines(&read("docs/report.md"), "json").join("\n");
    let report: rushes::report::summary::Report = serde_json::from_str(&text).unwrap();
    let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        serde_json::to_value(&report).unwrap(),
        shown,
        "a field is missing or unknown"
    );
}

#[test]
fn the_shown_storyboard_is_a_storyboard() {
    let text = block_lines(&read("docs/slideshow.md"), "toml").join("\n");
    let board: rushes::film::storyboard::Storyboard = toml::from_str(&text).unwrap();
    board.check().unwrap();
    assert!(board.slides.len() > 1);
}

#[test]
fn shown_messages_are_messages() {
    use rushes::engine::workers::protocol::{Answer, Request};
    let lines = block_lines(&read("docs/worker.md"), "json");
    assert!(lines.len() >= 12);
    for line in lines {
        let shown: serde_json::Value = serde_json::from_str(&line).unwrap();
        let request = serde_json::from_str::<Request>(&line).map(serde_json::to_value);
        let answer = serde_json::from_str::<Answer>(&line).map(serde_json::to_value);
        let again = [request, answer].into_iter().flatten().flatten();
        let is_whole = again.into_iter().any(|again| again == shown);
        assert!(is_whole, "no message, or a field is missing: {line}");
    }
}
