//! The server's own time, which a test may set apart from the machine's.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The machine's clock and an offset.
#[derive(Debug, Default)]
pub struct Clock {
    offset: AtomicI64,
}

impl Clock {
    /// Sets how many seconds this clock is ahead of the machine's.
    pub fn set_offset(&self, seconds: i64) {
        self.offset.store(seconds, Ordering::SeqCst);
    }

    /// Nanoseconds since 1970.
    pub fn nanos(&self) -> i128 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let offset = i128::from(self.offset.load(Ordering::SeqCst)) * 1_000_000_000;
        i128::try_from(since.as_nanos()).unwrap_or_default() + offset
    }

    /// Whole seconds since 1970.
    pub fn seconds(&self) -> i64 {
        i64::try_from(self.nanos().div_euclid(1_000_000_000)).unwrap_or_default()
    }

    /// Milliseconds since 1970.
    pub fn millis(&self) -> i64 {
        i64::try_from(self.nanos().div_euclid(1_000_000)).unwrap_or_default()
    }
}
