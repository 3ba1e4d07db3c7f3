//! Runs a worker process: the loop that takes jobs, the keeper of their leases, and a graceful end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use apalis_core::backend::ext::BackendExt;
use apalis_core::monitor::Monitor;
use apalis_core::task::data::Data;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_core::worker::ext::parallelize::ParallelizeExt;
use tokio_util::task::AbortOnDropHandle;
use tracing::{error, info, warn};

use super::backend::{JobBackend, Ticker};
use super::held::Taken;
use super::keeper::keep;
use super::node::Node;
use super::table;
use super::work::work;

/// How long to wait before a worker loop that ended is started again.
const RESTART: Duration = Duration::from_secs(1);

impl Node {
    /// Works until its stop token fires and the jobs in hand have ended, or the grace is over.
    ///
    /// Should the worker loop end by itself, however it does, it is started again: the jobs it began go on meanwhile
    /// in tasks of their own. A loop that does not come back shows in the age of the worker's last sign of life.
    pub async fn run(self) {
        info!(worker = %self.owner, name = %self.name, "the workers start");
        let keeper = AbortOnDropHandle::new(tokio::spawn(keep(self.clone())));
        while !self.stop.is_cancelled() {
            let monitor = self.monitor();
            let workers = monitor.context();
            let mut working = Box::pin(monitor.run());
            tokio::select! {
                ended = &mut working => {
                    error!(?ended, "the worker loop ended by itself and is started again");
                    tokio::time::sleep(RESTART).await;
                }
                () = self.stop.cancelled() => {
                    if let Err(error) = workers.shutdown() {
                        warn!(%error, "the worker loop does not take the word to stop");
                    }
                    if tokio::time::timeout(self.settings.grace, working).await.is_err() {
                        let left = self.held.snapshot().len();
                        warn!(left, "jobs did not stop in time; other workers take them when their leases end");
                    }
                }
            }
        }
        for (_, entry) in self.held.snapshot() {
            entry.signals.lose();
        }
        drop(keeper);
        if let Err(error) = table::sign_out(self.db.orm(), self.owner).await {
            warn!(%error, "the workers' end was not written");
        }
        info!(worker = %self.owner, "the workers have stopped");
    }

    fn monitor(&self) -> Monitor {
        let node = self.clone();
        let worker = move |runs| {
            let backend = JobBackend::new(node.clone()).poll_with_strategy(Ticker::new(node.clone()));
            WorkerBuilder::new(format!("{}#{runs}", node.name))
                .backend(backend)
                .parallelize(tokio::spawn)
                .data(node.clone())
                .build(perform)
        };
        Monitor::new().register(worker).should_restart(|worker, failure| {
            error!(%failure, "the worker loop failed and is started again");
            // A loop that fails over and over is left to the pause between its starts.
            worker.restarts() < 3
        })
    }
}

async fn perform(taken: Arc<Taken>, node: Data<Node>) -> Result<(), Infallible> {
    work(node.0, taken).await;
    Ok(())
}
