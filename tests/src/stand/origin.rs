//! The system a stand's source reads: of which kind, how it is reached, and where its table is.

use anyhow::{Context, Result};
use connector::TableRef;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A system with the benchmark's table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Origin {
    /// The kind of its connector.
    pub kind: String,
    /// The configuration, as it is stored.
    pub config: Value,
    /// The password or token.
    pub credential: String,
    /// Where it is in place of its public address.
    pub base_url: Option<String>,
    /// The table.
    pub table: TableRef,
}

impl Origin {
    /// A PostgreSQL database with a table `usage`.
    ///
    /// # Errors
    /// When the connection string has no password.
    pub fn postgres(url: &str) -> Result<Self> {
        let url = reqwest::Url::parse(url)?;
        let config = json!({
            "host": url.host_str(), "port": url.port(), "user": url.username(), "sslMode": "disable",
            "database": url.path().trim_start_matches('/'),
        });
        let credential = url.password().context("a password in the URL")?.to_owned();
        Ok(Self { kind: "postgres".to_owned(), config, credential, base_url: None, table: table("public") })
    }

    /// A ClickHouse database with a table `usage`, read by its user with few rights.
    pub fn clickhouse(database: &systems::clickhouse::Database) -> Self {
        let reader = systems::clickhouse::User::Reader;
        let config = json!({
            "host": "127.0.0.1", "port": database.server.port, "secure": false, "user": reader.name(),
            "database": database.name,
        });
        let credential = database.server.password(reader).to_owned();
        let table = table(&database.name);
        Self { kind: "clickhouse".to_owned(), config, credential, base_url: None, table }
    }

    /// A place of the strict Snowflake server with a table `usage`, read by token.
    pub fn snowflake(place: &systems::snowflake::Place) -> Self {
        let reader = place.user(systems::snowflake::Who::Reader);
        let config = json!({
            "account": reader.account, "user": reader.user, "role": reader.role, "warehouse": reader.warehouse,
            "database": reader.database, "signIn": "token",
        });
        let table = TableRef { catalog: Some(reader.database), ..table(&reader.schema) };
        let base_url = Some(place.server().url());
        Self { kind: "snowflake".to_owned(), config, credential: reader.token, base_url, table }
    }

    /// The same with another table of its schema.
    #[must_use]
    pub fn with(mut self, name: &str) -> Self {
        name.clone_into(&mut self.table.name);
        self
    }

    /// The credential, as the product takes it.
    pub fn secret(&self) -> SecretString {
        self.credential.clone().into()
    }
}

fn table(schema: &str) -> TableRef {
    TableRef { catalog: None, schema: Some(schema.to_owned()), name: "usage".to_owned() }
}
