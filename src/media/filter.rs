//! Filter graphs: scaling, frame rate, formats, resampling. Their descriptions
//! are the strings that the `ffmpeg` program is given too.

use std::ffi::{CStr, c_char};

use ffmpeg::filter::{self, find};
use ffmpeg::{Frame, Rational, ffi};
use ffmpeg_next as ffmpeg;

use super::colours::Tags;
use super::compat;
use super::error::{Poll, failed, poll};
use super::frame::empty_frame;
use super::number::number;
use crate::error::{Error, Result};

/// A configured graph with at most one input and one output.
pub struct Graph {
    // Raw contexts belong to `graph` and die with it.
    graph: filter::Graph,
    source: Option<Source>,
    // The other input of a comparison.
    second: Option<Source>,
    sink: filter::Context,
}

// SAFETY: libav's filters know no thread of their own; the raw contexts belong to
// the graph and move with it, and whoever holds it is alone with it.
unsafe impl Send for Graph {}

/// What a graph is configured for; a frame of another shape needs a new graph.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Video {
        width: i32,
        height: i32,
        format: i32,
        negotiated: Negotiated,
    },
    Audio {
        rate: i32,
        format: i32,
        layout: String,
    },
}

impl Shape {
    pub(super) fn of(frame: &Frame) -> Self {
        // SAFETY: the frame is valid; its layout is read only.
        unsafe {
            let raw = frame.as_ptr();
            if (*raw).width > 0 {
                Self::Video {
                    width: (*raw).width,
                    height: (*raw).height,
                    format: (*raw).format,
                    negotiated: Negotiated::of(frame),
                }
            } else {
                Self::Audio {
                    rate: (*raw).sample_rate,
                    format: (*raw).format,
                    layout: layout_name(&(*raw).ch_layout),
                }
            }
        }
    }
}

/// What filters rely on in the memory of all frames that they get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    format: i32,
    width: i32,
    height: i32,
    sample_rate: i32,
    channels: i32,
}

impl Layout {
    fn of(frame: &Frame) -> Self {
        // SAFETY: the frame is valid.
        unsafe {
            let raw = frame.as_ptr();
            Self {
                format: (*raw).format,
                width: (*raw).width,
                height: (*raw).height,
                sample_rate: (*raw).sample_rate,
                channels: (*raw).ch_layout.nb_channels,
            }
        }
    }
}

/// An input of a graph.
struct Source {
    context: filter::Context,
    layout: Layout,
}

impl Source {
    /// Gives it a frame; libav takes the frame's data.
    ///
    /// # Errors
    /// Where the frame has no data or another layout than those that the graph was made for, or
    /// a filter fails.
    fn add(&mut self, frame: &mut Frame) -> Result<()> {
        // SAFETY: the frame is valid.
        let is_empty = unsafe { frame.is_empty() };
        if is_empty || Layout::of(frame) != self.layout {
            return Err(Error::failed(
                "a frame is not what its filters were made for",
            ));
        }
        let added = self.context.source().add(frame);
        added.map_err(|error| failed("filter a frame", error))
    }
}

/// Properties of a frame that the linked version's graphs negotiate: a frame
/// leaves such a graph with the graph's properties, not with its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Negotiated {
    /// Matrix and range.
    colours: Option<(i32, i32)>,
    alpha_mode: Option<i32>,
}

impl Negotiated {
    fn of(frame: &Frame) -> Self {
        Self {
            colours: compat::graphs_negotiate_colours().then(|| {
                let Tags { matrix, range, .. } = Tags::of(frame);
                (matrix, range)
            }),
            alpha_mode: compat::alpha_mode(frame),
        }
    }

    /// The options of the filter `buffer` that describe them, each with a colon before it.
    fn options(self) -> String {
        let colours = self
            .colours
            .map(|(matrix, range)| format!(":colorspace={matrix}:range={range}"));
        let alpha = self.alpha_mode.map(|mode| format!(":alpha_mode={mode}"));
        colours.into_iter().chain(alpha).collect()
    }
}

impl Graph {
    /// A graph for frames like `first`, whose timestamps are in `time_base`.
    ///
    /// # Errors
    /// Where the description is wrong or does not fit the frames.
    pub fn new(
        first: &Frame,
        time_base: Rational,
        frame_rate: Rational,
        description: &str,
        threads: usize,
    ) -> Result<Self> {
        let video = matches!(Shape::of(first), Shape::Video { .. });
        let (source, sink) = if video {
            ("buffer", "buffersink")
        } else {
            ("abuffer", "abuffersink")
        };
        let arguments = if video {
            video_arguments(first, time_base, frame_rate)
        } else {
            audio_arguments(first, time_base)
        };
        let source = (source, arguments.as_str(), Layout::of(first));
        Self::build(Some(source), sink, description, threads)
    }

    /// A graph without input: `description` begins with a source such as `testsrc2`.
    ///
    /// # Errors
    /// Where the description is wrong.
    pub fn generator(description: &str, video: bool) -> Result<Self> {
        super::init();
        Self::build(
            None,
            if video { "buffersink" } else { "abuffersink" },
            description,
            1,
        )
    }

    /// A graph that compares pictures like `a` and `b` in pairs of equal pts.
    ///
    /// # Errors
    /// Where the filter is missing or the pictures cannot be compared.
    pub(super) fn comparison(a: &Frame, b: &Frame, filter: &str) -> Result<Self> {
        let (tick, none) = (Rational::new(1, 25), Rational::new(0, 1));
        let mut graph = Self::build(
            Some(("buffer", &video_arguments(a, tick, none), Layout::of(a))),
            "buffersink",
            &format!(
                "[in][other]{filter}[out];buffer={}[other]",
                video_arguments(b, tick, none)
            ),
            1,
        )?;
        let second = graph.graph.get("Parsed_buffer_1");
        graph.second = second.map(|context| Source {
            context,
            layout: Layout::of(b),
        });
        Ok(graph)
    }

    /// Gives the two inputs of a comparison a picture each.
    ///
    /// # Errors
    /// Where a filter fails.
    pub(super) fn push_pair(&mut self, a: &mut Frame, b: &mut Frame) -> Result<()> {
        self.push(a)?;
        match &mut self.second {
            Some(second) => second.add(b),
            None => Err(Error::failed("there is no second input to compare")),
        }
    }

    fn build(
        source: Option<(&str, &str, Layout)>,
        sink: &str,
        description: &str,
        threads: usize,
    ) -> Result<Self> {
        let wrong = |error| failed(&format!("build the filter '{description}'"), error);
        let mut graph = filter::Graph::new();
        // SAFETY: the graph is valid and not yet configured; libav copies and later frees the
        // string.
        unsafe {
            let raw = graph.as_mut_ptr();
            (*raw).nb_threads = threads.max(1) as i32;
            (*raw).scale_sws_opts = ffi::av_strdup(c"flags=bicubic".as_ptr());
        }
        let source = source
            .map(|(name, arguments, layout)| {
                let context = graph.add(&filter_named(name)?, "in", arguments);
                Ok::<_, Error>(Source {
                    context: context.map_err(wrong)?,
                    layout,
                })
            })
            .transpose()?;
        let sink = graph.add(&filter_named(sink)?, "out", "").map_err(wrong)?;
        let mut parser = filter::graph::Parser::new(&mut graph);
        if source.is_some() {
            parser = parser.output("in", 0).map_err(wrong)?;
        }
        parser
            .input("out", 0)
            .map_err(wrong)?
            .parse(description)
            .map_err(wrong)?;
        graph.validate().map_err(wrong)?;
        Ok(Self {
            graph,
            source,
            second: None,
            sink,
        })
    }

    /// Gives the graph a frame; the frame's data moves on, its properties are cleared.
    ///
    /// # Errors
    /// Where the frame has another size or format than those that the graph was made for, or a
    /// filter fails.
    pub fn push(&mut self, frame: &mut Frame) -> Result<()> {
        match &mut self.source {
            Some(source) => source.add(frame),
            None => Ok(()),
        }
    }

    /// Tells the graph that its input ended at `pts`, in the input's time base.
    ///
    /// # Errors
    /// Where a filter fails.
    pub fn close(&mut self, pts: i64) -> Result<()> {
        let Some(source) = &mut self.source else {
            return Ok(());
        };
        source
            .context
            .source()
            .close(pts)
            .map_err(|error| failed("end a filter", error))
    }

    /// The next filtered frame.
    ///
    /// # Errors
    /// Where a filter fails.
    pub fn pull(&mut self) -> Result<(Poll, Frame)> {
        let mut frame = empty_frame()?;
        let state = poll(self.sink.sink().frame(&mut frame), "filter a frame")?;
        Ok((state, frame))
    }

    /// The next filtered frame, where one is ready.
    ///
    /// # Errors
    /// Where a filter fails.
    pub fn ready(&mut self) -> Result<Option<Frame>> {
        let (state, frame) = self.pull()?;
        Ok((state == Poll::Ready).then_some(frame))
    }

    /// The graph's end, for what only libav's own functions tell.
    pub(super) fn sink(&self) -> *const ffi::AVFilterContext {
        // SAFETY: hands the pointer out; who uses it keeps the graph alive.
        unsafe { self.sink.as_ptr() }
    }

    /// Makes the output come in audio frames of exactly `samples`, but the last.
    pub fn set_frame_size(&mut self, samples: u32) {
        self.sink.sink().set_frame_size(samples);
    }

    /// Time base of the frames that come out.
    pub fn time_base(&mut self) -> Rational {
        self.sink.sink().time_base()
    }

    /// Frame rate of what comes out, or 25 where none is known, as the `ffmpeg` program assumes.
    pub fn frame_rate_or_25(&self) -> Rational {
        let rate = self.frame_rate();
        if rate.numerator() > 0 && rate.denominator() > 0 {
            rate
        } else {
            Rational::new(25, 1)
        }
    }

    /// Frame rate of what comes out; 0/1 where it varies.
    pub fn frame_rate(&self) -> Rational {
        // SAFETY: the sink belongs to a configured graph.
        unsafe { ffi::av_buffersink_get_frame_rate(self.sink.as_ptr()) }.into()
    }
}

fn filter_named(name: &str) -> Result<ffmpeg::Filter> {
    find(name).ok_or_else(|| Error::failed(format!("the linked FFmpeg has no filter '{name}'")))
}

fn video_arguments(first: &Frame, time_base: Rational, frame_rate: Rational) -> String {
    // SAFETY: the frame is valid.
    let aspect = unsafe { (*first.as_ptr()).sample_aspect_ratio };
    let aspect = match aspect.den {
        0 => Rational::new(0, 1),
        _ => Rational::from(aspect),
    };
    let layout = Layout::of(first);
    let mut arguments = format!(
        "video_size={}x{}:pix_fmt={}:time_base={}/{}:pixel_aspect={}/{}",
        layout.width,
        layout.height,
        layout.format,
        time_base.numerator(),
        time_base.denominator(),
        aspect.numerator(),
        aspect.denominator(),
    );
    if frame_rate.numerator() > 0 && frame_rate.denominator() > 0 {
        arguments.push_str(&format!(
            ":frame_rate={}/{}",
            frame_rate.numerator(),
            frame_rate.denominator()
        ));
    }
    arguments.push_str(&Negotiated::of(first).options());
    arguments
}

fn audio_arguments(first: &Frame, time_base: Rational) -> String {
    let Layout {
        format,
        sample_rate,
        channels,
        ..
    } = Layout::of(first);
    // SAFETY: the frame is valid; its layout is read only.
    let layout = unsafe {
        let layout = &raw const (*first.as_ptr()).ch_layout;
        let is_unknown = ffi::AVChannelOrder::AV_CHANNEL_ORDER_UNSPEC as i32;
        match number!((*layout).order) == is_unknown {
            true => format!("channels={channels}"),
            false => format!("channel_layout={}", layout_name(&*layout)),
        }
    };
    format!(
        "time_base={}/{}:sample_rate={sample_rate}:sample_fmt={format}:{layout}",
        time_base.numerator(),
        time_base.denominator(),
    )
}

/// A channel layout by libav's name, e.g. `stereo` or `2 channels`.
pub(super) fn layout_name(layout: &ffi::AVChannelLayout) -> String {
    let mut buffer = [0 as c_char; 128];
    // SAFETY: the layout is read only; the buffer's length is passed on, and
    // what libav writes ends in NUL; the buffer is all NUL where it writes nothing.
    unsafe {
        ffi::av_channel_layout_describe(layout, buffer.as_mut_ptr(), buffer.len());
        CStr::from_ptr(buffer.as_ptr())
            .to_string_lossy()
            .into_owned()
    }
}

/// Converts a timestamp between time bases, rounding to nearest as the `ffmpeg` program does.
pub(super) fn rescale(pts: i64, from: Rational, to: Rational) -> i64 {
    // SAFETY: a pure computation.
    unsafe { ffi::av_rescale_q(pts, from.into(), to.into()) }
}
