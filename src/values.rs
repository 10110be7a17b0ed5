//! How durations, sizes, rates and lists are written.

use std::path::PathBuf;

use crate::dispatch::Split;
use crate::document;
use crate::error::Error;
use crate::job::Ratio;
use crate::recipe::{Grid, Size};

/// Seconds from `1.5`, `90s`, `250ms`, `5m`, `1:30` or `00:01:30.5`.
pub fn seconds(text: &str) -> Result<f64, String> {
    let wrong =
        || format!("'{text}' is no duration; write 1.5, 90s, 250ms, 5m, 1:30 or 00:01:30.5");
    let value = if text.contains(':') {
        clock(text)
    } else {
        with_unit(text)
    };
    value
        .filter(|seconds| seconds.is_finite() && *seconds >= 0.0 && *seconds < 1e9)
        .ok_or_else(wrong)
}

fn with_unit(text: &str) -> Option<f64> {
    for (unit, factor) in [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)] {
        if let Some(number) = text.strip_suffix(unit) {
            return decimal(number).map(|number| number * factor);
        }
    }
    decimal(text)
}

fn clock(text: &str) -> Option<f64> {
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 3 {
        return None;
    }
    parts.iter().try_fold(0.0, |sum, part| {
        decimal(part).map(|value| sum * 60.0 + value)
    })
}

/// A plain decimal number: no sign, no exponent, no `inf`.
fn decimal(text: &str) -> Option<f64> {
    let plain = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { text.parse().ok() } else { None }
}

/// A duration above 0, as an exact fraction of seconds.
pub fn positive_seconds(text: &str) -> Result<Ratio, String> {
    let value = seconds(text)?;
    let micros = (value * 1e6).round();
    if !(1000.0..=1e9).contains(&micros) {
        return Err(format!("'{text}' is not between 1 ms and 1000 s"));
    }
    Ok(reduced(micros as i64, 1_000_000))
}

/// Times of pictures, as they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Times {
    /// In milliseconds, ascending, each once.
    Given(Vec<u64>),
    /// In a file, one a line, or with commas between.
    File(PathBuf),
}

/// So many times are enough for anybody, and few enough to be held at once.
const MOST_TIMES: usize = 100_000;

/// Times from `3.2,0:10`, or the name of a file that holds them from `@times.txt`.
pub fn times(text: &str) -> Result<Times, String> {
    match text.strip_prefix('@') {
        Some(file) => Ok(Times::File(file.into())),
        None => list_of_times(text).map(Times::Given),
    }
}

fn list_of_times(text: &str) -> Result<Vec<u64>, String> {
    let words = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let words = words.flat_map(|line| line.split(',')).map(str::trim);
    let times = words
        .filter(|word| !word.is_empty())
        .map(|word| Ok((seconds(word)? * 1e3).round() as u64));
    let mut times = times.collect::<Result<Vec<u64>, String>>()?;
    times.sort_unstable();
    times.dedup();
    match times.len() {
        0 => Err("there is no time in it; write 3.2,0:10 or @times.txt".into()),
        1..=MOST_TIMES => Ok(times),
        more => Err(format!("{more} times are more than {MOST_TIMES}")),
    }
}

/// A million times are far smaller.
const MOST_BYTES: u64 = 64 << 20;

impl Times {
    /// The times in milliseconds, ascending, each once.
    ///
    /// # Errors
    /// Where a file cannot be read, or holds something else.
    pub fn resolve(self) -> crate::Result<Vec<u64>> {
        let file = match self {
            Self::Given(times) => return Ok(times),
            Self::File(file) => file,
        };
        let shown = file.display();
        let text = document::read_text(&file, MOST_BYTES).map_err(|error| {
            Error::usage(format!("--at @{shown}: cannot read the file of times")).because(error)
        })?;
        list_of_times(&text).map_err(|wrong| Error::usage(format!("--at @{shown}: {wrong}")))
    }
}

/// A number from 0 to 1.
pub fn share(text: &str) -> Result<f32, String> {
    decimal(text)
        .filter(|share| (0.0..=1.0).contains(share))
        .map(|share| share as f32)
        .ok_or_else(|| format!("'{text}' is no number from 0 to 1, such as 0.3"))
}

/// Columns and rows from `5x4`.
pub fn grid(text: &str) -> Result<Grid, String> {
    let side = |text: &str| text.parse().ok().filter(|side| (1..=100).contains(side));
    let grid = text.split_once('x').and_then(|(columns, rows)| {
        Some(Grid {
            columns: side(columns)?,
            rows: side(rows)?,
        })
    });
    grid.ok_or_else(|| format!("'{text}' is no grid; write it as 5x4, each from 1 to 100"))
}

fn reduced(num: i64, den: i64) -> Ratio {
    let (mut a, mut b) = (num, den);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    // The bounds of `positive_seconds` keep both within 32 bits.
    Ratio::new((num / a) as i32, (den / a) as i32)
}

/// Width and height from `1280x720`.
pub fn size(text: &str) -> Result<Size, String> {
    let wrong = || format!("'{text}' is no size; write it as 1280x720, each side from 2 to 16384");
    let (width, height) = text.split_once('x').ok_or_else(wrong)?;
    let side = |text: &str| {
        text.parse::<u32>()
            .ok()
            .filter(|side| (2..=16_384).contains(side))
            .ok_or_else(wrong)
    };
    Ok(Size {
        width: side(width)?,
        height: side(height)?,
    })
}

/// Frames a second from `30`, `23.976`, or `30000/1001`.
pub fn frame_rate(text: &str) -> Result<Ratio, String> {
    let wrong =
        || format!("'{text}' is no frame rate; write 25, 29.97 or 30000/1001, from 1 to 1000");
    let rate = match text.split_once('/') {
        Some((num, den)) => Ratio::new(
            num.parse().map_err(|_| wrong())?,
            den.parse().map_err(|_| wrong())?,
        ),
        None => named_rate(decimal(text).ok_or_else(wrong)?),
    };
    if rate.is_positive() && (1.0..=1000.0).contains(&rate.as_f64()) {
        Ok(rate)
    } else {
        Err(wrong())
    }
}

/// NTSC rates by their usual short names, others to a thousandth.
fn named_rate(rate: f64) -> Ratio {
    for whole in [24, 30, 48, 60, 120] {
        if (rate - f64::from(whole) * 1000.0 / 1001.0).abs() < 0.005 {
            return Ratio::new(whole * 1000, 1001);
        }
    }
    reduced((rate.min(1e6) * 1000.0).round().max(1.0) as i64, 1000)
}

/// Bits a second from `2M`, `128k` or `500000`.
pub fn bit_rate(text: &str) -> Result<u64, String> {
    let wrong = || format!("'{text}' is no bit rate; write 2M, 128k or 500000, from 1k to 1000M");
    let (number, factor) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 1e3),
        Some(b'M') => (&text[..text.len() - 1], 1e6),
        _ => (text, 1.0),
    };
    let bits = decimal(number).ok_or_else(wrong)? * factor;
    if (1e3..=1e9).contains(&bits) {
        Ok(bits.round() as u64)
    } else {
        Err(wrong())
    }
}

/// Bytes from `512MiB`, `2G` or `1000000`; units are powers of 1024.
pub fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("'{text}' is no size; write 512MiB, 2GiB or 1000000, at least 1MiB");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1_u64,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        _ => return Err(wrong()),
    };
    let bytes = decimal(digits.trim_end()).ok_or_else(wrong)? * factor as f64;
    if (1_048_576.0..=1e18).contains(&bytes) {
        Ok(bytes as u64)
    } else {
        Err(wrong())
    }
}

/// A limit of time, from 100 ms on.
pub fn limit_of_time(text: &str) -> Result<std::time::Duration, String> {
    let value = seconds(text)?;
    if value < 0.1 {
        return Err(format!("'{text}' is less than 100 ms"));
    }
    Ok(std::time::Duration::from_secs_f64(value))
}

/// Worker counts from `1-3`, `2` or `1,2,4-8`; each at least 1.
pub fn counts(text: &str) -> Result<Vec<usize>, String> {
    let most = most_jobs();
    let wrong =
        || format!("'{text}' is no list of counts from 1 to {most}; write 2, 1-3 or 1,2,4-8");
    let count = |text: &str| {
        text.parse::<usize>()
            .ok()
            .filter(|n| (1..=most).contains(n))
            .ok_or_else(wrong)
    };
    let mut list = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            Some((first, last)) => list.extend(count(first)?..=count(last)?),
            None => list.push(count(part)?),
        }
    }
    list.sort_unstable();
    list.dedup();
    if list.is_empty() {
        Err(wrong())
    } else {
        Ok(list)
    }
}

/// A number of jobs at once.
pub fn jobs(text: &str) -> Result<usize, String> {
    let most = most_jobs();
    match text.parse::<usize>() {
        Ok(jobs) if (1..=most).contains(&jobs) => Ok(jobs),
        _ => Err(format!(
            "'{text}' is not between 1 and {most}; this machine has {} cores, and more jobs than that only wait for each other",
            cores()
        )),
    }
}

/// How long a file must not have changed, from 0.2 s to a day.
pub fn settle(text: &str) -> Result<std::time::Duration, String> {
    let value = seconds(text).map_err(|error| {
        format!("{error}; a path after --watch wants --watch=5 before it, or comes first")
    })?;
    if (0.2..=86_400.0).contains(&value) {
        Ok(std::time::Duration::from_secs_f64(value))
    } else {
        Err(format!("'{text}' is not between 200 ms and 24 h"))
    }
}

/// `auto`, `never`, or the length of parts, from 0.5 s to a day.
pub fn split(text: &str) -> Result<Split, String> {
    match text {
        "auto" => return Ok(Split::Auto),
        "never" => return Ok(Split::Never),
        _ => {}
    }
    match seconds(text) {
        Ok(length_s) if (0.5..=86_400.0).contains(&length_s) => Ok(Split::Seconds(length_s)),
        Ok(_) => Err(format!("'{text}' is not between 500 ms and 24 h")),
        Err(_) => Err(format!(
            "'{text}' is neither auto nor never nor a length such as 10s"
        )),
    }
}

/// A pattern of file names, such as `*.mov` or `day1/**`.
pub fn glob(text: &str) -> Result<globset::Glob, String> {
    crate::plan::glob(text).map_err(|error| error.kind().to_string())
}

/// A share from `50` or `50%`, from 1 to 100.
pub fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim_end();
    match number.parse() {
        Ok(percent) if (1..=100).contains(&percent) => Ok(percent),
        _ => Err(format!(
            "'{text}' is no share; write 50 or 50%, from 1 to 100"
        )),
    }
}

/// Cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Jobs at once that are still sensible to ask for: far beyond the cores, but no fork bomb.
fn most_jobs() -> usize {
    cores() * 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_powers_of_1024() {
        for (text, size) in [
            ("1048576", 1 << 20),
            ("512MiB", 512 << 20),
            ("512M", 512 << 20),
            ("1.5GiB", 3 << 29),
            ("2 T", 2 << 40),
        ] {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        for text in ["", "MiB", "1", "-1G", "1PiB", "1e30", "nanG", "5Mbit"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_read_in_all_their_forms() {
        for (text, value) in [
            ("1.5", 1.5),
            ("90s", 90.0),
            ("250ms", 0.25),
            ("5m", 300.0),
            ("1:30", 90.0),
            ("00:01:30.5", 90.5),
        ] {
            assert_eq!(seconds(text), Ok(value), "{text}");
        }
        for text in ["", "x", "-1", "1e3", "inf", "NaN", "1:2:3:4", "1:", "s"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_are_exact() {
        assert_eq!(frame_rate("29.97"), Ok(Ratio::new(30_000, 1001)));
        assert_eq!(frame_rate("23.976"), Ok(Ratio::new(24_000, 1001)));
        assert_eq!(frame_rate("12.5"), Ok(Ratio::new(25, 2)));
        assert_eq!(frame_rate("30000/1001"), Ok(Ratio::new(30_000, 1001)));
        for text in ["0", "-5", "1/0", "5000", "x"] {
            assert!(frame_rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn counts_are_sorted_and_above_zero() {
        assert_eq!(counts("3,1-2,2"), Ok(vec![1, 2, 3]));
        for text in ["0", "", "1-", "-1", "0-3", "99999", "a"] {
            assert!(counts(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bit_rates_take_their_usual_units() {
        assert_eq!(bit_rate("2M"), Ok(2_000_000));
        assert_eq!(bit_rate("128k"), Ok(128_000));
        assert!(bit_rate("2G").is_err());
        assert!(bit_rate("0").is_err());
    }

    #[test]
    fn a_share_is_a_number_with_or_without_its_sign() {
        assert_eq!(percent("50"), Ok(50));
        assert_eq!(percent("100%"), Ok(100));
        for text in ["0", "101", "", "%", "-5", "1.5", "50%%"] {
            assert!(percent(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_picture_distance_is_an_exact_fraction() {
        assert_eq!(positive_seconds("1"), Ok(Ratio::new(1, 1)));
        assert_eq!(positive_seconds("0.5"), Ok(Ratio::new(1, 2)));
        assert!(positive_seconds("0").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_reader_panic(text in "\\PC*") {
            let _ = (seconds(&text), positive_seconds(&text), size(&text), frame_rate(&text), bit_rate(&text), counts(&text), jobs(&text));
        }
    }
}
