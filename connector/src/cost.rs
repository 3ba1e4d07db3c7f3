//! What a read costs at the system behind it, as far as the system tells.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts shared by whoever asks for a read and the connector that does it. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Cost(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    statements: AtomicU64,
    micros: AtomicU64,
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl Cost {
    /// Adds one statement that was sent. A file has no server to send to: there, pages of rows are counted, and not the
    /// looks at its schema.
    pub fn add_statement(&self) {
        self.0.statements.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds time the system spent, or where it does not tell, time spent waiting for it.
    pub fn add_time(&self, spent: Duration) {
        let micros = u64::try_from(spent.as_micros()).unwrap_or(u64::MAX);
        self.0.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Adds rows the system looked at.
    pub fn add_rows(&self, scanned: u64) {
        self.0.rows.fetch_add(scanned, Ordering::Relaxed);
    }

    /// Adds bytes the system looked at, or bills.
    pub fn add_bytes(&self, scanned: u64) {
        self.0.bytes.fetch_add(scanned, Ordering::Relaxed);
    }

    /// Waits for the system and adds the time that took.
    #[expect(clippy::disallowed_methods, reason = "the length of a wait is counted; no decision hangs on it")]
    pub async fn timed<T>(&self, work: impl Future<Output = T>) -> T {
        let start = std::time::Instant::now();
        let done = work.await;
        self.add_time(start.elapsed());
        done
    }

    /// Statements sent so far.
    pub fn statements(&self) -> u64 {
        self.0.statements.load(Ordering::Relaxed)
    }

    /// Time spent so far.
    pub fn time(&self) -> Duration {
        Duration::from_micros(self.0.micros.load(Ordering::Relaxed))
    }

    /// Rows scanned so far; zero also where the system does not tell.
    pub fn rows(&self) -> u64 {
        self.0.rows.load(Ordering::Relaxed)
    }

    /// Bytes scanned or billed so far; zero also where the system does not tell.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }
}
