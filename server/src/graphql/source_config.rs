//! The kinds of sources: the one list of them in the contract. Secrets go in and never come out.

use async_graphql::{Enum, InputObject, MaybeUndefined, OneofObject, SimpleObject, Union};
use entity::source::Model;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::source::{Credential, Settings};
use crate::error::{Error, Result};

/// Which kind of system a source reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum SourceKind {
    /// PostgreSQL.
    Postgres,
    /// A SQLite file.
    Sqlite,
    /// ClickHouse over HTTP.
    Clickhouse,
}

impl SourceKind {
    /// The stored word.
    pub const fn stored_word(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
            Self::Clickhouse => "clickhouse",
        }
    }

    /// Reads a stored word.
    ///
    /// # Errors
    /// When it names no kind.
    pub fn stored(word: &str) -> Result<Self> {
        let kinds = [Self::Postgres, Self::Sqlite, Self::Clickhouse];
        let found = kinds.into_iter().find(|kind| kind.stored_word() == word);
        found.ok_or_else(|| Error::internal("reading a source", format!("{word:?} is no kind")))
    }
}

/// The connection details of one kind, without secrets.
#[derive(Union)]
pub enum SourceConfig {
    /// A PostgreSQL server.
    Postgres(PostgresConfig),
    /// A SQLite file.
    Sqlite(SqliteConfig),
    /// A ClickHouse server.
    Clickhouse(ClickhouseConfig),
}

impl SourceConfig {
    /// Reads the stored details of a source.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn stored(source: &Model) -> Result<Self> {
        let read = |error| Error::internal("reading a source", error);
        Ok(match SourceKind::stored(&source.kind)? {
            SourceKind::Postgres => Self::Postgres(serde_json::from_str(&source.config).map_err(read)?),
            SourceKind::Sqlite => Self::Sqlite(serde_json::from_str(&source.config).map_err(read)?),
            SourceKind::Clickhouse => Self::Clickhouse(serde_json::from_str(&source.config).map_err(read)?),
        })
    }
}

/// How a PostgreSQL server is reached.
#[derive(Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct PostgresConfig {
    /// The host name or address.
    host: String,
    /// The port.
    port: i32,
    /// The database.
    database: String,
    /// The user.
    user: String,
    /// How TLS is used.
    ssl_mode: SslMode,
    /// The PEM certificate to trust besides the usual ones.
    #[serde(default)]
    ca_certificate: Option<String>,
}

/// Where a SQLite file is.
#[derive(Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct SqliteConfig {
    /// The path on the server.
    path: String,
}

/// How a ClickHouse server is reached.
#[derive(Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct ClickhouseConfig {
    /// The host name or address.
    host: String,
    /// The HTTP port.
    port: i32,
    /// Whether TLS is used.
    secure: bool,
    /// The database.
    database: String,
    /// The user.
    user: String,
}

/// How TLS is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SslMode {
    /// Never.
    Disable,
    /// When the server offers it.
    Prefer,
    /// Always, without checking the certificate.
    Require,
    /// Always, checking certificate and host name.
    VerifyFull,
}

/// The connection details of exactly one kind.
#[derive(OneofObject)]
pub enum SourceConfigInput {
    /// A PostgreSQL server.
    Postgres(PostgresConfigInput),
    /// A SQLite file.
    Sqlite(SqliteConfigInput),
    /// A ClickHouse server.
    Clickhouse(ClickhouseConfigInput),
}

/// How a PostgreSQL server is reached.
#[derive(InputObject)]
pub struct PostgresConfigInput {
    /// The host name or address.
    pub host: String,
    /// The port.
    #[graphql(default = 5432)]
    pub port: i32,
    /// The database.
    pub database: String,
    /// The user.
    pub user: String,
    /// The password. Left out of an update, the stored one stays; null removes it.
    pub password: MaybeUndefined<String>,
    /// How TLS is used.
    #[graphql(default_with = "SslMode::Prefer")]
    pub ssl_mode: SslMode,
    /// A PEM certificate to trust besides the usual ones.
    pub ca_certificate: Option<String>,
}

/// Where a SQLite file is.
#[derive(InputObject)]
pub struct SqliteConfigInput {
    /// The path on the server.
    pub path: String,
}

/// How a ClickHouse server is reached.
#[derive(InputObject)]
pub struct ClickhouseConfigInput {
    /// The host name or address.
    pub host: String,
    /// The HTTP port.
    #[graphql(default = 8443)]
    pub port: i32,
    /// Whether TLS is used.
    #[graphql(default = true)]
    pub secure: bool,
    /// The database.
    #[graphql(default = "default")]
    pub database: String,
    /// The user.
    #[graphql(default = "default")]
    pub user: String,
    /// The password. Left out of an update, the stored one stays; null removes it.
    pub password: MaybeUndefined<String>,
}

/// A password on its way to the key ring. It is no `Debug`.
#[derive(Serialize)]
pub struct Password {
    password: String,
}

impl SourceConfigInput {
    /// Splits what may be seen from what is sealed.
    ///
    /// # Errors
    /// Names the first value that is unacceptable.
    pub fn settings(self) -> Result<Settings<Password>> {
        let (kind, config, password) = match self {
            Self::Postgres(input) => {
                filled(
                    "config.postgres",
                    &[("host", &input.host), ("database", &input.database), ("user", &input.user)],
                )?;
                let config = PostgresConfig {
                    host: input.host.trim().to_owned(),
                    port: port("config.postgres.port", input.port)?,
                    database: input.database,
                    user: input.user,
                    ssl_mode: input.ssl_mode,
                    ca_certificate: input.ca_certificate.filter(|text| !text.trim().is_empty()),
                };
                (SourceKind::Postgres, json!(config), input.password)
            }
            Self::Sqlite(input) => {
                filled("config.sqlite", &[("path", &input.path)])?;
                (SourceKind::Sqlite, json!(SqliteConfig { path: input.path }), MaybeUndefined::Undefined)
            }
            Self::Clickhouse(input) => {
                filled("config.clickhouse", &[("host", &input.host), ("user", &input.user)])?;
                let config = ClickhouseConfig {
                    host: input.host.trim().to_owned(),
                    port: port("config.clickhouse.port", input.port)?,
                    secure: input.secure,
                    database: input.database,
                    user: input.user,
                };
                (SourceKind::Clickhouse, json!(config), input.password)
            }
        };
        let credential = match password {
            MaybeUndefined::Undefined => Credential::Keep,
            MaybeUndefined::Null => Credential::Remove,
            MaybeUndefined::Value(password) => Credential::Replace(Password { password }),
        };
        Ok(Settings { kind: kind.stored_word(), config: Value::to_string(&config), credential })
    }
}

fn filled(path: &str, values: &[(&str, &String)]) -> Result<()> {
    match values.iter().find(|(_, value)| value.trim().is_empty()) {
        Some((name, _)) => Err(crate::domain::refusal::required(&format!("{path}.{name}"))),
        None => Ok(()),
    }
}

fn port(field: &str, port: i32) -> Result<i32> {
    if (1..=65_535).contains(&port) {
        return Ok(port);
    }
    Err(Error::invalid(field, "must be between 1 and 65535"))
}
