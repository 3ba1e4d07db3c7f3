//! The one place that asks what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since the Unix epoch, UTC.
pub type Micros = i64;

/// One second in [`Micros`].
pub const SECOND: Micros = 1_000_000;
/// One day in [`Micros`].
pub const DAY: Micros = 86_400 * SECOND;

/// Tells the time; a test sets it by hand.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    fixed: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands at `now` until [`Clock::advance`].
    pub fn fixed(now: Micros) -> Self {
        Self { fixed: Some(Arc::new(AtomicI64::new(now))) }
    }

    /// Moves a fixed clock, and all its clones; does nothing to the machine's clock.
    pub fn advance(&self, by: Micros) {
        if let Some(fixed) = &self.fixed {
            fixed.fetch_add(by, Ordering::SeqCst);
        }
    }

    /// The time now.
    #[expect(clippy::disallowed_methods, reason = "the one place that may")]
    pub fn now(&self) -> Micros {
        match &self.fixed {
            Some(fixed) => fixed.load(Ordering::SeqCst),
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX)),
        }
    }
}
