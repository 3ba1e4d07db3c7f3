//! An install of Weir that is killed while it works, and what its database holds afterwards.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use entity::{OrganizationId, RunStatus, RunTrigger, SyncRunId, stream, sync_run};
use sea_orm::{ConnectionTrait, EntityTrait, QueryResult, Statement};
use serde_json::json;
use server::clock::Clock;
use server::db::Db;
use server::domain::sync_run::{Request, start};
use tests::demo::calendar::time_text;
use tests::demo::client::{Client, Founder};
use tests::demo::random::Random;
use tests::demo::server::{Server, Settings, free_port};
use tests::postgres;
use tests::stage::until;
use tests::stand::balanced;

use crate::load::{KNOWN, LOOKBACK, METRICS, linked};
use crate::oracle::Oracle;
use crate::warehouse::Warehouse;

/// Rows in a batch: few, so that a load has many.
const BATCH: u32 = 1_000;

/// The install. Its database is gone with this value.
pub struct Install {
    settings: Settings,
    random: Random,
    folder: tempfile::TempDir,
    database: Option<postgres::Database>,
}

impl Install {
    /// On SQLite.
    pub fn sqlite() -> Result<Self> {
        Self::new(None)
    }

    /// On PostgreSQL.
    pub async fn postgres() -> Result<Self> {
        Self::new(Some(postgres::Database::empty().await?))
    }

    fn new(database: Option<postgres::Database>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let settings = Settings {
            program: Path::new(env!("CARGO_BIN_EXE_demo")).with_file_name("weir"),
            data: folder.path().join("data"),
            port: free_port()?,
            database: database.as_ref().map(postgres::Database::url),
            folder: folder.path().to_owned(),
            more: vec![
                ("WORKERS__LEASE_SECONDS", "5".to_owned()),
                ("WORKERS__POLL_MILLISECONDS", "100".to_owned()),
                ("WORKERS__ATTEMPTS", "100".to_owned()),
                ("SYNC__BATCH_ROWS", BATCH.to_string()),
                ("SOURCES__NETWORKS", r#"["127.0.0.0/8"]"#.to_owned()),
            ],
        };
        ensure!(settings.program.exists(), "build the server first: cargo build --bins");
        Ok(Self { settings, random: Random::new(7), folder, database })
    }

    async fn db(&self) -> Result<Db> {
        let file = format!("sqlite:{}", self.folder.path().join("data/weir.db").display());
        Ok(Db::connect(&self.settings.database.clone().unwrap_or(file).into(), 2).await?)
    }

    /// Brings accounts and links, and connects the warehouse, as a customer does.
    pub async fn set_up(&mut self, warehouse: &Warehouse) -> Result<()> {
        self.settings.folder = warehouse.folder().to_owned();
        let server = Server::start(&self.settings).await?;
        let client = self.client(&server).await?;
        bring(&client).await?;
        let setting = json!({ "name": "Own IDs", "spaces": ["account_id"] });
        let setting = client.change("externalIdSettingCreate", setting, "externalIdSetting { id }").await?;
        let source = json!({ "name": "Warehouse", "config": warehouse.config() });
        let source = client.change("sourceCreate", source, "source { id }").await?;
        let stream = json!({
            "sourceId": source["source"]["id"],
            "name": "Usage",
            "table": { "name": "usage_rows", "schema": self.database.as_ref().map(|_| "public") },
            "shape": "LONG",
            "destination": "INPUTS",
            "mapping": {
                "account": "account", "metric": "metric", "value": "value", "measuredAt": "measured_at",
                "zone": "UTC",
            },
            "cursor": {
                "column": "updated_at", "kind": "NAIVE", "zone": "UTC", "lookback": LOOKBACK.to_string(),
            },
            "rowKey": ["id"],
            "externalIdSettingId": setting["externalIdSetting"]["id"],
            "schedule": { "manual": true },
        });
        client.change("streamCreate", stream, "stream { id }").await?;
        server.stop().await
    }

    async fn client(&self, server: &Server) -> Result<Client> {
        let founder = Founder {
            email: "owner@example.com",
            password: "correct horse battery staple",
            name: "Owner",
            organization: "Acme",
        };
        Client::set_up(&server.url, &server.setup_token().await?, founder).await
    }

    /// Runs one sync whose worker is killed so often, each time after some batches and a moment more, and gives the
    /// run as it ended.
    pub async fn sync(&mut self, kills: i32) -> Result<sync_run::Model> {
        let db = self.db().await?;
        let run = ask(&db).await?;
        for kill in 1..=kills {
            let server = Server::start(&self.settings).await?;
            let begun = async || {
                let run = find(&db, run).await?;
                Ok(run.status == RunStatus::Running && run.attempt == kill)
            };
            until("the run is taken up", 30, begun).await.with_context(|| server.said())?;
            let stored = find(&db, run).await?.batches + i64::try_from(self.random.below(6))?;
            until("more batches are stored", 30, async || Ok(find(&db, run).await?.batches >= stored))
                .await
                .with_context(|| server.said())?;
            let moment = Duration::from_micros(u64::try_from(self.random.below(40_000))?);
            tokio::time::sleep(moment).await;
            server.kill().await?;
            let run = find(&db, run).await?;
            ensure!(run.status == RunStatus::Running, "kill {kill} came too late: {run:?}");
        }
        let server = Server::start(&self.settings).await?;
        let ended = async || {
            let status = find(&db, run).await?.status;
            Ok(!matches!(status, RunStatus::Queued | RunStatus::Running))
        };
        until("the run has ended", 300, ended).await.with_context(|| server.said())?;
        server.stop().await?;
        find(&db, run).await
    }

    /// Checks that the database holds what the oracle says, and that all sums add up.
    pub async fn holds(&self, oracle: &Oracle) -> Result<()> {
        let db = self.db().await?;
        let measurements = "SELECT s.external_account, x.external_id, a.name, m.measured_at, \
            CAST(m.value AS TEXT) AS value, m.row_key FROM measurement m JOIN series s ON s.id = m.series_id \
            JOIN metric x ON x.organization_id = s.organization_id AND x.id = s.metric_id \
            JOIN account a ON a.organization_id = s.organization_id AND a.id = s.account_id";
        let mut found = Vec::new();
        for row in rows(&db, measurements).await? {
            let text = |name: &str| row.try_get::<String>("", name);
            let (external, at) = (text("external_account")?, row.try_get::<i64>("", "measured_at")?);
            let name = text("name")?;
            ensure!(name.replace("Account ", "acct-") == external, "{external} is on {name}");
            let at = time_text(at / 1_000_000);
            found.push(format!(
                "{external} {} {at} {} {}",
                text("external_id")?,
                text("value")?,
                text("row_key")?
            ));
        }
        same("measurements", found, oracle.measurements())?;
        let waiting = "SELECT w.row_key, COALESCE(w.reason, g.reason) AS reason FROM waiting_row w \
            LEFT JOIN unmatched_group g ON g.id = w.group_id";
        let mut found = Vec::new();
        for row in rows(&db, waiting).await? {
            let text = |name: &str| row.try_get::<String>("", name);
            found.push(format!("{} {}", text("row_key")?, text("reason")?));
        }
        same("waiting rows", found, oracle.waiting())?;
        let wrong = "SELECT COUNT(*) FROM unmatched_group g WHERE g.waiting <> \
            (SELECT COUNT(*) FROM waiting_row w WHERE w.group_id = g.id)";
        ensure!(count(&db, wrong).await? == 0, "a group does not count the rows that wait in it");
        for run in sync_run::Entity::find().all(db.orm()).await? {
            ensure!(run.balanced == Some(true), "a run that ended is not balanced: {run:?}");
            balanced(&run)?;
        }
        Ok(())
    }

    /// Checks that each reading written by these runs is one measurement or one replaced value: none was written twice.
    pub async fn wrote_once(&self, runs: &[&sync_run::Model]) -> Result<()> {
        let db = self.db().await?;
        let written: i64 = runs.iter().map(|run| run.written).sum();
        let stored = count(&db, "SELECT COUNT(*) FROM measurement").await?;
        let replaced = count(&db, "SELECT COUNT(*) FROM measurement_revision").await?;
        ensure!(written == stored + replaced, "{written} written, {stored} stored, {replaced} replaced");
        let syncs = count(&db, "SELECT COUNT(*) FROM sync_run WHERE kind = 'sync'").await?;
        ensure!(syncs == i64::try_from(runs.len())?, "{syncs} runs were made");
        Ok(())
    }
}

/// Accounts with IDs, metrics, opportunities with inputs, and links.
async fn bring(client: &Client) -> Result<()> {
    let (mut accounts, mut ids) = ("name\n".to_owned(), "account_name,space,value\n".to_owned());
    let mut inputs = "account_name,opportunity,input\n".to_owned();
    let mut links = "account_name,metric,opportunity,input\n".to_owned();
    for account in 0..KNOWN {
        writeln!(accounts, "Account {account}")?;
        writeln!(ids, "Account {account},account_id,acct-{account}")?;
        for metric in (0..METRICS).filter(|metric| linked(account, *metric)) {
            writeln!(inputs, "Account {account},Renewal,M{metric}")?;
            writeln!(links, "Account {account},m{metric},Renewal,M{metric}")?;
        }
    }
    for metric in 0..METRICS {
        let input = json!({ "externalId": format!("m{metric}") });
        client.change("metricCreate", input, "metric { id }").await?;
    }
    for (kind, text) in
        [("ACCOUNTS", accounts), ("EXTERNAL_IDS", ids), ("OPPORTUNITIES", inputs), ("METRIC_LINKS", links)]
    {
        client.import(kind, &text).await?;
    }
    Ok(())
}

/// Asks for a sync of the only stream.
async fn ask(db: &Db) -> Result<(OrganizationId, SyncRunId)> {
    let stream = stream::Entity::find().one(db.orm()).await?.context("there is a stream")?;
    let now = Clock::system().now();
    let request = Request::sync(stream.organization_id, stream.id, RunTrigger::Manual);
    let run = start(db.orm(), now, request).await?.run;
    Ok((run.organization_id, run.id))
}

async fn find(db: &Db, run: (OrganizationId, SyncRunId)) -> Result<sync_run::Model> {
    sync_run::Entity::find_by_id(run).one(db.orm()).await?.context("the run exists")
}

async fn rows(db: &Db, sql: &str) -> Result<Vec<QueryResult>> {
    let db = db.orm();
    Ok(db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?)
}

async fn count(db: &Db, sql: &str) -> Result<i64> {
    rows(db, sql).await?.first().context("a count has a row")?.try_get_by_index(0).context("a count")
}

fn same(what: &str, mut found: Vec<String>, wanted: Vec<String>) -> Result<()> {
    found.sort();
    let differs = found.iter().zip(&wanted).find(|(found, wanted)| found != wanted);
    ensure!(
        found.len() == wanted.len() && differs.is_none(),
        "{} {what} instead of {}; found and wanted: {differs:?}",
        found.len(),
        wanted.len()
    );
    Ok(())
}
