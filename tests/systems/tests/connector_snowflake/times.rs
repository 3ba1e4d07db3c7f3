//! Times: to the last digit, in UTC whatever the account's zone, naive and zoned apart.

use anyhow::Result;
use connector::{CursorKind, Watermark};

use crate::home::{Home, column, position, read, request};

const ZONES: [&str; 3] = ["TIMESTAMP_NTZ(9)", "TIMESTAMP_LTZ(9)", "TIMESTAMP_TZ(9)"];

#[tokio::test]
async fn pitfall_07_every_digit_of_a_cursor_counts() -> Result<()> {
    let home = Home::new().await?;
    let connector = home.open()?;
    for (at, native) in ZONES.into_iter().enumerate() {
        let name = format!("T{at}");
        home.place.run(&format!("CREATE TABLE {name} (C {native}, ID NUMBER(38,0))")).await?;
        let zone = if at == 0 { "" } else { " +05:30" };
        let rows: Vec<String> =
            (0..10).map(|n| format!("('2026-02-28 10:00:00.12345678{n}{zone}', {n})")).collect();
        home.place.run(&format!("INSERT INTO {name} VALUES {}", rows.join(", "))).await?;
        let kind = if at == 0 { CursorKind::Naive } else { CursorKind::Zoned };
        let mut asked = request(home.table(&name), &["C", "ID"], ("C", kind), &["ID"]);
        let cursors = column(&read(&*connector, &asked).await?, "C");
        let wanted = if at == 0 {
            "naive 2026-02-28 10:00:00.123456789"
        } else {
            "zoned 2026-02-28T04:30:00.123456789Z"
        };
        assert_eq!(cursors[9], wanted, "{native}");
        for (place, text) in cursors.iter().enumerate() {
            let text = text.split_once(' ').expect("variant and text").1;
            asked.from = position(kind, text, &[]);
            asked.until = None;
            assert_eq!(column(&read(&*connector, &asked).await?, "ID").len(), 10 - place, "{native}");
            asked.from = None;
            asked.until = Watermark::parse(kind, text);
            assert_eq!(column(&read(&*connector, &asked).await?, "ID").len(), place + 1, "{native}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_07_bounds_finer_than_the_column_neither_lose_nor_add_rows() -> Result<()> {
    let home = Home::new().await?;
    home.place.run("CREATE TABLE T (C TIMESTAMP_NTZ(3), ID NUMBER(38,0))").await?;
    home.place
        .run("INSERT INTO T VALUES ('2026-02-28 10:00:00.001', 1), ('2026-02-28 10:00:00.002', 2)")
        .await?;
    let connector = home.open()?;
    let mut asked = request(home.table("T"), &["C", "ID"], ("C", CursorKind::Naive), &["ID"]);
    asked.from = position(CursorKind::Naive, "2026-02-28 10:00:00.0010005", &[]);
    assert_eq!(column(&read(&*connector, &asked).await?, "ID"), ["int 2"]);
    asked.from = None;
    asked.until = Watermark::parse(CursorKind::Naive, "2026-02-28 10:00:00.0019999");
    assert_eq!(column(&read(&*connector, &asked).await?, "ID"), ["int 1"]);
    Ok(())
}

#[tokio::test]
async fn pitfall_08_the_accounts_zone_moves_no_bound() -> Result<()> {
    // The server's sessions are in America/Los_Angeles unless they say otherwise.
    let home = Home::new().await?;
    home.place
        .run("CREATE TABLE T (N TIMESTAMP_NTZ(9), L TIMESTAMP_LTZ(9), Z TIMESTAMP_TZ(9), ID NUMBER(38,0))")
        .await?;
    for hour in 0..24 {
        let utc = format!("2026-01-01 {hour:02}:00:00");
        home.place
            .run(&format!("INSERT INTO T VALUES ('{utc}', '{utc} +00:00', '{utc} +00:00', {hour})"))
            .await?;
    }
    let connector = home.open()?;
    for (name, kind, end) in
        [("N", CursorKind::Naive, ""), ("L", CursorKind::Zoned, "Z"), ("Z", CursorKind::Zoned, "Z")]
    {
        let between = if end.is_empty() { " " } else { "T" };
        let mut asked = request(home.table("T"), &[name, "ID"], (name, kind), &["ID"]);
        asked.from = position(kind, &format!("2026-01-01{between}03:00:00{end}"), &["3"]);
        asked.until = Watermark::parse(kind, &format!("2026-01-01{between}05:00:00{end}"));
        assert_eq!(column(&read(&*connector, &asked).await?, "ID"), ["int 3", "int 4", "int 5"], "{name}");
        assert_eq!(
            connector.newest(&home.table("T"), &asked.cursor).await?,
            Watermark::parse(kind, &format!("2026-01-01{between}23:00:00{end}"))
        );
    }
    Ok(())
}

#[tokio::test]
async fn times_before_1970_keep_their_fraction() -> Result<()> {
    let home = Home::new().await?;
    home.place
        .run("CREATE TABLE T (ID NUMBER(38,0), N TIMESTAMP_NTZ(9), Z TIMESTAMP_TZ(9), D DATE, C TIME(9))")
        .await?;
    home.place
        .run("INSERT INTO T VALUES (1, '1969-12-31 23:59:59.5', '1969-12-31 23:59:59.5 +02:00', '1969-12-31', '23:59:59.5')")
        .await?;
    let asked = request(home.table("T"), &["N", "Z", "D", "C", "ID"], ("ID", CursorKind::Int), &[]);
    let batches = read(&*home.open()?, &asked).await?;
    assert_eq!(column(&batches, "N"), ["naive 1969-12-31 23:59:59.5"]);
    assert_eq!(column(&batches, "Z"), ["zoned 1969-12-31T21:59:59.5Z"]);
    assert_eq!(column(&batches, "D"), ["date 1969-12-31"]);
    assert_eq!(column(&batches, "C"), ["text 23:59:59.5"]);
    Ok(())
}
