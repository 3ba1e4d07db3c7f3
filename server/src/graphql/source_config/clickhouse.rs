//! A ClickHouse connection in the contract.

use async_graphql::{Enum, InputObject, MaybeUndefined, SimpleObject};
use connector::clickhouse;

use super::{filled, port, settings};
use crate::domain::source::Settings;
use crate::error::Result;

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
    /// How the user signs in.
    sign_in: ClickhouseSignIn,
    /// The PEM certificate to trust besides the usual ones.
    ca_certificate: Option<String>,
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
            sign_in: config.sign_in.into(),
            ca_certificate: config.ca_certificate,
            path_prefix: config.path_prefix,
            r#final: config.merged,
        }
    }
}

/// How a ClickHouse user signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "clickhouse::SignIn")]
pub enum ClickhouseSignIn {
    /// With a password, which may be empty.
    Password,
    /// With a JSON Web Token, as ClickHouse Cloud takes it.
    Token,
    /// With a client certificate.
    Certificate,
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
    /// How the user signs in.
    #[graphql(default_with = "ClickhouseSignIn::Password")]
    pub sign_in: ClickhouseSignIn,
    /// The password, the token, or the client certificate with its private key in PEM. Left out of an update, the stored
    /// one stays; null removes it.
    pub password: MaybeUndefined<String>,
    /// A PEM certificate to trust besides the usual ones.
    pub ca_certificate: Option<String>,
    /// The path a reverse proxy serves the interface under.
    pub path_prefix: Option<String>,
    /// Whether tables that replace or merge rows are read merged, at the server's expense.
    #[graphql(default = false)]
    pub r#final: bool,
}

impl ClickhouseConfigInput {
    /// Splits what may be seen from what is sealed.
    ///
    /// # Errors
    /// Names the first value that is unacceptable.
    pub fn settings(self) -> Result<Settings> {
        let config = clickhouse::Config {
            host: self.host.trim().to_owned(),
            port: port("config.clickhouse.port", self.port)?,
            secure: self.secure,
            database: self.database,
            user: self.user,
            sign_in: self.sign_in.into(),
            ca_certificate: filled(self.ca_certificate),
            path_prefix: filled(self.path_prefix),
            merged: self.r#final,
        };
        settings::<clickhouse::Clickhouse>(config, self.password)
    }
}
