//! Everything Weir does with many rows, phase after phase, on one SQLite file, so that others can watch its writes.

use std::sync::Arc;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use server::auth::Permission;
use server::clock::DAY;
use server::config::Config;
use server::jobs::{self, Reader};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tokio_util::sync::CancellationToken;

use crate::site::{Site, send};

/// How many rows there are.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Accounts, each with an external ID.
    pub accounts: usize,
    /// Rows that are measured at once.
    pub measured: usize,
    /// Rows that wait, [`OF_GROUP`] in a group; every other group is of a metric that is ignored later.
    pub waiting: usize,
}

/// Rows that wait in one group.
const OF_GROUP: usize = 8;

/// What Weir does with them, in the order in which it can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Accounts come in as CSV.
    Accounts,
    /// Their external IDs do.
    ExternalIds,
    /// A first sync: measurements, and rows that wait.
    Load,
    /// A rule puts half of the groups out of sight.
    Ignore,
    /// The ID space gets another normalizer, which concerns all external IDs and series.
    IdSpace,
    /// External IDs for the groups in sight come in as CSV, and their rows are replayed.
    Replay,
    /// What was ignored is old enough to be pruned.
    Prune,
    /// The rule is deleted and its groups are work again.
    Unignore,
    /// The stream is deleted.
    Delete,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Accounts,
        Self::ExternalIds,
        Self::Load,
        Self::Ignore,
        Self::IdSpace,
        Self::Replay,
        Self::Prune,
        Self::Unignore,
        Self::Delete,
    ];
}

/// A server with workers, and a warehouse.
pub struct Bulk {
    /// The server.
    pub site: Site,
    token: String,
    size: Size,
    stream: Value,
    rule: Value,
    stop: CancellationToken,
    _workers: jobs::Handle,
    _folder: tempfile::TempDir,
}

impl Drop for Bulk {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Bulk {
    /// Starts them, with a stream over a table of so many rows.
    ///
    /// # Errors
    /// When the server or the database refuses.
    pub async fn start(size: Size, change: impl FnOnce(&mut Config)) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("warehouse.db");
        fill(&path, size).await?;
        let site = Site::with(|config| {
            config.sources.folders = vec![folder.path().to_owned()];
            config.workers.poll_milliseconds = 50;
            change(config);
        })
        .await?;
        site.set_up().await?;
        let scopes: Vec<Permission> = Permission::ALL.to_vec();
        let (_, token) = site.token(&scopes).await?;
        let stop = CancellationToken::new();
        let workers = jobs::start(&site.app, Arc::new(Reader), &stop);
        let (stream, rule) = (Value::Null, Value::Null);
        let mut bulk = Self { site, token, size, stream, rule, stop, _workers: workers, _folder: folder };
        bulk.add_stream(&path.display().to_string()).await?;
        Ok(bulk)
    }

    async fn add_stream(&mut self, path: &str) -> Result<()> {
        self.act("idSpaceCreate", "idSpace { name }", json!({ "name": "tenant", "normalizer": "EXACT" }))
            .await?;
        let setting = json!({ "name": "Tenants", "spaces": ["tenant"] });
        let setting = self.act("externalIdSettingCreate", "externalIdSetting { id }", setting).await?;
        let source = json!({ "name": "Warehouse", "config": { "sqlite": { "path": path } } });
        let source = self.act("sourceCreate", "source { id }", source).await?;
        let stream = json!({
            "sourceId": source["source"]["id"], "name": "Usage", "table": { "name": "usage" }, "shape": "LONG",
            "mapping": { "account": "account", "metric": "metric", "value": "value", "measuredAt": "measured_at",
                "zone": "UTC" },
            "cursor": { "column": "updated_at", "kind": "NAIVE", "zone": "UTC", "lookback": "0" },
            "rowKey": ["id"], "schedule": { "manual": true },
            "externalIdSettingId": setting["externalIdSetting"]["id"],
        });
        let made = self.act("streamCreate", "stream { id }", stream).await?;
        self.stream = made["stream"]["id"].clone();
        Ok(())
    }

    /// Goes through a phase, to the end of all jobs it brings.
    ///
    /// # Errors
    /// When something is refused or does not end.
    pub async fn go(&mut self, phase: Phase) -> Result<()> {
        let Size { accounts, waiting, .. } = self.size;
        match phase {
            Phase::Accounts => {
                let rows = (0..accounts).map(|row| format!("Account {row}"));
                self.import("ACCOUNTS", "name", rows).await?;
            }
            Phase::ExternalIds => {
                let rows = (0..accounts).map(|row| format!("Account {row},tenant,A-{row}"));
                self.import("EXTERNAL_IDS", "account_name,space,value", rows).await?;
            }
            Phase::Load => {
                let run = json!({ "streamId": self.stream });
                self.act("syncRunStart", "syncRun { id }", run).await?;
            }
            Phase::Ignore => {
                let rule = json!({ "externalMetric": "junk", "reason": "a test" });
                self.rule =
                    self.act("ignoreRuleCreate", "ignoreRule { id }", rule).await?["ignoreRule"]["id"].take();
            }
            Phase::IdSpace => {
                let space = json!({ "name": "tenant", "normalizer": "LOWERCASE" });
                self.act("idSpaceUpdate", "idSpace { name }", space).await?;
            }
            Phase::Replay => {
                let rows = (0..waiting / OF_GROUP).step_by(2);
                let rows = rows.map(|row| format!("Account {},tenant,U-{row}", row % accounts));
                self.import("EXTERNAL_IDS", "account_name,space,value", rows).await?;
            }
            Phase::Prune => {
                self.site.app.clock.advance(400 * DAY);
                jobs::prune(&self.site.app, &self.stop).await?;
            }
            Phase::Unignore => {
                self.act("ignoreRuleDelete", "deletedIgnoreRuleId", json!({ "id": self.rule })).await?;
            }
            Phase::Delete => {
                self.act("streamDelete", "deletedStreamId", json!({ "id": self.stream })).await?;
            }
        }
        self.site.settle().await
    }

    async fn import(&self, kind: &str, header: &str, rows: impl Iterator<Item = String>) -> Result<()> {
        let rows: Vec<String> = rows.collect();
        let text = format!("{header}\n{}\n", rows.join("\n"));
        let told =
            self.act("csvImport", "report { created failed }", json!({ "kind": kind, "text": text })).await?;
        ensure!(told["report"]["created"] == rows.len(), "the import of {kind} came to {told}");
        Ok(())
    }

    async fn act(&self, name: &str, fields: &str, input: Value) -> Result<Value> {
        let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        let query = format!(
            "mutation($input: {kind}!) {{ {name}(input: $input) {{ {fields} userErrors {{ code field message }} }} }}"
        );
        let body = json!({ "query": query, "variables": { "input": input } });
        let answer = send(self.site.graphql(&self.token, &body)).await?;
        let mut payload = answer.json()["data"][name].take();
        ensure!(payload["userErrors"] == json!([]), "{name} was answered: {}", answer.text);
        payload["userErrors"].take();
        Ok(payload)
    }
}

async fn fill(path: &std::path::Path, size: Size) -> Result<()> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let pool: SqlitePool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    let Size { accounts, measured, waiting } = size;
    let sql = format!(
        "CREATE TABLE usage (id INTEGER PRIMARY KEY, account TEXT, metric TEXT, value INTEGER, measured_at TEXT, \
         updated_at DATETIME NOT NULL); \
         WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {measured} - 1) \
         INSERT INTO usage SELECT i, 'A-' || (i % {accounts}), 'seats', i, datetime(1764547200 + i, 'unixepoch'), \
         datetime(1764547200 + i / 100, 'unixepoch') FROM n; \
         WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {waiting} - 1) \
         INSERT INTO usage SELECT {measured} + i, 'U-' || (i / {OF_GROUP}), iif(i / {OF_GROUP} % 2 = 0, 'seats', 'junk'), i, \
         datetime(1764547200 + i, 'unixepoch'), datetime(1764547200 + i / 100, 'unixepoch') FROM n; \
         CREATE INDEX usage_updated ON usage (updated_at, id)"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&pool).await?;
    pool.close().await;
    Ok(())
}
