//! The machine's own clock, for what must agree with other machines: the times in tokens, and how far two clocks are
//! apart. What is read never depends on it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Seconds since 1970, by this machine; before 1970, zero.
#[expect(clippy::disallowed_methods, reason = "other machines judge it by the real time")]
pub(crate) fn seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// A moment to count time from: how long a statement took, and how long a token still holds.
#[expect(clippy::disallowed_methods, reason = "only its distance to another such moment is used")]
pub(crate) fn moment() -> Instant {
    Instant::now()
}
