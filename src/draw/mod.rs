//! The one place for fonts, colours and pixels.
//!
//! Everything drawn is an SVG first; [`raster`] turns it into pixels with the
//! fonts embedded here, so that a machine without fonts draws the same, and
//! lays pixels over others, such as those of a video.

pub mod caption;
pub mod glyphs;
pub mod raster;
pub mod sheet;
pub mod slide;
pub mod svg;
pub mod text;
pub mod theme;

pub use raster::Raster;
pub use theme::Theme;

/// Proves that `svg` can be drawn. With `RUSHES_LOOK=DIR` set, the picture is
/// left in that folder to be looked at.
#[cfg(test)]
pub(crate) fn look(name: &str, svg: &str) {
    let Some(folder) = std::env::var_os("RUSHES_LOOK") else {
        raster::render(svg, 192, 108).expect("the picture can be drawn");
        return;
    };
    let folder = std::path::PathBuf::from(folder);
    std::fs::create_dir_all(&folder).expect("the folder for pictures can be made");
    let raster = raster::render(svg, 1920, 1080).expect("the picture can be drawn");
    raster
        .write_png(&folder.join(format!("{name}.png")))
        .expect("the picture can be written");
}
