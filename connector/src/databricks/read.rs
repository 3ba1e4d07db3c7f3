//! One read: one statement, begun anew once where the table turns out to have changed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Shared;
use super::answer::Answer;
use super::catalog::Known;
use super::decode::Limits;
use super::dialect::{self, Expected};
use super::run::{self, Asked, Ended};
use super::statement::{Disposition, Statement};
use crate::{Batch, ConnectorError, ErrorKind, ReadRequest, Result};

/// Results of fewer rows than this are sent inline, in one answer; larger ones as links.
pub const INLINE_ROWS: u64 = 10_000;

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
    known: Arc<Known>,
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
        let (known, columns) = (Arc::clone(&plan.known), plan.columns.clone());
        self.answer = Some(self.execute(&known, columns, &statement).await?);
        Ok(Step::Again)
    }

    /// Runs a statement so that small results need neither links nor a second answer, and large ones no memory: a
    /// result that fills the inline limit is thrown away and asked for as links.
    async fn execute(&self, known: &Known, columns: Vec<Expected>, statement: &Statement) -> Result<Answer> {
        let client = &self.shared.client;
        let asked = Asked { table: Some(&known.table), tag: &self.tag, cost: &self.request.cost };
        let limits = Limits {
            rows: self.request.batch_rows.max(1),
            bytes: self.request.batch_bytes.max(1),
            cell: self.request.cell_bytes,
        };
        let whole_table = self.request.from.is_none();
        if !(whole_table && known.large.load(Ordering::Relaxed)) {
            let inline =
                run::run(client, &statement.limited(INLINE_ROWS), Disposition::Inline, asked).await?;
            if let Ended::Succeeded { id, reply } = inline {
                let answer = Answer::new(Arc::clone(client), id, *reply, columns.clone(), limits)?;
                if answer.total_rows() < INLINE_ROWS {
                    return Ok(answer);
                }
            }
            known.large.fetch_or(whole_table, Ordering::Relaxed);
        }
        match run::run(client, statement, Disposition::Links, asked).await? {
            Ended::Succeeded { id, reply } => Answer::new(Arc::clone(client), id, *reply, columns, limits),
            Ended::TooLarge => Err(ConnectorError::new(
                ErrorKind::Protocol,
                "the workspace finds the result too large even for links",
            )),
        }
    }
}

/// What a request means for its table.
async fn plan(shared: &Shared, request: &ReadRequest, fresh: bool) -> Result<Plan> {
    let (known, fresh) = request.cost.charge(shared.table(&request.table, fresh)).await?;
    match statement(request, &known) {
        Err(_) if !fresh => {
            let (known, fresh) = request.cost.charge(shared.table(&request.table, true)).await?;
            let (columns, statement) = statement(request, &known)?;
            Ok(Plan { known, columns, statement, fresh })
        }
        made => made.map(|(columns, statement)| Plan { known, columns, statement, fresh }),
    }
}

fn statement(request: &ReadRequest, known: &Known) -> Result<(Vec<Expected>, Option<Statement>)> {
    let columns = known.choose(&request.columns)?;
    let key = known.choose(&request.key)?;
    let statement = dialect::read(request, &known.table, &columns, &key)?;
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
