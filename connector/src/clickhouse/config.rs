//! A ClickHouse connection, secrets apart.

use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::http::Tls;
use crate::{ConnectorError, ErrorKind, Result};

/// How a user proves who they are; the secret itself is the credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SignIn {
    /// A password, which may be empty.
    #[default]
    Password,
    /// A JSON Web Token, as ClickHouse Cloud takes it. The user is the one in the token.
    Token,
    /// A client certificate with its private key, both as PEM, one after the other.
    Certificate,
}

/// Where the server's HTTP interface is and who asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// Host name or address.
    pub host: String,
    /// The port of the HTTP interface.
    #[serde(default = "port")]
    pub port: u16,
    /// Whether TLS is used.
    #[serde(default = "secure")]
    pub secure: bool,
    /// The database of tables that name none.
    #[serde(default = "default")]
    pub database: String,
    /// The user.
    #[serde(default = "default")]
    pub user: String,
    /// How the user signs in.
    #[serde(default)]
    pub sign_in: SignIn,
    /// A PEM certificate to trust besides the usual ones.
    #[serde(default)]
    pub ca_certificate: Option<String>,
    /// The path a reverse proxy serves the interface under.
    #[serde(default)]
    pub path_prefix: Option<String>,
    /// Whether tables that replace or merge rows are read with FINAL: merged, at the server's expense.
    #[serde(default, rename = "final")]
    pub merged: bool,
}

fn port() -> u16 {
    8443
}

fn secure() -> bool {
    true
}

fn default() -> String {
    "default".to_owned()
}

impl Config {
    /// Checks what can be checked without connecting.
    ///
    /// # Errors
    /// `Config`, naming the field.
    pub fn validate(&self) -> Result<()> {
        self.url()?;
        let refuse = |text: &str| Err(ConnectorError::new(ErrorKind::Config, text));
        match self.sign_in {
            SignIn::Token if !self.secure => refuse("secure: a token travels with TLS only"),
            SignIn::Certificate if !self.secure => refuse("secure: a client certificate needs TLS"),
            _ => self.tls().map(drop),
        }
    }

    /// What the connection trusts besides the usual.
    ///
    /// # Errors
    /// `Config` when the certificate cannot be used.
    pub(crate) fn tls(&self) -> Result<Tls> {
        let tls = match &self.ca_certificate {
            None => return Ok(Tls::default()),
            Some(_) if !self.secure => {
                let message = "caCertificate: there is nothing to trust without TLS";
                return Err(ConnectorError::new(ErrorKind::Config, message));
            }
            Some(pem) => Tls::default().trusting(pem)?,
        };
        tls.config()?;
        Ok(tls)
    }

    /// Whether the host is a service of ClickHouse Cloud, which falls asleep when nobody asks.
    pub fn cloud(&self) -> bool {
        self.host.trim_end_matches('.').to_ascii_lowercase().ends_with(".clickhouse.cloud")
    }

    /// The address of the HTTP interface.
    ///
    /// # Errors
    /// `Config`, naming the field that is wrong.
    pub fn url(&self) -> Result<Url> {
        let refuse = |text: &str| ConnectorError::new(ErrorKind::Config, text);
        if self.host.trim().is_empty() {
            return Err(refuse("host: give a host name or address"));
        }
        if self.host.contains("://") || self.host.contains(['/', '@', '?', '#']) {
            return Err(refuse("host: give the name alone, without scheme, path or user"));
        }
        if matches!(self.port, 9000 | 9440) {
            return Err(refuse(
                "port: 9000 and 9440 speak the native protocol; give the HTTP port, often 8443 or 8123",
            ));
        }
        if self.port == 0 {
            return Err(refuse("port: give the HTTP port, often 8443 or 8123"));
        }
        if self.database.is_empty() {
            return Err(refuse("database: give the name of the database"));
        }
        if self.user.is_empty() {
            return Err(refuse("user: give the name of the user"));
        }
        let scheme = if self.secure { "https" } else { "http" };
        let host = if self.host.contains(':') && !self.host.starts_with('[') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        let mut url = Url::parse(&format!("{scheme}://{host}/"))
            .map_err(|_| refuse("host: this is no host name or address; give the name alone"))?;
        url.set_port(Some(self.port)).map_err(|()| refuse("port: this host takes no port"))?;
        if let Some(prefix) = &self.path_prefix {
            if prefix.contains(['?', '#', '\\']) || prefix.split('/').any(|part| part == "..") {
                return Err(refuse("pathPrefix: give a plain path, such as /clickhouse"));
            }
            url.set_path(&format!("{}/", prefix.trim_end_matches('/')));
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: serde_json::Value) -> std::result::Result<Config, String> {
        let config: Config = serde_json::from_value(json).map_err(|error| error.to_string())?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn what_a_person_may_get_wrong_is_refused_by_field() {
        for (json, wanted) in [
            (serde_json::json!({"host": "https://db"}), "host: "),
            (serde_json::json!({"host": "u@db"}), "host: "),
            (serde_json::json!({"host": "db:8123"}), "host: "),
            (serde_json::json!({"host": "db", "port": 9440}), "port: 9000 and 9440"),
            (serde_json::json!({"host": "db", "user": ""}), "user: "),
            (serde_json::json!({"host": "db", "pathPrefix": "/a?b"}), "pathPrefix: "),
            (serde_json::json!({"host": "db", "password": "x"}), "unknown field `password`"),
            (serde_json::json!({"host": "db", "signIn": "magic"}), "unknown variant `magic`"),
            (serde_json::json!({"host": "db", "secure": false, "signIn": "token"}), "secure: "),
            (serde_json::json!({"host": "db", "secure": false, "signIn": "certificate"}), "secure: "),
            (serde_json::json!({"host": "db", "caCertificate": "x"}), "caCertificate: "),
        ] {
            let refused = config(json.clone()).expect_err("a wrong configuration");
            assert!(refused.starts_with(wanted), "{json}: {refused}");
        }
    }

    #[test]
    fn a_connection_stored_before_there_was_a_choice_signs_in_with_a_password() {
        let stored = serde_json::json!({"host": "db", "port": 8443, "secure": true, "database": "d", "user": "u",
            "pathPrefix": null, "final": true});
        let read = config(stored).expect("a stored connection");
        assert_eq!((read.sign_in, read.ca_certificate, read.merged), (SignIn::Password, None, true));
    }

    #[test]
    fn services_of_the_cloud_are_told_by_their_host() {
        for (host, cloud) in [
            ("abc.eu-central-1.aws.clickhouse.cloud", true),
            ("abc.eu-central-1.vpce.aws.ClickHouse.Cloud", true),
            ("clickhouse.cloud.example", false),
            ("db", false),
        ] {
            let read = config(serde_json::json!({"host": host})).expect("a connection");
            assert_eq!(read.cloud(), cloud, "{host}");
        }
    }

    #[test]
    fn the_address_is_built_from_the_parts() {
        for (json, wanted) in [
            (serde_json::json!({"host": "db.example"}), "https://db.example:8443/"),
            (
                serde_json::json!({"host": "db", "port": 8123, "secure": false, "pathPrefix": "/a/b/"}),
                "http://db:8123/a/b/",
            ),
            (serde_json::json!({"host": "2a00:1450::1"}), "https://[2a00:1450::1]:8443/"),
            (serde_json::json!({"host": "db", "port": 443}), "https://db/"),
        ] {
            let url = config(json).and_then(|config| config.url().map_err(|error| error.to_string()));
            assert_eq!(url.map(String::from).as_deref(), Ok(wanted));
        }
    }
}
