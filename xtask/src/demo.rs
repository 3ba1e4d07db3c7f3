//! `cargo xtask demo`: builds what is needed, then becomes the demo.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::command::{cargo, run, target_dir};

/// What `cargo xtask demo` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Runs the syncs to the end, prints one JSON object, and stops: exit code 0 only if every run balances.
    #[arg(long)]
    once: bool,
    /// The port to serve on; a free one by default with --once, otherwise 8400.
    #[arg(long)]
    port: Option<u16>,
    /// Keeps the data folder here instead of in a temporary one.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Stores in a PostgreSQL started for the demo instead of in SQLite.
    #[arg(long)]
    postgres: bool,
}

/// Builds the web application, the server and the demo, and runs the demo.
pub fn run_demo(args: &Args) -> Result<()> {
    // In processes of their own, so that nothing but the demo's JSON object reaches standard output.
    let this = env::current_exe().context("find this program")?;
    run(Command::new(this).arg("web").stdout(std::io::stderr()))?;
    run(cargo(&["build", "--bin", "weir", "--bin", "demo"]).stdout(std::io::stderr()))?;

    let built = target_dir().join("debug");
    let mut demo = Command::new(built.join("demo"));
    demo.arg("--weir").arg(built.join("weir"));
    if args.once {
        demo.arg("--once");
    }
    if let Some(port) = args.port {
        demo.args(["--port", &port.to_string()]);
    }
    if let Some(data) = &args.data {
        demo.arg("--data").arg(data);
    }
    if args.postgres {
        demo.arg("--postgres");
    }
    become_program(demo)
}

/// Replaces this process, so that a signal meant for the demo reaches it and nothing else.
#[cfg(unix)]
fn become_program(mut command: Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(command.exec()).context("start the demo")
}

#[cfg(not(unix))]
fn become_program(mut command: Command) -> Result<()> {
    let status = command.status().context("start the demo")?;
    if !status.success() {
        anyhow::bail!("the demo failed: {status}");
    }
    Ok(())
}
