//! A Snowflake connection in the contract.

use async_graphql::{Enum, InputObject, MaybeUndefined, SimpleObject};
use connector::snowflake;

use super::{filled, settings};
use crate::domain::source::Settings;
use crate::error::{Error, Result};

/// How a Snowflake account is reached.
#[derive(SimpleObject)]
pub struct SnowflakeConfig {
    /// The account identifier in any form, or the full host.
    account: String,
    /// The user.
    user: String,
    /// The role whose rights are used.
    role: String,
    /// The warehouse that computes.
    warehouse: String,
    /// The one database whose tables are listed.
    database: Option<String>,
    /// The one schema of it whose tables are listed.
    schema: Option<String>,
    /// How the user signs in.
    sign_in: SnowflakeSignIn,
}

impl From<snowflake::Config> for SnowflakeConfig {
    fn from(config: snowflake::Config) -> Self {
        Self {
            account: config.account,
            user: config.user,
            role: config.role,
            warehouse: config.warehouse,
            database: config.database,
            schema: config.schema,
            sign_in: match config.sign_in {
                snowflake::Method::Token => SnowflakeSignIn::Token,
                snowflake::Method::KeyPair | snowflake::Method::Password => SnowflakeSignIn::KeyPair,
            },
        }
    }
}

/// How a Snowflake user signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum SnowflakeSignIn {
    /// With a key pair made here.
    KeyPair,
    /// With a programmatic access token.
    Token,
}

/// How a Snowflake account is reached.
#[derive(InputObject)]
pub struct SnowflakeConfigInput {
    /// The account identifier in any form, or the full host.
    pub account: String,
    /// The user.
    pub user: String,
    /// The role whose rights are used.
    pub role: String,
    /// The warehouse that computes.
    pub warehouse: String,
    /// The one database whose tables are listed; all that the role sees without it.
    pub database: Option<String>,
    /// The one schema of it whose tables are listed.
    pub schema: Option<String>,
    /// How the user signs in.
    #[graphql(default_with = "SnowflakeSignIn::KeyPair")]
    pub sign_in: SnowflakeSignIn,
    /// The programmatic access token. Left out of an update, the stored one stays; null removes it.
    pub token: MaybeUndefined<String>,
}

impl SnowflakeConfigInput {
    /// Splits what may be seen from what is sealed.
    ///
    /// # Errors
    /// Names the first value that is unacceptable.
    pub fn settings(self) -> Result<Settings> {
        let sign_in = match self.sign_in {
            SnowflakeSignIn::KeyPair => snowflake::Method::KeyPair,
            SnowflakeSignIn::Token => snowflake::Method::Token,
        };
        let token = match (self.sign_in, self.token) {
            (SnowflakeSignIn::KeyPair, MaybeUndefined::Value(_)) => {
                let reason = "a key pair signs in here; leave the token out, or sign in with it";
                return Err(Error::invalid("config.snowflake.token", reason));
            }
            (_, token) => token,
        };
        let config = snowflake::Config {
            account: self.account.trim().to_owned(),
            user: self.user,
            role: self.role,
            warehouse: self.warehouse,
            database: filled(self.database),
            schema: filled(self.schema),
            sign_in,
        };
        settings::<snowflake::Snowflake>(config, token)
    }
}
