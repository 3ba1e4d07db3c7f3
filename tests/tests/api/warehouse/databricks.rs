//! The strict stand-in of Databricks.

use std::cell::Cell;

use anyhow::{Context, Result};
use connector::TableRef;
use serde_json::{Value as Json, json};
use systems::databricks::{Call, Server, TOKEN, Type, Value, WAREHOUSE, column, key};

use super::{Changing, Row, Warehouse};
use crate::world::World;

/// A table of a workspace.
pub struct Databricks {
    /// The workspace.
    pub server: Server,
    table: TableRef,
    heard: Cell<usize>,
}

/// A world on each database, and a table of its own for each in one workspace, reached there or at another port.
pub async fn homes(at: impl AsyncFnOnce(&Server) -> Result<u16>) -> Result<Vec<(World, Databricks)>> {
    let server = Server::start().await?;
    let url = format!("http://127.0.0.1:{}", at(&server).await?);
    let worlds = World::both_with(|config| {
        config.sources.networks = vec!["127.0.0.0/8".to_owned()];
        config.sources.base_urls = [("databricks".to_owned(), url.clone())].into();
        config.sync.batch_rows = super::BATCH;
    })
    .await?;
    let homes = worlds.into_iter().enumerate().map(|(number, world)| {
        let columns = vec![
            key("id", Type::Int("BIGINT")),
            column("account_id", Type::Text),
            column("metric", Type::Text),
            column("value", Type::Decimal(38, 4)),
            column("measured_at", Type::Zoned),
            column("updated_at", Type::Zoned),
        ];
        let table = server.create(&format!("usage{number}"), columns);
        let heard = Cell::new(server.count(Call::Submit));
        (world, Databricks { server: server.clone(), table, heard })
    });
    Ok(homes.collect())
}

fn cells(row: &Row) -> Vec<Value> {
    let text = |text: &str| Value::Text(text.to_owned());
    // Behind the millisecond, where the workspace's own texts end.
    let time = |seconds: i64| Value::Zoned(seconds * 1_000_000 + 1);
    vec![
        Value::Int(row.id),
        text("a-1"),
        text("seats"),
        Value::Decimal(row.value, 4),
        time(row.at()),
        time(row.updated_at()),
    ]
}

impl Warehouse for Databricks {
    fn config(&self) -> Json {
        json!({ "databricks": {
            "host": "dbc-a1b2345c-d6e7.cloud.databricks.com", "warehouse": WAREHOUSE, "secret": TOKEN,
        } })
    }

    fn table(&self) -> Json {
        json!({ "catalog": self.table.catalog, "schema": self.table.schema, "name": self.table.name })
    }

    async fn add(&self, rows: &[Row]) -> Result<()> {
        self.server.insert(&self.table, rows.iter().map(cells).collect())
    }
}

impl Changing for Databricks {
    async fn replace(&self, row: Row) -> Result<()> {
        let mut found = None;
        self.server.change(&self.table, |table| {
            let old = table.rows.iter_mut().find(|it| it.first() == Some(&Value::Int(row.id)));
            found = old.map(|old| *old = cells(&row).into());
        })?;
        found.context("no such row")
    }

    async fn drop_metric(&self) -> Result<()> {
        self.server.drop_column(&self.table, "metric")
    }

    fn sent(&self) -> usize {
        let now = self.server.count(Call::Submit);
        now - self.heard.replace(now)
    }
}
