//! A worker process for the tests about jobs: what it does is in the jobs and streams it finds.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use server::app::App;
use server::clock::Clock;
use server::config::Config;
use server::db::Db;
use server::domain::job::Jobs;
use server::jobs;
use tests::worker::{Scripted, node, settings};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A worker process for tests.
#[derive(Parser)]
struct Args {
    /// The database.
    #[arg(long)]
    url: String,
    /// The folder of the key ring.
    #[arg(long)]
    data: PathBuf,
    /// Carries out sync runs with the scripted engine, as the product does, instead of test jobs.
    #[arg(long)]
    runs: bool,
    /// The lease, in milliseconds; whole seconds with `--runs`.
    #[arg(long, default_value_t = 15_000)]
    lease: u64,
    /// Jobs at once.
    #[arg(long, default_value_t = 4)]
    at_once: usize,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let args = Args::parse();
    let stop = CancellationToken::new();
    let mut ended = signal(SignalKind::terminate())?;
    let on_signal = stop.clone();
    tokio::spawn(async move {
        ended.recv().await;
        on_signal.cancel();
    });
    let poll = Duration::from_millis(100);
    if args.runs {
        let mut config = Config::load(None)?;
        config.data_dir = args.data;
        config.database.url = args.url.into();
        config.workers.lease_seconds = u32::try_from(args.lease / 1000)?;
        config.workers.concurrency = args.at_once;
        config.workers.poll_milliseconds = 100;
        let app = App::open(config, Clock::system()).await?;
        jobs::start(&app, Arc::new(Scripted), &stop).finished().await;
    } else {
        let db = Db::connect(&args.url.into(), 4).await?;
        let settings = settings(Duration::from_millis(args.lease), poll, args.at_once);
        node(&db, &Jobs::default(), settings, &stop).run().await;
    }
    Ok(())
}
