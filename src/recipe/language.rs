//! Languages of streams: which codes each container stores.

use super::Container;
use super::inventory::Treatment;

/// Languages that ISO 639-2 gives two codes: that of the English name, and that of its own.
const TWO_CODES: [[&str; 2]; 20] = [
    ["alb", "sqi"],
    ["arm", "hye"],
    ["baq", "eus"],
    ["bur", "mya"],
    ["chi", "zho"],
    ["cze", "ces"],
    ["dut", "nld"],
    ["fre", "fra"],
    ["geo", "kat"],
    ["ger", "deu"],
    ["gre", "ell"],
    ["ice", "isl"],
    ["mac", "mkd"],
    ["mao", "mri"],
    ["may", "msa"],
    ["per", "fas"],
    ["rum", "ron"],
    ["slo", "slk"],
    ["tib", "bod"],
    ["wel", "cym"],
];

/// The codes that FFmpeg's QuickTime muxer writes as Macintosh language numbers
/// (`mov_mdhd_language_map` in `libavformat/isom.c`, the same in 5.1 to 9.0).
const OF_QUICKTIME: [&str; 101] = [
    "eng", "fra", "ger", "ita", "dut", "sve", "spa", "dan", "por", "nor", "heb", "jpn", "ara",
    "fin", "gre", "ice", "mlt", "tur", "hr ", "chi", "urd", "hin", "tha", "kor", "lit", "pol",
    "hun", "est", "lav", "fo ", "per", "rus", "iri", "alb", "ron", "ces", "slk", "slv", "yid",
    "sr ", "mac", "bul", "ukr", "bel", "uzb", "kaz", "aze", "arm", "geo", "mol", "kir", "tgk",
    "tuk", "mon", "pus", "kur", "kas", "snd", "tib", "nep", "san", "mar", "ben", "asm", "guj",
    "pa ", "ori", "mal", "kan", "tam", "tel", "sin", "bur", "khm", "lao", "vie", "ind", "tgl",
    "may", "amh", "tir", "orm", "som", "swa", "kin", "run", "nya", "mlg", "epo", "wel", "baq",
    "cat", "lat", "que", "grn", "aym", "tat", "uig", "dzo", "jav", "smi",
];

/// What becomes of the language `code` of a stream.
pub(super) fn treatment(code: &str, container: Container) -> Treatment {
    let is_iso = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_lowercase());
    let lost = |stores: &str| {
        Treatment::Lost(format!(
            "{container} stores {stores}; --format mkv stores it"
        ))
    };
    match container {
        Container::Mkv | Container::Webm => Treatment::Kept,
        Container::Mp4 | Container::M4a if is_iso => Treatment::Kept,
        Container::Mp4 | Container::M4a => lost("languages of three letters"),
        Container::Mov if OF_QUICKTIME.contains(&code) => Treatment::Kept,
        Container::Mov => match other_code(code).filter(|other| OF_QUICKTIME.contains(other)) {
            Some(other) => Treatment::Instead(other.to_owned()),
            None => lost("QuickTime's list of languages"),
        },
    }
}

/// The other code of the same language.
fn other_code(code: &str) -> Option<&'static str> {
    let pair = TWO_CODES.iter().find(|pair| pair.contains(&code))?;
    pair.iter().copied().find(|other| *other != code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_that_a_container_does_not_store_is_lost_and_one_of_two_codes_is_not() {
        use Container::{Mkv, Mov, Mp4};
        let is_lost = |code, container| matches!(treatment(code, container), Treatment::Lost(_));
        assert_eq!(treatment("en-US", Mkv), Treatment::Kept);
        assert!(is_lost("en-US", Mp4) && is_lost("en", Mp4) && is_lost("ENG", Mp4));
        assert_eq!(treatment("fre", Mp4), Treatment::Kept);
        assert_eq!(treatment("fre", Mov), Treatment::Instead("fra".into()));
        assert_eq!(treatment("deu", Mov), Treatment::Instead("ger".into()));
        assert!(is_lost("haw", Mov));
    }
}
