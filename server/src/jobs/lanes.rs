//! What the last look told of each queue, so that the next one asks no more than it must.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::held::Claimed;

/// What a look found in a queue it had room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// As many jobs as there was room for: there may be more.
    Full,
    /// Fewer: there is no other.
    Dry,
}

/// The queues a process works, as last seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Lanes(Arc<Mutex<HashMap<String, Seen>>>);

impl Lanes {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<String, Seen>) -> T) -> T {
        // Each use leaves the map whole, so a panic elsewhere does not make it wrong.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Of the queues with room, those that are not known to be dry.
    pub(super) fn open(&self, room: Vec<(&'static str, usize)>) -> Vec<(&'static str, usize)> {
        self.with(|lanes| {
            room.into_iter().filter(|(queue, _)| lanes.get(*queue) != Some(&Seen::Dry)).collect()
        })
    }

    /// Tells whether one of them is likely to hold a job: then asking first costs more than it saves.
    pub(super) fn likely(&self, room: &[(&'static str, usize)]) -> bool {
        self.with(|lanes| room.iter().any(|(queue, _)| lanes.get(*queue) == Some(&Seen::Full)))
    }

    /// Notes what a look at the queues with room has found.
    pub(super) fn note(&self, room: &[(&'static str, usize)], claimed: &[Claimed]) {
        self.with(|lanes| {
            for (queue, count) in room {
                let found = claimed.iter().filter(|job| job.queue == *queue).count();
                let seen = if found < *count { Seen::Dry } else { Seen::Full };
                lanes.insert((*queue).to_owned(), seen);
            }
        });
    }

    /// A job of the queue has left: it may be back, or one that had to wait for it may go.
    pub(super) fn left(&self, queue: &str) {
        self.with(|lanes| {
            if lanes.get(queue) == Some(&Seen::Dry) {
                lanes.remove(queue);
            }
        });
    }

    /// Time has passed, or somebody rang: any queue may hold a job.
    pub(super) fn stir(&self) {
        self.with(|lanes| lanes.retain(|_, seen| *seen == Seen::Full));
    }
}

#[cfg(test)]
mod tests {
    use entity::JobId;

    use super::*;

    fn job(queue: &str) -> Claimed {
        let (payload, attempts, max_attempts) = (String::new(), 1, 1);
        Claimed { id: JobId(1), queue: queue.to_owned(), payload, attempts, max_attempts }
    }

    #[test]
    fn a_queue_that_gave_less_than_asked_is_not_asked_again_until_something_happens() {
        let lanes = Lanes::default();
        let room = vec![("sync", 1), ("prune", 1)];
        assert_eq!(lanes.open(room.clone()), room);
        lanes.note(&room, &[job("sync")]);
        assert_eq!(lanes.open(room.clone()), [("sync", 1)]);
        assert!(lanes.likely(&[("sync", 1)]));
        lanes.note(&[("sync", 1)], &[]);
        assert_eq!(lanes.open(room.clone()), []);
        lanes.left("sync");
        assert_eq!(lanes.open(room.clone()), [("sync", 1)]);
        assert!(!lanes.likely(&[("sync", 1)]), "it may hold one, no more");
        lanes.stir();
        assert_eq!(lanes.open(room.clone()), room);
    }
}
