//! Statements as they are sent, whole.

use super::*;
use crate::{Cost, Cursor, RunTag, Watermark};

fn expected(name: &str, native: Native) -> Expected {
    Expected { name: name.to_owned(), native }
}

fn request() -> ReadRequest {
    ReadRequest {
        table: TableRef { catalog: Some("D".into()), schema: Some("S".into()), name: "T".into() },
        columns: vec!["AT".into(), "ID".into()],
        cursor: Cursor { column: "AT".into(), kind: CursorKind::Naive },
        key: vec!["ID".into()],
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

fn statement(request: &ReadRequest, key: &[Expected], nullable: bool) -> Option<Statement> {
    let columns = [expected("AT", Native::Ntz(9)), expected("ID", Native::Fixed(38, 0))];
    read(request, &request.table, &columns, key, nullable, Start::At).expect("a statement")
}

fn at(text: &str) -> Watermark {
    Watermark { kind: CursorKind::Naive, text: text.to_owned() }
}

#[test]
fn a_read_is_one_statement_with_its_values_in_order() {
    let key = [expected("ID", Native::Fixed(38, 0)), expected("na\"me", Native::Text)];
    let mut asked = request();
    asked.key = vec!["ID".into(), "na\"me".into()];
    asked.from = Some(Position { watermark: at("2026-01-01 00:00:00.5"), key: vec!["7".into(), "x".into()] });
    asked.until = Some(at("2026-01-02 00:00:00"));
    let made = statement(&asked, &key, true).expect("rows may be inside");
    let cast = "CAST(? AS TIMESTAMP_NTZ(9))";
    let number = "CAST(? AS NUMBER(38,0))";
    assert_eq!(
        made.sql,
        format!(
            "SELECT \"AT\", \"ID\" FROM \"D\".\"S\".\"T\" WHERE \"AT\" >= {cast} AND (\"AT\" > {cast} OR \
             (\"ID\" > {number} OR \"ID\" IS NULL OR (\"ID\" = {number} AND (\"na\"\"me\" >= ? OR \"na\"\"me\" IS NULL)))) \
             AND \"AT\" <= {cast} ORDER BY \"AT\" ASC, \"ID\" ASC NULLS LAST, \"na\"\"me\" ASC NULLS LAST"
        )
    );
    let from = "2026-01-01 00:00:00.5";
    assert_eq!(made.values, [from, from, "7", "7", "x", "2026-01-02 00:00:00"]);
    assert_eq!(made.sql.matches('?').count(), made.values.len());
}

#[test]
fn a_lost_result_goes_on_at_its_last_row_where_that_can_be_named() {
    let columns = [expected("AT", Native::Ntz(9)), expected("ID", Native::Fixed(38, 0))];
    let mut asked = request();
    asked.from = Some(Position { watermark: at("2026-01-01 00:00:00"), key: vec!["7".into()] });
    let made = |asked: &ReadRequest, key: &[Expected]| {
        read(asked, &asked.table, &columns, key, false, Start::Again).map(|made| made.map(|it| it.sql))
    };
    let sql = made(&asked, &columns[1..]).expect("a statement").expect("rows may be inside");
    assert!(sql.contains("(\"ID\" >= CAST(? AS NUMBER(38,0)) OR \"ID\" IS NULL)"), "{sql}");
    // A key that cannot be compared, or none, names no row.
    assert!(made(&asked, &[expected("ID", Native::Real)]).is_err());
    assert!(made(&asked, &[]).is_err());
    asked.cursor = Cursor { column: "ID".into(), kind: CursorKind::Int };
    asked.from = Some(Position {
        watermark: Watermark { kind: CursorKind::Int, text: "7".to_owned() },
        key: vec!["7".into()],
    });
    let sql = made(&asked, &columns[1..]).expect("a statement").expect("rows may be inside");
    assert!(sql.contains("WHERE \"ID\" >= CAST(? AS NUMBER(38,0)) ORDER BY"), "{sql}");
    // Under a collation `>` would pass over keys that only bytes tell apart.
    asked = ReadRequest { key: vec!["name".into()], ..request() };
    asked.from = Some(Position { watermark: at("2026-01-01 00:00:00"), key: vec!["a".into()] });
    let sql = made(&asked, &[expected("name", Native::Text)]).expect("a statement").expect("rows");
    assert!(sql.contains("(\"name\" >= ? OR \"name\" IS NULL)"), "{sql}");
}

#[test]
fn pitfall_11_rows_without_a_cursor_come_first_in_the_same_statement() {
    let key = [expected("ID", Native::Fixed(38, 0))];
    let mut asked = request();
    let whole = |asked: &ReadRequest, nullable| statement(asked, &key, nullable).map(|it| it.sql);
    let select = "SELECT \"AT\", \"ID\" FROM \"D\".\"S\".\"T\"";
    let order = "ASC, \"ID\" ASC NULLS LAST";
    let skipped = format!("{select} WHERE \"AT\" IS NOT NULL ORDER BY \"AT\" {order}");
    assert_eq!(whole(&asked, true), Some(skipped));
    assert_eq!(whole(&asked, false), Some(format!("{select} ORDER BY \"AT\" {order}")));
    asked.nulls = NullCursors::First;
    let first = "ASC NULLS FIRST, \"ID\" ASC NULLS LAST";
    assert_eq!(whole(&asked, true), Some(format!("{select} ORDER BY \"AT\" {first}")));
    assert_eq!(whole(&asked, false), Some(format!("{select} ORDER BY \"AT\" {order}")));
    asked.until = Some(at("2026-01-02 00:00:00"));
    let condition = "(\"AT\" IS NULL OR (\"AT\" <= CAST(? AS TIMESTAMP_NTZ(9))))";
    assert_eq!(whole(&asked, true), Some(format!("{select} WHERE {condition} ORDER BY \"AT\" {first}")));
}

#[test]
fn bounds_past_every_value_leave_nothing_but_nulls() {
    let (mut asked, key) = (request(), []);
    asked.cursor = Cursor { column: "ID".into(), kind: CursorKind::Int };
    asked.from = Some(Position {
        watermark: Watermark { kind: CursorKind::Int, text: i128::MAX.to_string() },
        key: Vec::new(),
    });
    assert_eq!(statement(&asked, &key, true), None);
    asked.nulls = NullCursors::First;
    let nulls = statement(&asked, &key, true).expect("rows without a cursor");
    assert!(nulls.sql.ends_with("WHERE \"ID\" IS NULL ORDER BY \"ID\" ASC NULLS FIRST"), "{}", nulls.sql);
    assert_eq!(nulls.values, Vec::<String>::new());
}

#[test]
fn a_table_is_named_in_full() {
    let mut config: Config =
        serde_json::from_value(crate::snowflake::config::tests::right()).expect("a configuration");
    let table = TableRef { catalog: None, schema: Some("S".into()), name: "a\"b.c".into() };
    assert_eq!(full(&table, &config).expect_err("no database").kind(), ErrorKind::Config);
    config.database = Some("D".into());
    assert_eq!(table_name(&full(&table, &config).expect("whole")), "\"D\".\"S\".\"a\"\"b.c\"");
}
