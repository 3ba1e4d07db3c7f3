//! One place, a connector to it, and reads of one table.

use std::sync::Arc;

use anyhow::Result;
use connector::guard::Policy;
use connector::{
    Batch, Connector, ConnectorError, Cost, Cursor, CursorKind, NullCursors, Position, ReadRequest, RunTag,
    TableRef, Watermark, kinds,
};
use futures::StreamExt;
use secrecy::SecretString;
use serde_json::{Value, json};
use systems::bigquery::place::PROJECT;
use systems::bigquery::{Emulator, Place};

/// A place and a connector to it.
pub struct Scene {
    /// The place.
    pub place: Place,
    /// The connector, signed in with a key of its own.
    pub connector: Arc<dyn Connector>,
}

/// What a read gave, and how it ended.
pub struct Outcome {
    /// The IDs in order.
    pub ids: Vec<i64>,
    /// The last row's position.
    pub stood: Option<Position>,
    /// The error it ended with, if any.
    pub error: Option<ConnectorError>,
}

/// The operator's policy for a place.
pub fn policy(place: &Place) -> Result<Policy> {
    let mut policy = Policy { networks: vec!["127.0.0.0/8".parse()?], ..Policy::default() };
    policy.base_urls.insert("bigquery".to_owned(), place.gate.url().parse()?);
    Ok(policy)
}

impl Scene {
    /// An empty place in the run's `local-bigquery`.
    pub async fn empty() -> Result<Self> {
        let place = Place::empty(Emulator::Local).await?;
        let connector = Self::open(&place, &json!({}))?;
        Ok(Self { place, connector })
    }

    /// A connector to a place, with more in its configuration.
    pub fn open(place: &Place, more: &Value) -> Result<Arc<dyn Connector>> {
        let mut config = json!({"project": PROJECT, "dataset": place.dataset});
        for (name, value) in more.as_object().into_iter().flatten() {
            config[name] = value.clone();
        }
        let key = SecretString::from(place.gate.key_file());
        Ok(kinds::open("bigquery", &config, Some(key), &policy(place)?)?)
    }

    /// A place with a table `events` (`at` integer, `id` integer, `label` text) of that many rows, `at` in tens.
    pub async fn with_rows(rows: usize) -> Result<Self> {
        let scene = Self::empty().await?;
        let fields = json!([
            {"name": "at", "type": "INT64"},
            {"name": "id", "type": "INT64", "mode": "REQUIRED"},
            {"name": "label", "type": "STRING"},
        ]);
        scene.place.create("events", json!({"schema": {"fields": fields}})).await?;
        if rows > 0 {
            let sql = format!(
                "INSERT INTO {} (`at`, `id`, `label`) SELECT DIV(n, 10), n, CONCAT('row ', CAST(n AS STRING)) \
                 FROM UNNEST(GENERATE_ARRAY(0, {})) n",
                scene.place.table("events"),
                rows - 1
            );
            scene.place.run(&sql, &[]).await?;
        }
        Ok(scene)
    }

    /// The reference of a table.
    pub fn table(&self, name: &str) -> TableRef {
        TableRef {
            catalog: Some(PROJECT.to_owned()),
            schema: Some(self.place.dataset.clone()),
            name: name.to_owned(),
        }
    }

    /// Asks for all rows of `events`.
    pub fn request(&self) -> ReadRequest {
        self.reading("events", &["at", "id", "label"], ("at", CursorKind::Int), &["id"])
    }

    /// Asks for all rows of a table.
    pub fn reading(
        &self,
        table: &str,
        columns: &[&str],
        (cursor, kind): (&str, CursorKind),
        key: &[&str],
    ) -> ReadRequest {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        ReadRequest {
            table: self.table(table),
            columns: owned(columns),
            cursor: Cursor { column: cursor.to_owned(), kind },
            key: owned(key),
            from: None,
            until: None,
            nulls: NullCursors::Skip,
            batch_rows: 3_000,
            batch_bytes: 8 << 20,
            cell_bytes: 1 << 20,
            tag: RunTag { organization: "Org-1".to_owned(), stream: "stream.1".to_owned() },
            cost: Cost::default(),
        }
    }

    /// Reads to the end, whatever the end is.
    pub async fn outcome(&self, request: ReadRequest) -> Outcome {
        let mut outcome = Outcome { ids: Vec::new(), stood: None, error: None };
        let mut stream = self.connector.read(request.clone());
        while let Some(next) = stream.next().await {
            match next {
                Ok(batch) => {
                    outcome.ids.extend((0..batch.rows()).map(|row| id(&batch, row)));
                    outcome.stood = stood(&batch, &request).or(outcome.stood);
                }
                Err(error) => outcome.error = Some(error),
            }
        }
        outcome
    }

    /// Reads to a good end.
    pub async fn read(&self, request: ReadRequest) -> Result<Vec<i64>> {
        let outcome = self.outcome(request).await;
        match outcome.error {
            Some(error) => anyhow::bail!("the read failed: {error}; {error:?}"),
            None => Ok(outcome.ids),
        }
    }

    /// Reads to a good end, cell by cell as text.
    pub async fn cells(&self, request: ReadRequest) -> Result<Vec<Vec<String>>> {
        let mut stream = self.connector.read(request);
        let mut lines = Vec::new();
        while let Some(batch) = stream.next().await.transpose()? {
            lines.extend((0..batch.rows()).map(|row| {
                batch.columns.iter().map(|column| format!("{:?}", column.cell(row))).collect::<Vec<_>>()
            }));
        }
        Ok(lines)
    }
}

fn id(batch: &Batch, row: usize) -> i64 {
    let cell = batch.column("id").map(|column| column.cell(row).to_string());
    cell.and_then(|text| text.parse().ok()).unwrap_or(-1)
}

fn stood(batch: &Batch, request: &ReadRequest) -> Option<Position> {
    let row = batch.rows().checked_sub(1)?;
    let watermark = Watermark::of(request.cursor.kind, &batch.column(&request.cursor.column)?.cell(row))?;
    let key = request.key.iter().map(|name| batch.column(name)?.cell(row).key()).collect::<Option<_>>();
    Some(Position { watermark, key: key.unwrap_or_default() })
}

/// The numbers from zero on.
pub fn numbers(count: i64) -> Vec<i64> {
    (0..count).collect()
}
