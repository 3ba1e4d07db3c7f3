//! PostgreSQL's own types: values that no other type of ours can hold, names of types that mislead, views, partitions.

use anyhow::{Result, ensure};
use connector::{Cell, CursorKind, Position, ReadRequest, Type};

use super::Postgres;
use crate::reading::{batches, from, mark, position, read, request, shown};
use crate::system::System;

/// Makes a table of one row per expression, `id` from 1, and reads the column `v`.
async fn through(native: &str, expressions: &[&str]) -> Result<Vec<String>> {
    let system = Postgres::start().await?;
    let mut sql = format!("CREATE TABLE t (id int PRIMARY KEY, v {native});");
    for (at, expression) in expressions.iter().enumerate() {
        sql += &format!("INSERT INTO t VALUES ({at}, {expression});");
    }
    system.database.run(&sql).await?;
    let request = request(&Postgres::table("t"), &["id", "v"], ("id", CursorKind::Int), &["id"]);
    let rows = read(&*system.connector()?, request).await?;
    Ok(rows.into_iter().map(|mut row| row.remove(1)).collect())
}

#[tokio::test]
async fn pitfall_14_what_is_no_number_is_set_aside_alone() -> Result<()> {
    let values =
        ["1.50", "'NaN'", "'Infinity'", "'-Infinity'", "1e100", "1e-50", "-0.0", "10000", "100000000.0001"];
    let found = through("numeric", &values).await?;
    let hundred = format!("1{}", "0".repeat(100));
    let tiny = format!("0.{}1", "0".repeat(49));
    let wanted = [
        Cell::Decimal("1.5"),
        Cell::Unreadable("NaN"),
        Cell::Unreadable("Infinity"),
        Cell::Unreadable("-Infinity"),
        Cell::Decimal(&hundred),
        Cell::Decimal(&tiny),
        Cell::Decimal("0"),
        Cell::Decimal("10000"),
        Cell::Decimal("100000000.0001"),
    ];
    ensure!(found == wanted.map(shown), "{found:?}");
    let found = through("float8", &["'NaN'", "'Infinity'", "'-Infinity'", "'-0'"]).await?;
    ensure!(found == ["Float(NaN)", "Float(inf)", "Float(-inf)", "Float(-0.0)"], "{found:?}");
    let found = through("float4", &["0.1", "16777216", "'NaN'", "3.4028235e38"]).await?;
    ensure!(found == ["Float(0.1)", "Float(16777216.0)", "Float(NaN)", "Float(3.4028235e38)"], "{found:?}");
    Ok(())
}

#[tokio::test]
async fn times_reach_the_ends_of_their_types() -> Result<()> {
    let values = [
        "'infinity'",
        "'-infinity'",
        "'294276-12-31 23:59:59.999999+00'",
        "'4713-01-01 00:00:00+00 BC'",
        "'1999-12-31 23:59:59.999999+00'",
    ];
    let found = through("timestamptz", &values).await?;
    ensure!(
        found[0] == shown(Cell::Unreadable("infinity")) && found[1] == shown(Cell::Unreadable("-infinity"))
    );
    ensure!(found[2].contains("nanos: 999999000"), "{found:?}");
    ensure!(found[3].contains("seconds: -210863520000"), "{found:?}");
    ensure!(found[4] == "Zoned(Moment { seconds: 946684799, nanos: 999999000 })", "{found:?}");
    let found =
        through("date", &["'infinity'", "'5874897-12-31'", "'0001-01-01'", "'0044-03-15 BC'"]).await?;
    ensure!(
        found == ["Unreadable(\"infinity\")", "Date(2145042905)", "Date(-719162)", "Date(-735160)"],
        "{found:?}"
    );
    Ok(())
}

#[tokio::test]
async fn pitfall_07_cursors_before_christ_and_past_year_9999_resume() -> Result<()> {
    let system = Postgres::start().await?;
    system
        .database
        .run(
            "CREATE TABLE t (id int PRIMARY KEY, at timestamptz, day date); INSERT INTO t VALUES \
             (1, '4713-01-01 00:00:00.000001+00 BC', '4713-01-01 BC'), (2, '0044-03-15 BC', '0044-03-15 BC'), \
             (3, '0001-01-01', '0001-01-01'), (4, '2026-01-01', '2026-01-01'), \
             (5, '20260-01-01 00:00:00.5', '20260-01-01'), (6, '294276-12-31 23:59:59.999999+00', '294276-12-31')",
        )
        .await?;
    let connector = system.connector()?;
    for (cursor, kind) in [("at", CursorKind::Zoned), ("day", CursorKind::Date)] {
        let request = ReadRequest {
            batch_rows: 1,
            ..request(&Postgres::table("t"), &["id", "at", "day"], (cursor, kind), &["id"])
        };
        let whole = batches(&*connector, request.clone()).await?;
        ensure!(whole.len() == 6);
        for (at, batch) in whole.iter().enumerate() {
            let from = Some(position(batch, &request));
            let rest = read(&*connector, ReadRequest { from: from.clone(), ..request.clone() }).await?;
            ensure!(rest.len() == 6 - at, "{cursor}: {} rows from {from:?}", rest.len());
        }
        // A lookback of ages stops at the beginning of time.
        let stood =
            position(&whole[0], &request).watermark.minus(i64::MAX / 2).expect("a time can be lowered");
        let lowered = Some(Position { watermark: stood, key: Vec::new() });
        ensure!(read(&*connector, ReadRequest { from: lowered, ..request }).await?.len() == 6);
    }
    Ok(())
}

#[tokio::test]
async fn types_without_a_counterpart_are_read_as_text() -> Result<()> {
    for (native, expression, text) in [
        ("inet", "'10.0.0.1/8'", "10.0.0.1/8"),
        ("int4[]", "'{1,2,NULL}'", "{1,2,NULL}"),
        ("interval", "'1 day 02:03:04'", "1 day 02:03:04"),
        ("money", "12.5", "$12.50"),
        ("time", "'10:00:00.5'", "10:00:00.5"),
        ("bytea", "'\\x00ff'", "\\x00ff"),
        ("bit(3)", "B'101'", "101"),
        ("int4range", "'[1,5)'", "[1,5)"),
    ] {
        let found = through(native, &[expression, "NULL"]).await?;
        ensure!(found == [shown(Cell::Text(text)), shown(Cell::Null)], "{native}: {found:?}");
    }
    let found = through("uuid", &["'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11'"]).await?;
    ensure!(found == [shown(Cell::Text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"))], "{found:?}");
    let found = through("char(5)", &["'ab'"]).await?;
    ensure!(found == [shown(Cell::Text("ab"))], "{found:?}");
    Ok(())
}

#[tokio::test]
async fn pitfall_21_plain_json_keeps_its_spelling() -> Result<()> {
    let found = through("json", &["NULL", "'null'", "'\"null\"'", "'{\"b\":1, \"a\":  1.10}'"]).await?;
    let wanted =
        [Cell::Null, Cell::Json("null"), Cell::Json("\"null\""), Cell::Json("{\"b\":1, \"a\":  1.10}")];
    ensure!(found == wanted.map(shown), "{found:?}");
    Ok(())
}

#[tokio::test]
async fn keys_of_every_type_resume() -> Result<()> {
    let system = Postgres::start().await?;
    system
        .database
        .run("CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE DOMAIN score AS int; CREATE DOMAIN better AS score")
        .await?;
    let connector = system.connector()?;
    for (place, (native, values)) in [
        ("char(8)", ["'abc'", "'abd'", "'b'"]),
        ("varchar(8)", ["'a'", "'b '", "'c'"]),
        ("name", ["'a'", "'b'", "'c'"]),
        ("uuid", ["gen_random_uuid()", "gen_random_uuid()", "gen_random_uuid()"]),
        ("inet", ["'9.0.0.1'", "'10.0.0.1'", "'100.0.0.1'"]),
        ("mood", ["'happy'", "'sad'", "'ok'"]),
        ("better", ["1", "2", "10"]),
        ("bit(4)", ["B'0001'", "B'0010'", "B'1000'"]),
        ("varbit", ["B'1'", "B'0010'", "B'10001'"]),
        ("numeric(40, 2)", ["1.10", "9", "12345678901234567890123456789012345678"]),
        ("timestamptz", ["'2026-01-01'", "'2026-01-02'", "'2026-01-03 00:00:00.000001'"]),
        ("interval", ["'1 day'", "'2 hours'", "'1 month'"]),
        ("bool", ["true", "false", "NULL"]),
        ("float8", ["0.1", "1e300", "-5e-324"]),
        ("bytea", ["'\\x00'", "'\\xff'", "'\\x41'"]),
        ("int4[]", ["'{1}'", "'{1,2}'", "'{}'"]),
        ("time", ["'10:00'", "'09:00:00.000001'", "'23:59'"]),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("t{place}");
        let rows: Vec<String> = values.iter().map(|value| format!("(7, {value})")).collect();
        system
            .database
            .run(&format!(
                "CREATE TABLE {name} (seq int, k {native}); INSERT INTO {name} VALUES {}",
                rows.join(", ")
            ))
            .await?;
        let request = ReadRequest {
            batch_rows: 1,
            ..request(&Postgres::table(&name), &["seq", "k"], ("seq", CursorKind::Int), &["k"])
        };
        let whole = batches(&*connector, request.clone()).await?;
        ensure!(whole.len() == 3, "{native}");
        for (at, batch) in whole.iter().enumerate().filter(|(_, batch)| !batch.columns[1].cell(0).null()) {
            let from = Some(position(batch, &request));
            let rest = read(&*connector, ReadRequest { from: from.clone(), ..request.clone() }).await?;
            ensure!(rest.len() == 3 - at, "{native}: {} rows from {from:?}", rest.len());
        }
    }
    Ok(())
}

#[tokio::test]
async fn small_integers_take_bounds_past_their_range() -> Result<()> {
    let system = Postgres::start().await?;
    system
        .database
        .run("CREATE TABLE t (a int2, b int4 PRIMARY KEY); INSERT INTO t VALUES (1, 1), (32767, 2147483647)")
        .await?;
    let connector = system.connector()?;
    for cursor in ["a", "b"] {
        let whole = request(&Postgres::table("t"), &["a", "b"], (cursor, CursorKind::Int), &["b"]);
        for (text, after, before) in [("-9999999999", 2, 0), ("9999999999", 0, 2)] {
            let lower = ReadRequest { from: from(CursorKind::Int, text), ..whole.clone() };
            ensure!(read(&*connector, lower).await?.len() == after, "{cursor} from {text}");
            let upper = ReadRequest { until: Some(mark(CursorKind::Int, text)), ..whole.clone() };
            ensure!(read(&*connector, upper).await?.len() == before, "{cursor} until {text}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn views_partitions_and_domains_are_tables_like_others() -> Result<()> {
    let system = Postgres::start().await?;
    system
        .database
        .run(
            "CREATE DOMAIN amount AS numeric(20, 4); CREATE DOMAIN price AS amount; \
             CREATE TABLE part (id int, at timestamptz, v price, gone int) PARTITION BY RANGE (id); \
             CREATE TABLE part_a PARTITION OF part FOR VALUES FROM (0) TO (10); \
             CREATE TABLE part_b PARTITION OF part FOR VALUES FROM (10) TO (20); \
             ALTER TABLE part DROP COLUMN gone; \
             INSERT INTO part SELECT n, '2026-01-01'::timestamptz + n * interval '1 hour', n FROM generate_series(0, 19) AS n; \
             CREATE VIEW seen AS SELECT id, at, v FROM part; CREATE MATERIALIZED VIEW kept AS SELECT * FROM part",
        )
        .await?;
    let connector = system.connector()?;
    let names: Vec<String> = connector.discover().await?.into_iter().map(|table| table.table.name).collect();
    ensure!(names == ["kept", "part", "seen"], "{names:?}");
    for (name, view) in [("part", false), ("seen", true), ("kept", true)] {
        let table = Postgres::table(name);
        let described = connector.describe(&table).await?;
        ensure!(described.view == view, "{name}");
        let kinds: Vec<Type> = described.columns.iter().map(|column| column.kind).collect();
        ensure!(kinds == [Type::Int, Type::Zoned, Type::Decimal], "{name}: {kinds:?}");
        let request = request(&table, &["v", "id", "at"], ("at", CursorKind::Zoned), &["id"]);
        let rows = read(&*connector, ReadRequest { batch_rows: 3, ..request }).await?;
        ensure!(rows.len() == 20 && rows[13][0] == shown(Cell::Decimal("13")), "{name}: {rows:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_number_of_rows_is_told_within_a_factor_of_two() -> Result<()> {
    const ROWS: u64 = 20_000;
    let system = Postgres::start().await?;
    let made = "CREATE TABLE counted WITH (autovacuum_enabled = off) AS SELECT n, repeat('x', n % 300) AS v \
        FROM generate_series(1, 20000) AS n";
    system.database.run(made).await?;
    let connector = system.connector()?;
    let table = Postgres::table("counted");
    ensure!(connector.describe(&table).await?.rows.is_none(), "nobody has counted yet");
    system.database.run("ANALYZE counted").await?;
    let listed = connector.discover().await?.into_iter().find(|listed| listed.table == table);
    let told = [listed.and_then(|listed| listed.rows), connector.describe(&table).await?.rows];
    let near = |rows: u64| (ROWS / 2..=ROWS * 2).contains(&rows);
    ensure!(told.iter().all(|rows| rows.is_some_and(near)), "{told:?} of {ROWS}");
    Ok(())
}
