//! Statements as they are sent.

use serde_json::{Value, json};

use super::*;
use crate::bigquery::catalog;
use crate::{Cost, Cursor, RunTag, TableRef, Watermark};

fn table(more: Value) -> Known {
    let mut resource = json!({"type": "TABLE", "location": "EU", "schema": {"fields": [
        {"name": "at", "type": "TIMESTAMP"}, {"name": "id", "type": "INTEGER", "mode": "REQUIRED"},
        {"name": "name", "type": "STRING", "collation": "und:ci"}, {"name": "ratio", "type": "FLOAT"},
        {"name": "tags", "type": "STRING", "mode": "REPEATED"},
        {"name": "fine", "type": "TIMESTAMP", "timestampPrecision": "12"},
    ]}});
    for (name, value) in more.as_object().into_iter().flatten() {
        resource[name] = value.clone();
    }
    catalog::told("t", resource)
}

fn request(columns: &[&str], key: &[&str]) -> ReadRequest {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    ReadRequest {
        table: TableRef { catalog: None, schema: Some("d".to_owned()), name: "t".to_owned() },
        columns: owned(columns),
        cursor: Cursor { column: "at".to_owned(), kind: CursorKind::Zoned },
        key: owned(key),
        from: None,
        until: None,
        nulls: NullCursors::Skip,
        batch_rows: 10,
        batch_bytes: 10,
        cell_bytes: 10,
        tag: RunTag::default(),
        cost: Cost::default(),
    }
}

fn made(request: &ReadRequest, known: &Known, limit: Option<u64>) -> Result<Planned> {
    let columns = known.choose(&request.table, &request.columns)?;
    let key = known.choose(&request.table, &request.key)?;
    read(request, known, &columns, &key, limit)
}

fn sql(request: &ReadRequest, known: &Known) -> String {
    let planned = made(request, known, None).expect("a plan");
    let statement = planned.statement.expect("a statement");
    let bound = statement.parameters.iter().map(|it| format!("@{}", it.name)).collect::<Vec<_>>();
    assert!(bound.iter().all(|name| statement.sql.contains(name)), "{bound:?}: {}", statement.sql);
    statement.sql
}

fn at(text: &str, key: &[&str]) -> Option<Position> {
    let watermark = Watermark { kind: CursorKind::Zoned, text: text.to_owned() };
    Some(Position { watermark, key: key.iter().map(|cell| (*cell).to_owned()).collect() })
}

#[test]
fn a_first_read_asks_for_all_rows_with_a_cursor() {
    assert_eq!(
        sql(&request(&["at", "id"], &["id"]), &table(json!({}))),
        "SELECT `at`, `id` FROM `p`.`d`.`t` WHERE `at` IS NOT NULL ORDER BY `at` ASC NULLS FIRST, `id` ASC NULLS FIRST"
    );
    let asked = ReadRequest { nulls: NullCursors::First, ..request(&["at", "id"], &["id"]) };
    assert!(!sql(&asked, &table(json!({}))).contains("WHERE"));
    let limited = made(&asked, &table(json!({})), Some(7)).expect("a plan").statement.expect("a statement");
    assert!(limited.sql.ends_with(" LIMIT 7") && limited.location.as_deref() == Some("EU"));
}

#[test]
fn a_later_read_begins_at_its_row_and_names_the_cursor_alone_for_the_partitions() {
    let asked = ReadRequest {
        from: at("2026-01-01T00:00:00.5Z", &["7", "x"]),
        until: Some(Watermark { kind: CursorKind::Zoned, text: "2026-02-01T00:00:00Z".to_owned() }),
        nulls: NullCursors::First,
        ..request(&["at", "id"], &["id", "name"])
    };
    let known = table(json!({}));
    assert!(sql(&asked, &known).contains(
        "WHERE (`at` IS NULL OR (`at` >= @from AND (`at` > @from OR (`id` > @key0 OR (`id` = @key0 AND \
         COLLATE(`name`, '') >= @key1))) AND `at` <= @until)) ORDER BY `at` ASC NULLS FIRST, `id` ASC NULLS FIRST, \
         COLLATE(`name`, '') ASC NULLS FIRST"
    ));
    assert!(made(&asked, &known, None).expect("a plan").exact);
}

#[test]
fn a_key_that_cannot_be_compared_is_read_again_and_said_so() {
    let known = table(json!({}));
    for (key, cells, exact) in [
        (&["id"][..], &["7"][..], true),
        (&["at"], &["2026-01-01T00:00:00.5Z"], true),
        (&["id", "ratio"], &["7", "1.5"], false),
        (&["tags"], &["[]"], false),
        (&["id"], &[], false),
        (&[], &[], false),
        (&["id"], &["seven"], false),
    ] {
        let asked = ReadRequest { from: at("2026-01-01T00:00:00.5Z", cells), ..request(&["at", "id"], key) };
        let planned = made(&asked, &known, None).expect("a plan");
        assert_eq!(planned.exact, exact, "{key:?} {cells:?}");
    }
    let order = sql(&request(&["at"], &["tags", "ratio"]), &known);
    assert!(order.ends_with("TO_JSON_STRING(`tags`) ASC NULLS FIRST, `ratio` ASC NULLS FIRST"), "{order}");
}

#[test]
fn what_cannot_be_inside_is_not_asked_for() {
    let known = table(json!({}));
    let beyond = ReadRequest { from: at("99999-01-01T00:00:00Z", &[]), ..request(&["at"], &["id"]) };
    assert_eq!(made(&beyond, &known, None).expect("a plan").statement, None);
    let nulls = ReadRequest { nulls: NullCursors::First, ..beyond };
    assert!(sql(&nulls, &known).contains(" WHERE `at` IS NULL ORDER BY"));
}

#[test]
fn a_table_that_wants_a_filter_gets_one_or_is_refused() {
    let by = |column: Value| {
        table(json!({"timePartitioning": {"type": "DAY", "field": column}, "requirePartitionFilter": true}))
    };
    let asked = request(&["at"], &["id"]);
    assert!(sql(&asked, &by(json!("at"))).contains("WHERE `at` >= @least ORDER BY"));
    let nulls = ReadRequest { nulls: NullCursors::First, ..asked.clone() };
    assert!(sql(&nulls, &by(json!("at"))).contains("WHERE (`at` IS NULL OR (`at` >= @least)) ORDER BY"));
    for column in [json!("id"), Value::Null] {
        let error = made(&asked, &by(column), None).expect_err("it wants another filter");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.action().is_some_and(|hint| hint.contains("require_partition_filter")));
    }
}

#[test]
fn finer_instants_than_microseconds_are_read_as_text_and_are_no_cursors() {
    let known = table(json!({}));
    assert!(
        sql(&request(&["at", "fine"], &["id"]), &known)
            .starts_with("SELECT `at`, CAST(`fine` AS STRING) FROM")
    );
    let mut asked = request(&["fine"], &["id"]);
    asked.cursor.column = "fine".to_owned();
    assert_eq!(made(&asked, &known, None).expect_err("it is none").kind(), ErrorKind::Schema);
}

#[test]
fn names_are_quoted_whatever_they_hold() {
    for (name, quoted) in [("a", "`a`"), ("a`b", "`a\\`b`"), ("a\\", "`a\\\\`"), ("a.b; --", "`a.b; --`")] {
        assert_eq!(quote(name), quoted);
    }
}
