//! Warehouses as a program, for tests that are not written in Rust: the strict Snowflake and Databricks, an emulator of
//! BigQuery behind its gate, and a real ClickHouse engine, each with a few rows.
//!
//! The first line it prints is JSON: what to connect with. Then it takes lines of JSON, `{"system", "statement"}`, runs
//! each statement as that system's administrator, and prints `{"error"}` for each: null, or why it was refused. It ends
//! with its input.

#![expect(clippy::print_stdout, reason = "a command-line program")]

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::json;
use systems::databricks::{self, Type, Value, column, key};
use systems::{bigquery, clickhouse, snowflake};

/// Accounts as two CRMs number them.
const ACCOUNTS: [&str; 4] = ["8120000001", "8120000002", "8120000003", "0015e00002AbCdEAAV"];
const DAYS: u32 = 5;
/// What BigQuery reckons for a read of the whole table and for one of what is new, in bytes. The emulator's own table is
/// too small for a figure worth showing.
const RECKONED: (u64, u64) = (4 << 30, 1_288_490_189);

/// What is to be run where.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    system: String,
    statement: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let snowflake = snowflake::Server::start().await?;
    let place = snowflake.place().await?;
    let databricks = databricks::Server::start().await?;
    let engine = clickhouse::Database::empty().await?;
    let google = bigquery::Place::empty(bigquery::Emulator::Local).await?;
    fill_bigquery(&google).await?;
    fill_snowflake(&place).await?;
    fill_databricks(&databricks)?;
    fill_clickhouse(&engine).await?;
    let account = place.user(snowflake::Who::Reader);
    println!(
        "{}",
        json!({
            "snowflake": {
                "url": snowflake.url(), "account": account.account, "database": account.database,
                "schema": account.schema, "table": "USAGE",
            },
            "databricks": {
                "url": databricks.url(), "warehouse": databricks::WAREHOUSE, "client": databricks::CLIENT,
                "secret": databricks::SECRET, "token": databricks::TOKEN, "table": "usage",
            },
            "bigquery": {
                "url": google.gate.url(), "project": bigquery::place::PROJECT, "dataset": google.dataset,
                "key": google.gate.key_file(), "table": "usage",
            },
            "clickhouse": {
                "port": engine.server.port, "database": engine.name, "table": "usage",
                "user": clickhouse::User::Reader.name(), "password": engine.server.password(clickhouse::User::Reader),
            },
        })
    );
    // Nothing else waits on this thread: the servers have their own.
    for line in std::io::stdin().lines() {
        let Order { system, statement } = serde_json::from_str(&line?)?;
        let done = match system.as_str() {
            "snowflake" => place.run(&statement).await,
            "clickhouse" => engine.run(&statement).await.map(drop),
            other => bail!("no statement can be run on {other}"),
        };
        println!("{}", json!({ "error": done.err().map(|error| format!("{error:#}")) }));
    }
    Ok(())
}

/// One row per account and day: its account, day and value.
fn rows() -> impl Iterator<Item = (&'static str, u32, usize)> {
    (1..=DAYS).flat_map(|day| {
        ACCOUNTS.iter().enumerate().map(move |(number, account)| (*account, day, 100 + number))
    })
}

/// A table without partitions.
async fn fill_bigquery(place: &bigquery::Place) -> Result<()> {
    let fields = json!([
        {"name": "account_id", "type": "STRING", "mode": "REQUIRED"},
        {"name": "metric", "type": "STRING", "mode": "REQUIRED"},
        {"name": "value", "type": "INT64"},
        {"name": "measured_at", "type": "TIMESTAMP", "mode": "REQUIRED"},
    ]);
    place.create("usage", json!({ "schema": { "fields": fields } })).await?;
    let rows: Vec<String> = rows()
        .map(|(account, day, value)| {
            format!("('{account}', 'credits', {value}, TIMESTAMP '2026-03-{day:02} 00:00:00+00')")
        })
        .collect();
    let into =
        format!("INSERT INTO {} (`account_id`, `metric`, `value`, `measured_at`)", place.table("usage"));
    place.run(&format!("{into} VALUES {}", rows.join(", ")), &[]).await?;
    let trial = |seen: &bigquery::Seen| seen.body["dryRun"] == true;
    let bound = move |seen: &bigquery::Seen| trial(seen) && !seen.body["queryParameters"].is_null();
    let (whole, new) = RECKONED;
    place
        .gate
        .change(usize::MAX, bound, move |answer| answer["totalBytesProcessed"] = json!(new.to_string()));
    place
        .gate
        .change(usize::MAX, trial, move |answer| answer["totalBytesProcessed"] = json!(whole.to_string()));
    Ok(())
}

async fn fill_snowflake(place: &snowflake::Place) -> Result<()> {
    let columns = "(ACCOUNT_ID VARCHAR, METRIC VARCHAR, VALUE NUMBER(18,2), MEASURED_AT TIMESTAMP_NTZ(9))";
    place.run(&format!("CREATE TABLE USAGE {columns}")).await?;
    for (account, day, value) in rows() {
        let row = format!("('{account}', 'credits', {value}, '2026-03-{day:02} 00:00:00')");
        place.run(&format!("INSERT INTO USAGE VALUES {row}")).await?;
    }
    Ok(())
}

fn fill_databricks(server: &databricks::Server) -> Result<()> {
    let columns = vec![
        key("account_id", Type::Text),
        key("metric", Type::Text),
        column("value", Type::Int("BIGINT")),
        key("measured_at", Type::Zoned),
    ];
    let table = server.create("usage", columns);
    let row = |(account, day, value): (&str, u32, usize)| {
        let at = Value::parse(&Type::Zoned, &format!("2026-03-{day:02} 00:00:00Z")).context("a time")?;
        let text = |text: &str| Value::Text(text.to_owned());
        Ok(vec![text(account), text("credits"), Value::Int(i64::try_from(value)?), at])
    };
    server.insert(&table, rows().map(row).collect::<Result<_>>()?)
}

async fn fill_clickhouse(engine: &clickhouse::Database) -> Result<()> {
    let columns = "(account_id String, metric String, value Decimal(18, 2), measured_at DateTime('UTC'))";
    engine
        .run(&format!("CREATE TABLE usage {columns} ENGINE = MergeTree ORDER BY (measured_at, account_id)"))
        .await?;
    let rows: Vec<String> = rows()
        .map(|(account, day, value)| {
            format!("('{account}', 'credits', {value}, '2026-03-{day:02} 00:00:00')")
        })
        .collect();
    engine.run(&format!("INSERT INTO usage VALUES {}", rows.join(", "))).await?;
    Ok(())
}
