//! Python environments of the emulators, for the libraries that come with them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::run;

const MAKE: &str = "import sys; sys.path.insert(0, sys.argv[1]); import environment; \
    print(environment.make(sys.argv[2], sys.argv[3]))";

/// The Python of the environment of `tests/emulators/requirements-<name>.txt`, made on first need.
pub async fn interpreter(name: &str) -> Result<PathBuf> {
    let servers = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers");
    let mut make = Command::new("python3");
    make.arg("-B").args(["-c", MAKE]).arg(servers).arg(name).arg(run::cache("python")?);
    let made =
        make.output().await.context("cannot start python3, which makes the emulators' environments")?;
    let said = String::from_utf8_lossy(&made.stderr);
    ensure!(made.status.success(), "cannot make the environment {name}: {said}");
    let home = String::from_utf8(made.stdout)?;
    Ok(Path::new(home.trim()).join("bin/python"))
}

/// Runs a script in that environment and returns what it prints.
pub async fn run(name: &str, script: &str, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(interpreter(name).await?);
    let ended = command.args(["-B", "-c", script]).args(arguments).current_dir("/").output().await?;
    ensure!(ended.status.success(), "the script failed: {}", String::from_utf8_lossy(&ended.stderr));
    Ok(String::from_utf8(ended.stdout)?)
}
