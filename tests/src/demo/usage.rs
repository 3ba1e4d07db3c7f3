//! The long table's rows: one metric of one customer on one day each.

use super::{
    account::Account,
    calendar::Day,
    line::{Line, lines},
    metric::View,
    random::Random,
};

/// How many rows the table starts with.
pub const ROWS: usize = 60_000;
/// How many days they cover.
pub const DAYS: i64 = 90;
/// Rows whose account no one knows: 4 in 100.
pub const UNKNOWN: usize = ROWS * 4 / 100;
/// Rows whose metric is linked nowhere: 3 in 100.
pub const UNLINKED_ROWS: usize = ROWS * 3 / 100;
/// Rows that bring another value for a day already told: 2 in 100.
pub const CORRECTIONS: usize = ROWS * 2 / 100;
/// Rows that cannot be read: 1 in 200.
pub const REJECTED: usize = ROWS / 200;
/// Rows that a load of the warehouse brought twice.
pub const REPEATED: usize = 25;

/// A row of the long table, each cell as the warehouse holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub id: i64,
    /// Which view shows it.
    pub view: View,
    /// The customer's ID.
    pub account: Option<String>,
    /// The metric's ID.
    pub metric: Option<String>,
    /// The exact value, as text.
    pub value: Option<String>,
    /// The day it is about.
    pub measured_at: Option<String>,
    /// When the warehouse got or changed it, in seconds since the Unix epoch.
    pub updated_at: Option<i64>,
}

impl Row {
    /// Whether every cell a reading needs can be read.
    fn readable(&self) -> bool {
        let cells = [&self.account, &self.metric, &self.value, &self.measured_at];
        cells.iter().all(|cell| cell.is_some())
            && self.updated_at.is_some()
            && self.value.as_deref().and_then(|it| it.parse::<f64>().ok()).is_some_and(f64::is_finite)
            && self.measured_at.as_deref().is_some_and(|it| it.ends_with(" 00:00:00") && !it.contains("-13-"))
    }
}

/// Everything the long table starts with.
pub struct Usage {
    /// The rows, by key.
    pub rows: Vec<Row>,
    /// Some of them, which the table holds a second time.
    pub repeated: Vec<Row>,
    /// What the rows are about, for the changes that come later.
    pub lines: Vec<Line>,
}

/// Makes the rows of the `DAYS` days before the day of `now`.
pub fn usage(seed: u64, accounts: &[Account], now: i64) -> Usage {
    let mut random = Random::of(seed, "usage");
    let lines = lines(accounts, &mut random);
    let today = Day::of(now);
    let mut rows = Vec::with_capacity(ROWS);
    for line in &lines {
        for day in line.days() {
            let date = today.plus(day - DAYS);
            let loaded_at = loaded_at(date, &mut random).min(now - 60);
            rows.push(line.row(day, date, 1.0, loaded_at, &mut random));
        }
    }
    let ordinary = rows.len() - UNLINKED_ROWS - UNKNOWN;
    correct(&mut rows, ordinary, now, &mut random);
    spoil(&mut rows, ordinary, &mut random);
    // The warehouse numbers its rows as it gets them.
    rows.sort_by_key(|row| row.updated_at);
    for (id, row) in (1..).zip(&mut rows) {
        row.id = id;
    }
    let every = rows.len() / REPEATED - 1;
    let repeated = rows.iter().filter(|row| row.readable()).step_by(every).take(REPEATED).cloned().collect();
    Usage { rows, repeated, lines }
}

/// Days are loaded the next night in three loads, so hundreds of rows share a time; 1 row in 50 comes days later.
fn loaded_at(date: Day, random: &mut Random) -> i64 {
    let late = if random.below(50) == 0 { 1 + random.below(5) } else { 0 };
    let later = i64::try_from(late * 86_400 + random.below(3) * 600).expect("a small number");
    date.plus(1).midnight() + 2 * 3600 + later
}

/// Adds rows that replace the values of ordinary ones, with later times of update.
fn correct(rows: &mut Vec<Row>, ordinary: usize, now: i64, random: &mut Random) {
    for _ in 0..CORRECTIONS {
        let mut row = rows[random.below(ordinary)].clone();
        row.value = row.value.map(|text| scaled(&text, random.between(0.97, 1.08)));
        let earlier = row.updated_at.expect("an ordinary row has one");
        let later = i64::try_from(3600 + random.below(4 * 86_400)).expect("a small number");
        row.updated_at = Some((earlier + later).min(now - 30));
        rows.push(row);
    }
}

/// A decimal text times a factor, with as many digits after the point.
pub fn scaled(text: &str, factor: f64) -> String {
    let digits = text.split_once('.').map_or(0, |(_, part)| part.len());
    format!("{:.*}", digits, text.parse::<f64>().unwrap_or(0.0) * factor)
}

/// Adds rows that cannot be read, of every sort a warehouse has.
fn spoil(rows: &mut Vec<Row>, ordinary: usize, random: &mut Random) {
    for number in 0..REJECTED {
        let mut row = rows[random.below(ordinary)].clone();
        match number % 8 {
            0 => row.account = None,
            1 => row.metric = None,
            2 | 3 => row.value = Some("NaN".to_owned()),
            4 => row.value = Some("n/a".to_owned()),
            5 => {
                row.measured_at =
                    Some((*random.pick(&["2026-13-45 00:00:00", "yesterday", "00/00/0000"])).to_owned())
            }
            6 => row.measured_at = None,
            _ if number % 16 == 7 => row.updated_at = None,
            _ => row.value = Some("Infinity".to_owned()),
        }
        rows.push(row);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap, HashSet};
    use std::ops::Bound::{Excluded, Unbounded};

    use super::{DAYS, REJECTED, REPEATED, ROWS, Row, UNKNOWN, UNLINKED_ROWS, Usage, usage};
    use crate::demo::{
        account::{ACCOUNTS, accounts},
        calendar::Day,
        metric::{METRICS, UNLINKED},
    };

    const NOW: i64 = 1_795_176_061;

    fn made() -> Usage {
        usage(7, &accounts(7), NOW)
    }

    #[test]
    fn the_table_is_as_announced() {
        let made = made();
        assert_eq!(made.rows.len(), ROWS);
        let good = made.rows.iter().filter(|row| row.readable()).collect::<Vec<_>>();
        assert_eq!(made.rows.len() - good.len(), REJECTED);
        assert_eq!(made.repeated.len(), REPEATED);
        assert!(made.repeated.iter().all(|row| row.readable() && made.rows.contains(row)));

        let known = accounts(7).iter().map(|it| it.salesforce[..15].to_owned()).collect::<HashSet<_>>();
        let short =
            |row: &Row| row.account.as_deref().map_or("", str::trim).chars().take(15).collect::<String>();
        assert_eq!(good.iter().filter(|row| !known.contains(&short(row))).count(), UNKNOWN);
        let unlinked = good.iter().filter(|row| row.metric.as_deref() == Some(UNLINKED.id));
        assert_eq!(unlinked.count(), UNLINKED_ROWS);

        let seen = good.iter().map(|row| short(row)).filter(|id| known.contains(id)).collect::<HashSet<_>>();
        assert_eq!(seen.len(), ACCOUNTS, "every customer has rows");
        assert_eq!(good.iter().filter_map(|row| row.metric.as_ref()).collect::<HashSet<_>>().len(), METRICS);
        let days = good.iter().filter_map(|row| row.measured_at.as_ref()).collect::<HashSet<_>>();
        assert_eq!(days.len(), usize::try_from(DAYS).expect("positive"));
    }

    #[test]
    fn many_rows_share_a_time_and_some_come_late() {
        let made = made();
        let mut ties = HashMap::<i64, usize>::new();
        made.rows.iter().filter_map(|row| row.updated_at).for_each(|at| *ties.entry(at).or_default() += 1);
        assert!(ties.values().any(|count| *count > 150));
        let today = Day::of(NOW).midnight();
        assert!(
            made.rows.iter().filter_map(|row| row.updated_at).all(|at| at < NOW && at > today - 91 * 86_400)
        );
    }

    #[test]
    fn one_row_in_sixty_is_loaded_a_day_after_rows_of_later_days() {
        let made = made();
        // When each day's first row was loaded, and each row's first load: what comes after is a correction.
        let mut days = BTreeMap::<&str, i64>::new();
        let mut loads = HashMap::new();
        for row in made.rows.iter().filter(|row| row.readable()) {
            let (Some(day), Some(at)) = (row.measured_at.as_deref(), row.updated_at) else { continue };
            let first = loads.entry((&row.account, &row.metric, day)).or_insert(at);
            *first = at.min(*first);
            let first = days.entry(day).or_insert(at);
            *first = at.min(*first);
        }
        let late = loads.iter().filter(|((_, _, day), at)| {
            let later = days.range::<str, _>((Excluded(*day), Unbounded)).map(|(_, first)| *first).min();
            later.is_some_and(|first| **at - first > 86_400)
        });
        // Of the rows that come days later, one in 50, a fifth come only one day later.
        let share = loads.len() / late.count();
        assert!((55..=75).contains(&share), "one row in {share} is late");
    }

    #[test]
    fn the_same_seed_makes_the_same_rows() {
        assert_eq!(made().rows, made().rows);
        assert_ne!(made().rows, usage(8, &accounts(8), NOW).rows);
    }
}
