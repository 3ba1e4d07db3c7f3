//! Rows that are committed below the watermark, and rows tied with it: how many each side finds.

#![expect(clippy::print_stdout, reason = "figures go to standard output, one JSON object a line")]

use anyhow::{Result, ensure};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use super::engine::Engine;
use super::{Bench, dlt};

/// Counts what both sides have found of a hundred late and a hundred tied rows after their next run.
///
/// # Errors
/// When a side fails, or Weir misses a row.
pub async fn run(bench: &Bench) -> Result<()> {
    let warehouse = bench.warehouse.url();
    let (ours, theirs) = (bench.server.database().await?, bench.server.database().await?);
    let mut engine = Engine::start(&ours.url(), &warehouse)?;
    let peer = dlt::Peer::install(&theirs.url(), &warehouse)?;
    bench.ours(&mut engine, "sync")?;
    peer.run()?;
    let mut found = Vec::new();
    for (first, older) in [(2_000_000_000_i64, 10), (2_000_000_100, 0)] {
        let add = format!(
            "INSERT INTO usage SELECT {first} + n, 'acct-1', 'metric-2', n, timestamptz '2030-01-01 00:00+00' + \
             ({first} % 1000 + n) * interval '1 minute', \
             (SELECT max(updated_at) FROM usage) - {older} * interval '1 second' FROM generate_series(0, 99) AS n"
        );
        let mut connection = PgConnection::connect(&warehouse).await?;
        connection.execute(AssertSqlSafe(add)).await?;
        connection.close().await?;
        bench.ours(&mut engine, "sync")?;
        peer.run()?;
        let keys = format!("({first} + n)::text FROM generate_series(0, 99) AS n");
        let weir = count(&ours.url(), &format!("measurement WHERE row_key IN (SELECT {keys})")).await?;
        let dlt = count(&theirs.url(), &format!("copy.usage WHERE id::text IN (SELECT {keys})")).await?;
        ensure!(
            weir == 100,
            "Weir found {weir} of 100 rows that are {older} seconds older than the watermark"
        );
        found.push(json!({ "weir": weir, "dlt": dlt }));
    }
    println!("{}", json!({ "what": "found of 100", "late_10_seconds": found[0], "tied": found[1] }));
    Ok(())
}

async fn count(database: &str, of: &str) -> Result<i64> {
    let mut connection = PgConnection::connect(database).await?;
    let row = sqlx::query(AssertSqlSafe(format!("SELECT count(*) AS found FROM {of}")))
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(row.try_get("found")?)
}
