//! What a hostile worker says instead of the truth.

use fastrand::Rng;
use serde_json::{Value, json};

/// What is done instead of sending an answer as it is.
pub enum Lie {
    /// These bytes are sent.
    Say(Vec<u8>),
    /// These are sent on stderr, and then the answer.
    Mutter(Vec<u8>),
    /// These are sent again and again, until nobody listens.
    Repeat(Vec<u8>),
    /// Nothing is sent any more.
    FallSilent,
    /// The worker ends.
    End,
}

/// A lie in place of `line`, which is a whole answer.
pub fn lie(line: &[u8], random: &mut Rng) -> Lie {
    match random.usize(0..100) {
        0..60 => Lie::Say(changed(line, random)),
        60..80 => Lie::Say(bytes(&other(random))),
        80..84 => Lie::Say(garbage(random)),
        84..87 => Lie::Say(torn(line, random)),
        87..90 => Lie::Say([line, line].concat()),
        90..93 => Lie::Repeat(bytes(&asked(random))),
        93..95 => Lie::Repeat(bytes(&json!("alive"))),
        95..96 => Lie::Repeat(b"x".repeat(1 << 16)),
        96..98 => Lie::Mutter(b"\x1f\nfalse [mov @ 0x1]\n\x1e\n".repeat(1 << 20)),
        98..99 => Lie::FallSilent,
        _ => Lie::End,
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    let mut line = value.to_string().into_bytes();
    line.push(b'\n');
    line
}

/// The answer with one of its values changed.
fn changed(line: &[u8], random: &mut Rng) -> Vec<u8> {
    let Ok(mut answer) = serde_json::from_slice::<Value>(line) else {
        return line.to_vec();
    };
    // Deeper values are many, and the ones that matter.
    for _ in 0..random.usize(1..4) {
        let count = count(&answer);
        let chosen = random.usize(0..count);
        if let Some(place) = nth(&mut answer, &mut { chosen }) {
            *place = nasty(place, random);
        }
    }
    bytes(&answer)
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(count).sum(),
        Value::Object(values) => values.values().map(count).sum(),
        _ => 0,
    }
}

/// The value of that number, counted depth first.
fn nth<'a>(value: &'a mut Value, number: &mut usize) -> Option<&'a mut Value> {
    if *number == 0 {
        return Some(value);
    }
    *number -= 1;
    match value {
        Value::Array(values) => values.iter_mut().find_map(|one| nth(one, number)),
        Value::Object(values) => values.values_mut().find_map(|one| nth(one, number)),
        _ => None,
    }
}

/// A value of the same type, mostly, that nobody expects.
fn nasty(value: &Value, random: &mut Rng) -> Value {
    if random.u8(0..10) == 0 {
        return any(random);
    }
    match value {
        Value::Number(_) => number(random),
        Value::String(_) => text(random),
        Value::Bool(is) => json!(!is),
        Value::Array(values) => {
            let first = values.first().cloned().unwrap_or_else(|| any(random));
            let lengths = [0, 1, 2, 100, 100_000];
            let length = lengths[random.usize(0..lengths.len())];
            Value::Array(vec![first; length])
        }
        Value::Object(values) => {
            let mut values = values.clone();
            let names: Vec<String> = values.keys().cloned().collect();
            if !names.is_empty() {
                values.remove(&names[random.usize(0..names.len())]);
            }
            Value::Object(values)
        }
        Value::Null => any(random),
    }
}

fn any(random: &mut Rng) -> Value {
    match random.u8(0..5) {
        0 => Value::Null,
        1 => number(random),
        2 => text(random),
        3 => json!([number(random), text(random)]),
        _ => json!({"Video": number(random)}),
    }
}

fn number(random: &mut Rng) -> Value {
    let numbers = [
        json!(0),
        json!(1),
        json!(-1),
        json!(7),
        json!(65_536),
        json!(i32::MAX),
        json!(i32::MIN),
        json!(u32::MAX),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e18),
        json!(-1e300),
        json!(1e308),
        json!(1e-308),
        json!(random.u32(0..10_000)),
    ];
    numbers[random.usize(0..numbers.len())].clone()
}

fn text(random: &mut Rng) -> Value {
    let long = "x".repeat(1 << random.u32(0..20));
    let texts = [
        "",
        "h264",
        "..",
        "/etc/passwd",
        "../../outside/secret",
        "movie=/etc/passwd",
        "hflip,movie=outside/secret[a];[a]",
        "yuv420p:flags=accurate",
        "'; touch outside/made; '",
        "-y\0-f",
        "\u{1b}]0;title\u{7}\u{1b}[2J",
        "%s%n%99999d",
        "interrupted",
        "usage",
        "mov,mp4,m4a,3gp,3g2,mj2",
        "smpte2084",
        &long,
    ];
    json!(texts[random.usize(0..texts.len())])
}

/// An answer to another question.
fn other(random: &mut Rng) -> Value {
    let kinds = ["usage", "failed", "unreadable", "interrupted", "nonsense"];
    let kind = kinds[random.usize(0..kinds.len())];
    match random.u8(0..13) {
        0 => json!({"done": "started"}),
        1 => json!({"done": "written"}),
        2 => {
            let ran = json!({"frames": [number(random)], "media_s": number(random), "damaged": [],
                "survey": null, "log": [], "pictures": [number(random)]});
            json!({"done": {"ran": ran}})
        }
        3 => {
            let checked = json!({"frames": number(random), "salvaged": false, "warnings": [],
                "lost": [], "ssim": null});
            json!({"done": {"checked": checked}})
        }
        4 => json!({"done": {"digest": 7}}),
        5 => json!({"done": {"decoded": text(random)}}),
        6 => json!({"done": {"dead_streams": [0, number(random)]}}),
        7 => json!({"done": {"likeness": number(random)}}),
        8 => json!({"done": {"best": number(random)}}),
        9 => {
            let progress = json!({"frames": number(random), "position_s": number(random),
                "bytes": number(random)});
            json!({"progress": progress})
        }
        10 => json!({"hello": {"version": 2, "files": true, "calls": false}}),
        11 => json!({"hello": {"version": number(random), "files": true, "calls": true}}),
        _ => {
            let error = json!({"kind": kind, "message": text(random), "cure": text(random)});
            json!({"failed": {"error": error, "log": [text(random)]}})
        }
    }
}

/// A request for a file that is none of the task's.
fn asked(random: &mut Rng) -> Value {
    let paths: [&[u8]; 5] = [
        b"/etc/passwd",
        b"outside/secret",
        b"out/../outside/secret",
        b"out/made",
        b"/proc/self/mem",
    ];
    let path = paths[random.usize(0..paths.len())];
    let ways = ["read", "write", "checkpoint"];
    let access = ways[random.usize(0..ways.len())];
    json!({"open": {"path": {"Unix": path}, "access": access}})
}

fn garbage(random: &mut Rng) -> Vec<u8> {
    let length = 1 << random.u32(0..16);
    (0..length).map(|_| random.u8(..)).collect()
}

fn torn(line: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut torn = line[..random.usize(0..line.len())].to_vec();
    torn.push(b'\n');
    torn
}
