//! How long whoever asked goes on waiting. Nobody waits for a run; a person waits for a check or a list, and is better
//! told what failed than kept until the patience ends.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::wall;

tokio::task_local! {
    static UNTIL: Instant;
}

/// Does something for someone who waits that long, or who waits already, and has less time left. Requests are repeated only as far as the time goes, and the steps of
/// a check end with it. What is begun in other tasks is not concerned.
pub async fn within<T>(patience: Duration, work: impl Future<Output = T>) -> T {
    let patience = left().map_or(patience, |left| left.min(patience));
    UNTIL.scope(wall::moment() + patience, work).await
}

/// How much longer someone waits; `None` when nobody does.
pub fn left() -> Option<Duration> {
    UNTIL.try_with(|until| until.saturating_duration_since(wall::moment())).ok()
}
