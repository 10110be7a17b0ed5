//! Numbers as people read them.

use crate::terminal::shown;

/// `4.2 s`, `1:23`, `1:02:03`.
pub fn duration(seconds: f64) -> String {
    // The sum of nothing is −0.
    let seconds = seconds + 0.0;
    if !seconds.is_finite() || seconds < 0.0 {
        return "?".into();
    }
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    clock(seconds)
}

/// `0:04`, `1:23`, `1:02:03`.
pub fn clock(seconds: f64) -> String {
    clock_to(seconds, 0)
}

/// `0:04.2`: a clock with so many decimals, at most 9.
pub fn clock_to(seconds: f64, decimals: u8) -> String {
    let decimals = usize::from(decimals.min(9));
    let second = 10_u64.pow(decimals as u32);
    // Rounded once and as a whole, so that 59.96 is 1:00.0 and not 0:60.0.
    let ticks = (seconds * second as f64).round() as u64;
    let (whole, rest) = (ticks / second, ticks % second);
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    let mut text = if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    };
    if decimals > 0 {
        text.push_str(&format!(".{rest:0decimals$}"));
    }
    text
}

/// `25 fps`, `29.97 fps`, `23.976 fps`.
pub fn frame_rate(per_second: f64) -> String {
    let number = format!("{per_second:.3}");
    format!("{} fps", number.trim_end_matches('0').trim_end_matches('.'))
}

/// `H.264`, `AAC`: a codec as people write it, by libav's name.
pub fn codec(name: &str) -> String {
    let known = match name {
        "h263" => "H.263",
        "h264" => "H.264",
        "hevc" => "H.265",
        "vvc" => "H.266",
        "mpeg1video" => "MPEG-1",
        "mpeg2video" => "MPEG-2",
        "mpeg4" => "MPEG-4",
        "prores" => "ProRes",
        "theora" => "Theora",
        "opus" => "Opus",
        "vorbis" => "Vorbis",
        "ac3" => "AC-3",
        "eac3" => "E-AC-3",
        pcm if pcm.starts_with("pcm_") => "PCM",
        other => return other.to_uppercase(),
    };
    known.to_owned()
}

/// `512 B`, `3.4 MiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (count as f64, 0);
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{count} B")
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

/// `3.4 MiB → 512 B`.
pub fn shrunk(bytes_in: u64, bytes_out: u64) -> String {
    format!("{} → {}", bytes(bytes_in), bytes(bytes_out))
}

/// `−12 %`, `+3 %`, `±0 %`: how a size changed by a factor.
pub fn change(factor: f64) -> String {
    let percent = (factor - 1.0) * 100.0;
    match percent.round() {
        0.0 => "±0 %".into(),
        less if less < 0.0 => format!("−{:.0} %", -less),
        more => format!("+{more:.0} %"),
    }
}

/// `4.2 × real time`; nothing where there is nothing to tell.
pub fn times_real_time(media_s: f64, took_s: f64) -> Option<String> {
    (media_s > 0.0 && took_s > 0.0).then(|| format!("{} real time", times(media_s / took_s)))
}

/// `4.2 ×`, `130 ×`.
pub fn times(factor: f64) -> String {
    if factor < 99.95 {
        format!("{factor:.1} ×")
    } else {
        format!("{factor:.0} ×")
    }
}

/// `name` in at most `columns` of a terminal, in one line: cut in the middle,
/// since beginnings and endings tell names apart.
pub fn fit(name: &str, columns: usize) -> String {
    let name = shown(name);
    if console::measure_text_width(&name) <= columns {
        return name;
    }
    let kept = columns.saturating_sub(1);
    let front: String = within(name.chars(), kept / 2).collect();
    let back: Vec<char> = within(name.chars().rev(), kept - kept / 2).collect();
    let back: String = back.into_iter().rev().collect();
    format!("{front}…{back}")
}

/// The first of `chars` that fit `columns`.
fn within(chars: impl Iterator<Item = char>, columns: usize) -> impl Iterator<Item = char> {
    let width = |c: char| console::measure_text_width(c.encode_utf8(&mut [0; 4]));
    chars
        .scan(0, move |used, c| {
            *used += width(c);
            Some((*used, c))
        })
        .take_while(move |(used, _)| *used <= columns)
        .map(|(_, c)| c)
}

/// `1 job`, `2 jobs`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(duration(4.23), "4.2 s");
        let nothing: f64 = [].iter().sum();
        assert_eq!(duration(nothing), "0.0 s");
        assert_eq!(duration(83.0), "1:23");
        assert_eq!(duration(3723.0), "1:02:03");
        assert_eq!(duration(f64::NAN), "?");
        assert_eq!(clock(4.4), "0:04");
        assert_eq!(clock_to(4.24, 1), "0:04.2");
        assert_eq!(clock_to(59.96, 1), "1:00.0");
        assert_eq!(clock_to(3723.0071, 3), "1:02:03.007");
        assert_eq!(frame_rate(25.0), "25 fps");
        assert_eq!(frame_rate(30000.0 / 1001.0), "29.97 fps");
        assert_eq!(frame_rate(24000.0 / 1001.0), "23.976 fps");
        assert_eq!(frame_rate(120.0), "120 fps");
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(3_565_158), "3.4 MiB");
        assert_eq!(shrunk(3_565_158, 512), "3.4 MiB → 512 B");
        assert_eq!(change(0.83), "−17 %");
        assert_eq!(change(0.9995), "±0 %");
        assert_eq!(change(1.284), "+28 %");
        assert_eq!(times_real_time(8.4, 2.0).unwrap(), "4.2 × real time");
        assert_eq!(times_real_time(8.4, 0.0), None);
        assert_eq!(times(99.99), "100 ×");
        assert_eq!(count(1, "job"), "1 job");
        assert_eq!(count(0, "job"), "0 jobs");
    }

    #[test]
    fn no_time_is_too_strange_for_a_clock() {
        for seconds in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
            assert!(clock_to(seconds, u8::MAX).contains(':'), "{seconds}");
        }
    }

    #[test]
    fn codecs_have_the_names_that_people_use() {
        assert_eq!(codec("h264"), "H.264");
        assert_eq!(codec("pcm_s16le"), "PCM");
        assert_eq!(codec("vp9"), "VP9");
        assert_eq!(codec("aac"), "AAC");
    }

    #[test]
    fn a_long_name_keeps_its_beginning_and_its_ending() {
        assert_eq!(fit("short.mp4", 9), "short.mp4");
        assert_eq!(fit("day1/card-a/clip-0001.mov", 13), "day1/c…01.mov");
        assert_eq!(fit("長い名前.mp4", 9), "長い….mp4");
    }
}
