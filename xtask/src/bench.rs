//! `cargo xtask bench`: builds the benchmark optimized and hands it the arguments.

use anyhow::Result;

use crate::command::{cargo, run};

/// What `cargo xtask bench` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Handed to the benchmark as they are: `cargo run --release --package tests --bin bench -- ARGUMENTS`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs the benchmark against the optimized server.
pub fn run_bench(args: &Args) -> Result<()> {
    run(&mut cargo(&["build", "--release", "--package", "server", "--bin", "weir"]))?;
    let mut bench = cargo(&["run", "--release", "--package", "tests", "--bin", "bench", "--"]);
    run(bench.args(&args.arguments))
}
