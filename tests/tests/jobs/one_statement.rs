//! A poll that finds nothing is one statement to the system that is read, whatever its kind: many are paid by the
//! statement, or by the minute that a statement keeps them awake.

use std::sync::{Arc, Mutex};

use anyhow::{Result, ensure};
use futures::FutureExt;
use futures::future::BoxFuture;
use sea_orm::{EntityTrait, QueryOrder};
use server::clock::Clock;
use server::db::Db;
use server::jobs::{self, Reader};
use systems::relay::{Call, Relay, Script, Wire};
use systems::snowflake::{self, Column, Type, Value};
use systems::upstream::Upstream;
use tests::clickhouse;
use tests::postgres::Database;
use tests::stand::{Origin, START, Stand, StreamSpec};
use tokio_util::sync::CancellationToken;

use super::poll::{NEWS, POLLS, poll};

/// Polls a table that has rows until nothing is new, and then some more; says what `take` heard of each of those.
async fn heard<T>(origin: &Origin, mut take: impl AsyncFnMut() -> Result<T>) -> Result<Vec<T>> {
    let ours = Database::empty().await?;
    let mut stand = Stand::reading(&ours.url(), origin).await?;
    stand.app.clock = Clock::fixed(START);
    stand
        .stream_of(&StreamSpec { table: serde_json::to_string(&origin.table)?, ..StreamSpec::quiet() })
        .await?;
    let stop = CancellationToken::new();
    let workers = jobs::start(&stand.app, Arc::new(Reader), &stop);
    let aside = Db::connect(&ours.url().into(), 1).await?;
    let mut all = Vec::new();
    for number in 1..=NEWS + POLLS {
        take().await?;
        poll(&aside, number).await?;
        if number > NEWS {
            all.push(take().await?);
            let run = entity::sync_run::Entity::find().order_by_desc(entity::sync_run::Column::Number);
            let run = run.one(aside.orm()).await?.map(|run| run.source_statements);
            ensure!(run == Some(1), "the run notes {run:?} statements");
        }
    }
    stop.cancel();
    workers.finished().await;
    Ok(all)
}

/// Passes on what an engine is asked, and keeps it.
struct Ear {
    upstream: Upstream,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Script for Ear {
    fn answer(&self, call: Call) -> BoxFuture<'_, Result<Wire>> {
        async move {
            self.calls.lock().expect("no holder of the lock panics").push(call.clone());
            Ok(Wire::Whole(self.upstream.send(&call).await?))
        }
        .boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_finds_nothing_is_one_statement_to_clickhouse() -> Result<()> {
    let source = clickhouse::Database::empty().await?;
    source
        .run(
            "CREATE TABLE quiet (id Int64, account String, metric String, value Decimal(20, 4), \
             measured_at DateTime64(6, 'UTC'), updated_at DateTime64(6, 'UTC')) \
             ENGINE = MergeTree ORDER BY (updated_at, id)",
        )
        .await?;
    source
        .run(
            "INSERT INTO quiet SELECT number, 'acct-' || toString(number % 7), 'metric-1', number, \
             toDateTime64('2025-01-01 00:00:00', 6, 'UTC') + toIntervalDay(number), \
             toDateTime64('2025-06-01 00:00:00', 6, 'UTC') + number FROM numbers(100)",
        )
        .await?;
    let calls = Arc::new(Mutex::new(Vec::new()));
    let ear = Ear { upstream: Upstream::local(source.server.port)?, calls: Arc::clone(&calls) };
    let relay = Relay::start(Arc::new(ear)).await?;
    let mut origin = Origin::clickhouse(&source).with("quiet");
    origin.config["port"] = relay.port.into();
    let take = async || Ok(std::mem::take(&mut *calls.lock().expect("no holder of the lock panics")));
    for calls in heard(&origin, take).await? {
        let sent: Vec<_> = calls.iter().map(|call| String::from_utf8_lossy(&call.body)).collect();
        ensure!(sent.len() == 1 && sent[0].contains("`quiet`"), "{} statements: {sent:#?}", sent.len());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_finds_nothing_is_one_statement_to_snowflake() -> Result<()> {
    let server = snowflake::Server::start().await?;
    let place = server.place().await?;
    let time = Type::Ltz(6);
    let columns = [
        ("id", Type::Number(38, 0)),
        ("account", Type::TEXT),
        ("metric", Type::TEXT),
        ("value", Type::Number(20, 4)),
        ("measured_at", time),
        ("updated_at", time),
    ];
    let columns = columns.map(|(name, kind)| Column { nullable: false, ..Column::new(name, kind) });
    place.generate("quiet", columns.to_vec(), 100, &["updated_at", "id"], |number| {
        let time = |since: i128, unit: i128| Value::Ltz((since + number as i128 * unit) * 1_000_000_000);
        let texts = [Value::text(format!("acct-{}", number % 7)), Value::text("metric-1")];
        let [account, metric] = texts;
        let number = Value::int(number as i128);
        vec![number.clone(), account, metric, number, time(1_735_689_600, 86_400), time(1_748_736_000, 1)]
    })?;
    let mut before = 0;
    let take = async || {
        let journal = server.journal();
        let calls = journal[before..].to_vec();
        before = journal.len();
        Ok(calls)
    };
    for calls in heard(&Origin::snowflake(&place).with("quiet"), take).await? {
        let read =
            calls.len() == 1 && calls[0].statement.as_ref().is_some_and(|sql| sql.contains("\"quiet\""));
        ensure!(read, "{} calls: {calls:#?}", calls.len());
    }
    Ok(())
}
