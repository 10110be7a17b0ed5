//! A [`Pipeline`] as an argument list of the `ffmpeg` program.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::job::MediaJob;
use crate::media::{self, bounds};
use crate::recipe::{EncoderSpec, Medium, Product, Sink, Track, VideoWay, Way, tags};

/// What the names of pictures begin with that are named by their pts.
pub const AT: &str = "at";

/// The arguments for `job`, writing its products to `targets`; `covers` are the
/// files to attach, one a track that attaches one.
///
/// Names are data: `file:` in front makes a leading `-` no option and a `:` no
/// protocol, and where a name is a pattern, `%` is doubled.
///
/// `ends_text`: whether encoded subtitles pass a filter that ends those of unknown length.
pub fn arguments(
    job: &MediaJob,
    targets: &[PathBuf],
    covers: &[Cover],
    ends_text: bool,
) -> Vec<OsString> {
    let pipeline = &job.pipeline;
    let threads = pipeline.codec_threads.to_string();
    let mut list = Arguments::default();
    // Every line of the log counts, since lines about damage are counted.
    list.add([
        "-hide_banner",
        "-nostdin",
        "-nostats",
        "-loglevel",
        "repeat+warning",
        "-progress",
        "pipe:1",
        "-y",
    ]);
    list.add(["-filter_threads", &threads]);
    // Damage is counted and told, whatever its share.
    list.add(["-max_error_rate", "1"]);
    add_source(&mut list, job, &threads);
    for (position, (product, target)) in pipeline.products.iter().zip(targets).enumerate() {
        for (index, track) in product.tracks.iter().enumerate() {
            let cover = covers
                .iter()
                .find(|cover| (cover.product, cover.track) == (position, index));
            let place = Place {
                product: position,
                index,
                is_alone: is_alone(product, track),
            };
            add_track(&mut list, place, track, &threads, cover);
            let ends_events = product.sink.ends_events();
            let has_events = match track.way {
                Way::Copy(Medium::Subtitle) => true,
                Way::Subtitle { .. } => ends_text && ends_events,
                _ => false,
            };
            if has_events {
                add_event_ends(&mut list, index, job.duration_s.filter(|_| ends_events));
            }
        }
        add_tags(&mut list, product, job.pipeline.tags_stream);
        add_sink(&mut list, &product.sink, job.pipeline.tags_stream, target);
    }
    list.0
}

/// A picture of the source in a file of its own.
pub struct Cover {
    /// The product's position in the pipeline.
    pub product: usize,
    /// The track's position in the product.
    pub track: usize,
    /// Where the picture is.
    pub path: PathBuf,
}

/// Where a track is in the results.
#[derive(Clone, Copy)]
struct Place {
    product: usize,
    index: usize,
    /// Whether it descends from no stream.
    is_alone: bool,
}

/// Whether a track must descend from no stream of the source.
///
/// Up to FFmpeg 7.0, the program gives an encoded stream all side data of its source's stream:
/// how bright HDR is meant, also where it became SDR. A filter graph of two inputs keeps it from
/// that. What else of the source's side data is to arrive would be lost with it.
fn is_alone(product: &Product, track: &Track) -> bool {
    track.becomes_sdr() && !product.is_pictures() && !track.has_extras()
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

/// What is read, and what of it is taken.
fn add_source(list: &mut Arguments, job: &MediaJob, threads: &str) {
    let (pipeline, limits) = (&job.pipeline, bounds::get());
    list.add(["-protocol_whitelist", "file"]);
    if limits.trust && media::is_playlist(&pipeline.input_format) {
        // What it names is of other formats.
        if pipeline.input_format == "concat" {
            list.add(["-safe", "0"]);
        }
    } else {
        list.add(["-format_whitelist", &pipeline.input_format]);
    }
    list.add(["-max_streams", &limits.streams.to_string()]);
    list.add(["-max_pixels", &limits.pixels.to_string()]);
    if pipeline.starts_late {
        for (name, value) in media::LONG_LOOK {
            list.add([&format!("-{name}"), value]);
        }
    }
    if pipeline.generate_pts {
        list.add(["-fflags", "+genpts"]);
    }
    if pipeline.key_frames_only {
        list.add(["-skip_frame", "nokey"]);
    }
    for track in pipeline.products.iter().flat_map(|product| &product.tracks) {
        if let Way::Video(VideoWay {
            decoder: Some(name),
            ..
        }) = &track.way
        {
            list.add([&format!("-codec:{}", track.stream), name]);
        }
    }
    for (stream, rate) in &pipeline.untimed {
        // Its frames are counted: the program takes whatever the container stores for a time.
        if let Some(rate) = rate {
            list.add([
                &format!("-r:{stream}"),
                &format!("{}/{}", rate.num, rate.den),
            ]);
        }
    }
    list.add(["-threads", threads, "-i"]);
    list.0.push(file_url(&job.source, false));
}

/// The tags of streams, where a track descends from none, or one has those of the file: all of
/// them are named then, since the program copies either what is named or all.
fn add_tags(list: &mut Arguments, product: &Product, tags_stream: Option<usize>) {
    let is_any_alone = product.tracks.iter().any(|track| is_alone(product, track));
    if !is_any_alone && tags_stream.is_none() {
        return;
    }
    for (index, track) in product.tracks.iter().enumerate() {
        match track.way {
            Way::Attach { .. } => continue,
            Way::Copy(_) => {}
            // The muxer writes the name of the encoder.
            _ => list.add([&format!("-metadata:s:{index}"), "encoder="]),
        }
        let source = format!("0:s:{}", track.stream);
        list.add([&format!("-map_metadata:s:{index}"), &source]);
    }
}

/// Options of one stream of a result.
fn add_track(
    list: &mut Arguments,
    place: Place,
    track: &Track,
    threads: &str,
    cover: Option<&Cover>,
) {
    let index = place.index;
    if let (Way::Attach { name, mime }, Some(cover)) = (&track.way, cover) {
        list.add(["-attach"]);
        list.0.push(file_url(&cover.path, false));
        list.add([&format!("-metadata:s:{index}"), &format!("mimetype={mime}")]);
        list.add([&format!("-metadata:s:{index}"), &format!("filename={name}")]);
        return;
    }
    match place.is_alone {
        true => add_graph(list, place, track, threads),
        false => list.add(["-map", &format!("0:{}", track.stream)]),
    }
    if let Some(tag) = &track.tag {
        list.add([&format!("-tag:{index}"), tag]);
    }
    if let Some(disposition) = track.disposition {
        list.add([&format!("-disposition:{index}"), &disposition.to_string()]);
    }
    for name in &track.forgotten {
        list.add([&format!("-metadata:s:{index}"), &format!("{name}=")]);
    }
    for (name, value) in &track.tags {
        list.add([&format!("-metadata:s:{index}"), &format!("{name}={value}")]);
    }
    match &track.way {
        Way::Copy(_) | Way::Attach { .. } => list.add([&format!("-codec:{index}"), "copy"]),
        Way::Subtitle { encoder } => list.add([&format!("-codec:{index}"), encoder]),
        Way::Audio(way) => {
            list.add([&format!("-filter:{index}"), &way.filter]);
            add_encoder(list, &way.encoder, index, threads);
        }
        Way::Video(way) => {
            if !place.is_alone {
                list.add([&format!("-filter:{index}"), &filters(way)]);
            }
            if let Some(number) = way.choose.number() {
                // The rest of the source need not be read.
                list.add([&format!("-frames:{index}"), &number.to_string()]);
            }
            // The filters alone decide which frames there are; the program adds and drops none.
            list.add([&format!("-fps_mode:{index}"), "passthrough"]);
            let (num, den) = (way.time_base.num, way.time_base.den);
            list.add([&format!("-enc_time_base:{index}"), &format!("{num}:{den}")]);
            add_encoder(list, &way.encoder, index, threads);
        }
    }
}

fn filters(way: &VideoWay) -> String {
    match way.choose.filter() {
        Some(choice) => format!("{choice},{}", way.filter),
        None => way.filter.clone(),
    }
}

/// A track out of a filter graph of its own, whose second input leads nowhere.
fn add_graph(list: &mut Arguments, place: Place, track: &Track, threads: &str) {
    let Way::Video(way) = &track.way else { return };
    let (stream, filters) = (track.stream, filters(way));
    let name = format!("[{}-{}]", place.product, place.index);
    let graph = format!("[0:{stream}]{filters}{name};[0:{stream}]nullsink");
    list.add(["-filter_complex_threads", threads]);
    list.add(["-filter_complex", &graph, "-map", &name]);
}

/// Subtitles of unknown length end at the next one, and the last with the film, where
/// that ends at `film_s`; else their length stays unknown. The program itself hands on
/// 32 bits of ones, which MP4 refuses, and Matroska takes for the film's length.
fn add_event_ends(list: &mut Arguments, index: usize, film_s: Option<f64>) {
    let until = match film_s {
        Some(film_s) => {
            format!("if(eq(NEXT_PTS\\,NOPTS)\\,max(0\\,{film_s}/TB-PTS)\\,NEXT_PTS-PTS)")
        }
        None => "0".to_owned(),
    };
    let is_unknown = "eq(DURATION\\,0)+gte(DURATION*TB\\,4294967)";
    let duration = format!("if({is_unknown}\\,{until}\\,DURATION)");
    list.add([
        &format!("-bsf:{index}"),
        &format!("setts=duration={duration}"),
    ]);
}

fn add_encoder(list: &mut Arguments, spec: &EncoderSpec, index: usize, threads: &str) {
    list.add([&format!("-codec:{index}"), &spec.name]);
    list.add([&format!("-threads:{index}"), threads]);
    for (key, value) in spec.options_here() {
        list.add([&format!("-{key}:{index}"), &value]);
    }
    if let Some(qscale) = spec.qscale {
        list.add([&format!("-qscale:{index}"), &qscale.to_string()]);
    }
}

fn add_sink(list: &mut Arguments, sink: &Sink, tags_stream: Option<usize>, target: &Path) {
    match sink {
        Sink::File { muxer, options } => {
            // Named, all tags are taken: the source's date, too.
            match tags_stream {
                Some(stream) => list.add(["-map_metadata:g", &format!("0:s:{stream}")]),
                None => list.add(["-map_metadata", "0"]),
            }
            for name in tags::stale(tags_stream) {
                list.add(["-metadata", &format!("{name}=")]);
            }
            // A stream that begins late must not end the job.
            list.add(["-max_muxing_queue_size", "1000000"]);
            for (key, value) in options {
                list.add([&format!("-{key}"), value]);
            }
            list.add(["-f", muxer]);
            list.0.push(file_url(target, false));
        }
        Sink::Pictures { extension, .. } => {
            // Named by their pts: nothing else tells it.
            list.add(["-f", "image2", "-frame_pts", "1"]);
            let mut url = file_url(target, true);
            url.push(format!("/{AT}%d.{extension}"));
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
    use crate::job::{Extra, Fields, Held, MediaInfo, Property, Ratio, StreamInfo, StreamKind};
    use crate::recipe::{Frames, Recipe, Transcode, resolve};

    fn job(recipe: &Recipe, transfer: &str) -> MediaJob {
        let stream = |index, kind, codec: &str| StreamInfo {
            index,
            ..StreamInfo::of_kind(kind, codec)
        };
        let video = StreamKind::Video {
            width: 640,
            height: 360,
            frame_rate: Ratio::new(25, 1),
            sample_aspect: Ratio::new(1, 1),
            orient: String::new(),
            pixel_format: "yuv420p".into(),
            alpha: false,
            depth: 8,
            fields: Fields::Progressive,
            light: None,
        };
        let audio = StreamKind::Audio {
            sample_rate: 44_100,
            channels: 2,
            layout: "stereo".into(),
            bits: 0,
        };
        let mut info = MediaInfo {
            format: "matroska,webm".into(),
            duration_s: Some(2.0),
            duration_is_guessed: false,
            bit_rate: None,
            tags: vec![],
            chapters: 0,
            starts_late: false,
            streams: vec![stream(0, video, "vp9"), stream(1, audio, "opus")],
        };
        info.streams[0].details.colour.transfer = transfer.into();
        MediaJob {
            source: "in/-50%:a.mkv".into(),
            targets: vec!["out/-50%:a.mp4".into()],
            pipeline: resolve(&[recipe], &info).unwrap(),
            duration_s: Some(2.0),
            claimed_s: Some(2.0),
            verify: crate::media::verify::Depth::default(),
            source_bytes: 1000,
            overwrite: vec![],
            replace: false,
        }
    }

    fn words(recipe: &Recipe, target: &str) -> String {
        words_of(&job(recipe, ""), target)
    }

    fn words_of(job: &MediaJob, target: &str) -> String {
        let arguments = arguments(job, &[target.into()], &[], true);
        arguments
            .iter()
            .map(|argument| argument.to_str().unwrap())
            .collect::<Vec<_>>()
            .join("\n")
            // Some machines need it.
            .replace("-x264-params:0\nasm=avx2\n", "")
    }

    #[test]
    fn a_transcode_is_the_pipeline_word_for_word() {
        insta::assert_snapshot!(words(&Recipe::Transcode(Transcode::default()), "out/.part"));
    }

    #[test]
    fn in_a_pattern_a_percent_sign_of_the_name_is_doubled() {
        let arguments = words(&Recipe::Frames(Frames::default()), "out/50%");
        assert!(
            arguments.ends_with("\nfile:out/50%%/at%d.jpg"),
            "{arguments}"
        );
    }

    #[test]
    fn a_stream_that_becomes_sdr_descends_from_none_but_keeps_its_tags() {
        let mut hlg = job(&Recipe::Transcode(Transcode::default()), "arib-std-b67");
        let arguments = words_of(&hlg, "out/.part");
        for part in [
            "\n-filter_complex\n[0:0]",
            "[0-0];[0:0]nullsink\n-map\n[0-0]\n",
            "\n-map\n0:1\n",
            "\n-metadata:s:0\nencoder=\n-map_metadata:s:0\n0:s:0\n",
            "\n-map_metadata:s:1\n0:s:1\n",
        ] {
            assert!(arguments.contains(part), "{part}: {arguments}");
        }
        // Its projection is side data of the source's stream, too.
        hlg.pipeline.products[0].tracks[0].held =
            vec![Held::new(Property::Extra(Extra::Projection), "")];
        let arguments = words_of(&hlg, "out/.part");
        assert!(!arguments.contains("nullsink"), "{arguments}");
        assert!(arguments.contains("\n-filter:0\n"), "{arguments}");
    }
}
