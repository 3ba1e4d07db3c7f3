//! A BigQuery connection in the contract.

use async_graphql::{Enum, InputObject, MaybeUndefined, SimpleObject};
use connector::bigquery;

use super::{filled, settings};
use crate::domain::source::Settings;
use crate::error::{Error, Result};
use crate::graphql::scalar::BigInt;

/// How BigQuery is reached.
#[derive(SimpleObject)]
pub struct BigqueryConfig {
    /// The project statements run in and are billed to.
    project: String,
    /// The dataset that is listed, and that of tables that name none.
    dataset: Option<String>,
    /// The project the data is in, where it is not the one that pays.
    data_project: Option<String>,
    /// Where statements run; without it, where the table is.
    location: Option<String>,
    /// The most bytes one statement may bill.
    maximum_bytes_billed: Option<BigInt>,
    /// Who signs in.
    sign_in: BigquerySignIn,
}

impl From<bigquery::Config> for BigqueryConfig {
    fn from(config: bigquery::Config) -> Self {
        Self {
            project: config.project,
            dataset: config.dataset,
            data_project: config.data_project,
            location: config.location,
            maximum_bytes_billed: config
                .maximum_bytes_billed
                .map(|most| BigInt(i64::try_from(most).unwrap_or(i64::MAX))),
            sign_in: config.sign_in.into(),
        }
    }
}

/// Who signs in at Google.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "bigquery::SignIn")]
pub enum BigquerySignIn {
    /// The customer's own service account, by its key.
    Key,
    /// Weir's own service account, which the customer grants access. No secret changes hands.
    Weir,
}

/// How BigQuery is reached.
#[derive(InputObject)]
pub struct BigqueryConfigInput {
    /// The project statements run in and are billed to.
    pub project: String,
    /// The dataset to list, and that of tables that name none; without it, all datasets are listed.
    pub dataset: Option<String>,
    /// The project the data is in, where it is not the one that pays.
    pub data_project: Option<String>,
    /// Where statements run; without it, where the table is.
    pub location: Option<String>,
    /// The most bytes one statement may bill; one that would bill more fails and costs nothing.
    pub maximum_bytes_billed: Option<BigInt>,
    /// Who signs in.
    #[graphql(default_with = "BigquerySignIn::Key")]
    pub sign_in: BigquerySignIn,
    /// The service account's key, the whole JSON file. Left out of an update, the stored one stays; null removes it.
    pub key: MaybeUndefined<String>,
}

impl BigqueryConfigInput {
    /// Splits what may be seen from what is sealed.
    ///
    /// # Errors
    /// Names the first value that is unacceptable.
    pub fn settings(self) -> Result<Settings> {
        let key = match (self.sign_in, self.key) {
            (BigquerySignIn::Weir, MaybeUndefined::Value(_)) => {
                let reason =
                    "Weir's own service account signs in here; leave the key out, or sign in with it";
                return Err(Error::invalid("config.bigquery.key", reason));
            }
            (_, key) => key,
        };
        let most = self.maximum_bytes_billed.map(|most| {
            u64::try_from(most.0)
                .map_err(|_| Error::invalid("config.bigquery.maximumBytesBilled", "must not be negative"))
        });
        let config = bigquery::Config {
            project: self.project.trim().to_owned(),
            dataset: filled(self.dataset),
            data_project: filled(self.data_project),
            location: filled(self.location),
            maximum_bytes_billed: most.transpose()?,
            sign_in: self.sign_in.into(),
        };
        settings::<bigquery::Bigquery>(config, key)
    }
}
