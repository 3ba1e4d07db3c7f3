//! Snowflake sources over the strict server of this repository, which lets in whoever signs with a registered key.

mod keys;
mod provision;
mod refused;
mod runs;

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use systems::snowflake::{Account, Call, Place, Request, Server, Who};
use tests::demo::calendar::time_text;

use crate::scene::BEGIN;
use crate::world::{World, text};

/// What is asked of a key pair.
const PAIR: &str = "id slot state publicKey fingerprint createdAt activatedAt retiredAt
    setup { install verify remove }";

/// A world with a place at Snowflake, and a service user there who has the right to read and no key yet.
struct Home {
    world: World,
    place: Place,
    reader: Account,
    user: String,
}

impl Home {
    /// One on each database.
    async fn both() -> Result<Vec<Self>> {
        let server = Server::start().await?;
        let worlds = World::both_with(|config| {
            config.sources.base_urls = [("snowflake".to_owned(), server.url())].into();
            config.sources.networks = vec!["127.0.0.0/8".to_owned()];
            // To make a key takes long on a busy machine.
            config.http.timeout_seconds = 120;
        })
        .await?;
        let mut homes = Vec::new();
        for world in worlds {
            let place = server.place().await?;
            let reader = place.user(Who::Reader);
            let user = reader.user.replace("READER", "SYNC");
            for statement in [
                format!(
                    "CREATE USER {user} DEFAULT_ROLE = {} DEFAULT_WAREHOUSE = {}",
                    reader.role, reader.warehouse
                ),
                format!("GRANT ROLE {} TO USER {user}", reader.role),
                "CREATE TABLE \"usage\" (\"id\" NUMBER(38,0), \"account_id\" VARCHAR, \"metric\" VARCHAR, \
                 \"value\" NUMBER(38,4), \"measured_at\" TIMESTAMP_NTZ(9), \"updated_at\" TIMESTAMP_NTZ(9))"
                    .to_owned(),
            ] {
                place.run(&statement).await?;
            }
            homes.push(Self { world, place, reader, user });
        }
        Ok(homes)
    }

    fn config(&self) -> Value {
        let Account { account, role, warehouse, database, schema, .. } = &self.reader;
        json!({ "snowflake": {
            "account": account, "user": self.user, "role": role, "warehouse": warehouse, "database": database,
            "schema": schema,
        } })
    }

    /// Adds a source that signs in with key pairs, and has none.
    async fn source(&self) -> Result<String> {
        let input = json!({ "name": "Warehouse", "config": self.config() });
        let made = self.world.act("sourceCreate", "source { id }", input).await?;
        Ok(text(&made["source"]["id"]))
    }

    /// Adds a source whose key is installed and in use.
    async fn signed_in(&self) -> Result<String> {
        let source = self.source().await?;
        let pair = self.make(&source).await?;
        self.paste(&pair).await?;
        self.switch(&pair).await?;
        Ok(source)
    }

    /// A stream of the table, for accounts that have an ID.
    async fn stream(&self, source: &str) -> Result<String> {
        let table = json!({ "catalog": self.reader.database, "schema": "PUBLIC", "name": "usage" });
        let setting = self.world.setting("IDs").await?;
        let other = json!({ "table": table, "externalIdSettingId": setting });
        let made =
            self.world.act("streamCreate", "stream { id }", self.world.stream_input(source, other)).await?;
        Ok(text(&made["stream"]["id"]))
    }

    /// Adds rows of these IDs, whose value is their ID.
    async fn add(&self, ids: Range<i64>) -> Result<()> {
        let row = |id: i64| {
            let (of, updated) = (time_text(BEGIN + id * 3_600), time_text(BEGIN + id));
            format!("({id}, 'a-1', 'seats', {id}, '{of}', '{updated}')")
        };
        let rows: Vec<String> = ids.map(row).collect();
        self.place.run(&format!("INSERT INTO \"usage\" VALUES {}", rows.join(", "))).await
    }

    async fn make(&self, source: &str) -> Result<Value> {
        let made = self
            .world
            .act("keyPairGenerate", &format!("keyPair {{ {PAIR} }}"), json!({ "sourceId": source }))
            .await?;
        Ok(made["keyPair"].clone())
    }

    /// Does what the customer's administrator is shown, and compares the fingerprint.
    async fn paste(&self, pair: &Value) -> Result<()> {
        self.place.run(&text(&pair["setup"]["install"])).await?;
        let told = format!("{:?}", self.place.query(&text(&pair["setup"]["verify"])).await?);
        ensure!(told.contains(&text(&pair["fingerprint"])), "{pair} is not in {told}");
        Ok(())
    }

    async fn switch(&self, pair: &Value) -> Result<Value> {
        let made = self
            .world
            .act("keyPairActivate", &format!("keyPair {{ {PAIR} }}"), json!({ "id": pair["id"] }))
            .await?;
        Ok(made["keyPair"].clone())
    }

    /// Tests the source, with the key in use or with another one.
    async fn check(&self, source: &str, pair: Option<&Value>) -> Result<Value> {
        let input = json!({ "id": source, "keyPairId": pair.map(|pair| &pair["id"]) });
        let fields = "check { ok steps { name status problem { kind message action } } }";
        Ok(self.world.act("sourceCheck", fields, input).await?["check"].clone())
    }

    /// The key the last statement was signed with, as its token names it.
    fn signed_with(&self) -> Result<String> {
        let calls = self.submitted();
        let claims = calls.last().and_then(|call| call.claims.as_ref()).context("nothing was signed")?;
        let issuer = text(&claims["iss"]);
        let (_, print) = issuer.split_once(".SHA256:").context("an issuer without a fingerprint")?;
        Ok(format!("SHA256:{print}"))
    }

    /// The statements that this world's user sent.
    fn submitted(&self) -> Vec<Request> {
        let mut calls = self.place.server().journal();
        calls.retain(|call| call.call == Call::Submit && call.user.as_ref() == Some(&self.user));
        calls
    }
}

/// The step of a test that failed.
fn failed(check: &Value) -> Value {
    let steps = check["steps"].as_array().cloned().unwrap_or_default();
    steps.into_iter().find(|step| step["status"] == "FAILED").unwrap_or_default()
}
