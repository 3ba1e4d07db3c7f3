//! Random histories against a naive oracle: rows long and wide, ties, late rows, corrections, rows delivered twice, bad
//! rows, breaks, backfills, links, ignore rules. After each step what is stored is what the oracle says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, ensure};
use connector::memory::{MemoryTable, Owned};
use connector::{Cell, CursorKind, Watermark};
use entity::{AccountId, Destination, InputId, RunKind, StreamId};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use server::error::Error;
use server::fault::Faults;
use server::ingest::{Outcome, Range};
use tests::stand::{Shape, Stand, balanced};

use crate::cursor::set_batch;
use crate::model::{COLUMNS, Feed, Flaw, Model};
use crate::{at, row, table, wide_row, wide_table};

const ACCOUNTS: [&str; 4] = ["acme", "bolt", "crux", "dune"];
const METRICS: [&str; 2] = ["m0", "m1"];
const FEEDS: [Feed; 3] = [Feed::Usage, Feed::Inputs, Feed::Wide];
/// Seconds read again; late rows come at most this late.
const LOOKBACK: i64 = 20;

#[derive(Clone, Debug)]
enum Step {
    /// A new row, up to some seconds late, of one of few times, so that rows compete.
    Add { wide: bool, account: usize, metric: usize, value: u16, of: u8, late: u8 },
    /// A row that cannot be read.
    Bad { wide: bool, account: usize, flaw: Flaw },
    /// A row is delivered twice.
    Again { wide: bool, row: usize },
    /// A row gets another value and a new cursor; whatever was wrong with it is mended.
    Correct { wide: bool, row: usize, value: u16 },
    /// A row gets another value in place: only who reads it again sees it.
    Edit { wide: bool, row: usize, value: u16 },
    /// A sync, which may break off at the nth named place it passes and then goes on.
    Sync { feed: usize, broken: Option<u8> },
    /// A backfill of some seconds from a row on.
    Backfill { feed: usize, row: usize, seconds: u8 },
    /// An account gets or loses its ID.
    Identify { account: usize, identified: bool },
    /// An account is put away or taken out again.
    PutAway { account: usize, away: bool },
    /// A metric of an account is linked, or its link switched.
    Link { account: usize, metric: usize, enabled: bool },
    /// An account is ignored from now on, or no longer.
    Ignore { account: usize, ignored: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let (wide, account, metric, row, feed) =
        (any::<bool>(), 0..ACCOUNTS.len(), 0..METRICS.len(), 0..200_usize, 0..FEEDS.len());
    let flaw = prop_oneof![
        Just(Flaw::Account),
        Just(Flaw::Time),
        Just(Flaw::Value),
        Just(Flaw::NoCursor),
        Just(Flaw::Future)
    ];
    let place = (wide, row.clone());
    prop_oneof![
        12 => (wide, account.clone(), metric.clone(), 0..50_u16, 0..12_u8, 0..LOOKBACK as u8).prop_map(
            |(wide, account, metric, value, of, late)| Step::Add { wide, account, metric, value, of, late }
        ),
        2 => (wide, account.clone(), flaw).prop_map(|(wide, account, flaw)| Step::Bad { wide, account, flaw }),
        2 => place.clone().prop_map(|(wide, row)| Step::Again { wide, row }),
        3 => (place.clone(), 0..50_u16).prop_map(|((wide, row), value)| Step::Correct { wide, row, value }),
        1 => (place, 0..50_u16).prop_map(|((wide, row), value)| Step::Edit { wide, row, value }),
        4 => (feed.clone(), proptest::option::weighted(0.4, 0..20_u8))
            .prop_map(|(feed, broken)| Step::Sync { feed, broken }),
        1 => (feed, row, 0..60_u8).prop_map(|(feed, row, seconds)| Step::Backfill { feed, row, seconds }),
        2 => (account.clone(), proptest::bool::weighted(0.7))
            .prop_map(|(account, identified)| Step::Identify { account, identified }),
        1 => (account.clone(), any::<bool>()).prop_map(|(account, away)| Step::PutAway { account, away }),
        2 => (account.clone(), metric, proptest::bool::weighted(0.7))
            .prop_map(|(account, metric, enabled)| Step::Link { account, metric, enabled }),
        1 => (account, any::<bool>()).prop_map(|(account, ignored)| Step::Ignore { account, ignored }),
    ]
}

struct History {
    stand: Stand,
    long: MemoryTable,
    wide: MemoryTable,
    streams: Vec<StreamId>,
    accounts: Vec<AccountId>,
    inputs: BTreeMap<(usize, usize), InputId>,
    model: Model,
    now: i64,
    rows: i128,
}

impl History {
    async fn new(mut stand: Stand) -> Result<Self> {
        set_batch(&mut stand, 7);
        let (long, wide) = (table(), wide_table());
        let shape = |destination| Shape { destination, lookback: LOOKBACK * 1_000_000, ..Shape::default() };
        let streams = vec![
            stand.stream(&long, shape(Destination::Usage)).await?,
            stand.stream(&long, shape(Destination::Inputs)).await?,
            stand.wide_stream(&wide, &COLUMNS, shape(Destination::Usage)).await?,
        ];
        let mut accounts = Vec::new();
        for name in ACCOUNTS {
            accounts.push(stand.account(name).await?);
        }
        let (inputs, model) = (BTreeMap::new(), Model::default());
        Ok(Self { stand, long, wide, streams, accounts, inputs, model, now: -100_000, rows: 0 })
    }

    fn table(&self, wide: bool) -> &MemoryTable {
        if wide { &self.wide } else { &self.long }
    }

    /// Adds a row with the next ID.
    fn add(
        &mut self,
        wide: bool,
        account: usize,
        metric: usize,
        value: u16,
        times: (i64, i64),
    ) -> Vec<Owned> {
        self.rows += 1;
        let (name, value) = (ACCOUNTS[account], value.to_string());
        if wide {
            // The second column is empty now and then, and never the same as the first.
            let other = (metric > 0).then(|| format!("{value}.5"));
            wide_row(self.rows, name, [Some(&value), other.as_deref()], times)
        } else {
            row(self.rows, name, METRICS[metric], &value, times.0, times.1)
        }
    }

    async fn take(&mut self, step: &Step) -> Result<()> {
        match *step {
            Step::Add { wide, account, metric, value, of, late } => {
                self.now += i64::from(value % 3);
                let times = (i64::from(of), self.now - i64::from(late));
                let row = self.add(wide, account, metric, value, times);
                self.table(wide).push(row);
            }
            Step::Bad { wide, account, flaw } => {
                let mut row = self.add(wide, account, 1, 1, (0, self.now));
                match flaw {
                    Flaw::Account => row[1] = Owned::Null,
                    Flaw::Time => row[4] = Owned::Null,
                    Flaw::Value => row[3] = Owned::Decimal("7".repeat(500)),
                    Flaw::NoCursor => row[5] = Owned::Null,
                    Flaw::Future => row[5] = Owned::Zoned(at(10_000)),
                }
                self.table(wide).push(row);
            }
            Step::Again { wide, row } => self.table(wide).change(|rows| {
                if !rows.is_empty() {
                    rows.push(rows[row % rows.len()].clone());
                }
            }),
            Step::Correct { wide, row, value } => {
                self.now += 1;
                let now = at(self.now);
                change(self.table(wide), row, |row| {
                    if row[1] == Owned::Null {
                        row[1] = Owned::Text(ACCOUNTS[0].to_owned());
                    }
                    if row[4] == Owned::Null {
                        row[4] = Owned::Zoned(at(0));
                    }
                    row[3] = Owned::Decimal(value.to_string());
                    row[5] = Owned::Zoned(now);
                });
            }
            Step::Edit { wide, row, value } => {
                change(self.table(wide), row, |row| row[3] = Owned::Decimal(value.to_string()));
            }
            Step::Sync { feed, broken } => self.sync(feed, broken).await?,
            Step::Backfill { feed, row, seconds } => self.backfill(feed, row, i64::from(seconds)).await?,
            Step::Identify { account, identified } => self.identify(account, identified).await?,
            Step::PutAway { account, away } => {
                self.stand.put_away(self.accounts[account], away).await?;
                self.model.known.entry(ACCOUNTS[account].to_owned()).or_default().away = away;
                self.replay().await?;
            }
            Step::Link { account, metric, enabled } => self.link(account, metric, enabled).await?,
            Step::Ignore { account, ignored } => self.stand.ignore(ACCOUNTS[account], ignored).await?,
        }
        Ok(())
    }

    async fn identify(&mut self, account: usize, identified: bool) -> Result<()> {
        let name = ACCOUNTS[account];
        let known = self.model.known.entry(name.to_owned()).or_default();
        if std::mem::replace(&mut known.identified, identified) != identified {
            if identified {
                self.stand.identify(self.accounts[account], name).await?;
            } else {
                self.stand.forget(name).await?;
            }
            self.replay().await?;
        }
        Ok(())
    }

    async fn link(&mut self, account: usize, metric: usize, enabled: bool) -> Result<()> {
        let input = match self.inputs.get(&(account, metric)) {
            Some(input) => *input,
            None => {
                let input = self.stand.link(self.accounts[account], METRICS[metric]).await?;
                self.inputs.insert((account, metric), input);
                input
            }
        };
        self.stand.enable(input, enabled).await?;
        let known = self.model.known.entry(ACCOUNTS[account].to_owned()).or_default();
        known.links.insert(METRICS[metric].to_owned(), enabled);
        self.replay().await
    }

    async fn replay(&mut self) -> Result<()> {
        self.stand.replay().await?;
        self.model.replay();
        self.compare().await
    }

    async fn sync(&mut self, feed: usize, broken: Option<u8>) -> Result<()> {
        let (stream, table) = (self.streams[feed], self.table(FEEDS[feed] == Feed::Wide).clone());
        let lease = self.stand.claim(stream, RunKind::Sync).await?;
        if let Some(after) = broken {
            let left = Arc::new(AtomicU32::new(u32::from(after)));
            self.stand.app.faults = Faults::when(move |_| {
                left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err()
            });
            match self.stand.attempt(stream, &table, &lease, &Range::New).await {
                Ok(_) | Err(Error::Internal(_)) => {}
                Err(other) => return Err(other.into()),
            }
            self.stand.app.faults = Faults::default();
        }
        self.stand.attempt(stream, &table, &lease, &Range::New).await?;
        balanced(&self.stand.finish(&lease).await?)?;
        self.model.sync(FEEDS[feed], &table, LOOKBACK);
        self.compare().await
    }

    async fn backfill(&mut self, feed: usize, row: usize, seconds: i64) -> Result<()> {
        let (stream, table) = (self.streams[feed], self.table(FEEDS[feed] == Feed::Wide).clone());
        let mut from = None;
        table.change(|rows| {
            let cursor =
                if rows.is_empty() { None } else { rows.get(row % rows.len()).map(|row| row[5].clone()) };
            from = cursor.and_then(|cursor| match cursor {
                Owned::Zoned(moment) => moment.micros(),
                _ => None,
            });
        });
        let Some(from) = from else { return Ok(()) };
        let until = from + seconds * 1_000_000;
        let text = |micros| {
            let cell = Cell::Zoned(connector::Moment::from_micros(micros));
            Watermark::of(CursorKind::Zoned, &cell).map(|mark| mark.text)
        };
        let lease = self.stand.claim(stream, RunKind::Backfill).await?;
        let range = Range::Between { since: text(from), until: text(until) };
        ensure!(self.stand.attempt(stream, &table, &lease, &range).await? == Outcome::Done);
        balanced(&self.stand.finish(&lease).await?)?;
        let start = tests::stand::START;
        self.model.read(FEEDS[feed], &table, from - start, until - start);
        self.compare().await
    }

    /// Checks that what is stored is what the oracle says.
    async fn compare(&self) -> Result<()> {
        self.stand.groups_add_up().await?;
        let (found, wanted) = (self.stand.waiting().await?, self.model.waiting());
        ensure!(found == wanted, "waiting: found {found:#?}\nwanted {wanted:#?}");
        let (found, wanted) = (self.stand.measurements().await?, self.model.measurements());
        ensure!(found == wanted, "measured: found {found:#?}\nwanted {wanted:#?}");
        Ok(())
    }

    /// Everything is read, everyone known, everything linked: nothing waits but what cannot be read.
    async fn end(mut self) -> Result<()> {
        for feed in 0..FEEDS.len() {
            self.sync(feed, None).await?;
        }
        for account in 0..ACCOUNTS.len() {
            self.take(&Step::Ignore { account, ignored: false }).await?;
            self.take(&Step::PutAway { account, away: false }).await?;
            self.identify(account, true).await?;
            for metric in 0..METRICS.len() {
                self.link(account, metric, true).await?;
            }
        }
        let waiting = self.stand.waiting().await?;
        ensure!(waiting.iter().all(|line| line.starts_with("rejected")), "rows still wait: {waiting:#?}");
        Ok(())
    }
}

/// Changes all copies of one row.
fn change(table: &MemoryTable, row: usize, change: impl Fn(&mut Vec<Owned>)) {
    table.change(|rows| {
        if rows.is_empty() {
            return;
        }
        let id = rows[row % rows.len()][0].clone();
        rows.iter_mut().filter(|row| row[0] == id).for_each(change);
    });
}

fn check(cases: u32, steps: usize, postgres: bool) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let histories = proptest::collection::vec(step(), 1..steps);
    let outcome = runner.run(&histories, |steps| {
        runtime
            .block_on(async {
                let stand = if postgres { Stand::postgres().await? } else { Stand::sqlite().await? };
                let mut history = History::new(stand).await?;
                for step in &steps {
                    history.take(step).await?;
                }
                history.end().await
            })
            .map_err(|error: anyhow::Error| TestCaseError::fail(format!("{error:#}")))
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn random_histories_go_as_the_oracle_says_on_sqlite() {
    check(28, 140, false);
}

#[test]
fn random_histories_go_as_the_oracle_says_on_postgres() {
    check(8, 100, true);
}
