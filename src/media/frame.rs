//! Frames as memory: allocation, and pictures that the program draws itself.

use ffmpeg::{Frame, ffi};
use ffmpeg_next as ffmpeg;

use super::error::check;
use crate::error::{Error, Result};

/// A frame without data, to be filled by libav.
pub(super) fn empty_frame() -> Result<Frame> {
    // SAFETY: allocates; a null result is refused before use.
    unsafe {
        let frame = Frame::empty();
        if frame.as_ptr().is_null() {
            Err(Error::failed("out of memory for a frame"))
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

impl Picture {
    /// Copies 8-bit RGBA rows, `width × height × 4` bytes, straight alpha.
    ///
    /// # Errors
    /// Where the length does not fit the size, or memory is out.
    pub(super) fn from_rgba(width: u32, height: u32, rgba: &[u8]) -> Result<Self> {
        let row = width as usize * 4;
        if rgba.len() != row * height as usize {
            return Err(Error::failed(format!(
                "{} bytes are no {width}×{height} RGBA picture",
                rgba.len()
            )));
        }
        let mut picture = Self::allocate(width, height, ffi::AVPixelFormat::AV_PIX_FMT_RGBA)?;
        let (plane, stride) = picture.plane_mut(0, height as usize);
        for (to, from) in plane.chunks_exact_mut(stride).zip(rgba.chunks_exact(row)) {
            to[..row].copy_from_slice(from);
        }
        Ok(picture)
    }

    fn allocate(width: u32, height: u32, format: ffi::AVPixelFormat) -> Result<Self> {
        let mut frame = empty_frame()?;
        // SAFETY: the frame is valid and empty; libav allocates by its fields.
        unsafe {
            let raw = frame.as_mut_ptr();
            (*raw).width = width as i32;
            (*raw).height = height as i32;
            (*raw).format = format as i32;
            (*raw).sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
            check(ffi::av_frame_get_buffer(raw, 0), "allocate a picture")?;
        }
        Ok(Self(frame))
    }

    /// The frame, for a graph.
    fn into_frame(self) -> Frame {
        self.0
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

    /// `(1 − weight/256) · a + weight/256 · b`, plane by plane, for two planar
    /// 8-bit 4:2:0 pictures of one size; `weight` is 0 to 256.
    ///
    /// # Errors
    /// Where the pictures differ in size or format, or memory is out.
    pub fn blend(a: &Self, b: &Self, weight: u32) -> Result<Self> {
        let (width, height) = a.size();
        if a.size() != b.size()
            || a.format() != b.format()
            || a.format() != ffi::AVPixelFormat::AV_PIX_FMT_YUV420P as i32
        {
            return Err(Error::failed(
                "only 4:2:0 pictures of one size can be blended",
            ));
        }
        let mut result = Self::allocate(width, height, ffi::AVPixelFormat::AV_PIX_FMT_YUV420P)?;
        // SAFETY: copies timestamps and colour tags between two valid frames.
        check(
            unsafe { ffi::av_frame_copy_props(result.0.as_mut_ptr(), a.0.as_ptr()) },
            "copy a frame's tags",
        )?;
        let weight = weight.min(256) as u16;
        for plane in 0..3 {
            let rows = if plane == 0 {
                height as usize
            } else {
                height.div_ceil(2) as usize
            };
            let columns = if plane == 0 {
                width as usize
            } else {
                width.div_ceil(2) as usize
            };
            let (from, from_stride) = a.plane(plane, rows);
            let (to, to_stride) = b.plane(plane, rows);
            let (out, out_stride) = result.plane_mut(plane, rows);
            let rows_in = from
                .chunks_exact(from_stride)
                .zip(to.chunks_exact(to_stride));
            for (out, (from, to)) in out.chunks_exact_mut(out_stride).zip(rows_in) {
                for ((out, from), to) in out[..columns]
                    .iter_mut()
                    .zip(&from[..columns])
                    .zip(&to[..columns])
                {
                    *out = ((u16::from(*from) * (256 - weight) + u16::from(*to) * weight + 128)
                        >> 8) as u8;
                }
            }
        }
        Ok(result)
    }

    fn size(&self) -> (u32, u32) {
        // SAFETY: the frame is valid.
        unsafe {
            (
                (*self.0.as_ptr()).width as u32,
                (*self.0.as_ptr()).height as u32,
            )
        }
    }

    fn format(&self) -> i32 {
        // SAFETY: the frame is valid.
        unsafe { (*self.0.as_ptr()).format }
    }

    /// A plane's rows as one slice, and its stride in bytes.
    fn plane(&self, index: usize, rows: usize) -> (&[u8], usize) {
        // SAFETY: libav allocated `linesize` bytes for each of the plane's rows.
        unsafe {
            let stride = (*self.0.as_ptr()).linesize[index].max(0) as usize;
            (
                std::slice::from_raw_parts((*self.0.as_ptr()).data[index], stride * rows),
                stride,
            )
        }
    }

    fn plane_mut(&mut self, index: usize, rows: usize) -> (&mut [u8], usize) {
        // SAFETY: as in `plane`; the buffer was just allocated and has no other reference.
        unsafe {
            let stride = (*self.0.as_ptr()).linesize[index].max(0) as usize;
            (
                std::slice::from_raw_parts_mut((*self.0.as_mut_ptr()).data[index], stride * rows),
                stride,
            )
        }
    }
}

/// The bytes of an 8-bit gray picture, row by row.
///
/// # Errors
/// Where it is none.
pub(super) fn gray_rows(frame: &Frame) -> Result<Vec<u8>> {
    // SAFETY: the frame is valid; libav allocated `linesize` bytes for each row,
    // of which the first `width` are pixels.
    unsafe {
        let raw = &*frame.as_ptr();
        let is_gray = raw.format == ffi::AVPixelFormat::AV_PIX_FMT_GRAY8 as i32;
        if !is_gray || raw.data[0].is_null() || raw.linesize[0] < raw.width {
            return Err(Error::failed("a picture is not gray"));
        }
        let (stride, width) = (raw.linesize[0] as usize, raw.width.max(0) as usize);
        let rows = (0..raw.height.max(0) as usize)
            .map(|row| std::slice::from_raw_parts(raw.data[0].add(row * stride), width));
        Ok(rows.flatten().copied().collect())
    }
}

/// A drawn picture as film frame: 8-bit straight RGBA to 4:2:0, bt709, limited range.
///
/// # Errors
/// Where the bytes do not fit the size (which must be even), or memory is out.
pub fn still(width: u32, height: u32, rgba: &[u8]) -> Result<Picture> {
    const TO_FILM: &str = "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int,\
        format=yuv420p,setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709";
    super::init();
    let mut drawn = Picture::from_rgba(width, height, rgba)?.into_frame();
    drawn.set_pts(Some(0));
    let second = ffmpeg::Rational::new(1, 1);
    let mut graph = super::Graph::new(&drawn, second, second, TO_FILM, 1)?;
    graph.push(&drawn)?;
    let (_, frame) = graph.pull()?;
    // SAFETY: the frame is valid; without data it is refused.
    if unsafe { frame.is_empty() } {
        return Err(Error::failed("a picture could not be converted"));
    }
    Ok(Picture(frame))
}
