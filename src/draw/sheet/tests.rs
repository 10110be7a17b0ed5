//! Sheets as they are drawn.

use super::*;
use proptest::prelude::*;

const RED: [u8; 4] = [200, 30, 30, 255];

fn picture(width: u32, height: u32, colour: [u8; 4]) -> Raster {
    Raster {
        width,
        height,
        rgba: colour.repeat(width as usize * height as usize),
    }
}

/// So many equal cells, `step_s` apart.
fn cells(count: usize, one: &Raster, step_s: f64) -> Vec<Cell> {
    let cell = |index| Cell {
        picture: one.clone(),
        time_s: step_s * index as f64,
    };
    (0..count).map(cell).collect()
}

fn plan(columns: u32, rows: u32) -> SheetPlan {
    SheetPlan {
        columns,
        rows,
        fit: None,
    }
}

fn heading(name: &str) -> Heading {
    Heading {
        name: name.into(),
        details: vec!["1920×1080".into(), "29.97 fps".into(), "1:02:33".into()],
    }
}

fn ground(theme: &Theme) -> [u8; 4] {
    theme.background.opaque()
}

/// The corners of all cells of a sheet that has a heading.
fn places(plan: &SheetPlan, count: usize, cell: Size, name: &str) -> Vec<(u32, u32)> {
    let grid = Grid::of(plan, count, cell);
    let block = Block::of(&heading(name), Style::of(plan), grid.heading_room());
    let place = |index| grid.place(index, block.height());
    (0..count).map(place).collect()
}

fn pixel(sheet: &Raster, at: (u32, u32), right: u32, down: u32) -> [u8; 4] {
    sheet.pixel(at.0 + right, at.1 + down)
}

#[test]
fn every_picture_is_in_its_place_with_its_time_in_the_corner() {
    let plan = plan(3, 2);
    let size = Size {
        width: 300,
        height: 168,
    };
    let sheet = draw(
        &plan,
        &heading("a.mp4"),
        &cells(5, &picture(300, 168, RED), 60.0),
        &Theme::DARK,
    )
    .unwrap();
    for at in places(&plan, 5, size, "a.mp4") {
        assert_eq!(pixel(&sheet, at, 20, 20), RED);
        assert_ne!(pixel(&sheet, at, 280, 150), RED, "the chip");
        assert_eq!(
            pixel(&sheet, at, 0, 0),
            ground(&Theme::DARK),
            "the round corner"
        );
    }
    let rows = places(&plan, 6, size, "a.mp4");
    let free = rows[5];
    assert_eq!(pixel(&sheet, free, 150, 80), ground(&Theme::DARK));
}

#[test]
fn a_picture_as_dark_as_the_ground_has_a_rim() {
    for (theme, colour) in [(Theme::DARK, [0, 0, 0, 255]), (Theme::LIGHT, [255; 4])] {
        let one = picture(300, 170, colour);
        let sheet = draw(&plan(1, 1), &heading("a"), &cells(1, &one, 1.0), &theme).unwrap();
        let size = Size {
            width: 300,
            height: 170,
        };
        let at = places(&plan(1, 1), 1, size, "a")[0];
        let [r, g, b, _] = pixel(&sheet, at, 0, 85);
        let rim = Colour(r, g, b);
        let inside = Colour(colour[0], colour[1], colour[2]);
        assert!(rim.contrast(inside) > 1.3, "{}: {rim}", theme.name);
        assert!(
            rim.contrast(theme.background) > 1.1,
            "{}: {rim}",
            theme.name
        );
    }
}

#[test]
fn smaller_and_larger_pictures_are_centred() {
    let mut cells = cells(3, &picture(200, 120, RED), 1.0);
    cells[1].picture = picture(100, 60, RED);
    cells[2].picture = picture(400, 500, [10, 200, 10, 255]);
    let sheet = draw(&plan(3, 1), &heading("a"), &cells, &Theme::DARK).unwrap();
    let size = Size {
        width: 200,
        height: 120,
    };
    let places = places(&plan(3, 1), 3, size, "a");
    let surface = Theme::DARK.surface.opaque();
    assert_eq!(pixel(&sheet, places[1], 40, 60), surface);
    assert_eq!(pixel(&sheet, places[1], 52, 32), RED);
    assert_eq!(pixel(&sheet, places[1], 147, 87), RED);
    assert_eq!(pixel(&sheet, places[1], 152, 60), surface);
    assert_eq!(pixel(&sheet, places[2], 100, 60), [10, 200, 10, 255]);
    assert_eq!(pixel(&sheet, places[2], 203, 60), ground(&Theme::DARK));
}

#[test]
fn a_sheet_is_opaque_even_where_its_pictures_are_not() {
    let cells = cells(2, &picture(64, 64, [255, 255, 255, 0]), 1.0);
    let sheet = draw(&plan(2, 1), &heading("a"), &cells, &Theme::DARK).unwrap();
    assert!(sheet.rgba.chunks(4).all(|pixel| pixel[3] == 255));
}

#[test]
fn upright_video_makes_an_upright_sheet() {
    let cells = cells(20, &picture(90, 160, RED), 1.0);
    let sheet = draw(&plan(5, 4), &heading("a"), &cells, &Theme::DARK).unwrap();
    assert!(sheet.height > sheet.width);
}

/// Whether anything but the ground is in the heading, and in the margins beside it.
fn written(name: &str) -> (bool, bool) {
    let sheet = draw(
        &plan(4, 1),
        &heading(name),
        &cells(4, &picture(200, 120, RED), 1.0),
        &Theme::DARK,
    )
    .unwrap();
    let style = Style::of(&plan(4, 1));
    let (margin, line) = (style.margin as u32, style.title_line() as u32);
    let ink = |x: u32, y: u32| sheet.pixel(x, y) != ground(&Theme::DARK);
    let rows = margin..margin + line;
    let inside = rows
        .clone()
        .any(|y| (margin..sheet.width - margin).any(|x| ink(x, y)));
    let outer = (0..margin - 4).chain(sheet.width + 4 - margin..sheet.width);
    let outside = outer.into_iter().any(|x| rows.clone().any(|y| ink(x, y)));
    (inside, outside)
}

#[test]
fn any_name_is_drawn_and_stays_within_the_margins() {
    for name in [
        "holiday.mp4",
        "映画",
        "🎬👩\u{200d}👧",
        "שלום عالم",
        "\u{202e}4pm.exe\u{200f}",
        "</text><svg><image href='/etc/passwd'/>&amp;\"'.mp4",
        "a\n\tb\u{0}\u{1b}[31m.mp4",
        &"very long name ".repeat(40),
        &"长".repeat(255),
    ] {
        assert_eq!(written(name), (true, false), "{name}");
    }
}

#[test]
fn what_makes_no_sheet_is_an_error() {
    let one = picture(20, 10, RED);
    let told = |plan: &SheetPlan, cells: &[Cell]| {
        draw(plan, &heading("a"), cells, &Theme::DARK)
            .unwrap_err()
            .report()
    };
    assert!(told(&plan(5, 4), &[]).contains("no pictures"));
    assert!(told(&plan(5, 4), &cells(3, &picture(0, 0, RED), 1.0)).contains("no pictures"));
    assert!(told(&plan(2, 2), &cells(5, &one, 1.0)).contains("5 pictures"));
    let mut torn = one;
    torn.rgba.truncate(50);
    assert!(told(&plan(5, 4), &cells(1, &torn, 1.0)).contains("size does not match"));
    let wide = cells(5, &picture(4000, 1, RED), 1.0);
    let told = told(&plan(5, 4), &wide);
    assert!(
        told.contains("--size") && told.contains("--sheet"),
        "{told}"
    );
}

#[test]
fn a_sheet_of_a_hundred_by_a_hundred_is_drawn() {
    let plan = plan(100, 100);
    let room = cell_box(&plan).unwrap();
    let one = picture(room.width.min(80), room.width.min(80) * 9 / 16, RED);
    let sheet = draw(
        &plan,
        &heading("a"),
        &cells(10_000, &one, 1.0),
        &Theme::DARK,
    )
    .unwrap();
    assert!(sheet.width > 8000);
}

/// With `RUSHES_LOOK=DIR` set, sheets are left in that folder to be looked at.
#[test]
fn sheets_to_look_at() {
    let colours = |index: u32| {
        let shade = |part: u32| (index * part % 256) as u8;
        [shade(53), shade(91), shade(29), 255]
    };
    let shapes = [
        ("wide", 16, 9, 5),
        ("upright", 9, 16, 5),
        ("dense", 4, 3, 12),
    ];
    for (name, wide, high, columns) in shapes {
        let plan = plan(columns, 4);
        let room = cell_box(&plan).unwrap();
        let size = (room.width / wide).min(room.height / high);
        let cells: Vec<Cell> = (0..columns * 4 - 2)
            .map(|index| Cell {
                picture: picture(size * wide, size * high, colours(index)),
                time_s: 181.0 * f64::from(index),
            })
            .collect();
        let sheet = draw(&plan, &heading(name), &cells, &Theme::DARK).unwrap();
        assert!(sheet.width > 600);
        if let Some(folder) = std::env::var_os("RUSHES_LOOK") {
            let folder = std::path::PathBuf::from(folder);
            std::fs::create_dir_all(&folder).unwrap();
            let path = folder.join(format!("sheet-{name}.png"));
            sheet.write_png(&path).unwrap();
        }
    }
}

proptest! {
    // Each case sets text, which takes tens of milliseconds.
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_pictures_are_too_strange(
        columns in 0_u32..6, rows in 0_u32..6,
        sizes in proptest::collection::vec((0_u32..60, 0_u32..60, any::<f64>()), 0..12),
        fit in proptest::option::of((0_u32..2000, 0_u32..2000)),
        name: String, details: Vec<String>,
    ) {
        let fit = fit.map(|(width, height)| Size { width, height });
        let plan = SheetPlan { columns, rows, fit };
        let cells: Vec<Cell> = sizes
            .iter()
            .map(|(width, height, time)| Cell {
                picture: picture(*width, *height, RED),
                time_s: *time,
            })
            .collect();
        let sheet = draw(&plan, &Heading { name, details }, &cells, &Theme::DARK);
        let fits = cells.len() as u64 <= plan.columns() * plan.rows();
        let seen = sizes.iter().any(|(width, height, _)| width * height > 0);
        prop_assert_eq!(sheet.is_ok(), fits && seen);
        if let Ok(sheet) = sheet {
            prop_assert_eq!(sheet.rgba.len() as u32, sheet.width * sheet.height * 4);
        }
    }
}
