//! The other sides: plain psql, and what SQLite's shell can do.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::cpu;

/// What a peer took.
#[derive(Clone, Copy, Debug)]
pub struct PeerTook {
    /// Seconds on the clock.
    pub wall: f64,
    /// CPU seconds of its own processes.
    pub cpu: f64,
}

/// Runs a shell command to its end and measures it.
///
/// # Errors
/// When it fails; its words are in the error.
pub fn shell(command: &str) -> Result<PeerTook> {
    let me = std::process::id();
    let (start, before) = (Instant::now(), cpu::tree_seconds(me)? - cpu::own_seconds(me)?);
    let done = Command::new("bash")
        .args(["-euo", "pipefail", "-c", command])
        .stdin(Stdio::null())
        .output()
        .context("cannot start bash")?;
    ensure!(done.status.success(), "{command}\n{}", String::from_utf8_lossy(&done.stderr));
    Ok(PeerTook {
        wall: start.elapsed().as_secs_f64(),
        cpu: cpu::tree_seconds(me)? - cpu::own_seconds(me)? - before,
    })
}

/// The statements with which psql takes in a batch: the same rows, the same tables, the same rules.
pub fn intake_sql() -> &'static str {
    "CREATE TEMP TABLE batch (id bigint, account text, metric text, value numeric, measured_at timestamptz, \
       updated_at timestamptz);\n\
     \\copy batch FROM pstdin\n\
     INSERT INTO measurement (series_id, measured_at, value, cursor, run, row_key)\n\
     SELECT s.id, (extract(epoch FROM b.measured_at) * 1000000)::int8, trim_scale(b.value), \
       (extract(epoch FROM b.updated_at) * 1000000000)::int8, 1, b.id::text\n\
     FROM batch b JOIN external_id e ON e.space = 'account_id' AND e.normalized = b.account \
       JOIN metric m ON m.external_id = b.metric \
       JOIN metric_link l ON l.account_id = e.account_id AND l.metric_id = m.id AND l.enabled \
       JOIN series s ON s.metric_id = m.id AND s.external_account = b.account\n\
     ON CONFLICT (series_id, measured_at) DO UPDATE SET value = excluded.value, cursor = excluded.cursor, \
       run = excluded.run, row_key = excluded.row_key \
       WHERE (excluded.cursor, excluded.row_key) >= (measurement.cursor, measurement.row_key);\n\
     INSERT INTO waiting_row (organization_id, stream_id, row_key, part, kind, group_id, run, cursor, product, value, \
       measured_at, row, created_at)\n\
     SELECT g.organization_id, g.stream_id, b.id::text, '', 'unmatched', g.id, 1, \
       (extract(epoch FROM b.updated_at) * 1000000000)::int8, '', trim_scale(b.value), \
       (extract(epoch FROM b.measured_at) * 1000000)::int8, row_to_json(b)::text, 0\n\
     FROM batch b LEFT JOIN external_id e ON e.space = 'account_id' AND e.normalized = b.account \
       LEFT JOIN metric m ON m.external_id = b.metric \
       LEFT JOIN metric_link l ON l.account_id = e.account_id AND l.metric_id = m.id AND l.enabled \
       JOIN unmatched_group g ON g.external_account = b.account AND g.external_metric = b.metric\n\
     WHERE l.id IS NULL\n\
     ON CONFLICT (organization_id, stream_id, row_key, part) DO UPDATE SET value = excluded.value, \
       cursor = excluded.cursor, row = excluded.row;\n"
}

/// Lets psql read the warehouse from a watermark on and take the rows in.
///
/// # Errors
/// When psql fails.
pub fn psql(warehouse: &str, weir: &str, since: Option<&str>, folder: &Path) -> Result<PeerTook> {
    let script = folder.join("intake.sql");
    std::fs::write(&script, intake_sql())?;
    let condition = since.map_or(String::new(), |since| format!(" WHERE updated_at >= '{since}'"));
    shell(&format!(
        "psql -qX '{warehouse}' -c \"COPY (SELECT id, account, metric, value, measured_at, updated_at FROM usage{condition}) \
         TO STDOUT\" | psql -qX -v ON_ERROR_STOP=1 --single-transaction '{weir}' -f {}",
        script.display()
    ))
}
