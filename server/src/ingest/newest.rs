//! The newest measurement time of each series, to tell rows that can only be new from rows that must be compared.

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

use super::store::{Rows, Store};
use crate::error::Result;

/// What is known of series; valid as long as nobody else writes to the stream.
#[derive(Debug, Default)]
pub struct Newest {
    times: HashMap<i64, i64, FxBuildHasher>,
}

impl Newest {
    /// Notes a series that was just made and holds nothing.
    pub fn made(&mut self, series: i64) {
        self.times.insert(series, i64::MIN);
    }

    /// Forgets everything: somebody else wrote.
    pub fn forget(&mut self) {
        self.times.clear();
    }

    /// How many series are known.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Tells whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Asks for the series not known yet.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn load(&mut self, store: &mut Store, series: impl Iterator<Item = i64>) -> Result<()> {
        let mut missing: Vec<i64> = series.filter(|id| !self.times.contains_key(id)).collect();
        missing.sort_unstable();
        missing.dedup();
        let sql = "SELECT b.c0, (SELECT m.measured_at FROM measurement m WHERE m.series_id = b.c0 \
            ORDER BY m.measured_at DESC LIMIT 1) FROM {rows}";
        for part in missing.chunks(5_000) {
            let found = store.fetch_rows(sql, &[], &Rows::new().ints(part.iter().copied())).await?;
            for record in &found {
                self.times.insert(record.int(0)?, record.maybe_int(1)?.unwrap_or(i64::MIN));
            }
        }
        Ok(())
    }

    /// Tells whether a measurement at that time can only be new. The series must have been loaded or made.
    pub fn after(&self, series: i64, measured_at: i64) -> bool {
        self.times.get(&series).is_some_and(|newest| measured_at > *newest)
    }

    /// Notes a measurement that was stored.
    pub fn stored(&mut self, series: i64, measured_at: i64) {
        let newest = self.times.entry(series).or_insert(i64::MIN);
        *newest = (*newest).max(measured_at);
    }
}
