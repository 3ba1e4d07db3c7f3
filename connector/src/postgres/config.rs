//! A PostgreSQL connection, secrets apart.

use serde::{Deserialize, Serialize};

use crate::{ConnectorError, ErrorKind, Result};

/// How TLS is used; the words are libpq's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SslMode {
    /// Never.
    Disable,
    /// When the server offers it.
    #[default]
    Prefer,
    /// Always, without checking the certificate.
    Require,
    /// Always, checking certificate and host name.
    VerifyFull,
}

/// Where the server is and who asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// Host name or address.
    pub host: String,
    /// The port.
    #[serde(default = "port")]
    pub port: u16,
    /// The database.
    pub database: String,
    /// The user.
    pub user: String,
    /// How TLS is used.
    #[serde(default)]
    pub ssl_mode: SslMode,
    /// A PEM certificate to trust besides the usual ones.
    #[serde(default)]
    pub ca_certificate: Option<String>,
}

fn port() -> u16 {
    5432
}

impl Config {
    /// Checks what can be checked without connecting.
    ///
    /// # Errors
    /// `Config`, naming the field.
    pub fn validate(&self) -> Result<()> {
        let refuse = |text: &str| Err(ConnectorError::new(ErrorKind::Config, text));
        if self.host.trim().is_empty() {
            return refuse("host: give a host name or address");
        }
        if self.host.starts_with('/') {
            return refuse("host: sockets of this machine cannot be sources; give a host name or address");
        }
        if self.port == 0 {
            return refuse("port: give a port from 1 to 65535; PostgreSQL's own is 5432");
        }
        if self.database.is_empty() {
            return refuse("database: give the name of the database");
        }
        if self.user.is_empty() {
            return refuse("user: give the name of the user");
        }
        if self.ca_certificate.as_ref().is_some_and(|text| !text.contains("-----BEGIN CERTIFICATE-----")) {
            return refuse(
                "caCertificate: give a PEM certificate, beginning with -----BEGIN CERTIFICATE-----",
            );
        }
        Ok(())
    }
}
