//! The demo as a program; `cargo xtask demo` builds and runs it.

#![expect(clippy::print_stdout, reason = "a command-line program")]

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use systems::ports::free_port;
use tempfile::TempDir;
use tests::{
    demo::{
        account::accounts,
        calendar::{Day, now},
        changes::{Changes, PAUSE},
        client::Client,
        customer::{self, FOUNDER},
        report,
        server::{Server, Settings, vacant},
        usage::{Usage, usage},
        warehouse::Warehouse,
        wide::weeks,
    },
    postgres::{Database, Durability, Server as Postgres},
};
use tokio::signal::unix::{SignalKind, signal};

const SEED: u64 = 2026;
const PORT: u16 = 8400;

/// Weir on a demo warehouse.
#[derive(Parser)]
struct Args {
    /// The weir program.
    #[arg(long)]
    weir: PathBuf,
    /// Runs the syncs to the end, prints one JSON object, and stops.
    #[arg(long)]
    once: bool,
    /// The port to serve on.
    #[arg(long)]
    port: Option<u16>,
    /// Keeps the data in this folder, which is empty or missing.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Stores in a PostgreSQL of its own instead of in SQLite.
    #[arg(long)]
    postgres: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Everything the demo starts; what is temporary goes when it is dropped.
struct Stage {
    server: Server,
    warehouse: Warehouse,
    path: PathBuf,
    usage: Usage,
    _database: Option<Database>,
    _temporary: Option<TempDir>,
}

async fn run(args: Args) -> Result<bool> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut stage = set(&args).await?;
    let played = tokio::select! {
        played = play(&args, &mut stage) => played,
        _ = interrupt.recv() => Ok(stopped_from_outside(&args)),
        _ = terminate.recv() => Ok(stopped_from_outside(&args)),
    };
    let stopped = stage.server.stop().await;
    let fine = played?;
    stopped?;
    Ok(fine)
}

/// Stopping is how a demo that serves ends well; one that should have come to its own end has not.
fn stopped_from_outside(args: &Args) -> bool {
    eprintln!("demo: stopping");
    !args.once
}

async fn set(args: &Args) -> Result<Stage> {
    let temporary = match &args.data {
        Some(folder) => {
            ensure!(
                vacant(folder),
                "{} is not empty: give --data an empty or a new folder",
                folder.display()
            );
            None
        }
        None => Some(tempfile::Builder::new().prefix("weir-demo-").tempdir()?),
    };
    let folder = args.data.clone().or_else(|| temporary.as_ref().map(|it| it.path().to_owned()));
    let folder = std::path::absolute(folder.context("there is a data folder")?)?;
    std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;

    eprintln!("demo: filling the warehouse");
    let now = now();
    let customers = accounts(SEED);
    let usage = usage(SEED, &customers, now);
    let path = folder.join("warehouse.db");
    let warehouse = Warehouse::create(&path, &usage, &weeks(SEED, &customers, now)).await?;

    let database = match args.postgres {
        true => Some(Postgres::start(Durability::Durable).await?.database().await?),
        false => None,
    };
    let port = match (args.port, args.once) {
        (Some(port), _) => port,
        (None, true) => free_port()?,
        (None, false) => PORT,
    };
    let settings = Settings {
        program: args.weir.clone(),
        data: folder.join("weir"),
        port,
        database: database.as_ref().map(Database::url),
        folder,
        more: Vec::new(),
    };
    eprintln!("demo: starting weir");
    let server = Server::start(&settings).await?;
    Ok(Stage { server, warehouse, path, usage, _database: database, _temporary: temporary })
}

async fn play(args: &Args, stage: &mut Stage) -> Result<bool> {
    let client = Client::set_up(&stage.server.url, &stage.server.setup_token().await?, FOUNDER).await?;
    eprintln!("demo: bringing accounts, contracts and metric links");
    customer::bring_records(&client, &accounts(SEED), &stage.usage.lines, Day::of(now()).year()).await?;
    customer::ignore(&client, &stage.usage.lines).await?;
    let streams = customer::connect(&client, &stage.path).await?;
    eprintln!("demo: syncing");
    let report = report::sync(&client, &streams).await?;
    if args.once {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(report.balanced);
    }
    ensure!(report.balanced, "the first syncs do not balance: {}", serde_json::to_string(&report)?);
    customer::schedule(&client, &streams).await?;
    eprintln!(
        "demo: {} rows read, {} readings written, {} waiting for someone, {} rejected",
        report.rows_read, report.written, report.unmatched, report.rejected
    );
    println!("\n  Weir     {}", stage.server.url);
    println!("  Sign in  {}", FOUNDER.email);
    println!("  Password {}\n", FOUNDER.password);
    eprintln!("demo: the warehouse changes every {} seconds; stop with Ctrl-C", PAUSE.as_secs());

    let mut changes = Changes::new(SEED, &stage.usage.lines, now());
    loop {
        tokio::select! {
            ended = stage.server.ended() => bail!("weir ended with {}:\n{}", ended?, stage.server.said()),
            () = tokio::time::sleep(PAUSE) => changes.step(&stage.warehouse, now()).await?,
        }
    }
}
