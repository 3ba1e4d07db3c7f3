//! Scripts for a shell, run by a real one in which `gcloud` and `bq` only say what they were called with.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

const STUBS: &str = r#"
gcloud() { printf '%s\0' gcloud "$@"; printf '\0'; }
bq() { printf '%s\0' bq "$@"; printf '\0'; }
set -eu
"#;

/// The commands of a script, each as its words.
pub fn commands(script: &str) -> Result<Vec<Vec<String>>> {
    let home = tempfile::tempdir()?;
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(format!("{STUBS}{script}")).current_dir(home.path()).env("PATH", "");
    let ended = shell.stdin(Stdio::null()).output().context("no shell")?;
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success() && said.is_empty(), "the shell refused it: {said}\n{script}");
    ensure!(home.path().read_dir()?.next().is_none(), "the script wrote a file:\n{script}");
    let told = String::from_utf8(ended.stdout)?;
    Ok(told.split_terminator("\0\0").map(|line| line.split('\0').map(str::to_owned).collect()).collect())
}

/// The statements that `bq` is given.
pub fn statements(commands: &[Vec<String>]) -> impl Iterator<Item = String> {
    let queries = commands.iter().filter(|words| words[..2] == ["bq", "query"]);
    queries.filter_map(|words| words.last()).map(|sql| format!("{sql};\n"))
}
