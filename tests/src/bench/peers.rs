//! The other side: plain psql.

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
    // The database server is a child of this process too, and is counted by who asks for it.
    let me = std::process::id();
    let (start, before) = (Instant::now(), cpu::reaped_seconds(me)?);
    let done = Command::new("bash")
        .args(["-euo", "pipefail", "-c", command])
        .stdin(Stdio::null())
        .output()
        .context("cannot start bash")?;
    ensure!(done.status.success(), "{command}\n{}", String::from_utf8_lossy(&done.stderr));
    Ok(PeerTook { wall: start.elapsed().as_secs_f64(), cpu: cpu::reaped_seconds(me)? - before })
}

/// The statements with which psql takes in a batch: the same rows, the same tables, the same rules.
pub fn intake_sql() -> &'static str {
    "CREATE TEMP TABLE batch (id bigint, account text, metric text, value numeric, measured_at timestamptz, \
       updated_at timestamptz);\n\
     \\copy batch FROM pstdin\n\
     ANALYZE batch;\n\
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

/// Makes an empty database the twin of one that Weir has filled: all rows but the measurements and the waiting ones,
/// so that psql finds series and groups ready made.
///
/// # Errors
/// When the tools fail.
pub fn twin(ours: &str, theirs: &str) -> Result<()> {
    shell(&format!(
        "pg_dump '{ours}' -T measurement -T waiting_row | psql -qX '{theirs}' -o /dev/null && \
         pg_dump -s -t measurement -t waiting_row '{ours}' | psql -qX '{theirs}' -o /dev/null && \
         psql -qX '{theirs}' -c 'VACUUM ANALYZE' -c CHECKPOINT"
    ))?;
    Ok(())
}

/// The tables whose rows a load is about.
const FILLED: [&str; 2] = ["measurement", "waiting_row"];

fn ready_file(folder: &Path, table: &str) -> String {
    folder.join(format!("{table}.copy")).display().to_string()
}

/// Writes what Weir stored into files, for [`store_ready`].
///
/// # Errors
/// When psql fails.
pub fn take_ready(ours: &str, folder: &Path) -> Result<()> {
    for table in FILLED {
        let file = ready_file(folder, table);
        shell(&format!("psql -qX '{ours}' -c '\\copy {table} TO STDOUT (FORMAT binary)' > '{file}'"))?;
    }
    Ok(())
}

/// Lets psql copy the ready rows into the empty tables of a twin: what PostgreSQL needs to store them with their indexes,
/// whoever made them.
///
/// # Errors
/// When psql fails.
pub fn store_ready(twin: &str, folder: &Path) -> Result<PeerTook> {
    let copy = |table: &&str| {
        let file = ready_file(folder, table);
        format!("psql -qX '{twin}' -c '\\copy {table} FROM STDIN (FORMAT binary)' < '{file}'")
    };
    shell(&FILLED.iter().map(copy).collect::<Vec<_>>().join(" && "))
}

/// Lets psql read the warehouse from a watermark on and take the rows in.
///
/// # Errors
/// When psql fails.
pub fn psql(warehouse: &str, weir: &str, since: Option<&str>, folder: &Path) -> Result<PeerTook> {
    let condition = since.map_or(String::new(), |since| format!(" WHERE updated_at >= '{since}'"));
    let reader = format!(
        "psql -qX '{warehouse}' -c \"COPY (SELECT id, account, metric, value, measured_at, updated_at FROM usage{condition}) \
         TO STDOUT\""
    );
    take_in(&reader, weir, folder)
}

/// Lets psql take in what a command writes in the text format of COPY, in UTC.
///
/// # Errors
/// When psql or the command fails.
pub fn take_in(reader: &str, weir: &str, folder: &Path) -> Result<PeerTook> {
    let script = folder.join("intake.sql");
    std::fs::write(&script, intake_sql())?;
    let script = script.display();
    shell(&format!(
        "{reader} | PGTZ=UTC psql -qX -v ON_ERROR_STOP=1 --single-transaction '{weir}' -f {script}"
    ))
}

/// Links every pair and makes its series, so that psql's replay finds them.
///
/// # Errors
/// When psql fails.
pub fn link(theirs: &str) -> Result<()> {
    shell(&format!(
        "psql -qX '{theirs}' -c \"INSERT INTO metric_link (organization_id, id, account_id, metric_id, input_id, enabled, \
         version, created_at, updated_at) SELECT o.organization_id, gen_random_uuid(), o.account_id, m.id, i.id, \
         true, 1, 0, 0 FROM input i JOIN opportunity o ON o.id = i.opportunity_id \
         JOIN metric m ON m.external_id = 'metric-' || substr(i.name, 7) ON CONFLICT DO NOTHING\" \
         -c \"INSERT INTO series (organization_id, stream_id, metric_id, external_account, product, account_id, created_at) \
         SELECT g.organization_id, g.stream_id, m.id, g.external_account, '', e.account_id, 0 FROM unmatched_group g \
         JOIN metric m ON m.external_id = g.external_metric JOIN external_id e ON e.normalized = g.external_account \
         ON CONFLICT DO NOTHING\" -c ANALYZE"
    ))?;
    Ok(())
}

/// Replays the waiting rows that match now, in one statement.
///
/// # Errors
/// When psql fails.
pub fn replay(theirs: &str) -> Result<PeerTook> {
    shell(&format!(
        "psql -qX '{theirs}' -c \"WITH freed AS (DELETE FROM waiting_row w USING unmatched_group g, metric m, series s \
         WHERE g.id = w.group_id AND m.external_id = g.external_metric AND s.metric_id = m.id \
         AND s.external_account = g.external_account RETURNING s.id, w.measured_at, w.value, w.cursor, w.run, w.row_key) \
         INSERT INTO measurement (series_id, measured_at, value, cursor, run, row_key) SELECT * FROM freed \
         ON CONFLICT (series_id, measured_at) DO UPDATE SET value = excluded.value, cursor = excluded.cursor, \
         row_key = excluded.row_key WHERE (excluded.cursor, excluded.row_key) >= (measurement.cursor, measurement.row_key)\""
    ))
}
