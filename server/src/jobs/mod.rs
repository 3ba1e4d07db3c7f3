//! The jobs: what runs outside a request, how often, how many at once, and after how many failures it is given up.
//!
//! | queue | job | at once | attempts |
//! |---|---|---|---|
//! | `sync` | carry out a sync run | `workers.concurrency` | the run's own, `workers.attempts` |
//! | `backfill` | carry out a run of a bounded range | 1 | the run's own |
//! | `rematch` | try waiting rows again after a change | 1, one per organization | until it succeeds |
//! | `discard` | discard what deleted streams stored | 1 | until it succeeds |
//! | `reconcile` | compare a stream with its table, nightly | 1 | the comparison's own, `workers.attempts` |
//! | `prune` | delete what is kept no longer, hourly | 1 | 5 |
//!
//! Jobs are rows of one table, taken with a lease by the workers of any process (`node`, `table`, `keeper`); apalis
//! drives the loop that takes them (`run`, `backend`, `storage`). What a job is about is in tables of its own, so
//! doing a job twice does no harm and losing one is found out (`schedule`).

mod backend;
mod discard;
mod held;
mod keeper;
mod lanes;
mod node;
mod prune;
mod reader;
mod reconcile;
mod rematch;
mod run;
pub mod schedule;
mod storage;
mod sync;
mod table;
mod work;

pub use held::{Claimed, StopReason, Taken};
pub use node::{Lane, Node, Outcome, Perform, Settings};
pub use prune::{Pruned, prune};
pub use reader::Reader;
pub use sync::{Ending, Engine};

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::clock::{Micros, SECOND};
use crate::domain::backoff::Backoff;
use crate::domain::job::{Job, NewJob};
use crate::domain::matching_change;
use crate::error::Result;

/// The jobs that come by themselves, and how long after the end of one the next is due.
const PERIODIC: [(Job, Micros); 1] = [(Job::Prune, 3600 * SECOND)];

/// How long a graceful stop waits: a batch takes far less.
const GRACE: Duration = Duration::from_secs(25);

/// The workers of this process, at work.
#[derive(Debug)]
pub struct Handle {
    tasks: Vec<JoinHandle<()>>,
}

impl Handle {
    /// Waits until the stop token has fired and everything in hand has ended.
    pub async fn finished(self) {
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the workers broke off");
            }
        }
    }
}

/// Starts the workers and the scheduler of this process; both end when `stop` fires. With `workers.concurrency` 0
/// nothing is started, and other processes do the work.
pub fn start(app: &App, engine: Arc<dyn Engine>, stop: &CancellationToken) -> Handle {
    if app.config.workers.concurrency == 0 {
        return Handle { tasks: Vec::new() };
    }
    let node = Node::new(settings(app), app.db.clone(), app.clock.clone(), app.jobs.clone(), stop.clone());
    let perform = dispatch(app.clone(), node.clone(), engine);
    let scheduler = schedule::run(app.clone(), stop.clone());
    Handle { tasks: vec![tokio::spawn(node.perform(perform).run()), tokio::spawn(scheduler)] }
}

fn settings(app: &App) -> Settings {
    let workers = &app.config.workers;
    let lane = |queue, at_once| Lane { queue, at_once };
    Settings {
        lanes: vec![
            lane("sync", workers.concurrency),
            lane("backfill", 1),
            lane(matching_change::QUEUE, 1),
            lane("discard", 1),
            lane("reconcile", 1),
            lane("prune", 1),
        ],
        lease: Duration::from_secs(u64::from(workers.lease_seconds)),
        poll: Duration::from_millis(workers.poll_milliseconds),
        backoff: Backoff::seconds(workers.backoff_seconds, workers.backoff_most_seconds),
        grace: GRACE,
    }
}

/// Brings each job to the code that does it.
fn dispatch(app: App, node: Node, engine: Arc<dyn Engine>) -> Perform {
    Arc::new(move |taken| {
        let (app, node, engine) = (app.clone(), node.clone(), engine.clone());
        Box::pin(async move {
            if taken.job.queue == matching_change::QUEUE {
                return rematch::run(&app, &taken).await;
            }
            match Job::parse(&taken.job.payload)? {
                Job::RunSync { organization, run } | Job::RunBackfill { organization, run } => {
                    sync::run(&app, &node, engine.as_ref(), &taken, (organization, run)).await
                }
                Job::Discard { organization, stream } => {
                    discard::run(&app, &taken, (organization, stream)).await
                }
                Job::Reconcile { organization, reconcile } => {
                    reconcile::run(&app, &taken, (organization, reconcile)).await
                }
                Job::Prune => prune(&app, taken.stop()).await.map(|_| Outcome::Done),
            }
        })
    })
}

/// Puts the next of each periodic job in the queue, unless it is there: one for all processes.
async fn arrange(app: &App) -> Result<()> {
    let now = app.clock.now();
    let jobs = PERIODIC.map(|(job, period)| NewJob::new(&job).dedupe("periodic").run_at(now + period));
    crate::domain::job::enqueue(app.db.orm(), now, &jobs).await?;
    Ok(())
}
