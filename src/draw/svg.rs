//! A small SVG writer: shapes and text in, one document out.

use super::text::{CAP_HEIGHT, FAMILY, Face};
use super::theme::{Colour, Marker};
use std::fmt::Write;

/// Where a text's anchor point is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The text begins at the point.
    Start,
    /// The point is in the middle of the text.
    Middle,
    /// The text ends at the point.
    End,
}

impl Anchor {
    fn css(self) -> &'static str {
        match self {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        }
    }
}

/// How a text is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ink {
    /// Size and weight.
    pub face: Face,
    /// Colour.
    pub colour: Colour,
    /// Side of the point on which the text stands.
    pub anchor: Anchor,
}

impl Ink {
    /// Text that begins at its point.
    pub const fn new(face: Face, colour: Colour) -> Self {
        Self {
            face,
            colour,
            anchor: Anchor::Start,
        }
    }

    /// The same with another anchor.
    #[must_use]
    pub const fn anchored(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }
}

/// A rectangle in pixels: left, top, width, height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Area {
    /// The right edge.
    pub fn right(self) -> f64 {
        self.x + self.w
    }

    /// The bottom edge.
    pub fn bottom(self) -> f64 {
        self.y + self.h
    }
}

/// An SVG document being written. Coordinates are pixels from the top left.
#[derive(Debug, Clone)]
pub struct Svg {
    width: f64,
    height: f64,
    body: String,
}

// Writing to a String cannot fail: the results of `write!` are dropped.
impl Svg {
    /// A document of `width` × `height` pixels, filled with `background`.
    pub fn new(width: f64, height: f64, background: Colour) -> Self {
        let mut svg = Self::transparent(width, height);
        let all = Area {
            x: 0.0,
            y: 0.0,
            w: width,
            h: height,
        };
        svg.rect(all, 0.0, background);
        svg
    }

    /// A document of `width` × `height` pixels through which all that is below is seen.
    pub fn transparent(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            body: String::new(),
        }
    }

    /// Width in pixels.
    pub fn width(&self) -> f64 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> f64 {
        self.height
    }

    /// The finished document.
    pub fn finish(self) -> String {
        let Svg {
            width,
            height,
            body,
        } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\">\n{body}</svg>\n"
        )
    }

    /// Puts what a whole document's `svg` holds with its top left corner at `at`. A document
    /// in a document would be drawn on a layer of its own, which costs as much as all else.
    pub fn place(&mut self, svg: &str, at: (f64, f64)) {
        let inside = svg.split_once('>').map_or(svg, |(_, inside)| inside);
        let inside = inside.trim_end();
        let inside = inside.strip_suffix("</svg>").unwrap_or(inside);
        let _ = writeln!(
            self.body,
            "<g transform=\"translate({:.2} {:.2})\">\n{}</g>",
            at.0, at.1, inside
        );
    }

    /// A filled rectangle with corners of `radius`.
    pub fn rect(&mut self, area: Area, radius: f64, fill: Colour) {
        self.painted_rect(area, radius, &format!("fill=\"{fill}\""));
    }

    /// A filled rectangle through which what is below is seen; an `opacity` of 1 hides it.
    pub fn veil(&mut self, area: Area, radius: f64, fill: Colour, opacity: f64) {
        let paint = format!("fill=\"{fill}\" fill-opacity=\"{opacity:.3}\"");
        self.painted_rect(area, radius, &paint);
    }

    /// The rim of a rectangle, `width` pixels wide, half of them on each side of its edge.
    pub fn outline(&mut self, area: Area, radius: f64, width: f64, ink: (Colour, f64)) {
        let (stroke, opacity) = ink;
        let paint = format!(
            "fill=\"none\" stroke=\"{stroke}\" stroke-width=\"{width:.2}\" \
             stroke-opacity=\"{opacity:.3}\""
        );
        self.painted_rect(area, radius, &paint);
    }

    /// A dot of `radius` around `at` through which others below it are seen.
    pub fn dot(&mut self, at: (f64, f64), radius: f64, ink: (Colour, Colour)) {
        let (fill, rim) = ink;
        let (x, y) = at;
        let _ = writeln!(
            self.body,
            "<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{radius:.2}\" fill=\"{fill}\" \
             fill-opacity=\"0.6\" stroke=\"{rim}\" stroke-width=\"1\"/>"
        );
    }

    /// An invisible rectangle that tells `text` where a pointer rests on it.
    pub fn hint(&mut self, area: Area, text: &str) {
        let _ = writeln!(
            self.body,
            "<rect x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{:.2}\" fill=\"none\" \
             pointer-events=\"all\"><title>{}</title></rect>",
            area.x,
            area.y,
            area.w.max(0.0),
            area.h.max(0.0),
            escape(text)
        );
    }

    fn painted_rect(&mut self, area: Area, radius: f64, paint: &str) {
        let _ = writeln!(
            self.body,
            "<rect x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{:.2}\" rx=\"{:.2}\" {paint}/>",
            area.x,
            area.y,
            area.w.max(0.0),
            area.h.max(0.0),
            radius.max(0.0),
        );
    }

    /// A straight line, `width` pixels wide; `dash` is dash and gap in pixels.
    pub fn line(
        &mut self,
        ends: [(f64, f64); 2],
        width: f64,
        stroke: Colour,
        dash: Option<(u32, u32)>,
    ) {
        let [(x1, y1), (x2, y2)] = ends;
        let dash = dash.map_or(String::new(), |(on, off)| {
            format!(" stroke-dasharray=\"{on} {off}\"")
        });
        let _ = writeln!(
            self.body,
            "<line x1=\"{x1:.2}\" y1=\"{y1:.2}\" x2=\"{x2:.2}\" y2=\"{y2:.2}\" \
             stroke=\"{stroke}\" stroke-width=\"{width}\"{dash}/>"
        );
    }

    /// A marker of about `radius` around `at`, with a rim of `rim` to stand out from lines.
    pub fn marker(&mut self, marker: Marker, at: (f64, f64), radius: f64, ink: (Colour, Colour)) {
        let (fill, rim) = ink;
        let paint = format!("fill=\"{fill}\" stroke=\"{rim}\" stroke-width=\"3\"");
        if marker == Marker::Circle {
            let (x, y) = at;
            let _ = writeln!(
                self.body,
                "<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{radius:.2}\" {paint}/>"
            );
            return;
        }
        let points: Vec<String> = corners(marker, radius)
            .iter()
            .map(|(x, y)| format!("{:.2},{:.2}", at.0 + x, at.1 + y))
            .collect();
        let _ = writeln!(
            self.body,
            "<polygon points=\"{}\" {paint}/>",
            points.join(" ")
        );
    }

    /// A line of text; `at` is the anchor on the base line.
    pub fn text(&mut self, text: &str, at: (f64, f64), ink: Ink) {
        // Whoever shows it without the font still gives it the room that it has here.
        let wide = ink.face.width(&printable(text));
        let fitted = if wide >= 1.0 {
            format!(" textLength=\"{wide:.2}\" lengthAdjust=\"spacingAndGlyphs\"")
        } else {
            String::new()
        };
        let _ = writeln!(
            self.body,
            "<text x=\"{:.2}\" y=\"{:.2}\" font-family=\"{FAMILY}\" font-size=\"{:.2}\" \
             font-weight=\"{}\" text-anchor=\"{}\" fill=\"{}\"{fitted}>{}</text>",
            at.0,
            at.1,
            ink.face.size,
            ink.face.weight.css(),
            ink.anchor.css(),
            ink.colour,
            escape(text)
        );
    }

    /// A line of text that a rim of `halo` keeps apart from lines behind it.
    pub fn text_haloed(&mut self, text: &str, at: (f64, f64), ink: Ink, halo: Colour) {
        let rim = format!(
            "<g stroke=\"{halo}\" stroke-width=\"{:.1}\" stroke-linejoin=\"round\">",
            ink.face.size * 0.3
        );
        let _ = writeln!(self.body, "{rim}");
        self.text(
            text,
            at,
            Ink {
                colour: halo,
                ..ink
            },
        );
        let _ = writeln!(self.body, "</g>");
        self.text(text, at, ink);
    }

    /// A line of text whose capitals are centred on the height `at.1`.
    pub fn text_centred(&mut self, text: &str, at: (f64, f64), ink: Ink) {
        let down = ink.face.size * CAP_HEIGHT / 2.0;
        self.text(text, (at.0, at.1 + down), ink);
    }
}

/// The corners of a marker around the origin; a circle has none.
pub fn corners(marker: Marker, radius: f64) -> Vec<(f64, f64)> {
    let r = radius;
    match marker {
        Marker::Circle => Vec::new(),
        // Equal areas look equally large, not equal radii.
        Marker::Square => {
            let r = r * 0.9;
            vec![(-r, -r), (r, -r), (r, r), (-r, r)]
        }
        Marker::Triangle => {
            let r = r * 1.3;
            vec![(0.0, -r), (r * 0.9, r * 0.65), (-r * 0.9, r * 0.65)]
        }
        Marker::Diamond => {
            let r = r * 1.25;
            vec![(0.0, -r), (r, 0.0), (0.0, r), (-r, 0.0)]
        }
    }
}

/// `text` with a visible replacement for what XML 1.0 cannot hold: control characters.
pub fn printable(text: &str) -> String {
    let hidden = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars()
        .map(|c| if hidden(c) { '\u{fffd}' } else { c })
        .collect()
}

/// `text` as SVG character data: printable, and without markup.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::raster;

    #[test]
    fn hostile_names_stay_text() {
        let mut svg = Svg::new(300.0, 100.0, Colour(0, 0, 0));
        let name = "</text><script>&'\"\n\u{0}\u{1b}.mp4";
        let ink = Ink::new(Face::regular(20.0), Colour(255, 255, 255));
        svg.text(name, (10.0, 50.0), ink);
        let svg = svg.finish();
        assert!(!svg.contains("<script"));
        assert!(raster::render(&svg, 300, 100).is_ok());
    }

    #[test]
    fn a_placed_document_is_drawn_where_it_was_put() {
        let inner = Svg::new(10.0, 10.0, Colour(255, 0, 0)).finish();
        let mut outer = Svg::new(40.0, 40.0, Colour(0, 0, 255));
        outer.place(&inner, (20.0, 20.0));
        let raster = raster::render(&outer.finish(), 40, 40).unwrap();
        assert_eq!(raster.pixel(25, 25), [255, 0, 0, 255]);
        assert_eq!(raster.pixel(5, 5), [0, 0, 255, 255]);
        assert_eq!(raster.pixel(35, 35), [0, 0, 255, 255]);
    }
}
