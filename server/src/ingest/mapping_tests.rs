//! Tests of mapping rows to readings.

use connector::{Cell, Column, Moment, Type};

use super::*;

fn batch(columns: &[(&str, Type, &[Cell<'_>])]) -> Batch {
    let columns = columns.iter().map(|(name, kind, cells)| {
        let mut column = Column::new(*name, *kind, false);
        cells.iter().for_each(|cell| column.push(*cell));
        column
    });
    Batch { columns: columns.collect() }
}

fn long_layout() -> Layout {
    Layout {
        paths: Paths::default(),
        account: 1,
        metrics: Metrics::Long { metric: 2, value: 3 },
        measured_at: 4,
        zone: Some(Tz::UTC),
        period: None,
        product: None,
        cursor: Some(0),
        reject_null_cursor: true,
        cursor_cap: Some(1_000),
        key: vec![0],
        cell_bytes: 1_000,
    }
}

/// One long row: id, account, metric, value, day.
fn rows(rows: &[[Cell<'_>; 5]]) -> Batch {
    let column = |index: usize| rows.iter().map(|row| row[index]).collect::<Vec<_>>();
    batch(&[
        ("id", Type::Int, &column(0)),
        ("account", Type::Text, &column(1)),
        ("metric", Type::Text, &column(2)),
        ("value", Type::Decimal, &column(3)),
        ("day", Type::Date, &column(4)),
    ])
}

fn good(id: i128) -> [Cell<'static>; 5] {
    [Cell::Int(id), Cell::Text(" acme "), Cell::Text("seats"), Cell::Decimal("1.5"), Cell::Date(1)]
}

#[test]
fn a_good_row_makes_a_reading() {
    let mut mapper = Mapper::new(long_layout());
    let mapped = mapper.map(&rows(&[good(1), good(2)]));
    assert_eq!(mapped.readings.len(), 2);
    let reading = mapped.readings[1];
    assert_eq!(mapper.texts().text(reading.account), "acme");
    assert_eq!(mapped.values.get(reading.value as usize), "1.5");
    assert_eq!(reading.measured_at, 86_400_000_000);
    assert_eq!(mapped.keys.get(1), "2");
    assert_eq!(mapped.cursors, [1, 2]);
    assert_eq!((mapped.rows_mapped, mapped.rejects.len()), (2, 0));
}

#[test]
fn each_unusable_row_keeps_its_reason_and_column() {
    let bad = |index: usize, cell: Cell<'static>| {
        let mut row = good(7);
        row[index] = cell;
        row
    };
    for (row, reason, column) in [
        (bad(0, Cell::Null), Reason::NullKey, 0),
        (bad(0, Cell::Int(1_001)), Reason::FutureCursor, 0),
        (bad(1, Cell::Text("  ")), Reason::NullKey, 1),
        (bad(1, Cell::Text("a\0b")), Reason::Undecodable, 1),
        (bad(2, Cell::Null), Reason::NullKey, 2),
        (bad(3, Cell::Unreadable("NaN")), Reason::ValueNotFinite, 3),
        (bad(3, Cell::Unreadable("twelve")), Reason::ValueNotNumeric, 3),
        (bad(4, Cell::Unreadable("infinity")), Reason::TimeUnreadable, 4),
        (bad(4, Cell::Null), Reason::NullKey, 4),
    ] {
        let mapped = Mapper::new(long_layout()).map(&rows(&[row]));
        let found = mapped.rejects.first().map(|reject| (reject.reason, reject.place));
        assert_eq!(found, Some((reason, column)), "{row:?}");
        assert!(mapped.readings.is_empty());
    }
}

#[test]
fn pitfall_11_null_cursors_are_rejected_or_included_and_always_counted() {
    let mut layout = Layout { cursor: Some(4), key: vec![0], cursor_cap: None, ..long_layout() };
    layout.measured_at = 4;
    let mut row = good(1);
    row[4] = Cell::Null;
    let mapped = Mapper::new(layout.clone()).map(&rows(&[row]));
    assert_eq!(mapped.rejects[0].reason, Reason::NullCursor);
    assert_eq!(mapped.null_cursors, 1);
    layout.reject_null_cursor = false;
    layout.cursor = Some(1);
    let mapped = Mapper::new(Layout { cursor: Some(2), metrics: Metrics::Wide(vec![3]), ..layout })
        .map(&rows(&[[Cell::Int(1), Cell::Text("acme"), Cell::Null, Cell::Decimal("2"), Cell::Date(1)]]));
    assert_eq!((mapped.readings.len(), mapped.null_cursors, mapped.cursors[0]), (1, 1, i64::MIN));
}

#[test]
fn a_repeated_row_is_counted_and_a_shared_key_is_rejected() {
    let mut mapper = Mapper::new(long_layout());
    let mut other = good(2);
    other[3] = Cell::Decimal("9");
    let mapped = mapper.map(&rows(&[good(1), good(1), good(2), other]));
    assert_eq!((mapped.rows_mapped, mapped.repeated.len()), (2, 1));
    assert_eq!(mapped.rejects[0], Reject { row: 3, reason: Reason::KeyNotUnique, place: 0 });
    let again = mapper.map(&rows(&[other, good(3)]));
    assert_eq!(
        (again.rows_mapped, again.repeated.len()),
        (1, 1),
        "the last row of the batch before came again"
    );
}

#[test]
fn a_wide_row_makes_a_reading_per_number_and_counts_nulls_apart() {
    let layout = Layout { metrics: Metrics::Wide(vec![2, 3]), key: vec![0, 1], ..long_layout() };
    let table = |second: Cell<'static>| {
        batch(&[
            ("id", Type::Int, &[Cell::Int(5)]),
            ("account", Type::Text, &[Cell::Text("a\"b")]),
            ("seats", Type::Int, &[Cell::Int(3)]),
            ("spend", Type::Float, &[second]),
            ("at", Type::Naive, &[Cell::Naive(Moment::default())]),
        ])
    };
    let mut mapper = Mapper::new(layout.clone());
    let mapped = mapper.map(&table(Cell::Float(0.1)));
    let says: Vec<_> = mapped
        .readings
        .iter()
        .map(|reading| {
            (mapper.texts().text(reading.metric), mapped.values.get(reading.value as usize), reading.part)
        })
        .collect();
    assert_eq!(says, [("seats", "3", 2), ("spend", "0.1", 3)]);
    assert_eq!(mapped.keys.get(0), r#"["5","a\"b"]"#);
    let mapped = Mapper::new(layout.clone()).map(&table(Cell::Null));
    assert_eq!((mapped.readings.len(), mapped.null_cells, mapped.rows_mapped), (1, 1, 1));
    let mapped = Mapper::new(layout).map(&table(Cell::Float(f64::NAN)));
    assert_eq!((mapped.readings.len(), mapped.rejects[0].reason), (0, Reason::ValueNotFinite));
}

/// A layout whose roles stand in column 1, over id, payload and a day.
fn inside(account: &str, metric: &str, value: &str) -> Layout {
    let mut paths = Paths::new(3, 100);
    let mut at = |path: &str| paths.place(1, "payload", &path.parse().expect("a path"));
    let metrics = Metrics::Long { metric: at(metric), value: at(value) };
    let (account, measured_at) = (at(account), at("at"));
    Layout { account, metrics, measured_at, paths, cell_bytes: 100, ..long_layout() }
}

fn payloads(cells: &[Cell<'_>]) -> Batch {
    let ids: Vec<Cell<'_>> = (0..cells.len()).map(|id| Cell::Int(id as i128)).collect();
    let days = vec![Cell::Date(1); cells.len()];
    batch(&[("id", Type::Int, &ids), ("payload", Type::Json, cells), ("day", Type::Date, &days)])
}

#[test]
fn roles_inside_one_column_are_read_as_columns_of_text_would_be() {
    let text =
        r#"{"who":{"id":" 7.0 "},"m":"seats","v":1.10000000000000000001,"at":"2026-01-02T00:00:00+01:00"}"#;
    let mut mapper = Mapper::new(inside("who.id", "m", "v"));
    let mapped = mapper.map(&payloads(&[
        Cell::Json(text),
        Cell::Json(&text.replace("1.1", "\" 1e2\" , \"w\": 1.1")),
        Cell::Json(r#"{"who":{"id":8},"m":true,"v":null,"at":"2026-01-02"}"#),
    ]));
    let says: Vec<_> = mapped
        .readings
        .iter()
        .map(|reading| {
            let texts = mapper.texts();
            let value = mapped.values.get(reading.value as usize);
            (texts.text(reading.account), texts.text(reading.metric), value, reading.measured_at)
        })
        .collect();
    let at = 1_767_308_400_000_000;
    assert_eq!(says, [("7.0", "seats", "1.10000000000000000001", at), ("7.0", "seats", "100", at)]);
    assert_eq!(
        (mapped.rows_mapped, mapped.null_cells),
        (3, 1),
        "a null at the place of a value is no reading"
    );
}

#[test]
fn a_row_whose_path_leads_nowhere_good_says_why_and_what_is_there() {
    let long = format!("{{\"a\":\"{}", "x".repeat(100));
    for (cell, reason, name, raw) in [
        (Cell::Json(r#"{"m":"s","v":1,"at":"2026-01-02"}"#), Reason::NullKey, "payload.a", ""),
        (Cell::Json(r#"{"a":{"b":1}}"#), Reason::NotScalar, "payload.a", r#"{"b":1}"#),
        (Cell::Json("{\"a\""), Reason::NotJson, "payload.a", "{\"a\""),
        (Cell::Text("hello"), Reason::NotJson, "payload.a", "hello"),
        (Cell::Unreadable("{\"a\":"), Reason::Undecodable, "payload.a", "{\"a\":"),
        (Cell::Unreadable(&long), Reason::CellTooLarge, "payload.a", &long),
        (Cell::Json(&long), Reason::CellTooLarge, "payload.a", &long),
        (Cell::Null, Reason::NullKey, "payload.a", ""),
        (Cell::Json(r#"{"a":1,"at":"x"}"#), Reason::TimeUnreadable, "payload.at", "x"),
        (Cell::Json(r#"{"a":1,"at":1767312000}"#), Reason::TimeUnreadable, "payload.at", "1767312000"),
        (Cell::Json(r#"{"a":1}"#), Reason::NullKey, "payload.at", ""),
        (Cell::Json(r#"{"a":1,"at":"2026-01-02","m":"s","v":[]}"#), Reason::NotScalar, "payload.v", "[]"),
        (
            Cell::Json(r#"{"a":1,"at":"2026-01-02","m":"s","v":"x"}"#),
            Reason::ValueNotNumeric,
            "payload.v",
            "x",
        ),
        (
            Cell::Json(r#"{"a":1,"at":"2026-01-02","m":"s","v":true}"#),
            Reason::ValueNotNumeric,
            "payload.v",
            "true",
        ),
        (
            Cell::Json(r#"{"a":1,"at":"2026-01-02","m":"s","v":"NaN"}"#),
            Reason::ValueNotFinite,
            "payload.v",
            "NaN",
        ),
    ] {
        let kind = if matches!(cell, Cell::Text(_)) { Type::Text } else { Type::Json };
        let rows = batch(&[
            ("id", Type::Int, &[Cell::Int(1)]),
            ("payload", kind, &[cell]),
            ("day", Type::Date, &[Cell::Date(1)]),
        ]);
        let mut mapper = Mapper::new(inside("a", "m", "v"));
        let mapped = mapper.map(&rows);
        let reject = mapped.rejects.first().unwrap_or_else(|| panic!("{cell:?} was mapped"));
        assert_eq!(reject.reason, reason, "{cell:?}");
        assert_eq!(mapper.at_fault(&rows, reject), (name, raw.to_owned()), "{cell:?}");
    }
}

#[test]
fn metrics_inside_a_column_are_named_after_their_place() {
    let mut layout = inside("a", "m", "v");
    let path = |path: &str| path.parse().expect("a path");
    let places =
        [layout.paths.place(1, "payload", &path("u.seats")), layout.paths.place(1, "payload", &path("l[0]"))];
    layout.metrics = Metrics::Wide(vec![0, places[0], places[1]]);
    assert_eq!(layout.paths.place(1, "payload", &path("u.seats")), places[0], "one place for one path");
    let mut mapper = Mapper::new(layout);
    let mapped =
        mapper.map(&payloads(&[Cell::Json(r#"{"a":"x","at":"2026-01-02","u":{"seats":3},"l":[null]}"#)]));
    let named: Vec<_> = mapped
        .readings
        .iter()
        .map(|reading| (mapper.texts().text(reading.metric), mapped.values.get(reading.value as usize)))
        .collect();
    assert_eq!(named, [("id", "0"), ("payload.u.seats", "3")]);
    assert_eq!(mapped.null_cells, 1);
}
