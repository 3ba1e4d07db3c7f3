//! `cargo xtask bench`: Weir beside plain psql, SQLite's shell and dlt on the same rows, all sides in one run, every
//! result compared.

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use tests::bench::promise::{self, Promise};
use tests::bench::{Bench, clickhouse, engine, idle, late, locks, program, rounds, shell, snowflake};
use tests::stand::Origin;

/// What `weir` has: memory is measured in this process.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Measures Weir beside plain psql, SQLite's shell and dlt; prints one JSON object a line")]
struct Arguments {
    /// What to measure; everything but growth unless named.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Days of measurements in the warehouse; 50 make a million rows.
    #[arg(long, default_value_t = 50)]
    days: i64,
    /// How often each measurement is made; the median is reported.
    #[arg(long, default_value_t = 3)]
    times: usize,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// First load, empty poll, 10 000 changes, and a replay, into PostgreSQL, beside psql.
    Load,
    /// First load and 10 000 changes beside dlt, which copies with merge and does nothing else.
    Dlt,
    /// First load into SQLite, beside SQLite's shell.
    Sqlite,
    /// First load from ClickHouse into PostgreSQL, beside curl and psql and beside dlt, and empty polls.
    Clickhouse,
    /// First load from the strict Snowflake server into PostgreSQL, what a cell costs to decode, and empty polls.
    Snowflake,
    /// A thousand streams that are due and have nothing new.
    Idle,
    /// A first load and empty polls by the `weir` program, with the memory of the whole process.
    Program,
    /// Rows that come late, and rows tied with the watermark.
    Late,
    /// How long others wait to write on SQLite while Weir does what it does with many rows.
    Locks,
    /// The first two again with ten times the rows: about ten minutes.
    Growth,
}

#[derive(Subcommand)]
enum Role {
    /// The engine's own process.
    #[command(hide = true)]
    Engine {
        #[arg(long)]
        weir: String,
        /// What it reads, as JSON.
        #[arg(long)]
        origin: String,
    },
    /// The process of the strict Snowflake server.
    #[command(hide = true)]
    Snowflake {
        #[arg(long)]
        rows: i64,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = Arguments::parse();
    match arguments.role {
        Some(Role::Engine { weir, origin }) => {
            return engine::serve(&weir, &serde_json::from_str::<Origin>(&origin)?).await;
        }
        Some(Role::Snowflake { rows }) => return snowflake::serve(rows).await,
        None => {}
    }
    let wanted = |part| {
        if arguments.only.is_empty() { part != Part::Growth } else { arguments.only.contains(&part) }
    };
    let mut promises = Vec::new();
    if wanted(Part::Locks) {
        promises.extend(locks::run().await?);
    }
    if arguments.only != [Part::Locks] {
        promises.extend(beside(arguments.days, arguments.times, wanted).await?);
    }
    promise::judge(&promises)
}

/// Measures what is wanted on one warehouse.
async fn beside(days: i64, times: usize, wanted: impl Fn(Part) -> bool) -> Result<Vec<Promise>> {
    let mut promises = Vec::new();
    let bench = Bench::start(days, times).await?;
    if wanted(Part::Load) || wanted(Part::Growth) {
        let (small, kept) = rounds::run(&bench).await?;
        promises.extend(kept);
        if wanted(Part::Growth) {
            let bench = Bench::start(days * 10, 1).await?;
            promises.extend(rounds::compare(&small, &rounds::run(&bench).await?.0));
        }
    }
    if wanted(Part::Dlt) {
        rounds::beside_dlt(&bench).await?;
    }
    if wanted(Part::Sqlite) {
        promises.extend(shell::run(&bench).await?);
    }
    if wanted(Part::Clickhouse) {
        promises.extend(clickhouse::run(&bench).await?);
    }
    if wanted(Part::Snowflake) {
        promises.extend(snowflake::run(&bench).await?);
    }
    if wanted(Part::Idle) {
        promises.extend(idle::run(&bench).await?);
    }
    if wanted(Part::Program) {
        promises.extend(program::run(&bench).await?);
    }
    if wanted(Part::Late) {
        late::run(&bench).await?;
    }
    Ok(promises)
}
