//! What it takes to make a picture file of a decoded frame, from the decoder's
//! 4:2:0 on: by libav's encoders, which `rushes frames` uses, and by the `image` crate's.
//!
//! `cargo bench --bench pictures` says first how large the files become. The frames
//! are a film's, where the media of the tests are there, and else drawn ones.

#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be set up shall stop"
)]

use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ffmpeg_next::Rational;
use ffmpeg_next::frame::Video;
use image::ExtendedColorType::Rgb8;
use image::ImageEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use rushes::media::{Encoder, Graph, Setup, VideoTiming};
use rushes::recipe::EncoderSpec;

const FRAMES: usize = 4;

/// One frame in five seconds, as it is decoded.
fn frames() -> Vec<Video> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/media");
    let media = std::env::var_os("RUSHES_MEDIA").map_or(beside, PathBuf::from);
    let film = format!(
        "movie='{}':seek_point=5,select=not(mod(n\\,120)),format=yuv420p",
        media.join("bench/trailer_bbb.mp4").display()
    );
    let mut source = Graph::generator(&film, true).unwrap_or_else(|_| {
        eprintln!("no film is there: the frames are drawn ones");
        let drawn = "mandelbrot=size=1280x720:rate=1,format=yuv420p";
        Graph::generator(drawn, true).unwrap()
    });
    (0..FRAMES)
        .map(|_| Video::from(source.pull().unwrap().1))
        .collect()
}

fn second() -> Rational {
    Rational::new(1, 1)
}

fn conversion(frame: &Video, pixel_format: &str) -> Graph {
    let description = format!("format={pixel_format}");
    Graph::new(frame, second(), second(), &description, 1).unwrap()
}

/// A picture's bytes out of a frame.
type Encode = Box<dyn FnMut(&mut Video) -> Vec<u8>>;

/// By libav's encoder `name`, opened once for all frames as `rushes frames` does.
fn libav(like: &Video, pixel_format: &str, spec: EncoderSpec) -> Encode {
    let mut conversion = conversion(like, pixel_format);
    let timing = VideoTiming {
        time_base: second(),
        frame_rate: second(),
    };
    let mut encoder = None;
    let mut count = 0;
    Box::new(move |frame| {
        conversion.push(frame).unwrap();
        let (_, mut picture) = conversion.pull().unwrap();
        count += 1;
        picture.set_pts(Some(count));
        let encoder = encoder.get_or_insert_with(|| {
            Encoder::video(&spec, &picture, timing, Setup::default()).unwrap()
        });
        let mut bytes = vec![];
        let take = |packet: ffmpeg_next::Packet| {
            bytes.extend_from_slice(packet.data().unwrap());
            Ok(())
        };
        encoder.encode(Some(&mut picture), take).unwrap();
        bytes
    })
}

fn spec(name: &str, options: &[(&str, &str)], qscale: Option<u8>) -> EncoderSpec {
    let owned = |(key, value): &(&str, &str)| ((*key).into(), (*value).into());
    EncoderSpec {
        name: name.into(),
        options: options.iter().map(owned).collect(),
        qscale,
        width: None,
    }
}

/// By the `image` crate, which takes packed RGB.
fn image_crate(like: &Video, mut encode: impl FnMut(&[u8], &mut Vec<u8>) + 'static) -> Encode {
    let mut conversion = conversion(like, "rgb24");
    Box::new(move |frame| {
        conversion.push(frame).unwrap();
        let picture = Video::from(conversion.pull().unwrap().1);
        let row = picture.width() as usize * 3;
        let rows = picture.data(0).chunks_exact(picture.stride(0));
        let pixels: Vec<u8> = rows.flat_map(|line| &line[..row]).copied().collect();
        let mut bytes = vec![];
        encode(&pixels, &mut bytes);
        bytes
    })
}

fn png(like: &Video, compression: CompressionType, filter: FilterType) -> Encode {
    let (width, height) = (like.width(), like.height());
    image_crate(like, move |pixels, bytes| {
        PngEncoder::new_with_quality(bytes, compression, filter)
            .write_image(pixels, width, height, Rgb8)
            .unwrap();
    })
}

/// By the quality that gives the PSNR of libav's at 3 (docs/performance.md).
fn jpeg(like: &Video) -> Encode {
    let (width, height) = (like.width(), like.height());
    image_crate(like, move |pixels, bytes| {
        JpegEncoder::new_with_quality(bytes, 93)
            .write_image(pixels, width, height, Rgb8)
            .unwrap();
    })
}

/// All that is compared, by name.
fn encoders(like: &Video) -> Vec<(&'static str, Encode)> {
    let jpeg_of =
        |options: &[(&str, &str)]| libav(like, "yuvj420p", spec("mjpeg", options, Some(3)));
    let png_of = |options: &[(&str, &str)]| libav(like, "rgb24", spec("png", options, None));
    vec![
        ("jpg/libav", jpeg_of(&[])),
        (
            "jpg/libav, fixed Huffman tables",
            jpeg_of(&[("huffman", "default")]),
        ),
        ("jpg/image crate", jpeg(like)),
        ("png/libav", png_of(&[])),
        (
            "png/libav, level 1, up",
            png_of(&[("compression_level", "1"), ("pred", "up")]),
        ),
        (
            "png/image crate, fast, adaptive",
            png(like, CompressionType::Fast, FilterType::Adaptive),
        ),
        (
            "png/image crate, fast, up",
            png(like, CompressionType::Fast, FilterType::Up),
        ),
    ]
}

fn pictures(criterion: &mut Criterion) {
    let frames = frames();
    let mut group = criterion.benchmark_group("pictures");
    // A PNG may take a tenth of a second.
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    for (name, mut encode) in encoders(&frames[0]) {
        let bytes: usize = frames
            .iter()
            .map(|frame| encode(&mut frame.clone()).len())
            .sum();
        eprintln!("{name}: {} bytes a picture", bytes / frames.len());
        // A graph takes the frame's data, so that each time has a copy.
        let mut turn = frames.iter().cycle();
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || turn.next().unwrap().clone(),
                |mut frame| black_box(encode(&mut frame)),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, pictures);
criterion_main!(benches);
