//! What a read costs at the system behind it, as far as the system tells.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::wall;

tokio::task_local! {
    static BILL: Cost;
}

/// Counts shared by whoever asks for a read and the connector that does it, and what each statement may cost. Clones
/// count together.
#[derive(Clone, Debug, Default)]
pub struct Cost {
    counts: Arc<Counts>,
    most_bytes: Option<u64>,
}

#[derive(Debug, Default)]
struct Counts {
    statements: AtomicU64,
    micros: AtomicU64,
    rows: AtomicU64,
    bytes: AtomicU64,
}

/// What was counted between two looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Statements sent.
    pub statements: u64,
    /// Microseconds the system spent on them, or where it does not tell, spent waiting for it.
    pub micros: u64,
    /// Rows scanned; zero also where the system does not tell.
    pub rows: u64,
    /// Bytes scanned or billed; zero also where the system does not tell.
    pub bytes: u64,
}

impl Cost {
    /// The same counts, for statements that may bill so many bytes each; the connection's own limit holds without one.
    pub fn limited(self, most_bytes: Option<u64>) -> Self {
        Self { most_bytes, ..self }
    }

    /// Does something whose statements are counted here: looks at the catalog and at the clock, which are asked for
    /// without a cost of their own. What is begun in other tasks is not concerned.
    pub async fn charge<T>(&self, work: impl Future<Output = T>) -> T {
        BILL.scope(self.clone(), work).await
    }

    /// The counts of whoever asks; where nobody counts, some that nobody looks at.
    pub(crate) fn current() -> Self {
        BILL.try_with(Self::clone).unwrap_or_default()
    }

    /// The most bytes one statement may bill, where the read says so.
    pub fn most_bytes(&self) -> Option<u64> {
        self.most_bytes
    }

    /// Adds one statement that was sent. A file has no server to send to: there, pages of rows are counted, and not the
    /// looks at its schema.
    pub fn add_statement(&self) {
        self.counts.statements.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds time the system spent, or where it does not tell, time spent waiting for it.
    pub fn add_time(&self, spent: Duration) {
        let micros = u64::try_from(spent.as_micros()).unwrap_or(u64::MAX);
        self.counts.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Adds rows the system looked at.
    pub fn add_rows(&self, scanned: u64) {
        self.counts.rows.fetch_add(scanned, Ordering::Relaxed);
    }

    /// Adds bytes the system looked at, or bills.
    pub fn add_bytes(&self, scanned: u64) {
        self.counts.bytes.fetch_add(scanned, Ordering::Relaxed);
    }

    /// Waits for the system and adds the time that took.
    pub async fn timed<T>(&self, work: impl Future<Output = T>) -> T {
        let start = wall::moment();
        let done = work.await;
        self.add_time(start.elapsed());
        done
    }

    /// What was counted since the last call, or since the beginning.
    pub fn take(&self) -> Spent {
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        let counts = &self.counts;
        Spent {
            statements: take(&counts.statements),
            micros: take(&counts.micros),
            rows: take(&counts.rows),
            bytes: take(&counts.bytes),
        }
    }
}

impl Spent {
    /// Whether nothing was counted.
    pub fn nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.statements += other.statements;
        self.micros += other.micros;
        self.rows += other.rows;
        self.bytes += other.bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_asked_for_by_the_way_is_counted_where_somebody_counts() {
        let ask = async || Cost::current().add_statement();
        let (run, other) = (Cost::default(), Cost::default());
        ask().await;
        run.charge(async {
            ask().await;
            other.charge(ask()).await;
            ask().await;
        })
        .await;
        assert_eq!((run.take().statements, other.take().statements), (2, 1));
    }
}
