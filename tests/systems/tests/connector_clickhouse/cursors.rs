//! Intervals, ties, order and precision of cursors.

use anyhow::Result;
use connector::{CursorKind, ErrorKind, NullCursors, Watermark};
use systems::clickhouse::{Database, User};

use crate::reading::{column, numbers, open, position, read, request, table, texts, watermark};

#[tokio::test]
async fn pitfall_01_rows_at_both_bounds_are_read() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE t (c Date, id UInt32) ENGINE = MergeTree ORDER BY c AS SELECT toDate('2026-01-01') + number, number FROM numbers(10)").await?;
    let connector = open(&database, User::Reader)?;
    let mut request = request(table(&database, "t"), &["c", "id"], ("c", CursorKind::Date), &["id"]);
    request.from = position(CursorKind::Date, "2026-01-03", &[]);
    request.until = Some(watermark(CursorKind::Date, "2026-01-06"));
    assert_eq!(column(&*connector, &request, "id").await?, numbers(2..6));
    Ok(())
}

#[tokio::test]
async fn pitfall_02_ties_longer_than_a_page_are_read_once_and_resumed_anywhere() -> Result<()> {
    let database = Database::empty().await?;
    // 3 500 rows share one cursor; names are in another order than numbers, and some are null.
    database
        .run(
            "CREATE TABLE t (c UInt64, name Nullable(String), id Int32) ENGINE = MergeTree ORDER BY tuple() AS \
             SELECT if(number < 3500, 7, number), if(number % 100 = 0, NULL, toString(number % 50)), number FROM numbers(4000)",
        )
        .await?;
    let connector = open(&database, User::Reader)?;
    let mut request =
        request(table(&database, "t"), &["c", "name", "id"], ("c", CursorKind::Int), &["name", "id"]);
    let whole = read(&*connector, &request).await?;
    assert_eq!(whole.iter().map(connector::Batch::rows).collect::<Vec<_>>(), [1_000, 1_000, 1_000, 1_000]);
    let ids = texts(&whole, "id")?;
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 4_000);
    let (cursors, names) = (texts(&whole, "c")?, texts(&whole, "name")?);
    for place in [0, 1, 999, 1_000, 2_222, 3_499, 3_500, 3_999] {
        request.from = position(CursorKind::Int, &cursors[place], &[&names[place], &ids[place]]);
        let rest = column(&*connector, &request, "id").await?;
        if names[place].is_empty() {
            // A null and an empty text look the same in a position: nothing behind it may be missing.
            assert!(rest.ends_with(&ids[place..]), "from row {place}");
        } else {
            assert_eq!(rest, ids[place..], "from row {place}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_04_late_rows_within_the_lookback_are_read() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE t (c DateTime64(6), id UInt32) ENGINE = MergeTree ORDER BY c").await?;
    database.run("INSERT INTO t SELECT toDateTime64('2026-01-01 00:00:00.5', 6, 'UTC') + INTERVAL number SECOND, number FROM numbers(10)").await?;
    let connector = open(&database, User::Reader)?;
    let mut request = request(table(&database, "t"), &["c", "id"], ("c", CursorKind::Zoned), &["id"]);
    let first = read(&*connector, &request).await?;
    let newest = watermark(CursorKind::Zoned, texts(&first, "c")?.last().map_or("", String::as_str));
    assert_eq!(newest.text, "2026-01-01T00:00:09.5Z");
    database.run("INSERT INTO t VALUES ('2026-01-01 00:00:08.600000', 99)").await?;
    let lower = newest.minus(1_000_000).expect("a time");
    request.from = Some(connector::Position { watermark: lower, key: Vec::new() });
    assert_eq!(column(&*connector, &request, "id").await?, ["8", "99", "9"]);
    Ok(())
}

#[tokio::test]
async fn pitfall_05_a_lookback_below_the_types_range_reads_everything() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE t (n UInt16, d Date, s DateTime) ENGINE = MergeTree ORDER BY n AS SELECT number, toDate(number), toDateTime(number, 'UTC') FROM numbers(5)").await?;
    let connector = open(&database, User::Reader)?;
    for (name, kind, below, above) in [
        ("n", CursorKind::Int, "-7", "70000"),
        ("d", CursorKind::Date, "1969-01-01", "2200-01-01"),
        ("s", CursorKind::Zoned, "1969-01-01T00:00:00Z", "2200-01-01T00:00:00Z"),
    ] {
        let mut request = request(table(&database, "t"), &["n", "d", "s"], (name, kind), &[]);
        request.from = position(kind, below, &[]);
        request.until = Some(watermark(kind, above));
        assert_eq!(column(&*connector, &request, "n").await?, numbers(0..5), "{name}");
        request.from = position(kind, above, &[]);
        assert_eq!(column(&*connector, &request, "n").await?, numbers([]), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_07_every_digit_of_a_cursor_counts() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE t (c DateTime64(9, 'America/New_York'), id UInt8) ENGINE = MergeTree ORDER BY id AS SELECT fromUnixTimestamp64Nano(1772272800123456780 + number, 'America/New_York'), number FROM numbers(10)").await?;
    let connector = open(&database, User::Reader)?;
    let mut request = request(table(&database, "t"), &["c", "id"], ("c", CursorKind::Zoned), &["id"]);
    let cursors = column(&*connector, &request, "c").await?;
    assert_eq!(cursors[9], "2026-02-28T10:00:00.123456789Z");
    for (place, text) in cursors.iter().enumerate() {
        request.from = position(CursorKind::Zoned, text, &[]);
        assert_eq!(column(&*connector, &request, "id").await?, numbers(place as i64..10));
        request.from = None;
        request.until = Some(Watermark { kind: CursorKind::Zoned, text: text.clone() });
        assert_eq!(column(&*connector, &request, "id").await?, numbers(0..=place as i64));
        request.until = None;
    }
    // Bounds finer than the column neither lose nor add rows.
    database.run("CREATE TABLE coarse (c DateTime, id UInt8) ENGINE = Memory AS SELECT toDateTime(1772272800 + number, 'UTC'), number FROM numbers(3)").await?;
    let mut coarse =
        crate::reading::request(table(&database, "coarse"), &["c", "id"], ("c", CursorKind::Zoned), &["id"]);
    coarse.from = position(CursorKind::Zoned, "2026-02-28T10:00:00.000000001Z", &["0"]);
    coarse.until = Some(watermark(CursorKind::Zoned, "2026-02-28T10:00:01.999999999Z"));
    assert_eq!(column(&*connector, &coarse, "id").await?, ["1"]);
    Ok(())
}

#[tokio::test]
async fn pitfall_08_zones_of_columns_change_neither_values_nor_bounds() -> Result<()> {
    let database = Database::empty().await?;
    database
        .run(
            "CREATE TABLE t (id UInt8, plain DateTime, west DateTime('America/Los_Angeles'), half DateTime64(3, 'Asia/Kolkata')) \
             ENGINE = Memory AS SELECT number, toDateTime(1772272800 + number * 3600, 'UTC'), toDateTime(1772272800 + number * 3600, 'UTC'), \
             toDateTime64(1772272800 + number * 3600, 3, 'UTC') FROM numbers(24)",
        )
        .await?;
    let connector = open(&database, User::Reader)?;
    for name in ["plain", "west", "half"] {
        let mut request = request(table(&database, "t"), &["id", name], (name, CursorKind::Zoned), &["id"]);
        request.from = position(CursorKind::Zoned, "2026-02-28T15:00:00Z", &[]);
        request.until = Some(watermark(CursorKind::Zoned, "2026-02-28T16:00:00Z"));
        let batches = read(&*connector, &request).await?;
        assert_eq!(texts(&batches, "id")?, ["5", "6"], "{name}");
        assert_eq!(texts(&batches, name)?, ["2026-02-28T15:00:00Z", "2026-02-28T16:00:00Z"], "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_09_text_cannot_be_a_cursor() -> Result<()> {
    refused("String").await
}

#[tokio::test]
async fn pitfall_10_floats_and_times_of_day_cannot_be_cursors() -> Result<()> {
    for native in ["Float64", "Decimal(10, 2)", "UUID", "UInt128", "Array(UInt8)", "IntervalDay"] {
        refused(native).await?;
    }
    Ok(())
}

async fn refused(native: &str) -> Result<()> {
    let database = Database::empty().await?;
    database.run(&format!("CREATE TABLE t (c {native}) ENGINE = Memory")).await?;
    let connector = open(&database, User::Reader)?;
    let request = request(table(&database, "t"), &["c"], ("c", CursorKind::Int), &[]);
    let error = read(&*connector, &request).await.expect_err("no cursor");
    assert_eq!(error.kind(), ErrorKind::Schema, "{native}");
    let check = connector.check(Some(&table(&database, "t")), Some("c")).await;
    let last = check.steps.last().and_then(|step| step.error.as_ref().map(|_| step.name));
    assert_eq!(last, Some("read cursor column"), "{native}");
    Ok(())
}

#[tokio::test]
async fn pitfall_11_rows_without_a_cursor_come_first_or_not_at_all() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE t (c Nullable(Int64), id UInt32) ENGINE = MergeTree ORDER BY id AS SELECT if(number % 2 = 0, NULL, number), number FROM numbers(6)").await?;
    let connector = open(&database, User::Reader)?;
    let mut request = request(table(&database, "t"), &["c", "id"], ("c", CursorKind::Int), &["id"]);
    assert_eq!(column(&*connector, &request, "id").await?, ["1", "3", "5"]);
    request.nulls = NullCursors::First;
    assert_eq!(column(&*connector, &request, "id").await?, ["0", "2", "4", "1", "3", "5"]);
    request.from = position(CursorKind::Int, "3", &["3"]);
    assert_eq!(column(&*connector, &request, "id").await?, ["0", "2", "4", "3", "5"]);
    Ok(())
}

#[tokio::test]
async fn cursors_of_every_width_are_ordered_as_numbers() -> Result<()> {
    let database = Database::empty().await?;
    for native in ["Int8", "Int16", "Int32", "Int64", "Int128", "UInt8", "UInt16", "UInt32", "UInt64"] {
        let name = format!("t_{native}");
        database
            .run(&format!(
                "CREATE TABLE {name} (c {native}) ENGINE = Memory AS SELECT arrayJoin([100, 9, 20])"
            ))
            .await?;
        let connector = open(&database, User::Reader)?;
        let mut request = request(table(&database, &name), &["c"], ("c", CursorKind::Int), &["c"]);
        request.from = position(CursorKind::Int, "10", &["10"]);
        assert_eq!(column(&*connector, &request, "c").await?, ["20", "100"], "{native}");
    }
    database.run("CREATE TABLE far (c UInt64) ENGINE = Memory AS SELECT arrayJoin([18446744073709551615, 9223372036854775808, 1])").await?;
    let connector = open(&database, User::Reader)?;
    let mut far = request(table(&database, "far"), &["c"], ("c", CursorKind::Int), &[]);
    far.from = position(CursorKind::Int, "9223372036854775808", &[]);
    assert_eq!(column(&*connector, &far, "c").await?, ["9223372036854775808", "18446744073709551615"]);
    Ok(())
}

#[tokio::test]
async fn keys_of_every_type_resume_at_their_row() -> Result<()> {
    let database = Database::empty().await?;
    for (index, (native, value)) in [
        ("UUID", "generateUUIDv4(number)"),
        ("IPv4", "toIPv4(number * 7919)"),
        ("IPv6", "toIPv6(concat('2001:db8::', hex(number)))"),
        ("FixedString(4)", "toString(number % 40)"),
        ("LowCardinality(String)", "concat('it''s\\t\\\\', toString(number % 40))"),
        ("Enum16('z' = 1, 'it\\'s' = 2, 'a' = 3)", "number % 3 + 1"),
        ("DateTime64(4, 'Asia/Kolkata')", "fromUnixTimestamp64Milli(number * 977)"),
        ("Date32", "toDate32('1950-01-01') + number"),
        ("Decimal(76, 20)", "number / 7"),
        ("Int256", "toInt256(number) * -1"),
        ("Float64", "number / 3"),
        ("Bool", "number % 2"),
        ("Array(UInt8)", "[number % 7]"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("t{index}");
        database.run(&format!("CREATE TABLE {name} (c UInt8, k {native}, id UInt32) ENGINE = Memory AS SELECT 1, {value}, number FROM numbers(60)")).await?;
        let connector = open(&database, User::Reader)?;
        let mut request =
            request(table(&database, &name), &["c", "k", "id"], ("c", CursorKind::Int), &["k", "id"]);
        let whole = read(&*connector, &request).await?;
        let (keys, ids) = (texts(&whole, "k")?, texts(&whole, "id")?);
        assert_eq!(ids.len(), 60, "{native}");
        request.from = position(CursorKind::Int, "1", &[&keys[30], &ids[30]]);
        let rest = column(&*connector, &request, "id").await?;
        // Floats have no safe order: all rows that share the cursor come again.
        let wanted = if native == "Float64" { &ids[..] } else { &ids[30..] };
        assert_eq!(rest, wanted, "{native} from {:?}", keys[30]);
    }
    Ok(())
}
