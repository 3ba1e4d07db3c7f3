//! Random histories against a naive oracle: rows, ties, late rows, corrections, duplicates, breaks and relinks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use connector::memory::{MemoryTable, Owned};
use entity::{AccountId, RunKind, StreamId};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use server::error::Error;
use server::fault::Faults;
use server::ingest::Range;
use tests::stand::{Shape, Stand, balanced};

use crate::cursor::set_batch;
use crate::{row, table};

const ACCOUNTS: [&str; 4] = ["acme", "bolt", "crux", "dune"];
/// Seconds read again; late rows come at most this late.
const LOOKBACK: i64 = 20;

#[derive(Clone, Debug)]
enum Step {
    /// A new row, up to some seconds late, of one of few times, so that rows compete.
    Add { account: usize, metric: u8, value: u16, of: u8, late: u8 },
    /// A row gets another value and a new cursor.
    Correct { row: usize, value: u16 },
    /// A sync that breaks off at the nth named place it passes, then goes on.
    BreakAndSync { after: u8 },
    /// A sync.
    Sync,
    /// An account gets its ID, and what waits is replayed.
    Identify { account: usize },
    /// An account loses its ID.
    Forget { account: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..4_usize, 0..2_u8, 0..50_u16, 0..12_u8, 0..LOOKBACK as u8)
            .prop_map(|(account, metric, value, of, late)| Step::Add { account, metric, value, of, late }),
        3 => (0..200_usize, 0..50_u16).prop_map(|(row, value)| Step::Correct { row, value }),
        2 => (0..20_u8).prop_map(|after| Step::BreakAndSync { after }),
        2 => Just(Step::Sync),
        1 => (0..4_usize).prop_map(|account| Step::Identify { account }),
        1 => (0..4_usize).prop_map(|account| Step::Forget { account }),
    ]
}

/// What the rows read so far say: per metric, account and time the value of the highest (cursor, row key).
#[derive(Default)]
struct Oracle {
    says: BTreeMap<(String, String, String), (i64, String, String)>,
}

impl Oracle {
    fn read(&mut self, table: &MemoryTable) {
        let text = |value: &Owned| match value {
            Owned::Text(text) | Owned::Decimal(text) => text.clone(),
            Owned::Int(number) => number.to_string(),
            Owned::Zoned(moment) => (moment.micros().unwrap_or_default() - tests::stand::START).to_string(),
            Owned::Null => String::new(),
        };
        table.change(|rows| {
            for row in rows.iter() {
                let key = (text(&row[2]), text(&row[1]), text(&row[4]));
                let cursor = text(&row[5]).parse().expect("a cursor is a number here");
                let new = (cursor, text(&row[0]), text(&row[3]));
                let old = self.says.entry(key).or_insert_with(|| new.clone());
                if (new.0, &new.1) >= (old.0, &old.1) {
                    *old = new;
                }
            }
        });
    }

    fn lines(&self) -> Vec<String> {
        let line =
            |((metric, account, at), (_, _, value)): (&(String, String, String), &(i64, String, String))| {
                format!("{metric}/{account}/{account}@{at}={value}")
            };
        let mut lines: Vec<String> = self.says.iter().map(line).collect();
        lines.sort();
        lines
    }
}

struct History {
    stand: Stand,
    table: MemoryTable,
    stream: StreamId,
    accounts: Vec<AccountId>,
    known: [bool; 4],
    oracle: Oracle,
    now: i64,
    rows: i128,
}

impl History {
    async fn new(mut stand: Stand) -> Result<Self> {
        set_batch(&mut stand, 7);
        let table = table();
        let stream =
            stand.stream(&table, Shape { lookback: LOOKBACK * 1_000_000, ..Shape::default() }).await?;
        let mut accounts = Vec::new();
        for name in ACCOUNTS {
            accounts.push(stand.account(name).await?);
        }
        let oracle = Oracle::default();
        Ok(Self { stand, table, stream, accounts, known: [false; 4], oracle, now: -100_000, rows: 0 })
    }

    async fn take(&mut self, step: &Step) -> Result<()> {
        match step {
            Step::Add { account, metric, value, of, late } => {
                self.now += i64::from(value % 3);
                self.rows += 1;
                let (account, metric) = (ACCOUNTS[*account], format!("m{metric}"));
                let updated = self.now - i64::from(*late);
                self.table.push(row(
                    self.rows,
                    account,
                    &metric,
                    &value.to_string(),
                    i64::from(*of),
                    updated,
                ));
            }
            Step::Correct { row, value } => {
                self.now += 1;
                let (now, place) = (crate::at(self.now), *row);
                self.table.change(|rows| {
                    if !rows.is_empty() {
                        let place = place % rows.len();
                        rows[place][3] = Owned::Decimal(value.to_string());
                        rows[place][5] = Owned::Zoned(now);
                    }
                });
            }
            Step::Sync => self.sync(None).await?,
            Step::BreakAndSync { after } => self.sync(Some(u32::from(*after))).await?,
            Step::Identify { account } => {
                if !std::mem::replace(&mut self.known[*account], true) {
                    self.stand.identify(self.accounts[*account], ACCOUNTS[*account]).await?;
                    self.stand.replay().await?;
                }
            }
            Step::Forget { account } => {
                if std::mem::replace(&mut self.known[*account], false) {
                    self.stand.forget(ACCOUNTS[*account]).await?;
                }
            }
        }
        Ok(())
    }

    async fn sync(&mut self, break_after: Option<u32>) -> Result<()> {
        let lease = self.stand.claim(self.stream, RunKind::Sync).await?;
        if let Some(after) = break_after {
            let left = Arc::new(AtomicU32::new(after));
            self.stand.app.faults = Faults::when(move |_| {
                left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err()
            });
            match self.stand.attempt(self.stream, &self.table, &lease, &Range::New).await {
                Ok(_) | Err(Error::Internal(_)) => {}
                Err(other) => return Err(other.into()),
            }
            self.stand.app.faults = Faults::default();
        }
        self.stand.attempt(self.stream, &self.table, &lease, &Range::New).await?;
        balanced(&self.stand.finish(&lease).await?)?;
        self.stand.groups_add_up().await?;
        self.oracle.read(&self.table);
        Ok(())
    }

    async fn end(mut self) -> Result<()> {
        self.sync(None).await?;
        for account in 0..4 {
            self.take(&Step::Identify { account }).await?;
        }
        self.stand.replay().await?;
        anyhow::ensure!(self.stand.waiting().await?.is_empty(), "rows still wait");
        let (found, wanted) = (self.stand.measurements().await?, self.oracle.lines());
        anyhow::ensure!(found == wanted, "found {found:#?}\nwanted {wanted:#?}");
        Ok(())
    }
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
fn random_histories_end_as_the_oracle_says_on_sqlite() {
    check(32, 120, false);
}

#[test]
fn random_histories_end_as_the_oracle_says_on_postgres() {
    check(12, 80, true);
}
