//! What a slice holds in the table and here, and the gap between the two.

use connector::Slice;
use connector::decimal::Sum;
use serde::{Deserialize, Serialize};

/// What one side holds in one slice.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// How many values.
    pub readings: i64,
    /// Their exact sum; none where it cannot be told.
    pub sum: Option<Sum>,
    /// The rank of the greatest cursor; none when there are no values.
    pub newest: Option<i64>,
}

impl Totals {
    /// What a table holds in a slice, all its value columns taken together.
    pub fn of_table(slice: &Slice) -> Self {
        let mut sum = Some(Sum::default());
        let mut readings = 0_i64;
        for held in &slice.values {
            readings = readings.saturating_add(i64::try_from(held.filled).unwrap_or(i64::MAX));
            let digits = held.sum.as_deref();
            sum = sum.and_then(|mut sum| digits.is_some_and(|digits| sum.add(digits)).then_some(sum));
        }
        Self { readings, sum, newest: slice.newest.rank() }
    }

    /// What was stored of a table's totals.
    pub fn stored(readings: i64, sum: Option<&str>, newest: Option<i64>) -> Self {
        let sum = sum.and_then(|digits| {
            let mut sum = Sum::default();
            sum.add(digits).then_some(sum)
        });
        Self { readings, sum, newest }
    }

    /// Adds values with their sum, the greatest of their cursors having this rank.
    pub fn add(&mut self, readings: i64, sum: &str, newest: i64) {
        self.readings += readings;
        self.sum.get_or_insert_default().add(sum);
        self.newest = Some(self.newest.map_or(newest, |known| known.max(newest)));
    }
}

/// What a table holds in a slice beyond what we hold; negative where we hold more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Values.
    pub readings: i64,
    /// Their sum; none where the table's cannot be told.
    pub sum: Option<String>,
    /// By how much its greatest cursor is greater, in ranks; none when only one side has one.
    pub newest: Option<i64>,
}

impl Gap {
    /// Compares a table with what we hold.
    pub fn between(table: &Totals, here: &Totals) -> Self {
        let none = Sum::default();
        let nothing = table.readings == 0;
        let told = table.sum.as_ref().or(nothing.then_some(&none));
        let sum = told.map(|sum| sum.minus(here.sum.as_ref().unwrap_or(&none)).digits());
        let newest = match (table.newest, here.newest) {
            (Some(table), Some(here)) => Some(table.saturating_sub(here)),
            (None, None) => Some(0),
            _ => None,
        };
        Self { readings: table.readings - here.readings, sum, newest }
    }

    /// Whether both sides agree in all that can be told.
    pub fn closed(&self) -> bool {
        self.readings == 0 && self.newest == Some(0) && self.sum.as_deref().is_none_or(|sum| sum == "0")
    }

    /// The JSON to store.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a gap is plain text and numbers")
    }

    /// Reads the stored JSON; none when it is no gap.
    pub fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(readings: i64, sum: &str, newest: i64) -> Totals {
        let mut totals = Totals::default();
        totals.add(readings, sum, newest);
        totals
    }

    #[test]
    fn a_gap_is_closed_when_count_sum_and_newest_agree() {
        let table = totals(3, "10.5", 7);
        assert!(Gap::between(&table, &totals(3, "10.50", 7)).closed());
        for here in [totals(2, "10.5", 7), totals(3, "10.4", 7), totals(3, "10.5", 6), Totals::default()] {
            assert!(!Gap::between(&table, &here).closed(), "{here:?}");
        }
        assert!(Gap::between(&Totals::default(), &Totals::default()).closed());
    }

    #[test]
    fn a_sum_that_cannot_be_told_is_not_compared() {
        let table = Totals { sum: None, ..totals(3, "0", 7) };
        let gap = Gap::between(&table, &totals(3, "99", 7));
        assert_eq!((gap.sum.clone(), gap.closed()), (None, true));
        // What the table no longer has at all has a sum: nothing.
        let gap = Gap::between(&Totals::default(), &totals(1, "9", 7));
        assert_eq!(gap, Gap { readings: -1, sum: Some("-9".to_owned()), newest: None });
        assert_eq!(Gap::parse(&gap.to_json()), Some(gap));
    }
}
