//! From a recipe and a probed source to one [`Product`] of its [`super::Pipeline`].

use super::{
    Container, Copying, Medium, Pick, Pipeline, Product, Recipe, Transcode, inventory, pictures,
    streams, tags,
};
use crate::error::{Error, Result};
use crate::job::{MediaInfo, Ratio, StreamKind};

/// Resolves `recipes`, which are run together, for the streams of `media`.
///
/// # Errors
/// Says what the source lacks.
pub fn resolve(recipes: &[&Recipe], media: &MediaInfo) -> Result<Pipeline> {
    let products = recipes.iter().map(|recipe| product(recipe, media));
    let products = products.collect::<Result<Vec<_>>>()?;
    Ok(Pipeline {
        input_format: media.format.clone(),
        starts_late: media.starts_late,
        generate_pts: needs_pts(&media.format, &products),
        untimed: untimed(media),
        key_frames_only: recipes.iter().all(|recipe| recipe.takes_key_frames()),
        tags: wanted_tags(media),
        tags_stream: tags::of_the_file(media).map(|stream| stream.index),
        chapters: media.chapters,
        products,
        codec_threads: recipes
            .iter()
            .map(|recipe| recipe.codec_threads().0)
            .fold(1, usize::max),
    })
}

/// Names of the tags of the whole file, wherever it has them.
fn wanted_tags(media: &MediaInfo) -> Vec<String> {
    let mut names = media.tags.clone();
    if let Some(stream) = tags::of_the_file(media) {
        let title = (!stream.details.title.is_empty()).then(|| "title".to_owned());
        names.extend(stream.details.tags.iter().cloned().chain(title));
    }
    tags::wanted(&names)
}

/// Whether a product copies video from a `format` that does not store presentation times
/// reliably.
fn needs_pts(format: &str, products: &[Product]) -> bool {
    let copies = |product: &Product| {
        let mut videos = product.tracks_of(Medium::Video);
        videos.any(|track| track.way.is_copy())
    };
    products.iter().any(copies) && !streams::tells_times(format)
}

/// Streams without usable times: the `ffmpeg` program must count their frames.
fn untimed(media: &MediaInfo) -> Vec<(usize, Option<Ratio>)> {
    let streams = media.streams.iter().filter(|it| it.details.is_untimed);
    let rates = streams.map(|stream| match stream.kind {
        StreamKind::Video { frame_rate, .. } => (stream.index, Some(frame_rate)),
        _ => (stream.index, None),
    });
    rates
        .map(|(stream, rate)| (stream, rate.filter(|rate| rate.is_positive())))
        .collect()
}

impl Pipeline {
    /// The same source for `product` alone.
    #[must_use]
    pub fn only(&self, product: Product) -> Self {
        let products = vec![product];
        Self {
            generate_pts: needs_pts(&self.input_format, &products),
            products,
            ..self.clone()
        }
    }
}

fn product(recipe: &Recipe, media: &MediaInfo) -> Result<Product> {
    match recipe {
        Recipe::Transcode(transcode) => {
            let mut product = transcoded(transcode, media)?;
            if transcode.keep_smaller && !product.tracks.iter().all(|track| track.way.is_copy()) {
                // Where the container cannot hold the source's streams, the encoded ones stay.
                product.kept = transcoded(&transcode.copying(), media).ok().map(Box::new);
            }
            Ok(product)
        }
        Recipe::Frames(frames) => pictures::pictures(frames, media),
    }
}

impl Recipe {
    fn takes_key_frames(&self) -> bool {
        matches!(self, Recipe::Frames(frames) if frames.pick == Pick::KeyFrames)
    }

    fn codec_threads(&self) -> super::CodecThreads {
        match self {
            Recipe::Transcode(transcode) => transcode.codec_threads,
            Recipe::Frames(frames) => frames.codec_threads,
        }
    }
}

impl Transcode {
    /// The same file with the source's own streams.
    fn copying(&self) -> Self {
        let mut copying = self.clone();
        if let Some(video) = &mut copying.video {
            video.copy = Copying::Always;
        }
        if let Some(audio) = &mut copying.audio {
            audio.copy = Copying::Always;
        }
        copying
    }
}

fn transcoded(recipe: &Transcode, media: &MediaInfo) -> Result<Product> {
    let mut product = Product {
        tracks: vec![],
        sink: recipe.container.sink(tags::are_free(&media.tags)),
        dropped: vec![],
        notes: vec![],
        kept: None,
    };
    if let Some(video) = &recipe.video {
        streams::videos(video, recipe, media, &mut product)?;
    }
    if let Some(audio) = &recipe.audio {
        streams::sounds(audio, recipe.container, media, &mut product)?;
    }
    if product.tracks.is_empty() {
        return Err(nothing_of("sound", media));
    }
    streams::others(recipe, media, &mut product);
    inventory::plan(&mut product, media, recipe.container);
    if recipe.container == Container::Mp4 && inventory::any_unofficial(&product.tracks) {
        product.sink.allow_unofficial();
    }
    Ok(product)
}

/// That a source has nothing of a kind, and what it has.
pub(super) fn nothing_of(what: &str, media: &MediaInfo) -> Error {
    let codecs: Vec<_> = media
        .streams
        .iter()
        .map(|stream| stream.codec.as_str())
        .collect();
    let holds = if codecs.is_empty() {
        "no stream at all".into()
    } else {
        codecs.join(", ")
    };
    Error::failed(format!(
        "has no {what} that can be decoded (it holds {holds})"
    ))
}

impl Container {
    /// Whether streams of `codec` can be in the container as they are.
    pub(super) fn holds(self, codec: &str) -> bool {
        crate::media::muxer_holds(self.muxer(), codec)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Size, Transcode, Video, Way};
    use super::*;
    use crate::job::{Fields, Ratio, StreamInfo, StreamKind};

    fn media(kind: StreamKind) -> MediaInfo {
        MediaInfo {
            format: "matroska,webm".into(),
            duration_s: Some(2.0),
            duration_is_guessed: false,
            bit_rate: None,
            tags: vec![],
            chapters: 0,
            starts_late: false,
            streams: vec![StreamInfo {
                index: 0,
                kind,
                codec: "h264".into(),
                decodable: true,
                is_default: true,
                duration_s: None,
                bit_rate: Some(500_000),
                is_edited: false,
                details: Default::default(),
            }],
        }
    }

    fn video(width: u32, height: u32, orient: &str) -> MediaInfo {
        media(StreamKind::Video {
            width,
            height,
            frame_rate: Ratio::new(25, 1),
            sample_aspect: Ratio::new(1, 1),
            orient: orient.into(),
            pixel_format: "yuv420p".into(),
            alpha: false,
            depth: 8,
            fields: Fields::Progressive,
            light: None,
        })
    }

    fn transcode(fit: Option<Size>) -> Recipe {
        Recipe::Transcode(Transcode {
            video: Some(Video {
                fit,
                ..Video::default()
            }),
            ..Transcode::default()
        })
    }

    fn filter(pipeline: &Pipeline) -> &str {
        match &pipeline.products[0].tracks[0].way {
            Way::Video(way) => &way.filter,
            other => panic!("{other:?}"),
        }
    }

    const BOX_720P: Size = Size {
        width: 1280,
        height: 720,
    };

    #[test]
    fn a_picture_that_fits_is_not_scaled() {
        let pipeline = resolve(&[&transcode(Some(BOX_720P))], &video(640, 480, "")).unwrap();
        assert_eq!(filter(&pipeline), "scale=flags=bicubic,format=yuv420p");
    }

    #[test]
    fn a_picture_is_scaled_into_the_box_with_its_aspect() {
        let pipeline = resolve(&[&transcode(Some(BOX_720P))], &video(1440, 1080, "")).unwrap();
        assert_eq!(
            filter(&pipeline),
            "scale=960:720:flags=bicubic,setsar=1/1,format=yuv420p"
        );
    }

    #[test]
    fn odd_sizes_become_even_for_420() {
        let pipeline = resolve(&[&transcode(None)], &video(321, 241, "")).unwrap();
        assert_eq!(
            filter(&pipeline),
            "scale=322:242:flags=bicubic,setsar=1/1,format=yuv420p"
        );
    }

    #[test]
    fn a_turned_picture_is_fitted_as_it_is_displayed() {
        let pipeline = resolve(
            &[&transcode(Some(BOX_720P))],
            &video(1920, 1080, "transpose=clock"),
        )
        .unwrap();
        assert_eq!(
            filter(&pipeline),
            "scale=720:1280:flags=bicubic,setsar=1/1,format=yuv420p"
        );
    }

    #[test]
    fn a_source_without_video_is_refused_with_what_it_holds() {
        let sound = media(StreamKind::Audio {
            sample_rate: 44_100,
            channels: 2,
            layout: "stereo".into(),
            bits: 0,
        });
        let error = resolve(&[&transcode(None)], &sound).unwrap_err();
        assert!(error.to_string().contains("no video stream"), "{error}");
    }
}
