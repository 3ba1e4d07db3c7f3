//! The one list of kinds, and how a source of any kind is opened.

use std::sync::Arc;

use secrecy::SecretString;
use serde::de::DeserializeOwned;

use crate::guard::Policy;
use crate::{Connector, ConnectorError, ErrorKind, Result, clickhouse, postgres, sqlite};

/// One kind of system.
pub trait Kind {
    /// The kind's stored name.
    const NAME: &'static str;
    /// What a connection is made of, secrets apart. Unknown fields are refused.
    type Config: DeserializeOwned;

    /// Checks a configuration without connecting.
    ///
    /// # Errors
    /// `Config`, naming the field and what would be right.
    fn validate(config: &Self::Config) -> Result<()>;

    /// Makes a connector; it connects on first use.
    ///
    /// # Errors
    /// `Config` when the configuration cannot be used.
    fn open(
        config: Self::Config,
        credential: Option<SecretString>,
        policy: &Policy,
    ) -> Result<Arc<dyn Connector>>;
}

/// The names of all kinds.
pub const KINDS: &[&str] = &[postgres::Postgres::NAME, sqlite::Sqlite::NAME, clickhouse::Clickhouse::NAME];

/// Opens a source of the named kind.
///
/// # Errors
/// `Config` when there is no such kind or the configuration cannot be used.
pub fn open(
    kind: &str,
    config: &serde_json::Value,
    credential: Option<SecretString>,
    policy: &Policy,
) -> Result<Arc<dyn Connector>> {
    match kind {
        postgres::Postgres::NAME => open_as::<postgres::Postgres>(config, credential, policy),
        sqlite::Sqlite::NAME => open_as::<sqlite::Sqlite>(config, credential, policy),
        clickhouse::Clickhouse::NAME => open_as::<clickhouse::Clickhouse>(config, credential, policy),
        _ => Err(unknown(kind)),
    }
}

/// Checks a configuration of the named kind without connecting.
///
/// # Errors
/// `Config` when there is no such kind or the configuration cannot be used.
pub fn validate(kind: &str, config: &serde_json::Value) -> Result<()> {
    match kind {
        postgres::Postgres::NAME => validate_as::<postgres::Postgres>(config),
        sqlite::Sqlite::NAME => validate_as::<sqlite::Sqlite>(config),
        clickhouse::Clickhouse::NAME => validate_as::<clickhouse::Clickhouse>(config),
        _ => Err(unknown(kind)),
    }
}

fn unknown(kind: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::Config,
        format!("there is no kind {kind:?}; known are {}", KINDS.join(", ")),
    )
}

fn parse<K: Kind>(config: &serde_json::Value) -> Result<K::Config> {
    serde_json::from_value(config.clone()).map_err(|error| {
        ConnectorError::new(ErrorKind::Config, format!("the {} connection cannot be used: {error}", K::NAME))
    })
}

fn validate_as<K: Kind>(config: &serde_json::Value) -> Result<()> {
    K::validate(&parse::<K>(config)?)
}

fn open_as<K: Kind>(
    config: &serde_json::Value,
    credential: Option<SecretString>,
    policy: &Policy,
) -> Result<Arc<dyn Connector>> {
    let config = parse::<K>(config)?;
    K::validate(&config)?;
    K::open(config, credential, policy)
}
