//! The naive oracle: what is stored after rows were read and people linked, worked out row by row in the plainest way.

use std::collections::BTreeMap;

use connector::memory::{MemoryTable, Owned};
use tests::stand::START;

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;
/// A cursor further ahead of the clock is not believed: the tolerance of a stand's streams.
const TOLERANCE: i64 = 300 * SECOND;

/// Which of the streams. Two read the long table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feed {
    /// The long table, for usage.
    Usage,
    /// The long table, for inputs: only what is linked goes anywhere.
    Inputs,
    /// The wide table, for usage.
    Wide,
}

/// What is wrong with a bad row.
#[derive(Clone, Copy, Debug)]
pub enum Flaw {
    Account,
    Time,
    Value,
    NoCursor,
    Future,
}

/// Names of the metric columns of the wide table.
pub const COLUMNS: [&str; 2] = ["w0", "w1"];

/// What a row says of one metric.
#[derive(Clone, Debug)]
struct Reading {
    account: String,
    metric: String,
    at: i64,
    value: String,
    cursor: i64,
    key: String,
}

/// Stream, metric, account and time.
type Place = (Feed, String, String, i64);
/// Cursor, row key and value.
type Won = (i64, String, String);
/// Stream, row key and part.
type Row = (Feed, String, String);
/// Why it waits, and with what; a rejected row says nothing.
type Waits = (&'static str, Option<Reading>);

/// How an account and its links stand.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// It has its ID.
    pub identified: bool,
    /// It is put away.
    pub away: bool,
    /// Per metric, whether its link is on.
    pub links: BTreeMap<String, bool>,
}

/// Everything that is stored.
#[derive(Default)]
pub struct Model {
    /// The reading that won at each place.
    says: BTreeMap<Place, Won>,
    /// The rows that wait.
    waits: BTreeMap<Row, Waits>,
    /// Per stream, the highest cursor taken in.
    marks: BTreeMap<Feed, i64>,
    /// Per external account.
    pub known: BTreeMap<String, Known>,
}

/// Microseconds since the stand's clock began.
fn micros(value: &Owned) -> Option<i64> {
    match value {
        Owned::Zoned(moment) => Some(moment.micros().unwrap_or_default() - START),
        _ => None,
    }
}

fn text(value: &Owned) -> Option<String> {
    match value {
        Owned::Text(text) | Owned::Decimal(text) => Some(text.clone()),
        Owned::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

impl Model {
    /// A sync of a stream that reads so many seconds again.
    pub fn sync(&mut self, feed: Feed, table: &MemoryTable, lookback: i64) {
        let from = self.marks.get(&feed).map_or(i64::MIN, |mark| mark - lookback * SECOND);
        let highest = self.read(feed, table, from, i64::MAX);
        if let Some(highest) = highest {
            let mark = self.marks.entry(feed).or_insert(highest);
            *mark = highest.max(*mark);
        }
    }

    /// A read of a range of cursors, rows without one included. Gives the highest cursor that can be believed.
    pub fn read(&mut self, feed: Feed, table: &MemoryTable, from: i64, until: i64) -> Option<i64> {
        let mut rows = Vec::new();
        table.change(|all| rows = all.clone());
        let mut highest = None;
        for row in &rows {
            let cursor = micros(&row[5]);
            if cursor.is_none_or(|cursor| (from..=until).contains(&cursor)) {
                highest = highest.max(cursor.filter(|cursor| *cursor <= TOLERANCE));
                self.take(feed, row, cursor);
            }
        }
        highest
    }

    fn take(&mut self, feed: Feed, row: &[Owned], cursor: Option<i64>) {
        let key = text(&row[0]).expect("every row here has a key");
        self.waits.retain(|(of, row_key, _), _| (*of, row_key) != (feed, &key));
        let said = match cursor {
            None => Err("null_cursor"),
            Some(cursor) if cursor > TOLERANCE => Err("future_cursor"),
            Some(cursor) => says(feed, row, cursor, &key),
        };
        match said {
            Err(reason) => _ = self.waits.insert((feed, key, String::new()), (reason, None)),
            Ok(readings) => readings.into_iter().for_each(|reading| self.place(feed, reading)),
        }
    }

    fn place(&mut self, feed: Feed, reading: Reading) {
        if let Some(reason) = self.reason(feed, &reading) {
            let part = if feed == Feed::Wide { reading.metric.clone() } else { String::new() };
            self.waits.insert((feed, reading.key.clone(), part), (reason, Some(reading)));
            return;
        }
        let place = (feed, reading.metric, reading.account, reading.at);
        let new = (reading.cursor, reading.key, reading.value);
        let old = self.says.entry(place).or_insert_with(|| new.clone());
        if (new.0, &new.1) >= (old.0, &old.1) {
            *old = new;
        }
    }

    /// Why a reading goes nowhere, if it does not.
    fn reason(&self, feed: Feed, reading: &Reading) -> Option<&'static str> {
        let known = self.known.get(&reading.account).filter(|known| known.identified);
        let Some(known) = known else { return Some("account_unknown") };
        if known.away {
            return Some("target_gone");
        }
        match (feed, known.links.get(&reading.metric)) {
            (Feed::Inputs, None) => Some("metric_unlinked"),
            (Feed::Inputs, Some(false)) => Some("link_disabled"),
            _ => None,
        }
    }

    /// What waits is tried again.
    pub fn replay(&mut self) {
        for ((feed, key, part), (reason, reading)) in std::mem::take(&mut self.waits) {
            match reading {
                Some(reading) => self.place(feed, reading),
                None => _ = self.waits.insert((feed, key, part), (reason, None)),
            }
        }
    }

    /// The measurements, as a stand lists them.
    pub fn measurements(&self) -> Vec<String> {
        let line = |((_, metric, account, at), (_, _, value)): (&Place, &Won)| {
            // What was measured stays, and is an account's for as long as the account has the ID.
            let owner = self.known.get(account).filter(|known| known.identified).map_or("", |_| account);
            format!("{metric}/{account}/{owner}@{at}={value}")
        };
        let mut lines: Vec<String> = self.says.iter().map(line).collect();
        lines.sort();
        lines
    }

    /// The rows that wait, as a stand lists them.
    pub fn waiting(&self) -> Vec<String> {
        let line = |((_, key, part), (reason, reading)): (&Row, &Waits)| {
            let kind = if reading.is_some() { "unmatched" } else { "rejected" };
            format!("{kind} {key}/{part} {reason}")
        };
        let mut lines: Vec<String> = self.waits.iter().map(line).collect();
        lines.sort();
        lines
    }
}

/// The readings of a row, or why it cannot be read.
fn says(feed: Feed, row: &[Owned], cursor: i64, key: &str) -> Result<Vec<Reading>, &'static str> {
    let account = text(&row[1]).ok_or("null_key")?;
    let at = micros(&row[4]).ok_or("null_key")?;
    let cells: Vec<(String, Option<String>)> = match feed {
        Feed::Wide => {
            COLUMNS.iter().zip(&row[2..4]).map(|(name, cell)| ((*name).into(), text(cell))).collect()
        }
        Feed::Usage | Feed::Inputs => vec![(text(&row[2]).ok_or("null_key")?, text(&row[3]))],
    };
    if cells.iter().any(|(_, value)| value.as_ref().is_some_and(|value| value.len() > 400)) {
        return Err("value_too_long");
    }
    let reading = |(metric, value): (String, Option<String>)| {
        Some(Reading { account: account.clone(), metric, at, value: value?, cursor, key: key.to_owned() })
    };
    Ok(cells.into_iter().filter_map(reading).collect())
}
