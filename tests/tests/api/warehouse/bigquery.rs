//! The emulator of BigQuery behind the gate that is as strict as Google.

use std::sync::Arc;

use anyhow::Result;
use serde_json::{Value, json};
use systems::bigquery::place::PROJECT;
use systems::bigquery::{Emulator, Place, Seen};

use super::{Changing, Row, Warehouse};
use crate::world::World;

/// A table of a dataset.
pub struct Bigquery {
    /// The dataset.
    pub place: Arc<Place>,
    name: String,
    key: String,
}

/// A world on each database, and a table of its own for each in one dataset, reached at the gate or at another port.
pub async fn homes(at: impl AsyncFnOnce(&Place) -> Result<u16>) -> Result<Vec<(World, Bigquery)>> {
    let place = Arc::new(Place::empty(Emulator::Local).await?);
    let port = at(&place).await?;
    let worlds = World::both_with(|config| {
        config.sources.networks = vec!["127.0.0.0/8".to_owned()];
        config.sources.base_urls = [("bigquery".to_owned(), format!("http://127.0.0.1:{port}"))].into();
        config.sync.batch_rows = super::BATCH;
    })
    .await?;
    let mut homes = Vec::new();
    for (number, world) in worlds.into_iter().enumerate() {
        let fields = json!([
            {"name": "id", "type": "INT64", "mode": "REQUIRED"},
            {"name": "account_id", "type": "STRING"},
            {"name": "metric", "type": "STRING"},
            {"name": "value", "type": "NUMERIC"},
            {"name": "measured_at", "type": "TIMESTAMP"},
            {"name": "updated_at", "type": "TIMESTAMP"},
        ]);
        let name = format!("usage{number}");
        place.create(&name, json!({ "schema": { "fields": fields } })).await?;
        // Tokens come from where the base address is.
        let key = place.gate.key_file().replace(&format!(":{}/", place.gate.port), &format!(":{port}/"));
        homes.push((world, Bigquery { place: Arc::clone(&place), name, key }));
    }
    Ok(homes)
}

fn time(text: &str) -> String {
    format!("TIMESTAMP '{text}.000001+00'")
}

impl Warehouse for Bigquery {
    fn config(&self) -> Value {
        json!({ "bigquery": { "project": PROJECT, "dataset": self.place.dataset, "key": self.key } })
    }

    fn table(&self) -> Value {
        json!({ "catalog": PROJECT, "schema": self.place.dataset, "name": self.name })
    }

    async fn add(&self, rows: &[Row]) -> Result<()> {
        let row = |row: &Row| row.sql(time).replace(&row.text(), &format!("NUMERIC '{}'", row.text()));
        let rows: Vec<String> = rows.iter().map(row).collect();
        let columns = "id, account_id, metric, value, measured_at, updated_at";
        let table = self.place.table(&self.name);
        let sql = format!("INSERT INTO {table} ({columns}) VALUES {}", rows.join(", "));
        self.place.run(&sql, &[]).await.map(drop)
    }
}

impl Changing for Bigquery {
    async fn replace(&self, row: Row) -> Result<()> {
        let table = self.place.table(&self.name);
        self.place.run(&format!("DELETE FROM {table} WHERE id = {}", row.id), &[]).await?;
        self.add(&[row]).await
    }

    async fn drop_metric(&self) -> Result<()> {
        let sql = format!("ALTER TABLE {} DROP COLUMN metric", self.place.table(&self.name));
        self.place.run(&sql, &[]).await.map(drop)
    }

    fn sent(&self) -> usize {
        let sent = self.place.gate.count(Seen::statement);
        self.place.gate.forget();
        sent
    }
}
