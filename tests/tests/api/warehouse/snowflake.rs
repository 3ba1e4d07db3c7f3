//! The strict server of Snowflake, where a token signs in.

use anyhow::Result;
use serde_json::{Value, json};
use systems::snowflake::{Account, Place, Server, Who};

use super::{Row, Warehouse};
use crate::world::World;

/// A table of a place.
pub struct Snowflake {
    /// The place.
    pub place: Place,
    reader: Account,
}

/// A world on each database, and a place for each at one server, reached there or at another port.
pub async fn homes(at: impl AsyncFnOnce(&Server) -> Result<u16>) -> Result<Vec<(World, Snowflake)>> {
    let server = Server::start().await?;
    let url = format!("http://127.0.0.1:{}", at(&server).await?);
    let worlds = World::both_with(|config| {
        config.sources.networks = vec!["127.0.0.0/8".to_owned()];
        config.sources.base_urls = [("snowflake".to_owned(), url.clone())].into();
        config.sync.batch_rows = super::BATCH;
    })
    .await?;
    let mut homes = Vec::new();
    for world in worlds {
        let place = server.place().await?;
        place
            .run(
                "CREATE TABLE \"usage\" (\"id\" NUMBER(38,0), \"account_id\" VARCHAR, \"metric\" VARCHAR, \
                 \"value\" NUMBER(38,4), \"measured_at\" TIMESTAMP_LTZ(9), \"updated_at\" TIMESTAMP_LTZ(9))",
            )
            .await?;
        homes.push((world, Snowflake { reader: place.user(Who::Reader), place }));
    }
    Ok(homes)
}

impl Warehouse for Snowflake {
    fn config(&self) -> Value {
        let Account { account, user, role, warehouse, database, schema, token, .. } = &self.reader;
        json!({ "snowflake": {
            "account": account, "user": user, "role": role, "warehouse": warehouse, "database": database,
            "schema": schema, "signIn": "TOKEN", "token": token,
        } })
    }

    fn table(&self) -> Value {
        json!({ "catalog": self.reader.database, "schema": self.reader.schema, "name": "usage" })
    }

    async fn add(&self, rows: &[Row]) -> Result<()> {
        let rows: Vec<String> =
            rows.iter().map(|row| row.sql(|text| format!("'{text}.000001 +0000'"))).collect();
        self.place.run(&format!("INSERT INTO \"usage\" VALUES {}", rows.join(", "))).await
    }
}
