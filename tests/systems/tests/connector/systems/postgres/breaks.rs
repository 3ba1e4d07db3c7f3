//! Reads that break off, are slow, or are given up.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use connector::guard::Policy;
use connector::{CursorKind, ErrorKind, ReadRequest, Retry, SliceRequest, kinds};
use futures::StreamExt;
use secrecy::SecretString;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use systems::proxy::Proxy;

use super::{Postgres, SECRET};
use crate::reading::{mark, outcome, read, refused, request};
use crate::system::System;

async fn numbers(system: &Postgres, rows: usize) -> Result<ReadRequest> {
    system
        .database
        .run(&format!(
            "CREATE TABLE numbers (id int PRIMARY KEY, v text); \
             INSERT INTO numbers SELECT n, repeat('x', 100) FROM generate_series(1, {rows}) AS n"
        ))
        .await?;
    Ok(request(&Postgres::table("numbers"), &["id", "v"], ("id", CursorKind::Int), &["id"]))
}

#[tokio::test]
async fn pitfall_16_a_connection_cut_anywhere_is_an_error() -> Result<()> {
    let system = Postgres::start().await?;
    let asked = ReadRequest { batch_rows: 100, ..numbers(&system, 20_000).await? };
    let proxy = Proxy::start(system.database.server.port).await?;
    let through = |port: u16| system.connector_with(json!({ "port": port }), SECRET);
    let whole = proxy.received();
    ensure!(read(&*through(proxy.port)?, asked.clone()).await?.len() == 20_000);
    let size = proxy.received() - whole;
    let mut longest = 0;
    for part in [0, 1, 5, 10, 50, 90, 99] {
        proxy.cut_after(size * part / 100);
        let (rows, error) = refused(&*through(proxy.port)?, asked.clone()).await?;
        ensure!(error.kind() == ErrorKind::Unavailable, "cut at {part} %: {error:?}");
        ensure!(rows.len() < 20_000, "cut at {part} %");
        longest = longest.max(rows.len());
    }
    // The very last byte belongs to the proof that the result is whole.
    proxy.cut_after(size - 1);
    let end = outcome(&*through(proxy.port)?, asked).await;
    let rows: usize = end.batches.iter().map(connector::Batch::rows).sum();
    ensure!(end.error.is_some() || rows == 20_000, "{rows} rows and no error");
    ensure!(longest > 0, "no cut left any row");
    Ok(())
}

#[tokio::test]
async fn pitfall_16_a_view_that_fails_in_the_middle_ends_in_an_error() -> Result<()> {
    let system = Postgres::start().await?;
    let asked = numbers(&system, 20_000).await?;
    system.database.run("CREATE VIEW sick AS SELECT id, 1 / (id - 15000) AS v FROM numbers").await?;
    let asked = ReadRequest { table: Postgres::table("sick"), batch_rows: 100, ..asked };
    let (rows, error) = refused(&*system.connector()?, asked).await?;
    ensure!(rows.len() < 15_000 && rows.len() >= 10_000, "{} rows", rows.len());
    ensure!(error.kind() == ErrorKind::Schema && error.retry() == Retry::Never, "{error:?}");
    ensure!(error.system_text().is_some_and(|text| text.contains("division by zero")), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_connection_that_was_ended_is_opened_again() -> Result<()> {
    let system = Postgres::start().await?;
    let asked = numbers(&system, 10).await?;
    let connector = system.connector()?;
    for round in 0..3 {
        ensure!(read(&*connector, asked.clone()).await?.len() == 10, "round {round}");
        let reader = &system.database.name;
        system
            .database
            .run(&format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{reader}'"
            ))
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_slow_statement_is_stopped() -> Result<()> {
    let system = Postgres::start().await?;
    system.database.run("CREATE VIEW slow AS SELECT 1 AS id, pg_sleep(60)::text AS v").await?;
    let config = json!({
        "host": "127.0.0.1", "port": system.database.server.port,
        "database": system.database.name, "user": system.database.name,
    });
    let policy = Policy {
        networks: vec!["127.0.0.0/8".parse()?],
        statement_timeout: Duration::from_millis(300),
        ..Policy::default()
    };
    let connector = kinds::open("postgres", &config, Some(SecretString::from(SECRET)), &policy)?;
    let asked = request(&Postgres::table("slow"), &["id", "v"], ("id", CursorKind::Int), &["id"]);
    let (_, error) = refused(&*connector, asked).await?;
    ensure!(error.kind() == ErrorKind::Timeout && error.retry() == Retry::Later(None), "{error:?}");
    Ok(())
}

/// Statements of the reader that the server is running now, with its name for the connection.
async fn running(system: &Postgres) -> Result<Vec<(String, String)>> {
    let mut admin = PgConnection::connect(&system.database.url()).await?;
    let sql = "SELECT application_name, query FROM pg_stat_activity WHERE usename = $1 AND state = 'active'";
    Ok(sqlx::query_as(sql).bind(&system.database.name).fetch_all(&mut admin).await?)
}

#[tokio::test]
async fn dropping_a_read_stops_the_statement() -> Result<()> {
    let system = Postgres::start().await?;
    // The server computes for a minute before it sends the first row, so it cannot notice by sending.
    system
        .database
        .run("CREATE VIEW slow AS SELECT n AS id, pg_sleep(0.05)::text AS v FROM generate_series(1, 1200) AS n")
        .await?;
    let connector = system.connector()?;
    let asked = request(&Postgres::table("slow"), &["v", "id"], ("id", CursorKind::Int), &["id"]);
    let sorted = ReadRequest { key: vec!["v".to_owned()], ..asked };
    let mut stream = connector.read(sorted);
    let begun = async || loop {
        let seen = running(&system).await?;
        if let Some(found) = seen.into_iter().find(|(_, query)| query.contains("ORDER BY")) {
            return anyhow::Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    };
    let (name, query) = tokio::select! {
        _ = stream.next() => bail!("the statement ended early"),
        begun = begun() => begun?,
    };
    ensure!(name.starts_with("weir"), "the connection is called {name:?}");
    ensure!(
        format!("{name} {query}").contains("organization-1")
            && format!("{name} {query}").contains("stream-1"),
        "{name:?} runs {query}"
    );
    drop(stream);
    for _ in 0..100 {
        if running(&system).await?.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("the statement still runs ten seconds later")
}

#[tokio::test]
async fn a_poll_that_finds_nothing_uses_the_index() -> Result<()> {
    let system = Postgres::start().await?;
    let asked = numbers(&system, 200_000).await?;
    system.database.run("ANALYZE numbers").await?;
    let connector = system.connector()?;
    let asked = ReadRequest { from: crate::reading::from(CursorKind::Int, "200001"), ..asked };
    ensure!(read(&*connector, asked.clone()).await?.is_empty());
    let before = scans(&system).await?;
    ensure!(read(&*connector, asked).await?.is_empty());
    let after = scans(&system).await?;
    ensure!(after.0 == before.0, "the whole table was scanned");
    ensure!(after.1 > before.1, "the index was not used");
    Ok(())
}

/// Sequential and index scans of the table, counted by the server.
async fn scans(system: &Postgres) -> Result<(i64, i64)> {
    // Counters are sent when a transaction ends, at most once a second.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let mut admin = PgConnection::connect(&system.database.url()).await?;
    let sql = "SELECT seq_scan, idx_scan FROM pg_stat_user_tables WHERE relname = 'numbers'";
    Ok(sqlx::query_as(sql).fetch_one(&mut admin).await?)
}

#[tokio::test]
async fn what_a_read_costs_is_counted() -> Result<()> {
    let system = Postgres::start().await?;
    let asked = numbers(&system, 5_000).await?;
    let connector = system.connector()?;
    for _ in 0..2 {
        ensure!(read(&*connector, asked.clone()).await?.len() == 5_000);
        // The transaction with its settings, the look at the catalog, and the rows.
        let spent = asked.cost.take();
        ensure!(spent.statements == 3 && spent.micros > 0, "{spent:?}");
    }
    // By the way of a run: the transaction each time, the look at the catalog, and the clock.
    asked.cost.charge(connector.describe(&asked.table)).await?;
    asked.cost.charge(connector.clock()).await?;
    let spent = asked.cost.take();
    ensure!(spent.statements == 4 && spent.micros > 0, "{spent:?}");
    let slices = SliceRequest {
        table: asked.table.clone(),
        cursor: asked.cursor.clone(),
        values: vec!["id".to_owned()],
        from: mark(CursorKind::Int, "0"),
        until: mark(CursorKind::Int, "9"),
        tag: asked.tag.clone(),
        cost: asked.cost.clone(),
    };
    ensure!(connector.slices(slices).await?.len() == 1);
    let spent = asked.cost.take();
    ensure!(spent.statements == 3 && spent.micros > 0, "{spent:?}");
    Ok(())
}
