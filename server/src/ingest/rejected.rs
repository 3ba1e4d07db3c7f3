//! Rejected rows, mapped again after a mapping was changed.

use std::collections::BTreeMap;

use connector::{Batch, Cell, Column, Type};
use entity::{NullCursor, WaitingRowId};
use tokio_util::sync::CancellationToken;

use super::batch::Intake;
use super::plan::Plan;
use super::reject::Reason;
use super::store::{Bind, Store};
use super::tally::Tally;
use crate::app::App;
use crate::error::{Error, Result};

/// Rows mapped again in one transaction.
const ROWS: i64 = 5_000;

/// A rejected row as it was kept.
struct Kept {
    id: i64,
    row_key: String,
    cursor: i64,
    run: i64,
    cells: BTreeMap<String, Option<String>>,
}

/// Maps the rejected rows of a stream again, all or those given. Rows refused for their cursor are left alone: the
/// stream reads them itself when their time comes.
///
/// # Errors
/// When the database refuses; what was committed before stays done.
pub async fn retry(app: &App, plan: &Plan, only: &[WaitingRowId], stop: &CancellationToken) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut after = 0;
    loop {
        let (rows, last) = load(app, plan, only, after).await?;
        let Some(last) = last else { return Ok(tally) };
        after = last;
        let mut runs: BTreeMap<i64, Vec<Kept>> = BTreeMap::new();
        for row in rows {
            runs.entry(row.run).or_default().push(row);
        }
        for (run, rows) in runs {
            let batch = batch(plan, &rows);
            let cursors = rows.iter().map(|row| row.cursor).collect();
            let keys: Vec<String> = rows.into_iter().map(|row| row.row_key).collect();
            tally.add(&Intake::again(plan, run).take_again(app, &batch, cursors, &keys).await?);
        }
        if stop.is_cancelled() {
            return Ok(tally);
        }
    }
}

/// The next rows after an ID, and the last ID looked at; `None` when there is none left.
async fn load(app: &App, plan: &Plan, only: &[WaitingRowId], after: i64) -> Result<(Vec<Kept>, Option<i64>)> {
    let mut store = Store::begin(&app.db).await?;
    let sql = "SELECT id, row_key, cursor, run, row, reason FROM waiting_row WHERE organization_id = $1 \
        AND stream_id = $2 AND kind = 'rejected' AND id > $3 ORDER BY id LIMIT $4";
    let binds: [Bind; 4] =
        [plan.route.organization.0.into(), plan.route.stream.0.into(), after.into(), ROWS.into()];
    let found = store.fetch(sql, &binds).await?;
    store.commit().await?;
    let mut rows = Vec::new();
    let mut last = None;
    for record in &found {
        let id = record.int(0)?;
        last = Some(id);
        let reason = record.maybe_text(5)?.unwrap_or_default();
        let held = reason == Reason::FutureCursor.as_str()
            || (reason == Reason::NullCursor.as_str() && plan.null_cursor == NullCursor::Reject);
        if held || !(only.is_empty() || only.iter().any(|wanted| wanted.0 == id)) {
            continue;
        }
        let cells = serde_json::from_str(record.text(4)?)
            .map_err(|error| Error::internal("read a rejected row", format!("row {id}: {error}")))?;
        rows.push(Kept {
            id,
            row_key: record.text(1)?.to_owned(),
            cursor: record.int(2)?,
            run: record.int(3)?,
            cells,
        });
    }
    rows.sort_by(|a, b| (a.cursor, &a.row_key, a.id).cmp(&(b.cursor, &b.row_key, b.id)));
    Ok((rows, last))
}

/// The rows as a batch of texts: a column that a row was not read with is null in it.
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
