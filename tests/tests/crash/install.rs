//! An install of Weir, which can be killed while it works.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use entity::{OrganizationId, RunStatus, RunTrigger, SyncRunId, stream, sync_run};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use server::clock::Clock;
use server::db::Db;
use server::domain::sync_run::{Request, start};
use systems::ports::free_port;
use tests::demo::client::{Client, Founder};
use tests::demo::random::Random;
use tests::demo::server::{Server, Settings};
use tests::postgres;
use tests::stage::until;
use tests::worker::arrange;

use crate::load::{KNOWN, LOOKBACK, METRICS, linked};
use crate::warehouse::Warehouse;

/// Rows in a batch: few, so that a load has many.
pub const BATCH: u32 = 1_000;

/// The install. Its database is gone with this value.
pub struct Install {
    /// What its processes are started with.
    pub settings: Settings,
    random: Random,
    folder: tempfile::TempDir,
    database: Option<postgres::Database>,
    customer: Option<Customer>,
}

/// Whom an install belongs to.
struct Customer {
    client: Client,
    stream: Value,
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
                ("SYNC__BATCH_ROWS", BATCH.to_string()),
                ("SOURCES__NETWORKS", r#"["127.0.0.0/8"]"#.to_owned()),
            ],
        };
        ensure!(settings.program.exists(), "build the server first: cargo build --bins");
        Ok(Self { settings, random: Random::new(7), folder, database, customer: None })
    }

    /// With one more setting.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.settings.more.push((name, value.to_owned()));
        self
    }

    /// A connection to its database.
    pub async fn db(&self) -> Result<Db> {
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
        let stream = client.change("streamCreate", stream, "stream { id }").await?["stream"]["id"].take();
        self.customer = Some(Customer { client, stream });
        server.stop().await
    }

    /// Asks a server for a sync, as a customer does, and gives the run.
    pub async fn order(&self) -> Result<Value> {
        let Customer { client, stream } = self.customer.as_ref().context("it is set up")?;
        let asked = json!({ "streamId": stream });
        Ok(client.change("syncRunStart", asked, "syncRun { id status }").await?["syncRun"].take())
    }

    /// What a server says of the last run.
    pub async fn told(&self) -> Result<Value> {
        let Customer { client, .. } = self.customer.as_ref().context("it is set up")?;
        let runs = "{ syncRuns(first: 1) { nodes { id status } } }";
        Ok(client.ask(runs, json!({})).await?["syncRuns"]["nodes"][0].take())
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
            until("the run is taken up", 120, begun).await.with_context(|| server.said())?;
            let stored = find(&db, run).await?.batches + i64::try_from(self.random.below(6))?;
            until("more batches are stored", 120, async || Ok(find(&db, run).await?.batches >= stored))
                .await
                .with_context(|| server.said())?;
            let moment = Duration::from_micros(u64::try_from(self.random.below(40_000))?);
            tokio::time::sleep(moment).await;
            server.kill().await?;
            let run = find(&db, run).await?;
            ensure!(run.status == RunStatus::Running, "kill {kill} came too late: {run:?}");
            lapse(&db).await?;
        }
        let server = Server::start(&self.settings).await?;
        let ended = ended(&db, run).await.with_context(|| server.said())?;
        server.stop().await?;
        Ok(ended)
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

/// Ends the leases of whoever was killed, as time would.
async fn lapse(db: &Db) -> Result<()> {
    for table in ["sync_run", "job"] {
        arrange(db, &format!("UPDATE {table} SET lease_until = 1 WHERE status = 'running'")).await?;
    }
    Ok(())
}

/// Asks for a sync of the only stream.
pub async fn ask(db: &Db) -> Result<(OrganizationId, SyncRunId)> {
    let stream = stream::Entity::find().one(db.orm()).await?.context("there is a stream")?;
    let now = Clock::system().now();
    let request = Request::sync(stream.organization_id, stream.id, RunTrigger::Manual);
    let run = start(db.orm(), now, request).await?.run;
    Ok((run.organization_id, run.id))
}

/// A run as it is now.
pub async fn find(db: &Db, run: (OrganizationId, SyncRunId)) -> Result<sync_run::Model> {
    sync_run::Entity::find_by_id(run).one(db.orm()).await?.context("the run exists")
}

/// Waits until a run has ended, and gives it.
pub async fn ended(db: &Db, run: (OrganizationId, SyncRunId)) -> Result<sync_run::Model> {
    let over = async || {
        let status = find(db, run).await?.status;
        Ok(!matches!(status, RunStatus::Queued | RunStatus::Running))
    };
    until("the run has ended", 1_200, over).await?;
    find(db, run).await
}
