//! How a table is cut into partitions, and what that asks of a statement that reads it.

use super::catalog::Known;
use crate::{ConnectorError, ErrorKind, Result};

/// How a table is cut into partitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partition {
    /// The column; nothing when the time of arrival decides.
    pub column: Option<String>,
    /// Whether statements must filter by it.
    pub required: bool,
}

impl Known {
    /// Whether a statement must say a range of that cursor, because the table wants to be filtered by it.
    ///
    /// # Errors
    /// `Config` when the table wants to be filtered by something else.
    pub fn wants_filter(&self, cursor: &str) -> Result<bool> {
        let Some(partition) = self.partition.as_ref().filter(|partition| partition.required) else {
            return Ok(false);
        };
        match &partition.column {
            Some(column) if column == cursor => Ok(true),
            Some(column) => {
                let message = format!(
                    "table {} may only be read with a filter on {column:?}, and the cursor is {cursor:?}",
                    self.path.table
                );
                Err(ConnectorError::new(ErrorKind::Config, message).hint(format!(
                    "choose {column:?} as the cursor, or lift the table's require_partition_filter"
                )))
            }
            None => {
                let message = format!(
                    "table {} may only be read with a filter on the time of arrival of its rows",
                    self.path.table
                );
                Err(ConnectorError::new(ErrorKind::Config, message).hint(
                    "lift the table's require_partition_filter, or read it through a view that has such a filter",
                ))
            }
        }
    }

    /// What to know of a cursor that is not what the table is cut by: every poll then reads all of it. A view does not
    /// tell how the tables behind it are cut.
    pub fn advice(&self, cursor: &str) -> Option<String> {
        let Some(partition) = &self.partition else {
            let clustered = self.clustering.first().is_some_and(|column| column == cursor);
            return (self.kind == "TABLE" && !clustered).then(|| {
                format!(
                    "every poll reads the whole table, because it is neither partitioned nor clustered by {cursor:?}; if it \
                     were, a poll would read only what is new"
                )
            });
        };
        match &partition.column {
            Some(column) if column == cursor => None,
            Some(column) => Some(format!(
                "every poll reads the whole table, because it is partitioned by {column:?}; as the cursor that column \
                 would read only what is new"
            )),
            None => Some(
                "every poll reads the whole table, because it is partitioned by the time of arrival of its rows, \
                 which no column tells"
                    .to_owned(),
            ),
        }
    }
}
