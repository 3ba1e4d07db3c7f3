//! Statements with small results, taken at once.

use std::sync::Arc;

use super::answer::Answer;
use super::client::Client;
use super::decode::Limits;
use super::dialect::Expected;
use super::run::{self, Asked, Ended};
use super::statement::{Disposition, Statement};
use crate::{Batch, ConnectorError, Cost, ErrorKind, Result, TableRef};

/// A statement with a small result.
pub struct Small<'a> {
    /// The statement.
    pub statement: &'a Statement,
    /// The columns of its result.
    pub columns: Vec<Expected>,
    /// Who asks.
    pub tag: &'a str,
    /// The table it reads, for messages.
    pub table: Option<&'a TableRef>,
    /// Where its cost is added up.
    pub cost: &'a Cost,
}

/// Runs a statement with a small result.
///
/// # Errors
/// What the workspace or the warehouse refused.
pub async fn small(client: &Arc<Client>, small: Small<'_>) -> Result<Batch> {
    let limits = Limits { rows: 1_000_000, bytes: 256 << 20, cell: 1 << 20 };
    let asked = Asked { table: small.table, tag: small.tag, cost: small.cost };
    for disposition in [Disposition::Inline, Disposition::Links] {
        let ended = run::run(client, small.statement, disposition, asked).await?;
        let Ended::Succeeded { id, reply } = ended else { continue };
        let mut answer = Answer::new(Arc::clone(client), id, *reply, small.columns.clone(), limits)?;
        let batch = match answer.next().await? {
            Some(batch) => batch,
            None => answer.empty(),
        };
        if answer.next().await?.is_some() {
            break;
        }
        return Ok(batch);
    }
    Err(ConnectorError::new(ErrorKind::Protocol, "the result is larger than can be taken at once"))
}
