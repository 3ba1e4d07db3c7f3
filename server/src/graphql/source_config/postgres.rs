//! A PostgreSQL connection in the contract.

use async_graphql::{Enum, InputObject, MaybeUndefined, SimpleObject};
use connector::postgres;

use super::{port, settings};
use crate::domain::source::Settings;
use crate::error::Result;

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

impl PostgresConfigInput {
    /// Splits what may be seen from what is sealed.
    ///
    /// # Errors
    /// Names the first value that is unacceptable.
    pub fn settings(self) -> Result<Settings> {
        let config = postgres::Config {
            host: self.host.trim().to_owned(),
            port: port("config.postgres.port", self.port)?,
            database: self.database,
            user: self.user,
            ssl_mode: self.ssl_mode.into(),
            ca_certificate: self.ca_certificate.filter(|text| !text.trim().is_empty()),
        };
        settings::<postgres::Postgres>(config, self.password)
    }
}
