//! Frames as memory: allocation, and pictures that the program draws itself.

use ffmpeg::{Frame, ffi};
use ffmpeg_next as ffmpeg;

use super::error::check;
use super::number::pixel_format;
use crate::error::{Error, Result};

/// A frame without data, to be filled by libav.
pub(super) fn empty_frame() -> Result<Frame> {
    // SAFETY: allocates; a null result is refused before use.
    unsafe {
        let frame = Frame::empty();
        if frame.as_ptr().is_null() {
            Err(Error::out_of_memory("allocate a frame"))
        } else {
            Ok(frame)
        }
    }
}

/// Another reference to the same data.
pub(super) fn same_frame(frame: &Frame) -> Result<Frame> {
    let mut copy = empty_frame()?;
    // SAFETY: both frames are valid; the data is reference-counted.
    check(
        unsafe { ffi::av_frame_ref(copy.as_mut_ptr(), frame.as_ptr()) },
        "share a frame",
    )?;
    Ok(copy)
}

/// A picture that the program drew, ready for a filter graph or an encoder.
pub struct Picture(Frame);

/// Rows begin where it suits the processor.
const USUAL: i32 = 0;

impl Picture {
    /// Copies 8-bit RGBA rows, `width × height × 4` bytes, straight alpha.
    ///
    /// # Errors
    /// Where the length does not fit the size, or memory is out.
    pub(super) fn from_rgba(width: u32, height: u32, rgba: &[u8]) -> Result<Self> {
        let format = ffi::AVPixelFormat::AV_PIX_FMT_RGBA;
        let row = width as usize * 4;
        if row == 0 || rgba.len() != row * height as usize {
            return Err(Error::failed(format!(
                "{} bytes are no picture of {width}×{height} pixels",
                rgba.len()
            )));
        }
        let mut picture = Self::allocate(width, height, format)?;
        let (plane, stride) = picture.plane_mut(0, height as usize);
        for (to, from) in plane.chunks_exact_mut(stride).zip(rgba.chunks_exact(row)) {
            to[..row].copy_from_slice(from);
        }
        Ok(picture)
    }

    /// 8-bit RGB, black, whose rows follow each other without gaps.
    ///
    /// # Errors
    /// Where memory is out.
    pub(super) fn packed_rgb(width: u32, height: u32) -> Result<Self> {
        let format = ffi::AVPixelFormat::AV_PIX_FMT_RGB24 as i32;
        Self::allocate_as((width, height), format, 1)
    }

    pub(super) fn allocate(width: u32, height: u32, format: ffi::AVPixelFormat) -> Result<Self> {
        Self::allocate_as((width, height), format as i32, USUAL)
    }

    /// Its rows begin at multiples of `align` bytes.
    fn allocate_as((width, height): (u32, u32), format: i32, align: i32) -> Result<Self> {
        let [width, height] = [width, height].map(|side| i32::try_from(side).unwrap_or(i32::MAX));
        let mut frame = empty_frame()?;
        // SAFETY: the frame is valid and empty; libav allocates by its fields, and refuses sizes
        // that no memory holds. Each buffer holds as many bytes as it says, and is this frame's
        // alone; rows have gaps between them, which nobody may read before they are written to.
        unsafe {
            let raw = frame.as_mut_ptr();
            (*raw).width = width;
            (*raw).height = height;
            (*raw).format = format;
            (*raw).sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
            check(ffi::av_frame_get_buffer(raw, align), "allocate a picture")?;
            for buffer in (*raw).buf {
                if !buffer.is_null() {
                    std::ptr::write_bytes((*buffer).data, 0, (*buffer).size);
                }
            }
        }
        Ok(Self(frame))
    }

    /// Of a frame of libav's. One that is cropped does not begin where its memory
    /// does, and one that is flipped counts its rows backwards: those are copied.
    fn of(frame: Frame) -> Result<Self> {
        let picture = Self(frame);
        if picture.is_whole() {
            return Ok(picture);
        }
        let mut copy = Self::allocate_as(picture.size(), picture.format(), USUAL)?;
        // SAFETY: both frames are valid and have one size and format; libav copies
        // rows and properties.
        unsafe {
            let (to, from) = (copy.0.as_mut_ptr(), picture.0.as_ptr());
            check(ffi::av_frame_copy(to, from), "copy a picture")?;
            check(ffi::av_frame_copy_props(to, from), "copy a frame's tags")?;
        }
        Ok(copy)
    }

    /// One with the data of `frame`, which is not changed.
    ///
    /// # Errors
    /// Where memory is out.
    pub(super) fn of_data_of(frame: &Frame) -> Result<Self> {
        Self::of(same_frame(frame)?)
    }

    /// Whether all rows of all its planes are within the planes' memory.
    fn is_whole(&self) -> bool {
        let (_, height) = self.size();
        let halvings = pixel_format(self.format()).map_or(0, |format| format.log2_chroma_h);
        (0..4).all(|index| {
            let rows = match index {
                1 | 2 => height.div_ceil(1 << halvings),
                _ => height,
            } as usize;
            // SAFETY: the frame is valid.
            let is_there = unsafe { !(*self.0.as_ptr()).data[index].is_null() };
            !is_there || self.rows(index, rows).is_some()
        })
    }

    /// Where a plane's rows begin, and its stride in bytes, where so many rows
    /// are within the plane's memory.
    fn rows(&self, index: usize, rows: usize) -> Option<(*mut u8, usize)> {
        // SAFETY: the frame is valid; libav looks for the buffer that the plane
        // begins in, and nothing but addresses is computed with.
        unsafe {
            let raw = self.0.as_ptr();
            let data = *(*raw).data.get(index)?;
            let stride = usize::try_from((*raw).linesize[index]).ok()?;
            let buffer = ffi::av_frame_get_plane_buffer(raw.cast_mut(), index as i32).as_ref()?;
            let begin = (data as usize).checked_sub(buffer.data as usize)?;
            let end = begin.checked_add(stride.checked_mul(rows)?)?;
            (stride > 0 && end <= buffer.size).then_some((data, stride))
        }
    }

    /// The frame, for a graph.
    fn into_frame(self) -> Frame {
        self.0
    }

    /// An empty 4:2:0 picture of the size and tags of this one.
    pub(super) fn like(&self) -> Result<Self> {
        self.like_sized(self.size())
    }

    /// The same in another size.
    pub(super) fn like_sized(&self, (width, height): (u32, u32)) -> Result<Self> {
        let mut other = Self::allocate(width, height, ffi::AVPixelFormat::AV_PIX_FMT_YUV420P)?;
        // SAFETY: copies timestamps and colour tags between two valid frames.
        check(
            unsafe { ffi::av_frame_copy_props(other.0.as_mut_ptr(), self.0.as_ptr()) },
            "copy a frame's tags",
        )?;
        Ok(other)
    }

    /// Makes the pixels this picture's alone, so that they can be changed.
    pub(super) fn make_writable(&mut self) -> Result<()> {
        // SAFETY: the frame is valid and holds data.
        check(
            unsafe { ffi::av_frame_make_writable(self.0.as_mut_ptr()) },
            "copy a picture",
        )
        .map(drop)
    }

    /// Another reference to the same picture.
    ///
    /// # Errors
    /// Where memory is out.
    pub fn share(&self) -> Result<Self> {
        same_frame(&self.0).map(Self)
    }

    /// Another reference to the same picture, with `pts` in the caller's time base.
    ///
    /// # Errors
    /// Where memory is out.
    pub fn at(&self, pts: i64) -> Result<Frame> {
        let mut frame = same_frame(&self.0)?;
        frame.set_pts(Some(pts));
        Ok(frame)
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        // SAFETY: the frame is valid.
        let (width, height) = unsafe { ((*self.0.as_ptr()).width, (*self.0.as_ptr()).height) };
        (width.max(0) as u32, height.max(0) as u32)
    }

    pub(super) fn format(&self) -> i32 {
        // SAFETY: the frame is valid.
        unsafe { (*self.0.as_ptr()).format }
    }

    /// A plane's rows as one slice, and its stride in bytes; no rows where the
    /// plane has not so many.
    pub(super) fn plane(&self, index: usize, rows: usize) -> (&[u8], usize) {
        match self.rows(index, rows) {
            // SAFETY: `rows` saw that so many bytes are there; they live as long as the frame.
            Some((data, stride)) => unsafe {
                (std::slice::from_raw_parts(data, stride * rows), stride)
            },
            None => (&[], 1),
        }
    }

    /// As [`Picture::plane`]; no rows, too, where another picture has the same data:
    /// [`Picture::make_writable`] ends that.
    pub(super) fn plane_mut(&mut self, index: usize, rows: usize) -> (&mut [u8], usize) {
        // SAFETY: the frame is valid, and this value's alone.
        let is_own = unsafe { ffi::av_frame_is_writable(self.0.as_mut_ptr()) } > 0;
        match self.rows(index, rows).filter(|_| is_own) {
            // SAFETY: as in `plane`; nobody else has the buffer, and `&mut` keeps it so.
            Some((data, stride)) => unsafe {
                (std::slice::from_raw_parts_mut(data, stride * rows), stride)
            },
            None => (&mut [], 1),
        }
    }
}

/// The bytes of an 8-bit gray picture, row by row.
///
/// # Errors
/// Where it is none.
pub(super) fn gray_rows(frame: &Frame) -> Result<Vec<u8>> {
    let picture = Picture::of_data_of(frame)?;
    let (width, height) = picture.size();
    let (rows, stride) = picture.plane(0, height as usize);
    let is_gray = picture.format() == ffi::AVPixelFormat::AV_PIX_FMT_GRAY8 as i32;
    if !is_gray || rows.is_empty() || stride < width as usize {
        return Err(Error::failed("a picture is not gray"));
    }
    let rows = rows.chunks_exact(stride);
    Ok(rows
        .flat_map(|row| &row[..width as usize])
        .copied()
        .collect())
}

/// A drawn picture as film frame: 8-bit straight RGBA to 4:2:0, bt709, limited range.
///
/// # Errors
/// Where the bytes do not fit the size (which must be even), or memory is out.
pub fn still(width: u32, height: u32, rgba: &[u8]) -> Result<Picture> {
    super::init();
    let to_film = to_film("", "bicubic", "yuv420p");
    Picture::from_rgba(width, height, rgba)?.filtered(&to_film)
}

/// The filters that make a film's pixels of RGB, scaled to `size` (`W:H:`) where it is not empty.
pub(super) fn to_film(size: &str, scaler: &str, format: &str) -> String {
    format!(
        "scale={size}out_color_matrix=bt709:out_range=tv:\
         flags={scaler}+accurate_rnd+full_chroma_inp+full_chroma_int,format={format},\
         setsar=1,setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
    )
}

impl Picture {
    /// What the filters of `description` make of this picture.
    ///
    /// # Errors
    /// Where they are wrong or give nothing, or memory is out.
    pub(crate) fn filtered(self, description: &str) -> Result<Self> {
        let mut frame = self.into_frame();
        frame.set_pts(Some(0));
        let second = ffmpeg::Rational::new(1, 1);
        let mut graph = super::Graph::new(&frame, second, second, description, 1)?;
        graph.push(&mut frame)?;
        // Its memory goes as soon as the filters are done with it.
        drop(frame);
        graph.close(1)?;
        let (_, frame) = graph.pull()?;
        // SAFETY: the frame is valid; without data it is refused.
        if unsafe { frame.is_empty() } {
            return Err(Error::failed("a picture could not be converted"));
        }
        Self::of(frame)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;

    /// A picture whose rows count from 0.
    fn steps() -> Picture {
        super::super::init();
        let format = ffi::AVPixelFormat::AV_PIX_FMT_GRAY8;
        let mut picture = Picture::allocate(64, 16, format).unwrap();
        let (rows, stride) = picture.plane_mut(0, 16);
        for (number, row) in rows.chunks_exact_mut(stride).enumerate() {
            row.fill(number as u8);
        }
        picture
    }

    #[test]
    fn pixels_that_another_picture_has_too_cannot_be_changed_before_they_are_copied() {
        let mut picture = steps();
        let other = picture.share().unwrap();
        assert!(picture.plane_mut(0, 16).0.is_empty());
        picture.make_writable().unwrap();
        picture.plane_mut(0, 16).0.fill(77);
        assert_eq!(rows(&picture, 2), [77, 77]);
        assert_eq!(rows(&other, 2), [0, 1]);
    }

    #[test]
    fn filters_and_encoders_refuse_frames_of_another_size_or_without_data() {
        super::super::init();
        let small = steps().at(0).unwrap();
        let format = ffi::AVPixelFormat::AV_PIX_FMT_GRAY8;
        let mut large = Picture::allocate(640, 160, format).unwrap().at(0).unwrap();
        let tick = ffmpeg::Rational::new(1, 25);
        let mut graph = super::super::Graph::new(&small, tick, tick, "hflip", 1).unwrap();
        assert!(graph.push(&mut large).is_err());
        assert!(graph.push(&mut empty_frame().unwrap()).is_err());
        graph.push(&mut same_frame(&small).unwrap()).unwrap();
        let spec = crate::recipe::EncoderSpec {
            name: "rawvideo".into(),
            options: Default::default(),
            qscale: None,
            width: None,
        };
        let timing = super::super::VideoTiming {
            time_base: tick,
            frame_rate: tick.invert(),
        };
        let setup = super::super::Setup::default();
        let mut encoder = super::super::Encoder::video(&spec, &large, timing, setup).unwrap();
        for mut other in [small, empty_frame().unwrap()] {
            assert!(encoder.encode(Some(&mut other), |_| Ok(())).is_err());
        }
        encoder.encode(Some(&mut large), |_| Ok(())).unwrap();
    }

    fn rows(picture: &Picture, count: usize) -> Vec<u8> {
        let (rows, stride) = picture.plane(0, count);
        rows.chunks_exact(stride).map(|row| row[0]).collect()
    }

    #[test]
    fn a_cropped_picture_has_its_own_rows_and_no_more() {
        let picture = steps().filtered("crop=64:4:0:12").unwrap();
        assert_eq!(rows(&picture, 4), [12, 13, 14, 15]);
        assert!(picture.is_whole());
    }

    #[test]
    fn a_picture_that_counts_its_rows_backwards_is_read_in_their_order() {
        let picture = steps().filtered("vflip").unwrap();
        assert_eq!(rows(&picture, 16), (0..16).rev().collect::<Vec<u8>>());
    }

    #[test]
    fn rows_beyond_a_plane_and_planes_that_are_not_there_are_none() {
        let picture = steps();
        assert!(picture.plane(0, 1000).0.is_empty());
        assert!(picture.plane(1, 1).0.is_empty());
        assert!(picture.plane(9, 1).0.is_empty());
    }
}
