//! The one list of kinds, and how a source of any kind is opened.

use std::sync::Arc;

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::guard::Policy;
use crate::order::Ordered;
use crate::setup::{Given, KeySetup, Setup, SignIn, Tables};
use crate::{
    Connector, ConnectorError, ErrorKind, Result, TableRef, bigquery, clickhouse, databricks, postgres,
    snowflake, sqlite,
};

/// One kind of system.
pub trait Kind {
    /// The kind's stored name.
    const NAME: &'static str;
    /// What a connection is made of, secrets apart. Unknown fields are refused.
    type Config: DeserializeOwned;
    /// The least that a limit of the bytes one statement may bill can be; `None` where bytes are not what is billed.
    const LEAST_BILLED: Option<u64> = None;

    /// Whether rights on single tables hide them from lists, so that an empty list need not mean that nothing can be read.
    const HIDES_TABLES: bool = false;

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

    /// What it signs in with, as configured.
    fn sign_in(_config: &Self::Config) -> SignIn {
        SignIn::Secret
    }

    /// The scripts that let Weir read these tables, with the names of this configuration; `None` where nothing is to be
    /// granted.
    ///
    /// # Errors
    /// `Config` when it is not clear where a table lies.
    fn setup(_config: &Self::Config, _tables: Tables<'_>, _given: Given<'_>) -> Result<Option<Setup>> {
        Ok(None)
    }

    /// The statements for the public half of a key pair in slot 1 or 2; `None` where no key pairs are used.
    fn key_setup(_config: &Self::Config, _slot: u8, _public_key: &str) -> Option<KeySetup> {
        None
    }
}

/// The list itself.
const ALL: &[Entry] = &[
    Entry::of::<postgres::Postgres>(),
    Entry::of::<sqlite::Sqlite>(),
    Entry::of::<clickhouse::Clickhouse>(),
    Entry::of::<snowflake::Snowflake>(),
    Entry::of::<bigquery::Bigquery>(),
    Entry::of::<databricks::Databricks>(),
];

/// How a source of a kind is opened from its stored configuration.
type Open = fn(&Value, Option<SecretString>, &Policy) -> Result<Arc<dyn Connector>>;

/// A kind without its types.
struct Entry {
    name: &'static str,
    least_billed: Option<u64>,
    hides_tables: bool,
    open: Open,
    validate: fn(&Value) -> Result<()>,
    sign_in: fn(&Value) -> Result<SignIn>,
    setup: fn(&Value, Tables<'_>, Given<'_>) -> Result<Option<Setup>>,
    key_setup: fn(&Value, u8, &str) -> Result<Option<KeySetup>>,
}

impl Entry {
    const fn of<K: Kind>() -> Self {
        Self {
            name: K::NAME,
            least_billed: K::LEAST_BILLED,
            hides_tables: K::HIDES_TABLES,
            open: open_as::<K>,
            validate: |config| K::validate(&parse::<K>(config)?),
            sign_in: |config| Ok(K::sign_in(&parse::<K>(config)?)),
            setup: |config, tables, given| K::setup(&parse::<K>(config)?, tables, given),
            key_setup: |config, slot, public_key| Ok(K::key_setup(&parse::<K>(config)?, slot, public_key)),
        }
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

/// Tells what a source of the named kind signs in with.
///
/// # Errors
/// `Config` when there is no such kind or the configuration cannot be read.
pub fn sign_in(kind: &str, config: &Value) -> Result<SignIn> {
    (named(kind)?.sign_in)(config)
}

/// Tells the least that a limit of the bytes one statement may bill can be; `None` where bytes are not what is billed.
///
/// # Errors
/// `Config` when there is no such kind.
pub fn least_billed(kind: &str) -> Result<Option<u64>> {
    Ok(named(kind)?.least_billed)
}

/// Tells whether rights on single tables hide them from lists.
///
/// # Errors
/// `Config` when there is no such kind.
pub fn hides_tables(kind: &str) -> Result<bool> {
    Ok(named(kind)?.hides_tables)
}

/// The scripts that let Weir read these tables of a source of the named kind; `None` where nothing is to be granted.
///
/// # Errors
/// `Config` when there is no such kind, the configuration cannot be read, or it is not clear where a table lies.
pub fn setup(kind: &str, config: &Value, tables: &[TableRef], given: Given<'_>) -> Result<Option<Setup>> {
    (named(kind)?.setup)(config, Tables(tables), given)
}

/// The statements for a key pair of a source of the named kind; `None` where no key pairs are used.
///
/// # Errors
/// `Config` when there is no such kind or the configuration cannot be read.
pub fn key_setup(kind: &str, config: &Value, slot: u8, public_key: &str) -> Result<Option<KeySetup>> {
    (named(kind)?.key_setup)(config, slot, public_key)
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
    Ok(Arc::new(Ordered(K::open(config, credential, policy)?)))
}
