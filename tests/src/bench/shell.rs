//! Weir into SQLite beside SQLite's own shell doing the same job.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::engine::Engine;
use super::peers::{PeerTook, shell};
use super::promise::Promise;
use super::{Bench, report};

/// What the shell does with the rows that psql sends it, in one transaction, with Weir's own settings.
const INTAKE: &str = "INSERT INTO measurement (series_id, measured_at, value, cursor, run, row_key) \
    SELECT s.id, b.measured_at, b.value, b.updated_at, 1, b.id \
    FROM batch b JOIN external_id e ON e.space = 'account_id' AND e.normalized = b.account \
      JOIN metric m ON m.external_id = b.metric \
      JOIN metric_link l ON l.account_id = e.account_id AND l.metric_id = m.id AND l.enabled \
      JOIN series s ON s.metric_id = m.id AND s.external_account = b.account WHERE true \
    ON CONFLICT (series_id, measured_at) DO UPDATE SET value = excluded.value, cursor = excluded.cursor, \
      run = excluded.run, row_key = excluded.row_key \
      WHERE (excluded.cursor, excluded.row_key) >= (measurement.cursor, measurement.row_key); \
    INSERT INTO waiting_row (organization_id, stream_id, row_key, part, kind, group_id, run, cursor, product, value, \
      measured_at, row, created_at) \
    SELECT g.organization_id, g.stream_id, b.id, '', 'unmatched', g.id, 1, b.updated_at, '', b.value, b.measured_at, \
      json_object('id', b.id, 'account', b.account, 'metric', b.metric, 'value', b.value, \
        'measured_at', b.measured_at, 'updated_at', b.updated_at), 0 \
    FROM batch b LEFT JOIN external_id e ON e.space = 'account_id' AND e.normalized = b.account \
      LEFT JOIN metric m ON m.external_id = b.metric \
      LEFT JOIN metric_link l ON l.account_id = e.account_id AND l.metric_id = m.id AND l.enabled \
      JOIN unmatched_group g ON g.external_account = b.account AND g.external_metric = b.metric \
    WHERE l.id IS NULL \
    ON CONFLICT (organization_id, stream_id, row_key, part) DO UPDATE SET value = excluded.value, \
      cursor = excluded.cursor, row = excluded.row;";

/// Measures first loads.
///
/// # Errors
/// When a side fails, or the results differ.
pub async fn run(bench: &Bench) -> Result<Vec<Promise>> {
    let mut loads = Vec::new();
    for _ in 0..bench.times {
        let folder = tempfile::tempdir()?;
        let (ours, theirs) = (folder.path().join("weir.db"), folder.path().join("shell.db"));
        let mut engine = Engine::start(&format!("sqlite:{}", ours.display()), &bench.warehouse.url())?;
        let load = bench.ours(&mut engine, "sync")?;
        drop(engine);
        sqlite(&ours, "PRAGMA wal_checkpoint(TRUNCATE)")?;
        std::fs::copy(&ours, &theirs).context("cannot copy the database")?;
        sqlite(&theirs, "DELETE FROM measurement; DELETE FROM waiting_row; VACUUM; ANALYZE")?;
        loads.push(load.beside(bench.theirs("sqlite3", || take_in(&bench.warehouse.url(), &theirs))?));
        same(&ours, &theirs)?;
    }
    let load = report::medians("first load into SQLite", "sqlite3", bench.size.rows(), &loads);
    Ok(vec![
        Promise::new("first load into SQLite: wall of the shell's", load.wall_ratio, 1.2),
        Promise::new("first load into SQLite: CPU of the shell's", load.cpu_ratio, 1.2),
        Promise::new("first load into SQLite: peak MiB", load.peak_mib, 96.0),
    ])
}

/// psql writes what the tables hold (canonical decimals, whole microseconds and nanoseconds), so the shell need not.
fn take_in(warehouse: &str, database: &Path) -> Result<PeerTook> {
    shell(&format!(
        "psql -qX '{warehouse}' -c \"COPY (SELECT id, account, metric, trim_scale(value), \
         (extract(epoch FROM measured_at) * 1000000)::int8, (extract(epoch FROM updated_at) * 1000000000)::int8 \
         FROM usage) TO STDOUT CSV\" | sqlite3 -csv {} 'PRAGMA synchronous = normal' 'PRAGMA cache_size = -16384' \
         'PRAGMA temp_store = memory' 'CREATE TEMP TABLE batch (id TEXT, account TEXT, metric TEXT, value TEXT, \
         measured_at INT, updated_at INT)' '.import /dev/stdin batch' \"ANALYZE temp.batch; BEGIN IMMEDIATE; {INTAKE} COMMIT\"",
        database.display()
    ))
}

/// Checks that both files hold the same measurements and the same waiting rows.
fn same(ours: &Path, theirs: &Path) -> Result<()> {
    let contents = |file| {
        sqlite(
            file,
            "SELECT count(*), sum(length(m.value)), sum(m.series_id * 31 + m.measured_at / 1000000 % 999983 * 7 + \
             m.cursor / 1000000000 % 999979 + CAST(m.row_key AS INT) * 13 + CAST(m.value * 10000 AS INT) * 17) FROM measurement m; \
             SELECT count(*), sum(group_id * 31 + CAST(row_key AS INT) * 13 + CAST(value * 10000 AS INT) * 17 + \
             measured_at / 1000000 % 999983 * 7 + cursor / 1000000000 % 999979) FROM waiting_row",
        )
    };
    let found = [contents(ours)?, contents(theirs)?];
    ensure!(found[0] == found[1], "the results differ: {found:?}");
    eprintln!("both hold {}", found[0].trim().replace('\n', " and "));
    Ok(())
}

/// What SQLite's shell answers.
fn sqlite(file: &Path, sql: &str) -> Result<String> {
    let done = Command::new("sqlite3").arg(file).arg(sql).output().context("cannot start sqlite3")?;
    ensure!(done.status.success(), "{sql}\n{}", String::from_utf8_lossy(&done.stderr));
    Ok(String::from_utf8(done.stdout)?)
}
