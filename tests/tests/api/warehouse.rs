//! Warehouses that hold the table of usage, as the tests of whole runs use them: made, filled and changed in the same
//! way, whatever the kind.

pub mod bigquery;
pub mod clickhouse;
pub mod databricks;
pub mod snowflake;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::demo::calendar::time_text;
use tests::stage::until;
use tests::worker::arrange;

use crate::scene::BEGIN;
use crate::world::{World, text};

/// The most rows of a batch in these worlds: a few rows make several.
pub const BATCH: usize = 5;

/// A row of usage: it is of a minute of a day of December, and was updated then or later.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its key, and its minute.
    pub id: i64,
    /// The day of December it is of, from 1.
    pub day: i64,
    /// The day of December it was updated on.
    pub updated: i64,
    /// Its value in ten-thousandths.
    pub value: i128,
}

impl Row {
    /// A row of a day, with more digits than a float has.
    pub fn of(id: i64, day: i64) -> Self {
        Self { id, day, updated: day, value: (12_345_678_901_234_567_000 + i128::from(id)) * 10_000 + 1_231 }
    }

    /// Rows of one day.
    pub fn some(ids: std::ops::Range<i64>) -> Vec<Self> {
        ids.map(|id| Self::of(id, 1)).collect()
    }

    /// Its value as text.
    pub fn text(&self) -> String {
        let (sign, value) = (if self.value < 0 { "-" } else { "" }, self.value.unsigned_abs());
        format!("{sign}{}.{:04}", value / 10_000, value % 10_000)
    }

    /// When it is of, in seconds.
    pub fn at(&self) -> i64 {
        self.second(self.day)
    }

    /// When it was updated, in seconds.
    pub fn updated_at(&self) -> i64 {
        self.second(self.updated)
    }

    /// The row as SQL, its times written by a function.
    pub fn sql(&self, time: impl Fn(&str) -> String) -> String {
        let (of, updated) = (time(&time_text(self.at())), time(&time_text(self.updated_at())));
        format!("({}, 'a-1', 'seats', {}, {of}, {updated})", self.id, self.text())
    }

    fn second(&self, day: i64) -> i64 {
        BEGIN + (day - 1) * 86_400 + self.id * 60
    }
}

/// A place with the table of usage: `id`, `account_id`, `metric`, `value`, `measured_at` and `updated_at`.
pub trait Warehouse {
    /// The configuration of a source that reads it.
    fn config(&self) -> Value;

    /// The table.
    fn table(&self) -> Value;

    /// Adds rows.
    async fn add(&self, rows: &[Row]) -> Result<()>;

    /// Adds a source and a stream of the table, for an account that has an ID.
    async fn stream(&self, world: &World) -> Result<String> {
        let made = json!({ "name": "Warehouse", "config": self.config() });
        let source = text(&world.act("sourceCreate", "source { id }", made).await?["source"]["id"]);
        let input = world.stream_input(
            &source,
            json!({
                "table": self.table(),
                "mapping": {
                    "account": "account_id", "metric": "metric", "value": "value", "measuredAt": "measured_at",
                },
                "cursor": { "column": "updated_at", "kind": "ZONED", "lookback": "0" },
                "externalIdSettingId": world.setting("IDs").await?,
            }),
        );
        world.identify(&world.account("Acme").await?, "a-1").await?;
        Ok(text(&world.act("streamCreate", "stream { id }", input).await?["stream"]["id"]))
    }
}

/// One that can be changed under a stream, and tells what it was asked.
pub trait Changing: Warehouse {
    /// Gives the row of that ID another value and update.
    async fn replace(&self, row: Row) -> Result<()>;

    /// Drops the column `metric`.
    async fn drop_metric(&self) -> Result<()>;

    /// How many statements were sent since this was asked last.
    fn sent(&self) -> usize;
}

/// The values of these rows, sorted, as [`points`] gives them.
pub fn values(rows: &[Row]) -> Vec<String> {
    let mut values: Vec<String> = rows.iter().map(Row::text).collect();
    values.sort();
    values
}

/// The values a stream has stored, each as often as it is there, sorted.
pub async fn points(world: &World, stream: &str) -> Result<Vec<String>> {
    let query = "query($stream: ID!) { seriesList(where: { streamId: $stream }, first: 5) { nodes {
        measurements(first: 100) { nodes { value } pageInfo { hasNextPage } } } } }";
    let data = world.ask(query, json!({ "stream": stream })).await?;
    let mut values = Vec::new();
    for series in data["seriesList"]["nodes"].as_array().into_iter().flatten() {
        assert_eq!(series["measurements"]["pageInfo"]["hasNextPage"], false);
        let nodes = series["measurements"]["nodes"].as_array();
        values.extend(nodes.into_iter().flatten().map(|node| text(&node["value"])));
    }
    values.sort();
    Ok(values)
}

/// The statements a run has counted.
pub async fn counted(world: &World, run: &Value) -> Result<usize> {
    let query = "query($id: ID!) { syncRun(id: $id) { cost { statements milliseconds } } }";
    let cost = world.ask(query, json!({ "id": run["id"] })).await?["syncRun"]["cost"].take();
    let _milliseconds: u64 = text(&cost["milliseconds"]).parse()?;
    Ok(text(&cost["statements"]).parse()?)
}

/// Where a stream stands; nothing before its first row.
pub async fn watermark(world: &World, stream: &str) -> Result<Option<String>> {
    let query = "query($id: ID!) { stream(id: $id) { checkpoint { watermark } } }";
    let told = world.ask(query, json!({ "id": stream })).await?;
    Ok(told["stream"]["checkpoint"]["watermark"].as_str().map(str::to_owned))
}

/// Starts a sync and waits until its first attempt has ended.
pub async fn attempt(world: &World, stream: &str) -> Result<Value> {
    let made = world.act("syncRunStart", "syncRun { id }", json!({ "streamId": stream })).await?;
    let id = text(&made["syncRun"]["id"]);
    until("an attempt has ended", 300, async || {
        let run = world.run(&id).await?;
        let waits = text(&run["status"]) == "QUEUED" && !run["error"].is_null();
        Ok(waits || over(&run))
    })
    .await?;
    world.run(&id).await
}

/// Lets a run that waits for its next attempt go on to its end. The clock stands still, so it is told that its time
/// has come.
pub async fn finished(world: &World, run: &Value) -> Result<Value> {
    let id = text(&run["id"]);
    until("the run has ended", 300, async || {
        let now = "UPDATE job SET run_at = 0 WHERE status = 'queued' AND queue = 'sync'";
        arrange(&world.site.app.db, now).await?;
        Ok(over(&world.run(&id).await?))
    })
    .await?;
    world.run(&id).await
}

fn over(run: &Value) -> bool {
    !matches!(run["status"].as_str(), Some("QUEUED" | "RUNNING"))
}

/// How many of these rows, in the order they were updated, are stored, and behind how many the checkpoint stands. No
/// other row may be stored, and none twice, and the checkpoint may not stand behind a row that is not stored.
pub async fn standing(world: &World, stream: &str, rows: &[Row]) -> Result<(usize, usize)> {
    let stored = points(world, stream).await?;
    assert_eq!(stored, values(&rows[..stored.len()]), "the first rows, each once");
    let Some(mark) = watermark(world, stream).await? else { return Ok((stored.len(), 0)) };
    let mark = mark.replace(' ', "T");
    let at = |row: &Row| mark.starts_with(&time_text(row.updated_at()).replace(' ', "T"));
    let place = rows.iter().position(at).with_context(|| format!("no row was updated at {mark}"))?;
    assert!(place < stored.len(), "the checkpoint {mark} is past the {} rows that are stored", stored.len());
    Ok((stored.len(), place + 1))
}
