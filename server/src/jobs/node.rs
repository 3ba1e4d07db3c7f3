//! A worker process: which queues it works, how many jobs of each at once, and what it does with one.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use entity::WorkerId;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::held::{HeldJobs, Taken};
use super::lanes::Lanes;
use crate::clock::{Clock, Micros};
use crate::db::Db;
use crate::domain::backoff::Backoff;
use crate::domain::job::Jobs;
use crate::error::Result;

/// A queue and how many of its jobs this process runs at once.
#[derive(Clone, Copy, Debug)]
pub struct Lane {
    /// The queue.
    pub queue: &'static str,
    /// Most jobs at once.
    pub at_once: usize,
}

/// What came of a job that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is finished.
    Done,
    /// The same, and the table of jobs knows.
    Settled,
    /// It is to run again at a time.
    Again(Micros),
    /// It was stopped half way without fault; any worker may go on with it at once.
    Released,
    /// Another worker has it.
    Lost,
}

/// What the process does with a job. An error that may pass is tried again after a wait, up to the job's attempts; any
/// other gives the job up. A panic counts as an error that may pass.
pub type Perform = Arc<dyn Fn(Arc<Taken>) -> BoxFuture<'static, Result<Outcome>> + Send + Sync>;

/// How a node works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The queues.
    pub lanes: Vec<Lane>,
    /// After so long without renewal, others take a job over. Renewed three times as often. Longer than the
    /// database's busy timeout, or a locked database makes jobs run twice.
    pub lease: Duration,
    /// How often to look for work nobody rang for.
    pub poll: Duration,
    /// The waits between attempts.
    pub backoff: Backoff,
    /// How long a graceful stop waits for the jobs in hand.
    pub grace: Duration,
}

/// A worker process.
#[derive(Clone)]
pub struct Node {
    pub(super) settings: Arc<Settings>,
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) bell: Jobs,
    pub(super) perform: Perform,
    /// Fresh with each start: a restarted process is never taken for the one that died.
    pub(super) owner: WorkerId,
    pub(super) name: Arc<str>,
    pub(super) held: HeldJobs,
    pub(super) stop: CancellationToken,
    /// Set when someone rings, so that a look that began before finds what came after.
    rung: Arc<AtomicBool>,
    pub(super) lanes: Lanes,
}

impl Node {
    /// Makes a node with a fresh identity; it does nothing until [`Node::run`].
    pub fn new(settings: Settings, db: Db, clock: Clock, bell: Jobs, stop: CancellationToken) -> Self {
        let nothing: Perform = Arc::new(|_| Box::pin(async { Ok(Outcome::Released) }));
        Self {
            settings: Arc::new(settings),
            db,
            clock,
            bell,
            perform: nothing,
            owner: WorkerId::new(),
            name: name().into(),
            held: HeldJobs::default(),
            stop,
            rung: Arc::default(),
            lanes: Lanes::default(),
        }
    }

    /// Sets what it does with a job.
    #[must_use]
    pub fn perform(mut self, perform: Perform) -> Self {
        self.perform = perform;
        self
    }

    /// Who it is in the tables.
    pub fn owner(&self) -> WorkerId {
        self.owner
    }

    /// Until when a lease taken now holds.
    pub fn lease_end(&self) -> Micros {
        self.clock.now() + i64::try_from(self.settings.lease.as_micros()).unwrap_or(i64::MAX / 4)
    }

    /// How often leases are renewed.
    pub(super) fn beat(&self) -> Duration {
        self.settings.lease / 3
    }

    /// The queues with room, and how much.
    pub(super) fn room(&self) -> Vec<(&'static str, usize)> {
        let free = |lane: &Lane| lane.at_once.saturating_sub(self.held.count(lane.queue));
        let lanes = self.settings.lanes.iter();
        lanes.map(|lane| (lane.queue, free(lane))).filter(|(_, room)| *room > 0).collect()
    }

    pub(super) fn ring(&self) {
        self.rung.store(true, Ordering::SeqCst);
    }

    /// Tells whether someone has rung since the last look began.
    pub(super) fn rings(&self) -> bool {
        self.rung.load(Ordering::SeqCst)
    }

    pub(super) fn take_ring(&self) -> bool {
        self.rung.swap(false, Ordering::SeqCst)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("owner", &self.owner).field("name", &self.name).finish_non_exhaustive()
    }
}

/// Host and process, for people.
fn name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = Some(host.trim()).filter(|host| !host.is_empty()).unwrap_or("host");
    format!("{host}/{}", std::process::id())
}
