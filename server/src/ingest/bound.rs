//! A series as far as matching goes: what names it, what it should be, and how one becomes part of another.

use uuid::Uuid;

use super::measure::{self, Put};
use super::newest::Newest;
use super::store::{Record, Rows, Store};
use crate::clock::Micros;
use crate::error::Result;

/// Measurements, or revisions, moved to another series in one transaction.
const MOVED: i64 = 500;

/// A series as far as matching goes.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub id: i64,
    pub metric: Uuid,
    pub product: String,
    /// What names it.
    pub text: String,
    /// What the source wrote.
    pub raw: String,
    pub account: Option<Uuid>,
}

impl Bound {
    /// What [`Self::of`] reads.
    pub const COLUMNS: &str = "id, metric_id, product, external_account, raw_account, account_id";

    /// Reads one.
    pub fn of(record: &Record) -> Result<Self> {
        let text = record.text(3)?.to_owned();
        let raw = record.maybe_text(4)?.map_or_else(|| text.clone(), str::to_owned);
        let (metric, product) = (record.uuid(1)?, record.text(2)?.to_owned());
        Ok(Self { id: record.int(0)?, metric, product, text, raw, account: record.maybe_uuid(5)? })
    }
}

/// A series that is not in line, and what it should be.
pub(super) struct Due {
    pub series: Bound,
    pub account: Option<Uuid>,
    pub text: String,
}

impl Due {
    /// Tells whether its name is another.
    pub fn renamed(&self) -> bool {
        self.text != self.series.text
    }

    /// What the source wrote, if the name does not tell.
    fn raw(&self) -> Option<&str> {
        Some(self.series.raw.as_str()).filter(|raw| *raw != self.text)
    }
}

fn reading(series: i64, record: &Record) -> Result<Put<'_>> {
    Ok(Put {
        series,
        measured_at: record.int(0)?,
        value: record.text(1)?,
        cursor: record.int(2)?,
        run: record.int(3)?,
        row_key: record.text(4)?,
        period: record.maybe_text(5)?,
    })
}

/// What series should be named: metric, text, product.
pub(super) fn names(due: &[Due]) -> Rows {
    Rows::new()
        .uuids(due.iter().map(|due| due.series.metric))
        .texts(due.iter().map(|due| due.text.as_str()))
        .texts(due.iter().map(|due| due.series.product.as_str()))
}

/// Names series anew and points them to their accounts.
pub(super) async fn rename(store: &mut Store, due: &[Due]) -> Result<u64> {
    let rows = Rows::new()
        .ints(due.iter().map(|due| due.series.id))
        .maybe_uuids(due.iter().map(|due| due.account))
        .texts(due.iter().map(|due| due.text.as_str()))
        .maybe_texts(due.iter().map(Due::raw));
    let sql = "UPDATE series AS s SET account_id = b.c1, external_account = b.c2, raw_account = b.c3 FROM {rows} \
        WHERE s.id = b.c0";
    store.execute_rows(sql, &[], &rows).await
}

/// Moves some of what one series holds into another, newest wins; deletes it once it is empty.
pub(super) async fn pour(store: &mut Store, from: i64, to: i64, now: Micros) -> Result<bool> {
    let sql = "SELECT measured_at, CAST(value AS TEXT), cursor, run, row_key, period FROM measurement \
        WHERE series_id = $1 ORDER BY measured_at LIMIT $2";
    let held = store.fetch(sql, &[from.into(), MOVED.into()]).await?;
    if let Some(last) = held.last() {
        let put = |record| reading(to, record);
        let mut puts = held.iter().map(put).collect::<Result<Vec<_>>>()?;
        measure::write(store, &mut Newest::default(), &mut puts, now).await?;
        let sql = "DELETE FROM measurement WHERE series_id = $1 AND measured_at <= $2";
        store.execute(sql, &[from.into(), last.int(0)?.into()]).await?;
        return Ok(true);
    }
    let sql = "UPDATE measurement_revision SET series_id = $2 WHERE id IN \
        (SELECT id FROM measurement_revision WHERE series_id = $1 LIMIT $3)";
    if store.execute(sql, &[from.into(), to.into(), MOVED.into()]).await? > 0 {
        return Ok(true);
    }
    store.execute("DELETE FROM series WHERE id = $1", &[from.into()]).await?;
    Ok(false)
}
