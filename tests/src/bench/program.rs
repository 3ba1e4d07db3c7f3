//! The `weir` program itself, as a customer runs it: a first load and empty polls, through interface, scheduler and
//! workers, and the memory of the whole process.

#![expect(clippy::print_stdout, reason = "figures go to standard output, one JSON object a line")]

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use sea_orm::{ConnectionTrait, QueryResult, Statement};
use serde_json::{Value, json};
use server::db::Db;
use systems::ports::free_port;

use super::promise::Promise;
use super::{Bench, cpu, seed};
use crate::demo::client::{Client, Founder};
use crate::demo::server::{Server, Settings};
use crate::postgres::Database;

/// Empty polls, one after the other.
const POLLS: u32 = 40;
/// Polls before them: each connection of the pool has planned each statement by then.
const WARM: i64 = 40;
/// Between two looks at the database, whose answers count as the program's.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a load may take.
const LIMIT: Duration = Duration::from_secs(900);

/// A running `weir` with one stream over the warehouse.
struct Program<'a> {
    bench: &'a Bench,
    server: Server,
    client: Client,
    stream: Value,
    db: Db,
}

/// Measures the program on PostgreSQL and on SQLite.
///
/// # Errors
/// When it fails, or a run does not read what there is.
pub async fn run(bench: &Bench) -> Result<Vec<Promise>> {
    let database = bench.server.database().await?;
    Ok(vec![measure(bench, "PostgreSQL", Some(&database)).await?, measure(bench, "SQLite", None).await?])
}

async fn measure(bench: &Bench, store: &str, database: Option<&Database>) -> Result<Promise> {
    let folder = tempfile::tempdir()?;
    let settings = Settings {
        program: std::env::current_exe()?.with_file_name("weir"),
        data: folder.path().join("data"),
        port: free_port()?,
        database: database.map(Database::url),
        folder: folder.path().to_owned(),
        more: vec![("SOURCES__NETWORKS", r#"["127.0.0.0/8"]"#.to_owned())],
    };
    let file = format!("sqlite:{}", settings.data.join("weir.db").display());
    let url = settings.database.clone().unwrap_or(file);
    let program = Program::start(bench, &settings, url).await?;
    let idle = program.peak()?;

    let before = program.cpu()?;
    let begun = Instant::now();
    let run = json!({ "streamId": program.stream });
    program.client.change("syncRunStart", run, "syncRun { id }").await?;
    program.until_ended(1).await?;
    let (wall, after) = (begun.elapsed().as_secs_f64(), program.cpu()?);
    program.holds_all().await?;
    let load = json!({
        "what": "first load by the program",
        "store": store,
        "rows": bench.size.rows(),
        "wall": wall,
        "own_cpu": after.0 - before.0,
        "cpu": after.0 - before.0 + after.1 - before.1,
        "idle_mib": idle,
        "peak_mib": program.peak()?,
    });
    println!("{load}");

    // The first reads the window below the watermark, the second notes it.
    for number in 2..2 + WARM {
        program.poll(number).await?;
    }
    let (before, begun) = (program.cpu()?, Instant::now());
    for number in 2 + WARM..2 + WARM + i64::from(POLLS) {
        program.poll(number).await?;
    }
    let (after, took) = (program.cpu()?, begun.elapsed());
    program.idle(took).await?;
    let idle = program.cpu()?;
    let each = |seconds: f64| (seconds / f64::from(POLLS) * 10_000.0).round() / 10.0;
    let own = (after.0 - before.0, idle.0 - after.0);
    let all = (own.0 + after.1 - before.1, own.1 + idle.1 - after.1);
    let peak = program.peak()?;
    let poll = json!({
        "what": "empty poll of the running program, scheduler and workers included",
        "store": store,
        "own_cpu_ms": each(own.0 - own.1),
        "cpu_ms": each(all.0 - all.1),
        "idle_cpu_ms_per_second": (all.1 / took.as_secs_f64() * 10_000.0).round() / 10.0,
        "peak_mib": peak,
    });
    println!("{poll}");
    program.server.stop().await?;
    Ok(Promise::new(format!("the program on {store}: peak MiB"), peak, 96.0))
}

impl<'a> Program<'a> {
    async fn start(bench: &'a Bench, settings: &Settings, url: String) -> Result<Self> {
        let server = Server::start(settings).await?;
        let founder = Founder {
            email: "owner@example.com",
            password: "correct horse battery staple",
            name: "Owner",
            organization: "Acme",
        };
        let client = Client::set_up(&server.url, &server.setup_token().await?, founder).await?;
        let postgres = url.starts_with("postgres");
        let db = Db::connect(&url.into(), 1).await?;
        let organization: uuid::Uuid = one(&db, "SELECT id FROM organization").await?.try_get_by_index(0)?;
        for sql in seed::directory(&organization.to_string(), postgres) {
            db.orm().execute_unprepared(&sql).await?;
        }
        db.orm().execute_unprepared("ANALYZE").await?;

        let setting = json!({ "name": "Own IDs", "spaces": ["account_id"] });
        let setting = client.change("externalIdSettingCreate", setting, "externalIdSetting { id }").await?;
        let warehouse = &bench.warehouse;
        let config = json!({ "postgres": {
            "host": "127.0.0.1", "port": warehouse.server.port, "database": warehouse.name,
            "user": warehouse.server.user, "password": warehouse.server.password, "sslMode": "DISABLE",
        } });
        let source = json!({ "name": "Warehouse", "config": config });
        let source = client.change("sourceCreate", source, "source { id }").await?;
        let stream = json!({
            "sourceId": source["source"]["id"],
            "name": "Usage",
            "table": { "schema": "public", "name": "usage" },
            "shape": "LONG",
            "destination": "INPUTS",
            "mapping": {
                "account": "account", "metric": "metric", "value": "value", "measuredAt": "measured_at",
            },
            "cursor": { "column": "updated_at", "kind": "ZONED", "lookback": "10" },
            "rowKey": ["id"],
            "externalIdSettingId": setting["externalIdSetting"]["id"],
            "schedule": { "cron": { "expression": "0 3 1 * *", "zone": "UTC" } },
        });
        let stream = client.change("streamCreate", stream, "stream { id }").await?["stream"]["id"].take();
        Ok(Self { bench, server, client, stream, db })
    }

    /// CPU seconds of the program and of PostgreSQL.
    fn cpu(&self) -> Result<(f64, f64)> {
        Ok((cpu::own_seconds(self.server.process()?)?, cpu::tree_seconds(self.bench.postmaster)?))
    }

    fn peak(&self) -> Result<f64> {
        cpu::peak_mib(self.server.process()?)
    }

    /// Makes the stream due and waits until the scheduler's run has ended.
    async fn poll(&self, number: i64) -> Result<()> {
        self.db.orm().execute_unprepared("UPDATE stream SET next_due_at = 1").await?;
        self.until_ended(number).await
    }

    async fn until_ended(&self, number: i64) -> Result<()> {
        let begun = Instant::now();
        let ended = format!(
            "SELECT COUNT(*) FROM sync_run WHERE number = {number} AND status NOT IN ('queued', 'running')"
        );
        while one(&self.db, &ended).await?.try_get_by_index::<i64>(0)? == 0 {
            ensure!(begun.elapsed() < LIMIT, "run {number} has not ended:\n{}", self.server.said());
            tokio::time::sleep(PAUSE).await;
        }
        let well = format!(
            "SELECT COUNT(*) FROM sync_run WHERE number = {number} AND status = 'succeeded' AND balanced"
        );
        let well: i64 = one(&self.db, &well).await?.try_get_by_index(0)?;
        ensure!(well == 1, "run {number} did not succeed:\n{}", self.server.said());
        Ok(())
    }

    /// Waits as [`Self::until_ended`] does while the program has nothing to do.
    async fn idle(&self, time: Duration) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < time {
            one(&self.db, "SELECT COUNT(*) FROM sync_run").await?;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Checks that each row of the warehouse is a measurement or waits.
    async fn holds_all(&self) -> Result<()> {
        let all = "SELECT (SELECT COUNT(*) FROM measurement) + (SELECT COUNT(*) FROM waiting_row)";
        let all: i64 = one(&self.db, all).await?.try_get_by_index(0)?;
        ensure!(all == self.bench.size.rows(), "{all} of {} rows came in", self.bench.size.rows());
        Ok(())
    }
}

async fn one(db: &Db, sql: &str) -> Result<QueryResult> {
    let db = db.orm();
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    row.context("the question has an answer")
}
