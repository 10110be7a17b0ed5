//! What must hold of memory whatever a file says and in whatever order values are dropped.
//! `scripts/test-memory` runs these tests, among others, under valgrind.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ffmpeg_next::{Packet, Rational};

use super::copy::Copier;
use super::decode::Decoder;
use super::encode::Setup;
use super::probe::{frame_rate, probe};
use super::{Encoder, Graph, Input, Muxer, Origin, VideoTiming, hash, outline};
use crate::dispatch::Cancel;
use crate::error::{Error, Kind};
use crate::job::StreamKind;
use crate::recipe::EncoderSpec;

const FRAMES: i64 = 5;

fn spec(name: &str) -> EncoderSpec {
    EncoderSpec {
        name: name.into(),
        options: Default::default(),
        qscale: None,
        width: None,
    }
}

/// A Matroska file of a few frames that have colour tags.
fn film(folder: &Path) -> PathBuf {
    let path = folder.join("film.mkv");
    let source = "testsrc2=size=64x48:rate=25,format=yuv420p,\
                  setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709";
    let mut graph = Graph::generator(source, true).unwrap();
    let tick = Rational::new(1, 25);
    let timing = VideoTiming {
        time_base: tick,
        frame_rate: tick.invert(),
    };
    let mut muxer = Muxer::create(&path, "matroska", &[], 1, &Cancel::new()).unwrap();
    let setup = Setup {
        global_header: muxer.wants_global_header(),
        ..Setup::default()
    };
    let mut frame = graph.ready().unwrap().unwrap();
    let mut encoder = Encoder::video(&spec("ffv1"), &frame, timing, setup).unwrap();
    let encoded = encoder.encoded().unwrap();
    muxer.encoded(0, &encoded, None, None).unwrap();
    for number in 0..FRAMES {
        frame.set_pts(Some(number));
        let write = |packet| muxer.write(0, packet);
        encoder.encode(Some(&mut frame), write).unwrap();
        frame = graph.ready().unwrap().unwrap();
    }
    encoder
        .encode(None, |packet| muxer.write(0, packet))
        .unwrap();
    muxer.finish().unwrap();
    path
}

/// As [`film`], with numbers for its colours that no version of libav knows.
fn film_of_unknown_colours(folder: &Path) -> PathBuf {
    let path = film(folder);
    let mut bytes = fs::read(&path).unwrap();
    // MatrixCoefficients, TransferCharacteristics, Primaries: each of one byte.
    for (id, value) in [(0xB1, 177), (0xBA, 99), (0xBB, 200)] {
        let element = [0x55, id, 0x81];
        let mut places = bytes.windows(3).enumerate();
        let (at, _) = places.find(|(_, three)| *three == element).unwrap();
        bytes[at + 3] = value;
    }
    fs::write(&path, bytes).unwrap();
    path
}

/// Copies all packets of the first stream into a file for `muxer`.
fn copy(mut input: Input, target: &Path, muxer: &str, options: &[(String, String)]) {
    let mut output = Muxer::create(target, muxer, options, 1, &Cancel::new()).unwrap();
    output.copy_metadata(&input, None).unwrap();
    let origin = Origin::of(&input, 0).unwrap();
    output.copied(0, None, &origin).unwrap();
    let mut copier = Copier::new(&input, 0).unwrap();
    while let Some(packet) = input.read().unwrap() {
        if let Some(packet) = copier.take(&packet).unwrap() {
            output.write(0, packet).unwrap();
        }
    }
    // The source ends before what was made of it.
    drop(input);
    output.finish().unwrap();
    assert_eq!(copier.taken(), FRAMES as u64);
}

#[test]
fn colours_of_numbers_that_mean_nothing_are_read_copied_decoded_and_encoded() {
    let folder = tempfile::tempdir().unwrap();
    let path = film_of_unknown_colours(folder.path());
    let cancel = Cancel::new();
    let info = probe(&path, &cancel).unwrap();
    let colour = &info.streams[0].details.colour;
    assert!(matches!(info.streams[0].kind, StreamKind::Video { .. }));
    assert_eq!(
        [&colour.primaries, &colour.transfer, &colour.matrix],
        [""; 3]
    );
    let lines = outline::outline(&path, &cancel).unwrap();
    let numbers = "primaries 200 transfer 99 matrix 177";
    assert!(
        lines.iter().any(|line| line.ends_with(numbers)),
        "{lines:?}"
    );
    let content = hash::content(&path, &cancel).unwrap();
    assert_eq!(
        (content.frames.len(), content.damaged),
        (FRAMES as usize, 0)
    );

    let target = folder.path().join("copy.mkv");
    let input = Input::open(&path, None, &cancel).unwrap();
    copy(input, &target, "matroska", &[]);
    assert_eq!(hash::content(&target, &cancel).unwrap(), content);

    let mut input = Input::open(&path, None, &cancel).unwrap();
    let mut decoder = Decoder::open(&input, 0, 1).unwrap();
    let mut packets = 0;
    while let Some(packet) = input.read().unwrap() {
        let encode = |frame, time_base| encode(frame, time_base, &mut packets);
        decoder.decode(Some(packet), encode).unwrap();
    }
    assert_eq!(packets, FRAMES);
}

fn encode(
    mut frame: ffmpeg_next::Frame,
    time_base: Rational,
    packets: &mut i64,
) -> Result<(), Error> {
    let timing = VideoTiming {
        time_base,
        frame_rate: Rational::new(25, 1),
    };
    let mut graph = Graph::new(&frame, time_base, timing.frame_rate, "hflip", 1)?;
    graph.push(&mut frame)?;
    let mut frame = graph.ready()?.unwrap();
    let mut encoder = Encoder::video(&spec("mpeg4"), &frame, timing, Setup::default())?;
    let mut take = |_: Packet| {
        *packets += 1;
        Ok(())
    };
    encoder.encode(Some(&mut frame), &mut take)?;
    encoder.encode(None, take)
}

/// ffmpeg-next's parameters keep the whole demuxer, which reads the file until it is closed.
#[test]
fn what_is_kept_of_a_source_keeps_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = film(folder.path());
    let input = Input::open(&path, None, &Cancel::new()).unwrap();
    let file = Arc::downgrade(input.file());
    let kept = input.context().stream(0).unwrap().parameters();
    let decoder = Decoder::open(&input, 0, 1).unwrap();
    drop(input);
    assert!(file.upgrade().is_some());
    drop(kept);
    // What decodes has a copy of the parameters, and keeps nothing of the source.
    assert!(file.upgrade().is_none());
    drop(decoder);
}

#[test]
fn a_source_moves_and_is_read_on_another_thread() {
    let folder = tempfile::tempdir().unwrap();
    let path = film(folder.path());
    let input = Input::open(&path, None, &Cancel::new()).unwrap();
    let target = folder.path().join("copy.mkv");
    let thread = std::thread::spawn(move || copy(input, &target, "matroska", &[]));
    thread.join().unwrap();
}

/// The muxer opens its own file a second time to move the end of it to its front.
#[test]
fn a_file_whose_end_moves_to_its_front_is_read_while_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = film(folder.path());
    let target = folder.path().join("copy.mov");
    let options = [("movflags".to_owned(), "+faststart".to_owned())];
    let input = Input::open(&path, None, &Cancel::new()).unwrap();
    // No player reads FFV1 in it, but the muxer of `mov` takes it.
    copy(input, &target, "mov", &options);
    let bytes = fs::read(&target).unwrap();
    let place = |name: &[u8]| bytes.windows(4).position(|four| four == name).unwrap();
    assert!(place(b"moov") < place(b"mdat"));
}

#[test]
fn reading_ends_as_interrupted_once_the_work_is_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let path = film(folder.path());
    // More than libav reads at once, which no demuxer passes over unread.
    let mut bytes = fs::read(&path).unwrap();
    bytes.resize(8 << 20, 0);
    fs::write(&path, bytes).unwrap();
    let cancel = Cancel::new();
    let mut input = Input::open(&path, None, &cancel).unwrap();
    cancel.set();
    let error = loop {
        match input.read() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the file was read to its end"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), Kind::Interrupted);
    let again = Input::open(&path, None, &cancel).err().unwrap();
    assert_eq!(again.kind(), Kind::Interrupted);
}

#[test]
fn streams_that_are_not_there_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = film(folder.path());
    let mut input = Input::open(&path, None, &Cancel::new()).unwrap();
    for index in [1, 1000, usize::MAX] {
        assert!(input.stream(index).is_none());
        assert!(Origin::of(&input, index).is_err());
        assert!(Decoder::open(&input, index, 1).is_err());
        assert_eq!(frame_rate(&input, index).as_f64(), 0.0);
        assert!(input.key_before(index, 0).is_none());
        assert!(!input.seek_in(index, 0));
    }
    // libav may have read a packet before.
    input.select(&[7]);
    input.read().unwrap();
}
