//! Changes to the bytes of a file.

use fastrand::Rng;

/// Numbers at which sizes and offsets of formats go wrong.
const NASTY: [u32; 8] = [
    0,
    1,
    0x7f,
    0x80,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
];

/// `bytes` with one to eight changes; most of them where a header may be.
pub fn change(mut bytes: Vec<u8>, random: &mut Rng) -> Vec<u8> {
    for _ in 0..random.usize(1..=8) {
        if bytes.len() < 8 {
            break;
        }
        let at = place(bytes.len() - 4, random);
        match random.u8(0..10) {
            0..=2 => bytes[at] ^= 1 << random.u8(0..8),
            3 => bytes[at] = random.u8(..),
            4..=5 => {
                let number = NASTY[random.usize(0..NASTY.len())];
                bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
            }
            6 => {
                let end = (at + random.usize(1..64)).min(bytes.len());
                bytes.drain(at..end);
            }
            7 => {
                let end = (at + random.usize(1..256)).min(bytes.len());
                let again = bytes[at..end].to_vec();
                let to = place(bytes.len(), random);
                bytes.splice(to..to, again);
            }
            8 => {
                let end = (at + random.usize(1..512)).min(bytes.len());
                bytes[at..end].fill(0);
            }
            _ => bytes.truncate(at.max(64)),
        }
    }
    bytes
}

/// A position below `end`, which is above 0.
fn place(end: usize, random: &mut Rng) -> usize {
    match random.bool() {
        true => random.usize(0..end.min(512)),
        false => random.usize(0..end),
    }
}
