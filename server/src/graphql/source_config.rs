//! The kinds of sources: the one list of them in the contract. Secrets go in and never come out.

use async_graphql::{Enum, InputObject, MaybeUndefined, OneofObject, SimpleObject, Union};
use connector::kinds::Kind;
use connector::{ConnectorError, clickhouse, postgres, sqlite};
use entity::source::Model;
use serde::Serialize;
use serde::de::DeserializeOwned;

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
            Self::Postgres => postgres::Postgres::NAME,
            Self::Sqlite => sqlite::Sqlite::NAME,
            Self::Clickhouse => clickhouse::Clickhouse::NAME,
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
        Ok(match SourceKind::stored(&source.kind)? {
            SourceKind::Postgres => Self::Postgres(read::<postgres::Config>(source)?.into()),
            SourceKind::Sqlite => Self::Sqlite(read::<sqlite::Config>(source)?.into()),
            SourceKind::Clickhouse => Self::Clickhouse(read::<clickhouse::Config>(source)?.into()),
        })
    }
}

fn read<T: DeserializeOwned>(source: &Model) -> Result<T> {
    serde_json::from_str(&source.config).map_err(|error| Error::internal("reading a source", error))
}

/// How a PostgreSQL server is reached.
#[derive(SimpleObject)]
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
    ca_certificate: Option<String>,
}

impl From<postgres::Config> for PostgresConfig {
    fn from(config: postgres::Config) -> Self {
        Self {
            host: config.host,
            port: config.port.into(),
            database: config.database,
            user: config.user,
            ssl_mode: config.ssl_mode.into(),
            ca_certificate: config.ca_certificate,
        }
    }
}

/// Where a SQLite file is.
#[derive(SimpleObject)]
pub struct SqliteConfig {
    /// The full path on the machine Weir runs on.
    path: String,
}

impl From<sqlite::Config> for SqliteConfig {
    fn from(config: sqlite::Config) -> Self {
        Self { path: config.path }
    }
}

/// How a ClickHouse server is reached.
#[derive(SimpleObject)]
pub struct ClickhouseConfig {
    /// The host name or address.
    host: String,
    /// The HTTP port.
    port: i32,
    /// Whether TLS is used.
    secure: bool,
    /// The database of tables that name none.
    database: String,
    /// The user.
    user: String,
    /// The path a reverse proxy serves the interface under.
    path_prefix: Option<String>,
    /// Whether tables that replace or merge rows are read merged, at the server's expense.
    r#final: bool,
}

impl From<clickhouse::Config> for ClickhouseConfig {
    fn from(config: clickhouse::Config) -> Self {
        Self {
            host: config.host,
            port: config.port.into(),
            secure: config.secure,
            database: config.database,
            user: config.user,
            path_prefix: config.path_prefix,
            r#final: config.merged,
        }
    }
}

/// How TLS is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "postgres::SslMode")]
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
    /// The full path on the machine Weir runs on.
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
    /// The database of tables that name none.
    #[graphql(default = "default")]
    pub database: String,
    /// The user.
    #[graphql(default = "default")]
    pub user: String,
    /// The password. Left out of an update, the stored one stays; null removes it.
    pub password: MaybeUndefined<String>,
    /// The path a reverse proxy serves the interface under.
    pub path_prefix: Option<String>,
    /// Whether tables that replace or merge rows are read merged, at the server's expense.
    #[graphql(default = false)]
    pub r#final: bool,
}

impl SourceConfigInput {
    /// Splits what may be seen from what is sealed.
    ///
    /// # Errors
    /// Names the first value that is unacceptable.
    pub fn settings(self) -> Result<Settings> {
        match self {
            Self::Postgres(input) => {
                let config = postgres::Config {
                    host: input.host.trim().to_owned(),
                    port: port("config.postgres.port", input.port)?,
                    database: input.database,
                    user: input.user,
                    ssl_mode: input.ssl_mode.into(),
                    ca_certificate: input.ca_certificate.filter(|text| !text.trim().is_empty()),
                };
                settings::<postgres::Postgres>(config, input.password)
            }
            Self::Sqlite(input) => {
                let config = sqlite::Config { path: input.path };
                settings::<sqlite::Sqlite>(config, MaybeUndefined::Undefined)
            }
            Self::Clickhouse(input) => {
                let config = clickhouse::Config {
                    host: input.host.trim().to_owned(),
                    port: port("config.clickhouse.port", input.port)?,
                    secure: input.secure,
                    database: input.database,
                    user: input.user,
                    path_prefix: input.path_prefix.filter(|text| !text.trim().is_empty()),
                    merged: input.r#final,
                };
                settings::<clickhouse::Clickhouse>(config, input.password)
            }
        }
    }
}

fn settings<K: Kind<Config: Serialize>>(
    config: K::Config,
    password: MaybeUndefined<String>,
) -> Result<Settings> {
    K::validate(&config).map_err(|error| refusal(K::NAME, &error))?;
    let config =
        serde_json::to_string(&config).map_err(|error| Error::internal("writing a source", error))?;
    let credential = match password {
        MaybeUndefined::Undefined => Credential::Keep,
        MaybeUndefined::Null => Credential::Remove,
        MaybeUndefined::Value(password) => Credential::Replace(password.into()),
    };
    Ok(Settings { kind: K::NAME, config, credential })
}

/// A connector names the field before a colon.
fn refusal(kind: &str, error: &ConnectorError) -> Error {
    match error.message().split_once(": ") {
        Some((field, reason)) => Error::invalid(format!("config.{kind}.{field}"), reason),
        None => Error::invalid(format!("config.{kind}"), error.message()),
    }
}

fn port(field: &str, port: i32) -> Result<u16> {
    let port = u16::try_from(port).ok().filter(|port| *port > 0);
    port.ok_or_else(|| Error::invalid(field, "must be between 1 and 65535"))
}
