//! A benchmark's report is a page that a real browser shows whole, on any screen.

#[allow(dead_code, reason = "each test file uses a part of it")]
use std::fs;

use crate::common::browser;
use crate::common::{fresh_folder, run, stderr, tiny};

/// Shows the report in frames as wide as screens, and tells in its title what
/// of each is wider than it, and how many pictures are seen.
const FRAMES: &str = r#"<!doctype html><meta charset="utf-8">
<iframe src="report.html" style="border:0" width="390" height="844"></iframe>
<iframe src="report.html" style="border:0" width="1280" height="800"></iframe>
<script>
onload = () => {
  const told = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument.documentElement;
    const seen = [...page.querySelectorAll(".chart")].filter(chart => chart.clientHeight > 100);
    return `${page.scrollWidth - page.clientWidth} too wide, ${seen.length} seen`;
  });
  document.title = told.join("; ");
};
</script>"#;

#[test]
fn a_browser_shows_the_report_without_errors_and_without_sideways_scrolling() {
    let Some(program) = browser::find() else {
        return;
    };
    let root = fresh_folder("bench-report");
    let flags = "--work transcode,io --workers 1-2 --budget 1s --io 20ms --no-film -q";
    let mut arguments = args!["bench", tiny(), "-o", root.join("out")].to_vec();
    arguments.extend(flags.split(' ').map(Into::into));
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let page = fs::read_to_string(root.join("out/report.html")).unwrap();
    let charts = page.matches(r#"<div class="chart light">"#).count();
    assert!(charts > 4, "{charts} charts");

    let frames = root.join("out/frames.html");
    fs::write(&frames, FRAMES).unwrap();
    let shown = browser::show(&program, &frames);
    assert_eq!(shown.console, Vec::<String>::new());
    let told = format!("0 too wide, {charts} seen");
    assert!(
        shown
            .dom
            .contains(&format!("<title>{told}; {told}</title>")),
        "{:.2000}",
        shown.dom
    );
}
