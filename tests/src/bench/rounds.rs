//! Weir into PostgreSQL beside psql doing the same job, and beside dlt doing part of it.

#![expect(clippy::print_stdout, reason = "figures go to standard output, one JSON object a line")]

use anyhow::{Result, ensure};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::engine::Engine;
use super::promise::{self, Promise};
use super::{Bench, Figures, dlt, peers, report, seed};

/// Polls that find nothing.
pub const POLLS: u32 = 50;
/// How often rows are changed in a round.
const CHANGES: i64 = 3;

/// What one round took.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    load: Figures,
    change: Figures,
    replay: Figures,
    poll: Figures,
}

/// Measures rounds and reports their medians and what is promised of them.
///
/// # Errors
/// When a side fails, or the results differ.
pub async fn run(bench: &Bench) -> Result<(Vec<Round>, Vec<Promise>)> {
    let mut rounds = Vec::new();
    for number in 0..bench.times {
        rounds.push(round(bench, number as i64).await?);
    }
    let rows = bench.size.rows();
    let load = report::medians("first load", "psql", rows, &pick(&rounds, |round| round.load));
    let change = report::medians("10000 changed", "psql", rows, &pick(&rounds, |round| round.change));
    let replay = report::medians("replay", "one SQL statement", rows, &pick(&rounds, |round| round.replay));
    let slower = *bench.slower.get_or_init(|| promise::slower(load.peer_cpu, rows));
    let poll = report::median(rounds.iter().map(|it| it.poll.own + it.poll.database).collect());
    println!("{}", json!({"what": "empty poll", "cpu_ms": poll * 1_000.0, "rows": rows}));
    let own = format!("first load: own CPU seconds a million rows, on a machine {slower:.2} times slower");
    let promises = vec![
        Promise::new("first load: wall of psql's", load.wall_ratio, 1.0),
        Promise::new("first load: CPU of psql's", load.cpu_ratio, 1.3),
        Promise::new(own, load.own * 1e6 / rows as f64, 2.0 * slower),
        Promise::new("10000 changed: CPU of psql's", change.cpu_ratio, 1.5),
        Promise::new("replay: wall of one statement's", replay.wall_ratio, 2.0),
        Promise::new("replay: CPU of one statement's", replay.cpu_ratio, 2.0),
        Promise::new("peak MiB of load, polls, changes and replay", replay.peak_mib, 96.0),
    ];
    Ok((rounds, promises))
}

/// Reports how figures grew from few rows to many.
pub fn compare(few: &[Round], many: &[Round]) -> Vec<Promise> {
    let change = |rounds: &[Round]| {
        report::median(rounds.iter().map(|it| it.change.own + it.change.database).collect())
    };
    let peak = |rounds: &[Round]| report::median(rounds.iter().map(|it| it.change.peak_mib).collect());
    let (cpu, peak) = (change(many) / change(few), peak(many) - peak(few));
    println!("{}", json!({"what": "ten times the rows", "change_cpu_ratio": cpu, "peak_mib_more": peak}));
    vec![
        Promise::new("10000 changed with ten times the rows: CPU of that with one", cpu, 1.5),
        Promise::new("ten times the rows: more MiB", peak, 8.0),
    ]
}

fn pick(rounds: &[Round], of: impl Fn(&Round) -> Figures) -> Vec<Figures> {
    rounds.iter().map(of).collect()
}

async fn round(bench: &Bench, number: i64) -> Result<Round> {
    let warehouse = bench.warehouse.url();
    let ours = bench.server.database().await?;
    let theirs = bench.server.database().await?;
    let mut engine = Engine::start(&ours.url(), &warehouse)?;
    let psql = |since: Option<&str>| {
        bench.theirs("psql", || peers::psql(&warehouse, &theirs.url(), since, bench.folder.path()))
    };

    let load = bench.ours(&mut engine, "sync")?;
    peers::twin(&ours.url(), &theirs.url())?;
    let load = load.beside(psql(None)?);
    same(&ours.url(), &theirs.url()).await?;
    settle(&[&ours.url(), &theirs.url()])?;

    let poll = bench.polls(&mut engine, POLLS)?;

    let mut changes = Vec::new();
    for turn in 0..CHANGES {
        let since = newest(&warehouse).await?;
        seed::change(&warehouse, bench.size, number * CHANGES + turn).await?;
        // What the change itself left to write is nobody's, and each side finds the warehouse alike.
        settle(&[&warehouse])?;
        let change = bench.ours(&mut engine, "sync")?;
        settle(&[&warehouse])?;
        changes.push(change.beside(psql(Some(&since))?));
        same(&ours.url(), &theirs.url()).await?;
    }
    let change = report::middle(&changes);

    bench.ours(&mut engine, "link")?;
    peers::link(&theirs.url())?;
    settle(&[&ours.url(), &theirs.url()])?;
    let replay = bench.ours(&mut engine, "replay")?;
    let replay = replay.beside(bench.theirs("psql's replay", || peers::replay(&theirs.url()))?);
    same(&ours.url(), &theirs.url()).await?;
    Ok(Round { load, change, replay, poll })
}

/// Measures how many times slower this machine is than the one on which the absolute figures were set, by one load of
/// psql's, unless that is known.
///
/// # Errors
/// When a side fails.
pub async fn slower(bench: &Bench) -> Result<f64> {
    if let Some(slower) = bench.slower.get() {
        return Ok(*slower);
    }
    let warehouse = bench.warehouse.url();
    let (ours, theirs) = (bench.server.database().await?, bench.server.database().await?);
    bench.ours(&mut Engine::start(&ours.url(), &warehouse)?, "sync")?;
    peers::twin(&ours.url(), &theirs.url())?;
    let psql = bench.theirs("psql", || peers::psql(&warehouse, &theirs.url(), None, bench.folder.path()))?;
    Ok(*bench.slower.get_or_init(|| promise::slower(psql.cpu, bench.size.rows())))
}

/// Measures a first load and changes beside dlt's bare copy.
///
/// # Errors
/// When a side fails, or dlt's copy is not what the warehouse holds.
pub async fn beside_dlt(bench: &Bench) -> Result<()> {
    let (mut loads, mut changes) = (Vec::new(), Vec::new());
    for number in 0..bench.times {
        let warehouse = bench.warehouse.url();
        let (ours, theirs) = (bench.server.database().await?, bench.server.database().await?);
        let mut engine = Engine::start(&ours.url(), &warehouse)?;
        let peer = dlt::Peer::install(&theirs.url(), &warehouse)?;
        let load = bench.ours(&mut engine, "sync")?;
        loads.push(load.beside(bench.theirs("dlt", || peer.run())?));
        copied(&warehouse, &theirs.url()).await?;
        settle(&[&ours.url(), &theirs.url()])?;
        seed::change(&warehouse, bench.size, 100 + number as i64).await?;
        let change = bench.ours(&mut engine, "sync")?;
        changes.push(change.beside(bench.theirs("dlt", || peer.run())?));
        copied(&warehouse, &theirs.url()).await?;
    }
    report::medians("first load", "dlt, copying only", bench.size.rows(), &loads);
    report::medians("10000 changed", "dlt, copying only", bench.size.rows(), &changes);
    Ok(())
}

/// Lets both sides begin from tidy tables, so that neither pays for what the other's load left to do.
///
/// # Errors
/// When psql fails.
pub fn settle(urls: &[&str]) -> Result<()> {
    for url in urls {
        peers::shell(&format!("psql -qX '{url}' -c 'VACUUM ANALYZE' -c CHECKPOINT"))?;
    }
    Ok(())
}

/// Where both sides read from: the newest cursor less the stream's lookback, as psql writes it.
async fn newest(warehouse: &str) -> Result<String> {
    let mut connection = PgConnection::connect(warehouse).await?;
    let row = sqlx::query("SELECT (max(updated_at) - interval '10 seconds')::text AS newest FROM usage")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(row.try_get("newest")?)
}

/// Checks that dlt's copy holds the rows of the warehouse.
///
/// # Errors
/// When it does not.
pub async fn copied(warehouse: &str, copy: &str) -> Result<()> {
    let mut found = Vec::new();
    for (url, table) in [(warehouse, "usage"), (copy, "copy.usage")] {
        let sql = format!(
            "SELECT count(*)::text || '/' || sum(hashtextextended(id::text || account || metric || '=' || \
             trim_scale(value::numeric) || '@' || extract(epoch FROM measured_at) || '/' || \
             extract(epoch FROM updated_at), 0))::text AS rows FROM {table}"
        );
        let mut connection = PgConnection::connect(url).await?;
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut connection).await?;
        found.push(row.try_get::<String, _>("rows")?);
        connection.close().await?;
    }
    ensure!(found[0] == found[1], "dlt's copy differs: {found:?}");
    Ok(())
}

/// Checks that both databases hold the same measurements and the same waiting rows.
///
/// # Errors
/// When they do not.
pub async fn same(ours: &str, theirs: &str) -> Result<()> {
    let sql = "SELECT (SELECT count(*)::text || '/' || sum(hashtextextended(x.external_id || s.external_account || \
        m.measured_at || '=' || trim_scale(m.value) || '@' || m.cursor || m.row_key, 0))::text FROM measurement m \
        JOIN series s ON s.id = m.series_id JOIN metric x ON x.id = s.metric_id) AS measurements, \
        (SELECT count(*)::text || '/' || COALESCE(sum(hashtextextended(w.row_key || '=' || trim_scale(w.value) || '@' || \
        w.measured_at || '/' || w.cursor || g.external_account || g.external_metric, 0)), 0)::text FROM waiting_row w \
        JOIN unmatched_group g ON g.id = w.group_id) AS waiting";
    let mut found = Vec::new();
    for url in [ours, theirs] {
        let mut connection = PgConnection::connect(url).await?;
        let row = sqlx::query(sql).fetch_one(&mut connection).await?;
        found.push((row.try_get::<String, _>("measurements")?, row.try_get::<String, _>("waiting")?));
        connection.close().await?;
    }
    ensure!(found[0] == found[1], "the results differ: {found:?}");
    eprintln!("both hold {} measurements and {} waiting rows", found[0].0, found[0].1);
    Ok(())
}
