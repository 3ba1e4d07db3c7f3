//! How a source is reached, kind by kind, as the API tells it and takes it.

use crate::schema;
use crate::vocabulary::{BigInt, BigquerySignIn, ClickhouseSignIn, SnowflakeSignIn, SslMode};

/// How a source is reached, by kind.
#[derive(cynic::InlineFragments, Clone, Debug, PartialEq, Eq)]
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
    /// A kind this build does not know.
    #[cynic(fallback)]
    Other,
}

/// How a PostgreSQL server is reached.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct PostgresConfig {
    /// The host.
    pub host: String,
    /// The port.
    pub port: i32,
    /// The database.
    pub database: String,
    /// The user.
    pub user: String,
    /// How TLS is used.
    pub ssl_mode: SslMode,
    /// The certificate to trust.
    pub ca_certificate: Option<String>,
}

/// Where a SQLite file is.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct SqliteConfig {
    /// The path on the server.
    pub path: String,
}

/// How a ClickHouse server is reached.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct ClickhouseConfig {
    /// The host.
    pub host: String,
    /// The port.
    pub port: i32,
    /// Whether TLS is used.
    pub secure: bool,
    /// The database.
    pub database: String,
    /// The user.
    pub user: String,
    /// How the user signs in.
    pub sign_in: ClickhouseSignIn,
    /// The certificate to trust.
    pub ca_certificate: Option<String>,
    /// The path a reverse proxy serves it under.
    pub path_prefix: Option<String>,
    /// Whether rows are read merged.
    #[cynic(rename = "final")]
    pub merged: bool,
}

/// How a Snowflake account is reached.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct SnowflakeConfig {
    /// The account identifier.
    pub account: String,
    /// The user.
    pub user: String,
    /// The role.
    pub role: String,
    /// The warehouse.
    pub warehouse: String,
    /// The database.
    pub database: Option<String>,
    /// The schema.
    pub schema: Option<String>,
    /// How the user signs in.
    pub sign_in: SnowflakeSignIn,
}

/// How BigQuery is reached.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct BigqueryConfig {
    /// The project that pays.
    pub project: String,
    /// The dataset.
    pub dataset: Option<String>,
    /// The project the data is in.
    pub data_project: Option<String>,
    /// Where statements run.
    pub location: Option<String>,
    /// The most bytes one statement may bill.
    pub maximum_bytes_billed: Option<BigInt>,
    /// Who signs in.
    pub sign_in: BigquerySignIn,
}

/// How a Databricks workspace is reached.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct DatabricksConfig {
    /// The host.
    pub host: String,
    /// The SQL warehouse.
    pub warehouse: String,
    /// The catalog.
    pub catalog: Option<String>,
    /// The schema.
    pub schema: Option<String>,
    /// The service principal, where one signs in.
    pub client_id: Option<String>,
}

/// The connection details of one kind, on their way in.
#[derive(cynic::InputObject, Clone, Debug)]
pub(super) enum SourceConfigInput {
    Postgres(PostgresConfigInput),
    Sqlite(SqliteConfigInput),
    Clickhouse(ClickhouseConfigInput),
    Snowflake(SnowflakeConfigInput),
    Bigquery(BigqueryConfigInput),
    Databricks(DatabricksConfigInput),
}

#[derive(cynic::InputObject, Clone, Debug)]
pub(super) struct PostgresConfigInput {
    pub(super) host: String,
    pub(super) port: i32,
    pub(super) database: String,
    pub(super) user: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(super) password: Option<String>,
    pub(super) ssl_mode: SslMode,
    pub(super) ca_certificate: Option<String>,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub(super) struct SqliteConfigInput {
    pub(super) path: String,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub(super) struct ClickhouseConfigInput {
    pub(super) host: String,
    pub(super) port: i32,
    pub(super) secure: bool,
    pub(super) database: String,
    pub(super) user: String,
    pub(super) sign_in: ClickhouseSignIn,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(super) password: Option<String>,
    pub(super) ca_certificate: Option<String>,
    pub(super) path_prefix: Option<String>,
    #[cynic(rename = "final")]
    pub(super) merged: bool,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub(super) struct SnowflakeConfigInput {
    pub(super) account: String,
    pub(super) user: String,
    pub(super) role: String,
    pub(super) warehouse: String,
    pub(super) database: Option<String>,
    pub(super) schema: Option<String>,
    pub(super) sign_in: SnowflakeSignIn,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub(super) struct BigqueryConfigInput {
    pub(super) project: String,
    pub(super) dataset: Option<String>,
    pub(super) data_project: Option<String>,
    pub(super) location: Option<String>,
    pub(super) maximum_bytes_billed: Option<BigInt>,
    pub(super) sign_in: BigquerySignIn,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub(super) struct DatabricksConfigInput {
    pub(super) host: String,
    pub(super) warehouse: String,
    pub(super) catalog: Option<String>,
    pub(super) schema: Option<String>,
    pub(super) client_id: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<String>,
}
