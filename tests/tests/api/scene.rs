//! A warehouse with usage rows, a source and streams that read it, as most tests of the API need them.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::demo::calendar::time_text;

use crate::world::{World, text};

/// 2025-12-01 00:00 UTC: a month before the world's clock.
pub const BEGIN: i64 = 1_764_547_200;

/// What is asked of a run.
pub const RUN: &str = "id number kind trigger status attempt balanced since until cursorBefore cursorAfter \
    error { kind message action } tally { rowsRead rowsMapped rowsRejected rowsRepeated readings written \
    unchanged superseded unmatched ignored nullCells }";

impl World {
    /// Makes the table `usage` with these rows: ID, account, metric, value. A row is of the hour of its ID and was
    /// updated in the second of its ID.
    pub async fn usage(&self, rows: &[(i64, &str, &str, &str)]) -> Result<()> {
        self.warehouse(
            "CREATE TABLE IF NOT EXISTS usage (id INTEGER PRIMARY KEY, account_id TEXT, metric TEXT, value TEXT, \
             measured_at TEXT, updated_at DATETIME NOT NULL)",
        )
        .await?;
        for (id, account, metric, value) in rows {
            let (of, updated) = (time_text(BEGIN + id * 3_600), time_text(BEGIN + id));
            self.warehouse(&format!(
                "INSERT INTO usage VALUES ({id}, '{account}', '{metric}', '{value}', '{of}', '{updated}')"
            ))
            .await?;
        }
        Ok(())
    }

    /// Adds a source that reads the warehouse.
    pub async fn source(&self, name: &str) -> Result<String> {
        let input = json!({ "name": name, "config": { "sqlite": { "path": self.file } } });
        let made = self.act("sourceCreate", "source { id }", input).await?;
        Ok(text(&made["source"]["id"]))
    }

    /// The input of a stream of the table `usage`, with other fields.
    pub fn stream_input(&self, source: &str, other: Value) -> Value {
        let mut input = json!({
            "sourceId": source,
            "name": "Usage",
            "table": { "name": "usage" },
            "shape": "LONG",
            "mapping": {
                "account": "account_id", "metric": "metric", "value": "value", "measuredAt": "measured_at",
                "zone": "UTC",
            },
            "cursor": { "column": "updated_at", "kind": "NAIVE", "zone": "UTC", "lookback": "0" },
            "rowKey": ["id"],
            "schedule": { "manual": true },
        });
        for (name, value) in other.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        input
    }

    /// Makes a setting by which account columns hold Weir's own account IDs.
    pub async fn setting(&self, name: &str) -> Result<String> {
        let input = json!({ "name": name, "spaces": ["account_id"] });
        let made = self.act("externalIdSettingCreate", "externalIdSetting { id }", input).await?;
        Ok(text(&made["externalIdSetting"]["id"]))
    }

    /// Adds a stream of the table `usage` on a source and with a setting of its own.
    pub async fn stream(&self, mut other: Value) -> Result<String> {
        let name = text(other.get("name").unwrap_or(&json!("Usage")));
        let source = self.source(&format!("Source of {name}")).await?;
        other["externalIdSettingId"] = json!(self.setting(&format!("IDs of {name}")).await?);
        let made = self.act("streamCreate", "stream { id }", self.stream_input(&source, other)).await?;
        Ok(text(&made["stream"]["id"]))
    }

    /// Gives a stream another mapping, with other columns in some roles.
    pub async fn remap(&self, stream: &str, other: Value) -> Result<()> {
        let mut mapping = self.stream_input("", json!({}))["mapping"].take();
        for (role, column) in other.as_object().into_iter().flatten() {
            mapping[role] = column.clone();
        }
        self.act("streamUpdate", "", json!({ "id": stream, "mapping": mapping })).await?;
        Ok(())
    }

    /// Runs a sync to its end, and gives the run.
    pub async fn sync(&self, stream: &str) -> Result<Value> {
        let made = self.act("syncRunStart", "syncRun { id }", json!({ "streamId": stream })).await?;
        self.settle().await?;
        self.run(&text(&made["syncRun"]["id"])).await
    }

    /// Runs a sync that must succeed.
    pub async fn sync_well(&self, stream: &str) -> Result<Value> {
        let run = self.sync(stream).await?;
        ensure!(run["status"] == "SUCCEEDED" && run["balanced"] == true, "the run ended as {run}");
        Ok(run)
    }

    /// A run as it is.
    pub async fn run(&self, id: &str) -> Result<Value> {
        let query = format!("query($id: ID!) {{ syncRun(id: $id) {{ {RUN} }} }}");
        Ok(self.ask(&query, json!({ "id": id })).await?["syncRun"].take())
    }

    /// Gives an account an ID in the space of own account IDs.
    pub async fn identify(&self, account: &str, value: &str) -> Result<()> {
        let input = json!({ "accountId": account, "space": "account_id", "value": value });
        self.act("externalIdCreate", "", input).await?;
        Ok(())
    }

    /// The values of all measurements of a stream, by account and metric, sorted.
    pub async fn measured(&self, stream: &str) -> Result<Vec<String>> {
        let query = "query($stream: ID!) { seriesList(where: { streamId: $stream }, first: 20) { nodes {
            externalAccount metric { externalId } measurements(first: 20) { nodes { value } } } } }";
        let data = self.ask(query, json!({ "stream": stream })).await?;
        let mut lines = Vec::new();
        for series in data["seriesList"]["nodes"].as_array().into_iter().flatten() {
            for point in series["measurements"]["nodes"].as_array().into_iter().flatten() {
                let (account, metric) = (&series["externalAccount"], &series["metric"]["externalId"]);
                lines.push(format!("{} {} {}", text(account), text(metric), text(&point["value"])));
            }
        }
        lines.sort();
        Ok(lines)
    }
}
