//! `cargo xtask bench`: Weir beside plain psql on one warehouse, both sides in one run, every result compared.

#![expect(clippy::print_stdout, reason = "figures go to standard output, one JSON object a line")]

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use serde_json::json;
use sqlx::{Connection, PgConnection, Row};
use tests::bench::engine::{self, Engine};
use tests::bench::seed::{self, Size};
use tests::bench::{cpu, peers, report};
use tests::postgres::{Durability, Server};

#[derive(Parser)]
#[command(about = "Measures Weir beside plain psql, both sides in one run")]
struct Arguments {
    /// Days of measurements in the warehouse; 50 make a million rows.
    #[arg(long, default_value_t = 50)]
    days: i64,
    /// How often each measurement is made; the median is reported.
    #[arg(long, default_value_t = 3)]
    times: usize,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    /// The engine's own process.
    #[command(hide = true)]
    Engine {
        #[arg(long)]
        weir: String,
        #[arg(long)]
        warehouse: String,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = Arguments::parse();
    match arguments.role {
        Some(Role::Engine { weir, warehouse }) => engine::serve(&weir, &warehouse).await,
        None => run(Size { days: arguments.days }, arguments.times).await,
    }
}

async fn run(size: Size, times: usize) -> Result<()> {
    let server = Server::start(Durability::Durable).await?;
    let warehouse = server.database().await?;
    seed::warehouse(&warehouse.url(), size).await?;
    let postmaster = postmaster(&server).await?;
    let folder = tempfile::tempdir()?;
    let mut rounds = Vec::new();
    for round in 0..times {
        rounds.push(one(&server, &warehouse.url(), size, postmaster, folder.path(), round as i64).await?);
    }
    for (index, what) in ["first load", "10000 changed", "replay"].iter().enumerate() {
        let figure = |pick: &dyn Fn(&Figures) -> f64| {
            report::median(rounds.iter().map(|round| pick(&round[index])).collect())
        };
        let ours = json!({
            "wall": figure(&|f| f.wall), "cpu": figure(&|f| f.own + f.database), "own_cpu": figure(&|f| f.own),
            "peak_mib": figure(&|f| f.peak_mib), "rows": size.rows(),
        });
        let theirs = json!({"wall": figure(&|f| f.peer_wall), "cpu": figure(&|f| f.peer_cpu)});
        report::line(what, &ours, &theirs);
    }
    let poll = report::median(rounds.iter().map(|round| round[3].own + round[3].database).collect());
    println!("{}", json!({"what": "empty poll", "cpu_ms": poll * 1_000.0}));
    Ok(())
}

/// What both sides took for one thing.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    wall: f64,
    own: f64,
    database: f64,
    peak_mib: f64,
    peer_wall: f64,
    peer_cpu: f64,
}

async fn one(
    server: &Server,
    warehouse: &str,
    size: Size,
    postmaster: u32,
    folder: &std::path::Path,
    round: i64,
) -> Result<Vec<Figures>> {
    let ours = server.database().await?;
    let mut engine = Engine::start(&ours.url(), warehouse)?;
    let mut figures = Vec::new();
    let measured = |engine: &mut Engine, command: &str| -> Result<Figures> {
        let before = cpu::tree_seconds(postmaster)?;
        let took = engine.ask(command)?;
        let database = cpu::tree_seconds(postmaster)? - before;
        eprintln!("{command}: {took:?}, database {database:.2} s");
        Ok(Figures {
            wall: took.wall,
            own: took.cpu,
            database,
            peak_mib: took.peak_mib,
            ..Figures::default()
        })
    };
    let mut load = measured(&mut engine, "sync")?;

    // psql gets the series and groups ready made, and fills its own empty tables.
    let theirs = server.database().await?;
    peers::shell(&format!(
        "pg_dump '{}' -T measurement -T waiting_row | psql -qX '{}' -o /dev/null && \
        pg_dump -s -t measurement -t waiting_row '{}' | psql -qX '{}' -o /dev/null",
        ours.url(),
        theirs.url(),
        ours.url(),
        theirs.url()
    ))?;
    let peer = |since: Option<&str>| -> Result<(f64, f64)> {
        let before = cpu::tree_seconds(postmaster)?;
        let took = peers::psql(warehouse, &theirs.url(), since, folder)?;
        Ok((took.wall, took.cpu + cpu::tree_seconds(postmaster)? - before))
    };
    peers::shell(&format!("psql -qX '{}' -c 'VACUUM ANALYZE' -c CHECKPOINT", theirs.url()))?;
    (load.peer_wall, load.peer_cpu) = peer(None)?;
    eprintln!("psql: {:.2} s wall, {:.2} s CPU", load.peer_wall, load.peer_cpu);
    figures.push(load);
    same(&ours.url(), &theirs.url()).await?;
    for url in [ours.url(), theirs.url()] {
        peers::shell(&format!("psql -qX '{url}' -c 'VACUUM ANALYZE' -c CHECKPOINT"))?;
    }

    let polls = 20;
    measured(&mut engine, "poll 2")?;
    let mut poll = measured(&mut engine, &format!("poll {polls}"))?;
    poll.own /= f64::from(polls);
    poll.database /= f64::from(polls);

    let since = newest(warehouse).await?;
    seed::change(warehouse, size, round).await?;
    let mut change = measured(&mut engine, "sync")?;
    (change.peer_wall, change.peer_cpu) = peer(Some(&since))?;
    eprintln!("psql: {:.2} s wall, {:.2} s CPU", change.peer_wall, change.peer_cpu);
    figures.push(change);
    same(&ours.url(), &theirs.url()).await?;

    measured(&mut engine, "link")?;
    let mut replay = measured(&mut engine, "replay")?;
    peers::shell(&format!(
        "psql -qX '{url}' -c \"INSERT INTO metric_link (organization_id, id, account_id, metric_id, input_id, enabled, \
         roll_up, version, created_at, updated_at) SELECT o.organization_id, gen_random_uuid(), o.account_id, m.id, i.id, \
         true, 'last', 1, 0, 0 FROM input i JOIN opportunity o ON o.id = i.opportunity_id \
         JOIN metric m ON m.external_id = 'metric-' || substr(i.name, 7) ON CONFLICT DO NOTHING\" \
         -c \"INSERT INTO series (organization_id, stream_id, metric_id, external_account, product, account_id, created_at) \
         SELECT g.organization_id, g.stream_id, m.id, g.external_account, '', e.account_id, 0 FROM unmatched_group g \
         JOIN metric m ON m.external_id = g.external_metric JOIN external_id e ON e.normalized = g.external_account \
         ON CONFLICT DO NOTHING\" -c ANALYZE",
        url = theirs.url()
    ))?;
    let before = cpu::tree_seconds(postmaster)?;
    let took = peers::shell(&format!(
        "psql -qX '{}' -c \"WITH freed AS (DELETE FROM waiting_row w USING unmatched_group g, metric m, series s \
         WHERE g.id = w.group_id AND m.external_id = g.external_metric AND s.metric_id = m.id \
         AND s.external_account = g.external_account RETURNING s.id, w.measured_at, w.value, w.cursor, w.run, w.row_key) \
         INSERT INTO measurement (series_id, measured_at, value, cursor, run, row_key) SELECT * FROM freed \
         ON CONFLICT (series_id, measured_at) DO UPDATE SET value = excluded.value, cursor = excluded.cursor, \
         row_key = excluded.row_key WHERE (excluded.cursor, excluded.row_key) >= (measurement.cursor, measurement.row_key)\"",
        theirs.url()
    ))?;
    (replay.peer_wall, replay.peer_cpu) = (took.wall, took.cpu + cpu::tree_seconds(postmaster)? - before);
    eprintln!("psql replay: {:.2} s wall, {:.2} s CPU", replay.peer_wall, replay.peer_cpu);
    same(&ours.url(), &theirs.url()).await?;
    figures.push(replay);
    figures.push(poll);
    drop(engine);
    Ok(figures)
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

async fn newest(warehouse: &str) -> Result<String> {
    let mut connection = PgConnection::connect(warehouse).await?;
    let row = sqlx::query("SELECT (max(updated_at) - interval '10 seconds')::text AS newest FROM usage")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(row.try_get("newest")?)
}

/// The server's first process, of which all others are children.
async fn postmaster(server: &Server) -> Result<u32> {
    let mut connection = PgConnection::connect(&server.url("postgres")).await?;
    let row =
        sqlx::query("SELECT current_setting('data_directory') AS folder").fetch_one(&mut connection).await?;
    let folder: String = row.try_get("folder")?;
    connection.close().await?;
    let text = std::fs::read_to_string(format!("{folder}/postmaster.pid"))?;
    text.lines().next().context("an empty postmaster.pid")?.trim().parse().context("an odd postmaster.pid")
}
