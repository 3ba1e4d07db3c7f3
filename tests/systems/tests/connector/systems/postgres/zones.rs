//! Pitfall 8: servers, databases and roles with a time zone of their own.

use anyhow::{Result, ensure};
use connector::{CursorKind, Position, ReadRequest};

use super::Postgres;
use crate::reading::{batches, mark, position, read, request};
use crate::system::{System, filled};
use crate::table::{Holds, Value, column, key};

#[tokio::test]
async fn pitfall_08_the_session_is_in_utc_whatever_the_server_says() -> Result<()> {
    let system = Postgres::start().await?;
    let columns = [column("naive", Holds::Naive), column("zoned", Holds::Zoned), key("id", Holds::Int)];
    let at = |hour: u32| Value::text(format!("2026-03-08 {hour:02}:30:00.123456"));
    let rows: Vec<_> = (0..24).map(|hour| vec![at(hour), at(hour), Value::number(hour)]).collect();
    let table = filled(&system, "hours", &columns, &rows).await?;
    let name = &system.database.name;
    let mut seen: Option<Vec<Vec<String>>> = None;
    for zone in ["UTC", "America/Los_Angeles", "Etc/GMT+8", "Asia/Kolkata"] {
        system
            .database
            .run(&format!(
                "ALTER DATABASE \"{name}\" SET timezone = '{zone}'; ALTER ROLE \"{name}\" SET timezone = '{zone}'; \
                 ALTER ROLE \"{name}\" SET DateStyle = 'German, DMY'; ALTER ROLE \"{name}\" SET IntervalStyle = 'iso_8601'"
            ))
            .await?;
        let connector = system.connector()?;
        for (cursor, kind) in [("naive", CursorKind::Naive), ("zoned", CursorKind::Zoned)] {
            let request = ReadRequest {
                batch_rows: 5,
                ..request(&table, &["id", "naive", "zoned"], (cursor, kind), &["id"])
            };
            let whole = batches(&*connector, request.clone()).await?;
            let all = read(&*connector, request.clone()).await?;
            ensure!(seen.get_or_insert_with(|| all.clone()) == &all, "{zone}: {all:?}");
            let mut count = 0;
            for batch in &whole {
                count += batch.rows();
                let from = Some(position(batch, &request));
                let rest = read(&*connector, ReadRequest { from, ..request.clone() }).await?;
                ensure!(rest.len() == 25 - count, "{zone} {cursor}: {} rows after {count}", rest.len());
            }
            let text = if kind == CursorKind::Zoned {
                "2026-03-08T12:30:00.123456Z"
            } else {
                "2026-03-08 12:30:00.123456"
            };
            let noon = Some(Position { watermark: mark(kind, text), key: Vec::new() });
            ensure!(
                read(&*connector, ReadRequest { from: noon, ..request }).await?.len() == 12,
                "{zone} {cursor}"
            );
        }
    }
    Ok(())
}
