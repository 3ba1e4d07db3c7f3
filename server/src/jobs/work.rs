//! One job, from the moment a worker has it to the moment the table knows what came of it.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use connector::Retry;
use futures::FutureExt;
use tracing::{Instrument, error, info_span, warn};

use super::held::{StopReason, Taken};
use super::node::{Node, Outcome};
use super::table::{self, Settled};
use crate::error::{Error, Result};

/// Performs a job and settles it. Panics are caught here, inside the task: a job that panics fails like any other.
pub(super) async fn work(node: Node, taken: Arc<Taken>) {
    let job = &taken.job;
    let span = info_span!("job", id = %job.id, queue = %job.queue, attempt = job.attempts);
    async {
        let result = AssertUnwindSafe((node.perform)(taken.clone())).catch_unwind().await;
        let result = result.unwrap_or_else(|panic| Err(Error::internal("panicked", words(panic.as_ref()))));
        settle(&node, &taken, result).await;
        node.lanes.left(&job.queue);
    }
    .instrument(span)
    .await;
}

/// The words of a panic.
pub(super) fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word")
}

/// Writes what came of a job, again and again while the database cannot be reached and the lease is not lost.
async fn settle(node: &Node, taken: &Taken, result: Result<Outcome>) {
    let job = &taken.job;
    let key = (job.id, job.attempts);
    let settled = match result {
        Ok(Outcome::Done) => Settled::Done,
        Ok(Outcome::Again(at)) => Settled::Later(at, None),
        Ok(Outcome::Released) => Settled::Back,
        Ok(Outcome::Settled | Outcome::Lost) => return,
        Err(failure) => failed(node, taken, &failure),
    };
    let mut wait = Duration::from_millis(100);
    loop {
        match table::settle(node.db.orm(), node.clock.now(), node.owner, key, &settled).await {
            Ok(true) => return,
            Ok(false) => {
                return warn!("the job's lease was lost; what came of it is another worker's to say");
            }
            Err(_) if taken.stop_reason() == Some(StopReason::LeaseLost) => {
                return warn!("the job's lease ended before the database could be told what came of it");
            }
            Err(error) => warn!(%error, "the database does not take what came of the job; trying again"),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(2));
    }
}

/// What becomes of a job that failed.
fn failed(node: &Node, taken: &Taken, failure: &Error) -> Settled {
    let job = &taken.job;
    if !failure.transient() || job.attempts >= job.max_attempts {
        error!(error = %failure, "the job failed and is given up");
        return Settled::Dead(failure.to_string());
    }
    warn!(error = %failure, "the job failed and will be tried again");
    let wait = node.settings.backoff.wait(job.attempts, named_wait(failure));
    Settled::Later(node.clock.now().saturating_add(wait), Some(failure.to_string()))
}

/// The wait an outside system asked for.
pub(super) fn named_wait(failure: &Error) -> Option<Duration> {
    match failure {
        Error::Connector(failure) => match failure.retry() {
            Retry::Later(wait) => wait,
            Retry::Never => None,
        },
        _ => None,
    }
}
