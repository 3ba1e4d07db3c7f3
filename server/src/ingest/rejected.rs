//! Rejected rows, mapped again after a mapping was changed.
//!
//! A kept row holds the columns that were read when it was rejected. One that lacks a column the mapping names today, or
//! of which a cell could not be kept, cannot be mapped from here: it is left as it is, and its stretch of the table is
//! read again.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use connector::{Batch, Cell, Column, Type, Watermark};
use entity::{NullCursor, RunKind, RunTrigger, WaitingRowId};
use tokio_util::sync::CancellationToken;

use super::batch::Intake;
use super::mapping::Mapper;
use super::plan::Plan;
use super::reject::{Reason, fingerprint};
use super::store::{Bind, Rows, Store};
use super::tally::Tally;
use crate::app::App;
use crate::domain::sync_run::{self, Request};
use crate::error::{Error, Result};

/// Rows mapped again in one transaction.
const ROWS: i64 = 1_000;

/// A rejected row as it was kept.
#[derive(Debug)]
pub struct Kept {
    id: i64,
    /// The key it waits under.
    pub row_key: String,
    /// The rank of its cursor.
    pub cursor: i64,
    run: i64,
    /// The whole row as JSON, which stays as it is however often the row is tried.
    pub row: String,
    cells: BTreeMap<String, Option<String>>,
    /// Some cell was not kept as the source has it.
    partial: bool,
}

impl Kept {
    /// Whether it was kept with every cell the stream reads today.
    fn whole(&self, plan: &Plan) -> bool {
        !self.partial && plan.columns.iter().all(|name| self.cells.contains_key(name))
    }

    /// Its cursor, if it has one of the kind the stream has today.
    fn watermark(&self, plan: &Plan) -> Option<Watermark> {
        Watermark::parse(plan.cursor.kind, self.cells.get(&plan.cursor.column)?.as_deref()?)
    }
}

/// Maps the rejected rows of a stream again, all or those given. Rows refused for their cursor are left alone: the
/// stream reads them itself when their time comes. So are rows whose key another row has, as long as that is the key:
/// alone they would take the other's place. For rows that are not whole a backfill of their stretch is started.
///
/// # Errors
/// `Conflict` while a backfill of another stretch is live; otherwise when the database refuses. What was committed
/// before stays done.
pub async fn retry(app: &App, plan: &Plan, only: &[WaitingRowId], stop: &CancellationToken) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut stretch = None;
    let mut after = 0;
    loop {
        let (rows, last) = load(app, plan, after).await?;
        let Some(last) = last else { break };
        after = last;
        let mut runs: BTreeMap<i64, Vec<Kept>> = BTreeMap::new();
        for row in rows {
            if !(only.is_empty() || only.iter().any(|wanted| wanted.0 == row.id)) {
                continue;
            }
            if row.whole(plan) {
                runs.entry(row.run).or_default().push(row);
            } else if let Some(mark) = row.watermark(plan) {
                stretch = Some(widened(stretch, mark));
            }
        }
        for (run, rows) in runs {
            tally.add(&Intake::again(plan, run).take_again(app, &batch(plan, &rows), &rows).await?);
        }
        if stop.is_cancelled() {
            return Ok(tally);
        }
    }
    if let Some((since, until)) = stretch {
        read_again(app, plan, since, until).await?;
    }
    Ok(tally)
}

/// Takes out what a finished backfill has made obsolete: rows that lack a column, and that it cannot have met under
/// the key they wait under, because they had no key of their own or the row key is another today.
///
/// # Errors
/// When the database refuses.
pub async fn replaced(app: &App, plan: &Plan, since: Option<&str>, until: Option<&str>) -> Result<u64> {
    let rank = |text: Option<&str>, open: i64| {
        text.and_then(|text| Watermark::parse(plan.cursor.kind, text)?.rank()).unwrap_or(open)
    };
    let (low, high) = (rank(since, i64::MIN), rank(until, i64::MAX));
    let mut count = 0;
    let mut after = 0;
    loop {
        let (mut rows, last) = load(app, plan, after).await?;
        let Some(last) = last else { return Ok(count) };
        after = last;
        let met = |row: &Kept| (low..=high).contains(&row.cursor) && row.watermark(plan).is_some();
        rows.retain(|row| !row.whole(plan) && met(row));
        let keys = Mapper::new(plan.layout.clone()).map(&batch(plan, &rows)).keys;
        let same = |(index, row): &(usize, &Kept)| {
            keys.get(*index) == row.row_key && row.row_key != fingerprint(&row.row)
        };
        let gone: Vec<i64> =
            rows.iter().enumerate().filter(|row| !same(row)).map(|(_, row)| row.id).collect();
        if !gone.is_empty() {
            let mut store = Store::begin(&app.db).await?;
            let sql = "DELETE FROM waiting_row WHERE id IN (SELECT b.c0 FROM {rows})";
            count += store.execute_rows(sql, &[], &Rows::new().ints(gone)).await?;
            store.commit().await?;
        }
    }
}

/// Starts a backfill of the stretch that holds rows to be read again.
async fn read_again(app: &App, plan: &Plan, since: Watermark, until: Watermark) -> Result<()> {
    let request = Request {
        kind: RunKind::Backfill,
        since: Some(since.text),
        until: Some(until.text),
        ..Request::sync(plan.route.organization, plan.route.stream, RunTrigger::Change)
    };
    let tx = app.db.begin().await?;
    sync_run::start(&tx, app.clock.now(), request).await?;
    tx.commit().await?;
    app.jobs.wake();
    Ok(())
}

fn widened(stretch: Option<(Watermark, Watermark)>, mark: Watermark) -> (Watermark, Watermark) {
    let Some((low, high)) = stretch else { return (mark.clone(), mark) };
    let low = if mark.compare(&low) == Some(Ordering::Less) { mark.clone() } else { low };
    let high = if mark.compare(&high) == Some(Ordering::Greater) { mark } else { high };
    (low, high)
}

/// The next rows after an ID, and the last ID looked at; `None` when there is none left.
async fn load(app: &App, plan: &Plan, after: i64) -> Result<(Vec<Kept>, Option<i64>)> {
    let mut store = Store::begin_reading(&app.db).await?;
    let sql = "SELECT id, row_key, cursor, run, row, reason, column_name FROM waiting_row WHERE organization_id = $1 \
        AND stream_id = $2 AND kind = 'rejected' AND id > $3 ORDER BY id LIMIT $4";
    let binds: [Bind; 4] =
        [plan.route.organization.0.into(), plan.route.stream.0.into(), after.into(), ROWS.into()];
    let found = store.fetch(sql, &binds).await?;
    store.commit().await?;
    let key = plan.key_text();
    let mut rows = Vec::new();
    let mut last = None;
    for record in &found {
        let id = record.int(0)?;
        last = Some(id);
        let reason = record.maybe_text(5)?.unwrap_or_default();
        let held = reason == Reason::FutureCursor.as_str()
            || (reason == Reason::NullCursor.as_str() && plan.null_cursor == NullCursor::Reject)
            || (reason == Reason::KeyNotUnique.as_str() && record.maybe_text(6)? == Some(key.as_str()));
        if held {
            continue;
        }
        let partial = [Reason::Undecodable, Reason::CellTooLarge].iter().any(|one| one.as_str() == reason);
        let row = record.text(4)?.to_owned();
        let cells = serde_json::from_str(&row)
            .map_err(|error| Error::internal("read a rejected row", format!("row {id}: {error}")))?;
        rows.push(Kept {
            id,
            row_key: record.text(1)?.to_owned(),
            cursor: record.int(2)?,
            run: record.int(3)?,
            row,
            cells,
            partial,
        });
    }
    rows.sort_by(|a, b| (a.cursor, &a.row_key, a.id).cmp(&(b.cursor, &b.row_key, b.id)));
    Ok((rows, last))
}

/// The rows as a batch of texts, with the columns the stream reads today.
fn batch(plan: &Plan, rows: &[Kept]) -> Batch {
    let column = |name: &String| {
        let mut column = Column::new(name.clone(), Type::Text, false);
        for row in rows {
            column.push(row.cells.get(name).and_then(Option::as_deref).map_or(Cell::Null, Cell::Text));
        }
        column
    };
    Batch { columns: plan.columns.iter().map(column).collect() }
}
