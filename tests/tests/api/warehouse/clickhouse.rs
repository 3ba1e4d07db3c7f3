//! The real engine of ClickHouse.

use anyhow::Result;
use serde_json::{Value, json};
use systems::clickhouse::{Database, User};

use super::{Row, Warehouse};
use crate::world::World;

/// A table of a database.
pub struct Clickhouse {
    /// The database.
    pub database: Database,
    port: u16,
}

/// A world on each database, and a database of ClickHouse for each, reached at another port.
pub async fn homes(at: impl AsyncFnOnce(&Database) -> Result<u16>) -> Result<Vec<(World, Clickhouse)>> {
    let worlds = World::both_with(|config| {
        config.sources.networks = vec!["127.0.0.0/8".to_owned()];
        config.sync.batch_rows = super::BATCH;
    })
    .await?;
    // One engine has them all.
    let first = Database::empty().await?;
    let port = at(&first).await?;
    let mut homes = Vec::new();
    for world in worlds {
        let database = first.server.database().await?;
        database
            .run(
                "CREATE TABLE usage (id Int64, account_id String, metric String, value Decimal(38, 4), \
                 measured_at DateTime64(6, 'UTC'), updated_at DateTime64(6, 'UTC')) ENGINE = MergeTree ORDER BY id",
            )
            .await?;
        homes.push((world, Clickhouse { database, port }));
    }
    Ok(homes)
}

impl Warehouse for Clickhouse {
    fn config(&self) -> Value {
        json!({ "clickhouse": {
            "host": "127.0.0.1", "port": self.port, "secure": false, "database": self.database.name,
            "user": User::Reader.name(), "password": self.database.server.password(User::Reader),
        } })
    }

    fn table(&self) -> Value {
        json!({ "schema": self.database.name, "name": "usage" })
    }

    async fn add(&self, rows: &[Row]) -> Result<()> {
        let rows: Vec<String> = rows.iter().map(|row| row.sql(|text| format!("'{text}.000001'"))).collect();
        self.database.run(&format!("INSERT INTO usage VALUES {}", rows.join(", "))).await.map(drop)
    }
}
