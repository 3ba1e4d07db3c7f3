//! A Databricks connection, secrets apart.

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::dialect::quote;
use crate::{ConnectorError, ErrorKind, Result};

/// Where workspaces are, by cloud. Source: "Workspace URL" of Databricks on AWS, Azure, Google Cloud, Azure China and
/// for governments.
const SUFFIXES: [&str; 5] = [
    ".cloud.databricks.com",
    ".azuredatabricks.net",
    ".gcp.databricks.com",
    ".databricks.azure.cn",
    ".databricks.us",
];

/// Where the workspace is, which of its warehouses works, and who asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The workspace's host, such as `dbc-a1b2345c-d6e7.cloud.databricks.com`.
    pub host: String,
    /// The SQL warehouse's ID, or its HTTP path, which ends in it.
    pub warehouse: String,
    /// The catalog of tables that name none. With it, only its tables are listed.
    #[serde(default)]
    pub catalog: Option<String>,
    /// The schema of tables that name none. With it, only its tables are listed.
    #[serde(default)]
    pub schema: Option<String>,
    /// Who signs in; the credential is its secret.
    pub sign_in: SignIn,
}

/// Who signs in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum SignIn {
    /// A service principal by OAuth (machine to machine). The credential is its OAuth secret.
    Oauth {
        /// The service principal's application ID.
        client_id: String,
    },
    /// Whoever made a personal access token. The credential is the token.
    Token,
}

impl Config {
    /// Checks what can be checked without connecting.
    ///
    /// # Errors
    /// `Config`, naming the field.
    pub fn validate(&self) -> Result<()> {
        let refuse = |text: &str| Err(ConnectorError::new(ErrorKind::Config, text));
        self.url()?;
        self.warehouse_id()?;
        if self.catalog.as_ref().is_some_and(|name| name.trim().is_empty()) {
            return refuse("catalog: give the name of a catalog, or nothing");
        }
        if self.schema.as_ref().is_some_and(|name| name.trim().is_empty()) {
            return refuse("schema: give the name of a schema, or nothing");
        }
        if self.schema.is_some() && self.catalog.is_none() {
            return refuse("schema: a schema needs its catalog, too");
        }
        match &self.sign_in {
            SignIn::Oauth { client_id } if client_id.trim() != client_id || client_id.is_empty() => {
                refuse("signIn.oauth.clientId: give the service principal's application ID")
            }
            // It goes into scripts that an owner runs.
            SignIn::Oauth { client_id }
                if !client_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') =>
            {
                refuse("signIn.oauth.clientId: this is no application ID, which looks like a UUID")
            }
            _ => Ok(()),
        }
    }

    /// The workspace's address.
    ///
    /// # Errors
    /// `Config`, naming the field that is wrong.
    pub fn url(&self) -> Result<Url> {
        let refuse = |text: String| ConnectorError::new(ErrorKind::Config, text);
        // People copy it from the browser.
        let text = self.host.trim();
        let text = text.strip_prefix("https://").unwrap_or(text);
        let host = text.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
        if host.is_empty() {
            return Err(refuse(
                "host: give the workspace's host, such as dbc-….cloud.databricks.com".to_owned(),
            ));
        }
        if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')) {
            return Err(refuse("host: give the name alone, without scheme, port or user".to_owned()));
        }
        if host.starts_with("accounts.") {
            return Err(refuse("host: this is the account console; give the host of a workspace".to_owned()));
        }
        let known =
            SUFFIXES.iter().any(|suffix| host.strip_suffix(suffix).is_some_and(|name| !name.is_empty()));
        if !known {
            let known = SUFFIXES.map(|suffix| format!("*{suffix}")).join(", ");
            return Err(refuse(format!("host: workspaces are at {known}")));
        }
        Url::parse(&format!("https://{host}/"))
            .map_err(|_| refuse("host: this is no host name; give the name alone".to_owned()))
    }

    /// The warehouse's ID.
    ///
    /// # Errors
    /// `Config`, naming the field.
    pub fn warehouse_id(&self) -> Result<&str> {
        let refuse = |text: &str| Err(ConnectorError::new(ErrorKind::Config, text));
        let text = self.warehouse.trim().trim_end_matches('/');
        if text.contains("protocolv1") {
            return refuse("warehouse: this is the path of a cluster; give a SQL warehouse");
        }
        let id = match text.rsplit_once('/') {
            Some((path, id)) if path.ends_with("/warehouses") || path.ends_with("/endpoints") => id,
            Some(_) => return refuse("warehouse: give the ID, or the HTTP path /sql/1.0/warehouses/…"),
            None => text,
        };
        if id.is_empty()
            || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        {
            return refuse("warehouse: give the SQL warehouse's ID, found in its connection details");
        }
        Ok(id)
    }

    /// The name rights are granted to, for the statements of hints.
    pub fn principal(&self) -> String {
        match &self.sign_in {
            SignIn::Oauth { client_id } => quote(client_id),
            SignIn::Token => "`<user>`".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(host: &str, warehouse: &str) -> std::result::Result<Config, String> {
        let json = json!({"host": host, "warehouse": warehouse, "signIn": "token"});
        let config: Config = serde_json::from_value(json).map_err(|error| error.to_string())?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn what_a_person_may_get_wrong_is_refused_by_field() {
        let fine = ("dbc-1.cloud.databricks.com", "abc123");
        for (host, warehouse, wanted) in [
            ("", fine.1, "host: give"),
            ("http://dbc-1.cloud.databricks.com", fine.1, "host: give the name alone"),
            ("u@dbc-1.cloud.databricks.com", fine.1, "host: give the name alone"),
            ("dbc-1.cloud.databricks.com:443", fine.1, "host: give the name alone"),
            ("accounts.cloud.databricks.com", fine.1, "host: this is the account console"),
            ("example.com", fine.1, "host: workspaces are at"),
            ("cloud.databricks.com.example.com", fine.1, "host: workspaces are at"),
            (".cloud.databricks.com", fine.1, "host: workspaces are at"),
            ("127.0.0.1", fine.1, "host: workspaces are at"),
            (fine.0, "", "warehouse: give"),
            (fine.0, "sql/protocolv1/o/1/0123-cluster", "warehouse: this is the path of a cluster"),
            (fine.0, "/sql/elsewhere/abc", "warehouse: give the ID"),
            (fine.0, "a b", "warehouse: give"),
        ] {
            let refused = config(host, warehouse).expect_err("a wrong configuration");
            assert!(refused.starts_with(wanted), "{host} {warehouse}: {refused}");
        }
    }

    #[test]
    fn who_signs_in_is_told_exactly() {
        let with = |sign_in: serde_json::Value| {
            let json = json!({"host": "adb-1.2.azuredatabricks.net", "warehouse": "a", "signIn": sign_in});
            let config: Config = serde_json::from_value(json).map_err(|error| error.to_string())?;
            config.validate().map_err(|error| error.to_string())
        };
        assert_eq!(with(json!({"oauth": {"clientId": "b7f7a7a6-0000"}})), Ok(()));
        for other in ["x`; DROP CATALOG main; --", "a\nDROP CATALOG main; --", "a:b", "a b", "ä"] {
            let refused = with(json!({"oauth": {"clientId": other}})).expect_err(other);
            assert!(refused.starts_with("signIn.oauth.clientId: this is no application ID"), "{refused}");
        }
        assert!(
            with(json!({"oauth": {"clientId": ""}}))
                .is_err_and(|it| it.starts_with("signIn.oauth.clientId: "))
        );
        assert!(
            with(json!({"oauth": {"clientId": "a", "secret": "x"}})).is_err_and(|it| it.contains("secret"))
        );
        assert!(with(json!("password")).is_err_and(|it| it.contains("password")));
    }

    #[test]
    fn what_people_copy_is_understood() {
        for (host, warehouse) in [
            ("https://DBC-1.cloud.databricks.com/?o=1", "/sql/1.0/warehouses/abc123"),
            ("dbc-1.cloud.databricks.com/", "sql/1.0/endpoints/abc123/"),
        ] {
            let config = config(host, warehouse).expect("a connection");
            assert_eq!(config.url().map(String::from).as_deref(), Ok("https://dbc-1.cloud.databricks.com/"));
            assert_eq!(config.warehouse_id(), Ok("abc123"));
        }
    }
}
