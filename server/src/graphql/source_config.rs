//! The kinds of sources: the one list of them in the contract. Secrets go in and never come out.

mod bigquery;
mod clickhouse;
mod databricks;
mod postgres;
mod snowflake;
mod sqlite;

use async_graphql::{Enum, MaybeUndefined, OneofObject, Union};
use connector::ConnectorError;
use connector::kinds::Kind;
use entity::source::Model;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::source::{Credential, Settings};
use crate::error::{Error, Result};
use bigquery::{BigqueryConfig, BigqueryConfigInput};
use clickhouse::{ClickhouseConfig, ClickhouseConfigInput};
use databricks::{DatabricksConfig, DatabricksConfigInput};
use postgres::{PostgresConfig, PostgresConfigInput};
use snowflake::{SnowflakeConfig, SnowflakeConfigInput};
use sqlite::{SqliteConfig, SqliteConfigInput};

/// Which kind of system a source reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum SourceKind {
    /// PostgreSQL.
    Postgres,
    /// A SQLite file.
    Sqlite,
    /// ClickHouse over HTTP.
    Clickhouse,
    /// Snowflake.
    Snowflake,
    /// BigQuery.
    Bigquery,
    /// Databricks SQL.
    Databricks,
}

impl SourceKind {
    /// The stored word.
    pub const fn stored_word(self) -> &'static str {
        match self {
            Self::Postgres => connector::postgres::Postgres::NAME,
            Self::Sqlite => connector::sqlite::Sqlite::NAME,
            Self::Clickhouse => connector::clickhouse::Clickhouse::NAME,
            Self::Snowflake => connector::snowflake::Snowflake::NAME,
            Self::Bigquery => connector::bigquery::Bigquery::NAME,
            Self::Databricks => connector::databricks::Databricks::NAME,
        }
    }

    /// The system's name, as people write it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
            Self::Clickhouse => "ClickHouse",
            Self::Snowflake => "Snowflake",
            Self::Bigquery => "BigQuery",
            Self::Databricks => "Databricks",
        }
    }

    /// Reads a stored word.
    ///
    /// # Errors
    /// When it names no kind.
    pub fn stored(word: &str) -> Result<Self> {
        let kinds = [
            Self::Postgres,
            Self::Sqlite,
            Self::Clickhouse,
            Self::Snowflake,
            Self::Bigquery,
            Self::Databricks,
        ];
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
    /// A Snowflake account.
    Snowflake(SnowflakeConfig),
    /// BigQuery.
    Bigquery(BigqueryConfig),
    /// A Databricks workspace.
    Databricks(DatabricksConfig),
}

impl SourceConfig {
    /// Reads the stored details of a source.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn stored(source: &Model) -> Result<Self> {
        Ok(match SourceKind::stored(&source.kind)? {
            SourceKind::Postgres => Self::Postgres(read::<connector::postgres::Config>(source)?.into()),
            SourceKind::Sqlite => Self::Sqlite(read::<connector::sqlite::Config>(source)?.into()),
            SourceKind::Clickhouse => Self::Clickhouse(read::<connector::clickhouse::Config>(source)?.into()),
            SourceKind::Snowflake => Self::Snowflake(read::<connector::snowflake::Config>(source)?.into()),
            SourceKind::Bigquery => Self::Bigquery(read::<connector::bigquery::Config>(source)?.into()),
            SourceKind::Databricks => Self::Databricks(read::<connector::databricks::Config>(source)?.into()),
        })
    }
}

fn read<T: DeserializeOwned>(source: &Model) -> Result<T> {
    serde_json::from_str(&source.config).map_err(|error| Error::internal("reading a source", error))
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
    /// A Snowflake account.
    Snowflake(SnowflakeConfigInput),
    /// BigQuery.
    Bigquery(BigqueryConfigInput),
    /// A Databricks workspace.
    Databricks(DatabricksConfigInput),
}

impl SourceConfigInput {
    /// Splits what may be seen from what is sealed.
    ///
    /// # Errors
    /// Names the first value that is unacceptable.
    pub fn settings(self) -> Result<Settings> {
        match self {
            Self::Postgres(input) => input.settings(),
            Self::Sqlite(input) => input.settings(),
            Self::Clickhouse(input) => input.settings(),
            Self::Snowflake(input) => input.settings(),
            Self::Bigquery(input) => input.settings(),
            Self::Databricks(input) => input.settings(),
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

/// A connector names the field before a colon, with what it lies in. Inputs are flat.
fn refusal(kind: &str, error: &ConnectorError) -> Error {
    match error.message().split_once(": ") {
        Some((field, reason)) => {
            let field = field.rsplit('.').next().unwrap_or(field);
            Error::invalid(format!("config.{kind}.{field}"), reason)
        }
        None => Error::invalid(format!("config.{kind}"), error.message()),
    }
}

fn port(field: &str, port: i32) -> Result<u16> {
    let port = u16::try_from(port).ok().filter(|port| *port > 0);
    port.ok_or_else(|| Error::invalid(field, "must be between 1 and 65535"))
}

/// A text with something in it.
fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
