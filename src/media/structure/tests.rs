//! The checks of each format, on files that its smallest parts make up.

use super::*;

/// The faults of a file that is read in pieces of `piece` bytes, and what is missing at its end.
fn read(file: &[u8], piece: usize) -> (Vec<Fault>, u64) {
    let mut structure = Structure::default();
    // Formats are recognised by the first read.
    let first = file.len().min(piece.max(2000));
    structure.see(0, &file[..first]);
    for (index, bytes) in file[first..].chunks(piece).enumerate() {
        structure.see((first + index * piece) as u64, bytes);
    }
    let (missing, torn) = structure.end(file.len() as u64);
    let faults = structure.faults().iter().copied().chain(torn);
    (faults.collect(), missing)
}

/// Every format: a whole file.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("mkv", mkv()),
        ("avi", avi()),
        ("ogg", ogg()),
        ("flv", flv()),
        ("ts", ts()),
        ("mp4", mp4()),
    ]
}

/// Content of packets: bytes that look like nothing.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|index| 0xb0 + (index % 13) as u8).collect()
}

fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
    let size = 0x1000_0000 | content.len() as u32;
    [id, &size.to_be_bytes(), content].concat()
}

fn mkv() -> Vec<u8> {
    let blocks: Vec<u8> = (0..20)
        .flat_map(|_| element(&[0xa3], &content(150)))
        .collect();
    let group = element(&[0xa0], &element(&[0xa1], &content(99)));
    let cluster = element(
        &[0x1f, 0x43, 0xb6, 0x75],
        &[element(&[0xe7], &[0]), blocks, group].concat(),
    );
    let info = element(&[0x15, 0x49, 0xa9, 0x66], &content(40));
    let cues = element(&[0x1c, 0x53, 0xbb, 0x6b], &content(60));
    let clusters = [&cluster[..], &cluster, &cluster].concat();
    let segment = element(
        &[0x18, 0x53, 0x80, 0x67],
        &[info, clusters, cues, vec![0xec, 0x80]].concat(),
    );
    [element(&[0x1a, 0x45, 0xdf, 0xa3], &content(20)), segment].concat()
}

fn chunk(name: &[u8], content: &[u8]) -> Vec<u8> {
    let size = content.len() as u32;
    let filling = vec![0; content.len() % 2];
    [name, &size.to_le_bytes(), content, &filling].concat()
}

fn avi() -> Vec<u8> {
    let packets = (0..40).flat_map(|number| chunk(b"00dc", &content(150 + number)));
    let movi = [b"movi".to_vec(), packets.collect()].concat();
    let header = chunk(b"LIST", &[&b"hdrl"[..], &content(80)].concat());
    let all = [
        b"AVI ".to_vec(),
        header,
        chunk(b"LIST", &movi),
        chunk(b"idx1", &content(160)),
    ];
    chunk(b"RIFF", &all.concat())
}

fn page(number: u32, flags: u8) -> Vec<u8> {
    let mut page = b"OggS\0".to_vec();
    page.push(flags);
    page.extend([0; 8]);
    page.extend(77_u32.to_le_bytes());
    page.extend(number.to_le_bytes());
    page.extend([0; 4]);
    page.extend([2, 255, 45]);
    page.extend(content(300));
    let sum = ogg::checksum(&page);
    page[22..26].copy_from_slice(&sum.to_le_bytes());
    page
}

fn ogg() -> Vec<u8> {
    (0..20)
        .flat_map(|number| page(number, if number == 0 { 2 } else { 0 }))
        .collect()
}

fn flv() -> Vec<u8> {
    let mut file = b"FLV\x01\x05\0\0\0\x09\0\0\0\0".to_vec();
    for number in 0..40_u8 {
        let length = 150 + u32::from(number);
        file.push(if number % 2 == 0 { 9 } else { 8 });
        file.extend(&length.to_be_bytes()[1..]);
        file.extend([0, 0, number, 0, 0, 0, 0]);
        file.extend(content(length as usize));
        file.extend((length + 11).to_be_bytes());
    }
    file
}

fn transport(stream: u16, number: u8) -> Vec<u8> {
    let [high, low] = stream.to_be_bytes();
    let header = vec![0x47, high, low, 0x10 | number & 0x0f];
    [header, content(184)].concat()
}

fn ts() -> Vec<u8> {
    let tables = [transport(0x11, 0), transport(0, 0)].concat();
    let packets = (0..60).flat_map(|number| transport(0x100, number));
    [tables, packets.collect()].concat()
}

fn mp4_box(name: &[u8], content: &[u8]) -> Vec<u8> {
    let size = content.len() as u32 + 8;
    [&size.to_be_bytes(), name, content].concat()
}

fn mp4() -> Vec<u8> {
    let mut file = mp4_box(b"ftyp", &content(16));
    file.extend(mp4_box(b"moov", &content(200)));
    for _ in 0..10 {
        file.extend(mp4_box(b"moof", &content(60)));
        file.extend(mp4_box(b"mdat", &content(400)));
    }
    file
}

#[test]
fn whole_files_have_no_faults_however_they_are_read() {
    for (name, file) in files() {
        for piece in [1, 7, 100, 188, 4096, 1 << 20] {
            assert_eq!(read(&file, piece), (vec![], 0), "{name} {piece}");
        }
    }
}

#[test]
fn zeroes_in_the_middle_are_found_in_their_place() {
    for (name, file) in files() {
        let mut damaged = file.clone();
        let (from, to) = (file.len() / 2, file.len() / 2 + 600);
        damaged[from..to].fill(0);
        for piece in [50, 1 << 20] {
            let (faults, missing) = read(&damaged, piece);
            assert_eq!(missing, 0, "{name}");
            let [fault] = faults[..] else {
                panic!("{name}: {faults:?}");
            };
            let end = fault.at + fault.bytes;
            assert!(!fault.is_soft && fault.bytes > 0, "{name}: {fault:?}");
            assert!(
                fault.at < to as u64 && end > from as u64,
                "{name}: {fault:?}"
            );
        }
    }
}

#[test]
fn bytes_that_are_cut_out_are_missed() {
    for (name, file) in files() {
        let middle = file.len() / 2;
        for count in [10, 333, 1500] {
            let damaged = [&file[..middle], &file[middle + count..]].concat();
            let (faults, missing) = read(&damaged, 100);
            assert!(!faults.is_empty() || missing > 0, "{name} {count}");
        }
    }
}

#[test]
fn a_file_that_ends_early_is_known_by_its_end() {
    for (name, file) in files() {
        // What lies behind the packets of an mp4 is no packet.
        for part in [3, 4, 5] {
            let end = file.len() * part / 7 + 1;
            let (faults, missing) = read(&file[..end], 64);
            assert!(!faults.is_empty() || missing > 0, "{name} {part}");
        }
    }
}

#[test]
fn numbers_that_do_not_follow_are_a_gap_and_in_a_transport_stream_a_doubtful_one() {
    let lost = [&ogg()[..5 * 329], &ogg()[7 * 329..]].concat();
    let (faults, _) = read(&lost, 100);
    assert_eq!(faults.len(), 1);
    assert!(!faults[0].is_soft);
    let lost = [&ts()[..20 * 188], &ts()[25 * 188..]].concat();
    let (faults, _) = read(&lost, 100);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].is_soft);
}

#[test]
fn recordings_that_are_joined_have_no_fault_at_the_seam() {
    for (name, file) in [("ts", ts()), ("ogg", ogg())] {
        let joined = [&file[..], &file].concat();
        assert_eq!(read(&joined, 100), (vec![], 0), "{name}");
    }
}

#[test]
fn what_follows_the_last_part_does_no_harm() {
    for (name, file) in [("mkv", mkv()), ("avi", avi())] {
        let longer = [&file[..], &[0; 500]].concat();
        assert_eq!(read(&longer, 100), (vec![], 0), "{name}");
    }
}

#[test]
fn a_live_recording_has_no_sizes_and_no_fault() {
    let mut file = mkv();
    // The segment's size, behind the header and its own name.
    let at = 28 + 4;
    assert_eq!(file[at] >> 4, 1);
    file[at..at + 4].copy_from_slice(&[0x1f, 0xff, 0xff, 0xff]);
    assert_eq!(read(&file, 100), (vec![], 0));
    let mut file = avi();
    file[4..8].fill(0);
    assert_eq!(read(&file, 100), (vec![], 0));
}
