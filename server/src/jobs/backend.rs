//! What drives the worker loop: the storage, and the moments at which it is asked.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use apalis_core::backend::ext::poll_strategy::{PollSnapshot, PollStrategy};
use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::persistence::Persisted;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::layers::Identity;
use apalis_core::task::Task;
use apalis_core::worker::context::WorkerContext;
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Interval, MissedTickBehavior};

use super::held::Taken;
use super::node::Node;
use super::storage::Storage;

/// The storage as a backend of jobs that need no decoding.
pub(super) struct JobBackend {
    persisted: Persisted<Storage>,
    beat: Duration,
}

impl JobBackend {
    pub(super) fn new(node: Node) -> Self {
        Self { beat: node.beat(), persisted: Persisted::new(Storage::new(node)) }
    }
}

impl Backend for JobBackend {
    type Task = Task<Arc<Taken>>;
    type Error = Infallible;

    fn poll_ready(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<(), Infallible>> {
        self.persisted.poll_ready(cx, worker, self.beat)
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Infallible>>> {
        self.persisted.poll_next(cx, worker)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, worker: &WorkerContext) -> Poll<Result<(), Infallible>> {
        self.persisted.poll_close(cx, worker)
    }
}

impl BackendConfig for JobBackend {
    type Args = Arc<Taken>;
    type Id = u64;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}

/// Asks at every tick and whenever someone rings.
///
/// Each poll ends with both the timer and the bell pending, so a waker is always registered with both. The strategies
/// that come with the library make a timer and do not poll it; the loop then sleeps until something else wakes it.
pub(super) struct Ticker {
    timer: Interval,
    rung: Pin<Box<OwnedNotified>>,
    node: Node,
}

impl Ticker {
    pub(super) fn new(node: Node) -> Self {
        let mut timer = tokio::time::interval(node.settings.poll);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { timer, rung: Box::pin(node.bell.woken()), node }
    }
}

impl PollStrategy for Ticker {
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        let mut fired = false;
        while self.timer.poll_tick(cx).is_ready() {
            self.node.ring();
            fired = true;
        }
        while self.rung.as_mut().poll(cx).is_ready() {
            self.rung = Box::pin(self.node.bell.woken());
            self.node.ring();
            fired = true;
        }
        if fired { Poll::Ready(Some(())) } else { Poll::Pending }
    }
}
