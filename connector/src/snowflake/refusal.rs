//! What Snowflake refuses, by its code, told for people and for the scheduler.
//!
//! Sources: "SYSTEM$GET_LOGIN_FAILURE_DETAILS" and the troubleshooting of key pairs in Snowflake's documentation; the
//! error codes of its Go and Python drivers.

use std::time::Duration;

use super::config::Config;
use super::dialect::{quote, quote_user};
use super::head::Envelope;
use crate::ErrorKind::{
    Auth, Config as Setup, NotFound, Permission, Protocol, RateLimited, Schema, Timeout, Unavailable,
};
use crate::{ConnectorError, ErrorKind};

/// The most of Snowflake's words that is kept.
const WORDS: usize = 1_000;
/// How long a user stays locked after failed attempts, unless the account says otherwise.
const LOCKED: Duration = Duration::from_secs(15 * 60);
/// Differences of clocks from this on, in seconds, can have a token refused.
const SKEW: i64 = 30;

/// What is told of a result that is gone.
pub const GONE: &str = "the result is no longer kept at Snowflake";

/// An error as Snowflake tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// Snowflake's number; zero when none was told.
    pub code: u32,
    /// SQLSTATE.
    pub state: String,
    /// Its words.
    pub text: String,
}

/// What a refusal is explained with.
pub struct Circumstances<'a> {
    /// The connection.
    pub config: &'a Config,
    /// The fingerprint of the key in use.
    pub fingerprint: Option<&'a str>,
    /// How many seconds Snowflake's clock is ahead of this machine's.
    pub ahead: Option<i64>,
}

impl Refusal {
    /// Takes it from an answer's JSON; nothing when that tells of no error.
    pub fn of(envelope: &Envelope) -> Option<Self> {
        let code = envelope.code.as_ref().map_or(0, super::head::Code::number);
        if code == 0 && envelope.message.is_none() {
            return None;
        }
        let text = envelope.message.as_deref().unwrap_or_default().trim();
        let end = text.char_indices().nth(WORDS).map_or(text.len(), |(at, _)| at);
        let mut refusal = Self {
            code,
            state: envelope.sql_state.clone().unwrap_or_default(),
            text: text[..end].to_owned(),
        };
        // The reason of a refused token is told in words where it is told at all.
        if code == 390_144
            && let Some(reason) = (394_300..=394_307).find(|reason| text.contains(&reason.to_string()))
        {
            refusal.code = reason;
        }
        Some(refusal)
    }

    /// Tells it for people and for the scheduler; nothing when its code and state say nothing.
    pub fn explain(&self, around: &Circumstances<'_>) -> Option<ConnectorError> {
        let told = self.network().or_else(|| self.signing_in(around)).or_else(|| self.session(around.config));
        let (kind, message, hint) = told.or_else(|| self.statement(around.config))?;
        let number = if self.code == 0 { String::new() } else { format!(" (code {:06})", self.code) };
        let error = ConnectorError::new(kind, format!("{message}{number}")).hint(hint);
        let error = if self.text.is_empty() { error } else { error.detail(self.text.as_str()) };
        Some(if self.code == 390_102 { error.after(LOCKED) } else { error })
    }

    /// A network policy has several numbers, some of them not documented: its words tell.
    fn network(&self) -> Option<Told> {
        if !self.text.contains("not allowed to access Snowflake") && self.code != 390_432 {
            return None;
        }
        let address =
            self.text.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
        let address = address
            .filter_map(|word| word.split('/').next())
            .find(|word| word.parse::<std::net::IpAddr>().is_ok());
        let from = address.map_or("Weir's address".to_owned(), |it| format!("Weir's address {it}"));
        let hint = "add the address to the allowed list of the policy that holds for the user or the account: \
            SHOW PARAMETERS LIKE 'NETWORK_POLICY' IN ACCOUNT; programmatic access tokens need such a policy";
        Some((Permission, format!("a network policy of the account does not let in {from}"), hint.to_owned()))
    }

    fn signing_in(&self, around: &Circumstances<'_>) -> Option<Told> {
        let (name, user) = (&around.config.user, quote_user(&around.config.user));
        let print = around.fingerprint.unwrap_or("the key's fingerprint");
        let install = format!(
            "run DESC USER {user}: RSA_PUBLIC_KEY_FP or RSA_PUBLIC_KEY_2_FP must be {print}; if neither is, run \
             ALTER USER {user} SET RSA_PUBLIC_KEY = '<the public key on one line>', or with RSA_PUBLIC_KEY_2 while the \
             first slot holds a key in use"
        );
        let clock = around.ahead.filter(|ahead| ahead.abs() >= SKEW).map(|ahead| {
            let side = if ahead > 0 { "behind" } else { "ahead of" };
            format!("set this machine's clock: it is {} seconds {side} Snowflake's", ahead.abs())
        });
        let refused = |message: &str, hint: String| Some((Auth, message.to_owned(), hint));
        match self.code {
            390_144 => {
                let ask = self.login().map_or_else(String::new, |id| {
                    format!("; an administrator learns the reason by SELECT SYSTEM$GET_LOGIN_FAILURE_DETAILS('{id}')")
                });
                let hint = clock.unwrap_or(install);
                refused("Snowflake refused the token made with the private key", format!("{hint}{ask}"))
            }
            394_300 => refused(
                &format!("the account has no user {name:?}, or the user is disabled"),
                format!("check the user by SHOW USERS LIKE '{}'; enable it by ALTER USER {user} SET DISABLED = FALSE", plain(name)),
            ),
            394_302 | 394_303 => refused(
                "Snowflake refused the token because of its time",
                clock.unwrap_or_else(|| "check that this machine's clock is right".to_owned()),
            ),
            394_304 => refused(&format!("the user {name:?} has another public key"), install),
            394_305 | 394_306 => {
                refused("Snowflake refused the signature made with the private key", install)
            }
            394_307 => refused(
                "the host belongs to another account than the one named",
                "give the account as SELECT CURRENT_ORGANIZATION_NAME() || '-' || CURRENT_ACCOUNT_NAME() shows it"
                    .to_owned(),
            ),
            390_101 => refused(
                &format!("the user {name:?} is disabled"),
                format!("enable it by ALTER USER {user} SET DISABLED = FALSE"),
            ),
            390_102 => Some((
                Unavailable,
                format!("the user {name:?} is locked for some minutes after failed attempts to sign in"),
                format!("wait, or run ALTER USER {user} SET MINS_TO_UNLOCK = 0"),
            )),
            390_100 | 390_303 | 390_318 | 394_400 => match around.fingerprint {
                Some(_) => refused(&format!("Snowflake refused the user {name:?}"), install),
                None => refused("Snowflake refused the programmatic access token", token(&user)),
            },
            _ => None,
        }
    }

    fn session(&self, config: &Config) -> Option<Told> {
        let (role, user, warehouse) =
            (quote(&config.role), quote_user(&config.user), quote(&config.warehouse));
        Some(match self.code {
            390_189 => (
                Permission,
                format!(
                    "the role {:?} does not exist, or the user {:?} does not have it",
                    config.role, config.user
                ),
                format!(
                    "run GRANT ROLE {role} TO USER {user}; the role's name is exact, and mostly in upper case"
                ),
            ),
            390_201 => (
                NotFound,
                format!(
                    "the warehouse {:?} or the database does not exist, or the role {:?} may not use it",
                    config.warehouse, config.role
                ),
                format!(
                    "run GRANT USAGE ON WAREHOUSE {warehouse} TO ROLE {role}; names are exact, and mostly in upper case"
                ),
            ),
            606 => (
                Setup,
                format!(
                    "the warehouse {:?} cannot be used: it is missing, suspended or not granted",
                    config.warehouse
                ),
                format!(
                    "run SHOW WAREHOUSES, then what is missing of GRANT USAGE ON WAREHOUSE {warehouse} TO ROLE {role}; \
                     ALTER WAREHOUSE {warehouse} RESUME; ALTER WAREHOUSE {warehouse} SET AUTO_RESUME = TRUE"
                ),
            ),
            90_073 => (
                Setup,
                format!(
                    "the warehouse {:?} is suspended, for instance by a resource monitor",
                    config.warehouse
                ),
                format!("raise the monitor's quota, then run ALTER WAREHOUSE {warehouse} RESUME"),
            ),
            390_505 => {
                (RateLimited, "Snowflake gets too many requests".to_owned(), "read less often".to_owned())
            }
            390_104 | 390_111..=390_115 => {
                (Unavailable, "the session has ended".to_owned(), "it is tried again by itself".to_owned())
            }
            _ => return None,
        })
    }

    fn statement(&self, config: &Config) -> Option<Told> {
        let role = quote(&config.role);
        let grants = format!("compare with SHOW GRANTS TO ROLE {role}");
        let told = |kind: ErrorKind, message: &str, hint: String| Some((kind, message.to_owned(), hint));
        match self.code {
            2_003 | 2_043 => told(
                NotFound,
                "the table, schema or database does not exist, or the role may not see it",
                format!("names are exact; {grants}"),
            ),
            904 => told(
                NotFound,
                "a column does not exist",
                "it may have been renamed or dropped; open the stream and choose its columns again"
                    .to_owned(),
            ),
            707 => told(
                Unavailable,
                GONE,
                "it is read again by itself, behind the last row that was stored".to_owned(),
            ),
            604 => told(
                Timeout,
                "the statement was cancelled at Snowflake",
                "someone may have stopped it; it is tried again by itself".to_owned(),
            ),
            630 => told(Timeout, "the statement took longer than allowed", slow(config)),
            1_003 => {
                told(Protocol, "Snowflake does not understand the statement", "see its own words".to_owned())
            }
            _ => match self.state.as_str() {
                "42501" => told(
                    Permission,
                    "the role lacks a right",
                    format!("{grants}; tables need SELECT, their database and schema USAGE"),
                ),
                "42S02" => told(
                    NotFound,
                    "the table does not exist, or the role may not see it",
                    format!("names are exact; {grants}"),
                ),
                "57014" => told(Timeout, "the statement was stopped", slow(config)),
                // Data exceptions.
                state if state.starts_with("22") => told(
                    Schema,
                    "the table cannot be read as asked",
                    "see Snowflake's own words; a view's expression may fail on some row, or the user's \
                     TIMESTAMP_INPUT_FORMAT or DATE_INPUT_FORMAT is not AUTO"
                        .to_owned(),
                ),
                _ => None,
            },
        }
    }

    /// The ID by which an administrator can ask about a refused token: a UUID in brackets.
    fn login(&self) -> Option<uuid::Uuid> {
        self.text.split('[').skip(1).find_map(|rest| rest.split(']').next()?.parse().ok())
    }
}

/// Kind, message and hint.
type Told = (ErrorKind, String, String);

/// What helps when a token is refused without a code that says more.
pub fn token(user: &str) -> String {
    format!(
        "it may have expired, been removed or be restricted to another role: \
         SHOW USER PROGRAMMATIC ACCESS TOKENS FOR USER {user}"
    )
}

/// What helps against statements that take too long.
pub fn slow(config: &Config) -> String {
    format!(
        "let the warehouse start by itself and compute faster: ALTER WAREHOUSE {0} SET AUTO_RESUME = TRUE \
         WAREHOUSE_SIZE = SMALL; or cluster the table by the cursor; STATEMENT_TIMEOUT_IN_SECONDS of user and \
         warehouse also counts",
        quote(&config.warehouse)
    )
}

/// A name between single quotes.
fn plain(name: &str) -> String {
    name.replace('\\', "\\\\").replace('\'', "''")
}

#[cfg(test)]
mod tests;
