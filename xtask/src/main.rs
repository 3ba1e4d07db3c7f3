//! Everything a contributor runs: `cargo xtask demo | test | web | lint | bench`.

#![expect(clippy::print_stdout, reason = "a command-line program")]

mod bench;
mod command;
mod demo;
mod lint;
mod setup;
mod stage;
mod suite;
mod test;
mod web;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Everything a contributor to Weir runs.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds Weir, fills a demo warehouse, syncs it, and serves until stopped.
    Demo(demo::Args),
    /// Runs every check there is: lints, builds, tests on SQLite, PostgreSQL and ClickHouse, browser journeys.
    Test(test::Args),
    /// Builds the browser application into `web/dist`.
    Web(web::Args),
    /// Checks formatting, clippy on the server side and on WebAssembly, and dependency rules.
    Lint,
    /// Measures syncing against psql doing the same job; arguments go to the benchmark (`-- --help` lists them).
    Bench(bench::Args),
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    command::enter_workspace()?;
    match task {
        Task::Demo(args) => demo::run_demo(&args),
        Task::Test(args) => test::run_tests(&args),
        Task::Web(args) => web::run_web(&args),
        Task::Lint => lint::run_alone(),
        Task::Bench(args) => bench::run_bench(&args),
    }
}
