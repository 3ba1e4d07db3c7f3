//! A thousand streams that are due and have nothing new, through scheduler and workers.

#![expect(clippy::print_stdout, reason = "figures go to standard output, one JSON object a line")]

use anyhow::Result;
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};

use super::engine::Engine;
use super::promise::Promise;
use super::{Bench, report, rounds};

/// How many streams are due.
const STREAMS: u32 = 1_000;

/// Measures the CPU time from the moment they are due until all their runs have ended.
///
/// # Errors
/// When a run fails.
pub async fn run(bench: &Bench) -> Result<Vec<Promise>> {
    let slower = rounds::slower(bench).await?;
    let mut connection = PgConnection::connect(&bench.warehouse.url()).await?;
    connection
        .execute(
            "CREATE TABLE quiet (LIKE usage INCLUDING ALL); \
             INSERT INTO quiet SELECT * FROM usage ORDER BY updated_at DESC, id DESC LIMIT 100",
        )
        .await?;
    connection.close().await?;
    let ours = bench.server.database().await?;
    let mut engine = Engine::start(&ours.url(), &bench.warehouse.url())?;
    bench.ours(&mut engine, &format!("streams {STREAMS}"))?;
    // The first time reads the rows, the second notes the window.
    for _ in 0..2 {
        bench.ours(&mut engine, "due")?;
    }
    super::peers::shell(&format!("psql -qX '{}' -c 'VACUUM ANALYZE' -c CHECKPOINT", ours.url()))?;
    let mut rounds = Vec::new();
    for _ in 0..bench.times {
        rounds.push(bench.ours(&mut engine, "due")?);
    }
    let of = |pick: fn(&super::Figures) -> f64| report::median(rounds.iter().map(pick).collect());
    let cpu = of(|it| it.own + it.database);
    let line = json!({
        "what": "streams due with nothing new",
        "streams": STREAMS,
        "wall": of(|it| it.wall),
        "cpu": cpu,
        "cpu_ms_of_each": cpu * 1_000.0 / f64::from(STREAMS),
        "own_cpu": of(|it| it.own),
        "peak_mib": of(|it| it.peak_mib),
    });
    println!("{line}");
    let seconds = format!("{STREAMS} streams due: CPU seconds, on a machine {slower:.2} times slower");
    Ok(vec![Promise::new(seconds, cpu, 2.0 * slower)])
}
