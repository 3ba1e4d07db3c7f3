//! `cargo xtask bench`: builds the benchmark optimized and hands it the arguments.

use anyhow::Result;

use crate::command::{cargo, program, run, target_dir};

/// What `cargo xtask bench` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Handed to the benchmark as they are.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs the benchmark against the optimized server.
pub fn run_bench(args: &Args) -> Result<()> {
    // Both in one build: apart, each would bring its own features, and the server would be built twice.
    let packages = ["--package", "server", "--package", "tests"];
    run(cargo(&["build", "--release", "--bin", "weir", "--bin", "bench"]).args(packages))?;
    let bench = target_dir().join("release/bench");
    run(program(&bench.display().to_string(), &[]).args(&args.arguments))
}
