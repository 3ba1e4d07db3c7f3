//! One read: one statement, and another one from the last row on where its result was lost.

use std::sync::Arc;

use super::catalog::Known;
use super::decode::{Expected, Limits};
use super::dialect::{self, Start};
use super::rows::Rows;
use super::statement::{Session, Statement};
use super::{Shared, catalog};
use crate::{
    Batch, ConnectorError, ErrorKind, NullCursors, Position, ReadRequest, Result, TableRef, Watermark,
};

/// How often a read goes on with a new statement before a batch comes of it.
const LOST: u32 = 2;

/// A read in progress.
pub struct Reading {
    shared: Arc<Shared>,
    request: ReadRequest,
    tag: String,
    state: State,
    /// Where the last row given out stands; nothing when it cannot be named.
    last: Option<Position>,
    /// The row that a new statement begins with, once more.
    again: Option<Position>,
    given: bool,
    lost: u32,
}

enum State {
    /// Nothing has been asked yet, or what the table is must be asked again.
    Begin { fresh: bool, start: Start },
    /// Rows are coming. `fresh` tells whether the table was looked up for this statement.
    Rows { rows: Box<Rows>, fresh: bool },
    /// All have come.
    End,
}

impl Reading {
    /// Prepares a read; nothing is sent before the first batch is asked for.
    pub fn new(shared: Arc<Shared>, request: ReadRequest) -> Self {
        let tag = request.tag.line();
        let state = State::Begin { fresh: false, start: Start::At };
        Self { shared, request, tag, state, last: None, again: None, given: false, lost: 0 }
    }

    /// The next batch; nothing after the last.
    ///
    /// # Errors
    /// Whatever keeps the read from being whole.
    pub async fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            match self.step().await {
                Ok(Step::Again) => {}
                Ok(Step::Batch(batch)) => {
                    self.given = true;
                    self.lost = 0;
                    self.last = batch.rows().checked_sub(1).and_then(|row| self.place(&batch, row));
                    return Ok(Some(batch));
                }
                Ok(Step::End) => return Ok(None),
                Err(error) => self.state = self.otherwise(error)?,
            }
        }
    }

    /// What can still be done after an error.
    fn otherwise(&mut self, error: ConnectorError) -> Result<State> {
        let kept = matches!(self.state, State::Begin { fresh: false, .. } | State::Rows { fresh: false, .. });
        // The table may have been changed since it was last looked up: look again, once, before any row.
        if !self.given && kept && stale(error.kind()) {
            return Ok(State::Begin { fresh: true, start: Start::At });
        }
        let lost = matches!(self.state, State::Rows { .. })
            && error.kind() == ErrorKind::Unavailable
            && !error.rows_may_be_missing();
        if lost
            && self.lost < LOST
            && let Some(last) = self.last.take()
        {
            tracing::warn!(%error, "the result was lost; the read goes on from its last row");
            self.lost += 1;
            self.last = Some(last.clone());
            self.again = Some(last.clone());
            self.request.from = Some(last);
            // Rows without a cursor came before all others.
            self.request.nulls = NullCursors::Skip;
            return Ok(State::Begin { fresh: true, start: Start::Again });
        }
        Err(error)
    }

    async fn step(&mut self) -> Result<Step> {
        match &mut self.state {
            State::Begin { fresh, start } => {
                let (fresh, start) = (*fresh, *start);
                let (plan, fresh) = plan(&self.shared, &self.request, fresh, start).await?;
                let Some(plan) = plan else {
                    self.state = State::End;
                    return Ok(Step::End);
                };
                // From here on, what is known of the table is what this statement was made of.
                self.state = State::Begin { fresh, start };
                let client = &self.shared.client;
                let submission = client.prepare(&plan.statement, Session::Whole, &self.tag)?;
                let limits = Limits {
                    rows: self.request.batch_rows.max(1),
                    bytes: self.request.batch_bytes.max(1),
                    cell: self.request.cell_bytes,
                };
                let rows = client.rows(submission, Some(plan.columns), limits, &self.request.cost).await?;
                self.state = State::Rows { rows: Box::new(rows), fresh };
                Ok(Step::Again)
            }
            State::Rows { rows, .. } => match rows.next().await? {
                Some(batch) => Ok(self.unrepeated(batch)),
                None => {
                    self.state = State::End;
                    Ok(Step::End)
                }
            },
            State::End => Ok(Step::End),
        }
    }

    /// The batch without the row that was given out before the result was lost, which comes first again: unless it was
    /// changed meanwhile, or another row that the order takes for equal comes before it. Then all are given out; a row
    /// that comes twice does no harm, one left out would.
    fn unrepeated(&mut self, batch: Batch) -> Step {
        let again = self.again.take();
        if batch.rows() == 0 || again.is_none() || self.place(&batch, 0) != again {
            return Step::Batch(batch);
        }
        match batch.without_first() {
            rest if rest.rows() == 0 => Step::Again,
            rest => Step::Batch(rest),
        }
    }

    /// Where a row of a batch stands, when a statement can go on from it: it has a cursor and a key.
    fn place(&self, batch: &Batch, row: usize) -> Option<Position> {
        let watermark =
            Watermark::of(self.request.cursor.kind, &batch.column(&self.request.cursor.column)?.cell(row))?;
        let key = self.request.key.iter().map(|name| batch.column(name)?.cell(row).key());
        let key: Vec<String> = key.collect::<Option<_>>()?;
        (!key.is_empty()).then_some(Position { watermark, key })
    }
}

enum Step {
    Batch(Batch),
    Again,
    End,
}

struct Plan {
    statement: Statement,
    columns: Vec<Expected>,
}

/// What a request means for its table, and whether the table was looked up for it; no plan where no row can be.
async fn plan(
    shared: &Shared,
    request: &ReadRequest,
    fresh: bool,
    start: Start,
) -> Result<(Option<Plan>, bool)> {
    let table = dialect::full(&request.table, shared.client.config())?;
    let (known, fresh) = request.cost.charge(shared.table(&table, fresh)).await?;
    match made(request, &table, &known, start) {
        Err(_) if !fresh => {
            let (known, fresh) = request.cost.charge(shared.table(&table, true)).await?;
            Ok((made(request, &table, &known, start)?, fresh))
        }
        plan => Ok((plan?, fresh)),
    }
}

fn made(
    request: &ReadRequest,
    table: &TableRef,
    known: &catalog::Known,
    start: Start,
) -> Result<Option<Plan>> {
    let columns = known.choose(table, &request.columns)?;
    let key = known.choose(table, &request.key)?;
    let nullable = nullable(known, table, request)?;
    let statement = dialect::read(request, table, &columns, &key, nullable, start)?;
    Ok(statement.map(|statement| Plan { statement, columns }))
}

fn nullable(known: &Known, table: &TableRef, request: &ReadRequest) -> Result<bool> {
    Ok(known.column(table, &request.cursor.column)?.nullable)
}

/// Whether an error may come from a table that changed.
fn stale(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound
            | ErrorKind::Permission
            | ErrorKind::Schema
            | ErrorKind::Protocol
            | ErrorKind::Config
    )
}
