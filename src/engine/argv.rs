//! A [`Pipeline`] as an argument list of the `ffmpeg` program.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::job::MediaJob;
use crate::recipe::{EncoderSpec, Pipeline, Sink};

/// The arguments for `job`, writing to `target`.
///
/// Names are data: `file:` in front makes a leading `-` no option and a `:` no
/// protocol, and where a name is a pattern, `%` is doubled.
pub fn arguments(job: &MediaJob, target: &Path) -> Vec<OsString> {
    let pipeline = &job.pipeline;
    let threads = pipeline.codec_threads.to_string();
    let mut list = Arguments::default();
    list.add([
        "-hide_banner",
        "-nostdin",
        "-nostats",
        "-loglevel",
        "warning",
        "-progress",
        "pipe:1",
        "-y",
    ]);
    list.add(["-filter_threads", &threads]);
    list.add([
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        &pipeline.input_format,
    ]);
    list.add(["-threads", &threads, "-i"]);
    list.0.push(file_url(&job.source, false));
    video(&mut list, pipeline, &threads);
    for (index, track) in pipeline.audio.iter().enumerate() {
        list.add(["-map", &format!("0:{}", track.stream)]);
        list.add([&format!("-filter:a:{index}"), &track.filter]);
        encoder(&mut list, &track.encoder, &format!("a:{index}"), &threads);
    }
    sink(&mut list, &pipeline.sink, target);
    list.0
}

#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn add<T: AsRef<OsStr>>(&mut self, arguments: impl IntoIterator<Item = T>) {
        self.0.extend(
            arguments
                .into_iter()
                .map(|argument| argument.as_ref().to_owned()),
        );
    }
}

fn video(list: &mut Arguments, pipeline: &Pipeline, threads: &str) {
    let track = &pipeline.video;
    list.add(["-map", &format!("0:{}", track.stream)]);
    list.add(["-filter:v:0", &track.filter]);
    // The filters alone decide which frames there are; the program adds and drops none.
    list.add(["-fps_mode:v:0", "passthrough"]);
    list.add([
        "-enc_time_base:v:0",
        &format!("{}:{}", track.time_base.num, track.time_base.den),
    ]);
    encoder(list, &track.encoder, "v:0", threads);
}

fn encoder(list: &mut Arguments, spec: &EncoderSpec, stream: &str, threads: &str) {
    list.add([&format!("-codec:{stream}"), &spec.name]);
    list.add([&format!("-threads:{stream}"), threads]);
    for (key, value) in &spec.options {
        list.add([&format!("-{key}:{stream}"), value]);
    }
    if let Some(qscale) = spec.qscale {
        list.add([&format!("-qscale:{stream}"), &qscale.to_string()]);
    }
}

fn sink(list: &mut Arguments, sink: &Sink, target: &Path) {
    match sink {
        Sink::File { muxer, options } => {
            for (key, value) in options {
                list.add([&format!("-{key}"), value]);
            }
            list.add(["-f", muxer]);
            list.0.push(file_url(target, false));
        }
        Sink::Pictures { extension } => {
            list.add(["-f", "image2", "-start_number", "1"]);
            let mut url = file_url(target, true);
            url.push("/");
            url.push(Sink::picture_pattern(extension));
            list.0.push(url);
        }
    }
}

fn file_url(path: &Path, pattern: bool) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut url = b"file:".to_vec();
    for byte in path.as_os_str().as_bytes() {
        url.push(*byte);
        if pattern && *byte == b'%' {
            url.push(b'%');
        }
    }
    OsString::from_vec(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{MediaInfo, Ratio, StreamInfo, StreamKind};
    use crate::recipe::{Frames, Recipe, Transcode, resolve};

    fn job(recipe: &Recipe) -> MediaJob {
        let stream = |index, kind, codec: &str| StreamInfo {
            index,
            kind,
            codec: codec.into(),
            decodable: true,
            is_default: true,
            duration_s: None,
        };
        let video = StreamKind::Video {
            width: 640,
            height: 360,
            frame_rate: Ratio::new(25, 1),
            orient: String::new(),
        };
        let audio = StreamKind::Audio {
            sample_rate: 44_100,
            channels: 2,
            layout: "stereo".into(),
        };
        let info = MediaInfo {
            format: "matroska,webm".into(),
            duration_s: Some(2.0),
            streams: vec![stream(0, video, "vp9"), stream(1, audio, "opus")],
        };
        MediaJob {
            source: "in/-50%:a.mkv".into(),
            target: "out/-50%:a.mp4".into(),
            pipeline: resolve(recipe, &info).unwrap(),
            duration_s: Some(2.0),
            source_bytes: 1000,
        }
    }

    fn words(recipe: &Recipe, target: &str) -> String {
        let arguments = arguments(&job(recipe), Path::new(target));
        arguments
            .iter()
            .map(|argument| argument.to_str().unwrap())
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn a_transcode_is_the_pipeline_word_for_word() {
        insta::assert_snapshot!(words(&Recipe::Transcode(Transcode::default()), "out/.part"));
    }

    #[test]
    fn in_a_pattern_a_percent_sign_of_the_name_is_doubled() {
        let arguments = words(&Recipe::Frames(Frames::default()), "out/50%");
        assert!(
            arguments.ends_with("\nfile:out/50%%/%06d.jpg"),
            "{arguments}"
        );
    }
}
