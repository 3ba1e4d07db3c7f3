//! What must be stored after some rows were read, worked out row by row in the plainest way.

use std::collections::BTreeMap;

use crate::load::{KNOWN, Row, linked};

/// What was read so far says this.
#[derive(Default)]
pub struct Oracle {
    /// Per account, metric and time: cursor, row key, value of the reading that wins.
    says: BTreeMap<(String, String, String), (i64, String, String)>,
    /// Per row key: why its row waits.
    waits: BTreeMap<String, &'static str>,
}

/// What became of the rows of one read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// All of them.
    pub rows: i64,
    /// Delivered twice, alike.
    pub repeated: i64,
    /// Unreadable.
    pub rejected: i64,
    /// Without a value.
    pub nulls: i64,
    /// Readings that match nothing.
    pub unmatched: i64,
}

enum Fate<'a> {
    Rejected(&'static str),
    Null,
    Waits(&'static str),
    Goes(&'a str, &'a str),
}

fn fate(row: &Row) -> Fate<'_> {
    let Some(account) = &row.account else { return Fate::Rejected("null_key") };
    if row.measured_at.contains("-13-") {
        return Fate::Rejected("time_unreadable");
    }
    match row.value.as_deref() {
        None => return Fate::Null,
        Some("n/a") => return Fate::Rejected("value_not_numeric"),
        Some("NaN") => return Fate::Rejected("value_not_finite"),
        Some(_) => {}
    }
    let number = |text: &str, prefix| text.strip_prefix(prefix).and_then(|it| it.parse::<usize>().ok());
    let (Some(place), Some(metric)) = (number(account, "acct-"), number(&row.metric, "m")) else {
        return Fate::Rejected("not of this load");
    };
    if place >= KNOWN {
        Fate::Waits("account_unknown")
    } else if linked(place, metric) {
        Fate::Goes(account, &row.metric)
    } else {
        Fate::Waits("metric_unlinked")
    }
}

impl Oracle {
    /// Takes in the rows of one read.
    pub fn read(&mut self, rows: &[Row]) -> Told {
        let mut told = Told::default();
        let mut before: Option<&Row> = None;
        for row in rows {
            told.rows += 1;
            if before.replace(row) == Some(row) {
                told.repeated += 1;
                continue;
            }
            let key = row.id.to_string();
            self.waits.remove(&key);
            match fate(row) {
                Fate::Rejected(reason) => {
                    told.rejected += 1;
                    self.waits.insert(key, reason);
                }
                Fate::Null => told.nulls += 1,
                Fate::Waits(reason) => {
                    told.unmatched += 1;
                    self.waits.insert(key, reason);
                }
                Fate::Goes(account, metric) => {
                    let at = (account.to_owned(), metric.to_owned(), row.measured_at.clone());
                    let new = (row.updated, key, row.value.clone().unwrap_or_default());
                    let old = self.says.entry(at).or_insert_with(|| new.clone());
                    if (new.0, &new.1) >= (old.0, &old.1) {
                        *old = new;
                    }
                }
            }
        }
        told
    }

    /// The measurements: `account metric time value row key`, sorted.
    pub fn measurements(&self) -> Vec<String> {
        let line = |((account, metric, at), (_, key, value)): (
            &(String, String, String),
            &(i64, String, String),
        )| format!("{account} {metric} {at} {value} {key}");
        let mut lines: Vec<String> = self.says.iter().map(line).collect();
        lines.sort();
        lines
    }

    /// The rows that wait: `row key reason`, sorted.
    pub fn waiting(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.waits.iter().map(|(key, reason)| format!("{key} {reason}")).collect();
        lines.sort();
        lines
    }
}
