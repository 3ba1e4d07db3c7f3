//! Slices: added up by one statement, in UTC whatever the rows' own offsets, and never a sum that is not exact.

use anyhow::Result;
use connector::{Cost, Cursor, CursorKind, Held, RunTag, SliceRequest, TableRef, Watermark};

use crate::home::Home;

fn request(table: TableRef, kind: CursorKind, bounds: (&str, &str), values: &[&str]) -> SliceRequest {
    let mark = |text: &str| Watermark::parse(kind, text).expect("a text of its kind");
    SliceRequest {
        table,
        cursor: Cursor { column: "C".to_owned(), kind },
        values: values.iter().map(|name| (*name).to_owned()).collect(),
        from: mark(bounds.0),
        until: mark(bounds.1),
        tag: RunTag { organization: "organization-1".to_owned(), stream: "stream-1".to_owned() },
        cost: Cost::default(),
    }
}

fn held(filled: u64, sum: Option<&str>) -> Held {
    Held { filled, sum: sum.map(str::to_owned) }
}

#[tokio::test]
async fn slices_are_one_statement_with_its_cost() -> Result<()> {
    let home = Home::new().await?;
    home.place.run("CREATE TABLE T (C NUMBER(38,0), V NUMBER(12,2))").await?;
    home.place
        .run("INSERT INTO T SELECT SEQ4() * 50000, SEQ4() FROM TABLE(GENERATOR(ROWCOUNT => 10))")
        .await?;
    let asked = request(home.table("T"), CursorKind::Int, ("0", "1000000"), &["V"]);
    let before = home.statements().len();
    let found = home.open()?.slices(asked.clone()).await?;
    let sums: Vec<_> = found.iter().map(|slice| (slice.number, slice.values[0].sum.as_deref())).collect();
    assert_eq!(sums, [(0, Some("1")), (1, Some("5")), (2, Some("9")), (3, Some("13")), (4, Some("17"))]);
    let adding: Vec<String> =
        home.statements().into_iter().skip(before).filter(|sql| sql.contains("SUM(")).collect();
    let sent = home.statements().len() - before;
    // The other one looked at the table's columns.
    assert_eq!((adding.len(), sent, asked.cost.take().statements), (1, 2, 2), "{adding:?}");
    Ok(())
}

#[tokio::test]
async fn the_day_of_an_instant_is_that_of_utc() -> Result<()> {
    let home = Home::new().await?;
    home.place.run("CREATE TABLE T (C TIMESTAMP_TZ(9), V NUMBER(12,0))").await?;
    home.place
        .run(
            "INSERT INTO T VALUES ('2026-03-02 05:29:59.999999999 +05:30', 1), \
             ('2026-03-01 16:00:00 -08:00', 2), ('2026-03-02 00:00:00 +00:00', 4)",
        )
        .await?;
    let days = ("2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z");
    let found = home.open()?.slices(request(home.table("T"), CursorKind::Zoned, days, &["V"])).await?;
    let told: Vec<_> = found
        .iter()
        .map(|slice| (slice.number, slice.newest.text.as_str(), slice.values[0].sum.as_deref()))
        .collect();
    let wanted =
        [(20_513, "2026-03-01T23:59:59.999999999Z", Some("1")), (20_514, "2026-03-02T00:00:00Z", Some("6"))];
    assert_eq!(told, wanted);
    Ok(())
}

#[tokio::test]
async fn a_sum_that_might_not_fit_is_left_out_and_keeps_no_other_from_being_told() -> Result<()> {
    let home = Home::new().await?;
    home.place.run("CREATE TABLE T (C NUMBER(38,0), V NUMBER(38,0), W NUMBER(38,37), F FLOAT)").await?;
    let most = "9".repeat(38);
    home.place
        .run(&format!(
            "INSERT INTO T VALUES (1, {most}, 0.000000001, 1.5), (2, {most}, 0.000000002, 1.5), \
             (100000, 5, 9.5, NULL), (100001, 6, 9.5, NULL)"
        ))
        .await?;
    let asked = request(home.table("T"), CursorKind::Int, ("0", "200000"), &["V", "W", "F"]);
    let found = home.open()?.slices(asked).await?;
    assert_eq!(found[0].values, [held(2, None), held(2, Some("0.000000003")), held(2, None)]);
    assert_eq!(found[1].values, [held(2, Some("11")), held(2, None), held(0, Some("0"))]);
    Ok(())
}
