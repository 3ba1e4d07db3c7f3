//! One batch, one transaction: measurements, waiting rows, counters, checkpoint and lease, or nothing.

use connector::{Batch, Cost, Position, Watermark};

use super::checkpoint::Checkpoint;
use super::groups::{GroupKey, Groups};
use super::lease::{Lease, Next, Stretch, progress};
use super::mapping::{LONG, Layout, Mapped, Mapper, Reading};
use super::measure::{self, Put};
use super::newest::Newest;
use super::plan::Plan;
use super::reject::{Reason, fingerprint, row_json};
use super::rejected::Kept;
use super::route::{Router, Target};
use super::store::Store;
use super::tally::Tally;
use super::waiting::{Item, Waiting, Why};
use crate::app::App;
use crate::clock::Micros;
use crate::error::Result;

/// Texts remembered at most before the run starts its dictionary anew.
const MOST_TEXTS: usize = 500_000;

/// Takes the batches of one run.
pub struct Intake {
    plan: Plan,
    /// The number of the run whose rows these are.
    run: i64,
    /// The lease to check and count under; rows that are here already need none.
    lease: Option<Lease>,
    /// Moves the checkpoint; a backfill does not.
    moves: bool,
    /// The watermark the run began at.
    before: Option<String>,
    mapper: Mapper,
    router: Router,
    groups: Groups,
    waiting: Waiting,
    newest: Newest,
    /// The checkpoint's version after our last write.
    version: Option<i64>,
    waits_for_time: bool,
    /// What the run costs at its source.
    cost: Cost,
}

impl Intake {
    /// Starts a run, at a watermark if there is one yet.
    pub fn new(plan: Plan, lease: Lease, moves: bool, before: Option<String>, cost: Cost) -> Self {
        Self { before, cost, ..Self::start(plan.layout.clone(), plan, lease.number, Some(lease), moves) }
    }

    /// Sets the highest believable cursor rank.
    pub fn cap(&mut self, cap: Option<i64>) {
        self.mapper.cap(cap);
    }

    /// The column that orders the rows.
    pub fn cursor_column(&self) -> &str {
        &self.plan.cursor.column
    }

    /// Tells whether some row taken so far was refused for a cursor that time may make believable.
    pub fn waits_for_time(&self) -> bool {
        self.waits_for_time
    }

    /// Starts on rows of an earlier run that are here already: no lease, no cursor to judge, no checkpoint to move.
    pub fn again(plan: &Plan, run: i64) -> Self {
        Self::start(Layout { cursor: None, ..plan.layout.clone() }, plan.clone(), run, None, false)
    }

    fn start(layout: Layout, plan: Plan, run: i64, lease: Option<Lease>, moves: bool) -> Self {
        let (organization, stream) = (plan.route.organization, plan.route.stream);
        Self {
            mapper: Mapper::new(layout),
            router: Router::new(plan.route.clone()),
            groups: Groups::new(organization, stream),
            waiting: Waiting::new(organization, stream),
            newest: Newest::default(),
            version: None,
            waits_for_time: false,
            plan,
            run,
            lease,
            moves,
            before: None,
            cost: Cost::default(),
        }
    }

    /// Takes one batch. After an error the intake is of no more use.
    ///
    /// # Errors
    /// `LeaseLost` when another worker has taken the run over; otherwise when the database refuses.
    pub async fn take(&mut self, app: &App, batch: &Batch) -> Result<(Tally, Next)> {
        if self.mapper.texts().len() > MOST_TEXTS {
            self.mapper.forget_texts();
            self.router.forget();
            self.groups.forget();
        }
        let mapped = self.mapper.map(batch);
        self.commit(app, batch, &mapped, &[]).await
    }

    /// Takes kept rows again: the keys they wait under are given up or kept as the rows turn out, and what was kept of
    /// them stays as it is.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn take_again(&mut self, app: &App, batch: &Batch, kept: &[Kept]) -> Result<Tally> {
        let cursors = kept.iter().map(|row| row.cursor).collect();
        let mapped = Mapped { cursors, ..self.mapper.map(batch) };
        Ok(self.commit(app, batch, &mapped, kept).await?.0)
    }

    async fn commit(
        &mut self,
        app: &App,
        batch: &Batch,
        mapped: &Mapped,
        kept: &[Kept],
    ) -> Result<(Tally, Next)> {
        self.waits_for_time |= mapped.rejects.iter().any(|reject| reject.reason == Reason::FutureCursor);
        let now = app.clock.now();
        let mut store = Store::begin(&app.db).await?;
        let column = self.plan.cursor.column.clone();
        let cursor = (column.as_str(), self.plan.cursor.kind);
        let (organization, stream) = (self.plan.route.organization, self.plan.route.stream);
        let mut checkpoint = Checkpoint::lock(&mut store, organization, stream, cursor, now).await?;
        if self.version != Some(checkpoint.version) {
            self.newest.forget();
            self.groups.forget();
            self.waiting.look(&mut store).await?;
        }
        if self.router.hold_still(&mut store).await? || self.groups.outlived(now) {
            self.groups.load_rules(&mut store, now).await?;
        }
        app.faults.pass("batch.locked")?;
        let triples = mapped.readings.iter().map(triple);
        self.router.resolve(&mut store, self.mapper.texts(), &mut self.newest, triples, now).await?;
        app.faults.pass("batch.routed")?;
        let tally = self.store(app, &mut store, batch, mapped, kept, now).await?;
        tally.balance()?;
        app.faults.pass("batch.stored")?;
        let lease = self.lease.as_ref();
        match (self.position(batch, mapped), lease) {
            (Some(position), Some(lease)) if self.moves => {
                checkpoint.advance(&mut store, cursor.0, position, lease.run, now).await?;
            }
            _ => checkpoint.touch(&mut store).await?,
        }
        let next = match lease {
            Some(lease) => {
                let after = checkpoint.position.as_ref().map(|position| position.watermark.text.clone());
                let stretch = Stretch { before: self.before.clone(), after };
                progress(&mut store, lease, &tally, stretch, now).await?
            }
            None => Next::GoOn,
        };
        app.faults.pass("batch.counted")?;
        store.commit().await?;
        app.faults.pass("batch.committed")?;
        self.version = Some(checkpoint.version);
        Ok((tally, next))
    }

    async fn store(
        &mut self,
        app: &App,
        store: &mut Store,
        batch: &Batch,
        mapped: &Mapped,
        kept: &[Kept],
        now: Micros,
    ) -> Result<Tally> {
        let texts = self.mapper.texts();
        let run = self.run;
        let mut puts: Vec<Put<'_>> = Vec::with_capacity(mapped.readings.len());
        let mut items: Vec<Item<'_>> = Vec::new();
        let mut ignored = 0;
        let period = |number: u32| Some(texts.text(number)).filter(|text| !text.is_empty());
        for reading in &mapped.readings {
            let row = reading.row as usize;
            let value = mapped.values.get(reading.value as usize);
            match self.router.target(triple(reading)) {
                Target::Series(series) => puts.push(Put {
                    series,
                    measured_at: reading.measured_at,
                    cursor: mapped.cursors[row],
                    run,
                    row_key: mapped.keys.get(row),
                    value,
                    period: period(reading.period),
                }),
                Target::Waits(reason) => {
                    let key = GroupKey {
                        reason,
                        account: texts.text(reading.account).to_owned(),
                        metric: texts.text(reading.metric).to_owned(),
                    };
                    ignored += u64::from(self.groups.ignored(&key.account, &key.metric));
                    items.push(Item {
                        row_key: mapped.keys.get(row),
                        part: if reading.part == LONG { "" } else { texts.text(reading.metric) },
                        why: Why::Unmatched(key),
                        run,
                        cursor: mapped.cursors[row],
                        product: texts.text(reading.product),
                        value: Some(value),
                        measured_at: Some(reading.measured_at),
                        period: period(reading.period),
                        row: whole_row(batch, kept, row),
                    });
                }
            }
        }
        let waiting = items.len() as u64;
        let prints = rejected_keys(batch, kept, mapped, &self.mapper);
        let key = self.plan.key_text();
        for (reject, (print, json)) in mapped.rejects.iter().zip(&prints) {
            let row = reject.row as usize;
            let (column, mut raw) = self.mapper.at_fault(batch, reject);
            raw.truncate(raw.floor_char_boundary(1_000));
            items.push(Item {
                row_key: print.as_deref().unwrap_or_else(|| mapped.keys.get(row)),
                part: "",
                why: Why::Rejected {
                    reason: reject.reason.as_str(),
                    column: if reject.reason == Reason::KeyNotUnique { &key } else { column },
                    raw: raw.replace('\0', "\u{fffd}"),
                },
                run,
                cursor: mapped.cursors[row],
                product: "",
                value: None,
                measured_at: None,
                period: None,
                row: json.clone(),
            });
        }
        let written = measure::write(store, &mut self.newest, &mut puts, now).await?;
        app.faults.pass("batch.measured")?;
        // A twin may be of the batch before, and so may the row whose key a rejected one would share; asked for here,
        // what that row left waiting would go.
        let mut others = mapped.repeated.clone();
        let keyless = mapped.rejects.iter().zip(&prints).filter(|(_, (print, _))| print.is_some());
        others.extend(keyless.map(|(reject, _)| reject.row));
        others.sort_unstable();
        let own = (0..batch.rows())
            .filter(|row| others.binary_search(&(*row as u32)).is_err())
            .map(|row| mapped.keys.get(row));
        let keys = own.chain(prints.iter().filter_map(|(print, _)| print.as_deref()));
        let keys = keys.chain(kept.iter().map(|row| row.row_key.as_str()));
        self.waiting.write(store, &mut self.groups, keys, &items, now).await?;
        self.groups.write(store, now).await?;
        Ok(Tally {
            rows_read: batch.rows() as u64,
            rows_mapped: mapped.rows_mapped,
            rows_rejected: mapped.rejects.len() as u64,
            rows_repeated: mapped.repeated.len() as u64,
            readings: mapped.readings.len() as u64,
            written: written.written,
            unchanged: written.unchanged,
            superseded: written.superseded,
            unmatched: waiting - ignored,
            ignored,
            null_cells: mapped.null_cells,
            null_cursors: mapped.null_cursors,
            batches: 1,
            bytes_read: batch.bytes() as u64,
            spent: self.cost.take(),
        })
    }

    /// Where the read stands after this batch: its last row with a cursor that can be believed.
    fn position(&self, batch: &Batch, mapped: &Mapped) -> Option<Position> {
        let column = batch.column(&self.plan.cursor.column)?;
        let future: Vec<u32> = mapped
            .rejects
            .iter()
            .filter(|reject| reject.reason == Reason::FutureCursor)
            .map(|reject| reject.row)
            .collect();
        let row = (0..batch.rows()).rev().find(|row| {
            connector::cursor::rank(&column.cell(*row)).is_some()
                && future.binary_search(&(*row as u32)).is_err()
        })?;
        let watermark = Watermark::of(self.plan.cursor.kind, &column.cell(row))?;
        // A key with a null cannot be stood at: the next read begins at the cursor alone.
        let key = self.plan.layout.key.iter().map(|index| batch.columns[*index].cell(row).key());
        Some(Position { watermark, key: key.collect::<Option<_>>().unwrap_or_default() })
    }
}

/// The dictionary numbers that decide where a reading goes.
fn triple(reading: &Reading) -> (u32, u32, u32) {
    (reading.account, reading.metric, reading.product)
}

/// A row as JSON: as it was kept, or as it was read.
fn whole_row(batch: &Batch, kept: &[Kept], row: usize) -> String {
    if let Some(kept) = kept.get(row) {
        return kept.row.clone();
    }
    let mut json = String::with_capacity(160);
    row_json(batch, row, &mut json);
    json
}

/// Per rejected row: the key it is kept under when its own is no key, and the row as JSON.
fn rejected_keys(
    batch: &Batch,
    kept: &[Kept],
    mapped: &Mapped,
    mapper: &Mapper,
) -> Vec<(Option<String>, String)> {
    let one = |reject: &super::reject::Reject| {
        let json = whole_row(batch, kept, reject.row as usize);
        let keyless = reject.reason == Reason::KeyNotUnique
            || (reject.reason == Reason::NullKey && mapper.in_key(reject.place))
            || mapped.keys.get(reject.row as usize).as_bytes().contains(&0);
        (keyless.then(|| fingerprint(&json)), json)
    };
    mapped.rejects.iter().map(one).collect()
}
