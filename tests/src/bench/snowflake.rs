//! From the strict Snowflake server, in a process of its own, into PostgreSQL: what a cell costs to decode, whether
//! memory stays flat, and polls that find nothing.

#![expect(clippy::print_stdout, reason = "figures go to standard output, one JSON object a line")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use systems::snowflake::{Column, Number, Place, Server, Type, Value};

use super::engine::{COLUMNS, Engine};
use super::promise::Promise;
use super::rounds::{self, POLLS};
use super::{Bench, Figures, peers, report};
use crate::stand::Origin;

/// The table with a fifth of the rows.
const FEW: &str = "few";

/// What one round took.
struct Round {
    load: Figures,
    read: Figures,
    poll: Figures,
    /// The peak of a load of a fifth of the rows.
    few_mib: f64,
}

/// Measures first loads, reads and polls.
///
/// # Errors
/// When a side fails, or what came in is not what the table holds.
pub async fn run(bench: &Bench) -> Result<Vec<Promise>> {
    let slower = rounds::slower(bench).await?;
    let rows = bench.size.rows();
    let served = Served::start(rows)?;
    let mut rounds = Vec::new();
    for _ in 0..bench.times {
        rounds.push(round(bench, &served.origin).await?);
    }
    let of = |pick: fn(&Round) -> f64| report::median(rounds.iter().map(pick).collect());
    let micros = |pick: fn(&Round) -> f64| report::median(rounds.iter().map(|it| pick(it) * 1e6).collect());
    let cells = rows as f64 * COLUMNS.len() as f64;
    let cell = micros(|it| it.read.own) / cells;
    let (peak, few) = (of(|it| it.load.peak_mib), of(|it| it.few_mib));
    let load = json!({
        "what": "first load from Snowflake", "rows": rows, "wall": of(|it| it.load.wall), "own_cpu": of(|it| it.load.own),
        "cpu": of(|it| it.load.own + it.load.database), "peak_mib": peak, "peak_mib_of_a_fifth": few,
    });
    println!("{load}");
    let read = json!({
        "what": "read from Snowflake and dropped", "rows": rows, "cells": cells, "wall": of(|it| it.read.wall),
        "own_cpu": of(|it| it.read.own), "cpu_us_of_each_cell": cell,
    });
    println!("{read}");
    let polled = micros(|it| it.poll.own + it.poll.database) / 1_000.0;
    let poll = json!({
        "what": "empty poll of Snowflake", "rows": rows, "cpu_ms": polled, "own_cpu_ms": micros(|it| it.poll.own) / 1_000.0,
        "statements": 1,
    });
    println!("{poll}");
    let on = format!("on a machine {slower:.2} times slower");
    Ok(vec![
        Promise::new(format!("Snowflake: CPU us to decode a cell, {on}"), cell, 0.5 * slower),
        Promise::new("first load from Snowflake: more MiB than of a fifth of the rows", peak - few, 8.0),
        Promise::new("first load from Snowflake: peak MiB", peak, 96.0),
        Promise::new(format!("empty poll of Snowflake: CPU ms, {on}"), polled, 10.0 * slower),
    ])
}

async fn round(bench: &Bench, origin: &Origin) -> Result<Round> {
    let (ours, theirs) = (bench.server.database().await?, bench.server.database().await?);
    let few = bench.server.database().await?;
    let few_mib = bench.ours(&mut Engine::reading(&few.url(), &origin.clone().with(FEW))?, "sync")?.peak_mib;
    let mut engine = Engine::reading(&ours.url(), origin)?;
    let load = bench.ours(&mut engine, "sync")?;
    // The warehouse has the same rows.
    peers::twin(&ours.url(), &theirs.url())?;
    peers::psql(&bench.warehouse.url(), &theirs.url(), None, bench.folder.path())?;
    rounds::same(&ours.url(), &theirs.url()).await?;
    rounds::settle(&[&ours.url(), &theirs.url()])?;
    let read = bench.ours(&mut engine, "read")?;
    ensure!(read.rows == bench.size.rows(), "{} of {} rows were read", read.rows, bench.size.rows());
    let poll = bench.polls(&mut engine, POLLS)?;
    ensure!(poll.statements == i64::from(POLLS), "{POLLS} polls sent {} statements", poll.statements);
    Ok(Round { load, read, poll, few_mib })
}

/// The server in a process of its own, which ends with this value.
struct Served {
    child: Child,
    origin: Origin,
}

impl Served {
    fn start(rows: i64) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["snowflake", "--rows", &rows.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut told = String::new();
        BufReader::new(child.stdout.take().context("a pipe from the server")?).read_line(&mut told)?;
        let origin = serde_json::from_str(&told).context("the Snowflake server did not start")?;
        Ok(Self { child, origin })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The other process: serves the table `usage` with so many rows and one with a fifth of them, until nobody holds its
/// standard input any more.
///
/// # Errors
/// When the server does not start.
pub async fn serve(rows: i64) -> Result<()> {
    let server = Server::start().await?;
    let place = server.place().await?;
    let rows = usize::try_from(rows)?;
    for (name, rows) in [("usage", rows), (FEW, rows / 5)] {
        fill(&place, name, rows)?;
    }
    println!("{}", serde_json::to_string(&Origin::snowflake(&place))?);
    let wait = || std::io::stdin().lock().read_to_end(&mut Vec::new());
    tokio::task::spawn_blocking(wait).await??;
    Ok(())
}

/// Makes a table with the rows of the warehouse.
fn fill(place: &Place, name: &str, rows: usize) -> Result<()> {
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
    place.generate(name, columns.to_vec(), rows, &["updated_at", "id"], row)
}

fn row(number: usize) -> Vec<Value> {
    let seconds = |since: i128, each: usize, unit: i128| {
        Value::Ltz((since + (number / each) as i128 * unit) * 1_000_000_000)
    };
    vec![
        Value::int(number as i128),
        Value::text(format!("acct-{}", number % 1_000)),
        Value::text(format!("metric-{}", number / 1_000 % 20)),
        Value::Number(Number { digits: (number * 7_919 % 1_000_003) as i128 * 100, scale: 4 }),
        // From 2024-01-01 on by days, and from 2025-06-01 on by minutes.
        seconds(1_704_067_200, 20_000, 86_400),
        seconds(1_748_736_000, 1_000, 60),
    ]
}
