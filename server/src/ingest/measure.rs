//! Writing measurements: exact, idempotent, newest wins.
//!
//! Readings of one series and time are ordered by (cursor, row key): the highest wins, whatever the order in which
//! they arrive, so reading a range twice, in other batches or after a crash, ends the same.

use super::newest::Newest;
use super::store::{Insert, Rows, Store};
use crate::clock::Micros;
use crate::domain::measurement::TYPED;
use crate::error::Result;

/// A reading that found its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Put<'a> {
    /// The series.
    pub series: i64,
    /// Microseconds since 1970, UTC.
    pub measured_at: i64,
    /// The rank of its row's cursor.
    pub cursor: i64,
    /// The number of the run that read it.
    pub run: i64,
    /// Its row's key.
    pub row_key: &'a str,
    /// The canonical value.
    pub value: &'a str,
    /// The business period.
    pub period: Option<&'a str>,
}

/// What became of readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Stored as a new or changed value.
    pub written: u64,
    /// Equal to what is stored.
    pub unchanged: u64,
    /// Older than what is stored, or less than a value typed by a person.
    pub superseded: u64,
}

/// A stored measurement that a reading meets.
struct Stored {
    value: String,
    cursor: i64,
    run: i64,
    row_key: String,
    period: Option<String>,
}

/// What to do with a reading that meets a stored measurement.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing.
    Keep,
    /// The value stands, its cursor moves up, so that older rows still lose.
    Refresh,
    /// The value is replaced, the old one kept as a revision.
    Replace,
    /// An older reading: it loses.
    Lose,
    /// A person typed another value: it stands, and the disagreement is kept.
    Conflict,
}

fn judge(put: &Put<'_>, stored: &Stored) -> Verdict {
    let same = put.value == stored.value && put.period == stored.period.as_deref();
    if stored.run == TYPED {
        return if put.value == stored.value { Verdict::Keep } else { Verdict::Conflict };
    }
    let order = (put.cursor, put.row_key).cmp(&(stored.cursor, stored.row_key.as_str()));
    match (same, order) {
        (true, std::cmp::Ordering::Greater) => Verdict::Refresh,
        (true, _) => Verdict::Keep,
        (false, std::cmp::Ordering::Less) => Verdict::Lose,
        (false, _) => Verdict::Replace,
    }
}

/// Writes readings. The caller holds the stream's lock, so nobody else writes to these series meanwhile.
///
/// # Errors
/// When the database refuses; the transaction is then of no more use.
pub async fn write(
    store: &mut Store,
    newest: &mut Newest,
    puts: &mut Vec<Put<'_>>,
    now: Micros,
) -> Result<Written> {
    let made = puts.len() as u64;
    puts.sort_by(|a, b| {
        (a.series, a.measured_at, a.cursor, a.row_key).cmp(&(b.series, b.measured_at, b.cursor, b.row_key))
    });
    // Of each (series, time) only the highest remains, which the order has put last.
    puts.reverse();
    puts.dedup_by_key(|put| (put.series, put.measured_at));
    puts.reverse();
    let mut counts = Written { superseded: made - puts.len() as u64, ..Written::default() };
    newest.load(store, puts.iter().map(|put| put.series)).await?;
    let mut insert = Insert::new(
        store.backend(),
        "measurement",
        &["series_id", "measured_at", "value", "cursor", "run", "row_key", "period"],
    );
    let mut fresh = Vec::new();
    let mut compare = Vec::new();
    for put in puts.iter() {
        if newest.after(put.series, put.measured_at) { fresh.push(*put) } else { compare.push(*put) }
    }
    let mut changes = Changes::default();
    for part in compare.chunks(5_000) {
        changes.judge(store, part, &mut fresh, &mut counts).await?;
    }
    if !compare.is_empty() {
        fresh.sort_unstable_by_key(|put| (put.series, put.measured_at));
    }
    for put in &fresh {
        insert.row();
        insert.int(put.series);
        insert.int(put.measured_at);
        insert.decimal(put.value);
        insert.int(put.cursor);
        insert.int(put.run);
        insert.text(put.row_key);
        insert.text(put.period);
        newest.stored(put.series, put.measured_at);
    }
    counts.written += fresh.len() as u64;
    insert.write(store).await?;
    changes.write(store, now).await?;
    Ok(counts)
}

/// Readings that meet stored measurements and change something.
#[derive(Default)]
struct Changes<'a> {
    updates: Vec<Put<'a>>,
    revisions: Vec<(Put<'a>, Stored)>,
    conflicts: Vec<Put<'a>>,
}

impl<'a> Changes<'a> {
    async fn judge(
        &mut self,
        store: &mut Store,
        puts: &[Put<'a>],
        fresh: &mut Vec<Put<'a>>,
        counts: &mut Written,
    ) -> Result<()> {
        let rows = Rows::new()
            .ints(0..puts.len() as i64)
            .ints(puts.iter().map(|put| put.series))
            .ints(puts.iter().map(|put| put.measured_at));
        let sql = "SELECT b.c0, CAST(m.value AS TEXT), m.cursor, m.run, m.row_key, m.period \
            FROM {rows} CROSS JOIN measurement m WHERE m.series_id = b.c1 AND m.measured_at = b.c2";
        let mut stored: Vec<Option<Stored>> = puts.iter().map(|_| None).collect();
        for record in store.fetch_rows(sql, &[], &rows).await? {
            stored[record.int(0)? as usize] = Some(Stored {
                value: record.text(1)?.to_owned(),
                cursor: record.int(2)?,
                run: record.int(3)?,
                row_key: record.text(4)?.to_owned(),
                period: record.maybe_text(5)?.map(str::to_owned),
            });
        }
        for (put, stored) in puts.iter().zip(stored) {
            let Some(stored) = stored else {
                fresh.push(*put);
                continue;
            };
            match judge(put, &stored) {
                Verdict::Keep => counts.unchanged += 1,
                Verdict::Refresh => {
                    counts.unchanged += 1;
                    self.updates.push(*put);
                }
                Verdict::Replace => {
                    counts.written += 1;
                    self.updates.push(*put);
                    self.revisions.push((*put, stored));
                }
                Verdict::Lose => counts.superseded += 1,
                Verdict::Conflict => {
                    counts.superseded += 1;
                    self.conflicts.push(*put);
                }
            }
        }
        Ok(())
    }

    async fn write(self, store: &mut Store, now: Micros) -> Result<()> {
        let puts = &self.updates;
        let rows = Rows::new()
            .ints(puts.iter().map(|put| put.series))
            .ints(puts.iter().map(|put| put.measured_at))
            .decimals(puts.iter().map(|put| put.value))
            .ints(puts.iter().map(|put| put.cursor))
            .ints(puts.iter().map(|put| put.run))
            .texts(puts.iter().map(|put| put.row_key))
            .maybe_texts(puts.iter().map(|put| put.period));
        let sql = "UPDATE measurement AS m SET value = b.c2, cursor = b.c3, run = b.c4, row_key = b.c5, period = b.c6 \
            FROM {rows} WHERE m.series_id = b.c0 AND m.measured_at = b.c1";
        store.execute_rows(sql, &[], &rows).await?;
        let mut insert = Insert::new(
            store.backend(),
            "measurement_revision",
            &[
                "series_id",
                "measured_at",
                "value",
                "cursor",
                "run",
                "row_key",
                "period",
                "reason",
                "replaced_by_run",
                "replaced_at",
            ],
        );
        for (put, old) in &self.revisions {
            insert.row();
            insert.int(put.series);
            insert.int(put.measured_at);
            insert.decimal(old.value.as_str());
            insert.int(old.cursor);
            insert.int(old.run);
            insert.text(old.row_key.as_str());
            insert.text(old.period.as_deref());
            insert.text("replaced");
            insert.int(put.run);
            insert.int(now);
        }
        insert.write(store).await?;
        let puts = &self.conflicts;
        let rows = Rows::new()
            .ints(puts.iter().map(|put| put.series))
            .ints(puts.iter().map(|put| put.measured_at))
            .decimals(puts.iter().map(|put| put.value))
            .ints(puts.iter().map(|put| put.cursor))
            .ints(puts.iter().map(|put| put.run))
            .texts(puts.iter().map(|put| put.row_key))
            .maybe_texts(puts.iter().map(|put| put.period));
        // A conflict is kept once, however often its row is read.
        let sql = "INSERT INTO measurement_revision (series_id, measured_at, value, cursor, run, row_key, period, \
            reason, replaced_by_run, replaced_at) \
            SELECT b.c0, b.c1, b.c2, b.c3, b.c4, b.c5, b.c6, 'conflict', 0, $1 FROM {rows} WHERE NOT EXISTS ( \
            SELECT 1 FROM measurement_revision r WHERE r.series_id = b.c0 AND r.measured_at = b.c1 \
            AND r.reason = 'conflict' AND r.cursor = b.c3 AND r.row_key = b.c5 AND r.value = b.c2)";
        store.execute_rows(sql, &[now.into()], &rows).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(value: &str, cursor: i64, key: &str, stored: (&str, i64, &str, i64)) -> Verdict {
        let put = Put { series: 1, measured_at: 0, cursor, run: 9, row_key: key, value, period: None };
        let (value, cursor, row_key, run) = stored;
        judge(
            &put,
            &Stored { value: value.to_owned(), cursor, run, row_key: row_key.to_owned(), period: None },
        )
    }

    #[test]
    fn the_highest_cursor_then_row_key_wins() {
        assert_eq!(verdict("2", 5, "a", ("1", 4, "a", 1)), Verdict::Replace);
        assert_eq!(
            verdict("2", 4, "a", ("1", 4, "a", 1)),
            Verdict::Replace,
            "the same row, corrected in place"
        );
        assert_eq!(verdict("2", 4, "b", ("1", 4, "a", 1)), Verdict::Replace);
        assert_eq!(verdict("2", 4, "a", ("1", 4, "b", 1)), Verdict::Lose);
        assert_eq!(verdict("2", 3, "z", ("1", 4, "a", 1)), Verdict::Lose);
        assert_eq!(verdict("1", 5, "a", ("1", 4, "a", 1)), Verdict::Refresh);
        assert_eq!(verdict("1", 4, "a", ("1", 4, "a", 1)), Verdict::Keep);
        assert_eq!(verdict("1", 3, "a", ("1", 4, "a", 1)), Verdict::Keep);
    }

    #[test]
    fn a_typed_value_stands() {
        assert_eq!(verdict("2", i64::MAX, "z", ("1", 0, "", TYPED)), Verdict::Conflict);
        assert_eq!(verdict("1", 5, "a", ("1", 0, "", TYPED)), Verdict::Keep);
    }
}
