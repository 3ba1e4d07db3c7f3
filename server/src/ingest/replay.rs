//! Rows that wait, sent down the line again when something that decides matching has changed.
//!
//! A row leaves the waiting table in the transaction that writes its measurement, so pressing replay twice, or while
//! a sync runs, ends the same. Matching is decided once per group: all its rows have one external account and metric.

use std::collections::{BTreeMap, HashSet};

use entity::{OrganizationId, StreamId};
use tokio_util::sync::CancellationToken;

use super::checkpoint::Checkpoint;
use super::dictionary::Dictionary;
use super::groups::{GroupKey, Groups};
use super::measure::{self, Put};
use super::newest::Newest;
use super::plan::Plan;
use super::realign;
use super::rebind::{self, Whose};
use super::rejected;
use super::route::{Outcome, Router, Target};
use super::scope::{Candidate, Candidates};
use super::store::{Bind, Rows, Store};
use super::tally::Tally;
use crate::app::App;
use crate::db::Backend;
use crate::domain::ignored_group;
use crate::domain::matching_change::Scope;
use crate::error::{Error, Result};

/// Rows moved to measurements in one transaction, and to another group, which are rows of two indexes: on SQLite others
/// wait for it.
fn most(backend: Backend) -> (i64, i64) {
    match backend {
        Backend::Postgres => (20_000, 5_000),
        Backend::Sqlite => (1_000, 1_000),
    }
}

/// Tries the waiting rows in scope again and tells what became of them. Rows that still match nothing stay, under the
/// reason that holds now.
///
/// # Errors
/// When the database refuses; what was committed before stays done.
pub async fn waiting(
    app: &App,
    organization: OrganizationId,
    scope: &Scope,
    stop: &CancellationToken,
) -> Result<Tally> {
    let mut tally = Tally::default();
    if let Scope::Rejected { stream, rows } = scope {
        let plan = Plan::load(app, organization, *stream).await?;
        return rejected::retry(app, &plan, rows, stop).await;
    }
    realign(app, organization, scope, stop).await?;
    if stop.is_cancelled() || *scope == Scope::Ignored {
        return Ok(tally);
    }
    let mut pages = Candidates::of(app, organization, scope).await?;
    while let Some(page) = pages.next(app).await? {
        for (stream, groups) in page {
            let done = match of_stream(app, (organization, stream), &groups, stop).await {
                // A stream that cannot run cannot replay either, or it was deleted in between; its rows go on waiting.
                Err(error) if !error.transient() => {
                    tracing::info!(stream.id = %stream, %error, "waiting rows of a stream were left alone");
                    continue;
                }
                done => done?,
            };
            tally.add(&done);
            if stop.is_cancelled() {
                return Ok(tally);
            }
        }
    }
    Ok(tally)
}

/// Tries the waiting rows of some groups of a stream again.
async fn of_stream(
    app: &App,
    (organization, stream): (OrganizationId, StreamId),
    groups: &[Candidate],
    stop: &CancellationToken,
) -> Result<Tally> {
    let plan = Plan::load(app, organization, stream).await?;
    let mut replay = Replay::new(&plan);
    let mut tally = Tally::default();
    for part in groups.chunks(500) {
        replay.outcomes.clear();
        loop {
            let (done, more) = replay.step(app, part).await?;
            tally.add(&done);
            if stop.is_cancelled() {
                return Ok(tally);
            }
            if !more {
                break;
            }
        }
    }
    Ok(tally)
}

/// Brings in line what a change of many things has left behind, before rows are matched by it.
async fn realign(
    app: &App,
    organization: OrganizationId,
    scope: &Scope,
    stop: &CancellationToken,
) -> Result<()> {
    let whose = match scope {
        Scope::Space { space } => {
            realign::external_ids(app, organization, space, stop).await?;
            Whose::All
        }
        Scope::Ignored => return ignored(app, organization, stop).await,
        Scope::Everything => Whose::All,
        Scope::Stream { stream } => Whose::Stream(*stream),
        Scope::ExternalAccounts { space, .. } => Whose::Space(space),
        _ => return Ok(()),
    };
    rebind::series(app, organization, whose, stop).await.map(drop)
}

/// Puts groups out of sight, or back, page by page.
async fn ignored(app: &App, organization: OrganizationId, stop: &CancellationToken) -> Result<()> {
    let mut after = None;
    while !stop.is_cancelled() {
        after = ignored_group::place_next(&app.db, organization, after, app.clock.now()).await?;
        if after.is_none() {
            break;
        }
    }
    Ok(())
}

/// The replay of one stream.
struct Replay<'a> {
    plan: &'a Plan,
    texts: Dictionary,
    router: Router,
    groups: Groups,
    newest: Newest,
    version: Option<i64>,
    /// What was decided for the groups in hand; nothing yet when empty.
    outcomes: Vec<Outcome>,
    /// Groups that have moved to the reason that holds now.
    moved: HashSet<i64>,
}

/// A waiting row as replay needs it.
struct Waiting {
    group: i64,
    row_key: String,
    product: String,
    value: String,
    measured_at: i64,
    period: Option<String>,
    cursor: i64,
    run: i64,
}

impl<'a> Replay<'a> {
    fn new(plan: &'a Plan) -> Self {
        Self {
            plan,
            texts: Dictionary::default(),
            router: Router::new(plan.route.clone()),
            groups: Groups::new(plan.route.organization, plan.route.stream),
            newest: Newest::default(),
            version: None,
            outcomes: Vec::new(),
            moved: HashSet::new(),
        }
    }

    /// Moves some rows of these groups in one transaction, and tells whether there may be more that can move.
    async fn step(&mut self, app: &App, candidates: &[Candidate]) -> Result<(Tally, bool)> {
        let now = app.clock.now();
        let mut store = Store::begin(&app.db).await?;
        let cursor = (self.plan.cursor.column.as_str(), self.plan.cursor.kind);
        let (organization, stream) = (self.plan.route.organization, self.plan.route.stream);
        let mut checkpoint = Checkpoint::lock(&mut store, organization, stream, cursor, now).await?;
        if self.version != Some(checkpoint.version) {
            self.newest.forget();
            self.groups.forget();
        }
        let changed = self.router.hold_still(&mut store).await?;
        if changed || self.groups.outlived(now) {
            self.groups.load_rules(&mut store, now).await?;
        }
        let mut free: BTreeMap<i64, (u32, u32)> = BTreeMap::new();
        let mut moved: Vec<(i64, GroupKey)> = Vec::new();
        let pairs: Vec<(u32, u32)> = candidates
            .iter()
            .map(|candidate| (self.texts.number(&candidate.account), self.texts.number(&candidate.metric)))
            .collect();
        if changed || self.outcomes.is_empty() {
            self.outcomes = self.router.decide(&mut store, &self.texts, &pairs, now).await?;
        }
        for ((candidate, pair), outcome) in candidates.iter().zip(&pairs).zip(&self.outcomes) {
            match *outcome {
                Outcome::Goes { .. } => _ = free.insert(candidate.id, *pair),
                Outcome::Waits(_) if self.moved.contains(&candidate.id) => {}
                Outcome::Waits(reason) if reason != candidate.reason => {
                    let key = GroupKey {
                        reason,
                        account: candidate.account.clone(),
                        metric: candidate.metric.clone(),
                    };
                    moved.push((candidate.id, key));
                }
                Outcome::Waits(_) => {}
            }
        }
        let relabeled = self.relabel(&mut store, &moved, now).await?;
        let rows = self.take(&mut store, &free).await?;
        if rows.is_empty() && relabeled == 0 {
            return Ok((Tally::default(), false));
        }
        let more = relabeled > 0 || rows.len() as i64 == most(store.backend()).0;
        let tally = self.write(&mut store, &free, &rows, now).await?;
        self.groups.write(&mut store, now).await?;
        checkpoint.touch(&mut store).await?;
        app.faults.pass("replay.stored")?;
        store.commit().await?;
        app.faults.pass("replay.committed")?;
        self.version = Some(checkpoint.version);
        Ok((tally, more))
    }

    /// Moves rows whose reason has changed into the group of the reason that holds now, as many as one transaction may.
    async fn relabel(
        &mut self,
        store: &mut Store,
        moved: &[(i64, GroupKey)],
        now: crate::clock::Micros,
    ) -> Result<u64> {
        self.groups.ensure(store, moved.iter().map(|(_, key)| key), now).await?;
        let mut rows = 0;
        for (from, key) in moved {
            let room = most(store.backend()).1 - rows as i64;
            if room == 0 {
                break;
            }
            let to = self.groups.id(key);
            let sql = "UPDATE waiting_row SET group_id = $2 WHERE id IN \
                (SELECT id FROM waiting_row WHERE group_id = $1 LIMIT $3)";
            let count = store.execute(sql, &[(*from).into(), to.into(), room.into()]).await?;
            if (count as i64) < room {
                self.moved.insert(*from);
            }
            if count > 0 {
                self.groups.leave(*from, count as i64);
                (0..count).for_each(|_| self.groups.join(key, to));
                rows += count;
            }
        }
        Ok(rows)
    }

    /// Takes rows out of their groups, as many as one transaction may move.
    async fn take(&self, store: &mut Store, free: &BTreeMap<i64, (u32, u32)>) -> Result<Vec<Waiting>> {
        let sql = "DELETE FROM waiting_row WHERE id IN (SELECT w.id FROM {rows} CROSS JOIN waiting_row w \
            WHERE w.group_id = b.c0 AND w.value IS NOT NULL AND w.measured_at IS NOT NULL LIMIT $1) \
            RETURNING group_id, row_key, product, CAST(value AS TEXT), measured_at, period, cursor, run";
        let most = most(store.backend()).0;
        let found =
            store.fetch_rows(sql, &[Bind::from(most)], &Rows::new().ints(free.keys().copied())).await?;
        found
            .iter()
            .map(|record| {
                Ok(Waiting {
                    group: record.int(0)?,
                    row_key: record.text(1)?.to_owned(),
                    product: record.text(2)?.to_owned(),
                    value: record.text(3)?.to_owned(),
                    measured_at: record.int(4)?,
                    period: record.maybe_text(5)?.map(str::to_owned),
                    cursor: record.int(6)?,
                    run: record.int(7)?,
                })
            })
            .collect()
    }

    async fn write(
        &mut self,
        store: &mut Store,
        free: &BTreeMap<i64, (u32, u32)>,
        rows: &[Waiting],
        now: crate::clock::Micros,
    ) -> Result<Tally> {
        let triples: Vec<(u32, u32, u32)> = rows
            .iter()
            .map(|row| {
                let (account, metric) = free[&row.group];
                (account, metric, self.texts.number(&row.product))
            })
            .collect();
        self.router.resolve(store, &self.texts, &mut self.newest, triples.iter().copied(), now).await?;
        let mut puts = Vec::with_capacity(rows.len());
        for (row, triple) in rows.iter().zip(&triples) {
            let Target::Series(series) = self.router.target(*triple) else {
                return Err(Error::internal("replay a row", "its group goes somewhere and it does not"));
            };
            puts.push(Put {
                series,
                measured_at: row.measured_at,
                cursor: row.cursor,
                run: row.run,
                row_key: &row.row_key,
                value: &row.value,
                period: row.period.as_deref(),
            });
        }
        let readings = puts.len() as u64;
        let written = measure::write(store, &mut self.newest, &mut puts, now).await?;
        for row in rows {
            self.groups.leave(row.group, 1);
        }
        Ok(Tally {
            readings,
            written: written.written,
            unchanged: written.unchanged,
            superseded: written.superseded,
            batches: 1,
            ..Tally::default()
        })
    }
}
