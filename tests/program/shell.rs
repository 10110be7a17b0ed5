//! What shells and manuals know of the command line.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::common::{fresh_folder, names, stdout, succeed};

/// What bash makes of `line` after it has read the completions.
fn completed(line: &str) -> String {
    let script = stdout(&succeed(["completions", "bash"]));
    let words: Vec<&str> = line.split(' ').collect();
    let last = words.len() - 1;
    let ask = format!(
        "COMP_WORDS=({}); COMP_CWORD={last}; _rushes rushes '{}' '{}'; echo \"${{COMPREPLY[*]}}\"",
        line.trim_end(),
        words[last],
        words[last - 1]
    );
    let mut bash = Command::new("bash")
        .arg("-s")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = bash.stdin.take().unwrap();
    write!(input, "{script}\n{ask}\n").unwrap();
    drop(input);
    let output = bash.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bash_completes_commands_flags_and_values() {
    assert_eq!(completed("rushes conv").trim(), "convert");
    assert!(completed("rushes bench --dry").contains("--dry-run"));
    let dispatches = completed("rushes convert --dispatch wor");
    assert_eq!(dispatches.trim(), "workers");
}

#[test]
fn other_shells_get_a_script_that_knows_the_commands() {
    for shell in ["zsh", "fish"] {
        let script = stdout(&succeed(["completions", shell]));
        for command in ["convert", "frames", "bench", "slideshow", "doctor"] {
            assert!(script.contains(command), "{shell} knows no {command}");
        }
    }
}

#[test]
fn there_is_a_manual_page_for_each_command_and_none_for_what_is_internal() {
    let root = fresh_folder("shell-man");
    succeed(args!["man", "-o", &root]);
    let pages = names(&root);
    for page in ["rushes.1", "rushes-convert.1", "rushes-bench-compare.1"] {
        assert!(pages.contains(&page.to_owned()), "{pages:?}");
    }
    for internal in ["cell", "worker", "man"] {
        assert!(
            !pages.contains(&format!("rushes-{internal}.1")),
            "{pages:?}"
        );
    }
    let page = fs::read_to_string(root.join("rushes-convert.1")).unwrap();
    assert!(page.starts_with(".") && page.contains("preset"), "{page}");
}
