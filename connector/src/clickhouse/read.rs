//! One read: one statement, begun anew once where the table turns out to have changed.

use std::sync::Arc;

use super::answer::Answer;
use super::catalog::Known;
use super::decode::{Expected, Limits};
use super::send::Purpose;
use super::statement::Statement;
use super::{Shared, dialect};
use crate::{Batch, ErrorKind, ReadRequest, Result};

/// A read in progress.
pub struct Reading {
    shared: Arc<Shared>,
    request: ReadRequest,
    tag: String,
    /// The statement still to be sent; nothing before the table has been looked up.
    plan: Option<Plan>,
    answer: Option<Answer>,
    given: bool,
}

struct Plan {
    columns: Vec<Expected>,
    statement: Option<Statement>,
    /// Whether the table was looked up for this read.
    fresh: bool,
}

impl Reading {
    /// Prepares a read; nothing is sent before the first batch is asked for.
    pub fn new(shared: Arc<Shared>, request: ReadRequest) -> Self {
        let tag = request.tag.line();
        Self { shared, request, tag, plan: None, answer: None, given: false }
    }

    /// The next batch; nothing after the last.
    ///
    /// # Errors
    /// Whatever keeps the read from being whole.
    pub async fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            match self.step().await {
                // The table may have been changed since it was last looked up: look again, once, before any row.
                Err(error) if !self.given && self.kept() && stale(error.kind()) => {
                    self.answer = None;
                    self.plan = Some(plan(&self.shared, &self.request, true).await?);
                }
                Ok(Step::Again) => {}
                Ok(Step::Batch(batch)) => {
                    self.given = true;
                    return Ok(Some(batch));
                }
                Ok(Step::End) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    fn kept(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| !plan.fresh)
    }

    async fn step(&mut self) -> Result<Step> {
        if self.plan.is_none() {
            self.plan = Some(plan(&self.shared, &self.request, false).await?);
        }
        if let Some(answer) = &mut self.answer {
            if let Some(batch) = answer.next().await? {
                return Ok(Step::Batch(batch));
            }
            self.answer = None;
        }
        let Some(plan) = &mut self.plan else { return Ok(Step::Again) };
        let Some(statement) = plan.statement.take() else { return Ok(Step::End) };
        let limits = Limits {
            rows: self.request.batch_rows.max(1),
            bytes: self.request.batch_bytes.max(1),
            cell: self.request.cell_bytes,
        };
        let expected = Some(plan.columns.clone());
        let purpose = Purpose { tag: &self.tag, cost: &self.request.cost };
        self.answer = Some(self.shared.client.stream(&statement, expected, limits, purpose).await?);
        Ok(Step::Again)
    }
}

/// What a request means for its table.
async fn plan(shared: &Shared, request: &ReadRequest, fresh: bool) -> Result<Plan> {
    let (known, fresh) = shared.table(&request.table, fresh, &request.cost).await?;
    match statement(shared, request, &known) {
        Err(_) if !fresh => {
            let (known, fresh) = shared.table(&request.table, true, &request.cost).await?;
            let (columns, statement) = statement(shared, request, &known)?;
            Ok(Plan { columns, statement, fresh })
        }
        made => made.map(|(columns, statement)| Plan { columns, statement, fresh }),
    }
}

fn statement(
    shared: &Shared,
    request: &ReadRequest,
    known: &Known,
) -> Result<(Vec<Expected>, Option<Statement>)> {
    let columns = known.choose(&request.table, &request.columns)?;
    let key = known.choose(&request.table, &request.key)?;
    let merged = shared.client.config().merged && dialect::merges(&known.engine);
    let statement = dialect::read(request, &columns, &key, merged)?;
    Ok((columns, statement))
}

enum Step {
    Batch(Batch),
    Again,
    End,
}

/// Whether an error may come from a table that changed.
fn stale(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::Schema | ErrorKind::Protocol | ErrorKind::Config)
}
