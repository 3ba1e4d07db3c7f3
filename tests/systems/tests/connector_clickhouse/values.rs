//! Cells exactly as the engine holds them.

use anyhow::{Context, Result};
use connector::{Cell, CursorKind, Type};
use systems::clickhouse::{Database, User};

use crate::reading::{open, read, request, shown, table};

/// Makes a table of one column with these values, reads it, and gives the cells as variant and text.
async fn cells(database: &Database, native: &str, values: &[&str]) -> Result<Vec<String>> {
    let rows: Vec<String> = values.iter().enumerate().map(|(id, value)| format!("({id}, {value})")).collect();
    database.run("DROP TABLE IF EXISTS v").await?;
    database
        .run(&format!(
            "CREATE TABLE v (id UInt32, v {native}) ENGINE = MergeTree ORDER BY id SETTINGS allow_experimental_object_type = 0"
        ))
        .await
        .or(database.run(&format!("CREATE TABLE v (id UInt32, v {native}) ENGINE = MergeTree ORDER BY id")).await)?;
    database
        .run(&format!("INSERT INTO v SETTINGS enable_time_time64_type = 1 VALUES {}", rows.join(", ")))
        .await?;
    let connector = open(database, User::Reader)?;
    let request = request(table(database, "v"), &["id", "v"], ("id", CursorKind::Int), &[]);
    let batches = read(&*connector, &request).await?;
    let batch = batches.first().context("no batch")?;
    let described = connector.describe(&table(database, "v")).await?;
    let column = batch.column("v").context("no column")?;
    for row in 0..column.len() {
        let fits = match (column.cell(row), described.columns[1].kind) {
            (Cell::Null | Cell::Unreadable(_), _) => true,
            (Cell::Bool(_), kind) => kind == Type::Bool,
            (Cell::Int(_), kind) => kind == Type::Int,
            (Cell::Float(_), kind) => kind == Type::Float,
            (Cell::Decimal(_), kind) => kind == Type::Decimal,
            (Cell::Text(_), kind) => matches!(kind, Type::Text | Type::Other),
            (Cell::Date(_), kind) => kind == Type::Date,
            (Cell::Zoned(_), kind) => kind == Type::Zoned,
            (Cell::Json(_), kind) => kind == Type::Json,
            (Cell::Naive(_), _) => false,
        };
        assert!(fits, "{native} is described as {:?}", described.columns[1].kind);
    }
    Ok((0..column.len()).map(|row| shown(&column.cell(row))).collect())
}

#[tokio::test]
async fn pitfall_14_numbers_keep_every_digit() -> Result<()> {
    let database = Database::empty().await?;
    let (nines, one) = ("9".repeat(38), format!("0.{}1", "0".repeat(37)));
    let long = format!("{nines}.{nines}");
    for (native, value, wanted) in [
        ("Int8", "-128", "int -128"),
        ("Int64", "-9223372036854775808", "int -9223372036854775808"),
        ("UInt64", "18446744073709551615", "int 18446744073709551615"),
        (
            "Int128",
            "-170141183460469231731687303715884105728",
            "int -170141183460469231731687303715884105728",
        ),
        (
            "UInt128",
            "340282366920938463463374607431768211455",
            "decimal 340282366920938463463374607431768211455",
        ),
        (
            "Int256",
            "'-57896044618658097711785492504343953926634992332820282019728792003956564819968'",
            "decimal -57896044618658097711785492504343953926634992332820282019728792003956564819968",
        ),
        (
            "UInt256",
            "'115792089237316195423570985008687907853269984665640564039457584007913129639935'",
            "decimal 115792089237316195423570985008687907853269984665640564039457584007913129639935",
        ),
        ("Decimal(9, 4)", "'-12.3400'", "decimal -12.34"),
        ("Decimal(18, 18)", "'0.000000000000000001'", "decimal 0.000000000000000001"),
        ("Decimal(38, 0)", &format!("'{nines}'"), &format!("decimal {nines}")),
        ("Decimal(38, 38)", &format!("'{one}'"), &format!("decimal {one}")),
        ("Decimal(76, 38)", &format!("'-{long}'"), &format!("decimal -{long}")),
        ("Decimal(76, 38)", "0", "decimal 0"),
        ("Float64", "0.1", "float 0.1"),
        ("Float64", "1e300", &format!("float 1{}", "0".repeat(300))),
        ("Float32", "0.1", "float 0.1"),
        ("Float32", "16777216", "float 16777216"),
        ("BFloat16", "1.5", "float 1.5"),
        ("SimpleAggregateFunction(sum, UInt64)", "18446744073709551615", "int 18446744073709551615"),
    ] {
        assert_eq!(cells(&database, native, &[value]).await?, [wanted], "{native}");
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_14_floats_that_are_not_finite_stay_so() -> Result<()> {
    let database = Database::empty().await?;
    for native in ["Float64", "Float32", "Nullable(Float64)"] {
        let got = cells(&database, native, &["nan", "inf", "-inf", "-0.5"]).await?;
        assert_eq!(got, ["float NaN", "float inf", "float -inf", "float -0.5"], "{native}");
    }
    Ok(())
}

#[tokio::test]
async fn texts_dates_and_addresses_come_as_they_are() -> Result<()> {
    let database = Database::empty().await?;
    for (native, value, wanted) in [
        ("String", r"'it\'s \\ \n é 🦀'", "text it's \\ \n é 🦀"),
        ("String", "unhex('61FF62C3')", r"unreadable a\xffb\xc3"),
        ("String", "''", "text "),
        ("FixedString(6)", "'abc'", "text abc"),
        ("LowCardinality(Nullable(String))", "NULL", "null"),
        ("LowCardinality(String)", "'x'", "text x"),
        ("Bool", "true", "bool true"),
        ("Date", "'2149-06-06'", "date 2149-06-06"),
        ("Date32", "'1900-01-01'", "date 1900-01-01"),
        ("DateTime('Asia/Kolkata')", "'2026-02-28 05:30:00'", "zoned 2026-02-28T00:00:00Z"),
        ("DateTime64(9)", "'2262-04-11 00:00:00.123456789'", "zoned 2262-04-11T00:00:00.123456789Z"),
        ("DateTime64(3, 'UTC')", "'1900-01-01 00:00:00.001'", "zoned 1900-01-01T00:00:00.001Z"),
        ("DateTime64(0, 'UTC')", "'1969-12-31 23:59:59'", "zoned 1969-12-31T23:59:59Z"),
        ("UUID", "'61f0c404-5cb3-11e7-907b-a6006ad3dba0'", "text 61f0c404-5cb3-11e7-907b-a6006ad3dba0"),
        ("IPv4", "'192.0.2.1'", "text 192.0.2.1"),
        ("IPv6", "'2001:db8::1'", "text 2001:db8::1"),
        ("Enum8('a' = -1, 'it\\'s' = 2)", r"'it\'s'", "text it's"),
        ("Nullable(Enum16('far' = 1000))", "'far'", "text far"),
        ("IntervalDay", "INTERVAL 3 DAY", "text 3"),
        ("Nullable(Decimal(18, 2))", "NULL", "null"),
    ] {
        assert_eq!(cells(&database, native, &[value]).await?, [wanted], "{native} {value}");
    }
    Ok(())
}

#[tokio::test]
async fn values_with_parts_come_as_json() -> Result<()> {
    let database = Database::empty().await?;
    for (native, value, wanted) in [
        ("Array(UInt64)", "[18446744073709551615, 1]", "json [18446744073709551615,1]"),
        ("Array(Nullable(String))", "['a', NULL]", r#"json ["a",null]"#),
        ("Map(String, Decimal(18, 3))", "map('k', 1.5)", r#"json {"k":1.5}"#),
        ("Tuple(UInt8, String)", "(1, 'x')", r#"json [1,"x"]"#),
        ("Tuple(n UInt8, s String)", "(1, 'x')", r#"json {"n":1,"s":"x"}"#),
        ("Array(DateTime('Asia/Kolkata'))", "['2026-02-28 05:30:00']", r#"json ["2026-02-28T00:00:00Z"]"#),
        ("Array(Float64)", "[nan]", r#"json ["nan"]"#),
        ("JSON", r#"'{"a": {"b": [1, 2]}}'"#, r#"json {"a":{"b":[1,2]}}"#),
        ("Point", "(1, 2)", "json [1,2]"),
    ] {
        assert_eq!(cells(&database, native, &[value]).await?, [wanted], "{native}");
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_21_the_nulls_are_kept_apart() -> Result<()> {
    let database = Database::empty().await?;
    let got = cells(&database, "Nullable(String)", &["NULL", "'null'", "''"]).await?;
    assert_eq!(got, ["null", "text null", "text "]);
    let got = cells(&database, "Dynamic", &["NULL", "'null'", "7", "''"]).await?;
    assert_eq!(got, ["null", r#"json "null""#, "json 7", r#"json """#]);
    let got = cells(&database, "Array(Nullable(String))", &["[NULL]", "['null']", "[]"]).await?;
    assert_eq!(got, ["json [null]", r#"json ["null"]"#, "json []"]);
    let got = cells(&database, "Nullable(JSON)", &["NULL", r#"'{"a": "null"}'"#, "'{}'"]).await?;
    assert_eq!(got, ["null", r#"json {"a":"null"}"#, "json {}"]);
    Ok(())
}

#[tokio::test]
async fn states_of_aggregates_come_as_hexadecimal() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE a (id UInt8, s AggregateFunction(sum, UInt64)) ENGINE = AggregatingMergeTree ORDER BY id AS SELECT 1, sumState(toUInt64(258))").await?;
    let connector = open(&database, User::Reader)?;
    let request = request(table(&database, "a"), &["id", "s"], ("id", CursorKind::Int), &[]);
    let batches = read(&*connector, &request).await?;
    assert_eq!(shown(&batches[0].columns[1].cell(0)), "text 0201000000000000");
    Ok(())
}
