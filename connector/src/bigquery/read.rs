//! One read: a statement whose result comes page by page, and another from where it broke off when the result is gone.

use std::sync::Arc;

use super::catalog::Known;
use super::decode::{Decoder, First};
use super::dialect::{self, Planned};
use super::job::{self, Order};
use super::pages::Pages;
use super::refusal::Refusal;
use super::types::Native;
use super::{PAGE_ROWS, Shared};
use crate::{Batch, ConnectorError, ErrorKind, NullCursors, Position, ReadRequest, Result};

/// Rows of one statement after BigQuery could not order the whole result, and again after that.
const SLICES: [u64; 3] = [1_000_000, 100_000, 10_000];

/// A read in progress.
pub struct Reading {
    shared: Arc<Shared>,
    request: ReadRequest,
    order: Order,
    plan: Option<Plan>,
    decoder: Option<Decoder>,
    pages: Option<Pages>,
    /// The next of [`SLICES`] to try.
    finer: usize,
    slice: Option<u64>,
    /// Where the last statement that went on instead of another began.
    resumed: Option<Position>,
    ended: bool,
}

struct Plan {
    known: Arc<Known>,
    columns: Vec<Native>,
    key: Vec<Native>,
    /// Whether the table was looked up for this read.
    fresh: bool,
}

impl Reading {
    /// Prepares a read; nothing is sent before the first batch is asked for.
    pub fn new(shared: Arc<Shared>, request: ReadRequest) -> Self {
        let order = Order { tag: request.tag.clone(), rows: PAGE_ROWS, cost: request.cost.clone() };
        Self {
            shared,
            request,
            order,
            plan: None,
            decoder: None,
            pages: None,
            finer: 0,
            slice: None,
            resumed: None,
            ended: false,
        }
    }

    /// The next batch; nothing after the last.
    ///
    /// # Errors
    /// Whatever keeps the read from being whole.
    pub async fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            if let Some(batch) = self.decoder.as_mut().and_then(Decoder::full) {
                return Ok(Some(batch));
            }
            if self.ended {
                return Ok(self.decoder.as_mut().and_then(Decoder::rest));
            }
            if let Err(refusal) = self.step().await {
                self.recover(refusal).await?;
            }
        }
    }

    async fn step(&mut self) -> std::result::Result<(), Refusal> {
        if self.plan.is_none() {
            self.plan = Some(plan(&self.shared, &self.request, false).await?);
        }
        let Some(pages) = &mut self.pages else { return self.begin(None).await };
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        if pages.next(decoder).await? {
            return Ok(());
        }
        // A slice that is full may have more behind it.
        if self.slice.is_some_and(|most| pages.total() >= most) {
            return self.resume("the result is read in parts").await;
        }
        self.ended = true;
        Ok(())
    }

    /// Runs the statement, from the request's own bound or from a position.
    async fn begin(&mut self, from: Option<Position>) -> std::result::Result<(), Refusal> {
        let Some(plan) = &self.plan else { return Ok(()) };
        let first = from.clone().map_or(First::New, First::At);
        let planned = match from {
            None => plan.read(&self.request, self.slice)?,
            Some(from) => {
                // Rows without a cursor come first, so they have all been seen.
                let request =
                    ReadRequest { from: Some(from), nulls: NullCursors::Skip, ..self.request.clone() };
                plan.read(&request, self.slice)?
            }
        };
        if first != First::New && !planned.exact {
            return Err(gone("and the row key has cells that cannot be compared").into());
        }
        let Some(statement) = planned.statement else {
            self.ended = true;
            return Ok(());
        };
        let (job, page) = job::run(&self.shared.client, &statement, &self.order).await?;
        let came: Vec<Native> = page.reply.schema.fields.iter().map(Native::of).collect();
        plan.compare(&came)?;
        if self.decoder.is_none() {
            self.decoder = Some(Decoder::new(plan.columns.clone(), &self.request));
        }
        self.pages = Some(Pages::new(self.shared.client.clone(), job, page, first)?);
        Ok(())
    }

    /// Goes on in a new statement from the last row that came.
    async fn resume(&mut self, why: &str) -> std::result::Result<(), Refusal> {
        let position = self.decoder.as_ref().and_then(Decoder::position);
        let position = position.ok_or_else(|| gone("and the last row has no cursor to go on from"))?;
        if self.resumed.as_ref() == Some(&position) {
            return Err(gone("and a new statement came no further").into());
        }
        tracing::info!(why, table = %self.request.table, "a BigQuery read goes on in a new statement");
        self.pages = None;
        self.resumed = Some(position.clone());
        self.begin(Some(position)).await
    }

    /// Does what can still be done after a failure.
    async fn recover(&mut self, refusal: Refusal) -> Result<()> {
        let begun = self.decoder.as_ref().is_some_and(Decoder::begun);
        // The result of a statement is kept for a day; then only its rows' own order tells where to go on.
        if begun && self.pages.is_some() && refusal.error.kind() == ErrorKind::NotFound {
            return self.resume("the result is gone").await.map_err(|refusal| refusal.error);
        }
        if begun || self.pages.is_some() {
            return Err(refusal.error);
        }
        if refusal.too_large() && self.finer < SLICES.len() {
            self.slice = Some(SLICES[self.finer]);
            self.finer += 1;
            return Ok(());
        }
        // The table may have been changed since it was last looked up: look again, once, before any row.
        if self.plan.as_ref().is_some_and(|plan| !plan.fresh) && refusal.stale() {
            self.plan = Some(plan(&self.shared, &self.request, true).await?);
            return Ok(());
        }
        Err(refusal.error)
    }
}

impl Plan {
    fn read(&self, request: &ReadRequest, limit: Option<u64>) -> Result<Planned> {
        dialect::read(request, &self.known, &self.columns, &self.key, limit)
    }

    /// Sees that the result has the columns asked for, as they were when the table was described.
    fn compare(&self, came: &[Native]) -> Result<()> {
        if came.len() != self.columns.len() {
            let message = format!("{} columns came instead of {}", came.len(), self.columns.len());
            return Err(ConnectorError::new(ErrorKind::Protocol, message));
        }
        match self.columns.iter().zip(came).find(|(ours, came)| !ours.fits(came)) {
            Some((ours, came)) => {
                let message = format!("column {:?} was {} and is now {}", ours.name, ours.shown, came.shown);
                Err(ConnectorError::new(ErrorKind::Schema, message)
                    .hint("its type was changed; open the stream and choose its columns again"))
            }
            None => Ok(()),
        }
    }
}

/// What a request means for its table.
async fn plan(shared: &Shared, request: &ReadRequest, fresh: bool) -> Result<Plan> {
    let (known, fresh) = shared.table(&request.table, fresh).await?;
    match chosen(request, &known) {
        Err(_) if !fresh => {
            let (known, fresh) = shared.table(&request.table, true).await?;
            let (columns, key) = chosen(request, &known)?;
            Ok(Plan { known, columns, key, fresh })
        }
        made => made.map(|(columns, key)| Plan { known, columns, key, fresh }),
    }
}

fn chosen(request: &ReadRequest, known: &Known) -> Result<(Vec<Native>, Vec<Native>)> {
    Ok((known.choose(&request.table, &request.columns)?, known.choose(&request.table, &request.key)?))
}

/// What a read would look at, in bytes.
///
/// # Errors
/// What was refused.
pub async fn estimate(shared: &Shared, request: &ReadRequest) -> Result<u64> {
    let plan = plan(shared, request, true).await?;
    match plan.read(request, None)?.statement {
        Some(statement) => job::estimate(&shared.client, &statement).await,
        None => Ok(0),
    }
}

fn gone(why: &str) -> ConnectorError {
    let message = format!("the result was gone before all of it was fetched, {why}");
    ConnectorError::new(ErrorKind::Unavailable, message)
        .hint("nothing was lost: the next run goes on from the last row that came")
}
