//! Users, their public keys in two slots, and their tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::RsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use rsa::traits::PublicKeyParts;

use super::keys::fingerprint;
use super::sql::error::{Outcome, SqlError};

/// The account's identifier: organization and name.
pub const ACCOUNT: &str = "WEIRORG-TEST_ACCOUNT";
/// The same account's locator.
pub const LOCATOR: &str = "XY12345";
/// The role and user that may do everything.
pub const ADMIN: &str = "ACCOUNTADMIN";

/// A registered public key.
#[derive(Clone, Debug)]
pub struct PublicKey {
    /// The key.
    pub key: RsaPublicKey,
    /// Its fingerprint as `DESC USER` prints it.
    pub fingerprint: String,
}

impl FromStr for PublicKey {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        ensure!(!text.contains(['\n', '-']), "a public key is given without header lines and line breaks");
        let der = STANDARD.decode(text).context("a public key is base64")?;
        let key = RsaPublicKey::from_public_key_der(&der).context("not a public key")?;
        ensure!(key.n().bits() >= 2048, "a public key has at least 2048 bits");
        Ok(Self { key, fingerprint: fingerprint(&der) })
    }
}

/// A programmatic access token.
#[derive(Clone, Debug)]
pub struct Token {
    /// The only role it may take.
    pub role: Option<String>,
    /// Whether its time is over.
    pub expired: bool,
}

/// One user.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// `RSA_PUBLIC_KEY` and `RSA_PUBLIC_KEY_2`.
    pub keys: [Option<PublicKey>; 2],
    /// Roles granted.
    pub roles: BTreeSet<String>,
    /// Role taken when none is named.
    pub default_role: Option<String>,
    /// Warehouse taken when none is named.
    pub default_warehouse: Option<String>,
    /// The most rows of its results when a request says nothing; 0 is no limit.
    pub rows_per_resultset: usize,
    /// Whether names in quotes mean the same in any case to it.
    pub ignore_case: bool,
    /// Whether it is switched off.
    pub disabled: bool,
    /// Its tokens.
    pub tokens: BTreeMap<String, Token>,
    /// Parameters of its sessions that were set. Ours names every one that it needs, so they change nothing here.
    pub parameters: BTreeMap<String, String>,
}

/// Parameters a user may have, and what each may be.
const PARAMETERS: [(&str, &[&str]); 4] = [
    ("QUOTED_IDENTIFIERS_IGNORE_CASE", &["TRUE", "FALSE"]),
    ("TIMESTAMP_INPUT_FORMAT", &["AUTO"]),
    ("DATE_INPUT_FORMAT", &["AUTO"]),
    ("TIME_INPUT_FORMAT", &["AUTO"]),
];

/// All users by name.
#[derive(Debug, Default)]
pub struct Users {
    /// By name.
    pub by_name: BTreeMap<String, User>,
}

impl Users {
    /// Makes a user that has nothing, in place of one of that name.
    pub fn make(&mut self, name: &str) -> &mut User {
        let user = self.by_name.entry(name.to_owned()).or_default();
        *user = User::default();
        user
    }
}

impl User {
    /// Sets properties, as `ALTER USER ... SET` and `CREATE USER` do.
    pub fn set(&mut self, properties: &BTreeMap<String, String>) -> Outcome<()> {
        for (name, value) in properties {
            let key = || {
                let text = "New public key rejected by current policy. Reason: 'Invalid public key'";
                value.parse::<PublicKey>().map_err(|_bad| SqlError::new("394600", "22023", text))
            };
            match name.as_str() {
                "RSA_PUBLIC_KEY" => self.keys[0] = Some(key()?),
                "RSA_PUBLIC_KEY_2" => self.keys[1] = Some(key()?),
                "ROWS_PER_RESULTSET" => {
                    let number = |_| SqlError::new("001008", "22023", format!("invalid value [{value}]"));
                    self.rows_per_resultset = value.parse().map_err(number)?;
                }
                "QUOTED_IDENTIFIERS_IGNORE_CASE" => self.ignore_case = value == "TRUE",
                "DEFAULT_ROLE" => self.default_role = Some(value.clone()),
                "DEFAULT_WAREHOUSE" => self.default_warehouse = Some(value.clone()),
                "DISABLED" => self.disabled = value == "TRUE",
                "TYPE" if !matches!(value.as_str(), "PERSON" | "SERVICE" | "LEGACY_SERVICE") => {
                    return Err(SqlError::syntax(format!("invalid value '{value}' for property 'TYPE'.")));
                }
                "TYPE" | "COMMENT" | "LOGIN_NAME" | "DISPLAY_NAME" | "DEFAULT_NAMESPACE" => {}
                _ => {
                    let known = PARAMETERS.iter().find(|(known, _)| known == name);
                    let (_, values) =
                        known.ok_or_else(|| SqlError::syntax(format!("unexpected '{name}'.")))?;
                    if !values.contains(&value.to_uppercase().as_str()) {
                        let text = format!("invalid value [{value}] for parameter '{name}'");
                        return Err(SqlError::new("001008", "22023", text));
                    }
                    self.parameters.insert(name.clone(), value.clone());
                }
            }
        }
        Ok(())
    }

    /// Makes a programmatic access token, as `ALTER USER ... ADD PROGRAMMATIC ACCESS TOKEN` does, and gives its secret,
    /// which is shown once.
    pub fn add_token(&mut self, name: &str, role: Option<String>) -> Outcome<String> {
        if role.as_ref().is_some_and(|role| !self.roles.contains(role)) {
            let text = format!("The role restriction of token {name} is not granted to the user.");
            return Err(SqlError::new("003001", "42501", text));
        }
        let secret = format!("pat-{}", uuid::Uuid::now_v7().simple());
        self.tokens.insert(secret.clone(), Token { role, expired: false });
        Ok(secret)
    }

    /// Takes a property away.
    pub fn unset(&mut self, name: &str) -> Outcome<()> {
        match name {
            "RSA_PUBLIC_KEY" => self.keys[0] = None,
            "RSA_PUBLIC_KEY_2" => self.keys[1] = None,
            "DEFAULT_ROLE" => self.default_role = None,
            "DEFAULT_WAREHOUSE" => self.default_warehouse = None,
            _ => return Err(SqlError::syntax(format!("unexpected '{name}'."))),
        }
        Ok(())
    }
}
