//! A SQLite file in the contract.

use async_graphql::{InputObject, MaybeUndefined, SimpleObject};
use connector::sqlite;

use super::settings;
use crate::domain::source::Settings;
use crate::error::Result;

/// Where a SQLite file is.
#[derive(SimpleObject)]
pub struct SqliteConfig {
    /// The full path on the machine Weir runs on.
    path: String,
}

impl From<sqlite::Config> for SqliteConfig {
    fn from(config: sqlite::Config) -> Self {
        Self { path: config.path }
    }
}

/// Where a SQLite file is.
#[derive(InputObject)]
pub struct SqliteConfigInput {
    /// The full path on the machine Weir runs on.
    pub path: String,
}

impl SqliteConfigInput {
    /// Splits what may be seen from what is sealed, which is nothing.
    ///
    /// # Errors
    /// Names the first value that is unacceptable.
    pub fn settings(self) -> Result<Settings> {
        settings::<sqlite::Sqlite>(sqlite::Config { path: self.path }, MaybeUndefined::Undefined)
    }
}
