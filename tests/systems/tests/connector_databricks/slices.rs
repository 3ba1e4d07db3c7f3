//! Slices: added up by one statement, with the stream's tag, and never a sum that is not exact.

use anyhow::Result;
use connector::{Cost, Cursor, CursorKind, Held, RunTag, SliceRequest, Watermark};
use systems::databricks::{Call, Server, Type, Value, column};

use crate::opening::open;

#[tokio::test]
async fn slices_are_one_statement_and_leave_out_what_might_not_fit() -> Result<()> {
    let server = Server::start().await?;
    let columns = vec![
        column("c", Type::Int("BIGINT")),
        column("n", Type::Int("BIGINT")),
        column("d", Type::Decimal(38, 0)),
        column("f", Type::Double),
    ];
    let table = server.create("sums", columns);
    let most = 10_i128.pow(38) - 1;
    let row = |c: i64, n: i64, d: i128| {
        vec![Value::Int(c), Value::Int(n), Value::Decimal(d, 0), Value::Double(0.5)]
    };
    server.insert(&table, vec![row(1, i64::MAX, most), row(2, i64::MAX, 1), row(-1, 1, most)])?;
    let connector = open(&server)?;
    let mark = |text: &str| Watermark::parse(CursorKind::Int, text).expect("an integer");
    let asked = SliceRequest {
        table,
        cursor: Cursor { column: "c".to_owned(), kind: CursorKind::Int },
        values: ["n", "d", "f"].map(str::to_owned).into(),
        from: mark("-10"),
        until: mark("10"),
        tag: RunTag { organization: "organization-1".to_owned(), stream: "stream-1".to_owned() },
        cost: Cost::default(),
    };
    server.heard();
    let found = connector.slices(asked.clone()).await?;
    let held = |filled, sum: Option<&str>| Held { filled, sum: sum.map(str::to_owned) };
    let nines = "9".repeat(38);
    assert_eq!(found.iter().map(|slice| slice.number).collect::<Vec<_>>(), [-1, 0]);
    assert_eq!(found[0].values, [held(1, Some("1")), held(1, Some(&nines)), held(1, None)]);
    assert_eq!(found[1].values, [held(2, Some("18446744073709551614")), held(2, None), held(2, None)]);
    let heard = server.heard();
    let sent: Vec<&str> = heard
        .iter()
        .filter(|heard| heard.call == Call::Submit)
        .filter_map(|heard| heard.body["statement"].as_str())
        .filter(|text| text.contains("GROUP BY"))
        .collect();
    assert!(
        matches!(sent.as_slice(), [one] if one.ends_with("/* Weir/organization-1/stream-1 */")),
        "{sent:?}"
    );
    assert_eq!(asked.cost.take().statements, 1);
    Ok(())
}
