//! The one list of kinds, and how a source of any kind is opened.

use std::sync::Arc;

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::guard::Policy;
use crate::{Connector, ConnectorError, ErrorKind, Result, clickhouse, databricks, postgres, sqlite};

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

/// The list itself.
const ALL: &[Entry] = &[
    Entry::of::<postgres::Postgres>(),
    Entry::of::<sqlite::Sqlite>(),
    Entry::of::<clickhouse::Clickhouse>(),
    Entry::of::<databricks::Databricks>(),
];

/// A kind without its types.
struct Entry {
    name: &'static str,
    open: fn(&Value, Option<SecretString>, &Policy) -> Result<Arc<dyn Connector>>,
    validate: fn(&Value) -> Result<()>,
}

impl Entry {
    const fn of<K: Kind>() -> Self {
        Self { name: K::NAME, open: open_as::<K>, validate: |config| K::validate(&parse::<K>(config)?) }
    }
}

/// The names of all kinds.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|kind| kind.name)
}

/// Opens a source of the named kind.
///
/// # Errors
/// `Config` when there is no such kind or the configuration cannot be used.
pub fn open(
    kind: &str,
    config: &Value,
    credential: Option<SecretString>,
    policy: &Policy,
) -> Result<Arc<dyn Connector>> {
    (named(kind)?.open)(config, credential, policy)
}

/// Checks a configuration of the named kind without connecting.
///
/// # Errors
/// `Config` when there is no such kind or the configuration cannot be used.
pub fn validate(kind: &str, config: &Value) -> Result<()> {
    (named(kind)?.validate)(config)
}

fn named(kind: &str) -> Result<&'static Entry> {
    ALL.iter().find(|known| known.name == kind).ok_or_else(|| {
        let known = names().collect::<Vec<_>>().join(", ");
        ConnectorError::new(ErrorKind::Config, format!("there is no kind {kind:?}; known are {known}"))
    })
}

fn parse<K: Kind>(config: &Value) -> Result<K::Config> {
    serde_json::from_value(config.clone()).map_err(|error| {
        ConnectorError::new(ErrorKind::Config, format!("the {} connection cannot be used: {error}", K::NAME))
    })
}

fn open_as<K: Kind>(
    config: &Value,
    credential: Option<SecretString>,
    policy: &Policy,
) -> Result<Arc<dyn Connector>> {
    let config = parse::<K>(config)?;
    K::validate(&config)?;
    K::open(config, credential, policy)
}
