//! A BigQuery connection, secrets apart.

use serde::{Deserialize, Serialize};

use crate::{ConnectorError, ErrorKind, Result};

/// What BigQuery bills at least for each table a statement reads ("Estimate and control costs"), in bytes.
pub const LEAST_BILLED: u64 = 10_485_760;

/// Who signs in at Google.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SignIn {
    /// The customer's own service account; its key is the credential.
    #[default]
    Key,
    /// The operator's service account, to which the customer grants access. There is no credential.
    Weir,
}

/// Which project pays, what is read, and who reads it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The project statements run in and are billed to.
    pub project: String,
    /// The dataset to list, and that of tables that name none; without it, all datasets are listed.
    #[serde(default)]
    pub dataset: Option<String>,
    /// The project the data is in, where it is not the one that pays.
    #[serde(default)]
    pub data_project: Option<String>,
    /// Where statements run when BigQuery does not tell where their table is.
    #[serde(default)]
    pub location: Option<String>,
    /// The most bytes one statement may bill; one that would bill more fails and costs nothing.
    #[serde(default)]
    pub maximum_bytes_billed: Option<u64>,
    /// Who signs in.
    #[serde(default)]
    pub sign_in: SignIn,
}

impl Config {
    /// Checks what can be checked without connecting.
    ///
    /// # Errors
    /// `Config`, naming the field.
    pub fn validate(&self) -> Result<()> {
        project("project", &self.project)?;
        if let Some(name) = &self.data_project {
            project("dataProject", name)?;
        }
        if let Some(name) = &self.dataset {
            dataset(name)?;
        }
        if let Some(name) = &self.location {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
                return Err(wrong(
                    "location: give a location such as EU, US or europe-west3, or leave it out",
                ));
            }
        }
        if self.maximum_bytes_billed.is_some_and(|most| most < LEAST_BILLED) {
            let text = format!(
                "maximumBytesBilled: give at least {LEAST_BILLED}; BigQuery bills that much for each table, so that \
                 less refuses every statement"
            );
            return Err(wrong(&text));
        }
        Ok(())
    }

    /// The project whose tables are read.
    pub fn data_project(&self) -> &str {
        self.data_project.as_deref().unwrap_or(&self.project)
    }
}

/// Checks the ID of a project, which an old one may have behind a domain: `example.com:proj`.
fn project(field: &str, id: &str) -> Result<()> {
    let own = id.rsplit_once(':').map_or(id, |(_, own)| own);
    if !own.is_empty() && own.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong(&format!(
            "{field}: give the project's ID, such as acme-data-1234, not its number"
        )));
    }
    let first = own.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let last = own.bytes().last().is_some_and(|byte| byte != b'-');
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let domain = id.rsplit_once(':').map_or("", |(domain, _)| domain);
    let plain = own.bytes().all(letter) && domain.bytes().all(|byte| letter(byte) || byte == b'.');
    if first && last && plain && own.len() <= 30 {
        return Ok(());
    }
    let text = format!(
        "{field}: {id:?} is no ID of a Google Cloud project; one is up to 30 lower-case letters, digits and hyphens, \
         such as acme-data-1234"
    );
    Err(wrong(&text))
}

fn dataset(name: &str) -> Result<()> {
    if name.contains(['.', ':', '/', '`']) {
        return Err(wrong("dataset: give the dataset alone; its project goes into dataProject"));
    }
    if name.trim().is_empty() || name.len() > 1_024 {
        return Err(wrong("dataset: give the name of a dataset, or leave it out to see all"));
    }
    Ok(())
}

fn wrong(text: &str) -> ConnectorError {
    ConnectorError::new(ErrorKind::Config, text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(json: serde_json::Value) -> std::result::Result<Config, String> {
        let config: Config = serde_json::from_value(json).map_err(|error| error.to_string())?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn what_a_person_may_get_wrong_is_refused_by_field() {
        for (json, wanted) in [
            (json!({"project": ""}), "project: "),
            (json!({"project": "123456789012"}), "project: give the project's ID"),
            (json!({"project": "Acme"}), "project: "),
            (json!({"project": "acme-"}), "project: "),
            (json!({"project": "acme-1", "dataProject": "a b"}), "dataProject: "),
            (json!({"project": "acme-1", "dataset": "acme-1.sales"}), "dataset: give the dataset alone"),
            (json!({"project": "acme-1", "dataset": " "}), "dataset: "),
            (json!({"project": "acme-1", "location": "EU; DROP"}), "location: "),
            (json!({"project": "acme-1", "maximumBytesBilled": 1_000}), "maximumBytesBilled: "),
            (json!({"project": "acme-1", "user": "me"}), "unknown field `user`"),
            (json!({"project": "acme-1", "signIn": "password"}), "unknown variant `password`"),
        ] {
            let refused = config(json.clone()).expect_err("it must be refused");
            assert!(refused.contains(wanted), "{json}: {refused}");
        }
    }

    #[test]
    fn all_a_connection_may_have_is_taken() {
        let whole = config(json!({
            "project": "example.com:acme-1", "dataset": "sales_2026", "dataProject": "acme-data", "location": "europe-west3",
            "maximumBytesBilled": 104_857_600_u64, "signIn": "weir",
        }))
        .expect("it is right");
        assert_eq!((whole.data_project(), whole.sign_in), ("acme-data", SignIn::Weir));
        let bare = config(json!({"project": "acme-1"})).expect("it is right");
        assert_eq!((bare.data_project(), bare.sign_in), ("acme-1", SignIn::Key));
    }
}
