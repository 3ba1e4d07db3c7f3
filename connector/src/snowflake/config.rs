//! A Snowflake connection, secrets apart.

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::account::Account;
use crate::{ConnectorError, ErrorKind, Result};

/// Which account, and who asks. Names are sent exactly as they are, upper and lower case included.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The account identifier in any form, or the full host.
    pub account: String,
    /// The user.
    pub user: String,
    /// The role whose rights are used.
    pub role: String,
    /// The warehouse that computes.
    pub warehouse: String,
    /// The one database whose tables are listed; all that the role sees without it.
    #[serde(default)]
    pub database: Option<String>,
    /// The one schema of it whose tables are listed.
    #[serde(default)]
    pub schema: Option<String>,
    /// What the credential is.
    #[serde(default)]
    pub sign_in: Method,
}

/// How the user signs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Method {
    /// With an RSA private key in PEM, whose public half is registered with the user.
    #[default]
    KeyPair,
    /// With a programmatic access token.
    Token,
    /// With a password: understood, in order to say why it cannot be.
    Password,
}

impl Config {
    /// Checks what can be checked without connecting.
    ///
    /// # Errors
    /// `Config`, naming the field.
    pub fn validate(&self) -> Result<()> {
        self.account()?;
        let names = [
            ("user", Some(&self.user)),
            ("role", Some(&self.role)),
            ("warehouse", Some(&self.warehouse)),
            ("database", self.database.as_ref()),
            ("schema", self.schema.as_ref()),
        ];
        for (field, name) in names {
            let Some(name) = name else { continue };
            if name.trim() != name || name.is_empty() || name.chars().any(char::is_control) {
                return Err(refuse(&format!("{field}: give the name, without blanks around it")));
            }
            if name.len() > 255 {
                return Err(refuse(&format!("{field}: a name has at most 255 characters")));
            }
            if name.len() > 1 && name.starts_with('"') && name.ends_with('"') {
                let text = format!("{field}: give the name without quotes, spelled as Snowflake shows it");
                return Err(refuse(&text));
            }
        }
        if self.schema.is_some() && self.database.is_none() {
            return Err(refuse("schema: name its database too"));
        }
        if self.sign_in == Method::Password {
            return Err(refuse(
                "signIn: Snowflake's SQL API takes no password; use keyPair, or token for a programmatic access token",
            ));
        }
        Ok(())
    }

    /// The account.
    ///
    /// # Errors
    /// `Config`, saying what is wrong with the identifier.
    pub fn account(&self) -> Result<Account> {
        Account::parse(&self.account)
    }

    /// Where the account answers.
    ///
    /// # Errors
    /// `Config`, saying what is wrong with the identifier.
    pub fn url(&self) -> Result<Url> {
        let host = self.account()?.host;
        Url::parse(&format!("https://{host}/"))
            .map_err(|_| refuse("account: give the identifier, such as MYORG-ACCOUNT1"))
    }
}

fn refuse(text: &str) -> ConnectorError {
    ConnectorError::new(ErrorKind::Config, text)
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A connection that is right.
    pub(crate) fn right() -> Value {
        json!({"account": "MYORG-ACCOUNT1", "user": "SYNC", "role": "SYNC_ROLE", "warehouse": "SYNC_WH"})
    }

    fn config(changes: Value) -> std::result::Result<Config, String> {
        let mut json = right();
        let changes = changes.as_object().cloned().unwrap_or_default();
        json.as_object_mut().expect("an object").extend(changes);
        let config: Config = serde_json::from_value(json).map_err(|error| error.to_string())?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn what_a_person_may_get_wrong_is_refused_by_field() {
        for (changes, wanted) in [
            (json!({"account": "https://x"}), "account: "),
            (json!({"user": ""}), "user: "),
            (json!({"role": " R"}), "role: "),
            (json!({"warehouse": "\"W\""}), "warehouse: "),
            (json!({"schema": "PUBLIC"}), "schema: "),
            (json!({"database": ""}), "database: "),
            (json!({"signIn": "password"}), "signIn: Snowflake's SQL API takes no password"),
            (json!({"signIn": "oauth"}), "unknown variant `oauth`"),
            (json!({"password": "x"}), "unknown field `password`"),
        ] {
            let refused = config(changes.clone()).expect_err("a wrong configuration");
            assert!(refused.starts_with(wanted), "{changes}: {refused}");
        }
    }

    #[test]
    fn a_right_configuration_has_an_address() {
        let config = config(json!({"database": "D", "schema": "S", "signIn": "token"})).expect("it is right");
        assert_eq!(config.sign_in, Method::Token);
        let url = config.url().expect("it has one");
        assert_eq!(url.as_str(), "https://myorg-account1.snowflakecomputing.com/");
    }
}
