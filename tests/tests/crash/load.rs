//! The rows: ties, late ones, rivals for one measurement, repeated ones, rows nobody knows and rows nobody can read.

use tests::demo::calendar::time_text;
use tests::demo::random::Random;

/// Rows that share a cursor.
const TIES: i64 = 50;
/// Seconds read again by the next sync.
pub const LOOKBACK: i64 = 60;
/// Accounts that exist, and those that rows name besides.
pub const KNOWN: usize = 100;
const STRANGERS: usize = 6;
/// Metrics, of which the last is linked on every other account only.
pub const METRICS: usize = 5;
/// 2025-06-01 00:00 UTC.
const BEGIN: i64 = 1_748_736_000;

/// A row as the warehouse has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The row key.
    pub id: i64,
    /// The external account.
    pub account: Option<String>,
    /// The external metric.
    pub metric: String,
    /// The value's text.
    pub value: Option<String>,
    /// The time's text.
    pub measured_at: String,
    /// The cursor: seconds since 1970.
    pub updated: i64,
}

/// All rows as they are now.
pub struct Load {
    /// In no order that matters.
    pub rows: Vec<Row>,
    random: Random,
}

/// Tells whether an account's metric has a link.
pub fn linked(account: usize, metric: usize) -> bool {
    metric + 1 < METRICS || account.is_multiple_of(2)
}

impl Load {
    /// So many rows of a seed, repeated ones included.
    pub fn new(seed: u64, rows: usize) -> Self {
        let mut load = Self { rows: Vec::with_capacity(rows), random: Random::new(seed) };
        for id in 1.. {
            let late = if load.random.chance(0.02) { load.random.below(40) } else { 0 };
            let row = load.row(id, BEGIN + id / TIES - i64::try_from(late).unwrap_or(0));
            if load.random.chance(0.001) && row.value.is_some() {
                load.rows.push(row.clone());
            }
            load.rows.push(row);
            if load.rows.len() >= rows {
                break;
            }
        }
        load.rows.truncate(rows);
        load
    }

    fn row(&mut self, id: i64, updated: i64) -> Row {
        let hour = i64::try_from(self.random.below(300)).unwrap_or(0);
        let account = self.random.below(KNOWN + STRANGERS);
        let mut row = Row {
            id,
            account: Some(format!("acct-{account}")),
            metric: format!("m{}", self.random.below(METRICS)),
            value: Some(self.value()),
            measured_at: time_text(BEGIN - hour * 3_600),
            updated,
        };
        match self.random.below(500) {
            0 => row.value = Some("n/a".to_owned()),
            1 => row.value = Some("NaN".to_owned()),
            2 => row.measured_at = "2025-13-01 00:00:00".to_owned(),
            3 => row.account = None,
            4 => row.value = None,
            _ => {}
        }
        row
    }

    /// A decimal in canonical form, often of more digits than a float has.
    fn value(&mut self) -> String {
        let (whole, part) = (self.random.below(1_000_000), self.random.below(9) + 1);
        if self.random.chance(0.3) {
            format!("{whole}.0000000000000000000{part}")
        } else {
            format!("{whole}.{part}")
        }
    }

    /// Changes rows and adds late ones; gives the new versions. Each gets a cursor the next sync reads: corrected rows
    /// a new one, late ones one inside the lookback.
    pub fn change(&mut self) -> Vec<Row> {
        let end = self.rows.iter().map(|row| row.updated).max().unwrap_or(BEGIN);
        let mut places: Vec<usize> = (0..self.rows.len()).collect();
        self.random.shuffle(&mut places);
        let mut changes = Vec::new();
        for (count, place) in (0_i64..).zip(places.into_iter().take(8_000)) {
            let id = self.rows[place].id;
            if self.rows.iter().filter(|row| row.id == id).count() > 1 {
                continue;
            }
            let mut row = self.row(id, end + 1 + count / TIES);
            if count % 4 > 0 {
                // Most corrections are of the value alone.
                let old = &self.rows[place];
                row = Row { account: old.account.clone(), metric: old.metric.clone(), ..row };
                row.measured_at = old.measured_at.clone();
            }
            self.rows[place] = row.clone();
            changes.push(row);
        }
        let last = self.rows.iter().map(|row| row.id).max().unwrap_or(0);
        for id in last + 1..last + 2_000 {
            let late = i64::try_from(self.random.below(usize::try_from(LOOKBACK).unwrap_or(0))).unwrap_or(0);
            let row = self.row(id, end - late);
            self.rows.push(row.clone());
            changes.push(row);
        }
        changes
    }

    /// The rows a sync reads after one that ended with this cursor, and how many of them are not beyond it.
    pub fn since(&self, watermark: Option<&str>) -> (Vec<Row>, i64) {
        let text = watermark.map(|text| text.replace('T', " ")).unwrap_or_default();
        let at = self.rows.iter().map(|row| row.updated).find(|at| text.starts_with(&time_text(*at)));
        let from = at.map_or(i64::MIN, |at| at - LOOKBACK);
        let rows: Vec<Row> = self.rows.iter().filter(|row| row.updated >= from).cloned().collect();
        let window = rows.iter().filter(|row| at.is_none_or(|at| row.updated <= at)).count();
        (rows, i64::try_from(window).unwrap_or(i64::MAX))
    }
}
