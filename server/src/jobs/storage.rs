//! The job table as apalis sees it.
//!
//! Two rules make its worker loop safe to stand on. No method fails because the database does: an error would kill
//! the loop for good, so it is logged and the next look tries again. And the loop carries no answers: a job is
//! settled by the task that ran it (`work`), and its lease is renewed by the keeper, so a loop that ends loses nothing.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use apalis_core::backend::persistence::{Persistence, TaskEvent};
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::task_id::TaskId;
use apalis_core::worker::context::WorkerContext;
use sea_orm::{DbErr, SqlErr};
use tracing::{debug, warn};

use super::held::Taken;
use super::node::Node;
use super::table::{self, Settled};

/// The table, for one run of the worker loop.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    node: Node,
}

impl Storage {
    pub(super) fn new(node: Node) -> Self {
        Self { node }
    }

    async fn alive(&self) {
        let (node, now) = (&self.node, self.node.clock.now());
        let beat = async {
            table::sign_in(node.db.orm(), now, node.owner, &node.name).await?;
            node.bell.seen(now);
            table::reap(node.db.orm(), now).await
        };
        match beat.await {
            Ok(0) => {}
            Ok(count) => {
                warn!(count, "took jobs from workers that stopped renewing their leases");
                node.bell.wake();
            }
            Err(error) => warn!(%error, "the workers' sign of life was not written"),
        }
    }

    async fn look(&self) -> Result<Vec<Taken>, DbErr> {
        let node = &self.node;
        let room = node.lanes.open(node.room());
        if room.is_empty() || node.stop.is_cancelled() {
            return Ok(Vec::new());
        }
        let (db, now, until) = (node.db.orm(), node.clock.now(), node.lease_end());
        let queues = room.iter().map(|(queue, _)| *queue);
        if !node.lanes.likely(&room) && !table::any_due(db, now, queues).await? {
            node.lanes.note(&room, &[]);
            return Ok(Vec::new());
        }
        match table::claim(db, now, until, node.owner, &room).await {
            Ok(claimed) => {
                node.lanes.note(&room, &claimed);
                Ok(claimed.into_iter().map(|job| node.held.take(job, until, &node.stop)).collect())
            }
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
                debug!("another worker took a job of the same key in the same moment");
                tokio::time::sleep(Duration::from_millis(5)).await;
                node.ring();
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }
}

impl Persistence for Storage {
    type Compact = Arc<Taken>;
    type Response = ();
    type Error = Infallible;

    async fn register(&mut self, _: &WorkerContext) -> Result<(), Infallible> {
        self.alive().await;
        Ok(())
    }

    async fn heartbeat(&mut self, _: &WorkerContext) -> Result<(), Infallible> {
        self.alive().await;
        Ok(())
    }

    async fn fetch_next(&mut self, _: &WorkerContext) -> Result<Vec<Task<Arc<Taken>>>, Infallible> {
        loop {
            if self.node.take_ring() {
                self.node.lanes.stir();
            }
            let found = self.look().await.unwrap_or_else(|error| {
                warn!(%error, "looking for jobs failed");
                Vec::new()
            });
            // Whoever rang during the look may have come too late for it.
            if !found.is_empty() || !self.node.rings() {
                return Ok(found.into_iter().map(task).collect());
            }
        }
    }

    /// Gives jobs back that were claimed and never begun: they cost no attempt.
    async fn reenqueue_abandoned(
        &mut self,
        tasks: Vec<Task<Arc<Taken>>>,
        _: &WorkerContext,
    ) -> Result<u64, Infallible> {
        let mut given = 0;
        for task in tasks {
            let (node, job) = (&self.node, &task.args.job);
            let key = (job.id, job.attempts);
            match table::settle(node.db.orm(), node.clock.now(), node.owner, key, &Settled::Back).await {
                Ok(_) => given += 1,
                Err(error) => warn!(%error, job.id = %job.id, "a job was not given back; its lease will end"),
            }
        }
        Ok(given)
    }

    /// Nothing arrives here: the layer that would send events is not in use.
    async fn handle_events(&mut self, _: Vec<TaskEvent<()>>, _: &WorkerContext) -> Result<(), Infallible> {
        Ok(())
    }

    /// Nothing arrives here: jobs are enqueued in the transaction that gives them a reason (`domain::job`).
    async fn push_tasks(&mut self, _: Vec<Task<Arc<Taken>>>) -> Result<(), Infallible> {
        Ok(())
    }
}

fn task(taken: Taken) -> Task<Arc<Taken>> {
    let id = TaskId::Int(taken.job.id.0.cast_unsigned());
    TaskBuilder::new(Arc::new(taken)).task_id(id).build()
}
