//! What a read costs at the system behind it, as far as the system tells.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::wall;

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
