//! Weir into PostgreSQL beside psql doing the same job, and beside dlt doing part of it.

#![expect(clippy::print_stdout, reason = "figures go to standard output, one JSON object a line")]

use anyhow::{Result, ensure};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::engine::Engine;
use super::{Bench, Figures, dlt, peers, report, seed};

const POLLS: u32 = 50;

/// What one round took.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    load: Figures,
    change: Figures,
    replay: Figures,
    poll: Figures,
}

/// Measures rounds and reports their medians.
///
/// # Errors
/// When a side fails, or the results differ.
pub async fn run(bench: &Bench) -> Result<Vec<Round>> {
    let mut rounds = Vec::new();
    for number in 0..bench.times {
        rounds.push(round(bench, number as i64).await?);
    }
    report::medians("first load", "psql", bench.size.rows(), &pick(&rounds, |round| round.load));
    report::medians("10000 changed", "psql", bench.size.rows(), &pick(&rounds, |round| round.change));
    report::medians("replay", "one SQL statement", bench.size.rows(), &pick(&rounds, |round| round.replay));
    let poll = report::median(rounds.iter().map(|it| it.poll.own + it.poll.database).collect());
    println!("{}", json!({"what": "empty poll", "cpu_ms": poll * 1_000.0, "rows": bench.size.rows()}));
    Ok(rounds)
}

/// Reports how figures grew from few rows to many.
pub fn compare(few: &[Round], many: &[Round]) {
    let change = |rounds: &[Round]| {
        report::median(rounds.iter().map(|it| it.change.own + it.change.database).collect())
    };
    let peak = |rounds: &[Round]| report::median(rounds.iter().map(|it| it.change.peak_mib).collect());
    let grown = json!({
        "what": "ten times the rows",
        "change_cpu_ratio": change(many) / change(few),
        "peak_mib_more": peak(many) - peak(few),
    });
    println!("{grown}");
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

    bench.ours(&mut engine, "poll 2")?;
    let mut poll = bench.ours(&mut engine, &format!("poll {POLLS}"))?;
    poll.own /= f64::from(POLLS);
    poll.database /= f64::from(POLLS);

    let since = newest(&warehouse).await?;
    seed::change(&warehouse, bench.size, number).await?;
    let change = bench.ours(&mut engine, "sync")?.beside(psql(Some(&since))?);
    same(&ours.url(), &theirs.url()).await?;

    bench.ours(&mut engine, "link")?;
    peers::link(&theirs.url())?;
    settle(&[&ours.url(), &theirs.url()])?;
    let replay = bench.ours(&mut engine, "replay")?;
    let replay = replay.beside(bench.theirs("psql's replay", || peers::replay(&theirs.url()))?);
    same(&ours.url(), &theirs.url()).await?;
    Ok(Round { load, change, replay, poll })
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
fn settle(urls: &[&str]) -> Result<()> {
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
async fn copied(warehouse: &str, copy: &str) -> Result<()> {
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
async fn same(ours: &str, theirs: &str) -> Result<()> {
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
