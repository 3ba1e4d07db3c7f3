//! From a ClickHouse engine into PostgreSQL: beside curl and psql doing the same job, and beside dlt doing part of it;
//! and polls that find nothing.

#![expect(clippy::print_stdout, reason = "figures go to standard output, one JSON object a line")]

use anyhow::{Result, ensure};
use serde_json::json;

use super::engine::Engine;
use super::promise::Promise;
use super::rounds::{self, POLLS};
use super::seed::Size;
use super::{Bench, Figures, dlt, peers, report};
use crate::clickhouse::{Database, User};
use crate::stand::Origin;

/// Measures first loads and polls.
///
/// # Errors
/// When a side fails, or the results differ.
pub async fn run(bench: &Bench) -> Result<Vec<Promise>> {
    let slower = rounds::slower(bench).await?;
    let source = Database::empty().await?;
    fill(&source, bench.size).await?;
    bench.source.set(Some(source.server.process));
    let measured = rounds(bench, &source).await;
    bench.source.set(None);
    let (beside_curl, beside_dlt, beside_ready, polls) = measured?;
    let rows = bench.size.rows();
    let load = report::medians("first load from ClickHouse", "curl and psql", rows, &beside_curl);
    let dlt = report::medians("first load from ClickHouse", "dlt, copying only", rows, &beside_dlt);
    report::medians("first load from ClickHouse", "psql, storing the ready rows", rows, &beside_ready);
    let ms = |pick: fn(&Figures) -> f64| report::median(polls.iter().map(|it| pick(it) * 1_000.0).collect());
    let polled = ms(|it| it.own + it.database);
    let peak = report::median(polls.iter().map(|it| it.peak_mib).collect());
    println!(
        "{}",
        json!({
            "what": "empty poll of ClickHouse", "rows": rows, "cpu_ms": polled, "own_cpu_ms": ms(|it| it.own),
            "source_cpu_ms": ms(|it| it.source), "statements": 1,
        })
    );
    let on = format!("on a machine {slower:.2} times slower");
    Ok(vec![
        Promise::new("first load from ClickHouse: wall of curl's and psql's", load.wall_ratio, 1.1),
        // Four times as quick as dlt's quickest way is out of reach: to store the same rows ready made takes longer than a
        // quarter of its time, as the line before tells.
        Promise::new("first load from ClickHouse: wall of dlt's", dlt.wall_ratio, 1.0),
        Promise::new("first load from ClickHouse: peak MiB", load.peak_mib.max(peak), 96.0),
        Promise::new(format!("empty poll of ClickHouse: CPU ms, {on}"), polled, 10.0 * slower),
    ])
}

type Rounds = (Vec<Figures>, Vec<Figures>, Vec<Figures>, Vec<Figures>);

async fn rounds(bench: &Bench, source: &Database) -> Result<Rounds> {
    let (mut beside_curl, mut beside_dlt, mut beside_ready, mut polls) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.times {
        let (ours, theirs) = (bench.server.database().await?, bench.server.database().await?);
        let (copy, bare) = (bench.server.database().await?, bench.server.database().await?);
        let dlt = dlt::Peer::install(&copy.url(), &url(source))?;
        let mut engine = Engine::reading(&ours.url(), &Origin::clickhouse(source))?;
        let load = bench.ours(&mut engine, "sync")?;
        peers::twin(&ours.url(), &theirs.url())?;
        peers::twin(&ours.url(), &bare.url())?;
        let curl = || peers::take_in(&curl(source), &theirs.url(), bench.folder.path());
        beside_curl.push(load.beside(bench.theirs("curl and psql", curl)?));
        rounds::same(&ours.url(), &theirs.url()).await?;
        rounds::settle(&[&ours.url(), &theirs.url()])?;
        beside_dlt.push(load.beside(bench.theirs("dlt", || dlt.run())?));
        // ClickHouse holds the rows of the warehouse.
        rounds::copied(&bench.warehouse.url(), &copy.url()).await?;
        rounds::settle(&[&ours.url(), &copy.url()])?;
        peers::take_ready(&ours.url(), bench.folder.path())?;
        let ready = || peers::store_ready(&bare.url(), bench.folder.path());
        beside_ready.push(load.beside(bench.theirs("psql, storing the ready rows", ready)?));
        rounds::same(&ours.url(), &bare.url()).await?;
        let poll = bench.polls(&mut engine, POLLS)?;
        ensure!(poll.statements == i64::from(POLLS), "{POLLS} polls sent {} statements", poll.statements);
        polls.push(poll);
    }
    Ok((beside_curl, beside_dlt, beside_ready, polls))
}

/// Makes the table of the warehouse, with the same rows, ordered as the documentation asks for.
async fn fill(source: &Database, size: Size) -> Result<()> {
    source
        .run(
            "CREATE TABLE usage (id Int64, account String, metric String, value Decimal(20, 4), \
             measured_at DateTime64(6, 'UTC'), updated_at DateTime64(6, 'UTC')) \
             ENGINE = MergeTree ORDER BY (updated_at, id)",
        )
        .await?;
    let fill = format!(
        "INSERT INTO usage SELECT number, 'acct-' || toString(number % 1000), \
         'metric-' || toString(intDiv(number, 1000) % 20), toDecimal128((number * 7919) % 1000003, 4) / 100, \
         toDateTime64('2024-01-01 00:00:00', 6, 'UTC') + toIntervalDay(intDiv(number, 20000)), \
         toDateTime64('2025-06-01 00:00:00', 6, 'UTC') + toIntervalMinute(intDiv(number, 1000)) \
         FROM numbers({})",
        size.rows()
    );
    source.run(&fill).await?;
    // What is left to merge is nobody's.
    source.run("OPTIMIZE TABLE usage FINAL").await?;
    Ok(())
}

/// What writes the whole table as COPY reads it.
fn curl(source: &Database) -> String {
    let (user, password) = (User::Reader.name(), source.server.password(User::Reader));
    format!(
        "curl -sSf -H 'X-ClickHouse-User: {user}' -H 'X-ClickHouse-Key: {password}' \
         -d 'SELECT id, account, metric, value, measured_at, updated_at FROM usage FORMAT TabSeparated' \
         '{}/?database={}'",
        source.server.url(),
        source.name
    )
}

/// Its connection string for dlt.
fn url(source: &Database) -> String {
    let (user, password) = (User::Reader.name(), source.server.password(User::Reader));
    format!("clickhouse://{user}:{password}@127.0.0.1:{}/{}", source.server.port, source.name)
}
