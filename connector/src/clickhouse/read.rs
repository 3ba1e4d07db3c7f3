//! One read: its statements one after the other, each begun when the one before has ended cleanly.

use std::collections::VecDeque;
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
    /// The statements still to be sent; nothing before the table has been looked up.
    plan: Option<Plan>,
    answer: Option<Answer>,
    given: bool,
}

struct Plan {
    columns: Vec<Expected>,
    statements: VecDeque<Statement>,
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
        let Some(statement) = plan.statements.pop_front() else { return Ok(Step::End) };
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
    match statements(shared, request, &known) {
        Err(_) if !fresh => {
            let (known, fresh) = shared.table(&request.table, true, &request.cost).await?;
            let (columns, statements) = statements(shared, request, &known)?;
            Ok(Plan { columns, statements, fresh })
        }
        made => made.map(|(columns, statements)| Plan { columns, statements, fresh }),
    }
}

fn statements(
    shared: &Shared,
    request: &ReadRequest,
    known: &Known,
) -> Result<(Vec<Expected>, VecDeque<Statement>)> {
    let columns = known.choose(&request.table, &request.columns)?;
    let key = known.choose(&request.table, &request.key)?;
    let merged = shared.client.config().merged && dialect::merges(&known.engine);
    let statements = dialect::read(request, &columns, &key, merged)?.into();
    Ok((columns, statements))
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
