//! What became of rows and readings, and the two sums that must hold.

use connector::Spent;

use crate::error::{Error, Result};

/// Counts of one batch or one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows the source returned.
    pub rows_read: u64,
    /// Rows that said something.
    pub rows_mapped: u64,
    /// Rows kept aside with a reason.
    pub rows_rejected: u64,
    /// Rows delivered again.
    pub rows_repeated: u64,
    /// What the mapped rows said.
    pub readings: u64,
    /// Readings stored as a new or changed value.
    pub written: u64,
    /// Readings that agree with what is stored.
    pub unchanged: u64,
    /// Readings that lost to a newer one.
    pub superseded: u64,
    /// Readings that wait for an account or a link.
    pub unmatched: u64,
    /// Readings kept aside by an ignore rule.
    pub ignored: u64,
    /// Empty cells, which are no readings.
    pub null_cells: u64,
    /// Rows without a cursor.
    pub null_cursors: u64,
    /// Batches stored.
    pub batches: u64,
    /// About how many bytes were read.
    pub bytes_read: u64,
    /// What reading them cost at the source.
    pub spent: Spent,
}

impl Tally {
    /// Checks both sums.
    ///
    /// # Errors
    /// A fault of ours, with the sum that does not hold.
    pub fn balance(&self) -> Result<()> {
        let rows = self.rows_mapped + self.rows_rejected + self.rows_repeated;
        if self.rows_read != rows {
            return Err(Error::internal(
                "balance the rows",
                format!(
                    "{} read, but {} mapped + {} rejected + {} repeated = {rows}",
                    self.rows_read, self.rows_mapped, self.rows_rejected, self.rows_repeated
                ),
            ));
        }
        let readings = self.written + self.unchanged + self.superseded + self.unmatched + self.ignored;
        if self.readings != readings {
            return Err(Error::internal(
                "balance the readings",
                format!(
                    "{} made, but {} written + {} unchanged + {} superseded + {} unmatched + {} ignored = {readings}",
                    self.readings,
                    self.written,
                    self.unchanged,
                    self.superseded,
                    self.unmatched,
                    self.ignored
                ),
            ));
        }
        Ok(())
    }

    /// Adds the counts of another.
    pub fn add(&mut self, other: &Self) {
        self.rows_read += other.rows_read;
        self.rows_mapped += other.rows_mapped;
        self.rows_rejected += other.rows_rejected;
        self.rows_repeated += other.rows_repeated;
        self.readings += other.readings;
        self.written += other.written;
        self.unchanged += other.unchanged;
        self.superseded += other.superseded;
        self.unmatched += other.unmatched;
        self.ignored += other.ignored;
        self.null_cells += other.null_cells;
        self.null_cursors += other.null_cursors;
        self.batches += other.batches;
        self.bytes_read += other.bytes_read;
        self.spent.add(&other.spent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pitfall_33_the_balance_check_fires() {
        let good = Tally {
            rows_read: 3,
            rows_mapped: 2,
            rows_rejected: 1,
            readings: 2,
            written: 2,
            ..Tally::default()
        };
        assert!(good.balance().is_ok());
        assert!(Tally { rows_read: 4, ..good }.balance().is_err());
        assert!(Tally { written: 1, ..good }.balance().is_err());
    }
}
