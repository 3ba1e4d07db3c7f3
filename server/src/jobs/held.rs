//! The jobs this process holds: their leases are renewed for as long as they are here, and no longer.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use entity::{JobId, OrganizationId, SyncRunId};
use tokio_util::sync::CancellationToken;

use crate::clock::Micros;
use crate::domain::sync_run::Claim;

/// A job and which of its attempts: the same job may be here twice, once as an attempt that lost its lease.
pub(super) type Key = (JobId, i32);

/// A run a job holds, and its fence.
pub(super) type HeldRun = (OrganizationId, SyncRunId, i64);

/// What the keeper knows of a held job.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub queue: String,
    pub run: Option<HeldRun>,
    pub lease_until: Micros,
    pub signals: Arc<Signals>,
}

/// How a held job is told to stop.
#[derive(Debug)]
pub(super) struct Signals {
    stop: CancellationToken,
    lost: AtomicBool,
    cancelled: AtomicBool,
}

impl Signals {
    pub(super) fn lose(&self) {
        self.lost.store(true, Ordering::SeqCst);
        self.stop.cancel();
    }

    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        self.stop.cancel();
    }
}

/// All jobs this process holds.
#[derive(Clone, Debug, Default)]
pub(super) struct HeldJobs(Arc<Mutex<HashMap<Key, Entry>>>);

impl HeldJobs {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<Key, Entry>) -> T) -> T {
        // Each use leaves the map whole, so a panic elsewhere does not make it wrong.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is held now.
    pub(super) fn snapshot(&self) -> Vec<(Key, Entry)> {
        self.with(|held| held.iter().map(|(key, entry)| (*key, entry.clone())).collect())
    }

    /// How many jobs of a queue are held.
    pub(super) fn count(&self, queue: &str) -> usize {
        self.with(|held| held.values().filter(|entry| entry.queue == queue).count())
    }

    /// Whether a job is still held.
    pub(super) fn contains(&self, key: Key) -> bool {
        self.with(|held| held.contains_key(&key))
    }

    /// Notes that a lease was renewed.
    pub(super) fn renewed(&self, key: Key, until: Micros) {
        self.with(|held| {
            if let Some(entry) = held.get_mut(&key) {
                entry.lease_until = until;
            }
        });
    }

    /// Takes in a job that was claimed. It leaves with the returned value.
    pub(super) fn take(&self, job: Claimed, lease_until: Micros, stop: &CancellationToken) -> Taken {
        let (lost, cancelled) = (AtomicBool::new(false), AtomicBool::new(false));
        let signals = Arc::new(Signals { stop: stop.child_token(), lost, cancelled });
        let key = (job.id, job.attempts);
        let entry = Entry { queue: job.queue.clone(), run: None, lease_until, signals: signals.clone() };
        self.with(|held| held.insert(key, entry));
        Taken { job, signals, place: Place { held: self.clone(), key } }
    }
}

/// A job as the claim statement returns it.
#[derive(Clone, Debug, sea_orm::FromQueryResult)]
pub struct Claimed {
    /// Its ID.
    pub id: JobId,
    /// Its queue.
    pub queue: String,
    /// Its arguments, as JSON.
    pub payload: String,
    /// Which attempt this is, from 1.
    pub attempts: i32,
    /// The last attempt it gets.
    pub max_attempts: i32,
}

/// Why a job is to stop before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// Another worker has it, or may have: nothing of it may be written any more.
    LeaseLost,
    /// A person asked.
    Cancelled,
    /// This process ends.
    Shutdown,
}

/// A job in the hands of this process.
pub struct Taken {
    /// What was claimed.
    pub job: Claimed,
    signals: Arc<Signals>,
    place: Place,
}

impl Taken {
    /// Fires when the work is to stop.
    pub fn stop(&self) -> &CancellationToken {
        &self.signals.stop
    }

    /// Why it fired; `None` while it has not.
    pub fn stop_reason(&self) -> Option<StopReason> {
        if self.signals.lost.load(Ordering::SeqCst) {
            Some(StopReason::LeaseLost)
        } else if self.signals.cancelled.load(Ordering::SeqCst) {
            Some(StopReason::Cancelled)
        } else {
            self.signals.stop.is_cancelled().then_some(StopReason::Shutdown)
        }
    }

    /// Lets the run's lease be renewed together with the job's.
    pub fn hold_run(&self, claim: &Claim) {
        let run = (claim.organization(), claim.id(), claim.fence());
        self.place.held.with(|held| {
            if let Some(entry) = held.get_mut(&self.place.key) {
                entry.run = Some(run);
            }
        });
    }
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taken").field("job", &self.job).finish_non_exhaustive()
    }
}

/// A job's place among the held; left when dropped, however the work ended.
struct Place {
    held: HeldJobs,
    key: Key,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.held.with(|held| held.remove(&self.key));
    }
}
