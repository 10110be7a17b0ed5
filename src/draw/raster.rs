//! SVG → pixels → PNG, with the embedded fonts alone.

use super::text::Weight;
use super::theme::Colour;
use crate::{Error, Result};
use image::ImageEncoder;
use image::codecs::png::PngEncoder;
use resvg::{tiny_skia, usvg};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// A part of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The first column.
    pub x: u32,
    /// The first row.
    pub y: u32,
    /// Number of columns.
    pub width: u32,
    /// Number of rows.
    pub height: u32,
}

/// A picture in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raster {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Rows from the top, four bytes a pixel: red, green, blue and straight
    /// (not premultiplied) alpha, sRGB. The length is `width * height * 4`.
    pub rgba: Vec<u8>,
}

impl Raster {
    /// A picture of one colour.
    pub fn filled(width: u32, height: u32, colour: Colour) -> Self {
        let pixels = width as usize * height as usize;
        Self {
            width,
            height,
            rgba: colour.opaque().repeat(pixels),
        }
    }

    /// All of the picture.
    pub fn whole(&self) -> Part {
        Part {
            x: 0,
            y: 0,
            width: self.width,
            height: self.height,
        }
    }

    /// Fills a `part` of the picture with one colour.
    pub fn fill(&mut self, part: Part, colour: Colour) {
        let width = part.width.min(self.width.saturating_sub(part.x));
        for row in 0..part.height {
            let run = self.run(part.x, part.y.saturating_add(row), width);
            let Some(run) = self.rgba.get_mut(run) else {
                return;
            };
            for pixel in run.chunks_exact_mut(4) {
                pixel.copy_from_slice(&colour.opaque());
            }
        }
    }

    /// Lays a `part` of `top` over this opaque picture, its top left corner at
    /// `at`. What is outside of either picture is left out.
    pub fn lay(&mut self, top: &Raster, part: Part, at: (u32, u32)) {
        let width = part.width.min(top.width.saturating_sub(part.x));
        let width = width.min(self.width.saturating_sub(at.0));
        for row in 0..part.height {
            let from = top.run(part.x, part.y.saturating_add(row), width);
            let to = self.run(at.0, at.1.saturating_add(row), width);
            let (Some(from), Some(to)) = (top.rgba.get(from), self.rgba.get_mut(to)) else {
                return;
            };
            for (over, under) in from.chunks_exact(4).zip(to.chunks_exact_mut(4)) {
                blend(under, over);
            }
        }
    }

    /// Where the bytes of `width` pixels from column `x` of row `y` are.
    fn run(&self, x: u32, y: u32, width: u32) -> std::ops::Range<usize> {
        let before = (y as usize).saturating_mul(self.width as usize);
        let begin = before.saturating_add(x as usize).saturating_mul(4);
        begin..begin.saturating_add(width as usize * 4)
    }

    /// The four bytes at column `x` and row `y`; transparent outside the picture.
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 4] {
        let at = (y as usize * self.width as usize + x as usize) * 4;
        match self.rgba.get(at..at + 4) {
            Some(&[r, g, b, a]) if x < self.width => [r, g, b, a],
            _ => [0; 4],
        }
    }

    /// Whether it is what it says.
    ///
    /// # Errors
    /// When `rgba` does not have the length that width and height promise.
    pub fn check(&self) -> Result<()> {
        if self.rgba.len() as u128 != u128::from(self.width) * u128::from(self.height) * 4 {
            return Err(Error::failed(
                "the picture's size does not match its pixels",
            ));
        }
        Ok(())
    }

    /// The picture as a PNG file's bytes.
    ///
    /// # Errors
    /// When `rgba` does not have the length that width and height promise.
    pub fn png(&self) -> Result<Vec<u8>> {
        self.check()?;
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes)
            .write_image(
                &self.rgba,
                self.width,
                self.height,
                image::ExtendedColorType::Rgba8,
            )
            .map_err(|cause| Error::failed("cannot encode the picture as PNG").because(cause))?;
        Ok(bytes)
    }

    /// Writes the picture to `path` as PNG.
    ///
    /// # Errors
    /// When the picture cannot be encoded or the file cannot be written.
    pub fn write_png(&self, path: &Path) -> Result<()> {
        std::fs::write(path, self.png()?).map_err(|cause| {
            Error::failed(format!("cannot write '{}'", path.display())).because(cause)
        })
    }
}

/// Puts a pixel over an opaque one, which stays opaque.
fn blend(under: &mut [u8], over: &[u8]) {
    match over[3] {
        0 => {}
        255 => under.copy_from_slice(over),
        alpha => {
            let alpha = u32::from(alpha);
            for (below, above) in under.iter_mut().zip(over).take(3) {
                let sum = u32::from(*above) * alpha + u32::from(*below) * (255 - alpha);
                *below = ((sum + 127) / 255) as u8;
            }
        }
    }
}

/// Draws `svg` into `width` × `height` pixels.
///
/// The document is scaled to the picture's width and height; text is set in the
/// embedded fonts, and neither fonts nor files of the machine are looked at.
///
/// # Errors
/// When the SVG cannot be read or the picture is empty or too large.
pub fn render(svg: &str, width: u32, height: u32) -> Result<Raster> {
    let tree = usvg::Tree::from_str(svg, &options())
        .map_err(|cause| Error::failed("cannot read the SVG of a picture").because(cause))?;
    let mut pixels = tiny_skia::Pixmap::new(width, height).ok_or_else(|| {
        Error::failed(format!("cannot draw a picture of {width}×{height} pixels"))
    })?;
    let scale = tiny_skia::Transform::from_scale(
        width as f32 / tree.size().width(),
        height as f32 / tree.size().height(),
    );
    resvg::render(&tree, scale, &mut pixels.as_mut());
    Ok(Raster {
        width,
        height,
        rgba: pixels.take_demultiplied(),
    })
}

fn options() -> usvg::Options<'static> {
    static FONTS: OnceLock<Arc<usvg::fontdb::Database>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut fonts = usvg::fontdb::Database::new();
        for weight in [Weight::Regular, Weight::SemiBold] {
            fonts.load_font_data(weight.bytes().to_vec());
        }
        fonts.set_sans_serif_family("Inter");
        Arc::new(fonts)
    });
    usvg::Options {
        fontdb: Arc::clone(fonts),
        font_family: "Inter".to_owned(),
        image_href_resolver: usvg::ImageHrefResolver {
            resolve_data: usvg::ImageHrefResolver::default_data_resolver(),
            // A picture is made of what is in it: links to files are not followed.
            resolve_string: Box::new(|_, _| None),
        },
        ..usvg::Options::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::svg::{Ink, Svg};
    use crate::draw::text::Face;

    const BLACK: Colour = Colour(0, 0, 0);
    const WHITE: Colour = Colour(255, 255, 255);

    /// First and last column that hold anything but black.
    fn inked(raster: &Raster) -> Option<(u32, u32)> {
        let lit = |x: &u32| (0..raster.height).any(|y| raster.pixel(*x, y)[0] > 100);
        let columns: Vec<u32> = (0..raster.width).filter(lit).collect();
        Some((*columns.first()?, *columns.last()?))
    }

    #[test]
    fn text_is_as_wide_as_it_was_measured() {
        for face in [Face::regular(60.0), Face::bold(60.0)] {
            let text = "Hthreads 12.3 s at 8 workers H";
            let mut svg = Svg::new(1200.0, 100.0, BLACK);
            svg.text(text, (20.0, 70.0), Ink::new(face, WHITE));
            let (first, last) = inked(&render(&svg.finish(), 1200, 100).unwrap()).unwrap();
            let (drawn, measured) = (f64::from(last - first), face.width(text));
            assert!((drawn / measured - 1.0).abs() < 0.03, "{drawn} {measured}");
        }
    }

    #[test]
    fn the_two_weights_are_drawn_differently() {
        let draw = |face| {
            let mut svg = Svg::new(300.0, 100.0, BLACK);
            svg.text("weight", (20.0, 70.0), Ink::new(face, WHITE));
            render(&svg.finish(), 300, 100).unwrap()
        };
        assert_ne!(draw(Face::regular(50.0)), draw(Face::bold(50.0)));
    }

    #[test]
    fn a_png_reads_back_as_the_same_pixels() {
        let raster = render(&Svg::new(8.0, 4.0, Colour(10, 200, 30)).finish(), 16, 8).unwrap();
        let back = image::load_from_memory(&raster.png().unwrap())
            .unwrap()
            .to_rgba8();
        assert_eq!(back.dimensions(), (16, 8));
        assert_eq!(back.into_raw(), raster.rgba);
    }

    #[test]
    fn what_is_laid_over_a_picture_leaves_it_opaque_and_is_clipped() {
        let mut below = Raster::filled(4, 3, BLACK);
        let mut above = Raster::filled(3, 3, WHITE);
        above.rgba[3] = 0;
        above.rgba[7] = 128;
        below.lay(&above, above.whole(), (2, 1));
        assert_eq!(below.pixel(2, 1), [0, 0, 0, 255]);
        assert_eq!(below.pixel(3, 1), [128, 128, 128, 255]);
        assert_eq!(below.pixel(2, 2), [255; 4]);
        assert_eq!(below.pixel(1, 2), [0, 0, 0, 255]);
        let part = Part {
            x: 1,
            y: 2,
            width: 9,
            height: u32::MAX,
        };
        let mut below = Raster::filled(4, 3, BLACK);
        below.lay(&above, part, (0, 0));
        assert_eq!(below.pixel(1, 0), [255; 4]);
        assert_eq!(below.pixel(2, 0), [0, 0, 0, 255]);
        assert_eq!(below.pixel(0, 1), [0, 0, 0, 255]);
        let all = below.clone();
        below.lay(&above, above.whole(), (u32::MAX, u32::MAX));
        assert_eq!(below, all);
    }

    #[test]
    fn broken_input_is_an_error() {
        assert!(render("<svg", 10, 10).is_err());
        assert!(render(&Svg::new(8.0, 4.0, BLACK).finish(), 0, 10).is_err());
        let lie = Raster {
            width: 2,
            height: 2,
            rgba: vec![0; 3],
        };
        assert!(lie.png().is_err());
    }
}
