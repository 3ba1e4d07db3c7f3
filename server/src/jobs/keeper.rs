//! Renews the leases of held jobs and their runs, from a task of its own, and tells jobs when to stop.
//!
//! It runs on the same runtime as the jobs on purpose: a process whose runtime is stuck should lose its leases. The
//! statements of the one who lost them change nothing then.

use std::collections::HashMap;
use std::time::Duration;

use sea_orm::ConnectionTrait;
use tracing::{info, warn};

use super::held::{Entry, HeldRun, Key};
use super::node::Node;
use super::table;
use crate::clock::Micros;
use crate::domain::sync_run;
use crate::error::Result;

/// Keeps leases until it is dropped.
pub(super) async fn keep(node: Node) {
    let mut wait = node.beat();
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = node.bell.interrupted() => {}
        }
        let held = node.held.snapshot();
        wait = match renew(&node, &held).await {
            Ok(()) => node.beat(),
            Err(error) => {
                warn!(%error, "leases were not renewed; trying again");
                expire(&node, &held);
                node.beat().min(Duration::from_secs(1))
            }
        };
    }
}

/// Renews all leases in one transaction, so that a job and its run live and die together.
async fn renew(node: &Node, held: &[(Key, Entry)]) -> Result<()> {
    if held.is_empty() {
        return Ok(());
    }
    let (now, until) = (node.clock.now(), node.lease_end());
    let keys: Vec<Key> = held.iter().map(|(key, _)| *key).collect();
    let tx = node.db.begin().await?;
    // Runs first, as everyone does who changes a run and its job.
    let runs = renew_runs(&tx, now, until, held).await?;
    let jobs = table::renew(&tx, until, node.owner, &keys).await?;
    tx.commit().await?;
    for (key, entry) in held {
        let run = entry.run.map(|run| runs.get(&run));
        if !jobs.contains(key) || run == Some(None) {
            lose(node, *key, entry);
            continue;
        }
        node.held.renewed(*key, until);
        if run.flatten().is_some_and(Option::is_some) {
            entry.signals.cancel();
        }
    }
    Ok(())
}

/// The renewed runs, and when they were asked to stop.
async fn renew_runs(
    db: &impl ConnectionTrait,
    now: Micros,
    until: Micros,
    held: &[(Key, Entry)],
) -> Result<HashMap<HeldRun, Option<Micros>>> {
    let runs: Vec<HeldRun> = held.iter().filter_map(|(_, entry)| entry.run).collect();
    let renewed = sync_run::renew(db, now, until, &runs).await?;
    let with_key = |it: sync_run::Renewed| ((it.organization_id, it.id, it.fence), it.cancel_requested_at);
    Ok(renewed.into_iter().map(with_key).collect())
}

/// Gives up the jobs whose leases ended while the database could not be reached: others may have them by now.
fn expire(node: &Node, held: &[(Key, Entry)]) {
    let now = node.clock.now();
    for (key, entry) in held.iter().filter(|(_, entry)| entry.lease_until < now) {
        lose(node, *key, entry);
    }
}

/// Stops a job that is no longer ours. One that was settled a moment ago is not here any more, and is no loss.
fn lose(node: &Node, key: Key, entry: &Entry) {
    if node.held.contains(key) {
        info!(job.id = %key.0, attempt = key.1, "a job's lease was lost; stopping the work on it");
        entry.signals.lose();
    }
}
