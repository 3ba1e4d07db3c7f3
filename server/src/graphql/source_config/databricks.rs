//! A Databricks connection in the contract.

use async_graphql::{InputObject, MaybeUndefined, SimpleObject};
use connector::databricks;

use super::{filled, settings};
use crate::domain::source::Settings;
use crate::error::Result;

/// How a Databricks workspace is reached.
#[derive(SimpleObject)]
pub struct DatabricksConfig {
    /// The workspace's host.
    host: String,
    /// The SQL warehouse's ID, or its HTTP path.
    warehouse: String,
    /// The one catalog whose tables are listed, and that of tables that name none.
    catalog: Option<String>,
    /// The one schema of it whose tables are listed, and that of tables that name none.
    schema: Option<String>,
    /// The application ID of the service principal that signs in by OAuth; null where a personal access token does.
    client_id: Option<String>,
}

impl From<databricks::Config> for DatabricksConfig {
    fn from(config: databricks::Config) -> Self {
        Self {
            host: config.host,
            warehouse: config.warehouse,
            catalog: config.catalog,
            schema: config.schema,
            client_id: match config.sign_in {
                databricks::SignIn::Oauth { client_id } => Some(client_id),
                databricks::SignIn::Token => None,
            },
        }
    }
}

/// How a Databricks workspace is reached.
#[derive(InputObject)]
pub struct DatabricksConfigInput {
    /// The workspace's host.
    pub host: String,
    /// The SQL warehouse's ID, or its HTTP path, which ends in it.
    pub warehouse: String,
    /// The one catalog whose tables are listed, and that of tables that name none.
    pub catalog: Option<String>,
    /// The one schema of it whose tables are listed, and that of tables that name none.
    pub schema: Option<String>,
    /// The application ID of the service principal that signs in by OAuth. Without it, the secret is a personal access
    /// token.
    pub client_id: Option<String>,
    /// The service principal's OAuth secret, or the personal access token. Left out of an update, the stored one stays;
    /// null removes it.
    pub secret: MaybeUndefined<String>,
}

impl DatabricksConfigInput {
    /// Splits what may be seen from what is sealed.
    ///
    /// # Errors
    /// Names the first value that is unacceptable.
    pub fn settings(self) -> Result<Settings> {
        let sign_in = match filled(self.client_id) {
            Some(client_id) => databricks::SignIn::Oauth { client_id },
            None => databricks::SignIn::Token,
        };
        let config = databricks::Config {
            host: self.host.trim().to_owned(),
            warehouse: self.warehouse.trim().to_owned(),
            catalog: filled(self.catalog),
            schema: filled(self.schema),
            sign_in,
        };
        settings::<databricks::Databricks>(config, self.secret)
    }
}
