//! Comparing a stream's table with what was taken in, and reading the slices that differ again.
//!
//! The table's sums are taken first and ours after each reading: what arrives meanwhile can make ours too large, which
//! the next comparison puts right, but never hide a row the table held.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use connector::slice::{edges, number_of};
use connector::{Connector, Cost, SliceRequest, Watermark};
use entity::{RunKind, RunStatus, RunTrigger, SyncRunId, reconcile_slice, sync_run};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::held;
use super::opening::Opening;
use super::plan::Plan;
use super::values::Values;
use crate::app::App;
use crate::clock::{Micros, SECOND};
use crate::domain::reconcile::{self, Differing, Failure, Gap, Reconcile, Totals};
use crate::domain::sync_run::{self as runs, Request};
use crate::error::{Error, Result};

/// How long until a run is looked at again.
const PATIENCE: Micros = 2 * SECOND;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It has ended.
    Done,
    /// A run is to end first: look again at that time.
    Wait(Micros),
}

/// Goes on with a comparison from where its rows say it is. Whatever was written before a crash is found and used.
///
/// # Errors
/// `LeaseLost` when another worker went on with it; `Connector` for what the source did; `NotFound` when the stream is
/// gone; `Invalid` when it cannot be read as it is set up.
pub async fn advance(app: &App, connector: &Arc<dyn Connector>, of: &mut Reconcile) -> Result<Next> {
    let opening = Opening::read(app, of.organization_id, of.stream_id).await?;
    if of.compared_at.is_none() {
        reconcile::attempt(app.db.orm(), of).await?;
        if compare(app, connector, &opening, of).await? {
            return Ok(Next::Done);
        }
    }
    read_again(app, &opening, of).await
}

/// The slices of a comparison: the lowest and the highest cursor, and their ranks.
struct Bounds {
    from: Watermark,
    until: Watermark,
    ranks: (i64, i64),
}

impl Bounds {
    /// The last so many slices up to a watermark.
    fn below(until: &Watermark, slices: i32) -> Option<Self> {
        let kind = until.kind;
        let last = number_of(kind, until.rank()?);
        let (from, _) = edges(kind, last.saturating_sub(i64::from(slices) - 1))?;
        let ranks = (from.rank()?, until.rank()?);
        Some(Self { from, until: until.clone(), ranks })
    }

    fn parse(of: &Reconcile, plan: &Plan) -> Option<Self> {
        let mark = |text: &Option<String>| Watermark::parse(plan.cursor.kind, text.as_deref()?);
        let (from, until) = (mark(&of.since)?, mark(&of.until)?);
        let ranks = (from.rank()?, until.rank()?);
        Some(Self { from, until, ranks })
    }
}

/// Compares; tells whether that was all.
async fn compare(
    app: &App,
    connector: &Arc<dyn Connector>,
    opening: &Opening,
    of: &mut Reconcile,
) -> Result<bool> {
    let plan = &opening.plan;
    let position = opening.checkpoint.as_ref().and_then(|checkpoint| checkpoint.position.as_ref());
    let Some(bounds) = position.and_then(|position| Bounds::below(&position.watermark, of.days)) else {
        // Nothing was taken in yet.
        let tx = app.db.begin().await?;
        reconcile::finish(&tx, app.clock.now(), of, 0, &[], None).await?;
        tx.commit().await?;
        return Ok(true);
    };
    let (values, cost) = (Values::of(plan)?, Cost::default().limited(plan.most_bytes));
    let request = SliceRequest {
        table: plan.table.clone(),
        cursor: plan.cursor.clone(),
        values: values.columns().to_vec(),
        from: bounds.from.clone(),
        until: bounds.until.clone(),
        tag: plan.tag(),
        cost: cost.clone(),
    };
    let found = values.slices(&**connector, request, &app.config.sync).await;
    // What a failed attempt cost counts too.
    reconcile::spent(app.db.orm(), of, cost.take()).await?;
    let found = found?;
    let table: BTreeMap<i64, Totals> =
        found.iter().map(|slice| (slice.number, Totals::of_table(slice))).collect();
    app.faults.pass("reconcile.summed")?;
    let here = held::totals(app, plan, &values, bounds.ranks).await?;
    let numbers: BTreeSet<i64> = table.keys().chain(here.keys()).copied().collect();
    let ends = (numbers.first().copied().unwrap_or(0), numbers.last().copied().unwrap_or(0));
    let (organization, version) = (of.organization_id, plan.version);
    let explained = reconcile::explained(app.db.orm(), organization, (of.stream_id, version), ends).await?;
    let (mut differing, mut left_alone) = (Vec::new(), 0);
    for number in &numbers {
        let nothing = Totals::default();
        let held = table.get(number).unwrap_or(&nothing);
        let gap = Gap::between(held, here.get(number).unwrap_or(&nothing));
        if gap.closed() {
            continue;
        }
        if explained.get(number) == Some(&gap) {
            left_alone += 1;
            continue;
        }
        differing.push(Differing { number: *number, table: held.clone(), gap });
    }
    let (now, marks) = (app.clock.now(), (bounds.from.text.as_str(), bounds.until.text.as_str()));
    let tx = app.db.begin().await?;
    reconcile::compared(&tx, now, of, version, marks, (numbers.len(), left_alone), &differing).await?;
    if differing.is_empty() {
        reconcile::finish(&tx, now, of, 0, &[], None).await?;
    }
    tx.commit().await?;
    app.faults.pass("reconcile.compared")?;
    Ok(differing.is_empty())
}

/// Starts the next run, waits for one, or ends the comparison when all have ended.
async fn read_again(app: &App, opening: &Opening, of: &mut Reconcile) -> Result<Next> {
    let plan = &opening.plan;
    let slices = reconcile::slices(app.db.orm(), of).await?;
    let ended = ended(app, of, &slices).await?;
    let waits = |slice: &reconcile_slice::Model| slice.run_id.is_some_and(|run| !ended.contains_key(&run));
    let bounds = Bounds::parse(of, plan).filter(|_| plan.version == of.stream_version);
    // A stream that was edited meanwhile has other slices.
    let Some(bounds) = bounds else {
        if slices.iter().any(waits) {
            return Ok(Next::Wait(app.clock.now() + PATIENCE));
        }
        let failure = Failure {
            message: "the stream was edited while it was compared".to_owned(),
            action: Some("reconcile it again".to_owned()),
        };
        reconcile::fail(app.db.orm(), of, Some(app.clock.now()), &failure).await?;
        return Ok(Next::Done);
    };
    if slices.iter().any(waits) {
        return Ok(Next::Wait(app.clock.now() + PATIENCE));
    }
    if let Some(stretch) = next_stretch(&slices) {
        return start_run(app, of, &bounds, stretch).await;
    }
    conclude(app, plan, of, &bounds, &slices, &ended).await?;
    Ok(Next::Done)
}

/// The runs of a comparison that have ended; none for one that is gone.
async fn ended(
    app: &App,
    of: &Reconcile,
    slices: &[reconcile_slice::Model],
) -> Result<BTreeMap<SyncRunId, Option<sync_run::Model>>> {
    let wanted: BTreeSet<SyncRunId> = slices.iter().filter_map(|slice| slice.run_id).collect();
    let found = sync_run::Entity::find()
        .filter(sync_run::Column::OrganizationId.eq(of.organization_id))
        .filter(sync_run::Column::Id.is_in(wanted.iter().copied()))
        .all(app.db.orm())
        .await?;
    let mut runs: BTreeMap<SyncRunId, Option<sync_run::Model>> =
        wanted.into_iter().map(|id| (id, None)).collect();
    for run in found {
        if matches!(run.status, RunStatus::Queued | RunStatus::Running) {
            runs.remove(&run.id);
        } else {
            runs.insert(run.id, Some(run));
        }
    }
    Ok(runs)
}

/// The first and last of the first slices without a run that follow each other.
fn next_stretch(slices: &[reconcile_slice::Model]) -> Option<(i64, i64)> {
    let mut open = slices.iter().filter(|slice| slice.run_id.is_none()).map(|slice| slice.number);
    let first = open.next()?;
    let last = open.zip(first + 1..).take_while(|(number, next)| number == next).last();
    Some((first, last.map_or(first, |(number, _)| number)))
}

async fn start_run(app: &App, of: &mut Reconcile, bounds: &Bounds, stretch: (i64, i64)) -> Result<Next> {
    let kind = bounds.until.kind;
    let outside = || Error::internal("read a slice again", format!("{stretch:?} has no edges"));
    let (since, _) = edges(kind, stretch.0).ok_or_else(outside)?;
    let (_, until) = edges(kind, stretch.1).ok_or_else(outside)?;
    let until = if until.rank() > bounds.until.rank() { bounds.until.clone() } else { until };
    let now = app.clock.now();
    let mut request = Request::sync(of.organization_id, of.stream_id, RunTrigger::Reconcile);
    request.kind = RunKind::Backfill;
    (request.since, request.until) = (Some(since.text), Some(until.text));
    request.requested_by = of.requested_by;
    let tx = app.db.begin().await?;
    let started = match runs::start(&tx, now, request).await {
        // Somebody else's backfill of the stream goes first.
        Err(Error::Conflict(_)) => return Ok(Next::Wait(now + PATIENCE)),
        Ok(started) if started.coalesced => return Ok(Next::Wait(now + PATIENCE)),
        started => started?,
    };
    reconcile::stretch_started(&tx, of, stretch, started.run.id).await?;
    tx.commit().await?;
    app.faults.pass("reconcile.started")?;
    app.jobs.wake();
    Ok(Next::Wait(now + PATIENCE))
}

/// Ends a comparison: what the runs wrote, and what is left of each slice they read to the end.
async fn conclude(
    app: &App,
    plan: &Plan,
    of: &mut Reconcile,
    bounds: &Bounds,
    slices: &[reconcile_slice::Model],
    ended: &BTreeMap<SyncRunId, Option<sync_run::Model>>,
) -> Result<()> {
    let here = held::totals(app, plan, &Values::of(plan)?, bounds.ranks).await?;
    let nothing = Totals::default();
    let mut rests = Vec::new();
    for slice in slices {
        let run = slice.run_id.and_then(|run| ended.get(&run)).and_then(Option::as_ref);
        if run.is_some_and(|run| run.status == RunStatus::Succeeded) {
            let table = Totals::stored(slice.readings, slice.total.as_deref(), slice.newest);
            rests.push((slice.number, Gap::between(&table, here.get(&slice.number).unwrap_or(&nothing))));
        }
    }
    let broken = ended.values().find_map(|run| match run {
        Some(run) if run.status == RunStatus::Succeeded => None,
        Some(run) => Some(format!("run {}, which read differing rows again, did not succeed", run.number)),
        None => Some("a run that read differing rows again is gone".to_owned()),
    });
    let failure = broken.map(|message| Failure {
        message,
        action: Some("what it left is read again by the next comparison".to_owned()),
    });
    let written = ended.values().flatten().map(|run| run.written).sum();
    let tx = app.db.begin().await?;
    reconcile::finish(&tx, app.clock.now(), of, written, &rests, failure.as_ref()).await?;
    tx.commit().await?;
    app.faults.pass("reconcile.ended")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::{OrganizationId, ReconcileId, StreamId};

    #[test]
    fn slices_that_follow_each_other_are_read_by_one_run() {
        let slice = |(number, run): (i64, bool)| reconcile_slice::Model {
            organization_id: OrganizationId::NIL,
            reconcile_id: ReconcileId::new(),
            number,
            stream_id: StreamId::new(),
            readings: 0,
            total: None,
            newest: None,
            gap: String::new(),
            rest: None,
            run_id: run.then(SyncRunId::new),
        };
        let stretch =
            |numbers: &[(i64, bool)]| next_stretch(&numbers.iter().copied().map(slice).collect::<Vec<_>>());
        assert_eq!(stretch(&[(1, false), (2, false), (4, false)]), Some((1, 2)));
        assert_eq!(stretch(&[(1, true), (2, true), (4, false)]), Some((4, 4)));
        assert_eq!(stretch(&[(1, false)]), Some((1, 1)));
        assert_eq!(stretch(&[(1, true)]), None);
    }

    #[test]
    fn the_last_slices_end_at_the_watermark() {
        let mark =
            Watermark::parse(connector::CursorKind::Zoned, "2026-02-28T10:00:00Z").expect("an instant");
        let bounds = Bounds::below(&mark, 3).expect("days of this century");
        assert_eq!((bounds.from.text.as_str(), bounds.until), ("2026-02-26T00:00:00Z", mark));
        let mark = Watermark::parse(connector::CursorKind::Int, "250000").expect("an integer");
        assert_eq!(Bounds::below(&mark, 2).expect("blocks").from.text, "100000");
    }
}
